//! The same check on a schedule: what is watched and how, what each check came to, and what of that is confirmed. No IO.

mod addresses;
mod aim;
mod allow;
mod board;
mod config;
pub mod file;
mod hash;
mod limit;
mod schedule;
mod seen;
mod standing;

pub use crate::net::usage::Usage;
pub use addresses::{Followed, Moved};
pub use aim::{Aim, Aims, Allow, Answer, Asked, Reach, Refused};
pub use allow::{Permit, in_one_form};
pub use board::{Board, Engine, Loaded, Slot};
pub use config::{Config, Module, Watched};
pub use hash::hash;
pub use limit::{Buckets, Limit};
pub use schedule::{Paced, Schedule, Turn};
pub use seen::{Lookups, Seen};
pub use standing::{Change, Check, Confirmed, HANDSHAKE_EDGES, Handshakes, Kind, MINUTES, Minute, Standing};
