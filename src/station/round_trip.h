#pragma once

#include <cstdint>

#include "base/time.h"
#include "station/time_slots.h"

namespace cwire {

// What the round trips of a station's pings come to. One is known per matched pong; the numbers are those of the
// standards, without the rounding that TCP gives them.
class RoundTrip {
 public:
  // A new connection may take another way: the next sample is a first one again. Until it comes the old numbers stay.
  void begin_connection() { first_ = true; }
  void add(TimePoint now, Duration sample);

  Duration last() const { return last_; }            // zero: there was none
  Duration smoothed() const { return smoothed_; }    // SRTT of RFC 6298 2
  Duration variation() const { return variation_; }  // RTTVAR of RFC 6298 2
  // J of RFC 3550 6.4.1. Its D, by how much the transit times of two packets differ, is the difference of two round
  // trips: who sends is who receives.
  Duration jitter() const { return jitter_; }
  // The smallest of the last five to six minutes: none is forgotten before it is five minutes old. In whole
  // microseconds. Zero: there was none.
  Duration minimum(TimePoint now) const;

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Least {
    std::uint32_t microseconds = kNone;
  };
  Duration last_{};
  Duration smoothed_{};
  Duration variation_{};
  Duration jitter_{};
  TimeSlots<Least, 5, 60> least_;
  bool first_ = true;
};

}  // namespace cwire
