#pragma once

#include <optional>
#include <string>

#include "fixture.h"
#include "raw_peer.h"

namespace fixture {

// A station whose server does not read, so that its messages wait sooner or later.
struct StuckStation {
  raw::Server server{4096};
  std::optional<raw::Connection> peer;
  cwire_station station;
  std::uint64_t accepted = 0;

  explicit StuckStation(Fleet& fleet) : station(fleet.connect("CP1", server.url())) {
    peer.emplace(server.accept());
    peer->upgrade();
    REQUIRE(cwire_station_wait(station, kPatience_ms, nullptr) == CWIRE_OK);
  }

  // The next, numbered from 0, which asks for a report.
  cwire_status send(Fleet& fleet) {
    const cwire_status status = fleet.send(station, message(accepted), CWIRE_FLAG_REPORT, accepted);
    if (status == CWIRE_OK) ++accepted;
    return status;
  }
  static std::string message(std::uint64_t number) { return std::to_string(number) + std::string(8000, '.'); }
};

}  // namespace fixture
