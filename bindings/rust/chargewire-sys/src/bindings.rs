// Made by bindings/generate from chargewire.h and the option table. Change those, not this file.

use core::ffi::c_void;
use std::os::raw::c_char;

/// `CWIRE_ABI_VERSION` of the header that these declarations were made from.
pub const CWIRE_ABI_VERSION: u32 = 2;

/// 0 is success, negative is failure.
pub type cwire_status = i32;

/// What a [`cwire_config`] points to: nothing that may be followed.
#[repr(C)]
pub struct cwire_config_token {
    _unknown: [u8; 0],
}
/// A token, to be compared, copied and given back. NULL is never one.
pub type cwire_config = *mut cwire_config_token;

/// What a [`cwire_manager`] points to: nothing that may be followed.
#[repr(C)]
pub struct cwire_manager_token {
    _unknown: [u8; 0],
}
/// A token, to be compared, copied and given back. NULL is never one.
pub type cwire_manager = *mut cwire_manager_token;

/// What a [`cwire_pool`] points to: nothing that may be followed.
#[repr(C)]
pub struct cwire_pool_token {
    _unknown: [u8; 0],
}
/// A token, to be compared, copied and given back. NULL is never one.
pub type cwire_pool = *mut cwire_pool_token;

/// What a [`cwire_station`] points to: nothing that may be followed.
#[repr(C)]
pub struct cwire_station_token {
    _unknown: [u8; 0],
}
/// A token, to be compared, copied and given back. NULL is never one.
pub type cwire_station = *mut cwire_station_token;

/// done, or accepted
pub const CWIRE_OK: cwire_status = 0;
/// NULL, out of range, CR/LF/NUL in text: the call itself is wrong
pub const CWIRE_E_INVALID_ARGUMENT: cwire_status = -1;
/// the token is stale, freed, forged, or of another kind
pub const CWIRE_E_INVALID_HANDLE: cwire_status = -2;
/// an allocation failed; nothing was done
pub const CWIRE_E_NO_MEMORY: cwire_status = -3;
/// no thread or descriptor to be had, or a defect of the library
pub const CWIRE_E_INTERNAL: cwire_status = -4;
/// an unknown key, a wrong type, a value out of range, a file that is not readable; as an
/// event: csms.source_address is no address of this machine
pub const CWIRE_E_CONFIG: cwire_status = -5;
/// not possible now: shut down, wrong delivery mode, or it would wait for itself
pub const CWIRE_E_STATE: cwire_status = -6;
/// the time given has passed; of SENT: csms.offline_queue_max_age
pub const CWIRE_E_TIMEOUT: cwire_status = -7;
/// a station of that id exists and is not in `error` or `closed`
pub const CWIRE_E_ALREADY_CONNECTED: cwire_status = -8;
/// no station of that id
pub const CWIRE_E_NOT_FOUND: cwire_status = -9;
/// the station is not connected at the moment, and has no offline queue, or it is ending
pub const CWIRE_E_NOT_ESTABLISHED: cwire_status = -10;
/// the station's send queue is full: of a send, WRITABLE follows when there is room;
/// of SENT, csms.send_queue_policy dropped the message
pub const CWIRE_E_QUEUE_FULL: cwire_status = -11;
/// larger than csms.message_size_max, or than a limit of the protocol
pub const CWIRE_E_TOO_BIG: cwire_status = -12;
/// the connection ended before this could be done
pub const CWIRE_E_CLOSED: cwire_status = -13;
/// resolve, refused, unreachable, timed out: no TCP connection, or no tunnel through the proxy
pub const CWIRE_E_DIAL: cwire_status = -14;
/// the TLS handshake failed, or the certificate was not accepted
pub const CWIRE_E_TLS: cwire_status = -15;
/// the server did not answer with a correct WebSocket upgrade
pub const CWIRE_E_HANDSHAKE: cwire_status = -16;
/// the server chose no OCPP version, or one that was not offered
pub const CWIRE_E_SUBPROTOCOL: cwire_status = -17;
/// the server answered 401 or 403
pub const CWIRE_E_AUTH: cwire_status = -18;
/// the peer broke RFC 6455 on an open connection
pub const CWIRE_E_PROTOCOL: cwire_status = -19;
/// no matching pong within csms.pong_timeout
pub const CWIRE_E_PING_TIMEOUT: cwire_status = -20;
/// reading failed, or nothing came within csms.read_timeout
pub const CWIRE_E_READ: cwire_status = -21;
/// writing failed, or nothing could be written within csms.write_timeout
pub const CWIRE_E_WRITE: cwire_status = -22;
/// not connected and not trying: before the first attempt, or closing by request
pub const CWIRE_STATE_DISCONNECTED: i32 = 0;
/// the first attempt is under way
pub const CWIRE_STATE_CONNECTING: i32 = 1;
/// the upgrade was accepted and the subprotocol agreed; messages flow
pub const CWIRE_STATE_CONNECTED: i32 = 2;
/// waiting for, or making, another attempt
pub const CWIRE_STATE_RECONNECTING: i32 = 3;
/// gave up after csms.max_reconnect_attempts; may be connected again
pub const CWIRE_STATE_ERROR: i32 = 4;
/// ended by request; may be connected again
pub const CWIRE_STATE_CLOSED: i32 = 5;
/// nothing that the network or the peer did: no memory, or a defect of the library
pub const CWIRE_PHASE_NONE: i32 = 0;
/// looking up the host's addresses
pub const CWIRE_PHASE_RESOLVE: i32 = 1;
/// connecting to them
pub const CWIRE_PHASE_TCP: i32 = 2;
/// looking up the proxy, connecting to it, asking it for a tunnel
pub const CWIRE_PHASE_PROXY: i32 = 3;
/// the TLS handshake, certificates included
pub const CWIRE_PHASE_TLS: i32 = 4;
/// the WebSocket upgrade
pub const CWIRE_PHASE_HTTP: i32 = 5;
/// agreeing on an OCPP version in it
pub const CWIRE_PHASE_SUBPROTOCOL: i32 = 6;
/// connected; a ping was not answered
pub const CWIRE_PHASE_PING: i32 = 7;
/// connected; reading failed, or nothing came
pub const CWIRE_PHASE_READ: i32 = 8;
/// connected; writing failed, or nothing could be written
pub const CWIRE_PHASE_WRITE: i32 = 9;
/// connected; the peer ended the connection, or broke RFC 6455
pub const CWIRE_PHASE_PEER: i32 = 10;
/// nothing to tell
pub const CWIRE_SECURITY_NONE: i32 = 0;
/// the certificate of the CSMS was not accepted
pub const CWIRE_SECURITY_INVALID_CSMS_CERTIFICATE: i32 = 1;
/// the CSMS speaks no TLS version that csms.tls.min_version allows
pub const CWIRE_SECURITY_INVALID_TLS_VERSION: i32 = 2;
/// no cipher suite in common
pub const CWIRE_SECURITY_INVALID_TLS_CIPHER_SUITE: i32 = 3;
/// the CSMS refused the credentials or the client certificate
pub const CWIRE_SECURITY_FAILED_TO_AUTHENTICATE: i32 = 4;
/// the upgrade was accepted and the subprotocol agreed
pub const CWIRE_EVENT_CONNECTED: i32 = 1;
/// one whole message has come
pub const CWIRE_EVENT_MESSAGE: i32 = 2;
/// asked for by CWIRE_FLAG_REPORT; always for an accepted message that was not sent
pub const CWIRE_EVENT_SENT: i32 = 3;
/// after QUEUE_FULL: there is room again
pub const CWIRE_EVENT_WRITABLE: i32 = 4;
/// an established connection ended; a new attempt may follow
pub const CWIRE_EVENT_DISCONNECTED: i32 = 5;
/// an attempt to connect failed
pub const CWIRE_EVENT_ERROR: i32 = 6;
/// the state has changed
pub const CWIRE_EVENT_STATE: i32 = 7;
/// the last event of a station
pub const CWIRE_EVENT_CLOSED: i32 = 8;
/// station may be NULL; see the option log_level
pub const CWIRE_EVENT_LOG: i32 = 9;
/// the last event of the manager
pub const CWIRE_EVENT_SHUTDOWN: i32 = 10;
/// poll mode, station is NULL: event_queue_max events, or event_queue_bytes of their data, waited
/// to be polled, so reading from sockets had paused; it has resumed. Once per episode, when it is
/// over
pub const CWIRE_EVENT_PAUSED: i32 = 11;
/// an endpoint's circuit breaker opened, closed, tries, or was isolated; station is NULL
pub const CWIRE_EVENT_ENDPOINT: i32 = 12;
/// something is lost or needs somebody
pub const CWIRE_LOG_ERROR: i32 = 1;
/// something went wrong and will be tried again, or is not as it should be
pub const CWIRE_LOG_WARNING: i32 = 2;
/// what stations do: connect, close
pub const CWIRE_LOG_INFO: i32 = 3;
/// each step of it
pub const CWIRE_LOG_DEBUG: i32 = 4;
/// in and out: a binary message. OCPP-J uses text
pub const CWIRE_FLAG_BINARY: u32 = 1;
/// in: report with SENT when the kernel has taken the message
pub const CWIRE_FLAG_REPORT: u32 = 2;
/// out, CONNECTED: not the first connection of this station: OCPP wants no BootNotification
pub const CWIRE_FLAG_RECONNECT: u32 = 4;
/// out, DISCONNECTED and ERROR: another attempt follows by itself
pub const CWIRE_FLAG_WILL_RETRY: u32 = 8;
/// out, DISCONNECTED: the peer closed first
pub const CWIRE_FLAG_REMOTE: u32 = 16;
/// out, ERROR: refused a second time in the same way, by the CSMS (401, 403, 404, 426, no common OCPP
/// version) or the proxy (403, 407), and so until somebody changes something. Once per row of refusals
pub const CWIRE_FLAG_NEEDS_ACTION: u32 = 32;
/// not connected, by request or not yet; or nothing was measured
pub const CWIRE_QUALITY_NONE: i32 = 0;
/// nothing to see to
pub const CWIRE_QUALITY_GOOD: i32 = 1;
/// it works, but not as it should: people may notice
pub const CWIRE_QUALITY_FAIR: i32 = 2;
/// people will notice
pub const CWIRE_QUALITY_POOR: i32 = 3;
/// it does not do its work, or hardly
pub const CWIRE_QUALITY_BAD: i32 = 4;
/// stations connect
pub const CWIRE_BREAKER_CLOSED: i32 = 0;
/// too many attempts failed: no station tries until opens_at_ns; none loses an attempt by it
pub const CWIRE_BREAKER_OPEN: i32 = 1;
/// a few stations try; the others wait for how they fare
pub const CWIRE_BREAKER_HALF_OPEN: i32 = 2;
/// by cwire_manager_isolate, until cwire_manager_reset
pub const CWIRE_BREAKER_ISOLATED: i32 = 3;
/// text/plain; version=0.0.4; charset=utf-8
pub const CWIRE_METRICS_PROMETHEUS: i32 = 0;
/// application/openmetrics-text; version=1.0.0; charset=utf-8
pub const CWIRE_METRICS_OPEN_METRICS: i32 = 1;
/// connect again at once
pub const CWIRE_RECONFIGURE_RECONNECT: u32 = 1;

/// Takes `count` >= 1 events, oldest first. Runs on an I/O thread of the manager. Must not throw: an exception that
/// escapes is swallowed, counted, and reported by a LOG event. `context` is as given to cwire_manager_new.
pub type cwire_event_handler =
    Option<unsafe extern "C" fn(context: usize, events: *const cwire_event, count: usize)>;

/// A failure in words. `err` may be NULL wherever it is taken. Set `size` first; the library fills the rest, also on
/// success (status 0, empty message). The message says what happened, to which station, why, and what to do. It never
/// holds a secret and is always NUL-terminated. `flags` is 0 today.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct cwire_error {
    /// `sizeof` of this structure, set before the call
    pub size: usize,
    /// what the call returned
    pub status: cwire_status,
    /// 0 today
    pub flags: u32,
    /// one line; empty on success
    pub message: [c_char; 240],
}

/// Why an attempt failed or a connection was lost, for programs; the event's `data` has it for people. What does not apply is 0.
/// The size of this structure never changes (fields come out of `reserved`).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct cwire_failure {
    /// `sizeof` of this structure, set before the call
    pub size: usize,
    /// what failed, in one word
    pub status: cwire_status,
    /// CWIRE_PHASE_\*
    pub phase: i32,
    /// errno
    pub os_error: i32,
    /// X509_V_ERR_\* of OpenSSL
    pub x509_error: i32,
    /// of the CSMS, or of the proxy
    pub http_status: i32,
    /// RFC 6455 7.4: the peer's, ours, or 1006
    pub close_code: i32,
    /// CWIRE_SECURITY_\*, with the first of a row of such failures only
    pub security_event: i32,
    /// CWIRE_FLAG_WILL_RETRY, CWIRE_FLAG_REMOTE, CWIRE_FLAG_NEEDS_ACTION
    pub flags: u32,
    /// when it happened; wall clock, nanoseconds since 1970-01-01 UTC
    pub time_ns: i64,
    /// when the next attempt is due, likewise; it may begin later, never earlier unless the network or the
    /// settings change
    pub retry_at_ns: i64,
    /// for later versions
    pub reserved: [u64; 2],
}

/// One event. `data`, `station_id` and the array itself belong to the library and live until the handler returns, or until the
/// next cwire_manager_poll or the cwire_manager_free of that manager. `data` is never NULL and a NUL follows
/// data\[data_size - 1\]. The size of this structure never changes (fields come out of `reserved`), so arrays of it may be indexed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct cwire_event {
    /// `sizeof` of this structure, set before the call
    pub size: usize,
    /// CWIRE_EVENT_\*
    pub type_: i32,
    /// OK, or why
    pub status: cwire_status,
    /// NULL where the event belongs to the manager
    pub station: cwire_station,
    /// as given to connect
    pub user_data: usize,
    /// "" where the event belongs to the manager
    pub station_id: *const c_char,
    /// by type: the message, the subprotocol, or one line for people
    pub data: *const c_char,
    /// bytes
    pub data_size: usize,
    /// by type: of the send, or a number
    pub tag: u64,
    /// wall clock, nanoseconds since 1970-01-01 UTC
    pub time_ns: i64,
    /// by type: close code, HTTP status, errno, state, level
    pub code: i32,
    /// CWIRE_FLAG_\*
    pub flags: u32,
    /// ERROR, and DISCONNECTED if not by request: all that is known; else NULL
    pub failure: *const cwire_failure,
    /// for later versions
    pub reserved: [u64; 5],
}

/// Times are wall clock, nanoseconds since 1970-01-01 UTC; 0 is never. Counters begin at connect and never go back. New
/// fields are added at the end; the library fills no more than `size` bytes and says in `size` how many it filled.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct cwire_stats {
    /// `sizeof` of this structure, set before the call
    pub size: usize,
    /// NUL-terminated UTF-8
    pub station_id: [c_char; 200],
    /// CWIRE_STATE_\*
    pub state: i32,
    /// of the last failed attempt or lost connection; OK if there was none
    pub last_error: cwire_status,
    /// when it was connected for the last time
    pub connected_at_ns: i64,
    /// when a connection of it ended for the last time
    pub disconnected_at_ns: i64,
    /// received
    pub last_message_at_ns: i64,
    /// all attempts but the first
    pub reconnect_attempts: u64,
    /// taken by the kernel
    pub messages_sent: u64,
    /// whole messages
    pub messages_received: u64,
    /// payload, without frame headers
    pub bytes_sent: u64,
    /// payload, without frame headers
    pub bytes_received: u64,
    /// of last_error failure, one line; empty if there was none
    pub last_error_message: [c_char; 240],
    /// established so far
    pub connections: u64,
    /// accepted, then reported as not sent
    pub messages_not_sent: u64,
    /// accepted, not yet taken by the kernel
    pub queued_messages: u64,
    /// of queued_messages
    pub queued_bytes: u64,
    /// of the last matched pong; 0 before the first
    pub round_trip_ns: i64,
    /// of the last failed attempt or lost connection; all 0 but `size` if there was none
    pub last_failure: cwire_failure,
    /// of messages_not_sent: those that a full queue had no room for (csms.send_queue_policy)
    pub messages_dropped: u64,
    /// how often reading from this station paused, because the caller was slow to poll
    pub reading_pauses: u64,
    /// of queued_messages: those in the offline queue (csms.offline_queue_messages)
    pub offline_messages: u64,
    /// of offline_messages
    pub offline_bytes: u64,
    /// SRTT of RFC 6298, over the pongs of a connection: of the last one until there is a pong of the
    /// present; 0 before the first
    pub round_trip_smoothed_ns: i64,
    /// RTTVAR of RFC 6298, likewise
    pub round_trip_variation_ns: i64,
    /// the smallest of the last five to six minutes, in whole microseconds; 0 if there was none
    pub round_trip_min_ns: i64,
    /// how much round_trip_ns changes from pong to pong, smoothed as J of RFC 3550 6.4.1, likewise
    pub jitter_ns: i64,
    /// when bytes of the peer came for the last time on a connection: its last proof of life
    pub last_alive_at_ns: i64,
    /// of the present or last connection: from dialling to the accepted upgrade, the sum of the next five
    pub handshake_ns: i64,
    /// of handshake_ns: CWIRE_PHASE_RESOLVE; 0 with a proxy
    pub handshake_resolve_ns: i64,
    /// of handshake_ns: CWIRE_PHASE_TCP; 0 with a proxy
    pub handshake_tcp_ns: i64,
    /// of handshake_ns: CWIRE_PHASE_PROXY, until the tunnel stands; 0 without one
    pub handshake_proxy_ns: i64,
    /// of handshake_ns: CWIRE_PHASE_TLS; 0 without TLS
    pub handshake_tls_ns: i64,
    /// of handshake_ns: CWIRE_PHASE_HTTP, the WebSocket upgrade
    pub handshake_http_ns: i64,
    /// connections that ended without being asked to
    pub flaps: u64,
    /// CWIRE_QUALITY_\*
    pub quality: i32,
    /// 1 if permessage-deflate was agreed on for the present or last connection, else 0
    pub compressed: u32,
    /// bytes_sent as they stood in frames: less where messages were compressed
    pub wire_bytes_sent: u64,
    /// bytes_received, likewise
    pub wire_bytes_received: u64,
    /// of flaps: those of the last 60 to 65 minutes
    pub flaps_last_hour: u64,
    /// for how long the ping that is out has waited for its pong, pauses of reading not counted; 0: none is out
    pub pong_awaited_ns: i64,
}

/// New fields are added at the end; the library fills no more than `size` bytes and says in `size` how many it filled.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct cwire_endpoint {
    /// `sizeof` of this structure, set before the call
    pub size: usize,
    /// "wss://csms.example:443"
    pub name: [c_char; 272],
    /// CWIRE_BREAKER_\*
    pub breaker: i32,
    /// attempts under way
    pub handshakes: u32,
    /// how many may be at the moment
    pub handshakes_limit: u32,
    /// stations that wait for their turn to dial, of csms.priority high
    pub waiting_high: u32,
    /// of csms.priority normal
    pub waiting_normal: u32,
    /// of csms.priority low
    pub waiting_low: u32,
    /// that ended within governor.breaker_window
    pub attempts: u32,
    /// attempts that failed, and connections that were lost at once, within it
    pub failures: u32,
    /// OPEN: when the first may try again; wall clock, nanoseconds since 1970-01-01 UTC. Else 0
    pub opens_at_ns: i64,
}

/// One message of cwire_station_send_many.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct cwire_outgoing {
    /// sizeof(cwire_outgoing), the same in each element
    pub size: usize,
    /// to whom
    pub station: cwire_station,
    /// copied by the call
    pub data: *const c_void,
    /// bytes
    pub data_size: usize,
    /// comes back in its SENT
    pub tag: u64,
    /// CWIRE_FLAG_BINARY, CWIRE_FLAG_REPORT
    pub flags: u32,
    /// out: as cwire_station_send would return
    pub status: cwire_status,
}

extern "C" {
    /// CWIRE_ABI_VERSION of the library. Never fails.
    pub fn cwire_abi_version() -> u32;
    /// "0.1.0". Static; never NULL.
    pub fn cwire_version() -> *const c_char;
    /// "CWIRE_E_DIAL". Static; "CWIRE_E_UNKNOWN" for a number that is no status.
    pub fn cwire_status_name(status: cwire_status) -> *const c_char;
    /// "disconnected", "connecting", "connected", "reconnecting", "error", "closed". Static; "unknown" for others.
    pub fn cwire_state_name(state: i32) -> *const c_char;
    /// "tls". Static; "unknown" for a number that is no phase.
    pub fn cwire_phase_name(phase: i32) -> *const c_char;
    /// "good". Static; "unknown" for a number that is no quality.
    pub fn cwire_quality_name(quality: i32) -> *const c_char;
    /// What OCPP calls it in that version, "InvalidCsmsCertificate" or "InvalidCentralSystemCertificate". `subprotocol` is what CONNECTED
    /// brings, "ocpp1.6"; NULL or any other means 2.x. Static; "" for CWIRE_SECURITY_NONE and for a number that is none.
    pub fn cwire_security_event_name(
        security_event: i32,
        subprotocol: *const c_char,
    ) -> *const c_char;
    /// A configuration of defaults. The caller frees it. Returns OK, INVALID_ARGUMENT (out is NULL), NO_MEMORY.
    pub fn cwire_config_new(out: *mut cwire_config) -> cwire_status;
    /// An independent copy. Returns OK, INVALID_HANDLE, INVALID_ARGUMENT, NO_MEMORY.
    pub fn cwire_config_copy(config: cwire_config, out: *mut cwire_config) -> cwire_status;
    /// Reads YAML from a file. On failure nothing is changed, and err names the key, the line and what was expected.
    /// `${NAME}` in a value is replaced by the environment variable NAME. Returns OK, INVALID_HANDLE, INVALID_ARGUMENT, CONFIG,
    /// NO_MEMORY.
    pub fn cwire_config_load_file(
        config: cwire_config,
        path: *const c_char,
        err: *mut cwire_error,
    ) -> cwire_status;
    /// The same from memory: `size` bytes at `text`, which need not end in NUL. Returns the same.
    pub fn cwire_config_load_yaml(
        config: cwire_config,
        text: *const c_char,
        size: usize,
        err: *mut cwire_error,
    ) -> cwire_status;
    /// Sets one option by its dotted key, "csms.ping_interval", "30s". On failure nothing is changed. Returns OK, INVALID_HANDLE,
    /// INVALID_ARGUMENT (a NULL), CONFIG (err names the key and what was expected), NO_MEMORY.
    pub fn cwire_config_set(
        config: cwire_config,
        key: *const c_char,
        value: *const c_char,
        err: *mut cwire_error,
    ) -> cwire_status;
    /// Writes the option's value as text, NUL-terminated, into buffer (which may be NULL if capacity is 0; both in bytes). `needed`, if
    /// not NULL, gets the size including the NUL. Secrets read as "\*\*\*". Returns OK, INVALID_HANDLE, INVALID_ARGUMENT, CONFIG
    /// (unknown key), TOO_BIG (buffer too small; nothing was written), NO_MEMORY.
    pub fn cwire_config_get(
        config: cwire_config,
        key: *const c_char,
        buffer: *mut c_char,
        capacity: usize,
        needed: *mut usize,
    ) -> cwire_status;
    /// All options as JSON: {"options":\[{"key","type","default","minimum","maximum","description","reloadable","secret"}\]}. Static.
    pub fn cwire_config_schema() -> *const c_char;
    /// Frees it, cleansing its passwords and tokens. Returns OK, INVALID_HANDLE.
    pub fn cwire_config_free(config: cwire_config) -> cwire_status;
    /// Starts a manager with a copy of `config` (NULL: all defaults). With a handler, events are pushed to it; with NULL they are
    /// taken by cwire_manager_poll. Reads https_proxy and its like here, and only here (csms.proxy.url). The caller frees it. Returns OK,
    /// INVALID_ARGUMENT (out is NULL), INVALID_HANDLE (config), CONFIG (options governor.\* that
    /// contradict each other, a trace.file that cannot be opened, a metrics.listen that is not to be had), NO_MEMORY, INTERNAL (no thread or
    /// descriptor to be had; err says which).
    pub fn cwire_manager_new(
        config: cwire_config,
        handler: cwire_event_handler,
        context: usize,
        out: *mut cwire_manager,
        err: *mut cwire_error,
    ) -> cwire_status;
    /// Poll mode: releases the batch before, waits until there are events or timeout_ms has passed (milliseconds; 0: do not wait,
    /// negative: for ever), and lends up to `max` of them (cut to 16,384) until the next poll or cwire_manager_free. One poller at a
    /// time. Returns OK (also when woken, then \*count may be 0), TIMEOUT (\*count is 0), INVALID_ARGUMENT (max is 0, a NULL), STATE
    /// (handler mode, another thread polls, or all events including SHUTDOWN were taken), INVALID_HANDLE (also when it is freed
    /// meanwhile), NO_MEMORY (nothing was taken).
    pub fn cwire_manager_poll(
        manager: cwire_manager,
        timeout_ms: i32,
        max: usize,
        events: *mut *const cwire_event,
        count: *mut usize,
    ) -> cwire_status;
    /// Poll mode: a descriptor that is readable while events wait, and until a batch that has a CLOSED in it is given back by the next
    /// cwire_manager_poll (SHUTDOWN waits for that), for poll(), epoll or a foreign loop. It belongs to the manager: never read, write or close it. Returns -1 in handler mode or for a bad token.
    pub fn cwire_manager_event_fd(manager: cwire_manager) -> isize;
    /// Makes the current or the next cwire_manager_poll return at once. Returns OK, STATE (handler mode), INVALID_HANDLE.
    pub fn cwire_manager_wake(manager: cwire_manager) -> cwire_status;
    /// Adds a station and begins to connect it; returns at once. `station_id` is percent-encoded onto the path of `url` (ws:// or
    /// wss://, RFC 6455 3; NULL: csms.default_url). At most 48 characters, no ':', no control characters (OCPP 2.0.1 part 4 3.1.1).
    /// `overrides` (or NULL) is a configuration whose explicitly set options go before the manager's. Certificates and keys are read
    /// and checked here. `user_data` comes back in each event; `out` may be NULL. The station keeps trying (see
    /// csms.max_reconnect_attempts); its failures arrive as events. Returns OK, INVALID_HANDLE (manager or overrides),
    /// INVALID_ARGUMENT, CONFIG, TLS (a certificate or key that cannot be used), ALREADY_CONNECTED, STATE (shutting down), NO_MEMORY.
    pub fn cwire_manager_connect(
        manager: cwire_manager,
        station_id: *const c_char,
        url: *const c_char,
        overrides: cwire_config,
        user_data: usize,
        out: *mut cwire_station,
        err: *mut cwire_error,
    ) -> cwire_status;
    /// Connects each entry of the configuration's `stations:` that is not connected yet. All are checked before the first is
    /// begun. \*count (or NULL) gets how many were begun, also on failure. Returns OK, INVALID_HANDLE, INVALID_ARGUMENT, CONFIG,
    /// TLS, STATE (shutting down), NO_MEMORY.
    pub fn cwire_manager_connect_all(
        manager: cwire_manager,
        count: *mut usize,
        err: *mut cwire_error,
    ) -> cwire_status;
    /// The token of a station. Returns OK, NOT_FOUND (also for one that has ended), INVALID_HANDLE, INVALID_ARGUMENT (a NULL).
    pub fn cwire_manager_find(
        manager: cwire_manager,
        station_id: *const c_char,
        out: *mut cwire_station,
    ) -> cwire_status;
    /// cwire_station_send by id. Returns the same, and NOT_FOUND.
    pub fn cwire_manager_send(
        manager: cwire_manager,
        station_id: *const c_char,
        data: *const c_void,
        size: usize,
        flags: u32,
        tag: u64,
    ) -> cwire_status;
    /// Sends the same message to every connected station, with tag 0. The payload is copied once, and nobody is waited for. \*accepted
    /// (or NULL) gets how many queues took it; a station whose queue is full is passed over and gets WRITABLE later, or drops by its
    /// csms.send_queue_policy, as cwire_station_send says. Returns OK, INVALID_HANDLE, INVALID_ARGUMENT, TOO_BIG (for every station),
    /// STATE (shutting down), NO_MEMORY.
    pub fn cwire_manager_broadcast(
        manager: cwire_manager,
        data: *const c_void,
        size: usize,
        flags: u32,
        accepted: *mut usize,
    ) -> cwire_status;
    /// cwire_station_reconfigure by id. Returns the same, and NOT_FOUND.
    pub fn cwire_manager_reconfigure(
        manager: cwire_manager,
        station_id: *const c_char,
        url: *const c_char,
        overrides: cwire_config,
        flags: u32,
        err: *mut cwire_error,
    ) -> cwire_status;
    /// cwire_station_disconnect by id, with 1000. A station that gave up (state `error`) is forgotten. Returns OK, NOT_FOUND,
    /// INVALID_HANDLE, INVALID_ARGUMENT.
    pub fn cwire_manager_disconnect(
        manager: cwire_manager,
        station_id: *const c_char,
    ) -> cwire_status;
    /// Disconnects all, with 1000, and forgets those that gave up. Returns at once: OK, INVALID_HANDLE, NO_MEMORY (nothing was done).
    pub fn cwire_manager_disconnect_all(manager: cwire_manager) -> cwire_status;
    /// Returns 1 if it is connected, 0 if not, or NOT_FOUND, INVALID_HANDLE, INVALID_ARGUMENT.
    pub fn cwire_manager_is_connected(
        manager: cwire_manager,
        station_id: *const c_char,
    ) -> cwire_status;
    /// How many stations are connected, and how many are known, those that gave up included. Either may be NULL. Returns OK,
    /// INVALID_HANDLE, NO_MEMORY.
    pub fn cwire_manager_counts(
        manager: cwire_manager,
        connected: *mut usize,
        total: *mut usize,
    ) -> cwire_status;
    /// The statistics of a station, also of one in state `error`, also while its CLOSED is being handled. Set out->size first. Returns
    /// OK, NOT_FOUND, INVALID_HANDLE, INVALID_ARGUMENT (a NULL, or a size that no version of the structure has).
    pub fn cwire_manager_stats(
        manager: cwire_manager,
        station_id: *const c_char,
        out: *mut cwire_stats,
    ) -> cwire_status;
    /// The statistics of all stations, in no order. out\[0\].size says how large each element is. \*count gets how many stations there
    /// are; if that is more than `capacity` elements, the first `capacity` are filled and TOO_BIG is returned. `out` may be NULL if
    /// capacity is 0. Returns OK, TOO_BIG, INVALID_HANDLE, INVALID_ARGUMENT, NO_MEMORY.
    pub fn cwire_manager_all_stats(
        manager: cwire_manager,
        out: *mut cwire_stats,
        capacity: usize,
        count: *mut usize,
    ) -> cwire_status;
    /// Says that the network is there again, a link that came up perhaps: stations that wait for their next attempt begin it now, or as
    /// soon as the shortest wait of their policy has passed, and what the server asked for (Retry-After, close codes 1012 and 1013).
    /// After a refusal it shortens nothing that the refusal is about. Needs no memory. Returns OK, INVALID_HANDLE.
    pub fn cwire_manager_network_up(manager: cwire_manager) -> cwire_status;
    /// The endpoints that stations of this manager use, or that are isolated, ordered by name. out\[0\].size says how large each element is.
    /// \*count gets how many there are; if that is more than `capacity` elements, the first `capacity` are filled and TOO_BIG is returned.
    /// `out` may be NULL if capacity is 0. None if governor.enabled is false. Returns OK, TOO_BIG, INVALID_HANDLE, INVALID_ARGUMENT (a
    /// NULL, or a size that no version of the structure has), NO_MEMORY.
    pub fn cwire_manager_endpoints(
        manager: cwire_manager,
        out: *mut cwire_endpoint,
        capacity: usize,
        count: *mut usize,
    ) -> cwire_status;
    /// Takes an endpoint out of use, for maintenance perhaps: from now on no station dials it, whoever waits goes on waiting, and attempts
    /// under way and connections that stand live on (cwire_manager_disconnect ends those). What another endpoint redirects there, with
    /// csms.redirects_max, is not held back. `url` names it: any ws:// or wss:// URL there, of
    /// which path and query do not count. It need not be in use yet. Idempotent; asynchronous only in the ENDPOINT event. Returns OK,
    /// INVALID_HANDLE, INVALID_ARGUMENT (err says what is wrong with the URL), STATE (governor.enabled is false), NO_MEMORY.
    pub fn cwire_manager_isolate(
        manager: cwire_manager,
        url: *const c_char,
        err: *mut cwire_error,
    ) -> cwire_status;
    /// Puts it back into use, however it came out of it: closes the circuit breaker, forgets what had failed, and lets the stations dial
    /// again as if nothing had been. The waits of single stations go on: cwire_manager_network_up shortens those. Returns the same.
    pub fn cwire_manager_reset(
        manager: cwire_manager,
        url: *const c_char,
        err: *mut cwire_error,
    ) -> cwire_status;
    /// Traces a station, or all of them and those to come with NULL, or ends that (`on` 0): every frame that comes and goes, every upgrade,
    /// each end and its reason, one JSON object per line, are written to trace.file. Secrets are not: see docs/operations.md, which has
    /// the fields too. It may be called at any time; a station follows on its I/O thread's next turn, between two frames. Idempotent: a
    /// station that is traced goes on as it is, the last call counts, and NULL counts for each. What is traced by id is so until that station's
    /// CLOSED. The file is open, and one more thread runs, only while something is traced. A trace that cannot be written ends no connection:
    /// a LOG event tells, and the file how many lines it lacks. Returns OK, NOT_FOUND, INVALID_HANDLE, STATE (trace.file is not
    /// set, or the station gave up), CONFIG (the file cannot be opened), INTERNAL (no thread or descriptor to be had), NO_MEMORY. On failure of
    /// a call with NULL some stations may be traced.
    pub fn cwire_manager_trace(
        manager: cwire_manager,
        station_id: *const c_char,
        on: i32,
        err: *mut cwire_error,
    ) -> cwire_status;
    /// Writes what is counted of the fleet, as text that Prometheus reads: for a program that has an HTTP server of its own, see
    /// docs/operations.md; docs/metrics.md says what there is. `format` is CWIRE_METRICS_\*. NUL-terminated, into buffer (which may be NULL if
    /// capacity is 0; both in bytes). `needed`, if not NULL, gets the size including the NUL. Each call gathers anew, and the next one may need
    /// more: ask with some room. Returns OK, INVALID_HANDLE, INVALID_ARGUMENT, TOO_BIG (buffer too small; nothing was written), NO_MEMORY.
    pub fn cwire_manager_metrics(
        manager: cwire_manager,
        format: i32,
        buffer: *mut c_char,
        capacity: usize,
        needed: *mut usize,
    ) -> cwire_status;
    /// Likewise where the library serves that itself, "http://127.0.0.1:9464/metrics"; "" if it does not (metrics.listen). Returns OK,
    /// INVALID_HANDLE, INVALID_ARGUMENT, TOO_BIG, NO_MEMORY.
    pub fn cwire_manager_metrics_url(
        manager: cwire_manager,
        buffer: *mut c_char,
        capacity: usize,
        needed: *mut usize,
    ) -> cwire_status;
    /// Begins an orderly end and returns at once: no new stations; what is queued is sent and each connection closed with 1001, within
    /// drain_ms milliseconds (0: without waiting for the peer; range 0 to 3,600,000). Sends are refused with NOT_ESTABLISHED as soon as
    /// their station's turn has come. Then every CLOSED, then SHUTDOWN. Idempotent: the first call's drain time counts. Needs no
    /// memory. Returns OK, INVALID_HANDLE, INVALID_ARGUMENT.
    pub fn cwire_manager_shutdown(manager: cwire_manager, drain_ms: i32) -> cwire_status;
    /// Shuts down (with drain 0, unless a shutdown is under way) and frees. In handler mode every CLOSED and SHUTDOWN reach the
    /// handler first; in poll mode what was not polled is dropped, and a poll under way returns INVALID_HANDLE. All its tokens are
    /// stale afterwards. Inside a handler, of whatever manager, it returns at once and finishes on a thread of its own. Returns OK,
    /// INVALID_HANDLE, and inside a handler NO_MEMORY or INTERNAL if there is no thread to be had (nothing was done).
    pub fn cwire_manager_free(manager: cwire_manager) -> cwire_status;
    /// ```text
    /// Sends one message: copies `size` bytes, never blocks. `data` may be NULL if size is 0. flags: CWIRE_FLAG_BINARY,
    /// CWIRE_FLAG_REPORT. Text must be UTF-8 (RFC 6455 5.6); that is the caller's duty. Returns OK (accepted: it will be sent, or
    /// reported as not sent by SENT with `tag`), INVALID_HANDLE, INVALID_ARGUMENT (data, flags), NOT_ESTABLISHED, QUEUE_FULL, TOO_BIG,
    /// NO_MEMORY.
    ///
    /// Each accepted message gets exactly one end: it is sent (SENT with OK, if CWIRE_FLAG_REPORT asks for it), or it gets SENT with why
    /// it was not: CLOSED (the connection ended first), QUEUE_FULL (dropped) or TIMEOUT (too old for the offline queue). What a
    /// full queue does says csms.send_queue_policy:
    ///   reject       this call returns QUEUE_FULL, nothing is accepted, and WRITABLE follows when the queue is half empty
    ///   drop_oldest  this call returns OK; of the messages that are not on their way yet, the oldest get SENT with QUEUE_FULL and their
    ///                tags, as many as it takes to make room. On their way are those in front of the socket, 64 KB and a message at most
    ///   drop_newest  this call returns OK; this message gets SENT with QUEUE_FULL and its tag
    /// The last two return QUEUE_FULL only where, since the I/O thread last had a look, twice as much came as the queue may hold: in a
    /// burst, or while a handler holds that thread up (rule 3), for only that thread can drop; WRITABLE follows then as well. A message that alone has more bytes than
    /// the queue may hold goes through an empty queue, whatever the policy.
    ///
    /// With csms.offline_queue_messages the station has an offline queue, and this call is OK from connect until the station ends.
    /// What is sent while there is no connection waits there, and so does what a lost connection has not begun to write. After a
    /// reconnect it is sent in the order in which it was accepted, csms.offline_replay_rate messages a second; what is sent meanwhile
    /// stands in line behind it, also from inside the handling of CONNECTED. A message of which some bytes were written gets SENT
    /// with CLOSED: it is never sent twice. What waits longer than csms.offline_queue_max_age gets SENT with TIMEOUT, what waits when
    /// the station ends (a disconnect, a shutdown, the last attempt) SENT with CLOSED, before CLOSED. The queue has limits of its own
    /// and follows the same policy. Where offline_budget_bytes, what all stations may keep together, is used up, that counts as full,
    /// and a LOG line says so; WRITABLE then comes when the station's own messages have gone, when it is connected at the latest.
    /// Broadcasts go to who is connected only; one that was accepted is a message like any other.
    /// ```
    pub fn cwire_station_send(
        station: cwire_station,
        data: *const c_void,
        size: usize,
        flags: u32,
        tag: u64,
    ) -> cwire_status;
    /// Sends many in one call, to one or many stations, in order. Each gets its own status; \*accepted (or NULL) the number that are
    /// OK. Returns OK if all were accepted, else the status of the first that was not, or INVALID_ARGUMENT.
    pub fn cwire_station_send_many(
        messages: *mut cwire_outgoing,
        count: usize,
        accepted: *mut usize,
    ) -> cwire_status;
    /// Waits until the station is connected, or has ended, or timeout_ms has passed (milliseconds; negative: for ever). Returns OK,
    /// TIMEOUT (err says why the last attempt failed, and why there is none, where the endpoint is isolated or too many failed), the status of the last failure if the station gave up, CLOSED if it was
    /// disconnected, INVALID_HANDLE (its CLOSED was taken already), STATE on an I/O thread of its manager, which would wait for
    /// itself, NO_MEMORY.
    pub fn cwire_station_wait(
        station: cwire_station,
        timeout_ms: i32,
        err: *mut cwire_error,
    ) -> cwire_status;
    /// \*state gets CWIRE_STATE_\*. Returns OK, INVALID_HANDLE, INVALID_ARGUMENT.
    pub fn cwire_station_state(station: cwire_station, state: *mut i32) -> cwire_status;
    /// Set out->size first. Returns OK, INVALID_HANDLE, INVALID_ARGUMENT.
    pub fn cwire_station_stats(station: cwire_station, out: *mut cwire_stats) -> cwire_status;
    /// Changes how a living station connects: another password, URL or certificate, another ping interval. `url` (or NULL) takes the place
    /// of its URL, and each option that `overrides` (or NULL) sets explicitly the place of the one it has; all else stays as it was. Files
    /// (passwords, tokens, certificates, keys) are read again in any case, so that (station, NULL, NULL, 0, err) takes up renewed ones.
    ///
    /// Options that docs/configuration.md calls live act on the connection as it is, at once; a wait that was drawn already stays, and
    /// the manager's own options are not a station's to change. An offline queue can be changed, but not begun or given up (CONFIG). The URL and all other options are those of the next attempt: what lives is left alone, and what of it ends is not
    /// counted against the new ones. A station that waits because the CSMS refused it (401, 403, 404, 426, no common OCPP version), or
    /// because it did not accept the server's certificate, makes that attempt at once if any of them changed.
    ///
    /// With CWIRE_RECONFIGURE_RECONNECT the next attempt begins at once, whatever changed: in place of any wait; in place of an attempt that
    /// is under way with something else; and if connected, after what is queued was sent and the connection closed in order, within
    /// csms.close_timeout. Then there is one DISCONNECTED (status OK, CWIRE_FLAG_WILL_RETRY), one CONNECTED, and no CLOSED; sends are refused
    /// with NOT_ESTABLISHED in between, and what was accepted and could not be sent is reported. This is OCPP's rotation of a password (A01).
    ///
    /// Asynchronous: returns at once, from any thread, also inside the handler. Calls add up in the order in which they were made; a send right
    /// behind one may still meet the queue limits of before. What is
    /// wrong is found here, and changes nothing; a station that is being disconnected ends all the same. Returns OK, INVALID_HANDLE (station,
    /// or overrides), INVALID_ARGUMENT (flags, url), CONFIG, TLS (a certificate or key that cannot be used), STATE (the station has ended),
    /// NO_MEMORY.
    pub fn cwire_station_reconfigure(
        station: cwire_station,
        url: *const c_char,
        overrides: cwire_config,
        flags: u32,
        err: *mut cwire_error,
    ) -> cwire_status;
    /// Ends the station: sends what is queued, then a close frame, within csms.close_timeout; never reconnects; takes effect at
    /// once during backoff. close_code is 1000, 1001, 3000 to 4999, or 0 for 1000 (RFC 6455 7.4); reason (or NULL) at most 123 bytes
    /// of UTF-8. Asynchronous and idempotent: the first call's code and reason count. Returns OK, INVALID_HANDLE, INVALID_ARGUMENT,
    /// NO_MEMORY (nothing was done).
    pub fn cwire_station_disconnect(
        station: cwire_station,
        close_code: u16,
        reason: *const c_char,
    ) -> cwire_status;
    /// The caller frees it; a manager that is freed frees its pools. Returns OK, INVALID_HANDLE, INVALID_ARGUMENT, NO_MEMORY.
    pub fn cwire_pool_new(manager: cwire_manager, out: *mut cwire_pool) -> cwire_status;
    /// Idempotent. Returns OK, INVALID_HANDLE (pool or station), INVALID_ARGUMENT (a station of another manager), NO_MEMORY.
    pub fn cwire_pool_add(pool: cwire_pool, station: cwire_station) -> cwire_status;
    /// Takes it out of the group; the connection lives on. Returns OK, NOT_FOUND, INVALID_HANDLE, INVALID_ARGUMENT.
    pub fn cwire_pool_remove(pool: cwire_pool, station_id: *const c_char) -> cwire_status;
    /// Returns 1 if it is in the group, 0 if not, or INVALID_HANDLE, INVALID_ARGUMENT.
    pub fn cwire_pool_has(pool: cwire_pool, station_id: *const c_char) -> cwire_status;
    /// cwire_manager_send to one of the group. Returns the same; NOT_FOUND also for a station that is not in it.
    pub fn cwire_pool_send(
        pool: cwire_pool,
        station_id: *const c_char,
        data: *const c_void,
        size: usize,
        flags: u32,
        tag: u64,
    ) -> cwire_status;
    /// cwire_manager_broadcast to the group. Returns the same.
    pub fn cwire_pool_broadcast(
        pool: cwire_pool,
        data: *const c_void,
        size: usize,
        flags: u32,
        accepted: *mut usize,
    ) -> cwire_status;
    /// How many of the group are connected, and how many are in it. Either may be NULL. Returns OK, INVALID_HANDLE, NO_MEMORY.
    pub fn cwire_pool_counts(
        pool: cwire_pool,
        connected: *mut usize,
        total: *mut usize,
    ) -> cwire_status;
    /// cwire_manager_all_stats of the group. Returns the same.
    pub fn cwire_pool_stats(
        pool: cwire_pool,
        out: *mut cwire_stats,
        capacity: usize,
        count: *mut usize,
    ) -> cwire_status;
    /// Disconnects all of the group, with 1000. Returns at once: OK, INVALID_HANDLE, NO_MEMORY (nothing was done).
    pub fn cwire_pool_disconnect_all(pool: cwire_pool) -> cwire_status;
    /// Ends the group; its stations live on. Returns OK, INVALID_HANDLE.
    pub fn cwire_pool_free(pool: cwire_pool) -> cwire_status;
}
