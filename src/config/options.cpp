#include "config/options.h"

#include <algorithm>
#include <optional>

#include "base/failure.h"
#include "base/http_syntax.h"
#include "config/values.h"
#include "ocpp/proxy.h"
#include "ocpp/url.h"
#include "ocpp/utf8.h"

namespace cwire {
namespace {

constexpr bool kLive = true;  // takes effect without a new connection
constexpr bool kNextConnection = false;

constexpr char kManager[] = "Manager";
constexpr char kConnection[] = "Connection";
constexpr char kKeepalive[] = "Keepalive";
constexpr char kReconnection[] = "Reconnection";
constexpr char kGovernor[] = "Governor";
constexpr char kMetrics[] = "Metrics";
constexpr char kLimits[] = "Limits";
constexpr char kOffline[] = "Offline queue";
constexpr char kDeflate[] = "Compression";
constexpr char kSecurity[] = "Security profile";
constexpr char kTls[] = "TLS";
constexpr char kAuth[] = "Authentication";
constexpr char kProxy[] = "Proxy";
constexpr char kTrace[] = "Trace";

using T = OptionType;

#define CWIRE_FIELD(member) [](Settings& s) -> FieldRef { return &s.member; }

std::vector<Option> make_table() {
  return {
      // group, key, type, default, minimum, maximum, choices, reloadable, field, description
      {kManager, "io_threads", T::integer, "0", "0", "256", "", kNextConnection, CWIRE_FIELD(io_threads),
       "I/O threads that the stations are spread over. `0`: one per core."},
      {kManager, "log_level", T::choice, "warning", "", "", "off|error|warning|info|debug", kLive,
       CWIRE_FIELD(log_level), "The least important LOG events to deliver."},
      {kManager, "event_queue_max", T::integer, "16384", "1", "16777216", "", kNextConnection,
       CWIRE_FIELD(event_queue_max),
       "Events that may wait to be polled before reading from sockets pauses. Nothing is dropped."},
      {kManager, "event_queue_bytes", T::size, "64MiB", "1B", "1024GiB", "", kNextConnection,
       CWIRE_FIELD(event_queue_bytes),
       "Bytes of data of such events that may wait before reading pauses. What one read brings may exceed it."},
      {kManager, "offline_budget_bytes", T::size, "64MiB", "0B", "1024GiB", "", kNextConnection,
       CWIRE_FIELD(offline_budget_bytes), "Bytes that the offline queues of all stations may hold together."},

      {kMetrics, "metrics.enabled", T::boolean, "false", "", "", "", kNextConnection, CWIRE_FIELD(metrics.enabled),
       "`true`: also count what costs a little per message or batch of events; see [metrics](metrics.md). "
       "`metrics.listen` says so as well."},
      {kMetrics, "metrics.listen", T::listen, "", "", "", "", kNextConnection, CWIRE_FIELD(metrics.listen),
       "Where to serve `/metrics` to Prometheus: `9464`, which is that port of the loopback `127.0.0.1`, "
       "`192.0.2.10:9464` or `[::1]:9464`. Port `0`: one that is free, see `cwire_manager_metrics_url`. There is "
       "neither "
       "TLS nor a password. Empty: nowhere."},
      {kMetrics, "metrics.per_station", T::boolean, "false", "", "", "", kNextConnection,
       CWIRE_FIELD(metrics.per_station),
       "`true`: each station has time series of its own beside the sums: some 14, which ten thousand stations make "
       "140,000."},

      {kConnection, "csms.default_url", T::url, "ws://localhost:9000", "", "", "", kNextConnection,
       CWIRE_FIELD(default_url),
       "Where stations without a URL of their own connect: `ws://` or `wss://`. The station id is percent-encoded onto "
       "the end of its path."},
      {kConnection, "csms.protocol", T::list, "1.6", "", "", "1.6|2.0.1|2.1", kNextConnection, CWIRE_FIELD(protocols),
       "OCPP version to offer, or several in order of preference: `2.1, 2.0.1, 1.6`."},
      {kConnection, "csms.headers", T::map, "", "", "", "", kNextConnection, CWIRE_FIELD(headers),
       "Extra headers of the upgrade request, each under its own name. See [Headers](#headers)."},
      {kConnection, "csms.connection_timeout", T::duration, "30s", "1ms", "24h", "", kNextConnection,
       CWIRE_FIELD(connection_timeout),
       "Time for one whole attempt: resolving (5 s at most), TCP, TLS and the WebSocket upgrade together."},
      {kConnection, "csms.tcp_timeout", T::duration, "10s", "1ms", "24h", "", kNextConnection, CWIRE_FIELD(tcp_timeout),
       "Time for the TCP connection, over all addresses of the host. They are tried 250 ms apart, and the first to "
       "answer is taken."},
      {kConnection, "csms.upgrade_timeout", T::duration, "10s", "1ms", "24h", "", kNextConnection,
       CWIRE_FIELD(upgrade_timeout), "Time for the whole answer to the upgrade request."},
      {kConnection, "csms.redirects_max", T::integer, "0", "0", "10", "", kNextConnection, CWIRE_FIELD(redirects_max),
       "How many redirects (301, 302, 303, 307, 308) one attempt follows, all within its time. `0`: none. Never from "
       "`wss` to `ws`. Credentials and `csms.headers` go to the host and port of the URL only; with a client "
       "certificate the attempt too."},
      {kConnection, "csms.write_timeout", T::duration, "10s", "1ms", "24h", "", kLive, CWIRE_FIELD(write_timeout),
       "A connection that takes no byte for this long, while some wait to be sent, is lost."},
      {kConnection, "csms.read_timeout", T::duration, "60s", "0s", "24h", "", kLive, CWIRE_FIELD(read_timeout),
       "A connection on which nothing arrives for this long, pongs included, is lost. While output waits for the peer "
       "only `csms.write_timeout` counts. `0s`: off. Left at its default, it is "
       "never less than twice the ping interval, or twice the heartbeat interval where pings are off."},
      {kConnection, "csms.close_timeout", T::duration, "5s", "1ms", "24h", "", kLive, CWIRE_FIELD(close_timeout),
       "Time for the close handshake, and for sending what is queued before it."},

      {kConnection, "csms.source_address", T::address, "", "", "", "", kNextConnection, CWIRE_FIELD(source_address),
       "Local address to connect from, of the network interface that is to be used. Addresses of the host that are of "
       "the other "
       "version of IP are not tried. Empty: the system chooses."},

      {kKeepalive, "csms.ping_interval", T::duration, "30s", "0s", "24h", "", kLive, CWIRE_FIELD(ping_interval),
       "Time between WebSocket pings, +-10 %; twice that while messages arrive. `0s`: off."},
      {kKeepalive, "csms.pong_timeout", T::duration, "10s", "1ms", "24h", "", kLive, CWIRE_FIELD(pong_timeout),
       "A ping without its pong for this long means that the connection is lost."},
      {kKeepalive, "csms.heartbeat_interval", T::duration, "60s", "0s", "8760h", "", kLive,
       CWIRE_FIELD(heartbeat_interval),
       "OCPP's Heartbeat, which the application sends. The library only keeps the value and gives it back."},

      {kReconnection, "csms.max_reconnect_attempts", T::integer, "0", "0", "1000000", "", kLive,
       CWIRE_FIELD(reconnect.attempts_max), "Failed attempts in a row before a station gives up. `0`: it never does."},
      {kReconnection, "csms.reconnect_policy", T::choice, "exponential", "", "", "exponential|ocpp|full|decorrelated",
       kLive, CWIRE_FIELD(reconnect.policy),
       "How the waits grow: `exponential` doubles and varies by the jitter; `ocpp` is RetryBackOff of OCPP 2.x with "
       "the "
       "`retry_backoff_*` options; `full` takes a random share of the doubled wait; `decorrelated` a random wait up to "
       "three times the one before."},
      {kReconnection, "csms.reconnect_backoff", T::duration, "5s", "1ms", "24h", "", kLive,
       CWIRE_FIELD(reconnect.backoff), "The first wait."},
      {kReconnection, "csms.reconnect_max_backoff", T::duration, "60s", "1ms", "24h", "", kLive,
       CWIRE_FIELD(reconnect.backoff_max), "The longest wait, before the jitter is applied."},
      {kReconnection, "csms.reconnect_jitter", T::ratio, "20%", "0%", "100%", "", kLive, CWIRE_FIELD(reconnect.jitter),
       "How far a wait may vary each way, so that a fleet does not come back all at once."},
      {kReconnection, "csms.refused_backoff", T::duration, "60s", "1ms", "24h", "", kLive,
       CWIRE_FIELD(reconnect.refused_backoff),
       "The first wait after an answer that only people can change: HTTP 401, 403, 404 or 426, no common OCPP version; "
       "and from the fourth try on after a certificate or TLS version that is not accepted. It doubles, +-20 %, and is "
       "never shorter than the shortest wait of `csms.reconnect_policy`."},
      {kReconnection, "csms.refused_max_backoff", T::duration, "1h", "1ms", "24h", "", kLive,
       CWIRE_FIELD(reconnect.refused_backoff_max),
       "The longest such wait. For certificates and TLS versions 15 minutes at most."},
      {kReconnection, "csms.reconnect_stable_after", T::duration, "30s", "0s", "24h", "", kLive,
       CWIRE_FIELD(reconnect.stable_after),
       "Connected for this long, the waits begin anew with the first. `ocpp` begins anew at once."},
      {kReconnection, "csms.retry_backoff_wait_minimum", T::duration, "10s", "0s", "24h", "", kLive,
       CWIRE_FIELD(reconnect.wait_minimum), "RetryBackOffWaitMinimum of OCPP 2.x: the first wait, for policy `ocpp`."},
      {kReconnection, "csms.retry_backoff_random_range", T::duration, "10s", "0s", "24h", "", kLive,
       CWIRE_FIELD(reconnect.random_range),
       "RetryBackOffRandomRange of OCPP 2.x: up to this much is added to each wait, for policy `ocpp`."},
      {kReconnection, "csms.retry_backoff_repeat_times", T::integer, "3", "0", "10", "", kLive,
       CWIRE_FIELD(reconnect.repeat_times),
       "RetryBackOffRepeatTimes of OCPP 2.x: how often the wait doubles, for policy `ocpp`."},

      {kGovernor, "csms.priority", T::choice, "normal", "", "", "high|normal|low", kNextConnection,
       CWIRE_FIELD(priority),
       "Of thirteen turns to dial an endpoint eight go to stations of `high` priority, four to `normal` and one to "
       "`low`, "
       "while some of each wait. Who waited for 30 s moves up."},
      {kGovernor, "governor.enabled", T::boolean, "true", "", "", "", kNextConnection, CWIRE_FIELD(governor.enabled),
       "`false`: stations dial as soon as their own wait is over, however many others do."},
      {kGovernor, "governor.handshakes_start", T::integer, "64", "1", "100000", "", kNextConnection,
       CWIRE_FIELD(governor.handshakes_start),
       "How many attempts to connect may be under way at one endpoint (scheme, host and port) to begin with. The limit "
       "grows while "
       "the time they take holds, and shrinks by 30 % when one times out, is refused, or is told to wait."},
      {kGovernor, "governor.handshakes_min", T::integer, "1", "1", "100000", "", kNextConnection,
       CWIRE_FIELD(governor.handshakes_min), "How far that limit may shrink."},
      {kGovernor, "governor.handshakes_max", T::integer, "1024", "1", "100000", "", kNextConnection,
       CWIRE_FIELD(governor.handshakes_max), "How far that limit may grow."},
      {kGovernor, "governor.connects_per_second", T::integer, "0", "0", "1000000", "", kNextConnection,
       CWIRE_FIELD(governor.connects_per_second),
       "Attempts per second to one endpoint, evenly spread. `0`: as many as the limit of those under way lets "
       "through."},
      {kGovernor, "governor.breaker", T::boolean, "true", "", "", "", kNextConnection,
       CWIRE_FIELD(governor.breaker_enabled),
       "`false`: an endpoint that fails is tried all the same, each station by its own schedule."},
      {kGovernor, "governor.breaker_failures", T::ratio, "50%", "1%", "100%", "", kNextConnection,
       CWIRE_FIELD(governor.breaker_failures),
       "When so many of an endpoint's attempts failed, nobody tries it for a while. Refusals (401, 403, 404, 426, "
       "certificates) do not "
       "count; a connection that is lost within the window does."},
      {kGovernor, "governor.breaker_attempts_min", T::integer, "20", "1", "1000000", "", kNextConnection,
       CWIRE_FIELD(governor.breaker_attempts_min), "Fewer attempts within the window prove nothing."},
      {kGovernor, "governor.breaker_window", T::duration, "10s", "100ms", "1h", "", kNextConnection,
       CWIRE_FIELD(governor.breaker_window), "How far back attempts are counted."},
      {kGovernor, "governor.breaker_open", T::duration, "30s", "1ms", "24h", "", kNextConnection,
       CWIRE_FIELD(governor.breaker_open),
       "How long nobody tries: so long times the number of times in a row, and up to a quarter more."},
      {kGovernor, "governor.breaker_open_max", T::duration, "5m", "1ms", "24h", "", kNextConnection,
       CWIRE_FIELD(governor.breaker_open_max), "The longest of these times, before the quarter."},
      {kGovernor, "governor.breaker_probes", T::integer, "3", "1", "1000", "", kNextConnection,
       CWIRE_FIELD(governor.breaker_probes),
       "How many stations try then; when all get through, the others follow, few at first."},

      {kLimits, "csms.message_size_max", T::size, "1MiB", "1B", "1GiB", "", kNextConnection,
       CWIRE_FIELD(message_size_max), "The largest message, each way."},
      {kLimits, "csms.header_size_max", T::size, "16KiB", "256B", "1MiB", "", kNextConnection,
       CWIRE_FIELD(header_size_max), "The largest answer to the upgrade request, and of a proxy to CONNECT."},
      {kLimits, "csms.header_count_max", T::integer, "100", "1", "10000", "", kNextConnection,
       CWIRE_FIELD(header_count_max), "The most headers in either."},
      {kLimits, "csms.fragments_max", T::integer, "4096", "1", "1000000", "", kNextConnection,
       CWIRE_FIELD(fragments_max), "The most frames that one message may arrive in."},
      {kLimits, "csms.send_queue_messages", T::integer, "100", "1", "1000000", "", kLive,
       CWIRE_FIELD(send_queue_messages), "Messages that may wait to be sent before the queue is full."},
      {kLimits, "csms.send_queue_bytes", T::size, "1MiB", "1B", "1GiB", "", kLive, CWIRE_FIELD(send_queue_bytes),
       "Bytes that may wait to be sent before the queue is full. A larger message goes through an empty queue."},
      {kLimits, "csms.send_queue_policy", T::choice, "reject", "", "", "reject|drop_oldest|drop_newest", kLive,
       CWIRE_FIELD(send_queue_policy),
       "When the queue is full: `reject` refuses the send, `drop_oldest` accepts it and drops what waits longest, "
       "`drop_newest` accepts it and drops it. What is dropped is reported as not sent. See "
       "[queues](operations.md#queues)."},

      {kOffline, "csms.offline_queue_messages", T::integer, "0", "0", "1000000", "", kLive,
       CWIRE_FIELD(offline.messages_max),
       "Messages that a station may keep while it is not connected, to be sent after the reconnect. `0`: none, a send "
       "is "
       "refused then. When it is full, `csms.send_queue_policy` decides. See [queues](operations.md#queues)."},
      {kOffline, "csms.offline_queue_bytes", T::size, "1MiB", "1B", "1GiB", "", kLive, CWIRE_FIELD(offline.bytes_max),
       "Bytes of them. `offline_budget_bytes` limits what all stations keep together."},
      {kOffline, "csms.offline_queue_max_age", T::duration, "0s", "0s", "8760h", "", kLive,
       CWIRE_FIELD(offline.age_max), "A message that waits longer is reported as not sent. `0s`: it waits for ever."},
      {kOffline, "csms.offline_replay_rate", T::integer, "10", "0", "1000000", "", kLive,
       CWIRE_FIELD(offline.replay_rate),
       "Messages a second that a station sends of them after the reconnect, so that a CSMS does not take it for an "
       "attack. "
       "What is sent meanwhile stands in line. `0`: as fast as the connection takes them."},

      {kDeflate, "csms.deflate.enabled", T::boolean, "false", "", "", "", kNextConnection, CWIRE_FIELD(deflate.enabled),
       "`true`: permessage-deflate (RFC 7692) is offered. Not where one message may hold a secret and what somebody "
       "else chose: how long it becomes then tells of the secret, through TLS too (CRIME). See "
       "[compression](operations.md#compression)."},
      {kDeflate, "csms.deflate.window_bits", T::integer, "11", "9", "15", "", kNextConnection,
       CWIRE_FIELD(deflate.window_bits),
       "How far back what the station compresses may refer, `2^n` bytes. The CSMS may ask for less."},
      {kDeflate, "csms.deflate.server_window_bits", T::integer, "15", "9", "15", "", kNextConnection,
       CWIRE_FIELD(deflate.server_window_bits),
       "The same of what the CSMS compresses. Less than `15` is asked for, and who does not grant it is not "
       "connected to."},
      {kDeflate, "csms.deflate.memory_level", T::integer, "3", "1", "9", "", kNextConnection,
       CWIRE_FIELD(deflate.memory_level), "memLevel of zlib for what the station compresses: `2^(n+9)` bytes."},
      {kDeflate, "csms.deflate.context_takeover", T::boolean, "false", "", "", "", kNextConnection,
       CWIRE_FIELD(deflate.context_takeover),
       "`true`: what the station compresses refers to its messages before, where the CSMS allows that. Small messages "
       "become much smaller, and each station keeps the memory."},
      {kDeflate, "csms.deflate.server_context_takeover", T::boolean, "false", "", "", "", kNextConnection,
       CWIRE_FIELD(deflate.server_context_takeover),
       "The same of what the CSMS compresses. `false` is asked for, and who does not grant it is not connected to."},
      {kDeflate, "csms.deflate.size_min", T::size, "128B", "1B", "1GiB", "", kNextConnection,
       CWIRE_FIELD(deflate.size_min), "Smaller messages go out uncompressed."},

      {kSecurity, "csms.security_profile", T::choice, "0", "", "", "0|1|2|3", kNextConnection,
       CWIRE_FIELD(security_profile),
       "OCPP's: `1` Basic without TLS, `2` TLS and Basic, `3` TLS with a client certificate. What contradicts it is "
       "refused. `0`: none; then Basic over `ws://` is refused. See [security](security.md)."},

      {kTls, "csms.tls.enabled", T::boolean, "false", "", "", "", kNextConnection, CWIRE_FIELD(tls.enabled),
       "`true`: a `ws://` URL is refused. TLS itself follows from `wss://`."},
      {kTls, "csms.tls.ca_cert", T::path, "", "", "", "", kNextConnection, CWIRE_FIELD(tls.ca_cert),
       "PEM file of the CAs to trust. Empty: the system's."},
      {kTls, "csms.tls.ca_cert_pem", T::pem, "", "", "", "", kNextConnection, CWIRE_FIELD(tls.ca_cert_pem),
       "The same as text, instead of a file."},
      {kTls, "csms.tls.client_cert", T::path, "", "", "", "", kNextConnection, CWIRE_FIELD(tls.client_cert),
       "PEM file of the station's certificate and its chain, for security profile 3."},
      {kTls, "csms.tls.client_cert_pem", T::pem, "", "", "", "", kNextConnection, CWIRE_FIELD(tls.client_cert_pem),
       "The same as text, instead of a file."},
      {kTls, "csms.tls.client_key", T::path, "", "", "", "", kNextConnection, CWIRE_FIELD(tls.client_key),
       "PEM file of that certificate's private key."},
      {kTls, "csms.tls.client_key_pem", T::secret_pem, "", "", "", "", kNextConnection, CWIRE_FIELD(tls.client_key_pem),
       "The same as text, instead of a file."},
      {kTls, "csms.tls.client_key_uri", T::secret, "", "", "", "", kNextConnection, CWIRE_FIELD(tls.client_key_uri),
       "That key by a URI that OpenSSL's providers know, instead of a file: `pkcs11:...`, `handle:...` of a TPM, "
       "`file:...`."},
      {kTls, "csms.tls.client_key_password", T::secret, "", "", "", "", kNextConnection,
       CWIRE_FIELD(tls.client_key_password), "Password of the private key if it is encrypted, or PIN of its token."},
      {kTls, "csms.tls.client_key_password_file", T::path, "", "", "", "", kNextConnection,
       CWIRE_FIELD(tls.client_key_password_file),
       "File that holds that password. One line break at its end does not count."},
      {kTls, "csms.tls.crl_file", T::path, "", "", "", "", kNextConnection, CWIRE_FIELD(tls.crl_file),
       "PEM file of revocation lists. A server's certificate must be covered by one, and not be on it."},
      {kTls, "csms.tls.server_name", T::host, "", "", "", "", kNextConnection, CWIRE_FIELD(tls.server_name),
       "Name for SNI and for verifying the certificate. Empty: the host of the URL."},
      {kTls, "csms.tls.min_version", T::choice, "1.2", "", "", "1.2|1.3", kNextConnection, CWIRE_FIELD(tls.version_min),
       "The oldest TLS version to accept."},
      {kTls, "csms.tls.ciphers", T::text, "", "", "", "", kNextConnection, CWIRE_FIELD(tls.ciphers),
       "Cipher suites to offer in TLS 1.2, in order of preference, with `:` between. Empty: ECDHE-ECDSA, ECDHE-RSA and "
       "static RSA with AES-GCM."},
      {kTls, "csms.tls.ciphersuites", T::text, "", "", "", "", kNextConnection, CWIRE_FIELD(tls.ciphersuites),
       "The same for TLS 1.3. Empty: OpenSSL's own."},
      {kTls, "csms.tls.allow_wildcards", T::boolean, "false", "", "", "", kNextConnection,
       CWIRE_FIELD(tls.allow_wildcards),
       "`true`: certificates for `*.example` are accepted in security profiles 2 and 3 too (AllowCSMSTLSWildcards)."},
      {kTls, "csms.tls.handshake_timeout", T::duration, "10s", "1ms", "24h", "", kNextConnection,
       CWIRE_FIELD(tls_handshake_timeout), "Time for the whole TLS handshake."},
      {kTls, "csms.tls.insecure_skip_verify", T::boolean, "false", "", "", "", kNextConnection,
       CWIRE_FIELD(tls.insecure_skip_verify),
       "`true`: any certificate is accepted, and whoever answers gets the password. For tests only."},
      {kTls, "csms.tls.session_resumption", T::boolean, "true", "", "", "", kNextConnection,
       CWIRE_FIELD(tls.session_resumption),
       "`true`: who comes back to a server resumes a TLS session, without a new exchange of certificates. `false`: "
       "each "
       "connection is a full handshake."},
      {kTls, "csms.tls.key_log_file", T::path, "", "", "", "", kNextConnection, CWIRE_FIELD(tls.key_log_file),
       "File to append the secrets of TLS connections to, for Wireshark. Whoever reads it reads all that was sent."},

      {kAuth, "csms.auth.type", T::choice, "none", "", "", "none|basic|bearer", kNextConnection, CWIRE_FIELD(auth.type),
       "What the Authorization header holds."},
      {kAuth, "csms.auth.username", T::text, "", "", "", "", kNextConnection, CWIRE_FIELD(auth.username),
       "User of `basic`. Empty: the station id, as OCPP wants it."},
      {kAuth, "csms.auth.password", T::secret, "", "", "", "", kNextConnection, CWIRE_FIELD(auth.password),
       "Password of `basic`. Better in a file or an environment variable."},
      {kAuth, "csms.auth.password_file", T::path, "", "", "", "", kNextConnection, CWIRE_FIELD(auth.password_file),
       "File that holds the password. One line break at its end does not count."},
      {kAuth, "csms.auth.password_format", T::choice, "text", "", "", "text|hex", kNextConnection,
       CWIRE_FIELD(auth.password_format),
       "`text`: the password goes out as it stands. `hex`: as the 16 to 20 bytes that its digits stand for, which is "
       "what "
       "OCPP 1.6 says of AuthorizationKey."},
      {kAuth, "csms.auth.token", T::secret, "", "", "", "", kNextConnection, CWIRE_FIELD(auth.token),
       "Token of `bearer`. Better in a file or an environment variable."},
      {kAuth, "csms.auth.token_file", T::path, "", "", "", "", kNextConnection, CWIRE_FIELD(auth.token_file),
       "File that holds the token. One line break at its end does not count."},

      {kProxy, "csms.proxy.url", T::proxy, "", "", "", "", kNextConnection, CWIRE_FIELD(proxy.url),
       "HTTP proxy through which the CSMS is reached, by a tunnel (CONNECT): `http://host:port`. `none`: no proxy. "
       "Empty: what the "
       "environment says. See [Proxy](#a-proxy)."},
      {kProxy, "csms.proxy.username", T::text, "", "", "", "", kNextConnection, CWIRE_FIELD(proxy.username),
       "User for the proxy's Basic authentication. Empty: none is sent."},
      {kProxy, "csms.proxy.password", T::secret, "", "", "", "", kNextConnection, CWIRE_FIELD(proxy.password),
       "Password for it. Better in a file or an environment variable."},
      {kProxy, "csms.proxy.password_file", T::path, "", "", "", "", kNextConnection, CWIRE_FIELD(proxy.password_file),
       "File that holds the password. One line break at its end does not count."},
      {kProxy, "csms.proxy.timeout", T::duration, "10s", "1ms", "24h", "", kNextConnection, CWIRE_FIELD(proxy.timeout),
       "Time for the proxy's whole answer; it connects to the CSMS meanwhile. How long the connection to the proxy may "
       "take, "
       "`csms.tcp_timeout` says."},

      {kTrace, "trace.file", T::path, "", "", "", "", kNextConnection, CWIRE_FIELD(trace.file),
       "File that `cwire_manager_trace` writes every frame of the traced stations to, as JSON Lines, for its owner "
       "alone. See [trace](operations.md#trace-what-goes-over-the-wire)."},
      {kTrace, "trace.enabled", T::boolean, "false", "", "", "", kNextConnection, CWIRE_FIELD(trace.enabled),
       "`true`: all stations are traced from the beginning."},
      {kTrace, "trace.file_size_max", T::size, "64MiB", "64KiB", "1024GiB", "", kNextConnection,
       CWIRE_FIELD(trace.file_size_max),
       "When the file would grow larger it becomes `trace.file`.1, that one `trace.file`.2, and so on."},
      {kTrace, "trace.files_max", T::integer, "4", "1", "1000", "", kNextConnection, CWIRE_FIELD(trace.files_max),
       "How many of these files there are, with the one that is written; the oldest goes."},
      {kTrace, "trace.id_tokens", T::boolean, "false", "", "", "", kNextConnection, CWIRE_FIELD(trace.id_tokens),
       "`true`: idTags and idTokens are written as they are. They are personal data, and whoever knows one may charge "
       "with it."},
  };
}

#undef CWIRE_FIELD

constexpr std::size_t kTextMax = 4096;     // bytes
constexpr std::size_t kSecretMax = 16384;  // a signed token with many claims still fits
constexpr std::size_t kPemMax = 1 << 20;   // the CAs of a whole system still fit
constexpr std::size_t kHeadersMax = 64;
constexpr std::size_t kHeaderNameMax = 256;  // bytes
constexpr char kHidden[] = "***";

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// "off, error or warning"
std::string spoken(const char* choices, const char* last_word) {
  std::string out;
  const auto names = split(choices, '|');
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i != 0) out += i + 1 == names.size() ? last_word : ", ";
    out += names[i];
  }
  return out;
}

[[noreturn]] void unexpected(const Option& option) {
  std::string what;
  const std::string range = std::string(" from ") + option.minimum + " to " + option.maximum;
  switch (option.type) {
    case T::boolean:
      what = "true or false";
      break;
    case T::integer:
      what = "a whole number" + range;
      break;
    case T::size:
      what = "a size" + range + ", such as 64KiB";
      break;
    case T::duration:
      what = "a duration" + range + ", such as 30s or 1m30s";
      break;
    case T::ratio:
      what = "a share" + range + ", such as 20% or 0.2";
      break;
    case T::choice:
      what = spoken(option.choices, " or ");
      break;
    case T::list:
      what = "one or more of " + spoken(option.choices, ", ") + ", each once, in order of preference";
      break;
    default:
      what = "text";
      break;
  }
  throw BadValue{"expected " + what, true};
}

template <typename Value>
void check_range(const Option& option, const Value& value, std::optional<Value> (*parse)(std::string_view)) {
  if (value < *parse(option.minimum) || value > *parse(option.maximum)) unexpected(option);
}

void check_text(std::string_view value, std::size_t size_max) {
  if (value.size() > size_max) throw BadValue{"it is longer than " + std::to_string(size_max) + " bytes"};
  for (const char c : value) {
    if (c == '\r' || c == '\n' || c == '\0') throw BadValue{"it holds CR, LF or NUL; remove it"};
  }
  if (!is_utf8(value)) throw BadValue{"it is not valid UTF-8"};
}

void check_pem(std::string_view value) {
  if (value.size() > kPemMax) throw BadValue{"it is longer than " + std::to_string(kPemMax) + " bytes"};
  if (!value.empty() && value.find("-----BEGIN ") == std::string_view::npos) {
    throw BadValue{"expected the text of a PEM file, \"-----BEGIN ...\"; a path is set without _pem"};
  }
}

std::size_t choice_index(const Option& option, std::string_view value) {
  const auto names = split(option.choices, '|');
  const auto found = std::find(names.begin(), names.end(), value);
  if (found == names.end()) unexpected(option);
  return static_cast<std::size_t>(found - names.begin());
}

// An empty value stays in the list, so that a station can take away a header of the fleet; Config::resolve leaves it
// out.
void assign_header(HeaderList& headers, std::string_view name, std::string_view value) {
  if (name.size() > kHeaderNameMax) {
    throw BadValue{"the header name is longer than " + std::to_string(kHeaderNameMax) + " bytes"};
  }
  if (!is_token(name)) throw BadValue{"a header name may hold letters, digits and !#$%&'*+-.^_`|~ only (RFC 7230)"};
  if (equals_ignoring_case(name, "Proxy-Authorization")) {
    throw BadValue{
        "the header Proxy-Authorization is for a proxy, and the CSMS must not get it; use csms.proxy.username"};
  }
  // Authorization is allowed as long as csms.auth.type is none, which only Config::resolve can tell.
  if (is_handshake_header(name)) {
    throw BadValue{"the header " + std::string(name) + " is the WebSocket upgrade's own; remove it"};
  }
  value = trimmed(value);
  if (value.size() > kTextMax) throw BadValue{"the header value is longer than " + std::to_string(kTextMax) + " bytes"};
  if (!is_field_value(value)) {
    throw BadValue{"the header value holds a control character (CR, LF, NUL, ...); remove it"};
  }
  for (auto& header : headers) {
    if (!equals_ignoring_case(header.first, name)) continue;
    header = {std::string(name), std::string(value)};
    return;
  }
  if (headers.size() >= kHeadersMax) throw BadValue{"there are more than " + std::to_string(kHeadersMax) + " headers"};
  headers.emplace_back(name, value);
}

void assign_headers(HeaderList& headers, std::string_view entry, std::string_view value) {
  if (!entry.empty()) return assign_header(headers, entry, value);
  for (const std::string_view line : split(value, '\n')) {
    if (trimmed(line).empty()) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) throw BadValue{"expected one \"Name: value\" a line"};
    assign_header(headers, line.substr(0, colon), line.substr(colon + 1));
  }
}

void check_proxy_url(std::string_view value) {
  bool holds_credentials = false;
  try {
    holds_credentials = !parse_proxy(value).username.empty();
  } catch (const Error& error) {
    throw BadValue{error.failure.message};
  }
  if (holds_credentials) {
    throw BadValue{
        "it holds a user or password; remove what stands before '@' and use csms.proxy.username and "
        "csms.proxy.password"};
  }
}

// Writes text into whatever the field is.
struct Assigner {
  const Option& option;
  std::string_view entry;
  std::string_view value;

  void operator()(bool* field) const {
    const auto parsed = parse_bool(value);
    if (!parsed) unexpected(option);
    *field = *parsed;
  }
  void operator()(std::uint32_t* field) const { *field = static_cast<std::uint32_t>(number()); }
  void operator()(std::uint64_t* field) const { *field = number(); }
  void operator()(std::int32_t* field) const { *field = static_cast<std::int32_t>(choice_index(option, value)); }
  void operator()(double* field) const {
    const auto parsed = parse_ratio(value);
    if (!parsed) unexpected(option);
    check_range(option, *parsed, parse_ratio);
    *field = *parsed;
  }
  void operator()(Duration* field) const {
    const auto parsed = parse_duration(value);
    if (!parsed) unexpected(option);
    check_range(option, *parsed, parse_duration);
    *field = *parsed;
  }
  void operator()(std::string* field) const {
    option.type == T::pem ? check_pem(value) : check_text(value, kTextMax);
    if (option.type == T::url) {
      try {
        parse_url(value);
      } catch (const Error& error) {
        throw BadValue{error.failure.message};
      }
    }
    if (option.type == T::host && !value.empty()) {
      const char* defect = host_defect(std::string(value));
      if (defect != nullptr) throw BadValue{defect};
    }
    if (option.type == T::proxy && !value.empty() && value != kNoProxyUrl) check_proxy_url(value);
    if (option.type == T::address && !value.empty() && !is_address(std::string(value))) {
      throw BadValue{"expected an IPv4 or IPv6 address, such as 192.0.2.10 or 2001:db8::10", true};
    }
    if (option.type == T::listen && !value.empty() && !parse_listen(value)) {
      throw BadValue{"expected a port, or an address and a port, such as 9464, 192.0.2.10:9464 or [::1]:9464", true};
    }
    *field = std::string(value);
  }
  void operator()(Secret* field) const {
    option.type == T::secret_pem ? check_pem(value) : check_text(value, kSecretMax);
    *field = Secret(value);
  }
  void operator()(std::vector<std::string>* field) const {
    std::vector<std::string> items;
    for (const std::string_view part : split(value, ',')) {
      const std::string item(trimmed(part));
      choice_index(option, item);
      if (std::find(items.begin(), items.end(), item) != items.end()) unexpected(option);
      items.push_back(item);
    }
    *field = std::move(items);
  }
  void operator()(HeaderList* field) const {
    HeaderList headers = *field;
    assign_headers(headers, entry, value);
    *field = std::move(headers);
  }
  template <typename Enum>
  void operator()(Enum* field) const {
    *field = static_cast<Enum>(choice_index(option, value));
  }

 private:
  std::uint64_t number() const {
    const auto parse = option.type == T::size ? parse_size : parse_integer;
    const auto parsed = parse(value);
    if (!parsed) unexpected(option);
    check_range(option, *parsed, parse);
    return *parsed;
  }
};

struct Writer {
  const Option& option;
  std::string_view entry;

  std::string operator()(const bool* field) const { return *field ? "true" : "false"; }
  std::string operator()(const std::uint32_t* field) const { return std::to_string(*field); }
  std::string operator()(const std::uint64_t* field) const {
    return option.type == T::size ? size_text(*field) : std::to_string(*field);
  }
  std::string operator()(const std::int32_t* field) const { return choice(static_cast<std::size_t>(*field)); }
  std::string operator()(const double* field) const { return ratio_text(*field); }
  std::string operator()(const Duration* field) const { return duration_text(*field); }
  std::string operator()(const std::string* field) const { return *field; }
  std::string operator()(const Secret* field) const { return field->empty() ? "" : kHidden; }
  std::string operator()(const std::vector<std::string>* field) const {
    std::string out;
    for (const std::string& item : *field) out += (out.empty() ? "" : ", ") + item;
    return out;
  }
  std::string operator()(const HeaderList* field) const {
    std::string lines;
    for (const auto& [name, value] : *field) {
      const std::string shown = value.empty() ? "" : kHidden;
      if (!entry.empty() && equals_ignoring_case(name, entry)) return shown;
      lines += (lines.empty() ? "" : "\n") + name + ": " + shown;
    }
    return entry.empty() ? lines : "";
  }
  template <typename Enum>
  std::string operator()(const Enum* field) const {
    return choice(static_cast<std::size_t>(*field));
  }

 private:
  std::string choice(std::size_t index) const { return std::string(split(option.choices, '|')[index]); }
};

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

std::string_view last_part(std::string_view key) {
  const std::size_t dot = key.rfind('.');
  return dot == std::string_view::npos ? key : key.substr(dot + 1);
}

}  // namespace

bool Option::of_station() const { return std::string_view(key).rfind("csms.", 0) == 0; }

const std::vector<Option>& options() {
  static const std::vector<Option> table = make_table();
  return table;
}

const char* type_name(OptionType type) {
  switch (type) {
    case T::boolean:
      return "bool";
    case T::integer:
      return "integer";
    case T::size:
      return "size";
    case T::duration:
      return "duration";
    case T::ratio:
      return "percent";
    case T::text:
      return "text";
    case T::url:
      return "url";
    case T::host:
      return "host";
    case T::address:
      return "address";
    case T::listen:
      return "listen";
    case T::proxy:
      return "proxy";
    case T::path:
      return "path";
    case T::pem:
      return "pem";
    case T::secret:
      return "secret";
    case T::secret_pem:
      return "secret pem";
    case T::list:
      return "list";
    case T::map:
      return "map";
    case T::choice:
      return "enum";
  }
  return "";
}

OptionKey find_option(std::string_view key) {
  for (const Option& option : options()) {
    const std::string_view own = option.key;
    if (key == own) return {&option, {}};
    if (option.type == T::map && key.size() > own.size() + 1 && key.substr(0, own.size()) == own &&
        key[own.size()] == '.') {
      return {&option, key.substr(own.size() + 1)};
    }
  }
  return {};
}

std::size_t option_index(const Option& option) { return static_cast<std::size_t>(&option - options().data()); }

bool is_section(std::string_view key) {
  for (const Option& option : options()) {
    const std::string_view own = option.key;
    if (own.size() > key.size() && own.substr(0, key.size()) == key && own[key.size()] == '.') return true;
  }
  return false;
}

std::string nearest_key(std::string_view key) {
  constexpr std::size_t kKeyMax = 64;  // nothing longer is near a key of ours
  if (key.size() > kKeyMax) return {};
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, last_part(key).size() / 3) + 1;
  const auto consider = [&](std::string_view candidate) {
    const std::size_t distance = edit_distance(key, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = std::string(candidate);
    }
  };
  for (const Option& option : options()) {
    consider(option.key);
    const std::string_view own = option.key;
    for (std::size_t dot = own.find('.'); dot != std::string_view::npos; dot = own.find('.', dot + 1)) {
      consider(own.substr(0, dot));
    }
  }
  if (!best.empty()) return best;
  // The right name in the wrong place: "ping_interval", "csms.password".
  for (const Option& option : options()) {
    if (last_part(option.key) == last_part(key)) return option.key;
  }
  return {};
}

void assign(Settings& settings, const OptionKey& key, std::string_view value) {
  std::visit(Assigner{*key.option, key.entry, value}, key.option->field(settings));
}

std::string value_text(const Settings& settings, const OptionKey& key) {
  // The accessors serve reading and writing alike; nothing is written through this one.
  return std::visit(Writer{*key.option, key.entry}, key.option->field(const_cast<Settings&>(settings)));
}

void copy_value(Settings& to, const Settings& from, const Option& option) {
  const FieldRef source = option.field(const_cast<Settings&>(from));
  std::visit(
      [&](auto* target) {
        using Field = std::remove_pointer_t<decltype(target)>;
        const Field& value = *std::get<Field*>(source);
        if constexpr (std::is_same_v<Field, HeaderList>) {
          for (const auto& [name, text] : value) assign_header(*target, name, text);
        } else {
          *target = value;
        }
      },
      option.field(to));
}

bool make_same_attempts(const Settings& a, const Settings& b) {
  for (const Option& option : options()) {
    if (!option.of_station() || option.reloadable || option.type == T::url) continue;
    // The accessors serve reading and writing alike; nothing is written through these.
    const FieldRef other = option.field(const_cast<Settings&>(b));
    const bool same = std::visit([&](auto* field) { return *field == *std::get<decltype(field)>(other); },
                                 option.field(const_cast<Settings&>(a)));
    if (!same) return false;
  }
  return true;
}

const Settings& default_settings() {
  static const Settings defaults = [] {
    Settings settings;
    for (const Option& option : options()) assign(settings, {&option, {}}, option.default_text);
    return settings;
  }();
  return defaults;
}

}  // namespace cwire
