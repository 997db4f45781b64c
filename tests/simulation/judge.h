#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "budget_judge.h"
#include "expected_waits.h"
#include "fate.h"
#include "station/web_socket_client.h"
#include "trace.h"

namespace simulation {

// Whether waits that are drawn evenly from a range really fill it. Were the jitter applied before the cap, or by some
// constant, a fleet would meet again.
class Spread {
 public:
  void add(Range range, cwire::Duration wait);
  // There are so many that an even draw would leave no half, or no quarter, empty, but once in 10^14 times.
  bool is_uneven() const;

 private:
  std::array<std::uint64_t, 4> quarters_{};
};

// Watches one life of a station, from connect to CLOSED, and knows nothing of how it is brought about but the promises
// in the headers. What it is told is what the station's driver does and sees; the time is the trace's.
class Judge {
 public:
  Judge(Trace& trace, const cwire::Settings& settings, std::uint32_t station, Spread& spread, BudgetJudge& budget)
      : trace_(trace),
        settings_(&settings),
        station_(station),
        spread_(spread),
        budget_(budget),
        waits_(settings.reconnect) {}

  // Inputs, each before the state machine has it.
  void started();
  void queued();  // the attempt has to wait for its turn
  void dialled();
  void upgrading();
  // How the attempt or connection ends; where it is the state machine that ends it, what it would have to be.
  void ends(Fate fate) { fate_ = fate; }
  void received() { last_received_ = now(); }
  void ping_left();
  void pong_arrived(std::uint64_t nonce);
  void blocked(bool blocked);
  // The kernel has taken the stream of this connection up to here.
  void wrote(std::uint64_t position) {
    last_progress_ = now();
    written_ = position;
  }
  void paused(bool paused);
  void asked_to_end(cwire::Duration limit);
  void network_up();
  void suspended();
  void reconfigured(const cwire::Settings& settings, cwire::WebSocketClient::Change change, cwire::Duration limit);

  // Outputs.
  void action(const cwire::Action& action, const cwire::Failure& last_failure);
  // After each input, whatever it was.
  void after_input(const cwire::WebSocketClient& client);
  // After a tick at the deadline, or later.
  void after_tick(const cwire::WebSocketClient& client);

  // Messages, by their number from 0.
  void accepted(std::size_t size);
  // It has left the inbox, to wait for the connection or in the offline queue. What is dropped for it is settled before
  // fits().
  void waits(std::uint64_t message, std::size_t size);
  void keeps(std::uint64_t message, std::size_t size);
  // Likewise of a connection that ends, into the offline queue; several, and then what is dropped for them.
  void returns(std::uint64_t message, std::size_t size);
  void fits();
  // Its frame begins at this position of the stream.
  void framed(std::uint64_t message, std::size_t size, std::uint64_t begin);
  void turned_away(std::size_t size);
  void not_established();
  void settled(std::uint64_t message, std::size_t size, cwire_status status);
  void writable();
  void arrived(std::uint64_t message);
  void queue_is(std::size_t messages, std::size_t bytes);
  // Nothing is left in the queue, and its last message was sent.
  void sent_all() const;
  // From here on what is sent waits for the next connection, where there is an offline queue.
  void goes_offline() { offline_ = true; }
  void offline_queue_is(std::size_t messages, std::size_t bytes) const;
  // The station was looked after at the end of a turn.
  void tended() const;
  // It will be looked after then, if nothing happens before.
  void wakes_at(cwire::TimePoint deadline) const;
  // The CSMS answered our close frame.
  void closed_in_order() { in_order_ = true; }

  void must_not_fail(bool peace) { peace_ = peace; }
  bool ended() const { return closed_; }
  // The run is over.
  void finished() const;

  void require(bool kept, const char* promise) const {
    if (!kept) trace_.broken(station_, promise);
  }
  void require(bool kept, const char* promise, cwire::Duration is, cwire::Duration bound) const;

 private:
  enum class Phase : std::uint8_t { idle, attempting, waiting, open, closing, ended };

  cwire::TimePoint now() const { return trace_.now(); }
  void begins_attempt(const cwire::Action& action);
  void begins_wait(const cwire::Action& action, cwire::Duration lasted);
  void fails(const cwire::Action& action, const cwire::Failure& failure);
  void is_lost(const cwire::Action& action, const cwire::Failure& failure);
  void is_silent(const cwire::Failure& failure);
  void pings(std::uint64_t nonce);
  void changes_state(const cwire::Action& action);
  // The state machine must act at this time, or earlier.
  cwire::TimePoint due() const;
  cwire::TimePoint ping_due() const;

  Trace& trace_;
  const cwire::Settings* settings_;
  const std::uint32_t station_;
  Spread& spread_;
  BudgetJudge& budget_;
  ExpectedWaits waits_;

  Phase phase_ = Phase::idle;
  cwire::State state_ = cwire::State::disconnected;
  bool closed_ = false;
  bool peace_ = false;
  Fate fate_;
  std::uint64_t attempts_ = 0;
  std::uint64_t connections_ = 0;
  std::uint32_t failed_in_row_ = 0;

  cwire::TimePoint dialled_{};
  cwire::TimePoint upgrading_ = cwire::kNever;
  ExpectedWaits::Wait expected_;
  cwire::TimePoint wait_began_{};
  cwire::Duration announced_{};
  cwire::TimePoint earliest_{};  // of the next attempt
  cwire::TimePoint latest_{};
  cwire::TimePoint end_by_ = cwire::kNever;
  bool replaced_ = false;  // the attempt: another may begin
  bool outdated_ = false;  // the attempt: it was begun with settings that hold no longer
  bool curable_ = false;   // the wait: by other settings
  bool reopens_ = false;   // the closing: another attempt follows

  cwire::TimePoint connected_at_{};
  cwire::TimePoint last_received_{};
  cwire::TimePoint last_progress_{};
  cwire::TimePoint ping_sent_{};
  cwire::TimePoint may_ping_again_{};  // no longer blocked or paused
  std::uint64_t nonce_ = 0;            // 0: none is awaited
  bool ping_at_once_ = false;
  bool ping_has_left_ = false;
  bool blocked_ = false;
  cwire::TimePoint paused_at_ = cwire::kNever;

  // `coming` into the offline queue, and not known to have room there.
  enum class Stage : std::uint8_t { accepted, waits, coming, kept, framed, sent, arrived, not_sent };
  struct Message {
    Stage is = Stage::accepted;
    std::uint64_t begin = 0;   // of its frame
    cwire::TimePoint since{};  // it was kept first; zero: it never was
  };
  struct Load {
    std::uint64_t messages = 0;
    std::size_t bytes = 0;
    void add(std::size_t size) {
      ++messages;
      bytes += size;
    }
    void take(std::size_t size) {
      --messages;
      bytes -= size;
    }
  };
  bool drops() const { return settings_->send_queue_policy != cwire::SendQueuePolicy::reject; }
  bool has_offline_queue() const { return settings_->offline.messages_max != 0; }
  // What is sent goes through the offline queue.
  bool through_offline_queue() const { return has_offline_queue() && (offline_ || kept_.messages != 0); }
  // No other connection follows.
  bool is_ending() const { return closed_ || (end_by_ != cwire::kNever && !reopens_); }
  // What has room in the inbox, until the I/O thread has had a look.
  struct Limits {
    std::uint64_t messages;
    std::uint64_t bytes;
    std::uint64_t bytes_free;  // one that is larger than all goes through beside so many
  };
  Limits limits_of_inbox() const;
  cwire::Duration replay_interval() const;
  cwire::TimePoint replay_due() const;
  cwire::TimePoint expiry() const;
  bool is_too_old(cwire::TimePoint since) const;
  bool kept_too_much() const;
  void dropped(std::uint64_t message, std::size_t size);
  void comes(std::uint64_t message, std::size_t size);
  void leaves(std::uint64_t message, std::size_t size);
  void replays(std::uint64_t message);
  void not_sent(std::uint64_t message, std::size_t size);
  std::vector<Message> messages_;
  Load unsettled_;
  Load unseen_;   // of them
  Load waiting_;  // of those, for the connection
  Load kept_;     // or in the offline queue
  std::set<std::uint64_t> in_offline_queue_;
  std::set<std::pair<cwire::TimePoint, std::uint64_t>> ages_;  // of them, since when
  std::vector<std::pair<std::uint64_t, std::size_t>> coming_;  // of them
  bool offline_ = true;
  cwire::TimePoint next_replay_{};  // at the latest
  cwire::TimePoint pace_{};         // at the exact pace it would be due then
  std::uint64_t written_ = 0;
  std::uint64_t newest_ = 0;  // of those that wait
  std::uint64_t oldest_ = 0;  // of those that wait, or a smaller number
  std::uint64_t next_sent_ = 0;
  std::uint64_t next_not_sent_ = 0;  // because a connection ended
  std::uint64_t next_given_up_ = 0;  // because no connection follows
  bool gives_up_ = false;            // what is kept: the station must end now
  std::uint64_t next_arrival_ = 0;
  bool turned_away_ = false;
  bool in_order_ = false;
};

}  // namespace simulation
