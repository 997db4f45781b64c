// Many stations in one process: connect, stay idle with pings, close. Fails unless all of them connect, none is lost
// meanwhile, each has had its pings answered, and each closes with a complete close handshake.
//
//   idle_fleet HOST PORT STATIONS SECONDS
//
// Talks to echo_server and prints one line of JSON.
#include <chrono>
#include <cinttypes>
#include <cstring>
#include <string>
#include <vector>

#include "chargewire/chargewire.h"
#include "measurement.h"

namespace {

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "idle_fleet: %s\n", what.c_str());
  std::exit(1);
}

void check(cwire_status status, const char* what, const cwire_error* error = nullptr) {
  if (status != CWIRE_OK) {
    fail(std::string(what) + ": " + cwire_status_name(status) + " " + (error == nullptr ? "" : error->message));
  }
}

struct Counts {
  std::size_t connected = 0;
  std::size_t closed = 0;
  std::size_t closed_in_order = 0;
  std::size_t attempts_failed = 0;
  bool shut_down = false;
};

class IdleFleet {
 public:
  IdleFleet(const std::string& url, std::size_t stations) : stations_(stations) {
    cwire_error error = CWIRE_ERROR_INIT;
    check(cwire_manager_new(nullptr, nullptr, 0, &manager_, &error), "cwire_manager_new", &error);
    resident_before_ = bench::resident_bytes();
    const auto begin = Clock::now();
    for (std::size_t i = 0; i < stations; ++i) {
      const std::string id = "CP" + std::to_string(i);
      check(cwire_manager_connect(manager_, id.c_str(), url.c_str(), nullptr, 0, nullptr, &error), "connect", &error);
    }
    take_events_until([&] { return counts_.connected == stations_; }, begin + std::chrono::minutes(5));
    if (counts_.connected != stations_) fail("only " + std::to_string(counts_.connected) + " connected in 5 minutes");
    connect_seconds_ = std::chrono::duration<double>(Clock::now() - begin).count();
  }

  void stay_idle(std::chrono::seconds duration) {
    const bench::Stopwatch watch;
    take_events_until([] { return false; }, Clock::now() + duration);
    cpu_share_ = (watch.user_us() + watch.system_us()) / 1e6 / watch.seconds();
    resident_per_station_ =
        static_cast<double>(bench::resident_bytes() - resident_before_) / static_cast<double>(stations_);
    if (duration < std::chrono::seconds(40)) return;  // not everybody has pinged
    std::vector<cwire_stats> stats(stations_);
    stats[0].size = sizeof stats[0];
    std::size_t count = 0;
    check(cwire_manager_all_stats(manager_, stats.data(), stats.size(), &count), "cwire_manager_all_stats");
    for (const cwire_stats& station : stats) {
      if (station.round_trip_ns == 0) fail(std::string(station.station_id) + ": no ping was answered");
    }
  }

  void close() {
    check(cwire_manager_shutdown(manager_, 60000), "cwire_manager_shutdown");
    closing_ = true;
    take_events_until([&] { return counts_.shut_down; }, Clock::now() + std::chrono::seconds(70));
    if (counts_.closed_in_order != stations_ || counts_.closed != stations_ || !counts_.shut_down) {
      fail(std::to_string(counts_.closed) + " closed, " + std::to_string(counts_.closed_in_order) +
           " of them with a close handshake");
    }
    check(cwire_manager_free(manager_), "cwire_manager_free");
  }

  void print() const {
    std::printf(
        "{\"stations\":%zu,\"connect_seconds\":%.1f,\"attempts_failed\":%zu,\"resident_bytes_per_station\":%.0f,"
        "\"cpu_share_of_a_core_while_idle\":%.4f}\n",
        stations_, connect_seconds_, counts_.attempts_failed, resident_per_station_, cpu_share_);
  }

 private:
  using Clock = std::chrono::steady_clock;

  template <class Done>
  void take_events_until(Done done, Clock::time_point deadline) {
    while (!done() && Clock::now() < deadline) {
      const cwire_event* events = nullptr;
      std::size_t count = 0;
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
      const cwire_status status = cwire_manager_poll(manager_, static_cast<int>(left), 1024, &events, &count);
      if (status == CWIRE_E_TIMEOUT) return;
      check(status, "cwire_manager_poll");
      for (std::size_t i = 0; i < count; ++i) take(events[i]);
    }
  }

  void take(const cwire_event& event) {
    switch (event.type) {
      case CWIRE_EVENT_CONNECTED:
        ++counts_.connected;
        break;
      case CWIRE_EVENT_ERROR:
        ++counts_.attempts_failed;
        break;
      case CWIRE_EVENT_DISCONNECTED:
        if (!closing_) fail(std::string("lost a connection: ") + event.data);
        // The peer's answer to our close frame carries our code; without an answer it would be 1006.
        if (event.code == 1001) ++counts_.closed_in_order;
        break;
      case CWIRE_EVENT_CLOSED:
        ++counts_.closed;
        break;
      case CWIRE_EVENT_SHUTDOWN:
        counts_.shut_down = true;
        break;
      default:
        break;
    }
  }

  const std::size_t stations_;
  cwire_manager manager_ = nullptr;
  Counts counts_;
  bool closing_ = false;
  long resident_before_ = 0;
  double connect_seconds_ = 0;
  double resident_per_station_ = 0;
  double cpu_share_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s HOST PORT STATIONS SECONDS\n", argv[0]);
    return 2;
  }
  bench::raise_descriptor_limit();
  const std::string url = std::string("ws://") + argv[1] + ":" + argv[2] + "/ocpp";
  IdleFleet fleet(url, std::strtoul(argv[3], nullptr, 10));
  fleet.stay_idle(std::chrono::seconds(std::strtol(argv[4], nullptr, 10)));
  fleet.close();
  fleet.print();
}
