// Made by bindings/generate from the option schema. Change that, not this file.
#ifndef CHARGEWIRE_OPTIONS_HPP
#define CHARGEWIRE_OPTIONS_HPP

#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chargewire {

// Values of log_level.
enum class LogLevel { off, error, warning, info, debug };

namespace detail {
inline const char* option_text(LogLevel value) noexcept {
  switch (value) {
    case LogLevel::off:
      return "off";
    case LogLevel::error:
      return "error";
    case LogLevel::warning:
      return "warning";
    case LogLevel::info:
      return "info";
    case LogLevel::debug:
      return "debug";
  }
  return "";  // a number that is none of them, which the library refuses
}
}  // namespace detail

// Values of csms.protocol.
enum class Protocol { v1_6, v2_0_1, v2_1 };

namespace detail {
inline const char* option_text(Protocol value) noexcept {
  switch (value) {
    case Protocol::v1_6:
      return "1.6";
    case Protocol::v2_0_1:
      return "2.0.1";
    case Protocol::v2_1:
      return "2.1";
  }
  return "";  // a number that is none of them, which the library refuses
}
}  // namespace detail

// Values of csms.reconnect_policy.
enum class ReconnectPolicy { exponential, ocpp, full, decorrelated };

namespace detail {
inline const char* option_text(ReconnectPolicy value) noexcept {
  switch (value) {
    case ReconnectPolicy::exponential:
      return "exponential";
    case ReconnectPolicy::ocpp:
      return "ocpp";
    case ReconnectPolicy::full:
      return "full";
    case ReconnectPolicy::decorrelated:
      return "decorrelated";
  }
  return "";  // a number that is none of them, which the library refuses
}
}  // namespace detail

// Values of csms.priority.
enum class Priority { high, normal, low };

namespace detail {
inline const char* option_text(Priority value) noexcept {
  switch (value) {
    case Priority::high:
      return "high";
    case Priority::normal:
      return "normal";
    case Priority::low:
      return "low";
  }
  return "";  // a number that is none of them, which the library refuses
}
}  // namespace detail

// Values of csms.send_queue_policy.
enum class SendQueuePolicy { reject, drop_oldest, drop_newest };

namespace detail {
inline const char* option_text(SendQueuePolicy value) noexcept {
  switch (value) {
    case SendQueuePolicy::reject:
      return "reject";
    case SendQueuePolicy::drop_oldest:
      return "drop_oldest";
    case SendQueuePolicy::drop_newest:
      return "drop_newest";
  }
  return "";  // a number that is none of them, which the library refuses
}
}  // namespace detail

// Values of csms.security_profile.
enum class SecurityProfile { profile_0, profile_1, profile_2, profile_3 };

namespace detail {
inline const char* option_text(SecurityProfile value) noexcept {
  switch (value) {
    case SecurityProfile::profile_0:
      return "0";
    case SecurityProfile::profile_1:
      return "1";
    case SecurityProfile::profile_2:
      return "2";
    case SecurityProfile::profile_3:
      return "3";
  }
  return "";  // a number that is none of them, which the library refuses
}
}  // namespace detail

// Values of csms.tls.min_version.
enum class TlsMinVersion { v1_2, v1_3 };

namespace detail {
inline const char* option_text(TlsMinVersion value) noexcept {
  switch (value) {
    case TlsMinVersion::v1_2:
      return "1.2";
    case TlsMinVersion::v1_3:
      return "1.3";
  }
  return "";  // a number that is none of them, which the library refuses
}
}  // namespace detail

// Values of csms.auth.type.
enum class AuthType { none, basic, bearer };

namespace detail {
inline const char* option_text(AuthType value) noexcept {
  switch (value) {
    case AuthType::none:
      return "none";
    case AuthType::basic:
      return "basic";
    case AuthType::bearer:
      return "bearer";
  }
  return "";  // a number that is none of them, which the library refuses
}
}  // namespace detail

// Values of csms.auth.password_format.
enum class AuthPasswordFormat { text, hex };

namespace detail {
inline const char* option_text(AuthPasswordFormat value) noexcept {
  switch (value) {
    case AuthPasswordFormat::text:
      return "text";
    case AuthPasswordFormat::hex:
      return "hex";
  }
  return "";  // a number that is none of them, which the library refuses
}
}  // namespace detail

namespace detail {

inline std::string option_text(std::chrono::milliseconds value) { return std::to_string(value.count()) + "ms"; }

// In millionths, by hand: the decimal point that the C library would write is the locale's. What is no ratio stays
// none, for the library to refuse.
inline std::string option_text(double value) {
  if (!(value >= 0 && value <= 100)) return "no ratio";
  const long long millionths = std::llround(value * 1000000);
  const std::string fraction = std::to_string(1000000 + millionths % 1000000);
  return std::to_string(millionths / 1000000) + '.' + fraction.substr(1);
}

template <class Choice>
std::string option_text(const std::vector<Choice>& values) {
  std::string text;
  for (const Choice value : values) text.append(text.empty() ? "" : ",").append(option_text(value));
  return text;
}

// Back from text as the library writes it: an amount is a number and its unit, perhaps several, as in "1m30s".
template <class Factor>
std::uint64_t option_amount(std::string_view text, Factor factor) {
  std::uint64_t sum = 0;
  while (!text.empty()) {
    const std::size_t digits = text.find_first_not_of("0123456789");
    const std::uint64_t number = std::stoull(std::string(text.substr(0, digits)));
    text.remove_prefix(digits == std::string_view::npos ? text.size() : digits);
    const std::string_view unit = text.substr(0, text.find_first_of("0123456789"));
    text.remove_prefix(unit.size());
    sum += number * factor(unit);
  }
  return sum;
}

inline std::chrono::milliseconds option_milliseconds(std::string_view text) {
  const auto factor = [](std::string_view unit) -> std::uint64_t {
    return unit == "h" ? 3600000 : unit == "m" ? 60000 : unit == "s" ? 1000 : 1;
  };
  return std::chrono::milliseconds(static_cast<std::int64_t>(option_amount(text, factor)));
}

inline std::uint64_t option_bytes(std::string_view text) {
  const auto factor = [](std::string_view unit) -> std::uint64_t {
    return unit == "GiB" ? 1 << 30 : unit == "MiB" ? 1 << 20 : unit == "KiB" ? 1 << 10 : 1;
  };
  return option_amount(text, factor);
}

// "12.5%".
inline double option_ratio(std::string text) {
  const std::size_t point = text.find('.');
  double divisor = 100;
  if (point != std::string::npos) {
    text.erase(point, 1);
    for (std::size_t i = point; text[i] != '%'; ++i) divisor *= 10;
  }
  return static_cast<double>(std::stoll(text)) / divisor;
}

// One that a newer library has is a number that is none of them.
template <class Choice>
Choice option_choice(std::string_view text) {
  for (int number = 0;; ++number) {
    const std::string_view known = option_text(static_cast<Choice>(number));
    if (known.empty() || known == text) return static_cast<Choice>(number);
  }
}

template <class Choice>
std::vector<Choice> option_choices(std::string_view text) {
  std::vector<Choice> values;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(", ");
    values.push_back(option_choice<Choice>(text.substr(0, end)));
    text.remove_prefix(end == std::string_view::npos ? text.size() : text.find_first_not_of(", ", end));
  }
  return values;
}

}  // namespace detail

// The options as functions of Config, which derives from this. With a value each sets its option and returns the
// Config, so that they can be strung together, and throws Error with Status::config for a value that is out of its
// range; then nothing is changed. Without one it gives the value.
template <class Config>
class Options {
 public:
  // I/O threads that the stations are spread over. `0`: one per core. Default: 0. From 0 to 256.
  Config& io_threads(std::int64_t value) { return set("io_threads", std::to_string(value)); }
  std::int64_t io_threads() const { return std::stoll(get("io_threads")); }

  // The least important LOG events to deliver. Default: warning. Live: by Station::reconfigure it acts on the open
  // connection, at once.
  Config& log_level(LogLevel value) { return set("log_level", detail::option_text(value)); }
  LogLevel log_level() const { return detail::option_choice<LogLevel>(get("log_level")); }

  // Events that may wait to be polled before reading from sockets pauses. Nothing is dropped. Default: 16384. From 1 to
  // 16777216.
  Config& event_queue_max(std::int64_t value) { return set("event_queue_max", std::to_string(value)); }
  std::int64_t event_queue_max() const { return std::stoll(get("event_queue_max")); }

  // Bytes of data of such events that may wait before reading pauses. What one read brings may exceed it. In bytes.
  // Default: 64MiB. From 1B to 1024GiB.
  Config& event_queue_bytes(std::uint64_t value) { return set("event_queue_bytes", std::to_string(value)); }
  std::uint64_t event_queue_bytes() const { return detail::option_bytes(get("event_queue_bytes")); }

  // Bytes that the offline queues of all stations may hold together. In bytes. Default: 64MiB. From 0B to 1024GiB.
  Config& offline_budget_bytes(std::uint64_t value) { return set("offline_budget_bytes", std::to_string(value)); }
  std::uint64_t offline_budget_bytes() const { return detail::option_bytes(get("offline_budget_bytes")); }

  // `true`: also count what costs a little per message or batch of events; see docs/metrics.md. `metrics.listen` says
  // so as well. Default: false.
  Config& metrics_enabled(bool value) { return set("metrics.enabled", value ? "true" : "false"); }
  bool metrics_enabled() const { return get("metrics.enabled") == "true"; }

  // Where to serve `/metrics` to Prometheus: `9464`, which is that port of the loopback `127.0.0.1`, `192.0.2.10:9464`
  // or `[::1]:9464`. Port `0`: one that is free, see `cwire_manager_metrics_url`. There is neither TLS nor a password.
  // Empty: nowhere.
  Config& metrics_listen(std::string_view value) { return set("metrics.listen", value); }
  std::string metrics_listen() const { return get("metrics.listen"); }

  // `true`: each station has time series of its own beside the sums: some 14, which ten thousand stations make 140,000.
  // Default: false.
  Config& metrics_per_station(bool value) { return set("metrics.per_station", value ? "true" : "false"); }
  bool metrics_per_station() const { return get("metrics.per_station") == "true"; }

  // Where stations without a URL of their own connect: `ws://` or `wss://`. The station id is percent-encoded onto the
  // end of its path. Default: ws://localhost:9000.
  Config& default_url(std::string_view value) { return set("csms.default_url", value); }
  std::string default_url() const { return get("csms.default_url"); }

  // OCPP version to offer, or several in order of preference: `2.1, 2.0.1, 1.6`. Default: v1_6.
  Config& protocol(const std::vector<Protocol>& value) { return set("csms.protocol", detail::option_text(value)); }
  std::vector<Protocol> protocol() const { return detail::option_choices<Protocol>(get("csms.protocol")); }

  // Extra headers of the upgrade request, each under its own name. See docs/configuration.md#headers. A secret: no
  // message, log or get() shows it.
  Config& headers(std::string_view name, std::string_view value) {
    return set(std::string("csms.headers.").append(name), value);
  }

  // Time for one whole attempt: resolving (5 s at most), TCP, TLS and the WebSocket upgrade together. In whole
  // milliseconds. Default: 30s. From 1ms to 24h.
  Config& connection_timeout(std::chrono::milliseconds value) {
    return set("csms.connection_timeout", detail::option_text(value));
  }
  std::chrono::milliseconds connection_timeout() const {
    return detail::option_milliseconds(get("csms.connection_timeout"));
  }

  // Time for the TCP connection, over all addresses of the host. They are tried 250 ms apart, and the first to answer
  // is taken. In whole milliseconds. Default: 10s. From 1ms to 24h.
  Config& tcp_timeout(std::chrono::milliseconds value) { return set("csms.tcp_timeout", detail::option_text(value)); }
  std::chrono::milliseconds tcp_timeout() const { return detail::option_milliseconds(get("csms.tcp_timeout")); }

  // Time for the whole answer to the upgrade request. In whole milliseconds. Default: 10s. From 1ms to 24h.
  Config& upgrade_timeout(std::chrono::milliseconds value) {
    return set("csms.upgrade_timeout", detail::option_text(value));
  }
  std::chrono::milliseconds upgrade_timeout() const { return detail::option_milliseconds(get("csms.upgrade_timeout")); }

  // How many redirects (301, 302, 303, 307, 308) one attempt follows, all within its time. `0`: none. Never from `wss`
  // to `ws`. Credentials and `csms.headers` go to the host and port of the URL only; with a client certificate the
  // attempt too. Default: 0. From 0 to 10.
  Config& redirects_max(std::int64_t value) { return set("csms.redirects_max", std::to_string(value)); }
  std::int64_t redirects_max() const { return std::stoll(get("csms.redirects_max")); }

  // A connection that takes no byte for this long, while some wait to be sent, is lost. In whole milliseconds. Default:
  // 10s. From 1ms to 24h. Live: by Station::reconfigure it acts on the open connection, at once.
  Config& write_timeout(std::chrono::milliseconds value) {
    return set("csms.write_timeout", detail::option_text(value));
  }
  std::chrono::milliseconds write_timeout() const { return detail::option_milliseconds(get("csms.write_timeout")); }

  // A connection on which nothing arrives for this long, pongs included, is lost. While output waits for the peer only
  // `csms.write_timeout` counts. `0s`: off. Left at its default, it is never less than twice the ping interval, or
  // twice the heartbeat interval where pings are off. In whole milliseconds. Default: 60s. From 0s to 24h. Live: by
  // Station::reconfigure it acts on the open connection, at once.
  Config& read_timeout(std::chrono::milliseconds value) { return set("csms.read_timeout", detail::option_text(value)); }
  std::chrono::milliseconds read_timeout() const { return detail::option_milliseconds(get("csms.read_timeout")); }

  // Time for the close handshake, and for sending what is queued before it. In whole milliseconds. Default: 5s. From
  // 1ms to 24h. Live: by Station::reconfigure it acts on the open connection, at once.
  Config& close_timeout(std::chrono::milliseconds value) {
    return set("csms.close_timeout", detail::option_text(value));
  }
  std::chrono::milliseconds close_timeout() const { return detail::option_milliseconds(get("csms.close_timeout")); }

  // Local address to connect from, of the network interface that is to be used. Addresses of the host that are of the
  // other version of IP are not tried. Empty: the system chooses.
  Config& source_address(std::string_view value) { return set("csms.source_address", value); }
  std::string source_address() const { return get("csms.source_address"); }

  // Time between WebSocket pings, +-10 %; twice that while messages arrive. `0s`: off. In whole milliseconds. Default:
  // 30s. From 0s to 24h. Live: by Station::reconfigure it acts on the open connection, at once.
  Config& ping_interval(std::chrono::milliseconds value) {
    return set("csms.ping_interval", detail::option_text(value));
  }
  std::chrono::milliseconds ping_interval() const { return detail::option_milliseconds(get("csms.ping_interval")); }

  // A ping without its pong for this long means that the connection is lost. In whole milliseconds. Default: 10s. From
  // 1ms to 24h. Live: by Station::reconfigure it acts on the open connection, at once.
  Config& pong_timeout(std::chrono::milliseconds value) { return set("csms.pong_timeout", detail::option_text(value)); }
  std::chrono::milliseconds pong_timeout() const { return detail::option_milliseconds(get("csms.pong_timeout")); }

  // OCPP's Heartbeat, which the application sends. The library only keeps the value and gives it back. In whole
  // milliseconds. Default: 60s. From 0s to 8760h. Live: by Station::reconfigure it acts on the open connection, at
  // once.
  Config& heartbeat_interval(std::chrono::milliseconds value) {
    return set("csms.heartbeat_interval", detail::option_text(value));
  }
  std::chrono::milliseconds heartbeat_interval() const {
    return detail::option_milliseconds(get("csms.heartbeat_interval"));
  }

  // Failed attempts in a row before a station gives up. `0`: it never does. Default: 0. From 0 to 1000000. Live: by
  // Station::reconfigure it acts on the open connection, at once.
  Config& max_reconnect_attempts(std::int64_t value) {
    return set("csms.max_reconnect_attempts", std::to_string(value));
  }
  std::int64_t max_reconnect_attempts() const { return std::stoll(get("csms.max_reconnect_attempts")); }

  // How the waits grow: `exponential` doubles and varies by the jitter; `ocpp` is RetryBackOff of OCPP 2.x with the
  // `retry_backoff_*` options; `full` takes a random share of the doubled wait; `decorrelated` a random wait up to
  // three times the one before. Default: exponential. Live: by Station::reconfigure it acts on the open connection, at
  // once.
  Config& reconnect_policy(ReconnectPolicy value) { return set("csms.reconnect_policy", detail::option_text(value)); }
  ReconnectPolicy reconnect_policy() const {
    return detail::option_choice<ReconnectPolicy>(get("csms.reconnect_policy"));
  }

  // The first wait. In whole milliseconds. Default: 5s. From 1ms to 24h. Live: by Station::reconfigure it acts on the
  // open connection, at once.
  Config& reconnect_backoff(std::chrono::milliseconds value) {
    return set("csms.reconnect_backoff", detail::option_text(value));
  }
  std::chrono::milliseconds reconnect_backoff() const {
    return detail::option_milliseconds(get("csms.reconnect_backoff"));
  }

  // The longest wait, before the jitter is applied. In whole milliseconds. Default: 60s. From 1ms to 24h. Live: by
  // Station::reconfigure it acts on the open connection, at once.
  Config& reconnect_max_backoff(std::chrono::milliseconds value) {
    return set("csms.reconnect_max_backoff", detail::option_text(value));
  }
  std::chrono::milliseconds reconnect_max_backoff() const {
    return detail::option_milliseconds(get("csms.reconnect_max_backoff"));
  }

  // How far a wait may vary each way, so that a fleet does not come back all at once. A ratio: 0.2 is 20 %. Default:
  // 20%. From 0% to 100%. Live: by Station::reconfigure it acts on the open connection, at once.
  Config& reconnect_jitter(double value) { return set("csms.reconnect_jitter", detail::option_text(value)); }
  double reconnect_jitter() const { return detail::option_ratio(get("csms.reconnect_jitter")); }

  // The first wait after an answer that only people can change: HTTP 401, 403, 404 or 426, no common OCPP version; and
  // from the fourth try on after a certificate or TLS version that is not accepted. It doubles, +-20 %, and is never
  // shorter than the shortest wait of `csms.reconnect_policy`. In whole milliseconds. Default: 60s. From 1ms to 24h.
  // Live: by Station::reconfigure it acts on the open connection, at once.
  Config& refused_backoff(std::chrono::milliseconds value) {
    return set("csms.refused_backoff", detail::option_text(value));
  }
  std::chrono::milliseconds refused_backoff() const { return detail::option_milliseconds(get("csms.refused_backoff")); }

  // The longest such wait. For certificates and TLS versions 15 minutes at most. In whole milliseconds. Default: 1h.
  // From 1ms to 24h. Live: by Station::reconfigure it acts on the open connection, at once.
  Config& refused_max_backoff(std::chrono::milliseconds value) {
    return set("csms.refused_max_backoff", detail::option_text(value));
  }
  std::chrono::milliseconds refused_max_backoff() const {
    return detail::option_milliseconds(get("csms.refused_max_backoff"));
  }

  // Connected for this long, the waits begin anew with the first. `ocpp` begins anew at once. In whole milliseconds.
  // Default: 30s. From 0s to 24h. Live: by Station::reconfigure it acts on the open connection, at once.
  Config& reconnect_stable_after(std::chrono::milliseconds value) {
    return set("csms.reconnect_stable_after", detail::option_text(value));
  }
  std::chrono::milliseconds reconnect_stable_after() const {
    return detail::option_milliseconds(get("csms.reconnect_stable_after"));
  }

  // RetryBackOffWaitMinimum of OCPP 2.x: the first wait, for policy `ocpp`. In whole milliseconds. Default: 10s. From
  // 0s to 24h. Live: by Station::reconfigure it acts on the open connection, at once.
  Config& retry_backoff_wait_minimum(std::chrono::milliseconds value) {
    return set("csms.retry_backoff_wait_minimum", detail::option_text(value));
  }
  std::chrono::milliseconds retry_backoff_wait_minimum() const {
    return detail::option_milliseconds(get("csms.retry_backoff_wait_minimum"));
  }

  // RetryBackOffRandomRange of OCPP 2.x: up to this much is added to each wait, for policy `ocpp`. In whole
  // milliseconds. Default: 10s. From 0s to 24h. Live: by Station::reconfigure it acts on the open connection, at once.
  Config& retry_backoff_random_range(std::chrono::milliseconds value) {
    return set("csms.retry_backoff_random_range", detail::option_text(value));
  }
  std::chrono::milliseconds retry_backoff_random_range() const {
    return detail::option_milliseconds(get("csms.retry_backoff_random_range"));
  }

  // RetryBackOffRepeatTimes of OCPP 2.x: how often the wait doubles, for policy `ocpp`. Default: 3. From 0 to 10. Live:
  // by Station::reconfigure it acts on the open connection, at once.
  Config& retry_backoff_repeat_times(std::int64_t value) {
    return set("csms.retry_backoff_repeat_times", std::to_string(value));
  }
  std::int64_t retry_backoff_repeat_times() const { return std::stoll(get("csms.retry_backoff_repeat_times")); }

  // Of thirteen turns to dial an endpoint eight go to stations of `high` priority, four to `normal` and one to `low`,
  // while some of each wait. Who waited for 30 s moves up. Default: normal.
  Config& priority(Priority value) { return set("csms.priority", detail::option_text(value)); }
  Priority priority() const { return detail::option_choice<Priority>(get("csms.priority")); }

  // `false`: stations dial as soon as their own wait is over, however many others do. Default: true.
  Config& governor_enabled(bool value) { return set("governor.enabled", value ? "true" : "false"); }
  bool governor_enabled() const { return get("governor.enabled") == "true"; }

  // How many attempts to connect may be under way at one endpoint (scheme, host and port) to begin with. The limit
  // grows while the time they take holds, and shrinks by 30 % when one times out, is refused, or is told to wait.
  // Default: 64. From 1 to 100000.
  Config& governor_handshakes_start(std::int64_t value) {
    return set("governor.handshakes_start", std::to_string(value));
  }
  std::int64_t governor_handshakes_start() const { return std::stoll(get("governor.handshakes_start")); }

  // How far that limit may shrink. Default: 1. From 1 to 100000.
  Config& governor_handshakes_min(std::int64_t value) { return set("governor.handshakes_min", std::to_string(value)); }
  std::int64_t governor_handshakes_min() const { return std::stoll(get("governor.handshakes_min")); }

  // How far that limit may grow. Default: 1024. From 1 to 100000.
  Config& governor_handshakes_max(std::int64_t value) { return set("governor.handshakes_max", std::to_string(value)); }
  std::int64_t governor_handshakes_max() const { return std::stoll(get("governor.handshakes_max")); }

  // Attempts per second to one endpoint, evenly spread. `0`: as many as the limit of those under way lets through.
  // Default: 0. From 0 to 1000000.
  Config& governor_connects_per_second(std::int64_t value) {
    return set("governor.connects_per_second", std::to_string(value));
  }
  std::int64_t governor_connects_per_second() const { return std::stoll(get("governor.connects_per_second")); }

  // `false`: an endpoint that fails is tried all the same, each station by its own schedule. Default: true.
  Config& governor_breaker(bool value) { return set("governor.breaker", value ? "true" : "false"); }
  bool governor_breaker() const { return get("governor.breaker") == "true"; }

  // When so many of an endpoint's attempts failed, nobody tries it for a while. Refusals (401, 403, 404, 426,
  // certificates) do not count; a connection that is lost within the window does. A ratio: 0.2 is 20 %. Default: 50%.
  // From 1% to 100%.
  Config& governor_breaker_failures(double value) {
    return set("governor.breaker_failures", detail::option_text(value));
  }
  double governor_breaker_failures() const { return detail::option_ratio(get("governor.breaker_failures")); }

  // Fewer attempts within the window prove nothing. Default: 20. From 1 to 1000000.
  Config& governor_breaker_attempts_min(std::int64_t value) {
    return set("governor.breaker_attempts_min", std::to_string(value));
  }
  std::int64_t governor_breaker_attempts_min() const { return std::stoll(get("governor.breaker_attempts_min")); }

  // How far back attempts are counted. In whole milliseconds. Default: 10s. From 100ms to 1h.
  Config& governor_breaker_window(std::chrono::milliseconds value) {
    return set("governor.breaker_window", detail::option_text(value));
  }
  std::chrono::milliseconds governor_breaker_window() const {
    return detail::option_milliseconds(get("governor.breaker_window"));
  }

  // How long nobody tries: so long times the number of times in a row, and up to a quarter more. In whole milliseconds.
  // Default: 30s. From 1ms to 24h.
  Config& governor_breaker_open(std::chrono::milliseconds value) {
    return set("governor.breaker_open", detail::option_text(value));
  }
  std::chrono::milliseconds governor_breaker_open() const {
    return detail::option_milliseconds(get("governor.breaker_open"));
  }

  // The longest of these times, before the quarter. In whole milliseconds. Default: 5m. From 1ms to 24h.
  Config& governor_breaker_open_max(std::chrono::milliseconds value) {
    return set("governor.breaker_open_max", detail::option_text(value));
  }
  std::chrono::milliseconds governor_breaker_open_max() const {
    return detail::option_milliseconds(get("governor.breaker_open_max"));
  }

  // How many stations try then; when all get through, the others follow, few at first. Default: 3. From 1 to 1000.
  Config& governor_breaker_probes(std::int64_t value) { return set("governor.breaker_probes", std::to_string(value)); }
  std::int64_t governor_breaker_probes() const { return std::stoll(get("governor.breaker_probes")); }

  // The largest message, each way. In bytes. Default: 1MiB. From 1B to 1GiB.
  Config& message_size_max(std::uint64_t value) { return set("csms.message_size_max", std::to_string(value)); }
  std::uint64_t message_size_max() const { return detail::option_bytes(get("csms.message_size_max")); }

  // The largest answer to the upgrade request, and of a proxy to CONNECT. In bytes. Default: 16KiB. From 256B to 1MiB.
  Config& header_size_max(std::uint64_t value) { return set("csms.header_size_max", std::to_string(value)); }
  std::uint64_t header_size_max() const { return detail::option_bytes(get("csms.header_size_max")); }

  // The most headers in either. Default: 100. From 1 to 10000.
  Config& header_count_max(std::int64_t value) { return set("csms.header_count_max", std::to_string(value)); }
  std::int64_t header_count_max() const { return std::stoll(get("csms.header_count_max")); }

  // The most frames that one message may arrive in. Default: 4096. From 1 to 1000000.
  Config& fragments_max(std::int64_t value) { return set("csms.fragments_max", std::to_string(value)); }
  std::int64_t fragments_max() const { return std::stoll(get("csms.fragments_max")); }

  // Messages that may wait to be sent before the queue is full. Default: 100. From 1 to 1000000. Live: by
  // Station::reconfigure it acts on the open connection, at once.
  Config& send_queue_messages(std::int64_t value) { return set("csms.send_queue_messages", std::to_string(value)); }
  std::int64_t send_queue_messages() const { return std::stoll(get("csms.send_queue_messages")); }

  // Bytes that may wait to be sent before the queue is full. A larger message goes through an empty queue. In bytes.
  // Default: 1MiB. From 1B to 1GiB. Live: by Station::reconfigure it acts on the open connection, at once.
  Config& send_queue_bytes(std::uint64_t value) { return set("csms.send_queue_bytes", std::to_string(value)); }
  std::uint64_t send_queue_bytes() const { return detail::option_bytes(get("csms.send_queue_bytes")); }

  // When the queue is full: `reject` refuses the send, `drop_oldest` accepts it and drops what waits longest,
  // `drop_newest` accepts it and drops it. What is dropped is reported as not sent. See docs/operations.md#queues.
  // Default: reject. Live: by Station::reconfigure it acts on the open connection, at once.
  Config& send_queue_policy(SendQueuePolicy value) { return set("csms.send_queue_policy", detail::option_text(value)); }
  SendQueuePolicy send_queue_policy() const {
    return detail::option_choice<SendQueuePolicy>(get("csms.send_queue_policy"));
  }

  // Messages that a station may keep while it is not connected, to be sent after the reconnect. `0`: none, a send is
  // refused then. When it is full, `csms.send_queue_policy` decides. See docs/operations.md#queues. Default: 0. From 0
  // to 1000000. Live: by Station::reconfigure it acts on the open connection, at once.
  Config& offline_queue_messages(std::int64_t value) {
    return set("csms.offline_queue_messages", std::to_string(value));
  }
  std::int64_t offline_queue_messages() const { return std::stoll(get("csms.offline_queue_messages")); }

  // Bytes of them. `offline_budget_bytes` limits what all stations keep together. In bytes. Default: 1MiB. From 1B to
  // 1GiB. Live: by Station::reconfigure it acts on the open connection, at once.
  Config& offline_queue_bytes(std::uint64_t value) { return set("csms.offline_queue_bytes", std::to_string(value)); }
  std::uint64_t offline_queue_bytes() const { return detail::option_bytes(get("csms.offline_queue_bytes")); }

  // A message that waits longer is reported as not sent. `0s`: it waits for ever. In whole milliseconds. Default: 0s.
  // From 0s to 8760h. Live: by Station::reconfigure it acts on the open connection, at once.
  Config& offline_queue_max_age(std::chrono::milliseconds value) {
    return set("csms.offline_queue_max_age", detail::option_text(value));
  }
  std::chrono::milliseconds offline_queue_max_age() const {
    return detail::option_milliseconds(get("csms.offline_queue_max_age"));
  }

  // Messages a second that a station sends of them after the reconnect, so that a CSMS does not take it for an attack.
  // What is sent meanwhile stands in line. `0`: as fast as the connection takes them. Default: 10. From 0 to 1000000.
  // Live: by Station::reconfigure it acts on the open connection, at once.
  Config& offline_replay_rate(std::int64_t value) { return set("csms.offline_replay_rate", std::to_string(value)); }
  std::int64_t offline_replay_rate() const { return std::stoll(get("csms.offline_replay_rate")); }

  // `true`: permessage-deflate (RFC 7692) is offered. Not where one message may hold a secret and what somebody else
  // chose: how long it becomes then tells of the secret, through TLS too (CRIME). See docs/operations.md#compression.
  // Default: false.
  Config& deflate_enabled(bool value) { return set("csms.deflate.enabled", value ? "true" : "false"); }
  bool deflate_enabled() const { return get("csms.deflate.enabled") == "true"; }

  // How far back what the station compresses may refer, `2^n` bytes. The CSMS may ask for less. Default: 11. From 9 to
  // 15.
  Config& deflate_window_bits(std::int64_t value) { return set("csms.deflate.window_bits", std::to_string(value)); }
  std::int64_t deflate_window_bits() const { return std::stoll(get("csms.deflate.window_bits")); }

  // The same of what the CSMS compresses. Less than `15` is asked for, and who does not grant it is not connected to.
  // Default: 15. From 9 to 15.
  Config& deflate_server_window_bits(std::int64_t value) {
    return set("csms.deflate.server_window_bits", std::to_string(value));
  }
  std::int64_t deflate_server_window_bits() const { return std::stoll(get("csms.deflate.server_window_bits")); }

  // memLevel of zlib for what the station compresses: `2^(n+9)` bytes. Default: 3. From 1 to 9.
  Config& deflate_memory_level(std::int64_t value) { return set("csms.deflate.memory_level", std::to_string(value)); }
  std::int64_t deflate_memory_level() const { return std::stoll(get("csms.deflate.memory_level")); }

  // `true`: what the station compresses refers to its messages before, where the CSMS allows that. Small messages
  // become much smaller, and each station keeps the memory. Default: false.
  Config& deflate_context_takeover(bool value) {
    return set("csms.deflate.context_takeover", value ? "true" : "false");
  }
  bool deflate_context_takeover() const { return get("csms.deflate.context_takeover") == "true"; }

  // The same of what the CSMS compresses. `false` is asked for, and who does not grant it is not connected to. Default:
  // false.
  Config& deflate_server_context_takeover(bool value) {
    return set("csms.deflate.server_context_takeover", value ? "true" : "false");
  }
  bool deflate_server_context_takeover() const { return get("csms.deflate.server_context_takeover") == "true"; }

  // Smaller messages go out uncompressed. In bytes. Default: 128B. From 1B to 1GiB.
  Config& deflate_size_min(std::uint64_t value) { return set("csms.deflate.size_min", std::to_string(value)); }
  std::uint64_t deflate_size_min() const { return detail::option_bytes(get("csms.deflate.size_min")); }

  // OCPP's: `1` Basic without TLS, `2` TLS and Basic, `3` TLS with a client certificate. What contradicts it is
  // refused. `0`: none; then Basic over `ws://` is refused. See docs/security.md. Default: profile_0.
  Config& security_profile(SecurityProfile value) { return set("csms.security_profile", detail::option_text(value)); }
  SecurityProfile security_profile() const {
    return detail::option_choice<SecurityProfile>(get("csms.security_profile"));
  }

  // `true`: a `ws://` URL is refused. TLS itself follows from `wss://`. Default: false.
  Config& tls_enabled(bool value) { return set("csms.tls.enabled", value ? "true" : "false"); }
  bool tls_enabled() const { return get("csms.tls.enabled") == "true"; }

  // PEM file of the CAs to trust. Empty: the system's.
  Config& tls_ca_cert(std::string_view value) { return set("csms.tls.ca_cert", value); }
  std::string tls_ca_cert() const { return get("csms.tls.ca_cert"); }

  // The same as text, instead of a file.
  Config& tls_ca_cert_pem(std::string_view value) { return set("csms.tls.ca_cert_pem", value); }
  std::string tls_ca_cert_pem() const { return get("csms.tls.ca_cert_pem"); }

  // PEM file of the station's certificate and its chain, for security profile 3.
  Config& tls_client_cert(std::string_view value) { return set("csms.tls.client_cert", value); }
  std::string tls_client_cert() const { return get("csms.tls.client_cert"); }

  // The same as text, instead of a file.
  Config& tls_client_cert_pem(std::string_view value) { return set("csms.tls.client_cert_pem", value); }
  std::string tls_client_cert_pem() const { return get("csms.tls.client_cert_pem"); }

  // PEM file of that certificate's private key.
  Config& tls_client_key(std::string_view value) { return set("csms.tls.client_key", value); }
  std::string tls_client_key() const { return get("csms.tls.client_key"); }

  // The same as text, instead of a file. A secret: no message, log or get() shows it.
  Config& tls_client_key_pem(std::string_view value) { return set("csms.tls.client_key_pem", value); }

  // That key by a URI that OpenSSL's providers know, instead of a file: `pkcs11:...`, `handle:...` of a TPM,
  // `file:...`. A secret: no message, log or get() shows it.
  Config& tls_client_key_uri(std::string_view value) { return set("csms.tls.client_key_uri", value); }

  // Password of the private key if it is encrypted, or PIN of its token. A secret: no message, log or get() shows it.
  Config& tls_client_key_password(std::string_view value) { return set("csms.tls.client_key_password", value); }

  // File that holds that password. One line break at its end does not count.
  Config& tls_client_key_password_file(std::string_view value) {
    return set("csms.tls.client_key_password_file", value);
  }
  std::string tls_client_key_password_file() const { return get("csms.tls.client_key_password_file"); }

  // PEM file of revocation lists. A server's certificate must be covered by one, and not be on it.
  Config& tls_crl_file(std::string_view value) { return set("csms.tls.crl_file", value); }
  std::string tls_crl_file() const { return get("csms.tls.crl_file"); }

  // Name for SNI and for verifying the certificate. Empty: the host of the URL.
  Config& tls_server_name(std::string_view value) { return set("csms.tls.server_name", value); }
  std::string tls_server_name() const { return get("csms.tls.server_name"); }

  // The oldest TLS version to accept. Default: v1_2.
  Config& tls_min_version(TlsMinVersion value) { return set("csms.tls.min_version", detail::option_text(value)); }
  TlsMinVersion tls_min_version() const { return detail::option_choice<TlsMinVersion>(get("csms.tls.min_version")); }

  // Cipher suites to offer in TLS 1.2, in order of preference, with `:` between. Empty: ECDHE-ECDSA, ECDHE-RSA and
  // static RSA with AES-GCM.
  Config& tls_ciphers(std::string_view value) { return set("csms.tls.ciphers", value); }
  std::string tls_ciphers() const { return get("csms.tls.ciphers"); }

  // The same for TLS 1.3. Empty: OpenSSL's own.
  Config& tls_ciphersuites(std::string_view value) { return set("csms.tls.ciphersuites", value); }
  std::string tls_ciphersuites() const { return get("csms.tls.ciphersuites"); }

  // `true`: certificates for `*.example` are accepted in security profiles 2 and 3 too (AllowCSMSTLSWildcards).
  // Default: false.
  Config& tls_allow_wildcards(bool value) { return set("csms.tls.allow_wildcards", value ? "true" : "false"); }
  bool tls_allow_wildcards() const { return get("csms.tls.allow_wildcards") == "true"; }

  // Time for the whole TLS handshake. In whole milliseconds. Default: 10s. From 1ms to 24h.
  Config& tls_handshake_timeout(std::chrono::milliseconds value) {
    return set("csms.tls.handshake_timeout", detail::option_text(value));
  }
  std::chrono::milliseconds tls_handshake_timeout() const {
    return detail::option_milliseconds(get("csms.tls.handshake_timeout"));
  }

  // `true`: any certificate is accepted, and whoever answers gets the password. For tests only. Default: false.
  Config& tls_insecure_skip_verify(bool value) {
    return set("csms.tls.insecure_skip_verify", value ? "true" : "false");
  }
  bool tls_insecure_skip_verify() const { return get("csms.tls.insecure_skip_verify") == "true"; }

  // `true`: who comes back to a server resumes a TLS session, without a new exchange of certificates. `false`: each
  // connection is a full handshake. Default: true.
  Config& tls_session_resumption(bool value) { return set("csms.tls.session_resumption", value ? "true" : "false"); }
  bool tls_session_resumption() const { return get("csms.tls.session_resumption") == "true"; }

  // File to append the secrets of TLS connections to, for Wireshark. Whoever reads it reads all that was sent.
  Config& tls_key_log_file(std::string_view value) { return set("csms.tls.key_log_file", value); }
  std::string tls_key_log_file() const { return get("csms.tls.key_log_file"); }

  // What the Authorization header holds. Default: none.
  Config& auth_type(AuthType value) { return set("csms.auth.type", detail::option_text(value)); }
  AuthType auth_type() const { return detail::option_choice<AuthType>(get("csms.auth.type")); }

  // User of `basic`. Empty: the station id, as OCPP wants it.
  Config& auth_username(std::string_view value) { return set("csms.auth.username", value); }
  std::string auth_username() const { return get("csms.auth.username"); }

  // Password of `basic`. Better in a file or an environment variable. A secret: no message, log or get() shows it.
  Config& auth_password(std::string_view value) { return set("csms.auth.password", value); }

  // File that holds the password. One line break at its end does not count.
  Config& auth_password_file(std::string_view value) { return set("csms.auth.password_file", value); }
  std::string auth_password_file() const { return get("csms.auth.password_file"); }

  // `text`: the password goes out as it stands. `hex`: as the 16 to 20 bytes that its digits stand for, which is what
  // OCPP 1.6 says of AuthorizationKey. Default: text.
  Config& auth_password_format(AuthPasswordFormat value) {
    return set("csms.auth.password_format", detail::option_text(value));
  }
  AuthPasswordFormat auth_password_format() const {
    return detail::option_choice<AuthPasswordFormat>(get("csms.auth.password_format"));
  }

  // Token of `bearer`. Better in a file or an environment variable. A secret: no message, log or get() shows it.
  Config& auth_token(std::string_view value) { return set("csms.auth.token", value); }

  // File that holds the token. One line break at its end does not count.
  Config& auth_token_file(std::string_view value) { return set("csms.auth.token_file", value); }
  std::string auth_token_file() const { return get("csms.auth.token_file"); }

  // HTTP proxy through which the CSMS is reached, by a tunnel (CONNECT): `http://host:port`. `none`: no proxy. Empty:
  // what the environment says. See docs/configuration.md#a-proxy.
  Config& proxy_url(std::string_view value) { return set("csms.proxy.url", value); }
  std::string proxy_url() const { return get("csms.proxy.url"); }

  // User for the proxy's Basic authentication. Empty: none is sent.
  Config& proxy_username(std::string_view value) { return set("csms.proxy.username", value); }
  std::string proxy_username() const { return get("csms.proxy.username"); }

  // Password for it. Better in a file or an environment variable. A secret: no message, log or get() shows it.
  Config& proxy_password(std::string_view value) { return set("csms.proxy.password", value); }

  // File that holds the password. One line break at its end does not count.
  Config& proxy_password_file(std::string_view value) { return set("csms.proxy.password_file", value); }
  std::string proxy_password_file() const { return get("csms.proxy.password_file"); }

  // Time for the proxy's whole answer; it connects to the CSMS meanwhile. How long the connection to the proxy may
  // take, `csms.tcp_timeout` says. In whole milliseconds. Default: 10s. From 1ms to 24h.
  Config& proxy_timeout(std::chrono::milliseconds value) {
    return set("csms.proxy.timeout", detail::option_text(value));
  }
  std::chrono::milliseconds proxy_timeout() const { return detail::option_milliseconds(get("csms.proxy.timeout")); }

  // File that `cwire_manager_trace` writes every frame of the traced stations to, as JSON Lines, for its owner alone.
  // See docs/operations.md#trace-what-goes-over-the-wire.
  Config& trace_file(std::string_view value) { return set("trace.file", value); }
  std::string trace_file() const { return get("trace.file"); }

  // `true`: all stations are traced from the beginning. Default: false.
  Config& trace_enabled(bool value) { return set("trace.enabled", value ? "true" : "false"); }
  bool trace_enabled() const { return get("trace.enabled") == "true"; }

  // When the file would grow larger it becomes `trace.file`.1, that one `trace.file`.2, and so on. In bytes. Default:
  // 64MiB. From 64KiB to 1024GiB.
  Config& trace_file_size_max(std::uint64_t value) { return set("trace.file_size_max", std::to_string(value)); }
  std::uint64_t trace_file_size_max() const { return detail::option_bytes(get("trace.file_size_max")); }

  // How many of these files there are, with the one that is written; the oldest goes. Default: 4. From 1 to 1000.
  Config& trace_files_max(std::int64_t value) { return set("trace.files_max", std::to_string(value)); }
  std::int64_t trace_files_max() const { return std::stoll(get("trace.files_max")); }

  // `true`: idTags and idTokens are written as they are. They are personal data, and whoever knows one may charge with
  // it. Default: false.
  Config& trace_id_tokens(bool value) { return set("trace.id_tokens", value ? "true" : "false"); }
  bool trace_id_tokens() const { return get("trace.id_tokens") == "true"; }

 private:
  Config& set(std::string_view key, std::string_view value) { return static_cast<Config&>(*this).set(key, value); }
  std::string get(std::string_view key) const { return static_cast<const Config&>(*this).get(key); }
};

}  // namespace chargewire

#endif  // CHARGEWIRE_OPTIONS_HPP
