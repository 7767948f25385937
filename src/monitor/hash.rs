//! A number for what is configured, so that it can be seen where another configuration is in force.

use std::fmt::Write;

use super::{Allow, Config, Module};

/// The first 48 bits of a hash over what is configured: as many as a metric holds exactly. The same where two files say the
/// same, whatever their language, their comments and the order of their keys.
pub fn hash(config: &Config, allow: &Allow) -> u64 {
    let hash = hmac_sha256::Hash::hash(canonical(config, allow).as_bytes());
    hash.iter()
        .take(6)
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// All that is configured, one thing a line, with what the user wrote in quotes.
fn canonical(config: &Config, allow: &Allow) -> String {
    let mut text = String::new();
    for module in config.modules.values() {
        text += &line_of(module);
    }
    for watched in &config.targets {
        let _ = writeln!(
            text,
            "target {:?} {} {:?}",
            watched.name, watched.target, watched.labels
        );
        text += &line_of(&watched.module);
    }
    let permits = allow.permits.as_deref();
    let _ = writeln!(text, "permits {}", permits.is_some());
    for permit in permits.unwrap_or_default() {
        let _ = writeln!(text, "permit {permit}");
    }
    let _ = writeln!(text, "limit {} {}", allow.limit.rate, allow.limit.burst);
    text
}

fn line_of(module: &Module) -> String {
    // So that nothing is forgotten that is added.
    let Module {
        name,
        interval,
        timeout,
        slow,
        hold,
        families: _,
        addresses: _,
        raw: _,
        tries,
        expected,
        confirm,
    } = module;
    let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
    format!(
        "module {name:?} {} {} {} {} {} {} {} {tries} {} {confirm}\n",
        interval.as_nanos(),
        timeout.as_nanos(),
        slow.as_nanos(),
        hold.unwrap_or_default().as_nanos(),
        module.family(),
        module.addresses(),
        module.mode(),
        expected.join(",")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Format;
    use crate::monitor::file::File;
    use crate::target::Services;

    fn of(text: &str, format: Format) -> u64 {
        let file = File::read(text, format, &Services::default()).unwrap();
        hash(&file.config, &file.allow)
    }

    #[test]
    fn files_that_say_the_same_have_the_same_number() {
        let yaml = "
# A comment.
modules: { default: { timeout: 1s, expect: [open, refused] } }
targets: [ { target: db:5432, labels: { b: x, a: y } } ]
allow: [ 'x:80' ]
";
        let json = r#"{ "allow": "x:http",
            "targets": [ { "labels": { "a": "y", "b": "x" }, "target": "DB:5432", "module": "default" } ],
            "modules": { "default": { "expect": "open,refused", "timeout": "1000ms" } } }"#;
        assert_eq!(of(yaml, Format::Yaml), of(json, Format::Json));
    }

    #[test]
    fn whatever_is_configured_otherwise_has_another_number() {
        let files = [
            "targets: [a:1]",
            "targets: [a:2]",
            "targets: [a:1, a:2]",
            "targets: [a:2, a:1]",
            "targets: [{ target: a:1, name: x }]",
            "targets: [{ target: a:1, labels: { x: '1' } }]",
            "targets: [{ target: a:1, labels: { x: '2' } }]",
            "targets: [{ target: a:1, interval: 1m }]",
            "targets: [{ target: a:1, timeout: 1s }]",
            "targets: [{ target: a:1, module: m }]\nmodules: { m: }",
            "targets: [a:1]\nmodules: { m: }",
            "targets: [a:1]\nmodules: { default: { interval: 1m } }",
            "targets: [a:1]\nmodules: { default: { timeout: 1s } }",
            "targets: [a:1]\nmodules: { default: { slow: 1s } }",
            "targets: [a:1]\nmodules: { default: { family: ipv4 } }",
            "targets: [a:1]\nmodules: { default: { family: ipv6 } }",
            "targets: [a:1]\nmodules: { default: { addresses: first } }",
            "targets: [a:1]\nmodules: { default: { mode: connect } }",
            "targets: [a:1]\nmodules: { default: { mode: raw } }",
            "targets: [a:1]\nmodules: { default: { tries: 2 } }",
            "targets: [a:1]\nmodules: { default: { expect: refused } }",
            "targets: [a:1]\nmodules: { default: { confirm: 1 } }",
            "targets: [a:1]\nallow: []",
            "targets: [a:1]\nallow: ['a:2']",
            "targets: [a:1]\nallow: ['a:3']",
            "targets: [a:1]\nprobe_limit: { rate: 6 }",
            "targets: [a:1]\nprobe_limit: { burst: 6 }",
        ];
        let hashes: std::collections::BTreeSet<u64> =
            files.iter().map(|file| of(file, Format::Yaml)).collect();
        assert_eq!(hashes.len(), files.len());
        assert!(hashes.iter().all(|hash| *hash < 1 << 48));
    }
}
