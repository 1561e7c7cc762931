//! Every mistake that a table can have is told at its place: `fixtures/tables/bad/NAME.toml` gives what `NAME.expected` says.
//!
//! `UPDATE_EXPECTED=1 cargo test --test bad_tables` writes the answers anew; read what changed before it is committed.

use std::fs;
use std::path::{Path, PathBuf};

use hsdiag::protocol::Table;

fn bad_tables() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tables/bad");
    let entries = fs::read_dir(&folder).expect("the folder of bad tables");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_bad_table_is_told_what_is_wrong_with_it() {
    let files = bad_tables();
    assert!(files.len() >= 25, "{} bad tables", files.len());
    let mut wrong = Vec::new();
    for path in files {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("text");
        let told = match Table::read(&name, &text) {
            Ok((_, warnings)) if warnings.is_empty() => panic!("{name} was read without a mistake"),
            Ok((_, warnings)) => warnings.iter().map(|warning| format!("{warning}\n")).collect(),
            Err(mistakes) => format!("{mistakes}\n"),
        };
        let expected = path.with_extension("expected");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&expected, &told).expect("writable");
        }
        let wanted = fs::read_to_string(&expected).unwrap_or_default();
        if told != wanted {
            wrong.push(format!("{name} tells\n{told}but {} says\n{wanted}", expected.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
