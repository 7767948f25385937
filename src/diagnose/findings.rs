//! What is true and useful beside the verdict.

use super::signs;
use super::{Finding, FindingKind};
use crate::evidence::{Answer, Evidence, Look, NextHop, Saw};

/// Findings of one endpoint.
pub(super) fn of_endpoint(evidence: &Evidence) -> Vec<Finding> {
    [
        closed_after_accept(evidence),
        proxy_suspected(evidence),
        path_loss(evidence),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn closed_after_accept(evidence: &Evidence) -> Option<Finding> {
    let (index, after) = signs::connects(evidence).find_map(|(index, _, dial)| match &dial.answer {
        Answer::SynAck(handshake) => handshake.ending.peer_fin_after_s.map(|after| (index, after)),
        Answer::Rst | Answer::Icmp(_) | Answer::Local(_) | Answer::Silence => None,
    })?;
    Some(Finding {
        kind: FindingKind::ClosedAfterAccept,
        says: format!(
            "the peer closed the connection {after:.1?} after the handshake, before we had said anything: a proxy or \
             load balancer without a backend does that, and so does a server that does not want this client"
        ),
        observations: vec![index],
    })
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
    let (mut answered, mut lost) = (0u32, Vec::new());
    for (index, _, dial) in signs::controls(evidence) {
        match &dial.answer {
            Answer::Rst | Answer::SynAck(_) => {
                answered += 1;
                if dial.syns > 1 {
                    lost.push(index);
                }
            }
            Answer::Silence => lost.push(index),
            Answer::Icmp(_) | Answer::Local(_) => {}
        }
    }
    (answered > 0 && !lost.is_empty()).then(|| Finding {
        kind: FindingKind::PathLoss,
        says: format!(
            "the path loses packets: of {} SYNs to another port of this host {} went unanswered at first",
            u32::try_from(lost.len())
                .unwrap_or(u32::MAX)
                .saturating_add(answered),
            lost.len()
        ),
        observations: lost,
    })
}
