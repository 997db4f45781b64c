#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/handle_table.h"
#include "events/event.h"
#include "governor/governor.h"
#include "metrics/endpoint_metrics.h"
#include "net/channel.h"
#include "protocol/session.h"
#include "station/connection_config.h"
#include "station/handshake_times.h"
#include "station/offline_queue.h"
#include "station/send_queue.h"
#include "station/statistics.h"
#include "station/web_socket_client.h"
#include "station/worker.h"
#include "trace/station_trace.h"

namespace cwire {

class Station;

using StationTable = HandleTable<Station, 1>;
StationTable& station_table();

// Who registered the station.
class StationOwner {
 public:
  // CLOSED was taken by the caller. The station goes as soon as nobody has it pinned.
  virtual void station_ended(Station& station) noexcept = 0;

  std::uintptr_t token = 0;

 protected:
  ~StationOwner() = default;
};

// One station: drives its WebSocketClient, carries out what that decides (open, ping, close, report) on the network and
// the protocol engine, and moves messages both ways. Belongs to the I/O thread of its worker, except for the functions
// that say otherwise.
class Station final : private ChannelListener, private SessionListener, private TimerQueue::Timer {
 public:
  struct Description : ConnectionConfig {
    std::string id;
    std::uintptr_t user_data = 0;
  };

  Station(std::shared_ptr<Worker> worker, StationOwner& owner, Description description);
  ~Station();

  // From any thread.
  void connect();
  // Copies. As cwire_station_send, for arguments that were checked.
  cwire_status send(const void* data, std::size_t size, std::uint32_t flags, std::uint64_t tag);
  // The payload may be shared with other stations.
  cwire_status send(Payload payload, std::uint32_t flags, std::uint64_t tag) {
    return send(OutgoingMessage::of(std::move(payload)), flags, tag);
  }
  void disconnect(std::uint16_t close_code, std::string_view reason);
  // Whether or not an attempt was begun with it.
  ConnectionConfig newest_config() const;
  // False: `config` is not the one after the newest. Throws Error(STATE) if the station has ended.
  bool reconfigure(ConnectionConfig config, bool reconnect);
  // From the I/O thread's next turn on; null: no longer. One that is traced already goes on as it is. Throws
  // std::bad_alloc.
  void order_trace(std::unique_ptr<StationTrace> trace);
  cwire_status wait(std::int32_t timeout_ms, Failure* why) const;
  // Why its endpoint is not dialled at the moment, if so: to stand inside a failure, behind what came of it.
  std::string what_holds_back() const;
  State state() const { return state_.load(std::memory_order_acquire); }
  bool may_be_replaced() const { return state() == State::error || state() == State::closed; }
  // Fills at most out.size bytes.
  void fill(cwire_stats& out) const;
  // For a scrape, all of one moment: the statistics, the endpoint that the station is counted at, and what of its
  // traffic belongs there.
  struct Measured {
    cwire_stats stats;
    const EndpointMetrics* endpoint;
    Tallies traffic;
    Tallies here;
  };
  Measured measure() const;
  const std::string& id() const { return description_.id; }
  const StationOwner* owner() const { return &owner_; }
  std::uintptr_t owner_token() const { return owner_token_; }
  std::size_t message_size_max() const { return message_size_max_.load(std::memory_order_relaxed); }
  cwire_station handle() const { return reinterpret_cast<cwire_station>(token); }
  std::uintptr_t user_data() const { return description_.user_data; }

  std::uintptr_t token = 0;

  // For the worker.
  void run_scheduled() noexcept;
  // Opens the connection that the state machine asked for. False: it has changed its mind meanwhile.
  bool dial() noexcept;
  void flush() noexcept;
  void resume_reading();
  void network_up();
  void after_suspend();
  void disconnect_now(std::uint16_t close_code, std::string_view reason, Duration limit) noexcept;

 private:
  friend class Worker;

  // Prepared at connect, so that it can be delivered without memory.
  class ClosedEvent final : public Event {
   public:
    explicit ClosedEvent(Station& station) : Event(CWIRE_EVENT_CLOSED), station_(station) {}
    void handed_over() noexcept override;
    void released() noexcept override;

   private:
    Station& station_;
  };
  // What it asks the governor with.
  class Turn final : public Applicant {
   public:
    explicit Turn(Station& station) : station_(station) {}
    void permitted() noexcept override;

   private:
    Station& station_;
  };
  // A copy that needs no memory, so that no order to close is lost for want of it.
  class CloseReason {
   public:
    void take(const std::string& reason) { size_ = reason.copy(bytes_.data(), bytes_.size()); }
    std::string_view view() const { return {bytes_.data(), size_}; }

   private:
    std::array<char, 123> bytes_;  // RFC 6455 5.5: 125, two of them for the code
    std::size_t size_ = 0;
  };
  // Where the present attempt was sent.
  struct Redirects {
    std::string location;  // as the server wrote it, until it is judged
    Url to;                // if any was followed
    std::uint32_t followed = 0;
  };

  void on_channel_step(FailurePhase over) override;
  void on_channel_open() override;
  void on_channel_data(const char* data, std::size_t size) override;
  void on_channel_writable() override;
  void on_channel_end() override;
  void on_channel_failed(Failure failure) override;

  void on_open(std::string_view subprotocol) override;
  void on_redirect(std::string_view location) override;
  void on_failed(Failure failure) override;
  void on_message(std::shared_ptr<const void> owner, std::string_view data, bool binary) override;
  void on_borrowed_message(std::string_view data, bool binary) override;
  void on_compressed(std::size_t size_in_frames) override;
  void on_pong(std::string_view data) override;
  void on_closed(CloseInfo info) override;
  void on_output() override;

  void on_timer(TimePoint now) override;

  // Runs one input of the loop; whatever is thrown ends the connection, never the thread.
  template <class Input>
  void guarded(Input input) noexcept;
  bool is_open() const { return client_.state() == State::connected || client_.closing(); }
  // Nothing follows this connection.
  bool is_ending() const { return client_.finished() || (client_.closing() && client_.state() == State::disconnected); }
  cwire_status send(std::unique_ptr<OutgoingMessage> message, std::uint32_t flags, std::uint64_t tag);
  void begin();
  const ConnectionConfig& newest() const;  // under orders_mutex_
  void take_new_config(bool reconnect);
  void take_trace(std::unique_ptr<StationTrace> wanted) noexcept;
  void begin_trace(std::unique_ptr<StationTrace> trace) noexcept;
  StationTrace::Attempt traced_attempt() const;
  void limit_unacknowledged();
  void begin_with_newest_config();
  void count_at(const std::string& endpoint);
  void settle() noexcept;
  Tallies traffic() const noexcept;
  Tallies counted_here() const noexcept;  // under orders_mutex_
  // Those that act on a connection as it is.
  const Settings& live_settings() const { return next_config_ ? *next_config_->settings : *description_.settings; }
  void perform(const Actions& actions);
  void ask_to_dial();
  void open_connection(TimePoint due);
  void connection_ended(Failure failure);
  void session_ended();
  bool follow_redirect(Failure& failure);
  // Where the present attempt or connection goes to.
  const Url& url() const { return was_redirected() ? redirects_->to : description_.url; }
  bool was_redirected() const { return redirects_ != nullptr && redirects_->followed != 0; }
  // What the URL's host may see is not for those that it names.
  bool has_origin_of_url() const { return is_same_origin(url(), description_.url); }
  void drop_connection(cwire_status why);
  void accept(OutgoingMessage& message);
  // What was accepted so far still goes out.
  void stop_accepting();
  void accept_all(OutgoingList messages);
  void arm();
  OutgoingMessage* next_message();
  void finish_all(OutgoingList messages, cwire_status status) noexcept;
  // The offline queue's part, where there is one.
  void tend_offline();
  void end_offline() noexcept;
  void choose_room();
  void pump();
  void written(std::size_t bytes);
  void write_output();
  void finish(OutgoingMessage& message, cwire_status status) noexcept;
  void announce_room();
  void give_up(Failure failure) noexcept;

  // Bytes of an established connection have come: once for all the messages in them.
  void note_alive() { statistics_.last_alive_at_ns.set(static_cast<std::uint64_t>(wall_clock_ns())); }
  // Of the bytes that are being read.
  std::int64_t arrived_ns() const { return static_cast<std::int64_t>(statistics_.last_alive_at_ns.get()); }
  void note_reading_paused(bool paused);
  // Where every handshake that led to a connection, every ping that left, and every pong that matched is noted.
  void note_ping(TimePoint left) noexcept;
  void note_handshake(const HandshakeTimes& times) noexcept;
  void note_round_trip(const WebSocketClient::Pong& pong) noexcept;
  template <class Report>
  void reporting(Report report) noexcept;
  std::unique_ptr<OwnedEvent> make_event(int type) const;
  // Writes into it whose event it is.
  void sign(Event& event) const;
  void report_message(std::unique_ptr<OwnedEvent> event, bool binary);
  void emit(std::unique_ptr<OwnedEvent> event);
  void set_state(const Action& action);
  void report_connected(const Action& action) noexcept;
  void report_failure(int type, const Action& action);
  cwire_failure in_numbers(int type, const Action& action) const;
  void report_closed();
  std::string words_of_peer(const std::string& reason) const;
  std::string closed_by_peer(const CloseInfo& info) const;
  std::string what_follows(const Action& action) const;
  void log(std::int32_t level, const std::string& text) const { worker_->log(level, this, text.c_str()); }

  const std::shared_ptr<Worker> worker_;
  StationOwner& owner_;
  const std::uintptr_t owner_token_;  // finds the owner also where it may be gone
  // Its id and user data never change. What it has of ConnectionConfig is that of the present attempt or connection,
  // and changes with the next one.
  Description description_;
  ClosedEvent closed_event_;
  std::atomic<State> state_{State::disconnected};
  Statistics statistics_;
  SendQueue queue_;
  const std::unique_ptr<OfflineQueue> offline_;  // null: off
  std::atomic<std::size_t> message_size_max_;
  std::atomic<bool> is_attempting_{false};  // with description_, and not yet connected

  static constexpr std::uint64_t kNeverWritten = std::numeric_limits<std::uint64_t>::max();

  // Orders from other threads, taken by run_scheduled().
  static constexpr unsigned kConnect = 1;
  static constexpr unsigned kDisconnect = 2;
  static constexpr unsigned kPermitted = 4;
  static constexpr unsigned kReconfigure = 8;
  static constexpr unsigned kReconnect = 16;
  std::atomic<unsigned> orders_{0};
  std::atomic<bool> is_scheduled_{false};
  Station* next_scheduled_ = nullptr;

  // The I/O thread's.
  WebSocketClient client_;
  std::shared_ptr<Governor::Endpoint> endpoint_;  // null: nobody paces
  Turn turn_{*this};
  std::unique_ptr<ConnectionConfig> next_config_;  // for the next attempt, if other than the present one's
  std::unique_ptr<StationTrace> trace_;            // null: nobody traces it
  std::unique_ptr<Channel> channel_;
  std::unique_ptr<Session> session_;
  std::optional<CloseInfo> session_end_;           // kept until the session's own function has returned
  std::unique_ptr<Redirects> redirects_;           // null: there was none
  std::unique_ptr<HandshakeStopwatch> stopwatch_;  // of the attempt under way
  std::unique_ptr<OwnedEvent> connected_event_;    // made before the state machine is told, so that it is never missing
  std::string subprotocol_;
  OutgoingList framed_;                     // in the session's output, not taken by the kernel
  std::uint64_t written_ = 0;               // bytes of this connection the kernel has taken
  std::size_t size_in_frames_ = 0;          // of the compressed message that is told next
  std::uint64_t ping_end_ = kNeverWritten;  // where the ping ends among them that has not left yet
  std::uint16_t last_close_code_ = 0;
  bool last_close_remote_ = false;
  bool timer_registered_ = false;
  bool close_wanted_ = false;
  bool close_sent_ = false;
  bool reading_paused_ = false;
  bool blocked_ = false;
  bool compresses_ = false;
  bool dial_wanted_ = false;
  bool is_in_dial_queue_ = false;
  Station* next_to_dial_ = nullptr;
  bool is_dirty_ = false;
  Station* next_dirty_ = nullptr;
  Station* next_ = nullptr;  // the worker's list
  Station* previous_ = nullptr;

  // Last, because no message touches it: the station behind in memory may be another thread's, and share a cache line.
  // Guards what orders bring along, each ConnectionConfig against being replaced while another thread reads it, and
  // where its traffic is counted.
  mutable std::mutex orders_mutex_;
  EndpointMetrics* metrics_;                 // lives as long as the worker
  std::unique_ptr<Tallies> counted_before_;  // at other endpoints; null: nothing
  std::uint16_t close_code_ = 0;
  bool settled_ = false;  // all its traffic is among the endpoint's own
  std::string close_reason_;
  std::unique_ptr<ConnectionConfig> ordered_config_;  // not taken yet
};

// ---- for the three files of its implementation: station.cpp, station_output.cpp, station_reports.cpp ----

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

}  // namespace cwire
