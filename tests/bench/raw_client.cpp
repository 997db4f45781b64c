// The limit that a WebSocket client can reach: epoll, frames made beforehand, nothing checked but their boundaries.
//
//   raw_client --url ws://127.0.0.1:PORT/ocpp --stations N --in-flight K --messages M --size S
//
// Talks to echo_server and prints one line of JSON.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "measurement.h"

namespace {

// Connections that are being made at the same time.
constexpr std::uint32_t dials_max = 64;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "raw_client: %s: %s\n", what, errno == 0 ? "unexpected" : std::strerror(errno));
  std::exit(1);
}

std::string masked_text_frame(std::size_t size) {
  std::string frame;
  frame.push_back('\x81');
  const int size_bytes = size < 126 ? 0 : size <= 0xffff ? 2 : 8;
  frame.push_back(static_cast<char>(0x80 | (size_bytes == 0 ? size : size_bytes == 2 ? 126 : 127)));
  for (int i = size_bytes - 1; i >= 0; --i) frame.push_back(static_cast<char>(size >> (8 * i)));
  const char mask[] = {0x12, 0x34, 0x56, 0x78};
  frame.append(mask, sizeof mask);
  for (std::size_t i = 0; i < size; ++i) frame.push_back(static_cast<char>('x' ^ mask[i % 4]));
  return frame;
}

struct Station {
  int socket = -1;
  bool open = false;
  bool waits_to_write = false;
  std::uint32_t to_send = 0;    // messages not yet begun
  std::size_t unsent = 0;       // bytes of begun frames that the kernel has not taken
  std::size_t frame_bytes = 0;  // received of a frame that is not complete
};

class RawClient {
 public:
  explicit RawClient(const bench::Arguments& arguments)
      : arguments_(arguments),
        frame_(masked_text_frame(arguments.size)),
        echo_size_(frame_.size() - 4),
        stations_(arguments.stations),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        buffer_(64 * 1024) {
    if (epoll_ < 0) fail("epoll_create1");
    for (std::uint32_t i = 0; i < arguments.in_flight; ++i) burst_ += frame_;
  }

  bench::Result run() {
    bench::Result result;
    result.client = "raw";
    const long rss_before = bench::resident_bytes();
    const bench::Stopwatch dialing;
    for (std::uint32_t i = 0; i < dials_max; ++i) dial_next();
    while (open_ < arguments_.stations) turn();
    result.connects_per_second = arguments_.stations / dialing.seconds();
    result.rss_per_connection_bytes = static_cast<double>(bench::resident_bytes() - rss_before) / arguments_.stations;

    const bench::Stopwatch exchange;
    for (Station& station : stations_) {
      station.to_send = arguments_.messages;
      send_some(station, arguments_.first_burst());
    }
    while (round_trips_ < arguments_.round_trips()) turn();
    result.round_trips = round_trips_;
    result.seconds = exchange.seconds();
    result.user_us = exchange.user_us();
    result.system_us = exchange.system_us();
    return result;
  }

 private:
  void watch(int operation, Station& station, std::uint32_t interest) {
    epoll_event event{};
    event.events = interest;
    event.data.ptr = &station;
    if (epoll_ctl(epoll_, operation, station.socket, &event) != 0) fail("epoll_ctl");
  }

  void dial_next() {
    if (dialed_ == arguments_.stations) return;
    Station& station = stations_[dialed_++];
    station.socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (station.socket < 0) fail("socket (is `ulimit -n` high enough?)");
    const int on = 1;
    setsockopt(station.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(arguments_.port);
    if (inet_pton(AF_INET, arguments_.host.c_str(), &address.sin_addr) != 1) fail("HOST is not an IPv4 literal");
    if (connect(station.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS) {
      fail("connect");
    }
    watch(EPOLL_CTL_ADD, station, EPOLLOUT);
  }

  void turn() {
    epoll_event events[256];
    const int count = epoll_wait(epoll_, events, 256, -1);
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < count; ++i) {
      Station& station = *static_cast<Station*>(events[i].data.ptr);
      if ((events[i].events & EPOLLOUT) != 0) writable(station);
      if ((events[i].events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) readable(station);
    }
  }

  void writable(Station& station) {
    if (station.open) {
      flush(station);
      return;
    }
    // The TCP connection stands, or failed, which send will tell.
    const std::string number = std::to_string(&station - stations_.data());
    const std::string request = "GET " + arguments_.path + "/CP" + number + " HTTP/1.1\r\nHost: " + arguments_.host + ":" +
                                std::to_string(arguments_.port) +
                                "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n";
    if (send(station.socket, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
      fail("send of the upgrade request");
    }
    watch(EPOLL_CTL_MOD, station, EPOLLIN);
  }

  void readable(Station& station) {
    const ssize_t size = recv(station.socket, buffer_.data(), buffer_.size(), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size < 0) fail("recv");
    if (size == 0) {
      errno = 0;
      fail("the server closed a connection");
    }
    if (!station.open) {
      upgraded(station, static_cast<std::size_t>(size));
      return;
    }
    const std::uint32_t frames = count_frames(station, static_cast<std::size_t>(size));
    round_trips_ += frames;
    send_some(station, frames);
  }

  void upgraded(Station& station, std::size_t size) {
    const std::string_view response(buffer_.data(), size);
    errno = 0;
    if (response.compare(0, 12, "HTTP/1.1 101") != 0 || response.substr(size - 4) != "\r\n\r\n") fail("upgrade");
    station.open = true;
    ++open_;
    dial_next();
  }

  // How many frames end in what was received.
  std::uint32_t count_frames(Station& station, std::size_t size) {
    std::uint32_t frames = 0;
    std::size_t position = 0;
    while (position < size) {
      if (station.frame_bytes == 0 && buffer_[position] != '\x81') {
        errno = 0;
        fail("the server sent something other than the echo");
      }
      const std::size_t step = std::min(echo_size_ - station.frame_bytes, size - position);
      station.frame_bytes += step;
      position += step;
      if (station.frame_bytes < echo_size_) break;
      station.frame_bytes = 0;
      ++frames;
    }
    return frames;
  }

  void send_some(Station& station, std::uint32_t messages) {
    messages = std::min(messages, station.to_send);
    if (messages == 0) return;
    station.to_send -= messages;
    station.unsent += messages * frame_.size();
    flush(station);
  }

  // All frames are alike, so what is unsent is known by its length alone.
  void flush(Station& station) {
    while (station.unsent != 0) {
      const std::size_t offset = (frame_.size() - station.unsent % frame_.size()) % frame_.size();
      const std::size_t size = std::min(station.unsent, burst_.size() - offset);
      const ssize_t sent = send(station.socket, burst_.data() + offset, size, MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) fail("send");
      if (sent > 0) station.unsent -= static_cast<std::size_t>(sent);
      if (sent < static_cast<ssize_t>(size)) break;
    }
    const bool waits = station.unsent != 0;
    if (waits == station.waits_to_write) return;
    station.waits_to_write = waits;
    watch(EPOLL_CTL_MOD, station, waits ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  const bench::Arguments arguments_;
  const std::string frame_;
  const std::size_t echo_size_;  // the server does not mask
  std::string burst_;
  std::vector<Station> stations_;
  int epoll_;
  std::vector<char> buffer_;
  std::uint32_t dialed_ = 0;
  std::uint32_t open_ = 0;
  std::uint64_t round_trips_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments = bench::parse_arguments(argc, argv);
  bench::raise_descriptor_limit();
  bench::print(arguments, RawClient(arguments).run(), bench::LatencyHistogram());
  return 0;
}
