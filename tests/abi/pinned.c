/* The ABI's layouts and numbers, written down a second time. A line that fails here is a change that breaks programs which were
 * compiled before it: take the change back. New fields and new constants get new lines. */
#include <chargewire/chargewire.h>

/* The offsets are those of 64-bit systems with 8-byte pointers, where all of today's users are. */
#if defined(__LP64__)

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define PIN(condition) typedef char JOIN(pinned_at_line_, __LINE__)[(condition) ? 1 : -1]
#define PIN_FIELD(type, field, offset, size) \
  PIN(offsetof(type, field) == (offset) && sizeof(((type *)0)->field) == (size))

PIN(sizeof(cwire_status) == 4 && (cwire_status)-1 < 0);
PIN(sizeof(cwire_config) == 8);
PIN(sizeof(cwire_manager) == 8);
PIN(sizeof(cwire_pool) == 8);
PIN(sizeof(cwire_station) == 8);

PIN(sizeof(cwire_error) == 256);
PIN_FIELD(cwire_error, size, 0, 8);
PIN_FIELD(cwire_error, status, 8, 4);
PIN_FIELD(cwire_error, flags, 12, 4);
PIN_FIELD(cwire_error, message, 16, 240);

PIN(sizeof(cwire_event) == 128);
PIN_FIELD(cwire_event, size, 0, 8);
PIN_FIELD(cwire_event, type, 8, 4);
PIN_FIELD(cwire_event, status, 12, 4);
PIN_FIELD(cwire_event, station, 16, 8);
PIN_FIELD(cwire_event, user_data, 24, 8);
PIN_FIELD(cwire_event, station_id, 32, 8);
PIN_FIELD(cwire_event, data, 40, 8);
PIN_FIELD(cwire_event, data_size, 48, 8);
PIN_FIELD(cwire_event, tag, 56, 8);
PIN_FIELD(cwire_event, time_ns, 64, 8);
PIN_FIELD(cwire_event, code, 72, 4);
PIN_FIELD(cwire_event, flags, 76, 4);
PIN_FIELD(cwire_event, failure, 80, 8);
PIN_FIELD(cwire_event, reserved, 88, 40);

/* Never changes either. */
PIN(sizeof(cwire_failure) == 72);
PIN_FIELD(cwire_failure, size, 0, 8);
PIN_FIELD(cwire_failure, status, 8, 4);
PIN_FIELD(cwire_failure, phase, 12, 4);
PIN_FIELD(cwire_failure, os_error, 16, 4);
PIN_FIELD(cwire_failure, x509_error, 20, 4);
PIN_FIELD(cwire_failure, http_status, 24, 4);
PIN_FIELD(cwire_failure, close_code, 28, 4);
PIN_FIELD(cwire_failure, security_event, 32, 4);
PIN_FIELD(cwire_failure, flags, 36, 4);
PIN_FIELD(cwire_failure, time_ns, 40, 8);
PIN_FIELD(cwire_failure, retry_at_ns, 48, 8);
PIN_FIELD(cwire_failure, reserved, 56, 16);

/* cwire_stats may grow at its end; what is here stays. */
PIN(sizeof(cwire_stats) >= 800);
PIN_FIELD(cwire_stats, size, 0, 8);
PIN_FIELD(cwire_stats, station_id, 8, 200);
PIN_FIELD(cwire_stats, state, 208, 4);
PIN_FIELD(cwire_stats, last_error, 212, 4);
PIN_FIELD(cwire_stats, connected_at_ns, 216, 8);
PIN_FIELD(cwire_stats, disconnected_at_ns, 224, 8);
PIN_FIELD(cwire_stats, last_message_at_ns, 232, 8);
PIN_FIELD(cwire_stats, reconnect_attempts, 240, 8);
PIN_FIELD(cwire_stats, messages_sent, 248, 8);
PIN_FIELD(cwire_stats, messages_received, 256, 8);
PIN_FIELD(cwire_stats, bytes_sent, 264, 8);
PIN_FIELD(cwire_stats, bytes_received, 272, 8);
PIN_FIELD(cwire_stats, last_error_message, 280, 240);
PIN_FIELD(cwire_stats, connections, 520, 8);
PIN_FIELD(cwire_stats, messages_not_sent, 528, 8);
PIN_FIELD(cwire_stats, queued_messages, 536, 8);
PIN_FIELD(cwire_stats, queued_bytes, 544, 8);
PIN_FIELD(cwire_stats, round_trip_ns, 552, 8);
PIN_FIELD(cwire_stats, last_failure, 560, 72);
PIN_FIELD(cwire_stats, messages_dropped, 632, 8);
PIN_FIELD(cwire_stats, reading_pauses, 640, 8);
PIN_FIELD(cwire_stats, offline_messages, 648, 8);
PIN_FIELD(cwire_stats, offline_bytes, 656, 8);
PIN_FIELD(cwire_stats, round_trip_smoothed_ns, 664, 8);
PIN_FIELD(cwire_stats, round_trip_variation_ns, 672, 8);
PIN_FIELD(cwire_stats, round_trip_min_ns, 680, 8);
PIN_FIELD(cwire_stats, jitter_ns, 688, 8);
PIN_FIELD(cwire_stats, last_alive_at_ns, 696, 8);
PIN_FIELD(cwire_stats, handshake_ns, 704, 8);
PIN_FIELD(cwire_stats, handshake_resolve_ns, 712, 8);
PIN_FIELD(cwire_stats, handshake_tcp_ns, 720, 8);
PIN_FIELD(cwire_stats, handshake_proxy_ns, 728, 8);
PIN_FIELD(cwire_stats, handshake_tls_ns, 736, 8);
PIN_FIELD(cwire_stats, handshake_http_ns, 744, 8);
PIN_FIELD(cwire_stats, flaps, 752, 8);
PIN_FIELD(cwire_stats, quality, 760, 4);
PIN_FIELD(cwire_stats, compressed, 764, 4);
PIN_FIELD(cwire_stats, wire_bytes_sent, 768, 8);
PIN_FIELD(cwire_stats, wire_bytes_received, 776, 8);
PIN_FIELD(cwire_stats, flaps_last_hour, 784, 8);
PIN_FIELD(cwire_stats, pong_awaited_ns, 792, 8);

/* cwire_endpoint may grow at its end; what is here stays. */
PIN(sizeof(cwire_endpoint) >= 320);
PIN_FIELD(cwire_endpoint, size, 0, 8);
PIN_FIELD(cwire_endpoint, name, 8, 272);
PIN_FIELD(cwire_endpoint, breaker, 280, 4);
PIN_FIELD(cwire_endpoint, handshakes, 284, 4);
PIN_FIELD(cwire_endpoint, handshakes_limit, 288, 4);
PIN_FIELD(cwire_endpoint, waiting_high, 292, 4);
PIN_FIELD(cwire_endpoint, waiting_normal, 296, 4);
PIN_FIELD(cwire_endpoint, waiting_low, 300, 4);
PIN_FIELD(cwire_endpoint, attempts, 304, 4);
PIN_FIELD(cwire_endpoint, failures, 308, 4);
PIN_FIELD(cwire_endpoint, opens_at_ns, 312, 8);

PIN(sizeof(cwire_outgoing) == 48);
PIN_FIELD(cwire_outgoing, size, 0, 8);
PIN_FIELD(cwire_outgoing, station, 8, 8);
PIN_FIELD(cwire_outgoing, data, 16, 8);
PIN_FIELD(cwire_outgoing, data_size, 24, 8);
PIN_FIELD(cwire_outgoing, tag, 32, 8);
PIN_FIELD(cwire_outgoing, flags, 40, 4);
PIN_FIELD(cwire_outgoing, status, 44, 4);

PIN(CWIRE_ABI_VERSION >= 2);

PIN(CWIRE_OK == 0);
PIN(CWIRE_E_INVALID_ARGUMENT == -1);
PIN(CWIRE_E_INVALID_HANDLE == -2);
PIN(CWIRE_E_NO_MEMORY == -3);
PIN(CWIRE_E_INTERNAL == -4);
PIN(CWIRE_E_CONFIG == -5);
PIN(CWIRE_E_STATE == -6);
PIN(CWIRE_E_TIMEOUT == -7);
PIN(CWIRE_E_ALREADY_CONNECTED == -8);
PIN(CWIRE_E_NOT_FOUND == -9);
PIN(CWIRE_E_NOT_ESTABLISHED == -10);
PIN(CWIRE_E_QUEUE_FULL == -11);
PIN(CWIRE_E_TOO_BIG == -12);
PIN(CWIRE_E_CLOSED == -13);
PIN(CWIRE_E_DIAL == -14);
PIN(CWIRE_E_TLS == -15);
PIN(CWIRE_E_HANDSHAKE == -16);
PIN(CWIRE_E_SUBPROTOCOL == -17);
PIN(CWIRE_E_AUTH == -18);
PIN(CWIRE_E_PROTOCOL == -19);
PIN(CWIRE_E_PING_TIMEOUT == -20);
PIN(CWIRE_E_READ == -21);
PIN(CWIRE_E_WRITE == -22);

PIN(CWIRE_STATE_DISCONNECTED == 0);
PIN(CWIRE_STATE_CONNECTING == 1);
PIN(CWIRE_STATE_CONNECTED == 2);
PIN(CWIRE_STATE_RECONNECTING == 3);
PIN(CWIRE_STATE_ERROR == 4);
PIN(CWIRE_STATE_CLOSED == 5);

PIN(CWIRE_EVENT_CONNECTED == 1);
PIN(CWIRE_EVENT_MESSAGE == 2);
PIN(CWIRE_EVENT_SENT == 3);
PIN(CWIRE_EVENT_WRITABLE == 4);
PIN(CWIRE_EVENT_DISCONNECTED == 5);
PIN(CWIRE_EVENT_ERROR == 6);
PIN(CWIRE_EVENT_STATE == 7);
PIN(CWIRE_EVENT_CLOSED == 8);
PIN(CWIRE_EVENT_LOG == 9);
PIN(CWIRE_EVENT_SHUTDOWN == 10);
PIN(CWIRE_EVENT_PAUSED == 11);
PIN(CWIRE_EVENT_ENDPOINT == 12);

PIN(CWIRE_BREAKER_CLOSED == 0);
PIN(CWIRE_BREAKER_OPEN == 1);
PIN(CWIRE_BREAKER_HALF_OPEN == 2);
PIN(CWIRE_BREAKER_ISOLATED == 3);

PIN(CWIRE_QUALITY_NONE == 0);
PIN(CWIRE_QUALITY_GOOD == 1);
PIN(CWIRE_QUALITY_FAIR == 2);
PIN(CWIRE_QUALITY_POOR == 3);
PIN(CWIRE_QUALITY_BAD == 4);

PIN(CWIRE_METRICS_PROMETHEUS == 0);
PIN(CWIRE_METRICS_OPEN_METRICS == 1);

PIN(CWIRE_LOG_ERROR == 1);
PIN(CWIRE_LOG_WARNING == 2);
PIN(CWIRE_LOG_INFO == 3);
PIN(CWIRE_LOG_DEBUG == 4);

PIN(CWIRE_FLAG_BINARY == 1u);
PIN(CWIRE_FLAG_REPORT == 2u);
PIN(CWIRE_FLAG_RECONNECT == 4u);
PIN(CWIRE_FLAG_WILL_RETRY == 8u);
PIN(CWIRE_FLAG_REMOTE == 16u);

#endif
