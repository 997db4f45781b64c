#include "station/send_queue.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "station/offline_queue.h"

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

void settle_one(SendQueue& queue, std::size_t size) {
  OutgoingMessage m;
  m.size = size;
  queue.settle(m);
}

bool settle(SendQueue& queue, std::size_t size) {
  settle_one(queue, size);
  return queue.announce_room();
}

// As the I/O thread takes them; the tags of those that have to go, which are settled.
std::vector<std::uint64_t> take_all(SendQueue& queue) {
  std::vector<std::uint64_t> dropped;
  OutgoingList taken = queue.take();
  while (!taken.empty()) {
    OutgoingMessage& next = taken.pop();
    queue.seen(next);
    OutgoingList list = queue.append(next);
    while (!list.empty()) {
      const std::unique_ptr<OutgoingMessage> m(&list.pop());
      dropped.push_back(m->data.tag);
      queue.settle(*m);
    }
  }
  return dropped;
}

// The oldest goes into the output.
void frame(SendQueue& queue, std::vector<std::unique_ptr<OutgoingMessage>>& framed) {
  framed.emplace_back(&queue.pop());
}

std::vector<std::uint64_t> waiting(SendQueue& queue) {
  std::vector<std::uint64_t> tags;
  while (queue.has_waiting()) {
    const std::unique_ptr<OutgoingMessage> m(&queue.pop());
    tags.push_back(m->data.tag);
    queue.settle(*m);
  }
  return tags;
}

using Tags = std::vector<std::uint64_t>;

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
  SendQueue queue({SendQueuePolicy::reject, 10, 1000});
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
  SendQueue queue({SendQueuePolicy::reject, 10, 1000});
  queue.open();
  for (std::uint64_t tag = 1; tag <= 5; ++tag) CHECK(push(queue, 1, tag) == CWIRE_OK);
  CHECK(tags(queue.take()) == std::vector<std::uint64_t>{1, 2, 3, 4, 5});
  CHECK(tags(queue.take()).empty());
}

TEST_CASE("the queue is full by messages, and there is room again at half") {
  SendQueue queue({SendQueuePolicy::reject, 4, 1000});
  queue.open();
  for (int i = 0; i < 4; ++i) CHECK(push(queue, 1) == CWIRE_OK);
  CHECK(push(queue, 1) == CWIRE_E_QUEUE_FULL);
  CHECK_FALSE(settle(queue, 1));  // 3 left
  CHECK(settle(queue, 1));        // 2 left: announced, once
  CHECK_FALSE(settle(queue, 1));
  CHECK(push(queue, 1) == CWIRE_OK);
}

TEST_CASE("the queue is full by bytes, and one message larger than the queue goes through an empty one") {
  SendQueue queue({SendQueuePolicy::reject, 100, 1000});
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
  SendQueue queue({SendQueuePolicy::reject, 4, 1000});
  queue.open();
  for (int i = 0; i < 4; ++i) CHECK(push(queue, 1) == CWIRE_OK);
  for (int i = 0; i < 4; ++i) CHECK_FALSE(settle(queue, 1));
}

TEST_CASE("from many threads: what is accepted comes out exactly once, each thread's messages in order") {
  SendQueue queue({SendQueuePolicy::reject, 50, 1 << 20});
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
      settle_one(queue, 3);
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
  SendQueue queue({SendQueuePolicy::reject, 1, 1 << 20});
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
  SendQueue queue({SendQueuePolicy::reject, 1, 1000});
  CHECK_FALSE(queue.open());
  CHECK(push(queue, 1) == CWIRE_OK);
  CHECK(push(queue, 1) == CWIRE_E_QUEUE_FULL);
  CHECK(tags(queue.close()).size() == 1);
  settle_one(queue, 1);  // reported as not sent
  CHECK(queue.open());
  CHECK_FALSE(queue.announce_room());
}

TEST_CASE("reject drops nothing that it has let in, also not one larger than the queue behind one without bytes") {
  SendQueue queue({SendQueuePolicy::reject, 100, 1000});
  queue.open();
  CHECK(push(queue, 0, 1) == CWIRE_OK);
  CHECK(push(queue, 1001, 2) == CWIRE_OK);
  CHECK(take_all(queue).empty());
}

TEST_CASE("drop_oldest makes room for the newest and drop_newest drops it") {
  const SendQueuePolicy policy = GENERATE(SendQueuePolicy::drop_oldest, SendQueuePolicy::drop_newest);
  SendQueue queue({policy, 3, 1000});
  queue.open();
  for (std::uint64_t tag = 1; tag <= 5; ++tag) CHECK(push(queue, 1, tag) == CWIRE_OK);
  const bool oldest = policy == SendQueuePolicy::drop_oldest;
  CHECK(take_all(queue) == (oldest ? Tags{1, 2} : Tags{4, 5}));
  CHECK(queue.messages() == 3);
  CHECK(waiting(queue) == (oldest ? Tags{3, 4, 5} : Tags{1, 2, 3}));
  CHECK(queue.messages() == 0);
  CHECK(queue.bytes() == 0);
}

TEST_CASE("by bytes as many of the oldest are dropped as the newest needs") {
  SendQueue queue({SendQueuePolicy::drop_oldest, 100, 1000});
  queue.open();
  for (std::uint64_t tag = 1; tag <= 4; ++tag) CHECK(push(queue, 250, tag) == CWIRE_OK);
  CHECK(take_all(queue).empty());
  CHECK(push(queue, 300, 5) == CWIRE_OK);
  CHECK(take_all(queue) == Tags{1, 2});
  CHECK(queue.bytes() == 800);
  CHECK(waiting(queue) == Tags{3, 4, 5});
}

TEST_CASE("a message larger than the whole queue goes through one that its policy has emptied") {
  SECTION("drop_oldest empties it") {
    SendQueue queue({SendQueuePolicy::drop_oldest, 100, 1000});
    queue.open();
    CHECK(push(queue, 900, 1) == CWIRE_OK);
    CHECK(take_all(queue).empty());
    CHECK(push(queue, 5000, 2) == CWIRE_OK);
    CHECK(take_all(queue) == Tags{1});
    CHECK(push(queue, 1, 3) == CWIRE_OK);  // that one waits: it goes in its turn
    CHECK(take_all(queue) == Tags{2});
    CHECK(push(queue, 5000, 4) == CWIRE_OK);
    CHECK(push(queue, 1, 5) == CWIRE_E_QUEUE_FULL);  // more than twice the bytes are there, not seen yet
    CHECK(take_all(queue) == Tags{3});
    std::vector<std::unique_ptr<OutgoingMessage>> framed;
    frame(queue, framed);
    CHECK(push(queue, 1, 6) == CWIRE_OK);
    CHECK(take_all(queue).empty());
    CHECK(waiting(queue) == Tags{6});
    CHECK(queue.bytes() == 5000);
    queue.settle(*framed[0]);
  }
  SECTION("drop_newest waits until it is empty") {
    SendQueue queue({SendQueuePolicy::drop_newest, 100, 1000});
    queue.open();
    CHECK(push(queue, 900, 1) == CWIRE_OK);
    CHECK(push(queue, 5000, 2) == CWIRE_OK);
    CHECK(take_all(queue) == Tags{2});
    CHECK(waiting(queue) == Tags{1});
    CHECK(push(queue, 5000, 3) == CWIRE_OK);
    CHECK(take_all(queue).empty());
    CHECK(waiting(queue) == Tags{3});
  }
}

TEST_CASE("what is framed cannot be dropped and leaves its room to what is newer") {
  SendQueue queue({SendQueuePolicy::drop_oldest, 2, 1000});
  queue.open();
  CHECK(push(queue, 10, 1) == CWIRE_OK);
  CHECK(push(queue, 10, 2) == CWIRE_OK);
  CHECK(take_all(queue).empty());
  std::vector<std::unique_ptr<OutgoingMessage>> framed;
  frame(queue, framed);
  frame(queue, framed);
  CHECK(queue.messages() == 2);  // still to be settled
  for (std::uint64_t tag = 3; tag <= 5; ++tag) CHECK(push(queue, 10, tag) == CWIRE_OK);
  CHECK(take_all(queue) == Tags{3});
  CHECK(queue.messages() == 4);
  CHECK(queue.bytes() == 40);
  for (const auto& m : framed) queue.settle(*m);
  CHECK(queue.messages() == 2);
  CHECK(waiting(queue) == Tags{4, 5});
  CHECK(queue.messages() == 0);
  CHECK(queue.bytes() == 0);
}

TEST_CASE("until the I/O thread has dropped what is too much the inbox holds twice as much and no more") {
  const SendQueuePolicy policy = GENERATE(SendQueuePolicy::drop_oldest, SendQueuePolicy::drop_newest);
  SendQueue queue({policy, 3, 1000});
  queue.open();
  for (int i = 0; i < 6; ++i) CHECK(push(queue, 1) == CWIRE_OK);
  CHECK(push(queue, 1) == CWIRE_E_QUEUE_FULL);
  CHECK_FALSE(queue.announce_room());
  CHECK(take_all(queue).size() == 3);
  CHECK(queue.announce_room());
  CHECK_FALSE(queue.announce_room());
  CHECK(push(queue, 1) == CWIRE_OK);
}

TEST_CASE("from many threads: the limits hold, and what is accepted is framed or dropped, once") {
  const SendQueuePolicy policy =
      GENERATE(SendQueuePolicy::reject, SendQueuePolicy::drop_oldest, SendQueuePolicy::drop_newest);
  constexpr std::size_t kMessagesMax = 20, kBytesMax = 2000, kSizeMax = 300;
  constexpr std::uint64_t kThreads = 4, kEach = 20000;
  SendQueue queue({policy, kMessagesMax, kBytesMax});
  queue.open();
  // What the inbox may hold besides, and the one that is too much and about to be dropped.
  const bool drops = policy != SendQueuePolicy::reject;
  const std::size_t factor = drops ? 3 : 1;
  const std::size_t messages_most = factor * kMessagesMax + (drops ? 1 : 0);
  const std::size_t bytes_most = factor * kBytesMax + (drops ? kSizeMax : 0);
  std::atomic<std::uint64_t> accepted{0}, beyond{0};
  std::atomic<int> running{static_cast<int>(kThreads)};
  std::vector<std::thread> senders;
  for (std::uint64_t t = 0; t < kThreads; ++t) {
    senders.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < kEach; ++i) {
        if (push(queue, (t * 131 + i * 17) % kSizeMax, t << 32 | i) == CWIRE_OK) ++accepted;
        if (queue.messages() > messages_most || queue.bytes() > bytes_most) ++beyond;
      }
      --running;
    });
  }
  std::vector<std::vector<char>> ends(kThreads, std::vector<char>(kEach, 0));
  std::vector<std::uint64_t> next(kThreads, 0);
  std::uint64_t ended = 0;
  bool in_order = true;
  while (running > 0 || queue.messages() > 0) {
    for (const std::uint64_t tag : take_all(queue)) {
      ++ends[tag >> 32][tag & 0xffffffff];
      ++ended;
    }
    // A peer that reads slowly.
    for (int i = 0; i < 3 && queue.has_waiting(); ++i) {
      const std::unique_ptr<OutgoingMessage> m(&queue.pop());
      const std::uint64_t tag = m->data.tag;
      in_order = in_order && (tag & 0xffffffff) >= next[tag >> 32];
      next[tag >> 32] = (tag & 0xffffffff) + 1;
      ++ends[tag >> 32][tag & 0xffffffff];
      ++ended;
      queue.settle(*m);
    }
  }
  for (auto& sender : senders) sender.join();
  CHECK(beyond == 0);
  CHECK(in_order);
  CHECK(ended == accepted);
  std::uint64_t doubled = 0;
  for (const auto& thread : ends) {
    for (const char times : thread) doubled += times > 1;
  }
  CHECK(doubled == 0);
  CHECK(queue.messages() == 0);
  CHECK(queue.bytes() == 0);
}

TEST_CASE("from many threads: who comes too late for a gate that closes takes no room with him") {
  SendQueue queue({SendQueuePolicy::reject, 1000, 1 << 20});
  std::atomic<int> running{3};
  std::vector<std::thread> senders;
  for (int t = 0; t < 3; ++t) {
    senders.emplace_back([&] {
      for (int i = 0; i < 300000; ++i) push(queue, 3);
      --running;
    });
  }
  while (running > 0) {
    queue.open();
    for (OutgoingList left = queue.close(); !left.empty();) {
      const std::unique_ptr<OutgoingMessage> m(&left.pop());
      queue.settle(*m);
    }
  }
  for (std::thread& sender : senders) sender.join();
  CHECK(queue.messages() == 0);
  CHECK(queue.bytes() == 0);
}

TEST_CASE("the limits may change, and what is in stays") {
  SendQueue queue({SendQueuePolicy::reject, 3, 1000});
  queue.open();
  for (int i = 0; i < 3; ++i) REQUIRE(push(queue, 100) == CWIRE_OK);
  queue.limit({SendQueuePolicy::reject, 1, 1000});
  CHECK(push(queue, 100) == CWIRE_E_QUEUE_FULL);
  CHECK(queue.messages() == 3);
  queue.limit({SendQueuePolicy::reject, 10, 350});
  CHECK(push(queue, 100) == CWIRE_E_QUEUE_FULL);
  CHECK(push(queue, 50) == CWIRE_OK);
  CHECK(take_all(queue).empty());
  CHECK(waiting(queue).size() == 4);
}

TEST_CASE("the policy may change while messages are framed and wait") {
  const auto [before, after] = GENERATE(std::pair{SendQueuePolicy::reject, SendQueuePolicy::drop_oldest},
                                        std::pair{SendQueuePolicy::drop_oldest, SendQueuePolicy::reject});
  SendQueue queue({before, 3, 1000});
  queue.open();
  CHECK(push(queue, 10, 1) == CWIRE_OK);
  CHECK(push(queue, 10, 2) == CWIRE_OK);
  CHECK(take_all(queue).empty());
  std::vector<std::unique_ptr<OutgoingMessage>> framed;
  frame(queue, framed);
  queue.limit({after, 3, 1000});
  CHECK(push(queue, 10, 3) == CWIRE_OK);
  CHECK(take_all(queue).empty());
  frame(queue, framed);
  CHECK(queue.messages() == 3);
  for (const auto& m : framed) queue.settle(*m);
  CHECK(queue.messages() == 1);
  CHECK(queue.bytes() == 10);
  CHECK(waiting(queue) == Tags{3});
  CHECK(queue.messages() == 0);
  CHECK(queue.bytes() == 0);
}

TEST_CASE("where a budget is used up room is announced when half of it is free again") {
  OfflineBudget budget(100);
  const SendQueue::Room room{{SendQueuePolicy::reject, 10, 1000}, &budget};
  SendQueue queue({SendQueuePolicy::reject, 10, 1000});
  queue.use(&room);
  queue.open();
  REQUIRE(budget.take(60));
  CHECK(push(queue, 41) == CWIRE_E_QUEUE_FULL);
  CHECK_FALSE(queue.announce_room());
  budget.give_back(9);
  CHECK_FALSE(queue.announce_room());
  budget.give_back(1);
  CHECK(queue.announce_room());
  CHECK(push(queue, 41) == CWIRE_OK);
}
