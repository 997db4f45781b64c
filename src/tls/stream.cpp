#include "tls/stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <limits>
#include <new>

#include "net/errno_text.h"
#include "tls/certificate_time.h"
#include "tls/failure_text.h"
#include "tls/revocation.h"

namespace cwire {

namespace {

// A message of 240 bytes has room for this much of what a certificate says.
constexpr std::size_t kNamesSizeMax = 60;

// "w*.example" is no wildcard that an authority may issue.
constexpr unsigned int kUsualWildcards = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;

int int_of(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max())); }

bool is_literal(const std::string& name) {
  unsigned char address[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, name.c_str(), address) == 1 || ::inet_pton(AF_INET6, name.c_str(), address) == 1;
}

// Whoever made the certificate chose these bytes: only what is safe in a line of a log is kept.
void append_name(std::string& names, const unsigned char* bytes, int size) {
  if (names.size() > kNamesSizeMax) return;
  if (!names.empty()) names += ", ";
  for (int i = 0; i < size && names.size() <= kNamesSizeMax; ++i) {
    names += bytes[i] > 0x20 && bytes[i] < 0x7f ? static_cast<char>(bytes[i]) : '?';
  }
}

void append_address(std::string& names, const ASN1_STRING* address) {
  char text[INET6_ADDRSTRLEN];
  const int size = ASN1_STRING_length(address);
  const int family = size == 4 ? AF_INET : AF_INET6;
  if (size != 4 && size != 16) return;
  if (::inet_ntop(family, ASN1_STRING_get0_data(address), text, sizeof text) == nullptr) return;
  append_name(names, reinterpret_cast<const unsigned char*>(text),
              static_cast<int>(std::char_traits<char>::length(text)));
}

// The names that a certificate is for: its SANs, or the CN if it has none.
std::string names_of(X509* certificate) {
  std::string names;
  auto* alternatives =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  if (alternatives != nullptr) {
    for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); ++i) {
      const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives, i);
      if (name->type == GEN_DNS) {
        append_name(names, ASN1_STRING_get0_data(name->d.dNSName), ASN1_STRING_length(name->d.dNSName));
      } else if (name->type == GEN_IPADD) {
        append_address(names, name->d.iPAddress);
      }
    }
    GENERAL_NAMES_free(alternatives);
  }
  if (!names.empty()) return names;
  X509_NAME* subject = X509_get_subject_name(certificate);
  const int position = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (position < 0) return names;
  const ASN1_STRING* common_name = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, position));
  append_name(names, ASN1_STRING_get0_data(common_name), ASN1_STRING_length(common_name));
  return names;
}

// OpenSSL calls it another host when the host is met by a wildcard only, and that will not do.
bool is_for_wildcard(X509_STORE_CTX* store) {
  if (X509_STORE_CTX_get_error(store) != X509_V_ERR_HOSTNAME_MISMATCH) return false;
  const char* host = X509_VERIFY_PARAM_get0_host(X509_STORE_CTX_get0_param(store), 0);
  return host != nullptr &&
         X509_check_host(X509_STORE_CTX_get_current_cert(store), host, 0, kUsualWildcards, nullptr) == 1;
}

// After a full handshake: until when would another one verify the same certificates? Where nothing is verified, no
// certificate ends anything.
SessionCache::Verified verified_now(const SSL* ssl, const Verification& verification) {
  SessionCache::Verified verified{Clock::now()};
  if (!verification.on) return verified;
  verified.good_until = verification.lists_until;
  const STACK_OF(X509)* chain = SSL_get0_verified_chain(ssl);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    verified.good_until = std::min(verified.good_until, time_of(X509_get0_notAfter(sk_X509_value(chain, i))));
  }
  return verified;
}

}  // namespace

struct TlsStream::Rejected {
  int depth = 0;  // 0: the server's own certificate, above: of its issuers
  std::string names;
};

TlsStream::TlsStream(ssl_ctx_st* context, SessionCache& sessions, const Verification& verification, int socket,
                     const std::string& server_name, std::uint16_t port)
    : sessions_(sessions), verification_(verification), port_(port), server_name_(server_name) {
  ERR_clear_error();
  socket_.socket = socket;
  BIO* bio = new_socket_bio(socket_);
  ssl_ = SSL_new(context);
  if (ssl_ == nullptr) {
    BIO_free(bio);
    throw std::bad_alloc();
  }
  SSL_set_bio(ssl_, bio, bio);
  // The callbacks take this for granted.
  if (SSL_set_app_data(ssl_, this) != 1) {
    SSL_free(ssl_);
    throw std::bad_alloc();
  }
  SSL_set_connect_state(ssl_);
  if (!expect_name()) {
    SSL_free(ssl_);
    throw Error(CWIRE_E_TLS, "TLS: no certificate can be for this server name; correct csms.tls.server_name or the URL",
                FailurePhase::tls);
  }
  try {
    offer_session();
  } catch (const std::bad_alloc&) {
    SSL_free(ssl_);
    throw;
  }
}

TlsStream::~TlsStream() {
  // Given up half-way: perhaps the server does not know what to do with this session. It said nothing about others.
  if (!agreed_) drop_session(&SessionCache::drop);
  SSL_free(ssl_);
}

// False: OpenSSL refuses the name (empty, too long, NUL inside).
bool TlsStream::expect_name() {
  // "csms.example." is the same host, but neither SNI (RFC 6066 3) nor certificates have the dot. A zone ("%eth0")
  // means something on this machine only.
  std::string name = server_name_.substr(0, server_name_.find('%'));
  if (!name.empty() && name.back() == '.') name.pop_back();
  if (name.empty() || name.find('\0') != std::string::npos) return false;

  const bool literal = is_literal(name);
  if (!literal && SSL_set_tlsext_host_name(ssl_, name.c_str()) != 1) return false;
  if (!verification_.on) return true;
  X509_VERIFY_PARAM* expected = SSL_get0_param(ssl_);
  if (literal) return X509_VERIFY_PARAM_set1_ip_asc(expected, name.c_str()) == 1;
  // The CN counts only where there is no SAN dnsName.
  X509_VERIFY_PARAM_set_hostflags(expected, verification_.wildcards ? kUsualWildcards : X509_CHECK_FLAG_NO_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(expected, name.data(), name.size()) == 1;
}

int TlsStream::note_verification(int accepted, x509_store_ctx_st* store) {
  if (accepted == 1) return accepted;
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* stream = static_cast<TlsStream*>(SSL_get_app_data(ssl));
  if (accept_missing_list_of_authority(store)) return 1;
  X509* certificate = X509_STORE_CTX_get_current_cert(store);
  if (is_for_wildcard(store)) X509_STORE_CTX_set_error(store, kWildcardRefused);
  const int result = X509_STORE_CTX_get_error(store);
  try {
    auto rejected = std::make_unique<Rejected>();
    rejected->depth = X509_STORE_CTX_get_error_depth(store);
    const bool other_name = result == X509_V_ERR_HOSTNAME_MISMATCH || result == X509_V_ERR_IP_ADDRESS_MISMATCH ||
                            result == kWildcardRefused;
    if (other_name && certificate != nullptr) rejected->names = names_of(certificate);
    stream->rejected_ = std::move(rejected);
  } catch (const std::bad_alloc&) {
    // The message has less to say then; the decision stands.
  }
  return accepted;
}

void TlsStream::offer_session() {
  const SessionCache::Offer offer = sessions_.take(server(), Clock::now());
  if (offer.session == nullptr || SSL_set_session(ssl_, offer.session.get()) != 1) return;
  offered_ = offer.order;
  verified_ = offer.verified;
}

void TlsStream::drop_session(void (SessionCache::*drop)(const std::string&, std::uint64_t)) {
  if (offered_ == 0) return;
  try {
    (sessions_.*drop)(server(), offered_);
  } catch (const std::bad_alloc&) {
    // It is refused once more, and then goes.
  }
  offered_ = 0;
}

int TlsStream::keep_session(ssl_st* ssl, ssl_session_st* session) {
  auto* stream = static_cast<TlsStream*>(SSL_get_app_data(ssl));
  if (stream->verification_.on && SSL_get_verify_result(ssl) != X509_V_OK) return 0;
  try {
    // A copy: OpenSSL spoils the connection's own when the peer goes without close_notify, which is how a server dies.
    if (SessionPtr copy{SSL_SESSION_dup(session)}) {
      // TLS 1.2 brings the session inside the handshake, TLS 1.3 perhaps days behind it.
      const bool just_verified = !stream->agreed_ && SSL_session_reused(ssl) != 1;
      stream->sessions_.put(stream->server(), std::move(copy),
                            just_verified ? verified_now(ssl, stream->verification_) : stream->verified_);
    }
  } catch (const std::bad_alloc&) {
    // The next connection is a full handshake then.
  }
  return 0;
}

Stream::Outcome TlsStream::handshake() {
  ERR_clear_error();
  const int returned = SSL_do_handshake(ssl_);
  agreed_ = returned == 1;
  if (agreed_ && SSL_session_reused(ssl_) != 1) {
    drop_session(&SessionCache::drop_with_older);
    verified_ = verified_now(ssl_, verification_);
  }
  return outcome_of(returned, 0, CWIRE_E_TLS);
}

Stream::Outcome TlsStream::read(char* buffer, std::size_t capacity) {
  ERR_clear_error();
  const int returned = SSL_read(ssl_, buffer, int_of(capacity));
  // 16 KB that SSL_MODE_RELEASE_BUFFERS leaves with every idle connection. Not with anything pending, which OpenSSL
  // below 3.0.14 would free as well (CVE-2024-4741).
  if (returned > 0 && SSL_has_pending(ssl_) == 0) SSL_free_buffers(ssl_);
  return outcome_of(returned, returned > 0 ? static_cast<std::size_t>(returned) : 0, CWIRE_E_READ);
}

Stream::Outcome TlsStream::write(const char* data, std::size_t size) {
  ERR_clear_error();
  const int returned = SSL_write(ssl_, data, int_of(size));
  return outcome_of(returned, returned > 0 ? static_cast<std::size_t>(returned) : 0, CWIRE_E_WRITE);
}

bool TlsStream::has_buffered() const { return SSL_has_pending(ssl_) == 1; }

void TlsStream::shutdown() {
  if (broken_ || SSL_is_init_finished(ssl_) != 1) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

Stream::Outcome TlsStream::outcome_of(int returned, std::size_t bytes, cwire_status status) {
  Outcome outcome;
  if (returned > 0) {
    outcome.result = Result::done;
    outcome.bytes = bytes;
    return outcome;
  }
  const int kind = SSL_get_error(ssl_, returned);
  if (kind == SSL_ERROR_WANT_READ) {
    outcome.result = Result::want_read;
  } else if (kind == SSL_ERROR_WANT_WRITE) {
    outcome.result = Result::want_write;
  } else if (kind == SSL_ERROR_ZERO_RETURN && status == CWIRE_E_READ) {
    outcome.result = Result::end;
  } else {
    broken_ = true;
    outcome.failure = failure_of(kind, status);
    // Also after the handshake: in TLS 1.3 a server says only then that it does not want this client.
    if (outcome.failure.status == CWIRE_E_TLS) drop_session(&SessionCache::drop_with_older);
  }
  ERR_clear_error();
  return outcome;
}

Failure TlsStream::failure_of(int kind, cwire_status status) const {
  const unsigned long code = ERR_peek_error();
  const bool cut_off = kind == SSL_ERROR_ZERO_RETURN || (kind == SSL_ERROR_SYSCALL && socket_.error == 0) ||
                       (kind == SSL_ERROR_SSL && ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING);
  if (status == CWIRE_E_TLS && (cut_off || kind == SSL_ERROR_SYSCALL)) {
    const std::string why = cut_off ? "it closed the connection" : errno_text(socket_.error);
    return Failure(CWIRE_E_TLS,
                   "TLS: " + server() + " broke off the handshake: " + why +
                       "; check that this port speaks TLS, and the server's log",
                   FailurePhase::tls, os_error(cut_off ? 0 : socket_.error));
  }
  if (cut_off) {
    return Failure(status, "the TLS connection was truncated: the peer closed it without close_notify",
                   phase_of(status));
  }
  if (kind == SSL_ERROR_SYSCALL)
    return Failure(status, errno_text(socket_.error), phase_of(status), os_error(socket_.error));
  if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED && status == CWIRE_E_TLS) {
    return verification_failure(server(), SSL_get_verify_result(ssl_), rejected_ == nullptr ? 0 : rejected_->depth,
                                rejected_ == nullptr ? std::string() : rejected_->names);
  }
  // What comes before the ServerHello can only be about what our ClientHello offers.
  const OSSL_HANDSHAKE_STATE state = SSL_get_state(ssl_);
  return protocol_failure(server(), code, state == TLS_ST_CW_CLNT_HELLO || state == TLS_ST_CR_SRVR_HELLO);
}

std::string TlsStream::server() const {
  const bool v6 = server_name_.find(':') != std::string::npos;
  return (v6 ? "[" + server_name_ + "]" : server_name_) + ":" + std::to_string(port_);
}

}  // namespace cwire
