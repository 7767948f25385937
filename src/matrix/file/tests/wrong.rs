//! What is said of a file that cannot be meant: the place, what is wrong, and what would be right.

use std::fmt::Write;

use super::*;

/// Each file with what is said of it.
#[rustfmt::skip]
pub(super) const YAML: &[(&str, &str)] = &[
    ("", "1:1: the file is empty: `tcpprobe matrix --init` writes an example to begin with"),
    ("  \n# only a comment\n", "1:1: the file is empty: `tcpprobe matrix --init` writes an example to begin with"),
    ("- a\n", "1:1: a matrix is a table of keys and values, as in `key: value`, and this is a list"),
    ("a:1\nb:2\n", "1:1: a matrix is a table of keys and values, as in `key: value`, and this is `a:1 b:2`"),
    ("rule: []\n", "1:1: `rule` is no key of a matrix: did you mean `rules`?"),
    ("rules: []\n", "1:1: there are no `rules`: write at least one, with what it is about under `to`, such as `- to: db:5432`"),
    ("rules:\n", "1:1: there are no `rules`: write at least one, with what it is about under `to`, such as `- to: db:5432`"),
    ("rules: db:80\n", "1:8: `rules` is a list, and this is `db:80`: write at least one, with what it is about under `to`, such as `- to: db:5432`"),
    ("rules:\n  - to: db:80\n    timout: 3s\n", "3:5: `timout` is no key of a rule: did you mean `timeout`?"),
    ("rules: [{to: db:80, retries: 3}]", "1:21: `retries` is no key of a rule: did you mean `tries`?"),
    ("rules: [{}]", "1:9: a rule without `to`: write what it is about, such as `to: db:5432`"),
    ("rules: [{name: x}]", "1:9: a rule without `to`: write what it is about, such as `to: db:5432`"),
    ("rules: [{to: }]", "1:12: `to` is empty: name at least one"),
    ("rules: [{to: []}]", "1:14: `to` is an empty list: name at least one"),
    ("rules: [{to: db}]", "1:14: nothing is called `db`: write a target with its port, as in db:443, or the name of a target"),
    ("rules: [{to: db:}]", "1:16: this is no YAML as it should be: while parsing a flow mapping, did not find expected ',' or '}'"),
    ("rules: [{to: 'db:0'}]", "1:14: 0 is no port: a port is a number from 1 to 65535 (in `db:0`)"),
    ("rules: [{to: 'db:70000'}]", "1:14: 70000 is no port: a port is a number from 1 to 65535 (in `db:70000`)"),
    ("rules: [{to: 'db:90-80'}]", "1:14: the ports 90-80 of `db:90-80` run backwards: write 80-90"),
    ("rules: [{to: 'db:80-htpp'}]", "1:14: `80-htpp` is no port: write a number from 1 to 65535, or the name of a service such as `https` (in `db:80-htpp`)"),
    ("rules: [{to: 'db:80,,81'}]", "1:14: `db` has no port: write `db:PORT`, with a port number or a service name (in `db:80,,81`)"),
    ("rules: [{to: 'db:80,'}]", "1:14: `db` has no port: write `db:PORT`, with a port number or a service name (in `db:80,`)"),
    ("rules: [{to: ':80'}]", "1:14: `:80` has no host: write `HOST:PORT`, for example `localhost:80`"),
    ("rules: [{to: [db:5432,6432]}]", "1:23: 6432 is a port without a host: write both, and several ports in quotes, as in \"db:5432,6432\""),
    ("rules: [{to: [db:80,https]}]", "1:21: `https` is a port without a host: write both, and several ports in quotes, as in \"web:80,https\""),
    ("rules: [{to: [2001:db8::7]}]", "1:15: `2001:db8::7` has no port: write `[2001:db8::7]:PORT`, with a port number or a service name; in YAML it needs quotes"),
    ("rules:\n- to: [2001:db8::7]:443\n", "2:20: brackets make a list in YAML: put an IPv6 address and its port in quotes, as in \"[2001:db8::7]:443\""),
    ("rules:\n- to: [[2001:db8::7], db:80]\n", "2:8: brackets make a list: put an IPv6 address and its port in quotes, as in \"[2001:db8::7]:443\""),
    ("rules: [{to: '2001:db8::7'}]", "1:14: `2001:db8::7` has no port: write `[2001:db8::7]:PORT`, with a port number or a service name; in YAML it needs quotes"),
    ("rules: [{to: '2001:db8::7:443'}]", "1:14: `2001:db8::7:443` can mean two things: write `[2001:db8::7]:443` for port 443 of 2001:db8::7, or `[2001:db8::7:443]:PORT` for a port of 2001:db8::7:443; in YAML it needs quotes"),
    ("rules: [{to: '[2001:db8::7]'}]", "1:14: `[2001:db8::7]` has no port after the bracket: write it as in \"[2001:db8::7]:443\", in quotes"),
    ("rules: [{to: '10.0.0.0/8:80'}]", "1:14: 10.0.0.0/8 is too large: a block has at most 65,536 addresses, so write /16 or longer, or several blocks"),
    ("rules: [{to: '[2001:db8::]/64:80'}]", "1:14: the length of a block belongs into the brackets: write \"[2001:db8::/64]:80\""),
    ("rules: [{to: '[2001:db8::/64]:80'}]", "1:14: 2001:db8::/64 is too large: a block has at most 65,536 addresses, so write /112 or longer, or several blocks"),
    ("rules: [{to: '10.0.0.1/24:80'}]", "1:14: 10.0.0.1 is not where a block of /24 begins: write 10.0.0.0/24 for the block, or 10.0.0.1 for one host"),
    ("rules: [{to: '10.0.0.0/33:80'}]", "1:14: `10.0.0.0/33` is no block of addresses: write it as 10.0.0.0/24 or [2001:db8::/120]"),
    ("rules: [{to: '10.0.0/24:80'}]", "1:14: `10.0.0/24` is no block of addresses: write it as 10.0.0.0/24 or [2001:db8::/120]"),
    ("rules: [{to: 'db/24:80'}]", "1:14: `db/24` is no block of addresses: write it as 10.0.0.0/24 or [2001:db8::/120]"),
    ("rules: [{to: '[10.0.0.0/24]:80'}]", "1:14: 10.0.0.0/24 is no block of IPv6 addresses: only those are written in brackets"),
    ("rules: [{to: 'http://db/'}]", "1:14: `http://db/` is a URL, and a target is a host and a port: write `db:80`"),
    ("rules: [{to: '10.0.0.300:80'}]", "1:14: `10.0.0.300` is no IPv4 address: an address is four numbers from 0 to 255, for example `192.0.2.1` (in `10.0.0.300:80`)"),
    ("rules: [{to: 22:22}]", "1:14: `22` is no IPv4 address: an address is four numbers from 0 to 255, for example `192.0.2.1` (in `22:22`)"),
    ("rules: [{to: {db: 5432}}]", "1:14: `db: 5432` with a space is a table: write db:5432"),
    ("rules:\n- to:\n  - db: 5432\n", "3:5: `db: 5432` with a space is a table: write db:5432"),
    ("rules: [{to: 1.5}]", "1:14: a target is a text such as db:5432, and this is the number 1.5"),
    ("rules: [{to: true}]", "1:14: a target is a text such as db:5432, and this is the truth value true"),
    ("rules: [{to: ''}]", "1:14: a target is a text such as db:5432, and this is empty"),
    ("rules: [{to: db:80, timeout: 3}]", "1:30: `timeout`: the unit is missing: write \"3s\" or \"3ms\""),
    ("rules: [{to: db:80, timeout: 3x}]", "1:30: `timeout`: unknown time unit \"x\", supported units: ns, us/µs, ms, sec, min, hours, days, weeks, months, years (and few variations); write it as 500ms or 3s"),
    ("rules: [{to: db:80, timeout: 0s}]", "1:30: `timeout`: it must be longer than nothing, such as 500ms"),
    ("rules: [{to: db:80, timeout: 2d}]", "1:30: `timeout`: longer than a day"),
    ("rules: [{to: db:80, tries: 0}]", "1:28: `tries` is a number from 1 to 100, and this is the number 0"),
    ("rules: [{to: db:80, tries: 1.5}]", "1:28: `tries` is a number from 1 to 100, and this is the number 1.5"),
    ("rules: [{to: db:80, tries: '2'}]", "1:28: `tries` is a number from 1 to 100, and this is `2`"),
    ("rules: [{to: db:80, tries: 101}]", "1:28: `tries` is a number from 1 to 100, and this is the number 101"),
    ("rules: [{to: db:80, expect: shut}]", "1:29: 'shut' is not one of open, slow, refused, rejected, unreachable, filtered, backlog-full, reset, idle-death, dns-failed, local-error, unknown, reachable, blocked"),
    ("rules: [{to: db:80, expect: [open, refused/port]}]", "1:36: 'port' is no cause of refused; its causes are no-listener, middlebox-reset"),
    ("rules: [{to: db:80, expect: dns-failed}]", "1:29: 'dns-failed' cannot be expected: what would meet it (a typo, a dead resolver, trouble of our own, an idle connection that ended) says nothing of who may reach whom"),
    ("rules: [{to: db:80, expect: []}]", "1:29: `expect` is an empty list: name at least one"),
    ("rules: [{to: db:80, expect: 'open,'}]", "1:29: nothing is expected: write reachable, blocked, a class such as refused, or class/cause"),
    ("rules: [{to: db:80, expect: true}]", "1:29: `expect` is a text, and this is the truth value true: put it in quotes"),
    ("rules: [{to: db:80, expect: no}]", "1:29: 'no' is not one of open, slow, refused, rejected, unreachable, filtered, backlog-full, reset, idle-death, dns-failed, local-error, unknown, reachable, blocked"),
    ("rules: [{to: db:80, from: x}]", "1:27: `x` is no source, for this matrix has none: name it under `sources`, or leave `from` out"),
    ("sources: [frontend, admin]\nrules:\n- to: db:80\n  from: fronted\n", "4:9: nothing is called `fronted`: did you mean `frontend`?"),
    ("sources: [frontend, admin]\nrules:\n- to: db:80\n  from: quite-different\n", "4:9: nothing is called `quite-different`: name it under `sources`; known are frontend, admin"),
    ("sources: [a]\ntargets: {db: db:80}\nrules:\n- to: db\n  from: db\n", "5:9: `db` is a target, and `from` takes sources; known are a"),
    ("sources: [a]\ntargets: {db: db:80}\nrules:\n- to: a\n", "4:7: `a` stands for sources, and `to` takes targets, such as db:5432 or their names"),
    ("targets: {database: db:80}\nrules:\n- to: databse\n", "3:7: nothing is called `databse`: did you mean `database`?"),
    ("targets: {database: db:80}\nrules:\n- to: web\n", "3:7: nothing is called `web`: write a target with its port, as in web:443, or the name of a target; known are database"),
    ("sources: [a]\ntargets:\n  a: db:80\nrules: [{to: a}]", "3:3: `a` is the name of a source already, in line 1: give this target another"),
    ("targets: {'x:y': db:80}\nrules: [{to: 'a:1'}]", "1:11: `x:y` is no name for a target: it contains ':'; names have letters, digits, `-`, `_` and `.`"),
    ("targets: {80: db:80}\nrules: [{to: 'a:1'}]", "1:11: `80` looks like an address or a port: give this target a name with a letter"),
    ("targets: {any: db:80}\nrules: [{to: 'a:1'}]", "1:11: `any` stands for all of them: give this target another name"),
    ("targets: {10.0.0.1: db:80}\nrules: [{to: 'a:1'}]", "1:11: `10.0.0.1` looks like an address or a port: give this target a name with a letter"),
    ("targets: {'': db:80}\nrules: [{to: 'a:1'}]", "1:11: a target without a name"),
    ("targets: {a: web}\nrules: [{to: 'a:1'}]", "1:14: `web` has no port: a target is a host and a port, as in web:443; several names under one belong in `groups`"),
    ("groups:\n  a: [b]\n  b: [c]\n  c: [a]\nrules: [{to: a}]", "4:7: a group cannot contain itself, and `a` names `b` names `c` names `a`: leave one of them out"),
    ("groups:\n  a: [a]\nrules: [{to: a}]", "2:7: a group cannot contain itself, and `a` names `a`: leave one of them out"),
    ("sources: [s]\ntargets: {t: db:80}\ngroups: {g: [s, t]}\nrules: [{to: t}]", "3:17: `t` makes this a group of both sources and targets: make two groups of it"),
    ("groups: {g: []}\nrules: [{to: g}]", "1:13: the group `g` is an empty list: name at least one"),
    ("sources: [s]\ngroups: {g: [s]}\nrules: [{to: g}]", "3:14: `g` stands for sources, and `to` takes targets, such as db:5432 or their names"),
    ("sources: [s]\ngroups: {g: ['a:1']}\nrules: [{to: g, from: g}]", "3:23: `g` is a group of targets, and `from` takes sources; known are s"),
    ("sources: {a: {namespace: 5}}\nrules: [{to: 'a:1'}]", "1:26: `namespace` is a text, and this is the number 5: put it in quotes"),
    ("sources: {a: {label: {}}}\nrules: [{to: 'a:1'}]", "1:15: `label` is no key of a source: did you mean `labels`?"),
    ("sources: {a: {labels: {v: 1.10}}}\nrules: [{to: 'a:1'}]", "1:27: `v` is a text, and this is the number 1.1: put it in quotes"),
    ("sources: {a: {labels: [x]}}\nrules: [{to: 'a:1'}]", "1:23: `labels` is a table of keys and values, as in `key: value`, and this is a list"),
    ("sources: a\nrules: [{to: 'a:1'}]", "1:10: `sources` is a table of keys and values, as in `key: value`, and this is `a`"),
    ("rules:\n- {name: x, to: 'a:1'}\n- {name: x, to: 'b:1'}\n", "3:3: the rule in line 2 is called `x` too: results name their rules, so give this one another `name`"),
    ("name: 5\nrules: [{to: 'a:1'}]", "1:7: `name` is a text, and this is the number 5: put it in quotes"),
    ("name: x\nname: y\n", "2:1: `name` is here for the second time: put all of it where it is first"),
    ("rules: [{to: any}]", "1:14: `any` is all that `targets` names, and that is nothing"),
    ("rules: [{to: 'a:1', control: '10.0.0.0/24:1'}]", "1:30: a control is a host that is known to be open, and 10.0.0.0/24 is a block of addresses: name one of them"),
    ("rules: [{to: 'a:1', control: 'a:1-100'}]", "1:30: more than 64 controls: one that is open proves that the way is there, so name one or a few"),
    ("rules:\n\t- to: a:1\n", "2:2: a tab: YAML is indented with spaces alone"),
    ("rules: [{to: 'a:1'}\n", "1:8: this is no YAML as it should be: unclosed bracket '['"),
    ("rules: [{to: 'a:1'}]\n---\nname: x\n", "3:1: a second document begins here: a matrix is one, so write each in a file of its own"),
    ("rules: [{to: @x}]", "1:14: this is no YAML as it should be: unexpected character: `@'"),
    ("rules: [{to: 'a:1', name: }]", "1:25: `name` is empty: write something, or leave it out"),
    ("rules: [{to: 'a:1', name: ''}]", "1:27: `name` is empty: write something, or leave it out"),
    ("rules: [{to: 'a:1', from: }]", "1:25: `from` is empty: name at least one"),
    ("defaults: {name: x}\nrules: [{to: 'a:1'}]", "1:12: `name` is no key of `defaults`: its keys are timeout, tries, expect, control"),
    ("defaults: []\nrules: [{to: 'a:1'}]", "1:11: `defaults` is a table of keys and values, as in `key: value`, and this is a list"),
    ("rules: [{to: 'ä b:1'}]", "1:14: `ä b` is no name: it contains ' '; names have letters, digits, `-`, `_` and `.` (in `ä b:1`)"),
    ("\u{feff}rules: [{to: 'a:1', x: 1}]\r\n", "1:21: `x` is no key of a rule: its keys are name, from, to, except, expect, timeout, tries, control"),
    ("rules: 5", "1:8: `rules` is a list, and this is the number 5: write at least one, with what it is about under `to`, such as `- to: db:5432`"),
    ("targets:\nrules: [{to: 'a:1'}]", "1:8: `targets` is a table of keys and values, as in `key: value`, and this is nothing"),
    ("rules: [to]", "1:9: a rule is a table of keys and values, as in `key: value`, and this is `to`"),
    ("rules: [{to: a:1, <<: *x}]", "1:23: this is no YAML as it should be: reference to unknown value"),
    ("rules: [{to: a b:1}]", "1:14: `a b` is no name: it contains ' '; names have letters, digits, `-`, `_` and `.` (in `a b:1`)"),
    ("rules: [{to: 'a:1 b:2'}]", "1:14: `a:1 b:2` has more than one colon but is no IPv6 address: write `HOST:PORT` or `[ADDRESS]:PORT`"),
    ("rules: [{to: '*:80'}]", "1:14: `*` is no name: it contains '*'; names have letters, digits, `-`, `_` and `.` (in `*:80`)"),
    ("rules: [{to: 'a:1', control: any}]", "1:30: `any` is all that `targets` names, and that is nothing"),
    ("rules: [{to: 'a:1', expect: blocked, control: 'a:1'}]", "1:9: `a:1` is a control of `rule 1` here, which has to be open, and `rule 1` in line 1 expects it to be blocked: name a control that may be reached"),
    ("rules:\n- {name: one, to: 'a:1', expect: blocked}\n- {to: 'A:1'}\n", "3:3: `a:1` is expected to be reachable by `rule 2` here, and blocked by `one` in line 2: nothing is both, so change one, or leave the target out of one with `except`"),
    ("rules: [{to: 'a:1', except: 'a:1-2'}]", "1:9: `rule 1` is about nothing: `except` leaves all of its `to` out"),
    ("rules: [{to: '10.0.0.0/16:1-65535'}]", "1:14: the matrix has more edges than the 262144 that --max-edges permits, 4294770690 when each rule is counted by itself: `10.0.0.0/16:1-65535` alone makes 4294770690 of them in `rule 1`; name fewer, or permit more"),
    ("rules:\n- {to: 'a:1', expect: blocked, control: 'b:1'}\n- {to: 'b:1', expect: [refused, filtered]}\n", "2:3: `b:1` is a control of `rule 1` here, which has to be open, and `rule 2` in line 3 expects it to be refused or filtered: name a control that may be reached"),
    ("rules: [{to: '2001:db8::/120:22'}]", "1:14: `2001:db8::/120:22` is a block without brackets: write \"[2001:db8::/120]:22\", in quotes"),
    ("rules: [{to: '::1:80'}]", "1:14: `::1:80` can mean two things: write `[::1]:80` for port 80 of ::1, or `[::1:80]:PORT` for a port of ::1:80; in YAML it needs quotes"),
    ("rules:\n- to: db:1\n  expect: [blocked, 'refused, unreachable/no-route']\n", "3:21: 'unreachable/no-route' cannot be expected: what would meet it (a typo, a dead resolver, trouble of our own, an idle connection that ended) says nothing of who may reach whom"),
    ("defaults: {expect: unknown}\nrules: [{to: 'a:1'}]", "1:20: 'unknown' cannot be expected: what would meet it (a typo, a dead resolver, trouble of our own, an idle connection that ended) says nothing of who may reach whom"),
    ("defaults: {control: nope}\nrules: [{to: 'a:1'}]", "1:21: nothing is called `nope`: write a target with its port, as in nope:443, or the name of a target"),
    ("groups: {a: b}\nrules: [{to: a}]", "1:13: nothing is called `b`: did you mean `a`?"),
    ("targets: {t: []}\nrules: [{to: t}]", "1:14: `t` is an empty list: name at least one"),
];

#[rustfmt::skip]
const TOML: &[(&str, &str)] = &[
    ("rules = 5\n", "1:9: `rules` is a list, and this is the number 5: write at least one, with what it is about under `to`, such as `- to: db:5432`"),
    ("[[rules]]\nto = 'a:1'\ntimout = 3\n", "3:1: `timout` is no key of a rule: did you mean `timeout`?"),
    ("[[rules]]\nto = 'a:1\n", "2:10: this is no TOML: invalid literal string, expected `'`"),
    ("[[rules]]\nto = 'a:1'\n[rules]\n", "3:2: this is no TOML: duplicate key"),
    ("name = 1979-05-27\n[[rules]]\nto='a:1'\n", "1:8: `name` is a text, and this is the date 1979-05-27: put it in quotes"),
    ("a.b.c = 1\n", "1:1: `a` is no key of a matrix: its keys are name, defaults, sources, targets, groups, rules"),
    ("[[rules]]\nto = 'a:1'\ntries = 0x0\n", "3:9: `tries` is a number from 1 to 100, and this is the number 0"),
    ("x = \n", "1:5: this is no TOML: string values must be quoted, expected literal string"),
    ("a = 1\na = 2\n", "2:1: this is no TOML: duplicate key"),
];

#[rustfmt::skip]
const JSON: &[(&str, &str)] = &[
    ("{", "1:1: this is no JSON: EOF while parsing an object"),
    ("{\"rules\": [{\"to\": \"a:1\",}]}", "1:25: this is no JSON: key must be a string"),
    ("{\"rules\": [{\"to\": \"a:1\", \"timeout\": 3}]}", "1:37: `timeout`: the unit is missing: write \"3s\" or \"3ms\""),
    ("{\n \"ré\": 1}", "2:2: `ré` is no key of a matrix: its keys are name, defaults, sources, targets, groups, rules"),
    ("{\"rules\": 1, \"rules\": 2}", "1:14: `rules` is here for the second time: put all of it where it is first"),
    ("nope", "1:2: this is no JSON: expected ident"),
    ("[]", "1:1: a matrix is a table of keys and values, as in `key: value`, and this is a list"),
    ("{\"a\"\n : 1}", "1:2: `a` is no key of a matrix: its keys are name, defaults, sources, targets, groups, rules"),
    ("{\"rules\": [{\"to\": 80}]}", "1:19: 80 is a port without a host: write both, and several ports in quotes, as in \"db:5432,80\""),
];

#[test]
fn every_error_names_its_place_and_the_remedy() {
    for (files, format) in [(YAML, Format::Yaml), (TOML, Format::Toml), (JSON, Format::Json)] {
        for (text, wanted) in files {
            let read = Matrix::read(text, format, &Services::default());
            let says = read.and_then(|matrix| matrix.expand(262_144).map(|_| ()));
            let says = says.err().map(|error| error.to_string()).unwrap_or_default();
            assert_eq!(says, *wanted, "{text}");
        }
    }
}

#[test]
fn what_repeats_itself_without_end_is_refused_at_once() {
    let mut aliases = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    let mut groups = "rules: [{ to: g29 }]\ngroups:\n  g0: [\"x:1\"]\n".to_owned();
    for level in 1..30 {
        let below = level - 1;
        writeln!(
            aliases,
            "a{level}: &a{level} [{}]",
            vec![format!("*a{below}"); 10].join(",")
        )
        .unwrap();
        writeln!(groups, "  g{level}: [g{below}, g{below}, \"x:{level}\"]").unwrap();
    }
    let error = read(&aliases).unwrap_err();
    assert!(error.says.contains("repeated by aliases too often"), "{error}");
    // Each name once: that is no more than there are names.
    assert_eq!(read(&groups).unwrap().edges(None, 100).unwrap().len(), 29);

    let deep = |open: &str| open.repeat(100_000);
    for (text, format) in [
        (deep("["), Format::Yaml),
        (deep("{a: "), Format::Yaml),
        (deep("- "), Format::Yaml),
        (deep("["), Format::Json),
        (format!("a = {}", deep("[")), Format::Toml),
        (format!("{}a = 1", deep("a.")), Format::Toml),
        (format!("[{}a]", deep("a.")), Format::Toml),
    ] {
        assert!(
            Matrix::read(&text, format, &Services::default()).is_err(),
            "{format:?}"
        );
    }
    let mut chain = "rules: [{ to: g0 }]\ngroups:\n".to_owned();
    for level in 0..40 {
        writeln!(chain, "  g{level}: g{}", level + 1).unwrap();
    }
    let error = read(&chain).unwrap_err();
    assert_eq!(
        error.to_string(),
        "34:8: groups are within each other more than 32 deep"
    );
}

#[test]
fn groups_that_name_too_much_together_are_refused() {
    let mut text = "targets:\n  t: a:1\ngroups:\n  g: [".to_owned();
    text += &vec!["t"; 9000].join(", ");
    text += "]\nrules:\n";
    assert!(read(&format!("{text}- to: g\n")).is_ok());
    let all = vec!["\"x:1\""; 3000].join(", ");
    let mut many = format!("groups:\n  all: [{all}]\nrules:\n");
    for _ in 0..2700 {
        many += "- to: all\n";
    }
    let error = read(&many).unwrap_err();
    assert!(
        error.says.contains("name more than 8000000 sources and targets"),
        "{error}"
    );
}
