//! What the raw probes say, in a sentence each.

use std::collections::BTreeSet;

use super::super::signs::{self, Reading, Sign};
use super::super::{Cause, Class};
use crate::evidence::{Evidence, Question, ReplySays, SeenAt};

/// Where SYNs are answered, what else the port answers is nobody's question.
fn matters(cause: Cause) -> bool {
    matches!(cause.class(), Class::Filtered | Class::BacklogFull)
}

pub(super) fn ack(reading: &Reading, cause: Cause) -> Option<String> {
    if !matters(cause) {
        return None;
    }
    if reading.has(Sign::Rst) {
        let says = "a bare ACK to this port is answered with a RST: what is no SYN reaches the host's TCP";
        return Some(says.to_owned());
    }
    reading.all_silent().then(|| {
        "a bare ACK to this port gets no answer either, though one to another port of the host gets its RST".to_owned()
    })
}

pub(super) fn control_ack(reading: &Reading, cause: Cause) -> Option<String> {
    (matters(cause) && reading.all_silent())
        .then(|| "on another port the host does not even answer a bare ACK".to_owned())
}

pub(super) fn fin(reading: &Reading, cause: Cause) -> Option<String> {
    if !matters(cause) {
        return None;
    }
    if reading.has(Sign::Rst) {
        return Some("a bare FIN to this port is answered with a RST: nothing listens there".to_owned());
    }
    let listens =
        cause.class() == Class::BacklogFull || matches!(cause, Cause::SynFilter | Cause::ReturnPath);
    let says = if listens {
        "a bare FIN to this port is ignored, though one to another port gets its RST: something listens here"
    } else {
        "a bare FIN to this port gets no answer either, though one to another port gets its RST"
    };
    reading.all_silent().then(|| says.to_owned())
}

pub(super) fn half_open(reading: &Reading) -> Option<String> {
    reading.has(Sign::HoldsRequest).then(|| {
        "the server acknowledges a SYN of ours whose SYN-ACK never came: our SYNs arrive, its SYN-ACKs are lost on their \
         way back"
            .to_owned()
    })
}

/// Names the answer that we drop: a firewall that lets it pass will let a refusal pass as well.
pub(super) fn stopped_by_us(evidence: &Evidence) -> String {
    let stopped = signs::shots(evidence, Question::Syn, true)
        .flat_map(|(_, _, shot)| shot.replies().unwrap_or_default())
        .find(|reply| reply.seen == SeenAt::InterfaceOnly);
    let (answer, so) = match stopped.map(|reply| &reply.says) {
        Some(ReplySays::Rst { .. }) => ("a RST", "; without that the connection would be refused"),
        Some(ReplySays::Icmp(_)) => ("an ICMP error", "; without that the connection would be rejected"),
        Some(ReplySays::SynAck(_)) => ("a SYN-ACK", ""),
        Some(ReplySays::Ack { .. }) | None => ("a segment", ""),
    };
    format!(
        "the answer to a SYN, {answer}, was seen on our interface and never above our own firewall: we drop it ourselves{so}"
    )
}

pub(super) fn challenge(reading: &Reading) -> Option<String> {
    if reading.has(Sign::SynReachesHost) {
        return Some(
            "a SYN on a connection that is made is answered: SYNs to this port reach the host, and no filter drops them"
                .to_owned(),
        );
    }
    reading.has(Sign::ChallengeIgnored).then(|| {
        "a SYN on a connection that is made gets no answer: SYNs to this port are dropped on the way"
            .to_owned()
    })
}

pub(super) fn origin(evidence: &Evidence, reading: &Reading) -> Option<String> {
    if reading.has(Sign::AnswersContradict) {
        return Some(
            "one SYN was answered by a SYN-ACK and by a RST: somebody on the way resets what the host accepts".to_owned(),
        );
    }
    let of_port = list(&hop_limits(evidence, true));
    let of_host = list(&hop_limits(evidence, false));
    let other = reading.has(Sign::OtherDistance);
    let same = reading.has(Sign::SameDistance);
    match (other, same) {
        (true, _) => Some(format!(
            "the RST arrives with TTL {of_port}, the host's answers on another port with TTL {of_host}: it comes from \
             somewhere else"
        )),
        (false, true) => Some(format!(
            "the RST arrives with TTL {of_port}, as the host's answers on another port do"
        )),
        (false, false) => None,
    }
}

fn hop_limits(evidence: &Evidence, about_port: bool) -> BTreeSet<u8> {
    [Question::Syn, Question::Ack, Question::Fin]
        .into_iter()
        .filter(|question| !about_port || *question == Question::Syn)
        .flat_map(|question| signs::shots(evidence, question, about_port))
        .flat_map(|(_, _, shot)| signs::delivered(shot))
        .filter(|reply| match reply.says {
            ReplySays::Rst { .. } => true,
            ReplySays::SynAck(_) => !about_port,
            ReplySays::Ack { .. } | ReplySays::Icmp(_) => false,
        })
        .filter_map(|reply| reply.hop_limit)
        .collect()
}

fn list(hop_limits: &BTreeSet<u8>) -> String {
    let all: Vec<String> = hop_limits.iter().map(ToString::to_string).collect();
    all.join(" and ")
}
