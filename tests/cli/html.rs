//! The page of a matrix in headless Chromium: what a person sees, clicks and types.

#[allow(dead_code, reason = "shared with the tests of other pages")]
#[path = "../browser/mod.rs"]
mod browser;
#[path = "html/sample.rs"]
mod sample;

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use serde_json::{Value, json};
use tcpprobe::report::Style;
use tcpprobe::report::matrix::{Form, write};

use crate::support::cannot;
use browser::{Browser, Key};
use sample::{Sample, hostile, large, small};

#[test]
fn a_cell_that_is_clicked_tells_its_evidence_and_its_advice() {
    let Some(page) = Page::open(&small(), "") else {
        return;
    };
    page.click("frontend", "10.0.3.7:5432");
    let panel = page.panel();
    for wanted in [
        "frontend → 10.0.3.7:5432",
        "not as expected",
        "Expected reachable, found filtered/unattributed",
        "Rule: the shop may reach its data",
        "no answer to 6 SYNs from 2 source ports in 3 s",
        "the host answers on a closed port",
        "One of these",
        "sudo tcpdump -ni any 'tcp port 5432",
        "telnet would hang here for 2 min 7 s",
        "CAP_NET_RAW is missing",
        "Node node-1",
        "Looked at 2023-11-14 22:13:50 UTC, 1 time of at most 2",
    ] {
        assert!(panel.contains(wanted), "{wanted}: {panel}");
    }
    assert_eq!(page.hash(), "#from=frontend&to=10.0.3.7%3A5432");
    page.expect_no_complaint();
}

#[test]
fn a_block_that_is_proven_says_by_what_and_one_that_is_not_says_why() {
    let Some(page) = Page::open(&small(), "") else {
        return;
    };
    page.click("batch", "10.0.3.7:5432");
    let proven = page.panel();
    assert!(proven.contains("as expected"), "{proven}");
    assert!(
        proven.contains("The target is alive: the host answers elsewhere."),
        "{proven}"
    );
    page.click("batch", "nope:80");
    let unproven = page.panel();
    assert!(
        unproven.contains("The name gave no address, so nothing was asked of the target."),
        "{unproven}"
    );
    assert!(
        unproven.contains("nope.default.svc.cluster.local. A"),
        "{unproven}"
    );
    page.expect_no_complaint();
}

#[test]
fn a_link_shows_the_filter_and_the_cell_that_it_names() {
    let link = "#from=batch&to=10.0.3.7%3A81&judgements=missed&source=batch";
    let Some(page) = Page::open(&small(), link) else {
        return;
    };
    let panel = page.wait_for_panel("batch → 10.0.3.7:81");
    assert!(panel.contains("found refused/no-listener"), "{panel}");
    assert_eq!(page.rows(), ["not as expected batch → 10.0.3.7:81"]);
    assert_eq!(page.text("#judgements [aria-pressed=true]"), "not as expected\n1");
    page.expect_no_complaint();
}

#[test]
fn the_list_has_what_is_not_as_expected_first_and_the_keyboard_opens_it() {
    let Some(page) = Page::open(&small(), "") else {
        return;
    };
    let rows = page.rows();
    let results: Vec<&str> = rows
        .iter()
        .map(|row| row.split(" frontend").next().unwrap())
        .map(|row| row.split(" batch").next().unwrap())
        .collect();
    let mut ordered = results.clone();
    ordered.sort_by_key(|result| {
        ["not as expected", "error", "unproven", "as expected"]
            .iter()
            .position(|known| known == result)
            .unwrap()
    });
    assert_eq!(results, ordered);
    assert_eq!(rows.len(), small().answer.cells.len());

    page.browser
        .run("document.querySelector('#rows a').focus()", &json!([]));
    page.browser.press(&[Key::Enter]);
    let first = rows[0].trim_start_matches("not as expected ");
    page.wait_for_panel(first);
    page.browser.press(&[Key::Escape]);
    let focused = page
        .browser
        .run("return document.activeElement.textContent", &json!([]));
    assert_eq!(focused, json!(first));
    assert_eq!(page.hash(), "#");
    page.expect_no_complaint();
}

#[test]
fn arrows_go_from_cell_to_cell_and_say_where_they_are() {
    let Some(page) = Page::open(&small(), "") else {
        return;
    };
    page.browser
        .run("document.getElementById('scroller').focus()", &json!([]));
    page.browser.press(&[Key::Down, Key::Right, Key::Right]);
    let said = page.text("#spoken");
    assert!(said.starts_with("batch → 10.0.3.7:81: not as expected"), "{said}");
    page.browser.press(&[Key::Down, Key::Enter]);
    page.wait_for_panel("frontend → 10.0.3.7:81");
    page.expect_no_complaint();
}

#[test]
fn classes_results_and_names_choose_what_is_shown() {
    let Some(page) = Page::open(&small(), "") else {
        return;
    };
    let all = page.rows().len();
    page.press_chip("#classes", "refused");
    assert!(page.rows().iter().all(|row| row.ends_with("10.0.3.7:81")));
    page.press_chip("#classes", "refused");
    assert_eq!(page.rows().len(), all);
    page.type_into("#filter-source", "node-2");
    page.wait_until("document.querySelectorAll('#rows tr').length === 5");
    assert!(page.rows().iter().all(|row| row.contains("batch → ")));
    page.type_into("#filter-target", " nobody is called so");
    page.wait_until("document.querySelectorAll('#rows tr').length === 0");
    assert_eq!(page.text("#nothing"), "No edge is like that.");
    page.browser
        .run("document.getElementById('filter-none').click()", &json!([]));
    assert_eq!(page.rows().len(), all);
    page.expect_no_complaint();
}

#[test]
fn the_totals_and_what_is_missing_are_said_in_words() {
    let Some(page) = Page::open(&small(), "") else {
        return;
    };
    assert_eq!(page.text("h1"), "5 of 10 edges are not as expected");
    let head = page.text("body > header");
    assert!(
        head.contains("2 sources × 5 targets: 3 as expected, 5 not as expected, 2 unproven."),
        "{head}"
    );
    assert!(
        head.contains("Looked at 2023-11-14 22:13 to 22:14 UTC by tcpprobe 0.1.0."),
        "{head}"
    );
    assert!(head.contains("Incomplete."), "{head}");
    assert!(
        head.contains("2 edges of batch not looked at: the run ended early"),
        "{head}"
    );
}

#[test]
fn ninety_thousand_edges_are_a_picture_of_which_each_cell_can_be_opened() {
    let Some(page) = Page::open(&large(300, 300), "") else {
        return;
    };
    assert_eq!(page.text("#page-which"), "1 to 50 of 90,000 edges");
    let all_in_sight = "const { scroller } = grid; return scroller.scrollHeight <= scroller.clientHeight + 1 \
                        && scroller.scrollWidth <= scroller.clientWidth + 1";
    assert_eq!(page.of_grid(all_in_sight), json!(true));
    let colours = page.of_grid(
        "const box = grid.boxOf(7, 100); \
         const pixel = grid.canvas.getContext('2d').getImageData(box.x + box.width / 2, box.y + box.height / 2, 1, 1); \
         return [[...pixel.data.slice(0, 3)], grid.dotOf(grid.cellOf(7, 100))]",
    );
    assert_eq!(colours[0], colours[1], "the picture and what it stands for");

    page.click("pod-007", "10.9.0.100:8080");
    let panel = page.wait_for_panel("pod-007 → 10.9.0.100:8080");
    assert!(panel.contains("no answer to 6 SYNs"), "{panel}");

    page.browser
        .run("document.getElementById('zoom-in').click()", &json!([]));
    assert_eq!(page.of_grid(all_in_sight), json!(false));
    page.type_into("#filter-source", "pod-299");
    page.wait_until("document.getElementById('page-which').textContent.endsWith('of 300 edges')");
    page.click("pod-299", "10.9.0.3:8080");
    page.wait_for_panel("pod-299 → 10.9.0.3:8080");
    page.expect_no_complaint();
}

#[test]
fn what_a_name_or_a_text_says_is_never_run() {
    let Some(page) = Page::open(&hostile(), "") else {
        return;
    };
    page.browser
        .run("document.querySelector('#rows a').click()", &json!([]));
    let panel = page.wait_for_panel("<img src=x onerror");
    assert!(panel.contains("<script>window.ran = 'rule'</script>"), "{panel}");
    assert!(panel.contains("<svg onload=window.ran='reason'>"), "{panel}");
    let h1 = page.text("body > header");
    assert!(
        h1.contains("</title><script>window.ran='matrix'</script>"),
        "{h1}"
    );
    let place = page.of_grid("return grid.boxOf(0, 0)");
    let (x, y) = (place["x"].as_f64().unwrap(), place["y"].as_f64().unwrap());
    page.browser.move_to(page.in_window(x + 3.0, y + 3.0));
    page.wait_until("!document.getElementById('tip').hidden");
    assert_eq!(
        page.browser.run("return typeof window.ran", &json!([])),
        json!("undefined")
    );
    let strange = page.browser.run(
        "return document.querySelectorAll('img, svg, iframe, script:not([type]) ~ script').length",
        &json!([]),
    );
    assert_eq!(strange, json!(0));
    page.expect_no_complaint();
}

#[test]
fn the_policy_of_the_page_keeps_out_every_other_script_and_every_load() {
    let Some(page) = Page::open(&small(), "") else {
        return;
    };
    let script = "const done = arguments[arguments.length - 1]; \
         window.ran = []; \
         const script = document.createElement('script'); \
         try { script.textContent = 'window.ran.push(1)'; } catch { } \
         document.body.append(script); \
         try { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran.push(2)\">'); } catch { } \
         fetch(location.href).then(() => window.ran.push(3), () => {}).then(() => done(window.ran))";
    assert_eq!(page.browser.run_async(script), json!([]));
}

#[test]
#[ignore = "leaves pages in target/tmp for a person to look at"]
fn pages_to_look_at() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, sample) in [
        ("small", small()),
        ("large", large(300, 300)),
        ("long", large(1, 2000)),
        ("larger", large(400, 250)),
    ] {
        sample.write(&directory.join(format!("{name}.html")));
    }
}

/// A page that is open in a browser.
struct Page {
    browser: Browser,
    _directory: tempfile::TempDir,
}

impl Page {
    /// Absent where there is no browser.
    fn open(sample: &Sample, hash: &str) -> Option<Self> {
        let Some(browser) = Browser::start() else {
            cannot(Browser::MISSING);
            return None;
        };
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("matrix.html");
        sample.write(&path);
        browser.go(&format!("file://{}{hash}", path.display()));
        let page = Self {
            browser,
            _directory: directory,
        };
        page.of_grid("return 0");
        Some(page)
    }

    /// Runs a script in which `grid` is the grid of the page.
    fn of_grid(&self, script: &str) -> Value {
        self.browser.run_async(&format!(
            "const done = arguments[arguments.length - 1]; \
             started.then(({{ grid, matrix }}) => {{ {script} }}).then(done, (error) => done(String(error)))"
        ))
    }

    /// Clicks where the picture has a cell.
    fn click(&self, source: &str, target: &str) {
        let script = format!(
            "const source = matrix.sources.findIndex((other) => other.name === {source}); \
             const target = matrix.targets.indexOf({target}); \
             const place = grid.placeOf(cellAt(matrix, source, target)); \
             grid.scrollTo(place); \
             const box = grid.boxOf(place.row, place.column); \
             return [box.x + box.width / 2, box.y + box.height / 2]",
            source = json!(source),
            target = json!(target)
        );
        let place = self.of_grid(&script);
        let (Some(x), Some(y)) = (place[0].as_f64(), place[1].as_f64()) else {
            panic!("{source} → {target} is not there: {place}");
        };
        self.browser.click(self.in_window(x, y));
        self.wait_for_panel(&format!("{source} → {target}"));
    }

    /// A place of the picture, as the window has it.
    fn in_window(&self, x: f64, y: f64) -> (f64, f64) {
        let script = "const scroller = document.getElementById('scroller'); \
             scroller.scrollIntoView({ block: 'nearest' }); \
             const box = scroller.getBoundingClientRect(); return [box.left, box.top]";
        let corner = self.browser.run(script, &json!([]));
        (corner[0].as_f64().unwrap() + x, corner[1].as_f64().unwrap() + y)
    }

    fn press_chip(&self, facet: &str, label: &str) {
        let script = "[...document.querySelectorAll(arguments[0] + ' button')] \
             .find((button) => button.textContent.includes(arguments[1])).click()";
        self.browser.run(script, &json!([facet, label]));
    }

    fn type_into(&self, field: &str, text: &str) {
        self.browser
            .run("document.querySelector(arguments[0]).focus()", &json!([field]));
        let keys: Vec<Key> = text.chars().map(Key::Letter).collect();
        self.browser.press(&keys);
    }

    fn text(&self, of: &str) -> String {
        let script = "return document.querySelector(arguments[0]).innerText";
        let text = self.browser.run(script, &json!([of]));
        text.as_str().unwrap().trim().to_owned()
    }

    /// The text of the panel, with its lines joined.
    fn panel(&self) -> String {
        self.text("#edge")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn wait_for_panel(&self, heading: &str) -> String {
        let script = format!(
            "(document.querySelector('#edge h2')?.textContent ?? '').includes({})",
            json!(heading)
        );
        self.wait_until(&script);
        self.panel()
    }

    fn wait_until(&self, condition: &str) {
        self.browser.wait_until(condition);
    }

    /// Result, source and target of each row of the list.
    fn rows(&self) -> Vec<String> {
        let script = "return [...document.querySelectorAll('#rows tr')].map((row) => \
             row.children[0].textContent + ' ' + row.children[1].textContent)";
        let rows = self.browser.run(script, &json!([]));
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| row.as_str().unwrap().to_owned()).collect()
    }

    fn hash(&self) -> String {
        let hash = self.browser.run("return location.href", &json!([]));
        let (_, hash) = hash.as_str().unwrap().split_once('#').unwrap();
        format!("#{hash}")
    }

    /// Neither an error of the script nor a load that the policy forbids.
    fn expect_no_complaint(&self) {
        assert_eq!(self.browser.complaints(), Vec::<String>::new());
    }
}

impl Sample {
    fn write(&self, path: &Path) {
        let mut out = BufWriter::new(File::create(path).unwrap());
        write(Form::Html, &self.answer, &self.edges, &Style::default(), &mut out).unwrap();
    }
}
