// Faults of the network between stations and CSMS that no server can make. Rows of docs/reliability.md. One process per
// test: each has a network of its own.
#include "network.h"

#include <cerrno>
#include <future>
#include <optional>

#include "fault_csms.h"

using namespace fixture;

namespace {

csms::Options options() {
  csms::Options options;
  options.address = Network::kCsms;
  options.echo = true;
  return options;
}

// CP1 connected to a CSMS at the other end of the cable; the bystanders' CSMS is at theirs.
struct World {
  Network network;
  std::optional<csms::Csms> csms;
  FaultCsms fault;
  cwire_station station = nullptr;
  std::size_t sent = 0;

  explicit World(const Settings& settings = {}) : fault(with_quick_limits(settings)) {
    network.on_csms_side([this] { csms.emplace(options()); });
    station = fault.connect({}, csms->url());
    REQUIRE(cwire_station_wait(station, kPatience_ms, nullptr) == CWIRE_OK);
    echoes();
  }
  static Settings with_quick_limits(const Settings& more) {
    Settings settings = {{"csms.ping_interval", "200ms"}, {"csms.pong_timeout", "1s"}, {"csms.tcp_timeout", "500ms"}};
    settings.insert(settings.end(), more.begin(), more.end());
    return settings;
  }
  void echoes() {
    const std::size_t messages = count(fault.fleet.records(), CWIRE_EVENT_MESSAGE, "CP1");
    REQUIRE(fault.fleet.send(station, std::to_string(++sent)) == CWIRE_OK);
    REQUIRE(fault.fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1", messages + 1));
  }
  void comes_back(std::size_t connections) {
    REQUIRE(fault.fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", connections));
    echoes();
    fault.finish();
  }
};

}  // namespace

TEST_CASE("a black hole is noticed by a ping, attempts into it fail in time, and the station comes back") {
  World world;
  world.network.swallow_all(true);
  const Record end = world.fault.lost();
  CHECK(end.status == CWIRE_E_PING_TIMEOUT);
  CHECK(end.failure.phase == CWIRE_PHASE_PING);
  const Record error = world.fault.failed();
  CHECK(error.status == CWIRE_E_DIAL);
  CHECK(error.failure.phase == CWIRE_PHASE_TCP);
  CHECK(error.failure.os_error == ETIMEDOUT);
  world.network.swallow_all(false);
  world.comes_back(2);
}

TEST_CASE("a black hole in one direction is noticed, also while the other one is busy") {
  World world;
  SECTION("nothing comes") { world.network.swallow_towards_stations(true); }
  SECTION("nothing arrives there") { world.network.swallow_towards_csms(true); }
  // Whatever the CSMS says is no answer to a ping.
  std::future<void> speaks;
  std::promise<void> enough;
  speaks = std::async(std::launch::async, [&world, done = enough.get_future()] {
    do {
      world.csms->send_to("CP1", "news");
    } while (done.wait_for(std::chrono::milliseconds(20)) == std::future_status::timeout);
  });
  const Record end = world.fault.lost();
  enough.set_value();
  speaks.get();
  CHECK(end.status == CWIRE_E_PING_TIMEOUT);
  world.network.swallow_all(false);
  world.comes_back(2);
}

TEST_CASE("a cable that is pulled and put back") {
  World world;
  world.network.on_csms_side("ip link set csms down");
  CHECK(world.fault.lost().status == CWIRE_E_PING_TIMEOUT);
  const Record error = world.fault.failed(2);
  CHECK(error.status == CWIRE_E_DIAL);
  CHECK(error.failure.phase == CWIRE_PHASE_TCP);
  world.network.on_csms_side("ip link set csms up");
  world.network.swallow_all(false);
  world.comes_back(2);
}

TEST_CASE("the station's own address changes") {
  World world;
  world.network.on_stations_side("ip address del 10.0.0.1/24 dev stations");
  world.network.on_stations_side("ip address add 10.0.0.3/24 dev stations");
  world.network.on_stations_side("ip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 nud permanent dev stations");
  const Record end = world.fault.lost();
  CHECK(end.code == 1006);
  world.comes_back(2);
}

TEST_CASE("routes that are missing, unreachable or prohibited are typed, and the station tries on") {
  World world;
  struct Route {
    std::string kind;
    int error;
  };
  const Route route = GENERATE(Route{"unreachable", EHOSTUNREACH}, Route{"prohibit", EACCES}, Route{"", ENETUNREACH});
  const std::string address = "10.9.9.9";
  if (!route.kind.empty()) world.network.on_stations_side("ip route add " + route.kind + " " + address);
  world.fault.fleet.connect("far", "ws://" + address + ":1");
  REQUIRE(world.fault.fleet.wait_for(CWIRE_EVENT_ERROR, "far", 3));
  const Record error = must(last(world.fault.fleet.records(), CWIRE_EVENT_ERROR, "far"));
  CHECK(error.status == CWIRE_E_DIAL);
  CHECK(error.failure.phase == CWIRE_PHASE_TCP);
  CHECK(error.failure.os_error == route.error);
  CHECK((error.flags & CWIRE_FLAG_WILL_RETRY) != 0);
  CHECK(error.failure.retry_at_ns > error.failure.time_ns);
  world.comes_back(1);
}

TEST_CASE("the ports of an address are used up, and come back") {
  constexpr std::size_t kStations = 8;
  World world;
  Fleet& fleet = world.fault.fleet;
  world.network.on_stations_side("echo 40000 40003 >/proc/sys/net/ipv4/ip_local_port_range");
  std::vector<cwire_station> stations;
  // The only attempt that there is, and what this machine lacks counts as none.
  for (std::size_t i = 0; i < kStations; ++i)
    stations.push_back(
        fleet.connect("port-" + std::to_string(i), world.csms->url(), {{"csms.max_reconnect_attempts", "1"}}));
  // There are four ports.
  REQUIRE(fleet.wait([](const Records& records) { return count(records, CWIRE_EVENT_ERROR) >= kStations - 4; }));
  for (const Record& record : fleet.records()) {
    if (record.type == CWIRE_EVENT_ERROR) CHECK(record.failure.os_error == EADDRNOTAVAIL);
  }
  world.echoes();
  world.network.on_stations_side("echo 40000 40019 >/proc/sys/net/ipv4/ip_local_port_range");
  for (const cwire_station station : stations) CHECK(cwire_station_wait(station, kPatience_ms, nullptr) == CWIRE_OK);
  world.comes_back(1);
}

TEST_CASE("a network that comes and goes loses and doubles no message of a connection that outlives it") {
  // TCP repeats what was swallowed; nobody gives up meanwhile.
  World world(Settings{{"csms.ping_interval", "0s"}, {"csms.read_timeout", "0s"}, {"csms.write_timeout", "10m"}});
  const std::size_t before = world.sent;
  for (int burst = 0; burst < 5; ++burst) {
    world.network.swallow_all(true);
    for (int i = 0; i < 4; ++i)
      REQUIRE(world.fault.fleet.send(world.station, std::to_string(++world.sent)) == CWIRE_OK);
    world.fault.bystanders_talk();
    world.network.swallow_all(false);
    REQUIRE(world.fault.fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1", world.sent));
  }
  std::size_t expected = 0;
  for (const Record& record : world.fault.fleet.records()) {
    if (record.type == CWIRE_EVENT_MESSAGE && record.station_id == "CP1")
      CHECK(record.data == std::to_string(++expected));
  }
  CHECK(expected == before + 20);
  world.comes_back(1);
}

TEST_CASE("packets that are lost, delayed and reordered cost time and nothing else") {
  World world(Settings{{"csms.pong_timeout", "10s"}});
  world.network.require_netem();
  const std::string netem = " root netem delay 20ms 10ms loss 10% duplicate 5% reorder 25%";
  world.network.on_stations_side("tc qdisc add dev stations" + netem);
  world.network.on_csms_side("tc qdisc add dev csms" + netem);
  for (int i = 0; i < 20; ++i) world.echoes();
  CHECK(count(world.fault.fleet.records(), CWIRE_EVENT_DISCONNECTED, "CP1") == 0);
  world.comes_back(1);
}
