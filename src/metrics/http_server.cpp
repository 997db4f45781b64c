#include "metrics/http_server.h"

#include <sys/socket.h>

#include <algorithm>
#include <asio/ip/tcp.hpp>
#include <cerrno>
#include <chrono>
#include <new>
#include <utility>

#include "base/failure.h"
#include "net/errno_text.h"

namespace cwire {

namespace {

constexpr auto kRequestTime = std::chrono::seconds(5);          // until the request is here
constexpr auto kAnswerTime = std::chrono::seconds(30);          // until the answer is taken
constexpr auto kNewConnectionsPause = std::chrono::seconds(1);  // when one could not be accepted
constexpr int kBacklog = 64;

int listening_socket(const asio::ip::tcp::endpoint& local) {
  Socket socket(open_tcp_socket(local.protocol().family()));
  const int on = 1;
  // Or a manager that is made anew would have to wait for the connections of the one before.
  if (socket.get() < 0 || ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(socket.get(), local.data(), static_cast<socklen_t>(local.size())) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    const int error = errno;
    std::string text = "metrics.listen: cannot listen on " + endpoint_text(local) + ": ";
    if (is_local_failure(error)) {
      throw Error(CWIRE_E_INTERNAL, text + errno_text(error) + "; " + errno_advice(error), FailurePhase::none,
                  os_error(error));
    }
    text += error == EADDRINUSE      ? "another socket listens there; give each manager a port of its own, or port 0"
            : error == EADDRNOTAVAIL ? "this machine has no such address; give one that it has, or a port alone"
            : error == EACCES        ? "not permitted; give a port from 1024 on"
                                     : errno_text(error) + "; give another address or port";
    throw Error(CWIRE_E_CONFIG, text, FailurePhase::none, os_error(error));
  }
  return socket.release();
}

asio::ip::tcp::endpoint local_address(int socket, asio::ip::tcp::endpoint local) {
  socklen_t size = static_cast<socklen_t>(local.capacity());
  if (::getsockname(socket, local.data(), &size) != 0) {
    throw Error(CWIRE_E_INTERNAL, "metrics.listen: the port is not to be learned: " + errno_text(errno),
                FailurePhase::none, os_error(errno));
  }
  local.resize(size);
  return local;
}

}  // namespace

class HttpServer::Connection final : private Poller::Watcher, private TimerQueue::Timer {
 public:
  // Takes the socket.
  Connection(HttpServer& server, Socket& socket) : server_(server), socket_(socket.release()) {
    IoThread& thread = server_.thread_;
    thread.timers().register_timer();
    try {
      thread.poller().add(socket_.get(), *this, true, false);
    } catch (...) {
      thread.timers().unregister_timer(*this);
      throw;
    }
    thread.timers().arm(*this, thread.now() + kRequestTime);
  }
  ~Connection() {
    server_.thread_.poller().remove(socket_.get(), *this);
    server_.thread_.timers().unregister_timer(*this);
  }

  bool is_over() const { return over_; }

 private:
  void on_ready(bool readable, bool writable) override {
    try {
      if (answer_.empty()) {
        if (readable) read();
      } else if (writable) {
        write();
      }
    } catch (...) {
      over_ = true;  // no memory: this one asks again
    }
  }
  void on_timer(TimePoint) override { over_ = true; }

  void read() {
    char* buffer = server_.thread_.receive_buffer();
    const ssize_t size = ::recv(socket_.get(), buffer, IoThread::kReceiveBufferSize, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) {
      over_ = true;
      return;
    }
    if (!request_.take({buffer, static_cast<std::size_t>(size)})) return;
    int status = request_.status();
    std::string body;
    try {
      if (status == 200) body = server_.source_(request_.format());
    } catch (const std::bad_alloc&) {
      status = 500;
    }
    answer_ = http_answer(status, request_, std::move(body));
    server_.thread_.timers().arm(*this, Clock::now() + kAnswerTime);
    write();
  }

  void write() {
    while (sent_ < answer_.size()) {
      const ssize_t size = ::send(socket_.get(), answer_.data() + sent_, answer_.size() - sent_, MSG_NOSIGNAL);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && errno == EAGAIN) {
        server_.thread_.poller().change(socket_.get(), *this, false, true);
        return;
      }
      if (size < 0) break;
      sent_ += static_cast<std::size_t>(size);
    }
    finish_sending(socket_.get());
    over_ = true;
  }

  HttpServer& server_;
  Socket socket_;
  HttpRequest request_;
  std::string answer_;
  std::size_t sent_ = 0;
  bool over_ = false;
};

HttpServer::HttpServer(const ListenAddress& address, Source source)
    : source_(std::move(source)), thread_(*this, "cwire-metrics") {
  const asio::ip::tcp::endpoint local(asio::ip::make_address(address.address), address.port);
  listener_.reset(listening_socket(local));
  url_ = "http://" + endpoint_text(local_address(listener_.get(), local)) + "/metrics";
  connections_.reserve(kConnectionsMax);
  thread_.timers().register_timer();
  try {
    thread_.poller().add(listener_.get(), *this, true, false);
    thread_.start();
  } catch (...) {
    thread_.timers().unregister_timer(*this);
    throw;
  }
}

HttpServer::~HttpServer() {
  thread_.stop();
  thread_.join();
  connections_.clear();
  thread_.poller().remove(listener_.get(), *this);
  thread_.timers().unregister_timer(*this);
}

void HttpServer::on_ready(bool, bool) { accept_all(); }

void HttpServer::on_timer(TimePoint) { listen(connections_.size() < kConnectionsMax); }

// Who connects meanwhile waits in the backlog.
void HttpServer::listen(bool on) {
  try {
    thread_.poller().change(listener_.get(), *this, on, false);
  } catch (...) {
    thread_.timers().arm(*this, thread_.now() + kNewConnectionsPause);
  }
}

void HttpServer::accept_all() {
  while (connections_.size() < kConnectionsMax) {
    Socket socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.get() < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN) return;
      // Out of descriptors: it would be ready again at once.
      listen(false);
      thread_.timers().arm(*this, thread_.now() + kNewConnectionsPause);
      return;
    }
    try {
      connections_.push_back(std::make_unique<Connection>(*this, socket));
    } catch (...) {
      // No memory for it: closed.
    }
  }
  listen(false);
}

void HttpServer::end_of_turn() {
  const std::size_t before = connections_.size();
  const auto over = [](const std::unique_ptr<Connection>& connection) { return connection->is_over(); };
  connections_.erase(std::remove_if(connections_.begin(), connections_.end(), over), connections_.end());
  if (before == kConnectionsMax && connections_.size() < kConnectionsMax) listen(true);
}

}  // namespace cwire
