// ConnectionPool: the manager's calls over a group of its stations.
#include "fixture.h"
#include "raw_peer.h"

using namespace fixture;

namespace {

// Frees itself.
struct Pool {
  explicit Pool(cwire_manager manager) { REQUIRE(cwire_pool_new(manager, &token) == CWIRE_OK); }
  ~Pool() { cwire_pool_free(token); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  operator cwire_pool() const { return token; }
  std::pair<std::size_t, std::size_t> counts() const {
    std::size_t connected = 0, total = 0;
    REQUIRE(cwire_pool_counts(token, &connected, &total) == CWIRE_OK);
    return {connected, total};
  }
  cwire_pool token = nullptr;
};

using Counts = std::pair<std::size_t, std::size_t>;

csms::Options echo() {
  csms::Options options;
  options.echo = true;
  return options;
}

}  // namespace

TEST_CASE("a pool adds finds counts and removes stations of its manager") {
  csms::Csms csms(echo());
  raw::ClosedPort nobody;
  Fleet fleet(Delivery::poll), other_fleet(Delivery::poll);
  const cwire_station one = fleet.connected("CP1", csms.url());
  const cwire_station two = fleet.connected("CP2", csms.url());
  const cwire_station waiting = fleet.connect("CP3", nobody.url());
  const cwire_station stranger = other_fleet.connected("CP4", csms.url());
  Pool pool(fleet.manager), second(fleet.manager);
  CHECK(pool.counts() == Counts(0, 0));
  CHECK(cwire_pool_has(pool, "CP1") == 0);
  CHECK(cwire_pool_add(pool, one) == CWIRE_OK);
  CHECK(cwire_pool_add(pool, one) == CWIRE_OK);
  CHECK(cwire_pool_add(pool, waiting) == CWIRE_OK);
  CHECK(cwire_pool_add(second, one) == CWIRE_OK);
  CHECK(cwire_pool_add(second, two) == CWIRE_OK);
  CHECK(cwire_pool_add(pool, stranger) == CWIRE_E_INVALID_ARGUMENT);
  CHECK(cwire_pool_has(pool, "CP1") == 1);
  CHECK(cwire_pool_has(pool, "CP2") == 0);
  CHECK(pool.counts() == Counts(1, 2));
  CHECK(second.counts() == Counts(2, 2));
  CHECK(cwire_pool_remove(pool, "CP2") == CWIRE_E_NOT_FOUND);
  CHECK(cwire_pool_remove(pool, "CP1") == CWIRE_OK);
  CHECK(cwire_pool_remove(pool, "CP1") == CWIRE_E_NOT_FOUND);
  CHECK(fleet.state(one) == CWIRE_STATE_CONNECTED);
  CHECK(second.counts() == Counts(2, 2));
  fleet.finish();
  other_fleet.finish();
}

TEST_CASE("a pool sends and broadcasts within the group only") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  csms::Csms csms(echo());
  raw::ClosedPort nobody;
  Fleet fleet(delivery);
  Pool pool(fleet.manager);
  for (int i = 0; i < 6; ++i) {
    const cwire_station station = fleet.connected("CP" + std::to_string(i), csms.url());
    if (i < 3) REQUIRE(cwire_pool_add(pool, station) == CWIRE_OK);
  }
  REQUIRE(cwire_pool_add(pool, fleet.connect("off", nobody.url())) == CWIRE_OK);
  CHECK(cwire_pool_send(pool, "CP0", "one", 3, CWIRE_FLAG_REPORT, 9) == CWIRE_OK);
  CHECK(cwire_pool_send(pool, "CP5", "one", 3, 0, 0) == CWIRE_E_NOT_FOUND);
  CHECK(cwire_pool_send(pool, "off", "one", 3, 0, 0) == CWIRE_E_NOT_ESTABLISHED);
  std::size_t accepted = 0;
  CHECK(cwire_pool_broadcast(pool, "all", 3, CWIRE_FLAG_REPORT, &accepted) == CWIRE_OK);
  CHECK(accepted == 3);
  REQUIRE(fleet.wait(
      [](const Records& r) { return count(r, CWIRE_EVENT_MESSAGE) == 4 && count(r, CWIRE_EVENT_SENT) == 4; }));
  for (const Record& record : fleet.records()) {
    if (record.type == CWIRE_EVENT_MESSAGE)
      CHECK((record.station_id == "CP0" || record.station_id == "CP1" || record.station_id == "CP2"));
    if (record.type == CWIRE_EVENT_SENT) CHECK((record.tag == 0 || record.tag == 9));
  }
  std::vector<cwire_stats> stats(4);
  for (cwire_stats& s : stats) s.size = sizeof s;
  std::size_t size = 0;
  CHECK(cwire_pool_stats(pool, nullptr, 0, &size) == CWIRE_E_TOO_BIG);
  CHECK(size == 4);
  CHECK(cwire_pool_stats(pool, stats.data(), 4, &size) == CWIRE_OK);
  std::size_t connected = 0;
  for (const cwire_stats& s : stats) connected += s.state == CWIRE_STATE_CONNECTED;
  CHECK(connected == 3);
  fleet.finish();
}

TEST_CASE("a station that ends leaves its pools by itself") {
  csms::Csms csms(echo());
  Fleet fleet(Delivery::poll);
  Pool pool(fleet.manager);
  const cwire_station station = fleet.connected("CP1", csms.url());
  REQUIRE(cwire_pool_add(pool, station) == CWIRE_OK);
  REQUIRE(cwire_station_disconnect(station, 0, nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  CHECK(cwire_pool_has(pool, "CP1") == 0);
  CHECK(pool.counts() == Counts(0, 0));
  CHECK(cwire_pool_remove(pool, "CP1") == CWIRE_E_NOT_FOUND);
  // The next of that id is another station, which nobody has added.
  fleet.connected("CP1", csms.url());
  CHECK(cwire_pool_has(pool, "CP1") == 0);
  fleet.finish();
}

TEST_CASE("disconnect_all of a pool leaves the others alone and free disconnects nobody") {
  csms::Csms csms(echo());
  Fleet fleet(Delivery::poll);
  Pool pool(fleet.manager);
  for (int i = 0; i < 3; ++i)
    REQUIRE(cwire_pool_add(pool, fleet.connected("in" + std::to_string(i), csms.url())) == CWIRE_OK);
  const cwire_station outside = fleet.connected("out", csms.url());
  {
    Pool brief(fleet.manager);
    REQUIRE(cwire_pool_add(brief, outside) == CWIRE_OK);
  }
  CHECK(fleet.state(outside) == CWIRE_STATE_CONNECTED);
  REQUIRE(cwire_pool_disconnect_all(pool) == CWIRE_OK);
  REQUIRE(fleet.wait([](const Records& r) { return count(r, CWIRE_EVENT_CLOSED) == 3; }));
  CHECK(fleet.state(outside) == CWIRE_STATE_CONNECTED);
  CHECK(pool.counts() == Counts(0, 0));
  fleet.finish();
}

TEST_CASE("a freed manager frees its pools") {
  cwire_manager manager = nullptr;
  REQUIRE(cwire_manager_new(nullptr, nullptr, 0, &manager, nullptr) == CWIRE_OK);
  cwire_pool pool = nullptr;
  REQUIRE(cwire_pool_new(manager, &pool) == CWIRE_OK);
  REQUIRE(cwire_manager_free(manager) == CWIRE_OK);
  CHECK(cwire_pool_counts(pool, nullptr, nullptr) == CWIRE_E_INVALID_HANDLE);
  CHECK(cwire_pool_free(pool) == CWIRE_E_INVALID_HANDLE);
}
