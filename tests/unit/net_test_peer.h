#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "net/channel.h"
#include "net/io_thread.h"
#include "net/resolver.h"

// The other side of a connection, with plain blocking sockets, and what a test needs to drive an IoThread from outside.
namespace peer {

constexpr int kPatience_ms = 20000;  // a hang becomes a failed test

// A connected socket.
class Connection {
 public:
  explicit Connection(int descriptor) : descriptor_(descriptor) {}
  Connection(Connection&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Connection& operator=(Connection&&) = delete;
  ~Connection() { close(); }

  int descriptor() const { return descriptor_; }
  // Of whoever dialled; IPv4.
  std::string remote_address() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    char text[INET_ADDRSTRLEN] = "";
    ::getpeername(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
    return ::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
  }
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }
  // Closes with RST instead of FIN.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }
  void send(const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t n = ::send(descriptor_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n < 0) throw std::runtime_error("peer: send");
      sent += static_cast<std::size_t>(n);
    }
  }
  // Up to `size` bytes; fewer if the other side closes. Throws when nothing comes for too long.
  std::string receive(std::size_t size) {
    std::string bytes;
    char buffer[65536];
    while (bytes.size() < size) {
      pollfd ready{descriptor_, POLLIN, 0};
      if (::poll(&ready, 1, kPatience_ms) != 1) throw std::runtime_error("peer: nothing to receive");
      const ssize_t n = ::recv(descriptor_, buffer, std::min(sizeof buffer, size - bytes.size()), 0);
      if (n <= 0) break;
      bytes.append(buffer, static_cast<std::size_t>(n));
    }
    return bytes;
  }

 private:
  int descriptor_;
};

// A listening socket, on a port of the kernel's choice unless one is given.
class Listener {
 public:
  explicit Listener(int family = AF_INET, int backlog = 16, const char* v4_address = "127.0.0.1",
                    std::uint16_t port = 0) {
    descriptor_ = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_storage address{};
    socklen_t size;
    if (family == AF_INET) {
      auto& v4 = reinterpret_cast<sockaddr_in&>(address);
      v4.sin_family = AF_INET;
      v4.sin_addr.s_addr = ::inet_addr(v4_address);
      v4.sin_port = htons(port);
      size = sizeof v4;
    } else {
      auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
      v6.sin6_family = AF_INET6;
      v6.sin6_addr = in6addr_loopback;
      size = sizeof v6;
    }
    if (::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(descriptor_, backlog) != 0) {
      throw std::runtime_error("peer: listen");
    }
    ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);  // at the same place in both
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { close(); }

  std::uint16_t port() const { return port_; }
  Connection accept() {
    pollfd ready{descriptor_, POLLIN, 0};
    if (::poll(&ready, 1, kPatience_ms) != 1) throw std::runtime_error("peer: nobody connects");
    return Connection(::accept(descriptor_, nullptr, nullptr));
  }
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

 private:
  int descriptor_;
  std::uint16_t port_;
};

// Listens and accepts nobody: once the one connection that the kernel queues is there, whoever
// dials it sends SYNs into a black hole.
class Deaf {
 public:
  explicit Deaf(const char* v4_address = "127.0.0.1") : listener_(AF_INET, 0, v4_address) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(listener_.port());
    for (int i = 0; i < 3; ++i) {
      const int filler = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      fillers_.emplace_back(filler);
      ::connect(filler, reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
  }
  std::uint16_t port() const { return listener_.port(); }

 private:
  Listener listener_;
  std::vector<Connection> fillers_;
};

// A port on which nobody listens, kept from others as long as this lives: bound, but not listening.
class ClosedPort {
 public:
  ClosedPort() {
    descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), size) != 0) throw std::runtime_error("peer: bind");
    ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ClosedPort(const ClosedPort&) = delete;
  ClosedPort& operator=(const ClosedPort&) = delete;
  ~ClosedPort() { ::close(descriptor_); }
  std::uint16_t port() const { return port_; }

 private:
  int descriptor_;
  std::uint16_t port_;
};

// A running IoThread. run() executes on it and waits.
class Loop : public cwire::IoThread::Owner {
 public:
  Loop() : thread_(*this) { thread_.start(); }
  ~Loop() {
    thread_.stop();
    thread_.join();
  }
  cwire::IoThread& thread() { return thread_; }

  template <typename Body>
  auto run(Body body) -> decltype(body()) {
    std::packaged_task<decltype(body())()> task(std::move(body));
    auto result = task.get_future();
    thread_.post([&task] { task(); });
    return result.get();
  }
  // Called at the end of each turn, on the thread.
  std::function<void()> on_end_of_turn;

  void begin_thread() override {}
  void end_of_turn() override {
    if (on_end_of_turn) on_end_of_turn();
  }

 private:
  cwire::IoThread thread_;
};

// What a channel told, readable from the test's thread.
class Record : public cwire::ChannelListener {
 public:
  // Called on the I/O thread after the event was noted; each may be empty.
  std::function<void()> when_open;
  std::function<void(const char*, std::size_t)> when_data;
  std::function<void()> when_writable;
  std::function<void()> when_end;
  std::function<void()> when_failed;
  bool keep_data = true;

  void on_channel_open() override {
    note([this] { opened_ = true; });
    if (when_open) when_open();
  }
  void on_channel_data(const char* data, std::size_t size) override {
    note([&] {
      bytes_ += size;
      if (keep_data) data_.append(data, size);
    });
    if (when_data) when_data(data, size);
  }
  void on_channel_writable() override {
    note([this] { ++writables_; });
    if (when_writable) when_writable();
  }
  void on_channel_end() override {
    note([this] {
      ended_ = true;
      ++ends_;
    });
    if (when_end) when_end();
  }
  void on_channel_failed(cwire::Failure failure) override {
    note([&] {
      failure_ = std::move(failure);
      ++ends_;
    });
    if (when_failed) when_failed();
  }

  // Waits for the event; false if it does not come.
  bool wait_open() {
    return wait([this] { return opened_ || ends_ > 0; }) && opened_;
  }
  bool wait_end() {
    return wait([this] { return ends_ > 0; }) && ended_;
  }
  cwire::Failure wait_failure() {
    wait([this] { return ends_ > 0; });
    const std::lock_guard<std::mutex> lock(mutex_);
    return failure_;
  }
  bool wait_bytes(std::size_t size) {
    return wait([=] { return bytes_ >= size || ends_ > 0; }) && bytes() >= size;
  }
  bool wait_writable() {
    return wait([this] { return writables_ > 0; });
  }
  std::string data() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return data_;
  }
  std::size_t bytes() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return bytes_;
  }
  int ends() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return ends_;
  }
  bool opened() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return opened_;
  }

 private:
  template <typename Change>
  void note(Change change) {
    const std::lock_guard<std::mutex> lock(mutex_);
    change();
    changed_.notify_all();
  }
  template <typename Condition>
  bool wait(Condition condition) {
    std::unique_lock<std::mutex> lock(mutex_);
    // system_clock: ThreadSanitizer does not know the call behind waits on the steady clock.
    const auto until = std::chrono::system_clock::now() + std::chrono::milliseconds(kPatience_ms);
    return changed_.wait_until(lock, until, [&] { return condition(); });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool opened_ = false;
  bool ended_ = false;
  int ends_ = 0;
  int writables_ = 0;
  std::size_t bytes_ = 0;
  std::string data_;
  cwire::Failure failure_;
};

// A channel with its thread, resolver and record. `channel` is used on the thread only.
struct Dialled {
  Loop loop;
  cwire::Resolver resolver;
  Record record;
  std::unique_ptr<cwire::Channel> channel;

  Dialled() = default;
  explicit Dialled(cwire::Resolver::Lookup lookup) : resolver(std::move(lookup)) {}
  ~Dialled() {
    loop.run([this] { channel.reset(); });
  }
  void open(cwire::Channel::Target target) {
    loop.run([&] {
      channel = std::make_unique<cwire::Channel>(loop.thread(), resolver, record);
      channel->open(std::move(target));
    });
  }
  void open(const std::string& host, std::uint16_t port) {
    cwire::Channel::Target target;
    target.host = host;
    target.port = port;
    open(std::move(target));
  }
  std::string peer() {
    return loop.run([this] { return channel->peer(); });
  }
  void write(const std::string& bytes) {
    loop.run([&] {
      std::string output = bytes;
      channel->write(output);
    });
  }
};

}  // namespace peer
