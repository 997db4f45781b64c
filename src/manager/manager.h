#pragma once

#include <chargewire/chargewire.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/handle_table.h"
#include "config/config.h"
#include "events/event_queue.h"
#include "manager/fleet_metrics.h"
#include "manager/registry.h"
#include "metrics/http_server.h"
#include "ocpp/proxy.h"
#include "station/station.h"
#include "tls/contexts.h"
#include "trace/trace_file.h"

namespace cwire {

class Manager;
using ManagerTable = HandleTable<Manager, 2>;
ManagerTable& manager_table();

// A fleet: its I/O threads, its stations, its events, and their orderly end. Every function may be called from any
// thread; failures are thrown as Error.
class Manager final : public StationOwner {
 public:
  Manager(ConfigSnapshot config, cwire_event_handler handler, std::uintptr_t context);
  ~Manager();  // after finish()

  // Poll mode; null in handler mode.
  EventQueue* queue() { return queue_.get(); }
  cwire_status poll(std::int32_t timeout_ms, std::size_t max, const cwire_event** events, std::size_t* count);

  cwire_station connect(const char* station_id, const char* url, const ConfigSnapshot* overrides,
                        std::uintptr_t user_data);
  // As cwire_station_reconfigure. `station` is ours.
  void reconfigure(Station& station, const char* url, const ConfigSnapshot* overrides, bool reconnect);
  // Counts in `begun` also when it throws midway.
  void connect_all(std::size_t& begun);
  // Tells every worker; returns at once.
  void network_up() noexcept;
  // As cwire_manager_endpoints, for arguments that were checked.
  cwire_status endpoints(cwire_endpoint* out, std::size_t capacity, std::size_t* count) const;
  // The endpoint that the URL is on.
  void isolate(const char* url);
  void reset(const char* url);
  // One station, or all of them and those to come with null.
  void trace(const char* station_id, bool on);
  // All that is counted, as Prometheus reads it.
  std::string metrics(MetricsFormat format) { return fleet_metrics_->text(format); }
  // Where it is served; empty: nowhere.
  const std::string& metrics_url() const { return metrics_url_; }
  Registry& registry() { return registry_; }

  // Tells every worker; returns at once, and cannot fail.
  void shutdown(Duration drain) noexcept;
  // Blocks until SHUTDOWN was taken or, in poll mode, discarded; joins the I/O threads. After shutdown(), not on an I/O
  // thread.
  void finish();

  std::vector<std::uintptr_t> pools;  // under pools_mutex
  bool pools_closed = false;          // likewise
  std::mutex pools_mutex;

 private:
  // Prepared in advance, like a station's CLOSED.
  class ShutdownEvent final : public Event {
   public:
    explicit ShutdownEvent(Manager& manager) : Event(CWIRE_EVENT_SHUTDOWN), manager_(manager) {}
    void released() noexcept override;

   private:
    Manager& manager_;
  };

  void station_ended(Station& station) noexcept override;
  // Everything that can be wrong with a station is found here; what is thrown names it.
  using SettingsSource = std::function<std::shared_ptr<const ResolvedConfig>()>;
  Station::Description describe(const char* station_id, const char* url, const SettingsSource& settings_source,
                                std::uintptr_t user_data);
  // `url`: as given, or null; `present`: what it replaces, or null.
  ConnectionConfig connection_config(const std::string& station_id, const char* url, const SettingsSource& settings,
                                     const ConnectionConfig* present);
  cwire_station add(Station::Description description);
  Governor& governor_or_refuse();
  // Shared by all who are given the same, as long as one of them lives.
  std::shared_ptr<const ResolvedConfig> resolved(const ConfigSnapshot& base, const ConfigSnapshot* overrides);
  void settle_one() noexcept;
  void fell_silent(std::size_t worker) noexcept;

  const std::vector<StationEntry> entries_;  // for connect_all
  const ConfigSnapshot config_;              // without them: each station may keep a copy
  const ProxyEnvironment proxy_environment_;
  TlsContexts tls_;
  std::mutex settings_mutex_;
  using Revisions = std::pair<std::uint64_t, std::uint64_t>;  // of what is overridden, and of what overrides it
  std::map<Revisions, std::weak_ptr<const ResolvedConfig>> settings_by_revision_;
  std::size_t settings_kept_ = 0;  // living ones when they were last counted
  std::shared_ptr<EventQueue> queue_;
  std::shared_ptr<Governor> governor_;
  std::shared_ptr<TraceFile> trace_;  // null: trace.file is not set
  std::mutex trace_mutex_;            // of trace(), so that one call is done before the next begins
  std::vector<std::shared_ptr<Worker>> workers_;
  Registry registry_;
  std::unique_ptr<FleetMetrics> fleet_metrics_;
  std::unique_ptr<HttpServer> metrics_server_;
  std::string metrics_url_;
  // What SHUTDOWN waits for: the stations that have not ended, and one for shutdown() itself.
  std::atomic<std::size_t> unsettled_{1};
  ShutdownEvent shutdown_event_;
  std::mutex finished_mutex_;
  std::condition_variable finished_changed_;
  bool shutdown_taken_ = false;
};

}  // namespace cwire
