//! What the page says before, and without, its script: the worst in the headline, and the first targets as a table.

use std::fmt::Write as _;
use std::sync::PoisonError;
use std::time::Duration;

use super::list::{Entry, Listed, Rank, State};
use crate::diagnose::Class;
use crate::monitor::{Board, MINUTES, Slot};
use crate::report::human::human_duration;
use crate::report::matrix::letter;
use crate::report::monitor::event::time;
use crate::report::web::Escaped;

/// So many targets are in the page itself.
const FIRST: usize = 200;

/// What a tab of the browser is called: in a row of tabs only its beginning is seen.
pub(super) fn title(listed: &Listed) -> String {
    match listed.count(Rank::Wrong) {
        0 => "tcpprobe monitor".to_owned(),
        wrong => format!("({wrong}) tcpprobe monitor"),
    }
}

/// The word by which the style knows how bad it is.
pub(super) fn mood(listed: &Listed) -> &'static str {
    let all = listed.slots.len();
    if listed.count(Rank::Wrong) > 0 {
        "bad"
    } else if all > 0 && listed.count(Rank::Fine) == all {
        "good"
    } else {
        "unsure"
    }
}

/// The worst thing first.
pub(super) fn headline(listed: &Listed) -> String {
    let (all, wrong) = (listed.slots.len(), listed.count(Rank::Wrong));
    let of_all = match all {
        1 => "The only target is".to_owned(),
        _ => format!(
            "{wrong} of {all} targets {}",
            if wrong == 1 { "is" } else { "are" }
        ),
    };
    match (all, wrong, listed.count(Rank::Fine)) {
        (0, _, _) => "No target is configured".to_owned(),
        (1, 0, 1) => "The only target is as expected".to_owned(),
        (_, 0, fine) if fine == all => format!("All {all} targets are as expected"),
        (_, 0, fine) => format!("No target is known to be wrong; {} not sure", all - fine),
        _ => format!("{of_all} not as expected"),
    }
}

/// What is wrong with the monitor itself has to be seen before anything else is read.
pub(super) fn troubles(board: &Board) -> String {
    let loaded = board.loaded();
    let Some(error) = &loaded.error else {
        return String::new();
    };
    let since = time(loaded.success_unix_s).map_or_else(String::new, |time| format!(" of {}", minute(&time)));
    format!(
        "<p><strong>The configuration was not taken.</strong> That{since} stays in force.</p><pre>{}</pre>",
        Escaped(error)
    )
}

/// The first targets as rows of a table.
pub(super) fn write(listed: &Listed, now: Duration, page: &mut String) {
    for (rank, slot) in listed.slots.iter().take(FIRST) {
        row(*rank, slot, now, page);
    }
}

/// How many there are beyond these.
pub(super) fn rest(listed: &Listed) -> String {
    match listed.slots.len().saturating_sub(FIRST) {
        0 => String::new(),
        rest => format!("{rest} more are listed where JavaScript is permitted, and at /api/targets."),
    }
}

fn row(rank: Rank, slot: &Slot, now: Duration, page: &mut String) {
    let standing = slot.standing.lock().unwrap_or_else(PoisonError::into_inner);
    let entry = Entry::of(slot, &standing, now);
    drop(standing);
    let says = entry
        .latest
        .as_ref()
        .map_or("not checked yet", |latest| &latest.says);
    let class = entry
        .confirmed
        .as_ref()
        .map_or(Class::Unknown, |confirmed| confirmed.class);
    let since = entry
        .confirmed
        .as_ref()
        .map_or_else(String::new, |confirmed| since(confirmed, now));
    let checked = entry.latest.as_ref().map_or_else(String::new, |latest| {
        format!("checked {} ago", ago(now, latest.began_unix_s))
    });
    // Writing to a string does not fail.
    let _ = write!(
        page,
        "<tr class=\"{}\"><td><span class=\"badge class-{}\" aria-hidden=\"true\">{}</span>{}</td><th scope=\"row\">\
         <bdi>{}</bdi></th><td>{}</td><td>{since}</td><td>{}</td><td>{checked}</td></tr>",
        word(rank),
        place(class),
        letter(class),
        in_words(rank),
        Escaped(&entry.name),
        Escaped(says),
        picture(&entry.strip),
    );
}

/// `open for 2 h 3 min, since 2026-11-22 20:01 UTC`.
fn since(confirmed: &State, now: Duration) -> String {
    let at =
        time(confirmed.since_unix_s).map_or_else(String::new, |time| format!(", since {}", minute(&time)));
    format!(
        "{}/{} for {}{at}",
        confirmed.class,
        confirmed.cause,
        ago(now, confirmed.since_unix_s)
    )
}

/// By which the style knows the rank of a row.
const fn word(rank: Rank) -> &'static str {
    match rank {
        Rank::Wrong => "wrong",
        Rank::Doubtful => "doubtful",
        Rank::Blind => "blind",
        Rank::New => "new",
        Rank::Fine => "fine",
    }
}

const fn in_words(rank: Rank) -> &'static str {
    match rank {
        Rank::Wrong => "not as expected",
        Rank::Doubtful => "not as expected, not confirmed",
        Rank::Blind => "could not judge",
        Rank::New => "not checked yet",
        Rank::Fine => "as expected",
    }
}

/// To the second.
fn ago(now: Duration, then: Duration) -> String {
    human_duration(Duration::from_secs(now.saturating_sub(then).as_secs()))
}

/// `2026-11-22 20:01 UTC`.
fn minute(rfc3339: &str) -> String {
    let text = rfc3339.get(..16).unwrap_or(rfc3339);
    format!("{} UTC", text.replacen('T', " ", 1))
}

fn place(class: Class) -> usize {
    Class::ALL
        .iter()
        .position(|other| *other == class)
        .unwrap_or_default()
}

/// The last hour as bars: high where a check was not as expected, low where all were. Minutes that are alike are one bar.
fn picture(strip: &str) -> String {
    let letters: Vec<char> = strip.chars().collect();
    let mut bars = String::new();
    let mut at = 0;
    for alike in letters.chunk_by(|one, other| one == other) {
        let class = Class::ALL
            .iter()
            .find(|class| letter(**class).eq_ignore_ascii_case(&alike[0]));
        if let Some(class) = class {
            let is_missed = alike[0] == letter(*class);
            let (top, height) = if is_missed { (0, 16) } else { (10, 6) };
            let _ = write!(
                bars,
                "<rect class=\"class-{}\" x=\"{at}\" y=\"{top}\" width=\"{}\" height=\"{height}\"/>",
                place(*class),
                alike.len()
            );
        }
        at += alike.len();
    }
    format!(
        "<svg class=\"strip\" viewBox=\"0 0 {MINUTES} 16\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">{bars}</svg>",
        spoken(&letters)
    )
}

/// What a strip shows, for who cannot see it.
fn spoken(letters: &[char]) -> String {
    let minutes = letters.iter().filter(|letter| **letter != '.').count();
    let missed = letters.iter().filter(|letter| is_missed(**letter)).count();
    match (minutes, missed) {
        (0, _) => "the last hour: no check".to_owned(),
        (minutes, 0) => format!("the last hour: as expected in all of {minutes} minutes"),
        (minutes, missed) => format!("the last hour: not as expected in {missed} of {minutes} minutes"),
    }
}

/// Of [`Class::Unknown`], whose letter has no lower case, a check is hardly ever as expected.
fn is_missed(letter: char) -> bool {
    letter.is_ascii_uppercase() || letter == '?'
}
