//! `tcpprobe sockets`: as text for a person, as JSON for a program, and the tables of `docs/sockets.md`.

mod explain;
mod json;
mod text;
mod words;

pub use explain::{write_list, write_markdown, write_topic};
pub use json::{Layout, write_json};
pub use text::write_text;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::diagnose::sockets::{JudgedSetting, Tally, Verdict};
use crate::evidence::sockets::{Counter, Process, Visibility};

/// One look at the sockets, with what it came to.
#[derive(Debug, Clone)]
pub struct Look<'a> {
    /// The version of tcpprobe.
    pub version: &'a str,
    /// When it was.
    pub at: SystemTime,
    /// Which look of this run, from 1.
    pub number: u32,
    /// The time since the last one.
    pub since_last: Option<Duration>,
    /// What was asked for, in words; empty when it was everything.
    pub filter: &'a [String],
    /// What was counted.
    pub tally: &'a Tally,
    /// What was counted in the look before.
    pub before: Option<&'a Tally>,
    /// What that means.
    pub verdicts: &'a [Verdict],
    /// The processes that are spoken of.
    pub processes: &'a BTreeMap<u32, Process>,
    /// What the settings come to.
    pub settings: &'a [JudgedSetting],
    /// The namespace's counters.
    pub counters: &'a [Counter],
    /// How much of `/proc` could be read.
    pub visibility: Visibility,
}

#[cfg(test)]
mod tests;
