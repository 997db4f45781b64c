#pragma once

#include <chargewire/chargewire.h>

#include <cstdint>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "station/station.h"

namespace cwire {

// The stations of a manager by id, and what is left of those that gave up: their statistics, until they are connected
// again or disconnected. Its lock is held for look-ups only, never while a handler runs.
class Registry {
 public:
  // Enters the station and lets it connect, unless one of that id lives or close() was called. Both under the lock, so
  // that whoever calls close() knows that every station entered has been told to connect. Throws std::bad_alloc.
  enum class Added { yes, taken, closed };
  Added add_and_connect(Station& station);
  // `station` has ended; forgets it unless the id belongs to a newer one by now.
  void remove(Station& station) noexcept;
  // No more stations. True the first time.
  bool close() noexcept;
  bool closed() const;

  // A station in the map is alive, also while its CLOSED is being handled and its token is stale already.
  StationTable::Pin find(std::string_view id) const;  // empty: not found
  bool gave_up(std::string_view id) const;
  // Of one that gave up, filled as Station::fill does. False: there is none.
  bool stats_of_given_up(std::string_view id, cwire_stats& out) const;
  bool forget(std::string_view id);  // one that gave up, also if its CLOSED is not taken yet; false: there is none
  void forget_all();                 // all that gave up
  bool is_free(std::string_view id) const;  // no living station has it
  struct GaveUp {
    cwire_stats stats;
    const EndpointMetrics* endpoint;  // lives as long as the manager
    Tallies traffic;
  };
  // Both at one moment, so that a station is in one of them.
  struct Known {
    std::vector<StationTable::Pin> stations;
    std::vector<GaveUp> gave_up;
  };
  Known all() const;

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string_view, Station*> stations_;  // keys point into the Station
  std::unordered_map<std::string, GaveUp> gave_up_;
  bool closed_ = false;
};

}  // namespace cwire
