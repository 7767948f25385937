//! Failures injected at random for half an hour: what is confirmed is held against what was done, and what the program holds at the
//! end against what it held in the beginning.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tcpprobe::lab::network::{
    Action, Answer, Arrival, Behaviour, Direction, Files, IcmpAnswer, IcmpMeaning, Listener, PacketKind,
    Rule, ServerAction,
};
use tcpprobe::lab::{Family, Lab, Network, Node, Place, Powers, Serving};
use tcpprobe::net::clock;

use super::TCPPROBE;
use super::monitor::{Cost, get};

/// Ports whose packets the wire does something to.
const WIRED: std::ops::Range<u16> = 9000..9040;
/// Ports whose accept queue is filled.
const QUEUED: std::ops::Range<u16> = 9200..9205;
/// What stands for all ports.
const PATH: u16 = u16::MAX;
/// Ports that are closed.
const CLOSED: std::ops::Range<u16> = 9300..9305;
const INTERVAL: Duration = Duration::from_secs(4);
const TIMEOUT: Duration = Duration::from_secs(3);
const CONFIRM: u32 = 2;
/// Two checks, the last of them in full, and a while for a machine that has other things to do.
const UNTIL_CONFIRMED: Duration = Duration::from_secs(14);
/// Until the first checks are made and memory has settled.
const WARM_UP: Duration = Duration::from_secs(30);
/// How often something begins or ends, listeners are emptied, and so on.
const TICK: Duration = Duration::from_millis(500);
/// How likely something is injured.
const INJURIES_A_TICK: f64 = 0.15;
const RELOAD_EVERY: Duration = Duration::from_secs(23);

/// What is done to a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Injury {
    None,
    /// Every packet to it is dropped.
    Drop,
    /// Every SYN to it is rejected by ICMP.
    Reject,
    /// Every SYN to it is answered with a RST.
    Reset,
    /// One packet of thirty is lost, in either direction, of all ports.
    Loss,
    /// Its accept queue is full.
    Queue,
    /// Nobody listens.
    Closed,
}

/// Since when, since the Unix epoch.
type History = Vec<(Duration, Injury)>;

/// A confirmed state that the program told.
#[derive(Debug, Clone)]
struct Told {
    at: Duration,
    port: u16,
    target: String,
    class: String,
    line: String,
}

#[derive(Debug, Default)]
struct Asked {
    answers: AtomicU64,
    wrong: Mutex<BTreeMap<String, u64>>,
    is_over: AtomicBool,
}

/// Prints the table.
pub(super) fn measure(minutes: u64) -> io::Result<()> {
    let seed = clock::unix_now().as_secs();
    println!("A soak of {minutes} minutes, seed {seed}:\n");
    let mut lab = Soak::begin(seed)?;
    let told = lab.run(Duration::from_secs(60 * minutes))?;
    lab.judge(&told);
    Ok(())
}

struct Soak {
    lab: Lab,
    child: Child,
    config: std::path::PathBuf,
    _directory: tempfile::TempDir,
    dice: fastrand::Rng,
    histories: BTreeMap<u16, History>,
    /// Until when a port is injured.
    until: BTreeMap<u16, Duration>,
    serving: BTreeMap<u16, Serving>,
    told: Arc<Mutex<Vec<Told>>>,
    ended: Arc<Mutex<Value>>,
    asked: Arc<Asked>,
    costs: Vec<(&'static str, Cost)>,
    reloads: [u64; 2],
}

impl Soak {
    fn begin(seed: u64) -> io::Result<Self> {
        let network = Network {
            listener: vec![
                listener(WIRED.start, WIRED.len(), Behaviour::Accept),
                listener(QUEUED.start, QUEUED.len(), Behaviour::NeverAccept),
            ],
            files: Files {
                hosts: Some(hosts()),
                ..Files::default()
            },
            ..Network::default()
        };
        let lab = Lab::build(&network).map_err(io::Error::other)?;
        let directory = tempfile::tempdir()?;
        // Whoever the program runs as has to be able to read it.
        fs::set_permissions(
            directory.path(),
            std::os::unix::fs::PermissionsExt::from_mode(0o755),
        )?;
        let config = directory.path().join("monitor.yaml");
        fs::write(&config, configuration(0))?;
        let mut command = lab.command(TCPPROBE, Powers::NetRaw, None)?;
        command.arg("monitor").arg("--config").arg(&config);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(fs::File::create(directory.path().join("errors"))?)
            .spawn()?;
        let told = Arc::new(Mutex::new(Vec::new()));
        let ended = Arc::new(Mutex::new(Value::Null));
        let out = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let (told_to, ended_to) = (Arc::clone(&told), Arc::clone(&ended));
        thread::spawn(move || read(out, &told_to, &ended_to));
        let now = clock::unix_now();
        let all = WIRED.chain(QUEUED).chain(CLOSED).chain([PATH]);
        let mut soak = Self {
            lab,
            child,
            config,
            _directory: directory,
            dice: fastrand::Rng::with_seed(seed),
            histories: all.map(|port| (port, vec![(now, Injury::None)])).collect(),
            until: BTreeMap::new(),
            serving: BTreeMap::new(),
            told,
            ended,
            asked: Arc::default(),
            costs: Vec::new(),
            reloads: [0; 2],
        };
        for port in CLOSED {
            soak.serve(port)?;
        }
        Ok(soak)
    }

    /// Does all that it does for a while, then for so long; at the end all is healed, and has time to be as it was.
    fn run(&mut self, how_long: Duration) -> io::Result<Vec<Told>> {
        let asked = Arc::clone(&self.asked);
        // A thread has the network of the one that began it.
        self.lab
            .on(Node::Client, move || drop(thread::spawn(move || ask(&asked))))?;
        // What is opened once, such as raw sockets, is open by then.
        self.rest(WARM_UP)?;
        self.disturb(WARM_UP)?;
        self.heal_all()?;
        self.costs.push(("before", Cost::of(&self.child)?));
        self.disturb(how_long)?;
        self.costs.push(("at the end", Cost::of(&self.child)?));
        self.asked.is_over.store(true, Ordering::Relaxed);
        self.heal_all()?;
        self.costs.push(("after", Cost::of(&self.child)?));
        let pid = i32::try_from(self.child.id()).map_err(io::Error::other)?;
        kill(Pid::from_raw(pid), Signal::SIGTERM)?;
        self.child.wait()?;
        // What it wrote last may still be on its way to us.
        thread::sleep(TICK);
        Ok(self.told.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Injures and heals ports, and has the configuration read again now and then.
    fn disturb(&mut self, how_long: Duration) -> io::Result<()> {
        let until = clock::now() + how_long;
        let mut reload_at = clock::now() + RELOAD_EVERY;
        while clock::now() < until {
            self.heal()?;
            if self.dice.f64() < INJURIES_A_TICK {
                self.injure()?;
            }
            if clock::now() > reload_at {
                reload_at += RELOAD_EVERY;
                self.reload()?;
            }
            self.rest(TICK)?;
        }
        Ok(())
    }

    /// Heals everything, and waits until that has been seen.
    fn heal_all(&mut self) -> io::Result<()> {
        self.until.values_mut().for_each(|until| *until = Duration::ZERO);
        self.heal()?;
        self.rest(WARM_UP)
    }

    /// Waits, and accepts meanwhile where nobody else does.
    fn rest(&mut self, how_long: Duration) -> io::Result<()> {
        let until = clock::now() + how_long;
        loop {
            for port in QUEUED.filter(|port| self.injury(*port) == Injury::None) {
                self.lab.order(Node::Server, ServerAction::Drain(port))?;
            }
            if clock::now() >= until {
                return Ok(());
            }
            thread::sleep(TICK);
        }
    }

    fn injury(&self, port: u16) -> Injury {
        self.histories[&port]
            .last()
            .map_or(Injury::None, |(_, injury)| *injury)
    }

    /// One healthy port gets an injury, for long enough that it has to be confirmed, or for so short that it need not be.
    fn injure(&mut self) -> io::Result<()> {
        let ports: Vec<u16> = self.histories.keys().copied().collect();
        // One in eight is of the path, and so of all.
        let port = if self.dice.u8(0..8) == 0 {
            Some(PATH)
        } else {
            self.dice.choice(ports)
        };
        let Some(port) = port.filter(|port| self.injury(*port) == Injury::None) else {
            return Ok(());
        };
        let injury = if port == PATH {
            Injury::Loss
        } else if QUEUED.contains(&port) {
            Injury::Queue
        } else if CLOSED.contains(&port) {
            Injury::Closed
        } else {
            [Injury::Drop, Injury::Reject, Injury::Reset][self.dice.usize(0..3)]
        };
        let seconds = self.dice.u64(2..45);
        self.until
            .insert(port, clock::unix_now() + Duration::from_secs(seconds));
        self.bring_about(port, injury)
    }

    fn heal(&mut self) -> io::Result<()> {
        let now = clock::unix_now();
        let healed: Vec<u16> = self
            .until
            .iter()
            .filter(|(_, until)| **until <= now)
            .map(|(port, _)| *port)
            .collect();
        for port in healed {
            self.until.remove(&port);
            self.bring_about(port, Injury::None)?;
        }
        Ok(())
    }

    fn bring_about(&mut self, port: u16, injury: Injury) -> io::Result<()> {
        let was = self.injury(port);
        // From the moment before it begins to hold.
        self.histories
            .entry(port)
            .or_default()
            .push((clock::unix_now(), injury));
        match (was, injury) {
            (_, Injury::Queue) => self.lab.order(Node::Server, ServerAction::Fill(port)),
            (Injury::Queue, _) => self.lab.order(Node::Server, ServerAction::Drain(port)),
            (_, Injury::Closed) => {
                self.serving.remove(&port);
                Ok(())
            }
            (Injury::Closed, _) => self.serve(port),
            _ => {
                let now = self
                    .histories
                    .iter()
                    .filter_map(|(port, history)| Some((*port, history.last()?.1)));
                self.lab
                    .rewire(now.flat_map(|(port, injury)| rules(port, injury)).collect())
                    .map_err(io::Error::other)
            }
        }
    }

    fn serve(&mut self, port: u16) -> io::Result<()> {
        let serving = self
            .lab
            .serve(Node::Server, vec![listener(port, 1, Behaviour::Accept)], None);
        self.serving.insert(port, serving.map_err(io::Error::other)?);
        Ok(())
    }

    /// Every fourth time the file is wrong. The targets stay; what comes and goes is one that nobody injures.
    fn reload(&mut self) -> io::Result<()> {
        let count = self.reloads.iter().sum::<u64>();
        let is_wrong = count % 4 == 3;
        let text = if is_wrong {
            "targets: [ 10.0.3.2 ]\n".to_owned()
        } else {
            configuration(count % 3)
        };
        fs::write(&self.config, text)?;
        let pid = i32::try_from(self.child.id()).map_err(io::Error::other)?;
        kill(Pid::from_raw(pid), Signal::SIGHUP)?;
        self.reloads[usize::from(is_wrong)] += 1;
        Ok(())
    }

    /// Prints what it came to.
    fn judge(&self, told: &[Told]) {
        println!("| | descriptors | threads | memory, MiB |\n| --- | --- | --- | --- |");
        for (when, cost) in &self.costs {
            println!(
                "| {when} | {} | {} | {:.1} |",
                cost.descriptors, cost.threads, cost.resident_mib
            );
        }
        let peak = self.costs.last().map_or(f64::NAN, |(_, cost)| cost.peak_mib);
        println!("\nPeak memory {peak:.1} MiB.\n");
        let mut kinds: BTreeMap<Injury, [u64; 3]> = BTreeMap::new();
        let mut unseen = Vec::new();
        for (port, history) in &self.histories {
            let ends = history.iter().skip(1).map(|(at, _)| *at).chain([Duration::MAX]);
            for ((began, injury), ended) in history.iter().zip(ends) {
                let counts = kinds.entry(*injury).or_default();
                counts[0] += 1;
                // Loss of the path need not show.
                let must_show = ended.saturating_sub(*began) > UNTIL_CONFIRMED && *port != PATH;
                if !must_show || *began == history[0].0 {
                    continue;
                }
                counts[1] += 1;
                let at = *began + UNTIL_CONFIRMED;
                let late: Vec<String> = targets_of(*port)
                    .into_iter()
                    .filter_map(|target| {
                        let (class, line) = state(told, &target, at)
                            .map_or(("nothing", ""), |told| (&told.class, &told.line));
                        let is_so = injury.allows(class) || self.is_slow_by_loss(class, at);
                        (!is_so).then(|| format!("{target} is {class}: {line}"))
                    })
                    .collect();
                counts[2] += u64::from(late.is_empty());
                unseen.extend(
                    late.into_iter()
                        .map(|late| format!("{injury:?} since {began:?} was not confirmed in time: {late}")),
                );
            }
        }
        println!(
            "| injury | how often | long enough to be confirmed | confirmed in time |\n| --- | --- | --- | --- |"
        );
        for (kind, [all, due, seen]) in &kinds {
            println!("| {kind:?} | {all} | {due} | {seen} |");
        }
        let wrong: Vec<&Told> = told.iter().filter(|told| !self.is_true(told)).collect();
        println!(
            "\n{} changes of a confirmed state, {} of them false.",
            told.len(),
            wrong.len()
        );
        for told in &wrong {
            println!("  {} {}: {}", told.target, told.class, told.line);
        }
        for unseen in &unseen {
            println!("  {unseen}");
        }
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        println!(
            "Reloads: {} good, {} bad. Of itself the program says: {ended}",
            self.reloads[0], self.reloads[1]
        );
        let wrong = self.asked.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        println!(
            "Requests over HTTP: {} answered as they should be, else: {wrong:?}\n",
            self.asked.answers.load(Ordering::Relaxed)
        );
    }

    /// Whether something was so at the time of the checks that confirmed it.
    fn is_true(&self, told: &Told) -> bool {
        if self.is_slow_by_loss(&told.class, told.at) {
            return true;
        }
        let injuries = self.injuries(told.port, told.at);
        injuries.is_empty() || injuries.iter().any(|injury| injury.allows(&told.class))
    }

    fn is_slow_by_loss(&self, class: &str, at: Duration) -> bool {
        class == "slow" && self.injuries(PATH, at).contains(&Injury::Loss)
    }

    /// What a port had at some time of the checks that end at that moment; nothing of a port that nobody injures.
    fn injuries(&self, port: u16, at: Duration) -> Vec<Injury> {
        let from = at.saturating_sub(UNTIL_CONFIRMED);
        let Some(history) = self.histories.get(&port) else {
            return Vec::new();
        };
        let ends = history.iter().skip(1).map(|(at, _)| *at).chain([Duration::MAX]);
        history
            .iter()
            .zip(ends)
            .filter(|((began, _), ended)| *began <= at && *ended >= from)
            .map(|((_, injury), _)| *injury)
            .collect()
    }
}

impl Injury {
    /// Whether a class is what it is.
    fn allows(self, class: &str) -> bool {
        match self {
            Self::None => class == "open",
            Self::Drop => class == "filtered",
            Self::Reject => class == "rejected",
            Self::Reset | Self::Closed => class == "refused",
            Self::Loss => class == "open" || class == "slow",
            Self::Queue => class == "backlog-full",
        }
    }
}

/// The confirmed state of a target at a time.
fn state<'a>(told: &'a [Told], target: &str, at: Duration) -> Option<&'a Told> {
    told.iter().rfind(|told| told.target == target && told.at <= at)
}

fn rules(port: u16, injury: Injury) -> Vec<Rule> {
    let rule = |packet, action| Rule {
        longer_than: None,
        towards: Direction::Server,
        packet,
        port: Some(port),
        host: None,
        skip: 0,
        count: None,
        every: None,
        probability: None,
        action,
    };
    match injury {
        Injury::Drop => vec![rule(PacketKind::Tcp, Action::Drop)],
        Injury::Reject => {
            let icmp = IcmpAnswer {
                mtu: 0,
                says: IcmpMeaning::AdminProhibited,
                from: Place::R1,
                ttl: 64,
            };
            vec![rule(PacketKind::Syn, Action::Answer(Answer::Icmp(icmp)))]
        }
        Injury::Reset => vec![rule(
            PacketKind::Syn,
            Action::Answer(Answer::Reset(Arrival::default())),
        )],
        Injury::Loss => [Direction::Server, Direction::Client]
            .map(|towards| Rule {
                towards,
                port: None,
                probability: Some(1.0 / 30.0),
                ..rule(PacketKind::Tcp, Action::Drop)
            })
            .to_vec(),
        Injury::None | Injury::Queue | Injury::Closed => Vec::new(),
    }
}

fn listener(port: u16, count: usize, behaviour: Behaviour) -> Listener {
    Listener {
        node: Node::Server,
        port,
        count: u16::try_from(count).unwrap_or(u16::MAX),
        family: None,
        place: None,
        backlog: 16,
        behaviour,
        full: false,
    }
}

/// Every port is watched over both families, and every third by a name that has both.
fn targets_of(port: u16) -> Vec<String> {
    let [v4, v6] = [Family::V4, Family::V6].map(|family| Place::Server.address(family));
    let mut targets = vec![format!("{v4}:{port}"), format!("[{v6}]:{port}")];
    if port.is_multiple_of(3) {
        targets.push(format!("server.lab:{port}"));
    }
    targets
}

fn hosts() -> String {
    Family::BOTH.iter().fold(String::new(), |mut hosts, family| {
        let _ = writeln!(hosts, "{} server.lab", Place::Server.address(*family));
        hosts
    })
}

/// One more target comes with some numbers, and goes with others.
fn configuration(number: u64) -> String {
    let (interval, timeout) = (INTERVAL.as_secs(), TIMEOUT.as_secs());
    let mut text = format!(
        "modules:\n  default: {{ interval: {interval}s, timeout: {timeout}s, slow: 800ms, confirm: {CONFIRM} }}\ntargets:\n"
    );
    for target in WIRED.chain(QUEUED).chain(CLOSED).flat_map(targets_of) {
        let _ = writeln!(text, "  - \"{target}\"");
    }
    for more in 0..number {
        let _ = writeln!(text, "  - \"{}:{}\"", Place::R1.address(Family::V4), 9900 + more);
    }
    text
}

/// Takes down the states that are told.
fn read(out: impl Read, told: &Mutex<Vec<Told>>, ended: &Mutex<Value>) {
    for line in BufReader::new(out).lines().map_while(Result::ok) {
        let Ok(value) = serde_json::from_str::<Value>(&line) else {
            continue;
        };
        if value["record"] == "ended" {
            *ended.lock().unwrap_or_else(PoisonError::into_inner) = value;
            continue;
        }
        if value["kind"] != "state" {
            continue;
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let target = text(&value["target"]);
        let at = humantime::parse_rfc3339(&text(&value["at"])).unwrap_or(SystemTime::UNIX_EPOCH);
        told.lock().unwrap_or_else(PoisonError::into_inner).push(Told {
            at: at.duration_since(UNIX_EPOCH).unwrap_or_default(),
            port: target
                .rsplit(':')
                .next()
                .and_then(|port| port.parse().ok())
                .unwrap_or_default(),
            class: text(&value["to"]["class"]),
            target,
            line: shortened(&value),
        });
    }
}

/// What it rests on, without the packets.
fn shortened(value: &Value) -> String {
    let evidence = value["evidence"].as_array().into_iter().flatten();
    let records = evidence.map(|record| {
        format!(
            "{} {}/{} {} not ruled out {} because {}",
            record["address"],
            record["class"],
            record["cause"],
            record["confidence"],
            record["not_ruled_out"],
            record["because"]
        )
    });
    format!(
        "{} from {} {}",
        value["at"],
        value["from"],
        records.collect::<Vec<_>>().join("; ")
    )
}

/// Asks for checks and metrics until it is over.
fn ask(asked: &Asked) {
    let mut dice = fastrand::Rng::with_seed(1);
    let mut turn = 0u64;
    while !asked.is_over.load(Ordering::Relaxed) {
        turn += 1;
        let path = match turn % 20 {
            0 => "/metrics".to_owned(),
            1 => "/".to_owned(),
            2 => "/-/ready".to_owned(),
            _ => {
                let targets = targets_of(dice.u16(WIRED));
                format!("/probe?target={}", targets[0])
            }
        };
        match get(&path) {
            // A host may not be asked more often than so.
            Ok((200 | 429, _)) => {
                asked.answers.fetch_add(1, Ordering::Relaxed);
            }
            Ok((status, said)) => asked.note(format!("{path} {status} {said}")),
            Err(error) => asked.note(error.kind().to_string()),
        }
        thread::sleep(Duration::from_millis(200));
    }
}

impl Asked {
    fn note(&self, what: String) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        *wrong.entry(what).or_default() += 1;
    }
}

impl Drop for Soak {
    fn drop(&mut self) {
        // It has ended, where all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
