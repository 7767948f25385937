//! Runs every scenario many times and prints, as a table, how often the verdict was right and how long it took.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use libtest_mimic::Failed;

use tcpprobe::diagnose::{Cause, Confidence};
use tcpprobe::lab::{BuildError, EnterError, Lab};
use tcpprobe::net::clock;

use crate::machine;
use crate::scenario::{self, Case};
use crate::wanted::Score;

const ACCURACY: &str = "--accuracy";
/// Fewer than trials: here the times are results.
const RUNS_AT_A_TIME: usize = 16;

/// What one run of a scenario came to.
enum Run {
    /// There was no network to run it in.
    NoNetwork(BuildError),
    /// It said nothing that can be read, or nothing in time.
    NoVerdict(Failed),
    /// A score for each line with how sure it was said to be, and how long the command took.
    Judged(Vec<(Score, Option<Confidence>)>, Duration),
}

/// What all runs of one scenario came to.
#[derive(Default)]
struct Row {
    /// How many runs there are of each score.
    runs: BTreeMap<Score, usize>,
    /// How many had no network to run in.
    not_run: usize,
    took: Vec<Duration>,
}

/// Of lines that were said with one confidence: how many are right, and how many there are.
type Calibration = BTreeMap<Confidence, (usize, usize)>;

/// Does it if asked to, and returns the exit code: not 0 if a wrong verdict was called certain.
pub(crate) fn main(entered: &Result<(), EnterError>) -> Option<i32> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some(ACCURACY) {
        return None;
    }
    let runs = arguments.next().and_then(|runs| runs.parse().ok());
    let (Some(runs), filter) = (runs, arguments.next().unwrap_or_default()) else {
        progress(&format!("usage: {ACCURACY} RUNS [PART OF A SCENARIO'S NAME]"));
        return Some(2);
    };
    if let Err(reason) = entered {
        progress(&format!("nothing can be run here: {reason}"));
        return Some(1);
    }
    Some(match measure(runs, &filter) {
        Ok(0) => 0,
        Ok(_) => 1,
        Err(error) => {
            progress(&error.to_string());
            1
        }
    })
}

/// Returns how many runs were wrong and certain.
fn measure(runs: usize, filter: &str) -> io::Result<usize> {
    let mut cases = Vec::new();
    for case in scenario::cases() {
        match case {
            Ok(case) if case.name.contains(filter) => cases.push(case),
            Ok(_) => {}
            Err(unreadable) => progress(&format!("{}: {}", unreadable.name, unreadable.error)),
        }
    }
    cases.sort_by_cached_key(|case| (case.want().causes(), case.to_string()));
    let (rows, calibration) = run_all(&cases, runs);
    print(&mut io::stdout().lock(), runs, &cases, &rows, &calibration)?;
    Ok(rows.iter().map(|row| row.count(Score::CertainAndWrong)).sum())
}

/// Each round runs every scenario once, so that what the machine does besides is spread over all of them.
fn run_all(cases: &[Case], runs: usize) -> (Vec<Row>, Calibration) {
    let began = clock::now();
    let jobs = cases.len() * runs;
    let next = AtomicUsize::new(0);
    let results = Mutex::new((
        cases.iter().map(|_| Row::default()).collect::<Vec<_>>(),
        Calibration::new(),
    ));
    let work = || {
        loop {
            let job = next.fetch_add(1, Ordering::Relaxed);
            if job >= jobs {
                return;
            }
            let (round, number) = (job / cases.len(), job % cases.len());
            if number == 0 {
                let took = clock::now().duration_since(began).as_secs();
                progress(&format!("round {} of {runs}, after {took} s", round + 1));
            }
            let case = &cases[number];
            let run = run_once(case, round);
            let (rows, calibration) = &mut *results.lock().unwrap_or_else(PoisonError::into_inner);
            rows[number].add(case, run, calibration);
        }
    };
    thread::scope(|scope| {
        for _ in 0..RUNS_AT_A_TIME {
            scope.spawn(work);
        }
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// In a network of its own, whose dice fall differently each time.
fn run_once(case: &Case, round: usize) -> Run {
    let mut network = case.network().clone();
    network.wire.seed = network.wire.seed.wrapping_add(round as u64);
    let lab = match Lab::build(&network) {
        Ok(lab) => lab,
        Err(error) => return Run::NoNetwork(error),
    };
    let said = match case.run(&lab) {
        Ok(said) => said,
        Err(failed) => return Run::NoVerdict(failed),
    };
    let scores = case.want().scores(&said.lines);
    if case.want().overall(&scores) > Score::Right {
        progress(&format!("{case}: {}", said.finished.stdout.trim_end()));
    }
    Run::Judged(scores, said.finished.took)
}

impl Row {
    fn add(&mut self, case: &Case, run: Run, calibration: &mut Calibration) {
        let (scores, took) = match run {
            Run::NoNetwork(error) => {
                progress(&format!("{case}: {error}"));
                self.not_run += 1;
                return;
            }
            Run::NoVerdict(failed) => {
                progress(&format!("{case}: {}", failed.message().unwrap_or("failed")));
                *self.runs.entry(Score::Wrong).or_default() += 1;
                return;
            }
            Run::Judged(scores, took) => (scores, took),
        };
        *self.runs.entry(case.want().overall(&scores)).or_default() += 1;
        self.took.push(took);
        for (score, confidence) in scores {
            let Some(confidence) = confidence else { continue };
            let (right, all) = calibration.entry(confidence).or_default();
            *right += usize::from(score == Score::Right);
            *all += 1;
        }
    }

    fn count(&self, score: Score) -> usize {
        self.runs.get(&score).copied().unwrap_or_default()
    }
}

fn print(
    to: &mut impl Write,
    runs: usize,
    cases: &[Case],
    rows: &[Row],
    calibration: &Calibration,
) -> io::Result<()> {
    writeln!(to, "{}\n", machine::described())?;
    writeln!(
        to,
        "| wanted | scenario | sight | IP | right | said uncertain | wrong | certain and wrong | not run | min | median | max |"
    )?;
    writeln!(to, "|{}", " --- |".repeat(12))?;
    for (case, row) in cases.iter().zip(rows) {
        let wanted: Vec<String> = case.want().causes().into_iter().map(label).collect();
        writeln!(
            to,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            wanted.join(" or "),
            case.name.replace('_', " "),
            case.sight(),
            case.version(),
            row.count(Score::Right),
            row.count(Score::Uncertain),
            row.count(Score::Wrong),
            row.count(Score::CertainAndWrong),
            row.not_run,
            spread(row.took.clone())
        )?;
    }
    let sum = |score: Score| rows.iter().map(|row| row.count(score)).sum::<usize>();
    writeln!(
        to,
        "\n{} scenarios × {runs} runs: {} right, {} said uncertain, {} wrong, {} certain and wrong, {} not run.\n",
        cases.len(),
        sum(Score::Right),
        sum(Score::Uncertain),
        sum(Score::Wrong),
        sum(Score::CertainAndWrong),
        rows.iter().map(|row| row.not_run).sum::<usize>()
    )?;
    writeln!(
        to,
        "| said to be | verdicts | of them right |\n| --- | --- | --- |"
    )?;
    for (confidence, (right, all)) in calibration.iter().rev() {
        writeln!(to, "| {confidence} | {all} | {right} |")?;
    }
    Ok(())
}

fn label(cause: Cause) -> String {
    format!("`{}/{cause}`", cause.class())
}

fn spread(mut took: Vec<Duration>) -> String {
    took.sort();
    let at = |index: usize| {
        took.get(index)
            .map_or_else(|| "–".to_owned(), |took| format!("{:.2}", took.as_secs_f64()))
    };
    format!(
        "{} | {} | {}",
        at(0),
        at(took.len() / 2),
        at(took.len().saturating_sub(1))
    )
}

/// Nobody need listen.
fn progress(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
