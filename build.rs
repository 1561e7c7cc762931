//! Makes the list of shipped tables, so that a new table is one new file in `protocols/` and nothing else; and, of the weights and words of
//! the diagnosis, which people keep as TOML, JSON: the program reads that far quicker.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").map(PathBuf::from).map_err(io::Error::other)?;
    let out = env::var("OUT_DIR").map(PathBuf::from).map_err(io::Error::other)?;
    tables(&root, &out)?;
    model(&root, &out)
}

fn tables(root: &Path, out: &Path) -> io::Result<()> {
    println!("cargo:rerun-if-changed=protocols");
    let mut tables = toml_files(&root.join("protocols"))?;
    tables.sort();
    let mut list = String::from("[\n");
    for table in &tables {
        let name = table.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
        writeln!(list, "    ({name:?}, include_str!({:?})),", table.to_string_lossy())
            .map_err(io::Error::other)?;
    }
    list.push_str("]\n");
    fs::write(out.join("tables.rs"), list)
}

fn model(root: &Path, out: &Path) -> io::Result<()> {
    let read = |name: &str| -> io::Result<toml::Table> {
        let file = root.join("src/diagnose").join(name);
        println!("cargo:rerun-if-changed={}", file.display());
        fs::read_to_string(file)?.parse().map_err(io::Error::other)
    };
    let mut model = read("model.toml")?;
    let words = read("words.toml")?;
    model.extend(words.into_iter().filter(|(part, _)| matches!(part.as_str(), "feature" | "decide")));
    fs::write(out.join("model.json"), serde_json::to_vec(&model)?)
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
