#pragma once

#include <cstdint>
#include <random>

#include "base/time.h"
#include "governor/circuit_breaker.h"
#include "governor/concurrency_limit.h"
#include "governor/local_gate.h"
#include "governor/rate_limit.h"
#include "governor/waiting_line.h"

namespace cwire {

// How an attempt to connect ended, as the governor sees it.
enum class Outcome : std::uint8_t {
  established,  // a connection stands
  failed,       // unreachable, timed out, broken: the endpoint does badly
  throttled,    // it says that it has too much to do
  refused,      // it does well, but does not want this station, or is not trusted by it
  local,        // for want of descriptors, memory or ports of our own: says nothing about the endpoint
  abandoned,    // given up by us
};

// What a station needs to begin an attempt. One attempt at a time.
class Permit : private Waiter {
 public:
  bool waits() const { return state_ == State::waits; }
  bool held() const { return state_ == State::held; }

 private:
  friend class EndpointGovernor;
  enum class State : std::uint8_t { none, waits, held };
  State state_ = State::none;
  bool local_probe_ = false;
  std::uint32_t probe_of_ = 0;  // the breaker's episode; 0: never a probe
  TimePoint began_{};           // the attempt, or the connection that came of it
};

// Which station may dial an endpoint next, and when: pure rules, no threads, no clock. Whoever drives it calls next()
// after every other call, and again at deadline(), until it returns null.
//
// First connects and reconnects take the same path. In order: the circuit breaker, the limit of handshakes under way,
// the rate, and the local gate must let one pass; then the waiting line says whose turn it is.
class EndpointGovernor {
 public:
  struct Settings {
    ConcurrencyLimit::Settings handshakes;
    double connects_per_second = 0;  // 0: no limit
    CircuitBreaker::Settings breaker;
  };

  EndpointGovernor(const Settings& settings, LocalGate& gate, std::uint32_t seed)
      : settings_(settings),
        gate_(gate),
        limit_(settings.handshakes),
        rate_(settings.connects_per_second),
        breaker_(settings.breaker),
        random_(seed) {}

  // Enters the line. `permit` neither waits nor is held.
  void ask(Permit& permit, Priority priority, TimePoint now);
  // Whose turn it is, if it is somebody's: it holds its permit from now on.
  Permit* next(TimePoint now);
  // When time alone may make next() return one.
  TimePoint deadline() const { return deadline_; }
  // The attempt of a held permit ended.
  void ended(Permit& permit, Outcome outcome, TimePoint now);
  // Leaves the line, or gives up the attempt; nothing if neither.
  void withdraw(Permit& permit);
  // The connection that `permit` led to was lost, without having been asked to end.
  void lost(const Permit& permit, TimePoint now);

  void isolate() { breaker_.isolate(); }
  // As if nothing had ever gone wrong here.
  void reset();

  CircuitBreaker::State state() const { return breaker_.state(); }
  TimePoint opens_until() const { return breaker_.opens_until(); }
  std::uint32_t handshakes() const { return under_way_; }
  std::uint32_t handshakes_limit() const { return limit_.limit(); }
  const WaitingLine& line() const { return line_; }
  std::uint32_t attempts(TimePoint now) { return breaker_.attempts(now); }
  std::uint32_t failures(TimePoint now) { return breaker_.failures(now); }

 private:
  Permit* take(TimePoint now);

  const Settings settings_;
  LocalGate& gate_;
  ConcurrencyLimit limit_;
  RateLimit rate_;
  CircuitBreaker breaker_;
  WaitingLine line_;
  std::minstd_rand random_;
  std::uint32_t under_way_ = 0;
  TimePoint deadline_ = kNever;
};

}  // namespace cwire
