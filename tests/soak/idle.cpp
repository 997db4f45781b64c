// A fleet that has nothing to say: is any connection that is well taken for a lost one, and what does it cost to watch
// over them?
//
//   chargewire_idle_soak --stations 10000 --seconds 1000 --ping-interval 30
//
// The CSMS has a process of its own, so that what is measured here is the fleet's. Exit code 77: the machine has not
// enough descriptors.
#include <chargewire/chargewire.h>
#include <csms.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

struct Options {
  unsigned stations = 10000;
  unsigned seconds = 1000;
  unsigned ping_interval = 30;  // seconds
};

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "idle soak: %s\n", why.c_str());
  std::exit(1);
}

void must(cwire_status status, const std::string& what, const char* why = "") {
  if (status != CWIRE_OK) give_up(what + ": " + cwire_status_name(status) + " " + why);
}

// Answers a byte with its counters; ends with its parent.
[[noreturn]] void serve(int control) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  try {
    csms::Csms csms{csms::Options()};
    const std::uint16_t port = csms.port();
    if (::send(control, &port, sizeof port, 0) != sizeof port) ::_exit(1);
    char order;
    while (::recv(control, &order, 1, 0) == 1) {
      const csms::Counters counters = csms.counters();
      if (::send(control, &counters, sizeof counters, 0) != sizeof counters) break;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "the CSMS: %s\n", error.what());
  }
  ::_exit(0);
}

class CsmsProcess {
 public:
  CsmsProcess() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) give_up("there is no socket pair");
    pid_ = ::fork();
    if (pid_ < 0) give_up("there is no process for the CSMS");
    if (pid_ == 0) {
      ::close(ends[0]);
      serve(ends[1]);
    }
    ::close(ends[1]);
    control_ = ends[0];
    std::uint16_t port = 0;
    if (::recv(control_, &port, sizeof port, MSG_WAITALL) != sizeof port) give_up("the CSMS does not start");
    url_ = "ws://127.0.0.1:" + std::to_string(port);
  }
  ~CsmsProcess() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(control_);
  }
  CsmsProcess(const CsmsProcess&) = delete;
  CsmsProcess& operator=(const CsmsProcess&) = delete;

  const std::string& url() const { return url_; }
  csms::Counters counters() const {
    csms::Counters counters;
    const char order = '?';
    if (::send(control_, &order, 1, MSG_NOSIGNAL) != 1 ||
        ::recv(control_, &counters, sizeof counters, MSG_WAITALL) != sizeof counters)
      give_up("the CSMS has ended");
    return counters;
  }

 private:
  pid_t pid_ = -1;
  int control_ = -1;
  std::string url_;
};

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto in_seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return in_seconds(usage.ru_utime) + in_seconds(usage.ru_stime);
}

double resident_bytes() {
  double pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

class IdleSoak {
 public:
  explicit IdleSoak(const Options& options) : options_(options) {
    cwire_error error = CWIRE_ERROR_INIT;
    cwire_config config = nullptr;
    must(cwire_config_new(&config), "a configuration");
    must(cwire_config_set(config, "csms.ping_interval", (std::to_string(options.ping_interval) + "s").c_str(), &error),
         "csms.ping_interval", error.message);
    must(cwire_manager_new(config, nullptr, 0, &manager_, &error), "a manager", error.message);
    cwire_config_free(config);
  }

  void run() {
    const double resident_before = resident_bytes();
    connect();
    const csms::Counters before = csms_.counters();
    const double cpu_before = cpu_seconds();
    idle_ = true;
    take_events_until([] { return false; }, seconds(options_.seconds));
    idle_ = false;
    const double cpu = cpu_seconds() - cpu_before;
    const double resident = resident_bytes() - resident_before;
    const std::uint64_t pings = csms_.counters().pings - before.pings;
    report(cpu, resident, pings);
    if (false_disconnects_ != 0) give_up("a connection that was well was taken for a lost one");
    // A ping is due up to a tenth later than the interval says, and the first within the first of them.
    const double due = options_.stations * (options_.seconds / (1.1 * options_.ping_interval) - 1);
    if (static_cast<double>(pings) < due)
      give_up("the CSMS was pinged " + std::to_string(pings) + " times, which is too seldom");
    look_at_each_station();
    close();
  }

 private:
  // Towards one port of the CSMS an address has some 28,000 ports of its own, and is slow to find one beyond half of
  // them.
  static constexpr unsigned kStationsPerAddress = 10000;

  void connect() {
    const auto begin = Clock::now();
    for (unsigned first = 0; first < options_.stations; first += kStationsPerAddress) {
      cwire_error error = CWIRE_ERROR_INIT;
      cwire_config address = nullptr;
      must(cwire_config_new(&address), "a configuration");
      must(cwire_config_set(address, "csms.source_address",
                            ("127.0.0." + std::to_string(1 + first / kStationsPerAddress)).c_str(), &error),
           "csms.source_address", error.message);
      for (unsigned n = first; n < std::min(first + kStationsPerAddress, options_.stations); ++n)
        must(cwire_manager_connect(manager_, ("CP" + std::to_string(n)).c_str(), csms_.url().c_str(), address, 0,
                                   nullptr, &error),
             "connect", error.message);
      cwire_config_free(address);
    }
    take_events_until([this] { return connected_ == options_.stations; }, seconds(300));
    if (connected_ != options_.stations)
      give_up("only " + std::to_string(connected_) + " stations were connected after 300 s");
    connect_seconds_ = std::chrono::duration<double>(Clock::now() - begin).count();
  }

  // What nobody told is found here: a connection that was replaced, or one that has never proved to be alive.
  void look_at_each_station() const {
    std::vector<cwire_stats> all(options_.stations);
    all[0].size = sizeof all[0];
    std::size_t count = 0;
    must(cwire_manager_all_stats(manager_, all.data(), all.size(), &count), "the statistics");
    if (count != options_.stations) give_up("there are statistics of " + std::to_string(count) + " stations");
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    // A ping goes out within 1.1 intervals, and its pong comes within csms.pong_timeout, or the connection would not be
    // there.
    const auto longest = seconds(2 * options_.ping_interval) + seconds(10);
    for (const cwire_stats& station : all) {
      const std::string id = station.station_id;
      if (station.state != CWIRE_STATE_CONNECTED) give_up(id + " is " + cwire_state_name(station.state));
      if (station.connections != 1) give_up(id + " had " + std::to_string(station.connections) + " connections");
      if (station.flaps != 0) give_up(id + " counts connections that were lost");
      if (station.round_trip_ns == 0) give_up(id + " has had no ping answered");
      if (now - std::chrono::nanoseconds(station.last_alive_at_ns) > longest)
        give_up(id + " has shown no sign of life for long");
    }
  }

  void close() {
    must(cwire_manager_shutdown(manager_, 60000), "shutdown");
    take_events_until([this] { return shut_down_; }, seconds(120));
    if (closed_ != options_.stations)
      give_up(std::to_string(closed_) + " CLOSED for " + std::to_string(options_.stations) + " stations");
    must(cwire_manager_free(manager_), "free");
  }

  void report(double cpu, double resident, std::uint64_t pings) const {
    const double station_seconds = static_cast<double>(options_.stations) * options_.seconds;
    std::printf(
        "idle soak: %u stations for %u s, a ping each every %u s: %.0f station seconds, %llu false disconnects, %llu "
        "pings; "
        "connected in %.1f s; "
        "%.2f ms of CPU per idle station and hour (%.2f %% of a core for all), %.1f KB resident per station\n",
        options_.stations, options_.seconds, options_.ping_interval, station_seconds,
        static_cast<unsigned long long>(false_disconnects_), static_cast<unsigned long long>(pings), connect_seconds_,
        cpu / station_seconds * 3600 * 1e3, 100 * cpu / options_.seconds, resident / options_.stations / 1e3);
    std::fflush(stdout);  // whatever is found wrong with it
  }

  template <class Done>
  void take_events_until(Done done, Clock::duration at_most) {
    const auto deadline = Clock::now() + at_most;
    for (auto now = Clock::now(); !done() && now < deadline; now = Clock::now()) {
      const cwire_event* events = nullptr;
      std::size_t count = 0;
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
      const cwire_status status = cwire_manager_poll(manager_, static_cast<std::int32_t>(left), 1024, &events, &count);
      if (status != CWIRE_E_TIMEOUT) must(status, "poll");
      for (std::size_t i = 0; i < count; ++i) take(events[i]);
    }
  }

  void take(const cwire_event& event) {
    if (event.type == CWIRE_EVENT_CONNECTED) ++connected_;
    if (event.type == CWIRE_EVENT_CLOSED) ++closed_;
    if (event.type == CWIRE_EVENT_SHUTDOWN) shut_down_ = true;
    if (idle_ && event.type == CWIRE_EVENT_DISCONNECTED) {
      if (++false_disconnects_ <= 10) std::fprintf(stderr, "idle soak: %s\n", event.data);
    }
  }

  const Options options_;
  const CsmsProcess csms_;  // before the threads of the manager: it is a fork of this process
  cwire_manager manager_ = nullptr;
  bool idle_ = false;
  bool shut_down_ = false;
  std::uint64_t connected_ = 0, closed_ = 0, false_disconnects_ = 0;
  double connect_seconds_ = 0;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    const unsigned value = i + 1 < argc ? static_cast<unsigned>(std::strtoul(argv[i + 1], nullptr, 10)) : 0;
    if (value > 0 && name == "--stations") {
      options.stations = value;
    } else if (value > 0 && name == "--seconds") {
      options.seconds = value;
    } else if (value > 0 && name == "--ping-interval") {
      options.ping_interval = value;
    } else {
      give_up("usage: chargewire_idle_soak [--stations N] [--seconds N] [--ping-interval SECONDS]");
    }
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  csms::raise_descriptor_limit();
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < options.stations + 100) {
    std::printf("skipped: %u stations take as many descriptors, and `ulimit -Hn` is %llu\n", options.stations,
                static_cast<unsigned long long>(limit.rlim_cur));
    return 77;
  }
  IdleSoak(options).run();
}
