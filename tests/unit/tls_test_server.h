#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <functional>
#include <future>
#include <string>
#include <thread>

#include "net_test_peer.h"
#include "tls_server_context.h"

namespace peer {

// Serves one connection on a thread of its own, with OpenSSL on a blocking socket.
class TlsServer {
 public:
  using Body = std::function<void(SSL*, Connection&)>;

  // `body` runs after a handshake that succeeded.
  explicit TlsServer(const pki::ServerOptions& options, Body body = drain_all, int family = AF_INET)
      : listener_(family), context_(pki::make_server_context(options)) {
    thread_ = std::thread([this, body = std::move(body)] {
      pki::block_sigpipe_on_this_thread();
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
  Listener listener_;
  std::unique_ptr<SSL_CTX, pki::Free> context_;
  bool accepted_ = false;
  std::string server_name_;
  std::string cipher_;
  std::thread thread_;
};

}  // namespace peer
