#pragma once

#include <chargewire/chargewire.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "base/block_cache.h"
#include "base/payload.h"
#include "base/time.h"
#include "config/settings.h"
#include "events/event.h"

namespace cwire {

// A message from the moment it was accepted until the kernel has taken it or it is reported as not sent. It is itself
// the event of that report (SENT), so that no message goes unreported because memory is short.
class OutgoingMessage final : public Event, public Recycled {
 public:
  // Up to here a message's bytes stand behind it in the same block. Larger ones have a block of their own, which goes
  // as soon as they are framed.
  static constexpr std::size_t kInlineMax = 1024;

  OutgoingMessage() : Event(CWIRE_EVENT_SENT) {}
  // Both throw std::bad_alloc.
  static std::unique_ptr<OutgoingMessage> copy_of(const void* data, std::size_t size) {
    if (size > kInlineMax) return of(Payload::copy_of(data, size));
    std::unique_ptr<OutgoingMessage> message(new (Trailing{size}) OutgoingMessage);
    message->size = size;
    message->inline_ = true;
    if (size != 0) std::memcpy(static_cast<void*>(message.get() + 1), data, size);
    return message;
  }
  static std::unique_ptr<OutgoingMessage> of(Payload payload) {
    auto message = std::make_unique<OutgoingMessage>();
    message->size = payload.size();
    message->payload_ = std::move(payload);
    return message;
  }
  void released() noexcept override { delete this; }
  OutgoingMessage* next_message() const { return static_cast<OutgoingMessage*>(next); }

  std::string_view bytes() const {
    return inline_ ? std::string_view(reinterpret_cast<const char*>(this + 1), size) : payload_.view();
  }
  // They are not needed any more.
  void drop_bytes() { payload_ = Payload(); }

  std::size_t size = 0;  // bytes of the payload, also after they were framed and let go
  // Where its frame stands in all that the connection has to write, once framed.
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  TimePoint offline_since{};  // when it came into the offline queue first; zero: never

 private:
  Payload payload_;
  bool inline_ = false;

 public:
  bool is_seen = false;  // for its SendQueue; here, where it takes no room
};

// First in, first out; does not own.
class OutgoingList {
 public:
  bool empty() const { return first_ == nullptr; }
  std::size_t messages() const { return messages_; }
  std::size_t bytes() const { return bytes_; }
  OutgoingMessage& front() const { return *first_; }
  void append(OutgoingMessage& message) {
    message.next = nullptr;
    if (last_ == nullptr) {
      first_ = &message;
    } else {
      last_->next = &message;
    }
    last_ = &message;
    ++messages_;
    bytes_ += message.size;
  }
  void append(const OutgoingList& other) {
    if (other.empty()) return;
    if (last_ == nullptr) {
      first_ = other.first_;
    } else {
      last_->next = other.first_;
    }
    last_ = other.last_;
    messages_ += other.messages_;
    bytes_ += other.bytes_;
  }
  OutgoingMessage& pop() {
    OutgoingMessage& message = *first_;
    first_ = message.next_message();
    if (first_ == nullptr) last_ = nullptr;
    --messages_;
    bytes_ -= message.size;
    return message;
  }

 private:
  OutgoingMessage* first_ = nullptr;
  OutgoingMessage* last_ = nullptr;
  std::size_t messages_ = 0;
  std::size_t bytes_ = 0;
};

// How much may wait, and what has to go when it is more.
struct QueueLimits {
  SendQueuePolicy policy = SendQueuePolicy::reject;
  std::size_t messages_max = 0;
  std::size_t bytes_max = 0;
};

class OfflineBudget;

// What was accepted and is not settled: an inbox in which any thread leaves messages for the I/O thread, the list of
// those that wait to be framed, and the count of all. Without locks.
//
// The gate is part of the inbox: closed while the station is not connected, so that a message is never accepted by one
// connection and sent on another, and none slips in behind the last report. With an OfflineQueue it is open until the
// end, and that queue's limits hold while messages go through it.
//
// With `reject` the count keeps the limits by itself. With the other two every message is accepted, so what is too much
// can only be dropped once it is there, by the I/O thread, which alone may touch what waits: append() does. What that
// thread has seen is within the limits, or is on its way, and does not stand in the way of anything newer. What it has
// not seen, in the inbox, may be twice the limits, and beyond that a send is refused as with `reject`, or a handler
// that holds the thread up would let the inbox grow without end.
class SendQueue {
 public:
  // Whose limits hold while messages go through an OfflineQueue. Where the policy is to refuse, nothing is accepted
  // that has no room in the budget.
  struct Room {
    QueueLimits limits;
    OfflineBudget* budget;
  };

  explicit SendQueue(QueueLimits limits) { limit(limits); }
  ~SendQueue();
  SendQueue(const SendQueue&) = delete;
  SendQueue& operator=(const SendQueue&) = delete;

  // From any thread.
  bool is_open() const { return inbox_.load(std::memory_order_acquire) != closed_gate(); }
  // OK, QUEUE_FULL, NOT_ESTABLISHED (the gate is closed). Takes `message` over if OK.
  cwire_status push(OutgoingMessage* message);

  // The rest is for the I/O thread.
  bool drops() const { return limits_.policy != SendQueuePolicy::reject; }
  // From here on. What is accepted stays so, also where it is more.
  void limit(QueueLimits limits) {
    limits_ = limits;
    apply_limits();
  }
  // Null: its own limits hold. Must live as long as the queue.
  void use(const Room* room);
  // True: somebody was turned away by the connection before, and has room now.
  bool open();
  // What was in the inbox is returned.
  OutgoingList close();
  OutgoingList take();
  // As push, for a caller that is the I/O thread itself: no inbox, the caller keeps the message.
  cwire_status reserve(std::size_t size);
  // A message that was taken or reserved waits to be framed. What has to go for it, itself perhaps, is returned, to be
  // reported.
  OutgoingList append(OutgoingMessage& message);
  // It goes to append(), or to an OfflineQueue: who drops it there or keeps it makes room for what comes behind.
  void seen(OutgoingMessage& message);
  bool has_waiting() const { return !waiting_.empty(); }
  OutgoingMessage& pop() { return waiting_.pop(); }
  // It is sent or reported.
  void settle(const OutgoingMessage& message);
  // Somebody was turned away, and now there is room. True once per episode.
  bool announce_room();
  // The announcement could not be made: so again after the next message.
  void announce_later() { turned_away_.store(true); }

  std::size_t messages() const { return sum_of(messages_in); }
  std::size_t bytes() const { return sum_of(bytes_in); }

 private:
  // Messages and bytes in one word, changed by compare-and-swap: an attempt that fails is never seen in it, not even
  // for a moment, so the I/O thread always knows whether there is room.
  static constexpr unsigned kBytesBits = 42;  // and 22 for messages: twice the largest csms.send_queue_messages
  static std::uint64_t load_of(std::size_t size) { return (std::uint64_t{1} << kBytesBits) + size; }
  static std::size_t messages_in(std::uint64_t load) { return static_cast<std::size_t>(load >> kBytesBits); }
  static std::size_t bytes_in(std::uint64_t load) {
    return static_cast<std::size_t>(load & ((std::uint64_t{1} << kBytesBits) - 1));
  }
  std::size_t sum_of(std::size_t (*part)(std::uint64_t)) const {
    return part(load_.load(std::memory_order_relaxed)) + part(seen_.load(std::memory_order_relaxed));
  }
  static std::size_t get(const std::atomic<std::size_t>& limit) { return limit.load(std::memory_order_relaxed); }
  const QueueLimits& limits_now() const { return room_ != nullptr ? room_->limits : limits_; }
  bool try_reserve(std::size_t size);
  void apply_limits();
  // An address that no message has; each send compares with it.
  static OutgoingMessage* closed_gate() { return reinterpret_cast<OutgoingMessage*>(&gate_); }

  alignas(OutgoingMessage) static inline char gate_ = 0;
  QueueLimits limits_;
  const Room* room_ = nullptr;
  // Of load_. A single message larger than all the bytes still goes through if there are no more than `bytes_free_`:
  // message_size_max is its limit.
  std::atomic<std::size_t> messages_max_{0};
  std::atomic<std::size_t> bytes_max_{0};
  std::atomic<std::size_t> bytes_free_{0};
  std::atomic<OfflineBudget*> budget_{nullptr};
  std::atomic<OutgoingMessage*> inbox_{closed_gate()};  // newest first
  std::atomic<std::uint64_t> load_{0};
  std::atomic<std::uint64_t> seen_{0};  // of messages that are is_seen; the others are part of load_
  std::atomic<bool> turned_away_{false};
  OutgoingList waiting_;
};

}  // namespace cwire
