//! Raw probes: which, when, and how many. They are spent only where their answer can still decide.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Ask, Investigation, Stage};
use crate::evidence::{Ability, Answer, Dial, Evidence, Question, ReplySays, Saw, SeenAt, Shot};

/// What all probes of one endpoint may cost, in packets: 40, less some for what our own kernel may still add to those that
/// are under way. The last to get their share are the sweeps.
const PACKETS: u32 = 36;
/// What a connection that is made may cost beyond [`Ask::cost`] until it has ended: FINs that are sent again, an ACK for
/// each SYN-ACK that comes again, a RST in the end.
const ENDING: u32 = 6;
/// A host answers no more than one challenge in half a second (Linux: `tcp_invalid_ratelimit`).
const CHALLENGES: usize = 1;
/// A host gives a packet up whose first fragment came and whose others did not after 30 s (IPv4, RFC 1122: 60 to 120 s,
/// Linux: `ipfrag_time` 30 s) or 60 s (IPv6, RFC 8200).
const REASSEMBLY: [Duration; 2] = [Duration::from_secs(31), Duration::from_secs(61)];

impl Investigation {
    pub(super) fn sees_raw(&self) -> bool {
        self.evidence.sight.raw == Ability::Yes
    }

    /// Whether so many packets more may be sent, with all that is planned already.
    pub(super) fn can_afford(&self, packets: u32) -> bool {
        self.can_spend(self.schedule.cost() + packets)
    }

    /// Whether so many packets more may be sent now, whatever is planned.
    pub(super) fn can_spend(&self, packets: u32) -> bool {
        self.spent + ENDING * self.endings_pending + packets <= PACKETS
    }

    /// What a probe may cost in the end: where a connection waits for its ending, another will too.
    pub(super) fn cost_with_ending(&self, ask: &Ask) -> u32 {
        let connects = matches!(ask, Ask::Connect | Ask::ConnectAndHold(_));
        let ending = if connects && self.endings_pending > 0 {
            ENDING
        } else {
            0
        };
        ask.cost() + ending
    }

    /// Asks at that time, unless that is more than one endpoint may cost.
    fn plan(&mut self, at: Duration, ask: Ask) {
        if self.can_afford(ask.cost()) {
            self.schedule.add(at, ask);
        }
    }

    /// A RST answered the SYN. Does it come from where the host's other answers come from, and does a SYN-ACK come too?
    pub(super) fn compare_reset(&mut self, now: Duration) {
        if !self.sees_raw() || self.is_local() {
            return;
        }
        let round_trip = self
            .evidence
            .observations
            .first()
            .map_or(Duration::ZERO, |first| first.took_s);
        let patience = (3 * round_trip + Duration::from_millis(50)).min(2 * self.limits.again);
        for to in [self.evidence.endpoint, self.control(0)] {
            self.schedule.add(now, raw(Question::Syn, to, patience));
        }
    }

    /// The port is open, and raw packets were asked for whatever it is: how long does a SYN-ACK take by the kernel's time
    /// stamps, and does the server use SYN cookies?
    pub(super) fn measure(&mut self, now: Duration, round_trip: Duration) {
        let patience = 3 * round_trip + Duration::from_millis(50);
        for question in [Question::Syn, Question::Cookie] {
            self.schedule
                .add(now, raw(question, self.evidence.endpoint, patience));
        }
    }

    /// The port is silent: what else answers, here and on a control port?
    pub(super) fn shoot_at_silence(&mut self) {
        use Question::{Ack, Fin, HalfOpen, Syn};
        let [first, second, last] = self.limits.tries;
        let (port, patience) = (self.evidence.endpoint, self.limits.echo);
        for (try_number, at) in self.limits.tries.into_iter().enumerate() {
            self.schedule.add(at, raw(Syn, port, patience));
            self.schedule
                .add(at, raw(Syn, self.control(try_number), patience));
        }
        let control = self.control(0);
        let others = [
            (first, Ack, port),
            (first, Ack, control),
            (first, Fin, port),
            (first, Fin, control),
            (first, HalfOpen, port),
            (second, Ack, port),
            (second, Ack, control),
            (second, Fin, port),
            (second, Fin, control),
            (last, Ack, port),
            (last, HalfOpen, port),
        ];
        for (at, question, to) in others {
            self.schedule.add(at, raw(question, to, patience));
        }
        if self.locate {
            // By then the kernel has sent the SYN of the first connection seven times more.
            self.spent += 7;
            let patience = REASSEMBLY[usize::from(port.is_ipv6())];
            self.schedule
                .add(first, raw(Question::FirstFragment, port, patience));
        }
    }

    /// A connection was made, though not as it should be: are other SYNs answered?
    pub(super) fn shoot_beside_connections(&mut self, now: Duration) {
        let patience = self.limits.echo;
        for (try_number, at) in self.limits.tries.into_iter().enumerate() {
            let at = at.max(now);
            self.schedule
                .add(at, raw(Question::Syn, self.evidence.endpoint, patience));
            self.schedule
                .add(at, raw(Question::Syn, self.control(try_number), patience));
        }
        self.ask_for_cookies(now);
    }

    /// What the answers so far make worth asking.
    pub(super) fn follow_up(&mut self, now: Duration) {
        self.try_more_often(now);
        if !self.sees_raw() {
            return;
        }
        let accepts = self
            .shots(Question::Syn)
            .any(|shot| is_answered(shot, |says| matches!(says, ReplySays::SynAck(_))));
        if !accepts || self.followed_syn_ack {
            return;
        }
        self.followed_syn_ack = true;
        let connected =
            self.endings_pending > 0 || self.connects().any(|dial| dial.answer.syn_ack().is_some());
        if !connected {
            self.ask_for_cookies(now);
            // Somebody listens: does a connection get through, and what becomes of it?
            let hold = self.limits.again;
            for at in [now, now + hold] {
                self.plan(at, Ask::ConnectAndHold(hold));
            }
        }
    }

    /// A connection is made and will be held for a while: where SYNs were ignored, it tells whether they arrive.
    pub(super) fn challenge(&mut self, now: Duration, from: SocketAddr, hold: Duration) {
        let asked = self.challenges >= CHALLENGES;
        if asked || !self.sees_raw() || self.stage != Stage::LookingFurther || hold < self.limits.again {
            return;
        }
        if !self.has_ignored_syns(now) {
            return;
        }
        self.challenges += 1;
        self.schedule.add(
            now,
            Ask::Raw {
                question: Question::Challenge,
                to: self.evidence.endpoint,
                on: Some(from),
                patience: self.limits.again,
            },
        );
    }

    /// Until when the answer to a first fragment is waited for.
    pub(super) fn fragment_is_due(&self) -> Option<Duration> {
        let asked = self.fragment_asked?;
        let answered = self
            .evidence
            .observations
            .iter()
            .any(|seen| matches!(&seen.saw, Saw::Raw(shot) if shot.question == Question::FirstFragment));
        let patience = REASSEMBLY[usize::from(self.evidence.endpoint.is_ipv6())];
        (!answered && !self.port_has_answered()).then_some(asked + patience)
    }

    /// Design: three tries, up to six while the controls show loss.
    fn try_more_often(&mut self, now: Duration) {
        let checked_at = self.limits.last_try() + self.limits.again;
        if self.tried_more_often || now < checked_at || self.port_has_answered() || !self.controls_show_loss()
        {
            return;
        }
        self.tried_more_often = true;
        for (try_number, at) in self.limits.more_tries.into_iter().enumerate() {
            let control = self.control(try_number);
            if self.sees_raw() {
                let patience = self.limits.echo;
                self.plan(at, raw(Question::Syn, self.evidence.endpoint, patience));
                self.plan(at, raw(Question::Syn, control, patience));
            } else {
                self.plan(at, Ask::Connect);
                self.plan(at, Ask::Control(control));
            }
        }
    }

    /// Whether the host answers its controls, but not all of them.
    fn controls_show_loss(&self) -> bool {
        let is_lost = |saw: &Saw| match saw {
            Saw::Control(dial) => dial.syns > 1 || dial.answer == Answer::Silence,
            Saw::Raw(shot) => {
                shot.to != self.evidence.endpoint && shot.replies().is_some_and(<[_]>::is_empty)
            }
            Saw::Connect(_)
            | Saw::Hop(_)
            | Saw::TtlOne(_)
            | Saw::Echo(_)
            | Saw::OtherControls(_)
            | Saw::OtherRejection(_)
            | Saw::Route(_)
            | Saw::Neighbour(_)
            | Saw::Listener(_)
            | Saw::Counters(_)
            | Saw::OwnSockets(_)
            | Saw::Size(_)
            | Saw::LinkMtu(_)
            | Saw::Idle { .. } => false,
        };
        let is_answered = |saw: &Saw| match saw {
            Saw::Control(dial) => matches!(dial.answer, Answer::Rst | Answer::SynAck(_)),
            Saw::Raw(shot) => shot.to != self.evidence.endpoint && has_tcp_answer(shot),
            Saw::Connect(_)
            | Saw::Hop(_)
            | Saw::TtlOne(_)
            | Saw::Echo(_)
            | Saw::OtherControls(_)
            | Saw::OtherRejection(_)
            | Saw::Route(_)
            | Saw::Neighbour(_)
            | Saw::Listener(_)
            | Saw::Counters(_)
            | Saw::OwnSockets(_)
            | Saw::Size(_)
            | Saw::LinkMtu(_)
            | Saw::Idle { .. } => false,
        };
        let observations = &self.evidence.observations;
        observations.iter().any(|seen| is_answered(&seen.saw))
            && observations.iter().any(|seen| is_lost(&seen.saw))
    }

    /// A server that uses SYN cookies betrays itself to a SYN without timestamps.
    fn ask_for_cookies(&mut self, now: Duration) {
        self.plan(
            now,
            raw(Question::Cookie, self.evidence.endpoint, self.limits.echo),
        );
    }

    fn has_ignored_syns(&self, now: Duration) -> bool {
        let unanswered = self.connects_pending > self.endings_pending && now >= self.limits.patience;
        let ignored = |dial: &Dial| {
            let again = dial
                .answer
                .syn_ack()
                .is_some_and(|handshake| handshake.retransmitted_syns > 0);
            again || dial.answer == Answer::Silence
        };
        unanswered
            || self.connects().any(ignored)
            || self
                .shots(Question::Syn)
                .any(|shot| shot.replies().is_some_and(<[_]>::is_empty))
    }

    /// Raw probes of the port in question that have an outcome.
    fn shots(&self, question: Question) -> impl Iterator<Item = &Shot> {
        port_shots(&self.evidence).filter(move |shot| shot.question == question)
    }

    /// Whether anything but silence, or a router, has answered a SYN to the port.
    fn port_has_answered(&self) -> bool {
        self.connects().any(|dial| dial.answer != Answer::Silence)
            || self.endings_pending > 0
            || self.shots(Question::Syn).any(|shot| is_answered(shot, |_| true))
    }

    /// Whether a raw SYN to the port was refused or rejected.
    pub(super) fn raw_syn_is_refused(&self) -> bool {
        self.shots(Question::Syn).any(|shot| {
            is_answered(shot, |says| {
                matches!(says, ReplySays::Rst { .. } | ReplySays::Icmp(_))
            })
        })
    }

    /// Whether every raw SYN to the port was answered that should have been by now.
    pub(super) fn raw_syns_are_answered(&self, now: Duration) -> bool {
        let due = self
            .raw_syns
            .iter()
            .filter(|asked| **asked + self.limits.hop <= now)
            .count();
        let answered = self
            .shots(Question::Syn)
            .filter(|shot| is_answered(shot, |_| true))
            .count();
        answered >= due
    }
}

/// What a probe cost beyond [`Ask::cost`]: what our own kernel sent on its own.
pub(super) fn overhead(saw: &Saw) -> u32 {
    match saw {
        Saw::Connect(dial) | Saw::Control(dial) => segments(dial).saturating_sub(3),
        Saw::Hop(dial) | Saw::TtlOne(dial) => segments(dial).saturating_sub(1),
        // A RST for each SYN-ACK.
        Saw::Raw(shot) => {
            let replies = shot.replies().unwrap_or_default().iter();
            let offers = replies.filter(|reply| matches!(reply.says, ReplySays::SynAck(_)));
            u32::try_from(offers.count()).unwrap_or(u32::MAX)
        }
        Saw::Echo(_)
        | Saw::OtherControls(_)
        | Saw::OtherRejection(_)
        | Saw::Route(_)
        | Saw::Neighbour(_)
        | Saw::Listener(_)
        | Saw::Counters(_)
        | Saw::OwnSockets(_)
        | Saw::Size(_)
        | Saw::LinkMtu(_)
        | Saw::Idle { .. } => 0,
    }
}

/// Segments that our kernel sent for a connection.
fn segments(dial: &Dial) -> u32 {
    let Some(handshake) = dial.answer.syn_ack() else {
        // A SYN that was sent again within a hop's patience follows a RST: the host answered the SYN of the hop before.
        let resets = if dial.ttl.is_some() {
            dial.syns.saturating_sub(1)
        } else {
            0
        };
        return dial.syns + resets;
    };
    let ending = &handshake.ending;
    // The ACK, the FIN, and the ACK for the peer's FIN.
    dial.syns + 3 + ending.fin_retransmissions + ending.repeated_syn_acks
}

pub(super) fn raw(question: Question, to: SocketAddr, patience: Duration) -> Ask {
    Ask::Raw {
        question,
        to,
        on: None,
        patience,
    }
}

/// Whether the host's TCP answered.
pub(super) fn has_tcp_answer(shot: &Shot) -> bool {
    is_answered(shot, |says| match says {
        ReplySays::SynAck(_) | ReplySays::Rst { .. } | ReplySays::Ack { .. } => true,
        ReplySays::Icmp(_) => false,
    })
}

fn port_shots(evidence: &Evidence) -> impl Iterator<Item = &Shot> {
    evidence.observations.iter().filter_map(|observation| {
        let Saw::Raw(shot) = &observation.saw else {
            return None;
        };
        (shot.to == evidence.endpoint).then_some(shot)
    })
}

fn is_answered(shot: &Shot, by: impl Fn(&ReplySays) -> bool) -> bool {
    shot.replies()
        .unwrap_or_default()
        .iter()
        .any(|reply| reply.seen == SeenAt::Socket && by(&reply.says))
}
