#pragma once

#include <cstdint>
#include <string>

#include "base/failure.h"

namespace cwire {

// What OpenSSL says in codes, as one line that says what happened, why, and what to do. `server` is "csms.example:443".

// The server's certificate was not accepted. `result` is X509_V_ERR_*; `depth` is 0 for the server's own certificate;
// `names` are those it is for, if that is what does not fit.
Failure verification_failure(const std::string& server, long result, int depth, const std::string& names);

// The TLS protocol failed with `code` of the OpenSSL error queue.
Failure protocol_failure(const std::string& server, unsigned long code);

// The reason of the newest entry in the OpenSSL error queue, "" if there is none. Empties the queue.
std::string newest_openssl_reason();

}  // namespace cwire
