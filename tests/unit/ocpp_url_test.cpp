#include <catch2/catch.hpp>
#include <string>

#include "base/failure.h"
#include "ocpp/url.h"

using namespace cwire;

namespace {

Failure failure_of(const std::string& url) {
  try {
    parse_url(url);
  } catch (const Error& error) {
    return error.failure;
  }
  FAIL("accepted: " << url);
  return {};
}

}  // namespace

TEST_CASE("a URL is split into its parts") {
  const Url url = parse_url("wss://csms.example.com:8443/ocpp/16?x=1&y=%20");
  CHECK(url.secure);
  CHECK(url.host == "csms.example.com");
  CHECK_FALSE(url.host_is_ipv6);
  CHECK(url.port == 8443);
  CHECK(url.path == "/ocpp/16?x=1&y=%20");
  CHECK(url.host_header() == "csms.example.com:8443");
}

TEST_CASE("the scheme decides TLS and the port, in any case of letters") {
  CHECK_FALSE(parse_url("ws://h").secure);
  CHECK(parse_url("ws://h").port == 80);
  CHECK(parse_url("WsS://h").secure);
  CHECK(parse_url("WSS://h").port == 443);
  CHECK(parse_url("ws://h:443").port == 443);
}

TEST_CASE("the path always begins with a slash") {
  CHECK(parse_url("ws://h").path == "/");
  CHECK(parse_url("ws://h/").path == "/");
  CHECK(parse_url("ws://h?a=/b").path == "/?a=/b");
  CHECK(parse_url("ws://h:9000?a=b").path == "/?a=b");
  CHECK(parse_url("ws://h/a@b:c").path == "/a@b:c");
}

TEST_CASE("the Host header has the port only where it is not the scheme's own, and IPv6 in brackets") {
  CHECK(parse_url("ws://h:80").host_header() == "h");
  CHECK(parse_url("wss://h:443").host_header() == "h");
  CHECK(parse_url("ws://h:443").host_header() == "h:443");
  CHECK(parse_url("wss://h:80").host_header() == "h:80");
  CHECK(parse_url("ws://[::1]").host_header() == "[::1]");
  CHECK(parse_url("ws://[::1]:9000").host_header() == "[::1]:9000");
}

TEST_CASE("hosts are names, IPv4 addresses or IPv6 literals") {
  CHECK(parse_url("ws://Central-System_1.LOCAL").host == "central-system_1.local");
  CHECK(parse_url("ws://192.168.0.1:1").host == "192.168.0.1");
  const Url url = parse_url("ws://[2001:DB8::7]:65535/x");
  CHECK(url.host == "2001:DB8::7");
  CHECK(url.host_is_ipv6);
  CHECK(url.port == 65535);
  CHECK(parse_url("ws://[::ffff:10.0.0.1]").host_is_ipv6);
  CHECK(parse_url("ws://" + std::string(63, 'a') + ".example").host.size() == 71);
}

TEST_CASE("a URL for messages shows no query") {
  CHECK(parse_url("wss://h/a?token=s3cret").text() == "wss://h:443/a?***");
  CHECK(parse_url("ws://[::1]:9000/ocpp").text() == "ws://[::1]:9000/ocpp");
}

TEST_CASE("what is not a WebSocket URL is refused with what to change") {
  const auto [url, part] = GENERATE(table<std::string, std::string>({
      {"", "empty"},
      {"h:9000", "begin with ws://"},
      {"//h", "begin with ws://"},
      {"ws:/h", "begin with ws://"},
      {"http://h", "write ws://"},
      {"HTTPS://h", "write wss://"},
      {"ftp://h", "ws or wss"},
      {"://h", "ws or wss"},
      {"ws://", "host is missing"},
      {"ws:///path", "host is missing"},
      {"ws://:80", "host is missing"},
      {"ws://?x", "host is missing"},
      {"ws://h#top", "fragment"},
      {"ws://h/a#", "fragment"},
      {"ws://h:", "port"},
      {"ws://h:0", "1 to 65535"},
      {"ws://h:65536", "1 to 65535"},
      {"ws://h:99999999999999999999", "1 to 65535"},
      {"ws://h:+80", "1 to 65535"},
      {"ws://h:80a", "1 to 65535"},
      {"ws://::1", "brackets"},
      {"ws://::1:9000/x", "brackets"},
      {"ws://[::1", "']'"},
      {"ws://[::1]9000", "only a port"},
      {"ws://[]", "not an IPv6"},
      {"ws://[::g]", "not an IPv6"},
      {"ws://[1.2.3.4]", "not an IPv6"},
      {"ws://[1:2:3:4:5:6:7:8:9]", "not an IPv6"},
      {"ws://[fe80::1%eth0]", "zone id"},
      {"ws://[fe80::1%25eth0]", "zone id"},
      {"ws://a..b", "empty label"},
      {"ws://.a", "empty label"},
      {"ws://a.", "ends with a dot"},
      {"ws://-a", "'-'"},
      {"ws://a-.b", "'-'"},
      {"ws://a-", "'-'"},
      {"ws://a*b", "letters"},
      {"ws://a%41", "letters"},
      {"ws://a]b", "letters"},
      {"ws://256.1.1.1", "IPv4"},
      {"ws://1.2.3", "IPv4"},
      {"ws://127.1", "IPv4"},
      {"ws://2130706433", "IPv4"},
      {"ws://0x7f.0.0.0x1", "IPv4"},
      {"ws://" + std::string(64, 'a'), "63"},
      {"ws://h/a b", "space"},
      {"ws://h/a\r\nX: y", "control"},
      {"ws://h/a\tb", "control"},
      {"ws://h/\x7f", "control"},
      {std::string("ws://h/\0x", 9), "control"},
      {"ws://h/\xc3\xa9", "ASCII"},
      {"ws://h\xc3\xa9/", "ASCII"},
      {"ws://h/RDAM|123", "percent-encoded"},
      {"ws://h/a\\b", "percent-encoded"},
      {"ws://h/%", "two hex digits"},
      {"ws://h/%4", "two hex digits"},
      {"ws://h/%zz", "two hex digits"},
      {"ws://h/" + std::string(5000, 'a'), "4096"},
  }));
  CAPTURE(url);
  const Failure failure = failure_of(url);
  CHECK(failure.status == CWIRE_E_INVALID_ARGUMENT);
  CHECK(failure.message.find(part) != std::string::npos);
  CHECK(failure.message.size() < 240);
  CHECK(failure.message.find('\n') == std::string::npos);
}

TEST_CASE("a host of more than 253 characters is refused") {
  std::string host = "a";
  while (host.size() <= 253) host += ".abcdefghi";
  CHECK(failure_of("ws://" + host).message.find("253") != std::string::npos);
}

TEST_CASE("a user or password in a URL is refused and not repeated") {
  const auto url = GENERATE("ws://user:s3cret@h/", "wss://s3cret@h", "ws://a:s3cret@[::1]:80/x", "ws://@h/s3cret",
                            "http://user:s3cret@h/", "ws://user:s3cret/x@h", "ws://user:s3 cret@h", "s3cret");
  CAPTURE(url);
  CHECK(failure_of(url).message.find("s3") == std::string::npos);
}

TEST_CASE("a URL with a user says where to put it instead") {
  CHECK(failure_of("ws://user:s3cret@h/").message.find("csms.auth.username") != std::string::npos);
}

TEST_CASE("a redirect leads to an absolute or a relative place, as RFC 3986 5.2 has it") {
  const Url from = parse_url("ws://here:9000/ocpp/CP%201?token=s3cret");
  const struct {
    const char* location;
    const char* host;
    const char* path;
    bool secure;
    int port;
  } rows[] = {
      {"wss://there/x", "there", "/x", true, 443},
      {"ws://THERE:81", "there", "/", false, 81},
      {"http://there/x?y=z", "there", "/x?y=z", false, 80},
      {"https://there/x#fragment", "there", "/x", true, 443},
      {"HTTPS://there/", "there", "/", true, 443},
      {"ws://[::1]:9001/x", "::1", "/x", false, 9001},
      {"//there:90/x", "there", "/x", false, 90},
      {"/x/y", "here", "/x/y", false, 9000},
      {"x", "here", "/ocpp/x", false, 9000},
      {"x:y", nullptr, nullptr, false, 0},
      {"./x", "here", "/ocpp/x", false, 9000},
      {"../x", "here", "/x", false, 9000},
      {"../../../x", "here", "/x", false, 9000},
      {"/a/./b/../c/", "here", "/a/c/", false, 9000},
      {"/a/b/..", "here", "/a/", false, 9000},
      {"..", "here", "/", false, 9000},
      {"?z=1", "here", "/ocpp/CP%201?z=1", false, 9000},
      {"", "here", "/ocpp/CP%201", false, 9000},
      {"#fragment", "here", "/ocpp/CP%201", false, 9000},
      {"ftp://there/", nullptr, nullptr, false, 0},
      {"javascript:alert(1)", nullptr, nullptr, false, 0},
      {"wss://user:s3cret@there/", nullptr, nullptr, false, 0},
      {"wss:///x", nullptr, nullptr, false, 0},
      {"wss:there", nullptr, nullptr, false, 0},
      {"wss://there/a b", nullptr, nullptr, false, 0},
      {"wss://there:0/", nullptr, nullptr, false, 0},
      {"/a%zz", nullptr, nullptr, false, 0},
  };
  for (const auto& row : rows) {
    CAPTURE(row.location);
    if (row.host == nullptr) {
      try {
        redirect_target(from, row.location);
        FAIL_CHECK("it is no place to go");
      } catch (const Error& error) {
        CHECK(error.failure.message.find("s3cret") == std::string::npos);
      }
      continue;
    }
    const Url to = redirect_target(from, row.location);
    CHECK(to.host == row.host);
    CHECK(to.path == row.path);
    CHECK(to.secure == row.secure);
    CHECK(to.port == row.port);
  }
}

TEST_CASE("an origin is scheme, host and port") {
  const Url url = parse_url("wss://csms/a");
  CHECK(is_same_origin(url, parse_url("wss://CSMS:443/b?c")));
  CHECK_FALSE(is_same_origin(url, parse_url("ws://csms:443/a")));
  CHECK_FALSE(is_same_origin(url, parse_url("wss://csms:444/a")));
  CHECK_FALSE(is_same_origin(url, parse_url("wss://other/a")));
}
