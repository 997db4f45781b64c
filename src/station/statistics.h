#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "base/failure.h"

namespace cwire {

// Written by the station's I/O thread alone, read by any: relaxed atomics, and a lock only around the words.
class Statistics {
 public:
  struct Counter {
    // A plain load and store: there is one writer, and a locked add would cost more than the rest of the message.
    void add(std::uint64_t n) { value.store(value.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
    std::uint64_t get() const { return value.load(std::memory_order_relaxed); }
    void set(std::uint64_t n) { value.store(n, std::memory_order_relaxed); }
    std::atomic<std::uint64_t> value{0};
  };

  Counter messages_sent, messages_received, bytes_sent, bytes_received, messages_not_sent;
  Counter attempts, connections;
  Counter connected_at_ns, disconnected_at_ns, last_message_at_ns, round_trip_ns;

  void set_last_error(const Failure& failure) {
    std::lock_guard<std::mutex> lock(mutex_);
    last_error_ = failure;
  }
  // For the writer itself: stays as long as it sets no other.
  const std::string& last_words() const { return last_error_.message; }
  Failure last_error() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return last_error_;
  }

 private:
  mutable std::mutex mutex_;
  Failure last_error_;
};

}  // namespace cwire
