#include "tls/contexts.h"

#include <iterator>

#include "tls/configuration.h"

namespace cwire {

std::shared_ptr<TlsConfiguration> TlsContexts::get(const TlsSettings& settings) {
  const std::string fingerprint = fingerprint_of(settings);
  // Held while files are read: a thousand stations that begin together make one context, not a thousand.
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto known = by_fingerprint_.find(fingerprint);
  if (known != by_fingerprint_.end()) {
    if (auto configuration = known->second.lock()) {
      configuration->context();
      return configuration;
    }
  }
  auto configuration = std::make_shared<TlsConfiguration>(settings);
  by_fingerprint_[fingerprint] = configuration;
  // Now and then, so that a certificate per station does not make each connect slower than the one before.
  if (by_fingerprint_.size() > 2 * kept_ + 16) {
    for (auto other = by_fingerprint_.begin(); other != by_fingerprint_.end();) {
      other = other->second.expired() ? by_fingerprint_.erase(other) : std::next(other);
    }
    kept_ = by_fingerprint_.size();
  }
  return configuration;
}

}  // namespace cwire
