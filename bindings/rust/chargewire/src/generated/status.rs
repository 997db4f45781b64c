// Made by bindings/generate from chargewire.h and the option table. Change those, not this file.

use chargewire_sys as sys;
use std::borrow::Cow;

/// Why something failed, in one word: what programs switch on. [`Error`] has it together with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// NULL, out of range, CR/LF/NUL in text: the call itself is wrong.
    InvalidArgument,
    /// The token is stale, freed, forged, or of another kind.
    InvalidHandle,
    /// An allocation failed; nothing was done.
    NoMemory,
    /// No thread or descriptor to be had, or a defect of the library.
    Internal,
    /// An unknown key, a wrong type, a value out of range, a file that is not readable; as an event: csms.source_address is no address of this machine.
    Config,
    /// Not possible now: shut down, wrong delivery mode, or it would wait for itself.
    State,
    /// The time given has passed; of SENT: csms.offline_queue_max_age.
    Timeout,
    /// A station of that id exists and is not in `error` or `closed`.
    AlreadyConnected,
    /// No station of that id.
    NotFound,
    /// The station is not connected at the moment, and has no offline queue, or it is ending.
    NotEstablished,
    /// The station's send queue is full: of a send, WRITABLE follows when there is room; of SENT, csms.send_queue_policy dropped the message.
    QueueFull,
    /// Larger than csms.message_size_max, or than a limit of the protocol.
    TooBig,
    /// The connection ended before this could be done.
    Closed,
    /// Resolve, refused, unreachable, timed out: no TCP connection, or no tunnel through the proxy.
    Dial,
    /// The TLS handshake failed, or the certificate was not accepted.
    Tls,
    /// The server did not answer with a correct WebSocket upgrade.
    Handshake,
    /// The server chose no OCPP version, or one that was not offered.
    Subprotocol,
    /// The server answered 401 or 403.
    Auth,
    /// The peer broke RFC 6455 on an open connection.
    Protocol,
    /// No matching pong within csms.pong_timeout.
    PingTimeout,
    /// Reading failed, or nothing came within csms.read_timeout.
    Read,
    /// Writing failed, or nothing could be written within csms.write_timeout.
    Write,
    /// A number newer than this crate; `docs/errors.md` of the library has it.
    Unknown(i32),
}

impl Status {
    /// None for success.
    pub(crate) fn new(status: sys::cwire_status) -> Option<Status> {
        Some(match status {
            sys::CWIRE_OK.. => return None,
            sys::CWIRE_E_INVALID_ARGUMENT => Status::InvalidArgument,
            sys::CWIRE_E_INVALID_HANDLE => Status::InvalidHandle,
            sys::CWIRE_E_NO_MEMORY => Status::NoMemory,
            sys::CWIRE_E_INTERNAL => Status::Internal,
            sys::CWIRE_E_CONFIG => Status::Config,
            sys::CWIRE_E_STATE => Status::State,
            sys::CWIRE_E_TIMEOUT => Status::Timeout,
            sys::CWIRE_E_ALREADY_CONNECTED => Status::AlreadyConnected,
            sys::CWIRE_E_NOT_FOUND => Status::NotFound,
            sys::CWIRE_E_NOT_ESTABLISHED => Status::NotEstablished,
            sys::CWIRE_E_QUEUE_FULL => Status::QueueFull,
            sys::CWIRE_E_TOO_BIG => Status::TooBig,
            sys::CWIRE_E_CLOSED => Status::Closed,
            sys::CWIRE_E_DIAL => Status::Dial,
            sys::CWIRE_E_TLS => Status::Tls,
            sys::CWIRE_E_HANDSHAKE => Status::Handshake,
            sys::CWIRE_E_SUBPROTOCOL => Status::Subprotocol,
            sys::CWIRE_E_AUTH => Status::Auth,
            sys::CWIRE_E_PROTOCOL => Status::Protocol,
            sys::CWIRE_E_PING_TIMEOUT => Status::PingTimeout,
            sys::CWIRE_E_READ => Status::Read,
            sys::CWIRE_E_WRITE => Status::Write,
            unknown => Status::Unknown(unknown),
        })
    }

    /// The number that C knows it by, -14 for [`Status::Dial`].
    pub fn code(self) -> i32 {
        match self {
            Status::InvalidArgument => sys::CWIRE_E_INVALID_ARGUMENT,
            Status::InvalidHandle => sys::CWIRE_E_INVALID_HANDLE,
            Status::NoMemory => sys::CWIRE_E_NO_MEMORY,
            Status::Internal => sys::CWIRE_E_INTERNAL,
            Status::Config => sys::CWIRE_E_CONFIG,
            Status::State => sys::CWIRE_E_STATE,
            Status::Timeout => sys::CWIRE_E_TIMEOUT,
            Status::AlreadyConnected => sys::CWIRE_E_ALREADY_CONNECTED,
            Status::NotFound => sys::CWIRE_E_NOT_FOUND,
            Status::NotEstablished => sys::CWIRE_E_NOT_ESTABLISHED,
            Status::QueueFull => sys::CWIRE_E_QUEUE_FULL,
            Status::TooBig => sys::CWIRE_E_TOO_BIG,
            Status::Closed => sys::CWIRE_E_CLOSED,
            Status::Dial => sys::CWIRE_E_DIAL,
            Status::Tls => sys::CWIRE_E_TLS,
            Status::Handshake => sys::CWIRE_E_HANDSHAKE,
            Status::Subprotocol => sys::CWIRE_E_SUBPROTOCOL,
            Status::Auth => sys::CWIRE_E_AUTH,
            Status::Protocol => sys::CWIRE_E_PROTOCOL,
            Status::PingTimeout => sys::CWIRE_E_PING_TIMEOUT,
            Status::Read => sys::CWIRE_E_READ,
            Status::Write => sys::CWIRE_E_WRITE,
            Status::Unknown(unknown) => unknown,
        }
    }

    /// What C calls it, "CWIRE_E_DIAL".
    pub fn name(self) -> &'static str {
        // SAFETY: takes any number and returns static text.
        unsafe { crate::ffi::text(sys::cwire_status_name(self.code())) }
    }

    /// What it means.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Status::InvalidArgument => "an argument is out of range or malformed; correct the call",
            Status::InvalidHandle => "it has ended or never was; connect or create it anew",
            Status::NoMemory => {
                "an allocation failed, nothing was done; use fewer stations or smaller queues"
            }
            Status::Internal => {
                "no thread or descriptor, or a defect; raise the limits or report it"
            }
            Status::Config => {
                "an option is unknown or its value is wrong; docs/configuration.md has them all"
            }
            Status::State => {
                "not possible now, as when it is shutting down; what is said of the call says when it is"
            }
            Status::Timeout => "the time given has passed; wait again, for longer if need be",
            Status::AlreadyConnected => {
                "a station of this id exists; use it, or disconnect it and wait until it has ended"
            }
            Status::NotFound => "no station of this id; check the id, or connect it first",
            Status::NotEstablished => "the station is not connected at the moment; send when it is",
            Status::QueueFull => {
                "the send queue is full; go on when an event says that there is room again"
            }
            Status::TooBig => {
                "larger than csms.message_size_max or the protocol allows; send less, or raise it"
            }
            Status::Closed => {
                "the connection ended first; do it again on the next one if it still matters"
            }
            Status::Dial => "no TCP connection; check the URL, the CSMS and the network",
            Status::Tls => "the TLS handshake failed; check the certificates and csms.tls",
            Status::Handshake => {
                "no upgrade to WebSocket; check the path of the URL, the station id and the scheme"
            }
            Status::Subprotocol => {
                "no OCPP version in common; put one that the CSMS speaks into csms.protocol"
            }
            Status::Auth => "the CSMS answered 401 or 403; check csms.auth",
            Status::Protocol => {
                "the peer broke RFC 6455; report it to the maker of the CSMS or proxy"
            }
            Status::PingTimeout => {
                "no pong in time; if the CSMS is merely slow, raise csms.pong_timeout"
            }
            Status::Read => {
                "reading failed, or nothing came in time; look into the logs of CSMS and proxy"
            }
            Status::Write => {
                "writing failed, or the peer took nothing in time; the CSMS or the line is too slow"
            }
            Status::Unknown(_) => "a status newer than this crate",
        }
    }
}

/// A call failed. Each variant has the message for people; match on the variant, or on [`Error::status`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// NULL, out of range, CR/LF/NUL in text: the call itself is wrong.
    InvalidArgument(Cow<'static, str>),
    /// The token is stale, freed, forged, or of another kind.
    InvalidHandle(Cow<'static, str>),
    /// An allocation failed; nothing was done.
    NoMemory(Cow<'static, str>),
    /// No thread or descriptor to be had, or a defect of the library.
    Internal(Cow<'static, str>),
    /// An unknown key, a wrong type, a value out of range, a file that is not readable; as an event: csms.source_address is no address of this machine.
    Config(Cow<'static, str>),
    /// Not possible now: shut down, wrong delivery mode, or it would wait for itself.
    State(Cow<'static, str>),
    /// The time given has passed; of SENT: csms.offline_queue_max_age.
    Timeout(Cow<'static, str>),
    /// A station of that id exists and is not in `error` or `closed`.
    AlreadyConnected(Cow<'static, str>),
    /// No station of that id.
    NotFound(Cow<'static, str>),
    /// The station is not connected at the moment, and has no offline queue, or it is ending.
    NotEstablished(Cow<'static, str>),
    /// The station's send queue is full: of a send, WRITABLE follows when there is room; of SENT, csms.send_queue_policy dropped the message.
    QueueFull(Cow<'static, str>),
    /// Larger than csms.message_size_max, or than a limit of the protocol.
    TooBig(Cow<'static, str>),
    /// The connection ended before this could be done.
    Closed(Cow<'static, str>),
    /// Resolve, refused, unreachable, timed out: no TCP connection, or no tunnel through the proxy.
    Dial(Cow<'static, str>),
    /// The TLS handshake failed, or the certificate was not accepted.
    Tls(Cow<'static, str>),
    /// The server did not answer with a correct WebSocket upgrade.
    Handshake(Cow<'static, str>),
    /// The server chose no OCPP version, or one that was not offered.
    Subprotocol(Cow<'static, str>),
    /// The server answered 401 or 403.
    Auth(Cow<'static, str>),
    /// The peer broke RFC 6455 on an open connection.
    Protocol(Cow<'static, str>),
    /// No matching pong within csms.pong_timeout.
    PingTimeout(Cow<'static, str>),
    /// Reading failed, or nothing came within csms.read_timeout.
    Read(Cow<'static, str>),
    /// Writing failed, or nothing could be written within csms.write_timeout.
    Write(Cow<'static, str>),
    /// A number newer than this crate; `docs/errors.md` of the library has it.
    Unknown(i32, Cow<'static, str>),
}

impl Error {
    pub(crate) fn new(status: Status, message: Cow<'static, str>) -> Error {
        match status {
            Status::InvalidArgument => Error::InvalidArgument(message),
            Status::InvalidHandle => Error::InvalidHandle(message),
            Status::NoMemory => Error::NoMemory(message),
            Status::Internal => Error::Internal(message),
            Status::Config => Error::Config(message),
            Status::State => Error::State(message),
            Status::Timeout => Error::Timeout(message),
            Status::AlreadyConnected => Error::AlreadyConnected(message),
            Status::NotFound => Error::NotFound(message),
            Status::NotEstablished => Error::NotEstablished(message),
            Status::QueueFull => Error::QueueFull(message),
            Status::TooBig => Error::TooBig(message),
            Status::Closed => Error::Closed(message),
            Status::Dial => Error::Dial(message),
            Status::Tls => Error::Tls(message),
            Status::Handshake => Error::Handshake(message),
            Status::Subprotocol => Error::Subprotocol(message),
            Status::Auth => Error::Auth(message),
            Status::Protocol => Error::Protocol(message),
            Status::PingTimeout => Error::PingTimeout(message),
            Status::Read => Error::Read(message),
            Status::Write => Error::Write(message),
            Status::Unknown(code) => Error::Unknown(code, message),
        }
    }

    /// Why the call failed, in one word.
    pub fn status(&self) -> Status {
        match self {
            Error::InvalidArgument(_) => Status::InvalidArgument,
            Error::InvalidHandle(_) => Status::InvalidHandle,
            Error::NoMemory(_) => Status::NoMemory,
            Error::Internal(_) => Status::Internal,
            Error::Config(_) => Status::Config,
            Error::State(_) => Status::State,
            Error::Timeout(_) => Status::Timeout,
            Error::AlreadyConnected(_) => Status::AlreadyConnected,
            Error::NotFound(_) => Status::NotFound,
            Error::NotEstablished(_) => Status::NotEstablished,
            Error::QueueFull(_) => Status::QueueFull,
            Error::TooBig(_) => Status::TooBig,
            Error::Closed(_) => Status::Closed,
            Error::Dial(_) => Status::Dial,
            Error::Tls(_) => Status::Tls,
            Error::Handshake(_) => Status::Handshake,
            Error::Subprotocol(_) => Status::Subprotocol,
            Error::Auth(_) => Status::Auth,
            Error::Protocol(_) => Status::Protocol,
            Error::PingTimeout(_) => Status::PingTimeout,
            Error::Read(_) => Status::Read,
            Error::Write(_) => Status::Write,
            Error::Unknown(code, _) => Status::Unknown(*code),
        }
    }

    /// One line that says what happened, to which station, why, and what to do. It never holds a secret.
    pub fn message(&self) -> &str {
        match self {
            Error::InvalidArgument(message)
            | Error::InvalidHandle(message)
            | Error::NoMemory(message)
            | Error::Internal(message)
            | Error::Config(message)
            | Error::State(message)
            | Error::Timeout(message)
            | Error::AlreadyConnected(message)
            | Error::NotFound(message)
            | Error::NotEstablished(message)
            | Error::QueueFull(message)
            | Error::TooBig(message)
            | Error::Closed(message)
            | Error::Dial(message)
            | Error::Tls(message)
            | Error::Handshake(message)
            | Error::Subprotocol(message)
            | Error::Auth(message)
            | Error::Protocol(message)
            | Error::PingTimeout(message)
            | Error::Read(message)
            | Error::Write(message)
            | Error::Unknown(_, message) => message,
        }
    }
}
