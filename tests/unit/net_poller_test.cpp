#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>
#include <functional>
#include <thread>

#include "base/failure.h"
#include "failing_calls.h"
#include "net/poller.h"

using namespace cwire;

namespace {

struct Pair {
  int ends[2];
  Pair() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0); }
  ~Pair() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  void send() { REQUIRE(::send(ends[1], "x", 1, 0) == 1); }
};

struct Probe final : Poller::Watcher {
  int calls = 0;
  bool readable = false;
  bool writable = false;
  std::function<void()> action;
  void on_ready(bool r, bool w) override {
    ++calls;
    readable = r;
    writable = w;
    if (action) action();
  }
};

const TimePoint kAtOnce = TimePoint::min();

}  // namespace

TEST_CASE("a descriptor is told of for what was asked, as long as it is ready") {
  Poller poller;
  Pair pair;
  Probe probe;
  poller.add(pair.ends[0], probe, true, false);
  poller.wait(kAtOnce);
  poller.serve();
  REQUIRE(probe.calls == 0);
  pair.send();
  poller.wait(kNever);
  poller.serve();
  poller.wait(kNever);
  poller.serve();  // level-triggered: not read, so told again
  REQUIRE(probe.calls == 2);
  REQUIRE(probe.readable);
  REQUIRE_FALSE(probe.writable);
  poller.change(pair.ends[0], probe, false, true);
  poller.wait(kNever);
  poller.serve();
  REQUIRE(probe.calls == 3);
  REQUIRE_FALSE(probe.readable);
  REQUIRE(probe.writable);
  poller.remove(pair.ends[0], probe);
  poller.wait(kAtOnce);
  poller.serve();
  REQUIRE(probe.calls == 3);
}

TEST_CASE("a hang-up counts as readable and writable") {
  Poller poller;
  Pair pair;
  Probe probe;
  poller.add(pair.ends[0], probe, true, false);
  ::shutdown(pair.ends[0], SHUT_WR);
  ::shutdown(pair.ends[1], SHUT_WR);
  poller.wait(kNever);
  poller.serve();
  REQUIRE(probe.readable);
  REQUIRE(probe.writable);
  poller.remove(pair.ends[0], probe);
}

TEST_CASE("a watcher that is removed while events are being served is not called any more") {
  Poller poller;
  Pair pairs[2];
  Probe probes[2];
  for (int i = 0; i < 2; ++i) {
    poller.add(pairs[i].ends[0], probes[i], true, false);
    pairs[i].send();
    // Whichever comes first removes the other.
    probes[i].action = [&, i] { poller.remove(pairs[1 - i].ends[0], probes[1 - i]); };
  }
  poller.wait(kNever);
  poller.serve();
  REQUIRE(probes[0].calls + probes[1].calls == 1);
  poller.wait(kNever);
  poller.serve();
  REQUIRE(probes[0].calls + probes[1].calls == 2);
  REQUIRE((probes[0].calls == 2 || probes[1].calls == 2));
  for (int i = 0; i < 2; ++i) poller.remove(pairs[i].ends[0], probes[i]);
}

TEST_CASE("a watcher that stops the serving does not come before those behind it again") {
  Poller poller;
  Pair pairs[3];
  Probe probes[3];
  for (int i = 0; i < 3; ++i) {
    poller.add(pairs[i].ends[0], probes[i], true, false);
    pairs[i].send();  // and never read, so always ready
    probes[i].action = [&] { poller.stop_serving(); };
  }
  for (int turn = 0; turn < 6; ++turn) {
    poller.wait(kNever);
    // The last of those that were fetched leaves nobody behind.
    CHECK(poller.serve() == (turn % 3 == 2));
  }
  for (int i = 0; i < 3; ++i) {
    CHECK(probes[i].calls == 2);
    poller.remove(pairs[i].ends[0], probes[i]);
  }
}

TEST_CASE("a watcher that was not served and is removed is not called by the next serving") {
  Poller poller;
  Pair pairs[2];
  Probe probes[2];
  for (int i = 0; i < 2; ++i) {
    poller.add(pairs[i].ends[0], probes[i], true, false);
    pairs[i].send();
    probes[i].action = [&] { poller.stop_serving(); };
  }
  poller.wait(kNever);
  poller.serve();
  const int served = probes[0].calls == 1 ? 0 : 1;
  poller.remove(pairs[1 - served].ends[0], probes[1 - served]);
  poller.wait(kNever);
  poller.serve();
  poller.wait(kNever);
  poller.serve();
  CHECK(probes[1 - served].calls == 0);
  CHECK(probes[served].calls == 2);
  poller.remove(pairs[served].ends[0], probes[served]);
}

TEST_CASE("waiting ends at the deadline and not before") {
  Poller poller;
  for (const auto wait :
       {std::chrono::microseconds(1), std::chrono::microseconds(1500), std::chrono::microseconds(20000)}) {
    const TimePoint deadline = Clock::now() + wait;
    TimePoint now;
    now = poller.wait(deadline);
    poller.serve();
    REQUIRE(now >= deadline);
  }
}

TEST_CASE("wake() ends a wait, each time, also when it comes before") {
  Poller poller;
  poller.wake();
  poller.wait(kNever);
  poller.serve();
  poller.wake();
  poller.wake();
  poller.wait(kNever);
  poller.serve();
  std::thread waker([&] { poller.wake(); });
  poller.wait(kNever);
  poller.serve();
  waker.join();
}

TEST_CASE("wake() is not lost when its write is interrupted") {
  Poller poller;
  fixture::fail_next(fixture::Call::write, 3, EINTR);
  poller.wake();
  const TimePoint deadline = Clock::now() + std::chrono::seconds(20);
  REQUIRE(poller.wait(deadline) < deadline);
}

TEST_CASE("a signal does not end a wait") {
  struct sigaction ignore {};
  ignore.sa_handler = [](int) {};
  struct sigaction before {};
  ::sigaction(SIGUSR1, &ignore, &before);
  Poller poller;
  const pthread_t waiting = ::pthread_self();
  const TimePoint deadline = Clock::now() + std::chrono::milliseconds(100);
  std::atomic<bool> over{false};
  std::thread disturber([&] {
    while (!over.load()) {
      ::pthread_kill(waiting, SIGUSR1);
      std::this_thread::yield();
    }
  });
  TimePoint now;
  now = poller.wait(deadline);
  poller.serve();
  over.store(true);
  disturber.join();
  ::sigaction(SIGUSR1, &before, nullptr);
  REQUIRE(now >= deadline);
}

TEST_CASE("a descriptor that cannot be watched is an error") {
  Poller poller;
  Probe probe;
  try {
    poller.add(-1, probe, true, false);
    FAIL("no error");
  } catch (const Error& error) {
    REQUIRE(error.failure.status == CWIRE_E_INTERNAL);
    REQUIRE(error.failure.code.number == EBADF);
  }
}
