#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/frame.h"
#include "protocol/utf8_stream.h"

namespace cwire {

// Sees everything a server sends before websocketpp does, and stops at the first byte that RFC 6455 or a limit forbids:
// in the header of a frame, in a close code, in text that is not UTF-8. websocketpp alone lets 64-bit lengths wrap its
// message limit, does not check their top bit, has no limit on fragments and control frames, and overlooks the end of
// fragmented text. Payload is taken in bulk; the state is a few words, and does not depend on how the bytes were split.
class FrameGate {
 public:
  FrameGate(std::uint64_t message_size_max, std::uint32_t fragments_max)
      : message_size_max_(message_size_max), fragments_max_(fragments_max) {}

  // permessage-deflate was agreed on: RSV1 may stand where RFC 7692 6.1 has it. A compressed message may come in so
  // many bytes; how many it becomes, and whether they are UTF-8, is for who inflates it to see.
  void allow_compression(std::uint64_t compressed_size_max) { compressed_size_max_ = compressed_size_max; }

  // To be called once for each time bytes arrive, before inspect(). It is the clock by which a burst of control frames
  // is told from pings that come one by one for days: each arrival forgives a few.
  void begin_arrival();
  // Goes to the end of a frame, or of the bytes. Returns how many of them may be passed on. After violation() or
  // close_received() nothing more passes.
  std::size_t inspect(const char* data, std::size_t size);

  // Is what inspect() passed last of a frame of a compressed message? Its payload, and whether the message ends with
  // it.
  bool passed_compressed() const { return compressed_ && opcode_ < static_cast<std::uint8_t>(Opcode::close); }
  std::string_view compressed_payload() const { return compressed_payload_; }
  bool passed_end_of_message() const { return stage_ == Stage::first_byte && fin_; }
  bool is_text() const { return text_; }

  // A message in one frame, of which all bytes have come; most are like this.
  struct WholeMessage {
    std::size_t frame_size = 0;  // 0: there is none at the front of the bytes, or it is one for inspect() to refuse
    std::string_view payload;
    bool binary = false;
  };
  // In place of inspect(): takes such a message if there is one, checked like any other. Else nothing is done.
  WholeMessage take_message(const char* data, std::size_t size);

  // The close code for what the peer did wrong, 0 if nothing. 1002: a frame. 1007: text or a close reason that is not
  // UTF-8. 1008: too many fragments (the message may be small, so it is the sender's manner and not the size that is
  // refused), or a flood of control frames. 1009: the message is over the limit.
  std::uint16_t violation() const { return violation_; }
  // What it did, to stand behind "the CSMS sent ". Null if nothing.
  const char* reason() const { return reason_; }
  // What passes next begins in the middle of a frame.
  bool inside_frame() const { return stage_ != Stage::first_byte && stage_ != Stage::closed; }
  // A close frame has passed whole.
  bool close_received() const { return stage_ == Stage::closed; }

 private:
  enum class Stage : std::uint8_t { first_byte, second_byte, length, payload, close_code, closed, violated };

  bool on_first_byte(std::uint8_t byte);
  bool on_second_byte(std::uint8_t byte);
  bool on_length();
  void end_frame();
  bool violate(std::uint16_t code, const char* reason);

  const std::uint64_t message_size_max_;
  const std::uint32_t fragments_max_;
  std::uint64_t compressed_size_max_ = 0;  // 0: nothing may be compressed

  std::uint64_t length_ = 0;        // of the frame being read; then what is left of it
  std::uint64_t message_size_ = 0;  // of the fragments before
  const char* reason_ = nullptr;
  std::uint32_t fragments_ = 0;
  std::uint32_t quiet_frames_ = 0;  // frames without data since the last with data, less what was forgiven
  std::uint16_t violation_ = 0;
  std::uint16_t close_code_ = 0;
  Stage stage_ = Stage::first_byte;
  std::uint8_t opcode_ = 0;
  std::uint8_t length_bytes_ = 0;  // of the extended length, still to come
  bool short_length_ = false;      // the extended length has 16 bits
  bool fin_ = false;
  bool in_message_ = false;  // a fragmented message has begun and not ended
  bool text_ = false;        // the message that has begun is text
  bool compressed_ = false;  // the message that has begun is
  bool check_utf8_ = false;  // of the frame being read
  std::string_view compressed_payload_;
  Utf8Stream utf8_;
};

}  // namespace cwire
