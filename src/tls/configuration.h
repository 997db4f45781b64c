#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/settings.h"

namespace cwire {

// The files that a TLS configuration names, as they were at one moment.
class TlsFiles {
 public:
  explicit TlsFiles(const TlsSettings& settings);

  // Tells apart configurations, and versions of their files, without holding a secret. Settings of a single connection,
  // such as the server's name, do not count.
  std::string fingerprint(const TlsSettings& settings) const;

 private:
  // What a replaced or rewritten file does not have in common with the one before. All 0: there is none.
  struct State {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;
  };
  static State state_of(const std::string& path);

  std::vector<State> states_;
};

}  // namespace cwire
