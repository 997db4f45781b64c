#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

namespace cwire {

// Bytes of which nobody knows beforehand how many they will be. It grows by realloc, which moves pages where it can and
// copies only small ones, so that a large one is not in memory twice meanwhile; what it grows by is not cleared.
class ByteBuffer {
 public:
  ByteBuffer() = default;
  ~ByteBuffer() { std::free(data_); }
  ByteBuffer(ByteBuffer&& other) noexcept { *this = std::move(other); }
  ByteBuffer& operator=(ByteBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }

  std::string_view view() const { return {data_, size_}; }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  void clear() { size_ = 0; }
  void resize(std::size_t size) { size_ = size; }  // within the capacity

  // Where the next bytes go: capacity() - size() of them. Throws std::bad_alloc.
  char* end() { return data_ + size_; }
  void reserve(std::size_t capacity) {
    if (capacity <= capacity_) return;
    auto* const data = static_cast<char*>(std::realloc(data_, capacity));
    if (data == nullptr) throw std::bad_alloc();
    data_ = data;
    capacity_ = capacity;
  }

  // Hands the memory over, no more than it needs, with a NUL behind the bytes. Throws std::bad_alloc.
  std::shared_ptr<const void> release() {
    auto* const data = static_cast<char*>(std::realloc(data_, size_ + 1));
    if (data == nullptr) throw std::bad_alloc();
    data_ = data;
    data_[size_] = '\0';
    std::shared_ptr<const void> owner(std::exchange(data_, nullptr), std::free);
    size_ = capacity_ = 0;
    return owner;
  }

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace cwire
