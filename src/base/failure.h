#pragma once

#include <chargewire/chargewire.h>

#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace cwire {

// Why a call was refused, an attempt failed or a connection ended. `message` is one line that says what happened, why,
// and what to do; it never holds a secret. `code` is what fits the status: errno for DIAL, READ and WRITE, the X.509
// verification result for TLS, the HTTP status for HANDSHAKE and AUTH, the close code for a closed connection.
struct Failure {
  cwire_status status = CWIRE_OK;
  std::int32_t code = 0;
  std::string message;

  Failure() = default;
  Failure(cwire_status s, std::string text, std::int32_t c = 0) : status(s), code(c), message(std::move(text)) {}

  explicit operator bool() const { return status != CWIRE_OK; }
};

// For those who must outlive a shortage of memory: never throws. The status stays, only the words are lost.
template <typename Words>
Failure failure_with(cwire_status status, std::int32_t code, Words words) noexcept {
  try {
    return Failure(status, words(), code);
  } catch (const std::exception&) {
    return Failure(status, std::string(), code);
  }
}

// Thrown inside the library by what runs on a caller's thread (configuration, connect); the ABI turns it into a status.
struct Error {
  Failure failure;
  Error(cwire_status s, std::string text, std::int32_t c = 0) : failure(s, std::move(text), c) {}
  explicit Error(Failure f) : failure(std::move(f)) {}
};

}  // namespace cwire
