//! Every failure a user can meet: the sentence, the next step, the exit code. Nothing else knows exit codes.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::capture::LineMistake;
use crate::machine::said_by;
use crate::protocol::{Mistakes, Registry};
use crate::report::{ErrorFace, escaped, quoted};
use crate::transport::PortError;

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Found, clean, verified.
    Yes = 0,
    /// The answer is no: not found, ambiguous, silent, diagnosed, the device misbehaves.
    No = 1,
    Usage = 2,
    /// An input or a port failed.
    Failed = 3,
    /// Sent, but it could not be verified.
    Unverified = 4,
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why a command cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{0}")]
    Port(#[from] PortError),
    #[error("cannot {what} {}: {}", .path.display(), reason(.source))]
    File { path: PathBuf, what: &'static str, source: io::Error },
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    #[error("{}, {mistake}", .path.display())]
    Capture { path: PathBuf, mistake: LineMistake },
    /// A table that cannot be used; one line for each mistake.
    #[error("{0}")]
    Table(Mistakes),
    #[error("cannot write the result: {}", reason(.0))]
    Output(io::Error),
    #[error("{sentence}")]
    Usage { sentence: String, next: String },
    #[error("{sentence}")]
    Input { sentence: String, next: String },
    #[error("{sentence}")]
    NoAnswer { sentence: String, next: String },
    #[error("interrupted before anything was done")]
    Interrupted,
}

impl Failure {
    pub fn file(path: impl Into<PathBuf>, what: &'static str, source: io::Error) -> Failure {
        Failure::File { path: path.into(), what, source }
    }

    pub fn exit(&self) -> Exit {
        match self {
            Failure::Usage { .. } | Failure::Exists(_) => Exit::Usage,
            Failure::NoAnswer { .. } => Exit::No,
            Failure::Interrupted => Exit::Interrupted,
            _ => Exit::Failed,
        }
    }

    /// What to do about it, as a sentence.
    pub fn next(&self) -> String {
        match self {
            Failure::Port(error) => port_remedy(error),
            Failure::File { source, what, path } => file_remedy(source, what, path),
            Failure::Exists(path) => {
                format!(
                    "give another name, or `{} {}` first",
                    SHELL.remove,
                    quoted(&path.display().to_string())
                )
            }
            Failure::Capture { mistake, .. } if mistake.line == 1 => {
                "give a recording: `hsdiag record PORT -o FILE.jsonl` writes them".into()
            }
            Failure::Capture { .. } => {
                "everything before that line was used; remove the line, or record anew".into()
            }
            Failure::Table(_) => "`hsdiag protocols reference` is the language of tables".into(),
            Failure::Output(error) if error.kind() == io::ErrorKind::StorageFull => {
                "make room on the disk, or write somewhere else".into()
            }
            Failure::Output(_) => "look at where standard output goes".into(),
            Failure::Usage { next, .. } | Failure::Input { next, .. } | Failure::NoAnswer { next, .. } => {
                next.clone()
            }
            Failure::Interrupted => "begin again".into(),
        }
    }

    pub fn face(&self) -> ErrorFace {
        let said = self.to_string();
        ErrorFace {
            message: said.lines().map(escaped).collect::<Vec<_>>().join("\n"),
            next: Some(self.next()),
            exit: self.exit() as u8,
        }
    }
}

/// What a user types to see to a file.
struct Shell {
    remove: &'static str,
    list: &'static str,
    who_may: &'static str,
}

const SHELL: Shell = if cfg!(windows) {
    Shell { remove: "del", list: "dir", who_may: "icacls" }
} else {
    Shell { remove: "rm", list: "ls -l", who_may: "ls -l" }
};

/// What the operating system said, without its number; what every system says, in the same words.
fn reason(error: &io::Error) -> String {
    let said = match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    };
    said.split(" (os error").next().unwrap_or(&said).to_lowercase()
}

fn file_remedy(error: &io::Error, what: &str, path: &std::path::Path) -> String {
    use io::ErrorKind::*;
    let path = quoted(&path.display().to_string());
    match error.kind() {
        NotFound if what == "write" => "make the folder first".into(),
        NotFound => "look at the spelling; the path is taken from where you are".into(),
        PermissionDenied => format!("`{} {path}` shows who may", SHELL.who_may),
        IsADirectory => "give a file in it".into(),
        StorageFull | QuotaExceeded => {
            "what was written so far is kept; make room, or write somewhere else".into()
        }
        ReadOnlyFilesystem => "write to a disk that can be written to".into(),
        _ => format!("look at it with `{} {path}`", SHELL.list),
    }
}

fn port_remedy(error: &PortError) -> String {
    match error {
        PortError::Busy { holder: Some(_), .. } => "close that program, then try again".into(),
        PortError::Busy { .. } => {
            "close the program that has it open (a terminal, a modem manager), then try again".into()
        }
        // Nobody should join that group to reach a port.
        PortError::Permission { group: Some(group), .. } if group == "root" => {
            "let your group have it by a udev rule, such as `SUBSYSTEM==\"tty\", GROUP=\"dialout\"`, or run it as root"
                .into()
        }
        PortError::Permission { group: Some(group), .. } => {
            format!("join the group: `sudo usermod -aG {} $USER`, then log out and in again", quoted(group))
        }
        PortError::Permission { .. } => "run it as a user who may open the port".into(),
        PortError::NotFound { port } if port.starts_with("replay://") => {
            "look at the spelling; the path is taken from where you are".into()
        }
        PortError::NotFound { .. } => "`hsdiag ports` lists the ports that are there".into(),
        PortError::NotATty { .. } => {
            "`hsdiag ports` lists serial ports; a capture file is read with `hsdiag decode`".into()
        }
        PortError::Vanished { .. } => {
            "check cable and power, plug the adapter in again; `hsdiag ports --watch` shows it coming back"
                .into()
        }
        PortError::BaudRefused { .. } => "choose a rate the adapter offers, or leave this one out".into(),
        PortError::FormatRefused { .. } => {
            "choose a format the port offers, or use an adapter that has it".into()
        }
        PortError::Timeout { .. } => "check flow control, and that something reads at the other end".into(),
        PortError::Unsupported { what: "be simulated", .. } => {
            "`hsdiag protocols list` names the devices that can be simulated".into()
        }
        PortError::Unsupported { what: "speak TLS", .. } => {
            "build it with TLS: `cargo install hsdiag --features tls`; without encryption tcp:// and ws:// will do".into()
        }
        PortError::OtherSpeech { heard, .. } => other_speech(heard),
        PortError::Unsupported { .. } => "use a port that has it (a real adapter), or do without".into(),
        PortError::EndOfRecording { .. } => "record for longer, or ask for what the recording holds".into(),
        PortError::Address(_) => "`hsdiag sweep --help` shows every way to name a port".into(),
        PortError::Io { port, .. } if port.contains("://") => {
            "is something listening there, and is this its name and port?".into()
        }
        PortError::Io { .. } => "plug the adapter in again; -vv shows what was tried".into(),
    }
}

/// What somebody says who was expected to say something else, in the words of the tables.
fn other_speech(heard: &[u8]) -> String {
    let said = Registry::shipped().all().0.iter().flat_map(|table| said_by(table, heard)).collect::<Vec<_>>();
    // Of several the one that the most bytes speak for.
    let said = said.into_iter().max_by_key(|said| said.by.len());
    match said {
        Some(said) => {
            let remedy = said.remedy.map(|remedy| format!(": {remedy}")).unwrap_or_default();
            format!("that is {}{remedy}", said.means)
        }
        None => {
            "`hsdiag explain` with these bytes says what they may be; without encryption it is tcp://".into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Baud, Format};

    fn told(error: PortError) -> [String; 2] {
        let failure = Failure::from(error);
        assert_eq!(failure.exit(), Exit::Failed);
        [failure.to_string(), failure.next()]
    }

    fn port() -> String {
        "/dev/ttyUSB0".into()
    }

    #[test]
    fn a_busy_port_names_its_holder() {
        let holder = Some("minicom (pid 41)".into());
        assert_eq!(
            told(PortError::Busy { port: port(), holder }),
            ["/dev/ttyUSB0 is in use by minicom (pid 41)", "close that program, then try again"]
        );
        assert_eq!(
            told(PortError::Busy { port: port(), holder: None }),
            [
                "/dev/ttyUSB0 is in use",
                "close the program that has it open (a terminal, a modem manager), then try again"
            ]
        );
    }

    #[test]
    fn a_forbidden_port_names_its_group_and_how_to_join_it() {
        assert_eq!(
            told(PortError::Permission { port: port(), group: Some("dialout".into()) }),
            [
                "no permission to open /dev/ttyUSB0: it belongs to group `dialout`",
                "join the group: `sudo usermod -aG dialout $USER`, then log out and in again"
            ]
        );
        let root = told(PortError::Permission { port: port(), group: Some("root".into()) });
        assert!(!root[1].contains("usermod") && root[1].contains("udev"), "{root:?}");
        assert_eq!(
            told(PortError::Permission { port: port(), group: None }),
            ["no permission to open /dev/ttyUSB0", "run it as a user who may open the port"]
        );
    }

    #[test]
    fn plain_text_where_tls_was_expected_is_named_in_the_words_of_the_tables() {
        let heard = b"HTTP/1.1 400 Bad Request".to_vec();
        let [said, next] =
            told(PortError::OtherSpeech { port: "tls://host:80".into(), expected: "TLS", heard });
        assert_eq!(
            said,
            "tls://host:80: the other end does not speak TLS; it says 48 54 54 50 2F 31 2E 31 20 34 30 30 20 42 61 64 ..."
        );
        assert!(next.contains("an HTTP answer") && next.contains("speak http://"), "{next}");
        let telnet = PortError::OtherSpeech {
            port: "tls://host:23".into(),
            expected: "TLS",
            heard: vec![0xFF, 0xFD, 1],
        };
        assert!(told(telnet)[1].contains("Telnet"));
    }

    #[test]
    fn a_port_that_vanished_says_how_to_see_it_come_back() {
        assert_eq!(
            told(PortError::Vanished { port: port(), reason: "no such device".into() }),
            [
                "/dev/ttyUSB0 has vanished (no such device)",
                "check cable and power, plug the adapter in again; `hsdiag ports --watch` shows it coming back"
            ]
        );
    }

    #[test]
    fn what_a_port_refuses_is_named() {
        let baud = Baud::nearest(3e6);
        assert_eq!(
            told(PortError::BaudRefused { port: port(), baud, reason: "invalid argument".into() }),
            [
                "/dev/ttyUSB0 refuses 3000000 baud (invalid argument)",
                "choose a rate the adapter offers, or leave this one out"
            ]
        );
        assert_eq!(
            told(PortError::FormatRefused {
                port: port(),
                format: Format::E7,
                reason: "it snapped to 8N1".into()
            }),
            [
                "/dev/ttyUSB0 cannot do 7E1 (it snapped to 8N1)",
                "choose a format the port offers, or use an adapter that has it"
            ]
        );
        let reason = "nobody reads".to_string();
        assert_eq!(
            told(PortError::Timeout { port: port(), done: 3, asked: 9, reason }),
            [
                "/dev/ttyUSB0 took 3 of 9 bytes and then no more (nobody reads)",
                "check flow control, and that something reads at the other end"
            ]
        );
        let reason = "it is a recording".to_string();
        assert_eq!(
            told(PortError::Unsupported { port: "replay://a.jsonl".into(), what: "send", reason }),
            [
                "replay://a.jsonl cannot send (it is a recording)",
                "use a port that has it (a real adapter), or do without"
            ]
        );
    }

    #[test]
    fn a_full_disk_says_that_what_was_written_is_kept() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let failure = Failure::file("/mnt/a.jsonl", "write", full);
        assert_eq!(failure.to_string(), "cannot write /mnt/a.jsonl: no storage space");
        assert_eq!(failure.next(), "what was written so far is kept; make room, or write somewhere else");
    }

    #[test]
    fn a_name_with_escapes_in_it_cannot_reach_the_terminal() {
        let failure = Failure::from(PortError::NotFound { port: "/dev/\x1b[2J".into() });
        assert_eq!(failure.face().message, "there is no port /dev/\\x1B[2J");
    }
}
