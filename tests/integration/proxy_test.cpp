// Stations behind an HTTP proxy: what goes through it, what it gets to know, and what it may do wrong.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <thread>

#include "connect_proxy.h"
#include "fixture.h"
#include "raw_peer.h"
#include "secrets.h"
#include "test_pki.h"

using namespace fixture;
using Catch::Contains;

namespace {

constexpr std::int64_t kSecond_ns = 1'000'000'000;
const std::string kProxyPassword = "the proxy's own secret";
const std::string kStationPassword = "the station's own secret";

Settings through(const raw::ConnectProxy& proxy, Settings more = {}) {
  more.emplace_back("csms.proxy.url", proxy.url());
  return more;
}

Settings with_credentials(const std::string& proxy_url, const std::string& password = kProxyPassword) {
  return {{"csms.proxy.url", proxy_url}, {"csms.proxy.username", "fleet"}, {"csms.proxy.password", password}};
}

std::string url_of(const raw::Server& server) { return "http://127.0.0.1:" + std::to_string(server.port()); }

// Of an attempt which did not get past the proxy.
Record proxy_failure(Fleet& fleet, const std::string& id = "CP1") {
  const Record error = fleet.first_error(id);
  CHECK(error.status == CWIRE_E_DIAL);
  CHECK(error.failure.phase == CWIRE_PHASE_PROXY);
  CHECK(error.failure.security_event == CWIRE_SECURITY_NONE);
  CHECK_THAT(error.data, Contains("proxy 127.0.0.1:"));
  return error;
}

// Base64 of "fleet:" and the password, as it goes over the wire.
const std::string kProxyBasic = "Basic ZmxlZXQ6dGhlIHByb3h5J3Mgb3duIHNlY3JldA==";

// The environment while this lives, and before any manager is made that is to read it.
class Environment {
 public:
  explicit Environment(const std::vector<std::pair<std::string, std::string>>& variables) {
    for (const char* name : {"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}) {
      ::unsetenv(name);
    }
    for (const auto& [name, value] : variables) {
      ::setenv(name.c_str(), value.c_str(), 1);
      names_.push_back(name);
    }
  }
  ~Environment() {
    for (const std::string& name : names_) ::unsetenv(name.c_str());
  }

 private:
  std::vector<std::string> names_;
};

}  // namespace

TEST_CASE("a station reaches a CSMS that only the proxy knows, boots, and comes back when the proxy drops it") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  csms::Csms csms{csms::Options()};
  raw::ConnectProxy proxy({{{"csms.invalid:9000", csms.port()}}, ""});
  Fleet fleet(delivery);
  const cwire_station station = fleet.connected("CP1", "ws://csms.invalid:9000/ocpp", through(proxy));
  REQUIRE(fleet.send(station, R"([2,"1","BootNotification",{}])") == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1"));
  proxy.drop_tunnels();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  CHECK_THAT(must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED)).data,
             Contains("the server closed") || Contains("through"));
  CHECK(proxy.tunnels() == 2);
  CHECK_THAT(proxy.requests().at(0),
             Catch::StartsWith("CONNECT csms.invalid:9000 HTTP/1.1\r\nHost: csms.invalid:9000\r\n") &&
                 !Contains("Authorization"));
  fleet.finish();
}

TEST_CASE("each side of a proxy gets its own credentials and not the other's, and nobody tells them") {
  raw::Server server;
  raw::ConnectProxy proxy({{{"csms.invalid:80", server.port()}}, "fleet:" + kProxyPassword});
  Settings settings = with_credentials(proxy.url());
  settings.insert(
      settings.end(),
      {{"csms.security_profile", "1"}, {"csms.auth.type", "basic"}, {"csms.auth.password", kStationPassword}});
  Fleet fleet(Delivery::poll, quick({{"log_level", "debug"}}));
  fleet.connect("CP1", "ws://csms.invalid", settings);
  auto peer = server.accept();
  const std::string request = peer.read_request();
  CHECK(raw::Connection::header(request, "Authorization").substr(0, 6) == "Basic ");
  CHECK(raw::Connection::header(request, "Host") == "csms.invalid");
  CHECK(raw::Connection::header(request, "Proxy-Authorization").empty());
  CHECK(request.find(kProxyBasic) == std::string::npos);
  const std::string asked = proxy.requests().at(0);
  CHECK(raw::Connection::header(asked, "Proxy-Authorization") == kProxyBasic);
  CHECK(raw::Connection::header(asked, "Authorization").empty());
  CHECK(asked.find("CP1") == std::string::npos);
  peer.accept_upgrade(request);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  // Not even when the other side says them.
  peer.send_frame(raw::Opcode::close, std::string("\x03\xe8", 2) + GENERATE(kProxyPassword, kProxyBasic));
  REQUIRE(fleet.wait_for(CWIRE_EVENT_DISCONNECTED, "CP1"));
  CHECK_THAT(must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED)).data, Contains("withheld"));
  REQUIRE(fleet.wait([](const Records& records) {
    return std::any_of(records.begin(), records.end(), [](const Record& record) {
      return record.type == CWIRE_EVENT_LOG && record.data.find("through proxy 127.0.0.1:") != std::string::npos;
    });
  }));
  fleet.finish(0);
}

TEST_CASE("through a tunnel the certificate is verified for the CSMS's name and the session is resumed") {
  pki::TemporaryDirectory directory;
  const pki::Identity ca = pki::make_self_signed({"test CA", {}, true});
  const auto serve = [&](const std::string& name) {
    const pki::Identity identity = pki::make_signed({name, {"DNS:" + name}}, ca);
    csms::Options options;
    options.certificate_file = directory.write(name + ".pem", identity.certificate_pem());
    options.key_file = directory.write(name + ".key", identity.key_pem());
    return options;
  };
  csms::Csms good(serve("csms.invalid"));
  csms::Csms other(serve("proxy.invalid"));
  raw::ConnectProxy proxy({{{"csms.invalid:443", good.port()}, {"csms.invalid:444", other.port()}}, ""});
  Fleet fleet(Delivery::poll,
              quick(through(proxy, {{"csms.tls.ca_cert", directory.write("ca.pem", ca.certificate_pem())},
                                    {"csms.auth.type", "basic"},
                                    {"csms.auth.password", kStationPassword}})));
  fleet.connected("CP1", "wss://csms.invalid");
  good.close_all(1000, "");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  fleet.connect("CP2", "wss://csms.invalid:444");
  const Record error = fleet.first_error("CP2");
  CHECK(error.status == CWIRE_E_TLS);
  CHECK(error.failure.phase == CWIRE_PHASE_TLS);
  CHECK_THAT(error.data, Contains("csms.invalid") && Contains("proxy.invalid"));
  CHECK(other.counters().upgrades_accepted + other.counters().upgrades_refused == 0);
  fleet.finish();
}

TEST_CASE("407 needs somebody's action, and credentials from a file help") {
  csms::Csms csms{csms::Options()};
  raw::ConnectProxy proxy({{{"csms.invalid:80", csms.port()}}, "fleet:" + kProxyPassword});
  pki::TemporaryDirectory directory;
  Fleet fleet(both_deliveries(), quick({{"log_level", "debug"}}));
  fleet.connect("CP1", "ws://csms.invalid", through(proxy));
  const Record error = proxy_failure(fleet);
  CHECK(error.code == 407);
  CHECK(error.failure.http_status == 407);
  CHECK_THAT(error.data, Contains("it asks for credentials (HTTP 407); set csms.proxy.username"));
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1", 3));
  std::size_t number = 0;
  for (const Record& record : fleet.records()) {
    if (record.type != CWIRE_EVENT_ERROR) continue;
    CHECK(((record.flags & CWIRE_FLAG_NEEDS_ACTION) != 0) == (++number == 2));
  }
  fleet.connect("CP2", "ws://csms.invalid", with_credentials(proxy.url(), "not " + kProxyPassword));
  CHECK_THAT(proxy_failure(fleet, "CP2").data,
             Contains("does not accept our credentials (HTTP 407); check csms.proxy.username"));
  fleet.connected("CP3", "ws://csms.invalid",
                  {{"csms.proxy.url", proxy.url()},
                   {"csms.proxy.username", "fleet"},
                   {"csms.proxy.password_file", directory.write("proxy.key", kProxyPassword + "\n")}});
  fleet.finish();
}

TEST_CASE("a proxy that repeats our credentials wherever it can is not quoted") {
  raw::Server server;
  Fleet fleet(Delivery::poll, quick({{"log_level", "debug"}}));
  fleet.connect("CP1", "ws://csms.invalid", with_credentials(url_of(server)));
  std::size_t failures = 0;
  for (const std::string& said : {kProxyPassword, kProxyBasic}) {
    for (const std::string& answer :
         {"HTTP/1.1 407 " + said + "\r\nProxy-Authenticate: " + said + "\r\n\r\n" + said, said + "\r\n\r\n",
          "HTTP/1.1 200 x\r\n" + said + "\r\n\r\n", "HTTP/1.1 302 x\r\nLocation: http://x/" + said + "\r\n\r\n",
          "HTTP/1.1 200 x\r\n\r\n" + said}) {
      auto peer = server.accept();
      REQUIRE(raw::Connection::header(peer.read_request(), "Proxy-Authorization") == kProxyBasic);
      peer.send(answer);
      REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1", ++failures));
    }
  }
  fleet.finish(0);
}

TEST_CASE("a proxy's refusal waits as long as a CSMS's, and its other failures as the policy says") {
  const int status = GENERATE(403, 407, 429, 502, 503, 504, 500);
  CAPTURE(status);
  raw::Server server;
  Fleet fleet(Delivery::poll, Settings());
  fleet.connect("CP1", "ws://csms.invalid", {{"csms.proxy.url", url_of(server)}});
  auto peer = server.accept();
  peer.read_request();
  peer.send("HTTP/1.1 " + std::to_string(status) + " x\r\nRetry-After: 500\r\n\r\n");
  const Record error = proxy_failure(fleet);
  CHECK(error.failure.http_status == status);
  const std::int64_t wait = error.failure.retry_at_ns - error.failure.time_ns;
  if (status == 403 || status == 407) {
    CHECK((wait >= 48 * kSecond_ns && wait <= 72 * kSecond_ns));
  } else {
    CHECK((wait >= 4 * kSecond_ns && wait <= 6 * kSecond_ns));
  }
  fleet.finish(0);
}

TEST_CASE("a host that the proxy cannot reach is the proxy's word, not a name of ours") {
  raw::ClosedPort nobody;
  raw::ConnectProxy proxy({{{"down.invalid:80", static_cast<std::uint16_t>(std::stoi(nobody.url().substr(15)))}}, ""});
  Fleet fleet(Delivery::poll, quick(through(proxy)));
  fleet.connect("CP1", "ws://down.invalid");
  fleet.connect("CP2", "ws://unknown.invalid");
  CHECK_THAT(proxy_failure(fleet, "CP1").data, Contains("it cannot reach down.invalid:80 (HTTP 504)"));
  CHECK_THAT(proxy_failure(fleet, "CP2").data, Contains("it cannot reach unknown.invalid:80 (HTTP 502)"));
  fleet.finish();
}

TEST_CASE("a proxy that is not there, silent or slow is a failure of the proxy, in its own time") {
  Fleet fleet(Delivery::poll);
  SECTION("not there") {
    raw::ClosedPort nobody;
    fleet.connect("CP1", "ws://csms.invalid", {{"csms.proxy.url", "http" + nobody.url().substr(2)}});
    const Record error = proxy_failure(fleet);
    CHECK(error.failure.os_error == ECONNREFUSED);
    CHECK_THAT(error.data, Contains("connection refused; check that the proxy is running") &&
                               Contains("(ws://csms.invalid:80/CP1)"));
  }
  SECTION("silent") {
    raw::Server server;
    fleet.connect("CP1", "ws://csms.invalid", {{"csms.proxy.url", url_of(server)}, {"csms.proxy.timeout", "300ms"}});
    auto peer = server.accept();
    const Record error = proxy_failure(fleet);
    CHECK(error.failure.os_error == ETIMEDOUT);
    CHECK_THAT(error.data, Contains("no tunnel to csms.invalid:80 within 300ms (csms.proxy.timeout)"));
  }
  SECTION("slow, one byte now and then") {
    raw::Server server;
    fleet.connect("CP1", "ws://csms.invalid", {{"csms.proxy.url", url_of(server)}, {"csms.proxy.timeout", "300ms"}});
    auto peer = server.accept();
    peer.read_request();
    peer.drip("HTTP/1.1 200 OK\r\nX-Filler: " + std::string(1000, 'x'), 20);
    CHECK_THAT(proxy_failure(fleet).data, Contains("within 300ms (csms.proxy.timeout)"));
  }
  SECTION("silent beyond the time for the whole") {
    raw::Server server;
    fleet.connect("CP1", "ws://csms.invalid", {{"csms.proxy.url", url_of(server)}, {"csms.connection_timeout", "2s"}});
    auto peer = server.accept();
    const Record error = proxy_failure(fleet);
    CHECK(error.failure.os_error == ETIMEDOUT);
    CHECK_THAT(error.data, Contains("for a tunnel to csms.invalid:80"));
  }
  fleet.finish(0);
}

TEST_CASE("a proxy that dies in the middle of its answer or of the handshake behind it leaves the station trying") {
  raw::Server server;
  Fleet fleet(Delivery::poll, quick({{"csms.proxy.url", url_of(server)}}));
  SECTION("of its answer") {
    fleet.connect("CP1", "ws://csms.invalid");
    auto peer = server.accept();
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nVia: ");
    peer.close();
    CHECK_THAT(proxy_failure(fleet).data,
               Contains("it closed the TCP connection before it had answered CONNECT csms.invalid:80"));
  }
  SECTION("of the TLS handshake") {
    fleet.connect("CP1", "wss://csms.invalid");
    auto peer = server.accept();
    CHECK_THAT(peer.read_request(), Catch::StartsWith("CONNECT csms.invalid:443"));
    peer.send("HTTP/1.1 200 OK\r\n\r\n");
    peer.reset();
    const Record error = fleet.first_error();
    CHECK(error.status == CWIRE_E_TLS);
    CHECK(error.failure.phase == CWIRE_PHASE_TLS);
  }
  SECTION("of the upgrade") {
    fleet.connect("CP1", "ws://csms.invalid");
    auto peer = server.accept();
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\n\r\n");
    peer.read_request();
    peer.close();
    CHECK(fleet.first_error().failure.phase == CWIRE_PHASE_HTTP);
  }
  auto again = server.accept();
  CHECK_THAT(again.read_request(), Catch::StartsWith("CONNECT "));
  fleet.finish(0);
}

TEST_CASE("what comes glued to the proxy's 200 is the CSMS's word") {
  raw::Server server;
  Fleet fleet(Delivery::poll);
  fleet.connect("CP1", "ws://csms.invalid", {{"csms.proxy.url", url_of(server)}});
  auto peer = server.accept();
  peer.read_request();
  peer.send("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n");
  const Record error = fleet.first_error();
  CHECK(error.failure.phase == CWIRE_PHASE_HTTP);
  CHECK(error.failure.http_status == 404);
  fleet.finish(0);
}

TEST_CASE("garbage and endless answers of a proxy are cut off at the limits for the upgrade's answer") {
  raw::Server server;
  Fleet fleet(Delivery::poll, quick({{"csms.proxy.url", url_of(server)}, {"csms.header_size_max", "1KiB"}}));
  fleet.connect("CP1", "ws://csms.invalid");
  auto peer = server.accept();
  peer.read_request();
  SECTION("garbage") {
    peer.send("220 smtp.example ESMTP\r\n");
    CHECK_THAT(proxy_failure(fleet).data, Contains("is not HTTP/1"));
  }
  SECTION("endless") {
    peer.send("HTTP/1.1 200 OK\r\nX: " + std::string(4096, 'x'));
    CHECK_THAT(proxy_failure(fleet).data, Contains("is longer than csms.header_size_max"));
  }
  fleet.finish(0);
}

TEST_CASE("an IPv6 CSMS behind a proxy is asked for in brackets, and the proxy itself may be an IPv6 address") {
  raw::Server server(0, AF_INET6);
  Fleet fleet(Delivery::poll);
  fleet.connect("CP1", "ws://[2001:db8::1]:9000", {{"csms.proxy.url", "http" + server.url().substr(2)}});
  auto peer = server.accept();
  CHECK_THAT(peer.read_request(),
             Catch::StartsWith("CONNECT [2001:db8::1]:9000 HTTP/1.1\r\nHost: [2001:db8::1]:9000\r\n"));
  fleet.finish(0);
}

TEST_CASE("the proxy sees the station come from csms.source_address") {
  raw::Server server;
  Fleet fleet(Delivery::poll);
  fleet.connect("CP1", "ws://csms.invalid", {{"csms.proxy.url", url_of(server)}, {"csms.source_address", "127.0.0.2"}});
  CHECK(server.accept().remote_address() == "127.0.0.2");
  fleet.finish(0);
}

TEST_CASE("without the option the environment decides, when the manager is made and never again") {
  csms::Csms csms{csms::Options()};
  raw::ConnectProxy proxy({{{"csms.invalid:80", csms.port()}}, "fleet:" + kProxyPassword});
  const std::string variable = "http://fleet:the%20proxy's%20own%20secret@127.0.0.1:" + std::to_string(proxy.port());
  secrets::keep_option("csms.proxy.password", kProxyPassword);  // which nobody configures here
  Fleet before(Delivery::poll);
  auto environment = std::make_unique<Environment>(std::vector<std::pair<std::string, std::string>>{
      {"http_proxy", variable}, {"no_proxy", "direct.invalid"}, {"HTTPS_PROXY", "http://us er@x:1"}});
  Fleet fleet(Delivery::poll, quick({{"log_level", "debug"}}));
  environment.reset();
  fleet.connected("CP1", "ws://csms.invalid");
  CHECK(proxy.tunnels() == 1);
  // This machine, what no_proxy covers, who wants none, and whoever was there before: all of them without.
  fleet.connected("CP2", csms.url());
  fleet.connect("CP3", "ws://direct.invalid");
  CHECK(fleet.first_error("CP3").failure.phase == CWIRE_PHASE_RESOLVE);
  fleet.connect("CP4", "ws://csms.invalid", {{"csms.proxy.url", "none"}});
  CHECK(fleet.first_error("CP4").failure.phase == CWIRE_PHASE_RESOLVE);
  before.connect("CP5", "ws://csms.invalid");
  CHECK(before.first_error("CP5").failure.phase == CWIRE_PHASE_RESOLVE);
  CHECK(proxy.requests().size() == 1);
  // A variable that is no proxy is said to be that, to those who would use it.
  Error error;
  CHECK(cwire_manager_connect(fleet.manager, "CP6", "wss://csms.invalid", nullptr, 0, nullptr, &error) ==
        CWIRE_E_CONFIG);
  CHECK_THAT(error.text(), Contains("CP6: the environment variable HTTPS_PROXY: ") && !Contains("us er"));
  before.finish();
  fleet.finish();
}

TEST_CASE("the proxy's password is never shown") {
  Config config(with_credentials("http://proxy.invalid:3128"));
  const auto get = [&](const char* key) {
    char value[256];
    REQUIRE(cwire_config_get(config, key, value, sizeof value, nullptr) == CWIRE_OK);
    return std::string(value);
  };
  CHECK(get("csms.proxy.url") == "http://proxy.invalid:3128");
  CHECK(get("csms.proxy.username") == "fleet");
  CHECK(get("csms.proxy.password") == "***");
  CHECK_THAT(cwire_config_schema(), !Contains(kProxyPassword));
  // Nor where it stands in the wrong place.
  Error error;
  const std::string url = "http://fleet:" + std::string("hidden") + "@proxy.invalid:3128";
  CHECK(cwire_config_set(config, "csms.proxy.url", url.c_str(), &error) == CWIRE_E_CONFIG);
  CHECK_THAT(error.text(), Contains("csms.proxy.username and csms.proxy.password") && !Contains("hidden"));
  const std::string yaml = "csms:\n  proxy: { url: \"" + url + "\" }\n";
  CHECK(cwire_config_load_yaml(config, yaml.data(), yaml.size(), &error) == CWIRE_E_CONFIG);
  CHECK_THAT(error.text(), !Contains("hidden"));
  CHECK(cwire_config_set(config, "csms.proxy.password", "hid\nden", &error) == CWIRE_E_CONFIG);
  CHECK_THAT(error.text(), !Contains("den"));
}
