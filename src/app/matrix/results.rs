//! Where records are kept that may have to be read again: the file that the user named, else one without a name.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::app::Failure;
use crate::app::report::results::nameless;
use crate::matrix::{Edge, Edges};
use crate::report::matrix::find::Finder;
use crate::report::matrix::read::{self, Record};

/// Records, each a line, that can be read again.
#[derive(Debug)]
pub(super) struct Results {
    /// As messages name it; absent for a file without a name.
    path: Option<PathBuf>,
    file: File,
    /// Where the next record will begin.
    end: u64,
    /// What has not been written yet.
    unwritten: Vec<u8>,
    /// Where the record of each edge begins, by the number that the merger knows it by.
    places: Vec<u64>,
}

/// More than this is not held back.
const BUFFER: usize = 1 << 16;
/// How every line that we write begins.
const RECORD_BEGINS: &[u8] = b"{\"schema\":\"tcpprobe-matrix/";
/// For an edge whose record is not kept.
const NOWHERE: u64 = u64::MAX;

impl Results {
    /// A file without a name.
    pub(super) fn without_name() -> Result<Self, Failure> {
        let file = nameless().map_err(|error| {
            Failure::could_not_judge(format!(
                "there is no place for results: {error}; name one with --results"
            ))
        })?;
        Ok(Self::of(None, file, 0))
    }

    /// A new file, or an empty one.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let file = open(path, OpenOptions::new().create(true))?;
        let length = file.metadata().map(|metadata| metadata.len());
        match length {
            Ok(0) => Ok(Self::of(Some(path), file, 0)),
            Ok(_) => Err(Failure::usage(format!(
                "{shown} holds something already: go on with it by --resume {shown}, or name another file"
            ))),
            Err(error) => Err(Failure::usage(format!("{shown} cannot be read: {error}"))),
        }
    }

    /// A file that is there, for reading it first; what is recorded comes behind what it holds.
    pub(super) fn existing(path: &Path) -> Result<Self, Failure> {
        let file = open(path, &mut OpenOptions::new())?;
        let shown = path.display();
        let mut results = Self::of(Some(path), file, 0);
        let end = results.complete_lines();
        match end.map_err(|error| Failure::usage(format!("{shown} cannot be read: {error}")))? {
            Some(end) => results.end = end,
            None => {
                return Err(Failure::usage(format!(
                    "{shown} holds something, but no results: name a file that --results wrote, or a new one with --results"
                )));
            }
        }
        Ok(results)
    }

    fn of(path: Option<&Path>, file: File, end: u64) -> Self {
        Self {
            path: path.map(Path::to_owned),
            file,
            end,
            unwritten: Vec::new(),
            places: Vec::new(),
        }
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Gives the next edge its number. Its record begins at that place of the file, if it is in there.
    pub(super) fn note(&mut self, place: Option<u64>) -> u64 {
        self.places.push(place.unwrap_or(NOWHERE));
        self.places.len() as u64 - 1
    }

    /// The number that the next edge will get.
    pub(super) fn next_number(&self) -> u64 {
        self.places.len() as u64
    }

    /// Adds a record; returns where it begins.
    pub(super) fn add(&mut self, line: &[u8]) -> Result<u64, Failure> {
        let at = self.end;
        self.unwritten.extend_from_slice(line);
        self.end += line.len() as u64;
        if self.unwritten.len() >= BUFFER {
            self.flush()?;
        }
        Ok(at)
    }

    /// An edge has a later record.
    pub(super) fn moved(&mut self, number: u64, place: u64) {
        if let Some(known) = usize::try_from(number)
            .ok()
            .and_then(|at| self.places.get_mut(at))
        {
            *known = place;
        }
    }

    /// Writes what has been held back.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(&self.unwritten);
        self.unwritten.clear();
        written.map_err(|error| {
            let what = self
                .path
                .as_ref()
                .map_or_else(|| "results".to_owned(), |path| path.display().to_string());
            Failure::could_not_judge(format!("{what} cannot be written: {error}"))
        })
    }

    /// The line at a place.
    pub(super) fn line(&self, at: u64) -> io::Result<String> {
        let mut line = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let read = self.file.read_at(&mut chunk, at + line.len() as u64)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(end) = memchr::memchr(b'\n', &chunk[..read]) {
                line.extend_from_slice(&chunk[..end]);
                return String::from_utf8(line).map_err(io::Error::other);
            }
            line.extend_from_slice(&chunk[..read]);
        }
    }

    /// Where the last complete line ends; absent, and nothing is touched, where the file holds no results. What follows that
    /// line was cut when its writer was killed: the beginning of a record is dropped, anything else is given the end of a line.
    fn complete_lines(&mut self) -> io::Result<Option<u64>> {
        const CHUNK: u64 = 1 << 16;
        let length = self.file.metadata()?.len();
        let mut begin = length;
        let mut tail = Vec::new();
        let cut = loop {
            if begin == 0 {
                break 0;
            }
            let from = begin.saturating_sub(CHUNK);
            let mut chunk = vec![0; usize::try_from(begin - from).unwrap_or_default()];
            self.file.read_exact_at(&mut chunk, from)?;
            if let Some(end) = memchr::memrchr(b'\n', &chunk) {
                let rest = chunk.split_off(end + 1);
                tail.splice(..0, rest);
                break from + end as u64 + 1;
            }
            tail.splice(..0, chunk);
            begin = from;
        };
        let is_cut_record =
            !tail.is_empty() && (tail.starts_with(RECORD_BEGINS) || RECORD_BEGINS.starts_with(&tail));
        let holds_results = is_cut_record || length == 0 || Finder::new(&self.file).find()?.is_some();
        self.file.rewind()?;
        if !holds_results {
            return Ok(None);
        }
        if cut == length {
            return Ok(Some(length));
        }
        let is_whole = std::str::from_utf8(&tail).is_ok_and(|tail| read::record(tail).is_ok());
        if is_cut_record && !is_whole {
            self.file.set_len(cut)?;
            return Ok(Some(cut));
        }
        self.file.write_all(b"\n")?;
        Ok(Some(length + 1))
    }
}

/// Opens a file that nobody else adds to.
fn open(path: &Path, options: &mut OpenOptions) -> Result<File, Failure> {
    let shown = path.display();
    let file = options
        .read(true)
        .append(true)
        .open(path)
        .map_err(|error| Failure::usage(format!("{shown} cannot be opened: {error}")))?;
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err(Failure::usage(format!(
            "{shown} is no regular file: results are read again, so name one that is"
        )));
    }
    // A file system that knows no locks does without.
    if flock(&file, FlockOperation::NonBlockingLockExclusive) == Err(rustix::io::Errno::WOULDBLOCK) {
        return Err(Failure::usage(format!(
            "{shown} is being written by another run: name another file"
        )));
    }
    Ok(file)
}

impl Edges for Results {
    fn edge(&self, at: u64) -> io::Result<Edge> {
        let place = usize::try_from(at).ok().and_then(|at| self.places.get(at));
        let place = place
            .filter(|place| **place != NOWHERE)
            .ok_or(io::ErrorKind::NotFound)?;
        match read::record(&self.line(*place)?) {
            Ok((Record::Edge(edge), _)) => Ok(*edge),
            Ok((Record::Run(_), _)) => Err(io::Error::other("an edge has become a summary")),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}
