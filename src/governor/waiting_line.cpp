#include "governor/waiting_line.h"

namespace cwire {

namespace {

constexpr std::array<int, kPriorities> kWeights{8, 4, 1};
constexpr Duration kAge = std::chrono::seconds(30);

}  // namespace

void WaitingLine::add(Waiter& waiter, Priority priority, TimePoint now) {
  waiter.priority_ = priority;
  append(waiter, priority, now);
  ++waiting_[static_cast<std::size_t>(priority)];
  ++size_;
}

void WaitingLine::remove(Waiter& waiter) {
  unlink(waiter);
  --waiting_[static_cast<std::size_t>(waiter.priority_)];
  --size_;
}

// Smooth weighted round robin: each lane where somebody waits earns its weight, the richest pays for all.
Waiter* WaitingLine::take(TimePoint now) {
  if (size_ == 0) return nullptr;
  move_up_the_aged(now);
  Lane* richest = nullptr;
  int total = 0;
  for (std::size_t i = 0; i < kPriorities; ++i) {
    Lane& lane = lanes_[i];
    if (lane.first == nullptr) {
      lane.credit = 0;
      continue;
    }
    lane.credit += kWeights[i];
    total += kWeights[i];
    if (richest == nullptr || lane.credit > richest->credit) richest = &lane;
  }
  richest->credit -= total;
  Waiter* waiter = richest->first;
  remove(*waiter);
  return waiter;
}

void WaitingLine::append(Waiter& waiter, Priority priority, TimePoint now) {
  Lane& lane = lanes_[static_cast<std::size_t>(priority)];
  waiter.lane_ = priority;
  waiter.since_ = now;
  waiter.previous_ = lane.last;
  (lane.last == nullptr ? lane.first : lane.last->next_) = &waiter;
  lane.last = &waiter;
}

void WaitingLine::unlink(Waiter& waiter) {
  Lane& lane = lanes_[static_cast<std::size_t>(waiter.lane_)];
  (waiter.previous_ == nullptr ? lane.first : waiter.previous_->next_) = waiter.next_;
  (waiter.next_ == nullptr ? lane.last : waiter.next_->previous_) = waiter.previous_;
  waiter.next_ = waiter.previous_ = nullptr;
}

void WaitingLine::move_up_the_aged(TimePoint now) {
  for (std::size_t i = 1; i < kPriorities; ++i) {
    while (lanes_[i].first != nullptr && now - lanes_[i].first->since_ >= kAge) {
      Waiter& waiter = *lanes_[i].first;
      unlink(waiter);
      append(waiter, static_cast<Priority>(i - 1), now);
    }
  }
}

}  // namespace cwire
