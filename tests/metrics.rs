//! What a monitor says to Prometheus, held against parsers that are not ours; and what we give Prometheus and Grafana to
//! make of it: rules, their tests, a dashboard, and the examples in the documents.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "metrics/board.rs"]
mod board;
#[path = "metrics/dashboard.rs"]
mod dashboard;
#[path = "metrics/documents.rs"]
mod documents;
#[path = "metrics/forms.rs"]
mod forms;
#[path = "metrics/histograms.rs"]
mod histograms;
#[path = "metrics/readers.rs"]
mod readers;
#[path = "metrics/rules.rs"]
mod rules;
