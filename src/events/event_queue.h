#pragma once

#include <chargewire/chargewire.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>

#include "base/time.h"
#include "events/event_batch.h"
#include "metrics/worker_metrics.h"
#include "net/wake_fd.h"

namespace cwire {

// Poll mode: the events of all I/O threads of a manager, until the caller takes them.
class EventQueue {
 public:
  // From `limit` waiting events on, or `bytes_limit` of their data, reading pauses, see full(). Throws std::bad_alloc,
  // Error(INTERNAL) when out of descriptors.
  // `counts`: see metrics().
  EventQueue(std::size_t limit, std::size_t bytes_limit, bool counts = false);
  ~EventQueue();

  // From I/O threads.
  void push(EventList&& events);
  // The caller does not keep up: stop reading until the queue reports that it has drained.
  bool full() const { return full_.load(std::memory_order_relaxed); }

  // Releases the batch before, waits, lends the next one. *drained is set when reading may resume; PAUSED is the next
  // event then. OK, TIMEOUT, STATE (another thread polls, or SHUTDOWN was taken), INVALID_HANDLE (closed by close()).
  // `max` is cut to 16,384.
  cwire_status poll(std::int32_t timeout_ms, std::size_t max, const cwire_event** events, std::size_t* count,
                    bool* drained);
  // The current or next poll returns at once.
  void wake();
  // Ends polling for good: the poll under way and later ones return INVALID_HANDLE. Returns when no poll is under way.
  // From here on the queue is never full: what comes is discarded.
  void close();
  // After close(): takes and releases events until SHUTDOWN was among them.
  void discard_until_shutdown();

  // Kept readable while events wait, and while a CLOSED is lent, from the first call on: whoever never asks pays no
  // system calls for it. A CLOSED that is given back may be the one that SHUTDOWN waits for, so whoever polls only when
  // there is something to read has to be told to poll once more.
  int descriptor();

  struct Level {
    std::size_t events, bytes;
  };
  Level level() const;
  Level limits() const { return {limit_, bytes_limit_}; }
  // What was polled; null: it is not counted.
  const DeliveryMetrics* metrics() const { return metrics_.get(); }

 private:
  void update_readiness();
  void tell_pause() noexcept;

  const std::size_t limit_;
  const std::size_t bytes_limit_;
  const std::unique_ptr<DeliveryMetrics> metrics_;  // written under the lock
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  EventList waiting_;
  WakeFd ready_;  // see descriptor()
  bool descriptor_wanted_ = false;
  bool readable_ = false;
  bool woken_ = false;
  bool polling_ = false;
  bool closed_ = false;
  bool closed_lent_ = false;  // the batch has a CLOSED in it
  bool shutdown_taken_ = false;
  std::atomic<bool> full_{false};
  TimePoint full_since_{};
  bool full_of_bytes_ = false;        // and not of events
  std::unique_ptr<EventBatch> lent_;  // of the one poller
};

}  // namespace cwire
