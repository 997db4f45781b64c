#pragma once

#include <string>
#include <string_view>

// What a failure of one station says of all that fail in the same way.
namespace fleet {

// A message of the library without what is true of this station and this moment only: its id, its URL, and when it
// tries again. "dial tcp 192.0.2.7:443: connection refused; check that the CSMS is running ..."
std::string cause_of(std::string_view message, std::string_view id);

// The same for where there is little room: what went wrong first, then where, and no advice.
// "connection refused (dial tcp 192.0.2.7:443)"
std::string brief(std::string_view cause);

}  // namespace fleet
