//! How far it has come, on standard error: a line that changes on a terminal, a line every half a minute elsewhere.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::app::terminal::{can_animate, columns, one_row};
use crate::check::{HoldProgress, HoldWanted};
use crate::evidence::hold::End;
use crate::net::clock;
use crate::report::human_duration;

/// How often a plain line is written.
const LINES_EVERY: Duration = Duration::from_secs(30);

pub(super) struct Progress {
    animated: Animated,
    at_most: Duration,
    said: Instant,
    /// Whether the line on the terminal has to be cleared before anything else is written there.
    dirty: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Animated {
    Yes,
    No,
}

impl Progress {
    /// Says beforehand how long it takes at most.
    pub(super) fn begin(endpoint: SocketAddr, wanted: HoldWanted, at_most: Duration) -> Self {
        let what = match wanted {
            HoldWanted::Once { after } => format!("one connection, idle for {}", human_duration(after)),
            HoldWanted::Limit { max, connections, .. } => format!(
                "connections to {endpoint} are left idle for up to {}, {connections} at a time at most",
                human_duration(max)
            ),
        };
        // In whole seconds, and no less than it may be.
        let at_most = Duration::from_secs(at_most.as_secs() + 1);
        let at_most_words = human_duration(at_most);
        // If nobody reads it there is nobody to tell.
        let _ = writeln!(
            io::stderr(),
            "tcpprobe: {what}; this takes {at_most_words} at most; Ctrl-C ends it with what is known by then"
        );
        Self {
            animated: if can_animate() {
                Animated::Yes
            } else {
                Animated::No
            },
            at_most,
            said: clock::now(),
            dirty: false,
        }
    }

    pub(super) fn tick(&mut self, progress: HoldProgress<'_>) {
        let now = clock::now();
        let is_due = match self.animated {
            Animated::Yes => true,
            Animated::No => now - self.said >= LINES_EVERY,
        };
        if !is_due {
            return;
        }
        self.said = now;
        let text = text(progress, self.at_most);
        let mut stderr = io::stderr().lock();
        let _ = match self.animated {
            Animated::Yes => write!(stderr, "\r\x1b[K{}", one_row(&text, columns())),
            Animated::No => writeln!(stderr, "tcpprobe: {text}"),
        };
        self.dirty = self.animated == Animated::Yes;
    }

    /// Makes room for something else on the terminal.
    pub(super) fn clear(&mut self) {
        if std::mem::replace(&mut self.dirty, false) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn text(progress: HoldProgress<'_>, at_most: Duration) -> String {
    let whole = |duration: Duration| human_duration(Duration::from_secs(duration.as_secs()));
    let mut lived = None;
    let mut ended = None;
    for held in progress.held {
        match &held.end {
            End::Alive { .. } => lived = lived.max(Some(held.idle_s)),
            End::Silent { .. } | End::Reset { .. } | End::Rejected { .. } | End::Closed { .. } => {
                ended = Some(ended.map_or(held.idle_s, |ended: Duration| ended.min(held.idle_s)));
            }
            End::NotMade { .. } | End::CutShort | End::CouldNotAsk { .. } => {}
        }
    }
    let mut text = format!(
        "{} of {} at most, round {}, {} connections idle",
        whole(progress.elapsed),
        whole(at_most),
        progress.round,
        progress.open
    );
    if let Some(lived) = lived {
        let _ = write!(text, ", alive after {}", human_duration(lived));
    }
    if let Some(ended) = ended {
        let _ = write!(text, ", ended after {}", human_duration(ended));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_far_it_is_and_how_far_it_goes() {
        let progress = HoldProgress {
            elapsed: Duration::from_millis(65_400),
            round: 1,
            held: &[],
            open: 12,
        };
        assert_eq!(
            text(progress, Duration::from_secs(1800)),
            "1 min 5 s of 30 min at most, round 1, 12 connections idle"
        );
    }
}
