#pragma once

#include <asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "net/poller.h"
#include "net/resolver.h"
#include "net/socket.h"

namespace cwire {

// RFC 8305 4: the families take turns, beginning with that of the first address; within a family the order stays.
void interleave_families(Resolver::Addresses& addresses);

// One TCP connection to whichever address of a host answers first (happy eyeballs, RFC 8305 5): another address is
// tried every 250 ms, or at once when one fails, while those before it go on. The first that connects wins, the others
// are closed. A failure of this machine or process, which would hit every address alike, keeps it from trying more.
//
// It has no timer: whoever drives it calls advance() when the race says that an attempt is decided and when it is due,
// and limits the whole. On one I/O thread.
class ConnectRace {
 public:
  class Listener {
   public:
    // advance() has something to do. The race may be destroyed inside.
    virtual void on_attempt_decided() = 0;

   protected:
    ~Listener() = default;
  };
  enum class Outcome { pending, connected, failed };

  static constexpr Duration kAttemptDelay = std::chrono::milliseconds(250);
  // Descriptors that one station may take while it dials. Beyond that the attempt that began first is given up for the
  // next address, after two seconds: time for a SYN that was lost to be sent again.
  static constexpr std::size_t kAttemptsMax = 8;

  // `addresses` is not empty, and of the family of `source`, the local address to dial from (none: the kernel chooses).
  ConnectRace(Poller& poller, Listener& listener, Resolver::Addresses addresses, std::uint16_t port,
              std::optional<asio::ip::address> source = std::nullopt);
  ~ConnectRace();  // closes what is under way
  ConnectRace(const ConnectRace&) = delete;
  ConnectRace& operator=(const ConnectRace&) = delete;

  // Judges the attempts that are decided and begins those that are due. Throws Error(INTERNAL), std::bad_alloc.
  Outcome advance(TimePoint now);
  // When the next attempt begins unless one is decided before; kNever: there is none to begin.
  TimePoint due() const;
  // After `connected`.
  struct Winner {
    int socket = -1;  // the caller's
    asio::ip::tcp::endpoint remote;
    // The poller still watches the socket for writing, in the race's name: the caller changes or removes that before
    // the next turn.
    bool watched = false;
  };
  Winner take_winner();
  // Time is up for all that are under way: they count as failed.
  void give_up();

  // Of those that failed, three at most: "127.0.0.1:9: connection refused, [::1]:9: ...", and how many there are.
  std::string refusals() const;
  // The errno that tells most about why.
  int error() const { return error_; }
  // This machine does not have the source address.
  bool lacks_source() const { return lacks_source_; }
  // "127.0.0.1:9", or "127.0.0.1:9 and 2 more": what is under way.
  std::string under_way() const;

 private:
  struct Attempt;

  bool begin_next(TimePoint now);
  void note_refusal(const asio::ip::tcp::endpoint& remote, int error);

  Poller& poller_;
  Listener& listener_;
  Resolver::Addresses addresses_;
  const std::uint16_t port_;
  const std::optional<asio::ip::address> source_;
  std::size_t next_ = 0;  // index of the address to try next
  TimePoint next_due_ = TimePoint::min();
  std::vector<std::unique_ptr<Attempt>> attempts_;  // under way, oldest first
  Winner winner_;
  std::vector<std::string> named_;  // refusals
  std::size_t failed_ = 0;
  int error_ = 0;
  bool lacks_source_ = false;
};

}  // namespace cwire
