#pragma once

#include <string>
#include <utility>
#include <vector>

#include "measurement.h"

// What the clients of other libraries have in common: everything but how that library connects, sends and receives.
namespace bench {

// Connections that are being made at the same time.
constexpr std::uint32_t dials_max = 64;

[[noreturn]] inline void fail(const char* client, const std::string& what) {
  std::fprintf(stderr, "%s_client: %s\n", client, what.c_str());
  std::_Exit(1);  // from inside a callback, with objects in any state
}

inline std::string authority(const Arguments& arguments) {
  return arguments.host + ":" + std::to_string(arguments.port);
}

inline std::string station_path(const Arguments& arguments, std::uint32_t station) {
  return arguments.path + "/CP" + std::to_string(station);
}

// Who has how many messages left, and how long the answers took.
class Exchange {
 public:
  explicit Exchange(const Arguments& arguments)
      : first_burst_(arguments.first_burst()),
        left_(arguments.round_trips()),
        to_send_(arguments.stations, arguments.messages - arguments.first_burst()),
        times_(arguments.stations, arguments.in_flight) {}

  // To be called before the station sends its first burst.
  void begin(std::uint32_t station) {
    const std::int64_t now = now_ns();
    for (std::uint32_t i = 0; i < first_burst_; ++i) times_.sent(station, now);
  }

  // True: the station is to send one more message now.
  bool answered(std::uint32_t station) {
    const std::int64_t now = now_ns();
    latency_.record(now - times_.answered(station));
    --left_;
    if (to_send_[station] == 0) return false;
    --to_send_[station];
    times_.sent(station, now);
    return true;
  }

  bool done() const { return left_ == 0; }
  const LatencyHistogram& latency() const { return latency_; }

 private:
  const std::uint32_t first_burst_;
  std::uint64_t left_;
  std::vector<std::uint32_t> to_send_;
  SendTimes times_;
  LatencyHistogram latency_;
};

// `connect_all` returns when all stations are connected, `exchange_all` when all messages are answered.
template <typename ConnectAll, typename ExchangeAll>
Result measure(const char* client, const Arguments& arguments, ConnectAll connect_all, ExchangeAll exchange_all) {
  Result result;
  result.client = client;
  const Dialing dialing;
  connect_all();
  result.connected(dialing, arguments.stations);
  if (arguments.messages == 0) return result;

  const Stopwatch exchange;
  exchange_all();
  result.exchanged(exchange, arguments.round_trips());
  return result;
}

// Closing is not measured, so nothing is taken down.
[[noreturn]] inline void print_and_exit(const Arguments& arguments, const Result& result, const Exchange& exchange) {
  print(arguments, result, exchange.latency());
  std::fflush(stdout);
  std::_Exit(0);
}

}  // namespace bench
