// Made by bindings/generate from chargewire.h and the option table. Change those, not this file.

use crate::config::{Read, Value};
use crate::{Config, ConfigBuilder, Error};
use std::borrow::Cow;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Values of [`ConfigBuilder::log_level`]: The least important LOG events to deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogLevel {
    /// `off`
    Off,
    /// `error`
    Error,
    /// `warning`
    Warning,
    /// `info`
    Info,
    /// `debug`
    Debug,
}

impl LogLevel {
    /// As it is written in YAML.
    pub fn as_str(self) -> &'static str {
        match self {
            LogLevel::Off => "off",
            LogLevel::Error => "error",
            LogLevel::Warning => "warning",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
        }
    }
}

impl Value for LogLevel {
    fn text(&self) -> Result<Cow<'_, str>, Error> {
        Ok(self.as_str().into())
    }
}

impl Read for LogLevel {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "off" => LogLevel::Off,
            "error" => LogLevel::Error,
            "warning" => LogLevel::Warning,
            "info" => LogLevel::Info,
            "debug" => LogLevel::Debug,
            _ => return None,
        })
    }
}

/// Values of [`ConfigBuilder::protocol`]: OCPP version to offer, or several in order of preference: `2.1, 2.0.1, 1.6`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// `1.6`
    V1_6,
    /// `2.0.1`
    V2_0_1,
    /// `2.1`
    V2_1,
}

impl Protocol {
    /// As it is written in YAML.
    pub fn as_str(self) -> &'static str {
        match self {
            Protocol::V1_6 => "1.6",
            Protocol::V2_0_1 => "2.0.1",
            Protocol::V2_1 => "2.1",
        }
    }
}

impl Value for Protocol {
    fn text(&self) -> Result<Cow<'_, str>, Error> {
        Ok(self.as_str().into())
    }
}

impl Read for Protocol {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "1.6" => Protocol::V1_6,
            "2.0.1" => Protocol::V2_0_1,
            "2.1" => Protocol::V2_1,
            _ => return None,
        })
    }
}

/// Values of [`ConfigBuilder::reconnect_policy`]: How the waits grow: `exponential` doubles and varies by the jitter; `ocpp` is RetryBackOff of OCPP 2.x with the `retry_backoff_*` options; `full` takes a random share of the doubled wait; `decorrelated` a random wait up to three times the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReconnectPolicy {
    /// `exponential`
    Exponential,
    /// `ocpp`
    Ocpp,
    /// `full`
    Full,
    /// `decorrelated`
    Decorrelated,
}

impl ReconnectPolicy {
    /// As it is written in YAML.
    pub fn as_str(self) -> &'static str {
        match self {
            ReconnectPolicy::Exponential => "exponential",
            ReconnectPolicy::Ocpp => "ocpp",
            ReconnectPolicy::Full => "full",
            ReconnectPolicy::Decorrelated => "decorrelated",
        }
    }
}

impl Value for ReconnectPolicy {
    fn text(&self) -> Result<Cow<'_, str>, Error> {
        Ok(self.as_str().into())
    }
}

impl Read for ReconnectPolicy {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "exponential" => ReconnectPolicy::Exponential,
            "ocpp" => ReconnectPolicy::Ocpp,
            "full" => ReconnectPolicy::Full,
            "decorrelated" => ReconnectPolicy::Decorrelated,
            _ => return None,
        })
    }
}

/// Values of [`ConfigBuilder::priority`]: Of thirteen turns to dial an endpoint eight go to stations of `high` priority, four to `normal` and one to `low`, while some of each wait. Who waited for 30 s moves up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Priority {
    /// `high`
    High,
    /// `normal`
    Normal,
    /// `low`
    Low,
}

impl Priority {
    /// As it is written in YAML.
    pub fn as_str(self) -> &'static str {
        match self {
            Priority::High => "high",
            Priority::Normal => "normal",
            Priority::Low => "low",
        }
    }
}

impl Value for Priority {
    fn text(&self) -> Result<Cow<'_, str>, Error> {
        Ok(self.as_str().into())
    }
}

impl Read for Priority {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "high" => Priority::High,
            "normal" => Priority::Normal,
            "low" => Priority::Low,
            _ => return None,
        })
    }
}

/// Values of [`ConfigBuilder::send_queue_policy`]: When the queue is full: `reject` refuses the send, `drop_oldest` accepts it and drops what waits longest, `drop_newest` accepts it and drops it. What is dropped is reported as not sent. See queues in `docs/operations.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SendQueuePolicy {
    /// `reject`
    Reject,
    /// `drop_oldest`
    DropOldest,
    /// `drop_newest`
    DropNewest,
}

impl SendQueuePolicy {
    /// As it is written in YAML.
    pub fn as_str(self) -> &'static str {
        match self {
            SendQueuePolicy::Reject => "reject",
            SendQueuePolicy::DropOldest => "drop_oldest",
            SendQueuePolicy::DropNewest => "drop_newest",
        }
    }
}

impl Value for SendQueuePolicy {
    fn text(&self) -> Result<Cow<'_, str>, Error> {
        Ok(self.as_str().into())
    }
}

impl Read for SendQueuePolicy {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "reject" => SendQueuePolicy::Reject,
            "drop_oldest" => SendQueuePolicy::DropOldest,
            "drop_newest" => SendQueuePolicy::DropNewest,
            _ => return None,
        })
    }
}

/// Values of [`ConfigBuilder::security_profile`]: OCPP's: `1` Basic without TLS, `2` TLS and Basic, `3` TLS with a client certificate. What contradicts it is refused. `0`: none; then Basic over `ws://` is refused. See security in `docs/security.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SecurityProfile {
    /// `0`
    Profile0,
    /// `1`
    Profile1,
    /// `2`
    Profile2,
    /// `3`
    Profile3,
}

impl SecurityProfile {
    /// As it is written in YAML.
    pub fn as_str(self) -> &'static str {
        match self {
            SecurityProfile::Profile0 => "0",
            SecurityProfile::Profile1 => "1",
            SecurityProfile::Profile2 => "2",
            SecurityProfile::Profile3 => "3",
        }
    }
}

impl Value for SecurityProfile {
    fn text(&self) -> Result<Cow<'_, str>, Error> {
        Ok(self.as_str().into())
    }
}

impl Read for SecurityProfile {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "0" => SecurityProfile::Profile0,
            "1" => SecurityProfile::Profile1,
            "2" => SecurityProfile::Profile2,
            "3" => SecurityProfile::Profile3,
            _ => return None,
        })
    }
}

/// Values of [`ConfigBuilder::tls_min_version`]: The oldest TLS version to accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsMinVersion {
    /// `1.2`
    V1_2,
    /// `1.3`
    V1_3,
}

impl TlsMinVersion {
    /// As it is written in YAML.
    pub fn as_str(self) -> &'static str {
        match self {
            TlsMinVersion::V1_2 => "1.2",
            TlsMinVersion::V1_3 => "1.3",
        }
    }
}

impl Value for TlsMinVersion {
    fn text(&self) -> Result<Cow<'_, str>, Error> {
        Ok(self.as_str().into())
    }
}

impl Read for TlsMinVersion {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "1.2" => TlsMinVersion::V1_2,
            "1.3" => TlsMinVersion::V1_3,
            _ => return None,
        })
    }
}

/// Values of [`ConfigBuilder::auth_type`]: What the Authorization header holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthType {
    /// `none`
    None,
    /// `basic`
    Basic,
    /// `bearer`
    Bearer,
}

impl AuthType {
    /// As it is written in YAML.
    pub fn as_str(self) -> &'static str {
        match self {
            AuthType::None => "none",
            AuthType::Basic => "basic",
            AuthType::Bearer => "bearer",
        }
    }
}

impl Value for AuthType {
    fn text(&self) -> Result<Cow<'_, str>, Error> {
        Ok(self.as_str().into())
    }
}

impl Read for AuthType {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "none" => AuthType::None,
            "basic" => AuthType::Basic,
            "bearer" => AuthType::Bearer,
            _ => return None,
        })
    }
}

/// Values of [`ConfigBuilder::auth_password_format`]: `text`: the password goes out as it stands. `hex`: as the 16 to 20 bytes that its digits stand for, which is what OCPP 1.6 says of AuthorizationKey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthPasswordFormat {
    /// `text`
    Text,
    /// `hex`
    Hex,
}

impl AuthPasswordFormat {
    /// As it is written in YAML.
    pub fn as_str(self) -> &'static str {
        match self {
            AuthPasswordFormat::Text => "text",
            AuthPasswordFormat::Hex => "hex",
        }
    }
}

impl Value for AuthPasswordFormat {
    fn text(&self) -> Result<Cow<'_, str>, Error> {
        Ok(self.as_str().into())
    }
}

impl Read for AuthPasswordFormat {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "text" => AuthPasswordFormat::Text,
            "hex" => AuthPasswordFormat::Hex,
            _ => return None,
        })
    }
}

/// One setter per option. What is wrong with a value, [`ConfigBuilder::build`] says.
impl ConfigBuilder {
    /// I/O threads that the stations are spread over. `0`: one per core.
    ///
    /// `io_threads`, from 0 to 256, default `0`.
    pub fn io_threads(self, value: u32) -> Self {
        self.put("io_threads", value)
    }

    /// The least important LOG events to deliver.
    ///
    /// `log_level`, default `warning`.
    pub fn log_level(self, value: LogLevel) -> Self {
        self.put("log_level", value)
    }

    /// Events that may wait to be polled before reading from sockets pauses. Nothing is dropped.
    ///
    /// `event_queue_max`, from 1 to 16777216, default `16384`.
    pub fn event_queue_max(self, value: u32) -> Self {
        self.put("event_queue_max", value)
    }

    /// Bytes of data of such events that may wait before reading pauses. What one read brings may exceed it.
    ///
    /// `event_queue_bytes`, from 1B to 1024GiB, default `64MiB`. In bytes.
    pub fn event_queue_bytes(self, value: u64) -> Self {
        self.put("event_queue_bytes", value)
    }

    /// Bytes that the offline queues of all stations may hold together.
    ///
    /// `offline_budget_bytes`, from 0B to 1024GiB, default `64MiB`. In bytes.
    pub fn offline_budget_bytes(self, value: u64) -> Self {
        self.put("offline_budget_bytes", value)
    }

    /// `true`: also count what costs a little per message or batch of events; see metrics in `docs/metrics.md`. `metrics.listen` says so as well.
    ///
    /// `metrics.enabled`, default `false`.
    pub fn metrics_enabled(self, value: bool) -> Self {
        self.put("metrics.enabled", value)
    }

    /// Where to serve `/metrics` to Prometheus: `9464`, which is that port of the loopback `127.0.0.1`, `192.0.2.10:9464` or `[::1]:9464`. Port `0`: one that is free, see `cwire_manager_metrics_url`. There is neither TLS nor a password. Empty: nowhere.
    ///
    /// `metrics.listen`, default: empty.
    pub fn metrics_listen(self, value: &str) -> Self {
        self.put("metrics.listen", value)
    }

    /// `true`: each station has time series of its own beside the sums: some 14, which ten thousand stations make 140,000.
    ///
    /// `metrics.per_station`, default `false`.
    pub fn metrics_per_station(self, value: bool) -> Self {
        self.put("metrics.per_station", value)
    }

    /// Where stations without a URL of their own connect: `ws://` or `wss://`. The station id is percent-encoded onto the end of its path.
    ///
    /// `csms.default_url`, default `ws://localhost:9000`.
    pub fn default_url(self, value: &str) -> Self {
        self.put("csms.default_url", value)
    }

    /// OCPP version to offer, or several in order of preference: `2.1, 2.0.1, 1.6`.
    ///
    /// `csms.protocol`, default `1.6`.
    pub fn protocol(self, values: impl IntoIterator<Item = Protocol>) -> Self {
        self.put_list("csms.protocol", values)
    }

    /// Extra headers of the upgrade request, each under its own name. See Headers in `docs/configuration.md`.
    ///
    /// `csms.headers`, default: empty. A secret: [`Config::get`](crate::Config::get) answers `***`.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.put(&format!("csms.headers.{name}"), value)
    }

    /// Time for one whole attempt: resolving (5 s at most), TCP, TLS and the WebSocket upgrade together.
    ///
    /// `csms.connection_timeout`, from 1ms to 24h, default `30s`. In whole milliseconds; a fraction counts as one more.
    pub fn connection_timeout(self, value: Duration) -> Self {
        self.put("csms.connection_timeout", value)
    }

    /// Time for the TCP connection, over all addresses of the host. They are tried 250 ms apart, and the first to answer is taken.
    ///
    /// `csms.tcp_timeout`, from 1ms to 24h, default `10s`. In whole milliseconds; a fraction counts as one more.
    pub fn tcp_timeout(self, value: Duration) -> Self {
        self.put("csms.tcp_timeout", value)
    }

    /// Time for the whole answer to the upgrade request.
    ///
    /// `csms.upgrade_timeout`, from 1ms to 24h, default `10s`. In whole milliseconds; a fraction counts as one more.
    pub fn upgrade_timeout(self, value: Duration) -> Self {
        self.put("csms.upgrade_timeout", value)
    }

    /// How many redirects (301, 302, 303, 307, 308) one attempt follows, all within its time. `0`: none. Never from `wss` to `ws`. Credentials and `csms.headers` go to the host and port of the URL only; with a client certificate the attempt too.
    ///
    /// `csms.redirects_max`, from 0 to 10, default `0`.
    pub fn redirects_max(self, value: u32) -> Self {
        self.put("csms.redirects_max", value)
    }

    /// A connection that takes no byte for this long, while some wait to be sent, is lost.
    ///
    /// `csms.write_timeout`, from 1ms to 24h, default `10s`. In whole milliseconds; a fraction counts as one more. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn write_timeout(self, value: Duration) -> Self {
        self.put("csms.write_timeout", value)
    }

    /// A connection on which nothing arrives for this long, pongs included, is lost. While output waits for the peer only `csms.write_timeout` counts. `0s`: off. Left at its default, it is never less than twice the ping interval, or twice the heartbeat interval where pings are off.
    ///
    /// `csms.read_timeout`, from 0s to 24h, default `60s`. In whole milliseconds; a fraction counts as one more. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn read_timeout(self, value: Duration) -> Self {
        self.put("csms.read_timeout", value)
    }

    /// Time for the close handshake, and for sending what is queued before it.
    ///
    /// `csms.close_timeout`, from 1ms to 24h, default `5s`. In whole milliseconds; a fraction counts as one more. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn close_timeout(self, value: Duration) -> Self {
        self.put("csms.close_timeout", value)
    }

    /// Local address to connect from, of the network interface that is to be used. Addresses of the host that are of the other version of IP are not tried. Empty: the system chooses.
    ///
    /// `csms.source_address`, default: empty.
    pub fn source_address(self, value: IpAddr) -> Self {
        self.put("csms.source_address", value)
    }

    /// Time between WebSocket pings, +-10 %; twice that while messages arrive. `0s`: off.
    ///
    /// `csms.ping_interval`, from 0s to 24h, default `30s`. In whole milliseconds; a fraction counts as one more. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn ping_interval(self, value: Duration) -> Self {
        self.put("csms.ping_interval", value)
    }

    /// A ping without its pong for this long means that the connection is lost.
    ///
    /// `csms.pong_timeout`, from 1ms to 24h, default `10s`. In whole milliseconds; a fraction counts as one more. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn pong_timeout(self, value: Duration) -> Self {
        self.put("csms.pong_timeout", value)
    }

    /// OCPP's Heartbeat, which the application sends. The library only keeps the value and gives it back.
    ///
    /// `csms.heartbeat_interval`, from 0s to 8760h, default `60s`. In whole milliseconds; a fraction counts as one more. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn heartbeat_interval(self, value: Duration) -> Self {
        self.put("csms.heartbeat_interval", value)
    }

    /// Failed attempts in a row before a station gives up. `0`: it never does.
    ///
    /// `csms.max_reconnect_attempts`, from 0 to 1000000, default `0`. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn max_reconnect_attempts(self, value: u32) -> Self {
        self.put("csms.max_reconnect_attempts", value)
    }

    /// How the waits grow: `exponential` doubles and varies by the jitter; `ocpp` is RetryBackOff of OCPP 2.x with the `retry_backoff_*` options; `full` takes a random share of the doubled wait; `decorrelated` a random wait up to three times the one before.
    ///
    /// `csms.reconnect_policy`, default `exponential`. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn reconnect_policy(self, value: ReconnectPolicy) -> Self {
        self.put("csms.reconnect_policy", value)
    }

    /// The first wait.
    ///
    /// `csms.reconnect_backoff`, from 1ms to 24h, default `5s`. In whole milliseconds; a fraction counts as one more. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn reconnect_backoff(self, value: Duration) -> Self {
        self.put("csms.reconnect_backoff", value)
    }

    /// The longest wait, before the jitter is applied.
    ///
    /// `csms.reconnect_max_backoff`, from 1ms to 24h, default `60s`. In whole milliseconds; a fraction counts as one more. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn reconnect_max_backoff(self, value: Duration) -> Self {
        self.put("csms.reconnect_max_backoff", value)
    }

    /// How far a wait may vary each way, so that a fleet does not come back all at once.
    ///
    /// `csms.reconnect_jitter`, from 0% to 100%, default `20%`. A share, 0.2 for 20 %. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn reconnect_jitter(self, value: f64) -> Self {
        self.put("csms.reconnect_jitter", value)
    }

    /// The first wait after an answer that only people can change: HTTP 401, 403, 404 or 426, no common OCPP version; and from the fourth try on after a certificate or TLS version that is not accepted. It doubles, +-20 %, and is never shorter than the shortest wait of `csms.reconnect_policy`.
    ///
    /// `csms.refused_backoff`, from 1ms to 24h, default `60s`. In whole milliseconds; a fraction counts as one more. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn refused_backoff(self, value: Duration) -> Self {
        self.put("csms.refused_backoff", value)
    }

    /// The longest such wait. For certificates and TLS versions 15 minutes at most.
    ///
    /// `csms.refused_max_backoff`, from 1ms to 24h, default `1h`. In whole milliseconds; a fraction counts as one more. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn refused_max_backoff(self, value: Duration) -> Self {
        self.put("csms.refused_max_backoff", value)
    }

    /// Connected for this long, the waits begin anew with the first. `ocpp` begins anew at once.
    ///
    /// `csms.reconnect_stable_after`, from 0s to 24h, default `30s`. In whole milliseconds; a fraction counts as one more. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn reconnect_stable_after(self, value: Duration) -> Self {
        self.put("csms.reconnect_stable_after", value)
    }

    /// RetryBackOffWaitMinimum of OCPP 2.x: the first wait, for policy `ocpp`.
    ///
    /// `csms.retry_backoff_wait_minimum`, from 0s to 24h, default `10s`. In whole milliseconds; a fraction counts as one more. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn retry_backoff_wait_minimum(self, value: Duration) -> Self {
        self.put("csms.retry_backoff_wait_minimum", value)
    }

    /// RetryBackOffRandomRange of OCPP 2.x: up to this much is added to each wait, for policy `ocpp`.
    ///
    /// `csms.retry_backoff_random_range`, from 0s to 24h, default `10s`. In whole milliseconds; a fraction counts as one more. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn retry_backoff_random_range(self, value: Duration) -> Self {
        self.put("csms.retry_backoff_random_range", value)
    }

    /// RetryBackOffRepeatTimes of OCPP 2.x: how often the wait doubles, for policy `ocpp`.
    ///
    /// `csms.retry_backoff_repeat_times`, from 0 to 10, default `3`. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn retry_backoff_repeat_times(self, value: u32) -> Self {
        self.put("csms.retry_backoff_repeat_times", value)
    }

    /// Of thirteen turns to dial an endpoint eight go to stations of `high` priority, four to `normal` and one to `low`, while some of each wait. Who waited for 30 s moves up.
    ///
    /// `csms.priority`, default `normal`.
    pub fn priority(self, value: Priority) -> Self {
        self.put("csms.priority", value)
    }

    /// `false`: stations dial as soon as their own wait is over, however many others do.
    ///
    /// `governor.enabled`, default `true`.
    pub fn governor_enabled(self, value: bool) -> Self {
        self.put("governor.enabled", value)
    }

    /// How many attempts to connect may be under way at one endpoint (scheme, host and port) to begin with. The limit grows while the time they take holds, and shrinks by 30 % when one times out, is refused, or is told to wait.
    ///
    /// `governor.handshakes_start`, from 1 to 100000, default `64`.
    pub fn governor_handshakes_start(self, value: u32) -> Self {
        self.put("governor.handshakes_start", value)
    }

    /// How far that limit may shrink.
    ///
    /// `governor.handshakes_min`, from 1 to 100000, default `1`.
    pub fn governor_handshakes_min(self, value: u32) -> Self {
        self.put("governor.handshakes_min", value)
    }

    /// How far that limit may grow.
    ///
    /// `governor.handshakes_max`, from 1 to 100000, default `1024`.
    pub fn governor_handshakes_max(self, value: u32) -> Self {
        self.put("governor.handshakes_max", value)
    }

    /// Attempts per second to one endpoint, evenly spread. `0`: as many as the limit of those under way lets through.
    ///
    /// `governor.connects_per_second`, from 0 to 1000000, default `0`.
    pub fn governor_connects_per_second(self, value: u32) -> Self {
        self.put("governor.connects_per_second", value)
    }

    /// `false`: an endpoint that fails is tried all the same, each station by its own schedule.
    ///
    /// `governor.breaker`, default `true`.
    pub fn governor_breaker(self, value: bool) -> Self {
        self.put("governor.breaker", value)
    }

    /// When so many of an endpoint's attempts failed, nobody tries it for a while. Refusals (401, 403, 404, 426, certificates) do not count; a connection that is lost within the window does.
    ///
    /// `governor.breaker_failures`, from 1% to 100%, default `50%`. A share, 0.2 for 20 %.
    pub fn governor_breaker_failures(self, value: f64) -> Self {
        self.put("governor.breaker_failures", value)
    }

    /// Fewer attempts within the window prove nothing.
    ///
    /// `governor.breaker_attempts_min`, from 1 to 1000000, default `20`.
    pub fn governor_breaker_attempts_min(self, value: u32) -> Self {
        self.put("governor.breaker_attempts_min", value)
    }

    /// How far back attempts are counted.
    ///
    /// `governor.breaker_window`, from 100ms to 1h, default `10s`. In whole milliseconds; a fraction counts as one more.
    pub fn governor_breaker_window(self, value: Duration) -> Self {
        self.put("governor.breaker_window", value)
    }

    /// How long nobody tries: so long times the number of times in a row, and up to a quarter more.
    ///
    /// `governor.breaker_open`, from 1ms to 24h, default `30s`. In whole milliseconds; a fraction counts as one more.
    pub fn governor_breaker_open(self, value: Duration) -> Self {
        self.put("governor.breaker_open", value)
    }

    /// The longest of these times, before the quarter.
    ///
    /// `governor.breaker_open_max`, from 1ms to 24h, default `5m`. In whole milliseconds; a fraction counts as one more.
    pub fn governor_breaker_open_max(self, value: Duration) -> Self {
        self.put("governor.breaker_open_max", value)
    }

    /// How many stations try then; when all get through, the others follow, few at first.
    ///
    /// `governor.breaker_probes`, from 1 to 1000, default `3`.
    pub fn governor_breaker_probes(self, value: u32) -> Self {
        self.put("governor.breaker_probes", value)
    }

    /// The largest message, each way.
    ///
    /// `csms.message_size_max`, from 1B to 1GiB, default `1MiB`. In bytes.
    pub fn message_size_max(self, value: u64) -> Self {
        self.put("csms.message_size_max", value)
    }

    /// The largest answer to the upgrade request, and of a proxy to CONNECT.
    ///
    /// `csms.header_size_max`, from 256B to 1MiB, default `16KiB`. In bytes.
    pub fn header_size_max(self, value: u64) -> Self {
        self.put("csms.header_size_max", value)
    }

    /// The most headers in either.
    ///
    /// `csms.header_count_max`, from 1 to 10000, default `100`.
    pub fn header_count_max(self, value: u32) -> Self {
        self.put("csms.header_count_max", value)
    }

    /// The most frames that one message may arrive in.
    ///
    /// `csms.fragments_max`, from 1 to 1000000, default `4096`.
    pub fn fragments_max(self, value: u32) -> Self {
        self.put("csms.fragments_max", value)
    }

    /// Messages that may wait to be sent before the queue is full.
    ///
    /// `csms.send_queue_messages`, from 1 to 1000000, default `100`. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn send_queue_messages(self, value: u32) -> Self {
        self.put("csms.send_queue_messages", value)
    }

    /// Bytes that may wait to be sent before the queue is full. A larger message goes through an empty queue.
    ///
    /// `csms.send_queue_bytes`, from 1B to 1GiB, default `1MiB`. In bytes. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn send_queue_bytes(self, value: u64) -> Self {
        self.put("csms.send_queue_bytes", value)
    }

    /// When the queue is full: `reject` refuses the send, `drop_oldest` accepts it and drops what waits longest, `drop_newest` accepts it and drops it. What is dropped is reported as not sent. See queues in `docs/operations.md`.
    ///
    /// `csms.send_queue_policy`, default `reject`. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn send_queue_policy(self, value: SendQueuePolicy) -> Self {
        self.put("csms.send_queue_policy", value)
    }

    /// Messages that a station may keep while it is not connected, to be sent after the reconnect. `0`: none, a send is refused then. When it is full, `csms.send_queue_policy` decides. See queues in `docs/operations.md`.
    ///
    /// `csms.offline_queue_messages`, from 0 to 1000000, default `0`. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn offline_queue_messages(self, value: u32) -> Self {
        self.put("csms.offline_queue_messages", value)
    }

    /// Bytes of them. `offline_budget_bytes` limits what all stations keep together.
    ///
    /// `csms.offline_queue_bytes`, from 1B to 1GiB, default `1MiB`. In bytes. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn offline_queue_bytes(self, value: u64) -> Self {
        self.put("csms.offline_queue_bytes", value)
    }

    /// A message that waits longer is reported as not sent. `0s`: it waits for ever.
    ///
    /// `csms.offline_queue_max_age`, from 0s to 8760h, default `0s`. In whole milliseconds; a fraction counts as one more. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn offline_queue_max_age(self, value: Duration) -> Self {
        self.put("csms.offline_queue_max_age", value)
    }

    /// Messages a second that a station sends of them after the reconnect, so that a CSMS does not take it for an attack. What is sent meanwhile stands in line. `0`: as fast as the connection takes them.
    ///
    /// `csms.offline_replay_rate`, from 0 to 1000000, default `10`. Acts on a living connection at once, see [`Station::reconfigure`](crate::Station::reconfigure).
    pub fn offline_replay_rate(self, value: u32) -> Self {
        self.put("csms.offline_replay_rate", value)
    }

    /// `true`: permessage-deflate (RFC 7692) is offered. Not where one message may hold a secret and what somebody else chose: how long it becomes then tells of the secret, through TLS too (CRIME). See compression in `docs/operations.md`.
    ///
    /// `csms.deflate.enabled`, default `false`.
    pub fn deflate_enabled(self, value: bool) -> Self {
        self.put("csms.deflate.enabled", value)
    }

    /// How far back what the station compresses may refer, `2^n` bytes. The CSMS may ask for less.
    ///
    /// `csms.deflate.window_bits`, from 9 to 15, default `11`.
    pub fn deflate_window_bits(self, value: u32) -> Self {
        self.put("csms.deflate.window_bits", value)
    }

    /// The same of what the CSMS compresses. Less than `15` is asked for, and who does not grant it is not connected to.
    ///
    /// `csms.deflate.server_window_bits`, from 9 to 15, default `15`.
    pub fn deflate_server_window_bits(self, value: u32) -> Self {
        self.put("csms.deflate.server_window_bits", value)
    }

    /// memLevel of zlib for what the station compresses: `2^(n+9)` bytes.
    ///
    /// `csms.deflate.memory_level`, from 1 to 9, default `3`.
    pub fn deflate_memory_level(self, value: u32) -> Self {
        self.put("csms.deflate.memory_level", value)
    }

    /// `true`: what the station compresses refers to its messages before, where the CSMS allows that. Small messages become much smaller, and each station keeps the memory.
    ///
    /// `csms.deflate.context_takeover`, default `false`.
    pub fn deflate_context_takeover(self, value: bool) -> Self {
        self.put("csms.deflate.context_takeover", value)
    }

    /// The same of what the CSMS compresses. `false` is asked for, and who does not grant it is not connected to.
    ///
    /// `csms.deflate.server_context_takeover`, default `false`.
    pub fn deflate_server_context_takeover(self, value: bool) -> Self {
        self.put("csms.deflate.server_context_takeover", value)
    }

    /// Smaller messages go out uncompressed.
    ///
    /// `csms.deflate.size_min`, from 1B to 1GiB, default `128B`. In bytes.
    pub fn deflate_size_min(self, value: u64) -> Self {
        self.put("csms.deflate.size_min", value)
    }

    /// OCPP's: `1` Basic without TLS, `2` TLS and Basic, `3` TLS with a client certificate. What contradicts it is refused. `0`: none; then Basic over `ws://` is refused. See security in `docs/security.md`.
    ///
    /// `csms.security_profile`, default `0`.
    pub fn security_profile(self, value: SecurityProfile) -> Self {
        self.put("csms.security_profile", value)
    }

    /// `true`: a `ws://` URL is refused. TLS itself follows from `wss://`.
    ///
    /// `csms.tls.enabled`, default `false`.
    pub fn tls_enabled(self, value: bool) -> Self {
        self.put("csms.tls.enabled", value)
    }

    /// PEM file of the CAs to trust. Empty: the system's.
    ///
    /// `csms.tls.ca_cert`, default: empty.
    pub fn tls_ca_cert(self, value: impl AsRef<Path>) -> Self {
        self.put("csms.tls.ca_cert", value.as_ref())
    }

    /// The same as text, instead of a file.
    ///
    /// `csms.tls.ca_cert_pem`, default: empty.
    pub fn tls_ca_cert_pem(self, value: &str) -> Self {
        self.put("csms.tls.ca_cert_pem", value)
    }

    /// PEM file of the station's certificate and its chain, for security profile 3.
    ///
    /// `csms.tls.client_cert`, default: empty.
    pub fn tls_client_cert(self, value: impl AsRef<Path>) -> Self {
        self.put("csms.tls.client_cert", value.as_ref())
    }

    /// The same as text, instead of a file.
    ///
    /// `csms.tls.client_cert_pem`, default: empty.
    pub fn tls_client_cert_pem(self, value: &str) -> Self {
        self.put("csms.tls.client_cert_pem", value)
    }

    /// PEM file of that certificate's private key.
    ///
    /// `csms.tls.client_key`, default: empty.
    pub fn tls_client_key(self, value: impl AsRef<Path>) -> Self {
        self.put("csms.tls.client_key", value.as_ref())
    }

    /// The same as text, instead of a file.
    ///
    /// `csms.tls.client_key_pem`, default: empty. A secret: [`Config::get`](crate::Config::get) answers `***`.
    pub fn tls_client_key_pem(self, value: &str) -> Self {
        self.put("csms.tls.client_key_pem", value)
    }

    /// That key by a URI that OpenSSL's providers know, instead of a file: `pkcs11:...`, `handle:...` of a TPM, `file:...`.
    ///
    /// `csms.tls.client_key_uri`, default: empty. A secret: [`Config::get`](crate::Config::get) answers `***`.
    pub fn tls_client_key_uri(self, value: &str) -> Self {
        self.put("csms.tls.client_key_uri", value)
    }

    /// Password of the private key if it is encrypted, or PIN of its token.
    ///
    /// `csms.tls.client_key_password`, default: empty. A secret: [`Config::get`](crate::Config::get) answers `***`.
    pub fn tls_client_key_password(self, value: &str) -> Self {
        self.put("csms.tls.client_key_password", value)
    }

    /// File that holds that password. One line break at its end does not count.
    ///
    /// `csms.tls.client_key_password_file`, default: empty.
    pub fn tls_client_key_password_file(self, value: impl AsRef<Path>) -> Self {
        self.put("csms.tls.client_key_password_file", value.as_ref())
    }

    /// PEM file of revocation lists. A server's certificate must be covered by one, and not be on it.
    ///
    /// `csms.tls.crl_file`, default: empty.
    pub fn tls_crl_file(self, value: impl AsRef<Path>) -> Self {
        self.put("csms.tls.crl_file", value.as_ref())
    }

    /// Name for SNI and for verifying the certificate. Empty: the host of the URL.
    ///
    /// `csms.tls.server_name`, default: empty.
    pub fn tls_server_name(self, value: &str) -> Self {
        self.put("csms.tls.server_name", value)
    }

    /// The oldest TLS version to accept.
    ///
    /// `csms.tls.min_version`, default `1.2`.
    pub fn tls_min_version(self, value: TlsMinVersion) -> Self {
        self.put("csms.tls.min_version", value)
    }

    /// Cipher suites to offer in TLS 1.2, in order of preference, with `:` between. Empty: ECDHE-ECDSA, ECDHE-RSA and static RSA with AES-GCM.
    ///
    /// `csms.tls.ciphers`, default: empty.
    pub fn tls_ciphers(self, value: &str) -> Self {
        self.put("csms.tls.ciphers", value)
    }

    /// The same for TLS 1.3. Empty: OpenSSL's own.
    ///
    /// `csms.tls.ciphersuites`, default: empty.
    pub fn tls_ciphersuites(self, value: &str) -> Self {
        self.put("csms.tls.ciphersuites", value)
    }

    /// `true`: certificates for `*.example` are accepted in security profiles 2 and 3 too (AllowCSMSTLSWildcards).
    ///
    /// `csms.tls.allow_wildcards`, default `false`.
    pub fn tls_allow_wildcards(self, value: bool) -> Self {
        self.put("csms.tls.allow_wildcards", value)
    }

    /// Time for the whole TLS handshake.
    ///
    /// `csms.tls.handshake_timeout`, from 1ms to 24h, default `10s`. In whole milliseconds; a fraction counts as one more.
    pub fn tls_handshake_timeout(self, value: Duration) -> Self {
        self.put("csms.tls.handshake_timeout", value)
    }

    /// `true`: any certificate is accepted, and whoever answers gets the password. For tests only.
    ///
    /// `csms.tls.insecure_skip_verify`, default `false`.
    pub fn tls_insecure_skip_verify(self, value: bool) -> Self {
        self.put("csms.tls.insecure_skip_verify", value)
    }

    /// `true`: who comes back to a server resumes a TLS session, without a new exchange of certificates. `false`: each connection is a full handshake.
    ///
    /// `csms.tls.session_resumption`, default `true`.
    pub fn tls_session_resumption(self, value: bool) -> Self {
        self.put("csms.tls.session_resumption", value)
    }

    /// File to append the secrets of TLS connections to, for Wireshark. Whoever reads it reads all that was sent.
    ///
    /// `csms.tls.key_log_file`, default: empty.
    pub fn tls_key_log_file(self, value: impl AsRef<Path>) -> Self {
        self.put("csms.tls.key_log_file", value.as_ref())
    }

    /// What the Authorization header holds.
    ///
    /// `csms.auth.type`, default `none`.
    pub fn auth_type(self, value: AuthType) -> Self {
        self.put("csms.auth.type", value)
    }

    /// User of `basic`. Empty: the station id, as OCPP wants it.
    ///
    /// `csms.auth.username`, default: empty.
    pub fn auth_username(self, value: &str) -> Self {
        self.put("csms.auth.username", value)
    }

    /// Password of `basic`. Better in a file or an environment variable.
    ///
    /// `csms.auth.password`, default: empty. A secret: [`Config::get`](crate::Config::get) answers `***`.
    pub fn auth_password(self, value: &str) -> Self {
        self.put("csms.auth.password", value)
    }

    /// File that holds the password. One line break at its end does not count.
    ///
    /// `csms.auth.password_file`, default: empty.
    pub fn auth_password_file(self, value: impl AsRef<Path>) -> Self {
        self.put("csms.auth.password_file", value.as_ref())
    }

    /// `text`: the password goes out as it stands. `hex`: as the 16 to 20 bytes that its digits stand for, which is what OCPP 1.6 says of AuthorizationKey.
    ///
    /// `csms.auth.password_format`, default `text`.
    pub fn auth_password_format(self, value: AuthPasswordFormat) -> Self {
        self.put("csms.auth.password_format", value)
    }

    /// Token of `bearer`. Better in a file or an environment variable.
    ///
    /// `csms.auth.token`, default: empty. A secret: [`Config::get`](crate::Config::get) answers `***`.
    pub fn auth_token(self, value: &str) -> Self {
        self.put("csms.auth.token", value)
    }

    /// File that holds the token. One line break at its end does not count.
    ///
    /// `csms.auth.token_file`, default: empty.
    pub fn auth_token_file(self, value: impl AsRef<Path>) -> Self {
        self.put("csms.auth.token_file", value.as_ref())
    }

    /// HTTP proxy through which the CSMS is reached, by a tunnel (CONNECT): `http://host:port`. `none`: no proxy. Empty: what the environment says. See Proxy in `docs/configuration.md`.
    ///
    /// `csms.proxy.url`, default: empty.
    pub fn proxy_url(self, value: &str) -> Self {
        self.put("csms.proxy.url", value)
    }

    /// User for the proxy's Basic authentication. Empty: none is sent.
    ///
    /// `csms.proxy.username`, default: empty.
    pub fn proxy_username(self, value: &str) -> Self {
        self.put("csms.proxy.username", value)
    }

    /// Password for it. Better in a file or an environment variable.
    ///
    /// `csms.proxy.password`, default: empty. A secret: [`Config::get`](crate::Config::get) answers `***`.
    pub fn proxy_password(self, value: &str) -> Self {
        self.put("csms.proxy.password", value)
    }

    /// File that holds the password. One line break at its end does not count.
    ///
    /// `csms.proxy.password_file`, default: empty.
    pub fn proxy_password_file(self, value: impl AsRef<Path>) -> Self {
        self.put("csms.proxy.password_file", value.as_ref())
    }

    /// Time for the proxy's whole answer; it connects to the CSMS meanwhile. How long the connection to the proxy may take, `csms.tcp_timeout` says.
    ///
    /// `csms.proxy.timeout`, from 1ms to 24h, default `10s`. In whole milliseconds; a fraction counts as one more.
    pub fn proxy_timeout(self, value: Duration) -> Self {
        self.put("csms.proxy.timeout", value)
    }

    /// File that `cwire_manager_trace` writes every frame of the traced stations to, as JSON Lines, for its owner alone. See trace in `docs/operations.md`.
    ///
    /// `trace.file`, default: empty.
    pub fn trace_file(self, value: impl AsRef<Path>) -> Self {
        self.put("trace.file", value.as_ref())
    }

    /// `true`: all stations are traced from the beginning.
    ///
    /// `trace.enabled`, default `false`.
    pub fn trace_enabled(self, value: bool) -> Self {
        self.put("trace.enabled", value)
    }

    /// When the file would grow larger it becomes `trace.file`.1, that one `trace.file`.2, and so on.
    ///
    /// `trace.file_size_max`, from 64KiB to 1024GiB, default `64MiB`. In bytes.
    pub fn trace_file_size_max(self, value: u64) -> Self {
        self.put("trace.file_size_max", value)
    }

    /// How many of these files there are, with the one that is written; the oldest goes.
    ///
    /// `trace.files_max`, from 1 to 1000, default `4`.
    pub fn trace_files_max(self, value: u32) -> Self {
        self.put("trace.files_max", value)
    }

    /// `true`: idTags and idTokens are written as they are. They are personal data, and whoever knows one may charge with it.
    ///
    /// `trace.id_tokens`, default `false`.
    pub fn trace_id_tokens(self, value: bool) -> Self {
        self.put("trace.id_tokens", value)
    }
}

/// What was set, or the default. Secrets do not come back.
impl Config {
    /// `io_threads`: see [`ConfigBuilder::io_threads`].
    pub fn io_threads(&self) -> Result<u32, Error> {
        self.read("io_threads")
    }

    /// `log_level`: see [`ConfigBuilder::log_level`].
    pub fn log_level(&self) -> Result<LogLevel, Error> {
        self.read("log_level")
    }

    /// `event_queue_max`: see [`ConfigBuilder::event_queue_max`].
    pub fn event_queue_max(&self) -> Result<u32, Error> {
        self.read("event_queue_max")
    }

    /// `event_queue_bytes`: see [`ConfigBuilder::event_queue_bytes`].
    pub fn event_queue_bytes(&self) -> Result<u64, Error> {
        self.read("event_queue_bytes")
    }

    /// `offline_budget_bytes`: see [`ConfigBuilder::offline_budget_bytes`].
    pub fn offline_budget_bytes(&self) -> Result<u64, Error> {
        self.read("offline_budget_bytes")
    }

    /// `metrics.enabled`: see [`ConfigBuilder::metrics_enabled`].
    pub fn metrics_enabled(&self) -> Result<bool, Error> {
        self.read("metrics.enabled")
    }

    /// `metrics.listen`: see [`ConfigBuilder::metrics_listen`].
    pub fn metrics_listen(&self) -> Result<String, Error> {
        self.read("metrics.listen")
    }

    /// `metrics.per_station`: see [`ConfigBuilder::metrics_per_station`].
    pub fn metrics_per_station(&self) -> Result<bool, Error> {
        self.read("metrics.per_station")
    }

    /// `csms.default_url`: see [`ConfigBuilder::default_url`].
    pub fn default_url(&self) -> Result<String, Error> {
        self.read("csms.default_url")
    }

    /// `csms.protocol`: see [`ConfigBuilder::protocol`].
    pub fn protocol(&self) -> Result<Vec<Protocol>, Error> {
        self.read("csms.protocol")
    }

    /// `csms.connection_timeout`: see [`ConfigBuilder::connection_timeout`].
    pub fn connection_timeout(&self) -> Result<Duration, Error> {
        self.read("csms.connection_timeout")
    }

    /// `csms.tcp_timeout`: see [`ConfigBuilder::tcp_timeout`].
    pub fn tcp_timeout(&self) -> Result<Duration, Error> {
        self.read("csms.tcp_timeout")
    }

    /// `csms.upgrade_timeout`: see [`ConfigBuilder::upgrade_timeout`].
    pub fn upgrade_timeout(&self) -> Result<Duration, Error> {
        self.read("csms.upgrade_timeout")
    }

    /// `csms.redirects_max`: see [`ConfigBuilder::redirects_max`].
    pub fn redirects_max(&self) -> Result<u32, Error> {
        self.read("csms.redirects_max")
    }

    /// `csms.write_timeout`: see [`ConfigBuilder::write_timeout`].
    pub fn write_timeout(&self) -> Result<Duration, Error> {
        self.read("csms.write_timeout")
    }

    /// `csms.read_timeout`: see [`ConfigBuilder::read_timeout`].
    pub fn read_timeout(&self) -> Result<Duration, Error> {
        self.read("csms.read_timeout")
    }

    /// `csms.close_timeout`: see [`ConfigBuilder::close_timeout`].
    pub fn close_timeout(&self) -> Result<Duration, Error> {
        self.read("csms.close_timeout")
    }

    /// `csms.source_address`: see [`ConfigBuilder::source_address`].
    pub fn source_address(&self) -> Result<Option<IpAddr>, Error> {
        self.read("csms.source_address")
    }

    /// `csms.ping_interval`: see [`ConfigBuilder::ping_interval`].
    pub fn ping_interval(&self) -> Result<Duration, Error> {
        self.read("csms.ping_interval")
    }

    /// `csms.pong_timeout`: see [`ConfigBuilder::pong_timeout`].
    pub fn pong_timeout(&self) -> Result<Duration, Error> {
        self.read("csms.pong_timeout")
    }

    /// `csms.heartbeat_interval`: see [`ConfigBuilder::heartbeat_interval`].
    pub fn heartbeat_interval(&self) -> Result<Duration, Error> {
        self.read("csms.heartbeat_interval")
    }

    /// `csms.max_reconnect_attempts`: see [`ConfigBuilder::max_reconnect_attempts`].
    pub fn max_reconnect_attempts(&self) -> Result<u32, Error> {
        self.read("csms.max_reconnect_attempts")
    }

    /// `csms.reconnect_policy`: see [`ConfigBuilder::reconnect_policy`].
    pub fn reconnect_policy(&self) -> Result<ReconnectPolicy, Error> {
        self.read("csms.reconnect_policy")
    }

    /// `csms.reconnect_backoff`: see [`ConfigBuilder::reconnect_backoff`].
    pub fn reconnect_backoff(&self) -> Result<Duration, Error> {
        self.read("csms.reconnect_backoff")
    }

    /// `csms.reconnect_max_backoff`: see [`ConfigBuilder::reconnect_max_backoff`].
    pub fn reconnect_max_backoff(&self) -> Result<Duration, Error> {
        self.read("csms.reconnect_max_backoff")
    }

    /// `csms.reconnect_jitter`: see [`ConfigBuilder::reconnect_jitter`].
    pub fn reconnect_jitter(&self) -> Result<f64, Error> {
        self.read("csms.reconnect_jitter")
    }

    /// `csms.refused_backoff`: see [`ConfigBuilder::refused_backoff`].
    pub fn refused_backoff(&self) -> Result<Duration, Error> {
        self.read("csms.refused_backoff")
    }

    /// `csms.refused_max_backoff`: see [`ConfigBuilder::refused_max_backoff`].
    pub fn refused_max_backoff(&self) -> Result<Duration, Error> {
        self.read("csms.refused_max_backoff")
    }

    /// `csms.reconnect_stable_after`: see [`ConfigBuilder::reconnect_stable_after`].
    pub fn reconnect_stable_after(&self) -> Result<Duration, Error> {
        self.read("csms.reconnect_stable_after")
    }

    /// `csms.retry_backoff_wait_minimum`: see [`ConfigBuilder::retry_backoff_wait_minimum`].
    pub fn retry_backoff_wait_minimum(&self) -> Result<Duration, Error> {
        self.read("csms.retry_backoff_wait_minimum")
    }

    /// `csms.retry_backoff_random_range`: see [`ConfigBuilder::retry_backoff_random_range`].
    pub fn retry_backoff_random_range(&self) -> Result<Duration, Error> {
        self.read("csms.retry_backoff_random_range")
    }

    /// `csms.retry_backoff_repeat_times`: see [`ConfigBuilder::retry_backoff_repeat_times`].
    pub fn retry_backoff_repeat_times(&self) -> Result<u32, Error> {
        self.read("csms.retry_backoff_repeat_times")
    }

    /// `csms.priority`: see [`ConfigBuilder::priority`].
    pub fn priority(&self) -> Result<Priority, Error> {
        self.read("csms.priority")
    }

    /// `governor.enabled`: see [`ConfigBuilder::governor_enabled`].
    pub fn governor_enabled(&self) -> Result<bool, Error> {
        self.read("governor.enabled")
    }

    /// `governor.handshakes_start`: see [`ConfigBuilder::governor_handshakes_start`].
    pub fn governor_handshakes_start(&self) -> Result<u32, Error> {
        self.read("governor.handshakes_start")
    }

    /// `governor.handshakes_min`: see [`ConfigBuilder::governor_handshakes_min`].
    pub fn governor_handshakes_min(&self) -> Result<u32, Error> {
        self.read("governor.handshakes_min")
    }

    /// `governor.handshakes_max`: see [`ConfigBuilder::governor_handshakes_max`].
    pub fn governor_handshakes_max(&self) -> Result<u32, Error> {
        self.read("governor.handshakes_max")
    }

    /// `governor.connects_per_second`: see [`ConfigBuilder::governor_connects_per_second`].
    pub fn governor_connects_per_second(&self) -> Result<u32, Error> {
        self.read("governor.connects_per_second")
    }

    /// `governor.breaker`: see [`ConfigBuilder::governor_breaker`].
    pub fn governor_breaker(&self) -> Result<bool, Error> {
        self.read("governor.breaker")
    }

    /// `governor.breaker_failures`: see [`ConfigBuilder::governor_breaker_failures`].
    pub fn governor_breaker_failures(&self) -> Result<f64, Error> {
        self.read("governor.breaker_failures")
    }

    /// `governor.breaker_attempts_min`: see [`ConfigBuilder::governor_breaker_attempts_min`].
    pub fn governor_breaker_attempts_min(&self) -> Result<u32, Error> {
        self.read("governor.breaker_attempts_min")
    }

    /// `governor.breaker_window`: see [`ConfigBuilder::governor_breaker_window`].
    pub fn governor_breaker_window(&self) -> Result<Duration, Error> {
        self.read("governor.breaker_window")
    }

    /// `governor.breaker_open`: see [`ConfigBuilder::governor_breaker_open`].
    pub fn governor_breaker_open(&self) -> Result<Duration, Error> {
        self.read("governor.breaker_open")
    }

    /// `governor.breaker_open_max`: see [`ConfigBuilder::governor_breaker_open_max`].
    pub fn governor_breaker_open_max(&self) -> Result<Duration, Error> {
        self.read("governor.breaker_open_max")
    }

    /// `governor.breaker_probes`: see [`ConfigBuilder::governor_breaker_probes`].
    pub fn governor_breaker_probes(&self) -> Result<u32, Error> {
        self.read("governor.breaker_probes")
    }

    /// `csms.message_size_max`: see [`ConfigBuilder::message_size_max`].
    pub fn message_size_max(&self) -> Result<u64, Error> {
        self.read("csms.message_size_max")
    }

    /// `csms.header_size_max`: see [`ConfigBuilder::header_size_max`].
    pub fn header_size_max(&self) -> Result<u64, Error> {
        self.read("csms.header_size_max")
    }

    /// `csms.header_count_max`: see [`ConfigBuilder::header_count_max`].
    pub fn header_count_max(&self) -> Result<u32, Error> {
        self.read("csms.header_count_max")
    }

    /// `csms.fragments_max`: see [`ConfigBuilder::fragments_max`].
    pub fn fragments_max(&self) -> Result<u32, Error> {
        self.read("csms.fragments_max")
    }

    /// `csms.send_queue_messages`: see [`ConfigBuilder::send_queue_messages`].
    pub fn send_queue_messages(&self) -> Result<u32, Error> {
        self.read("csms.send_queue_messages")
    }

    /// `csms.send_queue_bytes`: see [`ConfigBuilder::send_queue_bytes`].
    pub fn send_queue_bytes(&self) -> Result<u64, Error> {
        self.read("csms.send_queue_bytes")
    }

    /// `csms.send_queue_policy`: see [`ConfigBuilder::send_queue_policy`].
    pub fn send_queue_policy(&self) -> Result<SendQueuePolicy, Error> {
        self.read("csms.send_queue_policy")
    }

    /// `csms.offline_queue_messages`: see [`ConfigBuilder::offline_queue_messages`].
    pub fn offline_queue_messages(&self) -> Result<u32, Error> {
        self.read("csms.offline_queue_messages")
    }

    /// `csms.offline_queue_bytes`: see [`ConfigBuilder::offline_queue_bytes`].
    pub fn offline_queue_bytes(&self) -> Result<u64, Error> {
        self.read("csms.offline_queue_bytes")
    }

    /// `csms.offline_queue_max_age`: see [`ConfigBuilder::offline_queue_max_age`].
    pub fn offline_queue_max_age(&self) -> Result<Duration, Error> {
        self.read("csms.offline_queue_max_age")
    }

    /// `csms.offline_replay_rate`: see [`ConfigBuilder::offline_replay_rate`].
    pub fn offline_replay_rate(&self) -> Result<u32, Error> {
        self.read("csms.offline_replay_rate")
    }

    /// `csms.deflate.enabled`: see [`ConfigBuilder::deflate_enabled`].
    pub fn deflate_enabled(&self) -> Result<bool, Error> {
        self.read("csms.deflate.enabled")
    }

    /// `csms.deflate.window_bits`: see [`ConfigBuilder::deflate_window_bits`].
    pub fn deflate_window_bits(&self) -> Result<u32, Error> {
        self.read("csms.deflate.window_bits")
    }

    /// `csms.deflate.server_window_bits`: see [`ConfigBuilder::deflate_server_window_bits`].
    pub fn deflate_server_window_bits(&self) -> Result<u32, Error> {
        self.read("csms.deflate.server_window_bits")
    }

    /// `csms.deflate.memory_level`: see [`ConfigBuilder::deflate_memory_level`].
    pub fn deflate_memory_level(&self) -> Result<u32, Error> {
        self.read("csms.deflate.memory_level")
    }

    /// `csms.deflate.context_takeover`: see [`ConfigBuilder::deflate_context_takeover`].
    pub fn deflate_context_takeover(&self) -> Result<bool, Error> {
        self.read("csms.deflate.context_takeover")
    }

    /// `csms.deflate.server_context_takeover`: see [`ConfigBuilder::deflate_server_context_takeover`].
    pub fn deflate_server_context_takeover(&self) -> Result<bool, Error> {
        self.read("csms.deflate.server_context_takeover")
    }

    /// `csms.deflate.size_min`: see [`ConfigBuilder::deflate_size_min`].
    pub fn deflate_size_min(&self) -> Result<u64, Error> {
        self.read("csms.deflate.size_min")
    }

    /// `csms.security_profile`: see [`ConfigBuilder::security_profile`].
    pub fn security_profile(&self) -> Result<SecurityProfile, Error> {
        self.read("csms.security_profile")
    }

    /// `csms.tls.enabled`: see [`ConfigBuilder::tls_enabled`].
    pub fn tls_enabled(&self) -> Result<bool, Error> {
        self.read("csms.tls.enabled")
    }

    /// `csms.tls.ca_cert`: see [`ConfigBuilder::tls_ca_cert`]. Empty if not set.
    pub fn tls_ca_cert(&self) -> Result<PathBuf, Error> {
        self.read("csms.tls.ca_cert")
    }

    /// `csms.tls.ca_cert_pem`: see [`ConfigBuilder::tls_ca_cert_pem`]. Empty if not set.
    pub fn tls_ca_cert_pem(&self) -> Result<String, Error> {
        self.read("csms.tls.ca_cert_pem")
    }

    /// `csms.tls.client_cert`: see [`ConfigBuilder::tls_client_cert`]. Empty if not set.
    pub fn tls_client_cert(&self) -> Result<PathBuf, Error> {
        self.read("csms.tls.client_cert")
    }

    /// `csms.tls.client_cert_pem`: see [`ConfigBuilder::tls_client_cert_pem`]. Empty if not set.
    pub fn tls_client_cert_pem(&self) -> Result<String, Error> {
        self.read("csms.tls.client_cert_pem")
    }

    /// `csms.tls.client_key`: see [`ConfigBuilder::tls_client_key`]. Empty if not set.
    pub fn tls_client_key(&self) -> Result<PathBuf, Error> {
        self.read("csms.tls.client_key")
    }

    /// `csms.tls.client_key_password_file`: see [`ConfigBuilder::tls_client_key_password_file`]. Empty if not set.
    pub fn tls_client_key_password_file(&self) -> Result<PathBuf, Error> {
        self.read("csms.tls.client_key_password_file")
    }

    /// `csms.tls.crl_file`: see [`ConfigBuilder::tls_crl_file`]. Empty if not set.
    pub fn tls_crl_file(&self) -> Result<PathBuf, Error> {
        self.read("csms.tls.crl_file")
    }

    /// `csms.tls.server_name`: see [`ConfigBuilder::tls_server_name`]. Empty if not set.
    pub fn tls_server_name(&self) -> Result<String, Error> {
        self.read("csms.tls.server_name")
    }

    /// `csms.tls.min_version`: see [`ConfigBuilder::tls_min_version`].
    pub fn tls_min_version(&self) -> Result<TlsMinVersion, Error> {
        self.read("csms.tls.min_version")
    }

    /// `csms.tls.ciphers`: see [`ConfigBuilder::tls_ciphers`]. Empty if not set.
    pub fn tls_ciphers(&self) -> Result<String, Error> {
        self.read("csms.tls.ciphers")
    }

    /// `csms.tls.ciphersuites`: see [`ConfigBuilder::tls_ciphersuites`]. Empty if not set.
    pub fn tls_ciphersuites(&self) -> Result<String, Error> {
        self.read("csms.tls.ciphersuites")
    }

    /// `csms.tls.allow_wildcards`: see [`ConfigBuilder::tls_allow_wildcards`].
    pub fn tls_allow_wildcards(&self) -> Result<bool, Error> {
        self.read("csms.tls.allow_wildcards")
    }

    /// `csms.tls.handshake_timeout`: see [`ConfigBuilder::tls_handshake_timeout`].
    pub fn tls_handshake_timeout(&self) -> Result<Duration, Error> {
        self.read("csms.tls.handshake_timeout")
    }

    /// `csms.tls.insecure_skip_verify`: see [`ConfigBuilder::tls_insecure_skip_verify`].
    pub fn tls_insecure_skip_verify(&self) -> Result<bool, Error> {
        self.read("csms.tls.insecure_skip_verify")
    }

    /// `csms.tls.session_resumption`: see [`ConfigBuilder::tls_session_resumption`].
    pub fn tls_session_resumption(&self) -> Result<bool, Error> {
        self.read("csms.tls.session_resumption")
    }

    /// `csms.tls.key_log_file`: see [`ConfigBuilder::tls_key_log_file`]. Empty if not set.
    pub fn tls_key_log_file(&self) -> Result<PathBuf, Error> {
        self.read("csms.tls.key_log_file")
    }

    /// `csms.auth.type`: see [`ConfigBuilder::auth_type`].
    pub fn auth_type(&self) -> Result<AuthType, Error> {
        self.read("csms.auth.type")
    }

    /// `csms.auth.username`: see [`ConfigBuilder::auth_username`]. Empty if not set.
    pub fn auth_username(&self) -> Result<String, Error> {
        self.read("csms.auth.username")
    }

    /// `csms.auth.password_file`: see [`ConfigBuilder::auth_password_file`]. Empty if not set.
    pub fn auth_password_file(&self) -> Result<PathBuf, Error> {
        self.read("csms.auth.password_file")
    }

    /// `csms.auth.password_format`: see [`ConfigBuilder::auth_password_format`].
    pub fn auth_password_format(&self) -> Result<AuthPasswordFormat, Error> {
        self.read("csms.auth.password_format")
    }

    /// `csms.auth.token_file`: see [`ConfigBuilder::auth_token_file`]. Empty if not set.
    pub fn auth_token_file(&self) -> Result<PathBuf, Error> {
        self.read("csms.auth.token_file")
    }

    /// `csms.proxy.url`: see [`ConfigBuilder::proxy_url`]. Empty if not set.
    pub fn proxy_url(&self) -> Result<String, Error> {
        self.read("csms.proxy.url")
    }

    /// `csms.proxy.username`: see [`ConfigBuilder::proxy_username`]. Empty if not set.
    pub fn proxy_username(&self) -> Result<String, Error> {
        self.read("csms.proxy.username")
    }

    /// `csms.proxy.password_file`: see [`ConfigBuilder::proxy_password_file`]. Empty if not set.
    pub fn proxy_password_file(&self) -> Result<PathBuf, Error> {
        self.read("csms.proxy.password_file")
    }

    /// `csms.proxy.timeout`: see [`ConfigBuilder::proxy_timeout`].
    pub fn proxy_timeout(&self) -> Result<Duration, Error> {
        self.read("csms.proxy.timeout")
    }

    /// `trace.file`: see [`ConfigBuilder::trace_file`]. Empty if not set.
    pub fn trace_file(&self) -> Result<PathBuf, Error> {
        self.read("trace.file")
    }

    /// `trace.enabled`: see [`ConfigBuilder::trace_enabled`].
    pub fn trace_enabled(&self) -> Result<bool, Error> {
        self.read("trace.enabled")
    }

    /// `trace.file_size_max`: see [`ConfigBuilder::trace_file_size_max`].
    pub fn trace_file_size_max(&self) -> Result<u64, Error> {
        self.read("trace.file_size_max")
    }

    /// `trace.files_max`: see [`ConfigBuilder::trace_files_max`].
    pub fn trace_files_max(&self) -> Result<u32, Error> {
        self.read("trace.files_max")
    }

    /// `trace.id_tokens`: see [`ConfigBuilder::trace_id_tokens`].
    pub fn trace_id_tokens(&self) -> Result<bool, Error> {
        self.read("trace.id_tokens")
    }
}
