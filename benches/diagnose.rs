//! The diagnosis at work: events a second with one protocol and all causes, with ten protocols side by side, and what one answer costs.
//!
//! `cargo bench --bench diagnose`. The conversations are those of the shipped tables' own simulated devices, both sides heard.

use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use hsdiag::diagnose::{Diagnosis, Engine, Hearing, Recogniser};
use hsdiag::line::{Baud, Direction, Instant, LineErrors, LineEvent, Settings, Span};
use hsdiag::machine::{Env, Observer, Program, Sides};
use hsdiag::protocol::Registry;

#[path = "../tests/support/labelled/mod.rs"]
mod labelled;

use labelled::kit::Kit;

fn main() {
    divan::main();
}

const EVENTS: usize = 1_000_000;

const TEN: [&str; 10] =
    ["mbus", "modbus-rtu", "dlt645", "iec101", "stm32", "stk500v1", "esp-rom", "kwp2000", "nmea", "ubx"];

fn settings(kit: &Kit) -> Settings {
    Settings::new(Baud::nearest(115_200.0), kit.table.line.format)
}

fn kit(name: &'static str) -> Kit {
    Kit::new(name, Registry::shipped().get(name).expect("a shipped table"))
}

/// A clean conversation, again and again, as long as it takes.
fn events(kit: &Kit) -> Vec<LineEvent> {
    let character = settings(kit).character_time();
    let mut now = Instant::ZERO;
    let mut events = Vec::with_capacity(EVENTS);
    for message in kit.talks[0].iter().cycle() {
        now += character * 5;
        for byte in &message.bytes {
            now += character;
            events.push(LineEvent::byte(now, message.direction, *byte));
        }
        if events.len() >= EVENTS {
            return events;
        }
    }
    events
}

/// The same with one received byte in a hundred replaced, of which the line reports nothing.
fn spoilt(kit: &Kit) -> Vec<LineEvent> {
    let mut random = fastrand::Rng::with_seed(3);
    let spoil = |event: LineEvent| match (event.direction, random.u32(..100)) {
        (Direction::Rx, 0) => LineEvent::byte(event.at, Direction::Rx, random.u8(..)),
        _ => event,
    };
    events(kit).into_iter().map(spoil).collect()
}

fn hearing(kit: &Kit) -> Hearing {
    Hearing {
        settings: settings(kit),
        line_errors: LineErrors::PerByte,
        uncertainty: Span::ZERO,
        sides: Sides::Both,
    }
}

fn engine(kit: &Kit) -> Engine {
    Engine::new(kit.program.clone(), Vec::new(), Env::new(), hearing(kit))
}

/// What live reading costs: every event, its items, and one answer at the end.
fn answer(kit: &Kit, events: &[LineEvent]) -> Diagnosis {
    let mut engine = engine(kit);
    for event in events {
        engine.on_event(event);
        engine.items().for_each(|item| drop(black_box(item)));
    }
    engine.finish();
    engine.diagnosis()
}

/// Reading along alone, for comparison.
#[divan::bench(args = ["modbus-rtu", "mbus", "dlt645"])]
fn observer_alone(bencher: Bencher<'_, '_>, name: &'static str) {
    let kit = kit(name);
    let events = events(&kit);
    bencher.counter(ItemsCount::new(events.len())).bench_local(|| {
        let mut observer = Observer::new(kit.program.clone(), Sides::Both, settings(&kit), &Env::new());
        for event in &events {
            observer.on_event(event);
            black_box(observer.items());
        }
        observer.finish();
        observer.score()
    });
}

/// A capture from its beginning to the answer.
#[divan::bench(args = ["modbus-rtu", "mbus", "dlt645"])]
fn one_protocol_all_causes(bencher: Bencher<'_, '_>, name: &'static str) {
    let kit = kit(name);
    let events = events(&kit);
    bencher.counter(ItemsCount::new(events.len())).bench_local(|| answer(&kit, &events));
}

#[divan::bench(args = ["modbus-rtu", "mbus", "dlt645"])]
fn one_protocol_all_causes_spoilt(bencher: Bencher<'_, '_>, name: &'static str) {
    let kit = kit(name);
    let events = spoilt(&kit);
    bencher.counter(ItemsCount::new(events.len())).bench_local(|| answer(&kit, &events));
}

#[divan::bench]
fn ten_protocols_side_by_side(bencher: Bencher<'_, '_>) {
    let kit = kit("modbus-rtu");
    let events = events(&kit);
    let registry = Registry::shipped();
    let programs: Vec<Arc<Program>> = TEN
        .into_iter()
        .map(|name| Arc::new(Program::compile(registry.get(name).expect("a shipped table"))))
        .collect();
    bencher.counter(ItemsCount::new(events.len())).bench_local(|| {
        let mut recogniser = Recogniser::new(&programs, &[Sides::Both], settings(&kit));
        events.iter().for_each(|event| recogniser.on_event(event));
        recogniser.finish();
        recogniser.ranking()
    });
}

/// One answer of a full window: what a live view pays each time it looks.
#[divan::bench]
fn an_answer(bencher: Bencher<'_, '_>) {
    let kit = kit("modbus-rtu");
    let mut engine = engine(&kit);
    spoilt(&kit).iter().for_each(|event| engine.on_event(event));
    bencher.bench_local(|| engine.diagnosis());
}
