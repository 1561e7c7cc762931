//! The same bytes read by another table, or with their bits changed: how well that explains them.

use std::sync::Arc;

use crate::line::{Direction, LineEvent, Seen};
use crate::machine::{Env, Observer, Program, Score};

use super::engine::Hearing;

/// Events that are read otherwise; more would only repeat what these say.
const READ_AGAIN: usize = 192;

/// A protocol that may be there instead of the one that is expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Other {
    pub name: String,
    /// What it is and where it is met.
    pub about: String,
    /// How well it explains the bytes, against chance (natural logarithm).
    pub weight: f64,
}

/// The table that explains the events best, if any does.
pub fn best<'e>(
    programs: &[Arc<Program>],
    env: &Env,
    heard: Hearing,
    events: impl Iterator<Item = &'e LineEvent> + Clone,
) -> Option<Other> {
    let mut best: Option<(&Arc<Program>, f64)> = None;
    for program in programs {
        let weight = score(program, env, heard, events.clone(), |byte| byte).log_weight;
        if weight > best.map_or(0.0, |(_, most)| most) {
            best = Some((program, weight));
        }
    }
    let (program, weight) = best?;
    let table = program.table();
    Some(Other { name: table.name.to_string(), about: table.about.trim().into(), weight })
}

/// The score of a table over the first events, each received byte changed.
pub fn score<'e>(
    program: &Arc<Program>,
    env: &Env,
    heard: Hearing,
    events: impl Iterator<Item = &'e LineEvent>,
    change: fn(u8) -> u8,
) -> Score {
    let env = single(program, env);
    let observer = Observer::scoring(program.clone(), heard.sides, heard.settings, &env);
    let mut observer = observer.stamped(heard.uncertainty);
    for event in events.take(READ_AGAIN) {
        let seen = match (event.seen, event.direction) {
            (Seen::Byte(byte), Direction::Rx) => Seen::Byte(change(byte)),
            (seen, _) => seen,
        };
        observer.on_event(&LineEvent { seen, ..*event });
    }
    observer.finish();
    observer.score()
}

/// One hypothesis: every parameter that is not set at its usual value. Reading again is to tell protocols apart, not their variants.
fn single(program: &Program, env: &Env) -> Env {
    let unset = program.table().parameters.iter().filter(|parameter| env.get(&parameter.name).is_none());
    unset.fold(env.clone(), |env, parameter| env.with(&parameter.name, parameter.value.clone()))
}
