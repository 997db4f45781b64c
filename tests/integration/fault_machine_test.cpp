// Faults of this machine: what it has no more of, where it cannot send to, its clock, signals. Rows of
// docs/reliability.md.
#include <pthread.h>
#include <signal.h>

#include <cerrno>
#include <thread>

#include "fault_csms.h"
#include "system_calls.h"
#include "test_pki.h"

using namespace fixture;
using system_calls::Failing;

namespace {

constexpr std::int64_t kSecond_ns = 1'000'000'000;
constexpr std::int64_t kYear_s = 366 * 86400;

std::atomic<int> signals{0};

// While it lives, this signal is counted, and interrupts what it can.
class Counted {
 public:
  explicit Counted(int signal) : signal_(signal) {
    signals = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { ++signals; };
    ::sigaction(signal, &action, &before_);
  }
  ~Counted() { ::sigaction(signal_, &before_, nullptr); }

 private:
  const int signal_;
  struct sigaction before_ {};
};

}  // namespace

TEST_CASE("fault: this machine has no more descriptors, buffers, memory or ports") {
  struct Shortage {
    Failing::Call call;
    int error;
  };
  const Shortage shortage =
      GENERATE(Shortage{Failing::socket, EMFILE}, Shortage{Failing::socket, ENFILE}, Shortage{Failing::socket, ENOBUFS},
               Shortage{Failing::socket, ENOMEM}, Shortage{Failing::connect, EADDRNOTAVAIL});
  CAPTURE(shortage.error);
  // The only attempt that there is, and a shortage counts as none.
  FaultCsms fault(Settings{{"csms.max_reconnect_attempts", "1"}});
  {
    const Failing failing(shortage.call, shortage.error);
    fault.connect();
    const Record error = fault.failed();
    CHECK(error.status == CWIRE_E_DIAL);
    CHECK(error.failure.phase == CWIRE_PHASE_TCP);
    CHECK(error.failure.os_error == shortage.error);
    // Not the policy's 20 ms.
    const std::int64_t wait = error.failure.retry_at_ns - error.failure.time_ns;
    CHECK((wait >= kSecond_ns * 8 / 10 && wait <= kSecond_ns * 12 / 10));
  }
  fault.recovers();
  fault.finish();
}

TEST_CASE("fault: no route to the CSMS") {
  const int error = GENERATE(ENETUNREACH, EHOSTUNREACH);
  CAPTURE(error);
  FaultCsms fault;
  {
    const Failing failing(Failing::connect, error);
    fault.connect();
    const Record failed = fault.failed(2);
    CHECK(failed.status == CWIRE_E_DIAL);
    CHECK(failed.failure.phase == CWIRE_PHASE_TCP);
    CHECK(failed.failure.os_error == error);
    CHECK(failed.failure.retry_at_ns > failed.failure.time_ns);
  }
  fault.recovers();
  fault.finish();
}

TEST_CASE("fault: the wall clock jumps by a year, and only certificates notice") {
  pki::TemporaryDirectory directory;
  const pki::Identity ca = pki::make_self_signed({"test CA", {}, true});
  const pki::Identity identity = pki::make_signed({"localhost", {"IP:127.0.0.1"}}, ca);
  csms::Options options;
  options.certificate_file = directory.write("server.pem", identity.certificate_pem());
  options.key_file = directory.write("server.key", identity.key_pem());
  csms::Csms csms(options);
  FaultCsms fault(Settings{{"csms.ping_interval", "200ms"}});
  fault.connect({{"csms.tls.ca_cert", directory.write("ca.pem", ca.certificate_pem())}}, csms.url());
  REQUIRE(fault.fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  std::size_t connections = 1, failures = 0;
  for (const std::int64_t off : {kYear_s, -kYear_s}) {
    CAPTURE(off);
    {
      const system_calls::WallClockOff jump(off);
      // Pings go on at their pace, and nobody is found dead.
      const std::uint64_t pings = csms.counters().pings;
      REQUIRE(csms.wait_until([&](const csms::Counters& c) { return c.pings >= pings + 3; }, kPatience));
      fault.bystanders_talk();
      CHECK(count(fault.fleet.records(), CWIRE_EVENT_DISCONNECTED, "CP1") == connections - 1);
      csms.close_all(1001, "again");
      const Record error = fault.failed(++failures);
      CHECK(error.failure.phase == CWIRE_PHASE_TLS);
      CHECK(error.failure.x509_error == (off > 0 ? 10 : 9));  // X509_V_ERR_CERT_HAS_EXPIRED, _NOT_YET_VALID
      // The waits are no year, nor over before they begin.
      const std::int64_t wait = error.failure.retry_at_ns - error.failure.time_ns;
      CHECK((wait > 0 && wait < kSecond_ns));
    }
    REQUIRE(fault.fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", ++connections));
    failures = count(fault.fleet.records(), CWIRE_EVENT_ERROR, "CP1");
  }
  fault.finish();
}

TEST_CASE("fault: writing to a peer that is gone raises no SIGPIPE") {
  const Counted sigpipe(SIGPIPE);
  Gate* gate = nullptr;
  FaultCsms fault({}, 0, [&](const cwire_event& e) {
    if (e.type == CWIRE_EVENT_MESSAGE && std::string(e.data) == "hold") gate->pass();
  });
  const cwire_station station = fault.connect();
  for (std::size_t number = 1; number <= 5; ++number) {
    raw::Connection peer = fault.upgraded();
    Gate held;
    gate = &held;
    peer.send_frame(raw::text, "hold");
    REQUIRE(held.wait_arrived());
    // The I/O thread writes before it can know that nobody is there: the first write is answered with RST, the next
    // fails.
    peer.close();
    for (int i = 0; i < 8; ++i) REQUIRE(fault.fleet.send(station, std::string(100000, 'x')) == CWIRE_OK);
    held.open();
    const Record end = fault.lost(number);
    CHECK((end.status == CWIRE_E_WRITE || end.status == CWIRE_E_READ));
    CHECK(end.code == 1006);
  }
  CHECK(signals == 0);
  fault.finish();
}

TEST_CASE("fault: signals interrupt no wait") {
  const Counted interrupting(SIGUSR1);
  raw::Server server;
  // Nothing happens while the test does not make it happen.
  Fleet fleet(Delivery::poll, quick({{"csms.connection_timeout", "1h"}, {"csms.upgrade_timeout", "1h"}}));
  const cwire_station station = fleet.connect("CP1", server.url());
  raw::Connection peer = server.accept();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_STATE, "CP1"));
  std::atomic<bool> waited{false}, polled{false};
  std::atomic<cwire_status> wait_status{CWIRE_E_INTERNAL}, poll_status{CWIRE_E_INTERNAL};
  std::size_t size = 0;
  REQUIRE(fleet.poll(0) == CWIRE_E_TIMEOUT);
  std::thread waits([&] {
    wait_status = cwire_station_wait(station, -1, nullptr);
    waited = true;
  });
  std::thread polls([&] {
    const cwire_event* events = nullptr;
    poll_status = cwire_manager_poll(fleet.manager, -1, 1, &events, &size);
    polled = true;
  });
  for (int target = 100; target <= 1000; target += 100) {
    while (signals < target) {
      ::pthread_kill(waits.native_handle(), SIGUSR1);
      ::pthread_kill(polls.native_handle(), SIGUSR1);
      std::this_thread::yield();
    }
  }
  CHECK_FALSE(waited);
  CHECK_FALSE(polled);
  REQUIRE(cwire_manager_wake(fleet.manager) == CWIRE_OK);
  polls.join();
  CHECK(poll_status == CWIRE_OK);
  CHECK(size == 0);
  peer.upgrade();
  waits.join();
  CHECK(wait_status == CWIRE_OK);
  fleet.finish(0);
}
