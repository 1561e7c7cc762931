//! The program as a user meets it: every command, whole outputs, exit codes, and what happens when something is wrong.

#[path = "support/program.rs"]
mod program;

use std::io::Read;
#[cfg(target_os = "linux")]
use std::io::{BufRead, BufReader};
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

const COMMANDS: [&str; 10] = [
    "sweep",
    "ports",
    "record",
    "handshake",
    "flash",
    "decode",
    "monitor",
    "explain",
    "simulate",
    "protocols",
];

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
#[cfg(unix)]
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
#[cfg(windows)]
fn a_port_of_windows_that_cannot_be_used_is_named_with_what_to_do() {
    let told = [
        ("com250", 3, "there is no port COM250", "`hsdiag ports` lists the ports that are there"),
        (
            "NUL",
            3,
            "NUL is not a serial port",
            "`hsdiag ports` lists serial ports; a capture file is read with `hsdiag decode`",
        ),
        (
            "COM0",
            2,
            "`COM0` is not a COM port; they are COM1 to COM256",
            "`hsdiag sweep --help` shows every way to name a port",
        ),
        (
            "/dev/ttyUSB0",
            2,
            "`/dev/ttyUSB0` is a path; serial ports of Windows are COM1 to COM256",
            "`hsdiag sweep --help` shows every way to name a port",
        ),
    ];
    for (port, exit, said, next) in told {
        let ran = hsdiag(["sweep", port]);
        assert_eq!((ran.exit, ran.out.as_str()), (exit, ""), "{}", ran.whole());
        assert_eq!(ran.err, format!("error: {said}\nnext:  {next}\n"));
    }
}

#[test]
fn a_failure_is_an_object_for_programs_too() {
    let nowhere = if cfg!(windows) { "COM250" } else { "/dev/ttyNOPE0" };
    let ran = hsdiag(["sweep", nowhere, "--json"]);
    assert_eq!(ran.exit, 3);
    assert_eq!(
        ran.json(),
        serde_json::json!({
            "schema": "hsdiag.error/1",
            "message": format!("there is no port {nowhere}"),
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
fn one_byte_of_no_protocol_is_shown_and_no_cause_is_made_up() {
    let folder = Folder::new();
    let event = "{\"at\":0.5,\"dir\":\"rx\",\"hex\":\"68\"}\n";
    let file = folder.file("byte.jsonl", &format!("{HEADER}\n{event}"));
    let ran = hsdiag(["decode", &file, "--json"]);
    let told = ran.json();
    assert_eq!((ran.exit, told["verdict"].as_str(), told["protocol"].is_null()), (1, Some("unknown"), true));
    assert_eq!(told["diagnosis"][0]["cause"], "undecided");
    let [item] = &told["items"].as_array().expect("items")[..] else { panic!("{told}") };
    let said = ["hex", "kind", "verdict"].map(|key| item[key].as_str());
    assert_eq!(said, [Some("68"), Some("unexpected"), Some("header")]);
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
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut first).unwrap();
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

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
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
    fn ctrl_c_ends_a_flash_with_130_and_the_state_of_the_device() {
        let (master, name) = port();
        let folder = Folder::new();
        let image = folder.path("image.bin");
        std::fs::write(&image, vec![0x5A; 4_000]).unwrap();
        let words = ["flash", &name, &image, "--protocol", "xmodem", "--yes", "--json"];
        let (child, _told) = opened(&words);
        // A receiver that asks for blocks until one comes, and takes three.
        let mut byte = [0];
        let mut read = |most: usize| {
            let mut count = 0;
            while count < most {
                count += rustix::io::read(&master, &mut byte).unwrap();
            }
        };
        // What it says before the host listens is not heard.
        let second = Timespec { tv_sec: 1, tv_nsec: 0 };
        loop {
            rustix::io::write(&master, b"C").unwrap();
            let mut polled = [PollFd::new(&master, PollFlags::IN)];
            if poll(&mut polled, Some(&second)).unwrap() > 0 {
                break;
            }
        }
        for _ in 0..3 {
            read(133);
            rustix::io::write(&master, b"\x06").unwrap();
        }
        // The fourth block begins when the third answer has been heard: not before that is it known to be taken.
        read(1);
        interrupt(&child);
        let (exit, out) = output(child);
        let told: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!((exit, &told["verdict"]), (Some(130), &"interrupted".into()), "{out}");
        // Three blocks were taken; the other end has to say what it makes of the rest.
        let states = &told["states"];
        assert_eq!((&states["written"], &states["doubtful"]), (&384.into(), &(4_000 - 384).into()), "{out}");
        assert!(told["left"].to_string().contains("in doubt"), "{out}");
        assert!(!told["next"].as_array().unwrap().is_empty(), "{out}");
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

// ---- simulated devices: virtual time, the same for the same seed ---------------------------------------------------

#[test]
fn a_sweep_of_a_chattering_device_is_a_table_with_its_evidence() {
    assert_snapshot!(hsdiag(["sweep", "sim://console?baud=74880&seed=3", "--time", "10s"]).whole());
}

#[test]
fn a_sweep_for_programs_has_every_promised_key() {
    let ran = hsdiag(["sweep", "sim://nmea?baud=9600&seed=4&errors=none", "--json"]);
    assert_eq!(ran.exit, 0, "{}", ran.whole());
    let found = ran.json();
    assert_eq!((&found["schema"], &found["verdict"]), (&"hsdiag.sweep/1".into(), &"found".into()));
    let best = &found["settings"][0];
    assert_eq!(
        (&best["baud"], &best["format"], &best["protocol"]),
        (&9600.into(), &"8N1".into(), &"nmea".into())
    );
    // Not seen is not the same as not there.
    assert_eq!(best["faults"]["framing"], serde_json::Value::Null);
    for key in ["measured_baud", "inverted", "probability", "bytes", "frames"] {
        assert!(!best[key].is_null(), "{key}: {best}");
    }
    for key in ["port", "elapsed_s", "opens"] {
        assert!(!found[key].is_null(), "{key}: {found}");
    }
}

#[test]
fn a_silent_device_is_said_to_be_silent() {
    assert_snapshot!(hsdiag(["sweep", "sim://stm32", "--time", "2s"]).whole());
}

#[test]
fn a_probe_lists_what_it_would_send_and_sends_nothing() {
    assert_snapshot!(hsdiag(["sweep", "sim://mbus", "--probe", "--protocol", "mbus", "--dry-run"]).whole());
}

#[test]
fn a_device_that_only_answers_is_found_by_asking() {
    let port = "sim://mbus?baud=2400&format=8E1";
    assert_snapshot!(hsdiag(["sweep", port, "--probe", "--protocol", "mbus"]).whole());
}

#[test]
fn a_handshake_is_shown_step_by_step() {
    assert_snapshot!(hsdiag(["handshake", "sim://stm32", "--protocol", "stm32"]).whole());
}

#[test]
fn a_handshake_at_a_wrong_rate_says_what_did_not_come() {
    let ran = hsdiag(["handshake", "sim://mbus?baud=2400", "--protocol", "mbus", "--baud", "9600"]);
    assert_eq!(ran.exit, 1);
    assert_snapshot!(ran.whole());
}

#[test]
fn where_nothing_but_what_was_sent_comes_back_it_is_an_echo() {
    for name in ["modbus-rtu", "modbus-ascii", "mbus", "dlt645", "stm32", "esp-rom", "ubx", "at-commands"] {
        let port = format!("sim://{name}?fault=loopback");
        let ran = hsdiag(["handshake", &port, "--protocol", name, "--json"]);
        let said = ran.json();
        assert_eq!(ran.exit, 1, "{name}");
        assert_eq!(said["diagnosis"][0]["cause"], "echo", "{name}: {}", said["diagnosis"]);
    }
}

#[test]
fn a_wire_from_tx_to_rx_is_no_answer_of_any_protocol() {
    let ran = hsdiag(["sweep", "sim://modbus-rtu?fault=loopback", "--probe", "--json"]);
    let said = ran.json();
    assert_eq!((ran.exit, &said["verdict"]), (1, &"silent".into()), "{said}");
    assert_eq!(said["diagnosis"][0]["cause"], "echo", "{}", said["diagnosis"]);
    let kinds: Vec<_> = said["evidence"].as_array().expect("a list").iter().map(|one| &one["kind"]).collect();
    assert!(kinds.contains(&&"echo".into()) && !kinds.contains(&&"other-answer".into()), "{kinds:?}");
}

/// A bootloader that measures its rate says something at many settings. It is asked by name alone.
#[test]
fn of_many_questions_that_bring_something_but_no_answer_a_person_is_told_of_few() {
    let asked = ["sweep", "sim://stm32", "--probe"];
    let ran = hsdiag(asked);
    assert_eq!(ran.exit, 1, "{}", ran.out);
    let out = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(out.matches("asked as a host of").count(), 3, "{}", ran.out);
    assert!(out.contains("questions more, and no answer: --json tells of each"), "{}", ran.out);
    assert!(ran.out.contains("hsdiag sweep sim://stm32 --probe --protocol NAME"), "{}", ran.out);
    let said = hsdiag(asked.into_iter().chain(["--json"])).json();
    let others =
        said["evidence"].as_array().expect("a list").iter().filter(|one| one["kind"] == "other-answer");
    assert!(others.count() > 20, "{}", said["evidence"]);
    let by_name = hsdiag(["sweep", "sim://stm32", "--probe", "--protocol", "stm32", "--json"]).json();
    assert_eq!(by_name["settings"][0]["protocol"], "stm32", "{by_name}");
}

#[test]
fn a_device_behind_an_adapter_that_hears_itself_is_found_by_asking() {
    for name in ["modbus-rtu", "mbus", "dlt645", "iec101"] {
        let port = format!("sim://{name}?fault=echo");
        let ran = hsdiag(["sweep", &port, "--probe", "--protocol", name, "--json"]);
        let said = ran.json();
        assert_eq!((ran.exit, &said["verdict"]), (0, &"found".into()), "{name}: {said}");
        assert_eq!(said["settings"][0]["protocol"], name);
        assert_eq!(said["diagnosis"][0]["cause"], "echo", "{name}: {}", said["diagnosis"]);
    }
}

#[test]
fn a_device_that_is_not_there_is_said_with_the_nearest_name() {
    assert_snapshot!(hsdiag(["handshake", "sim://mbsu", "--protocol", "mbus"]).whole());
}

#[test]
fn a_protocol_that_is_not_there_is_said_with_the_nearest_name() {
    assert_snapshot!(hsdiag(["handshake", "sim://mbus", "--protocol", "mbsu"]).whole());
}

#[test]
fn a_parameter_that_is_not_there_is_said_with_the_nearest_name() {
    let args = ["handshake", "sim://mbus", "--protocol", "mbus", "--set"];
    let told = |set| hsdiag(args.into_iter().chain([set])).whole();
    assert_snapshot!([told("adress=5"), told("address"), told("address=five")].join("\n"));
}

#[test]
fn what_a_device_says_by_itself_is_followed() {
    let args = ["monitor", "sim://nmea?baud=4800", "--baud", "4800", "--protocol", "nmea", "--time", "1s"];
    assert_snapshot!(hsdiag(args).whole());
}

#[test]
fn what_would_never_end_wants_an_end() {
    let monitor = hsdiag(["monitor", "sim://nmea", "--protocol", "nmea"]);
    let folder = Folder::new();
    let record = hsdiag(["record", "sim://nmea", "-o", &folder.path("f.jsonl")]);
    assert_snapshot!([monitor.whole(), record.whole()].join("\n"));
}

#[test]
fn what_was_recorded_is_decoded() {
    let folder = Folder::new();
    let file = folder.path("f.jsonl");
    let port = "sim://modbus-rtu?traffic=bus&baud=38400&format=8N1";
    let recorded = hsdiag(["record", port, "--baud", "38400", "-o", &file, "--time", "2s", "--json"]);
    assert_eq!(recorded.exit, 0, "{}", recorded.whole());
    let decoded = hsdiag(["decode", &file, "--protocol", "modbus-rtu"]);
    assert_snapshot!(whole(&folder, &decoded));
}

// ---- tables --------------------------------------------------------------------------------------------------------

#[test]
fn a_bad_table_is_told_whole_and_the_answer_is_no() {
    let folder = Folder::new();
    let bad = folder.file(
        "bad.toml",
        "name = \"bad\"\n[line]\nformat = \"9X1\"\n[frames]\nack = \"E5 sum8(contrl..)\"\n[exchanges]\ngo = \"> akc\"\n",
    );
    assert_snapshot!(whole(&folder, &hsdiag(["protocols", "check", &bad])));
    let used = hsdiag(["handshake", "sim://bad", "--protocol", "bad", "--protocols", &folder.path("")]);
    assert_eq!(used.exit, 3);
    assert!(used.err.contains("bad.toml:5:16"), "{}", used.whole());
}

#[test]
fn every_shipped_table_can_be_used() {
    let listed = hsdiag(["protocols", "list", "--json"]);
    let protocols = listed.json()["protocols"].as_array().unwrap().clone();
    assert!(protocols.len() > 20);
    for protocol in protocols {
        assert!(protocol.get("mistakes").is_none(), "{protocol}");
    }
}

#[test]
fn a_table_of_the_users_takes_the_place_of_a_shipped_one() {
    let folder = Folder::new();
    let own = hsdiag(["protocols", "show", "mbus", "--toml"]).out.replace("Wired M-Bus", "My own M-Bus");
    folder.file("mbus.toml", &own);
    let shown = |command: std::process::Command| ran(command).json()["title"].clone();
    let args = ["protocols", "show", "mbus", "--json"];
    assert_eq!(shown(command(args)), "Wired M-Bus");
    let mut by_option = command(args);
    by_option.args(["--protocols", &folder.path("")]);
    assert_eq!(shown(by_option), "My own M-Bus");
    let mut by_variable = command(args);
    by_variable.env("HSDIAG_PROTOCOLS", folder.path(""));
    assert_eq!(shown(by_variable), "My own M-Bus");
}

#[test]
fn a_folder_of_tables_that_is_not_there_is_said() {
    assert_snapshot!(hsdiag(["protocols", "list", "--protocols", "/nonexistent"]).whole());
}

#[test]
fn a_table_is_shown_and_drawn() {
    assert_snapshot!(hsdiag(["protocols", "show", "stk500v1"]).whole());
    let drawn = hsdiag(["protocols", "graph", "stk500v1"]);
    assert!(drawn.out.contains("stateDiagram-v2"), "{}", drawn.whole());
    let svg = hsdiag(["protocols", "graph", "stk500v1", "--svg"]);
    assert!(svg.out.starts_with("<svg") || svg.out.starts_with("<?xml"), "{}", svg.whole());
    let wrong = hsdiag(["protocols", "graph", "stk500v1", "--exchange", "snyc"]);
    assert_snapshot!("an_exchange_that_is_not_there", wrong.whole());
}

// ---- simulate ------------------------------------------------------------------------------------------------------

#[test]
#[cfg(target_os = "linux")]
fn a_simulated_device_behind_a_socket_says_where_and_answers() {
    let args = ["simulate", "mbus?baud=9600", "--rfc2217", "127.0.0.1:0", "--json"];
    let mut child = command(args).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let offered: serde_json::Value = serde_json::from_str(&line).unwrap();
    let address = offered["address"].as_str().unwrap().to_owned();
    assert!(address.starts_with("rfc2217://127.0.0.1:"), "{line}");
    let shaken = hsdiag(["handshake", &address, "--protocol", "mbus", "--baud", "9600", "--json"]);
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(shaken.exit, 0, "{}", shaken.whole());
}

#[test]
#[cfg(target_os = "linux")]
fn a_simulated_device_behind_a_link_is_gone_with_its_link() {
    let folder = Folder::new();
    let link = folder.path("board");
    let mut child =
        command(["simulate", "stk500v1", "--link", &link, "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let shaken = hsdiag(["handshake", &link, "--protocol", "stk500v1", "--json"]);
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(shaken.exit, 0, "{}", shaken.whole());
    assert!(std::fs::symlink_metadata(&link).is_err(), "the link is still there");
}
