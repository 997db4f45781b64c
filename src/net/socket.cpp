#include "net/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cwire {

namespace {

// TCP's simultaneous open: the dialling socket was given the very port it dialled.
bool is_connected_to_itself(int socket, const asio::ip::tcp::endpoint& remote) {
  asio::ip::tcp::endpoint local;
  socklen_t size = static_cast<socklen_t>(local.capacity());
  if (::getsockname(socket, local.data(), &size) != 0) return false;
  local.resize(size);
  return local == remote;
}

}  // namespace

void Socket::reset(int descriptor) {
  // Not repeated on EINTR: Linux has given the number back by then.
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = descriptor;
}

int open_tcp_socket(int family) {
  // SOCK_NONBLOCK and SOCK_CLOEXEC are POSIX since 2024: one call, and no moment in which a fork could inherit it.
  const int socket = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (socket < 0) return -1;
  const int on = 1;
  // Output is gathered once per loop turn already, so waiting for more would only delay it. If this fails, it is merely
  // slower.
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

int bind_source(int socket, const asio::ip::address& source) {
  // Of Linux, for IPv6 too. Without it a port is taken at once, and by nobody else: it is merely fewer that can be
  // dialled.
#ifdef IP_BIND_ADDRESS_NO_PORT
  const int on = 1;
  ::setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
#endif
  const asio::ip::tcp::endpoint local(source, 0);
  return ::bind(socket, local.data(), static_cast<socklen_t>(local.size())) == 0 ? 0 : errno;
}

int begin_connect(int socket, const asio::ip::tcp::endpoint& remote) {
  if (::connect(socket, remote.data(), static_cast<socklen_t>(remote.size())) == 0) return 0;
  // Interrupted, a connect goes on in the background like one that is in progress.
  return errno == EINTR ? EINPROGRESS : errno;
}

int connect_result(int socket, const asio::ip::tcp::endpoint& remote) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error == 0 && is_connected_to_itself(socket, remote) ? ECONNREFUSED : error;
}

void limit_unacknowledged(int socket, Duration limit) {
#if defined(TCP_USER_TIMEOUT)
  const auto limit_ms = static_cast<unsigned>(std::chrono::ceil<std::chrono::milliseconds>(limit).count());
  ::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof limit_ms);
#else
  static_cast<void>(socket);
  static_cast<void>(limit);
#endif
}

Duration had_data_for(int socket) {
#if defined(TCP_INFO)
  // Counted in ticks of the kernel's clock, which may be as long as that.
  constexpr std::chrono::milliseconds kTick(10);
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return Duration::zero();
  return std::max(Duration::zero(), Duration(std::chrono::milliseconds(info.tcpi_last_data_recv) - kTick));
#else
  static_cast<void>(socket);
  return Duration::zero();
#endif
}

void finish_sending(int socket) {
  if (::shutdown(socket, SHUT_WR) != 0) return;
  char ignored[4096];
  for (int reads = 0; reads < 16; ++reads) {
    if (::recv(socket, ignored, sizeof ignored, MSG_DONTWAIT) <= 0) return;
  }
}

std::string endpoint_text(const asio::ip::tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  const std::string port = std::to_string(endpoint.port());
  return endpoint.address().is_v6() ? "[" + address + "]:" + port : address + ":" + port;
}

}  // namespace cwire
