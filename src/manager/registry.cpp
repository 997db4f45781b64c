#include "manager/registry.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <mutex>
#include <new>
#include <utility>

namespace cwire {

Registry::Added Registry::add_and_connect(Station& station) {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  if (closed_) return Added::closed;
  const auto old = stations_.find(station.id());
  if (old != stations_.end()) {
    if (!old->second->may_be_replaced()) return Added::taken;
    // Its CLOSED is on its way. The key points into the old station, so the entry is made anew; extracting and changing
    // the node cannot fail.
    auto node = stations_.extract(old);
    node.key() = station.id();
    node.mapped() = &station;
    stations_.insert(std::move(node));
  } else {
    stations_.emplace(station.id(), &station);
  }
  gave_up_.erase(station.id());
  station.connect();
  return Added::yes;
}

void Registry::remove(Station& station) noexcept {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  const auto it = stations_.find(station.id());
  if (it == stations_.end() || it->second != &station) return;
  if (station.state() == State::error) {
    try {
      const Station::Measured measured = station.measure();
      gave_up_[station.id()] = {measured.stats, measured.endpoint, measured.traffic};
    } catch (const std::bad_alloc&) {
      // Without memory it is forgotten; its CLOSED has told why it ended.
    }
  }
  stations_.erase(it);
}

bool Registry::close() noexcept {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  return !std::exchange(closed_, true);
}

bool Registry::closed() const {
  std::shared_lock<std::shared_mutex> lock(mutex_);
  return closed_;
}

StationTable::Pin Registry::find(std::string_view id) const {
  std::shared_lock<std::shared_mutex> lock(mutex_);
  const auto it = stations_.find(id);
  return it == stations_.end() ? StationTable::Pin() : station_table().pin(*it->second);
}

bool Registry::gave_up(std::string_view id) const {
  std::shared_lock<std::shared_mutex> lock(mutex_);
  return gave_up_.count(std::string(id)) != 0;
}

bool Registry::stats_of_given_up(std::string_view id, cwire_stats& out) const {
  std::shared_lock<std::shared_mutex> lock(mutex_);
  const auto it = gave_up_.find(std::string(id));
  if (it == gave_up_.end()) return false;
  const std::size_t size = std::min(out.size, sizeof out);
  std::memcpy(&out, &it->second.stats, size);
  out.size = size;
  return true;
}

bool Registry::forget(std::string_view id) {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  const auto it = stations_.find(id);
  if (it != stations_.end() && it->second->state() == State::error) {
    stations_.erase(it);
    return true;
  }
  return gave_up_.erase(std::string(id)) != 0;
}

void Registry::forget_all() {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  gave_up_.clear();
  for (auto it = stations_.begin(); it != stations_.end();) {
    it = it->second->state() == State::error ? stations_.erase(it) : std::next(it);
  }
}

bool Registry::is_free(std::string_view id) const {
  std::shared_lock<std::shared_mutex> lock(mutex_);
  const auto it = stations_.find(id);
  return it == stations_.end() || it->second->may_be_replaced();
}

Registry::Known Registry::all() const {
  std::shared_lock<std::shared_mutex> lock(mutex_);
  Known known;
  known.stations.reserve(stations_.size());
  for (const auto& entry : stations_) known.stations.push_back(station_table().pin(*entry.second));
  known.gave_up.reserve(gave_up_.size());
  for (const auto& entry : gave_up_) known.gave_up.push_back(entry.second);
  return known;
}

}  // namespace cwire
