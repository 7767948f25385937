//! All IO and all `unsafe`.

pub mod clock;
pub mod sys;
