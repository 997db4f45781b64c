#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "net/stream.h"
#include "tls/session_cache.h"
#include "tls/socket_bio.h"
#include "tls/verification.h"

struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;
struct x509_store_ctx_st;

namespace cwire {

// TLS 1.2 or 1.3 as the client, on a connected, non-blocking socket.
class TlsStream final : public Stream {
 public:
  // Throws std::bad_alloc, Error(TLS) for a name that no certificate can be for.
  TlsStream(ssl_ctx_st* context, SessionCache& sessions, const Verification& verification, int socket,
            const std::string& server_name, std::uint16_t port);
  ~TlsStream() override;
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  Outcome handshake() override;
  Outcome read(char* buffer, std::size_t capacity) override;
  Outcome write(const char* data, std::size_t size) override;
  bool has_buffered() const override;
  void shutdown() override;

  // For SSL_CTX_set_verify: notes what is wrong with which certificate.
  static int note_verification(int accepted, x509_store_ctx_st* store);
  // For SSL_CTX_sess_set_new_cb: keeps a copy for the connections to come.
  static int keep_session(ssl_st* ssl, ssl_session_st* session);

 private:
  // Made when verification fails: what the message needs and OpenSSL does not keep.
  struct Rejected;

  bool expect_name();
  Outcome outcome_of(int returned, std::size_t bytes, cwire_status status);
  Failure failure_of(int kind, cwire_status status) const;
  void offer_session();
  void drop_session(void (SessionCache::*drop)(const std::string&, std::uint64_t));
  std::string server() const;  // "csms.example:443"

  ssl_st* ssl_ = nullptr;
  SessionCache& sessions_;
  const Verification& verification_;  // the context's
  std::uint64_t offered_ = 0;         // the session that this connection tries to resume, or resumed; 0: none
  SessionCache::Verified verified_;   // what the present session rests on
  SocketBio socket_;
  bool agreed_ = false;  // the handshake is done
  bool broken_ = false;  // nothing may be sent any more, not even a goodbye
  std::uint16_t port_ = 0;
  std::string server_name_;
  std::unique_ptr<Rejected> rejected_;
};

}  // namespace cwire
