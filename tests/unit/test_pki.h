#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

// Keys and certificates made on the spot, so that no test depends on files that expire.
namespace pki {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_CRL* list) const { X509_CRL_free(list); }
  void operator()(ASN1_TIME* time) const { ASN1_TIME_free(time); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Certificate = std::unique_ptr<X509, Free>;

// What a certificate says.
struct Subject {
  std::string common_name;
  std::vector<std::string> alternative_names = {};  // "DNS:csms.example", "IP:127.0.0.1", "IP:::1"
  bool is_ca = false;
  long begins_in_s = -3600;  // from now
  long ends_in_s = 86400;
  std::string extended_key_usage = {};  // "serverAuth", "clientAuth"
  std::string digest = "SHA256";        // that it is signed with
};

// A key and the certificate for it.
struct Identity {
  Key key;
  Certificate certificate;

  std::string certificate_pem() const;
  std::string key_pem() const;
  std::string encrypted_key_pem(const std::string& password) const;
};

Key make_ec_key();  // P-256
Key make_rsa_key(unsigned int bits);
Identity make_self_signed(const Subject& subject);
Identity make_signed(const Subject& subject, const Identity& issuer);
Identity make_signed(const Subject& subject, const Identity& issuer, Key key);

// The revocation list of a CA, with these of its certificates on it.
std::string crl_pem(const Identity& issuer, const std::vector<const Identity*>& revoked, long ends_in_s = 86400);

// A directory for one test, removed with everything in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  // Returns the path of the file.
  std::string write(const std::string& name, const std::string& content) const;
  // As one that is renewed should be: at once, and without a moment in which it is missing or half.
  void replace(const std::string& name, const std::string& content) const;
  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace pki
