#include "station.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "simulation.h"

namespace simulation {

using cwire::Action;
using cwire::Actions;
using cwire::FailurePhase;
using cwire::OutgoingList;
using cwire::OutgoingMessage;

namespace {

constexpr std::uint64_t kOutputMax = 64 << 10;  // as in cwire::Station
constexpr std::uint64_t kSendBuffer = 4 << 10;  // the kernel's; small, so that it is often full
constexpr std::size_t kFrameHead = 8;
constexpr std::size_t kPingSize = 14;
constexpr std::size_t kCloseSize = 8;

const char* name_of(Action::Type type) {
  switch (type) {
    case Action::Type::attempt:
      return "attempt";
    case Action::Type::abandon:
      return "abandon";
    case Action::Type::ping:
      return "ping";
    case Action::Type::close:
      return "close";
    case Action::Type::report_state:
      return "state";
    case Action::Type::report_connected:
      return "CONNECTED";
    case Action::Type::report_disconnected:
      return "DISCONNECTED";
    case Action::Type::report_error:
      return "ERROR";
    case Action::Type::report_closed:
      return "CLOSED";
  }
  return "";
}

// What the governor is told, as cwire::Station tells it.
cwire::Outcome outcome_of(const cwire::Failure& failure) {
  switch (class_of(failure)) {
    case cwire::FailureClass::throttled:
      return cwire::Outcome::throttled;
    case cwire::FailureClass::refused:
    case cwire::FailureClass::unverified:
      return cwire::Outcome::refused;
    case cwire::FailureClass::local:
      return cwire::Outcome::local;
    case cwire::FailureClass::network:
    case cwire::FailureClass::restarting:
    case cwire::FailureClass::overloaded:
      break;
  }
  return cwire::Outcome::failed;
}

bool does_badly(const cwire::Failure& failure) { return failure && class_of(failure) == cwire::FailureClass::network; }

cwire::QueueLimits queue_limits(const cwire::Settings& settings) {
  return {settings.send_queue_policy, settings.send_queue_messages, settings.send_queue_bytes};
}

cwire::OfflineQueue::Rules offline_rules(const cwire::Settings& settings) {
  cwire::OfflineQueue::Rules rules;
  rules.limits = {settings.send_queue_policy, settings.offline.messages_max, settings.offline.bytes_max};
  rules.age_max = settings.offline.age_max;
  rules.replay_rate = settings.offline.replay_rate;
  return rules;
}

FailurePhase phase_of_stage(bool tcp, bool tls) {
  return tcp ? FailurePhase::tcp : tls ? FailurePhase::tls : FailurePhase::http;
}

}  // namespace

Station::Station(Simulation& simulation, std::uint32_t number, const Group& group, Spread& spread)
    : simulation_(simulation),
      number_(number),
      group_(group),
      judge_(simulation.trace(), group.settings, number, spread, simulation.budget_judge()),
      client_(group.settings),
      queue_(queue_limits(group.settings)),
      offline_(group.settings.offline.messages_max == 0
                   ? nullptr
                   : std::make_unique<cwire::OfflineQueue>(offline_rules(group.settings), simulation.offline_budget())),
      pacer_(simulation.pacer_of(group)) {
  turn_.station = number;
  simulation_.timers().register_timer();
  if (offline_ == nullptr) return;
  choose_room();
  queue_.open();
}

Station::~Station() {
  while (!framed_.empty()) delete &framed_.pop();
  simulation_.timers().unregister_timer(*this);
}

TimePoint Station::now() const { return simulation_.trace().now(); }

void Station::note(const char* what, std::uint64_t a, std::uint64_t b) const {
  simulation_.trace().note(number_, what, a, b);
}

bool Station::is_back() const {
  return client_.finished() || (client_.state() == cwire::State::connected && line_.open && !line_.ended &&
                                !line_.forgotten_up && !line_.forgotten_down);
}

// ---- inputs ----

void Station::connect() {
  judge_.started();
  perform(client_.start(now()));
}

void Station::disconnect(Duration limit) {
  if (client_.finished()) return;
  note("disconnect", static_cast<std::uint64_t>(limit.count()));
  accept_all(queue_.take());
  judge_.asked_to_end(limit);
  perform(client_.disconnect(now(), limit));
  if (offline_ != nullptr && client_.closing()) stop_accepting();
}

void Station::network_up() {
  if (client_.finished()) return;
  note("network up");
  judge_.network_up();
  client_.network_up(now());
  after_input();
}

void Station::pause(Duration length) {
  if (paused_ || client_.state() != cwire::State::connected) return;
  note("pause", static_cast<std::uint64_t>(length.count()));
  paused_ = true;
  judge_.paused(true);
  client_.reading_paused(now(), true);
  simulation_.plan({now() + length, 0, Event::Kind::resume, number_, line_.number, 0, 0});
  after_input();
}

void Station::after_suspend() {
  if (client_.finished()) return;
  note("suspend");
  judge_.suspended();
  client_.after_suspend();
  after_input();
}

void Station::reconfigure(std::int32_t number, Duration limit) {
  if (client_.finished()) return;
  note("reconfigure", static_cast<std::uint64_t>(number), static_cast<std::uint64_t>(limit.count()));
  cwire::WebSocketClient::Change change;
  change.of_attempts = (number & Trouble::kOfAttempts) != 0;
  change.reconnect = (number & Trouble::kReconnect) != 0;
  accept_all(queue_.take());
  other_settings_ = !other_settings_;
  const cwire::Settings& settings = other_settings_ ? group_.other_settings : group_.settings;
  judge_.reconfigured(settings, change, limit);
  if (offline_ != nullptr) {
    offline_->use(offline_rules(settings));
    mark_dirty();
  }
  queue_.limit(queue_limits(settings));
  perform(client_.reconfigure(now(), settings, change, limit));
}

void Station::on_timer(TimePoint now) {
  note("tick");
  if (client_.deadline() <= now && stage_ != Stage::none && stage_ != Stage::open) {
    const FailurePhase phase = phase_of_stage(stage_ == Stage::tcp, stage_ == Stage::tls);
    client_.describe_attempt({}, phase);
    judge_.ends({Fate::Kind::timed_out, 0, -1, phase});
  }
  perform(client_.tick(now, simulation_.random()));
  judge_.after_tick(client_);
  if (offline_ != nullptr) mark_dirty();
}

void Station::handle(const Event& event) {
  switch (event.kind) {
    case Event::Kind::take:
      take_planned_ = false;
      accept_all(queue_.take());
      return;
    case Event::Kind::application_sends:
      application_sends();
      return;
    default:
      break;
  }
  // Of a connection that is gone.
  if (event.line != line_.number) return;
  const bool from_network = event.kind >= Event::Kind::syn_ack && event.kind <= Event::Kind::end_of_stream;
  if (paused_ && from_network) {
    held_.push_back(event);
    return;
  }
  switch (event.kind) {
    case Event::Kind::starved:
      connection_ended({Fate::Kind::starved});
      break;
    case Event::Kind::refused:
      connection_ended({Fate::Kind::refused});
      break;
    case Event::Kind::unreachable:
      connection_ended({Fate::Kind::unreachable});
      break;
    case Event::Kind::step_timeout:
      if (event.value != static_cast<std::uint64_t>(stage_)) break;
      connection_ended({Fate::Kind::timed_out, 0, -1, phase_of_stage(stage_ == Stage::tcp, stage_ == Stage::tls)});
      break;
    case Event::Kind::syn_ack:
      step_ends(simulation_.endpoint_of(group_).tls ? Stage::tls : Stage::upgrade);
      break;
    case Event::Kind::resume: {
      note("resume");
      paused_ = false;
      judge_.paused(false);
      client_.reading_paused(now(), false);
      after_input();
      std::vector<Event> held = std::exchange(held_, {});
      for (const Event& one : held) handle(one);
      break;
    }
    case Event::Kind::reset:
      connection_ended({Fate::Kind::reset});
      break;
    case Event::Kind::end_of_stream:
      if (is_open()) {
        connection_ended({Fate::Kind::end_of_stream});
      } else {
        connection_ended({Fate::Kind::hung_up, 0, -1, phase_of_stage(stage_ == Stage::tcp, stage_ == Stage::tls)});
      }
      break;
    default:
      client_.received(now());
      judge_.received();
      switch (event.kind) {
        case Event::Kind::server_hello:
          step_ends(Stage::upgrade);
          break;
        case Event::Kind::certificate:
          connection_ended({Fate::Kind::unverified, static_cast<std::int32_t>(event.value)});
          break;
        case Event::Kind::answer:
          answered(event);
          break;
        case Event::Kind::pong:
          note("pong", event.value);
          judge_.pong_arrived(event.value);
          client_.pong(now(), event.value);
          after_input();
          break;
        case Event::Kind::close:
          closed_by_peer(event);
          break;
        default:
          after_input();
      }
  }
}

// ---- the connection ----

// As cwire::Station: first connects and reconnects alike take their turn.
void Station::ask_to_dial() {
  dial_wanted_ = true;
  judge_.queued();
  client_.queued();
  if (pacer_ == nullptr) {
    simulation_.dial_soon(number_);
    return;
  }
  if (turn_.held()) simulation_.dial_soon(number_);
  if (turn_.held() || turn_.waits()) return;  // of an attempt that this one replaces
  pacer_->ask(turn_, group_.priority);
  simulation_.paced(group_);
}

void Station::dial() {
  if (!dial_wanted_ || (pacer_ != nullptr && !turn_.held())) return;
  dial_wanted_ = false;
  note("dial");
  line_ = Line();
  stage_ = Stage::tcp;
  judge_.dialled();
  client_.dialing(now());
  simulation_.dial(*this, number_);
  simulation_.plan({now() + group_.settings.tcp_timeout, 0, Event::Kind::step_timeout, number_, line_.number,
                    static_cast<std::uint64_t>(Stage::tcp), 0});
  after_input();
}

// TCP stands, or TLS does.
void Station::step_ends(Stage next) {
  stage_ = next;
  if (next == Stage::tls) {
    simulation_.to_csms(*this, {{}, 0, Event::Kind::client_hello, number_, line_.number, 0, 0});
    simulation_.plan({now() + group_.settings.tls_handshake_timeout, 0, Event::Kind::step_timeout, number_,
                      line_.number, static_cast<std::uint64_t>(Stage::tls), 0});
  } else {
    judge_.upgrading();
    client_.upgrading(now());
    simulation_.to_csms(*this, {{}, 0, Event::Kind::upgrade_request, number_, line_.number, 0, 0});
  }
  after_input();
}

void Station::answered(const Event& event) {
  if (event.value == kNoSubprotocol) {
    connection_ended({Fate::Kind::no_subprotocol});
  } else if (event.value != 101) {
    connection_ended({Fate::Kind::answered, static_cast<std::int32_t>(event.value),
                      static_cast<std::int32_t>(event.more), FailurePhase::http});
  } else {
    stage_ = Stage::open;
    const bool room = offline_ == nullptr && queue_.open();
    if (offline_ != nullptr) {
      offline_->connected(now());
      choose_room();
      mark_dirty();
    }
    perform(client_.opened(now(), simulation_.random()));
    if (room) judge_.writable();
  }
}

void Station::connection_ended(Fate fate) {
  note("ends", static_cast<std::uint64_t>(fate.kind), static_cast<std::uint64_t>(fate.number));
  const bool was_open = is_open();
  drop();
  judge_.ends(fate);
  cwire::Failure failure = failure_of(fate);
  perform(was_open ? client_.lost(now(), simulation_.random(), std::move(failure))
                   : client_.attempt_failed(now(), simulation_.random(), std::move(failure)));
}

// The close handshake is complete, whoever began it.
void Station::closed_by_peer(const Event& event) {
  note("closed", event.value, static_cast<std::uint64_t>(event.more));
  const bool answers_ours = event.more != 0;
  if (answers_ours) judge_.closed_in_order();
  drop();
  const Fate fate{Fate::Kind::closed, static_cast<std::int32_t>(event.value)};
  judge_.ends(fate);
  perform(client_.lost(now(), simulation_.random(), answers_ours ? cwire::Failure() : failure_of(fate)));
}

// As cwire::Station::drop_connection.
void Station::drop() {
  const bool keeps = offline_ != nullptr && !is_ending();
  OutgoingList unsent;
  while (!framed_.empty()) {
    OutgoingMessage& message = framed_.pop();
    if (keeps && message.begin >= written_) {
      judge_.returns(message.data.tag, message.size);
      message.begin = message.end = 0;
      unsent.append(message);
    } else {
      settle(message, CWIRE_E_CLOSED);
    }
  }
  while (queue_.has_waiting()) {
    OutgoingMessage& message = queue_.pop();
    if (keeps) {
      judge_.returns(message.data.tag, message.size);
      unsent.append(message);
    } else {
      settle(message, CWIRE_E_CLOSED);
    }
  }
  dial_wanted_ = false;
  stage_ = Stage::none;
  line_ = Line();
  held_.clear();
  frames_.clear();
  first_frame_ = 0;
  output_ = 0;
  written_ = 0;
  ping_end_ = kNeverWritten;
  blocked_ = false;
  paused_ = false;
  close_wanted_ = false;
  if (keeps) {
    go_offline(unsent);
  } else {
    end_offline();
    settle_all(queue_.close(), CWIRE_E_CLOSED);
  }
  judge_.queue_is(queue_.messages(), queue_.bytes());
}

void Station::perform(const Actions& actions) {
  performing_ = true;
  for (const Action& action : actions) {
    note(name_of(action.type), action.number + action.nonce + static_cast<std::uint64_t>(action.to),
         static_cast<std::uint64_t>(action.retry_in.count()));
    judge_.action(action, client_.last_failure());
    switch (action.type) {
      case Action::Type::attempt:
        ask_to_dial();
        break;
      case Action::Type::abandon:
        drop();
        break;
      case Action::Type::ping:
        append(Frame::Kind::ping, action.nonce, kPingSize);
        ping_end_ = written_ + output_;
        break;
      case Action::Type::close:
        if (offline_ == nullptr || is_ending()) {
          stop_accepting();
        } else {
          accept_all(queue_.take());
          go_offline(OutgoingList());
        }
        close_wanted_ = true;
        write();
        mark_dirty();
        break;
      case Action::Type::report_connected:
        simulation_.count_connection();
        if (pacer_ != nullptr) pacer_->ended(turn_, cwire::Outcome::established);
        break;
      case Action::Type::report_disconnected:
        if (pacer_ != nullptr && does_badly(client_.last_failure())) pacer_->lost(turn_);
        break;
      case Action::Type::report_error:
        if (pacer_ != nullptr) pacer_->ended(turn_, outcome_of(client_.last_failure()));
        break;
      case Action::Type::report_closed:
        if (pacer_ != nullptr) pacer_->withdraw(turn_);
        end_offline();
        settle_all(queue_.close(), CWIRE_E_CLOSED);
        simulation_.has_closed(number_);
        break;
      case Action::Type::report_state:
        break;
    }
  }
  performing_ = false;
  if (pacer_ != nullptr) simulation_.paced(group_);
  after_input();
}

void Station::after_input() {
  if (performing_) return;  // the judge has yet to hear of some
  judge_.after_input(client_);
  arm();
}

void Station::arm() {
  TimePoint deadline = client_.deadline();
  if (offline_ != nullptr) {
    deadline = std::min(deadline, offline_->expiry());
    if (!blocked_) deadline = std::min(deadline, offline_->replay_due());
  }
  judge_.wakes_at(deadline);
  simulation_.timers().arm(*this, deadline);
}

// ---- messages ----

void Station::application_sends() {
  Dice& dice = simulation_.dice();
  for (std::uint32_t i = 0; i < group_.burst; ++i) {
    const std::size_t size = dice.below(group_.size_max + 1);
    if (!queue_.is_open()) {
      judge_.not_established();
      return;
    }
    auto message = std::make_unique<OutgoingMessage>();
    message->size = size;
    message->data.tag = messages_;
    const bool in_handler = dice.chance(30);
    if (in_handler) accept_all(queue_.take());  // so that its messages keep the order in which they are counted here
    const cwire_status status = in_handler ? queue_.reserve(size) : queue_.push(message.get());
    note("send", size, static_cast<std::uint64_t>(-status));
    if (offline_ != nullptr && (in_handler || simulation_.offline_budget()->has_news())) mark_dirty();
    if (status == CWIRE_E_QUEUE_FULL) {
      judge_.turned_away(size);
      continue;
    }
    judge_.require(status == CWIRE_OK, "an open connection accepts messages");
    OutgoingMessage& accepted = *message.release();
    ++messages_;
    judge_.accepted(size);
    judge_.queue_is(queue_.messages(), queue_.bytes());
    if (in_handler) {
      accept(accepted);
    } else if (!std::exchange(take_planned_, true)) {
      simulation_.plan({now() + dice.between(Duration::zero(), std::chrono::milliseconds(2)), 0, Event::Kind::take,
                        number_, 0, 0, 0});
    }
  }
}

void Station::accept(OutgoingMessage& message) {
  queue_.seen(message);
  if (offline_ != nullptr && offline_->engaged()) {
    judge_.keeps(message.data.tag, message.size);
    settle_all(offline_->add(message, now()), CWIRE_E_QUEUE_FULL);
    choose_room();
  } else {
    judge_.waits(message.data.tag, message.size);
    settle_all(queue_.append(message), CWIRE_E_QUEUE_FULL);
  }
  judge_.fits();
  mark_dirty();
}

void Station::accept_all(OutgoingList messages) {
  while (!messages.empty()) accept(messages.pop());
}

void Station::flush() {
  dirty_ = false;
  if (offline_ != nullptr) tend_offline();
  write();
  if (queue_.is_open()) {
    if (queue_.announce_room()) judge_.writable();
    if (queue_.messages() == 0) judge_.sent_all();
  }
  if (offline_ == nullptr) return;
  judge_.offline_queue_is(offline_->messages(), offline_->bytes());
  judge_.tended();
  arm();
}

void Station::mark_dirty() {
  if (!std::exchange(dirty_, true)) simulation_.flush_soon(number_);
}

// ---- the offline queue ----

void Station::stop_accepting() {
  end_offline();
  accept_all(queue_.close());
}

void Station::choose_room() { queue_.use(offline_ != nullptr && offline_->engaged() ? &offline_->room() : nullptr); }

void Station::tend_offline() {
  settle_all(offline_->expire(now()), CWIRE_E_TIMEOUT);
  choose_room();
  if (simulation_.offline_budget()->take_news()) simulation_.budget_judge().told();
}

void Station::go_offline(OutgoingList unsent) {
  judge_.goes_offline();
  settle_all(offline_->disconnected(unsent, now()), CWIRE_E_QUEUE_FULL);
  judge_.fits();
  choose_room();
}

void Station::end_offline() {
  if (offline_ == nullptr) return;
  settle_all(offline_->clear(), CWIRE_E_CLOSED);
  choose_room();
}

OutgoingMessage* Station::next_message() {
  if (queue_.has_waiting()) return &queue_.pop();
  if (offline_ == nullptr || !offline_->engaged()) return nullptr;
  OutgoingMessage* message = offline_->next(now());
  choose_room();
  return message;
}

// ---- output ----

void Station::pump() {
  while (output_ < kOutputMax) {
    OutgoingMessage* const message = next_message();
    if (message == nullptr) break;
    message->begin = written_ + output_;
    append(Frame::Kind::message, message->data.tag, message->size + kFrameHead);
    message->end = written_ + output_;
    judge_.framed(message->data.tag, message->size, message->begin);
    framed_.append(*message);
  }
  if (close_wanted_ && !queue_.has_waiting()) {
    close_wanted_ = false;
    append(Frame::Kind::close, 0, kCloseSize);
  }
}

void Station::append(Frame::Kind kind, std::uint64_t value, std::size_t size) {
  output_ += size;
  frames_.push_back({kind, written_ + output_, value});
  mark_dirty();
}

void Station::write() {
  while (stage_ == Stage::open) {
    pump();
    if (output_ == 0) return;
    const std::uint64_t bytes = std::min(output_, kSendBuffer - (written_ - line_.read));
    output_ -= bytes;
    written_ += bytes;
    if (bytes != 0) {
      judge_.wrote(written_);
      simulation_.to_csms(*this, {{}, 0, Event::Kind::stream, number_, line_.number, written_, 0});
    }
    while (!framed_.empty() && framed_.front().end <= written_) settle(framed_.pop(), CWIRE_OK);
    if (written_ >= ping_end_) {
      ping_end_ = kNeverWritten;
      judge_.ping_left();
      client_.ping_left(now());
      after_input();
    }
    const bool blocked = output_ != 0;
    if (blocked || blocked_) {
      if (bytes != 0) client_.write_progress(now());
      if (blocked != blocked_) {
        note("blocked", blocked);
        blocked_ = blocked;
        judge_.blocked(blocked);
        client_.write_blocked(now(), blocked);
      }
      after_input();
    }
    if (blocked) return;  // until the CSMS has read some
  }
}

void Station::csms_reads(std::uint64_t position) {
  if (line_.ended) return;
  line_.read = position;
  while (first_frame_ < frames_.size() && frames_[first_frame_].end <= position && !line_.ended) {
    const Frame frame = frames_[first_frame_++];
    switch (frame.kind) {
      case Frame::Kind::message:
        judge_.arrived(frame.value);
        break;
      case Frame::Kind::ping:
        simulation_.csms_gets_ping(*this, number_, frame.value);
        break;
      case Frame::Kind::close:
        simulation_.csms_gets_close(*this, number_);
        break;
    }
  }
  if (first_frame_ == frames_.size()) {
    frames_.clear();
    first_frame_ = 0;
  }
  if (blocked_) mark_dirty();
}

void Station::settle(OutgoingMessage& taken, cwire_status status) {
  const std::unique_ptr<OutgoingMessage> message(&taken);
  queue_.settle(*message);
  note("settled", message->data.tag, static_cast<std::uint64_t>(-status));
  judge_.settled(message->data.tag, message->size, status);
  if (status != CWIRE_OK) return;
  simulation_.count_message();
  judge_.queue_is(queue_.messages(), queue_.bytes());
}

void Station::settle_all(OutgoingList messages, cwire_status status) {
  while (!messages.empty()) settle(messages.pop(), status);
}

}  // namespace simulation
