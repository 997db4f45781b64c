// permessage-deflate (RFC 7692): what is offered and which answers are taken, and messages both ways. The peer's
// DEFLATE is zlib's own.
#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>
#include <random>

#include "base/block_cache.h"
#include "protocol/deflate_negotiation.h"
#include "protocol/frame.h"
#include "protocol_peer.h"
#include "zlib_peer.h"

using namespace cwire;
using namespace cwire::test;
using DeflatePeer = zlib::Peer;

namespace {

using Events = std::vector<std::string>;

DeflateSettings settings_with(std::uint32_t window_bits, std::uint32_t server_window_bits, bool takeover,
                              bool server_takeover) {
  DeflateSettings settings = deflate_settings();
  settings.window_bits = window_bits;
  settings.server_window_bits = server_window_bits;
  settings.context_takeover = takeover;
  settings.server_context_takeover = server_takeover;
  return settings;
}

// Text that compresses, and differs from the next.
std::string meter_values(int number) {
  std::string out = "[2,\"" + std::to_string(number) + "\",\"MeterValues\",{\"connectorId\":1,\"meterValue\":[";
  for (int i = 0; i < 4; ++i) {
    out += (i == 0 ? "" : ",") + std::string("{\"timestamp\":\"2026-01-01T00:0") + std::to_string(i) +
           ":00Z\",\"sampledValue\":[{\"value\":\"" + std::to_string(number * 1237 + i) +
           "\",\"measurand\":\"Energy.Active.Import.Register\",\"unit\":\"Wh\"}]}";
  }
  return out + "]}]";
}

std::string noise(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

void expect_end(DeflateConversation& talk, int code, cwire_status status) {
  CHECK(talk.recorder.terminal_reports == 1);
  CHECK(talk.recorder.closed.code == code);
  CHECK(talk.recorder.closed.failure.status == status);
  const auto frames = talk.frames();
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].close_code() == code);
}

}  // namespace

TEST_CASE("permessage-deflate is offered as the settings say, and not at all while it is off", "[deflate]") {
  Conversation off;
  CHECK(header_value(off.begin(), "Sec-WebSocket-Extensions").empty());

  const auto offer = [](const DeflateSettings& settings) {
    Conversation talk({}, DeflateConversation::request_with(settings));
    return header_value(talk.begin(), "Sec-WebSocket-Extensions");
  };
  CHECK(offer(settings_with(15, 15, true, true)) == "permessage-deflate; client_max_window_bits");
  CHECK(offer(settings_with(12, 15, false, false)) ==
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits");
  CHECK(offer(settings_with(9, 10, true, false)) ==
        "permessage-deflate; server_no_context_takeover; server_max_window_bits=10; client_max_window_bits");
}

TEST_CASE("an answer to the offer is taken if RFC 7692 7.1 allows it", "[deflate]") {
  struct Row {
    std::uint32_t window_bits, server_window_bits;
    bool takeover, server_takeover;
    const char* answer;
    int agreed_window_bits, agreed_server_window_bits;
    bool agreed_takeover, agreed_server_takeover;
  };
  const std::vector<Row> rows = {
      {15, 15, true, true, "permessage-deflate", 15, 15, true, true},
      {12, 15, true, true, " permessage-deflate ", 12, 15, true, true},
      // What the server keeps is the most, and we may use less.
      {12, 15, true, true, "permessage-deflate; client_max_window_bits=15", 12, 15, true, true},
      {12, 15, true, true, "permessage-deflate;client_max_window_bits=10", 10, 15, true, true},
      {15, 15, true, true, "permessage-deflate; client_max_window_bits=8", 8, 15, true, true},
      {15, 15, true, true, "permessage-deflate; client_max_window_bits=\"9\"", 9, 15, true, true},
      // It may confine itself unasked.
      {15, 15, true, true, "permessage-deflate; server_max_window_bits=8", 15, 8, true, true},
      {15, 15, true, true, "permessage-deflate; server_no_context_takeover", 15, 15, true, false},
      {15, 15, true, true, "permessage-deflate; client_no_context_takeover", 15, 15, false, true},
      // What we do not do need not be granted.
      {15, 15, false, true, "permessage-deflate", 15, 15, false, true},
      {15, 15, false, false, "permessage-deflate; server_no_context_takeover", 15, 15, false, false},
      {9, 11, true, true, "permessage-deflate; server_max_window_bits=11", 9, 11, true, true},
      {9, 11, true, true, "permessage-deflate ; server_max_window_bits = 10", 9, 10, true, true},
      {15, 12, false, false,
       "permessage-deflate; client_no_context_takeover; server_no_context_takeover; server_max_window_bits=\"12\"; "
       "client_max_window_bits=14",
       14, 12, false, false}};
  for (const Row& row : rows) {
    INFO(row.answer);
    DeflateAgreement agreed;
    CHECK(read_deflate_answer(row.answer,
                              settings_with(row.window_bits, row.server_window_bits, row.takeover, row.server_takeover),
                              agreed) == "");
    CHECK(agreed.client_window_bits == row.agreed_window_bits);
    CHECK(agreed.server_window_bits == row.agreed_server_window_bits);
    CHECK(agreed.client_context_takeover == row.agreed_takeover);
    CHECK(agreed.server_context_takeover == row.agreed_server_takeover);
  }
}

TEST_CASE("any other answer to the offer never opens, and the failure says what was wrong with it", "[deflate]") {
  struct Row {
    const char* answer;
    const char* words;
  };
  const std::vector<Row> rows = {
      {"", "malformed"},
      {",", "malformed"},
      {"permessage-deflate,", "malformed"},
      {"permessage-deflate;", "malformed"},
      {"permessage-deflate x", "malformed"},
      {"permessage-deflate; server_max_window_bits=", "malformed"},
      {"permessage-deflate; server_max_window_bits=\"10", "malformed"},
      {"permessage-deflate; server_max_window_bits=\"\"", "malformed"},
      {"permessage-deflate; server_max_window_bits=\"1\\0\"", "malformed"},
      {"permessage-deflate; =10", "malformed"},
      {"x-webkit-deflate-frame", "not offered"},
      {"Permessage-Deflate", "not offered"},
      {"permessage-deflate, permessage-bzip2", "not offered"},
      {"permessage-deflate, permessage-deflate", "more than once"},
      {"permessage-deflate; hunter2=1", "does not know"},
      {"permessage-deflate; server_no_context_takeover=1", "a value, though it has none"},
      {"permessage-deflate; client_no_context_takeover=\"true\"", "a value, though it has none"},
      {"permessage-deflate; server_max_window_bits", "no number from 8 to 15"},
      {"permessage-deflate; client_max_window_bits", "no number from 8 to 15"},
      {"permessage-deflate; client_max_window_bits=7", "no number from 8 to 15"},
      {"permessage-deflate; client_max_window_bits=16", "no number from 8 to 15"},
      {"permessage-deflate; client_max_window_bits=010", "no number from 8 to 15"},
      {"permessage-deflate; server_max_window_bits=+9", "no number from 8 to 15"},
      {"permessage-deflate; server_max_window_bits=10; server_max_window_bits=10", "twice"},
      {"permessage-deflate; client_no_context_takeover; client_no_context_takeover", "twice"},
      {"permessage-deflate; server_max_window_bits=10", "server_context_takeover"},
      {"permessage-deflate; server_no_context_takeover", "server_window_bits"},
      {"permessage-deflate; server_no_context_takeover; server_max_window_bits=12", "server_window_bits"}};
  for (const Row& row : rows) {
    INFO(row.answer);
    Conversation talk({}, DeflateConversation::request_with(settings_with(15, 11, true, false)));
    talk.receive(upgrade_answer_with(talk.begin(), row.answer) + text("too early"));
    CHECK(talk.recorder.events == Events{"failed " + std::to_string(CWIRE_E_HANDSHAKE)});
    const Failure& failure = talk.recorder.failure;
    INFO(failure.message);
    CHECK(failure.phase == FailurePhase::http);
    CHECK(failure.code.number == 101);
    CHECK(failure.message.find(row.words) != std::string::npos);
    CHECK(failure.message.find("hunter2") == std::string::npos);
    CHECK(failure.message.size() < 230);
  }
  // RFC 6455 11.3.2.
  Conversation talk({}, DeflateConversation::request_with(deflate_settings()));
  std::string answer = upgrade_answer_with(talk.begin(), "permessage-deflate");
  answer.insert(answer.size() - 2, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  talk.receive(answer);
  CHECK(talk.recorder.failure.message.find("more than one header Sec-WebSocket-Extensions") != std::string::npos);
}

TEST_CASE("a server that takes no notice of the offer is talked to uncompressed, and RSV1 is refused as ever",
          "[deflate]") {
  Conversation talk({}, DeflateConversation::request_with(deflate_settings()));
  talk.open();
  CHECK_FALSE(talk.session->compresses());
  talk.session->send(meter_values(1), false);
  CHECK(talk.frames()[0].payload == meter_values(1));
  talk.receive(compressed_frame(1, DeflatePeer().compress("hello")));
  CHECK(talk.recorder.closed.code == 1002);
}

TEST_CASE("what is sent is compressed from csms.deflate.size_min on, where that makes it smaller", "[deflate]") {
  DeflateSettings settings = settings_with(15, 15, false, false);
  settings.size_min = 100;
  DeflateConversation talk(settings, "permessage-deflate; server_no_context_takeover");
  CHECK(talk.session->compresses());
  DeflatePeer peer;
  talk.session->send(std::string(99, 'a'), false);
  talk.session->send(std::string(100, 'a'), false);
  talk.session->send(noise(1000, 1), true);
  talk.session->send("", false);
  const auto frames = talk.frames();
  REQUIRE(frames.size() == 4);
  CHECK((!frames[0].compressed && frames[0].payload == std::string(99, 'a')));
  CHECK((frames[1].compressed && frames[1].payload.size() < 20));
  CHECK(peer.inflate(frames[1].payload) == std::string(100, 'a'));
  CHECK((!frames[2].compressed && frames[2].opcode == 2 && frames[2].payload == noise(1000, 1)));
  CHECK((!frames[3].compressed && frames[3].payload.empty()));
}

TEST_CASE("the peer reads what is sent at any window and memory level, with and without context takeover",
          "[deflate]") {
  for (std::uint32_t bits = 9; bits <= 15; ++bits) {
    for (const std::uint32_t level : {1u, 4u, 9u}) {
      for (const bool takeover : {true, false}) {
        CAPTURE(bits, level, takeover);
        DeflateSettings settings = settings_with(bits, 15, takeover, true);
        settings.memory_level = level;
        DeflateConversation talk(settings);
        DeflatePeer peer;
        Events sent;
        for (int i = 0; i < 20; ++i) sent.push_back(meter_values(i));
        sent.push_back("a");
        sent.push_back(noise(70000, bits));
        for (int i = 0; i < 400; ++i) sent.back() += meter_values(i);
        sent.push_back("z");
        for (const std::string& message : sent) talk.session->send(message, false);
        Events read;
        for (const ClientFrame& f : talk.frames()) {
          if (!takeover) peer.forget();  // nothing refers to what went before
          read.push_back(f.compressed ? peer.inflate(f.payload) : f.payload);
        }
        CHECK(read == sent);
      }
    }
  }
}

TEST_CASE("context takeover makes the second of two alike messages small", "[deflate]") {
  for (const bool takeover : {true, false}) {
    DeflateConversation talk(settings_with(12, 15, takeover, true));
    talk.session->send(meter_values(1), false);
    talk.session->send(meter_values(2), false);
    const auto frames = talk.frames();
    CHECK(frames[0].payload.size() > 100);
    CHECK((frames[1].payload.size() < 60) == takeover);
  }
}

TEST_CASE("a server that keeps no more than 8 bits is sent nothing compressed, for zlib cannot", "[deflate]") {
  DeflateConversation talk(deflate_settings(), "permessage-deflate; client_max_window_bits=8");
  talk.session->send(meter_values(1), false);
  const auto frames = talk.frames();
  CHECK((!frames[0].compressed && frames[0].payload == meter_values(1)));
  talk.receive(compressed_frame(1, DeflatePeer().compress("but it may")));
  CHECK(talk.recorder.events == Events{"text but it may"});
}

TEST_CASE("two stations of a thread do not meet in its compressor", "[deflate]") {
  const auto engine = make_engine();
  const DeflateSettings settings = settings_with(12, 15, false, false);
  Recorder recorders[2];
  std::unique_ptr<Session> sessions[2];
  for (int i = 0; i < 2; ++i) {
    sessions[i] = engine->open(DeflateConversation::request_with(settings), {}, recorders[i]);
    sessions[i]->start();
    const std::string answer =
        upgrade_answer_with(sessions[i]->output(), "permessage-deflate; server_no_context_takeover");
    sessions[i]->output().clear();
    sessions[i]->receive(answer.data(), answer.size());
  }
  for (int round = 0; round < 3; ++round) {
    // One has begun to receive when the other comes in between.
    DeflatePeer peer(15, false);
    const std::string one = peer.compress(meter_values(round)), other = peer.compress(meter_values(round + 100));
    const std::string half = compressed_frame(1, one.substr(0, 50), false), rest = frame(0, one.substr(50));
    const std::string whole = compressed_frame(1, other);
    sessions[0]->receive(half.data(), half.size());
    sessions[1]->receive(whole.data(), whole.size());
    sessions[0]->receive(rest.data(), rest.size());
    CHECK(recorders[0].messages.back().data == meter_values(round));
    CHECK(recorders[1].messages.back().data == meter_values(round + 100));
    for (auto& session : sessions) {
      session->send(meter_values(round), false);
      const auto frames = parse_client_frames(session->output(), true);
      session->output().clear();
      DeflatePeer reader;
      CHECK(reader.inflate(frames[0].payload) == meter_values(round));
    }
  }
}

TEST_CASE("without context takeover no message may refer to one before, of whatever station", "[deflate]") {
  const auto engine = make_engine();
  DeflatePeer peer(15, false);
  const std::string message = compressed_frame(1, peer.compress(meter_values(1)));
  DeflatePeer referring;
  referring.refer_to(meter_values(1));
  const std::string reference = compressed_frame(1, referring.compress(meter_values(1)));
  for (const bool of_another : {false, true}) {
    Recorder recorders[2];
    std::unique_ptr<Session> sessions[2];
    for (int i = 0; i < 2; ++i) {
      const DeflateSettings settings = settings_with(12, 15, false, false);
      sessions[i] = engine->open(DeflateConversation::request_with(settings), {}, recorders[i]);
      sessions[i]->start();
      const std::string answer =
          upgrade_answer_with(sessions[i]->output(), "permessage-deflate; server_no_context_takeover");
      sessions[i]->output().clear();
      sessions[i]->receive(answer.data(), answer.size());
    }
    sessions[0]->receive(message.data(), message.size());
    REQUIRE(recorders[0].messages.size() == 1);
    const int whose = of_another ? 1 : 0;
    sessions[whose]->receive(reference.data(), reference.size());
    CHECK(recorders[whose].closed.code == 1007);
    CHECK(recorders[whose].messages.size() == (of_another ? 0 : 1));
  }
}

TEST_CASE("a compressed conversation has the same result sliced at any byte", "[deflate]") {
  for (const int flush : {Z_SYNC_FLUSH, Z_FINISH}) {
    DeflatePeer peer(15, true, flush);
    std::string bytes = compressed_frame(1, peer.compress(meter_values(1)));
    const std::string split = peer.compress(meter_values(2));
    bytes += compressed_frame(2, split.substr(0, 10), false) + frame(9, "ping") + frame(0, split.substr(10, 1), false) +
             frame(0, "", false) + frame(10, "pong") + frame(0, split.substr(11)) + text("plain");
    bytes += compressed_frame(1, peer.compress("\xe2\x82\xac")) + frame(1, "pl", false) + frame(0, "ain");
    bytes += compressed_frame(1, peer.compress(meter_values(3))) + close_frame(1000);
    const Events expected = {
        "text " + meter_values(1), "pong pong",  "binary " + meter_values(2), "text plain",
        "text \xe2\x82\xac",       "text plain", "text " + meter_values(3),   "closed 1000 by the peer "};
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
      DeflateConversation talk;
      talk.receive(std::string_view(bytes).substr(0, cut));
      talk.receive(std::string_view(bytes).substr(cut));
      INFO(talk.recorder.closed.failure.message);
      REQUIRE(talk.recorder.events == expected);
    }
    DeflateConversation talk;
    for (const char c : bytes) talk.receive({&c, 1});
    CHECK(talk.recorder.events == expected);
    CHECK(talk.recorder.compressed_sizes.size() == 4);
    CHECK(talk.recorder.compressed_sizes[1] == split.size());
  }
}

TEST_CASE("an empty message may come with its byte, or without", "[deflate]") {
  DeflateConversation talk;
  talk.receive(compressed_frame(1, std::string(1, '\0')));
  talk.receive(compressed_frame(1, ""));
  talk.receive(compressed_frame(1, "", false) + frame(0, ""));
  talk.receive(compressed_frame(1, DeflatePeer().compress("there")));
  CHECK(talk.recorder.events == Events{"text ", "text ", "text ", "text there"});
}

TEST_CASE("a last block ends no connection, and the window outlives it", "[deflate]") {
  // Each message in a last block (BFINAL), the second with its byte behind (RFC 7692 7.2.3.4) and the first without.
  DeflatePeer peer(15, true, Z_FINISH);
  const std::string first = peer.compress(meter_values(1)), second = peer.compress(meter_values(2));
  DeflateConversation talk;
  talk.receive(compressed_frame(1, first.substr(0, first.size() - 1)) + compressed_frame(1, second));
  CHECK(talk.recorder.events == Events{"text " + meter_values(1), "text " + meter_values(2)});

  DeflateConversation window;
  window.receive(compressed_frame(1, peer.compress(meter_values(1))));
  peer.refer_to(meter_values(1));
  const std::string reference = peer.compress(meter_values(1));
  CHECK(reference.size() < 20);
  window.receive(compressed_frame(1, reference));
  CHECK(window.recorder.events == Events{"text " + meter_values(1), "text " + meter_values(1)});
}

TEST_CASE("RSV1 stands on the first frame of a message and nowhere else", "[deflate]") {
  const std::string payload = DeflatePeer().compress("hello");
  const auto with_bits = [](int opcode, int bits, bool fin = true) {
    ServerFrame f;
    f.opcode = opcode;
    f.reserved_bits = bits;
    f.fin = fin;
    return f.bytes();
  };
  const std::vector<std::string> rows = {
      frame(1, "a", false) + with_bits(0, 4),                              // continuation of a plain one
      compressed_frame(1, payload.substr(0, 2), false) + with_bits(0, 4),  // and of a compressed one
      with_bits(8, 4),
      with_bits(9, 4),
      with_bits(10, 4),  // control frames
      with_bits(1, 2),
      with_bits(1, 1),
      with_bits(1, 6),
      with_bits(1, 5),
      with_bits(2, 7)};
  for (const std::string& bytes : rows) {
    DeflateConversation talk;
    talk.receive(bytes);
    expect_end(talk, 1002, CWIRE_E_PROTOCOL);
  }
}

TEST_CASE("what is no DEFLATE ends the connection with 1007", "[deflate]") {
  DeflatePeer peer;
  const std::string good = peer.compress(meter_values(1));
  peer.refer_to(meter_values(1));
  const std::string reference = peer.compress(meter_values(1));
  const std::vector<std::string> rows = {
      std::string("\xff\xff\xff\xff", 4),                     // a block of a type that there is not
      good.substr(0, good.size() / 2),                        // cut off
      good.substr(0, good.size() - 2) + "\xaa\x55" + "more",  // garbage behind
      good + "garbage",                                       //
      std::string("\x01\x05\x00\x00\x00hello", 10),           // a stored block whose lengths disagree
      reference};                                             // to what never was
  for (const std::string& payload : rows) {
    for (const std::size_t cut : {std::size_t{0}, payload.size() / 2}) {
      DeflateConversation talk;
      talk.receive(cut == 0 ? compressed_frame(1, payload)
                            : compressed_frame(1, payload.substr(0, cut), false) + frame(0, payload.substr(cut)));
      CHECK(talk.recorder.messages.empty());
      expect_end(talk, 1007, CWIRE_E_PROTOCOL);
      CHECK(talk.recorder.closed.failure.message ==
            "the CSMS sent a compressed message that does not inflate; the connection was closed with 1007");
    }
  }
}

TEST_CASE("text is checked once it is inflated", "[deflate]") {
  for (const char* wrong : {"\xff", "ab\xc0\x80", "cut off \xe2\x82"}) {
    DeflateConversation talk;
    talk.receive(compressed_frame(1, DeflatePeer().compress(wrong)));
    CHECK(talk.recorder.messages.empty());
    expect_end(talk, 1007, CWIRE_E_PROTOCOL);
    DeflateConversation binary;
    binary.receive(compressed_frame(2, DeflatePeer().compress(wrong)));
    CHECK(binary.recorder.events == Events{std::string("binary ") + wrong});
  }
  // The check of one message knows nothing of the one before.
  DeflateConversation talk;
  DeflatePeer peer;
  talk.receive(compressed_frame(2, peer.compress("\xe2\x82")) + compressed_frame(1, peer.compress("good")) +
               text("good"));
  CHECK(talk.recorder.messages.size() == 3);
}

TEST_CASE("a message at the limit comes, whatever it compresses to, and one byte more is 1009", "[deflate]") {
  ProtocolLimits limits;
  for (const std::size_t most : {std::size_t{1}, std::size_t{1000}, std::size_t{5000}, std::size_t{100000}}) {
    limits.message_size_max = most;
    CAPTURE(most);
    for (const bool compresses : {true, false}) {
      const std::string message = compresses ? std::string(most + 1, 'x') : noise(most + 1, 7);
      DeflateConversation talk(deflate_settings(), "permessage-deflate", limits);
      talk.receive(compressed_frame(2, DeflatePeer().compress(std::string_view(message).substr(0, most))));
      REQUIRE(talk.recorder.messages.size() == 1);
      CHECK(talk.recorder.messages[0].data == std::string_view(message).substr(0, most));
      talk.receive(compressed_frame(2, DeflatePeer().compress(message)));
      expect_end(talk, 1009, CWIRE_E_TOO_BIG);
    }
  }
}

TEST_CASE("a message that has not inflated to anything cannot go on for ever", "[deflate]") {
  ProtocolLimits limits;
  limits.message_size_max = 1000;
  DeflateConversation talk(deflate_settings(), "permessage-deflate", limits);
  std::string bytes = compressed_frame(1, std::string("\x00\x00\x00\xff\xff", 5), false);
  for (int i = 0; i < 300; ++i) bytes += frame(0, std::string("\x00\x00\x00\xff\xff", 5), false);
  talk.receive(bytes);
  expect_end(talk, 1009, CWIRE_E_TOO_BIG);
}

TEST_CASE("how much of a client's frame is payload", "[deflate]") {
  for (const std::size_t size : {0u, 1u, 125u, 126u, 127u, 65535u, 65536u, 65537u}) {
    std::string out;
    append_frame(out, Opcode::text, std::string(size, 'x'), 1);
    CHECK(payload_size_in(out.size()) == size);
  }
}

TEST_CASE("a bomb of 256 MB takes no more memory than the limit and a little", "[deflate]") {
  if (!BlockCache::kKeeps) return;  // a sanitizer's memory is another
  const auto resident = [](const char* name) {
    std::ifstream status("/proc/self/status");
    std::string line;
    while (std::getline(status, line)) {
      if (line.compare(0, std::strlen(name), name) == 0) return std::stol(line.substr(std::strlen(name))) * 1024;
    }
    return 0L;
  };
  std::string bomb;
  {
    DeflatePeer peer;
    const std::string part(1 << 20, '\0');
    const std::string tail("\0\0\xff\xff", 4);
    bomb = compressed_frame(2, peer.compress(part) + tail, false);
    for (int i = 1; i < 255; ++i) bomb += frame(0, peer.compress(part) + tail, false);
    bomb += frame(0, peer.compress(part));
  }
  ProtocolLimits limits;
  limits.message_size_max = 32 << 20;
  DeflateConversation talk(deflate_settings(), "permessage-deflate", limits);
  std::ofstream("/proc/self/clear_refs") << 5;  // the peak begins anew
  const long before = resident("VmRSS:");
  talk.receive(bomb);
  const long taken = resident("VmHWM:") - before;
  expect_end(talk, 1009, CWIRE_E_TOO_BIG);
  CHECK(taken < (32 << 20) + (1 << 20));
  CHECK(taken > (16 << 20));  // it was measured
}
