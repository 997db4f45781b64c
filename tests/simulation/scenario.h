#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/settings.h"
#include "governor/endpoint_governor.h"

namespace simulation {

using cwire::Duration;
using cwire::TimePoint;

// The clock does not begin at 0, for nobody's does.
constexpr TimePoint kStart{std::chrono::hours(1)};

// What goes wrong, or is done by somebody, at an endpoint or to its stations.
struct Trouble {
  enum class Kind : std::uint8_t {
    // The CSMS, as long as it lasts.
    refuse,          // TCP connections are refused
    unreachable,     // a router says that there is no way
    slow,            // a handshake takes `amount` longer
    stuck,           // TCP connections are accepted, and nothing else happens
    hang_up,         // TCP connections are accepted, and closed before an answer
    unverified,      // its certificate is refused with X.509 result `number`; nothing where there is no TLS
    answer,          // the upgrade is answered with HTTP status `number`
    no_subprotocol,  // the upgrade is answered without a common subprotocol
    flap,            // a connection is ended within `amount`, as `number` says
    slow_pong,       // pongs come `amount` later
    forged_pong,     // pings are answered with other nonces than theirs
    // The network, as long as it lasts. What is lost is sent again by TCP.
    cut,   // both ways
    deaf,  // from the stations to the CSMS
    mute,  // from the CSMS to the stations
    // This machine, as long as it lasts.
    starve,  // no descriptors
    // By hand.
    isolate,  // nobody may go to the endpoint; at its end it is reset
    // At once.
    drop,         // connections are ended, as `number` says
    forget,       // a router forgets connections: what is sent on them never arrives
    reset,        // the endpoint's governor forgets what it has seen
    stall,        // the I/O thread is held up for `amount`
    network_up,   // somebody says that the network is there again
    pause,        // reading pauses for `amount`
    suspend,      // the machine slept: a router has forgotten connections perhaps, and the stations are told
    reconfigure,  // somebody gives the stations other settings, as `number` says, within `amount`
    disconnect,   // somebody ends stations within `amount`, and connects them anew after `again`
  };
  // For `number`, beside close codes.
  static constexpr std::int32_t kOfAttempts = 1;  // with kReconnect what cwire::WebSocketClient::Change says
  static constexpr std::int32_t kReconnect = 2;
  static constexpr std::int32_t kReset = 0;
  static constexpr std::int32_t kEndOfStream = 1;  // without a close frame

  Kind kind;
  std::uint32_t endpoint = 0;
  TimePoint from{};
  TimePoint to{};             // of what lasts
  std::uint32_t share = 100;  // percent of the stations, connections or attempts
  std::int32_t number = 0;
  std::int32_t retry_after_s = -1;
  Duration amount{};
  Duration again{};

  bool lasts() const { return kind <= Kind::isolate; }
};

struct Endpoint {
  bool tls = false;
  Duration latency{};         // one way, at least
  Duration latency_range{};   // up to this much more
  std::uint32_t workers = 1;  // handshakes that it works at, at a time
  Duration service{};         // what one takes
};

// Stations that are configured alike.
struct Group {
  cwire::Settings settings;
  cwire::Settings other_settings;  // after a reconfigure, and back
  std::uint32_t endpoint = 0;
  std::uint32_t stations = 0;
  cwire::Priority priority = cwire::Priority::normal;
  Duration spread{};        // they are connected for the first time within this
  Duration send_every{};    // of the application, per station; 0: never
  std::uint32_t burst = 1;  // messages at a time
  std::uint32_t size_max = 0;
  Duration receive_every{};  // messages of the CSMS, per station; 0: never
};

struct Scenario {
  std::vector<Endpoint> endpoints;
  std::vector<Group> groups;
  bool paced = true;                           // by the governor
  cwire::EndpointGovernor::Settings governor;  // of each endpoint
  std::vector<Trouble> troubles;               // in order of `from`
  std::uint64_t offline_budget_bytes = 0;      // of all stations together
  // Shutdown comes when all who shall be are connected again, after the last trouble and some time of peace; or, with
  // `abrupt`, at that time, whatever the state.
  Duration peace{};
  bool abrupt = false;
  TimePoint abrupt_at{};
  // What is promised beyond what holds in every run; 0: nothing.
  std::uint32_t attempts_per_second_max = 0;  // that an endpoint sees in any second of the clock
  Duration back_within{};                     // after the last trouble

  std::uint32_t stations() const;
  // The last trouble is over.
  TimePoint healed() const;
};

// The one that a seed means. `stations`: so many instead of what is drawn; 0: as drawn.
Scenario scenario_of(std::uint64_t seed, std::uint32_t stations);
// "storm", "flapping", "outage", "week"; throws std::invalid_argument.
Scenario named_scenario(const std::string& name, std::uint64_t seed, std::uint32_t stations);

}  // namespace simulation
