#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/failure.h"
#include "base/secret.h"
#include "config/settings.h"
#include "ocpp/url.h"

namespace cwire {

class FrameObserver;

// What the upgrade request of RFC 6455 4.1 says. Validated before it comes here (no CR, LF or NUL anywhere).
struct UpgradeRequest {
  Url url;
  std::vector<std::string> subprotocols;  // in order of preference: "ocpp2.0.1", "ocpp1.6"
  Secret authorization;                   // value of the Authorization header; empty: none
  std::vector<std::pair<std::string, std::string>> headers;
  DeflateSettings deflate;  // permessage-deflate is offered if enabled
};

struct ProtocolLimits {
  std::uint64_t message_size_max = 1 << 20;  // bytes, over all fragments
  std::size_t header_size_max = 16 << 10;    // bytes of the HTTP response's head
  std::uint32_t header_count_max = 100;
  std::uint32_t fragments_max = 4096;
};

// How an open session ended.
struct CloseInfo {
  std::uint16_t code = 1006;  // the peer's, ours, or 1006 when there was no close frame (RFC 6455 7.1.5)
  bool remote = false;        // the peer closed first
  std::string reason;         // the peer's words, valid UTF-8
  Failure failure;            // OK status: an orderly close; else what broke (PROTOCOL, TOO_BIG)
};

// What a Session tells. Calls come only from inside Session's own functions, on the same thread. After on_failed or
// on_closed nothing more comes. A listener may call send, ping and close from inside, but must not destroy the session
// there.
class SessionListener {
 public:
  // The upgrade was accepted and every header of the answer checked.
  virtual void on_open(std::string_view subprotocol) = 0;
  // The upgrade was refused or the answer was wrong (HANDSHAKE, SUBPROTOCOL, AUTH; code: HTTP status).
  virtual void on_failed(Failure failure) = 0;
  // Comes before on_failed: the refusal is a redirect, and this is its Location, which may be anything.
  virtual void on_redirect(std::string_view) {}
  // data stays valid, with a NUL behind it, for as long as `owner` lives.
  virtual void on_message(std::shared_ptr<const void> owner, std::string_view data, bool binary) = 0;
  // A message whose bytes are valid during the call only, without a NUL behind. Here it is copied and told like the
  // others; who can copy it to a better place does.
  virtual void on_borrowed_message(std::string_view data, bool binary) {
    const auto owner = std::make_shared<const std::string>(data);
    on_message(owner, *owner, binary);
  }
  // Comes before on_message or on_borrowed_message: that one came compressed, in so many bytes.
  virtual void on_compressed([[maybe_unused]] std::size_t size_in_frames) {}
  virtual void on_pong(std::string_view data) = 0;
  // The close handshake is complete, or the peer broke the protocol. What stands in output() (a close frame) may still
  // be written; then the transport is to be closed.
  virtual void on_closed(CloseInfo info) = 0;
  // output() was empty and no longer is.
  virtual void on_output() = 0;

 protected:
  ~SessionListener() = default;
};

// The client's side of one WebSocket connection, from the upgrade request to the close frame. Moves bytes only: no
// sockets, no timers, no threads. Everything the peer sends is checked before websocketpp sees it.
class Session {
 public:
  virtual ~Session() = default;

  // Puts the upgrade request into output().
  virtual void start() = 0;
  // Bytes from the peer, any number of them, split anywhere.
  virtual void receive(const char* data, std::size_t size) = 0;
  // A text or binary message, framed and masked into output(). False: the session is not open (nothing was done).
  virtual bool send(std::string_view payload, bool binary) = 0;
  // At most 125 bytes.
  virtual void ping(std::string_view data) = 0;
  // Begins the close handshake; messages sent before go first. Reason at most 123 bytes of UTF-8. Ends with on_closed,
  // unless the transport is lost first; the time limit is the caller's.
  virtual void close(std::uint16_t code, std::string_view reason) = 0;
  // permessage-deflate was agreed on.
  virtual bool compresses() const = 0;
  // Shows all that passes from here on, also what is left of what has begun. Null: to nobody. It must live as long as
  // the session, or until another takes its place.
  virtual void observe(FrameObserver* observer) = 0;
  // Bytes for the peer. The caller takes from the front and erases what it took.
  virtual std::string& output() = 0;
};

// What the sessions of one I/O thread share. Sessions must not outlive it, and are used on that thread only.
class Engine {
 public:
  virtual ~Engine() = default;
  // Throws Error if the request cannot be expressed.
  virtual std::unique_ptr<Session> open(const UpgradeRequest& request, const ProtocolLimits& limits,
                                        SessionListener& listener) = 0;
};

std::unique_ptr<Engine> make_engine();

}  // namespace cwire
