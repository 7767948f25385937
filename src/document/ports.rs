//! Ports as files list them: single ones, ranges, and names of services.

use std::fmt;

use crate::target::{Host, Services, Target, TargetError};

/// Ports, none of them twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports {
    /// First and last of each range.
    ranges: Vec<(u16, u16)>,
}

impl Ports {
    /// Every port there is.
    pub fn all() -> Self {
        Self {
            ranges: vec![(1, u16::MAX)],
        }
    }

    /// Reads `80,443,8000-8010,https` with the host before it; `text` is all of it, as messages name it.
    ///
    /// # Errors
    /// A sentence, where host or ports are none.
    pub fn read(host: &str, ports: &str, text: &str, services: &Services) -> Result<(Host, Self), String> {
        // The reader of single targets knows what a host and what a port is.
        let parse = |port: &str| {
            Target::parse(&format!("{host}:{port}"), services).map_err(|error| worded(&error, text))
        };
        let mut ranges = Vec::new();
        let mut found = None;
        for port in ports.split(',').map(str::trim) {
            let (first, last) = range(port);
            let (first, last) = (parse(first)?, parse(last)?);
            if first.port > last.port {
                return Err(format!(
                    "the ports {port} of `{text}` run backwards: write {}-{}",
                    last.port, first.port
                ));
            }
            ranges.push((first.port, last.port));
            found.get_or_insert(first.host);
        }
        let host = found.ok_or_else(|| format!("`{text}` has no port"))?;
        let ranges = apart(ranges);
        Ok((host, Self { ranges }))
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        let ranges = self.ranges.iter();
        ranges.map(|(first, last)| u64::from(last - first) + 1).sum()
    }

    /// All of them, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = u16> {
        self.ranges.iter().flat_map(|(first, last)| *first..=*last)
    }

    /// Whether a port is among them.
    pub fn contain(&self, port: u16) -> bool {
        let mut ranges = self.ranges.iter();
        ranges.any(|(first, last)| (*first..=*last).contains(&port))
    }
}

/// As they are written, `*` for all.
impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.ranges.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match (first, last) {
                (1, &u16::MAX) => write!(f, "{comma}*")?,
                (first, last) if first == last => write!(f, "{comma}{first}")?,
                (first, last) => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

/// First and last of `8000-8010`. Names of services may have a `-` too.
fn range(port: &str) -> (&str, &str) {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match port
        .split_once('-')
        .map(|(first, last)| (first.trim(), last.trim()))
    {
        Some((first, last)) if digits(first) && digits(last) => (first, last),
        _ => (port, port),
    }
}

/// Ranges without overlap, in the order of the file unless they do overlap.
fn apart(ranges: Vec<(u16, u16)>) -> Vec<(u16, u16)> {
    let mut sorted = ranges.clone();
    sorted.sort_unstable();
    if sorted.windows(2).all(|pair| pair[0].1 < pair[1].0) {
        return ranges;
    }
    let mut apart: Vec<(u16, u16)> = Vec::new();
    for (first, last) in sorted {
        match apart.last_mut() {
            Some(before) if first <= before.1 => before.1 = before.1.max(last),
            _ => apart.push((first, last)),
        }
    }
    apart
}

/// The error of a part, told of the whole word.
fn worded(error: &TargetError, text: &str) -> String {
    let says = error.to_string();
    if says.contains(text) {
        return says;
    }
    format!("{says} (in `{text}`)")
}
