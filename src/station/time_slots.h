#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace cwire {

// What happened lately, in constant memory: one value for each slot of time, where the present slot and the `kept`
// before it are known and all before is forgotten. So nothing is forgotten before it is `kept` slots old, and nothing
// remembered when it is one slot older.
template <typename Value, std::size_t kept, std::int64_t slot_seconds>
class TimeSlots {
 public:
  // Of the slot of `now`, Value() at first.
  Value& at(TimePoint now) {
    const std::uint32_t number = number_of(now);
    for (std::size_t passed = age(number); passed > 0; --passed) {
      values_[(number - (passed - 1)) % values_.size()] = Value();
    }
    if (age(number) > 0) newest_ = number;
    return values_[newest_ % values_.size()];
  }

  // Calls visit(value) for each slot that is not forgotten at `now`, in no order.
  template <typename Visit>
  void each(TimePoint now, Visit visit) const {
    const std::size_t passed = age(number_of(now));
    for (std::size_t i = 0; i + passed < values_.size(); ++i) visit(values_[(newest_ - i) % values_.size()]);
  }

 private:
  static std::uint32_t number_of(TimePoint now) {
    // Never below the number of slots, so that what is subtracted from it does not wrap.
    return static_cast<std::uint32_t>(now.time_since_epoch() / std::chrono::seconds(slot_seconds)) + 2 * kSlots;
  }
  // How many slots have begun since the newest, all of them at most. Who reads may be a moment behind who writes.
  std::size_t age(std::uint32_t number) const {
    if (number <= newest_) return 0;
    return number - newest_ < kSlots ? number - newest_ : kSlots;
  }

  static constexpr std::uint32_t kSlots = kept + 1;
  std::array<Value, kSlots> values_{};
  std::uint32_t newest_ = kSlots;
};

}  // namespace cwire
