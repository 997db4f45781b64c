#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/frame.h"

namespace cwire {

// Sees what a session sends and receives, for a trace. Called from inside the session's own functions and in the order
// in which it happened; must not throw, and must not call the session. What it is given is valid during the call only.
class FrameObserver {
 public:
  // From here on it sees. `inside`: what comes in next begins in the middle of a frame, or of the answer's head.
  virtual void on_observing(bool inside) noexcept = 0;
  // The upgrade request as it goes out, credentials and all.
  virtual void on_request(std::string_view head) noexcept = 0;
  // The head of the answer, in as many parts as it came in. `whole`: that was the last.
  virtual void on_response(std::string_view part, bool whole) noexcept = 0;
  // Bytes of one frame as they stood on the wire, header included. `ends`: nothing of the frame follows.
  virtual void on_frame_in(std::string_view bytes, bool ends) noexcept = 0;
  // The frame that has just ended completes this message. As the application gets it: without fragments, inflated.
  virtual void on_message_in(std::string_view payload, bool binary) noexcept = 0;
  // What the peer sent breaks a rule; `rest` begins with the byte that does. Nothing more of it is looked at.
  virtual void on_refused(std::string_view rest, std::uint16_t close_code, const char* reason) noexcept = 0;
  // A frame that is a whole message, or a control frame. As the application gave it, `size_on_wire` bytes in the frame:
  // less where it is `compressed`.
  virtual void on_frame_out(Opcode opcode, bool compressed, std::string_view payload,
                            std::uint64_t size_on_wire) noexcept = 0;

 protected:
  ~FrameObserver() = default;
};

}  // namespace cwire
