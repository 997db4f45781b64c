#pragma once

#include <ctime>
#include <limits>

namespace cwire {

// How the certificate of a server is looked at.
struct Verification {
  bool on = true;                                                     // false: anyone is let in
  bool wildcards = true;                                              // a certificate for "*.example" will do
  std::time_t lists_until = std::numeric_limits<std::time_t>::max();  // the first revocation list is out of date then
};

}  // namespace cwire
