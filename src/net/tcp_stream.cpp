#include "net/tcp_stream.h"

#include <sys/socket.h>

#include <cerrno>

#include "net/errno_text.h"

namespace cwire {

namespace {

Stream::Outcome outcome_of(Stream::Result result, std::size_t bytes = 0) {
  Stream::Outcome outcome;
  outcome.result = result;
  outcome.bytes = bytes;
  return outcome;
}

Stream::Outcome failed(cwire_status status, int error) {
  Stream::Outcome outcome;
  outcome.failure = Failure(status, errno_text(error), phase_of(status), os_error(error));
  return outcome;
}

}  // namespace

Stream::Outcome TcpStream::handshake() { return outcome_of(Result::done); }

Stream::Outcome TcpStream::read(char* buffer, std::size_t capacity) {
  ssize_t received;
  do {
    received = ::recv(socket_, buffer, capacity, 0);
  } while (received < 0 && errno == EINTR);
  if (received > 0) return outcome_of(Result::done, static_cast<std::size_t>(received));
  if (received == 0) return outcome_of(Result::end);
  if (errno == EAGAIN || errno == EWOULDBLOCK) return outcome_of(Result::want_read);
  return failed(CWIRE_E_READ, errno);
}

Stream::Outcome TcpStream::write(const char* data, std::size_t size) {
  ssize_t sent;
  do {
    sent = ::send(socket_, data, size, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return outcome_of(Result::done, static_cast<std::size_t>(sent));
  if (errno == EAGAIN || errno == EWOULDBLOCK) return outcome_of(Result::want_write);
  return failed(CWIRE_E_WRITE, errno);
}

}  // namespace cwire
