//! (room: net)

pub mod clock;
pub mod dns;
