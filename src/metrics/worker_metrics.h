#pragma once

#include <chargewire/chargewire.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "metrics/bounds.h"
#include "metrics/counters.h"

namespace cwire {

// What was handed to the caller, counted by whoever hands it over: one thread at a time.
struct DeliveryMetrics {
  static constexpr std::size_t kEventTypes = 16;  // CWIRE_EVENT_*, and room for those that are to come

  void delivered(const cwire_event* events, std::size_t count) {
    batch_size.observe(count);
    for (std::size_t i = 0; i < count; ++i) of_type[static_cast<std::size_t>(events[i].type) % kEventTypes].add(1);
  }

  std::array<OwnCell, kEventTypes> of_type;
  Histogram<OwnCell> batch_size{bounds::kBatch};
};

// What one I/O thread counts per turn, batch or message, where metrics.enabled is true. Only that thread writes.
struct WorkerMetrics {
  OwnCell turns;
  DeliveryMetrics delivery;  // in handler mode
  Histogram<OwnCell> handler{bounds::kHandler};
  Histogram<OwnCell> message_sent{bounds::kMessage};
  Histogram<OwnCell> message_received{bounds::kMessage};
};

}  // namespace cwire
