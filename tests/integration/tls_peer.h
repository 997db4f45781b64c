#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "raw_peer.h"
#include "tls_server_context.h"

// A server of TLS that does exactly what a test says, and may offer what no client should take.
namespace raw {

// A connection whose handshake is done. Every function that waits throws std::runtime_error when nothing comes for too
// long.
class TlsConnection {
 public:
  TlsConnection(Connection connection, std::unique_ptr<SSL, pki::Free> ssl);

  SSL* ssl() { return ssl_.get(); }
  Connection& tcp() { return connection_; }
  std::string client_name() const;  // the CN of the client's certificate; empty: it has none

  // The head of the HTTP request, with the empty line.
  std::string read_request();
  // The upgrade request, answered with 101. Returns it.
  std::string upgrade();
  void send(const std::string& bytes);
  // Nothing: the station ended TLS, or hung up.
  std::optional<Frame> read_frame();
  // Everything until the station goes.
  std::string read_all();
  // Ends TLS in order, or TCP alone.
  void close();
  void cut();

 private:
  bool fill();

  Connection connection_;
  std::unique_ptr<SSL, pki::Free> ssl_;
  std::string buffer_;
};

class TlsServer {
 public:
  // receive_buffer: as of Server.
  explicit TlsServer(const pki::ServerOptions& options, int receive_buffer = 0) : server_(receive_buffer) {
    use(options);
  }

  // From the next connection on.
  void use(const pki::ServerOptions& options);
  std::uint16_t port() const { return server_.port(); }
  std::string url(const std::string& host = "localhost") const {
    return "wss://" + host + ":" + std::to_string(server_.port());
  }
  // The next connection; nothing: its handshake failed, and so not a byte of HTTP can have come. `before_answer` runs
  // when the client has begun its handshake.
  std::optional<TlsConnection> accept(const std::function<void()>& before_answer = {});

 private:
  Server server_;
  std::unique_ptr<SSL_CTX, pki::Free> context_;
};

}  // namespace raw
