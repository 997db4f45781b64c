#include "station/web_socket_client.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace cwire;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

Settings defaults() {
  Settings settings;
  settings.connection_timeout = seconds(30);
  settings.write_timeout = seconds(10);
  settings.read_timeout = seconds(60);
  settings.close_timeout = seconds(5);
  settings.ping_interval = seconds(30);
  settings.pong_timeout = seconds(10);
  settings.reconnect.backoff = seconds(5);
  settings.reconnect.backoff_max = seconds(60);
  settings.reconnect.jitter = 0;
  settings.reconnect.stable_after = seconds(30);
  settings.reconnect.wait_minimum = seconds(10);
  settings.reconnect.repeat_times = 3;
  settings.reconnect.refused_backoff = seconds(60);
  settings.reconnect.refused_backoff_max = hours(1);
  return settings;
}

Settings with(void (*change)(Settings&)) {
  Settings settings = defaults();
  change(settings);
  return settings;
}

std::string words(const Actions& actions) {
  std::string result;
  for (const Action& action : actions) {
    if (!result.empty()) result += ", ";
    switch (action.type) {
      case Action::Type::attempt:
        result += "attempt " + std::to_string(action.number);
        break;
      case Action::Type::abandon:
        result += "abandon";
        break;
      case Action::Type::ping:
        result += "ping";
        break;
      case Action::Type::close:
        result += "close";
        break;
      case Action::Type::report_state: {
        const char* names[] = {"disconnected", "connecting", "connected", "reconnecting", "error", "closed"};
        result += std::string(names[static_cast<int>(action.from)]) + ">" + names[static_cast<int>(action.to)];
        break;
      }
      case Action::Type::report_connected:
        result += "report connected " + std::to_string(action.number);
        break;
      case Action::Type::report_disconnected:
        result += "report disconnected " + std::to_string(action.number);
        break;
      case Action::Type::report_error:
        result += "report error " + std::to_string(action.number);
        break;
      case Action::Type::report_closed:
        result += "report closed";
        break;
    }
    if (action.will_retry) {
      const auto ms = std::chrono::duration_cast<milliseconds>(action.retry_in).count();
      result += " retry in " + std::to_string(ms) + "ms";
    }
  }
  return result;
}

Failure refused() {
  return Failure(CWIRE_E_DIAL, "dial: connection refused", FailurePhase::tcp, os_error(ECONNREFUSED));
}
Failure answered_503() {
  return Failure(CWIRE_E_HANDSHAKE, "handshake: the server answered 503", FailurePhase::http, http_status(503));
}
Failure answered_401() {
  return Failure(CWIRE_E_AUTH, "handshake: the server answered 401", FailurePhase::http, http_status(401));
}
Failure reset() {
  return Failure(CWIRE_E_READ, "read: connection reset by peer", FailurePhase::read, os_error(ECONNRESET));
}

// Pings are due on multiples of this.
constexpr Duration kPingBeat = Duration(seconds(30)) / 128;

// A station under a virtual clock.
struct Station {
  const Settings settings;
  Random random{42};
  TimePoint now = TimePoint() + hours(1000);
  WebSocketClient client;
  int matched = 0;                     // pongs
  std::optional<Duration> round_trip;  // of the last pong

  explicit Station(Settings s = defaults()) : settings(std::move(s)), client(settings) {}

  std::string start() { return words(client.start(now)); }
  std::string fail(Failure failure = refused()) {
    return words(client.attempt_failed(now, random, std::move(failure)));
  }
  std::string open() { return words(client.opened(now, random)); }
  std::string lose(Failure failure = reset()) { return words(client.lost(now, random, std::move(failure))); }
  std::string disconnect(Duration limit = seconds(5)) { return words(client.disconnect(now, limit)); }
  std::string reconfigure(const Settings& changed, WebSocketClient::Change change, Duration limit = seconds(5)) {
    return words(client.reconfigure(now, changed, change, limit));
  }
  std::string tick() { return words(client.tick(now, random)); }
  Duration wait() const { return client.deadline() - now; }
  void pass(Duration time) { now += time; }

  // Goes to the deadline; nothing may happen before.
  std::string next() {
    REQUIRE(client.deadline() != kNever);
    REQUIRE(client.deadline() >= now);
    now = client.deadline() - Duration(1);
    REQUIRE(client.tick(now, random).size() == 0);
    pass(Duration(1));
    return tick();
  }
  // Goes to the deadline, where a ping is due, and returns its nonce.
  std::uint64_t next_ping() {
    now = std::max(now, client.deadline());
    const Actions actions = client.tick(now, random);
    REQUIRE(words(actions) == "ping");
    return actions[0].nonce;
  }
  void answer(std::uint64_t nonce) {
    client.received(now);
    const WebSocketClient::Pong pong = client.pong(now, nonce);
    if (pong.is_matched) ++matched;
    round_trip = pong.round_trip;
  }
  // Whatever comes now must change nothing.
  void expect_nothing_more() {
    CHECK(client.finished());
    const State state = client.state();
    const cwire_status status = client.last_failure().status;
    for (int round = 0; round < 2; ++round) {
      CHECK(client.deadline() == kNever);
      CHECK(start().empty());
      CHECK(fail().empty());
      CHECK(open().empty());
      CHECK(lose().empty());
      CHECK(disconnect().empty());
      CHECK(disconnect(seconds(0)).empty());
      CHECK(tick().empty());
      CHECK(!client.pong(now, 1).is_matched);
      client.ping_left(now);
      client.received(now);
      client.queued();
      client.dialing(now);
      client.upgrading(now);
      client.redirected();
      client.network_up(now);
      client.after_suspend();
      client.write_blocked(now, true);
      client.reading_paused(now, true);
      client.describe_attempt("resolving", FailurePhase::tcp);
      pass(hours(1));
    }
    CHECK(client.state() == state);
    CHECK(client.last_failure().status == status);
    CHECK(client.deadline() == kNever);
  }
};

struct Connected : Station {
  explicit Connected(Settings s = defaults()) : Station(std::move(s)) {
    start();
    open();
  }
};

}  // namespace

// ---- The states --------------------------------------------------------------------------------------------------

TEST_CASE("A station begins disconnected and waits for nothing", "[web_socket_client]") {
  Station station;
  CHECK(station.client.state() == State::disconnected);
  CHECK(station.client.deadline() == kNever);
  CHECK_FALSE(station.client.finished());
  CHECK_FALSE(station.client.closing());
  CHECK(station.tick().empty());
  CHECK(station.fail().empty());
  CHECK(station.open().empty());
  CHECK(station.lose().empty());
}

TEST_CASE("disconnected to connecting: start begins the first attempt, once", "[web_socket_client]") {
  Station station;
  CHECK(station.start() == "disconnected>connecting, attempt 1");
  CHECK(station.client.state() == State::connecting);
  CHECK(station.client.attempts() == 1);
  CHECK(station.wait() == seconds(30));
  CHECK(station.start().empty());
}

TEST_CASE("An attempt that had to wait to be dialled has all of its time from then on", "[web_socket_client]") {
  Station station;
  station.client.dialing(station.now);  // nothing was asked for
  CHECK(station.client.deadline() == kNever);
  station.start();
  station.pass(seconds(20));
  station.client.dialing(station.now);
  CHECK(station.wait() == seconds(30));
  station.open();
  const TimePoint deadline = station.client.deadline();
  station.client.dialing(station.now);
  CHECK(station.client.deadline() == deadline);
}

TEST_CASE("connecting to connected: the first connection, reported after the state", "[web_socket_client]") {
  Station station;
  station.start();
  CHECK(station.open() == "connecting>connected, report connected 1");
  CHECK(station.client.state() == State::connected);
  CHECK(station.client.connections() == 1);
  CHECK(station.open().empty());
  CHECK(station.fail().empty());
}

TEST_CASE("connecting to reconnecting: a failed first connect keeps the station and tries again",
          "[web_socket_client][go]") {
  Station station;
  station.start();
  CHECK(station.fail() == "report error 1 retry in 5000ms, connecting>reconnecting");
  CHECK(station.client.state() == State::reconnecting);
  CHECK(station.client.last_failure().status == CWIRE_E_DIAL);
  CHECK(station.client.last_failure().code.number == ECONNREFUSED);
  CHECK(station.wait() == seconds(5));
  CHECK(station.next() == "attempt 2");
  CHECK(station.client.state() == State::reconnecting);
}

TEST_CASE("reconnecting to connected: after any number of failed attempts", "[web_socket_client]") {
  Station station;
  station.start();
  for (int n = 1; n <= 50; ++n) {
    const std::string report = "report error " + std::to_string(n) + " retry in ";
    CHECK(station.fail().compare(0, report.size(), report) == 0);
    CHECK(station.next() == "attempt " + std::to_string(n + 1));
  }
  CHECK(station.open() == "reconnecting>connected, report connected 1");
  CHECK(station.client.attempts() == 51);
}

TEST_CASE("connected to reconnecting: a lost connection is reported once and tried again", "[web_socket_client]") {
  Connected station;
  CHECK(station.lose() == "report disconnected 1 retry in 5000ms, connected>reconnecting");
  CHECK(station.client.last_failure().status == CWIRE_E_READ);
  CHECK(station.client.last_failure().message == "read: connection reset by peer");
  CHECK(station.next() == "attempt 2");
  CHECK(station.open() == "reconnecting>connected, report connected 2");
  CHECK(station.client.connections() == 2);
}

TEST_CASE("A clean close by the peer is not final, whatever its code", "[web_socket_client]") {
  for (int code : {1000, 1001, 1005, 4000}) {
    Connected station;
    CHECK(station.lose(Failure(CWIRE_OK, "closed by the peer with " + std::to_string(code), FailurePhase::peer,
                               close_code(static_cast<std::uint16_t>(code)))) ==
          "report disconnected 1 retry in 5000ms, connected>reconnecting");
    CHECK(station.client.last_failure().status == CWIRE_E_CLOSED);
    CHECK(station.client.last_failure().code.number == code);
    CHECK(station.client.last_failure().message == "closed by the peer with " + std::to_string(code));
    CHECK(station.next() == "attempt 2");
  }
  Connected station;
  station.lose(Failure());
  CHECK(station.client.last_failure().message == "closed: the peer ended the connection");
}

TEST_CASE("reconnecting to error: the last of N failed attempts ends the station", "[web_socket_client]") {
  Station station(with([](Settings& s) { s.reconnect.attempts_max = 3; }));
  station.start();
  CHECK(station.fail() == "report error 1 retry in 5000ms, connecting>reconnecting");
  station.next();
  CHECK(station.fail() == "report error 2 retry in 10000ms");
  station.next();
  CHECK(station.fail() == "report error 3, reconnecting>error, report closed");
  CHECK(station.client.last_failure().status == CWIRE_E_DIAL);
  station.expect_nothing_more();
}

TEST_CASE("connecting to error: a single attempt is allowed and fails", "[web_socket_client]") {
  Station station(with([](Settings& s) { s.reconnect.attempts_max = 1; }));
  station.start();
  CHECK(station.fail() == "report error 1, connecting>error, report closed");
  station.expect_nothing_more();
}

TEST_CASE("An attempt that times out as the last one is destroyed first", "[web_socket_client]") {
  Station station(with([](Settings& s) { s.reconnect.attempts_max = 1; }));
  station.start();
  CHECK(station.next() == "abandon, report error 1, connecting>error, report closed");
  station.expect_nothing_more();
}

TEST_CASE("An established connection begins a new count of attempts, however short it was", "[web_socket_client]") {
  Station station(with([](Settings& s) { s.reconnect.attempts_max = 2; }));
  station.start();
  station.fail();
  station.next();
  station.open();
  station.lose();
  station.next();
  CHECK(station.fail() == "report error 1 retry in 20000ms");  // but its short life does not start the waits over
  station.next();
  CHECK(station.fail() == "report error 2, reconnecting>error, report closed");
}

TEST_CASE("Without a limit the station never gives up", "[web_socket_client]") {
  Station station;
  station.start();
  for (int n = 0; n < 10000; ++n) {
    REQUIRE_FALSE(station.fail().empty());
    REQUIRE_FALSE(station.next().empty());
  }
  CHECK(station.client.attempts() == 10001);
  CHECK(station.client.state() == State::reconnecting);
}

// ---- Disconnect, in every state ----------------------------------------------------------------------------------

TEST_CASE("Disconnect before start closes, and start does nothing afterwards", "[web_socket_client]") {
  Station station;
  CHECK(station.disconnect() == "disconnected>closed, report closed");
  CHECK(station.client.last_failure().status == CWIRE_OK);
  station.expect_nothing_more();
}

TEST_CASE("Disconnect while connecting abandons the attempt at once", "[web_socket_client]") {
  Station station;
  station.start();
  CHECK(station.disconnect() == "abandon, connecting>closed, report closed");
  CHECK(station.client.last_failure().status == CWIRE_OK);
  station.expect_nothing_more();
}

TEST_CASE("Disconnect during the back-off takes effect at once", "[web_socket_client][go]") {
  Station station;
  station.start();
  station.fail();
  station.pass(seconds(1));
  CHECK(station.disconnect() == "reconnecting>closed, report closed");
  CHECK(station.client.last_failure().status == CWIRE_OK);
  station.expect_nothing_more();
}

TEST_CASE("Disconnect during a later attempt abandons it at once", "[web_socket_client]") {
  Station station;
  station.start();
  station.fail();
  station.next();
  CHECK(station.disconnect() == "abandon, reconnecting>closed, report closed");
  station.expect_nothing_more();
}

TEST_CASE("Disconnect while connected closes in order and never reconnects", "[web_socket_client]") {
  Connected station;
  CHECK(station.disconnect(seconds(5)) == "close, connected>disconnected");
  CHECK(station.client.state() == State::disconnected);
  CHECK(station.client.closing());
  CHECK_FALSE(station.client.finished());
  CHECK(station.wait() == seconds(5));
  station.pass(seconds(1));
  CHECK(station.lose(Failure(CWIRE_OK, "closed with 1000", FailurePhase::peer, close_code(1000))) ==
        "report disconnected 1, disconnected>closed, report closed");
  CHECK(station.client.last_failure().status == CWIRE_OK);
  CHECK(station.client.last_failure().code.number == 1000);
  CHECK_FALSE(station.client.closing());
  station.expect_nothing_more();
}

TEST_CASE("A transport that fails while closing is still a disconnect by request", "[web_socket_client]") {
  Connected station;
  station.disconnect();
  CHECK(station.lose() == "report disconnected 1, disconnected>closed, report closed");
  CHECK(station.client.last_failure().status == CWIRE_OK);
  CHECK(station.client.last_failure().code.number == 1006);
  CHECK(station.client.last_failure().message ==
        "closed by request, but without a complete close handshake: read: connection reset by peer");
  station.expect_nothing_more();
}

TEST_CASE("A peer that does not answer the close is left when time is up", "[web_socket_client]") {
  Connected station;
  station.disconnect(seconds(5));
  CHECK(station.next() == "abandon, report disconnected 1, disconnected>closed, report closed");
  CHECK(station.client.last_failure().status == CWIRE_OK);
  CHECK(station.client.last_failure().code.number == 1006);
  station.expect_nothing_more();
}

TEST_CASE("Disconnect without a time limit does all at once", "[web_socket_client]") {
  for (Duration limit : {Duration(0), Duration(-1), Duration::min()}) {
    Connected station;
    CHECK(station.disconnect(limit) ==
          "close, connected>disconnected, abandon, report disconnected 1, disconnected>closed, report closed");
    CHECK(station.client.last_failure().status == CWIRE_OK);
    station.expect_nothing_more();
  }
}

TEST_CASE("A second disconnect shortens the time limit but never lengthens it", "[web_socket_client]") {
  Connected station;
  station.disconnect(seconds(60));
  const TimePoint begun = station.now;
  station.pass(seconds(1));
  CHECK(station.disconnect(seconds(90)).empty());
  CHECK(station.client.deadline() == begun + seconds(60));
  CHECK(station.disconnect(Duration::max()).empty());
  CHECK(station.client.deadline() == begun + seconds(60));
  CHECK(station.disconnect(seconds(3)).empty());
  CHECK(station.client.deadline() == begun + seconds(4));
  CHECK(station.disconnect(seconds(0)) == "abandon, report disconnected 1, disconnected>closed, report closed");
  station.expect_nothing_more();
}

TEST_CASE("A disconnect may wait for the peer without end", "[web_socket_client]") {
  Connected station;
  station.disconnect(Duration::max());
  CHECK(station.client.deadline() == kNever);
  station.pass(hours(10000));
  CHECK(station.tick().empty());
  CHECK(station.disconnect(seconds(1)).empty());
  CHECK(station.next() == "abandon, report disconnected 1, disconnected>closed, report closed");
}

TEST_CASE("While closing neither pings nor the timeouts of an open connection count", "[web_socket_client]") {
  Connected station;
  station.client.write_blocked(station.now, true);
  station.disconnect(hours(1));
  CHECK(station.wait() == hours(1));
  station.pass(minutes(59));
  CHECK(station.tick().empty());
}

// ---- The connection timeout --------------------------------------------------------------------------------------

TEST_CASE("An attempt has the connection timeout from its beginning, and nothing defers it", "[web_socket_client]") {
  Station station;
  station.start();
  const TimePoint begun = station.now;
  for (int n = 0; n < 29; ++n) {
    station.pass(seconds(1));
    station.client.received(station.now);
    station.client.write_progress(station.now);
    station.client.describe_attempt("resolving csms.example", FailurePhase::tcp);
    CHECK(station.tick().empty());
    CHECK(station.client.deadline() == begun + seconds(30));
  }
  CHECK(station.next() == "abandon, report error 1 retry in 5000ms, connecting>reconnecting");
  CHECK(station.now == begun + seconds(30));
  CHECK(station.wait() == seconds(5));
  CHECK(station.open().empty());  // too late
  CHECK(station.fail().empty());
  CHECK(station.next() == "attempt 2");
  CHECK(station.wait() == seconds(30));
}

TEST_CASE("A connection timeout says what the attempt was doing", "[web_socket_client]") {
  Station station(with([](Settings& s) { s.connection_timeout = milliseconds(1500); }));
  station.start();
  station.client.describe_attempt("resolving csms.example", FailurePhase::tcp);
  station.next();
  CHECK(station.client.last_failure().status == CWIRE_E_DIAL);
  CHECK(station.client.last_failure().code.number == ETIMEDOUT);
  CHECK(station.client.last_failure().message ==
        "dial: timed out after 1500ms while resolving csms.example; "
        "check the way to the CSMS, or raise csms.connection_timeout");

  station.next();
  station.client.describe_attempt("connecting to [::1]:80", FailurePhase::tcp);
  station.client.describe_attempt("shaking hands with csms.example", FailurePhase::tls);
  station.next();
  CHECK(station.client.last_failure().status == CWIRE_E_TLS);
  CHECK(station.client.last_failure().phase == FailurePhase::tls);
  CHECK(station.client.last_failure().code.number == ETIMEDOUT);
  CHECK(station.client.last_failure().message.find("TLS: timed out after 1500ms while shaking hands") == 0);

  station.next();
  station.client.describe_attempt("waiting for the answer to the upgrade", FailurePhase::http);
  station.next();
  CHECK(station.client.last_failure().status == CWIRE_E_HANDSHAKE);
  CHECK(station.client.last_failure().message.find("handshake: timed out after 1500ms while waiting") == 0);

  // What an earlier attempt did is forgotten.
  station.client.describe_attempt("told too late", FailurePhase::tls);
  station.next();
  station.next();
  CHECK(station.client.last_failure().status == CWIRE_E_DIAL);
  CHECK(station.client.last_failure().message ==
        "dial: timed out after 1500ms; check the way to the CSMS, or raise csms.connection_timeout");
}

TEST_CASE("What this machine lacks counts as no attempt, and is reported all the same", "[web_socket_client]") {
  Station station(with([](Settings& s) { s.reconnect.attempts_max = 2; }));
  station.start();
  const Failure no_descriptor(CWIRE_E_DIAL, "dial: no descriptors", FailurePhase::tcp, os_error(EMFILE));
  for (int i = 0; i < 20; ++i) {
    CHECK(station.fail(no_descriptor).find("report error 0 retry in ") == 0);
    CHECK(station.client.state() == State::reconnecting);
    CHECK(station.wait() <= seconds(36));
    station.next();
  }
  CHECK(station.fail().find("report error 1 retry in 5000ms") == 0);
  station.next();
  CHECK(station.fail() == "report error 2, reconnecting>error, report closed");
}

TEST_CASE("The network's return ends a wait at once, but not before the policy's minimum", "[web_socket_client]") {
  Station station(with([](Settings& s) {
    s.reconnect.policy = ReconnectPolicyKind::full;  // its minimum is a tenth of the base: 500 ms
    s.reconnect.backoff_max = hours(1);
  }));
  station.start();
  while (station.client.deadline() < station.now + minutes(5)) {
    station.fail();
    if (station.wait() < minutes(5)) station.next();
  }
  station.client.network_up(station.now + milliseconds(100));
  CHECK(station.wait() == milliseconds(500));

  station.next();
  station.fail();
  while (station.wait() < minutes(5)) {
    station.next();
    station.fail();
  }
  station.pass(minutes(4));
  station.client.network_up(station.now);
  CHECK(station.wait() == Duration::zero());
  CHECK(station.tick().find("attempt ") == 0);
  // Nothing to shorten: an attempt keeps its time.
  const TimePoint deadline = station.client.deadline();
  station.client.network_up(station.now);
  CHECK(station.client.deadline() == deadline);
}

TEST_CASE("The network's return shortens no wait that the CSMS asked for", "[web_socket_client]") {
  Station station;
  station.start();
  Failure busy = answered_503();
  busy.retry_after_s = 100;
  station.fail(busy);
  station.client.network_up(station.now);
  CHECK(station.wait() >= seconds(100));
  station.next();
  station.fail(Failure(CWIRE_E_AUTH, "401", FailurePhase::http, http_status(401)));
  const Duration wait = station.wait();
  CHECK(wait > Duration::zero());
  station.client.network_up(station.now);
  CHECK(station.wait() == wait);
}

TEST_CASE("The answer to the upgrade has a limit of its own within that of the attempt", "[web_socket_client]") {
  Station station(with([](Settings& s) { s.upgrade_timeout = seconds(10); }));
  station.start();
  station.pass(seconds(8));
  station.client.upgrading(station.now);
  CHECK(station.wait() == seconds(10));
  station.client.describe_attempt("waiting for the answer", FailurePhase::http);
  // A server that was reached and slow is not asked again sooner than it took to fail: 18 s.
  CHECK(station.next().find("abandon, report error 1 retry in 18") == 0);
  CHECK(station.client.last_failure().status == CWIRE_E_HANDSHAKE);
  CHECK(station.client.last_failure().message ==
        "handshake: timed out after 10s while waiting for the answer; "
        "check the way to the CSMS, or raise csms.upgrade_timeout");

  // What is left of the attempt's time limits it as well, and the next attempt begins without.
  station.next();
  CHECK(station.wait() == seconds(30));
  station.pass(seconds(25));
  station.client.upgrading(station.now);
  CHECK(station.wait() == seconds(5));
  station.next();
  CHECK(station.client.last_failure().message.find("raise csms.connection_timeout") != std::string::npos);

  // It does nothing to anybody else.
  station.client.upgrading(station.now);
  CHECK(station.wait() == seconds(10));
  station.next();
  station.open();
  const TimePoint deadline = station.client.deadline();
  station.client.upgrading(station.now);
  CHECK(station.client.deadline() == deadline);
}

TEST_CASE("An attempt that is sent elsewhere goes on within its time", "[web_socket_client]") {
  Station station(with([](Settings& s) { s.upgrade_timeout = seconds(10); }));
  station.start();
  station.pass(seconds(12));
  station.client.upgrading(station.now);
  CHECK(station.wait() == seconds(10));
  station.pass(seconds(1));
  station.client.redirected();
  CHECK(station.wait() == seconds(17));
  station.client.upgrading(station.now);
  CHECK(station.wait() == seconds(10));
  station.pass(seconds(9));
  station.client.redirected();
  station.client.upgrading(station.now);
  CHECK(station.next() == "abandon, report error 1 retry in 5000ms, connecting>reconnecting");
  CHECK(station.client.last_failure().message.find("csms.connection_timeout") != std::string::npos);
  station.client.redirected();  // too late
  CHECK(station.wait() == seconds(5));
}

// ---- New settings ------------------------------------------------------------------------------------------------

namespace {
constexpr WebSocketClient::Change kOfAttempts{true, false};
constexpr WebSocketClient::Change kReconnect{false, true};
constexpr WebSocketClient::Change kOfAttemptsAtOnce{true, true};
}  // namespace

TEST_CASE("New settings leave a connection alone and are those of the next attempt", "[web_socket_client]") {
  const Settings slower = with([](Settings& s) { s.connection_timeout = seconds(70); });
  Connected station;
  CHECK(station.reconfigure(slower, kOfAttempts).empty());
  CHECK(station.client.state() == State::connected);
  station.lose();
  CHECK(station.wait() == seconds(5));
  CHECK(station.next() == "attempt 2");
  CHECK(station.wait() == seconds(70));
}

TEST_CASE("An attempt under way keeps the time it was begun with", "[web_socket_client]") {
  const Settings quicker = with([](Settings& s) {
    s.connection_timeout = seconds(3);
    s.upgrade_timeout = seconds(1);
  });
  Station station;
  station.start();
  CHECK(station.reconfigure(quicker, kOfAttempts).empty());
  station.client.upgrading(station.now);
  CHECK(station.wait() == seconds(30));
  CHECK(station.next() == "abandon, report error 1 retry in 5000ms, connecting>reconnecting");
  CHECK(station.client.last_failure().message.find("30s") != std::string::npos);
}

TEST_CASE("A connection that was given no time to end does not leave its blocked output to the next",
          "[web_socket_client]") {
  Connected station;
  const Actions actions = station.client.reconfigure(station.now, station.settings, kReconnect, Duration(0));
  REQUIRE(actions[0].type == Action::Type::close);
  station.client.write_blocked(station.now, true);  // the driver, that carries out the first of them
  station.open();
  CHECK(station.wait() > seconds(20));
}

TEST_CASE("A01: connecting again closes in order, reports one disconnect, and begins the next attempt at once",
          "[web_socket_client]") {
  const Settings changed = defaults();
  Connected station;
  station.pass(seconds(3));
  CHECK(station.reconfigure(changed, kOfAttemptsAtOnce) == "close, connected>reconnecting");
  CHECK(station.client.closing());
  CHECK(station.wait() == seconds(5));
  SECTION("when the peer has answered the close frame") {
    CHECK(station.lose(Failure()) == "report disconnected 1 retry in 0ms, attempt 2");
    CHECK(station.client.last_failure().status == CWIRE_OK);
  }
  SECTION("when the peer hangs up instead") {
    CHECK(station.lose() == "report disconnected 1 retry in 0ms, attempt 2");
    CHECK(station.client.last_failure().status == CWIRE_OK);
  }
  SECTION("when time is up") {
    CHECK(station.next() == "abandon, report disconnected 1 retry in 0ms, attempt 2");
    CHECK(station.client.last_failure().status == CWIRE_OK);
  }
  CHECK(station.wait() == seconds(30));
  CHECK(station.open() == "reconnecting>connected, report connected 2");
  CHECK(station.disconnect() == "close, connected>disconnected");
  CHECK(station.lose(Failure()) == "report disconnected 2, disconnected>closed, report closed");
}

TEST_CASE("Connecting again without time for a close does all at once", "[web_socket_client]") {
  Connected station;
  CHECK(station.reconfigure(station.settings, kReconnect, Duration(0)) ==
        "close, connected>reconnecting, abandon, report disconnected 1 retry in 0ms, attempt 2");
}

TEST_CASE("A disconnect while closing to connect again is the end", "[web_socket_client]") {
  Connected station;
  station.reconfigure(station.settings, kReconnect);
  CHECK(station.disconnect(seconds(2)) == "reconnecting>disconnected");
  CHECK(station.wait() == seconds(2));
  CHECK(station.reconfigure(station.settings, kOfAttemptsAtOnce).empty());  // too late
  CHECK(station.lose(Failure()) == "report disconnected 1, disconnected>closed, report closed");
  station.expect_nothing_more();
}

TEST_CASE("Connecting again twice is once", "[web_socket_client]") {
  const Settings second = with([](Settings& s) { s.connection_timeout = seconds(7); });
  Connected station;
  station.reconfigure(station.settings, kReconnect);
  CHECK(station.reconfigure(second, kOfAttemptsAtOnce).empty());
  CHECK(station.lose(Failure()) == "report disconnected 1 retry in 0ms, attempt 2");
  CHECK(station.wait() == seconds(7));
}

TEST_CASE("New credentials end the wait after a refusal at once, whatever the policy's minimum",
          "[web_socket_client]") {
  Station station;
  station.start();
  for (int refusals = 0; refusals < 3; ++refusals) {
    station.fail(answered_401());
    station.next();
  }
  station.fail(answered_401());
  CHECK(station.wait() >= 8 * seconds(48));
  CHECK(station.reconfigure(station.settings, {}).empty());  // another ping interval, say
  CHECK(station.wait() >= 8 * seconds(48));
  CHECK(station.reconfigure(station.settings, kOfAttempts) == "attempt 5");
  // And if these are wrong as well, it is the first refusal of theirs.
  const Actions actions = station.client.attempt_failed(station.now, station.random, answered_401());
  REQUIRE(actions.size() == 1);
  CHECK(actions[0].number == 1);
  CHECK_FALSE(actions[0].needs_action);
  CHECK(station.wait() >= seconds(48));
  CHECK(station.wait() <= seconds(72));
}

TEST_CASE("A refusal of the old credentials does not make the new ones wait", "[web_socket_client]") {
  Station station(with([](Settings& s) { s.reconnect.attempts_max = 1; }));
  station.start();
  CHECK(station.reconfigure(station.settings, kOfAttempts).empty());
  CHECK(station.fail(answered_401()) == "report error 1 retry in 0ms, connecting>reconnecting");
  CHECK(station.tick() == "attempt 2");
  CHECK(station.fail(answered_401()) == "report error 1, reconnecting>error, report closed");
}

TEST_CASE("Settings that were put back while the attempt ran are not new", "[web_socket_client]") {
  Station station;
  station.start();
  station.reconfigure(station.settings, kOfAttempts);
  station.reconfigure(station.settings, {});
  station.fail(answered_401());
  CHECK(station.wait() >= seconds(48));
}

TEST_CASE("Nobody hurries to a network that is down because the password changed, unless told to",
          "[web_socket_client]") {
  Station station;
  station.start();
  for (int failures = 0; failures < 3; ++failures) {
    station.fail();
    station.next();
  }
  station.fail();
  CHECK(station.wait() == seconds(40));
  CHECK(station.reconfigure(station.settings, kOfAttempts).empty());
  CHECK(station.wait() == seconds(40));
  SECTION("the waits begin anew") {
    station.next();
    station.fail();
    CHECK(station.wait() == seconds(5));
  }
  SECTION("told to, it does") { CHECK(station.reconfigure(station.settings, kReconnect) == "attempt 5"); }
}

TEST_CASE("An attempt with the old settings gives way to one with the new, if there is a hurry",
          "[web_socket_client]") {
  Station station;
  station.start();
  CHECK(station.reconfigure(station.settings, kReconnect).empty());  // it is one already
  CHECK(station.reconfigure(station.settings, kOfAttemptsAtOnce) == "abandon, attempt 2");
  CHECK(station.client.state() == State::connecting);
  CHECK(station.open() == "connecting>connected, report connected 1");
}

TEST_CASE("An attempt that waits for its turn takes new settings without hurry", "[web_socket_client]") {
  Station station;
  station.start();
  station.client.queued();
  CHECK(station.reconfigure(station.settings, {}).empty());
  CHECK(station.reconfigure(station.settings, kOfAttempts) == "abandon, attempt 2");
  station.client.queued();
  station.client.dialing(station.now);
  // Now it lives, and is left alone.
  CHECK(station.reconfigure(station.settings, kOfAttempts).empty());
}

TEST_CASE("New settings before the start and after the end are harmless", "[web_socket_client]") {
  Station station;
  CHECK(station.reconfigure(station.settings, kOfAttemptsAtOnce).empty());
  CHECK(station.start() == "disconnected>connecting, attempt 1");
  station.disconnect();
  CHECK(station.reconfigure(station.settings, kOfAttemptsAtOnce).empty());
  station.expect_nothing_more();
}

// ---- Waiting -----------------------------------------------------------------------------------------------------

TEST_CASE("Failed attempts wait longer each time, up to the cap", "[web_socket_client]") {
  Station station;
  station.start();
  for (int expected : {5, 10, 20, 40, 60, 60, 60}) {
    station.fail();
    CHECK(station.wait() == seconds(expected));
    station.next();
  }
}

TEST_CASE("Accepting and closing again still backs off", "[web_socket_client]") {
  Connected station;
  for (int expected : {5, 10, 20, 40, 60, 60}) {
    station.pass(milliseconds(100));
    station.lose();
    CHECK(station.wait() == seconds(expected));
    station.next();
    CHECK_FALSE(station.open().empty());
  }
  station.pass(milliseconds(29999));
  station.client.received(station.now);
  station.lose();
  CHECK(station.wait() == seconds(60));
  station.next();
  station.pass(seconds(20));  // connecting is no part of having been stable
  station.open();
  station.pass(seconds(20));
  station.lose();
  CHECK(station.wait() == seconds(60));
  station.next();
  station.open();
  station.pass(seconds(30));
  station.lose();
  CHECK(station.wait() == seconds(5));  // it had been stable
}

TEST_CASE("RetryBackOff starts over with each established connection", "[web_socket_client]") {
  Connected station(with([](Settings& s) { s.reconnect.policy = ReconnectPolicyKind::ocpp; }));
  station.lose();
  for (int expected : {10, 20, 40, 80, 80}) {
    CHECK(station.wait() == seconds(expected));
    station.next();
    station.fail();
  }
  station.next();
  station.open();
  station.lose();
  CHECK(station.wait() == seconds(10));
}

TEST_CASE("TC_B_57: a CSMS measures at least WaitMinimum, then at least twice what it measured before",
          "[web_socket_client]") {
  // Between the CSMS's refusal and our next request lie the way to us, our wait, a late timer, and the way back.
  for (int latency_ms : {0, 1, 80, 900}) {
    Settings settings = defaults();
    settings.reconnect.policy = ReconnectPolicyKind::ocpp;
    settings.reconnect.repeat_times = 2;
    Connected station(settings);
    const Duration latency = milliseconds(latency_ms);
    Random random(static_cast<unsigned>(latency_ms) + 1);
    Duration before{};
    TimePoint refused_at = station.now;  // at the CSMS, which closes the open connection
    for (int attempt = 1; attempt <= 3; ++attempt) {
      station.now = refused_at + latency;
      if (attempt == 1) {
        station.lose(Failure(CWIRE_OK, "", FailurePhase::peer, close_code(1000)));
      } else {
        station.fail(answered_503());
      }
      station.now = station.client.deadline() + milliseconds(random() % 50);
      REQUIRE(station.tick() == "attempt " + std::to_string(attempt + 1));
      const TimePoint requested_at = station.now + latency;
      const Duration measured = requested_at - refused_at;
      CHECK(measured >= seconds(10));
      CHECK(measured >= 2 * before);
      CHECK(measured <= seconds(10) * (1 << (attempt - 1)) + (1 << attempt) * (4 * latency + milliseconds(100)));
      before = measured;
      refused_at = requested_at;
    }
  }
}

TEST_CASE("The time of an attempt that never reached the CSMS does not lengthen RetryBackOff", "[web_socket_client]") {
  Station station(with([](Settings& s) { s.reconnect.policy = ReconnectPolicyKind::ocpp; }));
  station.start();
  for (int expected : {10, 20, 40, 80}) {
    if (expected == 40) {
      CHECK(station.next().find("abandon") == 0);  // timed out after 30 s
    } else {
      station.pass(seconds(20));
      station.fail(Failure(CWIRE_E_DIAL, "dial: no route to host", FailurePhase::tcp, os_error(EHOSTUNREACH)));
    }
    CHECK(station.wait() == seconds(expected));
    station.next();
  }
}

// ---- Keepalive ---------------------------------------------------------------------------------------------------

TEST_CASE("A ping is due an interval after the last byte, or the last ping, give or take a tenth",
          "[web_socket_client]") {
  Connected station;
  const Duration earliest = seconds(27) - kPingBeat;
  CHECK(station.wait() >= earliest);
  CHECK(station.wait() <= seconds(33));
  station.pass(seconds(20));
  station.client.received(station.now);
  CHECK(station.wait() >= earliest);
  CHECK(station.wait() <= seconds(33));
  const std::uint64_t nonce = station.next_ping();
  CHECK(nonce != 0);
  station.answer(nonce);
  CHECK(station.wait() >= earliest);
  CHECK(station.wait() <= seconds(33));
}

TEST_CASE("Ping intervals spread over the whole of +-10 % and nonces never repeat", "[web_socket_client]") {
  Connected station;
  Random random(7);
  const double beat = std::chrono::duration<double>(kPingBeat).count();
  std::vector<double> waits;
  std::vector<std::uint64_t> nonces;
  for (int n = 0; n < 10000; ++n) {
    station.pass(Duration(random() % kPingBeat.count()));  // not all pings begin on a beat
    station.client.received(station.now);
    waits.push_back(std::chrono::duration<double>(station.wait()).count());
    nonces.push_back(station.next_ping());
    station.answer(nonces.back());
  }
  CHECK(*std::min_element(waits.begin(), waits.end()) >= 27 - beat - 0.001);
  CHECK(*std::max_element(waits.begin(), waits.end()) <= 33 + 0.001);
  CHECK(*std::min_element(waits.begin(), waits.end()) < 27);
  CHECK(*std::max_element(waits.begin(), waits.end()) > 32.9);
  std::sort(nonces.begin(), nonces.end());
  CHECK(std::unique(nonces.begin(), nonces.end()) == nonces.end());
  CHECK(nonces.front() != 0);
  CHECK(nonces.back() > (std::uint64_t(1) << 63));  // all 64 bits are used
}

TEST_CASE("Pings that are due at nearly the same time are due together, however many stations there are",
          "[web_socket_client]") {
  const Settings settings = defaults();
  std::set<TimePoint> wake_ups;
  for (unsigned seed = 0; seed < 10000; ++seed) {
    Random random(seed);
    WebSocketClient client(settings);
    const TimePoint now = TimePoint() + hours(1000) + milliseconds(seed);  // a fleet connects over ten seconds
    client.start(now);
    client.opened(now, random);
    wake_ups.insert(client.deadline());
    CHECK(client.deadline() > now + seconds(26));
    CHECK(client.deadline() <= now + seconds(33));
  }
  CHECK(wake_ups.size() <= 128);
}

TEST_CASE("An interval too short for shared wake-ups is kept to all the same", "[web_socket_client]") {
  Connected s(with([](Settings& settings) { settings.ping_interval = Duration(100); }));
  CHECK(s.wait() >= Duration(90));
  CHECK(s.wait() <= Duration(110));
  CHECK(s.next() == "ping");
}

TEST_CASE("An interval of 0 turns pings off", "[web_socket_client]") {
  Connected station(with([](Settings& s) {
    s.ping_interval = Duration(0);
    s.read_timeout = Duration(0);
  }));
  CHECK(station.client.deadline() == kNever);
  station.pass(hours(1000));
  CHECK(station.tick().empty());
}

TEST_CASE("The ping interval may change while connected", "[web_socket_client]") {
  const Settings without = with([](Settings& s) {
    s.read_timeout = Duration(0);
    s.ping_interval = Duration(0);
  });
  const Settings seldom = with([](Settings& s) {
    s.read_timeout = Duration(0);
    s.ping_interval = seconds(100);
  });
  Connected station(with([](Settings& s) { s.read_timeout = Duration(0); }));
  CHECK(station.reconfigure(without, {}).empty());
  CHECK(station.client.deadline() == kNever);
  CHECK(station.reconfigure(seldom, {}).empty());
  CHECK(station.wait() >= seconds(89));
  CHECK(station.wait() <= seconds(110));
  station.pass(seconds(85));
  CHECK(station.reconfigure(station.settings, {}).empty());
  CHECK(station.client.deadline() <= station.now);  // the shorter interval has passed already
  CHECK(station.tick() == "ping");
}

TEST_CASE("A matching pong ends the wait and gives the round trip", "[web_socket_client]") {
  Connected station;
  const std::uint64_t nonce = station.next_ping();
  CHECK(station.wait() == seconds(10));
  station.pass(milliseconds(123));
  station.answer(nonce);
  CHECK(station.round_trip == milliseconds(123));
  station.pass(seconds(10));
  CHECK(station.tick().empty());
  CHECK(station.client.state() == State::connected);
  station.answer(nonce);  // a second time: no longer asked for
  CHECK(station.matched == 1);
  CHECK(!station.round_trip);
}

TEST_CASE("The time of a ping is counted from when it left", "[web_socket_client]") {
  Connected station;
  const std::uint64_t nonce = station.next_ping();
  station.pass(seconds(9));  // behind a long message, or a handler that takes its time
  station.client.ping_left(station.now);
  CHECK(station.wait() == seconds(10));
  station.pass(milliseconds(50));
  station.answer(nonce);
  CHECK(station.round_trip == milliseconds(50));
  // Of none that is out nothing leaves.
  station.pass(seconds(20));
  const TimePoint due = station.client.deadline();
  station.client.ping_left(station.now);
  CHECK(station.client.deadline() == due);
}

TEST_CASE("A round trip that nobody knows the length of is none", "[web_socket_client]") {
  Connected station;
  SECTION("reading paused while the pong came") {
    const std::uint64_t nonce = station.next_ping();
    station.pass(milliseconds(10));
    station.client.reading_paused(station.now, true);
    station.pass(seconds(3));
    station.client.reading_paused(station.now, false);
    station.answer(nonce);
  }
  SECTION("the machine was suspended") {
    const std::uint64_t nonce = station.next_ping();
    station.pass(milliseconds(10));
    station.client.after_suspend();
    station.answer(nonce);
  }
  CHECK(station.matched == 1);
  CHECK(!station.round_trip);
  // The next one is known again.
  const std::uint64_t nonce = station.next_ping();
  station.pass(milliseconds(70));
  station.answer(nonce);
  CHECK(station.round_trip == milliseconds(70));
}

TEST_CASE("A pong that does not match counts for nothing", "[web_socket_client]") {
  Connected station;
  station.answer(0);  // unsolicited
  const std::uint64_t nonce = station.next_ping();
  const TimePoint sent = station.now;
  for (std::uint64_t wrong : {nonce + 1, nonce - 1, std::uint64_t(0), ~nonce, nonce >> 32}) {
    station.pass(seconds(1));
    station.answer(wrong);
    CHECK(station.client.deadline() == sent + seconds(10));
  }
  CHECK(station.matched == 0);
  CHECK(station.next() == "abandon, report disconnected 1 retry in 5000ms, connected>reconnecting");
  CHECK(station.now == sent + seconds(10));
}

TEST_CASE("A ping without an answer within the pong timeout loses the connection, and it is dialled again",
          "[web_socket_client][go]") {
  Connected station;
  station.next_ping();
  CHECK(station.next() == "abandon, report disconnected 1 retry in 5000ms, connected>reconnecting");
  CHECK(station.client.last_failure().status == CWIRE_E_PING_TIMEOUT);
  CHECK(station.client.last_failure().message.find("ping: no matching pong within 10s") == 0);
  CHECK(station.lose().empty());  // the driver's transport may well fail now: already reported
  CHECK(station.next() == "attempt 2");
  CHECK(station.open() == "reconnecting>connected, report connected 2");
  // The old ping is forgotten; the new connection has its own.
  CHECK(station.wait() >= seconds(27));
  station.answer(station.next_ping());
  CHECK(station.client.state() == State::connected);
}

TEST_CASE("A dead peer is noticed within an interval and the pong timeout", "[web_socket_client]") {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    Connected station;
    station.random.seed(seed);
    for (unsigned n = 0; n < seed % 5; ++n) station.answer(station.next_ping());
    const TimePoint died = station.now;
    while (station.client.state() == State::connected) {
      station.now = station.client.deadline();
      station.tick();
    }
    CHECK(station.now - died <= seconds(43));
  }
}

TEST_CASE("Traffic defers pings, but never beyond two intervals", "[web_socket_client]") {
  Connected station;
  const TimePoint begun = station.now;
  std::string seen;
  while (seen.empty()) {
    station.pass(milliseconds(500));
    station.client.received(station.now);
    seen = station.tick();
  }
  CHECK(seen == "ping");
  CHECK(station.now - begun >= seconds(54));
  CHECK(station.now - begun <= seconds(67));
  // The peer that talks but does not hear is found out.
  while (station.client.state() == State::connected) {
    station.pass(milliseconds(500));
    station.client.received(station.now);
    station.client.pong(station.now, 99);
    station.tick();
  }
  CHECK(station.client.last_failure().status == CWIRE_E_PING_TIMEOUT);
}

TEST_CASE("No ping is queued behind blocked output", "[web_socket_client]") {
  Connected station(with([](Settings& s) { s.read_timeout = Duration(0); }));
  station.client.write_blocked(station.now, true);
  for (int n = 0; n < 100; ++n) {
    station.pass(seconds(5));
    station.client.write_progress(station.now);
    CHECK(station.tick().empty());
    CHECK(station.wait() == seconds(10));
  }
  station.client.write_blocked(station.now, false);
  CHECK(station.tick() == "ping");  // long due
}

TEST_CASE("A ping that stands in blocked output cannot be overdue, and has all its time from when it leaves",
          "[web_socket_client]") {
  Connected station(with([](Settings& s) { s.write_timeout = seconds(20); }));
  const std::uint64_t nonce = station.next_ping();
  station.client.write_blocked(station.now, true);  // by what stands before it
  for (int n = 0; n < 100; ++n) {                   // and is taken slowly
    station.pass(seconds(5));
    station.client.write_progress(station.now);
    CHECK(station.tick().empty());
    CHECK(station.wait() == seconds(20));
  }
  station.client.ping_left(station.now);
  CHECK(station.wait() == seconds(10));  // whether or not something behind it still waits
  SECTION("it is answered") {
    station.client.write_blocked(station.now, false);
    station.pass(milliseconds(50));
    station.answer(nonce);
    CHECK(station.round_trip == milliseconds(50));
  }
  SECTION("it is not") {
    CHECK(station.next() == "abandon, report disconnected 1 retry in 5000ms, connected>reconnecting");
    CHECK(station.client.last_failure().status == CWIRE_E_PING_TIMEOUT);
  }
}

TEST_CASE("A ping that never leaves is a write that times out", "[web_socket_client]") {
  Connected station(with([](Settings& s) { s.write_timeout = seconds(20); }));
  station.next_ping();
  station.client.write_blocked(station.now, true);
  CHECK(station.wait() == seconds(20));
  CHECK(station.next() == "abandon, report disconnected 1 retry in 5000ms, connected>reconnecting");
  CHECK(station.client.last_failure().status == CWIRE_E_WRITE);
}

// ---- Read and write timeouts -------------------------------------------------------------------------------------

TEST_CASE("After a suspend a ping is due at once", "[web_socket_client]") {
  Connected station;
  station.pass(seconds(5));
  station.client.after_suspend();
  CHECK(station.client.deadline() <= station.now);
  const std::uint64_t nonce = station.next_ping();
  CHECK(station.wait() == seconds(10));  // for its pong
  SECTION("and the next at its interval again") {
    station.answer(nonce);
    CHECK(station.wait() >= seconds(27) - kPingBeat);
  }
  SECTION("and a connection that the peer has given up meanwhile is lost") {
    CHECK(station.next() == "abandon, report disconnected 1 retry in 5000ms, connected>reconnecting");
  }
  SECTION("and one that is under way already is enough") {
    station.pass(seconds(3));
    station.client.after_suspend();
    CHECK(station.wait() == seconds(7));
    station.answer(nonce);
    CHECK(station.client.deadline() <= station.now);  // that one may have been answered before
  }
}

TEST_CASE("What comes in after a suspend proves nothing of what goes out", "[web_socket_client]") {
  Connected station;
  station.pass(seconds(5));
  station.client.after_suspend();
  station.client.received(station.now);
  CHECK(station.client.deadline() <= station.now);
}

TEST_CASE("The ping after a suspend waits until it can be sent", "[web_socket_client]") {
  Connected station;
  station.client.write_blocked(station.now, true);
  station.client.after_suspend();
  CHECK(station.wait() == seconds(10));  // the write timeout
  station.pass(seconds(1));
  station.client.write_blocked(station.now, false);
  CHECK(station.client.deadline() <= station.now);
  CHECK(station.tick() == "ping");
}

TEST_CASE("A suspend is nothing to a station without a connection, or without pings", "[web_socket_client]") {
  Station station;
  station.client.after_suspend();
  CHECK(station.client.deadline() == kNever);
  station.start();
  station.fail();
  const TimePoint due = station.client.deadline();
  station.client.after_suspend();
  CHECK(station.client.deadline() == due);
  station.next();
  station.open();
  CHECK(station.wait() >= seconds(27) - kPingBeat);  // nothing is left of it
  Connected without(with([](Settings& s) {
    s.ping_interval = Duration(0);
    s.read_timeout = Duration(0);
  }));
  without.client.after_suspend();
  CHECK(without.client.deadline() == kNever);
}

TEST_CASE("Nothing received for the read timeout loses the connection", "[web_socket_client]") {
  Connected station(with([](Settings& s) { s.ping_interval = Duration(0); }));
  for (int n = 0; n < 10; ++n) {
    CHECK(station.wait() == seconds(60));
    station.pass(milliseconds(59999));
    CHECK(station.tick().empty());
    station.client.received(station.now);
  }
  CHECK(station.next() == "abandon, report disconnected 1 retry in 5000ms, connected>reconnecting");
  CHECK(station.client.last_failure().status == CWIRE_E_READ);
  CHECK(station.client.last_failure().code.number == ETIMEDOUT);
  CHECK(station.client.last_failure().message.find("read: nothing received for 60s") == 0);
  CHECK(station.next() == "attempt 2");
}

TEST_CASE("Who sends all that the line takes to a peer that only listens is not cut off", "[web_socket_client]") {
  Connected station;
  const auto send_without_end = [&] {
    station.client.write_blocked(station.now, true);
    for (int n = 0; n < 100; ++n) {
      station.pass(seconds(5));
      station.client.write_progress(station.now);
      CHECK(station.tick().empty());
    }
    station.client.write_blocked(station.now, false);
  };
  send_without_end();
  station.answer(station.next_ping());
  station.client.reading_paused(station.now, true);
  send_without_end();
  station.client.reading_paused(station.now, false);
  CHECK(station.wait() > seconds(0));
  CHECK(station.wait() <= seconds(60));
  station.next_ping();
  CHECK(station.next() == "abandon, report disconnected 1 retry in 5000ms, connected>reconnecting");
  CHECK(station.client.last_failure().status == CWIRE_E_PING_TIMEOUT);
}

TEST_CASE("Output that makes no progress for the write timeout loses the connection", "[web_socket_client]") {
  Connected station;
  station.pass(seconds(3));
  station.client.write_blocked(station.now, true);
  CHECK(station.wait() == seconds(10));
  station.pass(seconds(9));
  station.client.write_progress(station.now);
  CHECK(station.wait() == seconds(10));
  station.client.write_blocked(station.now, true);
  station.pass(seconds(9));
  station.client.write_blocked(station.now, true);  // still blocked is no progress
  CHECK(station.wait() == seconds(1));
  CHECK(station.next() == "abandon, report disconnected 1 retry in 5000ms, connected>reconnecting");
  CHECK(station.client.last_failure().status == CWIRE_E_WRITE);
  CHECK(station.client.last_failure().code.number == ETIMEDOUT);
  CHECK(station.client.last_failure().message.find("write: nothing could be written for 10s") == 0);
  CHECK(station.next() == "attempt 2");
  // The next connection begins unblocked.
  station.open();
  CHECK(station.wait() > seconds(20));
}

TEST_CASE("Output that flows again is no longer timed", "[web_socket_client]") {
  Connected station;
  station.client.write_blocked(station.now, true);
  station.pass(seconds(9));
  station.client.write_blocked(station.now, false);
  station.pass(seconds(9));
  CHECK(station.tick().empty());
  station.client.write_blocked(station.now, true);
  CHECK(station.wait() == seconds(10));
}

TEST_CASE("A limit of 0 is none", "[web_socket_client]") {
  Station station(with([](Settings& s) {
    s.connection_timeout = s.write_timeout = s.read_timeout = Duration(0);
    s.ping_interval = Duration(0);
  }));
  station.start();
  CHECK(station.client.deadline() == kNever);
  station.open();
  station.client.write_blocked(station.now, true);
  CHECK(station.client.deadline() == kNever);
}

TEST_CASE("The limit that passed first is the one that is named, however late the tick", "[web_socket_client]") {
  Connected station;
  station.next_ping();
  station.client.write_blocked(station.now, true);
  station.client.write_progress(station.now - seconds(1));
  station.pass(hours(1));
  station.tick();
  CHECK(station.client.last_failure().status == CWIRE_E_WRITE);
}

TEST_CASE("While we do not read, the peer is not blamed for silence", "[web_socket_client]") {
  Connected station;
  station.pass(seconds(20));
  station.client.received(station.now);
  const Duration rest = station.wait();
  station.pass(seconds(7));
  station.client.reading_paused(station.now, true);
  CHECK(station.client.deadline() == kNever);
  station.pass(hours(5));
  station.client.reading_paused(station.now, true);
  CHECK(station.tick().empty());
  station.client.reading_paused(station.now, false);
  CHECK(station.wait() == rest - seconds(7));

  // An outstanding ping keeps what was left of its time.
  std::uint64_t nonce = station.next_ping();
  station.pass(seconds(4));
  station.client.reading_paused(station.now, true);
  station.pass(hours(1));
  CHECK(station.tick().empty());
  station.client.reading_paused(station.now, false);
  CHECK(station.wait() == seconds(6));
  station.answer(nonce);
  CHECK(station.matched == 1);

  // Pauses again and again, as by a slow reader of other stations' events, do not hide a dead peer.
  nonce = station.next_ping();
  Duration listened{};
  while (station.client.state() == State::connected && listened < minutes(1)) {
    station.client.reading_paused(station.now, true);
    station.pass(seconds(3));
    station.tick();
    station.client.reading_paused(station.now, false);
    station.pass(seconds(1));
    listened += seconds(1);
    station.tick();
  }
  CHECK(listened == seconds(10));
  CHECK(station.client.last_failure().status == CWIRE_E_PING_TIMEOUT);
}

TEST_CASE("While we do not read, a stuck output still counts", "[web_socket_client]") {
  Connected station;
  station.client.reading_paused(station.now, true);
  station.client.write_blocked(station.now, true);
  CHECK(station.next() == "abandon, report disconnected 1 retry in 5000ms, connected>reconnecting");
  CHECK(station.client.last_failure().status == CWIRE_E_WRITE);
  // The next connection begins unpaused.
  station.next();
  station.open();
  CHECK(station.client.deadline() != kNever);
}

// ---- What the Go manager got wrong -------------------------------------------------------------------------------

TEST_CASE("A failed reconnect tries again: 5 attempts, doubling, then error", "[web_socket_client][go]") {
  Connected station(with([](Settings& s) {
    s.reconnect.attempts_max = 5;
    s.reconnect.backoff = seconds(10);
  }));
  station.pass(minutes(5));
  station.client.received(station.now);
  CHECK(station.lose() == "report disconnected 1 retry in 10000ms, connected>reconnecting");
  CHECK(station.next() == "attempt 2");
  CHECK(station.fail() == "report error 1 retry in 20000ms");
  CHECK(station.next() == "attempt 3");
  CHECK(station.fail() == "report error 2 retry in 40000ms");
  CHECK(station.next() == "attempt 4");
  CHECK(station.fail() == "report error 3 retry in 60000ms");
  CHECK(station.next() == "attempt 5");
  CHECK(station.fail() == "report error 4 retry in 60000ms");
  CHECK(station.next() == "attempt 6");
  CHECK(station.fail() == "report error 5, reconnecting>error, report closed");
  station.expect_nothing_more();
}

TEST_CASE("One lost connection yields one report and one new attempt, however often it is told",
          "[web_socket_client][go]") {
  Connected station;
  CHECK(station.lose() == "report disconnected 1 retry in 5000ms, connected>reconnecting");
  const TimePoint deadline = station.client.deadline();
  CHECK(station.lose().empty());
  CHECK(station.lose(Failure(CWIRE_E_WRITE, "write: broken pipe", FailurePhase::write, os_error(EPIPE))).empty());
  CHECK(station.client.last_failure().status == CWIRE_E_READ);
  CHECK(station.client.deadline() == deadline);
  CHECK(station.next() == "attempt 2");
  CHECK(station.tick().empty());
  CHECK(station.lose().empty());
  CHECK(station.client.attempts() == 2);
}

TEST_CASE("Nothing of an old connection is left in the next one", "[web_socket_client][go]") {
  Connected station;
  const std::uint64_t old = station.next_ping();
  station.client.write_blocked(station.now, true);
  station.client.reading_paused(station.now, true);
  station.lose();
  CHECK(station.wait() == seconds(5));  // no timer of the old connection
  station.next();
  station.open();
  station.answer(old);
  CHECK(station.matched == 0);
  CHECK(station.wait() >= seconds(27));
  CHECK(station.next_ping() != old);
}

TEST_CASE("Stations that lost the CSMS together come back apart", "[web_socket_client][go]") {
  Settings settings = defaults();
  settings.reconnect.jitter = 0.2;
  std::vector<Duration> waits;
  for (unsigned seed = 1; seed <= 1000; ++seed) {
    Connected station(settings);
    station.random.seed(seed * 7919);
    station.lose();
    waits.push_back(station.wait());
  }
  std::sort(waits.begin(), waits.end());
  CHECK(waits.front() >= seconds(4));
  CHECK(waits.back() <= seconds(6));
  CHECK(waits.back() - waits.front() > milliseconds(1900));
  CHECK(std::unique(waits.begin(), waits.end()) - waits.begin() > 990);
}

// ---- All together ------------------------------------------------------------------------------------------------

TEST_CASE("Twenty thousand stations fit: the state machine stays small", "[web_socket_client]") {
  CHECK(sizeof(WebSocketClient) <= 264);
}

TEST_CASE("The same seed gives the same life", "[web_socket_client]") {
  std::string lives[2];
  for (std::string& life : lives) {
    Settings settings = defaults();
    settings.reconnect.jitter = 0.2;
    settings.reconnect.policy = ReconnectPolicyKind::decorrelated;
    Station station(settings);
    life = station.start();
    for (int n = 0; n < 300; ++n) {
      const State state = station.client.state();
      if (n % 3 == 0 && state != State::connected) {
        life += station.open();
      } else if (n % 7 == 0) {
        life += state == State::connected ? station.lose() : station.fail();
      } else {
        station.now = station.client.deadline();
        life += station.tick();
      }
      life += "@" + std::to_string(station.now.time_since_epoch().count()) + " ";
    }
  }
  CHECK(lives[0] == lives[1]);
}

namespace {

// Does what the actions say and knows what must never happen.
class Witness {
 public:
  Witness(const WebSocketClient& client, const Settings& settings)
      : client_(client), settings_(settings), policy_(settings.reconnect) {}

  void watch(const Actions& actions, TimePoint now) {
    if (actions.size() != 0) REQUIRE(closed_ == 0);  // nothing after the end
    for (const Action& action : actions) {
      REQUIRE(closed_ == 0);
      switch (action.type) {
        case Action::Type::attempt:
          REQUIRE(transport_ == Transport::none);
          REQUIRE_FALSE(disconnected_by_request);
          REQUIRE(action.number == ++attempts_);
          if (ended_at_ != kNever && !hurried) REQUIRE(now - ended_at_ >= std::max(promised_, policy_.minimum()));
          hurried = false;
          transport_ = Transport::attempt;
          outdated = false;
          begun_at_ = now;
          break;
        case Action::Type::abandon:
          REQUIRE(transport_ != Transport::none);
          gone(now);
          break;
        case Action::Type::ping:
          REQUIRE(transport_ == Transport::open);
          REQUIRE_FALSE(disconnected_by_request);
          REQUIRE(action.nonce != 0);
          REQUIRE(nonce == 0);
          nonce = action.nonce;
          break;
        case Action::Type::close:
          REQUIRE(transport_ == Transport::open);
          REQUIRE((disconnected_by_request || reopening));
          REQUIRE(!std::exchange(closing_, true));
          break;
        case Action::Type::report_state:
          REQUIRE(action.from == state_);
          REQUIRE(action.to != state_);
          state_ = action.to;
          break;
        case Action::Type::report_connected:
          REQUIRE(transport_ == Transport::open);
          REQUIRE(state_ == State::connected);
          REQUIRE(action.number == ++connections_);
          reported_connected_ = true;
          failed_in_row_ = 0;
          break;
        case Action::Type::report_disconnected:
          REQUIRE(transport_ == Transport::none);
          REQUIRE(reported_connected_);  // exactly one for each connected
          reported_connected_ = false;
          REQUIRE(action.number == connections_);
          REQUIRE(action.will_retry == !disconnected_by_request);
          REQUIRE((client_.last_failure().status == CWIRE_OK) == closing_);
          REQUIRE(closing_ == (disconnected_by_request || reopening));
          hurried = reopening;
          reopening = closing_ = false;
          promised_ = action.retry_in;
          break;
        case Action::Type::report_error:
          REQUIRE(transport_ == Transport::none);
          REQUIRE_FALSE(disconnected_by_request);
          REQUIRE(client_.last_failure().status != CWIRE_OK);
          REQUIRE(action.number == ++failed_in_row_);
          REQUIRE(action.will_retry == (outdated || settings_.reconnect.attempts_max == 0 ||
                                        failed_in_row_ < settings_.reconnect.attempts_max));
          if (std::exchange(outdated, false)) {
            failed_in_row_ = 0;
            hurried = action.retry_in == Duration::zero();
          }
          promised_ = action.retry_in;
          break;
        case Action::Type::report_closed:
          REQUIRE(transport_ == Transport::none);
          REQUIRE_FALSE(reported_connected_);
          REQUIRE((state_ == State::error || state_ == State::closed));
          REQUIRE((state_ == State::closed) == disconnected_by_request);
          ++closed_;
          break;
      }
    }
    REQUIRE(client_.state() == state_);
    REQUIRE(client_.finished() == (closed_ == 1));
    REQUIRE(client_.closing() == (closing_ && closed_ == 0));
    REQUIRE(client_.attempts() == attempts_);
    REQUIRE(client_.connections() == connections_);
    if (client_.finished()) REQUIRE(client_.deadline() == kNever);
    // There is always a way on: an end, a transport that can speak, or a time to wait for.
    if (attempts_ != 0 && closed_ == 0 && transport_ == Transport::none) REQUIRE(client_.deadline() != kNever);
    if (transport_ == Transport::attempt) REQUIRE(client_.deadline() == begun_at_ + settings_.connection_timeout);
  }

  bool attempting() const { return transport_ == Transport::attempt; }
  bool open() const { return transport_ == Transport::open; }
  void opened() {
    transport_ = Transport::open;
    nonce = 0;
  }
  void gone(TimePoint now) {
    transport_ = Transport::none;
    ended_at_ = now;
  }
  int closed() const { return closed_; }

  // Before the client is.
  void told_of(WebSocketClient::Change change) {
    if (closed_ != 0 || attempts_ == 0) return;
    if (transport_ == Transport::open) {
      reopening = reopening || (change.reconnect && !disconnected_by_request);
      return;
    }
    if (change.of_attempts) failed_in_row_ = 0;
    outdated = change.of_attempts && transport_ == Transport::attempt;
    hurried = hurried || change.of_attempts || change.reconnect;
  }

  bool disconnected_by_request = false;
  bool reopening = false;   // to be closed, and opened again
  bool hurried = false;     // the next attempt may come before the wait is over
  bool outdated = false;    // the attempt under way has other settings
  std::uint64_t nonce = 0;  // of the ping without an answer

 private:
  enum class Transport { none, attempt, open };
  const WebSocketClient& client_;
  const Settings& settings_;
  ReconnectPolicy policy_;
  Transport transport_ = Transport::none;
  State state_ = State::disconnected;
  TimePoint begun_at_{};
  TimePoint ended_at_ = kNever;
  Duration promised_{};
  std::uint64_t attempts_ = 0;
  std::uint64_t connections_ = 0;
  std::uint64_t failed_in_row_ = 0;
  bool reported_connected_ = false;
  bool closing_ = false;
  int closed_ = 0;
};

Settings random_settings(Random& random) {
  Settings settings = defaults();
  settings.reconnect.policy = static_cast<ReconnectPolicyKind>(random() % 4);
  settings.reconnect.jitter = static_cast<double>(random() % 101) / 100;
  settings.reconnect.random_range = seconds(random() % 20);
  settings.reconnect.attempts_max = random() % 3 == 0 ? 1 + random() % 6 : 0;
  if (random() % 4 == 0) settings.ping_interval = Duration(0);
  if (random() % 4 == 0) settings.read_timeout = Duration(0);
  if (random() % 4 == 0) settings.write_timeout = Duration(0);
  settings.pong_timeout = milliseconds(1 + random() % 40000);
  return settings;
}

void live(unsigned seed) {
  Random random(seed);
  for (int n = 0; n < 3; ++n) random();
  const Settings settings = random_settings(random);
  WebSocketClient client(settings);
  Witness witness(client, settings);
  TimePoint now = TimePoint() + hours(1 + random() % 1000);
  TimePoint limit = kNever;  // by which the station must be closed
  if (random() % 20 != 0) witness.watch(client.start(now), now);

  const int steps = static_cast<int>(20 + random() % 300);
  for (int step = 0; step < steps; ++step) {
    const TimePoint before = client.deadline();
    switch (random() % 16) {
      case 0:
      case 1:
        now += milliseconds(random() % 2000);
        break;
      case 2:
        now += milliseconds(random() % 100000);  // the thread was held up
        break;
      case 3:
      case 4:
      case 5:
        if (before != kNever) now = std::max(now, before);
        break;
      case 6: {  // told whether it applies or not
        if (random() % 8 != 0 && !witness.attempting()) break;
        const bool applies = witness.attempting();
        if (applies) witness.opened();
        const Actions actions = client.opened(now, random);
        REQUIRE((actions.size() != 0) == applies);
        witness.watch(actions, now);
        break;
      }
      case 7: {
        if (random() % 8 != 0 && !witness.attempting()) break;
        const bool applies = witness.attempting();
        if (applies) witness.gone(now);
        const Actions actions = client.attempt_failed(now, random, random() % 2 == 0 ? refused() : answered_503());
        REQUIRE((actions.size() != 0) == applies);
        witness.watch(actions, now);
        break;
      }
      case 8: {
        const bool applies = witness.open();
        if (applies && random() % 4 != 0) break;
        if (applies) witness.gone(now);
        const Actions actions = client.lost(
            now, random, random() % 2 == 0 ? reset() : Failure(CWIRE_OK, "", FailurePhase::peer, close_code(1000)));
        REQUIRE((actions.size() != 0) == applies);
        witness.watch(actions, now);
        break;
      }
      case 9:
      case 10:
        client.received(now);
        REQUIRE(client.deadline() >= before);
        break;
      case 11:
        if (random() % 2 == 0) {
          if (random() % 2 == 0) client.ping_left(now);
          REQUIRE((!client.pong(now, witness.nonce).is_matched || witness.nonce != 0));
          witness.nonce = 0;
        } else {
          REQUIRE(!client.pong(now, random()).is_matched);
        }
        break;
      case 12:
        client.write_blocked(now, random() % 2 == 0);
        break;
      case 13:
        client.write_progress(now);
        REQUIRE(client.deadline() >= before);
        break;
      case 14:
        client.reading_paused(now, random() % 2 == 0);
        if (random() % 8 == 0) client.after_suspend();
        client.describe_attempt("resolving", random() % 2 == 0 ? FailurePhase::tcp : FailurePhase::tls);
        break;
      case 15:
        if (random() % 12 == 0) {
          const Duration within = milliseconds(random() % 3 == 0 ? 0 : random() % 20000);
          if (!client.finished()) witness.disconnected_by_request = true;
          limit = std::min(limit, now + within);
          witness.watch(client.disconnect(now, within), now);
        } else if (random() % 4 == 0) {
          witness.watch(client.start(now), now);
        } else if (random() % 4 == 0) {
          const WebSocketClient::Change change{random() % 2 == 0, random() % 2 == 0};
          witness.told_of(change);
          witness.watch(client.reconfigure(now, settings, change, milliseconds(random() % 3 == 0 ? 0 : 5000)), now);
        }
        break;
    }
    const TimePoint due = client.deadline();
    const Actions actions = client.tick(now, random);
    if (now < due) REQUIRE(actions.size() == 0);  // early is harmless
    witness.watch(actions, now);
    REQUIRE(client.deadline() > now);  // one tick does all that was due: no driver spins
    if (now >= limit) REQUIRE(witness.closed() == 1);
  }

  // However it stands, a disconnect ends it in time.
  if (!client.finished()) witness.disconnected_by_request = true;
  witness.watch(client.disconnect(now, seconds(5)), now);
  now += seconds(5);
  witness.watch(client.tick(now, random), now);
  REQUIRE(witness.closed() == 1);
  witness.watch(client.tick(now + hours(1), random), now);
}

}  // namespace

TEST_CASE("Whatever comes in whatever order, the promises hold", "[web_socket_client]") {
  for (unsigned seed = 1; seed <= 5000; ++seed) {
    INFO("seed " << seed);
    live(seed);
  }
}
