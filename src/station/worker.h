#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>

#include "base/block_cache.h"
#include "events/event.h"
#include "events/event_queue.h"
#include "events/handler_delivery.h"
#include "governor/governor.h"
#include "metrics/metrics.h"
#include "metrics/worker_metrics.h"
#include "net/io_thread.h"
#include "net/resolver.h"
#include "net/suspend_watch.h"
#include "protocol/session.h"

namespace cwire {

class OfflineBudget;
class Station;
class TraceFile;

// What the stations of one I/O thread share: the loop, the protocol engine, the way events leave, and the lists of
// what is to be done this turn. Stations keep it alive, so that a call that races with the manager's end finds it; the
// thread is long joined then.
class Worker final : public IoThread::Owner, private SuspendWatch::Listener {
 public:
  struct Options {
    std::int32_t log_level = 0;
    cwire_event_handler handler = nullptr;  // null: poll mode, events go to `queue`
    std::uintptr_t context = 0;
    std::shared_ptr<EventQueue> queue;
    std::shared_ptr<Resolver> resolver;
    std::shared_ptr<Governor> governor;  // null: stations dial when they like
    bool keeps_governor = false;         // one worker does
    std::shared_ptr<OfflineBudget> offline_budget;
    std::shared_ptr<TraceFile> trace;  // null: nothing can be traced
    std::shared_ptr<Metrics> metrics;
    bool counts_messages = false;       // and all else in WorkerMetrics
    const void* manager = nullptr;      // only to be compared
    std::function<void()> fell_silent;  // what order_silence() leads to, on this thread
  };

  explicit Worker(Options options);  // throws Error(INTERNAL), std::bad_alloc
  ~Worker();

  void start() { thread_.start(); }
  // Ends the loop. Everything its stations had to say must have been said.
  void stop_and_join();

  // From any thread. The station's run_scheduled() is called on this thread soon, once for any number of calls.
  // Allocates nothing.
  void schedule(Station& station);
  // Orders of the manager, from any thread. They allocate nothing, so that an end can always be brought about.
  void order_shutdown(Duration drain);  // closes every station with 1001 within `drain`
  void order_network_up();              // waits of its stations end early
  void order_resume();                  // the caller of poll has caught up: paused stations read again
  void order_governing();               // calls the governor's run(), on the worker that keeps it
  void order_trace_news();              // tells what went wrong with the trace
  void order_silence();                 // delivers what is pending, writes no LOG afterwards, and calls fell_silent
  IoThread& thread() { return thread_; }

  // The manager whose I/O thread the caller is on, else null.
  static const void* current_manager();

  // A lock and a condition for cwire_station_wait, shared by the stations of this thread.
  std::mutex& state_mutex() { return state_mutex_; }
  std::condition_variable& state_changed() { return state_changed_; }

  // Of this thread only.
  void add(Station& station);
  void remove(Station& station);
  void emit(Event& event);
  void mark_dirty(Station& station);
  // Calls the station's dial() soon, a few stations per turn.
  void dial_in_turn(Station& station);
  // A buffer for output, which stations have only while they have output. What it held is gone, what it has room for
  // is not.
  std::string& spare_output() { return spare_output_; }
  // Takes the buffer of a station that has nothing left to write.
  void keep_output(std::string& output);
  bool reading_paused() const { return options_.queue != nullptr && options_.queue->full(); }
  // A LOG event; `station` may be null. Never throws: without memory there is no log.
  void log(std::int32_t level, const Station* station, const char* text) noexcept;
  Engine& engine() { return *engine_; }
  Resolver& resolver() { return *options_.resolver; }
  Governor* governor() { return options_.governor.get(); }
  const std::shared_ptr<OfflineBudget>& offline_budget() const { return options_.offline_budget; }
  TraceFile* trace() { return options_.trace.get(); }
  Metrics& metrics() { return *options_.metrics; }
  // Null: off. Written by this thread only, read by any.
  WorkerMetrics* own_metrics() { return own_metrics_.get(); }
  std::minstd_rand& random() { return random_; }
  std::int32_t log_level() const { return options_.log_level; }

 private:
  // Wakes the governor when time alone lets somebody go.
  class GovernorTimer final : public TimerQueue::Timer {
   public:
    explicit GovernorTimer(Worker& worker) : worker_(worker) {}
    void on_timer(TimePoint) override { worker_.run_governor(); }

   private:
    Worker& worker_;
  };

  void begin_thread() override;
  void end_of_turn() override;
  void on_suspended() override;
  void run_orders();
  void run_scheduled();
  void dial_some();
  void resume_reading();
  void shorten_waits();
  void shut_down(Duration drain);
  void flush_dirty();
  void deliver();
  void run_governor();
  void report(const Governor::Change& change);
  void tell_trace_news();
  void fall_silent();
  static Station* sealed();

  Options options_;
  IoThread thread_;
  SuspendWatch suspend_watch_;
  std::unique_ptr<Engine> engine_;
  std::minstd_rand random_;
  EventList pending_;
  std::unique_ptr<WorkerMetrics> own_metrics_;
  std::unique_ptr<HandlerDelivery> handler_;
  std::string spare_output_;
  BlockCache blocks_;
  GovernorTimer governor_timer_{*this};
  Station* dirty_ = nullptr;
  Station* first_to_dial_ = nullptr;
  Station* last_to_dial_ = nullptr;
  Station* stations_ = nullptr;
  bool silent_ = false;
  bool handler_throws_ = false;
  static constexpr Duration::rep kNotOrdered = -1;
  std::atomic<Duration::rep> shutdown_ordered_{kNotOrdered};  // the drain time
  std::atomic<bool> resume_ordered_{false};
  std::atomic<bool> network_up_ordered_{false};
  std::atomic<bool> governing_ordered_{false};
  std::atomic<bool> trace_news_ordered_{false};
  std::atomic<bool> silence_ordered_{false};
  std::atomic<Station*> scheduled_{nullptr};  // newest first; sealed() once the loop has ended
  std::mutex state_mutex_;
  std::condition_variable state_changed_;
};

}  // namespace cwire
