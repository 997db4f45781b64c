// What a station answers to the calls of the CSMS. It does what a scenario can do, and refuses the rest as OCPP wants
// it refused.
#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "ocpp.h"

namespace fleet {
namespace {

using nlohmann::json;

// Calls that OCPP has for the CSMS, and that a station of a fleet does not do: NotSupported. All that is not known is
// NotImplemented.
constexpr const char* not_supported[] = {"CancelReservation",
                                         "CertificateSigned",
                                         "ClearChargingProfile",
                                         "ClearDisplayMessage",
                                         "ClearVariableMonitoring",
                                         "CostUpdated",
                                         "CustomerInformation",
                                         "DeleteCertificate",
                                         "ExtendedTriggerMessage",
                                         "GetChargingProfiles",
                                         "GetCompositeSchedule",
                                         "GetDiagnostics",
                                         "GetDisplayMessages",
                                         "GetInstalledCertificateIds",
                                         "GetLog",
                                         "GetMonitoringReport",
                                         "GetReport",
                                         "InstallCertificate",
                                         "PublishFirmware",
                                         "ReserveNow",
                                         "SendLocalList",
                                         "SetChargingProfile",
                                         "SetDisplayMessage",
                                         "SetMonitoringBase",
                                         "SetMonitoringLevel",
                                         "SetNetworkProfile",
                                         "SetVariableMonitoring",
                                         "SignedUpdateFirmware",
                                         "UnpublishFirmware",
                                         "UpdateFirmware",
                                         "AdjustPeriodicEventStream",
                                         "AFRRSignal",
                                         "BatterySwap",
                                         "ChangeTransactionTariff",
                                         "ClearDERControl",
                                         "ClearTariffs",
                                         "GetDERControl",
                                         "GetPeriodicEventStream",
                                         "GetTariffs",
                                         "RequestBatterySwap",
                                         "SetDefaultTariff",
                                         "SetDERControl",
                                         "UpdateDynamicSchedule",
                                         "UsePriorityCharging"};

std::string seconds_text(Duration duration) { return std::to_string(duration.count() / 1000); }

// A member of the payload, if it has the type asked for.
std::string text_in(const json& payload, const char* name) {
  const auto member = payload.find(name);
  return member != payload.end() && member->is_string() ? member->get<std::string>() : "";
}
std::optional<std::int64_t> number_in(const json& payload, const char* name) {
  const auto member = payload.find(name);
  if (member == payload.end() || !member->is_number_integer()) return std::nullopt;
  return member->get<std::int64_t>();
}

class Command {
 public:
  Command(const Incoming& incoming, std::uint32_t station, Version version, Scenario& scenario,
          const ScenarioSpec& spec, Duration now)
      : incoming_(incoming), station_(station), version_(version), scenario_(scenario), spec_(spec), now_(now) {}

  // The payload of the CALLRESULT; none if this is nothing that a station does.
  std::optional<json> result() {
    const std::string& action = incoming_.action;
    const bool is_1_6 = version_ == Version::v1_6;
    if (action == "Reset") return reset();
    if (action == "TriggerMessage") return trigger();
    if (action == "ClearCache" || action == "ChangeAvailability") return status("Accepted");
    if (action == "DataTransfer") return status("UnknownVendorId");
    if (action == "UnlockConnector") return status(is_1_6 ? "NotSupported" : "UnlockFailed");
    if (action == "GetLocalListVersion") return json{{is_1_6 ? "listVersion" : "versionNumber", 0}};
    if (is_1_6) {
      if (action == "GetConfiguration") return get_configuration();
      if (action == "ChangeConfiguration")
        return status(change(text_in(payload(), "key"), text_in(payload(), "value")));
      if (action == "RemoteStartTransaction") return status(start_1_6() ? "Accepted" : "Rejected");
      if (action == "RemoteStopTransaction") {
        const std::optional<std::int64_t> id = number_in(payload(), "transactionId");
        return status(id && scenario_.remote_stop(station_, *id, now_) ? "Accepted" : "Rejected");
      }
    } else {
      if (action == "GetVariables") return get_variables();
      if (action == "SetVariables") return set_variables();
      if (action == "GetBaseReport") return status("EmptyResultSet");
      if (action == "GetTransactionStatus") return json{{"messagesInQueue", false}};
      if (action == "RequestStartTransaction") return status(start_2() ? "Accepted" : "Rejected");
      if (action == "RequestStopTransaction")
        return status(stop(text_in(payload(), "transactionId")) ? "Accepted" : "Rejected");
    }
    return std::nullopt;
  }

  bool resets() const { return resets_; }

 private:
  const json& payload() const { return incoming_.payload; }
  static json status(const char* text) { return {{"status", text}}; }

  json reset() {
    resets_ = true;
    scenario_.reset(station_);
    return status("Accepted");
  }

  json trigger() {
    static constexpr std::pair<const char*, Action> known[] = {{"BootNotification", Action::boot},
                                                               {"Heartbeat", Action::heartbeat},
                                                               {"StatusNotification", Action::status},
                                                               {"MeterValues", Action::meter_values}};
    const std::string wanted = text_in(payload(), "requestedMessage");
    const auto found =
        std::find_if(std::begin(known), std::end(known), [&](const auto& entry) { return entry.first == wanted; });
    if (found == std::end(known)) return status("NotImplemented");
    return status(scenario_.trigger(station_, found->second, connector("connectorId")) ? "Accepted" : "Rejected");
  }

  // Of the connector that the payload names; 0 if it names none.
  std::uint32_t connector(const char* name) const {
    std::optional<std::int64_t> number;
    if (version_ == Version::v1_6) {
      number = number_in(payload(), name);
    } else if (const auto evse = payload().find("evse"); evse != payload().end() && evse->is_object()) {
      number = number_in(*evse, "id");
    } else {
      number = number_in(payload(), "evseId");
    }
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(number.value_or(0), 0, 1000));
  }

  bool start_1_6() {
    RemoteStart how;
    how.id_token = text_in(payload(), "idTag");
    return !how.id_token.empty() && scenario_.remote_start(station_, connector("connectorId"), how, now_);
  }

  bool start_2() {
    const auto id_token = payload().find("idToken");
    const std::optional<std::int64_t> id = number_in(payload(), "remoteStartId");
    if (!id || id_token == payload().end() || !id_token->is_object()) return false;
    const RemoteStart how{text_in(*id_token, "idToken"), text_in(*id_token, "type"), *id};
    return !how.id_token_type.empty() && scenario_.remote_start(station_, connector("evseId"), how, now_);
  }

  // "2-17": number 17 of connector 2.
  bool stop(const std::string& transaction) {
    const std::size_t dash = transaction.find('-');
    if (dash == std::string::npos) return false;
    const std::uint64_t number = number_of(transaction.substr(0, dash));
    return number <= spec_.connectors && scenario_.remote_stop(station_, static_cast<std::uint32_t>(number),
                                                               number_of(transaction.substr(dash + 1)), now_);
  }

  // What 1.6 calls a configuration key and 2.x a variable.
  std::optional<std::string> setting(const std::string& name) const {
    if (name == "HeartbeatInterval") return seconds_text(scenario_.heartbeat_interval(station_));
    if (name == "NumberOfConnectors") return std::to_string(spec_.connectors);
    if (name == "MeterValueSampleInterval" && spec_.meter_values) return seconds_text(spec_.meter_values->interval);
    return std::nullopt;
  }

  const char* change(const std::string& name, const std::string& value) {
    if (name != "HeartbeatInterval")
      return setting(name) ? "Rejected" : version_ == Version::v1_6 ? "NotSupported" : "UnknownVariable";
    const std::uint64_t seconds = number_of(value);
    if (seconds == 0 || seconds > 1000000) return "Rejected";
    scenario_.set_heartbeat_interval(station_, std::chrono::seconds(seconds));
    return "Accepted";
  }

  json get_configuration() const {
    json keys = json::array();
    json unknown = json::array();
    const auto add = [&](const std::string& name) {
      if (const std::optional<std::string> value = setting(name)) {
        keys.push_back({{"key", name}, {"readonly", name != "HeartbeatInterval"}, {"value", *value}});
      } else {
        unknown.push_back(name);
      }
    };
    const auto asked = payload().find("key");
    if (asked != payload().end() && asked->is_array() && !asked->empty()) {
      for (const json& name : *asked) {
        if (name.is_string()) add(name.get<std::string>());
      }
    } else {
      for (const char* name : {"HeartbeatInterval", "NumberOfConnectors", "MeterValueSampleInterval"}) {
        if (setting(name)) add(name);
      }
    }
    json result{{"configurationKey", std::move(keys)}};
    if (!unknown.empty()) result["unknownKey"] = std::move(unknown);
    return result;
  }

  // Each item of the request has an item in the result, which repeats component and variable.
  template <class Answer>
  json of_each_variable(const char* request, const char* result, Answer answer) {
    json items = json::array();
    const auto asked = payload().find(request);
    if (asked != payload().end() && asked->is_array()) {
      for (const json& item : *asked) {
        if (!item.is_object()) continue;
        json outcome{{"component", item.value("component", json::object())},
                     {"variable", item.value("variable", json::object())}};
        const json& variable = outcome["variable"];
        answer(item, variable.is_object() ? text_in(variable, "name") : "", outcome);
        items.push_back(std::move(outcome));
      }
    }
    return {{result, std::move(items)}};
  }

  json get_variables() {
    return of_each_variable("getVariableData", "getVariableResult",
                            [this](const json&, const std::string& name, json& outcome) {
                              const std::optional<std::string> value = setting(name);
                              outcome["attributeStatus"] = value ? "Accepted" : "UnknownVariable";
                              if (value) outcome["attributeValue"] = *value;
                            });
  }

  json set_variables() {
    return of_each_variable("setVariableData", "setVariableResult",
                            [this](const json& item, const std::string& name, json& outcome) {
                              outcome["attributeStatus"] = change(name, text_in(item, "attributeValue"));
                            });
  }

  const Incoming& incoming_;
  std::uint32_t station_;
  Version version_;
  Scenario& scenario_;
  const ScenarioSpec& spec_;
  Duration now_;
  bool resets_ = false;
};

CommandOutcome refusal(const Incoming& command, const char* code, const char* description) {
  CommandOutcome outcome;
  outcome.text = json::array({4, command.id, code, description, json::object()})
                     .dump(-1, ' ', false, json::error_handler_t::replace);
  outcome.answered = false;
  return outcome;
}

}  // namespace

CommandOutcome carry_out(const Incoming& incoming, std::uint32_t station, Version version, Scenario& scenario,
                         const ScenarioSpec& spec, Duration now) {
  if (!incoming.payload.is_object()) {
    return refusal(incoming, version == Version::v1_6 ? "FormationViolation" : "FormatViolation",
                   "the payload is no JSON object");
  }
  Command command(incoming, station, version, scenario, spec, now);
  const std::optional<json> result = command.result();
  if (!result) {
    const bool known = std::any_of(std::begin(not_supported), std::end(not_supported),
                                   [&](const char* action) { return incoming.action == action; });
    return known ? refusal(incoming, "NotSupported", "stations of a fleet do not do this")
                 : refusal(incoming, "NotImplemented", "the action is not known");
  }
  CommandOutcome outcome;
  outcome.text = json::array({3, incoming.id, *result}).dump(-1, ' ', false, json::error_handler_t::replace);
  outcome.reset = command.resets();
  return outcome;
}

}  // namespace fleet
