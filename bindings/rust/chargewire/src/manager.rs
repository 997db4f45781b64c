//! A fleet.

use crate::ffi::{c_string, check, explained, milliseconds, pointer, sized, text_of};
use crate::{Config, Counts, Endpoint, Error, Events, Message, Pool, Reconfigure, Station, Stats};
use chargewire_sys as sys;
use std::ffi::CString;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

/// The library's manager. It is freed when neither a [`Manager`] nor its [`Events`] need it any more.
#[derive(Debug)]
pub(crate) struct Shared {
    token: NonNull<sys::cwire_manager_token>,
}

// SAFETY: a token, which the library takes from any thread.
unsafe impl Send for Shared {}
// SAFETY: likewise, also from several at a time.
unsafe impl Sync for Shared {}

impl Shared {
    pub(crate) fn token(&self) -> sys::cwire_manager {
        self.token.as_ptr()
    }

    pub(crate) fn shutdown_now(&self) {
        // SAFETY: takes any token. It needs no memory, and can only fail where there is nothing to be shut down.
        unsafe { sys::cwire_manager_shutdown(self.token(), 0) };
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: takes any token; no batch is lent any more, for who has one borrows from `Events`, which has a share in this.
        unsafe { sys::cwire_manager_free(self.token()) };
    }
}

/// What the clones of a manager have in common. When the last is gone the manager ends.
#[derive(Debug)]
struct Handle(Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.shutdown_now();
    }
}

/// How [`Manager::metrics`] are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MetricsFormat {
    /// Prometheus' own: text/plain; version=0.0.4; charset=utf-8
    #[default]
    Prometheus,
    /// application/openmetrics-text; version=1.0.0; charset=utf-8
    OpenMetrics,
}

/// A fleet: its I/O threads and its stations by id. Its events come out of the [`Events`] that it was made with. A clone is another
/// handle of the same fleet; all may be used from any thread.
///
/// When the last handle is dropped, the manager shuts down at once; who still takes events sees each station's
/// [`Closed`](crate::EventKind::Closed), then [`Shutdown`](crate::EventKind::Shutdown). For an orderly end, which gives time to send
/// what is queued, call [`shutdown`](Manager::shutdown) first.
#[derive(Clone, Debug)]
pub struct Manager {
    handle: Arc<Handle>,
}

impl Manager {
    /// Starts one with a copy of the configuration. The two halves may go to different threads.
    ///
    /// ```no_run
    /// use chargewire::{Config, EventKind, Manager};
    ///
    /// let (manager, events) = Manager::new(&Config::new()?)?;
    /// let station = manager.connect("CP001", "ws://localhost:9000")?;
    /// for event in events {
    ///     if let EventKind::Message(text) = event.kind() {
    ///         println!("{}: {text}", event.station_id());
    ///         station.disconnect()?;
    ///     }
    /// }
    /// # Ok::<(), chargewire::Error>(())
    /// ```
    pub fn new(config: &Config) -> Result<(Manager, Events), Error> {
        let mut token = std::ptr::null_mut();
        // SAFETY: no handler; `token` and `error` are good for the call.
        explained(|error| unsafe {
            sys::cwire_manager_new(config.token(), None, 0, &mut token, error)
        })?;
        let token = NonNull::new(token).expect("a call that succeeded gave a token");
        let shared = Arc::new(Shared { token });
        let events = Events::new(Arc::clone(&shared));
        Ok((
            Manager {
                handle: Arc::new(Handle(shared)),
            },
            events,
        ))
    }

    fn token(&self) -> sys::cwire_manager {
        self.handle.0.token()
    }

    // ---- Stations

    /// Adds a station and begins to connect it; returns at once. The id is percent-encoded onto the path of `url` (`ws://` or `wss://`).
    /// The station keeps trying; its failures arrive as events, and what is wrong with the call or the configuration is said here.
    pub fn connect(&self, station_id: &str, url: &str) -> Result<Station, Error> {
        self.connect_with(station_id, &ConnectOptions::new().url(url))
    }

    /// The same with options of its own, or with `csms.default_url`.
    pub fn connect_with(
        &self,
        station_id: &str,
        options: &ConnectOptions<'_>,
    ) -> Result<Station, Error> {
        let id = station_text(station_id)?;
        let url = options
            .url
            .map(|url| c_string(url, "the URL"))
            .transpose()?;
        let overrides = options
            .overrides
            .map_or(std::ptr::null_mut(), Config::token);
        let mut station = std::ptr::null_mut();
        // SAFETY: texts end in NUL or are NULL; `station` and `error` are good for the call.
        explained(|error| unsafe {
            sys::cwire_manager_connect(
                self.token(),
                id.as_ptr(),
                pointer(&url),
                overrides,
                options.user_data,
                &mut station,
                error,
            )
        })?;
        Ok(Station::new(station).expect("a call that succeeded gave a token"))
    }

    /// Connects the `stations:` of the configuration that are not connected yet; returns how many.
    pub fn connect_all(&self) -> Result<usize, Error> {
        let mut count = 0;
        // SAFETY: `count` and `error` are good for the call.
        explained(|error| unsafe {
            sys::cwire_manager_connect_all(self.token(), &mut count, error)
        })?;
        Ok(count)
    }

    /// None if there is no such station, or if it has ended.
    pub fn find(&self, station_id: &str) -> Result<Option<Station>, Error> {
        let id = station_text(station_id)?;
        let mut station = std::ptr::null_mut();
        // SAFETY: `id` ends in NUL, and `station` is good for the call.
        match check(unsafe { sys::cwire_manager_find(self.token(), id.as_ptr(), &mut station) }) {
            Err(Error::NotFound(_)) => Ok(None),
            other => other.map(|_| Station::new(station)),
        }
    }

    /// [`Station::send`] by id.
    pub fn send<'a>(&self, station_id: &str, message: impl Into<Message<'a>>) -> Result<(), Error> {
        let id = station_text(station_id)?;
        let message = message.into();
        // SAFETY: `id` ends in NUL; `data` has as many bytes as is said, and is copied by the call.
        let status = unsafe {
            sys::cwire_manager_send(
                self.token(),
                id.as_ptr(),
                message.data.as_ptr().cast(),
                message.data.len(),
                message.flags,
                message.tag,
            )
        };
        check(status).map(drop)
    }

    /// Sends to every connected station, with tag 0; returns how many queues took it. Nobody is waited for.
    pub fn broadcast<'a>(&self, message: impl Into<Message<'a>>) -> Result<usize, Error> {
        let message = message.into();
        let mut accepted = 0;
        // SAFETY: `data` has as many bytes as is said, and is copied by the call.
        let status = unsafe {
            sys::cwire_manager_broadcast(
                self.token(),
                message.data.as_ptr().cast(),
                message.data.len(),
                message.flags,
                &mut accepted,
            )
        };
        check(status).map(|_| accepted)
    }

    /// [`Station::reconfigure`] by id.
    pub fn reconfigure(&self, station_id: &str, change: &Reconfigure<'_>) -> Result<(), Error> {
        let id = station_text(station_id)?;
        let url = change.c_url()?;
        // SAFETY: texts end in NUL or are NULL, and `error` is good for the call.
        explained(|error| unsafe {
            sys::cwire_manager_reconfigure(
                self.token(),
                id.as_ptr(),
                pointer(&url),
                change.c_overrides(),
                change.flags,
                error,
            )
        })
        .map(drop)
    }

    /// [`Station::disconnect`] by id. A station that gave up is forgotten.
    pub fn disconnect(&self, station_id: &str) -> Result<(), Error> {
        let id = station_text(station_id)?;
        // SAFETY: `id` ends in NUL.
        check(unsafe { sys::cwire_manager_disconnect(self.token(), id.as_ptr()) }).map(drop)
    }

    /// Disconnects all, and forgets those that gave up. Returns at once.
    pub fn disconnect_all(&self) -> Result<(), Error> {
        // SAFETY: takes any token.
        check(unsafe { sys::cwire_manager_disconnect_all(self.token()) }).map(drop)
    }

    /// [`Error::NotFound`] for a station that is not known.
    pub fn is_connected(&self, station_id: &str) -> Result<bool, Error> {
        let id = station_text(station_id)?;
        // SAFETY: `id` ends in NUL.
        check(unsafe { sys::cwire_manager_is_connected(self.token(), id.as_ptr()) })
            .map(|yes| yes == 1)
    }

    // ---- What there is

    /// How many are connected, and how many are known.
    pub fn counts(&self) -> Result<Counts, Error> {
        let mut counts = Counts::default();
        // SAFETY: both are good for the call.
        check(unsafe {
            sys::cwire_manager_counts(self.token(), &mut counts.connected, &mut counts.total)
        })?;
        Ok(counts)
    }

    /// Of a station, also of one that gave up.
    pub fn stats(&self, station_id: &str) -> Result<Stats, Error> {
        let id = station_text(station_id)?;
        let mut stats = sized(|stats: &mut sys::cwire_stats| &mut stats.size);
        // SAFETY: `id` ends in NUL; `stats` is good for the call, and says its size.
        check(unsafe { sys::cwire_manager_stats(self.token(), id.as_ptr(), &mut stats) })?;
        Ok(Stats::new(&stats))
    }

    /// Of all stations, in no order.
    pub fn all_stats(&self) -> Result<Vec<Stats>, Error> {
        // SAFETY: `out` has `capacity` elements, the first of which says its size.
        Stats::all(|out, capacity, count| unsafe {
            sys::cwire_manager_all_stats(self.token(), out, capacity, count)
        })
    }

    /// The endpoints that stations use, or that are isolated, ordered by name.
    pub fn endpoints(&self) -> Result<Vec<Endpoint>, Error> {
        // SAFETY: `out` has `capacity` elements, the first of which says its size.
        Endpoint::all(|out, capacity, count| unsafe {
            sys::cwire_manager_endpoints(self.token(), out, capacity, count)
        })
    }

    /// What is counted of the fleet, as text that Prometheus reads, for a program that has an HTTP server of its own; `docs/metrics.md`
    /// says what there is.
    pub fn metrics(&self, format: MetricsFormat) -> Result<String, Error> {
        let format = match format {
            MetricsFormat::Prometheus => sys::CWIRE_METRICS_PROMETHEUS,
            MetricsFormat::OpenMetrics => sys::CWIRE_METRICS_OPEN_METRICS,
        };
        // SAFETY: `buffer` has `capacity` bytes.
        text_of(1 << 16, |buffer, capacity, needed| unsafe {
            sys::cwire_manager_metrics(self.token(), format, buffer, capacity, needed)
        })
    }

    /// Where the library serves that itself: `http://127.0.0.1:9464/metrics`. Empty if it does not
    /// ([`metrics_listen`](crate::ConfigBuilder::metrics_listen)).
    pub fn metrics_url(&self) -> Result<String, Error> {
        // SAFETY: `buffer` has `capacity` bytes.
        text_of(128, |buffer, capacity, needed| unsafe {
            sys::cwire_manager_metrics_url(self.token(), buffer, capacity, needed)
        })
    }

    /// A group of stations of this fleet.
    pub fn pool(&self) -> Result<Pool, Error> {
        let mut token = std::ptr::null_mut();
        // SAFETY: `token` is good for the call.
        check(unsafe { sys::cwire_pool_new(self.token(), &mut token) })?;
        Ok(Pool::owning(token))
    }

    // ---- Endpoints and the network

    /// Takes the endpoint of a URL out of use, for maintenance perhaps: no station dials it until [`reset`](Manager::reset). Connections
    /// that stand live on.
    pub fn isolate(&self, url: &str) -> Result<(), Error> {
        let url = c_string(url, "the URL of an endpoint")?;
        // SAFETY: `url` ends in NUL, and `error` is good for the call.
        explained(|error| unsafe { sys::cwire_manager_isolate(self.token(), url.as_ptr(), error) })
            .map(drop)
    }

    /// Puts it back into use, however it came out of it.
    pub fn reset(&self, url: &str) -> Result<(), Error> {
        let url = c_string(url, "the URL of an endpoint")?;
        // SAFETY: `url` ends in NUL, and `error` is good for the call.
        explained(|error| unsafe { sys::cwire_manager_reset(self.token(), url.as_ptr(), error) })
            .map(drop)
    }

    /// Writes every frame, upgrade and end of a station, or of all and those to come with `None`, to the option `trace.file`, or ends
    /// that. A station that is traced already goes on as it is.
    pub fn trace(&self, station_id: Option<&str>, on: bool) -> Result<(), Error> {
        let id = station_id
            .map(|id| c_string(id, "the station id"))
            .transpose()?;
        let id = id.as_ref().map_or(std::ptr::null(), |id| id.as_ptr());
        // SAFETY: `id` is null or ends in NUL, and `error` is good for the call.
        explained(|error| unsafe {
            sys::cwire_manager_trace(self.token(), id, i32::from(on), error)
        })
        .map(drop)
    }

    /// The network is there again, a link that came up perhaps: stations that wait for their next attempt begin it now, where nothing
    /// but their own schedule held them back.
    pub fn network_up(&self) -> Result<(), Error> {
        // SAFETY: takes any token.
        check(unsafe { sys::cwire_manager_network_up(self.token()) }).map(drop)
    }

    // ---- Events and the end

    /// Makes the current or the next [`Events::poll`] return at once.
    pub fn wake(&self) -> Result<(), Error> {
        // SAFETY: takes any token.
        check(unsafe { sys::cwire_manager_wake(self.token()) }).map(drop)
    }

    /// Begins an orderly end and returns at once: no new stations; what is queued is sent and each connection closed with 1001, within
    /// `drain` (an hour at most; zero: without waiting for the peer). Every Closed follows, then Shutdown, with which the events end.
    pub fn shutdown(&self, drain: Duration) -> Result<(), Error> {
        // SAFETY: takes any token.
        check(unsafe { sys::cwire_manager_shutdown(self.token(), milliseconds(drain)) }).map(drop)
    }
}

pub(crate) fn station_text(station_id: &str) -> Result<CString, Error> {
    c_string(station_id, "the station id")
}

/// How to connect a station. What is left alone comes from the manager's configuration.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConnectOptions<'a> {
    url: Option<&'a str>,
    overrides: Option<&'a Config>,
    user_data: usize,
}

impl<'a> ConnectOptions<'a> {
    /// To `csms.default_url`, as the manager's configuration says.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another URL.
    #[must_use]
    pub fn url(self, url: &'a str) -> Self {
        ConnectOptions {
            url: Some(url),
            ..self
        }
    }

    /// The options that this configuration sets explicitly go before the manager's.
    #[must_use]
    pub fn overrides(self, config: &'a Config) -> Self {
        ConnectOptions {
            overrides: Some(config),
            ..self
        }
    }

    /// A number of the caller's, an index perhaps, which comes back in each event.
    #[must_use]
    pub fn user_data(self, user_data: usize) -> Self {
        ConnectOptions { user_data, ..self }
    }
}
