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

constexpr auto kRequestTime = std::chrono::seconds(5);  // until the request is here
constexpr auto kAnswerTime = std::chrono::seconds(30);  // until the answer is taken
constexpr auto kLeastTime = std::chrono::seconds(1);    // for both, where others wait
constexpr auto kLookAgainTime = std::chrono::seconds(1);
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

// "::ffff:127.0.0.1" too.
bool is_loopback(const asio::ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address.is_loopback();
  return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback();
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
  Connection(HttpServer& server, Socket& socket)
      : server_(server), socket_(socket.release()), came_(server.thread_.now()), request_(server.is_local_) {
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
  TimePoint came() const { return came_; }
  bool is_behind(std::uint64_t number) const { return text_ != nullptr && text_->number + kTextsMax <= number; }
  // At once: what the kernel has of the answer goes with it.
  void give_up() {
    const linger nothing{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &nothing, sizeof nothing);
    text_.reset();
    over_ = true;
  }

 private:
  void on_ready(bool readable, bool writable) override {
    if (over_) return;
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
  void on_timer(TimePoint) override { give_up(); }

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
    try {
      if (status == 200) text_ = server_.text(request_.format());
    } catch (const std::bad_alloc&) {
      status = 500;
    }
    answer_ = http_answer(status, request_, text_ != nullptr ? text_->body.size() : 0);
    if (request_.is_head()) text_.reset();
    server_.thread_.timers().arm(*this, Clock::now() + kAnswerTime);
    write();
  }

  void write() {
    for (;;) {
      const std::string_view rest = unsent();
      if (rest.empty()) break;
      const ssize_t size = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
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

  std::string_view unsent() const {
    if (sent_ < answer_.size()) return std::string_view(answer_).substr(sent_);
    return text_ != nullptr ? std::string_view(text_->body).substr(sent_ - answer_.size()) : std::string_view();
  }

  HttpServer& server_;
  Socket socket_;
  const TimePoint came_;
  HttpRequest request_;
  std::string answer_;                // and then
  std::shared_ptr<const Text> text_;  // if there is one
  std::size_t sent_ = 0;              // of both
  bool over_ = false;
};

HttpServer::HttpServer(const ListenAddress& address, Source source, Duration shared_for)
    : source_(std::move(source)), shared_for_(shared_for), thread_(*this, "cwire-metrics") {
  const asio::ip::tcp::endpoint local(asio::ip::make_address(address.address), address.port);
  is_local_ = is_loopback(local.address());
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

void HttpServer::on_timer(TimePoint now) {
  looks_again_ = false;
  for (auto& text : latest_) {
    if (text == nullptr) continue;
    if (now - text->made >= shared_for_) {
      text.reset();
    } else {
      look_again();
    }
  }
  listen(true);
}

void HttpServer::look_again() {
  if (!std::exchange(looks_again_, true)) thread_.timers().arm(*this, thread_.now() + kLookAgainTime);
}

// Who connects meanwhile waits in the backlog.
void HttpServer::listen(bool on) {
  try {
    thread_.poller().change(listener_.get(), *this, on, false);
  } catch (...) {
    look_again();
  }
}

void HttpServer::accept_all() {
  for (;;) {
    const bool is_full = connections_.size() >= kConnectionsMax;
    Socket socket;
    if (!is_full || thread_.now() - connections_.front()->came() >= kLeastTime) {
      socket.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (socket.get() < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
      if (socket.get() < 0 && errno == EAGAIN) return;
    }
    if (socket.get() < 0) {
      // Nobody to make room, or out of descriptors: it would be ready again at once.
      listen(false);
      look_again();
      return;
    }
    if (is_full) {
      connections_.front()->give_up();
      connections_.erase(connections_.begin());
    }
    try {
      connections_.push_back(std::make_unique<Connection>(*this, socket));
    } catch (...) {
      // No memory for it: closed.
    }
  }
}

// Who still writes a text that is kTextsMax older than the new one has to go, or each would keep one of its own.
std::shared_ptr<const HttpServer::Text> HttpServer::text(MetricsFormat format) {
  std::shared_ptr<const Text>& latest = latest_[static_cast<std::size_t>(format)];
  if (latest != nullptr && Clock::now() - latest->made < shared_for_) return latest;
  latest.reset();
  ++texts_made_;
  for (const auto& connection : connections_) {
    if (connection->is_behind(texts_made_)) connection->give_up();
  }
  std::string body = source_(format);
  latest = std::make_shared<const Text>(Text{std::move(body), texts_made_, Clock::now()});
  look_again();
  return latest;
}

void HttpServer::end_of_turn() {
  const std::size_t before = connections_.size();
  const auto over = [](const std::unique_ptr<Connection>& connection) { return connection->is_over(); };
  connections_.erase(std::remove_if(connections_.begin(), connections_.end(), over), connections_.end());
  if (before == kConnectionsMax && connections_.size() < kConnectionsMax) listen(true);
}

}  // namespace cwire
