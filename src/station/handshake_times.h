#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/failure.h"
#include "base/time.h"

namespace cwire {

// How long the parts of an attempt took, of all places that it was sent to together. Each station keeps those of its
// last connection: so in whole microseconds, up to an hour.
struct HandshakeTimes {
  using Part = std::chrono::duration<std::uint32_t, std::micro>;
  Part resolve{}, tcp{}, proxy{}, tls{}, http{};
  Duration whole() const { return Duration(resolve) + tcp + proxy + tls + http; }
};

// Measures them: what has passed since the last lap, or since it was dialled, is given to the phase that is over. So
// the parts are the whole, with nothing in between.
class HandshakeStopwatch {
 public:
  explicit HandshakeStopwatch(TimePoint dialled) : lap_(dialled) {}

  void lap(FailurePhase over, TimePoint now) {
    HandshakeTimes::Part& part = part_of(over);
    const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(now - lap_);
    part =
        HandshakeTimes::Part(static_cast<std::uint32_t>(std::min<std::int64_t>(kMost, part.count() + passed.count())));
    lap_ += passed;
  }
  const HandshakeTimes& times() const { return times_; }

 private:
  static constexpr std::int64_t kMost = std::chrono::microseconds(std::chrono::hours(1)).count();

  HandshakeTimes::Part& part_of(FailurePhase phase) {
    switch (phase) {
      case FailurePhase::resolve:
        return times_.resolve;
      case FailurePhase::proxy:
        return times_.proxy;
      case FailurePhase::tls:
        return times_.tls;
      case FailurePhase::http:
        return times_.http;
      default:
        return times_.tcp;
    }
  }

  TimePoint lap_;
  HandshakeTimes times_;
};

}  // namespace cwire
