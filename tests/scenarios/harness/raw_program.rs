//! Proves what the program makes of being permitted raw sockets, or not, and that it gives the right up again.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tcpprobe::lab::{Family, Finished, Lab, Node, Place, Powers, run};
use tcpprobe::net::privileges;
use tcpprobe::net::raw::Raw;

use crate::facilities::{Outcome, ensure};
use crate::raw::{LISTENER, Proof};

/// One trial a proof and IP version.
pub(crate) const PROOFS: &[(&str, &str, Proof)] = &[
    (
        "the_raw_mode_without_the_right_says_how_to_get_it",
        LISTENER,
        |lab, family| {
            let finished = tcpprobe(lab, family, Powers::None, &["--mode", "raw"])?;
            let remedies = [
                "CAP_NET_RAW is missing",
                "sudo",
                "cap_net_raw+p",
                "NET_RAW",
                "leave it out",
            ];
            let named = remedies.iter().all(|remedy| finished.stderr.contains(remedy));
            let right = finished.status.code() == Some(3) && finished.stdout.is_empty() && named;
            ensure(right, &finished)?;
            ensure(lab.trace().is_empty(), lab.trace())
        },
    ),
    (
        "the_raw_mode_with_the_right_says_that_it_looked_so",
        LISTENER,
        |lab, family| {
            let finished = tcpprobe(lab, family, Powers::NetRaw, &["--mode", "raw", "-v"])?;
            let said = finished.stdout.contains("Looked with connect() and raw probes");
            ensure(finished.status.code() == Some(0) && said, &finished)
        },
    ),
    (
        "an_open_port_is_looked_at_without_raw_sockets_that_are_permitted",
        LISTENER,
        |lab, family| {
            let finished = tcpprobe(lab, family, Powers::NetRaw, &["-v"])?;
            let said =
                finished.stdout.contains("Looked with connect()") && !finished.stdout.contains("raw probes");
            ensure(finished.status.code() == Some(0) && said, &finished)
        },
    ),
    (
        "the_connect_mode_does_without_raw_sockets_that_are_permitted",
        LISTENER,
        |lab, family| {
            let finished = tcpprobe(lab, family, Powers::NetRaw, &["--mode", "connect", "-v"])?;
            let said = in_one_line(&finished.stdout).contains("raw probes (--mode connect does without)");
            ensure(finished.status.code() == Some(0) && said, &finished)
        },
    ),
    (
        "the_program_pings_over_raw_sockets_where_it_may_not_otherwise",
        "[[firewall]]\nnode = 'r1'\nhook = 'forward'\nport = 8080\nverdict = 'drop'",
        |lab, family| {
            let finished = tcpprobe(lab, family, Powers::NetRaw, &["-o", "json"])?;
            let replied = finished
                .stdout
                .replace([' ', '\n'], "")
                .contains(r#""probe":"echo","answer":"reply""#);
            ensure(replied, &finished)
        },
    ),
    (
        "an_endpoint_whose_syn_acks_are_lost_costs_no_more_than_forty_packets",
        "[[listener]]\nport = 8080\n[[wire.rule]]\ntowards = 'client'\npacket = 'syn-ack'\naction = 'drop'",
        costs_no_more_than_forty_packets,
    ),
    (
        "an_endpoint_that_gets_none_of_our_acks_costs_no_more_than_forty_packets",
        "[[listener]]\nport = 8080\n\
         [[wire.rule]]\ntowards = 'server'\npacket = 'syn'\naction = 'pass'\n\
         [[wire.rule]]\ntowards = 'server'\npacket = 'tcp'\naction = 'drop'",
        costs_no_more_than_forty_packets,
    ),
    (
        "an_endpoint_that_cannot_be_reached_at_first_costs_no_more_than_forty_packets",
        "[[listener]]\nport = 8080\n\
         [[wire.rule]]\ntowards = 'server'\ncount = 12\naction = 'drop'",
        costs_no_more_than_forty_packets,
    ),
];

/// Those that our kernel sends on its own are among them.
fn costs_no_more_than_forty_packets(lab: &Lab, family: Family) -> Outcome {
    tcpprobe(lab, family, Powers::NetRaw, &[])?;
    let server = Place::Server.address(family).to_string();
    let trace = lab.trace();
    let ours = trace
        .iter()
        .filter(|line| line.starts_with('>') && line.contains(&server));
    let cost = ours.count();
    ensure((1..=40).contains(&cost), (cost, trace))
}

fn tcpprobe(
    lab: &Lab,
    family: Family,
    powers: Powers,
    arguments: &[&str],
) -> Result<Finished, libtest_mimic::Failed> {
    let mut command = lab.command(env!("CARGO_BIN_EXE_tcpprobe"), powers, None)?;
    let target = SocketAddr::new(Place::Server.address(family), 8080);
    command.args(arguments).arg(target.to_string());
    Ok(run(&mut command, Duration::from_secs(20))?)
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Bit 13 of a set of capabilities.
const NET_RAW: u64 = 1 << 13;

/// CAP_NET_RAW is not in force before, and not even permitted afterwards.
pub(crate) fn gives_up_net_raw(lab: &Lab) -> Outcome {
    let sets = lab.on(Node::Client, || -> io::Result<_> {
        let at_first = capabilities()?;
        privileges::lower()?;
        let lowered = capabilities()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (opened, again) = runtime.block_on(async { (Raw::open().map(drop), Raw::open().map(drop)) });
        Ok((
            at_first,
            lowered,
            capabilities()?,
            opened,
            again.map_err(|error| error.kind()),
        ))
    })??;
    let (at_first, lowered, at_last, opened, again) = &sets;
    let [permitted, effective] = *at_first;
    let right = permitted & NET_RAW != 0
        && *lowered == [permitted, effective & !NET_RAW]
        && *at_last == [permitted & !NET_RAW, effective & !NET_RAW]
        && opened.is_ok()
        && *again == Err(io::ErrorKind::PermissionDenied);
    ensure(right, sets)
}

/// What this thread is permitted, and what of it is in force.
fn capabilities() -> io::Result<[u64; 2]> {
    let status = fs::read_to_string("/proc/thread-self/status")?;
    let set = |name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|set| u64::from_str_radix(set.trim(), 16).ok())
            .ok_or_else(|| io::Error::other(name))
    };
    Ok([set("CapPrm:")?, set("CapEff:")?])
}
