#include "manager/manager.h"

#include <chargewire/chargewire.h>

#include <future>
#include <memory>
#include <thread>

#include "abi/config_object.h"
#include "abi/fork.h"
#include "abi/guard.h"
#include "manager/connection_pool.h"
#include "manager/group.h"
#include "net/process_exit.h"

namespace cwire::abi {

namespace {

ManagerTable::Pin find_manager(cwire_manager manager) {
  auto pin = manager_table().find(token_of(manager));
  if (!pin) invalid_handle("manager");
  return pin;
}

// What remains of cwire_manager_free once nobody can find the manager any more.
void take_down(Manager& manager) {
  // In exit() nobody is left to finish anything, and the kernel takes everything back.
  if (process_exit::begun()) return;
  manager.finish();
  {
    std::lock_guard<std::mutex> lock(manager.pools_mutex);
    manager.pools_closed = true;
    for (const std::uintptr_t pool : manager.pools) {
      const auto pin = pool_table().find(pool);
      if (pin && pool_table().retire(pool)) pool_table().unpin(pool);
    }
  }
  manager_table().unpin(manager.token);  // the pin of cwire_manager_new
}

}  // namespace

}  // namespace cwire::abi

using namespace cwire;
using namespace cwire::abi;

extern "C" {

cwire_status cwire_manager_new(cwire_config config, cwire_event_handler handler, uintptr_t context, cwire_manager* out,
                               cwire_error* err) {
  return guarded(err, [&] {
    if (out == nullptr) invalid_argument("out is NULL");
    prepare_for_fork();
    ConfigSnapshot snapshot;
    if (config != nullptr) snapshot = find_config(config)->snapshot();
    auto pin = manager_table().insert(std::make_unique<Manager>(std::move(snapshot), handler, context));
    *out = reinterpret_cast<cwire_manager>(pin.leak()->token);
    return CWIRE_OK;
  });
}

cwire_status cwire_manager_poll(cwire_manager manager, int32_t timeout_ms, size_t max, const cwire_event** events,
                                size_t* count) {
  return guarded(nullptr, [&] {
    if (events == nullptr || count == nullptr) invalid_argument("events or count is NULL");
    *events = nullptr;
    *count = 0;
    const auto pin = find_manager(manager);
    if (max == 0) invalid_argument("max is 0");
    if (pin->queue() == nullptr) return CWIRE_E_STATE;
    return pin->poll(timeout_ms, max, events, count);
  });
}

intptr_t cwire_manager_event_fd(cwire_manager manager) {
  const auto pin = manager_table().find(token_of(manager));
  return pin && pin->queue() != nullptr ? pin->queue()->descriptor() : -1;
}

cwire_status cwire_manager_wake(cwire_manager manager) {
  return guarded(nullptr, [&] {
    const auto pin = find_manager(manager);
    if (pin->queue() == nullptr) return CWIRE_E_STATE;
    pin->queue()->wake();
    return CWIRE_OK;
  });
}

cwire_status cwire_manager_connect(cwire_manager manager, const char* station_id, const char* url,
                                   cwire_config overrides, uintptr_t user_data, cwire_station* out, cwire_error* err) {
  return guarded(err, [&] {
    const auto pin = find_manager(manager);
    check_id(station_id);
    ConfigSnapshot snapshot;
    if (overrides != nullptr) snapshot = find_config(overrides)->snapshot();
    const cwire_station station = pin->connect(station_id, url, overrides != nullptr ? &snapshot : nullptr, user_data);
    if (out != nullptr) *out = station;
    return CWIRE_OK;
  });
}

cwire_status cwire_manager_connect_all(cwire_manager manager, size_t* count, cwire_error* err) {
  return guarded(err, [&] {
    std::size_t unused;
    if (count == nullptr) count = &unused;
    *count = 0;
    find_manager(manager)->connect_all(*count);
    return CWIRE_OK;
  });
}

cwire_status cwire_manager_find(cwire_manager manager, const char* station_id, cwire_station* out) {
  return guarded(nullptr, [&] {
    const auto pin = find_manager(manager);
    if (out == nullptr) invalid_argument("out is NULL");
    const auto station = pin->registry().find(check_id(station_id));
    // One whose CLOSED is being handled is still known, but its token is stale.
    if (!station || !station_table().find(station->token)) return CWIRE_E_NOT_FOUND;
    *out = station->handle();
    return CWIRE_OK;
  });
}

cwire_status cwire_manager_send(cwire_manager manager, const char* station_id, const void* data, size_t size,
                                uint32_t flags, uint64_t tag) {
  return guarded(nullptr, [&] {
    const auto pin = find_manager(manager);
    check_data(data, size);
    check_flags(flags);
    check_id(station_id);
    const auto station = pin->registry().find(station_id);
    if (!station) return pin->registry().gave_up(station_id) ? CWIRE_E_NOT_ESTABLISHED : CWIRE_E_NOT_FOUND;
    return station->send(data, size, flags, tag);
  });
}

cwire_status cwire_manager_broadcast(cwire_manager manager, const void* data, size_t size, uint32_t flags,
                                     size_t* accepted) {
  return guarded(nullptr, [&] {
    std::size_t unused;
    if (accepted == nullptr) accepted = &unused;
    *accepted = 0;
    const auto pin = find_manager(manager);
    check_data(data, size);
    check_flags(flags);
    if (pin->registry().closed()) return CWIRE_E_STATE;
    return group::broadcast(pin->registry().all().stations, data, size, flags, accepted);
  });
}

cwire_status cwire_manager_reconfigure(cwire_manager manager, const char* station_id, const char* url,
                                       cwire_config overrides, uint32_t flags, cwire_error* err) {
  return guarded(err, [&] {
    const auto pin = find_manager(manager);
    check_id(station_id);
    const auto station = pin->registry().find(station_id);
    if (station) {
      reconfigure(*pin, *station, url, overrides, flags);
    } else if (pin->registry().gave_up(station_id)) {
      throw Error(CWIRE_E_STATE,
                  std::string(station_id) + ": the station gave up; connect it again, with the new settings");
    } else {
      throw Error(CWIRE_E_NOT_FOUND, std::string(station_id) + ": no station of that id is known");
    }
    return CWIRE_OK;
  });
}

cwire_status cwire_manager_disconnect(cwire_manager manager, const char* station_id) {
  return guarded(nullptr, [&] {
    const auto pin = find_manager(manager);
    check_id(station_id);
    const auto station = pin->registry().find(station_id);
    if (station && station->state() != State::error) {
      station->disconnect(1000, "");
      return CWIRE_OK;
    }
    return pin->registry().forget(station_id) ? CWIRE_OK : CWIRE_E_NOT_FOUND;
  });
}

cwire_status cwire_manager_disconnect_all(cwire_manager manager) {
  return guarded(nullptr, [&] {
    const auto pin = find_manager(manager);
    group::disconnect(pin->registry().all().stations);
    pin->registry().forget_all();
    return CWIRE_OK;
  });
}

cwire_status cwire_manager_is_connected(cwire_manager manager, const char* station_id) {
  return guarded(nullptr, [&] {
    const auto pin = find_manager(manager);
    check_id(station_id);
    const auto station = pin->registry().find(station_id);
    if (!station) return pin->registry().gave_up(station_id) ? 0 : CWIRE_E_NOT_FOUND;
    return station->state() == State::connected ? 1 : 0;
  });
}

cwire_status cwire_manager_counts(cwire_manager manager, size_t* connected, size_t* total) {
  return guarded(nullptr, [&] {
    const auto pin = find_manager(manager);
    std::size_t c = 0, t = 0;
    const Registry::Known known = pin->registry().all();
    group::counts(known.stations, &c, &t);
    t += known.gave_up.size();
    if (connected != nullptr) *connected = c;
    if (total != nullptr) *total = t;
    return CWIRE_OK;
  });
}

cwire_status cwire_manager_stats(cwire_manager manager, const char* station_id, cwire_stats* out) {
  return guarded(nullptr, [&] {
    const auto pin = find_manager(manager);
    check_id(station_id);
    check_stats(out);
    if (const auto station = pin->registry().find(station_id)) {
      station->fill(*out);
      return CWIRE_OK;
    }
    return pin->registry().stats_of_given_up(station_id, *out) ? CWIRE_OK : CWIRE_E_NOT_FOUND;
  });
}

cwire_status cwire_manager_all_stats(cwire_manager manager, cwire_stats* out, size_t capacity, size_t* count) {
  return guarded(nullptr, [&] {
    const auto pin = find_manager(manager);
    if (count == nullptr) invalid_argument("count is NULL");
    *count = 0;
    if (capacity != 0) check_stats(out);
    const Registry::Known known = pin->registry().all();
    return group::stats(known.stations, known.gave_up, out, capacity, count);
  });
}

cwire_status cwire_manager_network_up(cwire_manager manager) {
  return guarded(nullptr, [&] {
    find_manager(manager)->network_up();
    return CWIRE_OK;
  });
}

cwire_status cwire_manager_endpoints(cwire_manager manager, cwire_endpoint* out, size_t capacity, size_t* count) {
  return guarded(nullptr, [&] {
    const auto pin = find_manager(manager);
    if (count == nullptr) invalid_argument("count is NULL");
    *count = 0;
    if (capacity != 0) check_endpoint(out);
    return pin->endpoints(out, capacity, count);
  });
}

cwire_status cwire_manager_isolate(cwire_manager manager, const char* url, cwire_error* err) {
  return guarded(err, [&] {
    const auto pin = find_manager(manager);
    if (url == nullptr) invalid_argument("url is NULL");
    pin->isolate(url);
    return CWIRE_OK;
  });
}

cwire_status cwire_manager_reset(cwire_manager manager, const char* url, cwire_error* err) {
  return guarded(err, [&] {
    const auto pin = find_manager(manager);
    if (url == nullptr) invalid_argument("url is NULL");
    pin->reset(url);
    return CWIRE_OK;
  });
}

cwire_status cwire_manager_trace(cwire_manager manager, const char* station_id, int32_t on, cwire_error* err) {
  return guarded(err, [&] {
    find_manager(manager)->trace(station_id, on != 0);
    return CWIRE_OK;
  });
}

cwire_status cwire_manager_metrics(cwire_manager manager, int32_t format, char* buffer, size_t capacity,
                                   size_t* needed) {
  return guarded(nullptr, [&] {
    const auto pin = find_manager(manager);
    check_buffer(buffer, capacity);
    if (format != CWIRE_METRICS_PROMETHEUS && format != CWIRE_METRICS_OPEN_METRICS) {
      invalid_argument("format is neither CWIRE_METRICS_PROMETHEUS nor CWIRE_METRICS_OPEN_METRICS");
    }
    return copy_text(pin->metrics(static_cast<MetricsFormat>(format)), buffer, capacity, needed);
  });
}

cwire_status cwire_manager_metrics_url(cwire_manager manager, char* buffer, size_t capacity, size_t* needed) {
  return guarded(nullptr, [&] {
    const auto pin = find_manager(manager);
    check_buffer(buffer, capacity);
    return copy_text(pin->metrics_url(), buffer, capacity, needed);
  });
}

cwire_status cwire_manager_shutdown(cwire_manager manager, int32_t drain_ms) {
  return guarded(nullptr, [&] {
    const auto pin = find_manager(manager);
    if (drain_ms < 0 || drain_ms > 3600000) invalid_argument("drain_ms is not within 0 to 3,600,000");
    pin->shutdown(std::chrono::milliseconds(drain_ms));
    return CWIRE_OK;
  });
}

cwire_status cwire_manager_free(cwire_manager manager) {
  return guarded(nullptr, [&] {
    auto pin = find_manager(manager);
    if (Worker::current_manager() != nullptr) {
      // Inside a handler. Its own thread cannot join itself, and two handlers that free each other's managers must not
      // wait for each other: another thread finishes. It is made before anything is done, so that a failure leaves
      // everything as it was, and has nothing to do if the token was retired before.
      Manager* object = pin.get();
      auto go = std::make_shared<std::promise<bool>>();
      std::thread([object, go] {
        if (go->get_future().get()) take_down(*object);
      }).detach();
      const bool ours = manager_table().retire(object->token);
      if (ours) object->shutdown(Duration::zero());
      go->set_value(ours);
      if (!ours) invalid_handle("manager");
      return CWIRE_OK;
    }
    if (!manager_table().retire(pin->token)) invalid_handle("manager");
    pin->shutdown(Duration::zero());
    take_down(*pin);
    return CWIRE_OK;
  });
}

}  // extern "C"
