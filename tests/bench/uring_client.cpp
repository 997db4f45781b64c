// What raw_client does over ws://, by io_uring in place of epoll: one multishot receive per connection into buffers
// that all share, sends gathered into the one system call of each turn.
//
//   uring_client --url ws://127.0.0.1:PORT/ocpp --stations N --in-flight K --messages M --size S [--no-defer]
//
//   --no-defer  the kernel completes when it likes, not only when this thread asks (IORING_SETUP_DEFER_TASKRUN)
//
// Talks to echo_server and prints one line of JSON.
#include <arpa/inet.h>
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "measurement.h"

namespace {

constexpr std::uint32_t dials_max = 64;
constexpr unsigned submissions = 4096;
constexpr unsigned completions = 65536;
// Of the ring that all connections share. A power of two.
constexpr unsigned buffers = 2048;
constexpr unsigned buffer_size = 4096;
constexpr int buffer_group = 0;

[[noreturn]] void fail(const char* what, int error) {
  std::fprintf(stderr, "uring_client: %s: %s\n", what, error == 0 ? "unexpected" : std::strerror(error));
  std::exit(1);
}

std::string masked_text_frame(std::size_t size) {
  std::string frame;
  frame.push_back('\x81');
  const int size_bytes = size < 126 ? 0 : size <= 0xffff ? 2 : 8;
  frame.push_back(static_cast<char>(0x80 | (size_bytes == 0 ? size : size_bytes == 2 ? 126 : 127)));
  for (int i = size_bytes - 1; i >= 0; --i) frame.push_back(static_cast<char>(size >> (8 * i)));
  frame.append(4, '\0');  // a mask of 0
  frame.append(size, 'x');
  return frame;
}

struct Station {
  int socket = -1;
  bool open = false;
  bool sending = false;
  std::string request;  // until it is sent
  std::uint32_t to_send = 0;
  std::size_t unsent = 0;
  std::size_t frame_bytes = 0;  // received of a frame that is not complete
};

enum class Operation : std::uint64_t { connect, request, receive, send };

class UringClient {
 public:
  UringClient(const bench::Arguments& arguments, bool defer)
      : arguments_(arguments),
        frame_(masked_text_frame(arguments.size)),
        echo_size_(frame_.size() - 4),
        stations_(arguments.stations),
        times_(arguments.stations, arguments.in_flight),
        memory_(std::make_unique<char[]>(std::size_t{buffers} * buffer_size)) {
    for (std::uint32_t i = 0; i < arguments.in_flight; ++i) burst_ += frame_;
    io_uring_params parameters{};
    parameters.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN;
    if (defer) parameters.flags |= IORING_SETUP_DEFER_TASKRUN;
    parameters.cq_entries = completions;
    check(io_uring_queue_init_params(submissions, &ring_, &parameters), "io_uring_queue_init_params");
    void* place = nullptr;
    if (posix_memalign(&place, 4096, buffers * sizeof(io_uring_buf)) != 0) fail("memory", ENOMEM);
    pool_ = static_cast<io_uring_buf_ring*>(place);
    io_uring_buf_ring_init(pool_);
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(pool_);
    registration.ring_entries = buffers;
    registration.bgid = buffer_group;
    check(io_uring_register_buf_ring(&ring_, &registration, 0), "io_uring_register_buf_ring");
    for (unsigned id = 0; id < buffers; ++id) give_back(id);
  }

  bench::Result run() {
    bench::Result result;
    result.client = "uring";
    const bench::Dialing dialing;
    for (std::uint32_t i = 0; i < dials_max; ++i) dial_next();
    while (open_ < arguments_.stations) turn();
    result.connected(dialing, arguments_.stations);

    for (Station& station : stations_) station.to_send = arguments_.messages;
    const bench::Stopwatch exchange;
    for (std::size_t i = 0; i < stations_.size(); ++i) send_some(i, arguments_.first_burst(), bench::now_ns());
    while (round_trips_ < arguments_.round_trips()) turn();
    result.exchanged(exchange, round_trips_);
    return result;
  }

  const bench::LatencyHistogram& latency() const { return latency_; }

 private:
  static void check(int result, const char* what) {
    if (result < 0) fail(what, -result);
  }

  // `prepare` fills the entry, all but whose it is.
  template <class Prepare>
  void submit(std::size_t station, Operation operation, Prepare prepare) {
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    if (entry == nullptr) {
      check(io_uring_submit(&ring_), "io_uring_submit");
      entry = io_uring_get_sqe(&ring_);
    }
    prepare(entry);
    io_uring_sqe_set_data64(entry, station << 2 | static_cast<std::uint64_t>(operation));
  }

  void give_back(unsigned id) {
    io_uring_buf_ring_add(pool_, memory_.get() + std::size_t{id} * buffer_size, buffer_size,
                          static_cast<unsigned short>(id), io_uring_buf_ring_mask(buffers), 0);
    io_uring_buf_ring_advance(pool_, 1);
  }

  void dial_next() {
    if (dialed_ == arguments_.stations) return;
    const std::uint32_t index = dialed_++;
    Station& station = stations_[index];
    station.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (station.socket < 0) fail("socket (is `ulimit -n` high enough?)", errno);
    const int on = 1;
    setsockopt(station.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (inet_pton(AF_INET, arguments_.host.c_str(), &address_.sin_addr) != 1) fail("HOST is not an IPv4 literal", 0);
    address_.sin_family = AF_INET;
    address_.sin_port = htons(arguments_.port);
    submit(index, Operation::connect, [&](io_uring_sqe* entry) {
      io_uring_prep_connect(entry, station.socket, reinterpret_cast<sockaddr*>(&address_), sizeof address_);
    });
  }

  void receive(std::size_t index) {
    submit(index, Operation::receive, [&](io_uring_sqe* entry) {
      io_uring_prep_recv_multishot(entry, stations_[index].socket, nullptr, 0, 0);
      entry->flags |= IOSQE_BUFFER_SELECT;
      entry->buf_group = buffer_group;
    });
  }

  void write(std::size_t index, Operation operation, const char* data, std::size_t size) {
    submit(index, operation,
           [&](io_uring_sqe* entry) { io_uring_prep_send(entry, stations_[index].socket, data, size, MSG_NOSIGNAL); });
  }

  void turn() {
    const int submitted = io_uring_submit_and_wait(&ring_, 1);
    if (submitted < 0 && submitted != -EINTR) fail("io_uring_submit_and_wait", -submitted);
    unsigned head = 0;
    unsigned seen = 0;
    io_uring_cqe* completion = nullptr;
    io_uring_for_each_cqe(&ring_, head, completion) {
      ++seen;
      complete(*completion);
    }
    io_uring_cq_advance(&ring_, seen);
  }

  void complete(const io_uring_cqe& completion) {
    const std::size_t index = completion.user_data >> 2;
    Station& station = stations_[index];
    const int result = completion.res;
    switch (static_cast<Operation>(completion.user_data & 3)) {
      case Operation::connect:
        check(result, "connect");
        station.request = "GET " + arguments_.path + "/CP" + std::to_string(index) +
                          " HTTP/1.1\r\nHost: " + arguments_.host + ":" + std::to_string(arguments_.port) +
                          "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n";
        write(index, Operation::request, station.request.data(), station.request.size());
        receive(index);
        break;
      case Operation::request:
        check(result, "send of the upgrade request");
        station.request = std::string();
        break;
      case Operation::receive:
        if (result > 0) {
          const unsigned id = completion.flags >> IORING_CQE_BUFFER_SHIFT;
          received(index,
                   std::string_view(memory_.get() + std::size_t{id} * buffer_size, static_cast<unsigned>(result)));
          give_back(id);
        } else if (result != -ENOBUFS) {
          fail(result == 0 ? "the server closed a connection" : "recv", -result);
        }
        if ((completion.flags & IORING_CQE_F_MORE) == 0) receive(index);
        break;
      case Operation::send:
        check(result, "send");
        station.unsent -= static_cast<std::size_t>(result);
        station.sending = false;
        flush(index);
        break;
    }
  }

  void received(std::size_t index, std::string_view bytes) {
    Station& station = stations_[index];
    if (!station.open) {
      if (bytes.substr(0, 12) != "HTTP/1.1 101" || bytes.substr(bytes.size() - 4) != "\r\n\r\n") fail("upgrade", 0);
      station.open = true;
      ++open_;
      return dial_next();
    }
    const std::size_t all = station.frame_bytes + bytes.size();
    if (station.frame_bytes == 0 && bytes.front() != '\x81') fail("the server sent something other than the echo", 0);
    station.frame_bytes = all % echo_size_;
    const auto frames = static_cast<std::uint32_t>(all / echo_size_);
    if (frames == 0) return;
    const std::int64_t now = bench::now_ns();
    for (std::uint32_t i = 0; i < frames; ++i) latency_.record(now - times_.answered(index));
    round_trips_ += frames;
    send_some(index, frames, now);
  }

  void send_some(std::size_t index, std::uint32_t messages, std::int64_t now) {
    Station& station = stations_[index];
    messages = std::min(messages, station.to_send);
    for (std::uint32_t i = 0; i < messages; ++i) times_.sent(index, now);
    station.to_send -= messages;
    station.unsent += messages * frame_.size();
    flush(index);
  }

  // All frames are alike, so what is unsent is known by its length alone.
  void flush(std::size_t index) {
    Station& station = stations_[index];
    if (station.sending || station.unsent == 0) return;
    station.sending = true;
    const std::size_t offset = (frame_.size() - station.unsent % frame_.size()) % frame_.size();
    write(index, Operation::send, burst_.data() + offset, std::min(station.unsent, burst_.size() - offset));
  }

  const bench::Arguments arguments_;
  const std::string frame_;
  const std::size_t echo_size_;  // the server does not mask
  std::string burst_;
  std::vector<Station> stations_;
  bench::SendTimes times_;
  bench::LatencyHistogram latency_;
  const std::unique_ptr<char[]> memory_;
  io_uring ring_{};
  io_uring_buf_ring* pool_ = nullptr;
  sockaddr_in address_{};
  std::uint32_t dialed_ = 0;
  std::uint32_t open_ = 0;
  std::uint64_t round_trips_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  bool defer = true;
  const bench::Arguments arguments = bench::parse_arguments(argc, argv, "[--no-defer]", [&](bench::CommandLine& line) {
    if (line.option() != "--no-defer") return false;
    defer = false;
    return true;
  });
  bench::raise_descriptor_limit();
  UringClient client(arguments, defer);
  const bench::Result result = client.run();
  bench::print(arguments, result, client.latency());
  return 0;
}
