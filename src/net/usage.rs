//! What this process costs its host.

use std::fs;
use std::time::Duration;

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage};
use nix::sys::time::TimeVal;

/// What this process costs its host. What the system does not say is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Processor time, of the program and of the kernel on its behalf.
    pub cpu_s: Option<Duration>,
    /// Memory that is in RAM.
    pub resident_bytes: Option<u64>,
    /// Open file descriptors.
    pub open_fds: Option<u64>,
    /// How many there may be.
    pub max_fds: Option<u64>,
}

impl Usage {
    /// Up to this moment.
    pub fn of_this_process() -> Self {
        Self {
            cpu_s: cpu(),
            resident_bytes: fs::read_to_string("/proc/self/status")
                .ok()
                .and_then(|status| resident(&status)),
            // The directory that is read is one of them.
            open_fds: fs::read_dir("/proc/self/fd")
                .ok()
                .map(|entries| (entries.count() as u64).saturating_sub(1)),
            max_fds: getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(soft, _)| soft),
        }
    }
}

fn cpu() -> Option<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let of = |time: TimeVal| {
        let seconds = u64::try_from(time.tv_sec()).ok()?;
        let micros = u64::try_from(time.tv_usec()).ok()?;
        Some(Duration::from_secs(seconds) + Duration::from_micros(micros))
    };
    Some(of(usage.user_time())? + of(usage.system_time())?)
}

/// The line `VmRSS:      1234 kB` of proc_pid_status(5).
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_files_below_its_limit() {
        let usage = Usage::of_this_process();
        assert!(
            usage.resident_bytes.is_some_and(|bytes| bytes > 100_000),
            "{usage:?}"
        );
        assert!(usage.open_fds.is_some_and(|open| open >= 1), "{usage:?}");
        assert!(usage.open_fds <= usage.max_fds, "{usage:?}");
        assert!(usage.cpu_s.is_some(), "{usage:?}");
    }

    #[test]
    fn a_descriptor_that_is_opened_is_counted() {
        // Other tests open and close files at the same time: many at once are seen all the same.
        let before = Usage::of_this_process().open_fds.unwrap();
        let files: Vec<fs::File> = (0..200).map(|_| fs::File::open("/dev/null").unwrap()).collect();
        let after = Usage::of_this_process().open_fds.unwrap();
        assert!(
            after >= before + 100,
            "{before} and {} more: {after}",
            files.len()
        );
    }

    #[test]
    fn memory_is_read_in_bytes() {
        assert_eq!(
            resident("VmSize:\t 9 kB\nVmRSS:\t    1234 kB\n"),
            Some(1234 * 1024)
        );
        assert_eq!(resident("Name:\tx\n"), None);
    }
}
