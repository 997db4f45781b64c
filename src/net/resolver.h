#pragma once

#include <asio/ip/address.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "base/failure.h"
#include "base/time.h"
#include "net/io_thread.h"

namespace cwire {

// Host names to addresses on threads of its own, so that a slow name server never blocks an I/O thread. Literals are
// answered at once without a thread. A name that is being looked up already is not looked up a second time, and an
// answer serves everybody who was waiting for his turn to dial when it came: when a fleet reconnects, one answer serves
// all.
//
// Shared by the I/O threads of a manager. Nothing waits for a lookup, which may hang for as long as the system likes:
// its thread owns all that it touches, and outlives the Resolver if need be. It touches an I/O thread only while a
// Query waits for it; so once the queries are gone, the Resolver and the I/O threads may be destroyed in either order.
class Resolver {
  struct Waiting;
  struct Lookups;

 public:
  using Addresses = std::vector<asio::ip::address>;
  using Completion = std::function<void(const Failure&, Addresses)>;
  // Looks a name up and blocks meanwhile. On any thread, perhaps after the Resolver is gone.
  using Lookup = std::function<Addresses(const std::string& host, std::error_code& error)>;

  // How many names may hang at the system before others have to wait for them. A thread ends when no name is left.
  static constexpr int kThreadsMax = 16;
  // Whoever asks gives up after this long. The lookup goes on, and serves those who ask meanwhile; an answer that finds
  // nobody waiting any more is kept for kLateAnswerKept. Without that a station whose first name server is dead would
  // never connect, for the system asks the second one only after 5 s.
  static constexpr Duration kPatience = std::chrono::seconds(5);
  static constexpr Duration kLateAnswerKept = std::chrono::minutes(1);
  // No attempt takes an answer that is older, however long it waited.
  static constexpr Duration kAnswerShared = std::chrono::seconds(30);

  // A query under way. Destroying it cancels: the completion is not called any more. Destroyed on its I/O thread, or
  // after that has ended; from inside the completion too.
  class Query {
   public:
    Query(std::shared_ptr<Lookups> lookups, std::shared_ptr<Waiting> waiting);
    ~Query();
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;

   private:
    const std::shared_ptr<Lookups> lookups_;
    const std::shared_ptr<Waiting> waiting_;
  };

  explicit Resolver(Lookup lookup = getaddrinfo);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // `due`: since when the attempt wants to begin; an answer that came after that is as good as a new one.
  // Calls `done` on `thread`, in a later turn (never from inside). IPv6 and IPv4 addresses in the order of getaddrinfo
  // (RFC 6724); status DIAL if there are none. Has no deadline of its own. Throws std::bad_alloc, Error(INTERNAL) if no
  // thread is to be had. On `thread`.
  std::unique_ptr<Query> resolve(IoThread& thread, const std::string& host, TimePoint due, Completion done);

 private:
  static Addresses getaddrinfo(const std::string& host, std::error_code& error);

  const std::shared_ptr<Lookups> lookups_;
};

}  // namespace cwire
