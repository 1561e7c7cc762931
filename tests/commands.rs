//! The program as a user meets it: every command, whole outputs, exit codes, and what happens when something is wrong.

#[path = "support/program.rs"]
mod program;

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use insta::assert_snapshot;
use program::{Folder, Ran, command, hsdiag, ran};

const HEADER: &str = r#"{"hsdiag":"events","version":1,"baud":9600,"format":"8N1","line_errors":"per-byte"}"#;

/// A recording of text, a byte each millisecond.
fn recording(text: &str) -> String {
    let byte = |(place, byte): (usize, u8)| {
        format!("{{\"at\":{}.{:03},\"dir\":\"rx\",\"hex\":\"{byte:02X}\"}}\n", place / 1000, place % 1000)
    };
    let lines: String = text.bytes().enumerate().map(byte).collect();
    format!("{HEADER}\n{lines}")
}

fn whole(folder: &Folder, ran: &Ran) -> String {
    folder.without(&ran.whole())
}

// ---- help ----------------------------------------------------------------------------------------------------------

const COMMANDS: [&str; 8] =
    ["sweep", "ports", "record", "handshake", "decode", "monitor", "simulate", "protocols"];

#[test]
fn help_is_as_it_was_looked_over() {
    assert_snapshot!("help", hsdiag(["--help"]).whole());
    for name in COMMANDS {
        assert_snapshot!(format!("help_{name}"), hsdiag([name, "--help"]).whole());
    }
}

#[test]
fn every_command_has_its_help_looked_over() {
    let help = hsdiag(["--help"]).out;
    let listed = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    let listed: Vec<&str> = listed
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    let mut looked_over = COMMANDS.to_vec();
    looked_over.sort_unstable();
    let mut sorted = listed.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, looked_over);
}

#[test]
fn every_help_names_the_exit_codes_and_gives_examples() {
    for name in COMMANDS {
        let help = hsdiag([name, "--help"]).out;
        assert!(help.contains("Exit codes:") && help.contains("130  interrupted"), "{name}: {help}");
        assert!(help.contains("Examples:"), "{name}: {help}");
    }
}

#[test]
fn colour_is_where_it_is_wanted_and_nowhere_else() {
    let colours = |args: &[&str], no_color: bool| {
        let mut command = command(args);
        if no_color {
            command.env("NO_COLOR", "1");
        }
        ran(command).out.contains('\x1b')
    };
    assert!(!colours(&["--help"], false), "a pipe is no terminal");
    assert!(colours(&["--color", "always", "--help"], false));
    assert!(!colours(&["--color", "never", "--help"], false));
    assert!(!colours(&["--help"], true));
}

// ---- wrong usage ---------------------------------------------------------------------------------------------------

#[test]
fn wrong_usage_ends_with_2_and_says_what_is_right() {
    let wrong: [&[&str]; 8] = [
        &["sweep"],
        &["sweeep", "/dev/ttyUSB0"],
        &["sweep", "/dev/ttyUSB0", "--time", "0s"],
        &["sweep", "/dev/ttyUSB0", "--time", "soon"],
        &["sweep", "/dev/ttyUSB0", "--bauds", "9600,fast"],
        &["sweep", "/dev/ttyUSB0", "--formats", "8X1"],
        &["sweep", "foo://bar"],
        &["sweep", "sim://mbus?boud=9600"],
    ];
    let mut told = String::new();
    for args in wrong {
        let ran = hsdiag(args);
        assert_eq!((ran.exit, ran.out.as_str()), (2, ""), "{}", ran.whole());
        told += &format!("$ hsdiag {}\n{}\n", args.join(" "), ran.err);
    }
    assert_snapshot!(told);
}

#[test]
fn wrong_usage_is_an_object_for_programs() {
    let ran = hsdiag(["sweep", "--json"]);
    assert_eq!(ran.exit, 2);
    assert_eq!(
        ran.json(),
        serde_json::json!({
            "schema": "hsdiag.error/1",
            "message": "the following required arguments were not provided: <PORT>",
            "next": "`hsdiag --help` lists the commands and their options",
            "exit": 2
        })
    );
}

// ---- ports and files that cannot be used -----------------------------------------------------------------------------

#[test]
fn a_port_that_cannot_be_used_is_named_with_what_to_do() {
    let mut told = String::new();
    for port in ["/dev/ttyNOPE0", "/dev/null", "/", "replay:///nonexistent.jsonl"] {
        let ran = hsdiag(["sweep", port]);
        assert_eq!((ran.exit, ran.out.as_str()), (3, ""), "{}", ran.whole());
        told += &format!("$ hsdiag sweep {port}\n{}\n", ran.err);
    }
    assert_snapshot!(told);
}

#[test]
fn a_failure_is_an_object_for_programs_too() {
    let ran = hsdiag(["sweep", "/dev/ttyNOPE0", "--json"]);
    assert_eq!(ran.exit, 3);
    assert_eq!(
        ran.json(),
        serde_json::json!({
            "schema": "hsdiag.error/1",
            "message": "there is no port /dev/ttyNOPE0",
            "next": "`hsdiag ports` lists the ports that are there",
            "exit": 3
        })
    );
}

#[test]
fn a_file_that_is_no_recording_is_named_with_what_is_wrong() {
    let folder = Folder::new();
    let text = folder.file("text.jsonl", "hello\n");
    let empty = folder.file("empty.jsonl", "");
    let newer = folder.file("newer.jsonl", &HEADER.replace("\"version\":1", "\"version\":2"));
    let folder_itself = folder.path("");
    let missing = folder.path("missing.jsonl");
    let mut told = String::new();
    for file in [&text, &empty, &newer, &folder_itself, &missing] {
        let ran = hsdiag(["decode", file]);
        assert_eq!((ran.exit, ran.out.as_str()), (3, ""), "{}", ran.whole());
        told += &format!("{}\n", folder.without(&ran.err));
    }
    assert_snapshot!(told);
}

#[test]
fn a_recording_with_a_torn_line_is_used_up_to_there() {
    let folder = Folder::new();
    let torn = folder.file("torn.jsonl", &(recording("hello") + "{\"at\": 9, \"dir\": \"rx\", \"he"));
    let ran = hsdiag(["decode", &torn]);
    assert_eq!(ran.exit, 3);
    assert_snapshot!(folder.without(&ran.err));
}

// ---- record --------------------------------------------------------------------------------------------------------

#[test]
fn a_recording_holds_what_came() {
    let folder = Folder::new();
    let source = folder.file("source.jsonl", &recording("boot"));
    let ran = hsdiag(["record", &format!("replay://{source}"), "-o", &folder.path("copy.jsonl")]);
    assert_snapshot!(whole(&folder, &ran));
    assert_snapshot!("a_recording_holds_what_came_file", folder.read("copy.jsonl"));
}

#[test]
fn a_file_that_is_there_is_not_overwritten_unasked() {
    let folder = Folder::new();
    let source = folder.file("source.jsonl", &recording("boot"));
    let kept = folder.file("kept.jsonl", "mine");
    let ran = hsdiag(["record", &format!("replay://{source}"), "-o", &kept]);
    assert_snapshot!(whole(&folder, &ran));
    assert_eq!(folder.read("kept.jsonl"), "mine");
    assert_eq!(hsdiag(["record", &format!("replay://{source}"), "-o", &kept, "--force"]).exit, 0);
    assert!(folder.read("kept.jsonl").starts_with(HEADER));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_ends_a_recording_and_says_so() {
    let folder = Folder::new();
    let source = folder.file("source.jsonl", &recording("boot"));
    assert_snapshot!(whole(&folder, &hsdiag(["record", &format!("replay://{source}"), "-o", "/dev/full"])));
}

#[test]
fn a_folder_that_is_not_there_is_said() {
    let folder = Folder::new();
    let source = folder.file("source.jsonl", &recording("boot"));
    let nowhere = folder.path("nowhere/f.jsonl");
    assert_snapshot!(whole(&folder, &hsdiag(["record", &format!("replay://{source}"), "-o", &nowhere])));
}

// ---- standard output and signals -----------------------------------------------------------------------------------

#[test]
#[cfg(target_os = "linux")]
fn a_result_that_cannot_be_written_is_a_failure() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut child = command(["--help"]).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert_snapshot!(told);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child =
        command(["sweep", "--help"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!((child.wait().unwrap().code(), told.as_str()), (Some(0), ""));
}

#[test]
#[cfg(target_os = "linux")]
fn ctrl_c_ends_a_watch_with_130() {
    let mut child = command(["ports", "--watch"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(!first.is_empty());
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[cfg(target_os = "linux")]
fn interrupt(child: &std::process::Child) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
}

#[cfg(target_os = "linux")]
mod on_a_pseudo_terminal {
    use std::os::fd::OwnedFd;

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::*;

    /// The far end of a port, in the test's hand.
    fn port() -> (OwnedFd, String) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        (master, name)
    }

    /// Starts the program and waits until it has opened its port.
    fn opened(args: &[&str]) -> (std::process::Child, BufReader<std::process::ChildStderr>) {
        let mut child =
            command(args).arg("-v").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("opened") {
            line.clear();
            assert_ne!(told.read_line(&mut line).unwrap(), 0, "it ended before it opened the port");
        }
        (child, told)
    }

    fn output(mut child: std::process::Child) -> (Option<i32>, String) {
        let mut out = String::new();
        child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        (child.wait().unwrap().code(), out)
    }

    #[test]
    fn ctrl_c_ends_a_sweep_with_130_and_what_is_known() {
        let (_master, name) = port();
        let (child, _told) = opened(&["sweep", &name, "--time", "60s", "--json"]);
        interrupt(&child);
        let (exit, out) = output(child);
        let found: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(
            (exit, &found["interrupted"], &found["verdict"]),
            (Some(130), &true.into(), &"silent".into())
        );
    }

    #[test]
    fn a_port_that_vanishes_ends_a_sweep_with_3_and_what_is_known() {
        let (master, name) = port();
        let (child, _told) = opened(&["sweep", &name, "--time", "60s", "--json"]);
        drop(master);
        let (exit, out) = output(child);
        let found: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!((exit, &found["schema"]), (Some(3), &"hsdiag.sweep/1".into()));
        let told = found["error"]["message"].as_str().unwrap();
        assert!(told.starts_with(&format!("{name} has vanished")), "{told}");
        assert_eq!(
            found["error"]["next"],
            "check cable and power, plug the adapter in again; `hsdiag ports --watch` shows it coming back"
        );
    }

    #[test]
    fn a_port_that_another_program_has_open_is_busy() {
        let (_master, name) = port();
        let (child, _told) = opened(&["sweep", &name, "--time", "60s"]);
        let second = hsdiag(["sweep", &name]);
        let holder = child.id();
        interrupt(&child);
        output(child);
        assert_eq!(second.exit, 3);
        assert_eq!(
            second.err,
            format!(
                "error: {name} is in use by hsdiag (pid {holder})\nnext:  close that program, then try again\n"
            )
        );
    }

    #[test]
    fn what_is_heard_is_recorded_until_ctrl_c() {
        let (master, name) = port();
        let folder = Folder::new();
        let file = folder.path("heard.jsonl");
        let (child, _told) = opened(&["record", &name, "-o", &file, "--json"]);
        // What comes before the port is set up is thrown away: speak until enough was written down.
        while std::fs::read_to_string(&file).map_or(0, |text| text.lines().count()) < 6 {
            rustix::io::write(&master, b"h").unwrap();
            std::thread::yield_now();
        }
        interrupt(&child);
        let (exit, out) = output(child);
        let found: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!((exit, &found["interrupted"]), (Some(130), &true.into()));
        let written = folder.read("heard.jsonl");
        assert_eq!(found["events"], written.lines().count() - 1);
        assert!(written.lines().skip(1).all(|line| line.ends_with(r#""dir":"rx","hex":"68"}"#)), "{written}");
    }
}
