// A CSMS that sends its stations elsewhere (301, 302, 303, 307, 308).
#include <string>

#include "fixture.h"
#include "raw_peer.h"
#include "tls_peer.h"

using namespace fixture;
using Catch::Contains;

namespace {

std::string redirect(const std::string& location, const std::string& status = "302 Found") {
  return "HTTP/1.1 " + status + "\r\nLocation: " + location + "\r\nContent-Length: 0\r\n\r\n";
}

// Reads a request and sends the station elsewhere. Returns the request.
std::string send_away(raw::Server& server, const std::string& location, const std::string& status = "302 Found") {
  auto peer = server.accept();
  const std::string request = peer.read_request();
  peer.send(redirect(location, status));
  peer.read_all();
  return request;
}

Settings with_secrets(Settings more = {}) {
  more.insert(more.end(), {{"csms.security_profile", "1"},
                           {"csms.auth.type", "basic"},
                           {"csms.auth.password", "first"},
                           {"csms.headers.X-Api-Key", "the-api-key"}});
  return quick(more);
}

std::string path_of(const std::string& request) { return request.substr(0, request.find(" HTTP/1.1")); }
std::string header(const std::string& request, const std::string& name) {
  return raw::Connection::header(request, name);
}

}  // namespace

TEST_CASE("a redirect is not followed unless configured, and the failure says where it led") {
  raw::Server server, elsewhere;
  Fleet fleet(Delivery::poll, with_secrets());
  fleet.connect("CP1", server.url());
  send_away(server, elsewhere.url() + "/there?token=of-theirs");
  const Record error = fleet.first_error();
  CHECK(error.status == CWIRE_E_HANDSHAKE);
  CHECK(error.failure.phase == CWIRE_PHASE_HTTP);
  CHECK(error.failure.http_status == 302);
  CHECK((error.flags & CWIRE_FLAG_WILL_RETRY) != 0);
  CHECK_THAT(error.data,
             Contains(elsewhere.url() + "/there") && Contains("csms.redirects_max") && !Contains("of-theirs"));
  CHECK_FALSE(elsewhere.somebody_wants_in(0));
  fleet.finish(0);
}

TEST_CASE("a redirect with a user, to nowhere, or with our own credentials is not repeated") {
  raw::Server server;
  Fleet fleet(Delivery::poll, with_secrets({{"csms.redirects_max", "5"}}));
  fleet.connect("CP1", server.url());
  send_away(server, "ws://user:of-theirs@127.0.0.1/");
  send_away(server, "ftp://127.0.0.1/of-theirs");
  send_away(server, "/you-said/Q1AxOmZpcnN0");
  send_away(server, "/you-said/the-api-key");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1", 4));
  for (const Record& record : fleet.records()) CHECK_THAT(record.data, !Contains("of-theirs") && !Contains("you-said"));
  CHECK_THAT(must(last(fleet.records(), CWIRE_EVENT_ERROR)).data,
             Contains("redirects to a place that is withheld: it repeats a header"));
  fleet.finish(0);
}

TEST_CASE("a followed redirect leads within the attempt, and the host of the URL alone gets the credentials") {
  const std::string status = GENERATE("301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect",
                                      "308 Permanent Redirect");
  CAPTURE(status);
  raw::Server server, elsewhere;
  Fleet fleet(Delivery::poll, with_secrets({{"csms.redirects_max", "2"}}));
  fleet.connect("CP1", server.url());
  CHECK(header(send_away(server, "../other/place?x=1", status), "Authorization") == "Basic Q1AxOmZpcnN0");
  const std::string second = send_away(server, elsewhere.url() + "/there", status);
  CHECK(path_of(second) == "GET /other/place?x=1");
  CHECK(header(second, "Authorization") == "Basic Q1AxOmZpcnN0");
  CHECK(header(second, "X-Api-Key") == "the-api-key");
  auto peer = elsewhere.accept();
  const std::string third = peer.upgrade();
  CHECK(path_of(third) == "GET /there");
  CHECK(header(third, "Authorization").empty());
  CHECK(header(third, "X-Api-Key").empty());
  CHECK(header(third, "Sec-WebSocket-Protocol") == "ocpp1.6");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  CHECK(count(fleet.records(), CWIRE_EVENT_ERROR, "CP1") == 0);
  // The next attempt begins at the URL again.
  peer.reset();
  CHECK(header(server.accept().upgrade(), "Authorization") == "Basic Q1AxOmZpcnN0");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  CHECK_THAT(must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED)).data,
             Contains(elsewhere.url() + "/there, where " + server.url()));
  fleet.finish(0);
}

TEST_CASE("redirects in a circle end at the limit") {
  raw::Server server;
  Fleet fleet(Delivery::poll, with_secrets({{"csms.redirects_max", "2"}}));
  fleet.connect("CP1", server.url());
  for (int hops = 0; hops < 3; ++hops) send_away(server, "/round");
  CHECK_THAT(fleet.first_error().data, Contains("as many as csms.redirects_max follows, 2;"));
  fleet.finish(0);
}

TEST_CASE("a redirect may lead to TLS, whose certificate is verified, and never away from it") {
  pki::TemporaryDirectory directory;
  const pki::Identity ca = pki::make_self_signed({"test CA", {}, true});
  const pki::Identity identity = pki::make_signed({"localhost", {"IP:127.0.0.1"}}, ca);
  raw::Server plain;
  pki::ServerOptions options;
  options.identity = &identity;
  raw::TlsServer secure(options);
  Fleet fleet(Delivery::poll, with_secrets({{"csms.redirects_max", "5"},
                                            {"csms.reconnect_backoff", "1h"},
                                            {"csms.reconnect_max_backoff", "1h"},
                                            {"csms.tls.ca_cert", directory.write("ca.pem", ca.certificate_pem())}}));
  fleet.connect("CP1", plain.url());
  send_away(plain, "https://127.0.0.1:" + std::to_string(secure.port()) + "/secure");
  auto peer = secure.accept();
  REQUIRE(peer);
  const std::string request = peer->read_request();
  peer->send(redirect(plain.url() + "/back"));
  const Record error = fleet.first_error();
  CHECK(error.failure.http_status == 302);
  CHECK_THAT(error.data, Contains("without TLS") && Contains(plain.url() + "/back"));
  CHECK_FALSE(plain.somebody_wants_in(0));
  fleet.finish(0);
  CHECK(path_of(request) == "GET /secure");
  CHECK(header(request, "Authorization").empty());  // the scheme is another
}

TEST_CASE("a bearer token is not given to the host that a redirect leads to, and no warning says that it was") {
  raw::Server server, elsewhere;
  Fleet fleet(Delivery::poll,
              quick({{"csms.auth.type", "bearer"}, {"csms.auth.token", "token-of-ours"}, {"csms.redirects_max", "1"}}));
  fleet.connect("CP1", server.url());
  CHECK(header(send_away(server, elsewhere.url() + "/there"), "Authorization") == "Bearer token-of-ours");
  CHECK(header(elsewhere.accept().upgrade(), "Authorization").empty());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  Records warnings;
  for (const Record& record : fleet.records()) {
    if (record.type == CWIRE_EVENT_LOG) warnings.push_back(record);
  }
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0].data, Contains(server.url()) && Contains("without TLS"));
  fleet.finish(0);
}

TEST_CASE("a client certificate is not shown to the host that a redirect leads to") {
  pki::TemporaryDirectory directory;
  const pki::Identity ca = pki::make_self_signed({"test CA", {}, true});
  const pki::Identity local = pki::make_signed({"localhost", {"DNS:localhost"}}, ca);
  const pki::Identity station = pki::make_signed({"CP1"}, ca);
  pki::ServerOptions options;
  options.identity = &local;
  options.client_ca = &ca;
  raw::TlsServer here(options);
  raw::Server there;
  Fleet fleet(Delivery::poll, quick({{"csms.redirects_max", "5"},
                                     {"csms.reconnect_backoff", "1h"},
                                     {"csms.reconnect_max_backoff", "1h"},
                                     {"csms.tls.client_cert_pem", station.certificate_pem()},
                                     {"csms.tls.client_key_pem", station.key_pem()},
                                     {"csms.tls.ca_cert_pem", ca.certificate_pem()}}));
  fleet.connect("CP1", here.url());
  for (const std::string& location : {std::string("/other"), "wss" + there.url().substr(2)}) {
    auto peer = here.accept();
    REQUIRE(peer);
    CHECK(peer->client_name() == "CP1");
    peer->read_request();
    peer->send(redirect(location));
  }
  const Record error = fleet.first_error();
  CHECK(error.failure.http_status == 302);
  CHECK_THAT(error.data, Contains("client certificate") && Contains("wss" + there.url().substr(2)));
  CHECK_FALSE(there.somebody_wants_in(0));
  fleet.finish(0);
}

TEST_CASE("who asks for credentials where a redirect leads is told that none were sent") {
  raw::Server server, elsewhere;
  Fleet fleet(Delivery::poll, with_secrets({{"csms.redirects_max", "1"}}));
  fleet.connect("CP1", server.url());
  send_away(server, elsewhere.url() + "/there");
  auto peer = elsewhere.accept();
  peer.read_request();
  peer.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
  CHECK_THAT(fleet.first_error().data, Contains("none were sent: they are for the host and port of the URL"));
  fleet.finish(0);
}

TEST_CASE("a message in the offline queue grows too old in time also while a redirect is followed") {
  raw::Server server, silent;
  Fleet fleet(Delivery::poll, quick({{"csms.redirects_max", "1"},
                                     {"csms.offline_queue_messages", "10"},
                                     {"csms.offline_queue_max_age", "300ms"},
                                     {"csms.tls.insecure_skip_verify", "true"}}));
  const cwire_station station = fleet.connect("CP1", server.url());
  REQUIRE(fleet.send(station, "soon too old") == CWIRE_OK);
  REQUIRE(fleet.eventually([&] { return fleet.stats("CP1").offline_messages == 1; }));
  send_away(server, "wss" + silent.url().substr(2));
  REQUIRE(fleet.wait_for(CWIRE_EVENT_SENT, "CP1"));
  CHECK(must(first(fleet.records(), CWIRE_EVENT_SENT)).status == CWIRE_E_TIMEOUT);
  CHECK(count(fleet.records(), CWIRE_EVENT_ERROR, "CP1") == 0);
  fleet.finish(0);
}

TEST_CASE("a redirect to another host over TLS is verified by that host's name, and its refusal is the failure") {
  pki::TemporaryDirectory directory;
  const pki::Identity ca = pki::make_self_signed({"test CA", {}, true});
  const pki::Identity named = pki::make_signed({"csms.example", {"DNS:csms.example"}}, ca);
  const pki::Identity local = pki::make_signed({"localhost", {"DNS:localhost"}}, ca);
  pki::ServerOptions options;
  options.identity = &named;
  raw::TlsServer here(options);
  options.identity = &local;
  raw::TlsServer there(options);
  Fleet fleet(Delivery::poll, quick({{"csms.auth.type", "basic"},
                                     {"csms.auth.password", "first"},
                                     {"csms.redirects_max", "5"},
                                     {"csms.refused_backoff", "1h"},
                                     {"csms.refused_max_backoff", "1h"},
                                     {"csms.tls.server_name", "csms.example"},
                                     {"csms.tls.ca_cert", directory.write("ca.pem", ca.certificate_pem())}}));
  fleet.connect("CP1", here.url("127.0.0.1"));
  auto first = here.accept();
  REQUIRE(first);
  CHECK(header(first->read_request(), "Authorization") == "Basic Q1AxOmZpcnN0");
  first->send(redirect(there.url() + "/there"));
  auto second = there.accept();
  REQUIRE(second);
  const std::string request = second->read_request();
  CHECK(path_of(request) == "GET /there");
  CHECK(header(request, "Authorization").empty());
  second->send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  const Record error = fleet.first_error();
  CHECK(error.failure.http_status == 404);
  CHECK_THAT(error.data, Contains(there.url() + "/there"));
  fleet.finish(0);
}
