//! Chargewire keeps fleets of EV charging stations connected to their CSMS over OCPP-J WebSockets.
//!
//! A [`Manager`] is a fleet. It connects [`Station`]s and keeps them connected; what happens to them comes out of its [`Events`].
//!
//! ```no_run
//! use chargewire::{Config, EventKind, Manager};
//!
//! fn main() -> Result<(), chargewire::Error> {
//!     let boot = r#"[2,"1","BootNotification",{"chargePointVendor":"Acme","chargePointModel":"One"}]"#;
//!     let (manager, events) = Manager::new(&Config::new()?)?;
//!     let station = manager.connect("CP001", "ws://localhost:9000")?;
//!     for event in events {
//!         match event.kind() {
//!             EventKind::Connected { reconnect: false, .. } => station.send(boot)?,
//!             EventKind::Message(text) => println!("{}: {text}", event.station_id()),
//!             EventKind::Error { .. } | EventKind::Disconnected { .. } => println!("{}", event.text()),
//!             _ => {}
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # Threads
//!
//! Any method may be called from any thread, at any time. Events of one station arrive in order; between stations there is no order.
//! Nothing of the library ever runs code of yours: events are taken, by you, on a thread or in a task of yours.
//!
//! Each station that [`Manager::connect`] gave has exactly one [`EventKind::Closed`], as its last event; after it the [`Station`] is
//! stale, which is an error that is returned and never a crash.
//!
//! # Async
//!
//! With the feature `stream`, `Events::stream` gives an `EventStream`, which works under any runtime and needs none. Or wait for the
//! descriptor of [`Events`] (`AsFd`) with what your runtime has for that, and [`Events::poll`] without waiting.

#![deny(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod config;
mod error;
mod event;
mod events;
mod failure;
mod ffi;
mod generated;
mod manager;
mod message;
mod pool;
mod station;
mod stats;
#[cfg(feature = "stream")]
mod stream;

pub use config::{Config, ConfigBuilder};
pub use event::{Event, EventKind, OwnedEvent};
pub use events::{Batch, Events};
pub use failure::Failure;
pub use generated::enums::*;
pub use generated::options::*;
pub use generated::status::{Error, Status};
pub use manager::{ConnectOptions, Manager};
pub use message::Message;
pub use pool::Pool;
pub use station::{send_many, Reconfigure, Sending, Station};
pub use stats::{Counts, Endpoint, Stats};
#[cfg(feature = "stream")]
pub use stream::EventStream;

/// The version of the library, "0.1.0".
pub fn version() -> &'static str {
    // SAFETY: static text.
    unsafe { ffi::text(chargewire_sys::cwire_version()) }
}

/// Does not compile unless these may go to, and be used from, other threads.
const _: fn() = || {
    fn sent_and_shared<T: Send + Sync>() {}
    sent_and_shared::<Manager>();
    sent_and_shared::<Events>();
    sent_and_shared::<Batch<'static>>();
    sent_and_shared::<Event<'static>>();
    sent_and_shared::<OwnedEvent>();
    sent_and_shared::<Station>();
    sent_and_shared::<Pool>();
    sent_and_shared::<Config>();
    sent_and_shared::<Error>();
    #[cfg(feature = "stream")]
    sent_and_shared::<EventStream>();
};
