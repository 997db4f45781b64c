// How a fleet comes back, judged by the server it comes back to.
#include <csms.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>

#include "bystanders.h"
#include "fixture.h"
#include "judge.h"
#include "raw_peer.h"

using namespace fixture;
using Catch::Contains;
using namespace std::chrono_literals;

namespace {

std::string id(std::size_t number) { return "CP" + std::to_string(number); }

// The endpoint's numbers; all 0 if no station uses it.
cwire_endpoint endpoint(cwire_manager manager, const std::string& url) {
  std::vector<cwire_endpoint> all(8);
  all[0].size = sizeof(cwire_endpoint);
  std::size_t count = 0;
  REQUIRE(cwire_manager_endpoints(manager, all.data(), all.size(), &count) == CWIRE_OK);
  for (std::size_t i = 0; i < count; ++i) {
    CHECK(all[i].size == sizeof(cwire_endpoint));
    if (all[i].name == url) return all[i];
  }
  return cwire_endpoint{};
}

bool wait_for_breaker(Fleet& fleet, std::int32_t state, std::size_t times = 1) {
  return fleet.wait([&](const Records& records) {
    return static_cast<std::size_t>(std::count_if(records.begin(), records.end(), [&](const Record& record) {
             return record.type == CWIRE_EVENT_ENDPOINT && record.code == state;
           })) >= times;
  });
}

std::size_t connects(const Records& records) { return count(records, CWIRE_EVENT_CONNECTED); }

// Attempts that fail soon, many of them.
Settings impatient(Settings more = {}) {
  Settings settings = quick({{"governor.breaker", "true"},
                             {"governor.breaker_window", "60s"},
                             {"csms.reconnect_backoff", "1ms"},
                             {"csms.reconnect_max_backoff", "5ms"}});
  for (auto& setting : more) settings.push_back(std::move(setting));
  return settings;
}

}  // namespace

TEST_CASE("no more handshakes are under way than the limit, and all get through") {
  const Delivery delivery = both_deliveries();
  Judge judge(30ms);
  Fleet fleet(
      delivery,
      quick({{"governor.handshakes_start", "4"}, {"governor.handshakes_min", "4"}, {"governor.handshakes_max", "4"}}));
  for (std::size_t i = 0; i < 40; ++i) fleet.connect(id(i), judge.url());
  REQUIRE(fleet.wait([](const Records& records) { return connects(records) == 40; }));
  CHECK(judge.findings().handshakes_peak <= 4);
  CHECK(endpoint(fleet.manager, judge.url()).handshakes == 0);
  CHECK(endpoint(fleet.manager, judge.url()).handshakes_limit == 4);
  fleet.finish();
}

TEST_CASE("the limit grows with a server that keeps pace") {
  Judge judge(100ms);
  Fleet fleet(Delivery::handler, quick({{"governor.handshakes_start", "4"}}));
  for (std::size_t i = 0; i < 300; ++i) fleet.connect(id(i), judge.url());
  REQUIRE(fleet.wait([](const Records& records) { return connects(records) == 300; }));
  const cwire_endpoint numbers = endpoint(fleet.manager, judge.url());
  CHECK(numbers.handshakes_limit >= 8);
  CHECK(judge.findings().handshakes_peak > 4);
  CHECK(judge.findings().handshakes_peak <= numbers.handshakes_limit);
  CHECK(numbers.attempts == 300);
  CHECK(numbers.failures == 0);
  fleet.finish();
}

TEST_CASE("connects per second are kept, in every second") {
  Judge judge(1ms);
  Fleet fleet(Delivery::poll, quick({{"governor.connects_per_second", "50"}}));
  for (std::size_t i = 0; i < 120; ++i) fleet.connect(id(i), judge.url());
  REQUIRE(fleet.wait([](const Records& records) { return connects(records) == 120; }));
  const Judge::Findings found = judge.findings();
  CHECK(found.busiest_second <= 60);  // 1.2 times the limit
  CHECK(found.begun.size() >= 3);     // 120 of them take more than two seconds
  fleet.finish();
}

TEST_CASE("without a governor all dial at once, and there are no endpoints to speak of") {
  Judge judge(50ms);
  Fleet fleet(
      Delivery::handler,
      quick({{"governor.enabled", "false"}, {"governor.handshakes_start", "2"}, {"governor.handshakes_max", "2"}}));
  for (std::size_t i = 0; i < 100; ++i) fleet.connect(id(i), judge.url());
  REQUIRE(fleet.wait([](const Records& records) { return connects(records) == 100; }));
  CHECK(judge.findings().handshakes_peak > 2);
  std::size_t endpoints = 7;
  CHECK(cwire_manager_endpoints(fleet.manager, nullptr, 0, &endpoints) == CWIRE_OK);
  CHECK(endpoints == 0);
  Error error;
  CHECK(cwire_manager_isolate(fleet.manager, judge.url().c_str(), &error) == CWIRE_E_STATE);
  CHECK_THAT(error.text(), Contains("governor.enabled"));
  fleet.finish();
}

TEST_CASE("without a governor a station fails, comes back, is lost and takes new settings all the same") {
  csms::Csms here{csms::Options()}, there{csms::Options()};
  here.refuse_tcp();
  Fleet fleet(Delivery::handler, quick({{"governor.enabled", "false"}}));
  const cwire_station station = fleet.connect("CP1", here.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1", 2));
  here.come_back();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  here.die();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  here.come_back();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  REQUIRE(cwire_station_reconfigure(station, there.url().c_str(), nullptr, CWIRE_RECONFIGURE_RECONNECT, nullptr) ==
          CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 3));
  CHECK(there.connected("CP1"));
  fleet.finish();
}

TEST_CASE("stations of high priority go before those of low that asked earlier") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::poll, quick({{"io_threads", "1"},
                                     {"governor.handshakes_start", "1"},
                                     {"governor.handshakes_min", "1"},
                                     {"governor.handshakes_max", "1"}}));
  REQUIRE(cwire_manager_isolate(fleet.manager, csms.url().c_str(), nullptr) == CWIRE_OK);
  for (std::size_t i = 0; i < 13; ++i) fleet.connect("low" + id(i), csms.url(), {{"csms.priority", "low"}});
  for (std::size_t i = 0; i < 8; ++i) fleet.connect("high" + id(i), csms.url(), {{"csms.priority", "high"}});
  REQUIRE(fleet.wait([&](const Records&) {
    const cwire_endpoint numbers = endpoint(fleet.manager, csms.url());
    return numbers.waiting_low == 13 && numbers.waiting_high == 8;
  }));
  REQUIRE(cwire_manager_reset(fleet.manager, csms.url().c_str(), nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait([](const Records& records) { return connects(records) == 21; }));
  std::size_t high = 0, low_before_the_last_high = 0;
  for (const Record& record : fleet.records()) {
    if (record.type != CWIRE_EVENT_CONNECTED || high == 8) continue;
    ++(record.station_id[0] == 'h' ? high : low_before_the_last_high);
  }
  CHECK(low_before_the_last_high <= 1);
  fleet.finish();
}

TEST_CASE("an endpoint that fails is left alone, told in one event, and tried again by a few") {
  const Delivery delivery = both_deliveries();
  Judge judge(1ms);
  judge.die();
  Fleet fleet(delivery, impatient({{"governor.breaker_open", "2s"}, {"governor.breaker_open_max", "8s"}}));
  for (std::size_t i = 0; i < 50; ++i) fleet.connect(id(i), judge.url());
  REQUIRE(wait_for_breaker(fleet, CWIRE_BREAKER_OPEN));
  const Records so_far = fleet.records();
  const Record opened = must(first(so_far, CWIRE_EVENT_ENDPOINT));
  CHECK(opened.station == nullptr);
  CHECK(opened.station_id.empty());
  CHECK(opened.tag == CWIRE_BREAKER_CLOSED);
  CHECK_THAT(opened.data, Contains(judge.url()) && Contains("no station tries for"));
  const cwire_endpoint numbers = endpoint(fleet.manager, judge.url());
  if (numbers.breaker == CWIRE_BREAKER_OPEN) CHECK(numbers.opens_at_ns > opened.time_ns);

  judge.come_back();
  REQUIRE(fleet.wait([](const Records& records) { return connects(records) == 50; }));
  REQUIRE(wait_for_breaker(fleet, CWIRE_BREAKER_HALF_OPEN));
  REQUIRE(wait_for_breaker(fleet, CWIRE_BREAKER_CLOSED));
  CHECK(endpoint(fleet.manager, judge.url()).breaker == CWIRE_BREAKER_CLOSED);
  CHECK(judge.findings().handshakes == 50);  // nobody was let through in vain
  fleet.finish();
}

TEST_CASE("an endpoint that still fails when it is tried again is told as such") {
  raw::ClosedPort nobody;
  Fleet fleet(Delivery::poll, impatient({{"governor.breaker_open", "50ms"}, {"governor.breaker_probes", "1"}}));
  for (std::size_t i = 0; i < 10; ++i) fleet.connect(id(i), nobody.url());
  REQUIRE(wait_for_breaker(fleet, CWIRE_BREAKER_OPEN, 2));
  std::vector<std::string> openings;
  for (const Record& record : fleet.records()) {
    if (record.type == CWIRE_EVENT_ENDPOINT && record.code == CWIRE_BREAKER_OPEN) openings.push_back(record.data);
  }
  CHECK_THAT(openings[0], Contains("too many attempts to connect failed"));
  CHECK_THAT(openings[1], Contains("still does badly"));
  fleet.finish();
}

TEST_CASE("an open breaker costs no station an attempt") {
  raw::ClosedPort nobody;
  Fleet fleet(Delivery::poll, impatient({{"csms.max_reconnect_attempts", "3"},
                                         {"governor.breaker_attempts_min", "20"},
                                         {"governor.breaker_open", "1h"},
                                         {"governor.breaker_open_max", "1h"}}));
  constexpr std::size_t kStations = 10;  // at most two of three attempts each before it opens
  std::vector<cwire_station> stations;
  for (std::size_t i = 0; i < kStations; ++i) {
    stations.push_back(fleet.connect(id(i), nobody.url(),
                                     {{"csms.reconnect_backoff", "100ms"},
                                      {"csms.reconnect_max_backoff", "100ms"},
                                      {"csms.reconnect_jitter", "0%"}}));
  }
  REQUIRE(wait_for_breaker(fleet, CWIRE_BREAKER_OPEN));
  // All ask again, and wait: none gives up, however long it takes.
  REQUIRE(fleet.wait([&](const Records&) {
    const cwire_endpoint numbers = endpoint(fleet.manager, nobody.url());
    return numbers.waiting_normal == kStations && numbers.handshakes == 0;
  }));
  CHECK(count(fleet.records(), CWIRE_EVENT_CLOSED) == 0);
  const cwire_stats stats = fleet.stats(id(0));
  CHECK(stats.reconnect_attempts <= 2);
  // Who waits is told of it.
  Error error;
  REQUIRE(cwire_station_wait(stations[0], 1, &error) == CWIRE_E_TIMEOUT);
  CHECK_THAT(error.text(), Contains("too many attempts failed, so no station tries " + nobody.url() + " for ") &&
                               Contains("last attempt: dial"));
  fleet.finish();
}

TEST_CASE("accept and close, again and again, opens the breaker") {
  Judge judge(1ms);
  judge.flap(true);
  Fleet fleet(Delivery::handler, impatient({{"governor.breaker_open", "1h"}, {"governor.breaker_open_max", "1h"}}));
  Bystanders bystanders(fleet);
  for (std::size_t i = 0; i < 10; ++i) fleet.connect(id(i), judge.url());
  REQUIRE(wait_for_breaker(fleet, CWIRE_BREAKER_OPEN));
  bystanders.check();
  fleet.finish();
}

TEST_CASE("an endpoint that is isolated is not dialled, its connections live on, and reset lets everybody in") {
  const Delivery delivery = both_deliveries();
  csms::Csms csms{csms::Options()};
  Fleet fleet(delivery);
  const cwire_station there = fleet.connected("there", csms.url());
  const std::string any_path = csms.url() + "/some/path?token=x";
  REQUIRE(cwire_manager_isolate(fleet.manager, any_path.c_str(), nullptr) == CWIRE_OK);
  REQUIRE(cwire_manager_isolate(fleet.manager, any_path.c_str(), nullptr) == CWIRE_OK);
  REQUIRE(wait_for_breaker(fleet, CWIRE_BREAKER_ISOLATED));
  const cwire_station waits = fleet.connect("waits", csms.url());
  REQUIRE(fleet.wait([&](const Records&) { return endpoint(fleet.manager, csms.url()).waiting_normal == 1; }));
  CHECK(endpoint(fleet.manager, csms.url()).breaker == CWIRE_BREAKER_ISOLATED);
  CHECK(fleet.send(there, R"([2,"1","Heartbeat",{}])") == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "there"));
  CHECK(csms.counters().connections_accepted == 1);
  Error error;
  CHECK(cwire_station_wait(waits, 0, &error) == CWIRE_E_TIMEOUT);
  CHECK_THAT(error.text(), Contains("waits for its turn"));
  // One that waits can be ended like any other.
  const cwire_station ends = fleet.connect("ends", csms.url());
  REQUIRE(cwire_station_disconnect(ends, 1000, nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "ends"));
  REQUIRE(cwire_manager_reset(fleet.manager, csms.url().c_str(), nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "waits"));
  fleet.finish();
}

TEST_CASE("an endpoint may be isolated before anybody goes there") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::poll);
  REQUIRE(cwire_manager_isolate(fleet.manager, csms.url().c_str(), nullptr) == CWIRE_OK);
  const cwire_station station = fleet.connect("CP1", csms.url());
  REQUIRE(fleet.wait([&](const Records&) { return endpoint(fleet.manager, csms.url()).waiting_normal == 1; }));
  Error error;
  REQUIRE(cwire_station_wait(station, 1, &error) == CWIRE_E_TIMEOUT);
  CHECK_THAT(error.text(), Contains("CP1: not connected within 1 ms; " + csms.url() + " is isolated") &&
                               Contains("cwire_manager_reset"));
  // Shutdown does not wait for it.
  fleet.finish();
  CHECK(csms.counters().connections_accepted == 0);
}

TEST_CASE("what holds an attempt back is the endpoint that it goes to, whatever URL the next will have") {
  raw::Server old_place, new_place;
  Fleet fleet(Delivery::poll, quick({{"csms.reconnect_backoff", "1h"}, {"csms.reconnect_max_backoff", "1h"}}));
  REQUIRE(cwire_manager_isolate(fleet.manager, new_place.url().c_str(), nullptr) == CWIRE_OK);
  const cwire_station station = fleet.connect("CP1", old_place.url());
  raw::Connection peer = old_place.accept();
  peer.read_request();
  REQUIRE(cwire_station_reconfigure(station, new_place.url().c_str(), nullptr, 0, nullptr) == CWIRE_OK);
  Error under_way;
  REQUIRE(cwire_station_wait(station, 1, &under_way) == CWIRE_E_TIMEOUT);
  CHECK_THAT(under_way.text(), !Contains("isolated"));
  peer.close();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1"));
  Error next;
  REQUIRE(cwire_station_wait(station, 1, &next) == CWIRE_E_TIMEOUT);
  CHECK_THAT(next.text(), Contains(new_place.url() + " is isolated"));
  fleet.finish();
}

TEST_CASE("endpoints are listed by name, as many as there is room for") {
  csms::Csms a{csms::Options()}, b{csms::Options()};
  Fleet fleet(Delivery::poll);
  fleet.connected("CP1", a.url());
  fleet.connected("CP2", b.url());
  fleet.connected("CP3", b.url());
  std::size_t count = 0;
  CHECK(cwire_manager_endpoints(fleet.manager, nullptr, 0, &count) == CWIRE_E_TOO_BIG);
  CHECK(count == 2);
  std::vector<cwire_endpoint> all(1);
  CHECK(cwire_manager_endpoints(fleet.manager, all.data(), 1, &count) == CWIRE_E_INVALID_ARGUMENT);
  all[0].size = sizeof(cwire_endpoint);
  CHECK(cwire_manager_endpoints(fleet.manager, all.data(), 1, &count) == CWIRE_E_TOO_BIG);
  CHECK(std::string(all[0].name) == std::min(a.url(), b.url()));
  CHECK(cwire_manager_endpoints(fleet.manager, all.data(), 1, nullptr) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_endpoints(nullptr, all.data(), 1, &count) == CWIRE_E_INVALID_HANDLE);
  Error error;
  CHECK(cwire_manager_isolate(fleet.manager, "http://csms.example", &error) == CWIRE_E_INVALID_ARGUMENT);
  CHECK_THAT(error.text(), Contains("ws://"));
  CHECK(cwire_manager_isolate(fleet.manager, nullptr, &error) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_reset(nullptr, "ws://csms.example", nullptr) == CWIRE_E_INVALID_HANDLE);
  fleet.finish();
}

TEST_CASE("isolate, reset, connect and disconnect from many threads leave nobody behind") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::handler, quick({{"governor.handshakes_start", "4"}}));
  std::atomic<bool> done{false};
  std::thread operator_thread([&] {
    while (!done) {
      cwire_manager_isolate(fleet.manager, csms.url().c_str(), nullptr);
      std::size_t count = 0;
      std::vector<cwire_endpoint> all(4);
      all[0].size = sizeof(cwire_endpoint);
      cwire_manager_endpoints(fleet.manager, all.data(), all.size(), &count);
      cwire_manager_reset(fleet.manager, csms.url().c_str(), nullptr);
    }
  });
  std::vector<std::thread> callers;
  for (std::size_t t = 0; t < 3; ++t) {
    callers.emplace_back([&, t] {
      for (std::size_t i = 0; i < 30; ++i) {
        // Assertions are for one thread only.
        cwire_station station = nullptr;
        if (cwire_manager_connect(fleet.manager, id(100 * t + i).c_str(), csms.url().c_str(), nullptr, 0, &station,
                                  nullptr) != CWIRE_OK) {
          std::abort();
        }
        fleet.note_connect(station);
        if (i % 2 == 0) cwire_station_disconnect(station, 1000, nullptr);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  done = true;
  operator_thread.join();
  REQUIRE(cwire_manager_reset(fleet.manager, csms.url().c_str(), nullptr) == CWIRE_OK);
  for (std::size_t t = 0; t < 3; ++t) {
    for (std::size_t i = 1; i < 30; i += 2) REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, id(100 * t + i)));
  }
  fleet.finish();
}

namespace {

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (int descriptor = 0; descriptor < 65536; ++descriptor) count += ::fcntl(descriptor, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

// A sanitizer does, on purpose: what is resident says nothing there.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kKeepsFreedMemory = true;
#else
constexpr bool kKeepsFreedMemory = false;
#endif

std::size_t resident_bytes() {
  std::size_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// `stations` lose their CSMS at once, all default but the backoff, which would only make it last longer.
void storm(std::size_t stations, std::chrono::milliseconds handshake, const Settings& more) {
  Judge judge(handshake);
  Fleet fleet(Delivery::handler, more);
  Bystanders bystanders(fleet);
  const std::size_t others = connects(fleet.records());
  std::vector<cwire_station> tokens;
  for (std::size_t i = 0; i < stations; ++i) tokens.push_back(fleet.connect(id(i), judge.url()));
  const std::chrono::minutes patience(5);
  REQUIRE(fleet.wait([&](const Records& records) { return connects(records) == others + stations; }, patience));
  const std::size_t descriptors = open_descriptors();
  ::malloc_trim(0);
  const std::size_t memory = resident_bytes();

  judge.die();
  REQUIRE(fleet.wait([&](const Records& records) { return count(records, CWIRE_EVENT_DISCONNECTED) == stations; },
                     patience));
  bystanders.talk();
  judge.come_back();
  REQUIRE(fleet.wait([&](const Records& records) { return connects(records) == others + 2 * stations; }, patience));
  // A station may know of it before the judge has written it down.
  REQUIRE(judge.wait_until([&](const Judge::Findings& f) { return f.open == stations; }, patience));
  const Judge::Findings found = judge.findings();
  const cwire_endpoint numbers = endpoint(fleet.manager, judge.url());
  INFO(stations << " stations: at most " << found.handshakes_peak << " handshakes at once, limit "
                << numbers.handshakes_limit << ", busiest second " << found.busiest_second);
  // The limit only grew since it came back.
  CHECK(found.handshakes_peak <= 1.2 * numbers.handshakes_limit);
  // So many under way at once, each for the time of a handshake, are as many in a second as this.
  const double per_second = 1000.0 / static_cast<double>(handshake.count()) * numbers.handshakes_limit;
  CHECK(static_cast<double>(found.busiest_second) <= 1.2 * per_second);
  CHECK(found.handshakes == stations);  // nobody twice
  // Everybody's message arrives.
  for (const cwire_station token : tokens) REQUIRE(fleet.send(token, R"([2,"1","Heartbeat",{}])") == CWIRE_OK);
  CHECK(judge.wait_until([&](const Judge::Findings& f) { return f.messages == stations; }, patience));
  CHECK(open_descriptors() == descriptors);
  ::malloc_trim(0);
  const std::size_t after = resident_bytes();
  INFO("resident before " << memory << ", after " << after << " bytes, of which records of events are the test's own");
  if (!kKeepsFreedMemory) CHECK(after < memory + stations * 4096);
  bystanders.check();
  fleet.finish();
}

}  // namespace

TEST_CASE("a storm: hundreds of stations lose the CSMS at once, and come back paced, none lost") {
  storm(500, 20ms, quick({{"csms.reconnect_backoff", "100ms"}, {"csms.reconnect_max_backoff", "1s"}}));
}

TEST_CASE("a storm of 10,000 stations with the defaults", "[.nightly]") {
  csms::raise_descriptor_limit();
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  // A descriptor here and one at the judge for each station, both in this process.
  const std::size_t stations = std::min<std::size_t>(10000, (limit.rlim_cur - 200) / 2);
  if (stations < 10000)
    WARN("only " << stations << " stations: this process may have " << limit.rlim_cur << " descriptors");
  storm(stations, 20ms, {{"csms.reconnect_backoff", "5s"}});
}
