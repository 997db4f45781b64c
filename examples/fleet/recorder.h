#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "reservoir.h"
#include "run_record.h"
#include "samples.h"
#include "scenario.h"

namespace fleet {

// Of a call that failed; it is nobody's fault but the connection's.
constexpr const char* reason_connection_lost = "connection lost";

// Makes a RunRecord of what the engine tells. Stations go by their index in this shard.
class Recorder {
 public:
  Recorder(Setup setup, std::vector<std::string> ids, bool has_boot);

  // Where, if they are.
  void metrics_are_served(std::string url) { record_.setup.metrics_url = std::move(url); }

  // ---- What happened

  void begun(std::uint32_t station);
  void state_changed(std::uint32_t station, chargewire::State to);
  void connected(std::uint32_t station);
  void disconnected(std::uint32_t station, const chargewire::Event& event);
  void attempt_failed(std::uint32_t station, const chargewire::Event& event);
  void booted(std::uint32_t station);
  void call_sent(const Call& call);
  void call_answered(const Call& call, double latency);
  void call_failed(const Call& call, const std::string& reason, const std::string& message);
  void command(const std::string& action, bool answered);
  void message_accepted() { ++record_.totals.messages_accepted; }
  void incident(const std::string& text);
  // Of the library's log. What it says of an endpoint it has told by an event before.
  void logged(const std::string& text);
  // `text` is what its event says, which is told in these words.
  void endpoint(const std::string& text, const std::string& words);

  // ---- Looking at the stations, once per sample

  void begin_look();
  void look(std::uint32_t station, const cwire_stats& stats);
  // How many stations wait for their turn to dial, and how many have it; for how long an open breaker still holds them
  // back, in seconds.
  void look_at_endpoints(std::uint64_t waiting, std::uint64_t dialling, double breaker_left);
  // The last look at this station: it has ended.
  void look_last(std::uint32_t station, const cwire_stats& stats);
  // Makes a sample of what was since the last.
  void end_look();

  // ---- The end

  // No new call is made any more: what tells how the fleet stands is taken now, before all of it is disconnected.
  void drain_began();
  // Afterwards record() is complete.
  void finish(bool drained, std::string end);

  // While the run goes on, all but promises, samples, handshakes, jitter and the whole run's percentiles.
  const RunRecord& record() const { return record_; }
  // The last five minutes, second by second.
  const std::deque<Sample>& recent() const { return recent_; }
  // Of the last ten seconds.
  const Percentiles& recent_call_latency() const { return recent_call_latency_; }
  // For how long nobody dials, because of an open breaker; 0: it is not open.
  double breaker_left() const { return breaker_left_; }
  bool all_promises_kept() const;
  double seconds_since_start() const;
  const std::string& id(std::uint32_t station) const { return stations_[station].id; }
  std::uint64_t stations_begun() const { return begun_; }

 private:
  struct Sums {
    std::uint64_t sent = 0, not_sent = 0, received = 0, queued = 0, bytes_sent = 0, bytes_received = 0, wire_sent = 0,
                  wire_received = 0;
    void add(const cwire_stats& stats);
  };

  struct Station {
    std::string id;
    chargewire::State state = chargewire::State::disconnected;
    bool begun = false;
    bool connected_once = false;
    bool booted = false;
    bool ended = false;
    std::uint32_t connections = 0, lost = 0, attempts_failed = 0, calls_failed = 0;
    std::int32_t quality = 0;
    std::int64_t last_round_trip_ns = 0;
    double round_trip = 0;
    const std::string* last_error = nullptr;  // the cause of a Kind

    std::uint64_t trouble() const { return std::uint64_t{lost} + attempts_failed + calls_failed; }
  };

  // Failures of one kind. None is ever removed.
  struct Kind {
    std::uint64_t count = 0;
    std::vector<bool> stations;
    std::string cause;
    std::string example;
  };
  // Whether a connection was lost, status, phase, and of what applies: errno, X.509 result, HTTP status, close code.
  using FailureKey = std::array<std::int32_t, 7>;

  void count(Kind& kind, std::uint32_t station, const std::string& cause, const std::string& example);
  void failed(std::uint32_t station, const chargewire::Event& event, bool lost);
  void rank_worst();
  void tell_kinds();
  template <class Why>
  std::string missing_by_cause(bool Station::*what, Why why) const;
  void watch_for_outages(const Sample& sample);
  void judge();

  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  RunRecord record_;
  std::vector<Station> stations_;
  bool has_boot_;
  bool frozen_ = false;  // how the fleet stood was taken

  std::string last_of_endpoint_;  // until the log has said it too
  std::map<FailureKey, Kind> failures_;
  std::map<std::pair<std::string, std::string>, Kind> call_failures_;
  struct ActionLine {
    ActionCount count;
    Reservoir latencies{20000};
  };
  std::map<std::string, ActionLine> actions_;
  std::map<std::string, ActionCount> commands_;

  // Between two samples.
  Totals last_;
  Sums living_, ended_;
  double last_at_ = 0;
  std::uint64_t last_connected_ = 0;
  bool in_outage_ = false;
  std::uint64_t connected_before_outage_ = 0;
  double last_cpu_ = 0, cpu_at_start_ = 0, cpu_at_all_connected_ = 0;
  std::vector<float> round_trips_, latencies_, handshakes_[6], jitters_;
  std::array<std::uint64_t, 5> qualities_{};
  std::array<std::uint64_t, states> in_state_{};
  std::uint64_t begun_ = 0;
  std::uint64_t waiting_ = 0, dialling_ = 0;  // of all endpoints
  double breaker_left_ = 0;

  Reservoir all_round_trips_{100000}, all_latencies_{100000};
  std::deque<Sample> recent_;
  std::deque<std::vector<float>> recent_latencies_;
  Percentiles recent_call_latency_;
  Samples samples_;
};

}  // namespace fleet
