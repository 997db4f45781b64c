#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "events.h"
#include "fate.h"
#include "judge.h"
#include "net/timer_queue.h"
#include "pacer.h"
#include "scenario.h"
#include "station/offline_queue.h"
#include "station/send_queue.h"
#include "station/web_socket_client.h"

namespace simulation {

class Simulation;

// What the CSMS and the network know of a connection of a station.
struct Line {
  std::uint64_t number = 0;  // 0: there is none
  bool open = false;         // the CSMS has accepted the upgrade
  bool ended = false;        // by the CSMS: it neither reads nor answers any more
  bool forgotten_up = false;
  bool forgotten_down = false;
  TimePoint last_up{};  // TCP keeps the order
  TimePoint last_down{};
  std::uint64_t read = 0;  // the CSMS has read the stream up to here
  std::uint64_t last_nonce = 0;
};

// One life of a station, from connect to CLOSED. Drives the real state machine and queues as cwire::Station does, with
// a simulated connection in the place of the Channel and the Session.
class Station final : private cwire::TimerQueue::Timer {
 public:
  Station(Simulation& simulation, std::uint32_t number, const Group& group, Spread& spread);
  ~Station();
  Station(const Station&) = delete;
  Station& operator=(const Station&) = delete;

  void connect();
  void disconnect(Duration limit);
  void network_up();
  void pause(Duration length);
  void after_suspend();
  void reconfigure(std::int32_t change, Duration limit);
  // Something arrives or happens that Event says.
  void handle(const Event& event);
  // Its turn has come, if it still wants it.
  void dial();
  void flush();
  // The CSMS has got the stream up to `position`.
  void csms_reads(std::uint64_t position);

  Line& line() { return line_; }
  const Group& group() const { return group_; }
  Judge& judge() { return judge_; }
  bool ended() const { return client_.finished(); }
  // Nothing is missing: connected, and the CSMS sees it so, too; or finished.
  bool is_back() const;

 private:
  enum class Stage : std::uint8_t { none, tcp, tls, upgrade, open };
  // What stands in the stream to the CSMS, up to position `end`.
  struct Frame {
    enum class Kind : std::uint8_t { message, ping, close };
    Kind kind;
    std::uint64_t end;
    std::uint64_t value;  // number of the message, nonce
  };

  void on_timer(TimePoint now) override;
  void perform(const cwire::Actions& actions);
  void after_input();
  void arm();
  void ask_to_dial();
  void step_ends(Stage next);
  void answered(const Event& event);
  void connection_ended(Fate fate);
  void closed_by_peer(const Event& event);
  void drop();
  bool is_open() const { return client_.state() == cwire::State::connected || client_.closing(); }
  bool is_ending() const {
    return client_.finished() || (client_.closing() && client_.state() == cwire::State::disconnected);
  }

  void application_sends();
  void accept(cwire::OutgoingMessage& message);
  void accept_all(cwire::OutgoingList messages);
  cwire::OutgoingMessage* next_message();
  void choose_room();
  void tend_offline();
  void end_offline();
  void stop_accepting();
  void go_offline(cwire::OutgoingList unsent);
  void mark_dirty();
  void pump();
  void write();
  void append(Frame::Kind kind, std::uint64_t value, std::size_t size);
  void settle(cwire::OutgoingMessage& message, cwire_status status);
  void settle_all(cwire::OutgoingList messages, cwire_status status);
  TimePoint now() const;
  void note(const char* what, std::uint64_t a = 0, std::uint64_t b = 0) const;

  Simulation& simulation_;
  const std::uint32_t number_;
  const Group& group_;
  Judge judge_;
  cwire::WebSocketClient client_;
  cwire::SendQueue queue_;
  const std::unique_ptr<cwire::OfflineQueue> offline_;  // null: off
  Pacer* const pacer_;                                  // null: nobody paces
  Pacer::Turn turn_;
  Line line_;
  Stage stage_ = Stage::none;
  std::vector<Event> held_;  // arrived while reading is paused
  cwire::OutgoingList framed_;
  std::vector<Frame> frames_;  // of the stream, not read by the CSMS
  std::size_t first_frame_ = 0;
  std::uint64_t output_ = 0;   // bytes framed, not taken by the kernel
  std::uint64_t written_ = 0;  // bytes of this connection that the kernel has taken
  static constexpr std::uint64_t kNeverWritten = UINT64_MAX;
  std::uint64_t ping_end_ = kNeverWritten;  // where the ping ends among them that has not left yet
  std::uint64_t messages_ = 0;
  bool other_settings_ = false;
  bool take_planned_ = false;
  bool blocked_ = false;
  bool paused_ = false;
  bool close_wanted_ = false;
  bool dirty_ = false;
  bool performing_ = false;
  bool dial_wanted_ = false;
};

}  // namespace simulation
