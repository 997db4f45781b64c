#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "config/settings.h"

namespace cwire {

constexpr std::size_t kPriorities = 3;

// One place in a WaitingLine. Whoever stands in it must leave before it goes.
class Waiter {
 public:
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

 protected:
  Waiter() = default;
  ~Waiter() = default;

 private:
  friend class WaitingLine;
  Waiter* next_ = nullptr;
  Waiter* previous_ = nullptr;
  TimePoint since_{};  // in the lane where it stands now
  Priority lane_ = Priority::normal;
  Priority priority_ = Priority::normal;
};

// Who waits for a turn. Of thirteen turns eight go to high, four to normal and one to low priority, as long as somebody
// of each waits; those of one priority come in order. Who has waited for half a minute moves up by one priority, so
// that nobody starves. Allocates nothing.
class WaitingLine {
 public:
  void add(Waiter& waiter, Priority priority, TimePoint now);
  void remove(Waiter& waiter);
  Waiter* take(TimePoint now);  // null: nobody waits
  // The first, of the highest priority, that `is_wanted`; null: there is none. It stays in the line.
  template <class Wanted>
  Waiter* find(Wanted is_wanted) const {
    for (const Lane& lane : lanes_) {
      for (Waiter* waiter = lane.first; waiter != nullptr; waiter = waiter->next_) {
        if (is_wanted(*waiter)) return waiter;
      }
    }
    return nullptr;
  }
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  // Of those who came with this priority, whether or not they moved up.
  std::size_t size(Priority priority) const { return waiting_[static_cast<std::size_t>(priority)]; }

 private:
  struct Lane {
    Waiter* first = nullptr;
    Waiter* last = nullptr;
    int credit = 0;
  };

  void append(Waiter& waiter, Priority lane, TimePoint now);
  void unlink(Waiter& waiter);
  void move_up_the_aged(TimePoint now);

  std::array<Lane, kPriorities> lanes_{};
  std::array<std::size_t, kPriorities> waiting_{};
  std::size_t size_ = 0;
};

}  // namespace cwire
