#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cwire {

// Opcodes of RFC 6455 5.2.
enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

// The most a control frame may carry, and what is left of it for words behind the close code (RFC 6455 5.5).
constexpr std::size_t kControlPayloadMax = 125;
constexpr std::size_t kCloseReasonMax = kControlPayloadMax - 2;

// Appends one unfragmented frame as a client sends it: masked. If memory is short, throws std::bad_alloc and leaves
// `out` as it was. A payload that is compressed is marked as RFC 7692 6 says: with RSV1.
void append_frame(std::string& out, Opcode opcode, std::string_view payload, std::uint32_t mask,
                  bool compressed = false);

// How many bytes of an unfragmented frame of a client are its payload.
std::size_t payload_size_in(std::size_t frame_size);

// May this code stand in a close frame (RFC 6455 7.4, with 1012 to 1014 as registered since)?
bool is_close_code(std::uint16_t code);

// Does the text end before its last UTF-8 character is complete? The bytes before that character are not looked at.
bool ends_inside_character(std::string_view text);

}  // namespace cwire
