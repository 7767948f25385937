//! The page that a person reads on a phone: each target, its verdict in words, since when, and what to do.
//!
//! The page loads nothing but the two documents that its own monitor writes (`page/list.rs`, `page/detail.rs`), and runs its
//! own script alone. What it shows comes from the network and from the configuration in part: it reaches the page as escaped
//! HTML or as data, and the script makes text of it, never HTML. Without a script the page is a table of the first targets.

mod detail;
mod list;
mod rows;
mod words;

use std::sync::LazyLock;
use std::time::Duration;

use crate::monitor::Board;
use crate::report::web::policy_hash;

pub use detail::target_json;
pub use list::targets_json;

/// The page; `{{slot}}` is filled in.
const PAGE: &str = include_str!("page/page.html");
/// How it looks.
const STYLE: &str = include_str!("page/style.css");
/// What it does, in the order in which its files use each other.
const SCRIPT: &str = concat!(
    include_str!("page/words.js"),
    include_str!("page/board.js"),
    include_str!("page/strip.js"),
    include_str!("page/list.js"),
    include_str!("page/panel.js"),
    include_str!("page/head.js"),
    include_str!("page/main.js"),
);

/// The page as it is at `now`, since the Unix epoch. [`page_policy`] belongs to it.
pub fn page(board: &Board, now: Duration) -> String {
    let listed = list::Listed::of(board);
    let mut page = String::with_capacity(128 << 10);
    for (index, piece) in PAGE.split("{{").enumerate() {
        let text = match piece.split_once("}}") {
            Some((slot, text)) if index > 0 => {
                fill(slot, board, &listed, now, &mut page);
                text
            }
            _ => piece,
        };
        page.push_str(text);
    }
    page
}

/// The value of `Content-Security-Policy` with which [`page`] has to be sent.
pub fn page_policy() -> &'static str {
    static POLICY: LazyLock<String> = LazyLock::new(|| {
        format!(
            "default-src 'none'; script-src '{}'; style-src '{}'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
            policy_hash(SCRIPT),
            policy_hash(STYLE)
        )
    });
    &POLICY
}

fn fill(slot: &str, board: &Board, listed: &list::Listed, now: Duration, page: &mut String) {
    match slot {
        "style" => page.push_str(STYLE),
        "script" => page.push_str(SCRIPT),
        "words" => page.push_str(&words::json()),
        "title" => page.push_str(&rows::title(listed)),
        "mood" => page.push_str(rows::mood(listed)),
        "headline" => page.push_str(&rows::headline(listed)),
        "troubles" => page.push_str(&rows::troubles(board)),
        "rows" => rows::write(listed, now, page),
        "rest" => page.push_str(&rows::rest(listed)),
        "version" => page.push_str(env!("CARGO_PKG_VERSION")),
        unknown => debug_assert!(false, "the page has no slot '{unknown}'"),
    }
}

#[cfg(test)]
mod tests;
