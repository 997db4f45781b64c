#include "threads.h"

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <utility>
#include <vector>

#include "calls.h"

namespace {

using failures::Call;

Call of_pthread_create("threads", "pthread_create", {{"EAGAIN", EAGAIN}});

std::atomic<std::size_t> unjoined{0};
std::mutex mutex;  // guards what follows
std::vector<pthread_t> let_go;

struct Start {
  void* (*function)(void*);
  void* argument;
};

// A thread is the library's from here on. What comes before is the C library's and the sanitizer's.
void* begin_thread(void* argument) {
  const Start start = *static_cast<Start*>(argument);
  delete static_cast<Start*>(argument);
  failures::begin_inside();
  return start.function(start.argument);
}

}  // namespace

extern "C" {

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*function)(void*),
                   void* argument) noexcept {
  static const auto real = reinterpret_cast<decltype(&pthread_create)>(dlsym(RTLD_NEXT, "pthread_create"));
  int error = of_pthread_create.failure();
  if (error != 0) return error;
  const failures::Outside not_counted;
  auto* start = new Start{function, argument};
  error = real(thread, attributes, begin_thread, start);
  if (error == 0) {
    ++unjoined;
  } else {
    delete start;
  }
  return error;
}

int pthread_join(pthread_t thread, void** result) {
  static const auto real = reinterpret_cast<decltype(&pthread_join)>(dlsym(RTLD_NEXT, "pthread_join"));
  const int error = real(thread, result);
  if (error == 0) --unjoined;
  return error;
}

// It stays joinable, for threads_left().
int pthread_detach(pthread_t thread) noexcept {
  const failures::Outside not_counted;
  const std::lock_guard<std::mutex> lock(mutex);
  let_go.push_back(thread);
  return 0;
}

}  // extern "C"

std::size_t failures::threads_left() {
  for (;;) {
    std::vector<pthread_t> threads;
    {
      const std::lock_guard<std::mutex> lock(mutex);
      threads = std::exchange(let_go, {});
    }
    if (threads.empty()) return unjoined;
    for (const pthread_t thread : threads) pthread_join(thread, nullptr);
  }
}
