//! Frames of real devices, sent over a simulated line at several rates and formats: a sweep finds rate, format and protocol.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use hsdiag::line::{Baud, Direction, Format, Instant, LineErrors, LineEvent, Settings, Span, StopBits};
use hsdiag::machine::Program;
use hsdiag::simulate::Playback;
use hsdiag::sweep::{Findings, Options, Protocols, Search, Verdict};
use hsdiag::transport::{Port, SimDevice, SimOptions, SimPort, run};

use shared_data::{bytes, files, hex, rows};

#[path = "support/shared_data.rs"]
#[allow(dead_code)] // what other tests read
mod shared_data;
#[path = "support/shipped.rs"]
mod shipped;

/// Frames as somebody recorded them on a clean line, each so long after the end of the one before.
fn recording(frames: &[Vec<u8>], settings: Settings, gap: Span) -> Playback {
    let mut at = Instant::ZERO;
    let mut events = Vec::new();
    for frame in frames {
        for &byte in frame {
            at += settings.character_time();
            events.push(LineEvent::byte(at, Direction::Rx, byte));
        }
        at += gap;
    }
    Playback::new(events, settings).expect("something to send")
}

fn programs() -> Vec<Arc<Program>> {
    static PROGRAMS: OnceLock<Vec<Arc<Program>>> = OnceLock::new();
    let compiled = || {
        let tables = shipped::shipped().map(|table| table.unwrap_or_else(|mistakes| panic!("{mistakes}")));
        let spoken = tables.filter(|table| !table.exchanges.is_empty());
        spoken.map(|table| Arc::new(Program::compile(Arc::new(table)))).collect()
    };
    PROGRAMS.get_or_init(compiled).clone()
}

/// A sweep of the frames at these settings, by an adapter with such reports.
fn swept(frames: &[Vec<u8>], baud: u32, format: Format, errors: LineErrors) -> Findings {
    let settings = Settings::new(Baud::new(baud).expect("a rate"), format);
    let sender = recording(frames, settings, Span::from_millis(40));
    let device = SimDevice { task: Box::new(sender), settings };
    let options = SimOptions { errors, fastest: Baud::nearest(921_600.0), seed: 7, ..SimOptions::default() };
    let mut port = SimPort::new("real frames", device, &options);
    let abilities = port.abilities();
    let usual = Options::default();
    let wanted = Options {
        fastest: abilities.max_baud.expect("as given"),
        errors,
        settle: usual.settle + abilities.uncertainty,
        stay: Span::from_secs(5),
        ..usual
    };
    let mut search = Search::new(wanted, Box::new(Protocols::new(programs())));
    run(&mut port, &mut search, &AtomicBool::new(false), &mut |_| {})
        .expect("a simulated line does not fail");
    search.findings()
}

/// Rate, format (or one that nobody can tell from it) and protocol are found, for sure, and no change of rate is.
#[track_caller]
fn finds(frames: &[Vec<u8>], baud: u32, format: Format, errors: LineErrors, protocol: &str) {
    let found = swept(frames, baud, format, errors);
    let best = found.settings.first().expect("something was heard");
    let scored = best.protocol.as_ref().map(|score| &*score.name);
    let what = format!(
        "{protocol} at {baud} {format}, line errors {errors:?}: {:?} {} {:.3} {scored:?}, {} stretches, {} listens",
        found.verdict,
        best.settings,
        best.probability,
        found.stretches.len(),
        found.listens.len()
    );
    assert_eq!(found.verdict, Verdict::Found, "{what}");
    assert!((best.settings.baud.hz() / f64::from(baud) - 1.0).abs() < 0.04, "{what}");
    assert!(best.settings.format == format || best.alike.contains(&format), "{what}");
    assert_eq!(scored, Some(protocol), "{what}");
    assert!(found.stretches.is_empty(), "{what}");
}

/// Questions and answers as they follow each other on the line.
fn pairs(path: &str) -> Option<Vec<Vec<u8>>> {
    Some(rows(path)?.iter().flat_map(|row| [hex(&row[0]), hex(&row[1])]).collect())
}

#[test]
fn telegrams_of_real_meters_are_found_as_mbus() {
    let Some(files) = files("mbus", "hex") else { return };
    let telegram = |file: &String| {
        let text = bytes(&format!("mbus/{file}")).expect("the folder was there");
        hex(&String::from_utf8(text).expect("hex is text"))
    };
    let telegrams: Vec<Vec<u8>> = files.iter().map(telegram).collect();
    finds(&telegrams, 2400, Format::E8, LineErrors::PerByte, "mbus");
    finds(&telegrams, 38_400, Format::E8, LineErrors::PerByte, "mbus");
}

#[test]
fn an_inverter_is_found_as_modbus_at_any_of_its_formats() {
    let Some(frames) = pairs("modbus-rtu/easun_pairs.tsv") else { return };
    finds(&frames, 9600, Format::N8, LineErrors::PerByte, "modbus-rtu");
    finds(&frames, 19_200, Format::E8, LineErrors::PerByte, "modbus-rtu");
    finds(&frames, 115_200, Format::N8, LineErrors::Never, "modbus-rtu");
}

#[test]
fn an_electricity_meter_is_found_as_dlt645() {
    let Some(frames) = pairs("dlt645/meter161_pairs.tsv") else { return };
    finds(&frames, 2400, Format::E8, LineErrors::PerByte, "dlt645");
    finds(&frames, 9600, Format { stop: StopBits::Two, ..Format::E8 }, LineErrors::Packet, "dlt645");
}

#[test]
fn the_log_of_a_receiver_is_found_as_ubx() {
    let Some(log) = bytes("ubx-nmea/pygpsdata-NAV.log") else { return };
    let mut frames = Vec::new();
    let mut rest = &log[..];
    while let [0xB5, 0x62, _, _, low, high, ..] = rest {
        let (frame, behind) = rest.split_at(8 + usize::from(u16::from_le_bytes([*low, *high])));
        frames.push(frame.to_vec());
        rest = behind;
    }
    assert_eq!((frames.len(), rest.len()), (28, 0));
    finds(&frames, 38_400, Format::N8, LineErrors::PerByte, "ubx");
    finds(&frames, 460_800, Format::N8, LineErrors::Never, "ubx");
}

#[test]
fn busy_traffic_on_an_adapter_that_flags_packets_is_no_change_of_rate() {
    let Some(frames) = pairs("modbus-rtu/easun_pairs.tsv") else { return };
    let found = swept(&frames, 38_400, Format::E8, LineErrors::Packet);
    let best = found.settings.first().expect("something was heard");
    assert_eq!(found.verdict, Verdict::Found);
    assert_eq!((best.settings.baud.get(), best.settings.format), (38_400, Format::E8));
    assert!(found.stretches.is_empty());
}
