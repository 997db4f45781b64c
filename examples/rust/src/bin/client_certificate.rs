//! TLS with a client certificate, OCPP's security profile 3: connects, exchanges one Heartbeat, closes. Whatever is wrong with a
//! certificate, on either side, is told in one line.
//!
//!     cargo run --bin client_certificate -- wss://HOST[:PORT][/PATH] STATION_ID CA.pem CERTIFICATE.pem KEY.pem
//!
//! The password of an encrypted key is taken from the environment variable KEY_PASSWORD.

use chargewire::{Config, EventKind, Manager, SecurityProfile};
use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, id, ca, certificate, key] = match <[String; 5]>::try_from(arguments) {
        Ok(arguments) => arguments,
        Err(_) => {
            eprintln!("usage: client_certificate wss://HOST[:PORT][/PATH] STATION_ID CA.pem CERTIFICATE.pem KEY.pem");
            return ExitCode::from(2);
        }
    };
    let mut config = Config::builder()
        .security_profile(SecurityProfile::Profile3) // ws:// is now refused
        .max_reconnect_attempts(1)
        .tls_ca_cert(ca)
        .tls_client_cert(certificate)
        .tls_client_key(key);
    if let Ok(password) = env::var("KEY_PASSWORD") {
        config = config.tls_client_key_password(&password);
    }
    match config
        .build()
        .and_then(|config| exchange(&config, &url, &id))
    {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the Heartbeat was answered.
fn exchange(config: &Config, url: &str, id: &str) -> Result<bool, chargewire::Error> {
    let (manager, events) = Manager::new(config)?;
    // The files are read and checked here, not at the first handshake: a mistake in them is told at once.
    let station = manager.connect(id, url)?;
    let mut answered = false;
    for event in events {
        match event.kind() {
            EventKind::Connected { subprotocol, .. } => {
                println!("connected, {subprotocol}");
                station.send(r#"[2,"heartbeat-1","Heartbeat",{}]"#)?;
            }
            EventKind::Message(text) => {
                println!("{text}");
                answered = true;
                station.disconnect()?;
            }
            EventKind::Error { message, .. } => eprintln!("{message}"),
            EventKind::Closed { .. } => break, // answered, or it gave up
            _ => {}
        }
    }
    Ok(answered)
}
