// The rules that pace a fleet, under a virtual clock.
#include "governor/governor.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "governor/circuit_breaker.h"
#include "governor/concurrency_limit.h"
#include "governor/endpoint_governor.h"
#include "governor/local_gate.h"
#include "governor/rate_limit.h"
#include "governor/waiting_line.h"

using namespace cwire;
using namespace std::chrono_literals;

namespace {

const TimePoint kStart = TimePoint() + 1h;

CircuitBreaker::Settings breaker_defaults() {
  CircuitBreaker::Settings settings;
  settings.failed_share = 0.5;
  settings.attempts_min = 20;
  settings.window = 10s;
  settings.open_for = 30s;
  settings.open_max = 300s;
  settings.probes = 3;
  return settings;
}

EndpointGovernor::Settings defaults() {
  EndpointGovernor::Settings settings;
  settings.handshakes = {64, 1, 1024};
  settings.breaker = breaker_defaults();
  return settings;
}

// An endpoint with its stations, and a clock.
class Fleet {
 public:
  explicit Fleet(EndpointGovernor::Settings settings = defaults(), std::size_t stations = 0)
      : governor(settings, gate, 1) {
    for (std::size_t i = 0; i < stations; ++i) ask();
  }
  ~Fleet() {
    for (auto& permit : permits) governor.withdraw(permit);
  }

  Permit& ask(Priority priority = Priority::normal) {
    Permit& permit = permits.emplace_back();
    governor.ask(permit, priority, now);
    return permit;
  }
  // All whose turn it is now.
  std::vector<Permit*> turns() {
    std::vector<Permit*> result;
    while (Permit* permit = governor.next(now)) result.push_back(permit);
    return result;
  }
  void end(const std::vector<Permit*>& permits_held, Outcome outcome) {
    for (Permit* permit : permits_held) governor.ended(*permit, outcome, now);
  }
  // As many attempts with that outcome, one after the other.
  void attempts(int count, Outcome outcome) {
    for (int i = 0; i < count; ++i) {
      ask();
      Permit* permit = governor.next(now);
      REQUIRE(permit != nullptr);
      governor.ended(*permit, outcome, now);
    }
  }

  TimePoint now = kStart;
  LocalGate gate{1};
  std::deque<Permit> permits;
  EndpointGovernor governor;
};

GovernorSettings one_per_second() {
  GovernorSettings settings;
  settings.handshakes_start = settings.handshakes_min = settings.handshakes_max = 10;
  settings.connects_per_second = 1;
  settings.breaker_failures = 0.5;
  settings.breaker_attempts_min = 20;
  settings.breaker_window = 10s;
  settings.breaker_open = 30s;
  settings.breaker_open_max = 300s;
  settings.breaker_probes = 3;
  return settings;
}

struct Guest final : Applicant {
  void permitted() noexcept override { ++turns; }
  int turns = 0;
};

struct Person : Waiter {
  explicit Person(std::string n) : name(std::move(n)) {}
  std::string name;
};

}  // namespace

// ---- the limit of handshakes under way ----

TEST_CASE("The limit doubles per round of handshakes while the server keeps pace, up to its maximum") {
  ConcurrencyLimit limit({64, 1, 1024});
  for (const std::uint32_t expected : {128u, 256u, 512u, 1024u, 1024u}) {
    const std::uint32_t round = limit.limit();
    for (std::uint32_t i = 0; i < round; ++i) limit.succeeded(50ms, limit.limit());
    CHECK(limit.limit() == expected);
  }
}

TEST_CASE("A limit that is not used does not grow") {
  ConcurrencyLimit limit({64, 1, 1024});
  for (int i = 0; i < 1000; ++i) limit.succeeded(50ms, 31);
  CHECK(limit.limit() == 64);
  limit.succeeded(50ms, 32);
  CHECK(limit.limit() == 65);
}

TEST_CASE("The limit stops growing while handshakes take longer than half as much again as the shortest") {
  ConcurrencyLimit limit({64, 1, 1024});
  for (int i = 0; i < 20; ++i) limit.succeeded(100ms, 64);
  const std::uint32_t before = limit.limit();
  CHECK(before == 84);
  for (int i = 0; i < 100; ++i) limit.succeeded(200ms, before);
  CHECK(limit.limit() <= before + 4);  // until the smoothed time has followed
  const std::uint32_t held = limit.limit();
  // From there on by one per round.
  for (std::uint32_t i = 0; i < 10 * held; ++i) limit.succeeded(100ms, held);
  CHECK(limit.limit() > held + 7);
  CHECK(limit.limit() <= held + 10);
}

TEST_CASE("That a handshake takes 15 ms instead of 1 is no sign of load") {
  ConcurrencyLimit limit({64, 1, 1024});
  limit.succeeded(1ms, 64);
  for (int i = 0; i < 100; ++i) limit.succeeded(15ms, 1024);
  CHECK(limit.limit() == 165);
}

TEST_CASE("Trouble takes three tenths of the limit, once per round") {
  ConcurrencyLimit limit({100, 1, 1024});
  limit.overloaded(kStart, kStart + 1s);
  CHECK(limit.limit() == 70);
  // What had begun before the cut.
  for (int i = 0; i < 50; ++i) limit.overloaded(kStart, kStart + 2s);
  CHECK(limit.limit() == 70);
  limit.overloaded(kStart + 1s, kStart + 3s);  // at that very moment
  CHECK(limit.limit() == 70);
  limit.overloaded(kStart + 2s, kStart + 3s);
  CHECK(limit.limit() == 49);
}

TEST_CASE("The limit never falls below its minimum, and an outage does not make it forget what was sustained") {
  ConcurrencyLimit limit({64, 2, 1024});
  for (int i = 0; i < 100; ++i) limit.succeeded(50ms, 1024);
  CHECK(limit.limit() == 164);
  TimePoint now = kStart;
  for (int i = 0; i < 100; ++i, now += 1s) limit.overloaded(now, now + 1s);
  CHECK(limit.limit() == 2);
  // Back by doubling, up to where it was cut first, and by one per round from there.
  for (int i = 0; i < 112; ++i) limit.succeeded(50ms, 1024);
  CHECK(limit.limit() == 114);
  for (int i = 0; i < 57; ++i) limit.succeeded(50ms, 1024);
  CHECK(limit.limit() <= 116);
}

// ---- connects per second ----

TEST_CASE("No second sees more than 1.1 times the rate, and the rate is reached") {
  const double rate = GENERATE(0.5, 1.0, 7.0, 10.0, 100.0, 1000.0);
  RateLimit limit(rate);
  std::vector<TimePoint> passed;
  TimePoint now = kStart;
  // A clock with a grain of 3 ms, as a busy loop has.
  for (; now < kStart + 60s; now += 3ms) {
    while (limit.may_pass(now)) {
      limit.passed(now);
      passed.push_back(now);
    }
    CHECK(limit.opens_at() > now);
  }
  std::size_t most = 0;
  for (std::size_t first = 0, end = 0; first < passed.size(); ++first) {
    while (end < passed.size() && passed[end] < passed[first] + 1s) ++end;
    most = std::max(most, end - first);
  }
  INFO(rate << " per second: at most " << most << " in a second, " << passed.size() << " in a minute");
  CHECK(static_cast<double>(most) <= std::max(1.0, 1.1 * rate + 1));
  CHECK(static_cast<double>(passed.size()) >= 0.97 * 60 * rate);
}

TEST_CASE("A pause is not caught up with") {
  RateLimit limit(100);
  limit.passed(kStart);
  const TimePoint later = kStart + 1h;
  int passed = 0;
  for (; limit.may_pass(later); ++passed) limit.passed(later);
  CHECK(passed >= 9);
  CHECK(passed <= 10);
}

TEST_CASE("A rate of 0 is none") {
  RateLimit limit(0);
  for (int i = 0; i < 100000; ++i) {
    REQUIRE(limit.may_pass(kStart));
    limit.passed(kStart);
  }
}

// ---- the circuit breaker ----

TEST_CASE("The breaker opens when half of at least twenty attempts failed within the window") {
  CircuitBreaker breaker(breaker_defaults());
  std::minstd_rand random(1);
  for (int i = 0; i < 9; ++i) breaker.ended(true, false, kStart, random);
  for (int i = 0; i < 10; ++i) breaker.ended(false, false, kStart, random);
  CHECK(breaker.state() == CircuitBreaker::State::closed);
  SECTION("the twentieth fails") {
    breaker.ended(true, false, kStart, random);
    CHECK(breaker.state() == CircuitBreaker::State::open);
    CHECK_FALSE(breaker.may_pass());
  }
  SECTION("the twentieth succeeds") {
    breaker.ended(false, false, kStart, random);
    CHECK(breaker.state() == CircuitBreaker::State::closed);
  }
  SECTION("the others are forgotten by then") {
    breaker.ended(true, false, kStart + 10s, random);
    CHECK(breaker.state() == CircuitBreaker::State::closed);
    CHECK(breaker.attempts(kStart + 10s) == 1);
  }
  SECTION("they are not yet") {
    breaker.ended(true, false, kStart + 8s, random);
    CHECK(breaker.state() == CircuitBreaker::State::open);
  }
}

TEST_CASE("The breaker stays open for 30 s times the openings in a row, at most 300 s, and up to a quarter more") {
  CircuitBreaker breaker(breaker_defaults());
  std::minstd_rand random(7);
  TimePoint now = kStart;
  for (int i = 0; i < 20; ++i) breaker.ended(true, false, now, random);
  for (int opening = 1; opening <= 14; ++opening) {
    INFO("opening " << opening);
    const Duration least = std::min<Duration>(300s, opening * 30s);
    CHECK(breaker.opens_until() >= now + least);
    CHECK(breaker.opens_until() <= now + least + least / 4);
    breaker.advance(breaker.opens_until() - 1ns);
    REQUIRE(breaker.state() == CircuitBreaker::State::open);
    now = breaker.opens_until();
    breaker.advance(now);
    REQUIRE(breaker.state() == CircuitBreaker::State::half_open);
    breaker.passed();
    breaker.ended(true, true, now, random);
    REQUIRE(breaker.state() == CircuitBreaker::State::open);
  }
}

TEST_CASE("Openings begin anew once the breaker stayed closed for its longest time") {
  std::minstd_rand random(7);
  const Duration closed_for = GENERATE(Duration(299s), Duration(301s));
  CircuitBreaker breaker(breaker_defaults());
  TimePoint now = kStart;
  for (int i = 0; i < 20; ++i) breaker.ended(true, false, now, random);
  now = breaker.opens_until();
  breaker.advance(now);
  for (int i = 0; i < 3; ++i) {
    breaker.passed();
    breaker.ended(false, true, now, random);
  }
  REQUIRE(breaker.state() == CircuitBreaker::State::closed);
  now += closed_for;
  for (int i = 0; i < 20; ++i) breaker.ended(true, false, now, random);
  CHECK((breaker.opens_until() - now < 60s) == (closed_for > 300s));
}

TEST_CASE("What is told with an earlier time than the last, by another thread, counts like what is told now") {
  CircuitBreaker breaker(breaker_defaults());
  std::minstd_rand random;
  breaker.ended(true, false, kStart + 5s, random);
  breaker.ended(true, false, kStart, random);
  CHECK(breaker.attempts(kStart) == 2);
  CHECK(breaker.failures(kStart + 5s) == 2);
  CHECK(breaker.attempts(kStart + 13s) == 2);
  CHECK(breaker.attempts(kStart + 15s) == 0);
}

TEST_CASE("Half open, three probes pass and no more, all well, it closes") {
  CircuitBreaker breaker(breaker_defaults());
  std::minstd_rand random(1);
  for (int i = 0; i < 20; ++i) breaker.ended(true, false, kStart, random);
  const TimePoint now = breaker.opens_until();
  breaker.advance(now);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(breaker.may_pass());
    breaker.passed();
  }
  CHECK_FALSE(breaker.may_pass());
  // What began before says nothing.
  breaker.ended(true, false, now, random);
  CHECK(breaker.state() == CircuitBreaker::State::half_open);
  breaker.ended(false, true, now, random);
  CHECK_FALSE(breaker.may_pass());
  breaker.gave_up(true);
  CHECK(breaker.may_pass());
  breaker.passed();
  breaker.ended(false, true, now, random);
  CHECK(breaker.state() == CircuitBreaker::State::half_open);
  breaker.ended(false, true, now, random);
  CHECK(breaker.state() == CircuitBreaker::State::closed);
}

TEST_CASE("A breaker that is off opens by hand only") {
  CircuitBreaker::Settings settings = breaker_defaults();
  settings.enabled = false;
  CircuitBreaker breaker(settings);
  std::minstd_rand random(1);
  for (int i = 0; i < 1000; ++i) breaker.ended(true, false, kStart, random);
  CHECK(breaker.may_pass());
  breaker.isolate();
  CHECK_FALSE(breaker.may_pass());
  breaker.advance(kStart + 24h);
  CHECK_FALSE(breaker.may_pass());
  breaker.reset();
  CHECK(breaker.may_pass());
}

// ---- the waiting line ----

TEST_CASE("Of thirteen turns eight go to high, four to normal and one to low priority, each in order") {
  WaitingLine line;
  std::deque<Person> people;
  for (int i = 0; i < 130; ++i) {
    for (const Priority priority : {Priority::low, Priority::normal, Priority::high}) {
      line.add(people.emplace_back("hnl"[static_cast<int>(priority)] + std::to_string(i)), priority, kStart);
    }
  }
  CHECK(line.size() == 390);
  CHECK(line.size(Priority::low) == 130);
  int next[3] = {0, 0, 0};
  for (int turn = 1; turn <= 130; ++turn) {
    const std::string& name = static_cast<Person*>(line.take(kStart))->name;
    const std::size_t kind = std::string("hnl").find(name[0]);
    CHECK(name.substr(1) == std::to_string(next[kind]++));
    if (turn % 13 == 0) {
      CHECK(next[0] == turn / 13 * 8);
      CHECK(next[1] == turn / 13 * 4);
      CHECK(next[2] == turn / 13);
    }
  }
  while (line.take(kStart) != nullptr) {
  }
  CHECK(line.empty());
}

TEST_CASE("Who waited for half a minute moves up, so that low priority is not starved by a stream of high") {
  WaitingLine line;
  std::deque<Person> people;
  Person patient("patient");
  for (int i = 0; i < 1000; ++i) line.add(people.emplace_back("low"), Priority::low, kStart);
  line.add(patient, Priority::low, kStart);
  TimePoint now = kStart;
  Waiter* served = nullptr;
  // Ten new of high priority each second, and ten turns.
  for (; served != &patient && now < kStart + 1h; now += 100ms) {
    line.add(people.emplace_back("high"), Priority::high, now);
    served = line.take(now);
  }
  INFO("served after " << std::chrono::duration_cast<std::chrono::seconds>(now - kStart).count() << " s");
  CHECK(served == &patient);
  CHECK(now < kStart + 4min);  // by its weight alone it would be 1001 * 9 turns: a quarter of an hour
  while (line.take(now) != nullptr) {
  }
}

TEST_CASE("Anybody may leave the line, first, last and from the middle") {
  WaitingLine line;
  Person a("a"), b("b"), c("c"), d("d");
  for (Person* person : {&a, &b, &c, &d}) line.add(*person, Priority::normal, kStart);
  line.remove(b);
  line.remove(a);
  line.remove(d);
  CHECK(line.size() == 1);
  CHECK(line.take(kStart) == &c);
  CHECK(line.take(kStart) == nullptr);
  line.add(b, Priority::normal, kStart);
  CHECK(line.take(kStart) == &b);
}

// ---- the local gate ----

TEST_CASE("Out of descriptors, nobody passes for a second, doubling to thirty, and then one to try") {
  LocalGate gate(3);
  bool probe = false;
  CHECK(gate.ask_again_at(kStart) == kStart);
  REQUIRE(gate.pass(kStart, probe));
  CHECK_FALSE(probe);
  TimePoint now = kStart;
  gate.failed(false, now);
  gate.failed(false, now);  // another that had begun before: no second step
  for (const int seconds : {1, 2, 4, 8, 16, 30, 30}) {
    const Duration wait = std::chrono::seconds(seconds);
    const TimePoint opens = gate.ask_again_at(now);
    CHECK(opens >= now + wait - wait / 5);
    CHECK(opens <= now + wait + wait / 5);
    CHECK_FALSE(gate.pass(opens - 1ns, probe));
    now = opens;
    REQUIRE(gate.pass(now, probe));
    CHECK(probe);
    bool second = false;
    CHECK_FALSE(gate.pass(now, second));
    CHECK(gate.ask_again_at(now) > now);
    gate.failed(true, now);
  }
  now = gate.ask_again_at(now);
  REQUIRE(gate.pass(now, probe));
  gate.gave_up(probe);
  REQUIRE(gate.pass(now, probe));
  CHECK(probe);
  gate.succeeded(probe);
  CHECK(gate.pass(now, probe));
  CHECK_FALSE(probe);
  // And begins anew.
  gate.failed(false, now);
  CHECK(gate.ask_again_at(now) <= now + 1200ms);
  // A child of fork() has nothing to do with it.
  gate.lock();
  gate.abandon();
  gate.unlock();
  CHECK(gate.pass(now, probe));
  CHECK_FALSE(probe);
}

// ---- all of it, for one endpoint ----

TEST_CASE("One station passes at once, however often it comes back") {
  Fleet fleet;
  Permit& permit = fleet.ask();
  for (int i = 0; i < 10; ++i) {
    CHECK(fleet.turns() == std::vector<Permit*>{&permit});
    CHECK(permit.held());
    fleet.governor.ended(permit, Outcome::failed, fleet.now);
    fleet.now += 5s;
    fleet.governor.ask(permit, Priority::normal, fleet.now);
  }
}

TEST_CASE("No more handshakes are under way than the limit, and each that ends makes room") {
  Fleet fleet(defaults(), 1000);
  const std::vector<Permit*> first = fleet.turns();
  CHECK(first.size() == 64);
  CHECK(fleet.governor.handshakes() == 64);
  CHECK(fleet.governor.deadline() == kNever);
  CHECK(fleet.governor.line().size() == 936);
  fleet.governor.withdraw(*first[0]);
  CHECK(fleet.turns().size() == 1);
  fleet.governor.ended(*first[1], Outcome::refused, fleet.now);
  CHECK(fleet.turns().size() == 1);
  // One that succeeds makes room for itself and one more.
  fleet.governor.ended(*first[2], Outcome::established, fleet.now + 50ms);
  CHECK(fleet.turns().size() == 2);
  CHECK(fleet.governor.handshakes() == 65);
}

TEST_CASE("Whoever waits may change its mind") {
  EndpointGovernor::Settings settings = defaults();
  settings.handshakes = {1, 1, 1};
  Fleet fleet(settings, 3);
  CHECK(fleet.turns().size() == 1);
  fleet.governor.withdraw(fleet.permits[1]);
  CHECK_FALSE(fleet.permits[1].waits());
  fleet.governor.withdraw(fleet.permits[1]);
  fleet.governor.withdraw(fleet.permits[0]);
  CHECK(fleet.turns() == std::vector<Permit*>{&fleet.permits[2]});
  // A permit that is not held ends nothing.
  fleet.governor.ended(fleet.permits[0], Outcome::failed, fleet.now);
  CHECK(fleet.governor.handshakes() == 1);
}

TEST_CASE("A rate is kept, and deadline() says when the next may go") {
  EndpointGovernor::Settings settings = defaults();
  settings.connects_per_second = 5;
  Fleet fleet(settings, 20);
  int passed = 0;
  const TimePoint begin = fleet.now;
  while (passed < 20) {
    const std::vector<Permit*> turns = fleet.turns();
    passed += static_cast<int>(turns.size());
    CHECK(turns.size() == 1);
    if (passed == 20) break;
    REQUIRE(fleet.governor.deadline() > fleet.now);
    fleet.now = fleet.governor.deadline();
  }
  CHECK(fleet.now - begin >= 3800ms);
  CHECK(fleet.now - begin < 3801ms);
}

TEST_CASE("An open breaker defers every station, then three distinct ones try") {
  Fleet fleet;
  fleet.attempts(20, Outcome::failed);
  CHECK(fleet.governor.state() == CircuitBreaker::State::open);
  for (int i = 0; i < 10; ++i) fleet.ask();
  CHECK(fleet.turns().empty());
  REQUIRE(fleet.governor.deadline() >= fleet.now + 30s);
  fleet.now = fleet.governor.deadline();
  const std::vector<Permit*> probes = fleet.turns();
  REQUIRE(probes.size() == 3);
  // One gives up and asks again: it is not a probe twice while others wait.
  fleet.governor.withdraw(*probes[0]);
  while (fleet.governor.line().size() > 1) {
    // All others but one leave.
    for (auto& permit : fleet.permits) {
      if (permit.waits() && fleet.governor.line().size() > 1) fleet.governor.withdraw(permit);
    }
  }
  Permit* other = nullptr;
  for (auto& permit : fleet.permits) {
    if (permit.waits()) other = &permit;
  }
  fleet.governor.withdraw(*other);
  fleet.governor.ask(*probes[0], Priority::high, fleet.now);
  fleet.governor.ask(*other, Priority::low, fleet.now);
  CHECK(fleet.turns() == std::vector<Permit*>{other});
  fleet.governor.ended(*other, Outcome::established, fleet.now);
  fleet.governor.ended(*probes[1], Outcome::established, fleet.now);
  fleet.governor.ended(*probes[2], Outcome::refused, fleet.now);  // it answers, so it is well
  CHECK(fleet.governor.state() == CircuitBreaker::State::closed);
  // Slow start.
  CHECK(fleet.governor.handshakes_limit() >= 3);
  CHECK(fleet.governor.handshakes_limit() <= 6);
  CHECK(fleet.turns() == std::vector<Permit*>{probes[0]});
}

TEST_CASE("An attempt from before the breaker opened is no probe, and its end makes no room for one") {
  const bool gives_up = GENERATE(true, false);
  Fleet fleet;
  Permit& early = fleet.ask();
  REQUIRE(fleet.turns().size() == 1);
  fleet.attempts(20, Outcome::failed);
  fleet.now += 40s;
  for (int i = 0; i < 5; ++i) fleet.ask();
  std::vector<Permit*> probes = fleet.turns();
  REQUIRE(fleet.governor.state() == CircuitBreaker::State::half_open);
  REQUIRE(probes.size() == 2);  // with the early one as many as there are to be probes
  if (gives_up) {
    fleet.governor.withdraw(early);
  } else {
    fleet.governor.ended(early, Outcome::established, fleet.now);
  }
  REQUIRE(fleet.turns().size() == 1);
  fleet.end(probes, Outcome::established);
  CHECK(fleet.governor.state() == CircuitBreaker::State::half_open);
  CHECK(fleet.turns().empty());
}

TEST_CASE("A station that is alone may be a probe more than once") {
  Fleet fleet;
  fleet.attempts(20, Outcome::failed);
  Permit& permit = fleet.ask();
  fleet.turns();
  fleet.now = fleet.governor.deadline();
  for (int i = 0; i < 3; ++i) {
    REQUIRE(fleet.turns() == std::vector<Permit*>{&permit});
    CHECK(fleet.governor.state() == CircuitBreaker::State::half_open);
    fleet.governor.ended(permit, Outcome::refused, fleet.now);
    fleet.governor.ask(permit, Priority::normal, fleet.now);
  }
  CHECK(fleet.governor.state() == CircuitBreaker::State::closed);
}

TEST_CASE("A probe that fails or is throttled opens the breaker again, for longer") {
  const Outcome outcome = GENERATE(Outcome::failed, Outcome::throttled);
  Fleet fleet;
  fleet.attempts(20, Outcome::failed);
  for (int i = 0; i < 10; ++i) fleet.ask();
  fleet.turns();
  fleet.now = fleet.governor.deadline();
  const std::vector<Permit*> probes = fleet.turns();
  REQUIRE(probes.size() == 3);
  fleet.governor.ended(*probes[0], outcome, fleet.now);
  CHECK(fleet.governor.state() == CircuitBreaker::State::open);
  CHECK(fleet.governor.opens_until() >= fleet.now + 60s);
  // The other two come in late, and change nothing.
  fleet.governor.ended(*probes[1], Outcome::established, fleet.now);
  fleet.governor.ended(*probes[2], Outcome::failed, fleet.now);
  CHECK(fleet.governor.state() == CircuitBreaker::State::open);
  CHECK(fleet.governor.handshakes() == 0);
}

TEST_CASE("A station that was a probe is an ordinary one once the breaker is closed again") {
  Fleet fleet;
  fleet.attempts(20, Outcome::failed);
  fleet.now += 40s;
  for (int i = 0; i < 3; ++i) fleet.ask();
  const std::vector<Permit*> probes = fleet.turns();
  REQUIRE(probes.size() == 3);
  fleet.end(probes, Outcome::established);
  REQUIRE(fleet.governor.state() == CircuitBreaker::State::closed);
  for (int round = 0; round < 10; ++round) {
    for (Permit* permit : probes) fleet.governor.ask(*permit, Priority::normal, fleet.now);
    fleet.end(fleet.turns(), Outcome::throttled);
  }
  CHECK(fleet.governor.state() == CircuitBreaker::State::closed);
  CHECK(fleet.governor.attempts(fleet.now) == 0);
}

TEST_CASE("Refusals, throttling and what is wanting here do not open the breaker") {
  const Outcome outcome = GENERATE(Outcome::refused, Outcome::throttled, Outcome::abandoned);
  Fleet fleet;
  fleet.attempts(1000, outcome);
  CHECK(fleet.governor.state() == CircuitBreaker::State::closed);
  CHECK((fleet.governor.handshakes_limit() < 64) == (outcome == Outcome::throttled));
}

TEST_CASE("Accept and close, again and again, opens the breaker as failures do") {
  EndpointGovernor::Settings settings = defaults();
  settings.breaker.failed_share = GENERATE(0.5, 1.0);
  Fleet fleet(settings);
  const Duration lasted = GENERATE(Duration(1s), Duration(11s));
  for (int i = 0; i < 30 && fleet.governor.state() == CircuitBreaker::State::closed; ++i) {
    Permit& permit = fleet.ask();
    REQUIRE(fleet.turns().size() == 1);
    fleet.governor.ended(permit, Outcome::established, fleet.now);
    fleet.governor.lost(permit, fleet.now + lasted);
  }
  CHECK((fleet.governor.state() == CircuitBreaker::State::open) == (lasted < 10s));
}

TEST_CASE("An endpoint that is isolated is left alone until it is reset") {
  Fleet fleet(defaults(), 5);
  fleet.governor.isolate();
  CHECK(fleet.turns().empty());
  CHECK(fleet.governor.deadline() == kNever);
  fleet.now += 24h;
  CHECK(fleet.turns().empty());
  fleet.governor.reset();
  CHECK(fleet.turns().size() == 5);
}

TEST_CASE("Reset closes an open breaker and gives the limit back") {
  Fleet fleet;
  for (int i = 0; i < 20; ++i) {
    fleet.attempts(1, Outcome::failed);
    fleet.now += 1ms;
  }
  CHECK(fleet.governor.state() == CircuitBreaker::State::open);
  CHECK(fleet.governor.handshakes_limit() < 64);
  fleet.governor.reset();
  CHECK(fleet.governor.state() == CircuitBreaker::State::closed);
  CHECK(fleet.governor.handshakes_limit() == 64);
  CHECK(fleet.governor.attempts(fleet.now) == 0);
}

TEST_CASE("What was a probe once is none any more when the breaker has closed") {
  Fleet fleet;
  fleet.attempts(20, Outcome::failed);
  for (int i = 0; i < 3; ++i) fleet.ask();
  fleet.turns();
  fleet.now = fleet.governor.deadline();
  const std::vector<Permit*> probes = fleet.turns();
  REQUIRE(probes.size() == 3);
  fleet.end(probes, Outcome::established);
  REQUIRE(fleet.governor.state() == CircuitBreaker::State::closed);
  for (int i = 0; i < 30; ++i) {
    for (Permit* permit : probes) {
      fleet.governor.ask(*permit, Priority::normal, fleet.now);
      REQUIRE(fleet.governor.next(fleet.now) == permit);
      fleet.governor.ended(*permit, Outcome::throttled, fleet.now);
    }
  }
  CHECK(fleet.governor.attempts(fleet.now) == 0);
  CHECK(fleet.governor.state() == CircuitBreaker::State::closed);
}

TEST_CASE("An attempt that fails before its turn leaves the line") {
  EndpointGovernor::Settings settings = defaults();
  settings.handshakes = {1, 1, 1};
  Fleet fleet(settings, 2);
  REQUIRE(fleet.turns().size() == 1);
  fleet.governor.ended(fleet.permits[1], Outcome::local, fleet.now);
  CHECK(fleet.governor.line().empty());
  CHECK_FALSE(fleet.permits[1].held());
  CHECK(fleet.governor.handshakes() == 1);
}

TEST_CASE("The keeper is called when somebody wants it, not by its own run") {
  int wanted = 0;
  Governor governor(one_per_second(), [&] { ++wanted; });
  const std::shared_ptr<Governor::Endpoint> endpoint = governor.attach("ws://csms.example:80");
  Guest first, second, third;
  CHECK(endpoint->ask(first, Priority::normal, kStart));
  CHECK(wanted == 0);
  CHECK_FALSE(endpoint->ask(second, Priority::normal, kStart));
  CHECK_FALSE(endpoint->ask(third, Priority::normal, kStart));
  CHECK(wanted == 1);
  const TimePoint again = governor.run(kStart);
  CHECK(again > kStart + 999ms);
  CHECK(governor.run(again - 1ms) == again);
  CHECK(second.turns == 0);
  CHECK(governor.run(again) > again);
  CHECK(second.turns == 1);
  CHECK(wanted == 1);
  for (Guest* guest : {&first, &second, &third}) endpoint->withdraw(*guest, again);
}

TEST_CASE("Asking again changes nothing, neither for who has a turn nor for who waits") {
  Governor governor(one_per_second(), [] {});
  const std::shared_ptr<Governor::Endpoint> endpoint = governor.attach("ws://csms.example:80");
  Guest first, second, third;
  CHECK(endpoint->ask(first, Priority::normal, kStart));
  CHECK(endpoint->ask(first, Priority::normal, kStart));
  CHECK(endpoint->numbers(kStart).handshakes == 1);
  for (Guest* guest : {&second, &third, &second}) CHECK_FALSE(endpoint->ask(*guest, Priority::normal, kStart));
  CHECK(endpoint->numbers(kStart).waiting[static_cast<std::size_t>(Priority::normal)] == 2);
  governor.run(kStart + 2s);
  CHECK(second.turns == 1);
  CHECK(third.turns == 0);
  for (Guest* guest : {&first, &second, &third}) endpoint->withdraw(*guest, kStart + 2s);
}

TEST_CASE("An endpoint lives as long as somebody holds it, or it is isolated, however many come and go meanwhile") {
  Governor governor(one_per_second(), [] {});
  const std::shared_ptr<Governor::Endpoint> held = governor.attach("ws://held.example:80");
  governor.isolate("ws://isolated.example:80", kStart);
  for (int i = 0; i < 100; ++i) governor.attach("ws://" + std::to_string(i) + ".example:80");
  REQUIRE(governor.endpoints().size() == 2);
  CHECK(governor.attach("ws://held.example:80") == held);
  CHECK(governor.attach("ws://isolated.example:80")->numbers(kStart).state == CircuitBreaker::State::isolated);
  governor.reset("ws://isolated.example:80", kStart);
  CHECK(governor.endpoints().size() == 1);
}

TEST_CASE("Out of descriptors, all endpoints of the process wait for one station that tries") {
  LocalGate gate(1);
  EndpointGovernor here(defaults(), gate, 1), there(defaults(), gate, 2);
  Permit a, b, c;
  here.ask(a, Priority::normal, kStart);
  REQUIRE(here.next(kStart) == &a);
  here.ended(a, Outcome::local, kStart);
  CHECK(here.attempts(kStart) == 0);
  there.ask(b, Priority::normal, kStart);
  there.ask(c, Priority::normal, kStart);
  CHECK(there.next(kStart) == nullptr);
  const TimePoint again = there.deadline();
  CHECK(again >= kStart + 800ms);
  CHECK(again <= kStart + 1200ms);
  REQUIRE(there.next(again) == &b);
  CHECK(there.next(again) == nullptr);  // one is enough to see
  CHECK(there.deadline() > again);
  there.ended(b, Outcome::established, again + 10ms);
  CHECK(there.next(again + 10ms) == &c);
  there.withdraw(c);
}
