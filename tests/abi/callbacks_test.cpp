#include <chargewire/callbacks.h>

#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace {

struct Seen {
  char function;
  const cwire_event* event;
};

// One function per type of event, each of which leaves its own letter.
template <char Letter>
void record(void* user, const cwire_event* event) {
  static_cast<std::vector<Seen>*>(user)->push_back({Letter, event});
}

cwire_event event_of(int32_t type) {
  cwire_event event = {};
  event.size = sizeof event;
  event.type = type;
  return event;
}

}  // namespace

TEST_CASE("cwire_dispatch calls the function of each type, in order, with the event itself") {
  std::vector<Seen> seen;
  cwire_callbacks callbacks = {};
  callbacks.user = &seen;
  callbacks.on_connected = record<'C'>;
  callbacks.on_message = record<'M'>;
  callbacks.on_sent = record<'s'>;
  callbacks.on_writable = record<'W'>;
  callbacks.on_disconnected = record<'D'>;
  callbacks.on_error = record<'E'>;
  callbacks.on_state = record<'T'>;
  callbacks.on_closed = record<'c'>;
  callbacks.on_log = record<'L'>;
  callbacks.on_shutdown = record<'S'>;
  callbacks.on_paused = record<'P'>;
  callbacks.on_endpoint = record<'e'>;

  const std::array<cwire_event, 13> events = {
      event_of(CWIRE_EVENT_STATE),     event_of(CWIRE_EVENT_LOG),      event_of(CWIRE_EVENT_ERROR),
      event_of(CWIRE_EVENT_CONNECTED), event_of(CWIRE_EVENT_MESSAGE),  event_of(CWIRE_EVENT_SENT),
      event_of(CWIRE_EVENT_WRITABLE),  event_of(CWIRE_EVENT_MESSAGE),  event_of(CWIRE_EVENT_DISCONNECTED),
      event_of(CWIRE_EVENT_CLOSED),    event_of(CWIRE_EVENT_ENDPOINT), event_of(CWIRE_EVENT_PAUSED),
      event_of(CWIRE_EVENT_SHUTDOWN),
  };
  const cwire_event_handler handler = cwire_dispatch;
  handler(reinterpret_cast<uintptr_t>(&callbacks), events.data(), events.size());

  std::string letters;
  for (size_t i = 0; i < seen.size(); ++i) {
    letters += seen[i].function;
    CHECK(seen[i].event == &events[i]);
  }
  CHECK(letters == "TLECMsWMDcePS");
}

TEST_CASE("cwire_dispatch passes over events without a function, and types it does not know") {
  std::vector<Seen> seen;
  cwire_callbacks callbacks = {};
  callbacks.user = &seen;
  callbacks.on_message = record<'M'>;

  const std::array<cwire_event, 4> events = {event_of(CWIRE_EVENT_CONNECTED), event_of(9999), event_of(-1),
                                             event_of(CWIRE_EVENT_MESSAGE)};
  cwire_dispatch(reinterpret_cast<uintptr_t>(&callbacks), events.data(), events.size());
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].event == &events[3]);
}

TEST_CASE("cwire_dispatch does not look at its callbacks after SHUTDOWN, which may free them") {
  auto* callbacks = new cwire_callbacks{};
  callbacks->user = callbacks;
  callbacks->on_shutdown = [](void* user, const cwire_event*) { delete static_cast<cwire_callbacks*>(user); };
  const cwire_event event = event_of(CWIRE_EVENT_SHUTDOWN);
  cwire_dispatch(reinterpret_cast<uintptr_t>(callbacks), &event, 1);
  SUCCEED("a sanitizer would have said so");
}
