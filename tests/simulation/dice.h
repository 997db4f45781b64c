#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace simulation {

// All the chance there is in a run, from its seed (splitmix64). No distribution of the standard library: what a seed
// means must not depend on whose library it is.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  // Evenly in 0 .. n - 1, as far as anybody here could tell.
  std::uint64_t below(std::uint64_t n) { return n == 0 ? 0 : bits() % n; }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }
  cwire::Duration between(cwire::Duration low, cwire::Duration high) {
    return cwire::Duration(static_cast<cwire::Duration::rep>(
        between(static_cast<std::uint64_t>(low.count()), static_cast<std::uint64_t>(high.count()))));
  }
  bool chance(std::uint64_t percent) { return below(100) < percent; }
  template <class T, std::size_t N>
  T one_of(const T (&choices)[N]) {
    return choices[below(N)];
  }
  // Dice of its own for one part of a run, so that another draw in one does not change all the others.
  Dice split() { return Dice(bits()); }

 private:
  std::uint64_t state_;
};

}  // namespace simulation
