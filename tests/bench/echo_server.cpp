// A WebSocket echo server as cheap as one thread and epoll make it, so that the client is what is measured.
//
//   echo_server [--port N] [--port-file PATH] [--tls CERT KEY]
//
// Listens on 127.0.0.1, prints "port N". Takes any path and the first subprotocol offered. Frames are returned as they
// came, unmasked: a fragmented message comes back in the same fragments. Ends by a signal.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "measurement.h"

namespace {

constexpr std::size_t request_size_max = 16 * 1024;
constexpr std::size_t frame_size_max = 64 * 1024 * 1024;
// Output that the client does not take; beyond it, its input waits.
constexpr std::size_t unsent_size_max = 1024 * 1024;
constexpr std::uint16_t protocol_error = 1002;
constexpr std::uint16_t message_too_big = 1009;

enum Opcode : unsigned char { close_frame = 8, ping_frame = 9, pong_frame = 10 };

struct Connection {
  int socket = -1;
  SSL* ssl = nullptr;
  bool handshaking = false;  // TLS
  bool upgraded = false;
  bool ending = false;  // closed once `unsent` is gone
  std::uint32_t interest = EPOLLIN;
  std::string unread;  // the beginning of a frame or of the request
  std::string unsent;
};

// One for all connections: only what is left over is kept per connection.
char receive_buffer[64 * 1024];
std::string send_buffer;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "echo_server: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

// ---- The upgrade ----

std::string_view header_value(std::string_view request, std::string_view name) {
  for (std::size_t line = request.find("\r\n"); line != std::string_view::npos; line = request.find("\r\n", line + 2)) {
    const std::string_view rest = request.substr(line + 2);
    if (rest.size() <= name.size() || rest[name.size()] != ':') continue;
    if (strncasecmp(rest.data(), name.data(), name.size()) != 0) continue;
    std::string_view value = rest.substr(name.size() + 1);
    value = value.substr(0, value.find("\r\n"));
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
    return value;
  }
  return {};
}

// RFC 6455 4.2.2.
std::string accept_value(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  unsigned char encoded[32];
  const int size = EVP_EncodeBlock(encoded, digest, sizeof digest);
  return std::string(reinterpret_cast<char*>(encoded), static_cast<std::size_t>(size));
}

// Takes the request off the front of the input. Returns how many bytes it took.
std::size_t take_request(Connection& connection, std::string_view input, std::string& out) {
  const std::size_t end = input.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    connection.ending = input.size() > request_size_max;
    return 0;
  }
  const std::string_view request = input.substr(0, end + 2);
  const std::string_view key = header_value(request, "Sec-WebSocket-Key");
  if (key.empty()) {
    out += "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    connection.ending = true;
    return input.size();
  }
  out += "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";
  out += accept_value(key);
  const std::string_view offered = header_value(request, "Sec-WebSocket-Protocol");
  if (!offered.empty()) {
    out += "\r\nSec-WebSocket-Protocol: ";
    out += offered.substr(0, offered.find_first_of(", "));
  }
  out += "\r\n\r\n";
  connection.upgraded = true;
  return end + 4;
}

// ---- Frames ----

void append_header(std::string& out, unsigned char first, std::uint64_t size) {
  out.push_back(static_cast<char>(first));
  if (size < 126) {
    out.push_back(static_cast<char>(size));
    return;
  }
  const int bytes = size <= 0xffff ? 2 : 8;
  out.push_back(bytes == 2 ? 126 : 127);
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(size >> (8 * i)));
}

void append_unmasked(std::string& out, const char* payload, std::size_t size, const char* mask) {
  std::uint32_t mask32 = 0;
  std::memcpy(&mask32, mask, 4);
  const std::uint64_t mask64 = std::uint64_t{mask32} << 32 | mask32;
  const std::size_t begin = out.size();
  out.append(payload, size);
  char* bytes = out.data() + begin;
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + i, 8);
    word ^= mask64;
    std::memcpy(bytes + i, &word, 8);
  }
  for (; i < size; ++i) bytes[i] = static_cast<char>(bytes[i] ^ mask[i % 4]);
}

void end_with(Connection& connection, std::uint16_t code, std::string& out) {
  append_header(out, 0x80 | close_frame, 2);
  out.push_back(static_cast<char>(code >> 8));
  out.push_back(static_cast<char>(code & 0xff));
  connection.ending = true;
}

// Answers the first frame of the input. Returns its size, or 0 if it is not complete.
std::size_t take_frame(Connection& connection, std::string_view input, std::string& out) {
  if (input.size() < 2) return 0;
  const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(input[index]); };
  const bool masked = (byte(1) & 0x80) != 0;
  if ((byte(0) & 0x70) != 0 || !masked) {
    end_with(connection, protocol_error, out);
    return input.size();
  }
  std::uint64_t size = byte(1) & 0x7f;
  const std::size_t size_bytes = size == 126 ? 2 : size == 127 ? 8 : 0;
  const std::size_t header = 2 + size_bytes + 4;
  if (input.size() < header) return 0;
  if (size_bytes != 0) {
    size = 0;
    for (std::size_t i = 0; i < size_bytes; ++i) size = size << 8 | byte(2 + i);
  }
  if (size > frame_size_max) {
    end_with(connection, message_too_big, out);
    return input.size();
  }
  if (input.size() < header + size) return 0;

  const unsigned char opcode = byte(0) & 0x0f;
  const char* const mask = input.data() + header - 4;
  const char* const payload = input.data() + header;
  if (opcode == pong_frame) return header + size;
  const unsigned char first = opcode == ping_frame ? 0x80 | pong_frame : byte(0);
  append_header(out, first, size);
  append_unmasked(out, payload, size, mask);
  if (opcode == close_frame) connection.ending = true;
  return header + size;
}

// Answers whatever is complete. Returns how many bytes were taken.
std::size_t take_all(Connection& connection, std::string_view input, std::string& out) {
  std::size_t taken = 0;
  while (taken < input.size() && !connection.ending) {
    const std::string_view rest = input.substr(taken);
    const std::size_t size =
        connection.upgraded ? take_frame(connection, rest, out) : take_request(connection, rest, out);
    if (size == 0) break;
    taken += size;
  }
  return taken;
}

// ---- Sockets ----

class EchoServer {
 public:
  EchoServer(int listener, SSL_CTX* tls) : listener_(listener), tls_(tls), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) fail("epoll_create1");
    watch(EPOLL_CTL_ADD, listener_, nullptr, EPOLLIN);
  }

  [[noreturn]] void run() {
    epoll_event events[256];
    for (;;) {
      const int count = epoll_wait(epoll_, events, 256, -1);
      if (count < 0 && errno != EINTR) fail("epoll_wait");
      for (int i = 0; i < count; ++i) {
        if (events[i].data.ptr == nullptr) {
          accept_all();
        } else {
          serve(*static_cast<Connection*>(events[i].data.ptr));
        }
      }
    }
  }

 private:
  void watch(int operation, int socket, Connection* connection, std::uint32_t interest) {
    epoll_event event{};
    event.events = interest;
    event.data.ptr = connection;
    if (epoll_ctl(epoll_, operation, socket, &event) != 0) fail("epoll_ctl");
  }

  void accept_all() {
    for (;;) {
      const int socket = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket < 0) {
        if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR) return;
        fail("accept (is `ulimit -n` high enough?)");
      }
      const int on = 1;
      setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      auto* connection = new Connection;
      connection->socket = socket;
      if (tls_ != nullptr) {
        connection->ssl = SSL_new(tls_);
        SSL_set_fd(connection->ssl, socket);
        SSL_set_accept_state(connection->ssl);
        connection->handshaking = true;
      }
      watch(EPOLL_CTL_ADD, socket, connection, EPOLLIN);
    }
  }

  // Reads once, answers, writes once. Deletes the connection when it has ended.
  void serve(Connection& connection) {
    const bool alive = handshake(connection) && flush(connection) && read(connection);
    if (!alive || (connection.ending && connection.unsent.empty())) {
      close(connection);
      return;
    }
    std::uint32_t interest = 0;
    if (!connection.ending && connection.unsent.size() <= unsent_size_max) interest |= EPOLLIN;
    if (!connection.unsent.empty() || (connection.handshaking && SSL_want_write(connection.ssl))) interest |= EPOLLOUT;
    if (interest != connection.interest) {
      connection.interest = interest;
      watch(EPOLL_CTL_MOD, connection.socket, &connection, interest);
    }
  }

  bool handshake(Connection& connection) {
    if (!connection.handshaking) return true;
    ERR_clear_error();
    const int result = SSL_do_handshake(connection.ssl);
    if (result == 1) connection.handshaking = false;
    return result == 1 || would_block(SSL_get_error(connection.ssl, result));
  }

  bool read(Connection& connection) {
    if (connection.handshaking || connection.ending) return true;
    do {
      if (connection.unsent.size() > unsent_size_max) return true;
      const long size = receive(connection);
      if (size < 0) return true;
      if (size == 0) return false;
      answer(connection, static_cast<std::size_t>(size));
      if (!flush(connection)) return false;
    } while (connection.ssl != nullptr && !connection.ending);  // OpenSSL may hold more than epoll knows of
    return true;
  }

  void answer(Connection& connection, std::size_t size) {
    std::string& out = connection.unsent.empty() ? send_buffer : connection.unsent;
    if (connection.unread.empty()) {
      const std::size_t taken = take_all(connection, {receive_buffer, size}, out);
      if (taken < size) connection.unread.assign(receive_buffer + taken, size - taken);
    } else {
      connection.unread.append(receive_buffer, size);
      connection.unread.erase(0, take_all(connection, connection.unread, out));
      if (connection.unread.empty()) std::string().swap(connection.unread);
    }
    if (&out == &connection.unsent || send_buffer.empty()) return;
    const std::size_t sent = transmit(connection, send_buffer);
    if (sent < send_buffer.size()) connection.unsent.assign(send_buffer, sent, std::string::npos);
    send_buffer.clear();
  }

  // Writes what an earlier write could not. False: the connection is broken.
  bool flush(Connection& connection) {
    if (connection.unsent.empty() || connection.handshaking) return !connection_broken_;
    connection.unsent.erase(0, transmit(connection, connection.unsent));
    if (connection.unsent.empty()) std::string().swap(connection.unsent);
    return !connection_broken_;
  }

  // Bytes received; 0: ended or broken; negative: nothing there.
  long receive(Connection& connection) {
    if (connection.ssl == nullptr) {
      const ssize_t size = recv(connection.socket, receive_buffer, sizeof receive_buffer, 0);
      return size >= 0 ? size : errno == EAGAIN || errno == EINTR ? -1 : 0;
    }
    ERR_clear_error();
    const int size = SSL_read(connection.ssl, receive_buffer, sizeof receive_buffer);
    if (size > 0) return size;
    return would_block(SSL_get_error(connection.ssl, size)) ? -1 : 0;
  }

  // Bytes taken by the kernel; sets connection_broken_ if it will take no more.
  std::size_t transmit(Connection& connection, const std::string& bytes) {
    if (connection.ssl == nullptr) {
      const ssize_t size = send(connection.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size >= 0) return static_cast<std::size_t>(size);
      connection_broken_ = errno != EAGAIN && errno != EINTR;
      return 0;
    }
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      ERR_clear_error();
      std::size_t size = 0;
      const int result = SSL_write_ex(connection.ssl, bytes.data() + sent, bytes.size() - sent, &size);
      if (result != 1) {
        connection_broken_ = !would_block(SSL_get_error(connection.ssl, result));
        break;
      }
      sent += size;
    }
    return sent;
  }

  static bool would_block(int error) { return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE; }

  void close(Connection& connection) {
    connection_broken_ = false;
    if (connection.ssl != nullptr) {
      ERR_clear_error();
      if (!connection.handshaking) SSL_shutdown(connection.ssl);
      SSL_free(connection.ssl);
    }
    ::close(connection.socket);
    delete &connection;
  }

  int listener_;
  SSL_CTX* tls_;
  int epoll_;
  bool connection_broken_ = false;  // of the connection that is served now
};

SSL_CTX* tls_context(const char* certificate, const char* key) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
    std::fprintf(stderr, "echo_server: --tls %s %s: cannot be used: %s\n", certificate, key,
                 ERR_reason_error_string(ERR_get_error()));
    std::exit(1);
  }
  return context;
}

int listen_on(std::uint16_t port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) fail("socket");
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("bind");
  if (listen(listener, 4096) != 0) fail("listen");
  return listener;
}

std::uint16_t port_of(int listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) fail("getsockname");
  return ntohs(address.sin_port);
}

// Whoever waits for the file must never read half of it.
void write_port_file(const std::string& path, std::uint16_t port) {
  const std::string unfinished = path + ".new";
  std::FILE* file = std::fopen(unfinished.c_str(), "w");
  if (file == nullptr) fail(path.c_str());
  std::fprintf(file, "%u\n", port);
  if (std::fclose(file) != 0 || std::rename(unfinished.c_str(), path.c_str()) != 0) fail(path.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  std::string port_file;
  SSL_CTX* tls = nullptr;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--port" && i + 1 < argc) {
      port = static_cast<std::uint16_t>(std::strtoul(argv[++i], nullptr, 10));
    } else if (option == "--port-file" && i + 1 < argc) {
      port_file = argv[++i];
    } else if (option == "--tls" && i + 2 < argc) {
      tls = tls_context(argv[i + 1], argv[i + 2]);
      i += 2;
    } else {
      std::fprintf(stderr, "usage: echo_server [--port N] [--port-file PATH] [--tls CERT KEY]\n");
      return 2;
    }
  }
  signal(SIGPIPE, SIG_IGN);
  bench::raise_descriptor_limit();
  const int listener = listen_on(port);
  if (!port_file.empty()) write_port_file(port_file, port_of(listener));
  std::printf("port %u\n", port_of(listener));
  std::fflush(stdout);
  EchoServer(listener, tls).run();
}
