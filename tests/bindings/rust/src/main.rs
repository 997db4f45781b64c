//! The runner of Rust: see ../README.md. usage: runner iterator|batches|stream

mod block_on;
mod record;

use block_on::block_on;
use chargewire::{
    Config, ConnectOptions, Error, Event, EventKind, Events, Manager, Message, Station,
};
use record::{Kind, Record};
use std::collections::{HashMap, VecDeque};
use std::env;
use std::io::{self, BufRead, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What has come of a station.
#[derive(Default)]
struct Arrived {
    records: VecDeque<Record>, // those that no command has taken
    seen: u64,                 // all so far
    goodbye: Option<String>,   // a message on which to disconnect, while its event is handled
    goodbye_outcome: Option<String>,
}

#[derive(Default)]
struct State {
    stations: HashMap<String, Arrived>,
    shut_down: bool,
    after_shutdown: bool, // an event came then, which must not be
    warm: usize,          // stations that had 1,000 messages accepted
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    came: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn wait_until<T>(&self, mut found: impl FnMut(&mut State) -> Option<T>) -> T {
        let mut state = self.lock();
        loop {
            if let Some(found) = found(&mut state) {
                return found;
            }
            state = self.came.wait(state).unwrap();
        }
    }

    fn next(&self, id: &str) -> Record {
        self.wait_until(|state| state.stations.get_mut(id)?.records.pop_front())
    }

    fn take_event(&self, event: &Event<'_>) {
        let mut state = self.lock();
        if let EventKind::Shutdown = event.kind() {
            state.shut_down = true;
        } else if state.shut_down {
            state.after_shutdown = true;
        }
        if let Some(record) = Record::of(event) {
            let station = state
                .stations
                .entry(event.station_id().to_owned())
                .or_default();
            if record.kind == Kind::Message && station.goodbye.as_ref() == Some(&record.data) {
                station.goodbye_outcome = Some(outcome(event.station().unwrap().disconnect()));
                station.goodbye = None;
            }
            station.records.push_back(record);
            station.seen += 1;
        }
        self.came.notify_all();
    }
}

/// How the events are taken.
#[derive(Clone, Copy)]
enum Delivery {
    Iterator,
    Batches,
    Stream,
}

impl Delivery {
    fn run(self, mut events: Events, shared: &Shared) -> Result<(), Error> {
        match self {
            Delivery::Iterator => {
                for event in events {
                    shared.take_event(&event.as_event());
                }
            }
            Delivery::Batches => {
                while let Some(batch) = events.poll(None)? {
                    for event in batch {
                        shared.take_event(&event);
                    }
                }
            }
            Delivery::Stream => {
                let mut events = events.stream()?;
                block_on(async {
                    while let Some(event) = events.next().await {
                        shared.take_event(&event.as_event());
                    }
                });
            }
        }
        Ok(())
    }
}

struct Runner {
    delivery: Delivery,
    shared: Arc<Shared>,
    stations: HashMap<String, Station>,
    manager: Option<Manager>,
    taker: Option<JoinHandle<Result<(), Error>>>,
}

fn outcome(result: Result<(), Error>) -> String {
    match result {
        Ok(()) => "ok".into(),
        Err(error) => error.status().name().into(),
    }
}

fn config(options: &[&str]) -> Result<Config, Error> {
    let mut builder = Config::builder();
    for option in options {
        let (key, value) = option.split_once('=').expect("KEY=VALUE");
        builder = builder.set(key, value);
    }
    builder.build()
}

fn send(station: Station, text: &str, tag: u64) -> Result<(), Error> {
    let message = Message::from(text);
    station.send(if tag == 0 {
        message
    } else {
        message.tag(tag).report()
    })
}

impl Runner {
    fn carry_out(&mut self, words: &[&str]) -> String {
        match *words {
            ["manager", ref options @ ..] => outcome(self.start(options)),
            ["connect", id, url, ref options @ ..] => outcome(self.connect(id, url, options)),
            ["cycles", count, url] => outcome(cycles(number(count), url)),
            ["shutdown", drain_ms, ref ids @ ..] => {
                self.shutdown(Duration::from_millis(number(drain_ms)), ids)
            }
            ["free"] => {
                self.free();
                "ok".into()
            }
            [verb, id, ref arguments @ ..] => {
                self.carry_out_with(self.stations[id], verb, id, arguments)
            }
            _ => "unknown command".into(),
        }
    }

    fn carry_out_with(&self, station: Station, verb: &str, id: &str, arguments: &[&str]) -> String {
        match (verb, arguments) {
            ("wait", [ms]) => outcome(station.wait(Some(Duration::from_millis(number(ms))))),
            ("state", []) => station.state().map_or_else(
                |error| error.status().name().into(),
                |state| state.to_string(),
            ),
            ("events", [count]) => self.take(id, number(count)),
            ("until", [kind]) => self.until(id, kind),
            ("send", [text, tag]) => outcome(send(station, text, number(tag))),
            ("flood", [count]) => self.flood(station, id, number(count)),
            ("threads", [threads, count]) => {
                self.threads(station, id, number(threads), number(count))
            }
            ("fill", [size]) => fill(station, &"x".repeat(number(size) as usize)),
            ("disconnect", [code, reason]) => {
                outcome(station.disconnect_with(number(code) as u16, reason))
            }
            ("disconnect_inside", [text]) => self.disconnect_inside(station, id, text),
            ("stats", []) => stats(station),
            ("stale", []) => stale(station),
            _ => "unknown command".into(),
        }
    }

    // ---- The manager

    fn start(&mut self, options: &[&str]) -> Result<(), Error> {
        let (manager, events) = Manager::new(&config(options)?)?;
        self.manager = Some(manager);
        let (delivery, shared) = (self.delivery, Arc::clone(&self.shared));
        self.taker = Some(thread::spawn(move || delivery.run(events, &shared)));
        Ok(())
    }

    fn manager(&self) -> &Manager {
        self.manager.as_ref().expect("a manager was started")
    }

    fn connect(&mut self, id: &str, url: &str, options: &[&str]) -> Result<(), Error> {
        let overrides = config(options)?;
        let station = self
            .manager()
            .connect_with(id, &ConnectOptions::new().url(url).overrides(&overrides))?;
        self.stations.insert(id.to_owned(), station);
        self.shared
            .lock()
            .stations
            .entry(id.to_owned())
            .or_default();
        Ok(())
    }

    /// Without its manager the iteration ends.
    fn free(&mut self) {
        self.manager = None;
        if let Some(taker) = self.taker.take() {
            taker.join().unwrap().unwrap();
        }
    }

    fn shutdown(&self, drain: Duration, ids: &[&str]) -> String {
        let accepted: u64 = thread::scope(|scope| {
            let senders: Vec<_> = ids
                .iter()
                .map(|&id| scope.spawn(move || self.load(self.stations[id], id)))
                .collect();
            self.shared
                .wait_until(|state| (state.warm == ids.len()).then_some(()));
            self.manager().shutdown(drain).unwrap();
            senders
                .into_iter()
                .map(|sender| sender.join().unwrap())
                .sum()
        });
        self.shared
            .wait_until(|state| state.shut_down.then_some(()));

        let state = self.shared.lock();
        let of = |id: &str, kind| {
            state.stations[id]
                .records
                .iter()
                .filter(|record| record.kind == kind)
                .count()
        };
        let told: usize = ids.iter().map(|id| of(id, Kind::Sent)).sum();
        let last = |id: &str| state.stations[id].records.back().map(|record| record.kind);
        let closed = ids
            .iter()
            .filter(|id| of(id, Kind::Closed) == 1 && last(id) == Some(Kind::Closed))
            .count();
        let order = if state.after_shutdown {
            "not last"
        } else {
            "last"
        };
        format!(
            "{accepted} accepted, {told} sent or told why not, {closed} closed, SHUTDOWN {order}"
        )
    }

    /// Sends without pause until its station's turn in the shutdown has come. Returns how many were accepted.
    fn load(&self, station: Station, id: &str) -> u64 {
        let mut accepted = 0;
        loop {
            let seen = self.shared.lock().stations[id].seen;
            match send(station, "load", accepted + 1) {
                Ok(()) => {
                    accepted += 1;
                    if accepted == 1000 {
                        self.shared.lock().warm += 1;
                        self.shared.came.notify_all();
                    }
                }
                Err(Error::QueueFull(_)) => self
                    .shared
                    .wait_until(|state| (state.stations[id].seen != seen).then_some(())),
                Err(_) => return accepted,
            }
        }
    }

    // ---- Stations

    fn take(&self, id: &str, count: u64) -> String {
        let texts: Vec<String> = (0..count).map(|_| self.shared.next(id).text).collect();
        texts.join(" | ")
    }

    fn until(&self, id: &str, kind: &str) -> String {
        loop {
            let text = self.shared.next(id).text;
            if text.split(' ').next() == Some(kind) {
                return text;
            }
        }
    }

    fn flood(&self, station: Station, id: &str, count: u64) -> String {
        for i in 1..=count {
            if let Err(error) = send(station, &i.to_string(), i) {
                return error.status().name().into();
            }
        }
        let [mut sent, mut sent_in_order, mut received, mut received_in_order] = [0; 4];
        while sent < count || received < count {
            let record = self.shared.next(id);
            match record.kind {
                Kind::Sent => {
                    sent += 1;
                    sent_in_order += u64::from(record.text == format!("SENT {sent} CWIRE_OK"));
                }
                Kind::Message => {
                    received += 1;
                    received_in_order += u64::from(record.data == received.to_string());
                }
                _ => return record.text,
            }
        }
        format!("{sent_in_order} sent in order, {received_in_order} received in order")
    }

    fn threads(&self, station: Station, id: &str, threads: u64, count: u64) -> String {
        let accepted: usize = thread::scope(|scope| {
            let sends = move |thread| {
                (1..=count)
                    .filter(|i| station.send(&format!("{thread}:{i}")).is_ok())
                    .count()
            };
            let senders: Vec<_> = (0..threads)
                .map(|thread| scope.spawn(move || sends(thread)))
                .collect();
            senders
                .into_iter()
                .map(|sender| sender.join().unwrap())
                .sum()
        });
        let mut last: HashMap<String, u64> = HashMap::new(); // of each thread
        let mut in_order = 0;
        for _ in 0..accepted {
            let record = self.shared.next(id);
            let (thread, number) = match record.data.split_once(':') {
                Some(parts) => parts,
                None => return record.text,
            };
            let last = last.entry(thread.to_owned()).or_default();
            *last += 1;
            in_order += u64::from(number == last.to_string());
        }
        format!("{accepted} accepted, {accepted} received, {in_order} in the order of their thread")
    }

    fn disconnect_inside(&self, station: Station, id: &str, text: &str) -> String {
        self.shared.lock().stations.get_mut(id).unwrap().goodbye = Some(text.to_owned());
        station.send(text).unwrap();
        self.shared
            .wait_until(|state| state.stations.get_mut(id)?.goodbye_outcome.take())
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.free();
    }
}

fn fill(station: Station, big: &str) -> String {
    loop {
        if let Err(error) = station.send(big) {
            return error.status().name().into();
        }
    }
}

fn stats(station: Station) -> String {
    let stats = match station.stats() {
        Ok(stats) => stats,
        Err(error) => return error.status().name().into(),
    };
    format!(
        "{}, {} connections, {} more attempts, {} sent, {} received, {} bytes received, {} not sent, last error {}",
        stats.state,
        stats.connections,
        stats.reconnect_attempts,
        stats.messages_sent,
        stats.messages_received,
        stats.bytes_received,
        stats.messages_not_sent,
        stats.last_error.map_or("CWIRE_OK", |error| error.status().name())
    )
}

fn stale(station: Station) -> String {
    format!(
        "send {}, state {}, stats {}, disconnect {}",
        outcome(station.send("x")),
        outcome(station.state().map(drop)),
        outcome(station.stats().map(drop)),
        outcome(station.disconnect())
    )
}

fn cycles(count: u64, url: &str) -> Result<(), Error> {
    for _ in 0..count {
        let (manager, _events) = Manager::new(&Config::builder().io_threads(1).build()?)?;
        let station = manager.connect("CP001", url)?;
        station.wait(None)?;
        station.send("hello")?;
    }
    Ok(())
}

fn number(word: &str) -> u64 {
    word.parse().expect("a number")
}

fn main() -> io::Result<()> {
    let delivery = match env::args().nth(1).as_deref() {
        Some("iterator") => Delivery::Iterator,
        Some("batches") => Delivery::Batches,
        Some("stream") => Delivery::Stream,
        _ => panic!("usage: runner iterator|batches|stream"),
    };
    let mut runner = Runner {
        delivery,
        shared: Arc::default(),
        stations: HashMap::new(),
        manager: None,
        taker: None,
    };
    let mut output = io::stdout();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split('\t').collect();
        writeln!(output, "{}", runner.carry_out(&words))?;
        output.flush()?;
    }
    Ok(())
}
