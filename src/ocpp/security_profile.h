#pragma once

#include <string>
#include <vector>

#include "config/settings.h"
#include "ocpp/url.h"

namespace cwire {

// OCPP's security profiles (2.0.1 part 2 A00, 1.6 security whitepaper 3): 1 is Basic without TLS, 2 TLS and Basic, 3
// TLS with a client certificate. A profile is a promise: whatever else is set must agree with it.

// 2 and 3: the rules for TLS apply.
bool demands_tls(SecurityProfile profile);

// What a station's options and its URL say together about how it is secured. Without a profile Basic over ws:// is
// refused, since profile 1 is how one asks for it. Throws Error(CONFIG) that names both of what contradicts.
void check_security(const Settings& settings, const Url& url);

// A station must be able to speak the two ECDHE-ECDSA suites of TLS 1.2, or the two with static RSA (A00.FR.3xx). Each
// suite by its IANA name.
bool has_suites_of_ocpp(const std::vector<std::string>& suites);

}  // namespace cwire
