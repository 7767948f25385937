//! The hosts file, and `localhost`, which needs none.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::evidence::Family;

use super::log::Log;
use super::{family_of, outcome_of};

/// Looks a name up in the text of a hosts file, and as `localhost` (RFC 6761, 6.3). `false`, and nothing in the log,
/// when there is no address of a wanted family: then DNS is asked, as the C library does.
pub(super) fn look_up(name: &str, wanted: &[Family], text: &str, log: &Log) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let mut addresses = in_hosts(name, text);
    addresses.retain(|&address| wanted.contains(&family_of(address)));
    if addresses.is_empty() && is_localhost(name) {
        addresses = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        addresses.retain(|&address| wanted.contains(&family_of(address)));
    }
    if addresses.is_empty() {
        return false;
    }
    for &family in wanted {
        let of_family = addresses
            .iter()
            .copied()
            .filter(|&address| family_of(address) == family)
            .collect();
        log.ask(name, family, None).says(outcome_of(of_family));
    }
    true
}

/// All addresses of a name in hosts(5) format. Lines that are not understood are passed over.
fn in_hosts(name: &str, text: &str) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    for line in text.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(Ok(address)) = words.next().map(str::parse) else {
            continue;
        };
        if words.any(|alias| {
            alias
                .strip_suffix('.')
                .unwrap_or(alias)
                .eq_ignore_ascii_case(name)
        }) {
            addresses.push(address);
        }
    }
    addresses.dedup();
    addresses
}

fn is_localhost(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    last.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::LookupOutcome;

    const BOTH: [Family; 2] = [Family::A, Family::Aaaa];
    const TEXT: &str = "127.0.0.1 localhost\n192.0.2.1\tweb.example web # the front\n\
                        2001:db8::1 WEB.example\nnonsense web\n192.0.2.2 web\n#192.0.2.3 web\n";

    fn found(name: &str, wanted: &[Family]) -> Option<Vec<String>> {
        let log = Log::start();
        look_up(name, wanted, TEXT, &log).then(|| log.addresses().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn all_lines_of_a_name_count_whatever_their_case() {
        assert_eq!(found("web", &BOTH).unwrap(), ["192.0.2.1", "192.0.2.2"]);
        assert_eq!(
            found("Web.Example.", &BOTH).unwrap(),
            ["192.0.2.1", "2001:db8::1"]
        );
        assert_eq!(found("other", &BOTH), None);
    }

    #[test]
    fn a_family_that_the_file_lacks_is_left_to_dns_only_if_nothing_else_is_wanted() {
        let log = Log::start();
        assert!(look_up("web", &BOTH, TEXT, &log));
        assert_eq!(log.into_lookups()[1].outcome, LookupOutcome::NoData);
        assert_eq!(found("web", &[Family::Aaaa]), None);
    }

    #[test]
    fn localhost_needs_no_file() {
        assert_eq!(found("localhost", &BOTH).unwrap(), ["127.0.0.1"]);
        assert_eq!(found("localhost", &[Family::Aaaa]).unwrap(), ["::1"]);
        assert_eq!(found("a.LOCALHOST.", &BOTH).unwrap(), ["127.0.0.1", "::1"]);
        assert_eq!(found("notlocalhost", &BOTH), None);
    }
}
