//! Exit codes, and how several results become one.

use crate::diagnose::{Cause, Expectation, Judged};

/// What the process says to whoever started it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is as expected.
    AsExpected = 0,
    /// Something is not as expected.
    NotAsExpected = 1,
    /// Usage or configuration.
    Usage = 2,
    /// Could not judge: our own side failed, time ran out, or a mode that was asked for is not possible.
    CouldNotJudge = 3,
}

impl Exit {
    /// The code for one verdict.
    pub fn of(cause: Cause, expected: &[Expectation]) -> Self {
        Judged::of(cause, expected).into()
    }

    /// The code for all verdicts of one name.
    pub fn of_name(causes: &[Cause], expected: &[Expectation]) -> Self {
        Judged::of_name(causes, expected).into()
    }

    /// The code for two results together: what is surely wrong outweighs what could not be judged.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let weight = |exit| match exit {
            Self::AsExpected => 0,
            Self::CouldNotJudge => 1,
            Self::NotAsExpected => 2,
            Self::Usage => 3,
        };
        if weight(other) > weight(self) { other } else { self }
    }

    /// The process's exit code.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<Judged> for Exit {
    fn from(judged: Judged) -> Self {
        match judged {
            Judged::AsExpected => Self::AsExpected,
            Judged::NotAsExpected => Self::NotAsExpected,
            Judged::CouldNotJudge => Self::CouldNotJudge,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Class;

    const OPEN: &[Expectation] = &[Expectation::Class(Class::Open)];

    #[test]
    fn every_class_has_the_exit_code_of_the_contract() {
        for cause in Cause::ALL {
            let class = cause.class();
            let expected = if matches!(class, Class::Open | Class::Slow) {
                0
            } else if matches!(class, Class::LocalError | Class::Unknown) {
                3
            } else {
                1
            };
            assert_eq!(Exit::of(*cause, OPEN).code(), expected, "{cause}");
            assert_eq!(
                Exit::of(*cause, &[Expectation::Cause(*cause)]).code(),
                0,
                "{cause}"
            );
        }
    }

    #[test]
    fn what_is_surely_wrong_outweighs_what_could_not_be_judged() {
        assert_eq!(Exit::CouldNotJudge.and(Exit::NotAsExpected), Exit::NotAsExpected);
        assert_eq!(Exit::NotAsExpected.and(Exit::CouldNotJudge), Exit::NotAsExpected);
        assert_eq!(Exit::AsExpected.and(Exit::CouldNotJudge), Exit::CouldNotJudge);
    }

    #[test]
    fn a_family_that_this_host_does_not_have_is_no_failure_of_a_name_that_works() {
        assert_eq!(
            Exit::of_name(&[Cause::NoRoute, Cause::Healthy], OPEN),
            Exit::AsExpected
        );
        assert_eq!(Exit::of_name(&[Cause::NoRoute], OPEN), Exit::NotAsExpected);
        assert_eq!(
            Exit::of_name(&[Cause::Healthy, Cause::Port], OPEN),
            Exit::NotAsExpected
        );
    }
}
