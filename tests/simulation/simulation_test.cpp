#include "simulation.h"

#include <catch2/catch.hpp>
#include <set>

#include "config/options.h"
#include "judge.h"
#include "pacer.h"
#include "scenario.h"

using namespace simulation;
using cwire::Action;
using cwire::State;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

Result run(const Scenario& scenario, std::uint64_t seed = 1) { return Simulation(scenario, seed, false).run(); }

// A judge, told by hand what a station with the defaults does.
struct Told {
  cwire::Settings settings = cwire::default_settings();
  Trace trace{1, false};
  Spread spread;
  TimePoint now = kStart;
  Judge judge{trace, settings, 0, spread};

  Told() {
    trace.at(now);
    judge.started();
  }
  void pass(Duration time) { trace.at(now += time); }
  void does(Action action, const cwire::Failure& failure = {}) { judge.action(action, failure); }
  static Action of(Action::Type type, std::uint64_t number = 0) {
    Action action{type};
    action.number = number;
    return action;
  }
  void becomes(State from, State to) {
    Action action{Action::Type::report_state};
    action.from = from;
    action.to = to;
    does(action);
  }
  void attempts() {
    becomes(State::disconnected, State::connecting);
    does(of(Action::Type::attempt, 1));
  }
  void connects() {
    attempts();
    becomes(State::connecting, State::connected);
    does(of(Action::Type::report_connected, 1));
  }
  // The first attempt is refused, and this is announced.
  void is_refused(Duration wait) {
    judge.ends({Fate::Kind::refused});
    Action error = of(Action::Type::report_error, 1);
    error.will_retry = true;
    error.retry_in = wait;
    does(error, failure_of({Fate::Kind::refused}));
    becomes(State::connecting, State::reconnecting);
  }
  void pings(std::uint64_t nonce) {
    Action ping{Action::Type::ping};
    ping.nonce = nonce;
    does(ping);
  }
};

}  // namespace

TEST_CASE("a seed is the same run each time") {
  std::set<std::uint64_t> hashes;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const Result first = run(scenario_of(seed, 0), seed);
    const Result second = run(scenario_of(seed, 0), seed);
    INFO("seed " << seed);
    CHECK(first.hash == second.hash);
    CHECK(first.steps == second.steps);
    hashes.insert(first.hash);
  }
  CHECK(hashes.size() == 100);
}

TEST_CASE("a run can have other numbers of stations than its seed says") {
  CHECK(scenario_of(7, 123).stations() == 123);
  CHECK(run(scenario_of(7, 123), 7).hash == run(scenario_of(7, 123), 7).hash);
  CHECK_THROWS_AS(named_scenario("picnic", 1, 0), std::invalid_argument);
}

TEST_CASE("ten thousand stations lose the CSMS at once and come back paced, whatever the seed") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Result result = run(named_scenario("storm", seed, 10000), seed);
    INFO("seed " << seed);
    CHECK(result.connections == 20000);
    // What the CSMS can do is also made use of.
    CHECK(result.attempts_per_second_max > 1500);
  }
}

TEST_CASE("an hour of a CSMS that accepts and closes again") {
  Scenario scenario = named_scenario("flapping", 1, 100);
  const Result paced = run(scenario);
  // The breaker leaves it alone for minutes.
  CHECK(paced.connections < 100 * 25);
  // Without it each comes once in some 65 s: waits of a minute, connections of 10 s at most, and 5 s on average.
  scenario.paced = false;
  const Result result = run(scenario);
  CHECK(result.connections > 100 * 40);
  CHECK(result.connections < 100 * 70);
}

TEST_CASE("an hour in which nobody gets through") {
  const Result result = run(named_scenario("outage", 1, 1000));
  CHECK(result.connections == 2000);
}

TEST_CASE("a week of outages") { run(named_scenario("week", 1, 100)); }

TEST_CASE("a week of outages of a thousand stations", "[.nightly]") { run(named_scenario("week", 2, 1000)); }

TEST_CASE("the judge finds nothing wrong with what is right") {
  Told told;
  told.attempts();
  told.is_refused(seconds(5));
  told.pass(seconds(5));
  told.does(Told::of(Action::Type::attempt, 2));
  told.becomes(State::reconnecting, State::connected);
  told.does(Told::of(Action::Type::report_connected, 1));
  told.judge.accepted(100);
  told.judge.waits(0, 100);
  told.judge.framed(0, 100);
  told.judge.settled(0, 100, CWIRE_OK);
  told.judge.arrived(0);
  told.pass(seconds(30));
  told.pings(17);
  told.judge.pong_arrived(17);
  told.judge.asked_to_end(seconds(5));
  told.does(Told::of(Action::Type::close));
  told.becomes(State::connected, State::disconnected);
  told.does(Told::of(Action::Type::report_disconnected, 1));
  told.becomes(State::disconnected, State::closed);
  told.does(Told::of(Action::Type::report_closed));
  told.judge.finished();
}

TEST_CASE("the judge sees what breaks a promise") {
  Told told;
  SECTION("no CLOSED, and two") {
    told.attempts();
    CHECK_THROWS_AS(told.judge.finished(), Broken);
    told.judge.asked_to_end(seconds(0));
    told.becomes(State::connecting, State::closed);
    told.does(Told::of(Action::Type::report_closed));
    told.judge.finished();
    CHECK_THROWS_AS(told.does(Told::of(Action::Type::report_closed)), Broken);
  }
  SECTION("a wait that is too short, too long, or cut short") {
    told.attempts();
    SECTION("short") { CHECK_THROWS_AS(told.is_refused(milliseconds(3999)), Broken); }
    SECTION("long") { CHECK_THROWS_AS(told.is_refused(milliseconds(6001)), Broken); }
    SECTION("cut") {
      told.is_refused(seconds(5));
      told.pass(milliseconds(4999));
      CHECK_THROWS_AS(told.does(Told::of(Action::Type::attempt, 2)), Broken);
    }
    SECTION("cut by a hint below the policy's minimum") {
      told.is_refused(seconds(5));
      told.pass(milliseconds(3900));
      told.judge.network_up();
      CHECK_THROWS_AS(told.does(Told::of(Action::Type::attempt, 2)), Broken);
    }
  }
  SECTION("waits that do not fill their range") {
    for (int i = 0; i < 1000; ++i) told.spread.add({seconds(48), seconds(72)}, seconds(48 + i % 12));
    CHECK(told.spread.is_uneven());
    told.spread.add({seconds(48), seconds(72)}, seconds(61));
    CHECK(told.spread.is_uneven());
    told.spread.add({seconds(48), seconds(72)}, seconds(71));
    CHECK_FALSE(told.spread.is_uneven());
  }
  SECTION("a message that is reported twice, not at all, or wrongly") {
    told.connects();
    for (int i = 0; i < 2; ++i) {
      told.judge.accepted(10);
      told.judge.waits(i, 10);
      told.judge.framed(i, 10);
    }
    SECTION("twice") {
      told.judge.settled(0, 10, CWIRE_OK);
      CHECK_THROWS_AS(told.judge.settled(0, 10, CWIRE_OK), Broken);
    }
    SECTION("in another order") {
      told.judge.settled(1, 10, CWIRE_OK);
      CHECK_THROWS_AS(told.judge.settled(0, 10, CWIRE_OK), Broken);
    }
    SECTION("as not sent, and it arrived") {
      told.judge.settled(0, 10, CWIRE_E_CLOSED);
      CHECK_THROWS_AS(told.judge.arrived(0), Broken);
    }
    SECTION("sent once, and arrived twice") {
      told.judge.settled(0, 10, CWIRE_OK);
      told.judge.arrived(0);
      CHECK_THROWS_AS(told.judge.arrived(0), Broken);
    }
    SECTION("turned away or dropped without need") {
      CHECK_THROWS_AS(told.judge.turned_away(10), Broken);
      told.judge.accepted(10);
      told.judge.waits(2, 10);
      CHECK_THROWS_AS(told.judge.settled(2, 10, CWIRE_E_QUEUE_FULL), Broken);
    }
  }
  SECTION("pings that come too soon, or after another's pong") {
    told.connects();
    told.pass(seconds(26));
    CHECK_THROWS_AS(told.pings(17), Broken);
    told.pass(seconds(4));
    told.pings(18);
    told.judge.pong_arrived(19);
    told.pass(seconds(60));
    CHECK_THROWS_AS(told.pings(20), Broken);
  }
}

TEST_CASE("the judge sees an attempt that fails while it waits for its turn") {
  Told told;
  told.attempts();
  told.judge.queued();
  CHECK_THROWS_AS(told.is_refused(seconds(5)), Broken);
}
