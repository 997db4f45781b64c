#include "tls/cipher_suites.h"

#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "base/failure.h"
#include "config/values.h"
#include "ocpp/security_profile.h"
#include "tls/failure_text.h"

namespace cwire {

namespace {

// TLS 1.2. The ECDHE suites first; then the two with static RSA, because OCPP lets a CSMS offer those instead of
// ECDHE-ECDSA (A00.FR.3xx), and a station that is to reach every CSMS has both. TLS 1.3 has its own suites, all of them
// good.
constexpr char kDefault[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:"
    "AES128-GCM-SHA256:AES256-GCM-SHA384";
// All of RFC 8446 B.4.
constexpr char kAllOfTls13[] =
    "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256:"
    "TLS_AES_128_CCM_8_SHA256";
// Whatever authenticates the server by its certificate and encrypts.
constexpr char kAllOfTls12[] = "ALL:!aNULL:!eNULL:!PSK:!SRP";

struct FreeOfferer {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(STACK_OF(SSL_CIPHER) * suites) const { sk_SSL_CIPHER_free(suites); }
};

struct Choice {
  const char* key;
  const char* version;
  const char* example;
  bool tls1_3;
};
constexpr Choice kTls12 = {"csms.tls.ciphers", "TLS 1.2", "ECDHE-ECDSA-AES128-GCM-SHA256", false};
constexpr Choice kTls13 = {"csms.tls.ciphersuites", "TLS 1.3", "TLS_AES_256_GCM_SHA384", true};

bool is_of_tls13(const SSL_CIPHER* suite) { return SSL_CIPHER_get_kx_nid(suite) == NID_kx_any; }

// What a client with this security level could offer. The suites are OpenSSL's and live for ever.
std::vector<const SSL_CIPHER*> usable_suites(int security_level) {
  const std::unique_ptr<SSL_CTX, FreeOfferer> context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) throw std::bad_alloc();
  SSL_CTX_set_security_level(context.get(), security_level);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), 0);
  SSL_CTX_set_cipher_list(context.get(), kAllOfTls12);
  SSL_CTX_set_ciphersuites(context.get(), kAllOfTls13);
  const std::unique_ptr<SSL, FreeOfferer> ssl(SSL_new(context.get()));
  if (ssl == nullptr) throw std::bad_alloc();
  const std::unique_ptr<STACK_OF(SSL_CIPHER), FreeOfferer> offer(SSL_get1_supported_ciphers(ssl.get()));
  std::vector<const SSL_CIPHER*> suites;
  for (int i = 0; i < sk_SSL_CIPHER_num(offer.get()); ++i) suites.push_back(sk_SSL_CIPHER_value(offer.get(), i));
  ERR_clear_error();
  return suites;
}

std::vector<std::string_view> names_in(std::string_view text) {
  constexpr std::string_view kSeparators = ":, ";
  std::vector<std::string_view> names;
  for (;;) {
    const std::size_t begin = text.find_first_not_of(kSeparators);
    if (begin == std::string_view::npos) return names;
    text.remove_prefix(begin);
    names.push_back(text.substr(0, text.find_first_of(kSeparators)));
    text.remove_prefix(names.back().size());
  }
}

const SSL_CIPHER* suite_called(std::string_view name, const std::vector<const SSL_CIPHER*>& usable,
                               const Choice& choice) {
  const auto found = std::find_if(usable.begin(), usable.end(), [&](const SSL_CIPHER* suite) {
    return name == SSL_CIPHER_get_name(suite) || name == SSL_CIPHER_standard_name(suite);
  });
  if (found != usable.end() && is_of_tls13(*found) == choice.tls1_3) return *found;
  const Choice& other = choice.tls1_3 ? kTls12 : kTls13;
  std::string why = std::string(choice.key) + ": " + quoted(name) + " is no cipher suite of " + choice.version +
                    " that this OpenSSL has and that is safe";
  why += found != usable.end() ? std::string("; put it into ") + other.key
                               : std::string("; write names such as ") + choice.example + ", with ':' between";
  throw Error(CWIRE_E_CONFIG, std::move(why));
}

// The suites that an option names, in their order; the option must be set.
std::vector<const SSL_CIPHER*> chosen(const std::string& text, int security_level, const Choice& choice) {
  const auto usable = usable_suites(security_level);
  std::vector<const SSL_CIPHER*> suites;
  for (const std::string_view name : names_in(text)) suites.push_back(suite_called(name, usable, choice));
  if (suites.empty()) throw Error(CWIRE_E_CONFIG, std::string(choice.key) + ": it names no cipher suite");
  return suites;
}

std::string list_of(const std::vector<const SSL_CIPHER*>& suites) {
  std::string list;
  for (const SSL_CIPHER* suite : suites) list += (list.empty() ? "" : ":") + std::string(SSL_CIPHER_get_name(suite));
  return list;
}

void check_profile(const std::vector<const SSL_CIPHER*>& suites, const TlsSettings& settings) {
  if (!settings.ocpp_rules || settings.version_min == TlsVersion::tls1_3) return;
  std::vector<std::string> names;
  for (const SSL_CIPHER* suite : suites) names.emplace_back(SSL_CIPHER_standard_name(suite));
  if (has_suites_of_ocpp(names)) return;
  throw Error(CWIRE_E_CONFIG,
              "csms.tls.ciphers lacks what csms.security_profile 2 and 3 demand: add ECDHE-ECDSA-AES128-GCM-SHA256 and "
              "ECDHE-ECDSA-AES256-GCM-SHA384, or AES128-GCM-SHA256 and AES256-GCM-SHA384");
}

}  // namespace

void set_cipher_suites(SSL_CTX* context, const TlsSettings& settings) {
  const int level = SSL_CTX_get_security_level(context);
  std::string of_tls12 = kDefault;
  if (!settings.ciphers.empty()) {
    const auto suites = chosen(settings.ciphers, level, kTls12);
    check_profile(suites, settings);
    of_tls12 = list_of(suites);
  }
  bool taken = SSL_CTX_set_cipher_list(context, of_tls12.c_str()) == 1;
  if (!settings.ciphersuites.empty()) {
    taken =
        SSL_CTX_set_ciphersuites(context, list_of(chosen(settings.ciphersuites, level, kTls13)).c_str()) == 1 && taken;
  }
  if (!taken) {
    throw Error(CWIRE_E_TLS, "TLS: this OpenSSL lacks the cipher suites of OCPP: " + newest_openssl_reason() +
                                 "; install a complete OpenSSL 3");
  }
}

}  // namespace cwire
