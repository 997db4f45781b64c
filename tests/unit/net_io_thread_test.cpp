#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <future>
#include <thread>
#include <vector>

#include "net/io_thread.h"
#include "net_test_peer.h"

using namespace cwire;

TEST_CASE("tasks run on the thread, in the order of posting, in a coming turn") {
  peer::Loop loop;
  std::vector<int> order;
  loop.run([&] {
    REQUIRE(loop.thread().is_current());
    loop.thread().post([&] { order.push_back(1); });
    loop.thread().post([&] { order.push_back(2); });
    order.push_back(0);  // not from inside post()
  });
  loop.run([] {});
  REQUIRE(order == std::vector<int>{0, 1, 2});
  REQUIRE_FALSE(loop.thread().is_current());
}

TEST_CASE("no posted task and no wake-up is lost, whoever posts and whenever the thread sleeps") {
  constexpr int kThreads = 4;
  constexpr int kTasks = 20000;
  peer::Loop loop;
  std::atomic<int> requested{0};
  std::atomic<int> seen{0};  // by end_of_turn, woken without a task
  loop.run([&] { loop.on_end_of_turn = [&] { seen.store(requested.load()); }; });
  int run = 0;  // of the thread only
  std::vector<int> last(kThreads, -1);
  bool in_order = true;
  std::vector<std::thread> posters;
  for (int t = 0; t < kThreads; ++t) {
    posters.emplace_back([&, t] {
      for (int i = 0; i < kTasks; ++i) {
        loop.thread().post([&, t, i] {
          ++run;
          in_order = in_order && last[static_cast<std::size_t>(t)] == i - 1;
          last[static_cast<std::size_t>(t)] = i;
        });
        // Now and then wait until it has gone to sleep after the work, the moment in which a wake-up could be lost.
        if (i % 1000 == 0) {
          std::promise<void> done;
          loop.thread().post([&] { done.set_value(); });
          done.get_future().wait();
        }
      }
    });
  }
  for (std::thread& poster : posters) poster.join();
  for (int i = 1; i <= 5000; ++i) {
    requested.store(i);
    loop.thread().wake();
    while (seen.load() != i)
      std::this_thread::yield();  // hangs if the wake-up is lost; the test runner's time limit tells
  }
  loop.run([&] {
    REQUIRE(run == kThreads * kTasks);
    REQUIRE(in_order);
    loop.on_end_of_turn = nullptr;
  });
}

TEST_CASE("what was posted before stop() runs") {
  for (int round = 0; round < 200; ++round) {
    int run = 0;
    {
      peer::Loop loop;
      for (int i = 0; i < 10; ++i) loop.thread().post([&] { ++run; });
    }
    REQUIRE(run == 10);
  }
}

TEST_CASE("stop() from inside ends the loop after that turn") {
  struct Owner : IoThread::Owner {
    int turns_after_stop = 0;
    bool stopped = false;
    void begin_thread() override {}
    void end_of_turn() override {
      if (stopped) ++turns_after_stop;
    }
  } owner;
  IoThread thread(owner);
  thread.start();
  thread.post([&] {
    thread.stop();
    owner.stopped = true;
  });
  thread.join();
  REQUIRE(owner.turns_after_stop == 1);
}

TEST_CASE("stop() from inside still runs what was posted before it") {
  bool run = false;
  peer::Loop loop;
  loop.thread().post([&] {
    loop.thread().post([&] { run = true; });
    loop.thread().stop();
  });
  loop.thread().join();
  REQUIRE(run);
}

TEST_CASE("timers fire on the thread, in time, and the loop does not spin before them") {
  struct Probe final : TimerQueue::Timer {
    std::promise<TimePoint> fired;
    void on_timer(TimePoint now) override { fired.set_value(now); }
  } probe;
  peer::Loop loop;
  int turns = 0;
  TimePoint deadline;
  loop.run([&] {
    loop.thread().timers().register_timer();
    deadline = loop.thread().now() + std::chrono::microseconds(50500);
    loop.thread().timers().arm(probe, deadline);
    loop.on_end_of_turn = [&] { ++turns; };
  });
  REQUIRE(probe.fired.get_future().get() >= deadline);
  loop.run([&] {
    REQUIRE(turns <= 4);
    loop.on_end_of_turn = nullptr;
    loop.thread().timers().unregister_timer(probe);
  });
}

TEST_CASE("a thread's processor time is its own, and none as soon as it has ended") {
  struct AtExit {
    ~AtExit() {
      if (run) run();
    }
    std::function<void()> run;
  };
  constexpr std::uint64_t kNotAsked = ~std::uint64_t{0};
  std::uint64_t at_exit = kNotAsked;
  peer::Loop loop;
  CHECK(loop.run([&] {
    // Who ends the thread is still there then, and so is its clock.
    thread_local AtExit asks;
    asks.run = [&] { at_exit = loop.thread().cpu_ns(); };
    return loop.thread().cpu_ns();
  }) > 0);
  CHECK(loop.thread().cpu_ns() > 0);
  loop.thread().stop();
  loop.thread().join();
  CHECK(at_exit == 0);
  CHECK(loop.thread().cpu_ns() == 0);
}

TEST_CASE("the thread has a name, takes no signals of the host, and leaves faults to its handlers") {
  peer::Loop loop;
  loop.run([] {
    char name[16] = {};
    ::pthread_getname_np(::pthread_self(), name, sizeof name);
    REQUIRE(std::string(name) == "cwire-io");
    sigset_t blocked;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD, SIGPIPE, SIGPROF, SIGALRM}) {
      REQUIRE(::sigismember(&blocked, signal) == 1);
    }
    REQUIRE(::sigismember(&blocked, SIGSEGV) == 0);
  });
  sigset_t ours;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &ours);
  REQUIRE(::sigismember(&ours, SIGINT) == 0);
}
