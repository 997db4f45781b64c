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
  BudgetJudge budget{trace, 1000};
  TimePoint now = kStart;
  Judge judge{trace, settings, 0, spread, budget};

  explicit Told(cwire::OfflineSettings offline = {}) {
    settings.offline = offline;
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
  // Messages 0 to `count` - 1 are sent while it is away.
  void keeps(std::uint64_t count, std::size_t size = 10) {
    for (std::uint64_t i = 0; i < count; ++i) {
      judge.accepted(size);
      judge.keeps(i, size);
      judge.fits();
    }
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

TEST_CASE("the seeds use the offline queue in each way") {
  OfflineUse use;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const OfflineUse once = run(scenario_of(seed, 0), seed).offline;
    use.kept += once.kept;
    use.returned += once.returned;
    use.replayed += once.replayed;
    use.expired += once.expired;
    use.dropped += once.dropped;
    use.refused += once.refused;
  }
  CHECK(use.kept > 1000);
  CHECK(use.returned > 50);
  CHECK(use.replayed > 500);
  CHECK(use.expired > 100);
  CHECK(use.dropped > 100);
  CHECK(use.refused > 100);
}

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
  told.judge.framed(0, 100, 0);
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
      told.judge.framed(i, 10, 10 * i);
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

TEST_CASE("the judge sees what an offline queue does wrong") {
  cwire::OfflineSettings offline;
  offline.messages_max = 3;
  offline.bytes_max = 500;
  offline.age_max = seconds(60);
  offline.replay_rate = 1;
  Told told(offline);
  SECTION("nothing") {
    told.keeps(3);
    told.connects();
    for (std::uint64_t i = 0; i < 3; ++i) {
      told.judge.framed(i, 10, 10 * i);
      told.pass(seconds(1));
    }
    told.judge.wrote(15);
    told.judge.settled(0, 10, CWIRE_OK);
    told.judge.settled(1, 10, CWIRE_E_CLOSED);  // a part of it was written
    told.judge.returns(2, 10);
    told.judge.fits();
    CHECK(told.budget.use.returned == 1);
    CHECK(told.budget.use.replayed == 3);
  }
  SECTION("more than it may keep") {
    told.keeps(3);
    CHECK_THROWS_AS(told.judge.accepted(10), Broken);
  }
  SECTION("more than all may keep together") {
    told.budget.comes(990);
    CHECK_THROWS_AS(told.judge.accepted(11), Broken);
  }
  SECTION("a refusal for the sake of all that nobody is told of") {
    told.budget.comes(990);
    told.judge.turned_away(11);
    CHECK_THROWS_AS(told.judge.tended(), Broken);
    told.budget.told();
    told.judge.tended();
    CHECK_THROWS_AS(told.budget.told(), Broken);
  }
  SECTION("a message dropped without need") {
    told.judge.accepted(10);
    told.judge.keeps(0, 10);
    CHECK_THROWS_AS(told.judge.settled(0, 10, CWIRE_E_QUEUE_FULL), Broken);
  }
  SECTION("a message that goes past those that wait") {
    told.keeps(1);
    told.connects();
    told.judge.accepted(10);
    CHECK_THROWS_AS(told.judge.waits(1, 10), Broken);
  }
  SECTION("a replay in another order, too fast, too slow") {
    told.keeps(3);
    told.connects();
    SECTION("order") { CHECK_THROWS_AS(told.judge.framed(1, 10, 0), Broken); }
    SECTION("fast") {
      told.judge.framed(0, 10, 0);
      told.pass(milliseconds(899));
      CHECK_THROWS_AS(told.judge.framed(1, 10, 10), Broken);
    }
    SECTION("slow") {
      told.judge.framed(0, 10, 0);
      told.pass(milliseconds(999));
      told.judge.tended();
      told.pass(milliseconds(1));
      CHECK_THROWS_AS(told.judge.tended(), Broken);
    }
  }
  SECTION("what was written in part is sent again") {
    told.keeps(1);
    told.connects();
    told.judge.framed(0, 10, 0);
    told.judge.wrote(1);
    CHECK_THROWS_AS(told.judge.returns(0, 10), Broken);
  }
  SECTION("what was not begun to write is given up, and what waits too") {
    told.keeps(2);
    told.connects();
    told.judge.framed(0, 10, 0);
    CHECK_THROWS_AS(told.judge.settled(0, 10, CWIRE_E_CLOSED), Broken);
    told.judge.settled(1, 10, CWIRE_E_CLOSED);
    CHECK_THROWS_AS(told.does(Told::of(Action::Type::attempt, 2)), Broken);
  }
  SECTION("too old, too early or too late") {
    told.keeps(1);
    told.pass(seconds(59));
    CHECK_THROWS_AS(told.judge.settled(0, 10, CWIRE_E_TIMEOUT), Broken);
    CHECK_THROWS_AS(told.judge.wakes_at(told.now + seconds(2)), Broken);
    told.pass(seconds(1));
    CHECK_THROWS_AS(told.judge.tended(), Broken);
  }
}
