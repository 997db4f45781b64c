#pragma once

#include <chrono>
#include <cstdint>

namespace cwire {

// All timers run on the monotonic clock. The wall clock is read only to stamp events and statistics.
using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

constexpr TimePoint kNever = TimePoint::max();

// What a clock that stood still from `paused_at` until `now` has to be counted from, if it was counted from `then`.
inline TimePoint without_pause(TimePoint then, TimePoint paused_at, TimePoint now) {
  const TimePoint begin = then < paused_at ? paused_at : then;
  return begin < now ? then + (now - begin) : then;
}

// A length of time in whole nanoseconds; one that is negative by chance is none.
inline std::uint64_t length_ns(Duration duration) {
  const auto count = std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
  return count < 0 ? 0 : static_cast<std::uint64_t>(count);
}

inline std::int64_t wall_clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace cwire
