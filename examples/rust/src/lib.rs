//! What the examples have in common.

use std::io::{self, Read};
use std::os::raw::{c_int, c_void};
use std::os::unix::io::IntoRawFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicI32, Ordering};

extern "C" {
    fn signal(number: c_int, handler: extern "C" fn(c_int)) -> usize;
    fn write(descriptor: c_int, data: *const c_void, size: usize) -> isize;
}

static TOLD: AtomicI32 = AtomicI32::new(-1);

extern "C" fn tell(_number: c_int) {
    // SAFETY: one byte that is there; `write` may be called in a signal handler, unlike nearly all else.
    unsafe { write(TOLD.load(Ordering::SeqCst), [0u8].as_ptr().cast(), 1) };
}

/// Waits for Ctrl-C, or for SIGTERM. With crates one would take `ctrlc` or `signal-hook`.
pub fn wait_for_ctrl_c() -> io::Result<()> {
    let (mut told, tells) = UnixStream::pair()?;
    TOLD.store(tells.into_raw_fd(), Ordering::SeqCst);
    for number in [2, 15] {
        // SAFETY: `tell` does only what a signal handler may.
        unsafe { signal(number, tell) };
    }
    told.read_exact(&mut [0])
}
