// A CSMS that sends its stations elsewhere (301, 302, 303, 307, 308).
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "fixture.h"
#include "raw_peer.h"
#include "test_pki.h"

using namespace fixture;
using Catch::Contains;

namespace {

std::string redirect(const std::string& location, const std::string& status = "302 Found") {
  return "HTTP/1.1 " + status + "\r\nLocation: " + location + "\r\nContent-Length: 0\r\n\r\n";
}

// Reads a request and sends the station elsewhere. Returns the request.
std::string send_away(raw::Server& server, const std::string& location, const std::string& status = "302 Found") {
  auto peer = server.accept();
  const std::string request = peer.read_request();
  peer.send(redirect(location, status));
  peer.read_all();
  return request;
}

Settings with_secrets(Settings more = {}) {
  more.insert(more.end(), {{"csms.security_profile", "1"},
                           {"csms.auth.type", "basic"},
                           {"csms.auth.password", "first"},
                           {"csms.headers.X-Api-Key", "the-api-key"}});
  return quick(more);
}

std::string path_of(const std::string& request) { return request.substr(0, request.find(" HTTP/1.1")); }
std::string header(const std::string& request, const std::string& name) {
  return raw::Connection::header(request, name);
}

// Reads one request over TLS and gives one answer, on a thread of its own.
class SecureServer {
 public:
  SecureServer(const pki::Identity& identity, const std::string& answer)
      : context_(SSL_CTX_new(TLS_server_method())), descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    SSL_CTX_use_certificate(context_, identity.certificate.get());
    SSL_CTX_use_PrivateKey(context_, identity.key.get());
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(descriptor_, 1) == 0);
    REQUIRE(::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, answer] { serve(answer); });
  }
  ~SecureServer() {
    ::shutdown(descriptor_, SHUT_RDWR);  // ends an accept() that nobody came to
    if (thread_.joinable()) thread_.join();
    ::close(descriptor_);
    SSL_CTX_free(context_);
  }
  SecureServer(const SecureServer&) = delete;
  SecureServer& operator=(const SecureServer&) = delete;

  int port() const { return port_; }
  // Once it was served.
  const std::string& request() {
    if (thread_.joinable()) thread_.join();
    return request_;
  }

 private:
  void serve(const std::string& answer) {
    // OpenSSL's own socket BIO raises it when the client has gone.
    sigset_t broken_pipe;
    ::sigemptyset(&broken_pipe);
    ::sigaddset(&broken_pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
    const int client = ::accept(descriptor_, nullptr, nullptr);
    if (client < 0) return;
    SSL* ssl = SSL_new(context_);
    SSL_set_fd(ssl, client);
    if (SSL_accept(ssl) == 1) {
      char buffer[16384];
      int n = 1;
      while (n > 0 && request_.find("\r\n\r\n") == std::string::npos) {
        n = SSL_read(ssl, buffer, sizeof buffer);
        if (n > 0) request_.append(buffer, static_cast<std::size_t>(n));
      }
      SSL_write(ssl, answer.data(), static_cast<int>(answer.size()));
      while (SSL_read(ssl, buffer, sizeof buffer) > 0) {
      }
    }
    SSL_free(ssl);
    ::close(client);
  }

  SSL_CTX* context_;
  int descriptor_;
  int port_ = 0;
  std::string request_;
  std::thread thread_;
};

Record first_error(Fleet& fleet) {
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1"));
  return must(first(fleet.records(), CWIRE_EVENT_ERROR));
}

}  // namespace

TEST_CASE("a redirect is not followed unless configured, and the failure says where it led") {
  raw::Server server, elsewhere;
  Fleet fleet(Delivery::poll, with_secrets());
  fleet.connect("CP1", server.url());
  send_away(server, elsewhere.url() + "/there?token=of-theirs");
  const Record error = first_error(fleet);
  CHECK(error.status == CWIRE_E_HANDSHAKE);
  CHECK(error.failure.phase == CWIRE_PHASE_HTTP);
  CHECK(error.failure.http_status == 302);
  CHECK((error.flags & CWIRE_FLAG_WILL_RETRY) != 0);
  CHECK_THAT(error.data,
             Contains(elsewhere.url() + "/there") && Contains("csms.redirects_max") && !Contains("of-theirs"));
  CHECK_FALSE(elsewhere.somebody_wants_in(0));
  fleet.finish(0);
}

TEST_CASE("a redirect with a user, to nowhere, or with our own credentials is not repeated") {
  raw::Server server;
  Fleet fleet(Delivery::poll, with_secrets({{"csms.redirects_max", "5"}}));
  fleet.connect("CP1", server.url());
  send_away(server, "ws://user:of-theirs@127.0.0.1/");
  send_away(server, "ftp://127.0.0.1/of-theirs");
  send_away(server, "/you-said/Q1AxOmZpcnN0");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_ERROR, "CP1", 3));
  for (const Record& record : fleet.records()) CHECK_THAT(record.data, !Contains("of-theirs") && !Contains("Q1Ax"));
  fleet.finish(0);
}

TEST_CASE("a followed redirect leads within the attempt, and the host of the URL alone gets the credentials") {
  const std::string status = GENERATE("301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect",
                                      "308 Permanent Redirect");
  CAPTURE(status);
  raw::Server server, elsewhere;
  Fleet fleet(Delivery::poll, with_secrets({{"csms.redirects_max", "2"}}));
  fleet.connect("CP1", server.url());
  CHECK(header(send_away(server, "../other/place?x=1", status), "Authorization") == "Basic Q1AxOmZpcnN0");
  const std::string second = send_away(server, elsewhere.url() + "/there", status);
  CHECK(path_of(second) == "GET /other/place?x=1");
  CHECK(header(second, "Authorization") == "Basic Q1AxOmZpcnN0");
  CHECK(header(second, "X-Api-Key") == "the-api-key");
  auto peer = elsewhere.accept();
  const std::string third = peer.upgrade();
  CHECK(path_of(third) == "GET /there");
  CHECK(header(third, "Authorization").empty());
  CHECK(header(third, "X-Api-Key").empty());
  CHECK(header(third, "Sec-WebSocket-Protocol") == "ocpp1.6");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1"));
  CHECK(count(fleet.records(), CWIRE_EVENT_ERROR, "CP1") == 0);
  // The next attempt begins at the URL again.
  peer.reset();
  CHECK(header(server.accept().upgrade(), "Authorization") == "Basic Q1AxOmZpcnN0");
  REQUIRE(fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
  CHECK_THAT(must(first(fleet.records(), CWIRE_EVENT_DISCONNECTED)).data, Contains(elsewhere.url() + "/there"));
  fleet.finish(0);
}

TEST_CASE("redirects in a circle end at the limit") {
  raw::Server server;
  Fleet fleet(Delivery::poll, with_secrets({{"csms.redirects_max", "2"}}));
  fleet.connect("CP1", server.url());
  for (int hops = 0; hops < 3; ++hops) send_away(server, "/round");
  CHECK_THAT(first_error(fleet).data, Contains("csms.redirects_max"));
  fleet.finish(0);
}

TEST_CASE("a redirect may lead to TLS, whose certificate is verified, and never away from it") {
  pki::TemporaryDirectory directory;
  const pki::Identity ca = pki::make_self_signed({"test CA", {}, true});
  const pki::Identity identity = pki::make_signed({"localhost", {"IP:127.0.0.1"}}, ca);
  raw::Server plain;
  SecureServer secure(identity, redirect(plain.url() + "/back"));
  Fleet fleet(Delivery::poll, with_secrets({{"csms.redirects_max", "5"},
                                            {"csms.reconnect_backoff", "1h"},
                                            {"csms.reconnect_max_backoff", "1h"},
                                            {"csms.tls.ca_cert", directory.write("ca.pem", ca.certificate_pem())}}));
  fleet.connect("CP1", plain.url());
  send_away(plain, "https://127.0.0.1:" + std::to_string(secure.port()) + "/secure");
  const Record error = first_error(fleet);
  CHECK(error.failure.http_status == 302);
  CHECK_THAT(error.data, Contains("without TLS") && Contains(plain.url() + "/back"));
  CHECK_FALSE(plain.somebody_wants_in(0));
  fleet.finish(0);
  const std::string request = secure.request();
  CHECK(path_of(request) == "GET /secure");
  CHECK(header(request, "Authorization").empty());  // the scheme is another
}
