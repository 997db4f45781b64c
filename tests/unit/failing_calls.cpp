#include "failing_calls.h"

#include <dlfcn.h>
#include <openssl/bio.h>
#include <openssl/decoder.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

namespace {

using fixture::Call;

struct Failing {
  int times = 0;
  int error = 0;
};
thread_local Failing failing[static_cast<int>(Call::x509v3_ext_d2i) + 1];

bool fails(Call which) {
  Failing& call = failing[static_cast<int>(which)];
  if (call.times == 0) return false;
  --call.times;
  errno = call.error;
  return true;
}

// The function of that name that ours stands in front of.
template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

void fixture::fail_next(Call call, int times, int error) { failing[static_cast<int>(call)] = {times, error}; }

extern "C" {

ssize_t write(int descriptor, const void* data, std::size_t size) {
  static const auto real = next<ssize_t(int, const void*, std::size_t)>("write");
  return fails(Call::write) ? -1 : real(descriptor, data, size);
}

int SSL_set_ex_data(SSL* ssl, int index, void* data) {
  static const auto real = next<int(SSL*, int, void*)>("SSL_set_ex_data");
  return fails(Call::ssl_set_ex_data) ? 0 : real(ssl, index, data);
}

BIO_METHOD* BIO_meth_new(int type, const char* name) {
  static const auto real = next<BIO_METHOD*(int, const char*)>("BIO_meth_new");
  return fails(Call::bio_meth_new) ? nullptr : real(type, name);
}

int EVP_DigestUpdate(EVP_MD_CTX* context, const void* data, std::size_t size) {
  static const auto real = next<int(EVP_MD_CTX*, const void*, std::size_t)>("EVP_DigestUpdate");
  return fails(Call::evp_digest_update) ? 0 : real(context, data, size);
}

int EVP_DigestFinal_ex(EVP_MD_CTX* context, unsigned char* digest, unsigned int* size) {
  static const auto real = next<int(EVP_MD_CTX*, unsigned char*, unsigned int*)>("EVP_DigestFinal_ex");
  return fails(Call::evp_digest_final_ex) ? 0 : real(context, digest, size);
}

int OSSL_DECODER_from_data(OSSL_DECODER_CTX* context, const unsigned char** data, std::size_t* size) {
  static const auto real = next<int(OSSL_DECODER_CTX*, const unsigned char**, std::size_t*)>("OSSL_DECODER_from_data");
  return fails(Call::ossl_decoder_from_data) ? 0 : real(context, data, size);
}

void* X509V3_EXT_d2i(X509_EXTENSION* extension) {
  static const auto real = next<void*(X509_EXTENSION*)>("X509V3_EXT_d2i");
  return fails(Call::x509v3_ext_d2i) ? nullptr : real(extension);
}

}  // extern "C"
