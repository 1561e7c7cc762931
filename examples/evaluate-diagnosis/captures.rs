//! Labelled captures through the engine: their evidence, and what each byte was.

use std::sync::Arc;

use hsdiag::capture::{Header, Record, What};
use hsdiag::diagnose::{
    Bytes, Cause, Engine, Evidence, Heard, Hearing, Standing, Window, between, edges, sides,
};
use hsdiag::line::{Direction, LineEvent};
use hsdiag::machine::{Env, Item, ItemKind, Part, Program, Vocabulary};
use hsdiag::protocol::Registry;

use super::labelled::generate::{Labelled, labelled};
use super::labelled::kit::{Kit, PROTOCOLS, texts};
use super::labelled::plan::{Truth, Wire};

/// Pairs of causes that act at once.
const PAIRS: [(Cause, Cause); 20] = [
    (Cause::BaudMismatch, Cause::NoiseGlitch),
    (Cause::Echo, Cause::Turnaround),
    (Cause::FormatMismatch, Cause::NoiseGlitch),
    (Cause::NoiseBurst, Cause::Echo),
    (Cause::Refused, Cause::NoiseGlitch),
    (Cause::Break, Cause::NoiseGlitch),
    (Cause::ApplicationRunning, Cause::NoiseGlitch),
    (Cause::Turnaround, Cause::NoiseBurst),
    (Cause::BaudMismatch, Cause::Echo),
    (Cause::FormatMismatch, Cause::Echo),
    (Cause::Refused, Cause::Echo),
    (Cause::Corrupted, Cause::Echo),
    (Cause::Echo, Cause::NoiseGlitch),
    (Cause::Truncated, Cause::NoiseGlitch),
    (Cause::Overrun, Cause::NoiseGlitch),
    (Cause::DeviceReset, Cause::NoiseGlitch),
    (Cause::OtherProtocol, Cause::NoiseGlitch),
    (Cause::FlowControl, Cause::NoiseGlitch),
    (Cause::WrongState, Cause::NoiseBurst),
    (Cause::BitOrder, Cause::NoiseGlitch),
];

pub struct Sample {
    pub protocol: &'static str,
    pub cause: Cause,
    pub second: Option<Cause>,
    pub alike: Vec<Cause>,
    pub evidence: Evidence,
    /// What is left when the bytes of a cause are taken out.
    pub rest: Vec<(Cause, Evidence)>,
    pub errors: hsdiag::line::LineErrors,
    pub seed: u64,
    /// Whatever was done to it, what was heard is a healthy conversation.
    pub unnoticed: bool,
    /// What was heard, item by item, where somebody wants to look at it.
    pub look: String,
    window: Window,
    vocabulary: Vocabulary,
    /// For each event of the window what it really was.
    truths: Vec<Option<Truth>>,
}

impl Sample {
    /// The evidence of each received byte of the window, with its class.
    pub fn bytes(&self, posterior: &[(Cause, f64)]) -> Vec<(Evidence, usize)> {
        let bytes = Bytes::new(&self.window, &self.vocabulary, posterior);
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

/// `each` captures of every cause and pair of causes.
pub fn samples(each: usize, seed: u64, wire: Wire, wide: bool, looks: bool) -> Vec<Sample> {
    let registry = Registry::shipped();
    let kits = Kit::all(&registry);
    let strangers = if wide { Kit::strangers(&registry) } else { Vec::new() };
    let others: Vec<Arc<Program>> =
        registry.all().0.into_iter().map(|table| Arc::new(Program::compile(table))).collect();
    let text = texts(&registry);
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
            // Not itself: one of the others, or a stranger.
            let others_of = number / kits.len() % (kits.len() - 1 + strangers.len());
            let other = match others_of.checked_sub(kits.len() - 1) {
                Some(stranger) => &strangers[stranger],
                None => &kits[(number + shift + 1 + others_of) % kits.len()],
            };
            let seed = (seed << 24) ^ (number as u64) << 4 ^ shift as u64;
            sample(kit, other, &others, &text, cause, second, wire, seed, wide, looks)
        })
    };
    // Two threads in turn: pairs of causes take longer than single ones.
    let turn = |first: usize| jobs.iter().enumerate().skip(first).step_by(2);
    let made = |first: usize| turn(first).filter_map(|(place, job)| Some((place, make(job)?)));
    let mut samples: Vec<(usize, Sample)> = std::thread::scope(|scope| {
        let later = scope.spawn(|| made(1).collect::<Vec<_>>());
        let mut samples: Vec<_> = made(0).collect();
        samples.extend(later.join().unwrap_or_default());
        samples
    });
    samples.sort_by_key(|(place, _)| *place);
    samples.into_iter().map(|(_, sample)| sample).collect()
}

#[allow(clippy::too_many_arguments)] // what one capture is made from
fn sample(
    kit: &Kit,
    other: &Kit,
    others: &[Arc<Program>],
    text: &[Vec<u8>],
    cause: Cause,
    second: Option<Cause>,
    wire: Wire,
    seed: u64,
    wide: bool,
    looks: bool,
) -> Option<Sample> {
    let ingredients = kit.ingredients(other, text, seed, wide);
    let made = labelled(cause, second, &ingredients, wire, seed)?;
    Some(measured(kit, others, made, seed, looks))
}

fn measured(kit: &Kit, others: &[Arc<Program>], made: Labelled, seed: u64, looks: bool) -> Sample {
    let (header, records) = made.recording();
    let (engine, kept) = heard(kit, others, &header, &records);
    let mut window = engine.window();
    let look = if looks { window.items().map(line).collect() } else { String::new() };
    let (evidence, rest) = engine.looks();
    let healthy = |window: &Window| is_healthy(&between(window, edges(window)));
    let alone = |(cause, events): &(Cause, Vec<LineEvent>)| {
        let (header, records) = made.recording_of(events.iter());
        leaves_traces(*cause) && healthy(&heard(kit, &[], &header, &records).0.window())
    };
    let unnoticed = match made.second {
        None => leaves_traces(made.cause) && healthy(&window),
        // One of the two would not be noticed if it acted alone.
        Some(_) => made.alone.iter().any(alone),
    };
    window.items.clear(); // thousands of samples are kept
    Sample {
        protocol: kit.name,
        cause: made.cause,
        second: made.second,
        alike: made.alike,
        evidence,
        rest,
        errors: made.errors,
        seed,
        unnoticed,
        look,
        window,
        vocabulary: engine.observer().vocabulary(),
        truths: made.events[kept..].iter().map(|(_, truth)| *truth).collect(),
    }
}

/// A recording, heard as `hsdiag decode` reads it: in what way it was made is found out. And how many events came before the settings
/// changed last.
fn heard(kit: &Kit, others: &[Arc<Program>], header: &Header, records: &[Record]) -> (Engine, usize) {
    let env = Env::new();
    let hearing = Hearing {
        settings: header.settings,
        line_errors: header.line_errors,
        uncertainty: header.uncertainty,
        sides: sides(&kit.program, header, records, &env),
    };
    let rest = others.iter().filter(|program| program.table().name != kit.table.name).cloned().collect();
    let mut engine = Engine::new(kit.program.clone(), rest, env, hearing);
    let (mut heard, mut kept) = (0, 0);
    for record in records {
        match &record.what {
            What::Seen(event) => {
                engine.on_event(event);
                heard += 1;
            }
            What::Set(settings) => {
                engine.on_settings(*settings);
                kept = heard;
            }
            What::Lines(_) => {}
        }
    }
    engine.finish();
    (engine, kept)
}

/// Causes that are told by what they do to bytes and frames.
fn leaves_traces(cause: Cause) -> bool {
    use Cause::*;
    !matches!(cause, Clean | RateIgnored | NoAnswer | Undecided)
}

/// Every byte belongs to a healthy frame in its place, no question is left open, and the line reported nothing.
fn is_healthy(window: &Window) -> bool {
    let heard = |heard: &Heard| {
        heard.event.fault.is_none() && matches!(heard.standing, Standing::Frame | Standing::Open)
    };
    window.received().all(heard) && window.items().all(healthy_item)
}

fn healthy_item(item: &Item) -> bool {
    match &item.kind {
        ItemKind::Frame(framed) => {
            framed.wrong.is_empty()
                && matches!(framed.part, Part::Expected | Part::Unsolicited | Part::Ignored)
        }
        ItemKind::Settings { .. } => true,
        ItemKind::Unexpected(_) | ItemKind::Break | ItemKind::Silence(_) => false,
    }
}

/// An item as a line of text.
fn line(item: &Item) -> String {
    let way = if item.direction == Direction::Tx { '>' } else { '<' };
    let bytes: String = item.bytes.iter().take(40).map(|byte| format!("{byte:02X} ")).collect();
    let kind = match &item.kind {
        ItemKind::Frame(framed) => {
            let wrong: Vec<String> = framed.wrong.iter().map(|wrong| format!("{wrong:?}")).collect();
            format!("{} {:?} {}", framed.frame, framed.part, wrong.join(" "))
        }
        ItemKind::Unexpected(unexpected) => {
            let expected = unexpected.expected.iter().take(3).map(|c| format!("{} {:?}", c.frame, c.wrong));
            let expected: Vec<String> = expected.collect();
            let elsewhere = unexpected.elsewhere.iter().take(2).map(|e| format!("{} {}", e.frame, e.whole));
            format!("unexpected: {} / {}", expected.join(", "), elsewhere.collect::<Vec<_>>().join(", "))
        }
        ItemKind::Silence(silence) => format!("silence {:?}", silence.expected),
        other => format!("{other:?}"),
    };
    format!("    {:9.4}-{:9.4} {way} {bytes}{:?} {kind}\n", item.from.secs(), item.at.secs(), item.faults)
}

/// How much each protocol has to say: a look at the ingredients.
pub fn show() {
    let registry = Registry::shipped();
    for name in PROTOCOLS {
        let Ok(table) = registry.get(name) else { continue };
        let kit = Kit::new(name, table);
        for talk in kit.talks.iter().take(1).chain(kit.refusing.iter().take(1)) {
            println!("{name}: {} messages", talk.len());
            for message in talk.iter().take(6) {
                let bytes: String =
                    message.bytes.iter().take(24).map(|byte| format!("{byte:02X} ")).collect();
                println!("    {} {bytes}", if message.direction == Direction::Tx { '>' } else { '<' });
            }
        }
    }
    println!("console: {} lines", texts(&registry).len());
}
