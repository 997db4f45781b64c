#include "protocol/frame_gate.h"

#include <algorithm>

namespace cwire {

namespace {

// One arrival is at most what a thread's receive buffer holds, room for some 30,000 pings. A CSMS that pings every
// second and was not read for a quarter of an hour stays below the limit.
constexpr std::uint32_t kQuietFramesMax = 1024;
constexpr std::uint32_t kForgivenPerArrival = 16;

constexpr const char* kNotUtf8 = "text that is not UTF-8";

constexpr std::uint8_t kReserved = 0x70;
constexpr std::uint8_t kCompressed = 0x40;  // RSV1

constexpr bool is_control(std::uint8_t opcode) { return (opcode & 0x8) != 0; }

}  // namespace

void FrameGate::begin_arrival() { quiet_frames_ -= std::min(quiet_frames_, kForgivenPerArrival); }

std::size_t FrameGate::inspect(const char* data, std::size_t size) {
  std::size_t at = 0;
  compressed_payload_ = {};
  while (at < size) {
    const auto byte = static_cast<std::uint8_t>(data[at]);
    switch (stage_) {
      case Stage::first_byte:
        if (!on_first_byte(byte)) return at;
        ++at;
        break;
      case Stage::second_byte:
        if (!on_second_byte(byte)) return at;
        ++at;
        break;
      case Stage::length:
        length_ = length_ << 8 | byte;
        if (--length_bytes_ == 0 && !on_length()) return at;
        ++at;
        break;
      case Stage::close_code:
        close_code_ = static_cast<std::uint16_t>(close_code_ << 8 | byte);
        if (--length_bytes_ == 0) {
          if (!is_close_code(close_code_)) {
            violate(1002, "a close frame with a code that is not allowed");
            return at;
          }
          stage_ = Stage::payload;
          check_utf8_ = true;
          utf8_ = Utf8Stream();  // a text may have been cut off inside a character
        }
        ++at;
        if (--length_ == 0) end_frame();
        break;
      case Stage::payload: {
        const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(length_, size - at));
        if (check_utf8_) {
          const std::size_t good = utf8_.accept(data + at, part);
          if (good != part) {
            violate(1007, kNotUtf8);
            return at + good;
          }
          // If the text must not end there its last byte is held back, or it would be delivered.
          if (part == length_ && fin_ && !utf8_.complete()) {
            violate(1007, kNotUtf8);
            return at + part - 1;
          }
        }
        if (passed_compressed()) compressed_payload_ = {data + at, part};
        at += part;
        length_ -= part;
        if (length_ == 0) end_frame();
        break;
      }
      case Stage::closed:
      case Stage::violated:
        return at;
    }
    if (stage_ == Stage::first_byte) return at;
  }
  return at;
}

FrameGate::WholeMessage FrameGate::take_message(const char* data, std::size_t size) {
  if (stage_ != Stage::first_byte || in_message_ || size < 2) return {};
  const auto byte = [data](std::size_t at) { return static_cast<std::uint8_t>(data[at]); };
  // Everything in the first byte at once: the last frame, no reserved bits, text or binary.
  const bool text = byte(0) == (0x80 | static_cast<std::uint8_t>(Opcode::text));
  if (!text && byte(0) != (0x80 | static_cast<std::uint8_t>(Opcode::binary))) return {};
  std::size_t head = 2;
  std::size_t length = byte(1);
  if (length == 126) {
    if (size < 4) return {};
    head = 4;
    length = static_cast<std::size_t>(byte(2)) << 8 | byte(3);
    if (length <= 125) return {};
  } else if (length > 125) {
    return {};  // masked, or longer than what one read brings
  }
  if (length > size - head || length > message_size_max_) return {};
  if (text) {
    Utf8Stream utf8;
    if (utf8.accept(data + head, length) != length || !utf8.complete()) return {};
  }
  if (length != 0) quiet_frames_ = 0;
  return {head + length, std::string_view(data + head, length), !text};
}

bool FrameGate::on_first_byte(std::uint8_t byte) {
  const std::uint8_t reserved = byte & kReserved;
  if (reserved != 0 && compressed_size_max_ == 0)
    return violate(1002, "a frame with a reserved bit set, though no extension was agreed");
  fin_ = (byte & 0x80) != 0;
  opcode_ = byte & 0x0f;
  switch (static_cast<Opcode>(opcode_)) {
    case Opcode::continuation:
      if (!in_message_) return violate(1002, "a continuation frame though no message had begun");
      break;
    case Opcode::text:
    case Opcode::binary:
      if (in_message_) return violate(1002, "a new message inside a fragmented one");
      message_size_ = 0;
      fragments_ = 0;
      text_ = opcode_ == static_cast<std::uint8_t>(Opcode::text);
      compressed_ = reserved == kCompressed;
      break;
    case Opcode::close:
    case Opcode::ping:
    case Opcode::pong:
      if (!fin_) return violate(1002, "a fragmented control frame");
      break;
    default:
      return violate(1002, "a frame with a reserved opcode");
  }
  if (reserved != 0 && (reserved != kCompressed || opcode_ == 0 || is_control(opcode_)))
    return violate(1002, "a frame with a reserved bit set where permessage-deflate has none");
  if (!is_control(opcode_) && ++fragments_ > fragments_max_) return violate(1008, "a message of too many fragments");
  stage_ = Stage::second_byte;
  return true;
}

bool FrameGate::on_second_byte(std::uint8_t byte) {
  if ((byte & 0x80) != 0) return violate(1002, "a masked frame");
  const std::uint8_t size = byte & 0x7f;
  if (size <= 125) {
    length_ = size;
    return on_length();
  }
  if (is_control(opcode_)) return violate(1002, "a control frame of more than 125 bytes");
  length_ = 0;
  short_length_ = size == 126;
  length_bytes_ = short_length_ ? 2 : 8;
  stage_ = Stage::length;
  return true;
}

// The length is complete and so is the header: nothing of the payload has been seen, and no memory taken for it.
bool FrameGate::on_length() {
  if (stage_ == Stage::length) {
    if (length_ >> 63 != 0) return violate(1002, "a frame length with its top bit set");
    if (length_ <= (short_length_ ? 125u : 0xffffu)) return violate(1002, "a frame length in more bytes than it needs");
  }
  if (is_control(opcode_)) {
    check_utf8_ = false;
    if (++quiet_frames_ > kQuietFramesMax) return violate(1008, "a flood of control frames");
    if (opcode_ == static_cast<std::uint8_t>(Opcode::close) && length_ != 0) {
      if (length_ == 1) return violate(1002, "a close frame with half a code");
      close_code_ = 0;
      length_bytes_ = 2;
      stage_ = Stage::close_code;
      return true;
    }
  } else {
    const std::uint64_t size_max = compressed_ ? compressed_size_max_ : message_size_max_;
    if (length_ > size_max - message_size_) return violate(1009, "a message larger than the limit");
    message_size_ += length_;
    if (length_ != 0) {
      quiet_frames_ = 0;
    } else if ((!fin_ || in_message_) && ++quiet_frames_ > kQuietFramesMax) {
      return violate(1008, "a flood of empty fragments");
    }
    check_utf8_ = text_ && !compressed_;
    if (length_ == 0 && fin_ && check_utf8_ && !utf8_.complete()) return violate(1007, kNotUtf8);
    in_message_ = !fin_;
  }
  stage_ = Stage::payload;
  if (length_ == 0) end_frame();
  return true;
}

void FrameGate::end_frame() {
  stage_ = opcode_ == static_cast<std::uint8_t>(Opcode::close) ? Stage::closed : Stage::first_byte;
}

bool FrameGate::violate(std::uint16_t code, const char* reason) {
  stage_ = Stage::violated;
  violation_ = code;
  reason_ = reason;
  return false;
}

}  // namespace cwire
