#pragma once

#include <signal.h>

namespace fleet {

// Signals that end the program or tell of the terminal, taken by the one thread that asks for them. Made before any
// other thread, so that none of those is interrupted.
class Signals {
 public:
  Signals();
  // From then on signals do what they do in any program.
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Readable while there is one to take.
  int descriptor() const { return descriptor_; }
  // 0: none.
  int take() const;

 private:
  int descriptor_;
  sigset_t before_;
};

}  // namespace fleet
