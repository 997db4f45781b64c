#pragma once

#include <atomic>

namespace cwire {

// exit() with living managers. What exit() takes down, OpenSSL's state above all where the host set it up before us,
// must not go while an I/O thread uses it. So the library has an exit handler of its own, which waits until each of its
// threads is between two turns, and no turn begins after that.
namespace process_exit {

// Where an I/O thread is. Registered while the thread runs; that needs no memory, for a thread that has begun has
// nobody to tell that there is none.
class Presence {
 public:
  Presence();
  ~Presence();
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

  // Between two turns nothing that exit() takes down is touched. A turn does not begin once the process exits: the
  // thread stays inside enter() for what is left of the process's life.
  void leave() { busy_.store(false); }
  void enter() {
    busy_.store(true);
    if (begun()) stay();
  }
  static bool begun();

 private:
  friend void wait_for_all();
  [[noreturn]] void stay();
  std::atomic<bool> busy_{true};
  Presence* previous_ = nullptr;
  Presence* next_ = nullptr;
};

void wait_for_all();

// Before the first use of OpenSSL and the first thread; again is harmless.
void prepare();
// Around fork(), see abi/fork.h; abandon() in the child, which has none of these threads: its exit() must not wait for
// them.
void lock();
void unlock();
void abandon();
// The process is in exit(), and I/O threads do nothing any more: nobody must wait for them.
bool begun();

}  // namespace process_exit

}  // namespace cwire
