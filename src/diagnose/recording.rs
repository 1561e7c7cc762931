//! A recording, played to the tables: what was said in it, and in which protocol.

use std::sync::{Arc, LazyLock};

use crate::capture::{Header, Record, What};
use crate::line::{Direction, LineEvent};
use crate::machine::{Env, Item, Observer, Program, Score, Sides};
use crate::protocol::Table;

use super::engine::{Engine, Hearing};
use super::posterior::Diagnosis;
use super::recognise::{Recognised, Recogniser};
use super::verdict::Verdict;

/// An item with what its bytes were, and how sure that is.
pub type Judged = (Arc<Item>, Option<(Verdict, f64)>);

/// What a recording holds, and why it is as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    pub sides: Sides,
    /// Each item, and what its bytes were where the diagnosis still looks at them.
    pub items: Vec<Judged>,
    pub score: Score,
    pub diagnosis: Diagnosis,
}

/// Events by which the likeliest protocol is chosen where none is convincing.
const ENOUGH: usize = 2048;

/// A table without frames.
const NO_FRAMES: &str = "language = 1\nname = \"unknown\"\ntitle = \"Unknown protocol\"\n";

/// Reads a recording by one table. `others` gives the tables that may be there instead; it is asked only if this one explains little.
pub fn observe(
    program: &Arc<Program>,
    header: &Header,
    records: &[Record],
    env: &Env,
    others: &dyn Fn() -> Vec<Arc<Program>>,
) -> Observed {
    let sides = sides(program, header, records, env);
    let hearing = Hearing {
        settings: header.settings,
        line_errors: header.line_errors,
        uncertainty: header.uncertainty,
        sides,
    };
    let mut engine = Engine::new(program.clone(), Vec::new(), env.clone(), hearing);
    for record in records {
        match &record.what {
            What::Seen(event) => engine.on_event(event),
            What::Set(settings) => engine.on_settings(*settings),
            What::Lines(_) => {}
        }
    }
    engine.finish();
    if engine.is_in_doubt() {
        engine.consider(others().into_iter().filter(|other| !Arc::ptr_eq(other, program)).collect());
    }
    let diagnosis = engine.diagnosis();
    let verdicts = engine.verdicts(&diagnosis);
    let items = engine.items().zip(0u64..);
    let items = items.map(|(item, number)| (item, verdicts.get(&number).copied())).collect();
    Observed { sides, items, score: engine.observer().score(), diagnosis }
}

/// A protocol of which nothing is known, for recordings that no table explains: what looks like a frame of one does so by chance, and
/// proves nothing.
pub fn unknown_protocol() -> Option<Arc<Program>> {
    static UNKNOWN: LazyLock<Option<Arc<Program>>> = LazyLock::new(|| {
        let (table, _) = Table::read("unknown.toml", NO_FRAMES).ok()?;
        Some(Arc::new(Program::compile(Arc::new(table))))
    });
    UNKNOWN.clone()
}

/// How a recording was made: heard on one wire it may be both sides or the device alone, whichever the bytes fit better.
pub fn sides(program: &Arc<Program>, header: &Header, records: &[Record], env: &Env) -> Sides {
    let several = match heard(records).as_slice() {
        [only] => return *only,
        several => several.to_vec(),
    };
    let tried = several.into_iter().map(|sides| {
        let observer = Observer::scoring(program.clone(), sides, header.settings, env);
        let mut observer = observer.stamped(header.uncertainty);
        play(&mut observer, records);
        (sides, observer.score().log_weight)
    });
    // Of equals the first: the device alone.
    let best = tried.reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map_or(Sides::Both, |(sides, _)| sides)
}

/// Which protocols explain a recording, best first.
pub fn recognise(programs: &[Arc<Program>], header: &Header, records: &[Record]) -> Vec<Recognised> {
    let mut recogniser =
        Recogniser::new(programs, &heard(records), header.settings).stamped(header.uncertainty);
    for record in records {
        match &record.what {
            What::Seen(event) => recogniser.on_event(event),
            What::Set(settings) => recogniser.on_settings(*settings),
            What::Lines(_) => {}
        }
    }
    recogniser.finish();
    recogniser.ranking()
}

/// The protocol that explains most, convincing or not: what is diagnosed where nothing is recognised.
pub fn likeliest(programs: &[Arc<Program>], header: &Header, records: &[Record]) -> Option<Arc<Program>> {
    let mut recogniser =
        Recogniser::new(programs, &heard(records), header.settings).stamped(header.uncertainty);
    records.iter().filter_map(Record::event).take(ENOUGH).for_each(|event| recogniser.on_event(event));
    recogniser.finish();
    recogniser.best().map(|best| best.program)
}

fn play(observer: &mut Observer, records: &[Record]) {
    for record in records {
        match &record.what {
            What::Seen(event) => observer.on_event(event),
            What::Set(settings) => observer.on_settings(*settings),
            What::Lines(_) => {}
        }
    }
    observer.finish();
}

/// Ways in which a recording can have been made.
fn heard(records: &[Record]) -> Vec<Sides> {
    let from = |direction| {
        let heard = |event: &LineEvent| event.direction == direction;
        records.iter().filter_map(Record::event).any(heard)
    };
    match (from(Direction::Rx), from(Direction::Tx)) {
        (true, true) => vec![Sides::Both],
        (false, true) => vec![Sides::Host],
        (true, false) => vec![Sides::Device, Sides::Shared],
        (false, false) => vec![Sides::Both],
    }
}
