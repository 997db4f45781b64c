// How a station finds out that its connection is none any more, and what does not make it think so.
#include <cerrno>
#include <string>
#include <vector>

#include "bystanders.h"
#include "fixture.h"
#include "raw_peer.h"
#include "system_calls.h"

using namespace fixture;
using Catch::Contains;

namespace {

constexpr std::int64_t kHour_s = 3600, kYear_s = 365 * 24 * kHour_s;

// As a server that is well would.
raw::Frame read_and_answer(raw::Connection& peer) {
  const auto frame = peer.read_frame();
  REQUIRE(frame);
  if (frame->opcode == raw::ping) peer.send_frame(raw::pong, frame->payload);
  return *frame;
}

// Sends until the kernel takes nothing more and the queue is full, or, on a slow machine, until time is up for the
// connection. Returns how many were accepted.
std::size_t fill_queue(Fleet& fleet, cwire_station station, const std::string& message) {
  std::size_t accepted = 0;
  for (;;) {
    const cwire_status status = fleet.send(station, message);
    if (status == CWIRE_E_QUEUE_FULL || status == CWIRE_E_NOT_ESTABLISHED) return accepted;
    REQUIRE(status == CWIRE_OK);
    ++accepted;
  }
}

}  // namespace

TEST_CASE("after a suspend every station pings at once, and setting the wall clock is no suspend") {
  constexpr std::size_t kStations = 4;  // on two threads
  raw::Server server;
  Fleet fleet(Delivery::poll, quick({{"csms.ping_interval", "1h"}}));
  std::vector<cwire_station> stations;
  std::vector<raw::Connection> peers;
  for (std::size_t i = 0; i < kStations; ++i) {
    stations.push_back(fleet.connect("CP" + std::to_string(i), server.url()));
    peers.push_back(server.accept());
    peers.back().upgrade();
    REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP" + std::to_string(i)));
  }
  const auto say = [&](std::size_t i) {
    REQUIRE(fleet.send(stations[i], "[2,\"1\",\"Heartbeat\",{}]") == CWIRE_OK);
    return read_and_answer(peers[i]).opcode;
  };
  {
    const system_calls::WallClockOff set(kYear_s);
    for (std::size_t i = 0; i < kStations; ++i) CHECK(say(i) == raw::text);  // and no ping before it
  }
  for (std::size_t i = 0; i < kStations; ++i) CHECK(say(i) == raw::text);
  system_calls::suspend(8 * kHour_s);
  for (raw::Connection& peer : peers) CHECK(read_and_answer(peer).opcode == raw::ping);
  for (std::size_t i = 0; i < kStations; ++i) CHECK(say(i) == raw::text);  // one ping was enough
  fleet.finish(0);
}

TEST_CASE("a connection that did not outlive the suspend is noticed by that ping") {
  raw::Server server;
  Fleet fleet(Delivery::poll, quick({{"csms.ping_interval", "1h"}, {"csms.pong_timeout", "100ms"}}));
  fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  system_calls::suspend(8 * kHour_s);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  CHECK(must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED)).failure.phase == CWIRE_PHASE_PING);
  server.accept().upgrade();
  CHECK(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  fleet.finish(0);
}

TEST_CASE("a wall clock that jumps by a year ends no wait, stops no ping and loses no connection") {
  raw::ClosedPort nobody;
  raw::Server server;
  Fleet fleet(Delivery::poll, quick({{"io_threads", "1"},
                                     {"csms.ping_interval", "20ms"},
                                     {"csms.pong_timeout", "30s"},
                                     {"csms.reconnect_backoff", "1h"},
                                     {"csms.reconnect_max_backoff", "1h"}}));
  fleet.connect("WAITS", nobody.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "WAITS"));
  fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  for (const std::int64_t off : {kYear_s, -kYear_s}) {
    const system_calls::WallClockOff set(off);
    for (int pings = 0; pings < 5; ++pings) REQUIRE(read_and_answer(peer).opcode == raw::ping);
    CHECK(fleet.stats("CP1").state == CWIRE_STATE_CONNECTED);
    CHECK(fleet.stats("WAITS").reconnect_attempts == 0);
  }
  fleet.finish(0);
  CHECK(count(fleet.records(), CWIRE_EVENT_CONNECTED, "CP1") == 1);
}

TEST_CASE("a black hole in one direction is found by pings, whatever comes from the other") {
  raw::Server server;
  Fleet fleet(Delivery::poll, quick({{"csms.ping_interval", "50ms"}, {"csms.pong_timeout", "300ms"}}));
  fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  // What the station says gets lost, so nothing that arrives from the peer can know of the ping.
  std::size_t messages = 0;
  while (!fleet.wait([](const Records& records) { return first(records, CWIRE_EVENT_DISCONNECTED) != nullptr; },
                     std::chrono::milliseconds(10))) {
    try {
      peer.send_frame(raw::text, "[2,\"1\",\"Reset\",{}]");
      peer.send_frame(raw::pong, "12345678");
    } catch (const std::runtime_error&) {
      continue;  // the station has hung up and we are about to hear it
    }
    ++messages;
  }
  const Record end = must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED));
  CHECK(end.status == CWIRE_E_PING_TIMEOUT);
  CHECK(end.failure.phase == CWIRE_PHASE_PING);
  CHECK(messages > 0);
  fleet.finish(0);
}

TEST_CASE(
    "zero window: the write timeout ends the connection, the queue stays bounded, and what was not sent is reported") {
  constexpr std::size_t kQueued = 20;
  raw::Server server(4096);
  Fleet fleet(Delivery::poll, quick({{"csms.ping_interval", "0s"},
                                     {"csms.write_timeout", "300ms"},
                                     {"csms.pong_timeout", "1h"},  // TCP itself has more patience
                                     {"csms.send_queue_messages", std::to_string(kQueued)},
                                     {"csms.send_queue_bytes", "64MiB"}}));
  Bystanders bystanders(fleet);
  const cwire_station station = fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  const std::size_t accepted = fill_queue(fleet, station, std::string(200'000, 'x'));
  const cwire_stats full = fleet.stats("CP1");
  CHECK(full.queued_messages <= kQueued);
  bystanders.talk();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  const Record end = must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED));
  CHECK(end.status == CWIRE_E_WRITE);
  CHECK(end.failure.phase == CWIRE_PHASE_WRITE);
  CHECK(end.failure.os_error == ETIMEDOUT);
  CHECK_THAT(end.data, Contains("csms.write_timeout"));
  // Each accepted message was taken by the kernel or is reported, before the end is.
  const cwire_stats after = fleet.stats("CP1");
  CHECK(after.messages_sent + after.messages_not_sent == accepted);
  CHECK(after.messages_not_sent > 0);
  CHECK(count(fleet.records(), CWIRE_EVENT_SENT, "CP1") == after.messages_not_sent);
  CHECK(after.queued_messages == 0);
  bystanders.check();
  fleet.finish(0);
}

TEST_CASE("a peer that acknowledges nothing is noticed without a ping, and although nothing waits to be written") {
  const bool reconfigured = GENERATE(false, true);  // while it is connected
  CAPTURE(reconfigured);
  const Settings impatient = {{"csms.write_timeout", "300ms"}, {"csms.pong_timeout", "300ms"}};
  Settings settings = quick({{"csms.ping_interval", "0s"},
                             {"csms.read_timeout", "0s"},
                             {"csms.write_timeout", "1h"},
                             {"csms.pong_timeout", "1h"}});
  if (!reconfigured) settings.insert(settings.end(), impatient.begin(), impatient.end());
  raw::Server server(4096);
  Fleet fleet(Delivery::poll, settings);
  const cwire_station station = fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  const Config changes(impatient);
  if (reconfigured) REQUIRE(cwire_station_reconfigure(station, nullptr, changes, 0, nullptr) == CWIRE_OK);
  // More than the peer's window, less than our kernel keeps: we have nothing left to write, and TCP does not get rid
  // of it.
  REQUIRE(fleet.send(station, std::string(12'000, 'x'), CWIRE_FLAG_REPORT, 7) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_SENT, "CP1"));
  CHECK(must(first(fleet.records(), CWIRE_EVENT_SENT)).status == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  const Record end = must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED));
  CHECK(end.status == CWIRE_E_WRITE);
  CHECK(end.failure.phase == CWIRE_PHASE_WRITE);
  CHECK(end.failure.os_error == ETIMEDOUT);
  CHECK_THAT(end.data, Contains("acknowledged nothing") && Contains("csms.pong_timeout"));
  fleet.finish(0);
}
