#include <catch2/catch.hpp>
#include <string>

#include "base/failure.h"
#include "ocpp/credentials.h"

using namespace cwire;

namespace {

AuthSettings basic(std::string_view password, const std::string& username = "") {
  AuthSettings auth;
  auth.type = AuthType::basic;
  auth.username = username;
  auth.password = Secret(password);
  return auth;
}

AuthSettings hex(std::string_view digits) {
  AuthSettings auth = basic(digits);
  auth.password_format = PasswordFormat::hex;
  return auth;
}

AuthSettings bearer(std::string_view token) {
  AuthSettings auth;
  auth.type = AuthType::bearer;
  auth.token = Secret(token);
  return auth;
}

std::string header(const AuthSettings& auth, const std::string& id = "CP001") {
  return std::string(authorization_header(auth, id).reveal());
}

std::string refusal(const AuthSettings& auth, const std::string& id = "CP001") {
  try {
    authorization_header(auth, id);
  } catch (const Error& error) {
    CHECK(error.failure.status == CWIRE_E_CONFIG);
    CHECK(error.failure.message.size() < 240);
    return error.failure.message;
  }
  FAIL("accepted");
  return {};
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("without authentication there is no header") { CHECK(authorization_header(AuthSettings(), "CP001").empty()); }

TEST_CASE("a hex key goes as raw bytes (OCPP 1.6 vector)") {
  CHECK(header(hex("0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF"), "AL1000") ==
        "Basic QUwxMDAwOgABAgMEBQYH////////////////");
  CHECK(header(hex("0001020304050607ffffffffffffffffffffffff"), "AL1000") ==
        "Basic QUwxMDAwOgABAgMEBQYH////////////////");
}

TEST_CASE("a text password goes as its own bytes, even if it looks like hex") {
  CHECK(header(basic("open sesame"), "Aladdin") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");  // RFC 7617 2
  CHECK(header(basic("0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF"), "AL1000") ==
        "Basic QUwxMDAwOjAwMDEwMjAzMDQwNTA2MDdGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkY=");
  CHECK(header(basic("123\xc2\xa3"), "test") == "Basic dGVzdDoxMjPCow==");  // RFC 7617 2.1
  CHECK(header(basic("a:b"), "u") == "Basic dTphOmI=");
}

TEST_CASE("the username is the station id unless one is set") {
  CHECK(header(basic("open sesame", "Aladdin"), "CP001") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

TEST_CASE("a bearer token goes as it is") { CHECK(header(bearer("mF_9.B5f-4.1JqM==")) == "Bearer mF_9.B5f-4.1JqM=="); }

TEST_CASE("hex keys of 16 to 20 bytes are accepted, others refused") {
  header(hex(std::string(32, 'a')));
  header(hex(std::string(40, 'a')));
  CHECK(has(refusal(hex(std::string(30, 'a'))), "32 to 40"));
  CHECK(has(refusal(hex(std::string(42, 'a'))), "32 to 40"));
  CHECK(has(refusal(hex(std::string(33, 'a'))), "odd"));
  CHECK(has(refusal(hex(std::string(31, 'a') + "g")), "hex digit"));
  CHECK(has(refusal(hex("")), "no password"));
}

TEST_CASE("missing and malformed credentials are refused with what to change") {
  CHECK(has(refusal(basic("")), "csms.auth.password_file"));
  CHECK(has(refusal(bearer("")), "csms.auth.token_file"));
  CHECK(has(refusal(basic("x", "a:b")), "':'"));
  CHECK(has(refusal(basic("x"), "a:b"), "':'"));
  CHECK(has(refusal(basic("x"), ""), "username"));
  CHECK(has(refusal(basic("x", "a\r\nb")), "control"));
  CHECK(has(refusal(basic("s3cret\r\nX-Evil: 1")), "control"));
  CHECK(has(refusal(basic(std::string_view("s3\0cret", 7))), "control"));
  CHECK(has(refusal(bearer("s3cret\r\nX-Evil: 1")), "control"));
  CHECK(has(refusal(bearer("s3 cret")), "space"));
  CHECK(has(refusal(bearer("s3\xc3\xa9")), "ASCII"));
}

TEST_CASE("no refusal repeats a secret") {
  for (const auto& auth :
       {basic("s3cret\n"), bearer("s3cret\n"), hex("s3cret"), hex("s3cre7g"), basic("s3cret", "a:b")}) {
    CHECK_FALSE(has(refusal(auth), "s3"));
  }
}
