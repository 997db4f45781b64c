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

using Values = std::vector<std::pair<std::string, std::string>>;

const char kPem[] = "-----BEGIN s3cret-----";

Config with(const Values& values) {
  Config config;
  for (const auto& [key, value] : values) config.set("csms." + key, value);
  return config;
}

std::string refusal(const Config& config) {
  try {
    config.resolve();
  } catch (const Error& error) {
    CHECK(error.failure.status == CWIRE_E_CONFIG);
    CHECK(error.failure.message.find("s3cret") == std::string::npos);
    CHECK(error.failure.message.size() < 240);
    return error.failure.message;
  }
  FAIL("accepted");
  return {};
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view text) {
    const char* base = getenv("TMPDIR");
    directory_ = std::string(base != nullptr && *base != '\0' ? base : "/tmp") + "/cwire-config-XXXXXX";
    REQUIRE(mkdtemp(directory_.data()) != nullptr);
    path_ = directory_ + "/secret";
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~TemporaryFile() {
    unlink(path_.c_str());
    rmdir(directory_.c_str());
  }
  const std::string& path() const { return path_; }

 private:
  std::string directory_;
  std::string path_;
};

}  // namespace

TEST_CASE("options that contradict each other are refused with what to change") {
  const auto [values, part] = GENERATE(table<Values, std::string>({
      {{{"reconnect_backoff", "2m"}}, "csms.reconnect_backoff (2m) is more than csms.reconnect_max_backoff (60s)"},
      {{{"tls.crl_file", "crl.pem"}, {"tls.insecure_skip_verify", "true"}}, "csms.tls.insecure_skip_verify is true"},
      {{{"tls.client_cert", "c.pem"}}, "without csms.tls.client_key"},
      {{{"tls.client_key", "k.pem"}}, "without csms.tls.client_cert"},
      {{{"tls.client_key_password", "s3cret"}}, "without csms.tls.client_key"},
      {{{"tls.client_key_password_file", "f"}}, "without csms.tls.client_key"},
      {{{"tls.client_key_uri", "pkcs11:s3cret"}}, "csms.tls.client_key_uri is set without csms.tls.client_cert"},
      {{{"tls.client_cert_pem", kPem}}, "csms.tls.client_cert_pem is set without csms.tls.client_key"},
      {{{"tls.ca_cert", "ca.pem"}, {"tls.ca_cert_pem", kPem}},
       "csms.tls.ca_cert and csms.tls.ca_cert_pem are both set"},
      {{{"tls.client_cert", "c.pem"}, {"tls.client_cert_pem", kPem}},
       "csms.tls.client_cert and csms.tls.client_cert_pem are both set"},
      {{{"tls.client_cert", "c.pem"}, {"tls.client_key", "k.pem"}, {"tls.client_key_uri", "file:s3cret"}},
       "csms.tls.client_key and csms.tls.client_key_uri are both set"},
      {{{"tls.client_cert", "c.pem"}, {"tls.client_key_pem", kPem}, {"tls.client_key_uri", "file:s3cret"}},
       "csms.tls.client_key_pem and csms.tls.client_key_uri are both set"},
      {{{"tls.client_cert", "c.pem"},
        {"tls.client_key", "k.pem"},
        {"tls.client_key_password", "s3cret"},
        {"tls.client_key_password_file", "f"}},
       "csms.tls.client_key_password and csms.tls.client_key_password_file are both set"},
      {{{"auth.type", "basic"}}, "there is no password"},
      {{{"auth.type", "bearer"}}, "there is no token"},
      {{{"auth.password", "s3cret"}}, "csms.auth.type is not basic"},
      {{{"auth.password_file", "none"}}, "csms.auth.type is not basic"},
      {{{"auth.token", "s3cret"}}, "csms.auth.type is not bearer"},
      {{{"auth.username", "u"}}, "csms.auth.type is none"},
      {{{"auth.type", "bearer"}, {"auth.token", "t"}, {"auth.password", "s3cret"}}, "csms.auth.type is not basic"},
      {{{"auth.type", "basic"}, {"auth.password", "p"}, {"auth.token", "s3cret"}}, "csms.auth.type is not bearer"},
      {{{"auth.type", "basic"}, {"auth.password", "s3cret"}, {"auth.password_file", "f"}}, "both set"},
      {{{"auth.type", "bearer"}, {"auth.token", "s3cret"}, {"auth.token_file", "f"}}, "both set"},
      {{{"auth.type", "basic"}, {"auth.password", "s3cret"}, {"auth.username", "a:b"}}, "csms.auth.username"},
      {{{"auth.type", "basic"}, {"auth.password", "s3cret"}, {"auth.password_format", "hex"}}, "hex digit"},
      {{{"auth.type", "bearer"}, {"auth.token", "s3cret x"}}, "csms.auth.token"},
      {{{"auth.type", "basic"}, {"auth.password", "p"}, {"headers.authorization", "s3cret"}},
       "csms.headers.authorization"},
      {{{"proxy.username", "u"}}, "csms.proxy.url names no proxy"},
      {{{"proxy.username", "u"}, {"proxy.password", "s3cret"}, {"proxy.url", "none"}}, "csms.proxy.url names no proxy"},
      {{{"proxy.password", "s3cret"}, {"proxy.url", "p:1"}}, "without csms.proxy.username"},
      {{{"proxy.password_file", "f"}, {"proxy.url", "p:1"}}, "without csms.proxy.username"},
      {{{"proxy.url", "p:1"}, {"proxy.username", "u"}, {"proxy.password", "s3cret"}, {"proxy.password_file", "f"}},
       "both set"},
      {{{"proxy.url", "p:1"}, {"proxy.username", "a:b"}, {"proxy.password", "s3cret"}}, "the user name holds ':'"},
      {{{"proxy.url", "p:1"}, {"proxy.username", "u"}, {"proxy.password", "s3cret\x7f"}}, "control character"},
  }));
  CAPTURE(part);
  CHECK(has(refusal(with(values)), part));
}

TEST_CASE("an Authorization header of one's own is allowed without csms.auth") {
  CHECK(with({{"headers.Authorization", "Digest x"}}).resolve().headers.size() == 1);
}

TEST_CASE("secrets come from files, without one line break at the end") {
  const auto [text, secret] = GENERATE(table<std::string, std::string>(
      {{"pa ss", "pa ss"}, {"pa ss\n", "pa ss"}, {"pa ss\r\n", "pa ss"}, {" pass ", " pass "}}));
  TemporaryFile file(text);
  CHECK(with({{"auth.type", "basic"}, {"auth.password_file", file.path()}}).resolve().auth.password.reveal() == secret);
}

TEST_CASE("a token comes from a file, and each resolve reads it anew") {
  TemporaryFile file("t1\n");
  const Config config = with({{"auth.type", "bearer"}, {"auth.token_file", file.path()}});
  CHECK(config.resolve().auth.token.reveal() == "t1");
  std::ofstream(file.path()) << "t2";
  CHECK(config.resolve().auth.token.reveal() == "t2");
  CHECK(config.get("csms.auth.token").empty());
}

TEST_CASE("a secret's file that does not serve is an error that names it and shows nothing of it") {
  const auto refused = [](const std::string& path) {
    return refusal(with({{"auth.type", "basic"}, {"auth.password_file", path}}));
  };
  TemporaryFile empty("");
  TemporaryFile newline("\n");
  TemporaryFile two_lines("s3cret\ns3cret\n");
  TemporaryFile two_breaks("s3cret\n\n");
  TemporaryFile nul(std::string_view("s3cret\0", 7));
  TemporaryFile large("s3cret" + std::string(20000, 'x'));
  CHECK(has(refused(empty.path()), "is empty"));
  CHECK(has(refused(newline.path()), "is empty"));
  CHECK(has(refused(two_lines.path()), "control character"));
  CHECK(has(refused(two_breaks.path()), "control character"));
  CHECK(has(refused(nul.path()), "control character"));
  CHECK(has(refused(large.path()), large.path() + "\" is larger than 16384 bytes"));
  CHECK(has(refused("/nonexistent/key"), "csms.auth.password_file: cannot open \"/nonexistent/key\": No such file"));
  CHECK(has(refused("/dev/zero"), "larger"));
}

TEST_CASE("a read timeout that nobody chose leaves room for two pings") {
  CHECK(with({}).resolve().read_timeout == 60s);
  CHECK(with({{"ping_interval", "10s"}}).resolve().read_timeout == 60s);
  CHECK(with({{"ping_interval", "5m"}}).resolve().read_timeout == 10min);
  CHECK(with({{"ping_interval", "0s"}}).resolve().read_timeout == 120s);
  CHECK(with({{"ping_interval", "0s"}, {"heartbeat_interval", "0s"}}).resolve().read_timeout == 60s);
  CHECK(with({{"ping_interval", "5m"}, {"read_timeout", "2s"}}).resolve().read_timeout == 2s);
  CHECK(with({{"ping_interval", "5m"}}).overridden_by(with({{"read_timeout", "0s"}})).resolve().read_timeout == 0s);
}

TEST_CASE("only what was set explicitly overrides") {
  const Config base = with({{"ping_interval", "7s"}, {"pong_timeout", "3s"}});
  const Config merged = base.overridden_by(with({{"ping_interval", "30s"}}));
  CHECK(merged.values().ping_interval == 30s);
  CHECK(merged.values().pong_timeout == 3s);
  CHECK(base.values().ping_interval == 7s);
}

TEST_CASE("the manager's options are not a station's to override") {
  Config overrides;
  overrides.set("io_threads", "7");
  CHECK(Config().overridden_by(overrides).values().io_threads == 0);
}

TEST_CASE("a password of the station takes the place of the fleet's file, and the other way round") {
  TemporaryFile file("from-file");
  const Config fleet_file = with({{"auth.type", "basic"}, {"auth.password_file", file.path()}});
  CHECK(fleet_file.overridden_by(with({{"auth.password", "own"}})).resolve().auth.password.reveal() == "own");
  const Config fleet_password = with({{"auth.type", "basic"}, {"auth.password", "fleet"}});
  const Config own_file = with({{"auth.password_file", file.path()}});
  CHECK(fleet_password.overridden_by(own_file).resolve().auth.password.reveal() == "from-file");
  CHECK(has(refusal(fleet_password.overridden_by(with({{"auth.password", "x"}, {"auth.password_file", "f"}}))),
            "both set"));
}

TEST_CASE("a station's own certificate and key take the place of the fleet's, however each was given") {
  const Config fleet = with({{"tls.ca_cert", "ca.pem"},
                             {"tls.client_cert", "fleet.pem"},
                             {"tls.client_key", "fleet.key"},
                             {"tls.client_key_password", "fleet"}});
  const TlsSettings own = fleet
                              .overridden_by(with({{"tls.ca_cert_pem", kPem},
                                                   {"tls.client_cert_pem", kPem},
                                                   {"tls.client_key_uri", "pkcs11:own"},
                                                   {"tls.client_key_password", "pin"}}))
                              .resolve()
                              .tls;
  CHECK(own.ca_cert.empty());
  CHECK(own.client_cert.empty());
  CHECK(own.client_key.empty());
  CHECK(own.client_key_uri.reveal() == "pkcs11:own");
  CHECK(own.client_key_password.reveal() == "pin");
  const Config fleet_pem = with({{"tls.client_cert_pem", kPem}, {"tls.client_key_pem", kPem}});
  const Config own_files = with({{"tls.client_cert", "own.pem"}, {"tls.client_key", "own.key"}});
  CHECK(fleet_pem.overridden_by(own_files).resolve().tls.client_key_pem.empty());
}

TEST_CASE("the password of a key comes from a file too") {
  TemporaryFile file("from-file\n");
  const Config config =
      with({{"tls.client_cert", "c.pem"}, {"tls.client_key", "k.pem"}, {"tls.client_key_password_file", file.path()}});
  CHECK(config.resolve().tls.client_key_password.reveal() == "from-file");
}

TEST_CASE("another type of authentication leaves the fleet's credentials behind, the same type keeps them") {
  const Config fleet = with({{"auth.type", "basic"}, {"auth.username", "u"}, {"auth.password", "p"}});
  CHECK(fleet.overridden_by(with({{"auth.type", "none"}})).resolve().auth.password.empty());
  CHECK(fleet.overridden_by(with({{"auth.type", "basic"}})).resolve().auth.password.reveal() == "p");
  const Settings bearer = fleet.overridden_by(with({{"auth.type", "bearer"}, {"auth.token", "t"}})).resolve();
  CHECK(bearer.auth.username.empty());
  CHECK(bearer.auth.token.reveal() == "t");
}

TEST_CASE("a proxy's credentials may be without a password, or have it in a file") {
  TemporaryFile file("from-file\n");
  const Config fleet = with({{"proxy.url", "p:1"}, {"proxy.username", "u"}});
  CHECK(fleet.resolve().proxy.password.empty());
  CHECK(fleet.overridden_by(with({{"proxy.password_file", file.path()}})).resolve().proxy.password.reveal() ==
        "from-file");
}

TEST_CASE("another proxy leaves the fleet's credentials for the first behind") {
  const Config fleet = with({{"proxy.url", "p:1"}, {"proxy.username", "u"}, {"proxy.password", "secret"}});
  CHECK(fleet.overridden_by(with({{"proxy.timeout", "1s"}})).resolve().proxy.password.reveal() == "secret");
  CHECK(fleet.overridden_by(with({{"proxy.url", "p:1"}})).resolve().proxy.password.reveal() == "secret");
  for (const char* url : {"q:1", "none", ""}) {
    CAPTURE(url);
    const Settings other = fleet.overridden_by(with({{"proxy.url", url}})).resolve();
    CHECK(other.proxy.username.empty());
    CHECK(other.proxy.password.empty());
  }
  const Settings own =
      fleet.overridden_by(with({{"proxy.url", "q:1"}, {"proxy.username", "v"}, {"proxy.password", "own"}})).resolve();
  CHECK(own.proxy.username == "v");
  CHECK(own.proxy.password.reveal() == "own");
}
