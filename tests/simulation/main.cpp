// Runs of the simulation, each named by its seed.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "scenario.h"
#include "simulation.h"
#include "trace.h"

namespace {

using simulation::Broken;
using simulation::Result;
using simulation::Scenario;
using simulation::Simulation;

constexpr char kUsage[] = R"(usage: chargewire_simulation [options]
  --seed N           one run, and what it came to
  --seeds A..B       all runs from A to B, on all cores; ends with 1 if something is broken
  --scenario NAME    storm, flapping, outage or week, instead of what the seed draws
  --stations K       so many stations, instead of what the scenario or the seed says
  --trace            with --seed: every step
  --jobs N           with --seeds: that many processes; default: the number of cores
)";

struct Options {
  std::uint64_t first = 1;
  std::uint64_t last = 1;
  bool range = false;
  bool trace = false;
  std::string scenario;
  std::uint32_t stations = 0;
  unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
};

[[noreturn]] void refuse(const std::string& what) {
  std::fprintf(stderr, "chargewire_simulation: %s\n%s", what.c_str(), kUsage);
  std::exit(2);
}

std::uint64_t number(const std::string& text) {
  char* end = nullptr;
  errno = 0;
  const unsigned long long value = std::strtoull(text.c_str(), &end, 10);
  if (errno != 0 || end == text.c_str() || *end != '\0' || text[0] == '-') refuse("\"" + text + "\" is no number");
  return value;
}

Options parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string name = arguments[i];
    const auto value = [&]() -> std::string {
      if (i + 1 == count) refuse(name + " needs a value");
      return arguments[++i];
    };
    if (name == "--seed") {
      options.first = options.last = number(value());
      options.range = false;
    } else if (name == "--seeds") {
      const std::string range = value();
      const std::size_t dots = range.find("..");
      if (dots == std::string::npos) refuse("--seeds takes a range such as 1..1000");
      options.first = number(range.substr(0, dots));
      options.last = number(range.substr(dots + 2));
      options.range = true;
    } else if (name == "--scenario") {
      options.scenario = value();
    } else if (name == "--stations") {
      options.stations = static_cast<std::uint32_t>(number(value()));
    } else if (name == "--jobs") {
      options.jobs = static_cast<unsigned>(std::max<std::uint64_t>(1, number(value())));
    } else if (name == "--trace") {
      options.trace = true;
    } else if (name == "--help" || name == "-h") {
      std::fputs(kUsage, stdout);
      std::exit(0);
    } else {
      refuse("unknown option " + name);
    }
  }
  if (options.range && options.trace) refuse("--trace needs --seed");
  if (options.last < options.first) refuse("the range of --seeds is empty");
  return options;
}

Result run(const Options& options, std::uint64_t seed) {
  const Scenario scenario = options.scenario.empty()
                                ? simulation::scenario_of(seed, options.stations)
                                : simulation::named_scenario(options.scenario, seed, options.stations);
  return Simulation(scenario, seed, options.trace).run();
}

std::string again(const Options& options, std::uint64_t seed) {
  std::string command = "chargewire_simulation --seed " + std::to_string(seed);
  if (!options.scenario.empty()) command += " --scenario " + options.scenario;
  if (options.stations != 0) command += " --stations " + std::to_string(options.stations);
  return command + " --trace";
}

int run_one(const Options& options) {
  try {
    const Result result = run(options, options.first);
    std::printf("seed %" PRIu64 ": %" PRIu64 " steps, %.0f s, %" PRIu64 " connections, %" PRIu64 " messages, %" PRIu64
                " kept meanwhile, at most %" PRIu32 " attempts a second, all back after %.1f s, trace %016" PRIx64 "\n",
                options.first, result.steps, std::chrono::duration<double>(result.simulated).count(),
                result.connections, result.messages, result.offline.kept, result.attempts_per_second_max,
                std::chrono::duration<double>(result.back_after).count(), result.hash);
    return 0;
  } catch (const Broken& broken) {
    std::printf("%s\n", broken.what());
    return 1;
  }
}

// What the processes of a range share. Processes, so that also one that crashes tells which seed it was.
struct Board {
  std::atomic<std::uint64_t> next;
  std::atomic<std::uint64_t> broken;
  std::atomic<std::uint64_t> steps;
  std::atomic<std::uint64_t> simulated_s;
};
constexpr std::uint64_t kBrokenMax = 20;  // that many are enough to read
// A run takes milliseconds, and a hundred times as long under a sanitizer. One that takes longer never ends.
constexpr unsigned kRunMax_s = 60;

void work(const Options& options, Board& board, std::atomic<std::uint64_t>& current) {
  for (;;) {
    const std::uint64_t seed = board.next.fetch_add(1);
    if (seed > options.last || board.broken.load() >= kBrokenMax) return;
    current.store(seed);
    alarm(kRunMax_s);  // ends the process
    try {
      const Result result = run(options, seed);
      board.steps.fetch_add(result.steps);
      board.simulated_s.fetch_add(static_cast<std::uint64_t>(result.simulated / std::chrono::seconds(1)));
    } catch (const Broken& broken) {
      board.broken.fetch_add(1);
      std::printf("%s\n  %s\n", broken.what(), again(options, seed).c_str());
      std::fflush(stdout);
    }
  }
}

int run_range(const Options& options) {
  const std::size_t size = sizeof(Board) + options.jobs * sizeof(std::atomic<std::uint64_t>);
  void* const shared = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) refuse(std::string("mmap: ") + std::strerror(errno));
  Board& board = *new (shared) Board{};
  auto* const current = reinterpret_cast<std::atomic<std::uint64_t>*>(&board + 1);
  board.next.store(options.first);
  const auto began = std::chrono::steady_clock::now();
  std::fflush(stdout);

  std::vector<pid_t> workers(options.jobs);
  const auto begin = [&](unsigned i) {
    new (current + i) std::atomic<std::uint64_t>(0);
    workers[i] = fork();
    if (workers[i] == 0) {
      work(options, board, current[i]);
      std::_Exit(0);
    }
    if (workers[i] < 0) refuse(std::string("fork: ") + std::strerror(errno));
  };
  for (unsigned i = 0; i < options.jobs; ++i) begin(i);
  for (unsigned i = 0; i < options.jobs;) {
    int status = 0;
    waitpid(workers[i], &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
      ++i;
      continue;
    }
    board.broken.fetch_add(1);
    std::printf("seed %" PRIu64 ": the process ended with %s %d\n  %s\n", current[i].load(),
                WIFSIGNALED(status) ? "signal" : "status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                again(options, current[i].load()).c_str());
    std::fflush(stdout);
    begin(i);
  }
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  const std::uint64_t seeds = options.last - options.first + 1;
  std::printf("%" PRIu64 " seeds, %" PRIu64 " broken, %" PRIu64
              " steps, %.1f hours simulated, in %.1f s: %.2f ms each\n",
              seeds, board.broken.load(), board.steps.load(), static_cast<double>(board.simulated_s.load()) / 3600,
              took, took * 1000 / static_cast<double>(seeds) * options.jobs);
  return board.broken.load() == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  const Options options = parse(count, arguments);
  try {
    return options.range ? run_range(options) : run_one(options);
  } catch (const std::invalid_argument& wrong) {
    refuse(wrong.what());
  }
}
