#include "base/secret.h"

#include <openssl/crypto.h>

#include <utility>

namespace cwire {

// Moving a long string takes its buffer, and moving a short one copies it and leaves the bytes where they were.
Secret::Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { other.cleanse(); }

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
    bytes_ = std::move(other.bytes_);
    other.cleanse();
  }
  return *this;
}

Secret::~Secret() { cleanse(); }

void Secret::cleanse() noexcept {
  bytes_.resize(bytes_.capacity());  // a string that was moved from is empty, its bytes need not be
  OPENSSL_cleanse(bytes_.data(), bytes_.size());
  bytes_.clear();
}

}  // namespace cwire
