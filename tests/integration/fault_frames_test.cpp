// Faults on an open connection: frames of RFC 6455, and connections that break. Rows of docs/reliability.md.
#include <cerrno>
#include <stdexcept>

#include "fault_csms.h"

using namespace fixture;

namespace {

struct Wrong {
  std::string bytes;
  std::uint16_t code;
};

std::string bytes_of(std::initializer_list<int> bytes) {
  std::string out;
  for (const int byte : bytes) out += static_cast<char>(byte);
  return out;
}

// The first byte and the length in as many bytes.
std::string claim(int first, std::uint64_t size, int size_bytes) {
  std::string out = bytes_of({first, size_bytes == 2 ? 126 : 127});
  for (int i = size_bytes - 1; i >= 0; --i) out += static_cast<char>(size >> (8 * i));
  return out;
}

// Each of these, behind a good message, is answered with a close frame of that code; what stands behind it is not read,
// and CP1 comes back.
void ends_connections(FaultCsms& fault, const std::vector<Wrong>& all) {
  fault.connect();
  std::size_t number = 0;
  for (const Wrong& wrong : all) {
    CAPTURE(number);
    raw::Connection peer = fault.upgraded();
    peer.send(raw::frame(raw::text, "good") + wrong.bytes);
    const auto frame = peer.read_frame();
    REQUIRE(frame);
    CHECK(frame->opcode == raw::close);
    CHECK(frame->payload.substr(0, 2) == bytes_of({wrong.code >> 8, wrong.code & 0xff}));
    const Record end = fault.lost(++number);
    INFO(end);
    CHECK(end.status == (wrong.code == 1009 ? CWIRE_E_TOO_BIG : CWIRE_E_PROTOCOL));
    CHECK(end.failure.phase == CWIRE_PHASE_PEER);
    CHECK(end.failure.close_code == wrong.code);
    CHECK((end.flags & CWIRE_FLAG_REMOTE) == 0);
  }
  CHECK(count(fault.fleet.records(), CWIRE_EVENT_MESSAGE, "CP1") == all.size());  // the good ones
  fault.recovers();
  fault.finish();
}

// Until the station hangs up, or has let in far more than any flood needs.
void pour(raw::Connection& peer, const std::string& unit) {
  std::string chunk;
  while (chunk.size() < 65536) chunk += unit;
  try {
    for (int i = 0; i < 1000; ++i) peer.send(chunk);
  } catch (const std::runtime_error&) {
  }
}

}  // namespace

TEST_CASE("fault: the connection breaks in the middle of a frame") {
  const bool reset = GENERATE(true, false);
  const std::string part = GENERATE(std::string("\x81"), std::string("\x81\x7e\x01"), std::string("\x81\x05he"),
                                    raw::frame(raw::text, "first of two", false),
                                    raw::frame(raw::text, "first of two", false) + std::string("\x80\x05tw"));
  CAPTURE(reset, part.size());
  FaultCsms fault;
  fault.connect();
  for (std::size_t number = 1; number <= 2; ++number) {
    raw::Connection peer = fault.upgraded();
    peer.send(raw::frame(raw::text, "whole"));
    REQUIRE(fault.fleet.wait_for(CWIRE_EVENT_MESSAGE, "CP1", number));
    peer.send(part);
    reset ? peer.reset() : peer.close();
    const Record end = fault.lost(number);
    CHECK(end.status == CWIRE_E_READ);
    CHECK(end.code == 1006);
    CHECK(end.failure.phase == CWIRE_PHASE_READ);
    CHECK(end.failure.close_code == 1006);
    CHECK(end.failure.os_error == (reset ? ECONNRESET : 0));
  }
  const Records records = fault.fleet.records();
  CHECK(count(records, CWIRE_EVENT_DISCONNECTED, "CP1") == 2);
  CHECK(count(records, CWIRE_EVENT_MESSAGE, "CP1") == 2);  // nothing of the partial ones
  fault.recovers();
  fault.finish();
}

TEST_CASE("fault: the connection breaks while messages are under way") {
  const bool reset = GENERATE(true, false);
  CAPTURE(reset);
  // More than the kernel takes while nobody reads.
  FaultCsms fault(
      Settings{{"csms.send_queue_messages", "200"}, {"csms.send_queue_bytes", "64MiB"}, {"csms.ping_interval", "0s"}},
      4096);
  const cwire_station station = fault.connect();
  raw::Connection peer = fault.upgraded();
  std::uint64_t accepted = 0;
  while (fault.fleet.send(station, std::string(100000, 'x'), CWIRE_FLAG_REPORT, accepted) == CWIRE_OK) ++accepted;
  REQUIRE(accepted >= 200);
  reset ? peer.reset() : peer.close();
  const Record end = fault.lost();
  CHECK(end.code == 1006);
  fault.finish();
  const Records records = fault.fleet.records();
  std::uint64_t reported = 0, not_sent = 0;
  for (const Record& record : records) {
    if (record.type != CWIRE_EVENT_SENT) continue;
    CHECK(record.tag == reported++);  // each once, in order
    if (record.status != CWIRE_OK) ++not_sent;
  }
  CHECK(reported == accepted);
  CHECK(not_sent > 0);
  CHECK(count(records, CWIRE_EVENT_DISCONNECTED, "CP1") == 1);
}

TEST_CASE("fault: a frame of 2^63 - 1 bytes, and messages over the limit") {
  FaultCsms fault(Settings{{"csms.message_size_max", "1000B"}});
  ends_connections(fault,
                   {{claim(0x82, (std::uint64_t{1} << 63) - 1, 8), 1009},
                    {claim(0x81, 1ull << 40, 8), 1009},
                    {claim(0x81, 1001, 2), 1009},
                    {raw::frame(raw::text, std::string(600, 'x'), false) + claim(0x80, 401, 2), 1009},
                    {raw::frame(raw::binary, "12345", false) + claim(0x80, (std::uint64_t{1} << 63) - 5, 8), 1009},
                    {claim(0x82, std::uint64_t{1} << 63, 8), 1002}});
}

TEST_CASE("fault: frames that break RFC 6455") {
  FaultCsms fault;
  const std::string behind = raw::frame(raw::text, "behind");
  ends_connections(fault, {{claim(0x81, 125, 2) + std::string(125, 'x'), 1002},
                           {claim(0x82, 65535, 8) + std::string(65535, 'x'), 1002},
                           {raw::frame(0x40 | raw::text, "x") + behind, 1002},
                           {raw::frame(0x20 | raw::text, "x") + behind, 1002},
                           {raw::frame(0x10 | raw::text, "x") + behind, 1002},
                           {raw::frame(0x40 | raw::ping, "x") + behind, 1002},
                           {raw::frame(3, "x") + behind, 1002},
                           {raw::frame(11, "x") + behind, 1002},
                           {raw::frame(raw::continuation, "x") + behind, 1002},
                           {raw::frame(raw::text, "a", false) + raw::frame(raw::text, "b") + behind, 1002},
                           {bytes_of({0x81, 0x85}) + "maskabcde" + behind, 1002},
                           {bytes_of({0x89, 0x80}) + "mask" + behind, 1002},
                           {raw::frame(raw::ping, "x", false) + behind, 1002},
                           {raw::frame(raw::close, "\x03\xe8", false) + behind, 1002},
                           {raw::frame(raw::ping, std::string(126, 'x')) + behind, 1002},
                           {raw::frame(raw::pong, std::string(70000, 'x')) + behind, 1002}});
}

TEST_CASE("fault: bad UTF-8, at once") {
  FaultCsms fault;
  ends_connections(fault, {{raw::frame(raw::text, "\xff"), 1007},
                           {raw::frame(raw::text, "overlong \xc0\x80"), 1007},
                           {raw::frame(raw::text, "surrogate \xed\xa0\x80"), 1007},
                           {raw::frame(raw::text, "cut off \xe2\x82"), 1007},
                           {raw::frame(raw::text, "cut \xe2\x82", false) + raw::frame(raw::continuation, "x"), 1007},
                           {raw::frame(raw::text, "\xf4", false) + raw::frame(raw::continuation, "\x90\x80\x80"), 1007},
                           // Of 90,000 bytes these have come.
                           {claim(0x81, 90000, 8) + "fine, and then \xff", 1007},
                           {raw::frame(raw::close, "\x03\xe8\xff"), 1007}});
}

TEST_CASE("fault: close frames that are none") {
  FaultCsms fault;
  std::vector<Wrong> all = {{raw::frame(raw::close, "\x03"), 1002}};
  for (const int code : {0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535})
    all.push_back({raw::frame(raw::close, bytes_of({code >> 8, code & 0xff})), 1002});
  ends_connections(fault, all);
}

TEST_CASE("fault: floods of pings and of empty fragments") {
  FaultCsms fault;
  fault.connect();
  std::size_t number = 0;
  for (const std::string& unit :
       {raw::frame(raw::ping, ""), raw::frame(raw::pong, "unasked"), raw::frame(raw::continuation, "", false)}) {
    CAPTURE(number);
    raw::Connection peer = fault.upgraded();
    if (unit[0] == raw::continuation) peer.send_frame(raw::text, "begun", false);
    pour(peer, unit);
    const Record end = fault.lost(++number);
    CHECK(end.status == CWIRE_E_PROTOCOL);
    CHECK(end.failure.close_code == 1008);
  }
  fault.recovers();
  fault.finish();
}

TEST_CASE("fault: pings that come together are answered once, the last one") {
  FaultCsms fault;
  fault.connect();
  raw::Connection peer = fault.upgraded();
  std::string pings;
  for (int i = 0; i < 500; ++i) pings += raw::frame(raw::ping, std::to_string(i));
  peer.send(pings);
  std::size_t pongs = 0;
  for (std::string last; last != "499";) {
    const auto frame = peer.read_frame();
    REQUIRE(frame);
    CHECK(frame->opcode == raw::pong);
    last = frame->payload;
    ++pongs;
  }
  CHECK(pongs < 250);  // one, unless the bytes came in pieces
  fault.finish();
}
