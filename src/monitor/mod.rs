//! The same check on a schedule: what is watched and how, what each check came to, and what of that is confirmed. No IO.

mod addresses;
mod board;
mod config;
mod schedule;
mod seen;
mod standing;

pub use addresses::{Followed, Moved};
pub use board::{Board, Engine, Loaded, Slot};
pub use config::{Config, Module, Watched};
pub use schedule::{Paced, Schedule, Turn};
pub use seen::{Lookups, Seen};
pub use standing::{Change, Check, Confirmed, HANDSHAKE_EDGES, Handshakes, Kind, MINUTES, Minute, Standing};
