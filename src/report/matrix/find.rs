//! Finds records in text that may hold anything else: logs of many pods, prefixed, interleaved or cut.

use std::io::{self, Read};

use memchr::memmem;

use super::read::{self, Record};
use crate::matrix::{Edge, Run};

/// Something that was found.
#[derive(Debug)]
pub enum Found {
    /// An edge.
    Edge {
        /// What was looked at.
        edge: Box<Edge>,
        /// Where its record begins, in bytes.
        at: u64,
        /// How long its record is, in bytes.
        length: usize,
    },
    /// What a run says of itself when it ends.
    Run(Box<Run>),
    /// A record that cannot be read.
    Damaged {
        /// The line in which it begins, counted from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
}

/// Reads a text to its end, with no more of it in memory than the record that it is at.
///
/// A record may be anywhere in a line, and any number of them: what begins like one is read as one. Where that fails, the
/// search goes on right behind that beginning, so that a record which was cut hides none that follows or lies within.
#[derive(Debug)]
pub struct Finder<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Where the buffer begins in the text.
    base: u64,
    /// Up to where the buffer has been searched.
    searched: usize,
    /// Up to where the buffer belongs to records that were found.
    taken: usize,
    /// Up to where lines have been counted in the buffer, and how many there were.
    counted: (usize, u64),
    ended: bool,
}

/// What every record begins with, as the value of its first field.
const MARK: &[u8] = b"\"tcpprobe-matrix/";
/// The name of that field, and what may stand around it.
const BEFORE_MARK: usize = 256;
/// How much is read at once.
const CHUNK: usize = 1 << 20;
/// No record is longer.
const LONGEST: usize = 64 << 20;

impl<R: Read> Finder<R> {
    /// From the start of a text.
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: Vec::new(),
            base: 0,
            searched: 0,
            taken: 0,
            counted: (0, 1),
            ended: false,
        }
    }

    /// The next thing; absent at the end of the text.
    pub fn find(&mut self) -> io::Result<Option<Found>> {
        loop {
            let Some(mark) = memmem::find(&self.buffer[self.searched..], MARK) else {
                if self.ended {
                    return Ok(None);
                }
                // The mark itself may be cut in two.
                self.searched = self.searched.max(self.buffer.len().saturating_sub(MARK.len()));
                self.read_more(self.searched.saturating_sub(BEFORE_MARK))?;
                continue;
            };
            let mark = self.searched + mark;
            let earliest = self.taken.max(mark.saturating_sub(BEFORE_MARK));
            self.searched = mark + MARK.len();
            let Some(begin) = beginning(&self.buffer[earliest..mark]) else {
                continue;
            };
            if let Some(found) = self.read_record(earliest + begin)? {
                return Ok(Some(found));
            }
        }
    }

    /// Reads the record at a place in the buffer; absent where it says nothing of edges or runs.
    fn read_record(&mut self, mut begin: usize) -> io::Result<Option<Found>> {
        loop {
            match read::any_record(&self.buffer[begin..]) {
                Ok((record, length)) => {
                    let at = self.base + begin as u64;
                    self.searched = begin + length;
                    self.taken = self.searched;
                    return Ok(record.map(|record| match record {
                        Record::Edge(edge) => Found::Edge { edge, at, length },
                        Record::Run(run) => Found::Run(run),
                    }));
                }
                Err(error) if error.is_cut() && !self.ended && self.buffer.len() - begin < LONGEST => {
                    self.read_more(begin)?;
                    begin = 0;
                }
                Err(error) => {
                    return Ok(Some(Found::Damaged {
                        line: self.line(begin),
                        why: error.to_string(),
                    }));
                }
            }
        }
    }

    /// Drops what is before `begin`, and reads at least one byte more, or notes the end.
    fn read_more(&mut self, begin: usize) -> io::Result<()> {
        let line = self.line(begin);
        self.counted = (0, line);
        self.buffer.drain(..begin);
        self.base += begin as u64;
        self.searched -= begin;
        self.taken = self.taken.saturating_sub(begin);
        let room = CHUNK.max(self.buffer.len()) as u64;
        let read = self.reader.by_ref().take(room).read_to_end(&mut self.buffer)?;
        self.ended = read == 0;
        Ok(())
    }

    /// The line of a place in the buffer; places are asked for in order.
    fn line(&mut self, place: usize) -> u64 {
        let (counted, lines) = self.counted;
        let place = place.max(counted);
        let more = memchr::memchr_iter(b'\n', &self.buffer[counted..place]).count();
        self.counted = (place, lines + more as u64);
        self.counted.1
    }
}

/// Where the record begins whose mark follows `before`: it is the value of the record's first field.
fn beginning(before: &[u8]) -> Option<usize> {
    let before = before.trim_ascii_end().strip_suffix(b":")?;
    let before = before.trim_ascii_end().strip_suffix(b"\"schema\"")?;
    let before = before.trim_ascii_end().strip_suffix(b"{")?;
    Some(before.len())
}

#[cfg(test)]
mod tests;
