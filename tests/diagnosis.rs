//! The diagnosis as scripts meet it: its contract, clear captures of every cause, and input that no line ever gave.

#[path = "support/labelled/mod.rs"]
mod labelled;
#[path = "support/program.rs"]
#[allow(dead_code)] // what other tests run
mod program;

use std::sync::{Arc, OnceLock};

use hsdiag::capture::{Header, Record, Writer};
use hsdiag::diagnose::{Cause, Diagnosis, Engine, Hearing, Observed, observe};
use hsdiag::line::{Baud, Direction, Fault, Format, Instant, LineErrors, LineEvent, Seen, Settings, Span};
use hsdiag::machine::{Env, Program, Sides};
use hsdiag::protocol::Registry;
use serde_json::Value as Json;

use labelled::generate::{Labelled, labelled};
use labelled::kit::{Kit, texts};
use labelled::plan::Wire;
use labelled::{first_wire, second_wire};
use program::{Folder, hsdiag};

struct Shipped {
    kits: Vec<Kit>,
    programs: Vec<Arc<Program>>,
    text: Vec<Vec<u8>>,
}

fn shipped() -> &'static Shipped {
    static SHIPPED: OnceLock<Shipped> = OnceLock::new();
    SHIPPED.get_or_init(|| {
        let registry = Registry::shipped();
        let programs = registry.all().0.into_iter().map(|table| Arc::new(Program::compile(table))).collect();
        Shipped { kits: Kit::all(&registry), programs, text: texts(&registry) }
    })
}

/// The first capture of this cause that the generator can make from here on, and the protocol it was made from.
fn capture(cause: Cause, seed: u64, wire: Wire) -> (&'static Kit, Labelled) {
    let shipped = shipped();
    let count = shipped.kits.len();
    (0..64)
        .find_map(|shift| {
            let number = seed as usize + shift;
            let (kit, other) = (&shipped.kits[number % count], &shipped.kits[(number + 3) % count]);
            let seed = (seed << 20) ^ (shift as u64) << 4;
            let made =
                labelled(cause, None, &kit.ingredients(other, &shipped.text, seed, false), wire, seed)?;
            (made.errors == LineErrors::PerByte && made.alike.is_empty()).then_some((kit, made))
        })
        .expect("one of many seeds makes a capture")
}

fn diagnosed(kit: &Kit, header: &Header, records: &[Record]) -> Observed {
    observe(&kit.program, header, records, &Env::new(), &|| shipped().programs.clone())
}

fn written(header: &Header, records: &[Record]) -> String {
    let mut writer = Writer::new(Vec::new(), header).expect("a header is written");
    records.iter().for_each(|record| writer.write(record).expect("a record is written"));
    String::from_utf8(writer.into_inner()).expect("it is text")
}

/// Everything that holds of any diagnosis, whatever was heard.
#[track_caller]
fn holds(diagnosis: &Diagnosis, of: &str) {
    let sum: f64 = diagnosis.ranking.iter().map(|ranked| ranked.probability).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{of}: probabilities add up to {sum}");
    let sound = |p: f64| p.is_finite() && (0.0..=1.0).contains(&p);
    assert!(diagnosis.ranking.iter().all(|ranked| sound(ranked.probability)), "{of}");
    assert!(diagnosis.contributing.iter().all(|(_, p)| sound(*p)), "{of}");
    let weights = diagnosis.ranking.iter().flat_map(|ranked| &ranked.reasons).map(|reason| reason.weight);
    assert!(weights.into_iter().all(f64::is_finite), "{of}");
}

// ---- the contract for scripts --------------------------------------------------------------------------------------

/// What the probabilities of an answer's `diagnosis` add up to.
fn probabilities(json: &Json) -> f64 {
    let causes = json["diagnosis"].as_array().expect("causes");
    causes.iter().filter_map(|cause| cause["probability"].as_f64()).sum()
}

#[test]
fn decode_tells_scripts_causes_whose_probabilities_add_up_and_a_verdict_for_each_unexpected_byte() {
    let folder = Folder::new();
    let (kit, made) = capture(Cause::NoiseGlitch, 7, first_wire::receive);
    let (header, records) = made.recording();
    let file = folder.file("glitches.jsonl", &written(&header, &records));
    let ran = hsdiag(["decode", &file, "--protocol", kit.name, "--json"]);
    let json = ran.json();
    assert_eq!(json["schema"], "hsdiag.decode/1");
    let causes = json["diagnosis"].as_array().expect("causes");
    let sum = probabilities(&json);
    assert!((sum - 1.0).abs() < 1e-6, "{sum}");
    let known = |id: &Json| id.as_str().is_some_and(|id| Cause::from_id(id).is_some());
    for cause in causes {
        assert!(known(&cause["cause"]), "{cause}");
        assert!(cause["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{cause}");
        assert!(cause["detail"].is_object() && cause["evidence"].is_array(), "{cause}");
    }
    let likely =
        causes.windows(2).all(|pair| pair[0]["probability"].as_f64() >= pair[1]["probability"].as_f64());
    assert!(likely, "likeliest first");
    assert!(causes[0]["evidence"].as_array().is_some_and(|evidence| !evidence.is_empty()));
    for contributing in json["contributing"].as_array().expect("contributing") {
        assert!(known(&contributing["cause"]) && contributing["probability"].as_f64() >= Some(0.4));
    }
    let items = json["items"].as_array().expect("items");
    let unexpected: Vec<&Json> =
        items.iter().filter(|item| item["kind"] == "unexpected" && item["dir"] == "rx").collect();
    assert!(!unexpected.is_empty());
    let verdicts = ["header", "frame", "status", "text", "missampled", "noise", "echo", "unknown"];
    for item in unexpected {
        assert!(item["verdict"].as_str().is_some_and(|word| verdicts.contains(&word)), "{item}");
        let probability = item["probability"].as_f64().expect("a probability");
        assert!((0.0..=1.0).contains(&probability), "{item}");
    }
}

#[test]
fn a_recording_that_no_table_explains_is_diagnosed_all_the_same() {
    let folder = Folder::new();
    let (_, made) = capture(Cause::Floating, 3, first_wire::receive);
    let (header, records) = made.recording();
    let received: Vec<Record> = records
        .into_iter()
        .filter(|record| record.event().is_some_and(|event| event.direction == Direction::Rx))
        .collect();
    let file = folder.file("floating.jsonl", &written(&header, &received));
    let json = hsdiag(["decode", &file, "--json"]).json();
    assert_eq!(json["protocol"], Json::Null);
    let sum = probabilities(&json);
    assert!((sum - 1.0).abs() < 1e-6, "{sum}");
}

#[test]
fn a_sweep_says_why_the_line_is_as_it_is() {
    for (port, cause) in [
        ("sim://nmea?baud=4800", "clean"),
        ("sim://modbus-rtu?traffic=bus&baud=38400&seed=6", "clean"),
        // Heard as 8N1, and told as what it is.
        ("sim://mbus?traffic=bus&baud=2400&format=8E1", "clean"),
        ("sim://modbus-rtu?traffic=bus&baud=19200&format=8O1", "clean"),
        ("sim://modbus-rtu?baud=9600", "no-answer"),
        ("sim://nmea?inverted=1", "inverted"),
    ] {
        let json = hsdiag(["sweep", port, "--json"]).json();
        assert_eq!(json["diagnosis"][0]["cause"], cause, "{port}: {}", json["diagnosis"][0]);
        let sum = probabilities(&json);
        assert!((sum - 1.0).abs() < 1e-6, "{port}: {sum}");
    }
}

// ---- every cause ---------------------------------------------------------------------------------------------------

const TRIED: u64 = 8;
/// Of the captures of each cause so many must name it, and of all captures together this part. Some of a late or a lost reply leave no trace.
const LEAST: u64 = 5;
const OF_ALL: f64 = 0.85;

#[track_caller]
fn names_its_cause(wire: Wire) {
    let mut weak = Vec::new();
    let mut all = 0;
    for cause in Cause::ALL {
        let named = (0..TRIED)
            .filter(|seed| {
                let (kit, made) = capture(cause, 100 + seed, wire);
                let (header, records) = made.recording();
                let observed = diagnosed(kit, &header, &records);
                holds(&observed.diagnosis, cause.id());
                observed.diagnosis.leading().cause == cause
            })
            .count() as u64;
        all += named;
        if named < TRIED {
            weak.push(format!("{} {named} of {TRIED}", cause.id()));
        }
        assert!(named >= LEAST, "{weak:?}");
    }
    let part = all as f64 / (TRIED * Cause::ALL.len() as u64) as f64;
    assert!(part >= OF_ALL, "{part:.3}: {weak:?}");
}

#[test]
fn captures_of_every_cause_name_it() {
    names_its_cause(first_wire::receive);
}

#[test]
fn what_was_learnt_on_one_wire_holds_on_another() {
    names_its_cause(second_wire::receive);
}

#[test]
fn a_conversation_without_a_flaw_is_surely_clean() {
    let mut flawless = 0;
    for seed in 0..3 * TRIED {
        let (kit, made) = capture(Cause::Clean, 200 + seed, first_wire::receive);
        let (header, records) = made.recording();
        let observed = diagnosed(kit, &header, &records);
        // Some recordings begin or end in the middle of a frame.
        if !observed.items.iter().all(|(item, _)| item.is_clean()) {
            continue;
        }
        flawless += 1;
        let leading = observed.diagnosis.leading();
        assert_eq!(leading.cause, Cause::Clean, "{} seed {seed}", kit.name);
        assert!(observed.diagnosis.is_sure(), "{} seed {seed}: {}", kit.name, leading.probability);
        assert!(observed.diagnosis.contributing.is_empty(), "{} seed {seed}", kit.name);
    }
    assert!(flawless >= TRIED, "{flawless}");
}

#[test]
fn a_sender_at_another_rate_is_named_with_its_rate() {
    let settings = Settings::new(Baud::nearest(9600.0), Format::N8);
    let kit = shipped().kits.iter().find(|kit| kit.name == "modbus-rtu").expect("a kit");
    let mut seen = 0;
    for seed in 0..40 {
        let (of, made) = capture(Cause::BaudMismatch, 300 + seed, first_wire::receive);
        let (header, records) = made.recording();
        let diagnosis = diagnosed(of, &header, &records).diagnosis;
        if diagnosis.leading().cause == Cause::BaudMismatch {
            seen += 1;
            assert!(diagnosis.details.sender_baud.is_some_and(f64::is_finite));
        }
    }
    assert!(seen >= 32, "{seen} of 40");
    let nothing = diagnosed(kit, &header(settings), &[]).diagnosis;
    assert_eq!(nothing.details.sender_baud, None);
}

// ---- how the bytes were heard --------------------------------------------------------------------------------------

/// What an engine for this table makes of these bytes: seconds, direction, byte.
fn heard(table: &str, uncertainty: Span, sides: Sides, bytes: &[(f64, Direction, u8)]) -> Engine {
    let kit = shipped().kits.iter().find(|kit| kit.name == table).expect("a kit");
    let settings = Settings::new(Baud::nearest(9600.0), kit.table.line.format);
    let hearing = Hearing { settings, line_errors: LineErrors::Packet, uncertainty, sides };
    let mut engine = Engine::new(kit.program.clone(), Vec::new(), Env::new(), hearing);
    bytes.iter().for_each(|(secs, direction, byte)| engine.on_event(&at(*secs, *direction, *byte)));
    engine.finish();
    engine
}

const MEASURAND: [u8; 17] =
    [0x68, 0x0B, 0x0B, 0x68, 0x28, 0x01, 0x0B, 0x01, 0x01, 0x01, 0x01, 0x40, 0x08, 0x09, 0x00, 0x89, 0x16];

#[test]
fn a_frame_that_an_adapter_hands_over_in_two_packets_is_one_frame() {
    let packets = |place: usize| if place < 9 { 0.100 } else { 0.116 };
    let bytes: Vec<(f64, Direction, u8)> = MEASURAND
        .into_iter()
        .enumerate()
        .map(|(place, byte)| (packets(place), Direction::Rx, byte))
        .chain([(0.5, Direction::Rx, 0x10)])
        .collect();
    let clean = |uncertainty| {
        let mut engine = heard("iec101", uncertainty, Sides::Device, &bytes);
        engine.items().next().is_some_and(|item| item.bytes.len() == MEASURAND.len() && item.is_clean())
    };
    assert!(clean(Span::from_millis(16)));
    assert!(!clean(Span::ZERO), "stamps that are exact show a gap inside the frame");
}

/// A message of Modbus with its sum.
fn with_sum(bytes: &[u8]) -> Vec<u8> {
    [bytes, &crc::Crc::<u16>::new(&crc::CRC_16_MODBUS).checksum(bytes).to_le_bytes()].concat()
}

/// The bytes of messages, each after a pause in seconds, at so many seconds a character.
fn timed(
    character: f64,
    said: impl IntoIterator<Item = (f64, Direction, Vec<u8>)>,
) -> Vec<(f64, Direction, u8)> {
    let (mut now, mut bytes) = (0.0, Vec::new());
    for (pause, direction, message) in said {
        now += pause;
        bytes.extend(message.into_iter().map(|byte| {
            now += character;
            (now, direction, byte)
        }));
    }
    bytes
}

/// The cause that leads after so many polls of two registers, of which one reply has another byte under its sum.
fn of_one_wrong_sum(polls: u16, number: u16, place: usize) -> Cause {
    const CHARACTER: f64 = 11.0 / 9600.0;
    let mut said = Vec::new();
    for poll in 0..polls {
        let question = with_sum(&[1, 3, 0, poll as u8 % 40, 0, 2]);
        let mut reply = with_sum(&[1, 3, 4, 0, poll as u8, 1, 7]);
        if poll == number {
            reply[place] ^= 0x24;
        }
        let pause = 8.0 * CHARACTER;
        said.extend([(pause, Direction::Tx, question), (pause, Direction::Rx, reply)]);
    }
    heard("modbus-rtu", Span::ZERO, Sides::Both, &timed(CHARACTER, said)).diagnosis().leading().cause
}

#[test]
fn a_reply_with_a_wrong_sum_is_corrupted_and_answers_nobody_else() {
    for (polls, number) in [(20, 11), (60, 40), (400, 333)] {
        for place in [4, 6] {
            let cause = of_one_wrong_sum(polls, number, place);
            assert_eq!(cause, Cause::Corrupted, "one of {polls}, byte {place}");
        }
    }
}

/// Polls of a register whose question comes back `late` seconds behind its last byte, and then the answer. With a `wrong` sum or not.
fn echoed(late: f64, wrong: bool) -> hsdiag::diagnose::Diagnosis {
    let mut said = Vec::new();
    for poll in 0..6 {
        let question = with_sum(&[1, 3, 0, poll, 0, 2]);
        let mut reply = with_sum(&[1, 3, 4, 0, poll, 1, 7]);
        reply[5] ^= if wrong { 0x24 } else { 0 };
        let echo = question.clone();
        said.extend([
            (0.1, Direction::Tx, question),
            (late, Direction::Rx, echo),
            (8e-3, Direction::Rx, reply),
        ]);
    }
    heard("modbus-rtu", Span::ZERO, Sides::Both, &timed(10.0 / 9600.0, said)).diagnosis()
}

#[test]
fn where_all_is_well_but_for_an_echo_nothing_else_is_wrong() {
    for late in [0.0, 0.5e-3, 2e-3] {
        let diagnosis = echoed(late, false);
        assert_eq!(diagnosis.leading().cause, Cause::Echo, "{late}");
        assert!(diagnosis.is_sure() && diagnosis.contributing.is_empty(), "{late}: {diagnosis:?}");
    }
    let wrong = echoed(0.5e-3, true);
    let names = |cause: Cause| {
        wrong.leading().cause == cause || wrong.contributing.iter().any(|(beside, _)| *beside == cause)
    };
    assert!(names(Cause::Echo) && names(Cause::Corrupted), "{wrong:?}");
}

/// Polls of a register; a pulse that reads as this byte comes before each answer, or behind each, or, not `always`, only in every other pause.
fn pulsed(pulse: u8, before: bool, always: bool) -> hsdiag::diagnose::Diagnosis {
    let mut said = Vec::new();
    for poll in 0..10 {
        let question = with_sum(&[1, 3, 0, poll, 0, 2]);
        let reply = with_sum(&[1, 3, 4, 0, poll, 1, 7]);
        let reply = match (always, before) {
            (false, _) => reply,
            (true, true) => [&[pulse][..], &reply].concat(),
            (true, false) => [&reply[..], &[pulse]].concat(),
        };
        said.extend([(0.1, Direction::Tx, question), (8e-3, Direction::Rx, reply)]);
        if !always && poll % 2 == 1 {
            said.push((0.06, Direction::Rx, vec![pulse]));
        }
    }
    heard("modbus-rtu", Span::ZERO, Sides::Both, &timed(10.0 / 9600.0, said)).diagnosis()
}

#[test]
fn pulses_at_the_turns_of_the_line_and_nowhere_else_are_of_the_turnaround() {
    for pulse in [0xFF, 0xFE, 0xF0] {
        for before in [true, false] {
            let diagnosis = pulsed(pulse, before, true);
            assert_eq!(diagnosis.leading().cause, Cause::Turnaround, "{pulse:02X}, before: {before}");
        }
        assert_eq!(pulsed(pulse, false, false).leading().cause, Cause::NoiseGlitch, "{pulse:02X} in silence");
    }
}

/// Polls of a register; in place of so many of ten answers the device says what it says when it starts.
fn restarting(banner: &str, often: u8) -> hsdiag::diagnose::Diagnosis {
    let mut said = Vec::new();
    for poll in 0..10 {
        let question = with_sum(&[1, 3, 0, poll, 0, 2]);
        let answer = if (poll + 1) * often / 10 > poll * often / 10 {
            banner.as_bytes().to_vec()
        } else {
            with_sum(&[1, 3, 4, 0, poll, 1, 7])
        };
        said.extend([(0.1, Direction::Tx, question), (30e-3, Direction::Rx, answer)]);
    }
    heard("modbus-rtu", Span::ZERO, Sides::Both, &timed(10.0 / 9600.0, said)).diagnosis()
}

#[test]
fn a_device_that_starts_anew_in_place_of_answers_makes_no_noise() {
    for banner in [
        "\r\n*** boot v1.2 reset=BOR ***\r\ninit ok\r\n",
        "\r\nU-Boot 2021.04 (Apr 05 2021)\r\nDRAM: 64 MiB\r\n",
        "ets Jun  8 2016 00:22:57\r\n\r\nrst:0xf (RTCWDT_BROWN_OUT_RESET),boot:0x13\r\n",
    ] {
        for often in [1, 3, 5] {
            let diagnosis = restarting(banner, often);
            assert_eq!(diagnosis.leading().cause, Cause::DeviceReset, "{often} times {banner:?}");
            let noise = diagnosis.ranking.iter().find(|ranked| ranked.cause == Cause::NoiseGlitch);
            let noise = noise.map_or(0.0, |noise| noise.probability);
            assert!(noise < 0.1, "{often} times {banner:?}: {noise}");
        }
    }
}

#[test]
fn lines_of_text_in_place_of_all_answers_are_of_an_application() {
    let modbus = with_sum(&[1, 3, 0, 0, 0, 2]);
    let hosts = [("stm32", &[0x7F][..]), ("stk500v1", &[0x30, 0x20]), ("modbus-rtu", &modbus)];
    let registry = Registry::shipped();
    let others = ["console", "at-commands"].map(|name| registry.get(name).expect("a shipped table"));
    let others = others.map(|table| Arc::new(Program::compile(table)));
    for text in [
        "\r\n*** boot v1.2 reset=BOR ***\r\ninit ok\r\n",
        "\r\nU-Boot 2021.04 (Apr 05 2021)\r\nDRAM: 64 MiB\r\n",
        "[   12.345] sensor: temp=23.1 C\r\n",
    ] {
        for (table, question) in hosts {
            let talk =
                [(0.3, Direction::Tx, question.to_vec()), (30e-3, Direction::Rx, text.as_bytes().to_vec())];
            let said = talk.iter().cycle().take(10).cloned();
            let mut engine = heard(table, Span::ZERO, Sides::Both, &timed(10.0 / 9600.0, said));
            engine.consider(others.to_vec());
            let cause = engine.diagnosis().leading().cause;
            assert_eq!(cause, Cause::ApplicationRunning, "{table}: {text:?}");
        }
    }
}

#[test]
fn who_joins_a_handshake_at_a_later_step_takes_it_for_what_it_is() {
    let ask = [0x10, 0x40, 0x01, 0x41, 0x16].map(|byte| (Direction::Tx, byte));
    let reply = [0x10, 0x00, 0x01, 0x01, 0x16].map(|byte| (Direction::Rx, byte));
    let timed = ask.into_iter().chain(reply).enumerate();
    let bytes: Vec<(f64, Direction, u8)> =
        timed.map(|(place, (direction, byte))| (0.1 + place as f64 * 1.2e-3, direction, byte)).collect();
    let items: Vec<_> = heard("iec101", Span::ZERO, Sides::Both, &bytes).items().collect();
    let frames: Vec<&str> = items.iter().filter_map(|item| item.framed()).map(|f| &*f.frame).collect();
    assert_eq!(frames, ["reset_link", "ack"]);
    assert!(items.iter().all(|item| item.is_clean()), "{items:?}");
}

// ---- input that no line ever gave ----------------------------------------------------------------------------------

fn header(settings: Settings) -> Header {
    Header { settings, line_errors: LineErrors::PerByte, uncertainty: Span::ZERO }
}

fn at(secs: f64, direction: Direction, byte: u8) -> LineEvent {
    LineEvent::byte(Instant::from_secs(secs), direction, byte)
}

fn strange() -> Vec<(&'static str, Vec<LineEvent>)> {
    let mut random = fastrand::Rng::with_seed(11);
    let mut bytes = |count: usize| -> Vec<LineEvent> {
        (0..count).map(|place| at(place as f64 * 1e-3, Direction::Rx, random.u8(..))).collect()
    };
    let every_fault = [Fault::Framing, Fault::Parity, Fault::FramingOrParity, Fault::Overrun, Fault::Break];
    let faults = bytes(400)
        .into_iter()
        .enumerate()
        .map(|(place, event)| event.with_fault(every_fault[place % every_fault.len()]))
        .collect();
    let seen = |seen: Seen, place: usize| LineEvent { seen, ..at(place as f64 * 1e-3, Direction::Rx, 0) };
    let breaks = (0..300).map(|place| seen(Seen::Break, place).with_fault(Fault::Break)).collect();
    let markers = (0..300).map(|place| seen(Seen::Marker, place)).collect();
    // A break that carries a byte's fault, a byte that carries a break's.
    let contradictory = (0..200)
        .map(|place| match place % 2 {
            0 => seen(Seen::Break, place).with_fault(Fault::Parity),
            _ => at(place as f64 * 1e-3, Direction::Tx, 0xFF).with_fault(Fault::Break),
        })
        .collect();
    let mut backwards = bytes(300);
    backwards.reverse();
    let jumps = (0..300u32)
        .map(|place| at(f64::from(place.wrapping_mul(2_654_435_761) % 1_000_000), Direction::Rx, place as u8))
        .collect();
    let same_time = (0..500).map(|place| at(1.0, Direction::Rx, place as u8)).collect();
    let sent = (0..200).map(|place| at(f64::from(place), Direction::Tx, 0x55)).collect();
    vec![
        ("nothing", Vec::new()),
        ("one byte", bytes(1)),
        ("one byte sent", vec![at(0.0, Direction::Tx, 0x7F)]),
        ("all faults", faults),
        ("breaks", breaks),
        ("markers", markers),
        ("contradictory", contradictory),
        ("backwards", backwards),
        ("a clock that jumps", jumps),
        ("all at once", same_time),
        ("only sent", sent),
        ("zeros", (0..600).map(|place| at(f64::from(place) * 1e-3, Direction::Rx, 0)).collect()),
    ]
}

#[test]
fn strange_input_is_answered_with_probabilities_that_are_numbers() {
    let rates = [Baud::nearest(1.0), Baud::nearest(9600.0), Baud::nearest(f64::from(Baud::MAX))];
    for (of, events) in strange() {
        for kit in shipped().kits.iter().step_by(3) {
            for errors in [LineErrors::PerByte, LineErrors::Packet, LineErrors::Never] {
                let settings = Settings::new(rates[events.len() % rates.len()], kit.table.line.format);
                let header = Header { line_errors: errors, ..header(settings) };
                let records: Vec<Record> = events.iter().map(|event| Record::seen(*event)).collect();
                let observed = diagnosed(kit, &header, &records);
                holds(&observed.diagnosis, of);
                let verdicts = observed.items.iter().filter_map(|(_, verdict)| *verdict);
                assert!(verdicts.into_iter().all(|(_, p)| p.is_finite()), "{of}");
            }
        }
    }
}

#[test]
fn a_million_events_take_no_more_memory_than_the_window() {
    let kit = &shipped().kits[0];
    let settings = Settings::new(Baud::nearest(2_000_000.0), kit.table.line.format);
    let hearing =
        Hearing { settings, line_errors: LineErrors::PerByte, uncertainty: Span::ZERO, sides: Sides::Device };
    let mut engine = Engine::new(kit.program.clone(), Vec::new(), Env::new(), hearing);
    let mut random = fastrand::Rng::with_seed(5);
    for place in 0..1_000_000 {
        engine.on_event(&at(f64::from(place) * 5e-6, Direction::Rx, random.u8(..)));
        if place % 100_000 == 0 {
            assert!(engine.items().all(|item| !item.bytes.is_empty()));
        }
    }
    assert!(engine.window().events.len() <= 8192);
    assert!(engine.window().items.len() <= 4096);
    assert_eq!(engine.window().seen, 1_000_000);
    holds(&engine.diagnosis(), "a million events");
}
