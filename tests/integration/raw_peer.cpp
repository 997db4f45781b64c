#include "raw_peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace raw {

namespace {

constexpr int kPatience_ms = 40000;

bool wait_for(int descriptor, short what, int timeout_ms) {
  pollfd ready{descriptor, what, 0};
  int n;
  do {
    n = ::poll(&ready, 1, timeout_ms);
  } while (n < 0 && errno == EINTR);
  return n == 1;
}

// A socket bound to *port, or if that is 0 to one of the kernel's choice, on the loopback.
int bound_socket(int family, int receive_buffer, std::uint16_t* port, const char* ipv4 = "127.0.0.1") {
  const int descriptor = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw std::runtime_error("raw peer: socket");
  const int on = 1;  // the port may be kept by another socket, which does not listen
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (receive_buffer != 0) ::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_storage storage{};
  socklen_t size = 0;
  if (family == AF_INET) {
    auto& address = reinterpret_cast<sockaddr_in&>(storage);
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, ipv4, &address.sin_addr);
    address.sin_port = htons(*port);
    size = sizeof address;
  } else {
    auto& address = reinterpret_cast<sockaddr_in6&>(storage);
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    size = sizeof address;
  }
  if (::bind(descriptor, reinterpret_cast<sockaddr*>(&storage), size) != 0) {
    ::close(descriptor);
    throw std::runtime_error("raw peer: bind");
  }
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size);
  *port = ntohs(reinterpret_cast<sockaddr_in&>(storage).sin_port);  // at the same place in both families
  return descriptor;
}

}  // namespace

Connection::Connection(Connection&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), buffer_(std::move(other.buffer_)) {}

bool Connection::fill() {
  if (!wait_for(descriptor_, POLLIN, kPatience_ms)) throw std::runtime_error("raw peer: nothing to receive");
  char bytes[65536];
  const ssize_t n = ::recv(descriptor_, bytes, sizeof bytes, 0);
  if (n <= 0) return false;
  buffer_.append(bytes, static_cast<std::size_t>(n));
  return true;
}

std::string Connection::read_request() {
  std::size_t end;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) throw std::runtime_error("raw peer: closed before the request was complete");
  }
  const std::string request = buffer_.substr(0, end + 4);
  buffer_.erase(0, end + 4);
  return request;
}

std::string Connection::header(const std::string& request, const std::string& name) {
  std::size_t at = request.find("\r\n");
  while (at != std::string::npos && at + 2 < request.size()) {
    at += 2;
    const std::size_t end = request.find("\r\n", at);
    const std::string line = request.substr(at, end - at);
    const std::size_t colon = line.find(':');
    if (colon == name.size() && ::strncasecmp(line.c_str(), name.c_str(), colon) == 0) {
      const std::size_t value = line.find_first_not_of(' ', colon + 1);
      return value == std::string::npos ? std::string() : line.substr(value);
    }
    at = end;
  }
  return {};
}

std::string Connection::accept_key(const std::string& request) {
  const std::string key = header(request, "Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest);
  unsigned char accept[64];
  EVP_EncodeBlock(accept, digest, sizeof digest);
  return reinterpret_cast<char*>(accept);
}

std::string Connection::upgrade_answer(const std::string& request, const std::string& subprotocol,
                                       const std::string& more_headers) {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
         accept_key(request) + "\r\n" +
         (subprotocol.empty() ? std::string() : "Sec-WebSocket-Protocol: " + subprotocol + "\r\n") + more_headers +
         "\r\n";
}

void Connection::accept_upgrade(const std::string& request, const std::string& subprotocol,
                                const std::string& more_headers) {
  send(upgrade_answer(request, subprotocol, more_headers));
}

std::string Connection::upgrade(const std::string& subprotocol) {
  const std::string request = read_request();
  accept_upgrade(request, subprotocol);
  return request;
}

void Connection::send(const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    if (!wait_writable(kPatience_ms)) throw std::runtime_error("raw peer: nothing can be sent");
    const ssize_t n = ::send(descriptor_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN) throw std::runtime_error(std::string("raw peer: send: ") + std::strerror(errno));
    if (n > 0) sent += static_cast<std::size_t>(n);
  }
}

void Connection::send_at_once() {
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void Connection::drip(const std::string& bytes, int pace_ms) {
  for (const char byte : bytes) {
    if (::send(descriptor_, &byte, 1, MSG_NOSIGNAL) != 1) return;
    if (wait_for(descriptor_, POLLRDHUP, pace_ms)) return;
  }
}

bool Connection::wait_writable(int timeout_ms) { return wait_for(descriptor_, POLLOUT, timeout_ms); }

std::string frame(int opcode, const std::string& payload, bool fin) {
  std::string bytes(1, static_cast<char>((fin ? 0x80 : 0) | opcode));
  const std::uint64_t size = payload.size();
  const int size_bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
  bytes += static_cast<char>(size_bytes == 0 ? size : size_bytes == 2 ? 126 : 127);
  for (int i = size_bytes - 1; i >= 0; --i) bytes += static_cast<char>(size >> (8 * i));
  return bytes + payload;
}

int dial(std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return descriptor;
  ::close(descriptor);
  return -1;
}

void Connection::send_frame(int opcode, const std::string& payload, bool fin) { send(frame(opcode, payload, fin)); }

std::optional<Frame> frame_at(const std::string& bytes, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[at + i]); };
  const std::size_t there = bytes.size() - at;
  if (there < 2) return std::nullopt;
  Frame frame{byte(0) & 0x0f, (byte(0) & 0x80) != 0, {}, (byte(0) & 0x40) != 0};
  if ((byte(1) & 0x80) == 0) throw std::runtime_error("raw peer: a client's frame must be masked");
  std::uint64_t size = byte(1) & 0x7f;
  std::size_t head = 2;
  if (size >= 126) {
    head += size == 126 ? 2 : 8;
    if (there < head) return std::nullopt;
    size = 0;
    for (std::size_t i = 2; i < head; ++i) size = size << 8 | byte(i);
  }
  head += 4;
  if (there < head + size) return std::nullopt;
  frame.payload = bytes.substr(at + head, size);
  for (std::size_t i = 0; i < size; ++i)
    frame.payload[i] = static_cast<char>(frame.payload[i] ^ byte(head - 4 + i % 4));
  at += head + size;
  return frame;
}

std::optional<Frame> Connection::read_frame() {
  for (;;) {
    std::size_t end = 0;
    if (auto frame = frame_at(buffer_, end)) {
      buffer_.erase(0, end);
      return frame;
    }
    if (!fill()) return std::nullopt;
  }
}

std::string Connection::read_all() {
  while (fill()) {
  }
  return std::move(buffer_);
}

std::string Connection::remote_address() const {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  char text[INET_ADDRSTRLEN] = "";
  ::getpeername(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
  return ::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
}

void Connection::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void Connection::half_close() { ::shutdown(descriptor_, SHUT_WR); }

void Connection::reset() {
  const linger at_once{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

Server::Server(int receive_buffer, int family)
    : family_(family), descriptor_(bound_socket(family, receive_buffer, &port_)) {
  if (::listen(descriptor_, 64) != 0) throw std::runtime_error("raw peer: listen");
}

Server::Server(const std::string& ipv4, std::uint16_t port)
    : family_(AF_INET), port_(port), descriptor_(bound_socket(AF_INET, 0, &port_, ipv4.c_str())) {
  if (::listen(descriptor_, 64) != 0) throw std::runtime_error("raw peer: listen");
}

Server::~Server() { ::close(descriptor_); }

std::string Server::url() const {
  return std::string(family_ == AF_INET ? "ws://127.0.0.1:" : "ws://[::1]:") + std::to_string(port_);
}

Connection Server::accept() {
  if (!somebody_wants_in(kPatience_ms)) throw std::runtime_error("raw peer: nobody connects");
  return Connection(::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC));
}

bool Server::somebody_wants_in(int timeout_ms) { return wait_for(descriptor_, POLLIN, timeout_ms); }

Deaf::Deaf() : descriptor_(bound_socket(AF_INET, 0, &port_)) {
  if (::listen(descriptor_, 0) != 0) throw std::runtime_error("raw peer: listen");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port_);
  for (int& filler : fillers_) {
    filler = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ::connect(filler, reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
}
Deaf::~Deaf() {
  for (const int filler : fillers_) ::close(filler);
  ::close(descriptor_);
}
std::string Deaf::url() const { return "ws://127.0.0.1:" + std::to_string(port_); }

ClosedPort::ClosedPort() : descriptor_(bound_socket(AF_INET, 0, &port_)) {}
int ClosedPort::listen() const {
  std::uint16_t port = port_;  // not written: url() may be asked for on another thread
  const int listener = bound_socket(AF_INET, 0, &port);
  ::fcntl(listener, F_SETFL, O_NONBLOCK);
  if (::listen(listener, 4096) != 0) throw std::runtime_error("raw peer: listen");
  return listener;
}
ClosedPort::~ClosedPort() { ::close(descriptor_); }
std::string ClosedPort::url() const { return "ws://127.0.0.1:" + std::to_string(port_); }

}  // namespace raw
