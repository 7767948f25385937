//! All forms, as text and as parsers that are not ours understand them.

use super::fixtures::*;
use super::*;

#[test]
fn scratch() {
    let edges = small();
    let answer = edges.answer();
    for form in [
        Form::Text,
        Form::Json,
        Form::Jsonl,
        Form::Junit,
        Form::Tap,
        Form::Markdown,
        Form::Prometheus,
    ] {
        for (name, edges) in [("small", small()), ("nasty", nasty())] {
            let answer = edges.answer();
            let mut out = Vec::new();
            write(form, &answer, &edges, &Style::default(), &mut out).unwrap();
            std::fs::write(format!("/tmp/w/{name}.{form:?}"), out).unwrap();
        }
    }
    let _ = answer;
}
