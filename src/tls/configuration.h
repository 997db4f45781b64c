#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/time.h"
#include "config/settings.h"
#include "tls/files.h"

namespace cwire {

class TlsContext;

// Tells configurations apart without holding a secret. What only a single connection makes use of, such as the server's
// name, does not count.
std::string fingerprint_of(const TlsSettings& settings);

// A TLS configuration, and the context that its files make: another one when a file was replaced, while the connections
// that live keep theirs. From any thread.
class TlsConfiguration {
 public:
  // Reads the files. Throws Error(TLS, CONFIG): what cannot be read or used.
  explicit TlsConfiguration(const TlsSettings& settings);

  // From the files as they are now. Throws as the constructor does.
  std::shared_ptr<const TlsContext> context();
  // The same for an attempt that nobody waits for. If the files cannot be used now, because half of them are written
  // perhaps, what they made before, and `problem` says why.
  std::shared_ptr<const TlsContext> context_or_last(std::string& problem);
  // How often the files have made another context.
  std::uint64_t version();

 private:
  // Files that could not be used are not read at each attempt of a fleet.
  static constexpr Duration kBetweenFailures = std::chrono::seconds(1);

  std::shared_ptr<const TlsContext> renewed(TlsFiles files);

  const TlsSettings settings_;
  // Held while files are read: a thousand stations make one context, not a thousand. Not while they are looked at,
  // which is what every attempt does.
  std::mutex mutex_;
  TlsFiles files_;  // that context_ is made of
  std::shared_ptr<const TlsContext> context_;
  std::uint64_t version_ = 0;
  TimePoint failed_at_{};
  std::string problem_;  // of the last time; empty: there was none
};

}  // namespace cwire
