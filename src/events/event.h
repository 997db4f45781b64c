#pragma once

#include <chargewire/chargewire.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/block_cache.h"

namespace cwire {

// One event on its way to the caller. Nodes are linked, so that queueing one that exists can never fail: a station's
// CLOSED and a manager's SHUTDOWN are made in advance and arrive also when memory is short.
class Event {
 public:
  explicit Event(int type);  // without a time
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // About to be shown to the caller.
  virtual void handed_over() noexcept {}
  // The caller is done with it. The node must not be touched afterwards.
  virtual void released() noexcept = 0;

  cwire_event data{};
  Event* next = nullptr;

 protected:
  ~Event() = default;
};

// An event that owns what it shows and deletes itself.
class OwnedEvent final : public Event, public Recycled {
 public:
  explicit OwnedEvent(int type);  // of now
  OwnedEvent(int type, std::int64_t time_ns) : Event(type) { data.time_ns = time_ns; }
  // One that shows a copy of `bytes`, which stands behind it in the same block. Throws std::bad_alloc.
  static std::unique_ptr<OwnedEvent> copy_of(int type, std::int64_t time_ns, std::string_view bytes);
  void set_text(std::string text);
  // `view` lives as long as `owner`.
  void set_data(std::shared_ptr<const void> owner, std::string_view view);
  void released() noexcept override { delete this; }

 private:
  std::shared_ptr<const void> owner_;
};

// An event that says why something failed, to people and to programs.
class FailureEvent final : public Event, public Recycled {
 public:
  FailureEvent(int type, std::string text, const cwire_failure& failure);
  void released() noexcept override { delete this; }

 private:
  const std::string text_;
  const cwire_failure failure_;
};

// Events in order. Does not own them. What data an event shows is settled before it gets here.
class EventList {
 public:
  bool empty() const { return first_ == nullptr; }
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return bytes_; }  // of data
  void append(Event& event) {
    event.next = nullptr;
    (last_ == nullptr ? first_ : last_->next) = &event;
    last_ = &event;
    ++size_;
    bytes_ += event.data.data_size;
  }
  void prepend(Event& event) {
    event.next = first_;
    if (last_ == nullptr) last_ = &event;
    first_ = &event;
    ++size_;
    bytes_ += event.data.data_size;
  }
  void append(EventList&& other) {
    if (other.empty()) return;
    (last_ == nullptr ? first_ : last_->next) = other.first_;
    last_ = other.last_;
    size_ += other.size_;
    bytes_ += other.bytes_;
    other = EventList();
  }
  Event& pop() {
    Event& event = *first_;
    first_ = event.next;
    if (first_ == nullptr) last_ = nullptr;
    --size_;
    bytes_ -= event.data.data_size;
    return event;
  }

 private:
  Event* first_ = nullptr;
  Event* last_ = nullptr;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
};

// Releases every event of the list.
void release_all(EventList& list) noexcept;

}  // namespace cwire
