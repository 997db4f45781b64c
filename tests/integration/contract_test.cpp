// The threading contract of chargewire.h: a test case for each of its nine numbered sentences.
#include <atomic>
#include <future>
#include <optional>
#include <set>

#include "fixture.h"
#include "raw_peer.h"
#include "starvation.h"
#include "stuck_station.h"

using namespace fixture;

namespace {

// Runs `call` on a thread of its own. False if it does not return.
template <class Call>
bool returns(Call call) {
  std::packaged_task<void()> task(std::move(call));
  auto done = task.get_future();
  std::thread thread(std::move(task));
  const bool returned = done.wait_for(kPatience) == std::future_status::ready;
  if (returned) {
    thread.join();
    done.get();
  } else {
    thread.detach();
  }
  return returned;
}

cwire_stats sized_stats() {
  cwire_stats stats{};
  stats.size = sizeof stats;
  return stats;
}

// What every function answered where it was called.
struct Answers {
  std::vector<std::pair<std::string, cwire_status>> wrong;
  void expect(const char* call, cwire_status got, cwire_status wanted) {
    if (got != wanted) wrong.emplace_back(call, got);
  }
};
#define EXPECT_STATUS(answers, wanted, call) (answers).expect(#call, (call), (wanted))

void check(const Answers& answers) {
  for (const auto& [call, status] : answers.wrong) {
    INFO(call);
    CHECK(status == CWIRE_OK);  // shows the status; whatever it is, it was not the one wanted
    CHECK(false);
  }
}

// Calls every function of the ABI but those that end the station or the manager. `station` is connected, `other_id`
// free.
void call_everything(cwire_manager manager, Delivery delivery, cwire_station station, const std::string& id,
                     const std::string& other_id, const std::string& url, Answers& answers) {
  const char* station_id = id.c_str();
  EXPECT_STATUS(answers, CWIRE_ABI_VERSION, static_cast<cwire_status>(cwire_abi_version()));
  EXPECT_STATUS(answers, 0, std::string(cwire_version()).empty());
  EXPECT_STATUS(answers, 0, std::string(cwire_status_name(0)).empty());
  EXPECT_STATUS(answers, 0, std::string(cwire_state_name(0)).empty());
  EXPECT_STATUS(answers, 0, std::string(cwire_config_schema()).empty());

  cwire_config config = nullptr, copy = nullptr;
  char buffer[64];
  std::size_t size = 0;
  EXPECT_STATUS(answers, CWIRE_OK, cwire_config_new(&config));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_config_set(config, "csms.ping_interval", "20s", nullptr));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_config_get(config, "csms.ping_interval", buffer, sizeof buffer, &size));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_config_load_yaml(config, "csms: {}", 8, nullptr));
  EXPECT_STATUS(answers, CWIRE_E_CONFIG, cwire_config_load_file(config, "/nowhere.yaml", nullptr));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_config_copy(config, &copy));

  cwire_manager another = nullptr;
  EXPECT_STATUS(answers, CWIRE_OK, cwire_manager_new(copy, nullptr, 0, &another, nullptr));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_manager_free(another));

  if (delivery == Delivery::handler) {
    const cwire_event* events;
    EXPECT_STATUS(answers, CWIRE_E_STATE, cwire_manager_poll(manager, 0, 1, &events, &size));
    EXPECT_STATUS(answers, CWIRE_E_STATE, cwire_manager_wake(manager));
    EXPECT_STATUS(answers, -1, static_cast<cwire_status>(cwire_manager_event_fd(manager)));
  } else {
    EXPECT_STATUS(answers, CWIRE_OK, cwire_manager_wake(manager));
    EXPECT_STATUS(answers, 1, cwire_manager_event_fd(manager) >= 0);
  }

  cwire_station found = nullptr, other = nullptr;
  EXPECT_STATUS(answers, CWIRE_OK, cwire_manager_find(manager, station_id, &found));
  EXPECT_STATUS(answers, 1, found == station);
  EXPECT_STATUS(answers, CWIRE_E_ALREADY_CONNECTED,
                cwire_manager_connect(manager, station_id, url.c_str(), nullptr, 0, &other, nullptr));
  EXPECT_STATUS(answers, CWIRE_OK,
                cwire_manager_connect(manager, other_id.c_str(), url.c_str(), config, 0, &other, nullptr));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_manager_connect_all(manager, &size, nullptr));
  EXPECT_STATUS(answers, 1, cwire_manager_is_connected(manager, station_id));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_manager_send(manager, station_id, "a", 1, 0, 0));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_manager_broadcast(manager, "b", 1, 0, &size));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_manager_counts(manager, &size, &size));
  cwire_stats stats = sized_stats();
  EXPECT_STATUS(answers, CWIRE_OK, cwire_manager_stats(manager, station_id, &stats));
  std::vector<cwire_stats> all(64, sized_stats());
  EXPECT_STATUS(answers, CWIRE_OK, cwire_manager_all_stats(manager, all.data(), all.size(), &size));

  cwire_outgoing outgoing{sizeof outgoing, station, "c", 1, 0, 0, CWIRE_OK};
  std::int32_t state;
  EXPECT_STATUS(answers, CWIRE_OK, cwire_station_send(station, "d", 1, 0, 0));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_station_send_many(&outgoing, 1, &size));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_station_state(station, &state));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_station_stats(station, &stats));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_station_reconfigure(station, nullptr, config, 0, nullptr));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_manager_reconfigure(manager, station_id, nullptr, nullptr, 0, nullptr));

  cwire_pool pool = nullptr;
  EXPECT_STATUS(answers, CWIRE_OK, cwire_pool_new(manager, &pool));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_pool_add(pool, station));
  EXPECT_STATUS(answers, 1, cwire_pool_has(pool, station_id));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_pool_send(pool, station_id, "e", 1, 0, 0));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_pool_broadcast(pool, "f", 1, 0, &size));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_pool_counts(pool, &size, &size));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_pool_stats(pool, all.data(), all.size(), &size));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_pool_remove(pool, station_id));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_pool_disconnect_all(pool));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_pool_free(pool));

  EXPECT_STATUS(answers, CWIRE_OK, cwire_config_free(copy));
  EXPECT_STATUS(answers, CWIRE_OK, cwire_config_free(config));
}

csms::Options echo() {
  csms::Options options;
  options.echo = true;
  return options;
}

// Two stations on different I/O threads and a third on the thread of the first.
struct Threads {
  std::string blocked, neighbour, elsewhere;
};
std::optional<Threads> spread(Fleet& fleet, const std::string& url, int stations) {
  for (int i = 0; i < stations; ++i) fleet.connected("T" + std::to_string(i), url);
  if (!fleet.wait(
          [&](const Records& r) { return count(r, CWIRE_EVENT_CONNECTED) == static_cast<std::size_t>(stations); })) {
    return std::nullopt;
  }
  Threads threads;
  const Records records = fleet.records();
  const auto thread_of = [&](int i) { return first(records, CWIRE_EVENT_CONNECTED, "T" + std::to_string(i))->thread; };
  threads.blocked = "T0";
  for (int i = 1; i < stations; ++i)
    (thread_of(i) == thread_of(0) ? threads.neighbour : threads.elsewhere) = "T" + std::to_string(i);
  if (threads.neighbour.empty() || threads.elsewhere.empty()) return std::nullopt;
  return threads;
}

}  // namespace

// ---- 1. Any function may be called from any thread, at any time, also from inside the handler.

TEST_CASE("contract 1: every function can be called from inside the handler") {
  csms::Csms csms(echo());
  Answers answers;
  std::atomic<bool> called{false};
  Fleet* self = nullptr;
  Gate ready;
  const std::string url = csms.url();
  Fleet fleet(Delivery::handler, quick(), [&](const cwire_event& e) {
    if (e.type != CWIRE_EVENT_CONNECTED || std::string(e.station_id) != "CP1") return;
    ready.pass();
    call_everything(self->manager, Delivery::handler, e.station, "CP1", "CP2", url, answers);
    cwire_station other = nullptr;
    if (cwire_manager_find(self->manager, "CP2", &other) == CWIRE_OK) self->note_connect(other);
    EXPECT_STATUS(answers, CWIRE_OK, cwire_station_disconnect(e.station, 3000, "from the handler"));
    EXPECT_STATUS(answers, CWIRE_OK, cwire_manager_disconnect(self->manager, "CP2"));
    EXPECT_STATUS(answers, CWIRE_OK, cwire_manager_disconnect_all(self->manager));
    EXPECT_STATUS(answers, CWIRE_OK, cwire_manager_shutdown(self->manager, 2000));
    called = true;
  });
  self = &fleet;
  fleet.connect("CP1", csms.url());
  ready.open();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_SHUTDOWN, ""));
  CHECK(called);
  check(answers);
  CHECK(count(fleet.records(), CWIRE_EVENT_CLOSED, "CP1") == 1);
  CHECK(count(fleet.records(), CWIRE_EVENT_CLOSED, "CP2") == 1);
  REQUIRE(cwire_manager_free(fleet.release()) == CWIRE_OK);
  fleet.check_contract();
}

TEST_CASE("contract 1: waiting inside the handler says STATE at once") {
  csms::Csms csms{csms::Options()};
  std::atomic<cwire_status> answer{CWIRE_OK}, for_ever{CWIRE_OK};
  Error error;
  Fleet fleet(Delivery::handler, quick(), [&](const cwire_event& e) {
    if (e.type != CWIRE_EVENT_STATE || e.code != CWIRE_STATE_CONNECTING) return;
    answer = cwire_station_wait(e.station, 1000, &error);
    for_ever = cwire_station_wait(e.station, -1, nullptr);
  });
  fleet.connected("CP1", csms.url());
  fleet.finish();
  CHECK(answer == CWIRE_E_STATE);
  CHECK(for_ever == CWIRE_E_STATE);
  CHECK_THAT(error.text(), Catch::Contains("CP1") && Catch::Contains("thread"));
}

TEST_CASE("contract 1: every function can be called from any thread while others do the same") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  csms::Csms csms(echo());
  Fleet fleet(delivery, quick({{"csms.send_queue_messages", "100000"}}));
  constexpr int kThreads = 6, kRounds = 10;
  std::vector<cwire_station> stations;
  for (int i = 0; i < kThreads; ++i) stations.push_back(fleet.connected("CP" + std::to_string(i), csms.url()));
  std::vector<Answers> answers(kThreads);
  std::atomic<int> running{kThreads};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < kRounds; ++round) {
        const std::string other = "X" + std::to_string(i) + "-" + std::to_string(round);
        call_everything(fleet.manager, delivery, stations[i], "CP" + std::to_string(i), other, csms.url(), answers[i]);
        cwire_station station = nullptr;
        if (cwire_manager_find(fleet.manager, other.c_str(), &station) == CWIRE_OK) fleet.note_connect(station);
        EXPECT_STATUS(answers[i], CWIRE_OK, cwire_manager_disconnect(fleet.manager, other.c_str()));
      }
      --running;
    });
  }
  REQUIRE(fleet.wait([&](const Records& r) { return count(r, CWIRE_EVENT_CLOSED) == kThreads * kRounds; }));
  for (std::thread& thread : threads) thread.join();
  for (const Answers& a : answers) check(a);
  fleet.finish();
}

// ---- 2. Events of one station arrive in order and never concurrently. Between stations there is no order.

TEST_CASE("contract 2: the events of a station arrive in order and never concurrently") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  csms::Csms csms(echo());
  Fleet fleet(delivery, quick({{"io_threads", "4"}, {"csms.send_queue_messages", "1000"}}));
  constexpr int kStations = 20, kMessages = 200;
  std::vector<cwire_station> stations;
  for (int i = 0; i < kStations; ++i) stations.push_back(fleet.connected("CP" + std::to_string(i), csms.url()));
  for (int m = 0; m < kMessages; ++m) {
    for (cwire_station station : stations) {
      REQUIRE(fleet.send(station, std::to_string(m), CWIRE_FLAG_REPORT, static_cast<std::uint64_t>(m)) == CWIRE_OK);
    }
  }
  REQUIRE(fleet.wait([&](const Records& r) { return count(r, CWIRE_EVENT_MESSAGE) == kStations * kMessages; }));
  std::map<std::string, std::uint64_t> next_message, next_sent;
  for (const Record& record : fleet.records()) {
    if (record.type == CWIRE_EVENT_MESSAGE) REQUIRE(record.data == std::to_string(next_message[record.station_id]++));
    if (record.type == CWIRE_EVENT_SENT) REQUIRE(record.tag == next_sent[record.station_id]++);
  }
  fleet.finish();  // counts handlers of one station that ran at the same time
}

// ---- 3. The handler runs on an I/O thread. While it runs, the other stations of that thread wait; nothing else does.

TEST_CASE("contract 3: a handler that blocks stops the stations of its thread and nothing else") {
  csms::Csms csms(echo());
  Gate gate;
  Fleet fleet(Delivery::handler, quick({{"io_threads", "3"}}), [&](const cwire_event& e) {
    if (e.type == CWIRE_EVENT_MESSAGE && std::string(e.data) == "block") gate.pass();
  });
  const auto threads = spread(fleet, csms.url(), 24);
  REQUIRE(threads);
  const std::thread::id blocked_thread = first(fleet.records(), CWIRE_EVENT_CONNECTED, threads->blocked)->thread;
  CHECK(blocked_thread != std::this_thread::get_id());

  REQUIRE(cwire_manager_send(fleet.manager, threads->blocked.c_str(), "block", 5, 0, 0) == CWIRE_OK);
  REQUIRE(gate.wait_arrived());
  const std::size_t before = fleet.records().size();
  REQUIRE(cwire_manager_send(fleet.manager, threads->neighbour.c_str(), "waits", 5, 0, 0) == CWIRE_OK);
  for (int i = 0; i < 50; ++i) {
    REQUIRE(cwire_manager_send(fleet.manager, threads->elsewhere.c_str(), "x", 1, 0, 0) == CWIRE_OK);
    REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, threads->elsewhere, static_cast<std::size_t>(i) + 1));
  }
  const Records meanwhile = fleet.records();
  for (std::size_t i = before; i < meanwhile.size(); ++i) CHECK(meanwhile[i].thread != blocked_thread);
  CHECK(count(meanwhile, CWIRE_EVENT_MESSAGE, threads->neighbour) == 0);
  gate.open();
  CHECK(fleet.wait_for(CWIRE_EVENT_MESSAGE, threads->neighbour));
  fleet.finish();
}

// ---- 4. No call invokes the handler recursively. No library lock is held while it runs.

TEST_CASE("contract 4: no call invokes the handler recursively") {
  csms::Csms csms(echo());
  std::atomic<int> depth{0}, deepest{0};
  Fleet* self = nullptr;
  Gate ready;
  const std::string url = csms.url();
  Answers answers;
  // One thread: all events of all calls below have to come through the handler that makes them.
  Fleet fleet(Delivery::handler, quick({{"io_threads", "1"}}), [&](const cwire_event& e) {
    deepest = std::max(deepest.load(), ++depth);
    if (e.type == CWIRE_EVENT_CONNECTED && std::string(e.station_id) == "CP1") {
      ready.pass();
      call_everything(self->manager, Delivery::handler, e.station, "CP1", "CP2", url, answers);
      cwire_station other = nullptr;
      if (cwire_manager_find(self->manager, "CP2", &other) == CWIRE_OK) self->note_connect(other);
      cwire_station_disconnect(other, 0, nullptr);
      cwire_station_disconnect(e.station, 0, nullptr);
    }
    --depth;
  });
  self = &fleet;
  fleet.connect("CP1", url);
  ready.open();
  REQUIRE(fleet.wait([](const Records& r) { return count(r, CWIRE_EVENT_CLOSED) == 2; }));
  CHECK(deepest == 1);
  check(answers);
  fleet.finish();
}

TEST_CASE("contract 4: no library lock is held while the handler runs") {
  csms::Csms csms(echo());
  const std::int32_t type = GENERATE(CWIRE_EVENT_CONNECTED, CWIRE_EVENT_MESSAGE, CWIRE_EVENT_STATE,
                                     CWIRE_EVENT_DISCONNECTED, CWIRE_EVENT_CLOSED, CWIRE_EVENT_SENT, CWIRE_EVENT_ERROR);
  CAPTURE(type);
  Gate gate;
  std::atomic<bool> armed{true};
  Fleet fleet(Delivery::handler, quick({{"io_threads", "1"}}), [&](const cwire_event& e) {
    if (e.type == type && std::string(e.station_id) == "CP1" && armed.exchange(false)) gate.pass();
  });
  const cwire_station other = fleet.connected("CP2", csms.url());
  raw::ClosedPort nobody;
  const cwire_station station =
      type == CWIRE_EVENT_ERROR ? fleet.connect("CP1", nobody.url()) : fleet.connect("CP1", csms.url());
  if (type == CWIRE_EVENT_MESSAGE || type == CWIRE_EVENT_SENT || type == CWIRE_EVENT_DISCONNECTED ||
      type == CWIRE_EVENT_CLOSED) {
    REQUIRE(cwire_station_wait(station, kPatience_ms, nullptr) == CWIRE_OK);
    if (type == CWIRE_EVENT_MESSAGE || type == CWIRE_EVENT_SENT) {
      REQUIRE(fleet.send(station, "x", CWIRE_FLAG_REPORT) == CWIRE_OK);
    } else {
      REQUIRE(cwire_station_disconnect(station, 0, nullptr) == CWIRE_OK);
    }
  }
  REQUIRE(gate.wait_arrived());

  Answers answers;
  CHECK(returns([&] { call_everything(fleet.manager, Delivery::handler, other, "CP2", "CP3", csms.url(), answers); }));
  check(answers);
  cwire_station third = nullptr;
  REQUIRE(cwire_manager_find(fleet.manager, "CP3", &third) == CWIRE_OK);
  fleet.note_connect(third);
  // The station itself and its id, whatever their answers now are.
  CHECK(returns([&] {
    cwire_stats stats = sized_stats();
    std::int32_t state;
    cwire_station_state(station, &state);
    cwire_station_stats(station, &stats);
    cwire_manager_stats(fleet.manager, "CP1", &stats);
    cwire_manager_is_connected(fleet.manager, "CP1");
    cwire_station_send(station, "x", 1, 0, 0);
    cwire_station_wait(station, 0, nullptr);
    cwire_station_wait(third, 10, nullptr);
    cwire_station_disconnect(station, 0, nullptr);
    cwire_manager_disconnect(fleet.manager, "CP1");
    cwire_manager_disconnect_all(fleet.manager);
    cwire_manager_shutdown(fleet.manager, 2000);
  }));
  gate.open();
  fleet.finish();
}

// ---- 5. Each successful connect yields exactly one CLOSED, the last event of that station; after it the token is
// stale.
//         It is allocated at connect time and arrives even when memory is short. A connect that fails yields no event.

TEST_CASE("contract 5: each successful connect yields exactly one CLOSED and the token is stale after it") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  csms::Csms csms{csms::Options()};
  raw::ClosedPort nobody;
  std::atomic<cwire_status> inside{CWIRE_OK};
  Fleet fleet(delivery, quick(), [&](const cwire_event& e) {
    std::int32_t state;
    if (e.type == CWIRE_EVENT_CLOSED) inside = cwire_station_state(e.station, &state);
  });
  std::vector<cwire_station> stations;
  for (int i = 0; i < 5; ++i) stations.push_back(fleet.connected("on" + std::to_string(i), csms.url()));
  for (int i = 0; i < 5; ++i) stations.push_back(fleet.connect("off" + std::to_string(i), nobody.url()));
  // Ends before its first attempt, and one that gives up.
  stations.push_back(fleet.connect("brief", csms.url()));
  stations.push_back(fleet.connect("gives up", nobody.url(), {{"csms.max_reconnect_attempts", "1"}}));
  for (cwire_station station : stations) cwire_station_disconnect(station, 0, nullptr);
  REQUIRE(fleet.wait([&](const Records& r) { return count(r, CWIRE_EVENT_CLOSED) == stations.size(); }));
  if (delivery == Delivery::handler) CHECK(inside == CWIRE_E_INVALID_HANDLE);
  for (cwire_station station : stations) {
    std::int32_t state;
    cwire_stats stats = sized_stats();
    CHECK(cwire_station_state(station, &state) == CWIRE_E_INVALID_HANDLE);
    CHECK(cwire_station_send(station, "x", 1, 0, 0) == CWIRE_E_INVALID_HANDLE);
    CHECK(cwire_station_disconnect(station, 0, nullptr) == CWIRE_E_INVALID_HANDLE);
    CHECK(cwire_station_wait(station, 0, nullptr) == CWIRE_E_INVALID_HANDLE);
    CHECK(cwire_station_stats(station, &stats) == CWIRE_E_INVALID_HANDLE);
  }
  // The id is free, and its new token is another.
  const cwire_station again = fleet.connected("on0", csms.url());
  CHECK(again != stations[0]);
  fleet.finish();
}

TEST_CASE("contract 5: a connect that fails yields no event") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  csms::Csms csms{csms::Options()};
  Fleet fleet(delivery);
  fleet.connected("CP1", csms.url());
  const Config tls(Settings{{"csms.tls.ca_cert", "/nowhere.pem"}});
  cwire_station none = nullptr;
  CHECK(cwire_manager_connect(fleet.manager, "CP1", csms.url().c_str(), nullptr, 0, &none, nullptr) ==
        CWIRE_E_ALREADY_CONNECTED);
  CHECK(cwire_manager_connect(fleet.manager, "a:b", csms.url().c_str(), nullptr, 0, &none, nullptr) ==
        CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_connect(fleet.manager, "CP2", "http://x", nullptr, 0, &none, nullptr) ==
        CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_manager_connect(fleet.manager, "CP3", "wss://127.0.0.1:1", tls, 0, &none, nullptr) < 0);
  CHECK(none == nullptr);
  fleet.finish();  // every event belongs to a connect that succeeded
  for (const Record& record : fleet.records()) CHECK((record.station_id == "CP1" || record.station_id.empty()));
  CHECK(count(fleet.records(), CWIRE_EVENT_CLOSED) == 1);
}

TEST_CASE("contract 5: CLOSED arrives when memory is short") {
  csms::Csms csms{csms::Options()};
  // No Fleet: its handler records, and recording takes memory.
  struct Seen {
    std::atomic<bool> closed{false}, shutdown{false};
    std::atomic<int> others_after_closed{0};
    Gate done;
  } seen;
  const auto handler = [](std::uintptr_t context, const cwire_event* events, std::size_t size) {
    auto& seen = *reinterpret_cast<Seen*>(context);
    for (std::size_t i = 0; i < size; ++i) {
      if (events[i].type == CWIRE_EVENT_CONNECTED) starve_this_thread(true);
      if (seen.closed && events[i].station != nullptr) ++seen.others_after_closed;
      if (events[i].type == CWIRE_EVENT_CLOSED) {
        seen.closed = true;
        starve_this_thread(false);
        seen.done.open();
      }
    }
  };
  const Config config(quick({{"io_threads", "1"}}));
  cwire_manager manager = nullptr;
  REQUIRE(cwire_manager_new(config, handler, reinterpret_cast<std::uintptr_t>(&seen), &manager, nullptr) == CWIRE_OK);
  cwire_station station = nullptr;
  REQUIRE(cwire_manager_connect(manager, "CP1", csms.url().c_str(), nullptr, 0, &station, nullptr) == CWIRE_OK);
  CHECK(cwire_station_wait(station, kPatience_ms, nullptr) == CWIRE_OK);
  CHECK(cwire_station_send(station, "[2,\"1\",\"Heartbeat\",{}]", 22, 0, 0) == CWIRE_OK);
  CHECK(cwire_station_disconnect(station, 0, nullptr) != CWIRE_E_INVALID_ARGUMENT);
  CHECK(returns([&] { seen.done.pass(); }));
  CHECK(seen.closed);
  CHECK(cwire_manager_free(manager) == CWIRE_OK);
  CHECK(seen.others_after_closed == 0);
}

// ---- 6. Disconnect is asynchronous and idempotent. Local and remote close yield the same events.

TEST_CASE("contract 6: disconnect is asynchronous and idempotent") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  raw::Server server;
  Fleet fleet(delivery);
  const cwire_station station = fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  REQUIRE(cwire_station_wait(station, kPatience_ms, nullptr) == CWIRE_OK);
  // The server does not answer the close frame, and yet each call returns.
  CHECK(cwire_station_disconnect(station, 3001, "first") == CWIRE_OK);
  CHECK(cwire_station_disconnect(station, 3002, "second") == CWIRE_OK);
  CHECK(cwire_manager_disconnect(fleet.manager, "CP1") == CWIRE_OK);
  CHECK(cwire_manager_disconnect_all(fleet.manager) == CWIRE_OK);
  const auto frame = peer.read_frame();
  REQUIRE(frame);
  CHECK(frame->opcode == raw::close);
  CHECK(frame->payload == std::string("\x0b\xb9") + "first");
  peer.send_frame(raw::close, frame->payload);
  CHECK_FALSE(peer.read_frame());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  CHECK(cwire_station_disconnect(station, 0, nullptr) == CWIRE_E_INVALID_HANDLE);
  CHECK(count(fleet.records(), CWIRE_EVENT_DISCONNECTED, "CP1") == 1);
  CHECK(first(fleet.records(), CWIRE_EVENT_DISCONNECTED, "CP1")->status == CWIRE_OK);
  CHECK(first(fleet.records(), CWIRE_EVENT_CLOSED, "CP1")->status == CWIRE_OK);
  fleet.finish();
}

TEST_CASE("contract 6: local and remote close yield the same events") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  csms::Csms csms{csms::Options()};
  Fleet fleet(delivery, quick({{"csms.reconnect_backoff", "1h"}, {"csms.reconnect_max_backoff", "1h"}}));
  const cwire_station local = fleet.connected("local", csms.url());
  fleet.connected("remote", csms.url());
  REQUIRE(cwire_station_disconnect(local, 1000, nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "local"));
  csms.close_all(1000, "done");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "remote"));
  REQUIRE(cwire_manager_disconnect(fleet.manager, "remote") == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "remote"));
  const Records records = fleet.records();
  for (const char* id : {"local", "remote"}) {
    INFO(id);
    REQUIRE(count(records, CWIRE_EVENT_DISCONNECTED, id) == 1);
    CHECK(first(records, CWIRE_EVENT_DISCONNECTED, id)->code == 1000);
    REQUIRE(count(records, CWIRE_EVENT_CLOSED, id) == 1);
    CHECK(first(records, CWIRE_EVENT_CLOSED, id)->code == 1000);
    CHECK(first(records, CWIRE_EVENT_CLOSED, id)->status == CWIRE_OK);
  }
  CHECK((first(records, CWIRE_EVENT_DISCONNECTED, "local")->flags & CWIRE_FLAG_REMOTE) == 0);
  CHECK((first(records, CWIRE_EVENT_DISCONNECTED, "remote")->flags & CWIRE_FLAG_REMOTE) != 0);
  fleet.finish();
}

// ---- 7. Shutdown yields every CLOSED, then SHUTDOWN, the last event of the manager. `free` outside the handler
// returns after
//         the handler's last return; inside the handler it returns at once and finishes on its own.

TEST_CASE("contract 7: shutdown yields every CLOSED and then SHUTDOWN") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  csms::Csms csms{csms::Options()};
  raw::ClosedPort nobody;
  raw::Server silent;  // accepts by its backlog and never answers the upgrade
  Fleet fleet(delivery, quick({{"io_threads", "3"}, {"log_level", "debug"}}));
  for (int i = 0; i < 10; ++i) {
    fleet.connected("on" + std::to_string(i), csms.url());
    fleet.connect("waiting" + std::to_string(i), nobody.url());
    fleet.connect("connecting" + std::to_string(i), silent.url());
  }
  REQUIRE(cwire_manager_shutdown(fleet.manager, 5000) == CWIRE_OK);
  REQUIRE(cwire_manager_shutdown(fleet.manager, 0) == CWIRE_OK);
  Error error;
  CHECK(cwire_manager_connect(fleet.manager, "late", csms.url().c_str(), nullptr, 0, nullptr, &error) == CWIRE_E_STATE);
  CHECK_THAT(error.text(), Catch::Contains("shutting down"));
  CHECK(cwire_manager_broadcast(fleet.manager, "x", 1, 0, nullptr) == CWIRE_E_STATE);
  fleet.finish();
  const Records records = fleet.records();
  for (int i = 0; i < 10; ++i) {
    const Record* end = first(records, CWIRE_EVENT_DISCONNECTED, "on" + std::to_string(i));
    REQUIRE(end != nullptr);
    CHECK(end->code == 1001);
    CHECK(end->status == CWIRE_OK);
  }
  CHECK(count(fleet.records(), CWIRE_EVENT_CLOSED) == 30);
}

TEST_CASE("contract 7: shutdown without stations is SHUTDOWN alone") {
  const Delivery delivery = both_deliveries();
  Fleet fleet(delivery);
  fleet.finish(0);
  CHECK(fleet.records().size() == 1);
}

TEST_CASE("contract 7: what is queued is sent within the drain time") {
  const Delivery delivery = both_deliveries();
  raw::Server server;
  Fleet fleet(delivery);
  const cwire_station station = fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  REQUIRE(cwire_station_wait(station, kPatience_ms, nullptr) == CWIRE_OK);
  for (int i = 0; i < 50; ++i) REQUIRE(fleet.send(station, std::to_string(i)) == CWIRE_OK);
  REQUIRE(cwire_manager_shutdown(fleet.manager, 30000) == CWIRE_OK);
  for (int i = 0; i < 50; ++i) {
    const auto frame = peer.read_frame();
    REQUIRE(frame);
    CHECK(frame->payload == std::to_string(i));
  }
  const auto frame = peer.read_frame();
  REQUIRE(frame);
  CHECK(frame->opcode == raw::close);
  peer.send_frame(raw::close, frame->payload);
  fleet.finish();
}

TEST_CASE("contract 7: free outside the handler returns after the last return of the handler") {
  csms::Csms csms(echo());
  std::atomic<int> inside{0}, shutdowns{0}, closes{0};
  std::atomic<bool> freed{false}, late{false};
  Gate gate;
  Fleet fleet(Delivery::handler, quick({{"io_threads", "3"}}), [&](const cwire_event& e) {
    if (freed) late = true;
    ++inside;
    if (e.type == CWIRE_EVENT_MESSAGE) gate.pass();
    if (e.type == CWIRE_EVENT_CLOSED) ++closes;
    if (e.type == CWIRE_EVENT_SHUTDOWN) ++shutdowns;
    --inside;
  });
  std::vector<cwire_station> stations;
  for (int i = 0; i < 10; ++i) stations.push_back(fleet.connected("CP" + std::to_string(i), csms.url()));
  for (cwire_station station : stations) REQUIRE(fleet.send(station, "x") == CWIRE_OK);
  REQUIRE(gate.wait_arrived());
  auto free = std::async(std::launch::async, [&] {
    const cwire_status status = cwire_manager_free(fleet.release());
    freed = true;
    return status;
  });
  gate.open();
  REQUIRE(free.wait_for(kPatience) == std::future_status::ready);
  CHECK(free.get() == CWIRE_OK);
  CHECK(inside == 0);
  CHECK(shutdowns == 1);
  CHECK(closes == 10);
  fleet.check_contract();
  CHECK_FALSE(late);
}

TEST_CASE("contract 7: free inside the handler returns at once and finishes on its own") {
  csms::Csms csms{csms::Options()};
  const std::int32_t type =
      GENERATE(CWIRE_EVENT_CONNECTED, CWIRE_EVENT_STATE, CWIRE_EVENT_CLOSED, CWIRE_EVENT_SHUTDOWN);
  CAPTURE(type);
  std::atomic<cwire_status> first_free{CWIRE_E_INTERNAL}, second_free{CWIRE_OK}, call{CWIRE_OK};
  std::atomic<bool> armed{true};
  Gate ready;
  cwire_manager manager = nullptr;
  Fleet fleet(Delivery::handler, quick(), [&](const cwire_event& e) {
    if (e.type != type || !armed.exchange(false)) return;
    ready.pass();
    first_free = cwire_manager_free(manager);
    second_free = cwire_manager_free(manager);
    call = cwire_manager_counts(manager, nullptr, nullptr);
  });
  manager = fleet.manager;
  std::vector<cwire_station> stations;
  for (int i = 0; i < 4; ++i) stations.push_back(fleet.connect("CP" + std::to_string(i), csms.url()));
  if (type == CWIRE_EVENT_CLOSED) REQUIRE(cwire_station_disconnect(stations[0], 0, nullptr) == CWIRE_OK);
  if (type == CWIRE_EVENT_SHUTDOWN) REQUIRE(cwire_manager_shutdown(manager, 0) == CWIRE_OK);
  ready.open();
  fleet.release();
  REQUIRE(fleet.wait_returned());
  CHECK(first_free == CWIRE_OK);
  CHECK(second_free == CWIRE_E_INVALID_HANDLE);
  CHECK(call == CWIRE_E_INVALID_HANDLE);
  fleet.check_contract();
}

TEST_CASE("contract 7: free in poll mode drops what was not polled and ends the poll under way") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::poll);
  const cwire_station station = fleet.connect("CP1", csms.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  REQUIRE(fleet.poll(0) == CWIRE_E_TIMEOUT);
  auto polling = std::async(std::launch::async, [&] {
    const cwire_event* events;
    std::size_t size;
    cwire_status status;
    do {
      status = cwire_manager_poll(fleet.manager, -1, 1, &events, &size);
    } while (status == CWIRE_OK);
    return status;
  });
  const cwire_manager manager = fleet.manager;
  REQUIRE(cwire_manager_free(manager) == CWIRE_OK);
  REQUIRE(polling.wait_for(kPatience) == std::future_status::ready);
  CHECK(polling.get() == CWIRE_E_INVALID_HANDLE);
  std::int32_t state;
  CHECK(cwire_station_state(station, &state) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_manager_free(manager) == CWIRE_E_INVALID_HANDLE);
  fleet.release();
}

// ---- 8. Send copies, never blocks, and says QUEUE_FULL instead of waiting; WRITABLE follows when there is room again.
// An
//         accepted message is sent, or reported as not sent. The library never sends one twice.

TEST_CASE("contract 8: send copies") {
  const Delivery delivery = both_deliveries();
  csms::Csms csms(echo());
  Fleet fleet(delivery);
  const cwire_station station = fleet.connected("CP1", csms.url());
  std::string message = "the words";
  REQUIRE(fleet.send(station, message) == CWIRE_OK);
  std::fill(message.begin(), message.end(), 'x');
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1"));
  CHECK(first(fleet.records(), CWIRE_EVENT_MESSAGE, "CP1")->data == "the words");
  fleet.finish();
}

namespace {

// With its queue full.
struct Stuck : StuckStation<> {
  explicit Stuck(Fleet& fleet) : StuckStation(fleet) {
    // The kernel's buffers fill first. When a whole half second brings no room, they are full, and the queue stays
    // full.
    for (bool any_accepted = true; any_accepted;) {
      any_accepted = false;
      cwire_status status;
      while ((status = send(fleet)) == CWIRE_OK) any_accepted = true;
      REQUIRE(status == CWIRE_E_QUEUE_FULL);
      const std::size_t writables = count(fleet.records(), CWIRE_EVENT_WRITABLE, "CP1");
      fleet.wait([&](const Records& r) { return count(r, CWIRE_EVENT_WRITABLE, "CP1") > writables; },
                 std::chrono::milliseconds(500));
    }
  }
};

Settings patient_queue() {
  return quick({{"csms.send_queue_messages", "100"}, {"csms.write_timeout", "1h"}, {"csms.ping_interval", "0s"}});
}

}  // namespace

TEST_CASE("contract 8: QUEUE_FULL instead of waiting and WRITABLE when there is room again") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  Fleet fleet(delivery, patient_queue());
  Stuck stuck(fleet);
  CHECK(cwire_manager_send(fleet.manager, "CP1", "x", 1, 0, 0) == CWIRE_E_QUEUE_FULL);
  const std::size_t writables = count(fleet.records(), CWIRE_EVENT_WRITABLE, "CP1");
  CHECK(fleet.stats("CP1").queued_messages == 100);
  for (std::uint64_t i = 0; i < stuck.accepted; ++i) {
    const auto frame = stuck.peer->read_frame();
    REQUIRE(frame);
    REQUIRE(frame->payload == stuck.message(i));
  }
  REQUIRE(fleet.wait_for(CWIRE_EVENT_WRITABLE, "CP1", writables + 1));
  CHECK(fleet.send(stuck.station, "again") == CWIRE_OK);
  CHECK(stuck.peer->read_frame()->payload == "again");
  REQUIRE(fleet.wait([&](const Records& r) { return count(r, CWIRE_EVENT_SENT, "CP1") == stuck.accepted; }));
  stuck.peer->reset();
  fleet.finish(0);
}

TEST_CASE("contract 8: WRITABLE follows QUEUE_FULL also when the connection was lost in between") {
  Fleet fleet(Delivery::poll, patient_queue());
  Stuck stuck(fleet);
  REQUIRE(fleet.send(stuck.station, "x") == CWIRE_E_QUEUE_FULL);
  const std::size_t writables = count(fleet.records(), CWIRE_EVENT_WRITABLE, "CP1");
  stuck.peer->reset();
  auto again = stuck.server.accept();
  again.upgrade();
  REQUIRE(fleet.wait([&](const Records& r) { return count(r, CWIRE_EVENT_WRITABLE, "CP1") > writables; }));
  const Records records = fleet.records();
  CHECK(count(records, CWIRE_EVENT_CONNECTED, "CP1") == 2);
  CHECK(last(records, CWIRE_EVENT_WRITABLE, "CP1") > last(records, CWIRE_EVENT_CONNECTED, "CP1"));
  again.reset();
  fleet.finish(0);
}

TEST_CASE("contract 8: an accepted message is sent or reported as not sent and never sent twice") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  Fleet fleet(delivery, patient_queue());
  Stuck stuck(fleet);
  const bool by_us = GENERATE(false, true);
  if (by_us) {
    REQUIRE(cwire_manager_shutdown(fleet.manager, 0) == CWIRE_OK);
  } else {
    stuck.peer->reset();
  }
  REQUIRE(fleet.wait([&](const Records& r) { return count(r, CWIRE_EVENT_SENT, "CP1") == stuck.accepted; }));
  std::set<std::uint64_t> tags;
  std::uint64_t sent = 0, not_sent = 0;
  for (const Record& record : fleet.records()) {
    if (record.type != CWIRE_EVENT_SENT) continue;
    CHECK(tags.insert(record.tag).second);
    ++(record.status == CWIRE_OK ? sent : not_sent);
  }
  CHECK(sent + not_sent == stuck.accepted);
  CHECK(not_sent == 100);
  if (!by_us) {
    const cwire_stats stats = fleet.stats("CP1");
    CHECK(stats.messages_sent == sent);
    CHECK(stats.messages_not_sent == not_sent);
    CHECK(stats.queued_messages == 0);
    CHECK(stats.queued_bytes == 0);
    // The new connection begins with what is sent on it, not with what was lost.
    auto peer = stuck.server.accept();
    peer.upgrade();
    REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
    REQUIRE(fleet.send(stuck.station, "new") == CWIRE_OK);
    CHECK(peer.read_frame()->payload == "new");
    peer.reset();
  }
  fleet.finish(0);
}

TEST_CASE("contract 8: every accepted message is accounted for when connections die under several senders") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  constexpr int kSenders = 4, kStations = 8, kMessages = 400;
  std::mutex mutex;
  std::map<std::string, int> received;
  csms::Options options;
  options.echo = true;
  options.on_message = [&](const std::string&, const std::string& message) {
    const std::lock_guard<std::mutex> lock(mutex);
    ++received[message];
  };
  csms::Csms csms(options);
  Fleet fleet(delivery, quick({{"csms.reconnect_backoff", "1ms"}, {"csms.reconnect_max_backoff", "2ms"}}));
  std::vector<cwire_station> stations;
  for (int i = 0; i < kStations; ++i) stations.push_back(fleet.connected("CP" + std::to_string(i), csms.url()));
  std::atomic<std::uint64_t> accepted{0}, tried{0};
  std::vector<std::thread> senders;
  for (int s = 0; s < kSenders; ++s) {
    senders.emplace_back([&, s] {
      for (int m = 0; m < kMessages; ++m) {
        const std::uint64_t tag = static_cast<std::uint64_t>(s) * kMessages + static_cast<std::uint64_t>(m);
        const std::string text = std::to_string(tag);
        ++tried;
        if (fleet.send(stations[tag % kStations], text, CWIRE_FLAG_REPORT, tag) == CWIRE_OK) ++accepted;
        if (m % 100 == 50 && s == 0) {
          csms.die();
          csms.come_back();
        }
        if (m % 40 == 0) cwire_station_wait(stations[tag % kStations], kPatience_ms, nullptr);
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  REQUIRE(fleet.wait([&](const Records& r) { return count(r, CWIRE_EVENT_SENT) >= accepted; }));
  fleet.finish();
  std::set<std::uint64_t> tags;
  for (const Record& record : fleet.records()) {
    if (record.type == CWIRE_EVENT_SENT) CHECK(tags.insert(record.tag).second);
  }
  CHECK(tags.size() == accepted);
  CHECK(accepted > 0);
  const std::lock_guard<std::mutex> lock(mutex);
  for (const auto& [message, times] : received) {
    INFO(message);
    CHECK(times == 1);
    CHECK(tags.count(std::stoull(message)) == 1);
  }
}

// ---- 9. When the caller is slow to poll, reading from sockets pauses. Nothing is dropped.

TEST_CASE("contract 9: while the caller does not poll reading pauses and nothing is dropped") {
  constexpr std::uint64_t kMessages = 50000, kQueue = 1000, kMessageSize = 1000;
  // One read of the thread's 64 KiB takes the queue from one below its limit beyond it, and one more finds it full.
  // Two reads complete at most so many messages, the first of them begun before.
  constexpr std::uint64_t kFrameSize = kMessageSize + 4, kTwoReads = 2 * 65536 / kFrameSize + 1;
  constexpr std::uint64_t kMostWaiting = kQueue - 1 + kTwoReads;
  // Longer than all that would end a connection on which nothing is read.
  constexpr int kPause_ms = 3500;
  raw::Server server;
  Fleet fleet(Delivery::poll, quick({{"io_threads", "1"},
                                     {"event_queue_max", std::to_string(kQueue)},
                                     {"csms.ping_interval", "200ms"},
                                     {"csms.pong_timeout", "2s"},
                                     {"csms.read_timeout", "3s"}}));
  const cwire_station station = fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  const auto message = [](std::uint64_t number) {
    const std::string text = std::to_string(number);
    return text + std::string(kMessageSize - text.size(), ' ');
  };
  Gate paused;
  std::mutex sending;  // a pong must not go out in the middle of a message
  auto flood = std::async(std::launch::async, [&] {
    bool was_paused = false;
    for (std::uint64_t i = 0; i < kMessages; ++i) {
      const std::lock_guard<std::mutex> lock(sending);
      if (!was_paused && !peer.wait_writable(kPause_ms)) {
        was_paused = true;
        paused.open();
      }
      peer.send_frame(raw::text, message(i));
    }
    return was_paused;
  });
  auto answers = std::async(std::launch::async, [&] {
    int pings = 0;
    for (auto frame = peer.read_frame(); frame && frame->opcode != raw::close; frame = peer.read_frame()) {
      if (frame->opcode != raw::ping) continue;
      ++pings;
      const std::lock_guard<std::mutex> lock(sending);
      peer.send_frame(raw::pong, frame->payload);
    }
    const std::lock_guard<std::mutex> lock(sending);
    peer.send_frame(raw::close, std::string("\x03\xe8"));
    return pings;
  });

  paused.pass();
  cwire_stats stats = sized_stats();
  REQUIRE(cwire_station_stats(station, &stats) == CWIRE_OK);
  CHECK(stats.state == CWIRE_STATE_CONNECTED);
  CHECK(stats.messages_received >= kQueue);
  CHECK(stats.messages_received <= kMostWaiting);
  CHECK(stats.reading_pauses == 1);

  std::uint64_t next = 0, most_waiting = 0;
  while (next < kMessages) {
    const cwire_event* events;
    std::size_t size;
    REQUIRE(cwire_manager_poll(fleet.manager, kPatience_ms, 97, &events, &size) == CWIRE_OK);
    for (std::size_t i = 0; i < size; ++i) {
      INFO(events[i].data);
      REQUIRE(events[i].type != CWIRE_EVENT_DISCONNECTED);
      if (events[i].type != CWIRE_EVENT_MESSAGE) continue;
      REQUIRE(events[i].data_size == kMessageSize);
      REQUIRE(std::stoull(events[i].data) == next++);
    }
    REQUIRE(cwire_station_stats(station, &stats) == CWIRE_OK);
    most_waiting = std::max(most_waiting, stats.messages_received - next);
  }
  CHECK(most_waiting <= kMostWaiting);
  CHECK(flood.get());
  REQUIRE(cwire_station_disconnect(station, 0, nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  CHECK(first(fleet.records(), CWIRE_EVENT_DISCONNECTED, "CP1")->code == 1000);
  answers.get();
}

TEST_CASE("contract 9: a paused station is read again and a station that was quiet all the time too") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::poll, quick({{"io_threads", "2"}, {"event_queue_max", "10"}}));
  std::vector<std::string> ids;
  for (int i = 0; i < 8; ++i) {
    ids.push_back("CP" + std::to_string(i));
    fleet.connected(ids.back(), csms.url());
  }
  // Nobody polled so far, so the queue is over its limit.
  for (int m = 0; m < 100; ++m) {
    for (const std::string& id : ids) REQUIRE(csms.send_to(id, std::to_string(m)));
  }
  REQUIRE(fleet.wait([&](const Records& r) { return count(r, CWIRE_EVENT_MESSAGE) == 800; }));
  std::map<std::string, int> next;
  for (const Record& record : fleet.records()) {
    if (record.type == CWIRE_EVENT_MESSAGE) CHECK(record.data == std::to_string(next[record.station_id]++));
  }
  while (fleet.poll(0) == CWIRE_OK) continue;  // the last episode is told behind the last message perhaps
  const Records records = fleet.records();
  const std::size_t episodes = count(records, CWIRE_EVENT_PAUSED);
  CHECK(episodes >= 1);
  for (const std::string& id : ids) CHECK(fleet.stats(id).reading_pauses <= episodes);
  const Record& paused = must(first(records, CWIRE_EVENT_PAUSED));
  CHECK(paused.station == nullptr);
  CHECK(paused.tag > 0);
  CHECK(paused.data.find("because 10 events waited to be polled") != std::string::npos);
  fleet.finish();
}
