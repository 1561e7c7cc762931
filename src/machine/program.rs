//! A table's talks as one machine of threads: instructions that every role follows.
//!
//! Each exchange is written out once as a whole; a call writes the called exchange out in its place (calls cannot circle, the table's
//! checks see to that, and a circle that gets here all the same is cut). The compiler is in `compile`.

use std::sync::{Arc, OnceLock};

use crate::frame::{Expr, Frame, Name, Nothing, Outcome, Screen};
use crate::line::Direction;
use crate::protocol::{Exchange, ExchangeId, FrameId, StateId, Table, Time, spells_out};

use super::chance::Chance;
use super::condition::Condition;
use super::equivalent::equivalent;
use super::names::{Key, Names};
use super::openings::Openings;
use super::scope::side;
use super::starts::Starts;
use super::states::States;

/// A place in the program.
pub(super) type Pc = usize;

/// The machine of a table; made once, shared by every role.
#[derive(Clone, Debug)]
pub struct Program {
    pub(super) table: Arc<Table>,
    pub(super) names: Names,
    pub(super) code: Vec<Instruction>,
    /// Where a conversation rests: an instruction [`Instruction::Rest`].
    pub(super) rest: Pc,
    /// For each instruction, the calls it stands in, outermost first, as places of `Enter`.
    pub(super) inside: Vec<Vec<Pc>>,
    /// Where each exchange begins as a whole conversation.
    pub(super) entries: Vec<Pc>,
    /// In which states each exchange may begin.
    pub(super) may_begin: Vec<States>,
    /// Frames that read the same whatever is known: no name in them comes from outside.
    pub(super) closed: Vec<bool>,
    /// Frames that each side can send, by direction as [`side`] counts.
    pub(super) said_by: [Vec<FrameId>; 2],
    /// Some exchange is started by the device itself.
    pub(super) has_unsolicited: bool,
    /// With which bytes each frame can begin; found out when first asked for.
    pub(super) starts: Arc<OnceLock<Vec<Starts>>>,
    pub(super) screens: Arc<OnceLock<Vec<Screen>>>,
    pub(super) chances: Arc<OnceLock<Vec<Chance>>>,
    /// The bytes with which some frame can begin.
    pub(super) beginnings: Arc<OnceLock<[bool; 256]>>,
    pub(super) openings: Arc<Openings>,
    /// For each frame: refusals, and what means nothing, that are special cases of it.
    pub(super) special: Arc<OnceLock<Vec<Vec<FrameId>>>>,
    /// For each place the first message that comes to the same as the one there.
    pub(super) equivalent: Arc<OnceLock<Vec<Pc>>>,
}

#[derive(Clone, Debug)]
pub(super) enum Instruction {
    Message(Step),
    Guard(Condition),
    Effect(Effect),
    /// Ways to go on, in order of priority.
    Split(Vec<Pc>),
    Jump(Pc),
    Enter {
        exchange: ExchangeId,
        arguments: Vec<(Key, Name, Expr)>,
    },
    /// (name inside, name of the caller) for what is filled on return.
    Leave {
        exchange: ExchangeId,
        returns: Vec<(Key, Key)>,
    },
    Each(Box<Each>),
    Back(Pc),
    Count {
        least: u32,
        most: u32,
        exit: Pc,
    },
    Recount(Pc),
    /// The start of a group that `again` returns to.
    Mark,
    Again(Pc),
    State(StateId),
    /// `@phase`; `None` returns to the first settings.
    Phase(Option<usize>),
    /// The conversation rests: on to whatever the state allows.
    Rest,
    /// The run is over.
    Done,
}

/// A message as the machine needs it.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub direction: Direction,
    pub frame: FrameId,
    pub binds: Vec<Bound>,
    pub within: Option<Time>,
    pub after: Option<Time>,
    pub every: Option<Time>,
}

/// A bind: the field, and what it equals.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub field: Name,
    pub value: Expr,
    /// The key of a bare name: it takes the field's value where it has none.
    pub captures: Option<Key>,
    /// `data = data`: the name means the same inside and outside, so the frame must not look for itself.
    pub same: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Effect {
    Let { name: Key, value: Expr },
    Write { address: Expr, data: Expr },
    Erase { address: Expr, n: Expr },
    EraseAll { region: Option<Name> },
    ErasePages { pages: Expr, region: Name },
}

#[derive(Clone, Debug)]
pub(super) struct Each {
    pub piece: Piece,
    pub data: Key,
    /// `at`: where data that are to be read begin.
    pub base: Key,
    pub total: Option<Expr>,
    pub by: Expr,
    pub pad: Option<u8>,
    pub align: Option<u64>,
    pub next: Option<Expr>,
    pub exit: Pc,
}

/// The names of a piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub name: Key,
    pub index: Key,
    pub offset: Key,
    pub left: Key,
    pub at: Key,
    pub size: Key,
}

impl Program {
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    pub(super) fn frame(&self, id: FrameId) -> &Frame {
        &self.table.frames[id.0]
    }

    pub(super) fn exchange(&self, id: ExchangeId) -> &Exchange {
        &self.table.exchanges[id.0]
    }

    /// Whether characters of this phase are keyed by breaks.
    pub(super) fn is_keyed(&self, phase: Option<usize>) -> bool {
        phase.is_some_and(|phase| self.table.phases[phase].keyed)
    }

    /// Frames that this side sends in some talk.
    pub(super) fn said_by(&self, direction: Direction) -> &[FrameId] {
        &self.said_by[side(direction)]
    }

    pub(super) fn is_closed(&self, id: FrameId) -> bool {
        self.closed[id.0]
    }

    pub(super) fn step(&self, pc: Pc) -> Option<&Step> {
        match &self.code[pc] {
            Instruction::Message(step) => Some(step),
            _ => None,
        }
    }

    /// Whether the bytes could begin this frame, and few others could: its first byte is one of a few.
    pub(super) fn begins_with(&self, frame: FrameId, bytes: &[u8]) -> bool {
        let starts = self.starts(frame);
        let Some(&first) = bytes.first() else { return false };
        starts.len() <= 16 && starts.contains(first) && self.fits_so_far(frame, bytes)
    }

    pub(super) fn fits_so_far(&self, frame: FrameId, bytes: &[u8]) -> bool {
        matches!(self.frame(frame).recognise(bytes, false, &Nothing), Outcome::More(_))
    }

    /// The bytes with which a frame can begin.
    pub(super) fn starts(&self, frame: FrameId) -> &Starts {
        let starts = self.starts.get_or_init(|| self.table.frames.iter().map(Starts::of).collect());
        &starts[frame.0]
    }

    /// Refusals, and what means nothing, that spell out what this frame of the device leaves open: `ERROR` where any line may come.
    /// They are taken for what they are, whatever is expected.
    pub(super) fn special_cases_of(&self, frame: FrameId) -> &[FrameId] {
        &self.special.get_or_init(|| self.find_special_cases())[frame.0]
    }

    #[cold]
    fn find_special_cases(&self) -> Vec<Vec<FrameId>> {
        let Table { frames, refusals, ignore, .. } = &*self.table;
        let beside = || refusals.frames.iter().chain(ignore).copied();
        let of = |general| beside().filter(move |special| spells_out(&frames[special.0], general)).collect();
        frames.iter().map(of).collect()
    }

    /// Whether who has accepted the one message learns nothing from the other.
    pub(super) fn are_equivalent(&self, one: Pc, other: Pc) -> bool {
        let first = self.equivalent.get_or_init(|| equivalent(self));
        first[one] == first[other]
    }

    /// What the first bytes of a frame rule out.
    pub(super) fn screen(&self, frame: FrameId) -> &Screen {
        let screens = self.screens.get_or_init(|| self.table.frames.iter().map(Frame::screen).collect());
        &screens[frame.0]
    }

    /// Whether a frame can begin with this byte, as far as that does not hang on what is known.
    pub(super) fn may_begin_with(&self, frame: FrameId, byte: u8) -> bool {
        !self.is_closed(frame) || self.starts(frame).contains(byte)
    }

    /// Whether any frame of the table can begin with this byte.
    pub(super) fn begins_something(&self, byte: u8) -> bool {
        let begins = self.beginnings.get_or_init(|| {
            let frames = || (0..self.table.frames.len()).map(FrameId);
            std::array::from_fn(|byte| frames().any(|frame| self.may_begin_with(frame, byte as u8)))
        });
        begins[usize::from(byte)]
    }

    /// What a frame is worth as evidence.
    pub(super) fn chance(&self, frame: FrameId) -> &Chance {
        let chances = self.chances.get_or_init(|| self.table.frames.iter().map(Chance::of).collect());
        &chances[frame.0]
    }

    /// The exchanges that an instruction stands in, outermost first.
    pub(super) fn exchanges_at(&self, pc: Pc) -> Vec<ExchangeId> {
        let entered = |enter: &Pc| match &self.code[*enter] {
            Instruction::Enter { exchange, .. } => Some(*exchange),
            _ => None,
        };
        self.inside[pc].iter().filter_map(entered).collect()
    }

    /// The exchange that an instruction belongs to: the innermost call.
    pub(super) fn exchange_at(&self, pc: Pc) -> Option<ExchangeId> {
        let enter = *self.inside[pc].last()?;
        match &self.code[enter] {
            Instruction::Enter { exchange, .. } => Some(*exchange),
            _ => None,
        }
    }

    /// The outermost exchange, the one that the state allows.
    pub(super) fn conversation_at(&self, pc: Pc) -> Option<ExchangeId> {
        let enter = *self.inside[pc].first()?;
        match &self.code[enter] {
            Instruction::Enter { exchange, .. } => Some(*exchange),
            _ => None,
        }
    }
}
