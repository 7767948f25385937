//! The data of the page, packed: what the grid needs of all edges, and their stories in chunks.
//!
//! Every block is compressed (zlib, RFC 1950), in base64, in an element that is never run. The page reads `index` and `cells`
//! when it opens, and `stories-N` when a cell of that chunk is opened:
//!
//! - `index`: an [`Index`] in JSON;
//! - `cells`: for each cell, in the order of rows and columns, the steps from the place of the one before (a place is
//!   row × number of targets + column), cause, judgement, confidence, demand and change, as varints (LEB128);
//! - `stories-N`: a [`Chunk`] in JSON.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, UNIX_EPOCH};

use data_encoding::BASE64;
use miniz_oxide::deflate::compress_to_vec_zlib;
use serde::Serialize;

use super::judgement_in_words;
use crate::diagnose::explain::{explain, explain_class};
use crate::diagnose::{Cause, Class, Confidence};
use crate::matrix::{Answer, Cell, Change, ChangeKind, Demand, Edge, Edges, Identity, Judgement, Was};
use crate::report::matrix::words::{self, letter};
use crate::report::record::rfc3339;
use crate::report::text::story::tell;

/// So many edges are unpacked together: few enough to be there at once, enough to be packed well.
const CHUNK: usize = 256;
/// Higher levels take three times as long to save a twentieth.
const LEVEL: u8 = 6;

/// What the page knows of everything but the single edge.
#[derive(Serialize)]
struct Index<'a> {
    sources: Vec<Source<'a>>,
    targets: Vec<String>,
    classes: Vec<Word>,
    causes: Vec<CauseWord>,
    judgements: Vec<Word>,
    confidences: Vec<&'static str>,
    changes: Vec<Word>,
    demands: Vec<DemandPart<'a>>,
    /// Edges that only the baseline had.
    gone: Vec<String>,
    /// How many edges a chunk has.
    chunk: usize,
}

#[derive(Serialize)]
struct Source<'a> {
    name: String,
    /// Where it ran.
    about: &'a Identity,
}

/// A word of the vocabulary, and what it means.
#[derive(Serialize)]
struct Word {
    label: &'static str,
    says: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    letter: Option<char>,
}

#[derive(Serialize)]
struct CauseWord {
    label: &'static str,
    says: &'static str,
    /// Its class, as its place among the classes.
    class: usize,
}

#[derive(Serialize)]
struct DemandPart<'a> {
    rules: &'a [String],
    expected: String,
    controls: Vec<String>,
    timeout_s: f64,
    tries: u32,
}

/// What there is to say of some edges.
#[derive(Serialize)]
struct Chunk {
    /// Each story once, in JSON.
    stories: Vec<String>,
    edges: Vec<EdgePart>,
}

/// What a story does not say of an edge.
#[derive(Serialize)]
struct EdgePart {
    /// Which of the chunk's stories is its own.
    story: usize,
    /// What shows that the target is alive, or why nobody can judge this edge.
    proof: Option<String>,
    why: Option<String>,
    /// What it was in the baseline.
    was: Option<String>,
    concluded: Option<String>,
    tried: u32,
}

/// Writes all blocks.
pub(super) fn write(answer: &Answer, edges: &dyn Edges, out: &mut impl io::Write) -> io::Result<()> {
    let (demands, demand_of) = demands(answer);
    let changes = Changed::of(answer);
    block("index", &serde_json::to_vec(&index(answer, &demands))?, out)?;
    block("cells", &cells(answer, &demand_of, &changes), out)?;
    for (number, cells) in answer.cells.chunks(CHUNK).enumerate() {
        let chunk = chunk(answer, cells, edges, &changes)?;
        block(&format!("stories-{number}"), &serde_json::to_vec(&chunk)?, out)?;
    }
    Ok(())
}

/// Base64 has no letter that could end the element.
fn block(id: &str, bytes: &[u8], out: &mut impl io::Write) -> io::Result<()> {
    let packed = BASE64.encode(&compress_to_vec_zlib(bytes, LEVEL));
    writeln!(out, "<script type=\"text/plain\" id=\"{id}\">{packed}</script>")
}

fn index<'a>(answer: &'a Answer, demands: &[&'a Demand]) -> Index<'a> {
    Index {
        sources: answer.sources.iter().map(|source| source_part(source)).collect(),
        targets: answer.targets.iter().map(ToString::to_string).collect(),
        classes: Class::ALL.iter().copied().map(class_word).collect(),
        causes: Cause::ALL.iter().copied().map(cause_word).collect(),
        judgements: Judgement::ALL.iter().copied().map(judgement_word).collect(),
        confidences: Confidence::ALL
            .iter()
            .map(|confidence| confidence.label())
            .collect(),
        changes: ChangeKind::ALL.iter().copied().map(change_word).collect(),
        demands: demands.iter().map(|demand| demand_part(demand)).collect(),
        gone: gone(answer),
        chunk: CHUNK,
    }
}

fn source_part(source: &Identity) -> Source<'_> {
    Source {
        name: source.to_string(),
        about: source,
    }
}

fn class_word(class: Class) -> Word {
    Word {
        label: class.label(),
        says: explain_class(class),
        letter: Some(letter(class)),
    }
}

fn cause_word(cause: Cause) -> CauseWord {
    CauseWord {
        label: cause.label(),
        says: explain(cause).in_short,
        class: place(Class::ALL, &cause.class()),
    }
}

fn judgement_word(judgement: Judgement) -> Word {
    Word {
        label: judgement.label(),
        says: judgement_in_words(judgement),
        letter: None,
    }
}

fn change_word(kind: ChangeKind) -> Word {
    Word {
        label: kind.label(),
        says: words::change(kind),
        letter: None,
    }
}

fn demand_part(demand: &Demand) -> DemandPart<'_> {
    DemandPart {
        rules: &demand.rules,
        expected: demand.expected.to_string(),
        controls: demand.controls.iter().map(ToString::to_string).collect(),
        timeout_s: demand.timeout.as_secs_f64(),
        tries: demand.tries,
    }
}

fn gone(answer: &Answer) -> Vec<String> {
    let changes = answer.changes.iter();
    let gone = changes.flat_map(|changes| changes.of(ChangeKind::Vanished));
    gone.map(|change| {
        let was = change.was.map_or_else(String::new, was);
        format!("{} → {}: {was}", change.source, change.target)
    })
    .collect()
}

/// Each demand once, and which of them is that of each cell.
fn demands(answer: &Answer) -> (Vec<&Demand>, Vec<u32>) {
    let mut places: HashMap<&Demand, u32> = HashMap::new();
    let mut demands = Vec::new();
    let of_cell = answer.cells.iter().map(|cell| {
        let demand = cell.demand.as_ref();
        let next = u32::try_from(demands.len()).unwrap_or(u32::MAX);
        *places.entry(demand).or_insert_with(|| {
            demands.push(demand);
            next
        })
    });
    let of_cell = of_cell.collect();
    (demands, of_cell)
}

/// What has changed, by source and target.
struct Changed<'a>(HashMap<(&'a Identity, String), &'a Change>);

impl<'a> Changed<'a> {
    fn of(answer: &'a Answer) -> Self {
        let changes = answer.changes.iter().flat_map(|changes| &changes.changed);
        Self(
            changes
                .map(|change| ((change.source.as_ref(), change.target.to_string()), change))
                .collect(),
        )
    }

    fn get(&self, answer: &'a Answer, cell: &Cell) -> Option<&'a Change> {
        if self.0.is_empty() {
            return None;
        }
        let place = (answer.source_of(cell), answer.target_of(cell).to_string());
        self.0.get(&place).copied()
    }
}

fn cells(answer: &Answer, demands: &[u32], changes: &Changed) -> Vec<u8> {
    let mut bytes = Vec::new();
    let width = answer.targets.len() as u64;
    let mut next = 0;
    for (cell, demand) in answer.cells.iter().zip(demands) {
        let at = u64::from(cell.source) * width + u64::from(cell.target);
        let change = changes.get(answer, cell);
        let fields = [
            at - next,
            cell.verdict.map_or(0, |(cause, _)| number(Cause::ALL, &cause)),
            number(Judgement::ALL, &cell.judged.judgement) - 1,
            cell.verdict
                .map_or(0, |(_, confidence)| number(Confidence::ALL, &confidence)),
            u64::from(*demand),
            change.map_or(0, |change| number(ChangeKind::ALL, &change.kind)),
        ];
        for field in fields {
            varint(field, &mut bytes);
        }
        next = at + 1;
    }
    bytes
}

fn varint(mut number: u64, bytes: &mut Vec<u8>) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

/// Where a value stands among all, counted from 1: 0 is absent.
fn number<T: PartialEq>(all: &[T], value: &T) -> u64 {
    place(all, value) as u64 + 1
}

fn place<T: PartialEq>(all: &[T], value: &T) -> usize {
    all.iter().position(|other| other == value).unwrap_or_default()
}

fn chunk(answer: &Answer, cells: &[Cell], edges: &dyn Edges, changes: &Changed) -> io::Result<Chunk> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut parts = Vec::new();
    for cell in cells {
        let edge = edges.edge(cell.at)?;
        let story = serde_json::to_string(&tell(&edge.outcome, edge.syn_schedule))?;
        let next = places.len();
        let story = *places.entry(story).or_insert(next);
        parts.push(edge_part(story, cell, &edge, changes.get(answer, cell)));
    }
    let mut stories: Vec<(String, usize)> = places.into_iter().collect();
    stories.sort_unstable_by_key(|(_, place)| *place);
    Ok(Chunk {
        stories: stories.into_iter().map(|(story, _)| story).collect(),
        edges: parts,
    })
}

fn edge_part(story: usize, cell: &Cell, edge: &Edge, change: Option<&Change>) -> EdgePart {
    EdgePart {
        story,
        proof: cell.judged.proof.as_ref().map(ToString::to_string),
        why: cell.judged.why.map(|why| why.to_string()),
        was: change.and_then(|change| change.was).map(was),
        concluded: time(edge.concluded_unix_s),
        tried: edge.tried,
    }
}

/// `as expected, open/healthy`.
fn was(was: Was) -> String {
    let verdict = words::verdict(was.verdict.map(|(cause, _)| cause));
    format!("{}, {verdict}", judgement_in_words(was.judgement))
}

fn time(unix_s: Duration) -> Option<String> {
    UNIX_EPOCH.checked_add(unix_s).and_then(rfc3339)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_varint_has_seven_bits_a_byte_the_lowest_first() {
        let of = |number| {
            let mut bytes = Vec::new();
            varint(number, &mut bytes);
            bytes
        };
        assert_eq!(of(0), [0]);
        assert_eq!(of(127), [127]);
        assert_eq!(of(300), [0xac, 0x02]);
    }
}
