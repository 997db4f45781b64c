// The limit that a WebSocket client can reach: epoll, frames made beforehand, nothing checked but their boundaries.
// With wss:// it is plain OpenSSL over the same, with the buffers released that are not in use.
//
//   raw_client --url ws[s]://127.0.0.1:PORT/ocpp --stations N --in-flight K --messages M --size S [--ca FILE]
//              [--resume] [--read-ahead] [--rate R]
//
//   --resume      the first connection's TLS session is taken up by all others; fails if one of them is not resumed
//   --read-ahead  OpenSSL reads all that the socket has in one call, not a record's header and body in two
//   --rate R      R round trips per second in total, whether answers come or not (K does not count then); a latency
//                 begins when its message was due, so a client that falls behind cannot hide it
//
// Talks to echo_server and prints one line of JSON.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "measurement.h"

namespace {

struct Options {
  bool resume = false;
  bool read_ahead = false;
  std::uint32_t rate = 0;  // round trips per second; 0: as fast as answers come
};

// Connections that are being made at the same time.
constexpr std::uint32_t dials_max = 64;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "raw_client: %s: %s\n", what, errno == 0 ? "unexpected" : std::strerror(errno));
  std::exit(1);
}

[[noreturn]] void fail_tls(const char* what, const SSL* ssl = nullptr) {
  const long verified = ssl == nullptr ? X509_V_OK : SSL_get_verify_result(ssl);
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  if (verified != X509_V_OK) reason = X509_verify_cert_error_string(verified);
  std::fprintf(stderr, "raw_client: %s: %s\n", what, reason == nullptr ? "the connection broke" : reason);
  std::exit(1);
}

// Kept by new_session() when the first one arrives.
SSL_SESSION* session_to_resume = nullptr;

// A copy: OpenSSL spoils its own when the server sends a second ticket. Returns that the session itself is not kept.
int new_session(SSL*, SSL_SESSION* session) {
  if (session_to_resume == nullptr) session_to_resume = SSL_SESSION_dup(session);
  return 0;
}

SSL_CTX* tls_context(const bench::Arguments& arguments, const Options& options) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  if (context == nullptr) fail_tls("SSL_CTX_new");
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  const int trusts = arguments.ca.empty() ? SSL_CTX_set_default_verify_paths(context)
                                          : SSL_CTX_load_verify_locations(context, arguments.ca.c_str(), nullptr);
  if (trusts != 1) fail_tls("--ca");
  if (options.read_ahead) SSL_CTX_set_read_ahead(context, 1);
  if (options.resume) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, new_session);
  }
  return context;
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
  SSL* ssl = nullptr;
  bool handshaking = false;  // TLS
  bool open = false;
  bool waits_to_write = false;
  std::uint32_t to_send = 0;    // messages not yet begun
  std::size_t unsent = 0;       // bytes of begun frames that the kernel has not taken
  std::size_t frame_bytes = 0;  // received of a frame that is not complete
  std::uint32_t answered = 0;
};

class RawClient {
 public:
  RawClient(const bench::Arguments& arguments, const Options& options)
      : arguments_(arguments),
        options_(options),
        frame_(masked_text_frame(arguments.size)),
        echo_size_(frame_.size() - 4),
        stations_(arguments.stations),
        times_(arguments.stations, arguments.in_flight),
        tls_(arguments.tls ? tls_context(arguments, options) : nullptr),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        buffer_(64 * 1024) {
    if (epoll_ < 0) fail("epoll_create1");
    for (std::uint32_t i = 0; i < arguments.in_flight; ++i) burst_ += frame_;
  }

  bench::Result run() {
    bench::Result result;
    result.client = arguments_.tls ? "openssl" : "raw";
    const bench::Dialing dialing;
    connect_all();
    result.connected(dialing, arguments_.stations);

    for (Station& station : stations_) station.to_send = arguments_.messages;
    const bench::Stopwatch exchange;
    if (options_.rate == 0) {
      exchange_at_full_speed();
    } else {
      exchange_at_rate();
    }
    result.exchanged(exchange, round_trips_);
    return result;
  }

  const bench::LatencyHistogram& latency() const { return latency_; }

 private:
  void watch(int operation, Station& station, std::uint32_t interest) {
    epoll_event event{};
    event.events = interest;
    event.data.ptr = &station;
    if (epoll_ctl(epoll_, operation, station.socket, &event) != 0) fail("epoll_ctl");
  }

  void connect_all() {
    if (options_.resume) {
      dial_next();
      while (open_ == 0) turn();
      if (session_to_resume == nullptr) fail_tls("--resume: the server gave no session");
    }
    for (std::uint32_t i = 0; i < dials_max; ++i) dial_next();
    while (open_ < arguments_.stations) turn();
  }

  void exchange_at_full_speed() {
    for (Station& station : stations_) send_some(station, arguments_.first_burst(), bench::now_ns());
    while (round_trips_ < arguments_.round_trips()) turn();
  }

  void exchange_at_rate() {
    bench::be_punctual();
    const bench::Schedule schedule(arguments_.stations, options_.rate);
    schedule_ = &schedule;
    std::uint64_t next = 0;
    while (round_trips_ < arguments_.round_trips()) {
      const std::int64_t now = bench::now_ns();
      for (; next < arguments_.round_trips() && schedule.due(next) <= now; ++next) {
        send_some(stations_[next % arguments_.stations], 1, now);
      }
      if (next == arguments_.round_trips()) {
        turn();
        continue;
      }
      const std::int64_t left = std::max<std::int64_t>(schedule.due(next) - bench::now_ns(), 0);
      const timespec timeout{left / 1000000000, left % 1000000000};
      turn(&timeout);
    }
    schedule_ = nullptr;
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
    if (tls_ != nullptr) begin_tls(station);
    watch(EPOLL_CTL_ADD, station, EPOLLOUT);
  }

  void begin_tls(Station& station) {
    station.ssl = SSL_new(tls_);
    if (station.ssl == nullptr || SSL_set_fd(station.ssl, station.socket) != 1) fail_tls("SSL_new");
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(station.ssl), arguments_.host.c_str()) != 1) fail_tls("--url");
    if (session_to_resume != nullptr) {
      // A copy for each: OpenSSL makes one that was resumed useless for the next.
      SSL_SESSION* session = SSL_SESSION_dup(session_to_resume);
      if (SSL_set_session(station.ssl, session) != 1) fail_tls("SSL_set_session");
      SSL_SESSION_free(session);
    }
    SSL_set_connect_state(station.ssl);
    station.handshaking = true;
  }

  void turn(const timespec* timeout = nullptr) {
    epoll_event events[256];
    const int count =
        timeout == nullptr ? epoll_wait(epoll_, events, 256, -1) : epoll_pwait2(epoll_, events, 256, timeout, nullptr);
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < count; ++i) {
      Station& station = *static_cast<Station*>(events[i].data.ptr);
      if (station.handshaking) {
        shake_hands(station);
        continue;
      }
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
    request_upgrade(station);
    watch(EPOLL_CTL_MOD, station, EPOLLIN);
  }

  void shake_hands(Station& station) {
    const int result = SSL_do_handshake(station.ssl);
    if (result != 1 && !would_block(station, result)) fail_tls("TLS handshake", station.ssl);
    if (result == 1) {
      if (session_to_resume != nullptr && SSL_session_reused(station.ssl) == 0) fail_tls("a session was not resumed");
      station.handshaking = false;
      request_upgrade(station);
    }
    watch(EPOLL_CTL_MOD, station, SSL_want_write(station.ssl) ? EPOLLOUT : EPOLLIN);
  }

  void request_upgrade(Station& station) {
    const std::string number = std::to_string(&station - stations_.data());
    const std::string request = "GET " + arguments_.path + "/CP" + number + " HTTP/1.1\r\nHost: " + arguments_.host +
                                ":" + std::to_string(arguments_.port) +
                                "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n";
    if (transmit(station, request.data(), request.size()) != request.size()) fail("send of the upgrade request");
  }

  void readable(Station& station) {
    do {
      const std::size_t size = receive(station);
      if (size == 0) return;
      if (!station.open) {
        upgraded(station, size);
        continue;
      }
      const std::uint32_t frames = count_frames(station, size);
      if (frames == 0) continue;
      const std::int64_t now = bench::now_ns();
      record(station, frames, now);
      if (schedule_ == nullptr) send_some(station, frames, now);
    } while (station.ssl != nullptr && SSL_has_pending(station.ssl) == 1);  // OpenSSL holds more than epoll knows of
  }

  void record(Station& station, std::uint32_t frames, std::int64_t now) {
    const auto index = static_cast<std::size_t>(&station - stations_.data());
    for (std::uint32_t i = 0; i < frames; ++i) {
      const std::int64_t begin =
          schedule_ == nullptr ? times_.answered(index) : schedule_->due(index, station.answered++);
      latency_.record(now - begin);
    }
    round_trips_ += frames;
  }

  // Bytes received; 0: nothing there.
  std::size_t receive(Station& station) {
    errno = 0;
    if (station.ssl == nullptr) {
      const ssize_t size = recv(station.socket, buffer_.data(), buffer_.size(), 0);
      if (size > 0) return static_cast<std::size_t>(size);
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
      fail(size == 0 ? "the server closed a connection" : "recv");
    }
    const int size = SSL_read(station.ssl, buffer_.data(), static_cast<int>(buffer_.size()));
    if (size > 0) return static_cast<std::size_t>(size);
    if (!would_block(station, size)) fail_tls("SSL_read");
    return 0;
  }

  // Bytes taken.
  std::size_t transmit(Station& station, const char* data, std::size_t size) {
    if (station.ssl == nullptr) {
      const ssize_t sent = send(station.socket, data, size, MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) fail("send");
      return sent < 0 ? 0 : static_cast<std::size_t>(sent);
    }
    std::size_t sent = 0;
    const int result = SSL_write_ex(station.ssl, data, size, &sent);
    if (result != 1 && !would_block(station, result)) fail_tls("SSL_write");
    return sent;
  }

  // Errors end the program, so none is ever left in OpenSSL's queue to be taken for a later call's.
  static bool would_block(const Station& station, int result) {
    const int error = SSL_get_error(station.ssl, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
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

  void send_some(Station& station, std::uint32_t messages, std::int64_t now) {
    messages = std::min(messages, station.to_send);
    if (messages == 0) return;
    if (schedule_ == nullptr) {
      for (std::uint32_t i = 0; i < messages; ++i) {
        times_.sent(static_cast<std::size_t>(&station - stations_.data()), now);
      }
    }
    station.to_send -= messages;
    station.unsent += messages * frame_.size();
    flush(station);
  }

  // All frames are alike, so what is unsent is known by its length alone.
  void flush(Station& station) {
    while (station.unsent != 0) {
      const std::size_t offset = (frame_.size() - station.unsent % frame_.size()) % frame_.size();
      const std::size_t size = std::min(station.unsent, burst_.size() - offset);
      const std::size_t sent = transmit(station, burst_.data() + offset, size);
      station.unsent -= sent;
      // OpenSSL takes a record at a time, so only the kernel's taking less means that it is full.
      if (sent == 0 || (sent < size && station.ssl == nullptr)) break;
    }
    const bool waits = station.unsent != 0;
    if (waits == station.waits_to_write) return;
    station.waits_to_write = waits;
    watch(EPOLL_CTL_MOD, station, waits ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  const bench::Arguments arguments_;
  const Options options_;
  const std::string frame_;
  const std::size_t echo_size_;  // the server does not mask
  std::string burst_;
  std::vector<Station> stations_;
  bench::SendTimes times_;
  bench::LatencyHistogram latency_;
  SSL_CTX* tls_;
  int epoll_;
  std::vector<char> buffer_;
  std::uint32_t dialed_ = 0;
  std::uint32_t open_ = 0;
  std::uint64_t round_trips_ = 0;
  const bench::Schedule* schedule_ = nullptr;  // while exchanging at a rate
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  const bench::Arguments arguments =
      bench::parse_arguments(argc, argv, "[--resume] [--read-ahead] [--rate R]", [&](bench::CommandLine& line) {
        if (line.option() == "--resume") {
          options.resume = true;
        } else if (line.option() == "--read-ahead") {
          options.read_ahead = true;
        } else if (line.option() == "--rate") {
          options.rate = line.number(1);
        } else {
          return false;
        }
        return true;
      });
  signal(SIGPIPE, SIG_IGN);
  bench::raise_descriptor_limit();
  RawClient client(arguments, options);
  const bench::Result result = client.run();
  bench::print(arguments, result, client.latency());
  return 0;
}
