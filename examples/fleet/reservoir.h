#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "run_record.h"

namespace fleet {

// Sorts as far as it must, and changes the order of `values`.
template <class Number>
Percentiles percentiles_of(std::vector<Number>& values) {
  Percentiles result;
  result.count = values.size();
  if (values.empty()) return result;
  auto from = values.begin();
  // The smallest value that is not less than so many of the others.
  const auto at = [&](double share) {
    const auto position =
        values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1) + 0.5);
    std::nth_element(from, position, values.end());
    from = position;  // all before it is smaller
    return static_cast<double>(*position);
  };
  result.p50 = at(0.50);
  result.p90 = at(0.90);
  result.p99 = at(0.99);
  result.max = static_cast<double>(*std::max_element(from, values.end()));
  return result;
}

// Of all that was measured, so many, each with the same chance (Vitter's algorithm R): what a run of days leaves room
// for.
class Reservoir {
 public:
  explicit Reservoir(std::size_t capacity) : capacity_(capacity) {}

  void add(double value) {
    ++count_;
    max_ = std::max(max_, value);
    if (values_.size() < capacity_) {
      values_.push_back(static_cast<float>(value));
    } else if (const std::uint64_t place = std::uniform_int_distribution<std::uint64_t>(0, count_ - 1)(random_);
               place < capacity_) {
      values_[place] = static_cast<float>(value);
    }
  }

  Percentiles percentiles() const {
    std::vector<float> values = values_;
    Percentiles result = percentiles_of(values);
    result.count = count_;
    result.max = max_;
    return result;
  }

 private:
  std::size_t capacity_;
  std::uint64_t count_ = 0;
  double max_ = 0;
  std::vector<float> values_;
  std::minstd_rand random_;
};

}  // namespace fleet
