//! The schedule, changes and reloads, against networks in which ports fail and come back.

#[path = "engine/idle.rs"]
mod idle;
#[path = "engine/watching.rs"]
mod watching;

use std::fs;
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use nix::sys::signal::Signal;
use serde_json::Value;
use tcpprobe::lab::network::{
    Action, Answer, Arrival, Behaviour, Direction, Dns, DnsAnswer, DnsReply, Files, IcmpAnswer, IcmpMeaning,
    Listener, PacketKind, Rule, Wire,
};
use tcpprobe::lab::{Family, Lab, Network, Node, Place, Powers};
use tcpprobe::net::clock;

use crate::{House, wanted};
use watching::Watching;

/// Where something listens.
const OPEN: u16 = 8080;

pub(crate) fn trials(house: &House) -> Vec<Trial> {
    let mut all = Vec::new();
    for family in Family::BOTH {
        for powers in [Powers::None, Powers::NetRaw] {
            let named = |what: &str| format!("{what}_{family:?}_with_{powers:?}").to_lowercase();
            all.push(house.trial(
                named("a_port_that_fails_and_comes_back_is_told_as_that"),
                move || fails_and_comes_back(family, powers),
            ));
            all.push(house.trial(
                named("an_idle_connection_that_is_forgotten_is_a_state"),
                move || idle::forgotten(family, powers),
            ));
            all.push(house.trial(
                named("a_silent_port_is_not_rejected_because_another_is"),
                move || silent_beside_rejected(family, powers),
            ));
            all.push(
                house.trial(named("one_lost_syn_is_a_verdict_and_no_state"), move || {
                    one_lost_syn(family, powers)
                }),
            );
        }
        let named = |what: &str| format!("{what}_{family:?}").to_lowercase();
        all.push(house.trial(named("a_name_that_moves_is_followed"), move || moves(family)));
        all.push(house.trial(
            named("who_is_told_to_end_ends_although_nobody_answers"),
            move || ends(family),
        ));
    }
    all.push(house.trial("a_reload_is_taken_whole_or_not_at_all", reloads));
    all.push(house.trial(
        "a_check_is_left_out_while_the_one_before_it_is_under_way",
        leaves_out,
    ));
    all.push(house.trial("nobody_has_to_read_what_happens", closed));
    all
}

fn network() -> Network {
    Network {
        listener: vec![listener(OPEN)],
        ..Network::default()
    }
}

fn listener(port: u16) -> Listener {
    Listener {
        node: Node::Server,
        port,
        count: 1,
        family: None,
        place: None,
        backlog: 16,
        behaviour: Behaviour::Accept,
        full: false,
    }
}

/// What the wire does to packets towards a port of the server.
fn rule(packet: PacketKind, port: u16, action: Action) -> Rule {
    Rule {
        towards: Direction::Server,
        packet,
        port: Some(port),
        host: None,
        longer_than: None,
        skip: 0,
        count: None,
        every: None,
        probability: None,
        action,
    }
}

fn target(family: Family, port: u16) -> String {
    match Place::Server.address(family) {
        std::net::IpAddr::V4(v4) => format!("{v4}:{port}"),
        std::net::IpAddr::V6(v6) => format!("[{v6}]:{port}"),
    }
}

/// Long enough for silence to be looked into, and with a patience that no busy machine exhausts.
const PATIENT: [&str; 6] = ["-i", "2s", "-t", "1900ms", "--slow", "1s"];

fn is_state(class: &'static str) -> impl Fn(&Value) -> bool {
    move |line| line["kind"] == "state" && line["to"]["class"] == class
}

fn fails_and_comes_back(family: Family, powers: Powers) -> Result<(), Failed> {
    let lab = Lab::build(&network())?;
    let target = target(family, OPEN);
    let mut watching = Watching::start(&lab, powers, &[&PATIENT[..], &[&target]].concat())?;
    watching.until("open", is_state("open"))?;
    let reset = Action::Answer(Answer::Reset(Arrival::default()));
    lab.rewire(vec![rule(PacketKind::Syn, OPEN, reset)])?;
    watching.until("refused", is_state("refused"))?;
    lab.rewire(vec![rule(PacketKind::Tcp, OPEN, Action::Drop)])?;
    let filtered = watching.until("filtered", is_state("filtered"))?;
    wanted(filtered["from"]["class"] == "refused", || filtered.to_string())?;
    wanted(filtered["confirmed"]["judged"] == "not-as-expected", || {
        filtered.to_string()
    })?;
    lab.rewire(Vec::new())?;
    watching.until("open again", is_state("open"))?;
    let ended = watching.end()?;
    let states: Vec<&Value> = ended
        .lines
        .iter()
        .filter(|line| line["kind"] == "state")
        .collect();
    let classes: Vec<&Value> = states.iter().map(|line| &line["to"]["class"]).collect();
    wanted(classes == ["open", "refused", "filtered", "open"], || {
        format!("{classes:?}")
    })
}

fn one_lost_syn(family: Family, powers: Powers) -> Result<(), Failed> {
    let lab = Lab::build(&network())?;
    let target = target(family, OPEN);
    let mut watching = Watching::start(&lab, powers, &[&PATIENT[..], &[&target]].concat())?;
    watching.until("open", is_state("open"))?;
    lab.rewire(vec![Rule {
        count: Some(1),
        ..rule(PacketKind::Syn, OPEN, Action::Drop)
    }])?;
    let verdict =
        |class: &'static str| move |line: &Value| line["kind"] == "verdict" && line["to"]["class"] == class;
    let slow = watching.until("a slow verdict", verdict("slow"))?;
    wanted(slow["confirmed"]["class"] == "open", || slow.to_string())?;
    watching.until("an open verdict", verdict("open"))?;
    let ended = watching.end()?;
    let states = ended.lines.iter().filter(|line| line["kind"] == "state").count();
    wanted(states == 1, || format!("{states} states: {:#?}", ended.lines))
}

fn silent_beside_rejected(family: Family, powers: Powers) -> Result<(), Failed> {
    let icmp = IcmpAnswer {
        mtu: 0,
        says: IcmpMeaning::AdminProhibited,
        from: Place::R1,
        ttl: 64,
    };
    let reject = Action::Answer(Answer::Icmp(icmp));
    let (rejected, silent) = (OPEN + 1, OPEN + 2);
    let lab = Lab::build(&Network {
        wire: Wire {
            rule: vec![
                rule(PacketKind::Syn, rejected, reject),
                rule(PacketKind::Tcp, silent, Action::Drop),
            ],
            ..Wire::default()
        },
        listener: vec![Listener {
            count: 12,
            ..listener(OPEN)
        }],
        ..Network::default()
    })?;
    // More than a sender of ICMP errors has in its burst.
    let targets: Vec<String> = (OPEN..OPEN + 12).map(|port| target(family, port)).collect();
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    let mut watching = Watching::start(&lab, powers, &[&PATIENT[..], &targets].concat())?;
    let (rejected, silent) = (target(family, rejected), target(family, silent));
    let states =
        |line: &Value| line["kind"] == "state" && (line["target"] == *rejected || line["target"] == *silent);
    for _ in [&rejected, &silent] {
        let line = watching.until("a state", states)?;
        let class = if line["target"] == *silent {
            "filtered"
        } else {
            "rejected"
        };
        wanted(line["to"]["class"] == class, || line.to_string())?;
    }
    // Another look at both, each in the company of the other.
    lab.rewire(Vec::new())?;
    watching.until("open again", |line: &Value| {
        states(line) && line["to"]["class"] == "open"
    })?;
    let ended = watching.end()?;
    let wrong = ended.lines.iter().find(|line| {
        line["record"] == "change" && line["target"] == *silent && line["to"]["class"] == "rejected"
    });
    wanted(wrong.is_none(), || format!("{wrong:?}"))
}

fn moves(family: Family) -> Result<(), Failed> {
    let server = Place::Server.address(Family::V4);
    let lab = Lab::build(&Network {
        listener: vec![listener(OPEN)],
        files: Files {
            resolv_conf: Some(format!("nameserver {server}\n")),
            ..Files::default()
        },
        ..Network::default()
    })?;
    let dns = |place| Dns {
        answer: vec![DnsAnswer {
            name: "api.example".to_owned(),
            record: None,
            reply: DnsReply::Addresses(vec![place]),
            after: Duration::ZERO,
        }],
    };
    let first = lab.serve(Node::Server, Vec::new(), Some(dns(Place::Server)))?;
    let only = match family {
        Family::V4 => "-4",
        Family::V6 => "-6",
    };
    let mut watching = Watching::start(
        &lab,
        Powers::None,
        &[&PATIENT[..], &[only, "api.example.:8080"]].concat(),
    )?;
    watching.until("open", is_state("open"))?;
    drop(first);
    let _second = lab.serve(Node::Server, Vec::new(), Some(dns(Place::Server2)))?;
    let [is, was] = [Place::Server2, Place::Server].map(|place| place.address(family).to_string());
    let has = |field: &'static str, address: String| {
        move |line: &Value| line["record"] == "addresses" && line[field][0] == *address
    };
    watching.until("the address that appeared", has("appeared", is))?;
    watching.until("the address that is gone", has("gone", was))?;
    watching.end()?;
    Ok(())
}

fn ends(family: Family) -> Result<(), Failed> {
    let lab = Lab::build(&Network {
        wire: Wire {
            rule: vec![rule(PacketKind::Tcp, 9, Action::Drop)],
            ..Wire::default()
        },
        ..network()
    })?;
    let (open, silent) = (target(family, OPEN), target(family, 9));
    let watching = Watching::start(&lab, Powers::None, &["-i", "10s", "-t", "9s", &open, &silent])?;
    // Some check is under way whenever this comes.
    let began = clock::now();
    let ended = watching.end()?;
    let took = clock::now() - began;
    wanted(ended.code == Some(0), || {
        format!("{:?} {}", ended.code, ended.errors)
    })?;
    wanted(took < Duration::from_secs(10), || format!("it took {took:?}"))?;
    let last = ended.lines.last().ok_or("it said nothing")?;
    wanted(last["record"] == "ended", || last.to_string())
}

fn reloads() -> Result<(), Failed> {
    let lab = Lab::build(&Network {
        listener: vec![listener(OPEN), listener(8081)],
        ..Network::default()
    })?;
    let folder = tempfile::tempdir()?;
    let (config, events) = (folder.path().join("monitor.yaml"), folder.path().join("events"));
    let [stays, goes, comes] = [OPEN, 8082, 8081].map(|port| target(Family::V4, port));
    let modules = "modules:\n  default: { interval: 500ms, timeout: 450ms, slow: 400ms }\n";
    fs::write(
        &config,
        format!("{modules}targets: [ \"{stays}\", \"{goes}\" ]\n"),
    )?;
    let arguments = [
        "--config",
        &config.display().to_string(),
        "--events",
        &events.display().to_string(),
    ];
    let mut watching = Watching::start(&lab, Powers::None, &arguments)?;
    let first_of = |target: &str| {
        let target = target.to_owned();
        move |line: &Value| line["kind"] == "state" && line["target"] == *target && line["from"].is_null()
    };
    watching.until("the first state", first_of(&stays))?;

    fs::write(
        &config,
        format!("{modules}targets: [ \"{stays}\", \"{comes}\" ]\n"),
    )?;
    fs::rename(&events, folder.path().join("events.1"))?;
    watching.signal(Signal::SIGHUP)?;
    let reloaded = watching.until("a reload", |line| line["record"] == "reloaded")?;
    wanted(reloaded["success"] == true && reloaded["targets"] == 2, || {
        reloaded.to_string()
    })?;
    watching.until("the state of what came", first_of(&comes))?;

    fs::write(&config, "targets: [ nowhere ]\n")?;
    watching.signal(Signal::SIGHUP)?;
    let refused = watching.until("a refusal", |line| line["success"] == false)?;
    let why = refused["error"].as_str().unwrap_or_default().to_owned();
    wanted(why.contains("nowhere") && refused["targets"] == 2, || {
        refused.to_string()
    })?;
    wanted(refused["configuration"] == reloaded["configuration"], || {
        refused.to_string()
    })?;
    // What was in force still is.
    lab.rewire(vec![rule(
        PacketKind::Syn,
        8081,
        Action::Answer(Answer::Reset(Arrival::default())),
    )])?;
    watching.until("the change of what came", is_state("refused"))?;

    let ended = watching.end()?;
    wanted(ended.errors.contains("stays in force"), || ended.errors.clone())?;
    let of_kept = ended.lines.iter().filter(|line| first_of(&stays)(line)).count();
    wanted(of_kept == 1, || format!("{of_kept} first states of what stayed"))?;
    let (before, after) = (
        fs::read_to_string(folder.path().join("events.1"))?,
        fs::read_to_string(&events)?,
    );
    wanted(
        before.contains("\"started\"") && after.contains("\"ended\""),
        || format!("before:\n{before}\nafter:\n{after}"),
    )?;
    let both = before.lines().count() + after.lines().count();
    wanted(both == ended.lines.len(), || {
        format!("{both} lines in files, {} on standard output", ended.lines.len())
    })
}

fn leaves_out() -> Result<(), Failed> {
    let lab = Lab::build(&Network {
        wire: Wire {
            rule: vec![rule(PacketKind::Tcp, OPEN, Action::Drop)],
            ..Wire::default()
        },
        ..network()
    })?;
    let target = target(Family::V4, OPEN);
    // Three looks take longer than the interval.
    let arguments = ["-i", "400ms", "-t", "400ms", "--tries", "3", &target];
    let mut watching = Watching::start(&lab, Powers::None, &arguments)?;
    watching.until("a verdict", |line| line["kind"] == "verdict")?;
    let ended = watching.end()?;
    let last = ended.lines.last().ok_or("it said nothing")?;
    wanted(last["left_out"].as_u64() > Some(0), || last.to_string())?;
    wanted(last["begun"].as_u64() > Some(0), || last.to_string())
}

fn closed() -> Result<(), Failed> {
    let lab = Lab::build(&network())?;
    let folder = tempfile::tempdir()?;
    let events = folder.path().join("events");
    let target = target(Family::V4, OPEN);
    let path = events.display().to_string();
    let mut watching = Watching::start(
        &lab,
        Powers::None,
        &["-i", "200ms", "-t", "150ms", "--events", &path, &target],
    )?;
    watching.stop_reading();
    // The file has what standard output has not.
    let patience = clock::now() + watching::PATIENCE;
    let until = |lines: usize| -> Result<(), Failed> {
        while !fs::read_to_string(&events).is_ok_and(|text| text.lines().count() >= lines) {
            wanted(clock::now() < patience, || {
                format!("there are no {lines} lines in the file")
            })?;
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    };
    // A beginning, a verdict, a state.
    until(3)?;
    let reset = Action::Answer(Answer::Reset(Arrival::default()));
    lab.rewire(vec![rule(PacketKind::Syn, OPEN, reset)])?;
    until(5)?;
    lab.rewire(Vec::new())?;
    until(7)?;
    let ended = watching.end()?;
    wanted(ended.code == Some(0), || {
        format!("{:?} {}", ended.code, ended.errors)
    })?;
    let text = fs::read_to_string(&events)?;
    let last: Value = serde_json::from_str(text.lines().last().ok_or("nothing was written")?)?;
    wanted(last["events_lost"].as_u64() > Some(0), || last.to_string())
}
