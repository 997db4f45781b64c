#include "tls/failure_text.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace cwire {

namespace {

struct Text {
  const char* happened;
  const char* advice;
};

// `happened` follows "the certificate of csms.example:443".
Text verification_text(long result) {
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return {"has expired", "renew it, or set this machine's clock"};
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {"is not valid yet", "set this machine's clock, or wait"};
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return {"is self-signed and not trusted", "set csms.tls.ca_cert to it, or to the CA that should sign it"};
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return {"is signed by a CA that is not trusted", "set csms.tls.ca_cert to that CA's certificate"};
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return {"is signed by an unknown CA",
              "set csms.tls.ca_cert to the CA's certificate, or have the server send its intermediate certificates"};
    case X509_V_ERR_HOSTNAME_MISMATCH:
      return {"is for another host", "correct the URL, set csms.tls.server_name, or reissue the certificate"};
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return {"is not for this address", "set csms.tls.server_name to a name in it, or reissue it with an IP SAN"};
    case kWildcardRefused:
      return {"is for a wildcard", "reissue it for this host, or set csms.tls.allow_wildcards"};
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
      return {"has a chain that is too long", "shorten the chain to 5 intermediate CAs at most"};
    case X509_V_ERR_UNABLE_TO_GET_CRL:
      return {"is not covered by csms.tls.crl_file", "add the revocation list of the CA that signed it"};
    case X509_V_ERR_CRL_HAS_EXPIRED:
      return {"cannot be checked, for the revocation list is out of date", "renew csms.tls.crl_file"};
    case X509_V_ERR_CRL_NOT_YET_VALID:
      return {"cannot be checked, for the revocation list is not valid yet", "set this machine's clock"};
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
      return {"cannot be checked, for the revocation list has a false signature", "replace csms.tls.crl_file"};
    case X509_V_ERR_CERT_REVOKED:
      return {"was revoked", "have the server's certificate replaced"};
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return {"has a false signature", "the chain is damaged or forged; check csms.tls.ca_cert and the network"};
    case X509_V_ERR_INVALID_PURPOSE:
      return {"is not for a TLS server", "reissue it with extended key usage serverAuth"};
    case X509_V_ERR_INVALID_CA:
      return {"is signed by a certificate that is no CA", "check the server's chain"};
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
      return {"has a key that is too small", "use RSA of 2048 bits or more, or EC of 224 or more"};
    case X509_V_ERR_CA_MD_TOO_WEAK:
      return {"is signed with a broken hash", "reissue it with SHA-256 or better"};
    default:
      return {nullptr, "check the server's certificate and csms.tls.ca_cert"};
  }
}

// `happened` follows "TLS: csms.example:443 ".
Text protocol_text(int reason) {
  switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return {"and we have no TLS version in common: protocol version mismatch",
              "update the server to TLS 1.2 or newer, or lower csms.tls.min_version"};
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_UNEXPECTED_MESSAGE:
      return {"answered with something that is not TLS, plain HTTP perhaps", "use ws:// or the server's TLS port"};
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_CIPHERS_AVAILABLE:
    case SSL_R_WRONG_CIPHER_RETURNED:
    case SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY:
      return {"and we have no cipher suite in common", "enable an ECDHE or RSA AES-GCM suite there"};
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return {"refused the handshake, perhaps for want of a client certificate",
              "set csms.tls.client_cert, or look into the server's log"};
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return {"requires a client certificate", "set csms.tls.client_cert and csms.tls.client_key"};
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return {"does not know the CA of our client certificate",
              "give it that CA, or set csms.tls.client_cert to a full chain"};
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return {"refused our client certificate as expired", "renew csms.tls.client_cert"};
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
      return {"refused our client certificate as revoked", "replace csms.tls.client_cert"};
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
      return {"refused our client certificate", "check csms.tls.client_cert and the server's log"};
    case SSL_R_TLSV1_UNRECOGNIZED_NAME:
      return {"does not serve this name", "correct the URL or csms.tls.server_name"};
    case SSL_R_DH_KEY_TOO_SMALL:
    case SSL_R_EE_KEY_TOO_SMALL:
    case SSL_R_CA_KEY_TOO_SMALL:
    case SSL_R_CA_MD_TOO_WEAK:
      return {"uses keys or hashes that are too weak", "use RSA of 2048 bits or EC of 224 or more, and SHA-256"};
    default:
      return {nullptr, "check the server's TLS settings and log"};
  }
}

SecurityEvent security_event_of(int reason) {
  switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return SecurityEvent::invalid_tls_version;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_CIPHERS_AVAILABLE:
    case SSL_R_WRONG_CIPHER_RETURNED:
    case SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY:
      return SecurityEvent::invalid_tls_cipher_suite;
    case SSL_R_DH_KEY_TOO_SMALL:
    case SSL_R_EE_KEY_TOO_SMALL:
    case SSL_R_CA_KEY_TOO_SMALL:
    case SSL_R_CA_MD_TOO_WEAK:
      return SecurityEvent::invalid_csms_certificate;
    default:
      return SecurityEvent::none;
  }
}

std::string reason_of(unsigned long code) {
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "OpenSSL error " + std::to_string(code);
}

}  // namespace

Failure verification_failure(const std::string& server, long result, int depth, const std::string& names) {
  const Text text = verification_text(result);
  const bool of_leaf = depth == 0 || result == X509_V_ERR_CERT_CHAIN_TOO_LONG;
  std::string message = of_leaf ? "TLS: the certificate of " : "TLS: a CA certificate in the chain of ";
  message += server + " ";
  message += text.happened != nullptr ? text.happened
                                      : std::string("was not accepted: ") + X509_verify_cert_error_string(result);
  message += " (X509 error " + std::to_string(result) + ")";
  if (!names.empty()) message += ": it is for " + names;
  message += std::string("; ") + text.advice;
  Failure failure(CWIRE_E_TLS, std::move(message), FailurePhase::tls, x509_result(result));
  failure.security = SecurityEvent::invalid_csms_certificate;
  return failure;
}

Failure protocol_failure(const std::string& server, unsigned long code, bool before_server_hello) {
  int reason = ERR_GET_REASON(code);
  // The alert that servers have for both.
  if (reason == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE && before_server_hello) reason = SSL_R_NO_SHARED_CIPHER;
  const Text text = protocol_text(reason);
  std::string message = "TLS: " + server + " ";
  message += text.happened != nullptr ? text.happened : "failed: " + reason_of(code);
  message += std::string("; ") + text.advice;
  Failure failure(CWIRE_E_TLS, std::move(message), FailurePhase::tls);
  failure.security = security_event_of(reason);
  return failure;
}

std::string newest_openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  return code == 0 ? std::string() : reason_of(code);
}

}  // namespace cwire
