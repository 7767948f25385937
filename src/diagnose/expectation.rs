//! What the user expects of an endpoint.

use std::fmt;
use std::str::FromStr;

use super::{Cause, Class};

/// A word for verdicts: a class, one cause of it, or a name for several classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Expectation {
    /// Any cause of a class; `open` holds for `slow` too.
    Class(Class),
    /// Exactly this cause.
    Cause(Cause),
    /// The connection can be made: `open` or `slow`.
    Reachable,
    /// Something on the way will not have it: `filtered`, `rejected` or a middlebox's reset.
    Blocked,
}

impl Expectation {
    /// The word for [`Expectation::Reachable`].
    pub const REACHABLE: &str = "reachable";
    /// The word for [`Expectation::Blocked`].
    pub const BLOCKED: &str = "blocked";

    /// Whether a verdict is what was expected.
    pub fn is_met_by(self, cause: Cause) -> bool {
        match self {
            Self::Class(Class::Open) | Self::Reachable => matches!(cause.class(), Class::Open | Class::Slow),
            Self::Class(class) => cause.class() == class,
            Self::Cause(expected) => cause == expected,
            Self::Blocked => {
                matches!(cause.class(), Class::Filtered | Class::Rejected) || cause == Cause::MiddleboxReset
            }
        }
    }
}

/// Whether verdicts are what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judged {
    /// They are.
    AsExpected,
    /// Our own side failed, or time ran out, so nobody knows.
    CouldNotJudge,
    /// They are not. What is surely wrong outweighs what could not be judged.
    NotAsExpected,
}

impl Judged {
    /// Of one verdict.
    pub fn of(cause: Cause, expected: &[Expectation]) -> Self {
        if expected.iter().any(|expectation| expectation.is_met_by(cause)) {
            return Self::AsExpected;
        }
        match cause.class() {
            Class::LocalError | Class::Unknown => Self::CouldNotJudge,
            Class::Open
            | Class::Slow
            | Class::Refused
            | Class::Rejected
            | Class::Unreachable
            | Class::Filtered
            | Class::BacklogFull
            | Class::Reset
            | Class::IdleDeath
            | Class::DnsFailed => Self::NotAsExpected,
        }
    }

    /// Of all verdicts of one name. A host without any IPv6 (or IPv4) reaches a name through the other family and nobody
    /// waits: an address that our own kernel has no route to does not count beside one that is as expected.
    pub fn of_name(causes: &[Cause], expected: &[Expectation]) -> Self {
        let one_is_met = causes
            .iter()
            .any(|cause| Self::of(*cause, expected) == Self::AsExpected);
        causes
            .iter()
            .filter(|cause| !(one_is_met && **cause == Cause::NoRoute))
            .map(|cause| Self::of(*cause, expected))
            .fold(Self::AsExpected, Self::max)
    }
}

/// As it is written.
impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Class(class) => write!(f, "{class}"),
            Self::Cause(cause) => write!(f, "{}/{cause}", cause.class()),
            Self::Reachable => f.write_str(Self::REACHABLE),
            Self::Blocked => f.write_str(Self::BLOCKED),
        }
    }
}

impl FromStr for Expectation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            Self::REACHABLE => return Ok(Self::Reachable),
            Self::BLOCKED => return Ok(Self::Blocked),
            _ => {}
        }
        let (class, cause) = text
            .split_once('/')
            .map_or((text, None), |(class, cause)| (class, Some(cause)));
        let class: Class = class
            .parse()
            .map_err(|error| format!("{error}, {}, {}", Self::REACHABLE, Self::BLOCKED))?;
        let Some(cause) = cause else {
            return Ok(Self::Class(class));
        };
        let of_class: Vec<Cause> = Cause::ALL
            .iter()
            .copied()
            .filter(|cause| cause.class() == class)
            .collect();
        of_class
            .iter()
            .find(|known| known.label() == cause)
            .map(|cause| Self::Cause(*cause))
            .ok_or_else(|| {
                let known: Vec<_> = of_class.iter().map(|cause| cause.label()).collect();
                format!(
                    "'{cause}' is no cause of {class}; its causes are {}",
                    known.join(", ")
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_counts_as_open_but_not_as_healthy() {
        let open: Expectation = "open".parse().unwrap();
        assert!(open.is_met_by(Cause::SynLost));
        let healthy: Expectation = "open/healthy".parse().unwrap();
        assert!(!healthy.is_met_by(Cause::SynLost));
    }

    #[test]
    fn blocked_is_what_something_on_the_way_does() {
        let blocked: Expectation = "blocked".parse().unwrap();
        for cause in [Cause::Port, Cause::AdminProhibited, Cause::MiddleboxReset] {
            assert!(blocked.is_met_by(cause), "{cause}");
        }
        for cause in [
            Cause::NoListener,
            Cause::SynDropped,
            Cause::HostUnreachable,
            Cause::NxDomain,
        ] {
            assert!(!blocked.is_met_by(cause), "{cause}");
        }
    }

    #[test]
    fn every_word_is_read_back() {
        let causes = Cause::ALL.iter().map(|cause| Expectation::Cause(*cause));
        let classes = Class::ALL.iter().map(|class| Expectation::Class(*class));
        let words = [Expectation::Reachable, Expectation::Blocked];
        for word in causes.chain(classes).chain(words) {
            assert_eq!(word.to_string().parse(), Ok(word));
        }
    }

    #[test]
    fn a_wrong_label_names_the_right_ones() {
        assert!("shut".parse::<Expectation>().unwrap_err().contains("filtered"));
        let error = "refused/port".parse::<Expectation>().unwrap_err();
        assert!(
            error.contains("no-listener") && error.contains("'port'"),
            "{error}"
        );
    }
}
