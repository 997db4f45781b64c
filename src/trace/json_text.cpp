#include "trace/json_text.h"

#include <cstdio>
#include <ctime>

#include "ocpp/utf8.h"

namespace cwire {

namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

void append_escaped(std::string& out, std::string_view character, char32_t code) {
  switch (code) {
    case '"':
    case '\\':
      out += '\\';
      out += static_cast<char>(code);
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  // U+2028 and U+2029 end lines for some that read lines.
  if (is_control(code) || code == 0x2028 || code == 0x2029) {
    char text[8];
    std::snprintf(text, sizeof text, "\\u%04x", static_cast<unsigned>(code));
    out += text;
  } else {
    out += character;
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  char32_t code = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    if (next_utf8(text, at, code)) {
      append_escaped(out, text.substr(begin, at - begin), code);
    } else {
      out += "\xef\xbf\xbd";
      ++at;
    }
  }
  out += '"';
}

void append_json_base64(std::string& out, std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  out += '"';
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = bytes.size() - at < 3 ? bytes.size() - at : 3;
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0u);
    }
    for (std::size_t i = 0; i < 4; ++i) out += i <= count ? kDigits[group >> (18 - 6 * i) & 0x3f] : '=';
  }
  out += '"';
}

void append_json_hex(std::string& out, std::string_view bytes) {
  out += '"';
  for (const char byte : bytes) {
    out += kHexDigits[static_cast<unsigned char>(byte) >> 4];
    out += kHexDigits[static_cast<unsigned char>(byte) & 0xf];
  }
  out += '"';
}

void append_json_time(std::string& out, std::int64_t wall_clock_ns) {
  const std::time_t seconds = static_cast<std::time_t>(wall_clock_ns / 1000000000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char date[32];
  const std::size_t size = std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%09uZ", static_cast<unsigned>(wall_clock_ns % 1000000000));
  out += '"';
  out.append(date, size).append(fraction);
  out += '"';
}

}  // namespace cwire
