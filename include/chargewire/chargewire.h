/*
 * Chargewire: keeps fleets of EV charging stations connected to their CSMS over OCPP-J WebSockets.
 *
 * This header is the whole C ABI. It is C99 and C++ and needs nothing but the standard headers below.
 *
 * Words: a *station* is one charge point's connection, the *CSMS* is its server, a *token* is what the
 * library hands out instead of a pointer: a small number in the shape of a pointer, never to be followed.
 * A stale, freed or forged token is answered with CWIRE_E_INVALID_HANDLE, from any thread, at any time.
 *
 * Threading contract
 *
 *  1. Any function may be called from any thread, at any time, also from inside the handler.
 *  2. Events of one station arrive in order and never concurrently. Between stations there is no order.
 *  3. The handler runs on an I/O thread. While it runs, the other stations of that thread wait; nothing else does.
 *  4. No call invokes the handler recursively. No library lock is held while it runs.
 *  5. Each successful connect yields exactly one CLOSED, the last event of that station; after it the token is stale.
 *     It is allocated at connect time and arrives even when memory is short. A connect that fails yields no event.
 *  6. Disconnect is asynchronous and idempotent. Local and remote close yield the same events.
 *  7. Shutdown yields every CLOSED, then SHUTDOWN, the last event of the manager. `free` outside the handler returns after
 *     the handler's last return; inside the handler it returns at once and finishes on its own.
 *  8. Send copies, never blocks, and says QUEUE_FULL instead of waiting; WRITABLE follows when there is room again. An
 *     accepted message is sent, or reported as not sent. The library never sends one twice. Where csms.send_queue_policy is to
 *     drop messages, a full queue is reported that way instead: the send is OK, and what was dropped gets SENT with QUEUE_FULL.
 *     With csms.offline_queue_messages a message may outlive its connection, if no byte of it was written.
 *  9. When the caller is slow to poll, reading from sockets pauses. Nothing is dropped. It resumes when half of event_queue_max,
 *     or of event_queue_bytes, is polled; then PAUSED is the next event, one for each such episode.
 *
 * exit() with living managers is safe: their threads come to rest, and no more events are delivered.
 *
 * A child of fork() has none of those threads. In it the tokens of its parent's managers, stations and pools are stale, so calls with
 * them say CWIRE_E_INVALID_HANDLE and touch nothing of the parent's; configurations stay, and it may make managers of its own. All
 * descriptors are close-on-exec; a child that does not exec holds the parent's sockets open until it ends. A child made inside a
 * handler must exec or _exit there: what would return from the handler is a copy of the parent's I/O thread.
 *
 * Strings in are NUL-terminated UTF-8, or a pointer and a length. Whatever comes out says who frees it.
 * Every structure that crosses the ABI begins with `size`; set it to sizeof the structure before the call.
 */
#ifndef CHARGEWIRE_CHARGEWIRE_H
#define CHARGEWIRE_CHARGEWIRE_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define CWIRE_API __declspec(dllimport)
#elif defined(__GNUC__)
#define CWIRE_API __attribute__((visibility("default")))
#else
#define CWIRE_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header. cwire_abi_version() and cwire_version() tell the library's. */
#define CWIRE_VERSION_MAJOR 0
#define CWIRE_VERSION_MINOR 1
#define CWIRE_VERSION_PATCH 0
/* Grows when something is added to the ABI. Nothing is ever removed or changed. */
#define CWIRE_ABI_VERSION 2

/* ---- Tokens ------------------------------------------------------------------------------------------------ */

/* Compare them, copy them, send them between threads; NULL is never one of them. */
typedef struct cwire_config_token *cwire_config;
typedef struct cwire_manager_token *cwire_manager;
typedef struct cwire_pool_token *cwire_pool;
typedef struct cwire_station_token *cwire_station;

/* ---- Statuses ---------------------------------------------------------------------------------------------- */

/* 0 is success, negative is failure. cwire_manager_is_connected and cwire_pool_has also return 1 for "yes". */
typedef int32_t cwire_status;

#define CWIRE_OK 0                      /* done, or accepted */
#define CWIRE_E_INVALID_ARGUMENT (-1)   /* NULL, out of range, CR/LF/NUL in text: the call itself is wrong */
#define CWIRE_E_INVALID_HANDLE (-2)     /* the token is stale, freed, forged, or of another kind */
#define CWIRE_E_NO_MEMORY (-3)          /* an allocation failed; nothing was done */
#define CWIRE_E_INTERNAL (-4)           /* no thread or descriptor to be had, or a defect of the library */
#define CWIRE_E_CONFIG (-5)             /* an unknown key, a wrong type, a value out of range, a file that is not readable; as an
                                           event: csms.source_address is no address of this machine */
#define CWIRE_E_STATE (-6)              /* not possible now: shut down, wrong delivery mode, or it would wait for itself */
#define CWIRE_E_TIMEOUT (-7)            /* the time given has passed; of SENT: csms.offline_queue_max_age */
#define CWIRE_E_ALREADY_CONNECTED (-8)  /* a station of that id exists and is not in `error` or `closed` */
#define CWIRE_E_NOT_FOUND (-9)          /* no station of that id */
#define CWIRE_E_NOT_ESTABLISHED (-10)   /* the station is not connected at the moment, and has no offline queue, or it is ending */
#define CWIRE_E_QUEUE_FULL (-11)        /* the station's send queue is full: of a send, WRITABLE follows when there is room;
                                           of SENT, csms.send_queue_policy dropped the message */
#define CWIRE_E_TOO_BIG (-12)           /* larger than csms.message_size_max, or than a limit of the protocol */
#define CWIRE_E_CLOSED (-13)            /* the connection ended before this could be done */
#define CWIRE_E_DIAL (-14)              /* resolve, refused, unreachable, timed out: no TCP connection, or no tunnel through the proxy */
#define CWIRE_E_TLS (-15)               /* the TLS handshake failed, or the certificate was not accepted */
#define CWIRE_E_HANDSHAKE (-16)         /* the server did not answer with a correct WebSocket upgrade */
#define CWIRE_E_SUBPROTOCOL (-17)       /* the server chose no OCPP version, or one that was not offered */
#define CWIRE_E_AUTH (-18)              /* the server answered 401 or 403 */
#define CWIRE_E_PROTOCOL (-19)          /* the peer broke RFC 6455 on an open connection */
#define CWIRE_E_PING_TIMEOUT (-20)      /* no matching pong within csms.pong_timeout */
#define CWIRE_E_READ (-21)              /* reading failed, or nothing came within csms.read_timeout */
#define CWIRE_E_WRITE (-22)             /* writing failed, or nothing could be written within csms.write_timeout */

/* A failure in words. `err` may be NULL wherever it is taken. Set `size` first; the library fills the rest, also on
 * success (status 0, empty message). The message says what happened, to which station, why, and what to do. It never
 * holds a secret and is always NUL-terminated. `flags` is 0 today. */
typedef struct cwire_error {
  size_t size;
  cwire_status status; /* what the call returned */
  uint32_t flags;      /* 0 today */
  char message[240];   /* one line; empty on success */
} cwire_error;

/* cwire_error err = CWIRE_ERROR_INIT; */
#define CWIRE_ERROR_INIT {sizeof(cwire_error), 0, 0, {0}}

/* ---- States of a station ----------------------------------------------------------------------------------- */

#define CWIRE_STATE_DISCONNECTED 0 /* not connected and not trying: before the first attempt, or closing by request */
#define CWIRE_STATE_CONNECTING 1   /* the first attempt is under way */
#define CWIRE_STATE_CONNECTED 2    /* the upgrade was accepted and the subprotocol agreed; messages flow */
#define CWIRE_STATE_RECONNECTING 3 /* waiting for, or making, another attempt */
#define CWIRE_STATE_ERROR 4        /* gave up after csms.max_reconnect_attempts; may be connected again */
#define CWIRE_STATE_CLOSED 5       /* ended by request; may be connected again */

/* ---- Failures ---------------------------------------------------------------------------------------------- */

/* What a connection was doing when it failed. */
#define CWIRE_PHASE_NONE 0        /* nothing that the network or the peer did: no memory, or a defect of the library */
#define CWIRE_PHASE_RESOLVE 1     /* looking up the host's addresses */
#define CWIRE_PHASE_TCP 2         /* connecting to them */
#define CWIRE_PHASE_PROXY 3       /* looking up the proxy, connecting to it, asking it for a tunnel */
#define CWIRE_PHASE_TLS 4         /* the TLS handshake, certificates included */
#define CWIRE_PHASE_HTTP 5        /* the WebSocket upgrade */
#define CWIRE_PHASE_SUBPROTOCOL 6 /* agreeing on an OCPP version in it */
#define CWIRE_PHASE_PING 7        /* connected; a ping was not answered */
#define CWIRE_PHASE_READ 8        /* connected; reading failed, or nothing came */
#define CWIRE_PHASE_WRITE 9       /* connected; writing failed, or nothing could be written */
#define CWIRE_PHASE_PEER 10       /* connected; the peer ended the connection, or broke RFC 6455 */

/* What OCPP wants to be told as a SecurityEventNotification (2.0.1 part 2 appendix 1; 1.6 security whitepaper 4). */
#define CWIRE_SECURITY_NONE 0                     /* nothing to tell */
#define CWIRE_SECURITY_INVALID_CSMS_CERTIFICATE 1 /* the certificate of the CSMS was not accepted */
#define CWIRE_SECURITY_INVALID_TLS_VERSION 2      /* the CSMS speaks no TLS version that csms.tls.min_version allows */
#define CWIRE_SECURITY_INVALID_TLS_CIPHER_SUITE 3 /* no cipher suite in common */
#define CWIRE_SECURITY_FAILED_TO_AUTHENTICATE 4   /* the CSMS refused the credentials or the client certificate */

/* Why an attempt failed or a connection was lost, for programs; the event's `data` has it for people. What does not apply is 0.
 * The size of this structure never changes (fields come out of `reserved`). */
typedef struct cwire_failure {
  size_t size;
  cwire_status status;    /* what failed, in one word */
  int32_t phase;          /* CWIRE_PHASE_* */
  int32_t os_error;       /* errno */
  int32_t x509_error;     /* X509_V_ERR_* of OpenSSL */
  int32_t http_status;    /* of the CSMS, or of the proxy */
  int32_t close_code;     /* RFC 6455 7.4: the peer's, ours, or 1006 */
  int32_t security_event; /* CWIRE_SECURITY_*, with the first of a row of such failures only */
  uint32_t flags;         /* CWIRE_FLAG_WILL_RETRY, CWIRE_FLAG_REMOTE, CWIRE_FLAG_NEEDS_ACTION */
  int64_t time_ns;        /* when it happened; wall clock, nanoseconds since 1970-01-01 UTC */
  int64_t retry_at_ns;    /* when the next attempt is due, likewise; it may begin later, never earlier unless the network or the
                             settings change */
  uint64_t reserved[2];
} cwire_failure;

/* ---- Events ------------------------------------------------------------------------------------------------ */

/* Unknown types must be ignored: later versions may add some. What the fields mean per type:
 *
 *                status        code                 tag                 data
 * CONNECTED      OK            0                    number of this      the subprotocol agreed on, "ocpp1.6"
 *                                                   connection, from 1
 * MESSAGE        OK            0                    0                   the message; CWIRE_FLAG_BINARY when not text
 * SENT           OK, or why    0                    the send's tag      empty; the flags are those of the send
 *                it was not
 * WRITABLE       OK            0                    0                   empty
 * DISCONNECTED   why, OK when  close code: the      0                   one line: why, and what follows
 *                by request    peer's, ours or 1006
 * ERROR          why           HTTP status, errno   number of failed    one line: an attempt failed, why, what follows
 *                              or X.509 result      attempts in a row
 * STATE          OK            the new state        the old state       the name of the new state
 * CLOSED         OK when by    close code, or 0     0                   one line: why
 *                request       if never connected
 * LOG            OK            CWIRE_LOG_*          0                   one line
 * ENDPOINT       OK            the new              the old             one line: which endpoint, why, what follows
 *                              CWIRE_BREAKER_*      CWIRE_BREAKER_*
 * SHUTDOWN       OK            0                    0                   empty
 * PAUSED         OK            0                    how long,           one line: how long, why, what to do
 *                                                   nanoseconds
 */
#define CWIRE_EVENT_CONNECTED 1    /* the upgrade was accepted and the subprotocol agreed */
#define CWIRE_EVENT_MESSAGE 2      /* one whole message has come */
#define CWIRE_EVENT_SENT 3         /* asked for by CWIRE_FLAG_REPORT; always for an accepted message that was not sent */
#define CWIRE_EVENT_WRITABLE 4     /* after QUEUE_FULL: there is room again */
#define CWIRE_EVENT_DISCONNECTED 5 /* an established connection ended; a new attempt may follow */
#define CWIRE_EVENT_ERROR 6        /* an attempt to connect failed */
#define CWIRE_EVENT_STATE 7        /* the state has changed */
#define CWIRE_EVENT_CLOSED 8       /* the last event of a station */
#define CWIRE_EVENT_LOG 9          /* station may be NULL; see the option log_level */
#define CWIRE_EVENT_SHUTDOWN 10    /* the last event of the manager */
#define CWIRE_EVENT_PAUSED 11      /* poll mode, station is NULL: event_queue_max events, or event_queue_bytes of their data, waited
                                      to be polled, so reading from sockets had paused; it has resumed. Once per episode, when it is
                                      over */
#define CWIRE_EVENT_ENDPOINT 12    /* an endpoint's circuit breaker opened, closed, tries, or was isolated; station is NULL */

/* Levels of LOG, in `code`. Each includes those before it; see the option log_level. */
#define CWIRE_LOG_ERROR 1   /* something is lost or needs somebody */
#define CWIRE_LOG_WARNING 2 /* something went wrong and will be tried again, or is not as it should be */
#define CWIRE_LOG_INFO 3    /* what stations do: connect, close */
#define CWIRE_LOG_DEBUG 4   /* each step of it */

/* Flags of sends (in) and of events (out). */
#define CWIRE_FLAG_BINARY 1u      /* in and out: a binary message. OCPP-J uses text */
#define CWIRE_FLAG_REPORT 2u      /* in: report with SENT when the kernel has taken the message */
#define CWIRE_FLAG_RECONNECT 4u   /* out, CONNECTED: not the first connection of this station: OCPP wants no BootNotification */
#define CWIRE_FLAG_WILL_RETRY 8u  /* out, DISCONNECTED and ERROR: another attempt follows by itself */
#define CWIRE_FLAG_REMOTE 16u     /* out, DISCONNECTED: the peer closed first */
#define CWIRE_FLAG_NEEDS_ACTION 32u /* out, ERROR: refused a second time in the same way, by the CSMS (401, 403, 404, 426, no common OCPP
                                     version) or the proxy (403, 407), and so until somebody changes something. Once per row of refusals */

/* One event. `data`, `station_id` and the array itself belong to the library and live until the handler returns, or until the
 * next cwire_manager_poll or the cwire_manager_free of that manager. `data` is never NULL and a NUL follows
 * data[data_size - 1]. The size of this structure never changes (fields come out of `reserved`), so arrays of it may be indexed. */
typedef struct cwire_event {
  size_t size;
  int32_t type;           /* CWIRE_EVENT_* */
  cwire_status status;    /* OK, or why */
  cwire_station station;  /* NULL where the event belongs to the manager */
  uintptr_t user_data;    /* as given to connect */
  const char *station_id; /* "" where the event belongs to the manager */
  const char *data;       /* by type: the message, the subprotocol, or one line for people */
  size_t data_size;       /* bytes */
  uint64_t tag;           /* by type: of the send, or a number */
  int64_t time_ns;        /* wall clock, nanoseconds since 1970-01-01 UTC */
  int32_t code;           /* by type: close code, HTTP status, errno, state, level */
  uint32_t flags;         /* CWIRE_FLAG_* */
  const cwire_failure *failure; /* ERROR, and DISCONNECTED if not by request: all that is known; else NULL */
  uint64_t reserved[5];
} cwire_event;

/* Takes `count` >= 1 events, oldest first. Runs on an I/O thread of the manager. Must not throw: an exception that
 * escapes is swallowed, counted, and reported by a LOG event. `context` is as given to cwire_manager_new. */
typedef void (*cwire_event_handler)(uintptr_t context, const cwire_event *events, size_t count);

/* ---- Statistics -------------------------------------------------------------------------------------------- */

/* How good a station's connection is, in one word. It follows from the other fields of cwire_stats, at the moment they were read, and from
 * nothing else, so anybody can work it out again:
 *
 *   state       reconnecting, for whatever reason, and error are BAD. All others but connected are NONE: nobody knows yet, or nobody wants it to be
 *   answer      round_trip_smoothed_ns + 4 * round_trip_variation_ns (the RTO of RFC 6298 2: what takes longer, TCP would take for lost),
 *               or pong_awaited_ns if that is more: up to 0.5 s is GOOD, up to 2 s FAIR, up to 5 s POOR, more is BAD
 *   flaps       flaps_last_hour: up to 1 is GOOD, up to 3 FAIR, up to 7 POOR, more is BAD
 *
 * The worse of answer and flaps counts; GOOD becomes NONE as long as no pong was measured (round_trip_smoothed_ns is 0). */
#define CWIRE_QUALITY_NONE 0    /* not connected, by request or not yet; or nothing was measured */
#define CWIRE_QUALITY_GOOD 1    /* nothing to see to */
#define CWIRE_QUALITY_FAIR 2    /* it works, but not as it should: people may notice */
#define CWIRE_QUALITY_POOR 3    /* people will notice */
#define CWIRE_QUALITY_BAD 4     /* it does not do its work, or hardly */

/* Times are wall clock, nanoseconds since 1970-01-01 UTC; 0 is never. Counters begin at connect and never go back. New
 * fields are added at the end; the library fills no more than `size` bytes and says in `size` how many it filled. */
typedef struct cwire_stats {
  size_t size;
  char station_id[200];      /* NUL-terminated UTF-8 */
  int32_t state;             /* CWIRE_STATE_* */
  cwire_status last_error;   /* of the last failed attempt or lost connection; OK if there was none */
  int64_t connected_at_ns;    /* when it was connected for the last time */
  int64_t disconnected_at_ns; /* when a connection of it ended for the last time */
  int64_t last_message_at_ns; /* received */
  uint64_t reconnect_attempts; /* all attempts but the first */
  uint64_t messages_sent;      /* taken by the kernel */
  uint64_t messages_received;  /* whole messages */
  uint64_t bytes_sent;         /* payload, without frame headers */
  uint64_t bytes_received;     /* payload, without frame headers */
  char last_error_message[240]; /* of last_error failure, one line; empty if there was none */
  uint64_t connections;        /* established so far */
  uint64_t messages_not_sent;  /* accepted, then reported as not sent */
  uint64_t queued_messages;    /* accepted, not yet taken by the kernel */
  uint64_t queued_bytes;       /* of queued_messages */
  int64_t round_trip_ns;       /* of the last matched pong; 0 before the first */
  cwire_failure last_failure;  /* of the last failed attempt or lost connection; all 0 but `size` if there was none */
  uint64_t messages_dropped;   /* of messages_not_sent: those that a full queue had no room for (csms.send_queue_policy) */
  uint64_t reading_pauses;     /* how often reading from this station paused, because the caller was slow to poll */
  uint64_t offline_messages;   /* of queued_messages: those in the offline queue (csms.offline_queue_messages) */
  uint64_t offline_bytes;      /* of offline_messages */
  int64_t round_trip_smoothed_ns;  /* SRTT of RFC 6298, over the pongs of a connection: of the last one until there is a pong of the
                                      present; 0 before the first */
  int64_t round_trip_variation_ns; /* RTTVAR of RFC 6298, likewise */
  int64_t round_trip_min_ns;       /* the smallest of the last five to six minutes, in whole microseconds; 0 if there was none */
  int64_t jitter_ns;               /* how much round_trip_ns changes from pong to pong, smoothed as J of RFC 3550 6.4.1, likewise */
  int64_t last_alive_at_ns;        /* when bytes of the peer came for the last time on a connection: its last proof of life */
  int64_t handshake_ns;            /* of the present or last connection: from dialling to the accepted upgrade, the sum of the next five */
  int64_t handshake_resolve_ns;    /* of handshake_ns: CWIRE_PHASE_RESOLVE; 0 with a proxy */
  int64_t handshake_tcp_ns;        /* of handshake_ns: CWIRE_PHASE_TCP; 0 with a proxy */
  int64_t handshake_proxy_ns;      /* of handshake_ns: CWIRE_PHASE_PROXY, until the tunnel stands; 0 without one */
  int64_t handshake_tls_ns;        /* of handshake_ns: CWIRE_PHASE_TLS; 0 without TLS */
  int64_t handshake_http_ns;       /* of handshake_ns: CWIRE_PHASE_HTTP, the WebSocket upgrade */
  uint64_t flaps;                  /* connections that ended without being asked to */
  int32_t quality;                 /* CWIRE_QUALITY_* */
  uint32_t compressed;             /* 1 if permessage-deflate was agreed on for the present or last connection, else 0 */
  uint64_t wire_bytes_sent;        /* bytes_sent as they stood in frames: less where messages were compressed */
  uint64_t wire_bytes_received;    /* bytes_received, likewise */
  uint64_t flaps_last_hour;        /* of flaps: those of the last 60 to 65 minutes */
  int64_t pong_awaited_ns;         /* for how long the ping that is out has waited for its pong, pauses of reading not counted; 0: none is out */
} cwire_stats;

/* ---- Endpoints --------------------------------------------------------------------------------------------- */
/* An endpoint is scheme, host and port of a URL: where stations of a manager connect. What paces its connects is the manager's
 * governor: see docs/operations.md and the options governor.*. First connects and reconnects go through it alike. */

/* Whether an endpoint is worth trying. */
#define CWIRE_BREAKER_CLOSED 0    /* stations connect */
#define CWIRE_BREAKER_OPEN 1      /* too many attempts failed: no station tries until opens_at_ns; none loses an attempt by it */
#define CWIRE_BREAKER_HALF_OPEN 2 /* a few stations try; the others wait for how they fare */
#define CWIRE_BREAKER_ISOLATED 3  /* by cwire_manager_isolate, until cwire_manager_reset */

/* New fields are added at the end; the library fills no more than `size` bytes and says in `size` how many it filled. */
typedef struct cwire_endpoint {
  size_t size;
  char name[272];            /* "wss://csms.example:443" */
  int32_t breaker;           /* CWIRE_BREAKER_* */
  uint32_t handshakes;       /* attempts under way */
  uint32_t handshakes_limit; /* how many may be at the moment */
  uint32_t waiting_high;     /* stations that wait for their turn to dial, of csms.priority high */
  uint32_t waiting_normal;   /* of csms.priority normal */
  uint32_t waiting_low;      /* of csms.priority low */
  uint32_t attempts;         /* that ended within governor.breaker_window */
  uint32_t failures;         /* attempts that failed, and connections that were lost at once, within it */
  int64_t opens_at_ns;       /* OPEN: when the first may try again; wall clock, nanoseconds since 1970-01-01 UTC. Else 0 */
} cwire_endpoint;

/* ---- Metrics ----------------------------------------------------------------------------------------------- */

/* The formats of cwire_manager_metrics. */
#define CWIRE_METRICS_PROMETHEUS 0   /* text/plain; version=0.0.4; charset=utf-8 */
#define CWIRE_METRICS_OPEN_METRICS 1 /* application/openmetrics-text; version=1.0.0; charset=utf-8 */

/* ---- Version and names ------------------------------------------------------------------------------------- */

/* CWIRE_ABI_VERSION of the library. Never fails. */
CWIRE_API uint32_t cwire_abi_version(void);
/* "0.1.0". Static; never NULL. */
CWIRE_API const char *cwire_version(void);
/* "CWIRE_E_DIAL". Static; "CWIRE_E_UNKNOWN" for a number that is no status. */
CWIRE_API const char *cwire_status_name(cwire_status status);
/* "disconnected", "connecting", "connected", "reconnecting", "error", "closed". Static; "unknown" for others. */
CWIRE_API const char *cwire_state_name(int32_t state);

/* "tls". Static; "unknown" for a number that is no phase. */
CWIRE_API const char *cwire_phase_name(int32_t phase);
/* "good". Static; "unknown" for a number that is no quality. */
CWIRE_API const char *cwire_quality_name(int32_t quality);
/* What OCPP calls it in that version, "InvalidCsmsCertificate" or "InvalidCentralSystemCertificate". `subprotocol` is what CONNECTED
 * brings, "ocpp1.6"; NULL or any other means 2.x. Static; "" for CWIRE_SECURITY_NONE and for a number that is none. */
CWIRE_API const char *cwire_security_event_name(int32_t security_event, const char *subprotocol);

/* ---- Configuration ----------------------------------------------------------------------------------------- */
/* A set of options. Keys, types, ranges and defaults: docs/configuration.md, made from the same table as
 * cwire_config_schema(). A configuration is copied by whoever takes it, and may be changed or freed right after. */

/* A configuration of defaults. The caller frees it. Returns OK, INVALID_ARGUMENT (out is NULL), NO_MEMORY. */
CWIRE_API cwire_status cwire_config_new(cwire_config *out);
/* An independent copy. Returns OK, INVALID_HANDLE, INVALID_ARGUMENT, NO_MEMORY. */
CWIRE_API cwire_status cwire_config_copy(cwire_config config, cwire_config *out);
/* Reads YAML from a file. On failure nothing is changed, and err names the key, the line and what was expected.
 * `${NAME}` in a value is replaced by the environment variable NAME. Returns OK, INVALID_HANDLE, INVALID_ARGUMENT, CONFIG,
 * NO_MEMORY. */
CWIRE_API cwire_status cwire_config_load_file(cwire_config config, const char *path, cwire_error *err);
/* The same from memory: `size` bytes at `text`, which need not end in NUL. Returns the same. */
CWIRE_API cwire_status cwire_config_load_yaml(cwire_config config, const char *text, size_t size, cwire_error *err);
/* Sets one option by its dotted key, "csms.ping_interval", "30s". On failure nothing is changed. Returns OK, INVALID_HANDLE,
 * INVALID_ARGUMENT (a NULL), CONFIG (err names the key and what was expected), NO_MEMORY. */
CWIRE_API cwire_status cwire_config_set(cwire_config config, const char *key, const char *value, cwire_error *err);
/* Writes the option's value as text, NUL-terminated, into buffer (which may be NULL if capacity is 0; both in bytes). `needed`, if
 * not NULL, gets the size including the NUL. Secrets read as "***". Returns OK, INVALID_HANDLE, INVALID_ARGUMENT, CONFIG
 * (unknown key), TOO_BIG (buffer too small; nothing was written), NO_MEMORY. */
CWIRE_API cwire_status cwire_config_get(cwire_config config, const char *key, char *buffer, size_t capacity,
                                        size_t *needed);
/* All options as JSON: {"options":[{"key","type","default","minimum","maximum","description","reloadable","secret"}]}. Static. */
CWIRE_API const char *cwire_config_schema(void);
/* Frees it, cleansing its passwords and tokens. Returns OK, INVALID_HANDLE. */
CWIRE_API cwire_status cwire_config_free(cwire_config config);

/* ---- Manager ----------------------------------------------------------------------------------------------- */
/* A fleet: its I/O threads, its stations by id, its events. Wherever a manager is taken, INVALID_HANDLE is returned for one
 * that was freed, and wherever a station id is taken, INVALID_ARGUMENT for NULL and NOT_FOUND for one that is not known. */

/* Starts a manager with a copy of `config` (NULL: all defaults). With a handler, events are pushed to it; with NULL they are
 * taken by cwire_manager_poll. Reads https_proxy and its like here, and only here (csms.proxy.url). The caller frees it. Returns OK,
 * INVALID_ARGUMENT (out is NULL), INVALID_HANDLE (config), CONFIG (options governor.* that
 * contradict each other, a trace.file that cannot be opened, a metrics.listen that is not to be had), NO_MEMORY, INTERNAL (no thread or
 * descriptor to be had; err says which). */
CWIRE_API cwire_status cwire_manager_new(cwire_config config, cwire_event_handler handler, uintptr_t context,
                                         cwire_manager *out, cwire_error *err);
/* Poll mode: releases the batch before, waits until there are events or timeout_ms has passed (milliseconds; 0: do not wait,
 * negative: for ever), and lends up to `max` of them (cut to 16,384) until the next poll or cwire_manager_free. One poller at a
 * time. Returns OK (also when woken, then *count may be 0), TIMEOUT (*count is 0), INVALID_ARGUMENT (max is 0, a NULL), STATE
 * (handler mode, another thread polls, or all events including SHUTDOWN were taken), INVALID_HANDLE (also when it is freed
 * meanwhile), NO_MEMORY (nothing was taken). */
CWIRE_API cwire_status cwire_manager_poll(cwire_manager manager, int32_t timeout_ms, size_t max,
                                          const cwire_event **events, size_t *count);
/* Poll mode: a descriptor that is readable while events wait, and until a batch that has a CLOSED in it is given back by the next
 * cwire_manager_poll (SHUTDOWN waits for that), for poll(), epoll or a foreign loop. It belongs to the manager: never read, write or close it. Returns -1 in handler mode or for a bad token. */
CWIRE_API intptr_t cwire_manager_event_fd(cwire_manager manager);
/* Makes the current or the next cwire_manager_poll return at once. Returns OK, STATE (handler mode), INVALID_HANDLE. */
CWIRE_API cwire_status cwire_manager_wake(cwire_manager manager);
/* Adds a station and begins to connect it; returns at once. `station_id` is percent-encoded onto the path of `url` (ws:// or
 * wss://, RFC 6455 3; NULL: csms.default_url). At most 48 characters, no ':', no control characters (OCPP 2.0.1 part 4 3.1.1).
 * `overrides` (or NULL) is a configuration whose explicitly set options go before the manager's. Certificates and keys are read
 * and checked here. `user_data` comes back in each event; `out` may be NULL. The station keeps trying (see
 * csms.max_reconnect_attempts); its failures arrive as events. Returns OK, INVALID_HANDLE (manager or overrides),
 * INVALID_ARGUMENT, CONFIG, TLS (a certificate or key that cannot be used), ALREADY_CONNECTED, STATE (shutting down), NO_MEMORY. */
CWIRE_API cwire_status cwire_manager_connect(cwire_manager manager, const char *station_id, const char *url,
                                             cwire_config overrides, uintptr_t user_data, cwire_station *out,
                                             cwire_error *err);
/* Connects each entry of the configuration's `stations:` that is not connected yet. All are checked before the first is
 * begun. *count (or NULL) gets how many were begun, also on failure. Returns OK, INVALID_HANDLE, INVALID_ARGUMENT, CONFIG,
 * TLS, STATE (shutting down), NO_MEMORY. */
CWIRE_API cwire_status cwire_manager_connect_all(cwire_manager manager, size_t *count, cwire_error *err);
/* The token of a station. Returns OK, NOT_FOUND (also for one that has ended), INVALID_HANDLE, INVALID_ARGUMENT (a NULL). */
CWIRE_API cwire_status cwire_manager_find(cwire_manager manager, const char *station_id, cwire_station *out);
/* cwire_station_send by id. Returns the same, and NOT_FOUND. */
CWIRE_API cwire_status cwire_manager_send(cwire_manager manager, const char *station_id, const void *data, size_t size,
                                          uint32_t flags, uint64_t tag);
/* Sends the same message to every connected station, with tag 0. The payload is copied once, and nobody is waited for. *accepted
 * (or NULL) gets how many queues took it; a station whose queue is full is passed over and gets WRITABLE later, or drops by its
 * csms.send_queue_policy, as cwire_station_send says. Returns OK, INVALID_HANDLE, INVALID_ARGUMENT, TOO_BIG (for every station),
 * STATE (shutting down), NO_MEMORY. */
CWIRE_API cwire_status cwire_manager_broadcast(cwire_manager manager, const void *data, size_t size, uint32_t flags,
                                               size_t *accepted);
/* cwire_station_reconfigure by id. Returns the same, and NOT_FOUND. */
CWIRE_API cwire_status cwire_manager_reconfigure(cwire_manager manager, const char *station_id, const char *url,
                                                 cwire_config overrides, uint32_t flags, cwire_error *err);
/* cwire_station_disconnect by id, with 1000. A station that gave up (state `error`) is forgotten. Returns OK, NOT_FOUND,
 * INVALID_HANDLE, INVALID_ARGUMENT. */
CWIRE_API cwire_status cwire_manager_disconnect(cwire_manager manager, const char *station_id);
/* Disconnects all, with 1000, and forgets those that gave up. Returns at once: OK, INVALID_HANDLE, NO_MEMORY (nothing was done). */
CWIRE_API cwire_status cwire_manager_disconnect_all(cwire_manager manager);
/* Returns 1 if it is connected, 0 if not, or NOT_FOUND, INVALID_HANDLE, INVALID_ARGUMENT. */
CWIRE_API cwire_status cwire_manager_is_connected(cwire_manager manager, const char *station_id);
/* How many stations are connected, and how many are known, those that gave up included. Either may be NULL. Returns OK,
 * INVALID_HANDLE, NO_MEMORY. */
CWIRE_API cwire_status cwire_manager_counts(cwire_manager manager, size_t *connected, size_t *total);
/* The statistics of a station, also of one in state `error`, also while its CLOSED is being handled. Set out->size first. Returns
 * OK, NOT_FOUND, INVALID_HANDLE, INVALID_ARGUMENT (a NULL, or a size that no version of the structure has). */
CWIRE_API cwire_status cwire_manager_stats(cwire_manager manager, const char *station_id, cwire_stats *out);
/* The statistics of all stations, in no order. out[0].size says how large each element is. *count gets how many stations there
 * are; if that is more than `capacity` elements, the first `capacity` are filled and TOO_BIG is returned. `out` may be NULL if
 * capacity is 0. Returns OK, TOO_BIG, INVALID_HANDLE, INVALID_ARGUMENT, NO_MEMORY. */
CWIRE_API cwire_status cwire_manager_all_stats(cwire_manager manager, cwire_stats *out, size_t capacity, size_t *count);
/* Says that the network is there again, a link that came up perhaps: stations that wait for their next attempt begin it now, or as
 * soon as the shortest wait of their policy has passed, and what the server asked for (Retry-After, close codes 1012 and 1013).
 * After a refusal it shortens nothing that the refusal is about. Needs no memory. Returns OK, INVALID_HANDLE. */
CWIRE_API cwire_status cwire_manager_network_up(cwire_manager manager);
/* The endpoints that stations of this manager use, or that are isolated, ordered by name. out[0].size says how large each element is.
 * *count gets how many there are; if that is more than `capacity` elements, the first `capacity` are filled and TOO_BIG is returned.
 * `out` may be NULL if capacity is 0. None if governor.enabled is false. Returns OK, TOO_BIG, INVALID_HANDLE, INVALID_ARGUMENT (a
 * NULL, or a size that no version of the structure has), NO_MEMORY. */
CWIRE_API cwire_status cwire_manager_endpoints(cwire_manager manager, cwire_endpoint *out, size_t capacity, size_t *count);
/* Takes an endpoint out of use, for maintenance perhaps: from now on no station dials it, whoever waits goes on waiting, and attempts
 * under way and connections that stand live on (cwire_manager_disconnect ends those). What another endpoint redirects there, with
 * csms.redirects_max, is not held back. `url` names it: any ws:// or wss:// URL there, of
 * which path and query do not count. It need not be in use yet. Idempotent; asynchronous only in the ENDPOINT event. Returns OK,
 * INVALID_HANDLE, INVALID_ARGUMENT (err says what is wrong with the URL), STATE (governor.enabled is false), NO_MEMORY. */
CWIRE_API cwire_status cwire_manager_isolate(cwire_manager manager, const char *url, cwire_error *err);
/* Puts it back into use, however it came out of it: closes the circuit breaker, forgets what had failed, and lets the stations dial
 * again as if nothing had been. The waits of single stations go on: cwire_manager_network_up shortens those. Returns the same. */
CWIRE_API cwire_status cwire_manager_reset(cwire_manager manager, const char *url, cwire_error *err);
/* Traces a station, or all of them and those to come with NULL, or ends that (`on` 0): every frame that comes and goes, every upgrade,
 * each end and its reason, one JSON object per line, are written to trace.file. Secrets are not: see docs/operations.md, which has
 * the fields too. It may be called at any time; a station follows on its I/O thread's next turn, between two frames. Idempotent: a
 * station that is traced goes on as it is, the last call counts, and NULL counts for each. What is traced by id is so until that station's
 * CLOSED. The file is open, and one more thread runs, only while something is traced. A trace that cannot be written ends no connection:
 * a LOG event tells, and the file how many lines it lacks. Returns OK, NOT_FOUND, INVALID_HANDLE, STATE (trace.file is not
 * set, or the station gave up), CONFIG (the file cannot be opened), INTERNAL (no thread or descriptor to be had), NO_MEMORY. On failure of
 * a call with NULL some stations may be traced. */
CWIRE_API cwire_status cwire_manager_trace(cwire_manager manager, const char *station_id, int32_t on, cwire_error *err);
/* Writes what is counted of the fleet, as text that Prometheus reads: for a program that has an HTTP server of its own, see
 * docs/operations.md; docs/metrics.md says what there is. `format` is CWIRE_METRICS_*. NUL-terminated, into buffer (which may be NULL if
 * capacity is 0; both in bytes). `needed`, if not NULL, gets the size including the NUL. Each call gathers anew, and the next one may need
 * more: ask with some room. Returns OK, INVALID_HANDLE, INVALID_ARGUMENT, TOO_BIG (buffer too small; nothing was written), NO_MEMORY. */
CWIRE_API cwire_status cwire_manager_metrics(cwire_manager manager, int32_t format, char *buffer, size_t capacity,
                                             size_t *needed);
/* Likewise where the library serves that itself, "http://127.0.0.1:9464/metrics"; "" if it does not (metrics.listen). Returns OK,
 * INVALID_HANDLE, INVALID_ARGUMENT, TOO_BIG, NO_MEMORY. */
CWIRE_API cwire_status cwire_manager_metrics_url(cwire_manager manager, char *buffer, size_t capacity, size_t *needed);
/* Begins an orderly end and returns at once: no new stations; what is queued is sent and each connection closed with 1001, within
 * drain_ms milliseconds (0: without waiting for the peer; range 0 to 3,600,000). Sends are refused with NOT_ESTABLISHED as soon as
 * their station's turn has come. Then every CLOSED, then SHUTDOWN. Idempotent: the first call's drain time counts. Needs no
 * memory. Returns OK, INVALID_HANDLE, INVALID_ARGUMENT. */
CWIRE_API cwire_status cwire_manager_shutdown(cwire_manager manager, int32_t drain_ms);
/* Shuts down (with drain 0, unless a shutdown is under way) and frees. In handler mode every CLOSED and SHUTDOWN reach the
 * handler first; in poll mode what was not polled is dropped, and a poll under way returns INVALID_HANDLE. All its tokens are
 * stale afterwards. Inside a handler, of whatever manager, it returns at once and finishes on a thread of its own. Returns OK,
 * INVALID_HANDLE, and inside a handler NO_MEMORY or INTERNAL if there is no thread to be had (nothing was done). */
CWIRE_API cwire_status cwire_manager_free(cwire_manager manager);

/* ---- Station ----------------------------------------------------------------------------------------------- */

/* Sends one message: copies `size` bytes, never blocks. `data` may be NULL if size is 0. flags: CWIRE_FLAG_BINARY,
 * CWIRE_FLAG_REPORT. Text must be UTF-8 (RFC 6455 5.6); that is the caller's duty. Returns OK (accepted: it will be sent, or
 * reported as not sent by SENT with `tag`), INVALID_HANDLE, INVALID_ARGUMENT (data, flags), NOT_ESTABLISHED, QUEUE_FULL, TOO_BIG,
 * NO_MEMORY.
 *
 * Each accepted message gets exactly one end: it is sent (SENT with OK, if CWIRE_FLAG_REPORT asks for it), or it gets SENT with why
 * it was not: CLOSED (the connection ended first), QUEUE_FULL (dropped) or TIMEOUT (too old for the offline queue). What a
 * full queue does says csms.send_queue_policy:
 *   reject       this call returns QUEUE_FULL, nothing is accepted, and WRITABLE follows when the queue is half empty
 *   drop_oldest  this call returns OK; of the messages that are not on their way yet, the oldest get SENT with QUEUE_FULL and their
 *                tags, as many as it takes to make room. On their way are those in front of the socket, 64 KB and a message at most
 *   drop_newest  this call returns OK; this message gets SENT with QUEUE_FULL and its tag
 * The last two return QUEUE_FULL only where, since the I/O thread last had a look, twice as much came as the queue may hold: in a
 * burst, or while a handler holds that thread up (rule 3), for only that thread can drop; WRITABLE follows then as well. A message that alone has more bytes than
 * the queue may hold goes through an empty queue, whatever the policy.
 *
 * With csms.offline_queue_messages the station has an offline queue, and this call is OK from connect until the station ends.
 * What is sent while there is no connection waits there, and so does what a lost connection has not begun to write. After a
 * reconnect it is sent in the order in which it was accepted, csms.offline_replay_rate messages a second; what is sent meanwhile
 * stands in line behind it, also from inside the handling of CONNECTED. A message of which some bytes were written gets SENT
 * with CLOSED: it is never sent twice. What waits longer than csms.offline_queue_max_age gets SENT with TIMEOUT, what waits when
 * the station ends (a disconnect, a shutdown, the last attempt) SENT with CLOSED, before CLOSED. The queue has limits of its own
 * and follows the same policy. Where offline_budget_bytes, what all stations may keep together, is used up, that counts as full,
 * and a LOG line says so; WRITABLE then comes when the station's own messages have gone, when it is connected at the latest.
 * Broadcasts go to who is connected only; one that was accepted is a message like any other. */
CWIRE_API cwire_status cwire_station_send(cwire_station station, const void *data, size_t size, uint32_t flags,
                                          uint64_t tag);

/* One message of cwire_station_send_many. */
typedef struct cwire_outgoing {
  size_t size;           /* sizeof(cwire_outgoing), the same in each element */
  cwire_station station; /* to whom */
  const void *data;      /* copied by the call */
  size_t data_size;      /* bytes */
  uint64_t tag;          /* comes back in its SENT */
  uint32_t flags;        /* CWIRE_FLAG_BINARY, CWIRE_FLAG_REPORT */
  cwire_status status;   /* out: as cwire_station_send would return */
} cwire_outgoing;

/* Sends many in one call, to one or many stations, in order. Each gets its own status; *accepted (or NULL) the number that are
 * OK. Returns OK if all were accepted, else the status of the first that was not, or INVALID_ARGUMENT. */
CWIRE_API cwire_status cwire_station_send_many(cwire_outgoing *messages, size_t count, size_t *accepted);
/* Waits until the station is connected, or has ended, or timeout_ms has passed (milliseconds; negative: for ever). Returns OK,
 * TIMEOUT (err says why the last attempt failed, and why there is none, where the endpoint is isolated or too many failed), the status of the last failure if the station gave up, CLOSED if it was
 * disconnected, INVALID_HANDLE (its CLOSED was taken already), STATE on an I/O thread of its manager, which would wait for
 * itself, NO_MEMORY. */
CWIRE_API cwire_status cwire_station_wait(cwire_station station, int32_t timeout_ms, cwire_error *err);
/* *state gets CWIRE_STATE_*. Returns OK, INVALID_HANDLE, INVALID_ARGUMENT. */
CWIRE_API cwire_status cwire_station_state(cwire_station station, int32_t *state);
/* Set out->size first. Returns OK, INVALID_HANDLE, INVALID_ARGUMENT. */
CWIRE_API cwire_status cwire_station_stats(cwire_station station, cwire_stats *out);
/* Flags of cwire_station_reconfigure. */
#define CWIRE_RECONFIGURE_RECONNECT 1u /* connect again at once */

/* Changes how a living station connects: another password, URL or certificate, another ping interval. `url` (or NULL) takes the place
 * of its URL, and each option that `overrides` (or NULL) sets explicitly the place of the one it has; all else stays as it was. Files
 * (passwords, tokens, certificates, keys) are read again in any case, so that (station, NULL, NULL, 0, err) takes up renewed ones.
 *
 * Options that docs/configuration.md calls live act on the connection as it is, at once; a wait that was drawn already stays, and
 * the manager's own options are not a station's to change. An offline queue can be changed, but not begun or given up (CONFIG). The URL and all other options are those of the next attempt: what lives is left alone, and what of it ends is not
 * counted against the new ones. A station that waits because the CSMS refused it (401, 403, 404, 426, no common OCPP version), or
 * because it did not accept the server's certificate, makes that attempt at once if any of them changed.
 *
 * With CWIRE_RECONFIGURE_RECONNECT the next attempt begins at once, whatever changed: in place of any wait; in place of an attempt that
 * is under way with something else; and if connected, after what is queued was sent and the connection closed in order, within
 * csms.close_timeout. Then there is one DISCONNECTED (status OK, CWIRE_FLAG_WILL_RETRY), one CONNECTED, and no CLOSED; sends are refused
 * with NOT_ESTABLISHED in between, and what was accepted and could not be sent is reported. This is OCPP's rotation of a password (A01).
 *
 * Asynchronous: returns at once, from any thread, also inside the handler. Calls add up in the order in which they were made; a send right
 * behind one may still meet the queue limits of before. What is
 * wrong is found here, and changes nothing; a station that is being disconnected ends all the same. Returns OK, INVALID_HANDLE (station,
 * or overrides), INVALID_ARGUMENT (flags, url), CONFIG, TLS (a certificate or key that cannot be used), STATE (the station has ended),
 * NO_MEMORY. */
CWIRE_API cwire_status cwire_station_reconfigure(cwire_station station, const char *url, cwire_config overrides,
                                                 uint32_t flags, cwire_error *err);
/* Ends the station: sends what is queued, then a close frame, within csms.close_timeout; never reconnects; takes effect at
 * once during backoff. close_code is 1000, 1001, 3000 to 4999, or 0 for 1000 (RFC 6455 7.4); reason (or NULL) at most 123 bytes
 * of UTF-8. Asynchronous and idempotent: the first call's code and reason count. Returns OK, INVALID_HANDLE, INVALID_ARGUMENT,
 * NO_MEMORY (nothing was done). */
CWIRE_API cwire_status cwire_station_disconnect(cwire_station station, uint16_t close_code, const char *reason);

/* ---- Pool -------------------------------------------------------------------------------------------------- */
/* A named group of stations of one manager. It owns nothing: freeing it disconnects no one, a station may be in several, and
 * one that has ended leaves by itself. The calls are those of the manager, over the group. */

/* The caller frees it; a manager that is freed frees its pools. Returns OK, INVALID_HANDLE, INVALID_ARGUMENT, NO_MEMORY. */
CWIRE_API cwire_status cwire_pool_new(cwire_manager manager, cwire_pool *out);
/* Idempotent. Returns OK, INVALID_HANDLE (pool or station), INVALID_ARGUMENT (a station of another manager), NO_MEMORY. */
CWIRE_API cwire_status cwire_pool_add(cwire_pool pool, cwire_station station);
/* Takes it out of the group; the connection lives on. Returns OK, NOT_FOUND, INVALID_HANDLE, INVALID_ARGUMENT. */
CWIRE_API cwire_status cwire_pool_remove(cwire_pool pool, const char *station_id);
/* Returns 1 if it is in the group, 0 if not, or INVALID_HANDLE, INVALID_ARGUMENT. */
CWIRE_API cwire_status cwire_pool_has(cwire_pool pool, const char *station_id);
/* cwire_manager_send to one of the group. Returns the same; NOT_FOUND also for a station that is not in it. */
CWIRE_API cwire_status cwire_pool_send(cwire_pool pool, const char *station_id, const void *data, size_t size,
                                       uint32_t flags, uint64_t tag);
/* cwire_manager_broadcast to the group. Returns the same. */
CWIRE_API cwire_status cwire_pool_broadcast(cwire_pool pool, const void *data, size_t size, uint32_t flags,
                                            size_t *accepted);
/* How many of the group are connected, and how many are in it. Either may be NULL. Returns OK, INVALID_HANDLE, NO_MEMORY. */
CWIRE_API cwire_status cwire_pool_counts(cwire_pool pool, size_t *connected, size_t *total);
/* cwire_manager_all_stats of the group. Returns the same. */
CWIRE_API cwire_status cwire_pool_stats(cwire_pool pool, cwire_stats *out, size_t capacity, size_t *count);
/* Disconnects all of the group, with 1000. Returns at once: OK, INVALID_HANDLE, NO_MEMORY (nothing was done). */
CWIRE_API cwire_status cwire_pool_disconnect_all(cwire_pool pool);
/* Ends the group; its stations live on. Returns OK, INVALID_HANDLE. */
CWIRE_API cwire_status cwire_pool_free(cwire_pool pool);

#ifdef __cplusplus
}
#endif

#endif /* CHARGEWIRE_CHARGEWIRE_H */
