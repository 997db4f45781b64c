#include "events/handler_delivery.h"

#include "base/time.h"

namespace cwire {

unsigned HandlerDelivery::deliver(EventList& pending) {
  // A handler that answers each event with another must not starve the sockets.
  constexpr int kRounds = 16;
  unsigned exceptions = 0;
  for (int round = 0; round < kRounds && !pending.empty(); ++round) {
    batch_.fill(pending, batch_.capacity());
    const TimePoint called = metrics_ != nullptr ? Clock::now() : TimePoint();
    try {
      handler_(context_, batch_.events(), batch_.size());
    } catch (...) {
      // The contract forbids it, but C++ callers will do it; unwinding through our loop would end the process.
      ++exceptions;
    }
    if (metrics_ != nullptr) {
      metrics_->handler.observe(length_ns(Clock::now() - called));
      metrics_->delivery.delivered(batch_.events(), batch_.size());
    }
    batch_.release();
  }
  return exceptions;
}

}  // namespace cwire
