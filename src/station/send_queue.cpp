#include "station/send_queue.h"

#include <utility>

#include "station/offline_queue.h"

namespace cwire {

namespace {

OutgoingList oldest_first(OutgoingMessage* newest) {
  OutgoingMessage* reversed = nullptr;
  while (newest != nullptr) {
    OutgoingMessage* next = newest->next_message();
    newest->next = reversed;
    reversed = newest;
    newest = next;
  }
  OutgoingList list;
  while (reversed != nullptr) {
    OutgoingMessage* next = reversed->next_message();
    list.append(*reversed);
    reversed = next;
  }
  return list;
}

}  // namespace

void SendQueue::apply_limits() {
  const QueueLimits& limits = limits_now();
  const bool dropping = limits.policy != SendQueuePolicy::reject;
  const std::size_t factor = dropping ? 2 : 1;  // a burst is dropped, not refused
  messages_max_.store(factor * limits.messages_max, std::memory_order_relaxed);
  bytes_max_.store(factor * limits.bytes_max, std::memory_order_relaxed);
  bytes_free_.store(dropping ? limits.bytes_max : 0, std::memory_order_relaxed);
  budget_.store(room_ != nullptr && !dropping ? room_->budget : nullptr, std::memory_order_relaxed);
}

void SendQueue::use(const Room* room) {
  if (room == room_) return;
  room_ = room;
  apply_limits();
}

SendQueue::~SendQueue() {
  OutgoingList left = close();
  while (!left.empty()) delete &left.pop();
  while (!waiting_.empty()) delete &waiting_.pop();
}

bool SendQueue::try_reserve(std::size_t size) {
  OfflineBudget* budget = budget_.load(std::memory_order_relaxed);
  if (budget != nullptr && !budget->has_room(size)) return false;
  std::uint64_t load = load_.load();
  do {
    if (messages_in(load) >= get(messages_max_)) return false;
    if (bytes_in(load) > get(bytes_free_) && bytes_in(load) + size > get(bytes_max_)) return false;
  } while (!load_.compare_exchange_weak(load, load + load_of(size)));
  return true;
}

cwire_status SendQueue::reserve(std::size_t size) {
  if (try_reserve(size)) return CWIRE_OK;
  turned_away_.store(true);
  // Once more: had everything been settled between the two lines above, nobody would be left to announce the room.
  if (!try_reserve(size)) return CWIRE_E_QUEUE_FULL;
  return CWIRE_OK;
}

cwire_status SendQueue::push(OutgoingMessage* message) {
  if (inbox_.load(std::memory_order_relaxed) == closed_gate()) return CWIRE_E_NOT_ESTABLISHED;
  const std::size_t size = message->size;
  const cwire_status status = reserve(size);
  if (status != CWIRE_OK) return status;
  OutgoingMessage* newest = inbox_.load(std::memory_order_relaxed);
  do {
    if (newest == closed_gate()) {
      load_.fetch_sub(load_of(size));
      return CWIRE_E_NOT_ESTABLISHED;
    }
    message->next = newest;
  } while (!inbox_.compare_exchange_weak(newest, message, std::memory_order_acq_rel, std::memory_order_relaxed));
  return CWIRE_OK;
}

bool SendQueue::open() {
  inbox_.store(nullptr, std::memory_order_release);
  return turned_away_.exchange(false);
}

OutgoingList SendQueue::close() {
  OutgoingMessage* newest = inbox_.exchange(closed_gate(), std::memory_order_acq_rel);
  return newest == closed_gate() ? OutgoingList() : oldest_first(newest);
}

OutgoingList SendQueue::take() {
  // Only this thread opens and closes the gate, so it does not change in between.
  if (inbox_.load(std::memory_order_relaxed) == closed_gate()) return OutgoingList();
  return oldest_first(inbox_.exchange(nullptr, std::memory_order_acq_rel));
}

OutgoingList SendQueue::append(OutgoingMessage& message) {
  const auto fits = [&] {
    // As in an inbox: one that is larger than the whole queue goes through an empty one. What `reject` has let in
    // stays.
    return !drops() || waiting_.empty() ||
           (waiting_.messages() < limits_.messages_max && waiting_.bytes() + message.size <= limits_.bytes_max);
  };
  OutgoingList dropped;
  if (limits_.policy == SendQueuePolicy::drop_oldest) {
    while (!fits()) dropped.append(waiting_.pop());
  }
  (fits() ? waiting_ : dropped).append(message);
  return dropped;
}

void SendQueue::seen(OutgoingMessage& message) {
  if (limits_now().policy == SendQueuePolicy::reject) return;
  message.is_seen = true;
  seen_.fetch_add(load_of(message.size), std::memory_order_relaxed);
  load_.fetch_sub(load_of(message.size));
}

void SendQueue::settle(const OutgoingMessage& message) {
  (message.is_seen ? seen_ : load_).fetch_sub(load_of(message.size));
}

bool SendQueue::announce_room() {
  if (!turned_away_.load()) return false;
  // At half, so that a caller who waits for room finds some worth waking for.
  const std::uint64_t load = load_.load();
  if (messages_in(load) > get(messages_max_) / 2 || bytes_in(load) > get(bytes_max_) / 2) return false;
  const OfflineBudget* budget = budget_.load(std::memory_order_relaxed);
  if (budget != nullptr && !budget->is_half_free()) return false;
  return turned_away_.exchange(false);
}

}  // namespace cwire
