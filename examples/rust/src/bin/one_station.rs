//! One station: connects, boots, prints what arrives, and comes back whenever the CSMS does.
//!
//!     cargo run --bin one_station -- [URL] [STATION_ID]

use chargewire::{Config, EventKind, Manager};
use std::env;

fn main() -> Result<(), chargewire::Error> {
    let mut arguments = env::args().skip(1);
    let url = arguments
        .next()
        .unwrap_or_else(|| "ws://localhost:9000".into());
    let id = arguments.next().unwrap_or_else(|| "CP001".into());

    let boot =
        r#"[2,"1","BootNotification",{"chargePointVendor":"Acme","chargePointModel":"One"}]"#;
    let (manager, events) = Manager::new(&Config::new()?)?;
    let station = manager.connect(&id, &url)?;
    for event in events {
        match event.kind() {
            EventKind::Connected {
                reconnect: false, ..
            } => station.send(boot)?,
            EventKind::Message(text) => println!("{}: {text}", event.station_id()),
            // These name the station and say why, and what follows.
            EventKind::Error { .. } | EventKind::Disconnected { .. } => {
                println!("{}", event.text())
            }
            _ => {}
        }
    }
    Ok(())
}
