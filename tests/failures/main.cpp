// Nth-failure tests: lives the life of scenario.cpp once per call that the library makes, each time in a process of its
// own with exactly that call failing. See CONTRIBUTING.md.
#include <poll.h>
#include <sanitizer/lsan_interface.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "calls.h"
#include "csms_process.h"
#include "scenario.h"
#include "test_pki.h"
#include "warm_up.h"

using namespace failures;

namespace {

bool leaks_were_looked_for = false;

}  // namespace

// LeakSanitizer asks before it looks. At exit() it would find what is being taken down.
extern "C" int __lsan_is_turned_off() { return leaks_were_looked_for ? 1 : 0; }

namespace {

using Clock = std::chrono::steady_clock;

// Longer than the scenario waits for anything; only a hang takes so long.
constexpr std::chrono::seconds kDeadline{150};
// Of the points this many are to be met: the number of calls is not the same in each run, but nearly.
constexpr double kReachedLeast = 0.9;
constexpr std::size_t kLivesCounted = 8;

constexpr char kUsage[] =
    "usage: chargewire_failures [options]\n"
    "  --group NAME      only calls of this group (new, malloc, sockets, readiness, tls, threads, files); default: "
    "all\n"
    "  --every N         every N-th call only; default: 1\n"
    "  --parallel N      that many processes at a time; most of a life is spent waiting; default: 32\n"
    "  --point TEXT      one point as it is printed, \"recv 3 ECONNRESET handler\"; again and again with --times N\n"
    "  --list            say which calls are made, and how often\n";

struct Options {
  std::string group;
  std::uint32_t every = 1;
  std::size_t parallel = 32;
  std::string point;
  std::uint32_t times = 1;
  bool list = false;
};

// A life with one failure.
struct Trial {
  Point point;  // without a call: nothing fails
  Delivery delivery = Delivery::poll;

  std::string text() const {
    return (point.call == nullptr ? "nothing" : point.text()) + (delivery == Delivery::poll ? " poll" : " handler");
  }
};

struct Running {
  Trial trial;
  pid_t pid = -1;
  int output = -1;
  std::string text;
  Clock::time_point deadline;
};

struct Outcome {
  bool passed = false;
  bool reached = false;
  std::string text;
};

// ---- in the child ----

// What the runner reads of the calls that a life made.
void print_counts() {
  for (const Call* call : Call::all()) std::printf("count %s %u\n", call->name(), call->count());
}

[[noreturn]] void live(const Trial& trial, const CsmsProcess& csms, const std::string& directory, int output) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::close(output);
  arm(trial.point);
  const bool lame_contexts = trial.point.call != nullptr && trial.point.call->group() == std::string("malloc");
  const std::string complaints = run_scenario(csms, directory, trial.delivery, lame_contexts);
  disarm();
  if (trial.point.call == nullptr) print_counts();
  if (reached()) std::puts("reached");
  std::fputs(complaints.c_str(), stdout);
  std::fflush(nullptr);
  const bool leaks = __lsan_do_recoverable_leak_check() != 0;
  leaks_were_looked_for = true;
  std::exit(complaints.empty() && !leaks ? 0 : 1);  // not _exit: a coverage build writes down what it has counted
}

// ---- in the runner ----

class Runner {
 public:
  explicit Runner(const Options& options) : options_(options) {
    const pki::Identity ca = pki::make_self_signed({"Test CA", {}, true});
    const pki::Identity server = pki::make_signed({"server", {"DNS:localhost", "IP:127.0.0.1"}}, ca);
    const pki::Identity station = pki::make_signed({"TLS"}, ca);
    directory_.write("ca.pem", ca.certificate_pem());
    directory_.write("server.pem", server.certificate_pem());
    directory_.write("server.key", server.key_pem());
    directory_.write("station.pem", station.certificate_pem());
    directory_.write("station.key", station.key_pem());
    path_ = directory_.path("");
    path_.pop_back();
    warm_up(path_);
  }

  // How often each function is called in a life without a failure: in how many writes a trace goes to its file is
  // chance, so the least of some lives.
  std::map<std::string, std::uint32_t> counts(Delivery delivery) {
    std::map<std::string, std::uint32_t> counts;
    run(std::deque<Trial>(kLivesCounted, Trial{{}, delivery}), [&](const Trial&, const Outcome& outcome) {
      if (!outcome.passed) throw std::runtime_error("a life without a failure failed:\n" + outcome.text);
      std::istringstream lines(outcome.text);
      std::string word, name;
      std::uint32_t count;
      while (lines >> word) {
        if (word != "count" || !(lines >> name >> count)) continue;
        const auto known = counts.emplace(name, count).first;
        known->second = std::min(known->second, count);
      }
    });
    return counts;
  }

  template <class Report>
  void run(std::deque<Trial> trials, Report report) {
    while (!trials.empty() || !running_.empty()) {
      while (!trials.empty() && running_.size() < options_.parallel) {
        start(trials.front());
        trials.pop_front();
      }
      read_some();
      for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
        const auto ended = running_.find(slot);
        if (ended == running_.end() || ended->second.output >= 0) continue;
        const Running done = std::move(ended->second);
        running_.erase(ended);
        report(done.trial, outcome_of(done));
      }
    }
  }

 private:
  void start(const Trial& trial) {
    std::size_t slot = 0;
    while (running_.count(slot) != 0) ++slot;
    if (slot == slots_.size()) slots_.push_back(std::make_unique<CsmsProcess>(path_));
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    std::fflush(nullptr);
    Running running;
    running.trial = trial;
    running.deadline = Clock::now() + kDeadline;
    running.pid = ::fork();
    if (running.pid < 0) throw std::runtime_error("fork");
    if (running.pid == 0) {
      ::close(ends[0]);
      live(trial, *slots_[slot], path_, ends[1]);
    }
    ::close(ends[1]);
    running.output = ends[0];
    running_[slot] = std::move(running);
  }

  // Waits until something is said, a process has ended, or its time is up.
  void read_some() {
    std::vector<pollfd> outputs;
    std::vector<Running*> speakers;
    auto first = Clock::time_point::max();
    for (auto& [slot, running] : running_) {
      outputs.push_back({running.output, POLLIN, 0});
      speakers.push_back(&running);
      first = std::min(first, running.deadline);
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(first - Clock::now()).count();
    ::poll(outputs.data(), outputs.size(), static_cast<int>(std::max<long>(0, left)));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      Running& running = *speakers[i];
      if (outputs[i].revents != 0) {
        char buffer[65536];
        const ssize_t size = ::read(running.output, buffer, sizeof buffer);
        if (size > 0) {
          running.text.append(buffer, static_cast<std::size_t>(size));
          continue;
        }
      } else if (Clock::now() < running.deadline) {
        continue;
      } else {
        running.text += "it hung\n";
        ::kill(running.pid, SIGKILL);
      }
      ::close(std::exchange(running.output, -1));
    }
  }

  static Outcome outcome_of(const Running& running) {
    Outcome outcome;
    outcome.text = running.text;
    int status = 0;
    ::waitpid(running.pid, &status, 0);
    if (WIFSIGNALED(status)) outcome.text += std::string("it ended by signal: ") + ::strsignal(WTERMSIG(status)) + "\n";
    outcome.passed = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    outcome.reached = running.text.find("the call that fails:") != std::string::npos;
    return outcome;
  }

  const Options options_;
  pki::TemporaryDirectory directory_;
  std::string path_;
  std::vector<std::unique_ptr<CsmsProcess>> slots_;  // a CSMS each, which its life may end
  std::map<std::size_t, Running> running_;           // by slot
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--list") {
      options.list = true;
      continue;
    }
    if (i + 1 == argc) throw std::invalid_argument(argument);
    const std::string value = argv[++i];
    if (argument == "--group") {
      options.group = value;
    } else if (argument == "--every") {
      options.every = static_cast<std::uint32_t>(std::stoul(value));
    } else if (argument == "--parallel") {
      options.parallel = std::stoul(value);
    } else if (argument == "--times") {
      options.times = static_cast<std::uint32_t>(std::stoul(value));
    } else if (argument == "--point") {
      options.point = value;
    } else {
      throw std::invalid_argument(argument);
    }
  }
  if (options.every == 0 || options.parallel == 0) throw std::invalid_argument("0");
  return options;
}

Trial trial_of(const std::string& text) {
  std::istringstream words(text);
  std::string name, error, delivery;
  Trial trial;
  words >> name >> trial.point.number >> error >> delivery;
  trial.point.call = Call::find(name);
  if (trial.point.call == nullptr) throw std::invalid_argument(text);
  for (const ErrorName& known : trial.point.call->errors()) {
    if (error == known.name) trial.point.error = known;
  }
  if (trial.point.error.number == 0) throw std::invalid_argument(text);
  trial.delivery = delivery == "handler" ? Delivery::handler : Delivery::poll;
  return trial;
}

std::deque<Trial> all_trials(Runner& runner, const Options& options) {
  std::deque<Trial> trials;
  for (const Delivery delivery : {Delivery::poll, Delivery::handler}) {
    const auto counts = runner.counts(delivery);
    std::uint32_t call_number = 0;
    for (Call* call : Call::all()) {
      if (!options.group.empty() && options.group != call->group()) continue;
      const std::uint32_t count = counts.at(call->name());
      if (options.list) std::printf("%s %s %u\n", call->group(), call->name(), count);
      for (std::uint32_t number = 1; number <= count; ++number) {
        // Of the two deliveries not the same ones.
        if ((call_number++ + (delivery == Delivery::handler ? options.every / 2 : 0)) % options.every != 0) continue;
        for (const ErrorName& error : call->errors()) trials.push_back(Trial{{call, number, error}, delivery});
      }
    }
  }
  return trials;
}

int run(const Options& options) {
  Runner runner(options);
  std::deque<Trial> trials;
  if (!options.point.empty()) {
    trials.resize(options.times, trial_of(options.point));
  } else {
    trials = all_trials(runner, options);
  }
  if (options.list) return 0;
  if (trials.empty()) throw std::runtime_error("there is no such call");
  const auto begin = Clock::now();
  const std::size_t all = trials.size();
  std::size_t reached = 0, failed = 0;
  runner.run(std::move(trials), [&](const Trial& trial, const Outcome& outcome) {
    if (outcome.reached) ++reached;
    if (outcome.passed && options.point.empty()) return;
    if (!outcome.passed) ++failed;
    std::printf("%s: --point \"%s\"\n%s\n", outcome.passed ? "passed" : "FAILED", trial.text().c_str(),
                outcome.text.c_str());
    std::fflush(stdout);
  });
  std::printf("%zu points, %zu reached, %zu failed, in %.0f s\n", all, reached, failed,
              std::chrono::duration<double>(Clock::now() - begin).count());
  return failed == 0 && static_cast<double>(reached) >= kReachedLeast * static_cast<double>(all) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse(argc, argv));
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "not understood: %s\n%s", error.what(), kUsage);
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
