#include "net/io_thread.h"

#include <pthread.h>

#include <system_error>

#include "base/failure.h"
#include "net/process_exit.h"
#include "net/signals.h"

namespace cwire {

namespace {
// A burst of tasks (ten thousand stations connected at once) does not keep its memory for ever.
constexpr std::size_t kTasksKept = 1024;
// Turns without timers while more is ready than one turn serves: enough for twenty thousand sockets.
constexpr int kCrowdedTurnsMax = 80;
}  // namespace

IoThread::IoThread(Owner& owner, const char* name)
    : owner_(owner), name_(name), now_(Clock::now()), receive_buffer_(new char[kReceiveBufferSize]) {}

IoThread::~IoThread() = default;

void IoThread::start() {
  const BlockedSignals blocked;
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    throw Error(CWIRE_E_INTERNAL,
                std::string("no I/O thread: ") + error.code().message() + "; raise the limit of processes (ulimit -u)",
                FailurePhase::none, os_error(error.code().value()));
  }
}

void IoThread::stop() {
  stopping_.store(true);
  if (!is_current()) wake();
}

void IoThread::join() {
  if (thread_.joinable()) thread_.join();
}

void IoThread::post(std::function<void()> task) {
  {
    const std::lock_guard<std::mutex> lock(posted_mutex_);
    posted_.push_back(std::move(task));
  }
  wake();
}

std::uint64_t IoThread::cpu_ns() const {
  const clockid_t clock = cpu_clock_.load();
  timespec used{};
  if (clock == kNoClock || ::clock_gettime(clock, &used) != 0) return 0;
  return static_cast<std::uint64_t>(used.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(used.tv_nsec);
}

void IoThread::wake() {
  // Set already: whoever set it wakes the thread, and the thread looks at everything after it has cleared the flag.
  if (work_pending_.exchange(true)) return;
  if (asleep_.exchange(false)) poller_.wake();
}

void IoThread::run() noexcept {
  name_this_thread(name_);
  clockid_t clock;
  if (::pthread_getcpuclockid(::pthread_self(), &clock) == 0) cpu_clock_.store(clock);
  id_.store(std::this_thread::get_id());
  process_exit::Presence presence;
  owner_.begin_thread();
  int crowded_turns = 0;
  for (bool last = false; !last;) {
    asleep_.store(true);
    presence.leave();
    now_ = poller_.wait(work_pending_.load() ? TimePoint::min() : timers_.next());
    presence.enter();
    asleep_.store(false);
    const bool all_served = poller_.serve();
    // Read before the tasks are taken: what was posted before stop() is among them.
    last = stopping_.load();
    work_pending_.exchange(false);
    run_posted();
    // After a long turn of the owner's the timers of thousands may be due, with what they wait for already here and not
    // yet read. So reading goes first; but not for ever, or a thread that is always busy would have no timers.
    if (all_served || ++crowded_turns == kCrowdedTurnsMax) {
      crowded_turns = 0;
      timers_.run(now_);
    }
    owner_.end_of_turn();
    if (stopping_.load() && !work_pending_.load()) last = true;
  }
  // The number may be given to another thread, and the clock goes with it.
  cpu_clock_.store(kNoClock);
  id_.store(std::thread::id());
}

void IoThread::run_posted() {
  {
    const std::lock_guard<std::mutex> lock(posted_mutex_);
    running_.swap(posted_);
  }
  for (std::function<void()>& task : running_) {
    task();
    task = nullptr;  // what it holds goes before the next one runs
  }
  running_.clear();
  if (running_.capacity() > kTasksKept) running_.shrink_to_fit();
}

}  // namespace cwire
