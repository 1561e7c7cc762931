//! Captures of real devices, which are not part of this project: where they are, and what happens where they are not.

use std::fs;
use std::path::{Path, PathBuf};

/// One file of the captures; `None`, and a word about it, where there are none. With `HSDIAG_REQUIRE_DATA=1` that is a failure.
pub fn bytes(path: &str) -> Option<Vec<u8>> {
    let Some(folder) = folder() else {
        let says = format!("no captures: {path} was not decoded; set HSDIAG_SHARED_DATA to their folder");
        assert!(std::env::var_os("HSDIAG_REQUIRE_DATA").is_none_or(|value| value != "1"), "{says}");
        eprintln!("skipped: {says}");
        return None;
    };
    let file = folder.join(path);
    Some(fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
}

/// The names of the files of a folder that end so, in order.
pub fn files(under: &str, extension: &str) -> Option<Vec<String>> {
    bytes(&format!("{under}/PROVENANCE.md"))?;
    let entries = fs::read_dir(folder()?.join(under)).unwrap_or_else(|error| panic!("{under}: {error}"));
    let name = |entry: std::io::Result<fs::DirEntry>| {
        let name = entry.expect("a readable folder").file_name();
        name.to_string_lossy().into_owned()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.retain(|name| Path::new(name).extension().is_some_and(|known| known == extension));
    names.sort();
    Some(names)
}

/// The lines of a file that are no comment, each cut at its tabs.
pub fn rows(path: &str) -> Option<Vec<Vec<String>>> {
    let text = String::from_utf8(bytes(path)?).expect("captures in rows are text");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    Some(lines.map(|line| line.split('\t').map(str::to_owned).collect()).collect())
}

/// `68 01` as bytes.
pub fn hex(text: &str) -> Vec<u8> {
    let byte = |word: &str| u8::from_str_radix(word, 16).unwrap_or_else(|_| panic!("`{word}` is no byte"));
    text.split_whitespace().map(byte).collect()
}

/// The bytes of a dump as `xxd` and `hexdump -C` write it: an offset, bytes, two spaces, text.
pub fn dump(path: &str) -> Option<Vec<Vec<u8>>> {
    let text = String::from_utf8(bytes(path)?).expect("a dump is text");
    let row = |line: &str| {
        let (_, rest) = line.split_once(": ").expect("an offset before the bytes");
        hex(rest.split("  ").next().unwrap_or_default())
    };
    Some(text.lines().filter(|line| !line.is_empty()).map(row).collect())
}

fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("HSDIAG_SHARED_DATA").map_or(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}
