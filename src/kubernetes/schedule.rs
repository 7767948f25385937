//! When a CronJob runs, in the language of the parser that Kubernetes has for it (robfig/cron, without seconds). That of
//! other parsers differs: `L`, `#`, `7` for Sunday and fields for seconds or years are no part of it.

use std::fmt;
use std::str::FromStr;

/// A schedule that Kubernetes takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(String);

/// Why it is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{says}; Kubernetes takes minute, hour, day of the month, month and day of the week, such as \"30 2 * * *\" for 02:30 every \
     night, or a word such as @daily"
)]
pub struct ScheduleError {
    says: String,
}

const WORDS: [&str; 7] = [
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
];

struct Field {
    name: &'static str,
    lowest: u32,
    highest: u32,
    /// Words for numbers, the first for the lowest.
    words: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field {
        name: "minute",
        lowest: 0,
        highest: 59,
        words: &[],
    },
    Field {
        name: "hour",
        lowest: 0,
        highest: 23,
        words: &[],
    },
    Field {
        name: "day of the month",
        lowest: 1,
        highest: 31,
        words: &[],
    },
    Field {
        name: "month",
        lowest: 1,
        highest: 12,
        words: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    Field {
        name: "day of the week",
        lowest: 0,
        highest: 6,
        words: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let text = text.trim();
        check(text).map_err(|says| ScheduleError { says })?;
        Ok(Self(text.to_owned()))
    }
}

/// As it was written.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(text: &str) -> Result<(), String> {
    if text.starts_with('@') {
        if WORDS.contains(&text) {
            return Ok(());
        }
        return Err(format!("'{text}' is none of {}", WORDS.join(", ")));
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(format!("'{text}' has {} fields instead of 5", fields.len()));
    }
    FIELDS
        .iter()
        .zip(fields)
        .try_for_each(|(field, text)| text.split(',').try_for_each(|range| field.check(range)))
}

impl Field {
    /// `*`, `?`, `3`, `3-5`, each perhaps with `/2`.
    fn check(&self, text: &str) -> Result<(), String> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (text, None),
        };
        if let Some(step) = step {
            let is_step = step.parse::<u32>().is_ok_and(|step| step > 0);
            if !is_step {
                return Err(format!("'{step}' in the {} is no step from 1", self.name));
            }
        }
        if range == "*" || range == "?" {
            return Ok(());
        }
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (self.number(from)?, self.number(to)?),
            None => (self.number(range)?, self.highest),
        };
        if from > to {
            return Err(format!("'{range}' in the {} ends before it begins", self.name));
        }
        Ok(())
    }

    fn number(&self, text: &str) -> Result<u32, String> {
        let lower = text.to_ascii_lowercase();
        let word = (self.lowest..)
            .zip(self.words)
            .find(|(_, word)| **word == lower)
            .map(|(number, _)| number);
        let is_digits = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_digits);
        word.or(number)
            .filter(|number| (self.lowest..=self.highest).contains(number))
            .ok_or_else(|| {
                format!(
                    "'{text}' is no {} from {} to {}",
                    self.name, self.lowest, self.highest
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubernetes_takes_is_taken_as_it_is() {
        for text in [
            "0 2 * * *",
            "*/15 * * * *",
            "0,30 8-18/2 1 JAN-mar,12 mon-FRI",
            "5/10 0 ? * 0",
            "59 23 31 12 6",
            "@daily",
            "@hourly",
        ] {
            assert_eq!(text.parse::<Schedule>().unwrap().to_string(), text);
        }
        assert_eq!(
            " 0 2 * * * ".parse::<Schedule>().unwrap().to_string(),
            "0 2 * * *"
        );
    }

    #[test]
    fn what_it_does_not_take_is_named_with_what_would_be_right() {
        for (text, says) in [
            ("", "has 0 fields instead of 5"),
            ("0 2 * *", "has 4 fields instead of 5"),
            ("0 0 2 * * *", "has 6 fields instead of 5"),
            ("60 * * * *", "'60' is no minute from 0 to 59"),
            ("0 24 * * *", "'24' is no hour from 0 to 23"),
            ("0 0 0 * *", "'0' is no day of the month from 1 to 31"),
            ("0 0 * 13 *", "'13' is no month from 1 to 12"),
            ("0 0 * * 7", "'7' is no day of the week from 0 to 6"),
            ("0 0 * * sunday", "'sunday' is no day of the week"),
            ("*/0 * * * *", "'0' in the minute is no step from 1"),
            ("0 18-8 * * *", "'18-8' in the hour ends before it begins"),
            ("0 +2 * * *", "'+2' is no hour"),
            ("0 , * * *", "'' is no hour"),
            ("@nightly", "'@nightly' is none of @yearly"),
            ("TZ=UTC 0 2 * * *", "has 6 fields"),
        ] {
            let error = text.parse::<Schedule>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
            assert!(error.contains("\"30 2 * * *\""), "{error}");
        }
    }
}
