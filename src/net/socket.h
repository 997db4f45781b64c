#pragma once

#include <asio/ip/tcp.hpp>
#include <string>
#include <utility>

#include "base/time.h"

namespace cwire {

// Owns a descriptor.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { reset(); }

  int get() const { return descriptor_; }
  void reset(int descriptor = -1);
  int release() { return std::exchange(descriptor_, -1); }  // to be closed by the caller

 private:
  int descriptor_ = -1;
};

// A TCP socket that does not block, does not pass to child processes and does not wait to fill segments. -1: see errno.
int open_tcp_socket(int family);

// Lets whatever is dialled from this socket come from a local address. The port is left for the connect to choose, so
// that one port serves for as many peers as there are. 0, or errno: EADDRNOTAVAIL, this machine has no such address.
int bind_source(int socket, const asio::ip::address& source);

// Begins to connect. 0: connected; EINPROGRESS: writable when decided; else why not.
int begin_connect(int socket, const asio::ip::tcp::endpoint& remote);
// What came of it: 0 or why not. Dialling a local port that nobody listens on can reach the dialling socket itself, and
// would keep the server from taking its port again: such a connection counts as refused.
int connect_result(int socket, const asio::ip::tcp::endpoint& remote);

// How long what was sent may stay without acknowledgement, or unsent because the peer's window is closed, before TCP
// gives the connection up with ETIMEDOUT (RFC 5482). Where the system knows no such limit, nothing happens.
void limit_unacknowledged(int socket, Duration limit);

// For how long, at least, the last data of the peer has been with the kernel, read or not. Zero where the system does
// not say.
Duration had_data_for(int socket);

// Ends the sending side and lets go of what the peer sent meanwhile: closing with unread bytes would reset the
// connection, and a reset can overtake our last bytes on the peer's side.
void finish_sending(int socket);

// "127.0.0.1:9000", "[::1]:9000"
std::string endpoint_text(const asio::ip::tcp::endpoint& endpoint);

}  // namespace cwire
