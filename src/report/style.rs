//! How text is to look: colour, width and how much of it.

use anstyle::{AnsiColor, Style as Paint};

use crate::diagnose::Class;
use crate::diagnose::doctor::Told;

/// How text is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour it.
    pub colour: bool,
    /// Where to break lines, in columns; at least 20 is assumed. Commands are never broken.
    pub width: usize,
    /// How much to say.
    pub verbosity: Verbosity,
}

/// How much to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// One line an endpoint.
    Quiet,
    /// The verdict and what it rests on.
    Normal,
    /// Packets, system calls and every lookup as well.
    Verbose,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            colour: false,
            width: 80,
            verbosity: Verbosity::Normal,
        }
    }
}

impl Style {
    pub(super) fn width(&self) -> usize {
        self.width.max(20)
    }

    pub(super) fn verbose(&self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    /// Colours the first `label` in `line` by its class. Done after wrapping, as colours have no width.
    pub(super) fn verdict(&self, line: &str, label: &str, class: Class) -> String {
        let colour = match class {
            Class::Open => AnsiColor::Green,
            Class::Slow => AnsiColor::Yellow,
            Class::LocalError | Class::Unknown => AnsiColor::Magenta,
            Class::Refused
            | Class::Rejected
            | Class::Unreachable
            | Class::Filtered
            | Class::BacklogFull
            | Class::Reset
            | Class::IdleDeath
            | Class::DnsFailed => AnsiColor::Red,
        };
        let painted = self.paint(Paint::new().bold().fg_color(Some(colour.into())), label);
        line.replacen(label, &painted, 1)
    }

    /// Colours the first word of a line of `tcpprobe doctor`, which says how far a distinction can be made.
    pub(super) fn told(&self, line: &str, told: Told) -> String {
        let colour = match told {
            Told::Yes => AnsiColor::Green,
            Told::Partly => AnsiColor::Yellow,
            Told::No => AnsiColor::Red,
        };
        let painted = self.paint(Paint::new().bold().fg_color(Some(colour.into())), told.label());
        line.replacen(told.label(), &painted, 1)
    }

    pub(super) fn heading(&self, text: &str) -> String {
        self.paint(Paint::new().bold(), text)
    }

    pub(super) fn command(&self, text: &str) -> String {
        self.paint(Paint::new().fg_color(Some(AnsiColor::Cyan.into())), text)
    }

    pub(super) fn coloured(&self, text: &str, colour: AnsiColor) -> String {
        self.paint(Paint::new().fg_color(Some(colour.into())), text)
    }

    /// Loud, for what must not be overlooked.
    pub(super) fn loud(&self, text: &str, colour: AnsiColor) -> String {
        self.paint(Paint::new().bold().fg_color(Some(colour.into())), text)
    }

    /// Quiet, for what may be.
    pub(super) fn dim(&self, text: &str) -> String {
        self.paint(Paint::new().dimmed(), text)
    }

    fn paint(&self, paint: Paint, text: &str) -> String {
        if self.colour {
            format!("{paint}{text}{paint:#}")
        } else {
            text.to_owned()
        }
    }
}
