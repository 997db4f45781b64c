#include "station/round_trip.h"

#include <algorithm>

namespace cwire {

void RoundTrip::add(TimePoint now, Duration sample) {
  const auto distance = [](Duration a, Duration b) { return a < b ? b - a : a - b; };
  if (first_) {
    first_ = false;
    smoothed_ = sample;  // RFC 6298 (2.2)
    variation_ = sample / 2;
    jitter_ = Duration::zero();
  } else {
    variation_ += (distance(smoothed_, sample) - variation_) / 4;  // RFC 6298 (2.3), in this order
    smoothed_ += (sample - smoothed_) / 8;
    jitter_ += (distance(sample, last_) - jitter_) / 16;
  }
  last_ = sample;
  const std::int64_t whole = std::chrono::duration_cast<std::chrono::microseconds>(sample).count();
  std::uint32_t& least = least_.at(now).microseconds;
  least = std::min(least, static_cast<std::uint32_t>(std::clamp<std::int64_t>(whole, 1, kNone - 1)));
}

Duration RoundTrip::minimum(TimePoint now) const {
  std::uint32_t least = kNone;
  least_.each(now, [&](const Least& slot) { least = std::min(least, slot.microseconds); });
  return least == kNone ? Duration::zero() : std::chrono::microseconds(least);
}

}  // namespace cwire
