#include "tls/socket_bio.h"

#include <openssl/bio.h>
#include <sys/socket.h>

#include <cerrno>
#include <new>

namespace cwire {

namespace {

SocketBio& state_of(BIO* bio) { return *static_cast<SocketBio*>(BIO_get_data(bio)); }

bool try_again(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

int bio_write(BIO* bio, const char* data, int size) {
  SocketBio& state = state_of(bio);
  BIO_clear_retry_flags(bio);
  const ssize_t sent = ::send(state.socket, data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<int>(sent);
  if (try_again(errno)) {
    BIO_set_retry_write(bio);
  } else {
    state.error = errno;
  }
  return -1;
}

int bio_read(BIO* bio, char* buffer, int capacity) {
  SocketBio& state = state_of(bio);
  BIO_clear_retry_flags(bio);
  const ssize_t received = ::recv(state.socket, buffer, static_cast<std::size_t>(capacity), 0);
  if (received > 0) return static_cast<int>(received);
  if (received == 0) {
    state.end = true;
    return 0;
  }
  if (try_again(errno)) {
    BIO_set_retry_read(bio);
  } else {
    state.error = errno;
  }
  return -1;
}

long bio_ctrl(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_EOF:
      return state_of(bio).end ? 1 : 0;
    default:
      return 0;
  }
}

// Lives as long as the process: streams may be closed by whatever thread goes last.
BIO_METHOD* make_method() {
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "cwire socket");
  if (method == nullptr) throw std::bad_alloc();
  BIO_meth_set_write(method, bio_write);
  BIO_meth_set_read(method, bio_read);
  BIO_meth_set_ctrl(method, bio_ctrl);
  return method;
}

}  // namespace

bio_st* new_socket_bio(SocketBio& state) {
  static BIO_METHOD* const method = make_method();  // where this throws, the next call tries again
  BIO* bio = BIO_new(method);
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, &state);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace cwire
