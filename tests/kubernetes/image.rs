//! The image: what its Dockerfile says, and the static binary that its command makes. `TCPPROBE_STATIC` names one that has
//! been made; else it is built here, without optimisation, into a folder of its own beside the other results of cargo.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use libtest_mimic::Trial;

use crate::{Cannot, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "the_image_is_the_binary_alone_and_does_not_run_as_root",
            the_image_is_the_binary_alone_and_does_not_run_as_root,
        ),
        trial(
            "the_binary_of_the_image_needs_no_other_file",
            the_binary_of_the_image_needs_no_other_file,
        ),
    ]
}

fn dockerfile() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Dockerfile")).unwrap()
}

/// The instructions of each stage.
fn stages(text: &str) -> Vec<Vec<&str>> {
    let mut stages: Vec<Vec<&str>> = Vec::new();
    for line in text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if line.starts_with("FROM ") {
            stages.push(Vec::new());
        }
        stages.last_mut().unwrap().push(line);
    }
    stages
}

fn the_image_is_the_binary_alone_and_does_not_run_as_root() -> Result<(), Cannot> {
    let text = dockerfile();
    let stages = stages(&text);
    let [_, raw, restricted] = &stages[..] else {
        panic!("{stages:?}")
    };
    // The last stage is what is built when no other is asked for.
    for (stage, name, user) in [(raw, "raw", "0:0"), (restricted, "restricted", "65532:65532")] {
        assert_eq!(
            stage[..],
            [
                &*format!("FROM scratch AS {name}"),
                "COPY --from=build /usr/local/bin/tcpprobe /tcpprobe",
                &*format!("USER {user}"),
                "ENTRYPOINT [\"/tcpprobe\"]",
            ]
        );
    }
    assert!(!text.contains("setcap"));
    let version = concat!("docker build -t tcpprobe:", env!("CARGO_PKG_VERSION"), " .");
    assert!(text.contains(version), "{version}");
    Ok(())
}

fn the_binary_of_the_image_needs_no_other_file() -> Result<(), Cannot> {
    let binary = fs::read(static_binary()?).unwrap();
    let types = program_headers(&binary);
    /// `PT_LOAD` and `PT_INTERP` of elf(5).
    const LOAD: u64 = 1;
    const INTERPRETER: u64 = 3;
    assert!(
        types.contains(&LOAD) && !types.contains(&INTERPRETER),
        "{types:?}"
    );
    // The one that the tests run is not static, and that is seen.
    let usual = fs::read(env!("CARGO_BIN_EXE_tcpprobe")).unwrap();
    assert!(program_headers(&usual).contains(&INTERPRETER));
    Ok(())
}

/// The types of the program headers of a 64-bit ELF file.
fn program_headers(file: &[u8]) -> Vec<u64> {
    let number = |at: usize, bytes: usize| {
        let mut wide = [0; 8];
        wide[..bytes].copy_from_slice(&file[at..at + bytes]);
        u64::from_le_bytes(wide)
    };
    assert_eq!(&file[..6], b"\x7fELF\x02\x01");
    let (first, size, count) = (number(0x20, 8), number(0x36, 2), number(0x38, 2));
    (0..count)
        .map(|index| number(usize::try_from(first + index * size).unwrap(), 4))
        .collect()
}

/// A binary as the image has it.
pub(crate) fn static_binary() -> Result<PathBuf, Cannot> {
    static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let made = BINARY.get_or_init(|| match std::env::var_os("TCPPROBE_STATIC") {
        Some(path) => Ok(path.into()),
        None => build(),
    });
    made.clone().map_err(Cannot)
}

/// By the command of the Dockerfile, but for the optimisation, which takes minutes.
fn build() -> Result<PathBuf, String> {
    let text = dockerfile();
    let command = text
        .lines()
        .find_map(|line| {
            line.strip_prefix("RUN ")
                .filter(|line| line.contains("cargo build"))
        })
        .unwrap();
    assert!(command.contains(" --release "), "{command}");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("static");
    let output = Command::new("sh")
        .args(["-c", &command.replace(" --release ", " ")])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_TARGET_DIR", &folder)
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .output()
        .map_err(|error| format!("sh: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "the static binary cannot be built: {}",
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    let host = Command::new("rustc")
        .args(["--print", "host-tuple"])
        .output()
        .unwrap();
    let host = String::from_utf8(host.stdout).unwrap();
    Ok(folder.join(host.trim()).join("debug/tcpprobe"))
}
