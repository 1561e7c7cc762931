//! The tables that are shipped, from their folder.

use std::fs;
use std::path::Path;

use hsdiag::protocol::Table;

/// Every table of `protocols/`, in the order of its names; one that cannot be read is what is wrong with it.
pub fn shipped() -> impl Iterator<Item = Result<Table, String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("protocols");
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    assert!(!files.is_empty(), "no tables in {}", folder.display());
    files.into_iter().map(|file| {
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Table::read(&name, &text).map(|(table, _)| table).map_err(|mistakes| mistakes.to_string())
    })
}
