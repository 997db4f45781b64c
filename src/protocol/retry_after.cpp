#include "protocol/retry_after.h"

#include <algorithm>

namespace cwire {

namespace {

// Digits only; -1 if there are others or none. Stops counting far above any limit, so nothing overflows.
std::int64_t number(std::string_view digits) {
  if (digits.empty()) return -1;
  std::int64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return -1;
    value = std::min<std::int64_t>(value * 10 + (c - '0'), 1'000'000'000);
  }
  return value;
}

// Days from 1970-01-01 in the Gregorian calendar. Years begin in March here, so the leap day is the last of its year.
std::int64_t days_since_epoch(std::int64_t year, std::int64_t month, std::int64_t day) {
  if (month <= 2) --year;
  const std::int64_t month_from_march = (month + 9) % 12;
  const std::int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
  return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

// "Sun, 06 Nov 1994 08:49:37 GMT" in Unix seconds, -1 if it is not of this form.
std::int64_t parse_date(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || text.substr(3, 2) != ", " || text[7] != ' ' || text[11] != ' ' || text[16] != ' ' ||
      text[19] != ':' || text[22] != ':' || text.substr(25) != " GMT") {
    return -1;
  }
  const std::size_t month = kMonths.find(text.substr(8, 3));
  const std::int64_t day = number(text.substr(5, 2)), year = number(text.substr(12, 4));
  const std::int64_t hour = number(text.substr(17, 2)), minute = number(text.substr(20, 2)),
                     second = number(text.substr(23, 2));
  if (month == std::string_view::npos || month % 3 != 0 || day < 1 || day > 31 || year < 1970 || hour < 0 ||
      hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
    return -1;
  }
  return days_since_epoch(year, static_cast<std::int64_t>(month / 3 + 1), day) * 86400 + hour * 3600 + minute * 60 +
         second;
}

}  // namespace

std::int32_t parse_retry_after(std::string_view value, std::int64_t now_unix_s) {
  std::int64_t seconds = number(value);
  if (seconds < 0) {
    const std::int64_t date = parse_date(value);
    if (date < 0) return -1;
    seconds = std::max<std::int64_t>(date - now_unix_s, 0);
  }
  return static_cast<std::int32_t>(std::min<std::int64_t>(seconds, kRetryAfterMaxSeconds));
}

}  // namespace cwire
