#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace cwire {

// Cryptographic random words for frame masks and handshake keys (RFC 6455 10.3). They are drawn in blocks because a
// system call or a generator's lock per frame would cost more than the frame. Not for use by several threads.
class MaskSource {
 public:
  // Throws std::runtime_error if the system has no randomness to give.
  std::uint32_t operator()() {
    if (used_ == block_.size()) refill();
    return block_[used_++];
  }

 private:
  void refill();

  std::array<std::uint32_t, 1024> block_;
  std::size_t used_ = 1024;
};

}  // namespace cwire
