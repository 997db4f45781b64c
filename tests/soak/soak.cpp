// A fleet under continuous random faults, for as long as is asked: does it grow, does it lose count of a message, does
// it tell a secret?
#include <chargewire/chargewire.h>
#include <csms.h>
#include <dirent.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "chaos_csms.h"
#include "secrets.h"
#include "test_pki.h"

using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  int seconds = 20;
  unsigned stations = 1000;
  std::uint32_t seed = std::random_device{}();
};

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "soak: %s\n", why.c_str());
  std::_Exit(1);
}

void must(cwire_status status, const char* what, const char* why = "") {
  if (status != CWIRE_OK) give_up(std::string(what) + ": " + cwire_status_name(status) + " " + why);
}

// Every message that was accepted, by its tag, and what has become of it.
class Ledger {
 public:
  static constexpr std::size_t kMost = 64U << 20;

  std::uint64_t next() {
    const std::uint64_t tag = next_.fetch_add(1);
    if (tag >= kMost) give_up("more messages than the ledger has room for");
    return tag;
  }
  void reported(std::uint64_t tag) {
    if (tag >= kMost || entries_[tag].fetch_or(kReported) & kReported)
      give_up("message " + std::to_string(tag) + " was reported twice");
  }
  // The report may have come already, from another thread.
  void accepted(std::uint64_t tag) { entries_[tag].fetch_or(kAccepted); }
  std::uint64_t count_accepted() const { return count(kAccepted, kAccepted); }
  std::uint64_t count_unreported() const { return count(kAccepted | kReported, kAccepted); }
  std::uint64_t count_unasked() const { return count(kAccepted | kReported, kReported); }

 private:
  static constexpr unsigned char kAccepted = 1, kReported = 2;
  std::uint64_t count(unsigned char mask, unsigned char wanted) const {
    std::uint64_t n = 0;
    for (std::uint64_t tag = 0; tag < next_; ++tag) n += (entries_[tag] & mask) == wanted ? 1 : 0;
    return n;
  }
  std::atomic<std::uint64_t> next_{1};  // 0 is that of a broadcast
  // Pages that are not used are not there.
  std::unique_ptr<std::atomic<unsigned char>[]> entries_ { new std::atomic<unsigned char>[ kMost ]() };
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// Of sanitizer/allocator_interface.h, a header that GCC does not install.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#endif

// What is resident. A sanitizer keeps freed memory, and shadows of what was ever touched: there, what is allocated.
std::size_t memory_kib() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return __sanitizer_get_current_allocated_bytes() / 1024;
#else
  std::size_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 1024;
#endif
}

std::size_t descriptors() {
  std::size_t count = 0;
  DIR* directory = ::opendir("/proc/self/fd");
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

class Soak {
 public:
  explicit Soak(const Options& options) : options_(options), chaos_(options.seed), csms_(secure()) {
    cwire_config config = nullptr;
    must(cwire_config_new(&config), "a configuration");
    const std::pair<const char*, std::string> settings[] = {
        {"io_threads", "2"},
        {"log_level", "debug"},
        {"csms.reconnect_backoff", "50ms"},
        {"csms.reconnect_max_backoff", "1s"},
        {"csms.refused_backoff", "100ms"},
        {"csms.refused_max_backoff", "1s"},
        {"csms.connection_timeout", "3s"},
        {"csms.ping_interval", "2s"},
        {"csms.pong_timeout", "2s"},
        {"csms.write_timeout", "2s"},
        {"csms.close_timeout", "1s"},
        {"csms.auth.type", "basic"},
        {"csms.auth.password", kPassword},
        {"csms.tls.ca_cert", files_.write("ca.pem", ca_.certificate_pem())},
        {"governor.breaker_open", "500ms"},
        {"governor.breaker_open_max", "2s"},
    };
    for (const auto& [key, value] : settings) {
      cwire_error error = CWIRE_ERROR_INIT;
      must(cwire_config_set(config, key, value.c_str(), &error), key, error.message);
      fixture::secrets::keep_option(key, value);
    }
    cwire_error error = CWIRE_ERROR_INIT;
    must(cwire_manager_new(config, nullptr, 0, &manager_, &error), "a manager", error.message);
    cwire_config_free(config);
    must(cwire_config_new(&plain_), "a configuration");
    must(cwire_config_set(plain_, "csms.security_profile", "1", &error), "csms.security_profile", error.message);
  }

  void run() {
    for (unsigned n = 0; n < options_.stations; ++n) connect(n);
    std::thread poller([this] { poll(); });
    std::vector<std::thread> callers;
    callers.emplace_back([this] { send(1); });
    callers.emplace_back([this] { send(2); });
    callers.emplace_back([this] { operate(); });
    callers.emplace_back([this] { trouble_the_secure(); });
    watch();
    stopping_ = true;
    for (std::thread& caller : callers) caller.join();
    come_back();
    must(cwire_manager_shutdown(manager_, 5000), "shutdown");
    poller.join();
    must(cwire_manager_free(manager_), "free");
    cwire_config_free(plain_);
    judge();
  }

 private:
  static constexpr const char* kPassword = "soak-secret-9f2c41d7";

  csms::Options secure() const {
    csms::Options options;
    options.certificate_file = files_.write("server.pem", server_.certificate_pem());
    options.key_file = files_.write("server.key", server_.key_pem());
    options.echo = true;
    return options;
  }
  std::string id(unsigned number) const { return "CP" + std::to_string(number); }

  // A tenth of them by TLS.
  // Basic over ws is for security profile 1 only.
  void connect(unsigned number) {
    cwire_error error = CWIRE_ERROR_INIT;
    const std::string url = number % 10 == 0 ? csms_.url() : chaos_.url();
    const cwire_status status = cwire_manager_connect(manager_, id(number).c_str(), url.c_str(),
                                                      number % 10 == 0 ? nullptr : plain_, number, nullptr, &error);
    if (status == CWIRE_E_ALREADY_CONNECTED) return;
    must(status, "connect", error.message);
    ++connects_;
  }

  void poll() {
    for (;;) {
      const cwire_event* events = nullptr;
      std::size_t count = 0;
      const cwire_status status = cwire_manager_poll(manager_, 1000, 1024, &events, &count);
      if (status != CWIRE_OK && status != CWIRE_E_TIMEOUT) give_up(std::string("poll: ") + cwire_status_name(status));
      for (std::size_t i = 0; i < count; ++i) {
        if (!take(events[i])) return;
      }
    }
  }

  bool take(const cwire_event& event) {
    if (event.type != CWIRE_EVENT_MESSAGE)
      fixture::secrets::search(std::string(event.data, event.data_size), "an event");
    switch (event.type) {
      case CWIRE_EVENT_SENT:
        ledger_.reported(event.tag);
        if (event.status != CWIRE_OK) ++not_sent_;
        break;
      case CWIRE_EVENT_CONNECTED:
        ++connected_;
        break;
      case CWIRE_EVENT_CLOSED:
        ++closed_;
        break;
      case CWIRE_EVENT_SHUTDOWN:
        return false;
      default:
        break;
    }
    return true;
  }

  void send(std::uint32_t salt) {
    std::minstd_rand random(options_.seed + salt);
    const std::string text(100000, 'm');
    while (!stopping_) {
      for (int burst = 0; burst < 50; ++burst) {
        const std::size_t size = random() % 100 == 0 ? text.size() : random() % 2000;
        const std::uint64_t tag = ledger_.next();
        const cwire_status status = cwire_manager_send(manager_, id(random() % options_.stations).c_str(), text.data(),
                                                       size, CWIRE_FLAG_REPORT, tag);
        if (status == CWIRE_OK) {
          ledger_.accepted(tag);
        } else if (status != CWIRE_E_NOT_ESTABLISHED && status != CWIRE_E_QUEUE_FULL && status != CWIRE_E_NOT_FOUND) {
          give_up(std::string("send: ") + cwire_status_name(status));
        }
      }
      pause(20ms);
    }
  }

  // What an operator and a program may do at any time.
  void operate() {
    std::minstd_rand random(options_.seed);
    while (!stopping_) {
      const unsigned number = random() % options_.stations;
      switch (random() % 8) {
        case 0:
        case 1:
          cwire_manager_disconnect(manager_, id(number).c_str());
          break;
        case 2:
        case 3:
        case 4:
          connect(number);
          break;
        case 5: {
          cwire_stats stats{};
          stats.size = sizeof stats;
          if (cwire_manager_stats(manager_, id(number).c_str(), &stats) == CWIRE_OK) {
            fixture::secrets::search(stats.last_error_message, "the statistics");
          }
          break;
        }
        case 6:
          cwire_manager_network_up(manager_);
          break;
        case 7:
          if (random() % 20 == 0) {
            cwire_manager_isolate(manager_, chaos_.url().c_str(), nullptr);
            cwire_manager_reset(manager_, chaos_.url().c_str(), nullptr);
          }
          break;
      }
      pause(50ms);
    }
    for (unsigned n = 0; n < options_.stations; ++n) connect_until_it_is_there(n);
  }

  // It may be closing.
  void connect_until_it_is_there(unsigned number) {
    for (const auto end = Clock::now() + 60s; Clock::now() < end; std::this_thread::yield()) {
      std::int32_t state = CWIRE_STATE_CLOSED;
      cwire_station station = nullptr;
      connect(number);
      if (cwire_manager_find(manager_, id(number).c_str(), &station) != CWIRE_OK) continue;
      if (cwire_station_state(station, &state) == CWIRE_OK && state != CWIRE_STATE_DISCONNECTED &&
          state != CWIRE_STATE_CLOSED)
        return;
    }
    give_up(id(number) + " does not come to be connected again");
  }

  void trouble_the_secure() {
    std::minstd_rand random(options_.seed + 7);
    while (!stopping_) {
      pause(std::chrono::milliseconds(1000 + random() % 4000));
      switch (random() % 5) {
        case 0:
          csms_.die(random() % 2 == 0 ? csms::Csms::Death::reset : csms::Csms::Death::fin);
          break;
        case 1:
          csms_.refuse(503);
          break;
        case 2:
          csms_.fall_silent();
          break;
        case 3:
          csms_.close_all(1001, "going away");
          break;
        case 4:
          csms_.refuse_tcp();
          break;
      }
      ++troubles_;
      pause(std::chrono::milliseconds(200 + random() % 1000));
      csms_.come_back();
    }
  }

  // Paces the load; nothing is waited for here.
  void pause(std::chrono::milliseconds time) {
    for (const auto end = Clock::now() + time; !stopping_ && Clock::now() < end;) {
      std::this_thread::sleep_for(std::min<Clock::duration>(end - Clock::now(), 100ms));
    }
  }

  // The first third is for warming up: caches, pools of the allocator, the longest back-offs.
  void watch() {
    const auto begin = Clock::now();
    const auto end = begin + std::chrono::seconds(options_.seconds);
    std::size_t early_kib = 0, late_kib = 0;
    for (auto now = begin; now < end; now = Clock::now()) {
      std::this_thread::sleep_for(500ms);
      const double done = std::chrono::duration<double>(now - begin) / std::chrono::duration<double>(end - begin);
      const std::size_t kib = memory_kib();
      most_descriptors_ = std::max(most_descriptors_, descriptors());
      if (done >= 0.33 && done < 0.66) early_kib = std::max(early_kib, kib);
      if (done >= 0.66) late_kib = std::max(late_kib, kib);
    }
    early_kib_ = early_kib;
    late_kib_ = late_kib;
  }

  void come_back() {
    chaos_.calm_down();
    csms_.come_back();
    cwire_manager_reset(manager_, chaos_.url().c_str(), nullptr);
    cwire_manager_reset(manager_, csms_.url().c_str(), nullptr);
    const auto begin = Clock::now();
    std::size_t connected = 0, total = 0;
    // 1012 asks for up to 30 s.
    while (Clock::now() < begin + 120s) {
      must(cwire_manager_counts(manager_, &connected, &total), "counts");
      if (connected == options_.stations) break;
      std::this_thread::sleep_for(10ms);
    }
    if (connected != options_.stations) {
      give_up(std::to_string(connected) + " of " + std::to_string(options_.stations) +
              " stations came back within 120 s");
    }
    came_back_s_ = std::chrono::duration<double>(Clock::now() - begin).count();
    // Each has one descriptor here and one at its CSMS; the rest was there before the first.
    after_descriptors_ = descriptors();
  }

  void judge() const {
    const std::uint64_t accepted = ledger_.count_accepted();
    const std::uint64_t lost = ledger_.count_unreported(), unasked = ledger_.count_unasked();
    std::printf(
        "soak: seed %u, %u stations, %d s: %llu faults, %llu connections, %llu messages accepted, %llu of them "
        "reported as not sent, "
        "%llu without report; %llu connects, %llu CLOSED; %zu KiB of memory at most in the second third, %zu in the "
        "last; "
        "%zu descriptors at most, %zu when all were back, after %.1f s\n",
        options_.seed, options_.stations, options_.seconds,
        static_cast<unsigned long long>(chaos_.faults() + troubles_), static_cast<unsigned long long>(connected_),
        static_cast<unsigned long long>(accepted), static_cast<unsigned long long>(not_sent_),
        static_cast<unsigned long long>(lost), static_cast<unsigned long long>(connects_),
        static_cast<unsigned long long>(closed_), early_kib_, late_kib_, most_descriptors_, after_descriptors_,
        came_back_s_);
    std::fflush(stdout);  // whatever is found wrong with it
    if (lost != 0) give_up("messages were accepted and never reported");
    if (unasked != 0) give_up("messages were reported that had not been accepted");
    if (closed_ != connects_) give_up("not one CLOSED for each connect");
    if (chaos_.faults() == 0 || accepted == 0) give_up("nothing happened");
    // In a short run the slowest are still warming up.
    const std::size_t allowance_kib = options_.seconds >= 300 ? early_kib_ / 20 : early_kib_ / 4;
    if (late_kib_ > early_kib_ + allowance_kib) give_up("memory grew");
    if (after_descriptors_ > 2 * options_.stations + 100) give_up("descriptors were left behind");
  }

  const Options options_;
  const pki::TemporaryDirectory files_;
  const pki::Identity ca_ = pki::make_self_signed({"Soak CA", {}, true});
  const pki::Identity server_ = pki::make_signed({"127.0.0.1", {"IP:127.0.0.1"}}, ca_);
  ChaosCsms chaos_;
  csms::Csms csms_;
  cwire_manager manager_ = nullptr;
  cwire_config plain_ = nullptr;
  Ledger ledger_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> connects_{0}, closed_{0}, connected_{0}, not_sent_{0}, troubles_{0};
  std::size_t early_kib_ = 0, late_kib_ = 0, most_descriptors_ = 0, after_descriptors_ = 0;
  double came_back_s_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const unsigned long value = std::strtoul(argv[i + 1], nullptr, 10);
    if (name == "--seconds") {
      options.seconds = static_cast<int>(value);
    } else if (name == "--stations") {
      options.stations = static_cast<unsigned>(value);
    } else if (name == "--seed") {
      options.seed = static_cast<std::uint32_t>(value);
    } else {
      give_up("usage: chargewire_soak [--seconds N] [--stations N] [--seed N]");
    }
  }
  csms::raise_descriptor_limit();
  Soak(options).run();
}
