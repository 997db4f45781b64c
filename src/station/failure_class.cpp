#include "station/failure_class.h"

#include <cerrno>

#include "net/errno_text.h"

namespace cwire {

namespace {

FailureClass class_of_errno(std::int32_t error) {
  return is_local_failure(error) || error == EADDRNOTAVAIL ? FailureClass::local : FailureClass::network;
}

FailureClass class_of_http_status(std::int32_t status) {
  switch (status) {
    case 429:
    case 503:
      return FailureClass::throttled;
    case 401:
    case 403:
    case 404:
    case 426:
      return FailureClass::refused;
    default:
      return FailureClass::network;
  }
}

// Whatever else a proxy says, 429 and 503 too, is about the way to the CSMS.
FailureClass class_of_proxy_status(std::int32_t status) {
  return status == 403 || status == 407 ? FailureClass::refused : FailureClass::network;
}

FailureClass class_of_close_code(std::int32_t code) {
  switch (code) {
    case 1012:  // "service restart", in the registry of RFC 6455 11.7
      return FailureClass::restarting;
    case 1013:  // "try again later"
      return FailureClass::overloaded;
    default:
      return FailureClass::network;
  }
}

}  // namespace

FailureClass class_of(const Failure& failure) {
  if (failure.status == CWIRE_E_NO_MEMORY) return FailureClass::local;
  // No shortage, whatever its errno says: the interface that has the source address may be up again soon.
  if (failure.status == CWIRE_E_CONFIG) return FailureClass::network;
  switch (failure.phase) {
    case FailurePhase::subprotocol:
      return FailureClass::refused;
    case FailurePhase::tls:
      return failure.security != SecurityEvent::none ? FailureClass::unverified : FailureClass::network;
    default:
      break;
  }
  switch (failure.code.kind) {
    case Code::Kind::os_error:
      return class_of_errno(failure.code.number);
    case Code::Kind::http_status:
      return failure.phase == FailurePhase::proxy ? class_of_proxy_status(failure.code.number)
                                                  : class_of_http_status(failure.code.number);
    case Code::Kind::close_code:
      return class_of_close_code(failure.code.number);
    case Code::Kind::x509:
    case Code::Kind::none:
      break;
  }
  return FailureClass::network;
}

}  // namespace cwire
