//! Makes the list of shipped tables, so that a new table is one new file in `protocols/` and nothing else.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=protocols");
    let root = env::var("CARGO_MANIFEST_DIR").map(PathBuf::from).map_err(io::Error::other)?;
    let mut tables = toml_files(&root.join("protocols"))?;
    tables.sort();
    let mut list = String::from("[\n");
    for table in &tables {
        let name = table.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
        writeln!(list, "    ({name:?}, include_str!({:?})),", table.to_string_lossy())
            .map_err(io::Error::other)?;
    }
    list.push_str("]\n");
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("tables.rs"), list)
}

fn toml_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    Ok(files)
}
