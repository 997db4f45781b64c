// A station's messages on their way out: from the queue into frames, from frames to the kernel, and what becomes of
// each.
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <utility>

#include "station/station.h"

namespace cwire {

namespace {

// How much framed output may stand in front of the socket. Enough to fill the kernel's buffer; small enough that a ping
// or a close frame is not long behind, and that a station that is stuck holds its messages once and not twice.
constexpr std::size_t kOutputMax = 64 << 10;

constexpr std::uint16_t kNormalClosure = 1000;  // RFC 6455 7.4.1

}  // namespace

void Station::accept(OutgoingMessage& message) {
  OutgoingList dropped = queue_.append(message);
  while (!dropped.empty()) finish(dropped.pop(), CWIRE_E_QUEUE_FULL);
  worker_->mark_dirty(*this);
}

void Station::accept_all(OutgoingList messages) {
  while (!messages.empty()) accept(messages.pop());
}

void Station::pump() {
  if (session_ == nullptr) return;
  std::string& output = session_->output();
  if (queue_.has_waiting() && output.empty() && is_open()) output.swap(worker_->spare_output());
  while (queue_.has_waiting() && output.size() < kOutputMax) {
    OutgoingMessage& message = queue_.pop();
    const bool sent = session_->send(message.bytes(), (message.data.flags & CWIRE_FLAG_BINARY) != 0);
    message.drop_bytes();
    if (!sent) {
      finish(message, CWIRE_E_CLOSED);
      continue;
    }
    message.end = written_ + output.size();
    queue_.framed(message);
    framed_.append(message);
  }
  if (close_wanted_ && !queue_.has_waiting()) {
    close_wanted_ = false;
    close_sent_ = true;
    std::string reason;
    std::uint16_t code;
    {
      std::lock_guard<std::mutex> lock(orders_mutex_);
      reason = close_reason_;
      code = close_code_ != 0 ? close_code_ : kNormalClosure;  // to connect again: nobody gave a code
    }
    session_->close(code, reason);
  }
}

void Station::flush() noexcept {
  guarded([this] {
    write_output();
    session_ended();
    announce_room();
  });
}

bool Station::has_unflushed() const {
  return session_ != nullptr && !blocked_ && (queue_.has_waiting() || !session_->output().empty());
}

// Frames and writes until all is with the kernel or the socket is full.
void Station::write_output() {
  while (channel_ != nullptr && session_ != nullptr) {
    pump();
    std::string& output = session_->output();
    if (session_end_ || output.empty()) return;
    const std::size_t bytes = channel_->write(output);
    written(bytes);
    const bool blocked = !output.empty();
    if (blocked || blocked_) {
      const TimePoint now = worker_->thread().now();
      if (bytes != 0) client_.write_progress(now);
      if (blocked != blocked_) {
        blocked_ = blocked;
        client_.write_blocked(now, blocked);
      }
      if (timer_registered_) worker_->thread().timers().arm(*this, client_.deadline());
    }
    if (blocked) return;  // on_channel_writable comes
    // Not before the upgrade is answered: until then the session cleanses the credentials in it.
    if (is_open()) worker_->keep_output(output);
  }
}

void Station::written(std::size_t bytes) {
  written_ += bytes;
  while (!framed_.empty() && framed_.front().end <= written_) finish(framed_.pop(), CWIRE_OK);
}

void Station::finish(OutgoingMessage& taken, cwire_status status) noexcept {
  std::unique_ptr<OutgoingMessage> message(&taken);
  queue_.settle(*message);
  if (status == CWIRE_OK) {
    statistics_.messages_sent.add(1);
    statistics_.bytes_sent.add(message->size);
  } else {
    statistics_.messages_not_sent.add(1);
    if (status == CWIRE_E_QUEUE_FULL) statistics_.messages_dropped.add(1);
  }
  if (status != CWIRE_OK || (message->data.flags & CWIRE_FLAG_REPORT) != 0) {
    message->drop_bytes();
    message->data.status = status;
    message->data.time_ns = wall_clock_ns();
    worker_->emit(*message.release());
  }
}

void Station::announce_room() {
  // Of a connection that is gone there is no room to announce; the next one does.
  if (!queue_.is_open() || !queue_.announce_room()) return;
  try {
    emit(make_event(CWIRE_EVENT_WRITABLE));
  } catch (const std::bad_alloc&) {
    queue_.announce_later();
  }
}

}  // namespace cwire
