#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "base/byte_buffer.h"
#include "protocol/deflate.h"
#include "protocol/deflate_negotiation.h"
#include "protocol/utf8_stream.h"

namespace cwire {

// What the sessions of one I/O thread share. Where messages do not refer to those before, a session needs zlib's memory
// only while it is at one, so one of each kind serves all stations, and a station keeps none.
class DeflateStates {
 public:
  // Made, or the one that was given back last, with nothing in it.
  std::unique_ptr<Deflater> take_deflater(std::uint8_t window_bits, std::uint32_t memory_level);
  std::unique_ptr<Inflater> take_inflater(std::uint8_t window_bits);
  ByteBuffer take_buffer() { return std::exchange(buffer_, ByteBuffer()); }
  void give_back(std::unique_ptr<Deflater> deflater) { deflater_ = std::move(deflater); }
  void give_back(std::unique_ptr<Inflater> inflater) { inflater_ = std::move(inflater); }
  void give_back(ByteBuffer buffer);

 private:
  std::unique_ptr<Deflater> deflater_;
  std::unique_ptr<Inflater> inflater_;
  ByteBuffer buffer_;
};

// permessage-deflate (RFC 7692) of one session, once it is agreed on. It knows payloads; frames are the session's.
// Memory is taken when there is a message that needs it: for as long as that lasts, or with context takeover for as
// long as the session. All throw std::bad_alloc.
class PermessageDeflate {
 public:
  // Up to here a buffer stays with the thread, for the next message.
  static constexpr std::size_t kBufferKept = 64 << 10;

  PermessageDeflate(DeflateAgreement agreed, const DeflateSettings& settings, std::uint64_t message_size_max,
                    DeflateStates& states)
      : agreed_(agreed),
        memory_level_(settings.memory_level),
        size_min_(settings.size_min),
        message_size_max_(static_cast<std::size_t>(message_size_max)),
        states_(states) {}

  // Calls `send` with what to send in place of the message. False: it is to go as it is.
  template <class Send>
  bool compress(std::string_view message, Send send) {
    ByteBuffer out = states_.take_buffer();
    const bool worth_it = compress_into(message, out);
    if (worth_it) send(out.view());
    states_.give_back(std::move(out));
    return worth_it;
  }

  // A message comes in parts. Returns 0, or the close code for what is wrong with it, as FrameGate does: 1007 if it
  // does not inflate, or is text and not UTF-8, 1009 if it is too large. reason() stands behind "the CSMS sent ".
  std::uint16_t receive(std::string_view part, bool text, bool last);
  const char* reason() const { return reason_; }
  // Once the last part is received: the message, and how large it came. Until done_receiving().
  ByteBuffer& received() { return received_; }
  std::size_t received_compressed() const { return received_compressed_; }
  void done_receiving();

  // The most bytes that a compressed message within the limit may have come in: what does not compress grows a little.
  static std::uint64_t compressed_size_max(std::uint64_t message_size_max) {
    return message_size_max + message_size_max / 16 + 64;
  }

 private:
  bool compress_into(std::string_view message, ByteBuffer& out);
  std::uint16_t violate(std::uint16_t code, const char* reason);

  const DeflateAgreement agreed_;
  const std::uint32_t memory_level_;
  const std::uint64_t size_min_;
  const std::size_t message_size_max_;
  DeflateStates& states_;

  std::unique_ptr<Deflater> deflater_;  // where messages refer to those before
  std::unique_ptr<Inflater> inflater_;  // likewise; else of the message that is coming
  ByteBuffer received_;
  std::size_t received_compressed_ = 0;
  const char* reason_ = nullptr;
  bool receiving_ = false;
  Utf8Stream utf8_;  // between two characters where a message begins, or the one before would have been refused
};

}  // namespace cwire
