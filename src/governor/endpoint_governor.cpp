#include "governor/endpoint_governor.h"

#include <algorithm>
#include <cassert>

namespace cwire {

void EndpointGovernor::ask(Permit& permit, Priority priority, TimePoint now) {
  assert(permit.state_ == Permit::State::none);
  permit.state_ = Permit::State::waits;
  line_.add(permit, priority, now);
}

Permit* EndpointGovernor::next(TimePoint now) {
  deadline_ = kNever;
  // Slow start: who comes back from an outage is not met by as many at once as it sustained before.
  if (breaker_.advance(now)) limit_.restart(settings_.breaker.probes);
  if (line_.empty()) return nullptr;
  if (!breaker_.may_pass()) {
    deadline_ = breaker_.opens_until();
    return nullptr;
  }
  if (under_way_ >= limit_.limit()) return nullptr;
  if (!rate_.may_pass(now)) {
    deadline_ = rate_.opens_at();
    return nullptr;
  }
  bool local_probe = false;
  if (!gate_.pass(now, local_probe)) {
    deadline_ = gate_.ask_again_at(now);
    return nullptr;
  }
  Permit& permit = *take(now);
  permit.state_ = Permit::State::held;
  permit.local_probe_ = local_probe;
  permit.began_ = now;
  rate_.passed(now);
  breaker_.passed();
  permit.probe_of_ = state() == CircuitBreaker::State::half_open ? breaker_.episode() : 0;
  ++under_way_;
  return &permit;
}

// The probes are of distinct stations, as long as another one waits. Few can have been one before: the search is short.
Permit* EndpointGovernor::take(TimePoint now) {
  if (state() == CircuitBreaker::State::half_open) {
    Waiter* fresh = line_.find([this](Waiter& w) { return static_cast<Permit&>(w).probe_of_ != breaker_.episode(); });
    if (fresh != nullptr) {
      line_.remove(*fresh);
      return static_cast<Permit*>(fresh);
    }
  }
  return static_cast<Permit*>(line_.take(now));
}

void EndpointGovernor::ended(Permit& permit, Outcome outcome, TimePoint now) {
  if (permit.waits()) withdraw(permit);  // it failed before its turn
  if (!permit.held()) return;
  // One that began since, while the breaker is closed again, is none.
  const bool probe = state() == CircuitBreaker::State::half_open && permit.probe_of_ == breaker_.episode();
  switch (outcome) {
    case Outcome::established:
      limit_.succeeded(now - permit.began_, under_way_);
      breaker_.ended(false, probe, now, random_);
      break;
    case Outcome::failed:
      limit_.overloaded(permit.began_, now);
      breaker_.ended(true, probe, now, random_);
      break;
    case Outcome::throttled:
      limit_.overloaded(permit.began_, now);
      // Outside of a probe it counts neither way: each station waits as long as it was told.
      if (probe) breaker_.ended(true, probe, now, random_);
      break;
    case Outcome::refused:
      if (probe) breaker_.ended(false, probe, now, random_);
      break;
    case Outcome::local:
    case Outcome::abandoned:
      breaker_.gave_up(probe);
      break;
  }
  if (outcome == Outcome::local) {
    gate_.failed(permit.local_probe_, now);
  } else if (outcome == Outcome::abandoned) {
    gate_.gave_up(permit.local_probe_);
  } else {
    gate_.succeeded(permit.local_probe_);
  }
  permit.state_ = Permit::State::none;
  permit.local_probe_ = false;
  permit.began_ = now;
  --under_way_;
}

void EndpointGovernor::withdraw(Permit& permit) {
  if (permit.held()) {
    ended(permit, Outcome::abandoned, permit.began_);
  } else if (permit.waits()) {
    line_.remove(permit);
    permit.state_ = Permit::State::none;
  }
}

// A server that accepts and then closes at once does as badly as one that does not accept.
void EndpointGovernor::lost(const Permit& permit, TimePoint now) {
  if (now - permit.began_ >= settings_.breaker.window) return;
  breaker_.failed_after_all(now, random_);
}

void EndpointGovernor::reset() {
  breaker_.reset();
  limit_ = ConcurrencyLimit(settings_.handshakes);
}

}  // namespace cwire
