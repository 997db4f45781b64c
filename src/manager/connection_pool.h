#pragma once

#include <chargewire/chargewire.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "manager/manager.h"

namespace cwire {

class ConnectionPool;
using PoolTable = HandleTable<ConnectionPool, 4>;
PoolTable& pool_table();

// A group of stations of one manager. Holds tokens only: a station that has ended is not found any more, and leaves the
// group when somebody looks.
class ConnectionPool {
 public:
  explicit ConnectionPool(Manager& manager) : manager_(manager.token), owner_(&manager) {}

  std::uintptr_t manager() const { return manager_; }
  cwire_status add(cwire_station station);
  bool remove(std::string_view station_id);
  StationTable::Pin find(std::string_view station_id);
  std::vector<StationTable::Pin> all();

  std::uintptr_t token = 0;

 private:
  const std::uintptr_t manager_;
  const StationOwner* const owner_;  // only to be compared
  std::mutex mutex_;
  std::unordered_map<std::string, std::uintptr_t> stations_;
};

}  // namespace cwire
