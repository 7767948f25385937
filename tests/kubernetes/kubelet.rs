//! Runs the container of a manifest as a kubelet has it run: the static binary in a root file system that is empty and
//! read-only, as the manifest's user, without any capability and with no way to get one.
//!
//! The pod is a child of the test, with namespaces of its own, in which it listens on loopback; the container is a child
//! of that.

#[path = "kubelet/monitor.rs"]
mod monitor;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use caps::CapSet;
use libtest_mimic::Trial;
use nix::fcntl::{OFlag, openat};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_no_new_privs;
use nix::sys::stat::Mode;
use nix::unistd::pivot_root;
use serde_json::Value;
use tcpprobe::lab::{self, EnterError};

use crate::printed;
use crate::{Cannot, image, trial};

const POD: &str = "--as-a-pod";
/// A pod that is asked over HTTP while it runs, and then told to end.
const ASKED_POD: &str = "--as-a-pod-that-is-asked";
const CONTAINER: &str = "--as-a-container";

/// What the pod says where the system does not let it have namespaces; no run of the program ends so.
const NO_NAMESPACES: i32 = 77;

/// The folder that holds what the ConfigMap holds.
const CONFIG_MAP: &str = "config-map";

/// In a network of its own every port is free.
const OPEN: u16 = 8080;

const MATRIX: &str = r#"
targets:
  open: [ "127.0.0.1:8080", "[::1]:8080" ]
  closed: [ "127.0.0.1:8081", "[::1]:8081" ]
sources:
  The_Shop: { labels: { app: shop } }
rules:
  - to: open
  - to: closed
    expect: refused
"#;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "a_restricted_pod_with_nothing_but_the_binary_runs_its_matrix",
            a_restricted_pod_with_nothing_but_the_binary_runs_its_matrix,
        ),
        trial(
            "a_restricted_pod_says_what_was_missed",
            a_restricted_pod_says_what_was_missed,
        ),
        trial(
            "a_pod_of_a_daemon_set_succeeds_whatever_was_missed",
            a_pod_of_a_daemon_set_succeeds_whatever_was_missed,
        ),
        trial(
            "a_restricted_pod_with_nothing_but_the_binary_monitors",
            monitor::a_restricted_pod_with_nothing_but_the_binary_monitors,
        ),
    ]
}

fn a_restricted_pod_with_nothing_but_the_binary_runs_its_matrix() -> Result<(), Cannot> {
    let ran = run(&["job"], MATRIX)?;
    assert_eq!(ran.code, Some(0), "{}", ran.says);
    let (edges, runs): (Vec<&Value>, Vec<&Value>) =
        ran.records.iter().partition(|record| record["record"] == "edge");
    assert_eq!((edges.len(), runs.len()), (4, 1), "{}", ran.says);
    for edge in edges {
        assert_eq!(edge["result"], "met", "{edge:#}");
        let source = &edge["source"];
        assert_eq!(
            [
                &source["source"],
                &source["pod"],
                &source["node"],
                &source["namespace"]
            ],
            ["The_Shop", "pod-1", "node-1", "shop"]
        );
    }
    assert!(
        !ran.termination.is_empty() && ran.termination.len() <= 4096,
        "{}",
        ran.says
    );
    Ok(())
}

fn a_restricted_pod_says_what_was_missed() -> Result<(), Cannot> {
    let ran = run(&["job"], &MATRIX.replace("expect: refused", "expect: reachable"))?;
    assert_eq!(ran.code, Some(1), "{}", ran.says);
    let missed = ran.records.iter().filter(|record| record["result"] == "missed");
    assert_eq!(missed.count(), 2, "{}", ran.says);
    Ok(())
}

fn a_pod_of_a_daemon_set_succeeds_whatever_was_missed() -> Result<(), Cannot> {
    let ran = run(
        &["daemonset"],
        &MATRIX.replace("expect: refused", "expect: reachable"),
    )?;
    assert_eq!(ran.code, Some(0), "{}", ran.says);
    let missed = ran.records.iter().filter(|record| record["result"] == "missed");
    assert_eq!(missed.count(), 2, "{}", ran.says);
    assert_eq!(ran.records[0]["source"]["instance"], "node-1");
    Ok(())
}

/// What became of a container.
struct Ran {
    code: Option<i32>,
    records: Vec<Value>,
    termination: String,
    /// What there is to say of it where it is not as it should be.
    says: String,
}

/// Runs the first container of the first pod that is printed for the matrix.
fn run(kind: &[&str], matrix: &str) -> Result<Ran, Cannot> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("matrix.yaml");
    fs::write(&path, matrix).unwrap();
    let documents = printed::documents(&printed::text(kind, &path, &[]));
    let Output {
        status,
        stdout,
        stderr,
    } = in_a_pod(POD, &documents, folder.path())?;
    let complaints = String::from_utf8(stderr).unwrap();
    let lines = String::from_utf8(stdout).unwrap();
    let termination = fs::read_to_string(folder.path().join("termination-log")).unwrap();
    Ok(Ran {
        code: status.code(),
        records: lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
        says: format!("{status}\n{complaints}\n{termination}"),
        termination,
    })
}

/// Runs the first container of the first pod of some manifests.
fn in_a_pod(role: &str, documents: &[Value], folder: &Path) -> Result<Output, Cannot> {
    let binary = image::static_binary()?;
    let pod = documents.iter().find_map(printed::pod).unwrap();
    let container = printed::containers(pod)[0];
    // What the ConfigMap holds, rather than the file that it was made of.
    fs::create_dir(folder.join(CONFIG_MAP)).unwrap();
    for (name, text) in documents[0]["data"].as_object().unwrap() {
        fs::write(folder.join(CONFIG_MAP).join(name), text.as_str().unwrap()).unwrap();
    }
    fs::write(folder.join("termination-log"), "").unwrap();
    let texts = |value: &Value| -> Vec<String> {
        let all = value.as_array().unwrap().iter();
        all.map(|one| one.as_str().unwrap().to_owned()).collect()
    };
    let mut command = Command::new("/proc/self/exe");
    command
        .arg(role)
        .args([folder, &binary])
        .args(texts(&container["args"]))
        .env_clear();
    for variable in container["env"].as_array().into_iter().flatten() {
        let value = variable["value"]
            .as_str()
            .map_or_else(|| by_field(variable), str::to_owned);
        command.env(variable["name"].as_str().unwrap(), value);
    }
    let output = command.output().unwrap();
    if output.status.code() == Some(NO_NAMESPACES) {
        return Err(Cannot(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(output)
}

/// What the downward API says.
fn by_field(variable: &Value) -> String {
    let path = variable["valueFrom"]["fieldRef"]["fieldPath"].as_str().unwrap();
    let value = match path {
        "metadata.name" => "pod-1",
        "metadata.namespace" => "shop",
        "spec.nodeName" => "node-1",
        "status.podIP" => "10.244.0.7",
        other => panic!("{other}"),
    };
    value.to_owned()
}

/// The pod or the container, where this process is one; absent where it is the test.
pub(crate) fn main() -> Option<i32> {
    let mut arguments = std::env::args_os().skip(1);
    let what = arguments.next()?;
    let role = match what.to_str()? {
        POD => pod,
        ASKED_POD => monitor::pod,
        CONTAINER => container,
        _ => return None,
    };
    let folder = PathBuf::from(arguments.next()?);
    let binary = PathBuf::from(arguments.next()?);
    let outcome = role(&folder, &binary, arguments.collect());
    Some(outcome.unwrap_or_else(|error| {
        say(&format!("{}: {error}", what.display()));
        99
    }))
}

fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

fn pod(folder: &Path, binary: &Path, arguments: Vec<OsString>) -> io::Result<i32> {
    in_namespaces(|| {
        let status = started(folder, binary, arguments).status()?;
        Ok(status.code().unwrap_or(98))
    })
}

/// Namespaces of its own, in which something listens.
fn in_namespaces(then: impl FnOnce() -> io::Result<i32>) -> io::Result<i32> {
    match lab::enter() {
        Ok(()) => {}
        Err(error @ EnterError::Forbidden(_)) => {
            say(&error.to_string());
            return Ok(NO_NAMESPACES);
        }
        Err(error @ (EnterError::Threaded | EnterError::Failed { .. })) => {
            return Err(io::Error::other(error));
        }
    }
    loopback_up()?;
    let _listeners = [
        TcpListener::bind((Ipv4Addr::LOCALHOST, OPEN))?,
        TcpListener::bind((Ipv6Addr::LOCALHOST, OPEN))?,
    ];
    then()
}

/// The container of a pod.
fn started(folder: &Path, binary: &Path, arguments: Vec<OsString>) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg(CONTAINER).args([folder, binary]).args(arguments);
    command
}

fn loopback_up() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (connection, handle, _) = rtnetlink::new_connection()?;
        tokio::spawn(connection);
        // In every namespace it is the first interface.
        let up = rtnetlink::LinkUnspec::new_with_index(1).up().build();
        handle.link().set(up).execute().await.map_err(io::Error::other)
    })
}

/// Becomes the program, in a root file system that has nothing else.
fn container(folder: &Path, binary: &Path, arguments: Vec<OsString>) -> io::Result<i32> {
    let proc = File::open("/proc")?;
    unshare(CloneFlags::CLONE_NEWNS)?;
    furnish(folder, binary)?;
    confine(&proc)?;
    check(&proc)?;
    drop(proc);
    Err(Command::new("/tcpprobe").args(arguments).exec())
}

/// What the image has, and what a kubelet adds to it.
fn furnish(folder: &Path, binary: &Path) -> io::Result<()> {
    let root = folder.join("root");
    fs::create_dir(&root)?;
    let no: Option<&str> = None;
    mount(no, &root, Some("tmpfs"), MsFlags::MS_NOSUID, no)?;
    let put = |from: &Path, to: &str| -> io::Result<()> {
        let to = root.join(to);
        fs::create_dir_all(to.parent().unwrap())?;
        fs::copy(from, to).map(drop)
    };
    put(binary, "tcpprobe")?;
    fs::set_permissions(root.join("tcpprobe"), fs::Permissions::from_mode(0o555))?;
    for entry in fs::read_dir(folder.join(CONFIG_MAP))? {
        let entry = entry?;
        let to = Path::new("etc/tcpprobe").join(entry.file_name());
        put(&entry.path(), to.to_str().unwrap())?;
    }
    fs::write(root.join("etc/resolv.conf"), "nameserver 127.0.0.1\n")?;
    fs::write(root.join("etc/hosts"), "127.0.0.1 localhost\n")?;
    put(&folder.join("termination-log"), "dev/termination-log")?;
    let log = root.join("dev/termination-log");
    mount(
        Some(&folder.join("termination-log")),
        &log,
        no,
        MsFlags::MS_BIND,
        no,
    )?;
    std::env::set_current_dir(&root)?;
    pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    std::env::set_current_dir("/")?;
    let read_only = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | MsFlags::MS_NOSUID;
    Ok(mount(no, "/", no, read_only, no)?)
}

/// User 65532, no capability, and no way to get one.
fn confine(proc: &File) -> io::Result<()> {
    // The user that a plain user is in a namespace of his own is the only one there: a second namespace gives it the number.
    unshare(CloneFlags::CLONE_NEWUSER)?;
    for (name, text) in [
        ("self/setgroups", "deny"),
        ("self/uid_map", "65532 0 1"),
        ("self/gid_map", "65532 0 1"),
    ] {
        let file = openat(proc, name, OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty())?;
        File::from(file).write_all(text.as_bytes())?;
    }
    set_no_new_privs()?;
    for capability in caps::runtime::thread_all_supported() {
        caps::drop(None, CapSet::Bounding, capability).map_err(io::Error::other)?;
    }
    for set in [
        CapSet::Ambient,
        CapSet::Inheritable,
        CapSet::Effective,
        CapSet::Permitted,
    ] {
        caps::clear(None, set).map_err(io::Error::other)?;
    }
    Ok(())
}

/// That it is so.
fn check(proc: &File) -> io::Result<()> {
    let file = openat(
        proc,
        "self/status",
        OFlag::O_RDONLY | OFlag::O_CLOEXEC,
        Mode::empty(),
    )?;
    let mut status = String::new();
    File::from(file).read_to_string(&mut status)?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().split_whitespace().next().unwrap().to_owned()
    };
    assert_eq!(
        (field("Uid:"), field("Gid:")),
        ("65532".to_owned(), "65532".to_owned())
    );
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(field(set), "0000000000000000", "{set}");
    }
    assert_eq!(field("NoNewPrivs:"), "1");
    let mut names: Vec<OsString> = fs::read_dir("/")?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<io::Result<_>>()?;
    names.sort();
    assert_eq!(names, ["dev", "etc", "tcpprobe"]);
    assert_eq!(
        fs::write("/file", "").unwrap_err().kind(),
        io::ErrorKind::ReadOnlyFilesystem
    );
    Ok(())
}
