//! One station. Connects, says that it booted, prints whatever arrives, and leaves in good order on Ctrl-C.
//!
//!     cargo run --bin one_station -- [URL [STATION_ID]]        # ws://localhost:9000 CP001
//!
//! Losing the connection ends nothing: the library comes back by itself, for as long as it takes.

use chargewire::{Config, EventKind, Manager};
use chargewire_examples::wait_for_ctrl_c;
use std::env;
use std::error::Error;
use std::thread;
use std::time::Duration;

const BOOT: &str = r#"[2,"boot-1","BootNotification",{"chargePointVendor":"Chargewire","chargePointModel":"Example"}]"#;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let url = arguments
        .next()
        .unwrap_or_else(|| "ws://localhost:9000".into());
    let id = arguments.next().unwrap_or_else(|| "CP001".into());

    let (manager, events) = Manager::new(&Config::new()?)?;
    let station = manager.connect(&id, &url)?;
    thread::spawn(move || {
        wait_for_ctrl_c().expect("two descriptors");
        manager
            .shutdown(Duration::from_secs(5))
            .expect("five seconds are allowed"); // the events end when that is over
    });

    for event in events {
        match event.kind() {
            EventKind::Connected {
                subprotocol,
                reconnect,
                ..
            } => {
                println!("{id}: connected, {subprotocol}");
                // A station boots once. Whoever merely lost the line says nothing, or the CSMS takes it for a restart.
                if !reconnect {
                    station.send(BOOT)?;
                }
            }
            EventKind::Message(text) => println!("{id}: {text}"),
            // One line each: why, and what follows.
            EventKind::Disconnected { .. } | EventKind::Error { .. } | EventKind::Log { .. } => {
                println!("{}", event.text())
            }
            _ => {}
        }
    }
    Ok(())
}
