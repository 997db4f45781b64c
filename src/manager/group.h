#pragma once

#include <chargewire/chargewire.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "manager/registry.h"
#include "station/station.h"

namespace cwire {

// What manager and pool do with many stations at once, without a lock.
namespace group {

// TOO_BIG if there are stations and it is too big for all of them.
cwire_status broadcast(const std::vector<StationTable::Pin>& stations, const void* data, std::size_t size,
                       std::uint32_t flags, std::size_t* accepted);
void counts(const std::vector<StationTable::Pin>& stations, std::size_t* connected, std::size_t* total);
// As cwire_manager_all_stats; `more` are statistics of stations that are gone.
cwire_status stats(const std::vector<StationTable::Pin>& stations, const std::vector<Registry::GaveUp>& more,
                   cwire_stats* out, std::size_t capacity, std::size_t* count);
void disconnect(const std::vector<StationTable::Pin>& stations);

}  // namespace group

}  // namespace cwire
