//! Threads beside the one that checks.

use std::io;
use std::thread::{Builder, JoinHandle};

use crate::net::privileges;

/// Has something done on a thread of its own that may not open raw sockets.
///
/// # Errors
/// When the system has no room for a thread.
pub(super) fn off_duty(name: &str, job: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    let job = move || {
        // The kernel that will not have it given up had it given to nobody.
        let _ = privileges::give_up();
        job();
    };
    Builder::new().name(name.to_owned()).spawn(job)
}
