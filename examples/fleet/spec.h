#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "text_template.h"

// What a file says that is to be run. README.md has all of its keys.
namespace fleet {

using Duration = std::chrono::milliseconds;
constexpr std::uint64_t stations_max = 1000000;  // of a whole fleet

// The file or an option of the command line is not as it should be. what() is one line for people.
class SpecError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What a station does once it is connected.
struct ScenarioSpec {
  std::uint32_t connectors = 1;
  double jitter = 0.1;                               // how far an interval varies each way
  Duration call_timeout = std::chrono::seconds(30);  // a call without an answer for this long has failed

  struct Boot {
    std::string vendor = "Chargewire";
    std::string model = "Fleet";
    TextTemplate serial_number;
    std::string firmware_version;
  };
  std::optional<Boot> boot = Boot{};

  struct Heartbeat {
    std::optional<Duration> interval;  // none: what the answer to BootNotification says
  };
  std::optional<Heartbeat> heartbeat = Heartbeat{};

  struct Status {
    std::optional<Duration> interval;  // none: after a boot and when it changes
  };
  std::optional<Status> status = Status{};

  struct MeterValues {
    Duration interval{};
    double power = 11000;  // W, while a connector charges
  };
  std::optional<MeterValues> meter_values;

  // Without them and with meter values, all connectors charge all the time.
  struct Transactions {
    Duration pause{};     // between two of a connector
    Duration duration{};  // of each
    TextTemplate id_token;
  };
  std::optional<Transactions> transactions;
};

// Every n-th station of the fleet, beginning with station `index`: what one machine of many runs.
struct Shard {
  std::uint64_t index = 0;
  std::uint64_t count = 1;

  bool has(std::uint64_t station) const { return station % count == index; }
};

struct ProtocolShare {
  std::vector<std::string> offered;  // in order of preference: {"2.0.1", "1.6"}
  double share = 1;                  // of the stations; all shares together are 1
};

// An option of the library that differs from station to station.
struct StationOption {
  std::string key;       // "csms.auth.password_file"
  TextTemplate value;    // "keys/{id}.key"
  std::size_t line = 0;  // of the file
};

struct FleetSpec {
  std::string file;       // without its directory
  std::string directory;  // what relative paths in it are relative to

  std::uint64_t stations = 1;  // of all shards
  TextTemplate id{"CP{:05d}"};
  std::uint64_t first = 1;               // the number of the first station
  TextTemplate url;                      // empty: csms.default_url
  double ramp = 100;                     // stations per second, of all shards; 0: all at once
  std::vector<ProtocolShare> protocols;  // none: csms.protocol
  std::optional<Duration> duration;      // none: until it is ended
  Duration drain = std::chrono::seconds(10);
  std::uint64_t seed = 1;
  Shard shard;
  std::vector<StationOption> station_options;

  ScenarioSpec scenario;

  // All else of the file, for the library. Its lines are where they are in the file.
  std::string library_yaml;

  // Station `index` of all shards, from 0.
  std::uint64_t number_of(std::uint64_t index) const { return first + index; }
  std::string id_of(std::uint64_t index) const { return id.expand(number_of(index)); }
  // How many of all stations are of each of `protocols`: its share, rounded by the largest remainders.
  std::vector<std::uint64_t> protocol_counts() const;
  // Which of `protocols` it is of. Each run of stations has the shares, as nearly as its length allows, and so has each
  // shard.
  std::size_t protocol_of(std::uint64_t index) const;
  // When its turn comes. The same in whatever shard it is.
  Duration start_of(std::uint64_t index) const;
  // The indices of this shard's stations.
  std::vector<std::uint64_t> indices() const;
};

// Throws SpecError: "fleet.yaml:7: fleet.ramp: expected ...".
FleetSpec load_spec(const std::string& path);
FleetSpec parse_spec(const std::string& yaml, const std::string& file_name);

// Refuses what contradicts itself, also between file and command line. Throws SpecError.
void check(const FleetSpec& spec);

// For the file and the command line alike; nothing if the text is not one.
std::optional<Duration> parse_duration(std::string_view text);    // "1m30s", "250ms"
std::optional<double> parse_ramp(std::string_view text);          // "100/s", "0.5/s"
std::optional<std::uint64_t> parse_count(std::string_view text);  // "10000"
// "3/8", or "job/8": the completion index of a Kubernetes Indexed Job. Throws SpecError.
Shard parse_shard(std::string_view text);

std::string text(Duration duration);  // "1 min 30 s"

}  // namespace fleet
