#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

// What the targets share. Each defines this one function and returns 0; what is wrong ends the process.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace fuzz {

// Something the code under test promises. abort() is what libFuzzer, a sanitizer and ctest all take for a failure.
inline void require(bool kept, const char* promise) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

// Takes an input apart from the front. Where it has ended, bytes are 0 and texts are empty.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return first;
  }
  // What stands before the next `end`, which is passed over.
  std::string_view until(char end) {
    const std::string_view text = rest_.substr(0, rest_.find(end));
    rest_.remove_prefix(text.size() == rest_.size() ? text.size() : text.size() + 1);
    return text;
  }
  std::string_view rest() {
    const std::string_view all = rest_;
    rest_ = {};
    return all;
  }

 private:
  std::string_view rest_;
};

// How bytes arrive: all at once, one by one, or in pieces of which each size follows from the bytes before.
enum class Slicing { whole, single, mixed };
// Behind as many, single is mixed: one by one would take most of the time and find nothing more.
constexpr std::size_t kSinglesMax = 512;
constexpr Slicing kSlicings[] = {Slicing::whole, Slicing::single, Slicing::mixed};

// Calls receive(const char*, std::size_t) for each slice. Each stands in memory of its own size, so that a sanitizer
// sees who reads beyond it, and must still be the same afterwards.
template <typename Receive>
void arrive(std::string_view bytes, Slicing slicing, Receive receive) {
  std::uint32_t state = 1;
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t size = bytes.size() - at;
    if (slicing == Slicing::single && at < kSinglesMax) {
      size = 1;
    } else if (slicing != Slicing::whole) {
      state = state * 1664525 + 1013904223 + static_cast<std::uint8_t>(bytes[at]);
      const std::size_t wanted = 1 + (state >> 24) % (state >> 31 ? 4 : 64);
      size = wanted < size ? wanted : size;
    }
    const std::unique_ptr<char[]> slice(new char[size]);
    bytes.copy(slice.get(), size, at);
    receive(static_cast<const char*>(slice.get()), size);
    require(bytes.substr(at, size) == std::string_view(slice.get(), size), "what was received is not written to");
    at += size;
  }
}

}  // namespace fuzz
