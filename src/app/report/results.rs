//! Results in files and pipes: read once from beginning to end, then an edge at a time.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::app::{Failure, complain};
use crate::matrix::{Answer, Edge, Edges, Merger};
use crate::report::matrix::find::{Finder, Found};
use crate::report::matrix::read::{self, Record};

/// Where the records of all edges are.
#[derive(Debug, Default)]
pub(super) struct Results {
    files: Vec<(String, File)>,
    places: Vec<Place>,
}

/// Where the record of one edge is.
#[derive(Debug, Clone, Copy)]
struct Place {
    file: usize,
    at: u64,
    length: usize,
}

/// Records that could not be read, of one file.
#[derive(Debug, Default)]
struct Damaged {
    lines: Vec<u64>,
    first: String,
    count: u64,
}

/// More lines than this are not named.
const FEW: usize = 5;

/// Reads results and merges them. What cannot be read of them is told on standard error.
pub(super) fn read<P: AsRef<Path>>(paths: &[P]) -> Result<(Answer, Results), Failure> {
    let (mut merger, mut results) = (Merger::default(), Results::default());
    let mut has_stdin = false;
    for path in paths {
        let path = path.as_ref();
        if path == Path::new("-") && std::mem::replace(&mut has_stdin, true) {
            return Err(Failure::usage(
                "standard input (\"-\") can be read only once: name it once",
            ));
        }
        let (name, file) = open(path)?;
        results.add(name, file, &mut merger)?;
    }
    let answer = merger.into_answer();
    if answer.cells.is_empty() && answer.runs.is_empty() {
        let names: Vec<&str> = results.files.iter().map(|(name, _)| name.as_str()).collect();
        return Err(Failure::usage(format!(
            "no record of a matrix in {}: give what \"tcpprobe matrix -o jsonl\" or --results wrote",
            names.join(", ")
        )));
    }
    Ok((answer, results))
}

/// A file in which any place can be read again. What comes from a pipe is copied to a file without a name.
fn open(path: &Path) -> Result<(String, File), Failure> {
    let is_stdin = path == Path::new("-");
    let name = if is_stdin {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    let failed = |error: &io::Error| Failure::usage(format!("{name} cannot be read: {error}"));
    let copied = |source: &mut dyn Read| {
        let mut copy = nameless().map_err(|error| {
            Failure::could_not_judge(format!("there is no place for a copy of {name}: {error}"))
        })?;
        io::copy(source, &mut copy)
            .and_then(|_| copy.rewind())
            .map_err(|error| Failure::could_not_judge(format!("{name} cannot be copied: {error}")))?;
        Ok(copy)
    };
    let file = if is_stdin {
        copied(&mut io::stdin().lock())?
    } else {
        let mut file = File::open(path).map_err(|error| failed(&error))?;
        let kind = file.metadata().map_err(|error| failed(&error))?.file_type();
        if kind.is_dir() {
            return Err(Failure::usage(format!(
                "{name} is a directory: name the files in it"
            )));
        }
        if kind.is_file() { file } else { copied(&mut file)? }
    };
    Ok((name, file))
}

/// A file without a name, in memory where there is no directory for it, as in a container with a read-only root.
pub(in crate::app) fn nameless() -> io::Result<File> {
    tempfile::tempfile().or_else(|_| {
        let flags = rustix::fs::MemfdFlags::CLOEXEC;
        Ok(rustix::fs::memfd_create("tcpprobe-results", flags)?.into())
    })
}

impl Results {
    fn add(&mut self, name: String, file: File, merger: &mut Merger) -> Result<(), Failure> {
        let mut finder = Finder::new(&file);
        let mut damaged = Damaged::default();
        let mut records = 0u64;
        loop {
            let found = finder
                .find()
                .map_err(|error| Failure::could_not_judge(format!("{name} cannot be read: {error}")))?;
            match found {
                None => break,
                Some(Found::Edge { edge, at, length }) => {
                    records += 1;
                    merger.add(self.places.len() as u64, &edge);
                    self.places.push(Place {
                        file: self.files.len(),
                        at,
                        length,
                    });
                }
                Some(Found::Run(run)) => {
                    records += 1;
                    merger.add_run(*run);
                }
                Some(Found::Damaged { line, why }) => damaged.note(line, why),
            }
        }
        damaged.tell(&name);
        if records == 0 && damaged.count == 0 {
            complain(&format!("{name} holds no record of a matrix"));
        }
        self.files.push((name, file));
        Ok(())
    }
}

impl Damaged {
    fn note(&mut self, line: u64, why: String) {
        if self.count == 0 {
            self.first = why;
        }
        self.count += 1;
        if self.lines.len() < FEW {
            self.lines.push(line);
        }
    }

    fn tell(&self, name: &str) {
        if self.count == 0 {
            return;
        }
        let lines: Vec<String> = self.lines.iter().map(ToString::to_string).collect();
        let more = if self.count > FEW as u64 { ", …" } else { "" };
        let (records, noun) = match self.count {
            1 => ("1 damaged record is".to_owned(), "line"),
            many => (format!("{many} damaged records are"), "lines"),
        };
        complain(&format!(
            "{name}: {records} left out, in {noun} {}{more}; the first: {}",
            lines.join(", "),
            self.first
        ));
    }
}

impl Edges for Results {
    fn edge(&self, at: u64) -> io::Result<Edge> {
        let place = usize::try_from(at).ok().and_then(|at| self.places.get(at));
        let place = place.ok_or(io::ErrorKind::NotFound)?;
        let (name, file) = &self.files[place.file];
        let mut record = vec![0; place.length];
        let changed = |why: String| io::Error::other(format!("{name} has changed meanwhile: {why}"));
        file.read_exact_at(&mut record, place.at)
            .map_err(|error| changed(error.to_string()))?;
        let record = String::from_utf8(record).map_err(|error| changed(error.to_string()))?;
        match read::record(&record) {
            Ok((Record::Edge(edge), _)) => Ok(*edge),
            Ok((Record::Run(_), _)) => Err(changed("an edge has become a summary".to_owned())),
            Err(error) => Err(changed(error.to_string())),
        }
    }
}
