//! What a configuration may say, and what is said of one that cannot be meant.

mod right;
mod schema;
mod wrong;
