#pragma once

#include <chargewire/chargewire.h>

#include <memory>

#include "events/event.h"

namespace cwire {

// A contiguous array of events, as the caller sees them, and the nodes that keep their contents alive.
class EventBatch {
 public:
  // Throws std::bad_alloc; afterwards nothing here allocates until `capacity` is raised.
  explicit EventBatch(std::size_t capacity);
  ~EventBatch() { release(); }
  EventBatch(const EventBatch&) = delete;
  EventBatch& operator=(const EventBatch&) = delete;

  std::size_t capacity() const { return capacity_; }
  // Takes up to `max` from the front of the list and hands them over.
  void fill(EventList& from, std::size_t max);
  void release() noexcept;

  const cwire_event* events() const { return events_.get(); }
  std::size_t size() const { return nodes_.size(); }
  bool holds_closed() const { return holds_closed_; }

 private:
  std::size_t capacity_;
  std::unique_ptr<cwire_event[]> events_;
  EventList nodes_;
  bool holds_closed_ = false;
};

}  // namespace cwire
