//! The floors of the house: imports run downward only, and only `transport` and `cli` touch the world.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

#[path = "support/rust_paths.rs"]
mod rust_paths;

use rust_paths::{Named, named_paths};

/// Floor of each folder of `src`; `lib.rs` has the same map for its reader.
const FLOORS: &[(&str, u8)] = &[
    ("line", 0),
    ("image", 0),
    ("wire", 1),
    ("frame", 1),
    ("protocol", 2),
    ("capture", 2),
    ("machine", 3),
    ("diagnose", 4),
    ("flash", 4),
    ("simulate", 4),
    ("sweep", 5),
    ("learn", 5),
    ("transport", 5),
    ("report", 6),
    ("cli", 7),
];

/// What reaches out of the program, and the folders that may name it. A name is a run of path segments.
const WORLD: &[(&str, &[&str], &str)] = &[
    ("serialport", &["transport"], "ports belong to transport"),
    ("std::net", &["transport"], "sockets belong to transport"),
    (
        "std::time::Instant",
        &["transport", "cli"],
        "the machine's clock belongs to transport; take time as an argument",
    ),
    (
        "std::time::SystemTime",
        &["transport", "cli"],
        "the machine's clock belongs to transport; take time as an argument",
    ),
    (
        "Instant::now",
        &["transport", "cli"],
        "the machine's clock belongs to transport; take time as an argument",
    ),
    (
        "SystemTime::now",
        &["transport", "cli"],
        "the machine's clock belongs to transport; take time as an argument",
    ),
    ("thread::sleep", &["transport", "cli"], "waiting belongs to transport; offer a deadline instead"),
    ("std::fs", &["transport", "cli"], "the disk belongs to cli; take text or bytes as an argument"),
];

/// A source file under `src`: its path from there, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The folder of `src` this file lies in; none for `lib.rs` and `main.rs`.
    fn folder(&self) -> Option<&str> {
        self.path.split_once('/').map(|(folder, _)| folder)
    }

    /// The module this file is, as path segments below the crate.
    fn module(&self) -> Vec<&str> {
        let mut segments: Vec<&str> = self.path.trim_end_matches(".rs").split('/').collect();
        if matches!(segments.last(), Some(&("mod" | "lib" | "main"))) {
            segments.pop();
        }
        segments
    }
}

fn floor(folder: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == folder).map(|&(_, floor)| floor)
}

/// The folder that a path reaches, when it leaves its own file by `crate::` or enough `super::`.
fn reached<'a>(source: &Source, named: &'a Named) -> Option<&'a str> {
    let first = named.segments.first()?;
    if first == "crate" {
        return named.segments.get(1).map(String::as_str);
    }
    let up = named.segments.iter().take_while(|segment| *segment == "super").count();
    let depth = source.module().len() + named.inline_modules;
    if up > 0 && up == depth { named.segments.get(up).map(String::as_str) } else { None }
}

/// Every import between folders, as (from, to) with the first place that makes it.
fn imports(sources: &[Source]) -> BTreeMap<(String, String), String> {
    let mut found = BTreeMap::new();
    for source in sources {
        let Some(folder) = source.folder() else { continue };
        for named in named_paths(&source.text) {
            if let Some(other) =
                reached(source, &named).filter(|other| *other != folder && floor(other).is_some())
            {
                let place = format!("src/{}:{}", source.path, named.line);
                found.entry((folder.to_string(), other.to_string())).or_insert(place);
            }
        }
    }
    found
}

fn without_floor(sources: &[Source]) -> Vec<String> {
    let folders: BTreeSet<&str> = sources.iter().filter_map(Source::folder).collect();
    folders
        .iter()
        .filter(|folder| floor(folder).is_none())
        .map(|folder| format!("src/{folder}: has no floor. Give it one in tests/floors.rs and in src/lib.rs"))
        .collect()
}

fn upward(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for ((from, to), place) in imports(sources) {
        let (Some(own), Some(other)) = (floor(&from), floor(&to)) else { continue };
        if other >= own {
            wrong.push(format!(
                "{place}: {from} (floor {own}) names {to} (floor {other}); imports run downward only"
            ));
        }
    }
    wrong
}

fn circles(sources: &[Source]) -> Vec<String> {
    let edges = imports(sources);
    let mut wrong = Vec::new();
    for start in edges.keys().map(|(from, _)| from).collect::<BTreeSet<_>>() {
        let mut seen = BTreeSet::new();
        let mut open = vec![vec![start.clone()]];
        while let Some(trail) = open.pop() {
            let last = trail.last().unwrap_or(start);
            for ((_, to), place) in edges.iter().filter(|((from, _), _)| from == last) {
                // Told once, from its first folder by name.
                if to == start && trail.iter().all(|folder| folder >= start) {
                    wrong.push(format!("{place}: closes the circle {} -> {start}", trail.join(" -> ")));
                } else if seen.insert(to.clone()) {
                    open.push([trail.clone(), vec![to.clone()]].concat());
                }
            }
        }
    }
    wrong
}

fn world_touched(sources: &[Source]) -> Vec<String> {
    let mut wrong = BTreeSet::new();
    for source in sources {
        // `main.rs` hands over to `cli` and is judged with it.
        let folder = source.folder().unwrap_or("cli");
        for named in named_paths(&source.text) {
            for (name, allowed, why) in WORLD {
                let words: Vec<&str> = name.split("::").collect();
                let hit = named
                    .segments
                    .windows(words.len())
                    .any(|run| run.iter().zip(&words).all(|(a, b)| a == b));
                if hit && !allowed.contains(&folder) {
                    wrong.insert(format!("src/{}:{}: names {name}; {why}", source.path, named.line));
                }
            }
        }
    }
    wrong.into_iter().collect()
}

fn read_sources(folder: &Path, prefix: &str, into: &mut Vec<Source>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).expect("src can be read").map(|entry| entry.expect("entry").path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            read_sources(&path, &format!("{prefix}{name}/"), into);
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path).expect("UTF-8 source");
            into.push(Source { path: format!("{prefix}{name}"), text });
        }
    }
}

fn own_sources() -> Vec<Source> {
    let mut sources = Vec::new();
    read_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut sources);
    assert!(sources.iter().any(|source| source.path == "line/mod.rs"), "src/line/mod.rs was not found");
    sources
}

fn assert_none(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_folder_has_a_floor() {
    assert_none(without_floor(&own_sources()));
}

#[test]
fn imports_run_downward_only() {
    assert_none(upward(&own_sources()));
}

#[test]
fn no_circle_joins_folders() {
    assert_none(circles(&own_sources()));
}

#[test]
fn only_transport_and_cli_touch_the_world() {
    assert_none(world_touched(&own_sources()));
}

fn house(files: &[(&str, &str)]) -> Vec<Source> {
    files.iter().map(|(path, text)| Source { path: path.to_string(), text: text.to_string() }).collect()
}

#[test]
fn an_upward_import_is_told_with_its_place() {
    let sources =
        house(&[("line/time.rs", "//! use crate::cli::X;\n\nuse crate::{line::Span, wire::{a, b}};\n")]);
    assert_eq!(
        upward(&sources),
        ["src/line/time.rs:3: line (floor 0) names wire (floor 1); imports run downward only"]
    );
}

#[test]
fn folders_of_one_floor_do_not_know_each_other() {
    let sources = house(&[("sweep/search.rs", "fn f() { crate::transport::open(); }")]);
    assert_eq!(upward(&sources).len(), 1);
}

#[test]
fn climbing_out_by_super_is_an_import_too() {
    let climbing = house(&[("line/time.rs", "use super::super::wire::Receiver;")]);
    assert_eq!(upward(&climbing).len(), 1);
    let nested = house(&[("line/time.rs", "use super::baud::Baud;\nmod tests { use super::super::wire; }")]);
    assert!(upward(&nested).is_empty(), "one `super` of it leaves `tests` only");
}

#[test]
fn a_circle_is_told_once() {
    let sources = house(&[
        ("wire/a.rs", "use crate::frame::Layout;"),
        ("frame/b.rs", "use crate::line::Baud;\nuse crate::wire::Receiver;"),
    ]);
    let told = circles(&sources);
    assert_eq!(told, ["src/wire/a.rs:1: closes the circle frame -> wire -> frame"]);
}

#[test]
fn touching_the_world_is_told_with_its_place() {
    let sources = house(&[
        (
            "sweep/search.rs",
            "use std::{thread, time::Instant};\nfn f() {\n    thread::sleep(d);\n    let x = \"std::fs\";\n}",
        ),
        ("transport/clock.rs", "use std::time::Instant;\nfn f() { Instant::now(); }"),
        ("line/time.rs", "use super::time::Instant; // not Instant::now()"),
        ("report/text.rs", "use std::fs::File;"),
    ]);
    let told = world_touched(&sources);
    let places: Vec<&str> = told.iter().map(|line| line.split(';').next().unwrap_or_default()).collect();
    assert_eq!(
        places,
        [
            "src/report/text.rs:1: names std::fs",
            "src/sweep/search.rs:1: names std::time::Instant",
            "src/sweep/search.rs:3: names thread::sleep",
        ]
    );
}
