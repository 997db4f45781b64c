#include <stdlib.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "config/config.h"
#include "config/options.h"

using namespace cwire;
using namespace std::chrono_literals;

namespace {

// The sample of the design and of docs/configuration.md.
const char kSample[] = R"(csms:
  default_url: "ws://localhost:9000"
  connection_timeout: 30s
  heartbeat_interval: 60s
  max_reconnect_attempts: 5      # 0 = for ever (the default)
  reconnect_backoff: 10s
  reconnect_max_backoff: 60s
  tls: { enabled: false, ca_cert: "", client_cert: "", client_key: "", insecure_skip_verify: false }
stations:                        # optional: what connect_all connects
  - { id: CP001, protocol: "1.6", security_profile: 1, auth: { type: basic, username: CP001, password_file: cp001.key } }
)";

Config loaded(const std::string& yaml) {
  Config config;
  config.load_yaml(yaml, "test.yaml");
  return config;
}

std::string refusal(Config& config, const std::string& yaml) {
  try {
    config.load_yaml(yaml, "test.yaml");
  } catch (const Error& error) {
    CHECK(error.failure.status == CWIRE_E_CONFIG);
    CHECK(error.failure.message.find('\n') == std::string::npos);
    CHECK(error.failure.message.size() < 240);
    return error.failure.message;
  }
  FAIL("accepted: " << yaml);
  return {};
}

std::string refusal(const std::string& yaml) {
  Config config;
  return refusal(config, yaml);
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// A directory of its own, removed at the end with the files written through it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    const char* base = getenv("TMPDIR");
    path_ = std::string(base != nullptr && *base != '\0' ? base : "/tmp") + "/cwire-config-XXXXXX";
    REQUIRE(mkdtemp(path_.data()) != nullptr);
  }
  ~TemporaryDirectory() {
    for (const std::string& file : files_) unlink(file.c_str());
    rmdir(path_.c_str());
  }
  std::string write(const std::string& name, std::string_view text) {
    const std::string file = path_ + "/" + name;
    std::ofstream(file, std::ios::binary) << text;
    files_.push_back(file);
    return file;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::vector<std::string> files_;
};

class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~Environment() { unsetenv(name_); }

 private:
  const char* name_;
};

}  // namespace

TEST_CASE("the sample configuration loads as it stands") {
  const Config config = loaded(kSample);
  const Settings settings = config.resolve();
  CHECK(settings.reconnect.attempts_max == 5);
  CHECK(settings.reconnect.backoff == 10s);
  CHECK(settings.heartbeat_interval == 60s);
  CHECK_FALSE(settings.tls.enabled);
  REQUIRE(config.stations().size() == 1);
  const StationEntry& station = config.stations()[0];
  CHECK(station.id == "CP001");
  CHECK(station.url.empty());
  const Settings own = config.overridden_by(*station.overrides).values();
  CHECK(own.auth.type == AuthType::basic);
  CHECK(own.auth.username == "CP001");
  CHECK(own.auth.password_file == "cp001.key");
  CHECK(own.reconnect.attempts_max == 5);
}

TEST_CASE("every option can be set by YAML, as a tree and by its dotted key") {
  for (const Option& option : options()) {
    if (option.type == OptionType::map) continue;
    CAPTURE(option.key);
    const std::string text = *option.maximum != '\0' ? option.maximum : option.default_text;
    std::string tree;
    std::string rest = option.key;
    std::string indent;
    for (std::size_t dot = rest.find('.'); dot != std::string::npos; dot = rest.find('.')) {
      tree += indent + rest.substr(0, dot) + ":\n";
      indent += "  ";
      rest.erase(0, dot + 1);
    }
    tree += indent + rest + ": \"" + text + "\"\n";
    CHECK(loaded(tree).get(option.key) == text);
    CHECK(loaded(std::string(option.key) + ": \"" + text + "\"\n").get(option.key) == text);
  }
}

TEST_CASE("protocol is a value or a list") {
  CHECK(loaded("csms: { protocol: 1.6 }").values().protocols == std::vector<std::string>{"1.6"});
  CHECK(loaded("csms: { protocol: [2.1, \"2.0.1\", 1.6] }").get("csms.protocol") == "2.1, 2.0.1, 1.6");
  CHECK(loaded("csms:\n  protocol:\n    - 2.0.1\n    - 1.6\n").get("csms.protocol") == "2.0.1, 1.6");
  CHECK(loaded("csms:\n  protocol: 2.1, 1.6\n").get("csms.protocol") == "2.1, 1.6");
  CHECK(has(refusal("csms: { protocol: [] }"), "1.6, 2.0.1, 2.1"));
  CHECK(has(refusal("csms: { protocol: [1.6, [2.1]] }"), "plain values"));
  CHECK(has(refusal("csms: { protocol: {a: b} }"), "got a mapping"));
}

TEST_CASE("headers are a mapping") {
  const Config config = loaded("csms:\n  headers:\n    X-Site: Rotterdam\n    X-Number: 7\n");
  CHECK(config.values().headers == HeaderList{{"X-Site", "Rotterdam"}, {"X-Number", "7"}});
  CHECK(has(refusal("csms:\n  headers:\n    X-A: 1\n    x-a: 2\n"),
            "test.yaml:4: csms.headers.x-a: given twice, first in line 3"));
  CHECK(has(refusal("csms: { headers: [a] }"), "csms.headers: expected a mapping"));
  CHECK(has(refusal("csms:\n  headers:\n    Host: x\n"), "test.yaml:3: csms.headers.Host: "));
}

TEST_CASE("nothing, comments and empty sections are a configuration") {
  for (const char* yaml :
       {"", "\n", "# all of it\n", "---\n", "csms:\n", "csms:\n  tls:\n", "stations:\n", "stations: []\n", "{}"}) {
    CAPTURE(yaml);
    CHECK(loaded(yaml).get("csms.ping_interval") == "30s");
    CHECK(loaded(yaml).stations().empty());
  }
}

TEST_CASE("a refused file names source, line, key and what was expected") {
  const auto [yaml, message] = GENERATE(table<std::string, std::string>({
      {"csms:\n  pign_interval: 3s\n",
       "test.yaml:2: csms.pign_interval: unknown option; did you mean csms.ping_interval?"},
      {"csms:\n\n  tsl:\n    enabled: true\n", "test.yaml:3: csms.tsl: unknown option; did you mean csms.tls?"},
      {"ping_interval: 3s\n", "test.yaml:1: ping_interval: unknown option; did you mean csms.ping_interval?"},
      {"csms:\n  ping_interval: fast\n",
       "test.yaml:2: csms.ping_interval: expected a duration from 0s to 24h, such as 30s or 1m30s, got \"fast\""},
      {"csms:\n  ping_interval: 30\n", "test.yaml:2: csms.ping_interval: expected a duration"},
      {"csms:\n  ping_interval: 90000s\n", "test.yaml:2: csms.ping_interval: expected a duration from 0s to 24h"},
      {"csms:\n  ping_interval: [30s]\n", "test.yaml:2: csms.ping_interval: expected one value, got a list"},
      {"csms:\n  ping_interval: {a: 30s}\n", "test.yaml:2: csms.ping_interval: expected one value, got a mapping"},
      {"csms:\n  ping_interval:\n", "test.yaml:2: csms.ping_interval: it has no value"},
      {"csms:\n  ping_interval: ~\n", "test.yaml:2: csms.ping_interval: it has no value"},
      {"csms:\n  ping_interval: 3s\n  ping_interval: 4s\n",
       "test.yaml:3: csms.ping_interval: given twice, first in line 2"},
      {"csms:\n  tls: {enabled: true}\n  tls.enabled: true\n",
       "test.yaml:3: csms.tls.enabled: given twice, first in line 2"},
      {"csms:\n  tls: {}\ncsms:\n  auth: {}\n", "test.yaml:3: csms: given twice, first in line 1"},
      {"csms:\n  tls: true\n", "test.yaml:2: csms.tls: expected a mapping of options, got a plain value"},
      {"csms: [a]\n", "test.yaml:1: csms: expected a mapping of options, got a list"},
      {"- a\n", "test.yaml:1: expected a mapping with csms: and stations:, got a list"},
      {"hello\n", "test.yaml:1: expected a mapping with csms: and stations:, got a plain value"},
      {"csms:\n  default_url: \"http://h\"\n", "test.yaml:2: csms.default_url: URL: the scheme is http; write ws://"},
      {"csms:\n  [a]: b\n", "test.yaml:2: a key must be a plain word"},
      {"log_level: loud\n", "test.yaml:1: log_level: expected off, error, warning, info or debug, got \"loud\""},
      {"csms: {\n", "not valid YAML"},
      {"csms:\n  a: b: c\n", "test.yaml:2: not valid YAML"},
      {"csms:\n\tping_interval: 3s\n", "not valid YAML"},
      {"csms: *nowhere\n", "test.yaml:1: not valid YAML"},
      {"csms: !mine {}\n", "test.yaml:1: a YAML tag means nothing here"},
      {"csms:\n---\ncsms:\n", "a second YAML document"},
      {"\n\ncsms: \"\xff\"\n", "test.yaml:3: not valid UTF-8"},
      {"csms: \"\x01\"\n", "test.yaml:1: it holds a control character"},
      {"a: &x [*x]\n", "test.yaml:1: an alias stands inside of what it names"},
      {"\"k\\r\\nk\": 1\n", "test.yaml:1: \"k??k\": unknown option"},
      {"csms:\n  headers: { \"k\\r\\nk\": 1 }\n", "test.yaml:2: \"csms.headers.k??k\": a header name may hold"},
      {"csms:\n  headers: { \"k\\r\\nk\": }\n", "test.yaml:2: \"csms.headers.k??k\": it has no value"},
      {"stations:\n  - { id: a, headers: { \"k\\nk\": \"${\" } }\n",
       "test.yaml:2: stations[0].\"headers.k?k\": \"${\" must begin ${NAME}"},
      {"<<: {}\n", "test.yaml:1: <<: unknown option"},
      {"stations: {}\n", "test.yaml:1: stations: expected a list of stations, got a mapping"},
      {"stations:\n  - CP001\n", "test.yaml:2: stations[0]: expected a mapping"},
      {"stations:\n  - { url: \"ws://h\" }\n", "test.yaml:2: stations[0]: it has no id"},
      {"stations:\n  - { id: }\n", "test.yaml:2: stations[0].id: expected text, got nothing"},
      {"stations:\n  - { id: \"\" }\n", "test.yaml:2: stations[0].id: station id: it is empty"},
      {"stations:\n  - { id: \"a:b\" }\n", "test.yaml:2: stations[0].id: station id: it holds ':'"},
      {"stations:\n  - id: a\n    url: h\n", "test.yaml:3: stations[0].url: URL: it must begin with ws://"},
      {"stations:\n  - id: a\n    id: b\n", "test.yaml:3: stations[0].id: given twice"},
      {"stations:\n  - id: a\n  - id: a\n", "test.yaml:3: stations[1].id: \"a\" is the id of another station above"},
      {"stations:\n  - id: a\n    pign_interval: 3s\n",
       "test.yaml:3: stations[0].pign_interval: unknown option; did you mean ping_interval?"},
      {"stations:\n  - id: a\n    tls: {enabled: 3}\n",
       "test.yaml:3: stations[0].tls.enabled: expected true or false, got \"3\""},
      {"stations:\n  - id: a\n    io_threads: 3\n",
       "test.yaml:3: stations[0].io_threads: unknown option; it is one of the whole manager"},
      {"stations:\n  - id: a\n    ping_interval: 1s\n    ping_interval: 1s\n",
       "test.yaml:4: stations[0].ping_interval: given twice"},
  }));
  CAPTURE(yaml, message);
  const std::string got = refusal(yaml);
  CAPTURE(got);
  CHECK(has(got, message));
  CHECK(got.rfind("test.yaml:", 0) == 0);
}

TEST_CASE("a refused file changes nothing") {
  Config config = loaded("csms: { ping_interval: 3s }\nstations: [{ id: A }]\n");
  refusal(config, "io_threads: 3\ncsms: { ping_interval: 4s, pong_timeout: never }\nstations: [{ id: B }]\n");
  refusal(config, "csms: { ping_interval: 4s }\nstations: [{ id: B }, { id: C, auth: { type: what } }]\n");
  CHECK(config.get("io_threads") == "0");
  CHECK(config.get("csms.ping_interval") == "3s");
  REQUIRE(config.stations().size() == 1);
  CHECK(config.stations()[0].id == "A");
}

TEST_CASE("a later file goes on top of an earlier one, and its stations replace the earlier list") {
  Config config = loaded("csms: { ping_interval: 3s, pong_timeout: 4s }\nstations: [{ id: A }]\n");
  config.load_yaml("csms: { ping_interval: 5s }\n", "second");
  CHECK(config.get("csms.ping_interval") == "5s");
  CHECK(config.get("csms.pong_timeout") == "4s");
  CHECK(config.stations().size() == 1);
  config.load_yaml("stations: [{ id: B }, { id: C }]\n", "third");
  CHECK(config.stations().size() == 2);
  config.load_yaml("stations:\n", "fourth");
  CHECK(config.stations().empty());
}

TEST_CASE("a station takes any csms option, and the rest from the file") {
  const Config config = loaded(R"(
csms:
  ping_interval: 7s
  pong_timeout: 3s
  headers: { X-Fleet: north, X-Site: none }
  auth: { type: basic, password: fleet-password }
stations:
  - id: RDAM|123
    url: wss://csms.example.com/ocpp
    protocol: [2.0.1, 1.6]
    ping_interval: 9s
    headers: { x-site: Delft, X-Fleet: "" }
    auth: { username: other }
  - id: 1002
    auth: { type: bearer, token: t0ken }
  - id: CP3
    auth: { type: none }
)");
  REQUIRE(config.stations().size() == 3);
  CHECK(config.stations()[0].url == "wss://csms.example.com/ocpp");
  const Settings first = config.overridden_by(*config.stations()[0].overrides).resolve();
  CHECK(first.ping_interval == 9s);
  CHECK(first.pong_timeout == 3s);
  CHECK(first.protocols == std::vector<std::string>{"2.0.1", "1.6"});
  CHECK(first.headers == HeaderList{{"x-site", "Delft"}});
  CHECK(first.auth.username == "other");
  CHECK(first.auth.password.reveal() == "fleet-password");
  CHECK(config.stations()[1].id == "1002");
  const Settings second = config.overridden_by(*config.stations()[1].overrides).resolve();
  CHECK(second.auth.type == AuthType::bearer);
  CHECK(second.auth.password.empty());
  CHECK(second.headers.size() == 2);
  CHECK(config.overridden_by(*config.stations()[2].overrides).resolve().auth.password.empty());
}

TEST_CASE("environment variables stand in values") {
  Environment password("CWIRE_TEST_PASSWORD", "pa$${ss ${HOME}");
  Environment empty("CWIRE_TEST_EMPTY", "");
  Environment interval("CWIRE_TEST_INTERVAL", "7s");
  Environment id("CWIRE_TEST_ID", "CP7");
  const Config config = loaded(R"(
csms:
  ping_interval: ${CWIRE_TEST_INTERVAL}
  headers: { X-Site: "a${CWIRE_TEST_EMPTY}b$c${CWIRE_TEST_ID}$" }
  auth:
    type: basic
    username: $${CWIRE_TEST_ID}
    password: ${CWIRE_TEST_PASSWORD}
stations:
  - { id: "${CWIRE_TEST_ID}", url: "ws://${CWIRE_TEST_ID}.local" }
)");
  CHECK(config.values().ping_interval == 7s);
  CHECK(config.values().headers[0].second == "ab$cCP7$");
  CHECK(config.values().auth.username == "${CWIRE_TEST_ID}");
  CHECK(config.values().auth.password.reveal() == "pa$${ss ${HOME}");
  CHECK(config.stations()[0].id == "CP7");
  CHECK(config.stations()[0].url == "ws://CP7.local");
}

TEST_CASE("a missing or malformed variable is an error that names it") {
  CHECK(has(refusal("csms:\n  auth: { password: \"${CWIRE_TEST_NONE}\" }\n"),
            "test.yaml:2: csms.auth.password: the environment variable CWIRE_TEST_NONE is not set"));
  for (const char* text : {"${", "${}", "${A", "${A B}", "${1A}", "${A-B}"}) {
    CAPTURE(text);
    CHECK(has(refusal("csms:\n  auth: { password: \"s3cret" + std::string(text) + "\" }\n"), "must begin ${NAME}"));
    CHECK_FALSE(has(refusal("csms:\n  auth: { password: \"s3cret" + std::string(text) + "\" }\n"), "s3cret"));
  }
}

TEST_CASE("what a variable holds is never shown, also under a key that is not secret") {
  Environment secret("CWIRE_TEST_SECRET", "s3cret");
  const std::string message = refusal("csms:\n  ping_interval: ${CWIRE_TEST_SECRET}\n");
  CHECK(has(message, "got \"${CWIRE_TEST_SECRET}\""));
  CHECK_FALSE(has(message, "s3cret"));
  for (const char* yaml :
       {"csms: { default_url: \"ws://u:${CWIRE_TEST_SECRET}@h\" }", "stations: [{ id: \"${CWIRE_TEST_SECRET}:\" }]",
        "stations: [{ id: a, url: \"${CWIRE_TEST_SECRET}\" }]"}) {
    CHECK_FALSE(has(refusal(yaml), "s3cret"));
  }
}

TEST_CASE("no refusal of YAML repeats a secret") {
  for (const char* yaml :
       {"csms: { auth: { password: [s3cret] } }", "csms: { auth: { password: {s3cret: 1} } }", "csms: { auth: s3cret }",
        "csms: { auth: { pasword: s3cret } }", "csms:\n  auth:\n    password: *s3cret\n",
        "csms:\n  auth:\n    password: !s3cret\n", "csms:\n  auth:\n    password: \"s3cret\\q\"\n",
        "csms:\n  auth:\n    password: s3cret: x\n", "csms:\n  auth:\n    password: &s3cret\n",
        "csms:\n  auth:\n    password: \"s3cret\\nx\"\n", "csms:\n  auth:\n    password: \"s3cret\n",
        "csms:\n  auth:\n    token: @s3cret\n", "csms: { headers: { X-Key: \"s3cret\\n\" } }"}) {
    CAPTURE(yaml);
    CHECK_FALSE(has(refusal(yaml), "s3cret"));
  }
}

TEST_CASE("a piece of the file that yaml-cpp puts into its message is left out") {
  CHECK(has(refusal("csms:\n  auth:\n    password: \"\\q\"\n"), "unknown escape character; put values"));
}

TEST_CASE("a quote that is never closed is refused, not taken to end with the file") {
  for (const char* yaml :
       {"csms:\n  auth:\n    username: \"u\n", "csms:\n  auth:\n    username: 'u",
        "csms:\n  auth: {\n   username: \"u }\n\n", "csms:\n  auth:\n    username: \"u\nstations:\n"}) {
    CAPTURE(yaml);
    CHECK(has(refusal(yaml), "the file ends inside of a quote; close it"));
  }
}

TEST_CASE("deep, huge and multiplying YAML is refused in bounds") {
  for (const char* unit : {"[", "{a: ", "- ", "a:\n "}) {
    std::string deep;
    for (int i = 0; i < 100000; ++i) deep += unit;
    CHECK(refusal(deep).rfind("test.yaml:", 0) == 0);
  }
  CHECK(has(refusal("[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]"), "too deep"));
  CHECK(has(refusal(std::string(16 * 1024 * 1024 + 1, '#')), "16 MiB"));
  CHECK(has(refusal(std::string(3000000, '[')), "more than a fleet could need"));
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c <= 'z'; ++c) {
    const std::string before = std::string("*") + static_cast<char>(c - 1);
    bomb += std::string(1, c) + ": &" + c + " [" + before;
    for (int i = 0; i < 8; ++i) bomb += ", " + before;
    bomb += "]\n";
  }
  CHECK(has(refusal(bomb), "a: unknown option"));
  CHECK(has(refusal("csms: { protocol: [1.6,1.6,1.6,1.6,1.6,1.6,1.6,1.6,1.6,1.6,1.6,1.6,1.6,1.6,1.6,1.6,1.6] }"),
            "too long"));
}

TEST_CASE("aliases share a value") {
  const Config config = loaded(R"(
stations:
  - { id: A, auth: &auth { type: basic, password: p } }
  - { id: B, auth: *auth }
)");
  CHECK(config.overridden_by(*config.stations()[1].overrides).resolve().auth.password.reveal() == "p");
}

TEST_CASE("a file is read, and relative paths in it are meant beside it") {
  TemporaryDirectory directory;
  directory.write("cp001.key", "pa ss\n");
  const std::string path = directory.write("fleet.yaml", std::string(kSample) + R"(
  - { id: CP002, tls: { ca_cert: /etc/ca.pem, client_cert: certs/c.pem, client_key: "" } }
)");
  Config config;
  config.load_file(path);
  const Settings first = config.overridden_by(*config.stations()[0].overrides).resolve();
  CHECK(first.auth.password.reveal() == "pa ss");
  CHECK(first.auth.password_file == directory.path() + "/cp001.key");
  const Settings second = config.overridden_by(*config.stations()[1].overrides).values();
  CHECK(second.tls.ca_cert == "/etc/ca.pem");
  CHECK(second.tls.client_cert == directory.path() + "/certs/c.pem");
  CHECK(second.tls.client_key.empty());
}

TEST_CASE("a file that cannot be read is an error that names it") {
  TemporaryDirectory directory;
  Config config;
  const auto refused = [&](const std::string& path) {
    try {
      config.load_file(path);
    } catch (const Error& error) {
      CHECK(error.failure.status == CWIRE_E_CONFIG);
      return error.failure.message;
    }
    FAIL("accepted");
    return std::string();
  };
  CHECK(has(refused(directory.path() + "/none.yaml"), "none.yaml\": No such file"));
  CHECK(has(refused(directory.path()), "Is a directory"));
  CHECK(has(refused("/dev/zero"), "larger than"));
  CHECK(has(refused(directory.write("bad.yaml", "\ncsms: 3\n")), "bad.yaml:2: csms: expected"));
}

TEST_CASE("TLS sessions are turned off in a file, and the schema knows how") {
  TemporaryDirectory directory;
  Config config;
  CHECK(config.values().tls.session_resumption);
  config.load_file(directory.write("off.yaml", "csms: {tls: {session_resumption: false}}\n"));
  CHECK_FALSE(config.values().tls.session_resumption);
  CHECK(has(Config::schema(), "csms.tls.session_resumption"));
}
