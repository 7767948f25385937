//! The unit of systemd for a monitor: by systemd's own programs where they are installed, and by what it runs.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{cannot, command, finish};

const UNIT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/docs/monitoring/tcpprobe-monitor.service"
);

/// Where the unit has the program and its configuration.
const INSTALLED: &str = "/usr/local/bin/tcpprobe";
const CONFIG: &str = "/etc/tcpprobe/monitor.yaml";

fn unit() -> String {
    fs::read_to_string(UNIT).unwrap()
}

/// The unit as its comments have it for raw probes.
fn with_raw_probes() -> String {
    let unit = unit();
    let settings = [
        ("\nCapabilityBoundingSet=\nPrivateUsers=yes\n", "\n"),
        (
            "\n#CapabilityBoundingSet=CAP_NET_RAW\n",
            "\nCapabilityBoundingSet=CAP_NET_RAW\n",
        ),
        (
            "\n#AmbientCapabilities=CAP_NET_RAW\n",
            "\nAmbientCapabilities=CAP_NET_RAW\n",
        ),
        ("\n#PrivateUsers=no\n", "\nPrivateUsers=no\n"),
    ];
    settings.iter().fold(unit, |unit, (before, after)| {
        assert!(unit.contains(before), "{before}");
        unit.replace(before, after)
    })
}

/// The values of a setting, in their order.
fn values<'a>(unit: &'a str, setting: &str) -> Vec<&'a str> {
    let line = |line: &'a str| line.strip_prefix(setting)?.strip_prefix('=');
    unit.lines().filter_map(line).collect()
}

#[test]
fn systemd_has_nothing_to_say_against_the_unit() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return cannot("systemd-analyze is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, unit) in [("plain", unit()), ("raw", with_raw_probes())] {
        let path = folder.path().join(format!("{name}.service"));
        // It looks for the program, too.
        fs::write(&path, unit.replace(INSTALLED, env!("CARGO_BIN_EXE_tcpprobe"))).unwrap();
        let ran = analyze(&["verify", "--recursive-errors=no"], &path);
        assert_eq!(ran, (Some(0), String::new(), String::new()), "{name}");
        // From 0 to 100: what it could do on the host. Services that nobody has confined have 96.
        let (code, out, err) = analyze(
            &["security", "--offline=true", "--threshold=25", "--no-pager"],
            &path,
        );
        assert_eq!(code, Some(0), "{name}: {out}{err}");
    }
}

fn analyze(arguments: &[&str], unit: &Path) -> (Option<i32>, String, String) {
    let output = Command::new("systemd-analyze")
        .args(arguments)
        .arg(unit)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_program_takes_what_the_unit_gives_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("monitor.yaml");
    fs::write(&config, "targets: [{ target: \"127.0.0.1:1\" }]\n").unwrap();
    let unit = unit();
    let check = values(&unit, "ExecReload")[0];
    assert_eq!(check, format!("{} --check", values(&unit, "ExecStart")[0]));
    let run = |text: &str| {
        fs::write(&config, text).unwrap();
        let check = check.replace(CONFIG, config.to_str().unwrap());
        let mut words = check.split(' ');
        assert_eq!(words.next(), Some(INSTALLED));
        finish(command().args(words).spawn().unwrap())
    };
    let right = run("targets: [{ target: \"127.0.0.1:1\" }]\n");
    assert_eq!(right.code, Some(0), "{right:?}");
    // What systemd does not start again.
    let wrong = run("targets: [{ targt: \"127.0.0.1:1\" }]\n");
    assert_eq!(
        wrong.code.map(|code| code.to_string()).as_deref(),
        values(&unit, "RestartPreventExitStatus").first().copied(),
        "{wrong:?}"
    );
}

#[test]
fn the_unit_gives_the_service_no_power_and_no_user_of_the_host() {
    let unit = unit();
    for (setting, value) in [
        ("DynamicUser", "yes"),
        ("CapabilityBoundingSet", ""),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("RestrictNamespaces", "yes"),
    ] {
        assert_eq!(values(&unit, setting), [value], "{setting}");
    }
    assert_eq!(values(&unit, "AmbientCapabilities"), Vec::<&str>::new());
    assert_eq!(values(&with_raw_probes(), "AmbientCapabilities"), ["CAP_NET_RAW"]);
}
