//! From what was walked over to the fused form: where things stand from either end, what tells the length, which tests are left.

use super::super::checksum::Algorithm;
use super::super::expr::{BinaryOp, Expr, ExprKind, Function};
use super::super::fused::{
    Around, Bits, Check, Count, Edge, Fused, Length, Masked, Number, Place, Plain, Relation, Shape, Sum,
    Taken, Test, Twins,
};
use super::super::text::Name;
use super::affine::{Line, affine};
use super::{Computed, Drawn, Fuse, Known, Mark, Spans, Wire};

impl Fuse {
    pub(super) fn finish(mut self, algorithm: &dyn Fn(&Name) -> Option<Algorithm>) -> Fused {
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
        let mut relations = Vec::new();
        for computed in std::mem::take(&mut self.computed) {
            if let Some((sum, around, spans)) = self.sum(&computed, algorithm) {
                let spans = spans.into_iter().map(|(from, to)| (edge(from), edge(to))).collect();
                tests.push(Test::Sum { number: number(&computed.wire), sum, around, spans });
                continue;
            }
            if let Some(number) = self.always(&computed) {
                self.fixed(&computed.wire, number);
                continue;
            }
            match self.relation(&computed).filter(|_| matches!(length, Length::Unknown(_))) {
                Some(line) => {
                    self.unsure |= computed.wire.line.by != 1;
                    length = counted(&computed.wire, &number(&computed.wire), line, fixed);
                }
                None => match self.outside(&computed, edge(computed.here)) {
                    Some(relation) => relations.push(relation),
                    None => self.unsure = true,
                },
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
        let settled = !self.unsure && !matches!(length, Length::Unknown(_));
        let certain = settled && relations.is_empty();
        let plain = if settled { self.plain(relations, &edge, &number) } else { None };
        let places = self.names.iter().filter(|(_, known)| known.from != known.to);
        let place = |known: &Known| Place { from: edge(known.from), to: edge(known.to) };
        let places = places.map(|(name, known)| (name.clone(), place(known))).collect();
        let (shape, preamble) = (Shape::Any, None);
        let fused = Fused {
            head,
            twins,
            length,
            tail,
            check,
            tests,
            certain,
            closing,
            places,
            plain,
            shape,
            preamble,
        };
        Fused { shape: fused.shape(), ..fused }
    }

    /// A relation that no bytes of this frame are summed up for: values and what is known outside decide.
    fn outside(&self, computed: &Computed, at: Edge) -> Option<Relation> {
        let mut of_wire = false;
        computed.expr.walk(&mut |part| {
            of_wire |= matches!(&part.kind, ExprKind::Call { function, .. } if function.is_of_wire());
        });
        let field = computed.field.filter(|_| !of_wire)?;
        let bits = (computed.wire.mask.count_ones()).min(64);
        Some(Relation { field, at, expr: computed.expr.clone(), bits })
    }

    /// Every named field with its place, where all of them have one.
    fn plain(
        &self,
        relations: Vec<Relation>,
        edge: &dyn Fn(Mark) -> Edge,
        number: &dyn Fn(&Wire) -> Number,
    ) -> Option<Plain> {
        if self.ambiguous || self.names.len() != self.named {
            return None;
        }
        let mut known: Vec<(&Name, &Known)> = self.names.iter().collect();
        known.sort_unstable_by_key(|(_, known)| known.order);
        let taken = |(_, known): &(&Name, &Known)| {
            Some(match known.drawn.as_ref()? {
                Drawn::Number { wire, signed, shift } => {
                    let Line { times, plus, .. } = wire.line;
                    Taken::Number { number: number(wire), signed: *signed, shift: *shift, times, plus }
                }
                Drawn::Bytes { shift } => {
                    let place = Place { from: edge(known.from), to: edge(known.to) };
                    Taken::Bytes { place, shift: *shift }
                }
            })
        };
        let fields = known.iter().map(taken).collect::<Option<Vec<Taken>>>()?;
        let names = known.iter().map(|(name, _)| (*name).clone()).collect();
        Some(Plain { names, fields, relations })
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

    /// The number on the wire that counts over bytes which are always as many.
    fn always(&self, computed: &Computed) -> Option<u64> {
        let affine = affine(&computed.expr, &|expr| match &expr.kind {
            ExprKind::Call { function: Function::Size, args } => self.spans(args, computed),
            _ => None,
        })?;
        let width = |(from, to): &(Mark, Mark)| {
            (from.behind == to.behind).then(|| to.offset.checked_sub(from.offset)).flatten()
        };
        let counted = affine.of.iter().map(width).sum::<Option<usize>>()?;
        let value = affine.times.checked_mul(i64::try_from(counted).ok()?)?.checked_add(affine.plus)?;
        // value = (wire × times + plus) / by
        let Line { times, plus, by } = computed.wire.line;
        let number = value.checked_mul(by)?.checked_sub(plus)?;
        let number = u64::try_from(number).ok().filter(|_| times == 1)?;
        (number <= computed.wire.mask).then_some(number)
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
                    .filter(|known| known.is_measured())
                    .map(|known| (known.from, known.to)),
                ExprKind::Span { from, to } => {
                    let whole = |name: &Name| self.names.get(name).filter(|known| known.is_measured());
                    let from = match from {
                        Some(name) => whole(name)?.from,
                        None if computed.depth == 0 && !self.is_behind => Mark::default(),
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

/// The length by a number.
fn counted(wire: &Wire, number: &Number, line: Line, fixed: usize) -> Length {
    let known_after = wire.at.offset + usize::from(wire.bytes);
    let word = known_after.saturating_sub(8);
    let number = Bits::at(wire.at.offset - word, number);
    Length::Counted(Count {
        word,
        number,
        times: line.times,
        plus: line.plus,
        by: line.by,
        fixed,
        known_after,
    })
}

/// A sum over one stretch near the end, as what is tried before all other tests.
fn check_of(test: &Test, always: Option<usize>) -> Option<Check> {
    let Test::Sum { number, sum, around, spans } = test else { return None };
    let [(from, to)] = spans.as_slice() else { return None };
    let index = 8usize.checked_sub(number.at.fixed(always).end()?)?;
    let (from, to_end) = (from.start()?, to.fixed(always).end()?);
    Some(Check { sum: sum.clone(), around: *around, from, to_end, stands: Bits::at(index, number) })
}
