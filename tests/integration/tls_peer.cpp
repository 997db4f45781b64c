#include "tls_peer.h"

#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <stdexcept>
#include <utility>

namespace raw {

namespace {

constexpr timeval kPatience{40, 0};

void must(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("TLS peer: ") + what);
}

}  // namespace

TlsConnection::TlsConnection(Connection connection, std::unique_ptr<SSL, pki::Free> ssl)
    : connection_(std::move(connection)), ssl_(std::move(ssl)) {}

std::string TlsConnection::client_name() const {
  X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  char name[64] = "";
  if (certificate != nullptr) {
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
  }
  return name;
}

bool TlsConnection::fill() {
  char bytes[16384];
  ERR_clear_error();
  const int n = SSL_read(ssl_.get(), bytes, sizeof bytes);
  if (n > 0) {
    buffer_.append(bytes, static_cast<std::size_t>(n));
    return true;
  }
  must(SSL_get_error(ssl_.get(), n) != SSL_ERROR_WANT_READ, "nothing to receive");
  return false;
}

std::string TlsConnection::read_request() {
  while (buffer_.find("\r\n\r\n") == std::string::npos) must(fill(), "closed before the request was complete");
  return std::exchange(buffer_, {});
}

std::string TlsConnection::upgrade() {
  const std::string request = read_request();
  send(Connection::upgrade_answer(request));
  return request;
}

void TlsConnection::send(const std::string& bytes) {
  must(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size()), "send");
}

std::optional<Frame> TlsConnection::read_frame() {
  for (;;) {
    std::size_t end = 0;
    if (auto frame = frame_at(buffer_, end)) {
      buffer_.erase(0, end);
      return frame;
    }
    if (!fill()) return std::nullopt;
  }
}

std::string TlsConnection::read_all() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

void TlsConnection::close() {
  SSL_shutdown(ssl_.get());
  connection_.close();
}

void TlsConnection::cut() { connection_.close(); }

void TlsServer::use(const pki::ServerOptions& options) {
  pki::block_sigpipe_on_this_thread();
  context_ = pki::make_server_context(options);
}

std::optional<TlsConnection> TlsServer::accept(const std::function<void()>& before_answer) {
  Connection connection = server_.accept();
  ::setsockopt(connection.descriptor(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  if (before_answer) {
    char first;
    must(::recv(connection.descriptor(), &first, 1, MSG_PEEK) == 1, "ClientHello");
    before_answer();
  }
  std::unique_ptr<SSL, pki::Free> ssl(SSL_new(context_.get()));
  must(ssl != nullptr && SSL_set_fd(ssl.get(), connection.descriptor()) == 1, "SSL");
  ERR_clear_error();
  if (SSL_accept(ssl.get()) != 1) return std::nullopt;
  return TlsConnection(std::move(connection), std::move(ssl));
}

}  // namespace raw
