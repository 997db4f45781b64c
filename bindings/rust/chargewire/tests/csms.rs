//! Stations that are connected.

#[macro_use]
mod support;

use chargewire::{
    send_many, ConnectOptions, Error, EventKind, Message, Reconfigure, State, Status,
};
use std::thread;
use std::time::{Duration, SystemTime};
use support::{manager, station, until};

#[test]
fn messages_go_and_come_back() {
    let csms = csms!["--echo"];
    let (manager, mut events) = manager();
    let station = manager
        .connect_with("CP|1", &ConnectOptions::new().url(&csms.url).user_data(42))
        .unwrap();
    station.wait(None).unwrap();
    assert_eq!(station.state().unwrap(), State::Connected);
    assert_eq!(station.state().unwrap().to_string(), "connected");
    assert_eq!(manager.find("CP|1").unwrap(), Some(station));
    assert!(manager.is_connected("CP|1").unwrap());

    station
        .send(Message::from("größer").tag(7).report())
        .unwrap();
    let sent = until(&mut events, |kind| matches!(kind, EventKind::Sent { .. }));
    assert!(matches!(
        sent.kind(),
        EventKind::Sent {
            tag: 7,
            result: Ok(()),
            ..
        }
    ));
    let message = until(&mut events, |kind| matches!(kind, EventKind::Message(_)));
    assert_eq!(message.text(), "größer");
    assert_eq!(
        (message.station_id(), message.user_data(), message.station()),
        ("CP|1", 42, Some(station))
    );
    assert!(message.time().elapsed().unwrap() < Duration::from_secs(60));

    station.send(&b"\xff\x00"[..]).unwrap();
    let message = until(&mut events, |kind| matches!(kind, EventKind::Binary(_)));
    assert_eq!((message.data(), message.text()), (&b"\xff\x00"[..], ""));

    manager.send("CP|1", "").unwrap();
    assert_eq!(
        until(&mut events, |kind| matches!(kind, EventKind::Message(_))).text(),
        ""
    );

    let stats = station.stats().unwrap();
    assert_eq!(
        (
            stats.station_id.as_str(),
            stats.messages_sent,
            stats.messages_received
        ),
        ("CP|1", 3, 3)
    );
    assert_eq!(
        (stats.last_error, stats.last_failure, stats.disconnected_at),
        (None, None, None)
    );
    assert!(stats.connected_at.unwrap() <= SystemTime::now());

    station.disconnect_with(3001, "enough").unwrap();
    let closed = until(&mut events, |kind| matches!(kind, EventKind::Closed { .. }));
    assert!(matches!(
        closed.kind(),
        EventKind::Closed {
            status: None,
            close_code: Some(3001),
            ..
        }
    ));
}

#[test]
fn many_are_sent_in_one_call() {
    let csms = csms!["--echo"];
    let (manager, mut events) = manager();
    let one = station(&manager, &mut events, "CP001", &csms);
    let other = station(&manager, &mut events, "CP002", &csms);
    other.disconnect().unwrap();
    until(&mut events, |kind| matches!(kind, EventKind::Closed { .. }));

    let sending = send_many(&[(one, "a".into()), (other, "b".into()), (one, "c".into())]).unwrap();
    assert_eq!(sending.accepted, 2);
    assert_eq!(
        sending.results,
        [Ok(()), Err(Status::InvalidHandle), Ok(())]
    );
    for text in ["a", "c"] {
        assert_eq!(
            until(&mut events, |kind| matches!(kind, EventKind::Message(_))).text(),
            text
        );
    }
    assert_eq!(send_many(&[]).unwrap().accepted, 0);
}

#[test]
fn a_pool_is_a_group_and_owns_nobody() {
    let csms = csms!["--echo"];
    let (manager, mut events) = manager();
    let inside = station(&manager, &mut events, "CP001", &csms);
    station(&manager, &mut events, "CP002", &csms);

    let pool = manager.pool().unwrap();
    pool.add(inside).unwrap();
    assert!(pool.has("CP001").unwrap() && !pool.has("CP002").unwrap());
    assert_eq!(
        (
            pool.counts().unwrap().connected,
            manager.counts().unwrap().total
        ),
        (1, 2)
    );
    assert_eq!(pool.stats().unwrap()[0].station_id, "CP001");
    assert_eq!(manager.all_stats().unwrap().len(), 2);
    assert_eq!(pool.broadcast("to the pool").unwrap(), 1);
    assert_eq!(
        until(&mut events, |kind| matches!(kind, EventKind::Message(_))).station_id(),
        "CP001"
    );
    pool.send("CP001", "to one").unwrap();
    assert!(matches!(
        pool.send("CP002", "to one"),
        Err(Error::NotFound(_))
    ));
    assert!(pool.remove("CP001").unwrap() && !pool.remove("CP001").unwrap());
    drop(pool);
    assert_eq!(manager.counts().unwrap().connected, 2);
    assert_eq!(manager.broadcast("to all").unwrap(), 2);
}

#[test]
fn a_station_is_reconfigured_and_comes_back() {
    let csms = csms![];
    let other = csms!["--echo"];
    let (manager, mut events) = manager();
    let station = station(&manager, &mut events, "CP001", &csms);
    station
        .reconfigure(&Reconfigure::new().url(&other.url).reconnect())
        .unwrap();
    let back = until(&mut events, |kind| {
        matches!(kind, EventKind::Connected { .. })
    });
    assert!(
        matches!(
            back.kind(),
            EventKind::Connected {
                reconnect: true,
                connection: 2,
                ..
            }
        ),
        "{back:?}"
    );
    assert!(matches!(
        manager.reconfigure("CP002", &Reconfigure::new()),
        Err(Error::NotFound(_))
    ));
}

#[test]
fn a_lost_connection_says_what_follows() {
    let mut csms = csms![];
    let (manager, mut events) = manager();
    station(&manager, &mut events, "CP001", &csms);
    csms.tell("send CP001 one");
    csms.tell("send CP001 three");
    let mut received = Vec::new();
    while received.len() < 2 {
        received.push(
            until(&mut events, |kind| matches!(kind, EventKind::Message(_)))
                .text()
                .to_owned(),
        );
    }
    assert_eq!(received, ["one", "three"]);
    let stats = manager.stats("CP001").unwrap();
    assert_eq!(
        (
            stats.messages_sent,
            stats.bytes_sent,
            stats.messages_received,
            stats.bytes_received
        ),
        (0, 0, 2, 8)
    );
    assert_eq!(
        (
            stats.connections,
            stats.reconnect_attempts,
            stats.queued_messages
        ),
        (1, 0, 0)
    );
    assert!(stats.last_message_at >= stats.connected_at);
    csms.tell("close 1001 maintenance");
    let lost = until(&mut events, |kind| {
        matches!(kind, EventKind::Disconnected { .. })
    });
    match lost.kind() {
        EventKind::Disconnected {
            close_code,
            remote,
            will_retry,
            failure: Some(failure),
            reason,
            ..
        } => {
            assert_eq!((close_code, remote, will_retry), (Some(1001), true, true));
            assert_eq!(failure.phase, chargewire::Phase::Peer);
            assert!(failure.retry_at > failure.time, "{failure:?}");
            assert!(reason.contains("maintenance"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn batches_are_read_by_many_threads() {
    let csms = csms!["--echo"];
    let (manager, mut events) = manager();
    let station = station(&manager, &mut events, "CP001", &csms);
    for number in 0..50 {
        station.send(&format!("{number}")).unwrap();
    }
    let mut sum = 0;
    let mut count = 0;
    while count < 50 {
        let batch = events.poll(None).unwrap().unwrap();
        let messages: Vec<_> = batch
            .filter(|event| matches!(event.kind(), EventKind::Message(_)))
            .collect();
        count += messages.len();
        sum += thread::scope(|scope| {
            let halves = messages.chunks((messages.len() + 1) / 2 + 1);
            let readers: Vec<_> = halves
                .map(|half| {
                    scope.spawn(move || {
                        half.iter()
                            .map(|event| event.text().parse::<u32>().unwrap())
                            .sum::<u32>()
                    })
                })
                .collect();
            readers
                .into_iter()
                .map(|reader| reader.join().unwrap())
                .sum::<u32>()
        });
    }
    assert_eq!(sum, (0..50).sum());
}
