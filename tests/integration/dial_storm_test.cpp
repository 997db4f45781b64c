// Many stations that want to be dialled at the same time.
#include "fixture.h"
#include "raw_peer.h"
#include "system_calls.h"

using namespace fixture;
using system_calls::dials;
using system_calls::dials_per_turn_max;

namespace {

constexpr unsigned kStations = 300;
constexpr unsigned kDialsPerTurnMax = 32;

std::string id(unsigned number) { return "CP" + std::to_string(number); }

}  // namespace

TEST_CASE("a storm is dialled a few stations per turn and everybody is connected") {
  csms::Csms csms({});
  // Holds the only I/O thread in the first event, so that what is ordered meanwhile is all found in one turn.
  Gate gate;
  const Fleet::Hook hold = [&](const cwire_event&) { gate.pass(); };
  Fleet fleet(Delivery::handler, quick({{"io_threads", "1"}}), hold);
  fleet.connect("first", csms.url());
  REQUIRE(gate.wait_arrived());
  dials = 0;
  dials_per_turn_max = 0;
  for (unsigned n = 0; n < kStations; ++n) fleet.connect(id(n), csms.url());
  gate.open();
  REQUIRE(fleet.wait([](const Records& records) { return count(records, CWIRE_EVENT_CONNECTED) == kStations + 1; }));
  CHECK(dials >= kStations);
  CHECK(dials_per_turn_max <= kDialsPerTurnMax);
  fleet.finish();
}

TEST_CASE("stations that wait to be dialled end like all others") {
  raw::ClosedPort nobody;
  Gate gate;
  const Fleet::Hook hold = [&](const cwire_event&) { gate.pass(); };
  Fleet fleet(Delivery::handler, quick({{"io_threads", "1"}}), hold);
  fleet.connect("first", nobody.url());
  REQUIRE(gate.wait_arrived());
  std::vector<cwire_station> stations;
  for (unsigned n = 0; n < kStations; ++n) stations.push_back(fleet.connect(id(n), nobody.url()));
  SECTION("by disconnect") {
    for (const cwire_station station : stations) CHECK(cwire_station_disconnect(station, 1000, nullptr) == CWIRE_OK);
    gate.open();
    REQUIRE(fleet.wait([](const Records& records) { return count(records, CWIRE_EVENT_CLOSED) >= kStations; }));
  }
  SECTION("by shutdown") {
    REQUIRE(cwire_manager_shutdown(fleet.manager, 0) == CWIRE_OK);
    gate.open();
  }
  fleet.finish();
}
