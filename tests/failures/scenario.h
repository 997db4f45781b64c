#pragma once

#include <string>

#include "csms_process.h"

namespace failures {

enum class Delivery { poll, handler };

// A life of two stations, one of them over TLS: connect, exchange, lose the CSMS, reconnect, exchange, disconnect,
// shutdown, free. `directory` holds ca.pem, station.pem and station.key. Returns what was not as promised, a line each;
// empty if all was. One call may fail meanwhile (calls.h).
//
// Where OpenSSL lacks memory while it makes a context, it may say nothing and make one that agrees with no server. With
// `lame_contexts` a station that only fails is therefore ended and connected again, which makes another context.
std::string run_scenario(const CsmsProcess& csms, const std::string& directory, Delivery delivery, bool lame_contexts);

}  // namespace failures
