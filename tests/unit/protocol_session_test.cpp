// A whole session: from the upgrade to the close frame, with a server made by hand.
#include <catch2/catch.hpp>
#include <new>
#include <set>

#include "protocol_peer.h"

using namespace cwire;
using namespace cwire::test;
using Events = std::vector<std::string>;

TEST_CASE("frames glued to the 101 come after on_open", "[protocol]") {
  Conversation talk;
  talk.receive(upgrade_answer(talk.begin()) + text("first") + frame(2, "second") + close_frame(1001, "restart"));
  CHECK(talk.recorder.events ==
        Events{"open ocpp1.6", "text first", "binary second", "closed 1001 by the peer restart"});
}

TEST_CASE("a whole conversation has the same result sliced at any byte", "[protocol]") {
  const std::string frames = text("[2,\"1\",\"Heartbeat\",{}]") + frame(1, "\xe2\x82", false) + frame(9, "ping") +
                             frame(0, "\xac", false) + frame(0, "") + frame(10, "pong") +
                             frame(2, std::string(700, 'b')) + text("") + text(std::string(70000, 't')) +
                             close_frame(4321, "d\xc3\xa9j\xc3\xa0");
  const auto run = [&](std::size_t first, std::size_t rest) {
    Conversation talk;
    const std::string bytes = upgrade_answer(talk.begin()) + frames;
    talk.receive(std::string_view(bytes).substr(0, first));
    for (std::size_t at = first; at < bytes.size(); at += rest) talk.receive(std::string_view(bytes).substr(at, rest));
    std::string log;
    for (const std::string& event : talk.recorder.events) log += event + "\n";
    // How many pongs went before depends on the arrivals.
    log += talk.frames().back().payload;
    return log;
  };
  const std::string expected = run(0, 1 << 30);
  CHECK(expected.find("text \xe2\x82\xac\n") != std::string::npos);
  CHECK(expected.find("closed 4321 by the peer d\xc3\xa9j\xc3\xa0\n") != std::string::npos);
  CHECK((run(0, 1) == expected));
  CHECK((run(0, 511) == expected));
  CHECK((run(0, 512) == expected));
  CHECK((run(0, 513) == expected));
  int different = 0;
  for (std::size_t at = 1; at < 1100; ++at) different += run(at, 1 << 30) == expected ? 0 : 1;
  CHECK(different == 0);
}

TEST_CASE("messages keep their bytes, with a NUL behind, as long as their owner lives", "[protocol]") {
  Conversation talk;
  talk.open();
  const std::string big(200000, 'q');
  talk.receive(text("one") + text("") + frame(2, std::string("\0\1\2", 3)) + text(big));
  talk.session.reset();
  talk.engine.reset();
  REQUIRE(talk.recorder.messages.size() == 4);
  CHECK(talk.recorder.messages[0].data == "one");
  CHECK(talk.recorder.messages[1].data.empty());
  CHECK(talk.recorder.messages[2].data == std::string("\0\1\2", 3));
  CHECK(talk.recorder.messages[3].data == big);
  CHECK(talk.recorder.messages[3].data.data()[big.size()] == '\0');
  CHECK(talk.recorder.messages[3].owner.use_count() == 1);
}

TEST_CASE("what is sent is framed in order, each frame with a mask of its own", "[protocol]") {
  Conversation talk;
  CHECK_FALSE(talk.session->send("too early", false));
  talk.session->ping("too early");
  talk.session->close(1000, "too early");
  talk.open();
  const int outputs = talk.recorder.outputs;
  CHECK(talk.session->send("hello", false));
  CHECK(talk.session->send(std::string(100000, 'b'), true));
  talk.session->ping("nonce");
  CHECK(talk.recorder.outputs == outputs + 1);
  const auto frames = talk.frames();
  REQUIRE(frames.size() == 3);
  CHECK((frames[0].opcode == 1 && frames[0].payload == "hello"));
  CHECK((frames[1].opcode == 2 && frames[1].payload == std::string(100000, 'b')));
  CHECK((frames[2].opcode == 9 && frames[2].payload == "nonce"));
  CHECK(talk.session->send("again", false));
  CHECK(talk.recorder.outputs == outputs + 2);

  talk.take();
  for (int i = 0; i < 500; ++i) talk.session->send("same", false);
  std::set<std::uint32_t> masks;
  for (const ClientFrame& f : talk.frames()) {
    CHECK(f.masked);
    masks.insert(f.mask);
  }
  CHECK(masks.size() > 498);
}

TEST_CASE("pings of one arrival are answered by one pong, with the last one's bytes", "[protocol]") {
  Conversation talk;
  talk.open();
  std::string pings;
  for (int i = 0; i < 100; ++i) pings += frame(9, "ping " + std::to_string(i));
  talk.receive(pings + text("data"));
  auto frames = talk.frames();
  REQUIRE(frames.size() == 1);
  CHECK((frames[0].opcode == 10 && frames[0].payload == "ping 99"));
  talk.receive(frame(9, ""));
  frames = talk.frames();
  REQUIRE(frames.size() == 1);
  CHECK((frames[0].opcode == 10 && frames[0].payload.empty()));
  talk.receive(text("no ping"));
  CHECK(talk.frames().empty());
}

TEST_CASE("a ping flood ends the session with 1008", "[protocol]") {
  Conversation talk;
  talk.open();
  std::string pings;
  for (int i = 0; i < 30000; ++i) pings += frame(9, "");
  talk.receive(pings);
  CHECK(talk.recorder.closed.code == 1008);
  CHECK(talk.recorder.closed.failure.status == CWIRE_E_PROTOCOL);
  const auto frames = talk.frames();
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].close_code() == 1008);
}

TEST_CASE("pongs are handed on", "[protocol]") {
  Conversation talk;
  talk.open();
  talk.receive(frame(10, "12345678") + frame(10, ""));
  CHECK(talk.recorder.events == Events{"pong 12345678", "pong "});
}

TEST_CASE("what the peer may not send ends the session with the right code, once, and nothing is read behind it",
          "[protocol]") {
  ProtocolLimits limits;
  limits.message_size_max = 1000;
  limits.fragments_max = 3;
  struct Row {
    std::string bytes;
    int code;
    cwire_status status;
  };
  const std::string half_character = "\xe2\x82";
  const std::vector<Row> rows = {
      {ServerFrame{1, "x", true, 4}.bytes(), 1002, CWIRE_E_PROTOCOL},
      {frame(3, "x"), 1002, CWIRE_E_PROTOCOL},
      {ServerFrame{1, "x", true, 0, true}.bytes(), 1002, CWIRE_E_PROTOCOL},
      {frame(9, "x", false), 1002, CWIRE_E_PROTOCOL},
      {frame(9, std::string(126, 'x')), 1002, CWIRE_E_PROTOCOL},
      {ServerFrame{1, "x", true, 0, false, 8}.bytes(), 1002, CWIRE_E_PROTOCOL},
      {std::string("\x82\x7f\x80\0\0\0\0\0\0\0", 10), 1002, CWIRE_E_PROTOCOL},
      {frame(0, "x"), 1002, CWIRE_E_PROTOCOL},
      {frame(1, "a", false) + text("b"), 1002, CWIRE_E_PROTOCOL},
      {frame(8, "\x03"), 1002, CWIRE_E_PROTOCOL},
      {close_frame(1005), 1002, CWIRE_E_PROTOCOL},
      {close_frame(1000, "\xff"), 1007, CWIRE_E_PROTOCOL},
      {text("\xff"), 1007, CWIRE_E_PROTOCOL},
      {text(half_character), 1007, CWIRE_E_PROTOCOL},
      {frame(1, half_character, false) + frame(0, ""), 1007, CWIRE_E_PROTOCOL},
      {frame(1, "a", false) + frame(0, half_character), 1007, CWIRE_E_PROTOCOL},
      {text(std::string(1001, 'x')), 1009, CWIRE_E_TOO_BIG},
      {std::string("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 10), 1009, CWIRE_E_TOO_BIG},
      {frame(2, "12345", false) + std::string("\x80\x7f\x7f\xff\xff\xff\xff\xff\xff\xfb", 10), 1009, CWIRE_E_TOO_BIG},
      {frame(2, "", false) + frame(0, "", false) + frame(0, "", false) + frame(0, ""), 1008, CWIRE_E_PROTOCOL},
  };
  for (const Row& row : rows) {
    for (const std::size_t slice : {std::size_t{1}, std::size_t{1} << 30}) {
      INFO(&row - rows.data());
      Conversation talk(limits);
      talk.open();
      const std::string bytes = text("before") + row.bytes + text("behind") + close_frame(1000);
      for (std::size_t at = 0; at < bytes.size(); at += slice) talk.receive(std::string_view(bytes).substr(at, slice));
      CHECK(talk.recorder.terminal_reports == 1);
      REQUIRE(talk.recorder.events.size() == 2);
      CHECK(talk.recorder.events[0] == "text before");
      CHECK(talk.recorder.closed.code == row.code);
      CHECK_FALSE(talk.recorder.closed.remote);
      CHECK(talk.recorder.closed.failure.status == row.status);
      CHECK(talk.recorder.closed.failure.code.number == row.code);
      CHECK(talk.recorder.closed.failure.message.find("the CSMS sent ") == 0);
      const auto frames = talk.frames();
      REQUIRE(frames.size() == 1);
      CHECK((frames[0].opcode == 8 && frames[0].close_code() == row.code));
      CHECK_FALSE(talk.session->send("late", false));
    }
  }
}

TEST_CASE("the peer closes first: its close frame is echoed and its code reported", "[protocol]") {
  Conversation talk;
  talk.open();
  talk.receive(text("last") + close_frame(1012, "service restart") + text("behind"));
  CHECK(talk.recorder.events == Events{"text last", "closed 1012 by the peer service restart"});
  CHECK(talk.recorder.closed.failure.status == CWIRE_OK);
  const auto frames = talk.frames();
  REQUIRE(frames.size() == 1);
  CHECK((frames[0].opcode == 8 && frames[0].masked && frames[0].close_code() == 1012));
  CHECK_FALSE(talk.session->send("late", false));
  talk.session->close(1000, "late");
  talk.session->ping("late");
  talk.receive(text("late"));
  CHECK(talk.take().empty());
  CHECK(talk.recorder.terminal_reports == 1);
}

TEST_CASE("a close frame without a code is 1005", "[protocol]") {
  Conversation talk;
  talk.open();
  talk.receive(frame(8, ""));
  CHECK(talk.recorder.closed.code == 1005);
  CHECK(talk.recorder.closed.remote);
  CHECK(talk.frames().size() == 1);
}

TEST_CASE("we close first: what was sent goes before, the peer's answer ends it", "[protocol]") {
  Conversation talk;
  talk.open();
  talk.session->send("last words", false);
  talk.session->close(1001, "maintenance");
  talk.session->close(1000, "twice");
  CHECK_FALSE(talk.session->send("late", false));
  talk.session->ping("late");
  auto frames = talk.frames();
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].payload == "last words");
  CHECK((frames[1].close_code() == 1001 && frames[1].payload.substr(2) == "maintenance"));
  CHECK(talk.recorder.events.empty());
  // The peer had more to say before it saw our close; a ping is not answered any more.
  talk.receive(frame(9, "ping"));
  CHECK(talk.take().empty());
  talk.receive(text("answer") + frame(9, "ping") + frame(10, "pong") + close_frame(1001));
  CHECK(talk.recorder.events == Events{"text answer", "pong pong", "closed 1001 "});
  CHECK_FALSE(talk.recorder.closed.remote);
  CHECK(talk.recorder.closed.failure.status == CWIRE_OK);
  CHECK(talk.take().empty());
}

TEST_CASE("any code may begin the close handshake, and the peer's own is reported", "[protocol]") {
  for (const int code : {1000, 1001, 1002, 1007, 1008, 1009, 1011, 3000, 4999}) {
    Conversation talk;
    talk.open();
    talk.session->close(static_cast<std::uint16_t>(code), "");
    CHECK(talk.frames().at(0).close_code() == code);
    CHECK(talk.recorder.events.empty());
    talk.receive(close_frame(4000, "mine"));
    CHECK(talk.recorder.events == Events{"closed 4000 mine"});
  }
  for (const int code : {0, 1004, 1005, 1006, 1015, 2000, 5000}) {
    Conversation talk;
    talk.open();
    talk.session->close(static_cast<std::uint16_t>(code), "");
    CHECK(talk.frames().at(0).close_code() == 1000);
  }
}

TEST_CASE("a close reason is cut to what a frame holds, not inside a character", "[protocol]") {
  Conversation talk;
  talk.open();
  talk.session->close(1000, std::string(122, 'r') + "\xe2\x82\xac and more");
  CHECK(talk.frames().at(0).payload.substr(2) == std::string(122, 'r'));
}

TEST_CASE("a violation while closing is reported, and no second close frame is sent", "[protocol]") {
  Conversation talk;
  talk.open();
  talk.session->close(1000, "");
  talk.take();
  talk.receive(text("\xff"));
  CHECK(talk.recorder.closed.code == 1007);
  CHECK(talk.recorder.closed.failure.status == CWIRE_E_PROTOCOL);
  CHECK(talk.take().empty());
  CHECK(talk.recorder.terminal_reports == 1);
}

namespace {

// Acts from inside the calls, as a listener may.
class Acting : public Recorder {
 public:
  Session* session = nullptr;
  std::string at;  // an event's beginning
  std::string action;

 protected:
  void note(std::string event) override {
    const bool now = event.rfind(at, 0) == 0 && !action.empty();
    Recorder::note(std::move(event));
    if (!now) return;
    const std::string what = std::exchange(action, {});
    if (what == "send") session->send("from inside", false);
    if (what == "ping") session->ping("from inside");
    if (what == "close") session->close(1000, "from inside");
    if (what == "throw") throw std::runtime_error("thrown by the listener");
    if (what == "bad_alloc") throw std::bad_alloc();
  }
};

struct ActingConversation {
  ActingConversation(std::string at, std::string action) : session(engine->open(a_request(), {}, recorder)) {
    recorder.session = session.get();
    recorder.at = std::move(at);
    recorder.action = std::move(action);
    session->start();
    const std::string bytes =
        upgrade_answer(session->output()) + text("one") + frame(10, "pong") + text("two") + close_frame(1000);
    session->output().clear();
    session->receive(bytes.data(), bytes.size());
    frames = parse_client_frames(session->output());
  }
  std::unique_ptr<Engine> engine = make_engine();
  Acting recorder;
  std::unique_ptr<Session> session;
  std::vector<ClientFrame> frames;
};

}  // namespace

TEST_CASE("a listener may send, ping and close from inside", "[protocol]") {
  for (const char* at : {"open", "text one", "pong"}) {
    ActingConversation sends(at, "send");
    CHECK(sends.frames.at(0).payload == "from inside");
    CHECK(sends.recorder.events.back() == "closed 1000 by the peer ");
    CHECK(ActingConversation(at, "ping").frames.at(0).opcode == 9);
    ActingConversation closes(at, "close");
    REQUIRE(closes.frames.size() == 1);
    CHECK(closes.frames[0].close_code() == 1000);
    CHECK(closes.recorder.events == Events{"open ocpp1.6", "text one", "pong pong", "text two", "closed 1000 "});
  }
  for (const char* action : {"send", "ping", "close"}) CHECK(ActingConversation("closed", action).frames.size() == 1);
}

TEST_CASE("an exception never crosses: it ends the session, once", "[protocol]") {
  for (const char* at : {"open", "text one", "pong", "text two"}) {
    ActingConversation thrown(at, "throw");
    CHECK(thrown.recorder.terminal_reports == 1);
    CHECK(thrown.recorder.closed.failure.status == CWIRE_E_INTERNAL);
    CHECK(thrown.recorder.closed.failure.message.find("thrown by the listener") != std::string::npos);
    CHECK(thrown.recorder.events.back() == "closed 1006 ");
    CHECK_FALSE(thrown.session->send("late", false));
    CHECK(ActingConversation(at, "bad_alloc").recorder.closed.failure.status == CWIRE_E_NO_MEMORY);
  }
  CHECK(ActingConversation("closed", "throw").recorder.terminal_reports == 1);
}

TEST_CASE("an exception before the upgrade was asked for is a failed upgrade", "[protocol]") {
  struct Throwing final : Recorder {
    void on_output() override { throw std::runtime_error("thrown by the listener"); }
  } recorder;
  const std::unique_ptr<Engine> engine = make_engine();
  const std::unique_ptr<Session> session = engine->open(a_request(), {}, recorder);
  session->start();
  CHECK(recorder.events == Events{"failed " + std::to_string(CWIRE_E_INTERNAL)});
  CHECK(recorder.failure.message == "thrown by the listener");
  const std::string late = upgrade_answer(session->output()) + text("late");
  session->receive(late.data(), late.size());
  CHECK(recorder.events.size() == 1);
}

TEST_CASE("a refusal that there is no memory for is a failed upgrade as well", "[protocol]") {
  struct Throwing final : Recorder {
    void on_redirect(std::string_view) override { throw std::bad_alloc(); }
  } recorder;
  const std::unique_ptr<Engine> engine = make_engine();
  const std::unique_ptr<Session> session = engine->open(a_request(), {}, recorder);
  session->start();
  const std::string answer = "HTTP/1.1 302 Found\r\nLocation: /there\r\n\r\n";
  session->receive(answer.data(), answer.size());
  CHECK(recorder.events == Events{"failed " + std::to_string(CWIRE_E_NO_MEMORY)});
}

TEST_CASE("nothing comes after a failed upgrade", "[protocol]") {
  Conversation talk;
  talk.begin();
  talk.receive("HTTP/1.1 404 Not Found\r\n\r\n");
  talk.receive(text("late") + close_frame(1000));
  talk.session->close(1000, "");
  CHECK_FALSE(talk.session->send("late", false));
  talk.session->start();
  CHECK(talk.recorder.events == Events{"failed " + std::to_string(CWIRE_E_HANDSHAKE)});
  CHECK(talk.take().empty());
}

TEST_CASE("sessions end at any point without leaving anything behind", "[protocol]") {
  // The leak checker of the sanitizer build is the judge.
  const std::unique_ptr<Engine> engine = make_engine();
  int opened = 0;
  for (int i = 0; i < 10000; ++i) {
    Recorder recorder;
    const auto session = engine->open(a_request(), {}, recorder);
    const int stage = i % 10;
    if (stage == 0) continue;
    session->start();
    const std::string answer = upgrade_answer(session->output());
    session->output().clear();
    if (stage == 1) continue;
    const auto receive = [&](std::string_view bytes) { session->receive(bytes.data(), bytes.size()); };
    receive(std::string_view(answer).substr(0, answer.size() / 2));
    if (stage == 2) continue;
    receive(std::string_view(answer).substr(answer.size() / 2));
    opened += static_cast<int>(recorder.events.size());
    if (stage == 3) continue;
    session->send("hello", false);
    receive(text("hello") + frame(9, "ping"));
    if (stage == 4) continue;
    receive(frame(1, "half a mess", false));
    receive(std::string_view("\x80\x05he", 4));
    if (stage == 5) continue;
    if (stage == 6) session->close(1000, "");
    if (stage == 7) receive(frame(3, ""));
    if (stage == 8) receive("llo" + close_frame(1000));
    if (stage == 9) receive("llo" + text("\xff"));
  }
  CHECK(opened == 7000);
}
