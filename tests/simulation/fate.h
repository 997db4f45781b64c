#pragma once

#include <cerrno>
#include <cstdint>

#include "base/failure.h"

namespace simulation {

// How an attempt or a connection ended, as the world knows it.
struct Fate {
  enum class Kind : std::uint8_t {
    none,
    // An attempt.
    starved,
    refused,
    unreachable,
    timed_out,  // in `phase`
    unverified,
    hung_up,
    answered,  // with HTTP status `number`
    no_subprotocol,
    // A connection.
    closed,  // with code `number`
    reset,
    end_of_stream,
    silent,  // in `phase`: no pong, nothing read, nothing written
  };
  Kind kind = Kind::none;
  std::int32_t number = 0;
  std::int32_t retry_after_s = -1;
  cwire::FailurePhase phase = cwire::FailurePhase::none;
};

// What Channel and Session say when they see it. Without words: nobody reads them here.
inline cwire::Failure failure_of(const Fate& fate) {
  using cwire::Failure;
  using cwire::FailurePhase;
  const auto failure = [](cwire_status status, FailurePhase phase, cwire::Code code) {
    return Failure(status, {}, phase, code);
  };
  switch (fate.kind) {
    case Fate::Kind::starved:
      return failure(CWIRE_E_DIAL, FailurePhase::tcp, cwire::os_error(EMFILE));
    case Fate::Kind::refused:
      return failure(CWIRE_E_DIAL, FailurePhase::tcp, cwire::os_error(ECONNREFUSED));
    case Fate::Kind::unreachable:
      return failure(CWIRE_E_DIAL, FailurePhase::tcp, cwire::os_error(EHOSTUNREACH));
    case Fate::Kind::timed_out:
      return failure(cwire::status_of(fate.phase), fate.phase, cwire::os_error(ETIMEDOUT));
    case Fate::Kind::unverified: {
      Failure wrong = failure(CWIRE_E_TLS, FailurePhase::tls, cwire::x509_result(fate.number));
      wrong.security = cwire::SecurityEvent::invalid_csms_certificate;
      return wrong;
    }
    case Fate::Kind::hung_up:
      return failure(CWIRE_E_HANDSHAKE, fate.phase, {});
    case Fate::Kind::answered: {
      const bool is_auth = fate.number == 401 || fate.number == 403;
      Failure answer =
          failure(is_auth ? CWIRE_E_AUTH : CWIRE_E_HANDSHAKE, FailurePhase::http, cwire::http_status(fate.number));
      if (is_auth) answer.security = cwire::SecurityEvent::failed_to_authenticate;
      answer.retry_after_s = fate.retry_after_s;
      return answer;
    }
    case Fate::Kind::no_subprotocol:
      return failure(CWIRE_E_SUBPROTOCOL, FailurePhase::subprotocol, {});
    case Fate::Kind::closed:
      return failure(CWIRE_E_CLOSED, FailurePhase::peer, cwire::close_code(static_cast<std::uint16_t>(fate.number)));
    case Fate::Kind::reset:
      return failure(CWIRE_E_READ, FailurePhase::read, cwire::os_error(ECONNRESET));
    case Fate::Kind::end_of_stream:
      return failure(CWIRE_E_READ, FailurePhase::read, {});
    case Fate::Kind::silent:
    case Fate::Kind::none:
      break;
  }
  return Failure();
}

}  // namespace simulation
