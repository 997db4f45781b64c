#include "net/process_exit.h"

#include <openssl/ssl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <mutex>
#include <new>
#include <thread>

namespace cwire::process_exit {

namespace {

std::atomic<bool> exiting{false};
// The presence of the calling thread, if it is an I/O thread: exit() may be called inside a handler.
thread_local const Presence* mine = nullptr;

struct Presences {
  std::mutex mutex;
  Presence* first = nullptr;
};
Presences& presences() {
  // Outlives every destructor that runs at exit, and needs no memory.
  alignas(Presences) static unsigned char place[sizeof(Presences)];
  static Presences& known = *new (place) Presences;
  return known;
}

}  // namespace

Presence::Presence() {
  Presences& known = presences();
  const std::lock_guard<std::mutex> lock(known.mutex);
  next_ = known.first;
  if (next_ != nullptr) next_->previous_ = this;
  known.first = this;
  mine = this;
}

Presence::~Presence() {
  Presences& known = presences();
  const std::lock_guard<std::mutex> lock(known.mutex);
  if (next_ != nullptr) next_->previous_ = previous_;
  (previous_ != nullptr ? previous_->next_ : known.first) = next_;
  mine = nullptr;
}

bool Presence::begun() { return process_exit::begun(); }

void Presence::stay() {
  busy_.store(false);
  for (;;) ::pause();
}

bool begun() { return exiting.load(); }

void wait_for_all() {
  exiting.store(true);
  // A handler that blocks must not keep the process from ending.
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  Presences& known = presences();
  const std::lock_guard<std::mutex> lock(known.mutex);
  for (const Presence* presence = known.first; presence != nullptr; presence = presence->next_) {
    while (presence != mine && presence->busy_.load() && std::chrono::steady_clock::now() < patience) {
      std::this_thread::yield();
    }
  }
}

void lock() { presences().mutex.lock(); }
void unlock() { presences().mutex.unlock(); }
void abandon() { presences().first = nullptr; }

void prepare() {
  static const bool prepared = [] {
    // Where we are the first to use OpenSSL, it leaves its state to the kernel.
    OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, nullptr);
    // Handlers run last in, first out: ours before those of whoever was there before us.
    std::atexit([] { wait_for_all(); });
    return true;
  }();
  static_cast<void>(prepared);
}

}  // namespace cwire::process_exit
