#pragma once

#include <chargewire/chargewire.h>

#include <array>
#include <cstdint>
#include <random>

#include "base/time.h"

namespace cwire {

// Whether an endpoint is worth trying at all.
//
//   closed     attempts pass and are counted; when at least `failed_share` of at least `attempts_min` failed within
//              `window`, it opens
//   open       nothing passes for `open_for` times the number of openings in a row, at most `open_max`, and up to a
//              quarter more
//   half_open  `probes` attempts pass; when all have found the endpoint well it closes, when one has not it opens again
//   isolated   by hand: nothing passes until reset()
//
// Openings are in a row unless it stayed closed for `open_max` between them.
class CircuitBreaker {
 public:
  enum class State : std::uint8_t {
    closed = CWIRE_BREAKER_CLOSED,
    open = CWIRE_BREAKER_OPEN,
    half_open = CWIRE_BREAKER_HALF_OPEN,
    isolated = CWIRE_BREAKER_ISOLATED
  };

  struct Settings {
    bool enabled = true;  // false: it opens by hand only
    double failed_share = 0;
    std::uint32_t attempts_min = 0;
    Duration window{};
    Duration open_for{};
    Duration open_max{};
    std::uint32_t probes = 0;
  };

  explicit CircuitBreaker(const Settings& settings) : settings_(settings) {}

  State state() const { return state_; }
  // Open becomes half open when its time has come; true then.
  bool advance(TimePoint now);
  bool may_pass() const;
  // Of what passed, in whatever state it did: each one that has passed ends in one of these. `failed`: the endpoint did
  // badly.
  void passed();
  void ended(bool failed, bool was_probe, TimePoint now, std::minstd_rand& random);
  void gave_up(bool was_probe);  // it ended without showing anything
  // An attempt that had ended well was none after all: its connection was lost as soon as it stood.
  void failed_after_all(TimePoint now, std::minstd_rand& random);

  void isolate();
  void reset();

  TimePoint opens_until() const { return state_ == State::open ? until_ : kNever; }
  // Which half-open time this is: a station is a probe once in each.
  std::uint32_t episode() const { return episode_; }
  std::uint32_t attempts(TimePoint now);
  std::uint32_t failures(TimePoint now);

 private:
  struct Bucket {
    std::uint32_t attempts = 0;
    std::uint32_t failures = 0;
  };
  static constexpr std::size_t kBuckets = 10;

  void roll(TimePoint now);
  Bucket& bucket(TimePoint now);
  void count_failure(Bucket& bucket, TimePoint now, std::minstd_rand& random);
  void open(TimePoint now, std::minstd_rand& random);
  void close(TimePoint now);
  void forget();

  const Settings settings_;
  State state_ = State::closed;
  std::array<Bucket, kBuckets> buckets_{};
  Bucket total_{};
  std::int64_t slot_ = 0;  // of the newest bucket, counted from the clock's epoch
  std::uint32_t openings_ = 0;
  std::uint32_t episode_ = 0;
  std::uint32_t probes_out_ = 0;
  std::uint32_t probes_well_ = 0;
  TimePoint until_ = kNever;
  TimePoint closed_at_ = TimePoint::min();
};

}  // namespace cwire
