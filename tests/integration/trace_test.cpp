// The wire trace, as whoever reads the file sees it: cwire_manager_trace and the options trace.*.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "connect_proxy.h"
#include "fixture.h"
#include "raw_peer.h"
#include "secrets.h"

using namespace fixture;
using nlohmann::json;

namespace {

class TraceFile {
 public:
  TraceFile() {
    REQUIRE(::mkdtemp(directory_) != nullptr);
    path = std::string(directory_) + "/trace.jsonl";
  }
  ~TraceFile() { std::filesystem::remove_all(directory_); }

  std::string path;

  std::string text() const {
    std::ifstream in(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  // The whole lines that are there by now, of one station or of all.
  std::vector<json> lines(const std::string& station = "") const {
    const std::string all = text();
    std::vector<json> lines;
    for (std::size_t at = 0, end; (end = all.find('\n', at)) != std::string::npos; at = end + 1) {
      json line = json::parse(all.substr(at, end - at));
      if (station.empty() || line.value("station", "") == station) lines.push_back(std::move(line));
    }
    return lines;
  }
  // "connecting request response connected >text <text": what happened, in order. Frames with their direction.
  std::string story(const std::string& station) const {
    std::string story;
    for (const json& line : lines(station)) {
      if (!story.empty()) story += ' ';
      const bool is_frame = line["event"] == "frame";
      if (is_frame) story += line["direction"] == "out" ? '>' : '<';
      story += (is_frame ? line["opcode"] : line["event"]).get<std::string>();
    }
    return story;
  }
  json first(const std::string& event, const std::string& station = "CP1") const {
    for (json& line : lines(station)) {
      if (line["event"] == event) return line;
    }
    FAIL("no " << event << " in " << text());
    return {};
  }

 private:
  char directory_[64] = "/tmp/chargewire-trace-XXXXXX";
};

Settings traced(const TraceFile& file, Settings more = {}) {
  more.emplace_back("trace.file", file.path);
  more.emplace_back("csms.ping_interval", "0s");
  more.emplace_back("io_threads", "1");
  return quick(more);
}

cwire_status trace(Fleet& fleet, const char* id, bool on, std::string* why = nullptr) {
  Error error;
  const cwire_status status = cwire_manager_trace(fleet.manager, id, on ? 1 : 0, &error);
  if (why != nullptr) *why = error.text();
  return status;
}

bool has_thread(const std::string& name) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream in(entry.path() / "comm");
    std::string comm;
    if (std::getline(in, comm) && comm == name) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("trace: the whole story of a connection") {
  const TraceFile file;
  raw::Server server;
  Fleet fleet(both_deliveries(), traced(file, {{"trace.enabled", "true"}}));
  const cwire_station station = fleet.connect("CP1", server.url() + "?token=a-long-token",
                                              {{"csms.auth.type", "bearer"},
                                               {"csms.auth.token", "eyJhbGciOiJub25lIn0.dHJhY2U"},
                                               {"csms.headers.X-Site", "the site"}});
  raw::Connection peer = server.accept();
  const std::string request = peer.read_request();
  peer.accept_upgrade(request, "ocpp1.6", "Set-Cookie: session=very-secret\r\n");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  REQUIRE(fleet.send(station, "[2,\"1\",\"Heartbeat\",{}]") == CWIRE_OK);
  REQUIRE(peer.read_frame());
  peer.send(raw::frame(raw::text, "[3,\"1\",") + raw::frame(raw::ping, "hello") +
            raw::frame(raw::text, "[2,\"2\",\"Reset\",{}]"));
  REQUIRE(peer.read_frame());  // the pong
  peer.send_frame(raw::text, "[2,\"9\",", false);
  peer.send_frame(raw::continuation, "\"Reset\"", false);
  peer.send_frame(raw::continuation, ",{}]");
  peer.send_frame(raw::close, "\x03\xe9 going");
  REQUIRE(peer.read_frame());
  peer.close();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  fleet.finish();

  CHECK(file.story("CP1").find("trace_on connecting request response connected >text <text <ping <text >pong "
                               "<text <continuation <continuation <close >close lost ") == 0);
  CHECK(file.story("CP1").rfind(" closed") == file.story("CP1").size() - 7);
  CHECK(file.first("connecting")["url"] == server.url() + "/CP1?***");
  const json sent = file.first("request");
  CHECK(sent["head"][0] == "GET /CP1?*** HTTP/1.1");
  const auto has = [](const json& head, const std::string& line) {
    return std::find(head.begin(), head.end(), line) != head.end();
  };
  CHECK(has(sent["head"], "Authorization: ***"));
  CHECK(has(sent["head"], "X-Site: ***"));
  CHECK(has(sent["head"], "Sec-WebSocket-Protocol: ocpp1.6"));
  const json answer = file.first("response");
  CHECK(answer["head"][0].get<std::string>().find("HTTP/1.1 101") == 0);
  CHECK(has(answer["head"], "Set-Cookie: ***"));
  CHECK(file.first("connected")["subprotocol"] == "ocpp1.6");
  CHECK(file.first("connected")["connection"] == 1);
  CHECK(file.first("lost")["reason"].get<std::string>().find("CP1: closed by the CSMS with code 1001") == 0);
  std::vector<json> frames;
  for (const json& line : file.lines("CP1")) {
    if (line["event"] == "frame") frames.push_back(line);
  }
  CHECK(frames[0]["payload"] == "[2,\"1\",\"Heartbeat\",{}]");
  CHECK(frames[2]["payload_base64"] == "aGVsbG8=");
  CHECK(frames[4]["payload_base64"] == "aGVsbG8=");
  // A fragment is shown with the message that it is part of.
  CHECK_FALSE(frames[5].contains("payload"));
  CHECK(frames[5]["size"] == 7);
  CHECK(frames[7]["payload"] == "[2,\"9\",\"Reset\",{}]");
  CHECK(frames[7]["size"] == 4);
  CHECK(frames[7]["message_size"] == 18);
  CHECK(frames[8]["code"] == 1001);
  CHECK(frames[8]["reason"] == " going");
  std::uint64_t sequence = 0;
  for (const json& line : file.lines("CP1"))
    CHECK(line["sequence"].get<std::uint64_t>() > std::exchange(sequence, line["sequence"]));
  CHECK_FALSE(secrets::occurs(file.text()));
  CHECK(file.text().find("very-secret") == std::string::npos);
  CHECK(file.text().find("a-long-token") == std::string::npos);
  CHECK(file.text().find("the site") == std::string::npos);
}

TEST_CASE("trace: secrets do not reach the file, also in fragments") {
  const TraceFile file;
  raw::Server server;
  Fleet fleet(Delivery::handler, traced(file, {{"trace.enabled", "true"}}));
  const cwire_station station = fleet.connect("CP1", server.url());
  raw::Connection peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  const std::string change = R"([2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"0123456789abcdef"}])";
  // Whole, split before each byte, and a fragment that is never completed.
  peer.send_frame(raw::text, change);
  for (std::size_t at = 0; at <= change.size(); ++at) {
    peer.send(raw::frame(raw::text, change.substr(0, at), false) + raw::frame(raw::continuation, change.substr(at)));
  }
  REQUIRE(
      fleet.send(station, R"([3,"1",{"configurationKey":[{"key":"AuthorizationKey","value":"0123456789abcdef"}]}])") ==
      CWIRE_OK);
  REQUIRE(peer.read_frame());
  REQUIRE(fleet.wait([&](const Records& r) { return count(r, CWIRE_EVENT_MESSAGE) == change.size() + 2; }));
  peer.send(raw::frame(raw::text, change.substr(0, change.size() - 3), false));
  peer.close();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  fleet.finish();
  const std::string text = file.text();
  CHECK(text.find("0123456789abcdef") == std::string::npos);
  for (std::size_t at = 0; at + 6 <= 16; ++at)
    CHECK(text.find(std::string("0123456789abcdef").substr(at, 6)) == std::string::npos);
  std::size_t shown = 0;
  for (const json& line : file.lines("CP1")) shown += line.value("redacted", false);
  CHECK(shown == change.size() + 3);
}

TEST_CASE("trace: what is wrong about a frame that is refused") {
  struct Case {
    std::string bytes;
    std::string header_hex;
    int code;
  };
  const auto bytes = [](std::initializer_list<int> list) { return std::string(list.begin(), list.end()); };
  const Case wrong =
      GENERATE_COPY(values<Case>({{bytes({0x83, 0x01, 'x'}), "8301", 1002},
                                  {bytes({0xc1, 0x01, 'x'}), "c101", 1002},
                                  {bytes({0x81, 0x81, 1, 2, 3, 4, 'x'}), "818101020304", 1002},
                                  {bytes({0x81, 0x7f, 0, 0, 0, 0, 0x7f, 0, 0, 0, 'x'}), "817f000000007f000000", 1009},
                                  {bytes({0x81, 0x02, 0xff, 'x'}), "8102", 1007}}));
  const TraceFile file;
  raw::Server server;
  Fleet fleet(Delivery::handler, traced(file, {{"trace.enabled", "true"}}));
  fleet.connect("CP1", server.url());
  {
    raw::Connection peer = server.accept();
    peer.upgrade();
    REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
    peer.send(raw::frame(raw::text, "good") + wrong.bytes);
    REQUIRE(peer.read_frame());
  }
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  fleet.finish();
  const json refused = file.first("refused");
  CHECK(refused["header_hex"] == wrong.header_hex);
  CHECK(refused["code"] == wrong.code);
  CHECK_FALSE(refused["reason"].get<std::string>().empty());
  CHECK(file.story("CP1").find("connected <text refused >close lost") != std::string::npos);
}

TEST_CASE("trace: on and off while it runs, for one and for all") {
  const TraceFile file;
  csms::Csms csms{csms::Options{}};
  Fleet fleet(Delivery::handler, traced(file));
  for (const char* id : {"CP1", "CP2"}) fleet.connected(id, csms.url());
  CHECK_FALSE(std::filesystem::exists(file.path));
  CHECK_FALSE(has_thread("cwire-trace"));
  const auto talk = [&](const std::string& id, const std::string& tag) {
    cwire_station station = nullptr;
    REQUIRE(cwire_manager_find(fleet.manager, id.c_str(), &station) == CWIRE_OK);
    REQUIRE(fleet.send(station, "[2,\"" + tag + "\",\"Heartbeat\",{}]") == CWIRE_OK);
    REQUIRE(fleet.wait([&](const Records& records) {
      return std::any_of(records.begin(), records.end(),
                         [&](const Record& r) { return r.data.find("[3,\"" + tag + "\"") == 0; });
    }));
  };
  std::string why;
  CHECK(trace(fleet, "CP9", true, &why) == CWIRE_E_NOT_FOUND);
  CHECK(why.find("CP9") != std::string::npos);

  REQUIRE(trace(fleet, "CP1", true) == CWIRE_OK);
  REQUIRE(trace(fleet, "CP1", true) == CWIRE_OK);  // again
  REQUIRE(fleet.eventually([] { return has_thread("cwire-trace"); }));
  talk("CP1", "a");
  talk("CP2", "b");
  REQUIRE(trace(fleet, "CP1", false) == CWIRE_OK);
  REQUIRE(trace(fleet, "CP1", false) == CWIRE_OK);
  REQUIRE(fleet.eventually([&] { return file.story("CP1") == "trace_on >text <text trace_off"; }));
  REQUIRE(fleet.eventually([] { return !has_thread("cwire-trace"); }));
  talk("CP1", "c");
  CHECK(file.story("CP2").empty());

  REQUIRE(trace(fleet, nullptr, true) == CWIRE_OK);
  talk("CP2", "d");
  fleet.connected("CP3", csms.url());  // one that comes later
  REQUIRE(trace(fleet, "CP2", false) == CWIRE_OK);
  talk("CP2", "e");
  REQUIRE(trace(fleet, nullptr, false) == CWIRE_OK);
  REQUIRE(fleet.eventually([&] { return file.story("CP3").find("trace_off") != std::string::npos; }));
  fleet.connected("CP4", csms.url());
  CHECK(file.story("CP2") == "trace_on >text <text trace_off");
  CHECK(file.story("CP3").find("trace_on connecting request response connected") == 0);
  CHECK(file.story("CP4").empty());
  CHECK(file.text().find("\\\"c\\\"") == std::string::npos);
  CHECK(file.text().find("\\\"e\\\"") == std::string::npos);
  fleet.finish();
  CHECK(file.story("CP1") == "trace_on >text <text trace_off trace_on trace_off");
}

TEST_CASE("trace: begun in the middle of a frame, it begins with the next one") {
  const TraceFile file;
  raw::Server server;
  Fleet fleet(Delivery::handler, traced(file));
  fleet.connect("CP1", server.url());
  raw::Connection peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  const std::string frame = raw::frame(raw::text, "the first message");
  peer.send(raw::frame(raw::text, "before") + frame.substr(0, 5));
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1"));
  REQUIRE(trace(fleet, "CP1", true) == CWIRE_OK);
  REQUIRE(fleet.eventually([&] { return file.story("CP1") == "trace_on"; }));
  peer.send(frame.substr(5) + raw::frame(raw::text, "the second message"));
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1", 3));
  peer.close();
  fleet.finish();
  CHECK(file.story("CP1").find("trace_on <text lost") == 0);
  CHECK(file.first("frame")["payload"] == "the second message");
}

TEST_CASE("trace: begun in the middle of the answer's head, it shows nothing of that") {
  const bool begins_inside = GENERATE(true, false);
  const TraceFile file;
  raw::Server server, other;
  Fleet fleet(Delivery::handler, traced(file));
  fleet.connect("CP2", other.url());
  raw::Connection bystander = other.accept();
  bystander.upgrade();
  fleet.connect("CP1", server.url());
  raw::Connection peer = server.accept();
  const std::string request = peer.read_request();
  const std::string head = "HTTP/1.1 403 Forbidden\r\nSet-Cookie: session=";
  if (begins_inside) peer.send(head);
  // What came to one station was read when what came to another on the same thread afterwards was.
  bystander.send_frame(raw::text, "later");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP2"));
  REQUIRE(trace(fleet, "CP1", true) == CWIRE_OK);
  REQUIRE(fleet.eventually([&] { return file.story("CP1") == "trace_on"; }));
  if (!begins_inside) peer.send(head);
  peer.send("4711-0815\r\n\r\n");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1"));
  // The next attempt is seen from its beginning.
  raw::Connection again = server.accept();
  again.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  bystander.close();
  again.close();
  fleet.finish();
  CHECK(file.story("CP1").find(std::string("trace_on ") + (begins_inside ? "" : "response ") +
                               "failed connecting request response connected") == 0);
  CHECK(file.text().find("4711-0815") == std::string::npos);
}

TEST_CASE("trace: what the CSMS gives as its reason stands in its frame, redacted, and nowhere else") {
  const TraceFile file;
  raw::Server server;
  Fleet fleet(Delivery::handler, traced(file, {{"trace.enabled", "true"},
                                               {"csms.reconnect_backoff", "1h"},
                                               {"csms.reconnect_max_backoff", "1h"}}));
  const cwire_station station = fleet.connect("CP1", server.url());
  raw::Connection peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  const std::string words = GENERATE(values<std::string>({"password=hunter2 (idTag=04A2) ftp://u:hunter2@h/", "bye"}));
  peer.send_frame(raw::close, "\x03\xe8" + words);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  CHECK(must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED)).data.find(words) != std::string::npos);
  REQUIRE(cwire_station_disconnect(station, 0, nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  fleet.finish();
  CHECK(file.story("CP1").find("connected <close >close lost closed") != std::string::npos);
  CHECK(file.first("lost")["reason"].get<std::string>().find("CP1: closed by the CSMS with code 1000 (" +
                                                             server.url()) == 0);
  CHECK(file.first("frame").contains(words == "bye" ? "reason" : "withheld"));
  CHECK(file.text().find("hunter2") == std::string::npos);
}

TEST_CASE("trace: where an attempt goes, through a proxy too, without the query") {
  const TraceFile file;
  raw::Server server;
  raw::ConnectProxy proxy({{{"csms.invalid:80", server.port()}}, ""});
  Fleet fleet(Delivery::handler, traced(file, {{"trace.enabled", "true"}}));
  fleet.connect("CP1", "ws://csms.invalid?token=a-long-token", {{"csms.proxy.url", proxy.url()}});
  raw::Connection peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  peer.close();
  fleet.finish();
  CHECK(file.first("connecting")["url"] ==
        "ws://csms.invalid:80/CP1?*** through proxy 127.0.0.1:" + std::to_string(proxy.port()) + " (csms.proxy.url)");
  CHECK(file.text().find("a-long-token") == std::string::npos);
}

TEST_CASE("trace: where there is nowhere to write to") {
  Fleet fleet(Delivery::handler, quick());
  std::string why;
  CHECK(trace(fleet, nullptr, true, &why) == CWIRE_E_STATE);
  CHECK(why.find("trace.file") != std::string::npos);
  CHECK(trace(fleet, nullptr, false) == CWIRE_E_STATE);
  CHECK(cwire_manager_trace(nullptr, nullptr, 1, nullptr) == CWIRE_E_INVALID_HANDLE);
  fleet.finish();

  Fleet nowhere(Delivery::handler, quick({{"trace.file", "/no/such/directory/trace.jsonl"}}));
  CHECK(trace(nowhere, nullptr, true, &why) == CWIRE_E_CONFIG);
  CHECK(why.find("/no/such/directory/trace.jsonl") != std::string::npos);
  nowhere.finish();

  Error error;
  cwire_manager manager = nullptr;
  CHECK(cwire_manager_new(Config({{"trace.file", "/no/such/directory/trace.jsonl"}, {"trace.enabled", "true"}}),
                          nullptr, 0, &manager, &error) == CWIRE_E_CONFIG);
  CHECK(error.text().find("/no/such/directory/trace.jsonl") != std::string::npos);
  CHECK(cwire_manager_new(Config(Settings{{"trace.enabled", "true"}}), nullptr, 0, &manager, &error) == CWIRE_E_CONFIG);
  CHECK(error.text().find("trace.file") != std::string::npos);
}

TEST_CASE("trace: a file that cannot be written ends no connection, and a LOG event says so") {
  const TraceFile file;
  csms::Csms csms{csms::Options{}};
  // Rotation needs the directory, and that is gone by then.
  Fleet fleet(Delivery::handler, traced(file, {{"trace.file_size_max", "64KiB"}, {"trace.enabled", "true"}}));
  const cwire_station station = fleet.connected("CP1", csms.url());
  const std::string directory = std::filesystem::path(file.path).parent_path();
  std::filesystem::rename(directory, directory + "-away");
  const std::string big = "[2,\"1\",\"Heartbeat\",{\"x\":\"" + std::string(40000, 'x') + "\"}]";
  for (int i = 0; i < 4; ++i) {
    REQUIRE(fleet.send(station, big, CWIRE_FLAG_REPORT) == CWIRE_OK);
    REQUIRE(fleet.wait_for(CWIRE_EVENT_SENT, "CP1", static_cast<std::size_t>(i) + 1));
  }
  REQUIRE(fleet.wait_for(CWIRE_EVENT_LOG, ""));
  const Records records = fleet.records();
  const Record& log = must(first(records, CWIRE_EVENT_LOG));
  CHECK(log.code == CWIRE_LOG_ERROR);
  CHECK(log.data.find(file.path) != std::string::npos);
  CHECK(fleet.state(station) == CWIRE_STATE_CONNECTED);
  std::filesystem::rename(directory + "-away", directory);
  fleet.finish();
}

TEST_CASE("trace: on and off from many threads, under traffic") {
  const TraceFile file;
  csms::Options echo;
  echo.echo = true;
  csms::Csms csms{echo};
  constexpr int kStations = 8;
  std::atomic<bool> enough{false};
  Fleet fleet(Delivery::handler,
              traced(file, {{"io_threads", "2"}, {"trace.file_size_max", "256KiB"}, {"trace.files_max", "2"}}),
              [&](const cwire_event& event) {
                if (event.type == CWIRE_EVENT_MESSAGE && !enough)
                  cwire_station_send(event.station, event.data, event.data_size, 0, 0);
              });
  std::vector<cwire_station> stations;
  for (int i = 0; i < kStations; ++i) stations.push_back(fleet.connected("CP" + std::to_string(i), csms.url()));
  for (const cwire_station station : stations) REQUIRE(fleet.send(station, "[2,\"1\",\"Heartbeat\",{}]") == CWIRE_OK);
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 200; ++i) {
        const std::string id = "CP" + std::to_string((i + thread) % kStations);
        const bool all = i % 5 == 0;
        if (cwire_manager_trace(fleet.manager, all ? nullptr : id.c_str(), i % 2, nullptr) != CWIRE_OK) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  enough = true;
  CHECK(failures == 0);
  REQUIRE(trace(fleet, nullptr, false) == CWIRE_OK);
  REQUIRE(fleet.eventually([] { return !has_thread("cwire-trace"); }));
  for (const cwire_station station : stations) CHECK(fleet.state(station) == CWIRE_STATE_CONNECTED);
  file.lines();  // each is whole
  fleet.finish();
}

TEST_CASE("trace: an upgrade that fails") {
  const TraceFile file;
  raw::Server server;
  Fleet fleet(Delivery::handler, traced(file, {{"trace.enabled", "true"}}));
  fleet.connect("CP1", server.url());
  {
    raw::Connection peer = server.accept();
    peer.read_request();
    peer.send("HTTP/1.1 403 Forbidden\r\nX-Why: no\r\nSet-Cookie: a=1;\r\n 4711-0815\r\n\t4711-0815\r\n\r\n");
    peer.read_all();
  }
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1"));
  {
    raw::Connection peer = server.accept();
    peer.read_request();
    peer.send("HTTP/1.1 1");  // and no more
  }
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1", 2));
  fleet.finish();
  CHECK(file.story("CP1").find("trace_on connecting request response failed connecting request response failed") == 0);
  CHECK(file.first("failed")["status"] == "CWIRE_E_AUTH");
  CHECK(file.first("failed")["attempt"] == 1);
  CHECK(file.first("response")["head"] == json::parse(R"(["HTTP/1.1 403 Forbidden","X-Why: no","Set-Cookie: ***"])"));
  CHECK(file.text().find("4711-0815") == std::string::npos);
}
