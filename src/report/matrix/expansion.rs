//! What a matrix expands to, as `tcpprobe matrix --check` says it: as text for a person, or as one JSON document
//! (`docs/schema/tcpprobe-matrix-check-v1.schema.json`).

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::record::{DemandRecord, demand};
use crate::matrix::Planned;
use crate::matrix::file::Expansion;
use crate::report::Verbosity;
use crate::report::human::{count, human_duration, wrap, write_table};
use crate::target::Host;

/// The name of the contract.
pub const SCHEMA: &str = "tcpprobe-matrix-check/v1";

/// What one look at one endpoint may cost at most ("What is asked" in `docs/architecture.md`).
const PACKETS_A_LOOK: u64 = 40;

/// A matrix that was found right.
#[derive(Debug, Clone, Copy)]
pub struct Checked<'a> {
    /// The version of tcpprobe.
    pub version: &'a str,
    /// The file as the user named it.
    pub file: &'a str,
    /// The name of the matrix.
    pub name: Option<&'a str>,
    /// What it expands to.
    pub expansion: &'a Expansion<'a>,
    /// How many packets a second a run may send.
    pub rate: u32,
}

/// What the run of one source may cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Cost {
    edges: u64,
    /// Those whose target is a name, which may have several addresses.
    named: u64,
    /// If every name has one address.
    packets: u64,
    /// What it takes to send them.
    at_rate: Duration,
}

impl Cost {
    fn of(edges: &[Planned], rate: u32) -> Self {
        let looks: u64 = edges.iter().map(|edge| u64::from(edge.demand.tries)).sum();
        let is_named = |edge: &&Planned| matches!(edge.target.host, Host::Name(_));
        let packets = looks * PACKETS_A_LOOK;
        Self {
            edges: edges.len() as u64,
            named: edges.iter().filter(is_named).count() as u64,
            packets,
            at_rate: Duration::from_millis(packets.saturating_mul(1000) / u64::from(rate.max(1))),
        }
    }
}

impl Checked<'_> {
    fn targets(&self) -> usize {
        let edges = self.expansion.sources().flat_map(|(_, edges)| edges);
        edges.map(|edge| &edge.target).collect::<HashSet<_>>().len()
    }
}

/// Writes it for a person: how much it is, then every edge, unless it is to be short.
pub fn write_text(
    checked: &Checked<'_>,
    verbosity: Verbosity,
    width: usize,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let edges = usize::try_from(checked.expansion.count()).unwrap_or(usize::MAX);
    let sources = checked
        .expansion
        .sources()
        .filter(|(name, _)| name.is_some())
        .count();
    writeln!(
        out,
        "{} is right: {}, {}, {}.",
        checked.file,
        match sources {
            0 => "whoever runs it is the source".to_owned(),
            sources => count(sources, "source", "sources"),
        },
        count(checked.targets(), "target", "targets"),
        count(edges, "edge", "edges"),
    )?;
    writeln!(out)?;
    let mut rows = vec![["SOURCE", "EDGES", "PACKETS", "SENT IN"].map(str::to_owned)];
    let mut named = 0;
    for (source, edges) in checked.expansion.sources() {
        let cost = Cost::of(edges, checked.rate);
        named += cost.named;
        rows.push([
            shown(source).to_owned(),
            cost.edges.to_string(),
            format!("≤ {}", cost.packets),
            format!("≤ {}", human_duration(cost.at_rate)),
        ]);
    }
    write_table(&rows, out)?;
    writeln!(out)?;
    for line in wrap("", &what_it_costs(checked.rate, named), width) {
        writeln!(out, "{line}")?;
    }
    if verbosity == Verbosity::Quiet {
        return Ok(());
    }
    writeln!(out)?;
    let mut rows = vec![["SOURCE", "TARGET", "EXPECTED", "RULES"].map(str::to_owned)];
    for (source, edges) in checked.expansion.sources() {
        rows.extend(edges.iter().map(|edge| {
            [
                shown(source).to_owned(),
                edge.target.to_string(),
                edge.demand.expected.to_string(),
                edge.demand.rules.join("; "),
            ]
        }));
    }
    write_table(&rows, out)
}

fn shown(source: Option<&str>) -> &str {
    source.unwrap_or("(whoever)")
}

fn what_it_costs(rate: u32, by_name: u64) -> String {
    let addresses = if by_name == 0 {
        String::new()
    } else {
        let edges = count(
            usize::try_from(by_name).unwrap_or(usize::MAX),
            "edge has",
            "edges have",
        );
        format!(" {edges} a name, and every address that it has beyond the first costs as much again.")
    };
    format!(
        "A look costs at most {PACKETS_A_LOOK} packets, an open port a handful; sending them takes that long at {rate} \
         packets a second (--rate), if all of them are needed.{addresses} What does not answer takes as long as its \
         timeout, for each try."
    )
}

/// Writes one JSON document.
pub fn write_json(checked: &Checked<'_>, out: &mut impl io::Write) -> io::Result<()> {
    let source = |(source, edges)| {
        let cost = Cost::of(edges, checked.rate);
        SourceRecord {
            source,
            edges: cost.edges,
            edges_by_name: cost.named,
            packets_at_most: cost.packets,
            packets_at_rate_s: cost.at_rate.as_secs_f64(),
        }
    };
    let document = Document {
        schema: SCHEMA,
        version: checked.version,
        file: checked.file,
        name: checked.name,
        targets: checked.targets(),
        rate: checked.rate,
        sources: checked.expansion.sources().map(source).collect(),
        edges: EdgeRecords(checked.expansion),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    version: &'a str,
    file: &'a str,
    name: Option<&'a str>,
    targets: usize,
    rate: u32,
    sources: Vec<SourceRecord<'a>>,
    edges: EdgeRecords<'a>,
}

#[derive(Serialize)]
struct SourceRecord<'a> {
    source: Option<&'a str>,
    edges: u64,
    edges_by_name: u64,
    packets_at_most: u64,
    packets_at_rate_s: f64,
}

/// All edges, each made when it is written.
struct EdgeRecords<'a>(&'a Expansion<'a>);

#[derive(Serialize)]
struct EdgeRecord<'a> {
    source: Option<&'a str>,
    target: String,
    demand: DemandRecord<'a>,
}

impl Serialize for EdgeRecords<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let edges = self.0.sources().flat_map(|(source, edges)| {
            edges.iter().map(move |edge| EdgeRecord {
                source,
                target: edge.target.to_string(),
                demand: demand(&edge.demand),
            })
        });
        serializer.collect_seq(edges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::file::{Format, Matrix};
    use crate::target::Services;

    const FILE: &str = "
name: shop
sources: [frontend, admin]
rules:
  - { name: the database, to: \"db:5432,6432\", from: frontend, tries: 2 }
  - { to: \"[2001:db8::1]:22\", expect: \"blocked, refused\", control: web:80 }
";

    fn written(verbosity: Verbosity) -> String {
        let matrix = Matrix::read(FILE, Format::Yaml, &Services::default()).unwrap();
        let expansion = matrix.expand(100).unwrap();
        let checked = Checked {
            version: "1",
            file: "shop.yaml",
            name: matrix.name.as_deref(),
            expansion: &expansion,
            rate: 100,
        };
        let mut out = Vec::new();
        write_text(&checked, verbosity, 80, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_text_says_how_much_it_is_and_then_every_edge() {
        let text = written(Verbosity::Normal);
        let wanted = "\
shop.yaml is right: 2 sources, 4 targets, 6 edges.

SOURCE    EDGES  PACKETS  SENT IN
frontend  4      ≤ 240    ≤ 2.4 s
admin     2      ≤ 80     ≤ 800 ms

A look costs at most 40 packets, an open port a handful; sending them takes that
long at 100 packets a second (--rate), if all of them are needed. 4 edges have a
name, and every address that it has beyond the first costs as much again. What
does not answer takes as long as its timeout, for each try.

SOURCE    TARGET            EXPECTED            RULES
frontend  db:5432           reachable           the database
frontend  db:6432           reachable           the database
frontend  [2001:db8::1]:22  blocked or refused  rule 2
frontend  web:80            reachable           control of rule 2
admin     [2001:db8::1]:22  blocked or refused  rule 2
admin     web:80            reachable           control of rule 2
";
        assert_eq!(text, wanted, "\n{text}");
    }

    #[test]
    fn short_is_without_the_edges() {
        let text = written(Verbosity::Quiet);
        assert!(text.contains("admin     2      ≤ 80"), "{text}");
        assert!(!text.contains("rule 2"), "{text}");
    }
}
