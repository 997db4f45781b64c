#include "config/values.h"

#include <cmath>
#include <limits>

#include "base/ascii.h"
#include "ocpp/url.h"
#include "ocpp/utf8.h"

namespace cwire {
namespace {

using std::chrono::duration_cast;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Takes the digits off the front.
std::optional<std::uint64_t> take_digits(std::string_view& text) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  std::size_t i = 0;
  std::uint64_t value = 0;
  for (; i < text.size() && is_digit(text[i]); ++i) {
    const auto digit = static_cast<std::uint64_t>(text[i] - '0');
    if (value > (kMax - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  if (i == 0) return std::nullopt;
  text.remove_prefix(i);
  return value;
}

struct SizeUnit {
  const char* name;
  std::uint64_t bytes;
};

constexpr SizeUnit kSizeUnits[] = {
    {"", 1},      {"B", 1},        {"KiB", 1024},      {"MiB", 1024 * 1024}, {"GiB", 1024 * 1024 * 1024},
    {"KB", 1000}, {"MB", 1000000}, {"GB", 1000000000},
};

struct DurationUnit {
  const char* name;
  milliseconds length;
};

constexpr DurationUnit kDurationUnits[] = {
    {"h", hours(1)},
    {"m", minutes(1)},
    {"s", seconds(1)},
    {"ms", milliseconds(1)},
};

}  // namespace

std::optional<bool> parse_bool(std::string_view text) {
  const std::string word = lowercase(text);
  if (word == "true") return true;
  if (word == "false") return false;
  return std::nullopt;
}

std::optional<std::uint64_t> parse_integer(std::string_view text) {
  const auto value = take_digits(text);
  if (!text.empty()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto number = take_digits(text);
  if (!number) return std::nullopt;
  while (!text.empty() && text[0] == ' ') text.remove_prefix(1);
  const std::string unit = lowercase(text);
  for (const SizeUnit& candidate : kSizeUnits) {
    if (lowercase(candidate.name) != unit) continue;
    if (*number > std::numeric_limits<std::uint64_t>::max() / candidate.bytes) return std::nullopt;
    return *number * candidate.bytes;
  }
  return std::nullopt;
}

std::optional<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration::zero();
  // Far above every range, far below where nanoseconds in 64 bits overflow.
  constexpr auto kMax = duration_cast<milliseconds>(hours(24 * 365 * 10));
  auto total = milliseconds::zero();
  std::size_t next_unit = 0;  // each unit once, the larger before the smaller
  do {
    const auto number = take_digits(text);
    if (!number) return std::nullopt;
    std::size_t letters = 0;
    while (letters < text.size() && !is_digit(text[letters])) ++letters;
    while (next_unit < std::size(kDurationUnits) && text.substr(0, letters) != kDurationUnits[next_unit].name)
      ++next_unit;
    if (next_unit == std::size(kDurationUnits)) return std::nullopt;
    const milliseconds unit = kDurationUnits[next_unit++].length;
    if (*number > static_cast<std::uint64_t>(kMax / unit)) return std::nullopt;
    total += unit * static_cast<std::int64_t>(*number);
    text.remove_prefix(letters);
  } while (!text.empty());
  if (total > kMax) return std::nullopt;
  return total;
}

std::optional<double> parse_ratio(std::string_view text) {
  const bool percent = !text.empty() && text.back() == '%';
  if (percent) text.remove_suffix(1);
  // Not strtod: its decimal point is the locale's, which belongs to the program around us.
  const auto whole = take_digits(text);
  if (!whole || *whole > 1000) return std::nullopt;
  double value = static_cast<double>(*whole);
  if (!text.empty()) {
    if (text[0] != '.') return std::nullopt;
    text.remove_prefix(1);
    const std::size_t places = text.size();
    const auto fraction = take_digits(text);
    if (!fraction || !text.empty() || places > 9) return std::nullopt;
    value += static_cast<double>(*fraction) / std::pow(10.0, static_cast<double>(places));
  }
  return percent ? value / 100 : value;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kShownMax = 40;
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t before = at;
    char32_t character = 0;
    if (before >= kShownMax) return out + "...\"";
    const bool valid = next_utf8(text, at, character);
    if (valid && !is_control(character)) {
      out += text.substr(before, at - before);
    } else {
      out += '?';
      if (!valid) ++at;
    }
  }
  return out + "\"";
}

std::string size_text(std::uint64_t bytes) {
  for (const char* name : {"GiB", "MiB", "KiB"}) {
    for (const SizeUnit& unit : kSizeUnits) {
      if (std::string_view(unit.name) == name && bytes != 0 && bytes % unit.bytes == 0) {
        return std::to_string(bytes / unit.bytes) + name;
      }
    }
  }
  return std::to_string(bytes) + "B";
}

std::string duration_text(Duration duration) {
  auto rest = duration_cast<milliseconds>(duration);
  // "60s" and "90s" read better than "1m" and "1m30s".
  if (rest < minutes(2)) {
    const bool whole_seconds = rest % seconds(1) == milliseconds::zero();
    return whole_seconds ? std::to_string(rest / seconds(1)) + "s" : std::to_string(rest.count()) + "ms";
  }
  std::string out;
  for (const DurationUnit& unit : kDurationUnits) {
    const auto count = rest / unit.length;
    if (count != 0) out += std::to_string(count) + unit.name;
    rest %= unit.length;
  }
  return out;
}

std::string ratio_text(double ratio) {
  // In millionths of a percent, by hand, since printf too writes the locale's decimal point.
  const auto scaled = std::llround(ratio * 100 * 1000000);
  std::string out = std::to_string(scaled / 1000000);
  std::string fraction = std::to_string(scaled % 1000000);
  fraction.insert(0, 6 - fraction.size(), '0');
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  if (!fraction.empty()) out += "." + fraction;
  return out + "%";
}

std::optional<ListenAddress> parse_listen(std::string_view text) {
  ListenAddress listen;
  listen.address = "127.0.0.1";
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos) {
    std::string_view address = text.substr(0, colon);
    const bool brackets = address.size() > 2 && address.front() == '[' && address.back() == ']';
    if (brackets) address = address.substr(1, address.size() - 2);
    listen.address = address;
    if (!is_address(listen.address) || brackets != (address.find(':') != std::string_view::npos)) return std::nullopt;
    text.remove_prefix(colon + 1);
  }
  const auto port = parse_integer(text);
  if (!port || *port > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
  listen.port = static_cast<std::uint16_t>(*port);
  return listen;
}

}  // namespace cwire
