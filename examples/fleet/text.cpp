#include "text.h"

#include <cmath>
#include <cstdio>
#include <utility>

namespace fleet {
namespace {

template <class... Values>
std::string formatted(const char* format, Values... values) {
  char text[64];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

}  // namespace

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, 1, ',');
  return text;
}

std::string counted(std::uint64_t number, const char* one, const char* many) {
  return grouped(number) + ' ' + (number == 1 ? one : many);
}

std::string short_count(std::uint64_t number) {
  if (number < 1'000'000) return grouped(number);
  return number < 1'000'000'000 ? formatted("%.1f M", static_cast<double>(number) / 1e6)
                                : formatted("%.1f G", static_cast<double>(number) / 1e9);
}

std::string rate_text(double per_second) {
  if (per_second < 99.95) return formatted("%.1f", per_second);
  return grouped(static_cast<std::uint64_t>(std::llround(per_second)));
}

std::string latency_text(double seconds) {
  if (seconds <= 0) return "-";
  if (seconds < 0.00995) return formatted("%.2f ms", seconds * 1e3);
  if (seconds < 0.0995) return formatted("%.1f ms", seconds * 1e3);
  if (seconds < 0.9995) return formatted("%.0f ms", seconds * 1e3);
  if (seconds < 9.95) return formatted("%.2f s", seconds);
  return formatted("%.1f s", seconds);
}

std::string bytes_text(double bytes) {
  if (bytes < 1e3) return formatted("%.0f B", bytes);
  if (bytes < 1e6) return formatted("%.1f kB", bytes / 1e3);
  if (bytes < 1e9) return formatted("%.1f MB", bytes / 1e6);
  return formatted("%.2f GB", bytes / 1e9);
}

std::string clock_text(double seconds) {
  const auto total = static_cast<unsigned long long>(seconds);
  const std::string clock = formatted("%02llu:%02llu:%02llu", total / 3600 % 24, total / 60 % 60, total % 60);
  return total < 86400 ? clock : std::to_string(total / 86400) + " d " + clock;
}

std::string span_text(double seconds) {
  if (seconds > 0 && seconds < 0.9995) return formatted("%.0f ms", seconds * 1e3);
  if (seconds < 59.995) {
    std::string number = formatted("%.2f", seconds);
    number.erase(number.find_last_not_of('0') + 1);
    if (number.back() == '.') number.pop_back();
    return number + " s";
  }
  auto left = static_cast<unsigned long long>(std::llround(seconds));
  std::string text;
  static constexpr std::pair<unsigned long long, const char*> units[] = {
      {86400, " d"}, {3600, " h"}, {60, " min"}, {1, " s"}};
  for (const auto& [size, unit] : units) {
    if (left >= size) text += (text.empty() ? "" : " ") + std::to_string(left / size) + unit;
    left %= size;
  }
  return text;
}

std::string percent_text(double share) { return formatted(share < 0.0995 ? "%.1f %%" : "%.0f %%", share * 100); }

}  // namespace fleet
