// The runner of C++: see ../README.md. usage: runner poll|handler
#include <algorithm>
#include <atomic>
#include <chargewire/chargewire.hpp>
#include <condition_variable>
#include <deque>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <thread>

namespace {

using chargewire::EventType;
using chargewire::Flags;
using chargewire::Status;
using Words = std::vector<std::string>;

struct Record {
  EventType type;
  Status status;
  std::uint64_t tag;
  std::string data;
  std::string text;  // as an answer tells it
};

// "ok", or the name of what was thrown.
template <class Call>
std::string outcome(Call call) {
  try {
    call();
    return "ok";
  } catch (const chargewire::Error& error) {
    return std::string(name(error.status()));
  }
}

std::string text_of(const chargewire::Event& event) {
  std::ostringstream text;
  switch (event.type()) {
    case EventType::connected:
      text << "CONNECTED " << event.data() << (event.has(Flags::reconnect) ? " reconnect" : "");
      break;
    case EventType::message:
      text << "MESSAGE " << event.data();
      break;
    case EventType::sent:
      text << "SENT " << event.tag() << ' ' << name(event.status());
      break;
    case EventType::writable:
      text << "WRITABLE";
      break;
    case EventType::disconnected:
      text << "DISCONNECTED " << name(event.status()) << ' ' << event.code();
      if (event.has(Flags::remote)) text << " remote";
      if (event.has(Flags::will_retry)) text << " will_retry";
      break;
    case EventType::error:
      text << "ERROR " << name(event.status()) << ' ' << name(event.failure()->phase()) << ' ' << event.code();
      if (event.has(Flags::will_retry)) text << " will_retry";
      break;
    case EventType::closed:
      text << "CLOSED " << name(event.status()) << ' ' << event.code();
      break;
    default:
      break;
  }
  return text.str();
}

struct Station {
  chargewire::Station station;
  std::deque<Record> records;  // those that no command has taken
  std::uint64_t seen = 0;      // all so far
  std::string goodbye;         // a message on which to disconnect, while its event is handled
  std::string goodbye_outcome;
};

class Runner {
 public:
  explicit Runner(bool handler_mode) : handler_mode_(handler_mode) {}
  ~Runner() { free(); }

  std::string carry_out(const Words& words) {
    const std::string& verb = words.at(0);
    if (verb == "manager") return start(words);
    if (verb == "connect") return connect(words);
    if (verb == "cycles") return cycles(std::stoi(words.at(1)), words.at(2));
    if (verb == "shutdown") return shutdown(std::stoi(words.at(1)), {words.begin() + 2, words.end()});
    if (verb == "free") {
      free();
      return "ok";
    }
    Station& station = stations_.at(words.at(1));
    const chargewire::Station native = station.station;
    if (verb == "wait") return outcome([&] { native.wait(std::chrono::milliseconds(std::stoi(words.at(2)))); });
    if (verb == "state") return std::string(name(native.state()));
    if (verb == "events") return take(station, std::stoul(words.at(2)));
    if (verb == "until") return until(station, words.at(2));
    if (verb == "send") return outcome([&] { send(native, words.at(2), std::stoull(words.at(3))); });
    if (verb == "flood") return flood(station, std::stoul(words.at(2)));
    if (verb == "threads") return threads(station, std::stoul(words.at(2)), std::stoul(words.at(3)));
    if (verb == "fill")
      return outcome([&] {
        for (const std::string big(std::stoul(words.at(2)), 'x');;) native.send(big);
      });
    if (verb == "disconnect") return outcome([&] { disconnect(native, words); });
    if (verb == "disconnect_inside") return disconnect_inside(station, words.at(2));
    if (verb == "stats") return stats(native);
    if (verb == "stale") return stale(native);
    return "unknown command";
  }

 private:
  // ---- Events

  void take_event(const chargewire::Event& event) {
    const EventType type = event.type();
    if (type == EventType::shutdown) {
      std::lock_guard<std::mutex> lock(mutex_);
      shut_down_ = true;
      came_.notify_all();
      return;
    }
    Record record{type, event.status(), event.tag(), std::string(event.data()), text_of(event)};
    std::unique_lock<std::mutex> lock(mutex_);
    if (shut_down_) after_shutdown_ = true;
    if (record.text.empty()) return;  // STATE, LOG and what belongs to the manager
    Station& station = stations_[std::string(event.station_id())];
    if (type == EventType::message && !station.goodbye.empty() && record.data == station.goodbye) {
      station.goodbye.clear();
      lock.unlock();
      std::string said = outcome([&] { event.station().disconnect(); });
      lock.lock();
      station.goodbye_outcome = std::move(said);
    }
    station.records.push_back(std::move(record));
    ++station.seen;
    came_.notify_all();
  }

  template <class Condition>
  void wait_until(Condition condition) {
    std::unique_lock<std::mutex> lock(mutex_);
    came_.wait(lock, condition);
  }

  Record next(Station& station) {
    std::unique_lock<std::mutex> lock(mutex_);
    came_.wait(lock, [&] { return !station.records.empty(); });
    Record record = std::move(station.records.front());
    station.records.pop_front();
    return record;
  }

  std::string take(Station& station, std::size_t count) {
    std::string texts = next(station).text;
    while (--count > 0) texts += " | " + next(station).text;
    return texts;
  }

  std::string until(Station& station, const std::string& kind) {
    for (;;) {
      const std::string text = next(station).text;
      if (text.substr(0, text.find(' ')) == kind) return text;
    }
  }

  // ---- The manager

  static void set(chargewire::Config& config, Words::const_iterator option, Words::const_iterator end) {
    for (; option != end; ++option) {
      const std::size_t equals = option->find('=');
      config.set(option->substr(0, equals), option->substr(equals + 1));
    }
  }

  std::string start(const Words& words) {
    return outcome([&] {
      chargewire::Config config;
      set(config, words.begin() + 1, words.end());
      if (handler_mode_) {
        manager_.emplace(config, [this](const chargewire::Event& event) { take_event(event); });
        return;
      }
      manager_.emplace(config);
      poller_ = std::thread([this] {
        try {
          manager_->run([this](const chargewire::Event& event) { take_event(event); });
        } catch (const chargewire::Error& error) {
          if (error.status() != Status::invalid_handle) throw;  // freed meanwhile
        }
      });
    });
  }

  std::string connect(const Words& words) {
    return outcome([&] {
      chargewire::Config overrides;
      set(overrides, words.begin() + 3, words.end());
      const chargewire::Station station = manager_->connect(words.at(1), words.at(2), overrides);
      std::lock_guard<std::mutex> lock(mutex_);
      stations_[words.at(1)].station = station;
    });
  }

  void free() {
    if (poller_.joinable()) {
      manager_->shutdown();
      poller_.join();
    }
    manager_.reset();
  }

  // ---- Stations

  static void send(chargewire::Station station, const std::string& text, std::uint64_t tag) {
    station.send(text, tag == 0 ? Flags{} : Flags::report, tag);
  }

  std::string flood(Station& station, std::size_t count) {
    for (std::size_t i = 1; i <= count; ++i) send(station.station, std::to_string(i), i);
    std::size_t sent = 0, sent_in_order = 0, received = 0, received_in_order = 0;
    while (sent < count || received < count) {
      const Record record = next(station);
      if (record.type == EventType::sent) {
        ++sent;
        if (record.status == Status::ok && record.tag == sent) ++sent_in_order;
      } else if (record.type == EventType::message) {
        ++received;
        if (record.data == std::to_string(received)) ++received_in_order;
      } else {
        return record.text;
      }
    }
    return std::to_string(sent_in_order) + " sent in order, " + std::to_string(received_in_order) +
           " received in order";
  }

  std::string threads(Station& station, std::size_t threads, std::size_t count) {
    std::atomic<std::size_t> accepted{0};
    std::vector<std::thread> senders;
    for (std::size_t thread = 0; thread < threads; ++thread) {
      senders.emplace_back([&, thread] {
        for (std::size_t i = 1; i <= count; ++i) {
          if (station.station.try_send(std::to_string(thread) + ':' + std::to_string(i)) == Status::ok) ++accepted;
        }
      });
    }
    for (std::thread& sender : senders) sender.join();
    std::size_t received = 0, in_order = 0;
    std::map<std::string, std::size_t> last;  // of each thread
    while (received < accepted) {
      const Record record = next(station);
      if (record.type != EventType::message) return record.text;
      ++received;
      const std::size_t colon = record.data.find(':');
      if (std::stoul(record.data.substr(colon + 1)) == ++last[record.data.substr(0, colon)]) ++in_order;
    }
    return std::to_string(accepted) + " accepted, " + std::to_string(received) + " received, " +
           std::to_string(in_order) + " in the order of their thread";
  }

  static void disconnect(chargewire::Station station, const Words& words) {
    station.disconnect(static_cast<std::uint16_t>(std::stoul(words.at(2))), words.at(3));
  }

  std::string disconnect_inside(Station& station, const std::string& text) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      station.goodbye = text;
    }
    station.station.send(text);
    wait_until([&] { return !station.goodbye_outcome.empty(); });
    return station.goodbye_outcome;
  }

  static std::string stats(chargewire::Station station) {
    const chargewire::Stats stats = station.stats();
    std::ostringstream text;
    text << name(stats.state()) << ", " << stats.connections() << " connections, " << stats.reconnect_attempts()
         << " more attempts, " << stats.messages_sent() << " sent, " << stats.messages_received() << " received, "
         << stats.bytes_received() << " bytes received, " << stats.messages_not_sent() << " not sent, last error "
         << name(stats.last_error());
    return text.str();
  }

  static std::string stale(chargewire::Station station) {
    return "send " + outcome([&] { station.send("x"); }) + ", state " + outcome([&] { station.state(); }) + ", stats " +
           outcome([&] { station.stats(); }) + ", disconnect " + outcome([&] { station.disconnect(); });
  }

  // ---- Ends

  // Sends without pause until its station's turn in the shutdown has come. Returns how many were accepted.
  std::uint64_t load(Station& station, std::atomic<int>& warm) {
    std::uint64_t accepted = 0;
    for (;;) {
      std::uint64_t seen = 0;
      {
        std::lock_guard<std::mutex> lock(mutex_);
        seen = station.seen;
      }
      const Status status = station.station.try_send("load", Flags::report, accepted + 1);
      if (status == Status::ok) {
        if (++accepted == 1000) warmed_up(warm);
      } else if (status == Status::queue_full) {
        wait_until([&] { return station.seen != seen; });
      } else {
        return accepted;
      }
    }
  }

  void warmed_up(std::atomic<int>& warm) {
    std::lock_guard<std::mutex> lock(mutex_);
    --warm;
    came_.notify_all();
  }

  std::string shutdown(int drain_ms, const Words& ids) {
    std::atomic<int> warm{static_cast<int>(ids.size())};
    std::atomic<std::uint64_t> accepted{0};
    std::vector<std::thread> senders;
    for (const std::string& id : ids)
      senders.emplace_back([&, &station = stations_.at(id)] { accepted += load(station, warm); });
    wait_until([&] { return warm == 0; });
    manager_->shutdown(std::chrono::milliseconds(drain_ms));
    for (std::thread& sender : senders) sender.join();
    wait_until([&] { return shut_down_; });

    std::uint64_t told = 0;
    int closed = 0;
    std::lock_guard<std::mutex> lock(mutex_);
    for (const std::string& id : ids) {
      const std::deque<Record>& records = stations_.at(id).records;
      told += static_cast<std::uint64_t>(
          std::count_if(records.begin(), records.end(), [](const Record& r) { return r.type == EventType::sent; }));
      const auto is_closed = [](const Record& r) { return r.type == EventType::closed; };
      if (std::count_if(records.begin(), records.end(), is_closed) == 1 && is_closed(records.back())) ++closed;
    }
    return std::to_string(accepted) + " accepted, " + std::to_string(told) + " sent or told why not, " +
           std::to_string(closed) + " closed, SHUTDOWN " + (after_shutdown_ ? "not last" : "last");
  }

  static std::string cycles(int count, const std::string& url) {
    return outcome([&] {
      for (int i = 0; i < count; ++i) {
        chargewire::Config config;
        config.io_threads(1);
        chargewire::Manager manager(config);
        const chargewire::Station station = manager.connect("CP001", url);
        station.wait();
        station.send("hello");
      }
    });
  }

  const bool handler_mode_;
  std::mutex mutex_;
  std::condition_variable came_;
  std::map<std::string, Station> stations_;
  bool shut_down_ = false;
  bool after_shutdown_ = false;  // an event came then, which must not be
  std::optional<chargewire::Manager> manager_;
  std::thread poller_;
};

}  // namespace

int main(int argc, char** argv) {
  Runner runner(argc > 1 && std::string(argv[1]) == "handler");
  for (std::string line; std::getline(std::cin, line);) {
    Words words;
    std::istringstream input(line);
    for (std::string word; std::getline(input, word, '\t');) words.push_back(word);
    try {
      std::cout << runner.carry_out(words) << std::endl;
    } catch (const std::exception& error) {
      std::cout << "failed: " << error.what() << std::endl;
    }
  }
}
