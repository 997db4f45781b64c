#pragma once

#include <cstdint>
#include <string>

#include "base/failure.h"

namespace cwire {

// What OpenSSL says in codes, as one line that says what happened, why, and what to do. `server` is "csms.example:443".

// X509_V_ERR_APPLICATION_VERIFICATION, which is ours to give a meaning: the host is met by a wildcard only, and that
// will not do.
constexpr long kWildcardRefused = 50;

// The server's certificate was not accepted. `result` is X509_V_ERR_*; `depth` is 0 for the server's own certificate;
// `names` are those it is for, if that is what does not fit.
Failure verification_failure(const std::string& server, long result, int depth, const std::string& names);

// The TLS protocol failed with `code` of the OpenSSL error queue. `before_server_hello`: the server had not chosen
// version and cipher suite yet.
Failure protocol_failure(const std::string& server, unsigned long code, bool before_server_hello);

// The reason of the newest entry in the OpenSSL error queue, "" if there is none. Empties the queue.
std::string newest_openssl_reason();

}  // namespace cwire
