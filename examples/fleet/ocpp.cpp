#include "ocpp.h"

#include <charconv>

#include "ocpp/rfc3339.h"

namespace fleet {
namespace {

using nlohmann::json;

// RPC messages of OCPP are a dozen deep.
constexpr int depth_max = 64;
// MessageTypeId (OCPP-J part 4, 4.1.3).
constexpr int call_type = 2;
constexpr int call_result_type = 3;
constexpr int call_error_type = 4;

const char* name_of(StopReason reason) {
  switch (reason) {
    case StopReason::local:
      return "Local";
    case StopReason::remote:
      return "Remote";
    case StopReason::deauthorized:
      return "DeAuthorized";
  }
  return "";
}

const char* trigger_of(StopReason reason) {
  switch (reason) {
    case StopReason::local:
      return "StopAuthorized";
    case StopReason::remote:
      return "RemoteStop";
    case StopReason::deauthorized:
      return "Deauthorized";
  }
  return "";
}

const std::string& id_token(const Call& call, const StationFacts& facts) {
  return call.remote_start ? call.remote_start->id_token : facts.id_token;
}

json evse(const Call& call) { return {{"id", call.connector}, {"connectorId", 1}}; }

// The id that a 2.x station gives its transaction: unique for that station, as is the count for the connector.
std::string transaction_id(const Call& call) {
  return std::to_string(call.connector) + '-' + std::to_string(call.transaction);
}

json meter_value(const Call& call, const std::string& time) {
  if (call.version == Version::v1_6) {
    return {{"timestamp", time},
            {"sampledValue",
             {{{"measurand", "Energy.Active.Import.Register"},
               {"unit", "Wh"},
               {"value", std::to_string(call.meter.energy)}},
              {{"measurand", "Power.Active.Import"},
               {"unit", "W"},
               {"value", std::to_string(static_cast<std::uint64_t>(call.meter.power))}}}}};
  }
  return {{"timestamp", time},
          {"sampledValue",
           {{{"measurand", "Energy.Active.Import.Register"},
             {"unitOfMeasure", {{"unit", "Wh"}}},
             {"value", call.meter.energy}},
            {{"measurand", "Power.Active.Import"}, {"unitOfMeasure", {{"unit", "W"}}}, {"value", call.meter.power}}}}};
}

json boot_payload(const Call& call, const StationFacts& facts, const ScenarioSpec::Boot& boot) {
  if (call.version == Version::v1_6) {
    json payload{{"chargePointVendor", boot.vendor}, {"chargePointModel", boot.model}};
    if (!facts.serial_number.empty()) payload["chargePointSerialNumber"] = facts.serial_number;
    if (!boot.firmware_version.empty()) payload["firmwareVersion"] = boot.firmware_version;
    return payload;
  }
  json station{{"vendorName", boot.vendor}, {"model", boot.model}};
  if (!facts.serial_number.empty()) station["serialNumber"] = facts.serial_number;
  if (!boot.firmware_version.empty()) station["firmwareVersion"] = boot.firmware_version;
  return {{"reason", "PowerUp"}, {"chargingStation", std::move(station)}};
}

json status_payload(const Call& call, const std::string& time) {
  if (call.version == Version::v1_6) {
    return {{"connectorId", call.connector},
            {"errorCode", "NoError"},
            {"status", call.charging ? "Charging" : "Available"},
            {"timestamp", time}};
  }
  return {{"timestamp", time},
          {"connectorStatus", call.charging ? "Occupied" : "Available"},
          {"evseId", call.connector},
          {"connectorId", 1}};
}

json meter_values_payload(const Call& call, const std::string& time) {
  const char* const where = call.version == Version::v1_6 ? "connectorId" : "evseId";
  json payload{{where, call.connector}, {"meterValue", json::array({meter_value(call, time)})}};
  if (call.action == Action::update) payload["transactionId"] = call.csms_transaction;
  return payload;
}

json transaction_event_payload(const Call& call, const StationFacts& facts, const std::string& time) {
  json payload{{"timestamp", time},
               {"seqNo", call.transaction_messages},
               {"transactionInfo", {{"transactionId", transaction_id(call)}}},
               {"meterValue", json::array({meter_value(call, time)})}};
  json& info = payload["transactionInfo"];
  switch (call.action) {
    case Action::start:
      payload["eventType"] = "Started";
      payload["evse"] = evse(call);
      if (call.remote_start) {
        payload["triggerReason"] = "RemoteStart";
        payload["idToken"] = {{"idToken", call.remote_start->id_token}, {"type", call.remote_start->id_token_type}};
        info["remoteStartId"] = call.remote_start->id;
      } else {
        payload["triggerReason"] = "Authorized";
        payload["idToken"] = {{"idToken", facts.id_token}, {"type", "ISO14443"}};
      }
      info["chargingState"] = "Charging";
      break;
    case Action::update:
      payload["eventType"] = "Updated";
      payload["triggerReason"] = "MeterValuePeriodic";
      info["chargingState"] = "Charging";
      break;
    default:
      payload["eventType"] = "Ended";
      payload["triggerReason"] = trigger_of(call.stop_reason);
      info["stoppedReason"] = name_of(call.stop_reason);
      break;
  }
  return payload;
}

json payload_of(const Call& call, const StationFacts& facts, const ScenarioSpec& spec, const std::string& time) {
  const bool is_1_6 = call.version == Version::v1_6;
  switch (call.action) {
    case Action::boot:
      return boot_payload(call, facts, *spec.boot);
    case Action::heartbeat:
      return json::object();
    case Action::status:
      return status_payload(call, time);
    case Action::meter_values:
      return meter_values_payload(call, time);
    case Action::update:
      return is_1_6 ? meter_values_payload(call, time) : transaction_event_payload(call, facts, time);
    case Action::start:
      if (!is_1_6) return transaction_event_payload(call, facts, time);
      return {{"connectorId", call.connector},
              {"idTag", id_token(call, facts)},
              {"meterStart", call.meter.energy},
              {"timestamp", time}};
    case Action::stop: {
      if (!is_1_6) return transaction_event_payload(call, facts, time);
      json payload{{"transactionId", call.csms_transaction},
                   {"meterStop", call.meter.energy},
                   {"reason", name_of(call.stop_reason)},
                   {"timestamp", time}};
      // Of who stopped it; only a driver has one.
      if (call.stop_reason == StopReason::local) payload["idTag"] = id_token(call, facts);
      return payload;
    }
  }
  return json::object();
}

// Text of the CSMS that a message of ours shows.
std::string shortened(std::string text) {
  constexpr std::size_t size_max = 120;
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  if (text.size() <= size_max) return text;
  std::size_t end = size_max;
  while ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not inside of a character
  return text.substr(0, end) + "...";
}

}  // namespace

const char* name_of(Action action, Version version) {
  const bool is_1_6 = version == Version::v1_6;
  switch (action) {
    case Action::boot:
      return "BootNotification";
    case Action::heartbeat:
      return "Heartbeat";
    case Action::status:
      return "StatusNotification";
    case Action::meter_values:
      return "MeterValues";
    case Action::start:
      return is_1_6 ? "StartTransaction" : "TransactionEvent";
    case Action::update:
      return is_1_6 ? "MeterValues" : "TransactionEvent";
    case Action::stop:
      return is_1_6 ? "StopTransaction" : "TransactionEvent";
  }
  return "";
}

std::string text_of(const Call& call, const StationFacts& facts, const ScenarioSpec& spec,
                    std::chrono::system_clock::time_point now) {
  return "[2,\"" + std::to_string(call.id) + "\",\"" + name_of(call.action, call.version) + "\"," +
         payload_of(call, facts, spec, ocpp::rfc3339(now)).dump(-1, ' ', false, json::error_handler_t::replace) + ']';
}

Incoming parse(std::string_view message) {
  Incoming incoming;
  // Whoever copies or writes JSON goes as deep as it is, and a CSMS may send what it likes.
  bool too_deep = false;
  const auto is_kept = [&too_deep](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > depth_max;
    return !too_deep;
  };
  json frame = json::parse(message.begin(), message.end(), is_kept, /*allow_exceptions=*/false);
  if (too_deep) {
    incoming.description = "no OCPP-J: nested deeper than " + std::to_string(depth_max);
    return incoming;
  }
  if (!frame.is_array() || frame.size() < 3 || !frame[0].is_number_integer() || !frame[1].is_string()) {
    incoming.description = "no OCPP-J: " + shortened(std::string(message.substr(0, 200)));
    return incoming;
  }
  incoming.id = frame[1].get<std::string>();
  const int type = frame[0].get<int>();
  if (type == call_type && frame.size() == 4 && frame[2].is_string()) {
    incoming.kind = Incoming::call;
    incoming.action = shortened(frame[2].get<std::string>());
    incoming.payload = std::move(frame[3]);
  } else if (type == call_result_type) {
    incoming.kind = Incoming::result;
    incoming.payload = std::move(frame[2]);
  } else if (type == call_error_type) {
    incoming.kind = Incoming::error;
    incoming.code = frame[2].is_string() ? shortened(frame[2].get<std::string>()) : "";
    incoming.description = frame.size() > 3 && frame[3].is_string() ? shortened(frame[3].get<std::string>()) : "";
  } else {
    incoming.description = "message type " + std::to_string(type);
  }
  return incoming;
}

std::uint64_t number_of(const std::string& id) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  return error == std::errc() && end == id.data() + id.size() ? number : 0;
}

std::optional<Answer> read_answer(const Call& call, const json& payload) {
  if (!payload.is_object()) return std::nullopt;
  Answer answer;
  if (call.action == Action::boot) {
    const auto status = payload.find("status");
    if (status == payload.end()) return std::nullopt;
    if (*status == "Pending") {
      answer.registration = Answer::pending;
    } else if (*status == "Rejected") {
      answer.registration = Answer::rejected;
    } else if (*status != "Accepted") {
      return std::nullopt;
    }
    const auto interval = payload.find("interval");
    if (interval == payload.end() || !interval->is_number()) return std::nullopt;
    const double seconds = interval->get<double>();
    if (!(seconds >= 0 && seconds < 1e9)) return std::nullopt;
    answer.interval = Duration(static_cast<std::int64_t>(seconds * 1000));
  } else if (call.action == Action::start) {
    const bool is_1_6 = call.version == Version::v1_6;
    if (is_1_6) {
      const auto transaction = payload.find("transactionId");
      if (transaction == payload.end() || !transaction->is_number_integer()) return std::nullopt;
      answer.transaction = transaction->get<std::int64_t>();
    }
    const auto info = payload.find(is_1_6 ? "idTagInfo" : "idTokenInfo");
    if (info == payload.end()) return is_1_6 ? std::nullopt : std::optional(answer);
    if (!info->is_object() || !info->contains("status")) return std::nullopt;
    answer.authorized = info->at("status") == "Accepted";
  }
  return answer;
}

}  // namespace fleet
