//! What stands in spoilt replies by the table's frames alone: whole ones, ones that break off, ones with a fault, and what is none.

use crate::line::Direction;
use crate::machine::{PieceKind, Program};

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
}

impl Stretches {
    pub fn of(program: &Program, window: &Window) -> Stretches {
        let from = (!window.shared).then_some(Direction::Rx);
        let held = |bytes: Vec<u8>| {
            let mut held = Held::default();
            for piece in program.pieces(&bytes, from) {
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
    evidence.count("stretches-whole", of(frames));
    evidence.count("stretches-cut", of(|held| held.cut + held.broken > 0));
    evidence.count("stretches-faulty", of(|held| held.faulty > 0));
}
