//! What is counted.

use crate::ffi::{array_text, check, sized, time};
use crate::{Breaker, Error, Failure, Quality, State, Status};
use chargewire_sys as sys;
use std::time::{Duration, SystemTime};

/// Of one station. Counters begin at connect and never go back; a time is `None` for never.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// As given to connect.
    pub station_id: String,
    /// Where it is.
    pub state: State,
    /// Of the last failed attempt or lost connection.
    pub last_error: Option<Error>,
    /// The same in numbers.
    pub last_failure: Option<Failure>,
    /// When it was connected for the last time.
    pub connected_at: Option<SystemTime>,
    /// When a connection of it ended for the last time.
    pub disconnected_at: Option<SystemTime>,
    /// When a message was received for the last time.
    pub last_message_at: Option<SystemTime>,
    /// All attempts but the first.
    pub reconnect_attempts: u64,
    /// Established so far.
    pub connections: u64,
    /// Taken by the kernel.
    pub messages_sent: u64,
    /// Accepted, then reported as not sent.
    pub messages_not_sent: u64,
    /// Of `messages_not_sent`: those that a full queue had no room for.
    pub messages_dropped: u64,
    /// Whole messages.
    pub messages_received: u64,
    /// Payload, without frame headers.
    pub bytes_sent: u64,
    /// Payload, without frame headers.
    pub bytes_received: u64,
    /// Accepted, not yet taken by the kernel.
    pub queued_messages: u64,
    /// Of `queued_messages`.
    pub queued_bytes: u64,
    /// Of `queued_messages`: those in the offline queue.
    pub offline_messages: u64,
    /// Of `offline_messages`.
    pub offline_bytes: u64,
    /// Of the last matched pong.
    pub round_trip: Option<Duration>,
    /// SRTT of RFC 6298 over the pongs of a connection: of the last one until there is a pong of the present; `None`
    /// before the first.
    pub round_trip_smoothed: Option<Duration>,
    /// RTTVAR of RFC 6298, likewise.
    pub round_trip_variation: Option<Duration>,
    /// The smallest of the last five to six minutes.
    pub round_trip_min: Option<Duration>,
    /// How much the round trip changes from pong to pong, smoothed as in RFC 3550 6.4.1.
    pub jitter: Option<Duration>,
    /// For how long the ping that is out has waited for its pong; `None` if none is out.
    pub pong_awaited: Option<Duration>,
    /// When bytes of the peer came for the last time on a connection: its last proof of life.
    pub last_alive_at: Option<SystemTime>,
    /// How good the connection is; `None` if it is not connected, by request or not yet, or nothing was measured.
    pub quality: Option<Quality>,
    /// Connections that ended without being asked to.
    pub flaps: u64,
    /// Of `flaps`: those of the last 60 to 65 minutes.
    pub flaps_last_hour: u64,
    /// How long the present or last connection took to make, from dialling to the accepted upgrade.
    pub handshake: Option<Duration>,
    /// Of `handshake`: looking up the host's addresses.
    pub handshake_resolve: Option<Duration>,
    /// Of `handshake`: connecting to one of them.
    pub handshake_tcp: Option<Duration>,
    /// Of `handshake`: looking up the proxy, connecting to it, asking it for a tunnel; the two before it then have nothing.
    pub handshake_proxy: Option<Duration>,
    /// Of `handshake`: the TLS handshake.
    pub handshake_tls: Option<Duration>,
    /// Of `handshake`: the WebSocket upgrade.
    pub handshake_http: Option<Duration>,
    /// permessage-deflate was agreed on for the present or last connection.
    pub compressed: bool,
    /// `bytes_sent` as they stood in frames: less where messages were compressed.
    pub wire_bytes_sent: u64,
    /// `bytes_received`, likewise.
    pub wire_bytes_received: u64,
    /// How often reading from this station paused, because events were not taken fast enough.
    pub reading_pauses: u64,
}

impl Stats {
    pub(crate) fn new(raw: &sys::cwire_stats) -> Stats {
        Stats {
            station_id: array_text(&raw.station_id),
            state: State::new(raw.state),
            last_error: Status::new(raw.last_error)
                .map(|status| Error::new(status, array_text(&raw.last_error_message).into())),
            last_failure: Failure::new(&raw.last_failure),
            connected_at: time(raw.connected_at_ns),
            disconnected_at: time(raw.disconnected_at_ns),
            last_message_at: time(raw.last_message_at_ns),
            reconnect_attempts: raw.reconnect_attempts,
            connections: raw.connections,
            messages_sent: raw.messages_sent,
            messages_not_sent: raw.messages_not_sent,
            messages_dropped: raw.messages_dropped,
            messages_received: raw.messages_received,
            bytes_sent: raw.bytes_sent,
            bytes_received: raw.bytes_received,
            queued_messages: raw.queued_messages,
            queued_bytes: raw.queued_bytes,
            offline_messages: raw.offline_messages,
            offline_bytes: raw.offline_bytes,
            round_trip: interval(raw.round_trip_ns),
            round_trip_smoothed: interval(raw.round_trip_smoothed_ns),
            round_trip_variation: interval(raw.round_trip_variation_ns),
            round_trip_min: interval(raw.round_trip_min_ns),
            jitter: interval(raw.jitter_ns),
            pong_awaited: interval(raw.pong_awaited_ns),
            last_alive_at: time(raw.last_alive_at_ns),
            quality: Quality::new(raw.quality),
            flaps: raw.flaps,
            flaps_last_hour: raw.flaps_last_hour,
            handshake: interval(raw.handshake_ns),
            handshake_resolve: interval(raw.handshake_resolve_ns),
            handshake_tcp: interval(raw.handshake_tcp_ns),
            handshake_proxy: interval(raw.handshake_proxy_ns),
            handshake_tls: interval(raw.handshake_tls_ns),
            handshake_http: interval(raw.handshake_http_ns),
            compressed: raw.compressed != 0,
            wire_bytes_sent: raw.wire_bytes_sent,
            wire_bytes_received: raw.wire_bytes_received,
            reading_pauses: raw.reading_pauses,
        }
    }

    /// Of all that `read` knows.
    pub(crate) fn all(
        read: impl FnMut(*mut sys::cwire_stats, usize, *mut usize) -> sys::cwire_status,
    ) -> Result<Vec<Stats>, Error> {
        let empty = sized(|stats: &mut sys::cwire_stats| &mut stats.size);
        Ok(all_of(empty, read)?.iter().map(Stats::new).collect())
    }
}

/// 0 is never, or none.
fn interval(ns: i64) -> Option<Duration> {
    u64::try_from(ns)
        .ok()
        .filter(|&ns| ns != 0)
        .map(Duration::from_nanos)
}

/// How many stations are connected, and how many are known, those that gave up included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connected.
    pub connected: usize,
    /// Known.
    pub total: usize,
}

/// Scheme, host and port of a URL: where stations of a manager connect, and what the governor paces.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// "wss://csms.example:443"
    pub name: String,
    /// Whether it is worth trying.
    pub breaker: Breaker,
    /// Attempts under way.
    pub handshakes: u32,
    /// How many may be at the moment.
    pub handshakes_limit: u32,
    /// Stations of high priority that wait for their turn to dial.
    pub waiting_high: u32,
    /// Of normal priority.
    pub waiting_normal: u32,
    /// Of low priority.
    pub waiting_low: u32,
    /// Attempts that ended within `governor.breaker_window`.
    pub attempts: u32,
    /// Attempts that failed, and connections that were lost at once, within it.
    pub failures: u32,
    /// Of an open breaker: when the first may try again.
    pub opens_at: Option<SystemTime>,
}

impl Endpoint {
    pub(crate) fn all(
        read: impl FnMut(*mut sys::cwire_endpoint, usize, *mut usize) -> sys::cwire_status,
    ) -> Result<Vec<Endpoint>, Error> {
        let empty = sized(|endpoint: &mut sys::cwire_endpoint| &mut endpoint.size);
        let endpoints = all_of(empty, read)?;
        Ok(endpoints.iter().map(Endpoint::new).collect())
    }

    fn new(raw: &sys::cwire_endpoint) -> Endpoint {
        Endpoint {
            name: array_text(&raw.name),
            breaker: Breaker::new(raw.breaker),
            handshakes: raw.handshakes,
            handshakes_limit: raw.handshakes_limit,
            waiting_high: raw.waiting_high,
            waiting_normal: raw.waiting_normal,
            waiting_low: raw.waiting_low,
            attempts: raw.attempts,
            failures: raw.failures,
            opens_at: time(raw.opens_at_ns),
        }
    }
}

/// However many there are. More may come between two looks, hence the loop.
fn all_of<T: Copy>(
    empty: T,
    mut read: impl FnMut(*mut T, usize, *mut usize) -> sys::cwire_status,
) -> Result<Vec<T>, Error> {
    let mut all: Vec<T> = Vec::new();
    loop {
        let mut count = 0;
        let out = if all.is_empty() {
            std::ptr::null_mut()
        } else {
            all.as_mut_ptr()
        };
        match check(read(out, all.len(), &mut count)) {
            Err(Error::TooBig(_)) => all.resize(count + count / 16 + 1, empty),
            other => {
                other?;
                all.truncate(count);
                return Ok(all);
            }
        }
    }
}
