#pragma once

#include <string>
#include <string_view>

#include "base/secret.h"
#include "ocpp/proxy.h"

namespace cwire {

// Replaces ${NAME} by the environment variable and $${ by ${. The result is a Secret, for it may well be one. Throws
// Error(CONFIG) that begins with `where` and shows the variable's name alone.
Secret expand_environment(std::string_view text, const std::string& where);

// What https_proxy, http_proxy and no_proxy say now. On a thread of the caller's: the C library reads the environment
// without a lock, and whoever changes it has to see that nobody reads.
ProxyEnvironment read_proxy_environment();

}  // namespace cwire
