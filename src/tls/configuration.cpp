#include "tls/configuration.h"

#include <openssl/evp.h>

#include <new>
#include <string_view>
#include <utility>

#include "base/failure.h"
#include "tls/context.h"

namespace cwire {

namespace {

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

  void add(std::uint64_t number) { update(&number, sizeof number); }
  // With its size, so that "ab","c" differs from "a","bc".
  void add(std::string_view bytes) {
    add(static_cast<std::uint64_t>(bytes.size()));
    update(bytes.data(), bytes.size());
  }
  std::string finish() {
    unsigned char value[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    // Half a digest would be that of another configuration.
    if (EVP_DigestFinal_ex(context_, value, &size) != 1) throw std::bad_alloc();
    return std::string(reinterpret_cast<const char*>(value), size);
  }

 private:
  void update(const void* bytes, std::size_t size) {
    if (EVP_DigestUpdate(context_, bytes, size) != 1) throw std::bad_alloc();
  }

  EVP_MD_CTX* context_;
};

}  // namespace

std::string fingerprint_of(const TlsSettings& settings) {
  Digest digest;
  for (const std::string* text :
       {&settings.ca_cert, &settings.ca_cert_pem, &settings.crl_file, &settings.client_cert, &settings.client_cert_pem,
        &settings.client_key, &settings.ciphers, &settings.ciphersuites, &settings.key_log_file}) {
    digest.add(*text);
  }
  for (const Secret* secret : {&settings.client_key_pem, &settings.client_key_uri, &settings.client_key_password}) {
    digest.add(secret->reveal());
  }
  digest.add(static_cast<std::uint64_t>(settings.version_min));
  digest.add(static_cast<std::uint64_t>(settings.ocpp_rules));
  digest.add(static_cast<std::uint64_t>(settings.allow_wildcards));
  digest.add(static_cast<std::uint64_t>(settings.insecure_skip_verify));
  digest.add(static_cast<std::uint64_t>(settings.session_resumption));
  return digest.finish();
}

TlsConfiguration::TlsConfiguration(const TlsSettings& settings) : settings_(settings) { context(); }

// `files` were looked at before they are read: what changes meanwhile is read again.
std::shared_ptr<const TlsContext> TlsConfiguration::renewed(TlsFiles files) {
  if (context_ == nullptr || !(files == files_)) {
    context_ = std::make_shared<const TlsContext>(settings_);
    files_ = std::move(files);
    ++version_;
  }
  problem_.clear();
  return context_;
}

std::uint64_t TlsConfiguration::version() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return version_;
}

std::shared_ptr<const TlsContext> TlsConfiguration::context() {
  TlsFiles files(settings_);
  const std::lock_guard<std::mutex> lock(mutex_);
  return renewed(std::move(files));
}

std::shared_ptr<const TlsContext> TlsConfiguration::context_or_last(std::string& problem) {
  TlsFiles files(settings_);
  const std::lock_guard<std::mutex> lock(mutex_);
  const TimePoint now = Clock::now();
  if (problem_.empty() || now - failed_at_ >= kBetweenFailures) {
    try {
      return renewed(std::move(files));
    } catch (const Error& error) {
      problem_ = error.failure.message;
      failed_at_ = now;
    }
  }
  problem = problem_;
  return context_;
}

}  // namespace cwire
