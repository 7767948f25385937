//! Where events go: standard output and a file, each on a thread of its own, so that a slow reader keeps nobody waiting.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::app::complain;
use crate::app::monitor::thread::off_duty;
use crate::monitor::Board;
use crate::net::clock;
use crate::report::monitor::{Event, write_event};

/// So many bytes wait for a slow reader at most; what comes then is lost, and counted.
const MOST_WAITING: usize = 4 << 20;
/// How long the end waits for somebody who does not read.
const PATIENCE: Duration = Duration::from_millis(300);

/// Takes events to everybody who gets them.
pub(super) struct Events {
    board: Arc<Board>,
    sinks: Vec<Arc<Sink>>,
}

impl Events {
    /// To standard output, and to a file if one is named, which is appended to.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub(super) fn begin(file: Option<&Path>, board: &Arc<Board>) -> io::Result<Self> {
        let mut sinks = vec![Sink::begin(Place::Stdout(io::stdout()), board)?];
        if let Some(path) = file {
            let place = Place::File(open(path)?, path.to_owned());
            sinks.push(Sink::begin(place, board)?);
        }
        Ok(Self {
            board: Arc::clone(board),
            sinks,
        })
    }

    /// Something happens now.
    pub(super) fn tell(&self, event: &Event) {
        let line = line(event);
        for sink in &self.sinks {
            let taken = sink.change(|queue| queue.take_in(&line));
            if taken.is_err() {
                self.board.note(|engine| engine.events_lost += 1);
            }
        }
    }

    /// Has the file opened again, since the one of that name may be another: what rotates logs moved it away.
    pub(super) fn reopen(&self) {
        for sink in &self.sinks {
            sink.change(|queue| queue.is_to_reopen = true);
        }
    }

    /// Returns when all is written, or when somebody does not read.
    pub(super) fn end(self) {
        for sink in &self.sinks {
            sink.change(|queue| queue.is_ending = true);
        }
        let until = clock::now() + PATIENCE;
        for sink in &self.sinks {
            let mut queue = sink.queue();
            while !queue.has_ended {
                let left = until.saturating_duration_since(clock::now());
                if left.is_zero() {
                    break;
                }
                let waited = sink.changed.wait_timeout(queue, left);
                queue = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }
}

fn line(event: &Event) -> Vec<u8> {
    let mut line = Vec::with_capacity(4096);
    // A vector takes whatever is written.
    let written = write_event(event, clock::unix_now(), &mut line);
    debug_assert!(written.is_ok());
    line
}

/// One place where events go.
struct Sink {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Lines that found no room since the last one that did.
    lost: u64,
    is_to_reopen: bool,
    is_ending: bool,
    has_ended: bool,
    /// Nobody reads, and nobody will.
    is_closed: bool,
}

enum Place {
    Stdout(io::Stdout),
    File(File, PathBuf),
}

impl Sink {
    fn begin(place: Place, board: &Arc<Board>) -> io::Result<Arc<Self>> {
        let sink = Arc::new(Self {
            queue: Mutex::default(),
            changed: Condvar::new(),
        });
        let (own, board) = (Arc::clone(&sink), Arc::clone(board));
        off_duty("events", move || own.write_all_that_comes(place, &board))?;
        Ok(sink)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Queue) -> T) -> T {
        let outcome = change(&mut self.queue());
        self.changed.notify_all();
        outcome
    }

    fn write_all_that_comes(&self, mut place: Place, board: &Board) {
        let mut is_failing = false;
        while let Some(work) = self.next() {
            let written = match work {
                Work::Reopen => place.reopen(),
                Work::Write(line) => place.write(&line).inspect_err(|_| {
                    board.note(|engine| engine.events_lost += 1);
                }),
            };
            match written {
                Ok(()) => is_failing = false,
                Err(error) => {
                    // Once, not for each line.
                    if !is_failing && error.kind() != io::ErrorKind::BrokenPipe {
                        complain(&format!("events cannot be written to {}: {error}", place.name()));
                    }
                    is_failing = true;
                    if place.is_gone(&error) {
                        let left = self.change(Queue::close);
                        board.note(|engine| engine.events_lost += left);
                    }
                }
            }
        }
        self.change(|queue| queue.has_ended = true);
    }

    /// What is to be done next; absent when all is done and nothing more comes.
    fn next(&self) -> Option<Work> {
        let mut queue = self.queue();
        loop {
            if std::mem::take(&mut queue.is_to_reopen) {
                return Some(Work::Reopen);
            }
            if let Some(line) = queue.lines.pop_front() {
                queue.bytes -= line.len();
                return Some(Work::Write(line));
            }
            if queue.lost > 0 {
                let lost = std::mem::take(&mut queue.lost);
                return Some(Work::Write(line(&Event::Lost(lost))));
            }
            if queue.is_ending {
                return None;
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

enum Work {
    Write(Vec<u8>),
    Reopen,
}

/// There was no room.
struct Full;

impl Queue {
    fn take_in(&mut self, line: &[u8]) -> Result<(), Full> {
        if self.is_closed {
            return Err(Full);
        }
        // Once something is lost, that is to be said before anything else is.
        if self.lost > 0 || self.bytes + line.len() > MOST_WAITING {
            self.lost += 1;
            return Err(Full);
        }
        self.bytes += line.len();
        self.lines.push_back(line.to_owned());
        Ok(())
    }

    /// Nothing can be written any more; returns how many lines were still to be.
    fn close(&mut self) -> u64 {
        let left = self.lines.len() as u64;
        *self = Self {
            is_closed: true,
            is_ending: self.is_ending,
            ..Self::default()
        };
        left
    }
}

impl Place {
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => {
                let mut stdout = stdout.lock();
                stdout.write_all(line)?;
                stdout.flush()
            }
            Self::File(file, _) => file.write_all(line),
        }
    }

    fn reopen(&mut self) -> io::Result<()> {
        if let Self::File(file, path) = self {
            *file = open(path)?;
        }
        Ok(())
    }

    /// Whether nobody will ever read what is written there.
    fn is_gone(&self, error: &io::Error) -> bool {
        match self {
            Self::Stdout(_) => error.kind() == io::ErrorKind::BrokenPipe,
            Self::File(..) => false,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Stdout(_) => "standard output".to_owned(),
            Self::File(_, path) => path.display().to_string(),
        }
    }
}

/// Opens a file so that each line is appended as a whole.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_read_costs_lines_and_is_told_how_many() {
        let mut queue = Queue::default();
        let line = vec![b'x'; MOST_WAITING / 4];
        let taken = (0..6).filter(|_| queue.take_in(&line).is_ok()).count();
        assert_eq!((taken, queue.lost), (4, 2));
        queue.bytes -= queue.lines.pop_front().unwrap().len();
        assert!(
            queue.take_in(b"small").is_err(),
            "that something was lost comes first"
        );
        assert_eq!(queue.lost, 3);
    }

    #[test]
    fn who_has_gone_costs_all_that_waits_and_all_that_comes() {
        let mut queue = Queue::default();
        assert!(queue.take_in(b"one").is_ok());
        assert!(queue.take_in(b"two").is_ok());
        assert_eq!(queue.close(), 2);
        assert!(queue.take_in(b"three").is_err());
        assert!(queue.lines.is_empty());
    }
}
