// A station's messages on their way out: from the queue into frames, from frames to the kernel, and what becomes of
// each.
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <utility>

#include "protocol/frame.h"
#include "station/station.h"

namespace cwire {

namespace {

// How much framed output may stand in front of the socket. Enough to fill the kernel's buffer; small enough that a ping
// or a close frame is not long behind, and that a station that is stuck holds its messages once and not twice.
constexpr std::size_t kOutputMax = 64 << 10;

constexpr std::uint16_t kNormalClosure = 1000;  // RFC 6455 7.4.1

}  // namespace

void Station::accept(OutgoingMessage& message) {
  queue_.seen(message);
  if (offline_ != nullptr && offline_->engaged()) {
    finish_all(offline_->add(message, worker_->thread().now()), CWIRE_E_QUEUE_FULL);
    choose_room();  // there may be no room for anything, and nothing left
  } else {
    finish_all(queue_.append(message), CWIRE_E_QUEUE_FULL);
  }
  worker_->mark_dirty(*this);
}

void Station::accept_all(OutgoingList messages) {
  while (!messages.empty()) accept(messages.pop());
}

OutgoingMessage* Station::next_message() {
  if (queue_.has_waiting()) return &queue_.pop();
  if (offline_ == nullptr || !offline_->engaged()) return nullptr;
  OutgoingMessage* message = offline_->next(worker_->thread().now());
  choose_room();  // it may have been the last
  return message;
}

void Station::pump() {
  if (session_end_) return;
  std::string& output = session_->output();
  while (output.size() < kOutputMax) {
    OutgoingMessage* next = next_message();
    if (next == nullptr) break;
    OutgoingMessage& message = *next;
    if (output.empty()) output = std::move(worker_->spare_output());
    message.begin = written_ + output.size();
    const bool sent = session_->send(message.bytes(), (message.data.flags & CWIRE_FLAG_BINARY) != 0);
    if (offline_ == nullptr) message.drop_bytes();  // else it may have to be framed anew
    message.end = sent ? written_ + output.size() : kNeverWritten;
    framed_.append(message);
    if (!sent) return;  // the session has ended, and what becomes of this one is decided with the others
  }
  if (close_wanted_ && !queue_.has_waiting()) {
    close_wanted_ = false;
    close_sent_ = true;
    CloseReason reason;
    std::uint16_t code;
    {
      std::lock_guard<std::mutex> lock(orders_mutex_);
      reason.take(close_reason_);
      code = close_code_ != 0 ? close_code_ : kNormalClosure;  // to connect again: nobody gave a code
    }
    session_->close(code, reason.view());
  }
}

void Station::flush() noexcept {
  guarded([this] {
    if (offline_ != nullptr) tend_offline();
    write_output();
    session_ended();
    announce_room();
    if (offline_ != nullptr) arm();
  });
}

// Frames and writes until all is with the kernel or the socket is full.
void Station::write_output() {
  while (channel_ != nullptr && session_ != nullptr) {
    pump();
    std::string& output = session_->output();
    if (session_end_ || output.empty()) return;
    // Not the turn's time: since that began there may have been a handler that took its own. And not the time
    // afterwards: this thread may have been held up as soon as the ping was on its way.
    const TimePoint ping_leaves = ping_end_ == kNeverWritten ? TimePoint() : Clock::now();
    const std::size_t bytes = channel_->write(output);
    written(bytes);
    if (written_ >= ping_end_) note_ping(ping_leaves);
    const bool blocked = !output.empty();
    if (blocked || blocked_) {
      const TimePoint now = worker_->thread().now();
      if (bytes != 0) client_.write_progress(now);
      if (blocked != blocked_) {
        blocked_ = blocked;
        client_.write_blocked(now, blocked);
      }
      arm();
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
    statistics_.wire_bytes_sent.add(compresses_ ? payload_size_in(message->end - message->begin) : message->size);
    if (WorkerMetrics* metrics = worker_->own_metrics()) metrics->message_sent.observe(message->size);
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

void Station::finish_all(OutgoingList messages, cwire_status status) noexcept {
  while (!messages.empty()) finish(messages.pop(), status);
}

void Station::choose_room() { queue_.use(offline_->engaged() ? &offline_->room() : nullptr); }

void Station::tend_offline() {
  finish_all(offline_->expire(worker_->thread().now()), CWIRE_E_TIMEOUT);
  choose_room();
  OfflineBudget& budget = *worker_->offline_budget();
  if (!budget.take_news()) return;
  reporting([&] {
    const std::string words =
        "the offline queues of all stations together hold what they may (" + std::to_string(budget.bytes_max()) +
        " bytes); messages are refused or dropped until some are sent; if there is memory for more, "
        "raise offline_budget_bytes";
    worker_->log(CWIRE_LOG_WARNING, nullptr, words.c_str());  // this one merely found out
  });
}

void Station::end_offline() noexcept {
  if (offline_ == nullptr) return;
  finish_all(offline_->clear(), CWIRE_E_CLOSED);
  choose_room();
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
