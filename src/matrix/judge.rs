//! Whether an edge is as expected, and whether that is proven.
//!
//! That no connection can be made is proven only where the target is alive: a typo, a dead server and a name that does not
//! resolve block everything as well.

use std::fmt;
use std::sync::Arc;

use super::digest::{Digest, Endpoint, Facts};
use crate::diagnose::{Cause, Class};
use crate::target::Target;

/// What an edge comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Judgement {
    /// As expected.
    Met,
    /// Blocked as expected, but nothing shows that the target is alive.
    Unproven,
    /// Our own side failed, or time ran out.
    Error,
    /// Not as expected.
    Missed,
}

impl Judgement {
    /// Every value, from the best to the worst.
    pub const ALL: &[Self] = &[Self::Met, Self::Unproven, Self::Error, Self::Missed];

    /// The stable label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Unproven => "unproven",
            Self::Error => "error",
            Self::Missed => "missed",
        }
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// What an edge comes to, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What it comes to.
    pub judgement: Judgement,
    /// Why it is unproven or an error.
    pub why: Option<Why>,
    /// What shows that the target is alive, where the expectation was met by something else than a connection.
    pub proof: Option<Proof>,
}

/// Why an edge could not be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// The name gave no address, so nothing was asked of the target.
    NameFailed,
    /// Our own host has no way there, so nothing was sent.
    NoRoute,
    /// The host answered nowhere, and the rules name no control.
    NoLife,
    /// The host answered nowhere, and no control was open.
    NoControlOpen,
    /// Our own side could not even try.
    LocalError,
    /// Time ran out before anything could be said.
    Undecided,
}

impl Why {
    /// Every value.
    pub const ALL: &[Self] = &[
        Self::NameFailed,
        Self::NoRoute,
        Self::NoLife,
        Self::NoControlOpen,
        Self::LocalError,
        Self::Undecided,
    ];

    /// The stable label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::NameFailed => "name-failed",
            Self::NoRoute => "no-route",
            Self::NoLife => "no-life",
            Self::NoControlOpen => "no-control-open",
            Self::LocalError => "local-error",
            Self::Undecided => "undecided",
        }
    }
}

/// A sentence, with what would help.
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NameFailed => "the name gave no address, so nothing was asked of the target",
            Self::NoRoute => "our own host has no route to the target, so nothing was sent",
            Self::NoLife => {
                "nothing shows that the target is alive: the host answered nowhere; name a control that has to be open, or merge the results of a source that may reach it"
            }
            Self::NoControlOpen => {
                "nothing shows that the target is alive: the host answered nowhere, and no control was open"
            }
            Self::LocalError => "our own side could not even try",
            Self::Undecided => "time ran out before anything could be said",
        })
    }
}

/// What shows that a target is alive although no connection could be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// It answered itself: a RST of its own, a handshake.
    Answered,
    /// Its host answered elsewhere in the same look.
    AnsweredElsewhere,
    /// Its host answered at another target of the same run.
    OtherTarget(Arc<Target>),
    /// A control was open in the same run.
    Control(Arc<Target>),
    /// The target was open from another source.
    OpenFrom(Arc<str>),
}

impl Proof {
    /// The stable label.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::AnsweredElsewhere => "answered-elsewhere",
            Self::OtherTarget(_) => "other-target",
            Self::Control(_) => "control",
            Self::OpenFrom(_) => "open-from",
        }
    }
}

/// A sentence.
impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered => f.write_str("the host itself answered"),
            Self::AnsweredElsewhere => f.write_str("the host answers elsewhere"),
            Self::OtherTarget(target) => write!(f, "the host answers at {target}"),
            Self::Control(target) => write!(f, "the control {target} was open"),
            Self::OpenFrom(source) => write!(f, "it was open from {source}"),
        }
    }
}

/// Judges an edge in the light of all that is known.
pub(super) fn judge(edge: &Digest, facts: &Facts) -> Judged {
    let without_reason = |judgement| Judged {
        judgement,
        why: None,
        proof: None,
    };
    let because = |judgement, why| Judged {
        why: Some(why),
        ..without_reason(judgement)
    };
    let mut worst = without_reason(Judgement::Met);
    if edge.endpoints.is_empty() {
        return because(Judgement::Error, Why::Undecided);
    }
    for endpoint in &edge.endpoints {
        let judged = match endpoint.cause {
            cause if edge.demand.expected.is_met_by(cause) => match proof(edge, endpoint, facts) {
                Ok(proof) => Judged {
                    proof,
                    ..without_reason(Judgement::Met)
                },
                Err(why) => because(Judgement::Unproven, why),
            },
            cause => match (cause.class(), edge.demand.expected.is_negative()) {
                (Class::LocalError, _) => because(Judgement::Error, Why::LocalError),
                (Class::Unknown, _) => because(Judgement::Error, Why::Undecided),
                (Class::DnsFailed, true) => because(Judgement::Unproven, Why::NameFailed),
                (Class::Unreachable, true) if cause == Cause::NoRoute => {
                    because(Judgement::Unproven, Why::NoRoute)
                }
                _ => without_reason(Judgement::Missed),
            },
        };
        let is_worse = judged.judgement > worst.judgement;
        if is_worse || (judged.judgement == worst.judgement && worst.proof.is_none()) {
            worst = judged;
        }
    }
    worst
}

/// What shows that an endpoint is alive which was found to be as expected; nothing has to, where it could be connected to.
fn proof(edge: &Digest, endpoint: &Endpoint, facts: &Facts) -> Result<Option<Proof>, Why> {
    if matches!(endpoint.cause.class(), Class::Open | Class::Slow) {
        return Ok(None);
    }
    if answers_itself(endpoint.cause) {
        return Ok(Some(Proof::Answered));
    }
    if endpoint.answered_elsewhere {
        return Ok(Some(Proof::AnsweredElsewhere));
    }
    if let Some(address) = endpoint.address {
        if let Some(target) = facts.host_answered_at(edge, address.ip()) {
            return Ok(Some(Proof::OtherTarget(target)));
        }
        if let Some(source) = facts.open_from(edge, address) {
            return Ok(Some(Proof::OpenFrom(source)));
        }
    }
    let controls = &edge.demand.controls;
    let open = controls.iter().find(|control| facts.was_open(edge, control));
    match open {
        Some(control) => Ok(Some(Proof::Control(Arc::new(control.clone())))),
        None if controls.is_empty() => Err(Why::NoLife),
        None => Err(Why::NoControlOpen),
    }
}

/// Whether a verdict is one that only a host which is alive can bring about.
pub(super) fn answers_itself(cause: Cause) -> bool {
    match cause.class() {
        Class::Open | Class::Slow | Class::BacklogFull | Class::Reset | Class::IdleDeath => true,
        Class::Refused => cause == Cause::NoListener,
        Class::Rejected
        | Class::Unreachable
        | Class::Filtered
        | Class::DnsFailed
        | Class::LocalError
        | Class::Unknown => false,
    }
}
