//! What a line that changes needs to know of the terminal on standard error.

use std::io::{self, IsTerminal};

/// Whether a line there may change.
pub(super) fn can_animate() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// How wide the terminal is.
pub(super) fn columns() -> usize {
    terminal_size::terminal_size_of(io::stderr()).map_or(80, |(width, _)| usize::from(width.0))
}

/// As much of a text as one row has room for, since a second row would never be cleared.
pub(super) fn one_row(text: &str, columns: usize) -> String {
    // A cursor behind the last column is in the next row on some terminals.
    let room = columns.saturating_sub(1);
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let kept = text.chars().take(room.saturating_sub(1));
    kept.chain(std::iter::once('…')).take(room).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_the_row_of_a_terminal_ends() {
        assert_eq!(one_row("3 of 4 edges", 80), "3 of 4 edges");
        assert_eq!(one_row("3 of 4 edges", 13), "3 of 4 edges");
        assert_eq!(one_row("3 of 4 edges", 12), "3 of 4 edg…");
        for columns in 0..12 {
            assert_eq!(
                one_row("3 of 4 edges", columns).chars().count(),
                columns.saturating_sub(1)
            );
        }
    }
}
