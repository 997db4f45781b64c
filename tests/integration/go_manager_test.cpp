// One test for each defect of the connection manager in Go that this library replaces, at the level of its users.
#include <atomic>
#include <future>

#include "fixture.h"
#include "raw_peer.h"

using namespace fixture;
using Catch::Contains;

TEST_CASE(
    "go manager: a failed reconnect is followed by the next until the attempts are used up with waits that double") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::handler, quick({{"csms.max_reconnect_attempts", "5"},
                                        {"csms.reconnect_backoff", "20ms"},
                                        {"csms.reconnect_max_backoff", "10s"},
                                        {"csms.reconnect_jitter", "0%"}}));
  fleet.connected("CP1", csms.url());
  csms.die();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  std::vector<std::int64_t> times;
  for (const Record& record : fleet.records()) {
    if (record.type == CWIRE_EVENT_DISCONNECTED || record.type == CWIRE_EVENT_ERROR) times.push_back(record.time_ns);
  }
  REQUIRE(times.size() == 1 + 5);
  // No wait is shorter than its share of 20, 40, 80, 160, 320 ms; a busy machine may make any of them longer.
  for (std::size_t i = 1; i < times.size(); ++i)
    CHECK(times[i] - times[i - 1] >= (std::int64_t{19'000'000} << (i - 1)));
  CHECK(states(fleet.records(), "CP1") == "connecting connected reconnecting error");
  fleet.finish();
}

TEST_CASE("go manager: the error state is not the end while attempts are left") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::poll, quick({{"csms.max_reconnect_attempts", "1000"}}));
  const cwire_station station = fleet.connected("CP1", csms.url());
  csms.refuse(503);
  csms.close_all(1001, "maintenance");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1", 3));
  CHECK(fleet.state(station) == CWIRE_STATE_RECONNECTING);
  csms.come_back();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  fleet.finish();
}

TEST_CASE("go manager: one lost connection is one DISCONNECTED one new connection and no leaked socket") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::handler, quick({{"csms.reconnect_backoff", "5ms"}, {"csms.reconnect_max_backoff", "10ms"}}));
  fleet.connected("CP1", csms.url());
  constexpr std::size_t kLosses = 20;
  for (std::size_t i = 1; i <= kLosses; ++i) {
    // Alternately by a close frame and without one.
    if (i % 2 == 0) {
      csms.close_all(1001, "");
    } else {
      csms.die();
      csms.come_back();
    }
    REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", i + 1));
    REQUIRE(csms.wait_until([](const csms::Counters& c) { return c.stations == 1; }, kPatience));
    CHECK(count(fleet.records(), CWIRE_EVENT_DISCONNECTED, "CP1") == i);
  }
  CHECK(csms.counters().upgrades_accepted == kLosses + 1);
  fleet.finish();
}

TEST_CASE("go manager: nothing of the old connection writes on the new one") {
  raw::Server server;
  Fleet fleet(Delivery::handler, quick({{"csms.ping_interval", "100ms"}, {"csms.pong_timeout", "20s"}}));
  const cwire_station station = fleet.connect("CP1", server.url());
  for (std::size_t round = 1; round <= 5; ++round) {
    auto peer = server.accept();
    peer.upgrade();
    REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", round));
    const std::string text = "round " + std::to_string(round);
    REQUIRE(fleet.send(station, text) == CWIRE_OK);
    // One ping at a time: with an old ping loop alive there would be two before the first is answered.
    int messages = 0, pings = 0;
    std::string unanswered;
    while (pings < 2) {
      const auto frame = peer.read_frame();
      REQUIRE(frame);
      if (frame->opcode == raw::text) {
        CHECK(frame->payload == text);
        ++messages;
      }
      if (frame->opcode == raw::ping) {
        ++pings;
        peer.send_frame(raw::pong, frame->payload);
      }
    }
    CHECK(messages == 1);
    peer.reset();
  }
  fleet.finish(0);
}

TEST_CASE("go manager: the pong timeout is used") {
  raw::Server server;
  Fleet fleet(Delivery::handler, quick({{"csms.ping_interval", "50ms"}, {"csms.pong_timeout", "100ms"}}));
  fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  CHECK(first(fleet.records(), CWIRE_EVENT_DISCONNECTED)->status == CWIRE_E_PING_TIMEOUT);
  CHECK(server.somebody_wants_in(kPatience_ms));
  fleet.finish(0);
}

TEST_CASE("go manager: the waits of a fleet are spread by jitter") {
  raw::ClosedPort nobody;
  Fleet fleet(Delivery::poll, quick({{"csms.reconnect_backoff", "1h"},
                                     {"csms.reconnect_max_backoff", "1h"},
                                     {"csms.reconnect_jitter", "20%"}}));
  constexpr int kStations = 40;
  for (int i = 0; i < kStations; ++i) fleet.connect("CP" + std::to_string(i), nobody.url());
  REQUIRE(fleet.wait([](const Records& r) { return count(r, CWIRE_EVENT_ERROR) == kStations; }));
  std::map<double, int> waits;
  for (const Record& record : fleet.records()) {
    if (record.type != CWIRE_EVENT_ERROR) continue;
    const std::string words = "next attempt in ";
    const std::size_t at = record.data.find(words);
    REQUIRE(at != std::string::npos);
    const double wait_s = std::stod(record.data.substr(at + words.size()));
    CHECK(wait_s >= 0.8 * 3600 - 1);
    CHECK(wait_s <= 1.2 * 3600 + 1);
    ++waits[wait_s];
  }
  CHECK(waits.size() > kStations / 2);
  fleet.finish();
}

TEST_CASE("go manager: disconnect ends a back-off at once") {
  raw::ClosedPort nobody;
  Fleet fleet(Delivery::handler, quick({{"csms.reconnect_backoff", "24h"}, {"csms.reconnect_max_backoff", "24h"}}));
  fleet.connect("CP1", nobody.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1"));
  REQUIRE(cwire_manager_disconnect(fleet.manager, "CP1") == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  fleet.finish();
}

TEST_CASE("go manager: asking for statistics when told of an error does not deadlock") {
  raw::ClosedPort nobody;
  cwire_manager manager = nullptr;
  Gate ready;
  std::atomic<int> answered{0};
  Fleet fleet(Delivery::handler, quick(), [&](const cwire_event& e) {
    if (e.type != CWIRE_EVENT_ERROR) return;
    ready.pass();
    cwire_stats stats{};
    stats.size = sizeof stats;
    std::size_t size = 0;
    if (cwire_manager_stats(manager, e.station_id, &stats) == CWIRE_OK &&
        cwire_station_stats(e.station, &stats) == CWIRE_OK &&
        cwire_manager_all_stats(manager, &stats, 1, &size) == CWIRE_OK && stats.last_error == CWIRE_E_DIAL) {
      ++answered;
    }
  });
  manager = fleet.manager;
  fleet.connect("CP1", nobody.url());
  ready.open();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1", 4));
  fleet.finish();
  CHECK(answered >= 3);
}

TEST_CASE("go manager: a broadcast holds up nobody while stations are slow") {
  raw::Server stuck(4096);
  csms::Options options;
  options.echo = true;
  csms::Csms csms(options);
  Fleet fleet(Delivery::handler,
              quick({{"csms.send_queue_messages", "5"}, {"csms.write_timeout", "1h"}, {"csms.ping_interval", "0s"}}));
  std::vector<raw::Connection> peers;
  for (int i = 0; i < 3; ++i) {
    const cwire_station station = fleet.connect("slow" + std::to_string(i), stuck.url());
    peers.push_back(stuck.accept());
    peers.back().upgrade();
    REQUIRE(cwire_station_wait(station, kPatience_ms, nullptr) == CWIRE_OK);
  }
  const cwire_station quick_station = fleet.connected("quick", csms.url());
  // Far more than the slow ones can take; each call returns, and the others go on meanwhile.
  const std::string message(200000, 'x');
  auto broadcasts = std::async(std::launch::async, [&] {
    for (int i = 0; i < 200; ++i) {
      if (cwire_manager_broadcast(fleet.manager, message.data(), message.size(), 0, nullptr) != CWIRE_OK) return false;
    }
    return true;
  });
  for (int i = 0; i < 50; ++i) {
    std::size_t total = 0;
    CHECK(cwire_manager_counts(fleet.manager, nullptr, &total) == CWIRE_OK);
    CHECK(total == 4);
    cwire_station_send(quick_station, "x", 1, 0, 0);
  }
  REQUIRE(broadcasts.wait_for(kPatience) == std::future_status::ready);
  CHECK(broadcasts.get());
  CHECK(fleet.send(quick_station, "still here") != CWIRE_E_NOT_ESTABLISHED);
  fleet.finish(0);
}

TEST_CASE("go manager: a failed first connect does not drop the station") {
  csms::Csms csms{csms::Options()};
  csms.refuse_tcp();
  Fleet fleet(Delivery::handler);
  const cwire_station station = fleet.connect("CP1", csms.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1"));
  cwire_station found = nullptr;
  CHECK(cwire_manager_find(fleet.manager, "CP1", &found) == CWIRE_OK);
  CHECK(found == station);
  csms.come_back();
  CHECK(cwire_station_wait(station, kPatience_ms, nullptr) == CWIRE_OK);
  fleet.finish();
}

TEST_CASE("go manager: the station id is put on the URL") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::handler);
  fleet.connected("RDAM|123", csms.url() + "/ocpp");
  CHECK(csms.wait_until([&](const csms::Counters& c) { return c.stations == 1; }, kPatience));
  CHECK(csms.connected("RDAM|123"));
  fleet.finish();
}
