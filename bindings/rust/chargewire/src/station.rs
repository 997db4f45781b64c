//! One station's connection.

use crate::ffi::{c_string, check, explained, pointer, sized, timeout};
use crate::{Config, Error, Message, State, Stats, Status};
use chargewire_sys as sys;
use std::ffi::CString;
use std::fmt;
use std::ptr::NonNull;
use std::time::Duration;

/// One station's connection. A small value, to be copied freely and used from any thread: it owns nothing, and one that has ended
/// answers with [`Error::InvalidHandle`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Station {
    token: NonNull<sys::cwire_station_token>,
}

// SAFETY: a token is a number, which the library takes from any thread.
unsafe impl Send for Station {}
// SAFETY: likewise.
unsafe impl Sync for Station {}

impl Station {
    pub(crate) fn new(token: sys::cwire_station) -> Option<Station> {
        NonNull::new(token).map(|token| Station { token })
    }

    pub(crate) fn token(self) -> sys::cwire_station {
        self.token.as_ptr()
    }

    /// Sends one message: copies it, never blocks. `Ok` is: it will be sent, or reported as not sent by
    /// [`EventKind::Sent`](crate::EventKind::Sent). [`Error::QueueFull`] and [`Error::NotEstablished`] are everyday answers and cost
    /// no allocation; after the first, [`EventKind::Writable`](crate::EventKind::Writable) follows when there is room.
    pub fn send<'a>(self, message: impl Into<Message<'a>>) -> Result<(), Error> {
        let message = message.into();
        // SAFETY: `data` has as many bytes as is said, and is copied by the call.
        let status = unsafe {
            sys::cwire_station_send(
                self.token(),
                message.data.as_ptr().cast(),
                message.data.len(),
                message.flags,
                message.tag,
            )
        };
        check(status).map(drop)
    }

    /// Waits until the station is connected; None: for as long as it takes. [`Error::Timeout`] says why the last attempt failed,
    /// [`Error::Closed`] that it was disconnected; a station that gave up gives the last failure.
    pub fn wait(self, time: Option<Duration>) -> Result<(), Error> {
        // SAFETY: `error` is good for the call.
        explained(|error| unsafe { sys::cwire_station_wait(self.token(), timeout(time), error) })
            .map(drop)
    }

    /// Where it is.
    pub fn state(self) -> Result<State, Error> {
        let mut state = 0;
        // SAFETY: `state` is good for the call.
        check(unsafe { sys::cwire_station_state(self.token(), &mut state) })?;
        Ok(State::new(state))
    }

    /// Its statistics.
    pub fn stats(self) -> Result<Stats, Error> {
        let mut stats = sized(|stats: &mut sys::cwire_stats| &mut stats.size);
        // SAFETY: `stats` is good for the call, and says its size.
        check(unsafe { sys::cwire_station_stats(self.token(), &mut stats) })?;
        Ok(Stats::new(&stats))
    }

    /// Changes how it connects, from now on or with the next attempt; see [`Reconfigure`]. Returns at once.
    pub fn reconfigure(self, change: &Reconfigure<'_>) -> Result<(), Error> {
        let url = change.c_url()?;
        // SAFETY: `url` ends in NUL or is NULL, and `error` is good for the call.
        explained(|error| unsafe {
            sys::cwire_station_reconfigure(
                self.token(),
                pointer(&url),
                change.c_overrides(),
                change.flags,
                error,
            )
        })
        .map(drop)
    }

    /// Ends it: what is queued is sent, then a close frame with 1000. Returns at once; [`EventKind::Closed`](crate::EventKind::Closed)
    /// is its last event.
    pub fn disconnect(self) -> Result<(), Error> {
        self.disconnect_with(1000, "")
    }

    /// The same with a close code (1000, 1001, or 3000 to 4999) and a reason of at most 123 bytes.
    pub fn disconnect_with(self, close_code: u16, reason: &str) -> Result<(), Error> {
        let reason = c_string(reason, "the close reason")?;
        // SAFETY: `reason` ends in NUL.
        check(unsafe { sys::cwire_station_disconnect(self.token(), close_code, reason.as_ptr()) })
            .map(drop)
    }
}

impl fmt::Debug for Station {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Station({:p})", self.token)
    }
}

/// Sends all in order, in one call, to one or many stations. Gives for each whether it was accepted, and how many were.
pub fn send_many<'a>(messages: &[(Station, Message<'a>)]) -> Result<Sending, Error> {
    let mut outgoing: Vec<sys::cwire_outgoing> = messages
        .iter()
        .map(|(station, message)| sys::cwire_outgoing {
            station: station.token(),
            data: message.data.as_ptr().cast(),
            data_size: message.data.len(),
            tag: message.tag,
            flags: message.flags,
            ..sized(|outgoing: &mut sys::cwire_outgoing| &mut outgoing.size)
        })
        .collect();
    let mut accepted = 0;
    // SAFETY: `outgoing` has as many elements as is said, each of which says its size; the data lives until the call is over.
    let status = unsafe {
        sys::cwire_station_send_many(outgoing.as_mut_ptr(), outgoing.len(), &mut accepted)
    };
    let results: Vec<_> = outgoing
        .iter()
        .map(|message| Status::new(message.status).map_or(Ok(()), Err))
        .collect();
    // That one was refused is for the results to say. Without one the call itself was wrong.
    if results.iter().all(Result::is_ok) {
        check(status)?;
    }
    Ok(Sending { accepted, results })
}

/// What became of [`send_many`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sending {
    /// How many are accepted.
    pub accepted: usize,
    /// One per message, in their order.
    pub results: Vec<Result<(), Status>>,
}

/// What changes about a living station: what is not named stays as it was. Files (passwords, tokens, certificates, keys) are read again
/// in any case, so that an empty change takes up renewed ones.
///
/// Options that the documentation calls live act on the connection as it is. The URL and all others are those of the next attempt.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reconfigure<'a> {
    url: Option<&'a str>,
    overrides: Option<&'a Config>,
    pub(crate) flags: u32,
}

impl<'a> Reconfigure<'a> {
    /// Changes nothing, yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another URL.
    #[must_use]
    pub fn url(self, url: &'a str) -> Self {
        Reconfigure {
            url: Some(url),
            ..self
        }
    }

    /// The options that this configuration sets explicitly.
    #[must_use]
    pub fn overrides(self, config: &'a Config) -> Self {
        Reconfigure {
            overrides: Some(config),
            ..self
        }
    }

    /// Connects again at once: in place of any wait, and if connected after what is queued was sent. OCPP's rotation of a password.
    #[must_use]
    pub fn reconnect(self) -> Self {
        Reconfigure {
            flags: sys::CWIRE_RECONFIGURE_RECONNECT,
            ..self
        }
    }

    pub(crate) fn c_url(&self) -> Result<Option<CString>, Error> {
        self.url.map(|url| c_string(url, "the URL")).transpose()
    }

    pub(crate) fn c_overrides(&self) -> sys::cwire_config {
        self.overrides.map_or(std::ptr::null_mut(), Config::token)
    }
}
