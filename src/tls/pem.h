#pragma once

#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace cwire {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using BioPtr = std::unique_ptr<BIO, FreeBio>;

struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using CertificatePtr = std::unique_ptr<X509, FreeCertificate>;

// The text of a PEM file, and where it comes from as messages name it: "csms.tls.ca_cert '/etc/ca.pem'".
struct Pem {
  std::string origin;
  Secret text;  // whatever it holds: a key may stand where only certificates should
};

// What the option `option` names: the file `path`, or, if there is no path, `text` of the option `option` + "_pem".
// Throws Error(TLS): a file that cannot be read or is too large.
Pem read_pem(const std::string& option, const std::string& path, std::string_view text);

// To read from; lives no longer than the PEM. Throws std::bad_alloc.
BioPtr reader_of(const Pem& pem);

// All of its certificates, at least one. Throws Error(TLS) with `advice`.
std::vector<CertificatePtr> certificates_of(const Pem& pem, const char* advice);

// Error(TLS) with the newest reason of OpenSSL.
[[noreturn]] void throw_unusable(const std::string& origin, const std::string& advice);

// True if the last PEM function ended because there is no more. Takes that out of the error queue.
bool at_end_of_pem();

// For pem_password_cb, which must not be null, or OpenSSL prompts on the terminal. Knows no password.
int know_no_password(char* buffer, int capacity, int writing, void* context);

}  // namespace cwire
