// Sequences of calls of the ABI, with tokens that are living, stale, forged or of another kind. Input: one letter a
// call (see World::call), then its arguments: a token is a digit or a letter (World::pick), a text ends with its line,
// "NULL" is none. A model of what lives says which answers are right. The CSMS is a socket of this process; what it
// does is part of the sequence.
#include <chargewire/chargewire.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <deque>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "fuzz.h"
#include "raw_peer.h"

using fuzz::require;

namespace {

// Enough to reach each state; each input is to be fast.
constexpr int kCallsMax = 64;
constexpr std::size_t kManagersMax = 3;
constexpr std::size_t kStationsMax = 12;
constexpr std::size_t kConfigsMax = 12;
constexpr std::size_t kPoolsMax = 6;

constexpr std::uintptr_t kUserData = 0x5157;

// `maybe`: its end was asked for, and comes when it comes.
enum class Life { dead, maybe, alive };

template <class Token>
std::uintptr_t value_of(Token token) {
  return reinterpret_cast<std::uintptr_t>(token);
}

struct ManagerModel;

template <class Token>
struct Known {
  Token token;
  Life life = Life::alive;
  ManagerModel* manager = nullptr;  // of a station and a pool
  std::string id = {};              // of a station
};

// What the events of a manager have told. The handler runs on another thread.
struct ManagerModel {
  bool polled = false;
  bool acts = false;  // the handler makes calls
  std::mutex mutex;
  std::set<std::uintptr_t> closed;  // stations
  bool shut_down = false;

  bool has_closed(std::uintptr_t station) {
    const std::lock_guard<std::mutex> lock(mutex);
    return closed.count(station) != 0;
  }
};

bool is_one_of(cwire_status status, std::initializer_list<cwire_status> list) {
  return std::find(list.begin(), list.end(), status) != list.end();
}

// A call with a token in this state, and else right arguments or not, may return only what the header says.
void judge(cwire_status got, Life life, bool right, std::initializer_list<cwire_status> documented) {
  if (life == Life::dead) {
    require(got == CWIRE_E_INVALID_HANDLE || (!right && got == CWIRE_E_INVALID_ARGUMENT), "a bad token is told");
    return;
  }
  if (got == CWIRE_E_INVALID_HANDLE) return require(life == Life::maybe, "a living token is not taken for a bad one");
  if (!right) return require(got == CWIRE_E_INVALID_ARGUMENT, "bad arguments are told");
  require(is_one_of(got, documented), "a status is one of those that the header names");
}

// `ends`: CLOSED stands in the same array, and so the token is stale already.
void act_in_handler(const cwire_event& event, bool ends) {
  std::int32_t state = -1;
  const cwire_status status = cwire_station_state(event.station, &state);
  if (ends) return require(status == CWIRE_E_INVALID_HANDLE, "the token is stale when CLOSED is told");
  require(status == CWIRE_OK && state >= CWIRE_STATE_DISCONNECTED && state <= CWIRE_STATE_CLOSED, "it lives before");
  require(is_one_of(cwire_station_send(event.station, "again", 5, 0, 1),
                    {CWIRE_OK, CWIRE_E_NOT_ESTABLISHED, CWIRE_E_QUEUE_FULL, CWIRE_E_TOO_BIG}),
          "a handler may send");
  require(is_one_of(cwire_station_wait(event.station, -1, nullptr), {CWIRE_OK, CWIRE_E_STATE}), "it may not wait");
}

void take_events(ManagerModel& manager, const cwire_event* events, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const cwire_event& event = events[i];
    require(event.size == sizeof event && event.type >= CWIRE_EVENT_CONNECTED && event.type <= CWIRE_EVENT_ENDPOINT,
            "an event is one");
    require(event.station_id != nullptr && event.data != nullptr && event.data[event.data_size] == '\0',
            "texts of events end with NUL");
    {
      const std::lock_guard<std::mutex> lock(manager.mutex);
      require(!manager.shut_down, "SHUTDOWN is the last event of the manager");
      manager.shut_down = event.type == CWIRE_EVENT_SHUTDOWN;
      if (event.station == nullptr) continue;
      require(event.user_data == kUserData || event.user_data == 0, "the user's data comes back");
      require(manager.closed.count(value_of(event.station)) == 0, "CLOSED is the last event of a station");
      if (event.type == CWIRE_EVENT_CLOSED) manager.closed.insert(value_of(event.station));
    }
    if (!manager.acts) continue;
    act_in_handler(event, std::any_of(events, events + count, [&event](const cwire_event& other) {
                     return other.type == CWIRE_EVENT_CLOSED && other.station == event.station;
                   }));
  }
}

void on_events(std::uintptr_t context, const cwire_event* events, std::size_t count) {
  take_events(*reinterpret_cast<ManagerModel*>(context), events, count);
}

// A structure whose first member is its size, in memory of just that size.
template <class Struct>
class Sized {
 public:
  explicit Sized(std::size_t size, std::size_t count = 1) {
    const std::size_t bytes = std::max(size * count, sizeof size);
    bytes_.reset(new char[bytes]());
    std::memcpy(bytes_.get(), &size, sizeof size);
  }
  Struct* get() { return reinterpret_cast<Struct*>(bytes_.get()); }

 private:
  std::unique_ptr<char[]> bytes_;
};

class World {
 public:
  explicit World(fuzz::Input& input) : in_(input) {}

  void run() {
    for (int i = 0; i < kCallsMax && !in_.empty(); ++i) call(in_.byte());
    end();
  }

 private:
  // ---- arguments ----

  template <class Token>
  struct Picked {
    Token token;
    Life life;
  };

  template <class Token>
  Life life_of(const std::vector<Known<Token>>& known, std::uintptr_t value) {
    for (const Known<Token>& one : known) {
      if (value_of(one.token) != value) continue;
      return one.manager != nullptr && one.manager->has_closed(value) ? Life::dead : one.life;
    }
    return Life::dead;
  }

  template <class Token>
  Picked<Token> pick(const std::vector<Known<Token>>& known) {
    const std::uint8_t how = in_.byte();
    std::uintptr_t value = 0;
    if (how == 'x') {  // out of thin air
      for (int i = 0; i < 8; ++i) value = value << 8 | in_.byte();
    } else if (how == 'k') {  // of any kind
      if (!tokens_.empty()) value = tokens_[in_.byte() % tokens_.size()];
    } else if (how != 'n' && !known.empty()) {
      value = value_of(known[how % known.size()].token);
      if (how == 'f') value ^= std::uintptr_t{1} << in_.byte() % 64;  // one bit is wrong
    }
    return {reinterpret_cast<Token>(value), life_of(known, value)};
  }

  // Null for "NULL". Lives until the next call.
  const char* text() {
    const std::string_view line = in_.until('\n');
    if (line == "NULL") return nullptr;
    texts_.emplace_back(line);
    return texts_.back().c_str();
  }

  const char* key() {
    static const char* const kKeys[] = {"csms.ping_interval",
                                        "csms.message_size_max",
                                        "csms.send_queue_messages",
                                        "csms.send_queue_bytes",
                                        "csms.headers",
                                        "csms.headers.X-A",
                                        "csms.auth.type",
                                        "csms.auth.username",
                                        "csms.auth.password",
                                        "csms.auth.token",
                                        "csms.reconnect_backoff",
                                        "csms.protocol",
                                        "csms.tls.enabled",
                                        "csms.close_timeout",
                                        "csms.read_timeout",
                                        "csms.connection_timeout",
                                        "csms.max_reconnect_attempts",
                                        "log_level",
                                        "event_queue_max",
                                        "event_queue_bytes",
                                        "csms.nothing",
                                        "csms",
                                        ""};
    return kKeys[in_.byte() % std::size(kKeys)];
  }

  const char* url() {
    const std::string* const urls[] = {&server_url_, &closed_url_, &wrong_url_, &empty_, nullptr};
    const std::string* const chosen = urls[in_.byte() % std::size(urls)];
    return chosen == nullptr ? nullptr : chosen->c_str();  // null: csms.default_url, which is server_url_
  }

  struct Message {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
    bool right = true;
    std::uint32_t flags = 0;
  };

  Message message() {
    Message message;
    message.flags = in_.byte() % 8;
    const std::string_view line = in_.until('\n');
    message.size = line.size();
    if (line == "NULL") {
      message.right = false;  // bytes that are nowhere
    } else if (!line.empty()) {
      message.bytes.reset(new char[line.size()]);
      line.copy(message.bytes.get(), line.size());
    }
    message.right = message.right && (message.flags & ~(CWIRE_FLAG_BINARY | CWIRE_FLAG_REPORT)) == 0;
    return message;
  }

  // ---- structures ----

  struct Err {
    std::optional<Sized<cwire_error>> memory;
    std::size_t size = 0;
    cwire_error* get() { return memory ? memory->get() : nullptr; }
  };

  Err err() {
    constexpr std::size_t kMessage = offsetof(cwire_error, message);
    constexpr std::size_t kSizes[] = {sizeof(cwire_error), 0, 1, kMessage, kMessage + 1, kMessage + 2, 60, 4096};
    Err err;
    const std::uint8_t how = in_.byte();
    if (how % 16 == 15) return err;
    err.size = kSizes[how % std::size(kSizes)];
    err.memory.emplace(err.size);
    return err;
  }

  void check_err(Err& err, cwire_status status) {
    if (err.get() == nullptr || err.size <= offsetof(cwire_error, message)) return;
    require(err.get()->size == err.size && err.get()->status == status, "err says the status");
    const std::size_t capacity = std::min(err.size, sizeof(cwire_error)) - offsetof(cwire_error, message);
    const std::size_t length = ::strnlen(err.get()->message, capacity);
    require(length < capacity, "a message ends with NUL");
    require(capacity == 1 || (length == 0) == (status >= 0), "a failure says why, and a success nothing");
  }

  std::size_t stats_size() {
    constexpr std::size_t kOldest = offsetof(cwire_stats, connections);
    constexpr std::size_t kSizes[] = {
        sizeof(cwire_stats),     0, 8, kOldest - 8, kOldest, kOldest + 8, kOldest + 3, kOldest + 24,
        sizeof(cwire_stats) + 64};
    return kSizes[in_.byte() % std::size(kSizes)];
  }
  static bool is_stats_size(std::size_t size) { return size >= offsetof(cwire_stats, connections) && size % 8 == 0; }

  // ---- the model ----

  template <class Token>
  void learn(std::vector<Known<Token>>& known, Known<Token> one) {
    require(one.token != nullptr && std::count(tokens_.begin(), tokens_.end(), value_of(one.token)) == 0,
            "a new token is none that was there before");
    tokens_.push_back(value_of(one.token));
    known.push_back(std::move(one));
  }

  template <class Token>
  Known<Token>* find(std::vector<Known<Token>>& known, Token token) {
    const auto found =
        std::find_if(known.begin(), known.end(), [token](const auto& one) { return one.token == token; });
    return found == known.end() ? nullptr : &*found;
  }

  void may_end(ManagerModel* manager, const char* id = nullptr) {
    for (auto& station : stations_) {
      if (station.manager == manager && station.life == Life::alive && (id == nullptr || station.id == id)) {
        station.life = Life::maybe;
      }
    }
  }

  void manager_has_gone(Known<cwire_manager>& gone) {
    gone.life = Life::dead;
    for (auto& station : stations_) {
      if (station.manager != gone.manager) continue;
      station.life = Life::dead;
      require(gone.manager->polled || gone.manager->has_closed(value_of(station.token)), "each connect has its CLOSED");
    }
    for (auto& pool : pools_) {
      if (pool.manager == gone.manager) pool.life = Life::dead;
    }
    require(gone.manager->polled || gone.manager->shut_down, "SHUTDOWN comes before free returns");
  }

  // ---- calls ----

  void call(std::uint8_t letter) {
    texts_.clear();
    switch (letter) {
      case 'c':
        return config_new();
      case 'C':
        return config_copy();
      case 'y':
        return config_load_yaml();
      case 'l':
        return config_load_file();
      case 's':
        return config_set();
      case 'g':
        return config_get();
      case 'v':
        return config_free();
      case 'm':
        return manager_new();
      case 'p':
        return manager_poll();
      case 'e':
        return manager_event_fd();
      case 'w':
        return manager_wake();
      case 'o':
        return manager_connect();
      case 'a':
        return manager_connect_all();
      case 'i':
        return manager_find();
      case 'q':
        return manager_send();
      case 'b':
        return manager_broadcast();
      case 'd':
        return manager_disconnect();
      case 'D':
        return manager_disconnect_all();
      case 'r':
        return manager_trace();
      case 'I':
        return manager_is_connected();
      case 'N':
        return manager_counts();
      case 'u':
        return manager_stats();
      case 'U':
        return manager_all_stats();
      case 'M':
        return manager_metrics();
      case 'L':
        return manager_metrics_url();
      case 'z':
        return manager_shutdown();
      case 'F':
        return manager_free();
      case 't':
        return station_send();
      case 'T':
        return station_send_many();
      case 'W':
        return station_wait();
      case 'j':
        return station_state();
      case 'J':
        return station_stats();
      case 'k':
        return station_disconnect();
      case 'P':
        return pool_new();
      case 'A':
        return pool_add();
      case 'R':
        return pool_remove();
      case 'h':
        return pool_has();
      case 'H':
        return pool_send();
      case 'B':
        return pool_broadcast();
      case 'n':
        return pool_counts();
      case 'Q':
        return pool_stats();
      case 'K':
        return pool_disconnect_all();
      case 'f':
        return pool_free();
      case 'S':
        return server_answers();
      case 'X':
        return server_sends();
      case 'Y':
        return server_drops();
      case 'V':
        return names();
      default:
        return;  // between calls stands what one likes
    }
  }

  void config_new() {
    if (configs_.size() == kConfigsMax) return;
    require(cwire_config_new(nullptr) == CWIRE_E_INVALID_ARGUMENT, "out must not be NULL");
    learn(configs_, {new_config()});
  }

  // Loopback only, one thread a manager, and no long waits.
  cwire_config new_config() {
    cwire_config config = nullptr;
    require(cwire_config_new(&config) == CWIRE_OK, "a configuration can be made");
    for (const auto& [key, value] :
         {std::pair("io_threads", "1"), std::pair("csms.reconnect_backoff", "1ms"),
          std::pair("csms.reconnect_max_backoff", "2ms"), std::pair("csms.default_url", server_url_.c_str())}) {
      require(cwire_config_set(config, key, value, nullptr) == CWIRE_OK, "an option can be set");
    }
    return config;
  }

  void config_copy() {
    const auto config = pick(configs_);
    if (configs_.size() == kConfigsMax) return;
    cwire_config copy = nullptr;
    const cwire_status status = cwire_config_copy(config.token, &copy);
    judge(status, config.life, true, {CWIRE_OK});
    if (status == CWIRE_OK) learn(configs_, {copy});
  }

  void config_load_yaml() {
    const auto config = pick(configs_);
    const std::string stations = "stations: [{ id: Y1, url: \"" + server_url_ + "\" }, { id: Y2, url: \"" +
                                 closed_url_ + "\", message_size_max: 10 }]";
    const std::string texts[] = {stations,   "csms: { ping_interval: 5s",          "csms: { nothing: 1 }",
                                 "",         "stations: [{ id: Y1 }, { id: Y1 }]", "csms: { auth: { type: basic } }",
                                 "stations:"};
    const std::string& chosen = texts[in_.byte() % std::size(texts)];
    const std::unique_ptr<char[]> exact(new char[chosen.size()]);
    chosen.copy(exact.get(), chosen.size());
    Err error = err();
    const cwire_status status = cwire_config_load_yaml(config.token, exact.get(), chosen.size(), error.get());
    check_err(error, status);
    judge(status, config.life, true, {CWIRE_OK, CWIRE_E_CONFIG});
    judge(cwire_config_load_yaml(config.token, nullptr, 1, nullptr), config.life, false, {});
  }

  void config_load_file() {
    const auto config = pick(configs_);
    const char* const paths[] = {"/dev/null", "/nowhere/at/all", "/", "", nullptr};
    const char* const path = paths[in_.byte() % std::size(paths)];
    Err error = err();
    const cwire_status status = cwire_config_load_file(config.token, path, error.get());
    check_err(error, status);
    judge(status, config.life, path != nullptr, {CWIRE_OK, CWIRE_E_CONFIG});
  }

  void config_set() {
    const auto config = pick(configs_);
    const char* const name = key();
    const char* const value = text();
    Err error = err();
    const cwire_status status = cwire_config_set(config.token, name, value, error.get());
    check_err(error, status);
    judge(status, config.life, value != nullptr, {CWIRE_OK, CWIRE_E_CONFIG});
    if (std::string_view(name) == "csms.max_reconnect_attempts") give_up_ = true;
    require(cwire_config_set(config.token, nullptr, "", nullptr) < 0, "a key must not be NULL");
  }

  void config_get() {
    const auto config = pick(configs_);
    const char* const name = key();
    const std::size_t capacity = in_.byte() % 64;
    const std::unique_ptr<char[]> buffer(capacity == 0 ? nullptr : new char[capacity]);
    std::size_t needed = 0;
    const cwire_status status = cwire_config_get(config.token, name, buffer.get(), capacity, &needed);
    judge(status, config.life, true, {CWIRE_OK, CWIRE_E_CONFIG, CWIRE_E_TOO_BIG});
    if (status == CWIRE_OK) {
      require(needed <= capacity && std::strlen(buffer.get()) + 1 == needed, "the size is that of the text");
    }
    require(status != CWIRE_E_TOO_BIG || needed > capacity, "what is too big does not fit");
    judge(cwire_config_get(config.token, name, nullptr, 1, nullptr), config.life, false, {});
  }

  void config_free() {
    const auto config = pick(configs_);
    judge(cwire_config_free(config.token), config.life, true, {CWIRE_OK});
    if (config.life != Life::dead) find(configs_, config.token)->life = Life::dead;
  }

  void manager_new() {
    auto config = pick(configs_);
    const std::uint8_t how = in_.byte();
    Err error = err();
    if (managers_.size() == kManagersMax) return;
    // NULL means defaults, which are a thread for each processor and another host.
    const cwire_config own = config.token == nullptr ? new_config() : nullptr;
    if (own != nullptr) config = {own, Life::alive};
    models_.emplace_back();
    ManagerModel& model = models_.back();
    model.acts = how == 'a';
    model.polled = how != 'a' && how != 'h';
    cwire_manager manager = nullptr;
    const cwire_status status = cwire_manager_new(config.token, model.polled ? nullptr : on_events,
                                                  reinterpret_cast<std::uintptr_t>(&model), &manager, error.get());
    check_err(error, status);
    judge(status, config.life, true, {CWIRE_OK});
    if (status == CWIRE_OK) learn(managers_, {manager, Life::alive, &model});
    if (own != nullptr) require(cwire_config_free(own) == CWIRE_OK, "a configuration may be freed right after");
  }

  ManagerModel* model_of(cwire_manager manager) {
    const auto* known = find(managers_, manager);
    return known == nullptr ? nullptr : known->manager;
  }

  void manager_poll() {
    const auto manager = pick(managers_);
    const std::uint8_t how = in_.byte();
    const std::size_t max = in_.byte() % 8;
    if (how == 'w') cwire_manager_wake(manager.token);  // or it would be for ever
    const std::int32_t timeout_ms = how == 'w' ? -1 : how % 3;
    const cwire_event* events = nullptr;
    std::size_t count = 99;
    const cwire_status status = cwire_manager_poll(manager.token, timeout_ms, max, &events, &count);
    judge(status, manager.life, max != 0, {CWIRE_OK, CWIRE_E_TIMEOUT, CWIRE_E_STATE});
    require(count <= max || (status < 0 && count == 0), "no more events than asked for");
    require(status == CWIRE_OK || count == 0, "events come with OK only");
    if (count != 0) take_events(*model_of(manager.token), events, count);
  }

  void manager_event_fd() {
    const auto manager = pick(managers_);
    const bool right = manager.life != Life::dead && model_of(manager.token)->polled;
    require((cwire_manager_event_fd(manager.token) >= 0) == right, "a descriptor is there in poll mode");
  }

  void manager_wake() {
    const auto manager = pick(managers_);
    judge(cwire_manager_wake(manager.token), manager.life, true, {CWIRE_OK, CWIRE_E_STATE});
  }

  void manager_connect() {
    const auto manager = pick(managers_);
    const bool overridden = in_.byte() != '-';
    Picked<cwire_config> overrides{nullptr, Life::alive};
    if (overridden) overrides = pick(configs_);
    if (overrides.token == nullptr) overrides.life = Life::alive;
    const char* const where = url();
    const char* const id = text();
    Err error = err();
    if (stations_.size() >= kStationsMax) return;
    cwire_station station = nullptr;
    const cwire_status status =
        cwire_manager_connect(manager.token, id, where, overrides.token, kUserData, &station, error.get());
    check_err(error, status);
    judge(status, std::min(manager.life, overrides.life), id != nullptr,
          {CWIRE_OK, CWIRE_E_INVALID_ARGUMENT, CWIRE_E_CONFIG, CWIRE_E_ALREADY_CONNECTED, CWIRE_E_STATE});
    if (status == CWIRE_OK) learn_station(station, model_of(manager.token), id);
  }

  void learn_station(cwire_station station, ManagerModel* manager, const std::string& id) {
    learn(stations_, {station, give_up_ ? Life::maybe : Life::alive, manager, id});
  }

  void manager_connect_all() {
    const auto manager = pick(managers_);
    Err error = err();
    std::size_t begun = 99;
    if (stations_.size() + 2 > kStationsMax) return;
    const cwire_status status = cwire_manager_connect_all(manager.token, &begun, error.get());
    check_err(error, status);
    judge(status, manager.life, true, {CWIRE_OK, CWIRE_E_INVALID_ARGUMENT, CWIRE_E_CONFIG, CWIRE_E_STATE});
    require(begun <= 2, "no more were begun than there are");
    if (begun == 0) return;
    for (const char* id : {"Y1", "Y2"}) {
      cwire_station station = nullptr;
      if (cwire_manager_find(manager.token, id, &station) == CWIRE_OK && find(stations_, station) == nullptr) {
        learn_station(station, model_of(manager.token), id);
      }
    }
  }

  void manager_find() {
    const auto manager = pick(managers_);
    const char* const id = text();
    cwire_station station = nullptr;
    const cwire_status status = cwire_manager_find(manager.token, id, &station);
    judge(status, manager.life, id != nullptr, {CWIRE_OK, CWIRE_E_NOT_FOUND});
    if (status == CWIRE_OK) require(find(stations_, station) != nullptr, "a station that is found was connected");
    judge(cwire_manager_find(manager.token, "x", nullptr), manager.life, false, {});
  }

  void manager_send() {
    const auto manager = pick(managers_);
    const Message m = message();
    const char* const id = text();
    judge(cwire_manager_send(manager.token, id, m.bytes.get(), m.size, m.flags, 7), manager.life,
          m.right && id != nullptr,
          {CWIRE_OK, CWIRE_E_NOT_FOUND, CWIRE_E_NOT_ESTABLISHED, CWIRE_E_QUEUE_FULL, CWIRE_E_TOO_BIG});
  }

  void manager_broadcast() {
    const auto manager = pick(managers_);
    const Message m = message();
    std::size_t accepted = 99;
    judge(cwire_manager_broadcast(manager.token, m.bytes.get(), m.size, m.flags, &accepted), manager.life, m.right,
          {CWIRE_OK, CWIRE_E_TOO_BIG, CWIRE_E_STATE});
    require(accepted <= stations_.size(), "no more take it than there are");
  }

  void manager_disconnect() {
    const auto manager = pick(managers_);
    const char* const id = text();
    if (id != nullptr) may_end(model_of(manager.token), id);
    judge(cwire_manager_disconnect(manager.token, id), manager.life, id != nullptr, {CWIRE_OK, CWIRE_E_NOT_FOUND});
  }

  void manager_disconnect_all() {
    const auto manager = pick(managers_);
    may_end(model_of(manager.token));
    judge(cwire_manager_disconnect_all(manager.token), manager.life, true, {CWIRE_OK});
  }

  // Without trace.file: a file would be outside of the model.
  void manager_trace() {
    const auto manager = pick(managers_);
    const char* const id = text();
    judge(cwire_manager_trace(manager.token, id, in_.byte() % 2, nullptr), manager.life, true, {CWIRE_E_STATE});
  }

  void manager_is_connected() {
    const auto manager = pick(managers_);
    const char* const id = text();
    judge(cwire_manager_is_connected(manager.token, id), manager.life, id != nullptr, {1, 0, CWIRE_E_NOT_FOUND});
  }

  void manager_counts() {
    const auto manager = pick(managers_);
    std::size_t connected = 0, total = 0;
    judge(cwire_manager_counts(manager.token, &connected, &total), manager.life, true, {CWIRE_OK});
    require(connected <= total && total <= stations_.size(), "counts count stations");
    judge(cwire_manager_counts(manager.token, nullptr, nullptr), manager.life, true, {CWIRE_OK});
  }

  void manager_stats() {
    const auto manager = pick(managers_);
    const std::size_t size = stats_size();
    const char* const id = text();
    Sized<cwire_stats> stats(size);
    const cwire_status status = cwire_manager_stats(manager.token, id, stats.get());
    judge(status, manager.life, id != nullptr && is_stats_size(size), {CWIRE_OK, CWIRE_E_NOT_FOUND});
    if (status == CWIRE_OK)
      require(std::string_view(stats.get()->station_id) == id, "the statistics are the station's");
    judge(cwire_manager_stats(manager.token, "x", nullptr), manager.life, false, {});
  }

  template <class Token, class Call>
  void all_stats(const Picked<Token>& token, Call call) {
    const std::size_t size = stats_size();
    const std::size_t capacity = in_.byte() % 4;
    Sized<cwire_stats> stats(size, std::max<std::size_t>(capacity, 1));
    std::size_t count = 99;
    const cwire_status status = call(capacity == 0 ? nullptr : stats.get(), capacity, &count);
    judge(status, token.life, capacity == 0 || is_stats_size(size), {CWIRE_OK, CWIRE_E_TOO_BIG});
    require(count == 99 || count <= stations_.size(), "no more are told than there are");
    if (status == CWIRE_OK || status == CWIRE_E_TOO_BIG) {
      require((status == CWIRE_OK) == (count <= capacity), "too many are TOO_BIG");
    }
  }

  void manager_all_stats() {
    const auto manager = pick(managers_);
    all_stats(manager, [&](cwire_stats* out, std::size_t capacity, std::size_t* count) {
      return cwire_manager_all_stats(manager.token, out, capacity, count);
    });
  }

  // A text and how long it is, in a buffer that may be too small for it.
  template <class Call>
  void text(const Picked<cwire_manager>& manager, bool valid, Call call) {
    const std::size_t capacity = in_.byte() % 2 == 0 ? in_.byte() : 1 << 20;
    const std::unique_ptr<char[]> buffer(capacity == 0 ? nullptr : new char[capacity]);
    std::size_t needed = 0;
    const cwire_status status = call(buffer.get(), capacity, &needed);
    judge(status, manager.life, valid, {CWIRE_OK, CWIRE_E_TOO_BIG});
    if (status == CWIRE_OK) {
      require(needed <= capacity && std::strlen(buffer.get()) + 1 == needed, "the size is that of the text");
    }
    require(status != CWIRE_E_TOO_BIG || needed > capacity, "what is too big does not fit");
  }

  void manager_metrics() {
    const auto manager = pick(managers_);
    const std::int32_t format = in_.byte() % 4;
    text(manager, format == CWIRE_METRICS_PROMETHEUS || format == CWIRE_METRICS_OPEN_METRICS,
         [&](char* buffer, std::size_t capacity, std::size_t* needed) {
           return cwire_manager_metrics(manager.token, format, buffer, capacity, needed);
         });
    judge(cwire_manager_metrics(manager.token, 0, nullptr, 1, nullptr), manager.life, false, {});
  }

  void manager_metrics_url() {
    const auto manager = pick(managers_);
    text(manager, true, [&](char* buffer, std::size_t capacity, std::size_t* needed) {
      return cwire_manager_metrics_url(manager.token, buffer, capacity, needed);
    });
  }

  void manager_shutdown() {
    const auto manager = pick(managers_);
    const std::int32_t times[] = {0, 1, 20, -1, 3600001};
    const std::int32_t drain_ms = times[in_.byte() % std::size(times)];
    const bool right = drain_ms >= 0 && drain_ms <= 3600000;
    if (right) may_end(model_of(manager.token));
    judge(cwire_manager_shutdown(manager.token, drain_ms), manager.life, right, {CWIRE_OK});
  }

  void manager_free() {
    const auto manager = pick(managers_);
    if (model_of(manager.token) != nullptr && manager.life != Life::dead) may_end(model_of(manager.token));
    judge(cwire_manager_free(manager.token), manager.life, true, {CWIRE_OK});
    if (manager.life != Life::dead) manager_has_gone(*find(managers_, manager.token));
  }

  void station_send() {
    const auto station = pick(stations_);
    const Message m = message();
    judge(cwire_station_send(station.token, m.bytes.get(), m.size, m.flags, 7), station.life, m.right,
          {CWIRE_OK, CWIRE_E_NOT_ESTABLISHED, CWIRE_E_QUEUE_FULL, CWIRE_E_TOO_BIG});
  }

  void station_send_many() {
    std::vector<cwire_outgoing> outgoing(in_.byte() % 4);
    std::vector<Life> lives;
    const bool wrong_size = in_.byte() == 's';
    for (cwire_outgoing& one : outgoing) {
      const auto station = pick(stations_);
      one = {wrong_size ? 8 : sizeof one, station.token, "many", 4, 7, 0, 99};
      lives.push_back(station.life);
    }
    std::size_t accepted = 99;
    const cwire_status status = cwire_station_send_many(outgoing.data(), outgoing.size(), &accepted);
    if (wrong_size && !outgoing.empty()) return require(status == CWIRE_E_INVALID_ARGUMENT, "the size is looked at");
    std::size_t ok = 0;
    cwire_status first = CWIRE_OK;
    for (std::size_t i = 0; i < outgoing.size(); ++i) {
      judge(outgoing[i].status, lives[i], true,
            {CWIRE_OK, CWIRE_E_NOT_ESTABLISHED, CWIRE_E_QUEUE_FULL, CWIRE_E_TOO_BIG});
      if (outgoing[i].status == CWIRE_OK) ++ok;
      if (first == CWIRE_OK) first = outgoing[i].status;
    }
    require(accepted == ok && status == first, "the whole says what its parts say");
  }

  void station_wait() {
    const auto station = pick(stations_);
    const std::int32_t timeout_ms = in_.byte() % 4;
    Err error = err();
    const cwire_status status = cwire_station_wait(station.token, timeout_ms, error.get());
    check_err(error, status);
    if (station.life == Life::maybe) return require(status <= 0, "a wait ends");  // or with whatever ended it
    judge(status, station.life, true, {CWIRE_OK, CWIRE_E_TIMEOUT});
  }

  void station_state() {
    const auto station = pick(stations_);
    std::int32_t state = -1;
    const cwire_status status = cwire_station_state(station.token, &state);
    judge(status, station.life, true, {CWIRE_OK});
    if (status == CWIRE_OK) require(std::strcmp(cwire_state_name(state), "unknown") != 0, "a state is one");
    judge(cwire_station_state(station.token, nullptr), station.life, false, {});
  }

  void station_stats() {
    const auto station = pick(stations_);
    const std::size_t size = stats_size();
    Sized<cwire_stats> stats(size);
    judge(cwire_station_stats(station.token, stats.get()), station.life, is_stats_size(size), {CWIRE_OK});
  }

  void station_disconnect() {
    const auto station = pick(stations_);
    const std::uint16_t codes[] = {0, 1000, 1001, 3000, 4999, 999, 1005, 2999, 5000, 65535};
    const std::uint16_t code = codes[in_.byte() % std::size(codes)];
    const char* const reason = text();
    const cwire_status status = cwire_station_disconnect(station.token, code, reason);
    // A reason may be wrong in ways that are not repeated here.
    const bool right = code < 5000 && code != 999 && code != 1005 && code != 2999;
    judge(status, station.life, right && status != CWIRE_E_INVALID_ARGUMENT, {CWIRE_OK});
    require(status != CWIRE_E_INVALID_ARGUMENT || !right || reason != nullptr, "a right call is taken");
    auto* known = find(stations_, station.token);
    if (status == CWIRE_OK && known->life == Life::alive) known->life = Life::maybe;
  }

  void pool_new() {
    const auto manager = pick(managers_);
    if (pools_.size() == kPoolsMax) return;
    cwire_pool pool = nullptr;
    const cwire_status status = cwire_pool_new(manager.token, &pool);
    judge(status, manager.life, true, {CWIRE_OK});
    if (status == CWIRE_OK) learn(pools_, {pool, Life::alive, model_of(manager.token)});
    judge(cwire_pool_new(manager.token, nullptr), manager.life, false, {});
  }

  void pool_add() {
    const auto pool = pick(pools_);
    const auto station = pick(stations_);
    const cwire_status status = cwire_pool_add(pool.token, station.token);
    const auto* of_pool = find(pools_, pool.token);
    const auto* of_station = find(stations_, station.token);
    const bool right = of_pool == nullptr || of_station == nullptr || of_pool->manager == of_station->manager;
    judge(status, std::min(pool.life, station.life), right, {CWIRE_OK});
  }

  void pool_remove() {
    const auto pool = pick(pools_);
    const char* const id = text();
    judge(cwire_pool_remove(pool.token, id), pool.life, id != nullptr, {CWIRE_OK, CWIRE_E_NOT_FOUND});
  }

  void pool_has() {
    const auto pool = pick(pools_);
    const char* const id = text();
    judge(cwire_pool_has(pool.token, id), pool.life, id != nullptr, {1, 0});
  }

  void pool_send() {
    const auto pool = pick(pools_);
    const Message m = message();
    const char* const id = text();
    judge(cwire_pool_send(pool.token, id, m.bytes.get(), m.size, m.flags, 7), pool.life, m.right && id != nullptr,
          {CWIRE_OK, CWIRE_E_NOT_FOUND, CWIRE_E_NOT_ESTABLISHED, CWIRE_E_QUEUE_FULL, CWIRE_E_TOO_BIG});
  }

  void pool_broadcast() {
    const auto pool = pick(pools_);
    const Message m = message();
    std::size_t accepted = 99;
    judge(cwire_pool_broadcast(pool.token, m.bytes.get(), m.size, m.flags, &accepted), pool.life, m.right,
          {CWIRE_OK, CWIRE_E_TOO_BIG, CWIRE_E_STATE});
    require(accepted <= stations_.size(), "no more take it than there are");
  }

  void pool_counts() {
    const auto pool = pick(pools_);
    std::size_t connected = 0, total = 0;
    judge(cwire_pool_counts(pool.token, &connected, &total), pool.life, true, {CWIRE_OK});
    require(connected <= total && total <= stations_.size(), "counts count stations");
  }

  void pool_stats() {
    const auto pool = pick(pools_);
    all_stats(pool, [&](cwire_stats* out, std::size_t capacity, std::size_t* count) {
      return cwire_pool_stats(pool.token, out, capacity, count);
    });
  }

  void pool_disconnect_all() {
    const auto pool = pick(pools_);
    if (pool.life != Life::dead) may_end(find(pools_, pool.token)->manager);
    judge(cwire_pool_disconnect_all(pool.token), pool.life, true, {CWIRE_OK});
  }

  void pool_free() {
    const auto pool = pick(pools_);
    judge(cwire_pool_free(pool.token), pool.life, true, {CWIRE_OK});
    if (pool.life != Life::dead) find(pools_, pool.token)->life = Life::dead;
  }

  void names() {
    const auto number = static_cast<std::int8_t>(in_.byte());
    require(cwire_abi_version() == CWIRE_ABI_VERSION && cwire_version() != nullptr, "there is a version");
    require(cwire_status_name(number) != nullptr && cwire_state_name(number) != nullptr, "there is always a name");
  }

  // ---- the CSMS ----

  // Answers the next station that wants in, if there is one.
  void server_answers() {
    const std::uint8_t how = in_.byte();
    if (!server_.somebody_wants_in(stations_.empty() ? 0 : 3)) return;
    try {
      raw::Connection connection = server_.accept();
      const std::string request = connection.read_request();
      switch (how) {
        case '1':
          connection.send("HTTP/1.1 404 Not Found\r\n\r\n");
          break;
        case '2':
          connection.send("HTTP/1.1 503 Later\r\nRetry-After: 1\r\n\r\n");
          break;
        case '3':
          connection.accept_upgrade(request, "");
          break;
        case '4':
          return connection.reset();
        case '5':
          connection.send("HTTP/1.1 401 Unauthorized\r\n\r\n");
          break;
        default:
          connection.accept_upgrade(request);
      }
      connections_.push_back(std::move(connection));
    } catch (const std::runtime_error&) {
      // The station went away meanwhile.
    }
  }

  void server_sends() {
    const std::string bytes(in_.until('\n'));
    for (raw::Connection& connection : connections_) {
      try {
        connection.send(bytes);
      } catch (const std::runtime_error&) {
        // As above.
      }
    }
  }

  void server_drops() {
    for (raw::Connection& connection : connections_) connection.reset();
    connections_.clear();
  }

  // ---- the end ----

  void end() {
    server_drops();
    for (auto& manager : managers_) {
      if (manager.life == Life::dead) continue;
      if (manager.manager->polled) take_the_rest(manager);
      may_end(manager.manager);
      require(cwire_manager_free(manager.token) == CWIRE_OK, "a living manager can be freed");
      manager_has_gone(manager);
    }
    for (auto& config : configs_) {
      if (config.life != Life::dead) require(cwire_config_free(config.token) == CWIRE_OK, "so can a configuration");
    }
    for (const std::uintptr_t token : tokens_) check_stale(token);
  }

  void take_the_rest(Known<cwire_manager>& manager) {
    require(cwire_manager_shutdown(manager.token, 0) == CWIRE_OK, "a shutdown can be begun at any time");
    for (int polls = 0; !manager.manager->shut_down; ++polls) {
      const cwire_event* events = nullptr;
      std::size_t count = 0;
      require(polls < 1000 && cwire_manager_poll(manager.token, 10000, 100, &events, &count) == CWIRE_OK,
              "a shutdown comes to its end");
      take_events(*manager.manager, events, count);
    }
    for (const auto& station : stations_) {
      if (station.manager != manager.manager) continue;
      require(station.manager->has_closed(value_of(station.token)), "each connect has its CLOSED");
    }
  }

  static void check_stale(std::uintptr_t token) {
    require(cwire_config_free(reinterpret_cast<cwire_config>(token)) == CWIRE_E_INVALID_HANDLE &&
                cwire_manager_free(reinterpret_cast<cwire_manager>(token)) == CWIRE_E_INVALID_HANDLE &&
                cwire_pool_free(reinterpret_cast<cwire_pool>(token)) == CWIRE_E_INVALID_HANDLE &&
                cwire_station_disconnect(reinterpret_cast<cwire_station>(token), 0, "") == CWIRE_E_INVALID_HANDLE,
            "in the end every token is stale");
  }

  fuzz::Input& in_;
  std::deque<std::string> texts_;
  std::vector<Known<cwire_config>> configs_;
  std::vector<Known<cwire_manager>> managers_;
  std::vector<Known<cwire_station>> stations_;
  std::vector<Known<cwire_pool>> pools_;
  std::vector<std::uintptr_t> tokens_;  // all there ever were
  std::deque<ManagerModel> models_;
  bool give_up_ = false;  // stations may end by themselves

  raw::Server server_;
  std::vector<raw::Connection> connections_;
  const std::string server_url_ = server_.url();
  const std::string closed_url_ = closed_port().url();
  const std::string wrong_url_ = "http://127.0.0.1/";
  const std::string empty_;

  static const raw::ClosedPort& closed_port() {
    static const raw::ClosedPort& port = *new raw::ClosedPort;
    return port;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  World(input).run();
  return 0;
}
