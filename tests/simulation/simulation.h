#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "budget_judge.h"
#include "dice.h"
#include "events.h"
#include "governor/local_gate.h"
#include "net/timer_queue.h"
#include "pacer.h"
#include "scenario.h"
#include "station.h"
#include "station/offline_queue.h"
#include "trace.h"

namespace simulation {

constexpr std::int32_t kNoSubprotocol = 0;

struct Result {
  std::uint64_t hash = 0;
  std::uint64_t steps = 0;
  Duration simulated{};
  std::uint64_t connections = 0;
  std::uint64_t messages = 0;
  std::uint32_t attempts_per_second_max = 0;  // that reached an endpoint, in a second of the clock
  Duration back_after{};                      // the last trouble was over, the last station was connected
  OfflineUse offline;
};

// One run: the stations, the network, and the CSMS, on a clock of their own. Single-threaded, and without any chance or
// time but its own.
class Simulation {
 public:
  Simulation(const Scenario& scenario, std::uint64_t seed, bool printed);
  ~Simulation();

  // Throws Broken.
  Result run();

  // For the stations.
  Trace& trace() { return trace_; }
  Dice& dice() { return dice_; }
  cwire::Random& random() { return random_; }
  cwire::TimerQueue& timers() { return timers_; }
  const std::shared_ptr<cwire::OfflineBudget>& offline_budget() const { return offline_budget_; }
  BudgetJudge& budget_judge() { return budget_judge_; }
  void plan(Event event) { events_.plan(event); }
  void flush_soon(std::uint32_t station) { dirty_.push_back(station); }
  const Endpoint& endpoint_of(const Group& group) const { return scenario_.endpoints[group.endpoint]; }
  // Begins a connection: its SYN is on its way, or nothing is, for want of descriptors.
  void dial(Station& station, std::uint32_t number);
  void to_csms(Station& station, Event event);
  void to_station(Station& station, Event event);
  void csms_gets_ping(Station& station, std::uint32_t number, std::uint64_t nonce);
  void csms_gets_close(Station& station, std::uint32_t number);
  void has_closed(std::uint32_t station);
  void count_message() { ++result_.messages; }
  void count_connection();
  Pacer* pacer_of(const Group& group) { return pacers_.empty() ? nullptr : pacers_[group.endpoint].get(); }
  // Something was said to the pacer of its endpoint: others may go now.
  void paced(const Group& group);
  void dial_soon(std::uint32_t station) { to_dial_.push_back(station); }

 private:
  struct Csms {
    std::deque<Event> waiting;  // for a worker
    std::uint32_t working = 0;
    std::uint32_t attempts = 0;  // in this second
    std::int64_t second = 0;
  };

  void turn();
  TimePoint next() const;
  void run_until(TimePoint end);
  void run_until_all_are_back();
  void shut_down();
  bool anything_left() const;
  void handle(const Event& event);
  void begin(const Trouble& trouble);
  void reset(std::uint32_t endpoint);
  void serve(std::uint32_t endpoint);
  void csms_handles(Station& station, const Event& event);
  void csms_works(std::uint32_t endpoint);
  void answer(Station& station, std::uint32_t number);
  void end_connection(Station& station, std::uint32_t number, std::int32_t how);
  void count_attempt(std::uint32_t endpoint);
  // A trouble of that kind which is there now, and strikes this time.
  const Trouble* strikes(Trouble::Kind kind, std::uint32_t endpoint);
  TimePoint arrival(const Endpoint& endpoint, std::uint32_t index, Line& line, bool up);
  void connect(std::uint32_t station);
  Duration longest_way_back() const;

  const Scenario& scenario_;
  Trace trace_;
  Dice dice_;
  cwire::Random random_;
  cwire::TimerQueue timers_;
  Events events_;
  TimePoint now_;
  TimePoint last_connected_{};
  cwire::LocalGate gate_;
  const std::shared_ptr<cwire::OfflineBudget> offline_budget_;  // of all stations
  BudgetJudge budget_judge_;
  std::vector<std::unique_ptr<Pacer>> pacers_;  // of each endpoint; none: nobody paces
  std::vector<std::uint32_t> to_dial_;
  std::vector<std::unique_ptr<Station>> stations_;
  std::vector<const Group*> groups_;  // of each station
  std::vector<Spread> spreads_;       // of each group
  std::vector<Csms> csms_;            // of each endpoint
  std::vector<std::size_t> present_;  // numbers of the troubles that are there
  std::vector<std::uint32_t> dirty_;
  std::vector<Duration> again_;  // when a station is connected anew after its end; negative: never
  std::uint64_t lines_ = 0;
  std::uint64_t turns_at_once_ = 0;
  bool shutting_down_ = false;
  Result result_;
};

}  // namespace simulation
