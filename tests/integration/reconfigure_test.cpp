// A living station that is given another password, URL, certificate or ping interval.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "fixture.h"
#include "raw_peer.h"
#include "test_pki.h"

using namespace fixture;
using Catch::Contains;

namespace {

constexpr std::uint32_t kReconnect = CWIRE_RECONFIGURE_RECONNECT;

// Must succeed.
void reconfigure(cwire_station station, const Settings& settings, std::uint32_t flags = 0, const char* url = nullptr) {
  const Config overrides(settings);
  Error error;
  const cwire_status status = cwire_station_reconfigure(station, url, overrides, flags, &error);
  INFO(error.text());
  REQUIRE(status == CWIRE_OK);
}

// Nobody waits for less than an hour where a test says that something is at once.
Settings patient(Settings more = {}) {
  Settings settings = {{"csms.reconnect_backoff", "1h"},
                       {"csms.reconnect_max_backoff", "1h"},
                       {"csms.refused_backoff", "1h"},
                       {"csms.refused_max_backoff", "1h"}};
  settings.insert(settings.end(), more.begin(), more.end());
  return quick(settings);
}

Settings basic(const std::string& password) {
  return {{"csms.security_profile", "1"}, {"csms.auth.type", "basic"}, {"csms.auth.password", password}};
}

// "Basic " and base64 of CP1:first, CP1:second.
constexpr char kFirst[] = "Basic Q1AxOmZpcnN0";
constexpr char kSecond[] = "Basic Q1AxOnNlY29uZA==";

std::string authorization(const std::string& request) { return raw::Connection::header(request, "Authorization"); }

}  // namespace

TEST_CASE("A01: a password change closes in order and connects again at once with the new one") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  csms::Options options;
  options.passwords["CP1"] = "first";
  csms::Csms csms(options);
  Fleet fleet(delivery, patient());
  const cwire_station station = fleet.connected("CP1", csms.url(), basic("first"));
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  const std::size_t before = fleet.records().size();
  csms.set_password("CP1", "second");
  reconfigure(station, {{"csms.auth.password", "second"}}, kReconnect);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  CHECK(types(fleet.records(), "CP1", before) == "STATE DISCONNECTED STATE CONNECTED");
  CHECK(states(fleet.records(), "CP1") == "connecting connected reconnecting connected");
  const Record end = must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED));
  CHECK(end.status == CWIRE_OK);
  CHECK(end.code == 1000);
  CHECK((end.flags & CWIRE_FLAG_WILL_RETRY) != 0);
  CHECK(end.failure.size == 0);  // it is none
  CHECK_THAT(end.data, Contains("connect again"));
  CHECK((must(last(fleet.records(), CWIRE_EVENT_CONNECTED)).flags & CWIRE_FLAG_RECONNECT) != 0);
  CHECK(fleet.stats("CP1").last_error == CWIRE_OK);
  CHECK(csms.counters().upgrades_refused == 0);
  fleet.finish();
  for (const Record& record : fleet.records()) CHECK_THAT(record.data, !Contains("second") && !Contains("Basic"));
}

TEST_CASE("what was queued before a new password goes out on the old connection, what comes after on the new") {
  raw::Server server;
  Fleet fleet(Delivery::poll, patient());
  const cwire_station station = fleet.connect("CP1", server.url(), basic("first"));
  auto old_peer = server.accept();
  CHECK(authorization(old_peer.upgrade()) == kFirst);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  for (int i = 0; i < 20; ++i) REQUIRE(fleet.send(station, std::to_string(i)) == CWIRE_OK);
  reconfigure(station, basic("second"), kReconnect);
  for (int i = 0; i < 20; ++i) {
    const auto frame = old_peer.read_frame();
    REQUIRE(frame);
    CHECK(frame->payload == std::to_string(i));
  }
  const auto close = old_peer.read_frame();
  REQUIRE(close);
  CHECK(close->opcode == raw::close);
  CHECK(close->payload == "\x03\xe8");  // 1000
  CHECK(fleet.send(station, "in between") == CWIRE_E_NOT_ESTABLISHED);
  CHECK_FALSE(server.somebody_wants_in(0));  // not before the old one has ended
  old_peer.send_frame(raw::close, close->payload);
  auto new_peer = server.accept();
  CHECK(authorization(new_peer.upgrade()) == kSecond);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  REQUIRE(fleet.send(station, "after") == CWIRE_OK);
  const auto frame = new_peer.read_frame();
  REQUIRE(frame);
  CHECK(frame->payload == "after");
  CHECK(fleet.stats("CP1").messages_not_sent == 0);
  fleet.finish(0);
}

TEST_CASE("what a stuck peer does not take before the connection is replaced is reported") {
  raw::Server server(4096);
  Fleet fleet(Delivery::poll, patient({{"csms.close_timeout", "200ms"}, {"csms.send_queue_bytes", "64MiB"}}));
  const cwire_station station = fleet.connect("CP1", server.url());
  auto stuck = server.accept();
  stuck.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  std::size_t accepted = 0;
  while (fleet.send(station, std::string(500'000, 'x')) == CWIRE_OK) ++accepted;
  reconfigure(station, {}, kReconnect);
  auto peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  const cwire_stats stats = fleet.stats("CP1");
  CHECK(stats.messages_not_sent > 0);
  CHECK(stats.messages_sent + stats.messages_not_sent == accepted);
  CHECK(count(fleet.records(), CWIRE_EVENT_SENT, "CP1") == stats.messages_not_sent);
  CHECK(stats.queued_messages == 0);
  CHECK(fleet.send(station, "goes on") == CWIRE_OK);
  const auto frame = peer.read_frame();
  REQUIRE(frame);
  CHECK(frame->payload == "goes on");
  fleet.finish(0);
}

TEST_CASE("without hurry a connection is left alone, and the next one is made with the new settings") {
  raw::Server server;
  Fleet fleet(Delivery::poll);
  const cwire_station station = fleet.connect("CP1", server.url(), basic("first"));
  auto peer = server.accept();
  CHECK(authorization(peer.upgrade()) == kFirst);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  Settings settings = basic("second");
  settings.push_back({"csms.message_size_max", "9B"});
  reconfigure(station, settings);
  REQUIRE(fleet.send(station, "still here") == CWIRE_OK);
  const auto frame = peer.read_frame();
  REQUIRE(frame);
  CHECK(frame->payload == "still here");
  peer.reset();
  auto next = server.accept();
  CHECK(authorization(next.upgrade()) == kSecond);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  CHECK(fleet.send(station, "still here") == CWIRE_E_TOO_BIG);
  fleet.finish(0);
}

TEST_CASE("a loop of 401 ends at once with the right password, and only with another one") {
  csms::Options options;
  for (const char* id : {"CP1", "CP2", "CP3"}) options.passwords[id] = "right";
  csms::Csms csms(options);
  Fleet fleet(Delivery::poll, patient({{"io_threads", "1"}}));
  fleet.connect("CP1", csms.url(), basic("wrong"));
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1"));
  const std::pair<std::string, Settings> rows[] = {{"CP2", basic("wrong")}, {"CP3", {{"csms.ping_interval", "13s"}}}};
  for (const auto& [other, same] : rows) {
    const Config overrides(same);
    REQUIRE(cwire_manager_reconfigure(fleet.manager, "CP1", nullptr, overrides, 0, nullptr) == CWIRE_OK);
    // Whoever comes behind it on the same thread is connected when an attempt of CP1 would have been refused.
    fleet.connected(other, csms.url(), basic("right"));
    CHECK(csms.counters().upgrades_refused == 1);
  }
  const Config right(basic("right"));
  REQUIRE(cwire_manager_reconfigure(fleet.manager, "CP1", nullptr, right, 0, nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  CHECK(csms.counters().upgrades_refused == 1);  // none with the same password again
  fleet.finish();
}

TEST_CASE("a station that waits for its turn at an endpoint goes to another one without hurry") {
  csms::Csms here{csms::Options()}, there{csms::Options()};
  Fleet fleet(Delivery::poll, patient());
  REQUIRE(cwire_manager_isolate(fleet.manager, here.url().c_str(), nullptr) == CWIRE_OK);
  fleet.connect("CP1", here.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_STATE, "CP1"));
  REQUIRE(cwire_manager_reconfigure(fleet.manager, "CP1", there.url().c_str(), nullptr, 0, nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  CHECK(fleet.stats("CP1").reconnect_attempts == 0);
  fleet.finish();
  CHECK(here.counters().connections_accepted == 0);
}

TEST_CASE("a turn at one endpoint is none at another that the station is sent to before it has dialled") {
  csms::Csms here{csms::Options()}, there{csms::Options()}, elsewhere{csms::Options()};
  Gate gate;
  Fleet fleet(Delivery::handler, patient({{"io_threads", "1"}}), [&](const cwire_event& event) {
    if (event.type == CWIRE_EVENT_CONNECTED && std::string(event.station_id) == "HOLD") gate.pass();
  });
  for (const csms::Csms* csms : {&here, &there}) {
    REQUIRE(cwire_manager_isolate(fleet.manager, csms->url().c_str(), nullptr) == CWIRE_OK);
  }
  const cwire_station station = fleet.connect("CP1", here.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_STATE, "CP1"));
  fleet.connect("HOLD", elsewhere.url());
  REQUIRE(gate.wait_arrived());
  // Its thread finds both when it comes out of the handler.
  REQUIRE(cwire_manager_reset(fleet.manager, here.url().c_str(), nullptr) == CWIRE_OK);
  reconfigure(station, {}, 0, there.url().c_str());
  gate.open();
  fleet.connected("LATER", elsewhere.url());
  CHECK(here.counters().connections_accepted == 0);
  CHECK(there.counters().connections_accepted == 0);
  REQUIRE(cwire_manager_reset(fleet.manager, there.url().c_str(), nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  CHECK(there.connected("CP1"));
  CHECK(fleet.stats("CP1").reconnect_attempts == 0);
  fleet.finish();
  CHECK(here.counters().connections_accepted == 0);
}

TEST_CASE("another token in the query of the URL ends the wait that the old one led to") {
  raw::Server server;
  Fleet fleet(Delivery::poll, patient());
  fleet.connect("CP1", server.url() + "/ocpp?token=old-token-1");
  {
    raw::Connection peer = server.accept();
    CHECK(peer.read_request().find("?token=old-token-1 ") != std::string::npos);
    peer.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
    peer.close();
  }
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1"));
  const std::string url = server.url() + "/ocpp?token=new-token-2";
  REQUIRE(cwire_manager_reconfigure(fleet.manager, "CP1", url.c_str(), nullptr, 0, nullptr) == CWIRE_OK);
  raw::Connection peer = server.accept();
  const std::string request = peer.read_request();
  CHECK(request.find("?token=new-token-2 ") != std::string::npos);
  peer.accept_upgrade(request);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  // A peer that repeats it has its reason withheld.
  peer.send_frame(raw::close, std::string("\x03\xe8", 2) + "bad token new-token-2");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  const Record lost = must(last(fleet.records(), CWIRE_EVENT_DISCONNECTED));
  CHECK(lost.data.find("new-token-2") == std::string::npos);
  CHECK(lost.data.find("withheld") != std::string::npos);
  fleet.finish(0);
}

TEST_CASE("another URL is gone to at once when told so, with the identity on its path") {
  csms::Csms here{csms::Options()}, there{csms::Options()};
  Fleet fleet(Delivery::poll, patient());
  const cwire_station station = fleet.connected("RDAM|123", here.url());
  reconfigure(station, {}, kReconnect, there.url().c_str());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "RDAM|123", 2));
  CHECK(there.connected("RDAM|123"));
  REQUIRE(here.wait_until([](const csms::Counters& c) { return c.stations == 0; }, kPatience));
  // csms.default_url is not where it goes any more, and the URL stays when something else changes.
  reconfigure(station, {{"csms.default_url", "ws://127.0.0.1:1"}, {"csms.headers.X-Site", "7"}}, kReconnect);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "RDAM|123", 3));
  CHECK(there.connected("RDAM|123"));
  fleet.finish();
}

TEST_CASE("a station without a URL of its own follows csms.default_url") {
  csms::Csms here{csms::Options()}, there{csms::Options()};
  Fleet fleet(Delivery::poll, patient({{"csms.default_url", here.url()}}));
  cwire_station station = nullptr;
  REQUIRE(cwire_manager_connect(fleet.manager, "CP1", nullptr, nullptr, 0, &station, nullptr) == CWIRE_OK);
  fleet.note_connect(station);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  reconfigure(station, {{"csms.default_url", there.url()}}, kReconnect);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  CHECK(there.connected("CP1"));
  fleet.finish();
}

TEST_CASE("the ping interval changes without a new connection") {
  raw::Server server;
  Fleet fleet(Delivery::poll, quick({{"csms.ping_interval", "1h"}, {"csms.pong_timeout", "30s"}}));
  const cwire_station station = fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  const auto next = [&] {
    const auto frame = peer.read_frame();
    REQUIRE(frame);
    if (frame->opcode == raw::ping) peer.send_frame(raw::pong, frame->payload);
    return *frame;
  };
  // The pings that come before a message comes back.
  const auto pings_around_a_message = [&] {
    REQUIRE(fleet.send(station, "message") == CWIRE_OK);
    int pings = 0;
    while (next().opcode == raw::ping) ++pings;
    return pings;
  };
  CHECK(pings_around_a_message() == 0);
  reconfigure(station, {{"csms.ping_interval", "10ms"}});
  for (int pings = 0; pings < 5; ++pings) CHECK(next().opcode == raw::ping);
  reconfigure(station, {{"csms.ping_interval", "1h"}});
  pings_around_a_message();  // when this has come the new interval is known, at the latest with the next
  pings_around_a_message();
  for (int messages = 0; messages < 5; ++messages) CHECK(pings_around_a_message() == 0);
  CHECK(count(fleet.records(), CWIRE_EVENT_DISCONNECTED, "CP1") == 0);
  fleet.finish(0);
}

TEST_CASE("the queue's limits and policy change at once, and whoever was turned away is told of the room") {
  raw::Server server(4096);
  Fleet fleet(Delivery::poll, quick({{"csms.send_queue_messages", "5"},
                                     {"csms.send_queue_bytes", "64MiB"},
                                     {"csms.write_timeout", "1h"},
                                     {"csms.ping_interval", "0s"}}));
  const cwire_station station = fleet.connect("CP1", server.url());
  auto stuck = server.accept();
  stuck.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  // The kernel's buffers fill first. When there was no room in half a second, there will be none.
  std::size_t times = 0;  // that somebody was turned away
  const auto told = [&](const Records& records) { return count(records, CWIRE_EVENT_WRITABLE) == times; };
  do {
    while (fleet.send(station, std::string(500'000, 'x')) == CWIRE_OK) {
    }
    ++times;
  } while (fleet.wait(told, std::chrono::milliseconds(500)));
  reconfigure(station, {{"csms.send_queue_messages", "1000"}});
  REQUIRE(fleet.wait(told));
  for (int i = 0; i < 100; ++i) REQUIRE(fleet.send(station, "x") == CWIRE_OK);
  CHECK(count(fleet.records(), CWIRE_EVENT_SENT) == 0);
  // What is in already goes as well, with the next that comes behind it.
  reconfigure(station, {{"csms.send_queue_messages", "60"}, {"csms.send_queue_policy", "drop_oldest"}});
  const auto dropped = [](const Records& records) { return count(records, CWIRE_EVENT_SENT) >= 40; };
  for (int i = 0; i < 500 && !fleet.wait(dropped, std::chrono::milliseconds(20)); ++i) {
    REQUIRE(fleet.send(station, "x") == CWIRE_OK);
  }
  CHECK(dropped(fleet.records()));
  CHECK(must(first(fleet.records(), CWIRE_EVENT_SENT)).status == CWIRE_E_QUEUE_FULL);
  fleet.finish(0);
}

TEST_CASE("calls add up, one on top of the other") {
  raw::Server server;
  Fleet fleet(Delivery::poll);
  const cwire_station station = fleet.connect("CP1", server.url(), basic("first"));
  auto peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  reconfigure(station, {{"csms.headers.X-One", "1"}});
  reconfigure(station, {{"csms.auth.password", "second"}});
  reconfigure(station, {{"csms.headers.X-Two", "2"}, {"csms.protocol", "2.0.1, 1.6"}});
  peer.reset();
  const std::string request = server.accept().upgrade();
  CHECK(authorization(request) == kSecond);
  CHECK(raw::Connection::header(request, "X-One") == "1");
  CHECK(raw::Connection::header(request, "X-Two") == "2");
  CHECK(raw::Connection::header(request, "Sec-WebSocket-Protocol") == "ocpp2.0.1, ocpp1.6");
  fleet.finish(0);
}

TEST_CASE("a call that another one overtakes while it reads its files is made on top of that one") {
  pki::TemporaryDirectory directory;
  const std::string file = directory.path("password");
  REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
  raw::Server server;
  Fleet fleet(Delivery::poll);
  const cwire_station station = fleet.connect("CP1", server.url(), basic("first"));
  auto peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  const Config slow(Settings{{"csms.auth.password_file", file}});
  std::atomic<cwire_status> status{CWIRE_E_INTERNAL};
  std::thread caller([&] { status = cwire_station_reconfigure(station, nullptr, slow, 0, nullptr); });
  const int writer = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);  // waits until it reads
  directory.replace("password", "second\n");                      // for when it reads again
  reconfigure(station, {{"csms.headers.X-One", "1"}});
  const ssize_t written = ::write(writer, "second\n", 7);
  ::close(writer);
  caller.join();
  CHECK(written == 7);
  CHECK(status == CWIRE_OK);
  peer.reset();
  const std::string request = server.accept().upgrade();
  CHECK(authorization(request) == kSecond);
  CHECK(raw::Connection::header(request, "X-One") == "1");
  fleet.finish(0);
}

TEST_CASE("files are read again, each time, whatever else changes") {
  const std::string kind = GENERATE("password", "token");
  pki::TemporaryDirectory directory;
  const std::string file = directory.write("secret", "first\n");
  const auto header = [&](const std::string& basic, const std::string& secret) {
    return kind == "token" ? "Bearer " + secret : basic;
  };
  raw::Server server;
  Fleet fleet(Delivery::poll);
  Settings settings = {{"csms.auth." + kind + "_file", file}, {"csms.auth.type", kind == "token" ? "bearer" : "basic"}};
  if (kind == "password") settings.push_back({"csms.security_profile", "1"});
  const cwire_station station = fleet.connect("CP1", server.url(), settings);
  std::optional<raw::Connection> peer;
  const auto expect = [&](const std::string& wanted) {
    peer.emplace(server.accept());
    CHECK(authorization(peer->upgrade()) == wanted);
    REQUIRE(cwire_station_wait(station, kPatience_ms, nullptr) == CWIRE_OK);
  };
  expect(header(kFirst, "first"));
  for (const bool changed : {true, false, true}) {
    const std::string secret = changed ? "second" : "first";
    directory.write("secret", secret + "\n");
    REQUIRE(cwire_station_reconfigure(station, nullptr, nullptr, 0, nullptr) == CWIRE_OK);
    peer->reset();
    expect(changed ? header(kSecond, secret) : header(kFirst, secret));
  }
  fleet.finish(0);
}

TEST_CASE("a CA that is renewed in its file ends the wait for a certificate that was not trusted") {
  pki::TemporaryDirectory directory;
  const pki::Identity ca = pki::make_self_signed({"right CA", {}, true}),
                      stranger = pki::make_self_signed({"strange CA", {}, true});
  const pki::Identity identity = pki::make_signed({"localhost", {"IP:127.0.0.1"}}, ca);
  csms::Options options;
  options.certificate_file = directory.write("server.pem", identity.certificate_pem());
  options.key_file = directory.write("server.key", identity.key_pem());
  csms::Csms csms(options);
  Fleet fleet(Delivery::poll, patient({{"csms.tls.ca_cert", directory.write("ca.pem", stranger.certificate_pem())}}));
  const cwire_station station = fleet.connect("CP1", csms.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1"));
  directory.write("ca.pem", ca.certificate_pem());
  REQUIRE(cwire_station_reconfigure(station, nullptr, nullptr, 0, nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  CHECK(count(fleet.records(), CWIRE_EVENT_ERROR, "CP1") == 1);
  fleet.finish();
}

TEST_CASE("what is wrong is refused and changes nothing") {
  raw::Server server;
  Fleet fleet(Delivery::poll);
  const cwire_station station = fleet.connect("CP1", server.url(), basic("first"));
  auto peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  const struct {
    const char* url;
    Settings settings;
    std::uint32_t flags;
    cwire_status status;
    const char* words;
  } rows[] = {
      {nullptr, {}, 2, CWIRE_E_INVALID_ARGUMENT, "CWIRE_RECONFIGURE_RECONNECT"},
      {"http://csms", {}, 0, CWIRE_E_INVALID_ARGUMENT, "ws://"},
      {nullptr, {{"csms.tls.enabled", "true"}}, kReconnect, CWIRE_E_CONFIG, "csms.security_profile is 1"},
      {nullptr, {{"csms.auth.password", "second"}, {"csms.auth.token", "t"}}, kReconnect, CWIRE_E_CONFIG, "bearer"},
      {nullptr, {{"csms.reconnect_backoff", "2h"}}, kReconnect, CWIRE_E_CONFIG, "csms.reconnect_max_backoff"},
      {"wss://127.0.0.1:1",
       {{"csms.security_profile", "2"}, {"csms.tls.ca_cert", "/nowhere/ca.pem"}},
       0,
       CWIRE_E_TLS,
       "/nowhere/ca.pem"},
      {"wss://127.0.0.1:1", {}, 0, CWIRE_E_CONFIG, "csms.security_profile is 1"},
      {nullptr, {{"csms.auth.password_file", "/nowhere/password"}}, 0, CWIRE_E_CONFIG, "/nowhere/password"},
      {nullptr, {{"csms.offline_queue_messages", "10"}}, 0, CWIRE_E_CONFIG, "CP1: csms.offline_queue_messages"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.words);
    const Config overrides(row.settings);
    Error error;
    CHECK(cwire_station_reconfigure(station, row.url, overrides, row.flags, &error) == row.status);
    CHECK_THAT(error.text(), Contains(row.words) && !Contains("second"));
  }
  REQUIRE(fleet.send(station, "still here") == CWIRE_OK);
  const auto frame = peer.read_frame();
  REQUIRE(frame);
  CHECK(frame->opcode == raw::text);
  peer.reset();
  CHECK(authorization(server.accept().upgrade()) == kFirst);
  fleet.finish(0);
}

TEST_CASE("an offline queue gets other limits, another policy and another age, and is not given up") {
  raw::ClosedPort nobody;
  Fleet fleet(Delivery::poll, patient({{"csms.offline_queue_messages", "3"}}));
  const cwire_station station = fleet.connect("CP1", nobody.url());
  for (std::uint64_t i = 0; i < 3; ++i) REQUIRE(fleet.send(station, "x", 0, i) == CWIRE_OK);
  CHECK(fleet.send(station, "x", 0, 3) == CWIRE_E_QUEUE_FULL);
  reconfigure(station, {{"csms.offline_queue_messages", "4"}, {"csms.send_queue_policy", "drop_oldest"}});
  // Taken when the thread comes to it; with the new policy nothing is refused.
  REQUIRE(fleet.eventually([&] { return fleet.send(station, "x", 0, 3) == CWIRE_OK; }));
  REQUIRE(fleet.send(station, "x", 0, 4) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_SENT, "CP1", 1));
  CHECK(fleet.stats("CP1").offline_messages == 4);
  const Record dropped = must(first(fleet.records(), CWIRE_EVENT_SENT));
  CHECK(dropped.tag == 0);
  CHECK(dropped.status == CWIRE_E_QUEUE_FULL);
  const Config none(Settings{{"csms.offline_queue_messages", "0"}});
  Error error;
  CHECK(cwire_station_reconfigure(station, nullptr, none, 0, &error) == CWIRE_E_CONFIG);
  CHECK_THAT(error.text(), Contains("CP1: csms.offline_queue_messages"));
  reconfigure(station, {{"csms.offline_queue_max_age", "1ms"}});
  REQUIRE(fleet.wait_for(CWIRE_EVENT_SENT, "CP1", 5));
  CHECK(fleet.stats("CP1").offline_messages == 0);
  std::vector<std::uint64_t> old;
  for (const Record& record : fleet.records()) {
    if (record.type == CWIRE_EVENT_SENT && record.status == CWIRE_E_TIMEOUT) old.push_back(record.tag);
  }
  CHECK(old == std::vector<std::uint64_t>{1, 2, 3, 4});
  fleet.finish();
}

TEST_CASE("what waits for the new connection is reported at once when a disconnect comes instead") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  raw::Server server;
  Fleet fleet(delivery, patient({{"csms.offline_queue_messages", "10"}, {"csms.close_timeout", "1m"}}));
  const cwire_station station = fleet.connect("CP1", server.url());
  raw::Connection peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  reconfigure(station, {}, kReconnect);
  REQUIRE(fleet.wait([](const Records& all) { return states(all, "CP1") == "connecting connected reconnecting"; }));
  REQUIRE(fleet.send(station, "for the next", 0, 1) == CWIRE_OK);
  REQUIRE(cwire_station_disconnect(station, 0, nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_SENT, "CP1"));
  CHECK(must(last(fleet.records(), CWIRE_EVENT_SENT)).status == CWIRE_E_CLOSED);
  CHECK(count(fleet.records(), CWIRE_EVENT_CLOSED) == 0);
  CHECK(fleet.send(station, "too late") == CWIRE_E_NOT_ESTABLISHED);
  fleet.finish(0);
}

TEST_CASE("only a living station is reconfigured") {
  raw::ClosedPort nobody;
  Fleet fleet(Delivery::poll);
  CHECK(cwire_manager_reconfigure(fleet.manager, "NONE", nullptr, nullptr, 0, nullptr) == CWIRE_E_NOT_FOUND);
  CHECK(cwire_manager_reconfigure(fleet.manager, nullptr, nullptr, nullptr, 0, nullptr) == CWIRE_E_INVALID_ARGUMENT);
  const cwire_station station = fleet.connect("CP1", nobody.url(), {{"csms.max_reconnect_attempts", "1"}});
  REQUIRE(cwire_station_wait(station, kPatience_ms, nullptr) == CWIRE_E_DIAL);
  Error ended;
  CHECK(cwire_station_reconfigure(station, nullptr, nullptr, 0, &ended) ==
        CWIRE_E_STATE);  // nobody took its CLOSED yet
  CHECK_THAT(ended.text(), Contains("CP1: the station has ended"));
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  fleet.poll(0);  // its CLOSED is given back
  CHECK(cwire_station_reconfigure(station, nullptr, nullptr, 0, nullptr) == CWIRE_E_INVALID_HANDLE);
  Error error;
  CHECK(cwire_manager_reconfigure(fleet.manager, "CP1", nullptr, nullptr, 0, &error) == CWIRE_E_STATE);
  CHECK_THAT(error.text(), Contains("CP1") && Contains("connect it again"));
  fleet.finish();
}

TEST_CASE("a station is reconfigured inside the handler") {
  csms::Csms csms{csms::Options()};
  std::atomic<int> left{3};
  Fleet fleet(Delivery::handler, patient(), [&](const cwire_event& event) {
    if (event.type != CWIRE_EVENT_CONNECTED || left-- <= 0) return;
    cwire_station_reconfigure(event.station, nullptr, nullptr, kReconnect, nullptr);
  });
  fleet.connect("CP1", csms.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 4));
  fleet.finish();
  CHECK(count(fleet.records(), CWIRE_EVENT_DISCONNECTED, "CP1") == 4);  // the last by finish()
  CHECK(count(fleet.records(), CWIRE_EVENT_ERROR, "CP1") == 0);
}

TEST_CASE("reconfigure send statistics and disconnect at once from many threads") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::handler, quick({{"io_threads", "2"}}));
  constexpr int kStations = 4;
  std::vector<cwire_station> stations;
  for (int i = 0; i < kStations; ++i) stations.push_back(fleet.connect("CP" + std::to_string(i), csms.url()));
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> accepted{0}, wrong{0};
  const auto expect_one_of = [&](cwire_status status, std::initializer_list<cwire_status> allowed) {
    if (std::find(allowed.begin(), allowed.end(), status) == allowed.end()) ++wrong;
  };
  std::vector<std::thread> threads;
  // Made here: they assert, which is for one thread only.
  const Config first(Settings{{"csms.headers.X-Thread", "0"}, {"csms.ping_interval", "20ms"}});
  const Config second(Settings{{"csms.headers.X-Thread", "1"}, {"csms.ping_interval", "20ms"}});
  const Config smaller(Settings{{"csms.message_size_max", "64KiB"}, {"csms.send_queue_messages", "7"}});
  for (const cwire_config own : {static_cast<cwire_config>(first), static_cast<cwire_config>(second)}) {
    threads.emplace_back([&, own] {
      for (int i = 0; i < 60; ++i) {
        for (const cwire_station station : stations) {
          expect_one_of(cwire_station_reconfigure(station, nullptr, i % 2 == 0 ? own : smaller,
                                                  i % 3 == 0 ? kReconnect : 0, nullptr),
                        {CWIRE_OK, CWIRE_E_INVALID_HANDLE, CWIRE_E_STATE});
        }
      }
    });
  }
  threads.emplace_back([&] {
    while (!done) {
      for (const cwire_station station : stations) {
        const cwire_status status = cwire_station_send(station, "[2,\"1\",\"Heartbeat\",{}]", 23, CWIRE_FLAG_REPORT, 1);
        if (status == CWIRE_OK) ++accepted;
        expect_one_of(status, {CWIRE_OK, CWIRE_E_NOT_ESTABLISHED, CWIRE_E_QUEUE_FULL, CWIRE_E_INVALID_HANDLE});
      }
      std::size_t size = 0;
      cwire_manager_broadcast(fleet.manager, "x", 1, CWIRE_FLAG_REPORT, &size);
      accepted += size;
    }
  });
  threads.emplace_back([&] {
    while (!done) {
      cwire_stats stats{};
      stats.size = sizeof stats;
      cwire_manager_stats(fleet.manager, "CP0", &stats);
    }
  });
  threads[0].join();
  for (int i = 0; i < kStations; i += 2) cwire_station_disconnect(stations[static_cast<std::size_t>(i)], 0, nullptr);
  threads[1].join();
  done = true;
  for (std::size_t t = 2; t < threads.size(); ++t) threads[t].join();
  CHECK(wrong == 0);
  fleet.finish();
  const Records records = fleet.records();
  CHECK(count(records, CWIRE_EVENT_SENT) == accepted);  // each sent or reported, none twice
  for (int i = 0; i < kStations; ++i) CHECK(count(records, CWIRE_EVENT_CLOSED, "CP" + std::to_string(i)) == 1);
}
