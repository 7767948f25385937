//! Tests of the page as text; what it does in a browser is in `tests/monitor/page.rs`.

use super::*;

#[test]
fn script_and_style_cannot_end_early() {
    assert!(!SCRIPT.contains("</script") && !SCRIPT.contains("<!--"));
    assert!(!STYLE.contains("</style"));
    assert!(!words::json().contains('<'));
}
