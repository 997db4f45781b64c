#include "ocpp_responder.h"

#include <nlohmann/json.hpp>

#include "ocpp/rfc3339.h"

namespace csms {
namespace {

using nlohmann::json;

// MessageTypeId (OCPP-J part 4, 4.1.3). The last two exist since 2.1.
enum MessageType { call = 2, call_result = 3, call_error = 4, call_result_error = 5, send = 6 };

constexpr std::size_t message_id_size_max = 36;
// Stands for an id that could not be read (2.x; 1.6 has no such convention).
constexpr const char* unreadable_id = "-1";

std::string call_error_text(const std::string& id, const char* code, const char* description) {
  return json::array({static_cast<int>(call_error), id, code, description, json::object()}).dump();
}

// A frame whose id cannot be read: 2.x answers with "-1"; in 1.6 an answer could not be matched with anything.
Answer unreadable(ocpp::Version version, const char* description) {
  if (version == ocpp::Version::v1_6) return {};
  return {"", call_error_text(unreadable_id, "RpcFrameworkError", description)};
}

// A frame whose id is known but which is not a CALL as it should be.
Answer malformed(ocpp::Version version, const std::string& id, const char* description) {
  const char* code = version == ocpp::Version::v1_6 ? "FormationViolation" : "RpcFrameworkError";
  return {"", call_error_text(id, code, description)};
}

std::optional<json> payload_for(const std::string& action, ocpp::Version version,
                                std::chrono::system_clock::time_point now, int interval_seconds) {
  if (action == "BootNotification") {
    return json{{"status", "Accepted"}, {"currentTime", ocpp::rfc3339(now)}, {"interval", interval_seconds}};
  }
  if (action == "Heartbeat") return json{{"currentTime", ocpp::rfc3339(now)}};
  if (action == "StatusNotification" || action == "MeterValues") return json::object();
  if (version != ocpp::Version::v1_6) {
    if (action == "TransactionEvent") return json::object();
    return std::nullopt;
  }
  if (action == "StartTransaction") {
    // Any number will do that the station has not had before.
    const auto since_epoch = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
    return json{{"transactionId", since_epoch & 0x7fffffff}, {"idTagInfo", {{"status", "Accepted"}}}};
  }
  if (action == "StopTransaction") return json::object();
  return std::nullopt;
}

Answer answer_to_call(const json& frame, const std::string& id, ocpp::Version version,
                      std::chrono::system_clock::time_point now, int interval_seconds) {
  if (frame.size() != 4) return malformed(version, id, "a CALL has four elements");
  if (!frame[2].is_string()) return malformed(version, id, "the action is not a string");
  const std::string& action = frame[2].get_ref<const std::string&>();
  if (!frame[3].is_object()) {
    const char* code = version == ocpp::Version::v1_6 ? "FormationViolation" : "FormatViolation";
    return {action, call_error_text(id, code, "the payload is not a JSON object")};
  }
  const std::optional<json> payload = payload_for(action, version, now, interval_seconds);
  if (!payload) return {action, call_error_text(id, "NotImplemented", "this CSMS does not know the action")};
  return {action, json::array({static_cast<int>(call_result), id, *payload}).dump()};
}

}  // namespace

Answer answer_to(std::string_view message, ocpp::Version version, std::chrono::system_clock::time_point now,
                 int interval_seconds) {
  const json frame = json::parse(message.begin(), message.end(), nullptr, /*allow_exceptions=*/false);
  if (!frame.is_array()) return unreadable(version, "the message is not a JSON array");
  if (frame.size() < 2 || !frame[1].is_string()) return unreadable(version, "the message id is missing");
  const std::string& id = frame[1].get_ref<const std::string&>();
  if (id.empty() || id.size() > message_id_size_max) return unreadable(version, "the message id has a bad size");
  if (!frame[0].is_number_integer()) return malformed(version, id, "the message type is not an integer");

  switch (frame[0].get<int>()) {
    case call:
      return answer_to_call(frame, id, version, now, interval_seconds);
    case call_result:
    case call_error:
      return {};  // the answer to a CALL of ours
    case call_result_error:
      if (version == ocpp::Version::v2_1) return {};
      break;
    case send:
      // SEND is never answered.
      if (version == ocpp::Version::v2_1) {
        return {frame.size() > 2 && frame[2].is_string() ? frame[2].get<std::string>() : "", std::nullopt};
      }
      break;
  }
  // An unknown type is ignored by 1.6 and 2.1; only 2.0.1 has an error for it.
  if (version != ocpp::Version::v2_0_1) return {};
  return {"", call_error_text(id, "MessageTypeNotSupported", "only CALL, CALLRESULT and CALLERROR are known")};
}

}  // namespace csms
