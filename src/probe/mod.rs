//! Sans-IO: given what has been seen and the time, which probe next, and when are we done.
//!
//! An open port costs one handshake. Only what does not answer plainly is looked into further, at once and in
//! parallel, with every probe that can still separate the causes that are left.

mod ask;
pub mod hold;
mod raw;
mod schedule;
mod seen;
mod settled;
mod size;
mod sweep;
#[cfg(test)]
mod tests;

pub use ask::{Ask, Step};
pub use schedule::Limits;
pub use size::{SizeSearch, Try};

use std::net::SocketAddr;
use std::time::Duration;

use crate::evidence::{Ability, Answer, Evidence, Handshake, Mode, Observation, Question, Saw};
use schedule::Schedule;
use sweep::Sweep;

/// One endpoint under investigation.
#[derive(Debug, Clone)]
pub struct Investigation {
    evidence: Evidence,
    limits: Limits,
    /// How long the user wants an open connection to be kept open.
    hold: Duration,
    control_ports: [u16; 2],
    schedule: Schedule,
    stage: Stage,
    sweeps: Vec<Sweep>,
    /// Connections to the port that have no outcome yet.
    connects_pending: u32,
    /// Of those, the ones whose handshake is done.
    endings_pending: u32,
    /// When the handshake of the first connection was known to be done.
    connected_by: Option<Duration>,
    /// Raw probes that have no outcome yet.
    raw_pending: u32,
    /// When raw SYNs to the port were asked for.
    raw_syns: Vec<Duration>,
    /// Packets that have been sent, or are the kernel's to send.
    spent: u32,
    /// Challenges that have been asked.
    challenges: usize,
    /// Whether the first SYN-ACK to a raw SYN has been followed up.
    followed_syn_ack: bool,
    /// Whether there have been more tries than usual.
    tried_more_often: bool,
    /// Whether the user wants to know at any cost where packets are dropped.
    locate: bool,
    /// When a first fragment was sent.
    fragment_asked: Option<Duration>,
    /// Whether a rejection is followed by asking whether the host is alive.
    prove_life: bool,
    /// Whether a handshake that is faster than most wires is believed.
    believe_fast: bool,
    /// Of those probes, the ones that have no outcome yet.
    life_pending: u32,
}

/// How far the investigation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing has been sent.
    New,
    /// The first connection is under way.
    Opening,
    /// The first connection has its outcome; a few looks confirm it.
    Confirming,
    /// The port does not answer, or not plainly.
    LookingFurther,
}

impl Investigation {
    /// Starts with evidence that holds no observation.
    ///
    /// `control_ports` are two ports that are surely closed on any host.
    pub fn new(evidence: Evidence, control_ports: [u16; 2]) -> Self {
        let limits = Limits::within(evidence.timeout_s);
        Self {
            evidence,
            limits,
            hold: Duration::ZERO,
            control_ports,
            schedule: Schedule::default(),
            stage: Stage::New,
            sweeps: Vec::new(),
            connects_pending: 0,
            endings_pending: 0,
            connected_by: None,
            raw_pending: 0,
            raw_syns: Vec::new(),
            spent: 0,
            challenges: 0,
            followed_syn_ack: false,
            tried_more_often: false,
            locate: false,
            fragment_asked: None,
            prove_life: false,
            believe_fast: false,
            life_pending: 0,
        }
    }

    /// The same for connections that are kept open for so long, not for two round trips: their ending is due later.
    #[must_use]
    pub fn holding(self, hold: Duration) -> Self {
        Self { hold, ..self }
    }

    /// The same, going to any length to find out where packets are dropped: half a minute and more.
    #[must_use]
    pub fn locating(self) -> Self {
        Self { locate: true, ..self }
    }

    /// The same, asking of a host whose port was rejected whether it answers elsewhere: that the port is blocked is proven only
    /// where the host is alive.
    #[must_use]
    pub fn proving_life(self) -> Self {
        Self {
            prove_life: true,
            ..self
        }
    }

    /// The same, not asking of a handshake that is faster than most wires whether a sidecar or a proxy on this host made it:
    /// among thousands of endpoints that is a second connection for each of those that answer plainly.
    #[must_use]
    pub fn believing_fast(self) -> Self {
        Self {
            believe_fast: true,
            ..self
        }
    }

    /// The handshake of a connection to the port was done at `now`, from that address and port; how it ends is still being
    /// watched. It will be kept open for `hold` at least.
    pub fn connected(&mut self, now: Duration, from: Option<SocketAddr>, hold: Duration) {
        self.endings_pending += 1;
        if let Some(from) = from {
            self.challenge(now, from, hold);
        }
    }

    /// A probe has an outcome.
    pub fn saw(&mut self, observation: Observation) {
        self.spent = self.spent.saturating_add(raw::overhead(&observation.saw));
        match &observation.saw {
            Saw::Connect(dial) => {
                self.connects_pending = self.connects_pending.saturating_sub(1);
                if matches!(dial.answer, Answer::SynAck(_)) {
                    self.endings_pending = self.endings_pending.saturating_sub(1);
                }
            }
            Saw::Hop(dial) => {
                for sweep in &mut self.sweeps {
                    sweep.saw(dial);
                }
            }
            Saw::Raw(_) => self.raw_pending = self.raw_pending.saturating_sub(1),
            Saw::Control(_) | Saw::Echo(_) => self.life_pending = self.life_pending.saturating_sub(1),
            Saw::TtlOne(_)
            | Saw::OtherControls(_)
            | Saw::OtherRejection(_)
            | Saw::Route(_)
            | Saw::Neighbour(_)
            | Saw::Listener(_)
            | Saw::Counters(_)
            | Saw::OwnSockets(_)
            | Saw::Size(_)
            | Saw::LinkMtu(_)
            | Saw::Idle { .. } => {}
        }
        self.evidence.observations.push(observation);
    }

    /// What has been seen so far.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// What has been seen, once it is over.
    pub fn into_evidence(self) -> Evidence {
        self.evidence
    }

    /// Decides what to do at `now`, the time since the first packet.
    pub fn step(&mut self, now: Duration) -> Step {
        let fragment = self.fragment_is_due();
        let deadline = self.evidence.timeout_s.max(fragment.unwrap_or_default());
        if now >= deadline {
            return Step::Done;
        }
        self.advance(now);
        if fragment.is_none() && self.is_settled(now) {
            return Step::Done;
        }
        let asks = self.due(now);
        let sweeps = self.sweeps.iter().filter_map(|sweep| sweep.due(&self.limits));
        let wake = sweeps
            .chain(self.schedule.next())
            .chain(Some(self.next_judgement(now)).filter(|moment| *moment > now))
            .chain([deadline])
            .min();
        Step::Go {
            asks,
            wake: wake.unwrap_or(deadline),
        }
    }

    /// What is to be started at `now`.
    fn due(&mut self, now: Duration) -> Vec<Ask> {
        let mut asks = self.schedule.due(now);
        asks.retain(|ask| {
            let affordable = self.can_spend(self.cost_with_ending(ask));
            if affordable {
                self.spent += ask.cost();
            }
            affordable
        });
        for index in 0..self.sweeps.len() {
            let affordable = self.can_afford(1);
            let sweep = &mut self.sweeps[index];
            if !affordable {
                sweep.stop();
            }
            let next = sweep.next(now, &self.limits);
            self.spent += next.iter().map(Ask::cost).sum::<u32>();
            asks.extend(next);
        }
        for ask in &asks {
            match ask {
                Ask::Connect | Ask::ConnectAndHold(_) => self.connects_pending += 1,
                Ask::Raw { question, to, .. } => {
                    self.raw_pending += 1;
                    if *question == Question::FirstFragment {
                        self.fragment_asked = Some(now);
                    }
                    if *question == Question::Syn && *to == self.evidence.endpoint {
                        self.raw_syns.push(now);
                    }
                }
                Ask::Control(_)
                | Ask::Hop { .. }
                | Ask::TtlOne { .. }
                | Ask::Echo { .. }
                | Ask::Listener
                | Ask::Route
                | Ask::Host => {}
            }
        }
        asks
    }

    fn advance(&mut self, now: Duration) {
        match self.stage {
            Stage::New => {
                self.schedule.add(now, Ask::Connect);
                self.stage = Stage::Opening;
            }
            Stage::Opening => match self.first_connect().map(|dial| dial.answer.clone()) {
                Some(Answer::SynAck(handshake)) => self.confirm_open(now, &handshake),
                Some(Answer::Rst) => {
                    self.stage = Stage::Confirming;
                    if self.is_local() {
                        self.schedule.add(now, Ask::Listener);
                    }
                    self.compare_reset(now);
                }
                Some(Answer::Local(_)) => {
                    self.stage = Stage::Confirming;
                    self.schedule.add(now, Ask::Host);
                }
                Some(Answer::Icmp(error)) => {
                    self.stage = Stage::Confirming;
                    if error.from_self {
                        // A neighbour that does not answer, or a rule of our own firewall.
                        self.schedule.add(now, Ask::Host);
                    } else if self.prove_life {
                        self.ask_for_life(now);
                    }
                }
                Some(Answer::Silence) => self.look_further(now),
                None if now >= self.opening_ends(now) => self.look_further(now),
                None => {}
            },
            Stage::Confirming => {
                if self.wants_ttl_one() {
                    self.schedule.add(
                        now,
                        Ask::TtlOne {
                            patience: self.limits.ttl_one,
                        },
                    );
                }
            }
            Stage::LookingFurther => {
                self.follow_up(now);
                if self.endings_pending == 0 && self.is_beyond_a_router() {
                    self.sweep();
                }
            }
        }
    }

    /// How far SYNs to the port get, and then whether SYNs to another port get farther.
    fn sweep(&mut self) {
        match self.sweeps.as_slice() {
            [] => self.sweeps.push(Sweep::toward(self.evidence.endpoint)),
            [sweep] => {
                let compared = sweep.compared(self.control(0));
                self.sweeps.extend(compared);
            }
            _ => {}
        }
    }

    /// How long the first connection is waited for before we look further: once its handshake is done in time, until its
    /// ending is due.
    fn opening_ends(&mut self, now: Duration) -> Duration {
        if self.endings_pending == 0 {
            return self.limits.patience;
        }
        let connected = *self.connected_by.get_or_insert(now);
        if connected > self.evidence.slow_s {
            return self.limits.patience;
        }
        self.ending_is_due(connected)
    }

    /// When a connection must have ended whose handshake was done by then: our FIN takes one round trip more than the
    /// hold does, and the peer gets a moment to close its side.
    fn ending_is_due(&self, connected: Duration) -> Duration {
        const PEER_CLOSES: Duration = Duration::from_millis(250);
        4 * connected + self.hold + PEER_CLOSES + self.limits.patience
    }

    /// The first connection was made: is it as it should be?
    fn confirm_open(&mut self, now: Duration, handshake: &Handshake) {
        let is_slow = handshake.retransmitted_syns > 0 || handshake.connect_s > self.evidence.slow_s;
        if is_slow || handshake.ending.fin_acknowledged_after_s.is_none() && handshake.ending.reset.is_none()
        {
            self.look_further(now);
            return;
        }
        self.stage = Stage::Confirming;
        if handshake.ending.reset.is_some() {
            // Once may be chance; and a full queue that resets ignores other SYNs.
            self.schedule.add(now, Ask::Host);
            self.compare_reset(now);
            let hold = self.limits.again;
            self.schedule.add(now, Ask::ConnectAndHold(hold));
            self.schedule.add(now + hold, Ask::ConnectAndHold(hold));
            return;
        }
        if self.evidence.sight.mode == Mode::Raw {
            self.measure(now, handshake.connect_s);
        }
        if handshake.ending.peer_fin_after_s.is_some() || self.is_implausibly_fast(handshake) {
            // Whether there is a router that a SYN with TTL 1 would not get beyond.
            self.schedule.add(now, Ask::Route);
        }
    }

    /// Hardly a wire is that fast: a sidecar or a proxy on this host may have answered.
    fn is_implausibly_fast(&self, handshake: &Handshake) -> bool {
        const FASTER_THAN_MOST_WIRES: Duration = Duration::from_micros(300);
        !self.believe_fast
            && !self.is_local()
            && handshake.rtt_s.is_some_and(|rtt| rtt < FASTER_THAN_MOST_WIRES)
    }

    fn wants_ttl_one(&self) -> bool {
        let asked = self.schedule.holds(|ask| matches!(ask, Ask::TtlOne { .. }))
            || self
                .evidence
                .observations
                .iter()
                .any(|seen| matches!(seen.saw, Saw::TtlOne(_)));
        let connected = self
            .first_connect()
            .is_some_and(|dial| matches!(dial.answer, Answer::SynAck(_)));
        connected && !asked && !self.schedule.has_sent_ttl_one() && self.is_beyond_a_router()
    }

    /// Somebody rejected the port: does its host answer elsewhere?
    fn ask_for_life(&mut self, now: Duration) {
        self.schedule.add(now, Ask::Control(self.control(0)));
        self.life_pending = 1;
        if self.evidence.sight.echo == Ability::Yes {
            let patience = self.limits.echo;
            self.schedule.add(now, Ask::Echo { patience });
            self.life_pending = 2;
        }
    }

    fn look_further(&mut self, now: Duration) {
        self.stage = Stage::LookingFurther;
        self.schedule.add(now, Ask::Host);
        let connected = self.endings_pending > 0 || self.first_connect().is_some();
        match (self.sees_raw(), connected) {
            (true, false) => self.shoot_at_silence(),
            (true, true) => self.shoot_beside_connections(now),
            (false, _) => {}
        }
        for (index, at) in self.limits.tries.into_iter().enumerate() {
            let at = at.max(now);
            if connected || !self.sees_raw() {
                self.schedule.add(at, Ask::Connect);
            }
            if !self.sees_raw() {
                self.schedule.add(at, Ask::Control(self.control(index)));
            }
            if self.evidence.sight.echo == Ability::Yes {
                self.schedule.add(
                    at,
                    Ask::Echo {
                        patience: self.limits.echo,
                    },
                );
            }
        }
        if self.is_local() {
            // A queue that is full and drops what we send in between is proof.
            self.schedule.add(now + self.limits.again, Ask::Host);
        }
    }

    fn control(&self, index: usize) -> SocketAddr {
        let mut control = self.evidence.endpoint;
        control.set_port(self.control_ports[index % 2]);
        control
    }
}
