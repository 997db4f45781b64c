#pragma once

#include <chargewire/chargewire.hpp>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ocpp.h"
#include "recorder.h"
#include "scenario.h"
#include "signals.h"
#include "spec.h"

namespace fleet {

// Who shows the run while it goes on.
class Observer {
 public:
  virtual ~Observer() = default;
  // Once a second, and when something happened that is to be seen.
  virtual void show(const Recorder& recorder, bool draining) = 0;
  // The terminal is of another size.
  virtual void resized() {}
  // Ctrl-Z.
  virtual void suspend() { std::raise(SIGSTOP); }
  // Readable when somebody types; -1: nobody can.
  virtual int keyboard() const { return -1; }
  // True: whoever typed wants an end.
  virtual bool end_typed() { return false; }
};

// Runs a fleet: one thread, which takes the library's events in batches and does what the scenario says is due, a
// hundred times a second. Nothing that is measured depends on that: times of messages are the library's.
class Engine {
 public:
  // Throws SpecError and chargewire::Error for what is wrong with the configuration.
  explicit Engine(const FleetSpec& spec);

  // What would run.
  const Setup& setup() const { return recorder_.record().setup; }

  enum class End {
    drained,  // in order
    cut_off,  // asked to end a second time; the manager still lives
    failed,   // a station could not even be begun; the record's `end` says why
  };
  End run(const Signals& signals, Observer& observer);

  const Recorder& recorder() const { return recorder_; }
  // Of the last signal; 0 if there was none.
  int signal() const { return signal_; }

 private:
  struct Station {
    std::uint64_t index = 0;  // in the whole fleet
    chargewire::Station token;
    Version version{};
    StationFacts facts;
    std::int64_t sent_at_ns = 0;  // of the call under way; wall clock
    bool resets = false;          // the CSMS asked for it
  };

  Engine(const FleetSpec& spec, const std::vector<std::uint64_t>& indices, const chargewire::Config& config);
  chargewire::Config config_of(std::uint32_t index) const;
  std::string url_of(std::uint32_t index) const;
  // Has the library judge the stations as they will be connected.
  void rehearse(chargewire::Config config) const;
  Duration now() const;
  void begin_stations(Duration now);
  void begin_station(std::uint32_t index);
  void take_events(Duration now);
  void take(const chargewire::Event& event, Duration now);
  void take_message(std::uint32_t index, const chargewire::Event& event, Duration now);
  void answer_command(std::uint32_t index, const Incoming& command, Duration now);
  void make_calls(Duration now);
  void look();
  void ask_to_end(const std::string& why);
  void drain(Duration now);
  void wait(const Signals& signals, const Observer& observer, Duration until) const;
  void take_endpoint(const chargewire::Event& event);
  void lost_call(const std::optional<Call>& call, const char* reason, const std::string& message);

  FleetSpec spec_;
  std::vector<Station> stations_;
  std::vector<chargewire::Config> protocol_configs_;
  std::unique_ptr<chargewire::Manager> manager_;
  Scenario scenario_;
  Recorder recorder_;
  std::chrono::steady_clock::time_point started_;
  std::uint32_t next_to_begin_ = 0;

  std::vector<std::string> texts_;
  std::vector<chargewire::Outgoing> outgoing_;
  std::vector<Call> timed_out_;

  int signal_ = 0;
  Duration signal_at_{};
  unsigned asked_to_end_ = 0;
  std::string why_;
  std::optional<Duration> drain_until_;
  bool shutting_down_ = false;
  bool shut_down_ = false;
};

}  // namespace fleet
