//! What a matrix file may say, and what is said of one that cannot be meant.

use super::*;

fn read(text: &str) -> Result<Matrix, FileError> {
    Matrix::read(text, Format::Yaml, &Services::default())
}

/// The edges of whoever looks, as `target expectation [rules]`.
fn edges(text: &str, source: Option<&str>) -> Vec<String> {
    let edges = read(text).unwrap().edges(source, 100_000).unwrap();
    edges
        .iter()
        .map(|edge| format!("{} {} {:?}", edge.target, edge.demand.expected, edge.demand.rules))
        .collect()
}

#[test]
fn the_example_is_read_and_expands() {
    let matrix = read(EXAMPLE).unwrap();
    assert_eq!(matrix.name.as_deref(), Some("shop"));
    let names: Vec<_> = matrix.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["frontend", "admin"]);
    let expansion = matrix.expand(1000).unwrap();
    let counts: Vec<_> = expansion
        .sources()
        .map(|(source, edges)| (source.unwrap(), edges.len()))
        .collect();
    // 2 + 11 + 1 backends, 13 + 16 addresses of offices, their control, the queue.
    assert_eq!(counts, [("frontend", 44), ("admin", 31)]);
}
