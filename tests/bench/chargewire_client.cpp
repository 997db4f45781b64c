// What raw_client does, by Chargewire: handler mode, one I/O thread, each answer sent from inside the handler.
//
//   chargewire_client --url ws[s]://127.0.0.1:PORT/ocpp --stations N --in-flight K --messages M --size S [--ca FILE]
//
// Talks to echo_server and prints one line of JSON.
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "chargewire/chargewire.h"
#include "measurement.h"

namespace {

void check(cwire_status status, const char* what, const cwire_error* error = nullptr) {
  if (status == CWIRE_OK) return;
  std::fprintf(stderr, "chargewire_client: %s: %s %s\n", what, cwire_status_name(status),
               error == nullptr ? "" : error->message);
  std::exit(1);
}

struct Station {
  cwire_station token = nullptr;
  std::uint32_t to_send = 0;  // touched by the handler only, once the exchange has begun
};

class ChargewireClient {
 public:
  explicit ChargewireClient(const bench::Arguments& arguments)
      : arguments_(arguments),
        payload_(arguments.size, 'x'),
        stations_(arguments.stations),
        times_(arguments.stations, arguments.in_flight) {
    cwire_error error = CWIRE_ERROR_INIT;
    cwire_config config = nullptr;
    check(cwire_config_new(&config), "cwire_config_new");
    const std::string queue_bytes = std::to_string(std::uint64_t{arguments.in_flight} * (arguments.size + 1) + 65536);
    const std::pair<const char*, std::string> options[] = {
        {"io_threads", "1"},
        {"csms.send_queue_messages", std::to_string(arguments.in_flight + 1)},
        {"csms.send_queue_bytes", queue_bytes},
    };
    for (const auto& [key, value] : options) check(cwire_config_set(config, key, value.c_str(), &error), key, &error);
    if (!arguments.ca.empty()) {
      check(cwire_config_set(config, "csms.tls.ca_cert", arguments.ca.c_str(), &error), "--ca", &error);
    }
    check(cwire_manager_new(config, &on_events, reinterpret_cast<std::uintptr_t>(this), &manager_, &error),
          "cwire_manager_new", &error);
    check(cwire_config_free(config), "cwire_config_free");
  }
  ~ChargewireClient() { cwire_manager_free(manager_); }
  ChargewireClient(const ChargewireClient&) = delete;
  ChargewireClient& operator=(const ChargewireClient&) = delete;

  bench::Result run() {
    bench::Result result;
    result.client = "chargewire";
    const long rss_before = bench::resident_bytes();
    const bench::Stopwatch dialing;
    connect_all();
    wait_for(all_connected_);
    result.connects_per_second = arguments_.stations / dialing.seconds();
    result.rss_per_connection_bytes = static_cast<double>(bench::resident_bytes() - rss_before) / arguments_.stations;
    if (arguments_.messages == 0) return result;

    for (Station& station : stations_) station.to_send = arguments_.messages - arguments_.first_burst();
    const bench::Stopwatch exchange;
    for (std::size_t i = 0; i < stations_.size(); ++i) begin(i);
    wait_for(all_done_);
    result.seconds = exchange.seconds();
    result.user_us = exchange.user_us();
    result.system_us = exchange.system_us();
    result.round_trips = arguments_.round_trips();
    return result;
  }

  const bench::LatencyHistogram& latency() const { return latency_; }

 private:
  void connect_all() {
    const std::string url = std::string(arguments_.tls ? "wss://" : "ws://") + arguments_.host + ":" +
                            std::to_string(arguments_.port) + arguments_.path;
    for (std::size_t i = 0; i < stations_.size(); ++i) {
      cwire_error error = CWIRE_ERROR_INIT;
      const std::string id = "CP" + std::to_string(i);
      check(cwire_manager_connect(manager_, id.c_str(), url.c_str(), nullptr, i, &stations_[i].token, &error),
            "cwire_manager_connect", &error);
    }
  }

  // All times are noted before the first send: from then on the handler notes those of this station.
  void begin(std::size_t index) {
    const std::int64_t now = bench::now_ns();
    for (std::uint32_t i = 0; i < arguments_.first_burst(); ++i) times_.sent(index, now);
    for (std::uint32_t i = 0; i < arguments_.first_burst(); ++i) send(stations_[index].token);
  }

  void send(cwire_station station) {
    check(cwire_station_send(station, payload_.data(), payload_.size(), 0, 0), "cwire_station_send");
  }

  // On the I/O thread.
  static void on_events(std::uintptr_t context, const cwire_event* events, std::size_t count) {
    auto* client = reinterpret_cast<ChargewireClient*>(context);
    const std::int64_t now = bench::now_ns();
    for (std::size_t i = 0; i < count; ++i) client->on_event(events[i], now);
  }

  void on_event(const cwire_event& event, std::int64_t now) {
    switch (event.type) {
      case CWIRE_EVENT_CONNECTED:
        if (++connected_ == arguments_.stations) tell(all_connected_);
        break;
      case CWIRE_EVENT_MESSAGE: {
        Station& station = stations_[event.user_data];
        latency_.record(now - times_.answered(event.user_data));
        if (station.to_send != 0) {
          --station.to_send;
          times_.sent(event.user_data, now);
          send(event.station);
        }
        if (++round_trips_ == arguments_.round_trips()) tell(all_done_);
        break;
      }
      case CWIRE_EVENT_ERROR:
      case CWIRE_EVENT_DISCONNECTED:
        if (event.status == CWIRE_OK) break;  // by our own shutdown
        std::fprintf(stderr, "chargewire_client: %s: %s %s\n", event.station_id, cwire_status_name(event.status),
                     event.data);
        if (event.type == CWIRE_EVENT_DISCONNECTED) std::_Exit(1);
        break;
      default:
        break;
    }
  }

  void tell(bool& flag) {
    const std::lock_guard<std::mutex> lock(mutex_);
    flag = true;
    condition_.notify_all();
  }
  void wait_for(const bool& flag) {
    std::unique_lock<std::mutex> lock(mutex_);
    condition_.wait(lock, [&] { return flag; });
  }

  const bench::Arguments arguments_;
  const std::string payload_;
  std::vector<Station> stations_;
  bench::SendTimes times_;
  bench::LatencyHistogram latency_;  // of the handler
  cwire_manager manager_ = nullptr;
  std::uint32_t connected_ = 0;    // of the handler
  std::uint64_t round_trips_ = 0;  // of the handler

  std::mutex mutex_;
  std::condition_variable condition_;
  bool all_connected_ = false;
  bool all_done_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments = bench::parse_arguments(argc, argv);
  bench::raise_descriptor_limit();
  // Printed before the manager is freed: closing is not measured.
  ChargewireClient client(arguments);
  const bench::Result result = client.run();
  bench::print(arguments, result, client.latency());
  std::fflush(stdout);
  return 0;
}
