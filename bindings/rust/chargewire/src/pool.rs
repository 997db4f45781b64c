//! A group of stations.

use crate::ffi::check;
use crate::manager::station_text;
use crate::{Counts, Error, Message, Station, Stats};
use chargewire_sys as sys;
use std::ptr::NonNull;

/// A group of stations of one manager, made by [`Manager::pool`](crate::Manager::pool). It owns none of them: dropping it disconnects
/// no one, a station may be in several, and one that has ended leaves by itself.
#[derive(Debug)]
pub struct Pool {
    token: NonNull<sys::cwire_pool_token>,
}

// SAFETY: a token, which the library takes from any thread.
unsafe impl Send for Pool {}
// SAFETY: likewise, also from several at a time.
unsafe impl Sync for Pool {}

impl Pool {
    pub(crate) fn owning(token: sys::cwire_pool) -> Pool {
        Pool {
            token: NonNull::new(token).expect("a call that succeeded gave a token"),
        }
    }

    fn token(&self) -> sys::cwire_pool {
        self.token.as_ptr()
    }

    /// Adds a station of the same manager. One that is there already stays.
    pub fn add(&self, station: Station) -> Result<(), Error> {
        // SAFETY: takes any tokens.
        check(unsafe { sys::cwire_pool_add(self.token(), station.token()) }).map(drop)
    }

    /// Takes it out of the group; the connection lives on. False if it was not in it.
    pub fn remove(&self, station_id: &str) -> Result<bool, Error> {
        let id = station_text(station_id)?;
        // SAFETY: `id` ends in NUL.
        match check(unsafe { sys::cwire_pool_remove(self.token(), id.as_ptr()) }) {
            Err(Error::NotFound(_)) => Ok(false),
            other => other.map(|_| true),
        }
    }

    /// Whether it is in the group.
    pub fn has(&self, station_id: &str) -> Result<bool, Error> {
        let id = station_text(station_id)?;
        // SAFETY: `id` ends in NUL.
        check(unsafe { sys::cwire_pool_has(self.token(), id.as_ptr()) }).map(|yes| yes == 1)
    }

    /// [`Manager::send`](crate::Manager::send) to one of the group.
    pub fn send<'a>(&self, station_id: &str, message: impl Into<Message<'a>>) -> Result<(), Error> {
        let id = station_text(station_id)?;
        let message = message.into();
        // SAFETY: `id` ends in NUL; `data` has as many bytes as is said, and is copied by the call.
        let status = unsafe {
            sys::cwire_pool_send(
                self.token(),
                id.as_ptr(),
                message.data.as_ptr().cast(),
                message.data.len(),
                message.flags,
                message.tag,
            )
        };
        check(status).map(drop)
    }

    /// [`Manager::broadcast`](crate::Manager::broadcast) to the group.
    pub fn broadcast<'a>(&self, message: impl Into<Message<'a>>) -> Result<usize, Error> {
        let message = message.into();
        let mut accepted = 0;
        // SAFETY: `data` has as many bytes as is said, and is copied by the call.
        let status = unsafe {
            sys::cwire_pool_broadcast(
                self.token(),
                message.data.as_ptr().cast(),
                message.data.len(),
                message.flags,
                &mut accepted,
            )
        };
        check(status).map(|_| accepted)
    }

    /// How many of the group are connected, and how many are in it.
    pub fn counts(&self) -> Result<Counts, Error> {
        let mut counts = Counts::default();
        // SAFETY: both are good for the call.
        check(unsafe {
            sys::cwire_pool_counts(self.token(), &mut counts.connected, &mut counts.total)
        })?;
        Ok(counts)
    }

    /// Of each of the group, in no order.
    pub fn stats(&self) -> Result<Vec<Stats>, Error> {
        // SAFETY: `out` has `capacity` elements, the first of which says its size.
        Stats::all(|out, capacity, count| unsafe {
            sys::cwire_pool_stats(self.token(), out, capacity, count)
        })
    }

    /// Disconnects all of the group. Returns at once.
    pub fn disconnect_all(&self) -> Result<(), Error> {
        // SAFETY: takes any token.
        check(unsafe { sys::cwire_pool_disconnect_all(self.token()) }).map(drop)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // SAFETY: takes any token, also one that ended with its manager.
        unsafe { sys::cwire_pool_free(self.token()) };
    }
}
