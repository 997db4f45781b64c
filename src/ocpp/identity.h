#pragma once

#include <string>
#include <string_view>

#include "ocpp/url.h"

namespace cwire {

// OCPP 2.x part 4 3.1.1: at most 48 characters, no ':'. Control characters, empty ids and bytes that are not UTF-8 are
// refused as well. Throws Error(INVALID_ARGUMENT).
void check_identity(std::string_view station_id);

// RFC 3986 percent-encoding of everything but unreserved characters: "RDAM|123" -> "RDAM%7C123".
std::string percent_encode(std::string_view text);

// The connection URL: the endpoint + '/' + the encoded identity. A query stays at the end.
Url connection_url(const Url& endpoint, std::string_view station_id);

}  // namespace cwire
