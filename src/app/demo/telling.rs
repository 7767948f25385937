//! Telling what was shown, in order, while later runs may be known before earlier ones.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::time::Instant;

use super::stage::Play;
use crate::app::Failure;
use crate::app::output::is_read;
use crate::cli::Exit;
use crate::net::clock;
use crate::report::Style;
use crate::report::demo::{self as writer, Mark, Permitted, Shown, Tally};

/// How cases are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Two lines a case, and the sum.
    Table,
    /// All that there is to say.
    InFull,
}

/// What has been told, and what is known but cannot be told before something else.
pub(super) struct Telling<'a> {
    plays: &'a [Play],
    sights: &'static [Permitted],
    form: Form,
    style: Style,
    out: BufWriter<io::Stdout>,
    began: Instant,
    /// By the number of the play and of the sight.
    known: BTreeMap<(usize, usize), Shown>,
    told: usize,
    heard: usize,
    tallies: Vec<Tally>,
    exit: Exit,
    /// Whoever read our output has gone; that is no error.
    closed: bool,
}

impl<'a> Telling<'a> {
    pub(super) fn new(plays: &'a [Play], sights: &'static [Permitted], form: Form, style: Style) -> Self {
        Self {
            plays,
            sights,
            form,
            style,
            out: BufWriter::new(io::stdout()),
            began: clock::now(),
            known: BTreeMap::new(),
            told: 0,
            heard: 0,
            tallies: sights.iter().copied().map(Tally::new).collect(),
            exit: Exit::AsExpected,
            closed: false,
        }
    }

    pub(super) fn begin(&mut self) -> Result<(), Failure> {
        let written = match self.form {
            Form::Table => writer::heading(self.sights, &self.style, &mut self.out),
            Form::InFull => Ok(()),
        };
        self.note(written)?;
        self.progress();
        Ok(())
    }

    pub(super) fn hear(&mut self, play: usize, sight: usize, shown: Shown) -> Result<(), Failure> {
        self.known.insert((play, sight), shown);
        self.heard += 1;
        clear_progress();
        while let Some(runs) = self.next_known() {
            self.tell(&runs)?;
        }
        self.progress();
        Ok(())
    }

    /// Everything about the next play, once it is known.
    fn next_known(&mut self) -> Option<Vec<(Permitted, Shown)>> {
        let keys = (0..self.sights.len()).map(|sight| (self.told, sight));
        if self.told == self.plays.len() || !keys.clone().all(|key| self.known.contains_key(&key)) {
            return None;
        }
        let shown = keys.filter_map(|key| self.known.remove(&key));
        Some(
            self.sights
                .iter()
                .copied()
                .zip(shown.collect::<Vec<_>>())
                .collect(),
        )
    }

    fn tell(&mut self, runs: &[(Permitted, Shown)]) -> Result<(), Failure> {
        let play = &self.plays[self.told];
        let scene = play.scene();
        for (tally, (_, shown)) in self.tallies.iter_mut().zip(runs) {
            tally.add(scene.truth, shown);
            self.exit = self.exit.and(match Mark::of(scene.truth, shown) {
                Mark::Right(_) | Mark::NotRuledOut(_) => Exit::AsExpected,
                Mark::Wrong(_) => Exit::NotAsExpected,
                Mark::NotShown(_) => Exit::CouldNotJudge,
            });
        }
        let written = match self.form {
            Form::Table => writer::case(&scene, runs, &self.style, &mut self.out),
            Form::InFull => {
                let apart = if self.told > 0 { writeln!(self.out) } else { Ok(()) };
                apart.and_then(|()| writer::in_full(&scene, &play.how, runs, &self.style, &mut self.out))
            }
        };
        self.told += 1;
        self.note(written)
    }

    pub(super) fn is_over(&self) -> bool {
        self.closed || self.told == self.plays.len()
    }

    /// The sum of what has been told. What is missing then could not be judged.
    pub(super) fn end(mut self) -> Result<Exit, Failure> {
        clear_progress();
        let took = clock::now() - self.began;
        let written = match self.form {
            Form::Table => writer::closing(self.told, &self.tallies, took, &self.style, &mut self.out),
            Form::InFull => Ok(()),
        };
        self.note(written)?;
        if self.is_over() {
            return Ok(self.exit);
        }
        Ok(self.exit.and(Exit::CouldNotJudge))
    }

    fn note(&mut self, written: io::Result<()>) -> Result<(), Failure> {
        self.closed |= !is_read(written.and_then(|()| self.out.flush()))?;
        Ok(())
    }

    /// How far it is, for who watches a terminal.
    fn progress(&self) {
        let runs = self.plays.len() * self.sights.len();
        if io::stderr().is_terminal() && self.heard < runs {
            let _ = write!(io::stderr(), "{} of {runs} runs done", self.heard);
        }
    }
}

fn clear_progress() {
    if io::stderr().is_terminal() {
        // To the beginning of the line, and erase to its end (ECMA-48 EL).
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
}
