#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/byte_buffer.h"

namespace cwire {

// zlib as RFC 7692 7.2 uses it: raw DEFLATE, each message flushed to the end of a byte, and the empty block that this
// ends with left out. Both throw std::bad_alloc.

class Deflater {
 public:
  // zlib has none smaller: asked for 8 bits it would use 9, and a peer with 8 could not read that.
  static constexpr std::uint8_t kWindowBitsLeast = 9;

  Deflater(std::uint8_t window_bits, std::uint32_t memory_level);
  ~Deflater() { deflateEnd(&stream_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  bool is_like(std::uint8_t window_bits, std::uint32_t memory_level) const {
    return window_bits_ == window_bits && memory_level_ == memory_level;
  }
  // Puts the message, which is not empty, into `out` in place of what was there.
  void compress(std::string_view message, ByteBuffer& out);
  // The next message refers to none before.
  void forget();

 private:
  z_stream stream_{};
  const std::uint8_t window_bits_;
  const std::uint32_t memory_level_;
};

class Inflater {
 public:
  enum class Result { good, too_big, corrupt };

  explicit Inflater(std::uint8_t window_bits);
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Appends a part of a message to `out`, which never gets room for more than a byte over the most that it may hold:
  // what a message is made of may be a thousandth of it.
  Result inflate(std::string_view part, std::size_t size_max, ByteBuffer& out);
  // Behind its last part.
  Result finish(std::size_t size_max, ByteBuffer& out);
  // The next message refers to none before, and has this window.
  void forget(std::uint8_t window_bits);
  // zlib's words for what is corrupt: "invalid distance too far back".
  const char* defect() const { return stream_.msg != nullptr ? stream_.msg : "it is cut off"; }

 private:
  z_stream stream_{};
  bool nothing_is_open_ = true;  // of the message, or behind a block that said that it is the last
};

}  // namespace cwire
