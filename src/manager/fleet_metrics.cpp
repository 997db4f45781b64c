#include "manager/fleet_metrics.h"

#include <algorithm>
#include <utility>

#include "base/time.h"

namespace cwire {

namespace {

void observe_if_known(HistogramValues& values, std::int64_t nanoseconds) {
  if (nanoseconds > 0) values.observe(static_cast<std::uint64_t>(nanoseconds));
}

void add_state(EndpointSnapshot& endpoint, const cwire_stats& stats) {
  ++endpoint.stations[static_cast<std::size_t>(stats.state) % kStates];
  ++endpoint.qualities[static_cast<std::size_t>(stats.quality) % kQualities];
  endpoint.flaps.observe(stats.flaps);
}

void add_station(EndpointSnapshot& endpoint, const Station::Measured& measured, std::int64_t now_ns) {
  const cwire_stats& stats = measured.stats;
  add_state(endpoint, stats);
  for (std::size_t i = 0; i < kTallies; ++i) endpoint.totals[i] += measured.here[i];
  endpoint.queued_messages += stats.queued_messages;
  endpoint.queued_bytes += stats.queued_bytes;
  endpoint.offline_messages += stats.offline_messages;
  endpoint.offline_bytes += stats.offline_bytes;
  if (stats.state != CWIRE_STATE_CONNECTED) return;
  endpoint.stations_compressed += stats.compressed;
  observe_if_known(endpoint.round_trip, stats.round_trip_smoothed_ns);
  observe_if_known(endpoint.jitter, stats.jitter_ns);
  if (stats.last_alive_at_ns != 0) {
    endpoint.silence.observe(static_cast<std::uint64_t>(std::max<std::int64_t>(0, now_ns - stats.last_alive_at_ns)));
  }
}

StationSnapshot single(const Station::Measured& measured) {
  const cwire_stats& stats = measured.stats;
  StationSnapshot station;
  station.id = stats.station_id;
  station.endpoint = measured.endpoint;
  station.connected = stats.state == CWIRE_STATE_CONNECTED;
  station.quality = static_cast<std::uint64_t>(stats.quality);
  station.totals = measured.traffic;
  station.connections = stats.connections;
  station.reconnect_attempts = stats.reconnect_attempts;
  station.flaps = stats.flaps;
  station.queued_messages = stats.queued_messages;
  station.round_trip_ns = static_cast<std::uint64_t>(stats.round_trip_smoothed_ns);
  station.jitter_ns = static_cast<std::uint64_t>(stats.jitter_ns);
  station.last_alive_at_ns = static_cast<std::uint64_t>(stats.last_alive_at_ns);
  return station;
}

}  // namespace

std::string FleetMetrics::text(MetricsFormat format) { return expose(snapshot(), format); }

Snapshot FleetMetrics::snapshot() {
  const std::lock_guard<std::mutex> lock(mutex_);
  Snapshot snapshot;
  snapshot.created_ns = sources_.metrics->created_ns();
  snapshot.offline_budget_bytes = sources_.offline_budget_bytes;
  if (sources_.queue != nullptr) {
    const EventQueue::Level level = sources_.queue->level(), limits = sources_.queue->limits();
    snapshot.event_queue = {level.events, limits.events, level.bytes, limits.bytes};
  }
  snapshot.has_handler = sources_.queue == nullptr;
  // Before the stations: what of them ends meanwhile is missing then, and not there twice.
  for (const EndpointMetrics* endpoint : sources_.metrics->endpoints()) {
    EndpointSnapshot& entry = snapshot.endpoints.emplace_back(*endpoint);
    for (std::size_t i = 0; i < kTallies; ++i) entry.totals[i] = endpoint->settled[i].get();
  }
  add_stations(snapshot);
  add_endpoints(snapshot);
  add_workers(snapshot);
  never_go_back(snapshot);
  return snapshot;
}

void FleetMetrics::add_stations(Snapshot& snapshot) const {
  const std::int64_t now_ns = wall_clock_ns();
  const Registry::Known known = sources_.registry.all();
  // They are few, and stations of one mostly come together.
  EndpointSnapshot* last = nullptr;
  const auto at = [&](const EndpointMetrics* endpoint) -> EndpointSnapshot& {
    if (last != nullptr && last->counted == endpoint) return *last;
    const auto found = std::find_if(snapshot.endpoints.begin(), snapshot.endpoints.end(),
                                    [&](const EndpointSnapshot& entry) { return entry.counted == endpoint; });
    // One that came meanwhile.
    last = found != snapshot.endpoints.end() ? &*found : &snapshot.endpoints.emplace_back(*endpoint);
    return *last;
  };
  for (const StationTable::Pin& station : known.stations) {
    const Station::Measured measured = station->measure();
    add_station(at(measured.endpoint), measured, now_ns);
    if (sources_.per_station) snapshot.stations.push_back(single(measured));
  }
  for (const Registry::GaveUp& gone : known.gave_up) {
    add_state(at(gone.endpoint), gone.stats);
    if (sources_.per_station) snapshot.stations.push_back(single({gone.stats, gone.endpoint, gone.traffic, {}}));
  }
}

void FleetMetrics::add_endpoints(Snapshot& snapshot) const {
  if (sources_.governor == nullptr) return;
  const TimePoint now = Clock::now();
  for (const auto& endpoint : sources_.governor->endpoints()) {
    const auto entry =
        std::find_if(snapshot.endpoints.begin(), snapshot.endpoints.end(),
                     [&](const EndpointSnapshot& each) { return each.counted->name == endpoint->name(); });
    if (entry == snapshot.endpoints.end()) continue;
    const Governor::Endpoint::Numbers numbers = endpoint->numbers(now);
    GovernedSnapshot& governed = entry->governed.emplace();
    governed.breaker = static_cast<std::size_t>(numbers.state);
    governed.handshakes = numbers.handshakes;
    governed.handshakes_limit = numbers.handshakes_limit;
    governed.waiting = {numbers.waiting[static_cast<std::size_t>(Priority::high)],
                        numbers.waiting[static_cast<std::size_t>(Priority::normal)],
                        numbers.waiting[static_cast<std::size_t>(Priority::low)]};
  }
}

void FleetMetrics::add_workers(Snapshot& snapshot) const {
  snapshot.io_threads = sources_.workers.size();
  for (const auto& worker : sources_.workers) {
    snapshot.io_cpu_ns += worker->thread().cpu_ns();
    if (worker->own_metrics() == nullptr) continue;
    if (!snapshot.workers) snapshot.workers.emplace();
    snapshot.workers->add(*worker->own_metrics());
  }
  if (snapshot.workers && sources_.queue != nullptr) snapshot.workers->add(*sources_.queue->metrics());
}

// A station that ends, goes elsewhere or is replaced while it is looked for may be in neither place. The next time it
// is; what was shown is not taken back meanwhile, or whoever takes rates of it would see a restart.
void FleetMetrics::never_go_back(Snapshot& snapshot) {
  for (EndpointSnapshot& endpoint : snapshot.endpoints) {
    Tallies& shown = shown_[endpoint.counted];
    for (std::size_t i = 0; i < kTallies; ++i) shown[i] = endpoint.totals[i] = std::max(shown[i], endpoint.totals[i]);
  }
}

}  // namespace cwire
