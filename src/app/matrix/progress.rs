//! How far a run has come, on standard error: a line that changes on a terminal, a line every few seconds elsewhere.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use crate::app::terminal::{can_animate, columns, one_row};
use crate::matrix::Totals;
use crate::net::clock;

/// Says how far a run has come.
pub(super) struct Progress {
    form: Form,
    /// How many edges there are.
    all: u64,
    /// How many were done at some moments not long ago.
    moments: VecDeque<(Instant, u64)>,
    said: Instant,
    /// Whether the line on the terminal has to be cleared before anything else is written there.
    dirty: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Nothing,
    /// Plain lines.
    Lines,
    /// One line that changes.
    Terminal,
}

/// How often a plain line is written.
const LINES_EVERY: Duration = Duration::from_secs(3);
/// The rate is that of the last so many seconds.
const WINDOW: Duration = Duration::from_secs(10);

impl Progress {
    /// For a run that shall say nothing.
    pub(super) fn none() -> Self {
        Self::of(Form::Nothing, 0)
    }

    /// For a run of so many edges.
    pub(super) fn new(all: u64) -> Self {
        Self::of(
            if can_animate() {
                Form::Terminal
            } else {
                Form::Lines
            },
            all,
        )
    }

    fn of(form: Form, all: u64) -> Self {
        Self {
            form,
            all,
            moments: VecDeque::new(),
            said: clock::now(),
            dirty: false,
        }
    }

    /// How often [`Self::tick`] is to be called.
    pub(super) fn interval(&self) -> Duration {
        match self.form {
            Form::Nothing | Form::Lines => Duration::from_secs(1),
            Form::Terminal => Duration::from_millis(200),
        }
    }

    /// Time has passed, and so many edges are done.
    pub(super) fn tick(&mut self, done: u64, in_flight: usize, totals: Totals) {
        let now = clock::now();
        self.moments.push_back((now, done));
        while self.moments.len() > 2 && now - self.moments[0].0 > WINDOW {
            self.moments.pop_front();
        }
        let is_due = match self.form {
            Form::Nothing => false,
            Form::Lines => now - self.said >= LINES_EVERY,
            Form::Terminal => true,
        };
        if !is_due {
            return;
        }
        self.said = now;
        let text = self.text(done, in_flight, totals);
        let mut stderr = io::stderr().lock();
        // If nobody reads it there is nobody to tell.
        let _ = match self.form {
            Form::Nothing => Ok(()),
            Form::Lines => writeln!(stderr, "tcpprobe: {text}"),
            Form::Terminal => write!(stderr, "\r\x1b[K{}", one_row(&text, columns())),
        };
        self.dirty = self.form == Form::Terminal;
    }

    /// Makes room for something else on the terminal.
    pub(super) fn clear(&mut self) {
        if std::mem::replace(&mut self.dirty, false) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    fn text(&self, done: u64, in_flight: usize, totals: Totals) -> String {
        let mut text = format!("{done} of {} edges", self.all);
        if let Some((edges, took)) = self.recent() {
            let _ = write!(text, ", {}/s", edges * 1000 / took);
            let left = self.all.saturating_sub(done) * took / edges;
            if left > 0 {
                let left = Duration::from_secs(left.div_ceil(1000));
                let _ = write!(text, ", {} left", humantime::format_duration(left));
            }
        }
        let _ = write!(text, ", {in_flight} under way");
        for (count, word) in [
            (totals.missed, "missed"),
            (totals.unproven, "unproven"),
            (totals.errors, "errors"),
        ] {
            if count > 0 {
                let _ = write!(text, ", {count} {word}");
            }
        }
        text
    }

    /// How many edges were done lately, and in how many milliseconds; absent while there is nothing to go by.
    fn recent(&self) -> Option<(u64, u64)> {
        let ((began, before), (now, done)) = (self.moments.front()?, self.moments.back()?);
        let took = u64::try_from((*now - *began).as_millis()).ok()?;
        let edges = done.saturating_sub(*before);
        (took > 0 && edges > 0).then_some((edges, took))
    }
}
