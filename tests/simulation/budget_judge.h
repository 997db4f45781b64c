#pragma once

#include <cstddef>
#include <cstdint>

#include "trace.h"

namespace simulation {

// What came to pass in a run, so that it can be seen whether the seeds try it.
struct OfflineUse {
  std::uint64_t kept = 0;
  std::uint64_t returned = 0;  // from a connection that was lost
  std::uint64_t replayed = 0;
  std::uint64_t expired = 0;
  std::uint64_t dropped = 0;
  std::uint64_t refused = 0;  // or dropped, for the sake of all
};

// What the offline queues of all stations hold together, as their judges count it: never more than the budget, and
// whoever is refused for its sake is told of, once until half of it is free again.
class BudgetJudge {
 public:
  BudgetJudge(Trace& trace, std::uint64_t bytes_max) : trace_(trace), bytes_max_(bytes_max) {}

  // A message comes, is kept or dropped, leaves. Whether one that comes counts already only the queue knows.
  void comes(std::size_t size) {
    bytes_ += size;
    coming_ += size;
  }
  void is_kept(std::size_t size) { coming_ -= size; }
  void is_dropped(std::size_t size) {
    bytes_ -= size;
    coming_ -= size;
    may_be_told_again_ = may_be_told_again_ || bytes_ - coming_ <= bytes_max_ / 2;
  }
  void leaves(std::size_t size) {
    bytes_ -= size;
    may_be_told_again_ = may_be_told_again_ || bytes_ - coming_ <= bytes_max_ / 2;
    must_be_told_again_ = must_be_told_again_ || is_half_free();
  }
  bool is_exceeded() const { return bytes_ > bytes_max_; }
  bool would_be_exceeded(std::size_t size) const { return bytes_ + size > bytes_max_; }
  bool is_half_free() const { return bytes_ <= bytes_max_ / 2; }

  // A message, while the budget was exceeded; `by_this_alone`: nothing else was full.
  void refused(bool by_this_alone) {
    ++use.refused;
    is_news_ = true;
    if (by_this_alone && must_be_told_again_) must_be_told_ = true;
  }
  void told() {
    require(is_news_ && may_be_told_again_, "the budget is said to be used up when it is, and once");
    is_news_ = must_be_told_ = may_be_told_again_ = must_be_told_again_ = false;
  }
  // Somebody has looked after his queue.
  void tended() const { require(!must_be_told_, "it is told that the budget is used up"); }

  OfflineUse use;

 private:
  void require(bool kept, const char* promise) const {
    if (!kept) trace_.broken(kNoStation, promise);
  }

  Trace& trace_;
  const std::uint64_t bytes_max_;
  std::uint64_t bytes_ = 0;
  std::uint64_t coming_ = 0;  // of them
  bool is_news_ = false;      // somebody was refused since it was told
  bool must_be_told_ = false;
  // Half of it was free since then: perhaps, surely.
  bool may_be_told_again_ = true;
  bool must_be_told_again_ = true;
};

}  // namespace simulation
