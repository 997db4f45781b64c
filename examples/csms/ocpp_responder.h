#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "ocpp/version.h"

// What a CSMS answers to one OCPP-J message. Pure: text in, text out.
namespace csms {

struct Answer {
  std::string action;               // of the CALL or SEND that was read; empty if it was neither
  std::optional<std::string> text;  // to be sent; nothing if the message wants no answer
};

// Accepts BootNotification, Heartbeat and StatusNotification; answers NotImplemented to every other CALL, and a
// CALLERROR to what is malformed. `now` is the current time, `interval_seconds` the heartbeat interval given to a
// station that boots.
Answer answer_to(std::string_view message, ocpp::Version version, std::chrono::system_clock::time_point now,
                 int interval_seconds);

}  // namespace csms
