#include "events/event.h"

#include <cstring>
#include <utility>

#include "base/time.h"

namespace cwire {

Event::Event(int type) {
  data.size = sizeof(cwire_event);
  data.type = type;
  data.station_id = "";
  data.data = "";
}

OwnedEvent::OwnedEvent(int type) : OwnedEvent(type, wall_clock_ns()) {}

std::unique_ptr<OwnedEvent> OwnedEvent::copy_of(int type, std::int64_t time_ns, std::string_view bytes) {
  std::unique_ptr<OwnedEvent> event(new (Trailing{bytes.size() + 1}) OwnedEvent(type, time_ns));
  char* copy = reinterpret_cast<char*>(event.get() + 1);
  if (!bytes.empty()) std::memcpy(copy, bytes.data(), bytes.size());
  copy[bytes.size()] = '\0';
  event->data.data = copy;
  event->data.data_size = bytes.size();
  return event;
}

FailureEvent::FailureEvent(int type, std::string text, const cwire_failure& failure)
    : Event(type), text_(std::move(text)), failure_(failure) {
  data.data = text_.c_str();
  data.data_size = text_.size();
  data.failure = &failure_;
  data.status = failure_.status;
  data.flags = failure_.flags;
  data.time_ns = failure_.time_ns;
}

void OwnedEvent::set_text(std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  const std::string_view view = *owner;
  set_data(std::move(owner), view);
}

void OwnedEvent::set_data(std::shared_ptr<const void> owner, std::string_view view) {
  owner_ = std::move(owner);
  data.data = view.data();
  data.data_size = view.size();
}

void release_all(EventList& list) noexcept {
  while (!list.empty()) list.pop().released();
}

}  // namespace cwire
