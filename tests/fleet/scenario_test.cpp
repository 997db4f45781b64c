// What stations do, under a virtual clock: a CSMS that answers at once, never, or goes away.
#include "scenario.h"

#include <algorithm>
#include <map>

#include "catch2/catch.hpp"
#include "ocpp.h"

using namespace fleet;
using namespace std::chrono_literals;

namespace {

std::vector<std::uint64_t> numbers(std::size_t count) {
  std::vector<std::uint64_t> result;
  for (std::size_t i = 0; i < count; ++i) result.push_back(i + 1);
  return result;
}

ScenarioSpec spec_of(const std::string& scenario) {
  return parse_spec("fleet: {}\nscenario: " + scenario + "\n", "test").scenario;
}

struct World {
  explicit World(const ScenarioSpec& spec, std::size_t stations = 1, Version version = Version::v1_6)
      : scenario(spec, numbers(stations), 1), stations(stations), version(version) {}

  void connect() {
    for (std::uint32_t i = 0; i < stations; ++i) scenario.connected(i, version, now);
  }
  // One step of 100 ms: what is due is noted, and answered at once if so wanted.
  std::vector<Call> step() {
    std::vector<Call> timed_out;
    std::vector<Call> calls = scenario.due(now, timed_out);
    timeouts += timed_out.size();
    for (const Call& call : calls) {
      counts[call.action] += 1;
      all.push_back({now, call});
      if (!answers) continue;
      Answer answer;
      answer.registration = registration;
      answer.interval = interval;
      answer.transaction = 1000 + static_cast<std::int64_t>(all.size());
      answer.authorized = authorized;
      CHECK(scenario.answered(call.station, call.id, answer, now).has_value());
    }
    now += 100ms;
    return calls;
  }
  void run(Duration time) {
    for (const Duration end = now + time; now < end;) step();
  }

  Scenario scenario;
  std::size_t stations;
  Version version;
  Duration now{0};
  bool answers = true;
  Answer::Registration registration = Answer::accepted;
  std::optional<Duration> interval = 60s;
  bool authorized = true;
  std::size_t timeouts = 0;
  std::map<Action, std::size_t> counts;
  std::vector<std::pair<Duration, Call>> all;
};

}  // namespace

TEST_CASE("a station boots, tells its connectors' status, and beats as often as the CSMS says") {
  World world(spec_of("{ connectors: 2 }"));
  world.connect();
  world.run(1h);
  REQUIRE(world.all.size() > 3);
  CHECK(world.all[0].second.action == Action::boot);
  CHECK(world.counts[Action::boot] == 1);
  CHECK(world.counts[Action::status] == 2);
  CHECK(world.counts[Action::heartbeat] >= 58);
  CHECK(world.counts[Action::heartbeat] <= 62);
  CHECK(world.scenario.booted(0));
  CHECK(world.scenario.heartbeat_interval(0) == Duration(60s));
}

TEST_CASE("an interval of the file goes before that of the CSMS, and a station has one call at a time") {
  World world(spec_of(
      "{ heartbeat: { interval: 10s }, status: { interval: 10s }, meter_values: { interval: 10s }, connectors: 3 }"));
  world.answers = false;
  world.connect();
  REQUIRE(world.step().size() == 1);
  for (int i = 0; i < 100; ++i) CHECK(world.step().empty());  // the boot has no answer yet
  CHECK(world.scenario.under_way() == 1);
  world.answers = true;
  CHECK(world.scenario.answered(0, world.all[0].second.id, Answer{Answer::accepted, 300s, 0}, world.now));
  world.run(10min);
  CHECK(world.counts[Action::heartbeat] >= 58);
  CHECK(world.counts[Action::heartbeat] <= 62);
  CHECK(world.counts[Action::status] >= 58 * 3);
  CHECK(world.counts[Action::meter_values] >= 58 * 3);
}

TEST_CASE("a boot that is not accepted is tried again, and nothing else is said before") {
  World world(spec_of("{}"));
  world.registration = Answer::rejected;
  world.interval = 30s;
  world.connect();
  world.run(5min);
  CHECK(world.counts[Action::boot] >= 9);
  CHECK(world.counts[Action::boot] <= 12);
  CHECK(world.all.size() == world.counts[Action::boot]);
  CHECK_FALSE(world.scenario.booted(0));
  world.registration = Answer::accepted;
  world.run(1min);
  CHECK(world.scenario.booted(0));
}

TEST_CASE("a call without an answer has failed after its time, and what comes later is nobody's") {
  World world(spec_of("{ boot: false, status: false, heartbeat: { interval: 10s }, call_timeout: 5s, jitter: 0% }"));
  world.answers = false;
  world.connect();
  world.run(10min);
  CHECK(world.counts[Action::heartbeat] == 60);
  CHECK(world.timeouts >= 59);
  CHECK_FALSE(world.scenario.answered(0, world.all[0].second.id, Answer{}, world.now).has_value());
  CHECK(world.scenario.under_way() <= 1);
}

TEST_CASE("ten thousand heartbeats do not fall together, not even after an outage of all") {
  World world(spec_of("{ status: false, heartbeat: { interval: 30s } }"), 10000);
  world.connect();
  world.run(30s);
  for (std::uint32_t i = 0; i < 10000; ++i) world.scenario.disconnected(i);
  world.run(2min);
  const std::size_t before = world.all.size();
  world.connect();
  world.run(60s);
  // 33 a step of 100 ms on average.
  std::map<Duration, std::size_t> per_step;
  for (std::size_t i = before; i < world.all.size(); ++i) {
    CHECK(world.all[i].second.action == Action::heartbeat);  // no boot after a reconnect
    ++per_step[world.all[i].first];
  }
  CHECK(world.all.size() - before > 19000);
  CHECK(world.all.size() - before < 21000);
  for (const auto& [time, count] : per_step) {
    CAPTURE(time.count());
    CHECK(count < 80);
  }
}

TEST_CASE("a station does the same in whatever shard it is") {
  const ScenarioSpec spec = spec_of("{ meter_values: { interval: 10s }, transactions: { pause: 1m, duration: 2m } }");
  World whole(spec, 3);
  World alone(spec, 1);
  alone.scenario = Scenario(spec, {2}, 1);
  for (World* const world : {&whole, &alone}) {
    world->connect();
    world->run(20min);
  }
  std::vector<std::pair<Duration, std::uint64_t>> of_whole, of_alone;
  for (const auto& [time, call] : whole.all) {
    if (call.station == 1) of_whole.emplace_back(time, call.meter.energy);
  }
  for (const auto& [time, call] : alone.all) of_alone.emplace_back(time, call.meter.energy);
  CHECK(of_whole.size() > 100);
  CHECK(of_whole == of_alone);
}

TEST_CASE("an energy register counts what was charged, and never goes back") {
  World world(
      spec_of("{ boot: false, status: false, heartbeat: false, meter_values: { interval: 60s, power: 10000 } }"));
  world.connect();
  world.run(10h);
  REQUIRE(world.all.size() > 500);
  for (std::size_t i = 1; i < world.all.size(); ++i) {
    CHECK(world.all[i].second.meter.energy >= world.all[i - 1].second.meter.energy);
    CHECK(world.all[i].second.meter.power <= 10000);
  }
  const auto charged =
      static_cast<double>(world.all.back().second.meter.energy - world.all.front().second.meter.energy);
  CHECK(charged == Approx(95000).epsilon(0.02));  // 9.5 kW on average
}

TEST_CASE("a transaction is told from its start to its stop, in order and without gaps, also over lost connections") {
  for (const Version version : {Version::v1_6, Version::v2_0_1, Version::v2_1}) {
    World world(spec_of("{ heartbeat: false, meter_values: { interval: 7s }, transactions: { pause: 30s, duration: 60s "
                        "}, connectors: 2 }"),
                20, version);
    world.connect();
    for (int i = 0; i < 200; ++i) {
      world.run(20s);
      // Each connection is lost with its call under way: those of this step have no answer yet.
      world.answers = false;
      world.step();
      for (std::uint32_t station = 0; station < 20; ++station) {
        if (const std::optional<Call> lost = world.scenario.disconnected(station)) {
          for (auto entry = world.all.rbegin(); entry != world.all.rend(); ++entry) {
            if (entry->second.station == lost->station && entry->second.id == lost->id) {
              world.all.erase(std::next(entry).base());  // the CSMS never saw it
              break;
            }
          }
        }
      }
      world.answers = true;
      world.run(3s);
      world.connect();
    }
    struct Seen {
      std::uint64_t transaction = 0;
      std::uint64_t messages = 0;
      bool open = false;
      std::uint64_t energy = 0;
    };
    std::map<std::pair<std::uint32_t, std::uint32_t>, Seen> seen;
    std::size_t stops = 0;
    for (const auto& [time, call] : world.all) {
      if (call.action != Action::start && call.action != Action::update && call.action != Action::stop) continue;
      Seen& connector = seen[{call.station, call.connector}];
      if (call.action == Action::start) {
        REQUIRE_FALSE(connector.open);
        REQUIRE(call.transaction == connector.transaction + 1);
        connector = {call.transaction, 0, true, connector.energy};
      }
      REQUIRE(connector.open);
      REQUIRE(call.transaction == connector.transaction);
      REQUIRE(call.transaction_messages == connector.messages++);
      REQUIRE(call.meter.energy >= connector.energy);
      connector.energy = call.meter.energy;
      if (call.action == Action::stop) {
        connector.open = false;
        ++stops;
        if (version == Version::v1_6) REQUIRE(call.csms_transaction > 1000);
      }
    }
    CHECK(stops > 20 * 2 * 20);
  }
}

TEST_CASE("a token that is refused does not charge: its transaction is stopped at once") {
  for (const Version version : {Version::v1_6, Version::v2_0_1}) {
    World world(spec_of("{ boot: false, heartbeat: false, status: false, jitter: 0%, transactions: { pause: 1m, "
                        "duration: 10m } }"),
                1, version);
    world.authorized = false;
    world.connect();
    world.run(10min);
    REQUIRE(world.all.size() >= 18);  // a start and a stop each minute
    for (std::size_t i = 0; i < world.all.size(); ++i) {
      const auto& [time, call] = world.all[i];
      CHECK(call.action == (i % 2 == 0 ? Action::start : Action::stop));
      if (i % 2 == 0) continue;
      CHECK(call.stop_reason == StopReason::deauthorized);
      CHECK(call.transaction == world.all[i - 1].second.transaction);
      CHECK(time - world.all[i - 1].first == Duration(100ms));
    }
    CHECK_FALSE(world.scenario.charging(0, 1));
  }
}

TEST_CASE("a StartTransaction that fails has begun no transaction, and of one of 2.x the CSMS learns all the same") {
  enum class Failure { refused, timeout, timeout_after_the_end };
  for (const Failure failure : {Failure::refused, Failure::timeout, Failure::timeout_after_the_end}) {
    for (const Version version : {Version::v1_6, Version::v2_0_1}) {
      CAPTURE(static_cast<int>(failure), static_cast<int>(version));
      const bool ended = failure == Failure::timeout_after_the_end;
      World world(spec_of(std::string("{ boot: false, heartbeat: false, status: false, call_timeout: 30s, "
                                      "meter_values: { interval: 5s }, transactions: { pause: 1h, duration: ") +
                          (ended ? "10s" : "2h") + " } }"),
                  1, version);
      world.connect();
      world.step();
      REQUIRE(world.scenario.remote_start(0, 1, {}, world.now));
      world.answers = false;
      const std::vector<Call> calls = world.step();
      REQUIRE(calls.size() == 1);
      REQUIRE(calls[0].action == Action::start);
      if (failure == Failure::refused) {
        CHECK(world.scenario.refused(0, calls[0].id, world.now));
      } else {
        world.run(25s);
        CHECK(world.scenario.charging(0, 1) != ended);
        CHECK_FALSE(world.scenario.remote_stop(0, std::int64_t{0}, world.now));
        world.answers = true;
        world.run(6s);
        CHECK(world.timeouts == 1);
      }
      world.answers = true;
      const bool goes_on = version != Version::v1_6 && !ended;
      CHECK(world.scenario.charging(0, 1) == goes_on);
      CHECK_FALSE(world.scenario.remote_stop(0, std::int64_t{0}, world.now));
      world.run(20s);
      CHECK((world.counts[Action::update] > 0) == goes_on);
      CHECK((world.counts[Action::meter_values] > 0) == !goes_on);
      CHECK(world.counts[Action::stop] == (version != Version::v1_6 && ended ? 1 : 0));
      if (!goes_on) {
        CHECK(world.scenario.remote_start(0, 1, {}, world.now));  // the connector is free
        world.run(1s);
        CHECK(world.counts[Action::start] == 2);
      }
    }
  }
}

TEST_CASE("what the CSMS asks for is done if it is a thing that the scenario does") {
  World world(spec_of("{ transactions: { pause: 10h, duration: 10m } }"));
  world.connect();
  world.run(1s);
  CHECK(world.scenario.trigger(0, Action::heartbeat, 0));
  CHECK(world.step().at(0).action == Action::heartbeat);
  CHECK_FALSE(world.scenario.trigger(0, Action::status, 2));  // there is one connector
  CHECK(world.scenario.remote_start(0, 1, {}, world.now));
  CHECK_FALSE(world.scenario.remote_start(0, 1, {}, world.now));
  world.run(1s);
  CHECK(world.counts[Action::start] == 1);
  CHECK_FALSE(world.scenario.remote_stop(0, 1, world.now));
  const auto started = std::find_if(world.all.begin(), world.all.end(),
                                    [](const auto& entry) { return entry.second.action == Action::start; });
  CHECK(
      world.scenario.remote_stop(0, 1001 + (started - world.all.begin()), world.now));  // by the id that the CSMS gave
  world.run(1s);
  CHECK(world.counts[Action::stop] == 1);
  CHECK(world.all.back().second.stop_reason == StopReason::remote);
  CHECK(world.scenario.remote_start(0, 0, {}, world.now));
  world.run(1s);
  CHECK_FALSE(world.scenario.remote_stop(0, 1, 1, world.now));  // that one is over
  CHECK(world.scenario.remote_stop(0, 1, 2, world.now));        // by connector and count
  world.run(1s);
  CHECK(world.counts[Action::stop] == 2);
  world.scenario.reset(0);
  world.scenario.disconnected(0);
  world.connect();
  world.run(1s);
  CHECK(world.counts[Action::boot] == 2);
}

TEST_CASE("a run counts its transactions on from where it is told to") {
  const ScenarioSpec spec =
      spec_of("{ boot: false, heartbeat: false, status: false, transactions: { pause: 1s, duration: 1s } }");
  World world(spec);
  world.scenario = Scenario(spec, {1}, 1, 1000);
  world.connect();
  world.run(10s);
  REQUIRE(world.all.size() > 4);
  CHECK(world.all[0].second.transaction == 1001);
  CHECK(world.all[2].second.transaction == 1002);
}

TEST_CASE("once the end has begun no call is made") {
  World world(spec_of("{ heartbeat: { interval: 1s } }"), 10);
  world.connect();
  world.run(10s);
  world.answers = false;
  world.run(2s);
  CHECK(world.scenario.under_way() == 10);
  world.scenario.drain();
  const std::size_t calls = world.all.size();
  world.run(2min);
  CHECK(world.all.size() == calls);
  CHECK(world.scenario.under_way() == 0);  // each had its answer, or its timeout
}
