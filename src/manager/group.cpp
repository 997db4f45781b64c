#include "manager/group.h"

#include <algorithm>
#include <cstring>

#include "base/payload.h"

namespace cwire::group {

cwire_status broadcast(const std::vector<StationTable::Pin>& stations, const void* data, std::size_t size,
                       std::uint32_t flags, std::size_t* accepted) {
  const auto fits = [size](const StationTable::Pin& station) { return size <= station->message_size_max(); };
  *accepted = 0;
  if (std::none_of(stations.begin(), stations.end(), fits)) return stations.empty() ? CWIRE_OK : CWIRE_E_TOO_BIG;
  const Payload payload = Payload::copy_of(data, size);
  for (const StationTable::Pin& station : stations) {
    // What is meant for who is there now is not kept for who is not.
    if (station->state() != State::connected || !fits(station)) continue;
    if (station->send(payload, flags, 0) == CWIRE_OK) ++*accepted;
  }
  return CWIRE_OK;
}

void counts(const std::vector<StationTable::Pin>& stations, std::size_t* connected, std::size_t* total) {
  *connected = 0;
  *total = stations.size();
  for (const StationTable::Pin& station : stations) {
    if (station->state() == State::connected) ++*connected;
  }
}

cwire_status stats(const std::vector<StationTable::Pin>& stations, const std::vector<Registry::GaveUp>& more,
                   cwire_stats* out, std::size_t capacity, std::size_t* count) {
  // The caller's structure may be shorter than ours, or longer: its size is the stride.
  const std::size_t stride = capacity == 0 ? 0 : out[0].size;
  auto* place = reinterpret_cast<char*>(out);
  *count = 0;
  for (const StationTable::Pin& station : stations) {
    if (*count < capacity) {
      auto* entry = reinterpret_cast<cwire_stats*>(place + *count * stride);
      entry->size = stride;
      station->fill(*entry);
    }
    ++*count;
  }
  for (const Registry::GaveUp& gone : more) {
    if (*count < capacity) {
      cwire_stats entry = gone.stats;
      entry.size = std::min(stride, sizeof entry);
      std::memcpy(place + *count * stride, &entry, entry.size);
    }
    ++*count;
  }
  return *count > capacity ? CWIRE_E_TOO_BIG : CWIRE_OK;
}

void disconnect(const std::vector<StationTable::Pin>& stations) {
  for (const StationTable::Pin& station : stations) station->disconnect(1000, "");
}

}  // namespace cwire::group
