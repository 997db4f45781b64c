#pragma once

#include <string>
#include <string_view>

namespace cwire {

// "1.6" -> "ocpp1.6". Known: 1.6, 2.0.1, 2.1. Empty for any other version.
std::string_view subprotocol_of(std::string_view ocpp_version);

}  // namespace cwire
