#pragma once

#include <chargewire/chargewire.h>
#include <csms.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "secrets.h"

// What every test here needs: a configuration, a manager whose events are recorded, and patience instead of sleep.
namespace fixture {

// For what should happen at once. Only a test that fails waits this long, so it is generous with sanitizers and busy
// machines.
constexpr std::chrono::seconds kPatience{40};
constexpr std::int32_t kPatience_ms = 40000;

using Settings = std::vector<std::pair<std::string, std::string>>;

// Settings with which nothing a test waits for takes long.
Settings quick(Settings more = {});

class Config {
 public:
  explicit Config(Settings settings = {});
  Config(const Config&) = delete;
  Config& operator=(const Config&) = delete;
  ~Config() { cwire_config_free(token_); }
  operator cwire_config() const { return token_; }
  void set(const std::string& key, const std::string& value);

 private:
  cwire_config token_ = nullptr;
};

// A cwire_error that knows its size.
struct Error : cwire_error {
  Error() : cwire_error CWIRE_ERROR_INIT {}
  ~Error() { secrets::search(message, "an error"); }
  std::string text() const { return message; }
};

// A copy of a cwire_event.
struct Record {
  std::int32_t type;
  cwire_status status;
  cwire_station station;
  std::uintptr_t user_data;
  std::string station_id;
  std::string data;
  std::uint64_t tag;
  std::int64_t time_ns;
  std::int32_t code;
  std::uint32_t flags;
  std::thread::id thread;  // that the handler ran on
  cwire_failure failure;   // all 0 where the event has none
};
using Records = std::vector<Record>;
std::ostream& operator<<(std::ostream& out, const Record& record);

enum class Delivery { poll, handler };
std::ostream& operator<<(std::ostream& out, Delivery delivery);

// Whom an event is about and of what type it is.
std::size_t count(const Records& records, std::int32_t type, const std::string& station_id = "");
const Record* first(const Records& records, std::int32_t type, const std::string& station_id = "");
const Record* last(const Records& records, std::int32_t type, const std::string& station_id = "");
inline const Record& must(const Record* record) {
  REQUIRE(record != nullptr);
  return *record;
}
// The new states of a station, in order: "connecting connected".
std::string states(const Records& records, const std::string& station_id);
// The types of a station's events from index `from` on, in order: "STATE CONNECTED". Without LOG.
std::string types(const Records& records, const std::string& station_id, std::size_t from = 0);

// A manager and everything it said. In poll mode events are taken by whoever waits, in handler mode by the handler.
class Fleet {
 public:
  // Runs in the handler after the event was recorded; handler mode only.
  using Hook = std::function<void(const cwire_event&)>;

  explicit Fleet(Delivery delivery, const Settings& settings = quick(), Hook hook = {});
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  cwire_manager manager = nullptr;
  Delivery delivery() const { return delivery_; }

  // Must succeed.
  cwire_station connect(const std::string& id, const std::string& url, const Settings& overrides = {},
                        std::uintptr_t user_data = 0);
  // Begins to connect, and waits until it is.
  cwire_station connected(const std::string& id, const std::string& url, const Settings& overrides = {});
  // To be told of a connect that a test made by itself, so that finish() can account for it.
  void note_connect(cwire_station station);
  cwire_status send(cwire_station station, const std::string& text, std::uint32_t flags = 0, std::uint64_t tag = 0);

  // Waits until it holds of what was recorded so far. False if it does not come to hold.
  bool wait(const std::function<bool(const Records&)>& holds, std::chrono::milliseconds patience = kPatience);
  bool wait_for(std::int32_t type, const std::string& station_id, std::size_t times = 1);
  // The first ERROR of a station that was not connected yet and goes on trying.
  Record first_error(const std::string& station_id = "CP1");
  // For what no event tells. Events are polled meanwhile.
  bool eventually(const std::function<bool()>& holds);
  Records records();
  // Poll mode: takes at most `max` events, waiting at most timeout_ms.
  cwire_status poll(std::int32_t timeout_ms, std::size_t max = 256);
  cwire_stats stats(const std::string& id);
  std::int32_t state(cwire_station station);

  // Shuts down, waits for SHUTDOWN, frees, and checks what the contract says of every run: order, exactly one CLOSED
  // per connect and as the last, SHUTDOWN last of all, states that follow from one another, no event of two handlers at
  // once.
  void finish(std::int32_t drain_ms = 2000);
  // finish() without the shutdown, for a test that has done it.
  void check_contract();
  // Handler mode, where free was called inside the handler: waits until SHUTDOWN was handled and the handler has
  // returned.
  bool wait_returned();
  // Takes the manager out of the fixture's care.
  cwire_manager release() { return std::exchange(manager, nullptr); }
  unsigned violations();

 private:
  static void on_events(std::uintptr_t context, const cwire_event* events, std::size_t size);
  void search_statistics();
  void take(const cwire_event* events, std::size_t size);

  const Delivery delivery_;
  const Hook hook_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Records records_;
  std::map<std::uintptr_t, unsigned> connects_;    // by token
  std::map<cwire_station, std::thread::id> busy_;  // whose events are being handled
  unsigned violations_ = 0;
  unsigned running_handlers_ = 0;
};

// Both, one after the other.
inline auto both_deliveries() { return GENERATE(Delivery::poll, Delivery::handler); }

// A gate that a handler waits at.
class Gate {
 public:
  void open();
  void pass();  // waits for open()
  bool wait_arrived(std::size_t visitors = 1);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  std::size_t arrived_ = 0;
};

}  // namespace fixture
