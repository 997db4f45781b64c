// What a message costs, in counts that do not depend on the machine's mood: allocations and system calls per round
// trip, once everything is warm. A message more or less is not the point; one of either per message is what these tests
// refuse.
#include <chargewire/chargewire.h>
#include <dlfcn.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "raw_peer.h"

namespace {

// Of all threads but those of the test itself.
std::atomic<std::uint64_t> allocations{0};
std::atomic<std::uint64_t> system_calls{0};
thread_local bool of_the_test = false;

void count(std::atomic<std::uint64_t>& counter) {
  if (!of_the_test) counter.fetch_add(1, std::memory_order_relaxed);
}

// The function of that name that ours stands in front of.
template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

// The shared library takes these too, as it would take those of any program that replaces them.
extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t number, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);

void* malloc(std::size_t size) {
  count(allocations);
  return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) {
  count(allocations);
  return __libc_calloc(number, size);
}
void* realloc(void* memory, std::size_t size) {
  count(allocations);
  return __libc_realloc(memory, size);
}

int epoll_wait(int epoll, epoll_event* events, int max, int timeout) {
  static const auto real = next<int(int, epoll_event*, int, int)>("epoll_wait");
  count(system_calls);
  return real(epoll, events, max, timeout);
}
int epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event) noexcept {
  static const auto real = next<int(int, int, int, epoll_event*)>("epoll_ctl");
  count(system_calls);
  return real(epoll, operation, descriptor, event);
}
ssize_t recv(int socket, void* buffer, std::size_t size, int flags) {
  static const auto real = next<ssize_t(int, void*, std::size_t, int)>("recv");
  count(system_calls);
  return real(socket, buffer, size, flags);
}
ssize_t recvmsg(int socket, msghdr* message, int flags) {
  static const auto real = next<ssize_t(int, msghdr*, int)>("recvmsg");
  count(system_calls);
  return real(socket, message, flags);
}
ssize_t send(int socket, const void* data, std::size_t size, int flags) {
  static const auto real = next<ssize_t(int, const void*, std::size_t, int)>("send");
  count(system_calls);
  return real(socket, data, size, flags);
}
ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  static const auto real = next<ssize_t(int, const msghdr*, int)>("sendmsg");
  count(system_calls);
  return real(socket, message, flags);
}
int getsockopt(int socket, int level, int name, void* value, socklen_t* size) noexcept {
  static const auto real = next<int(int, int, int, void*, socklen_t*)>("getsockopt");
  count(system_calls);
  return real(socket, level, name, value, size);
}
ssize_t read(int descriptor, void* buffer, std::size_t size) {
  static const auto real = next<ssize_t(int, void*, std::size_t)>("read");
  count(system_calls);
  return real(descriptor, buffer, size);
}
ssize_t write(int descriptor, const void* data, std::size_t size) {
  static const auto real = next<ssize_t(int, const void*, std::size_t)>("write");
  count(system_calls);
  return real(descriptor, data, size);
}
ssize_t writev(int descriptor, const iovec* parts, int number) {
  static const auto real = next<ssize_t(int, const iovec*, int)>("writev");
  count(system_calls);
  return real(descriptor, parts, number);
}

}  // extern "C"

namespace {

// Returns what the stations send, in_flight messages of one station at a time and in one piece, so that it is always
// the same work.
class Echo {
 public:
  Echo(std::uint32_t stations, std::uint32_t in_flight)
      : stations_(stations), in_flight_(in_flight), thread_([this] { run(); }) {}
  ~Echo() { thread_.join(); }
  std::string url() const { return server_.url(); }

 private:
  void run() {
    of_the_test = true;
    std::vector<raw::Connection> connections;
    while (connections.size() < stations_) {
      connections.push_back(server_.accept());
      connections.back().upgrade();
    }
    for (std::size_t at = 0;; at = (at + 1) % stations_) {
      std::string answer;
      for (std::uint32_t i = 0; i < in_flight_; ++i) {
        const auto frame = connections[at].read_frame();
        if (!frame || frame->opcode == raw::close) return;
        answer += raw::frame(frame->opcode, frame->payload);
      }
      try {
        connections[at].send(answer);
      } catch (const std::runtime_error&) {
        return;  // it has enough, and closed
      }
    }
  }

  const std::uint32_t stations_;
  const std::uint32_t in_flight_;
  raw::Server server_;
  std::thread thread_;
};

struct Cost {
  double allocations;
  double system_calls;
};

// Sends each message again that comes back, until enough have come to know the cost of one.
class Client {
 public:
  Client(std::uint32_t stations, std::uint32_t in_flight, bool handler, std::size_t size = 200)
      : in_flight_(in_flight), echo_(stations, in_flight), tokens_(stations), payload_(size, 'x') {
    of_the_test = handler;  // else the calls of this thread are part of the cost
    cwire_config config = nullptr;
    REQUIRE(cwire_config_new(&config) == CWIRE_OK);
    REQUIRE(cwire_config_set(config, "io_threads", "1", nullptr) == CWIRE_OK);
    REQUIRE(cwire_manager_new(config, handler ? &on_events : nullptr, reinterpret_cast<std::uintptr_t>(this), &manager_,
                              nullptr) == CWIRE_OK);
    cwire_config_free(config);
    for (std::uint32_t i = 0; i < stations; ++i) {
      const std::string id = "CP" + std::to_string(i);
      REQUIRE(cwire_manager_connect(manager_, id.c_str(), echo_.url().c_str(), nullptr, 0, &tokens_[i], nullptr) ==
              CWIRE_OK);
      // One after the other: the peer's backlog is short.
      REQUIRE(cwire_station_wait(tokens_[i], 40000, nullptr) == CWIRE_OK);
    }
  }
  ~Client() { cwire_manager_free(manager_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Cost by_handler() {
    begin();
    std::unique_lock<std::mutex> lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(50), [this] { return done_; }));
    return cost();
  }
  Cost by_poll() {
    begin();
    while (!done_) {
      const cwire_event* events = nullptr;
      std::size_t count = 0;
      REQUIRE(cwire_manager_poll(manager_, 40000, 256, &events, &count) == CWIRE_OK);
      on_events(reinterpret_cast<std::uintptr_t>(this), events, count);
    }
    return cost();
  }

 private:
  static constexpr std::uint32_t kWarmUp = 6400;
  static constexpr std::uint32_t kMeasured = 12800;

  void begin() {
    for (const cwire_station station : tokens_) {
      for (std::uint32_t i = 0; i < in_flight_; ++i) {
        REQUIRE(cwire_station_send(station, payload_.data(), payload_.size(), 0, 0) == CWIRE_OK);
      }
    }
  }

  static void on_events(std::uintptr_t context, const cwire_event* events, std::size_t number) {
    auto& client = *reinterpret_cast<Client*>(context);
    for (std::size_t i = 0; i < number; ++i) {
      if (events[i].type == CWIRE_EVENT_MESSAGE) client.on_message(events[i].station);
    }
  }

  void on_message(cwire_station station) {
    if (trips_ == kWarmUp + kMeasured) return;
    if (trips_ == kWarmUp) before_ = now();
    if (++trips_ == kWarmUp + kMeasured) {
      after_ = now();
      const std::lock_guard<std::mutex> lock(mutex_);
      done_ = true;
      changed_.notify_all();
      return;
    }
    if (cwire_station_send(station, payload_.data(), payload_.size(), 0, 0) != CWIRE_OK) std::abort();
  }

  static Cost now() { return Cost{static_cast<double>(allocations.load()), static_cast<double>(system_calls.load())}; }
  Cost cost() const {
    return Cost{(after_.allocations - before_.allocations) / kMeasured,
                (after_.system_calls - before_.system_calls) / kMeasured};
  }

  const std::uint32_t in_flight_;
  Echo echo_;
  std::vector<cwire_station> tokens_;
  const std::string payload_;
  cwire_manager manager_ = nullptr;
  std::uint32_t trips_ = 0;
  Cost before_{};
  Cost after_{};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
};

}  // namespace

TEST_CASE("cost of a round trip: 100 stations, one message each, handler") {
  const Cost cost = Client(100, 1, true).by_handler();
  CAPTURE(cost.allocations, cost.system_calls);
  CHECK(cost.allocations <= 0.01);
  // Wait, read, write.
  CHECK(cost.system_calls <= 3.01);
}

TEST_CASE("cost of a round trip: 100 stations, one message of 4 KB each, handler") {
  const Cost cost = Client(100, 1, true, 4096).by_handler();
  CAPTURE(cost.allocations, cost.system_calls);
  CHECK(cost.allocations <= 0.01);
  // A message may come in two pieces.
  CHECK(cost.system_calls <= 6.01);
}

TEST_CASE("cost of a round trip: one station, 64 messages, handler") {
  const Cost cost = Client(1, 64, true).by_handler();
  CAPTURE(cost.allocations, cost.system_calls);
  CHECK(cost.allocations <= 0.01);
  // The same three for 64; twice as many where an answer comes in two pieces.
  CHECK(cost.system_calls <= 6.0 / 64);
}

TEST_CASE("cost of a round trip: one station, 64 messages, poll") {
  const Cost cost = Client(1, 64, false).by_poll();
  CAPTURE(cost.allocations, cost.system_calls);
  CHECK(cost.allocations <= 1.3);
  CHECK(cost.system_calls <= 1);
}

TEST_CASE("cost of pongs that nobody asked for: none of them costs a system call") {
  constexpr std::size_t kPongs = 1000;
  of_the_test = true;
  raw::Server server;
  cwire_config config = nullptr;
  REQUIRE(cwire_config_new(&config) == CWIRE_OK);
  REQUIRE(cwire_config_set(config, "csms.ping_interval", "1ms", nullptr) == CWIRE_OK);
  cwire_manager manager = nullptr;
  REQUIRE(cwire_manager_new(config, nullptr, 0, &manager, nullptr) == CWIRE_OK);
  cwire_config_free(config);
  cwire_station station = 0;
  REQUIRE(cwire_manager_connect(manager, "CP1", server.url().c_str(), nullptr, 0, &station, nullptr) == CWIRE_OK);
  raw::Connection peer = server.accept();
  peer.upgrade();
  const auto ping = peer.read_frame();  // one is out, and its pong is not among these
  REQUIRE(ping);
  REQUIRE(ping->opcode == raw::ping);
  std::string pongs;
  for (std::size_t i = 0; i < kPongs; ++i) pongs += raw::frame(raw::pong, std::string(ping->payload.size(), '\0'));
  const std::uint64_t before = system_calls;
  peer.send(pongs + raw::frame(raw::text, "the last"));
  for (bool is_last = false; !is_last;) {
    const cwire_event* events = nullptr;
    std::size_t number = 0;
    REQUIRE(cwire_manager_poll(manager, 40000, 256, &events, &number) == CWIRE_OK);
    for (std::size_t i = 0; i < number; ++i) is_last = is_last || events[i].type == CWIRE_EVENT_MESSAGE;
  }
  const std::uint64_t cost = system_calls - before;
  CAPTURE(cost);
  CHECK(cost < kPongs / 10);  // they come in some pieces
  cwire_manager_free(manager);
}
