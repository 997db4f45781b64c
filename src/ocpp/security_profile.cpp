#include "ocpp/security_profile.h"

#include <algorithm>

#include "base/failure.h"
#include "base/http_syntax.h"

namespace cwire {

namespace {

[[noreturn]] void refuse(const std::string& why) { throw Error(CWIRE_E_CONFIG, why); }

[[noreturn]] void refuse(SecurityProfile profile, const std::string& contradiction, const std::string& advice) {
  refuse("csms.security_profile is " + std::to_string(static_cast<int>(profile)) + ", but " + contradiction + "; " +
         advice);
}

const char* name_of(AuthType type) {
  return type == AuthType::basic ? "basic" : type == AuthType::bearer ? "bearer" : "none";
}

// The header that somebody writes without csms.auth; nullptr: none does.
const std::pair<std::string, std::string>* own_authorization(const Settings& settings) {
  const auto found = std::find_if(settings.headers.begin(), settings.headers.end(), [](const auto& header) {
    return equals_ignoring_case(header.first, "Authorization");
  });
  return found == settings.headers.end() ? nullptr : &*found;
}

bool sends_basic(const Settings& settings) {
  if (settings.auth.type == AuthType::basic) return true;
  const auto* own = own_authorization(settings);
  return own != nullptr && equals_ignoring_case(own->second.substr(0, 6), "basic ");
}

// Refuses what only profile 3 has, and asks 3 for it.
void check_certificate(SecurityProfile profile, const TlsSettings& tls) {
  if (profile == SecurityProfile::tls_certificate) {
    if (tls.has_client_certificate()) return;
    refuse(profile, "csms.tls.client_cert is not set", "set it and csms.tls.client_key to the station's own");
  }
  if (tls.has_client_certificate()) {
    refuse(profile, "csms.tls.client_cert is set, which only profile 3 shows to a CSMS",
           "set the profile to 3, or remove the certificate");
  }
}

void check_credentials(SecurityProfile profile, const Settings& settings) {
  const AuthType type = settings.auth.type;
  if (profile == SecurityProfile::tls_certificate) {
    if (type != AuthType::none) {
      refuse(profile, std::string("csms.auth.type is ") + name_of(type),
             "set it to none, for the client certificate says who the station is, or set the profile to 2");
    }
    if (own_authorization(settings) != nullptr) {
      refuse(profile, "csms.headers.Authorization is set", "remove it, or set the profile to 2");
    }
  } else if (type != AuthType::basic) {
    refuse(profile, std::string("csms.auth.type is ") + name_of(type), "set it to basic, with a password");
  }
}

}  // namespace

bool demands_tls(SecurityProfile profile) {
  return profile == SecurityProfile::tls_basic || profile == SecurityProfile::tls_certificate;
}

void check_security(const Settings& settings, const Url& url) {
  const SecurityProfile profile = settings.security_profile;
  if (profile == SecurityProfile::basic && settings.tls.enabled) {
    refuse(profile, "csms.tls.enabled is true", "set the profile to 2 or 3, or tls.enabled to false");
  }
  if (settings.tls.enabled && !url.secure) {
    refuse("csms.tls.enabled is true, but the URL " + url.text() + " is not wss://; change one of them");
  }
  if (profile == SecurityProfile::unset) {
    if (url.secure || !sends_basic(settings)) return;
    refuse(std::string(settings.auth.type == AuthType::basic ? "csms.auth.type is basic"
                                                             : "csms.headers.Authorization is Basic") +
           ", but the URL is ws://, where anyone on the way reads the password; use wss://, or set "
           "csms.security_profile to 1 to allow it");
  }
  if (demands_tls(profile)) {
    if (!url.secure) refuse(profile, "the URL is ws://", "use wss://, or set the profile to 1");
    if (settings.tls.insecure_skip_verify) {
      refuse(profile, "csms.tls.insecure_skip_verify is true", "set it to false, and csms.tls.ca_cert to the CA");
    }
  } else if (url.secure) {
    refuse(profile, "the URL is wss://", "set the profile to 2 or 3, or use ws://");
  }
  check_certificate(profile, settings.tls);
  check_credentials(profile, settings);
}

bool has_suites_of_ocpp(const std::vector<std::string>& suites) {
  const auto has = [&](const char* name) { return std::find(suites.begin(), suites.end(), name) != suites.end(); };
  return (has("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256") && has("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")) ||
         (has("TLS_RSA_WITH_AES_128_GCM_SHA256") && has("TLS_RSA_WITH_AES_256_GCM_SHA384"));
}

}  // namespace cwire
