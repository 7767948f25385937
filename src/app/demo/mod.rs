//! `tcpprobe demo`: every failure there is, on this machine, each with the verdict beside the truth.

mod cases;
mod crew;
mod fallback;
mod stage;

use std::collections::BTreeMap;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::Arc;
use std::time::Instant;

use super::{Failure, complain, output, stop_requested};
use crate::cli::{CheckArguments, DemoArguments, Exit};
use crate::lab::{self, EnterError, Family};
use crate::net::clock;
use crate::report::Style;
use crate::report::demo::{self as writer, Mark, Permitted, Shown, Tally};
use crew::Crew;
use stage::Play;

/// Has everything shown, or the one case that was named. Must be called before there is a second thread.
pub(super) fn run(what: &DemoArguments, check: &CheckArguments) -> Result<Exit, Failure> {
    let style = output::style(check);
    let family = if what.ipv6 { Family::V6 } else { Family::V4 };
    let plays = Play::in_labs(family).map_err(Failure::could_not_judge)?;
    if what.list {
        let listed = writer::list(plays.iter().map(Play::scene), &style, &mut io::stdout().lock());
        return match listed {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(unwritable(&error)),
            Ok(()) | Err(_) => Ok(Exit::AsExpected),
        };
    }
    // Before the namespaces are entered: a name that there is not is an error wherever this runs.
    let plays = chosen(plays, what.name.as_deref())?;
    let (plays, sights): (_, &[Permitted]) = match lab::enter() {
        Ok(()) => (plays, &[Permitted::Connect, Permitted::Raw]),
        Err(why) => {
            complain(&fallback::says(&why));
            (on_loopback(what, &why)?, &[Permitted::Connect])
        }
    };
    let form = if what.name.is_some() {
        Form::InFull
    } else {
        Form::Table
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Failure::could_not_judge)?;
    runtime.block_on(perform(&plays.into(), sights, form, &style))
}

/// The case of that name, or all of them.
fn chosen(plays: Vec<Play>, name: Option<&str>) -> Result<Vec<Play>, Failure> {
    let Some(name) = name else { return Ok(plays) };
    let known: Vec<String> = plays.iter().map(|play| play.name.clone()).collect();
    let chosen: Vec<Play> = plays.into_iter().filter(|play| play.name == name).collect();
    if chosen.is_empty() {
        let known = known.join(", ");
        return Err(Failure::usage(format!(
            "there is no case '{name}'; there are {known}"
        )));
    }
    Ok(chosen)
}

fn on_loopback(what: &DemoArguments, why: &EnterError) -> Result<Vec<Play>, Failure> {
    let families: &[Family] = match (what.ipv4, what.ipv6) {
        (true, _) => &[Family::V4],
        (_, true) => &[Family::V6],
        (false, false) => &Family::BOTH,
    };
    let plays = Play::on_loopback(families);
    match &what.name {
        Some(name) if plays.iter().all(|play| play.name != *name) => Err(Failure::could_not_judge(format!(
            "loopback alone cannot show '{name}': {why}"
        ))),
        name => chosen(plays, name.as_deref()),
    }
}

/// How cases are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Table,
    InFull,
}

/// Has every play shown, and writes them in order, each as soon as it and those before it are known.
async fn perform(
    plays: &Arc<[Play]>,
    sights: &'static [Permitted],
    form: Form,
    style: &Style,
) -> Result<Exit, Failure> {
    let stop = stop_requested();
    tokio::pin!(stop);
    let mut telling = Telling::new(plays, sights, form, *style);
    telling.begin()?;
    let (crew, mut done) = Crew::start(plays, sights);
    loop {
        let next = tokio::select! {
            next = done.recv() => next,
            () = &mut stop => break,
        };
        let Some((play, sight, shown)) = next else { break };
        telling.hear(play, sight, shown)?;
        if telling.is_over() {
            break;
        }
    }
    drop(crew);
    telling.end()
}

/// What has been told, and what is known but cannot be told before something else.
struct Telling<'a> {
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
    fn new(plays: &'a [Play], sights: &'static [Permitted], form: Form, style: Style) -> Self {
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

    fn begin(&mut self) -> Result<(), Failure> {
        let written = match self.form {
            Form::Table => writer::heading(self.sights, &self.style, &mut self.out),
            Form::InFull => Ok(()),
        };
        self.note(written)?;
        self.progress();
        Ok(())
    }

    fn hear(&mut self, play: usize, sight: usize, shown: Shown) -> Result<(), Failure> {
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
                Mark::Right | Mark::NotRuledOut => Exit::AsExpected,
                Mark::Wrong => Exit::NotAsExpected,
                Mark::NotShown => Exit::CouldNotJudge,
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

    fn is_over(&self) -> bool {
        self.closed || self.told == self.plays.len()
    }

    /// The sum of what has been told.
    fn end(mut self) -> Result<Exit, Failure> {
        clear_progress();
        let took = clock::now() - self.began;
        let written = match self.form {
            Form::Table => writer::closing(self.told, &self.tallies, took, &self.style, &mut self.out),
            Form::InFull => Ok(()),
        };
        self.note(written)?;
        Ok(self.exit)
    }

    fn note(&mut self, written: io::Result<()>) -> Result<(), Failure> {
        match written.and_then(|()| self.out.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(error) => Err(unwritable(&error)),
        }
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

fn unwritable(error: &io::Error) -> Failure {
    Failure::could_not_judge(format!("standard output cannot be written: {error}"))
}
