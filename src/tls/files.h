#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/settings.h"

namespace cwire {

// The files that a TLS configuration names, as they are at one moment. Equal: nobody has replaced or written one
// meanwhile.
class TlsFiles {
 public:
  TlsFiles() = default;
  explicit TlsFiles(const TlsSettings& settings);
  bool operator==(const TlsFiles& other) const { return states_ == other.states_; }

 private:
  // What a replaced or rewritten file does not have in common with the one before. All 0: there is none.
  struct State {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;
    bool operator==(const State& other) const;
  };
  static State state_of(const std::string& path);

  std::vector<State> states_;
};

}  // namespace cwire
