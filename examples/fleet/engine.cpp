#include "engine.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

namespace fleet {
namespace {

constexpr Duration tick(10);
constexpr Duration sample_span(1000);
constexpr std::size_t batch_max = 4096;
// One wish to end may come as two signals: `timeout` sends its to the program, and to the group that it is in.
constexpr Duration one_signal(250);
// What OCPP-J leaves of the drain time for closing the connections, at least.
constexpr Duration close_time(1000);

std::int64_t wall_clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// Without user and password, if anybody wrote them there, and without the query, in which some servers take a token.
std::string without_secrets(std::string url) {
  if (const std::size_t scheme = url.find("://"); scheme != std::string::npos) {
    const std::size_t begin = scheme + 3, end = std::min(url.find_first_of("/?#", begin), url.size());
    const std::size_t last = url.rfind('@'), user = url.rfind('@', end);
    // A password may hold what ends a host, as long as nobody has checked the URL: nobody knows where it ends.
    if (last != std::string::npos && last > end && url.find(':', begin) < last) return url.substr(0, begin) + "***";
    if (user != std::string::npos && user >= begin) url.erase(begin, user + 1 - begin);
  }
  if (const std::size_t query = url.find('?'); query != std::string::npos) {
    url.replace(query, std::string::npos, "?***");
  }
  return url;
}

std::vector<std::pair<std::string, std::string>> in_words(const ScenarioSpec& spec) {
  std::vector<std::pair<std::string, std::string>> words;
  const auto every = [](const std::optional<Duration>& interval, const char* otherwise) {
    return interval ? "every " + text(*interval) : std::string(otherwise);
  };
  words.emplace_back("connectors", std::to_string(spec.connectors));
  words.emplace_back("boot", spec.boot ? spec.boot->vendor + " " + spec.boot->model : "none");
  words.emplace_back("heartbeat",
                     spec.heartbeat ? every(spec.heartbeat->interval, "as often as the CSMS says") : "none");
  words.emplace_back("status", spec.status ? every(spec.status->interval, "after a boot and when it changes") : "none");
  if (spec.meter_values)
    words.emplace_back("meter values", every(spec.meter_values->interval, "") + ", of each connector");
  if (spec.transactions) {
    words.emplace_back("transactions", text(spec.transactions->duration) + ", then " + text(spec.transactions->pause) +
                                           " of pause, on each connector");
  }
  words.emplace_back("jitter", std::to_string(static_cast<int>(spec.jitter * 100 + 0.5)) + " % of each interval");
  words.emplace_back("call timeout", text(spec.call_timeout));
  return words;
}

// What the file sets of the library's options, as the library has it. Secrets are "***".
std::vector<std::pair<std::string, std::string>> library_options(const FleetSpec& spec,
                                                                 const chargewire::Config& config) {
  const nlohmann::json schema = nlohmann::json::parse(chargewire::Config::schema());
  const chargewire::Config defaults;
  std::vector<std::pair<std::string, std::string>> options;
  const auto shown = [](const nlohmann::json& option, const std::string& value) {
    const std::string type = option["type"];
    return type.find("pem") != std::string::npos ? "***" : type == "url" ? without_secrets(value) : value;
  };
  for (const nlohmann::json& option : schema["options"]) {
    const std::string key = option["key"];
    if (const std::string value = config.get(key); value != defaults.get(key))
      options.emplace_back(key, shown(option, value));
    for (const StationOption& each : spec.station_options) {
      if (each.key != key && each.key.compare(0, key.size() + 1, key + '.') != 0) continue;
      options.emplace_back("fleet." + each.key,
                           option["secret"].get<bool>() ? "***" : shown(option, each.value.text()));
    }
  }
  return options;
}

Setup setup_of(const FleetSpec& spec, const std::vector<std::uint64_t>& indices, const chargewire::Config& config) {
  Setup setup;
  setup.file = spec.file;
  setup.url = without_secrets(spec.url.empty() ? config.get("csms.default_url") : spec.url.text());
  setup.stations = indices.size();
  setup.stations_of_all = spec.stations;
  if (!indices.empty()) {
    setup.first_id = spec.id_of(indices.front());
    setup.last_id = spec.id_of(indices.back());
  }
  setup.shard_index = spec.shard.index;
  setup.shards = spec.shard.count;
  setup.ramp = spec.ramp;
  setup.duration = spec.duration ? std::chrono::duration<double>(*spec.duration).count() : 0;
  setup.seed = spec.seed;
  if (spec.protocols.empty()) {
    setup.protocols.push_back({config.get("csms.protocol"), indices.size()});
  } else {
    for (const ProtocolShare& share : spec.protocols) setup.protocols.push_back({joined(share.offered), 0});
    for (const std::uint64_t index : indices) ++setup.protocols[spec.protocol_of(index)].stations;
  }
  setup.scenario = in_words(spec.scenario);
  setup.breaker = config.get("governor.enabled") == "false" || config.get("governor.breaker") == "false"
                      ? "off"
                      : "on: when " + config.get("governor.breaker_failures") + " of " +
                            config.get("governor.breaker_attempts_min") +
                            " or more attempts at an endpoint failed within " + config.get("governor.breaker_window") +
                            ", no station dials for " + config.get("governor.breaker_open") +
                            ", and longer each time in a row";
  setup.library = library_options(spec, config);
  setup.library_version = std::string(chargewire::version());
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  setup.host = host;
  setup.host_cores = std::thread::hardware_concurrency();
  return setup;
}

// What the library says of YAML text, told as of the file that it comes from.
chargewire::Config library_config(const FleetSpec& spec) {
  chargewire::Config config;
  try {
    config.load_yaml(spec.library_yaml);
  } catch (const chargewire::Error& error) {
    const std::string what = error.what();
    const std::size_t colon = what.find(':');
    throw SpecError(spec.file + (colon == std::string::npos ? ": " + what : what.substr(colon)));
  }
  return config;
}

// The library says csms.ping_interval of what stands below `fleet:`.
std::string of_fleet(std::string what) {
  if (!what.empty() && what[0] == '"') what.erase(what.find('"', 1), 1).erase(0, 1);
  return what.compare(0, 5, "csms.") == 0 ? "fleet." + what : "fleet: " + what;
}

std::vector<std::uint64_t> numbers_of(const FleetSpec& spec) {
  std::vector<std::uint64_t> numbers = spec.indices();
  for (std::uint64_t& number : numbers) number = spec.number_of(number);
  return numbers;
}

std::vector<std::string> ids_of(const FleetSpec& spec, const std::vector<std::uint64_t>& indices) {
  std::vector<std::string> ids;
  for (const std::uint64_t index : indices) ids.push_back(spec.id_of(index));
  return ids;
}

}  // namespace

Engine::Engine(const FleetSpec& spec) : Engine(spec, spec.indices(), library_config(spec)) {}

Engine::Engine(const FleetSpec& spec, const std::vector<std::uint64_t>& indices, const chargewire::Config& config)
    : spec_(spec),
      stations_(indices.size()),
      // As many as milliseconds since 1970: more than any earlier run can have come to.
      scenario_(spec.scenario, numbers_of(spec), spec.seed, static_cast<std::uint64_t>(wall_clock_ns() / 1000000)),
      recorder_(setup_of(spec, indices, config), ids_of(spec, indices), spec.scenario.boot.has_value()) {
  for (std::size_t i = 0; i < indices.size(); ++i) {
    Station& station = stations_[i];
    const std::uint64_t number = spec.number_of(indices[i]);
    const std::string id = spec.id_of(indices[i]);
    station.index = indices[i];
    if (spec.scenario.boot) station.facts.serial_number = spec.scenario.boot->serial_number.expand(number, id);
    if (spec.scenario.transactions) station.facts.id_token = spec.scenario.transactions->id_token.expand(number, id);
  }
  for (const ProtocolShare& share : spec.protocols) {
    protocol_configs_.emplace_back().set("csms.protocol", joined(share.offered));
  }
  rehearse(config);
  manager_ = std::make_unique<chargewire::Manager>(config);
  recorder_.metrics_are_served(manager_->metrics_url());
}

std::string Engine::url_of(std::uint32_t index) const {
  return spec_.url.expand(spec_.number_of(stations_[index].index), recorder_.id(index));
}

// At a manager of their own, for which their endpoints are isolated, so that none is dialled. All of them where each
// has files of its own, or one that is missing would be found when its turn comes.
void Engine::rehearse(chargewire::Config config) const {
  config.set("governor.enabled", "true")
      .set("io_threads", "1")
      .set("metrics.listen", "")
      .set("metrics.enabled", "false");
  config.set("trace.enabled", "false").set("trace.file", "").set("log_level", "off");
  chargewire::Manager manager(config);
  const auto last = static_cast<std::uint32_t>(stations_.size());
  for (std::uint32_t i = 0; i < last; ++i) {
    if (spec_.station_options.empty() && i != 0 && i + 1 != last) continue;
    const std::string url = url_of(i);
    try {
      manager.isolate(url.empty() ? config.get("csms.default_url") : url);
    } catch (const chargewire::Error& error) {
      throw SpecError("the URL " + without_secrets(url) + " cannot be used: " + error.what());
    }
    try {
      manager.connect(recorder_.id(i), url, config_of(i));
    } catch (const chargewire::Error& error) {
      const std::string what = error.what();
      if (what.compare(0, 12, "station id: ") != 0) throw;
      throw SpecError(spec_.file + ": fleet.id makes \"" + recorder_.id(i) + "\": " + what.substr(12));
    }
  }
}

// The options that a station has for itself.
chargewire::Config Engine::config_of(std::uint32_t index) const {
  const std::uint64_t number = spec_.number_of(stations_[index].index);
  chargewire::Config config;
  if (!protocol_configs_.empty()) config = protocol_configs_[spec_.protocol_of(stations_[index].index)];
  for (const StationOption& option : spec_.station_options) {
    try {
      config.set(option.key, option.value.expand(number, recorder_.id(index)));
    } catch (const chargewire::Error& error) {
      throw SpecError(spec_.file + ":" + std::to_string(option.line) + ": " + of_fleet(error.what()));
    }
  }
  return config;
}

Duration Engine::now() const {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - started_);
}

// ---- Stations

void Engine::begin_stations(Duration now) {
  while (next_to_begin_ < stations_.size() && !drain_until_ && spec_.start_of(stations_[next_to_begin_].index) <= now) {
    begin_station(next_to_begin_++);
  }
}

void Engine::begin_station(std::uint32_t index) {
  const std::string& id = recorder_.id(index);
  const std::string url = url_of(index);
  if (spec_.station_options.empty() && protocol_configs_.empty()) {
    stations_[index].token = manager_->connect(id, url, index);
  } else if (spec_.station_options.empty()) {
    stations_[index].token =
        manager_->connect(id, url, protocol_configs_[spec_.protocol_of(stations_[index].index)], index);
  } else {
    stations_[index].token = manager_->connect(id, url, config_of(index), index);
  }
  recorder_.begun(index);
}

// ---- Events

void Engine::take_events(Duration now) {
  // However many there are, signals and the view have their turn after a tick.
  const Duration until = now + tick;
  while (this->now() < until) {
    const chargewire::Events events = manager_->poll(std::chrono::milliseconds(0), batch_max);
    for (const chargewire::Event event : events) take(event, now);
    if (events.size() < batch_max || shut_down_) return;
  }
}

void Engine::take(const chargewire::Event& event, Duration now) {
  const std::uint32_t index = static_cast<std::uint32_t>(event.user_data());
  switch (event.type()) {
    case chargewire::EventType::connected: {
      Station& station = stations_[index];
      // The library agrees on none but these.
      station.version = ocpp::version_of(event.data()).value_or(Version::v1_6);
      recorder_.connected(index);
      scenario_.connected(index, station.version, now);
      if (!spec_.scenario.boot) recorder_.booted(index);
      break;
    }
    case chargewire::EventType::message:
      take_message(index, event, now);
      break;
    case chargewire::EventType::sent:
      // One that ended with its connection is counted with that: DISCONNECTED says why.
      if (event.tag() != 0 && event.status() != chargewire::Status::ok &&
          event.status() != chargewire::Status::closed) {
        lost_call(scenario_.refused(index, event.tag(), now), "not sent",
                  "not sent: " + std::string(chargewire::text(event.status())));
      }
      break;
    case chargewire::EventType::disconnected:
      lost_call(scenario_.disconnected(index),
                event.status() == chargewire::Status::ok && !stations_[index].resets ? "no answer before the end"
                                                                                     : reason_connection_lost,
                std::string(event.data()));
      stations_[index].resets = false;
      recorder_.disconnected(index, event);
      break;
    case chargewire::EventType::error:
      recorder_.attempt_failed(index, event);
      break;
    case chargewire::EventType::state:
      recorder_.state_changed(index, event.new_state());
      break;
    case chargewire::EventType::closed: {
      chargewire::Stats stats;
      if (cwire_manager_stats(manager_->get(), event.raw().station_id, &stats.raw()) == CWIRE_OK) {
        recorder_.look_last(index, stats.raw());
      }
      break;
    }
    case chargewire::EventType::log:
      if (!event.station()) recorder_.logged(std::string(event.data()));
      break;
    case chargewire::EventType::endpoint:
      take_endpoint(event);
      break;
    case chargewire::EventType::paused:
      recorder_.incident(std::string(event.data()));
      break;
    case chargewire::EventType::shutdown:
      shut_down_ = true;
      break;
    default:
      break;
  }
}

// The library's line speaks of its events and calls; nobody here has those.
void Engine::take_endpoint(const chargewire::Event& event) {
  const std::string text(event.data());
  const std::string name = text.substr(0, text.find(": "));
  std::string words;
  switch (static_cast<chargewire::Breaker>(event.code())) {
    case chargewire::Breaker::open: {
      words = name + (event.tag() == static_cast<std::uint64_t>(chargewire::Breaker::half_open)
                          ? ": still does badly, so the breaker stays open"
                          : ": too many attempts failed, so the breaker has opened");
      for (const chargewire::Endpoint& endpoint : manager_->endpoints()) {
        if (endpoint.name() != name || !endpoint.opens_at()) continue;
        const auto left = std::chrono::duration<double>(*endpoint.opens_at() - std::chrono::system_clock::now());
        words += ": no station dials for " + std::to_string(std::lround(std::max(left.count(), 0.0))) + " s";
      }
      words += " (governor.breaker)";
      break;
    }
    case chargewire::Breaker::half_open:
      words = name + ": the breaker lets a few stations try";
      break;
    case chargewire::Breaker::closed:
      words = name + ": the breaker has closed: all stations connect";
      break;
    default:
      words = text;
      break;
  }
  recorder_.endpoint(text, words);
}

void Engine::lost_call(const std::optional<Call>& call, const char* reason, const std::string& message) {
  if (call) recorder_.call_failed(*call, reason, message);
}

void Engine::take_message(std::uint32_t index, const chargewire::Event& event, Duration now) {
  const Incoming incoming = parse(event.data());
  switch (incoming.kind) {
    case Incoming::call:
      answer_command(index, incoming, now);
      break;
    case Incoming::result: {
      const std::uint64_t id = number_of(incoming.id);
      const Call* const open = scenario_.open(index);
      if (open == nullptr || open->id != id) break;  // too late, or nobody asked
      const std::optional<Answer> answer = read_answer(*open, incoming.payload);
      if (!answer) {
        lost_call(scenario_.refused(index, id, now), "bad answer", "the answer lacks what OCPP demands of it");
        break;
      }
      const std::optional<Call> call = scenario_.answered(index, id, *answer, now);
      recorder_.call_answered(
          *call, std::max(0.0, static_cast<double>(event.raw().time_ns - stations_[index].sent_at_ns) / 1e9));
      if (call->action == Action::boot && answer->registration == Answer::accepted) recorder_.booted(index);
      break;
    }
    case Incoming::error:
      lost_call(
          scenario_.refused(index, number_of(incoming.id), now), incoming.code.c_str(),
          "the CSMS answered " + incoming.code + (incoming.description.empty() ? "" : ": " + incoming.description));
      break;
    case Incoming::nothing:
      recorder_.incident(recorder_.id(index) +
                         " received a message that it does not understand: " + incoming.description);
      break;
  }
}

void Engine::answer_command(std::uint32_t index, const Incoming& command, Duration now) {
  Station& station = stations_[index];
  const CommandOutcome outcome = carry_out(command, index, station.version, scenario_, spec_.scenario, now);
  recorder_.command(command.action, outcome.answered);
  if (chargewire::succeeded(station.token.try_send(outcome.text))) recorder_.message_accepted();
  if (outcome.reset) {
    // What is queued is sent before: the answer.
    station.resets = true;
    try {
      station.token.reconfigure({}, chargewire::Reconfigure::reconnect);
    } catch (const chargewire::Error&) {
      station.resets = false;  // it is ending anyway
    }
  }
}

// ---- Calls

void Engine::make_calls(Duration now) {
  timed_out_.clear();
  const std::vector<Call> calls = scenario_.due(now, timed_out_);
  for (const Call& call : timed_out_) {
    recorder_.call_failed(call, "timeout", "no answer within " + text(spec_.scenario.call_timeout));
  }
  if (calls.empty()) return;

  const auto wall = std::chrono::system_clock::now();
  texts_.clear();
  outgoing_.clear();
  for (const Call& call : calls) texts_.push_back(text_of(call, stations_[call.station].facts, spec_.scenario, wall));
  for (std::size_t i = 0; i < calls.size(); ++i) {
    outgoing_.emplace_back(stations_[calls[i].station].token, texts_[i], chargewire::Flags{}, calls[i].id);
  }
  const std::int64_t sent_at_ns = wall_clock_ns();
  chargewire::send_many(outgoing_);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (!chargewire::succeeded(outgoing_[i].status())) {
      scenario_.not_sent(calls[i].station);
      continue;
    }
    stations_[calls[i].station].sent_at_ns = sent_at_ns;
    recorder_.message_accepted();
    recorder_.call_sent(calls[i]);
  }
}

// ---- The run

void Engine::look() {
  recorder_.begin_look();
  chargewire::Stats stats;
  for (std::uint32_t i = 0; i < next_to_begin_; ++i) {
    stats.raw().size = sizeof stats.raw();
    if (cwire_station_stats(stations_[i].token.get(), &stats.raw()) == CWIRE_OK) recorder_.look(i, stats.raw());
  }
  std::uint64_t waiting = 0;
  std::uint64_t dialling = 0;
  std::chrono::duration<double> left(0);
  for (const chargewire::Endpoint& endpoint : manager_->endpoints()) {
    waiting += endpoint.waiting_high() + endpoint.waiting_normal() + endpoint.waiting_low();
    dialling += endpoint.handshakes();
    if (endpoint.opens_at())
      left = std::max<decltype(left)>(left, *endpoint.opens_at() - std::chrono::system_clock::now());
  }
  recorder_.look_at_endpoints(waiting, dialling, left.count());
  recorder_.end_look();
}

void Engine::ask_to_end(const std::string& why) {
  if (asked_to_end_++ == 0) why_ = why;
}

void Engine::drain(Duration now) {
  if (!drain_until_) {
    look();
    drain_until_ = now + spec_.drain;
    scenario_.drain();
    recorder_.drain_began();
    recorder_.incident("the end begins: " + why_);
  }
  if (!shutting_down_ && (scenario_.under_way() == 0 || now + close_time >= *drain_until_)) {
    shutting_down_ = true;
    manager_->shutdown(std::max(*drain_until_ - now, Duration(0)));
  }
}

// Until then, or until somebody wants something.
void Engine::wait(const Signals& signals, const Observer& observer, Duration until) const {
  pollfd descriptors[] = {{signals.descriptor(), POLLIN, 0}, {observer.keyboard(), POLLIN, 0}};
  const Duration left = until - now();
  if (left <= Duration(0)) return;
  // A terminal that was closed is always readable, and has nothing more to say.
  if (::poll(descriptors, 2, static_cast<int>(left.count())) > 0 &&
      (descriptors[1].revents & (POLLHUP | POLLERR)) != 0) {
    static_cast<void>(::poll(descriptors, 1, static_cast<int>(left.count())));
  }
}

Engine::End Engine::run(const Signals& signals, Observer& observer) {
  started_ = std::chrono::steady_clock::now();
  Duration next_sample = sample_span;
  try {
    for (Duration next_tick(0);;) {
      const Duration now = this->now();
      begin_stations(now);
      take_events(now);
      if (shut_down_) break;
      make_calls(now);

      bool redraw = false;
      for (int signal = signals.take(); signal != 0; signal = signals.take()) {
        redraw = true;
        if (signal == SIGWINCH) {
          observer.resized();
        } else if (signal == SIGTSTP) {
          observer.suspend();
        } else {
          if (signal == signal_ && now < signal_at_ + one_signal) continue;
          signal_ = signal;
          signal_at_ = now;
          ask_to_end(std::string("SIG") + sigabbrev_np(signal));
        }
      }
      if (observer.end_typed()) ask_to_end("the key q");
      if (spec_.duration && now >= *spec_.duration && asked_to_end_ == 0) ask_to_end("the duration is over");
      if (asked_to_end_ > 1) {
        look();
        recorder_.finish(false, "cut off: asked to end twice");
        return End::cut_off;
      }
      if (asked_to_end_ > 0) drain(now);

      if (now >= next_sample) {
        look();
        // After a pause of the machine not once for each second that was missed.
        next_sample = std::max(next_sample + sample_span, now + sample_span / 2);
        redraw = true;
      }
      if (redraw) observer.show(recorder_, drain_until_.has_value());
      next_tick = std::max(next_tick + tick, now);
      wait(signals, observer, next_tick);
    }
  } catch (const std::runtime_error& error) {  // of the library, or a SpecError
    look();
    recorder_.finish(false, error.what());
    return End::failed;
  }
  look();
  recorder_.finish(true, why_);
  return End::drained;
}

}  // namespace fleet
