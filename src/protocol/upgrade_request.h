#pragma once

#include <string>
#include <string_view>

#include "protocol/session.h"

namespace cwire {

// Refuses what cannot be said in an HTTP request: throws Error(INVALID_ARGUMENT) that names the header, never its
// value.
void check_upgrade_request(const UpgradeRequest& request);

// Appends the request of RFC 6455 4.1. The library writes it and not websocketpp, because websocketpp would keep copies
// of the Authorization header that cannot be overwritten, and sends IPv6 hosts without brackets. `out` is grown once
// and for all, so that no copy of the credentials stays behind in memory given back.
void write_upgrade_request(const UpgradeRequest& request, std::string_view key, std::string& out);

}  // namespace cwire
