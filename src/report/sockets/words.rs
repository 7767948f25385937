//! What was found, in sentences.

use std::time::Duration;

use super::Look;
use crate::diagnose::sockets::{
    Found, Group, JudgedSetting, Label, Listener, Meaning, Peer, PeerCount, Reuse, Verdict, runs_out_in,
};
use crate::evidence::sockets::{Owner, Process, Socket, State, Timer};
use crate::report::human::{count, human_duration};

/// One group of a verdict.
pub(super) fn found(verdict: &Verdict, found: &Found, look: &Look<'_>) -> String {
    let process = found.process().and_then(|pid| look.processes.get(&pid));
    let whose = whose(found, process);
    let what = what(verdict.label, found, look);
    let mut says = vec![format!("{whose}: {what}")];
    if let Some(rest) = found.gives_up_in {
        says.push(format!(
            "; the kernel gives up in {} unless something comes",
            human_duration(rest)
        ));
    }
    if let Some(growth) = found.growth {
        let over = human_duration(growth.over);
        says.push(match growth.by {
            0 => format!("; as many as {over} ago"),
            by if by > 0 => format!("; {by} more than {over} ago"),
            by => format!("; {} less than {over} ago", by.unsigned_abs()),
        });
    }
    if verdict.label == Label::CloseWaitLeak
        && let Some(process) = process
    {
        says.push(descriptors(process, found));
    }
    if let Some(example) = found.examples.first().filter(|one| one.state != State::Listen) {
        says.push(format!(" ({})", socket(example)));
    }
    says.concat()
}

/// What the verdict's own label measures.
fn what(label: Label, found: &Found, look: &Look<'_>) -> String {
    let sockets = count(
        usize::try_from(found.sockets).unwrap_or(usize::MAX),
        "socket",
        "sockets",
    );
    let worst = found.examples.first();
    let longest = found.longest.map_or_else(String::new, human_duration);
    let again = worst.map_or(0, |socket| socket.tries);
    let unsent = worst.map_or(0, |socket| socket.send_queue);
    let times = |number: u8| match number {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        number => format!("{number} times"),
    };
    match label {
        Label::AcceptQueueFull | Label::AcceptQueueNear => worst.map_or_else(String::new, queue),
        Label::PortsNearlyExhausted => share(found),
        Label::TimeWaitPressure => {
            let rate = found.share.map_or(0.0, |share| f64::from(share.used) / 60.0);
            format!(
                "{} in TIME_WAIT: {rate:.1} connections a second over the last minute",
                share(found)
            )
        }
        Label::SynSentStuck => format!("{sockets}, the SYN sent again {}", times(again)),
        Label::SynReceivedPiling => format!("{sockets} in SYN_RECV, the SYN-ACK sent again {}", times(again)),
        Label::SendStalled => {
            format!(
                "{sockets}, {unsent} bytes not acknowledged, sent again {} in a row",
                times(again)
            )
        }
        Label::ZeroWindow => {
            let window = worst.and_then(|socket| socket.info?.peer_window);
            let window = window.map_or_else(String::new, |window| {
                format!(", the peer's window is {window} bytes")
            });
            let probes = match again {
                0 => "it answers our probes".to_owned(),
                number => format!("{} unanswered", count(number.into(), "probe", "probes")),
            };
            let next = worst.and_then(|socket| socket.timer);
            let next = next.map_or_else(String::new, |(_, next)| {
                format!("; {probes}, the next is in {}", human_duration(next))
            });
            format!("{sockets}, {unsent} bytes wait for {longest}{window}{next}")
        }
        Label::ReceiveUnread => {
            let unread = worst.map_or(0, |socket| socket.receive_queue);
            format!("{sockets}, {unread} bytes not read for at least {longest}")
        }
        Label::CloseWaitLeak => format!("{sockets} in CLOSE_WAIT, the oldest for at least {longest}"),
        Label::Retransmitting => found.loss.map_or_else(String::new, |loss| {
            format!(
                "{} of {} segments with data sent again over {sockets}, since they were made",
                loss.retransmitted, loss.sent
            )
        }),
        Label::FinWaitStuck => match found.longest {
            Some(_) => format!("{sockets} in FIN_WAIT2, held by a program, silent for {longest}"),
            None => format!("{sockets}, the FIN or data before it sent again {}", times(again)),
        },
        Label::LastAckStuck => format!("{sockets} in LAST_ACK, the FIN sent again {}", times(again)),
        Label::Orphans => format!(
            "{sockets} that no program holds, the worst sent again {}",
            times(again)
        ),
        Label::PeerSilent => {
            let noticed = look.tally.settings().retries2.and_then(|_| dead_write(look));
            let noticed = noticed.map_or_else(String::new, |time| {
                format!(
                    "; if it is dead, that is noticed {} after our next write",
                    human_duration(time)
                )
            });
            format!("{sockets} without keepalive, nothing came for {longest}{noticed}")
        }
    }
}

fn dead_write(look: &Look<'_>) -> Option<Duration> {
    look.settings.iter().find_map(|one| match one.meaning {
        Meaning::DeadPeer(time) => Some(time),
        Meaning::Keepalive { .. }
        | Meaning::Connect(_)
        | Meaning::HalfOpen(_)
        | Meaning::Ports { .. }
        | Meaning::TimeWaitReuse(_)
        | Meaning::TimeWait { .. }
        | Meaning::FinWait2(_)
        | Meaning::Orphan(_)
        | Meaning::Backlog { .. }
        | Meaning::Abort(_)
        | Meaning::Cookies(_)
        | Meaning::Timestamps(_)
        | Meaning::Conntrack { .. } => None,
    })
}

fn queue(listener: &Socket) -> String {
    let drops = listener.drops.map_or_else(String::new, |drops| {
        format!(", {drops} packets dropped since it was made")
    });
    format!(
        "{} wait for accept(), the limit is {}{drops}",
        listener.receive_queue, listener.send_queue
    )
}

fn share(found: &Found) -> String {
    found.share.map_or_else(String::new, |share| {
        format!("{} of {} ports", share.used, share.of)
    })
}

fn descriptors(process: &Process, found: &Found) -> String {
    let Some(limit) = process.descriptor_limit else {
        return String::new();
    };
    let open = process.descriptors;
    let out = found
        .growth
        .and_then(|growth| runs_out_in(process, growth))
        .map_or_else(String::new, |time| {
            format!(": at this rate none is left in {}", human_duration(time))
        });
    format!("; {open} of {limit} descriptors are open{out}")
}

fn whose(found: &Found, process: Option<&Process>) -> String {
    let by = process.map(named);
    match (found.group, by) {
        (Group::Process(pid), by) => by.unwrap_or_else(|| format!("pid {pid}")),
        (Group::Unseen { uid }, _) => format!("processes of user {uid}, which we may not look into"),
        (Group::Listener(local), by) => with(local.to_string(), by),
        (Group::Peer(peer), by) => with(self::peer(peer), by),
        (Group::Whole, _) => "all peers".to_owned(),
    }
}

fn with(what: String, by: Option<String>) -> String {
    match by {
        Some(by) => format!("{what}, {by}"),
        None => what,
    }
}

/// `nginx (pid 12)`
pub(super) fn named(process: &Process) -> String {
    if process.name.is_empty() {
        format!("pid {}", process.pid)
    } else {
        format!("{} (pid {})", process.name, process.pid)
    }
}

pub(super) fn peer(peer: Peer) -> String {
    match peer {
        Peer::To { from, to } => format!("{from} to {to}"),
        Peer::From { ip, port } => format!("from {ip} to our port {port}"),
    }
}

/// `10.0.0.1:40000 to 10.0.0.2:5432`
pub(super) fn socket(socket: &Socket) -> String {
    format!("{} to {}", socket.local, socket.remote)
}

/// The label of a timer in JSON.
pub(super) const fn timer(timer: Timer) -> &'static str {
    match timer {
        Timer::Retransmit => "retransmit",
        Timer::Keepalive => "keepalive",
        Timer::TimeWait => "time-wait",
        Timer::Persist => "persist",
        Timer::DelayedAck => "delayed-ack",
    }
}

/// Who holds a listener.
pub(super) fn holder(listener: &Listener, look: &Look<'_>) -> String {
    match listener.owner {
        Owner::Process(pid) => look
            .processes
            .get(&pid)
            .map_or_else(|| format!("pid {pid}"), named),
        Owner::Unseen => format!("a process of user {}", listener.uid),
        Owner::Nobody => "the kernel".to_owned(),
    }
}

/// `3 established, 12 time-wait`
pub(super) fn states(counts: &PeerCount) -> String {
    let parts = State::ALL.iter().filter_map(|state| {
        let number = counts.of(*state);
        (number > 0).then(|| format!("{number} {}", state.label()))
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// What a setting comes to.
pub(super) fn setting(judged: &JudgedSetting) -> String {
    match judged.meaning {
        Meaning::DeadPeer(time) => {
            let time = human_duration(Duration::from_secs(time.as_secs()));
            format!("a write to a peer that is gone hangs for {time}")
        }
        Meaning::Keepalive { total, first } => format!(
            "where keepalive is on, a dead peer is noticed after {}, the first {} of them in silence",
            human_duration(total),
            human_duration(first)
        ),
        Meaning::Connect(time) => format!("connect() to silence hangs for {}", human_duration(time)),
        Meaning::HalfOpen(time) => {
            format!(
                "a handshake that nobody completes is kept for {}",
                human_duration(time)
            )
        }
        Meaning::Ports { ports, per_second } => format!(
            "{ports} connections to one address and port, or {per_second:.0} new ones a second that we close first"
        ),
        Meaning::TimeWaitReuse(Reuse::Never) => "a port waits out its minute in TIME_WAIT".to_owned(),
        Meaning::TimeWaitReuse(Reuse::Loopback) => {
            "a port waits out its minute in TIME_WAIT, but for connections within this host".to_owned()
        }
        Meaning::TimeWaitReuse(Reuse::Always) => {
            "a port in TIME_WAIT is taken for a new connection after a second".to_owned()
        }
        Meaning::TimeWait { used, of } => format!("{used} sockets are in TIME_WAIT, of {of}"),
        Meaning::FinWait2(time) => {
            format!("FIN_WAIT2 without a program lasts {}", human_duration(time))
        }
        Meaning::Orphan(time) => {
            format!("what a program left unsent is tried for {}", human_duration(time))
        }
        Meaning::Backlog { limit, at_limit } => format!(
            "no accept queue is longer than {limit}; {} at it",
            count(at_limit, "listener is", "listeners are")
        ),
        Meaning::Abort(true) => "a full accept queue resets connections".to_owned(),
        Meaning::Abort(false) => "a full accept queue ignores connections, which then try again".to_owned(),
        Meaning::Cookies(0) => "a full SYN queue drops SYNs: no SYN cookies".to_owned(),
        Meaning::Cookies(1) => "SYN cookies when the SYN queue is full".to_owned(),
        Meaning::Cookies(_) => "SYN cookies always, which is for tests".to_owned(),
        Meaning::Timestamps(true) => "timestamps and PAWS are on".to_owned(),
        Meaning::Timestamps(false) => "no timestamps: no PAWS, and no TIME_WAIT is used again".to_owned(),
        Meaning::Conntrack { used, of } => format!("{used} connections are tracked, of {of}"),
    }
}

/// `net.ipv4.tcp_retries2=15`
pub(super) fn values(judged: &JudgedSetting) -> String {
    let values = judged.values.iter().map(|(name, value)| {
        let short = name.rsplit('.').next().unwrap_or(name);
        format!("{short}={value}")
    });
    values.collect::<Vec<_>>().join(" ")
}

/// What a counter counts.
pub(super) fn counter(name: &str) -> &'static str {
    match name {
        "OutSegs" => "segments sent",
        "RetransSegs" => "segments sent again",
        "AttemptFails" => "connections that could not be made",
        "EstabResets" => "connections that ended by a RST",
        "ListenOverflows" => "connections dropped for a full accept queue",
        "ListenDrops" => "connections dropped by a listener for any reason",
        "TCPReqQFullDoCookies" => "SYNs answered with a cookie, as the SYN queue was full",
        "TCPReqQFullDrop" => "SYNs dropped, as the SYN queue was full",
        "TCPTimeWaitOverflow" => "connections that skipped TIME_WAIT, as there were too many",
        "TCPTimeouts" => "retransmission timeouts",
        "TCPAbortOnTimeout" => "connections given up after all retries",
        "TCPAbortOnMemory" => "connections reset for lack of memory or too many orphans",
        "TCPAbortOnData" => "connections that a program closed with data unread or unsent",
        "TCPRetransFail" => "retransmissions that did not leave this host",
        "TCPKeepAlive" => "keepalive probes sent",
        "PAWSEstab" => "segments dropped for an old timestamp",
        _ => "",
    }
}
