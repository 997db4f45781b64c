#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/counters.h"
#include "metrics/snapshot.h"

namespace cwire {

class FamilyWriter;

enum class FamilyType : std::uint8_t { counter, gauge, info, histogram, gauge_histogram };

// When a family is there.
enum class Needs : std::uint8_t { nothing, enabled, per_station };

struct Family {
  const char* name;  // without _total and _info
  FamilyType type;
  const char* unit;    // "seconds", "bytes"; "" where it is a number of things
  const char* labels;  // "endpoint, state"
  Needs needs;
  const Bounds* bounds;  // of histograms
  void (*write)(const Snapshot&, FamilyWriter&);
  const char* help;
};

// THE table of metrics. A new metric is one row here: both formats and docs/metrics.md follow.
const std::vector<Family>& families();

}  // namespace cwire
