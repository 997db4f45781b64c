#include "base/block_cache.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

using namespace cwire;

namespace {

// On a thread of its own, as the cache is the thread's.
template <class Work>
void on_thread_with_cache(Work work) {
  BlockCache cache;
  std::thread([&] {
    cache.serve_this_thread();
    work();
  }).join();
}

}  // namespace

TEST_CASE("blocks of every size are whole and aligned, also the second time") {
  std::vector<std::size_t> sizes;
  for (std::size_t size = 0; size < 3000; ++size) sizes.push_back(size);
  // Around the ends of what one list holds, and beyond the last.
  for (std::size_t size = 1024; size <= 512 << 10; size += size / 8) {
    for (std::size_t off = 0; off < 64; ++off) sizes.push_back(size - off);
  }
  on_thread_with_cache([&] {
    for (int round = 0; round < 2; ++round) {
      std::vector<void*> blocks;
      for (const std::size_t size : sizes) {
        void* block = BlockCache::take(size);
        std::memset(block, static_cast<int>(size), size);
        blocks.push_back(block);
      }
      bool aligned = true;
      bool whole = true;
      for (std::size_t at = 0; at < blocks.size(); ++at) {
        const std::size_t size = sizes[at];
        const auto* bytes = static_cast<const unsigned char*>(blocks[at]);
        aligned = aligned && reinterpret_cast<std::uintptr_t>(bytes) % alignof(std::max_align_t) == 0;
        for (std::size_t i = 0; i < size; ++i) whole = whole && bytes[i] == static_cast<unsigned char>(size);
        BlockCache::give_back(blocks[at]);
      }
      CHECK(aligned);
      CHECK(whole);
    }
  });
}

TEST_CASE("a thread that takes, gives back and takes again is given the same block, up to 100 KB") {
  if (!BlockCache::kKeeps) {
    WARN("this build keeps no blocks");
    return;
  }
  on_thread_with_cache([] {
    for (std::size_t size = 1; size < 100 << 10; size += 1 + size / 16) {
      void* block = BlockCache::take(size);
      BlockCache::give_back(block);
      CHECK(BlockCache::take(size) == block);
      BlockCache::give_back(block);
    }
  });
}

TEST_CASE("a block may be given back on a thread that keeps none, and on one that did not take it") {
  void* from_outside = BlockCache::take(100);
  void* from_inside = nullptr;
  on_thread_with_cache([&] {
    from_inside = BlockCache::take(100);
    BlockCache::give_back(from_outside);
  });
  BlockCache::give_back(from_inside);
}

TEST_CASE("a thread that is given back more than it may keep goes on") {
  on_thread_with_cache([] {
    std::vector<void*> blocks;
    for (int i = 0; i < 5000; ++i) blocks.push_back(BlockCache::take(1000));
    for (void* block : blocks) BlockCache::give_back(block);
    for (int i = 0; i < 10; ++i) BlockCache::give_back(BlockCache::take(1000));
  });
}
