// Made by bindings/generate from chargewire.h and the option table. Change those, not this file.

use chargewire_sys as sys;
use std::fmt;

/// Where a station is between being asked for and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Not connected and not trying: before the first attempt, or closing by request.
    Disconnected,
    /// The first attempt is under way.
    Connecting,
    /// The upgrade was accepted and the subprotocol agreed; messages flow.
    Connected,
    /// Waiting for, or making, another attempt.
    Reconnecting,
    /// Gave up after csms.max_reconnect_attempts; may be connected again.
    Error,
    /// Ended by request; may be connected again.
    Closed,
    /// A number newer than this crate.
    Unknown(i32),
}

impl State {
    pub(crate) fn new(number: i32) -> State {
        match number {
            sys::CWIRE_STATE_DISCONNECTED => State::Disconnected,
            sys::CWIRE_STATE_CONNECTING => State::Connecting,
            sys::CWIRE_STATE_CONNECTED => State::Connected,
            sys::CWIRE_STATE_RECONNECTING => State::Reconnecting,
            sys::CWIRE_STATE_ERROR => State::Error,
            sys::CWIRE_STATE_CLOSED => State::Closed,
            unknown => State::Unknown(unknown),
        }
    }

    /// The number that C knows it by.
    pub fn code(self) -> i32 {
        match self {
            State::Disconnected => sys::CWIRE_STATE_DISCONNECTED,
            State::Connecting => sys::CWIRE_STATE_CONNECTING,
            State::Connected => sys::CWIRE_STATE_CONNECTED,
            State::Reconnecting => sys::CWIRE_STATE_RECONNECTING,
            State::Error => sys::CWIRE_STATE_ERROR,
            State::Closed => sys::CWIRE_STATE_CLOSED,
            State::Unknown(unknown) => unknown,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: takes any number and returns a static string.
        f.pad(unsafe { crate::ffi::text(sys::cwire_state_name(self.code())) })
    }
}

/// What a connection was doing when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Nothing that the network or the peer did: no memory, or a defect of the library.
    None,
    /// Looking up the host's addresses.
    Resolve,
    /// Connecting to them.
    Tcp,
    /// Looking up the proxy, connecting to it, asking it for a tunnel.
    Proxy,
    /// The TLS handshake, certificates included.
    Tls,
    /// The WebSocket upgrade.
    Http,
    /// Agreeing on an OCPP version in it.
    Subprotocol,
    /// Connected; a ping was not answered.
    Ping,
    /// Connected; reading failed, or nothing came.
    Read,
    /// Connected; writing failed, or nothing could be written.
    Write,
    /// Connected; the peer ended the connection, or broke RFC 6455.
    Peer,
    /// A number newer than this crate.
    Unknown(i32),
}

impl Phase {
    pub(crate) fn new(number: i32) -> Phase {
        match number {
            sys::CWIRE_PHASE_NONE => Phase::None,
            sys::CWIRE_PHASE_RESOLVE => Phase::Resolve,
            sys::CWIRE_PHASE_TCP => Phase::Tcp,
            sys::CWIRE_PHASE_PROXY => Phase::Proxy,
            sys::CWIRE_PHASE_TLS => Phase::Tls,
            sys::CWIRE_PHASE_HTTP => Phase::Http,
            sys::CWIRE_PHASE_SUBPROTOCOL => Phase::Subprotocol,
            sys::CWIRE_PHASE_PING => Phase::Ping,
            sys::CWIRE_PHASE_READ => Phase::Read,
            sys::CWIRE_PHASE_WRITE => Phase::Write,
            sys::CWIRE_PHASE_PEER => Phase::Peer,
            unknown => Phase::Unknown(unknown),
        }
    }

    /// The number that C knows it by.
    pub fn code(self) -> i32 {
        match self {
            Phase::None => sys::CWIRE_PHASE_NONE,
            Phase::Resolve => sys::CWIRE_PHASE_RESOLVE,
            Phase::Tcp => sys::CWIRE_PHASE_TCP,
            Phase::Proxy => sys::CWIRE_PHASE_PROXY,
            Phase::Tls => sys::CWIRE_PHASE_TLS,
            Phase::Http => sys::CWIRE_PHASE_HTTP,
            Phase::Subprotocol => sys::CWIRE_PHASE_SUBPROTOCOL,
            Phase::Ping => sys::CWIRE_PHASE_PING,
            Phase::Read => sys::CWIRE_PHASE_READ,
            Phase::Write => sys::CWIRE_PHASE_WRITE,
            Phase::Peer => sys::CWIRE_PHASE_PEER,
            Phase::Unknown(unknown) => unknown,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: takes any number and returns a static string.
        f.pad(unsafe { crate::ffi::text(sys::cwire_phase_name(self.code())) })
    }
}

/// What OCPP wants to be told as a SecurityEventNotification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SecurityEvent {
    /// The certificate of the CSMS was not accepted.
    InvalidCsmsCertificate,
    /// The CSMS speaks no TLS version that csms.tls.min_version allows.
    InvalidTlsVersion,
    /// No cipher suite in common.
    InvalidTlsCipherSuite,
    /// The CSMS refused the credentials or the client certificate.
    FailedToAuthenticate,
    /// A number newer than this crate.
    Unknown(i32),
}

impl SecurityEvent {
    /// None for none.
    pub(crate) fn new(number: i32) -> Option<SecurityEvent> {
        Some(match number {
            sys::CWIRE_SECURITY_NONE => return None,
            sys::CWIRE_SECURITY_INVALID_CSMS_CERTIFICATE => SecurityEvent::InvalidCsmsCertificate,
            sys::CWIRE_SECURITY_INVALID_TLS_VERSION => SecurityEvent::InvalidTlsVersion,
            sys::CWIRE_SECURITY_INVALID_TLS_CIPHER_SUITE => SecurityEvent::InvalidTlsCipherSuite,
            sys::CWIRE_SECURITY_FAILED_TO_AUTHENTICATE => SecurityEvent::FailedToAuthenticate,
            unknown => SecurityEvent::Unknown(unknown),
        })
    }

    /// The number that C knows it by.
    pub fn code(self) -> i32 {
        match self {
            SecurityEvent::InvalidCsmsCertificate => sys::CWIRE_SECURITY_INVALID_CSMS_CERTIFICATE,
            SecurityEvent::InvalidTlsVersion => sys::CWIRE_SECURITY_INVALID_TLS_VERSION,
            SecurityEvent::InvalidTlsCipherSuite => sys::CWIRE_SECURITY_INVALID_TLS_CIPHER_SUITE,
            SecurityEvent::FailedToAuthenticate => sys::CWIRE_SECURITY_FAILED_TO_AUTHENTICATE,
            SecurityEvent::Unknown(unknown) => unknown,
        }
    }
}

/// Whether an endpoint is worth trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Breaker {
    /// Stations connect.
    Closed,
    /// Too many attempts failed: no station tries until opens_at_ns; none loses an attempt by it.
    Open,
    /// A few stations try; the others wait for how they fare.
    HalfOpen,
    /// By cwire_manager_isolate, until cwire_manager_reset.
    Isolated,
    /// A number newer than this crate.
    Unknown(i32),
}

impl Breaker {
    pub(crate) fn new(number: i32) -> Breaker {
        match number {
            sys::CWIRE_BREAKER_CLOSED => Breaker::Closed,
            sys::CWIRE_BREAKER_OPEN => Breaker::Open,
            sys::CWIRE_BREAKER_HALF_OPEN => Breaker::HalfOpen,
            sys::CWIRE_BREAKER_ISOLATED => Breaker::Isolated,
            unknown => Breaker::Unknown(unknown),
        }
    }

    /// The number that C knows it by.
    pub fn code(self) -> i32 {
        match self {
            Breaker::Closed => sys::CWIRE_BREAKER_CLOSED,
            Breaker::Open => sys::CWIRE_BREAKER_OPEN,
            Breaker::HalfOpen => sys::CWIRE_BREAKER_HALF_OPEN,
            Breaker::Isolated => sys::CWIRE_BREAKER_ISOLATED,
            Breaker::Unknown(unknown) => unknown,
        }
    }
}

/// How good a station's connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quality {
    /// Nothing to see to.
    Good,
    /// It works, but not as it should: people may notice.
    Fair,
    /// People will notice.
    Poor,
    /// It does not do its work, or hardly.
    Bad,
    /// A number newer than this crate.
    Unknown(i32),
}

impl Quality {
    /// None for none.
    pub(crate) fn new(number: i32) -> Option<Quality> {
        Some(match number {
            sys::CWIRE_QUALITY_NONE => return None,
            sys::CWIRE_QUALITY_GOOD => Quality::Good,
            sys::CWIRE_QUALITY_FAIR => Quality::Fair,
            sys::CWIRE_QUALITY_POOR => Quality::Poor,
            sys::CWIRE_QUALITY_BAD => Quality::Bad,
            unknown => Quality::Unknown(unknown),
        })
    }

    /// The number that C knows it by.
    pub fn code(self) -> i32 {
        match self {
            Quality::Good => sys::CWIRE_QUALITY_GOOD,
            Quality::Fair => sys::CWIRE_QUALITY_FAIR,
            Quality::Poor => sys::CWIRE_QUALITY_POOR,
            Quality::Bad => sys::CWIRE_QUALITY_BAD,
            Quality::Unknown(unknown) => unknown,
        }
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: takes any number and returns a static string.
        f.pad(unsafe { crate::ffi::text(sys::cwire_quality_name(self.code())) })
    }
}
