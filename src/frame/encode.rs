//! Fields to bytes, from the same program that parses.
//!
//! Everything is written with what is known, then what is computed is computed over it, again and again until nothing
//! changes: a length may follow from a checksum's width, a count from a list.

use std::cell::Cell;
use std::collections::BTreeMap;

use bytes::Bytes;

use super::envelope::LONGEST;
use super::expr::{EvalError, Expr, Path, Scope};
use super::program::{Bits, Op, OpKind, Program, Seq, SlotId};
use super::reading::EncodeError;
use super::text::Name;
use super::value::Value;

pub type Step<T> = Result<T, EncodeError>;

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
pub struct Later<'p> {
    pub expr: &'p Expr,
    pub slot: SlotId,
    pub at: usize,
    pub instance: usize,
    /// The width in which a negative number becomes its two's complement.
    pub bits: u32,
}

pub struct Writer<'p, 'g> {
    pub program: &'p Program,
    pub frame: &'g Name,
    pub given: &'g [(Name, Value)],
    pub scope: &'g dyn Scope,
    pub out: Vec<u8>,
    pub values: Vec<Option<Value>>,
    pub spans: Vec<Option<(usize, usize)>>,
    pub here: usize,
    /// Which round of each repeated part this is, outermost first.
    pub rounds: Vec<usize>,
    /// What each computed field came to in the last pass, in the order of writing.
    pub computed: Vec<Option<Value>>,
    pub instances: usize,
    pub later: Vec<Later<'p>>,
    /// Lengths, counts and flags that followed from what was written, by field and round.
    pub solved: BTreeMap<(SlotId, Vec<usize>), i128>,
    /// Bytes of each fill, in the order of writing.
    pub fills: Vec<usize>,
    pub filled: usize,
    pub changed: Cell<bool>,
    /// What did not fit in this pass; it counts when nothing changes any more.
    pub unfit: Option<EncodeError>,
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
        self.program.algorithm(name)
    }

    fn memory(&self, address: u64, n: usize) -> Result<Bytes, EvalError> {
        self.scope.memory(address, n)
    }

    fn lookup(&self, table: &Name, x: i128) -> Option<i128> {
        self.scope.lookup(table, x)
    }
}

impl<'p> Writer<'p, '_> {
    pub fn given(&self, name: &str) -> Option<&Value> {
        self.given.iter().rev().find(|(known, _)| &**known == name).map(|(_, value)| value)
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

    pub fn seq(&mut self, seq: &'p Seq) -> Step<()> {
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

    pub fn eval(&self, error: EvalError) -> EncodeError {
        EncodeError::Eval { frame: self.frame.clone(), error }
    }

    pub fn does_not_fit(&self, slot: Option<SlotId>, value: String) -> EncodeError {
        let name = slot.and_then(|slot| self.program.slots.get(slot)?.name.clone());
        let field = name.unwrap_or_else(|| self.frame.clone());
        EncodeError::DoesNotFit { frame: self.frame.clone(), field, value }
    }
}
