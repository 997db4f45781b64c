#pragma once

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "base/time.h"

namespace simulation {

constexpr std::uint32_t kNoStation = UINT32_MAX;

// An invariant does not hold.
class Broken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Everything that happens in a run, as one number, and in words where asked for. Two runs of a seed are the same if
// their numbers are.
class Trace {
 public:
  Trace(std::uint64_t seed, bool printed) : seed_(seed), printed_(printed) {}

  void at(cwire::TimePoint now) { now_ = now; }
  cwire::TimePoint now() const { return now_; }

  void note(std::uint32_t station, const char* what, std::uint64_t a = 0, std::uint64_t b = 0) {
    ++steps_;
    mix(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
    std::uint64_t word = station;
    for (const char* letter = what; *letter != '\0'; ++letter) word = word * 31 + static_cast<unsigned char>(*letter);
    mix(word);
    mix(a * 3 + b);
    if (printed_) print(station, what, a, b);
  }

  std::uint64_t hash() const { return hash_; }
  std::uint64_t steps() const { return steps_; }

  [[noreturn]] void broken(std::uint32_t station, const std::string& what) const {
    std::string words = "seed " + std::to_string(seed_) + ", step " + std::to_string(steps_) + ", " + text(now_);
    if (station != kNoStation) words += ", station " + std::to_string(station);
    throw Broken(words + ": " + what);
  }

  static std::string text(cwire::TimePoint at) { return text(at.time_since_epoch()); }
  static std::string text(cwire::Duration duration) {
    char words[32];
    std::snprintf(words, sizeof words, "%.6f s", std::chrono::duration<double>(duration).count());
    return words;
  }

 private:
  void mix(std::uint64_t value) {
    hash_ = (hash_ ^ value) * 0x9E3779B97F4A7C15;
    hash_ ^= hash_ >> 32;
  }
  void print(std::uint32_t station, const char* what, std::uint64_t a, std::uint64_t b) const {
    std::printf("%8" PRIu64 " %17s ", steps_, text(now_).c_str());
    if (station != kNoStation) std::printf("station %" PRIu32 ": ", station);
    std::printf("%s %" PRIu64 " %" PRIu64 "\n", what, a, b);
  }

  const std::uint64_t seed_;
  const bool printed_;
  cwire::TimePoint now_{};
  std::uint64_t hash_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace simulation
