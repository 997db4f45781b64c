#include "tls/context.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>

#include "net/errno_text.h"
#include "tls/failure_text.h"
#include "tls/stream.h"

namespace cwire {

namespace {

// TLS 1.2. The ECDHE suites first; then the two with static RSA, because OCPP lets a CSMS offer those instead of
// ECDHE-ECDSA (A00.FR.3xx), and a station that is to reach every CSMS has both. TLS 1.3 has its own suites, all of them
// good.
constexpr char kCiphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:"
    "AES128-GCM-SHA256:AES256-GCM-SHA384";

// 112 bits: RSA of 2048, EC of 224, no SHA-1 signatures. What OCPP asks for (A00.FR.3xx).
constexpr int kSecurityLevel = 2;

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

// The password of an encrypted key, and whether it was asked for.
struct KeyPassword {
  const Secret& secret;
  bool asked = false;
};

// OpenSSL's own callback would prompt on the terminal.
int give_password(char* buffer, int capacity, int, void* context) {
  auto* password = static_cast<KeyPassword*>(context);
  password->asked = true;
  const std::string_view bytes = password->secret.reveal();
  if (bytes.empty() || bytes.size() > static_cast<std::size_t>(capacity)) return -1;
  std::memcpy(buffer, bytes.data(), bytes.size());
  return static_cast<int>(bytes.size());
}

// Tells a missing file from a bad one: OpenSSL's reasons do not.
void check_readable(const char* option, const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  char first;
  const bool readable = file != nullptr && (std::fread(&first, 1, 1, file) == 1 || std::ferror(file) == 0);
  const int error = errno;
  if (file != nullptr) std::fclose(file);
  if (!readable) {
    throw Error(CWIRE_E_TLS, std::string("TLS: cannot read ") + option + " '" + path + "': " + errno_text(error) +
                                 "; correct the path or the file's permissions");
  }
}

[[noreturn]] void throw_bad_file(const char* option, const std::string& path, const std::string& advice) {
  const std::string reason = newest_openssl_reason();
  throw Error(CWIRE_E_TLS, std::string("TLS: cannot use ") + option + " '" + path + "'" +
                               (reason.empty() ? "" : ": " + reason) + "; " + advice);
}

void load_authorities(SSL_CTX* context, const TlsSettings& settings) {
  if (settings.ca_cert.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) != 1) {
      throw Error(CWIRE_E_TLS, "TLS: the system's certificate store cannot be used: " + newest_openssl_reason() +
                                   "; set csms.tls.ca_cert to a PEM file");
    }
    return;
  }
  check_readable("csms.tls.ca_cert", settings.ca_cert);
  if (SSL_CTX_load_verify_file(context, settings.ca_cert.c_str()) != 1) {
    throw_bad_file("csms.tls.ca_cert", settings.ca_cert, "it must hold certificates in PEM");
  }
}

void load_identity(SSL_CTX* context, const TlsSettings& settings) {
  if (settings.client_cert.empty() && settings.client_key.empty()) return;
  if (settings.client_cert.empty() || settings.client_key.empty()) {
    throw Error(CWIRE_E_TLS, "TLS: csms.tls.client_cert and csms.tls.client_key belong together; set both or none");
  }
  check_readable("csms.tls.client_cert", settings.client_cert);
  check_readable("csms.tls.client_key", settings.client_key);
  // For certificates too: a PEM block of any kind can be encrypted.
  KeyPassword password{settings.client_key_password};
  SSL_CTX_set_default_passwd_cb(context, give_password);
  SSL_CTX_set_default_passwd_cb_userdata(context, &password);
  if (SSL_CTX_use_certificate_chain_file(context, settings.client_cert.c_str()) != 1) {
    throw_bad_file("csms.tls.client_cert", settings.client_cert,
                   "it must hold the station's certificate, then its issuers, in PEM");
  }
  password.asked = false;
  if (SSL_CTX_use_PrivateKey_file(context, settings.client_key.c_str(), SSL_FILETYPE_PEM) != 1) {
    const int reason = ERR_GET_REASON(ERR_peek_last_error());
    if (reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH) {
      throw_bad_file("csms.tls.client_key", settings.client_key, "it is not the key of csms.tls.client_cert");
    }
    if (password.asked && settings.client_key_password.empty()) {
      ERR_clear_error();
      throw Error(CWIRE_E_TLS, "TLS: csms.tls.client_key '" + settings.client_key +
                                   "' is encrypted; set csms.tls.client_key_password");
    }
    throw_bad_file("csms.tls.client_key", settings.client_key,
                   password.asked ? "check csms.tls.client_key_password" : "it must hold a private key in PEM");
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    throw_bad_file("csms.tls.client_key", settings.client_key, "it is not the key of csms.tls.client_cert");
  }
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
}

class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new()) {
    if (context_ == nullptr || EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) != 1) {
      EVP_MD_CTX_free(context_);
      throw std::bad_alloc();
    }
  }
  ~Digest() { EVP_MD_CTX_free(context_); }
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  void add(std::uint64_t number) { EVP_DigestUpdate(context_, &number, sizeof number); }
  // With its size, so that "ab","c" differs from "a","bc".
  void add(std::string_view bytes) {
    add(static_cast<std::uint64_t>(bytes.size()));
    EVP_DigestUpdate(context_, bytes.data(), bytes.size());
  }
  // A file that was replaced is another one: renewed certificates are used from the next connect on.
  void add_file(const std::string& path) {
    add(path);
    struct stat status;
    if (path.empty() || ::stat(path.c_str(), &status) != 0) return;
    add(static_cast<std::uint64_t>(status.st_ino));
    add(static_cast<std::uint64_t>(status.st_size));
    add(static_cast<std::uint64_t>(status.st_mtim.tv_sec));
    add(static_cast<std::uint64_t>(status.st_mtim.tv_nsec));
  }
  std::string finish() {
    unsigned char value[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_, value, &size);
    return std::string(reinterpret_cast<const char*>(value), size);
  }

 private:
  EVP_MD_CTX* context_;
};

// Tells configurations apart without holding the password.
std::string key_of(const TlsSettings& settings) {
  Digest digest;
  digest.add_file(settings.ca_cert);
  digest.add_file(settings.client_cert);
  digest.add_file(settings.client_key);
  digest.add(settings.client_key_password.reveal());
  digest.add(static_cast<std::uint64_t>(settings.version_min));
  digest.add(static_cast<std::uint64_t>(settings.insecure_skip_verify));
  digest.add(static_cast<std::uint64_t>(settings.session_resumption));
  return digest.finish();
}

}  // namespace

TlsContext::TlsContext(const TlsSettings& settings) : verifies_(!settings.insecure_skip_verify) {
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
  if (SSL_CTX_set_cipher_list(raw, kCiphers) != 1) {
    throw Error(CWIRE_E_TLS, "TLS: this OpenSSL lacks the cipher suites of OCPP: " + newest_openssl_reason() +
                                 "; install a complete OpenSSL 3");
  }
  if (verifies_) {
    load_authorities(raw, settings);
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, TlsStream::note_verification);
  } else {
    SSL_CTX_set_verify(raw, SSL_VERIFY_NONE, nullptr);
  }
  load_identity(raw, settings);
  context_ = context.release();
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

std::unique_ptr<Stream> TlsContext::open(int socket, const std::string& server_name, std::uint16_t port) const {
  return std::make_unique<TlsStream>(context_, sessions_, verifies_, socket, server_name, port);
}

std::shared_ptr<const TlsContext> TlsContexts::get(const TlsSettings& settings) {
  const std::string key = key_of(settings);
  // Held while files are read: a thousand stations that begin together make one context, not a thousand.
  const std::lock_guard<std::mutex> lock(mutex_);
  auto known = by_settings_.find(key);
  if (known != by_settings_.end()) {
    if (auto context = known->second.lock()) return context;
  }
  auto context = std::make_shared<const TlsContext>(settings);
  by_settings_[key] = context;
  // Now and then, so that a certificate per station does not make each connect slower than the one before.
  if (by_settings_.size() > 2 * kept_ + 16) {
    for (auto other = by_settings_.begin(); other != by_settings_.end();) {
      other = other->second.expired() ? by_settings_.erase(other) : std::next(other);
    }
    kept_ = by_settings_.size();
  }
  return context;
}

}  // namespace cwire
