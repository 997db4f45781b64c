#pragma once

#include <cstddef>

#include "base/failure.h"

namespace cwire {

// One connected byte stream on a non-blocking socket that it does not own: TCP as it is, or TLS over it.
class Stream {
 public:
  enum class Result {
    done,        // progress was made (handshake finished, bytes moved)
    want_read,   // try again when the socket is readable
    want_write,  // ... writable
    end,         // the peer closed in order (FIN; with TLS: close_notify)
    failed       // see failure
  };
  struct Outcome {
    Result result = Result::failed;
    std::size_t bytes = 0;
    Failure failure;  // status READ, WRITE or TLS; without the station's name
  };

  virtual ~Stream() = default;
  virtual Outcome handshake() = 0;  // TCP: done
  virtual Outcome read(char* buffer, std::size_t capacity) = 0;
  virtual Outcome write(const char* data, std::size_t size) = 0;
  // True: bytes are waiting inside the stream (TLS record half consumed), so read again without waiting for the socket.
  virtual bool has_buffered() const = 0;
  // Says goodbye if that needs no waiting (TLS close_notify).
  virtual void shutdown() = 0;
};

}  // namespace cwire
