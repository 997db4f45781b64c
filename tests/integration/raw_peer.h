#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <optional>
#include <string>

// A server made of plain blocking sockets, which does exactly what a test says and nothing by itself: it answers no
// ping, reads nothing, or says things that no decent server would.
namespace raw {

// RFC 6455 5.2.
enum Opcode { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

struct Frame {
  int opcode;
  bool fin;
  std::string payload;  // unmasked
  bool compressed;      // RSV1
};

// The frame of a station that begins at `at`, which moves behind it; nothing: it is not whole yet.
std::optional<Frame> frame_at(const std::string& bytes, std::size_t& at);

// Every function that waits throws std::runtime_error when nothing comes for too long.
class Connection {
 public:
  explicit Connection(int descriptor) : descriptor_(descriptor) {}
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&&) = delete;
  ~Connection() { close(); }

  // The head of the HTTP request, with the empty line.
  std::string read_request();
  // The value of one of its headers; empty if it has none.
  static std::string header(const std::string& request, const std::string& name);
  // The right Sec-WebSocket-Accept, and the whole of a right answer with 101. An empty subprotocol: without that
  // header.
  static std::string accept_key(const std::string& request);
  static std::string upgrade_answer(const std::string& request, const std::string& subprotocol = "ocpp1.6",
                                    const std::string& more_headers = "");
  // Sends that.
  void accept_upgrade(const std::string& request, const std::string& subprotocol = "ocpp1.6",
                      const std::string& more_headers = "");
  // Both.
  std::string upgrade(const std::string& subprotocol = "ocpp1.6");

  void send(const std::string& bytes);
  // From now on the kernel does not wait to fill segments.
  void send_at_once();
  // One byte at a time, that far apart, until all are sent or the station hangs up: a slow loris.
  void drip(const std::string& bytes, int pace_ms);
  // False if the kernel takes nothing more for this long.
  bool wait_writable(int timeout_ms);
  void send_frame(int opcode, const std::string& payload, bool fin = true);
  // Nothing: the station closed the connection.
  std::optional<Frame> read_frame();
  // Everything until the station closes the connection.
  std::string read_all();
  // Of the station; IPv4.
  std::string remote_address() const;
  void close();
  // FIN; what the station says can still be read.
  void half_close();
  // Closes with RST instead of FIN.
  void reset();
  int descriptor() const { return descriptor_; }

 private:
  bool fill();
  int descriptor_;
  std::string buffer_;
};

std::string frame(int opcode, const std::string& payload, bool fin = true);

// A socket that is connected to that port of 127.0.0.1, to be closed by the caller; -1: nobody is there.
int dial(std::uint16_t port);

class Server {
 public:
  // receive_buffer: of the sockets it accepts, bytes; 0: the kernel's choice. A small one fills soon.
  explicit Server(int receive_buffer = 0, int family = AF_INET);
  // On another address of the loopback, 127.0.0.2, and a port that another server has on another address.
  Server(const std::string& ipv4, std::uint16_t port);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url() const;
  int descriptor() const { return descriptor_; }
  Connection accept();
  // True if somebody wants in within this time.
  bool somebody_wants_in(int timeout_ms);

 private:
  const int family_;
  std::uint16_t port_ = 0;  // before the descriptor, whose making sets it
  int descriptor_;
};

// Listens and accepts nobody: once the one connection that the kernel queues is there, SYNs fall into a black hole.
class Deaf {
 public:
  Deaf();
  ~Deaf();
  Deaf(const Deaf&) = delete;
  Deaf& operator=(const Deaf&) = delete;
  std::string url() const;

 private:
  std::uint16_t port_ = 0;
  int descriptor_;
  int fillers_[3];
};

// A port nobody listens on, kept from others, unless somebody is told to.
class ClosedPort {
 public:
  ClosedPort();
  ~ClosedPort();
  ClosedPort(const ClosedPort&) = delete;
  ClosedPort& operator=(const ClosedPort&) = delete;
  std::string url() const;
  // A non-blocking socket that listens there until it is closed.
  int listen() const;

 private:
  std::uint16_t port_ = 0;
  int descriptor_;
};

}  // namespace raw
