#include "station/worker.h"

#include <utility>

#include "station/station.h"
#include "trace/trace_file.h"

namespace cwire {

namespace {
thread_local const void* current = nullptr;
}

Worker::Worker(Options options)
    : options_(std::move(options)),
      thread_(*this),
      suspend_watch_(thread_.poller(), *this),
      engine_(make_engine()),
      random_(std::random_device{}()) {
  if (options_.counts_messages) own_metrics_ = std::make_unique<WorkerMetrics>();
  if (options_.handler != nullptr) {
    handler_ = std::make_unique<HandlerDelivery>(options_.handler, options_.context, own_metrics_.get());
  }
  if (options_.keeps_governor) thread_.timers().register_timer();
}

Worker::~Worker() {
  release_all(pending_);
  if (options_.keeps_governor) thread_.timers().unregister_timer(governor_timer_);
}

const void* Worker::current_manager() { return current; }

Station* Worker::sealed() {
  // Only an address that no station has.
  static std::max_align_t place;
  return reinterpret_cast<Station*>(&place);
}

void Worker::stop_and_join() {
  thread_.stop();
  thread_.join();
  // Late orders to stations that have ended: nothing is left to do but to give the pins back.
  Station* station = scheduled_.exchange(sealed(), std::memory_order_acq_rel);
  while (station != nullptr && station != sealed()) {
    Station* next = station->next_scheduled_;
    station_table().unpin(station->token);
    station = next;
  }
}

void Worker::schedule(Station& station) {
  // Set before the station's orders are read, cleared before they are taken: whoever finds it set knows they will be
  // seen.
  if (station.is_scheduled_.exchange(true, std::memory_order_acq_rel)) return;
  auto pin = station_table().pin(station);
  Station* newest = scheduled_.load(std::memory_order_relaxed);
  do {
    if (newest == sealed()) return;
    station.next_scheduled_ = newest;
  } while (!scheduled_.compare_exchange_weak(newest, &station, std::memory_order_acq_rel, std::memory_order_relaxed));
  pin.leak();  // given back when the station has run
  thread_.wake();
}

void Worker::run_scheduled() {
  Station* newest = scheduled_.exchange(nullptr, std::memory_order_acq_rel);
  Station* oldest = nullptr;
  while (newest != nullptr) {
    Station* next = newest->next_scheduled_;
    newest->next_scheduled_ = oldest;
    oldest = newest;
    newest = next;
  }
  while (oldest != nullptr) {
    Station* station = oldest;
    oldest = station->next_scheduled_;
    station->is_scheduled_.exchange(false, std::memory_order_acq_rel);
    station->run_scheduled();
    station_table().unpin(station->token);
  }
}

void Worker::dial_in_turn(Station& station) {
  if (std::exchange(station.is_in_dial_queue_, true)) return;
  station_table().pin(station).leak();  // its CLOSED may be taken, by another thread, before its turn comes
  (last_to_dial_ == nullptr ? first_to_dial_ : last_to_dial_->next_to_dial_) = &station;
  last_to_dial_ = &station;
}

// A storm of ten thousand does not dial all at once: what is under way is finished first, with its memory still in the
// cache and soon free again for the next. A turn serves eight times as many sockets as it dials, and an idle thread
// goes round at once, so nobody waits for a peer that does not answer.
void Worker::dial_some() {
  constexpr int kDialsPerTurn = 32;
  for (int dials = 0; dials < kDialsPerTurn && first_to_dial_ != nullptr;) {
    Station* station = first_to_dial_;
    first_to_dial_ = std::exchange(station->next_to_dial_, nullptr);
    if (first_to_dial_ == nullptr) last_to_dial_ = nullptr;
    station->is_in_dial_queue_ = false;
    if (station->dial()) ++dials;
    station_table().unpin(station->token);
  }
  if (first_to_dial_ != nullptr) thread_.wake();
}

void Worker::add(Station& station) {
  station.next_ = stations_;
  if (stations_ != nullptr) stations_->previous_ = &station;
  stations_ = &station;
}

void Worker::remove(Station& station) {
  if (station.next_ != nullptr) station.next_->previous_ = station.previous_;
  (station.previous_ != nullptr ? station.previous_->next_ : stations_) = station.next_;
  station.next_ = station.previous_ = nullptr;
}

void Worker::mark_dirty(Station& station) {
  if (station.is_dirty_) return;
  station.is_dirty_ = true;
  station_table().pin(station).leak();  // its CLOSED may be taken, by another thread, before it is flushed
  station.next_dirty_ = dirty_;
  dirty_ = &station;
}

void Worker::keep_output(std::string& output) {
  // One message can be much larger than what is framed at a time.
  constexpr std::size_t kKeptMax = 128 << 10;
  // Moved and not swapped: a swap of strings is a call with many branches, and this is done for nearly every message.
  if (output.capacity() > spare_output_.capacity() && output.capacity() <= kKeptMax) spare_output_ = std::move(output);
  if (output.capacity() > std::string().capacity()) std::string().swap(output);
}

void Worker::resume_reading() {
  for (Station* station = stations_; station != nullptr; station = station->next_) station->resume_reading();
}

void Worker::shorten_waits() {
  for (Station* station = stations_; station != nullptr; station = station->next_) station->network_up();
}

void Worker::on_suspended() {
  log(CWIRE_LOG_INFO, nullptr, "this machine was suspended; every connection is proved by a ping now");
  for (Station* station = stations_; station != nullptr; station = station->next_) station->after_suspend();
}

void Worker::shut_down(Duration drain) {
  constexpr std::uint16_t kGoingAway = 1001;  // RFC 6455 7.4.1
  run_scheduled();                            // a station may have been connected just before
  for (Station* station = stations_; station != nullptr;) {
    Station* next = station->next_;  // a station that ends leaves the list
    station->disconnect_now(kGoingAway, "", drain);
    station = next;
  }
}

void Worker::log(std::int32_t level, const Station* station, const char* text) noexcept {
  if (level > options_.log_level || silent_) return;
  try {
    auto event = std::make_unique<OwnedEvent>(CWIRE_EVENT_LOG);
    event->set_text(text);
    event->data.code = level;
    if (station != nullptr) {
      event->data.station = station->handle();
      event->data.station_id = station->id().c_str();
      event->data.user_data = station->user_data();
    }
    pending_.append(*event.release());
  } catch (...) {
  }
}

void Worker::begin_thread() {
  current = options_.manager;
  blocks_.serve_this_thread();
}

void Worker::run_orders() {
  const Duration::rep drain = shutdown_ordered_.exchange(kNotOrdered, std::memory_order_acquire);
  if (drain != kNotOrdered) shut_down(Duration(drain));
  if (resume_ordered_.exchange(false, std::memory_order_acquire)) resume_reading();
  if (network_up_ordered_.exchange(false, std::memory_order_acquire)) shorten_waits();
  if (governing_ordered_.exchange(false, std::memory_order_acquire)) run_governor();
  if (trace_news_ordered_.exchange(false, std::memory_order_acquire)) tell_trace_news();
  run_scheduled();
  if (silence_ordered_.exchange(false, std::memory_order_acquire)) fall_silent();
}

void Worker::emit(Event& event) {
  // As much as 256 sockets bring in a turn, each with a full receive buffer. But a few bytes that came compressed
  // become many, and all are kept until the turn ends: so it ends early.
  constexpr std::size_t kPendingBytesMax = 256 * IoThread::kReceiveBufferSize;
  pending_.append(event);
  if (pending_.bytes() >= kPendingBytesMax) thread_.poller().stop_serving();
}

void Worker::end_of_turn() {
  if (own_metrics_ != nullptr) own_metrics_->turns.add(1);
  run_orders();
  dial_some();
  // The handler's sends are flushed in the same turn, and what flushing reports is delivered in the same turn.
  constexpr int kRounds = 4;
  for (int round = 0; round < kRounds; ++round) {
    deliver();
    flush_dirty();
    if (pending_.empty()) return;
  }
  thread_.wake();
}

void Worker::flush_dirty() {
  while (dirty_ != nullptr) {
    Station* station = std::exchange(dirty_, nullptr);
    while (station != nullptr) {
      Station* next = std::exchange(station->next_dirty_, nullptr);
      station->flush();  // marks nothing: it goes on until all is written or the socket is full
      station->is_dirty_ = false;
      station_table().unpin(station->token);
      station = next;
    }
  }
}

void Worker::deliver() {
  if (pending_.empty()) return;
  if (handler_ == nullptr) {
    options_.queue->push(std::exchange(pending_, EventList()));
  } else if (handler_->deliver(pending_) == 0) {
    handler_throws_ = false;
  } else if (!std::exchange(handler_throws_, true)) {
    // Once, until it returns normally again: the report goes through the same handler.
    log(CWIRE_LOG_ERROR, nullptr,
        "the event handler threw an exception, which it must not; the events of that call count as delivered");
  }
}

void Worker::order_shutdown(Duration drain) {
  shutdown_ordered_.store(drain.count(), std::memory_order_release);
  thread_.wake();
}

void Worker::order_resume() {
  resume_ordered_.store(true, std::memory_order_release);
  thread_.wake();
}

void Worker::order_network_up() {
  network_up_ordered_.store(true, std::memory_order_release);
  thread_.wake();
}

void Worker::order_governing() {
  governing_ordered_.store(true, std::memory_order_release);
  thread_.wake();
}

void Worker::order_trace_news() {
  trace_news_ordered_.store(true, std::memory_order_release);
  thread_.wake();
}

void Worker::order_silence() {
  silence_ordered_.store(true, std::memory_order_release);
  thread_.wake();
}

void Worker::run_governor() {
  try {
    thread_.timers().arm(governor_timer_, options_.governor->run(thread_.now()));
    for (const Governor::Change& change : options_.governor->take_changes()) report(change);
  } catch (const std::bad_alloc&) {
    // A list of the endpoints could not be made. Soon there may be memory again.
    thread_.timers().arm(governor_timer_, thread_.now() + std::chrono::seconds(1));
  }
}

void Worker::report(const Governor::Change& change) {
  metrics().endpoint(change.endpoint).breaker_transitions[static_cast<std::size_t>(change.to)].add(1);
  if (silent_) return;
  std::string text = change.endpoint + ": ";
  switch (change.to) {
    case CircuitBreaker::State::closed:
      text += "in use again; all stations connect";
      break;
    case CircuitBreaker::State::open: {
      const auto wait = std::chrono::duration_cast<std::chrono::seconds>(change.opens_until - thread_.now());
      text += change.from == CircuitBreaker::State::half_open
                  ? "still does badly"
                  : "too many attempts to connect failed, or connections were lost as soon as made";
      text += "; no station tries for " + std::to_string(wait.count()) +
              " s. The ERROR and DISCONNECTED events of the stations say why; cwire_manager_reset ends the wait";
      break;
    }
    case CircuitBreaker::State::half_open:
      text += "a few stations try whether it is well again";
      break;
    case CircuitBreaker::State::isolated:
      text += "isolated by request; no station connects until cwire_manager_reset";
      break;
  }
  auto event = std::make_unique<OwnedEvent>(CWIRE_EVENT_ENDPOINT);
  event->set_text(text);
  event->data.code = static_cast<std::int32_t>(change.to);
  event->data.tag = static_cast<std::uint64_t>(change.from);
  pending_.append(*event.release());
  log(CWIRE_LOG_WARNING, nullptr, text.c_str());
}

void Worker::tell_trace_news() {
  const std::string news = options_.trace->take_news();
  if (!news.empty()) log(CWIRE_LOG_ERROR, nullptr, news.c_str());
}

void Worker::fall_silent() {
  while (!pending_.empty()) deliver();
  silent_ = true;
  options_.fell_silent();
}

}  // namespace cwire
