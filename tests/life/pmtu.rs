//! How large packets may be (`--pmtu`): paths that take less than our link, with and without a word, as root and as a plain
//! user.

use std::time::Duration;

use libtest_mimic::Failed;
use serde_json::Value;
use tcpprobe::lab::{Family, Lab, Place, Powers, run};

use crate::{Reader, Show, schema, wanted};

pub(crate) const SHOWS: &[(&str, Show)] = &[
    ("a_path_that_takes_all_is_said_to", healthy),
    ("a_black_hole_is_found_to_the_byte", black_hole),
    ("a_router_that_says_what_fits_is_named", spoken),
    (
        "a_smaller_link_with_the_kernels_own_message_is_named",
        smaller_link,
    ),
    ("a_clamped_mss_explains_why_it_works", clamped),
    (
        "a_black_hole_beyond_a_router_that_speaks_is_found",
        hole_behind_a_router,
    ),
    ("a_message_that_our_own_firewall_drops_is_no_help", stopped_by_us),
    ("where_segments_are_ignored_datagrams_tell", by_datagrams),
    ("where_datagrams_are_ignored_too_pings_tell", by_pings),
    ("what_nobody_answers_is_not_known", nobody_answers),
    ("loss_is_no_black_hole", loss),
];

const TCPPROBE: &str = env!("CARGO_BIN_EXE_tcpprobe");
const DEADLINE: Duration = Duration::from_secs(60);
const PORT: u16 = 8080;

const DROP: &str = "[[wire.rule]]\ntowards = 'server'\nlonger-than = 1400\naction = 'drop'\n";
const LISTENER: &str = "[[listener]]\nport = 8080\n";

fn healthy(family: Family, reader: Reader) -> Result<(), Failed> {
    let seen = look(LISTENER, family, reader)?;
    seen.finds(&["path-mtu"])?;
    seen.says("path-mtu", "packets of 1500 bytes reach the host")?;
    seen.says("path-mtu", with(reader))?;
    seen.says("path-mtu", "its own bytes alone can show")?;
    // One small packet, and one as long as any.
    wanted(seen.sizes().len() == 2, || seen.0.to_string())
}

fn black_hole(family: Family, reader: Reader) -> Result<(), Failed> {
    let seen = look(&format!("{LISTENER}{DROP}"), family, reader)?;
    seen.finds(&["pmtu-black-hole", "path-mtu"])?;
    seen.says("pmtu-black-hole", "packets of more than 1400 bytes vanish")?;
    seen.says("pmtu-black-hole", "Connections to it send up to 1500 bytes")?;
    match reader {
        Reader::Root => seen.says_not("pmtu-black-hole", "not ruled out")?,
        Reader::Plain => seen.says(
            "pmtu-black-hole",
            "drops large ones of these alone is not ruled out",
        )?,
    }
    seen.says("path-mtu", "packets of 1400 bytes reach the host")?;
    let mut sizes = seen.sizes();
    sizes.sort_unstable();
    sizes.dedup();
    wanted(sizes.len() <= 12, || format!("{sizes:?}"))?;
    let advice = seen.0["advice"].to_string();
    wanted(advice.contains("tcpprobe explain pmtu-black-hole"), || advice)
}

fn spoken(family: Family, reader: Reader) -> Result<(), Failed> {
    let rule = "[[wire.rule]]\ntowards = 'server'\nlonger-than = 1400\n\
                action = { answer = { icmp = { says = 'too-big', from = 'r1', mtu = 1400 } } }\n";
    reduced_by(Place::R1, &format!("{LISTENER}{rule}"), family, reader)
}

fn smaller_link(family: Family, reader: Reader) -> Result<(), Failed> {
    let links = "[[link]]\nnode = 'r1'\ninterface = 'eth1'\nmtu = 1400\n\
                 [[link]]\nnode = 'r2'\ninterface = 'eth0'\nmtu = 1400\n";
    reduced_by(Place::R1, &format!("{LISTENER}{links}"), family, reader)
}

fn reduced_by(router: Place, network: &str, family: Family, reader: Reader) -> Result<(), Failed> {
    let seen = look(network, family, reader)?;
    seen.finds(&["pmtu-reduced", "path-mtu"])?;
    let router = router.address(family);
    seen.says(
        "pmtu-reduced",
        &format!("as {router} says by ICMP and that 1400 bytes fit"),
    )?;
    seen.says("path-mtu", "packets of 1400 bytes reach the host")?;
    // It says what fits: nothing has to be searched.
    let mut sizes = seen.sizes();
    sizes.dedup();
    let small = if family == Family::V4 { 576 } else { 1280 };
    wanted(sizes == [small, 1500, 1400], || format!("{sizes:?}"))
}

fn clamped(family: Family, reader: Reader) -> Result<(), Failed> {
    let mss = mss_of(1400, family);
    let clamp =
        format!("[[wire.rule]]\ntowards = 'client'\npacket = 'syn-ack'\naction = {{ clamp-mss = {mss} }}\n");
    let seen = look(&format!("{LISTENER}{DROP}{clamp}"), family, reader)?;
    seen.finds(&["mss-clamped", "path-mtu"])?;
    seen.says(
        "mss-clamped",
        &format!("the MSS of {mss} in the SYN-ACK keeps packets at 1400 bytes"),
    )?;
    seen.says("mss-clamped", "UDP and QUIC have no such help")?;
    seen.says("path-mtu", "packets of 1400 bytes reach the host")
}

/// One link says that 1450 bytes fit, and the next swallows more than 1400.
fn hole_behind_a_router(family: Family, reader: Reader) -> Result<(), Failed> {
    let rules = "[[wire.rule]]\ntowards = 'server'\nlonger-than = 1450\n\
                 action = { answer = { icmp = { says = 'too-big', from = 'r1', mtu = 1450 } } }\n";
    let seen = look(&format!("{LISTENER}{rules}{DROP}"), family, reader)?;
    seen.finds(&["pmtu-black-hole", "path-mtu"])?;
    seen.says("pmtu-black-hole", "packets of more than 1400 bytes vanish")
}

/// What only raw packets, seen before our own firewall, can tell; a plain user hears nothing.
fn stopped_by_us(family: Family, reader: Reader) -> Result<(), Failed> {
    let links = "[[link]]\nnode = 'r1'\ninterface = 'eth1'\nmtu = 1400\n\
                 [[link]]\nnode = 'r2'\ninterface = 'eth0'\nmtu = 1400\n";
    let rules = "[[firewall]]\nnode = 'client'\nhook = 'input'\nabout = 'too-big-v4'\nverdict = 'drop'\n\
                 [[firewall]]\nnode = 'client'\nhook = 'input'\nabout = 'too-big-v6'\nverdict = 'drop'\n";
    let seen = look(&format!("{LISTENER}{links}{rules}"), family, reader)?;
    seen.finds(&["pmtu-black-hole", "path-mtu"])?;
    match reader {
        Reader::Root => seen.says("pmtu-black-hole", "our own firewall drops the message"),
        Reader::Plain => seen.says("pmtu-black-hole", "no ICMP message says so"),
    }
}

fn by_datagrams(family: Family, reader: Reader) -> Result<(), Failed> {
    let deaf = "[[wire.rule]]\ntowards = 'server'\npacket = 'tcp'\nlonger-than = 500\naction = 'drop'\n";
    let seen = look(&format!("{LISTENER}{deaf}{DROP}"), family, reader)?;
    seen.finds(&["pmtu-black-hole", "path-mtu"])?;
    seen.says("path-mtu", "UDP datagrams to a closed port")?;
    seen.says("pmtu-black-hole", "CAP_NET_RAW asks with TCP")
}

fn by_pings(family: Family, reader: Reader) -> Result<(), Failed> {
    let deaf = "[[wire.rule]]\ntowards = 'server'\npacket = 'tcp'\nlonger-than = 500\naction = 'drop'\n\
                [[wire.rule]]\ntowards = 'server'\npacket = 'udp'\naction = 'drop'\n\
                [sysctl.client]\n'net.ipv4.ping_group_range' = '0 0'\n";
    let seen = look(&format!("{DROP}{LISTENER}{deaf}"), family, reader)?;
    seen.finds(&["pmtu-black-hole", "path-mtu"])?;
    seen.says("path-mtu", "pings, both ways")?;
    seen.says("pmtu-black-hole", "that the way back is the smaller one")
}

fn nobody_answers(family: Family, reader: Reader) -> Result<(), Failed> {
    let deaf = "[[wire.rule]]\ntowards = 'server'\nlonger-than = 500\naction = 'drop'\n";
    let seen = look(&format!("{LISTENER}{deaf}"), family, reader)?;
    seen.finds(&["pmtu-unknown"])?;
    seen.says("pmtu-unknown", "is not ruled out")
}

fn loss(family: Family, reader: Reader) -> Result<(), Failed> {
    let lossy = "[wire]\nseed = 11\n\
                 [[wire.rule]]\ntowards = 'server'\nlonger-than = 200\nprobability = 0.3\naction = 'drop'\n\
                 [[wire.rule]]\ntowards = 'server'\npacket = 'udp'\nprobability = 0.3\naction = 'drop'\n";
    let seen = look(&format!("{lossy}{LISTENER}"), family, reader)?;
    let kinds = seen.kinds();
    wanted(!kinds.contains(&"pmtu-black-hole".to_owned()), || {
        seen.0.to_string()
    })?;
    wanted(!kinds.is_empty(), || seen.0.to_string())
}

fn with(reader: Reader) -> &'static str {
    match reader {
        Reader::Root => "TCP segments of no connection",
        Reader::Plain => "UDP datagrams to a closed port",
    }
}

fn mss_of(packet: u16, family: Family) -> u16 {
    packet - if family == Family::V4 { 40 } else { 60 }
}

fn look(network: &str, family: Family, reader: Reader) -> Result<Seen, Failed> {
    let lab = Lab::build(&toml::from_str(network)?)?;
    let target = std::net::SocketAddr::new(Place::Server.address(family), PORT).to_string();
    let powers = match reader {
        Reader::Root => Powers::NetRaw,
        Reader::Plain => Powers::None,
    };
    let mut command = lab.command(TCPPROBE, powers, None)?;
    let finished = run(command.args(["--pmtu", "-o", "json", &target]), DEADLINE)?;
    let document: Value = serde_json::from_str(&finished.stdout)?;
    let errors = schema::errors("document", &document);
    wanted(errors.is_empty(), || errors.join("\n"))?;
    let endpoint = document["targets"][0]["endpoints"][0].clone();
    wanted(endpoint["class"] == "open", || endpoint.to_string())?;
    Ok(Seen(endpoint))
}

/// An endpoint's record.
struct Seen(Value);

impl Seen {
    fn kinds(&self) -> Vec<String> {
        let findings = self.0["findings"].as_array().into_iter().flatten();
        findings
            .filter_map(|one| one["kind"].as_str().map(ToOwned::to_owned))
            .collect()
    }

    fn finds(&self, kinds: &[&str]) -> Result<(), Failed> {
        wanted(self.kinds() == kinds, || {
            let seen = self.0["evidence"].as_array().into_iter().flatten();
            let seen: Vec<String> = seen.map(ToString::to_string).collect();
            format!("{}\n{}", self.0["findings"], seen.join("\n"))
        })
    }

    fn said(&self, kind: &str) -> String {
        let mut findings = self.0["findings"].as_array().into_iter().flatten();
        let says = findings.find(|one| one["kind"] == kind);
        says.and_then(|one| one["says"].as_str())
            .unwrap_or_default()
            .to_owned()
    }

    fn says(&self, kind: &str, words: &str) -> Result<(), Failed> {
        let said = self.said(kind);
        wanted(said.contains(words), || {
            format!("{kind} says {said}, not {words}")
        })
    }

    fn says_not(&self, kind: &str, words: &str) -> Result<(), Failed> {
        let said = self.said(kind);
        wanted(!said.contains(words), || format!("{kind} says {said}"))
    }

    /// The sizes that were sent, in their order.
    fn sizes(&self) -> Vec<u64> {
        let seen = self.0["evidence"].as_array().into_iter().flatten();
        seen.filter(|one| one["probe"] == "size")
            .filter_map(|one| one["size"].as_u64())
            .collect()
    }
}
