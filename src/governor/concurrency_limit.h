#pragma once

#include <cstdint>

#include "base/time.h"

namespace cwire {

// How many handshakes may be under way at one endpoint: more while the server keeps pace, fewer as soon as it does not.
//
// It grows by one with each handshake that succeeds until trouble was seen, so that it doubles per round of handshakes,
// and by one per round from then on (as TCP does, RFC 5681 3.1). It grows only while the handshakes take no longer than
// half as much again as the shortest, and only where it is used: nothing is proven by a limit that nobody reaches.
// A timeout, a refusal or a "too much to do" takes three tenths of it away, once per round: what had begun before the
// limit was cut says nothing about the limit as it is now.
class ConcurrencyLimit {
 public:
  struct Settings {
    std::uint32_t start = 0;
    std::uint32_t min = 0;
    std::uint32_t max = 0;
  };

  explicit ConcurrencyLimit(const Settings& settings);

  std::uint32_t limit() const { return static_cast<std::uint32_t>(limit_); }
  // A handshake succeeded in `took`; `under_way` were, itself included.
  void succeeded(Duration took, std::uint32_t under_way);
  // One that began at `began` found the server unable to keep pace.
  void overloaded(TimePoint began, TimePoint now);
  // After a pause: begins with `limit`, and grows back to what was sustained before.
  void restart(std::uint32_t limit);

 private:
  void clamp();

  Settings settings_;
  double limit_;
  double sustained_;     // where doubling ends
  bool proven_ = false;  // a success was seen since the last cut
  TimePoint last_cut_ = TimePoint::min();
  Duration shortest_{};  // of the handshakes, forgotten slowly
  Duration smoothed_{};
};

}  // namespace cwire
