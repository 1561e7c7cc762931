//! What stands around a byte: the run that it came in, how long nothing was reported about it, and the frame of the table that it is part of.

use crate::line::{Direction, Seen};
use crate::machine::{PieceKind, Vocabulary};

use super::super::window::{Heard, Window};
use super::replies::Received;

/// Silence that ends a run, in character times from one byte to the next.
const GAP: f64 = 4.5;
/// Neighbours that are looked at on either side.
const REACH: usize = 4;
/// Bytes that are laid beside the table's frames, the newest ones.
const MOST_BYTES: usize = 4096;

/// Where a received byte stands in its run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    /// Received bytes that came one after the other, whatever was sent meanwhile.
    pub run: usize,
    /// Its place among them.
    pub at: usize,
    /// Those without a line error right around it, itself included; 0 for one that has one.
    pub clean: usize,
    /// The part of those with a line error among the nearest before it, and behind it.
    pub flagged: [f64; 2],
}

/// The place of each event in its run.
pub fn places(window: &Window) -> Vec<Place> {
    let mut found = vec![Place::default(); window.events.len()];
    let mut run: Vec<usize> = Vec::new();
    for (at, heard) in window.events.iter().enumerate() {
        if heard.event.direction == Direction::Tx || heard.event.seen == Seen::Marker {
            continue;
        }
        let near = |last: &usize| {
            let gap = heard.event.at - window.events[*last].event.at;
            window.characters(gap.saturating_sub(window.uncertainty)) < GAP
        };
        if !run.last().is_none_or(near) {
            place(window, &run, &mut found);
            run.clear();
        }
        run.push(at);
    }
    place(window, &run, &mut found);
    found
}

fn place(window: &Window, run: &[usize], found: &mut [Place]) {
    let is_flagged = |heard: &Heard| heard.event.fault.is_some() || heard.event.seen == Seen::Break;
    let flagged: Vec<bool> = run.iter().map(|at| is_flagged(&window.events[*at])).collect();
    let part = |of: &[bool]| {
        let count = of.iter().filter(|flagged| **flagged).count();
        if of.is_empty() { 0.0 } else { count as f64 / of.len() as f64 }
    };
    for (at, event) in run.iter().enumerate() {
        let before = flagged[..at].iter().rev().take_while(|flagged| !**flagged).count();
        let behind = flagged[at..].iter().take_while(|flagged| !**flagged).count();
        let near =
            [&flagged[at.saturating_sub(REACH)..at], &flagged[at + 1..(at + 1 + REACH).min(flagged.len())]];
        found[*event] = Place {
            run: run.len(),
            at,
            clean: if flagged[at] { 0 } else { before + behind },
            flagged: near.map(part),
        };
    }
}

/// What each event of a spoilt reply is part of, by the frames of the table alone.
pub fn pieces(vocabulary: &Vocabulary, window: &Window) -> Vec<Option<PieceKind>> {
    let mut found = vec![None; window.events.len()];
    let from = (!window.shared).then_some(Direction::Rx);
    let mut left = MOST_BYTES;
    let received = Received::of(window);
    for reply in received.replies().iter().rev().filter(|reply| !reply.is_healthy()) {
        let bytes = reply.bytes();
        let Some(less) = left.checked_sub(bytes.len()) else { break };
        left = less;
        for piece in vocabulary.pieces(&bytes, from) {
            let places = reply.places[piece.from..piece.to.min(bytes.len())].iter();
            places.for_each(|place| found[*place] = Some(piece.kind));
        }
    }
    found
}

/// Whether a byte that is of no frame stands right beside one.
pub fn is_at_an_edge(pieces: &[Option<PieceKind>], place: usize) -> bool {
    let framed = |place: Option<usize>| {
        let piece = place.and_then(|place| pieces.get(place).copied().flatten());
        piece.is_some_and(|kind| kind != PieceKind::Strange)
    };
    pieces[place] == Some(PieceKind::Strange) && (framed(place.checked_sub(1)) || framed(Some(place + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::measure::said;
    use crate::machine::Program;
    use crate::machine::meter::{READING, meter};
    use std::sync::Arc;

    /// Runs of bytes with silence between them; every other byte of the flagged ones carries a framing error.
    fn window(program: &Program, runs: &[(&[u8], bool)]) -> Window {
        let said: Vec<(Direction, &[u8])> = runs.iter().map(|(bytes, _)| (Direction::Rx, *bytes)).collect();
        said::window(program.table().line.format, &said, |run, at, _| runs[run].1 && at % 2 == 0)
    }

    #[test]
    fn a_byte_knows_its_run_and_how_long_nothing_was_reported_around_it() {
        let places = places(&window(&meter(), &[(&[0x40, 0x41, 0x42], true), (&READING, false)]));
        assert_eq!((places[1].run, places[1].at, places[1].clean), (3, 1, 1));
        assert_eq!((places[0].clean, places[1].flagged), (0, [1.0, 1.0]));
        assert_eq!((places[3].run, places[3].at, places[3].clean), (6, 0, 6));
        assert_eq!(places[3].flagged, [0.0, 0.0]);
    }

    #[test]
    fn what_a_byte_is_part_of_is_told_by_the_frames_of_the_table() {
        let program = Arc::new(meter());
        let bytes = [&[0xFF][..], &READING].concat();
        let pieces = pieces(&Vocabulary::of(&program), &window(&program, &[(&bytes, false)]));
        assert_eq!(pieces[0], Some(PieceKind::Strange));
        assert!(pieces[1..].iter().all(|piece| *piece == Some(PieceKind::Whole)), "{pieces:?}");
    }
}
