#include "net/poller.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <memory>

#include "base/failure.h"
#include "net/errno_text.h"

namespace cwire {

struct Poller::Fetched {
  epoll_event events[kBatch];
  int next = 0;
  int count = 0;
};

namespace {

std::uint32_t mask_of(bool read, bool write) { return (read ? EPOLLIN : 0u) | (write ? EPOLLOUT : 0u); }

[[noreturn]] void throw_internal(const char* what, int error) {
  std::string message = std::string(what) + ": " + errno_text(error);
  const std::string advice = errno_advice(error);
  if (!advice.empty()) message += "; " + advice;
  throw Error(CWIRE_E_INTERNAL, std::move(message), FailurePhase::none, os_error(error));
}

// epoll counts whole milliseconds. Rounded up, or the loop would spin through the last one before each timer.
int timeout_ms(TimePoint deadline) {
  if (deadline == kNever) return -1;
  if (deadline == TimePoint::min()) return 0;
  const TimePoint now = Clock::now();
  if (deadline <= now) return 0;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  return left > std::numeric_limits<int>::max() ? std::numeric_limits<int>::max() : static_cast<int>(left);
}

}  // namespace

Poller::Poller() {
  auto fetched = std::make_unique<Fetched>();
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) throw_internal("epoll_create1", errno);
  // Edge-triggered: each write is an edge of its own, so the counter never has to be read.
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.ptr = this;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_.descriptor(), &event) != 0) {
    const int error = errno;
    ::close(epoll_);
    throw_internal("epoll_ctl", error);
  }
  fetched_ = fetched.release();
}

Poller::~Poller() {
  ::close(epoll_);
  delete fetched_;
}

void Poller::add(int descriptor, Watcher& watcher, bool read, bool write) {
  epoll_event event{};
  event.events = mask_of(read, write);
  event.data.ptr = &watcher;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) throw_internal("epoll_ctl add", errno);
}

void Poller::change(int descriptor, Watcher& watcher, bool read, bool write) {
  epoll_event event{};
  event.events = mask_of(read, write);
  event.data.ptr = &watcher;
  if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event) != 0) throw_internal("epoll_ctl change", errno);
}

void Poller::remove(int descriptor, Watcher& watcher) {
  epoll_event unused{};
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, &unused);
  for (int i = fetched_->next; i < fetched_->count; ++i) {
    if (fetched_->events[i].data.ptr == &watcher) fetched_->events[i].data.ptr = nullptr;
  }
}

TimePoint Poller::wait(TimePoint deadline) {
  // The kernel would tell of the same first one again, and of those behind it never.
  if (fetched_->next < fetched_->count) return Clock::now();
  int count;
  do {
    count = ::epoll_wait(epoll_, fetched_->events, kBatch, timeout_ms(deadline));
  } while (count < 0 && errno == EINTR);
  fetched_->count = count < 0 ? 0 : count;
  fetched_->next = 0;
  return Clock::now();
}

bool Poller::serve() {
  stops_serving_ = false;
  while (fetched_->next < fetched_->count && !stops_serving_) {
    const epoll_event event = fetched_->events[fetched_->next++];
    if (event.data.ptr == nullptr || event.data.ptr == this) continue;
    const bool broken = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
    static_cast<Watcher*>(event.data.ptr)
        ->on_ready(broken || (event.events & EPOLLIN) != 0, broken || (event.events & EPOLLOUT) != 0);
  }
  return fetched_->count < kBatch && fetched_->next == fetched_->count;
}

void Poller::wake() { wake_.set(); }

void name_this_thread(const char* name) { ::pthread_setname_np(::pthread_self(), name); }

}  // namespace cwire
