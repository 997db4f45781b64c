#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "ocpp/version.h"
#include "spec.h"

// What each station does next. Knows neither sockets nor clocks: whoever drives it says what happened and when, so that
// a day of ten thousand stations is tested in a moment. Times are since the start of the run and never go back.
namespace fleet {

using ocpp::Version;

// What a station tells or asks the CSMS. start, update and stop are StartTransaction, MeterValues and StopTransaction
// in 1.6, and TransactionEvent in 2.x.
enum class Action : std::uint8_t { boot, start, update, stop, status, meter_values, heartbeat };
constexpr std::size_t actions = 7;

struct MeterReading {
  std::uint64_t energy = 0;  // Wh, of the register, which never goes back
  double power = 0;          // W
};

// What the CSMS said when it began a transaction.
struct RemoteStart {
  std::string id_token;
  std::string id_token_type;  // 2.x
  std::int64_t id = 0;        // 2.x
};

enum class StopReason : std::uint8_t { local, remote, deauthorized };

// One call to be sent now. A station has one under way at a time (OCPP-J 4.1.1).
struct Call {
  std::uint32_t station = 0;
  std::uint64_t id = 0;
  Version version{};
  Action action{};
  std::uint32_t connector = 0;  // from 1; of boot and heartbeat 0
  bool charging = false;        // of the connector
  MeterReading meter;
  // Of start, update and stop:
  std::uint64_t transaction = 0;                    // counted by its connector
  std::shared_ptr<const RemoteStart> remote_start;  // none: a driver began it
  std::int64_t csms_transaction = 0;                // of update and stop: the id that the CSMS gave it, in 1.6
  std::uint64_t transaction_messages = 0;           // before this one
  StopReason stop_reason{};                         // of stop
};

// What the CSMS answered, as far as it matters here.
struct Answer {
  enum Registration { accepted, pending, rejected } registration = accepted;  // of BootNotification
  std::optional<Duration> interval;                                           // likewise
  std::int64_t transaction = 0;                                               // of StartTransaction
  bool authorized = true;                                                     // of start: the idToken is accepted
};

class Scenario {
 public:
  // `numbers` are those of the fleet's stations that run here: a station behaves alike in whatever shard it is. Its
  // transactions are counted from `transactions_before` + 1, so that they can be others than those of an earlier run.
  Scenario(const ScenarioSpec& spec, const std::vector<std::uint64_t>& numbers, std::uint64_t seed,
           std::uint64_t transactions_before = 0);

  // ---- What happened

  void connected(std::uint32_t station, Version version, Duration now);
  // Returns the call that got no answer by it.
  std::optional<Call> disconnected(std::uint32_t station);
  // A CALLRESULT. Returns the call that it answers; none if that is not under way any more.
  std::optional<Call> answered(std::uint32_t station, std::uint64_t id, const Answer& answer, Duration now);
  // A CALLERROR, or an answer that makes no sense; likewise.
  std::optional<Call> refused(std::uint32_t station, std::uint64_t id, Duration now);
  // The call was not accepted for sending: the station does it again when it is connected anew.
  void not_sent(std::uint32_t station);

  // ---- What the CSMS wants. False: this is nothing that the scenario does

  bool trigger(std::uint32_t station, Action action, std::uint32_t connector);
  bool remote_start(std::uint32_t station, std::uint32_t connector, RemoteStart how, Duration now);
  // By the id that the CSMS gave it (1.6), or by connector and count, of which its id is made (2.x).
  bool remote_stop(std::uint32_t station, std::int64_t csms_transaction, Duration now);
  bool remote_stop(std::uint32_t station, std::uint32_t connector, std::uint64_t transaction, Duration now);
  void set_heartbeat_interval(std::uint32_t station, Duration interval) {
    stations_[station].heartbeat_interval = interval;
  }
  // Its next connection begins with a boot.
  void reset(std::uint32_t station);

  // ---- What is to be done now

  // The calls whose time has come. Those that have waited for an answer for too long are added to `timed_out`.
  std::vector<Call> due(Duration now, std::vector<Call>& timed_out);
  // From now on no call is made; what is under way may end.
  void drain() { draining_ = true; }
  std::size_t under_way() const { return under_way_; }

  // ---- How it stands

  // The call under way, if there is one.
  const Call* open(std::uint32_t station) const {
    return stations_[station].open ? &*stations_[station].open : nullptr;
  }
  bool booted(std::uint32_t station) const { return stations_[station].ever_booted; }
  std::uint32_t connectors() const { return spec_.connectors; }
  Duration heartbeat_interval(std::uint32_t station) const { return stations_[station].heartbeat_interval; }
  bool charging(std::uint32_t station, std::uint32_t connector) const {
    return stations_[station].connectors[connector - 1].charging;
  }

 private:
  enum class Timer : std::uint8_t { boot, heartbeat, status, meter_values, begin, end };

  struct Connector {
    double energy = 0;  // Wh
    Duration read_at{};
    bool charging = false;
    bool in_transaction = false;  // until the CSMS knows of its end
    std::uint64_t transaction = 0;
    std::shared_ptr<const RemoteStart> remote_start;
    std::optional<std::int64_t> csms_transaction;  // none as long as StartTransaction has no answer
    std::uint64_t messages = 0;                    // of the transaction
    StopReason stop_reason{};
    std::uint32_t turn = 0;  // counts begins and ends, so that timers of those that were overtaken mean nothing
  };

  struct Station {
    Version version{};
    bool connected = false;
    bool booted = false;
    bool ever_booted = false;
    bool begun = false;    // its timers run
    bool in_line = false;  // is in ready_
    std::uint64_t random = 0;
    std::uint64_t last_id = 0;
    std::optional<Call> open;
    Duration heartbeat_interval{};
    // What it is to say as soon as it may. Of connectors a bit each.
    bool boot = false;
    bool heartbeat = false;
    std::uint32_t start = 0, update = 0, stop = 0, status = 0, meter_values = 0;
    std::vector<Connector> connectors;
  };

  struct Entry {
    Duration at;
    std::uint32_t station;
    std::uint32_t turn;
    Timer timer;
    std::uint8_t connector;
    bool operator>(const Entry& other) const { return at > other.at; }
  };

  struct Deadline {
    Duration at;
    std::uint32_t station;
    std::uint64_t id;
  };

  double random(Station& station);  // from 0 to 1
  Duration varied(Station& station, Duration interval);
  void set(Timer timer, std::uint32_t station, std::uint32_t connector, Duration at);
  void fire(const Entry& entry);
  void begin(std::uint32_t station, Duration now);
  void ask_for_meter_values(Station& station, std::uint32_t connector);
  void begin_transaction(std::uint32_t station, std::uint32_t connector, std::shared_ptr<const RemoteStart> how,
                         Duration now);
  void end_transaction(std::uint32_t station, std::uint32_t connector, StopReason reason, Duration now);
  // It is over without the CSMS having to know.
  void give_up_transaction(std::uint32_t station, std::uint32_t connector, Duration now);
  void stand_in_line(std::uint32_t station);
  std::optional<Call> close(std::uint32_t station, std::uint64_t id);
  std::optional<Call> next_call(std::uint32_t station, Duration now);
  MeterReading read(Station& station, Connector& connector, Duration now);
  // What was under way is to be said again.
  void again(Station& station, const Call& call);
  std::uint32_t all_connectors() const;

  ScenarioSpec spec_;
  std::vector<Station> stations_;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> timers_;
  std::deque<Deadline> deadlines_;    // all calls have the same time, so they stand in order
  std::vector<std::uint32_t> ready_;  // may have something to say
  std::size_t under_way_ = 0;
  bool draining_ = false;
};

}  // namespace fleet
