#include "tls/context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/failure.h"
#include "tls/authorities.h"
#include "tls/cipher_suites.h"
#include "tls/failure_text.h"
#include "tls/key_log.h"
#include "tls/key_material.h"
#include "tls/revocation.h"
#include "tls/stream.h"

namespace cwire {

namespace {

// 112 bits: RSA of 2048, EC of 224, no SHA-1 signatures. What OCPP asks for (A00.FR.3xx).
constexpr int kSecurityLevel = 2;

// CAs between a server's certificate and a trusted one. Two are usual; OpenSSL alone would follow a hundred.
constexpr int kIntermediatesMax = 5;

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

}  // namespace

TlsContext::TlsContext(const TlsSettings& settings) {
  verification_.on = !settings.insecure_skip_verify;
  verification_.wildcards = !settings.ocpp_rules || settings.allow_wildcards;
  ERR_clear_error();
  std::unique_ptr<SSL_CTX, FreeContext> context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) {
    throw Error(CWIRE_E_TLS, "TLS: OpenSSL cannot begin: " + newest_openssl_reason() + "; check openssl.cnf");
  }
  SSL_CTX* const raw = context.get();
  // All of it said here, whatever this machine's openssl.cnf says.
  SSL_CTX_set_security_level(raw, kSecurityLevel);
  SSL_CTX_set_min_proto_version(raw, settings.version_min == TlsVersion::tls1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(raw, 0);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_clear_options(raw, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_LEGACY_SERVER_CONNECT);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_clear_mode(raw, SSL_MODE_AUTO_RETRY);
  if (settings.session_resumption) {
    // OpenSSL's own cache would be looked at by servers only.
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(raw, TlsStream::keep_session);
  } else {
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  }
  // A record's header and body in one recv.
  SSL_CTX_set_read_ahead(raw, 1);
  set_cipher_suites(raw, settings);
  if (verification_.on) {
    load_authorities(raw, settings);
    verification_.lists_until = load_revocation_lists(raw, settings);
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, TlsStream::note_verification);
    SSL_CTX_set_verify_depth(raw, kIntermediatesMax);
  } else {
    SSL_CTX_set_verify(raw, SSL_VERIFY_NONE, nullptr);
  }
  load_identity(raw, settings);
  if (!settings.key_log_file.empty()) {
    key_log_ = std::make_unique<KeyLog>(settings.key_log_file);
    key_log_->attach_to(raw);
  }
  context_ = context.release();
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

std::unique_ptr<Stream> TlsContext::open(int socket, const std::string& server_name, std::uint16_t port) const {
  return std::make_unique<TlsStream>(context_, sessions_, verification_, socket, server_name, port);
}

}  // namespace cwire
