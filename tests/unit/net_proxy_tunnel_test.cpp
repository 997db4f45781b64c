// A tunnel through an HTTP proxy: what is asked for, and whatever a proxy may answer, cut anywhere.
#include <fcntl.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <cerrno>

#include "net/channel.h"
#include "net/proxy_tunnel.h"
#include "net_test_peer.h"

using namespace cwire;
using Catch::Contains;
using std::chrono::milliseconds;

namespace {

constexpr HttpHead::Limits kLimits{1024, 10};

std::shared_ptr<const Proxy> proxy_at(const std::string& host, std::uint16_t port, const char* credentials = "") {
  auto proxy = std::make_shared<Proxy>(parse_proxy(std::string("http://") + credentials + "[::1]:1"));
  proxy->host = host;
  proxy->port = port;
  proxy->named_by = "csms.proxy.url";
  return proxy;
}

// The two ends of a connection, without a network.
struct Ends {
  int both[2] = {-1, -1};
  const int made = ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both);
  const int unblocked = ::fcntl(both[0], F_SETFL, ::fcntl(both[0], F_GETFL) | O_NONBLOCK);
  Socket ours{both[0]};
  peer::Connection theirs{both[1]};
};

struct Tunnel {
  Ends ends;
  char buffer[65536];
  ProxyTunnel tunnel;

  explicit Tunnel(std::shared_ptr<const Proxy> proxy)
      : tunnel(ends.ours.get(), std::move(proxy), "csms.example:443", kLimits) {}
  explicit Tunnel(const char* credentials = "") : Tunnel(proxy_at("proxy.example", 3128, credentials)) {}

  Stream::Outcome handshake() { return tunnel.handshake(buffer, sizeof buffer); }
  // What comes of a whole answer.
  Stream::Outcome answered(const std::string& answer) {
    ends.theirs.send(answer);
    Stream::Outcome outcome = handshake();
    while (outcome.result == Stream::Result::want_read && waiting() > 0) outcome = handshake();
    return outcome;
  }
  // Bytes that nobody has taken off the socket.
  std::size_t waiting() {
    const ssize_t seen = ::recv(ends.ours.get(), buffer, sizeof buffer, MSG_PEEK | MSG_DONTWAIT);
    return seen < 0 ? 0 : static_cast<std::size_t>(seen);
  }
};

std::string answer(int status, const std::string& headers = "") {
  return "HTTP/1.1 " + std::to_string(status) + " Whatever\r\n" + headers + "\r\n";
}

// The failure of an attempt whose proxy gives this answer.
Failure refused(const std::string& text, const char* credentials = "") {
  CAPTURE(text.substr(0, 200));
  Tunnel test(credentials);
  const Stream::Outcome outcome = test.answered(text);
  REQUIRE(outcome.result == Stream::Result::failed);
  CHECK(outcome.failure.status == CWIRE_E_DIAL);
  CHECK(outcome.failure.phase == FailurePhase::proxy);
  CHECK(outcome.failure.security == SecurityEvent::none);
  CHECK_THAT(outcome.failure.message, Catch::StartsWith("proxy proxy.example:3128 (csms.proxy.url): "));
  return outcome.failure;
}

// A channel that is to go through a proxy of the test's. Names are looked up as 127.0.0.1, and noted.
struct Proxied : peer::Dialled {
  std::shared_ptr<std::vector<std::string>> looked_up;
  peer::Listener listener;

  explicit Proxied(std::shared_ptr<std::vector<std::string>> names = std::make_shared<std::vector<std::string>>())
      : Dialled([names](const std::string& host, std::error_code&) {
          names->push_back(host);
          return Resolver::Addresses{asio::ip::make_address("127.0.0.1")};
        }),
        looked_up(std::move(names)) {}

  Channel::Target target() {
    Channel::Target target;
    target.host = "csms.example";
    target.port = 443;
    target.proxy = proxy_at("proxy.example", listener.port());
    target.proxy_answer = kLimits;
    return target;
  }
  std::string proxy_text() const {
    return "proxy proxy.example:" + std::to_string(listener.port()) + " (csms.proxy.url)";
  }
  static std::string read_head(peer::Connection& connection) {
    std::string head;
    while (head.find("\r\n\r\n") == std::string::npos) {
      const std::string byte = connection.receive(1);
      if (byte.empty()) break;
      head += byte;
    }
    return head;
  }
};

}  // namespace

TEST_CASE("a tunnel is asked for with the host, its port and our credentials, and nothing else") {
  {
    Tunnel test("Aladdin:open%20sesame@");
    REQUIRE(test.handshake().result == Stream::Result::want_read);
    test.ends.ours.reset();
    REQUIRE(test.ends.theirs.receive(1000) ==
            "CONNECT csms.example:443 HTTP/1.1\r\nHost: csms.example:443\r\nUser-Agent: chargewire/0.1.0\r\n"
            "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n");
  }
  Tunnel test;
  REQUIRE(test.handshake().result == Stream::Result::want_read);
  test.ends.ours.reset();
  REQUIRE(test.ends.theirs.receive(1000) ==
          "CONNECT csms.example:443 HTTP/1.1\r\nHost: csms.example:443\r\nUser-Agent: chargewire/0.1.0\r\n\r\n");
}

TEST_CASE("any 2xx in HTTP/1 opens the tunnel, with whatever headers, and no body belongs to it") {
  for (const char* head :
       {"HTTP/1.1 200 Connection established\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 200\r\n\r\n",
        "HTTP/1.1 204 x\r\nProxy-Agent: x/1\r\nProxy-Authenticate: Digest\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    CAPTURE(head);
    Tunnel test;
    REQUIRE(test.answered(std::string(head) + "hello").result == Stream::Result::done);
    REQUIRE(test.waiting() == 5);
  }
}

TEST_CASE("an answer cut anywhere is the same answer, and takes nothing behind it") {
  const std::string head = "HTTP/1.1 200 OK\r\nVia: 1.1 proxy\r\n\r\n";
  for (std::size_t cut = 1; cut < head.size(); ++cut) {
    CAPTURE(cut);
    Tunnel test;
    REQUIRE(test.answered(head.substr(0, cut)).result == Stream::Result::want_read);
    REQUIRE(test.waiting() == 0);
    REQUIRE(test.answered(head.substr(cut) + "\r\n\r\nHTTP").result == Stream::Result::done);
    REQUIRE(test.waiting() == 8);
  }
}

TEST_CASE("407 says which credentials are missing or wrong, and where to set them") {
  const std::string basic = "Proxy-Authenticate: Basic realm=\"x\"\r\n";
  const Failure missing = refused(answer(407, basic));
  CHECK(missing.code.kind == Code::Kind::http_status);
  CHECK(missing.code.number == 407);
  CHECK_THAT(missing.message,
             Contains("it asks for credentials (HTTP 407); set csms.proxy.username and csms.proxy.password"));
  CHECK_THAT(refused(answer(407)).message, Contains("set csms.proxy.username"));
  const Failure wrong = refused(answer(407, basic), "user:secret@");
  CHECK_THAT(wrong.message,
             Contains("does not accept our credentials (HTTP 407); check csms.proxy.username") && !Contains("secret"));
  CHECK_THAT(refused(answer(407, "Proxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n")).message,
             Contains("not by Basic"));
  CHECK_THAT(refused(answer(407, "Proxy-Authenticate: Negotiate\r\nproxy-authenticate: bAsIc realm=x\r\n")).message,
             !Contains("not by Basic"));
  CHECK_THAT(refused(answer(407, "Proxy-Authenticate: Digest realm=\"x\", Basic realm=\"y\"\r\n")).message,
             !Contains("not by Basic"));
}

TEST_CASE("a refusal has its status, and says what to do about it") {
  const struct {
    int status;
    const char* words;
  } rows[] = {
      {403, "does not allow a tunnel to csms.example:443 (HTTP 403); ask its operator"},
      {502, "cannot reach csms.example:443 (HTTP 502)"},
      {503, "cannot reach csms.example:443 (HTTP 503)"},
      {504, "cannot reach csms.example:443 (HTTP 504)"},
      {100, "makes no tunnel to csms.example:443 (HTTP 100)"},
      {101, "makes no tunnel to csms.example:443 (HTTP 101)"},
      {301, "makes no tunnel to csms.example:443 (HTTP 301)"},
      {400, "makes no tunnel to csms.example:443 (HTTP 400); check that this is an HTTP proxy that allows CONNECT"},
      {404, "makes no tunnel"},
      {405, "makes no tunnel"},
      {500, "makes no tunnel"},
  };
  for (const auto& row : rows) {
    const Failure failure = refused(answer(row.status) + "a body that nobody reads");
    CHECK(failure.code.number == row.status);
    CHECK_THAT(failure.message, Contains(row.words));
  }
}

TEST_CASE("an answer that is garbage, endless or malformed fails at the limit") {
  CHECK_THAT(refused("SSH-2.0-x\r\n").message, Contains("is not HTTP/1; check that this is the port of an HTTP proxy"));
  CHECK_THAT(refused(std::string("\x15\x03\x01\x00\x02\x02\x16", 7)).message, Contains("is not HTTP/1"));
  CHECK_THAT(refused("HTTP/1.1 200 " + std::string(2000, 'x')).message,
             Contains("is longer than csms.header_size_max"));
  CHECK_THAT(refused("HTTP/1.1 200 OK\r\nX: " + std::string(2000, 'x')).message,
             Contains("is longer than csms.header_size_max"));
  std::string many;
  for (int i = 0; i < 11; ++i) many += "X: y\r\n";
  CHECK_THAT(refused(answer(200, many)).message, Contains("has more headers than csms.header_count_max"));
  CHECK_THAT(refused("HTTP/1.1 200 OK\nX: y\n\n").message, Contains("has a line that ends without CR"));
  CHECK_THAT(refused("HTTP/1.1 2x0 OK\r\n\r\n").message, Contains("has a status line that is not valid"));
  CHECK_THAT(refused(answer(200, "X: a\r\n b\r\n")).message, Contains("has a header folded over two lines"));
  CHECK_THAT(refused(answer(200, "no colon\r\n")).message, Contains("has a header whose name is not valid"));
  // What was refused is refused, however badly it goes on.
  const Failure failure = refused(answer(407, many));
  CHECK(failure.code.number == 407);
  CHECK_THAT(failure.message, Contains("it asks for credentials"));
}

TEST_CASE("a request that the kernel does not take at once is sent in pieces") {
  const auto proxy = std::make_shared<Proxy>();
  proxy->host = "proxy.example";
  proxy->username = "user";
  proxy->password = Secret(std::string(16000, 'p'));
  Tunnel test(proxy);
  const int small = 1;
  REQUIRE(::setsockopt(test.ends.ours.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
  std::string request;
  Stream::Outcome outcome = test.handshake();
  int pieces = 0;
  while (outcome.result == Stream::Result::want_write) {
    ++pieces;
    request += test.ends.theirs.receive(1000);
    outcome = test.handshake();
  }
  REQUIRE(outcome.result == Stream::Result::want_read);
  REQUIRE(pieces > 0);
  test.ends.theirs.send(answer(200));
  REQUIRE(test.handshake().result == Stream::Result::done);
  test.ends.ours.reset();
  request += test.ends.theirs.receive(100000);
  const std::string authorization(proxy->authorization().reveal());
  REQUIRE_THAT(request, Catch::EndsWith("Proxy-Authorization: " + authorization + "\r\n\r\n"));
}

TEST_CASE("a channel through a proxy looks up the proxy's name and never the CSMS's, and names both") {
  Proxied test;
  test.open(test.target());
  peer::Connection proxy = test.listener.accept();
  REQUIRE_THAT(Proxied::read_head(proxy), Catch::StartsWith("CONNECT csms.example:443 HTTP/1.1\r\n"));
  test.loop.run([&] {
    REQUIRE(test.channel->doing() == "asking " + test.proxy_text() + " for a tunnel to csms.example:443");
    REQUIRE(test.channel->stage() == FailurePhase::proxy);
  });
  proxy.send(answer(200));
  REQUIRE(test.record.wait_open());
  REQUIRE(*test.looked_up == std::vector<std::string>{"proxy.example"});
  REQUIRE(test.peer() == "csms.example:443 through 127.0.0.1:" + std::to_string(test.listener.port()));
  test.write("hello");
  REQUIRE(proxy.receive(5) == "hello");
  proxy.send("world");
  REQUIRE(test.record.wait_bytes(5));
  proxy.reset();
  REQUIRE_THAT(test.record.wait_failure().message, Catch::StartsWith("read tcp csms.example:443 through 127.0.0.1:"));
}

TEST_CASE("bytes glued to the proxy's 200 belong to the tunnel") {
  Proxied test;
  test.open(test.target());
  peer::Connection proxy = test.listener.accept();
  Proxied::read_head(proxy);
  proxy.send(answer(200, "Via: x\r\n") + "early");
  REQUIRE(test.record.wait_bytes(5));
  REQUIRE(test.record.data() == "early");
  REQUIRE(test.record.opened());
}

TEST_CASE("an IPv6 CSMS is asked for in brackets") {
  Proxied test;
  Channel::Target target = test.target();
  target.host = "2001:db8::1";
  target.port = 9000;
  test.open(target);
  peer::Connection proxy = test.listener.accept();
  REQUIRE_THAT(Proxied::read_head(proxy),
               Catch::StartsWith("CONNECT [2001:db8::1]:9000 HTTP/1.1\r\nHost: [2001:db8::1]:9000\r\n"));
}

TEST_CASE("a proxy that drips its answer has the time of csms.proxy.timeout, and not a byte more") {
  Proxied test;
  Channel::Target target = test.target();
  target.proxy_timeout = milliseconds(300);
  test.open(target);
  peer::Connection proxy = test.listener.accept();
  Proxied::read_head(proxy);
  const TimePoint begin = Clock::now();
  const std::string slow = "HTTP/1.1 200 OK\r\nX: " + std::string(100000, 'x');
  for (const char byte : slow) {
    if (::send(proxy.descriptor(), &byte, 1, MSG_NOSIGNAL) != 1) break;
    pollfd gone{proxy.descriptor(), POLLRDHUP, 0};
    if (::poll(&gone, 1, 20) != 0) break;
  }
  const Failure failure = test.record.wait_failure();
  REQUIRE(Clock::now() - begin < std::chrono::seconds(15));
  REQUIRE(failure.status == CWIRE_E_DIAL);
  REQUIRE(failure.phase == FailurePhase::proxy);
  REQUIRE(failure.code.number == ETIMEDOUT);
  REQUIRE_THAT(failure.message, Catch::StartsWith(test.proxy_text() + ": no tunnel to csms.example:443 within 300ms "
                                                                      "(csms.proxy.timeout)"));
}

TEST_CASE("a proxy that hangs up instead of answering is told from a CSMS that does") {
  const bool reset = GENERATE(false, true);
  const bool midway = GENERATE(false, true);
  CAPTURE(reset, midway);
  Proxied test;
  test.open(test.target());
  peer::Connection proxy = test.listener.accept();
  Proxied::read_head(proxy);
  if (midway) {
    proxy.send("HTTP/1.1 200 OK\r\n");
    test.loop.run([] {});
  }
  reset ? proxy.reset() : proxy.close();
  const Failure failure = test.record.wait_failure();
  REQUIRE(failure.status == CWIRE_E_DIAL);
  REQUIRE(failure.phase == FailurePhase::proxy);
  REQUIRE_THAT(failure.message, Catch::StartsWith(test.proxy_text() + ": ") && Contains("CONNECT csms.example:443"));
  REQUIRE(failure.code.number == (reset ? ECONNRESET : 0));
  REQUIRE_FALSE(test.record.opened());
}

TEST_CASE("a proxy that cannot be reached is named, and not the CSMS") {
  Channel::Target target;
  target.host = "csms.example";
  target.port = 443;
  SECTION("refused") {
    peer::ClosedPort closed;
    peer::Dialled test;
    target.proxy = proxy_at("127.0.0.1", closed.port());
    test.open(target);
    const Failure failure = test.record.wait_failure();
    const std::string at = "127.0.0.1:" + std::to_string(closed.port());
    REQUIRE(failure.status == CWIRE_E_DIAL);
    REQUIRE(failure.phase == FailurePhase::proxy);
    REQUIRE(failure.code.number == ECONNREFUSED);
    REQUIRE(failure.message == "proxy " + at + " (csms.proxy.url): dial tcp " + at +
                                   ": connection refused; check that the proxy is running and listens on this port");
  }
  SECTION("no such name") {
    peer::Dialled test;
    target.proxy = proxy_at("name.invalid", 3128);
    test.open(target);
    const Failure failure = test.record.wait_failure();
    REQUIRE(failure.status == CWIRE_E_DIAL);
    REQUIRE(failure.phase == FailurePhase::proxy);
    REQUIRE_THAT(failure.message,
                 Catch::StartsWith("proxy name.invalid:3128 (csms.proxy.url): dial: resolving name.invalid: "));
  }
  SECTION("silent") {
    peer::Deaf deaf;
    peer::Dialled test;
    target.proxy = proxy_at("127.0.0.1", deaf.port());
    target.tcp_timeout = milliseconds(100);
    test.open(target);
    test.loop.run([&] { REQUIRE(test.channel->stage() == FailurePhase::proxy); });
    const Failure failure = test.record.wait_failure();
    REQUIRE(failure.phase == FailurePhase::proxy);
    REQUIRE(failure.code.number == ETIMEDOUT);
    REQUIRE_THAT(failure.message, Contains("csms.tcp_timeout") && Contains("between here and the proxy"));
  }
}

TEST_CASE("a source address is that of the connection to the proxy") {
  Proxied test;
  Channel::Target target = test.target();
  target.source = asio::ip::make_address("127.0.0.2");
  test.open(target);
  REQUIRE(test.listener.accept().remote_address() == "127.0.0.2");
}

TEST_CASE("a channel may be destroyed while it waits for its proxy") {
  Proxied test;
  test.open(test.target());
  peer::Connection proxy = test.listener.accept();
  Proxied::read_head(proxy);
  test.loop.run([&] { test.channel.reset(); });
  REQUIRE(proxy.receive(1).empty());
  REQUIRE(test.record.ends() == 0);
}
