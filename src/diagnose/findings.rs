//! What is true and useful beside the verdict.

mod own;
mod size;

use std::time::Duration;

use super::signs;
use super::{Finding, FindingKind};
use crate::evidence::{
    Answer, Ending, Evidence, Look, NextHop, Question, Reply, ReplySays, Saw, SynAckOptions,
};

/// Findings of one endpoint.
pub(super) fn of_endpoint(evidence: &Evidence) -> Vec<Finding> {
    [
        closed_after_accept(evidence),
        reset_at_close(evidence),
        proxy_suspected(evidence),
        syn_cookies(evidence),
        path_loss(evidence),
    ]
    .into_iter()
    .flatten()
    .chain(size::of(evidence))
    .chain(own::of(evidence))
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

/// A SYN-ACK to a SYN without timestamps has no room to keep other options in a cookie, so it offers none (Linux: measured).
/// It betrays cookies only where the same server offers them to an ordinary SYN.
fn syn_cookies(evidence: &Evidence) -> Option<Finding> {
    let ordinary = offers(evidence, Question::Syn)
        .find(|(_, options)| options.sack || options.window_scale.is_some())?;
    let bare = offers(evidence, Question::Cookie)
        .find(|(_, options)| !options.sack && options.window_scale.is_none())?;
    Some(Finding {
        kind: FindingKind::SynCookies,
        says: "a SYN without timestamps gets a SYN-ACK without any option but its MSS, an ordinary SYN one with all: the \
               server uses SYN cookies, which Linux does when more handshakes are half done than the backlog holds (or \
               always, with net.ipv4.tcp_syncookies=2)"
            .to_owned(),
        observations: vec![ordinary.0, bare.0],
    })
}

fn offers(evidence: &Evidence, question: Question) -> impl Iterator<Item = (usize, SynAckOptions)> {
    signs::shots(evidence, question, true).flat_map(|(index, _, shot)| {
        signs::delivered(shot).filter_map(move |reply| match reply.says {
            ReplySays::SynAck(options) => Some((index, options)),
            ReplySays::Rst { .. } | ReplySays::Ack { .. } | ReplySays::Icmp(_) => None,
        })
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
    for (index, observation, shot) in signs::shots(evidence, Question::Syn, false) {
        let by_tcp = |reply: &Reply| match reply.says {
            ReplySays::SynAck(_) | ReplySays::Rst { .. } | ReplySays::Ack { .. } => true,
            ReplySays::Icmp(_) => false,
        };
        if signs::delivered(shot).any(by_tcp) {
            answered = answered.saturating_add(1);
        } else if signs::is_silent(evidence, observation, shot) {
            unanswered = unanswered.saturating_add(1);
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
