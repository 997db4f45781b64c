// What a failure says in numbers, in its event and in the statistics, and how the waits follow from it.
#include <algorithm>
#include <cerrno>

#include "fixture.h"
#include "raw_peer.h"
#include "test_pki.h"

using namespace fixture;
using Catch::Contains;

namespace {

constexpr std::int64_t kSecond_ns = 1'000'000'000;

std::int64_t wait_ns(const cwire_failure& failure) { return failure.retry_at_ns - failure.time_ns; }

// What every failure that is followed by another attempt says of itself, wherever it is read.
void check_common(const Record& record) {
  const cwire_failure& failure = record.failure;
  CHECK(failure.size == sizeof failure);
  CHECK(failure.status == record.status);
  CHECK(failure.flags == record.flags);
  CHECK((failure.flags & CWIRE_FLAG_WILL_RETRY) != 0);
  CHECK(failure.time_ns == record.time_ns);
  CHECK(wait_ns(failure) > 0);
}

Record first_error(Fleet& fleet) {
  const Record error = fleet.first_error();
  check_common(error);
  return error;
}

}  // namespace

TEST_CASE("a refused TCP connection is a failure of phase tcp with its errno, in the event and in the statistics") {
  raw::ClosedPort nobody;
  Fleet fleet(both_deliveries(), quick({{"csms.reconnect_backoff", "10s"}, {"csms.reconnect_max_backoff", "10s"}}));
  fleet.connect("CP1", nobody.url());
  const Record error = first_error(fleet);
  CHECK(error.failure.phase == CWIRE_PHASE_TCP);
  CHECK(error.failure.os_error == ECONNREFUSED);
  CHECK(error.failure.http_status == 0);
  CHECK(error.failure.x509_error == 0);
  CHECK(error.failure.close_code == 0);
  CHECK(error.failure.security_event == CWIRE_SECURITY_NONE);
  CHECK((wait_ns(error.failure) >= 8 * kSecond_ns && wait_ns(error.failure) <= 12 * kSecond_ns));

  const cwire_failure last = fleet.stats("CP1").last_failure;
  CHECK(last.size == sizeof last);
  CHECK(last.phase == CWIRE_PHASE_TCP);
  CHECK(last.os_error == ECONNREFUSED);
  CHECK(last.retry_at_ns == error.failure.retry_at_ns);
  fleet.finish();
}

TEST_CASE("statistics without a failure say so") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::poll);
  fleet.connected("CP1", csms.url());
  const cwire_failure last = fleet.stats("CP1").last_failure;
  CHECK(last.size == sizeof last);
  CHECK(last.status == CWIRE_OK);
  CHECK(last.phase == CWIRE_PHASE_NONE);
  CHECK(last.time_ns == 0);
  CHECK(last.retry_at_ns == 0);
  fleet.finish();
}

TEST_CASE("Retry-After is when the next attempt is due") {
  csms::Csms csms{csms::Options()};
  csms.refuse(503, 100);
  Fleet fleet(Delivery::poll);
  fleet.connect("CP1", csms.url());
  const Record error = first_error(fleet);
  CHECK(error.failure.phase == CWIRE_PHASE_HTTP);
  CHECK(error.failure.http_status == 503);
  CHECK((wait_ns(error.failure) >= 100 * kSecond_ns && wait_ns(error.failure) <= 110 * kSecond_ns));
  fleet.finish();
}

TEST_CASE("the second identical refusal needs somebody's action, no other does, and another answer begins anew") {
  const int status = GENERATE(401, 403, 404, 426);
  CAPTURE(status);
  csms::Csms csms{csms::Options()};
  csms.refuse(status);
  Fleet fleet(Delivery::poll);
  fleet.connect("CP1", csms.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1", 4));
  std::size_t number = 0;
  for (const Record& record : fleet.records()) {
    if (record.type != CWIRE_EVENT_ERROR || ++number > 4) continue;
    CAPTURE(number);
    check_common(record);
    CHECK(record.failure.http_status == status);
    CHECK(((record.flags & CWIRE_FLAG_NEEDS_ACTION) != 0) == (number == 2));
    CHECK(record.failure.security_event ==
          (status == 401 && number == 1 ? CWIRE_SECURITY_FAILED_TO_AUTHENTICATE : CWIRE_SECURITY_NONE));
  }
  csms.refuse(500);
  const auto is_500 = [](const Record& record) { return record.type == CWIRE_EVENT_ERROR && record.code == 500; };
  REQUIRE(fleet.wait([&](const Records& records) { return std::any_of(records.begin(), records.end(), is_500); }));
  fleet.finish();
}

TEST_CASE("a refused station waits a minute by default, and needs no policy of its own for that") {
  csms::Csms csms{csms::Options()};
  csms.refuse(404);
  Fleet fleet(Delivery::poll, Settings());
  fleet.connect("CP1", csms.url());
  const Record error = first_error(fleet);
  CHECK((wait_ns(error.failure) >= 48 * kSecond_ns && wait_ns(error.failure) <= 72 * kSecond_ns));
  // Nor does the network's return change what the CSMS thinks of this station.
  CHECK(cwire_manager_network_up(fleet.manager) == CWIRE_OK);
  CHECK(fleet.stats("CP1").reconnect_attempts == 0);
  fleet.finish();
}

TEST_CASE("no common subprotocol is a failure of its own phase") {
  csms::Options options;
  options.subprotocols = {"ocpp2.1"};
  csms::Csms csms(options);
  Fleet fleet(Delivery::poll);
  fleet.connect("CP1", csms.url());
  CHECK(first_error(fleet).failure.phase == CWIRE_PHASE_SUBPROTOCOL);
  fleet.finish();
}

TEST_CASE("a certificate that is not accepted says why in OpenSSL's number, and is a security event once") {
  pki::TemporaryDirectory directory;
  const pki::Identity stranger = pki::make_self_signed({"localhost", {"IP:127.0.0.1"}});
  csms::Options options;
  options.certificate_file = directory.write("server.pem", stranger.certificate_pem());
  options.key_file = directory.write("server.key", stranger.key_pem());
  csms::Csms csms(options);
  const pki::Identity ca = pki::make_self_signed({"test CA", {}, true});
  Fleet fleet(Delivery::poll, quick({{"csms.tls.ca_cert", directory.write("ca.pem", ca.certificate_pem())}}));
  fleet.connect("CP1", csms.url());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1", 3));
  std::size_t number = 0;
  for (const Record& record : fleet.records()) {
    if (record.type != CWIRE_EVENT_ERROR) continue;
    check_common(record);
    CHECK(record.failure.phase == CWIRE_PHASE_TLS);
    CHECK(record.failure.x509_error == 18);  // X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT
    CHECK(record.failure.security_event ==
          (++number == 1 ? CWIRE_SECURITY_INVALID_CSMS_CERTIFICATE : CWIRE_SECURITY_NONE));
  }
  fleet.finish();
}

TEST_CASE("a close frame is a failure of the peer's with its code, and 1012 and 1013 set the wait") {
  const std::uint16_t code = GENERATE(as<std::uint16_t>(), 1001, 1012, 1013);
  CAPTURE(code);
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::poll);
  fleet.connected("CP1", csms.url());
  csms.close_all(code, "");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  const Record end = must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED));
  check_common(end);
  CHECK(end.failure.phase == CWIRE_PHASE_PEER);
  CHECK(end.failure.close_code == code);
  CHECK((end.failure.flags & CWIRE_FLAG_REMOTE) != 0);
  const std::int64_t wait = wait_ns(end.failure);
  if (code == 1001) CHECK(wait < kSecond_ns);
  if (code == 1012) CHECK((wait >= 5 * kSecond_ns && wait <= 30 * kSecond_ns));
  if (code == 1013) CHECK((wait >= 60 * kSecond_ns && wait <= 66 * kSecond_ns));
  fleet.finish();
}

TEST_CASE("a reset and an end without a close frame are failures of reading, with 1006") {
  const bool reset = GENERATE(true, false);
  CAPTURE(reset);
  raw::Server server;
  Fleet fleet(Delivery::poll);
  fleet.connect("CP1", server.url());
  auto peer = server.accept();
  peer.upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  reset ? peer.reset() : peer.close();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  const Record end = must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED));
  check_common(end);
  CHECK(end.failure.phase == CWIRE_PHASE_READ);
  CHECK(end.failure.os_error == (reset ? ECONNRESET : 0));
  CHECK(end.failure.close_code == 1006);
  fleet.finish();
}

TEST_CASE("what ends by request is no failure") {
  csms::Csms csms{csms::Options()};
  Fleet fleet(Delivery::poll);
  const cwire_station station = fleet.connected("CP1", csms.url());
  REQUIRE(cwire_station_disconnect(station, 0, nullptr) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CLOSED, "CP1"));
  CHECK(must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED)).failure.size == 0);
  fleet.finish();
}

TEST_CASE("when the network is up again a station need not wait to the end") {
  csms::Csms csms{csms::Options()};
  // 5 minutes give or take nothing; the policy's minimum is a tenth of the base.
  Fleet fleet(both_deliveries(), quick({{"csms.reconnect_policy", "full"},
                                        {"csms.reconnect_backoff", "10ms"},
                                        {"csms.reconnect_max_backoff", "24h"}}));
  csms.refuse_tcp();
  fleet.connect("CP1", csms.url());
  // The ceiling doubles with each failure; go on until a wait is far longer than this test may take.
  const auto waits_long = [](const Records& records) {
    const Record* error = last(records, CWIRE_EVENT_ERROR);
    return error != nullptr && wait_ns(error->failure) > 2 * kSecond_ns;
  };
  REQUIRE(fleet.wait(waits_long));
  csms.come_back();
  CHECK(cwire_manager_network_up(fleet.manager) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  const Records records = fleet.records();
  CHECK(must(first(records, CWIRE_EVENT_CONNECTED)).time_ns <
        must(last(records, CWIRE_EVENT_ERROR)).failure.retry_at_ns);
  fleet.finish();
  CHECK(cwire_manager_network_up(nullptr) == CWIRE_E_INVALID_HANDLE);
}

TEST_CASE("phases and security events have names") {
  const char* names[] = {"none",        "resolve", "tcp",  "proxy", "tls", "http",
                         "subprotocol", "ping",    "read", "write", "peer"};
  for (std::int32_t phase = 0; phase <= CWIRE_PHASE_PEER; ++phase)
    CHECK(std::string(cwire_phase_name(phase)) == names[phase]);
  CHECK(std::string(cwire_phase_name(-1)) == "unknown");
  CHECK(std::string(cwire_phase_name(11)) == "unknown");
  const auto name = [](std::int32_t event, const char* version) {
    return std::string(cwire_security_event_name(event, version));
  };
  CHECK(name(CWIRE_SECURITY_INVALID_CSMS_CERTIFICATE, "ocpp2.0.1") == "InvalidCsmsCertificate");
  CHECK(name(CWIRE_SECURITY_INVALID_CSMS_CERTIFICATE, nullptr) == "InvalidCsmsCertificate");
  CHECK(name(CWIRE_SECURITY_INVALID_CSMS_CERTIFICATE, "ocpp1.6") == "InvalidCentralSystemCertificate");
  CHECK(name(CWIRE_SECURITY_INVALID_TLS_VERSION, "ocpp1.6") == "InvalidTLSVersion");
  CHECK(name(CWIRE_SECURITY_INVALID_TLS_CIPHER_SUITE, nullptr) == "InvalidTLSCipherSuite");
  CHECK(name(CWIRE_SECURITY_FAILED_TO_AUTHENTICATE, "ocpp2.1") == "FailedToAuthenticateAtCsms");
  CHECK(name(CWIRE_SECURITY_FAILED_TO_AUTHENTICATE, "ocpp1.6") == "FailedToAuthenticateAtCentralSystem");
  CHECK(name(CWIRE_SECURITY_NONE, nullptr).empty());
  CHECK(name(99, nullptr).empty());
}
