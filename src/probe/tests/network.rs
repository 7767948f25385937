//! A network that does as it is told, and a clock that jumps from one event to the next.
//!
//! The driver does what `check` does, so that what it finds holds there.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::line::{Fate, Said, dialled, ending_known};
use crate::diagnose::{Diagnosis, diagnose};
use crate::evidence::{
    Ability, Dial, Evidence, IcmpSays, Look, Mode, NextHop, Observation, Ping, Question, Reply, ReplySays,
    Route, Saw, SeenAt, Shot, ShotOutcome, Sight, TimedBy,
};
use crate::probe::{Ask, Investigation, Step};

pub(super) const HOST: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10));
pub(super) const ROUTER: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));
const CONTROL_PORTS: [u16; 2] = [61_001, 61_002];
/// An investigation that needs more calls than this does not wait for anything.
const CALLS: usize = 500;

pub(super) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A SYN as the network sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Syn {
    /// How many SYNs of its kind came before.
    pub(super) nth: usize,
    /// The time to live, if it is limited.
    pub(super) ttl: Option<u8>,
}

/// The network: what becomes of what is sent.
pub(super) struct Network {
    pub(super) next_hop: NextHop,
    pub(super) port: Box<dyn FnMut(Syn) -> Fate>,
    pub(super) control: Box<dyn FnMut(Syn) -> Fate>,
    pub(super) echo: Box<dyn FnMut() -> Option<Duration>>,
    /// What comes back to segments of our own; absent where we may not send any.
    pub(super) raw: Option<Box<dyn FnMut(Segment) -> Option<Came>>>,
    /// Whether the user goes to any length to find out where packets are dropped.
    pub(super) locate: bool,
    /// Whether the host has to be shown to be alive.
    pub(super) prove_life: bool,
    /// Whether a handshake that is faster than most wires is believed.
    pub(super) believe_fast: bool,
}

/// A segment of our own as the network sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub(super) question: Question,
    pub(super) to_port: bool,
    /// How many with the same question came before, to the same side.
    pub(super) nth: usize,
}

/// What comes back to a segment of our own, when, and with which TTL.
#[derive(Debug, Clone)]
pub(super) struct Came {
    pub(super) after: Duration,
    pub(super) says: ReplySays,
    pub(super) hop_limit: u8,
}

impl Network {
    /// A host on our own link that answers everywhere but on the port within a millisecond.
    pub(super) fn with(port: impl FnMut(Syn) -> Fate + 'static) -> Self {
        Self {
            next_hop: NextHop::OnLink,
            port: Box::new(port),
            control: Box::new(|_| Fate::After(ms(1), Said::Rst)),
            echo: Box::new(|| Some(ms(1))),
            raw: None,
            locate: false,
            prove_life: false,
            believe_fast: false,
        }
    }

    /// The same for a user who wants to know where packets are dropped, whatever the time.
    pub(super) fn locating(self) -> Self {
        Self { locate: true, ..self }
    }

    /// The same for who has to know whether a host is alive that rejects him.
    pub(super) fn proving_life(self) -> Self {
        Self {
            prove_life: true,
            ..self
        }
    }

    /// The same for who may send segments of his own.
    pub(super) fn seen_raw(self, raw: impl FnMut(Segment) -> Option<Came> + 'static) -> Self {
        Self {
            raw: Some(Box::new(raw)),
            ..self
        }
    }

    /// One from which nothing ever comes.
    pub(super) fn silent() -> Self {
        Self {
            control: Box::new(|_| Fate::Silence),
            echo: Box::new(|| None),
            ..Self::with(|_| Fate::Silence)
        }
    }

    /// The same with the host behind so many routers, each of which says that a SYN's time to live is over.
    pub(super) fn behind(self, routers: u8) -> Self {
        let beyond = |mut fate: Box<dyn FnMut(Syn) -> Fate>| -> Box<dyn FnMut(Syn) -> Fate> {
            Box::new(move |syn| match syn.ttl {
                Some(ttl) if ttl <= routers => Fate::After(ms(1), Said::Icmp(IcmpSays::TtlExceeded)),
                _ => fate(syn),
            })
        };
        Self {
            next_hop: NextHop::Gateway(ROUTER),
            port: beyond(self.port),
            control: beyond(self.control),
            echo: self.echo,
            raw: self.raw,
            locate: self.locate,
            prove_life: self.prove_life,
            believe_fast: self.believe_fast,
        }
    }

    /// Investigates port 443 of the host for at most that long.
    pub(super) fn investigate(mut self, timeout: Duration) -> Outcome {
        let mut run = Run::new(timeout, self.raw.is_some());
        if self.locate {
            run.investigation = run.investigation.locating();
            run.timeout += Duration::from_secs(62);
        }
        if self.prove_life {
            run.investigation = run.investigation.proving_life();
        }
        if self.believe_fast {
            run.investigation = run.investigation.believing_fast();
        }
        while run.step(&mut self) {}
        run.conclude()
    }

    /// The same, interrupted by the user.
    pub(super) fn investigate_until(mut self, interrupt: Duration) -> Outcome {
        let mut run = Run::new(ms(3_000), self.raw.is_some());
        run.interrupt = Some(interrupt);
        while run.step(&mut self) {}
        run.conclude()
    }
}

/// What an investigation asked and found.
pub(super) struct Outcome {
    pub(super) asked: Vec<(Duration, Ask)>,
    pub(super) took: Duration,
    pub(super) evidence: Evidence,
    pub(super) diagnosis: Diagnosis,
}

impl Outcome {
    pub(super) fn count(&self, wanted: impl Fn(&Ask) -> bool) -> usize {
        self.asked.iter().filter(|(_, ask)| wanted(ask)).count()
    }

    pub(super) fn connects_at(&self) -> Vec<Duration> {
        let connects = self
            .asked
            .iter()
            .filter(|(_, ask)| matches!(ask, Ask::Connect | Ask::ConnectAndHold(_)));
        connects.map(|(at, _)| *at).collect()
    }

    pub(super) fn hops_to_port(&self) -> Vec<(u8, Option<u16>)> {
        let hops = self.asked.iter().filter_map(|(_, ask)| match ask {
            Ask::Hop {
                to, ttl, source_port, ..
            } if to.port() == 443 => Some((*ttl, *source_port)),
            Ask::Hop { .. }
            | Ask::Connect
            | Ask::ConnectAndHold(_)
            | Ask::Control(_)
            | Ask::TtlOne { .. }
            | Ask::Raw { .. }
            | Ask::Echo { .. }
            | Ask::Listener
            | Ask::Route
            | Ask::Host => None,
        });
        hops.collect()
    }

    /// SYNs and pings that left, those that the kernel sent again included.
    pub(super) fn packets(&self) -> u32 {
        let sent = self.evidence.observations.iter().map(|seen| match &seen.saw {
            Saw::Connect(dial) | Saw::Control(dial) | Saw::Hop(dial) | Saw::TtlOne(dial) => dial.syns,
            Saw::Raw(shot) if shot.question == Question::HalfOpen => 2,
            Saw::Echo(_) | Saw::Raw(_) => 1,
            Saw::OtherControls(_)
            | Saw::OtherRejection(_)
            | Saw::Route(_)
            | Saw::Neighbour(_)
            | Saw::Listener(_)
            | Saw::Counters(_)
            | Saw::OwnSockets(_)
            | Saw::Size(_)
            | Saw::LinkMtu(_)
            | Saw::Idle { .. } => 0,
        });
        sent.sum()
    }
}

/// A probe under way.
struct Pending {
    at: Duration,
    /// When its handshake is done, if that has not been told yet.
    connected: Option<Duration>,
    /// How long it is kept open.
    hold: Duration,
    /// When its outcome is known; absent where only the end of the run concludes it.
    known: Option<Duration>,
    /// What it comes to when concluded at a given time.
    outcome: Box<dyn Fn(Duration) -> Saw>,
}

struct Run {
    investigation: Investigation,
    now: Duration,
    timeout: Duration,
    interrupt: Option<Duration>,
    pending: Vec<Pending>,
    asked: Vec<(Duration, Ask)>,
    calls: usize,
    ports: u16,
}

impl Run {
    fn new(timeout: Duration, sees_raw: bool) -> Self {
        Self {
            investigation: Investigation::new(nothing_seen(timeout, sees_raw), CONTROL_PORTS),
            now: Duration::ZERO,
            timeout,
            interrupt: None,
            pending: Vec::new(),
            asked: Vec::new(),
            calls: 0,
            ports: 40_000,
        }
    }

    /// One turn of the driver; whether there is another.
    fn step(&mut self, network: &mut Network) -> bool {
        self.calls += 1;
        assert!(
            self.calls < CALLS,
            "the driver spins at {:?}: {:?}",
            self.now,
            self.asked
        );
        let Step::Go { asks, wake } = self.investigation.step(self.now) else {
            let again = self.investigation.step(self.now);
            assert_eq!(again, Step::Done, "done is done");
            return false;
        };
        assert!(self.now < self.timeout, "asked for more after the deadline");
        assert!(
            wake > self.now && wake <= self.timeout,
            "wakes at {wake:?}, now is {:?}",
            self.now
        );
        let mut seen_at_once = false;
        for ask in asks {
            self.asked.push((self.now, ask.clone()));
            if ask == Ask::Listener {
                seen_at_once = true;
                let nobody = Saw::Listener(Look::Nothing);
                self.investigation
                    .saw(observation(self.now, Duration::ZERO, nobody));
            } else if matches!(ask, Ask::Route | Ask::Host) {
                seen_at_once = true;
                self.investigation
                    .saw(observation(self.now, Duration::ZERO, route(network.next_hop)));
            } else {
                self.send(&ask, network);
            }
        }
        seen_at_once || self.wait(wake)
    }

    /// Lets time pass until something happens. An interrupt ends it.
    fn wait(&mut self, wake: Duration) -> bool {
        let moment = |pending: &Pending| pending.connected.or(pending.known);
        let next = self.pending.iter().filter_map(moment).min();
        let next = next.map_or(wake, |next| next.min(wake));
        if let Some(interrupt) = self.interrupt.filter(|interrupt| *interrupt <= next) {
            self.now = interrupt;
            return false;
        }
        self.now = next;
        let Some(index) = self
            .pending
            .iter()
            .position(|pending| moment(pending) == Some(next))
        else {
            return true;
        };
        if self.pending[index].connected.take().is_some() {
            let from = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 2)), 39_999);
            self.investigation
                .connected(self.now, Some(from), self.pending[index].hold);
            return true;
        }
        let pending = self.pending.remove(index);
        self.investigation.saw(observation(
            pending.at,
            next.saturating_sub(pending.at),
            (pending.outcome)(next),
        ));
        true
    }

    fn conclude(mut self) -> Outcome {
        for pending in std::mem::take(&mut self.pending) {
            let saw = (pending.outcome)(self.now);
            self.investigation
                .saw(observation(pending.at, self.now.saturating_sub(pending.at), saw));
        }
        let evidence = self.investigation.into_evidence();
        Outcome {
            asked: self.asked,
            took: self.now,
            diagnosis: diagnose(&evidence),
            evidence,
        }
    }

    fn send(&mut self, ask: &Ask, network: &mut Network) {
        let is_connect = |ask: &Ask| matches!(ask, Ask::Connect | Ask::ConnectAndHold(_));
        let same = |other: &Ask| {
            std::mem::discriminant(other) == std::mem::discriminant(ask)
                || is_connect(other) && is_connect(ask)
        };
        let nth = self.asked.iter().filter(|(_, other)| same(other)).count() - 1;
        let endpoint = SocketAddr::new(HOST, 443);
        match *ask {
            Ask::Connect | Ask::ConnectAndHold(_) => {
                let fate = (network.port)(Syn { nth, ttl: None });
                self.dial(endpoint, None, None, &fate, Saw::Connect);
            }
            Ask::Control(to) => {
                let fate = (network.control)(Syn { nth, ttl: None });
                self.dial(to, None, None, &fate, Saw::Control);
            }
            Ask::TtlOne { patience } => {
                let fate = (network.port)(Syn { nth, ttl: Some(1) });
                self.dial(endpoint, Some(1), Some(patience), &fate, Saw::TtlOne);
            }
            Ask::Hop {
                to,
                ttl,
                patience,
                source_port,
            } => {
                let syn = Syn { nth, ttl: Some(ttl) };
                let fate = if to == endpoint {
                    (network.port)(syn)
                } else {
                    (network.control)(syn)
                };
                if let Some(port) = source_port {
                    assert!((40_000..=self.ports).contains(&port), "a port that it was given");
                    self.ports -= 1;
                }
                self.dial(to, Some(ttl), Some(patience), &fate, Saw::Hop);
            }
            Ask::Echo { patience } => {
                let reply = (network.echo)().filter(|reply| *reply < patience);
                let known = self.now + reply.unwrap_or(patience);
                self.pending.push(Pending {
                    at: self.now,
                    connected: None,
                    hold: Duration::ZERO,
                    known: Some(known),
                    outcome: Box::new(move |now| {
                        Saw::Echo(if reply.is_some() && now >= known {
                            Ping::Reply
                        } else {
                            Ping::Silence
                        })
                    }),
                });
            }
            Ask::Raw {
                question,
                to,
                on,
                patience,
            } => {
                let shoot = network
                    .raw
                    .as_mut()
                    .expect("raw probes only where they are possible");
                let to_port = to == endpoint;
                let alike = |other: &Ask| {
                    matches!(other, Ask::Raw { question: asked, to, .. }
                        if *asked == question && (*to == endpoint) == to_port)
                };
                let nth = self.asked.iter().filter(|(_, other)| alike(other)).count() - 1;
                let came = shoot(Segment {
                    question,
                    to_port,
                    nth,
                })
                .filter(|came| came.after < patience);
                self.shoot(question, to, on, patience, came);
            }
            Ask::Listener | Ask::Route | Ask::Host => {}
        }
    }

    fn shoot(
        &mut self,
        question: Question,
        to: SocketAddr,
        from: Option<SocketAddr>,
        patience: Duration,
        came: Option<Came>,
    ) {
        let known = self.now + came.as_ref().map_or(patience, |came| came.after);
        self.pending.push(Pending {
            at: self.now,
            connected: None,
            hold: Duration::ZERO,
            known: Some(known),
            outcome: Box::new(move |now| {
                let replies = came.iter().filter(|_| now >= known).map(|came| Reply {
                    after_s: came.after,
                    timed_by: TimedBy::Kernel,
                    hop_limit: Some(came.hop_limit),
                    seen: SeenAt::Socket,
                    says: came.says.clone(),
                });
                Saw::Raw(Shot {
                    question,
                    to,
                    from,
                    outcome: ShotOutcome::Sent {
                        replies: replies.collect(),
                    },
                })
            }),
        });
    }

    fn dial(
        &mut self,
        to: SocketAddr,
        ttl: Option<u8>,
        patience: Option<Duration>,
        fate: &Fate,
        saw: fn(Dial) -> Saw,
    ) {
        let at = self.now;
        let fate = match fate {
            Fate::After(after, _) if patience.is_some_and(|patience| *after >= patience) => Fate::Silence,
            Fate::After(..) | Fate::Silence => fate.clone(),
        };
        let (connected, known) = match &fate {
            Fate::Silence => (None, patience.map(|patience| at + patience)),
            Fate::After(after, Said::SynAck(closes)) => {
                let about_port = ttl.is_none() && to.port() == 443;
                (
                    about_port.then_some(at + *after),
                    ending_known(*after, *closes).map(|known| at + known),
                )
            }
            Fate::After(after, _) => (None, Some(at + *after)),
        };
        self.ports += 1;
        let from = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 2)), self.ports);
        self.pending.push(Pending {
            at,
            connected,
            hold: ms(250),
            known,
            outcome: Box::new(move |now| saw(dialled(to, from, ttl, &fate, now.saturating_sub(at)))),
        });
    }
}

fn observation(at_s: Duration, took_s: Duration, saw: Saw) -> Observation {
    Observation { at_s, took_s, saw }
}

fn route(next_hop: NextHop) -> Saw {
    Saw::Route(Look::Saw(Route {
        next_hop,
        interface: None,
        source: None,
    }))
}

fn nothing_seen(timeout_s: Duration, sees_raw: bool) -> Evidence {
    Evidence {
        endpoint: SocketAddr::new(HOST, 443),
        started_unix_s: Duration::from_secs(1_700_000_000),
        slow_s: ms(250),
        timeout_s,
        sight: Sight {
            mode: Mode::Connect,
            raw: if sees_raw {
                Ability::Yes
            } else {
                Ability::No { why: String::new() }
            },
            echo: Ability::Yes,
            error_queue: Ability::Yes,
            reset_shape: Ability::Yes,
        },
        observations: Vec::new(),
    }
}
