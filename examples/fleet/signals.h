#pragma once

namespace fleet {

// Signals that end the program or tell of the terminal, taken by the one thread that asks for them. Made before any
// other thread, so that none of those is interrupted.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Readable while there is one to take.
  int descriptor() const { return descriptor_; }
  // 0: none.
  int take() const;

 private:
  int descriptor_;
};

}  // namespace fleet
