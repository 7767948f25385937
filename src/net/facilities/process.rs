//! Who we are and what we may do: capabilities, and what takes from them.

use std::fs;

use caps::{CapSet, Capability, has_cap};
use nix::sys::resource::{Resource, getrlimit};

use crate::evidence::facilities::{Capabilities, FileCapability, Held, Process};

pub(super) fn look() -> Process {
    let status = fs::read_to_string("/proc/self/status").ok();
    let flag = |name| status.as_deref().and_then(|status| number(status, name));
    Process {
        user: nix::unistd::geteuid().as_raw(),
        group: nix::unistd::getegid().as_raw(),
        capabilities: our_capabilities(),
        file_capability: file_capability(),
        no_new_privileges: flag("NoNewPrivs:").map(|value| value != 0),
        seccomp: flag("Seccomp:").map(|value| value != 0),
        in_user_namespace: fs::read_to_string("/proc/self/uid_map")
            .ok()
            .map(|map| !is_initial(&map)),
        open_files: getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(soft, _)| soft),
    }
}

fn our_capabilities() -> Option<Capabilities> {
    let held = |capability| {
        Some(if has_cap(None, CapSet::Effective, capability).ok()? {
            Held::Effective
        } else if has_cap(None, CapSet::Permitted, capability).ok()? {
            Held::Permitted
        } else {
            Held::No
        })
    };
    Some(Capabilities {
        net_raw: held(Capability::CAP_NET_RAW)?,
        net_admin: held(Capability::CAP_NET_ADMIN)?,
        net_raw_in_bounds: has_cap(None, CapSet::Bounding, Capability::CAP_NET_RAW).ok()?,
    })
}

fn file_capability() -> Option<FileCapability> {
    let mut value = [0; 64];
    let length = rustix::fs::getxattr("/proc/self/exe", "security.capability", &mut value).ok()?;
    parse_file_capability(value.get(..length)?)
}

/// `struct vfs_cap_data` (linux/capability.h): a revision with one flag, then the low words of the permitted and the
/// inheritable set; all of it little-endian.
fn parse_file_capability(value: &[u8]) -> Option<FileCapability> {
    const EFFECTIVE: u32 = 1;
    let word = |index: usize| {
        let bytes = value.get(index * 4..index * 4 + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let net_raw = Capability::CAP_NET_RAW.bitmask();
    Some(FileCapability {
        net_raw: u64::from(word(1)?) & net_raw != 0,
        effective: word(0)? & EFFECTIVE != 0,
    })
}

fn number(status: &str, name: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().parse().ok()
}

/// The first user namespace maps every number to itself.
fn is_initial(uid_map: &str) -> bool {
    let numbers: Vec<&str> = uid_map.split_whitespace().collect();
    numbers == ["0", "0", "4294967295"]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_capability_is_read_as_setcap_writes_it() {
        // What setcap cap_net_raw+p and cap_net_raw+ep write, and cap_net_bind_service+p.
        let mut value = [0u8; 20];
        (value[3], value[5]) = (2, 0x20);
        assert_eq!(
            parse_file_capability(&value),
            Some(FileCapability {
                net_raw: true,
                effective: false
            })
        );
        value[0] = 1;
        assert_eq!(
            parse_file_capability(&value),
            Some(FileCapability {
                net_raw: true,
                effective: true
            })
        );
        (value[0], value[5]) = (0, 0x04);
        assert_eq!(
            parse_file_capability(&value),
            Some(FileCapability {
                net_raw: false,
                effective: false
            })
        );
        assert_eq!(parse_file_capability(&value[..6]), None);
    }

    #[test]
    fn a_map_of_everything_to_itself_is_the_first_user_namespace() {
        assert!(is_initial("         0          0 4294967295\n"));
        assert!(!is_initial("         0      65534          1\n"));
        assert!(!is_initial("         0     100000      65536\n"));
    }

    #[test]
    fn a_number_of_the_status_is_found_by_its_name() {
        let status = "NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n";
        assert_eq!(number(status, "NoNewPrivs:"), Some(1));
        assert_eq!(number(status, "Seccomp:"), Some(2));
        assert_eq!(number(status, "CapEff:"), None);
    }
}
