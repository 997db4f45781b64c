#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "events/event_queue.h"
#include "governor/governor.h"
#include "manager/registry.h"
#include "metrics/exposition.h"
#include "metrics/metrics.h"
#include "station/worker.h"

namespace cwire {

// What a manager shows of itself in a scrape. The stations are added up here, on the thread that asks, so that counting
// a message costs no more than the station's own statistics do. From any thread.
class FleetMetrics {
 public:
  struct Sources {
    const Registry& registry;
    const std::vector<std::shared_ptr<Worker>>& workers;
    std::shared_ptr<Metrics> metrics;
    std::shared_ptr<Governor> governor;  // null: nothing paces
    std::shared_ptr<EventQueue> queue;   // null: handler mode
    std::uint64_t offline_budget_bytes = 0;
    bool per_station = false;
  };
  explicit FleetMetrics(Sources sources) : sources_(std::move(sources)) {}

  std::string text(MetricsFormat format);

 private:
  Snapshot snapshot();
  void add_stations(Snapshot& snapshot) const;
  void add_endpoints(Snapshot& snapshot) const;
  void add_workers(Snapshot& snapshot) const;
  void never_go_back(Snapshot& snapshot);

  const Sources sources_;
  std::mutex mutex_;
  std::map<const EndpointMetrics*, Tallies> shown_;  // the last time
};

}  // namespace cwire
