#pragma once

#include <string_view>

#include "base/ascii.h"

namespace cwire {

// The characters of RFC 7230 3.2.6, without a locale's opinion.
constexpr bool is_token_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

constexpr bool is_token(std::string_view text) {
  for (const char c : text) {
    if (!is_token_char(c)) return false;
  }
  return !text.empty();
}

// What may stand in a header's value: no CR, LF, NUL or other control character but the tab.
constexpr bool is_field_value(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f) return false;
  }
  return true;
}

// Headers that carry the upgrade itself, or would begin a body.
constexpr bool is_handshake_header(std::string_view name) {
  for (const char* owned :
       {"Host", "Upgrade", "Connection", "Content-Length", "Transfer-Encoding", "Trailer", "Expect"}) {
    if (equals_ignoring_case(name, owned)) return true;
  }
  constexpr std::string_view kPrefix = "Sec-WebSocket-";
  return equals_ignoring_case(name.substr(0, kPrefix.size()), kPrefix);
}

// Without the spaces and tabs around it.
constexpr std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace cwire
