#include "net/wake_fd.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

#include "base/failure.h"

namespace cwire {

WakeFd::WakeFd() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0) {
    throw Error(CWIRE_E_INTERNAL,
                "no descriptor for wake-ups: " + std::generic_category().message(errno) +
                    "; raise the limit of open files (ulimit -n)",
                FailurePhase::none, os_error(errno));
  }
}

WakeFd::~WakeFd() { ::close(descriptor_); }

void WakeFd::set() {
  const std::uint64_t one = 1;
  // Fails only when the counter is at its maximum, and then the descriptor is readable already.
  while (::write(descriptor_, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

void WakeFd::clear() {
  std::uint64_t count;
  while (::read(descriptor_, &count, sizeof count) < 0 && errno == EINTR) {
  }
}

}  // namespace cwire
