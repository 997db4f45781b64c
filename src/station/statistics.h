#pragma once

#include <chargewire/chargewire.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

#include "station/connection_quality.h"

namespace cwire {

// Written by the station's I/O thread alone, read by any: relaxed atomics, and a lock only around what no message
// touches.
class Statistics {
 public:
  struct Counter {
    // A plain load and store: there is one writer, and a locked add would cost more than the rest of the message.
    void add(std::uint64_t n) { value.store(value.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
    std::uint64_t get() const { return value.load(std::memory_order_relaxed); }
    void set(std::uint64_t n) { value.store(n, std::memory_order_relaxed); }
    std::atomic<std::uint64_t> value{0};
  };

  Counter messages_sent, messages_received, bytes_sent, bytes_received, messages_not_sent, messages_dropped;
  // As they stood in frames. Counters of their own: what is made of two goes back when it is read between them.
  Counter wire_bytes_sent, wire_bytes_received;
  Counter attempts, connections, reading_pauses;
  Counter connected_at_ns, disconnected_at_ns, last_message_at_ns, last_alive_at_ns;
  Counter compressed;  // permessage-deflate was agreed on with the present or the last connection

  static cwire_failure none() {
    cwire_failure numbers{};
    numbers.size = sizeof numbers;
    return numbers;
  }
  // The last failure, in words and in numbers.
  struct LastFailure {
    std::string words;
    cwire_failure numbers = none();
  };
  void set_last_failure(LastFailure failure) {
    std::lock_guard<std::mutex> lock(mutex_);
    std::swap(last_failure_, failure);
  }
  // For the writer itself: stays as long as it sets no other.
  const std::string& last_words() const { return last_failure_.words; }
  LastFailure last_failure() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return last_failure_;
  }

  // change(ConnectionQuality&)
  template <typename Change>
  void quality(Change change) {
    std::lock_guard<std::mutex> lock(mutex_);
    change(quality_);
  }
  ConnectionQuality quality() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return quality_;
  }

 private:
  mutable std::mutex mutex_;
  LastFailure last_failure_;
  ConnectionQuality quality_;
};

}  // namespace cwire
