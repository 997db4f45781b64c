// Bad input of any kind gives a status and words that say what to change. Nothing crashes, nothing is half-done.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <limits>

#include "bystanders.h"
#include "fixture.h"

using namespace fixture;
using Catch::Contains;

namespace {

cwire_stats sized_stats() {
  cwire_stats stats{};
  stats.size = sizeof stats;
  return stats;
}

template <class Token>
Token forged(std::uintptr_t value) {
  return reinterpret_cast<Token>(value);
}

// Calls every function that takes a token with this one; all must answer INVALID_HANDLE.
void check_config_token(cwire_config token) {
  cwire_config copy = nullptr;
  cwire_manager manager = nullptr;
  Error error;
  CHECK(cwire_config_copy(token, &copy) == CWIRE_E_INVALID_HANDLE);
  CHECK(copy == nullptr);
  CHECK(cwire_config_load_file(token, "/dev/null", &error) == CWIRE_E_INVALID_HANDLE);
  CHECK(error.status == CWIRE_E_INVALID_HANDLE);
  CHECK_FALSE(error.text().empty());
  CHECK(cwire_config_load_yaml(token, "", 0, nullptr) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_config_set(token, "csms.ping_interval", "1s", nullptr) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_config_get(token, "csms.ping_interval", nullptr, 0, nullptr) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_config_free(token) == CWIRE_E_INVALID_HANDLE);
  if (token != nullptr) CHECK(cwire_manager_new(token, nullptr, 0, &manager, nullptr) == CWIRE_E_INVALID_HANDLE);
  CHECK(manager == nullptr);
}

void check_manager_token(cwire_manager token) {
  const cwire_event* events = nullptr;
  std::size_t size = 0;
  cwire_station station = nullptr;
  cwire_pool pool = nullptr;
  cwire_stats stats = sized_stats();
  Error error;
  CHECK(cwire_manager_poll(token, 0, 1, &events, &size) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_manager_event_fd(token) == -1);
  CHECK(cwire_manager_wake(token) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_manager_connect(token, "CP1", "ws://x", nullptr, 0, &station, &error) == CWIRE_E_INVALID_HANDLE);
  CHECK_FALSE(error.text().empty());
  CHECK(cwire_manager_connect_all(token, &size, nullptr) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_manager_find(token, "CP1", &station) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_manager_send(token, "CP1", "x", 1, 0, 0) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_manager_broadcast(token, "x", 1, 0, &size) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_manager_disconnect(token, "CP1") == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_manager_reconfigure(token, "CP1", nullptr, nullptr, 0, nullptr) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_manager_disconnect_all(token) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_manager_is_connected(token, "CP1") == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_manager_counts(token, &size, &size) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_manager_stats(token, "CP1", &stats) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_manager_all_stats(token, &stats, 1, &size) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_manager_shutdown(token, 0) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_manager_free(token) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_pool_new(token, &pool) == CWIRE_E_INVALID_HANDLE);
  CHECK(station == nullptr);
  CHECK(pool == nullptr);
}

void check_station_token(cwire_station token, cwire_pool pool) {
  std::int32_t state = 77;
  cwire_stats stats = sized_stats();
  Error error;
  cwire_outgoing outgoing{sizeof outgoing, token, "x", 1, 0, 0, CWIRE_OK};
  std::size_t accepted = 77;
  CHECK(cwire_station_send(token, "x", 1, 0, 0) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_station_send_many(&outgoing, 1, &accepted) == CWIRE_E_INVALID_HANDLE);
  CHECK(outgoing.status == CWIRE_E_INVALID_HANDLE);
  CHECK(accepted == 0);
  CHECK(cwire_station_wait(token, -1, &error) == CWIRE_E_INVALID_HANDLE);
  CHECK_FALSE(error.text().empty());
  CHECK(cwire_station_state(token, &state) == CWIRE_E_INVALID_HANDLE);
  CHECK(state == 77);
  CHECK(cwire_station_stats(token, &stats) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_station_disconnect(token, 0, nullptr) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_station_reconfigure(token, nullptr, nullptr, 0, nullptr) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_pool_add(pool, token) == CWIRE_E_INVALID_HANDLE);
}

void check_pool_token(cwire_pool token, cwire_station station) {
  std::size_t size = 0;
  cwire_stats stats = sized_stats();
  CHECK(cwire_pool_add(token, station) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_pool_remove(token, "CP1") == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_pool_has(token, "CP1") == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_pool_send(token, "CP1", "x", 1, 0, 0) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_pool_broadcast(token, "x", 1, 0, &size) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_pool_counts(token, &size, &size) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_pool_stats(token, &stats, 1, &size) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_pool_disconnect_all(token) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_pool_free(token) == CWIRE_E_INVALID_HANDLE);
}

}  // namespace

TEST_CASE("tokens that are NULL stale forged or of another kind are INVALID_HANDLE everywhere") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::poll);
  const cwire_station station = fleet.connected("CP1", csms.url());
  cwire_pool pool = nullptr;
  REQUIRE(cwire_pool_new(fleet.manager, &pool) == CWIRE_OK);
  const Config living;
  const cwire_config config = living;

  // Stale ones of each kind.
  cwire_config stale_config = nullptr;
  REQUIRE(cwire_config_new(&stale_config) == CWIRE_OK);
  REQUIRE(cwire_config_free(stale_config) == CWIRE_OK);
  cwire_manager stale_manager = nullptr;
  REQUIRE(cwire_manager_new(nullptr, nullptr, 0, &stale_manager, nullptr) == CWIRE_OK);
  cwire_pool pool_of_the_dead = nullptr;
  REQUIRE(cwire_pool_new(stale_manager, &pool_of_the_dead) == CWIRE_OK);
  REQUIRE(cwire_manager_free(stale_manager) == CWIRE_OK);
  cwire_pool stale_pool = nullptr;
  REQUIRE(cwire_pool_new(fleet.manager, &stale_pool) == CWIRE_OK);
  REQUIRE(cwire_pool_free(stale_pool) == CWIRE_OK);
  const cwire_station stale_station = fleet.connected("CP2", csms.url());
  REQUIRE(cwire_station_disconnect(stale_station, 0, nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP2"));

  check_config_token(stale_config);
  check_manager_token(stale_manager);
  check_pool_token(pool_of_the_dead, station);
  check_pool_token(stale_pool, station);
  check_station_token(stale_station, pool);

  // Of another kind, and values of every sort.
  const auto value = [](auto token) { return reinterpret_cast<std::uintptr_t>(token); };
  std::vector<std::uintptr_t> values = {
      0, 1, 2, 3, 8, 0xdeadbeef, std::numeric_limits<std::uintptr_t>::max(), value(&csms), std::uintptr_t{1} << 63};
  for (int bit = 0; bit < 64; ++bit) {
    for (const std::uintptr_t token : {value(config), value(fleet.manager), value(station), value(pool)}) {
      values.push_back(token ^ std::uintptr_t{1} << bit);
    }
  }
  const std::vector<std::uintptr_t> alive = {value(config), value(fleet.manager), value(station), value(pool)};
  for (const std::uintptr_t v : values) {
    if (std::find(alive.begin(), alive.end(), v) != alive.end()) continue;
    CAPTURE(v);
    check_config_token(forged<cwire_config>(v));
    check_manager_token(forged<cwire_manager>(v));
    check_station_token(forged<cwire_station>(v), pool);
    check_pool_token(forged<cwire_pool>(v), station);
  }
  check_config_token(forged<cwire_config>(value(station)));
  check_manager_token(forged<cwire_manager>(value(config)));
  check_station_token(forged<cwire_station>(value(fleet.manager)), pool);
  check_pool_token(forged<cwire_pool>(value(station)), station);
  // All of that harmed nobody.
  CHECK(cwire_station_send(station, R"([2,"1","Heartbeat",{}])", 22, 0, 0) == CWIRE_OK);
  CHECK(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1"));
  fleet.finish();
}

TEST_CASE("NULL where something must be is INVALID_ARGUMENT and the words say what") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::poll);
  const cwire_station station = fleet.connected("CP1", csms.url());
  const cwire_manager manager = fleet.manager;
  const Config config;
  const cwire_event* events = nullptr;
  std::size_t size = 0;
  Error error;
  CHECK(cwire_config_new(nullptr) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_config_copy(config, nullptr) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_config_load_file(config, nullptr, &error) == CWIRE_E_INVALID_ARGUMENT);
  CHECK_THAT(error.text(), Contains("path"));
  CHECK(cwire_config_load_yaml(config, nullptr, 5, &error) == CWIRE_E_INVALID_ARGUMENT);
  CHECK_THAT(error.text(), Contains("text"));
  CHECK(cwire_config_set(config, nullptr, "x", &error) == CWIRE_E_INVALID_ARGUMENT);
  CHECK_THAT(error.text(), Contains("key"));
  CHECK(cwire_config_set(config, "csms.ping_interval", nullptr, &error) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_config_get(config, nullptr, nullptr, 0, &size) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_config_get(config, "csms.protocol", nullptr, 9, &size) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_new(nullptr, nullptr, 0, nullptr, &error) == CWIRE_E_INVALID_ARGUMENT);
  CHECK_THAT(error.text(), Contains("out"));
  CHECK(cwire_manager_poll(manager, 0, 1, nullptr, &size) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_poll(manager, 0, 1, &events, nullptr) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_poll(manager, 0, 0, &events, &size) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_connect(manager, nullptr, csms.url().c_str(), nullptr, 0, nullptr, &error) ==
        CWIRE_E_INVALID_ARGUMENT);
  CHECK_THAT(error.text(), Contains("station_id"));
  CHECK(cwire_manager_find(manager, nullptr, nullptr) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_find(manager, "CP1", nullptr) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_send(manager, nullptr, "x", 1, 0, 0) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_send(manager, "CP1", nullptr, 1, 0, 0) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_broadcast(manager, nullptr, 1, 0, nullptr) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_disconnect(manager, nullptr) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_reconfigure(manager, nullptr, nullptr, nullptr, 0, nullptr) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_is_connected(manager, nullptr) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_stats(manager, nullptr, nullptr) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_stats(manager, "CP1", nullptr) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_all_stats(manager, nullptr, 1, &size) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_all_stats(manager, nullptr, 0, nullptr) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_station_send(station, nullptr, 1, 0, 0) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_station_send_many(nullptr, 1, &size) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_station_state(station, nullptr) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_station_stats(station, nullptr) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_pool_new(manager, nullptr) == CWIRE_E_INVALID_ARGUMENT);
  cwire_pool pool = nullptr;
  REQUIRE(cwire_pool_new(manager, &pool) == CWIRE_OK);
  CHECK(cwire_pool_remove(pool, nullptr) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_pool_has(pool, nullptr) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_pool_send(pool, nullptr, "x", 1, 0, 0) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_pool_broadcast(pool, nullptr, 1, 0, nullptr) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_pool_stats(pool, nullptr, 1, &size) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_pool_stats(pool, nullptr, 0, nullptr) == CWIRE_E_INVALID_ARGUMENT);

  // And where it may be NULL, it may.
  CHECK(cwire_manager_counts(manager, nullptr, nullptr) == CWIRE_OK);
  CHECK(cwire_manager_connect_all(manager, nullptr, nullptr) == CWIRE_OK);
  CHECK(cwire_pool_counts(pool, nullptr, nullptr) == CWIRE_OK);
  CHECK(cwire_station_send_many(nullptr, 0, nullptr) == CWIRE_OK);
  CHECK(csms.counters().messages_in == 0);
  fleet.finish();
}

TEST_CASE("a bad URL says what to change") {
  Fleet fleet(Delivery::poll);
  const std::string nul_free_long = "ws://h/" + std::string(5000, 'a');
  const char* const bad[] = {"",
                             " ",
                             "localhost:9000",
                             "http://csms",
                             "https://csms",
                             "ftp://csms",
                             "ws:/csms",
                             "ws://",
                             "ws://:9000",
                             "ws://h:",
                             "ws://h:0",
                             "ws://h:65536",
                             "ws://h:x",
                             "ws://h:-1",
                             "ws://h:99999999999999999999",
                             "ws://user:secret@h",
                             "ws://h/#fragment",
                             "ws://h/a b",
                             "ws://h/%",
                             "ws://h/%zz",
                             "ws://[::1",
                             "ws://[::1]x",
                             "ws://[::g]",
                             "ws://::1",
                             "ws://1.2.3",
                             "ws://1.2.3.256",
                             "ws://h..x",
                             "ws://-h",
                             "ws://h\r\nX: y",
                             "ws://h/\r\nX: y",
                             "ws://h/\n",
                             "ws://\xc3\xa9",
                             nul_free_long.c_str()};
  for (const char* url : bad) {
    INFO(std::string(url).substr(0, 80));
    Error error;
    cwire_station station = nullptr;
    CHECK(cwire_manager_connect(fleet.manager, "CP1", url, nullptr, 0, &station, &error) == CWIRE_E_INVALID_ARGUMENT);
    CHECK(error.status == CWIRE_E_INVALID_ARGUMENT);
    CHECK_THAT(error.text(), Contains("URL") && !Contains("\n") && !Contains("\r") && !Contains("secret"));
    CHECK(station == nullptr);
    CHECK(cwire_manager_find(fleet.manager, "CP1", &station) == CWIRE_E_NOT_FOUND);
  }
  std::size_t total = 77;
  CHECK(cwire_manager_counts(fleet.manager, nullptr, &total) == CWIRE_OK);
  CHECK(total == 0);
  fleet.finish();
}

TEST_CASE("a bad station id says what to change") {
  Fleet fleet(Delivery::poll);
  Bystanders bystanders(fleet);
  const std::string too_long(49, 'x');
  for (const char* id : {"", "a:b", "a\r\nb", "a\nb", "a\tb", "\x7f", "\xff", "a\xc3", ".", "..", too_long.c_str()}) {
    INFO(id);
    Error error;
    CHECK(cwire_manager_connect(fleet.manager, id, "ws://127.0.0.1:1", nullptr, 0, nullptr, &error) ==
          CWIRE_E_INVALID_ARGUMENT);
    CHECK_THAT(error.text(), Contains("station id") && !Contains("\n"));
  }
  bystanders.check();
  fleet.finish();
  for (const Record& record : fleet.records()) {
    if (record.type != CWIRE_EVENT_SHUTDOWN) CHECK(Bystanders::is_one(record.station_id));
  }
}

TEST_CASE("a bad option names the key and what was expected and changes nothing") {
  const Config config;
  const auto get = [&](const char* key) {
    char buffer[256] = "";
    REQUIRE(cwire_config_get(config, key, buffer, sizeof buffer, nullptr) == CWIRE_OK);
    return std::string(buffer);
  };
  struct Case {
    const char *key, *value;
  };
  for (const Case c : {Case{"csms.ping_interval", "30"},
                       {"csms.ping_interval", "-1s"},
                       {"csms.ping_interval", "25h"},
                       {"csms.ping_interval", ""},
                       {"csms.ping_interval", "1s\n"},
                       {"csms.max_reconnect_attempts", "x"},
                       {"csms.max_reconnect_attempts", "99999999999999999999"},
                       {"csms.tls.enabled", "maybe"},
                       {"csms.protocol", "1.5"},
                       {"csms.protocol", ""},
                       {"csms.message_size_max", "0B"},
                       {"csms.message_size_max", "2GiB"},
                       {"io_threads", "257"},
                       {"log_level", "loud"},
                       {"csms.default_url", "http://x"},
                       {"csms.auth.type", "digest"},
                       {"csms.auth.username", "a\r\nb"}}) {
    INFO(c.key << " = " << c.value);
    const std::string before = get(c.key);
    Error error;
    CHECK(cwire_config_set(config, c.key, c.value, &error) == CWIRE_E_CONFIG);
    CHECK_THAT(error.text(), Contains(c.key) && !Contains("\n"));
    CHECK(get(c.key) == before);
  }
  for (const char* key : {"", "x", "csms", "csms.", "csms.pingInterval", "csms.tls", "stations", "csms.ping_interval.x",
                          "csms.headers."}) {
    INFO(key);
    Error error;
    CHECK(cwire_config_set(config, key, "1", &error) == CWIRE_E_CONFIG);
    CHECK_FALSE(error.text().empty());
    CHECK(cwire_config_get(config, key, nullptr, 0, nullptr) == CWIRE_E_CONFIG);
  }
}

TEST_CASE("a header that could break the request is refused") {
  const Config config;
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"csms.headers.X-A", "a\r\nX-B: b"},
                                                        {"csms.headers.X-A", "a\nb"},
                                                        {"csms.headers.X-A\r\nX-B", "a"},
                                                        {"csms.headers.X A", "a"},
                                                        {"csms.headers.X:A", "a"},
                                                        {"csms.headers.Host", "a"},
                                                        {"csms.headers.Sec-WebSocket-Key", "a"},
                                                        {"csms.headers.Connection", "close"},
                                                        {"csms.headers.Content-Length", "1"}}) {
    INFO(key << " = " << value);
    Error error;
    CHECK(cwire_config_set(config, key.c_str(), value.c_str(), &error) == CWIRE_E_CONFIG);
    CHECK_FALSE(error.text().empty());
  }
}

TEST_CASE("bad YAML names the line and the key and nothing of it is applied") {
  const Config config;
  struct Case {
    std::string yaml;
    std::vector<std::string> words;
  };
  const Case c = GENERATE(
      Case{"csms:\n  ping_interval: 20s\n  pingTimeout: 1s\n", {"3", "pingTimeout"}},
      Case{"csms:\n  ping_interval: 20s\n  pong_timeout: 1\n", {"3", "csms.pong_timeout", "duration"}},
      Case{"csms:\n  ping_interval: 20s\n  tls: 7\n", {"3", "csms.tls"}},
      Case{"csms:\n  ping_interval: 20s\nstations:\n  - { id: CP1 }\n  - { id: CP1 }\n", {"5", "CP1"}},
      Case{"csms:\n  ping_interval: 20s\nstations:\n  - { protocol: \"1.6\" }\n", {"4", "id"}},
      Case{"csms:\n  ping_interval: 20s\nstations:\n  - { id: \"a:b\" }\n", {"4", ":"}},
      Case{"csms:\n  ping_interval: 20s\n  ping_interval: 20s\n", {"3", "csms.ping_interval"}},
      Case{"csms:\n  ping_interval: 20s\n  auth: { token: \"${CHARGEWIRE_NO_SUCH}\" }\n", {"3", "CHARGEWIRE_NO_SUCH"}},
      Case{"csms: [\n", {"yaml"}}, Case{"7", {"yaml"}});
  INFO(c.yaml);
  Error error;
  CHECK(cwire_config_load_yaml(config, c.yaml.data(), c.yaml.size(), &error) == CWIRE_E_CONFIG);
  for (const std::string& word : c.words) CHECK_THAT(error.text(), Contains(word));
  char buffer[32];
  REQUIRE(cwire_config_get(config, "csms.ping_interval", buffer, sizeof buffer, nullptr) == CWIRE_OK);
  CHECK(std::string(buffer) == "30s");
}

TEST_CASE("a file that cannot be read is CONFIG and named") {
  const Config config;
  for (const char* path : {"/nowhere/at/all.yaml", "/", ""}) {
    Error error;
    CHECK(cwire_config_load_file(config, path, &error) == CWIRE_E_CONFIG);
    CHECK_THAT(error.text(), Contains(path));
  }
  Fleet fleet(Delivery::poll);
  const Config missing(Settings{{"csms.auth.type", "basic"}, {"csms.auth.password_file", "/nowhere/password"}});
  Error error;
  CHECK(cwire_manager_connect(fleet.manager, "CP1", "ws://127.0.0.1:1", missing, 0, nullptr, &error) == CWIRE_E_CONFIG);
  CHECK_THAT(error.text(), Contains("/nowhere/password"));
  fleet.finish();
}

TEST_CASE("credentials that cannot be used are refused at connect and never shown") {
  Fleet fleet(Delivery::poll);
  struct Case {
    Settings settings;
    const char* word;
  };
  for (const Case& c : std::vector<Case>{
           {{{"csms.auth.type", "basic"}}, "csms.auth.password"},
           {{{"csms.auth.type", "bearer"}}, "csms.auth.token"},
           {{{"csms.auth.type", "basic"},
             {"csms.auth.password", "nothexnothexnothex"},
             {"csms.auth.password_format", "hex"}},
            "hex"},
           {{{"csms.auth.type", "basic"}, {"csms.auth.password", "abcd1234"}, {"csms.auth.password_format", "hex"}},
            "32 to 40"},
           {{{"csms.auth.type", "basic"}, {"csms.auth.password", "pw"}, {"csms.auth.username", "a:b"}},
            "csms.auth.username"}}) {
    const Config config(c.settings);
    Error error;
    CHECK(cwire_manager_connect(fleet.manager, "CP1", "ws://127.0.0.1:1", config, 0, nullptr, &error) ==
          CWIRE_E_CONFIG);
    CHECK_THAT(error.text(), Contains(c.word) && !Contains("nothex") && !Contains("abcd1234"));
  }
  fleet.finish();
}

TEST_CASE("sends with bad sizes and flags are refused") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::poll);
  const cwire_station station = fleet.connected("CP1", csms.url());
  const std::size_t huge = std::numeric_limits<std::size_t>::max();
  for (const std::size_t size : {std::size_t{(1 << 20) + 1}, huge / 2, huge - 1, huge}) {
    CHECK(cwire_station_send(station, "x", size, 0, 0) == CWIRE_E_TOO_BIG);
    CHECK(cwire_manager_send(fleet.manager, "CP1", "x", size, 0, 0) == CWIRE_E_TOO_BIG);
    CHECK(cwire_manager_broadcast(fleet.manager, "x", size, 0, nullptr) == CWIRE_E_TOO_BIG);
    cwire_outgoing outgoing{sizeof outgoing, station, "x", size, 0, 0, CWIRE_OK};
    CHECK(cwire_station_send_many(&outgoing, 1, nullptr) == CWIRE_E_TOO_BIG);
    cwire_pool pool = nullptr;
    REQUIRE(cwire_pool_new(fleet.manager, &pool) == CWIRE_OK);
    REQUIRE(cwire_pool_add(pool, station) == CWIRE_OK);
    CHECK(cwire_pool_send(pool, "CP1", "x", size, 0, 0) == CWIRE_E_TOO_BIG);
    CHECK(cwire_pool_broadcast(pool, "x", size, 0, nullptr) == CWIRE_E_TOO_BIG);
    CHECK(cwire_pool_free(pool) == CWIRE_OK);
  }
  for (const std::uint32_t flags : {4u, 8u, 16u, 0x80000000u, 0xffffffffu}) {
    CHECK(cwire_station_send(station, "x", 1, flags, 0) == CWIRE_E_INVALID_ARGUMENT);
    CHECK(cwire_manager_broadcast(fleet.manager, "x", 1, flags, nullptr) == CWIRE_E_INVALID_ARGUMENT);
  }
  std::vector<cwire_outgoing> outgoing(2, cwire_outgoing{sizeof(cwire_outgoing), station, "x", 1, 0, 0, CWIRE_OK});
  outgoing[0].size = 3;
  CHECK(cwire_station_send_many(outgoing.data(), 2, nullptr) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(csms.counters().messages_in == 0);
  fleet.finish();
}

TEST_CASE("a close code or reason that RFC 6455 forbids is refused") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::poll);
  const cwire_station station = fleet.connected("CP1", csms.url());
  for (const std::uint16_t code : {1, 999, 1002, 1003, 1004, 1005, 1006, 1007, 1009, 1011, 1015, 2999, 5000, 65535}) {
    CAPTURE(code);
    CHECK(cwire_station_disconnect(station, code, nullptr) == CWIRE_E_INVALID_ARGUMENT);
  }
  CHECK(cwire_station_disconnect(station, 1000, std::string(124, 'x').c_str()) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_station_disconnect(station, 1000, "\xff") == CWIRE_E_INVALID_ARGUMENT);
  CHECK(fleet.state(station) == CWIRE_STATE_CONNECTED);
  CHECK(cwire_station_disconnect(station, 4999, std::string(123, 'x').c_str()) == CWIRE_OK);
  fleet.finish();
}

TEST_CASE("a drain time out of range is refused and nothing is shut down") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::poll);
  CHECK(cwire_manager_shutdown(fleet.manager, -1) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_shutdown(fleet.manager, 3600001) == CWIRE_E_INVALID_ARGUMENT);
  fleet.connected("CP1", csms.url());
  fleet.finish();
}

TEST_CASE("structures of other sizes are filled as far as they reach") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::poll);
  fleet.connected("CP1", csms.url());
  // A cwire_error of a program compiled with a shorter message.
  struct {
    cwire_error error;
    char behind[64];
  } memory;
  std::memset(&memory, 0x5a, sizeof memory);
  memory.error.size = offsetof(cwire_error, message) + 20;
  CHECK(cwire_manager_connect(fleet.manager, "a:b", "ws://x", nullptr, 0, nullptr, &memory.error) ==
        CWIRE_E_INVALID_ARGUMENT);
  CHECK(memory.error.status == CWIRE_E_INVALID_ARGUMENT);
  CHECK(std::strlen(memory.error.message) == 19);
  CHECK(memory.error.message[20] == 0x5a);
  // Size not set: nothing is written.
  std::memset(&memory, 0x5a, sizeof memory);
  memory.error.size = 0;
  CHECK(cwire_manager_connect(fleet.manager, "a:b", "ws://x", nullptr, 0, nullptr, &memory.error) ==
        CWIRE_E_INVALID_ARGUMENT);
  CHECK(memory.error.status == 0x5a5a5a5a);
  // A later version's, larger: no more than ours is filled.
  std::memset(&memory, 0x5a, sizeof memory);
  memory.error.size = sizeof memory;
  CHECK(cwire_manager_connect(fleet.manager, "a:b", "ws://x", nullptr, 0, nullptr, &memory.error) ==
        CWIRE_E_INVALID_ARGUMENT);
  CHECK(memory.behind[0] == 0x5a);
  // Success empties it.
  Error error;
  CHECK(cwire_manager_connect(fleet.manager, "a:b", "ws://x", nullptr, 0, nullptr, &error) < 0);
  CHECK(cwire_config_load_yaml(Config(), "", 0, &error) == CWIRE_OK);
  CHECK(error.status == CWIRE_OK);
  CHECK(error.text().empty());

  cwire_stats stats{};
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, sizeof(std::size_t), offsetof(cwire_stats, connections) - 8}) {
    stats.size = size;
    CAPTURE(size);
    CHECK(cwire_manager_stats(fleet.manager, "CP1", &stats) == CWIRE_E_INVALID_ARGUMENT);
  }
  fleet.finish();
}

TEST_CASE("an event handler that throws is survived and told") {
  csms::Csms csms{csms::Options()};
  std::atomic<bool> armed{true};
  Fleet fleet(Delivery::handler, quick({{"io_threads", "1"}}), [&](const cwire_event& e) {
    if (e.type == CWIRE_EVENT_CONNECTED && e.station_id == std::string("CP1") && armed.exchange(false)) throw 7;
  });
  Bystanders bystanders(fleet);
  fleet.connected("CP1", csms.url());
  REQUIRE(fleet.wait([](const Records& r) { return count(r, CWIRE_EVENT_LOG) > 0; }));
  CHECK_THAT(first(fleet.records(), CWIRE_EVENT_LOG)->data, Contains("exception"));
  CHECK(first(fleet.records(), CWIRE_EVENT_LOG)->code == CWIRE_LOG_ERROR);
  bystanders.check();
  REQUIRE(cwire_manager_disconnect(fleet.manager, "CP1") == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  REQUIRE(cwire_manager_free(fleet.release()) == CWIRE_OK);
}

TEST_CASE("one poller at a time and poll has a sense of time") {
  Fleet fleet(Delivery::poll);
  const cwire_event* events = nullptr;
  std::size_t size = 77;
  CHECK(cwire_manager_poll(fleet.manager, 0, 1, &events, &size) == CWIRE_E_TIMEOUT);
  CHECK(size == 0);
  CHECK(cwire_manager_poll(fleet.manager, 10, 1, &events, &size) == CWIRE_E_TIMEOUT);
  REQUIRE(cwire_manager_wake(fleet.manager) == CWIRE_OK);
  CHECK(cwire_manager_poll(fleet.manager, -1, std::numeric_limits<std::size_t>::max(), &events, &size) == CWIRE_OK);
  CHECK(size == 0);
  std::thread other([&] {
    const cwire_event* mine;
    std::size_t mine_size;
    while (cwire_manager_poll(fleet.manager, -1, 1, &mine, &mine_size) == CWIRE_E_STATE) {
    }
  });
  cwire_status status;
  while ((status = cwire_manager_poll(fleet.manager, 0, 1, &events, &size)) == CWIRE_E_TIMEOUT) {
  }
  CHECK(status == CWIRE_E_STATE);
  REQUIRE(cwire_manager_wake(fleet.manager) == CWIRE_OK);
  other.join();
  fleet.finish();
}
