#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "base/failure.h"
#include "base/time.h"
#include "config/settings.h"
#include "station/retry_schedule.h"

namespace cwire {

enum class State : std::int32_t {
  disconnected = CWIRE_STATE_DISCONNECTED,
  connecting = CWIRE_STATE_CONNECTING,
  connected = CWIRE_STATE_CONNECTED,
  reconnecting = CWIRE_STATE_RECONNECTING,
  error = CWIRE_STATE_ERROR,
  closed = CWIRE_STATE_CLOSED,
};

// What a WebSocketClient asks of whoever drives it, to be done in order.
struct Action {
  enum class Type {
    attempt,              // open a new connection; `number` counts from 1
    abandon,              // destroy the connection or attempt at once
    ping,                 // send a ping with `nonce`
    close,                // send what is queued, then the close frame asked for in disconnect()
    report_state,         // from -> to
    report_connected,     // established; `number` counts from 1
    report_disconnected,  // connection `number` ended; why stands in last_failure(), OK by request
    report_error,         // an attempt failed; why stands in last_failure(); `number` failed attempts in a row
    report_closed         // the end, after the state is error or closed. Nothing follows
  };
  Type type;
  State from = State::disconnected;
  State to = State::disconnected;
  std::uint64_t number = 0;
  std::uint64_t nonce = 0;
  bool will_retry = false;
  bool needs_action = false;  // an attempt failed as before, and will until somebody changes something. Once per streak
  Duration retry_in{};        // until the next attempt, if will_retry
};

// At most eight per input. The longest is a disconnect without a time limit: close, state, abandon, disconnected,
// state, closed.
class Actions {
 public:
  void add(const Action& action) {
    assert(size_ < items_.size());
    items_[size_++] = action;
  }
  const Action* begin() const { return items_.data(); }
  const Action* end() const { return items_.data() + size_; }
  std::size_t size() const { return size_; }
  const Action& operator[](std::size_t i) const { return items_[i]; }

 private:
  std::array<Action, 8> items_{};
  std::size_t size_ = 0;
};

using Random = std::minstd_rand;  // a driver's own; seeded from the operating system, or from a test's seed

// The life of one station's connection, as a pure state machine: it opens no socket and reads no clock. Inputs carry
// the time; outputs are actions and the next deadline, at which the driver calls tick(). The driver calls one input at
// a time.
//
//   disconnected --start--> connecting --opened--> connected --lost--> reconnecting --opened--> connected
//   connecting --failed--> reconnecting --attempts used up--> error
//   connected --disconnect--> disconnected (closing) --closed, lost or time up--> closed
//   connected --reconfigure with reconnect--> reconnecting (closing) --closed, lost or time up--> the next attempt
//   any other --disconnect--> closed
//
// Order of actions. What is to be destroyed goes first (abandon), then what happened (error or disconnected), then the
// new state, then closed. Two go the other way, because there the state is what makes room for the rest: connecting is
// reported before the attempt, connected before report_connected. Abandon comes only where the driver cannot know that
// it is over: what it told by attempt_failed() or lost(), it has destroyed or destroys itself. An input that no longer
// applies (a late opened(), a second lost(), anything after the end) does nothing.
//
// Giving up. With attempts_max = N, the N-th attempt that fails in a row ends in `error`. An established connection
// begins a new row, however short it was; the wait before the next attempt is another matter (see
// ReconnectPolicy::ended). What fails for lack of descriptors, memory or ports of our own counts as no attempt.
//
// Waiting. How long is for RetrySchedule to say. A wait begins when attempt_failed(), lost() or the deadline's tick()
// says that it is over, and the next attempt is never begun before it has passed. An attempt that got an answer (any
// failure but DIAL and CONFIG) has reached the CSMS, so the time until that answer counts as part of the wait that the
// ocpp policy doubles: a CSMS that measures from its own refusal to our next request sees at least twice what it saw
// before (TC_B_57). Hence the driver tells a failure in the loop turn that brought it.
//
// New settings. What an attempt was begun with it ends with; the next one takes the new. What was found out before,
// the streak of refusals, the growth of the waits and the count of attempts, holds for the old ones only. So a station
// that waits because it was refused, or did not trust the server, tries again at once, also if its attempt with the old
// settings was still under way; one that waits for the network has no reason to. Those that act on a connection as it
// is, act at once, but a wait that was drawn stays.
//
// Answers that come again. The second identical refusal in a row (see FailureClass) is reported as one that needs
// somebody's action, the others are not; a security event is told with the first of its streak only.
//
// Keepalive. A ping is due one interval (+-10 %, drawn anew each time) after the last byte received or the last ping,
// whichever is later: an idle line is proved every interval, a busy one is mostly left alone. But bytes that arrive do
// not prove that ours do, so no traffic defers a ping beyond two intervals. One ping at a time; only the pong with its
// nonce ends the wait for it, and pong_timeout after the ping has left the connection is lost. While output is blocked
// no ping is queued behind it, and one that stands in it already is not awaited yet: there the write timeout watches.
// As nothing asks the peer to speak meanwhile, that it takes what is written counts for the read timeout as well: who
// sends all that the line takes, to a peer that only listens, is not cut off. After a suspend the next ping is due at
// once.
//
// Of the durations in Settings, 0 turns off what it limits or repeats; pong_timeout must not be 0 if there are pings.
class WebSocketClient {
 public:
  // `settings` must outlive the client, or stay until reconfigure() and until the attempt begun with them and what
  // comes of it are over.
  explicit WebSocketClient(const Settings& settings)
      : settings_(&settings), attempt_settings_(&settings), schedule_(settings.reconnect) {}

  // Begins the first attempt. Only once, and not after disconnect().
  Actions start(TimePoint now);
  // The attempt has to wait until others were dialled: its time does not run until dialing(). Optional.
  void queued();
  // The attempt leaves that queue: its time begins now. Optional.
  void dialing(TimePoint now);
  // The attempt's transport stands and the upgrade is asked for: the answer has to be complete within upgrade_timeout.
  void upgrading(TimePoint now);
  // The server sent the attempt elsewhere: it goes on there, within what is left of its time.
  void redirected();
  // The attempt ended without a connection. `failure` is not OK.
  Actions attempt_failed(TimePoint now, Random& random, Failure failure);
  // The upgrade is complete and its answer checked.
  Actions opened(TimePoint now, Random& random);
  // The established connection is gone: the close handshake is complete, or the transport failed, or the peer broke the
  // protocol. An OK failure is an orderly close; by the peer it counts as lost all the same, whatever the code (1000 as
  // well), and stands in last_failure() as CLOSED. After disconnect() it stands there as OK, whatever it was.
  Actions lost(TimePoint now, Random& random, Failure failure);
  // Bytes arrived. Hot path: only notes the time.
  void received(TimePoint now) { last_received_ = now; }
  // The kernel has the ping. Optional where output never blocks: without it the ping left when it was asked for.
  void ping_left(TimePoint now);
  // A pong arrived. Only one that carries the outstanding nonce counts, so that a driver need not find out when any
  // other came.
  bool awaits_pong(std::uint64_t nonce) const { return phase_ == Phase::open && nonce_ != 0 && nonce == nonce_; }
  struct Pong {
    bool is_matched = false;
    // Of a matched one: since its ping left. Nothing: reading was paused or the machine suspended meanwhile, so nobody
    // knows when the pong came (as little as TCP knows it of a segment sent twice: RFC 6298 3).
    std::optional<Duration> round_trip;
  };
  Pong pong(TimePoint now, std::uint64_t nonce);
  // Output could not be written (true), or all of it has been (false). While blocked, progress() notes that some was.
  void write_blocked(TimePoint now, bool blocked);
  void write_progress(TimePoint now) { last_write_progress_ = now; }
  // We stopped reading, or read again. The peer is not to blame for what waits in the kernel meanwhile, so the clocks
  // of the read timeout and the keepalive stand still. Each connection begins unpaused and unblocked.
  void reading_paused(TimePoint now, bool paused);
  // The machine was suspended meanwhile, which nothing but a ping tells a dead connection by: one is due at once, or as
  // soon as it can be sent and none is under way.
  void after_suspend();
  struct Change {
    bool of_attempts = false;  // another URL, credentials, certificates or whatever else attempts are made with
    bool reconnect = false;    // do not wait for a new attempt until there is one anyway
  };
  // Other settings, see above. With `reconnect` an established connection is drained and closed within `limit` (0: at
  // once) and the next attempt follows at once, as it does in place of a wait, or of an attempt with the old settings.
  Actions reconfigure(TimePoint now, const Settings& settings, Change change, Duration limit);
  // Ends it: drains and closes within `limit` if connected (0: at once), else at once. Idempotent; a second call with a
  // shorter limit shortens.
  Actions disconnect(TimePoint now, Duration limit);
  // Somebody says that the network is there again: a wait ends now, or as soon as the policy's minimum and what the
  // server asked for have passed.
  void network_up(TimePoint now);
  // The deadline has passed (calling early is harmless). Call it after what has arrived in the same loop turn was read,
  // or a thread that was held up takes its own delay for the peer's.
  Actions tick(TimePoint now, Random& random);
  // Since when the attempt is due, or the connection established.
  TimePoint since() const { return since_; }
  // What the open attempt is doing, for the message of a connection timeout, and the phase that it then fails in.
  // Optional.
  void describe_attempt(std::string doing, FailurePhase phase);

  // When to call tick(); kNever if nothing is awaited. May have changed after any input; received() and
  // write_progress() never make it earlier, so there is no need to ask after them: the tick at the old deadline does
  // nothing and leaves the new one.
  TimePoint deadline() const;
  State state() const { return state_; }
  bool finished() const { return phase_ == Phase::ended; }
  bool closing() const { return phase_ == Phase::closing; }
  const Failure& last_failure() const { return last_failure_; }
  std::uint64_t attempts() const { return attempts_; }        // begun so far
  std::uint64_t connections() const { return connections_; }  // established so far

 private:
  enum class Phase : std::uint8_t { idle, attempting, waiting, open, closing, ended };

  bool is_queued() const { return until_ == kNever; }  // of an attempt
  void begin_attempt(TimePoint now, Actions& actions);
  void fail_attempt(TimePoint now, Random& random, Failure failure, Actions& actions);
  void lose(TimePoint now, Random& random, Failure failure, Actions& actions);
  void begin_closing(State state, Actions& actions);
  void limit_closing(TimePoint now, Duration limit, Actions& actions);
  void end_closing(TimePoint now, Failure failure, Actions& actions);
  bool is_cured_by_change() const;
  void end(State state, Actions& actions);
  RetrySchedule::Wait begin_wait(TimePoint now, Random& random, Duration lasted);
  void change_state(State to, Actions& actions);
  void draw_ping_share(Random& random);
  TimePoint on_ping_beat(TimePoint due) const;
  TimePoint ping_due() const;
  TimePoint pong_due() const;
  TimePoint read_due() const;
  TimePoint write_due() const;

  const Settings* settings_;
  const Settings* attempt_settings_;  // of the attempt that is open, and of the connection that came of it
  RetrySchedule schedule_;
  State state_ = State::disconnected;
  Phase phase_ = Phase::idle;
  bool write_blocked_ = false;
  bool ping_at_once_ = false;
  bool ping_is_timed_ = false;                      // nothing of ours has come between it and its pong
  bool ping_has_left_ = false;                      // as far as we were told
  bool attempt_is_outdated_ = false;                // begun with settings that are not ours any more
  bool reopens_ = false;                            // the closing is followed by another attempt
  bool upgrade_limits_ = false;                     // until_ is the end of upgrade_timeout, not of connection_timeout
  std::uint32_t failed_in_row_ = 0;                 // attempts since the last established connection
  FailurePhase attempt_phase_ = FailurePhase::tcp;  // what the open attempt fails in when time is up
  float ping_share_ = 1;                            // of the ping interval, until the next ping
  Failure last_failure_;
  std::string attempt_doing_;
  std::uint64_t attempts_ = 0;
  std::uint64_t connections_ = 0;
  TimePoint since_{};         // when the attempt began or the connection was established
  TimePoint until_ = kNever;  // end of the wait, of the attempt's time, or of the closing's
  TimePoint not_before_{};    // no hint ends the wait earlier
  TimePoint last_received_{};
  TimePoint last_write_progress_{};
  TimePoint paused_at_ = kNever;  // reading; kNever: not paused
  TimePoint ping_sent_{};         // asked for, then left. Before the first: when established
  std::uint64_t nonce_ = 0;       // of the ping awaiting its pong; 0: none does
};

}  // namespace cwire
