#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "run_record.h"

namespace fleet {

// The samples of a run, however long it is: of one second each at first, and when there are too many, of two seconds,
// of four and so on.
class Samples {
 public:
  void add(const Sample& sample) {
    pending_ = pending_count_ == 0 ? sample : merged(pending_, sample);
    if (++pending_count_ < per_sample_) return;
    keep_pending();
    if (samples_.size() < RunRecord::samples_max) return;
    for (std::size_t i = 0; i < samples_.size() / 2; ++i) samples_[i] = merged(samples_[2 * i], samples_[2 * i + 1]);
    samples_.resize(samples_.size() / 2);
    per_sample_ *= 2;
  }

  // All of them, the last perhaps of a shorter time.
  std::vector<Sample> take() {
    if (pending_count_ > 0) keep_pending();
    return std::move(samples_);
  }

 private:
  void keep_pending() {
    samples_.push_back(pending_);
    pending_count_ = 0;
  }

  static Percentiles larger(const Percentiles& a, const Percentiles& b) {
    return {a.count + b.count, std::max(a.p50, b.p50), std::max(a.p90, b.p90), std::max(a.p99, b.p99),
            std::max(a.max, b.max)};
  }

  // One that spans both.
  static Sample merged(const Sample& first, const Sample& second) {
    Sample result = second;
    result.span = first.span + second.span;
    const double share = result.span > 0 ? first.span / result.span : 0;
    for (double Sample::*const rate :
         {&Sample::messages_sent, &Sample::messages_received, &Sample::bytes_sent, &Sample::bytes_received,
          &Sample::calls_sent, &Sample::calls_answered, &Sample::calls_failed, &Sample::connects, &Sample::disconnects,
          &Sample::attempts_failed, &Sample::cpu}) {
      result.*rate = first.*rate * share + second.*rate * (1 - share);
    }
    result.round_trip = larger(first.round_trip, second.round_trip);
    result.call_latency = larger(first.call_latency, second.call_latency);
    result.resident_bytes = std::max(first.resident_bytes, second.resident_bytes);
    return result;
  }

  std::vector<Sample> samples_;
  Sample pending_;  // of `pending_count_`, and kept when that many are per sample
  std::size_t pending_count_ = 0;
  std::size_t per_sample_ = 1;
};

}  // namespace fleet
