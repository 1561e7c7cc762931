//! Compiles a layout to its fused form.
//!
//! A frame is bytes at fixed places from its start, at most one stretch of any size, and bytes at fixed places from its
//! end. What has no place of its own (optional parts, repeats, a second stretch) melts into that stretch and is left to
//! the parser; a length that counts over the stretch still tells where the frame ends.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use super::checksum::Algorithm;
use super::expr::{BinaryOp, Expr, ExprKind, Function};
use super::fused::{
    Around, Bits, Check, Count, Edge, Fused, Length, Masked, Number, Place, Shape, Sum, Test, Twins,
};
use super::layout::{
    Allowed, BitField, Field, FieldType, Item, ItemKind, Layout, Order, Times, Transform, TransformOp,
};
use super::text::Name;

/// Longer fixed stretches are left to the parser.
const MOST_FIXED: usize = 4096;

impl Fused {
    /// Fuses `layout`; `algorithm` knows the CRCs by name.
    pub fn of(layout: &Layout, algorithm: &dyn Fn(&Name) -> Option<Algorithm>) -> Fused {
        let mut fuse = Fuse::default();
        fuse.walk(&layout.items, 0);
        fuse.finish(algorithm)
    }
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

/// (x × times + plus) / by
#[derive(Clone, Copy, Debug)]
struct Line {
    times: i64,
    plus: i64,
    by: i64,
}

/// Stretches of a frame, from and to.
type Spans = Vec<(Mark, Mark)>;

/// A computed number, to be resolved when all names are known.
#[derive(Debug)]
struct Computed {
    wire: Wire,
    expr: Expr,
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
    bytes: Vec<(Mark, u8, u8)>,
    same: Vec<(Mark, Mark, usize, u8)>,
    among: Vec<(Wire, Vec<RangeInclusive<u64>>)>,
    computed: Vec<Computed>,
    names: HashMap<Name, Known>,
}

impl Fuse {
    fn walk(&mut self, items: &[Item], depth: usize) {
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
            self.bytes.push((self.here, 0xFF, byte));
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
        let mut value = None;
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
            FieldType::Part { body, size: None } if field.transform.is_none() => {
                self.walk(&body.items, depth + 1)
            }
            // A compiled frame has a number or bytes in place of a natural checksum.
            FieldType::Part { size: None, .. }
            | FieldType::Natural(_)
            | FieldType::Dec
            | FieldType::Uu(_)
            | FieldType::Cbor(_) => self.opaque(None),
        }
        // A beginning that a second stretch swallowed is no place any more.
        let is_swallowed = from.behind && swallowings != self.swallowings;
        if let Some(name) = field.name.clone().filter(|_| !is_swallowed) {
            self.names.insert(name, Known { from, to: self.here, value });
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
        let wire = wire.filter(|_| !signed);
        match &wire {
            Some(wire) => self.allowed(wire.clone(), &field.allowed, here, depth),
            None => self.unsure |= field.allowed != Allowed::Any,
        }
        wire
    }

    fn allowed(&mut self, wire: Wire, allowed: &Allowed, here: Mark, depth: usize) {
        let plain = wire.line.is_plain();
        match allowed {
            Allowed::Any => {}
            Allowed::OneOf(ranges) if plain => {
                let unsigned = ranges.iter().filter(|range| *range.end() >= 0);
                let ranges = unsigned.map(|range| clamp(*range.start())..=clamp(*range.end())).collect();
                self.among.push((wire, ranges));
            }
            Allowed::Equal(expr) => match expr.as_number().map(u64::try_from) {
                Some(Ok(value)) if plain && value <= wire.mask => self.fixed(&wire, value),
                Some(_) => self.unsure = true,
                None => self.computed.push(Computed { wire, expr: expr.clone(), here, depth }),
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
                self.bytes.push((at, mask[index], value[index]));
            }
        }
    }

    fn bits(&mut self, fields: &[BitField], depth: usize) {
        let bits: u32 = fields.iter().map(|field| u32::from(field.width)).sum();
        let bytes = (bits / 8) as u8;
        if !bits.is_multiple_of(8) || !(1..=8).contains(&bytes) {
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
            self.allowed(wire.clone(), &field.allowed, here, depth);
            if let Some(name) = &field.name {
                // Where a span begins or ends in a group of several bytes is the parser's to say.
                let to = if bytes == 1 { self.here } else { here };
                self.names.insert(name.clone(), Known { from: here, to, value: Some(wire) });
            }
        }
    }

    fn again(&mut self, of: &Name, complement: bool) {
        let Some(known) = self.names.get(of).filter(|known| known.from.behind == known.to.behind) else {
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

    fn finish(mut self, algorithm: &dyn Fn(&Name) -> Option<Algorithm>) -> Fused {
        let behind = if self.stretch.is_some() { self.here.offset } else { 0 };
        let fixed = self.stretch.unwrap_or(self.here.offset) + behind;
        let edge = |mark: Mark| match mark.behind {
            true => Edge::from_end(behind - mark.offset),
            false => Edge::from_start(mark.offset),
        };
        let number = |wire: &Wire| Number {
            at: edge(wire.at),
            bytes: wire.bytes,
            order: wire.order,
            shift: wire.shift,
            mask: wire.mask,
        };
        let mut tests = Vec::new();
        let mut length = match self.stretch {
            None => Length::Fixed(fixed),
            Some(_) => Length::Unknown(fixed),
        };
        if let Some(count) = self.stretch_size.take().and_then(|size| self.count(&size)) {
            let (wire, line) = count;
            length = counted(&wire, &number(&wire), line, fixed);
        }
        for computed in std::mem::take(&mut self.computed) {
            if let Some((sum, around, spans)) = self.sum(&computed, algorithm) {
                let spans = spans.into_iter().map(|(from, to)| (edge(from), edge(to))).collect();
                tests.push(Test::Sum { number: number(&computed.wire), sum, around, spans });
                continue;
            }
            match self.relation(&computed).filter(|_| matches!(length, Length::Unknown(_))) {
                Some(line) => {
                    self.unsure |= computed.wire.line.by != 1;
                    length = counted(&computed.wire, &number(&computed.wire), line, fixed);
                }
                None => self.unsure = true,
            }
        }
        tests.extend(
            self.among
                .iter()
                .map(|(wire, ranges)| Test::Among { number: number(wire), ranges: ranges.clone() }),
        );
        let mut twins = Twins::default();
        for &(at, of, size, differ) in &self.same {
            let in_head = !at.behind && !of.behind && at.offset + size <= 8;
            let [first, last] = [of.offset, at.offset];
            let mut take = |byte: usize| twins.take(first + byte, last + byte, differ);
            if !in_head || !(0..size).all(&mut take) {
                tests.push(Test::Same { at: edge(at), of: edge(of), size, differ });
            }
        }
        let closing = self.bytes.iter().find_map(|&(at, mask, value)| {
            (at.behind && at.offset + 1 == behind && mask == 0xFF).then_some(value)
        });
        let always = self.stretch.is_none().then_some(fixed);
        let [mut head, mut tail] = [Masked::default(); 2];
        for &(at, mask, value) in &self.bytes {
            match (edge(at).start(), edge(at).fixed(always).end()) {
                (Some(start @ ..8), _) => head.ask(start, mask, value),
                (_, Some(end @ ..=8)) => tail.ask(8 - end, mask, value),
                _ => tests.push(Test::Byte { at: edge(at), mask, value }),
            }
        }
        let mut check = None;
        if let Some(place) = tests.iter().position(|test| check_of(test, always).is_some()) {
            check = check_of(&tests[place], always);
            tests.remove(place);
        }
        tests.sort_by_key(Test::cost);
        let certain = !self.unsure && !matches!(length, Length::Unknown(_));
        let places = self.names.iter().filter(|(_, known)| known.from != known.to);
        let place = |known: &Known| Place { from: edge(known.from), to: edge(known.to) };
        let places = places.map(|(name, known)| (name.clone(), place(known))).collect();
        let fused =
            Fused { head, twins, length, tail, check, tests, certain, closing, places, shape: Shape::Any };
        Fused { shape: fused.shape(), ..fused }
    }

    /// The length of the stretch by a number before it: `bytes(n)`.
    fn count(&self, size: &Expr) -> Option<(Wire, Line)> {
        let affine = affine(size, &|expr| match &expr.kind {
            ExprKind::Path(path) if path.rest.is_none() => Some(path.first.clone()),
            _ => None,
        })?;
        let known = self.names.get(&affine.of)?;
        let wire = known.value.clone().filter(|wire| !wire.at.behind && wire.bytes <= 4)?;
        let Line { times, plus, by } = wire.line;
        let line = Line {
            times: affine.times.checked_mul(times)?,
            plus: affine.times.checked_mul(plus)?.checked_add(affine.plus.checked_mul(by)?)?,
            by,
        };
        (line.times > 0).then_some((wire, line))
    }

    /// The length of the stretch by a number that counts over it: `n:u8=size(a..b)`.
    fn relation(&self, computed: &Computed) -> Option<Line> {
        let stretch = self.stretch?;
        let affine = affine(&computed.expr, &|expr| match &expr.kind {
            ExprKind::Call { function: Function::Size, args } => self.spans(args, computed),
            _ => None,
        })?;
        let covers = |(from, to): &&(Mark, Mark)| !from.behind && to.behind;
        if computed.wire.at.behind || computed.wire.bytes > 4 || affine.of.iter().filter(covers).count() != 1
        {
            return None;
        }
        let mut beside = 0;
        for (from, to) in &affine.of {
            beside += match (from.behind, to.behind) {
                (false, true) => stretch.checked_sub(from.offset)? + to.offset,
                (true, false) => return None,
                _ => to.offset.checked_sub(from.offset)?,
            };
        }
        // value = a × (stretch + beside) + b, and value = (wire × times + plus) / by
        let Line { times, plus, by } = computed.wire.line;
        let constant = affine.times.checked_mul(i64::try_from(beside).ok()?)?.checked_add(affine.plus)?;
        let line = Line {
            times,
            plus: plus.checked_sub(constant.checked_mul(by)?)?,
            by: by.checked_mul(affine.times)?,
        };
        (line.by > 0 && line.times > 0).then_some(line)
    }

    fn spans(&self, args: &[Expr], computed: &Computed) -> Option<Spans> {
        args.iter()
            .map(|arg| match &arg.kind {
                ExprKind::Path(path) if path.rest.is_none() => self
                    .names
                    .get(&path.first)
                    .filter(|known| known.from != known.to)
                    .map(|known| (known.from, known.to)),
                ExprKind::Span { from, to } => {
                    let whole = |name: &Name| self.names.get(name).filter(|known| known.from != known.to);
                    let from = match from {
                        Some(name) => whole(name)?.from,
                        None if computed.depth == 0 => Mark::default(),
                        None => return None,
                    };
                    let to = match to {
                        Some(name) => whole(name)?.to,
                        None => computed.here,
                    };
                    let in_order = (from.behind, from.offset) <= (to.behind, to.offset);
                    in_order.then_some((from, to))
                }
                _ => None,
            })
            .collect()
    }

    fn sum(
        &self,
        computed: &Computed,
        algorithm: &dyn Fn(&Name) -> Option<Algorithm>,
    ) -> Option<(Sum, Around, Spans)> {
        let (call, around) = match &computed.expr.kind {
            ExprKind::Binary(BinaryOp::BitXor, left, right) => match (left.as_number(), right.as_number()) {
                (Some(number), None) => (&**right, Around::Xor(u64::try_from(number).ok()?)),
                (None, Some(number)) => (&**left, Around::Xor(u64::try_from(number).ok()?)),
                _ => return None,
            },
            ExprKind::Binary(BinaryOp::Subtract, left, right) => {
                (&**right, Around::From(u64::try_from(left.as_number()?).ok()?))
            }
            _ => (&computed.expr, Around::Plain),
        };
        let ExprKind::Call { function, args } = &call.kind else { return None };
        let (sum, args) = match (function, args.as_slice()) {
            (Function::Sum, args) => (Sum::Masked(u64::MAX), args),
            (Function::Sum8, args) => (Sum::Sum8, args),
            (Function::Sum16, args) => (Sum::Masked(0xFFFF), args),
            (Function::Sum32, args) => (Sum::Masked(0xFFFF_FFFF), args),
            (Function::Xor8, args) => (Sum::Xor8, args),
            (Function::Lrc, args) => (Sum::Lrc, args),
            (Function::CarrySum8, args) => (Sum::CarrySum8, args),
            (Function::Crc, [name, args @ ..]) => match &name.kind {
                ExprKind::Algorithm(name) => (Sum::Crc(algorithm(name)?), args),
                _ => return None,
            },
            _ => return None,
        };
        let is_plain = computed.wire.line.is_plain();
        let spans = self.spans(args, computed).filter(|_| is_plain)?;
        Some((sum, around, spans))
    }
}

/// The length by a number; one that stands too far behind is left to the parser.
fn counted(wire: &Wire, number: &Number, line: Line, fixed: usize) -> Length {
    let known_after = wire.at.offset + usize::from(wire.bytes);
    if known_after > 8 {
        return Length::Unknown(fixed);
    }
    let number = Bits::at(wire.at.offset, number);
    Length::Counted(Count { number, times: line.times, plus: line.plus, by: line.by, fixed, known_after })
}

/// A sum over one stretch near the end, as what is tried before all other tests.
fn check_of(test: &Test, always: Option<usize>) -> Option<Check> {
    let Test::Sum { number, sum, around, spans } = test else { return None };
    let [(from, to)] = spans.as_slice() else { return None };
    let index = 8usize.checked_sub(number.at.fixed(always).end()?)?;
    let (from, to_end) = (from.start()?, to.fixed(always).end()?);
    Some(Check { sum: sum.clone(), around: *around, from, to_end, stands: Bits::at(index, number) })
}

fn clamp(number: i128) -> u64 {
    u64::try_from(number.max(0)).unwrap_or(u64::MAX)
}

impl Line {
    /// From what stands on the wire to the value.
    fn of(transform: Option<&Transform>) -> Option<Line> {
        let plain = Line { times: 1, plus: 0, by: 1 };
        let Some(Transform { op, by }) = transform else { return Some(plain) };
        let number = i64::from(i32::try_from(by.as_number()?).ok()?);
        match op {
            TransformOp::Add => Some(Line { plus: -number, ..plain }),
            TransformOp::Subtract => Some(Line { plus: number, ..plain }),
            TransformOp::Multiply => (number > 0).then_some(Line { by: number, ..plain }),
            TransformOp::Divide => (number > 0).then_some(Line { times: number, ..plain }),
            TransformOp::Xor => None,
        }
    }

    fn is_plain(self) -> bool {
        (self.times, self.plus, self.by) == (1, 0, 1)
    }
}

/// `times × of + plus`
struct Affine<T> {
    times: i64,
    plus: i64,
    of: T,
}

/// Reads an expression as a straight line over the one thing in it that `find` knows.
fn affine<T>(expr: &Expr, find: &dyn Fn(&Expr) -> Option<T>) -> Option<Affine<T>> {
    if let Some(of) = find(expr) {
        return Some(Affine { times: 1, plus: 0, of });
    }
    let ExprKind::Binary(op, left, right) = &expr.kind else { return None };
    let number = |expr: &Expr| expr.as_number().and_then(|number| i32::try_from(number).ok()).map(i64::from);
    let (inner, by, swapped) = match (number(left), number(right)) {
        (None, Some(by)) => (affine(left, find)?, by, false),
        (Some(by), None) => (affine(right, find)?, by, true),
        _ => return None,
    };
    let Affine { times, plus, of } = inner;
    let (times, plus) = match (op, swapped) {
        (BinaryOp::Add, _) => (times, plus.checked_add(by)?),
        (BinaryOp::Subtract, false) => (times, plus.checked_sub(by)?),
        (BinaryOp::Multiply, _) => (times.checked_mul(by)?, plus.checked_mul(by)?),
        _ => return None,
    };
    (times.abs() <= 1 << 20 && plus.abs() <= 1 << 40).then_some(Affine { times, plus, of })
}
