#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "net/timer_queue.h"

using namespace cwire;

namespace {

TimePoint at(int tick) { return TimePoint(std::chrono::milliseconds(tick)); }

struct Probe final : TimerQueue::Timer {
  std::function<void(TimePoint)> action;
  int fired = 0;
  void on_timer(TimePoint now) override {
    ++fired;
    if (action) action(now);
  }
};

}  // namespace

TEST_CASE("timers fire in order of their deadlines and not before") {
  TimerQueue queue;
  std::vector<int> order;
  Probe probes[5];
  const int deadlines[5] = {30, 10, 50, 20, 40};
  for (int i = 0; i < 5; ++i) {
    queue.register_timer();
    probes[i].action = [&order, &deadlines, i](TimePoint) { order.push_back(deadlines[i]); };
    queue.arm(probes[i], at(deadlines[i]));
  }
  REQUIRE(queue.next() == at(10));
  queue.run(at(9));
  REQUIRE(order.empty());
  queue.run(at(30));
  REQUIRE(order == std::vector<int>{10, 20, 30});
  REQUIRE(queue.next() == at(40));
  queue.arm(probes[2], at(35));  // re-arming moves
  queue.arm(probes[4], kNever);  // and cancels
  REQUIRE(queue.next() == at(35));
  queue.run(at(100));
  REQUIRE(order == std::vector<int>{10, 20, 30, 50});
  REQUIRE(queue.next() == kNever);
  for (Probe& probe : probes) queue.unregister_timer(probe);
}

TEST_CASE("a timer that re-arms itself for now fires once in each run") {
  TimerQueue queue;
  Probe probe;
  queue.register_timer();
  probe.action = [&](TimePoint now) { queue.arm(probe, now - std::chrono::seconds(1)); };
  queue.arm(probe, at(1));
  queue.run(at(5));
  REQUIRE(probe.fired == 1);
  REQUIRE(queue.next() <= at(5));
  queue.run(at(5));
  REQUIRE(probe.fired == 2);
  queue.unregister_timer(probe);
  REQUIRE(queue.next() == kNever);
}

TEST_CASE("a timer may cancel, re-arm and unregister others that are due in the same run") {
  TimerQueue queue;
  Probe first, cancelled, moved, postponed, gone;
  for (int i = 0; i < 5; ++i) queue.register_timer();
  queue.arm(first, at(1));
  queue.arm(cancelled, at(2));
  queue.arm(moved, at(3));
  queue.arm(postponed, at(4));
  queue.arm(gone, at(5));
  first.action = [&](TimePoint now) {
    queue.cancel(cancelled);
    queue.arm(moved, at(100));
    queue.arm(postponed, now);
    queue.unregister_timer(gone);
    queue.arm(first, now);  // more entries than timers registered, if cancelled ones kept theirs
  };
  queue.run(at(10));
  REQUIRE(first.fired == 1);
  REQUIRE(cancelled.fired + moved.fired + postponed.fired + gone.fired == 0);
  first.action = nullptr;
  queue.run(at(10));
  REQUIRE(first.fired == 2);
  REQUIRE(postponed.fired == 1);
  queue.run(at(100));
  REQUIRE(moved.fired == 1);
  REQUIRE(cancelled.fired + gone.fired == 0);
  for (Probe* probe : {&first, &cancelled, &moved, &postponed}) queue.unregister_timer(*probe);
}

TEST_CASE("a timer may register more timers while it fires") {
  TimerQueue queue;
  Probe first;
  std::vector<std::unique_ptr<Probe>> more;
  queue.register_timer();
  first.action = [&](TimePoint now) {
    for (int i = 0; i < 100; ++i) {
      more.push_back(std::make_unique<Probe>());
      queue.register_timer();
      queue.arm(*more.back(), now);
    }
  };
  queue.arm(first, at(1));
  queue.run(at(1));
  for (const auto& probe : more) REQUIRE(probe->fired == 0);
  queue.run(at(1));
  for (const auto& probe : more) {
    REQUIRE(probe->fired == 1);
    queue.unregister_timer(*probe);
  }
  queue.unregister_timer(first);
}

TEST_CASE("the queue behaves like a sorted list under random operations") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  constexpr int kTimers = 200;
  TimerQueue queue;
  std::vector<std::unique_ptr<Probe>> probes;
  std::vector<TimePoint> expected(kTimers, kNever);
  std::vector<TimePoint> fired;
  const auto any = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
  int now_tick = 0;
  for (int i = 0; i < kTimers; ++i) {
    probes.push_back(std::make_unique<Probe>());
    queue.register_timer();
    probes[i]->action = [&, i](TimePoint now) {
      if (expected[i] == kNever || expected[i] > now) FAIL("fired a timer that is not due");
      fired.push_back(expected[i]);
      expected[i] = kNever;
      // Touch a few others from inside, never to a time that is due: the model stays a plain list.
      for (int k = any(3); k > 0; --k) {
        const int other = any(kTimers);
        const TimePoint deadline = any(4) == 0 ? kNever : at(now_tick + 1 + any(50));
        queue.arm(*probes[other], deadline);
        expected[other] = deadline;
      }
    };
  }
  for (int step = 0; step < 20000; ++step) {
    const int i = any(kTimers);
    switch (any(4)) {
      case 0:
        queue.cancel(*probes[i]);
        expected[i] = kNever;
        break;
      case 1: {
        now_tick += any(5);
        fired.clear();
        queue.run(at(now_tick));
        REQUIRE(std::is_sorted(fired.begin(), fired.end()));
        for (const TimePoint deadline : expected) REQUIRE((deadline == kNever || deadline > at(now_tick)));
        break;
      }
      default:
        expected[i] = at(now_tick + any(60));
        queue.arm(*probes[i], expected[i]);
    }
    REQUIRE(queue.next() == *std::min_element(expected.begin(), expected.end()));
  }
  for (const auto& probe : probes) queue.unregister_timer(*probe);
}
