#include "net/channel.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <new>
#include <optional>
#include <utility>

#include "config/values.h"
#include "net/errno_text.h"
#include "net/proxy_tunnel.h"
#include "net/tcp_stream.h"
#include "tls/context.h"

namespace cwire {

namespace {

// Of one TLS stream, before the other stations of the thread get their turn.
constexpr int kReadsPerTurn = 4;
// Of a connection whose writing failed: what the peer said before it hung up, a close frame perhaps, is still worth
// hearing.
constexpr int kLastReads = 16;
}  // namespace

struct Channel::Opening {
  Target target;
  TimePoint deadline = kNever;  // of the present step
  std::unique_ptr<Resolver::Query> query;
  std::optional<ConnectRace> race;
  std::optional<ProxyTunnel> tunnel;

  // Whom to resolve and connect to.
  const std::string& host() const { return target.proxy != nullptr ? target.proxy->host : target.host; }
  std::uint16_t port() const { return target.proxy != nullptr ? target.proxy->port : target.port; }
  std::string authority() const { return authority_text(target.host, target.port); }
};

Channel::Channel(IoThread& thread, Resolver& resolver, ChannelListener& listener)
    : thread_(thread),
      resolver_(resolver),
      listener_(listener),
      watched_read_(false),
      watched_write_(false),
      paused_(false),
      write_blocked_(false),
      write_needs_read_(false),
      read_needs_write_(false) {
  thread_.timers().register_timer();
}

Channel::~Channel() {
  if (destroyed_ != nullptr) *destroyed_ = true;
  release();
  thread_.timers().unregister_timer(*this);
}

// GCC 12 takes destroyed_ for dangling where a call returns and the channel was destroyed: that is, where it is gone
// itself.
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#pragma GCC diagnostic ignored "-Wdangling-pointer"
#endif

// While something that may destroy the channel runs.
class Channel::Call {
 public:
  explicit Call(Channel& channel) : channel_(channel) { channel_.destroyed_ = &destroyed_; }
  ~Call() {
    if (!destroyed_) channel_.destroyed_ = nullptr;
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  bool destroyed() const { return destroyed_; }

 private:
  Channel& channel_;
  bool destroyed_ = false;
};

template <typename Body>
void Channel::attributed(Body body) {
  const Call call(*this);
  Failure failure;
  try {
    body();
  } catch (const std::bad_alloc&) {
    failure = Failure(CWIRE_E_NO_MEMORY, "no memory");
  } catch (Error& error) {
    failure = std::move(error.failure);
  } catch (const std::exception& error) {
    failure = failure_with(CWIRE_E_INTERNAL, FailurePhase::none, {}, [&] { return error.what(); });
  }
  if (call.destroyed()) return;
  if (failure && phase_ != Phase::closed) fail(std::move(failure));
}

void Channel::open(Target target) {
  try {
    opening_ = std::make_unique<Opening>();
    opening_->target = std::move(target);
    if (opening_->target.server_name.empty()) opening_->target.server_name = opening_->target.host;
    begin_step(Phase::resolving, Resolver::kPatience);
    opening_->query = resolver_.resolve(thread_, opening_->host(), opening_->target.due,
                                        [this](const Failure& failure, Resolver::Addresses addresses) {
                                          attributed([&] { on_resolved(failure, std::move(addresses)); });
                                        });
  } catch (const std::bad_alloc&) {
    fail_later(Failure(CWIRE_E_NO_MEMORY, "no memory"));
  } catch (Error& error) {
    fail_later(std::move(error.failure));
  }
}

void Channel::begin_step(Phase phase, Duration limit) {
  phase_ = phase;
  opening_->deadline = thread_.now() + limit;
  thread_.timers().arm(*this, opening_->deadline);
}

void Channel::on_resolved(const Failure& failure, Resolver::Addresses addresses) {
  opening_->query.reset();
  if (failure) return fail_to_dial(failure);
  listener_.on_channel_step(stage());
  const Target& target = opening_->target;
  if (target.source) {
    const auto is_other_family = [&](const auto& address) { return address.is_v6() != target.source->is_v6(); };
    addresses.erase(std::remove_if(addresses.begin(), addresses.end(), is_other_family), addresses.end());
    if (addresses.empty()) return on_no_address_for_source();
  }
  begin_step(Phase::connecting, target.tcp_timeout);
  opening_->race.emplace(thread_.poller(), static_cast<ConnectRace::Listener&>(*this), std::move(addresses),
                         opening_->port(), target.source);
  advance_race();
}

void Channel::on_unresolved() {
  fail_to_dial(Failure(CWIRE_E_DIAL,
                       "dial: resolving " + opening_->host() + ": no answer from the name server within " +
                           duration_text(Resolver::kPatience) +
                           "; check this machine's name servers (/etc/resolv.conf) and the way to them",
                       FailurePhase::resolve, os_error(ETIMEDOUT)));
}

void Channel::on_no_address_for_source() {
  const std::string family = opening_->target.source->is_v6() ? "IPv6" : "IPv4";
  fail_to_dial(Failure(CWIRE_E_DIAL,
                       "dial: " + opening_->host() + " has no " + family + " address, but csms.source_address, " +
                           opening_->target.source->to_string() +
                           ", is one; set one of the other version of IP, or none",
                       FailurePhase::tcp, os_error(EAFNOSUPPORT)));
}

void Channel::on_attempt_decided() {
  attributed([this] { advance_race(); });
}

void Channel::advance_race() {
  ConnectRace& race = *opening_->race;
  switch (race.advance(thread_.now())) {
    case ConnectRace::Outcome::pending:
      return thread_.timers().arm(*this, std::min(opening_->deadline, race.due()));
    case ConnectRace::Outcome::failed:
      return on_not_connected(true);
    case ConnectRace::Outcome::connected:
      return on_connected();
  }
}

void Channel::on_not_connected(bool in_time) {
  ConnectRace& race = *opening_->race;
  if (!in_time) race.give_up();
  if (race.lacks_source()) {
    return fail_to_dial(Failure(CWIRE_E_CONFIG,
                                "dial: csms.source_address: this machine has no address " +
                                    opening_->target.source->to_string() +
                                    "; check it, and that the network interface that should have it is up",
                                FailurePhase::tcp, os_error(EADDRNOTAVAIL)));
  }
  std::string message = "dial tcp " + race.refusals();
  if (!in_time) {
    message += "; no TCP connection within " + duration_text(opening_->target.tcp_timeout) + " (csms.tcp_timeout)";
  }
  if (opening_->target.source) message += "; dialled from " + opening_->target.source->to_string();
  const std::string advice = errno_advice(race.error(), opening_->target.proxy != nullptr ? "the proxy" : "the CSMS");
  if (!advice.empty()) message += "; " + advice;
  fail_to_dial(Failure(CWIRE_E_DIAL, std::move(message), FailurePhase::tcp, os_error(race.error())));
}

void Channel::on_connected() {
  listener_.on_channel_step(stage());
  const ConnectRace::Winner winner = opening_->race->take_winner();
  socket_.reset(winner.socket);
  // Noted as both, which no handshake asks for: so whatever is asked for first also puts our name in place of the
  // race's.
  watched_read_ = watched_write_ = winner.watched;
  peer_ = endpoint_text(winner.remote);
  opening_->race.reset();
  if (opening_->target.proxy == nullptr) return begin_handshake();
  begin_step(Phase::tunnel, opening_->target.proxy_timeout);
  opening_->tunnel.emplace(socket_.get(), opening_->target.proxy, opening_->authority(), opening_->target.proxy_answer);
  continue_tunnel();
}

void Channel::continue_tunnel() {
  Stream::Outcome outcome = opening_->tunnel->handshake(thread_.receive_buffer(), IoThread::kReceiveBufferSize);
  switch (outcome.result) {
    case Stream::Result::want_read:
      return watch(true, false);
    case Stream::Result::want_write:
      return watch(false, true);
    case Stream::Result::done:
      listener_.on_channel_step(stage());
      peer_ = opening_->authority() + " through " + peer_;
      opening_->tunnel.reset();
      return begin_handshake();
    case Stream::Result::end:
    case Stream::Result::failed:
      return fail(std::move(outcome.failure));
  }
}

void Channel::on_no_tunnel() {
  const Target& target = opening_->target;
  fail(Failure(CWIRE_E_DIAL,
               target.proxy->text() + ": no tunnel to " + opening_->authority() + " within " +
                   duration_text(target.proxy_timeout) +
                   " (csms.proxy.timeout); check that this is an HTTP proxy, its load, and the way from it to the CSMS",
               FailurePhase::proxy, os_error(ETIMEDOUT)));
}

void Channel::begin_handshake() {
  begin_step(Phase::handshake, opening_->target.tls_timeout);
  tls_ = std::move(opening_->target.tls);
  if (tls_ != nullptr) {
    stream_ = tls_->open(socket_.get(), opening_->target.server_name, opening_->target.port);
  } else {
    stream_ = std::make_unique<TcpStream>(socket_.get());
  }
  continue_handshake();
}

void Channel::on_no_handshake() {
  fail(Failure(CWIRE_E_TLS,
               "TLS: " + opening_->target.server_name + " at " + peer_ + " did not complete the handshake within " +
                   duration_text(opening_->target.tls_timeout) +
                   " (csms.tls.handshake_timeout); check that this port speaks TLS, and the server's load",
               FailurePhase::tls, os_error(ETIMEDOUT)));
}

void Channel::continue_handshake() {
  Stream::Outcome outcome = stream_->handshake();
  switch (outcome.result) {
    case Stream::Result::want_read:
      return watch(true, false);
    case Stream::Result::want_write:
      return watch(false, true);
    case Stream::Result::done: {
      if (tls_ != nullptr) listener_.on_channel_step(stage());
      phase_ = Phase::open;
      thread_.timers().cancel(*this);
      opening_.reset();
      watch_open();
      // The server may have spoken first, in the same segment as the end of its handshake.
      if (stream_->has_buffered()) thread_.timers().arm(*this, thread_.now());
      return listener_.on_channel_open();
    }
    case Stream::Result::end:
    case Stream::Result::failed:
      return fail(std::move(outcome.failure));
  }
}

std::size_t Channel::write(std::string& output) {
  if ((phase_ != Phase::open && phase_ != Phase::ended) || write_blocked_) return 0;
  std::size_t taken = 0;
  bool blocked = false;
  try {
    while (taken < output.size() && !blocked) {
      Stream::Outcome outcome = stream_->write(output.data() + taken, output.size() - taken);
      switch (outcome.result) {
        case Stream::Result::done:
          taken += outcome.bytes;
          break;
        case Stream::Result::want_read:
        case Stream::Result::want_write:
          blocked = true;
          if (phase_ != Phase::open) break;
          write_blocked_ = true;
          write_needs_read_ = outcome.result == Stream::Result::want_read;
          watch_open();
          break;
        case Stream::Result::end:
        case Stream::Result::failed:
          blocked = true;
          if (phase_ == Phase::open) fail_later(with_peer(std::move(outcome.failure)));
          break;
      }
    }
  } catch (const std::bad_alloc&) {
    fail_later(Failure(CWIRE_E_NO_MEMORY, "no memory"));
  } catch (Error& error) {
    fail_later(std::move(error.failure));
  }
  output.erase(0, taken);
  return taken;
}

void Channel::pause_reading() { paused_ = true; }  // the poller is told when bytes come: most pauses are over before

void Channel::resume_reading() {
  if (!paused_) return;
  paused_ = false;
  if (phase_ != Phase::open) return;
  try {
    watch_open();
  } catch (Error& error) {
    return fail_later(std::move(error.failure));
  }
  if (stream_->has_buffered()) thread_.timers().arm(*this, thread_.now());
}

void Channel::limit_unacknowledged(Duration limit) {
  if (phase_ == Phase::open) cwire::limit_unacknowledged(socket_.get(), limit);
}

TimePoint Channel::arrival() const {
  const Duration had = had_data_for(socket_.get());
  return std::min(thread_.now(), Clock::now() - had);
}

void Channel::close() {
  if (phase_ == Phase::open || phase_ == Phase::ended) {
    stream_->shutdown();
    finish_sending(socket_.get());
  }
  release();
}

std::string Channel::doing() const {
  const bool has_proxy = opening_ != nullptr && opening_->target.proxy != nullptr;
  const std::string of_proxy = has_proxy ? " of " + opening_->target.proxy->text() : std::string();
  switch (phase_) {
    case Phase::idle:
      return "not begun";
    case Phase::resolving:
      return "resolving " + opening_->host() + of_proxy;
    case Phase::connecting:
      return "connecting to " + opening_->race->under_way() + of_proxy;
    case Phase::tunnel:
      return "asking " + opening_->target.proxy->text() + " for a tunnel to " + opening_->authority();
    case Phase::handshake:
      return "negotiating TLS with " + opening_->target.server_name + " at " + peer_;
    case Phase::open:
    case Phase::ended:
      return "connected to " + peer_;
    case Phase::failing:
    case Phase::closed:
      break;
  }
  return "closed";
}

FailurePhase Channel::stage() const {
  if (phase_ <= Phase::tunnel && opening_ != nullptr && opening_->target.proxy != nullptr) return FailurePhase::proxy;
  if (phase_ == Phase::resolving) return FailurePhase::resolve;
  if (phase_ == Phase::handshake) return FailurePhase::tls;
  return phase_ == Phase::open || phase_ == Phase::ended ? FailurePhase::http : FailurePhase::tcp;
}

void Channel::on_ready(bool readable, bool writable) {
  attributed([=] {
    switch (phase_) {
      case Phase::tunnel:
        return continue_tunnel();
      case Phase::handshake:
        return continue_handshake();
      case Phase::open:
        return serve_ready(readable, writable);
      default:
        return watch(false, false);
    }
  });
}

void Channel::on_timer(TimePoint now) {
  attributed([this, now] {
    switch (phase_) {
      case Phase::resolving:
        return on_unresolved();
      case Phase::connecting:
        return now < opening_->deadline ? advance_race() : on_not_connected(false);
      case Phase::tunnel:
        return on_no_tunnel();
      case Phase::handshake:
        return on_no_handshake();
      case Phase::open:
        if (!paused_) serve_read();
        return;
      case Phase::failing: {
        const bool* destroyed = destroyed_;
        if (stream_ != nullptr && !paused_) serve_last_bytes();
        if (*destroyed || phase_ != Phase::failing) return;
        return fail(failure_ == nullptr ? Failure(CWIRE_E_NO_MEMORY, "no memory") : std::move(*failure_));
      }
      default:
        return;
    }
  });
}

void Channel::serve_ready(bool readable, bool writable) {
  const bool* destroyed = destroyed_;
  // What was asked for and is wanted no more is taken back only here, when it has cost a turn: a station that blocks or
  // pauses does so again soon.
  if ((readable && paused_ && !write_needs_read_) || (writable && !write_blocked_ && !read_needs_write_)) watch_open();

  if (write_blocked_ && (write_needs_read_ ? readable : writable)) {
    write_blocked_ = false;
    write_needs_read_ = false;
    listener_.on_channel_writable();
    if (*destroyed || phase_ != Phase::open) return;
  }
  if ((readable || (writable && read_needs_write_)) && !paused_) {
    read_needs_write_ = false;
    serve_read();
  }
}

void Channel::serve_read() {
  const bool* destroyed = destroyed_;
  for (int reads = 0; reads < kReadsPerTurn; ++reads) {
    Stream::Outcome outcome = stream_->read(thread_.receive_buffer(), IoThread::kReceiveBufferSize);
    switch (outcome.result) {
      case Stream::Result::done:
        listener_.on_channel_data(thread_.receive_buffer(), outcome.bytes);
        if (*destroyed || phase_ != Phase::open || paused_) return;
        // The poller tells of what waits in the kernel.
        if (!stream_->has_buffered()) return;
        break;
      case Stream::Result::want_read:
        return;
      case Stream::Result::want_write:
        read_needs_write_ = true;
        return watch_open();
      case Stream::Result::end:
        phase_ = Phase::ended;
        thread_.timers().cancel(*this);
        watch(false, false);
        return listener_.on_channel_end();
      case Stream::Result::failed:
        return fail(with_peer(std::move(outcome.failure)));
    }
  }
  // Bytes inside the stream are no readiness that the poller knows of.
  thread_.timers().arm(*this, thread_.now());
}

void Channel::serve_last_bytes() {
  const bool* destroyed = destroyed_;
  for (int reads = 0; reads < kLastReads; ++reads) {
    Stream::Outcome outcome = stream_->read(thread_.receive_buffer(), IoThread::kReceiveBufferSize);
    // A server that refuses our certificate in TLS 1.3 says so only after the handshake: that is why writing failed.
    if (outcome.failure.status == CWIRE_E_TLS && failure_ != nullptr) *failure_ = std::move(outcome.failure);
    if (outcome.result != Stream::Result::done) return;
    listener_.on_channel_data(thread_.receive_buffer(), outcome.bytes);
    if (*destroyed || phase_ != Phase::failing || paused_) return;
  }
}

void Channel::watch(bool read, bool write) {
  if (read == watched_read_ && write == watched_write_) return;
  if (!read && !write) {
    // Not merely asked for nothing: a socket in error would be told of in every turn.
    thread_.poller().remove(socket_.get(), *this);
  } else if (!watched_read_ && !watched_write_) {
    thread_.poller().add(socket_.get(), *this, read, write);
  } else {
    thread_.poller().change(socket_.get(), *this, read, write);
  }
  watched_read_ = read;
  watched_write_ = write;
}

void Channel::fail(Failure failure) {
  release();
  listener_.on_channel_failed(std::move(failure));
}

// What kept us from a TCP connection, to the proxy where there is one.
void Channel::fail_to_dial(Failure failure) {
  const Proxy* proxy = opening_->target.proxy.get();
  if (proxy != nullptr && failure.phase != FailurePhase::none) {
    failure.phase = FailurePhase::proxy;
    failure.message = proxy->text() + ": " + failure.message;
  }
  fail(std::move(failure));
}

void Channel::fail_later(Failure failure) noexcept {
  if (watched_read_ || watched_write_) watch(false, false);
  failure_.reset(new (std::nothrow) Failure(std::move(failure)));
  phase_ = Phase::failing;
  thread_.timers().arm(*this, thread_.now());
}

Failure Channel::with_peer(Failure failure) const {
  const bool of_the_stream = failure.status == CWIRE_E_READ || failure.status == CWIRE_E_WRITE;
  if (of_the_stream && failure.code.number == ETIMEDOUT) {
    // TCP runs out of time only where what we sent is not acknowledged, whichever call is told so.
    return Failure(CWIRE_E_WRITE,
                   "write tcp " + peer_ +
                       ": the peer acknowledged nothing for too long, so it is taken for gone; if the way to it is "
                       "merely slow, raise csms.write_timeout or csms.pong_timeout, of which the longer counts",
                   FailurePhase::write, failure.code);
  }
  if (failure.status == CWIRE_E_READ) failure.message = "read tcp " + peer_ + ": " + failure.message;
  if (failure.status == CWIRE_E_WRITE) failure.message = "write tcp " + peer_ + ": " + failure.message;
  return failure;
}

void Channel::release() {
  if (watched_read_ || watched_write_) watch(false, false);
  thread_.timers().cancel(*this);
  stream_.reset();
  opening_.reset();
  socket_.reset();
  phase_ = Phase::closed;
}

}  // namespace cwire
