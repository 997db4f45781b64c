#include "station/send_queue.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <thread>
#include <vector>

using namespace cwire;

namespace {

OutgoingMessage* message(std::size_t size, std::uint64_t tag = 0) {
  auto* m = new OutgoingMessage;
  m->size = size;
  m->tag = tag;
  return m;
}

cwire_status push(SendQueue& queue, std::size_t size, std::uint64_t tag = 0) {
  std::unique_ptr<OutgoingMessage> m(message(size, tag));
  const cwire_status status = queue.push(m.get());
  if (status == CWIRE_OK) m.release();
  return status;
}

std::vector<std::uint64_t> tags(OutgoingList list) {
  std::vector<std::uint64_t> tags;
  while (!list.empty()) {
    const std::unique_ptr<OutgoingMessage> m(&list.pop());
    tags.push_back(m->tag);
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
  CHECK_FALSE(queue.settle(1));  // 3 left
  CHECK(queue.settle(1));        // 2 left: announced, once
  CHECK_FALSE(queue.settle(1));
  CHECK(push(queue, 1) == CWIRE_OK);
}

TEST_CASE("the queue is full by bytes, and one message larger than the queue goes through an empty one") {
  SendQueue queue(100, 1000);
  queue.open();
  CHECK(push(queue, 600) == CWIRE_OK);
  CHECK(push(queue, 600) == CWIRE_E_QUEUE_FULL);
  CHECK(push(queue, 400) == CWIRE_OK);
  CHECK(queue.bytes() == 1000);
  CHECK_FALSE(queue.settle(400));  // 600 left
  CHECK(queue.settle(600));
  CHECK(push(queue, 5000) == CWIRE_OK);
  CHECK(push(queue, 1) == CWIRE_E_QUEUE_FULL);
}

TEST_CASE("nobody is told of room who was not turned away") {
  SendQueue queue(4, 1000);
  queue.open();
  for (int i = 0; i < 4; ++i) CHECK(push(queue, 1) == CWIRE_OK);
  for (int i = 0; i < 4; ++i) CHECK_FALSE(queue.settle(1));
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
