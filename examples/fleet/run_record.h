#pragma once

#include <array>
#include <chargewire/chargewire.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// What a fleet was to do, what it did, and what came of it: plain data, from which the HTML page and the JSON are made.
// The recorder fills it. It is of bounded size however long the run was and however many stations it had, and holds no
// secret: neither passwords nor tokens nor the URL's user part.
//
// Times without a date are seconds since the start of the run, durations are seconds, sizes are bytes, shares are from
// 0 to 1.
namespace fleet {

using WallTime = std::chrono::system_clock::time_point;

// Of `count` measurements; all 0 if there are none.
struct Percentiles {
  std::uint64_t count = 0;
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  double max = 0;
};

// ---- What was run

struct ProtocolCount {
  std::string offered;  // "1.6"; "2.1, 2.0.1" where stations offer several, in order of preference
  std::uint64_t stations = 0;
};

struct Setup {
  std::string file;                   // that was run, "ten_thousand.yaml"
  std::string url;                    // as the template says it: "wss://csms.example/ocpp"
  std::string first_id;               // "CP00001"
  std::string last_id;                // of this shard, as the one before
  std::uint64_t stations = 0;         // of this shard
  std::uint64_t stations_of_all = 0;  // of all shards together
  std::uint64_t shard_index = 0;      // from 0
  std::uint64_t shards = 1;
  double ramp = 0;      // stations per second of all shards together; 0: all at once
  double duration = 0;  // asked for; 0: until it is ended
  std::uint64_t seed = 0;
  std::vector<ProtocolCount> protocols;
  std::vector<std::pair<std::string, std::string>> scenario;  // for people: {"heartbeat", "every 30 s"}
  std::string breaker;                                        // for people: "off", or when it opens
  std::vector<std::pair<std::string, std::string>> library;   // its options that the file sets, secrets as "***"
  std::string metrics_url;                                    // empty: metrics are not served
  std::string library_version;                                // "0.1.0"
  std::string host;                                           // its name
  unsigned host_cores = 0;
};

// ---- How it went, over time

// The states of CWIRE_STATE_*, by which the array is indexed.
constexpr std::size_t states = 6;

// What happened within `span` seconds, up to the time `at`. When there are too many, two become one that spans both:
// rates are then averages, gauges those of the second, and percentiles the larger of the two.
struct Sample {
  double at = 0;
  double span = 0;

  // How many are in each state at `at`; those that are held back are in none.
  std::array<std::uint64_t, states> stations{};
  // Would connect, or connect again, but the library has nobody dial at the moment, or not so many: an open breaker,
  // the limits of governor.*.
  std::uint64_t held_back = 0;
  std::uint64_t not_started = 0;  // those whose turn in the ramp has not come

  // Per second.
  double messages_sent = 0;  // taken by the kernel
  double messages_received = 0;
  double bytes_sent = 0;  // payload
  double bytes_received = 0;
  double calls_sent = 0;      // calls of the stations
  double calls_answered = 0;  // by a CALLRESULT
  double calls_failed = 0;    // by a CALLERROR, a timeout, or the end of the connection
  double connects = 0;        // connections established, first ones and others
  double disconnects = 0;     // established connections that ended without being asked to
  double attempts_failed = 0;

  Percentiles round_trip;    // WebSocket ping to pong: the last of each connected station, at `at`
  Percentiles call_latency;  // from a CALL to its answer, of those that were answered within the span

  double cpu = 0;  // of this process, in cores: 1 is one core kept busy
  std::uint64_t resident_bytes = 0;
};

// ---- What came of it

// Whether a promise of the run was kept; the command's exit code is 0 only if all were. Reports show these first.
struct Promise {
  std::string text;  // "Every station was connected at least once"
  bool kept = false;
  std::string
      detail;  // in numbers, and by example where it was not kept: "9,998 of 10,000; not CP00042 (...), CP00777 (...)"
};

// Attempts that failed and connections that were lost, by what, where and the number that says why: errno, HTTP status,
// close code.
struct FailureKind {
  bool lost = false;  // connections that stood; else attempts
  chargewire::Status status{};
  chargewire::Phase phase{};
  std::uint64_t count = 0;
  std::uint64_t stations = 0;  // how many different ones met it
  std::string cause;           // one sentence of all of them
  std::string example;         // the first such message; it names its station
};

// Calls of the stations that were not answered by a CALLRESULT.
struct CallFailureKind {
  std::string action;  // "MeterValues"
  std::string reason;  // the code of a CALLERROR ("NotImplemented"), "timeout", "connection lost", "not sent", "bad
                       // answer", or "no answer before the end"
  std::uint64_t count = 0;
  std::uint64_t stations = 0;
  std::string cause;    // one sentence of all of them
  std::string example;  // one line; names its station
};

// One action, sent by the stations or by the CSMS.
struct ActionCount {
  std::string action;
  std::uint64_t sent = 0;      // of the CSMS: received
  std::uint64_t answered = 0;  // by a CALLRESULT
  std::uint64_t failed = 0;
  Percentiles latency;  // of the stations' calls
};

struct WorstStation {
  std::string id;
  chargewire::State state{};
  std::int32_t quality = 0;  // CWIRE_QUALITY_*
  std::uint64_t connections = 0;
  std::uint64_t connections_lost = 0;
  std::uint64_t attempts_failed = 0;
  std::uint64_t calls_failed = 0;
  double round_trip = 0;   // smoothed; 0: not known
  std::string last_error;  // one line, without the station's id; empty: none
};

// Something that concerns more than one station, or the run itself: "all stations are connected", "ws://...: the
// circuit breaker opened ...".
struct Incident {
  double at = 0;
  std::string text;
};

// From when many stations lost their connection within a second until few of them are left.
struct Outage {
  double from = 0;
  double to = 0;  // 0: it was not over when the end began
};

struct Totals {
  std::uint64_t stations_connected_once = 0;  // were connected at least once
  std::uint64_t stations_booted = 0;          // had their BootNotification accepted, where the scenario has one
  std::uint64_t stations_gave_up = 0;

  std::uint64_t connects = 0;     // established, first ones and others
  std::uint64_t reconnects = 0;   // of these: others than first ones
  std::uint64_t disconnects = 0;  // that ended without being asked to
  std::uint64_t attempts_failed = 0;

  std::uint64_t messages_accepted = 0;   // by the library, for sending
  std::uint64_t messages_sent = 0;       // taken by the kernel
  std::uint64_t messages_not_sent = 0;   // reported as not sent
  std::int64_t messages_unreported = 0;  // accepted, and neither sent nor reported: 0, or the library broke its promise
  std::uint64_t messages_received = 0;
  std::uint64_t bytes_sent = 0;       // payload
  std::uint64_t bytes_received = 0;   // payload
  std::uint64_t wire_bytes_sent = 0;  // as they stood in frames: less where messages were compressed
  std::uint64_t wire_bytes_received = 0;

  std::uint64_t calls_sent = 0;         // of the stations
  std::uint64_t calls_answered = 0;     // by a CALLRESULT
  std::uint64_t calls_failed = 0;       // of these, for a lost connection: the next
  std::uint64_t calls_lost = 0;         // the connection ended before the answer came
  std::uint64_t commands_received = 0;  // calls of the CSMS
};

struct RunRecord {
  Setup setup;
  WallTime started_at{};
  WallTime ended_at{};
  bool drained = false;         // ended in order: all that was under way had its time to end
  std::string end;              // why: "the duration is over", "SIGINT", "SIGINT twice", or what went wrong
  double all_connected_at = 0;  // when each station had been connected at least once; 0: never
  double drain_began_at = 0;    // when the end began: what is before it is the run proper

  std::vector<Sample> samples;  // oldest first; at most `samples_max`
  static constexpr std::size_t samples_max = 600;

  std::vector<Promise> promises;
  Totals totals;
  Percentiles
      round_trip;  // over the whole run; where there were more than 100,000, of as many that were chosen by chance
  Percentiles call_latency;  // likewise
  // Over the stations: of the last successful attempt of each, whole and by part. Parts that none had (proxy, TLS)
  // count 0.
  Percentiles handshake;
  Percentiles handshake_resolve, handshake_tcp, handshake_proxy, handshake_tls, handshake_http;
  Percentiles jitter;  // over the stations, at the end of the run proper

  std::array<std::uint64_t, 5>
      quality{};  // stations by CWIRE_QUALITY_*, by which it is indexed, at the end of the run proper

  double cpu = 0;         // in cores, over the whole run
  double cpu_steady = 0;  // from when all stations were connected to when the end began; 0: that never was
  std::uint64_t resident_bytes_max = 0;

  std::vector<FailureKind> failures;           // most frequent first
  std::vector<CallFailureKind> call_failures;  // likewise
  std::vector<ActionCount> actions;            // of the stations, by name
  std::vector<ActionCount> commands;           // of the CSMS, by name

  // The ten that fared worst, the worst first. Those with no trouble at all are not among them. Before all others come
  // those that are not connected (at the end of the run proper), then those with more trouble, which is failed
  // attempts, lost connections and failed calls together, then those with the longer round trip.
  std::vector<WorstStation> worst;
  static constexpr std::size_t worst_max = 10;

  std::vector<Incident> incidents;  // oldest first; the first 200
  std::uint64_t incidents_left_out = 0;

  std::vector<Outage> outages;  // oldest first; the first 100
};

}  // namespace fleet
