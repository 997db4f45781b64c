// Made by bindings/generate from chargewire.h. Change that, not this file.
#ifndef CHARGEWIRE_ENUMS_HPP
#define CHARGEWIRE_ENUMS_HPP

#include <chargewire/chargewire.h>

#include <cstdint>

namespace chargewire {

// What a call or an event says of how it went.
enum class Status : cwire_status {
  // done, or accepted
  ok = CWIRE_OK,
  // NULL, out of range, CR/LF/NUL in text: the call itself is wrong
  invalid_argument = CWIRE_E_INVALID_ARGUMENT,
  // the token is stale, freed, forged, or of another kind
  invalid_handle = CWIRE_E_INVALID_HANDLE,
  // an allocation failed; nothing was done
  no_memory = CWIRE_E_NO_MEMORY,
  // no thread or descriptor to be had, or a defect of the library
  internal = CWIRE_E_INTERNAL,
  // an unknown key, a wrong type, a value out of range, a file that is not readable; as an event: csms.source_address
  // is no address of this machine
  config = CWIRE_E_CONFIG,
  // not possible now: shut down, wrong delivery mode, or it would wait for itself
  state = CWIRE_E_STATE,
  // the time given has passed; of SENT: csms.offline_queue_max_age
  timeout = CWIRE_E_TIMEOUT,
  // a station of that id exists and is not in `error` or `closed`
  already_connected = CWIRE_E_ALREADY_CONNECTED,
  // no station of that id
  not_found = CWIRE_E_NOT_FOUND,
  // the station is not connected at the moment, and has no offline queue, or it is ending
  not_established = CWIRE_E_NOT_ESTABLISHED,
  // the station's send queue is full: of a send, WRITABLE follows when there is room; of SENT, csms.send_queue_policy
  // dropped the message
  queue_full = CWIRE_E_QUEUE_FULL,
  // larger than csms.message_size_max, or than a limit of the protocol
  too_big = CWIRE_E_TOO_BIG,
  // the connection ended before this could be done
  closed = CWIRE_E_CLOSED,
  // resolve, refused, unreachable, timed out: no TCP connection, or no tunnel through the proxy
  dial = CWIRE_E_DIAL,
  // the TLS handshake failed, or the certificate was not accepted
  tls = CWIRE_E_TLS,
  // the server did not answer with a correct WebSocket upgrade
  handshake = CWIRE_E_HANDSHAKE,
  // the server chose no OCPP version, or one that was not offered
  subprotocol = CWIRE_E_SUBPROTOCOL,
  // the server answered 401 or 403
  auth = CWIRE_E_AUTH,
  // the peer broke RFC 6455 on an open connection
  protocol = CWIRE_E_PROTOCOL,
  // no matching pong within csms.pong_timeout
  ping_timeout = CWIRE_E_PING_TIMEOUT,
  // reading failed, or nothing came within csms.read_timeout
  read = CWIRE_E_READ,
  // writing failed, or nothing could be written within csms.write_timeout
  write = CWIRE_E_WRITE,
};

// What a station is doing.
enum class State : std::int32_t {
  // not connected and not trying: before the first attempt, or closing by request
  disconnected = CWIRE_STATE_DISCONNECTED,
  // the first attempt is under way
  connecting = CWIRE_STATE_CONNECTING,
  // the upgrade was accepted and the subprotocol agreed; messages flow
  connected = CWIRE_STATE_CONNECTED,
  // waiting for, or making, another attempt
  reconnecting = CWIRE_STATE_RECONNECTING,
  // gave up after csms.max_reconnect_attempts; may be connected again
  error = CWIRE_STATE_ERROR,
  // ended by request; may be connected again
  closed = CWIRE_STATE_CLOSED,
};

// What a connection was doing when it failed.
enum class Phase : std::int32_t {
  // nothing that the network or the peer did: no memory, or a defect of the library
  none = CWIRE_PHASE_NONE,
  // looking up the host's addresses
  resolve = CWIRE_PHASE_RESOLVE,
  // connecting to them
  tcp = CWIRE_PHASE_TCP,
  // looking up the proxy, connecting to it, asking it for a tunnel
  proxy = CWIRE_PHASE_PROXY,
  // the TLS handshake, certificates included
  tls = CWIRE_PHASE_TLS,
  // the WebSocket upgrade
  http = CWIRE_PHASE_HTTP,
  // agreeing on an OCPP version in it
  subprotocol = CWIRE_PHASE_SUBPROTOCOL,
  // connected; a ping was not answered
  ping = CWIRE_PHASE_PING,
  // connected; reading failed, or nothing came
  read = CWIRE_PHASE_READ,
  // connected; writing failed, or nothing could be written
  write = CWIRE_PHASE_WRITE,
  // connected; the peer ended the connection, or broke RFC 6455
  peer = CWIRE_PHASE_PEER,
};

// The security event of OCPP 2.x that a failure is.
enum class SecurityEvent : std::int32_t {
  // nothing to tell
  none = CWIRE_SECURITY_NONE,
  // the certificate of the CSMS was not accepted
  invalid_csms_certificate = CWIRE_SECURITY_INVALID_CSMS_CERTIFICATE,
  // the CSMS speaks no TLS version that csms.tls.min_version allows
  invalid_tls_version = CWIRE_SECURITY_INVALID_TLS_VERSION,
  // no cipher suite in common
  invalid_tls_cipher_suite = CWIRE_SECURITY_INVALID_TLS_CIPHER_SUITE,
  // the CSMS refused the credentials or the client certificate
  failed_to_authenticate = CWIRE_SECURITY_FAILED_TO_AUTHENTICATE,
};

// Kinds of events. Later versions may add some: ignore those that you do not know.
enum class EventType : std::int32_t {
  // the upgrade was accepted and the subprotocol agreed
  connected = CWIRE_EVENT_CONNECTED,
  // one whole message has come
  message = CWIRE_EVENT_MESSAGE,
  // asked for by CWIRE_FLAG_REPORT; always for an accepted message that was not sent
  sent = CWIRE_EVENT_SENT,
  // after QUEUE_FULL: there is room again
  writable = CWIRE_EVENT_WRITABLE,
  // an established connection ended; a new attempt may follow
  disconnected = CWIRE_EVENT_DISCONNECTED,
  // an attempt to connect failed
  error = CWIRE_EVENT_ERROR,
  // the state has changed
  state = CWIRE_EVENT_STATE,
  // the last event of a station
  closed = CWIRE_EVENT_CLOSED,
  // station may be NULL; see the option log_level
  log = CWIRE_EVENT_LOG,
  // the last event of the manager
  shutdown = CWIRE_EVENT_SHUTDOWN,
  // poll mode, station is NULL: event_queue_max events, or event_queue_bytes of their data, waited to be polled, so
  // reading from sockets had paused; it has resumed. Once per episode, when it is over
  paused = CWIRE_EVENT_PAUSED,
  // an endpoint's circuit breaker opened, closed, tries, or was isolated; station is NULL
  endpoint = CWIRE_EVENT_ENDPOINT,
};

// Flags of sends and of events, to be combined by |.
enum class Flags : std::uint32_t {
  // in and out: a binary message. OCPP-J uses text
  binary = CWIRE_FLAG_BINARY,
  // in: report with SENT when the kernel has taken the message
  report = CWIRE_FLAG_REPORT,
  // out, CONNECTED: not the first connection of this station: OCPP wants no BootNotification
  reconnect = CWIRE_FLAG_RECONNECT,
  // out, DISCONNECTED and ERROR: another attempt follows by itself
  will_retry = CWIRE_FLAG_WILL_RETRY,
  // out, DISCONNECTED: the peer closed first
  remote = CWIRE_FLAG_REMOTE,
  // out, ERROR: refused a second time in the same way, by the CSMS (401, 403, 404, 426, no common OCPP version) or the
  // proxy (403, 407), and so until somebody changes something. Once per row of refusals
  needs_action = CWIRE_FLAG_NEEDS_ACTION,
};

// Whether an endpoint is worth trying.
enum class Breaker : std::int32_t {
  // stations connect
  closed = CWIRE_BREAKER_CLOSED,
  // too many attempts failed: no station tries until opens_at_ns; none loses an attempt by it
  open = CWIRE_BREAKER_OPEN,
  // a few stations try; the others wait for how they fare
  half_open = CWIRE_BREAKER_HALF_OPEN,
  // by cwire_manager_isolate, until cwire_manager_reset
  isolated = CWIRE_BREAKER_ISOLATED,
};

// How good a station's connection is.
enum class Quality : std::int32_t {
  // not connected, by request or not yet; or nothing was measured
  none = CWIRE_QUALITY_NONE,
  // nothing to see to
  good = CWIRE_QUALITY_GOOD,
  // it works, but not as it should: people may notice
  fair = CWIRE_QUALITY_FAIR,
  // people will notice
  poor = CWIRE_QUALITY_POOR,
  // it does not do its work, or hardly
  bad = CWIRE_QUALITY_BAD,
};

// How metrics are written.
enum class MetricsFormat : std::int32_t {
  // text/plain; version=0.0.4; charset=utf-8
  prometheus = CWIRE_METRICS_PROMETHEUS,
  // application/openmetrics-text; version=1.0.0; charset=utf-8
  open_metrics = CWIRE_METRICS_OPEN_METRICS,
};

// How a station is to be reconfigured.
enum class Reconfigure : std::uint32_t {
  // connect again at once
  reconnect = CWIRE_RECONFIGURE_RECONNECT,
};

// "the send queue is full; go on when ...": what a status means and what to do about it. Static.
inline const char* text(Status status) noexcept {
  switch (status) {
    case Status::ok:
      return "done, or accepted";
    case Status::invalid_argument:
      return "an argument is out of range or malformed; correct the call";
    case Status::invalid_handle:
      return "it has ended or never was; connect or create it anew";
    case Status::no_memory:
      return "an allocation failed, nothing was done; use fewer stations or smaller queues";
    case Status::internal:
      return "no thread or descriptor, or a defect; raise the limits or report it";
    case Status::config:
      return "an option is unknown or its value is wrong; docs/configuration.md has them all";
    case Status::state:
      return "not possible now, as when it is shutting down; what is said of the call says when it is";
    case Status::timeout:
      return "the time given has passed; wait again, for longer if need be";
    case Status::already_connected:
      return "a station of this id exists; use it, or disconnect it and wait until it has ended";
    case Status::not_found:
      return "no station of this id; check the id, or connect it first";
    case Status::not_established:
      return "the station is not connected at the moment; send when it is";
    case Status::queue_full:
      return "the send queue is full; go on when an event says that there is room again";
    case Status::too_big:
      return "larger than csms.message_size_max or the protocol allows; send less, or raise it";
    case Status::closed:
      return "the connection ended first; do it again on the next one if it still matters";
    case Status::dial:
      return "no TCP connection; check the URL, the CSMS and the network";
    case Status::tls:
      return "the TLS handshake failed; check the certificates and csms.tls";
    case Status::handshake:
      return "no upgrade to WebSocket; check the path of the URL, the station id and the scheme";
    case Status::subprotocol:
      return "no OCPP version in common; put one that the CSMS speaks into csms.protocol";
    case Status::auth:
      return "the CSMS answered 401 or 403; check csms.auth";
    case Status::protocol:
      return "the peer broke RFC 6455; report it to the maker of the CSMS or proxy";
    case Status::ping_timeout:
      return "no pong in time; if the CSMS is merely slow, raise csms.pong_timeout";
    case Status::read:
      return "reading failed, or nothing came in time; look into the logs of CSMS and proxy";
    case Status::write:
      return "writing failed, or the peer took nothing in time; the CSMS or the line is too slow";
  }
  return static_cast<cwire_status>(status) >= 0 ? "done"
                                                : "a status newer than this header; see docs/errors.md of the library";
}

}  // namespace chargewire

#endif  // CHARGEWIRE_ENUMS_HPP
