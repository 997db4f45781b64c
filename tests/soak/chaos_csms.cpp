#include "chaos_csms.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

using namespace std::chrono_literals;

namespace {

std::string close_payload(int code) { return {static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)}; }

}  // namespace

ChaosCsms::ChaosCsms(std::uint32_t seed) : random_(seed) {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  next_outage_ = Clock::now() + 5s;
  thread_ = std::thread([this] { run(); });
}

ChaosCsms::~ChaosCsms() {
  stopping_ = true;
  thread_.join();
  while (!connections_.empty()) drop(connections_.begin()->first, true);
  for (const int descriptor : {listener_, epoll_}) {
    if (descriptor >= 0) ::close(descriptor);
  }
}

void ChaosCsms::run() {
  std::array<epoll_event, 256> events;
  while (!stopping_) {
    const auto now = Clock::now();
    if (listener_ < 0 && (calm_ || now >= away_until_)) {
      listener_ = port_.listen();
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.fd = listener_;
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event);
    } else if (listener_ >= 0 && !calm_ && now >= next_outage_) {
      // The whole of it goes away, now and then.
      ++faults_;
      ::close(std::exchange(listener_, -1));
      while (!connections_.empty()) drop(connections_.begin()->first, chance(0.5));
      away_until_ = now + std::chrono::milliseconds(std::uniform_int_distribution<>(100, 3000)(random_));
      next_outage_ = away_until_ + std::chrono::milliseconds(std::uniform_int_distribution<>(5000, 30000)(random_));
    }
    end_the_overdue();
    const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 20);
    for (int i = 0; i < ready; ++i) {
      const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
      if (descriptor == listener_) {
        accept_all();
      } else {
        read(descriptor);
      }
    }
  }
}

void ChaosCsms::end_the_overdue() {
  const auto now = Clock::now();
  for (auto it = connections_.begin(); it != connections_.end();) {
    const auto& [descriptor, connection] = *it++;
    const bool suffers = connection.silent || connection.deaf;
    if (now >= connection.ends_at || (calm_ && suffers)) drop(descriptor, true);
  }
}

void ChaosCsms::accept_all() {
  for (;;) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) return;
    Connection& connection = connections_[descriptor];
    connection = Connection();
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
    if (chance(0.02)) {
      misbehave(descriptor, connection, {&ChaosCsms::hang_up, &ChaosCsms::reset, &ChaosCsms::fall_silent});
    }
  }
}

void ChaosCsms::read(int descriptor) {
  const auto found = connections_.find(descriptor);
  if (found == connections_.end()) return;
  std::array<char, 65536> buffer;
  const ssize_t size = ::recv(descriptor, buffer.data(), buffer.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return drop(descriptor, false);
  if (found->second.silent) return;
  found->second.input.append(buffer.data(), static_cast<std::size_t>(size));
  serve(descriptor, found->second);
}

void ChaosCsms::serve(int descriptor, Connection& connection) {
  if (connection.upgraded) return take_frames(descriptor, connection);
  if (connection.input.find("\r\n\r\n") == std::string::npos) return;
  if (chance(0.03)) {
    return misbehave(descriptor, connection,
                     {&ChaosCsms::refuse, &ChaosCsms::answer_nonsense, &ChaosCsms::hang_up, &ChaosCsms::reset,
                      &ChaosCsms::fall_silent});
  }
  const std::string answer = raw::Connection::upgrade_answer(connection.input);
  connection.input.clear();
  connection.upgraded = true;
  send(descriptor, answer);
}

void ChaosCsms::take_frames(int descriptor, Connection& connection) {
  std::size_t at = 0;
  while (const auto frame = raw::frame_at(connection.input, at)) {
    if (frame->opcode == raw::ping) send(descriptor, raw::frame(raw::pong, frame->payload));
    if (frame->opcode == raw::close) {
      send(descriptor, raw::frame(raw::close, frame->payload));
      return drop(descriptor, false);
    }
    if (frame->opcode == raw::text) {
      ++messages_;
      if (chance(0.2)) send(descriptor, raw::frame(raw::text, R"([3,"1",{}])"));
    }
    if (chance(0.01)) {
      return misbehave(descriptor, connection,
                       {&ChaosCsms::hang_up, &ChaosCsms::reset, &ChaosCsms::fall_silent, &ChaosCsms::fall_deaf,
                        &ChaosCsms::close_with_code, &ChaosCsms::break_the_protocol, &ChaosCsms::stop_in_a_frame});
    }
  }
  connection.input.erase(0, at);
}

void ChaosCsms::misbehave(int descriptor, Connection& connection, const std::vector<Fault>& faults) {
  ++faults_;
  const Fault fault = faults[std::uniform_int_distribution<std::size_t>(0, faults.size() - 1)(random_)];
  (this->*fault)(descriptor, connection);
}

void ChaosCsms::send(int descriptor, const std::string& bytes) {
  (void)::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);  // whoever is not there any more is read as gone
}

void ChaosCsms::drop(int descriptor, bool reset) {
  if (reset) {
    const linger at_once{1, 0};
    ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  connections_.erase(descriptor);
  ::close(descriptor);
}

void ChaosCsms::refuse(int descriptor, Connection&) {
  static constexpr std::array<const char*, 8> kAnswers = {"401 Unauthorized",
                                                          "403 Forbidden",
                                                          "404 Not Found",
                                                          "426 Upgrade Required",
                                                          "429 Too Many Requests",
                                                          "500 Internal Server Error",
                                                          "503 Service Unavailable\r\nRetry-After: 1",
                                                          "302 Found\r\nLocation: ws://127.0.0.1:1/"};
  send(descriptor, "HTTP/1.1 " + std::string(kAnswers[random_() % kAnswers.size()]) + "\r\nContent-Length: 0\r\n\r\n");
  drop(descriptor, false);
}

void ChaosCsms::answer_nonsense(int descriptor, Connection& connection) {
  std::string answer = raw::Connection::upgrade_answer(connection.input);
  answer[random_() % answer.size()] ^= static_cast<char>(1 + random_() % 127);
  connection.upgraded = true;  // it may have been harmless
  connection.input.clear();
  send(descriptor, answer);
}

void ChaosCsms::hang_up(int descriptor, Connection&) { drop(descriptor, false); }

void ChaosCsms::reset(int descriptor, Connection&) { drop(descriptor, true); }

void ChaosCsms::fall_silent(int, Connection& connection) {
  connection.silent = true;
  connection.ends_at = Clock::now() + 20s;
}

void ChaosCsms::fall_deaf(int descriptor, Connection& connection) {
  connection.deaf = true;
  connection.ends_at = Clock::now() + 20s;
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
}

void ChaosCsms::close_with_code(int descriptor, Connection&) {
  static constexpr std::array<int, 8> kCodes = {1000, 1001, 1002, 1008, 1011, 3000, 4999, 1012};
  send(descriptor, raw::frame(raw::close, close_payload(kCodes[random_() % kCodes.size()])));
  drop(descriptor, false);
}

void ChaosCsms::break_the_protocol(int descriptor, Connection& connection) {
  std::string bytes(16, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random_());
  send(descriptor, bytes);
  fall_silent(descriptor, connection);
}

void ChaosCsms::stop_in_a_frame(int descriptor, Connection& connection) {
  send(descriptor, raw::frame(raw::text, std::string(1000, 'x')).substr(0, 500));
  fall_silent(descriptor, connection);
}
