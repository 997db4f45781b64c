#pragma once

#include <optional>
#include <string_view>

namespace ocpp {

enum class Version { v1_6, v2_0_1, v2_1 };

// Of a WebSocket subprotocol, "ocpp1.6". Nothing for one that is not known.
std::optional<Version> version_of(std::string_view subprotocol);

}  // namespace ocpp
