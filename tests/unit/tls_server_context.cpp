#include "tls_server_context.h"

#include <signal.h>

#include <stdexcept>

namespace pki {

namespace {

void must(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("TLS server of a test: ") + what);
}

}  // namespace

std::unique_ptr<SSL_CTX, Free> make_server_context(const ServerOptions& options) {
  std::unique_ptr<SSL_CTX, Free> made(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = made.get();
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_min_proto_version(context, options.version_min);
  SSL_CTX_set_max_proto_version(context, options.version_max);
  must(SSL_CTX_set_cipher_list(context, options.ciphers.c_str()) == 1, "ciphers");
  must(SSL_CTX_use_certificate(context, options.identity->certificate.get()) == 1, "certificate");
  must(SSL_CTX_use_PrivateKey(context, options.identity->key.get()) == 1, "key");
  for (const Identity* issuer : options.chain) SSL_CTX_add1_chain_cert(context, issuer->certificate.get());
  const unsigned char id[] = "peer";  // without one no session of a client with a certificate is resumed
  SSL_CTX_set_session_id_context(context, id, sizeof id);
  if (options.client_ca != nullptr) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), options.client_ca->certificate.get());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return made;
}

void block_sigpipe_on_this_thread() {
  sigset_t broken_pipe;
  ::sigemptyset(&broken_pipe);
  ::sigaddset(&broken_pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
}

}  // namespace pki
