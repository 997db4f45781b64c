#include "station/station.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <utility>

#include "config/options.h"
#include "ocpp/credentials.h"
#include "ocpp/subprotocol.h"
#include "tls/configuration.h"

namespace cwire {

namespace {

std::string_view nonce_bytes(const std::uint64_t& nonce) {
  return {reinterpret_cast<const char*>(&nonce), sizeof nonce};
}

// What an attempt that failed says of its endpoint.
Outcome outcome_of(const Failure& failure) {
  // A source address that this machine lacks, or a proxy that does badly.
  if (failure.status == CWIRE_E_CONFIG || failure.phase == FailurePhase::proxy) return Outcome::abandoned;
  switch (class_of(failure)) {
    case FailureClass::throttled:
      return Outcome::throttled;
    case FailureClass::refused:
    case FailureClass::unverified:
      return Outcome::refused;
    case FailureClass::local:
      return Outcome::local;
    case FailureClass::network:
    case FailureClass::restarting:
    case FailureClass::overloaded:
      break;
  }
  return Outcome::failed;
}

// Whether a connection that ended so speaks against its endpoint. One that says when it will be back does not.
bool does_badly(const Failure& failure) { return failure && class_of(failure) == FailureClass::network; }

QueueLimits queue_limits(const Settings& settings) {
  return {settings.send_queue_policy, settings.send_queue_messages, settings.send_queue_bytes};
}

std::string seconds(Duration duration) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(duration).count()) + " s";
}

std::int64_t nanoseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
}

bool has_offline_queue(const Settings& settings) { return settings.offline.messages_max != 0; }

OfflineQueue::Rules offline_rules(const Settings& settings) {
  OfflineQueue::Rules rules;
  rules.limits = {settings.send_queue_policy, settings.offline.messages_max, settings.offline.bytes_max};
  rules.age_max = settings.offline.age_max;
  rules.replay_rate = settings.offline.replay_rate;
  return rules;
}

}  // namespace

bool ConnectionConfig::makes_same_attempts(const ConnectionConfig& other) const {
  // Must not throw: the settings of before are gone then.
  return url.secure == other.url.secure && url.host == other.url.host && url.port == other.url.port &&
         url.path == other.url.path && tls == other.tls && tls_version == other.tls_version &&
         make_same_attempts(*settings, *other.settings);
}

StationTable& station_table() {
  static StationTable& table = *new StationTable;
  return table;
}

// ---- any thread ----

Station::Station(std::shared_ptr<Worker> worker, StationOwner& owner, Description description)
    : worker_(std::move(worker)),
      owner_(owner),
      owner_token_(owner.token),
      description_(std::move(description)),
      closed_event_(*this),
      queue_(queue_limits(*description_.settings)),
      offline_(has_offline_queue(*description_.settings)
                   ? std::make_unique<OfflineQueue>(offline_rules(*description_.settings), worker_->offline_budget())
                   : nullptr),
      message_size_max_(description_.settings->message_size_max),
      client_(*description_.settings),
      metrics_(&worker_->metrics().endpoint(description_.url.origin())) {
  if (offline_ == nullptr) return;
  choose_room();
  queue_.open();
}

Station::~Station() = default;

void Station::connect() {
  orders_.fetch_or(kConnect, std::memory_order_release);
  worker_->schedule(*this);
}

cwire_status Station::send(const void* data, std::size_t size, std::uint32_t flags, std::uint64_t tag) {
  if (size > message_size_max()) return CWIRE_E_TOO_BIG;
  if (!queue_.is_open()) return CWIRE_E_NOT_ESTABLISHED;  // before anything is copied
  return send(OutgoingMessage::copy_of(data, size), flags, tag);
}

cwire_status Station::send(std::unique_ptr<OutgoingMessage> message, std::uint32_t flags, std::uint64_t tag) {
  message->data.station = handle();
  message->data.user_data = description_.user_data;
  message->data.station_id = description_.id.c_str();
  message->data.flags = flags;
  message->data.tag = tag;
  if (worker_->thread().is_current()) {
    // From the handler: straight into the output that is flushed at the end of this turn.
    if (!queue_.is_open()) return CWIRE_E_NOT_ESTABLISHED;
    // What others sent before goes first, and the room of what goes for it is ours then.
    if (queue_.drops() || offline_ != nullptr) accept_all(queue_.take());
    if (offline_ != nullptr) worker_->mark_dirty(*this);
    const cwire_status status = queue_.reserve(message->size);
    if (status == CWIRE_OK) accept(*message.release());
    return status;
  }
  const cwire_status status = queue_.push(message.get());
  // What all have together is used up: only the I/O thread can say so.
  if (status == CWIRE_E_QUEUE_FULL && offline_ != nullptr && worker_->offline_budget()->has_news())
    worker_->schedule(*this);
  if (status != CWIRE_OK) return status;
  message.release();
  worker_->schedule(*this);
  return CWIRE_OK;
}

void Station::disconnect(std::uint16_t close_code, std::string_view reason) {
  {
    std::lock_guard<std::mutex> lock(orders_mutex_);
    if (close_code_ == 0) {  // the first caller's words go on the wire
      close_reason_ = reason;
      close_code_ = close_code;
    }
  }
  orders_.fetch_or(kDisconnect, std::memory_order_release);
  worker_->schedule(*this);
}

ConnectionConfig Station::newest_config() const {
  std::lock_guard<std::mutex> lock(orders_mutex_);
  return newest();
}

const ConnectionConfig& Station::newest() const {
  if (ordered_config_ != nullptr) return *ordered_config_;
  if (next_config_ != nullptr) return *next_config_;
  return description_;
}

bool Station::reconfigure(ConnectionConfig config, bool reconnect) {
  if (may_be_replaced()) {
    throw Error(CWIRE_E_STATE, id() + ": the station has ended; connect it again, with the new settings");
  }
  // Every thread looks at it, to know whether a send has to be refused.
  if (has_offline_queue(*config.settings) != (offline_ != nullptr)) {
    throw Error(CWIRE_E_CONFIG,
                id() + ": csms.offline_queue_messages: a living station neither gets an offline queue nor loses it; " +
                    "disconnect it, and connect it again with the new settings");
  }
  auto ordered = std::make_unique<ConnectionConfig>(std::move(config));
  {
    std::lock_guard<std::mutex> lock(orders_mutex_);
    if (ordered->number != newest().number + 1) return false;
    ordered_config_.swap(ordered);
  }
  orders_.fetch_or(reconnect ? kReconfigure | kReconnect : kReconfigure, std::memory_order_release);
  worker_->schedule(*this);
  return true;
}

void Station::order_trace(std::unique_ptr<StationTrace> trace) {
  // A task, so that a station which nobody traces has no room for the order. It must not keep the station: that keeps
  // the thread, and the thread, once it has ended, its tasks.
  const auto wanted = std::make_shared<std::unique_ptr<StationTrace>>(std::move(trace));
  worker_->thread().post([token = token, wanted] {
    if (const auto station = station_table().find(token)) station->take_trace(std::move(*wanted));
  });
}

cwire_status Station::wait(std::int32_t timeout_ms, Failure* why) const {
  // What the predicate saw counts: the state may have moved on before we look again.
  State seen = State::disconnected;
  const auto settled = [&] {
    seen = state();
    return seen == State::connected || seen == State::error || seen == State::closed;
  };
  if (!settled()) {
    if (Worker::current_manager() == &owner_) {
      *why =
          Failure(CWIRE_E_STATE, id() + ": waiting on an I/O thread would wait for itself; wait on a thread of yours");
      return CWIRE_E_STATE;
    }
    std::unique_lock<std::mutex> lock(worker_->state_mutex());
    if (timeout_ms < 0) {
      worker_->state_changed().wait(lock, settled);
    } else {
      worker_->state_changed().wait_for(lock, std::chrono::milliseconds(timeout_ms), settled);
    }
  }
  const Statistics::LastFailure last = statistics_.last_failure();
  switch (seen) {
    case State::connected:
      return CWIRE_OK;
    case State::closed:
      *why = Failure(CWIRE_E_CLOSED, id() + ": closed by request before it was connected");
      break;
    case State::error:
      *why = Failure(last.numbers.status, last.words);
      break;
    default:
      // The last error names the station already.
      *why = Failure(CWIRE_E_TIMEOUT,
                     id() + ": not connected within " + std::to_string(timeout_ms) + " ms" + what_holds_back() + "; " +
                         (last.numbers.status != CWIRE_OK
                              ? "last attempt: " + last.words.substr(id().size() + 2)
                              : std::string("the first attempt is still under way, or waits for its turn")));
  }
  return why->status;
}

// Asks the governor, by name: the endpoint itself is the I/O thread's.
std::string Station::what_holds_back() const {
  Governor* const governor = worker_->governor();
  if (governor == nullptr) return {};
  std::string name;
  {
    // Where the attempt goes that is under way, or the one that comes after the wait.
    std::lock_guard<std::mutex> lock(orders_mutex_);
    const ConnectionConfig& config = is_attempting_ ? description_ : newest();
    name = config.url.origin();
  }
  const std::shared_ptr<Governor::Endpoint> endpoint = governor->find(name);
  if (endpoint == nullptr) return {};
  const TimePoint now = Clock::now();
  const Governor::Endpoint::Numbers numbers = endpoint->numbers(now);
  switch (numbers.state) {
    case CircuitBreaker::State::closed:
      break;
    case CircuitBreaker::State::open:
      return "; too many attempts failed, so no station tries " + name + " for " +
             seconds(std::max(Duration::zero(), numbers.opens_until - now)) + " (cwire_manager_reset ends that)";
    case CircuitBreaker::State::half_open:
      return "; a few stations try whether " + name + " is well again";
    case CircuitBreaker::State::isolated:
      return "; " + name + " is isolated by request: no station tries it until cwire_manager_reset";
  }
  return {};
}

void Station::fill(cwire_stats& out) const {
  cwire_stats all{};
  all.size = std::min(out.size, sizeof all);
  std::snprintf(all.station_id, sizeof all.station_id, "%s", id().c_str());
  all.state = static_cast<std::int32_t>(state());
  const Statistics::LastFailure last = statistics_.last_failure();
  all.last_error = last.numbers.status;
  all.last_failure = last.numbers;
  std::snprintf(all.last_error_message, sizeof all.last_error_message, "%s", last.words.c_str());
  all.connected_at_ns = static_cast<std::int64_t>(statistics_.connected_at_ns.get());
  all.disconnected_at_ns = static_cast<std::int64_t>(statistics_.disconnected_at_ns.get());
  all.last_message_at_ns = static_cast<std::int64_t>(statistics_.last_message_at_ns.get());
  const std::uint64_t attempts = statistics_.attempts.get();
  all.reconnect_attempts = attempts == 0 ? 0 : attempts - 1;
  all.messages_sent = statistics_.messages_sent.get();
  all.messages_received = statistics_.messages_received.get();
  all.bytes_sent = statistics_.bytes_sent.get();
  all.bytes_received = statistics_.bytes_received.get();
  all.connections = statistics_.connections.get();
  all.messages_not_sent = statistics_.messages_not_sent.get();
  all.queued_messages = queue_.messages();
  all.queued_bytes = queue_.bytes();
  all.messages_dropped = statistics_.messages_dropped.get();
  all.reading_pauses = statistics_.reading_pauses.get();
  if (offline_ != nullptr) {
    all.offline_messages = offline_->messages();
    all.offline_bytes = offline_->bytes();
  }
  all.last_alive_at_ns = static_cast<std::int64_t>(statistics_.last_alive_at_ns.get());
  const ConnectionQuality quality = statistics_.quality();
  const TimePoint now = Clock::now();
  all.round_trip_ns = nanoseconds(quality.round_trip().last());
  all.round_trip_smoothed_ns = nanoseconds(quality.round_trip().smoothed());
  all.round_trip_variation_ns = nanoseconds(quality.round_trip().variation());
  all.round_trip_min_ns = nanoseconds(quality.round_trip().minimum(now));
  all.jitter_ns = nanoseconds(quality.round_trip().jitter());
  all.pong_awaited_ns = nanoseconds(quality.pong_awaited(now));
  const HandshakeTimes& handshake = quality.handshake();
  all.handshake_ns = nanoseconds(handshake.whole());
  all.handshake_resolve_ns = nanoseconds(handshake.resolve);
  all.handshake_tcp_ns = nanoseconds(handshake.tcp);
  all.handshake_proxy_ns = nanoseconds(handshake.proxy);
  all.handshake_tls_ns = nanoseconds(handshake.tls);
  all.handshake_http_ns = nanoseconds(handshake.http);
  all.flaps = quality.flaps();
  all.flaps_last_hour = quality.flaps_last_hour(now);
  all.quality = quality_of(all);
  all.compressed = static_cast<std::uint32_t>(statistics_.compressed.get());
  all.wire_bytes_sent = statistics_.wire_bytes_sent.get();
  all.wire_bytes_received = statistics_.wire_bytes_received.get();
  std::memcpy(&out, &all, all.size);
}

Tallies Station::traffic() const noexcept {
  Tallies traffic{};
  of(traffic, Tally::messages_sent) = statistics_.messages_sent.get();
  of(traffic, Tally::messages_received) = statistics_.messages_received.get();
  of(traffic, Tally::payload_bytes_sent) = statistics_.bytes_sent.get();
  of(traffic, Tally::payload_bytes_received) = statistics_.bytes_received.get();
  of(traffic, Tally::wire_bytes_sent) = statistics_.wire_bytes_sent.get();
  of(traffic, Tally::wire_bytes_received) = statistics_.wire_bytes_received.get();
  of(traffic, Tally::messages_not_sent) = statistics_.messages_not_sent.get();
  of(traffic, Tally::messages_dropped) = statistics_.messages_dropped.get();
  of(traffic, Tally::reading_pauses) = statistics_.reading_pauses.get();
  return traffic;
}

Tallies Station::counted_here() const noexcept {
  if (settled_) return {};
  Tallies here = traffic();
  for (std::size_t i = 0; counted_before_ != nullptr && i < here.size(); ++i) here[i] -= (*counted_before_)[i];
  return here;
}

Station::Measured Station::measure() const {
  Measured measured{};
  measured.stats.size = sizeof measured.stats;
  const std::lock_guard<std::mutex> lock(orders_mutex_);
  fill(measured.stats);
  measured.endpoint = metrics_;
  measured.traffic = traffic();
  measured.here = counted_here();
  return measured;
}

// Needs no memory: it comes with CLOSED.
void Station::settle() noexcept {
  const std::lock_guard<std::mutex> lock(orders_mutex_);
  metrics_->settle(counted_here());
  settled_ = true;
}

// ---- inputs, on the I/O thread ----

void Station::run_scheduled() noexcept {
  const unsigned orders = orders_.exchange(0, std::memory_order_acquire);
  guarded([&] {
    if ((orders & kConnect) != 0) begin();
    accept_all(queue_.take());
    // A note that was left for a wait which is over is no permit.
    if ((orders & kPermitted) != 0 && dial_wanted_ && endpoint_->permits(turn_)) worker_->dial_in_turn(*this);
    if ((orders & kReconfigure) != 0) take_new_config((orders & kReconnect) != 0);
    if (offline_ != nullptr) worker_->mark_dirty(*this);
  });
  // Whatever became of the others for want of memory.
  if ((orders & kDisconnect) == 0) return;
  std::uint16_t code;
  CloseReason reason;
  {
    std::lock_guard<std::mutex> lock(orders_mutex_);
    code = close_code_;
    reason.take(close_reason_);
  }
  disconnect_now(code, reason.view(), live_settings().close_timeout);
}

void Station::begin() {
  try {
    if (worker_->trace() != nullptr && trace_ == nullptr) {
      if (TraceFile::Hold file = worker_->trace()->hold_of_newcomer()) {
        begin_trace(std::make_unique<StationTrace>(std::move(file)));
      }
    }
    if (Governor* governor = worker_->governor()) endpoint_ = governor->attach(description_.url.origin());
    worker_->thread().timers().register_timer();
  } catch (const std::exception&) {
    closed_event_.data.status = CWIRE_E_NO_MEMORY;
    perform(client_.disconnect(worker_->thread().now(), Duration::zero()));
    return;
  }
  timer_registered_ = true;
  worker_->add(*this);
  perform(client_.start(worker_->thread().now()));
}

void Station::take_trace(std::unique_ptr<StationTrace> wanted) noexcept {
  if (wanted == nullptr && trace_ != nullptr) {
    if (session_ != nullptr) session_->observe(nullptr);
    trace_->end();
    trace_.reset();
  } else if (wanted != nullptr && trace_ == nullptr && !client_.finished()) {
    begin_trace(std::move(wanted));
  }
}

void Station::begin_trace(std::unique_ptr<StationTrace> trace) noexcept {
  trace_ = std::move(trace);
  trace_->begin(traced_attempt());
  if (session_ != nullptr) session_->observe(trace_.get());
}

StationTrace::Attempt Station::traced_attempt() const {
  return {id(),
          *description_.settings,
          description_.proxy.get(),
          description_.url.path,
          client_.attempts(),
          is_open() ? client_.connections() : 0};
}

void Station::take_new_config(bool reconnect) {
  std::unique_ptr<ConnectionConfig> before;  // the state machine still has its settings
  {
    std::lock_guard<std::mutex> lock(orders_mutex_);
    if (ordered_config_ != nullptr) before = std::exchange(next_config_, std::move(ordered_config_));
  }
  // Taken together with the order before, and an attempt was begun with it already.
  if (next_config_ == nullptr) return;
  const Settings& settings = live_settings();
  if (offline_ != nullptr) offline_->use(offline_rules(settings));
  queue_.limit(queue_limits(settings));
  announce_room();
  if (channel_ != nullptr) limit_unacknowledged();
  WebSocketClient::Change change;
  change.of_attempts = !next_config_->makes_same_attempts(description_);
  change.reconnect = reconnect;
  perform(client_.reconfigure(worker_->thread().now(), settings, change, settings.close_timeout));
}

// The attempt that begins now.
void Station::begin_with_newest_config() {
  if (next_config_ != nullptr) {
    std::lock_guard<std::mutex> lock(orders_mutex_);
    static_cast<ConnectionConfig&>(description_) = std::move(*next_config_);
    next_config_.reset();
    // What it had asked for, or was allowed, was for an attempt with the old one.
    if (endpoint_ != nullptr) endpoint_->withdraw(turn_, worker_->thread().now());
  }
  // Also where there was no memory for it the last time.
  const std::string origin = description_.url.origin();
  if (endpoint_ != nullptr && endpoint_->name() != origin) endpoint_ = worker_->governor()->attach(origin);
  if (metrics_->name != origin) count_at(origin);
}

// What was sent elsewhere stays there.
void Station::count_at(const std::string& endpoint) {
  EndpointMetrics& next = worker_->metrics().endpoint(endpoint);
  if (&next == metrics_) return;
  auto before = counted_before_ == nullptr ? std::make_unique<Tallies>() : nullptr;
  const std::lock_guard<std::mutex> lock(orders_mutex_);
  const Tallies here = counted_here();
  metrics_->settle(here);
  if (before != nullptr) counted_before_ = std::move(before);
  for (std::size_t i = 0; i < here.size(); ++i) (*counted_before_)[i] += here[i];
  metrics_ = &next;
}

// As gRPC has it (proposal A18): a peer that acknowledges nothing is gone as surely as one that answers no ping. But
// one that takes its time to read has as long as csms.write_timeout gives it.
void Station::limit_unacknowledged() {
  const Settings& settings = live_settings();
  channel_->limit_unacknowledged(std::max(settings.pong_timeout, settings.write_timeout));
}

void Station::disconnect_now(std::uint16_t close_code, std::string_view reason, Duration limit) noexcept {
  guarded([&] {
    if (client_.finished()) return;
    {
      std::lock_guard<std::mutex> lock(orders_mutex_);
      if (close_code_ == 0) {
        close_reason_ = reason;
        close_code_ = close_code;
      }
    }
    perform(client_.disconnect(worker_->thread().now(), limit));
    // It was closing already, to connect again: what waits for that, waits in vain.
    if (offline_ != nullptr && client_.closing()) stop_accepting();
  });
}

void Station::stop_accepting() {
  end_offline();
  accept_all(queue_.close());
}

void Station::arm() {
  if (!timer_registered_) return;
  TimePoint deadline = client_.deadline();
  if (offline_ != nullptr) {
    deadline = std::min(deadline, offline_->expiry());
    if (!blocked_) deadline = std::min(deadline, offline_->replay_due());
  }
  worker_->thread().timers().arm(*this, deadline);
}

void Station::on_timer(TimePoint now) {
  guarded([&] {
    if (channel_ != nullptr && !is_open()) {
      client_.describe_attempt(
          session_ != nullptr ? "waiting for the answer to the upgrade request" : channel_->doing(), channel_->stage());
    }
    perform(client_.tick(now, worker_->random()));
    session_ended();  // a ping that could not be written
    if (offline_ != nullptr) worker_->mark_dirty(*this);
  });
}

void Station::on_channel_step(FailurePhase over) { stopwatch_->lap(over, Clock::now()); }

void Station::on_channel_open() {
  guarded([this] {
    const Settings& settings = *description_.settings;
    limit_unacknowledged();
    message_size_max_.store(settings.message_size_max, std::memory_order_relaxed);
    UpgradeRequest request;
    request.url = url();
    for (const std::string& version : settings.protocols) request.subprotocols.emplace_back(subprotocol_of(version));
    if (has_origin_of_url()) {
      request.authorization = authorization_header(settings.auth, description_.id);
      request.headers = settings.headers;
    }
    request.deflate = settings.deflate;
    ProtocolLimits limits;
    limits.message_size_max = settings.message_size_max;
    limits.header_size_max = settings.header_size_max;
    limits.header_count_max = settings.header_count_max;
    limits.fragments_max = settings.fragments_max;
    session_ = worker_->engine().open(request, limits, *this);
    if (trace_ != nullptr) session_->observe(trace_.get());
    client_.upgrading(worker_->thread().now());
    arm();
    session_->start();
    session_ended();
  });
}

void Station::on_channel_data(const char* data, std::size_t size) {
  guarded([&] {
    client_.received(worker_->thread().now());
    if (is_open()) note_alive();
    session_->receive(data, size);
    if (session_end_) {
      session_ended();
    } else if (worker_->reading_paused()) {
      // Rule 9: the caller does not take its events, so the kernel, and then the peer, has to wait.
      channel_->pause_reading();
      note_reading_paused(true);
      statistics_.reading_pauses.add(1);
    }
  });
}

void Station::resume_reading() {
  if (!reading_paused_) return;
  channel_->resume_reading();
  note_reading_paused(false);
}

void Station::note_reading_paused(bool paused) {
  reading_paused_ = paused;
  const TimePoint now = worker_->thread().now();
  client_.reading_paused(now, paused);
  statistics_.quality([=](ConnectionQuality& quality) { quality.reading_paused(now, paused); });
  arm();
}

void Station::network_up() {
  client_.network_up(worker_->thread().now());
  arm();
}

void Station::after_suspend() {
  client_.after_suspend();
  arm();
}

void Station::on_channel_writable() { worker_->mark_dirty(*this); }

void Station::on_channel_end() {
  guarded([this] {
    connection_ended(
        !is_open()
            ? Failure(CWIRE_E_HANDSHAKE,
                      "the server closed the TCP connection before it answered the upgrade request; if the "
                      "port speaks TLS, write wss://",
                      FailurePhase::http)
            : Failure(CWIRE_E_READ, "the server closed the TCP connection without a close frame", FailurePhase::read));
  });
}

void Station::on_channel_failed(Failure failure) {
  guarded([&] { connection_ended(std::move(failure)); });
}

void Station::on_open(std::string_view subprotocol) {
  stopwatch_->lap(FailurePhase::http, Clock::now());
  note_alive();
  subprotocol_ = subprotocol;
  connected_event_ = make_event(CWIRE_EVENT_CONNECTED);
  connected_event_->set_text(subprotocol_);
  compresses_ = session_->compresses();
  statistics_.compressed.set(compresses_ ? 1 : 0);
  last_close_code_ = 1006;  // RFC 6455 7.1.5, unless a close frame says otherwise
  last_close_remote_ = false;
  const bool room = offline_ == nullptr && queue_.open();
  if (offline_ != nullptr) {
    offline_->connected(worker_->thread().now());
    choose_room();
    worker_->mark_dirty(*this);
  }
  perform(client_.opened(worker_->thread().now(), worker_->random()));
  if (room) reporting([this] { emit(make_event(CWIRE_EVENT_WRITABLE)); });
}

void Station::on_redirect(std::string_view location) {
  if (redirects_ == nullptr) redirects_ = std::make_unique<Redirects>();
  redirects_->location = location;
}

void Station::on_failed(Failure failure) {
  session_end_.emplace();
  session_end_->failure = std::move(failure);
}

void Station::on_closed(CloseInfo info) { session_end_.emplace(std::move(info)); }

void Station::on_message(std::shared_ptr<const void> owner, std::string_view data, bool binary) {
  auto event = std::make_unique<OwnedEvent>(CWIRE_EVENT_MESSAGE, arrived_ns());
  event->set_data(std::move(owner), data);
  report_message(std::move(event), binary);
}

void Station::on_borrowed_message(std::string_view data, bool binary) {
  report_message(OwnedEvent::copy_of(CWIRE_EVENT_MESSAGE, arrived_ns(), data), binary);
}

void Station::on_compressed(std::size_t size_in_frames) { size_in_frames_ = size_in_frames; }

void Station::on_pong(std::string_view data) {
  std::uint64_t nonce = 0;
  if (data.size() != sizeof nonce) return;
  std::memcpy(&nonce, data.data(), sizeof nonce);
  if (!client_.awaits_pong(nonce)) return;  // when it came costs a system call
  const WebSocketClient::Pong pong = client_.pong(channel_->arrival(), nonce);
  arm();
  note_round_trip(pong);
}

void Station::on_output() { worker_->mark_dirty(*this); }

// ---- what the state machine decides ----

void Station::perform(const Actions& actions) {
  for (const Action& action : actions) {
    switch (action.type) {
      case Action::Type::attempt:
        begin_with_newest_config();
        is_attempting_ = true;
        if (trace_ != nullptr) trace_->attempt(traced_attempt());
        redirects_.reset();
        ask_to_dial();
        break;
      case Action::Type::abandon:
        // After our close frame the goodbye is orderly also where there is no time to wait for the peer's.
        if (close_sent_) channel_->close();
        drop_connection(CWIRE_E_CLOSED);
        break;
      case Action::Type::ping:
        session_->ping(nonce_bytes(action.nonce));
        ping_end_ = written_ + session_->output().size();
        break;
      case Action::Type::close:
        if (offline_ == nullptr || is_ending()) {
          stop_accepting();
        } else {
          // To connect again: what is sent from here on waits for that.
          accept_all(queue_.take());
          finish_all(offline_->disconnected(OutgoingList(), worker_->thread().now()), CWIRE_E_QUEUE_FULL);
          choose_room();
        }
        close_wanted_ = true;
        // At once: with a limit of 0 the connection is gone before the turn ends. What else there is to do is the
        // flush's.
        write_output();
        worker_->mark_dirty(*this);
        break;
      case Action::Type::report_state:
        set_state(action);
        break;
      case Action::Type::report_connected:
        is_attempting_ = false;
        if (endpoint_ != nullptr) endpoint_->ended(turn_, Outcome::established, worker_->thread().now());
        note_handshake(std::exchange(stopwatch_, nullptr)->times());
        report_connected(action);
        break;
      case Action::Type::report_disconnected:
        metrics_->disconnected(client_.last_failure().status);
        if (endpoint_ != nullptr && does_badly(client_.last_failure())) {
          endpoint_->lost(turn_, worker_->thread().now());
        }
        statistics_.quality([this](ConnectionQuality& quality) {
          quality.ended(worker_->thread().now(), static_cast<bool>(client_.last_failure()));
        });
        reporting([&] { report_failure(CWIRE_EVENT_DISCONNECTED, action); });
        break;
      case Action::Type::report_error:
        is_attempting_ = false;
        metrics_->attempt_failed(client_.last_failure());
        if (endpoint_ != nullptr) endpoint_->ended(turn_, outcome_of(client_.last_failure()), worker_->thread().now());
        reporting([&] { report_failure(CWIRE_EVENT_ERROR, action); });
        break;
      case Action::Type::report_closed:
        if (endpoint_ != nullptr) endpoint_->withdraw(turn_, worker_->thread().now());
        report_closed();
        return;  // the station may be gone as soon as this turn's events are taken
    }
  }
  arm();
}

// First connects and reconnects alike take their turn.
void Station::ask_to_dial() {
  dial_wanted_ = true;
  client_.queued();
  if (endpoint_ == nullptr || endpoint_->ask(turn_, description_.settings->priority, worker_->thread().now())) {
    worker_->dial_in_turn(*this);
  }
}

void Station::Turn::permitted() noexcept {
  station_.orders_.fetch_or(kPermitted, std::memory_order_release);
  station_.worker_->schedule(station_);
}

bool Station::dial() noexcept {
  // In the queue it may stand with what another configuration was allowed.
  if (!dial_wanted_ || (endpoint_ != nullptr && !endpoint_->permits(turn_))) return false;
  dial_wanted_ = false;
  guarded([this] {
    const TimePoint due = client_.since(), now = worker_->thread().now();
    statistics_.attempts.add(1);
    metrics_->attempts.add(1);
    metrics_->dial_wait.observe(length_ns(now - due));
    client_.dialing(now);
    stopwatch_ = std::make_unique<HandshakeStopwatch>(Clock::now());
    open_connection(due);
    arm();
  });
  return true;
}

void Station::open_connection(TimePoint due) {
  const Settings& settings = *description_.settings;
  Channel::Target target;
  target.host = url().host;
  target.port = url().port;
  if (!settings.source_address.empty()) target.source = asio::ip::make_address(settings.source_address);
  target.due = due;
  target.proxy = description_.proxy;
  target.proxy_timeout = settings.proxy.timeout;
  target.proxy_answer = {settings.header_size_max, settings.header_count_max};
  target.tcp_timeout = settings.tcp_timeout;
  target.tls_timeout = settings.tls_handshake_timeout;
  if (url().secure) {
    std::string problem;
    target.tls = description_.tls->context_or_last(problem);
    if (!problem.empty()) log(CWIRE_LOG_WARNING, id() + ": " + problem + "; what was read before is used");
    const bool other_host = url().host != description_.url.host;
    target.server_name = other_host || settings.tls.server_name.empty() ? url().host : settings.tls.server_name;
    if (settings.tls.insecure_skip_verify) {
      log(CWIRE_LOG_WARNING,
          id() + ": the certificate of " + url().text() +
              " is NOT verified (csms.tls.insecure_skip_verify); anyone on the way can read and change "
              "everything, passwords included");
    }
    if (!settings.tls.key_log_file.empty()) {
      log(CWIRE_LOG_WARNING, id() + ": the TLS secrets of this connection are written to " + settings.tls.key_log_file +
                                 " (csms.tls.key_log_file); whoever reads it can read everything, passwords included");
    }
  } else if (settings.auth.type == AuthType::bearer && has_origin_of_url()) {
    log(CWIRE_LOG_WARNING,
        id() + ": the token goes to " + url().text() + " without TLS; anyone on the way can read it: use wss://");
  }
  if (worker_->log_level() >= CWIRE_LOG_DEBUG)
    log(CWIRE_LOG_DEBUG, id() + ": connecting to " + url().text() +
                             (description_.proxy == nullptr ? "" : " through " + description_.proxy->text()));
  if (trace_ != nullptr) {
    trace_->connecting(url().text() + (description_.proxy == nullptr ? "" : " through " + description_.proxy->text()));
  }
  channel_ = std::make_unique<Channel>(worker_->thread(), worker_->resolver(), static_cast<ChannelListener&>(*this));
  channel_->open(std::move(target));
}

void Station::connection_ended(Failure failure) {
  const bool was_open = is_open();
  drop_connection(CWIRE_E_CLOSED);
  const TimePoint now = worker_->thread().now();
  if (was_open) {
    perform(client_.lost(now, worker_->random(), std::move(failure)));
  } else {
    perform(client_.attempt_failed(now, worker_->random(), std::move(failure)));
  }
}

// Called when no function of the session is on the stack.
void Station::session_ended() {
  if (!session_end_) return;
  CloseInfo info = *std::exchange(session_end_, std::nullopt);
  // What the session was to the state machine counts: one that opened without memory to say so is a failed attempt.
  const bool was_open = is_open();
  // The last word, a close frame, as far as the kernel takes it.
  const std::size_t bytes = channel_->write(session_->output());
  written(bytes);
  channel_->close();
  drop_connection(CWIRE_E_CLOSED);
  const TimePoint now = worker_->thread().now();
  if (!was_open) {
    if (redirects_ != nullptr && !redirects_->location.empty() && follow_redirect(info.failure)) return;
    if (info.failure.status == CWIRE_E_AUTH) {
      if (description_.settings->auth.type == AuthType::none) {
        info.failure.message += "; none were sent: csms.auth.type is none";
      } else if (!has_origin_of_url()) {
        info.failure.message +=
            "; none were sent: they are for the host and port of the URL only; if this place may have them, put it "
            "into "
            "the URL";
      }
    }
    perform(client_.attempt_failed(now, worker_->random(), std::move(info.failure)));
    return;
  }
  last_close_code_ = info.code;
  last_close_remote_ = info.remote;
  if (!info.failure && info.remote) {
    info.failure = Failure(CWIRE_E_CLOSED, closed_by_peer(info), FailurePhase::peer, close_code(info.code));
  }
  perform(client_.lost(now, worker_->random(), std::move(info.failure)));
}

// The attempt goes on where the server says, or fails with the reason why not. No connection is left.
bool Station::follow_redirect(Failure& failure) {
  const std::string location = std::exchange(redirects_->location, std::string());
  Url target;
  try {
    target = redirect_target(url(), location);
  } catch (const Error& error) {
    failure.message += ", but what it says is nowhere to go (" + error.failure.message + "); ask its operator";
    return false;
  }
  const std::uint32_t most = description_.settings->redirects_max;
  const std::string place = words_of_peer(target.text());
  if (place != target.text()) {
    failure.message += " to a place that is " + place;
    return false;
  }
  failure.message += " to " + place;
  if (url().secure && !target.secure) {
    failure.message += ", without TLS, which is never followed";
    return false;
  }
  if (redirects_->followed == most) {
    failure.message += most == 0 ? ", which is not followed; put that into the URL, or raise csms.redirects_max"
                                 : ", after as many as csms.redirects_max follows, " + std::to_string(most) +
                                       "; put the last place into the URL, or ask its operator if it leads in a circle";
    return false;
  }
  // A credential like the others, and nobody else is asked whether it may be shown.
  if (description_.settings->tls.has_client_certificate() && !is_same_origin(target, description_.url)) {
    failure.message +=
        ", which is not followed: the client certificate is for the host and port of the URL only; if "
        "they may see it, put that into the URL";
    return false;
  }
  stopwatch_->lap(FailurePhase::http, Clock::now());
  ++redirects_->followed;
  redirects_->to = std::move(target);
  client_.redirected();
  open_connection(client_.since());
  arm();
  return true;
}

// Everything of this connection goes. What was accepted and not taken by the kernel is reported, or goes back into the
// offline queue if there is to be another connection and not a byte of it was written. With TLS a record that the
// kernel did not take whole counts as not written: nobody can read it.
void Station::drop_connection(cwire_status why) {
  const bool keeps = offline_ != nullptr && !is_ending();
  OutgoingList unsent;
  while (!framed_.empty()) {
    OutgoingMessage& message = framed_.pop();
    if (keeps && message.begin >= written_) {
      message.begin = message.end = 0;
      unsent.append(message);
    } else {
      finish(message, why);
    }
  }
  while (queue_.has_waiting()) {
    OutgoingMessage& message = queue_.pop();
    if (keeps) {
      unsent.append(message);
    } else {
      finish(message, why);
    }
  }
  dial_wanted_ = false;
  session_end_.reset();
  session_.reset();
  channel_.reset();
  blocked_ = false;
  ping_end_ = kNeverWritten;
  // The client begins each attempt unpaused.
  if (std::exchange(reading_paused_, false)) {
    statistics_.quality(
        [now = worker_->thread().now()](ConnectionQuality& quality) { quality.reading_paused(now, false); });
  }
  is_attempting_ = false;
  close_wanted_ = false;
  close_sent_ = false;
  written_ = 0;
  size_in_frames_ = 0;
  if (keeps) {
    finish_all(offline_->disconnected(unsent, worker_->thread().now()), CWIRE_E_QUEUE_FULL);
    choose_room();
  } else {
    end_offline();
    finish_all(queue_.close(), why);
  }
}

void Station::give_up(Failure failure) noexcept {
  try {
    connection_ended(std::move(failure));
  } catch (...) {
    // Not even that. The state machine has moved on and its deadline stands: the next tick tries again.
    arm();
  }
}

}  // namespace cwire
