#pragma once

#include <cstdint>

#include "base/failure.h"

namespace cwire {

// What kind of trouble a failure is: that decides how long to wait, and whether the endpoint is to blame.
enum class FailureClass : std::uint8_t {
  network,     // unreachable, timed out, lost, an error inside the server: the endpoint does badly
  throttled,   // HTTP 429 or 503: the server says that it has too much to do
  restarting,  // close code 1012
  overloaded,  // close code 1013
  refused,  // HTTP 401, 403, 404, 426, or no common subprotocol: the server does well, and does not want this station;
            // 403 or 407 of a proxy
  unverified,  // the server is not who it should be, or offers no TLS that is safe enough
  local,       // this process or machine has no descriptor, memory or port left
};

FailureClass class_of(const Failure& failure);

}  // namespace cwire
