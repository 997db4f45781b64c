#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "metrics/exposition.h"
#include "metrics/metrics.h"

using namespace cwire;
using Catch::Contains;

namespace {

std::string written(const Family& family, MetricsFormat format, void (*write)(FamilyWriter&)) {
  std::string out;
  FamilyWriter writer(family, format, out);
  write(writer);
  writer.finish();
  return out;
}

Family family(FamilyType type, const char* name, const char* unit, const Bounds* bounds = nullptr) {
  return {name, type, unit, "", Needs::nothing, bounds, nullptr, "What\\it is,\nand \"why\"."};
}

constexpr Bound kFew[] = {{1'000'000, "0.001"}, {2'000'000'000, "2.0"}};
constexpr Bounds kFewBounds(kFew);

// A manager's, with something in all that may be there.
Snapshot full(Metrics& metrics) {
  Snapshot snapshot;
  snapshot.created_ns = 1'500'000'000'250'000'000;
  snapshot.io_threads = 2;
  snapshot.event_queue = {3, 100};
  snapshot.workers.emplace();
  snapshot.has_handler = true;
  EndpointMetrics& counted = metrics.endpoint("ws://csms.example:80");
  counted.attempt_failed(Failure(CWIRE_E_PROTOCOL, "", FailurePhase::http));
  counted.disconnected(CWIRE_E_TOO_BIG);
  EndpointSnapshot& endpoint = snapshot.endpoints.emplace_back(counted);
  endpoint.governed.emplace();
  StationSnapshot& station = snapshot.stations.emplace_back();
  station.id = "CP\"1\\";
  station.endpoint = &counted;
  return snapshot;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

}  // namespace

TEST_CASE("a counter is described by each format's rules") {
  const Family counter = family(FamilyType::counter, "x_seconds", "seconds");
  const auto write = [](FamilyWriter& writer) {
    writer.counter({{"endpoint", "a"}}, 1'500'000'000, 2'000'000'001);
    writer.counter({}, 3, 0);
  };
  CHECK(written(counter, MetricsFormat::prometheus, write) ==
        "# HELP x_seconds_total What\\\\it is,\\nand \"why\".\n"
        "# TYPE x_seconds_total counter\n"
        "x_seconds_total{endpoint=\"a\"} 1.5\n"
        "x_seconds_total 0.000000003\n");
  CHECK(written(counter, MetricsFormat::open_metrics, write) ==
        "# HELP x_seconds What\\\\it is,\\nand \\\"why\\\".\n"
        "# TYPE x_seconds counter\n"
        "# UNIT x_seconds seconds\n"
        "x_seconds_total{endpoint=\"a\"} 1.5\n"
        "x_seconds_created{endpoint=\"a\"} 2.000000001\n"
        "x_seconds_total 0.000000003\n");
}

TEST_CASE("a label's value is escaped by the rules of both formats") {
  const Family gauge = family(FamilyType::gauge, "x", "");
  for (const MetricsFormat format : {MetricsFormat::prometheus, MetricsFormat::open_metrics}) {
    CHECK_THAT(written(gauge, format,
                       [](FamilyWriter& writer) {
                         writer.gauge({{"a", "\\\"\n{},=ü"}, {"b", ""}}, 7);
                       }),
               Contains("\nx{a=\"\\\\\\\"\\n{},=ü\",b=\"\"} 7\n"));
  }
}

TEST_CASE("an info is one that says 1") {
  const Family info = family(FamilyType::info, "x", "");
  const auto write = [](FamilyWriter& writer) { writer.info({{"version", "1"}}); };
  CHECK_THAT(written(info, MetricsFormat::prometheus, write),
             Contains("# TYPE x_info gauge\nx_info{version=\"1\"} 1\n"));
  CHECK_THAT(written(info, MetricsFormat::open_metrics, write), Contains("# TYPE x info\nx_info{version=\"1\"} 1\n"));
}

TEST_CASE("a histogram's buckets add up, and the last has all") {
  const Family histogram = family(FamilyType::histogram, "x_seconds", "seconds", &kFewBounds);
  const auto write = [](FamilyWriter& writer) {
    Histogram<OwnCell> cells(kFewBounds);
    for (const std::uint64_t ns : {0, 1'000'000, 1'000'001, 2'000'000'000}) cells.observe(ns);
    cells.observe(3'000'000'000);
    writer.histogram({{"a", "b"}}, cells.values(), 4'000'000'000);
  };
  const std::string samples =
      "x_seconds_bucket{a=\"b\",le=\"0.001\"} 2\n"
      "x_seconds_bucket{a=\"b\",le=\"2.0\"} 4\n"
      "x_seconds_bucket{a=\"b\",le=\"+Inf\"} 5\n"
      "x_seconds_sum{a=\"b\"} 5.002000001\n"
      "x_seconds_count{a=\"b\"} 5\n";
  CHECK_THAT(written(histogram, MetricsFormat::prometheus, write),
             Catch::EndsWith("# TYPE x_seconds histogram\n" + samples));
  CHECK_THAT(written(histogram, MetricsFormat::open_metrics, write),
             Catch::EndsWith("# UNIT x_seconds seconds\n" + samples + "x_seconds_created{a=\"b\"} 4\n"));
}

TEST_CASE("a gauge histogram is one in OpenMetrics, and three families in Prometheus' format") {
  const Family distribution = family(FamilyType::gauge_histogram, "x", "", &kFewBounds);
  const auto write = [](FamilyWriter& writer) {
    HistogramValues values(kFewBounds);
    values.observe(5);
    writer.gauge_histogram({{"a", "1"}}, values);
    writer.gauge_histogram({{"a", "2"}}, HistogramValues(kFewBounds));
  };
  const std::string help = " What\\\\it is,\\nand \"why\".\n";
  CHECK(written(distribution, MetricsFormat::prometheus, write) ==
        "# HELP x" + help +
            "# TYPE x histogram\n"
            "x_bucket{a=\"1\",le=\"0.001\"} 1\nx_bucket{a=\"1\",le=\"2.0\"} 1\nx_bucket{a=\"1\",le=\"+Inf\"} 1\n"
            "x_bucket{a=\"2\",le=\"0.001\"} 0\nx_bucket{a=\"2\",le=\"2.0\"} 0\nx_bucket{a=\"2\",le=\"+Inf\"} 0\n"
            "# HELP x_gcount" +
            help + "# TYPE x_gcount gauge\nx_gcount{a=\"1\"} 1\nx_gcount{a=\"2\"} 0\n# HELP x_gsum" + help +
            "# TYPE x_gsum gauge\nx_gsum{a=\"1\"} 5\nx_gsum{a=\"2\"} 0\n");
  CHECK_THAT(written(distribution, MetricsFormat::open_metrics, write),
             Contains("# TYPE x gaugehistogram\n") &&
                 Contains("x_bucket{a=\"1\",le=\"+Inf\"} 1\nx_gcount{a=\"1\"} 1\nx_gsum{a=\"1\"} 5\nx_bucket{a=\"2\""));
}

TEST_CASE("the table of metrics keeps to the conventions") {
  std::set<std::string> names;
  for (const Family& each : families()) {
    const std::string name = each.name, unit = each.unit, help = each.help;
    INFO(name);
    CHECK(names.insert(name).second);
    CHECK(name.rfind("chargewire_", 0) == 0);
    CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos);
    // OpenMetrics wants the unit at the end, and of its own suffixes none.
    if (!unit.empty()) CHECK_THAT(name, Catch::EndsWith("_" + unit));
    for (const char* suffix : {"_total", "_info", "_created", "_count", "_sum", "_bucket", "_gcount", "_gsum"}) {
      CHECK_THAT(name, !Catch::EndsWith(suffix));
    }
    CHECK((unit.empty() || unit == "seconds" || unit == "bytes"));
    CHECK_THAT(help, Catch::EndsWith("."));
    CHECK(
        ((each.type == FamilyType::histogram || each.type == FamilyType::gauge_histogram) == (each.bounds != nullptr)));
    CHECK((std::string(each.labels).rfind("station", 0) == 0) == (each.needs == Needs::per_station));
    for (std::size_t i = 1; each.bounds != nullptr && i < each.bounds->size; ++i) {
      CHECK(each.bounds->first[i - 1].value < each.bounds->first[i].value);
    }
  }
}

TEST_CASE("the bound that is shown is the one that is counted by") {
  for (const Family& each : families()) {
    for (std::size_t i = 0; each.bounds != nullptr && i < each.bounds->size; ++i) {
      const double unit = std::string(each.unit) == "seconds" ? 1e9 : 1;
      INFO(each.name << " " << each.bounds->first[i].text);
      CHECK(std::stod(each.bounds->first[i].text) * unit == Approx(static_cast<double>(each.bounds->first[i].value)));
    }
  }
}

TEST_CASE("a grade is explained by the names that it has everywhere else") {
  for (const Family& each : families()) {
    if (std::string(each.name) != "chargewire_station_quality") continue;
    std::string grades;
    for (std::int32_t quality = CWIRE_QUALITY_NONE; quality <= CWIRE_QUALITY_BAD; ++quality) {
      grades +=
          (quality == CWIRE_QUALITY_NONE ? "" : ", ") + std::to_string(quality) + " " + cwire_quality_name(quality);
    }
    CHECK_THAT(each.help, Catch::EndsWith(": " + grades + "."));
    return;
  }
  FAIL("there is no such family");
}

TEST_CASE("each family has samples, with the labels that its row names and no others") {
  Metrics metrics;
  const Snapshot snapshot = full(metrics);
  for (const Family& each : families()) {
    std::string out;
    FamilyWriter writer(each, MetricsFormat::open_metrics, out);
    each.write(snapshot, writer);
    writer.finish();
    INFO(each.name << "\n" << out);
    std::size_t samples = 0;
    for (const std::string& line : lines_of(out)) {
      if (line[0] == '#') continue;
      ++samples;
      std::string labels;
      // Names stand between a separator and "=\"". Values of ours hold neither.
      for (std::size_t at = line.find('{'); at != std::string::npos;) {
        const std::size_t equals = line.find("=\"", at + 1);
        const std::string name = line.substr(at + 1, equals - at - 1);
        if (name != "le") labels += (labels.empty() ? "" : ", ") + name;
        at = line.find("\",", equals);
        if (at != std::string::npos) ++at;
      }
      CHECK(labels == each.labels);
    }
    CHECK(samples > 0);
  }
}

TEST_CASE("what has no numbers of its own is left out") {
  const std::string text = expose(Snapshot(), MetricsFormat::open_metrics);
  CHECK_THAT(text, Contains("\nchargewire_build_info{version=\"" + std::string(cwire_version()) + "\",abi=\"") &&
                       Catch::EndsWith("\n# EOF\n"));
  CHECK_THAT(text, !Contains("chargewire_event_queue") && !Contains("chargewire_handler") &&
                       !Contains("chargewire_station_") && !Contains("endpoint="));
  CHECK_THAT(expose(Snapshot(), MetricsFormat::prometheus), !Contains("EOF"));
}

TEST_CASE("an endpoint is the same object each time, and there are not more than a hundred") {
  Metrics metrics;
  EndpointMetrics& first = metrics.endpoint("ws://0");
  for (std::size_t i = 0; i < Metrics::kEndpointsMax; ++i) metrics.endpoint("ws://" + std::to_string(i));
  CHECK(&metrics.endpoint("ws://0") == &first);
  EndpointMetrics& other = metrics.endpoint("ws://more");
  CHECK(other.name == "other");
  CHECK(&metrics.endpoint("ws://yet-more") == &other);
  CHECK(metrics.endpoints().size() == Metrics::kEndpointsMax + 1);
}
