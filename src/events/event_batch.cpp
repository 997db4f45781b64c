#include "events/event_batch.h"

#include <algorithm>

namespace cwire {

EventBatch::EventBatch(std::size_t capacity) : capacity_(capacity), events_(new cwire_event[capacity]) {}

void EventBatch::fill(EventList& from, std::size_t max) {
  const std::size_t count = std::min({max, capacity_ - nodes_.size(), from.size()});
  for (std::size_t i = 0; i < count; ++i) {
    Event& event = from.pop();
    event.handed_over();
    events_[nodes_.size()] = event.data;
    holds_closed_ = holds_closed_ || event.data.type == CWIRE_EVENT_CLOSED;
    nodes_.append(event);
  }
}

void EventBatch::release() noexcept {
  release_all(nodes_);
  holds_closed_ = false;
}

}  // namespace cwire
