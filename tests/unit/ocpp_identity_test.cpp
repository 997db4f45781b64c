#include <catch2/catch.hpp>
#include <string>

#include "base/failure.h"
#include "ocpp/identity.h"
#include "ocpp/subprotocol.h"
#include "ocpp/utf8.h"

using namespace cwire;

namespace {

Failure failure_of(const std::string& id) {
  try {
    check_identity(id);
  } catch (const Error& error) {
    return error.failure;
  }
  FAIL("accepted: " << id);
  return {};
}

std::string url_of(const std::string& endpoint, const std::string& id) {
  return connection_url(parse_url(endpoint), id).path;
}

}  // namespace

TEST_CASE("the identity is percent-encoded (OCPP-J vectors)") {
  CHECK(percent_encode("RDAM|123") == "RDAM%7C123");
  CHECK(percent_encode("RDAM 123") == "RDAM%20123");
  CHECK(percent_encode("CP001") == "CP001");
  CHECK(percent_encode("aZ09-._~") == "aZ09-._~");
  CHECK(percent_encode("a/b?c#d%e") == "a%2Fb%3Fc%23d%25e");
  CHECK(percent_encode("\xc3\xa9") == "%C3%A9");
  CHECK(percent_encode("*=+@") == "%2A%3D%2B%40");
}

TEST_CASE("the connection URL is the endpoint, a slash and the identity") {
  CHECK(url_of("ws://h", "CP001") == "/CP001");
  CHECK(url_of("ws://h/", "CP001") == "/CP001");
  CHECK(url_of("ws://h/ocpp", "RDAM|123") == "/ocpp/RDAM%7C123");
  CHECK(url_of("ws://h/ocpp/", "RDAM 123") == "/ocpp/RDAM%20123");
  CHECK(url_of("ws://h/ocpp?tenant=a/b", "CP001") == "/ocpp/CP001?tenant=a/b");
  CHECK(url_of("ws://h?x", "CP001") == "/CP001?x");
  const Url url = connection_url(parse_url("wss://[::1]:9000/a"), "x");
  CHECK(url.secure);
  CHECK(url.host_header() == "[::1]:9000");
}

TEST_CASE("identities that OCPP and a URL allow are accepted") {
  check_identity("CP001");
  check_identity("RDAM|123");
  check_identity("RDAM 123");
  check_identity("a");
  check_identity("...");
  check_identity(std::string(48, 'x'));
  check_identity("Ladest\xc3\xa4tte");
}

TEST_CASE("identities that OCPP or a URL cannot carry are refused with what to change") {
  const auto [id, part] = GENERATE(table<std::string, std::string>({
      {"", "empty"},
      {"a:b", "':'"},
      {std::string(49, 'x'), "49 characters"},
      {"a\r\nb", "control"},
      {std::string("a\0b", 3), "control"},
      {"a\x7f", "control"},
      {"a\xc2\x85", "control"},
      {"a\xff", "UTF-8"},
      {"a\xc0\xaf", "UTF-8"},
      {"a\xe2\x82", "UTF-8"},
      {"a\xed\xa0\x80", "UTF-8"},
      {".", "path"},
      {"..", "path"},
  }));
  CAPTURE(id);
  const Failure failure = failure_of(id);
  CHECK(failure.status == CWIRE_E_INVALID_ARGUMENT);
  CHECK(failure.message.find(part) != std::string::npos);
  CHECK(failure.message.size() < 240);
}

TEST_CASE("characters are counted, not bytes") {
  std::string id;
  for (int i = 0; i < 48; ++i) id += "\xf0\x9f\x94\x8c";
  check_identity(id);
  CHECK(failure_of(id + "y").message.find("49") != std::string::npos);
}

TEST_CASE("each OCPP version has its subprotocol") {
  CHECK(subprotocol_of("1.6") == "ocpp1.6");
  CHECK(subprotocol_of("2.0.1") == "ocpp2.0.1");
  CHECK(subprotocol_of("2.1") == "ocpp2.1");
  for (const char* other : {"", "1.5", "2.0", "1.6 ", "ocpp1.6", "2.1.0"}) CHECK(subprotocol_of(other).empty());
}

TEST_CASE("UTF-8 is taken in its shortest form alone (RFC 3629)") {
  CHECK(is_utf8(""));
  CHECK(is_utf8("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x8c"));
  CHECK(is_utf8("\xf4\x8f\xbf\xbf"));
  for (const char* bad : {"\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                          "\xf8\x88\x80\x80\x80", "\xed\xbf\xbf", "\xc3", "\xc3(", "\xe2\x82(", "\xf0\x9f\x94"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_utf8(bad));
  }
}
