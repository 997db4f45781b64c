// Which proxy a station's connections take: what a proxy's URL may look like, no_proxy, and the environment.
#include <catch2/catch.hpp>
#include <map>

#include "base/failure.h"
#include "ocpp/credentials.h"
#include "ocpp/proxy.h"

using namespace cwire;
using Catch::Contains;

namespace {

std::string refusal(const std::string& text) {
  try {
    parse_proxy(text);
  } catch (const Error& error) {
    CHECK(error.failure.status == CWIRE_E_CONFIG);
    return error.failure.message;
  }
  return "accepted";
}

ProxyEnvironment environment(const std::map<std::string, std::string>& variables) {
  return ProxyEnvironment([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

// "host:port (who named it)", or "none".
std::string chosen(const ProxyEnvironment& environment, const char* url, const ProxySettings& settings = {}) {
  const auto proxy = proxy_for(settings, environment, parse_url(url));
  return proxy == nullptr ? "none" : proxy->text();
}

}  // namespace

TEST_CASE("a proxy is an http URL with a port, with or without its scheme") {
  for (const char* text : {"http://proxy.example:3128", "proxy.example:3128", "HTTP://Proxy.Example:3128/"}) {
    CAPTURE(text);
    const Proxy proxy = parse_proxy(text);
    CHECK(proxy.host == "proxy.example");
    CHECK(proxy.port == 3128);
    CHECK(proxy.username.empty());
    CHECK(proxy.authorization().empty());
  }
  const Proxy v6 = parse_proxy("http://[2001:db8::1]:8080");
  CHECK(v6.host == "2001:db8::1");
  CHECK(v6.port == 8080);
  CHECK(parse_proxy("http://192.0.2.1:80").host == "192.0.2.1");
}

TEST_CASE("a proxy's URL may hold credentials, percent-encoded") {
  const auto credentials = [](const char* text) {
    const Proxy proxy = parse_proxy(text);
    return proxy.username + " " + std::string(proxy.password.reveal()) + " " +
           std::string(proxy.authorization().reveal());
  };
  CHECK(credentials("http://Aladdin:open%20sesame@proxy.example:80") ==
        "Aladdin open sesame Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  CHECK(credentials("http://user:p@ss:w%2Frd%25@proxy.example:80") == "user p@ss:w/rd% Basic dXNlcjpwQHNzOncvcmQl");
  CHECK(credentials("http://token@proxy.example:80") == "token  Basic dG9rZW46");
  CHECK(credentials("user:@[::1]:80") == "user  Basic dXNlcjo=");
}

TEST_CASE("what is no proxy is refused with what to change, and repeats nothing of it") {
  const struct {
    const char* text;
    const char* words;
  } rows[] = {
      {"", "host is missing"},
      {"http://", "host is missing"},
      {"http://proxy.example", "port is missing"},
      {"http://proxy.example:", "port"},
      {"http://proxy.example:0", "port"},
      {"http://proxy.example:65536", "port"},
      {"https://proxy.example:443", "TLS to the proxy itself is not supported"},
      {"socks5://proxy.example:1080", "only HTTP proxies"},
      {"http://proxy.example:3128/path", "nothing may follow the port"},
      {"http://proxy.example:3128?x", "nothing may follow the port"},
      {"http://::1:3128", "brackets"},
      {"http://[::1:3128", "]"},
      {"http://[fe80::1%eth0]:3128", "zone"},
      {"http://pro xy:3128", "space"},
      {"http://proxy.example:3128\r\nX: y", "control character"},
      {"http://@proxy.example:3128", "user before '@' is missing"},
      {"http://:secret@proxy.example:3128", "user before '@' is missing"},
      {"http://us%er:secret@proxy.example:3128", "two hex digits"},
      {"http://user:secret%@proxy.example:3128", "two hex digits"},
      {"http://user:secret%4@proxy.example:3128", "two hex digits"},
      {"http://us%3Aer:secret@proxy.example:3128", "':'"},
      {"http://us%0Aer:secret@proxy.example:3128", "control character"},
      {"http://user:secret%00@proxy.example:3128", "control character"},
      {"http://user:secret#@proxy.example:3128", "nothing may follow the port"},
      {"http://user:secret@proxy.example", "port is missing"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK_THAT(refusal(row.text), Contains(row.words) && !Contains("secret"));
  }
  CHECK_THAT(refusal("http://" + std::string(5000, 'x')), Contains("longer than"));
}

TEST_CASE("no_proxy covers names and all below them, on label boundaries, whatever the case") {
  for (const char* list : {"example.com", ".example.com", "*.example.com", "EXAMPLE.com.", "a, example.com ,b",
                           "a example.com", ",,example.com,,"}) {
    CAPTURE(list);
    const NoProxy no_proxy(list);
    CHECK(no_proxy.covers("example.com", 443));
    CHECK(no_proxy.covers("csms.example.com", 443));
    CHECK(no_proxy.covers("a.b.example.com", 443));
    CHECK_FALSE(no_proxy.covers("notexample.com", 443));
    CHECK_FALSE(no_proxy.covers("example.com.evil", 443));
    CHECK_FALSE(no_proxy.covers("com", 443));
    CHECK_FALSE(no_proxy.covers("192.0.2.1", 443));
  }
  CHECK_FALSE(NoProxy("").covers("example.com", 443));
  CHECK_FALSE(NoProxy(", ,").covers("example.com", 443));
}

TEST_CASE("no_proxy with a star covers everything") {
  for (const char* list : {"*", "a,*", " * "}) {
    CAPTURE(list);
    for (const char* host : {"csms.example", "192.0.2.1", "2001:db8::1"}) CHECK(NoProxy(list).covers(host, 9000));
  }
  CHECK(NoProxy("*:9000").covers("csms.example", 9000));
  CHECK_FALSE(NoProxy("*:9000").covers("csms.example", 9001));
  CHECK_FALSE(NoProxy("*csms.example").covers("csms.example", 80));
}

TEST_CASE("no_proxy covers addresses and networks") {
  const NoProxy list(
      "192.0.2.1,198.51.100.0/24,10.0.0.0/9,2001:db8::1,[2001:db8::2],fd00:1200::/23,203.0.113.7:8080,"
      "[2001:db8::3]:8080");
  for (const char* host : {"192.0.2.1", "198.51.100.0", "198.51.100.255", "10.0.0.1", "10.127.255.255", "2001:db8::1",
                           "2001:db8:0:0::1", "2001:db8::2", "fd00:1200::1", "fd00:13ff::1"}) {
    CAPTURE(host);
    CHECK(list.covers(host, 443));
  }
  for (const char* host : {"192.0.2.2", "198.51.101.0", "10.128.0.0", "2001:db8::4", "fd00:1400::1", "fd00:11ff::1",
                           "203.0.113.7", "2001:db8::3", "csms.example"}) {
    CAPTURE(host);
    CHECK_FALSE(list.covers(host, 443));
  }
  CHECK(list.covers("203.0.113.7", 8080));
  CHECK(list.covers("2001:db8::3", 8080));
  CHECK(NoProxy("0.0.0.0/0").covers("192.0.2.1", 1));
  CHECK_FALSE(NoProxy("0.0.0.0/0").covers("::1", 1));
  CHECK_FALSE(NoProxy("::/0").covers("192.0.2.1", 1));
  // A name that looks up to the address is none of its business, nor is an address a name below another.
  CHECK_FALSE(NoProxy("1").covers("192.0.2.1", 1));
  CHECK_FALSE(NoProxy("2.1").covers("192.0.2.1", 1));
}

TEST_CASE("an entry of no_proxy may have a port") {
  const NoProxy list("csms.example:9000 .corp.example:443");
  CHECK(list.covers("csms.example", 9000));
  CHECK(list.covers("a.csms.example", 9000));
  CHECK_FALSE(list.covers("csms.example", 9001));
  CHECK(list.covers("x.corp.example", 443));
  CHECK_FALSE(list.covers("x.corp.example", 80));
}

TEST_CASE("what is no entry of no_proxy covers nothing and does no harm") {
  const NoProxy list(
      "10.0.0.0/33,10.0.0.0/,10.0.0.0/x,2001:db8::/129,/8,[::1,[::1]x,[::1]:,[10.0.0.1],csms.example:x,"
      "csms.example:0,csms.example:65536,csms.example:,:80,.,*.,good.example");
  for (const char* host : {"10.0.0.1", "2001:db8::1", "::1", "csms.example", "", "x"}) {
    CAPTURE(host);
    CHECK_FALSE(list.covers(host, 80));
  }
  CHECK(list.covers("good.example", 80));
}

TEST_CASE("wss takes https_proxy, ws http_proxy") {
  const auto both = environment({{"https_proxy", "http://a.example:1"}, {"http_proxy", "b.example:2"}});
  CHECK(chosen(both, "wss://csms.example") == "proxy a.example:1 (https_proxy)");
  CHECK(chosen(both, "ws://csms.example") == "proxy b.example:2 (http_proxy)");
  CHECK(chosen(environment({{"https_proxy", "http://a.example:1"}}), "ws://csms.example") == "none");
  CHECK(chosen(environment({{"http_proxy", "http://a.example:1"}}), "wss://csms.example") == "none");
  CHECK(chosen(environment({}), "wss://csms.example") == "none");
  CHECK(chosen(ProxyEnvironment(), "wss://csms.example") == "none");
}

TEST_CASE("variables in capitals count where those in small letters are not set, but HTTP_PROXY never does") {
  const auto capitals = environment({{"HTTPS_PROXY", "a.example:1"},
                                     {"HTTP_PROXY", "b.example:2"},
                                     {"NO_PROXY", "direct.example"},
                                     {"no_proxy", ""}});
  CHECK(chosen(capitals, "wss://csms.example") == "proxy a.example:1 (HTTPS_PROXY)");
  CHECK(chosen(capitals, "ws://csms.example") == "none");
  CHECK(chosen(capitals, "wss://direct.example") == "none");
  const auto mixed = environment({{"https_proxy", "a.example:1"},
                                  {"HTTPS_PROXY", "b.example:2"},
                                  {"no_proxy", "x.example"},
                                  {"NO_PROXY", "direct.example"}});
  CHECK(chosen(mixed, "wss://direct.example") == "proxy a.example:1 (https_proxy)");
  CHECK(chosen(mixed, "wss://x.example") == "none");
}

TEST_CASE("no_proxy counts with the port of the URL") {
  const auto some = environment({{"https_proxy", "a.example:1"}, {"no_proxy", "csms.example:443,10.0.0.0/8"}});
  CHECK(chosen(some, "wss://csms.example/ocpp") == "none");
  CHECK(chosen(some, "wss://csms.example:8443") == "proxy a.example:1 (https_proxy)");
  CHECK(chosen(some, "wss://10.1.2.3:8443") == "none");
}

TEST_CASE("this machine is never reached by way of the environment's proxy") {
  const auto both = environment({{"https_proxy", "a.example:1"}, {"http_proxy", "a.example:1"}});
  for (const char* url : {"ws://localhost:9000", "wss://LOCALHOST", "ws://csms.localhost", "ws://127.0.0.1:9000",
                          "ws://127.1.2.3", "ws://[::1]:9000", "wss://[0:0::1]"}) {
    CAPTURE(url);
    CHECK(chosen(both, url) == "none");
  }
  for (const char* url :
       {"ws://notlocalhost", "ws://128.0.0.1", "ws://[::2]", "ws://[::1:1]", "ws://localhost.example"}) {
    CAPTURE(url);
    CHECK(chosen(both, url) != "none");
  }
}

TEST_CASE("a variable that is no proxy fails those who would use it, by name") {
  const auto wrong =
      environment({{"https_proxy", "https://user:secret@proxy.example:1"}, {"no_proxy", "direct.example"}});
  CHECK(chosen(wrong, "ws://csms.example") == "none");
  CHECK(chosen(wrong, "wss://direct.example") == "none");
  try {
    chosen(wrong, "wss://csms.example");
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.failure.status == CWIRE_E_CONFIG);
    CHECK_THAT(error.failure.message, Contains("the environment variable https_proxy: TLS to the proxy") &&
                                          Contains("csms.proxy.url") && !Contains("secret"));
  }
}

TEST_CASE("the option goes before the environment, with credentials of its own, and none is none") {
  const auto both = environment({{"https_proxy", "env:password@a.example:1"}, {"no_proxy", "csms.example"}});
  ProxySettings settings;
  settings.url = "http://own.example:3128";
  CHECK(chosen(both, "wss://csms.example", settings) == "proxy own.example:3128 (csms.proxy.url)");
  CHECK(chosen(both, "ws://localhost", settings) == "proxy own.example:3128 (csms.proxy.url)");
  CHECK(proxy_for(settings, both, parse_url("wss://x.example"))->authorization().empty());
  settings.username = "Aladdin";
  settings.password = Secret("open sesame");
  CHECK(proxy_for(settings, both, parse_url("wss://x.example"))->authorization().reveal() ==
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  settings.url = "none";
  CHECK(chosen(both, "wss://other.example", settings) == "none");
}

TEST_CASE("stations share what the environment says") {
  const auto both = environment({{"https_proxy", "a.example:1"}});
  CHECK(proxy_for({}, both, parse_url("wss://x.example")) == proxy_for({}, both, parse_url("wss://y.example")));
}
