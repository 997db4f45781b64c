#include "metrics/exposition.h"

#include <cassert>
#include <cstdio>
#include <utility>

namespace cwire {

namespace {

// "1.5" of 1,500,000,000: exact, unlike a double.
std::string seconds_text(std::uint64_t nanoseconds) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  std::string out = std::to_string(nanoseconds / kSecond);
  std::uint64_t rest = nanoseconds % kSecond;
  if (rest == 0) return out;
  char digits[16];
  std::snprintf(digits, sizeof digits, ".%09u", static_cast<unsigned>(rest));
  std::string_view shown(digits);
  while (shown.back() == '0') shown.remove_suffix(1);
  return out.append(shown);
}

// What both formats escape in a label's value, and OpenMetrics in HELP as well.
void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '\\' || (quotes && c == '"')) out += '\\';
      out += c;
    }
  }
}

}  // namespace

const char* content_type(MetricsFormat format) {
  return format == MetricsFormat::open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                               : "text/plain; version=0.0.4; charset=utf-8";
}

std::string expose(const Snapshot& snapshot, MetricsFormat format) {
  std::string out;
  for (const Family& family : families()) {
    FamilyWriter writer(family, format, out);
    family.write(snapshot, writer);
    writer.finish();
  }
  if (format == MetricsFormat::open_metrics) out += "# EOF\n";
  return out;
}

std::string FamilyWriter::text(std::uint64_t value) const {
  return std::string_view(family_.unit) == "seconds" ? seconds_text(value) : std::to_string(value);
}

void FamilyWriter::describe(std::string_view suffix, const char* type) {
  // Prometheus describes each name of samples, OpenMetrics what they have in common.
  const std::string name = std::string(family_.name).append(open_metrics() ? "" : suffix);
  out_.append("# HELP ").append(name).append(" ");
  append_escaped(out_, family_.help, open_metrics());
  out_.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
  if (open_metrics() && *family_.unit != '\0') {
    out_.append("# UNIT ").append(name).append(" ").append(family_.unit).append("\n");
  }
}

void FamilyWriter::sample(std::string& out, std::string_view suffix, Labels labels, std::string_view value,
                          std::string_view le) {
  out.append(family_.name).append(suffix);
  const char* separator = "{";
  const auto add = [&](std::string_view name, std::string_view text) {
    out.append(separator).append(name).append("=\"");
    append_escaped(out, text, true);
    out += '"';
    separator = ",";
  };
  for (const Label& label : labels) add(label.name, label.value);
  if (!le.empty()) add("le", le);
  if (*separator == ',') out += '}';
  out.append(" ").append(value).append("\n");
}

void FamilyWriter::created(Labels labels, std::int64_t created_ns) {
  if (!open_metrics() || created_ns <= 0) return;
  sample(out_, "_created", labels, seconds_text(static_cast<std::uint64_t>(created_ns)));
}

void FamilyWriter::gauge(Labels labels, std::uint64_t value) {
  assert(family_.type == FamilyType::gauge);
  if (!std::exchange(described_, true)) describe("", "gauge");
  sample(out_, "", labels, text(value));
}

void FamilyWriter::counter(Labels labels, std::uint64_t value, std::int64_t created_ns) {
  assert(family_.type == FamilyType::counter);
  if (!std::exchange(described_, true)) describe("_total", "counter");
  sample(out_, "_total", labels, text(value));
  created(labels, created_ns);
}

void FamilyWriter::info(Labels labels) {
  assert(family_.type == FamilyType::info);
  if (!std::exchange(described_, true)) describe("_info", open_metrics() ? "info" : "gauge");
  sample(out_, "_info", labels, "1");
}

std::uint64_t FamilyWriter::buckets(Labels labels, const HistogramValues& values) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < values.bounds->size; ++i) {
    count += values.buckets[i];
    sample(out_, "_bucket", labels, std::to_string(count), values.bounds->first[i].text);
  }
  count += values.buckets[values.bounds->size];
  sample(out_, "_bucket", labels, std::to_string(count), "+Inf");
  return count;
}

void FamilyWriter::histogram(Labels labels, const HistogramValues& values, std::int64_t created_ns) {
  assert(family_.type == FamilyType::histogram && family_.bounds == values.bounds);
  if (!std::exchange(described_, true)) describe("", "histogram");
  const std::uint64_t count = buckets(labels, values);
  sample(out_, "_sum", labels, text(values.sum));
  sample(out_, "_count", labels, std::to_string(count));
  created(labels, created_ns);
}

void FamilyWriter::gauge_histogram(Labels labels, const HistogramValues& values) {
  assert(family_.type == FamilyType::gauge_histogram && family_.bounds == values.bounds);
  if (!std::exchange(described_, true)) describe("", open_metrics() ? "gaugehistogram" : "histogram");
  const std::uint64_t count = buckets(labels, values);
  sample(open_metrics() ? out_ : counts_, "_gcount", labels, std::to_string(count));
  sample(open_metrics() ? out_ : sums_, "_gsum", labels, text(values.sum));
}

// Prometheus' format has no gauge histogram. As its own Python client does: the buckets are a histogram's, which
// histogram_quantile() reads, and count and sum, which fall as well as rise, are gauges.
void FamilyWriter::finish() {
  for (const auto& [suffix, samples] :
       {std::pair<const char*, const std::string&>("_gcount", counts_), {"_gsum", sums_}}) {
    if (samples.empty()) continue;
    describe(suffix, "gauge");
    out_.append(samples);
  }
}

}  // namespace cwire
