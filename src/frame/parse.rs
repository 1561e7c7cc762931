//! Bytes to fields: complete, not yet, or wrong at this byte for this reason.
//!
//! One pass over the operations of a program. What is computed from later bytes is compared when those have been read.

use std::borrow::Cow;

use bytes::Bytes;

use super::expr::{EvalError, Expr, Path, Scope};
use super::layout::Transform;
use super::program::{Check, LeafKind, Op, OpKind, Program, Seq, SlotId};
use super::reading::{Mismatch, Reading};
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

/// What is made of wrong values.
#[derive(Clone, Copy, Debug)]
pub struct Leniency {
    /// So many are let through and told.
    pub faults: usize,
    /// It is said what was expected, and not only where.
    pub words: bool,
}

/// Reads the payload of one frame.
pub fn payload(
    program: &Program,
    wire: &[u8],
    closed: bool,
    scope: &dyn Scope,
    leniency: Leniency,
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
        leniency,
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
pub struct Later<'p> {
    pub check: &'p Check,
    pub slot: SlotId,
    pub at: usize,
    /// How wide the number is on the wire.
    pub bits: u32,
}

pub struct Reader<'p, 'i> {
    pub program: &'p Program,
    /// The whole payload, as it came.
    pub wire: &'i [u8],
    /// What is read: the wire, or inside a transformed part what it stands for, at the same places.
    pub text: Cow<'i, [u8]>,
    pub base: usize,
    pub closed: bool,
    pub scope: &'i dyn Scope,
    pub values: Vec<Found>,
    pub spans: Vec<Option<(usize, usize)>>,
    /// Where the field begins whose relation is looked at.
    pub here: usize,
    pub later: Vec<Later<'p>>,
    pub leniency: Leniency,
    pub wrong: Vec<Mismatch>,
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
        self.program.algorithm(name)
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
            // What fills the room behind these bytes takes none from them.
            let behind = place + 1 + usize::from(op.is_ended_by_fill());
            let tail_here = if !op.may_take_rest {
                None
            } else {
                match last {
                    Some(last) => self.width_of_all(&seq.ops[behind.min(last + 1)..=last]),
                    None => self.width_of_all(&seq.ops[behind..]).zip(tail).map(|(own, outer)| own + outer),
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
                if window.to != place {
                    continue;
                }
                if let Some(end) = self.window_end(window, *start)?.filter(|end| *end != p) {
                    let label = self.program.label(window.says);
                    return Err(wrong(p.min(end), format!("the bytes that {label} counts to end here")));
                }
            }
        }
        Ok(p)
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

    fn literal(&mut self, bytes: &[u8], p: usize, limit: Option<usize>) -> Step<usize> {
        for (index, byte) in bytes.iter().enumerate() {
            self.need(p + index, 1, limit).map_err(|stop| stop.with(bytes.len() - index - 1))?;
            if self.byte(p + index) != *byte {
                self.fault(p + index, |_| format!("{byte:02X}"))?;
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
                    Ok(()) => self.fault(at + index, |_| format!("{byte:02X}"))?,
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
                self.fault(at, |_| format!("{expected:02X} that fills"))?;
            }
        }
        Ok(end)
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
                let what = if complement { "the complement of " } else { "once more " };
                self.fault(p + index, |program| format!("{what}{}, {expected:02X}", program.label(of)))?;
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

    /// From the number on the wire to the field's; `None` when the operand is not known.
    pub fn undo(&mut self, by: Option<&Transform>, raw: i128, slot: SlotId, at: usize) -> Step<Option<i128>> {
        let Some(by) = by else { return Ok(Some(raw)) };
        match transform::undo_number(by, raw, self) {
            Ok(value) => Ok(Some(value)),
            Err(transform::Fails::Unknown) => Ok(None),
            Err(transform::Fails::Never(why)) => {
                self.fault(at, |program| format!("{} {why}, is {raw}", program.label(slot)))?;
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
        Reading { len, values: values.into(), wrong: self.wrong, absent }
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
    Stop::Wrong(Mismatch { at, expected, of_sum: false })
}
