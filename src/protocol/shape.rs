//! Which bytes a frame can begin with, and whether two frames can be the same: for checks, and for whoever asks what a byte may be.

use std::collections::BTreeMap;
use std::ops::{Deref, RangeInclusive};

use crate::frame::{
    Allowed, BitField, Expr, ExprKind, Field, FieldType, Frame, Function, Item, ItemKind, Layout, Name,
    Nothing, Order, Times, Transform, TransformOp,
};

use super::each_path::each_path;

mod byte_set;

pub use byte_set::ByteSet;

/// Fields of which the value is known beforehand.
pub type Known = BTreeMap<Name, i128>;

/// What is known of a frame's first bytes, up to where its length is no longer fixed.
#[derive(Clone, Debug, Default)]
pub struct Prefix {
    bytes: Vec<ByteSet>,
    /// Bytes that the frame before decides: they are not known here, but they are when the frame comes.
    decided: Vec<usize>,
    /// Bytes that say how long a part of the frame is.
    counted: Vec<usize>,
    least: usize,
    /// The frame ends where the bytes end.
    is_whole: bool,
    /// Where each field of fixed width lies.
    fields: Vec<(Name, std::ops::Range<usize>)>,
    /// Something or other shows where the frame ends.
    is_closed: bool,
}

/// Further bytes tell nothing that these do not.
const LONGEST: usize = 64;
/// Most that is known is no longer.
const FEW: usize = 16;

impl Prefix {
    pub fn of(frame: &Frame, known: &Known) -> Prefix {
        let (bytes, fields) = (Vec::with_capacity(FEW), Vec::with_capacity(FEW));
        let mut prefix = Prefix { bytes, fields, is_closed: frame.envelope().is_some(), ..Prefix::default() };
        prefix.is_whole = prefix.take(frame.layout(), known);
        prefix.least = if prefix.is_whole { prefix.bytes.len() } else { least(frame.layout()) };
        prefix
    }

    /// What can stand at each place, from the first byte on.
    pub fn bytes(&self) -> &[ByteSet] {
        &self.bytes
    }

    /// The frame ends where these bytes end.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The field that the byte at a place belongs to.
    pub fn field_at(&self, place: usize) -> Option<&Name> {
        let there = self.fields.iter().filter(|(_, range)| range.contains(&place));
        there.map(|(name, _)| name).min()
    }

    /// Whether some byte, or the length, tells the two apart; `ends_differ` is asked for where only that is left.
    pub(super) fn differs(
        &self,
        other: &Prefix,
        ends_are_seen: bool,
        ends_differ: impl FnOnce() -> bool,
    ) -> bool {
        let ends_are_seen = ends_are_seen || (self.is_closed && other.is_closed);
        let is_apart = |place: usize, a: &ByteSet, b: &ByteSet| {
            let decides = |one: &Prefix, set: &ByteSet| one.decided.contains(&place) && set.count() < 256;
            a.is_disjoint(b) || decides(self, b) || decides(other, a)
        };
        if self.bytes.iter().zip(&other.bytes).enumerate().any(|(place, (a, b))| is_apart(place, a, b)) {
            return true;
        }
        let counts_both = self.counted.iter().any(|place| other.counted.contains(place));
        if counts_both && self.is_whole && other.is_whole && self.least != other.least {
            return true;
        }
        let longer = |one: &Prefix, other: &Prefix| one.is_whole && one.bytes.len() < other.least;
        ends_are_seen && (longer(self, other) || longer(other, self) || ends_differ())
    }

    /// How much of what the other frame can be this one can be as well, by the bytes that are known of both.
    pub(super) fn share_of(&self, other: &Prefix) -> f64 {
        let share = |(a, b): (&ByteSet, &ByteSet)| f64::from(a.and(*b).count()) / f64::from(b.count().max(1));
        self.bytes.iter().zip(&other.bytes).map(share).product()
    }

    /// All that this frame can be, the other one can be as well, but not the other way round.
    pub(super) fn is_narrower_than(&self, other: &Prefix) -> bool {
        let pairs = || self.bytes.iter().zip(&other.bytes);
        let ends_sooner = self.is_whole && self.bytes.len() < other.least;
        !ends_sooner && pairs().all(|(a, b)| a.is_within(b)) && pairs().any(|(a, b)| !b.is_within(a))
    }

    /// Some byte of it is not just any.
    pub(super) fn says_something(&self) -> bool {
        self.bytes.iter().any(|set| set.count() < 256)
    }

    /// Adds what is known of a layout; false where its length is not fixed.
    fn take(&mut self, layout: &Layout, known: &Known) -> bool {
        layout.items.iter().all(|item| self.bytes.len() < LONGEST && self.take_item(item, known))
    }

    fn take_item(&mut self, item: &Item, known: &Known) -> bool {
        match &item.kind {
            ItemKind::Literal { bytes, times: Times::Exactly(times) } => {
                let all = bytes.iter().cycle().take(bytes.len().saturating_mul(*times as usize).min(LONGEST));
                self.bytes.extend(all.map(|byte| ByteSet::only(*byte)));
                true
            }
            // Zero of them is possible: what follows may come at once.
            ItemKind::Literal { .. } | ItemKind::Optional { .. } | ItemKind::Repeat { .. } => false,
            ItemKind::Field(field) => {
                let from = self.bytes.len();
                let goes_on = self.take_field(field, known);
                if let Some(name) = field.name.as_ref().filter(|_| goes_on) {
                    self.lies(name, from);
                }
                goes_on
            }
            ItemKind::Bits(fields) => {
                self.take_bits(fields, known);
                true
            }
            ItemKind::Again { of, complement } => {
                let Some((_, earlier)) = self.fields.iter().find(|(name, _)| name == of) else {
                    return false;
                };
                for place in earlier.clone() {
                    let byte = self.bytes[place];
                    self.bytes.push(if *complement { byte.complement() } else { byte });
                }
                true
            }
        }
    }

    fn take_field(&mut self, field: &Field, known: &Known) -> bool {
        let values = allowed(field.name.as_ref(), field.transform.as_ref(), &field.allowed, known);
        match &field.kind {
            FieldType::Number { bytes, order, .. } => {
                let place = self.bytes.len()..self.bytes.len() + usize::from(*bytes);
                if is_decided(&field.allowed) {
                    self.decided.extend(place);
                } else if is_counted(&field.allowed) {
                    self.counted.extend(place);
                }
                self.take_number(usize::from(*bytes), *order, values);
                true
            }
            FieldType::Sized { bytes, order } => {
                match constant(bytes).and_then(|n| usize::try_from(n).ok()) {
                    Some(n) if n <= 8 => {
                        self.take_number(n, *order, values);
                        true
                    }
                    _ => false,
                }
            }
            FieldType::Dec => {
                self.bytes.push(first_digits(values.as_deref()));
                false
            }
            FieldType::Hex(digits) => {
                let Some(digits) = constant(digits).and_then(|n| usize::try_from(n).ok()) else {
                    return false;
                };
                self.bytes.extend(std::iter::repeat_n(ByteSet::HEX_DIGITS, digits.min(LONGEST)));
                true
            }
            FieldType::Bytes(Some(size)) | FieldType::Text(Some(size)) => {
                let Some(size) = constant(size).and_then(|n| usize::try_from(n).ok()) else { return false };
                self.bytes.extend(std::iter::repeat_n(ByteSet::ANY, size.min(LONGEST)));
                true
            }
            FieldType::Part { body, size } if field.transform.is_none() => {
                let until = size.as_ref().map(|size| {
                    let size = constant(size).and_then(|size| usize::try_from(size).ok());
                    size.map(|size| self.bytes.len() + size.min(LONGEST))
                });
                let is_fixed = self.take(body, known);
                match until {
                    None => is_fixed,
                    Some(None) => false,
                    // What stands behind what is known is anything, up to where the part ends.
                    Some(Some(until)) => {
                        self.bytes.resize(until.max(self.bytes.len()), ByteSet::ANY);
                        true
                    }
                }
            }
            _ => false,
        }
    }

    fn take_number(&mut self, width: usize, order: Order, values: Option<Ranges>) {
        let of_place = |place: usize| {
            let shift = 8 * if order == Order::Little { place } else { width - 1 - place };
            match &values {
                None => ByteSet::ANY,
                // A signed byte and an unsigned one are alike on the wire.
                Some(ranges) if width == 1 => ByteSet::of_values(ranges.iter().map(|range| {
                    (*range.start().max(&i128::from(i8::MIN)), *range.end().min(&i128::from(u8::MAX)))
                })),
                // The byte of a single value is known; that of a range only where all its values share it.
                Some(ranges) => ByteSet::of_values(
                    ranges.iter().map(|range| (range.start() >> shift, range.end() >> shift)),
                ),
            }
        };
        self.bytes.extend((0..width).map(of_place));
    }

    fn take_bits(&mut self, fields: &[BitField], known: &Known) {
        let from = self.bytes.len();
        let total: usize = fields.iter().map(|field| usize::from(field.width)).sum();
        // One byte at a time: fields across a border, or wider than a byte, say nothing of its bits.
        self.bytes.resize(from + total.div_ceil(8), ByteSet::ANY);
        let mut at = 0usize;
        for field in fields {
            let width = usize::from(field.width);
            let (first, last) = (at / 8, (at + width.max(1) - 1) / 8);
            if let Some(values) =
                allowed(field.name.as_ref(), field.transform.as_ref(), &field.allowed, known)
                    .filter(|_| first == last && width > 0)
            {
                let most = (1 << width) - 1;
                let numbers =
                    values.iter().flat_map(|range| *range.start().max(&0)..=*range.end().min(&most));
                let allowed =
                    ByteSet::of_bits(8 - (at % 8) - width, width, numbers.map(|number| number as u8));
                self.bytes[from + first] = self.bytes[from + first].and(allowed);
            }
            at += width;
        }
        fields.iter().filter_map(|field| field.name.as_ref()).for_each(|field| self.lies(field, from));
    }

    /// Notes that a field reaches from `from` to what comes next.
    fn lies(&mut self, field: &Name, from: usize) {
        let range = from..self.bytes.len();
        match self.fields.iter_mut().find(|(name, _)| name == field) {
            Some((_, known)) => *known = range,
            None => self.fields.push((field.clone(), range)),
        }
    }
}

/// What is known of a frame's last bytes, last first, up to the first item of which the length is not fixed.
pub(super) struct Ending(Vec<ByteSet>);

impl Ending {
    pub(super) fn of(frame: &Frame, known: &Known) -> Ending {
        Ending(ending(frame.layout(), known))
    }

    /// Whether some byte tells the two apart.
    pub(super) fn differs(&self, other: &Ending) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a.is_disjoint(b))
    }

    /// Some byte of it is not just any.
    pub(super) fn says_something(&self) -> bool {
        self.0.iter().any(|set| set.count() < 256)
    }
}

fn ending(layout: &Layout, known: &Known) -> Vec<ByteSet> {
    let mut ending = Vec::new();
    let mut one = Prefix::default();
    for item in layout.items.iter().rev() {
        if let ItemKind::Field(Field { kind: FieldType::Dec, .. }) = &item.kind {
            ending.push(ByteSet::DIGITS);
            break;
        }
        one.bytes.clear();
        one.fields.clear();
        let is_fixed = !matches!(item.kind, ItemKind::Again { .. }) && one.take_item(item, known);
        if !is_fixed || ending.len() >= LONGEST {
            break;
        }
        ending.extend(one.bytes.iter().rev());
    }
    ending
}

/// The fewest bytes that the layout can be.
fn least(layout: &Layout) -> usize {
    let repeated = |bytes: &[u8], times: u32| bytes.len().saturating_mul(times as usize);
    let of_item = |item: &Item| match &item.kind {
        ItemKind::Literal { bytes, times: Times::Exactly(times) | Times::Between(times, _) } => {
            repeated(bytes, *times)
        }
        ItemKind::Literal { .. } | ItemKind::Optional { .. } | ItemKind::Repeat { .. } => 0,
        ItemKind::Bits(fields) => fields.iter().map(|field| usize::from(field.width)).sum::<usize>() / 8,
        ItemKind::Again { .. } => 1,
        ItemKind::Field(field) => match &field.kind {
            FieldType::Number { bytes, .. } => usize::from(*bytes),
            FieldType::Dec | FieldType::Cbor(_) => 1,
            FieldType::Part { body, .. } => least(body),
            FieldType::Sized { bytes: size, .. }
            | FieldType::Hex(size)
            | FieldType::Bytes(Some(size))
            | FieldType::Text(Some(size)) => {
                constant(size).and_then(|size| usize::try_from(size).ok()).unwrap_or(0)
            }
            FieldType::Natural(_) | FieldType::Bytes(None) | FieldType::Text(None) | FieldType::Uu(_) => 0,
        },
    };
    layout.items.iter().map(|item| of_item(item)).sum()
}

/// The first digits of decimal numbers.
fn first_digits(values: Option<&[RangeInclusive<i128>]>) -> ByteSet {
    const MOST: i128 = 1000;
    let few =
        |ranges: &&[RangeInclusive<i128>]| ranges.iter().all(|range| range.end() - range.start() < MOST);
    let Some(ranges) = values.filter(few) else { return ByteSet::DIGITS };
    let first = |number: i128| number.to_string().bytes().next();
    ByteSet::of(ranges.iter().flat_map(|range| range.clone().filter_map(first)))
}

/// It is how many bytes something else has.
pub(super) fn is_counted(allowed: &Allowed) -> bool {
    fn counts(expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Call { function: Function::Size, .. } => true,
            ExprKind::Binary(_, left, right) => counts(left) || counts(right),
            _ => false,
        }
    }
    matches!(allowed, Allowed::Equal(expr) if counts(expr))
}

/// The frame before decides it: the same field, or one made of it.
pub(super) fn is_decided(allowed: &Allowed) -> bool {
    match allowed {
        Allowed::Equal(expr) => {
            let mut is_decided = false;
            each_path(expr, |path, _| is_decided |= matches!(&*path.first, "asked" | "last"));
            is_decided
        }
        Allowed::Any | Allowed::OneOf(_) | Allowed::Sends { .. } => false,
    }
}

/// Numbers that can stand on the wire for a field.
#[derive(Clone, Debug)]
pub enum Ranges {
    /// By far the most.
    One([RangeInclusive<i128>; 1]),
    Many(Vec<RangeInclusive<i128>>),
}

impl Ranges {
    fn one(value: i128) -> Ranges {
        Ranges::One([value..=value])
    }
}

impl Deref for Ranges {
    type Target = [RangeInclusive<i128>];

    fn deref(&self) -> &[RangeInclusive<i128>] {
        match self {
            Ranges::One(range) => range,
            Ranges::Many(ranges) => ranges,
        }
    }
}

/// What can stand on the wire for a field; `None`: anything.
pub fn allowed(
    name: Option<&Name>,
    transform: Option<&Transform>,
    allowed: &Allowed,
    known: &Known,
) -> Option<Ranges> {
    let ranges = match (name.and_then(|name| known.get(name)), allowed) {
        (Some(value), _) => Ranges::one(*value),
        (None, Allowed::Any) => return None,
        (None, Allowed::Equal(expr)) => Ranges::one(constant(expr)?),
        // What is sent follows from the conversation.
        (None, Allowed::Sends { .. }) => return None,
        (None, Allowed::OneOf(ranges)) => Ranges::Many(ranges.clone()),
    };
    let Some(transform) = transform else { return Some(ranges) };
    let by = constant(&transform.by)?;
    let on_wire = |value: i128| match transform.op {
        TransformOp::Add => value.checked_add(by),
        TransformOp::Subtract => value.checked_sub(by),
        TransformOp::Multiply => value.checked_mul(by),
        TransformOp::Divide => value.checked_div(by),
        TransformOp::Xor => None,
    };
    let moved = ranges.iter().map(|range| Some(on_wire(*range.start())?..=on_wire(*range.end())?));
    moved.collect::<Option<_>>().map(Ranges::Many)
}

/// The value of an expression that names nothing.
fn constant(expr: &Expr) -> Option<i128> {
    match &expr.kind {
        ExprKind::Number(number) => Some(*number),
        ExprKind::Path(_) => None,
        _ => expr.eval(&Nothing).ok()?.as_int(),
    }
}
