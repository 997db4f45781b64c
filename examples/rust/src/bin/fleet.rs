//! A fleet of 1,000 stations: they boot, send a heartbeat a second for as long as is said, and are counted.
//!
//!     cargo run --release --bin fleet -- [URL] [STATIONS] [SECONDS]

use chargewire::{Config, Error, EventKind, Events, Manager, Stats, Status};
use std::env;
use std::thread;
use std::time::Duration;

const BOOT: &str =
    r#"[2,"boot","BootNotification",{"chargePointVendor":"Acme","chargePointModel":"One"}]"#;
const HEARTBEAT: &str = r#"[2,"heartbeat","Heartbeat",{}]"#;

/// What the events say.
#[derive(Default)]
struct Seen {
    failed_attempts: usize,
    lost_connections: usize,
    closed: usize,
}

fn main() -> Result<(), Error> {
    let mut arguments = env::args().skip(1);
    let url = arguments
        .next()
        .unwrap_or_else(|| "ws://localhost:9000".into());
    let mut number = |default| {
        arguments
            .next()
            .and_then(|word| word.parse().ok())
            .unwrap_or(default)
    };
    let stations: usize = number(1_000);
    let seconds: usize = number(10);

    let config = Config::builder()
        .default_url(&url)
        .connection_timeout(Duration::from_secs(10))
        .build()?;
    let (manager, events) = Manager::new(&config)?;
    let taker = thread::spawn(move || take(events));

    // Connecting is asynchronous: this only says whom.
    let fleet = (1..=stations)
        .map(|number| manager.connect_with(&format!("CP{number:05}"), &Default::default()))
        .collect::<Result<Vec<_>, _>>()?;
    for station in &fleet {
        station.wait(Some(Duration::from_secs(60)))?;
    }
    for _ in 0..seconds {
        manager.broadcast(HEARTBEAT)?;
        thread::sleep(Duration::from_secs(1));
        report(&manager)?;
    }

    manager.shutdown(Duration::from_secs(10))?; // what is queued is sent; then the events end
    let seen = taker.join().expect("the taker does not panic")?;
    println!(
        "{} failed attempts, {} connections lost, {} of {stations} stations closed",
        seen.failed_attempts, seen.lost_connections, seen.closed
    );
    Ok(())
}

/// In batches, which are lent: a fleet is worth it.
fn take(mut events: Events) -> Result<Seen, Error> {
    let mut seen = Seen::default();
    while let Some(batch) = events.poll(None)? {
        for event in batch {
            match event.kind() {
                EventKind::Connected {
                    reconnect: false, ..
                } => {
                    let station = event.station().expect("whose event it is");
                    match station.send(BOOT) {
                        // Gone again already: it will boot when it comes back, or has ended.
                        Ok(()) | Err(Error::NotEstablished(_) | Error::InvalidHandle(_)) => {}
                        Err(error) => return Err(error),
                    }
                }
                EventKind::Error {
                    message, attempts, ..
                } => {
                    seen.failed_attempts += 1;
                    if attempts == 1 {
                        eprintln!("{message}");
                    }
                }
                EventKind::Disconnected { status, .. } => {
                    seen.lost_connections += usize::from(status.is_some())
                }
                EventKind::Closed { .. } => seen.closed += 1,
                _ => {}
            }
        }
    }
    Ok(seen)
}

fn report(manager: &Manager) -> Result<(), Error> {
    let counts = manager.counts()?;
    let all = manager.all_stats()?;
    let sum = |what: fn(&Stats) -> u64| all.iter().map(what).sum::<u64>();
    let refused = all
        .iter()
        .filter(|stats| stats.last_error.as_ref().map(Error::status) == Some(Status::Auth))
        .count();
    println!(
        "{} of {} connected, {refused} refused; {} messages sent, {} received, {} waiting, {} connections so far",
        counts.connected,
        counts.total,
        sum(|stats| stats.messages_sent),
        sum(|stats| stats.messages_received),
        sum(|stats| stats.queued_messages),
        sum(|stats| stats.connections),
    );
    Ok(())
}
