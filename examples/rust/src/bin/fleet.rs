//! A fleet. Its stations boot and send a Heartbeat each second; statistics each second, and of all at the end.
//!
//!     cargo run --release --bin fleet -- [URL [STATIONS [SECONDS]]]        # ws://localhost:9000 1000 10

use chargewire::{Config, ConnectOptions, Error, EventKind, Events, Manager, Stats};
use std::env;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const BOOT: &str = r#"[2,"boot","BootNotification",{"chargePointVendor":"Chargewire","chargePointModel":"Example"}]"#;

/// On a thread of its own, in batches that are lent: a fleet is worth it.
fn take(mut events: Events, answers: &AtomicU64) -> Result<(), Error> {
    while let Some(batch) = events.poll(None)? {
        for event in batch {
            match event.kind() {
                EventKind::Connected {
                    reconnect: false, ..
                } => {
                    let station = event.station().expect("whose event it is");
                    match station.send(BOOT) {
                        // Gone again already: the next event says so.
                        Ok(()) | Err(Error::NotEstablished(_) | Error::InvalidHandle(_)) => {}
                        Err(error) => return Err(error),
                    }
                }
                EventKind::Message(_) => {
                    answers.fetch_add(1, Ordering::Relaxed);
                }
                EventKind::Disconnected {
                    status: Some(_),
                    reason: line,
                    ..
                }
                | EventKind::Error { message: line, .. }
                | EventKind::Endpoint { line, .. } => println!("{line}"),
                _ => {}
            }
        }
    }
    Ok(())
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
    let stations: u64 = number(1000);
    let seconds: u64 = number(10);

    let config = Config::builder()
        .default_url(&url)
        .ping_interval(Duration::from_secs(60))
        .build()?;
    let (manager, events) = Manager::new(&config)?;
    let answers = Arc::new(AtomicU64::new(0));
    let taker = thread::spawn({
        let answers = Arc::clone(&answers);
        move || take(events, &answers)
    });
    for i in 1..=stations {
        manager.connect_with(&format!("CP{i}"), &ConnectOptions::new())?;
    }

    let start = Instant::now();
    for second in 1..=seconds {
        thread::sleep(
            (start + Duration::from_secs(second)).saturating_duration_since(Instant::now()),
        );
        // One call to all that are connected; the payload is copied once.
        let beating = manager.broadcast(&format!(r#"[2,"{second}","Heartbeat",{{}}]"#))?;
        let counts = manager.counts()?;
        println!(
            "{second} s: {} of {} connected, {beating} Heartbeats, {} answers",
            counts.connected,
            counts.total,
            answers.load(Ordering::Relaxed)
        );
    }

    let all = manager.all_stats()?;
    let sum = |what: fn(&Stats) -> u64| all.iter().map(what).sum::<u64>();
    println!(
        "{} messages sent, {} received, {} reconnect attempts, {} stations had errors",
        sum(|stats| stats.messages_sent),
        sum(|stats| stats.messages_received),
        sum(|stats| stats.reconnect_attempts),
        sum(|stats| u64::from(stats.last_error.is_some()))
    );
    for endpoint in manager.endpoints()? {
        println!(
            "{}: {} handshakes at a time",
            endpoint.name, endpoint.handshakes_limit
        );
    }

    manager.shutdown(Duration::from_secs(5))?;
    taker.join().expect("it does not panic") // when the events have ended
}
