#pragma once

#include <cstdint>
#include <ctime>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/time.h"

struct ssl_session_st;

namespace cwire {

struct FreeSession {
  void operator()(ssl_session_st* session) const;
};
using SessionPtr = std::unique_ptr<ssl_session_st, FreeSession>;

// The TLS sessions that the connections of one context may resume, by endpoint. A resumed handshake checks no
// certificate, so an endpoint is the name that was verified, and its port; that CA, client certificate, verification
// and versions are the same follows from there being one cache per context. From any thread.
class SessionCache {
 public:
  // Per endpoint. A station that comes back finds a ticket of its own; in a storm the last one serves all.
  static constexpr std::size_t kSessionsMax = 4;
  static constexpr std::size_t kEndpointsMax = 64;
  // A server gives new sessions to connections that were resumed. Without this limit one verification would be
  // trusted for ever.
  static constexpr Duration kTrust = std::chrono::hours(24);

  // The check of certificates that a session stands for, however often it was renewed since.
  struct Verified {
    TimePoint at;
    std::time_t good_until = std::numeric_limits<std::time_t>::max();  // the first of the chain's certificates ends
  };

  struct Offer {
    SessionPtr session;       // none: nothing to resume
    std::uint64_t order = 0;  // for drop()
    Verified verified;
  };

  // `date`: what certificates and tickets go by.
  Offer take(const std::string& endpoint, TimePoint now, std::time_t date = std::time(nullptr));
  void put(const std::string& endpoint, SessionPtr session, const Verified& verified);  // throws std::bad_alloc
  // The attempt that used the session of this order was given up: it goes, and no other, for the network may be to
  // blame.
  void drop(const std::string& endpoint, std::uint64_t order);
  // The server refused it, or the attempt failed: all that are older go too, since a server that lost its keys has lost
  // them for those as well.
  void drop_with_older(const std::string& endpoint, std::uint64_t order);
  std::size_t size() const;

 private:
  struct Entry {
    SessionPtr session;
    std::uint64_t order;
    Verified verified;
  };
  using Sessions = std::vector<Entry>;  // the oldest first; never empty

  void forget_oldest_endpoint();

  mutable std::mutex mutex_;
  std::map<std::string, Sessions> by_endpoint_;
  std::uint64_t order_ = 0;
};

}  // namespace cwire
