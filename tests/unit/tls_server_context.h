#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

#include "test_pki.h"

namespace pki {

// What a TLS server is made of. Security level 0, so that it can offer what a client must refuse.
struct ServerOptions {
  const Identity* identity = nullptr;
  std::vector<const Identity*> chain = {};  // intermediates to send
  const Identity* client_ca = nullptr;      // set: a client certificate is required
  int version_min = TLS1_VERSION;
  int version_max = TLS1_3_VERSION;
  std::string ciphers = "ALL:@SECLEVEL=0";
};

std::unique_ptr<SSL_CTX, Free> make_server_context(const ServerOptions& options);

// OpenSSL's own socket BIO raises it for the thread that writes when the client has gone.
void block_sigpipe_on_this_thread();

}  // namespace pki
