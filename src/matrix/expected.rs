//! The set of verdicts that a rule expects.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::diagnose::{Cause, Class, Expectation};

/// The verdicts that meet an expectation, as the words that the user wrote.
///
/// `dns-failed`, `local-error`, `unknown` and `unreachable/no-route` meet none: they say nothing of who may reach whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Expected {
    /// In the order written; never empty.
    words: Vec<Expectation>,
}

/// Why words are no expectation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpectedError {
    /// Not a word for verdicts.
    #[error("{0}")]
    Unknown(String),
    /// Nothing at all.
    #[error("nothing is expected: write reachable, blocked, a class such as refused, or class/cause")]
    Empty,
    /// A verdict that says nothing of who may reach whom.
    #[error(
        "'{0}' cannot be expected: what would meet it (a typo, a dead resolver, trouble of our own, an idle connection that ended) says nothing of who may reach whom"
    )]
    ProvesNothing(Expectation),
}

impl Expected {
    /// From words.
    pub fn new(words: impl IntoIterator<Item = Expectation>) -> Result<Self, ExpectedError> {
        let mut kept = Vec::new();
        for word in words {
            if !Cause::ALL
                .iter()
                .any(|cause| word.is_met_by(*cause) && says_something(*cause))
            {
                return Err(ExpectedError::ProvesNothing(word));
            }
            if !kept.contains(&word) {
                kept.push(word);
            }
        }
        if kept.is_empty() {
            return Err(ExpectedError::Empty);
        }
        Ok(Self { words: kept })
    }

    /// `reachable`.
    pub fn reachable() -> Self {
        Self {
            words: vec![Expectation::Reachable],
        }
    }

    /// The words, as they were written.
    pub fn words(&self) -> &[Expectation] {
        &self.words
    }

    /// Whether a verdict is what was expected.
    pub fn is_met_by(&self, cause: Cause) -> bool {
        says_something(cause) && self.words.iter().any(|word| word.is_met_by(cause))
    }

    /// Whether it is expected that no connection can be made.
    pub fn is_negative(&self) -> bool {
        !self
            .causes()
            .iter()
            .any(|cause| matches!(cause.class(), Class::Open | Class::Slow))
    }

    /// What meets both; absent when nothing does.
    pub fn and(&self, other: &Self) -> Option<Self> {
        let (own, others) = (self.causes(), other.causes());
        let both: BTreeSet<Cause> = own.intersection(&others).copied().collect();
        if both == own {
            return Some(self.clone());
        }
        if both == others {
            return Some(other.clone());
        }
        let words = both.into_iter().map(Expectation::Cause);
        Self::new(words).ok()
    }

    fn causes(&self) -> BTreeSet<Cause> {
        let all = Cause::ALL.iter().copied();
        all.filter(|cause| self.is_met_by(*cause)).collect()
    }
}

/// Whether a verdict says anything of who may reach whom.
fn says_something(cause: Cause) -> bool {
    cause != Cause::NoRoute
        && !matches!(
            cause.class(),
            Class::IdleDeath | Class::DnsFailed | Class::LocalError | Class::Unknown
        )
}

/// Words separated by commas.
impl FromStr for Expected {
    type Err = ExpectedError;

    fn from_str(text: &str) -> Result<Self, ExpectedError> {
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        let words: Result<Vec<_>, _> = words.map(str::parse).collect();
        Self::new(words.map_err(ExpectedError::Unknown)?)
    }
}

/// `refused or filtered/port`.
impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.words.iter().enumerate() {
            if index > 0 {
                f.write_str(" or ")?;
            }
            write!(f, "{word}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(text: &str) -> Expected {
        text.parse().unwrap()
    }

    #[test]
    fn what_proves_nothing_cannot_be_expected() {
        for word in [
            "dns-failed",
            "dns-failed/nxdomain",
            "local-error",
            "unknown",
            "unreachable/no-route",
        ] {
            let error = word.parse::<Expected>().unwrap_err();
            assert!(
                matches!(error, ExpectedError::ProvesNothing(_)),
                "{word}: {error}"
            );
        }
        assert!(!expected("unreachable").is_met_by(Cause::NoRoute));
        assert!(expected("unreachable").is_met_by(Cause::HostUnreachable));
    }

    #[test]
    fn what_meets_both_is_the_narrower_one_or_what_they_share() {
        assert_eq!(
            expected("blocked").and(&expected("filtered")),
            Some(expected("filtered"))
        );
        assert_eq!(expected("blocked").and(&expected("reachable")), None);
        let shared = expected("filtered/port,open")
            .and(&expected("filtered/port,refused"))
            .unwrap();
        assert!(shared.is_met_by(Cause::Port) && !shared.is_met_by(Cause::Healthy));
    }

    #[test]
    fn negative_is_what_no_connection_meets() {
        assert!(expected("blocked,refused").is_negative());
        assert!(!expected("reachable").is_negative() && !expected("refused,slow").is_negative());
    }

    #[test]
    fn nothing_is_no_expectation() {
        assert_eq!(" , ".parse::<Expected>(), Err(ExpectedError::Empty));
    }
}
