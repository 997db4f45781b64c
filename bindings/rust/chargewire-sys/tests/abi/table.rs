// Made by bindings/generate from chargewire.h and the option table. Change those, not this file.

/// Of the header.
const VERSION: &str = "0.1.0";

layouts! {
    cwire_error, 256, 8, {
        size, "size", 0, 8;
        status, "status", 8, 4;
        flags, "flags", 12, 4;
        message, "message", 16, 240;
    }
    cwire_failure, 72, 8, {
        size, "size", 0, 8;
        status, "status", 8, 4;
        phase, "phase", 12, 4;
        os_error, "os_error", 16, 4;
        x509_error, "x509_error", 20, 4;
        http_status, "http_status", 24, 4;
        close_code, "close_code", 28, 4;
        security_event, "security_event", 32, 4;
        flags, "flags", 36, 4;
        time_ns, "time_ns", 40, 8;
        retry_at_ns, "retry_at_ns", 48, 8;
        reserved, "reserved", 56, 16;
    }
    cwire_event, 128, 8, {
        size, "size", 0, 8;
        type_, "type", 8, 4;
        status, "status", 12, 4;
        station, "station", 16, 8;
        user_data, "user_data", 24, 8;
        station_id, "station_id", 32, 8;
        data, "data", 40, 8;
        data_size, "data_size", 48, 8;
        tag, "tag", 56, 8;
        time_ns, "time_ns", 64, 8;
        code, "code", 72, 4;
        flags, "flags", 76, 4;
        failure, "failure", 80, 8;
        reserved, "reserved", 88, 40;
    }
    cwire_stats, 800, 8, {
        size, "size", 0, 8;
        station_id, "station_id", 8, 200;
        state, "state", 208, 4;
        last_error, "last_error", 212, 4;
        connected_at_ns, "connected_at_ns", 216, 8;
        disconnected_at_ns, "disconnected_at_ns", 224, 8;
        last_message_at_ns, "last_message_at_ns", 232, 8;
        reconnect_attempts, "reconnect_attempts", 240, 8;
        messages_sent, "messages_sent", 248, 8;
        messages_received, "messages_received", 256, 8;
        bytes_sent, "bytes_sent", 264, 8;
        bytes_received, "bytes_received", 272, 8;
        last_error_message, "last_error_message", 280, 240;
        connections, "connections", 520, 8;
        messages_not_sent, "messages_not_sent", 528, 8;
        queued_messages, "queued_messages", 536, 8;
        queued_bytes, "queued_bytes", 544, 8;
        round_trip_ns, "round_trip_ns", 552, 8;
        last_failure, "last_failure", 560, 72;
        messages_dropped, "messages_dropped", 632, 8;
        reading_pauses, "reading_pauses", 640, 8;
        offline_messages, "offline_messages", 648, 8;
        offline_bytes, "offline_bytes", 656, 8;
        round_trip_smoothed_ns, "round_trip_smoothed_ns", 664, 8;
        round_trip_variation_ns, "round_trip_variation_ns", 672, 8;
        round_trip_min_ns, "round_trip_min_ns", 680, 8;
        jitter_ns, "jitter_ns", 688, 8;
        last_alive_at_ns, "last_alive_at_ns", 696, 8;
        handshake_ns, "handshake_ns", 704, 8;
        handshake_resolve_ns, "handshake_resolve_ns", 712, 8;
        handshake_tcp_ns, "handshake_tcp_ns", 720, 8;
        handshake_proxy_ns, "handshake_proxy_ns", 728, 8;
        handshake_tls_ns, "handshake_tls_ns", 736, 8;
        handshake_http_ns, "handshake_http_ns", 744, 8;
        flaps, "flaps", 752, 8;
        quality, "quality", 760, 4;
        compressed, "compressed", 764, 4;
        wire_bytes_sent, "wire_bytes_sent", 768, 8;
        wire_bytes_received, "wire_bytes_received", 776, 8;
        flaps_last_hour, "flaps_last_hour", 784, 8;
        pong_awaited_ns, "pong_awaited_ns", 792, 8;
    }
    cwire_endpoint, 320, 8, {
        size, "size", 0, 8;
        name, "name", 8, 272;
        breaker, "breaker", 280, 4;
        handshakes, "handshakes", 284, 4;
        handshakes_limit, "handshakes_limit", 288, 4;
        waiting_high, "waiting_high", 292, 4;
        waiting_normal, "waiting_normal", 296, 4;
        waiting_low, "waiting_low", 300, 4;
        attempts, "attempts", 304, 4;
        failures, "failures", 308, 4;
        opens_at_ns, "opens_at_ns", 312, 8;
    }
    cwire_outgoing, 48, 8, {
        size, "size", 0, 8;
        station, "station", 8, 8;
        data, "data", 16, 8;
        data_size, "data_size", 24, 8;
        tag, "tag", 32, 8;
        flags, "flags", 40, 4;
        status, "status", 44, 4;
    }
}

constants! {
    CWIRE_OK, 0;
    CWIRE_E_INVALID_ARGUMENT, -1;
    CWIRE_E_INVALID_HANDLE, -2;
    CWIRE_E_NO_MEMORY, -3;
    CWIRE_E_INTERNAL, -4;
    CWIRE_E_CONFIG, -5;
    CWIRE_E_STATE, -6;
    CWIRE_E_TIMEOUT, -7;
    CWIRE_E_ALREADY_CONNECTED, -8;
    CWIRE_E_NOT_FOUND, -9;
    CWIRE_E_NOT_ESTABLISHED, -10;
    CWIRE_E_QUEUE_FULL, -11;
    CWIRE_E_TOO_BIG, -12;
    CWIRE_E_CLOSED, -13;
    CWIRE_E_DIAL, -14;
    CWIRE_E_TLS, -15;
    CWIRE_E_HANDSHAKE, -16;
    CWIRE_E_SUBPROTOCOL, -17;
    CWIRE_E_AUTH, -18;
    CWIRE_E_PROTOCOL, -19;
    CWIRE_E_PING_TIMEOUT, -20;
    CWIRE_E_READ, -21;
    CWIRE_E_WRITE, -22;
    CWIRE_STATE_DISCONNECTED, 0;
    CWIRE_STATE_CONNECTING, 1;
    CWIRE_STATE_CONNECTED, 2;
    CWIRE_STATE_RECONNECTING, 3;
    CWIRE_STATE_ERROR, 4;
    CWIRE_STATE_CLOSED, 5;
    CWIRE_PHASE_NONE, 0;
    CWIRE_PHASE_RESOLVE, 1;
    CWIRE_PHASE_TCP, 2;
    CWIRE_PHASE_PROXY, 3;
    CWIRE_PHASE_TLS, 4;
    CWIRE_PHASE_HTTP, 5;
    CWIRE_PHASE_SUBPROTOCOL, 6;
    CWIRE_PHASE_PING, 7;
    CWIRE_PHASE_READ, 8;
    CWIRE_PHASE_WRITE, 9;
    CWIRE_PHASE_PEER, 10;
    CWIRE_SECURITY_NONE, 0;
    CWIRE_SECURITY_INVALID_CSMS_CERTIFICATE, 1;
    CWIRE_SECURITY_INVALID_TLS_VERSION, 2;
    CWIRE_SECURITY_INVALID_TLS_CIPHER_SUITE, 3;
    CWIRE_SECURITY_FAILED_TO_AUTHENTICATE, 4;
    CWIRE_EVENT_CONNECTED, 1;
    CWIRE_EVENT_MESSAGE, 2;
    CWIRE_EVENT_SENT, 3;
    CWIRE_EVENT_WRITABLE, 4;
    CWIRE_EVENT_DISCONNECTED, 5;
    CWIRE_EVENT_ERROR, 6;
    CWIRE_EVENT_STATE, 7;
    CWIRE_EVENT_CLOSED, 8;
    CWIRE_EVENT_LOG, 9;
    CWIRE_EVENT_SHUTDOWN, 10;
    CWIRE_EVENT_PAUSED, 11;
    CWIRE_EVENT_ENDPOINT, 12;
    CWIRE_LOG_ERROR, 1;
    CWIRE_LOG_WARNING, 2;
    CWIRE_LOG_INFO, 3;
    CWIRE_LOG_DEBUG, 4;
    CWIRE_FLAG_BINARY, 1;
    CWIRE_FLAG_REPORT, 2;
    CWIRE_FLAG_RECONNECT, 4;
    CWIRE_FLAG_WILL_RETRY, 8;
    CWIRE_FLAG_REMOTE, 16;
    CWIRE_FLAG_NEEDS_ACTION, 32;
    CWIRE_QUALITY_NONE, 0;
    CWIRE_QUALITY_GOOD, 1;
    CWIRE_QUALITY_FAIR, 2;
    CWIRE_QUALITY_POOR, 3;
    CWIRE_QUALITY_BAD, 4;
    CWIRE_BREAKER_CLOSED, 0;
    CWIRE_BREAKER_OPEN, 1;
    CWIRE_BREAKER_HALF_OPEN, 2;
    CWIRE_BREAKER_ISOLATED, 3;
    CWIRE_METRICS_PROMETHEUS, 0;
    CWIRE_METRICS_OPEN_METRICS, 1;
    CWIRE_RECONFIGURE_RECONNECT, 1;
}

functions! {
    cwire_abi_version, "uint32_t", "(void)";
    cwire_version, "const char *", "(void)";
    cwire_status_name, "const char *", "(cwire_status)";
    cwire_state_name, "const char *", "(int32_t)";
    cwire_phase_name, "const char *", "(int32_t)";
    cwire_quality_name, "const char *", "(int32_t)";
    cwire_security_event_name, "const char *", "(int32_t, const char *)";
    cwire_config_new, "cwire_status", "(cwire_config *)";
    cwire_config_copy, "cwire_status", "(cwire_config, cwire_config *)";
    cwire_config_load_file, "cwire_status", "(cwire_config, const char *, cwire_error *)";
    cwire_config_load_yaml, "cwire_status", "(cwire_config, const char *, size_t, cwire_error *)";
    cwire_config_set, "cwire_status", "(cwire_config, const char *, const char *, cwire_error *)";
    cwire_config_get, "cwire_status", "(cwire_config, const char *, char *, size_t, size_t *)";
    cwire_config_schema, "const char *", "(void)";
    cwire_config_free, "cwire_status", "(cwire_config)";
    cwire_manager_new, "cwire_status", "(cwire_config, cwire_event_handler, uintptr_t, cwire_manager *, cwire_error *)";
    cwire_manager_poll, "cwire_status", "(cwire_manager, int32_t, size_t, const cwire_event **, size_t *)";
    cwire_manager_event_fd, "intptr_t", "(cwire_manager)";
    cwire_manager_wake, "cwire_status", "(cwire_manager)";
    cwire_manager_connect, "cwire_status", "(cwire_manager, const char *, const char *, cwire_config, uintptr_t, cwire_station *, cwire_error *)";
    cwire_manager_connect_all, "cwire_status", "(cwire_manager, size_t *, cwire_error *)";
    cwire_manager_find, "cwire_status", "(cwire_manager, const char *, cwire_station *)";
    cwire_manager_send, "cwire_status", "(cwire_manager, const char *, const void *, size_t, uint32_t, uint64_t)";
    cwire_manager_broadcast, "cwire_status", "(cwire_manager, const void *, size_t, uint32_t, size_t *)";
    cwire_manager_reconfigure, "cwire_status", "(cwire_manager, const char *, const char *, cwire_config, uint32_t, cwire_error *)";
    cwire_manager_disconnect, "cwire_status", "(cwire_manager, const char *)";
    cwire_manager_disconnect_all, "cwire_status", "(cwire_manager)";
    cwire_manager_is_connected, "cwire_status", "(cwire_manager, const char *)";
    cwire_manager_counts, "cwire_status", "(cwire_manager, size_t *, size_t *)";
    cwire_manager_stats, "cwire_status", "(cwire_manager, const char *, cwire_stats *)";
    cwire_manager_all_stats, "cwire_status", "(cwire_manager, cwire_stats *, size_t, size_t *)";
    cwire_manager_network_up, "cwire_status", "(cwire_manager)";
    cwire_manager_endpoints, "cwire_status", "(cwire_manager, cwire_endpoint *, size_t, size_t *)";
    cwire_manager_isolate, "cwire_status", "(cwire_manager, const char *, cwire_error *)";
    cwire_manager_reset, "cwire_status", "(cwire_manager, const char *, cwire_error *)";
    cwire_manager_metrics, "cwire_status", "(cwire_manager, int32_t, char *, size_t, size_t *)";
    cwire_manager_metrics_url, "cwire_status", "(cwire_manager, char *, size_t, size_t *)";
    cwire_manager_shutdown, "cwire_status", "(cwire_manager, int32_t)";
    cwire_manager_free, "cwire_status", "(cwire_manager)";
    cwire_station_send, "cwire_status", "(cwire_station, const void *, size_t, uint32_t, uint64_t)";
    cwire_station_send_many, "cwire_status", "(cwire_outgoing *, size_t, size_t *)";
    cwire_station_wait, "cwire_status", "(cwire_station, int32_t, cwire_error *)";
    cwire_station_state, "cwire_status", "(cwire_station, int32_t *)";
    cwire_station_stats, "cwire_status", "(cwire_station, cwire_stats *)";
    cwire_station_reconfigure, "cwire_status", "(cwire_station, const char *, cwire_config, uint32_t, cwire_error *)";
    cwire_station_disconnect, "cwire_status", "(cwire_station, uint16_t, const char *)";
    cwire_pool_new, "cwire_status", "(cwire_manager, cwire_pool *)";
    cwire_pool_add, "cwire_status", "(cwire_pool, cwire_station)";
    cwire_pool_remove, "cwire_status", "(cwire_pool, const char *)";
    cwire_pool_has, "cwire_status", "(cwire_pool, const char *)";
    cwire_pool_send, "cwire_status", "(cwire_pool, const char *, const void *, size_t, uint32_t, uint64_t)";
    cwire_pool_broadcast, "cwire_status", "(cwire_pool, const void *, size_t, uint32_t, size_t *)";
    cwire_pool_counts, "cwire_status", "(cwire_pool, size_t *, size_t *)";
    cwire_pool_stats, "cwire_status", "(cwire_pool, cwire_stats *, size_t, size_t *)";
    cwire_pool_disconnect_all, "cwire_status", "(cwire_pool)";
    cwire_pool_free, "cwire_status", "(cwire_pool)";
}
