#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "raw_peer.h"

namespace raw {

// A long line: a relay on a thread of its own that holds every byte for a time in each direction, and knows how long it
// really was. A machine that is busy holds them longer than it should, and a test can tell that from a wrong
// measurement.
class DelayRelay {
 public:
  using Duration = std::chrono::steady_clock::duration;
  // How long the `number`-th question and its answer are held together, half of it each; counted from 0 since
  // measure().
  using Delay = std::function<Duration(std::size_t number)>;

  // To `port` of 127.0.0.1.
  DelayRelay(std::uint16_t port, Delay delay);
  DelayRelay(std::uint16_t port, Duration delay) : DelayRelay(port, [delay](std::size_t) { return delay; }) {}
  ~DelayRelay();
  DelayRelay(const DelayRelay&) = delete;
  DelayRelay& operator=(const DelayRelay&) = delete;

  std::uint16_t port() const { return server_.port(); }
  // Forgets what was seen so far, passes on so many questions and their answers, and keeps the next question. While
  // nobody speaks but a station that pings and a server that answers, each arrival from the station from now on has one
  // from the server.
  void measure(std::size_t questions);
  // That one has come: who asks one at a time has had all its answers, and no other comes.
  bool is_over() const { return over_; }
  // What passed at the relay from each arrival of a station until its answer was passed on: the delay, and the server's
  // own time. Oldest first.
  std::vector<Duration> round_trips() const;

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Held {
    std::string bytes;
    Time due;
  };
  struct Line {
    int station, server;
    std::deque<Held> up{}, down{};  // to the server, to the station
  };

  void serve();
  // False: the line is cut.
  bool take(Line& line, bool from_station);
  bool pass(Line& line, bool to_station);

  const std::uint16_t target_;
  const Delay delay_;
  Server server_;
  int wake_[2];
  std::atomic<bool> ends_{false};
  std::atomic<bool> over_{false};
  mutable std::mutex mutex_;
  std::size_t questions_ = std::numeric_limits<std::size_t>::max();
  std::vector<Duration> round_trips_;
  Time asked_{};
  std::vector<Line> lines_;  // the thread's
  std::thread thread_;
};

}  // namespace raw
