#include "station/station.h"

#include <chargewire/chargewire.h>

#include "abi/config_object.h"
#include "abi/guard.h"
#include "manager/manager.h"
#include "ocpp/utf8.h"

namespace cwire::abi {

namespace {

StationTable::Pin find_station(cwire_station station) {
  auto pin = station_table().find(token_of(station));
  if (!pin) invalid_handle("station");
  return pin;
}

cwire_status send(cwire_station handle, const void* data, std::size_t size, std::uint32_t flags, std::uint64_t tag) {
  const auto station = station_table().find(token_of(handle));
  if (!station) return CWIRE_E_INVALID_HANDLE;
  check_data(data, size);
  check_flags(flags);
  return station->send(data, size, flags, tag);
}

}  // namespace

}  // namespace cwire::abi

using namespace cwire;
using namespace cwire::abi;

extern "C" {

cwire_status cwire_station_send(cwire_station station, const void* data, size_t size, uint32_t flags, uint64_t tag) {
  return guarded(nullptr, [&] { return send(station, data, size, flags, tag); });
}

cwire_status cwire_station_send_many(cwire_outgoing* messages, size_t count, size_t* accepted) {
  return guarded(nullptr, [&] {
    if (accepted != nullptr) *accepted = 0;
    if (count == 0) return CWIRE_OK;
    if (messages == nullptr) invalid_argument("messages is NULL");
    if (messages[0].size != sizeof(cwire_outgoing)) invalid_argument("size: set it to sizeof(cwire_outgoing)");
    cwire_status first = CWIRE_OK;
    std::size_t ok = 0;
    for (std::size_t i = 0; i < count; ++i) {
      cwire_outgoing& m = messages[i];
      m.status = guarded(nullptr, [&] { return send(m.station, m.data, m.data_size, m.flags, m.tag); });
      if (m.status == CWIRE_OK) {
        ++ok;
      } else if (first == CWIRE_OK) {
        first = m.status;
      }
    }
    if (accepted != nullptr) *accepted = ok;
    return first;
  });
}

cwire_status cwire_station_wait(cwire_station station, int32_t timeout_ms, cwire_error* err) {
  return guarded(err, [&] {
    Failure why;
    if (find_station(station)->wait(timeout_ms, &why) != CWIRE_OK) throw Error(std::move(why));
    return CWIRE_OK;
  });
}

cwire_status cwire_station_state(cwire_station station, int32_t* state) {
  return guarded(nullptr, [&] {
    const auto pin = find_station(station);
    if (state == nullptr) invalid_argument("state is NULL");
    *state = static_cast<int32_t>(pin->state());
    return CWIRE_OK;
  });
}

cwire_status cwire_station_stats(cwire_station station, cwire_stats* out) {
  return guarded(nullptr, [&] {
    const auto pin = find_station(station);
    check_stats(out);
    pin->fill(*out);
    return CWIRE_OK;
  });
}

cwire_status cwire_station_reconfigure(cwire_station station, const char* url, cwire_config overrides, uint32_t flags,
                                       cwire_error* err) {
  return guarded(err, [&] {
    const auto pin = find_station(station);
    const auto manager = manager_table().find(pin->owner_token());
    if (!manager) invalid_handle("station");  // freed meanwhile, and its stations with it
    reconfigure(*manager, *pin, url, overrides, flags);
    return CWIRE_OK;
  });
}

cwire_status cwire_station_disconnect(cwire_station station, uint16_t close_code, const char* reason) {
  return guarded(nullptr, [&] {
    const auto pin = find_station(station);
    if (close_code == 0) close_code = 1000;
    if (close_code != 1000 && close_code != 1001 && (close_code < 3000 || close_code > 4999)) {
      invalid_argument("close_code: 1000, 1001, 3000 to 4999, or 0 for 1000");
    }
    const std::string_view text = reason == nullptr ? "" : reason;
    if (text.size() > 123 || !is_utf8(text)) invalid_argument("reason: at most 123 bytes of UTF-8");
    pin->disconnect(close_code, text);
    return CWIRE_OK;
  });
}

}  // extern "C"
