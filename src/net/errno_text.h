#pragma once

#include <string>

namespace cwire {

// "connection refused": errno in the words that people search for.
std::string errno_text(int error);
// What to do about it, "" if there is nothing to say.
const char* errno_advice(int error);
// A failure of this machine or process: whatever is dialled next would fail in the same way.
bool is_local_failure(int error);

}  // namespace cwire
