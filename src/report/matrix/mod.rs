//! Pure writers of what a matrix came to, and the records that its runs leave.

pub mod expansion;
pub mod read;
pub mod record;
