// Many stations that want to be dialled at the same time.
#include <dlfcn.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>

#include "fixture.h"
#include "raw_peer.h"

using namespace fixture;

namespace {

// Of one thread; added up over turns of its loop, which begin by waiting.
thread_local unsigned dials_of_this_turn = 0;
std::atomic<unsigned> dials{0};
std::atomic<unsigned> dials_per_turn_max{0};

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

// The shared library takes these, as it would take those of any program that replaces them.
extern "C" {

int connect(int socket, const sockaddr* address, socklen_t size) {
  static const auto real = next<int(int, const sockaddr*, socklen_t)>("connect");
  dials.fetch_add(1);
  ++dials_of_this_turn;
  unsigned max = dials_per_turn_max.load();
  while (max < dials_of_this_turn && !dials_per_turn_max.compare_exchange_weak(max, dials_of_this_turn)) {
  }
  return real(socket, address, size);
}
int epoll_wait(int epoll, epoll_event* events, int max, int timeout) {
  static const auto real = next<int(int, epoll_event*, int, int)>("epoll_wait");
  dials_of_this_turn = 0;
  return real(epoll, events, max, timeout);
}

}  // extern "C"

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
