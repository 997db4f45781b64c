// Frames of RFC 6455 5, one layer below the session.
#include <catch2/catch.hpp>
#include <set>

#include "ocpp/utf8.h"
#include "protocol/frame.h"
#include "protocol/frame_gate.h"
#include "protocol/mask_source.h"
#include "protocol_peer.h"

using namespace cwire;
using namespace cwire::test;

namespace {

constexpr std::uint64_t kSizeMax = 100000;
constexpr std::uint32_t kFragmentsMax = 10;

struct Verdict {
  std::uint16_t violation;
  std::size_t passed;
  bool closed;
  bool operator==(const Verdict& other) const {
    return violation == other.violation && passed == other.passed && closed == other.closed;
  }
};

// As a session does it: whole messages at once where there are any. Returns how many bytes passed.
std::size_t pass(FrameGate& gate, const char* data, std::size_t size) {
  std::size_t passed = 0;
  while (passed < size) {
    std::size_t more = gate.take_message(data + passed, size - passed).frame_size;
    if (more == 0) more = gate.inspect(data + passed, size - passed);
    if (more == 0) break;
    passed += more;
  }
  return passed;
}

Verdict judge(const std::string& bytes, std::size_t slice) {
  FrameGate gate(kSizeMax, kFragmentsMax);
  std::size_t passed = 0;
  gate.begin_arrival();
  for (std::size_t at = 0; at < bytes.size(); at += slice) {
    const std::size_t part = std::min(slice, bytes.size() - at);
    passed += pass(gate, bytes.data() + at, part);
  }
  return {gate.violation(), passed, gate.close_received()};
}

// The violation of a sequence of bytes, behind a good message and before another; the same however it is sliced.
int violation(const std::string& bytes) {
  const std::string before = text("before");
  const Verdict whole = judge(before + bytes + text("after"), 1 << 30);
  for (const std::size_t slice : {1, 2, 3, 7}) {
    const Verdict sliced = judge(before + bytes + text("after"), slice);
    CHECK(sliced.violation == whole.violation);
    CHECK(sliced.closed == whole.closed);
    CHECK(sliced.passed == whole.passed);
  }
  CHECK(whole.passed >= before.size());
  if (whole.violation != 0) CHECK(whole.passed < before.size() + bytes.size());
  return whole.violation;
}

std::string odd(ServerFrame f) { return f.bytes(); }

// A header that claims a length, in the 64-bit form.
std::string claim(int opcode, std::uint64_t size, bool fin = true) {
  std::string out{static_cast<char>((fin ? 0x80 : 0) | opcode), 127};
  for (int i = 7; i >= 0; --i) out += static_cast<char>(size >> (8 * i));
  return out;
}

}  // namespace

TEST_CASE("frames that keep to RFC 6455 pass", "[protocol]") {
  CHECK(violation(text("")) == 0);
  for (const int size : {0, 1, 125, 126, 127, 65535, 65536, 100000})
    CHECK(violation(text(std::string(static_cast<std::size_t>(size), 'x'))) == 0);
  CHECK(violation(frame(2, "\xff\xfe")) == 0);
  CHECK(violation(frame(1, "a", false) + frame(0, "b", false) + frame(9, "p") + frame(10, "q") + frame(0, "c")) == 0);
  CHECK(violation(frame(9, std::string(125, 'p')) + frame(10, "") + frame(9, "")) == 0);
  for (const int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999}) {
    CHECK(violation(close_frame(code, "bye \xc3\xa9")) == 0);
  }
  CHECK(violation(frame(8, "")) == 0);
}

TEST_CASE("nothing passes behind a close frame", "[protocol]") {
  for (const std::string& close : {close_frame(1000, "bye"), close_frame(1000), frame(8, "")}) {
    const Verdict verdict = judge(close + text("late") + odd({1, "", true, 7}), 1 << 30);
    CHECK(verdict == Verdict{0, close.size(), true});
  }
}

TEST_CASE("frames that break RFC 6455 are 1002", "[protocol]") {
  for (const int bits : {1, 2, 4, 7}) {
    CHECK(violation(odd({1, "x", true, bits})) == 1002);
    CHECK(violation(odd({9, "x", true, bits})) == 1002);
  }
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) CHECK(violation(frame(opcode, "x")) == 1002);
  CHECK(violation(odd({1, "x", true, 0, true})) == 1002);
  CHECK(violation(odd({9, "", true, 0, true})) == 1002);
  for (const int opcode : {8, 9, 10}) {
    CHECK(violation(frame(opcode, std::string(opcode == 8 ? "\x03\xe8" : "x"), false)) == 1002);
    CHECK(violation(frame(opcode, std::string(126, 'x'))) == 1002);
    CHECK(violation(odd({opcode, std::string(70000, 'x')})) == 1002);
  }
  CHECK(violation(odd({1, std::string(125, 'x'), true, 0, false, 2})) == 1002);
  CHECK(violation(odd({1, "", true, 0, false, 2})) == 1002);
  CHECK(violation(odd({1, std::string(126, 'x'), true, 0, false, 8})) == 1002);
  CHECK(violation(odd({2, std::string(65535, 'x'), true, 0, false, 8})) == 1002);
  CHECK(violation(claim(2, std::uint64_t{1} << 63)) == 1002);
  CHECK(violation(claim(2, ~std::uint64_t{0})) == 1002);
  CHECK(violation(frame(0, "x")) == 1002);
  CHECK(violation(frame(0, "x", false)) == 1002);
  CHECK(violation(frame(1, "a", false) + text("b")) == 1002);
  CHECK(violation(frame(1, "a", false) + frame(2, "b", false)) == 1002);
  CHECK(violation(frame(1, "a", false) + frame(0, "b") + frame(0, "c")) == 1002);
}

TEST_CASE("close frames with half a code, or one that is not allowed, are 1002", "[protocol]") {
  CHECK(violation(frame(8, "\x03")) == 1002);
  for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}) {
    INFO(code);
    CHECK(violation(close_frame(code)) == 1002);
    CHECK(violation(close_frame(code, "reason")) == 1002);
  }
  CHECK(violation(frame(1, "\xe2", false) + close_frame(1000, "bye")) == 0);
  CHECK(violation(close_frame(1000, "\xff")) == 1007);
  CHECK(violation(close_frame(1000, "\xc3")) == 1007);
}

TEST_CASE("a message over the limit is 1009 before its payload comes, also when sizes would wrap", "[protocol]") {
  CHECK(violation(claim(1, kSizeMax + 1)) == 1009);
  CHECK(violation(claim(2, (std::uint64_t{1} << 63) - 1)) == 1009);
  CHECK(violation(frame(2, std::string(60000, 'x'), false) + frame(0, std::string(40000, 'x'))) == 0);
  CHECK(violation(frame(2, std::string(60000, 'x'), false) + frame(0, std::string(40001, 'x'))) == 1009);
  CHECK(violation(frame(2, "12345", false) + claim(0, (std::uint64_t{1} << 63) - 5)) == 1009);
  CHECK(violation(frame(2, "12345", false) + claim(0, ~std::uint64_t{0} - 4)) == 1002);
  // Each message has the limit to itself.
  CHECK(violation(text(std::string(kSizeMax, 'x')) + text(std::string(kSizeMax, 'x'))) == 0);

  FrameGate tiny(5, 1);
  const std::string six = text("123456");
  CHECK(pass(tiny, six.data(), six.size()) == 1);
  CHECK(tiny.violation() == 1009);
}

TEST_CASE("too many fragments are 1008", "[protocol]") {
  std::string many = frame(2, "x", false);
  for (std::uint32_t i = 2; i < kFragmentsMax; ++i) many += frame(0, "x", false);
  CHECK(violation(many + frame(0, "x")) == 0);
  CHECK(violation(many + frame(0, "x", false) + frame(0, "x")) == 1008);
  CHECK(violation(many + frame(9, "") + frame(10, "") + frame(0, "x")) == 0);
}

TEST_CASE("a flood of control frames or empty fragments is 1008, pings that come one by one are not", "[protocol]") {
  const auto flood = [](const std::string& unit, int count, int per_arrival) {
    FrameGate gate(kSizeMax, 1000000);
    const std::string start = frame(2, "x", false);
    pass(gate, start.data(), start.size());
    for (int i = 0; i < count; ++i) {
      if (i % per_arrival == 0) gate.begin_arrival();
      pass(gate, unit.data(), unit.size());
    }
    return static_cast<int>(gate.violation());
  };
  constexpr int kAll = 1 << 30;
  CHECK(flood(frame(9, ""), 1000, kAll) == 0);
  CHECK(flood(frame(9, ""), 1100, kAll) == 1008);
  CHECK(flood(frame(10, "pong"), 1100, kAll) == 1008);
  CHECK(flood(frame(0, "", false), 1100, kAll) == 1008);
  CHECK(flood(frame(9, ""), 5000, 100) == 1008);
  CHECK(flood(frame(9, ""), 200000, 1) == 0);
  CHECK(flood(frame(9, "") + frame(0, "data", false), 20000, kAll) == 0);
}

TEST_CASE("UTF-8 is checked to the byte, across fragments and slices", "[protocol]") {
  const std::string good =
      "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5 \xf0\x9f\x94\x8c \xf4\x8f\xbf\xbf \xed\x9f\xbf \xee\x80\x80 "
      "\xef\xbf\xbf plain ascii text";
  CHECK(violation(text(good)) == 0);
  for (std::size_t split = 0; split <= good.size(); ++split) {
    CHECK(violation(frame(1, good.substr(0, split), false) + frame(9, "\xff") + frame(0, good.substr(split))) == 0);
    const std::string cut = good.substr(0, split);
    CHECK((violation(text(cut)) == 1007) == !is_utf8(cut));
    CHECK((violation(frame(1, cut, false) + frame(0, "")) == 1007) == !is_utf8(cut));
  }
  for (const std::string& bad :
       {std::string("\x80"), std::string("\xc0\x80"), std::string("\xc1\xbf"), std::string("\xe0\x9f\xbf"),
        std::string("\xed\xa0\x80"), std::string("\xf0\x8f\xbf\xbf"), std::string("\xf4\x90\x80\x80"),
        std::string("\xf5\x80\x80\x80"), std::string("\xff"), std::string("\xc3x"), std::string("\xe2\x82x"),
        std::string("\xce\xba\xff")}) {
    CHECK(violation(text("some ascii before " + bad + " and behind")) == 1007);
    for (std::size_t split = 1; split < bad.size(); ++split) {
      CHECK(violation(frame(1, bad.substr(0, split), false) + frame(0, bad.substr(split))) == 1007);
    }
    CHECK(violation(frame(2, bad)) == 0);
  }
  // At once: not a byte behind the wrong one is needed.
  FrameGate gate(kSizeMax, kFragmentsMax);
  const std::string begun = claim(1, 90000) + "fine\xff";
  pass(gate, begun.data(), begun.size());
  CHECK(gate.violation() == 1007);
}

TEST_CASE("every pair and a sample of triples agree with the other UTF-8 decoder", "[protocol]") {
  const auto agrees = [](const std::string& bytes) {
    Utf8Stream stream;
    const bool good = stream.accept(bytes.data(), bytes.size()) == bytes.size() && stream.complete();
    return good == is_utf8(bytes);
  };
  bool all = true;
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      all = all && agrees({static_cast<char>(a), static_cast<char>(b)});
      for (const int c : {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0}) {
        all = all && agrees({static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)});
        all =
            all && agrees({static_cast<char>(a), static_cast<char>(b), static_cast<char>(c), static_cast<char>(0x80)});
      }
    }
  }
  CHECK(all);
}

TEST_CASE("a client's frames are masked and have the shortest length", "[protocol]") {
  for (const std::size_t size : {0u, 1u, 7u, 8u, 9u, 125u, 126u, 127u, 65535u, 65536u, 70001u}) {
    std::string payload(size, '\0');
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(i * 7);
    std::string out = "kept";
    append_frame(out, Opcode::binary, payload, 0x12345678);
    CHECK(out.size() == 4 + 2 + (size <= 125 ? 0u : size <= 65535 ? 2u : 8u) + 4 + size);
    const auto frames = parse_client_frames(std::string_view(out).substr(4));
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].masked);
    CHECK(frames[0].fin);
    CHECK(frames[0].opcode == 2);
    CHECK(frames[0].mask == 0x12345678);
    CHECK(frames[0].payload == payload);
  }
}

TEST_CASE("masks do not repeat across blocks", "[protocol]") {
  MaskSource source;
  std::set<std::uint32_t> masks;
  for (int i = 0; i < 5000; ++i) masks.insert(source());
  CHECK(masks.size() > 4990);
}

TEST_CASE("a text's incomplete end is recognised", "[protocol]") {
  for (const char* whole : {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x94\x8c", "a\x80\x80\x80\x80"})
    CHECK_FALSE(ends_inside_character(whole));
  for (const char* cut : {"\xc3", "a\xe2", "a\xe2\x82", "\xf0", "\xf0\x9f", "\xf0\x9f\x94"})
    CHECK(ends_inside_character(cut));
}

TEST_CASE("a message is taken whole only where it stands whole, alone and faultless", "[protocol]") {
  const auto taken = [](const std::string& bytes) {
    FrameGate gate(kSizeMax, kFragmentsMax);
    return gate.take_message(bytes.data(), bytes.size()).frame_size;
  };
  for (const std::size_t size : {0, 1, 125, 126, 200, 65535}) {
    const std::string frame = text(std::string(size, 'x'));
    FrameGate gate(kSizeMax, kFragmentsMax);
    const std::string more = frame + text("more");
    const FrameGate::WholeMessage message = gate.take_message(more.data(), more.size());
    CHECK(message.frame_size == frame.size());
    CHECK(message.payload == std::string(size, 'x'));
    CHECK_FALSE(message.binary);
    CHECK(taken(frame.substr(0, frame.size() - 1)) == 0);
    CHECK(taken(frame.substr(0, 1)) == 0);
  }
  CHECK(taken(std::string("\x82\x01\xff", 3)) == 3);             // binary may be anything
  CHECK(taken(std::string("\x81\x01\xff", 3)) == 0);             // text not
  CHECK(taken(std::string("\x81\x02\xe2\x82", 4)) == 0);         // a character cut off
  CHECK(taken(std::string("\x01\x01x", 3)) == 0);                // the first of several frames
  CHECK(taken(std::string("\x80\x01x", 3)) == 0);                // a continuation
  CHECK(taken(std::string("\x89\x01x", 3)) == 0);                // a ping
  CHECK(taken(std::string("\xc1\x01x", 3)) == 0);                // a reserved bit
  CHECK(taken(std::string("\x81\x81\0\0\0\0x", 7)) == 0);        // masked
  CHECK(taken(std::string("\x81\x7e\0\x01x", 5)) == 0);          // a length in more bytes than it needs
  CHECK(taken(claim(2, 70000) + std::string(70000, 'x')) == 0);  // longer than one read
  FrameGate small(10, kFragmentsMax);
  const std::string eleven = text(std::string(11, 'x'));
  CHECK(small.take_message(eleven.data(), eleven.size()).frame_size == 0);

  // Inside a fragmented message, or a frame, nothing is whole.
  FrameGate gate(kSizeMax, kFragmentsMax);
  const std::string begun = std::string("\x01\x01x", 3);
  const std::string next = text("next");
  REQUIRE(gate.inspect(begun.data(), begun.size()) == begun.size());
  CHECK(gate.take_message(next.data(), next.size()).frame_size == 0);
}
