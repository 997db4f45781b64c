#pragma once

#include <string_view>

#include "fuzz.h"
#include "ocpp/utf8.h"

namespace fuzz {

// What every error message must be, whatever it is about.
inline void require_message(std::string_view message) {
  require(!message.empty(), "a failure says why");
  require(cwire::is_utf8(message), "a message is UTF-8");
  char32_t character = 0;
  for (std::size_t at = 0; at < message.size() && cwire::next_utf8(message, at, character);) {
    require(!cwire::is_control(character), "a message is one line without control characters");
  }
}

}  // namespace fuzz
