//! Metrics for Prometheus, in the form that the scraper asks for.
//!
//! Labels are bounded: `target` as the configuration names it, the user's own, and closed words. Neither addresses that a
//! name resolved to nor texts of errors are among them.

mod accept;
mod encoder;
mod family;
mod own;
mod probe;
mod protobuf;
mod schedule;

pub use accept::exposition;

use std::sync::Arc;

use crate::monitor::{Board, Module, Seen, Usage};

/// A form of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposition {
    /// The text format, 0.0.4.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// The protobuf format, delimited, which alone has native histograms.
    Protobuf,
}

impl Exposition {
    /// The value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        }
    }
}

/// What our own schedule and process come to (`/metrics`), piece by piece: of some 32 KiB, but in the protobuf form, where a
/// family says how long it is before its first sample and so is a piece of its own.
pub fn of_schedule(
    board: &Arc<Board>,
    usage: Usage,
    form: Exposition,
) -> impl Iterator<Item = Vec<u8>> + Send + use<> {
    schedule::Schedule::new(board, usage, form)
}

/// What one check that was asked for comes to (`/probe`). The module's timeout is that which was in force.
pub fn of_probe(seen: &Seen, module: &Module, form: Exposition) -> Vec<u8> {
    probe::write(seen, module, form)
}
