#include "spec.h"

#include <cstdlib>
#include <map>
#include <set>

#include "catch2/catch.hpp"
#include "text_template.h"

using namespace fleet;
using namespace std::chrono_literals;

namespace {

FleetSpec parsed(const std::string& yaml) { return parse_spec(yaml, "fleet.yaml"); }

// What is said of a file that is not as it should be.
std::string complaint(const std::string& yaml) {
  try {
    check(parsed(yaml));
  } catch (const SpecError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a template is expanded with number and id") {
  CHECK(TextTemplate("CP{:05d}").expand(42) == "CP00042");
  CHECK(TextTemplate("CP{:05d}").expand(1234567) == "CP1234567");
  CHECK(TextTemplate("{}-{:3d}").expand(7) == "7-007");
  CHECK(TextTemplate("{:d}").expand(7) == "7");
  CHECK(TextTemplate("keys/{id}.key").expand(7, "CP7") == "keys/CP7.key");
  CHECK(TextTemplate("{{{}}}").expand(7) == "{7}");
  CHECK(TextTemplate("plain").is_constant());
  CHECK_FALSE(TextTemplate("{id}").is_constant());
  for (const char* const wrong : {"{", "}", "{:05}", "{:-5d}", "{name}", "{:99d}", "{:5x}", "{:123456d}"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(TextTemplate(wrong), std::invalid_argument);
  }
}

TEST_CASE("a file says what is to be run") {
  setenv("FLEET_TEST_HOST", "csms.example", 1);
  const FleetSpec spec = parsed(R"(
fleet:
  stations: 250
  id: "S{:03d}"
  first: 100
  url: "wss://${FLEET_TEST_HOST}/ocpp"
  ramp: 12.5/s
  protocol: { "1.6": 60%, "2.1, 2.0.1": 40% }
  duration: 1h30m
  drain: 5s
  seed: 7
  csms:
    auth: { password_file: "keys/{id}.key" }
scenario:
  connectors: 3
  jitter: 25%
  call_timeout: 20s
  boot: { vendor: Acme, model: One, serial_number: "SN{}", firmware_version: "1.0" }
  heartbeat: { interval: csms }
  status: false
  meter_values: { interval: 15s, power: 22000 }
  transactions: { pause: 5m, duration: 20m, id_token: "T{:d}" }
csms:
  ping_interval: 10s
)");
  CHECK(spec.stations == 250);
  CHECK(spec.id_of(0) == "S100");
  CHECK(spec.id_of(249) == "S349");
  CHECK(spec.url.text() == "wss://csms.example/ocpp");
  CHECK(spec.ramp == 12.5);
  CHECK(spec.start_of(25) == 2000ms);
  REQUIRE(spec.protocols.size() == 2);
  CHECK(spec.protocols[1].offered == std::vector<std::string>{"2.1", "2.0.1"});
  CHECK(spec.duration == Duration(90min));
  CHECK(spec.drain == Duration(5s));
  REQUIRE(spec.station_options.size() == 1);
  CHECK(spec.station_options[0].key == "csms.auth.password_file");
  CHECK(spec.station_options[0].value.expand(7, "S007") == "keys/S007.key");
  CHECK(spec.station_options[0].line == 13);
  CHECK(spec.scenario.connectors == 3);
  CHECK(spec.scenario.jitter == 0.25);
  CHECK_FALSE(spec.scenario.heartbeat->interval.has_value());
  CHECK_FALSE(spec.scenario.status.has_value());
  CHECK(spec.scenario.meter_values->power == 22000);
  CHECK(spec.scenario.transactions->id_token.expand(5) == "T5");
  // The library's part stands where it stood, so that what it says of a line is true of the file.
  CHECK(spec.library_yaml == std::string(22, '\n') + "csms:\n  ping_interval: 10s\n");
}

TEST_CASE("a value of the environment is taken as it is") {
  setenv("FLEET_TEST_PASSWORD", "{id}}${{:x}", 1);
  const FleetSpec spec = parsed(R"(fleet: { csms: { auth: { password: "{}-${FLEET_TEST_PASSWORD}-{id}" } } })");
  REQUIRE(spec.station_options.size() == 1);
  CHECK(spec.station_options[0].value.expand(7, "CP7") == "7-{id}}${{:x}-CP7");
  CHECK(parsed(R"(fleet: {}
scenario: { boot: { vendor: "${FLEET_TEST_PASSWORD}" } })")
            .scenario.boot->vendor == "{id}}${{:x}");
}

TEST_CASE("a small file is enough, and has sensible defaults") {
  const FleetSpec spec = parsed("fleet: { stations: 3 }\n");
  CHECK(spec.id_of(2) == "CP00003");
  CHECK(spec.scenario.boot.has_value());
  CHECK(spec.scenario.heartbeat.has_value());
  CHECK_FALSE(spec.duration.has_value());
  CHECK_FALSE(parsed("fleet: { duration: 0 }\nscenario: { boot: false }\n").duration.has_value());
}

TEST_CASE("what is wrong with a file is told with key, line and what was expected") {
  const std::map<std::string, std::string> complaints = {
      {"fleet:\n  stations: many\n",
       "fleet.yaml:2: fleet.stations: expected a whole number from 1 to 1000000, got \"many\""},
      {"fleet:\n  station: 5\n",
       "fleet.yaml:2: fleet.station: unknown key; known here: stations, id, first, url, ramp, protocol, duration, "
       "drain, seed, csms"},
      {"fleet:\n  stations: 1\n  stations: 2\n", "fleet.yaml:3: fleet.stations: is given twice"},
      {"fleet: {}\nfleet: {}\n", "fleet.yaml:2: fleet: is given twice"},
      {"fleet:\n  ramp: fast\n",
       "fleet.yaml:2: fleet.ramp: expected stations per second, such as 100/s, or 0 for all at once, got \"fast\""},
      {"fleet:\n  duration: 30\n",
       "fleet.yaml:2: fleet.duration: expected a duration with its unit, such as 30s or 1m30s, got \"30\""},
      {"fleet:\n  protocol: 1.5\n",
       "fleet.yaml:2: fleet.protocol: expected 1.6, 2.0.1 or 2.1, or several of them in order of preference, got "
       "\"1.5\""},
      {"fleet:\n  protocol: { \"1.6\": 60% }\n",
       "fleet.yaml:2: fleet.protocol: the shares are 60% together, and should be 100%"},
      {"fleet:\n  id: \"CP{name}\"\n",
       "fleet.yaml:2: fleet.id: {name} is unknown; known are {} for the station's number, {:05d} for the same with at "
       "least five digits, and {id}"},
      {"fleet:\n  id: CP\n  stations: 2\n",
       "fleet.yaml: fleet.id is \"CP\" for each of 2 stations; put their number into it: \"CP{:05d}\""},
      {"fleet: [1]\n", "fleet.yaml:1: fleet: expected a mapping of keys to values, got a list"},
      {"fleet: {}\nscenario:\n  heartbeat: { interval: soon }\n",
       "fleet.yaml:3: scenario.heartbeat.interval: expected a duration of at least 10ms, such as 30s or 1m30s, got "
       "\"soon\""},
      {"fleet: {}\nscenario:\n  meter_values: {}\n",
       "fleet.yaml:3: scenario.meter_values: needs an interval: { interval: 60s }"},
      {"fleet: {}\nscenario:\n  connectors: 33\n",
       "fleet.yaml:3: scenario.connectors: expected a whole number from 1 to 32, got \"33\""},
      {"fleet: { stations: 101, ramp: 10/s, duration: 5s }\n",
       "fleet.yaml: the run is over after 5 s, before the last of 101 stations begins, after 10 s; raise the duration "
       "or "
       "the ramp"},
      {"scenario: {}\n", "fleet.yaml: there is no `fleet:`; fleet: { stations: 100 } is enough"},
      {"fleet: {}\nstations: []\n",
       "fleet.yaml:2: stations: the stations are made from `fleet:`; write fleet: { stations: N, id: \"CP{:05d}\" }"},
      {"fleet:\n  url: \"${NOT_SET_ANYWHERE}\"\n",
       "fleet.yaml:2: fleet.url: the environment variable NOT_SET_ANYWHERE is not set"},
      {"", "fleet.yaml: the file is empty; fleet: { stations: 100, url: ws://localhost:9000 } is enough"},
      {"fleet: {}\nscenario: { heartbeat: 5s }\n",
       "fleet.yaml:2: scenario.heartbeat: expected { interval: 30s }, { interval: csms } or false, got \"5s\""},
      {"fleet: {}\nscenario: { meter_values: 5s }\n",
       "fleet.yaml:2: scenario.meter_values: expected { interval: 60s } or false, got \"5s\""},
      {"fleet: {}\nscenarios: {}\n", "fleet.yaml:2: scenarios: unknown key; did you mean scenario?"},
  };
  for (const auto& [yaml, expected] : complaints) CHECK(complaint(yaml) == expected);
  CHECK(complaint("fleet: {\n").find("fleet.yaml:2: this is not valid YAML: ") == 0);
}

TEST_CASE("durations are written as for the library") {
  CHECK(parse_duration("1m30s") == Duration(90s));
  CHECK(parse_duration("250ms") == Duration(250ms));
  CHECK(parse_duration("2h1ms") == Duration(2h + 1ms));
  CHECK(parse_duration("0") == Duration(0));
  for (const char* const wrong : {"", "5", "s", "1s1m", "1s1s", "-1s", "1.5s", "1d", "99999999999h", "1s "}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_duration(wrong).has_value());
  }
  CHECK(text(90s) == "1 min 30 s");
  CHECK(text(0s) == "0 s");
  CHECK(text(1500ms) == "1.5 s");
}

TEST_CASE("shards part a fleet: each station is in one of them, and begins when it would anyway") {
  FleetSpec spec = parsed("fleet: { stations: 101, ramp: 10/s }\n");
  for (const std::uint64_t count : {1u, 2u, 7u, 100u, 200u}) {
    std::multiset<std::uint64_t> all;
    for (std::uint64_t index = 0; index < count; ++index) {
      spec.shard = {index, count};
      for (const std::uint64_t station : spec.indices()) {
        CHECK(spec.shard.has(station));
        all.insert(station);
      }
    }
    REQUIRE(all.size() == 101);
    CHECK(std::set<std::uint64_t>(all.begin(), all.end()).size() == 101);
  }
  CHECK(spec.start_of(50) == Duration(5s));
}

TEST_CASE("a shard is told by index and count, or by the index of a Kubernetes job") {
  CHECK(parse_shard("3/8").index == 3);
  CHECK(parse_shard("3/8").count == 8);
  setenv("JOB_COMPLETION_INDEX", "5", 1);
  CHECK(parse_shard("job/8").index == 5);
  setenv("JOB_COMPLETION_INDEX", "8", 1);
  CHECK_THROWS_WITH(parse_shard("job/8"),
                    "--shard job/8: the first shard is 0 and the last of 8 is 7, but the index is 8");
  unsetenv("JOB_COMPLETION_INDEX");
  CHECK_THROWS_AS(parse_shard("job/8"), SpecError);
  for (const char* const wrong : {"", "3", "3/", "/8", "8/8", "-1/8", "a/8", "0/0", "0/8/2"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(parse_shard(wrong), SpecError);
  }
}

TEST_CASE("each protocol has its share, of the fleet and of each shard") {
  FleetSpec spec = parsed("fleet: { stations: 10000, protocol: { \"1.6\": 50%, \"2.0.1\": 30%, \"2.1\": 20% } }\n");
  for (const std::uint64_t shards : {1u, 2u, 3u, 7u, 10u, 16u}) {
    spec.shard = {shards - 1, shards};
    std::map<std::size_t, double> counts;
    const std::vector<std::uint64_t> indices = spec.indices();
    for (const std::uint64_t index : indices)
      counts[spec.protocol_of(index)] += 1.0 / static_cast<double>(indices.size());
    CHECK(counts[0] == Approx(0.5).margin(0.01));
    CHECK(counts[1] == Approx(0.3).margin(0.01));
    CHECK(counts[2] == Approx(0.2).margin(0.01));
  }
}

TEST_CASE("the shares of the protocols are exact, to one station") {
  const auto counts_of = [](const FleetSpec& spec) {
    std::vector<std::uint64_t> counts(spec.protocols.size());
    for (std::uint64_t i = 0; i < spec.stations; ++i) ++counts[spec.protocol_of(i)];
    CHECK(counts == spec.protocol_counts());
    return counts;
  };
  FleetSpec spec = parsed("fleet: { protocol: { \"1.6\": 50%, \"2.0.1\": 50% } }\n");
  const std::map<std::uint64_t, std::vector<std::uint64_t>> halves = {
      {1, {1, 0}}, {2, {1, 1}}, {3, {2, 1}}, {50, {25, 25}}, {10000, {5000, 5000}}};
  for (const auto& [stations, expected] : halves) {
    spec.stations = stations;
    CHECK(counts_of(spec) == expected);
  }
  spec = parsed("fleet: { protocol: { \"1.6\": 33%, \"2.0.1\": 33%, \"2.1\": 34% } }\n");
  spec.stations = 10;
  CHECK(counts_of(spec) == std::vector<std::uint64_t>{3, 3, 4});
  spec = parsed("fleet: { protocol: { \"1.6\": 10%, \"2.0.1\": 20%, \"2.1\": 70% } }\n");
  for (std::uint64_t stations = 10; stations < 200; stations += 10) {
    spec.stations = stations;
    CHECK(counts_of(spec) == std::vector<std::uint64_t>{stations / 10, stations / 5, stations * 7 / 10});
  }
}
