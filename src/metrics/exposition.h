#pragma once

#include <chargewire/chargewire.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "metrics/family.h"

namespace cwire {

// The two text formats that Prometheus reads: its own (0.0.4) and OpenMetrics 1.0.
enum class MetricsFormat : std::int32_t {
  prometheus = CWIRE_METRICS_PROMETHEUS,
  open_metrics = CWIRE_METRICS_OPEN_METRICS
};

const char* content_type(MetricsFormat format);

// All families, in the order of their table.
std::string expose(const Snapshot& snapshot, MetricsFormat format);

struct Label {
  std::string_view name;
  std::string_view value;
};
using Labels = std::initializer_list<Label>;

// Writes the samples of one family. Numbers are nanoseconds where the family's unit is seconds.
class FamilyWriter {
 public:
  FamilyWriter(const Family& family, MetricsFormat format, std::string& out)
      : family_(family), format_(format), out_(out) {}

  void gauge(Labels labels, std::uint64_t value);
  // `created_ns`: when it began to count, wall clock; 0: nobody knows.
  void counter(Labels labels, std::uint64_t value, std::int64_t created_ns);
  void info(Labels labels);
  void histogram(Labels labels, const HistogramValues& values, std::int64_t created_ns);
  // A distribution as it is now: unlike a histogram's, its numbers fall as well.
  void gauge_histogram(Labels labels, const HistogramValues& values);
  // After the last.
  void finish();

 private:
  bool open_metrics() const { return format_ == MetricsFormat::open_metrics; }
  // HELP, TYPE and UNIT, before the first sample.
  void describe(std::string_view suffix, const char* type);
  void sample(std::string& out, std::string_view suffix, Labels labels, std::string_view value,
              std::string_view le = {});
  std::uint64_t buckets(Labels labels, const HistogramValues& values);
  void created(Labels labels, std::int64_t created_ns);
  std::string text(std::uint64_t value) const;

  const Family& family_;
  const MetricsFormat format_;
  std::string& out_;
  bool described_ = false;
  std::string counts_, sums_;  // of gauge histograms, which are families of their own in Prometheus' format
};

}  // namespace cwire
