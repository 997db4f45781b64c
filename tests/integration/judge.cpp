#include "judge.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>

Judge::Judge(std::chrono::milliseconds handshake) : handshake_(handshake) {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  wake_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
  listen_again();
  thread_ = std::thread([this] { run(); });
}

Judge::~Judge() {
  order([this] { stopping_ = true; });
  thread_.join();
  while (!connections_.empty()) drop(connections_.begin()->first, true);
  for (const int descriptor : {listener_, epoll_, wake_}) {
    if (descriptor >= 0) ::close(descriptor);
  }
}

void Judge::die() {
  order([this] {
    ::close(std::exchange(listener_, -1));
    while (!connections_.empty()) drop(connections_.begin()->first, true);
  });
}

void Judge::come_back() {
  order([this] {
    last_second_.clear();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      findings_ = Findings();
    }
    listen_again();
  });
}

void Judge::flap(bool on) {
  order([this, on] { flapping_ = on; });
}

Judge::Findings Judge::findings() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return findings_;
}

bool Judge::wait_until(const std::function<bool(const Findings&)>& holds, std::chrono::milliseconds at_most) const {
  std::unique_lock<std::mutex> lock(mutex_);
  return changed_.wait_for(lock, at_most, [&] { return holds(findings_); });
}

// Carried out by the thread before this returns.
void Judge::order(std::function<void()> what) {
  std::unique_lock<std::mutex> lock(mutex_);
  orders_.push_back(std::move(what));
  const std::uint64_t number = ++orders_given_;
  const std::uint64_t one = 1;
  if (::write(wake_, &one, sizeof one) < 0) throw std::runtime_error("the judge cannot be woken");
  changed_.wait(lock, [&] { return orders_done_ >= number; });
}

void Judge::obey() {
  std::uint64_t times;
  if (::read(wake_, &times, sizeof times) < 0) return;
  std::vector<std::function<void()>> orders;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    orders.swap(orders_);
  }
  for (const auto& what : orders) what();
  const std::lock_guard<std::mutex> lock(mutex_);
  orders_done_ += orders.size();
  changed_.notify_all();
}

void Judge::listen_again() {
  listener_ = port_.listen();
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener_;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event);
}

void Judge::run() {
  std::array<epoll_event, 256> events;
  while (!stopping_) {
    int timeout_ms = -1;
    if (!due_.empty()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(due_.front().at - Clock::now());
      timeout_ms = static_cast<int>(std::max<std::int64_t>(0, left.count()));
    }
    const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_ms);
    for (int i = 0; i < ready; ++i) {
      const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
      if (descriptor == wake_) {
        obey();
      } else if (descriptor == listener_) {
        accept_all();
      } else {
        read(descriptor);
      }
    }
    answer_due();
  }
}

void Judge::accept_all() {
  for (;;) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) return;
    Connection& connection = connections_[descriptor];
    connection = Connection();
    connection.number = ++accepted_;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
    const auto now = Clock::now();
    last_second_.push_back(now);
    while (now - last_second_.front() >= std::chrono::seconds(1)) last_second_.pop_front();
    const std::lock_guard<std::mutex> lock(mutex_);
    if (findings_.handshakes++ == 0) first_ = now;
    const auto second =
        static_cast<std::size_t>(std::chrono::duration_cast<std::chrono::seconds>(now - first_).count());
    if (findings_.begun.size() <= second) findings_.begun.resize(second + 1);
    ++findings_.begun[second];
    findings_.busiest_second = std::max(findings_.busiest_second, last_second_.size());
    findings_.handshakes_peak = std::max(findings_.handshakes_peak, ++under_way_);
  }
}

void Judge::answer_due() {
  const auto now = Clock::now();
  while (!due_.empty() && due_.front().at <= now) {
    const Due due = due_.front();
    due_.pop_front();
    const auto found = connections_.find(due.descriptor);
    if (found == connections_.end() || found->second.number != due.number) continue;
    Connection& connection = found->second;
    const std::string answer = raw::Connection::upgrade_answer(connection.input);
    connection.input.clear();
    connection.state = Connection::State::open;
    --under_way_;
    if (::send(due.descriptor, answer.data(), answer.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(answer.size()) ||
        flapping_) {
      ::shutdown(due.descriptor, SHUT_WR);
      drop(due.descriptor, false);
      continue;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    ++findings_.open;
    changed_.notify_all();
  }
}

void Judge::read(int descriptor) {
  const auto found = connections_.find(descriptor);
  if (found == connections_.end()) return;
  std::array<char, 16384> buffer;
  const ssize_t size = ::recv(descriptor, buffer.data(), buffer.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return drop(descriptor, false);
  found->second.input.append(buffer.data(), static_cast<std::size_t>(size));
  serve(descriptor, found->second);
}

void Judge::serve(int descriptor, Connection& connection) {
  if (connection.state == Connection::State::reading_request &&
      connection.input.find("\r\n\r\n") != std::string::npos) {
    connection.state = Connection::State::waiting;
    due_.push_back({Clock::now() + handshake_, descriptor, connection.number});
  }
  if (connection.state != Connection::State::open) return;
  std::size_t at = 0;
  while (const auto frame = raw::frame_at(connection.input, at)) {
    if (frame->opcode == raw::ping || frame->opcode == raw::close) {
      const std::string answer = raw::frame(frame->opcode == raw::ping ? raw::pong : raw::close, frame->payload);
      (void)::send(descriptor, answer.data(), answer.size(), MSG_NOSIGNAL);
      if (frame->opcode == raw::close) return drop(descriptor, false);
    } else if (frame->opcode == raw::text) {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++findings_.messages;
      changed_.notify_all();
    }
  }
  connection.input.erase(0, at);
}

void Judge::drop(int descriptor, bool reset) {
  if (reset) {
    const linger at_once{1, 0};
    ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  const auto found = connections_.find(descriptor);
  const bool was_open = found->second.state == Connection::State::open;
  connections_.erase(found);
  ::close(descriptor);
  if (!was_open) --under_way_;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (was_open && findings_.open > 0) --findings_.open;
  changed_.notify_all();
}
