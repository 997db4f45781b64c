#include "events/event_queue.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <new>
#include <string>
#include <utility>

namespace cwire {

EventQueue::EventQueue(std::size_t limit, std::size_t bytes_limit, bool counts)
    : limit_(limit), bytes_limit_(bytes_limit), metrics_(counts ? std::make_unique<DeliveryMetrics>() : nullptr) {}

EventQueue::~EventQueue() {
  lent_.reset();
  release_all(waiting_);
}

void EventQueue::push(EventList&& events) {
  std::lock_guard<std::mutex> lock(mutex_);
  const bool was_empty = waiting_.empty();
  waiting_.append(std::move(events));
  if ((waiting_.size() >= limit_ || waiting_.bytes() >= bytes_limit_) && !closed_ && !full()) {
    full_since_ = Clock::now();
    full_of_bytes_ = waiting_.size() < limit_;
    full_.store(true, std::memory_order_relaxed);
  }
  update_readiness();
  if (was_empty) changed_.notify_all();
}

void EventQueue::update_readiness() {
  if (!descriptor_wanted_) return;
  const bool readable = !waiting_.empty() || woken_ || closed_lent_;
  if (readable == readable_) return;
  readable_ = readable;
  if (readable) {
    ready_.set();
  } else {
    ready_.clear();
  }
}

cwire_status EventQueue::poll(std::int32_t timeout_ms, std::size_t max, const cwire_event** events, std::size_t* count,
                              bool* drained) {
  constexpr std::size_t kBatchMax = 16384;  // 2 MiB of events; more at once gains nothing
  max = std::min(max, kBatchMax);
  std::unique_lock<std::mutex> lock(mutex_);
  if (closed_) return CWIRE_E_INVALID_HANDLE;
  if (polling_) return CWIRE_E_STATE;
  polling_ = true;
  closed_lent_ = false;
  // Released without the lock: releasing a CLOSED may end the shutdown, which posts to an I/O thread.
  lock.unlock();
  try {
    if (lent_ == nullptr || lent_->capacity() < max) lent_ = std::make_unique<EventBatch>(max);
  } catch (...) {
    lock.lock();
    polling_ = false;
    changed_.notify_all();
    throw;
  }
  lent_->release();
  lock.lock();

  const auto ready = [this] { return closed_ || woken_ || shutdown_taken_ || !waiting_.empty(); };
  if (timeout_ms < 0) {
    changed_.wait(lock, ready);
  } else if (timeout_ms > 0) {
    changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), ready);
  }
  cwire_status status = CWIRE_OK;
  if (closed_) {
    status = CWIRE_E_INVALID_HANDLE;
  } else if (!waiting_.empty()) {
    lent_->fill(waiting_, max);
    closed_lent_ = lent_->holds_closed();
    if (metrics_ != nullptr) metrics_->delivered(lent_->events(), lent_->size());
    if (lent_->events()[lent_->size() - 1].type == CWIRE_EVENT_SHUTDOWN) shutdown_taken_ = true;
    // Half, so that reading does not stop and go with each event.
    if (full() && waiting_.size() <= limit_ / 2 && waiting_.bytes() <= bytes_limit_ / 2) {
      full_.store(false, std::memory_order_relaxed);
      *drained = true;
      tell_pause();
    }
  } else if (shutdown_taken_) {
    status = CWIRE_E_STATE;
  } else if (!woken_) {
    status = CWIRE_E_TIMEOUT;
  }
  woken_ = false;
  update_readiness();
  if (status == CWIRE_OK) {
    *events = lent_->events();
    *count = lent_->size();
  }
  polling_ = false;
  changed_.notify_all();
  return status;
}

// In front, so that it is the first to be seen and never behind SHUTDOWN. When the pause began there would have been
// nobody to see it, and now it is known how long it was.
void EventQueue::tell_pause() noexcept {
  if (shutdown_taken_) return;
  try {
    const Duration lasted = Clock::now() - full_since_;
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.3f", std::chrono::duration<double>(lasted).count());
    auto event = std::make_unique<OwnedEvent>(CWIRE_EVENT_PAUSED);
    event->data.tag = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(lasted).count());
    event->set_text(
        "reading from sockets was paused for " + std::string(seconds) + " s, because " +
        (full_of_bytes_ ? std::to_string(bytes_limit_) + " bytes of events" : std::to_string(limit_) + " events") +
        " waited to be polled; poll more often, or raise " +
        (full_of_bytes_ ? "event_queue_bytes" : "event_queue_max") + " if it was a short burst");
    waiting_.prepend(*event.release());
  } catch (const std::bad_alloc&) {
    // Without memory this goes untold; that reading has resumed does not depend on it.
  }
}

int EventQueue::descriptor() {
  std::lock_guard<std::mutex> lock(mutex_);
  descriptor_wanted_ = true;
  update_readiness();
  return ready_.descriptor();
}

EventQueue::Level EventQueue::level() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return {waiting_.size(), waiting_.bytes()};
}

void EventQueue::wake() {
  std::lock_guard<std::mutex> lock(mutex_);
  woken_ = true;
  update_readiness();
  changed_.notify_all();
}

void EventQueue::close() {
  std::unique_lock<std::mutex> lock(mutex_);
  closed_ = true;
  full_.store(false, std::memory_order_relaxed);
  changed_.notify_all();
  changed_.wait(lock, [this] { return !polling_; });
}

void EventQueue::discard_until_shutdown() {
  if (lent_ != nullptr) lent_->release();
  std::unique_lock<std::mutex> lock(mutex_);
  while (!shutdown_taken_) {
    changed_.wait(lock, [this] { return !waiting_.empty(); });
    EventList discarded = std::exchange(waiting_, EventList());
    lock.unlock();
    while (!discarded.empty()) {
      Event& event = discarded.pop();
      if (event.data.type == CWIRE_EVENT_SHUTDOWN) shutdown_taken_ = true;
      event.handed_over();
      event.released();
    }
    lock.lock();
  }
}

}  // namespace cwire
