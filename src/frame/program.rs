//! A compiled layout: every name has a slot, every relation is attached where it acts.

use std::ops::{Range, RangeInclusive};

use bytes::Bytes;

use super::checksum::Algorithm;
use super::expr::Expr;
use super::invert::Inverse;
use super::layout::{CborType, Order, Transform};
use super::text::{At, Name};
use super::value::Value;

/// Place of a field in [`Program::slots`].
pub type SlotId = usize;

#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Every field, in written order; a part comes before what is in it.
    pub slots: Vec<Slot>,
    /// Bytes of each slot that is a number of fixed width.
    pub widths: Vec<Option<usize>>,
    pub body: Seq,
    /// Every CRC that is named in it.
    pub algorithms: Vec<(Name, Algorithm)>,
    /// Whether it can only end by a gap, an envelope or a turnaround.
    pub ends_by_gap: bool,
}

impl Program {
    /// The CRC of this name, if one is named in the layout.
    pub fn algorithm(&self, name: &Name) -> Option<&Algorithm> {
        self.algorithms.iter().find(|(known, _)| known == name).map(|(_, algorithm)| algorithm)
    }
}

#[derive(Clone, Debug)]
pub struct Slot {
    pub name: Option<Name>,
    pub at: At,
    pub holds: Holds,
    /// One past the last slot inside it.
    pub end: SlotId,
    /// How many repeated parts it is in.
    pub depth: usize,
    /// What the encoder may find out by itself: a length, a count, a flag.
    pub solvable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    Number,
    Bytes,
}

impl Holds {
    /// What a field of an absent part reads as.
    pub fn nothing(self) -> Value {
        match self {
            Holds::Number => Value::Int(0),
            Holds::Bytes => Value::bytes(Bytes::new()),
        }
    }
}

/// Operations in order, and the counted stretches among them.
#[derive(Clone, Debug, Default)]
pub struct Seq {
    pub ops: Vec<Op>,
    pub windows: Vec<Window>,
    /// `least[i]`: the fewest bytes of `ops[i..]`; one longer than `ops`.
    pub least: Vec<usize>,
    pub slots: Range<SlotId>,
}

/// `n = size(a..b)`: operations `from..=to` take as many bytes as the field says.
#[derive(Clone, Debug)]
pub struct Window {
    pub from: usize,
    pub to: usize,
    pub says: SlotId,
    pub inverse: Inverse,
}

#[derive(Clone, Debug)]
pub struct Op {
    pub kind: OpKind,
    /// The number of bytes, where it is always the same.
    pub fixed: Option<usize>,
    pub least: usize,
    /// It, or something in it, takes what is left.
    pub takes_rest: bool,
    /// The same, or a length in it may be one that nobody knows: then it takes what is left.
    pub may_take_rest: bool,
    pub slots: Range<SlotId>,
}

#[derive(Clone, Debug)]
pub enum OpKind {
    Literal(Bytes),
    /// As many as there are, from `least` to `most`.
    Some {
        unit: Bytes,
        least: usize,
        most: usize,
    },
    Fill(Bytes),
    Leaf(Leaf),
    Bits {
        bytes: usize,
        fields: Vec<Bits>,
    },
    Again {
        of: SlotId,
        complement: bool,
    },
    Optional {
        body: Seq,
        when: Expr,
    },
    Repeat {
        body: Seq,
        count: Option<Expr>,
    },
}

/// A field of whole bytes.
#[derive(Clone, Debug)]
pub struct Leaf {
    pub slot: SlotId,
    pub kind: LeafKind,
    pub transform: Option<Transform>,
    pub check: Check,
}

#[derive(Clone, Debug)]
pub enum LeafKind {
    Number {
        bytes: usize,
        signed: bool,
        order: Order,
    },
    Sized {
        bytes: Expr,
        order: Order,
    },
    Dec,
    Hex(Expr),
    /// No size: what is left, or up to the literal or the fill that follows.
    Bytes {
        size: Option<Expr>,
        text: bool,
        until: Option<Mark>,
    },
    Uu(Expr),
    Part {
        body: Seq,
        size: Option<Expr>,
    },
    Cbor(Vec<Key>),
}

/// What ends bytes without a length.
#[derive(Clone, Debug)]
pub struct Mark {
    pub bytes: Bytes,
    /// It fills what is left of the room, and may be missing where nothing is left.
    pub fills: bool,
}

#[derive(Clone, Debug)]
pub struct Bits {
    pub slot: SlotId,
    pub width: u8,
    pub transform: Option<Transform>,
    pub check: Check,
}

#[derive(Clone, Debug)]
pub struct Key {
    pub slot: SlotId,
    pub name: Name,
    pub kind: CborType,
    pub optional: bool,
    pub check: Check,
}

/// Which values a field may have.
#[derive(Clone, Debug)]
pub enum Check {
    Any,
    Fixed(Value),
    OneOf(Vec<RangeInclusive<i128>>),
    /// What is sent follows from what is known outside the frame; the set may come.
    Sends {
        first: Expr,
        others: Vec<RangeInclusive<i128>>,
    },
    Computed {
        expr: Expr,
        /// All that it is computed from comes before it.
        at_once: bool,
    },
}

impl Program {
    pub fn slot(&self, name: &str) -> Option<SlotId> {
        self.slots.iter().position(|slot| slot.name.as_deref() == Some(name))
    }

    /// How a message calls a field.
    pub fn label(&self, slot: SlotId) -> String {
        match self.slots.get(slot).and_then(|slot| slot.name.as_ref()) {
            Some(name) => format!("`{name}`"),
            None => "the value".into(),
        }
    }
}

impl Op {
    /// Bytes that run to the fill which follows them.
    pub fn is_ended_by_fill(&self) -> bool {
        match &self.kind {
            OpKind::Leaf(Leaf { kind: LeafKind::Bytes { until: Some(mark), .. }, .. }) => mark.fills,
            _ => false,
        }
    }

    /// What is inside an optional, a repeated or a named part.
    pub fn body(&self) -> Option<&Seq> {
        match &self.kind {
            OpKind::Optional { body, .. }
            | OpKind::Repeat { body, .. }
            | OpKind::Leaf(Leaf { kind: LeafKind::Part { body, .. }, .. }) => Some(body),
            _ => None,
        }
    }

    pub fn body_mut(&mut self) -> Option<&mut Seq> {
        match &mut self.kind {
            OpKind::Optional { body, .. }
            | OpKind::Repeat { body, .. }
            | OpKind::Leaf(Leaf { kind: LeafKind::Part { body, .. }, .. }) => Some(body),
            _ => None,
        }
    }
}

impl Seq {
    /// Calls `visit` with every operation, at any depth.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Op)) {
        for op in &self.ops {
            visit(op);
            if let Some(body) = op.body() {
                body.walk(visit);
            }
        }
    }

    pub fn fixed(&self) -> Option<usize> {
        self.ops.iter().try_fold(0usize, |sum, op| Some(sum.saturating_add(op.fixed?)))
    }

    pub fn takes_rest(&self) -> bool {
        self.ops.iter().any(|op| op.takes_rest)
    }
}

/// Whether a number is in a set.
pub fn is_one_of(ranges: &[RangeInclusive<i128>], number: i128) -> bool {
    ranges.iter().any(|range| range.contains(&number))
}
