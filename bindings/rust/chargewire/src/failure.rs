//! Why an attempt failed or a connection was lost.

use crate::{ffi, Phase, SecurityEvent, Status};
use chargewire_sys as sys;
use std::time::SystemTime;

/// Why an attempt failed or a connection was lost, for programs. What does not apply is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// What failed, in one word.
    pub status: Status,
    /// What the connection was doing.
    pub phase: Phase,
    /// errno, for [`std::io::Error::from_raw_os_error`].
    pub os_error: Option<i32>,
    /// `X509_V_ERR_*` of OpenSSL.
    pub x509_error: Option<i32>,
    /// Of the CSMS, or of the proxy.
    pub http_status: Option<u16>,
    /// RFC 6455 7.4: the peer's, ours, or 1006.
    pub close_code: Option<u16>,
    /// What to tell the CSMS in a SecurityEventNotification; with the first of a row of such failures only.
    pub security_event: Option<SecurityEvent>,
    /// Another attempt follows by itself.
    pub will_retry: bool,
    /// The peer closed first.
    pub remote: bool,
    /// Refused a second time in the same way, and so until somebody changes something. Once per row of refusals.
    pub needs_action: bool,
    /// When it happened.
    pub time: Option<SystemTime>,
    /// When the next attempt is due. It may begin later, never earlier unless the network or the settings change.
    pub retry_at: Option<SystemTime>,
}

impl Failure {
    /// None where nothing has failed.
    pub(crate) fn new(raw: &sys::cwire_failure) -> Option<Failure> {
        let has = |flag| raw.flags & flag != 0;
        Some(Failure {
            status: Status::new(raw.status)?,
            phase: Phase::new(raw.phase),
            os_error: non_zero(raw.os_error),
            x509_error: non_zero(raw.x509_error),
            http_status: short(raw.http_status),
            close_code: short(raw.close_code),
            security_event: SecurityEvent::new(raw.security_event),
            will_retry: has(sys::CWIRE_FLAG_WILL_RETRY),
            remote: has(sys::CWIRE_FLAG_REMOTE),
            needs_action: has(sys::CWIRE_FLAG_NEEDS_ACTION),
            time: ffi::time(raw.time_ns),
            retry_at: ffi::time(raw.retry_at_ns),
        })
    }
}

fn non_zero(number: i32) -> Option<i32> {
    Some(number).filter(|&number| number != 0)
}

pub(crate) fn short(number: i32) -> Option<u16> {
    u16::try_from(number).ok().filter(|&number| number != 0)
}

impl SecurityEvent {
    /// What OCPP calls it in that version, "InvalidCsmsCertificate" or "InvalidCentralSystemCertificate". `subprotocol` is what
    /// [`EventKind::Connected`](crate::EventKind::Connected) brings, "ocpp1.6"; any other means 2.x.
    pub fn name(self, subprotocol: &str) -> &'static str {
        let subprotocol = ffi::c_string(subprotocol, "the subprotocol").ok();
        // SAFETY: takes any number, and text that ends in NUL or NULL; returns static text.
        unsafe {
            ffi::text(sys::cwire_security_event_name(
                self.code(),
                ffi::pointer(&subprotocol),
            ))
        }
    }
}
