#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/failure.h"
#include "metrics/bounds.h"
#include "metrics/counters.h"

namespace cwire {

// What a station's statistics count, and an endpoint's totals add up.
enum class Tally : std::uint8_t {
  messages_sent,
  messages_received,
  payload_bytes_sent,
  payload_bytes_received,
  wire_bytes_sent,
  wire_bytes_received,
  messages_not_sent,
  messages_dropped,
  reading_pauses,
};
constexpr std::size_t kTallies = 9;
using Tallies = std::array<std::uint64_t, kTallies>;
inline std::uint64_t& of(Tallies& tallies, Tally which) { return tallies[static_cast<std::size_t>(which)]; }
inline std::uint64_t of(const Tallies& tallies, Tally which) { return tallies[static_cast<std::size_t>(which)]; }

// The parts of a handshake, in the order in which they come.
enum class HandshakePhase : std::uint8_t { resolve, tcp, proxy, tls, http };
constexpr std::size_t kHandshakePhases = 5;

constexpr std::size_t kBreakerStates = 4;  // CWIRE_BREAKER_*

// What happens at one endpoint, counted where it happens, on whatever I/O thread; all of it once per connection, ping
// or attempt at most. Lives as long as its manager, so that nothing that was counted is forgotten.
class EndpointMetrics {
 public:
  EndpointMetrics(std::string name, std::int64_t created_ns)
      : name(std::move(name)),
        created_ns(created_ns),
        handshake_phase{{Histogram<SharedCell>(bounds::kLatency), Histogram<SharedCell>(bounds::kLatency),
                         Histogram<SharedCell>(bounds::kLatency), Histogram<SharedCell>(bounds::kLatency),
                         Histogram<SharedCell>(bounds::kLatency)}} {}

  static constexpr std::size_t kStatuses = 32;  // room for those that are to come
  static constexpr std::size_t kPhases = 16;
  void attempt_failed(const Failure& failure) {
    failures[index(failure.status)][static_cast<std::size_t>(failure.phase) % kPhases].add(1);
  }
  // An established connection ended; OK: as it was asked to.
  void disconnected(cwire_status status) { disconnects[index(status)].add(1); }

  // The traffic that a station had here, when it has ended or goes elsewhere.
  void settle(const Tallies& tallies) {
    for (std::size_t i = 0; i < kTallies; ++i) settled[i].add(tallies[i]);
  }

  const std::string name;  // "wss://csms.example:443"
  const std::int64_t created_ns;
  SharedCell attempts, connections, reconnections;
  std::array<std::array<SharedCell, kPhases>, kStatuses> failures;
  std::array<SharedCell, kStatuses> disconnects;
  std::array<SharedCell, kBreakerStates> breaker_transitions;  // into each
  std::array<SharedCell, kTallies> settled;
  Histogram<SharedCell> round_trip{bounds::kLatency};
  Histogram<SharedCell> dial_wait{bounds::kWait};
  Histogram<SharedCell> handshake{bounds::kLatency};
  std::array<Histogram<SharedCell>, kHandshakePhases> handshake_phase;

 private:
  static std::size_t index(cwire_status status) { return static_cast<std::size_t>(-status) % kStatuses; }
};

}  // namespace cwire
