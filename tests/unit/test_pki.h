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

// A directory for one test, removed with everything in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  // Returns the path of the file.
  std::string write(const std::string& name, const std::string& content) const;
  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace pki
