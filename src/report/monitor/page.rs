//! The page that a person reads on a phone.

use crate::monitor::Board;

/// The page.
pub fn page(board: &Board) -> String {
    let _ = board;
    String::new()
}
