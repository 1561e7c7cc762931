//! What stands in spoilt replies by the table's frames alone: whole ones, ones that break off, ones with a fault, and what is none.

use crate::line::Direction;
use crate::machine::{Piece, PieceKind, Vocabulary};
use crate::wire::single_pulse_bytes;

use super::super::evidence::Evidence;
use super::super::window::Window;
use super::replies;

/// Bytes of spoilt replies that are looked at.
const MOST_BYTES: usize = 1536;

/// Of spoilt replies, what each holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stretches(Vec<Held>);

/// How many pieces of each kind a stretch holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Held {
    whole: usize,
    cut: usize,
    broken: usize,
    faulty: usize,
    strange: usize,
    /// Of the strange bytes, those at either end that one pulse can make.
    pulses: usize,
    /// Bytes, and those with a line error.
    bytes: usize,
    flagged: usize,
}

/// What became of a reply, where one thing alone did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It ends before it is whole, and nothing was reported.
    CutQuietly,
    /// A byte of it is another one, and nothing was reported...
    FaultyQuietly,
    /// ... or something was.
    FaultyFlagged,
    /// Pulses were added at its ends.
    Pulsed,
    /// Many bytes in it are of no frame.
    Stormy,
    Other,
}

/// So many bytes of no frame are a storm.
const STORM: usize = 5;

impl Held {
    fn fate(&self) -> Fate {
        let frames = self.whole + self.cut + self.broken + self.faulty;
        match self {
            _ if self.bytes < 2 => Fate::Other,
            held if held.strange > 0 && held.strange == held.pulses && frames > 0 => Fate::Pulsed,
            held if held.strange - held.pulses >= STORM => Fate::Stormy,
            held if held.strange > 0 => Fate::Other,
            held if held.faulty > 0 && held.flagged == 0 => Fate::FaultyQuietly,
            held if held.faulty > 0 => Fate::FaultyFlagged,
            held if held.cut + held.broken > 0 && held.flagged == 0 => Fate::CutQuietly,
            _ => Fate::Other,
        }
    }
}

impl Stretches {
    pub fn of(vocabulary: &Vocabulary, window: &Window) -> Stretches {
        let from = (!window.shared).then_some(Direction::Rx);
        let held = |(bytes, flagged): (Vec<u8>, usize)| {
            let pieces = vocabulary.pieces(&bytes, from);
            let pulse = |piece: &&Piece| {
                piece.kind == PieceKind::Strange && single_pulse_bytes().any(|one| one == bytes[piece.from])
            };
            let first = pieces.iter().take_while(pulse).count();
            let last = pieces[first..].iter().rev().take_while(pulse).count();
            let mut held = Held { bytes: bytes.len(), flagged, pulses: first + last, ..Held::default() };
            for piece in pieces {
                let count = match piece.kind {
                    PieceKind::Whole => &mut held.whole,
                    PieceKind::Cut => &mut held.cut,
                    PieceKind::Broken => &mut held.broken,
                    PieceKind::Faulty => &mut held.faulty,
                    PieceKind::Strange => &mut held.strange,
                };
                *count += 1;
            }
            held
        };
        Stretches(replies::spoilt(window, MOST_BYTES).into_iter().map(held).collect())
    }
}

pub fn measure(stretches: &Stretches, evidence: &mut Evidence) {
    let all = stretches.0.len();
    let of = |wanted: fn(&Held) -> bool| stretches.0.iter().filter(|held| wanted(held)).count();
    let frames = |held: &Held| held.whole > 0 && held.cut + held.broken + held.faulty + held.strange == 0;
    evidence.share("stretch-whole", of(frames), all);
    evidence.share("stretch-cut", of(|held| held.cut > 0), all);
    evidence.share("stretch-broken", of(|held| held.broken > 0), all);
    evidence.share("stretch-faulty", of(|held| held.faulty > 0), all);
    evidence.share("stretch-strange", of(|held| held.strange > 0), all);
    evidence.share("stretch-mixed", of(|held| held.whole > 0 && held.strange > 0), all);
    evidence.share("stretch-without", of(|held| held.whole + held.cut + held.broken + held.faulty == 0), all);
    let fate = |fate: Fate| stretches.0.iter().filter(|held| held.fate() == fate).count();
    evidence.count("replies-cut-quietly", fate(Fate::CutQuietly));
    evidence.count("replies-faulty-quietly", fate(Fate::FaultyQuietly));
    evidence.count("replies-faulty-flagged", fate(Fate::FaultyFlagged));
    evidence.count("replies-pulsed", fate(Fate::Pulsed));
    evidence.count("replies-stormy", fate(Fate::Stormy));
    evidence.count("stretches-whole", of(frames));
    evidence.count("stretches-cut", of(|held| held.cut + held.broken > 0));
    evidence.count("stretches-faulty", of(|held| held.faulty > 0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_that_became_of_a_reply_is_told_from_several() {
        let held = Held { bytes: 9, ..Held::default() };
        assert_eq!(Held { cut: 1, ..held }.fate(), Fate::CutQuietly);
        assert_eq!(Held { faulty: 1, ..held }.fate(), Fate::FaultyQuietly);
        assert_eq!(Held { faulty: 1, flagged: 1, ..held }.fate(), Fate::FaultyFlagged);
        assert_eq!(Held { whole: 1, strange: 1, pulses: 1, ..held }.fate(), Fate::Pulsed);
        assert_eq!(Held { strange: 9, flagged: 5, ..held }.fate(), Fate::Stormy);
        assert_eq!(Held { cut: 1, flagged: 1, ..held }.fate(), Fate::Other);
        assert_eq!(Held { cut: 1, strange: 2, pulses: 1, ..held }.fate(), Fate::Other);
    }
}
