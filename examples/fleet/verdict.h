#pragma once

#include <string>

#include "run_record.h"

namespace fleet {

struct Verdict {
  enum class Level { good, fair, bad };
  Level level;
  std::string text;  // one sentence
};

// What a run comes to: bad if a promise was not kept, fair if all were but something went wrong on the way.
Verdict judge(const RunRecord& record);

}  // namespace fleet
