//! Durations, names and lines as a person reads them.

use std::io;
use std::time::Duration;

/// A duration with three significant digits: `57 µs`, `1.02 s`, `2 min 11 s`.
pub fn human_duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if duration.is_zero() {
        "0 s".to_owned()
    } else if seconds < 999.5e-9 {
        format!("{} ns", duration.as_nanos())
    } else if seconds < 999.5e-6 {
        format!("{} µs", three_digits(seconds * 1e6))
    } else if seconds < 999.5e-3 {
        format!("{} ms", three_digits(seconds * 1e3))
    } else if seconds < 59.95 {
        format!("{} s", three_digits(seconds))
    } else {
        let whole = duration.as_secs() + u64::from(duration.subsec_millis() >= 500);
        two_units(whole)
    }
}

fn two_units(whole: u64) -> String {
    let (large, unit, small, small_unit) = if whole < 3600 {
        (whole / 60, "min", whole % 60, "s")
    } else {
        (whole / 3600, "h", whole % 3600 / 60, "min")
    };
    if small == 0 {
        format!("{large} {unit}")
    } else {
        format!("{large} {unit} {small} {small_unit}")
    }
}

fn three_digits(value: f64) -> String {
    let decimals = if value < 9.995 {
        2
    } else if value < 99.95 {
        1
    } else {
        return format!("{value:.0}");
    };
    format!("{value:.decimals$}")
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

/// `1 address`, `2 addresses`.
pub(super) fn count(number: usize, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

/// Breaks `text` into lines of at most `width` columns; a word that is longer has a line of its own. The first line
/// begins with `first`, the others with as many blanks.
pub(super) fn wrap(first: &str, text: &str, width: usize) -> Vec<String> {
    hang(first, &" ".repeat(first.chars().count()), text, width)
}

/// As [`wrap`], with `rest` in front of all lines but the first.
pub(super) fn hang(first: &str, rest: &str, text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = first.to_owned();
    let mut empty = true;
    for word in unbreakable(text) {
        let needed = usize::from(!empty) + word.chars().count();
        if !empty && line.chars().count() + needed > width {
            lines.push(std::mem::replace(&mut line, rest.to_owned()));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(&word);
        empty = false;
    }
    lines.push(line);
    lines
}

/// The words of a text, where a number and its unit are one.
fn unbreakable(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let unit = word.trim_end_matches(|letter: char| letter.is_ascii_punctuation());
        let is_unit = matches!(unit, "ns" | "µs" | "ms" | "s" | "min" | "h");
        match words.last_mut() {
            Some(last) if is_unit && last.ends_with(|letter: char| letter.is_ascii_digit()) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

/// Columns as wide as their longest cell; the last one is as long as it has to be.
pub(super) fn write_table<const N: usize>(rows: &[[String; N]], out: &mut impl io::Write) -> io::Result<()> {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            // What is named is the user's: they do not speak to the terminal.
            line.push_str(&cell.replace(char::is_control, " "));
            let blanks = width - cell.chars().count() + 2;
            line.extend(std::iter::repeat_n(' ', blanks));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits_and_the_fitting_unit() {
        let of = |nanoseconds| human_duration(Duration::from_nanos(nanoseconds));
        assert_eq!(of(0), "0 s");
        assert_eq!(of(430), "430 ns");
        assert_eq!(of(57_000), "57 µs");
        assert_eq!(of(999_600), "1 ms");
        assert_eq!(of(1_024_000), "1.02 ms");
        assert_eq!(of(250_000_000), "250 ms");
        assert_eq!(of(1_020_000_000), "1.02 s");
        assert_eq!(of(3_000_000_000), "3 s");
        assert_eq!(of(59_960_000_000), "1 min");
        assert_eq!(of(131_000_000_000), "2 min 11 s");
        assert_eq!(of(3_780_000_000_000), "1 h 3 min");
    }

    #[test]
    fn a_word_longer_than_the_line_stays_whole() {
        assert_eq!(
            wrap("- ", "aa bb cccccccccc d", 8),
            ["- aa bb", "  cccccccccc", "  d"]
        );
        assert_eq!(wrap("", "", 8), [""]);
    }

    #[test]
    fn a_number_stays_with_its_unit() {
        assert_eq!(
            wrap("", "after 1.2 ms, and 2 min 11 s.", 12),
            ["after", "1.2 ms, and", "2 min 11 s."]
        );
    }
}
