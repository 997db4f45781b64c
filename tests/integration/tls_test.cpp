// Stations over TLS: who is trusted, who is not, and what goes over the wire to whom.
#include <sys/stat.h>

#include <filesystem>

#include "bystanders.h"
#include "fixture.h"
#include "raw_peer.h"
#include "test_pki.h"
#include "tls_peer.h"

using namespace fixture;
using Catch::Contains;

namespace {

// A CA, another that nobody trusts, and a server whose certificate is of the first.
struct Pki {
  pki::TemporaryDirectory directory;
  pki::Identity ca = pki::make_self_signed({"test CA", {}, true});
  pki::Identity stranger_ca = pki::make_self_signed({"another CA", {}, true});
  std::string ca_file = directory.write("ca.pem", ca.certificate_pem());
  std::string stranger_ca_file = directory.write("stranger.pem", stranger_ca.certificate_pem());

  csms::Options server(const std::vector<std::string>& names = {"IP:127.0.0.1", "DNS:localhost"},
                       long ends_in_s = 86400) {
    pki::Subject subject{"localhost", names};
    subject.ends_in_s = ends_in_s;
    const pki::Identity identity = pki::make_signed(subject, ca);
    csms::Options options;
    options.certificate_file = directory.write("server.pem", identity.certificate_pem());
    options.key_file = directory.write("server.key", identity.key_pem());
    return options;
  }
};

// The first failed attempt. Its words name neither key nor password.
Record failure(Fleet& fleet, const std::string& id) {
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, id));
  const Record error = *first(fleet.records(), CWIRE_EVENT_ERROR, id);
  INFO(error);
  CHECK(error.status == CWIRE_E_TLS);
  CHECK((error.flags & CWIRE_FLAG_WILL_RETRY) != 0);
  CHECK_THAT(error.data, Contains("TLS") && !Contains("a password of sixteen"));
  CHECK(count(fleet.records(), CWIRE_EVENT_CONNECTED, id) == 0);
  return error;
}

const std::string kPassword = "a password of sixteen";

}  // namespace

TEST_CASE("wss with a CA file connects boots and comes back") {
  const Delivery delivery = both_deliveries();
  CAPTURE(delivery);
  Pki pki;
  csms::Options options = pki.server();
  options.password = kPassword;
  csms::Csms csms(options);
  REQUIRE(csms.url().substr(0, 6) == "wss://");
  Fleet fleet(delivery, quick({{"csms.tls.ca_cert", pki.ca_file},
                               {"csms.tls.enabled", "true"},
                               {"csms.auth.type", "basic"},
                               {"csms.auth.password", kPassword}}));
  for (int i = 0; i < 10; ++i) {
    const cwire_station station = fleet.connected("CP" + std::to_string(i), csms.url());
    REQUIRE(fleet.send(station, R"([2,"1","BootNotification",{}])") == CWIRE_OK);
  }
  REQUIRE(fleet.wait([](const Records& r) { return count(r, CWIRE_EVENT_MESSAGE) == 10; }));
  csms.die();
  REQUIRE(fleet.wait([](const Records& r) { return count(r, CWIRE_EVENT_DISCONNECTED) == 10; }));
  csms.come_back();
  REQUIRE(fleet.wait([](const Records& r) { return count(r, CWIRE_EVENT_CONNECTED) == 20; }));
  const std::string big(200000, 'x');
  REQUIRE(cwire_manager_send(fleet.manager, "CP1", big.data(), big.size(), CWIRE_FLAG_REPORT, 1) == CWIRE_OK);
  REQUIRE(fleet.wait_for(CWIRE_EVENT_SENT, "CP1"));
  fleet.finish();
}

TEST_CASE("wss by host name verifies the name") {
  Pki pki;
  csms::Csms csms(pki.server());
  Fleet fleet(Delivery::poll, quick({{"csms.tls.ca_cert", pki.ca_file}}));
  fleet.connected("CP1", "wss://localhost:" + std::to_string(csms.port()));
  fleet.finish();
}

TEST_CASE("a client certificate is shown where the server wants one") {
  Pki pki;
  csms::Options options = pki.server();
  options.client_ca_file = pki.ca_file;
  csms::Csms csms(options);
  const pki::Identity station = pki::make_signed({"CP1"}, pki.ca);
  const pki::Identity stranger = pki::make_signed({"CP3"}, pki.stranger_ca);
  const std::string certificate = pki.directory.write("station.pem", station.certificate_pem());
  const std::string key = pki.directory.write("station.key", station.encrypted_key_pem("key password"));
  Fleet fleet(Delivery::poll, quick({{"csms.tls.ca_cert", pki.ca_file}}));
  fleet.connected("CP1", csms.url(),
                  {{"csms.tls.client_cert", certificate},
                   {"csms.tls.client_key", key},
                   {"csms.tls.client_key_password", "key password"}});
  fleet.connect("CP2", csms.url());  // with none
  failure(fleet, "CP2");
  fleet.connect("CP3", csms.url(),
                {{"csms.tls.client_cert", pki.directory.write("stranger.crt", stranger.certificate_pem())},
                 {"csms.tls.client_key", pki.directory.write("stranger.key", stranger.key_pem())}});
  failure(fleet, "CP3");
  CHECK(csms.counters().upgrades_accepted == 1);
  fleet.finish();
}

TEST_CASE("certificate and key come from files, from memory and by URI") {
  Pki pki;
  csms::Options options = pki.server();
  options.client_ca_file = pki.ca_file;
  csms::Csms csms(options);
  const pki::Identity station = pki::make_signed({"CP"}, pki.ca);
  const std::string password = "key password";
  const std::string encrypted = station.encrypted_key_pem(password);
  const std::string key_file = pki.directory.write("station.key", encrypted);
  const std::string password_file = pki.directory.write("password", password + "\n");
  Fleet fleet(Delivery::poll, quick({{"csms.tls.ca_cert_pem", pki.ca.certificate_pem()},
                                     {"csms.tls.client_cert_pem", station.certificate_pem()},
                                     {"csms.tls.client_key_password", password}}));
  fleet.connected("CP1", csms.url(), {{"csms.tls.client_key_pem", encrypted}});
  fleet.connected("CP2", csms.url(), {{"csms.tls.client_key_uri", "file:" + key_file}});
  fleet.connected("CP3", csms.url(),
                  {{"csms.tls.client_cert", pki.directory.write("station.pem", station.certificate_pem())},
                   {"csms.tls.client_key", key_file},
                   {"csms.tls.client_key_password_file", password_file}});
  CHECK(csms.counters().upgrades_accepted == 3);
  // A key that is encrypted anew, each time with another password.
  for (const char* renewed : {"a second key password", "a third key password"}) {
    pki.directory.replace("station.key", station.encrypted_key_pem(renewed));
    pki.directory.replace("password", renewed);
    Error error;
    CHECK(cwire_manager_reconfigure(fleet.manager, "CP3", nullptr, nullptr, 0, &error) == CWIRE_OK);
    CHECK(error.text() == "");
  }
  fleet.finish();
}

TEST_CASE("a server that is not to be trusted gets no credentials and each reason has its own words") {
  Pki pki;
  const Settings auth = {{"csms.auth.type", "basic"}, {"csms.auth.password", kPassword}};
  const auto with = [&](const char* key, const std::string& value) {
    Settings settings = auth;
    settings.emplace_back(key, value);
    return settings;
  };
  csms::Options good = pki.server();
  std::map<std::string, std::string> words;
  const auto attempt = [&](const std::string& id, const csms::Options& options, const Settings& settings) {
    csms::Csms csms(options);
    Fleet fleet(Delivery::poll);
    fleet.connect(id, csms.url(), settings);
    const Record error = failure(fleet, id);
    CHECK(error.code != 0);
    words[id] = error.data;
    // Not even the request, which would hold the Authorization header.
    CHECK(csms.counters().upgrades_accepted + csms.counters().upgrades_refused == 0);
    fleet.finish();
  };
  attempt("unknown CA", good, with("csms.tls.ca_cert", pki.stranger_ca_file));
  attempt("not the system's", good, auth);
  attempt("another name", pki.server({"DNS:elsewhere.example"}), with("csms.tls.ca_cert", pki.ca_file));
  attempt("expired", pki.server({"IP:127.0.0.1"}, -60), with("csms.tls.ca_cert", pki.ca_file));
  CHECK_THAT(words["unknown CA"], Contains("csms.tls.ca_cert"));
  CHECK_THAT(words["another name"], Contains("127.0.0.1") && Contains("elsewhere.example"));
  CHECK_THAT(words["expired"], Contains("expired"));
  CHECK(words["unknown CA"].substr(10) != words["expired"].substr(10));
}

TEST_CASE("insecure_skip_verify connects to anybody and says so loudly each time") {
  Pki pki;
  csms::Csms csms(pki.server({"DNS:elsewhere.example"}, -60));
  Fleet fleet(Delivery::poll, quick({{"csms.tls.insecure_skip_verify", "true"}}));
  fleet.connected("CP1", csms.url());
  csms.close_all(1000, "");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  REQUIRE(count(fleet.records(), CWIRE_EVENT_LOG, "CP1") == 2);
  for (const Record& record : fleet.records()) {
    if (record.type != CWIRE_EVENT_LOG) continue;
    CHECK(record.code == CWIRE_LOG_WARNING);
    CHECK_THAT(record.data, Contains("CP1") && Contains("NOT verified") && Contains("insecure_skip_verify"));
  }
  fleet.finish();
}

TEST_CASE("a port without TLS is TLS and no plain request follows") {
  raw::Server server;
  Fleet fleet(Delivery::poll);
  fleet.connect("CP1", "wss" + server.url().substr(2),
                {{"csms.auth.type", "basic"}, {"csms.auth.password", kPassword}});
  auto peer = server.accept();
  peer.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  CHECK_THAT(failure(fleet, "CP1").data, Contains("127.0.0.1"));
  CHECK_THAT(peer.read_all(), !Contains("GET") && !Contains("Authorization"));
  fleet.finish(0);
}

TEST_CASE("a TLS handshake that does not end is limited by the connection timeout") {
  raw::Server server;
  Fleet fleet(Delivery::handler);
  fleet.connect("CP1", "wss" + server.url().substr(2), {{"csms.connection_timeout", "300ms"}});
  auto peer = server.accept();
  CHECK_THAT(failure(fleet, "CP1").data, Contains("timed out"));
  fleet.finish();
}

TEST_CASE("certificates and keys are read and checked at connect") {
  Pki pki;
  Fleet fleet(Delivery::poll);
  Bystanders bystanders(fleet);
  const pki::Identity one = pki::make_signed({"one"}, pki.ca);
  const pki::Identity other = pki::make_signed({"other"}, pki.ca);
  const std::string certificate = pki.directory.write("one.pem", one.certificate_pem());
  const std::string key = pki.directory.write("one.key", one.key_pem());
  const std::string encrypted = pki.directory.write("encrypted.key", one.encrypted_key_pem("right"));
  const std::string other_key = pki.directory.write("other.key", other.key_pem());
  const std::string rubbish = pki.directory.write("rubbish.pem", "rubbish");
  struct Case {
    Settings settings;
    std::string words;
    cwire_status status = CWIRE_E_TLS;
  };
  const std::vector<Case> cases = {
      {{{"csms.tls.ca_cert", pki.directory.path("missing.pem")}}, "missing.pem"},
      {{{"csms.tls.ca_cert", rubbish}}, "csms.tls.ca_cert"},
      {{{"csms.tls.client_cert", certificate}},
       "csms.tls.client_key",
       CWIRE_E_CONFIG},  // the options do not go together
      {{{"csms.tls.client_cert", rubbish}, {"csms.tls.client_key", key}}, "csms.tls.client_cert"},
      {{{"csms.tls.client_cert", certificate}, {"csms.tls.client_key", rubbish}}, "csms.tls.client_key"},
      {{{"csms.tls.client_cert", certificate}, {"csms.tls.client_key", other_key}}, "csms.tls.client_key"},
      {{{"csms.tls.client_cert", certificate}, {"csms.tls.client_key", encrypted}}, "csms.tls.client_key"},
      {{{"csms.tls.client_cert", certificate},
        {"csms.tls.client_key", encrypted},
        {"csms.tls.client_key_password", "wrong secret"}},
       "csms.tls.client_key"},
      {{{"csms.tls.client_cert", certificate}, {"csms.tls.client_key_pem", one.encrypted_key_pem("right")}},
       "csms.tls.client_key_pem is encrypted; set csms.tls.client_key_password"},
      {{{"csms.tls.client_cert", certificate}, {"csms.tls.client_key_pem", other.key_pem()}},
       "it is not the key of csms.tls.client_cert"},
      {{{"csms.tls.client_cert", certificate}, {"csms.tls.client_key_uri", "pkcs11:pin-value=wrong secret"}},
       "no OpenSSL provider knows the scheme 'pkcs11'"}};
  for (const Case& c : cases) {
    const Config config(c.settings);
    Error error;
    cwire_station station = nullptr;
    CHECK(cwire_manager_connect(fleet.manager, "CP1", "wss://127.0.0.1:1", config, 0, &station, &error) == c.status);
    CHECK_THAT(error.text(), Contains(c.words) && !Contains("wrong secret"));
    CHECK(station == nullptr);
  }
  // tls.enabled forbids to go without.
  const Config enabled(Settings{{"csms.tls.enabled", "true"}});
  Error error;
  CHECK(cwire_manager_connect(fleet.manager, "CP1", "ws://127.0.0.1:1", enabled, 0, nullptr, &error) == CWIRE_E_CONFIG);
  CHECK_THAT(error.text(), Contains("wss://") && Contains("csms.tls.enabled"));
  bystanders.check();
  fleet.finish();
}

TEST_CASE("a security profile enforces what it is made of, at connect and on the wire") {
  Pki pki;
  Fleet fleet(Delivery::poll, quick({{"csms.tls.ca_cert", pki.ca_file}}));
  const auto refusal = [&](const Settings& settings, const std::string& url) {
    const Config config(settings);
    Error error;
    CHECK(cwire_manager_connect(fleet.manager, "CP1", url.c_str(), config, 0, nullptr, &error) == CWIRE_E_CONFIG);
    CHECK_THAT(error.text(), Contains("CP1: ") && Contains("csms.security_profile") && !Contains(kPassword));
    return error.text();
  };
  const Settings basic = {{"csms.auth.type", "basic"}, {"csms.auth.password", kPassword}};
  const auto with = [&](const std::string& profile, Settings settings) {
    settings.emplace_back("csms.security_profile", profile);
    return settings;
  };
  // Never in the clear without being asked for, never less than what was asked for.
  CHECK_THAT(refusal(basic, "ws://127.0.0.1:1"), Contains("csms.auth.type is basic"));
  CHECK_THAT(refusal(with("2", basic), "ws://127.0.0.1:1"), Contains("the URL is ws://"));
  CHECK_THAT(refusal(with("3", basic), "wss://127.0.0.1:1"), Contains("csms.tls.client_cert is not set"));
  CHECK_THAT(refusal(with("2", {}), "wss://127.0.0.1:1"), Contains("csms.auth.type is none"));
  Settings lacking = with("2", basic);
  lacking.emplace_back("csms.tls.ciphers", "ECDHE-RSA-AES128-GCM-SHA256");
  CHECK_THAT(refusal(lacking, "wss://127.0.0.1:1"), Contains("csms.tls.ciphers"));

  csms::Options options;
  options.password = kPassword;
  csms::Csms plain(options);
  fleet.connected("CP1", plain.url(), with("1", basic));
  csms::Options over_tls = pki.server();
  over_tls.password = kPassword;
  csms::Csms secure(over_tls);
  fleet.connected("CP2", secure.url(), with("2", basic));
  csms::Options mutual = pki.server();
  mutual.client_ca_file = pki.ca_file;
  csms::Csms certified(mutual);
  const pki::Identity station = pki::make_signed({"CP3"}, pki.ca);
  fleet.connected("CP3", certified.url(),
                  with("3", {{"csms.tls.client_cert_pem", station.certificate_pem()},
                             {"csms.tls.client_key_pem", station.key_pem()}}));
  fleet.finish();
}

namespace {

// The station is where it was, and messages go both ways.
void lives(Fleet& fleet, raw::TlsConnection& peer, const std::string& id, std::size_t messages) {
  peer.send(raw::frame(raw::text, "still there?"));
  REQUIRE(fleet.wait_for(CWIRE_EVENT_MESSAGE, id, messages));
  REQUIRE(cwire_manager_send(fleet.manager, id.c_str(), "yes", 3, 0, 0) == CWIRE_OK);
  const auto frame = peer.read_frame();
  REQUIRE(frame);
  CHECK(frame->payload == "yes");
}

std::size_t warnings(const Records& records, const std::string& words) {
  std::size_t found = 0;
  for (const Record& record : records) {
    const bool is_warning = record.type == CWIRE_EVENT_LOG && record.code == CWIRE_LOG_WARNING;
    if (is_warning && record.data.find(words) != std::string::npos) ++found;
  }
  return found;
}

}  // namespace

TEST_CASE("a token that goes out without TLS is warned of at each attempt, and is in no warning") {
  csms::Options options;
  csms::Csms csms(options);
  Fleet fleet(Delivery::poll, quick({{"csms.auth.type", "bearer"}, {"csms.auth.token", "a-token-of-sixteen"}}));
  fleet.connected("CP1", csms.url());
  csms.close_all(1000, "");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  REQUIRE(fleet.wait([](const Records& records) { return warnings(records, "without TLS") == 2; }));
  fleet.finish();
  CHECK(count(fleet.records(), CWIRE_EVENT_LOG, "CP1") == 2);
}

TEST_CASE("a renewed certificate is shown by the next attempt, and no living connection is dropped for it") {
  Pki pki;
  const pki::Identity server_identity = pki::make_signed({"localhost", {"DNS:localhost"}}, pki.ca);
  pki::ServerOptions options;
  options.identity = &server_identity;
  options.client_ca = &pki.ca;
  raw::TlsServer server(options);
  const pki::Identity first = pki::make_signed({"first"}, pki.ca);
  const pki::Identity second = pki::make_signed({"second"}, pki.ca);
  const pki::Identity third = pki::make_signed({"third"}, pki.ca);
  Fleet fleet(Delivery::handler,
              quick({{"csms.security_profile", "3"},
                     {"csms.tls.ca_cert", pki.ca_file},
                     {"csms.tls.client_cert", pki.directory.write("station.pem", first.certificate_pem())},
                     {"csms.tls.client_key", pki.directory.write("station.key", first.key_pem())}}));
  const auto next = [&](const std::string& id, std::size_t connections) {
    auto peer = server.accept();
    REQUIRE(peer);
    peer->upgrade();
    REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, id, connections));
    return std::move(*peer);
  };
  fleet.connect("CP1", server.url());
  raw::TlsConnection living = next("CP1", 1);
  CHECK(living.client_name() == "first");

  pki.directory.replace("station.pem", second.certificate_pem());
  pki.directory.replace("station.key", second.key_pem());
  fleet.connect("CP2", server.url());
  raw::TlsConnection renewed = next("CP2", 1);
  CHECK(renewed.client_name() == "second");
  lives(fleet, living, "CP1", 1);

  // Half of the next renewal: what was read before serves on, loudly.
  pki.directory.replace("station.pem", third.certificate_pem());
  CHECK(warnings(fleet.records(), "csms.tls.client_key") == 0);
  living.cut();
  raw::TlsConnection back = next("CP1", 2);
  CHECK(back.client_name() == "second");
  REQUIRE(fleet.wait([](const Records& records) { return warnings(records, "what was read before is used") == 1; }));
  lives(fleet, renewed, "CP2", 1);

  pki.directory.replace("station.key", third.key_pem());
  // No call is needed for it. Files that could not be used are looked at again after a while.
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::optional<raw::TlsConnection> latest(std::move(back));
  for (std::size_t connections = 3; latest->client_name() != "third"; ++connections) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    latest->cut();
    latest.emplace(next("CP1", connections));
  }
  fleet.connect("CP3", server.url());
  raw::TlsConnection newest = next("CP3", 1);
  CHECK(newest.client_name() == "third");
  CHECK(count(fleet.records(), CWIRE_EVENT_DISCONNECTED, "CP2") == 0);
  renewed.cut();
  CHECK(next("CP2", 2).client_name() == "third");
  fleet.finish(0);
}

TEST_CASE("a revocation list that came since keeps a server out, and drops no living connection") {
  Pki pki;
  const pki::Identity bad = pki::make_signed({"localhost", {"DNS:localhost"}}, pki.ca);
  const pki::Identity good = pki::make_signed({"localhost", {"DNS:localhost"}}, pki.ca);
  pki::ServerOptions options;
  options.identity = &bad;
  raw::TlsServer server(options);
  Fleet fleet(Delivery::handler,
              quick({{"csms.tls.ca_cert", pki.ca_file},
                     {"csms.tls.crl_file", pki.directory.write("crl.pem", pki::crl_pem(pki.ca, {}))}}));
  fleet.connect("CP1", server.url());
  auto peer = server.accept();
  REQUIRE(peer);
  peer->upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  pki.directory.replace("crl.pem", pki::crl_pem(pki.ca, {&bad}));
  lives(fleet, *peer, "CP1", 1);
  peer->cut();
  // It would have resumed a session, which shows no certificate; but sessions do not outlive the list.
  CHECK_FALSE(server.accept());
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1"));
  CHECK(must(first(fleet.records(), CWIRE_EVENT_ERROR, "CP1")).failure.x509_error == X509_V_ERR_CERT_REVOKED);
  options.identity = &good;
  server.use(options);
  auto again = server.accept();
  REQUIRE(again);
  again->upgrade();
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  fleet.finish(0);
}

TEST_CASE("a key log is written only on demand, and each connection says so") {
  Pki pki;
  csms::Csms csms(pki.server());
  Fleet fleet(Delivery::poll, quick({{"csms.tls.ca_cert", pki.ca_file}}));
  const std::string file = pki.directory.path("keys.log");
  fleet.connected("CP1", csms.url());
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK(warnings(fleet.records(), "key_log_file") == 0);
  fleet.connected("CP2", csms.url(), {{"csms.tls.key_log_file", file}});
  struct stat made {};
  REQUIRE(::stat(file.c_str(), &made) == 0);
  CHECK((made.st_mode & 0777) == 0600);
  CHECK(made.st_size > 0);
  REQUIRE(fleet.wait([](const Records& records) { return warnings(records, "csms.tls.key_log_file") == 1; }));
  fleet.finish();
}
