//! Why: a sentence for each column that bears on the verdict, with the observations it rests on.

mod raw;

use super::signs::{self, Column, Reading, Sign, Signs};
use super::{Cause, Class, Reason};
use crate::evidence::{Ability, Answer, Evidence, IcmpError, Look, Saw};

/// The reasons for a verdict, the weightiest first.
pub(super) fn of(evidence: &Evidence, signs: &Signs, cause: Cause) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = signs
        .iter()
        .filter_map(|reading| {
            let says = sentence(evidence, reading, cause)?;
            Some(Reason {
                says,
                observations: reading.observations(),
            })
        })
        .collect();
    // Whatever the sweep says names the hop.
    let swept = signs.column(Column::Sweep).is_some_and(|reading| {
        !reading.has(Sign::SeemsToDieEarlier) && sweep(evidence, reading, cause).is_some()
    });
    let located = signs::gave_up_fragment(evidence).filter(|_| cause.class() == Class::Filtered);
    if let Some((host, index)) = located {
        reasons.push(Reason {
            says: format!(
                "{host} gave up waiting for the rest of a SYN of which it got the first fragment: what goes to this port \
                 reaches the host, so it is dropped there"
            ),
            observations: vec![index],
        });
    } else if cause.class() == Class::Filtered
        && !matches!(cause, Cause::Ingress | Cause::ReturnPath)
        && !swept
    {
        reasons.extend(last_hop(evidence));
    }
    if reasons.is_empty() {
        reasons.push(Reason {
            says: "nothing was seen that says anything".to_owned(),
            observations: Vec::new(),
        });
    }
    reasons
}

fn sentence(evidence: &Evidence, reading: &Reading, cause: Cause) -> Option<String> {
    match reading.column {
        Column::Syn => syn(evidence, reading, cause),
        Column::Ending => ending(reading, cause),
        Column::PathTime => path_time(evidence, reading),
        Column::Control => control(reading),
        Column::Echo => echo(reading),
        Column::Ack => raw::ack(reading, cause),
        Column::ControlAck => raw::control_ack(reading, cause),
        Column::Fin => raw::fin(reading, cause),
        Column::HalfOpen => raw::half_open(reading),
        Column::Challenge => raw::challenge(reading),
        Column::Origin => raw::origin(evidence, reading),
        Column::Others => others(evidence, reading, cause),
        Column::Sweep => sweep(evidence, reading, cause),
        Column::Neighbour => neighbour(evidence, reading),
        Column::Route => route(reading, cause),
        Column::Listener => listener(evidence, reading),
        Column::Egress if reading.has(Sign::SendRefused) => Some(
            "our own kernel refuses to send a SYN there (EPERM): a rule of our own firewall drops it on its way out".to_owned(),
        ),
        Column::Egress => reading.has(Sign::SendsFail).then(|| {
            "the kernel's TCPRetransFail grew with each SYN that it tried to send again: our own host refuses to send"
                .to_owned()
        }),
        Column::Ingress if reading.has(Sign::StoppedByUs) => Some(raw::stopped_by_us(evidence)),
        // Other traffic moves this counter too: a reason only where packets vanish.
        Column::Ingress => (cause.class() == Class::Filtered && reading.has(Sign::NotDelivered)).then(|| {
            "our host received packets that it handed to no socket, at least one for each answer that is missing".to_owned()
        }),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other signs stand in other columns"
)]
fn syn(evidence: &Evidence, reading: &Reading, cause: Cause) -> Option<String> {
    if reading.all_silent() {
        return Some(format!(
            "no answer of any kind to {} SYN{} of {} within {:.1} s",
            reading.unanswered,
            plural(reading.unanswered as usize),
            tries(evidence, reading),
            super::listened(evidence).as_secs_f64()
        ));
    }
    // What was slow says more than what was not.
    let slow = reading
        .answers
        .iter()
        .find(|(sign, _)| cause.class() == Class::Slow && *sign != Sign::SynAck);
    let (sign, index) = slow.or_else(|| reading.answers.first())?;
    let said = match sign {
        Sign::SynAck if cause == Cause::Healthy && signs::connects(evidence).next().is_none() => {
            "a raw SYN was answered by a SYN-ACK; no connection was made, so that nothing shows whether the server keeps one"
                .to_owned()
        }
        Sign::Icmp(_) | Sign::OwnHostUnreachable => icmp(signs::icmp_error(evidence, *index)?),
        _ if matches!(evidence.observations[*index].saw, Saw::Raw(_)) => raw_answer(*sign)?,
        Sign::SynAck => "SYN-ACK to the first SYN".to_owned(),
        Sign::LateByTimeout => format!(
            "connected after {}, just the time after which a server sends its SYN-ACK again; our SYN was not sent again",
            connect_time(evidence, *index)?
        ),
        Sign::LateSynAck => format!("SYN-ACK to the first SYN, but only after {}", connect_time(evidence, *index)?),
        Sign::AfterLostSyn => format!(
            "connected after {} by a retransmitted SYN; the SYN-ACK answers that retransmission, so the SYN before it was lost or ignored",
            connect_time(evidence, *index)?
        ),
        Sign::AfterLostSynAck => format!(
            "connected after {} by a retransmitted SYN, but the peer had the first SYN already: its SYN-ACK was lost",
            connect_time(evidence, *index)?
        ),
        Sign::AfterLoss => format!(
            "connected after {} by a retransmitted SYN; nothing says which packet was lost",
            connect_time(evidence, *index)?
        ),
        Sign::Rst if evidence.sight.error_queue != Ability::Yes => {
            "the connection was refused: by a RST, or by an ICMP port-unreachable, which this kernel does not tell apart"
                .to_owned()
        }
        Sign::Rst => "a RST answered the SYN, and the error queue is empty: no ICMP error stands behind the ECONNREFUSED".to_owned(),
        Sign::Local(_) => {
            let error = answer(evidence, *index)?.local()?;
            format!("{}() failed at once with {}: no packet left this host", error.call, error.errno)
        }
        _ => return None,
    };
    let resets = reading
        .answers
        .iter()
        .filter(|(sign, _)| *sign == Sign::Rst)
        .count();
    let said = if cause == Cause::NoListener && resets < reading.answers.len() {
        format!(
            "{said}; of {} SYNs that were answered {resets} got a RST, the others a SYN-ACK: somebody listens, though not \
             for every SYN",
            reading.answers.len()
        )
    } else {
        said
    };
    if reading.unanswered == 0 {
        return Some(said);
    }
    Some(format!(
        "{said}; {} of {} attempts got an answer, {} SYN{} got none",
        reading.answers.len(),
        reading.answers.len() + reading.silent.len(),
        reading.unanswered,
        plural(reading.unanswered as usize)
    ))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a raw SYN gets no other answers")]
fn raw_answer(sign: Sign) -> Option<String> {
    let says = match sign {
        Sign::SynAck | Sign::LateSynAck => "a raw SYN was answered by a SYN-ACK",
        Sign::Rst => "a raw SYN was answered by a RST",
        _ => return None,
    };
    Some(says.to_owned())
}

/// `3 connection attempts`, `1 connection attempt and 3 raw probes`.
fn tries(evidence: &Evidence, reading: &Reading) -> String {
    let is_raw = |index: &&usize| matches!(evidence.observations[**index].saw, Saw::Raw(_));
    let raw = reading.silent.iter().filter(is_raw).count();
    let connects = reading.silent.len() - raw;
    let connects = format!("{connects} connection attempt{}", plural(connects));
    match raw {
        0 => connects,
        raw => format!("{connects} and {raw} raw probe{}", plural(raw)),
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn connect_time(evidence: &Evidence, index: usize) -> Option<String> {
    let handshake = answer(evidence, index)?.syn_ack()?;
    let milliseconds = handshake.connect_s.as_secs_f64() * 1e3;
    Some(if milliseconds < 10.0 {
        format!("{milliseconds:.2} ms")
    } else if milliseconds >= 1e3 {
        format!("{:.2} s", milliseconds / 1e3)
    } else {
        format!("{milliseconds:.0} ms")
    })
}

fn answer(evidence: &Evidence, index: usize) -> Option<&Answer> {
    let (_, _, dial) = signs::to_port(evidence).find(|(at, ..)| *at == index)?;
    Some(&dial.answer)
}

fn icmp(error: &IcmpError) -> String {
    let who = match error.from {
        Some(from) if error.from_self => format!("our own host ({from})"),
        Some(from) => from.to_string(),
        None => "somebody".to_owned(),
    };
    format!(
        "{who} answered the SYN with ICMP type {} code {} that quotes it",
        error.icmp_type, error.code
    )
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other signs stand in other columns"
)]
fn ending(reading: &Reading, cause: Cause) -> Option<String> {
    // Where it is the verdict, what was watched for long enough says more than what was not.
    let telling = [Sign::SynAckRepeated, Sign::FinIgnored]
        .into_iter()
        .find(|sign| cause == Cause::AckIgnored && reading.has(*sign));
    let sentence = match telling.or_else(|| reading.answers.first().map(|(sign, _)| *sign))? {
        Sign::FinAcknowledged => "the peer's kernel acknowledged our FIN: it knows the connection",
        Sign::FinPending => "our FIN was not acknowledged in the time that was left",
        Sign::FinIgnored => {
            "the peer's kernel ignores our FIN again and again: it does not know the connection"
        }
        Sign::SynAckRepeated => {
            "the peer repeats its SYN-ACK and ignores our FIN: for its kernel the handshake was never finished"
        }
        Sign::BareReset => {
            "a RST without the ACK flag followed our ACK: the server's kernel has no such connection, it was not the application"
        }
        Sign::AbortReset => "a RST aborted a connection that the peer had accepted",
        Sign::ResetAtClose => {
            "a RST answered our FIN: the peer closes that way, or was slow to reset what it had accepted"
        }
        Sign::QuietThenReset => {
            "the peer kept the connection until we closed it, and answered our FIN with a RST"
        }
        Sign::AnyReset => "a RST came right after the handshake; this run could not see whose",
        _ => return None,
    };
    Some(sentence.to_owned())
}

fn path_time(evidence: &Evidence, reading: &Reading) -> Option<String> {
    let (path, _) = signs::path_round_trip(evidence)?;
    let path = format!("{:.1} ms", path.as_secs_f64() * 1e3);
    Some(if reading.has(Sign::PathFast) {
        format!("the path itself is fast: another answer of this host took {path}")
    } else {
        format!("the path itself is that long: another answer of this host took {path}")
    })
}

fn control(reading: &Reading) -> Option<String> {
    if reading.has(Sign::HostAnswers) {
        return Some("the host answers on a closed port: it is up, and the path works both ways".to_owned());
    }
    reading
        .all_silent()
        .then(|| "the host does not answer on another port either".to_owned())
}

fn echo(reading: &Reading) -> Option<String> {
    if reading.has(Sign::HostAnswers) {
        return Some("the host answers a ping".to_owned());
    }
    reading
        .all_silent()
        .then(|| "the host does not answer a ping (many never do)".to_owned())
}

fn sweep(evidence: &Evidence, reading: &Reading, cause: Cause) -> Option<String> {
    let last = signs::last_hop(evidence).map(|(last, _)| last);
    if reading.has(Sign::DiesEarlier) {
        return Some(last.map_or_else(
            || "SYNs to this port die on the way: a hop that answers for another port of the same host stays silent for this one".to_owned(),
            |last| format!("SYNs to this port die on the way, at {last} or beyond: a later hop answers only for another port"),
        ));
    }
    if reading.has(Sign::SeemsToDieEarlier) {
        return Some(
            "SYNs to this port seem to die on the way: a hop that answered for another port of the same host did not for this one, though it may have sent its ICMP errors of that second already"
                .to_owned(),
        );
    }
    reading.has(Sign::GetsAsFar).then(|| {
        let last = last.map_or_else(
            || "the last router that answers".to_owned(),
            |last| last.to_string(),
        );
        let far = format!("SYNs to this port get as far as SYNs to another port: to {last}");
        // A router looks at the TTL before it asks its firewall whether to forward.
        if cause == Cause::Port {
            format!("{far}; whether it drops them itself, or the host does, the sweep cannot tell")
        } else {
            far
        }
    })
}

fn others(evidence: &Evidence, reading: &Reading, cause: Cause) -> Option<String> {
    let (_, index) = reading.answers.first()?;
    let Saw::OtherRejection(error) = &evidence.observations.get(*index)?.saw else {
        return None;
    };
    matches!(cause.class(), Class::Rejected | Class::Unreachable | Class::Filtered).then(|| {
        format!(
            "{}, to another port of this host and in the same time; who sends ICMP errors limits their rate, so the one \
             for this port may be missing",
            icmp(error)
        )
    })
}

fn neighbour(evidence: &Evidence, reading: &Reading) -> Option<String> {
    if !reading.has(Sign::Unresolved) && !reading.has(Sign::StillAsked) {
        return None;
    }
    let index = reading.answers.first()?.1;
    let Saw::Neighbour(Look::Saw(neighbour)) = &evidence.observations.get(index)?.saw else {
        return None;
    };
    let protocol = if neighbour.address.is_ipv4() { "ARP" } else { "ND" };
    Some(format!(
        "{} is on our own link and did not answer {} {protocol} request{}: the SYN never left this host",
        neighbour.address,
        neighbour.unanswered_requests,
        plural(usize::try_from(neighbour.unanswered_requests).unwrap_or(usize::MAX))
    ))
}

fn route(reading: &Reading, cause: Cause) -> Option<String> {
    if reading.has(Sign::NoRoute) {
        return Some("the kernel's own route lookup finds no way to this address".to_owned());
    }
    (reading.has(Sign::HasRoute) && matches!(cause, Cause::NoRoute | Cause::Denied)).then(|| {
        "yet the kernel has a route: something between connect() and the routing table (cgroup program, LSM) says no".to_owned()
    })
}

fn listener(evidence: &Evidence, reading: &Reading) -> Option<String> {
    let index = reading.answers.first()?.1;
    let Saw::Listener(look) = &evidence.observations.get(index)?.saw else {
        return None;
    };
    match look {
        Look::Saw(listener) if listener.queue <= listener.limit && listener.drops == 0 => Some(format!(
            "the listening socket is on this host, and its accept queue is not full ({} waiting, backlog {})",
            listener.queue, listener.limit
        )),
        Look::Saw(listener) => Some(format!(
            "the listening socket is on this host: {} connection{} to be accepted, its backlog is {} (full above that), and it dropped {} packet{} while we probed{}",
            listener.queue,
            if listener.queue == 1 { " waits" } else { "s wait" },
            listener.limit,
            listener.drops,
            if listener.drops == 1 { "" } else { "s" },
            listener.overflows.map_or_else(String::new, |overflows| format!(
                " (ListenOverflows +{overflows})"
            ))
        )),
        Look::Nothing => Some("the address is this host's own, and nothing listens on the port".to_owned()),
        Look::CouldNot { .. } => None,
    }
}

fn last_hop(evidence: &Evidence) -> Option<Reason> {
    let (from, index) = signs::last_hop(evidence)?;
    Some(Reason {
        says: format!("a SYN to this port gets to {from}: what goes wrong is there or beyond"),
        observations: vec![index],
    })
}
