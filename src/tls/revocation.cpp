#include "tls/revocation.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "tls/certificate_time.h"
#include "tls/pem.h"

namespace cwire {

namespace {

struct FreeList {
  void operator()(X509_CRL* list) const { X509_CRL_free(list); }
};
using ListPtr = std::unique_ptr<X509_CRL, FreeList>;

}  // namespace

std::time_t load_revocation_lists(SSL_CTX* context, const TlsSettings& settings) {
  std::time_t good_until = std::numeric_limits<std::time_t>::max();
  if (settings.crl_file.empty()) return good_until;
  constexpr char kAdvice[] = "it must hold revocation lists in PEM (openssl crl -inform DER -in ... makes it of DER)";
  const Pem pem = read_pem("csms.tls.crl_file", settings.crl_file, {});
  const BioPtr reader = reader_of(pem);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  int lists = 0;
  while (const ListPtr list{PEM_read_bio_X509_CRL(reader.get(), nullptr, know_no_password, nullptr)}) {
    if (X509_STORE_add_crl(store, list.get()) != 1) throw_unusable(pem.origin, kAdvice);
    if (const ASN1_TIME* next = X509_CRL_get0_nextUpdate(list.get())) {
      good_until = std::min(good_until, time_of(next));
    }
    ++lists;
  }
  if (lists == 0 || !at_end_of_pem()) throw_unusable(pem.origin, kAdvice);
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return good_until;
}

bool accept_missing_list_of_authority(X509_STORE_CTX* store) {
  if (X509_STORE_CTX_get_error(store) != X509_V_ERR_UNABLE_TO_GET_CRL) return false;
  if (X509_STORE_CTX_get_error_depth(store) == 0) return false;
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return true;
}

}  // namespace cwire
