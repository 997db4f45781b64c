#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "net/wake_fd.h"

namespace cwire {

// Readiness of descriptors, level-triggered, and a wake-up from other threads. Here, in wake_fd.cpp and in
// suspend_watch.cpp are the calls that are not POSIX (epoll, eventfd, timerfd, thread names): a port begins here.
class Poller {
 public:
  // Ready descriptors call this, on the thread that waits.
  class Watcher {
   public:
    virtual void on_ready(bool readable, bool writable) = 0;

   protected:
    ~Watcher() = default;
  };

  Poller();  // throws Error(INTERNAL) when out of descriptors
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // Errors and hang-ups count as readable and writable, so that the next read or write tells which. They are told also
  // when neither is asked for: who wants to hear nothing at all removes.
  void add(int descriptor, Watcher& watcher, bool read, bool write);     // throws Error(INTERNAL)
  void change(int descriptor, Watcher& watcher, bool read, bool write);  // throws Error(INTERNAL)
  // After this the watcher is not called any more, also not for events already fetched.
  void remove(int descriptor, Watcher& watcher);

  // Waits until something is ready, wake() is called or `deadline` has passed. Returns the time.
  TimePoint wait(TimePoint deadline);
  // Calls the watchers of what wait() found ready. A watcher may add, change and remove any descriptor, but not wait.
  // False: there may be more that is ready than one call serves.
  bool serve();
  // From a watcher: serve() ends behind it. Who was not served comes first in the next, and wait() does not wait.
  void stop_serving() { stops_serving_ = true; }
  // From any thread.
  void wake();

 private:
  static constexpr int kBatch = 256;
  WakeFd wake_;
  int epoll_ = -1;
  bool stops_serving_ = false;
  struct Fetched;
  Fetched* fetched_;  // what serve() is going through, so that remove() can strike entries
};

// The name that debuggers and `top -H` show for the calling thread; at most 15 bytes.
void name_this_thread(const char* name);

}  // namespace cwire
