#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace cwire {

// Tokens to objects of one kind. A token is slot + generation + kind, never an address: a stale or forged one fails the
// comparison and nothing is followed. Looking up takes no lock; it pins the object, and an object goes only when its
// token is retired and the last pin is gone. Tables are never destroyed, so that a call during process exit finds them.
//
// T needs a member `std::uintptr_t token = 0`, written by insert().
template <class T, unsigned kKind>
class HandleTable {
 public:
  // Keeps one object alive.
  class Pin {
   public:
    Pin() = default;
    Pin(HandleTable* table, T* object) : table_(table), object_(object) {}
    Pin(Pin&& other) noexcept : table_(other.table_), object_(std::exchange(other.object_, nullptr)) {}
    Pin& operator=(Pin&& other) noexcept {
      std::swap(table_, other.table_);
      std::swap(object_, other.object_);
      return *this;
    }
    ~Pin() {
      if (object_ != nullptr) table_->unpin(object_->token);
    }
    explicit operator bool() const { return object_ != nullptr; }
    T* operator->() const { return object_; }
    T& operator*() const { return *object_; }
    T* get() const { return object_; }
    // The pin is now the caller's to give back with unpin().
    T* leak() { return std::exchange(object_, nullptr); }

   private:
    HandleTable* table_ = nullptr;
    T* object_ = nullptr;
  };

  // Takes the object over and returns with one pin held, so that it stays until that pin is given back and the token
  // retired. Throws std::bad_alloc; then the object is gone with its unique_ptr.
  Pin insert(std::unique_ptr<T> object) {
    std::lock_guard<std::mutex> lock(mutex_);
    std::uint32_t index;
    if (free_ != kNone) {
      index = free_;
      free_ = slot(index)->next_free;
    } else {
      index = size_.load(std::memory_order_relaxed);
      if (index == kSlotsMax) throw std::bad_alloc();
      if (index % kChunk == 0) chunks_[index / kChunk].store(new Slot[kChunk], std::memory_order_release);
      size_.store(index + 1, std::memory_order_release);
    }
    Slot* s = slot(index);
    const std::uint64_t generation = s->state.load(std::memory_order_relaxed) >> kGenerationShift;
    object->token = (static_cast<std::uintptr_t>(kKind) << kKindShift) |
                    (static_cast<std::uintptr_t>(generation) << kIndexBits) | index;
    s->object = object.release();
    s->state.store(generation << kGenerationShift | 1, std::memory_order_release);
    return Pin(this, s->object);
  }

  // Empty if the token is not that of a living object.
  Pin find(std::uintptr_t token) {
    Slot* s = slot_of(token);
    if (s == nullptr) return Pin();
    std::uint64_t state = s->state.load(std::memory_order_acquire);
    do {
      if (state >> kGenerationShift != generation_of(token) || (state & (kRetired | kPinsMask)) == 0 ||
          (state & kRetired) != 0) {
        return Pin();
      }
    } while (!s->state.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel, std::memory_order_acquire));
    return Pin(this, s->object);
  }

  // One more pin for an object that the caller knows to be pinned.
  Pin pin(T& object) {
    slot_of(object.token)->state.fetch_add(1, std::memory_order_relaxed);
    return Pin(this, &object);
  }

  // From here on the token is stale. False if it was before. The caller holds a pin.
  bool retire(std::uintptr_t token) {
    return (slot_of(token)->state.fetch_or(kRetired, std::memory_order_acq_rel) & kRetired) == 0;
  }

  void unpin(std::uintptr_t token) {
    Slot* s = slot_of(token);
    const std::uint64_t before = s->state.fetch_sub(1, std::memory_order_acq_rel);
    if ((before & kPinsMask) != 1) return;
    // The last pin of a retired object: nobody can find it any more, so this thread alone takes it down. (An object
    // that is not retired always has its owner's pin.)
    std::unique_ptr<T> object(std::exchange(s->object, nullptr));
    object.reset();
    std::lock_guard<std::mutex> lock(mutex_);
    s->state.store(next_generation(before) << kGenerationShift, std::memory_order_release);
    const std::uint32_t index = static_cast<std::uint32_t>(token & kIndexMask);
    s->next_free = free_;
    free_ = index;
  }

  // Around fork(), so that no other thread is in the middle of a change.
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }
  // In the child of fork(), locked: all tokens become stale. The objects live on threads that the child does not have,
  // and are left as they are.
  void abandon() {
    const std::uint32_t size = size_.load(std::memory_order_relaxed);
    free_ = kNone;
    for (std::uint32_t index = size; index-- > 0;) {
      Slot* s = slot(index);
      const std::uint64_t generation = next_generation(s->state.load(std::memory_order_relaxed));
      s->state.store(generation << kGenerationShift, std::memory_order_relaxed);
      s->object = nullptr;
      s->next_free = free_;
      free_ = index;
    }
  }

 private:
  static constexpr bool kWide = sizeof(std::uintptr_t) == 8;
  static constexpr unsigned kIndexBits = kWide ? 24 : 16;
  static constexpr unsigned kKindShift = kWide ? 60 : 28;
  static constexpr unsigned kGenerationBits = kKindShift - kIndexBits;
  static constexpr std::uint64_t kGenerationMask = (std::uint64_t{1} << kGenerationBits) - 1;
  static constexpr std::uintptr_t kIndexMask = (std::uintptr_t{1} << kIndexBits) - 1;
  static constexpr std::uint32_t kChunk = 256;
  static constexpr std::uint32_t kSlotsMax = kWide ? std::uint32_t{1} << 22 : std::uint32_t{1} << kIndexBits;
  static constexpr std::uint32_t kNone = UINT32_MAX;
  // state: generation << 24 | retired << 23 | pins
  static constexpr unsigned kGenerationShift = 24;
  static constexpr std::uint64_t kRetired = std::uint64_t{1} << 23;
  static constexpr std::uint64_t kPinsMask = kRetired - 1;
  static_assert(kKind != 0 && kKind < 16, "a token must not be NULL and the kind has four bits");

  // A cache line each: the slots of neighbours belong to stations of different I/O threads, and each message writes
  // one.
  struct alignas(64) Slot {
    std::atomic<std::uint64_t> state{0};
    T* object = nullptr;
    std::uint32_t next_free = kNone;
  };

  Slot* slot(std::uint32_t index) { return chunks_[index / kChunk].load(std::memory_order_acquire) + index % kChunk; }
  Slot* slot_of(std::uintptr_t token) {
    if (token >> kKindShift != kKind) return nullptr;
    const std::uintptr_t index = token & kIndexMask;
    if (index >= size_.load(std::memory_order_acquire)) return nullptr;
    return slot(static_cast<std::uint32_t>(index));
  }
  static std::uint64_t generation_of(std::uintptr_t token) { return (token >> kIndexBits) & kGenerationMask; }

  // Generation 0 follows the last one; a token would have to be kept through 2^36 lives of its slot (2^12 on 32-bit
  // machines) to be mistaken.
  static std::uint64_t next_generation(std::uint64_t state) {
    return ((state >> kGenerationShift) + 1) & kGenerationMask;
  }

  std::mutex mutex_;
  std::uint32_t free_ = kNone;
  std::atomic<std::uint32_t> size_{0};
  std::array<std::atomic<Slot*>, kSlotsMax / kChunk> chunks_{};
};

}  // namespace cwire
