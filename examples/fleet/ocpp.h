#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "scenario.h"

// OCPP-J as the stations of a fleet speak it: 1.6, 2.0.1 and 2.1.
namespace fleet {

// "StartTransaction" in one version, "TransactionEvent" in the others.
const char* name_of(Action action, Version version);

// What is said of a station in its messages.
struct StationFacts {
  std::string serial_number;
  std::string id_token;
};

// The whole message, [2,"17","Heartbeat",{}].
std::string text_of(const Call& call, const StationFacts& facts, const ScenarioSpec& spec,
                    std::chrono::system_clock::time_point now);

// What came from the CSMS.
struct Incoming {
  enum Kind { call, result, error, nothing } kind = nothing;  // nothing: no OCPP-J, or none that is to be answered
  std::string id;
  std::string action;       // of a call
  nlohmann::json payload;   // of a call or a result
  std::string code;         // of an error
  std::string description;  // of an error; of nothing: what is wrong with it
};
Incoming parse(std::string_view message);

// The id of one of our calls; 0 is none of them.
std::uint64_t number_of(const std::string& id);

// Of a CALLRESULT to one of our calls; none if it lacks what OCPP demands of it.
std::optional<Answer> read_answer(const Call& call, const nlohmann::json& payload);

// What a station answers to a call of the CSMS, and does.
struct CommandOutcome {
  std::string text;      // the whole answer
  bool answered = true;  // by a CALLRESULT
  bool reset = false;    // the station is to connect anew and to boot
};
CommandOutcome carry_out(const Incoming& command, std::uint32_t station, Version version, Scenario& scenario,
                         const ScenarioSpec& spec, Duration now);

}  // namespace fleet
