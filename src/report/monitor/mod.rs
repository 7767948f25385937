//! What a monitor says: metrics for Prometheus, events as JSON lines, and the page.

mod event;
mod metrics;
mod page;

pub use event::{Changed, Event, write_event};
pub use metrics::{Exposition, exposition, of_probe, of_schedule};
pub use page::{page, page_policy, target_json, targets_json};
