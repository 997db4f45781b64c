#include <chargewire/chargewire.h>

#include <cstring>

#define CWIRE_TEXT_(x) #x
#define CWIRE_TEXT(x) CWIRE_TEXT_(x)

extern "C" {

uint32_t cwire_abi_version(void) { return CWIRE_ABI_VERSION; }

const char* cwire_version(void) {
  return CWIRE_TEXT(CWIRE_VERSION_MAJOR) "." CWIRE_TEXT(CWIRE_VERSION_MINOR) "." CWIRE_TEXT(CWIRE_VERSION_PATCH);
}

const char* cwire_status_name(cwire_status status) {
  switch (status) {
#define CWIRE_NAME(name) \
  case name:             \
    return #name
    CWIRE_NAME(CWIRE_OK);
    CWIRE_NAME(CWIRE_E_INVALID_ARGUMENT);
    CWIRE_NAME(CWIRE_E_INVALID_HANDLE);
    CWIRE_NAME(CWIRE_E_NO_MEMORY);
    CWIRE_NAME(CWIRE_E_INTERNAL);
    CWIRE_NAME(CWIRE_E_CONFIG);
    CWIRE_NAME(CWIRE_E_STATE);
    CWIRE_NAME(CWIRE_E_TIMEOUT);
    CWIRE_NAME(CWIRE_E_ALREADY_CONNECTED);
    CWIRE_NAME(CWIRE_E_NOT_FOUND);
    CWIRE_NAME(CWIRE_E_NOT_ESTABLISHED);
    CWIRE_NAME(CWIRE_E_QUEUE_FULL);
    CWIRE_NAME(CWIRE_E_TOO_BIG);
    CWIRE_NAME(CWIRE_E_CLOSED);
    CWIRE_NAME(CWIRE_E_DIAL);
    CWIRE_NAME(CWIRE_E_TLS);
    CWIRE_NAME(CWIRE_E_HANDSHAKE);
    CWIRE_NAME(CWIRE_E_SUBPROTOCOL);
    CWIRE_NAME(CWIRE_E_AUTH);
    CWIRE_NAME(CWIRE_E_PROTOCOL);
    CWIRE_NAME(CWIRE_E_PING_TIMEOUT);
    CWIRE_NAME(CWIRE_E_READ);
    CWIRE_NAME(CWIRE_E_WRITE);
#undef CWIRE_NAME
    default:
      return "CWIRE_E_UNKNOWN";
  }
}

const char* cwire_state_name(int32_t state) {
  switch (state) {
    case CWIRE_STATE_DISCONNECTED:
      return "disconnected";
    case CWIRE_STATE_CONNECTING:
      return "connecting";
    case CWIRE_STATE_CONNECTED:
      return "connected";
    case CWIRE_STATE_RECONNECTING:
      return "reconnecting";
    case CWIRE_STATE_ERROR:
      return "error";
    case CWIRE_STATE_CLOSED:
      return "closed";
    default:
      return "unknown";
  }
}

const char* cwire_phase_name(int32_t phase) {
  static const char* const names[] = {"none",        "resolve", "tcp",  "proxy", "tls", "http",
                                      "subprotocol", "ping",    "read", "write", "peer"};
  return phase >= CWIRE_PHASE_NONE && phase <= CWIRE_PHASE_PEER ? names[phase] : "unknown";
}

const char* cwire_quality_name(int32_t quality) {
  static const char* const names[] = {"none", "good", "fair", "poor", "bad"};
  return quality >= CWIRE_QUALITY_NONE && quality <= CWIRE_QUALITY_BAD ? names[quality] : "unknown";
}

const char* cwire_security_event_name(int32_t security_event, const char* subprotocol) {
  const bool is_1_6 = subprotocol != nullptr && std::strcmp(subprotocol, "ocpp1.6") == 0;
  switch (security_event) {
    case CWIRE_SECURITY_INVALID_CSMS_CERTIFICATE:
      return is_1_6 ? "InvalidCentralSystemCertificate" : "InvalidCsmsCertificate";
    case CWIRE_SECURITY_INVALID_TLS_VERSION:
      return "InvalidTLSVersion";
    case CWIRE_SECURITY_INVALID_TLS_CIPHER_SUITE:
      return "InvalidTLSCipherSuite";
    case CWIRE_SECURITY_FAILED_TO_AUTHENTICATE:
      return is_1_6 ? "FailedToAuthenticateAtCentralSystem" : "FailedToAuthenticateAtCsms";
    default:
      return "";
  }
}

}  // extern "C"
