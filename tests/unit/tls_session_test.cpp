// TLS sessions: which connection resumes one, and which must not.
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <future>

#include "net_test_peer.h"
#include "test_pki.h"
#include "tls/configuration.h"
#include "tls/context.h"
#include "tls/contexts.h"
#include "tls/session_cache.h"
#include "tls/stream.h"
#include "tls_test_server.h"

using namespace cwire;

namespace {

// One port that serves one connection after the other, with ticket keys that it can lose.
struct Server {
  pki::TemporaryDirectory directory;
  pki::Identity ca = pki::make_self_signed({"Test CA", {}, true});
  pki::Identity identity = pki::make_signed({"s", {"DNS:csms.example", "DNS:other.example"}}, ca);
  int version;
  bool wants_certificate = false;
  peer::Listener listener;
  std::unique_ptr<SSL_CTX, pki::Free> context;
  bool session_offered = false;  // by the last ClientHello

  explicit Server(int protocol, bool mutual = false) : version(protocol), wants_certificate(mutual) { restart(); }

  void restart() {
    context.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    SSL_CTX_use_certificate(context.get(), identity.certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), identity.key.get());
    SSL_CTX_set_client_hello_cb(context.get(), note_offer, this);
    const unsigned char id[] = "test";
    SSL_CTX_set_session_id_context(context.get(), id, sizeof id);
    if (wants_certificate) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), ca.certificate.get());
      SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
  }

  TlsSettings settings() const {
    TlsSettings settings;
    settings.ca_cert = directory.write("ca.pem", ca.certificate_pem());
    if (wants_certificate) {
      const pki::Identity station = pki::make_signed({"CP001"}, ca);
      settings.client_cert = directory.write("station.pem", station.certificate_pem());
      settings.client_key = directory.write("station.key", station.key_pem());
    }
    return settings;
  }

  // Whether the connection was a resumed one, as the server saw it. It ends without close_notify, as when a CSMS dies.
  bool resumes(const std::shared_ptr<const TlsContext>& client, const std::string& name = "csms.example") {
    std::future<bool> reused = std::async(std::launch::async, [this] {
      peer::Connection connection = listener.accept();
      std::unique_ptr<SSL, pki::Free> ssl(SSL_new(context.get()));
      SSL_set_fd(ssl.get(), connection.descriptor());
      if (SSL_accept(ssl.get()) != 1) throw std::runtime_error("peer: no handshake");
      SSL_write(ssl.get(), "x", 1);
      return SSL_session_reused(ssl.get()) == 1;
    });
    peer::Dialled dialled;
    dialled.open(target(client, name));
    REQUIRE(dialled.record.wait_bytes(1));
    dialled.record.wait_failure();
    return reused.get();
  }
  // An attempt that the server ends in the middle of the handshake.
  void cut_off(const std::shared_ptr<const TlsContext>& client, const std::string& last_words) {
    peer::Dialled dialled;
    dialled.open(target(client, "csms.example"));
    peer::Connection connection = listener.accept();
    connection.receive(100);
    connection.send(last_words);
    connection.close();
    REQUIRE(dialled.record.wait_failure().status == CWIRE_E_TLS);
  }
  // An attempt that is given up while the server says nothing, as when its time is over.
  void give_up(const std::shared_ptr<const TlsContext>& client) {
    peer::Dialled dialled;
    dialled.open(target(client, "csms.example"));
    peer::Connection silent = listener.accept();
    silent.receive(100);
    dialled.loop.run([&] { dialled.channel.reset(); });
  }

 private:
  // A ticket in the extension of its version; an empty one only says that the client would take one.
  static int note_offer(SSL* ssl, int*, void* server) {
    const auto carries = [ssl](unsigned int extension) {
      const unsigned char* content = nullptr;
      std::size_t size = 0;
      return SSL_client_hello_get0_ext(ssl, extension, &content, &size) == 1 && size != 0;
    };
    static_cast<Server*>(server)->session_offered = carries(TLSEXT_TYPE_psk) || carries(TLSEXT_TYPE_session_ticket);
    return SSL_CLIENT_HELLO_SUCCESS;
  }

  Channel::Target target(const std::shared_ptr<const TlsContext>& client, const std::string& name) const {
    Channel::Target target;
    target.host = "127.0.0.1";
    target.port = listener.port();
    target.tls = client;
    target.server_name = name;
    return target;
  }
};

std::shared_ptr<const TlsContext> client_of(const TlsSettings& settings) {
  return std::make_shared<const TlsContext>(settings);
}

SessionPtr session_of(int version = TLS1_3_VERSION) {
  SessionPtr session(SSL_SESSION_new());
  SSL_SESSION_set_protocol_version(session.get(), version);
  const unsigned char id[] = "some id";
  SSL_SESSION_set1_id(session.get(), id, sizeof id);
  return session;
}

// What the cache has after a handshake with a server that sends the leaf and its issuer, when the root is trusted.
// With the same server so many times, of which the first is a full handshake and the others resume it.
void agree(SessionCache& cache, int version, const pki::Identity& leaf, const pki::Identity& issuer,
           const pki::Identity& root, int times = 1, const Verification& verification = {}) {
  std::unique_ptr<SSL_CTX, pki::Free> at_server(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_set_max_proto_version(at_server.get(), version);
  SSL_CTX_use_certificate(at_server.get(), leaf.certificate.get());
  SSL_CTX_use_PrivateKey(at_server.get(), leaf.key.get());
  SSL_CTX_add1_chain_cert(at_server.get(), issuer.certificate.get());
  std::unique_ptr<SSL_CTX, pki::Free> at_client(SSL_CTX_new(TLS_client_method()));
  X509_STORE_add_cert(SSL_CTX_get_cert_store(at_client.get()), root.certificate.get());
  SSL_CTX_set_verify(at_client.get(), SSL_VERIFY_PEER, TlsStream::note_verification);
  SSL_CTX_set_session_cache_mode(at_client.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(at_client.get(), TlsStream::keep_session);
  for (int time = 0; time < times; ++time) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    peer::Connection server_end(ends[0]);
    std::future<bool> resumed = std::async(std::launch::async, [&] {
      std::unique_ptr<SSL, pki::Free> ssl(SSL_new(at_server.get()));
      SSL_set_fd(ssl.get(), server_end.descriptor());
      SSL_accept(ssl.get());
      SSL_write(ssl.get(), "x", 1);
      return SSL_session_reused(ssl.get()) == 1;
    });
    peer::Connection client_end(ends[1]);
    TlsStream stream(at_client.get(), cache, verification, client_end.descriptor(), "csms.example", 0);
    REQUIRE(stream.handshake().result == Stream::Result::done);
    char byte;
    REQUIRE(stream.read(&byte, 1).bytes == 1);  // the tickets of TLS 1.3 come before it
    REQUIRE(resumed.get() == (time > 0));
  }
}

}  // namespace

TEST_CASE("a connection to the same endpoint resumes a session, again and again") {
  Server server(GENERATE(TLS1_2_VERSION, TLS1_3_VERSION), GENERATE(false, true));
  const auto client = client_of(server.settings());
  REQUIRE_FALSE(server.resumes(client));
  for (int i = 0; i < 4; ++i) REQUIRE(server.resumes(client));
  REQUIRE(client->sessions_kept() <= SessionCache::kSessionsMax);
}

TEST_CASE("another name, another context or the option turned off resume nothing") {
  Server server(GENERATE(TLS1_2_VERSION, TLS1_3_VERSION));
  TlsSettings settings = server.settings();
  TlsContexts contexts;
  const auto client = contexts.get(settings)->context();
  REQUIRE_FALSE(server.resumes(client));
  REQUIRE_FALSE(server.resumes(client, "other.example"));
  REQUIRE(server.resumes(client, "other.example"));
  settings.insecure_skip_verify = true;
  const auto insecure = contexts.get(settings)->context();
  REQUIRE_FALSE(server.resumes(insecure));
  REQUIRE(server.resumes(insecure));
  settings.insecure_skip_verify = false;
  settings.session_resumption = false;
  const auto without = contexts.get(settings)->context();
  for (int i = 0; i < 2; ++i) {
    REQUIRE_FALSE(server.resumes(without));
    REQUIRE_FALSE(server.session_offered);
  }
  REQUIRE(server.resumes(client));
  REQUIRE(server.session_offered);
}

TEST_CASE("a server that lost its ticket keys gets a full handshake, and its old sessions are forgotten") {
  Server server(GENERATE(TLS1_2_VERSION, TLS1_3_VERSION));
  const auto client = client_of(server.settings());
  REQUIRE_FALSE(server.resumes(client));
  server.restart();
  REQUIRE_FALSE(server.resumes(client));
  for (int i = 0; i < 5; ++i) REQUIRE(server.resumes(client));
}

TEST_CASE("an attempt that fails drops the session that it used") {
  Server server(GENERATE(TLS1_2_VERSION, TLS1_3_VERSION));
  const std::string fatal_alert = {0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28};  // handshake_failure
  const std::string last_words = GENERATE_COPY(values({std::string(), fatal_alert}));
  const auto client = client_of(server.settings());
  REQUIRE_FALSE(server.resumes(client));
  REQUIRE(client->sessions_kept() > 0);
  server.cut_off(client, last_words);
  REQUIRE(client->sessions_kept() == 0);
  REQUIRE_FALSE(server.resumes(client));
}

TEST_CASE("an attempt that is given up drops the session that it used, and no other") {
  Server server(TLS1_3_VERSION);
  const auto client = client_of(server.settings());
  REQUIRE_FALSE(server.resumes(client));
  REQUIRE(client->sessions_kept() == 2);
  server.give_up(client);
  REQUIRE(client->sessions_kept() == 1);
  server.give_up(client);
  REQUIRE(client->sessions_kept() == 0);
  REQUIRE_FALSE(server.resumes(client));
}

TEST_CASE("the session cache gives the newest, keeps the last of TLS 1.3 and every one of TLS 1.2") {
  SessionCache cache;
  const TimePoint now = Clock::now();
  cache.put("a:1", session_of(), {now});
  cache.put("a:1", session_of(), {now});
  const SessionCache::Offer newest = cache.take("a:1", now);
  REQUIRE(newest.order == 2);
  REQUIRE(cache.size() == 1);
  REQUIRE(cache.take("a:1", now).order == 1);
  REQUIRE(cache.take("a:1", now).order == 1);
  REQUIRE(cache.take("a:2", now).session == nullptr);
  cache.put("b:1", session_of(TLS1_2_VERSION), {now});
  cache.put("b:1", session_of(TLS1_2_VERSION), {now});
  REQUIRE(cache.take("b:1", now).order == 4);
  REQUIRE(cache.take("b:1", now).order == 4);
}

TEST_CASE("the session cache is bounded, per endpoint and in endpoints") {
  SessionCache cache;
  const TimePoint now = Clock::now();
  for (int i = 0; i < 100; ++i) cache.put("a:1", session_of(), {now});
  REQUIRE(cache.size() == SessionCache::kSessionsMax);
  for (int i = 0; i < 1000; ++i) cache.put("b:" + std::to_string(i), session_of(), {now});
  REQUIRE(cache.size() == SessionCache::kEndpointsMax);
  REQUIRE(cache.take("a:1", now).session == nullptr);
  REQUIRE(cache.take("b:999", now).session != nullptr);
}

TEST_CASE("a session that is over, or verified too long ago, is not offered") {
  SessionCache cache;
  const TimePoint now = Clock::now();
  SessionPtr over = session_of();
  SSL_SESSION_set_timeout(over.get(), 0);
  cache.put("a:1", std::move(over), {now});
  REQUIRE(cache.take("a:1", now).session == nullptr);
  cache.put("a:1", session_of(), {now});
  REQUIRE(cache.take("a:1", now + SessionCache::kTrust - std::chrono::seconds(1)).session != nullptr);
  REQUIRE(cache.take("a:1", now + SessionCache::kTrust).session == nullptr);
  REQUIRE(cache.size() == 0);
}

TEST_CASE("a session is not offered beyond its own time") {
  const TimePoint now = Clock::now();
  const SessionPtr session = session_of();
  const std::time_t begun = SSL_SESSION_get_time(session.get());
  SSL_SESSION_set_timeout(session.get(), 100);
  const auto offered_at = [&](std::time_t date) {
    SessionCache cache;
    cache.put("a:1", SessionPtr(SSL_SESSION_dup(session.get())), {now});
    return cache.take("a:1", now, date).session != nullptr;
  };
  REQUIRE(offered_at(begun + 99));
  REQUIRE_FALSE(offered_at(begun + 100));
  REQUIRE_FALSE(offered_at(begun - 1));
}

TEST_CASE("a session is not offered beyond the first end of a certificate in the chain that was verified") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const std::size_t first_to_end = GENERATE(0u, 1u, 2u);
  const long ends_in_s = 3600;
  pki::Subject subjects[] = {{"csms.example", {"DNS:csms.example"}}, {"Issuer", {}, true}, {"Root", {}, true}};
  subjects[first_to_end].ends_in_s = ends_in_s;
  const pki::Identity root = pki::make_self_signed(subjects[2]);
  const pki::Identity issuer = pki::make_signed(subjects[1], root);
  const pki::Identity leaf = pki::make_signed(subjects[0], issuer);
  const std::time_t begun = std::time(nullptr);
  SessionCache cache;
  agree(cache, version, leaf, issuer, root, GENERATE(1, 3));
  SECTION("until then") {
    REQUIRE(cache.take("csms.example:0", Clock::now(), begun + ends_in_s - 60).session != nullptr);
  }
  SECTION("and not after it") {
    REQUIRE(cache.take("csms.example:0", Clock::now(), begun + ends_in_s + 60).session == nullptr);
    REQUIRE(cache.size() == 0);
  }
}

TEST_CASE("a session is not offered beyond the revocation lists that its server was looked up in") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const pki::Identity root = pki::make_self_signed({"Root", {}, true});
  const pki::Identity issuer = pki::make_signed({"Issuer", {}, true}, root);
  const pki::Identity leaf = pki::make_signed({"csms.example", {"DNS:csms.example"}}, issuer);
  const std::time_t until = std::time(nullptr) + 3600;
  Verification verification;
  verification.lists_until = until;
  SessionCache cache;
  agree(cache, version, leaf, issuer, root, GENERATE(1, 3), verification);
  SECTION("until then") { REQUIRE(cache.take("csms.example:0", Clock::now(), until - 60).session != nullptr); }
  SECTION("and not after it") { REQUIRE(cache.take("csms.example:0", Clock::now(), until).session == nullptr); }
}

TEST_CASE("of several revocation lists the first that is out of date counts") {
  Server server(TLS1_3_VERSION);
  const pki::Identity other = pki::make_self_signed({"Other CA", {}, true});
  TlsSettings settings = server.settings();
  // The one that is over in a moment does not come last.
  settings.crl_file =
      server.directory.write("crl.pem", pki::crl_pem(other, {}, -1) + pki::crl_pem(server.ca, {}, 86400));
  const auto client = client_of(settings);
  REQUIRE_FALSE(server.resumes(client));
  REQUIRE_FALSE(server.resumes(client));
}
