//! What raw_client does, by Chargewire's Rust crate: one thread takes the events and sends.
//!
//!     rust_client --url ws[s]://127.0.0.1:PORT/ocpp --stations N --in-flight K --messages M --size S [--ca FILE] [--iterator | --stream]
//!
//! Without a mode events are lent in batches. --iterator takes each by itself, copied; --stream awaits each.
//!
//! Talks to echo_server and prints one line of JSON.

mod measurement;

use chargewire::{
    Config, ConnectOptions, Error, Event, EventKind, EventStream, Events, Manager, Station,
};
use measurement::{raise_descriptor_limit, Dialing, Latency, Outcome, Stopwatch};
use std::collections::VecDeque;
use std::env;
use std::future::Future;
use std::process::exit;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::time::Instant;

#[derive(Default)]
struct Arguments {
    url: String,
    stations: usize,
    in_flight: usize,
    messages: usize,
    size: usize,
    ca: Option<String>,
    iterator: bool,
    stream: bool,
}

fn parse(mut words: impl Iterator<Item = String>) -> Option<Arguments> {
    let mut arguments = Arguments::default();
    while let Some(option) = words.next() {
        match option.as_str() {
            "--iterator" => arguments.iterator = true,
            "--stream" => arguments.stream = true,
            "--url" => arguments.url = words.next()?,
            "--ca" => arguments.ca = words.next(),
            _ => {
                let number = words.next()?.parse().ok()?;
                match option.as_str() {
                    "--stations" => arguments.stations = number,
                    "--in-flight" => arguments.in_flight = number,
                    "--messages" => arguments.messages = number,
                    "--size" => arguments.size = number,
                    _ => return None,
                }
            }
        }
    }
    Some(arguments).filter(|arguments| {
        !arguments.url.is_empty() && arguments.stations > 0 && arguments.in_flight > 0
    })
}

enum Source {
    Batches(Events),
    Iterator(Events),
    Stream(EventStream),
}

struct Peer {
    station: Station,
    to_send: usize,
    sent_at: VecDeque<Instant>,
}

struct Client {
    payload: String,
    peers: Vec<Peer>,
    connected: usize,
    answers: u64,
    latency: Latency,
}

impl Client {
    fn send(&mut self, index: usize) -> Result<(), Error> {
        let peer = &mut self.peers[index];
        peer.to_send -= 1;
        peer.sent_at.push_back(Instant::now());
        peer.station.send(&self.payload)
    }

    fn take(&mut self, event: &Event<'_>) -> Result<(), Error> {
        match event.kind() {
            EventKind::Connected { .. } => self.connected += 1,
            EventKind::Message(_) => {
                self.answers += 1;
                let index = event.user_data();
                let peer = &mut self.peers[index];
                let sent_at = peer
                    .sent_at
                    .pop_front()
                    .expect("an answer to what was sent");
                self.latency.record(sent_at.elapsed().as_nanos() as u64);
                if peer.to_send > 0 {
                    self.send(index)?;
                }
            }
            EventKind::Error { message: line, .. }
            | EventKind::Disconnected { reason: line, .. } => {
                eprintln!("rust_client: {line}");
                exit(1);
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes events until there were enough.
    fn run(&mut self, source: &mut Source, enough: impl Fn(&Client) -> bool) -> Result<(), Error> {
        while !enough(self) {
            match source {
                Source::Batches(events) => {
                    for event in events.poll(None)?.expect("no shutdown") {
                        self.take(&event)?;
                    }
                }
                Source::Iterator(events) => {
                    self.take(&events.next().expect("no shutdown").as_event())?
                }
                Source::Stream(events) => block_on(async {
                    while !enough(self) {
                        self.take(&events.next().await.expect("no shutdown").as_event())?;
                    }
                    Ok(())
                })?,
            }
        }
        Ok(())
    }
}

fn measure(arguments: &Arguments) -> Result<(), Error> {
    let queue = arguments.in_flight + 1;
    let mut config = Config::builder()
        .io_threads(1)
        .send_queue_messages(queue as u32)
        .send_queue_bytes((queue * (arguments.size + 1) + 65536) as u64);
    if let Some(ca) = &arguments.ca {
        config = config.tls_ca_cert(ca);
    }
    let (manager, mut events) = Manager::new(&config.build()?)?;
    events.set_batch_max(256);
    let mut source = match arguments {
        Arguments { iterator: true, .. } => Source::Iterator(events),
        Arguments { stream: true, .. } => Source::Stream(events.stream()?),
        _ => Source::Batches(events),
    };

    let mut client = Client {
        payload: "x".repeat(arguments.size),
        peers: Vec::with_capacity(arguments.stations),
        connected: 0,
        answers: 0,
        latency: Latency::new(),
    };
    // What the client itself needs is there before.
    let times: Vec<_> = (0..arguments.stations)
        .map(|_| VecDeque::with_capacity(arguments.in_flight))
        .collect();
    let dialing = Dialing::begin();
    for (index, sent_at) in times.into_iter().enumerate() {
        let options = ConnectOptions::new().url(&arguments.url).user_data(index);
        let station = manager.connect_with(&format!("CP{index}"), &options)?;
        client.peers.push(Peer {
            station,
            to_send: arguments.messages,
            sent_at,
        });
    }
    client.run(&mut source, |client| client.connected == client.peers.len())?;
    let tls = arguments.url.starts_with("wss:");
    let mut outcome = Outcome::connected(
        &dialing,
        arguments.stations,
        arguments.in_flight,
        arguments.size,
        tls,
    );

    if arguments.messages > 0 {
        let round_trips = (arguments.stations * arguments.messages) as u64;
        let exchange = Stopwatch::start();
        for index in 0..arguments.stations {
            for _ in 0..arguments.in_flight.min(arguments.messages) {
                client.send(index)?;
            }
        }
        client.run(&mut source, |client| client.answers == round_trips)?;
        outcome.exchanged(&exchange, round_trips);
    }
    outcome.print(&client.latency);
    exit(0) // closing is not measured, so nothing is taken down
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

fn main() {
    let arguments = parse(env::args().skip(1)).unwrap_or_else(|| {
        eprintln!(
            "usage: rust_client --url ws[s]://IPV4:PORT/PATH --stations N --in-flight K --messages M --size S \
             [--ca FILE] [--iterator | --stream]"
        );
        exit(2)
    });
    raise_descriptor_limit();
    if let Err(error) = measure(&arguments) {
        eprintln!("rust_client: {error}");
        exit(1);
    }
}
