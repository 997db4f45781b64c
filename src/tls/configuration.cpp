#include "tls/configuration.h"

#include <openssl/evp.h>
#include <sys/stat.h>

#include <new>
#include <string_view>

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

  void add(std::uint64_t number) { EVP_DigestUpdate(context_, &number, sizeof number); }
  // With its size, so that "ab","c" differs from "a","bc".
  void add(std::string_view bytes) {
    add(static_cast<std::uint64_t>(bytes.size()));
    EVP_DigestUpdate(context_, bytes.data(), bytes.size());
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

std::int64_t ns_of(const timespec& time) { return std::int64_t{time.tv_sec} * 1000000000 + time.tv_nsec; }

}  // namespace

TlsFiles::TlsFiles(const TlsSettings& settings) {
  for (const std::string* path : {&settings.ca_cert, &settings.client_cert, &settings.client_key}) {
    if (!path->empty()) states_.push_back(state_of(*path));
  }
}

TlsFiles::State TlsFiles::state_of(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return {};
  return {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino),
          static_cast<std::uint64_t>(status.st_size), ns_of(status.st_mtim), ns_of(status.st_ctim)};
}

std::string TlsFiles::fingerprint(const TlsSettings& settings) const {
  Digest digest;
  for (const State& state : states_) {
    digest.add(state.device);
    digest.add(state.inode);
    digest.add(state.size);
    digest.add(static_cast<std::uint64_t>(state.modified_ns));
    digest.add(static_cast<std::uint64_t>(state.changed_ns));
  }
  for (const std::string* text : {&settings.ca_cert, &settings.ca_cert_pem, &settings.client_cert,
                                  &settings.client_cert_pem, &settings.client_key}) {
    digest.add(*text);
  }
  for (const Secret* secret : {&settings.client_key_pem, &settings.client_key_uri, &settings.client_key_password}) {
    digest.add(secret->reveal());
  }
  digest.add(static_cast<std::uint64_t>(settings.version_min));
  digest.add(static_cast<std::uint64_t>(settings.insecure_skip_verify));
  digest.add(static_cast<std::uint64_t>(settings.session_resumption));
  return digest.finish();
}

}  // namespace cwire
