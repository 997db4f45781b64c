// What the process does to the library: fork, exec, shutdown at a bad moment. Rows of docs/reliability.md.
#include <dirent.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "fault_csms.h"
#include "system_calls.h"

using namespace fixture;
using system_calls::Name;

namespace {

// What a child of fork() calls. Returns the number of the first answer that is wrong, or 0.
int calls_with_parents_tokens(cwire_manager manager, cwire_station station, cwire_pool pool) {
  const cwire_event* events = nullptr;
  std::size_t size = 0;
  cwire_stats stats{};
  stats.size = sizeof stats;
  std::int32_t state = 0;
  cwire_outgoing outgoing{sizeof outgoing, station, "x", 1, 0, 0, CWIRE_OK};
  const cwire_status answers[] = {
      cwire_station_send(station, "x", 1, 0, 0),
      cwire_station_send_many(&outgoing, 1, nullptr),
      cwire_station_state(station, &state),
      cwire_station_stats(station, &stats),
      cwire_station_wait(station, -1, nullptr),
      cwire_station_disconnect(station, 0, nullptr),
      cwire_manager_poll(manager, -1, 1, &events, &size),
      cwire_manager_connect(manager, "CP9", "ws://127.0.0.1:1", nullptr, 0, nullptr, nullptr),
      cwire_manager_send(manager, "CP1", "x", 1, 0, 0),
      cwire_manager_broadcast(manager, "x", 1, 0, nullptr),
      cwire_manager_disconnect_all(manager),
      cwire_manager_counts(manager, nullptr, nullptr),
      cwire_manager_network_up(manager),
      cwire_manager_trace(manager, nullptr, 1, nullptr),
      cwire_manager_shutdown(manager, 0),
      cwire_pool_broadcast(pool, "x", 1, 0, nullptr),
      cwire_pool_free(pool),
      cwire_manager_free(manager)};
  int number = 0;
  for (const cwire_status answer : answers) {
    ++number;
    if (answer != CWIRE_E_INVALID_HANDLE) return number;
  }
  return 0;
}

// The same for a manager of the child's own, which talks to the echoing CSMS of its parent.
int makes_its_own_manager(cwire_config config, const std::string& url) {
  cwire_manager manager = nullptr;
  cwire_station station = nullptr;
  if (cwire_manager_new(config, nullptr, 0, &manager, nullptr) != CWIRE_OK) return 101;
  if (cwire_manager_connect(manager, "child", url.c_str(), nullptr, 0, &station, nullptr) != CWIRE_OK) return 102;
  if (cwire_station_wait(station, kPatience_ms, nullptr) != CWIRE_OK) return 103;
  if (cwire_station_send(station, "from the child", 14, 0, 0) != CWIRE_OK) return 104;
  for (bool answered = false; !answered;) {
    const cwire_event* events = nullptr;
    std::size_t size = 0;
    if (cwire_manager_poll(manager, kPatience_ms, 16, &events, &size) != CWIRE_OK) return 105;
    for (std::size_t i = 0; i < size; ++i) answered = answered || events[i].type == CWIRE_EVENT_MESSAGE;
  }
  return cwire_manager_free(manager) == CWIRE_OK ? 0 : 106;
}

std::vector<std::string> entries_of(const char* path) {
  std::vector<std::string> all;
  DIR* directory = ::opendir(path);
  REQUIRE(directory != nullptr);
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') all.emplace_back(entry->d_name);
  }
  ::closedir(directory);
  return all;
}

// Without the one that the looking itself has open.
std::set<int> open_descriptors() {
  std::set<int> all;
  for (const std::string& entry : entries_of("/proc/self/fd")) {
    const int descriptor = std::stoi(entry);
    if (::fcntl(descriptor, F_GETFD) >= 0) all.insert(descriptor);
  }
  return all;
}

// The allocator of a sanitizer stays locked in the child where another thread is just in it, or is coming or going.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kForksOnlyInSilence = true;
#else
constexpr bool kForksOnlyInSilence = false;
#endif

bool all_sleep() {
  for (const std::string& task : entries_of("/proc/self/task")) {
    if (task == std::to_string(::gettid())) continue;
    std::string stat;
    std::getline(std::ifstream("/proc/self/task/" + task + "/stat"), stat);
    if (stat.find(") S ") == std::string::npos) return false;
  }
  return true;
}

// No event tells; the more often in a row, the less it is by chance.
void wait_until_all_sleep() {
  for (int times = 0; times < 20; times = all_sleep() ? times + 1 : 0) std::this_thread::yield();
}

}  // namespace

TEST_CASE("fault: fork(), and calls in the child") {
  csms::Options options;
  options.echo = true;
  csms::Csms decent(options);
  FaultCsms fault;
  const cwire_station station = fault.connect();
  raw::Connection peer = fault.upgraded();
  cwire_pool pool = nullptr;
  REQUIRE(cwire_pool_new(fault.fleet.manager, &pool) == CWIRE_OK);
  REQUIRE(cwire_pool_add(pool, station) == CWIRE_OK);
  const Config config(quick({{"io_threads", "1"}}));
  // Others are in the middle of calls, and stations come and go.
  std::atomic<bool> done{kForksOnlyInSilence};
  std::atomic<int> sent{0};
  std::thread busy([&] {
    while (!done) {
      if (sent < 5000 && cwire_station_send(station, "busy", 4, 0, 0) == CWIRE_OK) ++sent;
      cwire_station brief = nullptr;
      if (cwire_manager_connect(fault.fleet.manager, "brief", decent.url().c_str(), nullptr, 0, &brief, nullptr) ==
          CWIRE_OK) {
        fault.fleet.note_connect(brief);
        cwire_station_disconnect(brief, 0, nullptr);
      }
    }
  });
  for (int round = 0; round < 20; ++round) {
    CAPTURE(round);
    if (kForksOnlyInSilence) wait_until_all_sleep();
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(kPatience_ms / 1000);  // what hangs, ends
      int wrong = calls_with_parents_tokens(fault.fleet.manager, station, pool);
#ifndef __SANITIZE_THREAD__  // which allows no thread in such a child
      if (wrong == 0) wrong = makes_its_own_manager(config, decent.url());
#endif
      ::_exit(wrong);
    }
    REQUIRE(child > 0);
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    fault.bystanders_talk();
  }
  done = true;
  busy.join();
  // The parent's station is where it was, and no byte of it is missing or doubled.
  for (int i = 0; i < sent; ++i) {
    const auto frame = peer.read_frame();
    REQUIRE(frame);
    REQUIRE(frame->payload == "busy");
  }
  peer.send_frame(raw::text, "still there");
  REQUIRE(fault.fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1"));
  CHECK(fault.fleet.state(station) == CWIRE_STATE_CONNECTED);
  CHECK(cwire_pool_free(pool) == CWIRE_OK);
  fault.finish();
}

TEST_CASE("fault: what is executed inherits no descriptor") {
  const std::set<int> before = open_descriptors();
  raw::Server server;
  raw::Deaf deaf;
  const Delivery delivery = both_deliveries();
  Fleet fleet(delivery);
  fleet.connect("connected", server.url());
  raw::Connection connected = server.accept();
  connected.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "connected"));
  fleet.connect("upgrading", server.url());
  raw::Connection upgrading = server.accept();
  fleet.connect("negotiating", "wss" + server.url().substr(2));
  raw::Connection negotiating = server.accept();
  fleet.connect("dialling", deaf.url());
  fleet.connect("resolving", "ws://localhost:1");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "resolving"));
  std::size_t checked = 0;
  for (const int descriptor : open_descriptors()) {
    if (before.count(descriptor) != 0) continue;
    CAPTURE(descriptor);
    const int flags = ::fcntl(descriptor, F_GETFD);
    if (flags < 0) continue;  // closed meanwhile: that of an attempt
    CHECK((flags & FD_CLOEXEC) != 0);
    ++checked;
  }
  CHECK(checked >= 8);  // the sockets of both sides, and what the I/O threads wait on
  fleet.finish(0);
}

TEST_CASE("fault: shutdown in every state") {
  const Delivery delivery = both_deliveries();
  const std::int32_t drain_ms = GENERATE(0, 300);
  CAPTURE(delivery, drain_ms);
  csms::Csms csms{csms::Options()}, refusing{csms::Options()};
  refusing.refuse(404);
  raw::Server silent;
  raw::Server stuck_server(4096);
  raw::Deaf deaf;
  raw::ClosedPort nobody;
  const auto gate = std::make_shared<Gate>();
  Name name("csms.test", [gate](std::vector<std::string>&) {
    gate->pass();
    return EAI_AGAIN;
  });
  // Whatever waits, waits an hour: only the shutdown ends it.
  Fleet fleet(delivery, quick({{"csms.reconnect_backoff", "1h"},
                               {"csms.reconnect_max_backoff", "1h"},
                               {"csms.refused_backoff", "1h"},
                               {"csms.refused_max_backoff", "1h"},
                               {"csms.connection_timeout", "10m"},
                               {"csms.tcp_timeout", "10m"},
                               {"csms.tls.handshake_timeout", "10m"},
                               {"csms.upgrade_timeout", "10m"},
                               {"csms.close_timeout", "10m"},
                               {"csms.write_timeout", "1h"},
                               {"csms.ping_interval", "0s"}}));
  fleet.connect("resolving", "ws://csms.test:1");
  REQUIRE(gate->wait_arrived());
  fleet.connect("dialling", deaf.url());
  fleet.connect("negotiating", "wss" + silent.url().substr(2));
  const raw::Connection negotiating = silent.accept();
  fleet.connect("upgrading", silent.url());
  raw::Connection upgrading = silent.accept();
  upgrading.read_request();
  fleet.connected("connected", csms.url());
  fleet.connect("waiting", nobody.url());
  fleet.connect("refused", refusing.url());
  fleet.connect("gave up", nobody.url(), {{"csms.max_reconnect_attempts", "1"}});
  for (const char* id : {"waiting", "refused", "gave up"}) REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, id));
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "gave up"));
  const cwire_station stuck = fleet.connect("stuck", stuck_server.url());
  raw::Connection stuck_peer = stuck_server.accept();
  stuck_peer.upgrade();
  REQUIRE(cwire_station_wait(stuck, kPatience_ms, nullptr) == CWIRE_OK);
  std::uint64_t accepted = 0;
  while (fleet.send(stuck, std::string(100000, 'x'), CWIRE_FLAG_REPORT) == CWIRE_OK) ++accepted;
  const cwire_station closing = fleet.connect("closing", silent.url());
  raw::Connection closing_peer = silent.accept();
  closing_peer.upgrade();
  REQUIRE(cwire_station_wait(closing, kPatience_ms, nullptr) == CWIRE_OK);
  REQUIRE(cwire_station_disconnect(closing, 0, nullptr) == CWIRE_OK);
  REQUIRE(closing_peer.read_frame());

  fleet.finish(drain_ms);
  const Records records = fleet.records();
  CHECK(count(records, CWIRE_EVENT_CLOSED) == 10);
  CHECK(count(records, CWIRE_EVENT_SENT, "stuck") == accepted);
  for (const char* id :
       {"resolving", "dialling", "negotiating", "upgrading", "connected", "waiting", "refused", "stuck", "closing"}) {
    INFO(id);
    CHECK(must(first(records, CWIRE_EVENT_CLOSED, id)).status == CWIRE_OK);
  }
  gate->open();
}
