#include "ocpp.h"

#include "catch2/catch.hpp"

using namespace fleet;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const auto noon = std::chrono::system_clock::time_point(1738324800007ms);  // 2025-01-31T12:00:00.007Z

json message(Version version, Action action, bool charging = false, StopReason reason = StopReason::local) {
  Call call;
  call.id = 17;
  call.version = version;
  call.action = action;
  call.connector = 2;
  call.charging = charging;
  call.meter = {12345, 7400};
  call.transaction = 3;
  call.csms_transaction = 99;
  call.transaction_messages = 4;
  call.stop_reason = reason;
  ScenarioSpec spec;
  spec.boot->firmware_version = "1.0";
  return json::parse(text_of(call, {"SN1", "TAG1"}, spec, noon));
}

// A station that has booted, with one connector; what it answers.
struct Commanded {
  explicit Commanded(Version version = Version::v1_6, const std::string& yaml = "{}")
      : spec(parse_spec("fleet: {}\nscenario: " + yaml + "\n", "test").scenario),
        version(version),
        scenario(spec, {1}, 1) {
    scenario.connected(0, version, 0s);
    std::vector<Call> timed_out;
    const std::vector<Call> calls = scenario.due(0s, timed_out);
    scenario.answered(0, calls.at(0).id, Answer{Answer::accepted, 300s, 0}, 0s);
  }
  // What it says next, of itself, and is answered.
  json says() {
    std::vector<Call> timed_out;
    const Call call = scenario.due(1s, timed_out).at(0);
    scenario.answered(0, call.id, Answer{Answer::accepted, 300s, 7}, 1s);
    return json::parse(text_of(call, {"SN1", "TAG1"}, spec, noon));
  }
  json answer(const std::string& action, const json& payload) {
    const std::string text = json::array({2, "c1", action, payload}).dump();
    outcome = carry_out(parse(text), 0, version, scenario, spec, 1s);
    return json::parse(outcome.text);
  }
  json result(const std::string& action, const json& payload) {
    const json message = answer(action, payload);
    CHECK(message[0] == 3);
    CHECK(message[1] == "c1");
    CHECK(message.size() == 3);
    return message[2];
  }
  std::string error(const std::string& action, const json& payload) {
    const json message = answer(action, payload);
    CHECK(message[0] == 4);
    CHECK(message.size() == 5);
    CHECK_FALSE(outcome.answered);
    return message[2];
  }

  ScenarioSpec spec;
  Version version;
  Scenario scenario;
  CommandOutcome outcome;
};

}  // namespace

TEST_CASE("a station says what OCPP 1.6 wants it to say") {
  CHECK(
      message(Version::v1_6, Action::boot) ==
      json::parse(
          R"([2,"17","BootNotification",{"chargePointVendor":"Chargewire","chargePointModel":"Fleet","chargePointSerialNumber":"SN1","firmwareVersion":"1.0"}])"));
  CHECK(message(Version::v1_6, Action::heartbeat) == json::parse(R"([2,"17","Heartbeat",{}])"));
  CHECK(
      message(Version::v1_6, Action::status, true) ==
      json::parse(
          R"([2,"17","StatusNotification",{"connectorId":2,"errorCode":"NoError","status":"Charging","timestamp":"2025-01-31T12:00:00.007Z"}])"));
  CHECK(
      message(Version::v1_6, Action::start) ==
      json::parse(
          R"([2,"17","StartTransaction",{"connectorId":2,"idTag":"TAG1","meterStart":12345,"timestamp":"2025-01-31T12:00:00.007Z"}])"));
  CHECK(
      message(Version::v1_6, Action::stop) ==
      json::parse(
          R"([2,"17","StopTransaction",{"transactionId":99,"idTag":"TAG1","meterStop":12345,"reason":"Local","timestamp":"2025-01-31T12:00:00.007Z"}])"));
  // The idTag is that of who stopped it.
  CHECK(
      message(Version::v1_6, Action::stop, false, StopReason::remote) ==
      json::parse(
          R"([2,"17","StopTransaction",{"transactionId":99,"meterStop":12345,"reason":"Remote","timestamp":"2025-01-31T12:00:00.007Z"}])"));
  CHECK(message(Version::v1_6, Action::stop, false, StopReason::deauthorized)[3]["reason"] == "DeAuthorized");
  const json expected = json::parse(
      R"([2,"17","MeterValues",{"connectorId":2,"transactionId":99,"meterValue":[{"timestamp":"2025-01-31T12:00:00.007Z","sampledValue":[
    {"measurand":"Energy.Active.Import.Register","unit":"Wh","value":"12345"},{"measurand":"Power.Active.Import","unit":"W","value":"7400"}]}]}])");
  CHECK(message(Version::v1_6, Action::update) == expected);
  CHECK_FALSE(message(Version::v1_6, Action::meter_values)[3].contains("transactionId"));
}

TEST_CASE("a station says what OCPP 2.0.1 and 2.1 want it to say") {
  for (const Version version : {Version::v2_0_1, Version::v2_1}) {
    CHECK(
        message(version, Action::boot) ==
        json::parse(
            R"([2,"17","BootNotification",{"reason":"PowerUp","chargingStation":{"vendorName":"Chargewire","model":"Fleet","serialNumber":"SN1","firmwareVersion":"1.0"}}])"));
    CHECK(
        message(version, Action::status, true) ==
        json::parse(
            R"([2,"17","StatusNotification",{"timestamp":"2025-01-31T12:00:00.007Z","connectorStatus":"Occupied","evseId":2,"connectorId":1}])"));
    const json values = json::parse(R"([{"timestamp":"2025-01-31T12:00:00.007Z","sampledValue":[
      {"measurand":"Energy.Active.Import.Register","unitOfMeasure":{"unit":"Wh"},"value":12345},{"measurand":"Power.Active.Import","unitOfMeasure":{"unit":"W"},"value":7400.0}]}])");
    CHECK(message(version, Action::meter_values)[3] == json({{"evseId", 2}, {"meterValue", values}}));
    const json started = message(version, Action::start);
    CHECK(started[2] == "TransactionEvent");
    CHECK(started[3]["eventType"] == "Started");
    CHECK(started[3]["triggerReason"] == "Authorized");
    CHECK(started[3]["idToken"] == json::parse(R"({"idToken":"TAG1","type":"ISO14443"})"));
    CHECK_FALSE(started[3]["transactionInfo"].contains("remoteStartId"));
    CHECK(started[3]["seqNo"] == 4);
    CHECK(started[3]["transactionInfo"]["transactionId"] == "2-3");
    CHECK(started[3]["evse"] == json::parse(R"({"id":2,"connectorId":1})"));
    CHECK(started[3]["meterValue"] == values);
    CHECK(message(version, Action::update)[3]["eventType"] == "Updated");
    const json stopped = message(version, Action::stop)[3];
    CHECK(stopped["eventType"] == "Ended");
    CHECK(stopped["triggerReason"] == "StopAuthorized");
    CHECK(stopped["transactionInfo"]["stoppedReason"] == "Local");
    const json refused = message(version, Action::stop, false, StopReason::deauthorized)[3];
    CHECK(refused["triggerReason"] == "Deauthorized");
    CHECK(refused["transactionInfo"]["stoppedReason"] == "DeAuthorized");
    const json asked = message(version, Action::stop, false, StopReason::remote)[3];
    CHECK(asked["triggerReason"] == "RemoteStop");
    CHECK(asked["transactionInfo"]["stoppedReason"] == "Remote");
  }
}

TEST_CASE("what the CSMS sends is told apart") {
  CHECK(parse(R"([3,"17",{"status":"Accepted"}])").kind == Incoming::result);
  CHECK(parse(R"([4,"17","InternalError","no",{}])").code == "InternalError");
  CHECK(parse(R"([2,"x","Reset",{"type":"Soft"}])").action == "Reset");
  for (const char* const nothing :
       {"", "x", "{}", "[]", "[2]", "[3,17,{}]", R"([2,"x","Reset"])", R"([5,"17","x","y",{}])", R"(["3","17",{}])"}) {
    CAPTURE(nothing);
    CHECK(parse(nothing).kind == Incoming::nothing);
  }
  const std::string deep(500000, '[');
  CHECK(parse(R"([2,"x","SetVariables",{"setVariableData":[{"component":)" + deep + std::string(deep.size(), ']') +
              "}]}]")
            .description == "no OCPP-J: nested deeper than 64");
  CHECK(parse(R"([2,"x",")" + std::string(100000, 'R') + R"(",{}])").action.size() < 200);
  CHECK(number_of("17") == 17);
  for (const char* const none : {"", "x", "17x", "-1", "99999999999999999999"}) CHECK(number_of(none) == 0);
}

TEST_CASE("an answer is one only with what OCPP demands of it") {
  Call boot;
  boot.action = Action::boot;
  CHECK(read_answer(boot, json::parse(R"({"status":"Accepted","interval":300,"currentTime":"x"})"))->interval ==
        Duration(300s));
  CHECK(read_answer(boot, json::parse(R"({"status":"Pending","interval":0})"))->registration == Answer::pending);
  for (const char* const wrong :
       {"{}", "[]", R"({"status":"Accepted"})", R"({"status":"Yes","interval":1})",
        R"({"status":"Accepted","interval":"1"})", R"({"status":"Accepted","interval":-1})"}) {
    CAPTURE(wrong);
    CHECK_FALSE(read_answer(boot, json::parse(wrong)).has_value());
  }
  Call start;
  start.action = Action::start;
  const auto accepted = read_answer(start, json::parse(R"({"transactionId":7,"idTagInfo":{"status":"Accepted"}})"));
  CHECK(accepted->transaction == 7);
  CHECK(accepted->authorized);
  CHECK_FALSE(read_answer(start, json::parse(R"({"transactionId":8,"idTagInfo":{"status":"Blocked"}})"))->authorized);
  for (const char* const wrong : {"{}", R"({"transactionId":7})", R"({"idTagInfo":{"status":"Accepted"}})",
                                  R"({"transactionId":7,"idTagInfo":{}})", R"({"transactionId":7,"idTagInfo":1})"}) {
    CAPTURE(wrong);
    CHECK_FALSE(read_answer(start, json::parse(wrong)).has_value());
  }
  start.version = Version::v2_0_1;
  CHECK(read_answer(start, json::object())->authorized);
  CHECK(read_answer(start, json::parse(R"({"idTokenInfo":{"status":"Accepted"}})"))->authorized);
  CHECK_FALSE(read_answer(start, json::parse(R"({"idTokenInfo":{"status":"Invalid"}})"))->authorized);
}

TEST_CASE("a transaction that the CSMS began is told as one, with the CSMS's token, and can be stopped by its id") {
  const std::string scenario =
      "{ heartbeat: false, status: false, connectors: 2, transactions: { pause: 10h, duration: 10h } }";
  for (const Version version : {Version::v2_0_1, Version::v2_1}) {
    Commanded station(version, scenario);
    const json request =
        json::parse(R"({"remoteStartId":4711,"evseId":2,"idToken":{"idToken":"from afar","type":"Central"}})");
    for (const char* const needed : {"remoteStartId", "idToken"}) {
      json incomplete = request;
      incomplete.erase(needed);
      CHECK(station.result("RequestStartTransaction", incomplete)["status"] == "Rejected");
    }
    CHECK(station.result("RequestStartTransaction", request)["status"] == "Accepted");
    const json started = station.says()[3];
    CHECK(started["eventType"] == "Started");
    CHECK(started["triggerReason"] == "RemoteStart");
    CHECK(started["idToken"] == request["idToken"]);
    CHECK(started["transactionInfo"]["remoteStartId"] == 4711);
    const json id = started["transactionInfo"]["transactionId"];
    CHECK(station.result("RequestStopTransaction", {{"transactionId", id}})["status"] == "Accepted");
    const json ended = station.says()[3];
    CHECK(ended["transactionInfo"]["transactionId"] == id);
    CHECK(ended["triggerReason"] == "RemoteStop");
  }
  Commanded station(Version::v1_6, scenario);
  CHECK(station.result("RemoteStartTransaction", json::parse(R"({"connectorId":2})"))["status"] == "Rejected");
  CHECK(station.result("RemoteStartTransaction", json::parse(R"({"connectorId":2,"idTag":"from afar"})"))["status"] ==
        "Accepted");
  CHECK(station.says()[3]["idTag"] == "from afar");
  CHECK(station.result("RemoteStopTransaction", json::object())["status"] == "Rejected");
  CHECK(station.result("RemoteStopTransaction", json::parse(R"({"transactionId":7})"))["status"] == "Accepted");
  CHECK(station.says()[3]["reason"] == "Remote");
}

TEST_CASE("a station of OCPP 1.6 answers what the CSMS wants of it") {
  Commanded station;
  CHECK(station.result("GetConfiguration", json::object())["configurationKey"].size() == 2);
  const json asked = station.result("GetConfiguration", json::parse(R"({"key":["HeartbeatInterval","Nonsense"]})"));
  CHECK(
      asked ==
      json::parse(
          R"({"configurationKey":[{"key":"HeartbeatInterval","readonly":false,"value":"300"}],"unknownKey":["Nonsense"]})"));
  CHECK(station.result("ChangeConfiguration", json::parse(R"({"key":"HeartbeatInterval","value":"20"})"))["status"] ==
        "Accepted");
  CHECK(station.scenario.heartbeat_interval(0) == Duration(20s));
  CHECK(station.result("ChangeConfiguration", json::parse(R"({"key":"HeartbeatInterval","value":"soon"})"))["status"] ==
        "Rejected");
  CHECK(station.result("ChangeConfiguration", json::parse(R"({"key":"Nonsense","value":"1"})"))["status"] ==
        "NotSupported");
  CHECK(station.result("TriggerMessage", json::parse(R"({"requestedMessage":"Heartbeat"})"))["status"] == "Accepted");
  CHECK(
      station.result("TriggerMessage", json::parse(R"({"requestedMessage":"FirmwareStatusNotification"})"))["status"] ==
      "NotImplemented");
  CHECK(station.result("TriggerMessage",
                       json::parse(R"({"requestedMessage":"MeterValues","connectorId":9})"))["status"] == "Rejected");
  CHECK(station.result("RemoteStartTransaction", json::parse(R"({"idTag":"x"})"))["status"] ==
        "Rejected");  // the scenario has none
  CHECK(station.result("RemoteStopTransaction", json::parse(R"({"transactionId":1})"))["status"] == "Rejected");
  CHECK(station.result("UnlockConnector", json::parse(R"({"connectorId":1})"))["status"] == "NotSupported");
  CHECK(station.result("GetLocalListVersion", json::object())["listVersion"] == 0);
  CHECK(station.result("DataTransfer", json::parse(R"({"vendorId":"x"})"))["status"] == "UnknownVendorId");
  CHECK_FALSE(station.outcome.reset);
  CHECK(station.result("Reset", json::parse(R"({"type":"Hard"})"))["status"] == "Accepted");
  CHECK(station.outcome.reset);
  CHECK(station.error("UpdateFirmware", json::object()) == "NotSupported");
  CHECK(station.error("GetVariables", json::object()) == "NotImplemented");  // of another version
  CHECK(station.error("Nonsense", json::object()) == "NotImplemented");
  CHECK(station.error("Reset", json::array()) == "FormationViolation");
}

TEST_CASE("a station of OCPP 2.x answers what the CSMS wants of it") {
  Commanded station(Version::v2_0_1);
  const json variables = station.result("GetVariables", json::parse(R"({"getVariableData":[
    {"component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"}},{"component":{"name":"X"},"variable":{"name":"Y"}},{}]})"));
  CHECK(
      variables["getVariableResult"][0] ==
      json::parse(
          R"({"attributeStatus":"Accepted","attributeValue":"300","component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"}})"));
  CHECK(variables["getVariableResult"][1]["attributeStatus"] == "UnknownVariable");
  CHECK(variables["getVariableResult"].size() == 3);
  const json set = station.result("SetVariables", json::parse(R"({"setVariableData":[
    {"attributeValue":"60","component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"}}]})"));
  CHECK(set["setVariableResult"][0]["attributeStatus"] == "Accepted");
  CHECK(station.scenario.heartbeat_interval(0) == Duration(60s));
  CHECK(station.result("RequestStartTransaction", json::parse(R"({"remoteStartId":1,"idToken":{}})"))["status"] ==
        "Rejected");
  CHECK(station.result("RequestStopTransaction", json::parse(R"({"transactionId":"1-1"})"))["status"] == "Rejected");
  CHECK(station.result("RequestStopTransaction", json::parse(R"({"transactionId":"nonsense"})"))["status"] ==
        "Rejected");
  CHECK(station.result("TriggerMessage",
                       json::parse(R"({"requestedMessage":"StatusNotification","evse":{"id":1}})"))["status"] ==
        "Accepted");
  CHECK(station.result("GetBaseReport", json::object())["status"] == "EmptyResultSet");
  CHECK(station.result("GetTransactionStatus", json::object())["messagesInQueue"] == false);
  CHECK(station.error("SetChargingProfile", json::object()) == "NotSupported");
  CHECK(station.error("GetConfiguration", json::object()) == "NotImplemented");
  CHECK(station.error("Reset", "x") == "FormatViolation");
}
