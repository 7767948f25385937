//! Proves that a matrix says what is true of a network: two sources with a policy between them, every kind of expectation
//! met and missed, blocks that are proven and that are not, and bounds that hold.
//!
//! The policy is the wire's, which everything from the client passes and nothing from r2.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use libtest_mimic::Failed;
use serde_json::Value;
use tempfile::TempDir;

use tcpprobe::lab::{Family, Finished, Lab, Node, Place, Powers, run};

use crate::Test;
use crate::facilities::{Outcome, ensure, named, test};
use crate::matrix_forms::{self as forms, Pages};

/// No run needs as long as this.
pub(crate) const DEADLINE: Duration = Duration::from_secs(40);

/// Both sources may reach 8080 to 8109 of the server; the policy keeps the client from 9000 to 9009, each in its way.
const TWO_SOURCES: &str = "
[[listener]]
port = 8080
count = 30
[[listener]]
port = 9000
count = 10
[[listener]]
node = 'r1'
port = 7000
[[wire.rule]]
towards = 'server'
port = 9000
action = 'drop'
[[wire.rule]]
towards = 'server'
port = 9001
action = 'drop'
[[wire.rule]]
towards = 'server'
port = 9002
action = 'drop'
[[wire.rule]]
towards = 'server'
port = 9003
action.answer.icmp = { says = 'admin-prohibited', from = 'r2', ttl = 63 }
[[wire.rule]]
towards = 'server'
port = 9004
action.answer.icmp = { says = 'admin-prohibited', from = 'r2', ttl = 63 }
[[wire.rule]]
towards = 'server'
port = 9005
action.answer.icmp = { says = 'port-unreachable', from = 'r2', ttl = 63 }
[[wire.rule]]
towards = 'server'
port = 9006
packet = 'syn'
action.answer.reset = { ttl = 250 }
[[wire.rule]]
towards = 'server'
host = 'server2'
action = 'drop'
";

/// A rule: whose, which host and port, what is expected with which control, and what it comes to.
type Rule = (&'static str, Place, u16, &'static str, Option<u16>, &'static str);

/// Every kind of expectation, met once and missed once.
const RULES: &[Rule] = &[
    ("client", Place::Server, 8080, "reachable", None, "met"),
    ("client", Place::Server, 9000, "reachable", None, "missed"),
    ("client", Place::Server, 8081, "open", None, "met"),
    ("client", Place::Server, 7999, "open", None, "missed"),
    ("client", Place::Server, 9001, "blocked", None, "met"),
    ("client", Place::Server, 8082, "blocked", None, "missed"),
    ("client", Place::Server, 9002, "filtered", None, "met"),
    ("client", Place::Server, 8083, "filtered", None, "missed"),
    // On another host than what is filtered: beside rejected ports, a silent one may be rejected too, and its ICMP error be
    // kept away by the sender's limit.
    ("client", Place::R2, 9003, "rejected", None, "met"),
    ("client", Place::Server, 8084, "rejected", None, "missed"),
    (
        "client",
        Place::R2,
        9004,
        "rejected/admin-prohibited",
        None,
        "met",
    ),
    (
        "client",
        Place::R2,
        9005,
        "rejected/admin-prohibited",
        None,
        "missed",
    ),
    ("client", Place::Server, 7998, "refused", None, "met"),
    ("client", Place::Server, 8085, "refused", None, "missed"),
    ("client", Place::Server, 7997, "[refused, filtered]", None, "met"),
    (
        "client",
        Place::Server,
        8086,
        "[refused, filtered]",
        None,
        "missed",
    ),
    // All of that address vanishes: whoever wrote a typo would see the same.
    ("client", Place::Server2, 9007, "blocked", None, "unproven"),
    ("client", Place::Server2, 9008, "blocked", Some(8087), "met"),
    ("client", Place::Server2, 9009, "reachable", None, "missed"),
    ("admin", Place::Server, 9000, "reachable", None, "met"),
    ("admin", Place::Server, 9001, "blocked", None, "missed"),
    ("admin", Place::Server, 7999, "refused", None, "met"),
    ("admin", Place::Server2, 9007, "reachable", None, "met"),
];

pub(crate) fn trials() -> Vec<Test> {
    let mut trials = Vec::new();
    for family in Family::BOTH {
        for (name, powers) in [("a_plain_user", Powers::None), ("raw_probes", Powers::NetRaw)] {
            trials.push(test(
                &named(
                    &format!("two_sources_with_a_policy_between_them_as_seen_by_{name}"),
                    family,
                ),
                TWO_SOURCES,
                move |lab| two_sources(lab, family, powers),
            ));
        }
        trials.push(test(
            &named("a_middlebox_that_resets_meets_blocked_for_who_sees_raw", family),
            TWO_SOURCES,
            move |lab| middlebox(lab, family),
        ));
        trials.push(test(
            &named("a_sweep_of_raw_syns_comes_to_the_same", family),
            TWO_SOURCES,
            move |lab| swept(lab, family),
        ));
        trials.push(test(
            &named("a_block_is_written_again_when_something_proves_it", family),
            TWO_SOURCES,
            move |lab| written_again(lab, family),
        ));
        trials.push(test(
            &named("no_more_endpoints_of_a_host_than_allowed_are_under_way", family),
            TWO_SOURCES,
            move |lab| per_host(lab, family),
        ));
        trials.push(test(
            &named("no_more_packets_pass_the_wire_than_the_rate_permits", family),
            TWO_SOURCES,
            move |lab| rate(lab, family),
        ));
        trials.push(test(
            &named("an_edge_that_is_not_as_expected_is_looked_at_again", family),
            "[[listener]]\nport = 8080\n\
             [[wire.rule]]\ntowards = 'server'\nport = 8080\npacket = 'syn'\ncount = 1\n\
             action.answer.reset = { ttl = 62 }",
            move |lab| tries(lab, family),
        ));
    }
    trials
}

/// Runs the same matrix from both sources, then has the results of both merged.
fn two_sources(lab: &Lab, family: Family, powers: Powers) -> Outcome {
    let place = Matrix::of(family, RULES)?;
    let mut merged = String::new();
    for (source, node) in [("client", Node::Client), ("admin", Node::R2)] {
        let finished = place.run(lab, node, powers, &["--source", source])?;
        // Both have an edge that is missed.
        ensure(finished.status.code() == Some(1), &finished)?;
        let wanted: BTreeMap<String, String> = RULES
            .iter()
            .filter(|rule| rule.0 == source)
            .map(|rule| (target(family, rule.1, rule.2), rule.5.to_owned()))
            .collect();
        let results = results(&finished.stdout)?;
        for (target, wanted) in &wanted {
            ensure(
                results.get(target) == Some(wanted),
                (target, wanted, &finished.stdout),
            )?;
        }
        let others: BTreeSet<&String> = results
            .keys()
            .filter(|target| !wanted.contains_key(*target))
            .collect();
        let control = target(family, Place::Server, 8087);
        ensure(others.iter().all(|other| **other == control), &others)?;
        merged.push_str(&finished.stdout);
        let path = place.directory.path().join(source);
        fs::write(&path, &finished.stdout)?;
        forms::all_say_the_same(lab, &path, Pages::NotShown)?;
    }
    // From the admin's side that endpoint is open: what keeps the client away is no dead server.
    let path = place.directory.path().join("merged.jsonl");
    fs::write(&path, &merged)?;
    let mut report = lab.command(env!("CARGO_BIN_EXE_tcpprobe"), Powers::None, None)?;
    report.args(["report", "-o", "jsonl"]).arg(&path);
    let finished = run(&mut report, DEADLINE)?;
    let proven = finished.stdout.lines().any(|line| {
        let edge: Value = serde_json::from_str(line).unwrap_or_default();
        edge["source"]["source"] == "client"
            && edge["target"] == target(family, Place::Server2, 9007)
            && edge["result"] == "met"
            && edge["proof"]["kind"] == "open-from"
    });
    ensure(proven && finished.status.code() == Some(1), &finished)?;
    let pages = match (family, powers) {
        (Family::V4, Powers::None) => Pages::InChromium,
        _ => Pages::NotShown,
    };
    forms::all_say_the_same(lab, &path, pages)
}

/// Without raw probes a RST is the host's, for all that is known.
fn middlebox(lab: &Lab, family: Family) -> Outcome {
    let rules = &[("client", Place::Server, 9006, "blocked", None, "")];
    let place = Matrix::of(family, rules)?;
    for (powers, wanted, code) in [(Powers::None, "missed", 1), (Powers::NetRaw, "met", 0)] {
        let finished = place.run(lab, Node::Client, powers, &["--source", "client"])?;
        let results = results(&finished.stdout)?;
        let result = results.get(&target(family, Place::Server, 9006));
        ensure(
            result.is_some_and(|result| result == wanted) && finished.status.code() == Some(code),
            &finished,
        )?;
    }
    Ok(())
}

/// What answers a raw SYN plainly is not connected to, and everything else is looked into as ever. Who may not send raw SYNs
/// is told so, and nothing is looked at.
fn swept(lab: &Lab, family: Family) -> Outcome {
    let mut rules = RULES.to_vec();
    // One RST does not say whose it is.
    rules.push(("client", Place::Server, 9006, "blocked", None, "met"));
    let place = Matrix::of(family, &rules)?;
    let sweep = ["--source", "client", "--sweep", "syn"];
    let finished = place.run(lab, Node::Client, Powers::NetRaw, &sweep)?;
    let found = results(&finished.stdout)?;
    for rule in rules.iter().filter(|rule| rule.0 == "client") {
        let target = target(family, rule.1, rule.2);
        ensure(
            found.get(&target).is_some_and(|result| result == rule.5),
            (target, rule.5, &finished),
        )?;
    }
    let open = target(family, Place::Server, 8080);
    let edge = finished
        .stdout
        .lines()
        .find(|line| line.contains(&format!("\"target\":\"{open}\"")));
    ensure(
        edge.is_some_and(|edge| {
            edge.contains("\"confidence\":\"likely\"") && !edge.contains("\"probe\":\"connect\"")
        }),
        edge,
    )?;
    let refused = place.run(lab, Node::Client, Powers::None, &sweep)?;
    ensure(
        refused.status.code() == Some(3)
            && refused.stderr.contains("CAP_NET_RAW")
            && refused.stdout.is_empty(),
        &refused,
    )
}

/// The control is looked at last, because it waits for the rate and its host for the block.
fn written_again(lab: &Lab, family: Family) -> Outcome {
    let rules = &[
        ("client", Place::Server2, 9008, "blocked", Some(8087), "met"),
        ("client", Place::Server2, 9007, "blocked", None, "unproven"),
    ];
    let place = Matrix::of(family, rules)?;
    let kept = place.directory.path().join("results.jsonl");
    let name = kept.display().to_string();
    // The control has not been looked at yet.
    let blocked = target(family, Place::Server2, 9008);
    let finished = place.run(
        lab,
        Node::Client,
        Powers::None,
        &["--source", "client", "--results", &name],
    )?;
    ensure(finished.status.code() == Some(3), &finished)?;
    // Without the control's record and the summary the block is what it was before the control was known.
    let control = target(family, Place::Server, 8087);
    let all = fs::read_to_string(&kept)?;
    let mut before = String::new();
    for line in all.lines() {
        let record: Value = serde_json::from_str(line)?;
        if record["target"] == control || record["record"] == "summary" {
            continue;
        }
        writeln!(
            before,
            "{}",
            line.replacen(r#""result":"met""#, r#""result":"unproven""#, 1)
        )?;
    }
    fs::write(&kept, &before)?;
    let resumed = place.run(
        lab,
        Node::Client,
        Powers::None,
        &["--source", "client", "--resume", &name],
    )?;
    let after = fs::read_to_string(&kept)?;
    let added = after
        .strip_prefix(before.as_str())
        .ok_or("what was there has changed")?;
    let wanted = BTreeMap::from([(blocked, "met".to_owned()), (control, "met".to_owned())]);
    ensure(
        results(added)? == wanted && resumed.status.code() == Some(3),
        (added, &resumed),
    )
}

/// Silent ports, of which the wire sees when each was asked first and last.
fn per_host(lab: &Lab, family: Family) -> Outcome {
    const PORTS: u16 = 12;
    const AT_ONCE: usize = 3;
    let mut place = Matrix::of(family, &[])?;
    let first = target(family, Place::Server2, 5000);
    place.write(&format!(
        "rules: [{{ to: '{first}-{}', expect: filtered, timeout: 400ms }}]",
        5000 + PORTS - 1
    ))?;
    let arguments = ["--per-host", &AT_ONCE.to_string()];
    let finished = place.run(lab, Node::Client, Powers::None, &arguments)?;
    ensure(results(&finished.stdout)?.len() == usize::from(PORTS), &finished)?;
    let trace = lab.trace();
    let asked = |port: u16| {
        let needle = format!(".{port}:");
        let seen = trace.iter().enumerate();
        let lines = seen.filter(|(_, line)| line.starts_with('>') && line.contains(&needle));
        let places: Vec<usize> = lines.map(|(place, _)| place).collect();
        Some((*places.first()?, *places.last()?))
    };
    let spans: Vec<(usize, usize)> = (5000..5000 + PORTS).filter_map(asked).collect();
    ensure(spans.len() == usize::from(PORTS), &trace)?;
    let at_once = |place: usize| {
        spans
            .iter()
            .filter(|(first, last)| (*first..=*last).contains(&place))
            .count()
    };
    let most = (0..trace.len()).map(at_once).max();
    ensure(
        most.is_some_and(|most| (2..=AT_ONCE).contains(&most)),
        (most, &trace),
    )
}

/// Open, closed and silent ports: everything that our own side sends counts.
fn rate(lab: &Lab, family: Family) -> Outcome {
    const RATE: u32 = 100;
    /// What endpoints that are under way may cost beyond what they have been charged for by the end: silent ones.
    const UNDER_WAY: u32 = 3 * 36;
    let mut place = Matrix::of(family, &[])?;
    let (open, silent) = (
        target(family, Place::Server, 8080),
        target(family, Place::Server2, 5000),
    );
    place.write(&format!(
        "rules: [{{ to: '{open}-8109', expect: open }}, {{ to: '{silent}-5002', expect: filtered, timeout: 1s }}]"
    ))?;
    let finished = place.run(lab, Node::Client, Powers::None, &["--rate", &RATE.to_string()])?;
    ensure(results(&finished.stdout)?.len() == 33, &finished)?;
    let servers = [Place::Server, Place::Server2].map(|place| place.address(family).to_string());
    let trace = lab.trace();
    let ours = trace.iter().filter(|line| line.starts_with('>'));
    let ours = ours.filter(|line| servers.iter().any(|server| line.contains(server.as_str())));
    let sent = u32::try_from(ours.count())?;
    let permitted = f64::from(RATE) * finished.took.as_secs_f64() + f64::from(UNDER_WAY);
    ensure(
        sent >= 30 * 4 && f64::from(sent) <= permitted,
        (sent, permitted, &trace),
    )
}

/// The first SYN is reset; the second look gets through.
fn tries(lab: &Lab, family: Family) -> Outcome {
    let mut place = Matrix::of(family, &[])?;
    let port = target(family, Place::Server, 8080);
    place.write(&format!("rules: [{{ to: '{port}', expect: open, tries: 3 }}]"))?;
    let finished = place.run(lab, Node::Client, Powers::None, &[])?;
    let edge: Value = finished
        .stdout
        .lines()
        .next()
        .map_or(Ok(Value::Null), serde_json::from_str)?;
    let right = edge["result"] == "met" && edge["tried"] == 2 && finished.status.code() == Some(0);
    ensure(right, &finished)
}

/// A matrix in a file of its own.
struct Matrix {
    directory: TempDir,
}

impl Matrix {
    fn of(family: Family, rules: &[Rule]) -> Result<Self, Failed> {
        let mut text = "sources: { client: {}, admin: {} }\nrules:\n".to_owned();
        for (source, place, port, expected, control, _) in rules {
            let to = target(family, *place, *port);
            write!(text, "- {{ from: {source}, to: '{to}', expect: {expected}")?;
            if let Some(control) = control {
                write!(text, ", control: '{}'", target(family, Place::Server, *control))?;
            }
            writeln!(text, " }}")?;
        }
        let mut matrix = Self {
            directory: tempfile::tempdir()?,
        };
        matrix.write(&text)?;
        Ok(matrix)
    }

    fn write(&mut self, text: &str) -> Result<(), Failed> {
        Ok(fs::write(self.directory.path().join("matrix.yaml"), text)?)
    }

    fn run(&self, lab: &Lab, node: Node, powers: Powers, arguments: &[&str]) -> Result<Finished, Failed> {
        let mut command = lab.command_on(node, env!("CARGO_BIN_EXE_tcpprobe"), powers, None)?;
        command
            .args(["matrix", "-o", "jsonl"])
            .arg(self.directory.path().join("matrix.yaml"))
            .args(arguments);
        Ok(run(&mut command, DEADLINE)?)
    }
}

fn target(family: Family, place: Place, port: u16) -> String {
    std::net::SocketAddr::new(place.address(family), port).to_string()
}

/// What each edge comes to; the last record of an edge counts.
fn results(lines: &str) -> Result<BTreeMap<String, String>, Failed> {
    let mut results = BTreeMap::new();
    for line in lines.lines() {
        let record: Value = serde_json::from_str(line)?;
        if let (Some(target), Some(result)) = (record["target"].as_str(), record["result"].as_str()) {
            results.insert(target.to_owned(), result.to_owned());
        }
    }
    Ok(results)
}
