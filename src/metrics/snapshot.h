#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "metrics/endpoint_metrics.h"
#include "metrics/worker_metrics.h"

namespace cwire {

// All that is shown in one scrape, in plain numbers. Times and lengths of time are nanoseconds.

constexpr std::size_t kStates = 6;         // CWIRE_STATE_*
constexpr std::size_t kQualities = 5;      // CWIRE_QUALITY_*
constexpr std::size_t kPriorityNames = 3;  // high, normal, low

// How the governor paces it.
struct GovernedSnapshot {
  std::size_t breaker = 0;  // CWIRE_BREAKER_*
  std::uint64_t handshakes = 0, handshakes_limit = 0;
  std::array<std::uint64_t, kPriorityNames> waiting{};
};

struct EndpointSnapshot {
  explicit EndpointSnapshot(const EndpointMetrics& endpoint) : counted(&endpoint) {}

  const EndpointMetrics* counted;
  Tallies totals{};  // of all stations that are or were here
  std::array<std::uint64_t, kStates> stations{};
  std::array<std::uint64_t, kQualities> qualities{};
  std::uint64_t stations_compressed = 0;
  std::uint64_t queued_messages = 0, queued_bytes = 0, offline_messages = 0, offline_bytes = 0;
  // Over the stations that are connected.
  HistogramValues round_trip{bounds::kLatency}, jitter{bounds::kLatency}, silence{bounds::kWait};
  HistogramValues flaps{bounds::kFlaps};  // over all

  std::optional<GovernedSnapshot> governed;  // none: nothing paces it, or no station is there any more
};

// One station, where metrics.per_station asks for it.
struct StationSnapshot {
  std::string id;
  const EndpointMetrics* endpoint = nullptr;
  bool connected = false;
  std::uint64_t quality = 0;  // CWIRE_QUALITY_*
  Tallies totals{};           // since it was connected, wherever it was
  std::uint64_t connections = 0, reconnect_attempts = 0, flaps = 0, queued_messages = 0;
  std::uint64_t round_trip_ns = 0, jitter_ns = 0, last_alive_at_ns = 0;
};

// The events that wait to be polled, and how many may.
struct QueueSnapshot {
  std::uint64_t length = 0, capacity = 0, bytes = 0, capacity_bytes = 0;
};

// Where metrics.enabled is true; the sums of all I/O threads.
struct WorkersSnapshot {
  std::uint64_t turns = 0;
  std::array<std::uint64_t, DeliveryMetrics::kEventTypes> events{};
  HistogramValues batch_size{bounds::kBatch}, handler{bounds::kHandler};
  HistogramValues message_sent{bounds::kMessage}, message_received{bounds::kMessage};

  void add(const DeliveryMetrics& delivery) {
    for (std::size_t i = 0; i < events.size(); ++i) events[i] += delivery.of_type[i].get();
    delivery.batch_size.add_to(batch_size);
  }
  void add(const WorkerMetrics& worker) {
    turns += worker.turns.get();
    add(worker.delivery);
    worker.handler.add_to(handler);
    worker.message_sent.add_to(message_sent);
    worker.message_received.add_to(message_received);
  }
};

struct Snapshot {
  std::int64_t created_ns = 0;  // of the manager
  std::uint64_t io_threads = 0;
  std::uint64_t io_cpu_ns = 0;
  std::optional<QueueSnapshot> event_queue;  // in poll mode
  std::uint64_t offline_budget_bytes = 0;
  std::vector<EndpointSnapshot> endpoints;
  std::vector<StationSnapshot> stations;
  std::optional<WorkersSnapshot> workers;
  bool has_handler = false;
};

}  // namespace cwire
