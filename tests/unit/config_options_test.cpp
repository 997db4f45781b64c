#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "config/config.h"
#include "config/options.h"

using namespace cwire;
using namespace std::chrono_literals;

namespace {

std::string refusal(Config& config, const std::string& key, std::string_view value) {
  try {
    config.set(key, value);
  } catch (const Error& error) {
    CHECK(error.failure.status == CWIRE_E_CONFIG);
    CHECK(error.failure.message.size() < 240);
    return error.failure.message;
  }
  FAIL("accepted: " << key << " = " << value);
  return {};
}

std::string refusal(const std::string& key, std::string_view value) {
  Config config;
  return refusal(config, key, value);
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the option table fits and is consistent") {
  CHECK(options().size() <= kOptionsMax);
  std::set<std::string> keys;
  Settings settings;
  for (const Option& option : options()) {
    CAPTURE(option.key);
    CHECK(keys.insert(option.key).second);
    CHECK_FALSE(is_section(option.key));
    CHECK(std::string(option.description).size() > 10);
    const OptionKey key{&option, {}};
    assign(settings, key, option.default_text);
    if (*option.minimum != '\0') {
      assign(settings, key, option.minimum);
      assign(settings, key, option.maximum);
    }
  }
}

TEST_CASE("a new configuration has the documented defaults, and gives them back as text") {
  Config config;
  for (const Option& option : options()) {
    CAPTURE(option.key);
    CHECK(config.get(option.key) == option.default_text);
  }
  const Settings settings = config.resolve();
  CHECK(settings.io_threads == 0);
  CHECK(settings.log_level == CWIRE_LOG_WARNING);
  CHECK(settings.event_queue_max == 16384);
  CHECK(settings.event_queue_bytes == 64 << 20);
  CHECK(settings.default_url == "ws://localhost:9000");
  CHECK(settings.protocols == std::vector<std::string>{"1.6"});
  CHECK(settings.connection_timeout == 30s);
  CHECK(settings.write_timeout == 10s);
  CHECK(settings.read_timeout == 60s);
  CHECK(settings.close_timeout == 5s);
  CHECK(settings.ping_interval == 30s);
  CHECK(settings.pong_timeout == 10s);
  CHECK(settings.heartbeat_interval == 60s);
  CHECK(settings.reconnect.attempts_max == 0);
  CHECK(settings.reconnect.backoff == 5s);
  CHECK(settings.reconnect.backoff_max == 60s);
  CHECK(settings.reconnect.jitter == Approx(0.2));
  CHECK(settings.reconnect.policy == ReconnectPolicyKind::exponential);
  CHECK(settings.reconnect.stable_after == 30s);
  CHECK(settings.reconnect.wait_minimum == 10s);
  CHECK(settings.reconnect.random_range == 10s);
  CHECK(settings.reconnect.repeat_times == 3);
  CHECK(settings.priority == Priority::normal);
  CHECK(settings.governor.enabled);
  CHECK(settings.governor.handshakes_start == 64);
  CHECK(settings.governor.handshakes_min == 1);
  CHECK(settings.governor.handshakes_max == 1024);
  CHECK(settings.governor.connects_per_second == 0);
  CHECK(settings.governor.breaker_enabled);
  CHECK(settings.governor.breaker_failures == Approx(0.5));
  CHECK(settings.governor.breaker_attempts_min == 20);
  CHECK(settings.governor.breaker_window == 10s);
  CHECK(settings.governor.breaker_open == 30s);
  CHECK(settings.governor.breaker_open_max == 300s);
  CHECK(settings.governor.breaker_probes == 3);
  CHECK(settings.message_size_max == 1048576);
  CHECK(settings.header_size_max == 16384);
  CHECK(settings.header_count_max == 100);
  CHECK(settings.fragments_max == 4096);
  CHECK(settings.send_queue_messages == 100);
  CHECK(settings.send_queue_bytes == 1048576);
  CHECK(settings.headers.empty());
  CHECK_FALSE(settings.tls.enabled);
  CHECK(settings.tls.version_min == TlsVersion::tls1_2);
  CHECK_FALSE(settings.tls.insecure_skip_verify);
  CHECK(settings.tls.session_resumption);
  CHECK(settings.auth.type == AuthType::none);
  CHECK(settings.auth.password_format == PasswordFormat::text);
}

TEST_CASE("limits of the governor that contradict each other are refused by name") {
  const auto refused = [](const char* key, const char* value) {
    Config config;
    config.set(key, value);
    try {
      config.resolve_manager();
    } catch (const Error& error) {
      CHECK(error.failure.status == CWIRE_E_CONFIG);
      CHECK(error.failure.message.find(key) != std::string::npos);
      return true;
    }
    return false;
  };
  CHECK(refused("governor.handshakes_start", "1025"));
  CHECK(refused("governor.handshakes_min", "65"));
  CHECK(refused("governor.handshakes_max", "63"));
  CHECK(refused("governor.breaker_open", "301s"));
  CHECK(refused("governor.breaker_open_max", "29s"));
  CHECK_FALSE(refused("governor.handshakes_start", "1024"));
}

TEST_CASE("what is set reaches its field and comes back") {
  Config config;
  config.set("csms.ping_interval", "0s");
  config.set("csms.reconnect_policy", "decorrelated");
  config.set("csms.tls.min_version", "1.3");
  config.set("csms.auth.password_format", "hex");
  config.set("csms.auth.type", "bearer");
  config.set("csms.protocol", "2.1, 2.0.1,1.6");
  config.set("csms.reconnect_jitter", "0.125");
  config.set("csms.message_size_max", "64KB");
  config.set("csms.tls.enabled", "true");
  config.set("io_threads", "256");
  config.set("log_level", "debug");
  const Settings& settings = config.values();
  CHECK(settings.ping_interval == 0s);
  CHECK(settings.reconnect.policy == ReconnectPolicyKind::decorrelated);
  CHECK(settings.tls.version_min == TlsVersion::tls1_3);
  CHECK(settings.auth.password_format == PasswordFormat::hex);
  CHECK(settings.auth.type == AuthType::bearer);
  CHECK(settings.protocols == std::vector<std::string>{"2.1", "2.0.1", "1.6"});
  CHECK(settings.message_size_max == 64000);
  CHECK(settings.tls.enabled);
  CHECK(settings.io_threads == 256);
  CHECK(settings.log_level == CWIRE_LOG_DEBUG);
  CHECK(config.get("csms.reconnect_policy") == "decorrelated");
  CHECK(config.get("csms.protocol") == "2.1, 2.0.1, 1.6");
  CHECK(config.get("csms.reconnect_jitter") == "12.5%");
  CHECK(config.get("csms.message_size_max") == "64000B");
  CHECK(config.get("csms.tls.enabled") == "true");
  CHECK(config.get("log_level") == "debug");
}

TEST_CASE("every choice has the number that the code means by it") {
  Config config;
  const auto policy = [&](const char* name) {
    config.set("csms.reconnect_policy", name);
    return config.values().reconnect.policy;
  };
  CHECK(policy("exponential") == ReconnectPolicyKind::exponential);
  CHECK(policy("ocpp") == ReconnectPolicyKind::ocpp);
  CHECK(policy("full") == ReconnectPolicyKind::full);
  CHECK(policy("decorrelated") == ReconnectPolicyKind::decorrelated);
  const auto level = [&](const char* name) {
    config.set("log_level", name);
    return config.values().log_level;
  };
  CHECK(level("off") == 0);
  CHECK(level("error") == CWIRE_LOG_ERROR);
  CHECK(level("warning") == CWIRE_LOG_WARNING);
  CHECK(level("info") == CWIRE_LOG_INFO);
  CHECK(level("debug") == CWIRE_LOG_DEBUG);
  const auto auth = [&](const char* name) {
    config.set("csms.auth.type", name);
    return config.values().auth.type;
  };
  CHECK(auth("none") == AuthType::none);
  CHECK(auth("basic") == AuthType::basic);
  CHECK(auth("bearer") == AuthType::bearer);
}

TEST_CASE("a wrong value names the key, what was expected and what was given, and changes nothing") {
  const auto [key, value, part] = GENERATE(table<std::string, std::string, std::string>({
      {"csms.ping_interval", "30", "expected a duration from 0s to 24h, such as 30s or 1m30s, got \"30\""},
      {"csms.ping_interval", "-30s", "got \"-30s\""},
      {"csms.ping_interval", "25h", "from 0s to 24h"},
      {"csms.pong_timeout", "0s", "from 1ms"},
      {"csms.connection_timeout", "", "expected a duration"},
      {"io_threads", "257", "expected a whole number from 0 to 256, got \"257\""},
      {"io_threads", "-1", "whole number"},
      {"io_threads", "99999999999999999999999", "whole number"},
      {"csms.max_reconnect_attempts", "4294967296", "1000000"},
      {"log_level", "trace", "expected off, error, warning, info or debug, got \"trace\""},
      {"csms.message_size_max", "0", "from 1B to 1GiB"},
      {"csms.message_size_max", "2GiB", "from 1B to 1GiB"},
      {"csms.message_size_max", "many", "such as 64KiB"},
      {"csms.reconnect_jitter", "101%", "from 0% to 100%"},
      {"csms.reconnect_jitter", "20", "such as 20% or 0.2"},
      {"csms.tls.enabled", "yes", "expected true or false, got \"yes\""},
      {"csms.protocol", "2.0", "1.6, 2.0.1, 2.1"},
      {"csms.protocol", "", "1.6, 2.0.1, 2.1"},
      {"csms.protocol", "1.6,", "1.6, 2.0.1, 2.1"},
      {"csms.protocol", "1.6, 1.6", "each once"},
      {"csms.default_url", "http://h", "write ws://"},
      {"csms.default_url", "", "empty"},
      {"csms.tls.ca_cert", "a\nb", "CR, LF or NUL"},
      {"csms.auth.username", std::string("a\0b", 3), "CR, LF or NUL"},
      {"csms.auth.username", "a\rb", "CR, LF or NUL"},
      {"csms.auth.username", "\xff", "UTF-8"},
      {"csms.auth.username", std::string(4097, 'x'), "4096"},
      {"csms.tls.server_name", std::string(300, 'a'), "longer than 253"},
      {"csms.tls.server_name", std::string(64, 'a') + ".example", "longer than 63"},
      {"csms.tls.server_name", "csms example", "letters, digits"},
      {"csms.tls.server_name", "csms..example", "empty label"},
      {"csms.tls.server_name", "10.0.0.256", "IPv4"},
      {"csms.tls.server_name", "csms.example:443", "and port"},
      {"csms.tls.server_name", "[::1]", "brackets"},
      {"csms.tls.server_name", "fe80::1%eth0", "zone"},
      {"csms.reconnect_policy", std::string(1000, 'x') + "\n", "xxx...\""},
  }));
  CAPTURE(key, value);
  Config config;
  const std::string before = config.get(key);
  const std::string message = refusal(config, key, value);
  CHECK(message.rfind(key + ": ", 0) == 0);
  CHECK(has(message, part));
  CHECK(message.find('\n') == std::string::npos);
  CHECK(config.get(key) == before);
}

TEST_CASE("a server name is a host name or an address, or none") {
  Config config;
  for (const char* name : {"csms.example", "CSMS_1.example", "10.0.0.1", "::1", "2001:db8::7", ""}) {
    CAPTURE(name);
    config.set("csms.tls.server_name", name);
    CHECK(config.get("csms.tls.server_name") == name);
  }
}

TEST_CASE("a source address is an address, or none") {
  Config config;
  for (const char* value : {"192.0.2.10", "2001:db8::10", "::", "0.0.0.0", ""}) {
    config.set("csms.source_address", value);
    CHECK(config.get("csms.source_address") == value);
  }
  for (const char* value : {"eth0", "localhost", "192.0.2", "192.0.2.10:80", "[::1]", "fe80::1%eth0", " ::1"}) {
    CAPTURE(value);
    CHECK_THROWS_AS(config.set("csms.source_address", value), Error);
  }
}

TEST_CASE("a proxy is http with a port, none, or left to the environment") {
  Config config;
  for (const char* value : {"http://proxy.example:3128", "proxy.example:3128", "http://[::1]:80/", "none", ""}) {
    config.set("csms.proxy.url", value);
    CHECK(config.get("csms.proxy.url") == value);
  }
  const auto refusal = [&](const char* value) {
    try {
      config.set("csms.proxy.url", value);
    } catch (const Error& error) {
      return error.failure.message;
    }
    return std::string("accepted");
  };
  CHECK_THAT(refusal("https://proxy.example:443"), Catch::StartsWith("csms.proxy.url: TLS to the proxy itself"));
  CHECK_THAT(refusal("http://proxy.example"), Catch::Contains("the port is missing"));
  CHECK_THAT(refusal("http://user:hidden@proxy.example:3128"),
             Catch::Contains("use csms.proxy.username and csms.proxy.password") && !Catch::Contains("hidden"));
  CHECK_THAT(refusal("None"), Catch::Contains("the port is missing"));
  CHECK(config.get("csms.proxy.url").empty());
}

TEST_CASE("an unknown key suggests the nearest") {
  CHECK(has(refusal("csms.pign_interval", "1s"), "did you mean csms.ping_interval?"));
  CHECK(has(refusal("ping_interval", "1s"), "did you mean csms.ping_interval?"));
  CHECK(has(refusal("csms.password", "x"), "did you mean csms.auth.password?"));
  CHECK(has(refusal("csms.tls.enable", "true"), "did you mean csms.tls.enabled?"));
  CHECK(has(refusal("csms.tsl", "x"), "did you mean csms.tls?"));
  CHECK(has(refusal("wibble", "x"), "docs/configuration.md"));
  CHECK(has(refusal("", "x"), "unknown option"));
  CHECK(has(refusal("csms", "x"), "unknown option"));
  CHECK(has(refusal("csms.headers.", "x"), "unknown option"));
  CHECK(has(refusal(std::string(100000, 'k'), "x"), "unknown option"));
  CHECK_FALSE(has(refusal("a\r\nb", "x"), "\n"));
  Config config;
  CHECK_THROWS_AS(config.get("csms.pign_interval"), Error);
}

TEST_CASE("secrets are kept, hidden, and never in a message") {
  Config config;
  CHECK(config.get("csms.auth.password") == "");
  for (const char* key : {"csms.auth.password", "csms.auth.token", "csms.tls.client_key_password",
                          "csms.tls.client_key_uri", "csms.headers.X-Key"}) {
    CAPTURE(key);
    config.set(key, "s3cret");
    CHECK(config.get(key) == "***");
    CHECK_FALSE(has(refusal(config, key, "s3cret\nx\r\x01"), "s3cret"));
    CHECK_FALSE(has(refusal(config, key, std::string("s3cret\0", 7)), "s3cret"));
    CHECK_FALSE(has(refusal(config, key, "s3cret" + std::string(20000, 'x')), "s3cret"));
  }
  CHECK(config.values().auth.password.reveal() == "s3cret");
  CHECK(config.get("csms.headers") == "X-Key: ***");
  CHECK_FALSE(has(refusal(config, "csms.default_url", "ws://u:s3cret@h"), "s3cret"));
}

TEST_CASE("PEM keeps its line breaks, and a path in its place is told apart") {
  const std::string pem = "-----BEGIN CERTIFICATE-----\r\nMIIB\n-----END CERTIFICATE-----\n";
  Config config;
  config.set("csms.tls.ca_cert_pem", pem);
  CHECK(config.get("csms.tls.ca_cert_pem") == pem);
  config.set("csms.tls.client_key_pem", pem);
  CHECK(config.get("csms.tls.client_key_pem") == "***");
  CHECK(config.values().tls.client_key_pem.reveal() == pem);
  for (const char* key : {"csms.tls.ca_cert_pem", "csms.tls.client_cert_pem", "csms.tls.client_key_pem"}) {
    CAPTURE(key);
    CHECK(has(refusal(config, key, "/etc/s3cret.pem"), "a path is set without _pem"));
    CHECK(has(refusal(config, key, pem + std::string(1 << 20, 'x')), "longer than 1048576 bytes"));
    CHECK_FALSE(has(refusal(config, "csms.tls.client_key_pem", "/etc/s3cret.pem"), "s3cret"));
    config.set(key, "");
    CHECK(config.get(key).empty());
  }
  config.load_yaml("csms:\n  tls:\n    client_cert_pem: |\n      -----BEGIN CERTIFICATE-----\n      MIIB\n", "t.yaml");
  CHECK(config.values().tls.client_cert_pem == "-----BEGIN CERTIFICATE-----\nMIIB\n");
}

TEST_CASE("each header is a key of its own, whatever the case of its letters") {
  Config config;
  config.set("csms.headers.X-Site", "  Rotterdam ");
  config.set("csms.headers.X-Other", "1");
  config.set("csms.headers.x-site", "Delft");
  CHECK(config.values().headers == HeaderList{{"x-site", "Delft"}, {"X-Other", "1"}});
  CHECK(config.get("csms.headers.X-SITE") == "***");
  CHECK(config.get("csms.headers.X-None") == "");
  config.set("csms.headers", "X-Third: a: b\nX-Other:\n");
  CHECK(config.resolve().headers == HeaderList{{"x-site", "Delft"}, {"X-Third", "a: b"}});
  CHECK(has(refusal(config, "csms.headers", "X-Fourth: 1\nno colon"), "Name: value"));
  CHECK(config.get("csms.headers.X-Fourth") == "");
}

TEST_CASE("headers that are malformed are refused") {
  for (const std::string name : {"X Site", "X:Site", "X\r\nEvil", "X\xc3\xa9", "(x)"}) {
    CAPTURE(name);
    CHECK(has(refusal("csms.headers." + name, "x"), "RFC 7230"));
  }
  CHECK(has(refusal("csms.headers.proxy-authorization", "Basic x"), "the CSMS must not get it"));
  CHECK(has(refusal("csms.headers.X", "a\r\nEvil: 1"), "control"));
  CHECK(has(refusal("csms.headers.X", std::string_view("a\0b", 3)), "control"));
  Config config;
  for (int i = 0; i < 64; ++i) config.set("csms.headers.X-" + std::to_string(i), "1");
  config.set("csms.headers.X-7", "2");
  CHECK(has(refusal(config, "csms.headers.X-64", "1"), "more than 64"));
}

TEST_CASE("the schema lists every option as JSON that is static") {
  const std::string json = Config::schema();
  CHECK(Config::schema() == Config::schema());
  std::size_t found = 0;
  for (std::size_t at = json.find("{\"key\":"); at != std::string::npos; at = json.find("{\"key\":", at + 1)) ++found;
  CHECK(found == options().size());
  for (const Option& option : options()) CHECK(has(json, "\"key\":\"" + std::string(option.key) + "\""));
  CHECK(has(json,
            "{\"key\":\"csms.ping_interval\",\"type\":\"duration\",\"default\":\"30s\",\"minimum\":\"0s\","
            "\"maximum\":\"24h\",\"choices\":null,"));
  CHECK(has(json, "\"choices\":[\"none\",\"basic\",\"bearer\"]"));
  // Its structure: what opens is closed, outside of strings.
  std::string open;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
      REQUIRE(static_cast<unsigned char>(c) >= 0x20);
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      open += c == '{' ? '}' : ']';
    } else if (c == '}' || c == ']') {
      REQUIRE_FALSE(open.empty());
      REQUIRE(open.back() == c);
      open.pop_back();
    }
  }
  CHECK(open.empty());
  CHECK_FALSE(in_string);
}
