//! `tcpprobe demo`: every failure there is, on this machine, each with the verdict beside the truth.

mod cases;
mod crew;
mod fallback;
mod stage;
mod telling;

use std::io;
use std::sync::Arc;

use super::{Failure, complain, output, stop_requested};
use crate::cli::{CheckArguments, DemoArguments, Exit};
use crate::lab::loopback::Port;
use crate::lab::{self, EnterError, Family};
use crate::report::Style;
use crate::report::demo::{self as writer, Permitted};
use crew::Crew;
use stage::Play;
use telling::{Form, Telling};

/// Has everything shown, or the one case that was named. Must be called before there is a second thread.
pub(super) fn run(what: &DemoArguments, check: &CheckArguments) -> Result<Exit, Failure> {
    let style = output::style(check);
    let family = if what.ipv6 { Family::V6 } else { Family::V4 };
    let plays = Play::in_labs(family).map_err(Failure::could_not_judge)?;
    if what.list {
        let listed = writer::list(plays.iter().map(Play::scene), &style, &mut io::stdout().lock());
        return output::written(listed);
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
    let families = match (what.ipv4, what.ipv6) {
        (true, _) => vec![Family::V4],
        (_, true) => vec![Family::V6],
        (false, false) => Port::families(),
    };
    let plays = Play::on_loopback(&families);
    match &what.name {
        Some(name) if plays.iter().all(|play| play.name != *name) => Err(Failure::could_not_judge(format!(
            "loopback alone cannot show '{name}': {why}"
        ))),
        name => chosen(plays, name.as_deref()),
    }
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
