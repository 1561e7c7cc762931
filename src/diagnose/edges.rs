//! Whoever listens begins and ends in the middle of something: the piece of a frame at either end is no evidence of anything.

use std::borrow::Cow;

use crate::line::{Direction, Seen, Span};
use crate::machine::{Item, ItemKind};
use crate::wire::single_pulse_bytes;

use super::window::{Heard, Standing, Window};

/// Silence that ends a piece, in character times.
const GAP: f64 = 10.0;
/// Healthy frames that a piece is laid beside.
const MOST_HEALTHY: usize = 32;

/// How many events at the beginning and at the end of a window are pieces of frames that were heard in part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edges {
    pub head: usize,
    pub tail: usize,
}

/// The edges of a window. What is still open at its end may go on, and is none.
pub fn edges(window: &Window) -> Edges {
    let whole: Vec<&Item> =
        window.items().filter(|i| i.framed().is_some_and(|f| f.wrong.is_empty())).collect();
    // Without a whole frame there is nothing to be a piece of.
    let Some(longest) = whole.iter().map(|item| item.bytes.len()).max() else { return Edges::default() };
    let healthy = |direction: Direction| -> Vec<&[u8]> {
        let same = whole.iter().filter(|item| item.direction == direction || window.shared);
        let mut known: Vec<&[u8]> = Vec::new();
        for item in same {
            if known.len() < MOST_HEALTHY && !known.contains(&&item.bytes[..]) {
                known.push(&item.bytes);
            }
        }
        known
    };
    let half = |count: &usize| *count > 0 && 2 * count < window.events.len();
    let short = |piece: &[u8]| !piece.is_empty() && piece.len() < longest;
    let head = Some(head(window)).filter(half).filter(|count| {
        let heard = bytes(window.events.iter().take(*count));
        let known = healthy(window.events[0].event.direction);
        // Whole frames right behind the piece were not told apart from it.
        let piece = stripped(&heard, |rest| known.iter().find_map(|frame| rest.strip_suffix(*frame)));
        let ends = known.iter().any(|frame| frame.len() > piece.len() && frame.ends_with(piece));
        let begins = known.iter().any(|frame| frame.len() > piece.len() && frame.starts_with(piece));
        let pulse = piece.len() == 1 && single_pulse_bytes().any(|byte| byte == piece[0]);
        window.is_whole && short(piece) && (ends || !begins && !pulse)
    });
    let tail = Some(tail(window)).filter(half).filter(|count| {
        let from = window.events.len() - count;
        let heard = bytes(window.events.iter().skip(from));
        let known = healthy(window.events[from].event.direction);
        let piece = stripped(&heard, |rest| known.iter().find_map(|frame| rest.strip_prefix(*frame)));
        let begins = known.iter().any(|frame| frame.len() > piece.len() && frame.starts_with(piece));
        let alone = |item: &Item| item.bytes.len() == *count && breaks_off(item);
        short(piece) && (begins || window.items.back().is_some_and(|item| alone(item)))
    });
    let (head, tail) = (head.unwrap_or(0), tail.unwrap_or(0));
    if head + tail < window.events.len() { Edges { head, tail } } else { Edges { head, tail: 0 } }
}

/// What lies between the edges.
pub fn between(window: &Window, edges: Edges) -> Cow<'_, Window> {
    if edges == Edges::default() {
        return Cow::Borrowed(window);
    }
    let mut inside = window.clone();
    let gone: Vec<u64> = {
        let head = window.events.iter().take(edges.head);
        let tail = window.events.iter().skip(window.events.len() - edges.tail);
        head.chain(tail).filter_map(|heard| heard.item).collect()
    };
    let first = window.items_seen - window.items.len() as u64;
    let mut number = first;
    inside.items.retain(|_| {
        number += 1;
        !gone.contains(&(number - 1))
    });
    inside.events.truncate(window.events.len() - edges.tail);
    inside.events.drain(..edges.head);
    Cow::Owned(inside)
}

/// The bytes at the beginning that belong to no healthy frame, up to the first that does, a silence, or a byte of the other side.
fn head(window: &Window) -> usize {
    let Some(first) = window.events.front() else { return 0 };
    let mut last = first;
    let piece = window.events.iter().take_while(|heard| {
        let joins = belongs(heard, first) && is_near(window, last, heard);
        last = heard;
        joins
    });
    piece.count()
}

/// The same at the end.
fn tail(window: &Window) -> usize {
    let Some(end) = window.events.back() else { return 0 };
    let mut next = end;
    let piece = window.events.iter().rev().take_while(|heard| {
        let joins = belongs(heard, end) && is_near(window, heard, next);
        next = heard;
        joins
    });
    piece.count()
}

fn belongs(heard: &Heard, to: &Heard) -> bool {
    heard.event.direction == to.event.direction
        && heard.event.seen != Seen::Marker
        && matches!(heard.standing, Standing::Unexpected | Standing::Damaged)
}

fn is_near(window: &Window, before: &Heard, after: &Heard) -> bool {
    let gap: Span = (after.event.at - before.event.at).saturating_sub(window.uncertainty);
    window.characters(gap) < GAP
}

fn bytes<'a>(heard: impl Iterator<Item = &'a Heard>) -> Vec<u8> {
    heard.filter_map(|heard| heard.event.value()).collect()
}

/// What is left when known frames are taken off, one after the other, as long as something is left.
fn stripped<'a>(piece: &'a [u8], off: impl Fn(&'a [u8]) -> Option<&'a [u8]>) -> &'a [u8] {
    let mut piece = piece;
    while let Some(less) = off(piece).filter(|less| !less.is_empty() && less.len() < piece.len()) {
        piece = less;
    }
    piece
}

/// The bytes fit a frame that could have come, and more of it would have to follow.
pub fn breaks_off(item: &Item) -> bool {
    let ItemKind::Unexpected(unexpected) = &item.kind else { return false };
    let cut = |mismatch: &crate::frame::Mismatch| mismatch.at >= item.bytes.len();
    item.bytes.len() > 1 && unexpected.expected.iter().any(|c| c.wrong.as_ref().is_some_and(cut))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnose::{Cause, Engine, Hearing};
    use crate::line::{Baud, Instant, LineErrors, LineEvent, Settings};
    use crate::machine::{Env, Program, Sides};
    use crate::protocol::Registry;

    const READINGS: [&[u8]; 2] = [
        &[0x01, 0x03, 0x04, 0x00, 0x11, 0x22, 0x33, 0xF2, 0x83],
        &[0x01, 0x03, 0x04, 0x00, 0x12, 0x22, 0x34, 0x43, 0x41],
    ];

    /// An engine that has heard these pieces, with silence between them.
    fn heard(pieces: &[&[u8]]) -> Engine {
        let program = Program::compile(Registry::shipped().get("modbus-rtu").expect("a shipped table"));
        let settings = Settings::new(Baud::nearest(9600.0), program.table().line.format);
        let hearing = Hearing {
            settings,
            line_errors: LineErrors::PerByte,
            uncertainty: Span::ZERO,
            sides: Sides::Device,
        };
        let mut engine = Engine::new(Arc::new(program), Vec::new(), Env::new(), hearing);
        let mut now = Instant::ZERO;
        for piece in pieces {
            now += settings.character_time() * 40;
            for byte in *piece {
                now += settings.character_time();
                engine.on_event(&LineEvent::byte(now, Direction::Rx, *byte));
            }
        }
        engine.finish();
        engine
    }

    fn talk<'a>(first: &'a [u8], last: &'a [u8]) -> Vec<&'a [u8]> {
        let mut pieces = vec![first];
        (0..6).for_each(|round| pieces.push(READINGS[round % 2]));
        pieces.push(last);
        pieces
    }

    #[test]
    fn a_recording_that_begins_and_ends_inside_frames_is_a_healthy_one() {
        let engine = heard(&talk(&READINGS[0][4..], &READINGS[1][..6]));
        assert_eq!(edges(&engine.window()), Edges { head: 5, tail: 6 });
        assert_eq!(engine.diagnosis().leading().cause, Cause::Clean);
    }

    #[test]
    fn a_frame_right_behind_the_first_piece_goes_with_it() {
        let first = [&READINGS[1][5..], READINGS[0]].concat();
        let engine = heard(&talk(&first, READINGS[1]));
        assert!(matches!(edges(&engine.window()).head, 0 | 4 | 13), "{:?}", edges(&engine.window()));
        assert_eq!(engine.diagnosis().leading().cause, Cause::Clean);
    }

    #[test]
    fn a_frame_that_breaks_off_in_the_middle_is_no_edge() {
        let mut pieces = talk(READINGS[0], READINGS[1]);
        pieces.insert(3, &READINGS[1][..6]);
        assert_eq!(edges(&heard(&pieces).window()), Edges::default());
    }

    #[test]
    fn the_beginning_of_a_frame_at_the_beginning_was_heard_whole_and_broke_off() {
        let engine = heard(&talk(&READINGS[0][..6], READINGS[1]));
        assert_eq!(edges(&engine.window()), Edges::default());
    }
}
