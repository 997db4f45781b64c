#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace cwire {

// Counts of one thread that any thread may read. A plain load and store, as in station/statistics.h.
struct OwnCell {
  void add(std::uint64_t n) { value.store(value.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  std::uint64_t get() const { return value.load(std::memory_order_relaxed); }
  std::atomic<std::uint64_t> value{0};
};

// Counts of many threads: for what happens once per connection, not once per message.
struct SharedCell {
  void add(std::uint64_t n) { value.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t get() const { return value.load(std::memory_order_relaxed); }
  std::atomic<std::uint64_t> value{0};
};

// The upper bounds of a histogram's buckets, each included, ascending; above the last one there is +Inf.
struct Bound {
  std::uint64_t value;  // nanoseconds, bytes or a number
  const char* text;     // the value of the label `le`, as OpenMetrics writes numbers
};
struct Bounds {
  static constexpr std::size_t kMax = 16;
  template <std::size_t kSize>
  constexpr Bounds(const Bound (&bounds)[kSize]) : first(bounds), size(kSize) {
    static_assert(kSize <= kMax, "the cells of a histogram have room for so many");
  }
  std::size_t bucket_of(std::uint64_t value) const {
    std::size_t bucket = 0;
    while (bucket < size && value > first[bucket].value) ++bucket;
    return bucket;
  }
  const Bound* first;
  std::size_t size;
};

// A histogram at one moment. Buckets are counted apart; who shows them adds them up.
struct HistogramValues {
  explicit HistogramValues(const Bounds& of) : bounds(&of) {}
  void observe(std::uint64_t value) {
    ++buckets[bounds->bucket_of(value)];
    sum += value;
  }
  const Bounds* bounds;
  std::array<std::uint64_t, Bounds::kMax + 1> buckets{};
  std::uint64_t sum = 0;
};

template <class Cell>
class Histogram {
 public:
  explicit Histogram(const Bounds& bounds) : bounds_(bounds) {}
  void observe(std::uint64_t value) {
    buckets_[bounds_.bucket_of(value)].add(1);
    sum_.add(value);
  }
  void add_to(HistogramValues& values) const {
    for (std::size_t i = 0; i <= bounds_.size; ++i) values.buckets[i] += buckets_[i].get();
    values.sum += sum_.get();
  }
  HistogramValues values() const {
    HistogramValues values(bounds_);
    add_to(values);
    return values;
  }

 private:
  const Bounds& bounds_;
  std::array<Cell, Bounds::kMax + 1> buckets_;
  Cell sum_;
};

}  // namespace cwire
