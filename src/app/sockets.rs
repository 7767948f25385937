//! `tcpprobe sockets`.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::{Duration, UNIX_EPOCH};

use super::{Failure, output, stop_requested};
use crate::cli::{DocumentForm, Exit, SocketsArguments};
use crate::diagnose::sockets::{Bounds, Severity, Tally, Verdict, judge, judge_settings};
use crate::evidence::sockets::{Counter, Owner, Process};
use crate::net::clock;
use crate::net::sockets::{self, Filter, Owners};
use crate::report::sockets::{Layout, Look, write_json, write_text};
use crate::report::{Style, Verbosity};

pub(super) fn run(arguments: &SocketsArguments) -> Result<Exit, Failure> {
    if let Some(path) = &arguments.netns {
        sockets::enter(path).map_err(|error| {
            let path = path.display();
            Failure::could_not_judge(format!(
                "the network namespace {path} cannot be entered: {error}\nIt takes CAP_SYS_ADMIN, and a file such as \
                 /proc/PID/ns/net or /run/netns/NAME."
            ))
        })?;
    }
    let mut looks = Looks {
        arguments,
        style: output::style_of(arguments.color, Verbosity::Normal),
        filter: in_words(arguments),
        number: 0,
        before: None,
        counters: Vec::new(),
        began: clock::now(),
    };
    let Some(pause) = arguments.watch else {
        return looks.look().map(|(exit, _)| exit);
    };
    // A thread of its own would be in the namespace of the process.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::could_not_judge)?;
    runtime.block_on(async {
        let stop = stop_requested();
        tokio::pin!(stop);
        loop {
            let (exit, is_read) = looks.look()?;
            if !is_read || arguments.count == Some(looks.number) {
                return Ok(exit);
            }
            tokio::select! {
                () = &mut stop => return Ok(exit),
                () = tokio::time::sleep(pause) => {}
            }
        }
    })
}

/// One look after the other, each compared with the one before.
struct Looks<'a> {
    arguments: &'a SocketsArguments,
    style: Style,
    filter: Vec<String>,
    number: u32,
    before: Option<(Tally, Duration)>,
    counters: Vec<Counter>,
    began: std::time::Instant,
}

impl Looks<'_> {
    /// Looks and writes it; also says whether anybody reads it.
    fn look(&mut self) -> Result<(Exit, bool), Failure> {
        let at = UNIX_EPOCH + clock::unix_now();
        let now = clock::now() - self.began;
        self.number += 1;
        let owners = Owners::look();
        let tally = self.count(&owners)?;
        let counters = sockets::counters(&self.counters);
        let before = self.before.take();
        let since_last = before.as_ref().map(|(_, at)| now.saturating_sub(*at));
        let earlier = before.as_ref().map(|(tally, _)| tally);
        let verdicts = judge(&tally, earlier.zip(since_last));
        let processes = processes(&verdicts, &tally);
        let settings = judge_settings(&tally);
        let look = Look {
            version: env!("CARGO_PKG_VERSION"),
            at,
            number: self.number,
            since_last,
            filter: &self.filter,
            tally: &tally,
            before: earlier,
            verdicts: &verdicts,
            processes: &processes,
            settings: &settings,
            counters: &counters,
            visibility: owners.visibility(),
        };
        let is_read = self.write(&look)?;
        let exit = exit(&verdicts);
        self.before = Some((tally, now));
        self.counters = counters;
        Ok((exit, is_read))
    }

    fn count(&self, owners: &Owners) -> Result<Tally, Failure> {
        let bounds = Bounds {
            stuck: self.arguments.stuck_after,
            silent: self.arguments.silent_after,
        };
        let could_not =
            |error| Failure::could_not_judge(format!("the sockets cannot be read (sock_diag): {error}"));
        let listening = sockets::listening_ports().map_err(could_not)?;
        let mut tally = Tally::new(bounds, sockets::settings(), listening);
        sockets::read(&filter(self.arguments), owners, |socket| tally.note(socket)).map_err(could_not)?;
        Ok(tally)
    }

    fn write(&self, look: &Look<'_>) -> Result<bool, Failure> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        let written = match (self.arguments.output, self.arguments.watch) {
            (DocumentForm::Json, None) => write_json(look, Layout::Indented, &mut out),
            (DocumentForm::Json, Some(_)) => write_json(look, Layout::Line, &mut out),
            (DocumentForm::Text, _) => {
                let apart = if self.number > 1 { "\n" } else { "" };
                io::Write::write_all(&mut out, apart.as_bytes())
                    .and_then(|()| write_text(look, &self.style, &mut out))
            }
        };
        output::is_read(written.and_then(|()| io::Write::flush(&mut out)))
    }
}

fn exit(verdicts: &[Verdict]) -> Exit {
    let is_wrong = |verdict: &Verdict| match verdict.label.severity() {
        Severity::Failing | Severity::Straining => true,
        Severity::Note => false,
    };
    if verdicts.iter().any(is_wrong) {
        Exit::NotAsExpected
    } else {
        Exit::AsExpected
    }
}

/// Those that are spoken of: of the verdicts, and of the listeners.
fn processes(verdicts: &[Verdict], tally: &Tally) -> BTreeMap<u32, Process> {
    let listeners = tally
        .listeners
        .iter()
        .filter_map(|listener| match listener.owner {
            Owner::Process(pid) => Some(pid),
            Owner::Nobody | Owner::Unseen => None,
        });
    let pids: BTreeSet<u32> = verdicts
        .iter()
        .flat_map(Verdict::processes)
        .chain(listeners)
        .collect();
    pids.into_iter().map(|pid| (pid, Owners::process(pid))).collect()
}

fn filter(arguments: &SocketsArguments) -> Filter {
    let by_id: BTreeSet<u32> = arguments.pid.iter().copied().collect();
    let by_name: BTreeSet<u32> = arguments
        .process
        .iter()
        .flat_map(|name| Owners::named(name))
        .collect();
    let processes = match (arguments.pid.is_empty(), arguments.process.is_empty()) {
        (true, true) => None,
        (false, true) => Some(by_id),
        (true, false) => Some(by_name),
        (false, false) => Some(&by_id & &by_name),
    };
    Filter {
        states: arguments.state.clone(),
        destination: arguments.dst.map(|network| (network.address, network.length)),
        destination_port: arguments.dport.clone(),
        source_port: arguments.sport.clone(),
        processes,
    }
}

fn in_words(arguments: &SocketsArguments) -> Vec<String> {
    let mut words = Vec::new();
    if !arguments.state.is_empty() {
        let states: Vec<&str> = arguments.state.iter().map(|state| state.label()).collect();
        words.push(format!("in {}", states.join(" or ")));
    }
    if let Some(network) = arguments.dst {
        words.push(format!("with {}/{}", network.address, network.length));
    }
    for (ports, whose) in [(&arguments.dport, "their"), (&arguments.sport, "our")] {
        if let Some(ports) = ports {
            let (first, last) = (ports.start(), ports.end());
            words.push(if first == last {
                format!("{whose} port {first}")
            } else {
                format!("{whose} ports {first} to {last}")
            });
        }
    }
    words.extend(arguments.pid.iter().map(|pid| format!("of pid {pid}")));
    words.extend(arguments.process.iter().map(|name| format!("of {name}")));
    words.extend(
        arguments
            .netns
            .iter()
            .map(|path| format!("in the namespace {}", path.display())),
    );
    words
}
