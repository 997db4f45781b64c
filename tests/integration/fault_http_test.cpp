// Faults on the way to a connection: TCP and HTTP. Rows of docs/reliability.md.
#include <cerrno>
#include <stdexcept>

#include "fault_csms.h"

using namespace fixture;
using Catch::Contains;

namespace {

constexpr std::int64_t kSecond_ns = 1'000'000'000;
constexpr std::size_t kMegabyte = 1 << 20;

std::int64_t wait_ns(const Record& record) { return record.failure.retry_at_ns - record.failure.time_ns; }

// Says it, then the same bytes again and again until the station hangs up or has let in far more than any limit.
// Returns how many bytes went: what the sockets hold is among them.
std::size_t pour(raw::Connection& peer, const std::string& head, const std::string& unit) {
  std::string chunk;
  while (chunk.size() < 65536) chunk += unit;
  std::size_t poured = 0;
  try {
    peer.send(head);
    while (poured < 256 * kMegabyte) {
      peer.send(chunk);
      poured += chunk.size();
    }
  } catch (const std::runtime_error&) {
    // The station has closed the connection.
  }
  return poured;
}

const std::string kUpgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
const std::string kProtocol = "Sec-WebSocket-Protocol: ocpp1.6\r\n";
const std::string k101 = "HTTP/1.1 101 Switching Protocols\r\n";

std::string accept_line(const std::string& request) {
  return "Sec-WebSocket-Accept: " + raw::Connection::accept_key(request) + "\r\n";
}

// Each of these answers to CP1's upgrade fails with this status and phase, and nothing of it opens a connection.
template <class Answer>
void never_opens(FaultCsms& fault, const std::vector<Answer>& answers, cwire_status status, std::int32_t phase) {
  fault.connect();
  std::size_t number = 0;
  for (const Answer& answer : answers) {
    CAPTURE(number);
    raw::Connection peer = fault.accepted();
    const std::string bytes = answer(peer.read_request());
    try {
      peer.send(bytes + raw::frame(raw::text, "too early"));
    } catch (const std::runtime_error&) {
      // It hung up before the end.
    }
    const Record error = fault.failed(++number);
    INFO(error);
    CHECK(error.status == status);
    CHECK(error.failure.phase == phase);
  }
  CHECK(count(fault.fleet.records(), CWIRE_EVENT_CONNECTED, "CP1") == 0);
  CHECK(count(fault.fleet.records(), CWIRE_EVENT_MESSAGE, "CP1") == 0);
  fault.recovers();
  fault.finish();
}
using Answer = std::function<std::string(const std::string& request)>;

}  // namespace

TEST_CASE("fault: nobody listens") {
  FaultCsms fault;
  raw::ClosedPort nobody;
  fault.connect({}, nobody.url());
  for (std::size_t number = 1; number <= 3; ++number) {
    const Record error = fault.failed(number);
    CHECK(error.status == CWIRE_E_DIAL);
    CHECK(error.failure.phase == CWIRE_PHASE_TCP);
    CHECK(error.failure.os_error == ECONNREFUSED);
    CHECK(wait_ns(error) > 0);
  }
  fault.finish();
}

TEST_CASE("fault: SYNs fall into a black hole") {
  FaultCsms fault;
  raw::Deaf deaf;
  fault.connect({{"csms.tcp_timeout", "300ms"}}, deaf.url());
  const Record error = fault.failed();
  CHECK(error.status == CWIRE_E_DIAL);
  CHECK(error.failure.phase == CWIRE_PHASE_TCP);
  CHECK(error.failure.os_error == ETIMEDOUT);
  fault.finish();
}

TEST_CASE("fault: a slow loris in HTTP") {
  FaultCsms fault;
  fault.connect({{"csms.upgrade_timeout", "300ms"}});
  raw::Connection peer = fault.asked();
  peer.drip(k101 + "X-Filler: " + std::string(2000, 'x'), 20);
  const Record error = fault.failed();
  CHECK(error.status == CWIRE_E_HANDSHAKE);
  CHECK(error.failure.phase == CWIRE_PHASE_HTTP);
  CHECK(error.failure.os_error == ETIMEDOUT);
  fault.finish();
}

TEST_CASE("fault: a slow loris in TLS") {
  FaultCsms fault;
  fault.connect({{"csms.tls.handshake_timeout", "300ms"}}, "wss" + fault.server.url().substr(2));
  raw::Connection peer = fault.accepted();
  // The first record of a handshake, 16,384 bytes long.
  peer.drip(std::string("\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03", 11) + std::string(2000, 'x'), 20);
  const Record error = fault.failed();
  CHECK(error.status == CWIRE_E_TLS);
  CHECK(error.failure.phase == CWIRE_PHASE_TLS);
  CHECK(error.failure.os_error == ETIMEDOUT);
  fault.finish();
}

TEST_CASE("fault: bytes one at a time, and frames glued to the 101") {
  const std::string frames = raw::frame(raw::text, "one") + raw::frame(raw::text, "h\xc3", false) +
                             raw::frame(raw::ping, "between") + raw::frame(raw::continuation, "\xa9") +
                             raw::frame(raw::binary, std::string("\0\xff", 2)) +
                             raw::frame(raw::close, "\x0f\xa1" + std::string("bye"));
  FaultCsms fault;
  fault.connect();
  std::vector<std::string> seen;
  for (const int way : {0, 1, 2}) {
    const std::size_t before = fault.fleet.records().size();
    raw::Connection peer = fault.accepted();
    peer.send_at_once();
    const std::string answer = raw::Connection::upgrade_answer(peer.read_request());
    if (way == 0) {  // each frame by itself
      peer.send(answer);
      peer.send(frames);
    }
    if (way == 1) peer.send(answer + frames);
    if (way == 2) peer.drip(answer + frames, 0);
    const Record end = fault.lost(seen.size() + 1);
    CHECK(end.failure.phase == CWIRE_PHASE_PEER);
    CHECK(end.failure.close_code == 4001);
    std::string story;
    const Records records = fault.fleet.records();
    for (std::size_t i = before; i < records.size(); ++i) {
      const Record& record = records[i];
      if (record.station_id != "CP1" || (record.type != CWIRE_EVENT_MESSAGE && record.type != CWIRE_EVENT_CONNECTED))
        continue;
      story += record.data + (record.flags & CWIRE_FLAG_BINARY ? " (binary)\n" : "\n");
    }
    seen.push_back(story);
  }
  CHECK(seen[0] == std::string("ocpp1.6\none\nh\xc3\xa9\n\0\xff (binary)\n", 28));
  CHECK(seen[1] == seen[0]);
  CHECK(seen[2] == seen[0]);
  fault.finish();
}

TEST_CASE("fault: a refusal with a body without end") {
  const int status = GENERATE(401, 403, 404, 426, 429, 500, 503);
  CAPTURE(status);
  FaultCsms fault;
  fault.connect();
  for (std::size_t number = 1; number <= 3; ++number) {
    raw::Connection peer = fault.asked();
    const std::string head = "HTTP/1.1 " + std::to_string(status) + " No\r\nContent-Length: 1000000000000\r\n\r\n";
    CHECK(pour(peer, head, "<p>Go away.</p>\r\n\r\n") < 64 * kMegabyte);
    const Record error = fault.failed(number);
    CHECK(error.status == (status == 401 || status == 403 ? CWIRE_E_AUTH : CWIRE_E_HANDSHAKE));
    CHECK(error.failure.phase == CWIRE_PHASE_HTTP);
    CHECK(error.failure.http_status == status);
    const bool refused = status < 429;
    CHECK(((error.flags & CWIRE_FLAG_NEEDS_ACTION) != 0) == (refused && number == 2));
  }
  fault.recovers();
  fault.finish();
}

TEST_CASE("fault: Retry-After that is garbage, negative or huge") {
  FaultCsms fault;
  fault.connect();
  std::size_t number = 0;
  for (const char* garbage : {"-1", "-99999999999999999999", "soon", "", "1.5", "0x10", "Sun, 99 Foo 2099 25:61:61 GMT",
                              "Sun, 06 Nov 1994 08:49:37 GMT", "\xff\xfe"}) {
    CAPTURE(garbage);
    raw::Connection peer = fault.asked();
    peer.send("HTTP/1.1 503 Service Unavailable\r\nRetry-After: " + std::string(garbage) + "\r\n\r\n");
    const Record error = fault.failed(++number);
    CHECK(error.failure.http_status == 503);
    CHECK(wait_ns(error) < kSecond_ns);  // the policy's own
  }
  raw::Connection peer = fault.asked();
  peer.send("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 99999999999999999999\r\n\r\n");
  const Record error = fault.failed(++number);
  CHECK(error.failure.http_status == 429);
  CHECK((wait_ns(error) >= 3600 * kSecond_ns && wait_ns(error) <= 3960 * kSecond_ns));
  fault.finish();
}

TEST_CASE("fault: TC_B_57, a CSMS measures at least WaitMinimum, then at least twice what it measured before") {
  using Clock = std::chrono::steady_clock;
  FaultCsms fault({{"csms.reconnect_policy", "ocpp"},
                   {"csms.retry_backoff_wait_minimum", "100ms"},
                   {"csms.retry_backoff_random_range", "0s"},
                   {"csms.retry_backoff_repeat_times", "2"}});
  fault.connect();
  // The CSMS may take any moment between the two for that of its close or refusal.
  Clock::time_point before, after;
  {
    raw::Connection peer = fault.upgraded();
    before = Clock::now();
    peer.send_frame(raw::close, "\x03\xe8");  // 1000
    after = Clock::now();
    peer.read_all();
  }
  Clock::duration at_least = std::chrono::milliseconds(100);
  for (std::size_t attempt = 1; attempt <= 3; ++attempt) {
    CAPTURE(attempt);
    raw::Connection peer = fault.accepted();
    // The way of the first request is long: for the CSMS the station has waited longer than it knows.
    if (attempt == 1) CHECK_FALSE(fault.server.somebody_wants_in(150));
    const std::string request = peer.read_request();
    const auto asked = Clock::now();
    CHECK(asked - before >= at_least);
    at_least = 2 * (asked - after);
    if (attempt == 3) {
      peer.accept_upgrade(request);
      REQUIRE(fault.fleet.wait_for(CWIRE_EVENT_CONNECTED, "CP1", 2));
      break;
    }
    // A slow answer, so that it matters nothing how soon the station noticed the close.
    peer.drip("HTTP/1.1 503 Service Unavailable\r\n", 3);
    before = Clock::now();
    peer.send("\r\n");
    after = Clock::now();
    CHECK(fault.failed(attempt).failure.http_status == 503);
  }
  fault.finish();
}

TEST_CASE("fault: wrong, missing or doubled Accept, Upgrade, Connection") {
  const std::string wrong_accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
  FaultCsms fault;
  never_opens<Answer>(
      fault,
      {[&](auto&) { return k101 + kUpgrade + kProtocol + "\r\n"; },
       [&](auto&) { return k101 + kUpgrade + wrong_accept + kProtocol + "\r\n"; },
       [&](auto& r) { return k101 + kUpgrade + accept_line(r) + accept_line(r) + kProtocol + "\r\n"; },
       [&](auto& r) { return k101 + kUpgrade + accept_line(r) + wrong_accept + kProtocol + "\r\n"; },
       [&](auto& r) { return k101 + "Connection: Upgrade\r\n" + accept_line(r) + kProtocol + "\r\n"; },
       [&](auto& r) { return k101 + "Upgrade: websocket\r\n" + accept_line(r) + kProtocol + "\r\n"; },
       [&](auto& r) { return k101 + "Upgrade: h2c\r\nConnection: Upgrade\r\n" + accept_line(r) + kProtocol + "\r\n"; },
       [&](auto& r) { return k101 + "Upgrade: websocket\r\n" + kUpgrade + accept_line(r) + kProtocol + "\r\n"; },
       [&](auto& r) {
         return k101 + "Upgrade: websocket\r\nConnection: close\r\n" + accept_line(r) + kProtocol + "\r\n";
       }},
      CWIRE_E_HANDSHAKE, CWIRE_PHASE_HTTP);
}

TEST_CASE("fault: a subprotocol that is wrong or absent") {
  FaultCsms fault;
  never_opens<Answer>(fault,
                      {[&](auto& r) { return k101 + kUpgrade + accept_line(r) + "\r\n"; },
                       [&](auto& r) { return k101 + kUpgrade + accept_line(r) + "Sec-WebSocket-Protocol: \r\n\r\n"; },
                       [&](auto& r) { return raw::Connection::upgrade_answer(r, "ocpp2.1"); },
                       [&](auto& r) { return raw::Connection::upgrade_answer(r, "OCPP1.6"); },
                       [&](auto& r) { return raw::Connection::upgrade_answer(r, "ocpp1.6, ocpp2.0.1"); },
                       [&](auto& r) { return raw::Connection::upgrade_answer(r, "ocpp1.6", kProtocol); }},
                      CWIRE_E_SUBPROTOCOL, CWIRE_PHASE_SUBPROTOCOL);
}

TEST_CASE("fault: an extension that was not offered") {
  FaultCsms fault;
  never_opens<Answer>(
      fault,
      {[&](auto& r) {
         return raw::Connection::upgrade_answer(r, "ocpp1.6", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
       },
       [&](auto& r) { return raw::Connection::upgrade_answer(r, "ocpp1.6", "Sec-WebSocket-Extensions: x;;=\r\n"); }},
      CWIRE_E_HANDSHAKE, CWIRE_PHASE_HTTP);
}

TEST_CASE("fault: folded headers, NUL, bare LF, HTTP/1.0") {
  FaultCsms fault;
  never_opens<Answer>(
      fault,
      {[&](auto& r) { return raw::Connection::upgrade_answer(r, "ocpp1.6", "X-A: a\r\n folded\r\n"); },
       [&](auto& r) { return raw::Connection::upgrade_answer(r, "ocpp1.6", std::string("X-A: a\0b\r\n", 10)); },
       [&](auto& r) { return raw::Connection::upgrade_answer(r, "ocpp1.6", "X-A: a\nX-B: b\r\n"); },
       [&](auto& r) { return raw::Connection::upgrade_answer(r, "ocpp1.6", "X A: a\r\n"); },
       [&](auto& r) { return raw::Connection::upgrade_answer(r, "ocpp1.6", "no colon\r\n"); },
       [&](auto& r) { return "HTTP/1.0" + raw::Connection::upgrade_answer(r).substr(8); },
       [&](auto& r) { return "HTTP/2" + raw::Connection::upgrade_answer(r).substr(8); },
       [&](auto&) { return "SSH-2.0-OpenSSH_9\r\n"; }},
      CWIRE_E_HANDSHAKE, CWIRE_PHASE_HTTP);
}

TEST_CASE("fault: a bomb of headers") {
  FaultCsms fault;
  fault.connect();
  struct Bomb {
    std::string head, unit;
  };
  std::size_t number = 0;
  for (const Bomb& bomb :
       {Bomb{k101, "X-Bomb: x\r\n"}, Bomb{k101 + "X-Bomb: ", "x"}, Bomb{k101, "a:\r\n"}, Bomb{"HTTP/1.1 101 ", "x"}}) {
    CAPTURE(number);
    raw::Connection peer = fault.asked();
    CHECK(pour(peer, bomb.head, bomb.unit) < 64 * kMegabyte);
    const Record error = fault.failed(++number);
    CHECK(error.status == CWIRE_E_HANDSHAKE);
    CHECK(error.failure.phase == CWIRE_PHASE_HTTP);
  }
  fault.recovers();
  fault.finish();
}
