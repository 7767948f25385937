//! What one check came to, in short.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use crate::check::{EndpointOutcome, TargetOutcome};
use crate::diagnose::{Cause, Confidence, Diagnosis, Expectation, FindingKind, Judged, is_mixed};
use crate::evidence::{Family, Resolution};

/// What one check came to, in short. Where a name has several addresses, that of the endpoint which decided: the first that
/// is not as expected, or else the one that a client would try first.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// When it began, since the Unix epoch.
    pub began_unix_s: Duration,
    /// How long it took: name, all tries, and the looks at what did not answer.
    pub took_s: Duration,
    /// How often was looked (from 1).
    pub tried: u32,
    /// Whether all is as expected.
    pub judged: Judged,
    /// The verdict.
    pub cause: Cause,
    /// How sure it is.
    pub confidence: Confidence,
    /// Whether it is not as expected, and some SYNs were answered and others were not: what became another while it was looked at
    /// shows as that too.
    pub is_mixed: bool,
    /// Who said so: the sender of an ICMP error, or the last hop that answered.
    pub from: Option<IpAddr>,
    /// The address; absent for a name that gave none.
    pub address: Option<IpAddr>,
    /// How many addresses were looked at.
    pub addresses: usize,
    /// How the name became addresses; absent for an address.
    pub lookups: Option<Lookups>,
    /// From `connect()` to its success; absent without a handshake.
    pub connect_s: Option<Duration>,
    /// The round trip of the handshake; absent without one, or after a retransmission.
    pub rtt_s: Option<Duration>,
    /// SYNs that had to be sent again before one was answered; absent without a handshake.
    pub syn_retransmits: Option<u32>,
    /// What is true and useful beside the verdicts, of the name and of all addresses; each once, in the order of the vocabulary.
    pub findings: Vec<FindingKind>,
}

/// How long a name took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lookups {
    /// From the first question to the last answer.
    pub took_s: Duration,
    /// Of the questions for IPv4 addresses together; absent where none was asked.
    pub v4_s: Option<Duration>,
    /// Of those for IPv6 addresses.
    pub v6_s: Option<Duration>,
}

impl Seen {
    /// Of what the last of `tried` looks came to; absent where there is neither an address nor a reason for having none.
    pub fn of(
        outcome: &TargetOutcome,
        expected: &[Expectation],
        tried: u32,
        began_unix_s: Duration,
        took_s: Duration,
    ) -> Option<Self> {
        let failed_name = outcome.name.as_ref().and_then(|name| name.failed.as_ref());
        let parts: Vec<(Option<&EndpointOutcome>, &Diagnosis)> = failed_name
            .map(|diagnosis| (None, diagnosis))
            .into_iter()
            .chain(
                outcome
                    .endpoints
                    .iter()
                    .map(|endpoint| (Some(endpoint), &endpoint.diagnosis)),
            )
            .collect();
        let causes: Vec<Cause> = parts.iter().map(|(_, diagnosis)| diagnosis.cause).collect();
        let judged = Judged::of_name(&causes, expected);
        let decided = parts
            .iter()
            .find(|(_, diagnosis)| Judged::of(diagnosis.cause, expected) == judged);
        let (endpoint, diagnosis) = decided.or(parts.first())?;
        let handshake = endpoint.and_then(|endpoint| endpoint.evidence.first_handshake());
        Some(Self {
            began_unix_s,
            took_s,
            tried,
            judged,
            cause: diagnosis.cause,
            confidence: diagnosis.confidence,
            is_mixed: judged == Judged::NotAsExpected
                && endpoint.is_some_and(|endpoint| is_mixed(&endpoint.evidence)),
            from: diagnosis.from,
            address: endpoint.map(|endpoint| endpoint.evidence.endpoint.ip()),
            addresses: outcome.endpoints.len(),
            lookups: outcome.name.as_ref().map(|name| Lookups::of(&name.resolution)),
            connect_s: handshake.map(|handshake| handshake.connect_s),
            rtt_s: endpoint.and_then(|endpoint| endpoint.evidence.handshake_rtt()),
            syn_retransmits: handshake.map(|handshake| handshake.retransmitted_syns),
            findings: findings(outcome, &parts),
        })
    }
}

fn findings(outcome: &TargetOutcome, parts: &[(Option<&EndpointOutcome>, &Diagnosis)]) -> Vec<FindingKind> {
    let of_name = outcome.name.iter().flat_map(|name| &name.findings);
    let of_parts = parts.iter().flat_map(|(_, diagnosis)| &diagnosis.findings);
    let kinds: BTreeSet<FindingKind> = of_name.chain(of_parts).map(|finding| finding.kind).collect();
    kinds.into_iter().collect()
}

impl Lookups {
    fn of(resolution: &Resolution) -> Self {
        let of_family = |family| {
            let mut asked = resolution
                .lookups
                .iter()
                .filter(|lookup| lookup.family == family)
                .peekable();
            asked.peek()?;
            Some(asked.map(|lookup| lookup.took_s).sum())
        };
        Self {
            took_s: resolution.took_s,
            v4_s: of_family(Family::A),
            v6_s: of_family(Family::Aaaa),
        }
    }
}
