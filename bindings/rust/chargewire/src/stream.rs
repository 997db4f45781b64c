//! Events for async code, without a runtime.

use crate::events::Next as Taken;
use crate::{Batch, Error, Events, OwnedEvent};
use std::future::Future;
use std::io::{self, Write};
use std::os::raw::{c_int, c_short, c_ulong};
use std::os::unix::io::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Events as a stream, under any runtime. [`next`](EventStream::next) is all that most need:
///
/// ```no_run
/// # async fn f(events: chargewire::Events) -> Result<(), chargewire::Error> {
/// let mut events = events.stream()?;
/// while let Some(event) = events.next().await {
///     println!("{}: {}", event.station_id(), event.text());
/// }
/// # Ok(())
/// # }
/// ```
///
/// [`poll_next`](EventStream::poll_next) has the shape of `Stream::poll_next` of the crate `futures`, so with that crate this is a
/// `Stream`: `futures::stream::poll_fn(move |context| Pin::new(&mut events).poll_next(context))`.
///
/// A thread of its own, small and nearly always asleep, waits for the descriptor while a task waits for events. It is joined when this
/// is dropped. A runtime that waits for descriptors itself (`AsyncFd` of tokio) can do so with [`Events`], without this.
#[cfg_attr(docsrs, doc(cfg(feature = "stream")))]
#[derive(Debug)]
pub struct EventStream {
    readiness: Readiness, // first to be dropped: its thread waits for a descriptor of the manager
    events: Events,
}

impl Events {
    /// For async code. Fails if there is no thread or descriptor to be had.
    pub fn stream(self) -> Result<EventStream, Error> {
        let readiness = Readiness::of(self.as_raw_fd()).map_err(|error| {
            Error::Internal(format!("no thread to wait for events: {error}").into())
        })?;
        Ok(EventStream {
            readiness,
            events: self,
        })
    }
}

impl EventStream {
    /// The next event, as `Stream::poll_next`: `Ready(None)` after [`EventKind::Shutdown`](crate::EventKind::Shutdown).
    pub fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<OwnedEvent>> {
        let this = self.get_mut();
        match this.events.next_within(0) {
            Taken::Event(event) => Poll::Ready(Some(event)),
            Taken::End => Poll::Ready(None),
            Taken::Nothing => {
                this.readiness.wake_when_readable(context.waker());
                Poll::Pending
            }
        }
    }

    /// The next event; None after [`EventKind::Shutdown`](crate::EventKind::Shutdown). Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<OwnedEvent> {
        Next { stream: self }.await
    }

    /// Waits for events, and lends them without a copy until the next call, as [`Events::poll`] does; None after Shutdown. Dropping the
    /// future loses nothing.
    pub async fn next_batch(&mut self) -> Result<Option<Batch<'_>>, Error> {
        Readable { stream: &*self }.await;
        self.events.poll(Some(Duration::ZERO))
    }
}

struct Next<'a> {
    stream: &'a mut EventStream,
}

impl Future for Next<'_> {
    type Output = Option<OwnedEvent>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<OwnedEvent>> {
        Pin::new(&mut *self.stream).poll_next(context)
    }
}

/// Until a poll gives a batch, or says that there will be none.
struct Readable<'a> {
    stream: &'a EventStream,
}

impl Future for Readable<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let EventStream { readiness, events } = self.stream;
        if events.has_lent() || events.is_finished() || readiness.is_readable() {
            return Poll::Ready(());
        }
        readiness.wake_when_readable(context.waker());
        Poll::Pending
    }
}

/// Wakes a task when a descriptor is readable.
#[derive(Debug)]
struct Readiness {
    shared: Arc<Shared>,
    descriptor: RawFd,
    interrupt: UnixStream,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    wanted: Mutex<Wanted>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Wanted {
    waker: Option<Waker>,
    stop: bool,
}

impl Shared {
    /// A waker of somebody else's may have panicked; what is in here is right all the same.
    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Readiness {
    fn of(descriptor: RawFd) -> io::Result<Readiness> {
        let (interrupt, interrupted) = UnixStream::pair()?;
        let shared = Arc::new(Shared::default());
        let thread = thread::Builder::new()
            .name("chargewire-stream".into())
            .stack_size(64 * 1024)
            .spawn({
                let shared = Arc::clone(&shared);
                move || watch(&shared, descriptor, &interrupted)
            })?;
        Ok(Readiness {
            shared,
            descriptor,
            interrupt,
            thread: Some(thread),
        })
    }

    fn is_readable(&self) -> bool {
        readable([self.descriptor], 0)[0]
    }

    /// The descriptor stays readable while events wait, so one that came before this call wakes as well.
    fn wake_when_readable(&self, waker: &Waker) {
        let mut wanted = self.shared.wanted();
        match &wanted.waker {
            Some(there) if there.will_wake(waker) => {}
            _ => {
                wanted.waker = Some(waker.clone());
                self.shared.changed.notify_one();
            }
        }
    }
}

impl Drop for Readiness {
    fn drop(&mut self) {
        self.shared.wanted().stop = true;
        self.shared.changed.notify_one();
        let _ = (&self.interrupt).write(&[0]); // the other end is there until the thread has ended
        if let Some(thread) = self.thread.take() {
            // A waker that runs the task, which drops this, runs on that very thread: it ends by itself then.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join(); // it panics only if a waker does, which then was said already
            }
        }
    }
}

fn watch(shared: &Shared, descriptor: RawFd, interrupted: &UnixStream) {
    loop {
        let mut wanted = shared.wanted();
        while wanted.waker.is_none() && !wanted.stop {
            wanted = shared
                .changed
                .wait(wanted)
                .unwrap_or_else(PoisonError::into_inner);
        }
        drop(wanted);
        if readable([interrupted.as_raw_fd(), descriptor], -1)[0] {
            return;
        }
        let waker = shared.wanted().waker.take();
        if let Some(waker) = waker {
            waker.wake(); // outside of the lock, for it may run the task
        }
    }
}

#[repr(C)]
struct PollFd {
    fd: c_int,
    events: c_short,
    revents: c_short,
}

const POLLIN: c_short = 1;

extern "C" {
    fn poll(descriptors: *mut PollFd, count: c_ulong, timeout_ms: c_int) -> c_int;
}

/// Which of them are, or have ended.
fn readable<const N: usize>(descriptors: [RawFd; N], timeout_ms: c_int) -> [bool; N] {
    let mut polled = descriptors.map(|fd| PollFd {
        fd,
        events: POLLIN,
        revents: 0,
    });
    // SAFETY: so many descriptors as there are. A signal makes it return early, with none readable.
    let count = unsafe { poll(polled.as_mut_ptr(), N as c_ulong, timeout_ms) };
    polled.map(|fd| count > 0 && fd.revents != 0)
}
