//! What a window's bytes could be instead of what was made of them: the replies that were due, the same frames with other bits, other tables.

use std::sync::Arc;

use crate::frame::{Frame, ItemKind as Element, Times};
use crate::line::{Direction, LineEvent};
use crate::machine::{Env, ItemKind, Program, Score};

use super::engine::Hearing;
use super::measure::{Damage, Otherwise, Stretches};
use super::mend;
use super::others;
use super::window::Window;

/// Items, newest first, that tell which replies were due.
const LATEST: usize = 64;

/// What the table that is expected says of the window.
pub fn told(own: &Arc<Program>, window: &Window) -> Otherwise {
    Otherwise {
        expected: expected(own, window),
        refusals: mend::refusals(own.table()),
        mended: mend::mended(own.table(), &window.items),
        stretches: Stretches::of(own, window),
        damage: Damage::of(own, window),
        ..Otherwise::default()
    }
}

/// Reads the same bytes once more.
pub struct Reread<'a> {
    pub own: &'a Arc<Program>,
    pub env: &'a Env,
    /// As what the bytes are read now.
    pub heard: Hearing,
}

impl Reread<'_> {
    /// Adds how well the events are explained with other bits, and by `others`.
    pub fn beside<'e>(
        &self,
        told: Otherwise,
        events: impl Iterator<Item = &'e LineEvent> + Clone,
        others: &[Arc<Program>],
    ) -> Otherwise {
        let share = |score: Score| score.explained as f64 / score.bytes.max(1) as f64;
        // What was sent is explained as it is, and so may some of what was received be.
        let as_it_is = share(self.score(events.clone(), |byte| byte));
        let gained = |share: f64| ((share - as_it_is) / (1.0 - as_it_is).max(f64::EPSILON)).max(0.0);
        let read = |change: fn(u8) -> u8| gained(share(self.score(events.clone(), change)));
        Otherwise {
            reversed: read(u8::reverse_bits),
            complemented: read(|byte| !byte),
            masked: read(|byte| byte & 0x7F),
            other: others::best(others, self.env, self.heard, events.clone()),
            ..told
        }
    }

    /// How well the table that is expected explains the events, each received byte changed.
    pub fn score<'e>(&self, events: impl Iterator<Item = &'e LineEvent>, change: fn(u8) -> u8) -> Score {
        others::score(self.own, self.env, self.heard, events, change)
    }
}

/// How the replies begin that did not come, or came as something else.
fn expected(own: &Program, window: &Window) -> Vec<Vec<u8>> {
    let mut names: Vec<&str> = Vec::new();
    for item in window.items.iter().rev().take(LATEST) {
        match &item.kind {
            ItemKind::Unexpected(unexpected) => {
                let device = unexpected.expected.iter().filter(|c| c.direction == Direction::Rx);
                names.extend(device.map(|candidate| &*candidate.frame));
            }
            ItemKind::Silence(silence) => names.extend(silence.expected.iter().map(|name| &**name)),
            _ => {}
        }
    }
    names.sort_unstable();
    names.dedup();
    let table = own.table();
    let frames = names.iter().filter_map(|name| table.frames.iter().find(|f| &**f.name() == *name));
    let mut heads: Vec<Vec<u8>> = frames.map(head).filter(|head| !head.is_empty()).collect();
    heads.sort();
    heads.dedup();
    heads
}

/// The literal bytes that a frame begins with.
fn head(frame: &Frame) -> Vec<u8> {
    let mut head = Vec::new();
    if frame.envelope().is_some() {
        return head;
    }
    for item in &frame.layout().items {
        match &item.kind {
            Element::Literal { bytes, times: Times::Exactly(count) } if *count <= 8 => {
                (0..*count).for_each(|_| head.extend_from_slice(bytes));
            }
            _ => break,
        }
    }
    head.truncate(8);
    head
}
