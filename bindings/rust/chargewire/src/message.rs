//! What is sent.

use chargewire_sys as sys;

/// A message to be sent: text, as OCPP-J has it, or binary. Text and bytes become one by themselves; a tag or a report has to be
/// asked for:
///
/// ```no_run
/// # fn f(station: chargewire::Station) -> Result<(), chargewire::Error> {
/// use chargewire::Message;
///
/// station.send(r#"[2,"7","Heartbeat",{}]"#)?;
/// station.send(Message::from(r#"[2,"8","Heartbeat",{}]"#).tag(8).report())?; // EventKind::Sent { tag: 8, .. } follows
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    pub(crate) data: &'a [u8],
    pub(crate) flags: u32,
    pub(crate) tag: u64,
}

impl<'a> Message<'a> {
    /// What comes back in its [`EventKind::Sent`](crate::EventKind::Sent), a number of the caller's; 0 without.
    #[must_use]
    pub fn tag(self, tag: u64) -> Self {
        Message { tag, ..self }
    }

    /// To be reported when the kernel has taken it. That it could not be sent is reported without being asked for.
    #[must_use]
    pub fn report(self) -> Self {
        Message {
            flags: self.flags | sys::CWIRE_FLAG_REPORT,
            ..self
        }
    }
}

/// A text message.
impl<'a> From<&'a str> for Message<'a> {
    fn from(text: &'a str) -> Self {
        Message {
            data: text.as_bytes(),
            flags: 0,
            tag: 0,
        }
    }
}

/// A text message.
impl<'a> From<&'a String> for Message<'a> {
    fn from(text: &'a String) -> Self {
        text.as_str().into()
    }
}

/// A binary message.
impl<'a> From<&'a [u8]> for Message<'a> {
    fn from(data: &'a [u8]) -> Self {
        Message {
            data,
            flags: sys::CWIRE_FLAG_BINARY,
            tag: 0,
        }
    }
}

/// A binary message.
impl<'a> From<&'a Vec<u8>> for Message<'a> {
    fn from(data: &'a Vec<u8>) -> Self {
        data.as_slice().into()
    }
}
