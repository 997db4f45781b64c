//! An event as an answer tells it.

use chargewire::{Event, EventKind, Status};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Message,
    Sent,
    Closed,
    Other,
}

pub struct Record {
    pub kind: Kind,
    pub data: String,
    pub text: String,
}

impl Record {
    /// None of what is not noted.
    pub fn of(event: &Event<'_>) -> Option<Record> {
        let (kind, text) = match event.kind() {
            EventKind::Connected {
                subprotocol,
                reconnect,
                ..
            } => (
                Kind::Other,
                format!("CONNECTED {subprotocol}{}", flag(reconnect, "reconnect")),
            ),
            EventKind::Message(text) => (Kind::Message, format!("MESSAGE {text}")),
            EventKind::Sent { tag, result, .. } => {
                (Kind::Sent, format!("SENT {tag} {}", name(result.err())))
            }
            EventKind::Writable => (Kind::Other, "WRITABLE".into()),
            EventKind::Disconnected {
                status,
                close_code,
                remote,
                will_retry,
                ..
            } => {
                let flags = flag(remote, "remote") + &flag(will_retry, "will_retry");
                (
                    Kind::Other,
                    format!(
                        "DISCONNECTED {} {}{flags}",
                        name(status),
                        close_code.unwrap_or(0)
                    ),
                )
            }
            EventKind::Error {
                status,
                will_retry,
                failure,
                ..
            } => {
                let failure = failure.expect("an error has its failure");
                let code = failure
                    .http_status
                    .map(i32::from)
                    .or(failure.os_error)
                    .or(failure.x509_error);
                let will_retry = flag(will_retry, "will_retry");
                (
                    Kind::Other,
                    format!(
                        "ERROR {} {} {}{will_retry}",
                        status.name(),
                        failure.phase,
                        code.unwrap_or(0)
                    ),
                )
            }
            EventKind::Closed {
                status, close_code, ..
            } => (
                Kind::Closed,
                format!("CLOSED {} {}", name(status), close_code.unwrap_or(0)),
            ),
            _ => return None,
        };
        Some(Record {
            kind,
            data: event.text().into(),
            text,
        })
    }
}

fn name(status: Option<Status>) -> &'static str {
    status.map_or("CWIRE_OK", Status::name)
}

fn flag(is_set: bool, name: &str) -> String {
    if is_set {
        format!(" {name}")
    } else {
        String::new()
    }
}
