#pragma once

#include <time.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "net/poller.h"
#include "net/timer_queue.h"

namespace cwire {

// One thread and its loop. A turn is: wait for readiness, serve what is ready, run what other threads posted, fire
// timers, then end_of_turn of the owner, where events are delivered and output is flushed once.
//
// Watchers, tasks, timers and the owner do not throw. The loop cannot know whose promise an exception broke, and to
// swallow it would leave something half-done in silence; so run() is noexcept and what escapes ends the process with
// the throwing stack in the core. Whoever can name the one connection an exception belongs to catches it there: see
// Channel.
class IoThread {
 public:
  class Owner {
   public:
    virtual void begin_thread() = 0;
    virtual void end_of_turn() = 0;

   protected:
    ~Owner() = default;
  };

  static constexpr std::size_t kReceiveBufferSize = 64 << 10;

  // `name`: as Poller's name_this_thread.
  explicit IoThread(Owner& owner, const char* name = "cwire-io");
  ~IoThread();  // stopped and joined before

  void start();  // throws Error(INTERNAL) if no thread is to be had
  // The loop ends after the turn in which this was called, or the next one if that is needed to run what was posted
  // before. From any thread.
  void stop();
  void join();

  // What the thread has used of a processor so far, in nanoseconds; 0 before it has begun and after it has ended. From
  // any thread.
  std::uint64_t cpu_ns() const;
  bool is_current() const { return std::this_thread::get_id() == id_.load(std::memory_order_relaxed); }
  // Runs `task` on this thread in a coming turn, in order of posting. From any thread. Throws std::bad_alloc.
  void post(std::function<void()> task);
  // Another turn soon, from any thread; costs a system call only if the thread sleeps.
  void wake();

  // Of this thread only.
  Poller& poller() { return poller_; }
  TimerQueue& timers() { return timers_; }
  TimePoint now() const { return now_; }  // read once per turn
  char* receive_buffer() { return receive_buffer_.get(); }

 private:
  void run() noexcept;
  void run_posted();

  Owner& owner_;
  const char* const name_;
  Poller poller_;
  TimerQueue timers_;
  TimePoint now_;
  std::unique_ptr<char[]> receive_buffer_;
  std::thread thread_;
  std::atomic<std::thread::id> id_{};
  static constexpr clockid_t kNoClock = CLOCK_REALTIME;
  std::atomic<clockid_t> cpu_clock_{kNoClock};
  std::atomic<bool> stopping_{false};
  // work_pending_ is set by every wake(), asleep_ before sleeping. Each side first sets its own and then looks at the
  // other's, in one total order, so one of them sees the other and no wake-up is lost. Who clears asleep_ pays for the
  // system call.
  std::atomic<bool> asleep_{false};
  std::atomic<bool> work_pending_{false};
  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;
  std::vector<std::function<void()>> running_;
};

}  // namespace cwire
