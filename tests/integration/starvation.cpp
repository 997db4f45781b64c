#include "starvation.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace {
thread_local bool starved = false;
thread_local std::size_t largest = 0;

std::atomic<const std::string*> sought{nullptr};
std::atomic<std::size_t> found{0};

void give_back(void* memory) noexcept {
  const std::string* text = sought.load();
  if (text != nullptr && memory != nullptr &&
      ::memmem(memory, ::malloc_usable_size(memory), text->data(), text->size()) != nullptr) {
    ++found;
  }
  std::free(memory);
}

void* allocate(std::size_t size) noexcept {
  if (size > largest) largest = size;
  return starved ? nullptr : std::malloc(size != 0 ? size : 1);
}

void* allocate_or_throw(std::size_t size) {
  void* memory = allocate(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
}  // namespace

void fixture::starve_this_thread(bool now) { starved = now; }

fixture::FreedMemory::FreedMemory(std::string text) : text_(std::move(text)) {
  found = 0;
  sought = &text_;
}

fixture::FreedMemory::~FreedMemory() { sought = nullptr; }

std::size_t fixture::FreedMemory::blocks_with_it() const { return found; }

std::size_t fixture::take_largest_block() { return std::exchange(largest, 0); }

// The shared library takes these too, as it would take those of any program that replaces them.
void* operator new(std::size_t size) { return allocate_or_throw(size); }
void* operator new[](std::size_t size) { return allocate_or_throw(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete[](void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { give_back(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { give_back(memory); }
