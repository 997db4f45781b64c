#include <chargewire/chargewire.h>

#include <algorithm>
#include <memory>

#include "abi/guard.h"
#include "manager/connection_pool.h"
#include "manager/group.h"
#include "manager/manager.h"

namespace cwire::abi {

namespace {

PoolTable::Pin find_pool(cwire_pool pool) {
  auto pin = pool_table().find(token_of(pool));
  if (!pin) invalid_handle("pool");
  return pin;
}

}  // namespace

}  // namespace cwire::abi

using namespace cwire;
using namespace cwire::abi;

extern "C" {

cwire_status cwire_pool_new(cwire_manager manager, cwire_pool* out) {
  return guarded(nullptr, [&] {
    const auto pin = manager_table().find(token_of(manager));
    if (!pin) invalid_handle("manager");
    if (out == nullptr) invalid_argument("out is NULL");
    std::lock_guard<std::mutex> lock(pin->pools_mutex);
    if (pin->pools_closed) invalid_handle("manager");
    pin->pools.push_back(0);  // room first: nothing may fail once the pool exists
    PoolTable::Pin pool;
    try {
      pool = pool_table().insert(std::make_unique<ConnectionPool>(*pin));
    } catch (...) {
      pin->pools.pop_back();
      throw;
    }
    pin->pools.back() = pool->token;
    *out = reinterpret_cast<cwire_pool>(pool.leak()->token);
    return CWIRE_OK;
  });
}

cwire_status cwire_pool_add(cwire_pool pool, cwire_station station) {
  return guarded(nullptr, [&] { return find_pool(pool)->add(station); });
}

cwire_status cwire_pool_remove(cwire_pool pool, const char* station_id) {
  return guarded(nullptr, [&] {
    const auto pin = find_pool(pool);
    return pin->remove(check_id(station_id)) ? CWIRE_OK : CWIRE_E_NOT_FOUND;
  });
}

cwire_status cwire_pool_has(cwire_pool pool, const char* station_id) {
  return guarded(nullptr, [&] {
    const auto pin = find_pool(pool);
    return pin->find(check_id(station_id)) ? 1 : 0;
  });
}

cwire_status cwire_pool_send(cwire_pool pool, const char* station_id, const void* data, size_t size, uint32_t flags,
                             uint64_t tag) {
  return guarded(nullptr, [&] {
    const auto pin = find_pool(pool);
    check_data(data, size);
    check_flags(flags);
    const auto station = pin->find(check_id(station_id));
    return station ? station->send(data, size, flags, tag) : CWIRE_E_NOT_FOUND;
  });
}

cwire_status cwire_pool_broadcast(cwire_pool pool, const void* data, size_t size, uint32_t flags, size_t* accepted) {
  return guarded(nullptr, [&] {
    std::size_t unused;
    if (accepted == nullptr) accepted = &unused;
    *accepted = 0;
    const auto pin = find_pool(pool);
    check_data(data, size);
    check_flags(flags);
    const auto manager = manager_table().find(pin->manager());
    if (!manager || manager->registry().closed()) return CWIRE_E_STATE;
    return group::broadcast(pin->all(), data, size, flags, accepted);
  });
}

cwire_status cwire_pool_counts(cwire_pool pool, size_t* connected, size_t* total) {
  return guarded(nullptr, [&] {
    std::size_t c = 0, t = 0;
    group::counts(find_pool(pool)->all(), &c, &t);
    if (connected != nullptr) *connected = c;
    if (total != nullptr) *total = t;
    return CWIRE_OK;
  });
}

cwire_status cwire_pool_stats(cwire_pool pool, cwire_stats* out, size_t capacity, size_t* count) {
  return guarded(nullptr, [&] {
    const auto pin = find_pool(pool);
    if (count == nullptr) invalid_argument("count is NULL");
    *count = 0;
    if (capacity != 0) check_stats(out);
    return group::stats(pin->all(), {}, out, capacity, count);
  });
}

cwire_status cwire_pool_disconnect_all(cwire_pool pool) {
  return guarded(nullptr, [&] {
    group::disconnect(find_pool(pool)->all());
    return CWIRE_OK;
  });
}

cwire_status cwire_pool_free(cwire_pool pool) {
  return guarded(nullptr, [&] {
    const auto pin = find_pool(pool);
    if (const auto manager = manager_table().find(pin->manager())) {
      std::lock_guard<std::mutex> lock(manager->pools_mutex);
      auto& pools = manager->pools;
      pools.erase(std::remove(pools.begin(), pools.end(), pin->token), pools.end());
    }
    if (!pool_table().retire(pin->token)) invalid_handle("pool");
    pool_table().unpin(pin->token);
    return CWIRE_OK;
  });
}

}  // extern "C"
