// Stand-ins for the OpenSSL functions that the library calls. They fail as without memory, which is why most of them
// can: with their failing value and an entry in OpenSSL's error queue.
#include <chargewire/chargewire.h>
#include <dlfcn.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <cerrno>

#include "calls.h"

namespace {

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// OpenSSL's calls of its own functions are its own affair.
bool is_in_the_library(const void* caller) {
  Dl_info of_caller{}, of_library{};
  return ::dladdr(caller, &of_caller) != 0 &&
         ::dladdr(reinterpret_cast<const void*>(&cwire_version), &of_library) != 0 &&
         of_caller.dli_fbase == of_library.dli_fbase;
}

bool fails(failures::Call& call, const void* caller) {
  if (!is_in_the_library(caller) || call.failure() == 0) return false;
  const failures::Outside not_counted;
  ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
  return true;
}

}  // namespace

// STAND_IN(what it returns, its name, parameters, arguments, its value when it fails)
#define STAND_IN(result, name, parameters, arguments, failing)                       \
  namespace {                                                                        \
  failures::Call of_##name("tls", #name, {{"ERR_R_MALLOC_FAILURE", ENOMEM}});        \
  }                                                                                  \
  extern "C" result name parameters {                                                \
    static const auto real = next<result parameters>(#name);                         \
    return fails(of_##name, __builtin_return_address(0)) ? failing : real arguments; \
  }

STAND_IN(SSL_CTX*, SSL_CTX_new, (const SSL_METHOD* method), (method), nullptr)
STAND_IN(int, SSL_CTX_set_cipher_list, (SSL_CTX * context, const char* list), (context, list), 0)
STAND_IN(BIO*, BIO_new_mem_buf, (const void* bytes, int size), (bytes, size), nullptr)
STAND_IN(X509*, PEM_read_bio_X509_AUX, (BIO * bio, X509** out, pem_password_cb* callback, void* context),
         (bio, out, callback, context), nullptr)
STAND_IN(EVP_PKEY*, PEM_read_bio_PrivateKey, (BIO * bio, EVP_PKEY** out, pem_password_cb* callback, void* context),
         (bio, out, callback, context), nullptr)
STAND_IN(int, X509_STORE_add_cert, (X509_STORE * store, X509* certificate), (store, certificate), 0)
STAND_IN(int, X509_check_private_key, (const X509* certificate, const EVP_PKEY* key), (certificate, key), 0)
STAND_IN(int, SSL_CTX_use_certificate, (SSL_CTX * context, X509* certificate), (context, certificate), 0)
STAND_IN(int, SSL_CTX_use_PrivateKey, (SSL_CTX * context, EVP_PKEY* key), (context, key), 0)
STAND_IN(SSL*, SSL_new, (SSL_CTX * context), (context), nullptr)
STAND_IN(BIO_METHOD*, BIO_meth_new, (int type, const char* name), (type, name), nullptr)
STAND_IN(BIO*, BIO_new, (const BIO_METHOD* method), (method), nullptr)
STAND_IN(int, SSL_set_ex_data, (SSL * ssl, int index, void* data), (ssl, index, data), 0)
STAND_IN(long, SSL_ctrl, (SSL * ssl, int command, long number, void* pointer), (ssl, command, number, pointer), 0)
STAND_IN(int, X509_VERIFY_PARAM_set1_host, (X509_VERIFY_PARAM * expected, const char* name, size_t size),
         (expected, name, size), 0)
STAND_IN(int, SSL_set_session, (SSL * ssl, SSL_SESSION* session), (ssl, session), 0)
STAND_IN(SSL_SESSION*, SSL_SESSION_dup, (const SSL_SESSION* session), (session), nullptr)
STAND_IN(int, SSL_do_handshake, (SSL * ssl), (ssl), -1)
STAND_IN(int, SSL_read, (SSL * ssl, void* buffer, int size), (ssl, buffer, size), -1)
STAND_IN(int, SSL_write, (SSL * ssl, const void* data, int size), (ssl, data, size), -1)
STAND_IN(int, SSL_shutdown, (SSL * ssl), (ssl), -1)
STAND_IN(EVP_MD_CTX*, EVP_MD_CTX_new, (), (), nullptr)
STAND_IN(int, EVP_DigestInit_ex, (EVP_MD_CTX * context, const EVP_MD* type, ENGINE* engine), (context, type, engine), 0)
STAND_IN(int, EVP_DigestUpdate, (EVP_MD_CTX * context, const void* data, size_t size), (context, data, size), 0)
STAND_IN(int, EVP_DigestFinal_ex, (EVP_MD_CTX * context, unsigned char* digest, unsigned int* size),
         (context, digest, size), 0)
STAND_IN(int, RAND_bytes, (unsigned char* bytes, int size), (bytes, size), 0)
