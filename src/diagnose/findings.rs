//! What is true and useful beside the verdict.

use std::time::Duration;

use super::signs;
use super::{Finding, FindingKind};
use crate::evidence::{Answer, Ending, Evidence, Look, NextHop, Saw};

/// Findings of one endpoint.
pub(super) fn of_endpoint(evidence: &Evidence) -> Vec<Finding> {
    [
        closed_after_accept(evidence),
        reset_at_close(evidence),
        proxy_suspected(evidence),
        path_loss(evidence),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn closed_after_accept(evidence: &Evidence) -> Option<Finding> {
    let (index, after) = signs::connects(evidence).find_map(|(index, _, dial)| match &dial.answer {
        Answer::SynAck(handshake) => closed_first(&handshake.ending).map(|after| (index, after)),
        Answer::Rst | Answer::Icmp(_) | Answer::Local(_) | Answer::Silence => None,
    })?;
    Some(Finding {
        kind: FindingKind::ClosedAfterAccept,
        says: format!(
            "the peer closed the connection {:.1} ms after the handshake, before we had said anything: a proxy or \
             load balancer without a backend does that, and so does a server that does not want this client",
            after.as_secs_f64() * 1e3
        ),
        observations: vec![index],
    })
}

/// Only where it is proven: the FIN was acknowledged, or the peer had kept the connection for long enough.
fn reset_at_close(evidence: &Evidence) -> Option<Finding> {
    let (index, _, _) = signs::connects(evidence).find(|(_, _, dial)| {
        let ending = dial.answer.syn_ack().map(|handshake| &handshake.ending);
        ending.is_some_and(signs::is_reset_at_close)
    })?;
    Some(Finding {
        kind: FindingKind::ResetAtClose,
        says: "the peer answers our orderly close with a RST: that is how it closes, not how it refuses"
            .to_owned(),
        observations: vec![index],
    })
}

/// When the peer's FIN came, unless it only answers ours.
fn closed_first(ending: &Ending) -> Option<Duration> {
    let peer = ending.peer_fin_after_s?;
    ending.fin_after_s.is_none_or(|ours| peer <= ours).then_some(peer)
}

/// A handshake that a SYN of one hop completes was not completed by a host beyond the first router.
fn proxy_suspected(evidence: &Evidence) -> Option<Finding> {
    let beyond_first_hop = evidence.observations.iter().any(|observation| {
        matches!(&observation.saw, Saw::Route(Look::Saw(route)) if matches!(route.next_hop, NextHop::Gateway(_)))
    });
    let answered_within_one_hop = evidence.observations.iter().position(|observation| {
        let (Saw::TtlOne(dial) | Saw::Hop(dial)) = &observation.saw else {
            return false;
        };
        dial.ttl == Some(1) && dial.answer.syn_ack().is_some() && dial.to == evidence.endpoint
    })?;
    beyond_first_hop.then(|| Finding {
        kind: FindingKind::ProxySuspected,
        says: "a SYN that may live for one hop only was answered although the host is behind a router: a sidecar, a \
               transparent proxy or the first hop accepted the connection, not the host"
            .to_owned(),
        observations: vec![answered_within_one_hop],
    })
}

/// Loss that the verdict does not speak of: the controls lost packets that the host surely answers.
fn path_loss(evidence: &Evidence) -> Option<Finding> {
    let shortest_wait = signs::shortest_wait(evidence);
    let (mut answered, mut unanswered, mut lost) = (0u32, 0u32, Vec::new());
    for (index, observation, dial) in signs::controls(evidence) {
        let without_answer = match &dial.answer {
            Answer::Rst | Answer::SynAck(_) => {
                answered = answered.saturating_add(1);
                dial.syns.saturating_sub(1)
            }
            Answer::Silence if observation.took_s < shortest_wait => continue,
            Answer::Silence => dial.syns,
            Answer::Icmp(_) | Answer::Local(_) => continue,
        };
        if without_answer > 0 {
            unanswered = unanswered.saturating_add(without_answer);
            lost.push(index);
        }
    }
    (answered > 0 && unanswered > 0).then(|| Finding {
        kind: FindingKind::PathLoss,
        says: format!(
            "the path loses packets: of {} SYNs to another port of this host {unanswered} went unanswered",
            answered.saturating_add(unanswered),
        ),
        observations: lost,
    })
}
