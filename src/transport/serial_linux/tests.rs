//! On pseudo-terminals, the one kind of tty that every machine has. All waits end with the event, or after two seconds.

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::*;

struct Pair {
    master: OwnedFd,
    name: String,
}

fn pair() -> Pair {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    Pair { master, name }
}

fn read_bytes(port: &mut SerialPort, count: usize) -> Vec<LineEvent> {
    let mut seen = Vec::new();
    let until = port.now() + Span::from_secs(2);
    while seen.len() < count && port.now() < until {
        port.read(until, &mut seen).unwrap();
    }
    seen
}

#[test]
fn bytes_pass_unchanged_in_both_directions() {
    let pair = pair();
    let mut port = SerialPort::open(&pair.name).unwrap();
    let all: Vec<u8> = (0..=255).collect();
    rustix::io::write(&pair.master, &all).unwrap();
    let seen = read_bytes(&mut port, 256);
    assert_eq!(seen.iter().filter_map(LineEvent::value).collect::<Vec<_>>(), all);
    assert!(seen.iter().all(|event| event.fault.is_none()));
    assert!(seen.windows(2).all(|two| two[0].at <= two[1].at));
    port.write(&all).unwrap();
    let mut back = [0; 256];
    assert_eq!(rustix::io::read(&pair.master, &mut back).unwrap(), 256);
    assert_eq!(back[..], all);
}

#[test]
fn any_rate_can_be_set_and_is_read_back_and_seen_by_the_other_end() {
    let pair = pair();
    let mut port = SerialPort::open(&pair.name).unwrap();
    for rate in [74_880, 250_000, 9600, 3_000_000, 57_512] {
        let wanted = Settings::new(Baud::new(rate).unwrap(), Format::E8);
        assert_eq!(port.set(wanted).unwrap(), wanted);
        assert_eq!(tcgetattr(&pair.master).unwrap().output_speed(), rate);
        let marks = InputModes::PARMRK | InputModes::INPCK;
        assert!(tcgetattr(&pair.master).unwrap().input_modes.contains(marks));
    }
}

#[test]
fn a_write_that_nobody_reads_ends_and_says_how_far_it_came() {
    let pair = pair();
    let mut port = SerialPort::open(&pair.name).unwrap();
    port.set(Settings::new(Baud::new(3_000_000).unwrap(), Format::N8)).unwrap();
    match port.write(&vec![0x55; 300_000]) {
        Err(PortError::Timeout { done, asked, .. }) => assert!(done > 0 && done < asked, "{done}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_port_that_is_open_already_is_busy() {
    let pair = pair();
    let _first = SerialPort::open(&pair.name).unwrap();
    assert!(matches!(SerialPort::open(&pair.name), Err(PortError::Busy { .. })));
}

#[test]
fn a_port_whose_other_end_goes_away_has_vanished() {
    let pair = pair();
    let mut port = SerialPort::open(&pair.name).unwrap();
    drop(pair.master);
    let read = port.read(port.now() + Span::from_secs(2), &mut Vec::new());
    assert!(matches!(read, Err(PortError::Vanished { .. })), "{read:?}");
}

#[test]
fn what_is_no_port_is_named_as_what_it_is() {
    assert!(matches!(SerialPort::open("/dev/ttyNOWHERE"), Err(PortError::NotFound { .. })));
    assert!(matches!(SerialPort::open("/dev/null"), Err(PortError::NotATty { .. })));
    assert!(matches!(SerialPort::open("/"), Err(PortError::NotATty { .. })));
}

#[test]
fn the_settings_are_put_back_when_the_port_is_dropped() {
    let pair = pair();
    let keep = rustix::fs::open(&*pair.name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let before = tcgetattr(&keep).unwrap();
    let mut port = SerialPort::open(&pair.name).unwrap();
    port.set(Settings::new(Baud::new(74_880).unwrap(), Format::N8)).unwrap();
    drop(port);
    let after = tcgetattr(&keep).unwrap();
    assert_eq!(after.output_speed(), before.output_speed());
    assert_eq!((after.input_modes, after.local_modes), (before.input_modes, before.local_modes));
}

#[test]
fn a_bare_pseudo_terminal_claims_nothing_about_line_errors() {
    let pair = pair();
    let abilities = SerialPort::open(&pair.name).unwrap().abilities();
    assert_eq!(abilities.line_errors, LineErrors::Never);
    assert_eq!((abilities.formats, abilities.control_lines), (Formats::NoEffect, false));
}

#[test]
fn counters_tell_framing_from_parity() {
    let counted = |frame, parity| Some(Counters { frame, parity, ..Counters::default() });
    assert_eq!(fault_kind(Parity::Even, counted(1, 0)), Fault::Framing);
    assert_eq!(fault_kind(Parity::Even, counted(0, 2)), Fault::Parity);
    assert_eq!(fault_kind(Parity::Even, counted(1, 1)), Fault::FramingOrParity);
    assert_eq!(fault_kind(Parity::Even, None), Fault::FramingOrParity);
    assert_eq!(fault_kind(Parity::None, None), Fault::Framing);
}
