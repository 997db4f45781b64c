#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace bench {

// Counts on any thread; another waits until enough is counted.
class Progress {
 public:
  void add(std::uint64_t number) {
    // Each side first writes its own word and then reads the other's, so one of them sees the other.
    if (count_.fetch_add(number) + number < target_.load()) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    reached_.notify_all();
  }
  void wait(std::uint64_t target) {
    target_.store(target);
    std::unique_lock<std::mutex> lock(mutex_);
    reached_.wait(lock, [&] { return count_.load() >= target; });
  }
  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::uint64_t> target_{UINT64_MAX};
  std::mutex mutex_;
  std::condition_variable reached_;
};

// Threads of a program that does not answer where it hears: each calls `answer` for the stations that it is handed.
// They run until the process ends.
class AnswerThreads {
 public:
  AnswerThreads(std::uint32_t number, std::function<void(std::uint32_t station)> answer)
      : answer_(std::move(answer)), threads_(number) {
    for (std::unique_ptr<Thread>& thread : threads_) {
      thread = std::make_unique<Thread>();
      std::thread([this, own = thread.get()] { run(*own); }).detach();
    }
  }

  // From any thread.
  void hand(std::uint32_t thread, const std::vector<std::uint32_t>& stations) {
    if (stations.empty()) return;
    Thread& to = *threads_[thread];
    const std::lock_guard<std::mutex> lock(to.mutex);
    to.handed.insert(to.handed.end(), stations.begin(), stations.end());
    to.something.notify_one();
  }

 private:
  struct Thread {
    std::mutex mutex;
    std::condition_variable something;
    std::vector<std::uint32_t> handed;
  };

  [[noreturn]] void run(Thread& own) {
    std::vector<std::uint32_t> stations;
    for (;;) {
      {
        std::unique_lock<std::mutex> lock(own.mutex);
        own.something.wait(lock, [&] { return !own.handed.empty(); });
        stations.swap(own.handed);
      }
      for (const std::uint32_t station : stations) answer_(station);
      stations.clear();
    }
  }

  const std::function<void(std::uint32_t)> answer_;
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace bench
