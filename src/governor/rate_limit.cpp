#include "governor/rate_limit.h"

#include <algorithm>

namespace cwire {

namespace {

constexpr Duration kCatchUp = std::chrono::milliseconds(100);

}  // namespace

RateLimit::RateLimit(double per_second) {
  if (per_second <= 0) return;
  // Rounded up: never more than was asked for.
  interval_ = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1 / per_second)) + Duration(1);
  credit_max_ = interval_ < kCatchUp ? kCatchUp - interval_ : Duration::zero();
}

bool RateLimit::may_pass(TimePoint now) { return interval_ == Duration::zero() || now >= next_; }

void RateLimit::passed(TimePoint now) {
  if (interval_ == Duration::zero()) return;
  next_ = std::max(next_, now - credit_max_) + interval_;
}

TimePoint RateLimit::opens_at() const { return next_; }

}  // namespace cwire
