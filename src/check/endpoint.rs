//! One endpoint: carries out what the investigation asks for until it is done.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::mpsc;

use super::company::Ledger;
use super::{Company, EndpointOutcome, Options, idle, size};
use crate::diagnose::{Class, diagnose};
use crate::evidence::{Ability, Answer, Dial, Evidence, LocalError, Observation, Question, Saw, Sight};
use crate::net::clock;
use crate::net::dial::{Call, Hold, Source, dial};
use crate::net::finish::{Finish, finisher};
use crate::net::host::{self, Host, Tally};
use crate::net::ping;
use crate::net::raw::{Order, Raw};
use crate::probe::{Ask, Investigation, Step};

/// One endpoint, and how to look at it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    /// The endpoint.
    pub(super) endpoint: SocketAddr,
    /// How long to look at most.
    pub(super) timeout: Duration,
    /// What follows a rejection.
    pub(super) life: Life,
    /// What follows a handshake that is faster than most wires.
    pub(super) fast: Fast,
    /// What this process is able to look at.
    pub(super) sight: &'a Sight,
    /// The number of other endpoints of the same family that are looked at in the same time.
    pub(super) alongside: u32,
}

/// Whether it matters that a host is alive which rejects us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// The rejection is all that there is to know.
    Assumed,
    /// It is asked for at other ports.
    Proven,
}

/// Whether it matters that somebody on this host may have answered for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fast {
    /// A second look tells.
    Questioned,
    /// The connection is all that there is to know.
    Believed,
}

/// Looks at one endpoint until there is a diagnosis, no time is left, or `interrupt` says to conclude.
///
/// `company` is what else is looked at in the same time.
pub(super) async fn check_endpoint(
    look: Look<'_>,
    options: &Options,
    company: &Company,
    interrupt: Finish,
) -> EndpointOutcome {
    let started = clock::now();
    let outcome = look_into(look, options, company, interrupt.clone()).await;
    let connects =
        |outcome: &EndpointOutcome| matches!(outcome.diagnosis.cause.class(), Class::Open | Class::Slow);
    let Some(after) = options.idle.filter(|_| connects(&outcome)) else {
        return outcome;
    };
    let idle = idle::look(look.endpoint, after, options, company, started, interrupt.clone()).await;
    if idle.lost_target && !interrupt.is_requested() {
        let now = look_into(look, options, company, interrupt).await;
        if !connects(&now) {
            return now;
        }
    }
    let mut evidence = outcome.evidence;
    evidence.observations.push(idle.observation);
    EndpointOutcome {
        diagnosis: diagnose(&evidence),
        evidence,
    }
}

/// Finds out whether a connection can be made, and why not.
async fn look_into(
    look: Look<'_>,
    options: &Options,
    company: &Company,
    mut interrupt: Finish,
) -> EndpointOutcome {
    let endpoint = look.endpoint;
    let mut investigation = begin(look, options);
    let mut asked = None;
    let (finisher, finish) = finisher();
    let (connected, mut on_connected) = mpsc::unbounded_channel();
    let mut run = Run {
        endpoint,
        options,
        company,
        controls: Ledger::default(),
        started: clock::now(),
        begun: false,
        finish,
        connected,
        host: None,
        used_raw: false,
        probes: FuturesUnordered::new(),
    };
    while let Step::Go { asks, wake } = investigation.step(run.elapsed()) {
        let mut seen_at_once = false;
        for ask in asks {
            for observation in run.start(&ask) {
                investigation.saw(observation);
                seen_at_once = true;
            }
        }
        // After the first packet, which shall not wait for it.
        asked.get_or_insert_with(|| (clock::now(), options.beside.ask(endpoint)));
        if seen_at_once {
            continue;
        }
        let pause = wake.saturating_sub(run.elapsed());
        tokio::select! {
            Some(observation) = run.probes.next() => {
                run.note(&observation);
                investigation.saw(observation);
            }
            Some(made) = on_connected.recv() => investigation.connected(run.elapsed(), made.from, made.hold),
            () = tokio::time::sleep(pause) => {}
            () = interrupt.requested() => break,
        }
    }
    finisher.finish();
    while let Some(observation) = run.probes.next().await {
        run.note(&observation);
        investigation.saw(observation);
    }
    if let Some((at, asked)) = asked
        && let Some(look) = options.beside.told(asked, run.started).await
    {
        investigation.saw(observation(run.started, at, Saw::OwnSockets(look)));
    }
    let tally = tally(investigation.evidence(), look.alongside);
    for observation in run.conclude(tally) {
        investigation.saw(observation);
    }
    if let Some(error) = company.rejection_of_others(endpoint) {
        let saw = Saw::OtherRejection(error);
        investigation.saw(observation(run.started, clock::now(), saw));
    }
    if let Some(controls) = company.controls_of_others(endpoint.ip(), &mut run.controls, clock::now()) {
        investigation.saw(observation(
            run.started,
            clock::now(),
            Saw::OtherControls(controls),
        ));
    }
    let mut evidence = investigation.into_evidence();
    if run.used_raw {
        options.raw.note_use(&mut evidence.sight);
    }
    let mut diagnosis = diagnose(&evidence);
    if options.pmtu && matches!(diagnosis.cause.class(), Class::Open | Class::Slow) {
        let mut closed = endpoint;
        closed.set_port(control_ports(endpoint)[0]);
        size::look(&mut evidence, options, company, run.started, closed, interrupt).await;
        diagnosis = diagnose(&evidence);
    }
    EndpointOutcome { evidence, diagnosis }
}

/// An investigation that looks as it is told to.
fn begin(look: Look<'_>, options: &Options) -> Investigation {
    let endpoint = look.endpoint;
    let mut investigation = Investigation::new(
        Evidence {
            endpoint,
            started_unix_s: clock::unix_now(),
            slow_s: options.slow,
            timeout_s: look.timeout,
            sight: look.sight.clone(),
            observations: Vec::new(),
        },
        control_ports(endpoint),
    )
    .holding(match options.hold {
        Hold::Exactly(hold) => hold,
        Hold::RoundTrips => Duration::ZERO,
    });
    if options.locate {
        investigation = investigation.locating();
    }
    if look.life == Life::Proven {
        investigation = investigation.proving_life();
    }
    if look.fast == Fast::Believed {
        investigation = investigation.believing_fast();
    }
    investigation
}

/// A connection whose handshake is done.
struct Made {
    /// Our side of it.
    from: Option<SocketAddr>,
    /// How long it will be kept open.
    hold: Duration,
}

type Probe<'a> = Pin<Box<dyn Future<Output = Observation> + 'a>>;

struct Run<'a> {
    endpoint: SocketAddr,
    options: &'a Options,
    company: &'a Company,
    /// Our own controls.
    controls: Ledger,
    started: Instant,
    /// Whether the first probe has started, which waited for its turn.
    begun: bool,
    finish: Finish,
    connected: mpsc::UnboundedSender<Made>,
    host: Option<Host>,
    /// Whether raw sockets were asked for, on this endpoint's behalf.
    used_raw: bool,
    probes: FuturesUnordered<Probe<'a>>,
}

impl Run<'_> {
    fn elapsed(&self) -> Duration {
        clock::now().saturating_duration_since(self.started)
    }

    /// Lets the other endpoints of the host know what the path loses.
    fn note(&mut self, observation: &Observation) {
        let now = clock::now();
        self.controls.ended(observation, self.endpoint, now);
        if let Saw::Connect(dial) | Saw::Control(dial) | Saw::Hop(dial) | Saw::TtlOne(dial) = &observation.saw
            && let Some(from) = dial.from
        {
            self.options.beside.ended(from, dial.to);
        }
        self.company.note(self.endpoint.ip(), |all| {
            all.ended(observation, self.endpoint, now);
        });
    }

    /// Starts a probe; what needs no packet is seen at once.
    fn start(&mut self, ask: &Ask) -> Vec<Observation> {
        let now = clock::now();
        if self.begun {
            self.company.pace().spend(ask.cost(), now);
        }
        self.begun = true;
        self.controls.starts(ask, self.endpoint, now);
        self.company
            .note(self.endpoint.ip(), |all| all.starts(ask, self.endpoint, now));
        match *ask {
            Ask::Connect => self.dial(self.call(self.endpoint), Saw::Connect),
            Ask::ConnectAndHold(hold) => self.dial(
                Call {
                    hold: Hold::Exactly(hold),
                    ..self.call(self.endpoint)
                },
                Saw::Connect,
            ),
            Ask::Control(to) => {
                self.dial(
                    Call {
                        hold: Hold::Exactly(Duration::ZERO),
                        ..self.call(to)
                    },
                    Saw::Control,
                );
            }
            Ask::Hop {
                to,
                ttl,
                source_port,
                patience,
            } => {
                let mut call = self.limited(to, ttl, patience);
                // Bound at the first hop, so that the sweep keeps its four-tuple.
                call.source.port = Some(source_port.unwrap_or(0));
                self.dial(call, Saw::Hop);
            }
            Ask::TtlOne { patience } => self.dial(self.limited(self.endpoint, 1, patience), Saw::TtlOne),
            Ask::Raw {
                question,
                to,
                on,
                patience,
            } => self.shoot(question, to, on, patience),
            Ask::Echo { patience } => self.ping(patience),
            Ask::Listener => {
                let at = clock::now();
                let saw = Saw::Listener(host::listener(self.endpoint));
                return vec![observation(self.started, at, saw)];
            }
            Ask::Route => {
                let at = clock::now();
                let saw = Saw::Route(host::route(self.endpoint, &self.call(self.endpoint).source));
                return vec![observation(self.started, at, saw)];
            }
            Ask::Host => return self.look_at_host(),
        }
        Vec::new()
    }

    fn call(&self, to: SocketAddr) -> Call {
        let source = Source {
            address: self.options.source,
            port: None,
            interface: self.options.interface.clone(),
        };
        Call {
            to,
            source,
            ttl: None,
            hold: self.options.hold,
            patience: None,
        }
    }

    fn limited(&self, to: SocketAddr, ttl: u8, patience: Duration) -> Call {
        Call {
            ttl: Some(ttl),
            hold: Hold::Exactly(Duration::ZERO),
            patience: Some(patience),
            ..self.call(to)
        }
    }

    fn dial(&self, call: Call, saw: impl FnOnce(Dial) -> Saw + 'static) {
        let (finish, started, connected) = (self.finish.clone(), self.started, self.connected.clone());
        let about_port = call.to == self.endpoint && call.ttl.is_none();
        self.probes.push(Box::pin(async move {
            let at = clock::now();
            let on_connected = |from, hold| {
                if about_port {
                    // The receiver lives as long as the run.
                    let _ = connected.send(Made { from, hold });
                }
            };
            let dial = dial(&call, finish, on_connected).await;
            observation(started, at, saw(dial))
        }));
    }

    fn shoot(&mut self, question: Question, to: SocketAddr, on: Option<SocketAddr>, patience: Duration) {
        let (finish, started) = (self.finish.clone(), self.started);
        let order = Order {
            question,
            to,
            size: None,
            on,
            source: self.call(to).source,
            ttl: None,
            patience,
        };
        self.used_raw = true;
        let raw = &self.options.raw;
        self.probes.push(Box::pin(async move {
            let at = clock::now();
            let shot = raw.shoot(&order, finish).await;
            observation(started, at, Saw::Raw(shot))
        }));
    }

    /// Over a ping socket where any user may have one, else over the raw sockets.
    fn ping(&mut self, patience: Duration) {
        let (finish, started, endpoint) = (self.finish.clone(), self.started, self.endpoint);
        let source = self.call(endpoint).source;
        let raw = match ping::ability(endpoint.is_ipv4()) {
            Ability::Yes => None,
            Ability::No { .. } => self.raw().ok(),
        };
        self.probes.push(Box::pin(async move {
            let at = clock::now();
            let answer = match raw {
                Some(raw) => raw.ping(endpoint, &source, patience, finish).await,
                None => ping::ping(endpoint, &source, patience, finish).await,
            };
            observation(started, at, Saw::Echo(answer))
        }));
    }

    /// The raw sockets.
    fn raw(&mut self) -> Result<Raw, LocalError> {
        self.used_raw = true;
        self.options.raw.raw()
    }

    fn look_at_host(&mut self) -> Vec<Observation> {
        let at = clock::now();
        let saw = if let Some(host) = &self.host {
            host.look_again()
        } else {
            let (host, saw) = Host::look(self.endpoint, &self.call(self.endpoint).source);
            self.host = Some(host);
            saw
        };
        saw.into_iter()
            .map(|saw| observation(self.started, at, saw))
            .collect()
    }

    fn conclude(&self, tally: Tally) -> Vec<Observation> {
        let at = clock::now();
        let Some(host) = &self.host else { return Vec::new() };
        host.conclude(tally)
            .into_iter()
            .map(|saw| observation(self.started, at, saw))
            .collect()
    }
}

fn observation(started: Instant, at: Instant, saw: Saw) -> Observation {
    Observation {
        at_s: at.saturating_duration_since(started),
        took_s: clock::now().saturating_duration_since(at),
        saw,
    }
}

/// Our own packets since our own host was first looked at: all retransmissions come later, and of the unanswered SYNs
/// all but the very first.
fn tally(evidence: &Evidence, alongside: u32) -> Tally {
    let mut tally = Tally {
        alongside,
        ..Tally::default()
    };
    for observation in &evidence.observations {
        let (Saw::Connect(dial) | Saw::Control(dial) | Saw::Hop(dial)) = &observation.saw else {
            continue;
        };
        tally.retransmissions += u64::from(dial.syns.saturating_sub(1));
        if matches!(observation.saw, Saw::Connect(_)) && dial.answer == Answer::Silence {
            tally.unanswered_syns += u64::from(dial.syns);
        }
    }
    tally.unanswered_syns = tally.unanswered_syns.saturating_sub(1);
    tally
}

/// Two ports above the range that Linux gives out, where nothing listens by chance; other ones each time, so that no
/// firewall learns them.
fn control_ports(endpoint: SocketAddr) -> [u16; 2] {
    let seed = clock::unix_now().subsec_nanos();
    [seed, seed / 4096].map(|seed| {
        let port = 61_001 + u16::try_from(seed % 4_000).unwrap_or_default();
        if port == endpoint.port() { port + 1 } else { port }
    })
}
