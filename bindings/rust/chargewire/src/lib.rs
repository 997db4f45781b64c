#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]
#![warn(clippy::undocumented_unsafe_blocks)]
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
pub use manager::{ConnectOptions, Manager, MetricsFormat};
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
