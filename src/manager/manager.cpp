#include "manager/manager.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <thread>
#include <utility>

#include "base/failure.h"
#include "config/environment.h"
#include "net/process_exit.h"
#include "net/resolver.h"
#include "ocpp/credentials.h"
#include "ocpp/identity.h"
#include "ocpp/security_profile.h"
#include "tls/configuration.h"

namespace cwire {

namespace {

Error shutting_down(const std::string& station_id) {
  return Error(CWIRE_E_STATE, station_id + ": the manager is shutting down; no station can be connected any more");
}

cwire_endpoint in_numbers(Governor::Endpoint& endpoint, TimePoint now) {
  const Governor::Endpoint::Numbers numbers = endpoint.numbers(now);
  cwire_endpoint out{};
  out.size = sizeof out;
  std::snprintf(out.name, sizeof out.name, "%s", endpoint.name().c_str());
  out.breaker = static_cast<std::int32_t>(numbers.state);
  out.handshakes = numbers.handshakes;
  out.handshakes_limit = numbers.handshakes_limit;
  out.waiting_high = static_cast<std::uint32_t>(numbers.waiting[static_cast<std::size_t>(Priority::high)]);
  out.waiting_normal = static_cast<std::uint32_t>(numbers.waiting[static_cast<std::size_t>(Priority::normal)]);
  out.waiting_low = static_cast<std::uint32_t>(numbers.waiting[static_cast<std::size_t>(Priority::low)]);
  out.attempts = numbers.attempts;
  out.failures = numbers.failures;
  if (numbers.opens_until != kNever) {
    out.opens_at_ns =
        wall_clock_ns() + std::chrono::duration_cast<std::chrono::nanoseconds>(numbers.opens_until - now).count();
  }
  return out;
}

}  // namespace

ManagerTable& manager_table() {
  static ManagerTable& table = *new ManagerTable;
  return table;
}

Manager::Manager(ConfigSnapshot config, cwire_event_handler handler, std::uintptr_t context)
    : entries_(config.config.stations()),
      config_{config.config.without_stations(), config.revision},
      proxy_environment_(read_proxy_environment()),
      shutdown_event_(*this) {
  process_exit::prepare();
  // Not resolved: what concerns stations may be complete only with a station's own options.
  const Settings& settings = config_.config.resolve_manager();
  // Who serves them wants all of them.
  const bool counts_messages = settings.metrics.enabled || !settings.metrics.listen.empty();
  if (handler == nullptr) {
    queue_ = std::make_shared<EventQueue>(settings.event_queue_max, settings.event_queue_bytes, counts_messages);
  }
  const auto resolver = std::make_shared<Resolver>();
  if (settings.governor.enabled) {
    governor_ = std::make_shared<Governor>(settings.governor, [this] { workers_.front()->order_governing(); });
  }
  if (!settings.trace.file.empty()) {
    TraceFile::Options options;
    options.path = settings.trace.file;
    options.limits = {settings.trace.file_size_max, settings.trace.files_max};
    options.rules.shows_id_tokens = settings.trace.id_tokens;
    options.on_news = [this] { workers_.front()->order_trace_news(); };
    trace_ = std::make_shared<TraceFile>(std::move(options));
  }
  const auto offline_budget = std::make_shared<OfflineBudget>(settings.offline_budget_bytes);
  const auto metrics = std::make_shared<Metrics>();
  fleet_metrics_ = std::make_unique<FleetMetrics>(FleetMetrics::Sources{
      registry_, workers_, metrics, governor_, queue_, settings.offline_budget_bytes, settings.metrics.per_station});
  const std::uint32_t threads =
      settings.io_threads != 0 ? settings.io_threads : std::max(1u, std::thread::hardware_concurrency());
  try {
    for (std::uint32_t i = 0; i < threads; ++i) {
      Worker::Options options;
      options.log_level = settings.log_level;
      options.handler = handler;
      options.context = context;
      options.queue = queue_;
      options.resolver = resolver;
      options.governor = governor_;
      options.keeps_governor = governor_ != nullptr && i == 0;
      options.offline_budget = offline_budget;
      options.trace = trace_;
      options.metrics = metrics;
      options.counts_messages = counts_messages;
      options.fell_silent = [this, i] { fell_silent(i); };
      options.manager = static_cast<const StationOwner*>(this);
      workers_.push_back(std::make_shared<Worker>(std::move(options)));
      workers_.back()->start();
    }
    if (settings.trace.enabled) trace(nullptr, true);
    if (!settings.metrics.listen.empty()) {
      metrics_server_ =
          std::make_unique<HttpServer>(*parse_listen(settings.metrics.listen),
                                       [this](MetricsFormat format) { return fleet_metrics_->text(format); });
      metrics_url_ = metrics_server_->url();
    }
  } catch (...) {
    for (const auto& worker : workers_) worker->stop_and_join();
    if (trace_ != nullptr) trace_->finish();
    throw;
  }
}

Manager::~Manager() {
  // Done long ago, but for a manager that got no token and that nobody could free.
  metrics_server_.reset();
  for (const auto& worker : workers_) worker->stop_and_join();
  if (trace_ != nullptr) trace_->finish();
}

cwire_status Manager::poll(std::int32_t timeout_ms, std::size_t max, const cwire_event** events, std::size_t* count) {
  bool drained = false;
  const cwire_status status = queue_->poll(timeout_ms, max, events, count, &drained);
  if (drained) {
    for (const auto& worker : workers_) worker->order_resume();
  }
  return status;
}

std::shared_ptr<const ResolvedConfig> Manager::resolved(const ConfigSnapshot& base, const ConfigSnapshot* overrides) {
  constexpr std::uint64_t kNoOverrides = 0;  // what overrides is never the defaults themselves
  const Revisions revisions(base.revision, overrides == nullptr ? kNoOverrides : overrides->revision);
  {
    const std::lock_guard<std::mutex> lock(settings_mutex_);
    const auto known = settings_by_revision_.find(revisions);
    if (known != settings_by_revision_.end()) {
      if (auto settings = known->second.lock()) return settings;
    }
  }
  // Without the lock, since files are read. Two threads that do this at once each get a copy of their own: no harm.
  auto settings = std::make_shared<const ResolvedConfig>(
      overrides == nullptr ? base
                           : ConfigSnapshot{base.config.overridden_by(overrides->config), next_config_revision()});
  // Secrets in files may be replaced without the configuration changing: those are read at each connect.
  if (!settings->auth.password_file.empty() || !settings->auth.token_file.empty() ||
      !settings->tls.client_key_password_file.empty() || !settings->proxy.password_file.empty()) {
    return settings;
  }
  const std::lock_guard<std::mutex> lock(settings_mutex_);
  settings_by_revision_[revisions] = settings;
  // Now and then, so that a configuration per station does not make each connect slower than the one before.
  if (settings_by_revision_.size() > 2 * settings_kept_ + 16) {
    for (auto it = settings_by_revision_.begin(); it != settings_by_revision_.end();) {
      it = it->second.expired() ? settings_by_revision_.erase(it) : std::next(it);
    }
    settings_kept_ = settings_by_revision_.size();
  }
  return settings;
}

Station::Description Manager::describe(const char* station_id, const char* url, const SettingsSource& settings_source,
                                       std::uintptr_t user_data) {
  check_identity(station_id);
  Station::Description description;
  description.id = station_id;
  description.user_data = user_data;
  static_cast<ConnectionConfig&>(description) = connection_config(description.id, url, settings_source, nullptr);
  return description;
}

ConnectionConfig Manager::connection_config(const std::string& station_id, const char* url,
                                            const SettingsSource& settings_source, const ConnectionConfig* present) {
  ConnectionConfig config;
  try {
    const std::shared_ptr<const ResolvedConfig> settings = settings_source();
    config.settings = settings;
    config.has_own_url = url != nullptr || (present != nullptr && present->has_own_url);
    config.url =
        url == nullptr && config.has_own_url
            ? present->url
            : connection_url(parse_url(url != nullptr ? std::string_view(url) : settings->default_url), station_id);
    config.proxy = proxy_for(settings->proxy, proxy_environment_, config.url);
    check_security(*settings, config.url);
    // Checked now, built at each attempt: what is wrong with it is the caller's to know at once.
    authorization_header(settings->auth, station_id);
    // A redirect may lead from ws to wss.
    if (config.url.secure || settings->redirects_max != 0) {
      config.tls = tls_.get(settings->tls);
      config.tls_version = config.tls->version();
    }
  } catch (Error& error) {
    error.failure.message = station_id + ": " + error.failure.message;
    throw;
  }
  return config;
}

cwire_station Manager::add(Station::Description description) {
  // One id stays on one thread, so that the events of a station and of its successor stay in order.
  const std::size_t worker = std::hash<std::string>()(description.id) % workers_.size();
  auto pin = station_table().insert(std::make_unique<Station>(workers_[worker], *this, std::move(description)));
  const cwire_station station = pin->handle();  // once it is connected, its CLOSED may be taken before we look again
  std::size_t unsettled = unsettled_.load(std::memory_order_relaxed);
  do {
    if (unsettled == 0) throw shutting_down(pin->id());  // SHUTDOWN is on its way, and comes once
  } while (!unsettled_.compare_exchange_weak(unsettled, unsettled + 1, std::memory_order_relaxed));
  Registry::Added added;
  try {
    added = registry_.add_and_connect(*pin);
  } catch (...) {
    settle_one();
    throw;
  }
  if (added != Registry::Added::yes) {
    const std::string id = pin->id();
    settle_one();
    if (added == Registry::Added::closed) throw shutting_down(id);
    throw Error(CWIRE_E_ALREADY_CONNECTED,
                id + ": already connected, or connecting; disconnect it first and wait for its CLOSED");
  }
  pin.leak();  // given back by CLOSED
  return station;
}

cwire_station Manager::connect(const char* station_id, const char* url, const ConfigSnapshot* overrides,
                               std::uintptr_t user_data) {
  return add(describe(
      station_id, url, [&] { return resolved(config_, overrides); }, user_data));
}

void Manager::connect_all(std::size_t& begun) {
  std::vector<Station::Description> descriptions;
  for (const StationEntry& entry : entries_) {
    if (!registry_.is_free(entry.id)) continue;
    const auto settings = [&] {
      return entry.overrides->is_default()
                 ? resolved(config_, nullptr)
                 : std::make_shared<const ResolvedConfig>(
                       ConfigSnapshot{config_.config.overridden_by(*entry.overrides), next_config_revision()});
    };
    descriptions.push_back(describe(entry.id.c_str(), entry.url.empty() ? nullptr : entry.url.c_str(), settings, 0));
  }
  for (Station::Description& description : descriptions) {
    try {
      add(std::move(description));
      ++begun;
    } catch (const Error& error) {
      // Another thread connected it meanwhile: what was asked for is so.
      if (error.failure.status != CWIRE_E_ALREADY_CONNECTED) throw;
    }
  }
}

void Manager::reconfigure(Station& station, const char* url, const ConfigSnapshot* overrides, bool reconnect) {
  for (;;) {
    const ConnectionConfig present = station.newest_config();
    ConnectionConfig next = connection_config(
        station.id(), url, [&] { return resolved(present.settings->source, overrides); }, &present);
    next.number = present.number + 1;
    // Another thread may have been faster: then on top of what it has set.
    if (station.reconfigure(std::move(next), reconnect)) return;
  }
}

void Manager::shutdown(Duration drain) noexcept {
  if (!registry_.close()) return;
  for (const auto& worker : workers_) worker->order_shutdown(drain);
  settle_one();
}

void Manager::network_up() noexcept {
  for (const auto& worker : workers_) worker->order_network_up();
}

cwire_status Manager::endpoints(cwire_endpoint* out, std::size_t capacity, std::size_t* count) const {
  if (governor_ == nullptr) return CWIRE_OK;
  const TimePoint now = Clock::now();
  const std::size_t stride = capacity == 0 ? 0 : out[0].size;
  auto* place = reinterpret_cast<char*>(out);
  for (const auto& endpoint : governor_->endpoints()) {
    if (*count < capacity) {
      const cwire_endpoint numbers = in_numbers(*endpoint, now);
      std::memcpy(place + *count * stride, &numbers, sizeof numbers);
    }
    ++*count;
  }
  return *count > capacity ? CWIRE_E_TOO_BIG : CWIRE_OK;
}

void Manager::isolate(const char* url) { governor_or_refuse().isolate(parse_url(url).origin(), Clock::now()); }

void Manager::reset(const char* url) { governor_or_refuse().reset(parse_url(url).origin(), Clock::now()); }

Governor& Manager::governor_or_refuse() {
  if (governor_ != nullptr) return *governor_;
  throw Error(CWIRE_E_STATE, "nothing paces the endpoints of this manager: governor.enabled is false");
}

void Manager::trace(const char* station_id, bool on) {
  if (trace_ == nullptr) throw Error(CWIRE_E_STATE, "there is nowhere to write a trace to: trace.file is not set");
  const std::lock_guard<std::mutex> lock(trace_mutex_);
  std::vector<StationTable::Pin> stations;
  if (station_id == nullptr) {
    // Before the others are looked up: a station that is not among them finds it when it begins.
    trace_->trace_newcomers(on ? trace_->hold() : TraceFile::Hold());
    stations = registry_.all().stations;
  } else if (auto station = registry_.find(station_id)) {
    stations.push_back(std::move(station));
  } else if (registry_.gave_up(station_id)) {
    throw Error(CWIRE_E_STATE, std::string(station_id) + ": the station gave up; connect it again, and then trace it");
  } else {
    throw Error(CWIRE_E_NOT_FOUND, std::string(station_id) + ": no station of that id is known");
  }
  std::vector<std::unique_ptr<StationTrace>> traces(stations.size());
  if (on) {
    for (auto& trace : traces) trace = std::make_unique<StationTrace>(trace_->hold());
  }
  for (std::size_t i = 0; i < stations.size(); ++i) stations[i]->order_trace(std::move(traces[i]));
}

void Manager::station_ended(Station& station) noexcept {
  registry_.remove(station);
  settle_one();
}

void Manager::settle_one() noexcept {
  if (unsettled_.fetch_sub(1, std::memory_order_acq_rel) == 1) workers_.front()->order_silence();
}

// One thread after the other, so that SHUTDOWN comes behind whatever any of them still had to say.
void Manager::fell_silent(std::size_t number) noexcept {
  if (number + 1 < workers_.size()) {
    workers_[number + 1]->order_silence();
  } else {
    shutdown_event_.data.time_ns = wall_clock_ns();
    workers_[number]->emit(shutdown_event_);
  }
}

void Manager::ShutdownEvent::released() noexcept {
  std::lock_guard<std::mutex> lock(manager_.finished_mutex_);
  manager_.shutdown_taken_ = true;
  manager_.finished_changed_.notify_all();
}

void Manager::finish() {
  if (queue_ != nullptr) {
    queue_->close();
    // Nobody polls any more, so nobody is kept from reading either, or the close frames of the peers would not come in.
    for (const auto& worker : workers_) worker->order_resume();
    queue_->discard_until_shutdown();
  } else {
    std::unique_lock<std::mutex> lock(finished_mutex_);
    finished_changed_.wait(lock, [this] { return shutdown_taken_; });
  }
  metrics_server_.reset();
  for (const auto& worker : workers_) worker->stop_and_join();
  if (trace_ != nullptr) trace_->finish();
}

}  // namespace cwire
