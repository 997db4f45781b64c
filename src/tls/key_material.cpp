#include "tls/key_material.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "base/failure.h"
#include "tls/pem.h"

namespace cwire {

namespace {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeKey>;

// The password of an encrypted key or the PIN of a token, and whether it was asked for.
struct KeyPassword {
  const Secret& secret;
  bool asked = false;
};

// pem_password_cb
int give_password(char* buffer, int capacity, int, void* context) {
  auto* password = static_cast<KeyPassword*>(context);
  password->asked = true;
  const std::string_view bytes = password->secret.reveal();
  if (bytes.empty() || bytes.size() > static_cast<std::size_t>(capacity)) return -1;
  std::memcpy(buffer, bytes.data(), bytes.size());
  return static_cast<int>(bytes.size());
}

[[noreturn]] void throw_no_key(const std::string& origin, const KeyPassword& password, const char* advice) {
  if (password.asked && password.secret.empty()) {
    ERR_clear_error();
    throw Error(CWIRE_E_TLS, "TLS: " + origin + " is encrypted; set csms.tls.client_key_password");
  }
  throw_unusable(origin, password.asked ? "check csms.tls.client_key_password" : advice);
}

KeyPtr key_of(const Pem& pem, KeyPassword& password) {
  KeyPtr key(PEM_read_bio_PrivateKey(reader_of(pem).get(), nullptr, give_password, &password));
  if (key == nullptr) throw_no_key(pem.origin, password, "it must hold a private key in PEM");
  return key;
}

struct FreeStore {
  void operator()(OSSL_STORE_CTX* store) const { OSSL_STORE_close(store); }
  void operator()(OSSL_STORE_INFO* info) const { OSSL_STORE_INFO_free(info); }
  void operator()(OSSL_STORE_LOADER* loader) const { OSSL_STORE_LOADER_free(loader); }
  void operator()(UI_METHOD* method) const { UI_destroy_method(method); }
};
template <typename Object>
using StorePtr = std::unique_ptr<Object, FreeStore>;

// Asked first, because OSSL_STORE_open would take a URI of an unknown scheme for the name of a file.
void check_scheme(const std::string& origin, std::string_view uri) {
  const std::string scheme(uri.substr(0, uri.find(':')));
  constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";
  if (scheme.size() == uri.size() || scheme.empty() || scheme.find_first_not_of(kLetters) != std::string::npos) {
    throw Error(CWIRE_E_TLS,
                "TLS: " + origin +
                    " is no URI; write file:/path, pkcs11:... or what else your OpenSSL provider knows, or "
                    "set csms.tls.client_key to the path of a file");
  }
  const StorePtr<OSSL_STORE_LOADER> loader(OSSL_STORE_LOADER_fetch(nullptr, scheme.c_str(), nullptr));
  ERR_clear_error();
  if (loader == nullptr) {
    throw Error(CWIRE_E_TLS, "TLS: " + origin + ": no OpenSSL provider knows the scheme '" + scheme.substr(0, 20) +
                                 "'; install one that does (pkcs11-provider, tpm2-openssl) and activate it in "
                                 "openssl.cnf");
  }
}

KeyPtr key_from_store(const Secret& uri, KeyPassword& password) {
  const std::string origin = "csms.tls.client_key_uri";
  constexpr char kAdvice[] = "check that a private key stands there, and that its provider is set up";
  check_scheme(origin, uri.reveal());
  const StorePtr<UI_METHOD> ask(UI_UTIL_wrap_read_pem_callback(give_password, 0));
  const StorePtr<OSSL_STORE_CTX> store(OSSL_STORE_open(uri.reveal().data(), ask.get(), &password, nullptr,
                                                       nullptr));  // the bytes of a Secret end in NUL
  if (store == nullptr) throw_no_key(origin, password, kAdvice);
  OSSL_STORE_expect(store.get(), OSSL_STORE_INFO_PKEY);
  while (OSSL_STORE_eof(store.get()) == 0) {
    const StorePtr<OSSL_STORE_INFO> found(OSSL_STORE_load(store.get()));
    if (found != nullptr && OSSL_STORE_INFO_get_type(found.get()) == OSSL_STORE_INFO_PKEY) {
      return KeyPtr(OSSL_STORE_INFO_get1_PKEY(found.get()));
    }
    if (found == nullptr && OSSL_STORE_error(store.get()) != 0) throw_no_key(origin, password, kAdvice);
  }
  throw_no_key(origin, password, kAdvice);
}

void load_chain(SSL_CTX* context, const Pem& pem) {
  constexpr char kAdvice[] = "it must hold the station's certificate, then its issuers, in PEM";
  std::vector<CertificatePtr> chain = certificates_of(pem, kAdvice);
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1) throw_unusable(pem.origin, kAdvice);
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add0_chain_cert(context, chain[i].get()) != 1) throw_unusable(pem.origin, kAdvice);
    chain[i].release();
  }
}

void load_key(SSL_CTX* context, const TlsSettings& settings) {
  KeyPassword password{settings.client_key_password};
  std::string origin = "csms.tls.client_key_uri";
  KeyPtr key;
  if (!settings.client_key_uri.empty()) {
    key = key_from_store(settings.client_key_uri, password);
  } else {
    const Pem pem = read_pem("csms.tls.client_key", settings.client_key, settings.client_key_pem.reveal());
    origin = pem.origin;
    key = key_of(pem, password);
  }
  if (X509_check_private_key(SSL_CTX_get0_certificate(context), key.get()) != 1) {
    throw_unusable(origin, "it is not the key of csms.tls.client_cert");
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) throw_unusable(origin, "use a key that TLS can sign with");
}

}  // namespace

void load_identity(SSL_CTX* context, const TlsSettings& settings) {
  const bool has_certificate = settings.has_client_certificate();
  const bool has_key =
      !settings.client_key.empty() || !settings.client_key_pem.empty() || !settings.client_key_uri.empty();
  if (!has_certificate && !has_key) return;
  if (!has_certificate || !has_key) {
    throw Error(CWIRE_E_TLS, "TLS: csms.tls.client_cert and csms.tls.client_key belong together; set both or none");
  }
  load_chain(context, read_pem("csms.tls.client_cert", settings.client_cert, settings.client_cert_pem));
  load_key(context, settings);
}

}  // namespace cwire
