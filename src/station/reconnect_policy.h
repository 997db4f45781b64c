#pragma once

#include <cstdint>
#include <random>

#include "base/time.h"
#include "config/settings.h"

namespace cwire {

// How long to wait before the next attempt. A tiny pure object: time and randomness come in.
//
//   exponential   w = min(cap, base * 2^n), then uniform in w +- jitter. The jitter comes after the cap, or a fleet
//                 that has reached the cap would come back all at once
//   ocpp          T1 = minimum + rand(0..range); Tk = 2 * Tk-1 + rand(0..range), doubled repeat_times times, then kept
//   full          uniform in 0 .. min(cap, base * 2^n), but not below minimum()
//   decorrelated  uniform in base .. min(cap, 3 * the wait before)
//
// No policy ever waits less than 1 ms, whatever the settings, so that no mistake in them makes a station spin.
class ReconnectPolicy {
 public:
  explicit ReconnectPolicy(const ReconnectSettings& settings) : settings_(&settings) {}
  // From here on. Another kind of policy starts over.
  void use(const ReconnectSettings& settings);

  // The wait before the next attempt, from the moment the last attempt or connection was seen to end; each call is one
  // failed attempt or lost connection.
  Duration next(std::minstd_rand& random);
  // The wait lasted longer than drawn: a timer fired late, or the CSMS took this long to get and refuse the attempt.
  // The ocpp policy doubles the wait as it was and not as it was drawn, because that is what a CSMS measures (TC_B_57:
  // at least twice the wait before). At most 5 s count at a time, lest one stall of the machine doubles on and on.
  void waited_longer(Duration by);
  // A connection was established, and one ended after having lasted `lasted`. The ocpp policy starts over at once when
  // established, the others only when it had been stable.
  void established();
  void ended(Duration lasted);
  // Forgets the attempts before.
  void start_over();
  // Never shorter than this, whatever hints come (OCPP: WaitMinimum).
  Duration minimum() const;

 private:
  const ReconnectSettings* settings_;
  Duration previous_{};         // the last wait; ocpp and decorrelated build on it
  std::uint32_t failures_ = 0;  // calls of next() since it started over
};

}  // namespace cwire
