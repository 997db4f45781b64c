#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

#include "base/time.h"

// What waits are made of.
namespace cwire {

// Also where `high` is no more than `low`.
inline Duration uniform(std::minstd_rand& random, Duration low, Duration high) {
  return Duration(std::uniform_int_distribution<Duration::rep>(low.count(), std::max(low, high).count())(random));
}

// base * 2^doublings, at most `most`. Ends there: 35 turns from 1 ms to a year.
inline Duration doubled(Duration base, std::uint32_t doublings, Duration most) {
  while (doublings-- > 0 && base < most) base *= 2;
  return std::min(base, most);
}

}  // namespace cwire
