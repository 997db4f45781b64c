#include <catch2/catch.hpp>

#include "base/failure.h"
#include "ocpp/security_profile.h"

using namespace cwire;

namespace {

constexpr char kWs[] = "ws://csms.example/CP1";
constexpr char kWss[] = "wss://csms.example/CP1";

Settings of(SecurityProfile profile, AuthType auth, bool certificate = false) {
  Settings settings;
  settings.security_profile = profile;
  settings.auth.type = auth;
  if (certificate) settings.tls.client_cert = "station.pem";
  return settings;
}

// Empty: it is fine.
std::string refusal(const Settings& settings, const char* url) {
  try {
    check_security(settings, parse_url(url));
  } catch (const Error& error) {
    CHECK(error.failure.status == CWIRE_E_CONFIG);
    CHECK(error.failure.message.size() < 200);
    CHECK(error.failure.message.find("hunter2") == std::string::npos);
    return error.failure.message;
  }
  return {};
}

}  // namespace

TEST_CASE("each security profile accepts what it is made of") {
  CHECK(refusal(of(SecurityProfile::basic, AuthType::basic), kWs).empty());
  CHECK(refusal(of(SecurityProfile::tls_basic, AuthType::basic), kWss).empty());
  CHECK(refusal(of(SecurityProfile::tls_certificate, AuthType::none, true), kWss).empty());
  Settings from_memory = of(SecurityProfile::tls_certificate, AuthType::none);
  from_memory.tls.client_cert_pem = "-----BEGIN";
  CHECK(refusal(from_memory, kWss).empty());
  for (const AuthType auth : {AuthType::none, AuthType::basic, AuthType::bearer}) {
    CHECK(refusal(of(SecurityProfile::unset, auth, true), kWss).empty());
    CHECK(refusal(of(SecurityProfile::unset, auth), kWs).empty() == (auth != AuthType::basic));
  }
}

TEST_CASE("what contradicts a security profile is refused by both names") {
  struct Row {
    Settings settings;
    const char* url;
    std::vector<std::string> words;
  };
  const auto changed = [](Settings settings, auto change) {
    change(settings);
    return settings;
  };
  using P = SecurityProfile;
  using A = AuthType;
  const std::vector<Row> rows = {
      {of(P::basic, A::basic), kWss, {"csms.security_profile is 1", "URL is wss://"}},
      {of(P::basic, A::none), kWs, {"csms.security_profile is 1", "csms.auth.type is none"}},
      {of(P::basic, A::bearer), kWs, {"csms.security_profile is 1", "csms.auth.type is bearer"}},
      {of(P::basic, A::basic, true), kWs, {"csms.security_profile is 1", "csms.tls.client_cert is set"}},
      {changed(of(P::basic, A::basic), [](Settings& s) { s.tls.enabled = true; }),
       kWs,
       {"csms.security_profile is 1", "csms.tls.enabled is true"}},
      {of(P::tls_basic, A::basic), kWs, {"csms.security_profile is 2", "URL is ws://"}},
      {of(P::tls_basic, A::none), kWss, {"csms.security_profile is 2", "csms.auth.type is none"}},
      {of(P::tls_basic, A::basic, true), kWss, {"csms.security_profile is 2", "csms.tls.client_cert is set"}},
      {changed(of(P::tls_basic, A::basic), [](Settings& s) { s.tls.insecure_skip_verify = true; }),
       kWss,
       {"csms.security_profile is 2", "csms.tls.insecure_skip_verify is true"}},
      {of(P::tls_certificate, A::none, true), kWs, {"csms.security_profile is 3", "URL is ws://"}},
      {of(P::tls_certificate, A::none), kWss, {"csms.security_profile is 3", "csms.tls.client_cert is not set"}},
      {of(P::tls_certificate, A::basic, true), kWss, {"csms.security_profile is 3", "csms.auth.type is basic"}},
      {of(P::tls_certificate, A::bearer, true), kWss, {"csms.security_profile is 3", "csms.auth.type is bearer"}},
      {changed(of(P::tls_certificate, A::none, true),
               [](Settings& s) {
                 s.headers = {{"authorization", "Digest hunter2"}};
               }),
       kWss,
       {"csms.security_profile is 3", "csms.headers.Authorization is set"}},
      {changed(of(P::unset, A::none), [](Settings& s) { s.tls.enabled = true; }),
       kWs,
       {"csms.tls.enabled is true", "is not wss://"}},
      {of(P::unset, A::basic), kWs, {"csms.auth.type is basic", "URL is ws://", "csms.security_profile to 1"}},
      {changed(of(P::unset, A::none),
               [](Settings& s) {
                 s.headers = {{"Authorization", "BASIC hunter2"}};
               }),
       kWs,
       {"csms.headers.Authorization is Basic", "URL is ws://"}},
  };
  for (const Row& row : rows) {
    const std::string message = refusal(row.settings, row.url);
    CAPTURE(message);
    for (const std::string& part : row.words) CHECK_THAT(message, Catch::Contains(part));
  }
}

TEST_CASE("the suites of OCPP are both of ECDHE-ECDSA or both of static RSA") {
  CHECK(has_suites_of_ocpp({"TLS_RSA_WITH_AES_256_GCM_SHA384", "TLS_RSA_WITH_AES_128_GCM_SHA256"}));
  CHECK(has_suites_of_ocpp({"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"}));
  CHECK_FALSE(has_suites_of_ocpp({"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_256_GCM_SHA384"}));
  CHECK_FALSE(has_suites_of_ocpp({"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}));
  CHECK_FALSE(has_suites_of_ocpp({}));
}
