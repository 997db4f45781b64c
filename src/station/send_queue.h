#pragma once

#include <chargewire/chargewire.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/payload.h"

namespace cwire {

// A message from the moment it was accepted until the kernel has taken it or it is reported as not sent.
struct OutgoingMessage {
  OutgoingMessage* next = nullptr;
  Payload payload;
  std::size_t size = 0;   // bytes of the payload, also after the payload was framed and let go
  std::uint32_t flags = 0;
  std::uint64_t tag = 0;
  std::uint64_t end = 0;  // position in the connection's output behind its last byte, once framed
};

// First in, first out; does not own.
class OutgoingList {
 public:
  bool empty() const { return first_ == nullptr; }
  OutgoingMessage& front() const { return *first_; }
  void append(OutgoingMessage& message) {
    message.next = nullptr;
    (last_ == nullptr ? first_ : last_->next) = &message;
    last_ = &message;
  }
  OutgoingMessage& pop() {
    OutgoingMessage& message = *first_;
    first_ = message.next;
    if (first_ == nullptr) last_ = nullptr;
    return message;
  }

 private:
  OutgoingMessage* first_ = nullptr;
  OutgoingMessage* last_ = nullptr;
};

// Where any thread leaves messages for the I/O thread, and the count of what was accepted and is not settled. Without locks.
// The gate is part of the inbox: closed while the station is not connected, so that a message is never accepted by one
// connection and sent on another, and none slips in behind the last report.
class SendQueue {
 public:
  SendQueue(std::size_t messages_max, std::size_t bytes_max) : messages_max_(messages_max), bytes_max_(bytes_max) {}
  ~SendQueue();
  SendQueue(const SendQueue&) = delete;
  SendQueue& operator=(const SendQueue&) = delete;

  // From any thread. OK, QUEUE_FULL, NOT_ESTABLISHED (the gate is closed). Takes `message` over if OK.
  cwire_status push(OutgoingMessage* message);

  // The rest is for the I/O thread.
  // True: somebody was turned away by the connection before, and has room now.
  bool open();
  // What was in the inbox is returned, to be reported.
  OutgoingList close();
  OutgoingList take();
  // As push, for a caller that is the I/O thread itself: no inbox, the caller keeps the message.
  cwire_status reserve(std::size_t size);
  // One message is sent or reported. True: somebody was turned away and now there is room.
  bool settle(std::size_t size);

  std::size_t messages() const { return messages_.load(std::memory_order_relaxed); }
  std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  bool try_reserve(std::size_t size);
  static OutgoingMessage* closed_gate();

  const std::size_t messages_max_;
  const std::size_t bytes_max_;
  std::atomic<OutgoingMessage*> inbox_{closed_gate()};  // newest first
  std::atomic<std::size_t> messages_{0};
  std::atomic<std::size_t> bytes_{0};
  std::atomic<bool> turned_away_{false};
};

}  // namespace cwire
