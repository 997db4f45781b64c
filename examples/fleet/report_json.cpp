#include "report_json.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "advice.h"
#include "ocpp/rfc3339.h"
#include "verdict.h"

namespace fleet {

namespace {

using Json = nlohmann::ordered_json;

// Six digits are more than anybody measured.
Json number(double value) {
  if (!std::isfinite(value)) return nullptr;
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return std::strtod(text, nullptr);
}

// 0 stands for "never" and "none" in the record.
Json number_or_null(double value) { return value == 0 ? Json(nullptr) : number(value); }

// "CWIRE_E_DIAL" is a word of C; programs and people read "dial".
std::string word(chargewire::Status status) {
  constexpr std::string_view prefix = "CWIRE_E_";
  std::string text(chargewire::name(status));
  if (text.compare(0, prefix.size(), prefix) == 0) text.erase(0, prefix.size());
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

std::string_view word(Verdict::Level level) {
  return level == Verdict::Level::good ? "good" : level == Verdict::Level::fair ? "fair" : "bad";
}

std::string_view quality(std::int32_t value) { return chargewire::name(static_cast<chargewire::Quality>(value)); }

Json percentiles(const Percentiles& of) {
  const auto value = [&of](double seconds) { return of.count == 0 ? Json(nullptr) : number(seconds); };
  return {{"count", of.count},
          {"p50", value(of.p50)},
          {"p90", value(of.p90)},
          {"p99", value(of.p99)},
          {"max", value(of.max)}};
}

Json setup(const Setup& of) {
  Json protocols = Json::array();
  for (const ProtocolCount& each : of.protocols)
    protocols.push_back({{"offered", each.offered}, {"stations", each.stations}});
  Json scenario = Json::array();
  for (const auto& [what, how] : of.scenario) scenario.push_back({{"what", what}, {"how", how}});
  Json options = Json::array();
  for (const auto& [key, value] : of.library) options.push_back({{"key", key}, {"value", value}});
  return {{"file", of.file},
          {"url", of.url},
          {"first_id", of.first_id},
          {"last_id", of.last_id},
          {"stations", of.stations},
          {"stations_of_all_shards", of.stations_of_all},
          {"shard", of.shard_index},
          {"shards", of.shards},
          {"ramp_stations_per_second", number_or_null(of.ramp)},
          {"duration_seconds", number_or_null(of.duration)},
          {"seed", of.seed},
          {"protocols", protocols},
          {"scenario", scenario},
          {"breaker", of.breaker},
          {"library_options", options},
          {"metrics_url", of.metrics_url.empty() ? Json(nullptr) : Json(of.metrics_url)},
          {"library_version", of.library_version},
          {"host", of.host},
          {"host_cores", of.host_cores}};
}

Json totals(const Totals& of) {
  return {{"stations_connected_once", of.stations_connected_once},
          {"stations_booted", of.stations_booted},
          {"stations_gave_up", of.stations_gave_up},
          {"connects", of.connects},
          {"reconnects", of.reconnects},
          {"disconnects", of.disconnects},
          {"attempts_failed", of.attempts_failed},
          {"messages_accepted", of.messages_accepted},
          {"messages_sent", of.messages_sent},
          {"messages_not_sent", of.messages_not_sent},
          {"messages_unreported", of.messages_unreported},
          {"messages_received", of.messages_received},
          {"bytes_sent", of.bytes_sent},
          {"bytes_received", of.bytes_received},
          {"wire_bytes_sent", of.wire_bytes_sent},
          {"wire_bytes_received", of.wire_bytes_received},
          {"calls_sent", of.calls_sent},
          {"calls_answered", of.calls_answered},
          {"calls_failed", of.calls_failed},
          {"calls_lost", of.calls_lost},
          {"commands_received", of.commands_received}};
}

// One array per column: half the size of an object per sample, and what plots want.
Json series(const std::vector<Sample>& samples) {
  const auto column = [&samples](auto value) {
    Json values = Json::array();
    for (const Sample& sample : samples) values.push_back(value(sample));
    return values;
  };
  const auto rate = [&column](double Sample::*member) {
    return column([member](const Sample& sample) { return number(sample.*member); });
  };
  const auto percentile = [&column](Percentiles Sample::*of, double Percentiles::*which) {
    return column([of, which](const Sample& sample) {
      return (sample.*of).count == 0 ? Json(nullptr) : number((sample.*of).*which);
    });
  };
  Json made = {{"at_seconds", rate(&Sample::at)}, {"span_seconds", rate(&Sample::span)}};
  for (std::size_t state = 0; state < states; ++state) {
    made["stations_" + std::string(chargewire::name(static_cast<chargewire::State>(state)))] =
        column([state](const Sample& sample) { return Json(sample.stations[state]); });
  }
  made["stations_held_back"] = column([](const Sample& sample) { return Json(sample.held_back); });
  made["stations_not_started"] = column([](const Sample& sample) { return Json(sample.not_started); });
  constexpr std::pair<const char*, double Sample::*> rates[] = {
      {"messages_sent", &Sample::messages_sent}, {"messages_received", &Sample::messages_received},
      {"bytes_sent", &Sample::bytes_sent},       {"bytes_received", &Sample::bytes_received},
      {"calls_sent", &Sample::calls_sent},       {"calls_answered", &Sample::calls_answered},
      {"calls_failed", &Sample::calls_failed},   {"connects", &Sample::connects},
      {"disconnects", &Sample::disconnects},     {"attempts_failed", &Sample::attempts_failed}};
  for (const auto& [name, member] : rates) made[std::string(name) + "_per_second"] = rate(member);
  constexpr std::pair<const char*, Percentiles Sample::*> distributions[] = {{"round_trip", &Sample::round_trip},
                                                                             {"call", &Sample::call_latency}};
  for (const auto& [name, of] : distributions) {
    made[std::string(name) + "_p50_seconds"] = percentile(of, &Percentiles::p50);
    made[std::string(name) + "_p90_seconds"] = percentile(of, &Percentiles::p90);
    made[std::string(name) + "_p99_seconds"] = percentile(of, &Percentiles::p99);
  }
  made["cpu_cores"] = rate(&Sample::cpu);
  made["resident_bytes"] = column([](const Sample& sample) { return Json(sample.resident_bytes); });
  return made;
}

Json failures(const std::vector<FailureKind>& of) {
  Json made = Json::array();
  for (const FailureKind& each : of) {
    made.push_back({{"lost", each.lost},
                    {"status", word(each.status)},
                    {"phase", chargewire::name(each.phase)},
                    {"count", each.count},
                    {"stations", each.stations},
                    {"cause", each.cause},
                    {"example", each.example},
                    {"advice", advice(each.status, each.phase)}});
  }
  return made;
}

Json call_failures(const std::vector<CallFailureKind>& of) {
  Json made = Json::array();
  for (const CallFailureKind& each : of) {
    made.push_back({{"action", each.action},
                    {"reason", each.reason},
                    {"count", each.count},
                    {"stations", each.stations},
                    {"cause", each.cause},
                    {"example", each.example}});
  }
  return made;
}

Json actions(const std::vector<ActionCount>& of) {
  Json made = Json::array();
  for (const ActionCount& each : of) {
    made.push_back({{"action", each.action},
                    {"sent", each.sent},
                    {"answered", each.answered},
                    {"failed", each.failed},
                    {"latency_seconds", percentiles(each.latency)}});
  }
  return made;
}

Json worst(const std::vector<WorstStation>& of) {
  Json made = Json::array();
  for (const WorstStation& each : of) {
    made.push_back({{"id", each.id},
                    {"state", chargewire::name(each.state)},
                    {"quality", quality(each.quality)},
                    {"connections", each.connections},
                    {"connections_lost", each.connections_lost},
                    {"attempts_failed", each.attempts_failed},
                    {"calls_failed", each.calls_failed},
                    {"round_trip_seconds", number_or_null(each.round_trip)},
                    {"last_error", each.last_error}});
  }
  return made;
}

Json document(const RunRecord& record) {
  const Verdict verdict = judge(record);
  Json promises = Json::array();
  for (const Promise& each : record.promises)
    promises.push_back({{"text", each.text}, {"kept", each.kept}, {"detail", each.detail}});
  Json incidents = Json::array();
  for (const Incident& each : record.incidents)
    incidents.push_back({{"at_seconds", number(each.at)}, {"text", each.text}});
  Json stations_by_quality;
  for (std::size_t i = 0; i < record.quality.size(); ++i)
    stations_by_quality[std::string(quality(static_cast<std::int32_t>(i)))] = record.quality[i];
  Json outages = Json::array();
  for (const Outage& each : record.outages)
    outages.push_back({{"from_seconds", number(each.from)}, {"to_seconds", number_or_null(each.to)}});
  return {{"format", "chargewire-fleet-report"},
          {"version", 1},
          {"verdict", {{"level", word(verdict.level)}, {"text", verdict.text}}},
          {"promises", promises},
          {"setup", setup(record.setup)},
          {"started_at", ocpp::rfc3339(record.started_at)},
          {"ended_at", ocpp::rfc3339(record.ended_at)},
          {"duration_seconds", number(std::chrono::duration<double>(record.ended_at - record.started_at).count())},
          {"end", record.end},
          {"drained", record.drained},
          {"all_connected_at_seconds", number_or_null(record.all_connected_at)},
          {"drain_began_at_seconds", number_or_null(record.drain_began_at)},
          {"totals", totals(record.totals)},
          {"round_trip_seconds", percentiles(record.round_trip)},
          {"call_seconds", percentiles(record.call_latency)},
          {"jitter_seconds", percentiles(record.jitter)},
          {"handshake_seconds",
           {{"whole", percentiles(record.handshake)},
            {"resolve", percentiles(record.handshake_resolve)},
            {"tcp", percentiles(record.handshake_tcp)},
            {"proxy", percentiles(record.handshake_proxy)},
            {"tls", percentiles(record.handshake_tls)},
            {"http", percentiles(record.handshake_http)}}},
          {"stations_by_quality", stations_by_quality},
          {"cpu_cores", number(record.cpu)},
          {"cpu_cores_steady", number_or_null(record.cpu_steady)},
          {"resident_bytes_max", record.resident_bytes_max},
          {"failures", failures(record.failures)},
          {"call_failures", call_failures(record.call_failures)},
          {"actions", actions(record.actions)},
          {"commands", actions(record.commands)},
          {"worst_stations", worst(record.worst)},
          {"incidents", incidents},
          {"incidents_left_out", record.incidents_left_out},
          {"outages", outages},
          {"series", series(record.samples)}};
}

}  // namespace

void write_json(const RunRecord& record, std::ostream& out) {
  // Indented, so that people can read it too; but no line for each figure of a series.
  Json whole = document(record);
  const Json columns = whole["series"];
  whole.erase("series");
  const auto text = [](const Json& json, int indent) {
    return json.dump(indent, ' ', true, Json::error_handler_t::replace);
  };
  std::string head = text(whole, 2);
  head.resize(head.size() - 2);  // the line break and the brace at its end
  out << head << ",\n  \"series\": {";
  const char* separator = "\n";
  for (const auto& [name, values] : columns.items()) {
    out << separator << "    \"" << name << "\": " << text(values, -1);
    separator = ",\n";
  }
  out << "\n  }\n}\n";
}

}  // namespace fleet
