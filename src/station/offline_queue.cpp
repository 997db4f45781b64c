#include "station/offline_queue.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace cwire {

namespace {

Duration interval_of(std::uint32_t rate) {
  return rate == 0 ? Duration::zero() : std::chrono::duration_cast<Duration>(std::chrono::seconds(1)) / rate;
}

}  // namespace

bool OfflineBudget::take(std::uint64_t bytes) noexcept {
  std::uint64_t used = used_.load(std::memory_order_relaxed);
  do {
    if (bytes > bytes_max_ - used) {
      note_refusal();
      return false;
    }
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  return true;
}

bool OfflineBudget::has_room(std::uint64_t bytes) noexcept {
  const bool has_room = bytes <= bytes_max_ - used_.load(std::memory_order_relaxed);
  if (!has_room) note_refusal();
  return has_room;
}

void OfflineBudget::note_refusal() noexcept {
  News none = News::none;
  news_.compare_exchange_strong(none, News::refused, std::memory_order_relaxed);
}

bool OfflineBudget::take_news() noexcept {
  News refused = News::refused;
  return news_.compare_exchange_strong(refused, News::told, std::memory_order_relaxed);
}

void OfflineBudget::give_back(std::uint64_t bytes) noexcept {
  used_.fetch_sub(bytes, std::memory_order_relaxed);
  News told = News::told;
  if (is_half_free()) news_.compare_exchange_strong(told, News::none, std::memory_order_relaxed);
}

OfflineQueue::OfflineQueue(Rules rules, std::shared_ptr<OfflineBudget> budget)
    : budget_(std::move(budget)), room_{{}, budget_.get()} {
  use(rules);
}

OfflineQueue::~OfflineQueue() {
  while (!waiting_.empty()) delete &pop();
}

void OfflineQueue::use(const Rules& rules) {
  rules_ = rules;
  replay_interval_ = interval_of(rules.replay_rate);
  room_.limits = rules.limits;
}

void OfflineQueue::connected(TimePoint now) {
  connected_ = true;
  replay_due_ = std::max(replay_due_, now);  // coming and going does not make it faster
}

OutgoingList OfflineQueue::disconnected(OutgoingList unsent, TimePoint now) {
  connected_ = false;
  const OutgoingList newer = std::exchange(waiting_, OutgoingList());
  OutgoingList dropped;
  while (!unsent.empty()) dropped.append(add(unsent.pop(), now, newer));
  waiting_.append(newer);
  publish();
  return dropped;
}

OutgoingList OfflineQueue::add(OutgoingMessage& message, TimePoint now, const OutgoingList& behind) {
  const QueueLimits& limits = rules_.limits;
  const auto take_room = [&] {
    const std::size_t messages = waiting_.messages() + behind.messages();
    const std::size_t bytes = waiting_.bytes() + behind.bytes();
    // As everywhere: one that is larger than the whole queue goes through an empty one. But not beyond what all have
    // together.
    const bool fits = messages == 0 || (messages < limits.messages_max && bytes + message.size <= limits.bytes_max);
    return fits && budget_->take(message.size);
  };
  OutgoingList dropped;
  bool has_room = take_room();
  while (!has_room && limits.policy == SendQueuePolicy::drop_oldest && !waiting_.empty()) {
    dropped.append(pop());
    has_room = take_room();
  }
  if (message.offline_since == TimePoint()) {
    // While a connection that is to be replaced ends, newer ones come here first.
    message.offline_since = behind.empty() ? now : std::min(now, behind.front().offline_since);
  }
  (has_room ? waiting_ : dropped).append(message);
  publish();
  return dropped;
}

OutgoingList OfflineQueue::expire(TimePoint now) {
  OutgoingList old;
  while (expiry() <= now) old.append(pop());
  return old;
}

OutgoingMessage* OfflineQueue::next(TimePoint now) {
  if (replay_due() > now) return nullptr;
  // What a timer that fires late has missed is caught up, but no more than this, or the pace would not be one.
  constexpr Duration kCatchUp = std::chrono::milliseconds(100);
  replay_due_ = std::max(replay_due_, now - kCatchUp) + replay_interval_;
  return &pop();
}

OutgoingList OfflineQueue::clear() {
  OutgoingList all;
  while (!waiting_.empty()) all.append(pop());
  return all;
}

TimePoint OfflineQueue::expiry() const {
  // The first is the oldest: who comes back in front keeps its time, which is no later than that of those behind.
  if (waiting_.empty() || rules_.age_max == Duration::zero()) return kNever;
  return waiting_.front().offline_since + rules_.age_max;
}

OutgoingMessage& OfflineQueue::pop() {
  OutgoingMessage& message = waiting_.pop();
  budget_->give_back(message.size);
  publish();
  return message;
}

void OfflineQueue::publish() {
  messages_.store(waiting_.messages(), std::memory_order_relaxed);
  bytes_.store(waiting_.bytes(), std::memory_order_relaxed);
}

}  // namespace cwire
