//! An errno's name, and what it means when our own kernel says it before any packet left.

use std::io;

use nix::errno::Errno;

use crate::evidence::{LocalError, LocalMeans};

/// The errno's name (`ECONNREFUSED`), or the error's own words where there is none.
pub(super) fn name(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => format!("{:?}", Errno::from_raw(number)),
        None => error.to_string(),
    }
}

/// A system call of ours that failed at once.
pub fn local(call: &'static str, error: &io::Error) -> LocalError {
    LocalError {
        call: call.to_owned(),
        errno: name(error),
        means: means(error),
    }
}

/// A packet of our own making that the kernel would not send.
pub(super) fn not_sent(call: &'static str, error: &io::Error) -> LocalError {
    let mut local = local(call, error);
    // A rule that drops what we send is said to the sender of a raw packet, and to no other (`NF_DROP`).
    if error.raw_os_error() == Some(libc::EPERM) {
        local.means = LocalMeans::Dropped;
    }
    local
}

fn means(error: &io::Error) -> LocalMeans {
    match error.raw_os_error() {
        // EINVAL is a blackhole route, the other two an unreachable route and none at all (facts: measured).
        Some(libc::ENETUNREACH | libc::EHOSTUNREACH | libc::EINVAL) => LocalMeans::NoRoute,
        Some(libc::EACCES | libc::EPERM) => LocalMeans::Denied,
        // bind() in an exhausted range says EADDRINUSE, connect() EADDRNOTAVAIL.
        Some(libc::EADDRNOTAVAIL | libc::EADDRINUSE) => LocalMeans::NoPorts,
        Some(libc::EMFILE | libc::ENFILE) => LocalMeans::NoDescriptors,
        _ => LocalMeans::Other,
    }
}
