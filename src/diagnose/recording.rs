//! A recording, played to the tables: what was said in it, and in which protocol.

use std::sync::Arc;

use crate::capture::{Header, Record, What};
use crate::line::{Direction, LineEvent};
use crate::machine::{Env, Item, Observer, Program, Score, Sides};

use super::engine::{Engine, Hearing};
use super::posterior::Diagnosis;
use super::recognise::{Recognised, Recogniser};
use super::verdict::Verdict;

/// What a recording holds, and why it is as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    pub sides: Sides,
    /// Each item, and what its bytes were where the diagnosis still looks at them.
    pub items: Vec<(Item, Option<(Verdict, f64)>)>,
    pub score: Score,
    pub diagnosis: Diagnosis,
}

/// Reads a recording by one table. `others` gives the tables that may be there instead; it is asked only if this one explains little.
pub fn observe(
    program: &Arc<Program>,
    header: &Header,
    records: &[Record],
    env: &Env,
    others: &dyn Fn() -> Vec<Arc<Program>>,
) -> Observed {
    // Heard on one wire it may be both sides or the device alone: whichever the bytes fit better.
    let sides = match heard(records).as_slice() {
        [only] => *only,
        several => {
            let tried = several.iter().map(|sides| {
                let mut observer = Observer::scoring(program.clone(), *sides, header.settings, env);
                play(&mut observer, records);
                (*sides, observer.score().log_weight)
            });
            tried.max_by(|a, b| a.1.total_cmp(&b.1)).map_or(Sides::Both, |(sides, _)| sides)
        }
    };
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
    if engine.is_at_a_loss() {
        engine.consider(others().into_iter().filter(|other| !Arc::ptr_eq(other, program)).collect());
    }
    let diagnosis = engine.diagnosis();
    let verdicts = engine.verdicts(&diagnosis);
    let items = engine.items().into_iter().zip(0u64..);
    let items = items.map(|(item, number)| (item, verdicts.get(&number).copied())).collect();
    Observed { sides, items, score: engine.observer().score(), diagnosis }
}

/// Which protocols explain a recording, best first.
pub fn recognise(programs: &[Arc<Program>], header: &Header, records: &[Record]) -> Vec<Recognised> {
    let mut recogniser = Recogniser::new(programs, &heard(records), header.settings);
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
