#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "raw_peer.h"

// A CSMS that nobody should have to live with: it answers boots and pings like any other, and at every step it may do
// what a fault of docs/reliability.md does, drawn from a seed. ws only, one thread, plain sockets.
class ChaosCsms {
 public:
  explicit ChaosCsms(std::uint32_t seed);
  ~ChaosCsms();
  ChaosCsms(const ChaosCsms&) = delete;
  ChaosCsms& operator=(const ChaosCsms&) = delete;

  std::string url() const { return port_.url(); }
  // From now on it is decent: no more faults, and whoever suffers from one is thrown out.
  void calm_down() { calm_ = true; }
  std::uint64_t faults() const { return faults_; }
  std::uint64_t messages() const { return messages_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Connection {
    bool upgraded = false;
    bool silent = false;  // answers nothing any more
    bool deaf = false;    // reads nothing any more
    std::string input;
    Clock::time_point ends_at = Clock::time_point::max();  // silence does not last for ever
  };
  using Fault = void (ChaosCsms::*)(int descriptor, Connection& connection);

  void run();
  void accept_all();
  void read(int descriptor);
  void serve(int descriptor, Connection& connection);
  void answer_upgrade(int descriptor, Connection& connection);
  void take_frames(int descriptor, Connection& connection);
  void misbehave(int descriptor, Connection& connection, const std::vector<Fault>& faults);
  void send(int descriptor, const std::string& bytes);
  void drop(int descriptor, bool reset);
  void end_the_overdue();
  bool chance(double share) { return !calm_ && std::uniform_real_distribution<>(0, 1)(random_) < share; }

  // Before the upgrade.
  void refuse(int descriptor, Connection& connection);
  void answer_nonsense(int descriptor, Connection& connection);
  // Whenever.
  void hang_up(int descriptor, Connection& connection);
  void reset(int descriptor, Connection& connection);
  void fall_silent(int descriptor, Connection& connection);
  void fall_deaf(int descriptor, Connection& connection);
  // On an open connection.
  void close_with_code(int descriptor, Connection& connection);
  void break_the_protocol(int descriptor, Connection& connection);
  void stop_in_a_frame(int descriptor, Connection& connection);

  std::minstd_rand random_;
  raw::ClosedPort port_;
  int listener_ = -1;
  int epoll_ = -1;
  Clock::time_point away_until_{};  // not listening
  Clock::time_point next_outage_{};
  std::map<int, Connection> connections_;
  std::atomic<bool> calm_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> faults_{0};
  std::atomic<std::uint64_t> messages_{0};
  std::thread thread_;
};
