// What metrics.enabled costs a round trip: CPU time of this whole process, user and system, with it against without.
//
//   metrics_cost [--rounds N]     default 1000; how many pairs of rounds in all
//
// Two fleets live in this process, one that counts and one that does not; the CSMS is an echo_server of its own
// process. They take turns in short rounds, and each pair of rounds is one ratio, so that what else the machine does
// hits both. Where memory and threads happen to lie stays as it is while a fleet lives, so fleets are made anew, and
// what is told is the median over the pairs of fleets of the median of their ratios, where that median lies in 95 of
// 100 runs, and where the middle half of the fleets does. By the public header alone.
#include <chargewire/chargewire.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "answer_threads.h"

namespace {

constexpr std::uint32_t kTripsOfRound = 1000;
constexpr int kFleets = 50;  // of each kind, one after the other

struct Workload {
  const char* name;
  std::uint32_t stations;
  bool poll;
};
// Each message is a batch, a call of the handler and often a turn of the loop by itself: where metrics cost the most.
constexpr Workload kWorkloads[] = {
    {"100 stations with 1 in flight", 100, false},
    {"1 station with 1 in flight", 1, false},
    {"100 stations with 1 in flight, polled", 100, true},
};

void check(cwire_status status, const char* what) {
  if (status == CWIRE_OK) return;
  std::fprintf(stderr, "metrics_cost: %s: %s\n", what, cwire_status_name(status));
  std::_Exit(1);
}

// Of all threads; its user and system parts are estimates, their sum is not.
double cpu_us() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) * 1e6 + static_cast<double>(used.tv_nsec) / 1e3;
}

class EchoServer {
 public:
  EchoServer() {
    char self[4096] = {};
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) std::abort();
    *std::strrchr(self, '/') = '\0';
    const std::string path = std::string(self) + "/echo_server";
    int output[2];
    if (pipe(output) != 0) std::abort();
    process_ = fork();
    if (process_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // however this one ends
      dup2(output[1], STDOUT_FILENO);
      close(output[0]);
      close(output[1]);
      execl(path.c_str(), path.c_str(), static_cast<char*>(nullptr));
      _exit(127);
    }
    close(output[1]);
    std::FILE* said = fdopen(output[0], "r");
    unsigned port = 0;
    if (said == nullptr || std::fscanf(said, "port %u", &port) != 1) {
      std::fprintf(stderr, "metrics_cost: %s does not listen\n", path.c_str());
      std::_Exit(1);
    }
    std::fclose(said);
    url_ = "ws://127.0.0.1:" + std::to_string(port) + "/ocpp";
  }
  ~EchoServer() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;
  const std::string& url() const { return url_; }

 private:
  pid_t process_ = -1;
  std::string url_;
};

class Fleet {
 public:
  Fleet(const Workload& workload, bool counts, const std::string& url)
      : poll_(workload.poll), stations_(workload.stations), to_send_(workload.stations, 0) {
    cwire_config config = nullptr;
    check(cwire_config_new(&config), "cwire_config_new");
    check(cwire_config_set(config, "io_threads", "1", nullptr), "io_threads");
    check(cwire_config_set(config, "metrics.enabled", counts ? "true" : "false", nullptr), "metrics.enabled");
    const auto context = reinterpret_cast<std::uintptr_t>(this);
    check(cwire_manager_new(config, poll_ ? nullptr : &on_events, context, &manager_, nullptr), "cwire_manager_new");
    check(cwire_config_free(config), "cwire_config_free");
    for (std::size_t i = 0; i < stations_.size(); ++i) {
      const std::string id = "CP" + std::to_string(i);
      check(cwire_manager_connect(manager_, id.c_str(), url.c_str(), nullptr, i, &stations_[i], nullptr),
            "cwire_manager_connect");
    }
    await(connected_, stations_.size());
  }
  ~Fleet() { check(cwire_manager_free(manager_), "cwire_manager_free"); }
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  // CPU time per round trip.
  double round_us() {
    const auto each = kTripsOfRound / static_cast<std::uint32_t>(stations_.size());
    std::fill(to_send_.begin(), to_send_.end(), each - 1);
    trips_ += kTripsOfRound;
    const double begin = cpu_us();
    for (const cwire_station station : stations_) send(station);
    await(answered_, trips_);
    return (cpu_us() - begin) / kTripsOfRound;
  }

 private:
  static void on_events(std::uintptr_t context, const cwire_event* events, std::size_t count) {
    reinterpret_cast<Fleet*>(context)->take(events, count);
  }
  void take(const cwire_event* events, std::size_t count) {
    std::uint64_t connected = 0, answered = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (events[i].type == CWIRE_EVENT_CONNECTED) ++connected;
      if (events[i].type == CWIRE_EVENT_DISCONNECTED) check(events[i].status, "a station");
      if (events[i].type != CWIRE_EVENT_MESSAGE) continue;
      ++answered;
      std::uint32_t& left = to_send_[events[i].user_data];
      if (left == 0) continue;
      --left;
      send(events[i].station);
    }
    if (connected != 0) connected_.add(connected);
    if (answered != 0) answered_.add(answered);
  }
  void send(cwire_station station) {
    check(cwire_station_send(station, message_.data(), message_.size(), 0, 0), "cwire_station_send");
  }
  void await(bench::Progress& progress, std::uint64_t target) {
    if (!poll_) return progress.wait(target);
    while (progress.count() < target) {
      const cwire_event* events = nullptr;
      std::size_t count = 0;
      check(cwire_manager_poll(manager_, -1, 256, &events, &count), "cwire_manager_poll");
      take(events, count);
    }
  }

  const bool poll_;
  const std::string message_ = std::string(200, 'x');
  cwire_manager manager_ = nullptr;
  std::vector<cwire_station> stations_;
  std::vector<std::uint32_t> to_send_;  // once a round has begun, of who takes the events
  std::uint64_t trips_ = 0;
  bench::Progress connected_, answered_;
};

double at(const std::vector<double>& sorted, double index) {
  const double last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(std::lround(std::min(std::max(index, 0.0), last)))];
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return at(values, static_cast<double>(values.size() - 1) / 2);
}

void measure(const Workload& workload, const std::string& url, int rounds) {
  std::vector<double> off, on, of_fleets;
  for (int pair = 0; pair < kFleets; ++pair) {
    const bool first = pair % 2 == 0;  // of the two to be made
    Fleet one(workload, first, url), other(workload, !first, url);
    Fleet& counting = first ? one : other;
    Fleet& plain = first ? other : one;
    // The first round of each is not told: caches and heaps are cold.
    counting.round_us();
    plain.round_us();
    std::vector<double> ratios;
    for (int round = 0; round < std::max(1, rounds / kFleets); ++round) {
      // Each goes first in every second pair.
      const double early = round % 2 == 0 ? plain.round_us() : 0;
      on.push_back(counting.round_us());
      off.push_back(round % 2 == 0 ? early : plain.round_us());
      ratios.push_back(on.back() / off.back());
    }
    of_fleets.push_back(median(ratios));
  }
  std::sort(of_fleets.begin(), of_fleets.end());
  const double n = static_cast<double>(of_fleets.size()), middle = (n - 1) / 2;
  const auto percent = [&](double index) { return 100 * (at(of_fleets, index) - 1); };
  std::printf("| %s | %.2f us | %.2f us | %+.1f %% | %+.1f to %+.1f %% | %+.1f to %+.1f %% |\n", workload.name,
              median(off), median(on), percent(middle), percent(middle - 0.98 * std::sqrt(n)),
              percent(middle + 0.98 * std::sqrt(n)), percent(n / 4), percent(3 * n / 4));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  int rounds = 1000;
  if (argc == 3 && std::strcmp(argv[1], "--rounds") == 0) rounds = std::atoi(argv[2]);
  if (rounds < 1 || (argc != 1 && argc != 3)) {
    std::fprintf(stderr, "usage: metrics_cost [--rounds N]\n");
    return 2;
  }
  const EchoServer server;
  std::printf(
      "| round trips of 200 bytes | CPU without | with metrics.enabled | median of %d fleets | that median, 95 %% | "
      "middle "
      "half of the fleets |\n|---|---|---|---|---|---|\n",
      kFleets);
  for (const Workload& workload : kWorkloads) measure(workload, server.url(), rounds);
  return 0;
}
