#pragma once

#include <asio/ip/tcp.hpp>
#include <asio/thread_pool.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/failure.h"
#include "net/io_thread.h"

namespace cwire {

// Host names to addresses on two threads of its own, so that a slow name server never blocks an I/O thread. Literals
// are answered at once without a thread. A name that is being looked up already is not looked up a second time: when a
// fleet reconnects, one answer serves all.
//
// Shared by the I/O threads of a manager. A lookup touches an I/O thread only while a Query waits for it; so once the
// queries are gone, the Resolver and the I/O threads may be destroyed in either order.
class Resolver {
  struct Waiting;

 public:
  using Addresses = std::vector<asio::ip::tcp::endpoint>;
  using Completion = std::function<void(const Failure&, Addresses)>;
  // Looks a name up and blocks meanwhile. On any thread.
  using Lookup = std::function<Addresses(const std::string& host, std::uint16_t port, std::error_code& error)>;

  // A query under way. Destroying it cancels: the completion is not called any more. Destroyed on its I/O thread, or
  // after that has ended; from inside the completion too.
  class Query {
   public:
    ~Query();

   private:
    friend class Resolver;
    std::shared_ptr<Waiting> waiting_;
  };

  explicit Resolver(Lookup lookup = getaddrinfo);
  ~Resolver();  // waits for lookups under way

  // Calls `done` on `thread`, in a later turn (never from inside). IPv6 and IPv4 addresses in the order of getaddrinfo
  // (RFC 6724); status DIAL if there are none. Throws std::bad_alloc, Error(INTERNAL) if no thread is to be had.
  std::unique_ptr<Query> resolve(IoThread& thread, const std::string& host, std::uint16_t port, Completion done);

 private:
  using Name = std::pair<std::string, std::uint16_t>;

  static Addresses getaddrinfo(const std::string& host, std::uint16_t port, std::error_code& error);
  void start_lookup(const Name& name);
  void run_lookup(const Name& name);
  bool still_wanted(const Name& name);

  const Lookup lookup_;
  std::mutex mutex_;
  std::map<Name, std::vector<std::shared_ptr<Waiting>>> lookups_;  // under way, and who waits
  std::unique_ptr<asio::thread_pool> threads_;                     // made at the first name that is no literal
};

}  // namespace cwire
