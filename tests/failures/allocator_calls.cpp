// Stand-ins for the allocator. Compiled without a sanitizer: they run before a sanitizer has begun. What they stand in
// front of is the allocator of the sanitizer that looks for leaks, AddressSanitizer or LeakSanitizer alone.
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "calls.h"

extern "C" {
void* __interceptor_malloc(std::size_t size);
void* __interceptor_calloc(std::size_t number, std::size_t size);
void* __interceptor_realloc(void* memory, std::size_t size);
void* __interceptor_aligned_alloc(std::size_t alignment, std::size_t size);
int __interceptor_posix_memalign(void** memory, std::size_t alignment, std::size_t size);
}

namespace {

// The library's own allocations, and those of OpenSSL and the C library on its behalf, which are many more.
failures::Call of_new("new", "new", {{"ENOMEM", ENOMEM}});
failures::Call of_malloc("malloc", "malloc", {{"ENOMEM", ENOMEM}});

// Before the two are made they are asked as well. Nothing is armed then, and they look at nothing of their own.
bool fails(failures::Call& call) { return call.failure() != 0; }

void* allocate(std::size_t size) noexcept { return fails(of_new) ? nullptr : __interceptor_malloc(size); }
void* aligned(std::size_t size, std::align_val_t alignment) noexcept {
  const auto step = static_cast<std::size_t>(alignment);
  return fails(of_new) ? nullptr : __interceptor_aligned_alloc(step, (size + step - 1) / step * step);
}

void* or_throw(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) { return fails(of_malloc) ? nullptr : __interceptor_malloc(size); }
void* calloc(std::size_t number, std::size_t size) {
  return fails(of_malloc) ? nullptr : __interceptor_calloc(number, size);
}
void* realloc(void* memory, std::size_t size) {
  return fails(of_malloc) ? nullptr : __interceptor_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return fails(of_malloc) ? nullptr : __interceptor_aligned_alloc(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  return fails(of_malloc) ? ENOMEM : __interceptor_posix_memalign(memory, alignment, size);
}

}  // extern "C"

// A sanitizer brings its own of these, which do not come by malloc.
void* operator new(std::size_t size) { return or_throw(allocate(size)); }
void* operator new[](std::size_t size) { return or_throw(allocate(size)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void* operator new(std::size_t size, std::align_val_t alignment) { return or_throw(aligned(size, alignment)); }
void* operator new[](std::size_t size, std::align_val_t alignment) { return or_throw(aligned(size, alignment)); }
void operator delete(void* memory) noexcept { free(memory); }
void operator delete[](void* memory) noexcept { free(memory); }
void operator delete(void* memory, std::size_t) noexcept { free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { free(memory); }
