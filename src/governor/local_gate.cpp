#include "governor/local_gate.h"

#include <algorithm>

namespace cwire {

namespace {

constexpr Duration kFirst = std::chrono::seconds(1);
constexpr Duration kMost = std::chrono::seconds(30);
// Nobody is told how the probe of another manager went.
constexpr Duration kWhileProbing = std::chrono::milliseconds(250);

}  // namespace

LocalGate& LocalGate::of_process() {
  static LocalGate& gate = *new LocalGate(std::random_device{}());  // never destroyed: a thread may ask during exit()
  return gate;
}

bool LocalGate::pass(TimePoint now, bool& probe) {
  const std::lock_guard<std::mutex> lock(mutex_);
  probe = false;
  if (is_open_) return true;
  if (probing_ || now < until_) return false;
  probe = probing_ = true;
  return true;
}

void LocalGate::failed(bool was_probe, TimePoint now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (was_probe) {
    probing_ = false;
  } else if (!is_open_) {
    return;  // began before it closed
  }
  is_open_ = false;
  Duration wait = kFirst;
  for (std::uint32_t i = 0; i < closings_ && wait < kMost; ++i) wait *= 2;
  wait = std::min(wait, kMost);
  ++closings_;
  until_ = now + Duration(std::uniform_int_distribution<Duration::rep>((wait - wait / 5).count(),
                                                                       (wait + wait / 5).count())(random_));
}

void LocalGate::succeeded(bool was_probe) {
  if (!was_probe) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  probing_ = false;
  is_open_ = true;
  closings_ = 0;
}

void LocalGate::gave_up(bool was_probe) {
  if (!was_probe) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  probing_ = false;
}

void LocalGate::abandon() {
  is_open_ = true;
  probing_ = false;
  closings_ = 0;
}

TimePoint LocalGate::ask_again_at(TimePoint now) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return is_open_ ? now : std::max(until_, now + (probing_ ? kWhileProbing : Duration::zero()));
}

}  // namespace cwire
