//! How things end, and that nothing is used after.

mod support;

use chargewire::{Config, Error, EventKind, Manager, MetricsFormat, State, Station};
use std::os::unix::io::AsRawFd;
use std::thread;
use std::time::Duration;
use support::{manager, nowhere, until};

fn assert_stale(station: Station) {
    assert!(matches!(station.send("x"), Err(Error::InvalidHandle(_))));
    assert!(matches!(station.state(), Err(Error::InvalidHandle(_))));
    assert!(matches!(station.stats(), Err(Error::InvalidHandle(_))));
    assert!(matches!(station.disconnect(), Err(Error::InvalidHandle(_))));
    assert!(matches!(station.wait(None), Err(Error::InvalidHandle(_))));
}

#[test]
fn dropping_the_last_manager_ends_the_events_in_order() {
    let (manager, events) = manager();
    let station = manager.connect("CP001", &nowhere()).unwrap();
    let clone = manager.clone();
    drop(manager);
    assert!(clone.counts().is_ok(), "another handle keeps it");
    let taker = thread::spawn(move || events.collect::<Vec<_>>());
    drop(clone);
    let events = taker.join().unwrap();
    let last: Vec<_> = events
        .iter()
        .rev()
        .take(2)
        .map(|event| event.kind())
        .collect();
    assert!(
        matches!(
            last[..],
            [EventKind::Shutdown, EventKind::Closed { status: None, .. }]
        ),
        "{last:?}"
    );
    assert_stale(station);
}

#[test]
fn dropping_the_events_ends_the_manager() {
    let (manager, events) = manager();
    let station = manager.connect("CP001", &nowhere()).unwrap();
    drop(events);
    assert!(matches!(
        manager.connect("CP002", &nowhere()),
        Err(Error::State(_))
    ));
    drop(manager);
    assert_stale(station);
}

#[test]
fn after_shutdown_there_is_nothing() {
    let (manager, mut events) = manager();
    manager.shutdown(Duration::ZERO).unwrap();
    assert!(matches!(events.next().unwrap().kind(), EventKind::Shutdown));
    assert!(events.next().is_none());
    assert!(events.next().is_none(), "it is fused");
    assert!(events.poll(Some(Duration::ZERO)).unwrap().is_none());
}

#[test]
fn a_manager_may_be_dropped_while_a_batch_is_lent() {
    let (manager, mut events) = manager();
    manager.connect("CP001", &nowhere()).unwrap();
    let batch = loop {
        let batch = events.poll(None).unwrap().unwrap();
        if batch.len() > 0 {
            break batch;
        }
    };
    drop(manager);
    for event in batch {
        assert_eq!(event.station_id(), "CP001");
    }
    assert!(events.any(|event| matches!(event.kind(), EventKind::Shutdown)));
}

#[test]
fn a_station_that_gives_up_says_why() {
    let config = chargewire::Config::builder()
        .io_threads(1)
        .max_reconnect_attempts(1)
        .build()
        .unwrap();
    let (manager, mut events) = Manager::new(&config).unwrap();
    let station = manager.connect("CP001", &nowhere()).unwrap();
    assert!(matches!(station.wait(None), Err(Error::Dial(message)) if message.contains("CP001")));
    let error = until(&mut events, |kind| matches!(kind, EventKind::Error { .. }));
    match error.kind() {
        EventKind::Error {
            attempts: 1,
            will_retry: false,
            failure: Some(failure),
            status,
            ..
        } => {
            assert_eq!(status, chargewire::Status::Dial);
            assert_eq!(failure.phase, chargewire::Phase::Tcp);
            assert_eq!(failure.os_error, Some(111));
            assert_eq!(
                (
                    failure.http_status,
                    failure.close_code,
                    failure.security_event
                ),
                (None, None, None)
            );
        }
        other => panic!("{other:?}"),
    }
    let stats = manager.stats("CP001").unwrap();
    assert_eq!(
        (stats.state, stats.connections, stats.connected_at),
        (State::Error, 0, None)
    );
    assert!(matches!(stats.last_error, Some(Error::Dial(_))));
    assert!(matches!(manager.stats("CP002"), Err(Error::NotFound(_))));
}

#[test]
fn waiting_has_an_end() {
    let (manager, _events) = manager();
    let station = manager.connect("CP001", &nowhere()).unwrap();
    assert!(matches!(
        station.wait(Some(Duration::from_millis(1))),
        Err(Error::Timeout(_))
    ));
}

#[test]
fn a_poll_ends_when_it_is_woken_or_its_time_has_passed() {
    let (manager, mut events) = manager();
    assert_eq!(
        events
            .poll(Some(Duration::from_micros(1)))
            .unwrap()
            .unwrap()
            .len(),
        0
    );
    thread::scope(|scope| {
        let poll = scope.spawn(|| events.poll(None).unwrap().unwrap().len());
        manager.wake().unwrap();
        assert_eq!(poll.join().unwrap(), 0);
    });
    assert!(events.as_raw_fd() >= 0);
}

#[test]
fn what_the_iterator_has_not_given_out_a_poll_lends() {
    let (manager, mut events) = manager();
    for number in 0..20 {
        manager
            .connect(&format!("CP{number:03}"), &nowhere())
            .unwrap();
    }
    manager.shutdown(Duration::ZERO).unwrap();
    let mut closed = 0;
    let mut by_iterator = true;
    let mut shut_down = false;
    while !shut_down {
        let mut see = |kind: EventKind<'_>| match kind {
            EventKind::Closed { .. } => closed += 1,
            EventKind::Shutdown => shut_down = true,
            _ => {}
        };
        if by_iterator {
            see(events.next().unwrap().kind());
        } else {
            for event in events.poll(None).unwrap().unwrap() {
                see(event.kind());
            }
        }
        by_iterator = !by_iterator;
    }
    assert_eq!(closed, 20);
}

#[test]
fn what_is_wrong_with_a_call_is_said() {
    let (manager, _events) = manager();
    assert!(matches!(
        manager.connect("CP:001", &nowhere()),
        Err(Error::InvalidArgument(_))
    ));
    assert!(matches!(
        manager.connect("CP\0", &nowhere()),
        Err(Error::InvalidArgument(_))
    ));
    assert!(matches!(
        manager.connect("CP001", "http://localhost"),
        Err(Error::InvalidArgument(_))
    ));
    manager.connect("CP001", &nowhere()).unwrap();
    let error = manager.connect("CP001", &nowhere()).unwrap_err();
    assert!(
        matches!(&error, Error::AlreadyConnected(message) if message.contains("CP001")),
        "{error:?}"
    );
    assert_eq!(error.status().name(), "CWIRE_E_ALREADY_CONNECTED");
    assert_eq!(error.status().code(), -8);
    assert!(manager.find("CP002").unwrap().is_none());
    assert!(matches!(
        manager.shutdown(Duration::from_secs(1_000_000)),
        Err(Error::InvalidArgument(_))
    ));
}

#[test]
fn a_trace_goes_to_the_file_that_is_configured() {
    let path = std::env::temp_dir().join(format!("chargewire-rust-{}.jsonl", std::process::id()));
    let config = Config::builder()
        .trace_file(path.to_str().unwrap())
        .build()
        .unwrap();
    let (manager, events) = Manager::new(&config).unwrap();
    manager.trace(None, true).unwrap();
    manager.connect("CP001", &nowhere()).unwrap();
    manager.trace(Some("CP001"), false).unwrap();
    assert!(matches!(
        manager.trace(Some("nobody"), true),
        Err(Error::NotFound(_))
    ));
    drop(manager);
    assert!(events.count() > 0);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"event\":\"file\""), "{text}");
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn an_isolated_endpoint_is_listed() {
    let (manager, mut events) = manager();
    let url = nowhere();
    manager.isolate(&url).unwrap();
    let isolated = until(&mut events, |kind| {
        matches!(kind, EventKind::Endpoint { .. })
    });
    assert!(isolated.station().is_none());
    let endpoints = manager.endpoints().unwrap();
    assert_eq!(
        (endpoints.len(), endpoints[0].breaker),
        (1, chargewire::Breaker::Isolated)
    );
    assert_eq!(endpoints[0].name, url);
    manager.reset(&url).unwrap();
    let metrics = manager.metrics(MetricsFormat::Prometheus).unwrap();
    assert!(metrics.contains("\nchargewire_io_threads "));
    let metrics = manager.metrics(MetricsFormat::OpenMetrics).unwrap();
    assert!(metrics.ends_with("\n# EOF\n"));
    assert_eq!(manager.metrics_url().unwrap(), "");
    assert!(manager.isolate("http://localhost").is_err());
}
