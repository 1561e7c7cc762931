//! Compiles a layout to its fused form.
//!
//! A frame is bytes at fixed places from its start, at most one stretch of any size, and bytes at fixed places from its
//! end. What has no place of its own (optional parts, repeats, a second stretch) melts into that stretch and is left to
//! the parser; a length that counts over the stretch still tells where the frame ends.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::checksum::Algorithm;
use super::expr::Expr;
use super::fused::{Fused, Preamble};
use super::layout::{
    Allowed, BitField, Field, FieldType, Item, ItemKind, Layout, Order, Times, Transform, TransformOp,
};
use super::text::Name;
use affine::Line;

mod affine;
mod finish;

/// Longer fixed stretches are left to the parser.
const MOST_FIXED: usize = 4096;

impl Fused {
    /// Fuses `layout`; `algorithm` knows the CRCs by name.
    pub fn of(layout: &Layout, algorithm: &dyn Fn(&Name) -> Option<Algorithm>) -> Fused {
        let mut fuse = Fuse::default();
        fuse.walk(&layout.items, 0);
        Fused { preamble: preamble(layout, algorithm).map(Box::new), ..fuse.finish(algorithm) }
    }
}

/// What stands behind a run of one byte at the start, where it begins with another one.
fn preamble(layout: &Layout, algorithm: &dyn Fn(&Name) -> Option<Algorithm>) -> Option<Preamble> {
    let (first, items) = layout.items.split_first()?;
    let ItemKind::Literal { bytes, times: Times::Between(least, most) } = &first.kind else { return None };
    let &[byte] = &bytes[..] else { return None };
    let mut fuse = Fuse { is_behind: true, ..Fuse::default() };
    fuse.walk(items, 0);
    let behind = fuse.finish(algorithm);
    let [mask, value] = [behind.head.mask, behind.head.value].map(|word| word as u8);
    let begins_otherwise = mask == 0xFF && value != byte;
    begins_otherwise.then_some(Preamble { byte, least: *least as usize, most: *most as usize, behind })
}

/// A place: before the stretch from the frame's start, behind it from the stretch's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mark {
    behind: bool,
    offset: usize,
}

/// A named field: where it stands, and its number where it is one.
#[derive(Clone, Debug)]
struct Known {
    from: Mark,
    to: Mark,
    value: Option<Wire>,
    /// Its place among the named fields, as written.
    order: usize,
    drawn: Option<Drawn>,
}

impl Known {
    /// It is told where it ends: not of bits in a group of several bytes.
    fn is_measured(&self) -> bool {
        self.from != self.to || self.value.is_none()
    }
}

/// What is made of a field's bytes when `shift` is taken from each of them.
#[derive(Clone, Debug)]
enum Drawn {
    Number { wire: Wire, signed: bool, shift: u8 },
    Bytes { shift: u8 },
}

/// A number on the wire, and the line that leads to its value: (wire × times + plus) / by.
#[derive(Clone, Debug)]
struct Wire {
    at: Mark,
    bytes: u8,
    order: Order,
    shift: u8,
    mask: u64,
    line: Line,
}

/// Stretches of a frame, from and to.
type Spans = Vec<(Mark, Mark)>;

/// A computed number, to be resolved when all names are known.
#[derive(Debug)]
struct Computed {
    wire: Wire,
    expr: Expr,
    /// Which of the named fields it is.
    field: Option<usize>,
    /// Where the field begins: what an open span ends with.
    here: Mark,
    depth: usize,
}

#[derive(Debug, Default)]
struct Fuse {
    here: Mark,
    /// Where the stretch begins, once there is one.
    stretch: Option<usize>,
    /// How often a further stretch was melted into it.
    swallowings: usize,
    /// How long the stretch says it is.
    stretch_size: Option<Expr>,
    unsure: bool,
    /// Something stands before it: an open span does not begin here.
    is_behind: bool,
    bytes: Vec<(Mark, u8, u8)>,
    same: Vec<(Mark, Mark, usize, u8)>,
    among: Vec<(Wire, Vec<RangeInclusive<u64>>)>,
    computed: Vec<Computed>,
    names: HashMap<Name, Known>,
    /// Named fields so far.
    named: usize,
    /// Some name stands for two fields.
    ambiguous: bool,
    /// What is added to each byte of the part that is walked over.
    shift: u8,
}

impl Fuse {
    fn walk(&mut self, items: &[Arc<Item>], depth: usize) {
        for item in items {
            match &item.kind {
                ItemKind::Literal { bytes, times: Times::Exactly(times) }
                    if bytes.len().saturating_mul(*times as usize) <= MOST_FIXED =>
                {
                    for _ in 0..*times {
                        self.constant(bytes);
                    }
                }
                ItemKind::Literal { .. } | ItemKind::Optional { .. } | ItemKind::Repeat { .. } => {
                    self.stretch(None);
                    self.unsure = true;
                }
                ItemKind::Field(field) => self.field(field, depth),
                ItemKind::Bits(fields) => self.bits(fields, depth),
                ItemKind::Again { of, complement } => self.again(of, *complement),
            }
        }
    }

    fn constant(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.bytes.push((self.here, 0xFF, byte.wrapping_add(self.shift)));
            self.here.offset += 1;
        }
    }

    /// Something of any size. A second one swallows what stood between them.
    fn stretch(&mut self, size: Option<&Expr>) {
        let is_second = self.stretch.is_some();
        if is_second {
            self.swallowings += 1;
            self.unsure = true;
            self.bytes.retain(|(at, ..)| !at.behind);
            self.same.retain(|(at, of, ..)| !at.behind && !of.behind);
            self.among.retain(|(wire, _)| !wire.at.behind);
            self.computed.retain(|computed| !computed.wire.at.behind);
            self.names.retain(|_, known| !known.to.behind);
        } else {
            self.stretch = Some(self.here.offset);
        }
        self.stretch_size = size.filter(|_| !is_second).cloned();
        self.here = Mark { behind: true, offset: 0 };
    }

    fn field(&mut self, field: &Field, depth: usize) {
        let from = self.here;
        let swallowings = self.swallowings;
        let order = self.named;
        self.named += usize::from(field.name.is_some());
        let mut value = None;
        let drawn = self.drawn(field);
        match &field.kind {
            FieldType::Number { bytes, signed, order } => {
                value = self.number(field, *bytes, *signed, *order, depth)
            }
            FieldType::Sized { bytes, order } => match bytes.as_number() {
                Some(bytes @ 1..=8) => value = self.number(field, bytes as u8, false, *order, depth),
                _ => self.opaque(None),
            },
            FieldType::Bytes(size) => {
                self.sized(size.as_ref());
                self.unsure |= field.allowed != Allowed::Any;
            }
            FieldType::Text(size) | FieldType::Part { size: size @ Some(_), .. } => {
                self.opaque(size.as_ref())
            }
            FieldType::Hex(size) => self.opaque(Some(size)),
            FieldType::Part { body, size: None } => match shift_of(field.transform.as_ref()) {
                Some(shift) => {
                    let outer = self.shift;
                    self.shift = outer.wrapping_add(shift);
                    self.walk(&body.items, depth + 1);
                    self.shift = outer;
                }
                None => self.opaque(None),
            },
            // A compiled frame has a number or bytes in place of a natural checksum.
            FieldType::Natural(_) | FieldType::Dec | FieldType::Uu(_) | FieldType::Cbor(_) => {
                self.opaque(None)
            }
        }
        // A beginning that a second stretch swallowed is no place any more.
        let is_swallowed = from.behind && swallowings != self.swallowings;
        if let Some(name) = field.name.clone().filter(|_| !is_swallowed) {
            self.know(name, Known { from, to: self.here, value, order, drawn });
        }
    }

    fn know(&mut self, name: Name, known: Known) {
        self.ambiguous |= self.names.insert(name, known).is_some();
    }

    /// What is made of a field's bytes, where that asks for nothing but them.
    fn drawn(&self, field: &Field) -> Option<Drawn> {
        match &field.kind {
            FieldType::Number { bytes, signed, order } => {
                let line = Line::of(field.transform.as_ref()).filter(|line| line.by == 1)?;
                let mask = u64::MAX >> (64 - 8 * u32::from(*bytes));
                let wire = Wire { at: self.here, bytes: *bytes, order: *order, shift: 0, mask, line };
                Some(Drawn::Number { wire, signed: *signed, shift: self.shift })
            }
            FieldType::Bytes(_) | FieldType::Part { .. } => {
                let shift = shift_of(field.transform.as_ref())?;
                Some(Drawn::Bytes { shift: self.shift.wrapping_add(shift) })
            }
            _ => None,
        }
    }

    /// Bytes of which only the parser knows whether they are right.
    fn opaque(&mut self, size: Option<&Expr>) {
        self.sized(size);
        self.unsure = true;
    }

    fn sized(&mut self, size: Option<&Expr>) {
        match size.map(|size| (size, size.as_number())) {
            Some((_, Some(fixed))) if (0..=MOST_FIXED as i128).contains(&fixed) => {
                self.here.offset += fixed as usize;
            }
            Some((size, _)) => self.stretch(Some(size)),
            None => self.stretch(None),
        }
    }

    fn number(&mut self, field: &Field, bytes: u8, signed: bool, order: Order, depth: usize) -> Option<Wire> {
        let here = self.here;
        let mask = u64::MAX >> (64 - 8 * u32::from(bytes));
        let line = Line::of(field.transform.as_ref());
        let wire = line.map(|line| Wire { at: here, bytes, order, shift: 0, mask, line });
        self.here.offset += usize::from(bytes);
        // A value that is no whole number, or below nothing, is the parser's to refuse.
        self.unsure |= line.is_none_or(|line| line.by != 1 || line.plus < 0);
        // Of shifted bytes only those can be compared that are always the same.
        let wire = wire.filter(|_| !signed && (self.shift == 0 || field.allowed.is_constant()));
        match &wire {
            Some(wire) => {
                let named = field.name.as_ref().map(|_| self.named - 1);
                self.allowed(wire.clone(), &field.allowed, here, named, depth);
            }
            None => self.unsure |= field.allowed != Allowed::Any,
        }
        wire.filter(|_| self.shift == 0)
    }

    fn allowed(&mut self, wire: Wire, allowed: &Allowed, here: Mark, field: Option<usize>, depth: usize) {
        let plain = wire.line.is_plain();
        match allowed {
            Allowed::Any => {}
            Allowed::OneOf(ranges) | Allowed::Sends { others: ranges, .. } if plain => {
                let unsigned = ranges.iter().filter(|range| *range.end() >= 0);
                let ranges = unsigned.map(|range| clamp(*range.start())..=clamp(*range.end())).collect();
                self.among.push((wire, ranges));
            }
            Allowed::Equal(expr) => match expr.as_number().map(u64::try_from) {
                Some(Ok(value)) if plain && value <= wire.mask => self.fixed(&wire, value),
                Some(_) => self.unsure = true,
                None => self.computed.push(Computed { wire, expr: expr.clone(), field, here, depth }),
            },
            Allowed::OneOf(_) | Allowed::Sends { .. } => self.unsure = true,
        }
    }

    /// A number that is always the same one.
    fn fixed(&mut self, wire: &Wire, value: u64) {
        let [mask, value] = [wire.mask << wire.shift, value << wire.shift].map(|number| match wire.order {
            Order::Little => number.to_le_bytes(),
            Order::Big => (number << (64 - 8 * u32::from(wire.bytes))).to_be_bytes(),
        });
        for index in 0..usize::from(wire.bytes) {
            if mask[index] != 0 {
                let at = Mark { offset: wire.at.offset + index, ..wire.at };
                self.bytes.push((at, mask[index], value[index].wrapping_add(self.shift)));
            }
        }
    }

    fn bits(&mut self, fields: &[BitField], depth: usize) {
        let bits: u32 = fields.iter().map(|field| u32::from(field.width)).sum();
        let bytes = (bits / 8) as u8;
        if !bits.is_multiple_of(8) || !(1..=8).contains(&bytes) || self.shift != 0 {
            return self.opaque(None);
        }
        let here = self.here;
        self.here.offset += usize::from(bytes);
        let mut shift = bits;
        for field in fields {
            shift -= u32::from(field.width);
            let mask = u64::MAX.checked_shr(64 - u32::from(field.width)).unwrap_or(0);
            let Some(line) = Line::of(field.transform.as_ref()) else {
                self.unsure = true;
                continue;
            };
            let wire = Wire { at: here, bytes, order: Order::Big, shift: shift as u8, mask, line };
            self.unsure |= line.by != 1 || line.plus < 0;
            let named = field.name.as_ref().map(|_| self.named);
            self.allowed(wire.clone(), &field.allowed, here, named, depth);
            if let Some(name) = &field.name {
                // Where a span begins or ends in a group of several bytes is the parser's to say.
                let to = if bytes == 1 { self.here } else { here };
                let drawn =
                    (line.by == 1).then(|| Drawn::Number { wire: wire.clone(), signed: false, shift: 0 });
                let order = self.named;
                self.named += 1;
                self.know(name.clone(), Known { from: here, to, value: Some(wire), order, drawn });
            }
        }
    }

    fn again(&mut self, of: &Name, complement: bool) {
        let is_measured = |known: &&Known| known.from.behind == known.to.behind && self.shift == 0;
        let Some(known) = self.names.get(of).filter(is_measured) else {
            return self.opaque(None);
        };
        let size = known.to.offset - known.from.offset;
        let whole =
            |wire: &Wire| wire.shift == 0 && wire.mask == u64::MAX >> (64 - 8 * u32::from(wire.bytes));
        if size == 0 || !known.value.as_ref().is_none_or(whole) {
            return self.opaque(None);
        }
        self.same.push((self.here, known.from, size, if complement { 0xFF } else { 0 }));
        self.here.offset += size;
    }
}

/// What is added to each byte on the wire; `None` where it is no number that is always the same.
fn shift_of(transform: Option<&Transform>) -> Option<u8> {
    let Some(Transform { op, by }) = transform else { return Some(0) };
    let by = by.as_number()?.rem_euclid(256) as u8;
    match op {
        TransformOp::Add => Some(by),
        TransformOp::Subtract => Some(by.wrapping_neg()),
        TransformOp::Xor | TransformOp::Multiply | TransformOp::Divide => None,
    }
}

fn clamp(number: i128) -> u64 {
    u64::try_from(number.max(0)).unwrap_or(u64::MAX)
}
