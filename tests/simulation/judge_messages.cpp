// A station's messages, each from when it was accepted to its one end.
#include <algorithm>
#include <iterator>

#include "judge.h"

namespace simulation {

using cwire::Duration;
using cwire::kNever;
using cwire::TimePoint;

namespace {

// What a timer that fires late has missed is caught up, as far as this.
constexpr Duration kCatchUp = std::chrono::milliseconds(100);

}  // namespace

// With a policy that drops, what the I/O thread has not seen yet may be twice the limits.
Judge::Limits Judge::limits_of_inbox() const {
  const bool offline = through_offline_queue();
  const std::uint64_t messages = offline ? settings_->offline.messages_max : settings_->send_queue_messages;
  const std::uint64_t bytes = offline ? settings_->offline.bytes_max : settings_->send_queue_bytes;
  return drops() ? Limits{2 * messages, 2 * bytes, bytes} : Limits{messages, bytes, 0};
}

void Judge::accepted(std::size_t size) {
  require(phase_ == Phase::open || (has_offline_queue() && !is_ending()),
          "messages are accepted by open connections, or kept");
  messages_.emplace_back();
  unsettled_.add(size);
  unseen_.add(size);
  const Load& load = drops() ? unseen_ : unsettled_;
  const Limits limits = limits_of_inbox();
  require(load.messages <= limits.messages, "the queue keeps its limit of messages");
  // One that is larger than the whole queue goes through an empty one.
  require(load.bytes - size <= limits.bytes_free || load.bytes <= limits.bytes, "the queue keeps its limit of bytes");
  require(drops() || !through_offline_queue() || !budget_.would_be_exceeded(size), "the queues keep their budget");
}

void Judge::turned_away(std::size_t size) {
  const Load& load = drops() ? unseen_ : unsettled_;
  const Limits limits = limits_of_inbox();
  const bool is_full =
      load.messages + 1 > limits.messages || (load.bytes > limits.bytes_free && load.bytes + size > limits.bytes);
  const bool all_are_full = !drops() && through_offline_queue() && budget_.would_be_exceeded(size);
  require(is_full || all_are_full, "a message is turned away by a full queue only");
  if (all_are_full) budget_.refused(!is_full);
  turned_away_ = true;
}

void Judge::waits(std::uint64_t message, std::size_t size) {
  require(message < messages_.size() && messages_[message].is == Stage::accepted, "what waits was accepted, once");
  require(waiting_.messages == 0 || message > newest_, "messages wait in their order");
  require(!through_offline_queue(), "what is sent stands in line behind what is kept");
  messages_[message].is = Stage::waits;
  newest_ = message;
  waiting_.add(size);
  unseen_.take(size);
}

void Judge::keeps(std::uint64_t message, std::size_t size) {
  require(message < messages_.size() && messages_[message].is == Stage::accepted, "what is kept was accepted, once");
  require(through_offline_queue(), "only what cannot be sent at once is kept");
  require(in_offline_queue_.empty() || message > *in_offline_queue_.rbegin(), "messages are kept in their order");
  unseen_.take(size);
  comes(message, size);
}

// "... and so does what a lost connection has not begun to write."
void Judge::returns(std::uint64_t message, std::size_t size) {
  Message& returning = messages_[message];
  require(has_offline_queue() && !is_ending(), "what nothing follows has nowhere to return to");
  require(!in_order_, "what was accepted before an orderly end was sent");
  if (returning.is == Stage::framed) {
    require(returning.begin >= written_, "what was written in part is not sent again");
  } else {
    require(returning.is == Stage::waits, "only what was not sent returns");
    waiting_.take(size);
  }
  ++budget_.use.returned;
  comes(message, size);
}

void Judge::comes(std::uint64_t message, std::size_t size) {
  Message& coming = messages_[message];
  coming.is = Stage::coming;
  const auto place = in_offline_queue_.insert(message).first;
  // Its age is counted from when it came, and none outlives one that was accepted after it.
  if (coming.since == TimePoint()) {
    const auto next = std::next(place);
    coming.since = next == in_offline_queue_.end() ? now() : std::min(now(), messages_[*next].since);
  }
  ages_.insert({coming.since, message});
  coming_.emplace_back(message, size);
  kept_.add(size);
  budget_.comes(size);
}

void Judge::leaves(std::uint64_t message, std::size_t size) {
  in_offline_queue_.erase(message);
  ages_.erase({messages_[message].since, message});
  kept_.take(size);
  if (messages_[message].is == Stage::kept) {
    budget_.leaves(size);
  } else {
    budget_.is_dropped(size);
  }
}

void Judge::fits() {
  if (drops()) {  // else what waits was let in
    require(waiting_.messages <= settings_->send_queue_messages &&
                (waiting_.messages <= 1 || waiting_.bytes <= settings_->send_queue_bytes),
            "what waits keeps the limits");
  }
  require(!budget_.is_exceeded(), "the offline queues keep their budget");
  for (const auto& [message, size] : coming_) {
    if (messages_[message].is != Stage::coming) continue;
    // What was kept already stays, also where new limits are less.
    require(!kept_too_much() || kept_.messages == 1, "the offline queue keeps its limits");
    messages_[message].is = Stage::kept;
    budget_.is_kept(size);
    ++budget_.use.kept;
  }
  coming_.clear();
}

bool Judge::kept_too_much() const {
  return kept_.messages > settings_->offline.messages_max || kept_.bytes > settings_->offline.bytes_max;
}

void Judge::dropped(std::uint64_t message, std::size_t size) {
  const Stage is = messages_[message].is;
  const bool oldest_first = settings_->send_queue_policy == cwire::SendQueuePolicy::drop_oldest;
  if (is == Stage::coming || is == Stage::kept) {
    require(kept_too_much() || budget_.is_exceeded(), "nothing that is kept is dropped without need");
    require(oldest_first ? message == *in_offline_queue_.begin() : is == Stage::coming,
            "of what is kept the oldest is dropped, or what has no room");
    if (budget_.is_exceeded()) budget_.refused(!kept_too_much());
    ++budget_.use.dropped;
    leaves(message, size);
    return;
  }
  require(drops(), "only a policy that says so drops");
  require(is == Stage::waits, "only what waits is dropped");
  require(waiting_.messages > settings_->send_queue_messages || waiting_.bytes > settings_->send_queue_bytes,
          "nothing is dropped without need");
  if (oldest_first) {
    while (messages_[oldest_].is != Stage::waits) ++oldest_;
    require(message == oldest_, "the oldest is dropped");
  } else {
    require(message == newest_, "the newest is dropped");
  }
  waiting_.take(size);
}

void Judge::framed(std::uint64_t message, std::size_t size, std::uint64_t begin) {
  Message& framed = messages_[message];
  if (framed.is == Stage::kept) {
    replays(message);
    leaves(message, size);
  } else {
    require(framed.is == Stage::waits, "what is framed has waited");
    waiting_.take(size);
  }
  framed.is = Stage::framed;
  framed.begin = begin;
}

// "Never more than rate x time + a tenth of a second's worth + 1."
void Judge::replays(std::uint64_t message) {
  require(phase_ == Phase::open, "what is kept is sent on an open connection");
  require(message == *in_offline_queue_.begin(), "what is kept is sent in its order");
  require(!is_too_old(messages_[message].since), "what is too old is not sent");
  require(now() >= pace_ - kCatchUp, "what is kept is sent no faster than its pace", pace_ - now(), kCatchUp);
  pace_ = std::max(pace_, now()) + replay_interval();
  next_replay_ = now() + replay_interval();
  ++budget_.use.replayed;
}

Duration Judge::replay_interval() const {
  const std::uint32_t rate = settings_->offline.replay_rate;
  return rate == 0 ? Duration::zero() : Duration(std::chrono::seconds(1)) / rate;
}

TimePoint Judge::replay_due() const {
  if (phase_ != Phase::open || blocked_ || kept_.messages == 0) return kNever;
  return std::max(connected_at_, next_replay_);
}

void Judge::not_established() {
  require(has_offline_queue() ? is_ending() : phase_ != Phase::open, "messages are accepted where they can be sent");
}

void Judge::settled(std::uint64_t message, std::size_t size, cwire_status status) {
  require(message < messages_.size(), "only what was accepted is reported");
  Stage& is = messages_[message].is;
  require(is <= Stage::framed, "a message is reported once");
  if (is == Stage::accepted) unseen_.take(size);
  switch (status) {
    case CWIRE_OK:
      require(is == Stage::framed, "what is sent was framed");
      require(message >= next_sent_, "messages are sent in order");
      next_sent_ = message + 1;
      break;
    case CWIRE_E_QUEUE_FULL:
      dropped(message, size);
      break;
    case CWIRE_E_TIMEOUT:
      require(is == Stage::kept && is_too_old(messages_[message].since), "only what has waited too long is too old");
      ++budget_.use.expired;
      leaves(message, size);
      break;
    default:
      not_sent(message, size);
  }
  is = status == CWIRE_OK ? Stage::sent : Stage::not_sent;
  unsettled_.take(size);
}

// A connection ended, or the station does.
void Judge::not_sent(std::uint64_t message, std::size_t size) {
  const Message& lost = messages_[message];
  if (lost.is == Stage::kept || (lost.is == Stage::accepted && has_offline_queue())) {
    require(message >= next_given_up_, "what is given up is reported in order");
    next_given_up_ = message + 1;
    gives_up_ = true;
    if (lost.is == Stage::kept) leaves(message, size);
    return;
  }
  require(!has_offline_queue() || is_ending() || gives_up_ || (lost.is == Stage::framed && lost.begin < written_),
          "what was not begun to write is kept");
  require(message >= next_not_sent_, "what is not sent is reported in order");
  next_not_sent_ = message + 1;
  if (lost.is == Stage::waits) waiting_.take(size);
}

void Judge::writable() {
  require(turned_away_, "room is announced to those who were turned away");
  turned_away_ = false;
}

void Judge::arrived(std::uint64_t message) {
  require(message < messages_.size(), "only what was accepted arrives");
  require(messages_[message].is != Stage::arrived, "a message arrives once");
  require(messages_[message].is == Stage::sent, "what arrived was not reported as not sent");
  require(message >= next_arrival_, "messages arrive in order");
  next_arrival_ = message + 1;
  messages_[message].is = Stage::arrived;
}

void Judge::queue_is(std::size_t messages, std::size_t bytes) {
  require(messages == unsettled_.messages && bytes == unsettled_.bytes, "the queue counts what is not settled");
}

void Judge::sent_all() const {
  const bool has_room = phase_ == Phase::open || (has_offline_queue() && budget_.is_half_free());
  require(!turned_away_ || !has_room, "room is announced when there is");
}

TimePoint Judge::expiry() const {
  const Duration age_max = settings_->offline.age_max;
  return ages_.empty() || age_max == Duration::zero() ? kNever : ages_.begin()->first + age_max;
}

bool Judge::is_too_old(TimePoint since) const {
  const Duration age_max = settings_->offline.age_max;
  return age_max != Duration::zero() && since + age_max <= now();
}

void Judge::offline_queue_is(std::size_t messages, std::size_t bytes) const {
  require(messages == kept_.messages && bytes == kept_.bytes, "the offline queue counts what it keeps");
}

void Judge::tended() const {
  require(expiry() > now(), "what is too old is told at once");
  require(replay_due() > now(), "what is kept is sent at its pace");
  budget_.tended();
}

void Judge::wakes_at(TimePoint deadline) const {
  const TimePoint due = std::min(replay_due(), expiry());
  require(deadline <= due, "what is kept is not looked after in time", deadline - now(), due - now());
}

}  // namespace simulation
