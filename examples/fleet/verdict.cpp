#include "verdict.h"

#include <algorithm>

namespace fleet {

namespace {

// 9,998
std::string count(std::uint64_t n) {
  std::string digits = std::to_string(n);
  for (std::size_t i = digits.size(); i > 3;) digits.insert(i -= 3, ",");
  return digits;
}

std::string count(std::uint64_t n, const char* one, const char* many) { return count(n) + " " + (n == 1 ? one : many); }

}  // namespace

Verdict judge(const RunRecord& record) {
  const auto broken = static_cast<std::uint64_t>(std::count_if(record.promises.begin(), record.promises.end(),
                                                               [](const Promise& promise) { return !promise.kept; }));
  const Totals& totals = record.totals;
  if (broken > 0) {
    return {Verdict::Level::bad, count(broken) + " of " + count(record.promises.size(), "promise", "promises") +
                                     (broken == 1 ? " was" : " were") + " not kept"};
  }
  std::string troubles;
  const auto add = [&](std::uint64_t n, const char* one, const char* many) {
    if (n > 0) troubles.append(troubles.empty() ? "" : ", ").append(count(n, one, many));
  };
  add(totals.disconnects, "connection lost", "connections lost");
  add(totals.attempts_failed, "attempt failed", "attempts failed");
  add(totals.calls_failed, "call failed", "calls failed");
  if (!record.drained) {
    return {Verdict::Level::fair,
            "Every promise was kept until the run was cut off" + (troubles.empty() ? "" : "; on the way: " + troubles)};
  }
  if (totals.disconnects == 0 && totals.attempts_failed == 0 && totals.calls_failed == 0) {
    return {Verdict::Level::good,
            "Every promise was kept, and nothing went wrong: " + count(record.setup.stations, "station", "stations") +
                ", " + count(totals.calls_answered, "call", "calls") + " answered"};
  }
  return {Verdict::Level::fair, "Every promise was kept; on the way: " + troubles};
}

}  // namespace fleet
