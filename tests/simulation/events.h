#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/time.h"

namespace simulation {

// Something that will happen to a station, unless its connection is another one by then.
struct Event {
  enum class Kind : std::uint8_t {
    // Packets to the CSMS.
    syn,
    client_hello,
    upgrade_request,
    stream,  // bytes up to position `value`
    // In the CSMS.
    handshake_done,  // a worker has finished
    csms_sends,      // a message
    csms_ends,       // the connection, as `value` says
    // Packets to the station.
    syn_ack,
    refused,
    unreachable,
    server_hello,
    certificate,  // that is refused with `value`
    answer,       // HTTP status `value`, or 101, or kNoSubprotocol; Retry-After `more`
    message,
    pong,   // with nonce `value`
    close,  // with code `value`; `more` is 1 if it answers ours
    reset,
    end_of_stream,
    // On the station's machine, whatever the connection.
    starved,
    step_timeout,  // of TCP or TLS, `value` says which
    resume,
    take,  // what other threads left in the queue
    application_sends,
    connect,
    // Everywhere.
    trouble_begins,  // number `value`
    trouble_ends,
  };

  cwire::TimePoint at{};
  std::uint64_t order = 0;  // of those at the same time the first that was planned is the first
  Kind kind = Kind::syn;
  std::uint32_t station = 0;
  std::uint64_t line = 0;  // of the connection; 0: of none
  std::uint64_t value = 0;
  std::int64_t more = 0;
};

// What will happen, earliest first.
class Events {
 public:
  void plan(Event event) {
    if (event.at == cwire::kNever) return;
    event.order = ++planned_;
    heap_.push_back(event);
    std::push_heap(heap_.begin(), heap_.end(), comes_later);
  }
  cwire::TimePoint next() const { return heap_.empty() ? cwire::kNever : heap_.front().at; }
  Event pop() {
    std::pop_heap(heap_.begin(), heap_.end(), comes_later);
    const Event event = heap_.back();
    heap_.pop_back();
    return event;
  }
  std::size_t size() const { return heap_.size(); }

 private:
  static bool comes_later(const Event& a, const Event& b) { return a.at != b.at ? a.at > b.at : a.order > b.order; }

  std::vector<Event> heap_;
  std::uint64_t planned_ = 0;
};

}  // namespace simulation
