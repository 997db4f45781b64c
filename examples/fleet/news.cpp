#include "news.h"

#include "text.h"

namespace fleet {
namespace {

constexpr double seconds_between = 60;

std::string station_of(const std::string& example) { return example.substr(0, example.find(": ")); }

}  // namespace

bool News::due(Told& told, std::uint64_t count, double now) {
  if (count == told.count || (told.count > 0 && now < told.at + seconds_between)) return false;
  told = {count, now};
  return true;
}

std::vector<std::string> News::of(const RunRecord& record, double now) {
  std::vector<std::string> lines;
  for (; incidents_ < record.incidents.size(); ++incidents_) {
    const Incident& incident = record.incidents[incidents_];
    lines.push_back(clock_text(incident.at) + "  " + incident.text);
  }
  if (due(left_out_, record.incidents_left_out, now))
    lines.push_back(clock_text(now) + "  " + counted(left_out_.count, "more incident", "more incidents"));

  const auto kind = [&](const auto& failure, const std::string& what) {
    Told& told = kinds_[what + failure.cause];
    const bool first = told.count == 0;
    if (!due(told, failure.count, now)) return;
    std::string line = clock_text(now) + "  " + what + failure.cause;
    if (!first || failure.count > 1) {
      line += " (" + counted(failure.count, "time", "times") + (first ? "" : " so far") + " at " +
              counted(failure.stations, "station", "stations") + ", " + station_of(failure.example) + " first)";
    } else {
      line += " (" + station_of(failure.example) + ")";
    }
    lines.push_back(std::move(line));
  };
  for (const FailureKind& failure : record.failures)
    kind(failure, failure.lost ? "connection lost: " : "no connection: ");
  for (const CallFailureKind& failure : record.call_failures) kind(failure, "a call failed: ");
  return lines;
}

}  // namespace fleet
