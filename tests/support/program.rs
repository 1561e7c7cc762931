//! Runs the program as a user would, with nothing of the user's own surroundings.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// How a run of the program ended.
#[derive(Debug)]
pub struct Ran {
    pub exit: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Exit code, standard output and standard error as one text, for comparing whole.
    pub fn whole(&self) -> String {
        format!("exit {}\n--- out\n{}--- err\n{}", self.exit, self.out, self.err)
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.whole()))
    }
}

/// The program, not yet started.
pub fn command(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hsdiag"));
    command.args(args).stdin(Stdio::null()).env_clear().env("HOME", "/nonexistent");
    command
}

/// Runs it to its end.
#[track_caller]
pub fn hsdiag(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ran {
    ran(command(args))
}

#[track_caller]
pub fn ran(mut command: Command) -> Ran {
    let output = command.output().expect("the program starts");
    Ran {
        exit: output.status.code().expect("it was not killed by a signal"),
        out: as_everywhere(String::from_utf8(output.stdout).expect("output is UTF-8")),
        err: as_everywhere(String::from_utf8(output.stderr).expect("messages are UTF-8")),
    }
}

/// A text with the commands and quotes of Windows as other systems have them; its lines end alike anyway.
fn as_everywhere(text: String) -> String {
    if !cfg!(windows) {
        return text;
    }
    let text = text.replace("`del ", "`rm ").replace("`icacls ", "`ls -l ").replace("`dir ", "`ls -l ");
    text.split_inclusive('\n').map(command_as_everywhere).collect()
}

/// A command to type with its addresses in single quotes; other lines, which may be JSON, as they are.
fn command_as_everywhere(line: &str) -> String {
    let (mut said, mut rest) = (String::new(), line);
    if line.trim_start().starts_with("hsdiag ") {
        while let Some((before, behind)) = rest.split_once("\"sim://") {
            let Some((address, after)) = behind.split_once('"') else { break };
            said += &format!("{before}'sim://{address}'");
            rest = after;
        }
    }
    said + rest
}

/// A folder of this test's own; it is removed when it goes out of scope.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("hsdiag-{:05}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        // Messages are wrapped: the path must be as long everywhere.
        let path = if cfg!(windows) { "/tmp".into() } else { std::env::temp_dir() }.join(name);
        std::fs::create_dir_all(&path).expect("a folder can be made");
        Folder(path)
    }

    /// A file in it, with this text.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).expect("a file can be written");
        path
    }

    /// The path of a name in it.
    pub fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.text())
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("it was written")
    }

    /// A text with this folder's name, which differs from run to run, taken out.
    pub fn without(&self, text: &str) -> String {
        text.replace(&self.text(), "FOLDER")
    }

    /// Its path, with the separators that every system takes.
    fn text(&self) -> String {
        let path = self.0.to_str().expect("a UTF-8 path");
        if cfg!(windows) { path.replace('\\', "/") } else { path.into() }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0); // the system clears it otherwise
    }
}
