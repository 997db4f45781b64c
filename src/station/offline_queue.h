#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/time.h"
#include "config/settings.h"
#include "station/send_queue.h"

namespace cwire {

// The bytes that the offline queues of one manager hold together. Any thread.
class OfflineBudget {
 public:
  explicit OfflineBudget(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  bool take(std::uint64_t bytes) noexcept;
  void give_back(std::uint64_t bytes) noexcept;
  // What take() would say; a refusal counts.
  bool has_room(std::uint64_t bytes) noexcept;
  bool is_half_free() const { return used_.load(std::memory_order_relaxed) <= bytes_max_ / 2; }
  std::uint64_t bytes_max() const { return bytes_max_; }

  // Somebody was refused, and nobody was told so far. Begins anew when half of it is free again.
  bool has_news() const { return news_.load(std::memory_order_relaxed) == News::refused; }
  bool take_news() noexcept;

 private:
  enum class News { none, refused, told };
  void note_refusal() noexcept;

  const std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> used_{0};
  std::atomic<News> news_{News::none};
};

// What a station has to say while it is not connected, and what a lost connection leaves unsaid: first in, first out,
// within limits of its own and those of all. After a reconnect it is said again at a pace, since a flood looks like an
// attack to a CSMS; what is new meanwhile stands in line. Opens no socket and reads no clock. Of the I/O thread, but
// for the two counts.
class OfflineQueue {
 public:
  struct Rules {
    QueueLimits limits;
    Duration age_max{};             // from when it came here; 0: for ever
    std::uint32_t replay_rate = 0;  // messages per second; 0: no pace
  };
  OfflineQueue(Rules rules, std::shared_ptr<OfflineBudget> budget);
  ~OfflineQueue();
  OfflineQueue(const OfflineQueue&) = delete;
  OfflineQueue& operator=(const OfflineQueue&) = delete;

  // From here on. What is accepted stays so, also where it is more.
  void use(const Rules& rules);
  // What is sent has to go through here.
  bool engaged() const { return !connected_ || !waiting_.empty(); }
  // For the SendQueue, while engaged.
  const SendQueue::Room& room() const { return room_; }

  void connected(TimePoint now);
  // The connection is gone: `unsent`, of which no byte was written and which are older than what waits here, go in
  // again. What has no room is returned, to be reported.
  OutgoingList disconnected(OutgoingList unsent, TimePoint now);
  // Likewise.
  OutgoingList add(OutgoingMessage& message, TimePoint now) { return add(message, now, OutgoingList()); }
  // What has become too old.
  OutgoingList expire(TimePoint now);
  // The next to be sent; null: none is due, or not connected.
  OutgoingMessage* next(TimePoint now);
  // All of it, to be reported.
  OutgoingList clear();

  // When the first becomes too old, and when the next is due. kNever: never.
  TimePoint expiry() const;
  TimePoint replay_due() const { return connected_ && !waiting_.empty() ? replay_due_ : kNever; }

  // Any thread.
  std::size_t messages() const { return messages_.load(std::memory_order_relaxed); }
  std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  OutgoingList add(OutgoingMessage& message, TimePoint now, const OutgoingList& behind);
  OutgoingMessage& pop();
  void publish();

  Rules rules_;
  Duration replay_interval_{};
  const std::shared_ptr<OfflineBudget> budget_;
  SendQueue::Room room_;
  bool connected_ = false;
  TimePoint replay_due_{};
  OutgoingList waiting_;
  std::atomic<std::size_t> messages_{0};
  std::atomic<std::size_t> bytes_{0};
};

}  // namespace cwire
