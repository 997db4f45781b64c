#include "delay_relay.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace raw {

namespace {

void do_not_wait_to_fill_segments(int descriptor) {
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

DelayRelay::DelayRelay(std::uint16_t port, Delay delay) : target_(port), delay_(std::move(delay)) {
  if (::pipe2(wake_, O_CLOEXEC) != 0) throw std::runtime_error("delay relay: pipe");
  thread_ = std::thread([this] { serve(); });
}

DelayRelay::~DelayRelay() {
  ends_ = true;
  while (::write(wake_[1], "", 1) < 0 && errno == EINTR) {
  }
  thread_.join();
  ::close(wake_[0]);
  ::close(wake_[1]);
}

void DelayRelay::measure(std::size_t questions) {
  const std::lock_guard<std::mutex> lock(mutex_);
  questions_ = questions;
  round_trips_.clear();
  asked_ = Time();
}

std::vector<DelayRelay::Duration> DelayRelay::round_trips() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return round_trips_;
}

void DelayRelay::serve() {
  while (!ends_) {
    std::vector<pollfd> ready = {{wake_[0], POLLIN, 0}, {server_.descriptor(), POLLIN, 0}};
    Time next = Time::max();
    for (const Line& line : lines_) {
      ready.push_back({line.station, POLLIN, 0});
      ready.push_back({line.server, POLLIN, 0});
      if (!line.up.empty()) next = std::min(next, line.up.front().due);
      if (!line.down.empty()) next = std::min(next, line.down.front().due);
    }
    timespec wait{};
    if (next != Time::max()) {
      const auto left = std::max(Duration::zero(), next - std::chrono::steady_clock::now());
      const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
      wait = {ns / 1'000'000'000, ns % 1'000'000'000};
    }
    if (::ppoll(ready.data(), ready.size(), next == Time::max() ? nullptr : &wait, nullptr) < 0) continue;
    std::vector<Line> left;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      Line& line = lines_[i];
      const bool goes_on = (ready[2 + 2 * i].revents == 0 || take(line, true)) &&
                           (ready[3 + 2 * i].revents == 0 || take(line, false)) && pass(line, false) &&
                           pass(line, true);
      if (goes_on) {
        left.push_back(std::move(line));
      } else {
        ::close(line.station);
        ::close(line.server);
      }
    }
    lines_ = std::move(left);
    if (ready[1].revents == 0) continue;
    const int station = ::accept4(server_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC);
    const int server = station < 0 ? -1 : dial(target_);
    if (server < 0) {
      if (station >= 0) ::close(station);
      continue;
    }
    do_not_wait_to_fill_segments(station);
    do_not_wait_to_fill_segments(server);
    lines_.push_back({station, server});
  }
  for (const Line& line : lines_) {
    ::close(line.station);
    ::close(line.server);
  }
}

bool DelayRelay::take(Line& line, bool from_station) {
  char bytes[65536];
  const ssize_t size = ::recv(from_station ? line.station : line.server, bytes, sizeof bytes, 0);
  if (size <= 0) return false;
  const Time now = std::chrono::steady_clock::now();
  Duration held;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (from_station && round_trips_.size() == questions_) {
      over_ = true;
      return true;
    }
    if (from_station) asked_ = now;
    held = delay_(round_trips_.size());
  }
  (from_station ? line.up : line.down).push_back({std::string(bytes, static_cast<std::size_t>(size)), now + held / 2});
  return true;
}

bool DelayRelay::pass(Line& line, bool to_station) {
  std::deque<Held>& held = to_station ? line.down : line.up;
  for (; !held.empty() && held.front().due <= std::chrono::steady_clock::now(); held.pop_front()) {
    const std::string& bytes = held.front().bytes;
    if (to_station) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (asked_ != Time()) round_trips_.push_back(std::chrono::steady_clock::now() - asked_);
      asked_ = Time();
    }
    const ssize_t sent = ::send(to_station ? line.station : line.server, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(bytes.size())) return false;
  }
  return true;
}

}  // namespace raw
