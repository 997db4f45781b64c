#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>

namespace cwire {

// Memory for what lives only as long as a message does. An I/O thread keeps blocks that are given back on it and hands
// them out again, so that in steady state a message costs no call of the allocator. Every block comes from `operator
// new` and may be given back on any thread: those that keep none, which are the caller's own, return it to the heap.
class BlockCache {
 public:
  // A sanitizer sees the use of what was given back only if it went to the heap, so there no thread keeps any.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  static constexpr bool kKeeps = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
  static constexpr bool kKeeps = false;
#else
  static constexpr bool kKeeps = true;
#endif
#else
  static constexpr bool kKeeps = true;
#endif

  BlockCache() = default;
  ~BlockCache();
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  // From here on the calling thread uses this one, which must live as long as the thread.
  void serve_this_thread();

  // Throws std::bad_alloc.
  static void* take(std::size_t size);
  static void give_back(void* block) noexcept;

 private:
  // In steps of 64 bytes up to 2 KB, then four to each doubling up to 128 KB. Not for larger ones alone: blocks of a
  // few KB that come and go make the allocator give memory back to the system and fetch it again, page by page.
  static constexpr std::size_t kStep = 64;
  static constexpr std::size_t kStepsMax = 2048;
  static constexpr std::size_t kSteps = kStepsMax / kStep;
  static constexpr std::size_t kLists = kSteps + 4 * 6;
  // Of one thread. When it is reached all goes back to the heap, so that sizes of yesterday do not stay for ever.
  static constexpr std::size_t kKeptMax = 2 << 20;

  // In front of what take() returns.
  struct alignas(std::max_align_t) Head {
    std::size_t list;  // kLists: none, it is too large
    Head* next;        // while it is free
  };
  // The list whose blocks have room for that many bytes, the head among them; kLists or more: none has.
  static std::size_t list_for(std::size_t size);
  static std::size_t size_of(std::size_t list);
  void release_all() noexcept;

  std::array<Head*, kLists> free_{};
  std::size_t kept_ = 0;  // bytes
};

// A base for what is made and deleted once per message. `new (Trailing{n}) T` makes room for n bytes behind the object.
struct Trailing {
  std::size_t size;
};
class Recycled {
 public:
  static void* operator new(std::size_t size) { return BlockCache::take(size); }
  static void* operator new(std::size_t size, Trailing more) {
    if (more.size > SIZE_MAX / 2) throw std::bad_alloc();
    return BlockCache::take(size + more.size);
  }
  static void operator delete(void* memory) noexcept { BlockCache::give_back(memory); }
  static void operator delete(void* memory, Trailing) noexcept { BlockCache::give_back(memory); }
};

}  // namespace cwire
