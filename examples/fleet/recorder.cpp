#include "recorder.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <numeric>
#include <utility>

#include "failure_text.h"
#include "ocpp.h"
#include "text.h"

namespace fleet {
namespace {

constexpr std::size_t recent_max = 300;
constexpr std::size_t recent_latencies_max = 10;
// Rates over less than that say nothing.
constexpr double span_min = 0.25;
constexpr std::size_t incidents_max = 200;
constexpr std::size_t outages_max = 100;
// Of those that were connected: so many that are away are an outage.
constexpr std::uint64_t outage_share = 10;  // one of
// A CSMS may make up as many codes of CALLERROR as it likes.
constexpr std::size_t kinds_max = 100;

// Seconds of processor time that this process has had.
double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::uint64_t resident_bytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  unsigned long long total = 0;
  unsigned long long resident = 0;
  const int read = std::fscanf(file, "%llu %llu", &total, &resident);
  std::fclose(file);
  return read == 2 ? resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

double seconds_of(std::int64_t ns) { return static_cast<double>(ns) / 1e9; }

}  // namespace

void Recorder::Sums::add(const cwire_stats& stats) {
  sent += stats.messages_sent;
  not_sent += stats.messages_not_sent;
  received += stats.messages_received;
  queued += stats.queued_messages;
  bytes_sent += stats.bytes_sent;
  bytes_received += stats.bytes_received;
  wire_sent += stats.wire_bytes_sent;
  wire_received += stats.wire_bytes_received;
}

Recorder::Recorder(Setup setup, std::vector<std::string> ids, bool has_boot)
    : stations_(ids.size()), has_boot_(has_boot) {
  record_.setup = std::move(setup);
  record_.started_at = std::chrono::system_clock::now();
  for (std::size_t i = 0; i < ids.size(); ++i) stations_[i].id = std::move(ids[i]);
  last_cpu_ = cpu_at_start_ = cpu_seconds();
}

// ---- What happened

void Recorder::begun(std::uint32_t station) {
  stations_[station].begun = true;
  ++begun_;
  ++in_state_[static_cast<std::size_t>(stations_[station].state)];
}

void Recorder::state_changed(std::uint32_t index, chargewire::State to) {
  Station& station = stations_[index];
  --in_state_[static_cast<std::size_t>(station.state)];
  station.state = to;
  ++in_state_[static_cast<std::size_t>(to)];
  if (to == chargewire::State::error) ++record_.totals.stations_gave_up;
}

void Recorder::connected(std::uint32_t index) {
  Station& station = stations_[index];
  Totals& totals = record_.totals;
  ++totals.connects;
  ++station.connections;
  if (station.connected_once) {
    ++totals.reconnects;
    return;
  }
  station.connected_once = true;
  if (++totals.stations_connected_once == stations_.size()) {
    record_.all_connected_at = std::max(seconds_since_start(), 1e-9);
    cpu_at_all_connected_ = cpu_seconds();
    incident("all stations have been connected");
  }
}

void Recorder::count(Kind& kind, std::uint32_t station, const std::string& cause, const std::string& example) {
  if (kind.count++ == 0) {
    kind.cause = cause;
    kind.example = example;
    kind.stations.resize(stations_.size());
  }
  kind.stations[station] = true;
}

void Recorder::failed(std::uint32_t station, const chargewire::Event& event, bool lost) {
  const std::string message(event.data());
  FailureKey key{lost, event.raw().status};
  if (const std::optional<chargewire::Failure> failure = event.failure()) {
    const cwire_failure& raw = failure->raw();
    key = {lost, raw.status, raw.phase, raw.os_error, raw.x509_error, raw.http_status, raw.close_code};
  }
  // The CSMS chooses the last two.
  if (failures_.size() >= kinds_max && failures_.find(key) == failures_.end()) key = {key[0], key[1], key[2]};
  Kind& kind = failures_[key];
  count(kind, station, cause_of(message, stations_[station].id), message);
  stations_[station].last_error = &kind.cause;
}

void Recorder::disconnected(std::uint32_t station, const chargewire::Event& event) {
  if (event.status() == chargewire::Status::ok) return;  // asked for
  ++record_.totals.disconnects;
  ++stations_[station].lost;
  failed(station, event, true);
}

void Recorder::attempt_failed(std::uint32_t station, const chargewire::Event& event) {
  ++record_.totals.attempts_failed;
  ++stations_[station].attempts_failed;
  failed(station, event, false);
}

void Recorder::booted(std::uint32_t station) {
  if (std::exchange(stations_[station].booted, true)) return;
  if (++record_.totals.stations_booted == stations_.size()) incident("all stations have booted");
}

void Recorder::call_sent(const Call& call) {
  ++record_.totals.calls_sent;
  ++actions_[name_of(call.action, call.version)].count.sent;
}

void Recorder::call_answered(const Call& call, double latency) {
  ++record_.totals.calls_answered;
  ActionLine& action = actions_[name_of(call.action, call.version)];
  ++action.count.answered;
  action.latencies.add(latency);
  all_latencies_.add(latency);
  latencies_.push_back(static_cast<float>(latency));
}

void Recorder::call_failed(const Call& call, const std::string& reason, const std::string& message) {
  const std::string action = name_of(call.action, call.version);
  Station& station = stations_[call.station];
  const std::string cause = action + ": " + cause_of(message, station.id);
  ++record_.totals.calls_failed;
  ++actions_[action].count.failed;
  const bool is_new = call_failures_.find({action, reason}) == call_failures_.end();
  const std::string kept_apart = is_new && call_failures_.size() >= kinds_max ? "other" : reason;
  Kind& kind = call_failures_[{action, kept_apart}];
  count(kind, call.station, cause, station.id + ": " + cause);
  // The station has counted the lost connection already.
  if (reason == reason_connection_lost) {
    ++record_.totals.calls_lost;
  } else {
    ++station.calls_failed;
    station.last_error = &kind.cause;
  }
}

void Recorder::command(const std::string& action, bool answered) {
  ++record_.totals.commands_received;
  const bool is_new = commands_.find(action) == commands_.end();
  ActionCount& count = commands_[is_new && commands_.size() >= kinds_max ? "other" : action];
  ++count.sent;
  ++(answered ? count.answered : count.failed);
}

void Recorder::incident(const std::string& text) {
  if (record_.incidents.size() < incidents_max) {
    record_.incidents.push_back({seconds_since_start(), text});
  } else {
    ++record_.incidents_left_out;
  }
}

void Recorder::logged(const std::string& text) {
  if (text != last_of_endpoint_) return incident(text);
  last_of_endpoint_.clear();
}

void Recorder::endpoint(const std::string& text, const std::string& words) {
  incident(words);
  last_of_endpoint_ = text;
}

double Recorder::seconds_since_start() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
}

// ---- Looking at the stations

void Recorder::begin_look() {
  living_ = Sums{};
  round_trips_.clear();
  if (!frozen_) {
    qualities_.fill(0);
    jitters_.clear();
    for (std::vector<float>& part : handshakes_) part.clear();
  }
}

void Recorder::look(std::uint32_t index, const cwire_stats& stats) {
  Station& station = stations_[index];
  if (station.ended) return;
  living_.add(stats);
  if (stats.round_trip_ns != station.last_round_trip_ns) {
    station.last_round_trip_ns = stats.round_trip_ns;
    all_round_trips_.add(seconds_of(stats.round_trip_ns));
  }
  if (station.state == chargewire::State::connected && stats.round_trip_ns != 0) {
    round_trips_.push_back(static_cast<float>(seconds_of(stats.round_trip_ns)));
  }
  station.round_trip = seconds_of(stats.round_trip_smoothed_ns);
  if (frozen_) return;
  station.quality = stats.quality;
  if (stats.quality >= 0 && static_cast<std::size_t>(stats.quality) < qualities_.size()) {
    ++qualities_[static_cast<std::size_t>(stats.quality)];
  }
  if (stats.round_trip_ns != 0) jitters_.push_back(static_cast<float>(seconds_of(stats.jitter_ns)));
  if (stats.handshake_ns == 0) return;
  const std::int64_t parts[] = {stats.handshake_ns,       stats.handshake_resolve_ns, stats.handshake_tcp_ns,
                                stats.handshake_proxy_ns, stats.handshake_tls_ns,     stats.handshake_http_ns};
  for (std::size_t i = 0; i < std::size(parts); ++i) {
    if (parts[i] != 0) handshakes_[i].push_back(static_cast<float>(seconds_of(parts[i])));
  }
}

void Recorder::look_at_endpoints(std::uint64_t waiting, std::uint64_t dialling, double breaker_left) {
  waiting_ = waiting;
  dialling_ = dialling;
  breaker_left_ = breaker_left;
}

void Recorder::look_last(std::uint32_t index, const cwire_stats& stats) {
  Station& station = stations_[index];
  if (std::exchange(station.ended, true)) return;
  ended_.add(stats);
}

void Recorder::end_look() {
  Sample sample;
  sample.at = seconds_since_start();
  sample.span = sample.at - last_at_;
  const auto rate = [&](std::uint64_t now, std::uint64_t before) {
    return now > before ? static_cast<double>(now - before) / sample.span : 0;
  };

  Sums sums = living_;
  sums.sent += ended_.sent;
  sums.not_sent += ended_.not_sent;
  sums.bytes_sent += ended_.bytes_sent;
  sums.bytes_received += ended_.bytes_received;
  sums.received += ended_.received;
  sums.wire_sent += ended_.wire_sent;
  sums.wire_received += ended_.wire_received;
  Totals& totals = record_.totals;
  totals.messages_sent = sums.sent;
  totals.messages_not_sent = sums.not_sent;
  totals.messages_received = sums.received;
  totals.bytes_sent = sums.bytes_sent;
  totals.bytes_received = sums.bytes_received;
  totals.wire_bytes_sent = sums.wire_sent;
  totals.wire_bytes_received = sums.wire_received;

  if (!frozen_) {
    record_.quality = qualities_;
    rank_worst();
  }
  tell_kinds();
  if (sample.span < span_min) return;

  sample.stations = in_state_;
  // Who waits is connecting or reconnecting, as the library counts. Those that dial are taken for first attempts, as
  // far as there are any.
  std::uint64_t& connecting = sample.stations[CWIRE_STATE_CONNECTING];
  std::uint64_t& reconnecting = sample.stations[CWIRE_STATE_RECONNECTING];
  const std::uint64_t of_connecting = std::min(waiting_, connecting - std::min(connecting, dialling_));
  const std::uint64_t of_reconnecting = std::min(waiting_ - of_connecting, reconnecting);
  connecting -= of_connecting;
  reconnecting -= of_reconnecting;
  sample.held_back = of_connecting + of_reconnecting;
  sample.not_started = stations_.size() - begun_;
  sample.messages_sent = rate(totals.messages_sent, last_.messages_sent);
  sample.messages_received = rate(totals.messages_received, last_.messages_received);
  sample.bytes_sent = rate(totals.bytes_sent, last_.bytes_sent);
  sample.bytes_received = rate(totals.bytes_received, last_.bytes_received);
  sample.calls_sent = rate(totals.calls_sent, last_.calls_sent);
  sample.calls_answered = rate(totals.calls_answered, last_.calls_answered);
  sample.calls_failed = rate(totals.calls_failed, last_.calls_failed);
  sample.connects = rate(totals.connects, last_.connects);
  sample.disconnects = rate(totals.disconnects, last_.disconnects);
  sample.attempts_failed = rate(totals.attempts_failed, last_.attempts_failed);
  if (!frozen_) watch_for_outages(sample);
  last_ = totals;

  sample.round_trip = percentiles_of(round_trips_);
  recent_latencies_.push_back(latencies_);
  if (recent_latencies_.size() > recent_latencies_max) recent_latencies_.pop_front();
  std::vector<float> latencies;
  for (const std::vector<float>& second : recent_latencies_)
    latencies.insert(latencies.end(), second.begin(), second.end());
  recent_call_latency_ = percentiles_of(latencies);
  sample.call_latency = percentiles_of(latencies_);
  latencies_.clear();

  const double cpu = cpu_seconds();
  sample.cpu = (cpu - last_cpu_) / sample.span;
  last_cpu_ = cpu;
  record_.cpu = (cpu - cpu_at_start_) / sample.at;
  sample.resident_bytes = resident_bytes();
  record_.resident_bytes_max = std::max(record_.resident_bytes_max, sample.resident_bytes);
  last_at_ = sample.at;

  recent_.push_back(sample);
  if (recent_.size() > recent_max) recent_.pop_front();
  samples_.add(sample);
}

void Recorder::watch_for_outages(const Sample& sample) {
  const std::uint64_t connected = sample.stations[CWIRE_STATE_CONNECTED];
  const std::uint64_t lost = record_.totals.disconnects - last_.disconnects;
  const std::uint64_t away = in_state_[CWIRE_STATE_RECONNECTING];
  if (!in_outage_ && away > 0 && lost * outage_share >= std::max<std::uint64_t>(last_connected_, 1) &&
      record_.outages.size() < outages_max) {
    in_outage_ = true;
    connected_before_outage_ = last_connected_;
    record_.outages.push_back({last_at_, 0});
    incident("an outage begins: " + grouped(lost) + " of " + grouped(std::max(lost, last_connected_)) +
             " connections were lost within " + span_text(std::ceil(sample.span)));
  } else if (in_outage_ && (away == 0 || away * outage_share < connected_before_outage_)) {
    in_outage_ = false;
    record_.outages.back().to = sample.at;
    incident("the outage is over after " + span_text(std::ceil(sample.at - record_.outages.back().from)) + ": " +
             grouped(connected) + " of " + grouped(stations_.size()) + " stations are connected");
  }
  last_connected_ = connected;
}

void Recorder::rank_worst() {
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < stations_.size(); ++i) {
    const Station& station = stations_[i];
    if (station.begun && (station.trouble() > 0 || station.state != chargewire::State::connected)) order.push_back(i);
  }
  const auto worse = [this](std::uint32_t a, std::uint32_t b) {
    const auto key = [this](std::uint32_t i) {
      const Station& station = stations_[i];
      return std::make_tuple(station.state != chargewire::State::connected, station.trouble(), station.round_trip, ~i);
    };
    return key(b) < key(a);
  };
  const std::size_t count = std::min(order.size(), RunRecord::worst_max);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(), worse);
  record_.worst.clear();
  for (std::size_t i = 0; i < count; ++i) {
    const Station& station = stations_[order[i]];
    WorstStation worst;
    worst.id = station.id;
    worst.state = station.state;
    worst.quality = station.quality;
    worst.connections = station.connections;
    worst.connections_lost = station.lost;
    worst.attempts_failed = station.attempts_failed;
    worst.calls_failed = station.calls_failed;
    worst.round_trip = station.round_trip;
    if (station.last_error != nullptr) worst.last_error = *station.last_error;
    record_.worst.push_back(std::move(worst));
  }
}

void Recorder::tell_kinds() {
  const auto different = [](const Kind& kind) {
    return static_cast<std::uint64_t>(std::count(kind.stations.begin(), kind.stations.end(), true));
  };
  const auto more_frequent = [](const auto& a, const auto& b) { return a.count > b.count; };
  record_.failures.clear();
  for (const auto& [what, kind] : failures_) {
    record_.failures.push_back({what[0] != 0, static_cast<chargewire::Status>(what[1]),
                                static_cast<chargewire::Phase>(what[2]), kind.count, different(kind), kind.cause,
                                kind.example});
  }
  std::stable_sort(record_.failures.begin(), record_.failures.end(), more_frequent);
  record_.call_failures.clear();
  for (const auto& [what, kind] : call_failures_) {
    record_.call_failures.push_back({what.first, what.second, kind.count, different(kind), kind.cause, kind.example});
  }
  std::stable_sort(record_.call_failures.begin(), record_.call_failures.end(), more_frequent);
}

// ---- The end

void Recorder::drain_began() {
  if (std::exchange(frozen_, true)) return;
  record_.drain_began_at = seconds_since_start();
  if (record_.all_connected_at > 0 && record_.drain_began_at > record_.all_connected_at) {
    record_.cpu_steady = (cpu_seconds() - cpu_at_all_connected_) / (record_.drain_began_at - record_.all_connected_at);
  }
}

// How many it is true of; the others by what `why` says of each, with the first of them.
template <class Why>
std::string Recorder::missing_by_cause(bool Station::*what, Why why) const {
  struct Missing {
    std::uint64_t count = 0;
    const Station* first = nullptr;
  };
  std::map<std::string_view, Missing> causes;
  std::uint64_t missing = 0;
  for (const Station& station : stations_) {
    if (station.*what) continue;
    ++missing;
    Missing& cause = causes[why(station)];
    if (cause.count++ == 0) cause.first = &station;
  }
  const std::string all = grouped(stations_.size());
  std::string text = grouped(stations_.size() - missing) + " of " + all;
  std::vector<std::pair<std::string_view, Missing>> sorted(causes.begin(), causes.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second.count > b.second.count; });
  constexpr std::size_t shown = 3;
  std::uint64_t left = missing;
  for (std::size_t i = 0; i < std::min(sorted.size(), shown); ++i) {
    const auto& [cause, of] = sorted[i];
    text += i == 0 ? ". " : " | ";
    text += of.count == 1 ? of.first->id : grouped(of.count) + " stations, " + of.first->id + " for one";
    text.append(": ").append(cause);
    left -= of.count;
  }
  return left == 0 ? text : text + " | and " + grouped(left) + " more";
}

void Recorder::judge() {
  const Totals& totals = record_.totals;
  std::vector<Promise>& promises = record_.promises;
  promises.push_back({"Every station was connected at least once", totals.stations_connected_once == stations_.size(),
                      missing_by_cause(&Station::connected_once, [](const Station& station) -> std::string_view {
                        if (!station.begun) return "the turn to begin had not come";
                        if (station.last_error == nullptr) return "held back, or no attempt had come to an end";
                        return *station.last_error;
                      })});
  if (has_boot_) {
    promises.push_back({"The CSMS accepted the boot of every station", totals.stations_booted == stations_.size(),
                        missing_by_cause(&Station::booted, [](const Station& station) -> std::string_view {
                          if (!station.connected_once) return "never connected";
                          if (station.last_error == nullptr) return "not accepted before the end";
                          return *station.last_error;
                        })});
  }
  const std::uint64_t unanswered = totals.calls_failed - totals.calls_lost;
  Promise answered{"Every call was answered by a CALLRESULT, unless its connection was lost", unanswered == 0, ""};
  answered.detail = grouped(totals.calls_answered) + " of " + grouped(totals.calls_sent) + "; " +
                    grouped(totals.calls_lost) + " lost with their connection";
  if (unanswered > 0) {
    for (const CallFailureKind& kind : record_.call_failures) {
      if (kind.reason != reason_connection_lost)
        answered.detail += "; " + grouped(kind.count) + " " + kind.action + ": " + kind.reason;
    }
  }
  promises.push_back(std::move(answered));
  promises.push_back({"Every message that the library accepted was sent, or reported as not sent",
                      totals.messages_unreported == 0,
                      grouped(totals.messages_sent) + " sent and " + grouped(totals.messages_not_sent) +
                          " reported of " + grouped(totals.messages_accepted)});
}

void Recorder::finish(bool drained, std::string end) {
  drain_began();
  record_.samples = samples_.take();
  Totals& totals = record_.totals;
  // What still waits in a queue when the run is cut short is neither sent nor due to be reported yet.
  totals.messages_unreported = static_cast<std::int64_t>(totals.messages_accepted - totals.messages_sent -
                                                         totals.messages_not_sent - living_.queued);
  record_.round_trip = all_round_trips_.percentiles();
  record_.call_latency = all_latencies_.percentiles();
  record_.jitter = percentiles_of(jitters_);
  Percentiles* const parts[] = {&record_.handshake,       &record_.handshake_resolve, &record_.handshake_tcp,
                                &record_.handshake_proxy, &record_.handshake_tls,     &record_.handshake_http};
  for (std::size_t i = 0; i < std::size(parts); ++i) *parts[i] = percentiles_of(handshakes_[i]);
  for (const auto& [name, line] : actions_) {
    record_.actions.push_back(line.count);
    record_.actions.back().action = name;
    record_.actions.back().latency = line.latencies.percentiles();
  }
  for (const auto& [name, count] : commands_) {
    record_.commands.push_back(count);
    record_.commands.back().action = name;
  }
  record_.ended_at = std::chrono::system_clock::now();
  record_.drained = drained;
  record_.end = std::move(end);
  judge();
}

bool Recorder::all_promises_kept() const {
  return std::all_of(record_.promises.begin(), record_.promises.end(),
                     [](const Promise& promise) { return promise.kept; });
}

}  // namespace fleet
