// What raw_client does, by Chargewire.
//
//   chargewire_client --url ws[s]://127.0.0.1:PORT/ocpp --stations N --in-flight K --messages M --size S [--ca FILE]
//                     [--poll | --senders N | --broadcast | --rate R] [--io-threads N] [--work-us N] [--no-resume]
//                     [--metrics]
//
// Without a mode the answer is sent from inside the handler, on the I/O thread.
//   --poll          one thread polls for events and sends
//   --senders N     the handler passes each answer to one of N threads, which sends the next message
//   --broadcast     one thread broadcasts to all stations, with K broadcasts on their way
//   --rate R        one thread sends R messages per second in total, whether answers come or not (K does not count); a
//                   latency begins when its message was due, so falling behind cannot hide
//   --io-threads N  default 1
//   --work-us N     what the program itself does with each answer: so many microseconds of CPU
//   --no-resume     no TLS session is resumed
//   --metrics       what is counted per message is counted (metrics.enabled)
//
// Talks to echo_server and prints one line of JSON.
#include <time.h>

#include <memory>
#include <string>
#include <vector>

#include "answer_threads.h"
#include "chargewire/chargewire.h"
#include "measurement.h"

namespace {

struct Options {
  bool poll = false;
  std::uint32_t senders = 0;  // 0: whoever takes the answer sends
  bool broadcast = false;
  std::uint32_t rate = 0;  // messages per second; 0: as fast as answers come
  std::uint32_t io_threads = 1;
  std::uint32_t work_us = 0;
  bool resume = true;
  bool metrics = false;
};

void check(cwire_status status, const char* what, const cwire_error* error = nullptr) {
  if (status == CWIRE_OK) return;
  std::fprintf(stderr, "chargewire_client: %s: %s %s\n", what, cwire_status_name(status),
               error == nullptr ? "" : error->message);
  std::_Exit(1);
}

// Of the thread alone, so that what it waits for does not count.
void work(std::uint32_t us) {
  const auto cpu_ns = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::int64_t{time.tv_sec} * 1000000000 + time.tv_nsec;
  };
  const std::int64_t end = cpu_ns() + std::int64_t{us} * 1000;
  while (cpu_ns() < end) {
  }
}

struct Station {
  cwire_station token = nullptr;
  std::uint32_t to_send = 0;   // touched by the thread that takes its events only, once the exchange has begun
  std::uint32_t answered = 0;  // likewise
};

// What one thread that takes events knows; nobody else touches it before the end.
struct Lane {
  bench::LatencyHistogram latency;
  std::vector<std::vector<std::uint32_t>> to_senders;
};

class ChargewireClient {
 public:
  ChargewireClient(const bench::Arguments& arguments, const Options& options)
      : arguments_(arguments),
        options_(options),
        payload_(arguments.size, 'x'),
        stations_(arguments.stations),
        times_(arguments.stations, arguments.in_flight),
        lanes_(options.io_threads) {
    for (Lane& lane : lanes_) lane.to_senders.resize(options.senders);
    cwire_error error = CWIRE_ERROR_INIT;
    cwire_config config = nullptr;
    check(cwire_config_new(&config), "cwire_config_new");
    // At a rate the peer may be late for a while.
    const std::uint64_t queued = options.rate == 0 ? arguments.in_flight + 1 : 10000;
    const std::pair<const char*, std::string> settings[] = {
        {"io_threads", std::to_string(options.io_threads)},
        {"csms.send_queue_messages", std::to_string(queued)},
        {"csms.send_queue_bytes", std::to_string(queued * (arguments.size + 1) + 65536)},
        {"csms.tls.session_resumption", options.resume ? "true" : "false"},
        {"metrics.enabled", options.metrics ? "true" : "false"},
    };
    for (const auto& [key, value] : settings) check(cwire_config_set(config, key, value.c_str(), &error), key, &error);
    if (!arguments.ca.empty()) {
      check(cwire_config_set(config, "csms.tls.ca_cert", arguments.ca.c_str(), &error), "--ca", &error);
    }
    check(cwire_manager_new(config, options.poll ? nullptr : &on_events, reinterpret_cast<std::uintptr_t>(this),
                            &manager_, &error),
          "cwire_manager_new", &error);
    check(cwire_config_free(config), "cwire_config_free");
  }
  ChargewireClient(const ChargewireClient&) = delete;
  ChargewireClient& operator=(const ChargewireClient&) = delete;

  bench::Result run() {
    bench::Result result;
    result.client = "chargewire";
    const bench::Dialing dialing;
    connect_all();
    await(connected_, arguments_.stations);
    result.connected(dialing, arguments_.stations);
    if (arguments_.messages == 0) return result;

    const bench::Stopwatch exchange;
    if (options_.broadcast) {
      exchange_by_broadcast();
    } else if (options_.rate != 0) {
      exchange_at_rate();
    } else if (options_.senders != 0) {
      exchange_by_senders();
    } else {
      for (Station& station : stations_) station.to_send = arguments_.messages - arguments_.first_burst();
      for (std::size_t i = 0; i < stations_.size(); ++i) begin(i);
    }
    await(round_trips_, arguments_.round_trips());
    result.exchanged(exchange, arguments_.round_trips());
    return result;
  }

  bench::LatencyHistogram latency() const {
    bench::LatencyHistogram all;
    for (const Lane& lane : lanes_) all.add(lane.latency);
    return all;
  }

 private:
  void connect_all() {
    const std::string url = std::string(arguments_.tls ? "wss://" : "ws://") + arguments_.host + ":" +
                            std::to_string(arguments_.port) + arguments_.path;
    for (std::size_t i = 0; i < stations_.size(); ++i) {
      cwire_error error = CWIRE_ERROR_INIT;
      const std::string id = "CP" + std::to_string(i);
      check(cwire_manager_connect(manager_, id.c_str(), url.c_str(), nullptr, i, &stations_[i].token, &error),
            "cwire_manager_connect", &error);
    }
  }

  // All times are noted before the first send: from then on who takes the answers notes those of this station.
  void begin(std::size_t index) {
    const std::int64_t now = bench::now_ns();
    for (std::uint32_t i = 0; i < arguments_.first_burst(); ++i) times_.sent(index, now);
    for (std::uint32_t i = 0; i < arguments_.first_burst(); ++i) send(index);
  }

  void exchange_by_senders() {
    senders_ = std::make_unique<bench::AnswerThreads>(options_.senders, [this](std::uint32_t station) {
      times_.sent(station, bench::now_ns());
      send(station);
    });
    for (Station& station : stations_) station.to_send = arguments_.messages - arguments_.first_burst();
    for (std::uint32_t sender = 0; sender < options_.senders; ++sender) {
      std::vector<std::uint32_t> first;
      for (std::uint32_t i = sender; i < arguments_.stations; i += options_.senders) {
        first.insert(first.end(), arguments_.first_burst(), i);
      }
      senders_->hand(sender, first);
    }
  }

  void exchange_by_broadcast() {
    for (std::uint32_t n = 0; n < arguments_.messages; ++n) {
      if (n >= arguments_.in_flight) {
        await(round_trips_, std::uint64_t{arguments_.stations} * (n - arguments_.in_flight + 1));
      }
      const std::int64_t now = bench::now_ns();
      for (std::size_t i = 0; i < stations_.size(); ++i) times_.sent(i, now);
      std::size_t accepted = 0;
      check(cwire_manager_broadcast(manager_, payload_.data(), payload_.size(), 0, &accepted),
            "cwire_manager_broadcast");
      if (accepted != stations_.size()) check(CWIRE_E_QUEUE_FULL, "a broadcast did not reach every station");
    }
  }

  void exchange_at_rate() {
    bench::be_punctual();
    schedule_ = std::make_unique<bench::Schedule>(arguments_.stations, options_.rate);
    for (std::uint64_t next = 0; next < arguments_.round_trips(); ++next) {
      const std::int64_t due = schedule_->due(next);
      if (due > bench::now_ns()) {
        const timespec until{due / 1000000000, due % 1000000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
      }
      send(next % arguments_.stations);
    }
  }

  void send(std::size_t index) {
    check(cwire_station_send(stations_[index].token, payload_.data(), payload_.size(), 0, 0), "cwire_station_send");
  }

  void await(bench::Progress& progress, std::uint64_t target) {
    if (!options_.poll) return progress.wait(target);
    while (progress.count() < target) {
      const cwire_event* events = nullptr;
      std::size_t count = 0;
      check(cwire_manager_poll(manager_, -1, 256, &events, &count), "cwire_manager_poll");
      take(lanes_[0], events, count);
    }
  }

  // On an I/O thread.
  static void on_events(std::uintptr_t context, const cwire_event* events, std::size_t count) {
    auto* client = reinterpret_cast<ChargewireClient*>(context);
    thread_local Lane& lane = client->lanes_[client->lanes_taken_.fetch_add(1)];
    client->take(lane, events, count);
  }

  void take(Lane& lane, const cwire_event* events, std::size_t count) {
    const std::int64_t now = bench::now_ns();
    std::uint64_t connected = 0;
    std::uint64_t answers = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const cwire_event& event = events[i];
      switch (event.type) {
        case CWIRE_EVENT_CONNECTED:
          ++connected;
          break;
        case CWIRE_EVENT_MESSAGE:
          ++answers;
          on_answer(lane, static_cast<std::uint32_t>(event.user_data), now);
          break;
        case CWIRE_EVENT_ERROR:
        case CWIRE_EVENT_DISCONNECTED:
          std::fprintf(stderr, "chargewire_client: %s: %s %s\n", event.station_id, cwire_status_name(event.status),
                       event.data);
          if (event.type == CWIRE_EVENT_DISCONNECTED) std::_Exit(1);
          break;
        default:
          break;
      }
    }
    for (std::uint32_t sender = 0; sender < options_.senders; ++sender) {
      senders_->hand(sender, lane.to_senders[sender]);
      lane.to_senders[sender].clear();
    }
    if (connected != 0) connected_.add(connected);
    if (answers != 0) round_trips_.add(answers);
  }

  void on_answer(Lane& lane, std::uint32_t index, std::int64_t now) {
    Station& station = stations_[index];
    lane.latency.record(now -
                        (options_.rate == 0 ? times_.answered(index) : schedule_->due(index, station.answered++)));
    if (options_.work_us != 0) work(options_.work_us);
    if (station.to_send == 0) return;
    --station.to_send;
    if (options_.senders != 0) {
      lane.to_senders[index % options_.senders].push_back(index);
    } else {
      times_.sent(index, now);
      send(index);
    }
  }

  const bench::Arguments arguments_;
  const Options options_;
  const std::string payload_;
  std::vector<Station> stations_;
  bench::SendTimes times_;
  std::vector<Lane> lanes_;
  std::atomic<std::size_t> lanes_taken_{0};
  cwire_manager manager_ = nullptr;
  std::unique_ptr<bench::AnswerThreads> senders_;
  std::unique_ptr<bench::Schedule> schedule_;
  bench::Progress connected_;
  bench::Progress round_trips_;
};

Options parse_options(int argc, char** argv, bench::Arguments& arguments) {
  Options options;
  arguments = bench::parse_arguments(
      argc, argv, "[--poll | --senders N | --broadcast | --rate R] [--io-threads N] [--work-us N] [--no-resume]",
      [&](bench::CommandLine& line) {
        if (line.option() == "--poll") {
          options.poll = true;
        } else if (line.option() == "--senders") {
          options.senders = line.number(1);
        } else if (line.option() == "--broadcast") {
          options.broadcast = true;
        } else if (line.option() == "--rate") {
          options.rate = line.number(1);
        } else if (line.option() == "--io-threads") {
          options.io_threads = line.number(1);
        } else if (line.option() == "--work-us") {
          options.work_us = line.number(0);
        } else if (line.option() == "--no-resume") {
          options.resume = false;
        } else if (line.option() == "--metrics") {
          options.metrics = true;
        } else {
          return false;
        }
        const int modes =
            int{options.poll} + int{options.senders != 0} + int{options.broadcast} + int{options.rate != 0};
        if (modes > 1) line.wrong("--poll, --senders, --broadcast and --rate exclude each other");
        return true;
      });
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Arguments arguments;
  const Options options = parse_options(argc, argv, arguments);
  bench::raise_descriptor_limit();
  ChargewireClient client(arguments, options);
  const bench::Result result = client.run();
  bench::print(arguments, result, client.latency());
  std::fflush(stdout);
  // Closing is not measured, so nothing is taken down.
  std::_Exit(0);
}
