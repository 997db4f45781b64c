#include <openssl/conf.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <new>
#include <random>
#include <sstream>

#include "failing_calls.h"
#include "net_test_peer.h"
#include "test_pki.h"
#include "tls/context.h"
#include "tls_test_server.h"

using namespace cwire;

namespace {

const pki::Identity& ca() {
  static const pki::Identity identity = pki::make_self_signed({"Test CA", {}, true});
  return identity;
}

// A dialled TLS channel that trusts ca() and expects "csms.example".
struct TlsDialled : peer::Dialled {
  pki::TemporaryDirectory directory;
  TlsSettings settings;
  std::string server_name = "csms.example";
  std::string address = "127.0.0.1";

  TlsDialled() { settings.ca_cert = directory.write("ca.pem", ca().certificate_pem()); }
  void use(const pki::Identity& station) {
    settings.client_cert = directory.write("station.pem", station.certificate_pem());
    settings.client_key = directory.write("station.key", station.key_pem());
  }
  void dial(std::uint16_t port) {
    Channel::Target target;
    target.host = address;
    target.port = port;
    target.tls = std::make_shared<TlsContext>(settings);
    target.server_name = server_name;
    open(std::move(target));
  }
};

pki::Identity server_for(std::vector<std::string> names, const std::string& common_name = "server") {
  return pki::make_signed({common_name, std::move(names)}, ca());
}

pki::ServerOptions options_of(const pki::Identity& identity) {
  pki::ServerOptions options;
  options.identity = &identity;
  return options;
}

// The failure of dialling a server with this certificate.
Failure refused(TlsDialled& test, const pki::Identity& identity) {
  peer::TlsServer server(options_of(identity));
  test.dial(server.port());
  const Failure failure = test.record.wait_failure();
  REQUIRE_FALSE(test.record.opened());
  REQUIRE(failure.status == CWIRE_E_TLS);
  REQUIRE_THAT(failure.message, Catch::StartsWith("TLS: "));
  REQUIRE_THAT(failure.message, Catch::Contains(":" + std::to_string(server.port())));
  REQUIRE(failure.message.size() < 240);
  test.loop.run([&] { test.channel.reset(); });
  return failure;
}

bool accepted(TlsDialled& test, const pki::ServerOptions& options, std::string* server_name = nullptr,
              std::string* cipher = nullptr) {
  peer::TlsServer server(options);
  test.dial(server.port());
  const bool opened = test.record.wait_open();
  test.loop.run([&] { test.channel->close(); });
  server.join();
  if (server_name != nullptr) *server_name = server.server_name();
  if (cipher != nullptr) *cipher = server.cipher();
  return opened && server.accepted();
}

}  // namespace

TEST_CASE("a verified server is accepted by name, with SNI") {
  std::string sni;
  std::string expected = "csms.example";
  SECTION("in the SAN") {
    TlsDialled test;
    REQUIRE(accepted(test, options_of(server_for({"DNS:csms.example"})), &sni));
  }
  SECTION("in the CN, where there is no SAN dnsName") {
    TlsDialled test;
    REQUIRE(accepted(test, options_of(server_for({}, "csms.example")), &sni));
  }
  SECTION("by wildcard") {
    TlsDialled test;
    test.server_name = expected = "a.csms.example";
    REQUIRE(accepted(test, options_of(server_for({"DNS:*.csms.example"})), &sni));
  }
  SECTION("written with the dot of the root") {
    TlsDialled test;
    test.server_name = "csms.example.";
    REQUIRE(accepted(test, options_of(server_for({"DNS:csms.example"})), &sni));
  }
  REQUIRE(sni == expected);
}

TEST_CASE("an address is verified against the IP SANs and sends no SNI") {
  std::string sni = "unset";
  TlsDialled test;
  SECTION("IPv4") { test.server_name = "127.0.0.1"; }
  SECTION("IPv6") { test.server_name = "::1"; }
  SECTION("IPv6 with a zone") { test.server_name = "::1%lo"; }
  SECTION("the host, when no server name is given") { test.server_name.clear(); }
  REQUIRE(accepted(test, options_of(server_for({"IP:127.0.0.1", "IP:::1"})), &sni));
  REQUIRE(sni.empty());
}

TEST_CASE("each reason not to accept a certificate has its own text and code") {
  TlsDialled test;
  Failure failure;
  const auto check = [&](int code, std::vector<std::string> parts) {
    CAPTURE(failure.message);
    REQUIRE(failure.code.number == code);
    parts.push_back("(X509 error " + std::to_string(code) + ")");
    for (const std::string& part : parts) REQUIRE_THAT(failure.message, Catch::Contains(part));
  };
  SECTION("expired") {
    failure = refused(test, pki::make_signed({"s", {"DNS:csms.example"}, false, -7200, -3600}, ca()));
    check(X509_V_ERR_CERT_HAS_EXPIRED, {"the certificate of csms.example:", "has expired", "clock"});
  }
  SECTION("not yet valid") {
    failure = refused(test, pki::make_signed({"s", {"DNS:csms.example"}, false, 3600, 7200}, ca()));
    check(X509_V_ERR_CERT_NOT_YET_VALID, {"is not valid yet"});
  }
  SECTION("self-signed") {
    failure = refused(test, pki::make_self_signed({"csms.example", {"DNS:csms.example"}}));
    check(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, {"is self-signed", "csms.tls.ca_cert"});
  }
  SECTION("of an unknown CA") {
    const pki::Identity other = pki::make_self_signed({"Other CA", {}, true});
    failure = refused(test, pki::make_signed({"s", {"DNS:csms.example"}}, other));
    check(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, {"is signed by an unknown CA", "csms.tls.ca_cert"});
  }
  SECTION("against the system's store") {
    test.settings.ca_cert.clear();
    failure = refused(test, server_for({"DNS:csms.example"}));
    check(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, {"is signed by an unknown CA"});
  }
  SECTION("of an unknown CA that is sent along") {
    const pki::Identity other = pki::make_self_signed({"Other CA", {}, true});
    const pki::Identity identity = pki::make_signed({"s", {"DNS:csms.example"}}, other);
    pki::ServerOptions options = options_of(identity);
    options.chain = {&other};
    peer::TlsServer server(options);
    test.dial(server.port());
    failure = test.record.wait_failure();
    check(X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, {"CA that is not trusted"});
  }
  SECTION("of an expired CA") {
    const pki::Identity old = pki::make_self_signed({"Old CA", {}, true, -7200, -3600});
    test.settings.ca_cert = test.directory.write("old.pem", old.certificate_pem());
    failure = refused(test, pki::make_signed({"s", {"DNS:csms.example"}}, old));
    check(X509_V_ERR_CERT_HAS_EXPIRED, {"a CA certificate in the chain of csms.example:", "has expired"});
  }
  SECTION("for another host") {
    failure = refused(test, server_for({"DNS:a.example", "DNS:b.example", "IP:192.0.2.7"}));
    check(X509_V_ERR_HOSTNAME_MISMATCH, {"is for another host", "it is for a.example, b.example, 192.0.2.7"});
  }
  SECTION("for another host, by its CN") {
    failure = refused(test, server_for({}, "a.example"));
    check(X509_V_ERR_HOSTNAME_MISMATCH, {"it is for a.example"});
  }
  SECTION("with the host in the CN but not among its SANs") {
    failure = refused(test, server_for({"DNS:a.example"}, "csms.example"));
    check(X509_V_ERR_HOSTNAME_MISMATCH, {"it is for a.example"});
  }
  SECTION("with a wildcard for part of a label") {
    test.server_name = "csms.region.example";
    failure = refused(test, server_for({"DNS:csm*.region.example"}));
    check(X509_V_ERR_HOSTNAME_MISMATCH, {"is for another host"});
  }
  SECTION("with names that would forge a line of a log") {
    failure = refused(test, server_for({}, "evil\nline\x1b[31m"));
    check(X509_V_ERR_HOSTNAME_MISMATCH, {"it is for evil?line?[31m"});
  }
  SECTION("with very many names") {
    std::vector<std::string> names;
    for (int i = 0; i < 100; ++i) names.push_back("DNS:host-" + std::to_string(i) + ".example");
    failure = refused(test, server_for(names));
    check(X509_V_ERR_HOSTNAME_MISMATCH, {"host-0.example"});
  }
  SECTION("for another address") {
    test.server_name = "127.0.0.1";
    failure = refused(test, server_for({"IP:192.0.2.7"}, "127.0.0.1"));
    check(X509_V_ERR_IP_ADDRESS_MISMATCH, {"is not for this address", "it is for 192.0.2.7"});
  }
  SECTION("for clients only") {
    failure = refused(test, pki::make_signed({"s", {"DNS:csms.example"}, false, -60, 60, "clientAuth"}, ca()));
    check(X509_V_ERR_INVALID_PURPOSE, {"is not for a TLS server"});
  }
  SECTION("with a small key") {
    failure = refused(test, pki::make_signed({"s", {"DNS:csms.example"}}, ca(), pki::make_rsa_key(1024)));
    check(X509_V_ERR_EE_KEY_TOO_SMALL, {"key that is too small", "2048"});
  }
  SECTION("signed with SHA-1") {
    pki::Subject subject{"s", {"DNS:csms.example"}};
    subject.digest = "SHA1";
    failure = refused(test, pki::make_signed(subject, ca()));
    check(X509_V_ERR_CA_MD_TOO_WEAK, {"broken hash", "SHA-256"});
  }
  SECTION("by wildcard, under the rules of OCPP") {
    test.settings.ocpp_rules = true;
    test.server_name = "csms.fleet.example";
    failure = refused(test, server_for({"DNS:*.fleet.example"}));
    check(X509_V_ERR_APPLICATION_VERIFICATION,
          {"is for a wildcard", "it is for *.fleet.example", "csms.tls.allow_wildcards"});
  }
  SECTION("by wildcard in the CN, under the rules of OCPP") {
    test.settings.ocpp_rules = true;
    test.server_name = "csms.fleet.example";
    failure = refused(test, server_for({}, "*.fleet.example"));
    check(X509_V_ERR_APPLICATION_VERIFICATION, {"is for a wildcard"});
  }
  SECTION("by a wildcard for others, under the rules of OCPP") {
    test.settings.ocpp_rules = true;
    failure = refused(test, server_for({"DNS:*.other.example"}));
    check(X509_V_ERR_HOSTNAME_MISMATCH, {"is for another host"});
  }
  SECTION("revoked") {
    const pki::Identity identity = server_for({"DNS:csms.example"});
    test.settings.crl_file = test.directory.write("crl.pem", pki::crl_pem(ca(), {&identity}));
    failure = refused(test, identity);
    check(X509_V_ERR_CERT_REVOKED, {"was revoked"});
  }
  SECTION("of a CA without revocation list, where there are some") {
    const pki::Identity other = pki::make_self_signed({"Other CA", {}, true});
    test.settings.crl_file = test.directory.write("crl.pem", pki::crl_pem(other, {}));
    failure = refused(test, server_for({"DNS:csms.example"}));
    check(X509_V_ERR_UNABLE_TO_GET_CRL, {"the certificate of", "is not covered by csms.tls.crl_file"});
  }
  SECTION("of a CA whose revocation list is out of date") {
    test.settings.crl_file = test.directory.write("crl.pem", pki::crl_pem(ca(), {}, -60));
    failure = refused(test, server_for({"DNS:csms.example"}));
    check(X509_V_ERR_CRL_HAS_EXPIRED, {"list is out of date", "renew csms.tls.crl_file"});
  }
  SECTION("of an intermediate CA whose CA's revocation list is out of date") {
    const pki::Identity intermediate = pki::make_signed({"I", {}, true}, ca());
    const pki::Identity identity = pki::make_signed({"s", {"DNS:csms.example"}}, intermediate);
    test.settings.crl_file =
        test.directory.write("crl.pem", pki::crl_pem(intermediate, {}) + pki::crl_pem(ca(), {}, -60));
    pki::ServerOptions options = options_of(identity);
    options.chain = {&intermediate};
    peer::TlsServer server(options);
    test.dial(server.port());
    failure = test.record.wait_failure();
    check(X509_V_ERR_CRL_HAS_EXPIRED, {"a CA certificate in the chain of", "renew csms.tls.crl_file"});
  }
  SECTION("of an intermediate CA that was revoked") {
    const pki::Identity intermediate = pki::make_signed({"I", {}, true}, ca());
    const pki::Identity identity = pki::make_signed({"s", {"DNS:csms.example"}}, intermediate);
    test.settings.crl_file =
        test.directory.write("crl.pem", pki::crl_pem(intermediate, {}) + pki::crl_pem(ca(), {&intermediate}));
    pki::ServerOptions options = options_of(identity);
    options.chain = {&intermediate};
    peer::TlsServer server(options);
    test.dial(server.port());
    failure = test.record.wait_failure();
    check(X509_V_ERR_CERT_REVOKED, {"a CA certificate in the chain of", "was revoked"});
  }
  SECTION("signed by what is no CA") {
    const pki::Identity no_ca = server_for({"DNS:no-ca.example"});
    const pki::Identity identity = pki::make_signed({"s", {"DNS:csms.example"}}, no_ca);
    pki::ServerOptions options = options_of(identity);
    options.chain = {&no_ca};
    peer::TlsServer server(options);
    test.dial(server.port());
    failure = test.record.wait_failure();
    check(X509_V_ERR_INVALID_CA, {"is signed by a certificate that is no CA"});
  }
}

TEST_CASE("what the revocation lists say nothing against is accepted, also where the CA has no list above it") {
  TlsDialled test;
  const pki::Identity intermediate = pki::make_signed({"I", {}, true}, ca());
  const pki::Identity identity = pki::make_signed({"s", {"DNS:csms.example"}}, intermediate);
  const pki::Identity other = pki::make_signed({"s", {"DNS:csms.example"}}, intermediate);
  test.settings.crl_file = test.directory.write("crl.pem", pki::crl_pem(intermediate, {&other}));
  pki::ServerOptions options = options_of(identity);
  options.chain = {&intermediate};
  REQUIRE(accepted(test, options));
}

TEST_CASE("five intermediate CAs are followed, six are too many") {
  std::vector<pki::Identity> chain;
  for (int i = 0; i < 6; ++i) {
    chain.push_back(pki::make_signed({"I" + std::to_string(i), {}, true}, chain.empty() ? ca() : chain.back()));
  }
  TlsDialled test;
  const auto with = [&](std::size_t intermediates) {
    const pki::Identity identity = pki::make_signed({"s", {"DNS:csms.example"}}, chain[intermediates - 1]);
    pki::ServerOptions options = options_of(identity);
    for (std::size_t i = 0; i < intermediates; ++i) options.chain.push_back(&chain[i]);
    peer::TlsServer server(options);
    test.dial(server.port());
    server.join();
    return server.accepted();
  };
  SECTION("five") {
    test.record.when_open = [&] { test.channel->close(); };
    REQUIRE(with(5));
  }
  SECTION("six") {
    REQUIRE_FALSE(with(6));
    const Failure failure = test.record.wait_failure();
    REQUIRE(failure.code.number == X509_V_ERR_CERT_CHAIN_TOO_LONG);
    REQUIRE_THAT(failure.message, Catch::Contains("the certificate of") && Catch::Contains("chain that is too long"));
  }
}

TEST_CASE("under the rules of OCPP the CN counts where there is no SAN dnsName, and wildcards where they are allowed") {
  TlsDialled test;
  test.settings.ocpp_rules = true;
  SECTION("the CN") { REQUIRE(accepted(test, options_of(server_for({"IP:127.0.0.1"}, "csms.example")))); }
  SECTION("a wildcard") {
    test.settings.allow_wildcards = true;
    test.server_name = "csms.fleet.example";
    REQUIRE(accepted(test, options_of(server_for({"DNS:*.fleet.example"}))));
  }
}

TEST_CASE("the secrets of connections are written where the configuration says so, whatever the environment says") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  TlsDialled test;
  const std::string of_environment = test.directory.path("environment.log");
  ::setenv("SSLKEYLOGFILE", of_environment.c_str(), 1);
  const bool asked = GENERATE(true, false);
  const std::string file = test.directory.path("keys.log");
  if (asked) test.settings.key_log_file = file;
  const pki::Identity identity = server_for({"DNS:csms.example"});
  pki::ServerOptions options = options_of(identity);
  options.version_max = version;
  if (asked) REQUIRE(::chmod(test.directory.write("keys.log", "# of before\n").c_str(), 0600) == 0);
  REQUIRE(accepted(test, options));
  ::unsetenv("SSLKEYLOGFILE");
  REQUIRE_FALSE(std::ifstream(of_environment));
  std::ifstream written(file);
  REQUIRE(static_cast<bool>(written) == asked);
  if (!asked) return;
  std::string line, first;
  REQUIRE(std::getline(written, line));
  REQUIRE(line == "# of before");
  while (std::getline(written, line)) {
    std::istringstream words(line);
    std::string label, random, secret, rest;
    REQUIRE(words >> label >> random >> secret);
    REQUIRE_FALSE(words >> rest);
    REQUIRE(random.size() == 64);
    if (first.empty()) first = label;
  }
  REQUIRE(first == (version == TLS1_2_VERSION ? "CLIENT_RANDOM" : "SERVER_HANDSHAKE_TRAFFIC_SECRET"));
}

TEST_CASE("after a refused certificate a right one is accepted, with the same context") {
  TlsDialled test;
  const auto context = std::make_shared<TlsContext>(test.settings);
  const pki::Identity wrong = server_for({"DNS:other.example"});
  const pki::Identity right = server_for({"DNS:csms.example"});
  for (const pki::Identity* identity : {&wrong, &right}) {
    peer::TlsServer server(options_of(*identity));
    peer::Dialled dialled;
    Channel::Target target;
    target.host = "127.0.0.1";
    target.port = server.port();
    target.tls = context;
    target.server_name = "csms.example";
    dialled.open(target);
    REQUIRE(dialled.record.wait_open() == (identity == &right));
  }
}

TEST_CASE("insecure_skip_verify accepts anything, still with SNI") {
  TlsDialled test;
  test.settings.insecure_skip_verify = true;
  std::string sni;
  REQUIRE(accepted(test, options_of(pki::make_self_signed({"other", {}, false, -7200, -3600})), &sni));
  REQUIRE(sni == "csms.example");
}

TEST_CASE("a server name that no certificate can be for is refused") {
  TlsDialled test;
  test.server_name = std::string(300, 'a');
  const pki::Identity identity = server_for({"DNS:csms.example"});
  peer::Listener listener;
  test.dial(listener.port());
  const Failure failure = test.record.wait_failure();
  REQUIRE(failure.status == CWIRE_E_TLS);
  REQUIRE_THAT(failure.message, Catch::Contains("csms.tls.server_name"));
}

TEST_CASE("a stream that OpenSSL has no memory to take note of is not begun") {
  // Else its callbacks, when a ticket comes or a certificate is refused, would find none.
  const TlsContext context{TlsSettings()};
  fixture::fail_next(fixture::Call::ssl_set_ex_data);
  REQUIRE_THROWS_AS(context.open(-1, "csms.example", 443), std::bad_alloc);
  REQUIRE_NOTHROW(context.open(-1, "csms.example", 443));
}

TEST_CASE("that there was no memory for the first stream of a process does not keep others from opening") {
  const TlsContext context{TlsSettings()};
  fixture::fail_next(fixture::Call::bio_meth_new);
  try {
    context.open(-1, "csms.example", 443);
    WARN("not the first stream of this process; run this test alone");
  } catch (const std::bad_alloc&) {
  }
  fixture::fail_next(fixture::Call::bio_meth_new, 0);
  REQUIRE_NOTHROW(context.open(-1, "csms.example", 443));
}

TEST_CASE("the cipher suites of OCPP are spoken in TLS 1.2, and TLS 1.3 is") {
  const pki::Identity ecdsa = server_for({"DNS:csms.example"});
  const pki::Identity rsa = pki::make_signed({"s", {"DNS:csms.example"}}, ca(), pki::make_rsa_key(2048));
  std::string cipher;
  for (const char* name :
       {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES256-GCM-SHA384", "AES128-GCM-SHA256", "AES256-GCM-SHA384"}) {
    TlsDialled test;
    pki::ServerOptions options = options_of(std::string(name).find("ECDSA") != std::string::npos ? ecdsa : rsa);
    options.version_max = TLS1_2_VERSION;
    options.ciphers = name;
    REQUIRE(accepted(test, options, nullptr, &cipher));
    REQUIRE(cipher == name);
  }
  TlsDialled test;
  test.settings.version_min = TlsVersion::tls1_3;
  REQUIRE(accepted(test, options_of(ecdsa), nullptr, &cipher));
  REQUIRE_THAT(cipher, Catch::StartsWith("TLS_"));
}

TEST_CASE("only the cipher suites that are named are offered") {
  const pki::Identity identity = server_for({"DNS:csms.example"});
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  TlsDialled test;
  test.settings.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305";
  test.settings.ciphersuites = "TLS_AES_128_GCM_SHA256";
  std::string cipher;
  pki::ServerOptions options = options_of(identity);
  options.version_max = version;
  REQUIRE(accepted(test, options, nullptr, &cipher));
  REQUIRE(cipher == (version == TLS1_2_VERSION ? test.settings.ciphers : test.settings.ciphersuites));
}

TEST_CASE("cipher suites are offered in order of preference") {
  const pki::Identity rsa = pki::make_signed({"s", {"DNS:csms.example"}}, ca(), pki::make_rsa_key(2048));
  const auto chosen_of = [&](const std::string& ciphers) {
    TlsDialled test;
    test.settings.ciphers = ciphers;
    pki::ServerOptions options = options_of(rsa);
    options.version_max = TLS1_2_VERSION;
    std::string cipher;
    REQUIRE(accepted(test, options, nullptr, &cipher));
    return cipher;
  };
  CHECK(chosen_of("") == "ECDHE-RSA-AES128-GCM-SHA256");
  CHECK(chosen_of("AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384") == "AES128-GCM-SHA256");
  CHECK(chosen_of("ECDHE-RSA-AES256-GCM-SHA384:AES128-GCM-SHA256") == "ECDHE-RSA-AES256-GCM-SHA384");
}

TEST_CASE("other cipher suites are not") {
  TlsDialled test;
  const pki::Identity rsa = pki::make_signed({"s", {"DNS:csms.example"}}, ca(), pki::make_rsa_key(2048));
  pki::ServerOptions options = options_of(rsa);
  options.version_max = TLS1_2_VERSION;
  options.ciphers = "ECDHE-RSA-AES128-SHA256:AES128-SHA:@SECLEVEL=0";
  peer::TlsServer server(options);
  test.dial(server.port());
  const Failure failure = test.record.wait_failure();
  REQUIRE_THAT(failure.message, Catch::Contains("no cipher suite in common"));
  REQUIRE(failure.security == SecurityEvent::invalid_tls_cipher_suite);
}

TEST_CASE("old versions of TLS are refused on both sides") {
  const pki::Identity identity = server_for({"DNS:csms.example"});
  TlsDialled test;
  pki::ServerOptions options = options_of(identity);
  SECTION("a server of TLS 1.1") { options.version_max = TLS1_1_VERSION; }
  SECTION("a server of TLS 1.2, when 1.3 is asked for") {
    options.version_max = TLS1_2_VERSION;
    test.settings.version_min = TlsVersion::tls1_3;
  }
  peer::TlsServer server(options);
  test.dial(server.port());
  const Failure failure = test.record.wait_failure();
  REQUIRE(failure.status == CWIRE_E_TLS);
  REQUIRE_THAT(failure.message, Catch::Contains("protocol version mismatch"));
}

namespace {

// What OpenSSL takes from a configuration file for every context, as the openssl.cnf of a machine may say.
class SystemDefault {
 public:
  explicit SystemDefault(const std::string& section) { REQUIRE(load(section)); }
  ~SystemDefault() { load("MinProtocol = TLSv1.2\n"); }
  SystemDefault(const SystemDefault&) = delete;
  SystemDefault& operator=(const SystemDefault&) = delete;

 private:
  bool load(const std::string& section) const {
    const std::string file = directory_.write("openssl.cnf",
                                              "openssl_conf = conf\n[conf]\nssl_conf = ssl\n[ssl]\n"
                                              "system_default = all\n[all]\n" +
                                                  section);
    return OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, nullptr) == 1 &&
           CONF_modules_load_file(file.c_str(), nullptr, 0) == 1;
  }

  const pki::TemporaryDirectory directory_;
};

}  // namespace

TEST_CASE("nothing is weaker because the machine's openssl.cnf is") {
  const SystemDefault weak(
      "MinProtocol = TLSv1\nMaxProtocol = TLSv1.2\nCipherString = ALL:@SECLEVEL=0\n"
      "Options = UnsafeLegacyServerConnect\n");
  TlsDialled test;
  SECTION("keys") {
    const Failure failure = refused(test, pki::make_signed({"s", {"DNS:csms.example"}}, ca(), pki::make_rsa_key(1024)));
    REQUIRE(failure.code.number == X509_V_ERR_EE_KEY_TOO_SMALL);
  }
  SECTION("the oldest version") {
    const pki::Identity identity = server_for({"DNS:csms.example"});
    pki::ServerOptions options = options_of(identity);
    options.version_max = TLS1_1_VERSION;
    peer::TlsServer server(options);
    test.dial(server.port());
    REQUIRE_THAT(test.record.wait_failure().message, Catch::Contains("protocol version mismatch"));
  }
  SECTION("the newest version") {
    std::string cipher;
    REQUIRE(accepted(test, options_of(server_for({"DNS:csms.example"})), nullptr, &cipher));
    REQUIRE_THAT(cipher, Catch::StartsWith("TLS_"));
  }
  SECTION("renegotiation") {
    peer::Listener listener;
    test.dial(listener.port());
    peer::Connection server = listener.accept();
    server.receive(5);
    // The ServerHello of TLS 1.2 for ECDHE-ECDSA-AES128-GCM-SHA256, without extensions.
    const std::string hello =
        std::string("\x02\x00\x00\x26\x03\x03", 6) + std::string(32, 'r') + std::string("\x00\xc0\x2b\x00", 4);
    server.send(std::string("\x16\x03\x03\x00", 4) + static_cast<char>(hello.size()) + hello);
    REQUIRE_THAT(test.record.wait_failure().message, Catch::Contains("unsafe legacy renegotiation disabled"));
  }
}

TEST_CASE("the system's authorities count where no other is named, and nowhere else") {
  TlsDialled test;
  const std::string of_system = test.settings.ca_cert;
  ::setenv("SSL_CERT_FILE", of_system.c_str(), 1);
  const pki::Identity identity = server_for({"DNS:csms.example"});
  SECTION("where no other is named") {
    test.settings.ca_cert.clear();
    REQUIRE(accepted(test, options_of(identity)));
  }
  SECTION("nowhere else") {
    const pki::Identity other = pki::make_self_signed({"Other CA", {}, true});
    test.settings.ca_cert = test.directory.write("other.pem", other.certificate_pem());
    REQUIRE(refused(test, identity).code.number == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
  }
  ::unsetenv("SSL_CERT_FILE");
}

TEST_CASE("mutual TLS") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  CAPTURE(version);
  const pki::Identity identity = server_for({"DNS:csms.example"});
  pki::ServerOptions options = options_of(identity);
  options.client_ca = &ca();
  options.version_max = version;
  TlsDialled test;
  SECTION("with a certificate of the right CA") {
    test.use(pki::make_signed({"CP001"}, ca()));
    REQUIRE(accepted(test, options));
  }
  SECTION("with a certificate of an intermediate CA that only the station knows") {
    const pki::Identity intermediate = pki::make_signed({"I", {}, true}, ca());
    const pki::Identity station = pki::make_signed({"CP001"}, intermediate);
    test.use(station);
    test.settings.client_cert =
        test.directory.write("chain.pem", station.certificate_pem() + intermediate.certificate_pem());
    REQUIRE(accepted(test, options));
  }
  SECTION("without a certificate") {
    peer::TlsServer server(options);
    test.dial(server.port());
    const Failure failure = test.record.wait_failure();
    REQUIRE(failure.security == SecurityEvent::none);  // in TLS 1.2 by the alert that also means no common suite
    CAPTURE(failure.message);
    REQUIRE(failure.status == CWIRE_E_TLS);
    REQUIRE_THAT(failure.message, Catch::Contains("client certificate") && Catch::Contains("csms.tls.client_cert"));
  }
  SECTION("with a certificate of another CA") {
    const pki::Identity other = pki::make_self_signed({"Other CA", {}, true});
    test.use(pki::make_signed({"CP001"}, other));
    peer::TlsServer server(options);
    test.dial(server.port());
    const Failure failure = test.record.wait_failure();
    REQUIRE(failure.status == CWIRE_E_TLS);
    REQUIRE_THAT(failure.message, Catch::Contains("does not know the CA of our client certificate"));
  }
  SECTION("with an expired certificate: the station still tries (OCPP 2.1 A00.FR.430)") {
    test.use(pki::make_signed({"CP001", {}, false, -7200, -3600}, ca()));
    peer::TlsServer server(options);
    test.dial(server.port());
    const Failure failure = test.record.wait_failure();
    REQUIRE(failure.status == CWIRE_E_TLS);
    REQUIRE_THAT(failure.message, Catch::Contains("refused our client certificate as expired"));
  }
}

TEST_CASE("a refused client certificate is told as such, also when our first write met the closed socket") {
  const pki::Identity identity = server_for({"DNS:csms.example"});
  pki::ServerOptions options = options_of(identity);
  options.client_ca = &ca();
  options.version_min = TLS1_3_VERSION;
  peer::TlsServer server(options);
  TlsDialled test;
  // Holds the thread until the server has refused and gone, then writes twice: the second meets a reset.
  test.record.when_open = [&] {
    server.join();
    std::string output = "GET / HTTP/1.1\r\n";
    test.channel->write(output);
    output = "\r\n";
    test.channel->write(output);
  };
  test.dial(server.port());
  const Failure failure = test.record.wait_failure();
  CAPTURE(failure.message);
  REQUIRE(failure.status == CWIRE_E_TLS);
  REQUIRE_THAT(failure.message, Catch::Contains("requires a client certificate"));
}

TEST_CASE("what is no TLS handshake is told apart") {
  peer::Listener listener;
  TlsDialled test;
  test.dial(listener.port());
  peer::Connection server = listener.accept();
  const std::string at = "csms.example:" + std::to_string(listener.port());
  server.receive(5);  // the ClientHello has begun to arrive
  std::string expected;
  SECTION("plain HTTP") {
    server.send("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    expected = at + " answered with something that is not TLS, plain HTTP perhaps";
  }
  SECTION("FIN") {
    ::shutdown(server.descriptor(), SHUT_WR);
    expected = at + " broke off the handshake: it closed the connection";
  }
  SECTION("RST") {
    server.reset();
    expected = at + " broke off the handshake: connection reset by peer";
  }
  const Failure failure = test.record.wait_failure();
  REQUIRE(failure.status == CWIRE_E_TLS);
  REQUIRE_THAT(failure.message, Catch::Contains(expected));
}

TEST_CASE("a handshake under way is named, and may be given up") {
  peer::Listener listener;
  TlsDialled test;
  test.dial(listener.port());
  peer::Connection server = listener.accept();
  server.receive(5);
  test.loop.run([&] {
    REQUIRE(test.channel->doing() ==
            "negotiating TLS with csms.example at 127.0.0.1:" + std::to_string(listener.port()));
    test.channel->close();
  });
  REQUIRE(test.record.ends() == 0);
}

TEST_CASE("close_notify is an end, FIN without it a truncation") {
  const pki::Identity identity = server_for({"DNS:csms.example"});
  TlsDialled test;
  SECTION("close_notify") {
    peer::TlsServer server(options_of(identity), [](SSL* ssl, peer::Connection&) {
      SSL_write(ssl, "bye", 3);
      SSL_shutdown(ssl);
    });
    test.dial(server.port());
    REQUIRE(test.record.wait_end());
    REQUIRE(test.record.data() == "bye");
  }
  SECTION("FIN alone") {
    peer::TlsServer server(options_of(identity), [](SSL* ssl, peer::Connection& connection) {
      SSL_write(ssl, "bye", 3);
      ::shutdown(connection.descriptor(), SHUT_WR);
      peer::TlsServer::drain(ssl, nullptr);
    });
    test.dial(server.port());
    const Failure failure = test.record.wait_failure();
    REQUIRE(test.record.data() == "bye");
    REQUIRE(failure.status == CWIRE_E_READ);
    REQUIRE_THAT(failure.message, Catch::Contains("truncated") && Catch::StartsWith("read tcp 127.0.0.1:"));
    test.loop.run([&] { test.channel.reset(); });
  }
}

TEST_CASE("close() says close_notify after the bytes, destroying does not") {
  const pki::Identity identity = server_for({"DNS:csms.example"});
  TlsDialled test;
  std::string received;
  int ending = 0;
  peer::TlsServer server(options_of(identity),
                         [&](SSL* ssl, peer::Connection&) { ending = peer::TlsServer::drain(ssl, &received); });
  test.dial(server.port());
  REQUIRE(test.record.wait_open());
  test.write("hello");
  SECTION("close") {
    test.loop.run([&] { test.channel->close(); });
    server.join();
    REQUIRE(ending == SSL_ERROR_ZERO_RETURN);
  }
  SECTION("destroy") {
    test.loop.run([&] { test.channel.reset(); });
    server.join();
    REQUIRE(ending != SSL_ERROR_ZERO_RETURN);
  }
  REQUIRE(received == "hello");
}

TEST_CASE("many small records in one segment are all delivered, without the socket becoming readable again") {
  constexpr int kRecords = 500;
  const pki::Identity identity = server_for({"DNS:csms.example"});
  TlsDialled test;
  peer::TlsServer server(options_of(identity), [](SSL* ssl, peer::Connection& connection) {
    // Sealed into memory first, so that they go out as one.
    BIO* memory = BIO_new(BIO_s_mem());
    SSL_set0_wbio(ssl, memory);
    for (int i = 0; i < kRecords; ++i) SSL_write(ssl, "0123456789", 10);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(memory, &bytes);
    connection.send(std::string(bytes, static_cast<std::size_t>(size)));
    char byte;
    while (::recv(connection.descriptor(), &byte, 1, 0) > 0) {
    }
  });
  bool paused = false;
  SECTION("straight through") {}
  SECTION("with a pause in the middle") {
    test.record.when_data = [&](const char*, std::size_t) {
      if (test.record.bytes() != 50) return;
      test.channel->pause_reading();
      paused = true;
    };
  }
  test.dial(server.port());
  if (test.record.when_data) {
    REQUIRE(test.record.wait_bytes(50));
    for (int turn = 0; turn < 20; ++turn) test.loop.run([] {});
    test.loop.run([&] {
      REQUIRE(paused);
      REQUIRE(test.record.bytes() == 50);
      test.channel->resume_reading();
    });
  }
  REQUIRE(test.record.wait_bytes(10 * kRecords));
  test.loop.run([&] { test.channel.reset(); });
}

TEST_CASE("ten megabytes go through TLS in both directions, with back-pressure and pauses") {
  constexpr std::size_t kSize = 10 << 20;
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  std::mt19937_64 random(version);
  std::string sent(kSize, '\0');
  for (char& byte : sent) byte = static_cast<char>(random());
  const pki::Identity identity = server_for({"DNS:csms.example"});
  pki::ServerOptions options = options_of(identity);
  options.version_max = version;
  peer::TlsServer server(options, [](SSL* ssl, peer::Connection&) {
    char buffer[50000];
    for (std::size_t done = 0; done < kSize;) {
      const int n = SSL_read(ssl, buffer, sizeof buffer);
      if (n <= 0 || SSL_write(ssl, buffer, n) != n) return;
      done += static_cast<std::size_t>(n);
    }
  });
  TlsDialled test;
  std::string output = sent;
  int reads = 0;
  test.record.when_open = [&] { test.channel->write(output); };
  test.record.when_writable = [&] { test.channel->write(output); };
  test.record.when_data = [&](const char*, std::size_t) {
    if (++reads % 11 != 0) return;
    test.channel->pause_reading();
    test.loop.thread().post([&] { test.channel->resume_reading(); });
  };
  test.dial(server.port());
  REQUIRE(test.record.wait_bytes(kSize));
  REQUIRE(test.record.data() == sent);
  test.loop.run([&] { test.channel.reset(); });
}

TEST_CASE("a listener may destroy a TLS channel from inside any call") {
  const std::string which = GENERATE("open", "data", "end", "failed");
  const pki::Identity identity = server_for({which == "failed" ? "DNS:other.example" : "DNS:csms.example"});
  peer::TlsServer server(options_of(identity), [](SSL* ssl, peer::Connection&) {
    SSL_write(ssl, "x", 1);
    SSL_shutdown(ssl);
  });
  TlsDialled test;
  std::promise<void> destroyed;
  const auto destroy = [&] {
    test.channel.reset();
    destroyed.set_value();
  };
  if (which == "open") test.record.when_open = destroy;
  if (which == "data") test.record.when_data = [&](const char*, std::size_t) { destroy(); };
  if (which == "end") test.record.when_end = destroy;
  if (which == "failed") test.record.when_failed = destroy;
  test.dial(server.port());
  destroyed.get_future().wait();
}
