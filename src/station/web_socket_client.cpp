#include "station/web_socket_client.h"

#include <algorithm>
#include <cerrno>
#include <initializer_list>
#include <limits>
#include <string_view>

namespace cwire {

namespace {

// A limit of 0 is none, and one beyond the end of time does not wrap around.
TimePoint after(TimePoint start, Duration limit) {
  if (limit <= Duration::zero() || limit >= kNever - start) return kNever;
  return start + limit;
}

std::string text(Duration duration) {
  using namespace std::chrono;
  const auto ms = duration_cast<milliseconds>(duration).count();
  if (ms % 1000 == 0) return std::to_string(ms / 1000) + "s";
  return std::to_string(ms) + "ms";
}

constexpr std::uint16_t kNoCloseFrame = 1006;  // RFC 6455 7.1.5

Action report(Action::Type type, std::uint64_t number) {
  Action action{type};
  action.number = number;
  return action;
}

}  // namespace

Actions WebSocketClient::start(TimePoint now) {
  Actions actions;
  if (phase_ != Phase::idle) return actions;
  change_state(State::connecting, actions);
  begin_attempt(now, actions);
  return actions;
}

void WebSocketClient::queued() {
  if (phase_ == Phase::attempting) until_ = kNever;
}

void WebSocketClient::dialing(TimePoint now) {
  if (phase_ != Phase::attempting) return;
  since_ = now;
  until_ = after(now, attempt_settings_->connection_timeout);  // absolute: nothing the peer does defers it
}

void WebSocketClient::upgrading(TimePoint now) {
  if (phase_ != Phase::attempting) return;
  const TimePoint limit = after(now, attempt_settings_->upgrade_timeout);
  upgrade_limits_ = limit < until_;
  until_ = std::min(until_, limit);
}

void WebSocketClient::redirected() {
  if (phase_ != Phase::attempting) return;
  upgrade_limits_ = false;
  until_ = after(since_, attempt_settings_->connection_timeout);
  attempt_phase_ = FailurePhase::tcp;
}

Actions WebSocketClient::attempt_failed(TimePoint now, Random& random, Failure failure) {
  assert(failure);
  Actions actions;
  if (phase_ != Phase::attempting) return actions;
  if (failure.status != CWIRE_E_DIAL && failure.status != CWIRE_E_CONFIG) schedule_.waited_longer(now - since_);
  fail_attempt(now, random, std::move(failure), actions);
  return actions;
}

Actions WebSocketClient::opened(TimePoint now, Random& random) {
  Actions actions;
  if (phase_ != Phase::attempting) return actions;
  phase_ = Phase::open;
  attempt_doing_ = std::string();
  failed_in_row_ = 0;
  schedule_.established();
  ++connections_;
  since_ = last_received_ = last_write_progress_ = ping_sent_ = now;
  nonce_ = 0;
  ping_at_once_ = false;
  write_blocked_ = false;  // the last words of the connection before may have been, when it had no time to end
  draw_ping_share(random);
  change_state(State::connected, actions);
  actions.add(report(Action::Type::report_connected, connections_));
  return actions;
}

Actions WebSocketClient::lost(TimePoint now, Random& random, Failure failure) {
  Actions actions;
  if (phase_ == Phase::closing) {
    if (failure) {
      failure = failure_with(CWIRE_OK, FailurePhase::none, close_code(kNoCloseFrame), [&] {
        return "closed by request, but without a complete close handshake: " + failure.message;
      });
    }
    end_closing(now, std::move(failure), actions);
  } else if (phase_ == Phase::open) {
    if (!failure) {
      failure.status = CWIRE_E_CLOSED;
      if (failure.message.empty()) {
        failure = failure_with(CWIRE_E_CLOSED, FailurePhase::peer, failure.code,
                               [] { return "closed: the peer ended the connection"; });
      }
    }
    lose(now, random, std::move(failure), actions);
  }
  return actions;
}

void WebSocketClient::ping_left(TimePoint now) {
  if (phase_ != Phase::open || nonce_ == 0) return;
  ping_sent_ = now;
  ping_has_left_ = true;
}

WebSocketClient::Pong WebSocketClient::pong(TimePoint now, std::uint64_t nonce) {
  Pong pong;
  if (!awaits_pong(nonce)) return pong;
  nonce_ = 0;
  pong.is_matched = true;
  if (ping_is_timed_) pong.round_trip = std::max(Duration(1), now - ping_sent_);
  return pong;
}

void WebSocketClient::write_blocked(TimePoint now, bool blocked) {
  if (blocked && !write_blocked_) last_write_progress_ = now;
  if (!blocked && write_blocked_) last_received_ = std::max(last_received_, last_write_progress_);
  write_blocked_ = blocked;
}

void WebSocketClient::reading_paused(TimePoint now, bool paused) {
  if (paused == (paused_at_ != kNever)) return;
  if (!paused) {
    last_received_ = without_pause(last_received_, paused_at_, now);
    ping_sent_ = without_pause(ping_sent_, paused_at_, now);
    ping_is_timed_ = false;
  }
  paused_at_ = paused ? now : kNever;
}

void WebSocketClient::after_suspend() {
  if (phase_ != Phase::open) return;
  ping_at_once_ = true;
  ping_is_timed_ = false;
}

Actions WebSocketClient::reconfigure(TimePoint now, const Settings& settings, Change change, Duration limit) {
  Actions actions;
  settings_ = &settings;
  schedule_.use(settings.reconnect);
  if (change.of_attempts && (phase_ == Phase::attempting || phase_ == Phase::waiting)) {
    schedule_.start_over();
    failed_in_row_ = 0;
  }
  switch (phase_) {
    case Phase::idle:
    case Phase::closing:
    case Phase::ended:
      break;
    case Phase::waiting:
      if (change.reconnect || (change.of_attempts && is_cured_by_change())) begin_attempt(now, actions);
      break;
    case Phase::attempting:
      attempt_is_outdated_ = change.of_attempts;
      // One that was not dialled yet lives no more than a wait does.
      if (!change.of_attempts || !(change.reconnect || is_queued())) break;
      actions.add(Action{Action::Type::abandon});
      begin_attempt(now, actions);
      break;
    case Phase::open:
      if (!change.reconnect) break;
      begin_closing(State::reconnecting, actions);
      reopens_ = true;
      limit_closing(now, limit, actions);
      break;
  }
  return actions;
}

Actions WebSocketClient::disconnect(TimePoint now, Duration limit) {
  Actions actions;
  switch (phase_) {
    case Phase::ended:
      break;
    case Phase::attempting:
      actions.add(Action{Action::Type::abandon});
      [[fallthrough]];
    case Phase::idle:
    case Phase::waiting:
      last_failure_ = failure_with(CWIRE_OK, FailurePhase::none, {}, [] { return "closed by request"; });
      end(State::closed, actions);
      break;
    case Phase::open:
      begin_closing(State::disconnected, actions);
      limit_closing(now, limit, actions);
      break;
    case Phase::closing:
      reopens_ = false;
      change_state(State::disconnected, actions);
      limit_closing(now, limit, actions);
      break;
  }
  return actions;
}

void WebSocketClient::network_up(TimePoint now) {
  if (phase_ == Phase::waiting) until_ = std::min(until_, std::max(now, not_before_));
}

Actions WebSocketClient::tick(TimePoint now, Random& random) {
  Actions actions;
  switch (phase_) {
    case Phase::idle:
    case Phase::ended:
      break;
    case Phase::waiting:
      if (now < until_) break;
      schedule_.waited_longer(now - until_);
      begin_attempt(now, actions);
      break;
    case Phase::attempting: {
      if (now < until_) break;
      actions.add(Action{Action::Type::abandon});
      fail_attempt(now, random,
                   failure_with(status_of(attempt_phase_), attempt_phase_, os_error(ETIMEDOUT),
                                [&] {
                                  std::string words = attempt_phase_ == FailurePhase::tls    ? "TLS"
                                                      : attempt_phase_ == FailurePhase::http ? "handshake"
                                                                                             : "dial";
                                  words += ": timed out after " + text(upgrade_limits_
                                                                           ? attempt_settings_->upgrade_timeout
                                                                           : attempt_settings_->connection_timeout);
                                  if (!attempt_doing_.empty()) words += " while " + attempt_doing_;
                                  return words + "; check the way to the CSMS, or raise " +
                                         (upgrade_limits_ ? "csms.upgrade_timeout" : "csms.connection_timeout");
                                }),
                   actions);
      break;
    }
    case Phase::open: {
      const TimePoint pong = pong_due(), read = read_due(), write = write_due();
      const TimePoint first = std::min({pong, read, write});
      if (first <= now) {
        Failure failure;
        if (first == pong) {
          failure = failure_with(CWIRE_E_PING_TIMEOUT, FailurePhase::ping, close_code(kNoCloseFrame), [&] {
            return "ping: no matching pong within " + text(settings_->pong_timeout) +
                   ", so the peer is taken for gone; if it is merely slow, raise csms.pong_timeout";
          });
        } else if (first == read) {
          failure = failure_with(CWIRE_E_READ, FailurePhase::read, os_error(ETIMEDOUT), [&] {
            return "read: nothing received for " + text(settings_->read_timeout) +
                   ", so the peer is taken for gone; if it may be silent that long, raise csms.read_timeout above "
                   "csms.ping_interval";
          });
        } else {
          failure = failure_with(CWIRE_E_WRITE, FailurePhase::write, os_error(ETIMEDOUT), [&] {
            return "write: nothing could be written for " + text(settings_->write_timeout) +
                   ", so the peer is taken for stuck; if it is merely slow, raise csms.write_timeout";
          });
        }
        actions.add(Action{Action::Type::abandon});
        lose(now, random, std::move(failure), actions);
      } else if (ping_due() <= now) {
        nonce_ = std::uniform_int_distribution<std::uint64_t>(1)(random);
        ping_sent_ = now;
        ping_at_once_ = false;
        ping_is_timed_ = true;
        ping_has_left_ = false;
        draw_ping_share(random);
        Action ping{Action::Type::ping};
        ping.nonce = nonce_;
        actions.add(ping);
      }
      break;
    }
    case Phase::closing:
      if (now < until_) break;
      actions.add(Action{Action::Type::abandon});
      end_closing(
          now,
          failure_with(CWIRE_OK, FailurePhase::none, close_code(kNoCloseFrame),
                       [] { return "closed by request; the peer did not complete the close handshake in time"; }),
          actions);
      break;
  }
  return actions;
}

void WebSocketClient::describe_attempt(std::string doing, FailurePhase phase) {
  if (phase_ != Phase::attempting) return;
  attempt_doing_ = std::move(doing);
  attempt_phase_ = phase;
}

TimePoint WebSocketClient::deadline() const {
  switch (phase_) {
    case Phase::idle:
    case Phase::ended:
      break;
    case Phase::waiting:
    case Phase::attempting:
    case Phase::closing:
      return until_;
    case Phase::open:
      return std::min({ping_due(), pong_due(), read_due(), write_due()});
  }
  return kNever;
}

void WebSocketClient::begin_attempt(TimePoint now, Actions& actions) {
  phase_ = Phase::attempting;
  upgrade_limits_ = false;
  attempt_is_outdated_ = false;
  attempt_settings_ = settings_;
  dialing(now);
  attempt_phase_ = FailurePhase::tcp;
  write_blocked_ = false;
  paused_at_ = kNever;
  actions.add(report(Action::Type::attempt, ++attempts_));
}

void WebSocketClient::fail_attempt(TimePoint now, Random& random, Failure failure, Actions& actions) {
  last_failure_ = std::move(failure);
  attempt_doing_ = std::string();
  RetrySchedule::Wait wait = begin_wait(now, random, now - since_);
  const FailureClass kind = schedule_.last_class();
  if (kind != FailureClass::local && failed_in_row_ < std::numeric_limits<std::uint32_t>::max()) ++failed_in_row_;
  if (wait.streak > 1) last_failure_.security = SecurityEvent::none;
  Action error = report(Action::Type::report_error, failed_in_row_);
  const std::uint32_t attempts_max = settings_->reconnect.attempts_max;
  if (attempt_is_outdated_) {
    // Nothing of it is held against the new settings.
    schedule_.start_over();
    failed_in_row_ = 0;
    if (is_cured_by_change()) {
      wait.wait = Duration::zero();
      until_ = not_before_ = now;
    }
  } else if (attempts_max != 0 && failed_in_row_ >= attempts_max) {
    actions.add(error);
    end(State::error, actions);
    return;
  }
  error.will_retry = true;
  error.retry_in = wait.wait;
  error.needs_action = kind == FailureClass::refused && wait.streak == 2;
  actions.add(error);
  change_state(State::reconnecting, actions);
}

void WebSocketClient::lose(TimePoint now, Random& random, Failure failure, Actions& actions) {
  last_failure_ = std::move(failure);
  schedule_.ended(now - since_);
  Action disconnected = report(Action::Type::report_disconnected, connections_);
  disconnected.will_retry = true;
  disconnected.retry_in = begin_wait(now, random, Duration::zero()).wait;
  actions.add(disconnected);
  change_state(State::reconnecting, actions);
}

void WebSocketClient::begin_closing(State state, Actions& actions) {
  phase_ = Phase::closing;
  until_ = kNever;
  actions.add(Action{Action::Type::close});
  change_state(state, actions);
}

void WebSocketClient::limit_closing(TimePoint now, Duration limit, Actions& actions) {
  until_ = std::min(until_, after(now, limit));
  if (limit > Duration::zero()) return;
  actions.add(Action{Action::Type::abandon});
  end_closing(now,
              failure_with(CWIRE_OK, FailurePhase::none, close_code(kNoCloseFrame),
                           [] { return "closed by request, without waiting for the peer"; }),
              actions);
}

void WebSocketClient::end_closing(TimePoint now, Failure failure, Actions& actions) {
  last_failure_ = std::move(failure);
  Action disconnected = report(Action::Type::report_disconnected, connections_);
  disconnected.will_retry = reopens_;
  actions.add(disconnected);
  if (!std::exchange(reopens_, false)) return end(State::closed, actions);
  schedule_.ended(now - since_);
  begin_attempt(now, actions);
}

// Whether the last failure was about what new settings may have set right.
bool WebSocketClient::is_cured_by_change() const {
  return schedule_.last_class() == FailureClass::refused || schedule_.last_class() == FailureClass::unverified;
}

void WebSocketClient::end(State state, Actions& actions) {
  phase_ = Phase::ended;
  attempt_doing_ = std::string();
  change_state(state, actions);
  actions.add(Action{Action::Type::report_closed});
}

RetrySchedule::Wait WebSocketClient::begin_wait(TimePoint now, Random& random, Duration lasted) {
  phase_ = Phase::waiting;
  const RetrySchedule::Wait wait = schedule_.after(last_failure_, lasted, random);
  until_ = after(now, wait.wait);
  not_before_ = after(now, wait.at_least);
  return wait;
}

void WebSocketClient::change_state(State to, Actions& actions) {
  if (state_ == to) return;
  Action action{Action::Type::report_state};
  action.from = state_;
  action.to = to;
  actions.add(action);
  state_ = to;
}

void WebSocketClient::draw_ping_share(Random& random) {
  // Stations that connected together must not ping together for ever.
  ping_share_ = std::uniform_real_distribution<float>(0.9F, 1.1F)(random);
}

// Stations whose pings are due at nearly the same time share a wake-up of their thread: a fleet of ten thousand would
// otherwise wake it for each ping alone. Rounded down, so that no ping is later than it was drawn.
TimePoint WebSocketClient::on_ping_beat(TimePoint due) const {
  const Duration beat = settings_->ping_interval / 128;
  return beat <= Duration::zero() ? due : due - due.time_since_epoch() % beat;
}

TimePoint WebSocketClient::ping_due() const {
  if (settings_->ping_interval <= Duration::zero()) return kNever;
  if (nonce_ != 0 || write_blocked_ || paused_at_ != kNever) return kNever;
  if (ping_at_once_) return ping_sent_;  // overdue since the last
  const Duration wait(static_cast<Duration::rep>(static_cast<double>(settings_->ping_interval.count()) * ping_share_));
  return on_ping_beat(std::min(after(std::max(last_received_, ping_sent_), wait), after(ping_sent_, 2 * wait)));
}

TimePoint WebSocketClient::pong_due() const {
  if (nonce_ == 0 || paused_at_ != kNever || (write_blocked_ && !ping_has_left_)) return kNever;
  return after(ping_sent_, settings_->pong_timeout);
}

TimePoint WebSocketClient::read_due() const {
  return write_blocked_ || paused_at_ != kNever ? kNever : after(last_received_, settings_->read_timeout);
}

TimePoint WebSocketClient::write_due() const {
  return write_blocked_ ? after(last_write_progress_, settings_->write_timeout) : kNever;
}

}  // namespace cwire
