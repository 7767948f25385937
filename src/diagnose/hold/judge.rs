//! Evidence to verdict.

use std::time::Duration;

use super::bounds::{Bounds, closes_by_age, loss};
use super::{HoldDiagnosis, HoldFinding, HoldFindingKind, HoldLabel, HoldReason, Limit, Sender};
use crate::diagnose::Confidence;
use crate::evidence::hold::{Asked, End, Held, Holding};
use crate::evidence::{Answer, Question, ReplySays};

/// So much of what was wanted is enough: timers are not exact.
const WHOLE: f64 = 0.99;
/// A path that loses more than this is worth a word.
const LOSSY: f64 = 0.1;
/// A connection on which nothing was heard for less than this part of its idle time was not idle.
const SPOKEN: f64 = 0.9;

/// What the connections come to together.
pub fn judge(holding: &Holding) -> HoldDiagnosis {
    let bounds = Bounds::of(holding);
    let mut diagnosis = HoldDiagnosis {
        label: HoldLabel::Undecided,
        confidence: Confidence::Possible,
        limit: None,
        lived_s: bounds.longest_life().map(|(lived, _)| lived),
        sender: None,
        because: Vec::new(),
        not_ruled_out: Vec::new(),
        findings: findings(holding),
    };
    match bounds.shortest_death() {
        Some((_, first)) => death(holding, &bounds, first, &mut diagnosis),
        None => no_death(holding, &bounds, &mut diagnosis),
    }
    diagnosis
}

fn no_death(holding: &Holding, bounds: &Bounds, diagnosis: &mut HoldDiagnosis) {
    let of = |what: &dyn Fn(&Held) -> bool| -> Vec<usize> {
        let held = holding.held.iter().enumerate();
        held.filter(|(_, held)| what(held))
            .map(|(index, _)| index)
            .collect()
    };
    let enough = holding.max_s.mul_f64(WHOLE);
    let whole = of(&|held| matches!(held.end, End::Alive { .. }) && held.idle_s >= enough);
    let not_made = of(&|held| matches!(held.end, End::NotMade { .. }));
    if !bounds.lost.is_empty() {
        diagnosis.label = HoldLabel::TargetLost;
        diagnosis.confidence = Confidence::Likely;
        diagnosis.because(
            "connections ended, and a new one could not be made either: the target or the path to it went away, which says \
             nothing of idle connections"
                .to_owned(),
            bounds.lost.clone(),
        );
        lived(bounds, diagnosis);
    } else if !whole.is_empty() {
        diagnosis.label = HoldLabel::Healthy;
        diagnosis.confidence = Confidence::Certain;
        diagnosis.because(
            format!(
                "a connection that was idle for {} was answered when it was asked",
                words(holding.max_s)
            ),
            whole,
        );
    } else if !bounds.unproven.is_empty() {
        diagnosis.because(
            "connections did not answer when they were asked, and nothing shows whether the target was still there, or \
             whether the path lost all that was sent"
                .to_owned(),
            bounds.unproven.clone(),
        );
        lived(bounds, diagnosis);
    } else if not_made.len() == holding.held.len() && !not_made.is_empty() {
        diagnosis.label = HoldLabel::NotOpen;
        diagnosis.confidence = Confidence::Certain;
        diagnosis.because("no connection could be made".to_owned(), not_made);
    } else {
        let why = if holding.interrupted {
            "it was ended before any connection was idle for as long as was wanted"
        } else {
            "no connection was idle for as long as was wanted"
        };
        diagnosis.because(why.to_owned(), Vec::new());
        lived(bounds, diagnosis);
    }
}

fn lived(bounds: &Bounds, diagnosis: &mut HoldDiagnosis) {
    if let Some((longest, index)) = bounds.longest_life() {
        diagnosis.because(
            format!("one that was idle for {} was alive", words(longest)),
            vec![index],
        );
    }
}

fn death(holding: &Holding, bounds: &Bounds, first: usize, diagnosis: &mut HoldDiagnosis) {
    let Some(end) = holding.held.get(first).map(|held| &held.end) else {
        return;
    };
    let Some((label, by_itself)) = label_of(end) else {
        return;
    };
    let alike = alike(holding, bounds, label, by_itself);
    if bounds.contradict(holding) {
        return contradiction(bounds, diagnosis);
    }
    diagnosis.label = label;
    diagnosis.limit = Some(if by_itself {
        exactly(holding, &alike)
    } else {
        between(bounds, &alike)
    });
    let moments: Vec<(Duration, Duration)> = alike
        .iter()
        .filter_map(|(_, index)| holding.held.get(*index))
        .map(|held| (held.at_s, held.idle_s))
        .collect();
    let by_age = if by_itself { closes_by_age(&moments) } else { None };
    diagnosis.confidence = confidence(label, by_itself, by_age, &alike, bounds);
    tell(holding, bounds, label, by_itself, &alike, diagnosis);
    if by_itself && by_age != Some(true) {
        diagnosis.not_ruled_out.push(
            "something else ended it at that moment, such as a restart: connections of several ages did not end at the same \
             age"
            .to_owned(),
        );
    }
    if label == HoldLabel::IdleReset {
        diagnosis.sender = Some(sender(holding, by_itself, diagnosis));
    }
    if !bounds.lost.is_empty() {
        diagnosis.confidence = Confidence::Possible;
        diagnosis.not_ruled_out.push(
            "the target itself went away: for a while no new connection could be made either".to_owned(),
        );
    }
}

/// The label of an end, and whether it came without being asked for.
fn label_of(end: &End) -> Option<(HoldLabel, bool)> {
    let by_itself = |to: Asked| to == Asked::Nothing;
    match end {
        End::Silent { .. } => Some((HoldLabel::IdleDropped, false)),
        End::Reset { to } => Some((HoldLabel::IdleReset, by_itself(*to))),
        End::Rejected { to, .. } => Some((HoldLabel::IdleRejected, by_itself(*to))),
        End::Closed { to } => Some((HoldLabel::PeerClosed, by_itself(*to))),
        End::NotMade { .. } | End::Alive { .. } | End::CutShort | End::CouldNotAsk { .. } => None,
    }
}

/// The deaths that are of one kind.
fn alike(holding: &Holding, bounds: &Bounds, label: HoldLabel, by_itself: bool) -> Vec<(Duration, usize)> {
    let is_alike = |(_, index): &&(Duration, usize)| {
        let held = holding.held.get(*index);
        held.and_then(|held| label_of(&held.end)) == Some((label, by_itself))
    };
    bounds.died.iter().filter(is_alike).copied().collect()
}

fn exactly(holding: &Holding, alike: &[(Duration, usize)]) -> Limit {
    let ages = || {
        let held = alike.iter().filter_map(|(_, index)| holding.held.get(*index));
        held.map(|held| held.idle_s)
    };
    Limit {
        at_least_s: ages().min().unwrap_or_default(),
        at_most_s: ages().max().unwrap_or_default(),
    }
}

fn between(bounds: &Bounds, alike: &[(Duration, usize)]) -> Limit {
    let first = alike.iter().map(|(died, _)| *died).min().unwrap_or_default();
    let longest = bounds.longest_life().map_or(Duration::ZERO, |(lived, _)| lived);
    // A coarse timer forgets one idle time now and another a little later.
    let above = alike
        .iter()
        .map(|(died, _)| *died)
        .filter(|died| *died >= longest);
    Limit {
        at_least_s: bounds.longest_life_before_death().unwrap_or_default(),
        at_most_s: above.min().unwrap_or(longest).max(first),
    }
}

fn confidence(
    label: HoldLabel,
    by_itself: bool,
    by_age: Option<bool>,
    alike: &[(Duration, usize)],
    bounds: &Bounds,
) -> Confidence {
    if by_itself {
        return match by_age {
            Some(true) => Confidence::Certain,
            Some(false) => Confidence::Possible,
            None => Confidence::Likely,
        };
    }
    // Silence is never certain.
    let is_repeated = alike.len() > 1 && !bounds.lived.is_empty();
    let is_answered = matches!(label, HoldLabel::IdleReset | HoldLabel::IdleRejected);
    if is_repeated && is_answered {
        Confidence::Certain
    } else {
        Confidence::Likely
    }
}

fn contradiction(bounds: &Bounds, diagnosis: &mut HoldDiagnosis) {
    let (Some((lived, life)), Some((died, death))) = (bounds.longest_life(), bounds.shortest_death()) else {
        return;
    };
    diagnosis.because(
        format!(
            "a connection that was idle for {} was alive, while another had ended after {}: several paths or boxes that differ, \
             something that happened only once, or loss",
            words(lived),
            words(died)
        ),
        vec![life, death],
    );
}

fn tell(
    holding: &Holding,
    bounds: &Bounds,
    label: HoldLabel,
    by_itself: bool,
    alike: &[(Duration, usize)],
    diagnosis: &mut HoldDiagnosis,
) {
    let Some(limit) = diagnosis.limit else { return };
    let indices: Vec<usize> = alike.iter().map(|(_, index)| *index).collect();
    let number = match indices.len() {
        1 => "one connection".to_owned(),
        several => format!("{several} connections"),
    };
    let shortest = words(limit.at_least_s);
    let from = alike.iter().map(|(died, _)| *died).min().unwrap_or_default();
    let says = match (label, by_itself) {
        (HoldLabel::PeerClosed, true) => {
            format!("the peer's FIN came on {number} by itself, on the first after {shortest}")
        }
        (HoldLabel::IdleReset, true) => {
            format!("a RST came on {number} by itself, on the first after {shortest}")
        }
        (HoldLabel::IdleDropped, _) => {
            let questions = indices
                .iter()
                .filter_map(|index| questions(holding.held.get(*index)?));
            let fewest = questions.min().unwrap_or_default();
            format!(
                "{number}, idle for {} and more, did not answer at least {fewest} keepalive probes and FINs",
                words(from)
            )
        }
        (HoldLabel::IdleReset, false) => {
            format!(
                "{number}, idle for {} and more, answered a keepalive probe with a RST",
                words(from)
            )
        }
        (
            HoldLabel::Healthy
            | HoldLabel::IdleRejected
            | HoldLabel::PeerClosed
            | HoldLabel::TargetLost
            | HoldLabel::NotOpen
            | HoldLabel::Undecided,
            _,
        ) => format!("{number} ended when asked, after {} and more", words(from)),
    };
    diagnosis.because(says, indices.clone());
    lived(bounds, diagnosis);
    let controls: Vec<usize> = indices
        .into_iter()
        .filter(|index| {
            let control = holding.held.get(*index).and_then(|held| held.control.as_ref());
            control.is_some_and(|control| matches!(control.answer, Answer::SynAck(_)))
        })
        .collect();
    if controls.is_empty() {
        diagnosis.not_ruled_out.push(
            "the target went away: whether a new connection could be made then was not looked at".to_owned(),
        );
    } else {
        diagnosis.because(
            "a new connection could be made afterwards: the host and the path were alive, and what ended was the old \
             connection's"
                .to_owned(),
            controls,
        );
    }
    if label == HoldLabel::IdleDropped {
        diagnosis.not_ruled_out.push(
            "the host itself or its own firewall forgets connections: from here that looks like a box on the way".to_owned(),
        );
    }
}

fn questions(held: &Held) -> Option<u32> {
    match &held.end {
        End::Silent { probes, fins } => Some(u32::from(*probes) + fins),
        End::NotMade { .. }
        | End::Alive { .. }
        | End::Reset { .. }
        | End::Rejected { .. }
        | End::Closed { .. }
        | End::CutShort
        | End::CouldNotAsk { .. } => None,
    }
}

/// By the TTLs of the host's SYN-ACK and of the RST that answers an ACK of no connection, which is what the idle one had become
/// for whoever reset it. A RST that came by itself answers nothing that we could repeat.
fn sender(holding: &Holding, by_itself: bool, diagnosis: &mut HoldDiagnosis) -> Sender {
    let ttl = |question: Question, is_it: fn(&ReplySays) -> bool| {
        let shots = holding.shots.iter().filter(|shot| shot.question == question);
        let mut replies = shots.filter_map(|shot| shot.replies()).flatten();
        replies.find(|reply| is_it(&reply.says))?.hop_limit
    };
    let host = ttl(Question::Syn, |says| matches!(says, ReplySays::SynAck(_)));
    let reset = ttl(Question::Ack, |says| matches!(says, ReplySays::Rst { .. }));
    let (Some(host), Some(reset)) = (host, reset) else {
        return Sender::UnknownSender;
    };
    if by_itself {
        return Sender::UnknownSender;
    }
    let says = if host == reset {
        format!(
            "an ACK that belongs to no connection is answered with a RST of TTL {reset}, as the host's SYN-ACK has: the host \
             itself, or a box as far away, has forgotten the connection"
        )
    } else {
        format!(
            "an ACK that belongs to no connection is answered with a RST of TTL {reset}, the host's SYN-ACK has {host}: a box \
             on the way resets what it has forgotten"
        )
    };
    diagnosis.because(says, Vec::new());
    if host == reset {
        Sender::Host
    } else {
        Sender::Middlebox
    }
}

fn findings(holding: &Holding) -> Vec<HoldFinding> {
    let mut findings = Vec::new();
    let mut find = |kind, says: &dyn Fn(&[&Held]) -> String, is_it: &dyn Fn(&Held) -> bool| {
        let (held, found): (Vec<usize>, Vec<&Held>) = holding
            .held
            .iter()
            .enumerate()
            .filter(|(_, held)| is_it(held))
            .unzip();
        if !found.is_empty() {
            let says = says(&found);
            findings.push(HoldFinding { kind, says, held });
        }
    };
    find(
        HoldFindingKind::PeerSpeaks,
        &|found| {
            let longest = found.iter().map(|held| held.quiet_s).max().unwrap_or_default();
            format!(
                "the peer itself sent something on idle connections (keepalive probes, or data), so that none was silent for \
                 longer than {}: that keeps them alive, and what becomes of connections to a peer that does not is not shown",
                words(longest)
            )
        },
        &|held| {
            held.peer_segments.unwrap_or(0) > 0
                && held.idle_s >= Duration::from_secs(1)
                && held.quiet_s < held.idle_s.mul_f64(SPOKEN)
        },
    );
    find(
        HoldFindingKind::KeepaliveIgnored,
        &|_| {
            "keepalive probes went unanswered, and the FIN that followed was acknowledged: something takes keepalive probes \
             away, or the peer does not answer them"
                .to_owned()
        },
        &|held| matches!(held.end, End::Alive { to: Asked::Fin, .. }),
    );
    let is_lossy = loss(holding) > LOSSY;
    find(
        HoldFindingKind::HoldPathLoss,
        &|_| "SYNs or keepalive probes, or their answers, were lost on connections that live".to_owned(),
        &|held| {
            let repeated = held.syns > 1
                || matches!(
                    held.end,
                    End::Alive {
                        probes: 2..,
                        to: Asked::Keepalive,
                        ..
                    }
                );
            is_lossy && repeated
        },
    );
    let made = holding
        .held
        .iter()
        .any(|held| !matches!(held.end, End::NotMade { .. }));
    find(
        HoldFindingKind::FewerConnections,
        &|_| "some of the connections could not be made".to_owned(),
        &|held| made && matches!(held.end, End::NotMade { .. }),
    );
    findings
}

impl HoldDiagnosis {
    fn because(&mut self, says: String, held: Vec<usize>) {
        self.because.push(HoldReason { says, held });
    }
}

/// A length of time in a sentence: exact to a hundredth of it.
fn words(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 10.0 {
        format!("{seconds:.2} s")
    } else if seconds < 120.0 {
        format!("{seconds:.1} s")
    } else {
        let whole = seconds.round();
        format!("{:.0} min {:.0} s", (whole / 60.0).floor(), whole % 60.0)
    }
}
