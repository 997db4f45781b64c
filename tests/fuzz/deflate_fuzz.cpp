// What a server sends compressed. Input: one character (kTakeover, kOwnTakeover, kSmall), then messages: one character
// (kBinary, kPlain, in how many frames), two for its size, and the bytes that are to be DEFLATE. plain_inflate.h says
// what must come of them. Each message that comes is sent back, and must be read by it too.
#include <algorithm>
#include <string>
#include <vector>

#include "fuzz.h"
#include "messages.h"
#include "plain_inflate.h"
#include "protocol_peer.h"

using namespace cwire;
using fuzz::PlainInflate;
using fuzz::require;
using fuzz::Slicing;

namespace {

constexpr std::uint8_t kTakeover = 1;
constexpr std::uint8_t kOwnTakeover = 2;
constexpr std::uint8_t kSmall = 4;

constexpr std::uint8_t kBinary = 1;
constexpr std::uint8_t kPlain = 2;
constexpr unsigned kFramesShift = 4;

// The limit on compressed bytes is another story, of FrameGate: no message comes near it.
constexpr std::size_t kPayloadMax = 1000;

struct Sent {
  std::string frames;
  std::vector<std::string> events;  // that must come of them
  std::vector<int> codes;           // of the end, any of them; empty: there is none
};

Sent read(fuzz::Input input, bool takeover, std::size_t size_max) {
  Sent sent;
  std::string history;
  while (!input.empty() && sent.codes.empty()) {
    const std::uint8_t flags = input.byte();
    const std::size_t high = input.byte();
    const std::size_t size = (high << 8 | input.byte()) % kPayloadMax;
    std::string payload;
    while (payload.size() < size && !input.empty()) payload += static_cast<char>(input.byte());

    const bool binary = (flags & kBinary) != 0, plain = (flags & kPlain) != 0;
    const std::size_t frames = 1 + (flags >> kFramesShift) % 4;
    for (std::size_t i = 0, at = 0; i < frames; ++i) {
      test::ServerFrame frame;
      frame.opcode = i != 0 ? 0 : binary ? 2 : 1;
      frame.fin = i + 1 == frames;
      frame.reserved_bits = i == 0 && !plain ? 4 : 0;
      frame.payload = payload.substr(at, frame.fin ? std::string::npos : payload.size() / frames);
      at += frame.payload.size();
      sent.frames += frame.bytes();
    }

    std::string message = payload;
    bool too_big = payload.size() > size_max, corrupt = false;
    if (!plain) {
      const PlainInflate inflate(payload, takeover ? history : std::string(), size_max);
      message = inflate.output();
      too_big = inflate.result() == PlainInflate::Result::too_big;
      corrupt = inflate.result() == PlainInflate::Result::corrupt;
      history += message;
    }
    const bool good_text = binary || is_utf8(message);
    if (too_big) sent.codes.push_back(1009);
    // Of a message that is too big the text may be found wrong before that.
    if (corrupt || !good_text) sent.codes.push_back(1007);
    if (sent.codes.empty()) sent.events.push_back((binary ? "binary " : "text ") + message);
  }
  return sent;
}

class Listener : public test::Recorder {
 public:
  Session* session = nullptr;

  void on_message(std::shared_ptr<const void> owner, std::string_view data, bool binary) override {
    Recorder::on_message(std::move(owner), data, binary);
    require(session->send(data, binary), "an open session takes messages");
  }
};

void check_echoes(const std::string& output, const std::vector<std::string>& events, bool takeover) {
  std::string history;
  std::size_t number = 0;
  for (const test::ClientFrame& frame : test::parse_client_frames(output, true)) {
    if (frame.opcode == 8) continue;
    require(number < events.size(), "each message is sent once");
    const bool binary = frame.opcode == 2;
    std::string message = frame.payload;
    if (frame.compressed) {
      const PlainInflate inflate(frame.payload, takeover ? history : std::string(), std::size_t{1} << 30);
      require(inflate.result() == PlainInflate::Result::good, "what is sent is DEFLATE");
      message = inflate.output();
      history += message;
    }
    require((binary ? "binary " : "text ") + message == events[number++], "what is sent arrives");
  }
  require(number == events.size(), "each message is sent");
}

void converse(Engine& engine, const Sent& sent, std::uint8_t options, std::size_t size_max, Slicing slicing) {
  DeflateSettings settings = test::deflate_settings();
  settings.context_takeover = (options & kOwnTakeover) != 0;
  settings.server_context_takeover = (options & kTakeover) != 0;
  ProtocolLimits limits;
  limits.message_size_max = size_max;
  Listener listener;
  UpgradeRequest request = test::a_request();
  request.deflate = settings;
  const auto session = engine.open(request, limits, listener);
  listener.session = session.get();
  session->start();
  const std::string answer = test::upgrade_answer_with(
      session->output(),
      settings.server_context_takeover ? "permessage-deflate" : "permessage-deflate; server_no_context_takeover");
  session->output().clear();
  session->receive(answer.data(), answer.size());
  fuzz::arrive(sent.frames, slicing, [&](const char* slice, std::size_t size) { session->receive(slice, size); });

  auto events = listener.events;
  require(!events.empty() && events[0] == "open ocpp1.6", "the session opens");
  events.erase(events.begin());
  if (!sent.codes.empty()) {
    const CloseInfo& end = listener.closed;
    require(listener.terminal_reports == 1, "an end is told once");
    require(std::find(sent.codes.begin(), sent.codes.end(), end.code) != sent.codes.end(),
            "what does not inflate is 1007, what is too big 1009");
    require(end.failure.status == (end.code == 1009 ? CWIRE_E_TOO_BIG : CWIRE_E_PROTOCOL),
            "a violation is PROTOCOL or TOO_BIG");
    fuzz::require_message(end.failure.message);
    events.pop_back();
  }
  require(events == sent.events, "DEFLATE means what RFC 1951 and RFC 7692 say");
  check_echoes(session->output(), sent.events, settings.context_takeover);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Engine& engine = *make_engine().release();
  fuzz::Input input(data, size);
  const std::uint8_t options = input.byte();
  const std::size_t size_max = (options & kSmall) != 0 ? 1500 : 100000;
  const Sent sent = read(input, (options & kTakeover) != 0, size_max);
  for (const Slicing slicing : fuzz::kSlicings) converse(engine, sent, options, size_max, slicing);
  return 0;
}
