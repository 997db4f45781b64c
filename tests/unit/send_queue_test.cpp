#include "station/send_queue.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

using namespace cwire;

namespace {

OutgoingMessage* message(std::size_t size, std::uint64_t tag = 0) {
  auto* m = new OutgoingMessage;
  m->size = size;
  m->data.tag = tag;
  return m;
}

cwire_status push(SendQueue& queue, std::size_t size, std::uint64_t tag = 0) {
  std::unique_ptr<OutgoingMessage> m(message(size, tag));
  const cwire_status status = queue.push(m.get());
  if (status == CWIRE_OK) m.release();
  return status;
}

bool settle(SendQueue& queue, std::size_t size) {
  queue.settle(size);
  return queue.announce_room();
}

std::vector<std::uint64_t> tags(OutgoingList list) {
  std::vector<std::uint64_t> tags;
  while (!list.empty()) {
    const std::unique_ptr<OutgoingMessage> m(&list.pop());
    tags.push_back(m->data.tag);
  }
  return tags;
}

}  // namespace

TEST_CASE("nothing is accepted while the gate is closed") {
  SendQueue queue(10, 1000);
  CHECK(push(queue, 1) == CWIRE_E_NOT_ESTABLISHED);
  queue.open();
  CHECK(push(queue, 1, 1) == CWIRE_OK);
  CHECK(push(queue, 1, 2) == CWIRE_OK);
  CHECK(tags(queue.close()) == std::vector<std::uint64_t>{1, 2});  // handed back, to be reported
  CHECK(push(queue, 1) == CWIRE_E_NOT_ESTABLISHED);
  CHECK(tags(queue.close()).empty());
  CHECK(queue.messages() == 2);  // until they are settled
}

TEST_CASE("messages come out in the order they went in") {
  SendQueue queue(10, 1000);
  queue.open();
  for (std::uint64_t tag = 1; tag <= 5; ++tag) CHECK(push(queue, 1, tag) == CWIRE_OK);
  CHECK(tags(queue.take()) == std::vector<std::uint64_t>{1, 2, 3, 4, 5});
  CHECK(tags(queue.take()).empty());
}

TEST_CASE("the queue is full by messages, and there is room again at half") {
  SendQueue queue(4, 1000);
  queue.open();
  for (int i = 0; i < 4; ++i) CHECK(push(queue, 1) == CWIRE_OK);
  CHECK(push(queue, 1) == CWIRE_E_QUEUE_FULL);
  CHECK_FALSE(settle(queue, 1));  // 3 left
  CHECK(settle(queue, 1));        // 2 left: announced, once
  CHECK_FALSE(settle(queue, 1));
  CHECK(push(queue, 1) == CWIRE_OK);
}

TEST_CASE("the queue is full by bytes, and one message larger than the queue goes through an empty one") {
  SendQueue queue(100, 1000);
  queue.open();
  CHECK(push(queue, 600) == CWIRE_OK);
  CHECK(push(queue, 600) == CWIRE_E_QUEUE_FULL);
  CHECK(push(queue, 400) == CWIRE_OK);
  CHECK(queue.bytes() == 1000);
  CHECK_FALSE(settle(queue, 400));  // 600 left
  CHECK(settle(queue, 600));
  CHECK(push(queue, 5000) == CWIRE_OK);
  CHECK(push(queue, 1) == CWIRE_E_QUEUE_FULL);
}

TEST_CASE("nobody is told of room who was not turned away") {
  SendQueue queue(4, 1000);
  queue.open();
  for (int i = 0; i < 4; ++i) CHECK(push(queue, 1) == CWIRE_OK);
  for (int i = 0; i < 4; ++i) CHECK_FALSE(settle(queue, 1));
}

TEST_CASE("from many threads: what is accepted comes out exactly once, each thread's messages in order") {
  SendQueue queue(50, 1 << 20);
  queue.open();
  constexpr std::uint64_t kThreads = 4, kEach = 20000;
  std::vector<std::thread> senders;
  std::atomic<int> wrong{0};  // Catch2's assertions belong to the main thread
  for (std::uint64_t t = 0; t < kThreads; ++t) {
    senders.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < kEach;) {
        const cwire_status status = push(queue, 3, t << 32 | i);
        if (status == CWIRE_OK) {
          ++i;
        } else {
          if (status != CWIRE_E_QUEUE_FULL) ++wrong;
          std::this_thread::yield();
        }
      }
    });
  }
  std::vector<std::uint64_t> next(kThreads, 0);
  bool in_order = true;
  std::uint64_t taken = 0;
  while (taken < kThreads * kEach) {
    for (const std::uint64_t tag : tags(queue.take())) {
      in_order = in_order && (tag & 0xffffffff) == next[tag >> 32];
      ++next[tag >> 32];
      ++taken;
      queue.settle(3);
    }
  }
  for (auto& sender : senders) sender.join();
  CHECK(wrong == 0);
  CHECK(in_order);
  CHECK(queue.messages() == 0);
  CHECK(queue.bytes() == 0);
}

TEST_CASE("room is announced also when the last message is settled while somebody is being turned away") {
  // One message fits at a time, so each refusal races with the settling of the last one.
  SendQueue queue(1, 1 << 20);
  queue.open();
  std::atomic<bool> room{true};
  std::atomic<bool> stuck{false};
  std::atomic<bool> done{false};
  // As often as a busy machine allows in a few seconds: each round needs both threads.
  const auto enough = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  std::thread sender([&] {
    for (int i = 0; i < 100000 && !stuck && std::chrono::steady_clock::now() < enough; ++i) {
      if (push(queue, 1) != CWIRE_E_QUEUE_FULL) continue;
      while (!room.exchange(false)) {
        if (stuck) return;
        std::this_thread::yield();
      }
    }
    done = true;
  });
  room = false;
  int idle = 0;
  while (!done && !stuck) {
    OutgoingList list = queue.take();
    if (list.empty()) {
      // Nothing is queued and nobody was told for long: the sender waits for an announcement that does not come.
      if (++idle == 20000000) stuck = true;
      if (idle % 1000 == 0) std::this_thread::yield();
      continue;
    }
    idle = 0;
    for (std::size_t count = tags(std::move(list)).size(); count > 0; --count) {
      if (settle(queue, 1)) room = true;
    }
  }
  sender.join();
  CHECK_FALSE(stuck);
}

TEST_CASE("somebody turned away by one connection is told of room by the next") {
  SendQueue queue(1, 1000);
  CHECK_FALSE(queue.open());
  CHECK(push(queue, 1) == CWIRE_OK);
  CHECK(push(queue, 1) == CWIRE_E_QUEUE_FULL);
  CHECK(tags(queue.close()).size() == 1);
  queue.settle(1);  // reported as not sent
  CHECK(queue.open());
  CHECK_FALSE(queue.announce_room());
}
