#pragma once

#include <chrono>

#include "net/poller.h"

namespace cwire {

// Tells one I/O thread that the machine was suspended meanwhile. Timers run on the monotonic clock, which stands still
// in a suspend; the peers' time went on, and they may have given up what we still take for connected. The boot-time
// clock goes on as well, so it has then run ahead of the monotonic one.
//
// Costs nothing until it happens: the kernel makes a descriptor readable when the wall clock jumps, as it does after a
// suspend. Whether it was one the two other clocks tell, so that setting the wall clock is none.
class SuspendWatch final : private Poller::Watcher {
 public:
  class Listener {
   public:
    virtual void on_suspended() = 0;  // on the thread of the poller

   protected:
    ~Listener() = default;
  };

  // Throws Error(INTERNAL) when out of descriptors or memory. A system that has no such timers goes without: then the
  // next ping finds out.
  SuspendWatch(Poller& poller, Listener& listener);
  ~SuspendWatch();
  SuspendWatch(const SuspendWatch&) = delete;
  SuspendWatch& operator=(const SuspendWatch&) = delete;

 private:
  void on_ready(bool readable, bool writable) override;
  void wait_for_jump();

  Poller& poller_;
  Listener& listener_;
  int timer_;
  std::chrono::nanoseconds ahead_;  // how far the boot-time clock was ahead of the monotonic one
};

}  // namespace cwire
