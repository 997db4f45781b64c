//! The crossing: text and failures.

use crate::{Error, Status};
use chargewire_sys as sys;
use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::mem::{size_of, zeroed};
use std::os::raw::c_char;
use std::time::{Duration, SystemTime};

/// Milliseconds for the ABI, where negative is "for ever"; what is longer than it can say (24 days) is cut to that, and a fraction
/// counts as one more, so that a short wait is none for nothing.
pub(crate) fn milliseconds(time: Duration) -> i32 {
    i32::try_from(whole_milliseconds(time)).unwrap_or(i32::MAX)
}

pub(crate) fn timeout(time: Option<Duration>) -> i32 {
    time.map_or(-1, milliseconds)
}

pub(crate) fn whole_milliseconds(time: Duration) -> u128 {
    time.as_nanos().div_euclid(1_000_000) + u128::from(time.as_nanos() % 1_000_000 != 0)
}

/// A time of the ABI: nanoseconds since 1970, 0 is never.
pub(crate) fn time(ns: i64) -> Option<SystemTime> {
    match u64::try_from(ns) {
        Ok(0) | Err(_) => None,
        Ok(ns) => Some(SystemTime::UNIX_EPOCH + Duration::from_nanos(ns)),
    }
}

/// Text for the ABI ends at its first NUL. One inside would cut it off unseen, so it is refused.
pub(crate) fn c_string(text: &str, what: &str) -> Result<CString, Error> {
    CString::new(text)
        .map_err(|_| Error::InvalidArgument(format!("{what} has a NUL in it; remove it").into()))
}

/// NULL for None.
pub(crate) fn pointer(text: &Option<CString>) -> *const c_char {
    text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr())
}

/// # Safety
///
/// `text` must end in NUL and be static, as the names are that the library returns.
pub(crate) unsafe fn text(text: *const c_char) -> &'static str {
    // SAFETY: as promised above.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap_or_default()
}

/// Text in an array of a structure, which ends in NUL.
pub(crate) fn array_text(array: &[c_char]) -> String {
    let bytes: Vec<u8> = array
        .iter()
        .take_while(|&&byte| byte != 0)
        .map(|&byte| byte as u8)
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A text of which the library says how long it is, with its NUL. It may be longer at the second look.
pub(crate) fn text_of(
    capacity: usize,
    mut read: impl FnMut(*mut c_char, usize, *mut usize) -> sys::cwire_status,
) -> Result<String, Error> {
    let mut buffer = vec![0u8; capacity];
    loop {
        let mut needed = 0;
        match check(read(buffer.as_mut_ptr().cast(), buffer.len(), &mut needed)) {
            Ok(_) => {
                buffer.truncate(needed.saturating_sub(1)); // without the NUL
                return Ok(String::from_utf8_lossy(&buffer).into_owned());
            }
            Err(Error::TooBig(_)) => buffer.resize(needed + needed / 16, 0),
            Err(error) => return Err(error),
        }
    }
}

/// Of a call that gives a status alone. Positive is a "yes".
pub(crate) fn check(status: sys::cwire_status) -> Result<i32, Error> {
    match Status::new(status) {
        None => Ok(status),
        Some(failure) => Err(Error::new(failure, Cow::Borrowed(failure.meaning()))),
    }
}

/// Of a call that also says in words what is wrong.
pub(crate) fn explained(
    call: impl FnOnce(*mut sys::cwire_error) -> sys::cwire_status,
) -> Result<i32, Error> {
    let mut error: sys::cwire_error = sized(|error: &mut sys::cwire_error| &mut error.size);
    let status = call(&mut error);
    match Status::new(status) {
        Some(failure) if error.message[0] != 0 => {
            Err(Error::new(failure, array_text(&error.message).into()))
        }
        _ => check(status),
    }
}

/// Structures of numbers, arrays and pointers, which begin with their size.
pub(crate) trait Plain: Copy {}
impl Plain for sys::cwire_error {}
impl Plain for sys::cwire_stats {}
impl Plain for sys::cwire_endpoint {}
impl Plain for sys::cwire_outgoing {}

/// One that is all 0 but its size.
pub(crate) fn sized<T: Plain>(size: impl FnOnce(&mut T) -> &mut usize) -> T {
    // SAFETY: for all that is Plain, zeros are a value.
    let mut value: T = unsafe { zeroed() };
    *size(&mut value) = size_of::<T>();
    value
}
