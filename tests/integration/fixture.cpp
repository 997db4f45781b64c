#include "fixture.h"

#include <algorithm>
#include <set>

namespace fixture {

namespace {

const char* type_name(std::int32_t type) {
  static const char* const names[] = {"?",     "CONNECTED", "MESSAGE", "SENT", "WRITABLE", "DISCONNECTED",
                                      "ERROR", "STATE",     "CLOSED",  "LOG",  "SHUTDOWN", "PAUSED"};
  return type > 0 && type <= CWIRE_EVENT_PAUSED ? names[type] : names[0];
}

bool is(const Record& record, std::int32_t type, const std::string& station_id) {
  return record.type == type && (station_id.empty() || record.station_id == station_id);
}

// condition_variable's steady clock is unknown to ThreadSanitizer of GCC 12; the wall clock is not.
auto deadline_in(std::chrono::milliseconds patience) { return std::chrono::system_clock::now() + patience; }

thread_local int handler_depth = 0;

}  // namespace

Settings quick(Settings more) {
  Settings all = {{"io_threads", "2"},
                  {"csms.reconnect_backoff", "20ms"},
                  {"csms.reconnect_max_backoff", "50ms"},
                  {"csms.refused_backoff", "20ms"},
                  {"csms.refused_max_backoff", "50ms"},
                  {"csms.close_timeout", "5s"},
                  // A station that tries again after 20 ms would soon be kept from it.
                  {"governor.breaker", "false"}};
  for (auto& setting : more) {
    const auto same = std::find_if(all.begin(), all.end(), [&](const auto& s) { return s.first == setting.first; });
    if (same != all.end()) {
      same->second = setting.second;
    } else {
      all.push_back(setting);
    }
  }
  return all;
}

Config::Config(Settings settings) {
  REQUIRE(cwire_config_new(&token_) == CWIRE_OK);
  for (const auto& [key, value] : settings) set(key, value);
}

void Config::set(const std::string& key, const std::string& value) {
  secrets::keep_option(key, value);
  Error error;
  const cwire_status status = cwire_config_set(token_, key.c_str(), value.c_str(), &error);
  INFO(error.text());
  REQUIRE(status == CWIRE_OK);
}

std::ostream& operator<<(std::ostream& out, const Record& record) {
  return out << record.station_id << " " << type_name(record.type) << " " << cwire_status_name(record.status)
             << " code " << record.code << " tag " << record.tag << " flags " << record.flags << " \""
             << record.data.substr(0, 200) << "\"";
}

std::ostream& operator<<(std::ostream& out, Delivery delivery) {
  return out << (delivery == Delivery::poll ? "poll mode" : "handler mode");
}

std::size_t count(const Records& records, std::int32_t type, const std::string& station_id) {
  return static_cast<std::size_t>(
      std::count_if(records.begin(), records.end(), [&](const Record& r) { return is(r, type, station_id); }));
}

const Record* first(const Records& records, std::int32_t type, const std::string& station_id) {
  const auto found =
      std::find_if(records.begin(), records.end(), [&](const Record& r) { return is(r, type, station_id); });
  return found == records.end() ? nullptr : &*found;
}

const Record* last(const Records& records, std::int32_t type, const std::string& station_id) {
  const auto found =
      std::find_if(records.rbegin(), records.rend(), [&](const Record& r) { return is(r, type, station_id); });
  return found == records.rend() ? nullptr : &*found;
}

std::string states(const Records& records, const std::string& station_id) {
  std::string all;
  for (const Record& record : records) {
    if (is(record, CWIRE_EVENT_STATE, station_id)) all += (all.empty() ? "" : " ") + record.data;
  }
  return all;
}

std::string types(const Records& records, const std::string& station_id, std::size_t from) {
  std::string all;
  for (std::size_t i = from; i < records.size(); ++i) {
    if (records[i].station_id != station_id || records[i].type == CWIRE_EVENT_LOG) continue;
    all += (all.empty() ? "" : " ") + std::string(type_name(records[i].type));
  }
  return all;
}

Fleet::Fleet(Delivery delivery, const Settings& settings, Hook hook) : delivery_(delivery), hook_(std::move(hook)) {
  const Config config(settings);
  Error error;
  const cwire_status status = cwire_manager_new(config, delivery == Delivery::handler ? on_events : nullptr,
                                                reinterpret_cast<std::uintptr_t>(this), &manager, &error);
  INFO(error.text());
  REQUIRE(status == CWIRE_OK);
}

Fleet::~Fleet() {
  if (manager != nullptr) cwire_manager_free(manager);
}

cwire_station Fleet::connect(const std::string& id, const std::string& url, const Settings& overrides,
                             std::uintptr_t user_data) {
  const Config config(overrides);
  cwire_station station = nullptr;
  Error error;
  const cwire_status status = cwire_manager_connect(manager, id.c_str(), url.c_str(),
                                                    overrides.empty() ? nullptr : static_cast<cwire_config>(config),
                                                    user_data, &station, &error);
  INFO(id << ": " << error.text());
  REQUIRE(status == CWIRE_OK);
  note_connect(station);
  return station;
}

cwire_station Fleet::connected(const std::string& id, const std::string& url, const Settings& overrides) {
  const cwire_station station = connect(id, url, overrides);
  Error error;
  const cwire_status status = cwire_station_wait(station, kPatience_ms, &error);
  INFO(id << ": " << error.text());
  REQUIRE(status == CWIRE_OK);
  return station;
}

void Fleet::note_connect(cwire_station station) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++connects_[reinterpret_cast<std::uintptr_t>(station)];
}

cwire_status Fleet::send(cwire_station station, const std::string& text, std::uint32_t flags, std::uint64_t tag) {
  return cwire_station_send(station, text.data(), text.size(), flags, tag);
}

bool Fleet::wait(const std::function<bool(const Records&)>& holds, std::chrono::milliseconds patience) {
  const auto deadline = deadline_in(patience);
  if (delivery_ == Delivery::handler) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_until(lock, deadline, [&] { return holds(records_); });
  }
  for (;;) {
    if (holds(records_)) return true;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::system_clock::now());
    if (left.count() <= 0 || poll(static_cast<std::int32_t>(left.count())) != CWIRE_OK) return holds(records_);
  }
}

bool Fleet::wait_for(std::int32_t type, const std::string& station_id, std::size_t times) {
  return wait([&](const Records& records) { return count(records, type, station_id) >= times; });
}

Record Fleet::first_error(const std::string& station_id) {
  REQUIRE(wait_for(CWIRE_EVENT_ERROR, station_id));
  const Record error = must(first(records(), CWIRE_EVENT_ERROR, station_id));
  INFO(error);
  CHECK((error.flags & CWIRE_FLAG_WILL_RETRY) != 0);
  CHECK(count(records(), CWIRE_EVENT_CONNECTED, station_id) == 0);
  return error;
}

bool Fleet::eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    wait([](const Records&) { return false; }, std::chrono::milliseconds(2));
  }
  return true;
}

Records Fleet::records() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return records_;
}

unsigned Fleet::violations() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return violations_;
}

cwire_status Fleet::poll(std::int32_t timeout_ms, std::size_t max) {
  const cwire_event* events = nullptr;
  std::size_t size = 0;
  const cwire_status status = cwire_manager_poll(manager, timeout_ms, max, &events, &size);
  if (status == CWIRE_OK) take(events, size);
  return status;
}

cwire_stats Fleet::stats(const std::string& id) {
  cwire_stats stats{};
  stats.size = sizeof stats;
  REQUIRE(cwire_manager_stats(manager, id.c_str(), &stats) == CWIRE_OK);
  secrets::search(stats.last_error_message, "statistics");
  return stats;
}

std::int32_t Fleet::state(cwire_station station) {
  std::int32_t state = -1;
  REQUIRE(cwire_station_state(station, &state) == CWIRE_OK);
  return state;
}

void Fleet::on_events(std::uintptr_t context, const cwire_event* events, std::size_t size) {
  auto& fleet = *reinterpret_cast<Fleet*>(context);
  const bool recursive = ++handler_depth > 1;
  {
    const std::lock_guard<std::mutex> lock(fleet.mutex_);
    if (recursive || size == 0) ++fleet.violations_;
    ++fleet.running_handlers_;
    for (std::size_t i = 0; i < size; ++i) {
      const auto [busy, is_new] = fleet.busy_.emplace(events[i].station, std::this_thread::get_id());
      if (events[i].station != nullptr && !is_new && busy->second != std::this_thread::get_id()) ++fleet.violations_;
    }
  }
  for (std::size_t i = 0; i < size; ++i) {
    fleet.take(&events[i], 1);
    if (fleet.hook_) fleet.hook_(events[i]);
  }
  --handler_depth;
  // The last touch of the fleet: whoever waits for it may destroy it then.
  const std::lock_guard<std::mutex> lock(fleet.mutex_);
  --fleet.running_handlers_;
  fleet.changed_.notify_all();
  for (std::size_t i = 0; i < size; ++i) {
    const auto busy = fleet.busy_.find(events[i].station);
    if (busy != fleet.busy_.end() && busy->second == std::this_thread::get_id()) fleet.busy_.erase(busy);
  }
}

bool Fleet::wait_returned() {
  return wait(
      [this](const Records& records) { return count(records, CWIRE_EVENT_SHUTDOWN) == 1 && running_handlers_ == 0; });
}

void Fleet::take(const cwire_event* events, std::size_t size) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (std::size_t i = 0; i < size; ++i) {
    const cwire_event& e = events[i];
    // What the header says of every event.
    if (e.size != sizeof(cwire_event) || e.data == nullptr || e.data[e.data_size] != '\0' || e.station_id == nullptr ||
        e.time_ns <= 0 ||
        (e.failure != nullptr) !=
            (e.type == CWIRE_EVENT_ERROR || (e.type == CWIRE_EVENT_DISCONNECTED && e.status != CWIRE_OK)) ||
        (e.station == nullptr) != (e.station_id[0] == '\0')) {
      ++violations_;
    }
    if (e.type != CWIRE_EVENT_MESSAGE) secrets::search(e.data, "an event");
    records_.push_back({e.type, e.status, e.station, e.user_data, e.station_id, std::string(e.data, e.data_size), e.tag,
                        e.time_ns, e.code, e.flags, std::this_thread::get_id(),
                        e.failure == nullptr ? cwire_failure{} : *e.failure});
  }
  changed_.notify_all();
}

void Fleet::search_statistics() {
  cwire_stats empty{};
  empty.size = sizeof empty;
  std::vector<cwire_stats> all;
  for (std::size_t size = 0; cwire_manager_all_stats(manager, all.data(), all.size(), &size) == CWIRE_E_TOO_BIG;)
    all.assign(size, empty);
  for (const cwire_stats& stats : all) secrets::search(stats.last_error_message, "statistics");
}

void Fleet::finish(std::int32_t drain_ms) {
  search_statistics();
  REQUIRE(cwire_manager_shutdown(manager, drain_ms) == CWIRE_OK);
  REQUIRE(wait_for(CWIRE_EVENT_SHUTDOWN, ""));
  if (delivery_ == Delivery::poll) CHECK(poll(0) == CWIRE_E_STATE);
  REQUIRE(cwire_manager_free(release()) == CWIRE_OK);
  check_contract();
}

void Fleet::check_contract() {
  const Records all = records();
  CHECK(violations() == 0);
  std::map<std::uintptr_t, Records> by_station;
  for (const Record& record : all) {
    if (record.station != nullptr) by_station[reinterpret_cast<std::uintptr_t>(record.station)].push_back(record);
  }
  for (const auto& [token, own] : by_station) {
    INFO(own.front().station_id);
    CHECK(connects_.count(token) == 1);
    CHECK(count(own, CWIRE_EVENT_CLOSED) == 1);
    CHECK(own.back().type == CWIRE_EVENT_CLOSED);
    std::int32_t state = CWIRE_STATE_DISCONNECTED;
    std::uint64_t connections = 0;
    bool open = false;
    for (const Record& record : own) {
      INFO(record);
      switch (record.type) {
        case CWIRE_EVENT_STATE:
          CHECK(record.tag == static_cast<std::uint64_t>(state));
          CHECK(record.data == cwire_state_name(record.code));
          state = record.code;
          break;
        case CWIRE_EVENT_CONNECTED:
          CHECK_FALSE(open);
          CHECK(record.tag == ++connections);
          CHECK(((record.flags & CWIRE_FLAG_RECONNECT) != 0) == (connections > 1));
          open = true;
          break;
        case CWIRE_EVENT_DISCONNECTED:
          CHECK(open);
          open = false;
          break;
        case CWIRE_EVENT_MESSAGE:
          CHECK(open);
          break;
        default:
          break;
      }
    }
    CHECK_FALSE(open);
    CHECK((state == CWIRE_STATE_CLOSED || state == CWIRE_STATE_ERROR));
  }
  CHECK(by_station.size() == connects_.size());
  REQUIRE_FALSE(all.empty());
  CHECK(count(all, CWIRE_EVENT_SHUTDOWN) == 1);
  CHECK(all.back().type == CWIRE_EVENT_SHUTDOWN);
}

void Gate::open() {
  const std::lock_guard<std::mutex> lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

void Gate::pass() {
  std::unique_lock<std::mutex> lock(mutex_);
  ++arrived_;
  changed_.notify_all();
  changed_.wait_until(lock, deadline_in(kPatience), [this] { return open_; });
}

bool Gate::wait_arrived(std::size_t visitors) {
  std::unique_lock<std::mutex> lock(mutex_);
  return changed_.wait_until(lock, deadline_in(kPatience), [&] { return arrived_ >= visitors; });
}

}  // namespace fixture
