#include "scenario.h"

#include <cmath>
#include <utility>

namespace fleet {
namespace {

// Where the CSMS says none, which OCPP leaves to the station.
constexpr Duration interval_default = std::chrono::seconds(300);
constexpr Duration boot_retry_default = std::chrono::seconds(60);
// Nobody is to be asked more often, whatever the CSMS says.
constexpr Duration interval_min = std::chrono::seconds(1);

// SplitMix64: 64 well-mixed bits from each state, of which there is one number per station.
std::uint64_t mix(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

std::uint32_t bit(std::uint32_t connector) { return std::uint32_t{1} << (connector - 1); }

// The connector of the lowest bit that is set.
std::uint32_t lowest(std::uint32_t bits) {
  std::uint32_t connector = 1;
  while ((bits & bit(connector)) == 0) ++connector;
  return connector;
}

}  // namespace

Scenario::Scenario(const ScenarioSpec& spec, const std::vector<std::uint64_t>& numbers, std::uint64_t seed,
                   std::uint64_t transactions_before)
    : spec_(spec), stations_(numbers.size()) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    Station& station = stations_[i];
    std::uint64_t state = seed;
    station.random = mix(state) ^ numbers[i] * 0xd1342543de82ef95u;
    station.heartbeat_interval =
        spec_.heartbeat && spec_.heartbeat->interval ? *spec_.heartbeat->interval : interval_default;
    station.connectors.resize(spec_.connectors);
    for (Connector& connector : station.connectors) {
      connector.energy = std::floor(random(station) * 1e7);
      connector.charging = spec_.meter_values && !spec_.transactions;
      connector.transaction = transactions_before;
    }
  }
}

double Scenario::random(Station& station) { return static_cast<double>(mix(station.random) >> 11) * 0x1p-53; }

Duration Scenario::varied(Station& station, Duration interval) {
  const double factor = 1 + spec_.jitter * (2 * random(station) - 1);
  return Duration(static_cast<std::int64_t>(static_cast<double>(interval.count()) * factor + 0.5));
}

std::uint32_t Scenario::all_connectors() const { return bit(spec_.connectors) | (bit(spec_.connectors) - 1); }

// ---- Timers

void Scenario::set(Timer timer, std::uint32_t station, std::uint32_t connector, Duration at) {
  const std::uint32_t turn = connector == 0 ? 0 : stations_[station].connectors[connector - 1].turn;
  timers_.push({at, station, turn, timer, static_cast<std::uint8_t>(connector)});
}

// Timers go on while a station is away, so that a fleet that comes back at once does not beat at once for ever after.
// What only tells how things stand is not made up for.
void Scenario::fire(const Entry& entry) {
  Station& station = stations_[entry.station];
  switch (entry.timer) {
    case Timer::boot:
      station.boot = station.connected && !station.booted;
      break;
    case Timer::heartbeat:
      station.heartbeat = station.connected;
      set(Timer::heartbeat, entry.station, 0, entry.at + varied(station, station.heartbeat_interval));
      break;
    case Timer::status:
      if (station.connected) station.status = all_connectors();
      set(Timer::status, entry.station, 0, entry.at + varied(station, *spec_.status->interval));
      break;
    case Timer::meter_values:
      for (std::uint32_t connector = 1; connector <= spec_.connectors && station.connected; ++connector) {
        ask_for_meter_values(station, connector);
      }
      set(Timer::meter_values, entry.station, 0, entry.at + varied(station, spec_.meter_values->interval));
      break;
    case Timer::begin:
      if (entry.turn == station.connectors[entry.connector - 1].turn)
        begin_transaction(entry.station, entry.connector, nullptr, entry.at);
      break;
    case Timer::end:
      if (entry.turn == station.connectors[entry.connector - 1].turn)
        end_transaction(entry.station, entry.connector, StopReason::local, entry.at);
      break;
  }
  stand_in_line(entry.station);
}

// Once per station, when it may speak for the first time. The first time of each is anywhere in its interval.
void Scenario::begin(std::uint32_t index, Duration now) {
  Station& station = stations_[index];
  const auto somewhere_in = [&](Duration interval) {
    return now + Duration(static_cast<std::int64_t>(static_cast<double>(interval.count()) * random(station)));
  };
  station.begun = true;
  if (spec_.status) station.status = all_connectors();
  if (spec_.heartbeat) set(Timer::heartbeat, index, 0, somewhere_in(station.heartbeat_interval));
  if (spec_.status && spec_.status->interval) set(Timer::status, index, 0, somewhere_in(*spec_.status->interval));
  if (spec_.meter_values) set(Timer::meter_values, index, 0, somewhere_in(spec_.meter_values->interval));
  if (spec_.transactions) {
    for (std::uint32_t connector = 1; connector <= spec_.connectors; ++connector) {
      set(Timer::begin, index, connector, somewhere_in(spec_.transactions->pause));
    }
  }
}

// Of a transaction that has ended its stop tells.
void Scenario::ask_for_meter_values(Station& station, std::uint32_t number) {
  const Connector& connector = station.connectors[number - 1];
  if (!connector.in_transaction) {
    station.meter_values |= bit(number);
  } else if (connector.charging) {
    station.update |= bit(number);
  }
}

void Scenario::begin_transaction(std::uint32_t index, std::uint32_t number, std::shared_ptr<const RemoteStart> how,
                                 Duration now) {
  Station& station = stations_[index];
  Connector& connector = station.connectors[number - 1];
  connector.turn += 1;
  if (connector.in_transaction) {  // the station was away, and the CSMS does not know yet how the last one ended
    set(Timer::begin, index, number, now + varied(station, spec_.transactions->pause));
    return;
  }
  read(station, connector, now);
  station.meter_values &= ~bit(number);
  connector.charging = true;
  connector.in_transaction = true;
  connector.transaction += 1;
  connector.remote_start = std::move(how);
  connector.csms_transaction.reset();
  connector.messages = 0;
  station.start |= bit(number);
  if (spec_.status) station.status |= bit(number);
  set(Timer::end, index, number, now + varied(station, spec_.transactions->duration));
}

void Scenario::end_transaction(std::uint32_t index, std::uint32_t number, StopReason reason, Duration now) {
  Station& station = stations_[index];
  Connector& connector = station.connectors[number - 1];
  read(station, connector, now);
  connector.charging = false;
  connector.stop_reason = reason;
  connector.turn += 1;
  station.update &= ~bit(number);
  station.stop |= bit(number);
  if (spec_.status) station.status |= bit(number);
  set(Timer::begin, index, number, now + varied(station, spec_.transactions->pause));
}

void Scenario::give_up_transaction(std::uint32_t index, std::uint32_t number, Duration now) {
  Station& station = stations_[index];
  Connector& connector = station.connectors[number - 1];
  if (connector.charging) end_transaction(index, number, StopReason::local, now);
  connector.in_transaction = false;
  station.stop &= ~bit(number);
}

// ---- What happened

void Scenario::connected(std::uint32_t index, Version version, Duration now) {
  Station& station = stations_[index];
  station.version = version;
  station.connected = true;
  if (!spec_.boot) station.booted = station.ever_booted = true;
  station.boot = !station.booted;
  if (station.booted && !station.begun) begin(index, now);
  stand_in_line(index);
}

void Scenario::again(Station& station, const Call& call) {
  switch (call.action) {
    case Action::boot:
      station.boot = !station.booted;
      break;
    // The CSMS must learn of all of a transaction, in order (2.0.1 E12).
    case Action::start:
      station.start |= bit(call.connector);
      station.connectors[call.connector - 1].messages -= 1;
      break;
    case Action::update:
      station.connectors[call.connector - 1].messages -= 1;
      ask_for_meter_values(station, call.connector);
      break;
    case Action::stop:
      station.stop |= bit(call.connector);
      station.connectors[call.connector - 1].messages -= 1;
      break;
    case Action::status:
      station.status |= bit(call.connector);
      break;
    case Action::meter_values:
    case Action::heartbeat:
      break;  // the next will do
  }
}

std::optional<Call> Scenario::disconnected(std::uint32_t index) {
  Station& station = stations_[index];
  station.connected = false;
  station.boot = station.heartbeat = false;
  station.update = station.meter_values = 0;
  const std::optional<Call> lost = std::exchange(station.open, std::nullopt);
  if (lost) {
    --under_way_;
    again(station, *lost);
  }
  return lost;
}

void Scenario::not_sent(std::uint32_t index) {
  Station& station = stations_[index];
  if (!station.open) return;
  again(station, *station.open);
  station.open.reset();
  --under_way_;
}

std::optional<Call> Scenario::close(std::uint32_t index, std::uint64_t id) {
  Station& station = stations_[index];
  if (!station.open || station.open->id != id) return std::nullopt;
  --under_way_;
  if (station.open->action == Action::stop) station.connectors[station.open->connector - 1].in_transaction = false;
  stand_in_line(index);
  return std::exchange(station.open, std::nullopt);
}

std::optional<Call> Scenario::answered(std::uint32_t index, std::uint64_t id, const Answer& answer, Duration now) {
  std::optional<Call> call = close(index, id);
  if (!call) return call;
  Station& station = stations_[index];
  if (call->action == Action::boot) {
    const Duration interval = answer.interval.value_or(Duration(0));
    if (answer.registration != Answer::accepted) {
      set(Timer::boot, index, 0, now + varied(station, interval >= interval_min ? interval : boot_retry_default));
      return call;
    }
    station.booted = station.ever_booted = true;
    if (spec_.heartbeat && !spec_.heartbeat->interval) {
      station.heartbeat_interval = interval >= interval_min ? interval : interval_default;
    }
    if (spec_.status) station.status = all_connectors();
    if (!station.begun) begin(index, now);
  } else if (call->action == Action::start) {
    Connector& connector = station.connectors[call->connector - 1];
    connector.csms_transaction = answer.transaction;
    // As with StopTransactionOnInvalidId (1.6), StopTxOnInvalidId (2.x).
    if (!answer.authorized && connector.charging)
      end_transaction(index, call->connector, StopReason::deauthorized, now);
  }
  return call;
}

std::optional<Call> Scenario::refused(std::uint32_t index, std::uint64_t id, Duration now) {
  std::optional<Call> call = close(index, id);
  if (!call) return call;
  if (call->action == Action::boot) {
    set(Timer::boot, index, 0, now + varied(stations_[index], boot_retry_default));
  } else if (call->action == Action::start && call->version == Version::v1_6) {
    // As with TransactionMessageAttempts 1. It has no id, so nothing can be told of it.
    give_up_transaction(index, call->connector, now);
  }
  return call;
}

// ---- What the CSMS wants

bool Scenario::trigger(std::uint32_t index, Action action, std::uint32_t connector) {
  Station& station = stations_[index];
  if (connector > spec_.connectors) return false;
  const std::uint32_t wanted = connector == 0 ? all_connectors() : bit(connector);
  switch (action) {
    case Action::boot:
      if (!spec_.boot) return false;
      station.boot = true;
      break;
    case Action::heartbeat:
      station.heartbeat = true;
      break;
    case Action::status:
      station.status |= wanted;
      break;
    case Action::meter_values:
      for (std::uint32_t number = 1; number <= spec_.connectors; ++number) {
        if ((wanted & bit(number)) != 0) ask_for_meter_values(station, number);
      }
      break;
    default:
      return false;
  }
  stand_in_line(index);
  return true;
}

bool Scenario::remote_start(std::uint32_t index, std::uint32_t number, RemoteStart how, Duration now) {
  if (!spec_.transactions || number > spec_.connectors) return false;
  if (number == 0) number = 1;
  if (stations_[index].connectors[number - 1].in_transaction) return false;
  begin_transaction(index, number, std::make_shared<const RemoteStart>(std::move(how)), now);
  stand_in_line(index);
  return true;
}

bool Scenario::remote_stop(std::uint32_t index, std::int64_t csms_transaction, Duration now) {
  for (std::uint32_t number = 1; number <= spec_.connectors; ++number) {
    const Connector& connector = stations_[index].connectors[number - 1];
    if (connector.charging && connector.in_transaction && connector.csms_transaction == csms_transaction) {
      end_transaction(index, number, StopReason::remote, now);
      stand_in_line(index);
      return true;
    }
  }
  return false;
}

bool Scenario::remote_stop(std::uint32_t index, std::uint32_t number, std::uint64_t transaction, Duration now) {
  if (number == 0 || number > spec_.connectors) return false;
  const Connector& connector = stations_[index].connectors[number - 1];
  if (!connector.charging || !connector.in_transaction || connector.transaction != transaction) return false;
  end_transaction(index, number, StopReason::remote, now);
  stand_in_line(index);
  return true;
}

void Scenario::reset(std::uint32_t index) { stations_[index].booted = !spec_.boot; }

// ---- What is to be done

void Scenario::stand_in_line(std::uint32_t index) {
  Station& station = stations_[index];
  if (station.in_line) return;
  station.in_line = true;
  ready_.push_back(index);
}

MeterReading Scenario::read(Station& station, Connector& connector, Duration now) {
  double power = 0;
  if (connector.charging) {
    power = (spec_.meter_values ? spec_.meter_values->power : 11000) * (0.9 + 0.1 * random(station));
    connector.energy += power * std::chrono::duration<double, std::ratio<3600>>(now - connector.read_at).count();
  }
  connector.read_at = now;
  return {static_cast<std::uint64_t>(connector.energy), std::floor(power)};
}

// What matters most first. Before the boot is accepted a station says nothing else (1.6 4.2, 2.0.1 B02 and B03).
std::optional<Call> Scenario::next_call(std::uint32_t index, Duration now) {
  Station& station = stations_[index];
  if (!station.connected || station.open || draining_) return std::nullopt;
  Call call;
  call.station = index;
  call.version = station.version;
  const auto take = [&call](std::uint32_t& bits, Action action) {
    if (bits == 0) return false;
    call.connector = lowest(bits);
    call.action = action;
    bits &= bits - 1;
    return true;
  };
  if (station.boot) {
    station.boot = false;
    call.action = Action::boot;
  } else if (!station.booted) {
    return std::nullopt;
  } else if (take(station.start, Action::start) || take(station.stop, Action::stop) ||
             take(station.status, Action::status) || take(station.update, Action::update) ||
             take(station.meter_values, Action::meter_values)) {
    Connector& connector = station.connectors[call.connector - 1];
    call.charging = connector.charging;
    if (call.action != Action::status) call.meter = read(station, connector, now);
    call.transaction = connector.transaction;
    call.remote_start = connector.remote_start;
    call.csms_transaction = connector.csms_transaction.value_or(0);
    call.stop_reason = connector.stop_reason;
    if (call.action != Action::status && call.action != Action::meter_values)
      call.transaction_messages = connector.messages++;
  } else if (station.heartbeat) {
    station.heartbeat = false;
    call.action = Action::heartbeat;
  } else {
    return std::nullopt;
  }
  call.id = ++station.last_id;
  station.open = call;
  ++under_way_;
  deadlines_.push_back({now + spec_.call_timeout, index, call.id});
  return call;
}

std::vector<Call> Scenario::due(Duration now, std::vector<Call>& timed_out) {
  while (!deadlines_.empty() && deadlines_.front().at <= now) {
    const Deadline deadline = deadlines_.front();
    deadlines_.pop_front();
    if (std::optional<Call> call = refused(deadline.station, deadline.id, now)) timed_out.push_back(*call);
  }
  while (!timers_.empty() && timers_.top().at <= now) {
    const Entry entry = timers_.top();
    timers_.pop();
    fire(entry);
  }
  std::vector<Call> calls;
  for (const std::uint32_t index : std::exchange(ready_, {})) {
    stations_[index].in_line = false;
    if (std::optional<Call> call = next_call(index, now)) calls.push_back(*call);
  }
  return calls;
}

}  // namespace fleet
