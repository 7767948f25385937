//! The metrics of the real program, asked for in all three forms, held against readers that are not ours.

#[path = "../metrics/readers.rs"]
mod readers;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use tcpprobe::lab::network::{Behaviour, Listener};
use tcpprobe::lab::{Family, Lab, Network, Node, Place, Powers};
use tcpprobe::net::clock;
use tcpprobe::report::monitor::Exposition;

use crate::http::client::{Connection, PATIENCE};
use crate::{House, TCPPROBE, wanted};
use readers::{Read, Series, complaints, promtool, python};

const OPEN: u16 = 8080;
const CLOSED: u16 = 8081;
const LISTEN: ([u8; 4], u16) = ([127, 0, 0, 1], 9965);

/// What Prometheus asks for, and what it is to be given.
const ASKED: [(&str, Exposition); 3] = [
    ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", Exposition::Text),
    (
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
         text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        Exposition::OpenMetrics,
    ),
    (
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,\
         application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        Exposition::Protobuf,
    ),
];

pub(crate) fn trials(house: &House) -> Vec<Trial> {
    let of = |family| {
        house.trial(
            format!("the_program_is_scraped_in_all_forms_{family:?}").to_lowercase(),
            move || is_scraped(family),
        )
    };
    Family::BOTH.map(of).into()
}

fn is_scraped(family: Family) -> Result<(), Failed> {
    let listener = Listener {
        node: Node::Server,
        port: OPEN,
        count: 1,
        family: None,
        place: None,
        backlog: 64,
        behaviour: Behaviour::Accept,
        full: false,
    };
    let lab = Lab::build(&Network {
        listener: vec![listener],
        ..Network::default()
    })?;
    let at = |port| SocketAddr::from((Place::Server.address(family), port)).to_string();
    let (open, closed) = (at(OPEN), at(CLOSED));
    let listen = SocketAddr::from(LISTEN).to_string();
    let mut command = lab.command(TCPPROBE, Powers::None, None)?;
    command.args([
        "monitor",
        "--listen",
        &listen,
        "--interval",
        "200ms",
        "--timeout",
        "200ms",
    ]);
    command.args([&open, &closed]);
    let monitor = Monitor(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    let asked = lab.on(Node::Client, move || asks(&open, &closed))?;
    drop(monitor);
    asked
}

fn asks(open: &str, closed: &str) -> Result<(), Failed> {
    until_both_are_known()?;
    let schedule = ASKED.map(|(accept, form)| scrape("/metrics", accept, form));
    let mut schedules = Vec::new();
    for read in schedule {
        let Some(read) = read? else {
            return Ok(());
        };
        let classes = [(open, "open", 1.0), (closed, "refused", 0.0)];
        for (target, class, success) in classes {
            let labels = [("target", target), ("class", class)];
            let checks = read.samples.get(&series("tcpprobe_checks_total", &labels));
            wanted(checks.is_some_and(|checks| *checks >= 2.0), || {
                format!("{class}: {checks:?}")
            })?;
            let of = |name: &str, labels: &[(&str, &str)]| read.samples.get(&series(name, labels)).copied();
            let state = of("tcpprobe_state", &labels);
            wanted(state == Some(1.0), || format!("{class}: {state:?}"))?;
            let confirmed = of("tcpprobe_confirmed_success", &labels[..1]);
            wanted(confirmed == Some(success), || format!("{class}: {confirmed:?}"))?;
        }
        schedules.push(read);
    }
    agree(&schedules)?;
    // Each form has what it alone has: units in OpenMetrics, native histograms in protobuf.
    let units = |read: &Read| {
        let [_, unit, _] = read.families.get("tcpprobe_handshake_seconds")?;
        Some(unit.clone())
    };
    let units: Vec<_> = schedules.iter().map(units).collect();
    let expected = ["", "seconds", "seconds"].map(|unit| Some(unit.to_owned()));
    wanted(units == expected, || format!("{units:?}"))?;
    let native: Vec<u64> = schedules
        .iter()
        .map(|read| {
            let of_open = read
                .native
                .get(&series("tcpprobe_handshake_seconds", &[("target", open)]));
            of_open.into_iter().flatten().map(|(_, count)| count).sum()
        })
        .collect();
    wanted(native[..2] == [0, 0] && native[2] >= 2, || format!("{native:?}"))?;

    for (target, success) in [(open, 1.0), (closed, 0.0)] {
        let mut probes = Vec::new();
        for (accept, form) in ASKED {
            let path = format!("/probe?target={}", target.replace('[', "%5B").replace(']', "%5D"));
            let Some(read) = scrape(&path, accept, form)? else {
                return Ok(());
            };
            let found = read.samples.get(&series("probe_success", &[])).copied();
            wanted(found == Some(success), || format!("{target}: {found:?}"))?;
            let why = read.samples.keys().find(|(name, _)| name == "probe_failure_info");
            let why = why.map(|(_, labels)| [&labels["reason"], &labels["cause"]].map(String::as_str));
            let expected = (success == 0.0).then_some(["refused", "no-listener"]);
            wanted(why == expected, || format!("{target}: {why:?}"))?;
            probes.push(read);
        }
        agree(&probes)?;
    }
    Ok(())
}

/// Waits until both targets were looked at often enough that their state is confirmed.
fn until_both_are_known() -> Result<(), Failed> {
    let until = clock::now() + PATIENCE;
    loop {
        let text = Connection::open(LISTEN.into())
            .and_then(|mut connection| connection.get("/metrics"))
            .map(|answer| answer.text())
            .unwrap_or_default();
        let counts = text.lines().filter(|line| {
            let count = line.rsplit_once(' ').and_then(|(_, count)| count.parse().ok());
            line.starts_with("tcpprobe_checks_total{") && count.is_some_and(|count: f64| count >= 2.0)
        });
        if counts.count() >= 2 {
            return Ok(());
        }
        wanted(clock::now() < until, || format!("not both are known:\n{text}"))?;
        thread::sleep(Duration::from_millis(20));
    }
}

/// Asks for metrics in a form, and has somebody else read them; absent where there is nobody.
fn scrape(path: &str, accept: &str, form: Exposition) -> Result<Option<Read>, Failed> {
    let answer = Connection::open(LISTEN.into())?.ask("GET", path, &[("accept", accept)])?;
    let kind = answer.header("content-type");
    wanted(answer.status == 200 && kind == Some(form.content_type()), || {
        format!("{path}: {} {kind:?} {}", answer.status, answer.text())
    })?;
    if form == Exposition::Text {
        let Some(output) = promtool(&["check", "metrics"], &answer.body) else {
            return Ok(None);
        };
        wanted(
            output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(),
            || complaints(&output),
        )?;
    }
    Ok(python(form, &answer.body))
}

/// All forms have the same metrics. Their values are of other moments.
fn agree(forms: &[Read]) -> Result<(), Failed> {
    for pair in forms.windows(2) {
        let [one, other] = [&pair[0], &pair[1]].map(names);
        let differ: Vec<_> = one.symmetric_difference(&other).collect();
        wanted(differ.is_empty() && one.len() > 10, || {
            format!("the forms differ: {differ:?}")
        })?;
    }
    Ok(())
}

/// The metrics and the names of their labels, but for those that are there or not by what the latest check saw.
fn names(read: &Read) -> BTreeSet<(&str, Vec<&str>)> {
    let samples = read
        .samples
        .keys()
        .filter(|(name, _)| !name.ends_with("_rtt_seconds"));
    samples
        .map(|(name, labels)| (name.as_str(), labels.keys().map(String::as_str).collect()))
        .collect()
}

fn series(name: &str, labels: &[(&str, &str)]) -> Series {
    let labels = labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    (name.to_owned(), labels.collect())
}

/// A monitor that runs until this is dropped.
struct Monitor(Child);

impl Drop for Monitor {
    fn drop(&mut self) {
        // Where it has ended there is nothing to be done.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
