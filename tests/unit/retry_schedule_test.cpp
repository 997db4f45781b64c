#include "station/retry_schedule.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <vector>

using namespace cwire;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

ReconnectSettings settings() {
  ReconnectSettings settings;
  settings.policy = ReconnectPolicyKind::exponential;
  settings.backoff = seconds(5);
  settings.backoff_max = seconds(60);
  settings.jitter = 0;
  settings.stable_after = seconds(30);
  settings.refused_backoff = seconds(60);
  settings.refused_backoff_max = minutes(60);
  return settings;
}

Failure refused_connection() { return {CWIRE_E_DIAL, "", FailurePhase::tcp, os_error(ECONNREFUSED)}; }
Failure answered(int status) { return {CWIRE_E_HANDSHAKE, "", FailurePhase::http, http_status(status)}; }
Failure closed_with(std::uint16_t code) { return {CWIRE_E_CLOSED, "", FailurePhase::peer, close_code(code)}; }
Failure unverified() {
  Failure failure(CWIRE_E_TLS, "", FailurePhase::tls, x509_result(10));
  failure.security = SecurityEvent::invalid_csms_certificate;
  return failure;
}

struct Schedule {
  const ReconnectSettings own = settings();
  std::minstd_rand random{7};
  RetrySchedule schedule{own};

  RetrySchedule::Wait after(const Failure& failure, Duration lasted = {}) {
    return schedule.after(failure, lasted, random);
  }
};

// The shortest and the longest first wait of many stations.
std::pair<Duration, Duration> spread(const Failure& failure) {
  Duration low = Duration::max(), high = Duration::zero();
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    Schedule one;
    one.random.seed(seed * 1'000'003);  // small seeds that lie close together begin alike
    const Duration wait = one.after(failure).wait;
    low = std::min(low, wait);
    high = std::max(high, wait);
  }
  return {low, high};
}

}  // namespace

TEST_CASE("a failure has the class that its phase and number say", "[retry_schedule]") {
  const struct {
    Failure failure;
    FailureClass is;
  } rows[] = {
      {refused_connection(), FailureClass::network},
      {{CWIRE_E_DIAL, "", FailurePhase::resolve, {}}, FailureClass::network},
      {{CWIRE_E_PING_TIMEOUT, "", FailurePhase::ping, close_code(1006)}, FailureClass::network},
      {{CWIRE_E_TLS, "", FailurePhase::tls, os_error(ECONNRESET)}, FailureClass::network},
      {{CWIRE_E_TLS, "", FailurePhase::tls, {}}, FailureClass::network},
      {answered(500), FailureClass::network},
      {answered(302), FailureClass::network},
      {answered(429), FailureClass::throttled},
      {answered(503), FailureClass::throttled},
      {answered(401), FailureClass::refused},
      {answered(403), FailureClass::refused},
      {answered(404), FailureClass::refused},
      {answered(426), FailureClass::refused},
      {{CWIRE_E_SUBPROTOCOL, "", FailurePhase::subprotocol, http_status(101)}, FailureClass::refused},
      {unverified(), FailureClass::unverified},
      {closed_with(1000), FailureClass::network},
      {closed_with(1012), FailureClass::restarting},
      {closed_with(1013), FailureClass::overloaded},
      {{CWIRE_E_DIAL, "", FailurePhase::tcp, os_error(EMFILE)}, FailureClass::local},
      {{CWIRE_E_DIAL, "", FailurePhase::tcp, os_error(ENFILE)}, FailureClass::local},
      {{CWIRE_E_DIAL, "", FailurePhase::tcp, os_error(ENOBUFS)}, FailureClass::local},
      {{CWIRE_E_DIAL, "", FailurePhase::tcp, os_error(ENOMEM)}, FailureClass::local},
      {{CWIRE_E_DIAL, "", FailurePhase::tcp, os_error(EADDRNOTAVAIL)}, FailureClass::local},
      {{CWIRE_E_DIAL, "", FailurePhase::proxy, http_status(407)}, FailureClass::refused},
      {{CWIRE_E_DIAL, "", FailurePhase::proxy, http_status(403)}, FailureClass::refused},
      {{CWIRE_E_DIAL, "", FailurePhase::proxy, http_status(404)}, FailureClass::network},
      {{CWIRE_E_DIAL, "", FailurePhase::proxy, http_status(429)}, FailureClass::network},
      {{CWIRE_E_DIAL, "", FailurePhase::proxy, http_status(502)}, FailureClass::network},
      {{CWIRE_E_DIAL, "", FailurePhase::proxy, http_status(503)}, FailureClass::network},
      {{CWIRE_E_DIAL, "", FailurePhase::proxy, os_error(ECONNREFUSED)}, FailureClass::network},
      {{CWIRE_E_DIAL, "", FailurePhase::proxy, {}}, FailureClass::network},
      {{CWIRE_E_DIAL, "", FailurePhase::proxy, os_error(EMFILE)}, FailureClass::local},
      {{CWIRE_E_CONFIG, "", FailurePhase::tcp, os_error(EADDRNOTAVAIL)}, FailureClass::network},
      {{CWIRE_E_NO_MEMORY, ""}, FailureClass::local},
  };
  for (const auto& row : rows) {
    CAPTURE(row.failure.status, static_cast<int>(row.failure.phase), row.failure.code.number);
    CHECK(class_of(row.failure) == row.is);
  }
}

TEST_CASE("the network's failures have the policy's waits", "[retry_schedule]") {
  Schedule station;
  for (const int expected : {5, 10, 20, 40, 60, 60})
    CHECK(station.after(refused_connection()).wait == seconds(expected));
}

TEST_CASE("a server that was slow to fail is given the same time again, up to the longest backoff",
          "[retry_schedule]") {
  Schedule station;
  const Duration wait = station.after(answered(500), seconds(20)).wait;
  CHECK((wait >= seconds(20) && wait <= seconds(22)));
  CHECK(station.after(answered(500), minutes(5)).wait >= seconds(60));
  CHECK(station.after(answered(500), minutes(5)).wait <= seconds(66));
  // Nobody was reached: there is nobody to spare.
  Schedule other;
  CHECK(other.after({CWIRE_E_DIAL, "", FailurePhase::tcp, os_error(ETIMEDOUT)}, seconds(30)).wait == seconds(5));
}

TEST_CASE("Retry-After is kept to, and exceeded by a tenth at most", "[retry_schedule]") {
  Failure busy = answered(503);
  busy.retry_after_s = 100;
  const auto [low, high] = spread(busy);
  CHECK((low >= seconds(100) && low < seconds(101)));
  CHECK((high > seconds(109) && high <= seconds(110)));
  // Without one, and with one that is shorter than the policy, the policy's wait stays.
  Schedule station;
  CHECK(station.after(answered(429)).wait == seconds(5));
  busy.retry_after_s = 1;
  CHECK(station.after(busy).wait == seconds(10));
}

TEST_CASE("1012 waits 5 to 30 s, 1013 at least 60 s", "[retry_schedule]") {
  const auto [restart_low, restart_high] = spread(closed_with(1012));
  CHECK((restart_low >= seconds(5) && restart_low < seconds(6)));
  CHECK((restart_high > seconds(29) && restart_high <= seconds(30)));
  const auto [overload_low, overload_high] = spread(closed_with(1013));
  CHECK((overload_low >= seconds(60) && overload_low < seconds(61)));
  CHECK((overload_high > seconds(65) && overload_high <= seconds(66)));
}

TEST_CASE("a refusal waits 60 s doubling to an hour, give or take a fifth, and counts its streak", "[retry_schedule]") {
  const auto [low, high] = spread(answered(401));
  CHECK((low >= seconds(48) && low < seconds(49)));
  CHECK((high > seconds(71) && high <= seconds(72)));

  Schedule station;
  std::uint32_t streak = 0;
  for (const int expected : {60, 120, 240, 480, 960, 1920, 3600, 3600}) {
    const RetrySchedule::Wait wait = station.after(answered(401));
    CHECK(wait.wait >= seconds(expected) * 4 / 5);
    CHECK(wait.wait <= seconds(expected) * 6 / 5);
    CHECK(wait.at_least == wait.wait);
    CHECK(wait.streak == ++streak);
  }
  // A network that fails meanwhile is no answer; another answer is another streak.
  CHECK(station.after(refused_connection()).streak == 0);
  CHECK(station.after(answered(401)).streak == streak + 1);
  CHECK(station.after(answered(403)).streak == 1);
  station.schedule.established();
  CHECK(station.after(answered(403)).streak == 1);
}

TEST_CASE("the same status of a proxy and of the CSMS are two answers", "[retry_schedule]") {
  const Failure of_proxy(CWIRE_E_DIAL, "", FailurePhase::proxy, http_status(403));
  Schedule station;
  CHECK(station.after(of_proxy).streak == 1);
  CHECK(station.after(of_proxy).streak == 2);
  CHECK(station.after(answered(403)).streak == 1);
}

TEST_CASE("a certificate that is not accepted has three tries of the policy, then 60 s to 15 min", "[retry_schedule]") {
  Schedule station;
  for (const int expected : {5, 10, 20}) CHECK(station.after(unverified()).wait == seconds(expected));
  for (const int expected : {60, 120, 240, 480, 900, 900}) {
    const Duration wait = station.after(unverified()).wait;
    CHECK(wait >= seconds(expected) * 4 / 5);
    CHECK(wait <= seconds(expected) * 6 / 5);
  }
}

TEST_CASE("what this machine lacks waits 1 s doubling to 30 s, and leaves the policy where it was",
          "[retry_schedule]") {
  const Failure no_descriptor(CWIRE_E_DIAL, "", FailurePhase::tcp, os_error(EMFILE));
  Schedule station;
  for (const int expected : {1, 2, 4, 8, 16, 30, 30}) {
    const Duration wait = station.after(no_descriptor).wait;
    CHECK(wait >= milliseconds(expected * 800));
    CHECK(wait <= milliseconds(expected * 1200));
  }
  CHECK(station.after(refused_connection()).wait == seconds(5));
  CHECK(station.after(no_descriptor).wait <= milliseconds(1200));
}

TEST_CASE("new settings act from the next wait on", "[retry_schedule]") {
  Schedule one;
  CHECK(one.after(refused_connection()).wait == seconds(5));
  ReconnectSettings quicker = settings();
  quicker.backoff = seconds(1);
  one.schedule.use(quicker);
  CHECK(one.after(refused_connection()).wait == seconds(2));  // the second of the row all the same
  one.schedule.start_over();
  CHECK(one.after(refused_connection()).wait == seconds(1));
}

TEST_CASE("starting over forgets streaks", "[retry_schedule]") {
  Schedule one;
  one.after(answered(401));
  CHECK(one.after(answered(401)).streak == 2);
  one.schedule.start_over();
  const RetrySchedule::Wait wait = one.after(answered(401));
  CHECK(wait.streak == 1);
  CHECK(wait.wait <= seconds(72));
}
