//! What the encoder finds out by itself: values of fields that nobody gave, lengths, counts, flags.

use std::collections::BTreeMap;

use super::encode::{Later, Step, Writer};
use super::envelope::LONGEST;
use super::expr::{EvalError, Expr, Path};
use super::invert::{Inverse, Target};
use super::program::{Check, Holds, OpKind, Seq, SlotId, is_one_of};
use super::reading::EncodeError;
use super::shown::shown;
use super::value::Value;

impl<'p> Writer<'p, '_> {
    /// Flags of optional parts follow from whether anything inside is given.
    pub fn flags(&mut self, seq: &'p Seq) {
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
    pub fn flag(&self, when: &Expr) -> Option<SlotId> {
        let Target::Name(name) = Inverse::of(when)?.target else { return None };
        self.program.slot(&name).filter(|slot| self.program.slots[*slot].solvable)
    }

    /// The value a field is sent with.
    pub fn choose(&mut self, slot: SlotId, check: &'p Check, bits: u32) -> Step<Value> {
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
    pub fn nearest_allowed(&self, solved: Value, check: &Check) -> Value {
        let (Check::OneOf(ranges) | Check::Sends { others: ranges, .. }) = check else { return solved };
        match solved.as_int() {
            Some(number) if !is_one_of(ranges, number) => first_allowed(check).unwrap_or(solved),
            _ => solved,
        }
    }

    /// The value for this round of the repeated parts a field is in.
    pub fn drill(&self, value: &Value, slot: SlotId) -> Option<Value> {
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

    /// What was written is so long: the name that says so follows from it, anything else must agree.
    pub fn length(&mut self, says: &Expr, length: usize, slot: SlotId) -> Step<()> {
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

    /// As many as the lists are long, or as the count says.
    pub fn rounds_of(&mut self, body: &Seq, count: Option<&Expr>) -> Step<usize> {
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
    pub fn settle(&mut self, first: usize) -> Step<()> {
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
}

/// A negative number as its two's complement in so many bits: what `~x` and `-sum8(…)` are on the wire.
pub fn in_bits(value: Value, bits: u32) -> Value {
    match value {
        Value::Int(number) if number < 0 && bits > 0 && number >= -(1 << bits) => {
            Value::Int(number + (1 << bits))
        }
        other => other,
    }
}

pub fn first_allowed(check: &Check) -> Option<Value> {
    match check {
        Check::OneOf(ranges) | Check::Sends { others: ranges, .. } => {
            ranges.first().map(|range| Value::Int(*range.start()))
        }
        _ => None,
    }
}
