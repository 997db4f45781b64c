#include "net/process_exit.h"

#include <openssl/ssl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

namespace cwire::process_exit {

namespace {

std::atomic<bool> exiting{false};
// The presence of the calling thread, if it is an I/O thread: exit() may be called inside a handler.
thread_local const Presence* mine = nullptr;

struct Presences {
  std::mutex mutex;
  std::vector<Presence*> all;
};
Presences& presences() {
  static Presences& known = *new Presences;  // outlives every destructor that runs at exit
  return known;
}

}  // namespace

Presence::Presence() {
  Presences& known = presences();
  const std::lock_guard<std::mutex> lock(known.mutex);
  known.all.push_back(this);
  mine = this;
}

Presence::~Presence() {
  Presences& known = presences();
  const std::lock_guard<std::mutex> lock(known.mutex);
  known.all.erase(std::remove(known.all.begin(), known.all.end(), this), known.all.end());
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
  for (const Presence* presence : known.all) {
    while (presence != mine && presence->busy_.load() && std::chrono::steady_clock::now() < patience) {
      std::this_thread::yield();
    }
  }
}

void lock() { presences().mutex.lock(); }
void unlock() { presences().mutex.unlock(); }
void abandon() { presences().all.clear(); }

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
