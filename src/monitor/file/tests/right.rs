//! What a configuration may say.

use std::time::Duration;

use crate::check::Addresses;
use crate::diagnose::{Cause, Class, Expectation};
use crate::document::Format;
use crate::monitor::file::{EXAMPLE, File};
use crate::monitor::{Limit, Module, Watched};
use crate::net::dns::Families;
use crate::net::raw::Use;
use crate::target::Services;

pub(super) fn read(text: &str, format: Format) -> File {
    File::read(text, format, &Services::default()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn yaml(text: &str) -> File {
    read(text, Format::Yaml)
}

/// The targets as `name target module interval timeout`.
fn targets(file: &File) -> Vec<String> {
    let shown = |watched: &Watched| {
        let module = &watched.module;
        format!(
            "{} {} {} {:?} {:?}",
            watched.name, watched.target, module.name, module.interval, module.timeout
        )
    };
    file.config.targets.iter().map(shown).collect()
}

#[test]
fn the_example_is_read() {
    let file = yaml(EXAMPLE);
    assert_eq!(file.config.targets.len(), 30);
    assert_eq!(file.places.len(), 30);
    assert_eq!(*file.config.modules[Module::DEFAULT], Module::default());
    let names: Vec<_> = file.config.modules.keys().collect();
    assert_eq!(names, ["default", "patient", "pooled", "shut"]);
    let orders = &file.config.targets[14];
    assert_eq!(orders.name, "orders database");
    assert_eq!(orders.labels["tier"], "1");
    assert_eq!(orders.module.interval, Duration::from_secs(30));
    assert_eq!(orders.module.timeout, Duration::from_secs(10));
    assert_eq!(file.allow.permits.unwrap().len(), 4);
    assert_eq!(file.allow.limit, Limit::default());
}

#[test]
fn the_example_says_what_holds_without_it() {
    // Every value that the example gives `default` is the one that holds where nothing is said.
    let said = EXAMPLE.split("  patient:").next().unwrap();
    assert_eq!(*yaml(said).config.modules[Module::DEFAULT], Module::default());
    for key in [
        "interval",
        "timeout",
        "slow",
        "hold",
        "family",
        "addresses",
        "mode",
        "tries",
        "expect",
        "confirm",
    ] {
        assert!(said.contains(&format!("\n    {key}: ")), "{key}");
    }
}

#[test]
fn the_three_languages_say_the_same() {
    let yaml = yaml(
        "
modules:
  default: { interval: 20s, expect: \"open, refused\" }
  raw: { mode: raw, family: ipv6, addresses: first, slow: 1s, tries: 3, confirm: 1, timeout: 2s }
targets:
  - 'db:1,3-4'
  - { target: ['[::1]:443', x:http], module: raw, interval: 1m, labels: { a: b } }
allow: ['*.shop:*', '10.0.0.0/8:22']
probe_limit: { rate: 1, burst: 2 }
",
    );
    let toml = read("
targets = ['db:1,3-4', { target = ['[::1]:443', 'x:http'], module = 'raw', interval = '1m', labels = { a = 'b' } }]
allow = ['*.shop:*', '10.0.0.0/8:22']
[modules.default]
interval = '20s'
expect = ['open', 'refused']
[modules.raw]
mode = 'raw'
family = 'ipv6'
addresses = 'first'
slow = '1000ms'
tries = 3
confirm = 1
timeout = '2s'
[probe_limit]
rate = 1
burst = 2
", Format::Toml);
    let json = read("{
  \"probe_limit\": {\"rate\": 1, \"burst\": 2}, \"allow\": [\"*.shop:*\", \"10.0.0.0/8:22\"],
  \"targets\": [\"db:1,3-4\",
    {\"target\": [\"[::1]:443\", \"x:http\"], \"module\": \"raw\", \"interval\": \"1m\", \"labels\": {\"a\": \"b\"}}],
  \"modules\": {
    \"raw\": {\"mode\": \"raw\", \"family\": \"ipv6\", \"addresses\": \"first\", \"slow\": \"1s\", \"tries\": 3, \"confirm\": 1,
      \"timeout\": \"2s\"},
    \"default\": {\"interval\": \"20s\", \"expect\": [\"open\", \"refused\"]}}
}", Format::Json);
    for other in [&toml, &json] {
        assert_eq!(other.config.modules, yaml.config.modules);
        assert_eq!(other.config.targets, yaml.config.targets);
        assert_eq!(other.allow, yaml.allow);
    }
    assert_eq!(
        targets(&yaml),
        [
            "db:1 db:1 default 20s 3s",
            "db:3 db:3 default 20s 3s",
            "db:4 db:4 default 20s 3s",
            "[::1]:443 [::1]:443 raw 60s 2s",
            "x:80 x:80 raw 60s 2s",
        ]
    );
    let raw = &yaml.config.modules["raw"];
    assert_eq!(
        (raw.raw, raw.families, raw.addresses),
        (Use::Always, Families::V6, Addresses::First)
    );
    assert_eq!((raw.tries, raw.confirm, raw.slow), (3, 1, Duration::from_secs(1)));
}

#[test]
fn what_a_module_does_not_say_default_says_wherever_it_stands() {
    let file = yaml(
        "
modules:
  first: { confirm: 5 }
  default: { interval: 1m, timeout: 9s, tries: 2, expect: [refused, filtered/port] }
  last: { timeout: 1s, expect: blocked }
  same:
",
    );
    let modules = &file.config.modules;
    let times = |name: &str| (modules[name].interval.as_secs(), modules[name].timeout.as_secs());
    assert_eq!(times("first"), (60, 9));
    assert_eq!(times("last"), (60, 1));
    assert_eq!((modules["first"].tries, modules["first"].confirm), (2, 5));
    assert_eq!((modules["last"].tries, modules["last"].confirm), (2, 2));
    let refused = [
        Expectation::Class(Class::Refused),
        Expectation::Cause(Cause::Port),
    ];
    assert_eq!(modules["first"].expected, refused);
    assert_eq!(modules["last"].expected, [Expectation::Blocked]);
    let same = Module {
        name: "same".to_owned(),
        ..Module::clone(&modules["default"])
    };
    assert_eq!(*modules["same"], same);
}

#[test]
fn without_a_default_ours_holds() {
    let file = yaml("modules: { x: { tries: 3 } }");
    assert_eq!(*file.config.modules["default"], Module::default());
    let ours = Module {
        name: "x".to_owned(),
        tries: 3,
        ..Module::default()
    };
    assert_eq!(*file.config.modules["x"], ours);
}

#[test]
fn targets_with_times_of_their_own_share_what_is_the_same() {
    let file = yaml(
        "
targets:
  - { target: a:1, interval: 1m }
  - { target: [b:1, c:1], interval: 60s, timeout: 3s }
  - { target: d:1, interval: 15s }
  - e:1
",
    );
    let module = |index: usize| &file.config.targets[index].module;
    assert!(std::sync::Arc::ptr_eq(module(0), module(1)));
    assert!(std::sync::Arc::ptr_eq(module(0), module(2)));
    assert!(std::sync::Arc::ptr_eq(module(3), module(4)));
    assert!(std::sync::Arc::ptr_eq(module(3), &file.config.modules["default"]));
    assert_eq!(
        (module(0).interval, module(4).interval),
        (Duration::from_secs(60), Duration::from_secs(15))
    );
}

#[test]
fn one_target_may_be_looked_at_in_several_ways() {
    let file = yaml(
        "
modules: { v4: { family: ipv4 }, v6: { family: ipv6 } }
targets:
  - db:1
  - { target: DB:1, module: v4, name: db over IPv4 }
  - { target: db:1, module: v6, name: db over IPv6 }
",
    );
    let names: Vec<_> = file
        .config
        .targets
        .iter()
        .map(|watched| watched.name.as_str())
        .collect();
    assert_eq!(names, ["db:1", "db over IPv4", "db over IPv6"]);
}

#[test]
fn a_name_may_be_the_target_as_it_was_written() {
    let file = yaml("targets: [{ target: DB:https, name: 'DB:https' }]");
    assert_eq!(targets(&file), ["DB:https db:443 default 15s 3s"]);
}

#[test]
fn nothing_has_to_be_looked_at() {
    for text in [
        "modules: {}",
        "targets: []",
        "allow: []",
        "probe_limit: {}",
        "modules: { default: }",
    ] {
        assert!(yaml(text).config.targets.is_empty(), "{text}");
    }
    assert_eq!(yaml("modules: {}").allow.permits, None);
    assert_eq!(yaml("allow: []").allow.permits, Some(Vec::new()));
    assert_eq!(yaml("allow: a:1").allow.permits.unwrap().len(), 1);
}

#[test]
fn a_file_may_have_a_hundred_thousand_targets_and_no_more() {
    let file = yaml("targets: ['10.0.0.0/16:1', 'a:1-34466']");
    assert_eq!(file.config.targets.len(), 100_000);
    let error = File::read(
        "targets: ['10.0.0.0/16:1', 'a:1-34466', b:1]",
        Format::Yaml,
        &Services::default(),
    );
    assert_eq!(
        error.unwrap_err().to_string(),
        "1:41: more than 100000 targets: `b:1` alone is 1; name fewer, or run a second monitor for some of them"
    );
}
