#pragma once

#include <cstddef>
#include <string>

namespace fixture {

// While this is set, `operator new` fails on the thread that set it: a thread of the library that runs a handler can so
// be made to live without memory.
void starve_this_thread(bool starved);

// While it lives, `operator delete` looks for a text in what is given back, whoever does it. One at a time.
class FreedMemory {
 public:
  explicit FreedMemory(std::string text);
  FreedMemory(const FreedMemory&) = delete;
  FreedMemory& operator=(const FreedMemory&) = delete;
  ~FreedMemory();
  // How many of the blocks held it.
  std::size_t blocks_with_it() const;

 private:
  const std::string text_;
};

// The most bytes that this thread has asked for at once since it was last asked.
std::size_t take_largest_block();

}  // namespace fixture
