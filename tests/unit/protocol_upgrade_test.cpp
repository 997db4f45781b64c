// The upgrade of RFC 6455 4: what is asked, and which answers are taken.
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "config/config.h"
#include "protocol/retry_after.h"
#include "protocol/upgrade_request.h"
#include "protocol/upgrade_response.h"
#include "protocol_peer.h"

using namespace cwire;
using namespace cwire::test;

namespace {

// The answer of a correct server, whose header lines a test can change.
std::string answer_with(const std::string& request, const std::vector<std::string>& lines,
                        const std::string& status = "HTTP/1.1 101 Switching Protocols") {
  std::string out = status + "\r\n";
  for (std::string line : lines) {
    const std::size_t at = line.find("$ACCEPT");
    if (at != std::string::npos) line.replace(at, 7, accept_of(request));
    out += line + "\r\n";
  }
  return out + "\r\n";
}

const std::vector<std::string> kGood = {"Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: $ACCEPT",
                                        "Sec-WebSocket-Protocol: ocpp1.6"};

std::vector<std::string> good_but(std::size_t index, const std::string& line) {
  std::vector<std::string> lines = kGood;
  lines[index] = line;
  return lines;
}
std::vector<std::string> good_without(std::size_t index) {
  std::vector<std::string> lines = kGood;
  lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(index));
  return lines;
}
std::vector<std::string> good_and(const std::string& line) {
  std::vector<std::string> lines = kGood;
  lines.push_back(line);
  return lines;
}

// What comes of an answer, whole and one byte at a time: the same.
Failure failure_of(const std::vector<std::string>& lines,
                   const std::string& status = "HTTP/1.1 101 Switching Protocols", ProtocolLimits limits = {}) {
  Conversation whole(limits), sliced(limits);
  whole.receive(answer_with(whole.begin(), lines, status) + text("too early"));
  const std::string bytes = answer_with(sliced.begin(), lines, status) + text("too early");
  for (const char c : bytes) sliced.receive({&c, 1});
  CHECK(whole.recorder.events == sliced.recorder.events);
  CHECK(whole.recorder.failure.message == sliced.recorder.failure.message);
  CHECK(whole.recorder.terminal_reports <= 1);
  CHECK(whole.take().empty());
  return whole.recorder.failure;
}

std::string opened_with(const std::vector<std::string>& lines) {
  Conversation talk;
  talk.receive(answer_with(talk.begin(), lines));
  INFO(talk.recorder.failure.message);
  return talk.recorder.events.empty() ? "" : talk.recorder.events[0];
}

}  // namespace

TEST_CASE("the upgrade request is what RFC 6455 4.1 asks for", "[protocol]") {
  UpgradeRequest request = a_request();
  request.authorization = Secret("Basic c2VjcmV0");
  request.headers = {{"X-Site", "RDAM"}};
  Conversation talk({}, request);
  const std::string head = talk.begin();
  CHECK(head.rfind("GET /ocpp/CP001 HTTP/1.1\r\n", 0) == 0);
  CHECK(head.substr(head.size() - 4) == "\r\n\r\n");
  CHECK(head.find("\r\n\r\n") == head.size() - 4);
  CHECK(header_value(head, "Host") == "csms.example");
  CHECK(header_value(head, "Upgrade") == "websocket");
  CHECK(header_value(head, "Connection") == "Upgrade");
  CHECK(header_value(head, "Sec-WebSocket-Version") == "13");
  CHECK(header_value(head, "Sec-WebSocket-Key").size() == 24);
  CHECK(header_value(head, "Sec-WebSocket-Protocol") == "ocpp2.0.1, ocpp1.6");
  CHECK(header_value(head, "User-Agent") == "chargewire/0.1.0");
  CHECK(header_value(head, "Authorization") == "Basic c2VjcmV0");
  CHECK(header_value(head, "X-Site") == "RDAM");
  CHECK(head.find("Sec-WebSocket-Extensions") == std::string::npos);
  CHECK(talk.recorder.outputs == 1);
}

TEST_CASE("the Host header has brackets around IPv6, and the port where it is not the scheme's own", "[protocol]") {
  UpgradeRequest request = a_request();
  request.url.host = "::1";
  request.url.host_is_ipv6 = true;
  request.url.port = 9000;
  CHECK(header_value(Conversation({}, request).begin(), "Host") == "[::1]:9000");
  request.url.secure = true;
  request.url.port = 443;
  CHECK(header_value(Conversation({}, request).begin(), "Host") == "[::1]");
}

TEST_CASE("an extra header may replace the User-Agent", "[protocol]") {
  UpgradeRequest request = a_request();
  request.headers = {{"user-agent", "station/1"}};
  const std::string head = Conversation({}, request).begin();
  CHECK(header_value(head, "user-agent") == "station/1");
  CHECK(head.find("chargewire") == std::string::npos);
}

TEST_CASE("handshake keys differ", "[protocol]") {
  const std::unique_ptr<Engine> engine = make_engine();
  std::set<std::string> keys;
  for (int i = 0; i < 200; ++i) {
    Recorder recorder;
    const auto session = engine->open(a_request(), {}, recorder);
    session->start();
    keys.insert(header_value(session->output(), "Sec-WebSocket-Key"));
  }
  CHECK(keys.size() == 200);
}

TEST_CASE("a request that HTTP cannot express is refused before anything is sent, without showing a value",
          "[protocol]") {
  const auto refused = [](auto change) {
    UpgradeRequest request = a_request();
    change(request);
    Recorder recorder;
    const auto engine = make_engine();
    try {
      engine->open(request, {}, recorder);
    } catch (const Error& error) {
      CHECK(error.failure.status == CWIRE_E_INVALID_ARGUMENT);
      CHECK(error.failure.message.find("hush") == std::string::npos);
      CHECK(error.failure.message.find('\n') == std::string::npos);
      return true;
    }
    return false;
  };
  CHECK_FALSE(refused([](UpgradeRequest&) {}));
  CHECK_FALSE(refused([](UpgradeRequest& r) { r.headers = {{"X-A", "a\tb \xc3\xa9"}}; }));
  CHECK_FALSE(refused([](UpgradeRequest& r) { r.headers = {{"Authorization", "Bearer x"}}; }));
  for (const char* value : {"hush\r\nX: y", "hush\n", "hush\r", "hush\x7f", "hush\x01"}) {
    CHECK(refused([&](UpgradeRequest& r) { r.headers = {{"X-A", value}}; }));
    CHECK(refused([&](UpgradeRequest& r) { r.authorization = Secret(value); }));
  }
  CHECK(refused([](UpgradeRequest& r) { r.headers = {{"X-A", std::string("hush\0", 5)}}; }));
  for (const char* name :
       {"", "X A", "X:", "X\r\nY", "\xc3\xa9", "X(", "Host", "upgrade", "Connection", "SEC-websocket-key",
        "Sec-WebSocket-Extensions", "content-length", "Transfer-Encoding", "Trailer", "Expect"}) {
    INFO(name);
    CHECK(refused([&](UpgradeRequest& r) { r.headers = {{name, "hush"}}; }));
  }
  CHECK(refused([](UpgradeRequest& r) {
    r.authorization = Secret("Basic hush");
    r.headers = {{"authorization", "Bearer hush"}};
  }));
  for (const char* path : {"", "ocpp", "/a b", "/a\r\nX: y", "/a\x01", "/a#b", "/\xc3\xa9"}) {
    CHECK(refused([&](UpgradeRequest& r) { r.url.path = path; }));
  }
  for (const char* host : {"", "a b", "a\r\n"}) CHECK(refused([&](UpgradeRequest& r) { r.url.host = host; }));
  CHECK(refused([](UpgradeRequest& r) { r.subprotocols = {"ocpp1.6", ""}; }));
  CHECK(refused([](UpgradeRequest& r) { r.subprotocols = {"ocpp1.6, x"}; }));
  CHECK(refused([](UpgradeRequest& r) { r.subprotocols = {"ocpp1.6", "ocpp1.6"}; }));
}

TEST_CASE("the configuration and the request agree on which headers there may be", "[protocol]") {
  const auto configured = [](const std::string& name, const std::string& value) {
    Config config;
    try {
      config.set("csms.headers." + name, value);
    } catch (const Error&) {
      return false;
    }
    return true;
  };
  const auto requested = [](const std::string& name, const std::string& value) {
    UpgradeRequest request = a_request();
    request.headers = {{name, value}};
    try {
      check_upgrade_request(request);
    } catch (const Error&) {
      return false;
    }
    return true;
  };
  for (const std::string name : {"Host",
                                 "hOST",
                                 "Upgrade",
                                 "CONNECTION",
                                 "Content-Length",
                                 "transfer-encoding",
                                 "Trailer",
                                 "trailer",
                                 "Expect",
                                 "expect",
                                 "Sec-WebSocket-Key",
                                 "sec-websocket-version",
                                 "SEC-WEBSOCKET-PROTOCOL",
                                 "Sec-WebSocket-Extensions",
                                 "Sec-WebSocket-Accept",
                                 "Sec-WebSocket-",
                                 "Sec-WebSocket-Anything",
                                 "X Site",
                                 "X:",
                                 "X\r\nY",
                                 "X\xc3\xa9",
                                 "(x)"}) {
    CAPTURE(name);
    CHECK_FALSE(configured(name, "x"));
    CHECK_FALSE(requested(name, "x"));
  }
  for (const std::string name : {"X-Site", "Hosts", "X-Host", "User-Agent", "Authorization", "Expected", "Trailers",
                                 "Sec-WebSocket", "Origin", "!#$%&'*+-.^_`|~09azAZ"}) {
    CAPTURE(name);
    CHECK(configured(name, "x"));
    CHECK(requested(name, "x"));
  }
  for (int byte = 0; byte < 256; ++byte) {
    const std::string value = std::string("a") + static_cast<char>(byte) + "b";
    const std::string name = "X" + value;
    CAPTURE(byte);
    CHECK(configured("X", value) == requested("X", value));
    CHECK(configured(name, "x") == requested(name, "x"));
  }
}

TEST_CASE("Sec-WebSocket-Accept is that of RFC 6455 1.3", "[protocol]") {
  CHECK(accept_for("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("a correct answer opens the session, however it is spelled", "[protocol]") {
  CHECK(opened_with(kGood) == "open ocpp1.6");
  CHECK(opened_with(good_but(0, "UPGRADE:WebSocket")) == "open ocpp1.6");
  CHECK(opened_with(good_but(1, "connection: keep-alive, \t upgrade  ")) == "open ocpp1.6");
  CHECK(opened_with(good_but(3, "sec-websocket-protocol:  ocpp2.0.1\t")) == "open ocpp2.0.1");
  // websocketpp would take the first ten bytes of frames for a body.
  CHECK(opened_with(good_and("Content-Length: 10")) == "open ocpp1.6");
  CHECK(opened_with(good_and("Server: caf\xc3\xa9")) == "open ocpp1.6");
  CHECK(opened_with(good_and("X-Empty:")) == "open ocpp1.6");

  Conversation terse;
  terse.receive(answer_with(terse.begin(), kGood, "HTTP/1.1 101"));
  CHECK(terse.recorder.events == std::vector<std::string>{"open ocpp1.6"});
}

TEST_CASE("a wrong, missing or doubled Upgrade, Connection or Accept never opens", "[protocol]") {
  const std::vector<std::vector<std::string>> wrong = {
      good_without(0),
      good_without(1),
      good_without(2),
      good_but(0, "Upgrade: h2c"),
      good_but(0, "Upgrade: websockets"),
      good_but(0, "Upgrade: websocket, h2c"),
      good_but(1, "Connection: close"),
      good_but(1, "Connection: Upgraded"),
      good_but(1, "Connection: "),
      good_but(2, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
      good_but(2, "Sec-WebSocket-Accept: "),
      good_and("Upgrade: websocket"),
      good_and("Connection: Upgrade"),
      good_and("Sec-WebSocket-Accept: $ACCEPT"),
      good_and("Sec-WebSocket-Accept: x")};
  for (const auto& lines : wrong) {
    const Failure failure = failure_of(lines);
    CHECK(failure.status == CWIRE_E_HANDSHAKE);
    CHECK(failure.code.number == 101);
    CHECK(failure.message.find('\n') == std::string::npos);
  }
}

TEST_CASE("an extension that was not offered never opens", "[protocol]") {
  for (const char* value : {"permessage-deflate", "", "x;;;=", "permessage-deflate; client_max_window_bits=99"}) {
    const Failure failure = failure_of(good_and("Sec-WebSocket-Extensions: " + std::string(value)));
    CHECK(failure.status == CWIRE_E_HANDSHAKE);
    CHECK(failure.message.find("extension") != std::string::npos);
  }
}

TEST_CASE("the subprotocol is exactly one of those offered, or the failure says what was", "[protocol]") {
  const std::vector<std::vector<std::string>> wrong = {good_without(3),
                                                       good_but(3, "Sec-WebSocket-Protocol: ocpp1.5"),
                                                       good_but(3, "Sec-WebSocket-Protocol: OCPP1.6"),
                                                       good_but(3, "Sec-WebSocket-Protocol: ocpp1.6, ocpp2.0.1"),
                                                       good_but(3, "Sec-WebSocket-Protocol: "),
                                                       good_and("Sec-WebSocket-Protocol: ocpp1.6"),
                                                       good_and("Sec-WebSocket-Protocol: ocpp2.0.1")};
  for (const auto& lines : wrong) {
    const Failure failure = failure_of(lines);
    CHECK(failure.status == CWIRE_E_SUBPROTOCOL);
    CHECK(failure.message.find("ocpp2.0.1, ocpp1.6") != std::string::npos);
  }
  CHECK(failure_of(wrong[1]).message.find("\"ocpp1.5\"") != std::string::npos);
  // What does not look like a version may be anything the server has seen, also credentials.
  CHECK(failure_of(good_but(3, "Sec-WebSocket-Protocol: c2VjcmV0")).message.find("c2VjcmV0") == std::string::npos);

  UpgradeRequest request = a_request();
  request.subprotocols.clear();
  Conversation none({}, request), chosen({}, request);
  none.receive(upgrade_answer(none.begin(), ""));
  CHECK(none.recorder.events == std::vector<std::string>{"open "});
  chosen.receive(upgrade_answer(chosen.begin(), "ocpp1.6"));
  CHECK(chosen.recorder.failure.status == CWIRE_E_SUBPROTOCOL);
}

TEST_CASE("a refusal is told by its status, with a hint, and its body is not read", "[protocol]") {
  const std::map<int, std::string> hints = {{200, "ordinary web page"},
                                            {301, "redirects"},
                                            {302, "redirects"},
                                            {307, "redirects"},
                                            {400, "bad request"},
                                            {401, "credentials"},
                                            {403, "forbidden"},
                                            {404, "does not know this identity"},
                                            {407, "proxy"},
                                            {418, "101 was expected"},
                                            {426, "version"},
                                            {429, "come back later"},
                                            {500, "inside the CSMS"},
                                            {503, "overloaded"},
                                            {100, "101 was expected"}};
  for (const auto& [status, hint] : hints) {
    const Failure failure = failure_of({"Content-Length: 1000000", "Location: http://elsewhere/?token=hush"},
                                       "HTTP/1.1 " + std::to_string(status) + " hush");
    INFO(failure.message);
    CHECK(failure.status == (status == 401 || status == 403 ? CWIRE_E_AUTH : CWIRE_E_HANDSHAKE));
    CHECK(failure.code.number == status);
    CHECK(failure.message.find(std::to_string(status)) != std::string::npos);
    CHECK(failure.message.find(hint) != std::string::npos);
    CHECK(failure.message.find("hush") == std::string::npos);
  }
  // The status has said no; that the rest is malformed is the lesser news. HTTP/1.0 can refuse, too.
  CHECK(failure_of({"bad line"}, "HTTP/1.1 403 Forbidden").status == CWIRE_E_AUTH);
  CHECK(failure_of({}, "HTTP/1.0 401 Unauthorized").status == CWIRE_E_AUTH);
}

TEST_CASE("where a redirect leads is told, and where another answer does is not", "[protocol]") {
  const auto location_of = [](const std::string& status, const std::vector<std::string>& lines) {
    Conversation conversation;
    conversation.receive(answer_with(conversation.begin(), lines, "HTTP/1.1 " + status + " Something"));
    CHECK(conversation.recorder.terminal_reports == 1);
    CHECK(conversation.recorder.failure.status == CWIRE_E_HANDSHAKE);
    return conversation.recorder.location;
  };
  const std::string line = "Location: wss://elsewhere/a?b=c", place = "wss://elsewhere/a?b=c";
  for (const char* status : {"301", "302", "303", "307", "308"}) CHECK(location_of(status, {line}) == place);
  for (const char* status : {"200", "300", "304", "305", "404", "503"}) CHECK(location_of(status, {line}).empty());
  CHECK(location_of("302", {}).empty());
  CHECK(location_of("302", {line, line}).empty());
  CHECK(location_of("302", {line, "what is no header"}).empty());
}

TEST_CASE("an answer that is not strict HTTP/1.1 never opens", "[protocol]") {
  for (const char* status :
       {"HTTP/1.0 101 Switching Protocols", "HTTP/2 101", "HTTP/1.1  101 x", "HTTP/1.1 0101", "HTTP/1.1 10",
        "HTTP/1.1 1011 x", "HTTP/1.1 999 x", "HTTP/1.1 10a x", "HTTP/1.1\t101 x", "http/1.1 101 x", "HTTP/1.12 101 x",
        "", "SSH-2.0-OpenSSH", "\x15\x03\x01", "HTTP/1.1 101 \x01"}) {
    INFO(status);
    CHECK(failure_of(kGood, status).status == CWIRE_E_HANDSHAKE);
  }
  for (const std::string& line :
       {std::string(" folded"), std::string("\tfolded"), std::string("X-Nul: a\0b", 10), std::string("X-A : b"),
        std::string("no colon"), std::string(": nameless"), std::string("X A: b"), std::string("X-CR: a\rb"),
        std::string("X-\x7f: b"), std::string("X-Del: \x7f")}) {
    INFO(line);
    CHECK(failure_of(good_and(line)).status == CWIRE_E_HANDSHAKE);
  }
  for (const char* bytes :
       {"HTTP/1.1 101 Switching Protocols\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\n"}) {
    Conversation talk;
    talk.begin();
    talk.receive(bytes);
    CHECK(talk.recorder.failure.message.find("without CR") != std::string::npos);
  }
}

TEST_CASE("what does not speak HTTP is noticed at its first bytes", "[protocol]") {
  Conversation talk;
  talk.begin();
  talk.receive("\x15\x03");
  CHECK(talk.recorder.failure.status == CWIRE_E_HANDSHAKE);
  CHECK(talk.recorder.failure.message.find("wss://") != std::string::npos);
}

TEST_CASE("what does not speak HTTP is told as that also where it says more than a head may have", "[protocol]") {
  ProtocolLimits limits;
  limits.header_size_max = 1000;
  Conversation talk(limits);
  talk.begin();
  talk.receive("SSH-2.0-" + std::string(1000, 'x'));
  CHECK(talk.recorder.failure.message.find("wss://") != std::string::npos);
}

TEST_CASE("the answer's head is limited in bytes and in headers", "[protocol]") {
  ProtocolLimits limits;
  limits.header_size_max = 1000;
  limits.header_count_max = 6;
  CHECK(failure_of(good_and("X: " + std::string(2000, 'x')), "HTTP/1.1 101 x", limits)
            .message.find("csms.header_size_max") != std::string::npos);
  CHECK(failure_of({"X: " + std::string(2000, 'x')}, "HTTP/1.1 401 x", limits).status == CWIRE_E_AUTH);

  std::vector<std::string> lines = kGood;
  lines.push_back("A: 1");
  lines.push_back("A: 2");
  CHECK(failure_of(lines, "HTTP/1.1 101 x", limits).status == CWIRE_OK);
  lines.push_back("A: 3");
  CHECK(failure_of(lines, "HTTP/1.1 101 x", limits).message.find("csms.header_count_max") != std::string::npos);

  // To the byte.
  Conversation fits(limits), over(limits);
  const auto padded = [](const std::string& request, std::size_t size) {
    const std::size_t bare = answer_with(request, good_and("X: ")).size();
    return answer_with(request, good_and("X: " + std::string(size - bare, 'x')));
  };
  fits.receive(padded(fits.begin(), 1000));
  CHECK(fits.recorder.events == std::vector<std::string>{"open ocpp1.6"});
  over.receive(padded(over.begin(), 1001));
  CHECK(over.recorder.failure.status == CWIRE_E_HANDSHAKE);

  // A bomb without a line's end does not wait for one, nor is it kept.
  Conversation bomb(limits);
  bomb.begin();
  bomb.receive("HTTP/1.1 101 ");
  for (int i = 0; i < 100; ++i) bomb.receive(std::string(100, 'x'));
  CHECK(bomb.recorder.terminal_reports == 1);
}

TEST_CASE("Retry-After is read, clamped or ignored", "[protocol]") {
  constexpr std::int64_t now = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT
  CHECK(parse_retry_after("120", now) == 120);
  CHECK(parse_retry_after("0", now) == 0);
  CHECK(parse_retry_after("3601", now) == 3600);
  CHECK(parse_retry_after("99999999999999999999999999", now) == 3600);
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now) == 60);
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now) == 0);
  CHECK(parse_retry_after("Tue, 29 Feb 2000 00:00:00 GMT", 951782400 - 5) == 5);
  CHECK(parse_retry_after("Wed, 01 Mar 2000 00:00:00 GMT", 951782400 + 86400 - 5) == 5);
  CHECK(parse_retry_after("Fri, 01 Jan 9999 00:00:00 GMT", now) == 3600);
  for (const char* garbage : {"",
                              "-1",
                              "+5",
                              "1.5",
                              "soon",
                              "0x10",
                              "5 s",
                              "Sun, 06 Nov 1994 08:49:37 CET",
                              "Sun, 00 Nov 1994 08:49:37 GMT",
                              "Sun, 06 ovD 1994 08:49:37 GMT",
                              "Sun, 06 Nov 1994 24:49:37 GMT",
                              "Sun, 06 Nov 1994 08:49:3x GMT",
                              "Sunday, 06-Nov-94 08:49:37 GMT",
                              "Sun; 06 Nov 1994 08:49:37 GMT",
                              "Sun, 06-Nov 1994 08:49:37 GMT",
                              "Sun, 06 Nov-1994 08:49:37 GMT",
                              "Sun, 06 Nov 1994T08:49:37 GMT",
                              "Sun, 06 Nov 1994 08.49:37 GMT",
                              "Sun, 06 Nov 1994 08:49.37 GMT",
                              "Sun, 32 Nov 1994 08:49:37 GMT",
                              "Sun, 06 Now 1994 08:49:37 GMT",
                              "Sun, 06 Nov 1969 08:49:37 GMT",
                              "Sun, 06 Nov 1994 -8:49:37 GMT",
                              "Sun, 06 Nov 1994 08:-9:37 GMT",
                              "Sun, 06 Nov 1994 08:60:37 GMT",
                              "Sun, 06 Nov 1994 08:49:61 GMT"}) {
    INFO(garbage);
    CHECK(parse_retry_after(garbage, now) == -1);
  }
  Conversation talk;
  talk.begin();
  CHECK(talk.recorder.failure.retry_after_s == -1);
  talk.receive("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 17\r\n\r\n");
  CHECK(talk.recorder.failure.retry_after_s == 17);
}

TEST_CASE("no failure of the upgrade shows the credentials, and they do not stay in the output", "[protocol]") {
  UpgradeRequest request = a_request();
  request.authorization = Secret("Basic c2VjcmV0c2VjcmV0");
  Conversation talk({}, request);
  talk.session->start();
  std::string& output = talk.session->output();
  const char* memory = output.data();
  const std::size_t size = output.size();
  CHECK(std::string_view(memory, size).find("c2VjcmV0") != std::string_view::npos);
  const std::string answer = upgrade_answer(output);
  output.erase(0, size);
  talk.receive(answer);
  CHECK(talk.recorder.events == std::vector<std::string>{"open ocpp1.6"});
  CHECK(output.capacity() <= std::string().capacity());

  Conversation echo({}, request);
  echo.begin();
  echo.receive("HTTP/1.1 401 Basic c2VjcmV0c2VjcmV0\r\nWWW-Authenticate: c2VjcmV0c2VjcmV0\r\n\r\n");
  CHECK(echo.recorder.failure.message.find("c2Vjc") == std::string::npos);
}

TEST_CASE("an answer to half a request opens nothing, and the rest of the request does not stay", "[protocol]") {
  UpgradeRequest request = a_request();
  request.authorization = Secret("Basic c2VjcmV0c2VjcmV0");
  Conversation talk({}, request);
  talk.session->start();
  std::string& output = talk.session->output();
  const std::string answer = upgrade_answer(output);
  output.erase(0, output.size() / 2);
  talk.receive(answer + text("early"));
  CHECK(talk.recorder.events == std::vector<std::string>{"failed " + std::to_string(CWIRE_E_HANDSHAKE)});
  CHECK(output.capacity() <= std::string().capacity());
  CHECK_FALSE(talk.session->send("late", false));
}
