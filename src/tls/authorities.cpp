#include "tls/authorities.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdlib>
#include <new>

#include "base/failure.h"
#include "tls/failure_text.h"
#include "tls/pem.h"

namespace cwire {

namespace {

bool is_whole(X509* certificate) {
  return X509_get0_pubkey(certificate) != nullptr && (X509_get_extension_flags(certificate) & EXFLAG_INVALID) == 0;
}

// OpenSSL looks at a certificate's key and extensions once, and a certificate that it had no memory for then is of no
// use for as long as the context lives: no station would be connected with it any more. So it looks now, where that can
// be told.
void check_whole(X509_STORE* store) {
  const STACK_OF(X509_OBJECT)* objects = X509_STORE_get0_objects(store);
  for (int i = 0; i < sk_X509_OBJECT_num(objects); ++i) {
    X509* certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
    if (certificate == nullptr || is_whole(certificate)) continue;
    // One that is really bad, or has a key of a kind that is unknown here, is not better the second time.
    const CertificatePtr again(X509_dup(certificate));
    if (again == nullptr || is_whole(again.get())) throw std::bad_alloc();
  }
  ERR_clear_error();
}

bool exists(const char* path) { return ::access(path, F_OK) == 0; }

// An OpenSSL that came along with the library looks where the distribution of its builder has the CAs. Where that place
// is not there, and nobody named another one, this is where the others have them; NULL if nowhere.
const char* bundle_of_another_distribution() {
  if (std::getenv(X509_get_default_cert_file_env()) != nullptr) return nullptr;
  if (std::getenv(X509_get_default_cert_dir_env()) != nullptr) return nullptr;
  if (exists(X509_get_default_cert_file()) || exists(X509_get_default_cert_dir())) return nullptr;
  for (const char* bundle : {
           "/etc/ssl/certs/ca-certificates.crt",  // Debian, Arch, Gentoo
           "/etc/pki/tls/certs/ca-bundle.crt",    // Fedora, RHEL, Amazon Linux
           "/etc/ssl/ca-bundle.pem",              // SUSE
           "/etc/ssl/cert.pem",                   // Alpine
       }) {
    if (exists(bundle)) return bundle;
  }
  return nullptr;
}

void load_system_authorities(SSL_CTX* context) {
  const char* bundle = bundle_of_another_distribution();
  const int loaded =
      bundle != nullptr ? SSL_CTX_load_verify_file(context, bundle) : SSL_CTX_set_default_verify_paths(context);
  if (loaded == 1) return;
  throw Error(CWIRE_E_TLS, "TLS: the system's certificate store cannot be used: " + newest_openssl_reason() +
                               "; set csms.tls.ca_cert to a PEM file");
}

}  // namespace

void load_authorities(SSL_CTX* context, const TlsSettings& settings) {
  if (settings.ca_cert.empty() && settings.ca_cert_pem.empty()) {
    load_system_authorities(context);
    return check_whole(SSL_CTX_get_cert_store(context));
  }
  constexpr char kAdvice[] = "it must hold certificates in PEM";
  const Pem pem = read_pem("csms.tls.ca_cert", settings.ca_cert, settings.ca_cert_pem);
  for (const CertificatePtr& certificate : certificates_of(pem, kAdvice)) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get()) != 1)
      throw_unusable(pem.origin, kAdvice);
  }
  check_whole(SSL_CTX_get_cert_store(context));
}

}  // namespace cwire
