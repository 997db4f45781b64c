//! What happens to stations.

use crate::failure::short;
use crate::{ffi, Breaker, Failure, LogLevel, State, Station, Status};
use chargewire_sys as sys;
use std::ffi::CStr;
use std::fmt;
use std::slice;
use std::time::{Duration, SystemTime};

/// One event, lent by the batch or the [`OwnedEvent`] that it is in.
#[derive(Clone, Copy)]
pub struct Event<'a> {
    numbers: Numbers,
    station_id: &'a str,
    data: &'a [u8],
    failure: Option<Failure>,
}

/// What of an event needs no storage of its own.
#[derive(Clone, Copy)]
struct Numbers {
    kind: i32,
    status: sys::cwire_status,
    station: Option<Station>,
    user_data: usize,
    tag: u64,
    time_ns: i64,
    code: i32,
    flags: u32,
}

impl<'a> Event<'a> {
    /// # Safety
    ///
    /// The text that `raw` points to must live for `'a`.
    pub(crate) unsafe fn new(raw: &'a sys::cwire_event) -> Event<'a> {
        let numbers = Numbers {
            kind: raw.type_,
            status: raw.status,
            station: Station::new(raw.station),
            user_data: raw.user_data,
            tag: raw.tag,
            time_ns: raw.time_ns,
            code: raw.code,
            flags: raw.flags,
        };
        // SAFETY: as promised above; `station_id` ends in NUL, `data` is never NULL, `failure` may be.
        let (station_id, data, failure) = unsafe {
            (
                CStr::from_ptr(raw.station_id),
                slice::from_raw_parts(raw.data.cast(), raw.data_size),
                raw.failure.as_ref(),
            )
        };
        Event {
            numbers,
            station_id: station_id.to_str().unwrap_or_default(),
            data,
            failure: failure.and_then(Failure::new),
        }
    }

    /// What happened.
    pub fn kind(&self) -> EventKind<'a> {
        let Numbers {
            kind,
            status,
            tag,
            code,
            flags,
            ..
        } = self.numbers;
        let has = |flag| flags & flag != 0;
        match kind {
            sys::CWIRE_EVENT_CONNECTED => EventKind::Connected {
                subprotocol: self.text(),
                connection: tag,
                reconnect: has(sys::CWIRE_FLAG_RECONNECT),
            },
            sys::CWIRE_EVENT_MESSAGE => match std::str::from_utf8(self.data) {
                Ok(text) if !has(sys::CWIRE_FLAG_BINARY) => EventKind::Message(text),
                _ => EventKind::Binary(self.data),
            },
            sys::CWIRE_EVENT_SENT => EventKind::Sent {
                tag,
                result: Status::new(status).map_or(Ok(()), Err),
            },
            sys::CWIRE_EVENT_WRITABLE => EventKind::Writable,
            sys::CWIRE_EVENT_DISCONNECTED => EventKind::Disconnected {
                reason: self.text(),
                status: Status::new(status),
                close_code: short(code),
                will_retry: has(sys::CWIRE_FLAG_WILL_RETRY),
                remote: has(sys::CWIRE_FLAG_REMOTE),
                failure: self.failure,
            },
            sys::CWIRE_EVENT_ERROR => EventKind::Error {
                message: self.text(),
                status: Status::new(status).unwrap_or(Status::Internal),
                attempts: tag,
                will_retry: has(sys::CWIRE_FLAG_WILL_RETRY),
                needs_action: has(sys::CWIRE_FLAG_NEEDS_ACTION),
                failure: self.failure,
            },
            sys::CWIRE_EVENT_STATE => EventKind::State {
                new: State::new(code),
                old: i32::try_from(tag).map_or(State::Unknown(-1), State::new),
            },
            sys::CWIRE_EVENT_CLOSED => EventKind::Closed {
                reason: self.text(),
                status: Status::new(status),
                close_code: short(code),
            },
            sys::CWIRE_EVENT_LOG => EventKind::Log {
                level: level(code),
                line: self.text(),
            },
            sys::CWIRE_EVENT_ENDPOINT => EventKind::Endpoint {
                new: Breaker::new(code),
                old: i32::try_from(tag).map_or(Breaker::Unknown(-1), Breaker::new),
                line: self.text(),
            },
            sys::CWIRE_EVENT_PAUSED => EventKind::Paused {
                time: Duration::from_nanos(tag),
                line: self.text(),
            },
            sys::CWIRE_EVENT_SHUTDOWN => EventKind::Shutdown,
            unknown => EventKind::Unknown(unknown),
        }
    }

    /// Whose event it is; None where it belongs to the manager.
    pub fn station(&self) -> Option<Station> {
        self.numbers.station
    }

    /// As given to connect; "" where it belongs to the manager.
    pub fn station_id(&self) -> &'a str {
        self.station_id
    }

    /// As given to connect by [`ConnectOptions::user_data`](crate::ConnectOptions::user_data), else 0.
    pub fn user_data(&self) -> usize {
        self.numbers.user_data
    }

    /// When it happened, by the wall clock.
    pub fn time(&self) -> SystemTime {
        ffi::time(self.numbers.time_ns).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// The message of a message, and of most others a line for people; "" of a message that is not text.
    pub fn text(&self) -> &'a str {
        std::str::from_utf8(self.data).unwrap_or_default()
    }

    /// The bytes of the message, or of [`text`](Event::text).
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// A copy that may be kept.
    pub fn to_owned(&self) -> OwnedEvent {
        let mut bytes = Vec::with_capacity(self.station_id.len() + self.data.len());
        bytes.extend_from_slice(self.station_id.as_bytes());
        bytes.extend_from_slice(self.data);
        OwnedEvent {
            numbers: self.numbers,
            id_size: self.station_id.len(),
            bytes: bytes.into_boxed_slice(),
            failure: self.failure.map(Box::new),
        }
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("station_id", &self.station_id)
            .field("kind", &self.kind())
            .finish_non_exhaustive()
    }
}

fn level(code: i32) -> LogLevel {
    match code {
        sys::CWIRE_LOG_ERROR => LogLevel::Error,
        sys::CWIRE_LOG_WARNING => LogLevel::Warning,
        sys::CWIRE_LOG_INFO => LogLevel::Info,
        _ => LogLevel::Debug,
    }
}

/// An event that lives for as long as it is kept, and goes where it is sent.
#[derive(Clone)]
pub struct OwnedEvent {
    numbers: Numbers,
    id_size: usize,
    bytes: Box<[u8]>, // the station id, then the data
    failure: Option<Box<Failure>>,
}

impl OwnedEvent {
    /// As it was lent.
    pub fn as_event(&self) -> Event<'_> {
        let (station_id, data) = self.bytes.split_at(self.id_size);
        Event {
            numbers: self.numbers,
            station_id: std::str::from_utf8(station_id).unwrap_or_default(),
            data,
            failure: self.failure.as_deref().copied(),
        }
    }

    /// What happened.
    pub fn kind(&self) -> EventKind<'_> {
        self.as_event().kind()
    }

    /// Whose event it is; None where it belongs to the manager.
    pub fn station(&self) -> Option<Station> {
        self.numbers.station
    }

    /// As given to connect; "" where it belongs to the manager.
    pub fn station_id(&self) -> &str {
        self.as_event().station_id()
    }

    /// As given to connect by [`ConnectOptions::user_data`](crate::ConnectOptions::user_data), else 0.
    pub fn user_data(&self) -> usize {
        self.numbers.user_data
    }

    /// When it happened, by the wall clock.
    pub fn time(&self) -> SystemTime {
        self.as_event().time()
    }

    /// The message of a message, and of most others a line for people; "" of a message that is not text.
    pub fn text(&self) -> &str {
        self.as_event().text()
    }

    /// The bytes of the message, or of [`text`](OwnedEvent::text).
    pub fn data(&self) -> &[u8] {
        self.as_event().data()
    }
}

impl fmt::Debug for OwnedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_event().fmt(f)
    }
}

/// What happened. Later versions may add kinds and fields.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum EventKind<'a> {
    /// The upgrade was accepted and the subprotocol agreed.
    #[non_exhaustive]
    Connected {
        /// "ocpp1.6"
        subprotocol: &'a str,
        /// Number of this connection of the station, from 1.
        connection: u64,
        /// Not the first connection: OCPP wants no BootNotification.
        reconnect: bool,
    },
    /// A text message has come, whole.
    Message(&'a str),
    /// A binary message has come, whole. OCPP-J has none.
    Binary(&'a [u8]),
    /// What became of a message: asked for by [`Message::report`](crate::Message::report), or because an accepted one was not sent.
    #[non_exhaustive]
    Sent {
        /// Of the message.
        tag: u64,
        /// The kernel has taken it, or why not: closed, queue full (dropped), timeout (too old for the offline queue).
        result: Result<(), Status>,
    },
    /// After a full queue: there is room again.
    Writable,
    /// An established connection ended.
    #[non_exhaustive]
    Disconnected {
        /// One line: why, and what follows.
        reason: &'a str,
        /// None when by request.
        status: Option<Status>,
        /// The peer's, ours, or 1006.
        close_code: Option<u16>,
        /// Another attempt follows by itself.
        will_retry: bool,
        /// The peer closed first.
        remote: bool,
        /// All that is known, when not by request.
        failure: Option<Failure>,
    },
    /// An attempt to connect failed.
    #[non_exhaustive]
    Error {
        /// One line: why, and what follows.
        message: &'a str,
        /// The same in one word.
        status: Status,
        /// Failed attempts in a row.
        attempts: u64,
        /// Another attempt follows by itself.
        will_retry: bool,
        /// Refused a second time in the same way, and so until somebody changes something. Once per row of refusals.
        needs_action: bool,
        /// All that is known.
        failure: Option<Failure>,
    },
    /// The state of the station has changed.
    #[non_exhaustive]
    State {
        /// Where it is now.
        new: State,
        /// Where it was.
        old: State,
    },
    /// The last event of a station.
    #[non_exhaustive]
    Closed {
        /// One line: why.
        reason: &'a str,
        /// None when by request.
        status: Option<Status>,
        /// None if it was never connected.
        close_code: Option<u16>,
    },
    /// A line for a log; see [`ConfigBuilder::log_level`](crate::ConfigBuilder::log_level).
    #[non_exhaustive]
    Log {
        /// How much it matters.
        level: LogLevel,
        /// What to write.
        line: &'a str,
    },
    /// An endpoint's circuit breaker opened, closed, tries, or was isolated.
    #[non_exhaustive]
    Endpoint {
        /// What it is now.
        new: Breaker,
        /// What it was.
        old: Breaker,
        /// Which endpoint, why, and what follows.
        line: &'a str,
    },
    /// Events were not taken fast enough, so reading from sockets had paused; it has resumed. Nothing was dropped.
    #[non_exhaustive]
    Paused {
        /// How long.
        time: Duration,
        /// How long, why, and what to do.
        line: &'a str,
    },
    /// The last event of the manager.
    Shutdown,
    /// Newer than this crate: to be ignored.
    Unknown(i32),
}
