#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "raw_peer.h"

// A CSMS that lets everybody in and measures how they come: how many handshakes were under way at once, and how many
// began in each second. One thread, plain sockets, ws only; it answers pings and close frames and counts messages.
class Judge {
 public:
  // Answers each upgrade request after so long.
  explicit Judge(std::chrono::milliseconds handshake);
  ~Judge();
  Judge(const Judge&) = delete;
  Judge& operator=(const Judge&) = delete;

  std::string url() const { return port_.url(); }

  // Resets every connection and stops listening; the port stays its own.
  void die();
  // Listens again, and begins to measure anew.
  void come_back();
  // From now on closes each connection as soon as it stands.
  void flap(bool on);

  struct Findings {
    std::size_t open = 0;             // connections that stand
    std::size_t handshakes = 0;       // begun since it came back
    std::size_t handshakes_peak = 0;  // under way at once
    std::vector<std::size_t> begun;   // in each second since the first
    std::size_t messages = 0;
    // In any second, also one that begins between two of the bins.
    std::size_t busiest_second = 0;
  };
  Findings findings() const;
  bool wait_until(const std::function<bool(const Findings&)>& holds, std::chrono::milliseconds at_most) const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Connection {
    enum class State { reading_request, waiting, open } state = State::reading_request;
    std::uint64_t number = 0;
    std::string input;
  };

  void run();
  void listen_again();
  void obey();
  void accept_all();
  void answer_due();
  void read(int descriptor);
  void serve(int descriptor, Connection& connection);
  void drop(int descriptor, bool reset);
  void order(std::function<void()> what);

  const std::chrono::milliseconds handshake_;
  raw::ClosedPort port_;
  int listener_ = -1;
  int epoll_ = -1;
  int wake_ = -1;
  std::thread thread_;

  // The thread's.
  std::map<int, Connection> connections_;
  struct Due {
    Clock::time_point at;
    int descriptor;
    std::uint64_t number;
  };
  std::deque<Due> due_;
  std::uint64_t accepted_ = 0;
  std::size_t under_way_ = 0;
  std::deque<Clock::time_point> last_second_;
  Clock::time_point first_{};
  bool flapping_ = false;
  bool stopping_ = false;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<std::function<void()>> orders_;
  std::uint64_t orders_given_ = 0, orders_done_ = 0;
  Findings findings_;
};
