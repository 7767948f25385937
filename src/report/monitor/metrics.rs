//! Metrics for Prometheus, in the form that the scraper asks for.

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

/// The form that a scraper asks for with this `Accept` header, by the weights in it; the text format where there is none.
pub fn exposition(accept: Option<&str>) -> Exposition {
    let _ = accept;
    Exposition::Text
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

/// What our own schedule and process come to (`/metrics`), piece by piece.
pub fn of_schedule(
    board: &Arc<Board>,
    usage: Usage,
    form: Exposition,
) -> impl Iterator<Item = Vec<u8>> + Send + use<> {
    let _ = (board, usage, form);
    std::iter::empty()
}

/// What one check that was asked for comes to (`/probe`).
pub fn of_probe(seen: &Seen, module: &Module, form: Exposition) -> Vec<u8> {
    let _ = (seen, module, form);
    Vec::new()
}
