//! What hosts, devices and observers make of each other, over shipped tables.

use std::sync::Arc;

use hsdiag::line::{Action, Direction, Instant, LineEvent, Seen, Span, Task};
use hsdiag::machine::{Ending, Env, Host, ItemKind, Observer, Part, Program, Run, Sides};
use hsdiag::protocol::{Registry, Talk};
use hsdiag::simulate::{self, DeviceTask, Fault, Link, Passing, Play, listen, observe, settings, whole_run};

fn program(name: &str) -> Arc<Program> {
    Arc::new(Program::compile(Registry::shipped().get(name).unwrap()))
}

fn play(name: &str, run: Run, fault: Option<Fault>) -> simulate::Played {
    let program = program(name);
    Play { fault, ..Play::new(&program, run, Env::new()) }.play().unwrap()
}

fn talk(text: &str) -> Run {
    Run::Talk(Talk::parse(text).unwrap())
}

/// Bytes of one side, each a character after the one before.
fn said(from: f64, direction: Direction, bytes: &[u8]) -> Vec<LineEvent> {
    let at = |index: usize| Instant::from_secs(from + 1e-4 * (index + 1) as f64);
    bytes.iter().enumerate().map(|(index, byte)| LineEvent::byte(at(index), direction, *byte)).collect()
}

/// Feeds a host what a device says to it, and lets it ask.
fn ask(name: &str, run: Run, answer: &[u8]) -> hsdiag::machine::HostResult {
    let program = program(name);
    let mut host = Host::of(&program, &run, &Env::new(), settings(program.table())).unwrap().with_tries(1);
    let mut now = Instant::ZERO;
    host.on_settings(now, settings(program.table()));
    let mut answers = vec![answer.to_vec()];
    for _ in 0..1_000 {
        host.on_time(now);
        match host.next_action() {
            Some(Action::Send(_)) => {
                for event in said(now.secs() + 0.01, Direction::Rx, &answers.pop().unwrap_or_default()) {
                    host.on_event(&event);
                }
            }
            Some(Action::Done) => break,
            Some(_) => {}
            None => match host.deadline() {
                Some(deadline) => now = deadline.max(now + Span::from_nanos(1)),
                None => break,
            },
        }
    }
    host.result()
}

#[test]
fn an_unexpected_byte_comes_with_the_state_what_was_expected_and_what_it_means() {
    let result = ask("stm32", Run::Handshake, &[0x68]);
    assert_eq!(result.ending, Some(Ending::Unexpected));
    let item = result.items.last().unwrap();
    let ItemKind::Unexpected(unexpected) = &item.kind else { panic!("{item:?}") };
    assert_eq!(item.bytes[..], [0x68]);
    let expected: Vec<&str> = unexpected.expected.iter().map(|candidate| &*candidate.frame).collect();
    assert_eq!(expected, ["ack", "nack"]);
    assert!(unexpected.said[0].means.starts_with("not this loader"), "{:?}", unexpected.said);
}

#[test]
fn a_refusal_ends_the_run_with_what_the_code_says_and_what_to_do() {
    let run = talk("read_holding_registers(1, 0xFFFF, 2)");
    let result = play("modbus-rtu", run, None).result;
    assert_eq!(result.ending, Some(Ending::Refused));
    let framed = result.items.last().unwrap().framed().unwrap();
    let Part::Refusal(said) = &framed.part else { panic!("{framed:?}") };
    let code = said.iter().find(|said| said.by == "code = 0x02").unwrap();
    assert_eq!(code.means, "the slave has no such register or coil");
    assert_eq!(code.remedy.as_deref(), Some("ask one address lower, or for fewer"));
}

/// `ERROR` where a module should tell its name is a line of text too.
#[test]
fn a_refusal_is_one_where_any_text_may_come() {
    const ERROR: &[u8] = b"ATI\r\r\nERROR\r\n";
    let result = ask("at-commands", talk("identity()"), ERROR);
    assert_eq!(result.ending, Some(Ending::Refused));
    let events = [said(0.0, Direction::Tx, b"ATI\r"), said(0.1, Direction::Rx, ERROR)].concat();
    let (items, _) = observe(&program("at-commands"), &events, Sides::Both, &Env::new());
    let frames: Vec<_> = items.iter().filter_map(|item| item.framed()).collect();
    let last = frames.last().unwrap();
    assert_eq!(&*last.frame, "error", "{frames:?}");
    assert!(matches!(last.part, Part::Refusal(_)), "{last:?}");
    // Any other text is the name.
    let named = ask("at-commands", talk("identity()"), b"ATI\r\r\nSIM800\r\n\r\nOK\r\n");
    assert_eq!(named.ending, Some(Ending::Done));
}

/// A byte of memory can be the same as the code of a refusal.
#[test]
fn data_of_a_byte_that_a_refusal_could_be_are_data() {
    let run = talk("read(0x1000, 1, data)");
    let result = ask("ti-bsl", run, &[0x00, 0xCC, 0x03, 0x41, 0x41]);
    assert_eq!(result.ending, Some(Ending::Done), "{:?}", result.items);
}

/// `+CME ERROR: 10` begins as whatever else a module tells by itself.
#[test]
fn a_refusal_that_begins_as_what_means_nothing_is_one() {
    const ERROR: &[u8] = b"AT+CSQ\r\r\n+CME ERROR: 10\r\n";
    let result = ask("at-commands", talk("signal()"), ERROR);
    assert_eq!(result.ending, Some(Ending::Refused), "{:?}", result.items);
    let events = [said(0.0, Direction::Tx, b"AT+CSQ\r"), said(0.1, Direction::Rx, ERROR)].concat();
    let (items, _) = observe(&program("at-commands"), &events, Sides::Both, &Env::new());
    let last = items.iter().filter_map(|item| item.framed()).next_back().unwrap();
    assert!(matches!(last.part, Part::Refusal(_)), "{last:?}");
}

#[test]
fn silence_names_the_question_and_every_frame_that_would_have_been_the_answer() {
    let result = play("stm32", Run::Handshake, Some(Fault::Silent)).result;
    assert_eq!(result.ending, Some(Ending::NoAnswer));
    assert_eq!(result.sent, 3, "the question is asked three times");
    let ItemKind::Silence(silence) = &result.items.last().unwrap().kind else { panic!() };
    assert_eq!(silence.after.as_deref(), Some("sync"));
    assert_eq!(silence.expected.iter().map(|name| &**name).collect::<Vec<_>>(), ["ack", "nack"]);
    assert!(silence.said[0].remedy.as_deref().unwrap().starts_with("set BOOT0 high"));
}

#[test]
fn what_was_learnt_of_the_device_is_in_the_result() {
    let result = play("stm32", Run::Handshake, None).result;
    let pid = result.captured.iter().find(|(name, _)| &**name == "pid").unwrap();
    assert_eq!(pid.1.as_int(), Some(0x0410));
}

#[test]
fn a_lost_answer_is_asked_for_again_and_the_device_does_nothing_twice() {
    let program = program("xmodem");
    let env = Env::new().with_image(&program.table().device.memory, 0, vec![0x5A; 600]);
    let mut acks = 0;
    let lose = move |direction, _, byte| {
        acks += usize::from(direction == Direction::Rx && byte == 0x06);
        if acks != 2 || direction == Direction::Tx || byte != 0x06 {
            Passing::As(byte)
        } else {
            Passing::Lost
        }
    };
    let play = Play { spoil: Some(Box::new(lose)), ..Play::new(&program, Run::Flash, env) };
    let played = play.play().unwrap();
    assert_eq!(played.result.ending, Some(Ending::Done));
    let memory = played.device.device().memory();
    assert_eq!(memory.read(0, 600).unwrap()[..], [0x5A; 600]);
}

#[test]
fn an_observer_that_joins_in_the_middle_finds_its_place() {
    for name in ["esp-rom", "mbus", "stk500v2", "dlt645", "modbus-rtu"] {
        let program = program(name);
        let env = Env::new().with_image(&program.table().device.memory, 0, vec![0xA5; 3_000]);
        let run = Run::Talk(whole_run(program.table()).unwrap());
        let played = Play::new(&program, run, env).play().unwrap();
        let middle = played.events.len() / 2;
        let (items, score) = observe(&program, &played.events[middle..], Sides::Both, &Env::new());
        let clean = items.iter().rev().take(2).all(|item| item.is_clean());
        assert!(clean, "{name}: {:?}", items.last());
        assert!(score.valid >= 2, "{name}: {score:?}");
    }
}

#[test]
fn an_observer_of_the_device_alone_flags_nothing_where_replies_are_framed() {
    for name in ["esp-rom", "mbus", "xmodem", "dlt645", "nmea", "ubx"] {
        let program = program(name);
        let events = match whole_run(program.table()) {
            Some(run) => {
                let env = Env::new().with_image(&program.table().device.memory, 0, vec![0xA5; 2_000]);
                Play::new(&program, Run::Talk(run), env).play().unwrap().events
            }
            None => listen(&program, Span::from_secs(3)),
        };
        let device: Vec<LineEvent> =
            events.into_iter().filter(|event| event.direction == Direction::Rx).collect();
        let (items, _) = observe(&program, &device, Sides::Device, &Env::new());
        let flag = items.iter().find(|item| !item.is_clean());
        assert!(flag.is_none() && !items.is_empty(), "{name}: {flag:?}");
    }
}

#[test]
fn a_bus_is_heard_as_one_stream_and_understood() {
    for name in ["mbus", "modbus-rtu", "dlt645", "iec101"] {
        let registry = Registry::shipped();
        let table = registry.get(name).unwrap();
        let options = simulate::Options { bus: true, ..Default::default() };
        let mut bus = simulate::device(&table, &options).unwrap();
        bus.task.on_settings(Instant::ZERO, bus.settings);
        let mut now = Instant::ZERO;
        let mut events = Vec::new();
        while now < Instant::from_secs(5.0) {
            bus.task.on_time(now);
            while let Some(action) = bus.task.next_action() {
                if let Action::Send(bytes) = action {
                    let end = |index: usize| now + bus.settings.character_time() * (index as u32 + 1);
                    let event =
                        |(index, byte): (usize, &u8)| LineEvent::byte(end(index), Direction::Rx, *byte);
                    events.extend(bytes.iter().enumerate().map(event));
                }
            }
            now = bus.task.deadline().unwrap().max(now + Span::from_nanos(1));
        }
        let program = Arc::new(Program::compile(table));
        let (items, score) = observe(&program, &events, Sides::Shared, &Env::new());
        let flag = items.iter().find(|item| !item.is_clean());
        assert!(flag.is_none() && score.valid >= 4, "{name}: {score:?} {flag:?}");
    }
}

#[test]
fn an_echo_on_one_wire_is_not_taken_for_an_answer() {
    let program = program("kwp2000");
    let played = Play::new(&program, Run::Handshake, Env::new()).play().unwrap();
    // On one wire every byte of the host is heard once more, as its own.
    let mut events = Vec::new();
    for event in played.events {
        events.push(event);
        if event.direction == Direction::Tx && matches!(event.seen, Seen::Byte(_)) {
            events.push(LineEvent { direction: Direction::Rx, ..event });
        }
    }
    let (items, _) = observe(&program, &events, Sides::Both, &Env::new());
    assert!(items.iter().all(|item| item.is_clean()), "{items:#?}");
}

#[test]
fn a_device_that_goes_becomes_its_application() {
    let program = program("stm32");
    let settings = settings(program.table());
    let run = talk("sync go(0x08000000)");
    let host = Host::of(&program, &run, &Env::new(), settings).unwrap();
    let device = DeviceTask::new(&program, &Env::new(), None, 1, false);
    let mut link = Link::new(host, settings, device, settings);
    link.play(Instant::from_secs(1.0));
    assert_eq!(link.host.result().ending, Some(Ending::Done));
    while let Some(next) = link.wakes().filter(|next| *next < Instant::from_secs(4.0)) {
        link.advance(next);
    }
    let heard: Vec<u8> = link.passed().iter().filter_map(LineEvent::value).collect();
    assert!(String::from_utf8_lossy(&heard).contains("STM32F103 demo"));
}

#[test]
fn random_bytes_are_no_protocol() {
    let (tables, _) = Registry::shipped().all();
    let mut chance = fastrand::Rng::with_seed(7);
    let noise: Vec<u8> = (0..2_000).map(|_| chance.u8(..)).collect();
    for table in tables {
        let program = Arc::new(Program::compile(table));
        for sides in [Sides::Device, Sides::Shared] {
            let settings = settings(program.table());
            let mut observer = Observer::scoring(Arc::clone(&program), sides, settings, &Env::new());
            said(0.0, Direction::Rx, &noise).iter().for_each(|event| observer.on_event(event));
            observer.finish();
            let score = observer.score();
            assert!(score.log_weight < 6.0, "{} {sides:?}: {score:?} (seed 7)", program.table().name);
        }
    }
}

#[test]
fn a_stuck_line_is_no_protocol() {
    let (tables, _) = Registry::shipped().all();
    for table in tables {
        let program = Arc::new(Program::compile(table));
        for byte in [0x00, 0x55, 0x79, 0xE5, 0xFF] {
            let settings = settings(program.table());
            let mut observer = Observer::scoring(Arc::clone(&program), Sides::Device, settings, &Env::new());
            said(0.0, Direction::Rx, &[byte; 500]).iter().for_each(|event| observer.on_event(event));
            observer.finish();
            let score = observer.score();
            assert!(score.log_weight < 12.0, "{} {byte:02X}: {score:?}", program.table().name);
        }
    }
}
