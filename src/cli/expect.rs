//! What the user expects of an endpoint.

use std::str::FromStr;

use crate::diagnose::{Cause, Class};

/// A class, or one cause of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expectation {
    /// Any cause of a class; `open` holds for `slow` too.
    Class(Class),
    /// Exactly this cause.
    Cause(Cause),
}

impl Expectation {
    /// Whether a verdict is what was expected.
    pub fn is_met_by(self, cause: Cause) -> bool {
        match self {
            Self::Class(Class::Open) => matches!(cause.class(), Class::Open | Class::Slow),
            Self::Class(class) => cause.class() == class,
            Self::Cause(expected) => cause == expected,
        }
    }
}

impl FromStr for Expectation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (class, cause) = text
            .split_once('/')
            .map_or((text, None), |(class, cause)| (class, Some(cause)));
        let class: Class = class.parse().map_err(|error| format!("{error}"))?;
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
    fn a_wrong_label_names_the_right_ones() {
        assert!("shut".parse::<Expectation>().unwrap_err().contains("filtered"));
        let error = "refused/port".parse::<Expectation>().unwrap_err();
        assert!(
            error.contains("no-listener") && error.contains("'port'"),
            "{error}"
        );
    }
}
