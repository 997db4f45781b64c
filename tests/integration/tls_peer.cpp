#include "tls_peer.h"

#include <openssl/err.h>
#include <signal.h>
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

std::string TlsConnection::upgrade() {
  while (buffer_.find("\r\n\r\n") == std::string::npos) must(fill(), "closed before the request was complete");
  const std::string request = std::exchange(buffer_, {});
  send(Connection::upgrade_answer(request));
  return request;
}

void TlsConnection::send(const std::string& bytes) {
  must(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size()), "send");
}

std::optional<std::string> TlsConnection::read_text() {
  const auto need = [this](std::size_t size) {
    while (buffer_.size() < size) {
      if (!fill()) return false;
    }
    return true;
  };
  if (!need(6)) return std::nullopt;
  const std::size_t size = static_cast<unsigned char>(buffer_[1]) & 0x7f;
  must(size < 126, "a short frame is expected");
  if (!need(6 + size)) return std::nullopt;
  std::string text = buffer_.substr(6, size);
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(text[i] ^ buffer_[2 + i % 4]);
  buffer_.erase(0, 6 + size);
  return text;
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

void TlsServer::use(const TlsOptions& options) {
  // OpenSSL's own socket BIO raises it for the thread that writes when the client has gone.
  sigset_t broken_pipe;
  ::sigemptyset(&broken_pipe);
  ::sigaddset(&broken_pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  context_.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = context_.get();
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_min_proto_version(context, options.version_min);
  SSL_CTX_set_max_proto_version(context, options.version_max);
  must(SSL_CTX_set_cipher_list(context, options.ciphers.c_str()) == 1, "ciphers");
  must(SSL_CTX_use_certificate(context, options.identity->certificate.get()) == 1, "certificate");
  must(SSL_CTX_use_PrivateKey(context, options.identity->key.get()) == 1, "key");
  for (const pki::Identity* issuer : options.chain) SSL_CTX_add1_chain_cert(context, issuer->certificate.get());
  const unsigned char id[] = "peer";
  SSL_CTX_set_session_id_context(context, id, sizeof id);
  if (options.client_ca != nullptr) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), options.client_ca->certificate.get());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
}

std::optional<TlsConnection> TlsServer::accept() {
  Connection connection = server_.accept();
  ::setsockopt(connection.descriptor(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  std::unique_ptr<SSL, pki::Free> ssl(SSL_new(context_.get()));
  must(ssl != nullptr && SSL_set_fd(ssl.get(), connection.descriptor()) == 1, "SSL");
  ERR_clear_error();
  if (SSL_accept(ssl.get()) != 1) return std::nullopt;
  return TlsConnection(std::move(connection), std::move(ssl));
}

}  // namespace raw
