//! What is said of a configuration that cannot be meant: the place, what is wrong, and what would be right.

use std::fmt::Write;

use crate::document::Format;
use crate::monitor::file::File;
use crate::target::Services;

/// Each file with what is said of it.
#[rustfmt::skip]
pub(super) const YAML: &[(&str, &str)] = &[
    ("", "1:1: the file is empty: `tcpprobe monitor --init` writes an example to begin with"),
    ("  \n# only a comment\n", "1:1: the file is empty: `tcpprobe monitor --init` writes an example to begin with"),
    ("{}", "1:1: the file is empty: `tcpprobe monitor --init` writes an example to begin with"),
    ("- a:1\n", "1:1: a configuration is a table of keys and values, as in `key: value`, and this is a list"),
    ("db:5432\n", "1:1: a configuration is a table of keys and values, as in `key: value`, and this is `db:5432`"),
    ("module: {}\n", "1:1: `module` is no key of a configuration: did you mean `modules`?"),
    ("target: []\n", "1:1: `target` is no key of a configuration: did you mean `targets`?"),
    ("rules: []\n", "1:1: `rules` is no key of a configuration: its keys are modules, targets, allow, probe_limit"),
    ("allowed: []\n", "1:1: `allowed` is no key of a configuration: did you mean `allow`?"),
    ("modules: {}\ntargets: [a:1]\nlisten: x\n", "3:1: `listen` is no key of a configuration: its keys are modules, targets, allow, probe_limit"),
    ("modules: []\n", "1:10: `modules` is a table of keys and values, as in `key: value`, and this is a list"),
    ("modules: default\n", "1:10: `modules` is a table of keys and values, as in `key: value`, and this is `default`"),
    ("modules: { default: 3s }\n", "1:21: a module is a table of keys and values, as in `key: value`, and this is `3s`"),
    ("modules: { default: { timeot: 3s } }\n", "1:23: `timeot` is no key of a module: did you mean `timeout`?"),
    ("modules: { default: { retries: 3 } }\n", "1:23: `retries` is no key of a module: did you mean `tries`?"),
    ("modules: { default: { preferred_ip_protocol: ip4 } }\n", "1:23: `preferred_ip_protocol` is no key of a module: its keys are interval, timeout, slow, hold, family, addresses, mode, tries, expect, confirm"),
    ("modules: { '': {} }\n", "1:12: a module without a name"),
    ("modules: { 'a b': {} }\n", "1:12: `a b` is no name for a module: it contains ' '; names have letters, digits, `-`, `_` and `.`"),
    ("modules: { défaut: {} }\n", "1:12: `défaut` is no name for a module: it contains 'é'; names have letters, digits, `-`, `_` and `.`"),
    ("modules: { defualt: {} }\n", "1:12: `defualt` is nearly `default`, from which all modules inherit: write `default`, or choose a name that cannot be mistaken"),
    ("modules: { Default: {} }\n", "1:12: `Default` is nearly `default`, from which all modules inherit: write `default`, or choose a name that cannot be mistaken"),
    ("modules: { a: {}, a: {} }\n", "1:19: `a` is here for the second time: put all of it where it is first"),
    ("modules: { default: { interval: 15 } }\n", "1:33: `interval`: the unit is missing: write \"15s\" or \"15ms\""),
    ("modules: { default: { interval: 1.5 } }\n", "1:33: `interval`: the unit is missing: write \"1.5s\" or \"1.5ms\""),
    ("modules: { default: { interval: 15 seconds ago } }\n", "1:33: `interval`: expected number at 11; write it as 500ms or 3s"),
    ("modules: { default: { interval: 0s } }\n", "1:33: `interval`: it must be longer than nothing, such as 500ms"),
    ("modules: { default: { interval: 5ms, timeout: 1ms } }\n", "1:33: `interval`: 5ms is too short: it is 10ms at least"),
    ("modules: { default: { interval: 2d } }\n", "1:33: `interval`: longer than a day"),
    ("modules: { default: { interval: } }\n", "1:31: `interval` is a length of time such as 500ms or 3s, and this is nothing"),
    ("modules: { default: { interval: true } }\n", "1:33: `interval` is a length of time such as 500ms or 3s, and this is the truth value true"),
    ("modules: { default: { timeout: 30s } }\n", "1:32: `timeout`: 30s is longer than the interval, which is 15s, as nothing is said of it here: write a longer `interval`, or a timeout of 15s at most"),
    ("modules: { default: { interval: 1s } }\n", "1:33: `interval`: 1s is shorter than the timeout, which is 3s, as nothing is said of it here: write `timeout: 1s` or less too"),
    ("modules: { default: { interval: 1m 30s, timeout: 2m } }\n", "1:50: `timeout`: 2m is longer than the interval of 1m 30s: a look has to end before the next begins"),
    ("modules:\n  default: { interval: 1m, timeout: 1m }\n  fast: { interval: 10s }\n", "3:21: `interval`: 10s is shorter than the timeout, which is 1m, as nothing is said of it here: write `timeout: 10s` or less too"),
    ("modules:\n  slow: { timeout: 20s }\n  default: { interval: 10s }\n", "2:20: `timeout`: 20s is longer than the interval, which is 10s, as nothing is said of it here: write a longer `interval`, or a timeout of 10s at most"),
    ("modules: { default: { slow: 250 } }\n", "1:29: `slow`: the unit is missing: write \"250s\" or \"250ms\""),
    ("modules: { default: { slow: 0ms } }\n", "1:29: `slow`: it must be longer than nothing, such as 500ms"),
    ("modules: { default: { hold: 300 } }\n", "1:29: `hold`: the unit is missing: write \"300s\" or \"300ms\""),
    ("modules: { default: { hold: 200ms } }\n", "1:29: `hold`: 200ms is too short: the kernel asks idle connections after whole seconds, so it is 1s at least"),
    ("modules: { default: { hold: 5m } }\n", "1:29: `hold`: a connection that is idle for 5m and is then asked may take 5m 21s, with the looks before and after it, and the interval is 15s: write `interval: 5m21s` or more"),
    ("modules: { default: { hold: 5m, interval: 6m, tries: 2 } }\n", "1:29: `hold`: a connection that is idle for 5m and is then asked may take 10m 41s, with the looks before and after it, and the interval is 6m: write `interval: 10m41s` or more"),
    ("modules: { default: { hold: 5m, interval: 6m }, fast: { interval: 15s } }\n", "1:67: `hold`: a connection that is idle for 5m and is then asked may take 5m 21s, with the looks before and after it, and the interval is 15s: write `interval: 5m21s` or more"),
    ("modules: { default: { hold: 5m, interval: 6m } }\ntargets: [ { target: 'db:1', interval: 1m } ]\n", "2:40: `hold`: a connection that is idle for 5m and is then asked may take 5m 21s, with the looks before and after it, and the interval is 1m: write `interval: 5m21s` or more"),
    ("modules: { default: { family: ip4 } }\n", "1:31: `family` is both, ipv4 or ipv6, and this is `ip4`; did you mean ipv4?"),
    ("modules: { default: { family: 4 } }\n", "1:31: `family` is both, ipv4 or ipv6, and this is the number 4"),
    ("modules: { default: { family: IPv4 } }\n", "1:31: `family` is both, ipv4 or ipv6, and this is `IPv4`; did you mean ipv4?"),
    ("modules: { default: { family: [ipv4, ipv6] } }\n", "1:31: `family` is both, ipv4 or ipv6, and this is a list"),
    ("modules: { default: { addresses: every } }\n", "1:34: `addresses` is all or first, and this is `every`"),
    ("modules: { default: { addresses: 1st } }\n", "1:34: `addresses` is all or first, and this is `1st`"),
    ("modules: { default: { addresses: frist } }\n", "1:34: `addresses` is all or first, and this is `frist`; did you mean first?"),
    ("modules: { default: { mode: tcp } }\n", "1:29: `mode` is auto, connect or raw, and this is `tcp`"),
    ("modules: { default: { mode: conect } }\n", "1:29: `mode` is auto, connect or raw, and this is `conect`; did you mean connect?"),
    ("modules: { default: { mode: } }\n", "1:27: `mode` is auto, connect or raw, and this is nothing"),
    ("modules: { default: { tries: 0 } }\n", "1:30: `tries` is a number from 1 to 10, and this is the number 0"),
    ("modules: { default: { tries: 11 } }\n", "1:30: `tries` is a number from 1 to 10, and this is the number 11"),
    ("modules: { default: { tries: '2' } }\n", "1:30: `tries` is a number from 1 to 10, and this is `2`"),
    ("modules: { default: { confirm: 0 } }\n", "1:32: `confirm` is a number from 1 to 100, and this is the number 0"),
    ("modules: { default: { confirm: 101 } }\n", "1:32: `confirm` is a number from 1 to 100, and this is the number 101"),
    ("modules: { default: { confirm: 2.5 } }\n", "1:32: `confirm` is a number from 1 to 100, and this is the number 2.5"),
    ("modules: { default: { confirm: -1 } }\n", "1:32: `confirm` is a number from 1 to 100, and this is the number -1"),
    ("modules: { default: { expect: shut } }\n", "1:31: 'shut' is not one of open, slow, refused, rejected, unreachable, filtered, backlog-full, reset, idle-death, dns-failed, local-error, unknown, reachable, blocked"),
    ("modules: { default: { expect: [] } }\n", "1:31: `expect` is an empty list: name at least one"),
    ("modules: { default: { expect: } }\n", "1:29: `expect` is empty: name at least one"),
    ("modules: { default: { expect: 'open,' } }\n", "1:31: nothing is expected: write open, reachable, blocked, a class such as refused, or class/cause"),
    ("modules: { default: { expect: [open, refused/port] } }\n", "1:38: 'port' is no cause of refused; its causes are no-listener, middlebox-reset"),
    ("modules: { default: { expect: local-error } }\n", "1:31: 'local-error' cannot be expected: it says nothing of the target, but that our own side failed or could not tell"),
    ("modules: { default: { expect: [open, unknown] } }\n", "1:38: 'unknown' cannot be expected: it says nothing of the target, but that our own side failed or could not tell"),
    ("modules: { default: { expect: local-error/denied } }\n", "1:31: 'local-error/denied' cannot be expected: it says nothing of the target, but that our own side failed or could not tell"),
    ("modules: { default: { expect: no } }\n", "1:31: 'no' is not one of open, slow, refused, rejected, unreachable, filtered, backlog-full, reset, idle-death, dns-failed, local-error, unknown, reachable, blocked"),
    ("modules: { default: { expect: true } }\n", "1:31: `expect` is a text, and this is the truth value true: put it in quotes"),
    ("modules: { default: { expect: { class: open } } }\n", "1:31: `expect` is a text, and this is a table"),
    ("targets: a\n", "1:10: `a` has no port: write `a:PORT`, with a port number or a service name"),
    ("targets:\n", "1:8: `targets` is empty: name at least one"),
    ("targets: { db: db:5432 }\n", "1:10: `targets` is a list, and this is a table: write each target with a dash before it, as in `- db:5432`"),
    ("targets: 5432\n", "1:10: 5432 is a port without a host: write both, and several ports in quotes, as in \"db:5432,5432\""),
    ("targets: [5432]\n", "1:11: 5432 is a port without a host: write both, and several ports in quotes, as in \"db:5432,5432\""),
    ("targets:\n- db: 5432\n", "2:3: `db: 5432` with a space is a table: write db:5432"),
    ("targets: [db]\n", "1:11: `db` has no port: write `db:PORT`, with a port number or a service name"),
    ("targets: [db:]\n", "1:11: `db` is no key of a target: its keys are target, name, module, interval, timeout, labels"),
    ("targets: ['db:0']\n", "1:11: 0 is no port: a port is a number from 1 to 65535 (in `db:0`)"),
    ("targets: ['db:70000']\n", "1:11: 70000 is no port: a port is a number from 1 to 65535 (in `db:70000`)"),
    ("targets: ['db:90-80']\n", "1:11: the ports 90-80 of `db:90-80` run backwards: write 80-90"),
    ("targets: ['db:htpp']\n", "1:11: `htpp` is no port: write a number from 1 to 65535, or the name of a service such as `https` (in `db:htpp`)"),
    ("targets: ['db:80,']\n", "1:11: `db` has no port: write `db:PORT`, with a port number or a service name (in `db:80,`)"),
    ("targets: [db:80,81]\n", "1:17: 81 is a port without a host: write both, and several ports in quotes, as in \"db:5432,81\""),
    ("targets: ['10.0.0.0/8:80']\n", "1:11: 10.0.0.0/8 is too large: a block has at most 65,536 addresses, so write /16 or longer, or several blocks"),
    ("targets: ['10.0.0.1/24:80']\n", "1:11: 10.0.0.1 is not where a block of /24 begins: write 10.0.0.0/24 for the block, or 10.0.0.1 for one host"),
    ("targets: ['*.shop:80']\n", "1:11: `*.shop` is no name: it contains '*'; names have letters, digits, `-`, `_` and `.` (in `*.shop:80`)"),
    ("targets: [*.shop:80]\n", "1:11: an asterisk makes an alias in YAML: put what begins with it in quotes, as in \"*.shop:80\""),
    ("targets: ['http://db/']\n", "1:11: `http://db/` is a URL, and a target is a host and a port: write `db:80`"),
    ("targets: [[a:1]]\n", "1:11: a list within a list: write one list"),
    ("targets: [[::1]:443]\n", "1:11: brackets make a list in YAML: put an IPv6 address and its port in quotes, as in \"[::1]:443\""),
    ("targets: ['::1:443']\n", "1:11: `::1:443` can mean two things: write `[::1]:443` for port 443 of ::1, or `[::1:443]:PORT` for a port of ::1:443; in YAML it needs quotes"),
    ("targets: ['']\n", "1:11: a target is a text such as db:5432, and this is empty"),
    ("targets: [true]\n", "1:11: a target is a text such as db:5432, and this is the truth value true"),
    ("targets: [null]\n", "1:11: a target is a text such as db:5432, and this is nothing"),
    ("targets: [1.5]\n", "1:11: a target is a text such as db:5432, and this is the number 1.5"),
    ("targets: [{}]\n", "1:11: a target without `target`: write what to look at, such as `target: db:5432`"),
    ("targets: [{ name: x }]\n", "1:11: a target without `target`: write what to look at, such as `target: db:5432`"),
    ("targets: [{ target: }]\n", "1:19: `target` is empty: name at least one"),
    ("targets: [{ target: [] }]\n", "1:21: `target` is an empty list: name at least one"),
    ("targets: [{ target: a }]\n", "1:21: `a` has no port: write `a:PORT`, with a port number or a service name"),
    ("targets: [{ targt: a:1 }]\n", "1:13: `targt` is no key of a target: did you mean `target`?"),
    ("targets: [{ host: a, port: 1 }]\n", "1:13: `host` is no key of a target: its keys are target, name, module, interval, timeout, labels"),
    ("targets: [{ target: a:1, expect: refused }]\n", "1:26: `expect` is no key of a target: its keys are target, name, module, interval, timeout, labels"),
    ("targets: [{ target: a:1, label: {} }]\n", "1:26: `label` is no key of a target: did you mean `labels`?"),
    ("targets: [{ target: a:1, module: defualt }]\n", "1:34: there is no module `defualt`: did you mean `default`?"),
    ("targets: [{ target: a:1, module: http_2xx }]\n", "1:34: there is no module `http_2xx`: name it under `modules`; known are default"),
    ("modules: { x: }\ntargets: [{ target: a:1, module: y }]\n", "2:34: there is no module `y`: did you mean `x`?"),
    ("targets: [{ target: a:1, module: }]\n", "1:32: `module` is empty: write something, or leave it out"),
    ("targets: [{ target: a:1, module: 5 }]\n", "1:34: `module` is a text, and this is the number 5: put it in quotes"),
    ("targets: [{ target: a:1, module: [default] }]\n", "1:34: `module` is a text, and this is a list"),
    ("targets: [{ target: a:1, interval: 1s }]\n", "1:36: `interval`: 1s is shorter than the timeout, which is 3s, as nothing is said of it here: write `timeout: 1s` or less too"),
    ("targets: [{ target: a:1, timeout: 1m }]\n", "1:35: `timeout`: 1m is longer than the interval, which is 15s, as nothing is said of it here: write a longer `interval`, or a timeout of 15s at most"),
    ("targets: [{ target: a:1, interval: 1s, timeout: 2s }]\n", "1:49: `timeout`: 2s is longer than the interval of 1s: a look has to end before the next begins"),
    ("targets: [{ target: a:1, interval: 5ms, timeout: 1ms }]\n", "1:36: `interval`: 5ms is too short: it is 10ms at least"),
    ("targets: [{ target: a:1, interval: 15 }]\n", "1:36: `interval`: the unit is missing: write \"15s\" or \"15ms\""),
    ("targets: [{ target: a:1, name: }]\n", "1:30: `name` is empty: write something, or leave it out"),
    ("targets: [{ target: a:1, name: 5 }]\n", "1:32: `name` is a text, and this is the number 5: put it in quotes"),
    ("targets: [{ target: a:1, name: [x] }]\n", "1:32: `name` is a text, and this is a list"),
    ("targets: [{ target: a:1, name: \"x\\ny\" }]\n", "1:32: `name` contains '\\n': write it in one line of plain text"),
    ("targets: [{ target: 'a:1,2', name: x }]\n", "1:36: `name` is for one target, and these are 2: leave it out, and each is called by its host and port"),
    ("targets: [{ target: [a:1, b:1], name: x }]\n", "1:39: `name` is for one target, and these are 2: leave it out, and each is called by its host and port"),
    ("targets: [{ target: a:1, name: 'b:1' }]\n", "1:32: `b:1` would be taken for another target than a:1, which it is: choose another `name`"),
    ("targets:\n- a:1\n- b:1\n- a:1\n", "4:3: `a:1` is a target already, in line 2: leave one out, or give one of them a `name` of its own and another module"),
    ("targets:\n- a:80\n- A:http\n", "3:3: `a:80` is a target already, in line 2: leave one out, or give one of them a `name` of its own and another module"),
    ("targets:\n- 'a:1-3'\n- 'a:3-4'\n", "3:3: `a:3` is a target already, in line 2: leave one out, or give one of them a `name` of its own and another module"),
    ("targets:\n- '10.0.0.0/30:1'\n- 10.0.0.2:1\n", "3:3: `10.0.0.2:1` is a target already, in line 2: leave one out, or give one of them a `name` of its own and another module"),
    ("targets:\n- { target: a:1, name: x }\n- { target: b:1, name: x }\n", "3:24: another target is called `x` already, in line 2: choose another `name`"),
    ("targets:\n- a:1\n- { target: a:1, name: x }\n", "3:13: `a:1` is looked at with the module `default` already, in line 2: leave one out, or give one of them another module"),
    ("targets:\n- { target: a:1, name: x }\n- { target: a:1, name: y, interval: 1m }\n", "3:13: `a:1` is looked at with the module `default` already, in line 2: leave one out, or give one of them another module"),
    ("targets:\n- { target: a:1, module: m }\n- a:1\nmodules: { m: }\n", "3:3: `a:1` is a target already, in line 2: leave one out, or give one of them a `name` of its own and another module"),
    ("modules: { v6: { family: ipv6 } }\ntargets:\n- { target: 10.0.0.1:1, module: v6 }\n", "3:13: 10.0.0.1:1 is an IPv4 address, and the module `v6` looks at IPv6 alone: take another module"),
    ("modules: { default: { family: ipv4 } }\ntargets:\n- '[::1]:1'\n", "3:3: [::1]:1 is an IPv6 address, and the module `default` looks at IPv4 alone: take another module"),
    ("targets: ['10.0.0.0/16:1-2']\n", "1:11: more than 100000 targets: `10.0.0.0/16:1-2` alone is 131068; name fewer, or run a second monitor for some of them"),
    ("targets: ['a:1-65535', 'b:1-65535']\n", "1:24: more than 100000 targets: `b:1-65535` alone is 65535; name fewer, or run a second monitor for some of them"),
    ("targets: [{ target: a:1, labels: [x] }]\n", "1:34: `labels` is a table of keys and values, as in `key: value`, and this is a list"),
    ("targets: [{ target: a:1, labels: }]\n", "1:32: `labels` is a table of keys and values, as in `key: value`, and this is nothing"),
    ("targets: [{ target: a:1, labels: { team: } }]\n", "1:40: `team` is empty, which to Prometheus is the same as no label: write something, or leave it out"),
    ("targets: [{ target: a:1, labels: { team: '' } }]\n", "1:42: `team` is empty, which to Prometheus is the same as no label: write something, or leave it out"),
    ("targets: [{ target: a:1, labels: { tier: 1 } }]\n", "1:42: `tier` is a text, and this is the number 1: put it in quotes"),
    ("targets: [{ target: a:1, labels: { v: 1.10 } }]\n", "1:39: `v` is a text, and this is the number 1.1: put it in quotes"),
    ("targets: [{ target: a:1, labels: { prod: true } }]\n", "1:42: `prod` is a text, and this is the truth value true: put it in quotes"),
    ("targets: [{ target: a:1, labels: { teams: [a, b] } }]\n", "1:43: `teams` is a text, and this is a list"),
    ("targets: [{ target: a:1, labels: { '': x } }]\n", "1:36: a label without a name"),
    ("targets: [{ target: a:1, labels: { cost-center: x } }]\n", "1:36: `cost-center` is no name for a label of yours: Prometheus has letters, digits and `_` in it, and no digit first; write cost_center"),
    ("targets: [{ target: a:1, labels: { app.kubernetes.io/name: x } }]\n", "1:36: `app.kubernetes.io/name` is no name for a label of yours: Prometheus has letters, digits and `_` in it, and no digit first; write app_kubernetes_io_name"),
    ("targets: [{ target: a:1, labels: { 1st: x } }]\n", "1:36: `1st` is no name for a label of yours: Prometheus has letters, digits and `_` in it, and no digit first; write _1st"),
    ("targets: [{ target: a:1, labels: { größe: x } }]\n", "1:36: `größe` is no name for a label of yours: Prometheus has letters, digits and `_` in it, and no digit first; write gr__e"),
    ("targets: [{ target: a:1, labels: { '--x': x } }]\n", "1:36: `--x` is no name for a label of yours: Prometheus has letters, digits and `_` in it, and no digit first; write x"),
    ("targets: [{ target: a:1, labels: { __name__: x } }]\n", "1:36: `__name__` is no name for a label of yours: what begins with `__` is Prometheus's own"),
    ("targets: [{ target: a:1, labels: { __x: x } }]\n", "1:36: `__x` is no name for a label of yours: what begins with `__` is Prometheus's own"),
    ("targets: [{ target: a:1, labels: { target: x } }]\n", "1:36: `target` is no name for a label of yours: tcpprobe sets it itself; write for example my_target"),
    ("targets: [{ target: a:1, labels: { module: x } }]\n", "1:36: `module` is no name for a label of yours: tcpprobe sets it itself; write for example my_module"),
    ("targets: [{ target: a:1, labels: { class: x } }]\n", "1:36: `class` is no name for a label of yours: tcpprobe sets it itself; write for example my_class"),
    ("targets: [{ target: a:1, labels: { cause: x } }]\n", "1:36: `cause` is no name for a label of yours: tcpprobe sets it itself; write for example my_cause"),
    ("targets: [{ target: a:1, labels: { confidence: x } }]\n", "1:36: `confidence` is no name for a label of yours: tcpprobe sets it itself; write for example my_confidence"),
    ("targets: [{ target: a:1, labels: { reason: x } }]\n", "1:36: `reason` is no name for a label of yours: tcpprobe sets it itself; write for example my_reason"),
    ("targets: [{ target: a:1, labels: { phase: x } }]\n", "1:36: `phase` is no name for a label of yours: tcpprobe sets it itself; write for example my_phase"),
    ("targets: [{ target: a:1, labels: { family: x } }]\n", "1:36: `family` is no name for a label of yours: tcpprobe sets it itself; write for example my_family"),
    ("targets: [{ target: a:1, labels: { le: x } }]\n", "1:36: `le` is no name for a label of yours: tcpprobe sets it itself; write for example my_le"),
    ("targets: [{ target: a:1, labels: { quantile: x } }]\n", "1:36: `quantile` is no name for a label of yours: tcpprobe sets it itself; write for example my_quantile"),
    ("targets: [{ target: a:1, labels: { instance: x } }]\n", "1:36: `instance` is no name for a label of yours: Prometheus sets it itself; write for example my_instance"),
    ("targets: [{ target: a:1, labels: { job: x } }]\n", "1:36: `job` is no name for a label of yours: Prometheus sets it itself; write for example my_job"),
    ("targets: [{ target: a:1, labels: { x: y, x: z } }]\n", "1:42: `x` is here for the second time: put all of it where it is first"),
    ("allow:\n", "1:6: `allow` is empty: write [] to permit nothing but the targets above, or leave it out"),
    ("allow: true\n", "1:8: what is permitted is a text, and this is the truth value true: put it in quotes"),
    ("allow: any\n", "1:8: `any` names no port: write any:443, several as in any:80,8000-8010, or \"any:*\" for every port"),
    ("allow: { hosts: [a] }\n", "1:8: what is permitted is a text, and this is a table"),
    ("allow: [80]\n", "1:9: what is permitted is a text, and this is the number 80: put it in quotes"),
    ("allow: ['']\n", "1:9: what is permitted is empty: write something, or leave it out"),
    ("allow: [a]\n", "1:9: `a` names no port: write a:443, several as in a:80,8000-8010, or \"a:*\" for every port"),
    ("allow: [10.0.0.0/8]\n", "1:9: `10.0.0.0/8` names no port: write 10.0.0.0/8:443, several as in 10.0.0.0/8:80,8000-8010, or \"10.0.0.0/8:*\" for every port"),
    ("allow: [*:443]\n", "1:9: an asterisk makes an alias in YAML: put what begins with it in quotes, as in \"*:443\""),
    ("allow: ['a:1', *]\n", "1:16: an asterisk makes an alias in YAML: put what begins with it in quotes, as in \"*\""),
    ("allow:\n- *.shop:443\n", "2:3: an asterisk makes an alias in YAML: put what begins with it in quotes, as in \"*.shop:443\""),
    ("allow: ['*']\n", "1:9: `*` names no port: write *:443, several as in *:80,8000-8010, or \"*:*\" for every port"),
    ("allow: ['10.0.0.1/8:1']\n", "1:9: 10.0.0.1 is not where a block of /8 begins: write 10.0.0.0/8 for the block, or 10.0.0.1 for one host"),
    ("allow: ['a*:1']\n", "1:9: `a*:1`: a `*` stands for all hosts, or before a dot for all names below one: write *:443 or *.shop:443"),
    ("allow: [[2001:db8::/32]:443]\n", "1:9: brackets make a list in YAML: put an IPv6 address and its port in quotes, as in \"[2001:db8::/32]:443\""),
    ("allow: ['2001:db8::/32']\n", "1:9: `2001:db8::/32`: an IPv6 address or block is in brackets, and its ports follow: write \"[2001:db8::/32]:443\", in quotes"),
    ("allow: [a:1, b:0]\n", "1:14: 0 is no port: a port is a number from 1 to 65535 (in `b:0`)"),
    ("probe_limit: 5\n", "1:14: `probe_limit` is a table of keys and values, as in `key: value`, and this is the number 5"),
    ("probe_limit: { rte: 5 }\n", "1:16: `rte` is no key of `probe_limit`: did you mean `rate`?"),
    ("probe_limit: { per_second: 5 }\n", "1:16: `per_second` is no key of `probe_limit`: its keys are rate, burst"),
    ("probe_limit: { rate: 0 }\n", "1:22: `rate` is a number from 1 to 100000, and this is the number 0"),
    ("probe_limit: { rate: 100001 }\n", "1:22: `rate` is a number from 1 to 100000, and this is the number 100001"),
    ("probe_limit: { burst: 0.5 }\n", "1:23: `burst` is a number from 1 to 100000, and this is the number 0.5"),
    ("probe_limit: { rate: 5/s }\n", "1:22: `rate` is a number from 1 to 100000, and this is `5/s`"),
    ("modules:\n\tdefault:\n", "2:2: a tab: YAML is indented with spaces alone"),
    ("modules: {\n", "1:10: this is no YAML as it should be: unclosed bracket '{'"),
    ("targets: [a:1]\n---\ntargets: [b:1]\n", "3:1: a second document begins here: a configuration is one, so write each in a file of its own"),
    ("targets: [a:1]\ntargets: [b:1]\n", "2:1: `targets` is here for the second time: put all of it where it is first"),
    ("targets: ['a:1'\n", "1:10: this is no YAML as it should be: unclosed bracket '['"),
    ("x: &x [*x]\n", "1:8: this is no YAML as it should be: Recursive reference not allowed here"),
];

#[rustfmt::skip]
const TOML: &[(&str, &str)] = &[
    ("", "1:1: the file is empty: `tcpprobe monitor --init` writes an example to begin with"),
    ("# nothing\n", "1:1: the file is empty: `tcpprobe monitor --init` writes an example to begin with"),
    ("targets = 5\n", "1:11: 5 is a port without a host: write both, and several ports in quotes, as in \"db:5432,5\""),
    ("targets = ['a:1']\nmodule = 1\n", "2:1: `module` is no key of a configuration: did you mean `modules`?"),
    ("[[targets]]\ntarget = 'a:1'\nlabel = {}\n", "3:1: `label` is no key of a target: did you mean `labels`?"),
    ("[[targets]]\ntarget = 'a:1\n", "2:14: this is no TOML: invalid literal string, expected `'`"),
    ("[modules.default]\ninterval = 15\n", "2:12: `interval`: the unit is missing: write \"15s\" or \"15ms\""),
    ("[modules.default]\ninterval = 1979-05-27\n", "2:12: `interval` is a length of time such as 500ms or 3s, and this is the date 1979-05-27"),
    ("[modules.default]\ninterval = '1s'\n", "2:12: `interval`: 1s is shorter than the timeout, which is 3s, as nothing is said of it here: write `timeout: 1s` or less too"),
    ("[modules.defautl]\n", "1:10: `defautl` is nearly `default`, from which all modules inherit: write `default`, or choose a name that cannot be mistaken"),
    ("targets = ['a:1', 'a:1']\n", "1:19: `a:1` is a target already, in line 1: leave one out, or give one of them a `name` of its own and another module"),
    ("[probe_limit]\nrate = 0x0\n", "2:8: `rate` is a number from 1 to 100000, and this is the number 0"),
    ("[[targets]]\ntarget = 'a:1'\n[targets.labels]\njob = 'x'\n", "4:1: `job` is no name for a label of yours: Prometheus sets it itself; write for example my_job"),
    ("allow = ['*']\n", "1:10: `*` names no port: write *:443, several as in *:80,8000-8010, or \"*:*\" for every port"),
    ("targets = [\n", "1:12: this is no TOML: unclosed array, expected `]`"),
    ("[targets]\na = 1\n", "1:1: `targets` is a list, and this is a table: write each target with a dash before it, as in `- db:5432`"),
];

#[rustfmt::skip]
const JSON: &[(&str, &str)] = &[
    ("{}", "1:1: the file is empty: `tcpprobe monitor --init` writes an example to begin with"),
    ("{", "1:1: this is no JSON: EOF while parsing an object"),
    ("[]", "1:1: a configuration is a table of keys and values, as in `key: value`, and this is a list"),
    ("null", "1:1: the file is empty: `tcpprobe monitor --init` writes an example to begin with"),
    ("{\"targets\": [\"a:1\",]}", "1:20: this is no JSON: expected value"),
    ("{\"targets\": [80]}", "1:14: 80 is a port without a host: write both, and several ports in quotes, as in \"db:5432,80\""),
    ("{\"targets\": [\"a:1\", \"a:1\"]}", "1:21: `a:1` is a target already, in line 1: leave one out, or give one of them a `name` of its own and another module"),
    ("{\"modules\": {\"default\": {\"interval\": 15}}}", "1:38: `interval`: the unit is missing: write \"15s\" or \"15ms\""),
    ("{\n \"é\": [], \"allow\": [\"ré:0\"]}", "2:2: `é` is no key of a configuration: its keys are modules, targets, allow, probe_limit"),
    ("{\n \"allow\": [\"ré:80\", \"b:0\"]}", "2:21: 0 is no port: a port is a number from 1 to 65535 (in `b:0`)"),
    ("{\n \"ré\": 1}", "2:2: `ré` is no key of a configuration: its keys are modules, targets, allow, probe_limit"),
    ("{\"allow\": [], \"allow\": []}", "1:15: `allow` is here for the second time: put all of it where it is first"),
    ("{\"targets\": [{\"target\": \"a:1\",\n  \"labels\": {\"le\": \"x\"}}]}", "2:14: `le` is no name for a label of yours: tcpprobe sets it itself; write for example my_le"),
];

#[test]
fn every_error_names_its_place_and_the_remedy() {
    for (files, format) in [(YAML, Format::Yaml), (TOML, Format::Toml), (JSON, Format::Json)] {
        for (text, wanted) in files {
            let read = File::read(text, format, &Services::default());
            let says = read.err().map(|error| error.to_string()).unwrap_or_default();
            assert_eq!(says, *wanted, "{text}");
        }
    }
}

#[test]
fn what_repeats_itself_without_end_is_refused_at_once() {
    let mut aliases = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..30 {
        let below = format!("*a{}", level - 1);
        writeln!(aliases, "a{level}: &a{level} [{}]", vec![below; 10].join(",")).unwrap();
    }
    let deep = |open: &str| open.repeat(100_000);
    for (text, format) in [
        (aliases, Format::Yaml),
        (deep("["), Format::Yaml),
        (deep("{a: "), Format::Yaml),
        (deep("- "), Format::Yaml),
        (deep("["), Format::Json),
        (format!("targets = {}", deep("[")), Format::Toml),
        (format!("{}a = 1", deep("a.")), Format::Toml),
    ] {
        let read = File::read(&text, format, &Services::default());
        assert!(read.is_err(), "{format:?}");
    }
}

#[test]
fn too_many_labels_and_modules_and_too_long_words_are_refused() {
    let says = |text: &str| {
        let read = File::read(text, Format::Yaml, &Services::default());
        read.err().map(|error| error.says).unwrap_or_default()
    };
    let many = |number: usize, one: fn(usize) -> String| (0..number).map(one).collect::<Vec<_>>().join(", ");
    let labels = |number| {
        let labels = many(number, |number| format!("l{number}: x"));
        says(&format!("targets: [{{ target: a:1, labels: {{ {labels} }} }}]"))
    };
    assert_eq!(labels(30), "");
    assert_eq!(
        labels(31),
        "more than 30 labels: Prometheus keeps each of them with every series"
    );
    let modules = |number| {
        says(&format!(
            "modules: {{ {} }}",
            many(number, |number| format!("m{number}: "))
        ))
    };
    assert_eq!(modules(1000), "");
    assert_eq!(modules(1001), "more than 1000 modules");
    let value = |length| {
        says(&format!(
            "targets: [{{ target: a:1, labels: {{ x: {} }} }}]",
            "y".repeat(length)
        ))
    };
    assert_eq!(value(1000), "");
    assert_eq!(value(1001), "`x` is longer than 1000 bytes");
    let name = |length| {
        says(&format!(
            "targets: [{{ target: a:1, name: {} }}]",
            "é".repeat(length)
        ))
    };
    assert_eq!(name(200), "");
    assert_eq!(name(201), "`name` is longer than 200 characters");
}
