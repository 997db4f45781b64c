#include "governor/governor.h"

#include <iterator>
#include <utility>

namespace cwire {

namespace {

EndpointGovernor::Settings rules_of(const GovernorSettings& settings) {
  EndpointGovernor::Settings rules;
  rules.handshakes = {settings.handshakes_start, settings.handshakes_min, settings.handshakes_max};
  rules.connects_per_second = settings.connects_per_second;
  rules.breaker.enabled = settings.breaker_enabled;
  rules.breaker.failed_share = settings.breaker_failures;
  rules.breaker.attempts_min = settings.breaker_attempts_min;
  rules.breaker.window = settings.breaker_window;
  rules.breaker.open_for = settings.breaker_open;
  rules.breaker.open_max = settings.breaker_open_max;
  rules.breaker.probes = settings.breaker_probes;
  return rules;
}

}  // namespace

Governor::Governor(const GovernorSettings& settings, std::function<void()> keeper_wanted)
    : settings_(rules_of(settings)), keeper_wanted_(std::move(keeper_wanted)) {}

std::shared_ptr<Governor::Endpoint> Governor::attach(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::weak_ptr<Endpoint>& entry = endpoints_[name];
  std::shared_ptr<Endpoint> endpoint = entry.lock();
  if (endpoint != nullptr) return endpoint;
  endpoint = std::make_shared<Endpoint>(*this, name, entropy_());
  entry = endpoint;
  // Now and then, so that a URL per station does not make each connect slower than the one before.
  if (endpoints_.size() > 2 * endpoints_kept_ + 16) {
    for (auto it = endpoints_.begin(); it != endpoints_.end();) {
      it = it->second.expired() ? endpoints_.erase(it) : std::next(it);
    }
    endpoints_kept_ = endpoints_.size();
  }
  return endpoint;
}

std::vector<std::shared_ptr<Governor::Endpoint>> Governor::endpoints() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::shared_ptr<Endpoint>> living;
  for (const auto& entry : endpoints_) {
    if (auto endpoint = entry.second.lock()) living.push_back(std::move(endpoint));
  }
  return living;
}

std::shared_ptr<Governor::Endpoint> Governor::find(const std::string& name) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto entry = endpoints_.find(name);
  return entry == endpoints_.end() ? nullptr : entry->second.lock();
}

void Governor::isolate(const std::string& name, TimePoint now) {
  const std::shared_ptr<Endpoint> endpoint = attach(name);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    isolated_[name] = endpoint;
  }
  endpoint->isolate(now);
}

void Governor::reset(const std::string& name, TimePoint now) {
  const std::shared_ptr<Endpoint> endpoint = attach(name);
  endpoint->reset(now);
  const std::lock_guard<std::mutex> lock(mutex_);
  isolated_.erase(name);
}

TimePoint Governor::run(TimePoint now) {
  {
    const std::lock_guard<std::mutex> lock(keeper_mutex_);
    run_at_ = kNever;
    running_ = true;
  }
  try {
    for (const auto& endpoint : endpoints()) endpoint->run(now);
  } catch (...) {
    const std::lock_guard<std::mutex> lock(keeper_mutex_);
    running_ = false;
    throw;
  }
  const std::lock_guard<std::mutex> lock(keeper_mutex_);
  running_ = false;
  return run_at_;
}

std::vector<Governor::Change> Governor::take_changes() {
  const std::lock_guard<std::mutex> lock(keeper_mutex_);
  return std::exchange(changes_, {});
}

void Governor::want_run_at(TimePoint time) {
  {
    const std::lock_guard<std::mutex> lock(keeper_mutex_);
    if (time >= run_at_) return;
    run_at_ = time;
    if (running_) return;
  }
  keeper_wanted_();
}

void Governor::note(const std::string& endpoint, CircuitBreaker::State from, CircuitBreaker::State to,
                    TimePoint opens_until) noexcept {
  try {
    const std::lock_guard<std::mutex> lock(keeper_mutex_);
    changes_.push_back({endpoint, from, to, opens_until});
    if (running_) return;
  } catch (const std::bad_alloc&) {
    return;  // the breaker does its work without being spoken of
  }
  keeper_wanted_();
}

Governor::Endpoint::Endpoint(Governor& governor, std::string name, std::uint32_t seed)
    : governor_(governor), name_(std::move(name)), rules_(governor.settings_, LocalGate::of_process(), seed) {}

bool Governor::Endpoint::ask(Applicant& applicant, Priority priority, TimePoint now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (applicant.held()) return true;
  if (!applicant.waits()) rules_.ask(applicant, priority, now);
  return serve(now, &applicant);
}

bool Governor::Endpoint::permits(const Applicant& applicant) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return applicant.held();
}

void Governor::Endpoint::ended(Applicant& applicant, Outcome outcome, TimePoint now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  rules_.ended(applicant, outcome, now);
  serve(now, nullptr);
}

void Governor::Endpoint::withdraw(Applicant& applicant, TimePoint now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  rules_.withdraw(applicant);
  serve(now, nullptr);
}

void Governor::Endpoint::lost(const Applicant& applicant, TimePoint now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  rules_.lost(applicant, now);
  serve(now, nullptr);
}

Governor::Endpoint::Numbers Governor::Endpoint::numbers(TimePoint now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Numbers numbers;
  numbers.state = rules_.state();
  numbers.opens_until = rules_.opens_until();
  numbers.handshakes = rules_.handshakes();
  numbers.handshakes_limit = rules_.handshakes_limit();
  numbers.attempts = rules_.attempts(now);
  numbers.failures = rules_.failures(now);
  for (std::size_t i = 0; i < kPriorities; ++i) numbers.waiting[i] = rules_.line().size(static_cast<Priority>(i));
  return numbers;
}

void Governor::Endpoint::isolate(TimePoint now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  rules_.isolate();
  serve(now, nullptr);
}

void Governor::Endpoint::reset(TimePoint now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  rules_.reset();
  serve(now, nullptr);
}

void Governor::Endpoint::run(TimePoint now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  serve(now, nullptr);
}

// Lets all go whose turn it is. True: `asking` is among them.
bool Governor::Endpoint::serve(TimePoint now, const Applicant* asking) {
  bool permitted = false;
  while (Permit* permit = rules_.next(now)) {
    auto* applicant = static_cast<Applicant*>(permit);
    if (applicant == asking) {
      permitted = true;
    } else {
      applicant->permitted();
    }
  }
  if (rules_.state() != noted_) {
    governor_.note(name_, std::exchange(noted_, rules_.state()), rules_.state(), rules_.opens_until());
  }
  governor_.want_run_at(rules_.deadline());
  return permitted;
}

}  // namespace cwire
