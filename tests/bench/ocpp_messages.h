#pragma once

#include <cstdio>
#include <string>
#include <vector>

// What an OCPP 1.6 station and its CSMS say to each other, as such stations write it: the values differ from message to
// message as they do in life, and the words do not.
namespace ocpp_messages {

struct Message {
  const char* action;
  bool from_station;
  std::string text;
};

inline std::string two_digits(int number) {
  char text[16];
  std::snprintf(text, sizeof text, "%02d", number);
  return text;
}

// UUIDs are what most stations take for the ids of their messages.
inline std::string unique_id(unsigned number) {
  char text[64];
  unsigned bits = number * 2654435761u + 12345;
  const unsigned a = bits;
  bits = bits * 1664525u + 1013904223u;
  const unsigned b = bits;
  bits = bits * 1664525u + 1013904223u;
  std::snprintf(text, sizeof text, "%08x-%04x-4%03x-a%03x-%08x%04x", a, b >> 16, b & 0xfff, bits >> 20,
                bits * 1664525u + 1013904223u, a & 0xffff);
  return text;
}

inline std::string timestamp(int minute) {
  return "2026-03-14T" + two_digits(minute / 60 % 24) + ":" + two_digits(minute % 60) + ":07.412Z";
}

inline std::string call(unsigned id, const char* action, const std::string& payload) {
  return "[2,\"" + unique_id(id) + "\",\"" + action + "\"," + payload + "]";
}
inline std::string result(unsigned id, const std::string& payload) {
  return "[3,\"" + unique_id(id) + "\"," + payload + "]";
}

inline std::string sampled(const std::string& value, const char* measurand, const char* unit, const char* phase = "") {
  return "{\"value\":\"" + value + "\",\"context\":\"Sample.Periodic\",\"format\":\"Raw\",\"measurand\":\"" +
         measurand + "\"" + (*phase == '\0' ? std::string() : ",\"phase\":\"" + std::string(phase) + "\"") +
         ",\"location\":\"Outlet\",\"unit\":\"" + unit + "\"}";
}

inline std::string meter_values(unsigned id, int minute) {
  std::string values = sampled(std::to_string(1842360 + 183 * minute), "Energy.Active.Import.Register", "Wh") + "," +
                       sampled(std::to_string(10950 + minute * 37 % 150) + ".4", "Power.Active.Import", "W");
  const char* const phases[] = {"L1", "L2", "L3"};
  for (int i = 0; i < 3; ++i)
    values += "," + sampled("15." + two_digits((minute * 7 + i * 31) % 100), "Current.Import", "A", phases[i]);
  for (int i = 0; i < 3; ++i)
    values += "," + sampled("23" + std::to_string((minute + i) % 4) + "." + std::to_string(minute * 3 % 10), "Voltage",
                            "V", phases[i]);
  values += "," + sampled(std::to_string(31 + minute / 3), "SoC", "Percent") + "," +
            sampled(std::to_string(38 + minute % 5) + ".5", "Temperature", "Celsius");
  return call(id, "MeterValues",
              "{\"connectorId\":1,\"transactionId\":8471936,\"meterValue\":[{\"timestamp\":\"" + timestamp(minute) +
                  "\",\"sampledValue\":[" + values + "]}]}");
}

inline std::string charging_profile(unsigned id, int minute) {
  std::string periods;
  for (int i = 0; i < 48; ++i) {
    periods += (i == 0 ? "" : ",") + std::string("{\"startPeriod\":") + std::to_string(i * 1800) +
               ",\"limit\":" + std::to_string(6 + (i * 5 + minute) % 27) + ".0,\"numberPhases\":3}";
  }
  return call(id, "SetChargingProfile",
              "{\"connectorId\":1,\"csChargingProfiles\":{\"chargingProfileId\":" + std::to_string(4711 + minute) +
                  ",\"transactionId\":8471936,\"stackLevel\":1,\"chargingProfilePurpose\":\"TxProfile\","
                  "\"chargingProfileKind\":\"Absolute\",\"validFrom\":\"" +
                  timestamp(minute) +
                  "\",\"validTo\":\"2026-03-15T23:59:59Z\",\"chargingSchedule\":{\"duration\":86400,"
                  "\"startSchedule\":\"" +
                  timestamp(minute) + "\",\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[" + periods +
                  "],\"minChargingRate\":6.0}}}");
}

// A station boots, and a car charges for so many minutes: meter values each minute, a heartbeat each five, a new
// profile from the grid operator each fifteen.
inline std::vector<Message> session(int minutes) {
  std::vector<Message> all;
  unsigned id = 0;
  const auto station = [&](const char* action, const std::string& payload, const std::string& answer) {
    all.push_back({action, true, call(++id, action, payload)});
    all.push_back({"(result)", false, result(id, answer)});
  };
  station(
      "BootNotification",
      "{\"chargePointVendor\":\"Voltwerk\",\"chargePointModel\":\"VW-Pro 22 Duo\",\"chargePointSerialNumber\":"
      "\"VWP22D-2025-0048213\",\"chargeBoxSerialNumber\":\"NL-RDM-000173\",\"firmwareVersion\":\"4.8.2-build.1193\","
      "\"iccid\":\"8931440400012345678\",\"imsi\":\"204046012345678\",\"meterType\":\"Eastron SDM630-MID v2\","
      "\"meterSerialNumber\":\"21497755\"}",
      "{\"status\":\"Accepted\",\"currentTime\":\"" + timestamp(0) + "\",\"interval\":300}");
  const auto status = [&](int minute, const char* state) {
    station("StatusNotification",
            std::string("{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"") + state + "\",\"timestamp\":\"" +
                timestamp(minute) + "\"}",
            "{}");
  };
  status(0, "Available");
  status(1, "Preparing");
  station("Authorize", "{\"idTag\":\"04A3B7C2D95E80\"}",
          "{\"idTagInfo\":{\"status\":\"Accepted\",\"expiryDate\":\"2027-12-31T23:59:59Z\",\"parentIdTag\":\"FLEET-"
          "0042\"}}");
  station(
      "StartTransaction",
      "{\"connectorId\":1,\"idTag\":\"04A3B7C2D95E80\",\"meterStart\":1842360,\"timestamp\":\"" + timestamp(1) + "\"}",
      "{\"idTagInfo\":{\"status\":\"Accepted\"},\"transactionId\":8471936}");
  status(1, "Charging");
  for (int minute = 2; minute < minutes; ++minute) {
    all.push_back({"MeterValues", true, meter_values(++id, minute)});
    all.push_back({"(result)", false, result(id, "{}")});
    if (minute % 5 == 0) station("Heartbeat", "{}", "{\"currentTime\":\"" + timestamp(minute) + "\"}");
    if (minute % 15 != 0) continue;
    all.push_back({"SetChargingProfile", false, charging_profile(++id, minute)});
    all.push_back({"(result)", true, result(id, "{\"status\":\"Accepted\"}")});
  }
  return all;
}

}  // namespace ocpp_messages
