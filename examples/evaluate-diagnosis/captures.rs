//! Labelled captures through the engine: their evidence, and what each byte was.

use std::sync::Arc;

use hsdiag::diagnose::{Bytes, Cause, Engine, Evidence, Hearing, Window};
use hsdiag::line::{Baud, Direction, Span};
use hsdiag::machine::{Env, Program, Sides};
use hsdiag::protocol::{Registry, Table};
use hsdiag::simulate;

use super::labelled::conversation::{Message, conversation};
use super::labelled::generate::{Ingredients, Labelled, labelled};
use super::labelled::plan::{Truth, Wire};

/// The protocols whose conversations are spoilt.
pub const PROTOCOLS: [&str; 8] =
    ["mbus", "modbus-rtu", "dlt645", "iec101", "stm32", "stk500v1", "esp-rom", "kwp2000"];

/// Protocols that may be there instead, beside these.
const BESIDES: [&str; 4] = ["console", "nmea", "ubx", "at-commands"];

/// Pairs of causes that act at once.
const PAIRS: [(Cause, Cause); 8] = [
    (Cause::BaudMismatch, Cause::NoiseGlitch),
    (Cause::Echo, Cause::Turnaround),
    (Cause::FormatMismatch, Cause::NoiseGlitch),
    (Cause::NoiseBurst, Cause::Echo),
    (Cause::Refused, Cause::NoiseGlitch),
    (Cause::Break, Cause::NoiseGlitch),
    (Cause::ApplicationRunning, Cause::NoiseGlitch),
    (Cause::Turnaround, Cause::NoiseBurst),
];

pub struct Sample {
    pub protocol: &'static str,
    pub cause: Cause,
    pub second: Option<Cause>,
    pub alike: Vec<Cause>,
    pub evidence: Evidence,
    pub errors: hsdiag::line::LineErrors,
    pub seed: u64,
    window: Window,
    /// For each event of the window what it really was.
    truths: Vec<Option<Truth>>,
}

impl Sample {
    /// The evidence of each received byte of the window, with its class.
    pub fn bytes(&self, posterior: &[(Cause, f64)]) -> Vec<(Evidence, usize)> {
        let bytes = Bytes::new(&self.window, posterior);
        let places = 0..self.window.events.len().min(self.truths.len());
        places
            .filter_map(|place| {
                let class = match self.truths[place]? {
                    Truth::Real => 0,
                    Truth::Misread => 1,
                    Truth::Noise => 2,
                    Truth::Echo => 3,
                };
                Some((bytes.features(place), class))
            })
            .collect()
    }
}

/// A protocol with what its captures are made from.
struct Kit {
    name: &'static str,
    table: Arc<Table>,
    program: Arc<Program>,
    talks: Vec<Vec<Message>>,
    refusing: Vec<Vec<Message>>,
}

/// `each` captures of every cause and pair of causes.
pub fn samples(each: usize, seed: u64, wire: Wire) -> Vec<Sample> {
    let registry = Registry::shipped();
    let table = |name: &str| registry.get(name).expect("a shipped table");
    let kits: Vec<Kit> = PROTOCOLS.into_iter().map(|name| kit(name, table(name))).collect();
    let others: Vec<(String, Arc<Program>)> = registry
        .all()
        .0
        .into_iter()
        .filter(|table| PROTOCOLS.iter().chain(&BESIDES).any(|name| *name == &*table.name))
        .map(|table| (table.name.to_string(), Arc::new(Program::compile(table))))
        .collect();
    let console = table("console");
    let text: Vec<Vec<u8>> = texts(&console);
    let causes = Cause::ALL.into_iter().map(|cause| (cause, None));
    let all = causes.chain(PAIRS.into_iter().map(|(first, second)| (first, Some(second))));
    let jobs: Vec<(usize, Cause, Option<Cause>)> = all
        .enumerate()
        .flat_map(|(place, (cause, second))| {
            (0..each).map(move |number| (place * each + number, cause, second))
        })
        .collect();
    let make = |job: &(usize, Cause, Option<Cause>)| {
        let (number, cause, second) = *job;
        // A protocol that cannot have the cause hands over to the next.
        (0..PROTOCOLS.len() * 2).find_map(|shift| {
            let kit = &kits[(number + shift) % kits.len()];
            let other = &kits[(number + shift + 1 + number / kits.len() % (kits.len() - 1)) % kits.len()];
            let seed = (seed << 24) ^ (number as u64) << 4 ^ shift as u64;
            sample(kit, other, &others, &text, cause, second, wire, seed)
        })
    };
    let half = jobs.len() / 2;
    let (first, second) = jobs.split_at(half);
    std::thread::scope(|scope| {
        let later = scope.spawn(move || second.iter().filter_map(make).collect::<Vec<_>>());
        let mut samples: Vec<Sample> = first.iter().filter_map(make).collect();
        samples.extend(later.join().unwrap_or_default());
        samples
    })
}

fn kit(name: &'static str, table: Arc<Table>) -> Kit {
    let options = |seed: u64, fault: Option<&str>| simulate::Options {
        seed,
        fault: fault.map(String::from),
        ..simulate::Options::default()
    };
    let talks = (0..4).map(|seed| conversation(&table, &options(seed, None), 1200)).collect();
    let refusing = (0..2).map(|seed| conversation(&table, &options(seed, Some("refuse")), 300)).collect();
    Kit { name, program: Arc::new(Program::compile(table.clone())), table, talks, refusing }
}

/// What the console's device prints, line by line.
fn texts(console: &Arc<Table>) -> Vec<Vec<u8>> {
    let options = simulate::Options { seed: 5, ..simulate::Options::default() };
    let said: Vec<u8> = conversation(console, &options, 4000)
        .into_iter()
        .filter(|message| message.direction == Direction::Rx)
        .flat_map(|message| message.bytes)
        .collect();
    let lines: Vec<Vec<u8>> = said.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    lines.into_iter().filter(|line| line.len() > 4).collect()
}

#[allow(clippy::too_many_arguments)] // what one capture is made from
fn sample(
    kit: &Kit,
    other: &Kit,
    others: &[(String, Arc<Program>)],
    text: &[Vec<u8>],
    cause: Cause,
    second: Option<Cause>,
    wire: Wire,
    seed: u64,
) -> Option<Sample> {
    let place = seed as usize >> 4;
    let ingredients = Ingredients {
        talk: &kit.talks[place % kit.talks.len()],
        refusing: &kit.refusing[place % kit.refusing.len()],
        foreign: &other.talks[place % other.talks.len()],
        text,
        format: kit.table.line.format,
        bauds: &kit.table.line.bauds,
    };
    let bauds: Vec<Baud> = kit.table.line.bauds.clone();
    let ingredients = Ingredients { bauds: &bauds, ..ingredients };
    let made = labelled(cause, second, &ingredients, wire, seed)?;
    Some(measured(kit, others, made, seed))
}

fn measured(kit: &Kit, others: &[(String, Arc<Program>)], made: Labelled, seed: u64) -> Sample {
    let sides = if made.events.iter().any(|(event, _)| event.direction == Direction::Tx) {
        Sides::Both
    } else {
        Sides::Device
    };
    let hearing = Hearing {
        settings: made.settings,
        line_errors: made.errors,
        uncertainty: Span::from_secs_f64(made.uncertainty),
        sides,
    };
    let rest =
        others.iter().filter(|(name, _)| name != kit.name).map(|(_, program)| program.clone()).collect();
    // The conversations are played with the usual parameters; which they are is not asked here.
    let parameters = kit.table.parameters.iter();
    let env = parameters.fold(Env::new(), |env, set| env.with(&set.name, set.value.clone()));
    let mut engine = Engine::new(kit.program.clone(), rest, env, hearing);
    let mut changes = made.changes.iter().peekable();
    let mut kept = 0;
    for (number, (event, _)) in made.events.iter().enumerate() {
        while let Some((_, settings)) = changes.next_if(|(at, _)| *at <= event.at) {
            engine.on_settings(*settings);
            kept = number;
        }
        engine.on_event(event);
    }
    engine.finish();
    let mut window = engine.window().clone();
    window.items.clear(); // thousands of samples are kept
    Sample {
        protocol: kit.name,
        cause: made.cause,
        second: made.second,
        alike: made.alike,
        evidence: engine.evidence(),
        errors: made.errors,
        seed,
        window,
        truths: made.events[kept..].iter().map(|(_, truth)| *truth).collect(),
    }
}

/// How much each protocol has to say: a look at the ingredients.
pub fn show() {
    let registry = Registry::shipped();
    for name in PROTOCOLS {
        let Ok(table) = registry.get(name) else { continue };
        let kit = kit(name, table);
        for talk in kit.talks.iter().take(1).chain(kit.refusing.iter().take(1)) {
            println!("{name}: {} messages", talk.len());
            for message in talk.iter().take(6) {
                let bytes: String =
                    message.bytes.iter().take(24).map(|byte| format!("{byte:02X} ")).collect();
                println!("    {} {bytes}", if message.direction == Direction::Tx { '>' } else { '<' });
            }
        }
    }
    let lines = registry.get("console").map(|console| texts(&console)).unwrap_or_default();
    println!("console: {} lines", lines.len());
}
