//! What can be told of a frame before any byte has come: its least length, its first bytes, what it fixes.

use std::ops::RangeInclusive;

use super::codec::Frame;
use super::envelope::LONGEST;
use super::layout::Envelope;
use super::program::{Check, Leaf, LeafKind, Op, OpKind, Program, Seq, SlotId};
use super::text::Name;
use super::value::Value;

/// A named field of a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldFacts {
    pub name: Name,
    /// Bits on the wire, where they are always as many.
    pub bits: Option<u32>,
    pub is_number: bool,
    pub values: FieldValues,
    /// Where its first byte stands in the payload, where that is always the same place.
    pub offset: Option<usize>,
    /// It may be missing.
    pub optional: bool,
    /// It comes several times.
    pub repeated: bool,
    /// The encoder finds it out from what is given: a length, a count, a flag.
    pub follows: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum FieldValues {
    Any,
    Fixed(Value),
    OneOf(Vec<RangeInclusive<i128>>),
    /// From other fields of this frame or from outside.
    Computed,
}

impl Frame {
    /// The fewest bytes it can have on the wire.
    pub fn min_len(&self) -> usize {
        let payload = self.program().body.least.first().copied().unwrap_or(0);
        match self.envelope() {
            None => payload,
            Some(Envelope::Slip | Envelope::Hdlc { .. }) => payload + 2,
            Some(Envelope::SlipEnd) => payload + 1,
            Some(Envelope::Cobs) => payload + 2,
            Some(Envelope::Line { start, end, .. }) => start.len() + payload + end.len(),
            Some(Envelope::Hex { start, end }) => start.len() + 2 * payload + end.len(),
            Some(Envelope::Base64Lines { first, end, .. }) => {
                first.len() + payload.div_ceil(3) * 4 + end.len()
            }
        }
        .min(2 * LONGEST)
    }

    /// Whether a frame can begin with that byte on the wire.
    pub fn first_bytes(&self) -> [bool; 256] {
        let only = |byte: u8| {
            let mut set = [false; 256];
            set[usize::from(byte)] = true;
            set
        };
        if let Some(opening) = self.envelope().and_then(Envelope::opening) {
            return only(opening);
        }
        if matches!(self.envelope(), Some(Envelope::Cobs)) {
            return [true; 256];
        }
        let mut set = [false; 256];
        if first_of(&self.program().body, &mut set) {
            return [true; 256];
        }
        set
    }

    /// How many bits of its shortest form are literal, fixed or checked: what chance does not bring about.
    pub fn specificity(&self) -> f64 {
        let marks = match self.envelope() {
            None => 0.0,
            Some(Envelope::Slip | Envelope::Hdlc { .. }) => 16.0,
            Some(Envelope::SlipEnd) => 8.0,
            Some(Envelope::Cobs) => 8.0,
            Some(Envelope::Line { start, end, .. } | Envelope::Hex { start, end }) => {
                8.0 * (start.len() + end.len()) as f64
            }
            Some(Envelope::Base64Lines { first, end, .. }) => 8.0 * (first.len() + end.len()) as f64,
        };
        marks + specific(&self.program().body, self.program())
    }

    /// Every named field, in written order.
    pub fn fields(&self) -> Vec<FieldFacts> {
        let mut found = Vec::new();
        let context = Context { optional: false, repeated: false };
        collect(&self.program().body, self.program(), Some(0), context, &mut found);
        found
    }
}

#[derive(Clone, Copy)]
struct Context {
    optional: bool,
    repeated: bool,
}

fn collect(
    seq: &Seq,
    program: &Program,
    start: Option<usize>,
    context: Context,
    found: &mut Vec<FieldFacts>,
) {
    let mut offset = start;
    for op in &seq.ops {
        let mut add =
            |slot: SlotId, bits: Option<u32>, check: &Check, context: Context, offset: Option<usize>| {
                let Some(described) = program.slots.get(slot) else { return };
                let Some(name) = described.name.clone() else { return };
                let values = match check {
                    Check::Any => FieldValues::Any,
                    Check::Fixed(value) => FieldValues::Fixed(value.clone()),
                    Check::OneOf(ranges) | Check::Sends { others: ranges, .. } => {
                        FieldValues::OneOf(ranges.clone())
                    }
                    Check::Computed { .. } => FieldValues::Computed,
                };
                found.push(FieldFacts {
                    name,
                    bits,
                    is_number: described.holds == super::program::Holds::Number,
                    values,
                    offset,
                    optional: context.optional,
                    repeated: context.repeated,
                    follows: described.solvable,
                });
            };
        match &op.kind {
            OpKind::Leaf(leaf) => {
                let bits = op.fixed.map(|bytes| bytes as u32 * 8);
                add(leaf.slot, bits, &leaf.check, context, offset);
                if let LeafKind::Cbor(keys) = &leaf.kind {
                    for key in keys {
                        let context = Context { optional: context.optional || key.optional, ..context };
                        add(key.slot, None, &key.check, context, None);
                    }
                }
            }
            OpKind::Bits { fields, .. } => {
                for bits in fields {
                    add(bits.slot, Some(bits.width.into()), &bits.check, context, offset);
                }
            }
            _ => {}
        }
        if let Some(body) = op.body() {
            let context = Context {
                optional: context.optional || matches!(op.kind, OpKind::Optional { .. }),
                repeated: context.repeated || matches!(op.kind, OpKind::Repeat { .. }),
            };
            collect(body, program, offset.filter(|_| !context.repeated), context, found);
        }
        offset = offset.zip(op.fixed).map(|(offset, width)| offset + width);
    }
}

/// Adds the bytes that operations can begin with; whether they may be empty.
fn first_of(seq: &Seq, set: &mut [bool; 256]) -> bool {
    seq.ops.iter().all(|op| first_of_op(op, set))
}

fn first_of_op(op: &Op, set: &mut [bool; 256]) -> bool {
    let mut mark = |byte: Option<&u8>| {
        if let Some(byte) = byte {
            set[usize::from(*byte)] = true;
        }
    };
    match &op.kind {
        OpKind::Literal(bytes) => {
            mark(bytes.first());
            bytes.is_empty()
        }
        OpKind::Some { unit, least, .. } => {
            mark(unit.first());
            *least == 0 || unit.is_empty()
        }
        OpKind::Fill(unit) => {
            mark(unit.first());
            true
        }
        OpKind::Bits { bytes, fields } => {
            let shift = (8 * *bytes as u32).saturating_sub(8);
            let mut above = 8 * *bytes as u32;
            let (mut mask, mut fixed) = (0u64, 0u64);
            for bits in fields {
                above -= u32::from(bits.width);
                let ones = if bits.width == 64 { u64::MAX } else { (1 << bits.width) - 1 };
                if let (Check::Fixed(Value::Int(number)), None) = (&bits.check, &bits.transform) {
                    mask |= ones << above;
                    fixed |= (*number as u64 & ones) << above;
                }
            }
            let (mask, fixed) = ((mask >> shift) as u8, (fixed >> shift) as u8);
            (0..=255u8).filter(|byte| byte & mask == fixed).for_each(|byte| set[usize::from(byte)] = true);
            false
        }
        OpKind::Again { .. } => {
            set.fill(true);
            false
        }
        OpKind::Optional { body, .. } => {
            first_of(body, set);
            true
        }
        OpKind::Repeat { body, .. } => {
            first_of(body, set);
            op.least == 0
        }
        OpKind::Leaf(leaf) => first_of_leaf(op, leaf, set),
    }
}

fn first_of_leaf(op: &Op, leaf: &Leaf, set: &mut [bool; 256]) -> bool {
    match &leaf.kind {
        LeafKind::Number { bytes, order, .. } if leaf.transform.is_none() => {
            let first = |number: i128| match order {
                super::layout::Order::Little => number as u8,
                super::layout::Order::Big => (number >> (8 * (bytes - 1))) as u8,
            };
            match &leaf.check {
                Check::Fixed(Value::Int(number)) => set[usize::from(first(*number))] = true,
                Check::OneOf(ranges) | Check::Sends { others: ranges, .. }
                    if ranges.iter().all(|range| range.end() - range.start() < 256) =>
                {
                    ranges
                        .iter()
                        .cloned()
                        .flatten()
                        .for_each(|number| set[usize::from(first(number))] = true);
                }
                _ => set.fill(true),
            }
            false
        }
        LeafKind::Dec => {
            set[usize::from(b'0')..=usize::from(b'9')].fill(true);
            false
        }
        LeafKind::Part { body, size: None } if leaf.transform.is_none() => first_of(body, set),
        LeafKind::Part { body, size: Some(_) } if leaf.transform.is_none() => {
            first_of(body, set);
            op.least == 0
        }
        _ => {
            set.fill(true);
            op.least == 0
        }
    }
}

fn specific(seq: &Seq, program: &Program) -> f64 {
    seq.ops.iter().map(|op| specific_of(op, program)).sum()
}

fn specific_of(op: &Op, program: &Program) -> f64 {
    let of_check = |check: &Check, bits: f64| match check {
        Check::Any => 0.0,
        Check::Fixed(_) | Check::Computed { .. } => bits,
        Check::OneOf(ranges) | Check::Sends { others: ranges, .. } => {
            let values: f64 = ranges.iter().map(|range| (range.end() - range.start() + 1) as f64).sum();
            (bits - values.max(1.0).log2()).max(0.0)
        }
    };
    match &op.kind {
        OpKind::Literal(bytes) => 8.0 * bytes.len() as f64,
        OpKind::Some { .. } | OpKind::Fill(_) => 8.0 * op.least as f64,
        OpKind::Bits { fields, .. } => {
            fields.iter().map(|bits| of_check(&bits.check, bits.width.into())).sum()
        }
        OpKind::Again { of, .. } => {
            program.widths.get(*of).copied().flatten().map_or(8.0, |bytes| 8.0 * bytes as f64)
        }
        // It may be absent, or there no times at all.
        OpKind::Optional { .. } | OpKind::Repeat { .. } => 0.0,
        OpKind::Leaf(leaf) => match &leaf.kind {
            LeafKind::Part { body, .. } => specific(body, program),
            // Digits are 10 or 22 of 256 bytes.
            LeafKind::Dec => 4.7 + of_check(&leaf.check, 3.3),
            LeafKind::Hex(_) => {
                let digits = op.least as f64;
                3.5 * digits + of_check(&leaf.check, 4.0 * digits)
            }
            LeafKind::Cbor(_) => 8.0,
            _ => of_check(&leaf.check, 8.0 * op.least as f64),
        },
    }
}
