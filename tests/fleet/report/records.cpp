#include "records.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace {

using namespace fleet;

Percentiles around(std::uint64_t count, double p50) { return {count, p50, 2.1 * p50, 6.5 * p50, 14 * p50}; }

// 10,000 stations, ten minutes; the CSMS is away from 5:00 to 5:40.
RunRecord outage() {
  RunRecord record;
  Setup& setup = record.setup;
  setup.file = "ten_thousand.yaml";
  setup.url = "wss://csms.example/ocpp";
  setup.first_id = "CP00000";
  setup.last_id = "CP39996";
  setup.stations = 10000;
  setup.stations_of_all = 40000;
  setup.shard_index = 0;
  setup.shards = 4;
  setup.ramp = 800;
  setup.duration = 600;
  setup.seed = 4711;
  setup.protocols = {{"1.6", 7000}, {"2.1, 2.0.1", 3000}};
  setup.scenario = {
      {"boot", "BootNotification when connected"}, {"heartbeat", "every 30 s"}, {"meter values", "every 60 s"}};
  setup.breaker = "on";
  setup.library = {{"csms.ping_interval", "30s"}, {"csms.auth.password", "***"}};
  setup.library_version = "0.1.0";
  setup.host = "load-7";
  setup.host_cores = 2;
  record.started_at = WallTime(std::chrono::seconds(1795667400));
  record.ended_at = record.started_at + std::chrono::milliseconds(604210);
  record.drained = true;
  record.end = "the duration is over";
  record.all_connected_at = 52;
  record.drain_began_at = 600;

  std::uint64_t before = 0;
  for (int at = 2; at <= 604; at += 2) {
    Sample sample;
    sample.at = at;
    sample.span = 2;
    const double noise = 1 + 0.15 * std::sin(at * 1.7) * std::cos(at * 0.37);
    std::uint64_t connected = 10000, reconnecting = 0, connecting = 0, not_started = 0, closed = 0;
    if (at < 52) {
      connected = static_cast<std::uint64_t>(at) * 195;
      connecting = std::min<std::uint64_t>(10000 - connected, 300);
      not_started = 10000 - connected - connecting;
    } else if (at >= 300 && at < 340) {
      connected = at < 312 ? 10000 - static_cast<std::uint64_t>(at - 300) * 830 : 40;
      reconnecting = 10000 - connected;
    } else if (at >= 340 && at < 420) {
      connected = std::min<std::uint64_t>(10000, 40 + static_cast<std::uint64_t>(at - 340) * 130);
      reconnecting = 10000 - connected;
    } else if (at > 600) {
      connected = at == 602 ? 2600 : 0;
      closed = 10000 - connected;
    }
    sample.stations[CWIRE_STATE_CONNECTED] = connected;
    sample.stations[CWIRE_STATE_CONNECTING] = connecting;
    sample.stations[CWIRE_STATE_RECONNECTING] = reconnecting;
    sample.stations[CWIRE_STATE_CLOSED] = closed;
    sample.not_started = not_started;
    sample.connects = connected > before ? static_cast<double>(connected - before) / 2 : 0;
    sample.disconnects = connected < before && at <= 600 ? static_cast<double>(before - connected) / 2 : 0;
    sample.attempts_failed = at >= 302 && at < 342 ? 80 * noise : 0;
    sample.messages_sent = static_cast<double>(connected) / 20 * noise + sample.connects;
    sample.messages_received = static_cast<double>(connected) / 20 * (2 - noise) + sample.connects;
    sample.bytes_sent = 180 * sample.messages_sent;
    sample.bytes_received = 90 * sample.messages_received;
    sample.calls_sent = sample.messages_sent;
    sample.calls_answered = sample.messages_received;
    const double load = at >= 300 && at < 420 ? 4 : 1;
    sample.round_trip = around(connected, 0.004 * load * noise);
    sample.call_latency = around(connected / 20, 0.011 * load * (2 - noise));
    sample.cpu = 0.11 * load * noise;
    sample.resident_bytes = 21'000'000 + 3'700 * connected;
    before = connected;
    record.samples.push_back(sample);
  }

  record.promises = {
      {"Every station was connected at least once", true, "10,000 of 10,000, after 52 s"},
      {"Every message that was accepted was sent, or reported as not sent", true, "402,484 accepted, 112 reported"},
      {"No station gave up", true, ""},
      {"Every station was closed in order at the end", true, "within 4.2 s"}};
  Totals& totals = record.totals;
  totals.stations_connected_once = totals.stations_booted = 10000;
  totals.connects = 19960;
  totals.reconnects = totals.disconnects = 9960;
  totals.attempts_failed = 3212;
  totals.messages_accepted = 402484;
  totals.messages_sent = 402372;
  totals.messages_not_sent = 112;
  totals.messages_received = 402211;
  totals.bytes_sent = 72'000'000;
  totals.wire_bytes_sent = 19'000'000;
  totals.bytes_received = totals.wire_bytes_received = 36'000'000;
  totals.calls_sent = 402372;
  totals.calls_answered = 402211;
  totals.calls_failed = 161;
  totals.calls_lost = 161;
  totals.commands_received = 3;
  record.round_trip = around(100000, 0.0052);
  record.call_latency = around(100000, 0.0131);
  record.handshake = around(10000, 0.041);
  record.handshake_resolve = around(10000, 0.0004);
  record.handshake_tcp = around(10000, 0.0011);
  record.handshake_tls = around(10000, 0.031);
  record.handshake_http = around(10000, 0.0073);
  record.jitter = around(10000, 0.0009);
  record.quality = {0, 9871, 112, 17, 0};
  record.cpu = 0.19;
  record.cpu_steady = 0.16;
  record.resident_bytes_max = 58'400'000;
  using chargewire::Phase;
  using chargewire::Status;
  record.failures = {
      {true, Status::read, Phase::read, 9960, 9960, "read tcp 192.0.2.7:443: connection reset by peer",
       "CP00012: read tcp 192.0.2.7:443: connection reset by peer (wss://csms.example/ocpp/CP00012); next attempt in "
       "5.5 s"},
      {false, Status::dial, Phase::tcp, 3180, 2907,
       "dial tcp 192.0.2.7:443: connection refused; check that the CSMS is running and listens on this port",
       "CP00040: dial tcp 192.0.2.7:443: connection refused; check that the CSMS is running and listens on this port "
       "(wss://csms.example/ocpp/CP00040); next attempt in 5.2 s"},
      {false, Status::handshake, Phase::http, 32, 32,
       "the CSMS answered the WebSocket upgrade with HTTP 503: service unavailable",
       "CP20012: the CSMS answered the WebSocket upgrade with HTTP 503: service unavailable "
       "(wss://csms.example/ocpp/CP20012); next attempt in 21 s"}};
  record.call_failures = {{"MeterValues", "connection lost", 149, 149, "MeterValues: the connection was lost",
                           "CP00012: the connection was lost 0.2 s after MeterValues was sent"},
                          {"Heartbeat", "connection lost", 12, 12, "Heartbeat: the connection was lost",
                           "CP08440: the connection was lost 0.1 s after Heartbeat was sent"}};
  record.actions = {{"BootNotification", 10000, 10000, 0, around(10000, 0.02)},
                    {"Heartbeat", 195120, 195108, 12, around(100000, 0.011)},
                    {"MeterValues", 197252, 197103, 149, around(100000, 0.014)}};
  record.commands = {{"GetConfiguration", 3, 0, 3, {}}};
  for (int i = 0; i < 10; ++i) {
    WorstStation station;
    station.id = "CP2001" + std::to_string(i);
    station.state = chargewire::State::connected;
    station.quality = i < 3 ? 2 : 1;
    station.connections = 2;
    station.connections_lost = 1;
    station.attempts_failed = static_cast<std::uint64_t>(9 - i);
    station.calls_failed = i == 0 ? 1 : 0;
    station.round_trip = 0.006 * (1 + i);
    station.last_error =
        "dial tcp 192.0.2.7:443: connection refused; check that the CSMS is running and listens on this port";
    record.worst.push_back(station);
  }
  record.outages = {{299, 420}, {598, 0}};
  record.incidents = {{52, "all stations are connected"},
                      {301.2,
                       "wss://csms.example:443: the circuit breaker opened: 20 of 31 attempts failed within 10 s; the "
                       "first may try again in 33 s"},
                      {341.0, "wss://csms.example:443: the circuit breaker closed; stations connect again"},
                      {418.9, "all stations are connected again"},
                      {600, "the duration is over; closing the stations"}};
  return record;
}

RunRecord calm() {
  RunRecord record = outage();
  record.setup.shards = 1;
  record.setup.stations_of_all = record.setup.stations;
  record.setup.last_id = "CP09999";
  record.samples.erase(std::remove_if(record.samples.begin(), record.samples.end(),
                                      [](const Sample& sample) { return sample.at >= 300 && sample.at < 422; }),
                       record.samples.end());
  record.totals.reconnects = record.totals.disconnects = record.totals.attempts_failed = record.totals.calls_failed = 0;
  record.totals.calls_lost = 0;
  record.failures.clear();
  record.call_failures.clear();
  record.worst.clear();
  record.incidents.resize(1);
  record.outages.clear();
  return record;
}

// What a CSMS, a file name and a station's id may say, to get out of the text that they are.
RunRecord hostile() {
  RunRecord record = outage();
  const std::string attack =
      "</script><script>document.title='owned'</script><img src=x "
      "onerror=\"document.title='owned'\">&lt;\"'`${1}-->\xE2\x80\xA8<!--\\u003c\xFF\xC3";
  record.promises[0].kept = false;
  record.promises[0].detail = attack;
  record.promises[2].kept = false;
  record.setup.file = record.setup.url = record.setup.first_id = record.setup.host = record.end = attack;
  record.setup.scenario = record.setup.library = {{attack, attack}};
  record.setup.metrics_url = record.setup.breaker = attack;
  record.setup.protocols = {{attack, 1}};
  for (FailureKind& failure : record.failures) failure.cause = failure.example = attack;
  for (CallFailureKind& failure : record.call_failures)
    failure.action = failure.reason = failure.cause = failure.example = attack;
  for (ActionCount& action : record.commands) action.action = attack;
  for (WorstStation& station : record.worst) station.id = station.last_error = attack;
  for (Incident& incident : record.incidents) incident.text = attack;
  record.samples[3].cpu = std::numeric_limits<double>::quiet_NaN();
  return record;
}

}  // namespace

std::vector<std::pair<std::string, fleet::RunRecord>> records() {
  RunRecord refused;  // ended before its first second was over
  refused.promises = {{"Every station was connected at least once", false, "0 of 1"}};
  refused.end = "SIGINT";
  return {{"outage", outage()}, {"calm", calm()}, {"hostile", hostile()}, {"nothing", refused}};
}
