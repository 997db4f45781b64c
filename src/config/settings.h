#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/secret.h"
#include "base/time.h"

namespace cwire {

enum class AuthType { none, basic, bearer };
// How csms.auth.password goes on the wire: as its own bytes, or as the raw bytes that its hex digits stand for, which
// is what OCPP 1.6 says of AuthorizationKey.
enum class PasswordFormat { text, hex };
enum class TlsVersion { tls1_2, tls1_3 };
// OCPP's: Basic without TLS, TLS and Basic, TLS with a client certificate.
enum class SecurityProfile { unset, basic, tls_basic, tls_certificate };
enum class ReconnectPolicyKind { exponential, ocpp, full, decorrelated };
// Which message has to go when the send queue is full.
enum class SendQueuePolicy { reject, drop_oldest, drop_newest };
enum class Priority : std::uint8_t { high, normal, low };

struct TlsSettings {
  bool enabled = false;  // true: a ws:// URL is refused
  // Each is a PEM file or the text of one; at most one of the two is set.
  std::string ca_cert;  // neither: the system's store
  std::string ca_cert_pem;
  std::string client_cert;
  std::string client_cert_pem;
  std::string client_key;
  Secret client_key_pem;
  Secret client_key_uri;  // instead of either; a secret, since a PIN may stand in it (RFC 7512)
  Secret client_key_password;
  std::string client_key_password_file;
  std::string crl_file;
  std::string server_name;  // for SNI and verification; empty: the host of the URL
  TlsVersion version_min = TlsVersion::tls1_2;
  std::string ciphers;       // of TLS 1.2; empty: those of OCPP
  std::string ciphersuites;  // of TLS 1.3; empty: OpenSSL's own
  bool ocpp_rules = false;   // security profile 2 or 3; follows from it in Config::resolve
  bool allow_wildcards = false;
  std::string key_log_file;
  bool insecure_skip_verify = false;
  bool session_resumption = true;

  bool has_client_certificate() const { return !client_cert.empty() || !client_cert_pem.empty(); }
};

struct AuthSettings {
  AuthType type = AuthType::none;
  std::string username;  // empty: the station id (OCPP 2.x A00.FR.204)
  Secret password;
  std::string password_file;
  PasswordFormat password_format = PasswordFormat::text;
  Secret token;
  std::string token_file;
};

struct ProxySettings {
  std::string url;  // kNoProxyUrl: never one; empty: what the environment says
  std::string username;
  Secret password;
  std::string password_file;
  Duration timeout{};  // for the answer to CONNECT
};
constexpr char kNoProxyUrl[] = "none";

struct ReconnectSettings {
  ReconnectPolicyKind policy = ReconnectPolicyKind::exponential;
  std::uint32_t attempts_max = 0;  // failed attempts in a row before giving up; 0: for ever
  Duration backoff{};
  Duration backoff_max{};
  double jitter = 0;        // share of the capped wait, 0..1
  Duration stable_after{};  // connected this long before the backoff starts over
  // After an answer that only people can change: credentials, identity, certificates.
  Duration refused_backoff{};
  Duration refused_backoff_max{};
  // The RetryBackOff triple of OCPP 2.x.
  Duration wait_minimum{};
  Duration random_range{};
  std::uint32_t repeat_times = 0;
};

// What paces the connects to one endpoint.
struct GovernorSettings {
  bool enabled = true;
  std::uint32_t handshakes_start = 0;  // under way at once
  std::uint32_t handshakes_min = 0;
  std::uint32_t handshakes_max = 0;
  std::uint32_t connects_per_second = 0;  // 0: no limit
  bool breaker_enabled = true;
  double breaker_failures = 0;  // share of the attempts within the window, 0..1
  std::uint32_t breaker_attempts_min = 0;
  Duration breaker_window{};
  Duration breaker_open{};
  Duration breaker_open_max{};
  std::uint32_t breaker_probes = 0;
};

// What is counted and shown of the fleet.
struct MetricsSettings {
  bool enabled = false;      // also what costs something per message
  std::string listen;        // where they are served; empty: nowhere
  bool per_station = false;  // each station has its own
};

// What is sent while the station is not connected.
struct OfflineSettings {
  std::uint32_t messages_max = 0;  // 0: off
  std::uint64_t bytes_max = 0;
  Duration age_max{};             // 0: for ever
  std::uint32_t replay_rate = 0;  // messages per second; 0: no pace
};

// permessage-deflate (RFC 7692).
struct DeflateSettings {
  bool enabled = false;
  std::uint32_t window_bits = 0;         // of what the station compresses
  std::uint32_t server_window_bits = 0;  // of what the CSMS does
  std::uint32_t memory_level = 0;        // of zlib
  bool context_takeover = false;
  bool server_context_takeover = false;
  std::uint64_t size_min = 0;  // bytes; smaller messages go out as they are
};

// What of the stations' traffic is written to a file.
struct TraceSettings {
  std::string file;      // empty: nothing can be traced
  bool enabled = false;  // all stations, from the beginning
  std::uint64_t file_size_max = 0;
  std::uint32_t files_max = 0;
  bool id_tokens = false;  // are shown
};

// The value of every option, typed. Defaults and ranges stand in the option table (config/options.cpp), not here.
struct Settings {
  // The manager's.
  std::uint32_t io_threads = 0;         // 0: one per core
  std::int32_t log_level = 0;           // CWIRE_LOG_*, 0: off
  std::uint64_t event_queue_max = 0;    // poll mode: events waiting before reading pauses
  std::uint64_t event_queue_bytes = 0;  // likewise, of their data
  GovernorSettings governor;
  std::uint64_t offline_budget_bytes = 0;  // of all stations together
  TraceSettings trace;
  MetricsSettings metrics;

  // A station's.
  std::string default_url;
  std::vector<std::string> protocols;  // OCPP versions in order of preference: "2.0.1", "1.6"
  Duration connection_timeout{};       // of a whole attempt; the next three of its steps
  Duration tcp_timeout{};
  Duration tls_handshake_timeout{};
  Duration upgrade_timeout{};
  std::uint32_t redirects_max = 0;  // of one attempt
  std::string source_address;       // IPv4 or IPv6; empty: the kernel chooses
  Duration write_timeout{};
  Duration read_timeout{};  // 0: off
  Duration close_timeout{};
  Duration ping_interval{};  // 0: off
  Duration pong_timeout{};
  Duration heartbeat_interval{};  // the application's; kept and given back
  ReconnectSettings reconnect;
  Priority priority = Priority::normal;  // among the stations that wait to be dialled
  std::uint64_t message_size_max = 0;    // bytes
  std::uint64_t header_size_max = 0;     // bytes of the HTTP response
  std::uint32_t header_count_max = 0;
  std::uint32_t fragments_max = 0;  // frames of one message
  SendQueuePolicy send_queue_policy = SendQueuePolicy::reject;
  std::uint32_t send_queue_messages = 0;
  std::uint64_t send_queue_bytes = 0;
  OfflineSettings offline;
  DeflateSettings deflate;
  std::vector<std::pair<std::string, std::string>> headers;  // extra, of the upgrade request
  SecurityProfile security_profile = SecurityProfile::unset;
  TlsSettings tls;
  AuthSettings auth;
  ProxySettings proxy;
};

}  // namespace cwire
