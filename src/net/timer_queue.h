#pragma once

#include <cstddef>
#include <vector>

#include "base/time.h"

namespace cwire {

// The deadlines of one I/O thread: a binary heap of intrusive nodes, so that arming and cancelling never allocate once
// a timer is registered.
class TimerQueue {
 public:
  class Timer {
   public:
    virtual void on_timer(TimePoint now) = 0;

   protected:
    Timer() = default;
    ~Timer() = default;  // must be unregistered before

   private:
    friend class TimerQueue;
    static constexpr std::size_t kIdle = static_cast<std::size_t>(-1);
    TimePoint deadline_ = kNever;
    std::size_t position_ = kIdle;
  };

  // Makes room for one more timer; throws std::bad_alloc. Each register needs one unregister.
  void register_timer();
  void unregister_timer(Timer& timer);  // also cancels

  // kNever cancels. Re-arming an armed timer moves it.
  void arm(Timer& timer, TimePoint deadline);
  void cancel(Timer& timer);

  TimePoint next() const;  // kNever if none is armed
  // Fires every timer whose deadline is not after `now`, earliest first. A timer is cancelled before it fires. on_timer
  // may arm, cancel, register and unregister any timer; what it arms fires in a later run, so that a run always ends.
  void run(TimePoint now);

 private:
  std::vector<Timer*> heap_;
  // What run() is going through, taken off the heap before the first is fired; null: cancelled or re-armed meanwhile.
  std::vector<Timer*> due_;
  std::size_t registered_ = 0;
  // Positions from here on are in due_, below in heap_.
  static constexpr std::size_t kDue = ~(static_cast<std::size_t>(-1) >> 1);

  void detach(Timer& timer);
  void place(std::size_t position, Timer* timer);
  void sift_up(std::size_t position);
  void sift_down(std::size_t position);
};

}  // namespace cwire
