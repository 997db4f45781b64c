//! Taking events.

use crate::ffi::{check, timeout};
use crate::manager::Shared;
use crate::{Error, Event, OwnedEvent};
use chargewire_sys as sys;
use std::iter::FusedIterator;
use std::os::unix::io::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::ptr::NonNull;
use std::slice;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Takes the events of a manager: as an iterator that blocks, of events that may be kept; or in batches that are lent, without a copy
/// ([`poll`](Events::poll)). With the feature `stream`, `stream()` makes a stream for async code of it.
///
/// When events are taken slowly, reading from sockets pauses and nothing is dropped. When this is dropped nobody can take any more, so
/// that ends the manager, as dropping the receiver of a channel ends the channel.
///
/// It can be waited for: the descriptor is readable while events wait. Only poll it, never read it.
#[derive(Debug)]
pub struct Events {
    shared: Arc<Shared>,
    batch_max: usize,
    lent: Lent,
    finished: bool,
}

/// What of the batch that was polled last the iterator has not given out yet.
#[derive(Debug)]
struct Lent {
    next: NonNull<sys::cwire_event>,
    count: usize,
}

impl Lent {
    const NOTHING: Lent = Lent {
        next: NonNull::dangling(),
        count: 0,
    };
}

// SAFETY: the batch belongs to the library, which leaves it alone until the next poll, and lets any thread read it.
unsafe impl Send for Lent {}
// SAFETY: likewise; without `&mut Events` nobody reads it.
unsafe impl Sync for Lent {}

impl Events {
    pub(crate) fn new(shared: Arc<Shared>) -> Events {
        Events {
            shared,
            batch_max: 1024,
            lent: Lent::NOTHING,
            finished: false,
        }
    }

    /// The most events that one batch may have: 1 to 16,384; 1,024 unless set.
    pub fn set_batch_max(&mut self, events: usize) {
        self.batch_max = events;
    }

    /// Waits for events, at most for as long as is said (None: until there are some), and lends them until the next call. If the iterator
    /// was used before, what it has not given out of its batch comes first.
    ///
    /// The batch is empty when the time has passed or after [`Manager::wake`](crate::Manager::wake). After
    /// [`EventKind::Shutdown`](crate::EventKind::Shutdown), the last event, there is `None`.
    ///
    /// ```no_run
    /// # fn f(mut events: chargewire::Events) -> Result<(), chargewire::Error> {
    /// while let Some(batch) = events.poll(None)? {
    ///     for event in batch {
    ///         println!("{}: {}", event.station_id(), event.text());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll(&mut self, time: Option<Duration>) -> Result<Option<Batch<'_>>, Error> {
        if self.lent.count == 0 && !self.take(timeout(time))? {
            return Ok(None);
        }
        let Lent { next, count } = std::mem::replace(&mut self.lent, Lent::NOTHING);
        // SAFETY: the library lends so many until the next poll, which needs `&mut self`, or until the manager is freed, which
        // `shared` holds up.
        let events = unsafe { slice::from_raw_parts(next.as_ptr(), count) };
        Ok(Some(Batch {
            events: events.iter(),
        }))
    }

    /// Polls into `lent`. False after Shutdown.
    fn take(&mut self, timeout_ms: i32) -> Result<bool, Error> {
        self.lent = Lent::NOTHING; // given back by the next poll
        if self.finished {
            return Ok(false);
        }
        let mut events = std::ptr::null();
        let mut count = 0;
        // SAFETY: both are good for the call.
        let status = unsafe {
            sys::cwire_manager_poll(
                self.shared.token(),
                timeout_ms,
                self.batch_max,
                &mut events,
                &mut count,
            )
        };
        match check(status) {
            Ok(_) | Err(Error::Timeout(_)) => {}
            // All were taken, by this, since nobody else can.
            Err(Error::State(_)) => self.finished = true,
            Err(error) => return Err(error),
        }
        if let Some(next) = NonNull::new(events as *mut sys::cwire_event) {
            self.lent = Lent { next, count };
        }
        Ok(!self.finished)
    }

    /// Whether Shutdown was taken.
    #[cfg(feature = "stream")]
    pub(crate) fn is_finished(&self) -> bool {
        self.finished
    }

    #[cfg(feature = "stream")]
    pub(crate) fn has_lent(&self) -> bool {
        self.lent.count > 0
    }

    /// The next event of the batch that is lent.
    fn next_lent(&mut self) -> Option<OwnedEvent> {
        self.lent.count = self.lent.count.checked_sub(1)?;
        let next = self.lent.next;
        // SAFETY: there was one more event, which is lent; behind the last one stands a pointer that nobody follows.
        let event = unsafe {
            self.lent.next = NonNull::new_unchecked(next.as_ptr().add(1));
            Event::new(next.as_ref()).to_owned()
        };
        Some(event)
    }

    /// The next event if there is one within that time.
    pub(crate) fn next_within(&mut self, timeout_ms: i32) -> Next {
        loop {
            if let Some(event) = self.next_lent() {
                return Next::Event(event);
            }
            match self.take(timeout_ms) {
                Ok(true) if self.lent.count > 0 => {}
                Ok(true) => return Next::Nothing,
                Ok(false) => return Next::End,
                // Nothing was taken, and nothing is lost: there may be memory again in a moment.
                Err(Error::NoMemory(_)) => thread::sleep(Duration::from_millis(10)),
                // The manager is not of this process: a child of fork() has none.
                Err(_) => {
                    self.finished = true;
                    return Next::End;
                }
            }
        }
    }
}

pub(crate) enum Next {
    Event(OwnedEvent),
    Nothing,
    End,
}

/// Blocks until there is one; ends after [`EventKind::Shutdown`](crate::EventKind::Shutdown).
impl Iterator for Events {
    type Item = OwnedEvent;

    fn next(&mut self) -> Option<OwnedEvent> {
        loop {
            match self.next_within(-1) {
                Next::Event(event) => return Some(event),
                Next::Nothing => {} // woken
                Next::End => return None,
            }
        }
    }
}

impl FusedIterator for Events {}

impl Drop for Events {
    fn drop(&mut self) {
        self.shared.shutdown_now();
    }
}

impl AsRawFd for Events {
    fn as_raw_fd(&self) -> RawFd {
        // SAFETY: takes any token.
        unsafe { sys::cwire_manager_event_fd(self.shared.token()) as RawFd }
    }
}

impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        let descriptor = self.as_raw_fd();
        assert!(
            descriptor >= 0,
            "a child of fork() has none of its parent's managers"
        );
        // SAFETY: the descriptor lives as long as the manager, and so as long as `self`.
        unsafe { BorrowedFd::borrow_raw(descriptor) }
    }
}

/// Events that are lent, oldest first, until [`Events::poll`] is called again. What is to be kept for longer is copied by
/// [`Event::to_owned`]:
///
/// ```compile_fail,E0499
/// # fn f(mut events: chargewire::Events) -> Result<(), chargewire::Error> {
/// let one = events.poll(None)?;
/// let other = events.poll(None)?; // the first is given back here
/// drop(one);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    events: slice::Iter<'a, sys::cwire_event>,
}

// SAFETY: what is lent may be read by any thread.
unsafe impl Send for Batch<'_> {}
// SAFETY: likewise.
unsafe impl Sync for Batch<'_> {}

impl<'a> Iterator for Batch<'a> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        // SAFETY: what the event points to is lent for as long as the event itself.
        self.events.next().map(|raw| unsafe { Event::new(raw) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.events.size_hint()
    }
}

impl ExactSizeIterator for Batch<'_> {}
impl FusedIterator for Batch<'_> {}
