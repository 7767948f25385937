//! The page, in a browser: what a person sees, clicks and types.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "page/board.rs"]
mod board;
#[allow(dead_code, reason = "shared with the tests of other pages")]
#[path = "../browser/mod.rs"]
mod browser;
#[path = "page/served.rs"]
mod served;

use std::fmt::Debug;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};
use tcpprobe::lab::{Lab, Network, Node};
use tcpprobe::monitor::{Board, Loaded};
use tcpprobe::report::monitor::{target_json, targets_json};

use crate::{House, TCPPROBE, trials, wanted};
use board::{NOW, Plan, becomes, board, few, hostile, many};
use browser::outcomes::{Does, at_address};
use browser::{Browser, Key};
use served::Served;

type Once = fn() -> Result<(), Failed>;

const TRIALS: &[(&str, Once)] = &[
    (
        "what_is_wrong_comes_first_and_is_counted",
        what_is_wrong_comes_first,
    ),
    (
        "a_target_that_is_clicked_tells_its_evidence_and_its_advice",
        a_click_opens,
    ),
    ("the_keyboard_alone_is_enough", the_keyboard_is_enough),
    ("words_classes_and_modules_choose_what_is_shown", filters_choose),
    (
        "what_a_name_or_a_label_says_is_never_run",
        hostile_texts_are_texts,
    ),
    (
        "nothing_is_loaded_from_elsewhere_and_no_other_script_runs",
        nothing_from_elsewhere,
    ),
    (
        "news_leave_the_place_and_the_open_target_as_they_are",
        news_move_nothing,
    ),
    (
        "a_monitor_that_does_not_answer_is_said_to_be_silent",
        silence_is_said,
    ),
    (
        "trouble_with_the_configuration_and_lateness_are_said_on_top",
        troubles_are_said,
    ),
    ("without_a_script_it_is_a_table", without_a_script),
    ("ten_thousand_targets_are_as_few_elements_as_twenty", ten_thousand),
    (
        "no_width_of_a_phone_makes_it_scroll_sideways",
        no_width_scrolls_sideways,
    ),
    (
        "every_text_can_be_read_in_light_and_in_dark",
        every_text_has_contrast,
    ),
    ("the_page_of_a_real_monitor_shows_its_targets", a_real_monitor),
];

pub(crate) fn trials(house: &House) -> Vec<Trial> {
    let has_driver = Command::new("chromedriver").arg("--version").output().is_ok();
    let has_namespaces = house.why_not.is_none();
    let of_browser = TRIALS.iter().map(move |(name, once)| {
        Trial::ignorable_test(*name, move || match (has_driver, has_namespaces) {
            (false, _) => trials::cannot(Browser::MISSING),
            (true, true) => trials::carry_out(name, || in_a_lab(*once)),
            (true, false) => trials::carry_out(name, once),
        })
    });
    let documents = Trial::test(
        "the_documents_hold_to_their_schema",
        documents_hold_to_their_schema,
    );
    of_browser.chain([documents]).collect()
}

/// The namespace that this process is in has no loopback that works; the hosts of a lab have one.
fn in_a_lab(once: Once) -> Result<(), Failed> {
    Lab::build(&Network::default())?.on(Node::Client, once)?
}

fn what_is_wrong_comes_first() -> Result<(), Failed> {
    let page = Page::open(&few(), "")?;
    equal(
        &page.names(),
        &["cache", "db", "edge", "nope", "api", "web"].map(String::from),
    )?;
    equal(&page.text("h1"), &"4 of 6 targets are not as expected".to_owned())?;
    equal(&page.text("#extra"), &"2 as expected".to_owned())?;
    let chips = page.text("#classes");
    for chip in [
        "filtered\n1",
        "refused\n1",
        "rejected\n1",
        "dns-failed\n1",
        "open\n2",
    ] {
        wanted(squeezed(&chips).contains(&squeezed(chip)), || {
            format!("{chip}: {chips}")
        })?;
    }
    let rows = page.text("#rows");
    for says in [
        "open: handshake RTT 290 µs",
        "dns-failed: there is no such name",
        "rejected from 10.0.0.1:",
        "team=data",
    ] {
        let says = says.replace("10.0.0.1", "2001:db8:1::1");
        wanted(rows.contains(&says), || format!("{says}: {rows}"))?;
    }
    page.no_complaint()
}

fn a_click_opens() -> Result<(), Failed> {
    let page = Page::open(&few(), "")?;
    page.click("db");
    let panel = page.panel("filtered/unattributed");
    for says in [
        "Not as expected",
        "for 15 s, since 2023-11-14 22:13:05 UTC",
        "no answer to 6 SYNs from 2 source ports in 3 s",
        "the host answers on a closed port",
        "One of these",
        "sudo tcpdump -ni any 'tcp port 5432",
        "CAP_NET_RAW is missing",
        "What filtered/unattributed means",
        "Expected open",
        "2 filtered",
    ] {
        wanted(panel.contains(says), || format!("{says}: {panel}"))?;
    }
    equal(&page.hash(), &"#target=db".to_owned())?;
    page.browser.run("history.back()", &json!([]));
    page.browser
        .wait_until("document.getElementById('target').hidden");
    page.no_complaint()
}

fn the_keyboard_is_enough() -> Result<(), Failed> {
    let page = Page::open(&few(), "")?;
    page.browser.press(&[Key::Letter('j'), Key::Down, Key::Enter]);
    page.panel("filtered/unattributed");
    equal(&page.hash(), &"#target=db".to_owned())?;
    page.browser.press(&[Key::Escape]);
    page.browser
        .wait_until("document.activeElement.textContent.includes('db')");
    page.browser.press(&[
        Key::Letter('/'),
        Key::Letter('w'),
        Key::Letter('e'),
        Key::Letter('b'),
        Key::Down,
        Key::Enter,
    ]);
    page.panel("open/healthy");
    equal(&page.names(), &["web".to_owned()])?;
    page.no_complaint()
}

fn filters_choose() -> Result<(), Failed> {
    let page = Page::open(&few(), "#search=team%3Ddata&class=refused")?;
    equal(&page.names(), &["cache".to_owned()])?;
    page.browser.run(
        "document.querySelector('#classes [aria-pressed=true]').click()",
        &json!([]),
    );
    equal(&page.names(), &["cache".to_owned(), "db".to_owned()])?;
    page.browser
        .run("document.getElementById('filter-none').click()", &json!([]));
    equal(&page.names().len(), &6)?;
    equal(&page.hash(), &"#".to_owned())?;
    let choose = "const field = document.getElementById('module'); field.value = 'strict'; \
                  field.dispatchEvent(new Event('change'))";
    page.browser.run(choose, &json!([]));
    equal(&page.names(), &["edge".to_owned()])?;
    equal(&page.hash(), &"#module=strict".to_owned())?;
    page.browser.run(
        "const field = document.getElementById('search'); field.value = 'nobody'; field.dispatchEvent(new Event('input'))",
        &json!([]),
    );
    equal(&page.text("#nothing"), &"No target is like that.".to_owned())?;
    page.no_complaint()
}

fn hostile_texts_are_texts() -> Result<(), Failed> {
    let plans = hostile();
    for is_run in [true, false] {
        let page = Page::open_as(&board(&plans), "", is_run)?;
        if is_run {
            // They are alike, and told once.
            page.browser
                .run("document.querySelector('#rows button').click()", &json!([]));
            page.click("<img src=x onerror=\"window.ran='name'\">");
            let panel = page.panel("refused/no-listener");
            wanted(panel.contains("<svg onload=window.ran='label'>"), || {
                panel.clone()
            })?;
        }
        let strange = "return document.querySelectorAll('img, iframe, object, svg[onload], script').length";
        let scripts = page.browser.run(strange, &json!([]));
        equal(&scripts, &json!(2))?;
        equal(
            &page.browser.run("return typeof window.ran", &json!([])),
            &json!("undefined"),
        )?;
        let wide = "return document.documentElement.scrollWidth - innerWidth";
        let wide = page.browser.run(wide, &json!([])).as_f64().unwrap_or(9.0);
        wanted(!is_run || wide <= 0.0, || format!("{wide} too wide"))?;
        page.no_complaint()?;
    }
    Ok(())
}

fn nothing_from_elsewhere() -> Result<(), Failed> {
    let page = Page::open(&few(), "#target=db")?;
    page.panel("filtered/unattributed");
    let loaded = "return performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => \
                  !name.startsWith(location.origin + '/api/') && !name.endsWith('/favicon.ico'))";
    equal(&page.browser.run(loaded, &json!([])), &json!([]))?;
    let stored = "return [document.cookie, localStorage.length, sessionStorage.length]";
    equal(&page.browser.run(stored, &json!([])), &json!(["", 0, 0]))?;
    page.no_complaint()?;
    let script = "const done = arguments[arguments.length - 1]; window.ran = []; \
         const script = document.createElement('script'); \
         try { script.textContent = 'window.ran.push(1)'; } catch { } \
         document.body.append(script); \
         try { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran.push(2)\">'); } catch { } \
         fetch('http://127.0.0.1:9/').then(() => window.ran.push(3), () => {}).then(() => done(window.ran))";
    equal(&page.browser.run_async(script), &json!([]))
}

fn news_move_nothing() -> Result<(), Failed> {
    let board = board(&many(400));
    let page = Page::open_as(&board, "", true)?;
    page.browser.run("scrollTo(0, 6000)", &json!([]));
    page.browser
        .wait_until("document.querySelector('#rows').children.length > 0 && scrollY > 5000");
    let first = "return [...document.querySelectorAll('#rows li')].map((row) => [row.dataset.key, row.getBoundingClientRect().top]) \
                 .filter(([, top]) => top >= 0 && top < innerHeight)[0]";
    let before = page.browser.run(first, &json!([]));
    page.ask();
    // Two that were fine are no more.
    for name in ["node-00000", "node-00001"] {
        for later in [15, 30] {
            let at = NOW + Duration::from_secs(later);
            becomes(&board, name, &at_address("10.0.3.7:9", Does::Prohibit), at);
        }
    }
    page.served.set_clock(NOW + Duration::from_secs(31));
    page.ask();
    equal(
        &page.text("h1"),
        &"7 of 400 targets are not as expected".to_owned(),
    )?;
    equal(&page.browser.run(first, &json!([])), &before)?;

    // And the target that is open stays, with what is selected in it.
    page.browser.run("scrollTo(0, 0)", &json!([]));
    page.click("node-00000");
    page.panel("rejected/admin-prohibited");
    page.browser.run(
        "getSelection().selectAllChildren(document.querySelector('#target .verdict')); document.getElementById('panel').scrollTop = 40",
        &json!([]),
    );
    let at = NOW + Duration::from_secs(45);
    becomes(&board, "node-00000", &at_address("10.0.3.7:9", Does::Answer), at);
    page.served.set_clock(at);
    page.ask();
    page.browser
        .wait_until("!document.querySelector('#target .newer').hidden");
    let kept = "return [getSelection().isCollapsed, document.getElementById('panel').scrollTop]";
    equal(&page.browser.run(kept, &json!([])), &json!([false, 40]))?;
    page.browser
        .run("document.querySelector('#target .newer').click()", &json!([]));
    let panel = page.panel("open/healthy");
    wanted(
        panel.contains("The latest check says open/healthy. That counts after 2 checks in a row."),
        || panel.clone(),
    )?;
    page.no_complaint()
}

fn silence_is_said() -> Result<(), Failed> {
    let page = Page::open(&few(), "")?;
    page.served.fall_silent();
    page.ask();
    // Nobody waits until it is old: the page is told that its last answer was 40 s ago.
    page.browser.run("started.state.answered -= 40000", &json!([]));
    page.ask();
    let says = page.text("#stale");
    wanted(says.starts_with("No answer from the monitor for 4"), || {
        says.clone()
    })?;
    equal(&page.names().len(), &6)?;
    page.served.answer_again();
    page.ask();
    page.browser.wait_until("document.getElementById('stale').hidden");
    Ok(())
}

fn troubles_are_said() -> Result<(), Failed> {
    let board = board(&few());
    board.refused("targets.yaml:3:1: <b>no</b>".to_owned());
    board.note(|engine| engine.begun = 1000);
    let page = Page::open_as(&board, "", true)?;
    let says = page.text("#troubles");
    for wanted_text in [
        "The configuration was not taken.",
        "of 2023-11-14 21:13:20 UTC",
        "targets.yaml:3:1: <b>no</b>",
    ] {
        wanted(says.contains(wanted_text), || says.clone())?;
    }
    wanted(!says.contains("behind"), || says.clone())?;
    board.note(|engine| {
        engine.begun += 100;
        engine.late += 12;
        engine.left_out += 1;
    });
    page.ask();
    let says = page.text("#troubles");
    for wanted_text in [
        "12 % of the checks began more than 100 ms late",
        "1 check left out",
    ] {
        wanted(says.contains(wanted_text), || says.clone())?;
    }
    let loaded = Loaded {
        is_success: true,
        error: None,
        ..board.loaded()
    };
    board.replace(board.slots().to_vec(), board.modules(), loaded);
    page.ask();
    let says = page.text("#troubles");
    wanted(!says.contains("not taken"), || says.clone())?;
    page.no_complaint()
}

fn without_a_script() -> Result<(), Failed> {
    let page = Page::open_as(&board(&few()), "", false)?;
    equal(&page.text("h1"), &"4 of 6 targets are not as expected".to_owned())?;
    let names = "return [...document.querySelectorAll('#plain tbody th')].map((name) => name.textContent)";
    equal(
        &page.browser.run(names, &json!([])),
        &json!(["cache", "db", "edge", "nope", "api", "web"]),
    )?;
    let table = page.text("#plain");
    for says in [
        "not as expected",
        "rejected from 2001:db8:1::1",
        "for 15 s, since 2023-11-14 22:13 UTC",
        "Without JavaScript",
    ] {
        wanted(table.contains(says), || format!("{says}: {table}"))?;
    }
    page.no_complaint()
}

fn ten_thousand() -> Result<(), Failed> {
    let page = Page::open(&many(10_000), "")?;
    equal(
        &page.text("h1"),
        &"110 of 10,000 targets are not as expected".to_owned(),
    )?;
    let elements = "return document.querySelectorAll('*').length";
    let rows = page.text("#rows");
    wanted(
        rows.contains("100 targets alike") && rows.contains("10 targets alike"),
        || rows.clone(),
    )?;
    page.browser
        .run("scrollTo(0, document.documentElement.scrollHeight)", &json!([]));
    page.browser
        .wait_until("document.querySelector('#rows').textContent.includes('node-09999')");
    // Twice: what has been in sight is not kept.
    page.browser.run("scrollTo(0, 300000)", &json!([]));
    page.browser
        .wait_until("!document.querySelector('#rows').textContent.includes('node-09999')");
    // The table of the first two hundred is there, hidden, for who has no script.
    let count = page
        .browser
        .run(elements, &json!([]))
        .as_u64()
        .unwrap_or(u64::MAX);
    wanted(count < 3500, || format!("{count} elements"))?;
    page.browser.run(
        "const field = document.getElementById('search'); field.value = 'node-04711'; field.dispatchEvent(new Event('input'))",
        &json!([]),
    );
    equal(&page.names(), &["node-04711".to_owned()])?;
    page.click("node-04711");
    page.panel("open/healthy");
    // Who has all of them asks for what is new alone.
    page.ask();
    let asked = page.served.asked();
    wanted(
        asked.iter().any(|path| path.starts_with("/api/targets?since=")),
        || format!("{asked:?}"),
    )?;
    page.no_complaint()
}

fn no_width_scrolls_sideways() -> Result<(), Failed> {
    let page = Page::open(&few(), "")?;
    for (width, height) in [(320, 640), (360, 740), (768, 1024), (1440, 900)] {
        page.browser.devtools(
            "Emulation.setDeviceMetricsOverride",
            &json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 }),
        );
        for hash in ["", "#target=db"] {
            page.browser.run("location.hash = arguments[0]", &json!([hash]));
            if !hash.is_empty() {
                page.panel("filtered/unattributed");
            }
            let wide = page.browser.run(
                "const panel = document.getElementById('panel'); \
                 return [document.documentElement.scrollWidth - document.documentElement.clientWidth, panel.scrollWidth - panel.clientWidth]",
                &json!([]),
            );
            equal(&wide, &json!([0, 0])).map_err(|_| format!("at {width} {hash}: {wide}"))?;
        }
        page.browser.run("location.hash = ''", &json!([]));
        page.browser
            .wait_until("document.getElementById('target').hidden");
    }
    Ok(())
}

/// By the contrast of WCAG 2, AA: 4.5 for text.
fn every_text_has_contrast() -> Result<(), Failed> {
    let page = Page::open(&few(), "#target=db")?;
    page.panel("filtered/unattributed");
    for scheme in ["light", "dark"] {
        page.browser.devtools(
            "Emulation.setEmulatedMedia",
            &json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }, { "name": "prefers-reduced-motion", "value": "reduce" }] }),
        );
        let faint = page.browser.run(
            "const pen = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true }); \
             const rgba = (colour) => { pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); \
               return pen.getImageData(0, 0, 1, 1).data; }; \
             const light = (part) => part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4; \
             const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b); \
             const backOf = (element) => { for (; element; element = element.parentElement) { \
               const back = rgba(getComputedStyle(element).backgroundColor); if (back[3] === 255) return back; } return [255, 255, 255]; }; \
             const faint = []; \
             for (const element of document.querySelectorAll('body *')) { \
               if (![...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()) || !element.checkVisibility()) continue; \
               if (element.closest('script, .skip, .unseen, option')) continue; \
               const [one, other] = [luminance(rgba(getComputedStyle(element).color)), luminance(backOf(element))].sort((a, b) => b - a); \
               const contrast = (one + 0.05) / (other + 0.05); \
               if (contrast < 4.5) faint.push([element.className, element.textContent.slice(0, 40), contrast]); \
             } return faint",
            &json!([]),
        );
        equal(&faint, &json!([])).map_err(|_| format!("{scheme}: {faint:#}"))?;
    }
    Ok(())
}

fn a_real_monitor() -> Result<(), Failed> {
    let open = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let at = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let mut command = Command::new(TCPPROBE);
    command.args(["monitor", "--interval=1s", "--timeout=1s", "--confirm=1"]);
    command.arg(format!("--listen={at}"));
    command.args([open.local_addr()?.to_string(), closed.to_string()]);
    let _running = Running(
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?,
    );
    crate::http::until(|| std::net::TcpStream::connect(at).is_ok())?;
    let browser = Browser::start().ok_or(Browser::MISSING)?;
    browser.go(&format!("http://{at}/"));
    browser.wait_until("document.querySelector('h1').textContent === '1 of 2 targets is not as expected'");
    browser.run("document.querySelector('#rows a').click()", &json!([]));
    browser.wait_until("document.querySelector('#target').textContent.includes('refused/no-listener')");
    equal(&browser.complaints(), &Vec::<String>::new())
}

/// A program that is ended with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn documents_hold_to_their_schema() -> Result<(), Failed> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/");
    let schema = |name: &str| -> Result<Value, Failed> {
        Ok(serde_json::from_slice(&fs::read(format!("{directory}{name}"))?)?)
    };
    let validator = jsonschema::options()
        .with_resource(
            "json-schema:///tcpprobe-v1.schema.json",
            jsonschema::Resource::from_contents(schema("tcpprobe-v1.schema.json")?),
        )
        .build(&schema("tcpprobe-monitor-targets-v1.schema.json")?)
        .map_err(|error| error.to_string())?;
    let board = board(&few());
    let mut documents = vec![targets_json(&board, None, NOW)];
    documents.push(targets_json(&Board::new(NOW), None, NOW));
    documents.extend(board.slots().iter().map(|slot| target_json(slot, None, NOW)));
    for document in documents {
        let value: Value = serde_json::from_slice(&document)?;
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        wanted(errors.is_empty(), || format!("{}\n{value:#}", errors.join("\n")))?;
    }
    Ok(())
}

/// A page that is open in a browser.
struct Page {
    browser: Browser,
    served: Served,
}

impl Page {
    fn open(plans: &[Plan], hash: &str) -> Result<Self, Failed> {
        Self::open_as(&board(plans), hash, true)
    }

    fn open_as(board: &Arc<Board>, hash: &str, is_run: bool) -> Result<Self, Failed> {
        let browser = Browser::start().ok_or(Browser::MISSING)?;
        let served = Served::start(Arc::clone(board), NOW)?;
        if !is_run {
            browser.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
        }
        browser.go(&format!("{}{hash}", served.address));
        let page = Self { browser, served };
        if is_run {
            page.browser
                .run_async("const done = arguments[arguments.length - 1]; started.first.then(done, done)");
        }
        Ok(page)
    }

    /// Has the page ask for news at once.
    fn ask(&self) {
        self.browser
            .run_async("const done = arguments[arguments.length - 1]; started.ask().then(done, done)");
    }

    /// Clicks the row of a target as the page's own code gets it: by an event at its link.
    fn click(&self, name: &str) {
        let script = "[...document.querySelectorAll('#rows a')] \
             .find((row) => row.querySelector('bdi').textContent === arguments[0]).click()";
        self.browser.run(script, &json!([name]));
    }

    /// What the panel says, once it says that.
    fn panel(&self, says: &str) -> String {
        let condition = format!(
            "document.getElementById('target').innerText.includes({})",
            json!(says)
        );
        self.browser.wait_until(&condition);
        squeezed(&self.text("#target"))
    }

    fn text(&self, of: &str) -> String {
        let script = "return document.querySelector(arguments[0]).innerText";
        let text = self.browser.run(script, &json!([of]));
        text.as_str().unwrap_or_default().trim().to_owned()
    }

    /// The names of the rows in sight, in their order.
    fn names(&self) -> Vec<String> {
        let script =
            "return [...document.querySelectorAll('#rows a .who bdi')].map((name) => name.textContent)";
        let names = self.browser.run(script, &json!([]));
        serde_json::from_value(names).unwrap_or_default()
    }

    fn hash(&self) -> String {
        let address = self.browser.run("return location.href", &json!([]));
        let address = address.as_str().unwrap_or_default();
        format!("#{}", address.split_once('#').map_or("", |(_, hash)| hash))
    }

    /// Neither an error of the script nor a load that the policy forbids.
    fn no_complaint(&self) -> Result<(), Failed> {
        equal(&self.browser.complaints(), &Vec::<String>::new())
    }
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn equal<Found: PartialEq<Expected> + Debug, Expected: Debug>(
    found: &Found,
    expected: &Expected,
) -> Result<(), Failed> {
    wanted(found == expected, || {
        format!("found {found:#?}, expected {expected:#?}")
    })
}
