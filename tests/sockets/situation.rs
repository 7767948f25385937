//! Sockets in every state that has a label, and what the program has to say of them.

use std::io::{self, BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use libtest_mimic::Failed;
use serde_json::Value;
use tcpprobe::diagnose::sockets::Label;
use tcpprobe::lab::{Family, Finished, Lab, Node, Powers, run};

use crate::far::{Callers, Far, deafen, make_hard_of_hearing};
use crate::holder::Holder;
use crate::wanted;

const TCPPROBE: &str = env!("CARGO_BIN_EXE_tcpprobe");
const DEADLINE: Duration = Duration::from_secs(20);
/// The kernel's timers need up to two seconds to show everything; nobody waits longer than this.
const LOOKS: u32 = 100;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

const LEAKED: u64 = 12;
const MORE_LEAKED: u64 = 5;
const UNANSWERED: u64 = 12;
const ORPHANS: u64 = 10;
/// Ports of the namespace, and how many of them wait for one destination.
const PORTS: u64 = 100;
const WAITING: u64 = 85;
const UNREAD: u64 = 100;

/// Who looks, and who holds the sockets that are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// With every capability in the namespaces.
    Root,
    /// Without any.
    Plain,
}

pub(crate) struct Situation<'a> {
    lab: &'a Lab,
    reader: Reader,
    holder: Holder,
    far: Far,
    full: Far,
    pools: Far,
    callers: Callers,
    /// The holder's number of the connection that loses packets.
    lossy: String,
    queues: Queues,
}

/// The holder's listeners.
struct Queues {
    full: SocketAddr,
    near: SocketAddr,
    half_open: SocketAddr,
}

impl<'a> Situation<'a> {
    pub(crate) fn bring_about(lab: &'a Lab, family: Family, reader: Reader) -> io::Result<Self> {
        let on: IpAddr = match family {
            Family::V4 => Ipv4Addr::LOCALHOST.into(),
            Family::V6 => Ipv6Addr::LOCALHOST.into(),
        };
        lab.on(Node::Client, || {
            std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "20000 20099")?;
            // Within a host ports in TIME_WAIT would be taken again.
            std::fs::write("/proc/sys/net/ipv4/tcp_tw_reuse", "0")
        })??;
        let listen = |backlog| lab.on(Node::Client, move || Far::listen(on, backlog))?;
        let (far, full, pools) = (listen(128)?, listen(0)?, listen(128)?);
        let mut holder = start(lab, reader)?;
        let any = SocketAddr::new(on, 0);
        let mut listener = |backlog: u32| -> io::Result<SocketAddr> {
            let answer = holder.order(&format!("listen {any} {backlog}"))?;
            answer.parse().map_err(io::Error::other)
        };
        let queues = Queues {
            full: listener(0)?,
            near: listener(4)?,
            half_open: listener(64)?,
        };
        let mut situation = Self {
            lab,
            reader,
            holder,
            far,
            full,
            pools,
            callers: Callers::default(),
            lossy: String::new(),
            queues,
        };
        situation.fill_queues()?;
        situation.wear_ports_out()?;
        situation.connect()?;
        Ok(situation)
    }

    fn fill_queues(&mut self) -> io::Result<()> {
        let Queues {
            full,
            near,
            half_open,
        } = self.queues;
        let address = self.full.address;
        let mut callers = Callers::default();
        self.callers = self.lab.on(Node::Client, move || -> io::Result<Callers> {
            callers.connect(address)?;
            callers.connect(full)?;
            (0..4).try_for_each(|_| callers.connect(near))?;
            (0..UNANSWERED).try_for_each(|_| callers.connect_deaf(half_open))?;
            Ok(callers)
        })??;
        for _ in 0..2 {
            self.holder.order(&format!("begin-to-connect {address}"))?;
        }
        Ok(())
    }

    fn wear_ports_out(&mut self) -> io::Result<()> {
        for _ in 0..WAITING {
            let near = self.holder.order(&format!("connect {}", self.pools.address))?;
            let far = self.pools.accept()?;
            self.holder.order(&format!("close {near}"))?;
            // Its FIN has come: whoever closes now closes last.
            far.set_read_timeout(Some(DEADLINE))?;
            io::Read::read(&mut &far, &mut [0])?;
            drop(far);
        }
        Ok(())
    }

    /// A connection of the holder, with its far end.
    fn pair(&mut self) -> io::Result<(String, socket2::Socket)> {
        let near = self.holder.order(&format!("connect {}", self.far.address))?;
        Ok((near, self.far.accept()?))
    }

    fn connect(&mut self) -> io::Result<()> {
        for _ in 0..LEAKED {
            drop(self.pair()?.1);
        }
        let (near, far) = self.pair()?;
        self.holder.order(&format!("fill {near}"))?;
        self.far.hold(far);

        let (_, far) = self.pair()?;
        far.send(&[0; 100])?;
        self.far.hold(far);

        let (near, far) = self.pair()?;
        deafen(&far)?;
        self.holder.order(&format!("send {near} 10"))?;
        self.far.hold(far);

        let (near, far) = self.pair()?;
        make_hard_of_hearing(&far)?;
        self.lossy = near;
        self.far.hold(far);

        let (near, far) = self.pair()?;
        self.holder.order(&format!("shutdown {near}"))?;
        self.far.hold(far);

        let (near, far) = self.pair()?;
        far.shutdown(std::net::Shutdown::Write)?;
        deafen(&far)?;
        self.holder.order(&format!("close {near}"))?;
        self.far.hold(far);

        for _ in 0..ORPHANS {
            let (near, far) = self.pair()?;
            deafen(&far)?;
            self.holder.order(&format!("close {near}"))?;
            self.far.hold(far);
        }
        Ok(())
    }

    fn look(&self, arguments: &[&str]) -> io::Result<Finished> {
        let all = [
            "sockets",
            "--stuck-after",
            "300ms",
            "--silent-after",
            "300ms",
            "-o",
            "json",
        ];
        match self.reader {
            Reader::Plain => {
                let mut command = self.lab.command(TCPPROBE, Powers::None, None)?;
                run(command.args(all).args(arguments), DEADLINE)
            }
            Reader::Root => {
                let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
                self.lab.on(Node::Client, move || {
                    run(Command::new(TCPPROBE).args(all).args(arguments), DEADLINE)
                })?
            }
        }
    }

    fn document(&self, arguments: &[&str]) -> Result<Value, Failed> {
        let finished = self.look(arguments)?;
        wanted(finished.stderr.is_empty(), || finished.stderr.clone())?;
        Ok(serde_json::from_str(&finished.stdout)?)
    }

    /// Looks until every label is there, and its numbers are what was made. The last to come are those that take a third
    /// retransmission: the orphans, the one in FIN_WAIT2, and the far end of the one in LAST_ACK. The one that loses
    /// packets may look stalled for a moment, and the kernel's list of sockets is no snapshot: one that moves within its
    /// table while it is read may be left out.
    pub(crate) fn until_all_is_seen(&mut self) -> Result<Value, Failed> {
        until_it_holds(|| {
            self.holder.order(&format!("send {} 20", self.lossy))?;
            let document = self.document(&[])?;
            let is_missing = |label: &&Label| verdict(&document, **label).is_none();
            let missing: Vec<_> = Label::ALL.iter().filter(is_missing).collect();
            let sockets = |label| verdict(&document, label).and_then(|one| one["sockets"].as_u64());
            let is_whole = missing.is_empty()
                && sockets(Label::SendStalled) == Some(1)
                && sockets(Label::FinWaitStuck) == Some(ORPHANS + 2);
            wanted(is_whole, || format!("not seen: {missing:?}\n{document:#}"))?;
            self.hold_verdicts_against_the_truth(&document)?;
            self.hold_numbers_against_the_truth(&document)?;
            Ok(document)
        })
    }

    fn hold_verdicts_against_the_truth(&self, document: &Value) -> Result<(), Failed> {
        let ours = |one: &Value| one["process"]["pid"] == self.holder.pid();
        let at = |address: SocketAddr| move |one: &Value| one["listener"] == address.to_string();
        let to = |address: SocketAddr| move |one: &Value| one["peer"]["to"] == address.to_string();
        let far = self.far.address;
        expect(document, Label::CloseWaitLeak, &ours, LEAKED)?;
        expect(document, Label::SynSentStuck, &to(self.full.address), 2)?;
        expect(document, Label::SendStalled, &to(far), 1)?;
        expect(document, Label::ZeroWindow, &to(far), 1)?;
        expect(document, Label::ReceiveUnread, &ours, 1)?;
        expect(document, Label::AcceptQueueFull, &at(self.queues.full), 1)?;
        expect(document, Label::AcceptQueueNear, &at(self.queues.near), 1)?;
        expect(
            document,
            Label::SynReceivedPiling,
            &at(self.queues.half_open),
            UNANSWERED,
        )?;
        expect(
            document,
            Label::TimeWaitPressure,
            &to(self.pools.address),
            WAITING,
        )?;
        expect(
            document,
            Label::PortsNearlyExhausted,
            &to(self.pools.address),
            WAITING,
        )?;
        // One after shutdown(), and those that no program holds.
        expect(document, Label::FinWaitStuck, &ours, 1)?;
        expect(document, Label::FinWaitStuck, &to(far), ORPHANS)?;
        expect(document, Label::LastAckStuck, &to(far), 1)?;

        let gives_up = |label, wanted_in: std::ops::Range<f64>| {
            let one = found(document, label, |one| one["gives_up_in_s"].is_f64());
            let rest = one.and_then(|one| one["gives_up_in_s"].as_f64());
            wanted(rest.is_some_and(|rest| wanted_in.contains(&rest)), || {
                format!("{label} gives up in {rest:?}")
            })
        };
        gives_up(Label::SynSentStuck, 60.0..130.5)?;
        gives_up(Label::SendStalled, 600.0..1060.0)?;
        gives_up(Label::LastAckStuck, 30.0..225.0)?;

        let unread = found(document, Label::ReceiveUnread, ours);
        let bytes = unread.and_then(|one| one["examples"][0]["receive_queue"].as_u64());
        wanted(bytes == Some(UNREAD), || format!("unread: {bytes:?}"))?;
        let retransmitting = found(document, Label::Retransmitting, to(far));
        let lost = retransmitting.and_then(|one| one["segments_retransmitted"].as_u64());
        wanted(lost.is_some_and(|lost| lost >= 5), || format!("lost: {lost:?}"))?;
        let share = found(document, Label::TimeWaitPressure, to(self.pools.address));
        wanted(share.is_some_and(|one| one["ports"] == PORTS), || {
            format!("{share:?}")
        })
    }

    fn hold_numbers_against_the_truth(&self, document: &Value) -> Result<(), Failed> {
        let states = &document["states"];
        wanted(states["close-wait"].as_u64() >= Some(LEAKED), || {
            states.to_string()
        })?;
        wanted(states["time-wait"].as_u64() >= Some(WAITING), || {
            states.to_string()
        })?;
        wanted(states["listen"] == 6, || states.to_string())?;
        let unseen = document["not_seen"]["sockets_without_process"].as_u64();
        match self.reader {
            Reader::Root => wanted(unseen == Some(0), || format!("unseen: {unseen:?}")),
            // The far ends belong to a process with more power than the reader.
            Reader::Plain => wanted(unseen > Some(0), || format!("unseen: {unseen:?}")),
        }
    }

    pub(crate) fn hold_filters_against_the_truth(&self) -> Result<(), Failed> {
        let (pid, pools) = (
            self.holder.pid().to_string(),
            self.pools.address.port().to_string(),
        );
        let ip = self.pools.address.ip().to_string();
        let half_open = self.queues.half_open.port().to_string();
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm"))?;
        let leaked = ["--state", "close-wait"];
        for (arguments, sockets) in [
            (vec!["--pid", &pid, leaked[0], leaked[1]], LEAKED),
            (
                vec!["--process", name.trim(), "--pid", &pid, leaked[0], leaked[1]],
                LEAKED,
            ),
            (vec!["--dst", &ip, "--dport", &pools], WAITING),
            (vec!["--sport", &half_open, "--state", "SYN_RECEIVED"], UNANSWERED),
            (vec!["--dst", "192.0.2.0/24"], 0),
            (vec!["--dst", "2001:db8:ffff::/48"], 0),
        ] {
            until_it_holds(|| {
                let document = self.document(&arguments)?;
                wanted(document["sockets"] == sockets, || {
                    format!("{arguments:?}: {}", document["sockets"])
                })
            })?;
        }
        Ok(())
    }

    pub(crate) fn hold_a_second_look_against_the_first(&self) -> Result<(), Failed> {
        let finished = self.look(&["--watch", "10ms", "--count", "2", "--state", "close-wait"])?;
        wanted(finished.status.code() == Some(1), || format!("{finished:?}"))?;
        let looks: Vec<Value> = finished
            .stdout
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?;
        wanted(looks.len() == 2, || finished.stdout.clone())?;
        for look in &looks {
            crate::holds_to_the_schema(look)?;
        }
        let leak = |look: &Value| {
            let ours = |one: &Value| one["process"]["pid"] == self.holder.pid();
            found(look, Label::CloseWaitLeak, ours).map(|one| one["grew_by"].clone())
        };
        wanted(
            leak(&looks[0]) == Some(Value::Null) && leak(&looks[1]) == Some(0.into()),
            || finished.stdout.clone(),
        )
    }

    /// A leak that grows between two looks: by how much, and when the process has no descriptors left.
    pub(crate) fn hold_a_growing_leak_against_the_truth(&mut self) -> Result<(), Failed> {
        let arguments = [
            "sockets",
            "--stuck-after",
            "300ms",
            "--watch",
            "300ms",
            "--state",
            "close-wait",
            "-o",
            "json",
        ];
        let started = match self.reader {
            Reader::Plain => {
                let mut command = self.lab.command(TCPPROBE, Powers::None, None)?;
                command.args(arguments).stdout(Stdio::piped()).spawn()?
            }
            Reader::Root => self.lab.on(Node::Client, move || {
                Command::new(TCPPROBE)
                    .args(arguments)
                    .stdout(Stdio::piped())
                    .spawn()
            })??,
        };
        let mut looking = Looking(started);
        let out = looking.0.stdout.take().ok_or("no standard output")?;
        let mut grown = 0;
        for (number, line) in (0..LOOKS).zip(BufReader::new(out).lines()) {
            let look: Value = serde_json::from_str(&line?)?;
            crate::holds_to_the_schema(&look)?;
            let ours = |one: &Value| one["process"]["pid"] == self.holder.pid();
            let leak = found(&look, Label::CloseWaitLeak, ours).ok_or_else(|| look.to_string())?;
            if number == 0 {
                for _ in 0..MORE_LEAKED {
                    drop(self.pair()?.1);
                }
                continue;
            }
            let by = leak["grew_by"].as_u64().ok_or_else(|| leak.to_string())?;
            let runs_out = leak["descriptors_run_out_in_s"].as_f64();
            wanted((by > 0) == runs_out.is_some_and(|seconds| seconds > 0.0), || {
                leak.to_string()
            })?;
            grown += by;
            if grown == MORE_LEAKED {
                return wanted(leak["sockets"] == LEAKED + MORE_LEAKED, || leak.to_string());
            }
        }
        Err(format!("it grew by {grown}").into())
    }

    /// The namespace by its path, from another one: with the right to enter it, and without.
    pub(crate) fn look_from_outside(&self) -> Result<(), Failed> {
        let path = format!("/proc/{}/ns/net", self.holder.pid());
        match self.reader {
            Reader::Root => {
                let mut command = Command::new(TCPPROBE);
                command.args(["sockets", "-o", "json", "--state", "close-wait", "--netns", &path]);
                let finished = run(&mut command, DEADLINE)?;
                let document: Value = serde_json::from_str(&finished.stdout)?;
                let sockets = document["sockets"].as_u64();
                wanted(sockets >= Some(LEAKED), || finished.stdout.clone())
            }
            Reader::Plain => {
                let finished = self.look(&["--netns", &path])?;
                wanted(finished.status.code() == Some(3), || format!("{finished:?}"))?;
                wanted(finished.stderr.contains("CAP_SYS_ADMIN"), || {
                    finished.stderr.clone()
                })
            }
        }
    }
}

/// A program that looks until this is dropped.
struct Looking(Child);

impl Drop for Looking {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What it comes to as soon as it holds; what did not hold last, if it never does.
fn until_it_holds<T>(mut look: impl FnMut() -> Result<T, Failed>) -> Result<T, Failed> {
    let mut last = look();
    for _ in 1..LOOKS {
        if last.is_ok() {
            break;
        }
        thread::sleep(BETWEEN_LOOKS);
        last = look();
    }
    last
}

fn expect(
    document: &Value,
    label: Label,
    is_it: &dyn Fn(&Value) -> bool,
    sockets: u64,
) -> Result<(), Failed> {
    let one = found(document, label, is_it);
    wanted(one.is_some_and(|one| one["sockets"] == sockets), || {
        let all = verdict(document, label).map(|one| one["found"].clone());
        format!("{label}: not {sockets} but {:#}", all.unwrap_or_default())
    })
}

/// The group of a verdict that it is.
fn found(document: &Value, label: Label, is_it: impl Fn(&Value) -> bool) -> Option<&Value> {
    let found = verdict(document, label)?["found"].as_array()?;
    found.iter().find(|one| is_it(one))
}

fn verdict(document: &Value, label: Label) -> Option<&Value> {
    let verdicts = document["verdicts"].as_array()?;
    verdicts.iter().find(|one| one["label"] == label.label())
}

fn start(lab: &Lab, reader: Reader) -> io::Result<Holder> {
    let program = std::env::current_exe()?;
    match reader {
        Reader::Plain => Holder::start(lab.command(program, Powers::None, None)?),
        Reader::Root => lab.on(Node::Client, move || Holder::start(Command::new(program)))?,
    }
}
