#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace cwire {

// Checks UTF-8 (RFC 3629) that comes in pieces, at the first byte that is wrong. Runs of ASCII, which is most of OCPP,
// go many bytes at a time; a table per byte would cost twice what all the rest of receiving a message does.
class Utf8Stream {
 public:
  // Returns how many bytes were good: less than `size` is the offset of the first that cannot stand there.
  std::size_t accept(const char* data, std::size_t size) {
    std::size_t at = 0;
    while (at < size) {
      if (missing_ == 0) {
        at += ascii_run(data + at, size - at);
        if (at == size) break;
      }
      if (!accept_byte(static_cast<std::uint8_t>(data[at]))) return at;
      ++at;
    }
    return at;
  }
  // Does the text so far end between two characters?
  bool complete() const { return missing_ == 0; }

 private:
  static std::size_t ascii_run(const char* data, std::size_t size) {
    std::size_t at = 0;
    for (; at + 32 <= size; at += 32) {
      std::uint64_t words[4];
      std::memcpy(words, data + at, 32);
      if (((words[0] | words[1] | words[2] | words[3]) & 0x8080808080808080u) != 0) break;
    }
    for (; at + 8 <= size; at += 8) {
      std::uint64_t word;
      std::memcpy(&word, data + at, 8);
      if ((word & 0x8080808080808080u) != 0) break;
    }
    while (at < size && static_cast<std::uint8_t>(data[at]) < 0x80) ++at;
    return at;
  }

  // The table of RFC 3629 4, but for ASCII, which ascii_run() has taken. The second byte is confined where the first
  // alone would allow overlong forms, surrogates or what lies above U+10FFFF.
  bool accept_byte(std::uint8_t byte) {
    if (missing_ != 0) {
      if (byte < low_ || byte > high_) return false;
      low_ = 0x80;
      high_ = 0xbf;
      --missing_;
      return true;
    }
    if (byte < 0xc2 || byte > 0xf4) return false;
    missing_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    if (byte == 0xe0) low_ = 0xa0;
    if (byte == 0xed) high_ = 0x9f;
    if (byte == 0xf0) low_ = 0x90;
    if (byte == 0xf4) high_ = 0x8f;
    return true;
  }

  std::uint8_t missing_ = 0;  // bytes of the character begun
  std::uint8_t low_ = 0x80;   // bounds of the next of them
  std::uint8_t high_ = 0xbf;
};

}  // namespace cwire
