#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/session.h"

namespace cwire::test {

// One frame as a server sends it, and with the arguments one as it must not.
struct ServerFrame {
  int opcode = 1;
  std::string payload;
  bool fin = true;
  int reserved_bits = 0;  // RSV1 = 4, RSV2 = 2, RSV3 = 1
  bool masked = false;
  int length_bytes = 0;  // 2 or 8: in that form even if a shorter one would do

  std::string bytes() const {
    std::string out;
    out += static_cast<char>((fin ? 0x80 : 0) | reserved_bits << 4 | opcode);
    const std::size_t size = payload.size();
    const int extra = length_bytes != 0 ? length_bytes : size <= 125 ? 0 : size <= 0xffff ? 2 : 8;
    out += static_cast<char>((masked ? 0x80 : 0) | (extra == 0 ? static_cast<int>(size) : extra == 2 ? 126 : 127));
    for (int i = extra - 1; i >= 0; --i) out += static_cast<char>(static_cast<std::uint64_t>(size) >> (8 * i));
    if (masked) out += std::string(4, '\0');
    return out + payload;
  }
};

inline std::string frame(int opcode, std::string payload, bool fin = true) {
  ServerFrame f;
  f.opcode = opcode;
  f.payload = std::move(payload);
  f.fin = fin;
  return f.bytes();
}
inline std::string text(std::string payload) { return frame(1, std::move(payload)); }
inline std::string compressed_frame(int opcode, std::string payload, bool fin = true) {
  ServerFrame f;
  f.opcode = opcode;
  f.payload = std::move(payload);
  f.fin = fin;
  f.reserved_bits = 4;
  return f.bytes();
}
inline std::string close_frame(int code, const std::string& reason = {}) {
  return frame(8, std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)} + reason);
}

// A frame of the client, taken apart and unmasked.
struct ClientFrame {
  int opcode = 0;
  bool fin = false;
  bool masked = false;
  bool compressed = false;
  std::uint32_t mask = 0;
  std::string payload;
  int close_code() const {
    return payload.size() < 2 ? 1005
                              : static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
  }
};

// RSV1 is no error only where permessage-deflate was agreed on.
inline std::vector<ClientFrame> parse_client_frames(std::string_view in, bool may_be_compressed = false) {
  std::vector<ClientFrame> out;
  std::size_t at = 0;
  const auto byte = [&] {
    if (at >= in.size()) throw std::runtime_error("frame cut off");
    return static_cast<unsigned char>(in[at++]);
  };
  while (at < in.size()) {
    ClientFrame f;
    const int first = byte(), second = byte();
    f.compressed = (first & 0x40) != 0;
    if ((first & (may_be_compressed ? 0x30 : 0x70)) != 0) throw std::runtime_error("reserved bit");
    f.fin = (first & 0x80) != 0;
    f.opcode = first & 0x0f;
    f.masked = (second & 0x80) != 0;
    std::uint64_t size = second & 0x7f;
    if (size >= 126) {
      int n = size == 126 ? 2 : 8;
      for (size = 0; n > 0; --n) size = size << 8 | byte();
    }
    unsigned char key[4] = {};
    if (f.masked) {
      for (unsigned char& k : key) k = byte();
    }
    std::memcpy(&f.mask, key, 4);
    for (std::uint64_t i = 0; i < size; ++i) f.payload += static_cast<char>(byte() ^ key[i % 4]);
    out.push_back(std::move(f));
  }
  return out;
}

inline std::string header_value(const std::string& head, const std::string& name) {
  const std::size_t at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + 2 + name.size() + 2;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

inline std::string accept_of(const std::string& request) {
  const std::string text = header_value(request, "Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[EVP_MAX_MD_SIZE], encoded[64];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr);
  const int length = EVP_EncodeBlock(encoded, digest, static_cast<int>(size));
  return std::string(reinterpret_cast<char*>(encoded), static_cast<std::size_t>(length));
}

inline std::string upgrade_answer(const std::string& request, const std::string& subprotocol = "ocpp1.6") {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
         accept_of(request) + (subprotocol.empty() ? "" : "\r\nSec-WebSocket-Protocol: " + subprotocol) + "\r\n\r\n";
}

inline std::string upgrade_answer_with(const std::string& request, const std::string& extensions) {
  std::string answer = upgrade_answer(request);
  return answer.insert(answer.size() - 2, "Sec-WebSocket-Extensions: " + extensions + "\r\n");
}

inline UpgradeRequest a_request() {
  UpgradeRequest request;
  request.url.host = "csms.example";
  request.url.port = 80;
  request.url.path = "/ocpp/CP001";
  request.subprotocols = {"ocpp2.0.1", "ocpp1.6"};
  return request;
}

inline DeflateSettings deflate_settings() {
  DeflateSettings settings;
  settings.enabled = true;
  settings.window_bits = 12;
  settings.server_window_bits = 15;
  settings.memory_level = 4;
  settings.context_takeover = true;
  settings.server_context_takeover = true;
  settings.size_min = 1;
  return settings;
}

// Writes down what a Session tells, one line each.
class Recorder : public SessionListener {
 public:
  struct Message {
    std::shared_ptr<const void> owner;
    std::string_view data;
  };
  std::vector<std::string> events;
  std::vector<Message> messages;
  std::vector<std::size_t> compressed_sizes;
  Failure failure;
  CloseInfo closed;
  int terminal_reports = 0;
  int outputs = 0;
  std::string location;

  void on_open(std::string_view subprotocol) override { note("open " + std::string(subprotocol)); }
  void on_redirect(std::string_view l) override { location = l; }
  void on_failed(Failure f) override {
    ++terminal_reports;
    failure = std::move(f);
    note("failed " + std::to_string(failure.status));
  }
  void on_message(std::shared_ptr<const void> owner, std::string_view data, bool binary) override {
    if (data.data()[data.size()] != '\0') note("no NUL behind the message");
    messages.push_back({std::move(owner), data});
    note((binary ? "binary " : "text ") + std::string(data));
  }
  void on_compressed(std::size_t size_in_frames) override { compressed_sizes.push_back(size_in_frames); }
  void on_pong(std::string_view data) override { note("pong " + std::string(data)); }
  void on_closed(CloseInfo info) override {
    ++terminal_reports;
    closed = std::move(info);
    note("closed " + std::to_string(closed.code) + (closed.remote ? " by the peer " : " ") + closed.reason);
  }
  void on_output() override { ++outputs; }

 protected:
  virtual void note(std::string event) {
    if (terminal_reports > 1 || (terminal_reports == 1 && ended_)) events.push_back("AFTER THE END");
    ended_ = terminal_reports != 0;
    events.push_back(std::move(event));
  }

 private:
  bool ended_ = false;
};

// A session and the server it talks to, by hand.
struct Conversation {
  explicit Conversation(ProtocolLimits limits = {}, UpgradeRequest request = a_request())
      : session(engine->open(request, limits, recorder)) {}

  std::string begin() {
    session->start();
    return take();
  }
  void open() {
    receive(upgrade_answer(begin()));
    if (recorder.events != std::vector<std::string>{"open ocpp1.6"}) throw std::runtime_error("did not open");
    recorder.events.clear();
  }
  void receive(std::string_view bytes) { session->receive(bytes.data(), bytes.size()); }
  std::string take() {
    std::string out = session->output();
    session->output().clear();
    return out;
  }
  std::vector<ClientFrame> frames() { return parse_client_frames(take(), session->compresses()); }

  std::unique_ptr<Engine> engine = make_engine();
  Recorder recorder;
  std::unique_ptr<Session> session;
};

// One that has agreed on it.
struct DeflateConversation : Conversation {
  explicit DeflateConversation(DeflateSettings settings = deflate_settings(),
                               const std::string& answer = "permessage-deflate", ProtocolLimits limits = {})
      : Conversation(limits, request_with(settings)) {
    receive(upgrade_answer_with(begin(), answer));
    if (recorder.events != std::vector<std::string>{"open ocpp1.6"}) {
      throw std::runtime_error("did not open: " + recorder.failure.message);
    }
    recorder.events.clear();
  }

  static UpgradeRequest request_with(const DeflateSettings& settings) {
    UpgradeRequest request = a_request();
    request.deflate = settings;
    return request;
  }
};

}  // namespace cwire::test
