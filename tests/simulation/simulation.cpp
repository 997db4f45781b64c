#include "simulation.h"

#include <algorithm>

namespace simulation {

namespace {

using cwire::kNever;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Kind = Trouble::Kind;

// After the last trouble: what was on its way has arrived, and what was given up for it is seen to be lost.
constexpr Duration kAftermath = seconds(30);
// Turns of the loop without the clock going on. Each does something, and nobody has so much to do.
constexpr std::uint64_t kTurnsAtOnceMax = 10000;

Event event_of(TimePoint at, Event::Kind kind, std::uint32_t station, std::uint64_t line, std::uint64_t value = 0) {
  return {at, 0, kind, station, line, value, 0};
}

}  // namespace

Simulation::Simulation(const Scenario& scenario, std::uint64_t seed, bool printed)
    : scenario_(scenario),
      trace_(seed, printed),
      dice_(seed ^ 0x5EED),
      random_(1),
      now_(kStart),
      gate_(static_cast<std::uint32_t>(dice_.bits())),
      offline_budget_(std::make_shared<cwire::OfflineBudget>(scenario.offline_budget_bytes)),
      budget_judge_(trace_, scenario.offline_budget_bytes) {
  random_.seed(static_cast<std::minstd_rand::result_type>(dice_.bits()));
  csms_.resize(scenario_.endpoints.size());
  spreads_.resize(scenario_.groups.size());
  for (std::size_t i = 0; scenario_.paced && i < scenario_.endpoints.size(); ++i) {
    pacers_.push_back(
        std::make_unique<Pacer>(trace_, scenario_.governor, gate_, static_cast<std::uint32_t>(dice_.bits())));
  }
  for (const Group& group : scenario_.groups) {
    for (std::uint32_t i = 0; i < group.stations; ++i) {
      const auto station = static_cast<std::uint32_t>(groups_.size());
      groups_.push_back(&group);
      plan(event_of(kStart + dice_.between(Duration::zero(), group.spread), Event::Kind::connect, station, 0));
      if (group.send_every != Duration::zero()) {
        plan(event_of(kStart + dice_.between(Duration::zero(), group.send_every), Event::Kind::application_sends,
                      station, 0));
      }
    }
  }
  stations_.resize(groups_.size());
  again_.resize(groups_.size(), Duration(-1));
  for (std::size_t i = 0; i < scenario_.troubles.size(); ++i) {
    const Trouble& trouble = scenario_.troubles[i];
    plan(event_of(trouble.from, Event::Kind::trouble_begins, kNoStation, 0, i));
    if (trouble.lasts()) plan(event_of(trouble.to, Event::Kind::trouble_ends, kNoStation, 0, i));
  }
}

Simulation::~Simulation() = default;

Result Simulation::run() {
  if (scenario_.abrupt) {
    run_until(scenario_.abrupt_at);
  } else {
    run_until_all_are_back();
    for (auto& station : stations_) station->judge().must_not_fail(true);
    run_until(now_ + scenario_.peace);
    for (auto& station : stations_) station->judge().must_not_fail(false);
  }
  shut_down();
  for (const Spread& spread : spreads_) {
    if (spread.is_uneven()) trace_.broken(kNoStation, "waits do not fill the range that they are drawn from");
  }
  const std::uint32_t most = scenario_.attempts_per_second_max;
  if (most != 0 && result_.attempts_per_second_max > most) {
    trace_.broken(kNoStation, "an endpoint saw " + std::to_string(result_.attempts_per_second_max) +
                                  " attempts in a second, and the bound is " + std::to_string(most));
  }
  if (scenario_.back_within != Duration::zero() && result_.back_after > scenario_.back_within) {
    trace_.broken(kNoStation, "the last was back after " + Trace::text(result_.back_after) + ", and the bound is " +
                                  Trace::text(scenario_.back_within));
  }
  if (!offline_budget_->take(scenario_.offline_budget_bytes)) {
    trace_.broken(kNoStation, "what the offline queues held is given back to their budget");
  }
  result_.offline = budget_judge_.use;
  result_.hash = trace_.hash();
  result_.steps = trace_.steps();
  result_.simulated = now_ - kStart;
  return result_;
}

// One turn of the I/O thread: what has arrived, then timers, then output.
void Simulation::turn() {
  const TimePoint next = this->next();
  turns_at_once_ = next > now_ ? 0 : turns_at_once_ + 1;
  now_ = std::max(now_, next);
  trace_.at(now_);
  if (turns_at_once_ > kTurnsAtOnceMax) trace_.broken(kNoStation, "the loop spins");
  while (events_.next() <= now_) handle(events_.pop());
  timers_.run(now_);
  for (std::uint32_t i = 0; i < pacers_.size(); ++i) {
    if (pacers_[i]->deadline() <= now_) serve(i);
  }
  for (std::size_t i = 0; i < to_dial_.size(); ++i) stations_[to_dial_[i]]->dial();
  to_dial_.clear();
  for (std::size_t i = 0; i < dirty_.size(); ++i) stations_[dirty_[i]]->flush();
  dirty_.clear();
}

TimePoint Simulation::next() const {
  TimePoint next = std::min(events_.next(), timers_.next());
  for (const auto& pacer : pacers_) next = std::min(next, pacer->deadline());
  return next;
}

bool Simulation::anything_left() const { return next() != kNever; }

void Simulation::paced(const Group& group) { serve(group.endpoint); }

void Simulation::serve(std::uint32_t endpoint) {
  for (const Pacer::Turn* turn : pacers_[endpoint]->serve()) dial_soon(turn->station);
}

void Simulation::count_connection() {
  ++result_.connections;
  last_connected_ = now_;
}

void Simulation::run_until(TimePoint end) {
  while (next() <= end) turn();
  now_ = std::max(now_, end);
  trace_.at(now_);
}

void Simulation::run_until_all_are_back() {
  run_until(scenario_.healed() + kAftermath);
  const TimePoint healed = now_;
  const TimePoint limit = now_ + longest_way_back();
  std::size_t back = 0;
  for (bool all = false; !all;) {
    while (back < stations_.size() && stations_[back] != nullptr && stations_[back]->is_back()) ++back;
    if (back == stations_.size()) {
      all = std::all_of(stations_.begin(), stations_.end(), [](const auto& station) { return station->is_back(); });
      back = 0;
      if (all) break;
    }
    if (now_ > limit || !anything_left()) {
      trace_.broken(static_cast<std::uint32_t>(back), "not back " + Trace::text(now_ - healed) +
                                                          " after the last trouble, where " +
                                                          Trace::text(limit - healed) + " would do");
    }
    turn();
  }
  result_.back_after = std::max(Duration::zero(), last_connected_ - scenario_.healed());
}

// Everything that may lie between the last trouble and the last connection: a connection that nobody has missed yet,
// the longest wait, an attempt that fails all the same because all come at once; and time for all of them.
Duration Simulation::longest_way_back() const {
  Duration longest{};
  Duration refusal{};
  Duration paced{};
  if (scenario_.paced) {
    paced = 3 * scenario_.governor.breaker.open_max;
    const double rate = scenario_.governor.connects_per_second;
    if (rate != 0) paced += Duration(seconds(2 * scenario_.stations())) / static_cast<int>(rate);
  }
  for (const Trouble& trouble : scenario_.troubles) {
    if (trouble.kind == Kind::answer) refusal = std::max<Duration>(refusal, seconds(trouble.retry_after_s) * 11 / 10);
    if (trouble.number == 1013) refusal = std::max<Duration>(refusal, seconds(66));
    if (trouble.number == 1012) refusal = std::max<Duration>(refusal, seconds(30));
    if (trouble.kind == Kind::starve) refusal = std::max<Duration>(refusal, seconds(36));
  }
  for (const Group& group : scenario_.groups) {
    const cwire::Settings& settings = group.settings;
    const ExpectedWaits waits(settings.reconnect);
    const Duration wait = std::max({waits.maximum(), refusal, settings.reconnect.backoff_max * 11 / 10,
                                    settings.reconnect.refused_backoff_max * 12 / 10});
    const cwire::Settings& other = group.other_settings;
    const Duration missed = 3 * std::max(settings.ping_interval, other.ping_interval) +
                            std::max(settings.pong_timeout, other.pong_timeout) + settings.read_timeout;
    const Endpoint& endpoint = endpoint_of(group);
    // One after the other, if it must be.
    const Duration handshake = 6 * (endpoint.latency + endpoint.latency_range) + endpoint.service;
    const Duration served =
        (endpoint.service / endpoint.workers + (scenario_.paced ? handshake : Duration())) * scenario_.stations();
    longest = std::max(longest, missed + 2 * (wait + settings.connection_timeout + served) + paced + minutes(1));
  }
  return longest;
}

void Simulation::shut_down() {
  shutting_down_ = true;
  for (std::uint32_t i = 0; i < stations_.size(); ++i) {
    if (stations_[i] == nullptr) continue;  // its time had not come
    const Duration limit = groups_[i]->settings.close_timeout;
    stations_[i]->disconnect(dice_.chance(10) ? Duration::zero() : limit);
  }
  const auto ended = [](const auto& station) { return station == nullptr || station->ended(); };
  std::size_t first = 0;
  for (;;) {
    while (first < stations_.size() && ended(stations_[first])) ++first;
    if (first == stations_.size() || !anything_left()) break;
    turn();
  }
  for (const auto& station : stations_) {
    if (station != nullptr) station->judge().finished();
  }
}

// ---- what happens ----

void Simulation::handle(const Event& event) {
  switch (event.kind) {
    case Event::Kind::trouble_begins: {
      const Trouble& trouble = scenario_.troubles[event.value];
      trace_.note(kNoStation, "trouble", static_cast<std::uint64_t>(trouble.kind), event.value);
      if (trouble.kind == Kind::isolate) {
        if (!pacers_.empty()) pacers_[trouble.endpoint]->isolate();
      } else if (trouble.lasts()) {
        present_.push_back(event.value);
      } else {
        begin(trouble);
      }
      return;
    }
    case Event::Kind::trouble_ends:
      trace_.note(kNoStation, "trouble ends", event.value);
      if (scenario_.troubles[event.value].kind == Kind::isolate) {
        reset(scenario_.troubles[event.value].endpoint);
        return;
      }
      present_.erase(std::find(present_.begin(), present_.end(), event.value));
      return;
    case Event::Kind::connect:
      if (!shutting_down_) connect(event.station);
      return;
    default:
      break;
  }
  Station* station = stations_[event.station].get();
  if (event.kind == Event::Kind::application_sends && !shutting_down_) {
    Event next = event;
    const Duration every = groups_[event.station]->send_every;
    next.at = now_ + every / 2 + dice_.between(Duration::zero(), every);
    plan(next);
  }
  if (event.kind == Event::Kind::handshake_done) {
    --csms_[groups_[event.station]->endpoint].working;
    csms_works(groups_[event.station]->endpoint);
  }
  if (station == nullptr) return;
  if (event.kind > Event::Kind::csms_ends) {
    station->handle(event);
  } else if (event.line == station->line().number) {
    csms_handles(*station, event);
  }
}

void Simulation::begin(const Trouble& trouble) {
  if (trouble.kind == Kind::reset) {
    reset(trouble.endpoint);
    return;
  }
  if (trouble.kind == Kind::stall) {
    now_ += trouble.amount;
    trace_.at(now_);
    return;
  }
  for (std::uint32_t i = 0; i < stations_.size(); ++i) {
    if (stations_[i] == nullptr || groups_[i]->endpoint != trouble.endpoint || !dice_.chance(trouble.share)) continue;
    Station& station = *stations_[i];
    switch (trouble.kind) {
      case Kind::drop:
        if (station.line().open) end_connection(station, i, trouble.number);
        break;
      case Kind::forget:
        if (station.line().number == 0) break;
        trace_.note(i, "forgotten");
        station.line().forgotten_up = dice_.chance(80);
        station.line().forgotten_down = !station.line().forgotten_up || dice_.chance(70);
        break;
      case Kind::network_up:
        station.network_up();
        break;
      case Kind::pause:
        station.pause(trouble.amount);
        break;
      case Kind::suspend:
        if (dice_.chance(50) && station.line().number != 0) {
          station.line().forgotten_up = station.line().forgotten_down = true;
        }
        station.after_suspend();
        break;
      case Kind::reconfigure:
        station.reconfigure(trouble.number, trouble.amount);
        break;
      case Kind::disconnect:
        if (station.ended()) break;
        again_[i] = trouble.again;
        station.disconnect(trouble.amount);
        break;
      default:
        break;
    }
  }
}

void Simulation::reset(std::uint32_t endpoint) {
  if (pacers_.empty()) return;
  pacers_[endpoint]->reset();
  serve(endpoint);
}

void Simulation::connect(std::uint32_t station) {
  trace_.note(station, "connect");
  if (stations_[station] != nullptr) stations_[station]->judge().finished();
  const auto group = static_cast<std::size_t>(groups_[station] - scenario_.groups.data());
  stations_[station] = nullptr;
  stations_[station] = std::make_unique<Station>(*this, station, *groups_[station], spreads_[group]);
  stations_[station]->connect();
}

void Simulation::has_closed(std::uint32_t station) {
  if (again_[station] < Duration::zero()) return;
  plan(event_of(now_ + again_[station], Event::Kind::connect, station, 0));
  again_[station] = Duration(-1);
}

// ---- the network ----

void Simulation::dial(Station& station, std::uint32_t number) {
  station.line().number = ++lines_;
  if (strikes(Kind::starve, station.group().endpoint) != nullptr) {
    plan(event_of(now_, Event::Kind::starved, number, lines_));
    return;
  }
  to_csms(station, event_of({}, Event::Kind::syn, number, lines_));
}

void Simulation::to_csms(Station& station, Event event) {
  event.at = arrival(endpoint_of(station.group()), station.group().endpoint, station.line(), true);
  plan(event);
}

void Simulation::to_station(Station& station, Event event) {
  event.at = arrival(endpoint_of(station.group()), station.group().endpoint, station.line(), false);
  plan(event);
}

TimePoint Simulation::arrival(const Endpoint& endpoint, std::uint32_t index, Line& line, bool up) {
  if (up ? line.forgotten_up : line.forgotten_down) return kNever;
  TimePoint at = now_ + endpoint.latency + dice_.between(Duration::zero(), endpoint.latency_range);
  for (const Trouble& trouble : scenario_.troubles) {
    const bool lossy = trouble.kind == Kind::cut || trouble.kind == (up ? Kind::deaf : Kind::mute);
    if (!lossy || trouble.endpoint != index || at < trouble.from || at >= trouble.to) continue;
    at = trouble.to + dice_.between(Duration::zero(), seconds(1));
  }
  TimePoint& last = up ? line.last_up : line.last_down;
  return last = std::max(last, at);
}

const Trouble* Simulation::strikes(Kind kind, std::uint32_t endpoint) {
  for (const std::size_t number : present_) {
    const Trouble& trouble = scenario_.troubles[number];
    if (trouble.kind != kind || (trouble.endpoint != endpoint && kind != Kind::starve)) continue;
    if (dice_.chance(trouble.share)) return &trouble;
  }
  return nullptr;
}

// ---- the CSMS ----

void Simulation::csms_handles(Station& station, const Event& event) {
  const std::uint32_t endpoint = station.group().endpoint;
  Line& line = station.line();
  const auto reply = [&](Event::Kind kind, std::uint64_t value = 0) {
    to_station(station, event_of({}, kind, event.station, line.number, value));
  };
  switch (event.kind) {
    case Event::Kind::syn:
      count_attempt(endpoint);
      if (strikes(Kind::refuse, endpoint) != nullptr) {
        reply(Event::Kind::refused);
      } else if (strikes(Kind::unreachable, endpoint) != nullptr) {
        reply(Event::Kind::unreachable);
      } else {
        reply(Event::Kind::syn_ack);
      }
      break;
    case Event::Kind::client_hello:
    case Event::Kind::upgrade_request:
      if (strikes(Kind::stuck, endpoint) != nullptr) break;
      if (strikes(Kind::hang_up, endpoint) != nullptr) {
        reply(Event::Kind::end_of_stream);
      } else if (event.kind == Event::Kind::upgrade_request && endpoint_of(station.group()).tls) {
        answer(station, event.station);  // the work was in the TLS handshake
      } else {
        csms_[endpoint].waiting.push_back(event);
        csms_works(endpoint);
      }
      break;
    case Event::Kind::handshake_done:
      if (!endpoint_of(station.group()).tls) {
        answer(station, event.station);
      } else if (const Trouble* trouble = strikes(Kind::unverified, endpoint)) {
        reply(Event::Kind::certificate, static_cast<std::uint64_t>(trouble->number));
      } else {
        reply(Event::Kind::server_hello);
      }
      break;
    case Event::Kind::stream:
      station.csms_reads(event.value);
      break;
    case Event::Kind::csms_sends: {
      if (line.ended) break;
      reply(Event::Kind::message);
      Event next = event;
      const Duration every = station.group().receive_every;
      next.at = now_ + every / 2 + dice_.between(Duration::zero(), every);
      plan(next);
      break;
    }
    case Event::Kind::csms_ends:
      end_connection(station, event.station, static_cast<std::int32_t>(event.value));
      break;
    default:
      break;
  }
}

void Simulation::csms_works(std::uint32_t endpoint) {
  Csms& csms = csms_[endpoint];
  while (csms.working < scenario_.endpoints[endpoint].workers && !csms.waiting.empty()) {
    Event event = csms.waiting.front();
    csms.waiting.pop_front();
    const Station* station = stations_[event.station].get();
    if (station == nullptr || const_cast<Station*>(station)->line().number != event.line) continue;  // it has gone
    ++csms.working;
    event.kind = Event::Kind::handshake_done;
    event.at = now_ + scenario_.endpoints[endpoint].service;
    if (const Trouble* trouble = strikes(Kind::slow, endpoint)) event.at += trouble->amount;
    plan(event);
  }
}

void Simulation::answer(Station& station, std::uint32_t number) {
  const std::uint32_t endpoint = station.group().endpoint;
  Line& line = station.line();
  Event event = event_of({}, Event::Kind::answer, number, line.number, 101);
  if (const Trouble* trouble = strikes(Kind::answer, endpoint)) {
    event.value = static_cast<std::uint64_t>(trouble->number);
    event.more = trouble->retry_after_s;
  } else if (strikes(Kind::no_subprotocol, endpoint) != nullptr) {
    event.value = kNoSubprotocol;
  } else {
    line.open = true;
    if (station.group().receive_every != Duration::zero()) {
      plan(event_of(now_ + dice_.between(Duration::zero(), station.group().receive_every), Event::Kind::csms_sends,
                    number, line.number));
    }
    if (const Trouble* trouble = strikes(Kind::flap, endpoint)) {
      plan(event_of(now_ + dice_.between(Duration::zero(), trouble->amount), Event::Kind::csms_ends, number,
                    line.number, static_cast<std::uint64_t>(trouble->number)));
    }
  }
  to_station(station, event);
}

void Simulation::end_connection(Station& station, std::uint32_t number, std::int32_t how) {
  Line& line = station.line();
  if (line.ended) return;
  trace_.note(number, "the CSMS ends", static_cast<std::uint64_t>(how));
  const Event::Kind kind = how == Trouble::kReset         ? Event::Kind::reset
                           : how == Trouble::kEndOfStream ? Event::Kind::end_of_stream
                                                          : Event::Kind::close;
  line.ended = true;
  to_station(station, event_of({}, kind, number, line.number, static_cast<std::uint64_t>(how)));
}

void Simulation::csms_gets_ping(Station& station, std::uint32_t number, std::uint64_t nonce) {
  const std::uint32_t endpoint = station.group().endpoint;
  Line& line = station.line();
  if (strikes(Kind::forged_pong, endpoint) != nullptr) {
    for (const std::uint64_t other : {std::uint64_t{0}, line.last_nonce, nonce ^ 1, nonce >> 1, dice_.bits()}) {
      if (other == nonce) continue;
      to_station(station, event_of({}, Event::Kind::pong, number, line.number, other));
    }
    return;
  }
  line.last_nonce = nonce;
  Event pong = event_of({}, Event::Kind::pong, number, line.number, nonce);
  pong.at = arrival(endpoint_of(station.group()), endpoint, line, false);
  if (pong.at == kNever) return;
  if (const Trouble* trouble = strikes(Kind::slow_pong, endpoint)) pong.at += trouble->amount;
  plan(pong);
}

void Simulation::csms_gets_close(Station& station, std::uint32_t number) {
  Line& line = station.line();
  line.ended = true;
  Event close = event_of({}, Event::Kind::close, number, line.number, 1000);
  close.more = 1;
  to_station(station, close);
}

void Simulation::count_attempt(std::uint32_t endpoint) {
  Csms& csms = csms_[endpoint];
  const std::int64_t second = now_.time_since_epoch() / seconds(1);
  if (second != csms.second) csms.attempts = 0;
  csms.second = second;
  result_.attempts_per_second_max = std::max(result_.attempts_per_second_max, ++csms.attempts);
}

}  // namespace simulation
