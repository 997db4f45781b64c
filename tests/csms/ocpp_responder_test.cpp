#include "ocpp_responder.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

using namespace csms;
using nlohmann::json;

namespace {

const std::chrono::system_clock::time_point noon{std::chrono::milliseconds(1738324800007)};

Answer answered(const std::string& message, ocpp::Version version) { return answer_to(message, version, noon, 300); }

json answer_text(const std::string& message, ocpp::Version version) {
  const Answer answer = answered(message, version);
  REQUIRE(answer.text);
  return json::parse(*answer.text);
}

// The code and the id of the CALLERROR that comes back.
std::pair<std::string, std::string> error_of(const std::string& message, ocpp::Version version) {
  const json answer = answer_text(message, version);
  REQUIRE(answer.size() == 5);
  REQUIRE(answer[0] == 4);
  REQUIRE(answer[4] == json::object());
  return {answer[2], answer[1]};
}

using Error = std::pair<std::string, std::string>;
constexpr ocpp::Version all_versions[] = {ocpp::Version::v1_6, ocpp::Version::v2_0_1, ocpp::Version::v2_1};

}  // namespace

TEST_CASE("the CSMS accepts a boot and tells the time") {
  for (const ocpp::Version version : all_versions) {
    const json answer = answer_text(R"([2,"1","BootNotification",{"reason":"PowerUp"}])", version);
    CHECK(answer == json::parse(R"([3,"1",{"status":"Accepted","interval":300,
                                          "currentTime":"2025-01-31T12:00:00.007Z"}])"));
    CHECK(answer_text(R"([2,"2","Heartbeat",{}])", version) ==
          json::parse(R"([3,"2",{"currentTime":"2025-01-31T12:00:00.007Z"}])"));
    CHECK(answer_text(R"([2,"3","StatusNotification",{}])", version) == json::parse(R"([3,"3",{}])"));
    CHECK(error_of(R"([2,"4","Authorize",{}])", version) == Error("NotImplemented", "4"));
  }
  CHECK(answered(R"([2,"1","BootNotification",{}])", ocpp::Version::v1_6).action == "BootNotification");
}

TEST_CASE("the CSMS takes meter values and transactions, each in the words of its version") {
  for (const ocpp::Version version : all_versions) {
    CHECK(answer_text(R"([2,"1","MeterValues",{}])", version) == json::parse(R"([3,"1",{}])"));
  }
  const json started = answer_text(R"([2,"1","StartTransaction",{}])", ocpp::Version::v1_6)[2];
  CHECK(started["transactionId"].is_number_integer());
  CHECK(started["idTagInfo"]["status"] == "Accepted");
  CHECK(answer_text(R"([2,"2","StopTransaction",{}])", ocpp::Version::v1_6) == json::parse(R"([3,"2",{}])"));
  CHECK(error_of(R"([2,"3","TransactionEvent",{}])", ocpp::Version::v1_6) == Error("NotImplemented", "3"));
  for (const ocpp::Version version : {ocpp::Version::v2_0_1, ocpp::Version::v2_1}) {
    CHECK(answer_text(R"([2,"1","TransactionEvent",{}])", version) == json::parse(R"([3,"1",{}])"));
    CHECK(error_of(R"([2,"2","StartTransaction",{}])", version) == Error("NotImplemented", "2"));
  }
}

TEST_CASE("brackets and escapes in strings do not confuse the CSMS") {
  CHECK(answer_text(R"( [2, "a\"]\\ü", "Heartbeat", {"x":"],{\""}] )", ocpp::Version::v1_6)[1] == "a\"]\\\u00fc");
}

TEST_CASE("a malformed CALL is answered in the spelling of its version") {
  CHECK(error_of(R"([2,"1","Heartbeat"])", ocpp::Version::v1_6) == Error("FormationViolation", "1"));
  CHECK(error_of(R"([2,"1","Heartbeat",null])", ocpp::Version::v1_6) == Error("FormationViolation", "1"));
  for (const ocpp::Version version : {ocpp::Version::v2_0_1, ocpp::Version::v2_1}) {
    CHECK(error_of(R"([2,"1","Heartbeat"])", version) == Error("RpcFrameworkError", "1"));
    CHECK(error_of(R"([2,"1",7,{}])", version) == Error("RpcFrameworkError", "1"));
    CHECK(error_of(R"([2,"1","Heartbeat",[]])", version) == Error("FormatViolation", "1"));
  }
}

TEST_CASE("an id that cannot be read is answered with -1 in 2.x and not at all in 1.6") {
  const std::string too_long = "[2,\"" + std::string(37, 'x') + "\",\"Heartbeat\",{}]";
  for (const std::string& message :
       {std::string("[2,"), std::string("{}"), std::string("[2]"), std::string("[2,5,\"a\",{}]"),
        std::string("[2,\"\",\"a\",{}]"), std::string(), too_long}) {
    CAPTURE(message);
    CHECK_FALSE(answered(message, ocpp::Version::v1_6).text);
    CHECK(error_of(message, ocpp::Version::v2_0_1) == Error("RpcFrameworkError", "-1"));
    CHECK(error_of(message, ocpp::Version::v2_1) == Error("RpcFrameworkError", "-1"));
  }
  CHECK(answered("[2,\"" + std::string(36, 'x') + "\",\"Heartbeat\",{}]", ocpp::Version::v1_6).text);
}

TEST_CASE("what is no CALL is not answered") {
  for (const ocpp::Version version : all_versions) {
    CHECK_FALSE(answered(R"([3,"1",{}])", version).text);
    CHECK_FALSE(answered(R"([4,"1","GenericError","",{}])", version).text);
  }
  CHECK_FALSE(answered(R"([5,"1","GenericError","",{}])", ocpp::Version::v2_1).text);
  CHECK_FALSE(answered(R"([6,"1","NotifyPeriodicEventStream",{}])", ocpp::Version::v2_1).text);
  CHECK(answered(R"([6,"1","NotifyPeriodicEventStream",{}])", ocpp::Version::v2_1).action ==
        "NotifyPeriodicEventStream");
}

TEST_CASE("only 2.0.1 answers a message type that it does not know") {
  for (const char* message : {R"([7,"1",{}])", R"([6,"1","a",{}])", R"([-1,"1"])"}) {
    CAPTURE(message);
    CHECK_FALSE(answered(message, ocpp::Version::v1_6).text);
    CHECK_FALSE(answered(message, ocpp::Version::v2_1).text);
    CHECK(error_of(message, ocpp::Version::v2_0_1) == Error("MessageTypeNotSupported", "1"));
  }
}
