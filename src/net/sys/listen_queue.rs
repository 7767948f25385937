//! How full the accept queue of a listening socket of our own is.
#![expect(unsafe_code, reason = "TCP_INFO has no safe wrapper")]

use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd};

/// The accept queue of a listening socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcceptQueue {
    /// Connections that wait to be accepted.
    pub waiting: u32,
    /// The backlog. The kernel compares with `>`, so the queue holds one more than this.
    pub limit: u32,
}

impl AcceptQueue {
    /// Reads it from `TCP_INFO`, whose `unacked` and `sacked` fields mean this on a listening socket
    /// (`tcp_get_info`).
    pub fn of(listener: &impl AsFd) -> io::Result<Self> {
        // SAFETY: tcp_info is plain integers, for which all zeroes is a value.
        let mut info: libc::tcp_info = unsafe { mem::zeroed() };
        let mut length = libc::socklen_t::try_from(mem::size_of_val(&info)).map_err(io::Error::other)?;
        // SAFETY: the pointer is to `length` writable bytes, and the descriptor is borrowed for the call.
        let result = unsafe {
            libc::getsockopt(
                listener.as_fd().as_raw_fd(),
                libc::IPPROTO_TCP,
                libc::TCP_INFO,
                (&raw mut info).cast(),
                &raw mut length,
            )
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self {
            waiting: info.tcpi_unacked,
            limit: info.tcpi_sacked,
        })
    }

    /// Whether the kernel ignores further SYNs.
    pub fn is_full(self) -> bool {
        self.waiting > self.limit
    }
}
