// The value of a Retry-After header. Input: the value.
#include <algorithm>
#include <ctime>
#include <string>

#include "fuzz.h"
#include "protocol/retry_after.h"

using namespace cwire;
using fuzz::require;

namespace {

bool only_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// The seconds of a date as the C library counts them; -1 if it is none of RFC 7231's preferred form.
std::int64_t date(const std::string& text) {
  if (text.size() != 29) return -1;
  const std::string_view months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec";
  const std::size_t month =
      text[8] == ' ' || text[9] == ' ' || text[10] == ' ' ? std::string_view::npos : months.find(text.substr(8, 3));
  std::string form = text;
  form.replace(0, 3, "Sun");
  form.replace(8, 3, "Jan");
  for (const std::size_t at : {5, 6, 12, 13, 14, 15, 17, 18, 20, 21, 23, 24}) {
    if (form[at] < '0' || form[at] > '9') return -1;
    form[at] = '0';
  }
  if (form != "Sun, 00 Jan 0000 00:00:00 GMT" || month == std::string_view::npos) return -1;
  const auto number = [&](std::size_t at, std::size_t count) { return std::stoi(text.substr(at, count)); };
  std::tm tm{};
  tm.tm_mday = number(5, 2);
  tm.tm_mon = static_cast<int>(month / 4);
  tm.tm_year = number(12, 4) - 1900;
  tm.tm_hour = number(17, 2);
  tm.tm_min = number(20, 2);
  tm.tm_sec = number(23, 2);
  const bool valid =
      tm.tm_mday >= 1 && tm.tm_mday <= 31 && tm.tm_year >= 70 && tm.tm_hour <= 23 && tm.tm_min <= 59 && tm.tm_sec <= 60;
  return valid ? timegm(&tm) : -1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string value(reinterpret_cast<const char*>(data), size);
  constexpr std::int64_t kThen = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT
  for (const std::int64_t now : {std::int64_t{0}, kThen - 1800, kThen, kThen + 1, std::int64_t{1} << 40}) {
    const std::int32_t wait = parse_retry_after(value, now);
    require(wait >= -1 && wait <= kRetryAfterMaxSeconds, "garbage is ignored, what is negative or huge is clamped");
    if (only_digits(value)) {
      const std::size_t first = std::min(value.find_first_not_of('0'), value.size());
      const std::string digits = value.substr(first);
      const int right = digits.size() > 4 ? kRetryAfterMaxSeconds : digits.empty() ? 0 : std::stoi(digits);
      require(wait == std::min(right, kRetryAfterMaxSeconds), "digits are seconds");
    } else {
      const std::int64_t then = date(value);
      const std::int64_t right =
          then < 0 ? -1 : std::clamp<std::int64_t>(then - now, 0, std::int64_t{kRetryAfterMaxSeconds});
      require(wait == right, "a date is what the C library makes of it, and nothing else is taken for one");
    }
  }
  return 0;
}
