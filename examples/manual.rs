//! Writes the manual pages and the completions of the command line into a folder: `cargo run --example manual -- DIR`.
//!
//! `DIR/man` gets a page for the program and one for each command, `DIR/completions` a file for each shell.

use std::io;
use std::path::{Path, PathBuf};

use clap_complete::Shell;

fn main() -> io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        return Err(io::Error::other("which folder? `cargo run --example manual -- DIR`"));
    };
    manual(&folder.join("man"))?;
    completions(&folder.join("completions"))
}

fn manual(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(hsdiag::cli::command(), folder)
}

fn completions(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell] {
        clap_complete::generate_to(shell, &mut hsdiag::cli::command(), "hsdiag", folder)?;
    }
    Ok(())
}
