// Prints docs/metrics.md. Made from the table of metric families.

#include <cstdio>
#include <string>

#include "metrics/exposition.h"
#include "metrics/family.h"

namespace {

using cwire::Family;
using cwire::FamilyType;
using cwire::Needs;

constexpr char kIntroduction[] = R"(# Metrics

<!-- Made by docs/generate_metrics.cpp from the table in src/metrics/families.cpp. Change those, not this page. -->

What is counted of a fleet, as Prometheus reads it. `cwire_manager_metrics` gives it as text, and with `metrics.listen` the library serves it at
`/metrics`: [operations](operations.md#metrics) says how, and what it costs. A manager has metrics of its own; a program with several tells
them apart by where they are scraped.

Two formats: Prometheus' own (`text/plain; version=0.0.4`) and OpenMetrics 1.0 (`application/openmetrics-text; version=1.0.0`). Names below are those of
the samples. In OpenMetrics a counter's family goes without `_total` and an info's without `_info`, each counter and histogram says in `_created` since
when it counts, and `# UNIT` repeats what the name says. Times are seconds, sizes bytes.

A counter never goes back as long as its manager lives: what a station has counted stays with its endpoint when the station ends.

## Labels

| label | values |
|---|---|
| `endpoint` | scheme, host and port of the URL: `wss://csms.example:443`. Beyond the first 100 of a manager all are `other` |
| `state` | of a station: `disconnected`, `connecting`, `connected`, `reconnecting`, `error`, `closed`; of a circuit breaker: `closed`, `open`, `half_open`, `isolated` |
| `quality` | %s: see [operations](operations.md#how-good-a-connection-is) |
| `status` | why it failed, the words of [errors](errors.md): `dial`, `tls`, `handshake`, `auth`, `subprotocol`, ... |
| `phase` | what it was doing: `resolve`, `tcp`, `proxy`, `tls`, `http`, `subprotocol` |
| `cause` | why a connection ended: `requested`, `closed` (by the CSMS), `ping_timeout`, `read`, `write`, `protocol`, ... |
| `priority` | `csms.priority`: `high`, `normal`, `low` |
| `type` | of an event: `connected`, `message`, `sent`, ... |
| `station` | the station's id. Only in the last table |

## Always

They cost nothing per message: the stations' own statistics are added up when somebody asks.
)";

const char kEnabled[] = R"(
## With metrics.enabled or metrics.listen

Counted per message, per batch of events, or per turn of an I/O thread; [operations](operations.md#what-metrics-cost) says what that costs.
)";

const char kPerStation[] = R"(
## With metrics.per_station

Each station has a time series of each of these. They begin when the station is connected by a call and end with it.
)";

const char kDistributions[] = R"(
## Histograms

`le`, the upper bounds of the buckets, beside `+Inf`:

| histogram | bounds |
|---|---|
)";

const char kFleet[] = R"(
A *gauge histogram* says how the stations are distributed now, and falls as well as it rises: `histogram_quantile(0.95,
chargewire_fleet_round_trip_seconds_bucket)` needs no `rate()`. OpenMetrics knows it as such, with `_gcount` and `_gsum`; in Prometheus' format, which does
not, its buckets are those of a histogram, and `_gcount` and `_gsum` are gauges, as Prometheus' own Python client writes it.
)";

const char* type_of(const Family& family) {
  switch (family.type) {
    case FamilyType::counter:
      return "counter";
    case FamilyType::gauge:
      return "gauge";
    case FamilyType::info:
      return "info";
    case FamilyType::histogram:
      return "histogram";
    case FamilyType::gauge_histogram:
      return "gauge histogram";
  }
  return "";
}

std::string quality_names() {
  std::string names;
  for (std::int32_t quality = CWIRE_QUALITY_NONE; quality <= CWIRE_QUALITY_BAD; ++quality) {
    names.append(names.empty() ? "`" : ", `").append(cwire_quality_name(quality)).append("`");
  }
  return names;
}

std::string sample_name(const Family& family) {
  return std::string(family.name) + (family.type == FamilyType::counter ? "_total"
                                     : family.type == FamilyType::info  ? "_info"
                                                                        : "");
}

void print_families(Needs needs) {
  std::printf("\n| name | type | labels | |\n|---|---|---|---|\n");
  for (const Family& family : cwire::families()) {
    if (family.needs != needs) continue;
    std::string labels;
    for (const char* c = family.labels; *c != '\0'; ++c)
      labels += *c == ',' ? "`," : *c == ' ' ? " `" : std::string(1, *c);
    if (!labels.empty()) labels = "`" + labels + "`";
    std::printf("| `%s` | %s | %s | %s |\n", sample_name(family).c_str(), type_of(family), labels.c_str(), family.help);
  }
}

void print_bounds() {
  for (const Family& family : cwire::families()) {
    if (family.bounds == nullptr) continue;
    std::string bounds;
    for (std::size_t i = 0; i < family.bounds->size; ++i) {
      bounds += (i == 0 ? "" : ", ") + std::string(family.bounds->first[i].text);
    }
    std::printf("| `%s` | %s |\n", family.name, bounds.c_str());
  }
}

}  // namespace

int main() {
  std::printf(kIntroduction, quality_names().c_str());
  print_families(Needs::nothing);
  std::fputs(kEnabled, stdout);
  print_families(Needs::enabled);
  std::fputs(kPerStation, stdout);
  print_families(Needs::per_station);
  std::fputs(kDistributions, stdout);
  print_bounds();
  std::fputs(kFleet, stdout);
  return std::fflush(stdout) == 0 ? 0 : 1;
}
