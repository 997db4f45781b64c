#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "recorder.h"

namespace fleet {

// What a run without pictures says in between: each incident, each way to fail when a station meets it for the first
// time, and again once a minute for as long as it goes on. However many stations fail, these are few lines.
class News {
 public:
  // What there is since the last call, a line each.
  std::vector<std::string> of(const Recorder& recorder) {
    return of(recorder.record(), recorder.seconds_since_start());
  }
  std::vector<std::string> of(const RunRecord& record, double now);

 private:
  struct Told {
    std::uint64_t count = 0;
    double at = 0;
  };

  // Whether to tell of it, as its count is now; if so it is told.
  bool due(Told& told, std::uint64_t count, double now);

  std::size_t incidents_ = 0;
  Told left_out_;
  std::map<std::string, Told> kinds_;
};

}  // namespace fleet
