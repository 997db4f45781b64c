// One station. Connects, says that it booted, prints whatever arrives, and leaves in good order on Ctrl-C.
//
//     one_station [URL [STATION_ID]]        # ws://localhost:9000 CP001
//
// Losing the connection ends nothing: the library comes back by itself, for as long as it takes.
#include <signal.h>

#include <chargewire/chargewire.hpp>
#include <chrono>
#include <iostream>

using chargewire::Event;
using chargewire::EventType;
using chargewire::Flags;

static constexpr char boot[] =
    R"([2,"boot-1","BootNotification",{"chargePointVendor":"Chargewire","chargePointModel":"Example"}])";

// Runs on a thread of the library, for one event after the other.
static void on_event(const Event& event) {
  switch (event.type()) {
    case EventType::connected:
      std::cout << event.station_id() << ": connected, " << event.data() << std::endl;
      // A station boots once. Whoever merely lost the line says nothing, or the CSMS takes it for a restart.
      if (!event.has(Flags::reconnect)) event.station().send(boot);
      break;
    case EventType::message:
      std::cout << event.station_id() << ": " << event.data() << std::endl;
      break;
    case EventType::disconnected:  // their data is one line: why, and what follows
    case EventType::error:
    case EventType::log:
      std::cout << event.data() << std::endl;
      break;
    default:  // newer versions of the library may tell of more
      break;
  }
}

int main(int argc, char** argv) {
  const char* url = argc > 1 ? argv[1] : "ws://localhost:9000";
  const char* station_id = argc > 2 ? argv[2] : "CP001";

  // Blocked before there are other threads, so that this one alone takes them, in sigwait.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  try {
    chargewire::Manager manager(on_event);
    manager.connect(station_id, url);
    int signal = 0;
    sigwait(&signals, &signal);
    manager.shutdown(std::chrono::seconds(5));  // the destructor waits until that is over
  } catch (const chargewire::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
