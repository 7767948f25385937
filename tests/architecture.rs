//! The arrows between rooms are those of the table in `docs/architecture.md`, and no others.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

type Table = BTreeMap<String, BTreeSet<String>>;

#[test]
fn every_arrow_between_rooms_is_in_the_table() {
    let table = table();
    let mut wrong = Vec::new();
    for (room, file) in files() {
        let allowed = table
            .get(&room)
            .unwrap_or_else(|| panic!("{room} is no room of docs/architecture.md"));
        let text = fs::read_to_string(&file).unwrap();
        for used in rooms_used(&text) {
            if used != room && !allowed.contains(&used) {
                wrong.push(format!("{}: {room} may not use {used}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_room_of_the_table_exists_and_every_room_is_in_the_table() {
    let rooms: BTreeSet<String> = files().into_iter().map(|(room, _)| room).collect();
    assert_eq!(table().into_keys().collect::<BTreeSet<_>>(), rooms);
}

#[test]
fn the_arrows_run_one_way() {
    let table = table();
    for room in table.keys() {
        let mut seen = BTreeSet::new();
        let mut next: Vec<&String> = table[room].iter().collect();
        while let Some(used) = next.pop() {
            assert_ne!(used, room, "{room} uses itself by way of other rooms");
            if seen.insert(used) {
                next.extend(&table[used]);
            }
        }
    }
}

#[test]
fn unsafe_code_is_in_net_alone() {
    for (room, file) in files() {
        let text = fs::read_to_string(&file).unwrap();
        let has_unsafe =
            text.contains("unsafe {") || text.contains("unsafe fn") || text.contains("allow(unsafe_code");
        assert!(room == "net" || !has_unsafe, "{}", file.display());
    }
}

#[test]
fn every_file_says_in_its_first_line_what_it_is_responsible_for() {
    for (_, file) in files() {
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//! "), "{}", file.display());
    }
}

#[test]
fn an_arrow_is_found_wherever_it_is_written() {
    let text = "use crate::net::clock;\nuse crate::{probe, report::text};\nlet x = crate::wire::Packet;\n";
    assert_eq!(
        rooms_used(text),
        ["net", "probe", "report", "wire"].map(str::to_owned).into()
    );
}

/// The rooms of the table, each with those that it may use.
fn table() -> Table {
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let rows = text
        .lines()
        .skip_while(|line| !line.starts_with("| room |"))
        .skip(2);
    rows.take_while(|line| line.starts_with('|'))
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
            let [room, _, may_use] = cells[..] else {
                panic!("not three cells: {row}")
            };
            (names(room).pop().unwrap(), names(may_use).into_iter().collect())
        })
        .collect()
}

/// The words between backticks.
fn names(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Every source file of the library with its room.
fn files() -> Vec<(String, PathBuf)> {
    let source = root().join("src");
    let mut files = Vec::new();
    let mut folders = vec![source.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let inside = path.strip_prefix(&source).unwrap();
            let room = inside
                .iter()
                .next()
                .unwrap()
                .to_str()
                .unwrap()
                .trim_end_matches(".rs")
                .to_owned();
            if room != "lib" && room != "main" {
                files.push((room, path));
            }
        }
    }
    files
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The first names after `crate::`, also within braces.
fn rooms_used(text: &str) -> BTreeSet<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let mut rooms = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        if let Some(list) = after.strip_prefix('{') {
            let list = list.split(';').next().unwrap_or_default();
            rooms.extend(
                list.split([',', '{', '}'])
                    .map(first_name)
                    .filter(|name| is_room(name)),
            );
        } else {
            rooms.extend(Some(first_name(after)).filter(|name| is_room(name)));
        }
    }
    rooms
}

fn first_name(path: &str) -> String {
    path.trim()
        .chars()
        .take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
        .collect()
}

fn is_room(name: &str) -> bool {
    let source = root().join("src");
    let is_file = source.join(format!("{name}.rs")).is_file() && name != "lib" && name != "main";
    !name.is_empty() && (source.join(name).is_dir() || is_file)
}
