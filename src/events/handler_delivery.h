#pragma once

#include <chargewire/chargewire.h>

#include <cstdint>

#include "events/event_batch.h"
#include "metrics/worker_metrics.h"

namespace cwire {

// Handler mode: one I/O thread's calls to the caller's handler.
class HandlerDelivery {
 public:
  // `metrics`: what counts the calls; null: nothing does.
  HandlerDelivery(cwire_event_handler handler, std::uintptr_t context, WorkerMetrics* metrics = nullptr)
      : handler_(handler), context_(context), metrics_(metrics), batch_(256) {}

  // Calls the handler until `pending` is empty or a fair share is done. What the handler causes is appended to
  // `pending` by the caller's own hands and delivered here as well, never from inside the handler. Returns the number
  // of exceptions that came out of the handler.
  unsigned deliver(EventList& pending);

 private:
  cwire_event_handler handler_;
  std::uintptr_t context_;
  WorkerMetrics* const metrics_;
  EventBatch batch_;
};

}  // namespace cwire
