#include "expected_waits.h"

#include <algorithm>

namespace simulation {

namespace {

using cwire::Duration;
using cwire::ReconnectPolicyKind;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Shares are reckoned in floating point, there as here.
constexpr Duration kRounding{1000};
constexpr Duration kLatencyMax = seconds(5);

Duration share_of(Duration wait, double share) {
  return Duration(static_cast<Duration::rep>(static_cast<double>(wait.count()) * share));
}

Duration doubled(Duration first, std::uint32_t times, Duration most) {
  Duration wait = std::min(first, most);
  for (std::uint32_t i = 0; i < times && wait < most; ++i) wait = std::min(2 * wait, most);
  return wait;
}

Range give_or_take_a_fifth(Duration wait) { return {wait - wait / 5 - kRounding, wait + wait / 5 + kRounding}; }
Range and_a_tenth(Duration wait) { return {wait, wait + wait / 10 + kRounding}; }
Range both(Range a, Range b) { return {std::max(a.low, b.low), std::max(a.high, b.high)}; }

}  // namespace

Duration ExpectedWaits::minimum() const {
  const Duration base = std::max<Duration>(milliseconds(1), std::min(settings_.backoff, settings_.backoff_max));
  switch (settings_.policy) {
    case ReconnectPolicyKind::exponential:
      return std::max<Duration>(milliseconds(1), std::max(share_of(base, 1 - settings_.jitter), base / 10) - kRounding);
    case ReconnectPolicyKind::ocpp:
      return std::max<Duration>(milliseconds(1), settings_.wait_minimum);
    case ReconnectPolicyKind::full:
      return std::max<Duration>(milliseconds(1), base / 10);
    case ReconnectPolicyKind::decorrelated:
      break;
  }
  return base;
}

Duration ExpectedWaits::maximum() const {
  if (settings_.policy == ReconnectPolicyKind::ocpp) {
    Duration wait = std::max<Duration>(milliseconds(1), settings_.wait_minimum) + settings_.random_range;
    for (std::uint32_t i = 0; i < settings_.repeat_times; ++i) {
      wait = 2 * (wait + 2 * kLatencyMax) + settings_.random_range;
    }
    return wait;
  }
  const Duration cap = std::max(settings_.backoff, settings_.backoff_max);
  return settings_.policy == ReconnectPolicyKind::exponential ? share_of(cap, 1 + settings_.jitter) + kRounding : cap;
}

Range ExpectedWaits::of_policy(bool& is_even) {
  const Duration least = minimum();
  const Duration base = std::max<Duration>(milliseconds(1), settings_.backoff);
  const Duration cap = std::max<Duration>(milliseconds(1), settings_.backoff_max);
  const Duration ceiling = doubled(base, drawn_, cap);
  Range range;
  switch (settings_.policy) {
    case ReconnectPolicyKind::exponential:
      range = {std::max(least, share_of(ceiling, 1 - settings_.jitter) - kRounding),
               std::max(least, share_of(ceiling, 1 + settings_.jitter) + kRounding)};
      is_even = ceiling == cap;  // where a fleet would come together again, were it not
      break;
    case ReconnectPolicyKind::ocpp:
      if (drawn_ == 0) {
        range = {least, least + settings_.random_range};
        is_even = true;
      } else if (drawn_ <= settings_.repeat_times) {
        range = {2 * previous_.low, 2 * previous_.high + settings_.random_range};
      } else {
        range = previous_;
      }
      break;
    case ReconnectPolicyKind::full:
      range = {least, std::max(least, ceiling)};
      is_even = true;
      break;
    case ReconnectPolicyKind::decorrelated: {
      const Range before = drawn_ == 0 ? Range{base, base} : previous_;
      range = {least, std::max(least, std::min(cap, 3 * before.high))};
      is_even = before.low == before.high;
      break;
    }
  }
  is_even = is_even && range.high - range.low > milliseconds(10);
  ++drawn_;
  previous_ = range;
  pending_ = true;
  floor_ = {};
  return range;
}

ExpectedWaits::Wait ExpectedWaits::after(const Fate& fate, Duration lasted) {
  Wait expected;
  pending_ = false;
  const auto policy = [&](Range floor) {
    bool is_even = false;
    expected.wait = both(of_policy(is_even), floor);
    expected.is_even = is_even && floor.high == Duration::zero();
    expected.at_least = both({minimum(), minimum() + 2 * kRounding}, floor);
    floor_ = floor;
  };
  const auto answer = [&](Duration wait) {
    expected.wait = both(give_or_take_a_fifth(wait), {minimum(), minimum() + 2 * kRounding});
    expected.at_least = expected.wait;
    expected.is_answer = true;
  };
  const auto again = [&] {
    if (streak_kind_ != fate.kind || streak_number_ != fate.number) streak_ = 0;
    streak_kind_ = fate.kind;
    streak_number_ = fate.number;
    return ++streak_;
  };
  if (fate.kind != Fate::Kind::starved) local_ = 0;
  const Duration first = settings_.refused_backoff;
  const Duration most = std::max(first, settings_.refused_backoff_max);
  const auto refusal = [&] {
    expected.streak = again();
    expected.is_refusal = true;
    answer(doubled(first, expected.streak - 1, most));
  };
  switch (fate.kind) {
    case Fate::Kind::none:
      break;
    case Fate::Kind::starved:
      expected.is_local = true;
      expected.is_answer = true;
      expected.wait = give_or_take_a_fifth(doubled(seconds(1), local_++, seconds(30)));
      expected.at_least = expected.wait;
      break;
    case Fate::Kind::timed_out:
    case Fate::Kind::hung_up:
      policy(fate.phase == cwire::FailurePhase::tcp ? Range{} : and_a_tenth(std::min(lasted, settings_.backoff_max)));
      break;
    case Fate::Kind::refused:
    case Fate::Kind::unreachable:
    case Fate::Kind::reset:
    case Fate::Kind::end_of_stream:
    case Fate::Kind::silent:
      policy({});
      break;
    case Fate::Kind::closed:
      policy(fate.number == 1012   ? Range{seconds(5), seconds(30)}
             : fate.number == 1013 ? and_a_tenth(seconds(60))
                                   : Range{});
      break;
    case Fate::Kind::no_subprotocol:
      refusal();
      break;
    case Fate::Kind::unverified:
      expected.streak = again();
      if (expected.streak <= 3) {
        policy({});
      } else {
        answer(doubled(first, expected.streak - 4, std::max<Duration>(first, std::min<Duration>(most, minutes(15)))));
      }
      break;
    case Fate::Kind::answered:
      switch (fate.number) {
        case 401:
        case 403:
        case 404:
        case 426:
          refusal();
          break;
        case 429:
        case 503:
          policy(and_a_tenth(seconds(std::max(0, fate.retry_after_s))));
          break;
        default:
          policy(and_a_tenth(std::min(lasted, settings_.backoff_max)));
      }
  }
  return expected;
}

void ExpectedWaits::announced(Duration wait) {
  if (!pending_) return;
  if (wait > floor_.high) {
    previous_ = {wait, wait};
  } else {
    previous_.high = std::min(previous_.high, std::max(previous_.low, wait));
  }
}

void ExpectedWaits::waited_longer(Duration by) { previous_.high += std::clamp(by, Duration::zero(), kLatencyMax); }

void ExpectedWaits::established() {
  if (settings_.policy == ReconnectPolicyKind::ocpp) drawn_ = 0;
  streak_ = 0;
  local_ = 0;
}

void ExpectedWaits::start_over() { drawn_ = streak_ = local_ = 0; }

void ExpectedWaits::ended(Duration lasted) {
  if (settings_.policy != ReconnectPolicyKind::ocpp && lasted >= settings_.stable_after) drawn_ = 0;
}

}  // namespace simulation
