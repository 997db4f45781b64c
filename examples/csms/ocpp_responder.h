#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

// What a CSMS answers to one OCPP-J message. Pure: text in, text out.
namespace csms {

enum class OcppVersion { v1_6, v2_0_1, v2_1 };

// Of a WebSocket subprotocol, "ocpp1.6". Nothing for one that is not known.
std::optional<OcppVersion> version_of(std::string_view subprotocol);

struct Answer {
  std::string action;               // of the CALL or SEND that was read; empty if it was neither
  std::optional<std::string> text;  // to be sent; nothing if the message wants no answer
};

// Accepts BootNotification, Heartbeat and StatusNotification; answers NotImplemented to every other CALL, and a
// CALLERROR to what is malformed. `now` is the current time, `interval_seconds` the heartbeat interval given to a
// station that boots.
Answer answer_to(std::string_view message, OcppVersion version, std::chrono::system_clock::time_point now,
                 int interval_seconds);

// RFC 3339 in UTC with milliseconds, "2025-01-31T12:00:00.000Z".
std::string rfc3339(std::chrono::system_clock::time_point time);

}  // namespace csms
