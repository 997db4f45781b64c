// permessage-deflate (RFC 7692) as users have it: negotiated by option, messages both ways, statistics, and the faults
// of docs/reliability.md.
#include <atomic>
#include <random>

#include "fault_csms.h"
#include "zlib_peer.h"

using namespace fixture;
using Catch::Contains;

namespace {

constexpr char kAccepted[] = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n";
constexpr int kCompressed = 0x40;  // RSV1, beside an opcode

Settings compressing(Settings more = {}) {
  Settings settings = {{"csms.deflate.enabled", "true"}};
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

// What compresses well.
std::string text_of(std::size_t number) {
  std::string out = "[2,\"" + std::to_string(number) + "\",\"DataTransfer\",{\"vendorId\":\"";
  for (int i = 0; i < 50; ++i) out += "voltwerk" + std::to_string(i * number % 7);
  return out + "\"}]";
}

raw::Connection accept(raw::Server& server, Fleet& fleet, const char* extensions = kAccepted) {
  raw::Connection peer = server.accept();
  const std::size_t connections = count(fleet.records(), CWIRE_EVENT_CONNECTED, "CP1");
  peer.accept_upgrade(peer.read_request(), "ocpp1.6", extensions);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", connections + 1));
  return peer;
}

raw::Frame must_frame(raw::Connection& peer) {
  const auto frame = peer.read_frame();
  REQUIRE(frame);
  return *frame;
}

std::string read_message(raw::Connection& peer, zlib::Peer& inflater) {
  const raw::Frame frame = must_frame(peer);
  return frame.compressed ? inflater.inflate(frame.payload) : frame.payload;
}

}  // namespace

TEST_CASE("messages are compressed both ways if both sides want it, and the statistics say by how much") {
  const Delivery delivery = both_deliveries();
  const bool wants = GENERATE(true, false), may = GENERATE(true, false), takeover = GENERATE(true, false);
  CAPTURE(delivery, wants, may, takeover);
  csms::Options options;
  options.echo = true;
  options.deflate = may;
  csms::Csms csms(options);
  Fleet fleet(delivery);
  const std::string flag = takeover ? "true" : "false";
  const cwire_station station = fleet.connected("CP1", csms.url(),
                                                {{"csms.deflate.enabled", wants ? "true" : "false"},
                                                 {"csms.deflate.context_takeover", flag},
                                                 {"csms.deflate.server_context_takeover", flag}});
  const std::size_t messages = 20;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < messages; ++i) {
    REQUIRE(fleet.send(station, text_of(i)) == CWIRE_OK);
    bytes += text_of(i).size();
  }
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1", messages));
  std::size_t number = 0;
  for (const Record& record : fleet.records()) {
    if (record.type == CWIRE_EVENT_MESSAGE) CHECK(record.data == text_of(number++));
  }
  const cwire_stats stats = fleet.stats("CP1");
  CHECK(stats.compressed == (wants && may ? 1 : 0));
  CHECK(stats.bytes_sent == bytes);
  CHECK(stats.bytes_received == bytes);
  if (wants && may) {
    CHECK(stats.wire_bytes_sent < bytes / 2);
    CHECK(stats.wire_bytes_received < bytes / 2);
    CHECK(stats.wire_bytes_sent > 0);
  } else {
    CHECK(stats.wire_bytes_sent == bytes);
    CHECK(stats.wire_bytes_received == bytes);
  }
  fleet.finish();
}

TEST_CASE("each station of a broadcast compresses for itself, or not") {
  csms::Options options;
  options.deflate = true;
  std::mutex mutex;
  std::map<std::string, std::string> received;
  options.on_message = [&](const std::string& id, const std::string& message) {
    const std::lock_guard<std::mutex> lock(mutex);
    received[id] = message;
  };
  csms::Csms csms(options);
  Fleet fleet(Delivery::handler);
  const Settings kinds[] = {{},
                            compressing(),
                            compressing({{"csms.deflate.context_takeover", "true"}}),
                            compressing({{"csms.deflate.window_bits", "9"}, {"csms.deflate.memory_level", "9"}})};
  for (int i = 0; i < 4; ++i) fleet.connected("CP" + std::to_string(i), csms.url(), kinds[i]);
  const std::string message = text_of(3);
  std::size_t accepted = 0;
  REQUIRE(cwire_manager_broadcast(fleet.manager, message.data(), message.size(), 0, &accepted) == CWIRE_OK);
  CHECK(accepted == 4);
  REQUIRE(fleet.eventually([&] {
    const std::lock_guard<std::mutex> lock(mutex);
    return received.size() == 4;
  }));
  for (const auto& [id, text] : received) CHECK(text == message);
  fleet.finish();
}

TEST_CASE("compression is switched on and off by a reconfiguration, from the next connection on") {
  csms::Options options;
  options.echo = true;
  options.deflate = true;
  csms::Csms csms(options);
  Fleet fleet(Delivery::handler);
  const cwire_station station = fleet.connected("CP1", csms.url());
  const auto change = [&](const char* enabled, std::uint32_t flags) {
    const Config overrides(Settings{{"csms.deflate.enabled", enabled}});
    REQUIRE(cwire_station_reconfigure(station, nullptr, overrides, flags, nullptr) == CWIRE_OK);
  };
  change("true", 0);
  REQUIRE(fleet.send(station, text_of(1)) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1", 1));
  CHECK(fleet.stats("CP1").compressed == 0);
  change("true", CWIRE_RECONFIGURE_RECONNECT);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  REQUIRE(fleet.send(station, text_of(2)) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1", 2));
  CHECK(fleet.stats("CP1").compressed == 1);
  change("false", CWIRE_RECONFIGURE_RECONNECT);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 3));
  CHECK(fleet.stats("CP1").compressed == 0);
  fleet.finish();
}

TEST_CASE("what an offline queue kept is compressed for the connection that it goes out on") {
  raw::Server server(4096);
  Fleet fleet(Delivery::handler, quick(compressing({{"csms.offline_queue_messages", "1000"},
                                                    {"csms.offline_queue_bytes", "64MiB"},
                                                    {"csms.offline_replay_rate", "0"},
                                                    {"csms.send_queue_messages", "1000"},
                                                    {"csms.send_queue_bytes", "64MiB"},
                                                    {"csms.deflate.context_takeover", "true"},
                                                    {"csms.write_timeout", "1h"},
                                                    {"csms.ping_interval", "0s"}})));
  const cwire_station station = fleet.connect("CP1", server.url());
  std::vector<std::string> sent;
  const auto send = [&](std::string text) {
    REQUIRE(fleet.send(station, text, CWIRE_FLAG_REPORT, sent.size()) == CWIRE_OK);
    sent.push_back(std::move(text));
  };
  {
    raw::Connection peer = accept(server, fleet);
    zlib::Peer inflater;
    send(text_of(0));
    CHECK(read_message(peer, inflater) == sent[0]);
    // Framed against a context that nobody has any more when they are sent.
    std::mt19937 random(1);
    for (std::size_t i = 1; i < 700; ++i) {
      std::string noise(20000, '\0');
      for (char& c : noise) c = static_cast<char>(' ' + random() % 95);
      send(noise);
    }
    peer.reset();
  }
  raw::Connection peer = accept(server, fleet);
  zlib::Peer inflater;
  send("the last");
  std::size_t read = 0;
  for (std::string message; message != "the last"; ++read) {
    message = read_message(peer, inflater);
    CHECK(std::find(sent.begin(), sent.end(), message) != sent.end());
  }
  // What was not sent by the first is sent by the second.
  const Records records = fleet.records();
  const auto lost = std::count_if(records.begin(), records.end(), [](const Record& record) {
    return record.type == CWIRE_EVENT_SENT && record.status == CWIRE_E_CLOSED;
  });
  CHECK(read > 10);
  CHECK(lost <= 1);
  peer.close();
  fleet.finish();
}

TEST_CASE("a server that breaks off in the middle of a compressed message leaves nothing to the next connection") {
  raw::Server server;
  Fleet fleet(Delivery::handler, quick(compressing({{"csms.deflate.server_context_takeover", "true"}})));
  fleet.connect("CP1", server.url());
  for (std::size_t i = 1; i <= 3; ++i) {
    raw::Connection peer = accept(server, fleet, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    zlib::Peer deflater;
    peer.send_frame(kCompressed | raw::text, deflater.compress(text_of(i)));
    peer.send_frame(kCompressed | raw::text, deflater.compress(text_of(i)));
    REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1", 2 * i));
    peer.send_frame(kCompressed | raw::text, deflater.compress(text_of(i)).substr(0, 5), false);
    peer.reset();
    REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1", i));
  }
  fleet.finish();
}

TEST_CASE("what inflates to much is delivered before more is read") {
  constexpr std::size_t kStations = 16, kMessages = 4, kSize = 1 << 20;
  raw::Server server;
  Gate gate;
  std::atomic<std::uint64_t> read_before_delivery{0};
  Fleet* who = nullptr;
  Fleet fleet(Delivery::handler, quick({{"io_threads", "1"}}), [&](const cwire_event& event) {
    if (event.type != CWIRE_EVENT_MESSAGE) return;
    if (event.data_size < kSize) return gate.pass();
    if (read_before_delivery != 0) return;
    std::vector<cwire_stats> all(kStations);
    all[0].size = sizeof all[0];
    std::size_t count = 0;
    cwire_manager_all_stats(who->manager, all.data(), all.size(), &count);
    for (const cwire_stats& stats : all) read_before_delivery += stats.bytes_received;
  });
  who = &fleet;
  std::vector<raw::Connection> peers;
  for (std::size_t i = 0; i < kStations; ++i) {
    const std::string id = "CP" + std::to_string(i);
    fleet.connect(id, server.url(), compressing());
    peers.push_back(server.accept());
    peers.back().accept_upgrade(peers.back().read_request(), "ocpp1.6", kAccepted);
    REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, id));
  }
  // While the handler holds the thread up, all sockets become ready.
  peers[0].send_frame(raw::text, "wait");
  REQUIRE(gate.wait_arrived());
  const std::string message = raw::frame(kCompressed | raw::text, zlib::Peer().compress(std::string(kSize, 'x')));
  for (raw::Connection& peer : peers) {
    for (std::size_t i = 0; i < kMessages; ++i) peer.send(message);
  }
  gate.open();
  REQUIRE(fleet.wait(
      [&](const Records& records) { return count(records, CWIRE_EVENT_MESSAGE) == kStations * kMessages + 1; }));
  CHECK(read_before_delivery <= (16 + kMessages) * kSize);
  fleet.finish();
}

TEST_CASE("fault: a deflate bomb, and DEFLATE that is none") {
  FaultCsms fault(compressing({{"csms.message_size_max", "1MiB"}}));
  fault.connect();
  zlib::Peer deflater;
  const std::string bomb = zlib::Peer().compress(std::string(256 << 20, 'x'));
  const std::string good = deflater.compress(text_of(1));
  const std::vector<std::pair<std::string, int>> all = {
      {raw::frame(kCompressed | raw::text, bomb), 1009},
      {raw::frame(kCompressed | raw::text, bomb.substr(0, 100000), false) +
           raw::frame(raw::continuation, bomb.substr(100000)),
       1009},
      {raw::frame(kCompressed | raw::text, good + "garbage"), 1007},
      {raw::frame(kCompressed | raw::text, good.substr(0, 20)), 1007},
      {raw::frame(kCompressed | raw::text, "\xff\xff\xff\xff"), 1007},
      {raw::frame(kCompressed | raw::text, zlib::Peer().compress("\xff")), 1007},
      {raw::frame(kCompressed | raw::ping, "x"), 1002},
      {raw::frame(raw::text, "x", false) + raw::frame(kCompressed | raw::continuation, "y"), 1002},
      {raw::frame(0x60 | raw::text, "x"), 1002}};
  std::size_t number = 0;
  for (const auto& [bytes, code] : all) {
    CAPTURE(number);
    raw::Connection peer = accept(fault.server, fault.fleet);
    peer.send(raw::frame(kCompressed | raw::text, zlib::Peer().compress("good")));
    peer.send(bytes);
    const raw::Frame end = must_frame(peer);
    CHECK(end.opcode == raw::close);
    CHECK(end.payload.substr(0, 2) == std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)});
    const Record lost = fault.lost(++number);
    INFO(lost);
    CHECK(lost.status == (code == 1009 ? CWIRE_E_TOO_BIG : CWIRE_E_PROTOCOL));
    CHECK(lost.failure.phase == CWIRE_PHASE_PEER);
    CHECK(lost.failure.close_code == code);
  }
  CHECK(count(fault.fleet.records(), CWIRE_EVENT_MESSAGE, "CP1") == all.size());
  fault.recovers();
  fault.finish();
}

TEST_CASE("fault: bad window bits, and other answers to the offer that RFC 7692 does not allow") {
  FaultCsms fault(compressing({{"csms.deflate.server_window_bits", "10"}}));
  fault.connect();
  const std::string granted = "permessage-deflate; server_no_context_takeover; server_max_window_bits=";
  std::size_t number = 0;
  for (const std::string& answer :
       {granted + "7", granted + "16", granted + "11", granted + "010", granted + "\"9", granted + "9; " + granted,
        granted + "10; client_max_window_bits", granted + "10, permessage-deflate",
        std::string("permessage-deflate; server_no_context_takeover"),
        std::string("permessage-deflate; server_max_window_bits=10"), std::string("permessage-bzip2")}) {
    CAPTURE(answer);
    raw::Connection peer = fault.accepted();
    const std::string request = peer.read_request();
    CHECK(raw::Connection::header(request, "Sec-WebSocket-Extensions") ==
          "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; "
          "client_max_window_bits");
    peer.accept_upgrade(request, "ocpp1.6", "Sec-WebSocket-Extensions: " + answer + "\r\n");
    const Record error = fault.failed(++number);
    INFO(error);
    CHECK(error.status == CWIRE_E_HANDSHAKE);
    CHECK(error.failure.phase == CWIRE_PHASE_HTTP);
    CHECK(error.failure.http_status == 101);
  }
  CHECK(count(fault.fleet.records(), CWIRE_EVENT_CONNECTED, "CP1") == 0);
  fault.recovers();
  fault.finish();
}
