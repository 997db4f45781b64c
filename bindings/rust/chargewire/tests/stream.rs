//! Events for async code. The runtime is a thread that sleeps until it is woken.
#![cfg(feature = "stream")]

#[macro_use]
mod support;

use chargewire::EventKind;
use std::fs;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::time::Duration;
use support::{manager, nowhere, station};

struct Task {
    thread: Thread,
    wakes: AtomicUsize,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::SeqCst);
        self.thread.unpark();
    }
}

fn task() -> Arc<Task> {
    Arc::new(Task {
        thread: thread::current(),
        wakes: AtomicUsize::new(0),
    })
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    let waker = task().into();
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

/// Threads of this process that wait for a stream of this test's.
fn watchers() -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names
        .filter(|name| name.starts_with("chargewire-stre"))
        .count()
}

/// All in one test, so that the threads that it counts are its own.
#[test]
fn events_are_awaited() {
    a_task_is_woken_when_an_event_comes();
    a_stream_ends_after_shutdown();
    batches_are_lent();
    it_has_the_shape_of_a_stream();
    // A stream that is dropped has joined its thread; the kernel takes it off its list a moment later.
    while watchers() > 0 {
        thread::yield_now();
    }
}

fn a_task_is_woken_when_an_event_comes() {
    let (manager, events) = manager();
    let mut stream = events.stream().unwrap();
    let task = task();
    let waker = Arc::clone(&task).into();
    let mut context = Context::from_waker(&waker);
    assert!(Pin::new(&mut stream).poll_next(&mut context).is_pending());
    assert!(
        Pin::new(&mut stream).poll_next(&mut context).is_pending(),
        "who asks twice waits once"
    );
    assert_eq!(task.wakes.load(Ordering::SeqCst), 0);
    manager.connect("CP001", &nowhere()).unwrap();
    while task.wakes.load(Ordering::SeqCst) == 0 {
        thread::park();
    }
    assert!(matches!(
        Pin::new(&mut stream).poll_next(&mut context),
        Poll::Ready(Some(_))
    ));
    // Dropped with its thread asleep, or waiting for the descriptor: both have to end.
    while Pin::new(&mut stream).poll_next(&mut context).is_ready() {}
}

/// What `futures::stream::poll_fn` takes.
fn poll_fn<T>(_: impl FnMut(&mut Context<'_>) -> Poll<Option<T>> + Send + 'static) {}

/// What a runtime takes that moves its tasks between threads.
fn spawn(_: impl Future<Output = ()> + Send + 'static) {}

fn it_has_the_shape_of_a_stream() {
    let stream = || manager().1.stream().unwrap();
    let mut events = stream();
    poll_fn(move |context| Pin::new(&mut events).poll_next(context));
    let mut events = stream();
    spawn(async move {
        while events.next().await.is_some() {}
        while let Ok(Some(batch)) = events.next_batch().await {
            assert!(batch.len() > 0);
        }
    });
}

fn a_stream_ends_after_shutdown() {
    let (manager, events) = manager();
    let mut stream = events.stream().unwrap();
    manager.connect("CP001", &nowhere()).unwrap();
    let other = thread::spawn(move || manager.shutdown(Duration::ZERO));
    let mut kinds = Vec::new();
    block_on(async {
        while let Some(event) = stream.next().await {
            kinds.push(format!("{:?}", event.kind()));
        }
        assert!(stream.next().await.is_none());
        assert!(stream.next_batch().await.unwrap().is_none());
    });
    assert_eq!(kinds.last().unwrap(), "Shutdown");
    other.join().unwrap().unwrap();
}

fn batches_are_lent() {
    let csms = csms!["--echo"];
    let (manager, mut events) = manager();
    let station = station(&manager, &mut events, "CP001", &csms);
    let mut stream = events.stream().unwrap();
    let mut received = 0;
    block_on(async {
        for number in 0..20 {
            station.send(&number.to_string()).unwrap();
        }
        // One event by itself, so that the rest of its batch is what is lent next.
        let first = stream.next().await.unwrap();
        received += usize::from(matches!(first.kind(), EventKind::Message(_)));
        while received < 20 {
            let batch = stream.next_batch().await.unwrap().unwrap();
            for event in batch.filter(|event| matches!(event.kind(), EventKind::Message(_))) {
                assert_eq!(event.text(), received.to_string());
                received += 1;
            }
        }
    });
}
