//! CAP_NET_RAW: whether we have it, and having it in force for no longer than it takes to open sockets.
//!
//! Capabilities belong to a thread, so this is about the thread that calls. Those that it starts later inherit what it
//! has left; those that it started before (the C library's resolver runs on one) keep the right, but not in force. No
//! other capability is touched.

use std::io;

use caps::{CapSet, Capability, errors::CapsError};

/// Whether this thread may bring CAP_NET_RAW into force.
pub fn may_use_raw_sockets() -> bool {
    caps::has_cap(None, CapSet::Permitted, Capability::CAP_NET_RAW).unwrap_or(false)
}

/// Takes CAP_NET_RAW out of force; it stays permitted. To be called when the program begins.
///
/// # Errors
/// When the kernel does not let us read or set our own capabilities.
pub fn lower() -> io::Result<()> {
    caps::drop(None, CapSet::Effective, Capability::CAP_NET_RAW).map_err(other)
}

/// Does something with CAP_NET_RAW in force, and gives it up for good, whatever came of it.
pub(super) fn once_with_raw_sockets<T>(open: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    if may_use_raw_sockets() {
        caps::raise(None, CapSet::Effective, Capability::CAP_NET_RAW).map_err(other)?;
    }
    let opened = open();
    give_up()?;
    opened
}

/// The same, but it can be done again.
pub(super) fn with_raw_sockets<T>(open: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    if may_use_raw_sockets() {
        caps::raise(None, CapSet::Effective, Capability::CAP_NET_RAW).map_err(other)?;
    }
    let opened = open();
    lower()?;
    opened
}

/// Gives CAP_NET_RAW up for good.
///
/// # Errors
/// When the kernel does not let us set our own capabilities.
pub fn give_up() -> io::Result<()> {
    // In this order: what is in force has to be permitted.
    for set in [CapSet::Effective, CapSet::Permitted] {
        caps::drop(None, set, Capability::CAP_NET_RAW).map_err(other)?;
    }
    Ok(())
}

fn other(error: CapsError) -> io::Error {
    io::Error::other(error)
}
