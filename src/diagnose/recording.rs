//! A recording, played to the tables: what was said in it, and in which protocol.

use std::sync::Arc;

use crate::capture::{Header, Record, What};
use crate::line::{Direction, LineEvent};
use crate::machine::{Env, Item, Observer, Program, Score, Sides};

use super::recognise::{Recognised, Recogniser};

/// What an observer understood of a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    pub sides: Sides,
    pub items: Vec<Item>,
    pub score: Score,
}

/// Reads a recording by one table.
pub fn observe(program: &Arc<Program>, header: &Header, records: &[Record], env: &Env) -> Observed {
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
    let mut observer = Observer::new(program.clone(), sides, header.settings, env);
    let items = play(&mut observer, records);
    Observed { sides, items, score: observer.score() }
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

fn play(observer: &mut Observer, records: &[Record]) -> Vec<Item> {
    for record in records {
        match &record.what {
            What::Seen(event) => observer.on_event(event),
            What::Set(settings) => observer.on_settings(*settings),
            What::Lines(_) => {}
        }
    }
    observer.finish();
    observer.items()
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
