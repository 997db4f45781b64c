#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/settings.h"

namespace cwire {

// What client and server agreed on for permessage-deflate (RFC 7692 7.1). Context takeover: what one side compresses
// may refer to its messages before.
struct DeflateAgreement {
  std::uint8_t client_window_bits = 15;  // of what we compress: the most that the server keeps
  std::uint8_t server_window_bits = 15;  // of what it compresses: the most that we keep
  bool client_context_takeover = true;
  bool server_context_takeover = true;
};

// The Sec-WebSocket-Extensions of the upgrade request.
std::string deflate_offer(const DeflateSettings& settings);

// Reads the Sec-WebSocket-Extensions of the answer to that offer, as strictly as RFC 7692 7.1 asks. Returns what is
// wrong, to stand behind "the answer to the WebSocket upgrade "; empty: nothing, and `agreed` says what holds. Nothing
// of the header is in it, which may hold anything.
std::string read_deflate_answer(std::string_view header, const DeflateSettings& offered, DeflateAgreement& agreed);

}  // namespace cwire
