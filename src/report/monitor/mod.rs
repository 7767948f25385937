//! What a monitor says: metrics for Prometheus, events as JSON lines, the page, and what a
//! configuration comes to.

mod checked;
mod event;
mod metrics;
mod page;

pub use checked::{Checked, write_checked};
pub use event::{Changed, Event, write_event};
pub use metrics::{Exposition, exposition, of_probe, of_schedule};
pub use page::{page, page_policy, target_json, targets_json};
