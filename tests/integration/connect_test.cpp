// The way to a connection: what limits each step of it, and who says so.
#include <cerrno>
#include <chrono>

#include "fixture.h"
#include "raw_peer.h"

using namespace fixture;
using Catch::Contains;

namespace {

using SteadyClock = std::chrono::steady_clock;

}  // namespace

TEST_CASE("a black hole is a DIAL failure once csms.tcp_timeout is over") {
  raw::Deaf deaf;
  Fleet fleet(Delivery::poll);
  const auto begin = SteadyClock::now();
  fleet.connect("CP1", deaf.url(), {{"csms.tcp_timeout", "300ms"}});
  const Record error = fleet.first_error();
  CHECK(SteadyClock::now() - begin >= std::chrono::milliseconds(300));
  CHECK(error.status == CWIRE_E_DIAL);
  CHECK(error.code == ETIMEDOUT);
  CHECK(error.failure.phase == CWIRE_PHASE_TCP);
  CHECK_THAT(error.data, Contains("timed out; no TCP connection within 300ms (csms.tcp_timeout)"));
  fleet.finish();
}

TEST_CASE("a TLS handshake of one byte now and then is over after csms.tls.handshake_timeout") {
  raw::Server server;
  Fleet fleet(Delivery::poll);
  fleet.connect("CP1", "wss" + server.url().substr(2), {{"csms.tls.handshake_timeout", "300ms"}});
  auto peer = server.accept();
  const auto begin = SteadyClock::now();
  // The first record of a handshake, 16,384 bytes long.
  peer.drip(std::string("\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03", 11) + std::string(1000, 'x'), 20);
  CHECK(SteadyClock::now() - begin < std::chrono::seconds(10));  // the station has hung up
  const Record error = fleet.first_error();
  CHECK(error.status == CWIRE_E_TLS);
  CHECK(error.failure.phase == CWIRE_PHASE_TLS);
  CHECK(error.failure.os_error == ETIMEDOUT);
  CHECK_THAT(error.data, Contains("within 300ms (csms.tls.handshake_timeout)"));
  fleet.finish();
}

TEST_CASE("an answer to the upgrade of one byte now and then is over after csms.upgrade_timeout") {
  raw::Server server;
  Fleet fleet(Delivery::poll);
  fleet.connect("CP1", server.url(), {{"csms.upgrade_timeout", "300ms"}});
  auto peer = server.accept();
  peer.read_request();
  const auto begin = SteadyClock::now();
  peer.drip("HTTP/1.1 101 Switching Protocols\r\nX-Filler: " + std::string(1000, 'x'), 20);
  CHECK(SteadyClock::now() - begin < std::chrono::seconds(10));
  const Record error = fleet.first_error();
  CHECK(error.status == CWIRE_E_HANDSHAKE);
  CHECK(error.failure.phase == CWIRE_PHASE_HTTP);
  CHECK(error.failure.os_error == ETIMEDOUT);
  CHECK_THAT(error.data, Contains("timed out after 300ms") && Contains("csms.upgrade_timeout"));
  fleet.finish();
}

TEST_CASE("the CSMS sees the station come from csms.source_address") {
  raw::Server server;
  Fleet fleet(Delivery::poll);
  fleet.connect("CP1", server.url(), {{"csms.source_address", "127.0.0.2"}});
  auto peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  CHECK(peer.remote_address() == "127.0.0.2");
  fleet.finish();
}

TEST_CASE("a source address that this machine does not have is said to be that, and tried again as the policy says") {
  raw::Server server;
  Fleet fleet(Delivery::poll);
  fleet.connect("CP1", server.url(), {{"csms.source_address", "192.0.2.77"}, {"csms.max_reconnect_attempts", "2"}});
  const Record error = fleet.first_error();
  CHECK(error.status == CWIRE_E_CONFIG);  // and not DIAL, as when the ports have run out
  CHECK(error.failure.phase == CWIRE_PHASE_TCP);
  CHECK(error.failure.os_error == EADDRNOTAVAIL);
  CHECK_THAT(error.data, Contains("csms.source_address: this machine has no address 192.0.2.77; check it"));
  // Counted, unlike a shortage of this machine's.
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  CHECK(count(fleet.records(), CWIRE_EVENT_ERROR, "CP1") == 2);
  CHECK_FALSE(server.somebody_wants_in(0));
  fleet.finish();
}
