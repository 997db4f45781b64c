#pragma once

#include <chargewire/chargewire.h>

#include <cstdint>

#include "events/event_batch.h"

namespace cwire {

// Handler mode: one I/O thread's calls to the caller's handler.
class HandlerDelivery {
 public:
  HandlerDelivery(cwire_event_handler handler, std::uintptr_t context)
      : handler_(handler), context_(context), batch_(256) {}

  // Calls the handler until `pending` is empty or a fair share is done. What the handler causes is appended to
  // `pending` by the caller's own hands and delivered here as well, never from inside the handler. Returns the number
  // of exceptions that came out of the handler.
  unsigned deliver(EventList& pending);

 private:
  cwire_event_handler handler_;
  std::uintptr_t context_;
  EventBatch batch_;
};

}  // namespace cwire
