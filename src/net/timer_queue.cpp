#include "net/timer_queue.h"

#include <algorithm>

namespace cwire {

void TimerQueue::register_timer() {
  if (registered_ == heap_.capacity() || registered_ == due_.capacity()) {
    const std::size_t room = std::max<std::size_t>(16, registered_ * 2);
    heap_.reserve(room);
    due_.reserve(room);
  }
  ++registered_;
}

void TimerQueue::unregister_timer(Timer& timer) {
  cancel(timer);
  --registered_;
}

void TimerQueue::arm(Timer& timer, TimePoint deadline) {
  detach(timer);
  timer.deadline_ = deadline;
  if (deadline == kNever) return;
  heap_.push_back(&timer);
  timer.position_ = heap_.size() - 1;
  sift_up(timer.position_);
}

void TimerQueue::cancel(Timer& timer) {
  detach(timer);
  timer.deadline_ = kNever;
}

TimePoint TimerQueue::next() const { return heap_.empty() ? kNever : heap_.front()->deadline_; }

void TimerQueue::run(TimePoint now) {
  while (!heap_.empty() && heap_.front()->deadline_ <= now) {
    Timer* timer = heap_.front();
    detach(*timer);
    due_.push_back(timer);
    timer->position_ = kDue + due_.size() - 1;
  }
  // By index: a timer may register another, which moves the vector.
  for (std::size_t i = 0; i < due_.size(); ++i) {
    Timer* timer = due_[i];
    if (timer == nullptr) continue;
    cancel(*timer);
    timer->on_timer(now);
  }
  due_.clear();
}

void TimerQueue::detach(Timer& timer) {
  const std::size_t position = timer.position_;
  if (position == Timer::kIdle) return;
  timer.position_ = Timer::kIdle;
  if (position >= kDue) {
    due_[position - kDue] = nullptr;
    return;
  }
  Timer* last = heap_.back();
  heap_.pop_back();
  if (last == &timer) return;
  place(position, last);
  sift_up(position);
  sift_down(last->position_);
}

void TimerQueue::place(std::size_t position, Timer* timer) {
  heap_[position] = timer;
  timer->position_ = position;
}

void TimerQueue::sift_up(std::size_t position) {
  Timer* timer = heap_[position];
  while (position > 0) {
    const std::size_t parent = (position - 1) / 2;
    if (heap_[parent]->deadline_ <= timer->deadline_) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, timer);
}

void TimerQueue::sift_down(std::size_t position) {
  Timer* timer = heap_[position];
  for (;;) {
    std::size_t child = 2 * position + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->deadline_ < heap_[child]->deadline_) ++child;
    if (timer->deadline_ <= heap_[child]->deadline_) break;
    place(position, heap_[child]);
    position = child;
  }
  place(position, timer);
}

}  // namespace cwire
