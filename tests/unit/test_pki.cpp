#include "test_pki.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace pki {

namespace {

void must(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("test PKI: ") + what);
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  must(extension != nullptr, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

template <typename Write>
std::string to_pem(Write write) {
  BIO* memory = BIO_new(BIO_s_mem());
  const bool written = write(memory) == 1;
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(memory, &bytes);
  std::string text(bytes, static_cast<std::size_t>(size));
  BIO_free(memory);
  must(written, "PEM");
  return text;
}

Identity make(const Subject& subject, const Identity* issuer, Key key) {
  static std::atomic<long> serial{1};
  Identity made;
  made.key = std::move(key);
  made.certificate.reset(X509_new());
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial.fetch_add(1));
  X509_gmtime_adj(X509_getm_notBefore(certificate), subject.begins_in_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate), subject.ends_in_s);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(subject.common_name.c_str()), -1, -1, 0);
  X509* signer = issuer == nullptr ? certificate : issuer->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(signer));
  if (subject.is_ca) {
    add_extension(certificate, signer, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, signer, NID_key_usage, "critical,keyCertSign,cRLSign");
  }
  add_extension(certificate, signer, NID_subject_key_identifier, "hash");
  if (!subject.extended_key_usage.empty())
    add_extension(certificate, signer, NID_ext_key_usage, subject.extended_key_usage);
  std::string names;
  for (const std::string& name : subject.alternative_names) names += (names.empty() ? "" : ",") + name;
  if (!names.empty()) add_extension(certificate, signer, NID_subject_alt_name, names);
  EVP_PKEY* signing_key = issuer == nullptr ? made.key.get() : issuer->key.get();
  must(X509_sign(certificate, signing_key, EVP_get_digestbyname(subject.digest.c_str())) > 0, "signature");
  return made;
}

}  // namespace

Key make_ec_key() {
  Key key(EVP_EC_gen("P-256"));
  must(key != nullptr, "EC key");
  return key;
}

Key make_rsa_key(unsigned int bits) {
  Key key(EVP_RSA_gen(bits));
  must(key != nullptr, "RSA key");
  return key;
}

Identity make_self_signed(const Subject& subject) { return make(subject, nullptr, make_ec_key()); }

Identity make_signed(const Subject& subject, const Identity& issuer) { return make(subject, &issuer, make_ec_key()); }

Identity make_signed(const Subject& subject, const Identity& issuer, Key key) {
  return make(subject, &issuer, std::move(key));
}

std::string Identity::certificate_pem() const {
  return to_pem([this](BIO* memory) { return PEM_write_bio_X509(memory, certificate.get()); });
}

std::string Identity::key_pem() const {
  return to_pem([this](BIO* memory) {
    return PEM_write_bio_PKCS8PrivateKey(memory, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

std::string Identity::encrypted_key_pem(const std::string& password) const {
  return to_pem([&](BIO* memory) {
    return PEM_write_bio_PKCS8PrivateKey(memory, key.get(), EVP_aes_256_cbc(), password.c_str(),
                                         static_cast<int>(password.size()), nullptr, nullptr);
  });
}

std::string crl_pem(const Identity& issuer, const std::vector<const Identity*>& revoked, long ends_in_s) {
  const std::unique_ptr<X509_CRL, Free> list(X509_CRL_new());
  X509_CRL_set_version(list.get(), 1);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(issuer.certificate.get()));
  const std::unique_ptr<ASN1_TIME, Free> begins(X509_gmtime_adj(nullptr, -86400));
  const std::unique_ptr<ASN1_TIME, Free> ends(X509_gmtime_adj(nullptr, ends_in_s));
  X509_CRL_set1_lastUpdate(list.get(), begins.get());
  X509_CRL_set1_nextUpdate(list.get(), ends.get());
  for (const Identity* identity : revoked) {
    X509_REVOKED* entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(identity->certificate.get()));
    X509_REVOKED_set_revocationDate(entry, begins.get());
    X509_CRL_add0_revoked(list.get(), entry);
  }
  must(X509_CRL_sign(list.get(), issuer.key.get(), EVP_sha256()) > 0, "revocation list");
  return to_pem([&](BIO* memory) { return PEM_write_bio_X509_CRL(memory, list.get()); });
}

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "cwire-test-XXXXXX").string();
  must(::mkdtemp(&name[0]) != nullptr, "mkdtemp");
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::write(const std::string& name, const std::string& content) const {
  std::ofstream file(path(name), std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  must(!file.fail(), "temporary file");
  return path(name);
}

void TemporaryDirectory::replace(const std::string& name, const std::string& content) const {
  std::filesystem::rename(write(name + ".new", content), path(name));
}

}  // namespace pki
