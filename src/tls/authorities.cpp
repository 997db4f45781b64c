#include "tls/authorities.h"

#include <openssl/ssl.h>

#include "base/failure.h"
#include "tls/failure_text.h"
#include "tls/pem.h"

namespace cwire {

void load_authorities(SSL_CTX* context, const TlsSettings& settings) {
  if (settings.ca_cert.empty() && settings.ca_cert_pem.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) != 1) {
      throw Error(CWIRE_E_TLS, "TLS: the system's certificate store cannot be used: " + newest_openssl_reason() +
                                   "; set csms.tls.ca_cert to a PEM file");
    }
    return;
  }
  constexpr char kAdvice[] = "it must hold certificates in PEM";
  const Pem pem = read_pem("csms.tls.ca_cert", settings.ca_cert, settings.ca_cert_pem);
  for (const CertificatePtr& certificate : certificates_of(pem, kAdvice)) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get()) != 1)
      throw_unusable(pem.origin, kAdvice);
  }
}

}  // namespace cwire
