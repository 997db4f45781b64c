// What a station tells: its events, their words, and the statistics that go with them.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "ocpp/own_secrets.h"
#include "ocpp/utf8.h"
#include "station/station.h"

namespace cwire {

namespace {

std::string seconds(Duration duration) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", std::chrono::duration<double>(duration).count());
  return text;
}

constexpr char kClosedByPeer[] = "closed by the CSMS with code ";
constexpr char kWords[] = " (";

// The trace has them in the peer's close frame, redacted.
std::string_view without_words_of_peer(std::string_view message) {
  const std::size_t closed = message.find(kClosedByPeer);
  return closed == std::string_view::npos ? message : message.substr(0, message.find(kWords, closed));
}

}  // namespace

void Station::emit(std::unique_ptr<OwnedEvent> event) { worker_->emit(*event.release()); }

std::unique_ptr<OwnedEvent> Station::make_event(int type) const {
  auto event = std::make_unique<OwnedEvent>(type);
  sign(*event);
  return event;
}

void Station::sign(Event& event) const {
  event.data.station = handle();
  event.data.user_data = description_.user_data;
  event.data.station_id = description_.id.c_str();
}

void Station::report_message(std::unique_ptr<OwnedEvent> event, bool binary) {
  sign(*event);
  if (binary) event->data.flags = CWIRE_FLAG_BINARY;
  statistics_.messages_received.add(1);
  statistics_.bytes_received.add(event->data.data_size);
  const std::size_t size_in_frames = std::exchange(size_in_frames_, 0);
  statistics_.wire_bytes_received.add(size_in_frames != 0 ? size_in_frames : event->data.data_size);
  if (WorkerMetrics* metrics = worker_->own_metrics()) metrics->message_received.observe(event->data.data_size);
  statistics_.last_message_at_ns.set(static_cast<std::uint64_t>(event->data.time_ns));
  emit(std::move(event));
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
  if (trace_ != nullptr) trace_->connected(action.number, subprotocol_);
  if (action.number > 1) {
    connected_event_->data.flags = CWIRE_FLAG_RECONNECT;
    metrics_->reconnections.add(1);
  }
  statistics_.connections.add(1);
  metrics_->connections.add(1);
  statistics_.connected_at_ns.set(static_cast<std::uint64_t>(connected_event_->data.time_ns));
  worker_->emit(*connected_event_.release());
  reporting([this] { log(CWIRE_LOG_INFO, id() + ": connected to " + url().text() + " with " + subprotocol_); });
}

void Station::note_handshake(const HandshakeTimes& times) noexcept {
  statistics_.quality([&](ConnectionQuality& quality) { quality.established(times); });
  metrics_->handshake.observe(length_ns(times.whole()));
  const HandshakeTimes::Part parts[kHandshakePhases] = {times.resolve, times.tcp, times.proxy, times.tls, times.http};
  for (std::size_t phase = 0; phase < kHandshakePhases; ++phase) {
    if (parts[phase].count() != 0) metrics_->handshake_phase[phase].observe(length_ns(parts[phase]));
  }
}

void Station::note_ping(TimePoint left) noexcept {
  ping_end_ = kNeverWritten;
  client_.ping_left(left);
  statistics_.quality([left](ConnectionQuality& quality) { quality.ping_left(left); });
}

void Station::note_round_trip(const WebSocketClient::Pong& pong) noexcept {
  statistics_.quality([&](ConnectionQuality& quality) { quality.pong(worker_->thread().now(), pong.round_trip); });
  if (pong.round_trip) metrics_->round_trip.observe(length_ns(*pong.round_trip));
}

// What the peer gives as its reason, fit to stand in a line of ours: no control characters, and none of our secrets,
// which a server might send back to have them logged.
std::string Station::words_of_peer(const std::string& reason) const {
  switch (OwnSecrets(*description_.settings, description_.proxy.get(), id(), description_.url.path).find_in(reason)) {
    case OwnSecrets::Found::nothing:
      break;
    case OwnSecrets::Found::credentials:
      return "withheld: it holds our credentials";
    case OwnSecrets::Found::header_or_query:
      return "withheld: it repeats a header or the query of ours";
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

std::string Station::closed_by_peer(const CloseInfo& info) const {
  std::string message = kClosedByPeer + std::to_string(info.code);
  if (!info.reason.empty()) message += kWords + words_of_peer(info.reason) + ")";
  return message;
}

std::string Station::what_follows(const Action& action) const {
  if (action.will_retry) return "; next attempt in " + seconds(action.retry_in);
  return "; gave up";
}

cwire_failure Station::in_numbers(int type, const Action& action) const {
  const Failure& failure = client_.last_failure();
  cwire_failure out{};
  out.size = sizeof out;
  out.status = failure.status;
  out.phase = static_cast<std::int32_t>(failure.phase);
  out.security_event = static_cast<std::int32_t>(failure.security);
  switch (failure.code.kind) {
    case Code::Kind::none:
    case Code::Kind::close_code:
      break;
    case Code::Kind::os_error:
      out.os_error = failure.code.number;
      break;
    case Code::Kind::x509:
      out.x509_error = failure.code.number;
      break;
    case Code::Kind::http_status:
      out.http_status = failure.code.number;
      break;
  }
  if (type == CWIRE_EVENT_DISCONNECTED) {
    out.close_code = last_close_code_;
    if (last_close_remote_) out.flags |= CWIRE_FLAG_REMOTE;
  }
  if (action.needs_action) out.flags |= CWIRE_FLAG_NEEDS_ACTION;
  out.time_ns = wall_clock_ns();
  if (action.will_retry) {
    out.flags |= CWIRE_FLAG_WILL_RETRY;
    out.retry_at_ns = out.time_ns + std::chrono::duration_cast<std::chrono::nanoseconds>(action.retry_in).count();
  }
  return out;
}

void Station::report_failure(int type, const Action& action) {
  const Failure& failure = client_.last_failure();
  const auto told = [&](std::string_view message) {
    std::string text = id() + ": ";
    if (failure) {
      text.append(message).append(" (").append(url().text());
      if (was_redirected()) text += ", where " + description_.url.text() + " sent it";
      text += ")" + what_follows(action);
    } else {
      text += !message.empty() ? message : "disconnected by request";
      if (action.will_retry) text += ", to connect again";
    }
    return text;
  };
  std::string text = told(failure.message);
  if (trace_ != nullptr) {
    const std::string traced = told(without_words_of_peer(failure.message));
    if (type == CWIRE_EVENT_DISCONNECTED) {
      trace_->lost(failure.status, traced);
    } else {
      trace_->failed(failure.status, traced);
    }
  }
  const cwire_failure numbers = in_numbers(type, action);
  auto event = std::make_unique<FailureEvent>(type, text, numbers);
  sign(*event);
  if (type == CWIRE_EVENT_DISCONNECTED) {
    statistics_.disconnected_at_ns.set(static_cast<std::uint64_t>(numbers.time_ns));
    event->data.code = last_close_code_;
  } else {
    event->data.code = failure.code.number;
    event->data.tag = action.number;
  }
  if (!failure) event->data.failure = nullptr;
  worker_->emit(*event.release());
  if (failure) {
    log(CWIRE_LOG_INFO, text);
    statistics_.set_last_failure({std::move(text), numbers});
  }
}

void Station::report_closed() {
  end_offline();
  finish_all(queue_.close(), CWIRE_E_CLOSED);  // of one that was never connected again
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
  if (trace_ != nullptr) {
    trace_->closed(event.status, without_words_of_peer({event.data, event.data_size}));
    trace_.reset();
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
  station.settle();
  station.owner_.station_ended(station);
  station_table().unpin(station.token);  // the pin of the library itself, held since connect
}

}  // namespace cwire
