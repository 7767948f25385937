//! Tests of the page as text; what it does in a browser is in `tests/cli/html.rs`.

use super::*;
use crate::report::matrix::fixtures::{InMemory, edge, shop};
use crate::report::matrix::{Form, write as write_form};
use crate::report::{Style, fixtures};

fn page(edges: &InMemory) -> String {
    let mut out = Vec::new();
    write_form(Form::Html, &edges.answer(), edges, &Style::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn nothing_of_the_page_is_elsewhere() {
    let page = page(&shop());
    for elsewhere in [
        "http://", "https://", " src=", "<link", "@import", "url(", "import(",
    ] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
}

#[test]
fn script_and_style_cannot_end_early() {
    assert!(!SCRIPT.contains("</script") && !SCRIPT.contains("<!--"));
    assert!(!STYLE.contains("</style"));
}

#[test]
fn the_policy_names_the_script_and_the_style_by_their_hashes() {
    let page = page(&shop());
    for text in [SCRIPT, STYLE] {
        assert!(page.contains(&format!("-src '{}'", policy_hash(text))));
    }
}

#[test]
fn what_a_run_calls_itself_is_escaped() {
    let edges = InMemory(vec![edge("<b>", "reachable", "any", fixtures::open())]);
    let mut answer = edges.answer();
    answer.runs[0].matrix = Some("</title><script>".to_owned());
    answer.runs[0].planned = 2;
    let mut out = Vec::new();
    write(&answer, &edges, &mut out).unwrap();
    let page = String::from_utf8(out).unwrap();
    assert!(page.contains("<title>&lt;/title&gt;&lt;script&gt; · tcpprobe</title>"));
    assert!(page.contains("1 edge of &lt;b&gt; not looked at"));
}

#[test]
fn the_headline_says_the_worst_first() {
    let of = |met, missed, unproven, errors| {
        headline(Totals {
            met,
            missed,
            unproven,
            errors,
        })
    };
    assert_eq!(of(0, 0, 0, 0), "No edge was looked at");
    assert_eq!(of(1, 0, 0, 0), "The only edge is as expected");
    assert_eq!(of(12_345, 0, 0, 0), "All 12,345 edges are as expected");
    assert_eq!(of(3, 1, 0, 0), "1 of 4 edges is not as expected");
    assert_eq!(of(997, 2, 1, 0), "2 of 1,000 edges are not as expected");
    assert_eq!(
        of(3, 0, 1, 1),
        "No edge is known to be wrong, but 2 of 5 could not be judged"
    );
}

#[test]
fn an_answer_without_edges_is_a_page_too() {
    let page = page(&InMemory::default());
    assert!(page.contains("No edge was looked at"));
    assert!(!page.contains("{{"));
}
