#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "protocol/frame.h"
#include "protocol/frame_gate.h"
#include "protocol/frame_observer.h"
#include "protocol/permessage_deflate.h"
#include "protocol/session.h"
#include "protocol/upgrade_request.h"
#include "protocol/upgrade_response.h"
#include "protocol/websocketpp_config.h"

namespace cwire {

namespace {

using Frames = websocketpp::processor::hybi13<WebsocketppConfig>;

// RFC 6455 7.4.1.
constexpr std::uint16_t kNormal = 1000;
constexpr std::uint16_t kNoCode = 1005;
constexpr std::uint16_t kTooBig = 1009;

// At most kCloseReasonMax bytes, not cut inside a character.
std::string_view fitting_reason(std::string_view reason) {
  reason = reason.substr(0, kCloseReasonMax);
  while (ends_inside_character(reason)) reason.remove_suffix(1);
  return reason;
}

// Two checks stand before websocketpp: UpgradeResponse and FrameGate see every byte from the peer first. It is left
// with what it is good at: making messages of frames that come in pieces. A message that comes whole does not pass
// through it: the gate has found where it begins and ends, and websocketpp would allocate for it twice.
class WebsocketppSession final : public Session {
 public:
  WebsocketppSession(Message::Manager::ptr messages, MaskSource& masks, DeflateStates& deflate_states,
                     UpgradeRequest request, const ProtocolLimits& limits, SessionListener& listener)
      : masks_(masks),
        deflate_states_(deflate_states),
        listener_(listener),
        frames_(false, false, std::move(messages), masks),
        gate_(limits.message_size_max, limits.fragments_max),
        handshake_(std::make_unique<Handshake>(std::move(request), limits)) {
    frames_.set_max_message_size(static_cast<std::size_t>(limits.message_size_max));
  }

  ~WebsocketppSession() {
    if (handshake_ != nullptr) scrub_output();
  }

  void start() override {
    guarded([this] {
      if (state_ != State::idle) return;
      state_ = State::upgrading;
      Handshake& handshake = *handshake_;
      const std::string key = make_key();
      handshake.response.emplace(
          UpgradeResponse::Expected{accept_for(key), handshake.request.subprotocols, handshake.limits.header_size_max,
                                    handshake.limits.header_count_max, handshake.request.deflate});
      append([&](std::string& out) { write_upgrade_request(handshake.request, key, out); });
      if (observer_ != nullptr) observer_->on_request(output_);
    });
  }

  void receive(const char* data, std::size_t size) override {
    guarded([this, data, size] {
      std::size_t head = 0;
      if (state_ == State::upgrading) {
        head = handshake_->response->consume(data, size);
        if (observer_ != nullptr) {
          observer_->on_response({data, head}, handshake_->response->state() != UpgradeResponse::State::reading);
        }
        on_upgrade_response();
      }
      if (is_live()) receive_frames(data + head, size - head);
    });
  }

  bool send(std::string_view payload, bool binary) override {
    if (state_ != State::open) return false;
    return guarded([&] {
      const Opcode opcode = binary ? Opcode::binary : Opcode::text;
      if (deflate_ != nullptr &&
          deflate_->compress(payload, [&](std::string_view less) { append_frame_of(opcode, less, true, payload); })) {
        return;
      }
      append_frame_of(opcode, payload);
    });
  }

  void ping(std::string_view data) override {
    if (state_ != State::open) return;
    guarded([&] { append_frame_of(Opcode::ping, data.substr(0, kControlPayloadMax)); });
  }

  void close(std::uint16_t code, std::string_view reason) override {
    if (state_ != State::open) return;
    guarded([&] { append_close(is_close_code(code) ? code : kNormal, reason); });
  }

  bool compresses() const override { return deflate_ != nullptr; }

  void observe(FrameObserver* observer) override {
    observer_ = observer;
    if (observer == nullptr) return;
    const bool inside_head = state_ == State::upgrading && handshake_->response->has_begun();
    observer->on_observing(inside_head || gate_.inside_frame());
  }

  std::string& output() override { return output_; }

 private:
  enum class State { idle, upgrading, open, closing /* our close frame is out */, ended };

  // What only the handshake needs; given back when it is over.
  struct Handshake {
    Handshake(UpgradeRequest request, const ProtocolLimits& limits) : request(std::move(request)), limits(limits) {}

    UpgradeRequest request;
    ProtocolLimits limits;
    std::optional<UpgradeResponse> response;  // from start() on
  };

  bool is_live() const { return state_ == State::open || state_ == State::closing; }

  // Nothing is thrown out of a Session. What is thrown inside, also by the listener, ends it. False: it
  // was thrown.
  template <typename Work>
  bool guarded(Work&& work) noexcept {
    try {
      work();
      return true;
    } catch (const std::bad_alloc&) {
      end_after_exception(CWIRE_E_NO_MEMORY, "not enough memory to go on; use fewer stations or smaller limits");
    } catch (const std::exception& error) {
      end_after_exception(CWIRE_E_INTERNAL, error.what());
    } catch (...) {
      end_after_exception(CWIRE_E_INTERNAL, "an unknown exception was thrown");
    }
    return false;
  }

  void end_after_exception(cwire_status status, const char* what) noexcept {
    if (state_ == State::ended) return;
    const bool was_live = is_live();
    state_ = State::ended;
    Failure failure;
    failure.status = status;
    try {
      failure.message = what;
    } catch (const std::bad_alloc&) {
      // The status says it.
    }
    try {
      if (was_live) {
        CloseInfo info;
        info.failure = std::move(failure);
        listener_.on_closed(std::move(info));
      } else {
        listener_.on_failed(std::move(failure));
      }
    } catch (...) {
      // The listener has been told; there is nobody else.
    }
  }

  // RFC 6455 4.1: 16 random bytes.
  std::string make_key() {
    std::uint32_t nonce[4];
    for (std::uint32_t& word : nonce) word = masks_();
    unsigned char encoded[25];
    EVP_EncodeBlock(encoded, reinterpret_cast<const unsigned char*>(nonce), sizeof nonce);
    return reinterpret_cast<const char*>(encoded);
  }

  void on_upgrade_response() {
    UpgradeResponse& response = *handshake_->response;
    if (response.state() == UpgradeResponse::State::reading) return;
    if (response.state() == UpgradeResponse::State::refused) {
      Failure failure = response.failure();
      if (!response.location().empty()) listener_.on_redirect(response.location());
      return fail_upgrade(std::move(failure));
    }
    const std::unique_ptr<Handshake> over = std::move(handshake_);
    const bool all_taken = output_.empty();
    // Before anything else is written: what held the credentials must not become a buffer of the thread.
    scrub_output();
    if (!all_taken) {
      return fail_upgrade(
          Failure(CWIRE_E_HANDSHAKE,
                  "handshake: the server accepted before it had the whole request; check what answers at this address",
                  FailurePhase::http, http_status(101)));
    }
    if (response.deflate()) {
      const std::uint64_t message_size_max = over->limits.message_size_max;
      deflate_ = std::make_unique<PermessageDeflate>(*response.deflate(), over->request.deflate, message_size_max,
                                                     deflate_states_);
      gate_.allow_compression(PermessageDeflate::compressed_size_max(message_size_max));
    }
    state_ = State::open;
    listener_.on_open(response.subprotocol());
  }

  // `failure` is made before the session has ended: what is thrown for want of memory is told as the failure then.
  void fail_upgrade(Failure failure) {
    state_ = State::ended;
    const std::unique_ptr<Handshake> over = std::move(handshake_);
    scrub_output();
    listener_.on_failed(std::move(failure));
  }

  void receive_frames(const char* data, std::size_t size) {
    gate_.begin_arrival();
    while (size != 0) {
      const FrameGate::WholeMessage message = gate_.take_message(data, size);
      std::size_t passed = message.frame_size;
      if (passed != 0) {
        if (observer_ != nullptr) {
          observer_->on_frame_in({data, passed}, true);
          observer_->on_message_in(message.payload, message.binary);
        }
        listener_.on_borrowed_message(message.payload, message.binary);
      } else {
        passed = gate_.inspect(data, size);
        if (observer_ != nullptr && passed != 0) observer_->on_frame_in({data, passed}, !gate_.inside_frame());
        if (gate_.passed_compressed()) {
          receive_compressed();
        } else {
          consume(data, passed);
        }
      }
      if (!is_live()) return;
      if (gate_.violation() != 0) {
        if (observer_ != nullptr) {
          observer_->on_refused({data + passed, size - passed}, gate_.violation(), gate_.reason());
        }
        return fail(gate_.violation(), gate_.reason());
      }
      data += passed;
      size -= passed;
    }
    if (pong_due_ && state_ == State::open) {
      const std::string data_of_last_ping = std::move(pong_data_);
      append_frame_of(Opcode::pong, data_of_last_ping);
    }
    pong_due_ = false;
    std::string().swap(pong_data_);
  }

  // websocketpp sees nothing of these, whether they come whole or in pieces: it would not know how much memory they
  // may take.
  void receive_compressed() {
    const bool last = gate_.passed_end_of_message();
    const std::uint16_t violation = deflate_->receive(gate_.compressed_payload(), gate_.is_text(), last);
    if (violation != 0) {
      if (observer_ != nullptr) observer_->on_refused({}, violation, deflate_->reason());
      return fail(violation, deflate_->reason());
    }
    if (!last) return;
    ByteBuffer& message = deflate_->received();
    const std::size_t size = message.size();
    if (observer_ != nullptr) observer_->on_message_in(message.view(), !gate_.is_text());
    listener_.on_compressed(deflate_->received_compressed());
    if (message.capacity() <= PermessageDeflate::kBufferKept) {
      listener_.on_borrowed_message(message.view(), !gate_.is_text());
    } else {
      std::shared_ptr<const void> owner = message.release();
      const std::string_view data(static_cast<const char*>(owner.get()), size);
      listener_.on_message(std::move(owner), data, !gate_.is_text());
    }
    deflate_->done_receiving();
  }

  void consume(const char* data, std::size_t size) {
    // websocketpp writes only where frames are masked, and the gate lets none of those pass.
    auto* const bytes = reinterpret_cast<std::uint8_t*>(const_cast<char*>(data));
    for (std::size_t at = 0; at < size;) {
      websocketpp::lib::error_code error;
      at += frames_.consume(bytes + at, size - at, error);
      if (error) throw std::runtime_error("websocketpp refused a frame that had been checked: " + error.message());
      if (frames_.ready()) on_frame(frames_.get_message());
    }
  }

  void on_frame(Message::ptr message) {
    namespace opcode = websocketpp::frame::opcode;
    switch (message->get_opcode()) {
      case opcode::ping:
        // Answered at the end of receive(), and only the last one (RFC 6455 5.5.3): a flood of pings costs one pong per
        // arrival.
        pong_due_ = true;
        pong_data_ = message->payload();
        break;
      case opcode::pong:
        listener_.on_pong(message->payload());
        break;
      case opcode::close:
        on_close(message->payload());
        break;
      default: {
        // Also behind our own close frame: the peer may have sent it before it saw that.
        const std::string& payload = message->payload();
        const bool binary = !message->is_text();
        if (observer_ != nullptr) observer_->on_message_in(payload, binary);
        listener_.on_message(std::shared_ptr<const void>(std::move(message)), payload, binary);
      }
    }
  }

  // The gate has seen to it that the code and the reason are valid, or that both are missing.
  void on_close(const std::string& payload) {
    CloseInfo info;
    info.remote = state_ == State::open;
    info.code = kNoCode;
    if (!payload.empty()) {
      const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(payload[index]); };
      info.code = static_cast<std::uint16_t>(byte(0) << 8 | byte(1));
      info.reason = payload.substr(2);
    }
    // RFC 6455 5.5.1: answered with the code received. Behind our own close frame nothing may follow.
    if (info.remote) append_close(info.code == kNoCode ? kNormal : info.code, info.reason);
    end(std::move(info));
  }

  // The peer broke the protocol or a limit (RFC 6455 7.1.7).
  void fail(std::uint16_t code, const char* what) {
    if (state_ == State::open) append_close(code, what);
    CloseInfo info;
    info.code = code;
    info.failure =
        Failure(code == kTooBig ? CWIRE_E_TOO_BIG : CWIRE_E_PROTOCOL,
                std::string("the CSMS sent ") + what + "; the connection was closed with " + std::to_string(code),
                FailurePhase::peer, close_code(code));
    end(std::move(info));
  }

  void end(CloseInfo info) {
    state_ = State::ended;
    listener_.on_closed(std::move(info));
  }

  void append_frame_of(Opcode opcode, std::string_view payload) { append_frame_of(opcode, payload, false, payload); }

  // `payload`: what `on_wire` becomes again when it is inflated.
  void append_frame_of(Opcode opcode, std::string_view on_wire, bool compressed, std::string_view payload) {
    const std::uint32_t mask = masks_();
    append([&](std::string& out) { append_frame(out, opcode, on_wire, mask, compressed); });
    if (observer_ != nullptr) observer_->on_frame_out(opcode, compressed, payload, on_wire.size());
  }

  void append_close(std::uint16_t code, std::string_view reason) {
    std::string payload;
    payload += static_cast<char>(code >> 8);
    payload += static_cast<char>(code & 0xff);
    payload += fitting_reason(reason);
    state_ = State::closing;  // before the listener hears of output: nothing follows a close frame (RFC 6455 5.5.1)
    append_frame_of(Opcode::close, payload);
  }

  template <typename Write>
  void append(Write&& write) {
    const bool was_empty = output_.empty();
    write(output_);
    if (was_empty) listener_.on_output();
  }

  // Also where the request has been taken, its credentials still stand in the buffer's memory.
  void scrub_output() {
    if (output_.capacity() <= std::string().capacity()) return;
    output_.resize(output_.capacity());
    OPENSSL_cleanse(&output_[0], output_.size());
    std::string().swap(output_);
  }

  MaskSource& masks_;
  DeflateStates& deflate_states_;
  SessionListener& listener_;
  FrameObserver* observer_ = nullptr;
  Frames frames_;
  FrameGate gate_;
  std::unique_ptr<PermessageDeflate> deflate_;  // null: it was not agreed on
  std::unique_ptr<Handshake> handshake_;
  std::string output_;
  std::string pong_data_;
  State state_ = State::idle;
  bool pong_due_ = false;
};

class WebsocketppEngine final : public Engine {
 public:
  std::unique_ptr<Session> open(const UpgradeRequest& request, const ProtocolLimits& limits,
                                SessionListener& listener) override {
    check_upgrade_request(request);
    return std::make_unique<WebsocketppSession>(messages_, masks_, deflate_states_, request, limits, listener);
  }

 private:
  const Message::Manager::ptr messages_ = std::make_shared<Message::Manager>();
  MaskSource masks_;
  DeflateStates deflate_states_;
};

}  // namespace

std::unique_ptr<Engine> make_engine() {
  // websocketpp finds out the byte order at first use and notes it without a lock. Engines are made before their
  // threads run, so it is found out here, once.
  static const std::uint64_t found_out = websocketpp::lib::net::_htonll(1);
  static_cast<void>(found_out);
  return std::make_unique<WebsocketppEngine>();
}

}  // namespace cwire
