#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>

#include <functional>
#include <future>
#include <string>
#include <thread>

#include "net_test_peer.h"
#include "test_pki.h"

namespace peer {

// What a TLS server is made of. Security level 0, so that it can offer what a client must refuse.
struct TlsServerOptions {
  const pki::Identity* identity = nullptr;
  std::vector<const pki::Identity*> chain = {};  // intermediates to send
  const pki::Identity* client_ca = nullptr;      // set: a client certificate is required
  int version_min = TLS1_VERSION;
  int version_max = TLS1_3_VERSION;
  std::string ciphers = "ALL:@SECLEVEL=0";
};

// Serves one connection on a thread of its own, with OpenSSL on a blocking socket.
class TlsServer {
 public:
  using Body = std::function<void(SSL*, Connection&)>;

  // `body` runs after a handshake that succeeded.
  explicit TlsServer(const TlsServerOptions& options, Body body = drain_all, int family = AF_INET)
      : listener_(family), context_(make_context(options)) {
    thread_ = std::thread([this, body = std::move(body)] {
      // OpenSSL's own socket BIO raises it when the client has gone.
      sigset_t broken_pipe;
      ::sigemptyset(&broken_pipe);
      ::sigaddset(&broken_pipe, SIGPIPE);
      ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
      try {
        Connection connection = listener_.accept();
        std::unique_ptr<SSL, pki::Free> ssl(SSL_new(context_.get()));
        SSL_set_fd(ssl.get(), connection.descriptor());
        accepted_ = SSL_accept(ssl.get()) == 1;
        const char* name = SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name);
        server_name_ = name == nullptr ? "" : name;
        if (accepted_) {
          cipher_ = SSL_get_cipher_name(ssl.get());
          body(ssl.get(), connection);
        }
        ERR_clear_error();
      } catch (const std::exception&) {
        // The test sees it at the other end.
      }
    });
  }
  ~TlsServer() { join(); }

  std::uint16_t port() const { return listener_.port(); }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  // After join().
  bool accepted() const { return accepted_; }
  const std::string& server_name() const { return server_name_; }
  const std::string& cipher() const { return cipher_; }

  static void drain_all(SSL* ssl, Connection&) { drain(ssl, nullptr); }
  // Reads until the client goes. Returns the result of SSL_get_error.
  static int drain(SSL* ssl, std::string* into) {
    char buffer[16384];
    for (;;) {
      ERR_clear_error();
      const int n = SSL_read(ssl, buffer, sizeof buffer);
      if (n <= 0) return SSL_get_error(ssl, n);
      if (into != nullptr) into->append(buffer, static_cast<std::size_t>(n));
    }
  }

 private:
  static SSL_CTX* make_context(const TlsServerOptions& options) {
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, options.version_min);
    SSL_CTX_set_max_proto_version(context, options.version_max);
    if (SSL_CTX_set_cipher_list(context, options.ciphers.c_str()) != 1) throw std::runtime_error("peer: ciphers");
    SSL_CTX_use_certificate(context, options.identity->certificate.get());
    SSL_CTX_use_PrivateKey(context, options.identity->key.get());
    for (const pki::Identity* issuer : options.chain) SSL_CTX_add1_chain_cert(context, issuer->certificate.get());
    if (options.client_ca != nullptr) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context), options.client_ca->certificate.get());
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    return context;
  }

  Listener listener_;
  std::unique_ptr<SSL_CTX, pki::Free> context_;
  bool accepted_ = false;
  std::string server_name_;
  std::string cipher_;
  std::thread thread_;
};

}  // namespace peer
