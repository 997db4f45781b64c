#include "station/connection_quality.h"

#include <algorithm>

namespace cwire {

void ConnectionQuality::established(const HandshakeTimes& handshake) {
  handshake_ = handshake;
  round_trip_.begin_connection();
}

void ConnectionQuality::reading_paused(TimePoint now, bool paused) {
  if (!paused) awaited_since_ = without_pause(awaited_since_, paused_at_, now);
  paused_at_ = paused ? now : kNever;
}

void ConnectionQuality::pong(TimePoint now, std::optional<Duration> round_trip) {
  awaited_since_ = kNever;
  if (round_trip) round_trip_.add(now, *round_trip);
}

void ConnectionQuality::ended(TimePoint now, bool is_flap) {
  awaited_since_ = paused_at_ = kNever;
  if (!is_flap) return;
  ++flaps_;
  std::uint8_t& count = flaps_lately_.at(now);
  if (count < UINT8_MAX) ++count;
}

Duration ConnectionQuality::pong_awaited(TimePoint now) const {
  const TimePoint until = std::min(now, paused_at_);
  return until > awaited_since_ ? until - awaited_since_ : Duration::zero();
}

std::uint32_t ConnectionQuality::flaps_last_hour(TimePoint now) const {
  std::uint32_t sum = 0;
  flaps_lately_.each(now, [&](std::uint8_t count) { sum += count; });
  return sum;
}

namespace {

// `value` is graded by the first limit that it does not exceed.
template <typename Number>
std::int32_t grade(Number value, Number good, Number fair, Number poor) {
  if (value <= good) return CWIRE_QUALITY_GOOD;
  if (value <= fair) return CWIRE_QUALITY_FAIR;
  return value <= poor ? CWIRE_QUALITY_POOR : CWIRE_QUALITY_BAD;
}

}  // namespace

std::int32_t quality_of(const cwire_stats& stats) {
  constexpr std::int64_t kMillisecond_ns = 1'000'000;
  if (stats.state == CWIRE_STATE_RECONNECTING || stats.state == CWIRE_STATE_ERROR) return CWIRE_QUALITY_BAD;
  if (stats.state != CWIRE_STATE_CONNECTED) return CWIRE_QUALITY_NONE;
  // The time after which TCP would take an answer for lost (RTO of RFC 6298 2), or for how long one is missing already.
  const std::int64_t answer =
      std::max(stats.round_trip_smoothed_ns + 4 * stats.round_trip_variation_ns, stats.pong_awaited_ns);
  const std::int32_t worse =
      std::max(grade(answer, 500 * kMillisecond_ns, 2000 * kMillisecond_ns, 5000 * kMillisecond_ns),
               grade<std::uint64_t>(stats.flaps_last_hour, 1, 3, 7));
  const bool is_measured = stats.round_trip_smoothed_ns != 0;
  return worse == CWIRE_QUALITY_GOOD && !is_measured ? CWIRE_QUALITY_NONE : worse;
}

}  // namespace cwire
