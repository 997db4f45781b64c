#pragma once

#include <string_view>

#include "base/secret.h"
#include "config/settings.h"

namespace cwire {

// "Basic " and what RFC 7617 puts behind it. `password` may hold any bytes.
Secret basic_authorization(std::string_view username, const Secret& password);

// The value of the Authorization header, empty for AuthType::none. Basic as RFC 7617, with the station id as user
// unless one is set; a hex password goes as the raw bytes its digits stand for (OCPP 1.6 AuthorizationKey: 16 to 20
// bytes). Throws Error(CONFIG): no password, odd or foreign hex digits, wrong length, ':' in the username, CR, LF or
// NUL.
Secret authorization_header(const AuthSettings& auth, std::string_view station_id);

}  // namespace cwire
