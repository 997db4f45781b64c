#include "judge.h"

#include <algorithm>

namespace simulation {

namespace {

using cwire::Action;
using cwire::Duration;
using cwire::Failure;
using cwire::kNever;
using cwire::State;
using cwire::TimePoint;

// A limit of 0 is none, and what has not begun does not end.
TimePoint later(TimePoint start, Duration limit) {
  return limit == Duration::zero() || start == kNever ? kNever : start + limit;
}

// "+-10 %", and the rounding of a float.
Duration ping_at_most(Duration interval) { return interval * 11 / 10 + std::chrono::microseconds(10); }
Duration ping_at_least(Duration interval) { return interval * 9 / 10 - std::chrono::microseconds(10); }

bool may_follow(State from, State to) {
  switch (from) {
    case State::disconnected:
      return to == State::connecting || to == State::closed;
    case State::connecting:
      return to == State::connected || to == State::reconnecting || to == State::error || to == State::closed;
    case State::connected:
      return to == State::reconnecting || to == State::disconnected;
    case State::reconnecting:
      return to == State::connected || to == State::disconnected || to == State::error || to == State::closed;
    case State::error:
    case State::closed:
      return false;
  }
  return false;
}

}  // namespace

void Spread::add(Range range, Duration wait) {
  const Duration length = range.high - range.low;
  const auto quarter = (wait - range.low) * 4 / (length + Duration(1));
  ++quarters_[static_cast<std::size_t>(std::clamp<Duration::rep>(quarter, 0, 3))];
}

bool Spread::is_uneven() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : quarters_) sum += count;
  const bool half_is_empty = quarters_[0] + quarters_[1] == 0 || quarters_[2] + quarters_[3] == 0;
  const bool quarter_is_empty = *std::min_element(quarters_.begin(), quarters_.end()) == 0;
  return (sum >= 48 && half_is_empty) || (sum >= 128 && quarter_is_empty);
}

void Judge::require(bool kept, const char* promise, Duration is, Duration bound) const {
  if (!kept) {
    trace_.broken(station_, std::string(promise) + ": " + Trace::text(is) + ", and the bound is " + Trace::text(bound));
  }
}

// ---- inputs ----

void Judge::started() { wait_began_ = earliest_ = latest_ = now(); }

void Judge::queued() { dialled_ = kNever; }

void Judge::dialled() { dialled_ = now(); }

void Judge::upgrading() { upgrading_ = now(); }

// What follows is counted from here: nobody can answer a ping that has not left.
void Judge::ping_left() {
  if (phase_ != Phase::open || nonce_ == 0) return;
  ping_sent_ = now();
  ping_has_left_ = true;
}

void Judge::pong_arrived(std::uint64_t nonce) {
  if (phase_ != Phase::open || nonce != nonce_) return;
  nonce_ = 0;
  if (ping_at_once_) may_ping_again_ = now();
}

void Judge::blocked(bool blocked) {
  if (blocked) {
    last_progress_ = now();
  } else {
    last_received_ = std::max(last_received_, last_progress_);
    may_ping_again_ = now();
  }
  blocked_ = blocked;
}

// "The peer is not to blame for what waits in the kernel meanwhile, so the clocks stand still."
void Judge::paused(bool paused) {
  if (paused) {
    paused_at_ = now();
    return;
  }
  last_received_ += now() - std::max(last_received_, paused_at_);
  ping_sent_ += now() - std::max(ping_sent_, paused_at_);
  paused_at_ = kNever;
  may_ping_again_ = now();
}

void Judge::asked_to_end(Duration limit) {
  end_by_ = std::min(end_by_, now() + limit);
  reopens_ = false;
}

// "One is due at once, or as soon as it can be sent and none is under way."
void Judge::suspended() {
  if (phase_ != Phase::open) return;
  ping_at_once_ = true;
  may_ping_again_ = now();
}

// "What was found out before holds for the old ones only. A station that waits because it was refused, or did not trust
// the server, tries again at once."
void Judge::reconfigured(const cwire::Settings& settings, cwire::WebSocketClient::Change change, Duration limit) {
  settings_ = &settings;
  if (change.of_attempts && (phase_ == Phase::attempting || phase_ == Phase::waiting)) {
    waits_.start_over();
    failed_in_row_ = 0;
  }
  switch (phase_) {
    case Phase::waiting:
      if (change.reconnect || (change.of_attempts && curable_)) earliest_ = latest_ = now();
      break;
    case Phase::attempting:
      outdated_ = change.of_attempts;
      // One that was not dialled yet needs no hurry.
      replaced_ = change.of_attempts && (change.reconnect || dialled_ == kNever);
      break;
    case Phase::open:
      may_ping_again_ = now();
      if (!change.reconnect) break;
      reopens_ = true;
      end_by_ = now() + limit;
      break;
    case Phase::idle:
    case Phase::closing:
    case Phase::ended:
      break;
  }
}

void Judge::network_up() {
  if (phase_ != Phase::waiting) return;
  earliest_ = std::min(earliest_, std::max(now(), wait_began_ + expected_.at_least.low));
  latest_ = std::min(latest_, std::max(now(), wait_began_ + std::min(announced_, expected_.at_least.high)));
}

// ---- outputs ----

void Judge::action(const Action& action, const Failure& last_failure) {
  require(!closed_, "nothing follows CLOSED");
  switch (action.type) {
    case Action::Type::attempt:
      begins_attempt(action);
      break;
    case Action::Type::abandon:
      require(phase_ == Phase::attempting || phase_ == Phase::open || phase_ == Phase::closing,
              "only an attempt or a connection can be abandoned");
      break;
    case Action::Type::ping:
      pings(action.nonce);
      break;
    case Action::Type::close:
      require(phase_ == Phase::open && end_by_ != kNever, "a connection is closed by us only when asked for");
      phase_ = Phase::closing;
      break;
    case Action::Type::report_state:
      changes_state(action);
      break;
    case Action::Type::report_connected:
      require(phase_ == Phase::attempting && state_ == State::connected, "connected comes of an attempt");
      require(action.number == ++connections_, "connections are counted from 1, one by one");
      phase_ = Phase::open;
      failed_in_row_ = 0;
      fate_ = Fate();
      waits_.established();
      connected_at_ = last_received_ = last_progress_ = ping_sent_ = may_ping_again_ = now();
      nonce_ = 0;
      ping_at_once_ = outdated_ = false;
      blocked_ = offline_ = false;
      written_ = 0;
      paused_at_ = kNever;
      break;
    case Action::Type::report_disconnected:
      require(action.number == connections_, "a connection ends as the one it began as");
      is_lost(action, last_failure);
      break;
    case Action::Type::report_error:
      fails(action, last_failure);
      break;
    case Action::Type::report_closed:
      require(phase_ != Phase::open && phase_ != Phase::closing, "DISCONNECTED comes before CLOSED");
      require(state_ == State::closed ? end_by_ != kNever : state_ == State::error,
              "CLOSED comes when the attempts are used up or somebody asked for it");
      phase_ = Phase::ended;
      closed_ = true;
      break;
  }
}

void Judge::begins_attempt(const Action& action) {
  require(phase_ == Phase::idle || phase_ == Phase::waiting || replaced_, "one attempt at a time");
  require(!gives_up_, "nothing is given up before the last attempt");
  require(action.number == ++attempts_, "attempts are counted from 1, one by one");
  require(now() >= earliest_ || replaced_, "an attempt comes no earlier than the wait allows", now() - wait_began_,
          earliest_ - wait_began_);
  if (phase_ == Phase::waiting) waits_.waited_longer(now() - earliest_);
  phase_ = Phase::attempting;
  replaced_ = outdated_ = false;
  dialled_ = now();
  upgrading_ = kNever;
}

void Judge::begins_wait(const Action& action, Duration lasted) {
  expected_ = waits_.after(fate_, lasted);
  curable_ = expected_.is_refusal || fate_.kind == Fate::Kind::unverified;
  if (outdated_ && curable_) expected_.wait = expected_.at_least = {};
  require(action.retry_in >= expected_.wait.low, "the wait is shorter than promised", action.retry_in,
          expected_.wait.low);
  require(action.retry_in <= expected_.wait.high, "the wait is longer than promised", action.retry_in,
          expected_.wait.high);
  if (expected_.is_even) spread_.add(expected_.wait, action.retry_in);
  waits_.announced(action.retry_in);
  phase_ = Phase::waiting;
  wait_began_ = now();
  announced_ = action.retry_in;
  earliest_ = latest_ = now() + announced_;
  if (expected_.is_answer) expected_.at_least = {announced_, announced_};
  fate_ = Fate();
  if (outdated_) {
    // "Nothing of it is held against the new settings."
    waits_.start_over();
    failed_in_row_ = 0;
  }
}

void Judge::fails(const Action& action, const Failure& failure) {
  require(phase_ == Phase::attempting, "an attempt fails once");
  require(fate_.kind != Fate::Kind::none, "an attempt fails for a reason");
  require(!peace_, "no attempt fails in peace");
  require(bool(failure), "a failed attempt has a failure");
  require(dialled_ != kNever, "an attempt that waits for its turn does not fail");
  const Duration lasted = now() - dialled_;
  if (fate_.kind == Fate::Kind::timed_out && failure.code.number == ETIMEDOUT) {
    const TimePoint limit =
        std::min({later(dialled_, settings_->connection_timeout), later(upgrading_, settings_->upgrade_timeout),
                  fate_.phase == cwire::FailurePhase::tcp   ? later(dialled_, settings_->tcp_timeout)
                  : fate_.phase == cwire::FailurePhase::tls ? later(dialled_, settings_->tls_handshake_timeout)
                                                            : kNever});
    require(now() >= limit, "an attempt has its whole time", lasted, limit - dialled_);
  }
  // An answer reached the station: what came before it counts as waiting.
  if (failure.status != CWIRE_E_DIAL) waits_.waited_longer(lasted);
  const bool is_local = fate_.kind == Fate::Kind::starved;
  if (!is_local) ++failed_in_row_;
  require(action.number == failed_in_row_, "failed attempts in a row are counted");
  const std::uint32_t most = settings_->reconnect.attempts_max;
  const bool gives_up = most != 0 && !outdated_ && failed_in_row_ >= most;
  require(action.will_retry == !gives_up, "a station gives up with its last attempt, and not before");
  if (gives_up) {
    phase_ = Phase::idle;
    return;
  }
  begins_wait(action, lasted);
  require(action.needs_action == (expected_.is_refusal && expected_.streak == 2),
          "somebody's action is needed from the second identical refusal on, and said once");
  require(expected_.streak <= 1 || failure.security == cwire::SecurityEvent::none,
          "a security event is told once per streak");
}

void Judge::is_lost(const Action& action, const Failure& failure) {
  if (phase_ == Phase::closing) {
    require(action.will_retry == reopens_ && !failure, "a connection that was asked to end is not lost");
    require(!in_order_ || unsettled_.messages == 0 || (reopens_ && has_offline_queue()),
            "what was accepted before an orderly end was sent");
    in_order_ = false;
    phase_ = Phase::idle;
    if (!reopens_) return;
    reopens_ = false;
    end_by_ = kNever;
    waits_.ended(now() - connected_at_);
    phase_ = Phase::waiting;
    wait_began_ = earliest_ = latest_ = now();
    return;
  }
  require(phase_ == Phase::open, "a connection is lost once");
  require(action.will_retry && failure, "a connection that is lost is missed");
  require(!peace_, "no connection is lost in peace");
  if (fate_.kind == Fate::Kind::none) is_silent(failure);
  waits_.ended(now() - connected_at_);
  begins_wait(action, Duration::zero());
}

// The state machine took the peer for gone: rightly so?
void Judge::is_silent(const Failure& failure) {
  fate_.kind = Fate::Kind::silent;
  switch (failure.phase) {
    case cwire::FailurePhase::ping:
      require(nonce_ != 0 && paused_at_ == kNever, "a ping that was answered is no reason");
      require(ping_has_left_, "a ping that has not left cannot be answered");
      require(now() - ping_sent_ >= settings_->pong_timeout, "a pong has its whole time", now() - ping_sent_,
              settings_->pong_timeout);
      break;
    case cwire::FailurePhase::read:
      require(paused_at_ == kNever && !blocked_ && settings_->read_timeout != Duration::zero(),
              "nobody asked the peer to speak");
      require(now() - last_received_ >= settings_->read_timeout, "a peer may be silent for read_timeout",
              now() - last_received_, settings_->read_timeout);
      break;
    case cwire::FailurePhase::write:
      require(blocked_, "nothing waits to be written");
      require(now() - last_progress_ >= settings_->write_timeout, "a write has its whole time", now() - last_progress_,
              settings_->write_timeout);
      break;
    default:
      require(false, "a connection is lost for a reason");
  }
}

void Judge::pings(std::uint64_t nonce) {
  require(phase_ == Phase::open, "pings are for open connections");
  require(nonce != 0 && nonce_ == 0, "one ping at a time");
  require(!blocked_ && paused_at_ == kNever, "no ping while output is blocked or reading paused");
  const Duration least = ping_at_least(settings_->ping_interval);
  const TimePoint earliest =
      std::min(std::max(last_received_, ping_sent_) + least, ping_sent_ + 2 * least) - settings_->ping_interval / 128;
  require(now() >= earliest || ping_at_once_, "pings keep their distance", now() - ping_sent_, earliest - ping_sent_);
  nonce_ = nonce;
  ping_at_once_ = ping_has_left_ = false;
  ping_sent_ = now();
}

void Judge::changes_state(const Action& action) {
  require(action.from == state_, "each state follows the one before");
  require(may_follow(action.from, action.to), "the state machine has no such step");
  state_ = action.to;
}

TimePoint Judge::ping_due() const {
  if (settings_->ping_interval == Duration::zero()) return kNever;
  if (ping_at_once_) return may_ping_again_;
  const Duration most = ping_at_most(settings_->ping_interval);
  return std::max(may_ping_again_, std::min(std::max(last_received_, ping_sent_) + most, ping_sent_ + 2 * most));
}

TimePoint Judge::due() const {
  switch (phase_) {
    case Phase::attempting:
      return std::min(later(dialled_, settings_->connection_timeout), later(upgrading_, settings_->upgrade_timeout));
    case Phase::waiting:
      return latest_;
    case Phase::open: {
      TimePoint due = blocked_ ? later(last_progress_, settings_->write_timeout) : kNever;
      if (paused_at_ != kNever) return due;
      if (!blocked_) due = std::min(due, later(last_received_, settings_->read_timeout));
      if (nonce_ != 0 && blocked_ && !ping_has_left_) return due;
      if (nonce_ != 0) return std::min(due, later(ping_sent_, settings_->pong_timeout));
      return blocked_ ? due : std::min(due, ping_due());
    }
    case Phase::closing:
      return end_by_;
    case Phase::idle:
    case Phase::ended:
      break;
  }
  return kNever;
}

void Judge::after_input(const cwire::WebSocketClient& client) {
  require(client.state() == state_, "the state is the one that was reported");
  require(client.finished() == closed_, "whoever is finished has said CLOSED");
  const TimePoint latest = due();
  require(client.deadline() <= latest, "the deadline comes too late", client.deadline() - now(), latest - now());
}

void Judge::after_tick(const cwire::WebSocketClient& client) {
  after_input(client);
  require(due() > now() && client.deadline() > now(), "what is due at the deadline is done");
}

void Judge::finished() const {
  require(closed_, "each station that was connected has its CLOSED");
  require(unsettled_.messages == 0, "each message that was accepted is reported");
}

}  // namespace simulation
