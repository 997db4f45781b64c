#include "events/event_queue.h"

#include <poll.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "events/handler_delivery.h"

using namespace cwire;

namespace {

constexpr std::size_t kBytes = 1 << 20;

void push(EventQueue& queue, const std::string& text, int type = CWIRE_EVENT_MESSAGE) {
  auto* event = new OwnedEvent(type);
  event->set_text(text);
  EventList list;
  list.append(*event);
  queue.push(std::move(list));
}

bool readable(EventQueue& queue) {
  pollfd p{queue.descriptor(), POLLIN, 0};
  return ::poll(&p, 1, 0) == 1;
}

struct Poll {
  const cwire_event* events = nullptr;
  std::size_t count = 0;
  bool drained = false;
  cwire_status status;
  Poll(EventQueue& queue, int timeout_ms, std::size_t max = 10) {
    status = queue.poll(timeout_ms, max, &events, &count, &drained);
  }
};

}  // namespace

TEST_CASE("events are lent in order, in batches, and stay until the next poll") {
  EventQueue queue(100, kBytes);
  for (int i = 0; i < 5; ++i) push(queue, "event " + std::to_string(i));
  Poll first(queue, 0, 3);
  REQUIRE(first.status == CWIRE_OK);
  REQUIRE(first.count == 3);
  CHECK(std::string(first.events[0].data) == "event 0");
  CHECK(std::string(first.events[2].data, first.events[2].data_size) == "event 2");
  push(queue, "late");
  CHECK(std::string(first.events[1].data) == "event 1");
  Poll second(queue, 0, 3);
  CHECK(second.count == 3);
  CHECK(std::string(second.events[2].data) == "late");
  CHECK(Poll(queue, 0).status == CWIRE_E_TIMEOUT);
}

TEST_CASE("the descriptor is readable exactly while events wait") {
  EventQueue queue(100, kBytes);
  CHECK_FALSE(readable(queue));
  push(queue, "a");
  push(queue, "b");
  CHECK(readable(queue));
  Poll one(queue, 0, 1);
  CHECK(readable(queue));
  Poll two(queue, 0, 1);
  CHECK_FALSE(readable(queue));
}

TEST_CASE("the descriptor stays readable until a CLOSED is given back") {
  EventQueue queue(100, kBytes);
  CHECK_FALSE(readable(queue));
  push(queue, "first");
  push(queue, "gone", CWIRE_EVENT_CLOSED);
  CHECK(Poll(queue, 0, 1).count == 1);
  CHECK(Poll(queue, 0).count == 1);
  CHECK(readable(queue));
  CHECK(Poll(queue, 0).status == CWIRE_E_TIMEOUT);
  CHECK_FALSE(readable(queue));
}

TEST_CASE("wake ends the current or the next poll") {
  EventQueue queue(100, kBytes);
  queue.wake();
  CHECK(readable(queue));
  Poll woken(queue, -1);
  CHECK(woken.status == CWIRE_OK);
  CHECK(woken.count == 0);
  CHECK_FALSE(readable(queue));
  std::thread waker([&] { queue.wake(); });
  CHECK(Poll(queue, -1).status == CWIRE_OK);
  waker.join();
}

TEST_CASE("a queue over its limit is full until half of it is taken") {
  EventQueue queue(10, kBytes);
  for (int i = 0; i < 9; ++i) push(queue, "x");
  CHECK_FALSE(queue.full());
  push(queue, "x");
  CHECK(queue.full());
  CHECK_FALSE(Poll(queue, 0, 4).drained);
  CHECK(queue.full());
  CHECK(Poll(queue, 0, 1).drained);
  CHECK_FALSE(queue.full());
  CHECK_FALSE(Poll(queue, 0, 1).drained);
}

TEST_CASE("a queue with too many bytes in it is full until half of them are taken, and says which limit it was") {
  EventQueue queue(10, 100);
  for (int i = 0; i < 3; ++i) push(queue, std::string(33, 'x'));
  CHECK(queue.level().bytes == 99);
  CHECK_FALSE(queue.full());
  push(queue, "x");
  CHECK(queue.full());
  CHECK_FALSE(Poll(queue, 0, 1).drained);
  CHECK(queue.full());
  CHECK(Poll(queue, 0, 1).drained);
  CHECK_FALSE(queue.full());
  Poll paused(queue, 0, 1);
  REQUIRE(paused.count == 1);
  CHECK(paused.events[0].type == CWIRE_EVENT_PAUSED);
  const std::string text(paused.events[0].data);
  CHECK(text.find("100 bytes of events waited") != std::string::npos);
  CHECK(text.find("raise event_queue_bytes") != std::string::npos);
}

TEST_CASE("a queue for less than one message takes one at a time") {
  EventQueue queue(10, 1);
  push(queue, "message");
  CHECK(queue.full());
  CHECK(Poll(queue, 0, 1).drained);
  CHECK_FALSE(queue.full());
}

TEST_CASE("an episode of being full is told once, as the next event when it is over") {
  EventQueue queue(4, kBytes);
  const auto types = [&] {
    std::vector<int> types;
    for (;;) {
      Poll poll(queue, 0, 1);
      if (poll.count == 0) return types;
      types.push_back(poll.events[0].type);
    }
  };
  constexpr int message = CWIRE_EVENT_MESSAGE, paused = CWIRE_EVENT_PAUSED;
  for (int i = 0; i < 3; ++i) push(queue, "x");
  CHECK(types() == std::vector<int>{message, message, message});
  for (int i = 0; i < 6; ++i) push(queue, "x");
  CHECK(types() == std::vector<int>{message, message, message, message, paused, message, message});
  for (int episode = 0; episode < 2; ++episode) {
    for (int i = 0; i < 4; ++i) push(queue, "x");
    Poll first(queue, 0, 4);
    CHECK(first.drained);
    Poll second(queue, 0);
    REQUIRE(second.count == 1);
    CHECK(second.events[0].type == paused);
    CHECK(second.events[0].tag > 0);
    CHECK(second.events[0].station == nullptr);
    CHECK(std::string(second.events[0].data).find("because 4 events waited to be polled") != std::string::npos);
  }
}

TEST_CASE("nothing is told behind SHUTDOWN") {
  EventQueue queue(4, kBytes);
  for (int i = 0; i < 4; ++i) push(queue, "x");
  push(queue, "", CWIRE_EVENT_SHUTDOWN);
  CHECK(Poll(queue, 0).count == 5);
  CHECK(Poll(queue, 0).status == CWIRE_E_STATE);
}

TEST_CASE("after SHUTDOWN there is nothing to poll") {
  EventQueue queue(10, kBytes);
  push(queue, "x");
  push(queue, "", CWIRE_EVENT_SHUTDOWN);
  CHECK(Poll(queue, -1).count == 2);
  CHECK(Poll(queue, -1).status == CWIRE_E_STATE);
}

TEST_CASE("closing the queue ends a poll under way, and a second poller is refused") {
  EventQueue queue(10, kBytes);
  std::atomic<cwire_status> status{CWIRE_OK};
  std::thread poller([&] { status = Poll(queue, -1).status; });
  while (Poll(queue, 0).status != CWIRE_E_STATE) std::this_thread::yield();
  queue.close();
  poller.join();
  CHECK(status == CWIRE_E_INVALID_HANDLE);
  CHECK(Poll(queue, 0).status == CWIRE_E_INVALID_HANDLE);
}

TEST_CASE("a huge max is cut, not allocated") {
  EventQueue queue(10, kBytes);
  push(queue, "x");
  CHECK(Poll(queue, 0, SIZE_MAX).count == 1);
}

TEST_CASE("the handler gets what it causes in a later call, and its exceptions are counted") {
  static EventList pending;
  static int calls, depth;
  calls = depth = 0;
  HandlerDelivery delivery(
      [](std::uintptr_t, const cwire_event* events, std::size_t count) {
        REQUIRE(depth++ == 0);
        if (++calls == 1) {
          for (std::size_t i = 0; i < count; ++i) {
            auto* event = new OwnedEvent(CWIRE_EVENT_LOG);
            event->set_text(std::string("after ") + events[i].data);
            pending.append(*event);
          }
        }
        --depth;
        if (calls == 2) throw 1;
      },
      0);
  auto* event = new OwnedEvent(CWIRE_EVENT_MESSAGE);
  event->set_text("x");
  pending.append(*event);
  CHECK(delivery.deliver(pending) == 1);
  CHECK(calls == 2);
  CHECK(pending.empty());
}
