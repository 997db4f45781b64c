#pragma once

#include <cstdint>
#include <mutex>
#include <random>

#include "base/time.h"

namespace cwire {

// Closed while this process is out of descriptors, memory or ports: there is no sense in trying for another station
// what has just failed for one, whatever the endpoint. It closes for 1 s, doubling to 30 s, +-20 %; then one attempt
// may try, and if it gets what it needs all may. From any thread.
class LocalGate {
 public:
  explicit LocalGate(std::uint32_t seed) : random_(seed) {}
  // All managers share the process's.
  static LocalGate& of_process();

  // Claims the right to begin an attempt; `probe` says that it is the one which tries. True: say how it went.
  bool pass(TimePoint now, bool& probe);
  void failed(bool was_probe, TimePoint now);  // for want of something local
  void succeeded(bool was_probe);              // whatever happened, nothing local was wanting
  void gave_up(bool was_probe);                // it ended before it could tell
  // For fork(): held around it, and in the child, whose attempts have nothing to do with the parent's, begun anew.
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }
  void abandon();
  // When to ask again after pass() said no.
  TimePoint ask_again_at(TimePoint now) const;

 private:
  mutable std::mutex mutex_;
  bool is_open_ = true;
  bool probing_ = false;
  std::uint32_t closings_ = 0;
  TimePoint until_{};
  std::minstd_rand random_;
};

}  // namespace cwire
