#include "manager/connection_pool.h"

namespace cwire {

PoolTable& pool_table() {
  static PoolTable& table = *new PoolTable;
  return table;
}

cwire_status ConnectionPool::add(cwire_station handle) {
  const auto station = station_table().find(reinterpret_cast<std::uintptr_t>(handle));
  if (!station) return CWIRE_E_INVALID_HANDLE;
  if (station->owner() != owner_) return CWIRE_E_INVALID_ARGUMENT;
  std::lock_guard<std::mutex> lock(mutex_);
  stations_[station->id()] = station->token;
  return CWIRE_OK;
}

bool ConnectionPool::remove(std::string_view station_id) {
  std::lock_guard<std::mutex> lock(mutex_);
  return stations_.erase(std::string(station_id)) != 0;
}

StationTable::Pin ConnectionPool::find(std::string_view station_id) {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto it = stations_.find(std::string(station_id));
  if (it == stations_.end()) return StationTable::Pin();
  auto station = station_table().find(it->second);
  if (!station) stations_.erase(it);
  return station;
}

std::vector<StationTable::Pin> ConnectionPool::all() {
  std::lock_guard<std::mutex> lock(mutex_);
  std::vector<StationTable::Pin> all;
  all.reserve(stations_.size());
  for (auto it = stations_.begin(); it != stations_.end();) {
    if (auto station = station_table().find(it->second)) {
      all.push_back(std::move(station));
      ++it;
    } else {
      it = stations_.erase(it);
    }
  }
  return all;
}

}  // namespace cwire
