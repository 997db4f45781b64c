//! The C ABI of [Chargewire](https://docs.rs/chargewire), as `chargewire.h` declares it. Most programs want the crate `chargewire`,
//! which is safe; this one is what it stands on, and for who needs the ABI itself.
//!
//! The build script finds the library in the directory that `CHARGEWIRE_LIB_DIR` names, or else by pkg-config.
//!
//! The threading contract in short: any function may be called from any thread, at any time, also inside the handler. Tokens are
//! never pointers to follow, and a stale, freed or forged one is answered with [`CWIRE_E_INVALID_HANDLE`]. What is unsafe here are
//! the pointers to text, bytes and structures, which must be good for the call; and what a poll lends, which lives until the next.

#![allow(non_camel_case_types)] // the names of C
#![deny(missing_docs)]

mod bindings;

pub use bindings::*;
