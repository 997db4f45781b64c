#pragma once

#include "base/time.h"

namespace cwire {

// So many per second, evenly: what was left over may be caught up with by a tenth of a second's worth, so that a timer
// that is late costs nothing, and no second sees more than 1.1 times the rate.
class RateLimit {
 public:
  explicit RateLimit(double per_second);  // 0: none

  bool may_pass(TimePoint now);
  void passed(TimePoint now);
  // When may_pass() becomes true by itself; now or earlier if it is.
  TimePoint opens_at() const;

 private:
  Duration interval_{};  // between two; zero: no limit
  Duration credit_max_{};
  TimePoint next_ = TimePoint::min();  // as if all had come evenly
};

}  // namespace cwire
