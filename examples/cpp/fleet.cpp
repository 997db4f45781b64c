// A fleet. Its stations boot and send a Heartbeat each second; statistics each second, and of all at the end.
//
//     fleet [URL [STATIONS [SECONDS]]]        # ws://localhost:9000 1000 10
#include <atomic>
#include <chargewire/chargewire.hpp>
#include <chrono>
#include <iostream>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using chargewire::Event;
using chargewire::EventType;
using chargewire::Flags;

static constexpr char boot[] =
    R"([2,"boot","BootNotification",{"chargePointVendor":"Chargewire","chargePointModel":"Example"}])";

int main(int argc, char** argv) try {
  const std::string url = argc > 1 ? argv[1] : "ws://localhost:9000";
  const int stations = argc > 2 ? std::stoi(argv[2]) : 1000;
  const int seconds = argc > 3 ? std::stoi(argv[3]) : 10;

  std::atomic<std::uint64_t> answers{0};
  // Events come on the library's threads; those of one station never two at a time.
  const auto on_event = [&answers](const Event& event) {
    switch (event.type()) {
      case EventType::connected:
        if (!event.has(Flags::reconnect)) event.station().send(boot);
        break;
      case EventType::message:
        ++answers;
        break;
      case EventType::error:
      case EventType::disconnected:
      case EventType::endpoint:
        if (event.status() != chargewire::Status::ok || event.type() == EventType::endpoint) {
          std::cout << std::string(event.data()).append("\n") << std::flush;
        }
        break;
      default:
        break;
    }
  };

  chargewire::Config config;
  config.default_url(url).ping_interval(60s);
  chargewire::Manager manager(config, on_event);
  for (int i = 1; i <= stations; ++i) manager.connect("CP" + std::to_string(i));

  auto next = std::chrono::steady_clock::now();
  for (int second = 1; second <= seconds; ++second) {
    std::this_thread::sleep_until(next += 1s);
    // One call to all that are connected; the payload is copied once.
    const std::size_t beating = manager.broadcast("[2,\"" + std::to_string(second) + "\",\"Heartbeat\",{}]");
    const chargewire::Counts counts = manager.counts();
    std::cout << second << " s: " << counts.connected << " of " << counts.total << " connected, " << beating
              << " Heartbeats, " << answers << " answers" << std::endl;
  }

  std::uint64_t sent = 0, received = 0, attempts = 0, with_errors = 0;
  for (const chargewire::Stats& stats : manager.all_stats()) {
    sent += stats.messages_sent();
    received += stats.messages_received();
    attempts += stats.reconnect_attempts();
    if (stats.last_error() != chargewire::Status::ok) ++with_errors;
  }
  std::cout << sent << " messages sent, " << received << " received, " << attempts << " reconnect attempts, "
            << with_errors << " stations had errors\n";
  for (const chargewire::Endpoint& endpoint : manager.endpoints()) {
    std::cout << endpoint.name() << ": " << endpoint.handshakes_limit() << " handshakes at a time\n";
  }

  manager.shutdown(5s);  // the destructor waits until that is over
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
