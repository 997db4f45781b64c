// Manager: every call by id and by token, over few stations and over many, and all at once from many threads.
#include <poll.h>

#include <atomic>
#include <cstring>
#include <random>

#include "fixture.h"
#include "raw_peer.h"
#include "test_pki.h"

using namespace fixture;
using Catch::Contains;

namespace {

csms::Options echo() {
  csms::Options options;
  options.echo = true;
  return options;
}

std::pair<std::size_t, std::size_t> counts(const Fleet& fleet) {
  std::size_t connected = 0, total = 0;
  REQUIRE(cwire_manager_counts(fleet.manager, &connected, &total) == CWIRE_OK);
  return {connected, total};
}
using Counts = std::pair<std::size_t, std::size_t>;

}  // namespace

TEST_CASE("a station is reached by id and by token alike") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  csms::Csms csms(echo());
  Fleet fleet(delivery);
  const cwire_station station = fleet.connected("CP1", csms.url());
  cwire_station found = nullptr;
  REQUIRE(cwire_manager_find(fleet.manager, "CP1", &found) == CWIRE_OK);
  CHECK(found == station);
  CHECK(cwire_manager_is_connected(fleet.manager, "CP1") == 1);
  CHECK(cwire_manager_send(fleet.manager, "CP1", "by id", 5, CWIRE_FLAG_REPORT, 1) == CWIRE_OK);
  CHECK(cwire_station_send(station, "by token", 8, CWIRE_FLAG_REPORT | CWIRE_FLAG_BINARY, 2) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1", 2));
  REQUIRE(fleet.wait_for(CWIRE_EVENT_SENT, "CP1", 2));
  CHECK(first(fleet.records(), CWIRE_EVENT_MESSAGE)->data == "by id");
  CHECK(last(fleet.records(), CWIRE_EVENT_MESSAGE)->data == "by token");
  CHECK(last(fleet.records(), CWIRE_EVENT_MESSAGE)->flags == CWIRE_FLAG_BINARY);
  CHECK(first(fleet.records(), CWIRE_EVENT_SENT)->tag == 1);
  CHECK(last(fleet.records(), CWIRE_EVENT_SENT)->tag == 2);

  CHECK(cwire_manager_find(fleet.manager, "CP2", &found) == CWIRE_E_NOT_FOUND);
  CHECK(cwire_manager_send(fleet.manager, "CP2", "x", 1, 0, 0) == CWIRE_E_NOT_FOUND);
  CHECK(cwire_manager_disconnect(fleet.manager, "CP2") == CWIRE_E_NOT_FOUND);
  CHECK(cwire_manager_is_connected(fleet.manager, "CP2") == CWIRE_E_NOT_FOUND);
  cwire_stats stats{};
  stats.size = sizeof stats;
  CHECK(cwire_manager_stats(fleet.manager, "CP2", &stats) == CWIRE_E_NOT_FOUND);

  CHECK(cwire_manager_disconnect(fleet.manager, "CP1") == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  CHECK(cwire_manager_find(fleet.manager, "CP1", &found) == CWIRE_E_NOT_FOUND);
  fleet.finish();
}

TEST_CASE("send_many gives each message its own status and keeps the order") {
  csms::Csms csms(echo());
  raw::ClosedPort nobody;
  Fleet fleet(Delivery::poll, quick({{"csms.message_size_max", "100B"}}));
  const cwire_station one = fleet.connected("CP1", csms.url());
  const cwire_station two = fleet.connected("CP2", csms.url());
  const cwire_station off = fleet.connect("off", nobody.url());
  const std::string big(101, 'x');
  std::vector<cwire_outgoing> messages;
  const auto add = [&](cwire_station station, const char* data, std::size_t size) {
    messages.push_back({sizeof(cwire_outgoing), station, data, size, 0, 0, 77});
  };
  add(one, "1", 1);
  add(two, "2", 1);
  add(off, "3", 1);
  add(one, "4", 1);
  add(nullptr, "5", 1);
  add(two, big.data(), big.size());
  add(one, "6", 1);
  std::size_t accepted = 0;
  CHECK(cwire_station_send_many(messages.data(), messages.size(), &accepted) == CWIRE_E_NOT_ESTABLISHED);
  CHECK(accepted == 4);
  const cwire_status wanted[] = {CWIRE_OK,        CWIRE_OK, CWIRE_E_NOT_ESTABLISHED, CWIRE_OK, CWIRE_E_INVALID_HANDLE,
                                 CWIRE_E_TOO_BIG, CWIRE_OK};
  for (std::size_t i = 0; i < messages.size(); ++i) CHECK(messages[i].status == wanted[i]);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1", 3));
  std::string order;
  for (const Record& record : fleet.records()) {
    if (record.type == CWIRE_EVENT_MESSAGE && record.station_id == "CP1") order += record.data;
  }
  CHECK(order == "146");
  fleet.finish();
}

TEST_CASE("a broadcast reaches every connected station and passes over a slow one") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  csms::Csms csms(echo());
  raw::ClosedPort nobody;
  raw::Server stuck(4096);
  Fleet fleet(delivery,
              quick({{"csms.send_queue_messages", "10"}, {"csms.write_timeout", "1h"}, {"csms.ping_interval", "0s"}}));
  for (int i = 0; i < 10; ++i) fleet.connected("CP" + std::to_string(i), csms.url());
  fleet.connect("off", nobody.url());
  const cwire_station slow = fleet.connect("slow", stuck.url());
  auto peer = stuck.accept();
  peer.upgrade();
  REQUIRE(cwire_station_wait(slow, kPatience_ms, nullptr) == CWIRE_OK);
  CHECK(counts(fleet) == Counts(11, 12));
  // Fill the slow one's kernel buffers and queue.
  const std::string filling(100000, 'x');
  for (bool any = true; any;) {
    any = false;
    while (fleet.send(slow, filling) == CWIRE_OK) any = true;
    const std::size_t writables = count(fleet.records(), CWIRE_EVENT_WRITABLE, "slow");
    fleet.wait([&](const Records& r) { return count(r, CWIRE_EVENT_WRITABLE, "slow") > writables; },
               std::chrono::milliseconds(300));
  }
  constexpr std::size_t kRounds = 50;
  std::string message = "to all";
  for (std::size_t round = 1; round <= kRounds; ++round) {
    std::size_t accepted = 0;
    REQUIRE(cwire_manager_broadcast(fleet.manager, message.data(), message.size(), 0, &accepted) == CWIRE_OK);
    CHECK(accepted == 10);
    REQUIRE(fleet.wait([&](const Records& r) { return count(r, CWIRE_EVENT_MESSAGE) == 10 * round; }));
  }
  for (const Record& record : fleet.records()) {
    if (record.type == CWIRE_EVENT_MESSAGE) CHECK(record.data == "to all");
  }
  // The one that was passed over is told when it has room.
  const std::size_t writables = count(fleet.records(), CWIRE_EVENT_WRITABLE, "slow");
  std::thread reader([&] {
    while (peer.read_frame()) {
    }
  });
  CHECK(fleet.wait_for(CWIRE_EVENT_WRITABLE, "slow", writables + 1));
  fleet.finish(0);
  reader.join();
}

TEST_CASE("the payload of a broadcast is copied") {
  csms::Csms csms(echo());
  Fleet fleet(Delivery::poll);
  for (int i = 0; i < 20; ++i) fleet.connected("CP" + std::to_string(i), csms.url());
  std::string message(5000, 'a');
  REQUIRE(cwire_manager_broadcast(fleet.manager, message.data(), message.size(), CWIRE_FLAG_BINARY, nullptr) ==
          CWIRE_OK);
  message.assign(5000, 'b');
  REQUIRE(fleet.wait([](const Records& r) { return count(r, CWIRE_EVENT_MESSAGE) == 20; }));
  for (const Record& record : fleet.records()) {
    if (record.type == CWIRE_EVENT_MESSAGE)
      CHECK((record.data == std::string(5000, 'a') && record.flags == CWIRE_FLAG_BINARY));
  }
  fleet.finish();
}

TEST_CASE("statistics say what happened") {
  csms::Csms csms(echo());
  Fleet fleet(Delivery::poll, quick({{"csms.ping_interval", "50ms"}}));
  const cwire_station station = fleet.connected("CP1", csms.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  for (int i = 0; i < 3; ++i) REQUIRE(fleet.send(station, std::string(100, 'x'), CWIRE_FLAG_REPORT) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1", 3));
  REQUIRE(fleet.wait_for(CWIRE_EVENT_SENT, "CP1", 3));
  REQUIRE(csms.wait_until([](const csms::Counters& c) { return c.pings >= 2; }, kPatience));
  cwire_stats stats = fleet.stats("CP1");
  CHECK(stats.size == sizeof stats);
  CHECK(std::string(stats.station_id) == "CP1");
  CHECK(stats.state == CWIRE_STATE_CONNECTED);
  CHECK(stats.last_error == CWIRE_OK);
  CHECK(std::string(stats.last_error_message).empty());
  CHECK(stats.connected_at_ns == first(fleet.records(), CWIRE_EVENT_CONNECTED)->time_ns);
  CHECK(stats.disconnected_at_ns == 0);
  CHECK(stats.last_message_at_ns == last(fleet.records(), CWIRE_EVENT_MESSAGE)->time_ns);
  CHECK(stats.reconnect_attempts == 0);
  CHECK(stats.messages_sent == 3);
  CHECK(stats.messages_received == 3);
  CHECK(stats.bytes_sent == 300);
  CHECK(stats.bytes_received == 300);
  CHECK(stats.connections == 1);
  CHECK(stats.messages_not_sent == 0);
  CHECK(stats.queued_messages == 0);
  CHECK(stats.queued_bytes == 0);
  CHECK(stats.round_trip_ns > 0);
  csms.die();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1"));
  stats = fleet.stats("CP1");
  CHECK(stats.state == CWIRE_STATE_RECONNECTING);
  CHECK(stats.last_error == CWIRE_E_DIAL);
  CHECK_THAT(std::string(stats.last_error_message), Contains("CP1") && Contains("refused"));
  CHECK(stats.disconnected_at_ns == first(fleet.records(), CWIRE_EVENT_DISCONNECTED)->time_ns);
  CHECK(stats.messages_sent == 3);
  csms.come_back();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  cwire_stats by_token{};
  by_token.size = sizeof by_token;
  REQUIRE(cwire_station_stats(station, &by_token) == CWIRE_OK);
  CHECK(by_token.connections == 2);
  CHECK(by_token.reconnect_attempts == count(fleet.records(), CWIRE_EVENT_ERROR) + 1);
  CHECK(by_token.messages_received == 3);
  fleet.finish();
}

TEST_CASE("all_stats takes the size of the first element for the stride") {
  csms::Csms csms(echo());
  Fleet fleet(Delivery::poll);
  for (int i = 0; i < 5; ++i) fleet.connected("CP" + std::to_string(i), csms.url());
  // As compiled against the first version of the structure, this one, and a later one.
  const std::size_t size = GENERATE(offsetof(cwire_stats, connections), sizeof(cwire_stats), sizeof(cwire_stats) + 64);
  CAPTURE(size);
  std::vector<char> memory(size * 6, '\x5a');
  const auto at = [&](std::size_t i) { return reinterpret_cast<cwire_stats*>(memory.data() + i * size); };
  for (std::size_t i = 0; i < 6; ++i) std::memcpy(at(i), &size, sizeof size);
  std::size_t stations = 0;
  REQUIRE(cwire_manager_all_stats(fleet.manager, at(0), 6, &stations) == CWIRE_OK);
  CHECK(stations == 5);
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < 5; ++i) {
    std::size_t filled;
    std::memcpy(&filled, at(i), sizeof filled);
    CHECK(filled == std::min(size, sizeof(cwire_stats)));
    ids.emplace_back(reinterpret_cast<const char*>(at(i)) + offsetof(cwire_stats, station_id));
    for (std::size_t b = filled; b < size; ++b) CHECK(reinterpret_cast<const char*>(at(i))[b] == '\x5a');
  }
  std::sort(ids.begin(), ids.end());
  CHECK(ids == std::vector<std::string>{"CP0", "CP1", "CP2", "CP3", "CP4"});
  CHECK(reinterpret_cast<const char*>(at(5))[sizeof size] == '\x5a');
  // Too little room: what fits is filled, and how many there are is told.
  stations = 0;
  for (std::size_t i = 0; i < 6; ++i) std::memcpy(at(i), &size, sizeof size);
  CHECK(cwire_manager_all_stats(fleet.manager, at(0), 2, &stations) == CWIRE_E_TOO_BIG);
  CHECK(stations == 5);
  CHECK(cwire_manager_all_stats(fleet.manager, nullptr, 0, &stations) == CWIRE_E_TOO_BIG);
  CHECK(stations == 5);
  fleet.finish();
}

TEST_CASE("connect_all connects the stations of the YAML and only those that are not yet") {
  pki::TemporaryDirectory directory;
  directory.write("cp001.key", "a password of sixteen\n");
  csms::Options options;
  options.passwords["CP001"] = "a password of sixteen";
  options.passwords["CP002"] = "another password";
  csms::Csms csms(options);
  csms::Csms elsewhere{csms::Options()};
  // The sample of the design; the port, and two stations more, are this test's.
  const std::string file = directory.write("fleet.yaml", R"(csms:
  default_url: ")" + csms.url() + R"("
  connection_timeout: 30s
  heartbeat_interval: 60s
  max_reconnect_attempts: 5      # 0 = for ever (the default)
  reconnect_backoff: 10s
  reconnect_max_backoff: 60s
  tls: { enabled: false, ca_cert: "", client_cert: "", client_key: "", insecure_skip_verify: false }
stations:                        # optional: what connect_all connects
  - { id: CP001, protocol: "1.6", security_profile: 1, auth: { type: basic, username: CP001, password_file: cp001.key } }
  - { id: CP002, protocol: [2.1, 2.0.1], security_profile: 1, auth: { type: basic, password: another password } }
  - { id: CP003, url: ")" + elsewhere.url() + R"(", protocol: "2.0.1" }
)");
  const Config config;
  Error error;
  const cwire_status loaded = cwire_config_load_file(config, file.c_str(), &error);
  INFO(error.text());
  REQUIRE(loaded == CWIRE_OK);
  cwire_manager manager = nullptr;
  REQUIRE(cwire_manager_new(config, nullptr, 0, &manager, nullptr) == CWIRE_OK);
  std::size_t begun = 0;
  const cwire_status status = cwire_manager_connect_all(manager, &begun, &error);
  INFO(error.text());
  REQUIRE(status == CWIRE_OK);
  CHECK(begun == 3);
  for (const char* id : {"CP001", "CP002", "CP003"}) {
    INFO(id);
    cwire_station station = nullptr;
    REQUIRE(cwire_manager_find(manager, id, &station) == CWIRE_OK);
    CHECK(cwire_station_wait(station, kPatience_ms, nullptr) == CWIRE_OK);
  }
  CHECK(elsewhere.connected("CP003"));
  CHECK(csms.stations() == 2);
  CHECK(cwire_manager_connect_all(manager, &begun, nullptr) == CWIRE_OK);
  CHECK(begun == 0);
  CHECK(cwire_manager_free(manager) == CWIRE_OK);
}

TEST_CASE("connect_all checks every station before the first is begun") {
  const std::string yaml =
      "stations:\n  - { id: CP1 }\n  - { id: CP2, auth: { type: basic, password_file: /nowhere/at/all } }\n";
  const Config config;
  REQUIRE(cwire_config_load_yaml(config, yaml.data(), yaml.size(), nullptr) == CWIRE_OK);
  cwire_manager manager = nullptr;
  REQUIRE(cwire_manager_new(config, nullptr, 0, &manager, nullptr) == CWIRE_OK);
  std::size_t begun = 77, total = 77;
  Error error;
  CHECK(cwire_manager_connect_all(manager, &begun, &error) == CWIRE_E_CONFIG);
  CHECK_THAT(error.text(), Contains("/nowhere/at/all"));
  CHECK(begun == 0);
  CHECK(cwire_manager_counts(manager, nullptr, &total) == CWIRE_OK);
  CHECK(total == 0);
  const cwire_event* events;
  std::size_t size;
  CHECK(cwire_manager_poll(manager, 0, 1, &events, &size) == CWIRE_E_TIMEOUT);
  CHECK(cwire_manager_free(manager) == CWIRE_OK);
}

TEST_CASE("a configuration is copied by whoever takes it") {
  raw::Server server;
  cwire_config config = nullptr;
  REQUIRE(cwire_config_new(&config) == CWIRE_OK);
  REQUIRE(cwire_config_set(config, "csms.headers.X-Fleet", "one", nullptr) == CWIRE_OK);
  cwire_manager manager = nullptr;
  REQUIRE(cwire_manager_new(config, nullptr, 0, &manager, nullptr) == CWIRE_OK);
  REQUIRE(cwire_config_set(config, "csms.headers.X-Fleet", "two", nullptr) == CWIRE_OK);
  REQUIRE(cwire_config_free(config) == CWIRE_OK);
  // A hundred stations share one set of overrides, which is changed and freed meanwhile.
  cwire_config overrides = nullptr;
  REQUIRE(cwire_config_new(&overrides) == CWIRE_OK);
  for (const char* site : {"A", "B"}) {
    REQUIRE(cwire_config_set(overrides, "csms.headers.X-Site", site, nullptr) == CWIRE_OK);
    for (int i = 0; i < 2; ++i) {
      const std::string id = site + std::to_string(i);
      REQUIRE(cwire_manager_connect(manager, id.c_str(), server.url().c_str(), overrides, 0, nullptr, nullptr) ==
              CWIRE_OK);
    }
  }
  REQUIRE(cwire_config_free(overrides) == CWIRE_OK);
  for (int i = 0; i < 4; ++i) {
    const std::string request = server.accept().read_request();
    CHECK(raw::Connection::header(request, "X-Fleet") == "one");
    const std::string site = raw::Connection::header(request, "X-Site");
    CHECK_THAT(request, Catch::StartsWith("GET /" + site));
    CHECK(site.size() == 1);
  }
  CHECK(cwire_manager_free(manager) == CWIRE_OK);
}

TEST_CASE("the event descriptor is readable while events wait") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::poll);
  pollfd ready{static_cast<int>(cwire_manager_event_fd(fleet.manager)), POLLIN, 0};
  REQUIRE(ready.fd >= 0);
  CHECK(::poll(&ready, 1, 0) == 0);
  fleet.connected("CP1", csms.url());
  CHECK(::poll(&ready, 1, kPatience_ms) == 1);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  REQUIRE(fleet.poll(0) == CWIRE_E_TIMEOUT);
  CHECK(::poll(&ready, 1, 0) == 0);
  REQUIRE(cwire_manager_wake(fleet.manager) == CWIRE_OK);
  CHECK(::poll(&ready, 1, 0) == 1);
  REQUIRE(fleet.poll(0) == CWIRE_OK);
  CHECK(::poll(&ready, 1, 0) == 0);
  // Some taken, some left: still readable.
  REQUIRE(cwire_manager_disconnect(fleet.manager, "CP1") == CWIRE_OK);
  REQUIRE(csms.wait_until([](const csms::Counters& c) { return c.stations == 0; }, kPatience));
  REQUIRE(fleet.poll(kPatience_ms, 1) == CWIRE_OK);
  CHECK(::poll(&ready, 1, kPatience_ms) == 1);
  fleet.finish();
}

TEST_CASE("a loop that polls once each time the descriptor is readable sees the fleet to its end") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::poll);
  pollfd ready{static_cast<int>(cwire_manager_event_fd(fleet.manager)), POLLIN, 0};
  fleet.connected("CP1", csms.url());
  fleet.connected("CP2", csms.url());
  REQUIRE(cwire_manager_shutdown(fleet.manager, 2000) == CWIRE_OK);
  const auto shut_down = [&] { return count(fleet.records(), CWIRE_EVENT_SHUTDOWN) == 1; };
  while (!shut_down() && ::poll(&ready, 1, kPatience_ms) == 1) fleet.poll(0);
  REQUIRE(shut_down());
  fleet.check_contract();
}

TEST_CASE("several managers live side by side with stations of the same id") {
  csms::Csms one(echo()), two(echo());
  Fleet first_fleet(Delivery::poll), second_fleet(Delivery::handler);
  const cwire_station a = first_fleet.connected("CP1", one.url());
  const cwire_station b = second_fleet.connected("CP1", two.url());
  CHECK(a != b);
  first_fleet.finish();
  CHECK(second_fleet.state(b) == CWIRE_STATE_CONNECTED);
  second_fleet.finish();
}

TEST_CASE("many threads doing anything at once with tokens that die under them") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  constexpr int kThreads = 8, kSteps = 1500, kIds = 24;
  csms::Csms csms(echo());
  raw::ClosedPort nobody;
  Fleet fleet(delivery, quick({{"io_threads", "3"},
                               {"csms.send_queue_messages", "20"},
                               {"csms.reconnect_backoff", "1ms"},
                               {"csms.reconnect_max_backoff", "3ms"},
                               {"csms.close_timeout", "500ms"},
                               {"event_queue_max", "200"}}));
  std::atomic<std::uint64_t> tokens[kIds] = {};
  std::atomic<std::uint64_t> pools[4] = {};
  std::atomic<std::uint64_t> accepted{0}, unexpected{0};
  std::atomic<int> running{kThreads};
  const Config overrides(Settings{{"csms.max_reconnect_attempts", "2"}});
  const auto work = [&](unsigned seed) {
    std::minstd_rand random(seed);
    const auto dice = [&](unsigned sides) { return std::uniform_int_distribution<unsigned>(0, sides - 1)(random); };
    // Whatever the race decides, these are the only answers there may be.
    const auto one_of = [&](cwire_status got, std::initializer_list<cwire_status> wanted) {
      if (std::find(wanted.begin(), wanted.end(), got) == wanted.end()) ++unexpected;
      return got;
    };
    for (int step = 0; step < kSteps; ++step) {
      const unsigned number = dice(kIds);
      const std::string id = "CP" + std::to_string(number);
      const auto station = reinterpret_cast<cwire_station>(tokens[number].load());
      const auto pool = reinterpret_cast<cwire_pool>(pools[dice(4)].load());
      cwire_stats stats{};
      stats.size = sizeof stats;
      std::int32_t state;
      std::size_t size;
      switch (dice(20)) {
        case 0:
        case 1:
        case 2: {
          cwire_station fresh = nullptr;
          const bool off = dice(4) == 0;
          const std::string url = off ? nobody.url() : csms.url();
          if (one_of(cwire_manager_connect(fleet.manager, id.c_str(), url.c_str(),
                                           dice(2) != 0 ? overrides : cwire_config(nullptr), number, &fresh, nullptr),
                     {CWIRE_OK, CWIRE_E_ALREADY_CONNECTED}) == CWIRE_OK) {
            fleet.note_connect(fresh);
            tokens[number] = reinterpret_cast<std::uintptr_t>(fresh);
          }
          break;
        }
        case 3:
          one_of(cwire_station_disconnect(station, 0, "r"), {CWIRE_OK, CWIRE_E_INVALID_HANDLE});
          break;
        case 4:
          one_of(cwire_manager_disconnect(fleet.manager, id.c_str()), {CWIRE_OK, CWIRE_E_NOT_FOUND});
          break;
        case 5:
        case 6:
        case 7:
        case 8:
          if (one_of(cwire_station_send(station, "payload", 7, CWIRE_FLAG_REPORT, 1),
                     {CWIRE_OK, CWIRE_E_INVALID_HANDLE, CWIRE_E_NOT_ESTABLISHED, CWIRE_E_QUEUE_FULL}) == CWIRE_OK) {
            ++accepted;
          }
          break;
        case 9:
          if (one_of(cwire_manager_send(fleet.manager, id.c_str(), "payload", 7, CWIRE_FLAG_REPORT, 1),
                     {CWIRE_OK, CWIRE_E_NOT_FOUND, CWIRE_E_NOT_ESTABLISHED, CWIRE_E_QUEUE_FULL}) == CWIRE_OK) {
            ++accepted;
          }
          break;
        case 10:
          one_of(cwire_manager_broadcast(fleet.manager, "all", 3, CWIRE_FLAG_REPORT, &size), {CWIRE_OK});
          accepted += size;
          break;
        case 11:
          one_of(cwire_station_wait(station, 1, nullptr),
                 {CWIRE_OK, CWIRE_E_INVALID_HANDLE, CWIRE_E_TIMEOUT, CWIRE_E_CLOSED, CWIRE_E_DIAL, CWIRE_E_READ,
                  CWIRE_E_WRITE, CWIRE_E_HANDSHAKE});
          break;
        case 12:
          one_of(cwire_station_state(station, &state), {CWIRE_OK, CWIRE_E_INVALID_HANDLE});
          one_of(cwire_station_stats(station, &stats), {CWIRE_OK, CWIRE_E_INVALID_HANDLE});
          break;
        case 13:
          one_of(cwire_manager_stats(fleet.manager, id.c_str(), &stats), {CWIRE_OK, CWIRE_E_NOT_FOUND});
          one_of(cwire_manager_is_connected(fleet.manager, id.c_str()), {0, 1, CWIRE_E_NOT_FOUND});
          break;
        case 14: {
          std::vector<cwire_stats> all(kIds, stats);
          one_of(cwire_manager_all_stats(fleet.manager, all.data(), all.size(), &size), {CWIRE_OK, CWIRE_E_TOO_BIG});
          one_of(cwire_manager_counts(fleet.manager, &size, &size), {CWIRE_OK});
          break;
        }
        case 15: {
          cwire_pool fresh = nullptr;
          one_of(cwire_pool_new(fleet.manager, &fresh), {CWIRE_OK});
          const std::uint64_t old = pools[dice(4)].exchange(reinterpret_cast<std::uintptr_t>(fresh));
          one_of(cwire_pool_free(reinterpret_cast<cwire_pool>(old)), {CWIRE_OK, CWIRE_E_INVALID_HANDLE});
          break;
        }
        case 16:
          one_of(cwire_pool_add(pool, station), {CWIRE_OK, CWIRE_E_INVALID_HANDLE});
          one_of(cwire_pool_has(pool, id.c_str()), {0, 1, CWIRE_E_INVALID_HANDLE});
          break;
        case 17:
          size = 0;
          one_of(cwire_pool_broadcast(pool, "pool", 4, CWIRE_FLAG_REPORT, &size), {CWIRE_OK, CWIRE_E_INVALID_HANDLE});
          accepted += size;
          break;
        case 18:
          one_of(cwire_pool_remove(pool, id.c_str()), {CWIRE_OK, CWIRE_E_NOT_FOUND, CWIRE_E_INVALID_HANDLE});
          if (dice(8) == 0) one_of(cwire_pool_disconnect_all(pool), {CWIRE_OK, CWIRE_E_INVALID_HANDLE});
          break;
        case 19:
          if (dice(20) == 0) {
            csms.die();
            csms.come_back();
          } else if (dice(20) == 0) {
            one_of(cwire_manager_disconnect_all(fleet.manager), {CWIRE_OK});
          }
          break;
      }
    }
    --running;
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) threads.emplace_back(work, i + 1);
  // The main thread takes the events; without it the queue would fill and reading would pause.
  while (running > 0) fleet.wait([&](const Records&) { return running == 0; }, std::chrono::milliseconds(10));
  for (std::thread& thread : threads) thread.join();
  fleet.finish();
  CHECK(unexpected == 0);
  CHECK(accepted > 0);
  CHECK(count(fleet.records(), CWIRE_EVENT_SENT) == accepted);
}

TEST_CASE("free while other threads use the manager") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  csms::Csms csms(echo());
  for (int round = 0; round < 20; ++round) {
    Fleet fleet(delivery);
    const cwire_manager manager = fleet.manager;
    const cwire_station station = fleet.connected("CP", csms.url());
    Gate begun;
    begun.open();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        begun.pass();
        for (int n = 0; cwire_manager_counts(manager, nullptr, nullptr) == CWIRE_OK; ++n) {
          const std::string id = std::to_string(i) + "-" + std::to_string(n);
          cwire_manager_connect(manager, id.c_str(), csms.url().c_str(), nullptr, 0, nullptr, nullptr);
          cwire_station_send(station, "x", 1, 0, 0);
          cwire_manager_broadcast(manager, "x", 1, 0, nullptr);
          cwire_manager_disconnect(manager, id.c_str());
          cwire_station_wait(station, 0, nullptr);
        }
      });
    }
    CHECK(begun.wait_arrived(4));
    CHECK(cwire_manager_free(fleet.release()) == CWIRE_OK);
    for (std::thread& thread : threads) thread.join();
    std::int32_t state;
    CHECK(cwire_station_state(station, &state) == CWIRE_E_INVALID_HANDLE);
  }
}
