//! The same bytes read by another table, or with their bits changed: how well that explains them.

use std::sync::Arc;

use crate::frame::{Allowed, Envelope, FieldType, Frame, ItemKind};
use crate::line::{Direction, LineEvent, Seen};
use crate::machine::{Env, Observer, Program, Score};
use crate::protocol::Parameter;

use super::engine::Hearing;
use super::window::is_text;

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
    /// Others that explain them nearly as well, best first.
    pub nearly: Vec<String>,
}

/// Natural logarithm by which the next table must be behind for the best one to stand alone.
const NEAR: f64 = 3.0;
/// Tables that are asked once more when a part of the events is taken out.
const PROMISING: usize = 6;

/// The table that explains the events best, if any does, and those that explain most of all, best first. One that finds nothing in them but
/// lines of any text explains no more than that they are text, and is no other protocol.
pub fn best<'e>(
    programs: &[Arc<Program>],
    env: &Env,
    heard: Hearing,
    events: impl Iterator<Item = &'e LineEvent> + Clone,
) -> (Option<Other>, Vec<Arc<Program>>) {
    let score = |program: &Arc<Program>| {
        let of = |env: &Env| score(program, env, heard, events.clone(), |byte| byte);
        let (any, known) = (usual(program, env, true), usual(program, env, false));
        let heard = of(&any);
        // With its usual values a table explains nothing that it does not with any.
        if heard.valid == 0 || any == known {
            return heard;
        }
        let usual = of(&known);
        if usual.log_weight > heard.log_weight { usual } else { heard }
    };
    let mut weights: Vec<(&Arc<Program>, f64)> =
        programs.iter().map(|program| (program, score(program).log_weight)).collect();
    weights.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let promising = weights.iter().take(PROMISING).map(|(program, _)| Arc::clone(program)).collect();
    let explains = weights.iter().take_while(|(_, weight)| *weight > 0.0);
    let says_more = |(program, _): &(&Arc<Program>, f64)| {
        !finds_only_text(program, &usual(program, env, true), heard, events.clone())
    };
    let Some(first) = explains.take(PROMISING).position(says_more) else { return (None, promising) };
    let (program, weight) = weights[first];
    let name = |program: &Program| program.table().name.to_string();
    let near = weights[first + 1..].iter().take_while(|(_, other)| *other > (weight - NEAR).max(0.0));
    let nearly = near.map(|(program, _)| name(program)).collect();
    let best = Other { name: name(program), about: program.table().about.trim().into(), weight, nearly };
    (Some(best), promising)
}

/// The score of a table over the first events, each received byte changed.
pub fn score<'e>(
    program: &Arc<Program>,
    env: &Env,
    heard: Hearing,
    events: impl Iterator<Item = &'e LineEvent>,
    change: fn(u8) -> u8,
) -> Score {
    let observer = Observer::scoring(program.clone(), heard.sides, heard.settings, env);
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

/// Most of what the table understands of the first events is lines of any text.
fn finds_only_text<'e>(
    program: &Arc<Program>,
    env: &Env,
    heard: Hearing,
    events: impl Iterator<Item = &'e LineEvent>,
) -> bool {
    let table = program.table();
    let lines: Vec<&str> =
        table.frames.iter().filter(|frame| is_any_line(frame)).map(|frame| &**frame.name()).collect();
    if lines.is_empty() {
        return false;
    }
    let observer = Observer::new(program.clone(), heard.sides, heard.settings, env);
    let mut observer = observer.stamped(heard.uncertainty);
    events.take(READ_AGAIN).for_each(|event| observer.on_event(event));
    observer.finish();
    let items = observer.items();
    let received = items.iter().filter(|item| item.direction == Direction::Rx);
    let (mut any, mut all) = (0, 0);
    for (framed, item) in received.filter_map(|item| Some((item.framed()?, item))) {
        all += item.bytes.len();
        any += if lines.contains(&&*framed.frame) { item.bytes.len() } else { 0 };
    }
    2 * any > all
}

/// Any text fits between the ends of the frame's lines.
fn is_any_line(frame: &Frame) -> bool {
    let is_blank = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_whitespace);
    let items = &frame.layout().items;
    let texts = items.iter().filter(|item| match &item.kind {
        ItemKind::Field(field) => {
            matches!((&field.kind, &field.allowed), (FieldType::Text(None), Allowed::Any))
        }
        _ => false,
    });
    let blanks =
        items.iter().filter(|item| matches!(&item.kind, ItemKind::Literal { bytes, .. } if is_blank(bytes)));
    let is_wrapped_by_ends = match frame.envelope() {
        None => true,
        Some(Envelope::Line { start, end, .. }) => is_blank(start) && is_blank(end),
        Some(_) => false,
    };
    is_wrapped_by_ends && texts.count() == 1 && blanks.count() + 1 == items.len()
}

/// How much better than chance it explains the same events that they are text (natural logarithm).
pub fn text_weight<'e>(events: impl Iterator<Item = &'e LineEvent>) -> f64 {
    const PRINTABLE: f64 = 99.0;
    let received = events.take(READ_AGAIN).filter(|event| event.direction == Direction::Rx);
    let weight = |byte| if is_text(byte) { (256.0 / PRINTABLE).ln() } else { -(256.0f64 / PRINTABLE).ln() };
    received.filter_map(LineEvent::value).map(weight).sum()
}

/// Every parameter that is not set at its usual value. A device has an address of its own all the same: with `heard`, only parameters that
/// have several values are held to it, as reading again is to tell protocols apart and not their variants.
fn usual(program: &Program, env: &Env, heard: bool) -> Env {
    let held = |parameter: &&Parameter| {
        env.get(&parameter.name).is_none() && (!heard || !parameter.one_of.is_empty())
    };
    let unset = program.table().parameters.iter().filter(held);
    unset.fold(env.clone(), |env, parameter| env.with(&parameter.name, parameter.value.clone()))
}
