#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "governor/endpoint_governor.h"
#include "trace.h"

namespace simulation {

// The real governor of one endpoint, and what judges it: limits kept, nobody passes an open breaker, probes few and
// distinct, and always somebody to go or a time to wait for. Driven as Governor::Endpoint and cwire::Station do it.
class Pacer {
 public:
  Pacer(Trace& trace, const cwire::EndpointGovernor::Settings& settings, cwire::LocalGate& gate, std::uint32_t seed);

  // What a station asks with.
  struct Turn final : cwire::Permit {
    std::uint32_t station = 0;
    cwire::TimePoint established_at{};
    std::uint32_t probe_of = 0;  // the half-open time in which it was one
  };

  void ask(Turn& turn, cwire::Priority priority);
  void ended(Turn& turn, cwire::Outcome outcome);
  void withdraw(Turn& turn);
  void lost(const Turn& turn);
  void isolate();
  void reset();
  // Those whose turn it is, once each. To be called after any of the calls above, and at deadline().
  const std::vector<Turn*>& serve();
  cwire::TimePoint deadline() const { return rules_.deadline(); }

 private:
  using State = cwire::CircuitBreaker::State;

  cwire::TimePoint now() const { return trace_.now(); }
  void permitted(Turn& turn, std::uint32_t limit);
  void follow();
  struct Counted {
    cwire::TimePoint at;
    bool attempt;
    bool failed;
  };
  void count(Counted counted);
  // What was seen within a time, to the nanosecond.
  struct Seen {
    std::size_t attempts = 0;
    std::size_t failures = 0;
  };
  Seen seen(cwire::Duration within) const;
  void require(bool kept, std::uint32_t station, const char* promise) const {
    if (!kept) trace_.broken(station, promise);
  }

  Trace& trace_;
  const cwire::EndpointGovernor::Settings& settings_;
  cwire::EndpointGovernor rules_;
  std::vector<Turn*> served_;
  State state_ = State::closed;
  std::uint32_t waiting_ = 0;
  std::uint32_t under_way_ = 0;
  std::uint32_t stale_ = 0;     // of these, begun before the breaker was half open
  std::uint32_t openings_ = 0;  // since somebody reset it
  cwire::TimePoint opened_at_{};
  std::uint32_t half_open_ = 0;          // so many times
  std::uint32_t fresh_ = 0;              // of those who wait, since it is half open: they were no probes yet
  std::deque<cwire::TimePoint> passed_;  // within the last second
  std::deque<Counted> outcomes_;         // within the window, while it is closed
};

}  // namespace simulation
