#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "config/settings.h"
#include "net/stream.h"
#include "tls/session_cache.h"
#include "tls/verification.h"

struct ssl_ctx_st;

namespace cwire {

class KeyLog;

// One SSL_CTX: certificates read, parsed and checked once, for all stations of one TLS configuration.
class TlsContext {
 public:
  // Throws Error(TLS): a file that cannot be read, a key that does not match, an encrypted key without password.
  explicit TlsContext(const TlsSettings& settings);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  bool verifies() const { return verification_.on; }
  std::size_t sessions_kept() const { return sessions_.size(); }
  // A TLS stream on a connected, non-blocking socket. `server_name`: the host name or address literal (without
  // brackets) that the certificate must be for; sent as SNI unless it is a literal (RFC 6066 3). `port`: the server's,
  // which behind a proxy is not the socket's. Resumes a session if there is one for this name and port. The context
  // must outlive the stream. Throws std::bad_alloc.
  std::unique_ptr<Stream> open(int socket, const std::string& server_name, std::uint16_t port) const;

 private:
  ssl_ctx_st* context_ = nullptr;
  Verification verification_;
  std::unique_ptr<KeyLog> key_log_;
  mutable SessionCache sessions_;
};

}  // namespace cwire
