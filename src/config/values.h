#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace cwire {

// Option values as text and back. What is parsed is always a whole number of some unit, so reading and writing lose
// nothing. Parsing gives nothing for text of another form, or for a value that its type cannot hold.

std::optional<bool> parse_bool(std::string_view text);              // "true", "false"
std::optional<std::uint64_t> parse_integer(std::string_view text);  // decimal digits
std::optional<std::uint64_t> parse_size(std::string_view text);     // "1MiB", "64 KB", "512"
std::optional<Duration> parse_duration(std::string_view text);      // "30s", "1m30s", "0"
std::optional<double> parse_ratio(std::string_view text);           // "20%", "0.2"

// For messages: in quotes, on one line, and cut where it is long.
std::string quoted(std::string_view text);

std::string size_text(std::uint64_t bytes);
std::string duration_text(Duration duration);
std::string ratio_text(double ratio);

// "9464", "192.0.2.10:9464", "[::1]:9464": a port alone means the loopback 127.0.0.1.
struct ListenAddress {
  std::string address;  // without brackets
  std::uint16_t port = 0;
};
std::optional<ListenAddress> parse_listen(std::string_view text);

}  // namespace cwire
