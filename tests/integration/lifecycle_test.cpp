// The life of a station against a server that lives, dies, refuses, says nothing, or says nonsense.
#include <arpa/inet.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <future>

#include "fixture.h"
#include "raw_peer.h"

using namespace fixture;
using Catch::Contains;

namespace {

const std::string kBoot = R"([2,"boot","BootNotification",{"chargePointModel":"m","chargePointVendor":"v"}])";
const std::string kHeartbeat = R"([2,"beat","Heartbeat",{}])";

}  // namespace

TEST_CASE("a station connects boots and beats in each version of OCPP") {
  const Delivery delivery = both_deliveries();
  const auto version = GENERATE(std::string("1.6"), std::string("2.0.1"), std::string("2.1"));
  CAPTURE(delivery, version);
  csms::Csms csms{csms::Options()};
  Fleet fleet(delivery);
  const cwire_station station = fleet.connect("CP1", csms.url(), {{"csms.protocol", version}}, 4711);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  CHECK(must(first(fleet.records(), CWIRE_EVENT_CONNECTED)).data == "ocpp" + version);
  REQUIRE(fleet.send(station, kBoot) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1"));
  CHECK_THAT(must(last(fleet.records(), CWIRE_EVENT_MESSAGE)).data, Contains("[3,\"boot\"") && Contains("Accepted"));
  REQUIRE(fleet.send(station, kHeartbeat) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1", 2));
  CHECK_THAT(must(last(fleet.records(), CWIRE_EVENT_MESSAGE)).data, Contains("[3,\"beat\"") && Contains("currentTime"));
  for (const Record& record : fleet.records()) {
    if (record.station != nullptr) CHECK(record.user_data == 4711);
  }
  CHECK(csms.counters().boots == 1);
  CHECK(csms.counters().heartbeats == 1);
  fleet.finish();
  CHECK(states(fleet.records(), "CP1") == "connecting connected disconnected closed");
  CHECK(types(fleet.records(), "CP1") == "STATE STATE CONNECTED MESSAGE MESSAGE STATE DISCONNECTED STATE CLOSED");
}

TEST_CASE("the server chooses among the versions offered in order of preference") {
  csms::Options options;
  options.subprotocols = {"ocpp1.6", "ocpp2.0.1"};
  csms::Csms csms(options);
  Fleet fleet(Delivery::poll);
  fleet.connect("CP1", csms.url(), {{"csms.protocol", "2.1, 2.0.1, 1.6"}});
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  CHECK(must(first(fleet.records(), CWIRE_EVENT_CONNECTED)).data == "ocpp2.0.1");
  fleet.finish();
}

TEST_CASE("a refused port is DIAL with its errno and the station keeps trying") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  raw::ClosedPort nobody;
  Fleet fleet(delivery);
  const cwire_station station = fleet.connect("CP1", nobody.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1", 3));
  std::uint64_t failed = 0;
  for (const Record& record : fleet.records()) {
    if (record.type != CWIRE_EVENT_ERROR) continue;
    CHECK(record.status == CWIRE_E_DIAL);
    CHECK(record.code == ECONNREFUSED);
    CHECK(record.tag == ++failed);
    CHECK((record.flags & CWIRE_FLAG_WILL_RETRY) != 0);
    CHECK_THAT(record.data, Contains("CP1") && Contains("dial") && Contains("refused") && Contains("next attempt in"));
  }
  CHECK(states(fleet.records(), "CP1") == "connecting reconnecting");
  CHECK(fleet.state(station) == CWIRE_STATE_RECONNECTING);
  Error error;
  CHECK(cwire_station_wait(station, 0, &error) == CWIRE_E_TIMEOUT);
  CHECK_THAT(error.text(), Contains("CP1") && Contains("dial"));
  CHECK(fleet.send(station, "x") == CWIRE_E_NOT_ESTABLISHED);
  CHECK(fleet.stats("CP1").last_error == CWIRE_E_DIAL);
  fleet.finish();
}

TEST_CASE("a name that does not resolve is DIAL") {
  Fleet fleet(Delivery::poll);
  fleet.connect("CP1", "ws://no-such-host.invalid");  // RFC 2606: never exists
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1"));
  const Record error = must(first(fleet.records(), CWIRE_EVENT_ERROR));
  CHECK(error.status == CWIRE_E_DIAL);
  CHECK_THAT(error.data, Contains("resolving no-such-host.invalid"));
  fleet.finish();
}

TEST_CASE("a server that asks for patience with Retry-After gets it, and not much more") {
  csms::Csms csms{csms::Options()};
  csms.refuse(503, 3600);
  Fleet fleet(Delivery::poll);
  fleet.connect("CP1", csms.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1"));
  const Record error = must(first(fleet.records(), CWIRE_EVENT_ERROR));
  CHECK(error.code == 503);
  const std::string words = "next attempt in ";
  const std::size_t at = error.data.find(words);
  REQUIRE(at != std::string::npos);
  const double wait = std::stod(error.data.substr(at + words.size()));
  CHECK(wait >= 3600);
  CHECK(wait <= 3960);
  fleet.finish();  // and a disconnect does not wait for it
}

TEST_CASE("an unknown identity is HANDSHAKE with 404") {
  csms::Options options;
  options.knows = [](const std::string& identity) { return identity == "CP1"; };
  csms::Csms csms(options);
  Fleet fleet(Delivery::poll);
  fleet.connect("CP2", csms.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP2", 2));
  const Record error = must(first(fleet.records(), CWIRE_EVENT_ERROR));
  CHECK(error.status == CWIRE_E_HANDSHAKE);
  CHECK(error.code == 404);
  CHECK_THAT(error.data, Contains("CP2") && Contains("404"));
  fleet.finish();
  CHECK(must(first(fleet.records(), CWIRE_EVENT_CLOSED)).code == 0);  // never connected
}

TEST_CASE("bad credentials are AUTH with 401") {
  csms::Options options;
  options.password = "right horse battery";
  csms::Csms csms(options);
  Fleet fleet(Delivery::poll);
  fleet.connect(
      "CP1", csms.url(),
      {{"csms.security_profile", "1"}, {"csms.auth.type", "basic"}, {"csms.auth.password", "wrong horse battery"}});
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1", 2));
  for (const Record& record : fleet.records()) {
    CHECK_THAT(record.data, !Contains("wrong horse"));
    if (record.type != CWIRE_EVENT_ERROR) continue;
    CHECK(record.status == CWIRE_E_AUTH);
    CHECK(record.code == 401);
    CHECK_THAT(record.data, Contains("401"));
  }
  fleet.finish();
}

TEST_CASE("a 101 without a subprotocol or with one not offered is SUBPROTOCOL and the station keeps trying") {
  const auto answer = GENERATE(std::string(), std::string("ocpp2.0.1"), std::string("soap"));
  CAPTURE(answer);
  raw::Server server;
  Fleet fleet(Delivery::poll);
  fleet.connect("CP1", server.url());
  for (int i = 0; i < 2; ++i) {
    auto peer = server.accept();
    peer.upgrade(answer);
    peer.read_all();  // until the station has closed it
  }
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1", 2));
  const Record error = must(first(fleet.records(), CWIRE_EVENT_ERROR));
  CHECK(error.status == CWIRE_E_SUBPROTOCOL);
  CHECK((error.flags & CWIRE_FLAG_WILL_RETRY) != 0);
  CHECK(count(fleet.records(), CWIRE_EVENT_CONNECTED) == 0);
  fleet.finish();
}

TEST_CASE("no version in common with the CSMS is SUBPROTOCOL") {
  csms::Options options;
  options.subprotocols = {"ocpp2.1"};
  csms::Csms csms(options);
  Fleet fleet(Delivery::poll);
  fleet.connect("CP1", csms.url(), {{"csms.protocol", "1.6"}});
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1"));
  CHECK(must(first(fleet.records(), CWIRE_EVENT_ERROR)).status == CWIRE_E_SUBPROTOCOL);
  fleet.finish();
}

TEST_CASE("what is no WebSocket answer is HANDSHAKE") {
  const auto answer =
      GENERATE(std::string("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), std::string("SSH-2.0-OpenSSH_9\r\n\r\n"),
               std::string("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n"
                           "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n"),
               std::string());
  CAPTURE(answer);
  raw::Server server;
  Fleet fleet(Delivery::poll);
  fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.read_request();
  peer.send(answer);
  peer.close();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1"));
  CHECK(must(first(fleet.records(), CWIRE_EVENT_ERROR)).status == CWIRE_E_HANDSHAKE);
  fleet.finish(0);
}

TEST_CASE("stations come back when the CSMS dies and comes back") {
  const Delivery delivery = both_deliveries();
  const auto death = GENERATE(csms::Csms::Death::reset, csms::Csms::Death::fin);
  CAPTURE(delivery, death == csms::Csms::Death::reset);
  csms::Csms csms{csms::Options()};
  Fleet fleet(delivery);
  constexpr std::size_t kStations = 20;
  for (std::size_t i = 0; i < kStations; ++i) fleet.connected("CP" + std::to_string(i), csms.url());
  REQUIRE(fleet.wait([&](const Records& r) { return count(r, CWIRE_EVENT_CONNECTED) == kStations; }));
  csms.die(death);
  REQUIRE(fleet.wait([&](const Records& r) {
    return count(r, CWIRE_EVENT_DISCONNECTED) == kStations && count(r, CWIRE_EVENT_ERROR) >= kStations;
  }));
  csms.come_back();
  REQUIRE(fleet.wait([&](const Records& r) { return count(r, CWIRE_EVENT_CONNECTED) == 2 * kStations; }));
  const Record lost = must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED));
  CHECK(lost.status == CWIRE_E_READ);
  CHECK(lost.code == 1006);
  CHECK((lost.flags & CWIRE_FLAG_WILL_RETRY) != 0);
  const Record back = must(last(fleet.records(), CWIRE_EVENT_CONNECTED));
  CHECK(back.tag == 2);
  CHECK((back.flags & CWIRE_FLAG_RECONNECT) != 0);
  const cwire_stats stats = fleet.stats("CP3");
  CHECK(stats.connections == 2);
  CHECK(stats.reconnect_attempts >= 1);
  CHECK(csms.stations() == kStations);
  fleet.finish();
}

TEST_CASE("an orderly close by the server is not final") {
  const Delivery delivery = both_deliveries();
  const std::uint16_t code = GENERATE(as<std::uint16_t>(), 1000, 1001, 1011, 4000);
  CAPTURE(delivery, code);
  csms::Csms csms{csms::Options()};
  Fleet fleet(delivery);
  fleet.connected("CP1", csms.url());
  csms.close_all(code, "see you");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  const Record end = must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED));
  CHECK(end.code == code);
  CHECK(end.status == CWIRE_E_CLOSED);
  CHECK((end.flags & CWIRE_FLAG_REMOTE) != 0);
  CHECK((end.flags & CWIRE_FLAG_WILL_RETRY) != 0);
  CHECK_THAT(end.data, Contains("CP1") && Contains(std::to_string(code)) && Contains("see you"));
  fleet.finish();
}

TEST_CASE("a close frame without a code is not final either") {
  raw::Server server;
  Fleet fleet(Delivery::poll);
  fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  peer.send_frame(raw::close, "");
  peer.read_all();
  auto again = server.accept();
  again.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  CHECK(must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED)).code == 1005);
  again.close();
  fleet.finish(0);
}

TEST_CASE("a server that answers no ping is left and dialled again") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  raw::Server server;
  Fleet fleet(delivery, quick({{"csms.ping_interval", "100ms"}, {"csms.pong_timeout", "200ms"}}));
  fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  const auto ping = peer.read_frame();
  REQUIRE(ping);
  CHECK(ping->opcode == raw::ping);
  // Neither an unsolicited pong nor a message is the answer.
  peer.send_frame(raw::pong, "something else");
  peer.send_frame(raw::text, "[3,\"1\",{}]");
  auto again = server.accept();
  again.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  const Record end = must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED));
  CHECK(end.status == CWIRE_E_PING_TIMEOUT);
  CHECK(end.code == 1006);
  CHECK_THAT(end.data, Contains("pong") && Contains("csms.pong_timeout"));
  CHECK(fleet.stats("CP1").last_error == CWIRE_E_PING_TIMEOUT);
  fleet.finish(0);
}

TEST_CASE("the close code of a connection is its own and not that of the one before") {
  raw::Server server;
  Fleet fleet(Delivery::poll, quick({{"csms.ping_interval", "100ms"}, {"csms.pong_timeout", "200ms"}}));
  const cwire_station station = fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  peer.send_frame(raw::close, std::string("\x0f\xa0") + "first");  // 4000
  peer.read_all();
  auto silent = server.accept();
  silent.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1", 2));
  CHECK(must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED)).code == 4000);
  const Record timed_out = must(last(fleet.records(), CWIRE_EVENT_DISCONNECTED));
  CHECK(timed_out.status == CWIRE_E_PING_TIMEOUT);
  CHECK(timed_out.code == 1006);
  CHECK((timed_out.flags & CWIRE_FLAG_REMOTE) == 0);
  REQUIRE(cwire_station_disconnect(station, 0, nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  CHECK(must(first(fleet.records(), CWIRE_EVENT_CLOSED)).code == 1006);
  fleet.finish(0);
}

TEST_CASE("a half-open connection is noticed") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::poll, quick({{"csms.ping_interval", "100ms"}, {"csms.pong_timeout", "300ms"}}));
  fleet.connected("CP1", csms.url());
  REQUIRE(csms.wait_until([](const csms::Counters& c) { return c.pings >= 2; }, kPatience));
  CHECK(fleet.stats("CP1").round_trip_ns > 0);
  csms.fall_silent();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  CHECK(must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED)).status == CWIRE_E_PING_TIMEOUT);
  csms.come_back();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  fleet.finish();
}

TEST_CASE("pings of the server are answered") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::handler);
  for (int i = 0; i < 5; ++i) fleet.connected("CP" + std::to_string(i), csms.url());
  REQUIRE(csms.wait_until([](const csms::Counters& c) { return c.stations == 5; }, kPatience));
  csms.ping_all();
  CHECK(csms.wait_until([](const csms::Counters& c) { return c.pongs == 5; }, kPatience));
  fleet.finish();
}

TEST_CASE("max_reconnect_attempts ends in error and the station can be connected again") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  raw::ClosedPort nobody;
  csms::Csms csms{csms::Options()};
  Fleet fleet(delivery, quick({{"csms.max_reconnect_attempts", "3"}}));
  const cwire_station station = fleet.connect("CP1", nobody.url());
  Error error;
  CHECK(cwire_station_wait(station, kPatience_ms, &error) == CWIRE_E_DIAL);
  CHECK_THAT(error.text(), Contains("CP1") && Contains("dial"));
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  CHECK(types(fleet.records(), "CP1") == "STATE ERROR STATE ERROR ERROR STATE CLOSED");
  CHECK(states(fleet.records(), "CP1") == "connecting reconnecting error");
  const Record gave_up = must(last(fleet.records(), CWIRE_EVENT_ERROR));
  CHECK(gave_up.tag == 3);
  CHECK((gave_up.flags & CWIRE_FLAG_WILL_RETRY) == 0);
  CHECK_THAT(gave_up.data, Contains("gave up"));
  const Record closed = must(first(fleet.records(), CWIRE_EVENT_CLOSED));
  CHECK(closed.status == CWIRE_E_DIAL);
  CHECK(closed.code == 0);
  CHECK_THAT(closed.data, Contains("dial"));

  const cwire_stats stats = fleet.stats("CP1");
  CHECK(stats.state == CWIRE_STATE_ERROR);
  CHECK(stats.reconnect_attempts == 2);
  CHECK(stats.last_error == CWIRE_E_DIAL);
  CHECK(std::string(stats.last_error_message).find("dial") != std::string::npos);
  CHECK(cwire_manager_is_connected(fleet.manager, "CP1") == 0);
  cwire_station found = nullptr;
  CHECK(cwire_manager_find(fleet.manager, "CP1", &found) == CWIRE_E_NOT_FOUND);
  std::size_t total = 0;
  CHECK(cwire_manager_counts(fleet.manager, nullptr, &total) == CWIRE_OK);
  CHECK(total == 1);

  fleet.connected("CP1", csms.url());
  CHECK(fleet.stats("CP1").state == CWIRE_STATE_CONNECTED);
  CHECK(fleet.stats("CP1").reconnect_attempts == 0);
  fleet.finish();
}

TEST_CASE("a station that gave up is forgotten when disconnected") {
  raw::ClosedPort nobody;
  Fleet fleet(Delivery::poll, quick({{"csms.max_reconnect_attempts", "1"}}));
  fleet.connect("CP1", nobody.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  REQUIRE(cwire_manager_disconnect(fleet.manager, "CP1") == CWIRE_OK);
  CHECK(cwire_manager_disconnect(fleet.manager, "CP1") == CWIRE_E_NOT_FOUND);
  CHECK(cwire_manager_is_connected(fleet.manager, "CP1") == CWIRE_E_NOT_FOUND);
  fleet.finish();
}

TEST_CASE("a disconnect during backoff takes effect at once") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  raw::ClosedPort nobody;
  Fleet fleet(delivery, quick({{"csms.reconnect_backoff", "1h"}, {"csms.reconnect_max_backoff", "1h"}}));
  const cwire_station station = fleet.connect("CP1", nobody.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1"));
  REQUIRE(fleet.wait_for(CWIRE_EVENT_STATE, "CP1", 2));
  REQUIRE(cwire_station_disconnect(station, 0, nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  const Record closed = must(first(fleet.records(), CWIRE_EVENT_CLOSED));
  CHECK(closed.status == CWIRE_OK);
  CHECK(closed.code == 0);
  CHECK(states(fleet.records(), "CP1") == "connecting reconnecting closed");
  fleet.finish();
}

TEST_CASE("a disconnect during the handshake takes effect at once") {
  raw::Server server;
  Fleet fleet(Delivery::poll);
  const cwire_station station = fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.read_request();
  REQUIRE(cwire_station_disconnect(station, 0, nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  CHECK(peer.read_all().empty());
  CHECK(states(fleet.records(), "CP1") == "connecting closed");
  fleet.finish();
}

TEST_CASE("an explicit disconnect never reconnects") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::poll, quick({{"csms.reconnect_backoff", "1ms"}, {"csms.reconnect_max_backoff", "1ms"}}));
  const cwire_station station = fleet.connected("CP1", csms.url());
  fleet.connected("CP2", csms.url());
  REQUIRE(cwire_station_disconnect(station, 0, nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  // Many backoffs later, as CP2's shows, it has not come back.
  for (std::size_t i = 2; i < 12; ++i) {
    csms.close_all(1000, "");
    REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP2", i));
    REQUIRE(csms.wait_until([&](const csms::Counters& c) { return c.stations == 1; }, kPatience));
  }
  CHECK(csms.counters().upgrades_accepted == 1 + 11);
  CHECK(count(fleet.records(), CWIRE_EVENT_CONNECTED, "CP1") == 1);
  fleet.finish();
}

TEST_CASE("a station that lives is ALREADY_CONNECTED in every state but error and closed") {
  raw::ClosedPort nobody;
  raw::Server server;
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::poll);
  fleet.connected("connected", csms.url());
  fleet.connect("reconnecting", nobody.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "reconnecting"));
  const cwire_station closing = fleet.connect("closing", server.url());
  auto closing_peer = server.accept();
  closing_peer.upgrade();
  REQUIRE(cwire_station_wait(closing, kPatience_ms, nullptr) == CWIRE_OK);
  REQUIRE(cwire_station_disconnect(closing, 0, nullptr) == CWIRE_OK);
  REQUIRE(closing_peer.read_frame());  // the close frame, which stays without an answer
  fleet.connect("connecting", server.url());
  auto connecting_peer = server.accept();
  for (const char* id : {"connected", "reconnecting", "closing", "connecting"}) {
    INFO(id);
    Error error;
    cwire_station station = nullptr;
    CHECK(cwire_manager_connect(fleet.manager, id, csms.url().c_str(), nullptr, 0, &station, &error) ==
          CWIRE_E_ALREADY_CONNECTED);
    CHECK_THAT(error.text(), Contains(id) && Contains("already connected"));
    CHECK(station == nullptr);
  }
  fleet.finish(0);
}

TEST_CASE("a server that never answers the close frame does not hold the station") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  raw::Server server;
  Fleet fleet(delivery, quick({{"csms.close_timeout", "200ms"}}));
  const cwire_station station = fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  REQUIRE(cwire_station_wait(station, kPatience_ms, nullptr) == CWIRE_OK);
  REQUIRE(cwire_station_disconnect(station, 1000, "bye") == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  const Record end = must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED));
  CHECK(end.status == CWIRE_OK);
  CHECK(end.code == 1006);
  const auto frame = peer.read_frame();
  REQUIRE(frame);
  CHECK(frame->opcode == raw::close);
  CHECK(frame->payload == std::string("\x03\xe8") + "bye");
  fleet.finish();
}

TEST_CASE("a server that accepts and never answers ends in the connection timeout") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  raw::Server server;
  Fleet fleet(delivery);
  fleet.connect("CP1", server.url(), {{"csms.connection_timeout", "200ms"}});
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1", 2));
  const Record error = must(first(fleet.records(), CWIRE_EVENT_ERROR));
  CHECK(error.status == CWIRE_E_HANDSHAKE);
  CHECK_THAT(error.data, Contains("timed out") && Contains("200ms") && Contains("csms.connection_timeout"));
  fleet.finish();
}

TEST_CASE("a server that drips its answer does not stretch the connection timeout") {
  raw::Server server;
  Fleet fleet(Delivery::handler);
  fleet.connect("CP1", server.url(), {{"csms.connection_timeout", "300ms"}});
  auto peer = server.accept();
  peer.read_request();
  peer.send("HTTP/1.1 101 Switching Protocols\r\n");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1"));
  CHECK_THAT(must(first(fleet.records(), CWIRE_EVENT_ERROR)).data, Contains("timed out"));
  fleet.finish();
}

TEST_CASE("a silent connection is lost after the read timeout") {
  raw::Server server;
  Fleet fleet(Delivery::poll, quick({{"csms.ping_interval", "0s"}, {"csms.read_timeout", "200ms"}}));
  fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  const Record end = must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED));
  CHECK(end.status == CWIRE_E_READ);
  CHECK_THAT(end.data, Contains("csms.read_timeout"));
  auto again = server.accept();
  again.upgrade();
  CHECK(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  fleet.finish(0);
}

TEST_CASE("a server that never reads is left after the write timeout") {
  raw::Server server(4096);
  Fleet fleet(Delivery::poll, quick({{"csms.ping_interval", "0s"},
                                     {"csms.write_timeout", "300ms"},
                                     {"csms.send_queue_messages", "1000000"},
                                     {"csms.send_queue_bytes", "256MiB"}}));
  const cwire_station station = fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  REQUIRE(cwire_station_wait(station, kPatience_ms, nullptr) == CWIRE_OK);
  const std::string megabyte(1000000, 'x');
  REQUIRE(fleet.send(station, megabyte) == CWIRE_OK);
  // On a slow machine the time is up before all are accepted.
  for (int i = 1; i < 32 && fleet.send(station, megabyte) == CWIRE_OK; ++i) {
  }
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  const Record end = must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED));
  CHECK(end.status == CWIRE_E_WRITE);
  CHECK_THAT(end.data, Contains("csms.write_timeout"));
  CHECK(count(fleet.records(), CWIRE_EVENT_SENT, "CP1") > 0);  // not asked for: these were not sent
  fleet.finish(0);
}

TEST_CASE("a message that is too big is refused and not sent") {
  csms::Options options;
  options.echo = true;
  csms::Csms csms(options);
  Fleet fleet(Delivery::poll, quick({{"csms.message_size_max", "1000B"}}));
  const cwire_station station = fleet.connected("CP1", csms.url());
  CHECK(fleet.send(station, std::string(1001, 'x')) == CWIRE_E_TOO_BIG);
  CHECK(cwire_manager_send(fleet.manager, "CP1", std::string(1001, 'x').c_str(), 1001, 0, 0) == CWIRE_E_TOO_BIG);
  CHECK(cwire_manager_broadcast(fleet.manager, std::string(1001, 'x').c_str(), 1001, 0, nullptr) == CWIRE_E_TOO_BIG);
  CHECK(fleet.send(station, std::string(1000, 'x')) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1"));
  CHECK(must(first(fleet.records(), CWIRE_EVENT_MESSAGE)).data.size() == 1000);
  CHECK(csms.counters().messages_in == 1);
  fleet.finish();
}

TEST_CASE("a received message that is too big ends the connection with 1009 and the station comes back") {
  raw::Server server;
  Fleet fleet(Delivery::poll, quick({{"csms.message_size_max", "1000B"}}));
  fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  const bool in_fragments = GENERATE(false, true);
  if (in_fragments) {
    peer.send_frame(raw::text, std::string(600, 'x'), false);
    peer.send_frame(raw::continuation, std::string(600, 'x'));
  } else {
    peer.send_frame(raw::text, std::string(1001, 'x'));
  }
  const auto frame = peer.read_frame();
  REQUIRE(frame);
  CHECK(frame->opcode == raw::close);
  CHECK(frame->payload.substr(0, 2) == "\x03\xf1");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  const Record end = must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED));
  CHECK(end.status == CWIRE_E_TOO_BIG);
  CHECK(end.code == 1009);
  CHECK(count(fleet.records(), CWIRE_EVENT_MESSAGE) == 0);
  auto again = server.accept();
  again.upgrade();
  CHECK(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  fleet.finish(0);
}

TEST_CASE("a peer that breaks the protocol is answered with 1002 or 1007 and dialled again") {
  struct Case {
    std::string bytes;
    std::string code;
  };
  const Case c = GENERATE(Case{std::string("\x81\x85", 2) + "maskabcde", "\x03\xea"},  // masked by a server
                          Case{raw::frame(0x3, "x"), "\x03\xea"},                      // reserved opcode
                          Case{raw::frame(0x41, "x"), "\x03\xea"},                     // RSV1 without an extension
                          Case{raw::frame(raw::continuation, "x"), "\x03\xea"},
                          Case{raw::frame(raw::text, "\xff\xfe"), "\x03\xef"});
  raw::Server server;
  Fleet fleet(Delivery::poll);
  fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  peer.send(c.bytes);
  const auto frame = peer.read_frame();
  REQUIRE(frame);
  CHECK(frame->opcode == raw::close);
  CHECK(frame->payload.substr(0, 2) == c.code);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  CHECK(must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED)).status == CWIRE_E_PROTOCOL);
  auto again = server.accept();
  again.upgrade();
  CHECK(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  fleet.finish(0);
}

TEST_CASE("messages of every shape come whole") {
  raw::Server server;
  const Delivery delivery = both_deliveries();
  Fleet fleet(delivery);
  const cwire_station station = fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  peer.send_frame(raw::text, "");
  peer.send_frame(raw::text, "h\xc3", false);  // a character across two fragments, a ping between them
  peer.send_frame(raw::ping, "between");
  peer.send_frame(raw::continuation, "\xa9");
  peer.send_frame(raw::binary, std::string("\0\xff", 2));
  peer.send_frame(raw::text, std::string(70000, 'x'));
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1", 4));
  std::vector<Record> messages;
  for (const Record& record : fleet.records()) {
    if (record.type == CWIRE_EVENT_MESSAGE) messages.push_back(record);
  }
  CHECK(messages[0].data.empty());
  CHECK(messages[1].data == "h\xc3\xa9");
  CHECK(messages[1].flags == 0);
  CHECK(messages[2].data == std::string("\0\xff", 2));
  CHECK(messages[2].flags == CWIRE_FLAG_BINARY);
  CHECK(messages[3].data == std::string(70000, 'x'));
  const auto pong = peer.read_frame();
  REQUIRE(pong);
  CHECK(pong->opcode == raw::pong);
  CHECK(pong->payload == "between");
  REQUIRE(cwire_station_send(station, nullptr, 0, 0, 0) == CWIRE_OK);
  REQUIRE(cwire_station_send(station, "\0\xff", 2, CWIRE_FLAG_BINARY, 0) == CWIRE_OK);
  auto frame = peer.read_frame();
  CHECK((frame && frame->opcode == raw::text && frame->payload.empty()));
  frame = peer.read_frame();
  CHECK((frame && frame->opcode == raw::binary && frame->payload == std::string("\0\xff", 2)));
  fleet.finish(0);
}

TEST_CASE("the identity is percent-encoded onto the path of the URL") {
  struct Case {
    std::string id, path, request;
  };
  const Case c = GENERATE(Case{"RDAM|123", "", "/RDAM%7C123"}, Case{"RDAM 123", "/ocpp", "/ocpp/RDAM%20123"},
                          Case{"CP/1?#%", "/ocpp/", "/ocpp/CP%2F1%3F%23%25"}, Case{"A\xc3\xa9", "/a/b", "/a/b/A%C3%A9"},
                          Case{"CP1", "/ocpp?tenant=7", "/ocpp/CP1?tenant=7"});
  CAPTURE(c.id);
  raw::Server server;
  Fleet fleet(Delivery::poll);
  fleet.connect(c.id, server.url() + c.path);
  auto peer = server.accept();
  const std::string request = peer.upgrade();
  CHECK(request.substr(0, request.find("\r\n")) == "GET " + c.request + " HTTP/1.1");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, c.id));
  fleet.finish(0);
}

TEST_CASE("the upgrade request says what RFC 6455 and OCPP want and nothing twice") {
  raw::Server server;
  Fleet fleet(Delivery::poll);
  fleet.connect(
      "CP1", server.url(),
      {{"csms.protocol", "2.1, 2.0.1, 1.6"}, {"csms.headers.X-Site", "Rotterdam"}, {"csms.headers.X-Key", "secret"}});
  auto peer = server.accept();
  const std::string request = peer.read_request();
  const auto header = [&](const char* name) { return raw::Connection::header(request, name); };
  CHECK(header("Host") == "127.0.0.1:" + std::to_string(server.port()));
  CHECK(header("Upgrade") == "websocket");
  CHECK(header("Connection") == "Upgrade");
  CHECK(header("Sec-WebSocket-Version") == "13");
  CHECK(header("Sec-WebSocket-Key").size() == 24);
  CHECK(header("Sec-WebSocket-Protocol") == "ocpp2.1, ocpp2.0.1, ocpp1.6");
  CHECK(header("X-Site") == "Rotterdam");
  CHECK(header("X-Key") == "secret");
  CHECK(header("Authorization").empty());
  peer.accept_upgrade(request, "ocpp2.0.1");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  fleet.finish(0);
}

TEST_CASE("credentials are on the wire as OCPP wants them") {
  struct Case {
    std::string id;
    Settings settings;
    std::string authorization;
  };
  const Case c =
      GENERATE(Case{"AL1000",
                    {{"csms.security_profile", "1"},
                     {"csms.auth.type", "basic"},
                     {"csms.auth.password", "0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF"},
                     {"csms.auth.password_format", "hex"}},
                    "Basic QUwxMDAwOgABAgMEBQYH////////////////"},
               Case{"AL1000",
                    {{"csms.security_profile", "1"},
                     {"csms.auth.type", "basic"},
                     {"csms.auth.password", "0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF"}},
                    "Basic QUwxMDAwOjAwMDEwMjAzMDQwNTA2MDdGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkY="},
               Case{"CP1",
                    {{"csms.security_profile", "1"},
                     {"csms.auth.type", "basic"},
                     {"csms.auth.username", "Aladdin"},
                     {"csms.auth.password", "open sesame"}},
                    "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},  // RFC 7617 2
               Case{"CP1", {{"csms.auth.type", "bearer"}, {"csms.auth.token", "abc.def"}}, "Bearer abc.def"});
  raw::Server server;
  Fleet fleet(Delivery::poll, quick({{"log_level", "debug"}}));
  fleet.connect(c.id, server.url(), c.settings);
  // On every connect, the second as the first.
  for (int i = 0; i < 2; ++i) {
    auto peer = server.accept();
    const std::string request = peer.upgrade();
    CHECK(raw::Connection::header(request, "Authorization") == c.authorization);
    peer.reset();
  }
  fleet.finish(0);
  for (const Record& record : fleet.records()) {
    CHECK_THAT(record.data, !Contains("FFFF") && !Contains("sesame") && !Contains("abc.def") && !Contains("QUwx"));
  }
}

TEST_CASE("a new password takes a disconnect and a connect") {
  csms::Options options;
  options.passwords["CP1"] = "first";
  csms::Csms csms(options);
  Fleet fleet(Delivery::poll);
  const cwire_station station =
      fleet.connected("CP1", csms.url(),
                      {{"csms.security_profile", "1"}, {"csms.auth.type", "basic"}, {"csms.auth.password", "first"}});
  csms.set_password("CP1", "second");
  // A01: disconnect, connect with the new password.
  REQUIRE(cwire_station_disconnect(station, 0, nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  fleet.connected("CP1", csms.url(),
                  {{"csms.security_profile", "1"}, {"csms.auth.type", "basic"}, {"csms.auth.password", "second"}});
  fleet.finish();
}

TEST_CASE("an IPv6 literal is dialled and named in the Host header with brackets") {
  raw::Server server(0, AF_INET6);
  Fleet fleet(Delivery::poll);
  fleet.connect("CP1", server.url());
  auto peer = server.accept();
  const std::string request = peer.upgrade();
  CHECK(raw::Connection::header(request, "Host") == "[::1]:" + std::to_string(server.port()));
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  fleet.finish(0);
}

TEST_CASE("the name localhost is dialled by every address it has") {
  csms::Csms csms{csms::Options()};  // on 127.0.0.1 only, also where ::1 comes first
  Fleet fleet(Delivery::poll);
  fleet.connected("CP1", "ws://localhost:" + std::to_string(csms.port()));
  fleet.finish();
}

TEST_CASE("logs at debug level tell the story and are off by default") {
  csms::Csms csms{csms::Options()};
  const bool verbose = GENERATE(false, true);
  Fleet fleet(Delivery::poll, quick(verbose ? Settings{{"log_level", "debug"}} : Settings{}));
  fleet.connected("CP1", csms.url());
  fleet.finish();
  CHECK((count(fleet.records(), CWIRE_EVENT_LOG) > 0) == verbose);
}
