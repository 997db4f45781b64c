#pragma once

#include <string>

namespace cwire {

// "connection refused": errno in the words that people search for.
std::string errno_text(int error);
// What to do about it, "" if there is nothing to say.
const char* errno_advice(int error);

}  // namespace cwire
