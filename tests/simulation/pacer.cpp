#include "pacer.h"

#include <algorithm>

namespace simulation {

namespace {

using cwire::Duration;
using cwire::EndpointGovernor;
using cwire::kNever;
using cwire::Outcome;
using cwire::TimePoint;
using std::chrono::seconds;

}  // namespace

Pacer::Pacer(Trace& trace, const EndpointGovernor::Settings& settings, cwire::LocalGate& gate, std::uint32_t seed)
    : trace_(trace), settings_(settings), rules_(settings, gate, seed) {}

void Pacer::ask(Turn& turn, cwire::Priority priority) {
  require(!turn.waits() && !turn.held(), turn.station, "one attempt at a time");
  rules_.ask(turn, priority, now());
  ++waiting_;
  if (turn.probe_of != half_open_) ++fresh_;
}

void Pacer::ended(Turn& turn, Outcome outcome) {
  if (!turn.held()) return;
  trace_.note(turn.station, "outcome", static_cast<std::uint64_t>(outcome));
  rules_.ended(turn, outcome, now());
  --under_way_;
  if (outcome == Outcome::established) turn.established_at = now();
  if (outcome == Outcome::established || outcome == Outcome::failed) count({now(), true, outcome == Outcome::failed});
  follow();
}

void Pacer::withdraw(Turn& turn) {
  if (turn.waits()) {
    --waiting_;
    if (turn.probe_of != half_open_) --fresh_;
  }
  if (turn.held()) --under_way_;
  rules_.withdraw(turn);
  require(!turn.waits() && !turn.held(), turn.station, "who withdraws has nothing left");
  follow();
}

void Pacer::lost(const Turn& turn) {
  rules_.lost(turn, now());
  if (now() - turn.established_at < settings_.breaker.window) count({now(), false, true});
  follow();
}

void Pacer::isolate() {
  rules_.isolate();
  follow();
}

void Pacer::reset() {
  rules_.reset();
  openings_ = 0;
  outcomes_.clear();
  follow();
}

// A connection that is lost at once makes a failure of the attempt that was counted when it stood.
void Pacer::count(Counted counted) {
  if (state_ != State::closed || !settings_.breaker.enabled) return;
  while (!outcomes_.empty() && outcomes_.front().at <= now() - settings_.breaker.window) outcomes_.pop_front();
  outcomes_.push_back(counted);
  if (!counted.failed) return;
  // The breaker counts in tenths of its window.
  const Seen least = seen(settings_.breaker.window - settings_.breaker.window / 10);
  const Seen most = seen(settings_.breaker.window);
  if (least.attempts >= settings_.breaker.attempts_min &&
      least.failures >= settings_.breaker.failed_share * most.attempts) {
    require(rules_.state() != State::closed, kNoStation, "when too many attempts fail, the breaker opens");
  }
  if (rules_.state() == State::open) {
    require(most.attempts >= settings_.breaker.attempts_min &&
                most.failures >= settings_.breaker.failed_share * least.attempts,
            kNoStation, "a breaker opens for a reason");
  }
}

Pacer::Seen Pacer::seen(Duration within) const {
  Seen seen;
  for (auto it = outcomes_.rbegin(); it != outcomes_.rend() && it->at > now() - within; ++it) {
    if (it->attempt) ++seen.attempts;
    if (it->failed) ++seen.failures;
  }
  return seen;
}

const std::vector<Pacer::Turn*>& Pacer::serve() {
  served_.clear();
  for (;;) {
    const std::uint32_t limit = rules_.handshakes_limit();
    auto* turn = static_cast<Turn*>(rules_.next(now()));
    follow();
    if (turn == nullptr) break;
    permitted(*turn, std::max(limit, rules_.handshakes_limit()));
    served_.push_back(turn);
  }
  require(rules_.handshakes() == under_way_, kNoStation, "the governor counts the attempts under way");
  require(rules_.line().size() == waiting_, kNoStation, "the governor counts those who wait");
  if (waiting_ != 0 && under_way_ == 0 && state_ != State::isolated) {
    require(deadline() != kNever, kNoStation, "somebody waits, and nobody will ever let him go");
  }
  return served_;
}

void Pacer::permitted(Turn& turn, std::uint32_t limit) {
  trace_.note(turn.station, "permitted", limit);
  require(turn.held() && !turn.waits(), turn.station, "who is permitted holds the permit");
  require(state_ == State::closed || state_ == State::half_open, turn.station, "nobody passes an open breaker");
  --waiting_;
  if (turn.probe_of != half_open_) --fresh_;
  ++under_way_;
  require(under_way_ <= limit, turn.station, "the limit of attempts under way is kept");
  require(limit <= settings_.handshakes.max && (limit >= settings_.handshakes.min || state_ == State::half_open),
          turn.station, "the limit stays within its bounds");
  if (settings_.connects_per_second != 0) {
    passed_.push_back(now());
    while (passed_.front() <= now() - seconds(1)) passed_.pop_front();
    require(passed_.size() <= std::max(1.0, 1.1 * settings_.connects_per_second), turn.station,
            "no second sees more than 1.1 times the rate");
  }
  if (state_ == State::half_open) {
    require(turn.probe_of != half_open_ || fresh_ == 0, turn.station, "probes are of distinct stations");
    turn.probe_of = half_open_;
    require(under_way_ <= settings_.breaker.probes + stale_, turn.station, "a half-open breaker lets few try");
  }
}

// What the breaker did.
void Pacer::follow() {
  const State state = rules_.state();
  if (state == state_) return;
  trace_.note(kNoStation, "breaker", static_cast<std::uint64_t>(state_), static_cast<std::uint64_t>(state));
  switch (state) {
    case State::open:
      require(settings_.breaker.enabled, kNoStation, "a breaker that is off does not open");
      opened_at_ = now();
      ++openings_;
      break;
    case State::half_open: {
      require(state_ == State::open, kNoStation, "half open comes after open");
      const Duration open = now() - opened_at_;
      require(open >= std::min(settings_.breaker.open_for, settings_.breaker.open_max), kNoStation,
              "a breaker stays open for its time");
      ++half_open_;
      fresh_ = waiting_;
      stale_ = under_way_;
      break;
    }
    case State::closed:
      require(state_ != State::open || openings_ == 0, kNoStation, "a breaker closes when probes got through");
      break;
    case State::isolated:
      break;
  }
  outcomes_.clear();
  state_ = state;
}

}  // namespace simulation
