#pragma once

#include <chargewire/chargewire.h>

#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace cwire {

// What a connection was doing when it failed.
enum class FailurePhase : std::int8_t {
  none = CWIRE_PHASE_NONE,
  resolve = CWIRE_PHASE_RESOLVE,
  tcp = CWIRE_PHASE_TCP,
  proxy = CWIRE_PHASE_PROXY,
  tls = CWIRE_PHASE_TLS,
  http = CWIRE_PHASE_HTTP,
  subprotocol = CWIRE_PHASE_SUBPROTOCOL,
  ping = CWIRE_PHASE_PING,
  read = CWIRE_PHASE_READ,
  write = CWIRE_PHASE_WRITE,
  peer = CWIRE_PHASE_PEER,
};

// The security events of OCPP that a connection can raise.
enum class SecurityEvent : std::int8_t {
  none = CWIRE_SECURITY_NONE,
  invalid_csms_certificate = CWIRE_SECURITY_INVALID_CSMS_CERTIFICATE,
  invalid_tls_version = CWIRE_SECURITY_INVALID_TLS_VERSION,
  invalid_tls_cipher_suite = CWIRE_SECURITY_INVALID_TLS_CIPHER_SUITE,
  failed_to_authenticate = CWIRE_SECURITY_FAILED_TO_AUTHENTICATE,
};

// The number behind a failure, and whose number it is.
struct Code {
  enum class Kind : std::int8_t { none, os_error, x509, http_status, close_code };
  Kind kind = Kind::none;
  std::int32_t number = 0;
};
inline Code os_error(int number) { return {number == 0 ? Code::Kind::none : Code::Kind::os_error, number}; }
inline Code x509_result(long number) { return {Code::Kind::x509, static_cast<std::int32_t>(number)}; }
inline Code http_status(std::int32_t number) {
  return {number == 0 ? Code::Kind::none : Code::Kind::http_status, number};
}
inline Code close_code(std::uint16_t number) { return {Code::Kind::close_code, number}; }

// Why a call was refused, an attempt failed or a connection ended. `message` is one line that says what happened, why,
// and what to do; it never holds a secret.
struct Failure {
  cwire_status status = CWIRE_OK;
  FailurePhase phase = FailurePhase::none;
  SecurityEvent security = SecurityEvent::none;
  Code code;
  std::int32_t retry_after_s = -1;  // the server asked to wait so long (Retry-After); -1: it did not
  std::string message;

  Failure() = default;
  Failure(cwire_status s, std::string text, FailurePhase p = FailurePhase::none, Code c = {})
      : status(s), phase(p), code(c), message(std::move(text)) {}

  explicit operator bool() const { return status != CWIRE_OK; }
};

// Where a failure of the stream itself belongs: READ, WRITE, or TLS for its handshake.
inline FailurePhase phase_of(cwire_status status) {
  return status == CWIRE_E_READ    ? FailurePhase::read
         : status == CWIRE_E_WRITE ? FailurePhase::write
                                   : FailurePhase::tls;
}

// The status of an attempt that time ran out for.
inline cwire_status status_of(FailurePhase phase) {
  return phase == FailurePhase::tls ? CWIRE_E_TLS : phase == FailurePhase::http ? CWIRE_E_HANDSHAKE : CWIRE_E_DIAL;
}

// For those who must outlive a shortage of memory: never throws. All else stays, only the words are lost.
template <typename Words>
Failure failure_with(cwire_status status, FailurePhase phase, Code code, Words words) noexcept {
  try {
    return Failure(status, words(), phase, code);
  } catch (const std::exception&) {
    return Failure(status, std::string(), phase, code);
  }
}

// Thrown inside the library by what runs on a caller's thread (configuration, connect); the ABI turns it into a status.
struct Error {
  Failure failure;
  Error(cwire_status s, std::string text, FailurePhase p = FailurePhase::none, Code c = {})
      : failure(s, std::move(text), p, c) {}
  explicit Error(Failure f) : failure(std::move(f)) {}
};

}  // namespace cwire
