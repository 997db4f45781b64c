// No secret ever appears, whatever a server that has seen them says. That the same holds of every other test is the
// fixture's work.
#include "secrets.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "fault_csms.h"

using namespace fixture;

TEST_CASE("the fixture recognises a secret in each form that it could appear in") {
  secrets::keep_option("csms.auth.password", "a password for this test");
  secrets::keep_option("csms.auth.token", "0123456789ABCDEF0123456789ABCDEF");
  secrets::keep_option("csms.auth.username", "a user name is no secret");
  secrets::keep_option("csms.tls.client_key_password", "too short");
  CHECK(secrets::occurs("it was a password for this test."));
  CHECK_FALSE(secrets::occurs("a password for this tesT"));
  CHECK_FALSE(secrets::occurs("a user name is no secret"));
  CHECK_FALSE(secrets::occurs("too short"));
  CHECK_FALSE(secrets::occurs(""));
  CHECK(secrets::occurs("Basic Q1A6YSBwYXNzd29yZCBmb3IgdGhpcyB0ZXN0"));      // CP:
  CHECK(secrets::occurs("Basic Q1AxOmEgcGFzc3dvcmQgZm9yIHRoaXMgdGVzdA=="));  // CP1:
  CHECK(secrets::occurs("Basic Q1AxMjphIHBhc3N3b3JkIGZvciB0aGlzIHRlc3Q="));  // CP12:
  CHECK(secrets::occurs("\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef"));
  CHECK(secrets::occurs("Q1AxOgEjRWeJq83vASNFZ4mrze8="));  // CP1: and the bytes
}

TEST_CASE("fault: a server that repeats the credentials wherever it can") {
  const auto credentials =
      GENERATE(Settings{{"csms.auth.type", "basic"},
                        {"csms.auth.password", "correct horse battery staple"},
                        {"csms.security_profile", "1"}},
               Settings{{"csms.auth.type", "basic"},
                        {"csms.auth.password", "DEADBEEF00112233445566778899AABBCCDDEEFF"},
                        {"csms.auth.password_format", "hex"},
                        {"csms.security_profile", "1"}},
               Settings{{"csms.auth.type", "bearer"}, {"csms.auth.token", "eyJhbGciOiJub25lIn0.ZmF1bHQ.c2VjcmV0"}});
  char directory[] = "/tmp/chargewire-secrets-XXXXXX";
  REQUIRE(::mkdtemp(directory) != nullptr);
  const std::string trace = std::string(directory) + "/trace.jsonl";
  FaultCsms fault({{"trace.file", trace}, {"trace.enabled", "true"}});
  fault.connect(credentials);
  const std::string secret = credentials[1].second;
  std::size_t failures = 0;
  const auto answer = [&](const std::function<std::string(const std::string& request, const std::string& said)>& make) {
    for (const bool as_sent : {true, false}) {
      raw::Connection peer = fault.accepted();
      const std::string request = peer.read_request();
      const std::string header = raw::Connection::header(request, "Authorization");
      const std::string said = as_sent ? header.substr(header.find(' ') + 1) : secret;
      REQUIRE(secrets::occurs(said));
      peer.send(make(request, said));
      peer.close();
      fault.failed(++failures);
    }
  };
  answer(
      [](auto&, auto& said) { return "HTTP/1.1 401 " + said + "\r\nWWW-Authenticate: " + said + "\r\n\r\n" + said; });
  answer([](auto&, auto& said) { return "HTTP/1.1 302 Found\r\nLocation: http://elsewhere/?" + said + "\r\n\r\n"; });
  answer([](auto&, auto& said) { return "HTTP/1.1 503 Busy\r\nRetry-After: " + said + "\r\n\r\n"; });
  answer([](auto&, auto& said) { return said + "\r\n\r\n"; });
  answer([](auto&, auto& said) { return "HTTP/1.1 101 x\r\nSec-WebSocket-Accept: " + said + "\r\n\r\n"; });
  answer([](auto&, auto& said) { return "HTTP/1.1 101 x\r\nUpgrade: " + said + "\r\n\r\n"; });
  answer([](auto&, auto& said) { return "HTTP/1.1 101 x\r\n" + said + ": x\r\n\r\n"; });
  answer([](auto&, auto& said) { return "HTTP/1.1 101 x\r\n" + said + "\r\n\r\n"; });
  answer([](auto& request, auto& said) { return raw::Connection::upgrade_answer(request, said); });
  answer([](auto& request, auto& said) {
    return raw::Connection::upgrade_answer(request, "ocpp1.6", "Sec-WebSocket-Extensions: " + said + "\r\n");
  });
  std::size_t losses = 0;
  for (const bool as_sent : {true, false}) {
    raw::Connection peer = fault.accepted();
    const std::string request = peer.upgrade();
    const std::string header = raw::Connection::header(request, "Authorization");
    const std::string said = as_sent ? header.substr(header.find(' ') + 1) : secret;
    peer.send_frame(raw::close, "\x0f\xa0 you said " + said);
    fault.lost(++losses);
  }
  for (const std::string& broken : {raw::frame(3, secret), raw::frame(raw::ping, secret + std::string(126, 'x')),
                                    raw::frame(raw::text, secret + "\xff")}) {
    fault.upgraded().send(broken);
    fault.lost(++losses);
  }
  fault.finish();
  std::ifstream in(trace, std::ios::binary);
  const std::string traced{std::istreambuf_iterator<char>(in), {}};
  CHECK(traced.find("\"refused\"") != std::string::npos);
  CHECK_FALSE(secrets::occurs(traced));
  std::filesystem::remove_all(directory);
}
