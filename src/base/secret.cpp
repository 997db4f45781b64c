#include "base/secret.h"

#include <openssl/crypto.h>

namespace cwire {

Secret::Secret(Secret&& other) noexcept { bytes_.swap(other.bytes_); }

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    cleanse();
    bytes_ = other.bytes_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    cleanse();
    bytes_.swap(other.bytes_);
    other.cleanse();
  }
  return *this;
}

Secret::~Secret() { cleanse(); }

void Secret::cleanse() {
  if (!bytes_.empty()) OPENSSL_cleanse(&bytes_[0], bytes_.size());
  bytes_.clear();
}

}  // namespace cwire
