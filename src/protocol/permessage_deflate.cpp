#include "protocol/permessage_deflate.h"

#include <algorithm>

namespace cwire {

std::unique_ptr<Deflater> DeflateStates::take_deflater(std::uint8_t window_bits, std::uint32_t memory_level) {
  if (deflater_ == nullptr || !deflater_->is_like(window_bits, memory_level))
    return std::make_unique<Deflater>(window_bits, memory_level);
  deflater_->forget();
  return std::move(deflater_);
}

std::unique_ptr<Inflater> DeflateStates::take_inflater(std::uint8_t window_bits) {
  if (inflater_ == nullptr) return std::make_unique<Inflater>(window_bits);
  inflater_->forget(window_bits);
  return std::move(inflater_);
}

void DeflateStates::give_back(ByteBuffer buffer) {
  if (buffer.capacity() > PermessageDeflate::kBufferKept) return;
  buffer.clear();
  buffer_ = std::move(buffer);
}

bool PermessageDeflate::compress_into(std::string_view message, ByteBuffer& out) {
  if (message.size() < size_min_ || message.empty()) return false;
  if (agreed_.client_window_bits < Deflater::kWindowBitsLeast) return false;  // RFC 7692 7.2.1: each may go as it is
  if (agreed_.client_context_takeover) {
    if (deflater_ == nullptr) deflater_ = std::make_unique<Deflater>(agreed_.client_window_bits, memory_level_);
    // Also where it does not become smaller: later ones may refer to it.
    deflater_->compress(message, out);
    return true;
  }
  std::unique_ptr<Deflater> deflater = states_.take_deflater(agreed_.client_window_bits, memory_level_);
  deflater->compress(message, out);
  states_.give_back(std::move(deflater));
  return out.size() < message.size();
}

std::uint16_t PermessageDeflate::receive(std::string_view part, bool text, bool last) {
  if (!receiving_) {
    receiving_ = true;
    received_ = states_.take_buffer();
    received_compressed_ = 0;
    if (inflater_ == nullptr) {
      inflater_ = agreed_.server_context_takeover ? std::make_unique<Inflater>(agreed_.server_window_bits)
                                                  : states_.take_inflater(agreed_.server_window_bits);
    }
  }
  received_compressed_ += part.size();
  const std::size_t checked = received_.size();
  Inflater::Result result = inflater_->inflate(part, message_size_max_, received_);
  if (result == Inflater::Result::good && last) result = inflater_->finish(message_size_max_, received_);
  if (result == Inflater::Result::too_big) return violate(1009, "a message that inflates to more than the limit");
  if (result == Inflater::Result::corrupt) return violate(1007, "a compressed message that does not inflate");
  if (!text) return 0;
  const std::string_view fresh = received_.view().substr(checked);
  if (utf8_.accept(fresh.data(), fresh.size()) != fresh.size() || (last && !utf8_.complete()))
    return violate(1007, "compressed text that is not UTF-8");
  return 0;
}

void PermessageDeflate::done_receiving() {
  receiving_ = false;
  states_.give_back(std::move(received_));
  received_ = ByteBuffer();
  if (!agreed_.server_context_takeover) states_.give_back(std::move(inflater_));
}

std::uint16_t PermessageDeflate::violate(std::uint16_t code, const char* reason) {
  reason_ = reason;
  return code;
}

}  // namespace cwire
