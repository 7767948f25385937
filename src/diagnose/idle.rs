//! What becomes of the verdict on an endpoint that can be connected to, once a connection to it was left idle.

use super::hold::{HoldDiagnosis, HoldLabel, judge};
use super::{Cause, Class, Confidence, Diagnosis, Reason};
use crate::evidence::{Evidence, Holding, Saw};

/// The connection that was left idle, with the index of its observation; absent where none was.
pub(super) fn holding(evidence: &Evidence) -> Option<(usize, &Holding)> {
    let mut observations = evidence.observations.iter().enumerate();
    observations.find_map(|(index, observation)| {
        if let Saw::Idle { holding } = &observation.saw {
            Some((index, &**holding))
        } else {
            None
        }
    })
}

/// The verdict with what is known of idleness: one that does not live is worse than a handshake that took long, and what could
/// not be found out leaves the question open that was asked.
pub(super) fn left_idle(evidence: &Evidence, connected: Diagnosis) -> Diagnosis {
    let Some((index, holding)) = holding(evidence) else {
        return connected;
    };
    if !matches!(connected.cause.class(), Class::Open | Class::Slow) {
        return connected;
    }
    let held = judge(holding);
    let Some(cause) = cause(held.label) else {
        let because = connected.because.into_iter().chain(reasons(&held, index));
        return Diagnosis {
            because: because.collect(),
            ..connected
        };
    };
    Diagnosis {
        cause,
        confidence: if cause == Cause::Undecided {
            Confidence::Possible
        } else {
            held.confidence
        },
        from: None,
        because: reasons(&held, index).collect(),
        not_ruled_out: Vec::new(),
        findings: connected.findings,
    }
}

/// Absent where it lives, which leaves the verdict as it is.
const fn cause(label: HoldLabel) -> Option<Cause> {
    match label {
        HoldLabel::Healthy => None,
        HoldLabel::IdleDropped => Some(Cause::IdleDropped),
        HoldLabel::IdleReset => Some(Cause::IdleReset),
        HoldLabel::IdleRejected => Some(Cause::IdleRejected),
        HoldLabel::PeerClosed => Some(Cause::PeerClosed),
        HoldLabel::TargetLost | HoldLabel::NotOpen | HoldLabel::Undecided => Some(Cause::Undecided),
    }
}

/// What it rests on, what else it could be (which are no causes of ours), and what is worth knowing besides.
fn reasons(held: &HoldDiagnosis, index: usize) -> impl Iterator<Item = Reason> {
    let because = held.because.iter().map(|reason| reason.says.clone());
    let other = held
        .not_ruled_out
        .iter()
        .map(|says| format!("not ruled out: {says}"));
    let besides = held.findings.iter().map(|finding| finding.says.clone());
    because.chain(other).chain(besides).map(move |says| Reason {
        says,
        observations: vec![index],
    })
}
