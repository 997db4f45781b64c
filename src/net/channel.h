#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/failure.h"
#include "base/http_head.h"
#include "net/connect_race.h"
#include "net/io_thread.h"
#include "net/resolver.h"
#include "net/socket.h"
#include "net/stream.h"
#include "ocpp/proxy.h"

namespace cwire {

class TlsContext;

// What a Channel tells, always on its I/O thread and never from inside a call to it. After on_channel_failed or
// on_channel_end nothing more comes. A listener may close or destroy the channel from inside any of these calls; the
// channel touches nothing of its own afterwards. An exception out of one of the first four fails this one channel; the
// last two do not throw, and the first does not destroy it.
class ChannelListener {
 public:
  // A step of the attempt is over, in order: stage() as it was. The next begins when this returns.
  virtual void on_channel_step(FailurePhase) {}
  virtual void on_channel_open() = 0;                                    // TCP connected, TLS verified
  virtual void on_channel_data(const char* data, std::size_t size) = 0;  // valid during the call (the thread's buffer)
  virtual void on_channel_writable() = 0;                                // after write() could not take everything
  virtual void on_channel_end() = 0;                                     // the peer closed its side in order
  virtual void on_channel_failed(Failure failure) = 0;                   // DIAL, TLS, READ, WRITE; NO_MEMORY, INTERNAL

 protected:
  ~ChannelListener() = default;
};

// One attempt to reach a host and the byte stream that comes of it: resolve, connect to whichever address answers
// first, TLS, then bytes. With a proxy it is the proxy's name that is resolved and the proxy that is connected to, and
// a tunnel comes before TLS; until that stands, every failure is of phase proxy and names the proxy. Each step has its
// deadline, which begins with the step and which no byte defers; for the whole, whoever opened it closes it when time
// is up. Lives on one I/O thread: made, used and destroyed there.
class Channel final : private Poller::Watcher, private TimerQueue::Timer, private ConnectRace::Listener {
 public:
  struct Target {
    std::string host;
    std::uint16_t port = 0;
    std::shared_ptr<const TlsContext> tls;    // null: plain TCP
    std::string server_name;                  // for TLS; empty: the host
    std::optional<asio::ip::address> source;  // local address to dial from; none: the kernel chooses
    std::shared_ptr<const Proxy> proxy;       // null: none
    Duration proxy_timeout = std::chrono::seconds(10);
    HttpHead::Limits proxy_answer;
    TimePoint due = TimePoint::max();  // since when the attempt wants to begin; by default, since now
    Duration tcp_timeout = std::chrono::seconds(10);
    Duration tls_timeout = std::chrono::seconds(10);
  };

  Channel(IoThread& thread, Resolver& resolver, ChannelListener& listener);  // throws std::bad_alloc
  ~Channel();                                                                // closes at once, without goodbye
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Begins, once; the outcome comes as on_channel_open or on_channel_failed.
  void open(Target target);
  // Writes what the kernel takes now and erases it from the front of `output`. Returns the number of bytes taken. If
  // something is left, on_channel_writable follows, and what is left must be at the front of the next write (TLS may
  // have sealed it already). A failure comes as on_channel_failed later, not from inside. After on_channel_end it still
  // writes what goes at once.
  std::size_t write(std::string& output);
  // Stops and resumes reading (rule 9 of the threading contract). Readable bytes stay in the kernel.
  void pause_reading();
  void resume_reading();
  // While open. See limit_unacknowledged() of sockets: whoever gives up then does so with a WRITE failure.
  void limit_unacknowledged(Duration limit);
  // When the bytes came that on_channel_data has just brought: when the poller told of them, or earlier, if the thread
  // was busy until then and the kernel knows better, to some milliseconds. Costs a system call.
  TimePoint arrival() const;
  // TLS close_notify if that needs no waiting, then FIN and close.
  void close();
  // What is being done, for the message of a timeout: "resolving csms.example", "connecting to [::1]:80", "negotiating
  // TLS with ...".
  std::string doing() const;
  // What a timeout would interrupt now.
  FailurePhase stage() const;
  // "127.0.0.1:9000" once connected; "csms.example:443 through 192.0.2.1:3128" once a tunnel stands.
  const std::string& peer() const { return peer_; }

 private:
  enum class Phase : std::uint8_t {
    idle,
    resolving,
    connecting,
    tunnel,  // asking the proxy for it
    handshake,
    open,
    ended,    // the peer has closed its side
    failing,  // on_channel_failed is due in the next turn
    closed
  };
  struct Opening;
  class Call;

  void on_ready(bool readable, bool writable) override;
  void on_timer(TimePoint now) override;
  void on_attempt_decided() override;

  // Runs what may throw or call the listener. An exception becomes this channel's failure.
  template <typename Body>
  void attributed(Body body);
  void on_resolved(const Failure& failure, Resolver::Addresses addresses);
  void on_unresolved();
  void on_no_address_for_source();
  void begin_step(Phase phase, Duration limit);
  void advance_race();
  void on_not_connected(bool in_time);
  void on_connected();
  void continue_tunnel();
  void on_no_tunnel();
  void begin_handshake();
  void on_no_handshake();
  void continue_handshake();
  void serve_ready(bool readable, bool writable);
  void serve_read();
  void serve_last_bytes();
  void watch(bool read, bool write);
  void watch_open() { watch(!paused_ || write_needs_read_, write_blocked_ || read_needs_write_); }
  void fail(Failure failure);
  void fail_to_dial(Failure failure);
  void fail_later(Failure failure) noexcept;
  Failure with_peer(Failure failure) const;
  void release();

  IoThread& thread_;
  Resolver& resolver_;
  ChannelListener& listener_;
  Socket socket_;
  Phase phase_ = Phase::idle;
  bool watched_read_ : 1;  // what the poller is asked for
  bool watched_write_ : 1;
  bool paused_ : 1;
  bool write_blocked_ : 1;     // write() took less than everything
  bool write_needs_read_ : 1;  // ... and TLS waits for bytes to go on
  bool read_needs_write_ : 1;  // reading waits until TLS can send
  bool* destroyed_ = nullptr;  // of the call under way, if any
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Opening> opening_;       // until open, then freed: an idle station is not charged for it
  std::unique_ptr<Failure> failure_;       // to be told in the next turn; null then: there was no memory for it
  std::shared_ptr<const TlsContext> tls_;  // keeps the context for the station's next attempt
  std::string peer_;
};

}  // namespace cwire
