#include "events/handler_delivery.h"

namespace cwire {

unsigned HandlerDelivery::deliver(EventList& pending) {
  // A handler that answers each event with another must not starve the sockets.
  constexpr int kRounds = 16;
  unsigned exceptions = 0;
  for (int round = 0; round < kRounds && !pending.empty(); ++round) {
    batch_.fill(pending, batch_.capacity());
    try {
      handler_(context_, batch_.events(), batch_.size());
    } catch (...) {
      // The contract forbids it, but C++ callers will do it; unwinding through our loop would end the process.
      ++exceptions;
    }
    batch_.release();
  }
  return exceptions;
}

}  // namespace cwire
