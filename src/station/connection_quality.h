#pragma once

#include <chargewire/chargewire.h>

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "station/handshake_times.h"
#include "station/round_trip.h"
#include "station/time_slots.h"

namespace cwire {

// What is known of how good a station's connection is, in a few numbers per station. Inputs carry the time; nothing
// here reads a clock.
class ConnectionQuality {
 public:
  void established(const HandshakeTimes& handshake);
  // The kernel has the ping.
  void ping_left(TimePoint now) { awaited_since_ = now; }
  // We stopped reading, or read again. For a pong that lies in the kernel meanwhile nobody waits.
  void reading_paused(TimePoint now, bool paused);
  // Its pong has come. Without a round trip: what took its time was not only the line and the peer.
  void pong(TimePoint now, std::optional<Duration> round_trip);
  // The connection is over, by a flap if nobody had asked for its end.
  void ended(TimePoint now, bool is_flap);

  const RoundTrip& round_trip() const { return round_trip_; }
  const HandshakeTimes& handshake() const { return handshake_; }  // of the last that led to a connection
  Duration pong_awaited(TimePoint now) const;                     // while we read. Zero: no ping is out
  std::uint32_t flaps() const { return flaps_; }
  // Those of the last hour: none is forgotten before it is an hour old, and each when it is five minutes older.
  std::uint32_t flaps_last_hour(TimePoint now) const;

 private:
  RoundTrip round_trip_;
  TimePoint awaited_since_ = kNever;
  TimePoint paused_at_ = kNever;  // reading; kNever: not paused. Each connection begins so
  HandshakeTimes handshake_;
  std::uint32_t flaps_ = 0;
  TimeSlots<std::uint8_t, 12, 300> flaps_lately_;  // in a slot 255 at most
};

// CWIRE_QUALITY_*, by the rule that chargewire.h has there, from nothing but the numbers that everybody can read.
std::int32_t quality_of(const cwire_stats& stats);

}  // namespace cwire
