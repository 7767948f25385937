//! Tests of the page as text; what it does in a browser is in `tests/html.rs`.
