#include "station/offline_queue.h"

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

using namespace cwire;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

using Tags = std::vector<std::uint64_t>;

const TimePoint kStart = TimePoint() + std::chrono::hours(1);

OutgoingMessage& message(std::uint64_t tag, std::size_t size = 10) {
  auto* m = new OutgoingMessage;
  m->size = size;
  m->data.tag = tag;
  return *m;
}

// The list ends here.
Tags tags(OutgoingList list) {
  Tags tags;
  while (!list.empty()) {
    const std::unique_ptr<OutgoingMessage> m(&list.pop());
    tags.push_back(m->data.tag);
  }
  return tags;
}

std::shared_ptr<OfflineBudget> plenty() { return std::make_shared<OfflineBudget>(1 << 30); }

OfflineQueue::Rules rules(SendQueuePolicy policy, std::size_t messages_max, std::size_t bytes_max = 1 << 20) {
  OfflineQueue::Rules rules;
  rules.limits = {policy, messages_max, bytes_max};
  return rules;
}

OfflineQueue::Rules paced(std::uint32_t rate) {
  OfflineQueue::Rules with_rate = rules(SendQueuePolicy::reject, 100000);
  with_rate.replay_rate = rate;
  return with_rate;
}

OfflineQueue::Rules ageing(Duration age_max) {
  OfflineQueue::Rules with_age = rules(SendQueuePolicy::reject, 100);
  with_age.age_max = age_max;
  return with_age;
}

Tags due(OfflineQueue& queue, TimePoint now) {
  OutgoingList list;
  while (OutgoingMessage* next = queue.next(now)) list.append(*next);
  return tags(list);
}

}  // namespace

TEST_CASE("other limits, another age and another pace hold for what waits already, which stays accepted") {
  OfflineQueue queue(rules(SendQueuePolicy::reject, 5), plenty());
  for (std::uint64_t tag = 1; tag <= 5; ++tag) CHECK(tags(queue.add(message(tag), kStart + seconds(tag))).empty());
  OfflineQueue::Rules other = rules(SendQueuePolicy::reject, 2);
  other.age_max = seconds(10);
  other.replay_rate = 1;
  queue.use(other);
  CHECK(queue.messages() == 5);
  CHECK(queue.room().limits.messages_max == 2);
  CHECK(tags(queue.add(message(6), kStart + seconds(6))) == Tags{6});
  CHECK(queue.expiry() == kStart + seconds(11));
  CHECK(tags(queue.expire(kStart + seconds(12))) == Tags{1, 2});
  queue.connected(kStart + seconds(12));
  CHECK(due(queue, kStart + seconds(12)) == Tags{3});
  CHECK(queue.replay_due() == kStart + seconds(13));
}

TEST_CASE("messages wait offline and come out in order once connected") {
  OfflineQueue queue(rules(SendQueuePolicy::reject, 10), plenty());
  CHECK(queue.engaged());
  for (std::uint64_t tag = 1; tag <= 3; ++tag) CHECK(tags(queue.add(message(tag), kStart)).empty());
  CHECK(queue.messages() == 3);
  CHECK(queue.bytes() == 30);
  CHECK(queue.next(kStart) == nullptr);
  CHECK(queue.replay_due() == kNever);
  queue.connected(kStart);
  CHECK(queue.engaged());
  CHECK(queue.replay_due() == kStart);
  CHECK(due(queue, kStart) == Tags{1, 2, 3});
  CHECK_FALSE(queue.engaged());
  CHECK(queue.replay_due() == kNever);
  CHECK(queue.messages() == 0);
  CHECK(queue.bytes() == 0);
}

TEST_CASE("what a lost connection did not write goes in front of what waits behind it") {
  OfflineQueue queue(rules(SendQueuePolicy::reject, 10), plenty());
  for (std::uint64_t tag = 1; tag <= 4; ++tag) queue.add(message(tag), kStart);
  queue.connected(kStart);
  OutgoingList unsent;
  for (int i = 0; i < 2; ++i) unsent.append(*queue.next(kStart));
  queue.add(message(5), kStart);
  CHECK(tags(queue.disconnected(unsent, kStart)).empty());
  CHECK(queue.engaged());
  CHECK(queue.messages() == 5);
  CHECK(queue.next(kStart) == nullptr);
  queue.connected(kStart);
  CHECK(due(queue, kStart) == Tags{1, 2, 3, 4, 5});
}

TEST_CASE("replay keeps its pace whenever it is asked, and catches up a tenth of a second at most") {
  constexpr std::uint32_t kRate = 20;
  constexpr double kBurst = 1 + kRate * 0.1;
  std::minstd_rand random(7);
  OfflineQueue queue(paced(kRate), plenty());
  for (std::uint64_t tag = 0; tag < 1000; ++tag) queue.add(message(tag), kStart);
  queue.connected(kStart);
  TimePoint now = kStart;
  std::size_t steps = 0;
  std::vector<TimePoint> times;
  while (queue.engaged()) {
    for (std::size_t due_now = due(queue, now).size(); due_now > 0; --due_now) times.push_back(now);
    ++steps;
    // Whenever one begins to count.
    for (std::size_t from = 0; from < times.size(); ++from) {
      const double seconds_since = std::chrono::duration<double>(now - times[from]).count();
      REQUIRE(static_cast<double>(times.size() - from) <= kRate * seconds_since + kBurst);
    }
    // On time, a little late as timers are, or held up for long.
    const unsigned late = random() % 10;
    now = std::max(now, queue.engaged() ? queue.replay_due() : now) +
          milliseconds(late < 8 ? random() % 5 : random() % 400);
  }
  CHECK(times.size() == 1000);
  CHECK(steps > 300);
  // A timer that is merely a little late does not slow it down.
  for (std::uint64_t tag = 0; tag < 100; ++tag) queue.add(message(tag), now);
  queue.connected(now);
  const TimePoint begin = now;
  for (std::size_t sent = 0; sent < 100; now += milliseconds(3)) sent += due(queue, now).size();
  CHECK(now - begin < seconds(5) + milliseconds(10));
}

TEST_CASE("connections that come and go do not make the replay faster") {
  OfflineQueue queue(paced(1), plenty());
  for (std::uint64_t tag = 0; tag < 100; ++tag) queue.add(message(tag), kStart);
  std::size_t sent = 0;
  TimePoint now = kStart;
  for (int i = 0; i < 100; ++i, now += milliseconds(100)) {
    queue.connected(now);
    sent += due(queue, now).size();
    queue.disconnected(OutgoingList(), now);
  }
  CHECK(sent <= 11);
  CHECK(sent >= 9);
}

TEST_CASE("without a pace all goes at once") {
  OfflineQueue queue(paced(0), plenty());
  for (std::uint64_t tag = 0; tag < 1000; ++tag) queue.add(message(tag), kStart);
  queue.connected(kStart);
  CHECK(due(queue, kStart).size() == 1000);
}

TEST_CASE("what comes back in front of what came here meanwhile expires no later") {
  OfflineQueue queue(ageing(seconds(10)), plenty());
  queue.connected(kStart);
  CHECK(tags(queue.disconnected(OutgoingList(), kStart)).empty());
  queue.add(message(2), kStart);
  OutgoingList unsent;
  unsent.append(message(1));
  CHECK(tags(queue.disconnected(unsent, kStart + seconds(3))).empty());
  CHECK(queue.expiry() == kStart + seconds(10));
  CHECK(tags(queue.expire(kStart + seconds(10))) == Tags{1, 2});
}

TEST_CASE("what waits too long expires, in line, and does not get younger by being tried") {
  OfflineQueue queue(ageing(seconds(10)), plenty());
  CHECK(queue.expiry() == kNever);
  queue.add(message(1), kStart);
  queue.add(message(2), kStart + seconds(3));
  CHECK(queue.expiry() == kStart + seconds(10));
  CHECK(tags(queue.expire(kStart + seconds(9))).empty());
  queue.connected(kStart + seconds(9));
  OutgoingList unsent;
  unsent.append(*queue.next(kStart + seconds(9)));
  queue.disconnected(unsent, kStart + seconds(9));
  CHECK(queue.expiry() == kStart + seconds(10));
  CHECK(tags(queue.expire(kStart + seconds(10))) == Tags{1});
  CHECK(queue.expiry() == kStart + seconds(13));
  CHECK(tags(queue.expire(kStart + seconds(60))) == Tags{2});
  CHECK(queue.messages() == 0);
  OfflineQueue patient(ageing(Duration::zero()), plenty());
  patient.add(message(1), kStart);
  CHECK(patient.expiry() == kNever);
  CHECK(tags(patient.clear()) == Tags{1});
}

TEST_CASE("a full offline queue drops by its policy") {
  const SendQueuePolicy policy =
      GENERATE(SendQueuePolicy::reject, SendQueuePolicy::drop_oldest, SendQueuePolicy::drop_newest);
  const bool oldest = policy == SendQueuePolicy::drop_oldest;
  OfflineQueue queue(rules(policy, 3, 100), plenty());
  for (std::uint64_t tag = 1; tag <= 3; ++tag) CHECK(tags(queue.add(message(tag), kStart)).empty());
  CHECK(tags(queue.add(message(4), kStart)) == Tags{oldest ? 1u : 4u});
  CHECK(tags(queue.add(message(5, 85), kStart)) == (oldest ? Tags{2, 3} : Tags{5}));
  CHECK(queue.messages() == (oldest ? 2 : 3));
  // Larger than the queue: through an empty one.
  CHECK(tags(queue.add(message(6, 500), kStart)) == (oldest ? Tags{4, 5} : Tags{6}));
  CHECK(tags(queue.clear()) == (oldest ? Tags{6} : Tags{1, 2, 3}));
  CHECK(tags(queue.add(message(7, 500), kStart)).empty());
  CHECK(tags(queue.clear()) == Tags{7});
  // To the last byte.
  CHECK(tags(queue.add(message(8, 60), kStart)).empty());
  CHECK(tags(queue.add(message(9, 40), kStart)).empty());
  CHECK(tags(queue.clear()) == Tags{8, 9});
}

TEST_CASE("what comes back and has no room drops nothing that is newer") {
  const SendQueuePolicy policy = GENERATE(SendQueuePolicy::reject, SendQueuePolicy::drop_oldest);
  OfflineQueue queue(rules(policy, 3), plenty());
  queue.connected(kStart);
  OutgoingList unsent;
  for (std::uint64_t tag = 1; tag <= 5; ++tag) unsent.append(message(tag));
  SECTION("with nothing newer the policy says which") {
    const bool oldest = policy == SendQueuePolicy::drop_oldest;
    CHECK(tags(queue.disconnected(unsent, kStart)) == (oldest ? Tags{1, 2} : Tags{4, 5}));
    CHECK(tags(queue.clear()) == (oldest ? Tags{3, 4, 5} : Tags{1, 2, 3}));
  }
  SECTION("newer ones stay") {
    queue.add(message(11), kStart);
    queue.add(message(12), kStart);
    CHECK(tags(queue.disconnected(unsent, kStart)).size() == 4);
    const Tags left = tags(queue.clear());
    REQUIRE(left.size() == 3);
    CHECK(Tags(left.begin() + 1, left.end()) == Tags{11, 12});
  }
}

TEST_CASE("the budget of all is taken and given back, and whoever finds it used up drops by its own policy") {
  auto budget = std::make_shared<OfflineBudget>(100);
  OfflineQueue one(rules(SendQueuePolicy::reject, 100), budget);
  {
    OfflineQueue other(rules(SendQueuePolicy::drop_oldest, 100), budget);
    CHECK(tags(one.add(message(1, 60), kStart)).empty());
    CHECK(tags(other.add(message(2, 20), kStart)).empty());
    CHECK(tags(other.add(message(3, 20), kStart)).empty());
    CHECK_FALSE(budget->has_news());
    CHECK_FALSE(budget->is_half_free());
    CHECK(tags(one.add(message(4, 1), kStart)) == Tags{4});
    CHECK(budget->has_news());
    CHECK(budget->take_news());
    CHECK_FALSE(budget->take_news());
    CHECK(tags(other.add(message(5, 30), kStart)) == Tags{2, 3});  // its own, never another's
    CHECK(tags(other.add(message(6, 41), kStart)) == Tags{5, 6});  // and itself, when that does not help
    CHECK_FALSE(budget->has_news());                               // told already
    CHECK(tags(other.add(message(7, 40), kStart)).empty());
    CHECK(tags(one.clear()) == Tags{1});
    CHECK(budget->is_half_free());
    CHECK_FALSE(budget->has_room(61));
    CHECK(budget->take_news());  // a new episode
    CHECK(budget->has_room(60));
  }
  CHECK(budget->has_room(100));  // a queue that goes gives back what it had
}

TEST_CASE("any order of events: each message has one end, what is sent is in order, no limit is passed") {
  const SendQueuePolicy policy =
      GENERATE(SendQueuePolicy::reject, SendQueuePolicy::drop_oldest, SendQueuePolicy::drop_newest);
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed, static_cast<int>(policy));
    std::minstd_rand random(seed);
    constexpr std::size_t kMessagesMax = 8, kBytesMax = 500, kBudget = 400;
    auto budget = std::make_shared<OfflineBudget>(kBudget);
    OfflineQueue::Rules some = rules(policy, kMessagesMax, kBytesMax);
    some.age_max = random() % 2 == 0 ? Duration::zero() : seconds(5);
    some.replay_rate = random() % 2 == 0 ? 0 : 5;
    OfflineQueue queue(some, budget);
    TimePoint now = kStart;
    bool connected = false;
    OutgoingList flying;  // framed, nothing of it written
    std::map<std::uint64_t, int> ends;
    std::uint64_t next_tag = 1, last_sent = 0;
    const auto end_all = [&](OutgoingList list) {
      for (const std::uint64_t tag : tags(list)) ++ends[tag];
    };
    for (int step = 0; step < 300; ++step) {
      now += milliseconds(random() % 300);
      switch (random() % 6) {
        case 0:
        case 1: {
          OutgoingMessage& m = message(next_tag++, random() % 120);
          if (queue.engaged()) {
            end_all(queue.add(m, now));
          } else {
            flying.append(m);
          }
          break;
        }
        case 2:
          if (connected) {
            end_all(queue.disconnected(std::exchange(flying, OutgoingList()), now));
          } else {
            queue.connected(now);
          }
          connected = !connected;
          break;
        case 3:
          end_all(queue.expire(now));
          break;
        case 4:
          if (OutgoingMessage* m = queue.next(now)) {
            REQUIRE(connected);
            flying.append(*m);
          }
          break;
        case 5:
          if (!flying.empty()) {
            const std::unique_ptr<OutgoingMessage> sent(&flying.pop());
            REQUIRE(sent->data.tag > last_sent);
            last_sent = sent->data.tag;
            ++ends[last_sent];
          }
          break;
      }
      REQUIRE(queue.messages() <= kMessagesMax);
      REQUIRE(queue.bytes() <= kBytesMax);
      REQUIRE(queue.bytes() <= kBudget);
      REQUIRE(budget->has_room(kBudget - queue.bytes()));
      REQUIRE_FALSE(budget->has_room(kBudget - queue.bytes() + 1));
      REQUIRE(queue.engaged() == (!connected || queue.messages() > 0));
    }
    end_all(flying);
    end_all(queue.clear());
    REQUIRE(ends.size() == next_tag - 1);
    for (const auto& [tag, times] : ends) REQUIRE(times == 1);
  }
}
