//! Which kernel this is.

use crate::evidence::facilities::Kernel;

/// Asks uname(2).
pub(super) fn kernel() -> Kernel {
    let release = nix::sys::utsname::uname()
        .map(|name| name.release().to_string_lossy().into_owned())
        .unwrap_or_default();
    Kernel {
        version: version(&release),
        release,
    }
}

/// What this host calls itself; absent where it has no name.
pub fn host_name() -> Option<String> {
    let name = nix::sys::utsname::uname().ok()?;
    let name = name.nodename().to_string_lossy().into_owned();
    (!name.is_empty()).then_some(name)
}

/// The first two numbers of a release: 6 and 8 of `6.8.0-45-generic`.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release
        .split(['.', '-', '+'])
        .map_while(|part| part.parse::<u32>().ok());
    Some((numbers.next()?, numbers.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_the_first_two_numbers_of_a_release() {
        assert_eq!(version("6.8.0-45-generic"), Some((6, 8)));
        assert_eq!(version("4.19-rc1"), Some((4, 19)));
        assert_eq!(version("6.1+"), Some((6, 1)));
        assert_eq!(version("linux"), None);
    }
}
