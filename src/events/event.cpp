#include "events/event.h"

#include <utility>

#include "base/time.h"

namespace cwire {

Event::Event(int type) {
  data.size = sizeof(cwire_event);
  data.type = type;
  data.station_id = "";
  data.data = "";
}

OwnedEvent::OwnedEvent(int type) : Event(type) { data.time_ns = wall_clock_ns(); }

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
