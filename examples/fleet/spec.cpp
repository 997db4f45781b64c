#include "spec.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <numeric>

#include "text.h"

namespace fleet {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// As long as a run may last, or anything in it.
constexpr Duration duration_max = hours(24 * 3650);
// OCPP 2.0.1 part 4, 3.1.1.
constexpr std::size_t id_size_max = 48;

template <class Number>
std::optional<Number> parse_whole(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration(0);
  // The larger first, each once.
  static constexpr std::pair<std::string_view, milliseconds> units[] = {
      {"h", hours(1)}, {"m", minutes(1)}, {"s", seconds(1)}, {"ms", milliseconds(1)}};
  Duration total(0);
  std::size_t next_unit = 0;
  bool any = false;
  while (!text.empty()) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const std::optional<std::int64_t> number = parse_whole<std::int64_t>(text.substr(0, digits));
    text.remove_prefix(digits);
    const std::string_view name = text.substr(0, std::min(text.find_first_of("0123456789"), text.size()));
    const auto unit =
        std::find_if(std::begin(units) + next_unit, std::end(units), [&](const auto& u) { return u.first == name; });
    if (!number || unit == std::end(units) || *number > duration_max / unit->second) return std::nullopt;
    total += *number * unit->second;
    next_unit = static_cast<std::size_t>(unit - std::begin(units)) + 1;
    text.remove_prefix(name.size());
    any = true;
  }
  if (!any || total > duration_max) return std::nullopt;
  return total;
}

std::string text(Duration duration) { return span_text(std::chrono::duration<double>(duration).count()); }

std::optional<double> parse_ramp(std::string_view text) {
  if (text.size() > 2 && text.substr(text.size() - 2) == "/s") text.remove_suffix(2);
  const std::optional<double> rate = parse_whole<double>(text);
  if (!rate || !std::isfinite(*rate) || *rate < 0 || *rate > 1e6) return std::nullopt;
  return rate;
}

std::optional<std::uint64_t> parse_count(std::string_view text) { return parse_whole<std::uint64_t>(text); }

Shard parse_shard(std::string_view text) {
  const std::string wrong = "--shard " + std::string(text) + ": ";
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos)
    throw SpecError(wrong + "expected i/n, such as 0/8 for the first of eight, or job/8");
  std::string index(text.substr(0, slash));
  if (index == "job") {
    const char* const from_job = std::getenv("JOB_COMPLETION_INDEX");
    if (from_job == nullptr) {
      throw SpecError(wrong +
                      "JOB_COMPLETION_INDEX is not set, as Kubernetes does in a Job whose completionMode is Indexed; "
                      "give the index itself");
    }
    index = from_job;
  }
  const std::optional<std::uint64_t> i = parse_count(index);
  const std::optional<std::uint64_t> n = parse_count(text.substr(slash + 1));
  if (!i || !n || *n == 0)
    throw SpecError(wrong + "expected i/n, two whole numbers, such as 0/8 for the first of eight");
  if (*i >= *n) {
    throw SpecError(wrong + "the first shard is 0 and the last of " + std::to_string(*n) + " is " +
                    std::to_string(*n - 1) + ", but the index is " + index);
  }
  return {*i, *n};
}

std::vector<std::uint64_t> FleetSpec::protocol_counts() const {
  std::vector<std::uint64_t> counts;
  std::vector<std::pair<double, std::size_t>> remainders;
  std::uint64_t left = stations;
  for (std::size_t i = 0; i < protocols.size(); ++i) {
    // 0.1 of 50 is 5, whatever the rounding of 0.1 says.
    const double exact = protocols[i].share * static_cast<double>(stations) + 1e-9;
    counts.push_back(std::min(left, static_cast<std::uint64_t>(exact)));
    left -= counts.back();
    remainders.emplace_back(exact - std::floor(exact), i);
  }
  std::stable_sort(remainders.begin(), remainders.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (std::size_t i = 0; left > 0; i = (i + 1) % remainders.size(), --left) ++counts[remainders[i].second];
  return counts;
}

std::size_t FleetSpec::protocol_of(std::uint64_t index) const {
  // Multiples of the golden ratio, less their whole part, are spread evenly, and so are those of every n-th station.
  // Those of a fraction near it, whose denominator is the number of stations, meet each place exactly once.
  auto step = static_cast<std::uint64_t>(std::llround(0.6180339887498949 * static_cast<double>(stations)));
  while (std::gcd(step, stations) != 1) ++step;
  std::uint64_t place = index * step % stations;
  const std::vector<std::uint64_t> counts = protocol_counts();
  std::size_t protocol = 0;
  while (place >= counts[protocol]) place -= counts[protocol++];
  return protocol;
}

Duration FleetSpec::start_of(std::uint64_t index) const {
  if (ramp == 0) return Duration(0);
  return Duration(static_cast<std::int64_t>(static_cast<double>(index) / ramp * 1000));
}

std::vector<std::uint64_t> FleetSpec::indices() const {
  std::vector<std::uint64_t> result;
  for (std::uint64_t i = shard.index; i < stations; i += shard.count) result.push_back(i);
  return result;
}

void check(const FleetSpec& spec) {
  if (spec.stations == 0) throw SpecError(spec.file + ": fleet.stations is 0; give at least one");
  if (spec.stations > 1 && !spec.id.has_number()) {
    throw SpecError(spec.file + ": fleet.id is \"" + spec.id.text() + "\" for each of " +
                    std::to_string(spec.stations) + " stations; put their number into it: \"CP{:05d}\"");
  }
  const std::string longest = spec.id_of(spec.stations - 1);
  if (longest.size() > id_size_max) {
    throw SpecError(spec.file + ": fleet.id: \"" + longest + "\" has " + std::to_string(longest.size()) +
                    " characters; OCPP allows " + std::to_string(id_size_max));
  }
  const Duration last = spec.start_of(spec.stations - 1);
  if (spec.duration && *spec.duration <= last) {
    throw SpecError(spec.file + ": the run is over after " + text(*spec.duration) + ", before the last of " +
                    std::to_string(spec.stations) + " stations begins, after " + text(last) +
                    "; raise the duration or the ramp");
  }
}

}  // namespace fleet
