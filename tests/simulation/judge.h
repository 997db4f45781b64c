#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

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
  Judge(Trace& trace, const cwire::Settings& settings, std::uint32_t station, Spread& spread)
      : trace_(trace), settings_(&settings), station_(station), spread_(spread), waits_(settings.reconnect) {}

  // Inputs, each before the state machine has it.
  void started();
  void queued();  // the attempt has to wait for its turn
  void dialled();
  void upgrading();
  // How the attempt or connection ends; where it is the state machine that ends it, what it would have to be.
  void ends(Fate fate) { fate_ = fate; }
  void received() { last_received_ = now(); }
  void pong_arrived(std::uint64_t nonce);
  void blocked(bool blocked);
  void wrote() { last_progress_ = now(); }
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
  // It has left the inbox. What is dropped for it is settled before the next call.
  void waits(std::uint64_t message, std::size_t size);
  void waiting_fits() const;
  void framed(std::uint64_t message, std::size_t size);
  void turned_away(std::size_t size);
  void not_established();
  void settled(std::uint64_t message, std::size_t size, cwire_status status);
  void writable();
  void arrived(std::uint64_t message);
  void queue_is(std::size_t messages, std::size_t bytes);
  // Nothing is left in the queue, and its last message was sent.
  void sent_all() const;
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
  bool blocked_ = false;
  cwire::TimePoint paused_at_ = cwire::kNever;

  enum class Message : std::uint8_t { accepted, waits, framed, sent, arrived, not_sent };
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
  void dropped(std::uint64_t message, std::size_t size);
  std::vector<Message> messages_;
  Load unsettled_;
  Load unseen_;               // of them
  Load waiting_;              // of those
  std::uint64_t newest_ = 0;  // of those that wait
  std::uint64_t oldest_ = 0;  // of those that wait, or a smaller number
  std::uint64_t next_sent_ = 0;
  std::uint64_t next_not_sent_ = 0;  // because a connection ended
  std::uint64_t next_arrival_ = 0;
  bool turned_away_ = false;
  bool in_order_ = false;
};

}  // namespace simulation
