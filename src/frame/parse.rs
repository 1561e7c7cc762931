//! Bytes to fields: complete, not yet, or wrong at this byte for this reason.
//!
//! One pass over the operations of a program. What is computed from later bytes is compared when those have been read.

use std::borrow::Cow;

use bytes::Bytes;

use super::envelope::LONGEST;
use super::expr::{EvalError, Expr, ExprKind, Function, Path, Scope};
use super::frame::{Mismatch, Reading, Values};
use super::layout::Transform;
use super::program::{Check, LeafKind, Op, OpKind, Program, Seq, SlotId, is_one_of};
use super::text::Name;
use super::transform;
use super::value::Value;

/// Why reading ends early.
#[derive(Debug)]
pub enum Stop {
    /// At least so many more bytes; negative while what must follow has begun to come.
    More(isize),
    Wrong(Mismatch),
}

pub type Step<T> = Result<T, Stop>;

/// Reads the payload of one frame; `faults` wrong values are let through and told.
pub fn payload(
    program: &Program,
    wire: &[u8],
    closed: bool,
    scope: &dyn Scope,
    faults: usize,
) -> Step<Reading> {
    let mut reader = Reader {
        program,
        wire,
        text: Cow::Borrowed(wire),
        base: 0,
        closed,
        scope,
        values: vec![Found::Nothing; program.slots.len()],
        spans: vec![None; program.slots.len()],
        here: 0,
        later: Vec::new(),
        faults,
        wrong: Vec::new(),
    };
    let len = reader.seq(&program.body, 0, None, Some(0))?;
    reader.compare_from(0)?;
    Ok(reader.reading(len))
}

/// What is known of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    Nothing,
    /// Its part is not there: it reads as 0 or as empty.
    Absent,
    Value(Value),
}

/// A computed value that is compared when all it is computed from has been read.
struct Later<'p> {
    check: &'p Check,
    slot: SlotId,
    at: usize,
    /// How wide the number is on the wire.
    bits: u32,
}

pub struct Reader<'p, 'i> {
    pub program: &'p Program,
    /// The whole payload, as it came.
    wire: &'i [u8],
    /// What is read: the wire, or inside a transformed part what it stands for, at the same places.
    text: Cow<'i, [u8]>,
    base: usize,
    pub closed: bool,
    scope: &'i dyn Scope,
    values: Vec<Found>,
    spans: Vec<Option<(usize, usize)>>,
    /// Where the field begins whose relation is looked at.
    here: usize,
    later: Vec<Later<'p>>,
    faults: usize,
    wrong: Vec<Mismatch>,
}

impl Scope for Reader<'_, '_> {
    fn look(&self, path: &Path) -> Option<Value> {
        if path.rest.is_none() {
            let mut named = self
                .program
                .slots
                .iter()
                .zip(&self.values)
                .filter(|(slot, _)| slot.name.as_ref() == Some(&path.first));
            let mut is_field = false;
            let mut absent = None;
            for (slot, found) in named.by_ref() {
                match found {
                    Found::Value(value) => return Some(value.clone()),
                    Found::Absent => absent = Some(slot.holds.nothing()),
                    Found::Nothing => is_field = true,
                }
            }
            if is_field || absent.is_some() {
                return absent;
            }
        }
        self.scope.look(path)
    }

    fn wire(&self, from: Option<&Name>, to: Option<&Name>) -> Option<&[u8]> {
        let (from, to) = self.place(from, to)?;
        self.wire.get(from..to)
    }

    fn algorithm(&self, name: &Name) -> Option<&super::checksum::Algorithm> {
        self.program.algorithms.iter().find(|(known, _)| known == name).map(|(_, algorithm)| algorithm)
    }

    fn memory(&self, address: u64, n: usize) -> Result<Bytes, EvalError> {
        self.scope.memory(address, n)
    }

    fn lookup(&self, table: &Name, x: i128) -> Option<i128> {
        self.scope.lookup(table, x)
    }
}

impl<'p, 'i> Reader<'p, 'i> {
    /// Runs operations from `p` on. `limit`: they must end there or earlier; none: the frame is open.
    /// `tail`: so many bytes must be left behind them up to the limit, if that can be told.
    fn seq(&mut self, seq: &'p Seq, p: usize, limit: Option<usize>, tail: Option<usize>) -> Step<usize> {
        let mut starts = vec![p; seq.windows.len()];
        let mut p = p;
        for (place, op) in seq.ops.iter().enumerate() {
            for (window, start) in seq.windows.iter().zip(&mut starts) {
                if window.from == place {
                    *start = p;
                }
            }
            let (mut limit_here, mut last) = (limit, None);
            for (window, start) in seq.windows.iter().zip(&starts) {
                if !(window.from..=window.to).contains(&place) {
                    continue;
                }
                let Some(end) = self.window_end(window, *start)? else { continue };
                if limit.is_some_and(|limit| end > limit) {
                    let room = format!("a length {} that fits", self.program.label(window.says));
                    return Err(wrong(self.at_of(window.says, p), room));
                }
                if last.is_none() || limit_here.is_none_or(|limit| end < limit) {
                    (limit_here, last) = (Some(end), Some(window.to));
                }
            }
            let tail_here = if !op.may_take_rest {
                None
            } else {
                match last {
                    Some(last) => self.width_of_all(&seq.ops[place + 1..=last]),
                    None => {
                        self.width_of_all(&seq.ops[place + 1..]).zip(tail).map(|(own, outer)| own + outer)
                    }
                }
            };
            p = match self.op(op, p, limit_here, tail_here) {
                Ok(next) => next,
                Err(Stop::More(more)) => {
                    let needed = more + seq.least[place + 1] as isize;
                    let by_window = limit_here.zip(last).map(|(end, last)| {
                        let behind = seq.least.get(last + 1).copied().unwrap_or(0);
                        (end + behind) as isize - self.end() as isize
                    });
                    return Err(Stop::More(needed.max(by_window.unwrap_or(needed))));
                }
                Err(wrong) => return Err(wrong),
            };
            for (window, start) in seq.windows.iter().zip(&starts) {
                if window.to == place {
                    if let Some(end) = self.window_end(window, *start)?.filter(|end| *end != p) {
                        let label = self.program.label(window.says);
                        return Err(wrong(p.min(end), format!("the bytes that {label} counts to end here")));
                    }
                }
            }
        }
        Ok(p)
    }

    fn window_end(&self, window: &super::program::Window, start: usize) -> Step<Option<usize>> {
        let Found::Value(Value::Int(says)) = self.values[window.says] else { return Ok(None) };
        let length = window.inverse.undo(says, self).and_then(|length| usize::try_from(length).ok());
        match length.filter(|length| *length <= LONGEST) {
            Some(length) => Ok(Some(start + length)),
            None => {
                let label = self.program.label(window.says);
                Err(wrong(self.at_of(window.says, start), format!("a possible length {label}, not {says}")))
            }
        }
    }

    fn at_of(&self, slot: SlotId, otherwise: usize) -> usize {
        self.spans[slot].map_or(otherwise, |(from, _)| from)
    }

    fn op(&mut self, op: &'p Op, p: usize, limit: Option<usize>, tail: Option<usize>) -> Step<usize> {
        match &op.kind {
            OpKind::Literal(bytes) => self.literal(bytes, p, limit),
            OpKind::Some { unit, least, most } => self.some(unit, *least, *most, p, limit),
            OpKind::Fill(unit) => self.fill(unit, p, limit, tail),
            OpKind::Bits { bytes, fields } => {
                let mut word = self.number(p, *bytes, limit)?;
                let width: u32 = *bytes as u32 * 8;
                word <<= 64 - width;
                for bits in fields {
                    let raw = word >> (64 - u32::from(bits.width));
                    word = word.checked_shl(bits.width.into()).unwrap_or(0);
                    let value = self.undo(bits.transform.as_ref(), raw.into(), bits.slot, p)?;
                    self.found(
                        bits.slot,
                        value.map(Value::Int),
                        (p, p + bytes),
                        &bits.check,
                        bits.width.into(),
                    )?;
                }
                Ok(p + bytes)
            }
            OpKind::Again { of, complement } => self.again(*of, *complement, p, limit),
            OpKind::Optional { body, when } => match when.eval(self) {
                Ok(Value::Int(0)) | Err(EvalError::Unknown(_)) => {
                    op.slots.clone().for_each(|slot| self.absent(slot, p));
                    Ok(p)
                }
                Ok(Value::Int(_)) => self.seq(body, p, limit, tail),
                Ok(_) => Err(wrong(p, "a condition that is a number".into())),
                Err(error) => Err(wrong(p, error.to_string())),
            },
            OpKind::Repeat { body, count } => self.repeat(body, count.as_ref(), p, limit, tail),
            OpKind::Leaf(leaf) => {
                let (next, value) = self.leaf(leaf, p, limit, tail)?;
                let digit = if matches!(leaf.kind, LeafKind::Hex(_)) { 4 } else { 8 };
                self.found(leaf.slot, value, (p, next), &leaf.check, (next - p) as u32 * digit)?;
                Ok(next)
            }
        }
    }

    /// A field of a part that is not there.
    pub fn absent(&mut self, slot: SlotId, at: usize) {
        self.values[slot] = Found::Absent;
        self.spans[slot] = Some((at, at));
    }

    /// Takes what was read for a field, and compares it with what it may be.
    pub fn found(
        &mut self,
        slot: SlotId,
        value: Option<Value>,
        span: (usize, usize),
        check: &'p Check,
        bits: u32,
    ) -> Step<()> {
        self.spans[slot] = Some(span);
        let from = span.0;
        let Some(value) = value else { return Ok(()) };
        let expected = match check {
            Check::Any => None,
            Check::Fixed(fixed) => (!same(&value, fixed)).then(|| shown(fixed)),
            Check::OneOf(ranges) | Check::Sends { others: ranges, .. } => {
                let is_allowed = value.as_int().is_some_and(|number| is_one_of(ranges, number));
                (!is_allowed).then(|| shown_set(ranges))
            }
            Check::Computed { .. } => {
                self.later.push(Later { check, slot, at: from, bits });
                None
            }
        };
        if let Some(expected) = expected {
            let label = self.program.label(slot);
            self.fault(from, format!("{label} {expected}, is {}", shown(&value)))?;
        }
        self.values[slot] = Found::Value(value);
        if let Check::Computed { at_once: true, .. } = check {
            let last = self.later.len() - 1;
            self.compare_from(last)?;
        }
        Ok(())
    }

    /// Compares the computed values that were noted from the `first` on.
    fn compare_from(&mut self, first: usize) -> Step<()> {
        for Later { check, slot, at, bits } in self.later.split_off(first.min(self.later.len())) {
            let Check::Computed { expr, .. } = check else { continue };
            let Found::Value(found) = &self.values[slot] else { continue };
            self.here = at;
            let expected = match expr.eval(self) {
                Ok(value) => value,
                // A relation on what nobody knows is not checked.
                Err(EvalError::Unknown(_)) => continue,
                Err(error) => {
                    let label = self.program.label(slot);
                    self.fault(at, format!("{label} that can be computed: {error}"))?;
                    continue;
                }
            };
            if same(found, &expected) || is_complement(found, &expected, bits) {
                continue;
            }
            let message = format!("{} {}, is {}", self.program.label(slot), shown(&expected), shown(found));
            if self.wrong.iter().any(|fault| self.covers(expr, fault.at)) {
                // The same fault once more, seen by its checksum.
                continue;
            }
            self.fault(at, message)?;
        }
        Ok(())
    }

    /// Whether a byte lies among those that an expression sums up.
    fn covers(&self, expr: &Expr, byte: usize) -> bool {
        let mut covered = false;
        expr.walk(&mut |part| {
            let ExprKind::Call { function, args } = &part.kind else { return };
            if !function.is_of_wire() || *function == Function::Size {
                return;
            }
            for arg in args {
                let ends = match &arg.kind {
                    ExprKind::Span { from, to } => self.place(from.as_ref(), to.as_ref()),
                    ExprKind::Path(Path { first, rest: None }) => self.place(Some(first), Some(first)),
                    _ => None,
                };
                covered |= ends.is_some_and(|(from, to)| (from..to).contains(&byte));
            }
        });
        covered
    }

    fn place(&self, from: Option<&Name>, to: Option<&Name>) -> Option<(usize, usize)> {
        let span = |name: &Name| {
            let mut named = self.program.slots.iter().zip(&self.spans);
            named.find_map(|(slot, span)| span.filter(|_| slot.name.as_ref() == Some(name)))
        };
        let from = from.map_or(Some(0), |name| Some(span(name)?.0))?;
        let to = to.map_or(Some(self.here), |name| Some(span(name)?.1))?;
        (from <= to).then_some((from, to))
    }

    /// Something is wrong: told and let through while faults are allowed, else the end.
    pub fn fault(&mut self, at: usize, expected: String) -> Step<()> {
        let mismatch = Mismatch { at, expected };
        if self.wrong.len() >= self.faults {
            return Err(Stop::Wrong(mismatch));
        }
        self.wrong.push(mismatch);
        Ok(())
    }

    fn literal(&mut self, bytes: &[u8], p: usize, limit: Option<usize>) -> Step<usize> {
        for (index, byte) in bytes.iter().enumerate() {
            self.need(p + index, 1, limit).map_err(|stop| stop.with(bytes.len() - index - 1))?;
            if self.byte(p + index) != *byte {
                self.fault(p + index, format!("{byte:02X}"))?;
            }
        }
        Ok(p + bytes.len())
    }

    fn some(
        &mut self,
        unit: &[u8],
        least: usize,
        most: usize,
        p: usize,
        limit: Option<usize>,
    ) -> Step<usize> {
        let mut at = p;
        for round in 0..most {
            let needed = round < least;
            for (index, byte) in unit.iter().enumerate() {
                match self.need(at + index, 1, limit) {
                    Ok(()) if self.byte(at + index) == *byte => {}
                    Ok(()) | Err(Stop::Wrong(_)) if !needed => return Ok(at),
                    Ok(()) => self.fault(at + index, format!("{byte:02X}"))?,
                    // One more byte may be the next of these, or the first of what follows.
                    Err(Stop::More(_)) if !needed => return Err(Stop::More(0)),
                    Err(stop) => {
                        return Err(stop.with(unit.len() - index - 1 + (least - round - 1) * unit.len()));
                    }
                }
            }
            at += unit.len();
        }
        Ok(at)
    }

    fn fill(&mut self, unit: &[u8], p: usize, limit: Option<usize>, tail: Option<usize>) -> Step<usize> {
        let end = self.rest_end(p, limit, tail)?;
        for at in p..end {
            self.need(at, 1, Some(end)).map_err(|stop| stop.with(end - at - 1))?;
            let expected = unit.get((at - p) % unit.len().max(1)).copied().unwrap_or(0);
            if self.byte(at) != expected {
                self.fault(at, format!("{expected:02X} that fills"))?;
            }
        }
        Ok(end)
    }

    /// Where bytes without a length end: at the limit or at the closed end, less what must follow.
    pub fn rest_end(&self, p: usize, limit: Option<usize>, tail: Option<usize>) -> Step<usize> {
        let Some(tail) = tail else {
            return Err(wrong(p, "bytes whose end can be told".into()));
        };
        let end = match limit {
            Some(limit) => limit,
            None if self.closed => self.end(),
            None => return Err(Stop::More(p as isize - self.end() as isize)),
        };
        match end.checked_sub(tail).filter(|end| *end >= p) {
            Some(end) => Ok(end),
            None => Err(wrong(end, format!("{} more bytes", p + tail - end))),
        }
    }

    fn again(&mut self, of: SlotId, complement: bool, p: usize, limit: Option<usize>) -> Step<usize> {
        let Some((from, to)) = self.spans[of] else { return Ok(p) };
        let mask = if complement { 0xFF } else { 0 };
        for index in 0..to - from {
            self.need(p + index, 1, limit).map_err(|stop| stop.with(to - from - index - 1))?;
            let before = match (from + index).checked_sub(self.base).and_then(|at| self.text.get(at)) {
                Some(byte) => *byte,
                None => self.wire.get(from + index).copied().unwrap_or(0),
            };
            let expected = before ^ mask;
            if self.byte(p + index) != expected {
                let label = self.program.label(of);
                let what = if complement { "the complement of " } else { "once more " };
                self.fault(p + index, format!("{what}{label}, {expected:02X}"))?;
            }
        }
        Ok(p + to - from)
    }

    fn repeat(
        &mut self,
        body: &'p Seq,
        count: Option<&Expr>,
        p: usize,
        limit: Option<usize>,
        tail: Option<usize>,
    ) -> Step<usize> {
        let count = match count {
            Some(count) => Some(self.length(count, p)?),
            None => None,
        };
        let end = match count {
            Some(_) => None,
            None => Some(self.rest_end(p, limit, tail)?),
        };
        let mut rounds: Vec<Vec<Value>> = vec![Vec::new(); body.slots.len()];
        let mut firsts = None;
        let (mut at, mut round) = (p, 0);
        while count.map_or(end.is_some_and(|end| at < end), |count| round < count) {
            for slot in body.slots.clone() {
                self.values[slot] = Found::Nothing;
            }
            let first_later = self.later.len();
            let behind = count.map_or(0, |count| (count - round - 1).saturating_mul(body.least[0]));
            at = self.seq(body, at, end.or(limit), None).map_err(|stop| stop.with(behind))?;
            self.compare_from(first_later)?;
            for (slot, list) in body.slots.clone().zip(&mut rounds) {
                list.push(match &self.values[slot] {
                    Found::Value(value) => value.clone(),
                    Found::Absent | Found::Nothing => self.program.slots[slot].holds.nothing(),
                });
            }
            firsts.get_or_insert_with(|| self.spans[body.slots.clone()].to_vec());
            round += 1;
        }
        for (place, (slot, list)) in body.slots.clone().zip(rounds).enumerate() {
            self.values[slot] = Found::Value(Value::List(list));
            let first = firsts.as_ref().and_then(|firsts: &Vec<Option<(usize, usize)>>| firsts[place]);
            self.spans[slot] = match (first, self.spans[slot]) {
                (Some((from, _)), Some((_, to))) => Some((from, to)),
                _ => Some((p, p)),
            };
        }
        Ok(at)
    }

    /// A length or a count, bounded.
    pub fn length(&self, expr: &Expr, p: usize) -> Step<usize> {
        let length = expr.eval_int(self).map_err(|error| wrong(p, format!("a length: {error}")))?;
        usize::try_from(length)
            .ok()
            .filter(|length| *length <= LONGEST)
            .ok_or_else(|| wrong(p, format!("a length of 0 to {LONGEST}, not {length}")))
    }

    /// How wide operations are that have not been read, if that can be told by now.
    fn width_of_all(&self, ops: &[Op]) -> Option<usize> {
        ops.iter().try_fold(0usize, |sum, op| Some(sum + self.width_of(op)?))
    }

    fn width_of(&self, op: &Op) -> Option<usize> {
        if op.fixed.is_some() {
            return op.fixed;
        }
        let told = |expr: &Expr| expr.eval_int(self).ok().and_then(|length| usize::try_from(length).ok());
        match &op.kind {
            OpKind::Literal(bytes) => Some(bytes.len()),
            OpKind::Bits { bytes, .. } => Some(*bytes),
            OpKind::Again { of, .. } => self.spans[*of].map(|(from, to)| to - from),
            OpKind::Some { .. } => None,
            // Whatever asks stands in front of it and leaves it no room.
            OpKind::Fill(_) => Some(0),
            OpKind::Optional { body, when } => match when.eval_int(self) {
                Ok(0) | Err(EvalError::Unknown(_)) => Some(0),
                Ok(_) => self.width_of_all(&body.ops),
                Err(_) => None,
            },
            OpKind::Repeat { body, count } => {
                told(count.as_ref()?)?.checked_mul(body.fixed()?).filter(|width| *width <= LONGEST)
            }
            OpKind::Leaf(leaf) => match &leaf.kind {
                LeafKind::Number { bytes, .. } => Some(*bytes),
                LeafKind::Sized { bytes: size, .. } | LeafKind::Hex(size) => told(size),
                LeafKind::Uu(n) => told(n).map(|n| n.div_ceil(3) * 4),
                LeafKind::Bytes { size: Some(size), .. } | LeafKind::Part { size: Some(size), .. } => {
                    told(size)
                }
                LeafKind::Part { body, size: None } => self.width_of_all(&body.ops),
                LeafKind::Bytes { size: None, .. } | LeafKind::Dec | LeafKind::Cbor(_) => None,
            },
        }
        .filter(|width| *width <= LONGEST)
    }

    /// One past the last byte that is there.
    pub fn end(&self) -> usize {
        self.base + self.text.len()
    }

    /// Makes sure of `n` bytes at `p`.
    pub fn need(&self, p: usize, n: usize, limit: Option<usize>) -> Step<()> {
        if limit.is_some_and(|limit| p + n > limit) {
            return Err(wrong(
                limit.unwrap_or(p),
                format!("{} more bytes within the length", p + n - limit.unwrap_or(p)),
            ));
        }
        let missing = (p + n).saturating_sub(self.end());
        match missing {
            0 => Ok(()),
            _ if self.closed => Err(wrong(self.end(), format!("{missing} more bytes"))),
            _ => Err(Stop::More(missing as isize)),
        }
    }

    /// Bytes that [`Reader::need`] has made sure of.
    pub fn slice(&self, p: usize, n: usize) -> &[u8] {
        self.text.get(p - self.base..p - self.base + n).unwrap_or(&[])
    }

    fn byte(&self, p: usize) -> u8 {
        self.slice(p, 1).first().copied().unwrap_or(0)
    }

    /// All that is there from `p` on, up to the limit.
    pub fn available(&self, p: usize, limit: Option<usize>) -> &[u8] {
        let end = limit.map_or(self.end(), |limit| limit.min(self.end())).max(p);
        self.text.get(p - self.base..end - self.base).unwrap_or(&[])
    }

    pub fn number(&self, p: usize, bytes: usize, limit: Option<usize>) -> Step<u64> {
        self.need(p, bytes, limit)?;
        Ok(self.slice(p, bytes).iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// From the number on the wire to the field's; `None` when the operand is not known.
    pub fn undo(&mut self, by: Option<&Transform>, raw: i128, slot: SlotId, at: usize) -> Step<Option<i128>> {
        let Some(by) = by else { return Ok(Some(raw)) };
        match transform::undo_number(by, raw, self) {
            Ok(value) => Ok(Some(value)),
            Err(transform::Fails::Unknown) => Ok(None),
            Err(transform::Fails::Never(why)) => {
                let label = self.program.label(slot);
                self.fault(at, format!("{label} {why}, is {raw}"))?;
                Ok(None)
            }
        }
    }

    /// Reads a part; inside a transformed one, what its bytes stand for.
    pub fn part(
        &mut self,
        body: &'p Seq,
        by: Option<&Transform>,
        p: usize,
        limit: Option<usize>,
        tail: Option<usize>,
    ) -> Step<usize> {
        let Some(by) = by else { return self.seq(body, p, limit, tail) };
        let decoded = transform::undo_bytes(by, self.available(p, limit), self)
            .map_err(|why| wrong(p, format!("a part that can be undone: {why}")))?;
        let outer = std::mem::replace(&mut self.text, Cow::Owned(decoded));
        let base = std::mem::replace(&mut self.base, p);
        let read = self.seq(body, p, limit, tail);
        self.text = outer;
        self.base = base;
        read
    }

    fn reading(self, len: usize) -> Reading {
        let mut values = Vec::new();
        let mut absent = Vec::new();
        let slots = &self.program.slots;
        for (id, (slot, found)) in slots.iter().zip(self.values).enumerate() {
            let Some(name) = &slot.name else { continue };
            match found {
                Found::Value(value) => values.push((name.clone(), value)),
                Found::Nothing => {}
                Found::Absent => {
                    let twin = |(other, known): (usize, &super::program::Slot)| {
                        other != id && known.name == slot.name
                    };
                    if !slots.iter().enumerate().any(twin) {
                        values.push((name.clone(), slot.holds.nothing()));
                        absent.push(name.clone());
                    }
                }
            }
        }
        Reading { len, values: Values(values), wrong: self.wrong, absent }
    }
}

impl Stop {
    /// So many more bytes are needed behind what is missing.
    fn with(self, behind: usize) -> Stop {
        match self {
            Stop::More(more) => Stop::More(more + behind as isize),
            wrong => wrong,
        }
    }
}

pub fn wrong(at: usize, expected: String) -> Stop {
    Stop::Wrong(Mismatch { at, expected })
}

/// Equal; a single byte of text is also the number of that byte.
fn same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Bytes(found), Value::Int(number)) => {
            u8::try_from(*number).is_ok_and(|byte| found.bytes[..] == [byte])
        }
        _ => found == expected,
    }
}

/// A negative number stands for its two's complement in the width of its field: `~x`, `-sum8(…)`.
fn is_complement(found: &Value, expected: &Value, bits: u32) -> bool {
    let (Value::Int(found), Value::Int(expected)) = (found, expected) else { return false };
    let modulus = 1i128 << bits.min(64);
    *expected < 0 && *expected >= -modulus && expected + modulus == *found
}

/// A value in a message: hex as on the wire, or a number.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Int(number) if (0..256).contains(number) => format!("{number:02X}"),
        Value::Int(number) if *number >= 0 => format!("0x{number:X}"),
        Value::Int(number) => number.to_string(),
        Value::Bytes(blob) => {
            let shown: Vec<String> = blob.bytes.iter().take(16).map(|byte| format!("{byte:02X}")).collect();
            let more = if blob.bytes.len() > 16 { " …" } else { "" };
            format!("{}{more}", shown.join(" "))
        }
        Value::List(list) => {
            let shown: Vec<String> = list.iter().take(8).map(shown).collect();
            format!("[{}]", shown.join(", "))
        }
    }
}

fn shown_set(ranges: &[std::ops::RangeInclusive<i128>]) -> String {
    let shown: Vec<String> = ranges
        .iter()
        .map(|range| match range.start() == range.end() {
            true => shown(&Value::Int(*range.start())),
            false => {
                format!("{} to {}", shown(&Value::Int(*range.start())), shown(&Value::Int(*range.end())))
            }
        })
        .collect();
    format!("as one of {}", shown.join(", "))
}
