#pragma once

#include <cstddef>
#include <string_view>

namespace cwire {

// Decodes the character that begins at text[at], where at < text.size(), and moves `at` behind it. False, and `at`
// unmoved, where the bytes are not the shortest form of a Unicode scalar value (RFC 3629).
bool next_utf8(std::string_view text, std::size_t& at, char32_t& character);

bool is_utf8(std::string_view text);

// C0, DEL and C1: they break lines, headers and terminals.
inline bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7f && c <= 0x9f); }

}  // namespace cwire
