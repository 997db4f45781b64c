#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

// Calls of the system that a test watches or has answered otherwise. The shared library calls these, as it would call
// those of any program that replaces them.
namespace fixture::system_calls {

// How often connect() was called, and the most within one turn of an I/O thread.
extern std::atomic<unsigned> dials;
extern std::atomic<unsigned> dials_per_turn_max;

// While it lives, the call fails with this errno on the I/O threads of the library. One at a time.
class Failing {
 public:
  enum Call { socket, connect };
  Failing(Call call, int error);
  Failing(const Failing&) = delete;
  Failing& operator=(const Failing&) = delete;
  ~Failing();
};

// While it lives, the wall clock of the library's I/O threads is that far off, and who waits for it to jump is told.
// Other clocks are not.
class WallClockOff {
 public:
  explicit WallClockOff(std::int64_t seconds);
  WallClockOff(const WallClockOff&) = delete;
  WallClockOff& operator=(const WallClockOff&) = delete;
  ~WallClockOff();
};

// The machine was suspended for so long: the boot-time clock went on, the monotonic clock stood still, and who waits
// for the wall clock to jump is told.
void suspend(std::int64_t seconds);

// While it lives: how long each thing that the library sends is under way until something comes back on its connection,
// from when the kernel is given it until the poller tells of the answer. If a busy machine lets somebody wait for the
// processor meanwhile, that is in it: so a test can tell it from a wrong measurement. The kernel does not say since
// when it has had an answer. One at a time.
class RoundTrips {
 public:
  RoundTrips();
  RoundTrips(const RoundTrips&) = delete;
  RoundTrips& operator=(const RoundTrips&) = delete;
  ~RoundTrips();
  void forget();
  // Of the connections to that port, oldest first.
  std::vector<std::chrono::nanoseconds> to(std::uint16_t port) const;
};

// What the name server says of one host, while it lives.
class Name {
 public:
  // Returns 0 and addresses, or EAI_*. Runs on the thread that looks up, possibly beyond the life of the Name.
  using Answer = std::function<int(std::vector<std::string>& addresses)>;

  Name(std::string host, Answer answer);
  Name(const Name&) = delete;
  Name& operator=(const Name&) = delete;
  ~Name();
  void answer(Answer answer);
  unsigned queries() const;

 private:
  const std::string host_;
};

}  // namespace fixture::system_calls
