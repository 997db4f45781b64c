#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cwire {

// Pieces of JSON (RFC 8259), appended. Whatever the bytes, what is made of them is valid JSON in valid UTF-8.

// In quotes. Bytes that are not UTF-8 become U+FFFD; line ends and other control characters are escaped.
void append_json_string(std::string& out, std::string_view text);
// RFC 4648 4, in quotes.
void append_json_base64(std::string& out, std::string_view bytes);
// Hexadecimal digits, in quotes.
void append_json_hex(std::string& out, std::string_view bytes);
// RFC 3339 in UTC with nanoseconds, in quotes: "2026-11-26T04:09:31.000000001Z".
void append_json_time(std::string& out, std::int64_t wall_clock_ns);

}  // namespace cwire
