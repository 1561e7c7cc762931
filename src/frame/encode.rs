//! Fields to bytes, from the same program that parses.
//!
//! Everything is written with what is known, then what is computed is computed over it, again and again until nothing
//! changes: a length may follow from a checksum's width, a count from a list.

use std::cell::Cell;
use std::collections::BTreeMap;

use bytes::Bytes;

use super::cbor;
use super::check::number_range;
use super::envelope::LONGEST;
use super::expr::{EvalError, Expr, Path, Scope};
use super::frame::EncodeError;
use super::invert::{Inverse, Target};
use super::layout::{Order, Transform};
use super::parse::shown;
use super::program::{Bits, Check, Holds, Key, Leaf, LeafKind, Op, OpKind, Program, Seq, SlotId, is_one_of};
use super::text::Name;
use super::transform::{self, Fails};
use super::value::Value;

type Step<T> = Result<T, EncodeError>;

/// The payload of one frame.
pub fn payload(program: &Program, frame: &Name, given: &[(Name, Value)], scope: &dyn Scope) -> Step<Vec<u8>> {
    let mut writer = Writer {
        program,
        frame,
        given,
        scope,
        out: Vec::new(),
        values: vec![None; program.slots.len()],
        spans: vec![None; program.slots.len()],
        here: 0,
        rounds: Vec::new(),
        computed: Vec::new(),
        instances: 0,
        later: Vec::new(),
        solved: BTreeMap::new(),
        fills: Vec::new(),
        filled: 0,
        changed: Cell::new(false),
        unfit: None,
    };
    writer.flags(&program.body);
    // Each pass settles at least one more of those that hang together.
    for _ in 0..program.slots.len() + 4 {
        let before = std::mem::take(&mut writer.out);
        writer.pass()?;
        if writer.out.len() > LONGEST {
            return Err(writer.does_not_fit(None, format!("longer than {LONGEST} bytes")));
        }
        if writer.out == before && !writer.changed.get() {
            return match writer.unfit {
                Some(error) => Err(error),
                None => Ok(writer.out),
            };
        }
    }
    let error = writer.does_not_fit(None, "made to fit its own checksums".into());
    Err(writer.unfit.unwrap_or(error))
}

/// A value that is computed when the rest has been written.
struct Later<'p> {
    expr: &'p Expr,
    slot: SlotId,
    at: usize,
    instance: usize,
    /// The width in which a negative number becomes its two's complement.
    bits: u32,
}

struct Writer<'p, 'g> {
    program: &'p Program,
    frame: &'g Name,
    given: &'g [(Name, Value)],
    scope: &'g dyn Scope,
    out: Vec<u8>,
    values: Vec<Option<Value>>,
    spans: Vec<Option<(usize, usize)>>,
    here: usize,
    /// Which round of each repeated part this is, outermost first.
    rounds: Vec<usize>,
    /// What each computed field came to in the last pass, in the order of writing.
    computed: Vec<Option<Value>>,
    instances: usize,
    later: Vec<Later<'p>>,
    /// Lengths, counts and flags that followed from what was written, by field and round.
    solved: BTreeMap<(SlotId, Vec<usize>), i128>,
    /// Bytes of each fill, in the order of writing.
    fills: Vec<usize>,
    filled: usize,
    changed: Cell<bool>,
    /// What did not fit in this pass; it counts when nothing changes any more.
    unfit: Option<EncodeError>,
}

impl Scope for Writer<'_, '_> {
    fn look(&self, path: &Path) -> Option<Value> {
        if path.rest.is_some() {
            return self.scope.look(path);
        }
        let named = |(slot, _): &(SlotId, &super::program::Slot)| {
            self.program.slots.get(*slot).is_some_and(|slot| slot.name.as_ref() == Some(&path.first))
        };
        let mut is_field = None;
        for (slot, described) in self.program.slots.iter().enumerate().filter(named) {
            if let Some(value) = &self.values[slot] {
                return Some(value.clone());
            }
            is_field = Some(described.holds);
        }
        if let Some(value) = self.given(&path.first).cloned().or_else(|| self.scope.look(path)) {
            return Some(value);
        }
        // A field further on: the next pass knows it.
        is_field.map(|holds| {
            self.changed.set(true);
            holds.nothing()
        })
    }

    fn wire(&self, from: Option<&Name>, to: Option<&Name>) -> Option<&[u8]> {
        let span = |name: &Name| {
            let mut named = self.program.slots.iter().zip(&self.spans);
            named.find_map(|(slot, span)| span.filter(|_| slot.name.as_ref() == Some(name)))
        };
        let from = from.map_or(Some(0), |name| Some(span(name)?.0))?;
        let to = to.map_or(Some(self.here), |name| Some(span(name)?.1))?;
        self.out.get(from..to)
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

impl<'p> Writer<'p, '_> {
    fn given(&self, name: &str) -> Option<&Value> {
        self.given.iter().rev().find(|(known, _)| &**known == name).map(|(_, value)| value)
    }

    /// Flags of optional parts follow from whether anything inside is given.
    fn flags(&mut self, seq: &'p Seq) {
        let mut flags: BTreeMap<SlotId, bool> = BTreeMap::new();
        seq.walk(&mut |op| {
            let OpKind::Optional { when, .. } = &op.kind else { return };
            let Some(slot) = self.flag(when) else { return };
            let is_given = op.slots.clone().any(|inner| {
                self.program.slots[inner].name.as_ref().is_some_and(|name| self.given(name).is_some())
            });
            *flags.entry(slot).or_default() |= is_given;
        });
        for (slot, is_given) in flags {
            let Some(name) = &self.program.slots[slot].name else { continue };
            let path = Path { first: name.clone(), rest: None };
            if self.given(name).is_none() && (is_given || self.scope.look(&path).is_none()) {
                self.solved.insert((slot, Vec::new()), is_given.into());
            }
        }
    }

    /// The field that alone decides a condition.
    fn flag(&self, when: &Expr) -> Option<SlotId> {
        let Target::Name(name) = Inverse::of(when)?.target else { return None };
        self.program.slot(&name).filter(|slot| self.program.slots[*slot].solvable)
    }

    fn pass(&mut self) -> Step<()> {
        self.changed.set(false);
        self.unfit = None;
        self.instances = 0;
        self.filled = 0;
        self.spans.fill(None);
        self.seq(&self.program.body)?;
        self.settle(0)
    }

    fn seq(&mut self, seq: &'p Seq) -> Step<()> {
        seq.ops.iter().try_for_each(|op| self.op(op))
    }

    fn op(&mut self, op: &'p Op) -> Step<()> {
        let start = self.out.len();
        match &op.kind {
            OpKind::Literal(bytes) => self.out.extend_from_slice(bytes),
            OpKind::Some { unit, most, .. } => self.out.extend(unit.repeat(*most)),
            OpKind::Fill(unit) => {
                if self.fills.len() == self.filled {
                    self.fills.push(0);
                }
                let count = self.fills[self.filled];
                self.out.extend(unit.iter().cycle().take(count));
                self.filled += 1;
            }
            OpKind::Bits { bytes, fields } => self.bits(fields, *bytes)?,
            OpKind::Again { of, complement } => {
                let (from, to) = self.spans[*of].unwrap_or((start, start));
                let mask = if *complement { 0xFF } else { 0 };
                let again: Vec<u8> = self.out[from..to].iter().map(|byte| byte ^ mask).collect();
                self.out.extend(again);
            }
            OpKind::Optional { body, when } => match when.eval(self) {
                Ok(Value::Int(0)) | Err(EvalError::Unknown(_)) => self.absent(op, start),
                Ok(_) => self.seq(body)?,
                Err(error) => return Err(self.eval(error)),
            },
            OpKind::Repeat { body, count } => self.repeat(op, body, count.as_ref())?,
            OpKind::Leaf(leaf) => {
                self.leaf(leaf)?;
                self.spans[leaf.slot] = Some((start, self.out.len()));
            }
        }
        Ok(())
    }

    fn absent(&mut self, op: &Op, at: usize) {
        for slot in op.slots.clone() {
            self.values[slot] = Some(self.program.slots[slot].holds.nothing());
            self.spans[slot] = Some((at, at));
        }
    }

    fn bits(&mut self, fields: &'p [Bits], bytes: usize) -> Step<()> {
        let start = self.out.len();
        let mut word: u128 = 0;
        for bits in fields {
            let value = self.choose(bits.slot, &bits.check, bits.width.into())?;
            let raw = self.on_wire(bits.slot, bits.transform.as_ref(), &value, bits.width.into(), false)?;
            word = word << bits.width | u128::from(raw);
            self.values[bits.slot] = Some(value);
        }
        self.out.extend_from_slice(&word.to_be_bytes()[16 - bytes..]);
        for bits in fields {
            self.spans[bits.slot] = Some((start, self.out.len()));
        }
        Ok(())
    }

    /// The value a field is sent with.
    fn choose(&mut self, slot: SlotId, check: &'p Check, bits: u32) -> Step<Value> {
        let described = &self.program.slots[slot];
        let given = described
            .name
            .as_ref()
            .and_then(|name| self.given(name))
            .and_then(|value| self.drill(value, slot));
        let allowed = |value: &Value| match check {
            Check::OneOf(ranges) | Check::Sends { others: ranges, .. } => {
                value.as_int().is_some_and(|number| is_one_of(ranges, number))
            }
            _ => true,
        };
        match check {
            Check::Fixed(fixed) => {
                if let Some(other) = given.filter(|given| given != fixed) {
                    return Err(self.does_not_fit(Some(slot), shown(&other)));
                }
                return Ok(fixed.clone());
            }
            Check::Computed { expr, .. } => {
                let instance = self.instances;
                self.instances += 1;
                if self.computed.len() == instance {
                    self.computed.push(None);
                }
                self.later.push(Later { expr, slot, at: self.out.len(), instance, bits });
                let known = self.computed[instance].clone().or(given);
                return Ok(known.unwrap_or_else(|| described.holds.nothing()));
            }
            Check::Any | Check::OneOf(_) | Check::Sends { .. } => {}
        }
        if let Some(given) = given {
            return if allowed(&given) {
                Ok(given)
            } else {
                Err(self.does_not_fit(Some(slot), shown(&given)))
            };
        }
        if let Check::Sends { first, .. } = check {
            match first.eval(self.scope) {
                Ok(first) => return Ok(first),
                Err(EvalError::Unknown(_)) => {}
                Err(error) => return Err(self.eval(error)),
            }
        }
        let key = (slot, self.rounds[..described.depth.min(self.rounds.len())].to_vec());
        if let Some(solved) = self.solved.get(&key) {
            return Ok(Value::Int(*solved)).map(|solved| self.nearest_allowed(solved, check));
        }
        let Some(name) = &described.name else {
            return Ok(first_allowed(check).unwrap_or_else(|| described.holds.nothing()));
        };
        let known = self.scope.look(&Path { first: name.clone(), rest: None });
        if let Some(known) = known.and_then(|known| self.drill(&known, slot)).filter(allowed) {
            return Ok(known);
        }
        if let Some(first) = first_allowed(check) {
            return Ok(first);
        }
        let error = EncodeError::NoValue { frame: self.frame.clone(), field: name.clone() };
        if described.solvable {
            self.unfit.get_or_insert(error);
            return Ok(described.holds.nothing());
        }
        Err(error)
    }

    /// A flag of a set is any value of the set that says the same.
    fn nearest_allowed(&self, solved: Value, check: &Check) -> Value {
        let (Check::OneOf(ranges) | Check::Sends { others: ranges, .. }) = check else { return solved };
        match solved.as_int() {
            Some(number) if !is_one_of(ranges, number) => first_allowed(check).unwrap_or(solved),
            _ => solved,
        }
    }

    /// The value for this round of the repeated parts a field is in.
    fn drill(&self, value: &Value, slot: SlotId) -> Option<Value> {
        let described = &self.program.slots[slot];
        let mut value = value.clone();
        for round in &self.rounds[..described.depth.min(self.rounds.len())] {
            value = match value {
                Value::List(list) => list.get(*round)?.clone(),
                Value::Bytes(blob) if described.holds == Holds::Number => {
                    Value::Int((*blob.bytes.get(*round)?).into())
                }
                scalar => scalar,
            };
        }
        Some(value)
    }

    /// The bits of a number on the wire.
    fn on_wire(
        &mut self,
        slot: SlotId,
        by: Option<&Transform>,
        value: &Value,
        bits: u32,
        signed: bool,
    ) -> Step<u64> {
        let number = match value {
            Value::Int(number) => *number,
            Value::Bytes(blob) if blob.bytes.len() == 1 => blob.bytes[0].into(),
            other => return Err(self.does_not_fit(Some(slot), shown(other))),
        };
        let raw = self.transformed(slot, by, number)?;
        let (least, most) = number_range(bits.max(1), signed);
        let is_complement = !signed && raw < 0 && raw >= -(most + 1);
        if bits == 0 && raw != 0 || !(is_complement || (least..=most).contains(&raw)) {
            let error = self.does_not_fit(Some(slot), number.to_string());
            self.unfit.get_or_insert(error);
        }
        let mask = if bits >= 64 { u64::MAX } else { (1 << bits) - 1 };
        Ok(raw as u64 & mask)
    }

    fn transformed(&mut self, slot: SlotId, by: Option<&Transform>, number: i128) -> Step<i128> {
        let Some(by) = by else { return Ok(number) };
        match transform::apply_number(by, number, self) {
            Ok(raw) => Ok(raw),
            Err(Fails::Unknown) => Err(self.eval(EvalError::Unknown(operand(by)))),
            Err(Fails::Never(_)) => {
                let error = self.does_not_fit(Some(slot), number.to_string());
                self.unfit.get_or_insert(error);
                Ok(0)
            }
        }
    }

    fn leaf(&mut self, leaf: &'p Leaf) -> Step<()> {
        match &leaf.kind {
            LeafKind::Part { body, size } => return self.part(leaf, body, size.as_ref()),
            LeafKind::Cbor(keys) => return self.map(leaf, keys),
            _ => {}
        }
        let value = match &leaf.kind {
            // Bytes that have a length and no name say nothing.
            LeafKind::Bytes { size: Some(size), .. }
                if matches!(leaf.check, Check::Any) && self.program.slots[leaf.slot].name.is_none() =>
            {
                let length = size.eval_int(self).map_err(|error| self.eval(error))?;
                Value::bytes(vec![0; usize::try_from(length).unwrap_or(0).min(LONGEST)])
            }
            _ => {
                let bits = self.wraps_in(&leaf.kind);
                self.choose(leaf.slot, &leaf.check, bits)?
            }
        };
        match &leaf.kind {
            LeafKind::Number { bytes, signed, order } => {
                self.number(leaf, &value, *bytes, *signed, *order)?;
            }
            LeafKind::Sized { bytes, order } => {
                let bytes = bytes.eval_int(self).map_err(|error| self.eval(error))?;
                let Some(bytes) = usize::try_from(bytes).ok().filter(|bytes| *bytes <= 8) else {
                    return Err(self.does_not_fit(Some(leaf.slot), format!("{bytes} bytes wide")));
                };
                self.number(leaf, &value, bytes, false, *order)?;
            }
            LeafKind::Dec => {
                let raw = self.on_wire(leaf.slot, leaf.transform.as_ref(), &value, 64, false)?;
                self.out.extend_from_slice(raw.to_string().as_bytes());
            }
            LeafKind::Hex(digits) => {
                let digits = digits.eval_int(self).map_err(|error| self.eval(error))?;
                let Some(digits) = usize::try_from(digits).ok().filter(|digits| *digits <= 16) else {
                    return Err(self.does_not_fit(Some(leaf.slot), format!("{digits} hex digits long")));
                };
                let bits = digits as u32 * 4;
                let raw = self.on_wire(leaf.slot, leaf.transform.as_ref(), &value, bits, false)?;
                if digits > 0 {
                    self.out.extend_from_slice(format!("{raw:0digits$X}").as_bytes());
                }
            }
            LeafKind::Uu(n) => {
                let bytes = self.bytes_of(leaf, &value)?;
                for three in bytes.chunks(3) {
                    let mut word = [0; 4];
                    word[1..=three.len()].copy_from_slice(three);
                    let word = u32::from_be_bytes(word);
                    self.out.extend([18, 12, 6, 0].map(|shift| match word >> shift & 63 {
                        0 => 0x60,
                        six => six as u8 + 32,
                    }));
                }
                self.length(n, bytes.len(), leaf.slot)?;
            }
            LeafKind::Bytes { size, .. } => {
                let bytes = self.bytes_of(leaf, &value)?;
                self.out.extend_from_slice(&bytes);
                if let Some(size) = size {
                    self.length(size, bytes.len(), leaf.slot)?;
                }
            }
            LeafKind::Part { .. } | LeafKind::Cbor(_) => {}
        }
        self.values[leaf.slot] = Some(value);
        Ok(())
    }

    /// The width of an unsigned number; 0 where a negative one stays what it is.
    fn wraps_in(&self, kind: &LeafKind) -> u32 {
        let told = |expr: &Expr| expr.eval_int(self).ok().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        match kind {
            LeafKind::Number { bytes, signed: false, .. } => 8 * *bytes as u32,
            LeafKind::Sized { bytes, .. } => 8 * told(bytes).min(8),
            LeafKind::Hex(digits) => 4 * told(digits).min(16),
            _ => 0,
        }
    }

    fn number(&mut self, leaf: &Leaf, value: &Value, bytes: usize, signed: bool, order: Order) -> Step<()> {
        let raw = self.on_wire(leaf.slot, leaf.transform.as_ref(), value, 8 * bytes as u32, signed)?;
        match order {
            Order::Little => self.out.extend_from_slice(&raw.to_le_bytes()[..bytes]),
            Order::Big => self.out.extend_from_slice(&raw.to_be_bytes()[8 - bytes..]),
        }
        Ok(())
    }

    fn bytes_of(&mut self, leaf: &Leaf, value: &Value) -> Step<Vec<u8>> {
        let Value::Bytes(blob) = value else {
            return Err(self.does_not_fit(Some(leaf.slot), shown(value)));
        };
        match &leaf.transform {
            None => Ok(blob.bytes.to_vec()),
            Some(by) => transform::apply_bytes(by, &blob.bytes, self).map_err(|error| self.eval(error)),
        }
    }

    /// What was written is so long: the name that says so follows from it, anything else must agree.
    fn length(&mut self, says: &Expr, length: usize, slot: SlotId) -> Step<()> {
        if let Some(Inverse { target: Target::Name(name), .. }) = Inverse::of(says) {
            let solvable = self.program.slot(&name).filter(|slot| self.program.slots[*slot].solvable);
            if let Some(named) = solvable.filter(|_| self.given(&name).is_none()) {
                let solved = Inverse::of(says).and_then(|inverse| inverse.undo(length as i128, self));
                let depth = self.program.slots[named].depth.min(self.rounds.len());
                let key = (named, self.rounds[..depth].to_vec());
                if let Some(solved) = solved.filter(|solved| self.solved.get(&key) != Some(solved)) {
                    self.solved.insert(key, solved);
                    self.changed.set(true);
                }
            }
        }
        match says.eval_int(self) {
            Ok(wanted) if wanted == length as i128 => Ok(()),
            Ok(wanted) => {
                let error =
                    self.does_not_fit(Some(slot), format!("{length} long, since it has to be {wanted}"));
                self.unfit.get_or_insert(error);
                Ok(())
            }
            // A free name that nobody knows: the bytes say it.
            Err(EvalError::Unknown(_)) => Ok(()),
            Err(error) => Err(self.eval(error)),
        }
    }

    fn part(&mut self, leaf: &'p Leaf, body: &'p Seq, size: Option<&Expr>) -> Step<()> {
        let start = self.out.len();
        let named = |slot: SlotId| self.program.slots[slot].name.as_ref();
        let whole =
            named(leaf.slot).and_then(|name| self.given(name)).and_then(|value| self.drill(value, leaf.slot));
        let is_open =
            body.slots.clone().any(|slot| named(slot).is_some_and(|name| self.given(name).is_some()));
        let first_fill = self.filled;
        match whole {
            // Given as a whole: its fields are in it.
            Some(Value::Bytes(blob)) if !is_open => {
                self.out.extend_from_slice(&blob.bytes);
                for slot in body.slots.clone() {
                    self.values[slot] = Some(self.program.slots[slot].holds.nothing());
                    self.spans[slot] = Some((start, start));
                }
            }
            _ => self.seq(body)?,
        }
        if let Some(by) = &leaf.transform {
            let inner = self.out.split_off(start);
            self.values[leaf.slot] = Some(Value::bytes(inner.clone()));
            let wire = transform::apply_bytes(by, &inner, self).map_err(|error| self.eval(error))?;
            self.out.extend(wire);
        } else {
            self.values[leaf.slot] = Some(Value::bytes(self.out[start..].to_vec()));
        }
        let Some(size) = size else { return Ok(()) };
        let length = self.out.len() - start;
        if self.filled > first_fill {
            if let Some(wanted) = size.eval_int(self).ok().and_then(|wanted| usize::try_from(wanted).ok()) {
                let fill = &mut self.fills[first_fill];
                let better = (*fill + wanted.min(LONGEST)).saturating_sub(length);
                if std::mem::replace(fill, better) != better {
                    self.changed.set(true);
                }
            }
        }
        self.length(size, length, leaf.slot)
    }

    fn map(&mut self, leaf: &'p Leaf, keys: &'p [Key]) -> Step<()> {
        let mut entries = Vec::new();
        for key in keys {
            let is_needed = !key.optional || !matches!(key.check, Check::Any);
            let is_known = self.given(&key.name).is_some()
                || self.scope.look(&Path { first: key.name.clone(), rest: None }).is_some();
            if is_needed || is_known {
                let value = self.choose(key.slot, &key.check, 0)?;
                self.values[key.slot] = Some(value.clone());
                entries.push((key, value));
            } else {
                self.values[key.slot] = Some(self.program.slots[key.slot].holds.nothing());
            }
        }
        let start = self.out.len();
        if let Err(place) = cbor::write(&entries, &mut self.out) {
            let (key, value) = &entries[place];
            return Err(self.does_not_fit(Some(key.slot), shown(value)));
        }
        self.values[leaf.slot] = Some(Value::bytes(self.out[start..].to_vec()));
        Ok(())
    }

    fn repeat(&mut self, op: &'p Op, body: &'p Seq, count: Option<&Expr>) -> Step<()> {
        let start = self.out.len();
        let rounds = self.rounds_of(body, count)?;
        let mut firsts = None;
        let mut lists: Vec<Vec<Value>> = vec![Vec::new(); body.slots.len()];
        for round in 0..rounds {
            self.rounds.push(round);
            let first_later = self.later.len();
            self.seq(body)?;
            self.settle(first_later)?;
            self.rounds.pop();
            for (slot, list) in body.slots.clone().zip(&mut lists) {
                list.push(
                    self.values[slot].clone().unwrap_or_else(|| self.program.slots[slot].holds.nothing()),
                );
            }
            firsts.get_or_insert_with(|| self.spans[body.slots.clone()].to_vec());
        }
        for (place, (slot, list)) in body.slots.clone().zip(lists).enumerate() {
            self.values[slot] = Some(Value::List(list));
            let first = firsts.as_ref().and_then(|firsts: &Vec<Option<(usize, usize)>>| firsts[place]);
            self.spans[slot] = match (first, self.spans[slot]) {
                (Some((from, _)), Some((_, to))) => Some((from, to)),
                _ => Some((start, start)),
            };
        }
        match count {
            Some(count) => self.length(count, rounds, op.slots.start),
            None => Ok(()),
        }
    }

    /// As many as the lists are long, or as the count says.
    fn rounds_of(&mut self, body: &Seq, count: Option<&Expr>) -> Step<usize> {
        let depth = self.rounds.len();
        let mut rounds: Option<(usize, SlotId)> = None;
        let mut is_given = false;
        for slot in body.slots.clone() {
            let described = &self.program.slots[slot];
            let Some(name) = &described.name else { continue };
            let value = self.given(name).cloned();
            is_given |= value.is_some();
            let Some(value) = value.or_else(|| self.scope.look(&Path { first: name.clone(), rest: None }))
            else {
                continue;
            };
            let here = self.rounds[..depth].iter().try_fold(value, |value, round| match value {
                Value::List(list) => list.get(*round).cloned(),
                scalar => Some(scalar),
            });
            let length = match here {
                Some(Value::List(list)) => list.len(),
                Some(Value::Bytes(blob)) if described.holds == Holds::Number => blob.bytes.len(),
                _ => continue,
            };
            match rounds {
                Some((other, _)) if other != length => {
                    return Err(self.does_not_fit(Some(slot), format!("{length} long beside {other}")));
                }
                _ => rounds = Some((length, slot)),
            }
        }
        if let Some((rounds, slot)) = rounds {
            return if rounds <= LONGEST {
                Ok(rounds)
            } else {
                Err(self.does_not_fit(Some(slot), format!("{rounds} long")))
            };
        }
        match count.map(|count| count.eval_int(self)) {
            None => Ok(usize::from(is_given)),
            Some(Ok(count)) => Ok(usize::try_from(count).unwrap_or(0).min(LONGEST)),
            Some(Err(error)) => Err(self.eval(error)),
        }
    }

    /// Computes what was left open since the `first`.
    fn settle(&mut self, first: usize) -> Step<()> {
        for Later { expr, slot, at, instance, bits } in self.later.split_off(first) {
            self.here = at;
            let described = &self.program.slots[slot];
            let name = described.name.as_ref();
            let given = name.and_then(|name| self.given(name)).and_then(|value| self.drill(value, slot));
            let value = match (expr.eval(self).map(|value| in_bits(value, bits)), given) {
                (Ok(value), Some(given)) if value != given => {
                    let error = self.does_not_fit(Some(slot), shown(&given));
                    self.unfit.get_or_insert(error);
                    value
                }
                (Ok(value), _) | (Err(EvalError::Unknown(_)), Some(value)) => value,
                (Err(error), _) => return Err(self.eval(error)),
            };
            if self.computed[instance].as_ref() != Some(&value) {
                self.computed[instance] = Some(value);
                self.changed.set(true);
            }
        }
        Ok(())
    }

    fn eval(&self, error: EvalError) -> EncodeError {
        EncodeError::Eval { frame: self.frame.clone(), error }
    }

    fn does_not_fit(&self, slot: Option<SlotId>, value: String) -> EncodeError {
        let name = slot.and_then(|slot| self.program.slots.get(slot)?.name.clone());
        let field = name.unwrap_or_else(|| self.frame.clone());
        EncodeError::DoesNotFit { frame: self.frame.clone(), field, value }
    }
}

/// A negative number as its two's complement in so many bits: what `~x` and `-sum8(…)` are on the wire.
fn in_bits(value: Value, bits: u32) -> Value {
    match value {
        Value::Int(number) if number < 0 && bits > 0 && number >= -(1 << bits) => {
            Value::Int(number + (1 << bits))
        }
        other => other,
    }
}

fn first_allowed(check: &Check) -> Option<Value> {
    match check {
        Check::OneOf(ranges) | Check::Sends { others: ranges, .. } => {
            ranges.first().map(|range| Value::Int(*range.start()))
        }
        _ => None,
    }
}

fn operand(by: &Transform) -> String {
    by.by.paths().first().map_or_else(String::new, |(path, _)| path.to_string())
}
