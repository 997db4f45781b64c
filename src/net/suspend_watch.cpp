#include "net/suspend_watch.h"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <limits>

#include "base/failure.h"
#include "net/errno_text.h"

namespace cwire {

namespace {

// Shorter suspends no peer minds.
constexpr std::chrono::seconds kShortest{1};

std::chrono::nanoseconds read_clock(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// In this order: a thread that is held up between the two makes it less, and takes nothing for a suspend.
std::chrono::nanoseconds boot_time_ahead() {
  const auto boot = read_clock(CLOCK_BOOTTIME);
  return boot - read_clock(CLOCK_MONOTONIC);
}

}  // namespace

SuspendWatch::SuspendWatch(Poller& poller, Listener& listener)
    : poller_(poller),
      listener_(listener),
      timer_(::timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK)),
      ahead_(boot_time_ahead()) {
  if (timer_ < 0) {
    const int error = errno;
    if (!is_local_failure(error)) return;
    throw Error(CWIRE_E_INTERNAL, "timerfd_create: " + errno_text(error) + "; " + errno_advice(error),
                FailurePhase::none, os_error(error));
  }
  wait_for_jump();
  try {
    poller_.add(timer_, *this, true, false);
  } catch (...) {
    ::close(timer_);
    throw;
  }
}

SuspendWatch::~SuspendWatch() {
  if (timer_ < 0) return;
  poller_.remove(timer_, *this);
  ::close(timer_);
}

// A time that never comes; what is waited for is that the clock jumps on the way.
void SuspendWatch::wait_for_jump() {
  itimerspec never{};
  never.it_value.tv_sec = std::numeric_limits<time_t>::max();
  ::timerfd_settime(timer_, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, nullptr);
}

void SuspendWatch::on_ready(bool, bool) {
  std::uint64_t expirations;
  // Fails with ECANCELED: that is the news.
  const ssize_t ignored = ::read(timer_, &expirations, sizeof expirations);
  static_cast<void>(ignored);
  wait_for_jump();
  const auto before = ahead_;
  ahead_ = boot_time_ahead();
  if (ahead_ - before >= kShortest) listener_.on_suspended();
}

}  // namespace cwire
