#include <chargewire/chargewire.h>

#include <string>

#include "base/ascii.h"
#include "metrics/exposition.h"
#include "metrics/family.h"

namespace cwire {

namespace {

constexpr const char* kBreakerNames[kBreakerStates] = {"closed", "open", "half_open", "isolated"};
constexpr const char* kPriorityLabels[kPriorityNames] = {"high", "normal", "low"};
constexpr const char* kEventNames[] = {"",      "connected", "message", "sent",     "writable", "disconnected", "error",
                                       "state", "closed",    "log",     "shutdown", "paused",   "endpoint"};
constexpr const char* kHandshakePhaseNames[kHandshakePhases] = {"resolve", "tcp", "proxy", "tls", "http"};

// "ping_timeout" of CWIRE_E_PING_TIMEOUT.
std::string status_label(std::size_t index) {
  constexpr std::string_view kPrefix = "CWIRE_E_";
  return lowercase(std::string_view(cwire_status_name(-static_cast<cwire_status>(index))).substr(kPrefix.size()));
}

constexpr std::size_t index_of(cwire_status status) { return static_cast<std::size_t>(-status); }

// ---- how the samples of a family are found ----

// By endpoint: what is as it is now, what was counted, what the stations have counted, and how things are distributed.
template <std::uint64_t EndpointSnapshot::*kMember>
void endpoint_gauge(const Snapshot& snapshot, FamilyWriter& writer) {
  for (const EndpointSnapshot& endpoint : snapshot.endpoints) {
    writer.gauge({{"endpoint", endpoint.counted->name}}, endpoint.*kMember);
  }
}
template <SharedCell EndpointMetrics::*kMember>
void endpoint_counter(const Snapshot& snapshot, FamilyWriter& writer) {
  for (const EndpointSnapshot& endpoint : snapshot.endpoints) {
    const EndpointMetrics& counted = *endpoint.counted;
    writer.counter({{"endpoint", counted.name}}, (counted.*kMember).get(), counted.created_ns);
  }
}
template <Tally kTally>
void endpoint_total(const Snapshot& snapshot, FamilyWriter& writer) {
  for (const EndpointSnapshot& endpoint : snapshot.endpoints) {
    writer.counter({{"endpoint", endpoint.counted->name}}, of(endpoint.totals, kTally), endpoint.counted->created_ns);
  }
}
template <Histogram<SharedCell> EndpointMetrics::*kMember>
void endpoint_histogram(const Snapshot& snapshot, FamilyWriter& writer) {
  for (const EndpointSnapshot& endpoint : snapshot.endpoints) {
    const EndpointMetrics& counted = *endpoint.counted;
    writer.histogram({{"endpoint", counted.name}}, (counted.*kMember).values(), counted.created_ns);
  }
}
template <HistogramValues EndpointSnapshot::*kMember>
void fleet_distribution(const Snapshot& snapshot, FamilyWriter& writer) {
  for (const EndpointSnapshot& endpoint : snapshot.endpoints) {
    writer.gauge_histogram({{"endpoint", endpoint.counted->name}}, endpoint.*kMember);
  }
}
template <std::uint64_t GovernedSnapshot::*kMember>
void governed_gauge(const Snapshot& snapshot, FamilyWriter& writer) {
  for (const EndpointSnapshot& endpoint : snapshot.endpoints) {
    if (endpoint.governed) writer.gauge({{"endpoint", endpoint.counted->name}}, (*endpoint.governed).*kMember);
  }
}

// By station. Since when it counts is not kept.
template <std::uint64_t StationSnapshot::*kMember>
void station_gauge(const Snapshot& snapshot, FamilyWriter& writer) {
  for (const StationSnapshot& station : snapshot.stations) {
    writer.gauge({{"station", station.id}, {"endpoint", station.endpoint->name}}, station.*kMember);
  }
}
template <std::uint64_t StationSnapshot::*kMember>
void station_counter(const Snapshot& snapshot, FamilyWriter& writer) {
  for (const StationSnapshot& station : snapshot.stations) {
    writer.counter({{"station", station.id}, {"endpoint", station.endpoint->name}}, station.*kMember, 0);
  }
}
template <Tally kTally>
void station_total(const Snapshot& snapshot, FamilyWriter& writer) {
  for (const StationSnapshot& station : snapshot.stations) {
    writer.counter({{"station", station.id}, {"endpoint", station.endpoint->name}}, of(station.totals, kTally), 0);
  }
}

// By I/O thread, added up.
template <HistogramValues WorkersSnapshot::*kMember>
void worker_histogram(const Snapshot& snapshot, FamilyWriter& writer) {
  if (snapshot.workers) writer.histogram({}, (*snapshot.workers).*kMember, snapshot.created_ns);
}

void write_build(const Snapshot&, FamilyWriter& writer) {
  writer.info({{"version", cwire_version()}, {"abi", std::to_string(cwire_abi_version())}});
}

void write_stations(const Snapshot& snapshot, FamilyWriter& writer) {
  for (const EndpointSnapshot& endpoint : snapshot.endpoints) {
    for (std::size_t state = 0; state < kStates; ++state) {
      writer.gauge(
          {{"endpoint", endpoint.counted->name}, {"state", cwire_state_name(static_cast<std::int32_t>(state))}},
          endpoint.stations[state]);
    }
  }
}

void write_qualities(const Snapshot& snapshot, FamilyWriter& writer) {
  for (const EndpointSnapshot& endpoint : snapshot.endpoints) {
    for (std::size_t quality = 0; quality < kQualities; ++quality) {
      writer.gauge(
          {{"endpoint", endpoint.counted->name}, {"quality", cwire_quality_name(static_cast<std::int32_t>(quality))}},
          endpoint.qualities[quality]);
    }
  }
}

// Those that each fleet may see are there from the beginning, so that their first increase is seen; the others once
// they have happened.
void write_failures(const Snapshot& snapshot, FamilyWriter& writer) {
  struct Kind {
    cwire_status status;
    std::int32_t phase;
  };
  constexpr Kind kUsual[] = {{CWIRE_E_DIAL, CWIRE_PHASE_RESOLVE}, {CWIRE_E_DIAL, CWIRE_PHASE_TCP},
                             {CWIRE_E_TLS, CWIRE_PHASE_TLS},      {CWIRE_E_HANDSHAKE, CWIRE_PHASE_HTTP},
                             {CWIRE_E_AUTH, CWIRE_PHASE_HTTP},    {CWIRE_E_SUBPROTOCOL, CWIRE_PHASE_SUBPROTOCOL}};
  const auto usual = [&](std::size_t status, std::size_t phase) {
    for (const Kind& kind : kUsual) {
      if (index_of(kind.status) == status && static_cast<std::size_t>(kind.phase) == phase) return true;
    }
    return false;
  };
  for (const EndpointSnapshot& endpoint : snapshot.endpoints) {
    const EndpointMetrics& counted = *endpoint.counted;
    for (std::size_t status = 1; status < counted.failures.size(); ++status) {
      for (std::size_t phase = 0; phase < counted.failures[status].size(); ++phase) {
        const std::uint64_t failures = counted.failures[status][phase].get();
        if (failures == 0 && !usual(status, phase)) continue;
        writer.counter({{"endpoint", counted.name},
                        {"status", status_label(status)},
                        {"phase", cwire_phase_name(static_cast<std::int32_t>(phase))}},
                       failures, counted.created_ns);
      }
    }
  }
}

void write_disconnects(const Snapshot& snapshot, FamilyWriter& writer) {
  const auto usual = [](std::size_t status) {
    for (const cwire_status each :
         {CWIRE_OK, CWIRE_E_CLOSED, CWIRE_E_PING_TIMEOUT, CWIRE_E_READ, CWIRE_E_WRITE, CWIRE_E_PROTOCOL}) {
      if (index_of(each) == status) return true;
    }
    return false;
  };
  for (const EndpointSnapshot& endpoint : snapshot.endpoints) {
    const EndpointMetrics& counted = *endpoint.counted;
    for (std::size_t status = 0; status < counted.disconnects.size(); ++status) {
      const std::uint64_t ended = counted.disconnects[status].get();
      if (ended == 0 && !usual(status)) continue;
      writer.counter({{"endpoint", counted.name}, {"cause", status == 0 ? "requested" : status_label(status)}}, ended,
                     counted.created_ns);
    }
  }
}

void write_handshake_phases(const Snapshot& snapshot, FamilyWriter& writer) {
  for (const EndpointSnapshot& endpoint : snapshot.endpoints) {
    const EndpointMetrics& counted = *endpoint.counted;
    for (std::size_t phase = 0; phase < kHandshakePhases; ++phase) {
      writer.histogram({{"endpoint", counted.name}, {"phase", kHandshakePhaseNames[phase]}},
                       counted.handshake_phase[phase].values(), counted.created_ns);
    }
  }
}

void write_breakers(const Snapshot& snapshot, FamilyWriter& writer) {
  for (const EndpointSnapshot& endpoint : snapshot.endpoints) {
    if (!endpoint.governed) continue;
    for (std::size_t state = 0; state < kBreakerStates; ++state) {
      writer.gauge({{"endpoint", endpoint.counted->name}, {"state", kBreakerNames[state]}},
                   endpoint.governed->breaker == state ? 1 : 0);
    }
  }
}

void write_breaker_transitions(const Snapshot& snapshot, FamilyWriter& writer) {
  for (const EndpointSnapshot& endpoint : snapshot.endpoints) {
    const EndpointMetrics& counted = *endpoint.counted;
    for (std::size_t state = 0; state < kBreakerStates; ++state) {
      writer.counter({{"endpoint", counted.name}, {"state", kBreakerNames[state]}},
                     counted.breaker_transitions[state].get(), counted.created_ns);
    }
  }
}

void write_waiting(const Snapshot& snapshot, FamilyWriter& writer) {
  for (const EndpointSnapshot& endpoint : snapshot.endpoints) {
    if (!endpoint.governed) continue;
    for (std::size_t priority = 0; priority < kPriorityNames; ++priority) {
      writer.gauge({{"endpoint", endpoint.counted->name}, {"priority", kPriorityLabels[priority]}},
                   endpoint.governed->waiting[priority]);
    }
  }
}

void write_events(const Snapshot& snapshot, FamilyWriter& writer) {
  if (!snapshot.workers) return;
  for (std::size_t type = 1; type < snapshot.workers->events.size(); ++type) {
    const bool known = type < std::size(kEventNames);
    if (!known && snapshot.workers->events[type] == 0) continue;
    writer.counter({{"type", known ? kEventNames[type] : "other"}}, snapshot.workers->events[type],
                   snapshot.created_ns);
  }
}

void write_station_connected(const Snapshot& snapshot, FamilyWriter& writer) {
  for (const StationSnapshot& station : snapshot.stations) {
    writer.gauge({{"station", station.id}, {"endpoint", station.endpoint->name}}, station.connected ? 1 : 0);
  }
}

// ---- the table ----

using T = FamilyType;

std::vector<Family> make_table() {
  constexpr Needs kAlways = Needs::nothing;
  constexpr const Bounds* kNone = nullptr;
  return {
      // name, type, unit, labels, needs, buckets, samples, help
      {"chargewire_build", T::info, "", "version, abi", kAlways, kNone, write_build, "The library that is running."},
      {"chargewire_io_threads", T::gauge, "", "", kAlways, kNone,
       [](const Snapshot& s, FamilyWriter& w) { w.gauge({}, s.io_threads); }, "I/O threads of the manager."},
      {"chargewire_io_cpu_seconds", T::counter, "seconds", "", kAlways, kNone,
       [](const Snapshot& s, FamilyWriter& w) { w.counter({}, s.io_cpu_ns, s.created_ns); },
       "CPU time of the I/O threads together, handlers included."},
      {"chargewire_io_turns", T::counter, "", "", Needs::enabled, kNone,
       [](const Snapshot& s, FamilyWriter& w) {
         if (s.workers) w.counter({}, s.workers->turns, s.created_ns);
       },
       "Turns of the I/O threads' loops."},

      {"chargewire_stations", T::gauge, "", "endpoint, state", kAlways, kNone, write_stations,
       "Stations by state; those that gave up are in state error until they are forgotten."},
      {"chargewire_stations_by_quality", T::gauge, "", "endpoint, quality", kAlways, kNone, write_qualities,
       "Stations by the quality of their connection."},
      {"chargewire_stations_compressed", T::gauge, "", "endpoint", kAlways, kNone,
       endpoint_gauge<&EndpointSnapshot::stations_compressed>, "Connected stations that agreed on permessage-deflate."},

      {"chargewire_connection_attempts", T::counter, "", "endpoint", kAlways, kNone,
       endpoint_counter<&EndpointMetrics::attempts>, "Attempts to connect that were begun."},
      {"chargewire_connection_failures", T::counter, "", "endpoint, status, phase", kAlways, kNone, write_failures,
       "Attempts to connect that failed."},
      {"chargewire_connections", T::counter, "", "endpoint", kAlways, kNone,
       endpoint_counter<&EndpointMetrics::connections>, "Connections that were established."},
      {"chargewire_reconnections", T::counter, "", "endpoint", kAlways, kNone,
       endpoint_counter<&EndpointMetrics::reconnections>,
       "Connections that were established, the first of each station left out."},
      {"chargewire_disconnections", T::counter, "", "endpoint, cause", kAlways, kNone, write_disconnects,
       "Established connections that ended."},

      {"chargewire_handshake_seconds", T::histogram, "seconds", "endpoint", kAlways, &bounds::kLatency,
       endpoint_histogram<&EndpointMetrics::handshake>,
       "Time from when a connection was dialled to the accepted upgrade."},
      {"chargewire_handshake_phase_seconds", T::histogram, "seconds", "endpoint, phase", kAlways, &bounds::kLatency,
       write_handshake_phases,
       "Time of each part of a handshake; a part that a connection does not have is not counted."},
      {"chargewire_dial_wait_seconds", T::histogram, "seconds", "endpoint", kAlways, &bounds::kWait,
       endpoint_histogram<&EndpointMetrics::dial_wait>,
       "Time that an attempt waited for its turn after it was due (governor.*)."},
      {"chargewire_round_trip_seconds", T::histogram, "seconds", "endpoint", kAlways, &bounds::kLatency,
       endpoint_histogram<&EndpointMetrics::round_trip>, "Time from a ping to its pong."},

      {"chargewire_fleet_round_trip_seconds", T::gauge_histogram, "seconds", "endpoint", kAlways, &bounds::kLatency,
       fleet_distribution<&EndpointSnapshot::round_trip>,
       "Connected stations by their smoothed round trip (RFC 6298), as it is now."},
      {"chargewire_fleet_jitter_seconds", T::gauge_histogram, "seconds", "endpoint", kAlways, &bounds::kLatency,
       fleet_distribution<&EndpointSnapshot::jitter>, "Connected stations by their jitter (RFC 3550), as it is now."},
      {"chargewire_fleet_silence_seconds", T::gauge_histogram, "seconds", "endpoint", kAlways, &bounds::kWait,
       fleet_distribution<&EndpointSnapshot::silence>,
       "Connected stations by the time since their CSMS last gave a sign of life."},
      {"chargewire_fleet_flaps", T::gauge_histogram, "", "endpoint", kAlways, &bounds::kFlaps,
       fleet_distribution<&EndpointSnapshot::flaps>,
       "Stations by how many of their connections ended without being asked to."},

      {"chargewire_messages_sent", T::counter, "", "endpoint", kAlways, kNone, endpoint_total<Tally::messages_sent>,
       "Messages that the kernel has taken."},
      {"chargewire_messages_received", T::counter, "", "endpoint", kAlways, kNone,
       endpoint_total<Tally::messages_received>, "Whole messages that have come."},
      {"chargewire_payload_sent_bytes", T::counter, "bytes", "endpoint", kAlways, kNone,
       endpoint_total<Tally::payload_bytes_sent>,
       "Bytes of the messages sent, uncompressed and without frame headers."},
      {"chargewire_payload_received_bytes", T::counter, "bytes", "endpoint", kAlways, kNone,
       endpoint_total<Tally::payload_bytes_received>,
       "Bytes of the messages received, uncompressed and without frame headers."},
      {"chargewire_wire_sent_bytes", T::counter, "bytes", "endpoint", kAlways, kNone,
       endpoint_total<Tally::wire_bytes_sent>,
       "Bytes of the messages sent as they stood in frames: fewer where they were compressed."},
      {"chargewire_wire_received_bytes", T::counter, "bytes", "endpoint", kAlways, kNone,
       endpoint_total<Tally::wire_bytes_received>,
       "Bytes of the messages received as they stood in frames: fewer where they were compressed."},
      {"chargewire_messages_not_sent", T::counter, "", "endpoint", kAlways, kNone,
       endpoint_total<Tally::messages_not_sent>, "Messages that were accepted, and reported as not sent."},
      {"chargewire_messages_dropped", T::counter, "", "endpoint", kAlways, kNone,
       endpoint_total<Tally::messages_dropped>, "Messages not sent because a full queue had no room for them."},
      {"chargewire_queued_messages", T::gauge, "", "endpoint", kAlways, kNone,
       endpoint_gauge<&EndpointSnapshot::queued_messages>, "Messages accepted that the kernel has not taken yet."},
      {"chargewire_queued_bytes", T::gauge, "bytes", "endpoint", kAlways, kNone,
       endpoint_gauge<&EndpointSnapshot::queued_bytes>, "Bytes accepted that the kernel has not taken yet."},
      {"chargewire_offline_messages", T::gauge, "", "endpoint", kAlways, kNone,
       endpoint_gauge<&EndpointSnapshot::offline_messages>,
       "Messages that wait in offline queues for a connection; they are among those queued."},
      {"chargewire_offline_bytes", T::gauge, "bytes", "endpoint", kAlways, kNone,
       endpoint_gauge<&EndpointSnapshot::offline_bytes>, "Bytes that wait in offline queues for a connection."},
      {"chargewire_offline_budget_bytes", T::gauge, "bytes", "", kAlways, kNone,
       [](const Snapshot& s, FamilyWriter& w) { w.gauge({}, s.offline_budget_bytes); },
       "Bytes that all offline queues together may hold (offline_budget_bytes)."},
      {"chargewire_message_sent_bytes", T::histogram, "bytes", "", Needs::enabled, &bounds::kMessage,
       worker_histogram<&WorkersSnapshot::message_sent>, "Sizes of the messages sent."},
      {"chargewire_message_received_bytes", T::histogram, "bytes", "", Needs::enabled, &bounds::kMessage,
       worker_histogram<&WorkersSnapshot::message_received>, "Sizes of the messages received."},

      {"chargewire_reading_pauses", T::counter, "", "endpoint", kAlways, kNone, endpoint_total<Tally::reading_pauses>,
       "How often reading from a station paused, because the caller was slow to poll."},
      {"chargewire_event_queue_length", T::gauge, "", "", kAlways, kNone,
       [](const Snapshot& s, FamilyWriter& w) {
         if (s.event_queue) w.gauge({}, s.event_queue->length);
       },
       "Events that wait to be polled. In poll mode."},
      {"chargewire_event_queue_capacity", T::gauge, "", "", kAlways, kNone,
       [](const Snapshot& s, FamilyWriter& w) {
         if (s.event_queue) w.gauge({}, s.event_queue->capacity);
       },
       "How many may wait before reading pauses (event_queue_max). In poll mode."},
      {"chargewire_event_queue_bytes", T::gauge, "bytes", "", kAlways, kNone,
       [](const Snapshot& s, FamilyWriter& w) {
         if (s.event_queue) w.gauge({}, s.event_queue->bytes);
       },
       "Data of the events that wait to be polled. In poll mode."},
      {"chargewire_event_queue_capacity_bytes", T::gauge, "bytes", "", kAlways, kNone,
       [](const Snapshot& s, FamilyWriter& w) {
         if (s.event_queue) w.gauge({}, s.event_queue->capacity_bytes);
       },
       "How much data may wait before reading pauses (event_queue_bytes). In poll mode."},
      {"chargewire_events_delivered", T::counter, "", "type", Needs::enabled, kNone, write_events,
       "Events that were given to the handler, or polled."},
      {"chargewire_event_batch_size", T::histogram, "", "", Needs::enabled, &bounds::kBatch,
       worker_histogram<&WorkersSnapshot::batch_size>, "Events in one call of the handler, or of cwire_manager_poll."},
      {"chargewire_handler_seconds", T::histogram, "seconds", "", Needs::enabled, &bounds::kHandler,
       [](const Snapshot& s, FamilyWriter& w) {
         if (s.workers && s.has_handler) w.histogram({}, s.workers->handler, s.created_ns);
       },
       "Time that the handler took for one batch, while the other stations of its thread waited. In handler mode."},

      {"chargewire_breaker_state", T::gauge, "", "endpoint, state", kAlways, kNone, write_breakers,
       "1 for the state that the endpoint's circuit breaker is in, 0 for the others."},
      {"chargewire_breaker_transitions", T::counter, "", "endpoint, state", kAlways, kNone, write_breaker_transitions,
       "How often the circuit breaker came into that state."},
      {"chargewire_handshakes", T::gauge, "", "endpoint", kAlways, kNone, governed_gauge<&GovernedSnapshot::handshakes>,
       "Attempts to connect that are under way."},
      {"chargewire_handshakes_limit", T::gauge, "", "endpoint", kAlways, kNone,
       governed_gauge<&GovernedSnapshot::handshakes_limit>,
       "How many attempts to connect may be under way at the moment."},
      {"chargewire_stations_waiting", T::gauge, "", "endpoint, priority", kAlways, kNone, write_waiting,
       "Stations that wait for their turn to dial, by csms.priority."},

      {"chargewire_station_connected", T::gauge, "", "station, endpoint", Needs::per_station, kNone,
       write_station_connected, "1 if the station is connected, 0 if not."},
      {"chargewire_station_quality", T::gauge, "", "station, endpoint", Needs::per_station, kNone,
       station_gauge<&StationSnapshot::quality>, "Its grade: 0 none, 1 good, 2 fair, 3 poor, 4 bad."},
      {"chargewire_station_round_trip_seconds", T::gauge, "seconds", "station, endpoint", Needs::per_station, kNone,
       station_gauge<&StationSnapshot::round_trip_ns>, "Its smoothed round trip (RFC 6298); 0 before the first."},
      {"chargewire_station_jitter_seconds", T::gauge, "seconds", "station, endpoint", Needs::per_station, kNone,
       station_gauge<&StationSnapshot::jitter_ns>, "Its jitter (RFC 3550)."},
      {"chargewire_station_last_alive_timestamp_seconds", T::gauge, "seconds", "station, endpoint", Needs::per_station,
       kNone, station_gauge<&StationSnapshot::last_alive_at_ns>,
       "When its CSMS last gave a sign of life, since 1970-01-01 UTC; 0: never."},
      {"chargewire_station_connections", T::counter, "", "station, endpoint", Needs::per_station, kNone,
       station_counter<&StationSnapshot::connections>, "Its connections that were established."},
      {"chargewire_station_reconnect_attempts", T::counter, "", "station, endpoint", Needs::per_station, kNone,
       station_counter<&StationSnapshot::reconnect_attempts>, "All its attempts but the first."},
      {"chargewire_station_flaps", T::counter, "", "station, endpoint", Needs::per_station, kNone,
       station_counter<&StationSnapshot::flaps>, "Its connections that ended without being asked to."},
      {"chargewire_station_messages_sent", T::counter, "", "station, endpoint", Needs::per_station, kNone,
       station_total<Tally::messages_sent>, "Its messages that the kernel has taken."},
      {"chargewire_station_messages_received", T::counter, "", "station, endpoint", Needs::per_station, kNone,
       station_total<Tally::messages_received>, "Whole messages that have come for it."},
      {"chargewire_station_messages_not_sent", T::counter, "", "station, endpoint", Needs::per_station, kNone,
       station_total<Tally::messages_not_sent>, "Its messages that were accepted, and reported as not sent."},
      {"chargewire_station_payload_sent_bytes", T::counter, "bytes", "station, endpoint", Needs::per_station, kNone,
       station_total<Tally::payload_bytes_sent>, "Bytes of its messages sent."},
      {"chargewire_station_payload_received_bytes", T::counter, "bytes", "station, endpoint", Needs::per_station, kNone,
       station_total<Tally::payload_bytes_received>, "Bytes of its messages received."},
      {"chargewire_station_queued_messages", T::gauge, "", "station, endpoint", Needs::per_station, kNone,
       station_gauge<&StationSnapshot::queued_messages>, "Its messages accepted that the kernel has not taken yet."},
  };
}

}  // namespace

const std::vector<Family>& families() {
  static const std::vector<Family> table = make_table();
  return table;
}

}  // namespace cwire
