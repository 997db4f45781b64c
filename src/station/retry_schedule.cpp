#include "station/retry_schedule.h"

#include <algorithm>
#include <limits>

#include "station/waits.h"

namespace cwire {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kRestartShortest = seconds(5);
constexpr Duration kRestartLongest = seconds(30);
constexpr Duration kOverloaded = seconds(60);
constexpr std::uint32_t kUnverifiedTries = 3;
constexpr Duration kUnverifiedMax = minutes(15);
constexpr Duration kLocal = seconds(1);
constexpr Duration kLocalMax = seconds(30);

// A tenth more, at most.
Duration or_a_little_more(std::minstd_rand& random, Duration wait) { return uniform(random, wait, wait + wait / 10); }

Duration give_or_take_a_fifth(std::minstd_rand& random, Duration wait) {
  return uniform(random, wait - wait / 5, wait + wait / 5);
}

void count(std::uint32_t& number) {
  if (number < std::numeric_limits<std::uint32_t>::max()) ++number;
}

}  // namespace

RetrySchedule::Wait RetrySchedule::after(const Failure& failure, Duration lasted, std::minstd_rand& random) {
  last_class_ = class_of(failure);
  Wait result;
  result.streak = count_streak(failure);
  const Duration first = settings_->refused_backoff;
  const Duration most = std::max(first, settings_->refused_backoff_max);
  switch (last_class_) {
    case FailureClass::network:
      // Only a server that was reached can be spared.
      if (failure.phase == FailurePhase::tls || failure.phase == FailurePhase::http) {
        result.at_least = or_a_little_more(random, std::min(lasted, settings_->backoff_max));
      }
      break;
    case FailureClass::throttled:
      result.at_least = or_a_little_more(random, seconds(std::max(0, failure.retry_after_s)));
      break;
    case FailureClass::restarting:
      result.at_least = uniform(random, kRestartShortest, kRestartLongest);
      break;
    case FailureClass::overloaded:
      result.at_least = or_a_little_more(random, kOverloaded);
      break;
    case FailureClass::refused:
      result.wait = give_or_take_a_fifth(random, doubled(first, result.streak - 1, most));
      break;
    case FailureClass::unverified:
      if (result.streak > kUnverifiedTries) {
        result.wait = give_or_take_a_fifth(random, doubled(first, result.streak - kUnverifiedTries - 1,
                                                           std::max(first, std::min(most, kUnverifiedMax))));
      }
      break;
    case FailureClass::local:
      count(local_);
      result.wait = give_or_take_a_fifth(random, doubled(kLocal, local_ - 1, kLocalMax));
      result.at_least = result.wait;
      return result;
  }
  // Only the policy's wait may be shortened.
  result.at_least = std::max(result.at_least, result.wait);
  if (result.wait == Duration::zero()) result.wait = policy_.next(random);
  result.at_least = std::max(result.at_least, policy_.minimum());
  result.wait = std::max(result.wait, result.at_least);
  return result;
}

// The same answer again and again is a matter for people. What is no answer (a network that failed meanwhile) does not
// end such a row, another answer does.
std::uint32_t RetrySchedule::count_streak(const Failure& failure) {
  if (last_class_ != FailureClass::local) local_ = 0;
  if (last_class_ != FailureClass::refused && last_class_ != FailureClass::unverified) return 0;
  if (streak_class_ != last_class_ || streak_phase_ != failure.phase || streak_code_ != failure.code.number)
    streak_ = 0;
  streak_class_ = last_class_;
  streak_phase_ = failure.phase;
  streak_code_ = failure.code.number;
  count(streak_);
  return streak_;
}

void RetrySchedule::use(const ReconnectSettings& settings) {
  settings_ = &settings;
  policy_.use(settings);
}

void RetrySchedule::start_over() {
  policy_.start_over();
  streak_ = 0;
  local_ = 0;
}

void RetrySchedule::established() {
  policy_.established();
  streak_ = 0;
  local_ = 0;
}

}  // namespace cwire
