#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <new>
#include <thread>
#include <vector>

#include "failing_calls.h"
#include "starvation.h"
#include "test_pki.h"
#include "tls/configuration.h"
#include "tls/context.h"
#include "tls/contexts.h"

using namespace cwire;

namespace {

Failure failure_of(const TlsSettings& settings) {
  try {
    TlsContext context(settings);
  } catch (const Error& error) {
    return error.failure;
  }
  return Failure();
}

struct Files {
  pki::TemporaryDirectory directory;
  pki::Identity ca = pki::make_self_signed({"Test CA", {}, true});
  pki::Identity station = pki::make_signed({"CP001"}, ca);
  TlsSettings settings;
  Files() {
    settings.crl_file = directory.write("crl.pem", pki::crl_pem(ca, {}));
    settings.ca_cert = directory.write("ca.pem", ca.certificate_pem());
    settings.client_cert = directory.write("station.pem", station.certificate_pem() + ca.certificate_pem());
    settings.client_key = directory.write("station.key", station.key_pem());
  }
};

// Of this process, on that file.
std::vector<int> descriptors_of(const std::string& path) {
  std::vector<int> descriptors;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    if (std::filesystem::read_symlink(entry.path(), error) == path) {
      descriptors.push_back(std::stoi(entry.path().filename()));
    }
  }
  return descriptors;
}

bool closes_on_exec(int descriptor) { return (::fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0; }

}  // namespace

TEST_CASE("a context takes a CA, a chain and a key, also an encrypted one") {
  Files files;
  REQUIRE_FALSE(failure_of(files.settings));
  files.settings.client_key = files.directory.write("encrypted.key", files.station.encrypted_key_pem("open sesame"));
  files.settings.client_key_password = Secret("open sesame");
  REQUIRE_FALSE(failure_of(files.settings));
  REQUIRE_FALSE(failure_of(TlsSettings()));  // the system's store
  TlsSettings insecure;
  REQUIRE(TlsContext(insecure).verifies());
  insecure.insecure_skip_verify = true;
  REQUIRE_FALSE(TlsContext(insecure).verifies());
}

TEST_CASE("what files hold may be given as text") {
  Files files;
  TlsSettings settings;
  settings.ca_cert_pem = files.ca.certificate_pem();
  settings.client_cert_pem = "Bag Attributes: none\r\n" + files.station.certificate_pem() + files.ca.certificate_pem();
  settings.client_key_pem = Secret(files.station.key_pem());
  REQUIRE_FALSE(failure_of(settings));
  settings.client_key_pem = Secret(files.station.encrypted_key_pem("open sesame"));
  settings.client_key_password = Secret("open sesame");
  REQUIRE_FALSE(failure_of(settings));
  settings.client_key_password = Secret();
  REQUIRE(failure_of(settings).message ==
          "TLS: csms.tls.client_key_pem is encrypted; set csms.tls.client_key_password");
  settings.client_key_pem = Secret("-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n");
  REQUIRE_THAT(failure_of(settings).message,
               Catch::Contains("cannot use csms.tls.client_key_pem") && !Catch::Contains("hunter2"));
  settings.client_key_pem = Secret(files.ca.key_pem());
  REQUIRE_THAT(failure_of(settings).message, Catch::Contains("it is not the key of csms.tls.client_cert"));
  settings.client_cert_pem = "-----BEGIN CERTIFICATE-----\n";
  REQUIRE_THAT(failure_of(settings).message, Catch::Contains("cannot use csms.tls.client_cert_pem"));
  settings.ca_cert_pem += settings.client_cert_pem;
  REQUIRE_THAT(failure_of(settings).message, Catch::Contains("cannot use csms.tls.ca_cert_pem"));
}

TEST_CASE("a key comes by URI from whatever provider knows its scheme") {
  Files files;
  TlsSettings& settings = files.settings;
  const std::string path = settings.client_key;
  settings.client_key.clear();
  SECTION("file:") {
    settings.client_key_uri = Secret("file:" + path);
    REQUIRE_FALSE(failure_of(settings));
  }
  SECTION("a key behind other things") {
    const std::string both = files.directory.write("both.pem", files.ca.certificate_pem() + files.station.key_pem());
    settings.client_key_uri = Secret("file:" + both);
    REQUIRE_FALSE(failure_of(settings));
  }
  SECTION("an encrypted key, with its password and without") {
    const std::string encrypted = files.directory.write("e.key", files.station.encrypted_key_pem("open sesame"));
    settings.client_key_uri = Secret("file:" + encrypted);
    REQUIRE_THAT(failure_of(settings).message, Catch::Contains("is encrypted; set csms.tls.client_key_password"));
    settings.client_key_password = Secret("hunter2hunter2");
    REQUIRE_THAT(failure_of(settings).message,
                 Catch::Contains("check csms.tls.client_key_password") && !Catch::Contains("hunter2"));
    settings.client_key_password = Secret("open sesame");
    REQUIRE_FALSE(failure_of(settings));
  }
  SECTION("a scheme that no provider knows, and a PIN") {
    settings.client_key_uri = Secret("pkcs11:object=station;pin-value=hunter2");
    const Failure failure = failure_of(settings);
    REQUIRE(failure.status == CWIRE_E_TLS);
    REQUIRE_THAT(failure.message, Catch::Contains("csms.tls.client_key_uri") && Catch::Contains("scheme 'pkcs11'") &&
                                      Catch::Contains("pkcs11-provider") && Catch::Contains("openssl.cnf") &&
                                      !Catch::Contains("hunter2"));
    REQUIRE(failure.message.size() < 240);
  }
  SECTION("a path") {
    settings.client_key_uri = Secret(path);
    REQUIRE_THAT(failure_of(settings).message, Catch::Contains("is no URI") && Catch::Contains("csms.tls.client_key"));
  }
  SECTION("nothing there") {
    settings.client_key_uri = Secret("file:" + files.directory.path("missing.key"));
    REQUIRE_THAT(failure_of(settings).message, Catch::Contains("cannot use csms.tls.client_key_uri"));
  }
  SECTION("no key there") {
    settings.client_key_uri = Secret("file:" + settings.ca_cert);
    REQUIRE_THAT(failure_of(settings).message, Catch::Contains("check that a private key stands there"));
  }
  SECTION("another key") {
    settings.client_key_uri = Secret("file:" + files.directory.write("other.key", files.ca.key_pem()));
    REQUIRE_THAT(failure_of(settings).message, Catch::Contains("it is not the key of csms.tls.client_cert"));
  }
}

TEST_CASE("a file that is being read is closed on exec") {
  Files files;
  files.settings.ca_cert = files.directory.path("ca.fifo");
  REQUIRE(::mkfifo(files.settings.ca_cert.c_str(), 0600) == 0);
  Failure failure;
  std::thread reader([&] { failure = failure_of(files.settings); });
  const int writer = ::open(files.settings.ca_cert.c_str(), O_WRONLY | O_CLOEXEC);  // waits until it reads
  std::vector<int> descriptors;  // ours, and the other's once its open() has returned as well
  while ((descriptors = descriptors_of(files.settings.ca_cert)).size() < 2) std::this_thread::yield();
  const bool all = std::all_of(descriptors.begin(), descriptors.end(), closes_on_exec);
  const std::string pem = files.ca.certificate_pem();
  const bool written = ::write(writer, pem.data(), pem.size()) == static_cast<ssize_t>(pem.size());
  ::close(writer);
  reader.join();
  REQUIRE(written);
  REQUIRE(all);
  REQUIRE_FALSE(failure);
}

TEST_CASE("what is wrong with a file is said, with the option, the path and what to do") {
  Files files;
  TlsSettings& settings = files.settings;
  std::vector<std::string> expected;
  SECTION("no CA file") {
    settings.ca_cert = files.directory.path("missing.pem");
    expected = {"csms.tls.ca_cert '" + settings.ca_cert + "'", "no such file", "correct the path"};
  }
  SECTION("a directory as CA file") {
    settings.ca_cert = files.directory.path("");
    expected = {"csms.tls.ca_cert", "is a directory"};
  }
  SECTION("an empty CA file") {
    settings.ca_cert = files.directory.write("empty.pem", "");
    expected = {"cannot use csms.tls.ca_cert", "certificates in PEM"};
  }
  SECTION("a CA file that is no PEM") {
    settings.ca_cert = files.directory.write("text.pem", "hello\n");
    expected = {"cannot use csms.tls.ca_cert", "certificates in PEM"};
  }
  SECTION("a CA file that breaks off") {
    settings.ca_cert =
        files.directory.write("cut.pem", files.ca.certificate_pem() + "-----BEGIN CERTIFICATE-----\nMIIB");
    expected = {"cannot use csms.tls.ca_cert"};
  }
  SECTION("a file without an end") {
    settings.ca_cert = "/dev/zero";
    expected = {"csms.tls.ca_cert '/dev/zero': it is larger than 4 MiB"};
  }
  SECTION("a file with one byte too many") {
    settings.ca_cert = files.directory.write("large.pem", std::string((4 << 20) + 1, '\n'));
    expected = {"it is larger than 4 MiB"};
  }
  SECTION("no revocation list") {
    settings.crl_file = files.directory.path("missing.pem");
    expected = {"cannot read csms.tls.crl_file", "no such file"};
  }
  SECTION("a revocation list that is none") {
    settings.crl_file = settings.ca_cert;
    expected = {"cannot use csms.tls.crl_file", "revocation lists in PEM", "-inform DER"};
  }
  SECTION("a revocation list that breaks off") {
    settings.crl_file =
        files.directory.write("cut.pem", pki::crl_pem(files.ca, {}) + "-----BEGIN X509 CRL-----\nMIIB\n");
    expected = {"cannot use csms.tls.crl_file"};
  }
  SECTION("no client certificate file") {
    settings.client_cert = files.directory.path("missing.pem");
    expected = {"cannot read csms.tls.client_cert", "no such file"};
  }
  SECTION("no key file") {
    settings.client_key = files.directory.path("missing.key");
    expected = {"cannot read csms.tls.client_key", "no such file"};
  }
  SECTION("a key file without a key") {
    settings.client_key = settings.client_cert;
    expected = {"cannot use csms.tls.client_key", "it must hold a private key in PEM"};
  }
  SECTION("another key of the same kind") {
    settings.client_key = files.directory.write("other.key", files.ca.key_pem());
    expected = {"csms.tls.client_key", "it is not the key of csms.tls.client_cert"};
  }
  SECTION("a key of another kind") {
    pki::Identity rsa{pki::make_rsa_key(2048), nullptr};
    settings.client_key = files.directory.write("rsa.key", rsa.key_pem());
    expected = {"csms.tls.client_key", "it is not the key of csms.tls.client_cert"};
  }
  SECTION("a certificate without a key") {
    settings.client_key.clear();
    expected = {"csms.tls.client_cert and csms.tls.client_key belong together"};
  }
  SECTION("a key without a certificate") {
    settings.client_cert.clear();
    expected = {"csms.tls.client_cert and csms.tls.client_key belong together"};
  }
  SECTION("an encrypted key without password: no prompt, an error") {
    settings.client_key = files.directory.write("encrypted.key", files.station.encrypted_key_pem("open sesame"));
    expected = {"is encrypted; set csms.tls.client_key_password"};
  }
  SECTION("an encrypted key with another password") {
    settings.client_key = files.directory.write("encrypted.key", files.station.encrypted_key_pem("open sesame"));
    settings.client_key_password = Secret("hunter2hunter2");
    expected = {"cannot use csms.tls.client_key", "check csms.tls.client_key_password"};
  }
  const Failure failure = failure_of(settings);
  CAPTURE(failure.message);
  REQUIRE(failure.status == CWIRE_E_TLS);
  for (const std::string& part : expected) REQUIRE_THAT(failure.message, Catch::Contains(part));
  REQUIRE(failure.message.find('\n') == std::string::npos);
  REQUIRE(failure.message.find("hunter2") == std::string::npos);
}

TEST_CASE("a client key that is too small for OCPP is refused") {
  Files files;
  pki::Identity weak = pki::make_signed({"CP001"}, files.ca, pki::make_rsa_key(1024));
  files.settings.client_cert = files.directory.write("weak.pem", weak.certificate_pem());
  files.settings.client_key = files.directory.write("weak.key", weak.key_pem());
  REQUIRE_THAT(failure_of(files.settings).message, Catch::Contains("too small"));
}

TEST_CASE("stations with equal settings share a context, others do not") {
  Files files;
  TlsContexts contexts;
  const auto first = contexts.get(files.settings);
  REQUIRE(contexts.get(files.settings) == first);

  TlsSettings other = files.settings;
  other.server_name = "another.example";  // of the connection, not of the context
  REQUIRE(contexts.get(other) == first);

  std::vector<std::shared_ptr<TlsConfiguration>> seen{first};
  const auto is_new = [&](const TlsSettings& settings) {
    const auto configuration = contexts.get(settings);
    const bool known = std::find(seen.begin(), seen.end(), configuration) != seen.end();
    seen.push_back(configuration);
    return !known;
  };
  other = files.settings;
  other.version_min = TlsVersion::tls1_3;
  REQUIRE(is_new(other));
  other = files.settings;
  other.insecure_skip_verify = true;
  REQUIRE(is_new(other));
  other = files.settings;
  other.session_resumption = false;
  REQUIRE(is_new(other));
  other = files.settings;
  other.ca_cert.clear();
  REQUIRE(is_new(other));
  other = files.settings;
  other.client_key_password = Secret("one");
  REQUIRE(is_new(other));
  other.client_key_password = Secret("two");
  REQUIRE(is_new(other));
  other = files.settings;
  other.client_cert.clear();
  other.client_key.clear();
  REQUIRE(is_new(other));
  other = files.settings;
  other.client_key = files.directory.write("copy.key", files.station.key_pem());
  REQUIRE(is_new(other));
  const std::string same = other.client_key;
  other.client_key.clear();
  other.client_key_uri = Secret("file:" + same);
  REQUIRE(is_new(other));
  other.client_key_uri = Secret();
  other.client_key_pem = Secret(files.station.key_pem());
  REQUIRE(is_new(other));
  other.client_cert.clear();
  other.client_cert_pem = files.station.certificate_pem();
  REQUIRE(is_new(other));
  other.ca_cert.clear();
  other.ca_cert_pem = files.ca.certificate_pem();
  REQUIRE(is_new(other));
  other.ca_cert_pem += files.ca.certificate_pem();
  REQUIRE(is_new(other));
  other.ciphers = "AES128-GCM-SHA256";
  REQUIRE(is_new(other));
  other.ciphersuites = "TLS_AES_128_GCM_SHA256";
  REQUIRE(is_new(other));
  other.allow_wildcards = true;
  REQUIRE(is_new(other));
  other.crl_file.clear();
  REQUIRE(is_new(other));
  other.key_log_file = files.directory.path("keys.log");
  REQUIRE(is_new(other));
  other.ciphers.clear();
  other.ocpp_rules = true;
  REQUIRE(is_new(other));
}

TEST_CASE("an authority that there was no memory to decode is not taken, or it would be refused for ever") {
  const Files files;
  // Both are called from inside OpenSSL, which goes on without a key, without extensions.
  for (const fixture::Call failing : {fixture::Call::ossl_decoder_from_data, fixture::Call::x509v3_ext_d2i}) {
    fixture::fail_next(failing);
    REQUIRE_THROWS_AS(TlsContext(files.settings), std::bad_alloc);
    REQUIRE_NOTHROW(TlsContext(files.settings));
  }
}

TEST_CASE("half a digest of the settings finds nobody a context") {
  const Files files;
  TlsContexts contexts;
  for (const fixture::Call failing : {fixture::Call::evp_digest_update, fixture::Call::evp_digest_final_ex}) {
    fixture::fail_next(failing);
    REQUIRE_THROWS_AS(contexts.get(files.settings), std::bad_alloc);
  }
  REQUIRE(contexts.get(files.settings) != nullptr);
}

TEST_CASE("a context is kept while it is used, and made anew from files that were replaced") {
  Files files;
  TlsContexts contexts;
  std::weak_ptr<TlsConfiguration> released = contexts.get(files.settings);
  REQUIRE(released.expired());
  const auto configuration = contexts.get(files.settings);
  REQUIRE(contexts.get(files.settings) == configuration);
  auto context = configuration->context();
  std::string problem;
  const auto replaced = [&](const std::string& name, const std::string& content) {
    files.directory.replace(name, content);
    const auto before = context;
    context = configuration->context_or_last(problem);
    REQUIRE(problem.empty());
    REQUIRE(configuration->context() == context);
    return context != before;
  };
  REQUIRE(configuration->context() == context);
  const pki::Identity renewed = pki::make_signed({"CP001"}, files.ca, pki::make_ec_key());
  SECTION("the CA") { REQUIRE(replaced("ca.pem", pki::make_self_signed({"A new CA", {}, true}).certificate_pem())); }
  SECTION("the same content in another file") { REQUIRE(replaced("ca.pem", files.ca.certificate_pem())); }
  SECTION("the revocation list") { REQUIRE(replaced("crl.pem", pki::crl_pem(files.ca, {&files.station}))); }
  SECTION("the certificate and its key, one after the other") {
    files.directory.replace("station.pem", renewed.certificate_pem());
    REQUIRE(configuration->context_or_last(problem) == context);
    REQUIRE_THAT(problem, Catch::Contains("csms.tls.client_key") && Catch::Contains("it is not the key of"));
    REQUIRE_THROWS_AS(configuration->context(), Error);
    REQUIRE_THROWS_AS(contexts.get(files.settings), Error);
    problem.clear();
    files.directory.replace("station.key", renewed.key_pem());
    REQUIRE(configuration->context() != context);
    REQUIRE(configuration->context_or_last(problem) == configuration->context());
    REQUIRE(problem.empty());
  }
}

TEST_CASE("nothing of a key is left in memory that is given back") {
  Files files;
  files.settings.client_key_pem = Secret(files.station.key_pem());
  const std::string key = files.station.key_pem();
  // A line of its base64 that no other key begins with.
  const fixture::FreedMemory freed(key.substr(key.find('\n') + 80, 40));
  TlsSettings settings = files.settings;
  SECTION("from a file") {
    settings.client_key_pem = Secret();
    REQUIRE_FALSE(failure_of(settings));
  }
  SECTION("from memory") {
    settings.client_key.clear();
    REQUIRE_FALSE(failure_of(settings));
  }
  settings.client_key_pem = Secret();
  REQUIRE(freed.blocks_with_it() == 0);
  std::make_unique<std::string>(key);
  REQUIRE(freed.blocks_with_it() == 1);  // or this test sees nothing
}

TEST_CASE("many threads that ask at once get one context") {
  Files files;
  TlsContexts contexts;
  std::vector<std::shared_ptr<const TlsContext>> got(8);
  std::vector<std::shared_ptr<TlsConfiguration>> kept(8);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < got.size(); ++i) {
    threads.emplace_back([&, i] {
      kept[i] = contexts.get(files.settings);
      got[i] = kept[i]->context();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& context : got) REQUIRE(context == got[0]);
}

TEST_CASE("each cipher suite that is named must be one that can be used") {
  const auto [key, value, words] = GENERATE(table<std::string, std::string, std::string>({
      {"ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA348",
       "csms.tls.ciphers: \"ECDHE-ECDSA-AES256-GCM-SHA348\" is no cipher suite of TLS 1.2"},
      {"ciphers", "HIGH", "\"HIGH\" is no cipher suite"},
      {"ciphers", "AES128-GCM-SHA256:@SECLEVEL=0", "\"@SECLEVEL=0\" is no cipher suite"},
      {"ciphers", "ADH-AES128-GCM-SHA256", "is no cipher suite"},
      {"ciphers", "NULL-SHA256", "is no cipher suite"},
      {"ciphers", "PSK-AES128-GCM-SHA256", "is no cipher suite"},
      {"ciphers", "TLS_AES_128_GCM_SHA256", "put it into csms.tls.ciphersuites"},
      {"ciphers", " : ,", "csms.tls.ciphers: it names no cipher suite"},
      {"ciphersuites", "TLS_AES_128_GCM_SHA265",
       "csms.tls.ciphersuites: \"TLS_AES_128_GCM_SHA265\" is no cipher suite"},
      {"ciphersuites", "ECDHE-ECDSA-AES128-GCM-SHA256", "put it into csms.tls.ciphers"},
  }));
  CAPTURE(value);
  TlsSettings settings;
  (key == "ciphers" ? settings.ciphers : settings.ciphersuites) = value;
  const Failure failure = failure_of(settings);
  REQUIRE(failure.status == CWIRE_E_CONFIG);
  REQUIRE_THAT(failure.message, Catch::Contains(words));
  REQUIRE(failure.message.size() < 240);
}

TEST_CASE("security profiles 2 and 3 demand the cipher suites of OCPP") {
  TlsSettings settings;
  settings.ciphers = "ECDHE-RSA-AES128-GCM-SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
  REQUIRE_FALSE(failure_of(settings));
  settings.ocpp_rules = true;
  const Failure failure = failure_of(settings);
  REQUIRE(failure.status == CWIRE_E_CONFIG);
  REQUIRE_THAT(failure.message, Catch::Contains("csms.tls.ciphers") && Catch::Contains("csms.security_profile"));
  settings.version_min = TlsVersion::tls1_3;  // then the list is of no use
  REQUIRE_FALSE(failure_of(settings));
  settings.version_min = TlsVersion::tls1_2;
  settings.ciphers += ":ECDHE-ECDSA-AES256-GCM-SHA384";
  REQUIRE_FALSE(failure_of(settings));
  settings.ciphers = "AES128-GCM-SHA256:AES256-GCM-SHA384";
  REQUIRE_FALSE(failure_of(settings));
}

TEST_CASE("a key log is made for its owner alone, and refused where others could read it") {
  Files files;
  TlsSettings& settings = files.settings;
  settings.key_log_file = files.directory.path("keys.log");
  REQUIRE_FALSE(failure_of(settings));
  struct stat made;
  REQUIRE(::stat(settings.key_log_file.c_str(), &made) == 0);
  REQUIRE((made.st_mode & 0777) == 0600);
  REQUIRE_FALSE(failure_of(settings));  // appended to
  {
    const TlsContext context(settings);
    const std::vector<int> descriptors = descriptors_of(settings.key_log_file);
    REQUIRE(descriptors.size() == 1);
    REQUIRE(closes_on_exec(descriptors.front()));
  }
  if (::geteuid() == 0) {  // only root can give a file away
    REQUIRE(::chown(settings.key_log_file.c_str(), 65534, static_cast<gid_t>(-1)) == 0);
    REQUIRE_THAT(failure_of(settings).message, Catch::Contains("belongs to another user"));
    REQUIRE(::chown(settings.key_log_file.c_str(), 0, static_cast<gid_t>(-1)) == 0);
  }
  REQUIRE(::chmod(settings.key_log_file.c_str(), 0640) == 0);
  REQUIRE_THAT(failure_of(settings).message, Catch::Contains("csms.tls.key_log_file '" + settings.key_log_file + "'") &&
                                                 Catch::Contains("open to other users"));
  settings.key_log_file = files.directory.path("no/such/directory");
  REQUIRE_THAT(failure_of(settings).message, Catch::Contains("cannot be written: no such file"));
  settings.key_log_file = files.directory.path("");
  REQUIRE_THAT(failure_of(settings).message,
               Catch::Contains("csms.tls.key_log_file") && Catch::Contains("is a directory"));
  settings.key_log_file = "/dev/null";
  REQUIRE_THAT(failure_of(settings).message, Catch::Contains("is no regular file"));
  settings.key_log_file = files.directory.path("link");
  REQUIRE(::symlink(files.directory.path("elsewhere").c_str(), settings.key_log_file.c_str()) == 0);
  REQUIRE_THAT(failure_of(settings).message, Catch::Contains("cannot be written"));
}
