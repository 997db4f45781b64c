#include "station/station.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <new>
#include <utility>

#include "ocpp/credentials.h"
#include "ocpp/subprotocol.h"
#include "ocpp/utf8.h"
#include "tls/context.h"

namespace cwire {

namespace {

// How much framed output may stand in front of the socket. Enough to fill the kernel's buffer; small enough that a ping or a
// close frame is not long behind, and that a station that is stuck holds its messages once and not twice.
constexpr std::size_t kOutputMax = 64 << 10;
// A buffer that a burst has grown beyond this is given back when it is empty.
constexpr std::size_t kOutputKeep = 4 << 10;

std::string_view nonce_bytes(const std::uint64_t& nonce) {
  return {reinterpret_cast<const char*>(&nonce), sizeof nonce};
}

std::string seconds(Duration duration) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", std::chrono::duration<double>(duration).count());
  return text;
}

}  // namespace

StationTable& station_table() {
  static StationTable& table = *new StationTable;
  return table;
}

// ---- any thread ----

Station::Station(std::shared_ptr<Worker> worker, StationOwner& owner, Description description)
    : worker_(std::move(worker)),
      owner_(owner),
      description_(std::move(description)),
      closed_event_(*this),
      queue_(description_.settings->send_queue_messages, description_.settings->send_queue_bytes),
      client_(*description_.settings) {}

Station::~Station() = default;

void Station::connect() {
  orders_.fetch_or(kConnect, std::memory_order_release);
  worker_->schedule(*this);
}

cwire_status Station::send(const void* data, std::size_t size, std::uint32_t flags, std::uint64_t tag) {
  if (size > message_size_max()) return CWIRE_E_TOO_BIG;
  if (state() != State::connected) return CWIRE_E_NOT_ESTABLISHED;  // before anything is copied
  return send(Payload::copy_of(data, size), flags, tag);
}

cwire_status Station::send(Payload payload, std::uint32_t flags, std::uint64_t tag) {
  auto message = std::make_unique<OutgoingMessage>();
  message->size = payload.size();
  message->payload = std::move(payload);
  message->data.station = handle();
  message->data.user_data = description_.user_data;
  message->data.station_id = description_.id.c_str();
  message->data.flags = flags;
  message->data.tag = tag;
  if (worker_->thread().is_current()) {
    // From the handler: straight into the output that is flushed at the end of this turn.
    if (state_.load(std::memory_order_relaxed) != State::connected) return CWIRE_E_NOT_ESTABLISHED;
    const cwire_status status = queue_.reserve(message->size);
    if (status != CWIRE_OK) return status;
    accept(*message.release());
    return CWIRE_OK;
  }
  const cwire_status status = queue_.push(message.get());
  if (status != CWIRE_OK) return status;
  message.release();
  worker_->schedule(*this);
  return CWIRE_OK;
}

void Station::disconnect(std::uint16_t close_code, std::string_view reason) {
  {
    std::lock_guard<std::mutex> lock(close_mutex_);
    if (close_code_ == 0) {  // the first caller's words go on the wire
      close_reason_ = reason;
      close_code_ = close_code;
    }
  }
  orders_.fetch_or(kDisconnect, std::memory_order_release);
  worker_->schedule(*this);
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
      *why = Failure(CWIRE_E_STATE, id() + ": waiting on an I/O thread would wait for itself; wait on a thread of yours");
      return CWIRE_E_STATE;
    }
    std::unique_lock<std::mutex> lock(worker_->state_mutex());
    if (timeout_ms < 0) {
      worker_->state_changed().wait(lock, settled);
    } else {
      worker_->state_changed().wait_for(lock, std::chrono::milliseconds(timeout_ms), settled);
    }
  }
  const Failure last = statistics_.last_error();
  switch (seen) {
    case State::connected:
      return CWIRE_OK;
    case State::closed:
      *why = Failure(CWIRE_E_CLOSED, id() + ": closed by request before it was connected");
      break;
    case State::error:
      *why = last;
      break;
    default:
      // The last error names the station already.
      *why = Failure(CWIRE_E_TIMEOUT, id() + ": not connected within " + std::to_string(timeout_ms) + " ms; " +
                                          (last ? "last attempt: " + last.message.substr(id().size() + 2)
                                                : std::string("the first attempt is still under way")));
  }
  return why->status;
}

void Station::fill(cwire_stats& out) const {
  cwire_stats all{};
  all.size = std::min(out.size, sizeof all);
  std::snprintf(all.station_id, sizeof all.station_id, "%s", id().c_str());
  all.state = static_cast<std::int32_t>(state());
  const Failure last = statistics_.last_error();
  all.last_error = last.status;
  std::snprintf(all.last_error_message, sizeof all.last_error_message, "%s", last.message.c_str());
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
  all.round_trip_ns = static_cast<std::int64_t>(statistics_.round_trip_ns.get());
  std::memcpy(&out, &all, all.size);
}

// ---- inputs, on the I/O thread ----

template <class Input>
void Station::guarded(Input input) noexcept {
  try {
    input();
  } catch (const std::bad_alloc&) {
    give_up(Failure(CWIRE_E_NO_MEMORY, "out of memory"));
  } catch (Error& error) {
    give_up(std::move(error.failure));
  } catch (...) {
    give_up(Failure(CWIRE_E_INTERNAL, "internal error"));  // short: this must not need memory
  }
}

// Without memory a report is lost; what it reports has happened all the same, and CLOSED needs none.
template <class Report>
void Station::reporting(Report report) noexcept {
  try {
    report();
  } catch (const std::bad_alloc&) {
  }
}

void Station::run_scheduled() noexcept {
  guarded([this] {
    const unsigned orders = orders_.exchange(0, std::memory_order_acquire);
    if ((orders & kConnect) != 0) begin();
    OutgoingList messages = queue_.take();
    while (!messages.empty()) accept(messages.pop());
    if ((orders & kDisconnect) != 0) {
      std::uint16_t code;
      std::string reason;
      {
        std::lock_guard<std::mutex> lock(close_mutex_);
        code = close_code_;
        reason = close_reason_;
      }
      disconnect_now(code, reason, description_.settings->close_timeout);
    }
  });
}

void Station::begin() {
  try {
    worker_->thread().timers().register_timer();
  } catch (const std::bad_alloc&) {
    closed_event_.data.status = CWIRE_E_NO_MEMORY;
    perform(client_.disconnect(worker_->thread().now(), Duration::zero()));
    return;
  }
  timer_registered_ = true;
  worker_->add(*this);
  perform(client_.start(worker_->thread().now()));
}

void Station::disconnect_now(std::uint16_t close_code, std::string_view reason, Duration limit) noexcept {
  guarded([&] {
    if (client_.finished()) return;
    {
      std::lock_guard<std::mutex> lock(close_mutex_);
      if (close_code_ == 0) {
        close_reason_ = reason;
        close_code_ = close_code;
      }
    }
    perform(client_.disconnect(worker_->thread().now(), limit));
  });
}

void Station::on_timer(TimePoint now) {
  guarded([&] {
    if (channel_ != nullptr && !is_open()) {
      client_.describe_attempt(
          session_ != nullptr ? "waiting for the answer to the upgrade request" : channel_->doing(), channel_->stage());
    }
    perform(client_.tick(now, worker_->random()));
    session_ended();  // a ping that could not be written
  });
}

void Station::on_channel_open() {
  guarded([this] {
    const Settings& settings = *description_.settings;
    UpgradeRequest request;
    request.url = description_.url;
    for (const std::string& version : settings.protocols) request.subprotocols.emplace_back(subprotocol_of(version));
    request.authorization = authorization_header(settings.auth, description_.id);
    request.headers = settings.headers;
    ProtocolLimits limits;
    limits.message_size_max = settings.message_size_max;
    limits.header_size_max = settings.header_size_max;
    limits.header_count_max = settings.header_count_max;
    limits.fragments_max = settings.fragments_max;
    session_ = worker_->engine().open(request, limits, *this);
    session_->start();
    session_ended();
  });
}

void Station::on_channel_data(const char* data, std::size_t size) {
  guarded([&] {
    client_.received(worker_->thread().now());
    if (session_ == nullptr) return;
    session_->receive(data, size);
    if (session_end_) {
      session_ended();
    } else if (!reading_paused_ && worker_->reading_paused()) {
      // Rule 9: the caller does not take its events, so the kernel, and then the peer, has to wait.
      reading_paused_ = true;
      channel_->pause_reading();
      client_.reading_paused(worker_->thread().now(), true);
      worker_->thread().timers().arm(*this, client_.deadline());
    }
  });
}

void Station::resume_reading() {
  if (!reading_paused_) return;
  reading_paused_ = false;
  if (channel_ == nullptr) return;
  channel_->resume_reading();
  client_.reading_paused(worker_->thread().now(), false);
  worker_->thread().timers().arm(*this, client_.deadline());
}

void Station::on_channel_writable() { worker_->mark_dirty(*this); }

void Station::on_channel_end() {
  guarded([this] {
    connection_ended(!is_open()
                         ? Failure(CWIRE_E_HANDSHAKE, "the server closed the TCP connection before it answered the upgrade request; if the "
                                               "port speaks TLS, write wss://")
                         : Failure(CWIRE_E_READ, "the server closed the TCP connection without a close frame"));
  });
}

void Station::on_channel_failed(Failure failure) {
  guarded([&] { connection_ended(std::move(failure)); });
}

void Station::on_open(std::string_view subprotocol) {
  subprotocol_ = subprotocol;
  connected_event_ = make_event(CWIRE_EVENT_CONNECTED);
  connected_event_->set_text(subprotocol_);
  last_close_code_ = 1006;  // RFC 6455 7.1.5, unless a close frame says otherwise
  last_close_remote_ = false;
  const bool room = queue_.open();
  perform(client_.opened(worker_->thread().now(), worker_->random()));
  if (room) reporting([this] { emit(make_event(CWIRE_EVENT_WRITABLE)); });
}

void Station::on_failed(Failure failure) {
  session_end_.emplace();
  session_end_->opened = false;
  session_end_->info.failure = std::move(failure);
}

void Station::on_closed(CloseInfo info) {
  session_end_.emplace(SessionEnd{true, std::move(info)});
}

void Station::on_message(std::shared_ptr<const void> owner, std::string_view data, bool binary) {
  std::unique_ptr<OwnedEvent> event = make_event(CWIRE_EVENT_MESSAGE);
  event->set_data(std::move(owner), data);
  if (binary) event->data.flags = CWIRE_FLAG_BINARY;
  statistics_.messages_received.add(1);
  statistics_.bytes_received.add(data.size());
  statistics_.last_message_at_ns.set(static_cast<std::uint64_t>(event->data.time_ns));
  emit(std::move(event));
}

void Station::on_pong(std::string_view data) {
  std::uint64_t nonce = 0;
  if (data.size() != sizeof nonce) return;
  std::memcpy(&nonce, data.data(), sizeof nonce);
  perform(client_.pong(worker_->thread().now(), nonce));
  statistics_.round_trip_ns.set(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(client_.round_trip()).count()));
}

void Station::on_output() { worker_->mark_dirty(*this); }

// ---- what the state machine decides ----

void Station::perform(const Actions& actions) {
  for (const Action& action : actions) {
    switch (action.type) {
      case Action::Type::attempt:
        statistics_.attempts.add(1);
        open_connection();
        break;
      case Action::Type::abandon:
        // After our close frame the goodbye is orderly also where there is no time to wait for the peer's.
        if (close_sent_ && channel_ != nullptr) channel_->close();
        drop_connection(CWIRE_E_CLOSED);
        break;
      case Action::Type::ping:
        session_->ping(nonce_bytes(action.nonce));
        break;
      case Action::Type::close: {
        OutgoingList last = queue_.close();
        while (!last.empty()) accept(last.pop());
        close_wanted_ = true;
        // At once: with a limit of 0 the connection is gone before the turn ends. What else there is to do is the flush's.
        write_output();
        worker_->mark_dirty(*this);
        break;
      }
      case Action::Type::report_state:
        set_state(action);
        break;
      case Action::Type::report_connected:
        report_connected(action);
        break;
      case Action::Type::report_disconnected:
        reporting([&] { report_failure(CWIRE_EVENT_DISCONNECTED, action); });
        break;
      case Action::Type::report_error:
        reporting([&] { report_failure(CWIRE_EVENT_ERROR, action); });
        break;
      case Action::Type::report_closed:
        report_closed();
        return;  // the station may be gone as soon as this turn's events are taken
    }
  }
  if (timer_registered_) worker_->thread().timers().arm(*this, client_.deadline());
}

void Station::open_connection() {
  const Settings& settings = *description_.settings;
  Channel::Target target;
  target.host = description_.url.host;
  target.port = description_.url.port;
  if (description_.tls != nullptr) {
    target.tls = description_.tls;
    target.server_name = settings.tls.server_name.empty() ? description_.url.host : settings.tls.server_name;
    if (settings.tls.insecure_skip_verify) {
      log(CWIRE_LOG_WARNING, id() + ": the certificate of " + description_.url.text() +
                                 " is NOT verified (csms.tls.insecure_skip_verify); anyone on the way can read and change "
                                 "everything, passwords included");
    }
  }
  if (worker_->log_level() >= CWIRE_LOG_DEBUG) log(CWIRE_LOG_DEBUG, id() + ": connecting to " + description_.url.text());
  channel_ = std::make_unique<Channel>(worker_->thread(), worker_->resolver(), static_cast<ChannelListener&>(*this));
  channel_->open(std::move(target));
}

void Station::connection_ended(Failure failure) {
  const bool was_open = is_open();
  drop_connection(CWIRE_E_CLOSED);
  const TimePoint now = worker_->thread().now();
  perform(was_open ? client_.lost(now, worker_->random(), std::move(failure))
                   : client_.attempt_failed(now, worker_->random(), std::move(failure)));
}

// Called when no function of the session is on the stack.
void Station::session_ended() {
  if (!session_end_) return;
  const bool opened = session_end_->opened;
  CloseInfo info = std::move(session_end_->info);
  session_end_.reset();
  const Duration at_least = std::chrono::seconds(std::max(0, session_->retry_after_s()));
  // The last word, a close frame, as far as the kernel takes it.
  if (channel_ != nullptr) {
    const std::size_t bytes = channel_->write(session_->output());
    written(bytes);
    channel_->close();
  }
  drop_connection(CWIRE_E_CLOSED);
  const TimePoint now = worker_->thread().now();
  if (!opened) {
    if (info.failure.status == CWIRE_E_AUTH && description_.settings->auth.type == AuthType::none) {
      info.failure.message += "; none were sent: csms.auth.type is none";
    }
    perform(client_.attempt_failed(now, worker_->random(), std::move(info.failure), at_least));
    return;
  }
  last_close_code_ = info.code;
  last_close_remote_ = info.remote;
  if (!info.failure && info.remote) {
    info.failure = Failure(CWIRE_E_CLOSED,
                           "closed by the CSMS with code " + std::to_string(info.code) +
                               (info.reason.empty() ? std::string() : " (" + words_of_peer(info.reason) + ")"),
                           info.code);
  }
  perform(client_.lost(now, worker_->random(), std::move(info.failure)));
}

// Everything of this connection goes; what was accepted and not taken by the kernel is reported.
void Station::drop_connection(cwire_status why) {
  session_end_.reset();
  session_.reset();
  channel_.reset();
  blocked_ = false;
  reading_paused_ = false;
  close_wanted_ = false;
  close_sent_ = false;
  written_ = 0;
  while (!framed_.empty()) finish(framed_.pop(), why);
  while (!waiting_.empty()) finish(waiting_.pop(), why);
  OutgoingList late = queue_.close();
  while (!late.empty()) finish(late.pop(), why);
}

void Station::give_up(Failure failure) noexcept {
  try {
    connection_ended(std::move(failure));
  } catch (...) {
    // Not even that. The state machine has moved on and its deadline stands: the next tick tries again.
    if (timer_registered_) worker_->thread().timers().arm(*this, client_.deadline());
  }
}

// ---- messages on their way out ----

void Station::accept(OutgoingMessage& message) {
  waiting_.append(message);
  worker_->mark_dirty(*this);
}

void Station::pump() {
  if (session_ == nullptr) return;
  std::string& output = session_->output();
  while (!waiting_.empty() && output.size() < kOutputMax) {
    OutgoingMessage& message = waiting_.pop();
    const bool sent = session_->send(message.payload.view(), (message.data.flags & CWIRE_FLAG_BINARY) != 0);
    message.payload = Payload();
    if (!sent) {
      finish(message, CWIRE_E_CLOSED);
      continue;
    }
    message.end = written_ + output.size();
    framed_.append(message);
  }
  if (close_wanted_ && waiting_.empty()) {
    close_wanted_ = false;
    close_sent_ = true;
    std::string reason;
    std::uint16_t code;
    {
      std::lock_guard<std::mutex> lock(close_mutex_);
      reason = close_reason_;
      code = close_code_;
    }
    session_->close(code, reason);
  }
}

void Station::flush() noexcept {
  guarded([this] {
    write_output();
    session_ended();
  });
}

bool Station::has_unflushed() const {
  return session_ != nullptr && !blocked_ && (!waiting_.empty() || !session_->output().empty());
}

// Frames and writes until all is with the kernel or the socket is full.
void Station::write_output() {
  while (channel_ != nullptr && session_ != nullptr) {
    pump();
    std::string& output = session_->output();
    if (session_end_ || output.empty()) return;
    const std::size_t bytes = channel_->write(output);
    written(bytes);
    const bool blocked = !output.empty();
    if (blocked || blocked_) {
      const TimePoint now = worker_->thread().now();
      if (bytes != 0) client_.write_progress(now);
      if (blocked != blocked_) {
        blocked_ = blocked;
        client_.write_blocked(now, blocked);
      }
      if (timer_registered_) worker_->thread().timers().arm(*this, client_.deadline());
    }
    if (blocked) return;  // on_channel_writable comes
    // Not before the upgrade is answered: until then the session cleanses the credentials in it.
    if (output.capacity() > kOutputKeep && is_open()) std::string().swap(output);
  }
}

void Station::written(std::size_t bytes) {
  written_ += bytes;
  while (!framed_.empty() && framed_.front().end <= written_) finish(framed_.pop(), CWIRE_OK);
}

void Station::finish(OutgoingMessage& taken, cwire_status status) noexcept {
  std::unique_ptr<OutgoingMessage> message(&taken);
  queue_.settle(message->size);
  if (status == CWIRE_OK) {
    statistics_.messages_sent.add(1);
    statistics_.bytes_sent.add(message->size);
  } else {
    statistics_.messages_not_sent.add(1);
  }
  if (status != CWIRE_OK || (message->data.flags & CWIRE_FLAG_REPORT) != 0) {
    message->payload = Payload();
    message->data.status = status;
    message->data.time_ns = wall_clock_ns();
    worker_->emit(*message.release());
  }
  // Of a connection that is gone there is no room to announce; the next one does.
  if (status == CWIRE_OK && queue_.announce_room()) {
    try {
      emit(make_event(CWIRE_EVENT_WRITABLE));
    } catch (const std::bad_alloc&) {
      queue_.announce_later();
    }
  }
}

// ---- reports ----

void Station::emit(std::unique_ptr<OwnedEvent> event) { worker_->emit(*event.release()); }

std::unique_ptr<OwnedEvent> Station::make_event(int type) const {
  auto event = std::make_unique<OwnedEvent>(type);
  event->data.station = handle();
  event->data.user_data = description_.user_data;
  event->data.station_id = description_.id.c_str();
  return event;
}

void Station::set_state(const Action& action) {
  {
    std::lock_guard<std::mutex> lock(worker_->state_mutex());
    state_.store(action.to, std::memory_order_release);
  }
  worker_->state_changed().notify_all();
  reporting([&] {
    std::unique_ptr<OwnedEvent> event = make_event(CWIRE_EVENT_STATE);
    event->set_data(nullptr, cwire_state_name(static_cast<std::int32_t>(action.to)));
    event->data.code = static_cast<std::int32_t>(action.to);
    event->data.tag = static_cast<std::uint64_t>(action.from);
    emit(std::move(event));
  });
}

void Station::report_connected(const Action& action) noexcept {
  connected_event_->data.tag = action.number;
  if (action.number > 1) connected_event_->data.flags = CWIRE_FLAG_RECONNECT;
  statistics_.connections.add(1);
  statistics_.connected_at_ns.set(static_cast<std::uint64_t>(connected_event_->data.time_ns));
  worker_->emit(*connected_event_.release());
  reporting([this] { log(CWIRE_LOG_INFO, id() + ": connected to " + description_.url.text() + " with " + subprotocol_); });
}

// What the peer gives as its reason, fit to stand in a line of ours: no control characters, and none of our secrets, which a
// server might send back to have them logged.
std::string Station::words_of_peer(const std::string& reason) const {
  const AuthSettings& auth = description_.settings->auth;
  const auto contains = [&](std::string_view secret) { return !secret.empty() && reason.find(secret) != std::string::npos; };
  const Secret header = authorization_header(auth, description_.id);
  const std::string_view value = header.reveal();
  if (contains(auth.password.reveal()) || contains(auth.token.reveal()) || contains(value.substr(value.find(' ') + 1))) {
    return "its reason is withheld: it holds our credentials";
  }
  std::string words;
  char32_t character = 0;
  for (std::size_t at = 0; at < reason.size();) {
    const std::size_t begin = at;
    if (!next_utf8(reason, at, character)) break;
    if (is_control(character)) {
      words += '?';
    } else {
      words.append(reason, begin, at - begin);
    }
  }
  return words;
}

std::string Station::what_follows(const Action& action) const {
  if (action.will_retry) return "; next attempt in " + seconds(action.retry_in);
  return client_.closing() || client_.state() == State::closed ? std::string() : "; gave up";
}

void Station::report_failure(int type, const Action& action) {
  const Failure& failure = client_.last_failure();
  std::string text = id() + ": ";
  if (failure) {
    text += failure.message + " (" + description_.url.text() + ")" + what_follows(action);
  } else {
    text += failure.message.empty() ? "disconnected by request" : failure.message;
  }
  std::unique_ptr<OwnedEvent> event = make_event(type);
  event->set_text(text);
  event->data.status = failure.status;
  event->data.flags = action.will_retry ? CWIRE_FLAG_WILL_RETRY : 0;
  if (type == CWIRE_EVENT_DISCONNECTED) {
    statistics_.disconnected_at_ns.set(static_cast<std::uint64_t>(event->data.time_ns));
    event->data.code = last_close_code_;
    if (last_close_remote_) event->data.flags |= CWIRE_FLAG_REMOTE;
  } else {
    event->data.code = failure.code;
    event->data.tag = action.number;
  }
  emit(std::move(event));
  if (failure) {
    statistics_.set_last_error(Failure(failure.status, text, failure.code));
    log(CWIRE_LOG_INFO, text);
  }
}

void Station::report_closed() {
  const Failure& failure = client_.last_failure();
  cwire_event& event = closed_event_.data;
  event.station = handle();
  event.user_data = description_.user_data;
  event.station_id = description_.id.c_str();
  event.time_ns = wall_clock_ns();
  event.code = last_close_code_;
  if (client_.state() == State::error) {
    event.status = failure.status;
    event.data = statistics_.last_words().c_str();
    event.data_size = statistics_.last_words().size();
  } else {
    std::string_view why = event.status == CWIRE_OK ? "closed by request" : "out of memory";
    if (event.status == CWIRE_OK && !failure.message.empty()) why = failure.message;  // lives as long as the station
    event.data = why.data();
    event.data_size = why.size();
  }
  if (timer_registered_) {
    worker_->remove(*this);
    worker_->thread().timers().unregister_timer(*this);
    timer_registered_ = false;
  }
  worker_->emit(closed_event_);
}

void Station::ClosedEvent::handed_over() noexcept { station_table().retire(station_.token); }

void Station::ClosedEvent::released() noexcept {
  Station& station = station_;
  station.owner_.station_ended(station);
  station_table().unpin(station.token);  // the pin of the library itself, held since connect
}

}  // namespace cwire
