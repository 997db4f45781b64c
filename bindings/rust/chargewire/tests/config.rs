//! Configurations: what is set, what is refused, and what is a secret.

use chargewire::{Config, Error, LogLevel, Manager, Protocol};
use std::time::Duration;

#[test]
fn the_first_mistake_is_what_build_says() {
    let error = Config::builder()
        .ping_interval(Duration::from_secs(100_000_000))
        .set("csms.no_such_option", "1")
        .io_threads(1)
        .build()
        .unwrap_err();
    assert!(matches!(error, Error::Config(_)), "{error:?}");
    assert!(error.to_string().contains("csms.ping_interval"), "{error}");
}

#[test]
fn a_short_time_is_not_rounded_to_off() {
    let config = Config::builder()
        .ping_interval(Duration::from_micros(1))
        .build()
        .unwrap();
    assert_eq!(config.get("csms.ping_interval").unwrap(), "1ms");
    let config = Config::builder()
        .ping_interval(Duration::ZERO)
        .build()
        .unwrap();
    assert_eq!(config.get("csms.ping_interval").unwrap(), "0s");
}

#[test]
fn lists_keep_their_order() {
    let config = Config::builder()
        .protocol([Protocol::V2_1, Protocol::V1_6])
        .build()
        .unwrap();
    assert_eq!(config.get("csms.protocol").unwrap(), "2.1, 1.6");
}

#[test]
fn what_was_not_set_has_its_default() {
    let config = Config::new().unwrap();
    assert_eq!(
        config.governor_breaker_open_max().unwrap(),
        Duration::from_secs(300)
    );
    assert_eq!(config.protocol().unwrap(), [Protocol::V1_6]);
    assert_eq!(config.source_address().unwrap(), None);
    assert_eq!(config.tls_ca_cert().unwrap().as_os_str(), "");
    let config = Config::builder()
        .heartbeat_interval(Duration::from_millis(90_061_001))
        .build()
        .unwrap();
    assert_eq!(config.get("csms.heartbeat_interval").unwrap(), "25h1m1s1ms");
    assert_eq!(
        config.heartbeat_interval().unwrap(),
        Duration::from_millis(90_061_001)
    );
}

#[test]
fn headers_are_set_one_by_one() {
    let config = Config::builder()
        .header("X-Site", "Rotterdam")
        .header("X-Bay", "7")
        .build()
        .unwrap();
    assert_eq!(config.get("csms.headers.X-Site").unwrap(), "***");
    assert!(matches!(
        Config::builder().header("Host", "elsewhere").build(),
        Err(Error::Config(_))
    ));
}

#[test]
fn yaml_and_setters_replace_what_came_before() {
    let config = Config::builder()
        .ping_interval(Duration::from_secs(1))
        .load_yaml("csms: { ping_interval: 2s, pong_timeout: 3s }")
        .pong_timeout(Duration::from_secs(4))
        .build()
        .unwrap();
    assert_eq!(config.get("csms.ping_interval").unwrap(), "2s");
    assert_eq!(config.get("csms.pong_timeout").unwrap(), "4s");
    let error = Config::from_yaml("csms:\n  ping_interval: often\n").unwrap_err();
    assert!(
        error.message().contains("csms.ping_interval") && error.message().contains(":2:"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Config::from_file("no/such/file.yaml").unwrap_err();
    assert!(error.message().contains("no/such/file.yaml"), "{error}");
}

#[test]
fn copies_are_independent() {
    let one = Config::builder().log_level(LogLevel::Info).build().unwrap();
    let other = one.to_builder().log_level(LogLevel::Debug).build().unwrap();
    assert_eq!(one.get("log_level").unwrap(), "info");
    assert_eq!(other.get("log_level").unwrap(), "debug");
    drop(one);
    assert_eq!(
        other.try_clone().unwrap().get("log_level").unwrap(),
        "debug"
    );
}

#[test]
fn long_values_are_read_whole() {
    let ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:".repeat(20);
    let ciphers = ciphers.trim_end_matches(':');
    let config = Config::builder().tls_ciphers(ciphers).build().unwrap();
    assert_eq!(config.get("csms.tls.ciphers").unwrap(), ciphers);
}

#[test]
fn no_text_is_cut_off_at_a_nul() {
    let error = Config::builder()
        .set("csms.auth.username", "CP\0")
        .build()
        .unwrap_err();
    assert!(matches!(error, Error::InvalidArgument(_)), "{error:?}");
}

#[test]
fn secrets_do_not_come_back() {
    let config = Config::builder()
        .auth_password("abracadabra")
        .build()
        .unwrap();
    assert_eq!(config.get("csms.auth.password").unwrap(), "***");
    assert!(!format!("{config:?}").contains("abracadabra"));
}

#[test]
fn an_unknown_option_is_named() {
    let error = Config::new()
        .unwrap()
        .get("csms.no_such_option")
        .unwrap_err();
    assert!(
        matches!(&error, Error::Config(message) if message.contains("csms.no_such_option")),
        "{error:?}"
    );
}

#[test]
fn options_that_contradict_each_other_start_no_manager() {
    let config = Config::builder()
        .governor_handshakes_min(10)
        .governor_handshakes_max(5)
        .build()
        .unwrap();
    assert!(matches!(Manager::new(&config), Err(Error::Config(_))));
}

#[test]
fn the_schema_is_json() {
    assert!(Config::schema().starts_with(r#"{"options":["#));
}
