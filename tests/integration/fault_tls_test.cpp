// Faults of TLS: servers that must not be trusted, and handshakes that must not succeed. Rows of docs/reliability.md.
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <set>

#include "fault_csms.h"
#include "tls_peer.h"

using namespace fixture;
using Catch::Contains;

namespace {

const std::string kPassword = "correct horse battery staple";
const std::string kHost = "csms.fleet.example";

// A CA that CP1 trusts, and a server at whose certificate it looks.
struct Trust {
  pki::TemporaryDirectory directory;
  pki::Identity ca = pki::make_self_signed({"fleet CA", {}, true});
  std::string ca_file = directory.write("ca.pem", ca.certificate_pem());

  static pki::Subject subject(const std::string& name = kHost) { return {"server", {"DNS:" + name}}; }
  pki::Identity good() const { return pki::make_signed(subject(), ca); }

  // Of security profile 2, the server by its name in the fleet.
  Settings settings(const Settings& more = {}) const {
    Settings all = {{"csms.security_profile", "2"},
                    {"csms.auth.type", "basic"},
                    {"csms.auth.password", kPassword},
                    {"csms.tls.ca_cert", ca_file},
                    {"csms.tls.server_name", kHost}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
};

pki::ServerOptions served(const pki::Identity& identity) {
  pki::ServerOptions options;
  options.identity = &identity;
  return options;
}

// The next attempt does not get through the handshake, so that nothing of HTTP can have been said.
Record refused(FaultCsms& fault, raw::TlsServer& server, std::size_t number = 1) {
  CHECK_FALSE(server.accept());
  const Record error = fault.failed(number);
  INFO(error);
  CHECK(error.status == CWIRE_E_TLS);
  CHECK(error.failure.phase == CWIRE_PHASE_TLS);
  CHECK(count(fault.fleet.records(), CWIRE_EVENT_CONNECTED, "CP1") == 0);
  return error;
}

// Now the server is as it should be: the station comes back, and only now tells its password.
void is_let_in(FaultCsms& fault, raw::TlsServer& server) {
  auto peer = server.accept();
  REQUIRE(peer);
  CHECK_THAT(raw::Connection::header(peer->upgrade(), "Authorization"), Contains("Basic "));
  REQUIRE(fault.fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
}

}  // namespace

TEST_CASE("fault: a certificate that must not be accepted has a reason of its own, and gets no Authorization") {
  const Trust trust;
  const pki::Identity stranger = pki::make_self_signed({"another CA", {}, true});
  std::vector<pki::Identity> chain;
  for (int i = 0; i < 7; ++i) {
    const pki::Identity& issuer = chain.empty() ? trust.ca : chain.back();
    chain.push_back(pki::make_signed({"intermediate " + std::to_string(i), {}, true}, issuer));
  }
  struct Row {
    std::string name;
    pki::Identity identity;
    int reason;
    std::string words;
    Settings more = {};
    std::vector<const pki::Identity*> issuers = {};
  };
  const auto with = [](auto change) {
    pki::Subject subject = Trust::subject();
    change(subject);
    return subject;
  };
  std::vector<Row> rows;
  rows.push_back({"expired",
                  pki::make_signed(with([](auto& s) { s.begins_in_s = -7200, s.ends_in_s = -3600; }), trust.ca),
                  X509_V_ERR_CERT_HAS_EXPIRED, "has expired"});
  rows.push_back({"not yet valid",
                  pki::make_signed(with([](auto& s) { s.begins_in_s = 3600, s.ends_in_s = 7200; }), trust.ca),
                  X509_V_ERR_CERT_NOT_YET_VALID, "is not valid yet"});
  rows.push_back({"self-signed", pki::make_self_signed(Trust::subject()), X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
                  "is self-signed"});
  rows.push_back({"of an unknown CA", pki::make_signed(Trust::subject(), stranger),
                  X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "is signed by an unknown CA"});
  rows.push_back({"for another host", pki::make_signed(Trust::subject("other.fleet.example"), trust.ca),
                  X509_V_ERR_HOSTNAME_MISMATCH, "is for another host"});
  rows.push_back({"a wildcard", pki::make_signed(Trust::subject("*.fleet.example"), trust.ca),
                  X509_V_ERR_APPLICATION_VERIFICATION, "csms.tls.allow_wildcards"});
  rows.push_back({"with a weak key", pki::make_signed(Trust::subject(), trust.ca, pki::make_rsa_key(1024)),
                  X509_V_ERR_EE_KEY_TOO_SMALL, "key that is too small"});
  rows.push_back({"signed with SHA-1", pki::make_signed(with([](auto& s) { s.digest = "SHA1"; }), trust.ca),
                  X509_V_ERR_CA_MD_TOO_WEAK, "broken hash"});
  rows.push_back({"revoked", pki::make_signed(Trust::subject(), trust.ca), X509_V_ERR_CERT_REVOKED, "was revoked"});
  rows.back().more = {
      {"csms.tls.crl_file", trust.directory.write("crl.pem", pki::crl_pem(trust.ca, {&rows.back().identity}))}};
  rows.push_back({"for clients", pki::make_signed(with([](auto& s) { s.extended_key_usage = "clientAuth"; }), trust.ca),
                  X509_V_ERR_INVALID_PURPOSE, "is not for a TLS server"});
  rows.push_back({"at the end of a long chain", pki::make_signed(Trust::subject(), chain.back()),
                  X509_V_ERR_CERT_CHAIN_TOO_LONG, "chain"});
  for (const pki::Identity& issuer : chain) rows.back().issuers.push_back(&issuer);

  const pki::Identity good = trust.good();
  std::set<int> reasons;
  for (const Row& row : rows) {
    INFO(row.name);
    pki::ServerOptions options = served(row.identity);
    options.chain = row.issuers;
    raw::TlsServer server(options);
    FaultCsms fault;
    fault.connect(trust.settings(row.more), server.url());
    const Record error = refused(fault, server);
    CHECK(error.failure.x509_error == row.reason);
    CHECK(error.code == row.reason);
    CHECK(error.failure.security_event == CWIRE_SECURITY_INVALID_CSMS_CERTIFICATE);
    CHECK_THAT(error.data, Contains(row.words) && Contains("(X509 error " + std::to_string(row.reason) + ")"));
    reasons.insert(error.failure.x509_error);
    server.use(served(good));
    is_let_in(fault, server);
    fault.finish();
  }
  CHECK(reasons.size() == rows.size());
}

TEST_CASE("fault: TLS below 1.2 is refused, and so is a server without a cipher suite in common") {
  const Trust trust;
  const pki::Identity good = trust.good();
  struct Row {
    pki::ServerOptions options;
    int security_event;
    std::string words;
  };
  std::vector<Row> rows(3, Row{served(good), CWIRE_SECURITY_INVALID_TLS_VERSION, "protocol version mismatch"});
  rows[0].options.version_max = TLS1_VERSION;
  rows[1].options.version_max = TLS1_1_VERSION;
  rows[2].options.version_max = TLS1_2_VERSION;
  rows[2].options.ciphers = "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0";
  rows[2].security_event = CWIRE_SECURITY_INVALID_TLS_CIPHER_SUITE;
  rows[2].words = "no cipher suite in common";
  for (const Row& row : rows) {
    INFO(row.words);
    raw::TlsServer server(row.options);
    FaultCsms fault;
    fault.connect(trust.settings(), server.url());
    const Record error = refused(fault, server);
    CHECK(error.failure.security_event == row.security_event);
    CHECK(error.failure.x509_error == 0);
    CHECK_THAT(error.data, Contains(row.words));
    server.use(served(good));
    is_let_in(fault, server);
    fault.finish();
  }
}

TEST_CASE("fault: a server that asks for renegotiation is refused it") {
  const Trust trust;
  const pki::Identity good = trust.good();
  pki::ServerOptions options = served(good);
  options.version_max = TLS1_2_VERSION;  // TLS 1.3 has none
  raw::TlsServer server(options);
  FaultCsms fault;
  fault.connect(trust.settings(), server.url());
  auto peer = server.accept();
  REQUIRE(peer);
  peer->upgrade();
  REQUIRE(fault.fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  REQUIRE(SSL_renegotiate(peer->ssl()) == 1);
  ERR_clear_error();
  SSL_do_handshake(peer->ssl());  // the request
  char byte;
  CHECK(SSL_read(peer->ssl(), &byte, 1) <= 0);
  CHECK(ERR_GET_REASON(ERR_peek_error()) == SSL_R_NO_RENEGOTIATION);
  peer->cut();
  CHECK(fault.lost().code == 1006);
  auto again = server.accept();
  REQUIRE(again);
  again->upgrade();
  REQUIRE(fault.fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  fault.finish();
}

TEST_CASE("fault: a peer that closes in the middle of the handshake is a failure of TLS, and no request follows") {
  const Trust trust;
  raw::Server server;
  FaultCsms fault;
  fault.connect(trust.settings(), "wss" + server.url().substr(2));
  // A record header that promises a ServerHello, with nothing behind it; and an end at once.
  const std::vector<std::string> beginnings = {std::string("\x16\x03\x03\x00\x7a\x02", 6), ""};
  for (std::size_t i = 0; i < beginnings.size(); ++i) {
    auto peer = server.accept();
    peer.send(beginnings[i]);
    peer.half_close();
    const Record error = fault.failed(i + 1);
    CHECK(error.status == CWIRE_E_TLS);
    CHECK(error.failure.phase == CWIRE_PHASE_TLS);
    CHECK(error.failure.security_event == CWIRE_SECURITY_NONE);
    CHECK_THAT(error.data, Contains("broke off the handshake: it closed the connection"));
    CHECK_THAT(peer.read_all(), !Contains("GET ") && !Contains("Authorization"));
  }
  fault.finish();
}

TEST_CASE("fault: an end of TCP without close_notify is a truncation with 1006, close_notify is an end") {
  const Trust trust;
  const pki::Identity good = trust.good();
  raw::TlsServer server(served(good));
  FaultCsms fault;
  fault.connect(trust.settings(), server.url());
  const bool truncated = GENERATE(true, false);
  auto peer = server.accept();
  REQUIRE(peer);
  peer->upgrade();
  peer->send(raw::frame(raw::text, "whole") + raw::frame(raw::text, "half of it").substr(0, 5));
  REQUIRE(fault.fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1"));
  truncated ? peer->cut() : peer->close();
  const Record end = fault.lost();
  CHECK(end.code == 1006);
  CHECK(end.status == CWIRE_E_READ);
  CHECK(end.failure.phase == CWIRE_PHASE_READ);
  CHECK_THAT(end.data, truncated ? Contains("without close_notify") : Contains("without a close frame"));
  CHECK(count(fault.fleet.records(), CWIRE_EVENT_MESSAGE, "CP1") == 1);
  CHECK(count(fault.fleet.records(), CWIRE_EVENT_DISCONNECTED, "CP1") == 1);
  fault.finish();
}
