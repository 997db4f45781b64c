#include "access.h"

#include <catch2/catch.hpp>
#include <string>

using namespace csms;

TEST_CASE("the identity is the last segment of the path, decoded") {
  CHECK(identity_of("/ocpp/CP001") == "CP001");
  CHECK(identity_of("/CP001?x=/y") == "CP001");
  CHECK(identity_of("/ocpp/RDAM%7C123") == "RDAM|123");
  CHECK(identity_of("/ocpp/RDAM%20123") == "RDAM 123");
  CHECK(identity_of("/a%2Fb") == "a/b");
  for (const char* target : {"", "/", "CP", "/ocpp/", "/%", "/%4", "/%zz"}) {
    CAPTURE(target);
    CHECK_FALSE(identity_of(target));
  }
}

TEST_CASE("Basic credentials are bytes") {
  // The vector of the OCPP 1.6 security whitepaper.
  const auto credentials = basic_credentials("Basic QUwxMDAwOgABAgMEBQYH////////////////");
  REQUIRE(credentials);
  CHECK(credentials->first == "AL1000");
  CHECK(credentials->second == std::string("\x00\x01\x02\x03\x04\x05\x06\x07", 8) + std::string(12, '\xff'));
  CHECK(basic_credentials("Basic YTpiYg==") == std::make_pair(std::string("a"), std::string("bb")));
  CHECK(basic_credentials("basic YTpiOmM=") == std::make_pair(std::string("a"), std::string("b:c")));
  for (const char* header :
       {"", "Basic", "Basic ", "Basic !!!!", "Basic YTpi=", "Basic YQ==", "Basic ====", "Bearer YTpi"}) {
    CAPTURE(header);
    CHECK_FALSE(basic_credentials(header));
  }
}

TEST_CASE("a Bearer token is what follows the scheme") {
  CHECK(bearer_token("Bearer abc") == "abc");
  CHECK_FALSE(bearer_token("Basic abc"));
  CHECK_FALSE(bearer_token("Bearer"));
}

TEST_CASE("secrets are the same or not") {
  CHECK(same_secret("abc", "abc"));
  CHECK_FALSE(same_secret("abc", "abd"));
  CHECK_FALSE(same_secret("abc", "ab"));
  CHECK_FALSE(same_secret("ab", "abc"));
}
