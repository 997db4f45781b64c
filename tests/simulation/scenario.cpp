#include "scenario.h"

#include <algorithm>
#include <stdexcept>

#include "config/options.h"
#include "dice.h"

namespace simulation {

namespace {

using cwire::ReconnectPolicyKind;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Kind = Trouble::Kind;

Endpoint draw_endpoint(Dice& dice) {
  Endpoint endpoint;
  endpoint.tls = dice.chance(40);
  endpoint.latency = dice.between(microseconds(100), milliseconds(dice.chance(20) ? 300 : 40));
  endpoint.latency_range = dice.chance(50) ? Duration::zero() : endpoint.latency / 2;
  endpoint.workers = dice.one_of({1u, 2u, 8u, 64u});
  endpoint.service = dice.between(milliseconds(1), milliseconds(100));
  return endpoint;
}

void draw_reconnection(cwire::ReconnectSettings& reconnect, Dice& dice) {
  reconnect.policy = dice.one_of({ReconnectPolicyKind::exponential, ReconnectPolicyKind::ocpp,
                                  ReconnectPolicyKind::full, ReconnectPolicyKind::decorrelated});
  reconnect.attempts_max = dice.chance(75) ? 0 : static_cast<std::uint32_t>(dice.between(1, 8));
  reconnect.backoff = dice.between(milliseconds(50), dice.chance(50) ? seconds(1) : seconds(10));
  reconnect.backoff_max =
      reconnect.backoff + dice.between(Duration::zero(), dice.chance(70) ? seconds(20) : seconds(120));
  reconnect.jitter = dice.one_of({0.0, 0.05, 0.2, 0.2, 0.5, 1.0});
  reconnect.stable_after = seconds(dice.one_of({0, 1, 5, 30}));
  reconnect.refused_backoff = dice.between(seconds(1), seconds(30));
  reconnect.refused_backoff_max = reconnect.refused_backoff + dice.between(seconds(0), seconds(200));
  reconnect.wait_minimum = dice.between(milliseconds(0), seconds(6));
  reconnect.random_range =
      dice.chance(20) && reconnect.wait_minimum > seconds(1) ? Duration::zero() : dice.between(seconds(1), seconds(8));
  reconnect.repeat_times = static_cast<std::uint32_t>(dice.between(0, 4));
}

Group draw_group(Dice& dice) {
  Group group;
  cwire::Settings& settings = group.settings = cwire::default_settings();
  group.priority = dice.one_of({cwire::Priority::high, cwire::Priority::normal, cwire::Priority::low});
  if (dice.chance(90)) {
    draw_reconnection(settings.reconnect, dice);
    settings.connection_timeout = seconds(dice.between(6, 30));
    settings.tcp_timeout = seconds(dice.between(2, 12));
    settings.tls_handshake_timeout = seconds(dice.between(2, 12));
    settings.upgrade_timeout = seconds(dice.between(2, 12));
    settings.write_timeout = seconds(dice.between(1, 12));
    settings.close_timeout = dice.between(milliseconds(1), seconds(5));
    settings.ping_interval = dice.between(seconds(3), seconds(60));
    settings.pong_timeout = dice.between(seconds(1), seconds(12));
    settings.read_timeout = dice.chance(40) ? Duration::zero() : 3 * settings.ping_interval;
    settings.send_queue_policy =
        dice.one_of({cwire::SendQueuePolicy::reject, cwire::SendQueuePolicy::reject,
                     cwire::SendQueuePolicy::drop_oldest, cwire::SendQueuePolicy::drop_newest});
    settings.send_queue_messages = static_cast<std::uint32_t>(dice.between(1, dice.chance(50) ? 4 : 100));
    settings.send_queue_bytes = dice.between(1, dice.chance(50) ? 2000 : 100000);
  }
  group.other_settings = settings;
  if (dice.chance(70)) {
    cwire::Settings& other = group.other_settings;
    other.ping_interval = dice.between(seconds(3), seconds(60));
    other.pong_timeout = dice.between(seconds(1), seconds(12));
    if (other.read_timeout != Duration::zero()) other.read_timeout = 3 * other.ping_interval;
  }
  group.spread = dice.chance(50) ? Duration::zero() : dice.between(milliseconds(1), seconds(20));
  if (dice.chance(70)) {
    group.send_every = dice.between(milliseconds(500), seconds(30));
    group.burst = static_cast<std::uint32_t>(dice.one_of({1, 1, 3, 10}));
    group.size_max = dice.one_of({10u, 400u, 3000u});
  }
  if (dice.chance(50)) group.receive_every = dice.between(milliseconds(500), seconds(40));
  return group;
}

cwire::EndpointGovernor::Settings governor_defaults() {
  const cwire::GovernorSettings& defaults = cwire::default_settings().governor;
  cwire::EndpointGovernor::Settings governor;
  governor.handshakes = {defaults.handshakes_start, defaults.handshakes_min, defaults.handshakes_max};
  governor.connects_per_second = defaults.connects_per_second;
  governor.breaker.enabled = defaults.breaker_enabled;
  governor.breaker.failed_share = defaults.breaker_failures;
  governor.breaker.attempts_min = defaults.breaker_attempts_min;
  governor.breaker.window = defaults.breaker_window;
  governor.breaker.open_for = defaults.breaker_open;
  governor.breaker.open_max = defaults.breaker_open_max;
  governor.breaker.probes = defaults.breaker_probes;
  return governor;
}

cwire::EndpointGovernor::Settings draw_governor(Dice& dice) {
  if (dice.chance(30)) return governor_defaults();
  cwire::EndpointGovernor::Settings governor;
  governor.handshakes.min = static_cast<std::uint32_t>(dice.between(1, 3));
  governor.handshakes.start = governor.handshakes.min + static_cast<std::uint32_t>(dice.below(20));
  governor.handshakes.max = governor.handshakes.start + static_cast<std::uint32_t>(dice.below(20));
  governor.connects_per_second = dice.one_of({0, 0, 1, 3, 20, 100});
  governor.breaker.enabled = dice.chance(80);
  governor.breaker.failed_share = dice.one_of({0.1, 0.5, 0.5, 0.9, 1.0});
  governor.breaker.attempts_min = static_cast<std::uint32_t>(dice.between(1, dice.chance(50) ? 5 : 30));
  governor.breaker.window = dice.between(seconds(1), seconds(30));
  governor.breaker.open_for = dice.between(milliseconds(100), seconds(30));
  governor.breaker.open_max = governor.breaker.open_for + dice.between(seconds(0), seconds(40));
  governor.breaker.probes = static_cast<std::uint32_t>(dice.between(1, 5));
  return governor;
}

std::int32_t draw_ending(Dice& dice) {
  return dice.one_of({Trouble::kReset, Trouble::kEndOfStream, 1000, 1001, 1011, 1012, 1013});
}

Trouble draw_trouble(Dice& dice, Duration within) {
  Trouble trouble;
  trouble.kind = static_cast<Kind>(dice.below(static_cast<std::uint64_t>(Kind::disconnect) + 1));
  trouble.from = kStart + dice.between(Duration::zero(), within);
  if (trouble.lasts()) {
    trouble.to = trouble.from + dice.between(milliseconds(10), dice.chance(60) ? seconds(20) : seconds(120));
  }
  if (dice.chance(40)) trouble.share = static_cast<std::uint32_t>(dice.between(5, 95));
  switch (trouble.kind) {
    case Kind::slow:
      trouble.amount = dice.between(milliseconds(100), seconds(15));
      break;
    case Kind::unverified:
      trouble.number = dice.one_of({10, 18, 19, 20});
      break;
    case Kind::answer:
      trouble.number = dice.one_of({401, 403, 404, 426, 429, 429, 503, 503, 500, 502, 302});
      if (dice.chance(50)) trouble.retry_after_s = static_cast<std::int32_t>(dice.one_of({0, 1, 7, 60, 200}));
      break;
    case Kind::flap:
      trouble.number = draw_ending(dice);
      trouble.amount = dice.between(milliseconds(0), seconds(40));
      break;
    case Kind::slow_pong:
      trouble.amount = dice.between(milliseconds(100), seconds(15));
      break;
    case Kind::drop:
      trouble.number = draw_ending(dice);
      break;
    case Kind::stall:
      trouble.amount = dice.between(milliseconds(1), seconds(20));
      break;
    case Kind::pause:
      trouble.amount = dice.between(milliseconds(1), seconds(60));
      break;
    case Kind::reconfigure:
      trouble.number = dice.one_of({0, Trouble::kOfAttempts, Trouble::kOfAttempts | Trouble::kReconnect});
      trouble.amount = dice.chance(30) ? Duration::zero() : dice.between(milliseconds(1), seconds(6));
      break;
    case Kind::disconnect:
      trouble.amount = dice.chance(30) ? Duration::zero() : dice.between(milliseconds(1), seconds(6));
      trouble.again = dice.between(milliseconds(0), seconds(10));
      break;
    default:
      break;
  }
  return trouble;
}

void put_in_order(std::vector<Trouble>& troubles) {
  std::stable_sort(troubles.begin(), troubles.end(),
                   [](const Trouble& a, const Trouble& b) { return a.from < b.from; });
}

Trouble lasting(Kind kind, TimePoint from, Duration length) {
  Trouble trouble{kind};
  trouble.from = from;
  trouble.to = from + length;
  return trouble;
}

Trouble at_once(Kind kind, TimePoint from, std::int32_t number = 0) {
  Trouble trouble{kind};
  trouble.from = from;
  trouble.number = number;
  return trouble;
}

cwire::OfflineSettings draw_offline_queue(Dice& dice) {
  cwire::OfflineSettings offline;
  offline.messages_max = static_cast<std::uint32_t>(dice.between(1, dice.chance(50) ? 6 : 200));
  offline.bytes_max = dice.between(1, dice.chance(50) ? 3000 : 100000);
  offline.age_max = dice.chance(50) ? Duration::zero() : dice.between(milliseconds(10), seconds(60));
  offline.replay_rate = dice.one_of({0, 1, 3, 10, 10, 100});
  return offline;
}

// Some stations keep what they cannot send.
void draw_offline_queues(Scenario& scenario, Dice& dice, Duration within) {
  bool any = false;
  for (Group& group : scenario.groups) {
    if (group.send_every == Duration::zero() || dice.chance(60)) continue;
    any = true;
    group.settings.offline = draw_offline_queue(dice);
    group.other_settings.offline = dice.chance(50) ? group.settings.offline : draw_offline_queue(dice);
  }
  scenario.offline_budget_bytes = dice.chance(50) ? cwire::default_settings().offline_budget_bytes
                                                  : dice.between(0, dice.chance(50) ? 3000 : 50000);
  if (!any || !dice.chance(30)) return;
  // A connection that is to be replaced while it takes nothing: three kinds of messages meet then.
  const TimePoint from = kStart + dice.between(Duration::zero(), within);
  scenario.troubles.push_back(lasting(Kind::deaf, from, dice.between(seconds(1), seconds(15))));
  Trouble replaced = at_once(Kind::reconfigure, from + dice.between(Duration::zero(), seconds(6)),
                             Trouble::kOfAttempts | Trouble::kReconnect);
  replaced.amount = dice.between(seconds(1), seconds(6));
  scenario.troubles.push_back(replaced);
  put_in_order(scenario.troubles);
}

// Defaults, at a CSMS that can do so many handshakes a second.
constexpr std::uint32_t kHandshakesPerSecond = 2000;

Scenario with_defaults(std::uint32_t stations) {
  Scenario scenario;
  Endpoint endpoint;
  endpoint.tls = true;
  endpoint.latency = milliseconds(10);
  endpoint.latency_range = milliseconds(5);
  endpoint.workers = 16;
  endpoint.service = Duration(seconds(endpoint.workers)) / kHandshakesPerSecond;
  scenario.endpoints.push_back(endpoint);
  Group group;
  group.settings = cwire::default_settings();
  group.other_settings = group.settings;
  scenario.governor = governor_defaults();
  group.stations = stations;
  scenario.groups.push_back(group);
  scenario.peace = minutes(2);
  return scenario;
}

// Everybody is connected, and the CSMS is gone for a minute. It must not see more than a fifth more than it can do, and
// have all back in the time that it needs for them, after the longest wait.
Scenario storm(std::uint32_t stations) {
  Scenario scenario = with_defaults(stations);
  const TimePoint from = kStart + minutes(2) + 2 * Duration(seconds(stations)) / kHandshakesPerSecond;
  scenario.troubles = {at_once(Kind::drop, from, Trouble::kReset), lasting(Kind::refuse, from, minutes(1))};
  scenario.attempts_per_second_max = kHandshakesPerSecond + kHandshakesPerSecond / 5;
  const cwire::ReconnectSettings& reconnect = scenario.groups[0].settings.reconnect;
  scenario.back_within = Duration(seconds(stations)) / kHandshakesPerSecond +
                         std::chrono::duration_cast<Duration>(reconnect.backoff_max * (1 + reconnect.jitter));
  return scenario;
}

Scenario flapping(std::uint32_t stations) {
  Scenario scenario = with_defaults(stations);
  Trouble flap = lasting(Kind::flap, kStart + minutes(1), hours(1));
  flap.amount = seconds(10);
  flap.number = 1011;
  scenario.troubles = {at_once(Kind::drop, kStart + minutes(1), Trouble::kEndOfStream), flap};
  return scenario;
}

// An hour in which nobody gets through, and nobody but the stations' own schedule paces them.
Scenario outage(std::uint32_t stations) {
  Scenario scenario = with_defaults(stations);
  scenario.paced = false;
  const TimePoint from = kStart + minutes(1);
  scenario.troubles = {at_once(Kind::drop, from, Trouble::kReset), lasting(Kind::unreachable, from, hours(1))};
  return scenario;
}

// A trouble of any kind every few hours.
Scenario week(std::uint64_t seed, std::uint32_t stations) {
  Scenario scenario = with_defaults(stations);
  scenario.groups[0].settings.ping_interval = minutes(4);
  scenario.groups[0].settings.read_timeout = minutes(10);
  scenario.groups[0].other_settings = scenario.groups[0].settings;
  scenario.groups[0].send_every = minutes(10);
  scenario.groups[0].size_max = 400;
  Dice dice(seed);
  for (TimePoint at = kStart + minutes(10); at < kStart + hours(24 * 7); at += dice.between(minutes(30), hours(6))) {
    Trouble trouble = draw_trouble(dice, seconds(1));
    const Duration length = trouble.to - trouble.from;
    trouble.from = at;
    if (trouble.lasts()) trouble.to = at + length * 10;
    scenario.troubles.push_back(trouble);
  }
  return scenario;
}

}  // namespace

std::uint32_t Scenario::stations() const {
  std::uint32_t sum = 0;
  for (const Group& group : groups) sum += group.stations;
  return sum;
}

TimePoint Scenario::healed() const {
  TimePoint healed = kStart;
  for (const Group& group : groups) healed = std::max(healed, kStart + group.spread);
  for (const Trouble& trouble : troubles) {
    healed = std::max(healed, std::max(trouble.from, trouble.to) + trouble.amount + trouble.again);
  }
  return healed;
}

Scenario scenario_of(std::uint64_t seed, std::uint32_t stations) {
  Dice dice(seed);
  Scenario scenario;
  for (std::uint64_t i = dice.between(1, 2); i > 0; --i) scenario.endpoints.push_back(draw_endpoint(dice));
  const std::uint32_t groups = static_cast<std::uint32_t>(dice.between(1, 3));
  for (std::uint32_t i = 0; i < groups; ++i) {
    Group group = draw_group(dice);
    group.endpoint = static_cast<std::uint32_t>(dice.below(scenario.endpoints.size()));
    const auto drawn = static_cast<std::uint32_t>(dice.between(1, dice.chance(80) ? 6 : 40));
    group.stations = stations == 0 ? drawn : stations / groups + (i < stations % groups ? 1 : 0);
    scenario.groups.push_back(group);
  }
  scenario.paced = dice.chance(85);
  scenario.governor = draw_governor(dice);
  const Duration within = seconds(dice.between(20, 300));
  for (std::uint64_t i = dice.below(7); i > 0; --i) {
    Trouble trouble = draw_trouble(dice, within);
    trouble.endpoint = static_cast<std::uint32_t>(dice.below(scenario.endpoints.size()));
    scenario.troubles.push_back(trouble);
  }
  put_in_order(scenario.troubles);
  scenario.peace = seconds(dice.between(0, 100));
  scenario.abrupt = dice.chance(20);
  if (scenario.abrupt) scenario.abrupt_at = kStart + dice.between(Duration::zero(), within);
  Dice offline = dice.split();
  draw_offline_queues(scenario, offline, within);
  return scenario;
}

Scenario named_scenario(const std::string& name, std::uint64_t seed, std::uint32_t stations) {
  const auto or_else = [&](std::uint32_t usual) { return stations == 0 ? usual : stations; };
  if (name == "storm") return storm(or_else(10000));
  if (name == "flapping") return flapping(or_else(100));
  if (name == "outage") return outage(or_else(1000));
  if (name == "week") return week(seed, or_else(1000));
  throw std::invalid_argument("no scenario is called \"" + name + "\"; there are storm, flapping, outage and week");
}

}  // namespace simulation
