#include "warm_up.h"

#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <stdexcept>

namespace failures {

namespace {

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using Context = std::unique_ptr<SSL_CTX, Free>;
using Session = std::unique_ptr<SSL_SESSION, Free>;

Session received;  // the newest ticket

Context context_of(const SSL_METHOD* method, const std::string& files, const std::string& directory) {
  Context context(SSL_CTX_new(method));
  SSL_CTX_use_certificate_chain_file(context.get(), (files + ".pem").c_str());
  SSL_CTX_use_PrivateKey_file(context.get(), (files + ".key").c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_load_verify_file(context.get(), (directory + "/ca.pem").c_str());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_id_context(context.get(), reinterpret_cast<const unsigned char*>("warm"), 4);
  return context;
}

// A connection through memory.
void connect(SSL_CTX* client_context, SSL_CTX* server_context) {
  const std::unique_ptr<SSL, Free> client(SSL_new(client_context)), server(SSL_new(server_context));
  BIO *client_side = nullptr, *server_side = nullptr;
  BIO_new_bio_pair(&client_side, 0, &server_side, 0);
  SSL_set_bio(client.get(), client_side, client_side);
  SSL_set_bio(server.get(), server_side, server_side);
  SSL_set_connect_state(client.get());
  SSL_set_accept_state(server.get());
  if (received != nullptr) SSL_set_session(client.get(), received.get());
  for (int turns = 0; turns < 8; ++turns) {
    SSL_do_handshake(client.get());
    SSL_do_handshake(server.get());
  }
  char byte = 'x';
  if (SSL_write(server.get(), &byte, 1) != 1 || SSL_read(client.get(), &byte, 1) != 1) {
    throw std::runtime_error("OpenSSL did not connect with itself");
  }
  SSL_shutdown(client.get());
}

}  // namespace

void warm_up(const std::string& directory) {
  const Context client = context_of(TLS_client_method(), directory + "/station", directory);
  const Context server = context_of(TLS_server_method(), directory + "/server", directory);
  SSL_CTX_set_session_cache_mode(client.get(), SSL_SESS_CACHE_CLIENT);
  SSL_CTX_sess_set_new_cb(client.get(), [](SSL*, SSL_SESSION* session) {
    received.reset(SSL_SESSION_dup(session));
    return 0;
  });
  for (int times = 0; times < 2; ++times) connect(client.get(), server.get());
  received.reset();
  ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, ERR_R_MALLOC_FAILURE));
  ERR_clear_error();

  addrinfo* addresses = nullptr;
  if (::getaddrinfo("localhost", nullptr, nullptr, &addresses) == 0) ::freeaddrinfo(addresses);
}

}  // namespace failures
