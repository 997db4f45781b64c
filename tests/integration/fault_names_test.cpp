// Faults of the name server. Rows of docs/reliability.md.
#include <netdb.h>

#include <cerrno>

#include "fault_csms.h"
#include "system_calls.h"

using namespace fixture;
using Catch::Contains;
using system_calls::Name;

namespace {

std::string url(std::uint16_t port) { return "ws://csms.test:" + std::to_string(port); }

Name::Answer error(int number) {
  return [number](std::vector<std::string>&) { return number; };
}
Name::Answer address(const std::string& literal) {
  return [literal](std::vector<std::string>& addresses) {
    addresses = {literal};
    return 0;
  };
}

}  // namespace

TEST_CASE("fault: NXDOMAIN and SERVFAIL") {
  // getaddrinfo's words for NXDOMAIN, for SERVFAIL or no answer, and for a server that refuses.
  const int number = GENERATE(EAI_NONAME, EAI_AGAIN, EAI_FAIL);
  CAPTURE(number);
  FaultCsms fault;
  Name name("csms.test", error(number));
  fault.connect({}, url(fault.server.port()));
  for (std::size_t attempt = 1; attempt <= 3; ++attempt) {
    const Record failed = fault.failed(attempt);
    CHECK(failed.status == CWIRE_E_DIAL);
    CHECK(failed.failure.phase == CWIRE_PHASE_RESOLVE);
    CHECK_THAT(failed.data, Contains("resolving csms.test"));
    CHECK(name.queries() >= attempt);
  }
  name.answer(address("127.0.0.1"));
  fault.recovers();
  fault.finish();
}

TEST_CASE("fault: a name server that does not answer blocks no I/O thread") {
  FaultCsms fault;
  const auto gate = std::make_shared<Gate>();
  Name name("csms.test", [gate](std::vector<std::string>&) {
    gate->pass();
    return EAI_AGAIN;
  });
  fault.connect({}, url(fault.server.port()));
  REQUIRE(gate->wait_arrived());
  for (int i = 0; i < 10; ++i) fault.bystanders_talk();
  const Record failed = fault.failed();
  CHECK(failed.status == CWIRE_E_DIAL);
  CHECK(failed.failure.phase == CWIRE_PHASE_RESOLVE);
  CHECK(failed.failure.os_error == ETIMEDOUT);
  // Asked again meanwhile: the query under way serves that, too.
  REQUIRE(fault.fleet.wait([](const Records& records) {
    return first(records, CWIRE_EVENT_STATE, "CP1") != nullptr && states(records, "CP1") == "connecting reconnecting";
  }));
  CHECK(name.queries() == 1);
  name.answer(address("127.0.0.1"));
  gate->open();
  fault.recovers();
  fault.finish();
}

TEST_CASE("fault: ten thousand stations of one host are one query") {
  constexpr std::size_t kStations = 10000;
  FaultCsms fault(
      Settings{{"csms.reconnect_backoff", "1h"}, {"csms.reconnect_max_backoff", "1h"}, {"log_level", "off"}});
  const auto gate = std::make_shared<Gate>();
  Name name("csms.test", [gate](std::vector<std::string>&) {
    gate->pass();
    return EAI_NONAME;
  });
  for (std::size_t i = 0; i < kStations; ++i) fault.fleet.connect("CP" + std::to_string(i + 1), url(1));
  // Each word of a bystander takes the I/O thread a turn, and each turn dials 32: after these all have asked.
  for (std::size_t i = 0; i < kStations / 32 + 2; ++i) fault.bystanders_talk();
  gate->open();
  REQUIRE(fault.fleet.wait([](const Records& records) { return count(records, CWIRE_EVENT_ERROR) == kStations; }));
  CHECK(name.queries() == 1);
  for (const Record& record : fault.fleet.records()) {
    if (record.type == CWIRE_EVENT_ERROR) REQUIRE(record.failure.phase == CWIRE_PHASE_RESOLVE);
  }
  fault.finish();
}

TEST_CASE("fault: the host's address changes") {
  FaultCsms fault;
  raw::Server moved("127.0.0.2", fault.server.port());
  Name name("csms.test", address("127.0.0.1"));
  fault.connect({}, url(fault.server.port()));
  std::size_t number = 0;
  for (const bool has_moved : {false, true, false, true}) {
    CAPTURE(number);
    raw::Connection peer = has_moved ? moved.accept() : fault.accepted();
    peer.upgrade();
    REQUIRE(fault.fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", ++number));
    CHECK(name.queries() == number);
    name.answer(address(has_moved ? "127.0.0.1" : "127.0.0.2"));
    peer.close();
    fault.lost(number);
  }
  fault.finish();
}
