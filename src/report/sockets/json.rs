//! The JSON of `tcpprobe sockets`: `docs/schema/tcpprobe-sockets-v1.schema.json` is its schema.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::UNIX_EPOCH;

use serde::Serialize;

use super::{Look, words};
use crate::diagnose::sockets::explain::{explain_label, explain_setting};
use crate::diagnose::sockets::{
    Found, Group, JudgedSetting, Label, Listener, Notice, Peer, PeerCount, Setting, Severity, State, Verdict,
    runs_out_in,
};
use crate::evidence::sockets::{Counter, Owner, Process, Socket, Visibility};

/// The name of the contract.
const SCHEMA: &str = "tcpprobe/sockets/v1";
const PEERS: usize = 100;

/// How a document is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Indented.
    Indented,
    /// On one line.
    Line,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    version: &'a str,
    at_unix_s: f64,
    look: u32,
    since_last_s: Option<f64>,
    filter: &'a [String],
    stuck_after_s: f64,
    silent_after_s: f64,
    sockets: u64,
    verdicts: Vec<VerdictRecord<'a>>,
    states: BTreeMap<&'static str, u64>,
    listeners: Vec<ListenerRecord<'a>>,
    peers: Vec<PeerRecord>,
    peers_in_all: usize,
    settings: Vec<SettingRecord<'a>>,
    counters: &'a [Counter],
    not_seen: NotSeen,
}

#[derive(Serialize)]
struct NotSeen {
    sockets_without_process: u64,
    sockets_without_peer: u64,
    #[serde(flatten)]
    visibility: Visibility,
}

#[derive(Serialize)]
struct VerdictRecord<'a> {
    label: Label,
    severity: Severity,
    in_short: &'static str,
    sockets: u64,
    found: Vec<FoundRecord<'a>>,
    more: usize,
    ungrouped: u64,
    users: &'static str,
    what_to_do: &'static [&'static str],
    what_not_to_do: &'static [&'static str],
}

#[derive(Serialize)]
struct FoundRecord<'a> {
    says: String,
    sockets: u64,
    process: Option<&'a Process>,
    /// Whose processes, where we may not look into them.
    uid: Option<u32>,
    listener: Option<SocketAddr>,
    peer: Option<PeerName>,
    longest_s: Option<f64>,
    gives_up_in_s: Option<f64>,
    grew_by: Option<i64>,
    descriptors_run_out_in_s: Option<f64>,
    ports_used: Option<u32>,
    ports: Option<u32>,
    segments_retransmitted: Option<u64>,
    segments_sent: Option<u64>,
    examples: Vec<SocketRecord>,
}

#[derive(Serialize)]
struct PeerName {
    direction: &'static str,
    from: String,
    to: String,
}

#[derive(Serialize)]
struct SocketRecord {
    state: State,
    local: SocketAddr,
    remote: SocketAddr,
    pid: Option<u32>,
    uid: u32,
    receive_queue: u32,
    send_queue: u32,
    drops: Option<u32>,
    timer: Option<&'static str>,
    timer_expires_s: Option<f64>,
    tries: u8,
    rto_s: Option<f64>,
    heard_ago_s: Option<f64>,
    data_received_ago_s: Option<f64>,
    data_sent_ago_s: Option<f64>,
    retransmitted: Option<u32>,
    peer_window: Option<u32>,
}

#[derive(Serialize)]
struct ListenerRecord<'a> {
    local: SocketAddr,
    queue: u32,
    limit: u32,
    drops: Option<u32>,
    process: Option<&'a Process>,
    uid: u32,
}

#[derive(Serialize)]
struct PeerRecord {
    #[serde(flatten)]
    peer: PeerName,
    sockets: u32,
    states: BTreeMap<&'static str, u32>,
    segments_sent: u64,
    segments_retransmitted: u64,
}

#[derive(Serialize)]
struct SettingRecord<'a> {
    setting: Setting,
    values: BTreeMap<&'a str, &'a str>,
    says: String,
    worth_a_look: bool,
    trade_off: &'static str,
}

/// Writes one document, with a newline at its end.
pub fn write_json(look: &Look<'_>, layout: Layout, out: &mut impl io::Write) -> io::Result<()> {
    let document = document(look);
    match layout {
        Layout::Indented => serde_json::to_writer_pretty(&mut *out, &document)?,
        Layout::Line => serde_json::to_writer(&mut *out, &document)?,
    }
    writeln!(out)
}

fn document<'a>(look: &'a Look<'a>) -> Document<'a> {
    let bounds = look.tally.bounds();
    Document {
        schema: SCHEMA,
        version: look.version,
        at_unix_s: look
            .at
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs_f64(),
        look: look.number,
        since_last_s: look.since_last.map(|since| since.as_secs_f64()),
        filter: look.filter,
        stuck_after_s: bounds.stuck.as_secs_f64(),
        silent_after_s: bounds.silent.as_secs_f64(),
        sockets: look.tally.total(),
        verdicts: look.verdicts.iter().map(|one| verdict(one, look)).collect(),
        states: State::ALL
            .iter()
            .map(|state| (state.label(), look.tally.of(*state)))
            .collect(),
        listeners: look
            .tally
            .listeners
            .iter()
            .map(|one| listener(one, look))
            .collect(),
        peers: look.tally.peers.most(PEERS).iter().map(peer).collect(),
        peers_in_all: look.tally.peers.len(),
        settings: look.settings.iter().map(setting).collect(),
        counters: look.counters,
        not_seen: NotSeen {
            sockets_without_process: look.tally.owners_unseen,
            sockets_without_peer: look.tally.peers.not_counted,
            visibility: look.visibility,
        },
    }
}

fn verdict<'a>(verdict: &'a Verdict, look: &'a Look<'a>) -> VerdictRecord<'a> {
    let text = explain_label(verdict.label);
    VerdictRecord {
        label: verdict.label,
        severity: verdict.label.severity(),
        in_short: text.in_short,
        sockets: verdict.sockets,
        found: verdict
            .found
            .iter()
            .map(|one| found(verdict, one, look))
            .collect(),
        more: verdict.more,
        ungrouped: verdict.ungrouped,
        users: text.users,
        what_to_do: text.what_to_do,
        what_not_to_do: text.what_not_to_do,
    }
}

fn found<'a>(verdict: &Verdict, found: &Found, look: &'a Look<'a>) -> FoundRecord<'a> {
    let process = found.process().and_then(|pid| look.processes.get(&pid));
    let runs_out = process
        .zip(found.growth)
        .and_then(|(process, growth)| runs_out_in(process, growth));
    let (mut uid, mut listener, mut peer) = (None, None, None);
    match found.group {
        Group::Unseen { uid: user } => uid = Some(user),
        Group::Listener(local) => listener = Some(local),
        Group::Peer(one) => peer = Some(peer_name(one)),
        Group::Process(_) | Group::Whole => {}
    }
    FoundRecord {
        says: words::found(verdict, found, look),
        sockets: found.sockets,
        process,
        uid,
        listener,
        peer,
        longest_s: found.longest.map(|longest| longest.as_secs_f64()),
        gives_up_in_s: found.gives_up_in.map(|rest| rest.as_secs_f64()),
        grew_by: found.growth.map(|growth| growth.by),
        descriptors_run_out_in_s: runs_out.map(|time| time.as_secs_f64()),
        ports_used: found.share.map(|share| share.used),
        ports: found.share.map(|share| share.of),
        segments_retransmitted: found.loss.map(|loss| loss.retransmitted),
        segments_sent: found.loss.map(|loss| loss.sent),
        examples: found.examples.iter().map(socket).collect(),
    }
}

fn socket(socket: &Socket) -> SocketRecord {
    let seconds = |of: fn(&crate::evidence::sockets::Info) -> std::time::Duration| {
        socket.info.as_ref().map(|info| of(info).as_secs_f64())
    };
    SocketRecord {
        state: socket.state,
        local: socket.local,
        remote: socket.remote,
        pid: pid(socket.owner),
        uid: socket.uid,
        receive_queue: socket.receive_queue,
        send_queue: socket.send_queue,
        drops: socket.drops,
        timer: socket.timer.map(|(timer, _)| words::timer(timer)),
        timer_expires_s: socket.timer.map(|(_, expires)| expires.as_secs_f64()),
        tries: socket.tries,
        rto_s: seconds(|info| info.rto),
        heard_ago_s: seconds(|info| info.heard_ago),
        data_received_ago_s: seconds(|info| info.data_received_ago),
        data_sent_ago_s: seconds(|info| info.data_sent_ago),
        retransmitted: socket.info.map(|info| info.retransmitted),
        peer_window: socket.info.and_then(|info| info.peer_window),
    }
}

fn listener<'a>(listener: &Listener, look: &'a Look<'a>) -> ListenerRecord<'a> {
    ListenerRecord {
        local: listener.local,
        queue: listener.queue,
        limit: listener.limit,
        drops: listener.drops,
        process: pid(listener.owner).and_then(|pid| look.processes.get(&pid)),
        uid: listener.uid,
    }
}

fn pid(owner: Owner) -> Option<u32> {
    match owner {
        Owner::Process(pid) => Some(pid),
        Owner::Nobody | Owner::Unseen => None,
    }
}

fn peer((peer, counts): &(Peer, PeerCount)) -> PeerRecord {
    let states = State::ALL.iter().map(|state| (state.label(), counts.of(*state)));
    PeerRecord {
        peer: peer_name(*peer),
        sockets: counts.total(),
        states: states.filter(|(_, number)| *number > 0).collect(),
        segments_sent: counts.segments_out,
        segments_retransmitted: counts.retransmitted,
    }
}

fn peer_name(peer: Peer) -> PeerName {
    match peer {
        Peer::To { from, to } => PeerName {
            direction: "to",
            from: from.to_string(),
            to: to.to_string(),
        },
        Peer::From { ip, port } => PeerName {
            direction: "from",
            from: ip.to_string(),
            to: port.to_string(),
        },
    }
}

fn setting(judged: &JudgedSetting) -> SettingRecord<'_> {
    SettingRecord {
        setting: judged.setting,
        values: judged
            .values
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect(),
        says: words::setting(judged),
        worth_a_look: judged.notice == Notice::Worth,
        trade_off: explain_setting(judged.setting).trade_off,
    }
}
