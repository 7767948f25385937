//! Many rounds of one endpoint: loss, percentiles of the handshake, and every change of verdict.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::human::{count, human_duration, wrap};
use super::style::{Style, Verbosity};
use crate::diagnose::{Cause, Class};
use crate::target::Target;

/// The rounds of one endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What the user named.
    pub target: Target,
    /// The address that was probed; absent while the name gave none.
    pub address: Option<SocketAddr>,
    /// The rounds, in order.
    pub rounds: Vec<Round>,
}

/// One round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Round {
    /// When it began, since the first one.
    pub at_s: Duration,
    /// Its verdict; the class follows from it.
    pub cause: Cause,
    /// The kernel's own round trip of the handshake, if there was one.
    pub handshake_rtt_s: Option<Duration>,
}

/// What the rounds come to. Durations are in seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// What the user named.
    pub target: String,
    /// The address and port that were probed.
    pub address: Option<SocketAddr>,
    /// How many rounds there were.
    pub rounds: usize,
    /// Rounds that were `open` or `slow`.
    pub connected: usize,
    /// Rounds in which the target failed.
    pub failed: usize,
    /// Rounds that say nothing of the target (`local-error`, `unknown`).
    pub not_judged: usize,
    /// `failed` in percent of what was judged; absent when nothing was.
    pub loss_percent: Option<f64>,
    /// Round trips of the handshakes; absent when there was none.
    pub handshake_rtt: Option<Percentiles>,
    /// Every change of verdict, the first verdict included.
    pub changes: Vec<Change>,
}

/// The spread of a duration, in seconds; percentiles with four significant digits.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Percentiles {
    pub min_s: f64,
    pub avg_s: f64,
    pub p50_s: f64,
    pub p95_s: f64,
    pub p99_s: f64,
    pub max_s: f64,
}

/// The verdict became another one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// When its first round began, since the first round of all.
    pub at_s: f64,
    /// The number of that round, from 1.
    pub round: usize,
    /// How many rounds it lasted.
    pub lasted: usize,
    /// The class of the verdict.
    pub class: Class,
    /// Its cause.
    pub cause: Cause,
}

/// Sums the rounds up.
pub fn summarise(series: &Series) -> Summary {
    let of_classes = |wanted: &[Class]| {
        series
            .rounds
            .iter()
            .filter(|round| wanted.contains(&round.cause.class()))
            .count()
    };
    let rounds = series.rounds.len();
    let connected = of_classes(&[Class::Open, Class::Slow]);
    let not_judged = of_classes(&[Class::LocalError, Class::Unknown]);
    let failed = rounds - connected - not_judged;
    Summary {
        target: series.target.to_string(),
        address: series.address,
        rounds,
        connected,
        failed,
        not_judged,
        loss_percent: percent(failed, connected + failed),
        handshake_rtt: percentiles(series.rounds.iter().filter_map(|round| round.handshake_rtt_s)),
        changes: changes(&series.rounds),
    }
}

/// Writes the summary for a person.
pub fn write_text(series: &Series, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    let summary = summarise(series);
    let rounds = format!(
        "{}, {} connected",
        count(summary.rounds, "round", "rounds"),
        summary.connected
    );
    let failed = summary
        .loss_percent
        .map(|loss| format!("{} failed ({loss:.1} % loss)", summary.failed));
    let not_judged = (summary.not_judged > 0).then(|| format!("{} not judged", summary.not_judged));
    let tail = [Some(rounds), failed, not_judged]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ");
    let address = summary
        .address
        .map(|address| address.to_string())
        .filter(|address| *address != summary.target);
    let address = address.map_or_else(String::new, |address| format!(" ({address})"));
    for line in wrap(&format!("{}{address}  ", summary.target), &tail, style.width()) {
        writeln!(out, "{line}")?;
    }
    if style.verbosity == Verbosity::Quiet {
        return Ok(());
    }
    if let Some(rtt) = &summary.handshake_rtt {
        let human = |seconds: f64| human_duration(Duration::from_secs_f64(seconds));
        let text = format!(
            "min {}, avg {}, p50 {}, p95 {}, p99 {}, max {}",
            human(rtt.min_s),
            human(rtt.avg_s),
            human(rtt.p50_s),
            human(rtt.p95_s),
            human(rtt.p99_s),
            human(rtt.max_s)
        );
        for line in wrap("  RTT ", &text, style.width()) {
            writeln!(out, "{line}")?;
        }
    }
    if let [always] = summary.changes.as_slice() {
        let label = format!("{}/{}", always.class, always.cause);
        let line = format!("  {label} in every round");
        return writeln!(out, "{}", style.verdict(&line, &label, always.class));
    }
    for change in &summary.changes {
        let lasted = count(change.lasted, "round", "rounds");
        let label = format!("{}/{}", change.class, change.cause);
        let line = format!(
            "  {:>9.3} s  round {:<4}  {label} for {lasted}",
            change.at_s, change.round
        );
        writeln!(out, "{}", style.verdict(&line, &label, change.class))?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "rounds are far fewer than 2^52")]
fn percent(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 * 100.0 / whole as f64)
}

fn percentiles(durations: impl Iterator<Item = Duration> + Clone) -> Option<Percentiles> {
    let number = u32::try_from(durations.clone().count()).unwrap_or(u32::MAX);
    let (min, max) = (durations.clone().min()?, durations.clone().max()?);
    let longest = u64::try_from(max.as_nanos()).unwrap_or(u64::MAX / 2).max(2);
    let mut histogram = Histogram::<u64>::new_with_bounds(1, longest, 4).ok()?;
    for duration in durations.clone() {
        histogram.saturating_record(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    }
    // The histogram gives the upper end of a bucket, which may be above the longest duration of all.
    let quantile = |quantile| {
        Duration::from_nanos(histogram.value_at_quantile(quantile))
            .min(max)
            .as_secs_f64()
    };
    Some(Percentiles {
        min_s: min.as_secs_f64(),
        avg_s: (durations.sum::<Duration>() / number).as_secs_f64(),
        p50_s: quantile(0.50),
        p95_s: quantile(0.95),
        p99_s: quantile(0.99),
        max_s: max.as_secs_f64(),
    })
}

fn changes(rounds: &[Round]) -> Vec<Change> {
    let mut number = 0;
    rounds
        .chunk_by(|one, next| one.cause == next.cause)
        .filter_map(|same| {
            let first = same.first()?;
            let round = number + 1;
            number += same.len();
            let (at_s, cause) = (first.at_s.as_secs_f64(), first.cause);
            Some(Change {
                at_s,
                round,
                lasted: same.len(),
                class: cause.class(),
                cause,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn rounds_that_say_nothing_of_the_target_are_no_loss() {
        let mut series = fixtures::series();
        series.rounds.push(Round {
            cause: Cause::NoPorts,
            ..series.rounds[0]
        });
        let summary = summarise(&series);
        assert_eq!((summary.connected, summary.failed, summary.not_judged), (8, 2, 1));
        assert_eq!(summary.loss_percent, Some(20.0));
    }

    #[test]
    fn a_series_without_a_handshake_has_no_percentiles() {
        let mut series = fixtures::series();
        series.rounds.retain(|round| round.handshake_rtt_s.is_none());
        assert_eq!(summarise(&series).handshake_rtt, None);
        series.rounds.clear();
        assert_eq!(summarise(&series).loss_percent, None);
    }

    #[test]
    fn the_text_shows_loss_percentiles_and_every_change() {
        let mut text = Vec::new();
        write_text(&fixtures::series(), &Style::default(), &mut text).unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "\
10.0.3.7:8080  10 rounds, 8 connected, 2 failed (20.0 % loss)
  RTT min 50 µs, avg 85 µs, p50 80 µs, p95 120 µs, p99 120 µs, max 120 µs
      0.000 s  round 1     open/healthy for 4 rounds
      4.000 s  round 5     filtered/unattributed for 2 rounds
      6.000 s  round 7     open/healthy for 4 rounds
"
        );
    }
}
