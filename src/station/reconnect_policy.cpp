#include "station/reconnect_policy.h"

#include <algorithm>
#include <limits>

#include "station/waits.h"

namespace cwire {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kShortest = milliseconds(1);
// Sums and doublings of waits up to here cannot overflow.
constexpr Duration kLongest = hours(24 * 365);
constexpr Duration kLatencyMax = seconds(5);

Duration bounded(Duration wait) { return std::clamp(wait, kShortest, kLongest); }

Duration scaled(Duration wait, double factor) {
  return Duration(static_cast<Duration::rep>(static_cast<double>(wait.count()) * factor));
}

}  // namespace

void ReconnectPolicy::use(const ReconnectSettings& settings) {
  if (settings.policy != settings_->policy) start_over();
  settings_ = &settings;
}

Duration ReconnectPolicy::next(std::minstd_rand& random) {
  const Duration base = bounded(settings_->backoff);
  const Duration cap = bounded(settings_->backoff_max);
  const Duration ceiling = doubled(base, failures_, cap);
  switch (settings_->policy) {
    case ReconnectPolicyKind::exponential: {
      const double jitter = std::clamp(settings_->jitter, 0.0, 1.0);
      previous_ = uniform(random, std::max(minimum(), scaled(ceiling, 1 - jitter)), scaled(ceiling, 1 + jitter));
      break;
    }
    case ReconnectPolicyKind::ocpp: {
      if (failures_ > settings_->repeat_times) break;  // doubled often enough: the last value stays
      const Duration range = std::clamp(settings_->random_range, Duration::zero(), kLongest);
      const Duration least = failures_ == 0 ? minimum() : 2 * previous_;
      previous_ = bounded(least + uniform(random, Duration::zero(), range));
      break;
    }
    case ReconnectPolicyKind::full:
      previous_ = uniform(random, minimum(), ceiling);
      break;
    case ReconnectPolicyKind::decorrelated: {
      const Duration before = failures_ == 0 ? base : previous_;
      previous_ = uniform(random, minimum(), std::min(cap, 3 * before));
      break;
    }
  }
  if (failures_ < std::numeric_limits<std::uint32_t>::max()) ++failures_;
  return previous_;
}

void ReconnectPolicy::waited_longer(Duration by) {
  if (settings_->policy != ReconnectPolicyKind::ocpp) return;
  // Only where a doubling follows: a wait that is kept must not creep upwards.
  if (failures_ == 0 || failures_ > settings_->repeat_times) return;
  previous_ = bounded(previous_ + std::clamp(by, Duration::zero(), kLatencyMax));
}

void ReconnectPolicy::established() {
  if (settings_->policy == ReconnectPolicyKind::ocpp) start_over();
}

void ReconnectPolicy::ended(Duration lasted) {
  if (settings_->policy != ReconnectPolicyKind::ocpp && lasted >= settings_->stable_after) start_over();
}

Duration ReconnectPolicy::minimum() const {
  const Duration base = std::min(bounded(settings_->backoff), bounded(settings_->backoff_max));
  switch (settings_->policy) {
    case ReconnectPolicyKind::exponential:
      // A jitter of 1 would reach down to nothing.
      return bounded(std::max(scaled(base, 1 - std::clamp(settings_->jitter, 0.0, 1.0)), base / 10));
    case ReconnectPolicyKind::ocpp:
      return bounded(settings_->wait_minimum);
    case ReconnectPolicyKind::full:
      return bounded(base / 10);
    case ReconnectPolicyKind::decorrelated:
      break;
  }
  return base;
}

void ReconnectPolicy::start_over() {
  previous_ = Duration::zero();
  failures_ = 0;
}

}  // namespace cwire
