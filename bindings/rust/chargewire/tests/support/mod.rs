//! What the tests connect to.
#![allow(dead_code, unused_macros)] // each test takes what it needs

use chargewire::{Config, EventKind, Events, Manager, OwnedEvent, Station};
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A CSMS with these options, or the end of the test.
macro_rules! csms {
    ($($option:expr),*) => {
        match support::Csms::start(&[$($option),*]) {
            Some(csms) => csms,
            None => return,
        }
    };
}

/// A URL where nobody listens.
pub fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("ws://{}", listener.local_addr().unwrap())
}

/// A manager whose stations come back soon.
pub fn manager() -> (Manager, Events) {
    let config = Config::builder()
        .io_threads(1)
        .reconnect_backoff(Duration::from_millis(50))
        .build()
        .unwrap();
    Manager::new(&config).unwrap()
}

/// The first event that is like this.
pub fn until(events: &mut Events, wanted: impl Fn(&EventKind<'_>) -> bool) -> OwnedEvent {
    events
        .find(|event| wanted(&event.kind()))
        .expect("it comes")
}

/// Connected to a CSMS.
pub fn station(manager: &Manager, events: &mut Events, id: &str, csms: &Csms) -> Station {
    let station = manager.connect(id, &csms.url).unwrap();
    until(events, |kind| matches!(kind, EventKind::Connected { .. }));
    station
}

/// Chargewire's own CSMS, the program that CHARGEWIRE_CSMS names. Without it the tests that need one are skipped: a package has none.
pub struct Csms {
    process: Child,
    answers: BufReader<ChildStdout>,
    pub url: String,
}

impl Csms {
    pub fn start(options: &[&str]) -> Option<Csms> {
        let program = env::var_os("CHARGEWIRE_CSMS").or_else(|| {
            eprintln!("skipped: CHARGEWIRE_CSMS does not name the CSMS");
            None
        })?;
        let mut process = Command::new(program)
            .args(["--port", "0", "--stdin"])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the CSMS starts");
        let answers = BufReader::new(process.stdout.take().unwrap());
        let mut csms = Csms {
            process,
            answers,
            url: String::new(),
        };
        csms.url = csms
            .line()
            .split_whitespace()
            .last()
            .expect("the CSMS says where it is")
            .to_owned();
        Some(csms)
    }

    pub fn tell(&mut self, command: &str) -> String {
        writeln!(self.process.stdin.as_mut().unwrap(), "{command}").unwrap();
        self.line()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line
    }
}

impl Drop for Csms {
    fn drop(&mut self) {
        drop(self.process.stdin.take()); // which ends it
        self.process.wait().unwrap();
    }
}
