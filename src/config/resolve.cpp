#include <algorithm>
#include <initializer_list>
#include <utility>

#include "base/http_syntax.h"
#include "config/config.h"
#include "config/file.h"
#include "config/options.h"
#include "config/values.h"
#include "ocpp/credentials.h"
#include "ocpp/proxy.h"
#include "ocpp/security_profile.h"

namespace cwire {
namespace {

[[noreturn]] void refuse(std::string why) { throw Error(CWIRE_E_CONFIG, std::move(why)); }

// A secret comes from the option itself or from its file, never from both.
void read_secret(Secret& secret, const std::string& path, const std::string& key) {
  if (path.empty()) return;
  if (!secret.empty()) refuse(key + " and " + key + "_file are both set; remove one");
  secret = read_secret_file(path, key + "_file");
}

void check_auth(AuthSettings& auth) {
  // Before the files are read: a forgotten type would otherwise connect without the credentials somebody took care to
  // give.
  const bool has_password = !auth.password.empty() || !auth.password_file.empty();
  const bool has_token = !auth.token.empty() || !auth.token_file.empty();
  if (has_password && auth.type != AuthType::basic) {
    refuse("csms.auth.password is set, but csms.auth.type is not basic; set it to basic, or remove the password");
  }
  if (has_token && auth.type != AuthType::bearer) {
    refuse("csms.auth.token is set, but csms.auth.type is not bearer; set it to bearer, or remove the token");
  }
  if (auth.type == AuthType::none && !auth.username.empty()) {
    refuse("csms.auth.username is set, but csms.auth.type is none; set it to basic, or remove the username");
  }
  read_secret(auth.password, auth.password_file, "csms.auth.password");
  read_secret(auth.token, auth.token_file, "csms.auth.token");
  // The header is made at each connect, with the station's id; here any id shows what is wrong with the rest.
  authorization_header(auth, "station");
}

void check_proxy(ProxySettings& proxy) {
  const bool has_password = !proxy.password.empty() || !proxy.password_file.empty();
  if (has_password && proxy.username.empty()) {
    refuse("csms.proxy.password is set without csms.proxy.username; set the user as well, or remove the password");
  }
  if (proxy.username.empty()) return;
  if (proxy.url.empty() || proxy.url == kNoProxyUrl) {
    refuse(
        "csms.proxy.username is set, but csms.proxy.url names no proxy; set it, or remove the username. A proxy of the "
        "environment has its credentials in the variable");
  }
  read_secret(proxy.password, proxy.password_file, "csms.proxy.password");
  if (const char* defect = basic_defect(proxy.username, proxy.password)) {
    refuse(std::string("csms.proxy.username and csms.proxy.password: ") + defect);
  }
}

// The one of several options that is set, nullptr if none is.
const char* only_one_of(std::initializer_list<std::pair<const char*, bool>> options) {
  const char* found = nullptr;
  for (const auto& [key, is_set] : options) {
    if (!is_set) continue;
    if (found != nullptr) refuse(std::string(found) + " and " + key + " are both set; remove one");
    found = key;
  }
  return found;
}

void check_tls(TlsSettings& tls) {
  only_one_of({{"csms.tls.ca_cert", !tls.ca_cert.empty()}, {"csms.tls.ca_cert_pem", !tls.ca_cert_pem.empty()}});
  if (!tls.crl_file.empty() && tls.insecure_skip_verify) {
    refuse("csms.tls.crl_file is set, but csms.tls.insecure_skip_verify is true; remove one of them");
  }
  const char* certificate = only_one_of(
      {{"csms.tls.client_cert", !tls.client_cert.empty()}, {"csms.tls.client_cert_pem", !tls.client_cert_pem.empty()}});
  const char* key = only_one_of({{"csms.tls.client_key", !tls.client_key.empty()},
                                 {"csms.tls.client_key_pem", !tls.client_key_pem.empty()},
                                 {"csms.tls.client_key_uri", !tls.client_key_uri.empty()}});
  if (certificate != nullptr && key == nullptr) {
    refuse(std::string(certificate) + " is set without csms.tls.client_key; set the certificate's key as well");
  }
  if (certificate == nullptr && key != nullptr) {
    refuse(std::string(key) + " is set without csms.tls.client_cert; set the key's certificate as well");
  }
  const bool has_password = !tls.client_key_password.empty() || !tls.client_key_password_file.empty();
  if (has_password && key == nullptr) {
    refuse(
        "csms.tls.client_key_password is set without csms.tls.client_key; set the key as well, or remove the password");
  }
  read_secret(tls.client_key_password, tls.client_key_password_file, "csms.tls.client_key_password");
}

void check_headers(HeaderList& headers, AuthType auth) {
  headers.erase(
      std::remove_if(headers.begin(), headers.end(), [](const auto& header) { return header.second.empty(); }),
      headers.end());
  if (auth == AuthType::none) return;
  for (const auto& header : headers) {
    if (equals_ignoring_case(header.first, "Authorization")) {
      refuse("csms.headers." + header.first + ": csms.auth.type writes this header already; remove one of the two");
    }
  }
}

// A read timeout that nobody chose must not cut off connections that are merely quiet, as 60 s would with a ping a
// minute.
void stretch_read_timeout(Settings& settings) {
  const bool pings = settings.ping_interval > Duration::zero();
  const Duration quiet = pings ? settings.ping_interval : settings.heartbeat_interval;
  settings.read_timeout = std::max(settings.read_timeout, 2 * quiet);
}

}  // namespace

const Settings& Config::resolve_manager() const {
  const GovernorSettings& governor = values_.governor;
  if (governor.handshakes_min > governor.handshakes_start || governor.handshakes_start > governor.handshakes_max) {
    refuse("governor.handshakes_min (" + std::to_string(governor.handshakes_min) + "), governor.handshakes_start (" +
           std::to_string(governor.handshakes_start) + ") and governor.handshakes_max (" +
           std::to_string(governor.handshakes_max) + ") must rise in this order");
  }
  if (governor.breaker_open > governor.breaker_open_max) {
    refuse("governor.breaker_open (" + duration_text(governor.breaker_open) +
           ") is more than governor.breaker_open_max (" + duration_text(governor.breaker_open_max) +
           "); raise the maximum, or lower the first");
  }
  if (values_.trace.enabled && values_.trace.file.empty()) {
    refuse("trace.enabled is true, but trace.file is not set; say where the trace is to be written");
  }
  return values_;
}

Settings Config::resolve() const {
  Settings settings = values_;
  if (!explicit_[option_index(*find_option("csms.read_timeout").option)]) stretch_read_timeout(settings);
  const ReconnectSettings& reconnect = settings.reconnect;
  if (reconnect.backoff > reconnect.backoff_max) {
    refuse("csms.reconnect_backoff (" + duration_text(reconnect.backoff) +
           ") is more than csms.reconnect_max_backoff (" + duration_text(reconnect.backoff_max) +
           "); raise the maximum, or lower the backoff");
  }
  settings.tls.ocpp_rules = demands_tls(settings.security_profile);
  check_tls(settings.tls);
  check_auth(settings.auth);
  check_proxy(settings.proxy);
  check_headers(settings.headers, settings.auth.type);
  return settings;
}

}  // namespace cwire
