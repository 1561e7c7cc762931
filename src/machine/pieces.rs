//! What stands in a stretch of bytes, by the frames of a table alone: whole frames, frames that break off, frames with one fault, others.
//!
//! An observer asks what may come; here it is asked what is there, wherever it may stand.

use std::sync::Arc;

use crate::frame::Outcome;
use crate::line::Direction;
use crate::protocol::{FrameId, Table};

use super::env::Env;
use super::facts::Facts;
use super::program::Program;
use super::scope::{Place, side};
use super::view::{Ground, Role, View};

/// A part of a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub kind: PieceKind,
    pub from: usize,
    pub to: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceKind {
    /// A healthy frame.
    Whole,
    /// A frame that begins well, and the stretch ends.
    Cut,
    /// A frame that begins well, and another one begins in its middle.
    Broken,
    /// A frame of the right length with one fault in it.
    Faulty,
    /// A byte of no frame.
    Strange,
}

/// A frame worth so many bits is taken for one wherever it stands.
const WORTH: f64 = 12.0;
/// So much of a frame that breaks off must fit.
const LEAST: usize = 2;
/// Frames that can begin with more than so many bytes begin anywhere.
const FEW_STARTS: u32 = 16;

/// What each side can say by the frames of a table alone, with the parameters of one conversation.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    program: Arc<Program>,
    facts: Facts,
    nowhere: Place,
    /// What the host says, the device, and either.
    said: [Vec<FrameId>; 3],
}

impl Vocabulary {
    /// With the parameters that the table gives.
    pub fn of(program: &Arc<Program>) -> Vocabulary {
        Vocabulary::with(program, Facts::of_observer(&program.table, &program.names, &Env::new()))
    }

    pub(super) fn with(program: &Arc<Program>, facts: Facts) -> Vocabulary {
        let said = [Some(Direction::Tx), Some(Direction::Rx), None].map(|from| said(program, from));
        Vocabulary { program: Arc::clone(program), facts, nowhere: Place::default(), said }
    }

    /// The pieces of a stretch, in order. Bytes are taken for frames of the side that they came from; `None` is either.
    pub fn pieces(&self, bytes: &[u8], from: Option<Direction>) -> Vec<Piece> {
        let frames = self.said_by(from);
        let mut pieces = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let (kind, len) = self.piece(frames, &bytes[at..]);
            pieces.push(Piece { kind, from: at, to: at + len });
            at += len;
        }
        pieces
    }

    /// Whether these bytes begin with a whole frame of a side that is more than chance.
    pub fn begin_whole(&self, bytes: &[u8], from: Option<Direction>) -> bool {
        self.whole(self.said_by(from), bytes).is_some()
    }

    /// Which bytes are whole frames of a side, each by itself.
    pub fn single_bytes(&self, from: Option<Direction>) -> [bool; 256] {
        std::array::from_fn(|byte| {
            let byte = byte as u8;
            let read = |frame: &FrameId| match self.read(*frame, &[byte], true) {
                Outcome::Complete(reading) => reading.len == 1,
                Outcome::More(_) | Outcome::Wrong(_) => false,
            };
            let may_begin = |frame: &&FrameId| self.program.starts(**frame).contains(byte);
            self.said_by(from).iter().filter(may_begin).any(read)
        })
    }

    /// Whether these bytes are this frame from the first to the last.
    pub fn is(&self, frame: FrameId, bytes: &[u8]) -> bool {
        matches!(self.read(frame, bytes, true), Outcome::Complete(reading) if reading.len == bytes.len())
    }

    /// Whether the sums and CRCs of this frame are right for these bytes; `None` where it has none.
    pub fn sums_hold(&self, frame: FrameId, bytes: &[u8]) -> Option<bool> {
        self.program.frame(frame).sums_hold(bytes)
    }

    pub fn table(&self) -> &Table {
        &self.program.table
    }

    fn said_by(&self, from: Option<Direction>) -> &[FrameId] {
        &self.said[from.map_or(2, side)]
    }

    fn view(&self) -> View<'_> {
        let ground =
            Ground { program: &self.program, facts: &self.facts, memory: None, role: Role::Observer };
        View::new(ground, &self.nowhere)
    }

    fn read(&self, frame: FrameId, bytes: &[u8], closed: bool) -> Outcome {
        self.program.frame(frame).recognise(bytes, closed, &self.view())
    }

    fn piece(&self, frames: &[FrameId], bytes: &[u8]) -> (PieceKind, usize) {
        if let Some(len) = self.whole(frames, bytes) {
            return (PieceKind::Whole, len);
        }
        let begins = |frame: &&FrameId| self.program.starts(**frame).contains(bytes[0]);
        let beginning: Vec<&FrameId> = frames.iter().filter(begins).collect();
        let faulty = beginning.iter().filter_map(|frame| self.faulty(**frame, bytes)).max();
        let open = beginning.iter().any(|frame| self.fits_on(**frame, bytes));
        if faulty.is_none() && !open {
            return (PieceKind::Strange, 1);
        }
        // Where the next frame stands inside this one, this one ended before.
        let until = faulty.unwrap_or(bytes.len());
        let next = (LEAST..until).find(|at| self.whole(frames, &bytes[*at..]).is_some_and(|len| len > LEAST));
        let fits = |at: &usize| beginning.iter().any(|frame| self.fits_on(**frame, &bytes[..*at]));
        match (next, faulty) {
            (Some(at), _) if fits(&at) => (PieceKind::Broken, at),
            (_, Some(len)) => (PieceKind::Faulty, len),
            (None, None) if bytes.len() >= LEAST => (PieceKind::Cut, bytes.len()),
            _ => (PieceKind::Strange, 1),
        }
    }

    /// The longest healthy frame at the beginning of these bytes that is more than chance.
    fn whole(&self, frames: &[FrameId], bytes: &[u8]) -> Option<usize> {
        let first = *bytes.first()?;
        let read = |frame: &FrameId| match self.read(*frame, bytes, true) {
            Outcome::Complete(reading) => (self.program.chance(*frame).bits(&reading.values, reading.len)
                >= WORTH)
                .then_some(reading.len),
            Outcome::More(_) | Outcome::Wrong(_) => None,
        };
        frames.iter().filter(|frame| self.program.starts(**frame).contains(first)).filter_map(read).max()
    }

    /// How long the frame is that these bytes are with one fault.
    fn faulty(&self, frame: FrameId, bytes: &[u8]) -> Option<usize> {
        match self.program.frame(frame).recognise_damaged(bytes, true, &self.view(), 1) {
            Outcome::Complete(reading) if reading.wrong.len() == 1 && reading.len > LEAST => {
                let worth = self.program.chance(frame).bits(&reading.values, reading.len) - 8.0;
                (worth >= WORTH).then_some(reading.len)
            }
            _ => None,
        }
    }

    /// The bytes are the beginning of this frame, and few others are.
    fn fits_on(&self, frame: FrameId, bytes: &[u8]) -> bool {
        self.program.starts(frame).len() <= FEW_STARTS
            && matches!(self.read(frame, bytes, false), Outcome::More(_))
    }
}

/// What a side can say: in its talks, beside them, and to refuse.
fn said(program: &Program, from: Option<Direction>) -> Vec<FrameId> {
    let sides =
        [Direction::Rx, Direction::Tx].into_iter().filter(|side| from.is_none_or(|from| from == *side));
    let mut frames: Vec<FrameId> = sides.flat_map(|side| program.said_by(side)).copied().collect();
    if from != Some(Direction::Tx) {
        let beside = program.table.refusals.frames.iter().chain(&program.table.ignore);
        frames.extend(beside);
    }
    frames.sort_unstable_by_key(|frame| frame.0);
    frames.dedup();
    frames
}

#[cfg(test)]
mod tests {
    use super::super::meter::{READING, meter};
    use super::*;

    fn kinds(bytes: &[u8]) -> Vec<(PieceKind, usize)> {
        let pieces = Vocabulary::of(&Arc::new(meter())).pieces(bytes, Some(Direction::Rx));
        pieces.into_iter().map(|piece| (piece.kind, piece.to - piece.from)).collect()
    }

    #[test]
    fn a_whole_frame_is_seen_wherever_it_stands() {
        let bytes = [&[0xFF][..], &READING].concat();
        assert_eq!(kinds(&bytes), [(PieceKind::Strange, 1), (PieceKind::Whole, 6)]);
    }

    #[test]
    fn bytes_that_are_frames_by_themselves_are_known_by_the_side_that_says_them() {
        let program = Vocabulary::of(&Arc::new(meter()));
        let of = |from| {
            let bytes = program.single_bytes(from);
            (0..=255u8).filter(|byte| bytes[usize::from(*byte)]).collect::<Vec<u8>>()
        };
        assert_eq!(of(Some(Direction::Tx)), [0x3F]);
        assert_eq!(of(Some(Direction::Rx)), Vec::<u8>::new());
    }

    #[test]
    fn a_frame_that_breaks_off_is_told_from_one_with_a_wrong_byte() {
        assert_eq!(kinds(&READING[..4]), [(PieceKind::Cut, 4)]);
        let wrong = [0x68, 0x02, 0x31, 0x43, 0x75, 0x16];
        assert_eq!(kinds(&wrong), [(PieceKind::Faulty, 6)]);
        let next = [&[0x68, 0x08, 0x31][..], &READING].concat();
        assert_eq!(kinds(&next), [(PieceKind::Broken, 3), (PieceKind::Whole, 6)]);
    }
}
