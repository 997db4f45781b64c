#pragma once

#include <string>

namespace cwire {

// "connection refused": errno in the words that people search for.
std::string errno_text(int error);
// What to do about it, "" if there is nothing to say. `peer`: who was dialled.
std::string errno_advice(int error, const char* peer = "the CSMS");
// A failure of this machine or process: whatever is dialled next would fail in the same way.
bool is_local_failure(int error);

}  // namespace cwire
