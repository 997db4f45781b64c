// What a server sends on an open connection. Input: one character for limits and what the station does (kSmall,
// kFewFragments, kDoes), then the frames. A plain reading of RFC 6455, below, says what must come of them.
#include <algorithm>
#include <string>
#include <vector>

#include "fuzz.h"
#include "messages.h"
#include "protocol_peer.h"

using namespace cwire;
using fuzz::require;
using fuzz::Slicing;

namespace {

constexpr std::uint8_t kSmall = 1;
constexpr std::uint8_t kFewFragments = 2;
constexpr std::uint8_t kDoes = 12;
enum class Station { listens = 0, answers = 4, closes_first = 8, closes_at_a_message = 12 };

constexpr std::uint16_t kOwnCode = 4321;

ProtocolLimits limits_of(std::uint8_t options) {
  ProtocolLimits limits;
  limits.message_size_max = (options & kSmall) != 0 ? 200 : 70000;
  if ((options & kFewFragments) != 0) limits.fragments_max = 4;
  return limits;
}

// May a text that is cut off here still become UTF-8?
bool begins_utf8(std::string_view text) {
  char32_t character = 0;
  std::size_t at = 0;
  while (at < text.size() && next_utf8(text, at, character)) {
  }
  const std::string tail(text.substr(at));
  if (tail.empty()) return true;
  for (const char second : {'\x80', '\x90', '\xa0'}) {
    std::string character_text = tail;
    if (character_text.size() == 1) character_text += second;
    while (character_text.size() <= 4) {
      if (is_utf8(character_text)) return true;
      character_text += '\x80';
    }
  }
  return false;
}

// What must come of a server's bytes, read all at once.
class Reading {
 public:
  Reading(std::string_view bytes, const ProtocolLimits& limits, Station station)
      : closing_(station == Station::closes_first), in_(bytes), limits_(limits), station_(station) {
    while (frame()) {
    }
  }

  std::vector<std::string> events;
  std::vector<std::string> messages;  // that the station answers
  std::vector<std::string> pings;
  int code = 0;  // of the end; 0: there is none
  bool violation = false;
  bool closing_ = false;  // our close frame went first
  // Frames without data in a row. How many are too many depends on how they arrive.
  unsigned quiet_most = 0;

 private:
  bool has(std::size_t count) const { return in_.size() - at_ >= count; }
  unsigned take() { return static_cast<unsigned char>(in_[at_++]); }

  bool violate(int with) {
    violation = true;
    return end(with, "");
  }
  bool end(int with, const std::string& reason) {
    code = with;
    events.push_back("closed " + std::to_string(with) + (violation || closing_ ? " " : " by the peer ") + reason);
    return false;
  }
  void quiet() { quiet_most = std::max(quiet_most, ++quiet_); }

  bool frame() {
    if (!has(1)) return false;
    const unsigned first = take();
    const bool fin = (first & 0x80) != 0;
    const unsigned opcode = first & 15;
    const bool control = opcode >= 8;
    if ((first & 0x70) != 0 || (opcode > 2 && opcode < 8) || opcode > 10) return violate(1002);
    if (control && !fin) return violate(1002);
    if (!control && (opcode == 0) != in_message_) return violate(1002);
    if (opcode == 1 || opcode == 2) {
      message_.clear();
      fragments_ = 0;
      text_ = opcode == 1;
    }
    if (!control && ++fragments_ > limits_.fragments_max) return violate(1008);

    if (!has(1)) return false;
    const unsigned second = take();
    if (second >= 128 || (control && second > 125)) return violate(1002);
    std::uint64_t length = second;
    if (second >= 126) {
      int bytes = second == 126 ? 2 : 8;
      if (!has(static_cast<std::size_t>(bytes))) return false;
      for (length = 0; bytes > 0; --bytes) length = length << 8 | take();
      if (length >> 63 != 0 || length < (second == 126 ? 126u : 65536u)) return violate(1002);
    }
    return control ? control_frame(opcode, static_cast<std::size_t>(length)) : data_frame(fin, length);
  }

  bool control_frame(unsigned opcode, std::size_t length) {
    quiet();
    if (opcode == 8) return close_frame(length);
    if (!has(length)) return false;
    const std::string payload(in_.substr(at_, length));
    at_ += length;
    if (opcode == 10) events.push_back("pong " + payload);
    if (opcode == 9 && !closing_) pings.push_back(payload);
    return true;
  }

  bool close_frame(std::size_t length) {
    if (length == 1) return violate(1002);
    if (length == 0) return end(1005, "");
    if (!has(2)) return false;
    const unsigned high = take();
    const int with = static_cast<int>(high << 8 | take());
    const bool known = with >= 1000 && with <= 1014 && (with < 1004 || with > 1006);
    if (!known && (with < 3000 || with > 4999)) return violate(1002);
    const std::string_view reason = in_.substr(at_, length - 2);
    if (!begins_utf8(reason)) return violate(1007);
    if (reason.size() < length - 2) return false;
    return is_utf8(reason) ? end(with, std::string(reason)) : violate(1007);
  }

  bool data_frame(bool fin, std::uint64_t length) {
    if (length > limits_.message_size_max - message_.size()) return violate(1009);
    if (length != 0) {
      quiet_ = 0;
    } else if (!fin || in_message_) {
      quiet();
    }
    in_message_ = !fin;
    const std::string_view part = in_.substr(at_, static_cast<std::size_t>(length));
    at_ += part.size();
    message_ += part;
    if (text_ && !begins_utf8(message_)) return violate(1007);
    if (part.size() < length) return false;
    if (!fin) return true;
    if (text_ && !is_utf8(message_)) return violate(1007);
    events.push_back((text_ ? "text " : "binary ") + message_);
    if (station_ == Station::answers) messages.push_back(message_);
    if (station_ == Station::closes_at_a_message) closing_ = true;
    return true;
  }

  const std::string_view in_;
  const ProtocolLimits& limits_;
  const Station station_;
  std::size_t at_ = 0;
  std::string message_;
  std::uint32_t fragments_ = 0;
  unsigned quiet_ = 0;
  bool in_message_ = false;
  bool text_ = false;
};

class Listener : public test::Recorder {
 public:
  explicit Listener(Station station) : station_(station) {}
  Session* session = nullptr;

  void on_message(std::shared_ptr<const void> owner, std::string_view data, bool binary) override {
    const std::string copy(data);
    Recorder::on_message(std::move(owner), data, binary);
    require(messages.back().data == copy, "a message lives as long as its owner");
    if (station_ == Station::answers) require(session->send(copy, binary), "an open session takes messages");
    if (station_ == Station::closes_at_a_message) session->close(kOwnCode, "enough");
  }

 private:
  const Station station_;
};

void check_output(const std::string& output, const Reading& right, const Listener& listener, bool flooded,
                  std::size_t pongs_max) {
  std::vector<std::string> answers, pongs;
  int closes = 0;
  for (const test::ClientFrame& frame : test::parse_client_frames(output)) {
    require(frame.masked && frame.fin, "a client's frames are masked and whole");
    require(closes == 0, "nothing follows a close frame");
    if (frame.opcode == 8) {
      ++closes;
      require(frame.payload.size() <= 125 && is_utf8(frame.payload.substr(2)), "a close frame is right");
      const int replied = right.code == 1005 ? 1000 : right.code;
      require(frame.close_code() == (right.closing_ ? kOwnCode
                                     : flooded      ? 1008
                                                    : replied),
              "the close frame has the right code");
    } else if (frame.opcode == 10) {
      pongs.push_back(frame.payload);
    } else {
      require(frame.opcode == 1 || frame.opcode == 2, "nothing else was to be sent");
      answers.push_back(frame.payload);
    }
  }
  require(closes == (right.closing_ || right.code != 0 || flooded ? 1 : 0), "exactly one close frame ends a session");
  require(flooded || answers == right.messages, "what the station sends goes out as it is, in order");
  require(pongs.size() <= pongs_max, "pings of one arrival are answered by one pong");
  auto ping = right.pings.begin();
  for (const std::string& pong : pongs) {
    ping = std::find(ping, right.pings.end(), pong);
    require(ping != right.pings.end(), "a pong repeats a ping");
    ++ping;
  }
  if (listener.terminal_reports == 0 && !right.closing_ && !right.pings.empty()) {
    require(!pongs.empty() && pongs.back() == right.pings.back(), "the last ping is answered");
  }
}

void converse(Engine& engine, std::string_view bytes, std::uint8_t options, Slicing slicing) {
  const auto station = static_cast<Station>(options & kDoes);
  const ProtocolLimits limits = limits_of(options);
  const Reading right(bytes, limits, station);

  Listener listener(station);
  const auto session = engine.open(test::a_request(), limits, listener);
  listener.session = session.get();
  session->start();
  const std::string answer = test::upgrade_answer(session->output());
  session->output().clear();
  // Glued to the answer, where the station has nothing to do in between.
  const bool glued = slicing == Slicing::whole && station != Station::closes_first;
  std::size_t arrivals = glued ? 1 : 0;
  if (glued) {
    const std::string both = answer + std::string(bytes);
    session->receive(both.data(), both.size());
  } else {
    session->receive(answer.data(), answer.size());
    if (station == Station::closes_first) session->close(kOwnCode, "going");
    fuzz::arrive(bytes, slicing, [&](const char* slice, std::size_t size) {
      ++arrivals;
      session->receive(slice, size);
    });
  }

  auto events = listener.events;
  require(!events.empty() && events[0] == "open ocpp1.6", "the session opens");
  events.erase(events.begin());
  // A flood of frames without data is told by how they arrive. One by one they are none.
  const bool flooded = listener.closed.failure.message.find("a flood of") != std::string::npos;
  if (flooded) {
    require(listener.closed.code == 1008, "a flood ends with 1008");
    require((slicing != Slicing::single || bytes.size() > fuzz::kSinglesMax) && right.quiet_most > 500,
            "what is no flood is not taken for one");
    events.pop_back();
    require(events.size() <= right.events.size() && std::equal(events.begin(), events.end(), right.events.begin()),
            "before a flood all is as it was sent");
  } else {
    require(slicing != Slicing::whole || right.quiet_most < 5000, "a flood is noticed");
    if (right.violation) {
      require(!events.empty() && events.back() == right.events.back(), "a violation ends it with its code");
    }
    require(events == right.events, "frames mean what RFC 6455 says");
  }
  require(listener.terminal_reports == (flooded || right.code != 0 ? 1 : 0), "an end is told once");
  if (right.violation || flooded) {
    const Failure& failure = listener.closed.failure;
    require(failure.status == (listener.closed.code == 1009 ? CWIRE_E_TOO_BIG : CWIRE_E_PROTOCOL),
            "a violation is PROTOCOL or TOO_BIG");
    fuzz::require_message(failure.message);
  } else {
    require(!listener.closed.failure, "an orderly end is no failure");
  }
  check_output(session->output(), right, listener, flooded, arrivals);

  if (listener.terminal_reports != 0) {
    const std::size_t told = listener.events.size();
    session->output().clear();
    session->receive("\x81\x04late", 6);
    require(!session->send("late", false), "an ended session takes no messages");
    session->ping("late");
    session->close(1000, "late");
    require(listener.events.size() == told && session->output().empty(), "nothing comes after the end");
  }
  for (const auto& message : listener.messages) {
    require(message.data.size() <= limits.message_size_max, "no message is over the limit");
    require(message.data.data()[message.data.size()] == '\0', "a NUL stands behind a message");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Engine& engine = *make_engine().release();
  fuzz::Input input(data, size);
  const std::uint8_t options = input.byte();
  const std::string_view bytes = input.rest();
  for (const Slicing slicing : fuzz::kSlicings) converse(engine, bytes, options, slicing);
  return 0;
}
