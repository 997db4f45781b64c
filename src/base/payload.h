#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include "base/block_cache.h"

namespace cwire {

// The bytes of one outgoing message, copied once from the caller and shared by all stations they go to. Reference
// counted by hand because a broadcast hands the same block to many threads, and one allocation holds count, size and
// bytes.
class Payload {
 public:
  Payload() = default;
  // Throws std::bad_alloc.
  static Payload copy_of(const void* data, std::size_t size) {
    if (size > SIZE_MAX / 2) throw std::bad_alloc();
    void* memory = BlockCache::take(sizeof(Block) + size);
    Block* block = new (memory) Block{{1}, size};
    if (size != 0) std::memcpy(static_cast<char*>(memory) + sizeof(Block), data, size);
    return Payload(block);
  }

  Payload(const Payload& other) : block_(other.block_) {
    if (block_ != nullptr) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Payload(Payload&& other) noexcept : block_(other.block_) { other.block_ = nullptr; }
  Payload& operator=(Payload other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Payload() {
    if (block_ != nullptr && block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
      BlockCache::give_back(block_);
  }

  std::size_t size() const { return block_ == nullptr ? 0 : block_->size; }
  std::string_view view() const {
    return block_ == nullptr ? std::string_view()
                             : std::string_view(reinterpret_cast<const char*>(block_ + 1), block_->size);
  }

 private:
  struct Block {
    std::atomic<std::size_t> references;
    std::size_t size;
  };
  explicit Payload(Block* block) : block_(block) {}

  Block* block_ = nullptr;
};

}  // namespace cwire
