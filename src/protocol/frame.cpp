#include "protocol/frame.h"

#include <cstring>

namespace cwire {

namespace {

// Many bytes at a time; memcpy because neither side is aligned.
void copy_masked(char* to, const char* from, std::size_t size, std::uint32_t mask) {
  char key[8];
  std::memcpy(key, &mask, 4);
  std::memcpy(key + 4, &mask, 4);
  std::uint64_t wide;
  std::memcpy(&wide, key, 8);
  std::size_t at = 0;
  for (; at + 32 <= size; at += 32) {
    std::uint64_t words[4];
    std::memcpy(words, from + at, 32);
    for (std::uint64_t& word : words) word ^= wide;
    std::memcpy(to + at, words, 32);
  }
  for (; at + 8 <= size; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, from + at, 8);
    word ^= wide;
    std::memcpy(to + at, &word, 8);
  }
  for (; at < size; ++at) to[at] = static_cast<char>(from[at] ^ key[at % 8]);
}

}  // namespace

void append_frame(std::string& out, Opcode opcode, std::string_view payload, std::uint32_t mask, bool compressed) {
  char header[14];
  std::size_t length = 0;
  header[length++] = static_cast<char>(0x80 | (compressed ? 0x40 : 0) | static_cast<std::uint8_t>(opcode));
  const std::uint64_t size = payload.size();
  int length_bytes = 0;
  if (size <= 125) {
    header[length++] = static_cast<char>(0x80 | size);
  } else {
    length_bytes = size <= 0xffff ? 2 : 8;
    header[length++] = static_cast<char>(0x80 | (length_bytes == 2 ? 126 : 127));
  }
  for (int shift = 8 * (length_bytes - 1); shift >= 0; shift -= 8) header[length++] = static_cast<char>(size >> shift);
  std::memcpy(header + length, &mask, 4);
  length += 4;

  const std::size_t start = out.size();
  out.resize(start + length + payload.size());
  std::memcpy(&out[start], header, length);
  if (!payload.empty()) copy_masked(&out[start + length], payload.data(), payload.size(), mask);
}

std::size_t payload_size_in(std::size_t frame_size) {
  constexpr std::size_t kHeader = 2 + 4;  // with the mask
  if (frame_size <= kHeader + 125) return frame_size - kHeader;
  return frame_size - kHeader - (frame_size <= kHeader + 2 + 0xffff ? 2 : 8);
}

bool is_close_code(std::uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

bool ends_inside_character(std::string_view text) {
  // A character has at most four bytes, so its first byte stands among the last three if it is incomplete.
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xc0) == 0x80) continue;
    const std::size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back;
  }
  return false;
}

}  // namespace cwire
