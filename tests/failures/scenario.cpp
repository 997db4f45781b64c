#include "scenario.h"

#include <chargewire/chargewire.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "calls.h"
#include "threads.h"

namespace failures {

namespace {

// For what should take a second at most, on a machine that is busy, under a sanitizer.
constexpr std::chrono::seconds kPatience{60};
// One call fails, so what is tried again succeeds.
constexpr int kTries = 2;
// A message may meet the loss that the failing call has caused, and the one that the CSMS has.
constexpr int kExchanges = 6;
// In a row; a station that fails so often will go on to.
constexpr std::uint64_t kFailuresMax = 8;

struct Seen {
  std::int32_t type;
  cwire_status status;
  cwire_station station;
  std::string station_id;
  std::uint64_t tag;
  std::string data;
};

std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* directory = ::opendir("/proc/self/fd");
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

template <class Function>
auto inside(Function function) {
  const Inside counted;
  return function();
}

class Life {
 public:
  Life(const CsmsProcess& csms, const std::string& directory, Delivery delivery, bool lame_contexts)
      : csms_(csms), directory_(directory), delivery_(delivery), lame_contexts_(lame_contexts) {}

  void live() {
    begin();
    connect("PLAIN", csms_.ws_url());
    connect("TLS", csms_.wss_url());
    for (const char* id : {"PLAIN", "TLS"}) exchange(id);
    ask();
    at_most_one_is_hurt();
    csms_.drop_connections();
    for (const char* id : {"TLS", "PLAIN"}) exchange(id);
    must("broadcast", [&] { return cwire_manager_broadcast(manager_, "[]", 2, 0, nullptr); });
    must("disconnect", [&] { return cwire_station_disconnect(stations_.at("PLAIN"), 0, "enough"); });
    wait("CLOSED of PLAIN", [&] { return count(CWIRE_EVENT_CLOSED, "PLAIN") != 0; });
    must("shutdown", [&] { return cwire_manager_shutdown(manager_, 5000); });
    wait("SHUTDOWN", [&] { return count(CWIRE_EVENT_SHUTDOWN, "") != 0; });
    lived_ = true;
  }

  // However far it came.
  void end() {
    if (manager_ != nullptr) {
      const cwire_status status = inside([&] { return cwire_manager_free(manager_); });
      if (status != CWIRE_OK) complain(std::string("free: ") + cwire_status_name(status));
    }
    ::unlink(trace().c_str());
    for (const cwire_config config : {config_, secure_config_}) {
      if (config != nullptr) inside([&] { return cwire_config_free(config); });
    }
  }

  void complain(const std::string& text) { complaints_ += text + "\n"; }

  std::string judge() {
    // In poll mode free drops what was not taken.
    if (lived_ || delivery_ == Delivery::handler) check_events();
    if (!complaints_.empty()) list_events();
    return complaints_;
  }

 private:
  void check_events() {
    for (const auto& [station, id] : accepted_stations_) {
      const auto is_its = [station = station](const Seen& s) { return s.station == station; };
      const auto closed = std::count_if(seen_.begin(), seen_.end(),
                                        [&](const Seen& s) { return is_its(s) && s.type == CWIRE_EVENT_CLOSED; });
      if (closed != 1) complain(id + ": CLOSED came " + std::to_string(closed) + " times");
      const auto last = std::find_if(seen_.rbegin(), seen_.rend(), is_its);
      if (last != seen_.rend() && last->type != CWIRE_EVENT_CLOSED) complain(id + ": CLOSED is not the last event");
    }
    if (!seen_.empty() && seen_.back().type != CWIRE_EVENT_SHUTDOWN) complain("SHUTDOWN is not the last event");
    for (const std::uint64_t tag : accepted_messages_) {
      const auto reports = std::count_if(seen_.begin(), seen_.end(),
                                         [&](const Seen& s) { return s.type == CWIRE_EVENT_SENT && s.tag == tag; });
      if (reports != 1)
        complain("message " + std::to_string(tag) + " was reported " + std::to_string(reports) + " times");
    }
  }

  void list_events() {
    for (const Seen& s : seen_) {
      complaints_ += "  " + s.station_id + " " + std::to_string(s.type) + " " + cwire_status_name(s.status) + " " +
                     std::to_string(s.tag) + " " + s.data.substr(0, 200) + "\n";
    }
  }

  // A call that says OK, or says why not and has then done nothing, so that it can be made again.
  template <class Function>
  void must(const char* what, Function function) {
    cwire_status status = CWIRE_OK;
    for (int tries = 0; tries < kTries; ++tries) {
      status = inside(function);
      if (status == CWIRE_OK) return;
      if (status != CWIRE_E_NO_MEMORY && status != CWIRE_E_INTERNAL && status != CWIRE_E_TLS) break;
    }
    throw std::runtime_error(std::string(what) + ": " + cwire_status_name(status));
  }

  void set(cwire_config config, const char* key, const std::string& value) {
    must(key, [&] { return cwire_config_set(config, key, value.c_str(), nullptr); });
  }

  void begin() {
    must("config_new", [&] { return cwire_config_new(&config_); });
    set(config_, "io_threads", "1");
    set(config_, "log_level", "debug");
    set(config_, "metrics.listen", "0");
    set(config_, "trace.file", trace());
    set(config_, "csms.reconnect_backoff", "20ms");
    set(config_, "csms.reconnect_max_backoff", "50ms");
    // An attempt that only its time ends would go unnoticed.
    set(config_, "csms.upgrade_timeout", "1h");
    set(config_, "csms.connection_timeout", "1h");
    // The CSMS without TLS agrees to it. Outwards each station has zlib's memory, inwards the thread.
    set(config_, "csms.deflate.enabled", "true");
    set(config_, "csms.deflate.context_takeover", "true");
    set(config_, "csms.deflate.size_min", "1B");
    set(config_, "csms.tls.ca_cert", directory_ + "/ca.pem");
    set(config_, "csms.tls.client_cert", directory_ + "/station.pem");
    set(config_, "csms.tls.client_key", directory_ + "/station.key");
    // Credentials go over TLS only.
    must("config_new", [&] { return cwire_config_new(&secure_config_); });
    set(secure_config_, "csms.auth.type", "basic");
    set(secure_config_, "csms.auth.password", "0123456789abcdef");
    must("manager_new", [&] {
      return cwire_manager_new(config_, delivery_ == Delivery::handler ? &Life::on_events : nullptr,
                               reinterpret_cast<std::uintptr_t>(this), &manager_, nullptr);
    });
    if (delivery_ == Delivery::poll) inside([&] { return cwire_manager_event_fd(manager_); });
    must("trace", [&] { return cwire_manager_trace(manager_, nullptr, 1, nullptr); });
  }

  // Each life is one of many processes.
  std::string trace() const { return directory_ + "/trace-" + std::to_string(::getpid()) + ".jsonl"; }

  void connect(const std::string& id, const std::string& url) {
    cwire_station station = nullptr;
    urls_[id] = url;
    must("connect", [&] {
      return cwire_manager_connect(manager_, id.c_str(), url.c_str(), id == "TLS" ? secure_config_ : nullptr, 0,
                                   &station, nullptr);
    });
    stations_[id] = station;
    accepted_stations_[station] = id;
  }

  // A question of the station, and the answer of the CSMS to it.
  void exchange(const std::string& id) {
    for (int exchanges = 0; exchanges < kExchanges; ++exchanges) {
      const std::uint64_t tag = ++tag_;
      const std::string text = "[2,\"" + std::to_string(tag) + "\",\"Heartbeat\",{}]";
      std::uint64_t connection = 0;
      wait("connection of " + id, [&] {
        connect_again_if_need_be(id);
        if (state(id) != CWIRE_STATE_CONNECTED) return false;
        connection = connections(id);
        return accepted(id, text, tag);
      });
      accepted_messages_.insert(tag);
      wait("report of message " + std::to_string(tag), [&] { return sent(tag) != nullptr; });
      const auto answered = [&] {
        const std::lock_guard<std::mutex> lock(mutex_);
        return std::any_of(seen_.begin(), seen_.end(), [&](const Seen& s) {
          return s.type == CWIRE_EVENT_MESSAGE && s.data.rfind("[3,\"" + std::to_string(tag) + "\"", 0) == 0;
        });
      };
      wait("answer to message " + std::to_string(tag),
           [&] { return answered() || state(id) != CWIRE_STATE_CONNECTED || connections(id) != connection; });
      if (answered()) return;
    }
    throw std::runtime_error(id + ": no message was answered");
  }

  bool accepted(const std::string& id, const std::string& text, std::uint64_t tag) {
    const cwire_status status =
        inside([&] { return cwire_station_send(stations_.at(id), text.data(), text.size(), CWIRE_FLAG_REPORT, tag); });
    if (status != CWIRE_OK && status != CWIRE_E_NOT_ESTABLISHED && status != CWIRE_E_NO_MEMORY) {
      throw std::runtime_error(id + ": send: " + cwire_status_name(status));
    }
    return status == CWIRE_OK;
  }

  // One that finds no memory to begin with ends, and says so.
  void connect_again_if_need_be(const std::string& id) {
    const cwire_station station = stations_.at(id);
    bool closed = false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      for (const Seen& s : seen_) {
        if (s.station != station) continue;
        if (s.type == CWIRE_EVENT_CLOSED && (s.status == CWIRE_E_NO_MEMORY || ended_.count(station) != 0))
          closed = true;
        if (s.type == CWIRE_EVENT_ERROR && s.tag >= kFailuresMax && lame_contexts_) ended_.insert(station);
      }
    }
    if (closed) {
      // Not at the first look: in poll mode its last event, and with it its context, is ours until the next poll.
      if (!noticed_.insert(station).second) connect(id, urls_.at(id));
    } else if (ended_.count(station) != 0) {
      inside([&] { return cwire_station_disconnect(station, 0, nullptr); });
    }
  }

  // What needs memory and does nothing.
  void ask() {
    cwire_pool pool = nullptr;
    must("pool_new", [&] { return cwire_pool_new(manager_, &pool); });
    must("pool_add", [&] { return cwire_pool_add(pool, stations_.at("TLS")); });
    must("pool_broadcast", [&] { return cwire_pool_broadcast(pool, "[]", 2, 0, nullptr); });
    must("pool_free", [&] { return cwire_pool_free(pool); });
    must("counts", [&] { return cwire_manager_counts(manager_, nullptr, nullptr); });
    must("stats", [&] {
      cwire_stats stats[2];
      std::size_t known = 0;
      stats[0].size = stats[1].size = sizeof stats[0];
      return cwire_manager_all_stats(manager_, stats, 2, &known);
    });
    must("wait", [&] { return cwire_station_wait(stations_.at("TLS"), 60000, nullptr); });
    must("metrics", [&] {
      std::size_t needed = 0;
      const cwire_status status = cwire_manager_metrics(manager_, CWIRE_METRICS_PROMETHEUS, nullptr, 0, &needed);
      return status == CWIRE_E_TOO_BIG && needed > 1000 ? CWIRE_OK : status;
    });
    scrape();
  }

  // Whoever scrapes comes again. Its own calls are not the library's.
  void scrape() {
    char url[64];
    must("metrics_url", [&] { return cwire_manager_metrics_url(manager_, url, sizeof url, nullptr); });
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(std::strrchr(url, ':') + 1)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    constexpr char kRequest[] = "GET /metrics HTTP/1.0\r\n\r\n";
    for (int tries = 0; tries < kTries; ++tries) {
      const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      std::string answer;
      if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
          ::send(socket, kRequest, sizeof kRequest - 1, MSG_NOSIGNAL) > 0) {
        char buffer[4096];
        for (ssize_t size; (size = ::recv(socket, buffer, sizeof buffer, 0)) > 0;) {
          answer.append(buffer, static_cast<std::size_t>(size));
        }
      }
      ::close(socket);
      if (answer.rfind("HTTP/1.1 200 OK", 0) == 0) return;
    }
    throw std::runtime_error("nobody answered who scraped");
  }

  // One call has failed at most, and it belonged to one station or to none.
  void at_most_one_is_hurt() {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::set<std::string> hurt;
    for (const Seen& s : seen_) {
      if (s.type == CWIRE_EVENT_DISCONNECTED || s.type == CWIRE_EVENT_ERROR) hurt.insert(s.station_id);
    }
    if (hurt.size() > 1) complain("both stations were hurt");
  }

  // Also of one whose CLOSED is on its way.
  std::int32_t state(const std::string& id) {
    std::int32_t state = CWIRE_STATE_CLOSED;
    inside([&] { return cwire_station_state(stations_.at(id), &state); });
    return state;
  }

  std::uint64_t connections(const std::string& id) {
    cwire_stats stats{};
    stats.size = sizeof stats;
    inside([&] { return cwire_station_stats(stations_.at(id), &stats); });
    return stats.connections;
  }

  std::size_t count(std::int32_t type, const std::string& id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(seen_.begin(), seen_.end(), [&](const Seen& s) { return s.type == type && s.station_id == id; }));
  }

  const Seen* sent(std::uint64_t tag) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = std::find_if(seen_.begin(), seen_.end(),
                                    [&](const Seen& s) { return s.type == CWIRE_EVENT_SENT && s.tag == tag; });
    return found == seen_.end() ? nullptr : &*found;
  }

  // Looks again now and then also where nothing is told: a report that there is no memory for is lost.
  template <class Predicate>
  void wait(const std::string& what, Predicate holds) {
    constexpr std::chrono::milliseconds kAgain{20};
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("waited in vain for " + what);
      if (delivery_ == Delivery::handler) {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait_for(lock, kAgain);
        continue;
      }
      const cwire_event* events = nullptr;
      std::size_t size = 0;
      const cwire_status status =
          inside([&] { return cwire_manager_poll(manager_, kAgain.count(), 64, &events, &size); });
      if (status == CWIRE_OK) {
        take(events, size);
      } else if (status != CWIRE_E_TIMEOUT && status != CWIRE_E_NO_MEMORY && status != CWIRE_E_STATE) {
        throw std::runtime_error(std::string("poll: ") + cwire_status_name(status));
      }
    }
  }

  static void on_events(std::uintptr_t context, const cwire_event* events, std::size_t size) {
    const Outside not_counted;
    reinterpret_cast<Life*>(context)->take(events, size);
  }

  void take(const cwire_event* events, std::size_t size) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (std::size_t i = 0; i < size; ++i) {
      const cwire_event& e = events[i];
      seen_.push_back({e.type, e.status, e.station, e.station_id, e.tag, std::string(e.data, e.data_size)});
    }
    changed_.notify_all();
  }

  const CsmsProcess& csms_;
  const std::string directory_;
  const Delivery delivery_;
  const bool lame_contexts_;
  bool lived_ = false;  // to the end
  cwire_config config_ = nullptr;
  cwire_config secure_config_ = nullptr;
  cwire_manager manager_ = nullptr;
  std::map<std::string, std::string> urls_;
  std::map<std::string, cwire_station> stations_;  // the newest of each id
  std::map<cwire_station, std::string> accepted_stations_;
  std::set<cwire_station> ended_;    // that only failed
  std::set<cwire_station> noticed_;  // whose CLOSED has come
  std::set<std::uint64_t> accepted_messages_;
  std::uint64_t tag_ = 0;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<Seen> seen_;
  std::string complaints_;
};

}  // namespace

std::string run_scenario(const CsmsProcess& csms, const std::string& directory, Delivery delivery, bool lame_contexts) {
  const std::size_t descriptors = open_descriptors();
  std::string complaints;
  {
    Life life(csms, directory, delivery, lame_contexts);
    try {
      life.live();
    } catch (const std::exception& error) {
      life.complain(error.what());
    }
    life.end();
    complaints = life.judge();
  }
  if (threads_left() != 0) complaints += "threads are left\n";
  const std::size_t left = open_descriptors();
  if (left != descriptors)
    complaints += std::to_string(left) + " descriptors, before it were " + std::to_string(descriptors) + "\n";
  return complaints;
}

}  // namespace failures
