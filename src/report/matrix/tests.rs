//! All forms, as text and as parsers that are not ours understand them.

use std::collections::BTreeMap;

use junit_parser::TestStatus;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::{Value, json};
use tap_parser::{DirectiveKind, TapParser, TapStatement};

use super::fixtures::*;
use super::*;
use crate::matrix::Changes;
use crate::report::{Verbosity, fixtures};

fn styled(form: Form, answer: &Answer, edges: &InMemory, style: &Style) -> String {
    let mut out = Vec::new();
    write(form, answer, edges, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn written(form: Form, edges: &InMemory) -> String {
    styled(form, &edges.answer(), edges, &Style::default())
}

#[test]
fn text_is_totals_then_a_grid_then_what_is_not_as_expected_and_why() {
    assert_eq!(
        written(Form::Text, &small()),
        "\
2 of 6 edges are not as expected; 1 unproven; 1 error.
2 sources × 4 targets, looked at 2023-11-14 22:13:50 UTC

               nope:8080  10.0.3.7:22  10.0.3.7:81  10.0.3.7:8080
batch     2/3  d                       .            O
frontend  2/3             !            R            .

. as expected   d dns-failed, unproven   ! error   O open   R refused
n/m: n of m edges are not as expected

batch → 10.0.3.7:8080  open/healthy: handshake RTT 57 µs
  Expected blocked, by rule 'batch stays out'.
  Next
    1. Whatever is to block this lets it through. In a cluster: is there a
       policy that selects the target's pod, does it leave out this source, and
       does the network plugin enforce policies?
         kubectl get networkpolicy -A

frontend → 10.0.3.7:81  refused/no-listener (likely): the host answered with a
  RST, so nothing listens on this address and port
  Expected reachable, by rule 'the shop is open'.
  Seen
      0.000 s  SYN: RST after 412 µs
      0.001 s  SYN to port 44321 (control): RST after 398 µs
  Why
    - ECONNREFUSED with an empty error queue: a RST, not an ICMP error
    - a closed port of the same host answers the same way
  Could also be
    - refused/middlebox-reset: a box on the path refuses in the host's name
  Next
    1. On the server: does it listen, and on which address?
         ss -ltnp 'sport = :81'
    2. In a cluster: does a pod have this address, and is it ready?
         kubectl get pods -A -o wide --field-selector status.podIP=10.0.3.7
  Looked with connect(). Not available: raw probes (-v says why).

frontend → 10.0.3.7:22  local-error/denied (likely): a policy of our own host
  forbids the connection
  Expected reachable, by rule 'the shop is open'.
  Our own side could not even try.
  Seen
      0.000 s  SYN: RST after 412 µs
      0.001 s  SYN to port 44321 (control): RST after 398 µs
  Why
    - ECONNREFUSED with an empty error queue: a RST, not an ICMP error
    - a closed port of the same host answers the same way
  Could also be
    - refused/middlebox-reset: a box on the path refuses in the host's name
  Next
    1. What our kernel would do:
         ip route get 10.0.3.7
    2. Who denied it?
         sudo ausearch -m avc -ts recent; sudo dmesg | tail -20
  Looked with connect(). Not available: raw probes (-v says why).

batch → nope:8080  dns-failed/nxdomain, unproven: the name gave no address, so
  nothing was asked of the target.
  Expected blocked, by rule 'batch stays out'.
"
    );
}

#[test]
fn quiet_text_is_a_line_for_the_totals_and_one_for_each_edge() {
    let style = Style {
        verbosity: Verbosity::Quiet,
        ..Style::default()
    };
    let edges = small();
    assert_eq!(
        styled(Form::Text, &edges.answer(), &edges, &style),
        "\
2 of 6 edges are not as expected; 1 unproven; 1 error.
missed    batch → 10.0.3.7:8080  open/healthy  expected blocked
missed    frontend → 10.0.3.7:81  refused/no-listener  expected reachable
error     frontend → 10.0.3.7:22  local-error/denied  expected reachable  local-error
unproven  batch → nope:8080  dns-failed/nxdomain  expected blocked  name-failed
"
    );
}

#[test]
fn tap_of_two_edges() {
    assert_eq!(
        written(Form::Tap, &tiny()),
        "\
TAP version 14
1..2
not ok 1 - batch → 10.0.3.7:8080: open/healthy, expected blocked
  ---
  severity: fail
  source: \"batch\"
  target: \"10.0.3.7:8080\"
  verdict: \"open/healthy\"
  expected: \"blocked\"
  rules: [\"batch stays out\"]
  seen:
    - \"batch → 10.0.3.7:8080  open/healthy: handshake RTT 57 µs\"
    - \"  Expected blocked, by rule 'batch stays out'.\"
    - \"  Next\"
    - \"    1. Whatever is to block this lets it through. In a cluster: is there a\"
    - \"       policy that selects the target's pod, does it leave out this source, and\"
    - \"       does the network plugin enforce policies?\"
    - \"         kubectl get networkpolicy -A\"
  ...
ok 2 - frontend → 10.0.3.7:8080: open/healthy, expected reachable
"
    );
}

#[test]
fn junit_of_two_edges() {
    assert_eq!(
        written(Form::Junit, &tiny()),
        "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites name=\"shop\" tests=\"2\" skipped=\"0\" failures=\"1\" errors=\"0\">
    <testsuite name=\"batch\" tests=\"1\" skipped=\"0\" errors=\"0\" failures=\"1\">
        <testcase name=\"10.0.3.7:8080\" classname=\"batch\">
            <failure message=\"open/healthy, expected blocked\" type=\"open/healthy\">batch → 10.0.3.7:8080  open/healthy: handshake RTT 57 µs
  Expected blocked, by rule &apos;batch stays out&apos;.
  Next
    1. Whatever is to block this lets it through. In a cluster: is there a
       policy that selects the target&apos;s pod, does it leave out this source, and
       does the network plugin enforce policies?
         kubectl get networkpolicy -A</failure>
        </testcase>
    </testsuite>
    <testsuite name=\"frontend\" tests=\"1\" skipped=\"0\" errors=\"0\" failures=\"0\">
        <testcase name=\"10.0.3.7:8080\" classname=\"frontend\"/>
    </testsuite>
</testsuites>
"
    );
}

#[test]
fn markdown_of_two_edges() {
    assert_eq!(
        written(Form::Markdown, &tiny()),
        "\
# 1 of 2 edges is not as expected.

2 sources × 1 target, looked at 2023-11-14 22:13:50 UTC

| | 10.0.3.7:8080 |
|---|:-:|
| batch | ❌ |
| frontend | ✅ |

✅ as expected, ❌ not as expected, ❔ unproven, ⚠️ error

## Not as expected

| Source | Target | Verdict | Expected | Rules | Why |
|---|---|---|---|---|---|
| batch | 10.0.3.7:8080 | open/healthy | blocked | batch stays out |  |

<details><summary>batch → 10.0.3.7:8080: open/healthy</summary>

```text
batch → 10.0.3.7:8080  open/healthy: handshake RTT 57 µs
  Expected blocked, by rule 'batch stays out'.
  Next
    1. Whatever is to block this lets it through. In a cluster: is there a
       policy that selects the target's pod, does it leave out this source, and
       does the network plugin enforce policies?
         kubectl get networkpolicy -A
```

</details>
"
    );
}

#[test]
fn prometheus_of_two_edges() {
    assert_eq!(
        written(Form::Prometheus, &tiny()),
        "\
# HELP tcpprobe_matrix_edges How many edges of a source come to what.
# TYPE tcpprobe_matrix_edges gauge
tcpprobe_matrix_edges{source=\"batch\",result=\"met\"} 0
tcpprobe_matrix_edges{source=\"batch\",result=\"unproven\"} 0
tcpprobe_matrix_edges{source=\"batch\",result=\"error\"} 0
tcpprobe_matrix_edges{source=\"batch\",result=\"missed\"} 1
tcpprobe_matrix_edges{source=\"frontend\",result=\"met\"} 1
tcpprobe_matrix_edges{source=\"frontend\",result=\"unproven\"} 0
tcpprobe_matrix_edges{source=\"frontend\",result=\"error\"} 0
tcpprobe_matrix_edges{source=\"frontend\",result=\"missed\"} 0
# HELP tcpprobe_matrix_verdicts How many edges of a source have which verdict.
# TYPE tcpprobe_matrix_verdicts gauge
tcpprobe_matrix_verdicts{source=\"batch\",class=\"open\",cause=\"healthy\"} 1
tcpprobe_matrix_verdicts{source=\"frontend\",class=\"open\",cause=\"healthy\"} 1
# HELP tcpprobe_matrix_edge 1 for an edge, with what it comes to and its verdict.
# TYPE tcpprobe_matrix_edge gauge
tcpprobe_matrix_edge{source=\"batch\",target=\"10.0.3.7:8080\",result=\"missed\",class=\"open\",cause=\"healthy\"} 1
tcpprobe_matrix_edge{source=\"frontend\",target=\"10.0.3.7:8080\",result=\"met\",class=\"open\",cause=\"healthy\"} 1
# HELP tcpprobe_matrix_edges_without_series How many edges that are not as expected have no series of their own.
# TYPE tcpprobe_matrix_edges_without_series gauge
tcpprobe_matrix_edges_without_series 0
# HELP tcpprobe_matrix_last_look_timestamp_seconds When the last edge of a source was looked at, in Unix time.
# TYPE tcpprobe_matrix_last_look_timestamp_seconds gauge
tcpprobe_matrix_last_look_timestamp_seconds{source=\"batch\"} 1700000030
tcpprobe_matrix_last_look_timestamp_seconds{source=\"frontend\"} 1700000030
# HELP tcpprobe_matrix_planned_edges How many edges the runs of a source were to look at.
# TYPE tcpprobe_matrix_planned_edges gauge
tcpprobe_matrix_planned_edges{source=\"batch\"} 1
tcpprobe_matrix_planned_edges{source=\"frontend\"} 1
# HELP tcpprobe_matrix_partial 1 where edges are missing: a run ended early, or lines of it were lost.
# TYPE tcpprobe_matrix_partial gauge
tcpprobe_matrix_partial 0
"
    );
}

/// The grid and what its letters mean.
fn grid_of(text: &str) -> String {
    let lines: Vec<&str> = text.lines().skip(3).collect();
    let is_last = |line: &&str| line.starts_with(". as expected") || line.starts_with('…');
    let end = lines.iter().position(is_last).unwrap();
    lines[..=end].join("\n")
}

#[test]
fn a_few_targets_have_their_names_above_their_columns() {
    let one_is_closed = |_, target| {
        if target == 1 {
            fixtures::refused()
        } else {
            fixtures::open()
        }
    };
    assert_eq!(
        grid_of(&written(Form::Text, &grid(1, 3, one_is_closed))),
        "               svc-000.shop:8080  svc-001.shop:8080  svc-002.shop:8080
node-000  1/3  .                  R                  .

. as expected   R refused"
    );
}

#[test]
fn many_targets_have_numbers_and_the_numbers_a_key() {
    let one_source = |source, target| {
        if source == 2 && target > 2 {
            fixtures::unattributed()
        } else {
            fixtures::open()
        }
    };
    assert_eq!(
        grid_of(&written(Form::Text, &grid(3, 20, one_source))),
        "                 1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20
node-000   0/20  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
node-001   0/20  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
node-002  17/20  .  .  .  F  F  F  F  F  F  F  F  F  F  F  F  F  F  F  F  F

 1 svc-000.shop:8080   8 svc-007.shop:8080  15 svc-014.shop:8080
 2 svc-001.shop:8080   9 svc-008.shop:8080  16 svc-015.shop:8080
 3 svc-002.shop:8080  10 svc-009.shop:8080  17 svc-016.shop:8080
 4 svc-003.shop:8080  11 svc-010.shop:8080  18 svc-017.shop:8080
 5 svc-004.shop:8080  12 svc-011.shop:8080  19 svc-018.shop:8080
 6 svc-005.shop:8080  13 svc-012.shop:8080  20 svc-019.shop:8080
 7 svc-006.shop:8080  14 svc-013.shop:8080

. as expected   F filtered"
    );
}

#[test]
fn hundreds_are_counted_by_source_and_rule() {
    let one_source = |source, target| {
        if source == 7 && target > 60 {
            fixtures::unattributed()
        } else {
            fixtures::open()
        }
    };
    assert_eq!(
        grid_of(&written(Form::Text, &grid(50, 70, one_source))),
        "\
Edges not as expected, of all, by source and rule:
                everyone may reach ever…       mesh
node-007  9/70                      5/35       4/35
… and 49 sources with all edges as expected"
    );
}

#[test]
fn no_line_of_a_grid_is_wider_than_the_terminal() {
    let mixed = |source: usize, target: usize| match (source + target) % 3 {
        0 => fixtures::open(),
        1 => fixtures::refused(),
        _ => fixtures::rejected(),
    };
    for (sources, targets) in [(1, 3), (3, 20), (45, 60), (50, 70)] {
        let edges = grid(sources, targets, mixed);
        let answer = edges.answer();
        for width in [60, 80, 100] {
            let style = Style {
                width,
                ..Style::default()
            };
            let text = styled(Form::Text, &answer, &edges, &style);
            let widest = text
                .lines()
                .skip(3)
                .take_while(|line| !line.contains('→'))
                .map(|line| line.chars().count())
                .max();
            assert!(
                widest <= Some(width),
                "{sources} x {targets} in {width}: {widest:?}\n{text}"
            );
        }
    }
}

#[test]
fn edges_with_one_story_are_told_once() {
    let one_target = |_, target| {
        if target == 1 {
            fixtures::refused()
        } else {
            fixtures::open()
        }
    };
    let text = written(Form::Text, &grid(30, 4, one_target));
    assert_eq!(text.matches("Seen").count(), 1, "{text}");
    assert!(
        text.contains("The same to svc-001.shop:8080 from 29 more: node-001, node-002,"),
        "{text}"
    );
    assert!(text.contains("and 21 more."), "{text}");
}

#[test]
fn stories_beyond_a_dozen_are_counted_unless_all_are_asked_for() {
    // On the diagonal no two edges share a source or a target.
    let diagonal = |source, target| {
        if source == target {
            fixtures::refused()
        } else {
            fixtures::open()
        }
    };
    let edges = grid(20, 20, diagonal);
    let answer = edges.answer();
    let text = styled(Form::Text, &answer, &edges, &Style::default());
    assert_eq!(text.matches("\n  Seen\n").count(), 12);
    assert!(
        text.contains("8 stories more of 8 missed edges are not told here: -v tells all, -q"),
        "{text}"
    );
    let all = Style {
        verbosity: Verbosity::Verbose,
        ..Style::default()
    };
    let text = styled(Form::Text, &answer, &edges, &all);
    assert_eq!(text.matches("\n  Seen\n").count(), 20);
}

#[test]
fn colours_are_ours_alone() {
    let edges = nasty();
    let answer = edges.answer();
    let text = written(Form::Text, &edges);
    assert!(!text.replace('\n', "").contains(char::is_control), "{text:?}");
    let style = Style {
        colour: true,
        ..Style::default()
    };
    let coloured = styled(Form::Text, &answer, &edges, &style);
    assert!(coloured.contains("\u{1b}[1m\u{1b}[31mR"), "{coloured:?}");
    assert!(!coloured.contains('\0'), "{coloured:?}");
}

#[test]
fn what_is_missing_is_said_in_every_form() {
    let edges = tiny();
    let mut answer = edges.answer();
    answer.runs.retain(|run| run.source.source != "batch");
    let in_form = |form| styled(form, &answer, &edges, &Style::default());
    let text = in_form(Form::Text);
    assert!(
        text.starts_with("1 of 2 edges is not as expected. Incomplete.\n"),
        "{text}"
    );
    assert!(
        text.contains("\n\nIncomplete: no summary from batch: its run was killed,"),
        "{text}"
    );
    assert!(in_form(Form::Markdown).contains("\n**Incomplete:** no summary from batch"));
    assert!(in_form(Form::Prometheus).contains("\ntcpprobe_matrix_partial 1\n"));
    assert!(in_form(Form::Tap).contains("\nnot ok 3 - incomplete: no summary from batch"));
    let junit = junit_parser::from_reader(in_form(Form::Junit).as_bytes()).unwrap();
    assert_eq!((junit.errors, junit.failures, junit.tests), (1, 1, 3));
    let json: Value = serde_json::from_str(&in_form(Form::Json)).unwrap();
    assert_eq!(json["complete"], false);
    assert_eq!(json["gaps"].as_array().unwrap().len(), 1);
}

#[test]
fn what_has_changed_is_said_in_every_form() {
    let (answer, edges) = changed();
    let in_form = |form| styled(form, &answer, &edges, &Style::default());
    let text = in_form(Form::Text);
    assert!(
        text.contains("\nSince the baseline: 1 broke and 1 vanished; 1 edge as before.\n"),
        "{text}"
    );
    assert!(text.contains(
        "  broke     frontend → 10.0.3.7:8080: missed filtered/unattributed, was met open/healthy\n"
    ));
    let lines: Vec<Value> = in_form(Form::Jsonl)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let kinds: Vec<&Value> = lines
        .iter()
        .filter(|line| line["record"] == "change")
        .map(|line| &line["kind"])
        .collect();
    assert_eq!(kinds, ["broke", "vanished"]);
    assert!(in_form(Form::Markdown).contains("| **broke** | frontend | 10.0.3.7:8080 | met open/healthy |"));
    assert!(in_form(Form::Prometheus).contains("tcpprobe_matrix_changed_edges{kind=\"broke\"} 1\n"));
    assert!(in_form(Form::Tap).contains("expected reachable, was met open/healthy in the baseline\n"));
    assert!(in_form(Form::Junit).contains("expected reachable, was met open/healthy in the baseline"));
}

/// An answer with a baseline: one edge broke, one vanished.
fn changed() -> (Answer, InMemory) {
    let mut old = tiny();
    old.0.push(edge(
        "frontend",
        "reachable",
        "the shop is open",
        fixtures::refused(),
    ));
    let mut new = tiny();
    new.0[0].outcome = fixtures::unattributed();
    let mut answer = new.answer();
    answer.changes = Some(Changes::between(&old.answer(), &answer));
    (answer, new)
}

#[test]
fn a_parser_of_junit_finds_a_suite_a_source_and_every_kind_of_case() {
    let text = written(Form::Junit, &small());
    let report = junit_parser::from_reader(text.as_bytes()).unwrap();
    let counts = (report.tests, report.failures, report.errors, report.skipped);
    assert_eq!(counts, (6, 2, 1, 1));
    let suites: Vec<&str> = report.suites.iter().map(|suite| suite.name.as_str()).collect();
    assert_eq!(suites, ["batch", "frontend"]);
    let cases = report.suites.iter().flat_map(|suite| &suite.cases);
    let kinds: BTreeMap<String, &str> = cases
        .map(|case| {
            let kind = match &case.status {
                TestStatus::Success => "success",
                TestStatus::Error(_) => "error",
                TestStatus::Failure(_) => "failure",
                TestStatus::Skipped(_) => "skipped",
            };
            (format!("{:?} {}", case.classname, case.name), kind)
        })
        .collect();
    let kinds: Vec<&str> = kinds.into_values().collect();
    assert_eq!(
        kinds,
        ["failure", "success", "skipped", "error", "success", "failure"]
    );
    let refused = &report.suites[1].cases[1];
    let failure = refused.status.failure_as_ref();
    assert_eq!(failure.failure_type, "refused/no-listener");
    assert!(failure.text.contains("SYN: RST after 412 µs"), "{failure:?}");
}

#[test]
fn a_parser_of_junit_reads_what_xml_cannot_hold() {
    let text = written(Form::Junit, &nasty());
    let report = junit_parser::from_reader(text.as_bytes()).unwrap();
    let failure = report.suites[0].cases[0].status.failure_as_ref();
    assert!(failure.text.contains("`c` *e* _f_ [g]"), "{failure:?}");
    assert!(!text.contains(['\u{1b}', '\0']));
}

#[test]
fn a_parser_of_tap_finds_a_point_an_edge() {
    for (edges, wanted) in [(small(), 6), (nasty(), 1), (shop(), 12)] {
        let text = written(Form::Tap, &edges);
        let statements = TapParser::new().parse(&text).unwrap();
        let mut points = 0;
        for statement in &statements {
            match statement {
                TapStatement::Plan(plan) => assert_eq!(plan.count, wanted),
                TapStatement::TestPoint(point) => {
                    points += 1;
                    assert_eq!(point.number, Some(points));
                    let is_skipped = point
                        .directive
                        .as_ref()
                        .is_some_and(|directive| directive.kind == DirectiveKind::Skip);
                    let has_block = !point.yaml.is_empty();
                    assert_eq!(has_block, !point.result || is_skipped, "{point:?}");
                }
                other @ (TapStatement::Comment(_) | TapStatement::Subtest(_)) => panic!("{other:?}"),
            }
        }
        assert_eq!(points, wanted);
    }
}

#[test]
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "most events of Markdown are no matter here"
)]
fn a_parser_of_markdown_finds_tables_whose_rows_are_whole() {
    for edges in [small(), nasty(), shop(), grid(2, 30, |_, _| fixtures::refused())] {
        let text = written(Form::Markdown, &edges);
        let (mut columns, mut cells, mut rows, mut tables) = (0, 0, 0, 0);
        let mut is_code = false;
        for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Table(alignments)) => {
                    columns = alignments.len();
                    tables += 1;
                }
                Event::Start(Tag::TableHead | Tag::TableRow) => cells = 0,
                Event::End(TagEnd::TableCell) => cells += 1,
                Event::End(TagEnd::TableHead | TagEnd::TableRow) => {
                    assert_eq!(cells, columns, "{text}");
                    rows += 1;
                }
                Event::Start(Tag::CodeBlock(_)) => is_code = true,
                Event::End(TagEnd::CodeBlock) => is_code = false,
                Event::Start(Tag::Emphasis | Tag::Strong | Tag::Link { .. } | Tag::Image { .. }) => {
                    panic!("{text}")
                }
                Event::Html(html) | Event::InlineHtml(html) => {
                    assert!(html.contains("details"), "{html}");
                    assert!(!html.contains("<t>"), "{html}");
                }
                Event::Code(code) => panic!("{code}: {text}"),
                _ => {}
            }
        }
        assert!(tables >= 2 && rows >= 4 && !is_code, "{text}");
    }
}

#[test]
fn a_parser_of_prometheus_reads_every_sample_and_labels_are_bounded() {
    for edges in [small(), nasty(), shop()] {
        let text = written(Form::Prometheus, &edges);
        let lines = text.lines().map(|line| Ok(line.to_owned()));
        let scrape = prometheus_parse::Scrape::parse(lines).unwrap();
        let samples = text.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(scrape.samples.len(), samples);
        let of = |metric: &str| {
            let samples = scrape.samples.iter();
            let named: Vec<_> = samples.filter(|sample| sample.metric == metric).collect();
            named
        };
        assert_eq!(of("tcpprobe_matrix_edge").len(), edges.answer().cells.len());
        for sample in &scrape.samples {
            assert!(scrape.docs.contains_key(&sample.metric), "{sample:?}");
            let known = ["source", "target", "result", "class", "cause", "kind"];
            assert!(
                sample.labels.keys().all(|label| known.contains(&label.as_str())),
                "{sample:?}"
            );
        }
        // An address that a name resolved to is no label.
        assert!(!text.contains("2001:db8::7]:8080"), "{text}");
    }
}

#[test]
fn a_matrix_too_large_for_a_series_an_edge_has_series_of_what_is_not_as_expected() {
    let one_is_closed = |source, target| {
        if source == 3 && target == 4 {
            fixtures::refused()
        } else {
            fixtures::open()
        }
    };
    let text = written(Form::Prometheus, &grid(101, 100, one_is_closed));
    assert_eq!(text.matches("\ntcpprobe_matrix_edge{").count(), 1);
    assert!(text.contains("\ntcpprobe_matrix_edges_without_series 0\n"));
    assert!(text.contains("{source=\"node-003\",result=\"met\"} 99\n"));
}

#[test]
fn every_record_holds_to_the_schema() {
    let (answer, edges) = changed();
    let mut texts = vec![styled(Form::Jsonl, &answer, &edges, &Style::default())];
    texts.extend([small(), shop(), nasty()].map(|edges| written(Form::Jsonl, &edges)));
    for text in texts {
        for line in text.lines() {
            assert_valid(&serde_json::from_str(line).unwrap());
        }
    }
}

#[test]
fn the_document_holds_to_the_schema() {
    let (answer, edges) = changed();
    let text = styled(Form::Json, &answer, &edges, &Style::default());
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_valid(&document);
    assert_eq!(document["edges"].as_array().unwrap().len(), 2);
    assert_eq!(document["changes"]["unchanged"], 1);
    assert_valid(&serde_json::from_str(&written(Form::Json, &InMemory::default())).unwrap());
}

/// The committed schema, made strict: a field that it does not describe is an error.
fn assert_valid(value: &Value) {
    let read = |name: &str| -> Value {
        let path = format!("{}/docs/schema/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    };
    let mut schema = read("tcpprobe-matrix-v1");
    forbid_unknown(&mut schema["$defs"]);
    let meant = value["record"].as_str().unwrap().to_owned();
    let fields = schema.as_object_mut().unwrap();
    fields.remove("oneOf");
    fields.insert("$ref".to_owned(), json!(format!("#/$defs/{meant}")));
    let base = jsonschema::Resource::from_contents(read("tcpprobe-v1"));
    let validator = jsonschema::options()
        .with_resource("json-schema:///tcpprobe-v1.schema.json", base)
        .build(&schema)
        .unwrap();
    let errors: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}\n{value:#}", errors.join("\n"));
}

fn forbid_unknown(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.get("properties").is_some_and(Value::is_object) {
                fields.insert("additionalProperties".to_owned(), json!(false));
            }
            fields.values_mut().for_each(forbid_unknown);
        }
        Value::Array(items) => items.iter_mut().for_each(forbid_unknown),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
