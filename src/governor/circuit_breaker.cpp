#include "governor/circuit_breaker.h"

#include <algorithm>

namespace cwire {

bool CircuitBreaker::advance(TimePoint now) {
  if (state_ != State::open || now < until_) return false;
  state_ = State::half_open;
  ++episode_;
  probes_out_ = probes_well_ = 0;
  return true;
}

bool CircuitBreaker::may_pass() const {
  switch (state_) {
    case State::closed:
      return true;
    case State::half_open:
      return probes_out_ + probes_well_ < settings_.probes;
    case State::open:
    case State::isolated:
      break;
  }
  return false;
}

void CircuitBreaker::passed() {
  if (state_ == State::half_open) ++probes_out_;
}

void CircuitBreaker::ended(bool failed, bool was_probe, TimePoint now, std::minstd_rand& random) {
  if (state_ == State::closed) {
    Bucket& newest = bucket(now);
    ++newest.attempts;
    ++total_.attempts;
    if (failed) count_failure(newest, now, random);
  } else if (state_ == State::half_open && was_probe) {
    --probes_out_;
    if (failed) {
      open(now, random);
    } else if (++probes_well_ >= settings_.probes) {
      close(now);
    }
  }
  // What began before it opened tells nothing new.
}

void CircuitBreaker::gave_up(bool was_probe) {
  if (state_ == State::half_open && was_probe) --probes_out_;
}

void CircuitBreaker::failed_after_all(TimePoint now, std::minstd_rand& random) {
  if (state_ == State::closed) count_failure(bucket(now), now, random);
}

void CircuitBreaker::isolate() { state_ = State::isolated; }

void CircuitBreaker::reset() {
  state_ = State::closed;
  openings_ = 0;
  forget();
}

std::uint32_t CircuitBreaker::attempts(TimePoint now) {
  roll(now);
  return total_.attempts;
}

std::uint32_t CircuitBreaker::failures(TimePoint now) {
  roll(now);
  return total_.failures;
}

// The window is ten buckets; the oldest are emptied as time goes on.
void CircuitBreaker::roll(TimePoint now) {
  const Duration width = std::max(Duration(1), settings_.window / static_cast<int>(kBuckets));
  const std::int64_t slot = now.time_since_epoch() / width;
  const std::int64_t passed = std::min<std::int64_t>(slot - slot_, kBuckets);
  for (std::int64_t i = 1; i <= passed; ++i) {
    Bucket& bucket = buckets_[static_cast<std::size_t>(slot - passed + i) % kBuckets];
    total_.attempts -= bucket.attempts;
    total_.failures -= bucket.failures;
    bucket = Bucket();
  }
  slot_ = std::max(slot_, slot);
}

CircuitBreaker::Bucket& CircuitBreaker::bucket(TimePoint now) {
  roll(now);
  return buckets_[static_cast<std::size_t>(slot_) % kBuckets];
}

void CircuitBreaker::count_failure(Bucket& bucket, TimePoint now, std::minstd_rand& random) {
  ++bucket.failures;
  ++total_.failures;
  if (settings_.enabled && total_.attempts >= settings_.attempts_min &&
      total_.failures >= settings_.failed_share * total_.attempts) {
    open(now, random);
  }
}

void CircuitBreaker::open(TimePoint now, std::minstd_rand& random) {
  if (state_ == State::closed && closed_at_ != TimePoint::min() && now - closed_at_ >= settings_.open_max) {
    openings_ = 0;
  }
  ++openings_;
  state_ = State::open;
  const Duration wait =
      openings_ >= settings_.open_max / settings_.open_for ? settings_.open_max : settings_.open_for * openings_;
  until_ = now + wait + Duration(std::uniform_int_distribution<Duration::rep>(0, (wait / 4).count())(random));
  forget();
}

void CircuitBreaker::close(TimePoint now) {
  state_ = State::closed;
  closed_at_ = now;
  forget();
}

void CircuitBreaker::forget() {
  buckets_.fill(Bucket());
  total_ = Bucket();
}

}  // namespace cwire
