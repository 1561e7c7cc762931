//! Writing one field of whole bytes.

use super::cbor;
use super::check::number_range;
use super::encode::{Step, Writer};
use super::envelope::LONGEST;
use super::expr::{EvalError, Expr, Missing, Path};
use super::layout::{Order, Transform};
use super::program::{Check, Key, Leaf, LeafKind, Seq, SlotId};
use super::shown::shown;
use super::transform::{self, Fails};
use super::value::Value;

impl<'p> Writer<'p, '_> {
    pub fn leaf(&mut self, leaf: &'p Leaf) -> Step<()> {
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
    pub fn wraps_in(&self, kind: &LeafKind) -> u32 {
        let told = |expr: &Expr| expr.eval_int(self).ok().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        match kind {
            LeafKind::Number { bytes, signed: false, .. } => 8 * *bytes as u32,
            LeafKind::Sized { bytes, .. } => 8 * told(bytes).min(8),
            LeafKind::Hex(digits) => 4 * told(digits).min(16),
            _ => 0,
        }
    }

    pub fn number(
        &mut self,
        leaf: &Leaf,
        value: &Value,
        bytes: usize,
        signed: bool,
        order: Order,
    ) -> Step<()> {
        let raw = self.on_wire(leaf.slot, leaf.transform.as_ref(), value, 8 * bytes as u32, signed)?;
        match order {
            Order::Little => self.out.extend_from_slice(&raw.to_le_bytes()[..bytes]),
            Order::Big => self.out.extend_from_slice(&raw.to_be_bytes()[8 - bytes..]),
        }
        Ok(())
    }

    pub fn bytes_of(&mut self, leaf: &Leaf, value: &Value) -> Step<Vec<u8>> {
        let Value::Bytes(blob) = value else {
            return Err(self.does_not_fit(Some(leaf.slot), shown(value)));
        };
        match &leaf.transform {
            None => Ok(blob.bytes.to_vec()),
            Some(by) => transform::apply_bytes(by, &blob.bytes, self).map_err(|error| self.eval(error)),
        }
    }

    pub fn part(&mut self, leaf: &'p Leaf, body: &'p Seq, size: Option<&Expr>) -> Step<()> {
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
        if self.filled > first_fill
            && let Some(wanted) = size.eval_int(self).ok().and_then(|wanted| usize::try_from(wanted).ok())
        {
            let fill = &mut self.fills[first_fill];
            let better = (*fill + wanted.min(LONGEST)).saturating_sub(length);
            if std::mem::replace(fill, better) != better {
                self.changed.set(true);
            }
        }
        self.length(size, length, leaf.slot)
    }

    pub fn map(&mut self, leaf: &'p Leaf, keys: &'p [Key]) -> Step<()> {
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

    /// The bits of a number on the wire.
    pub fn on_wire(
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

    pub fn transformed(&mut self, slot: SlotId, by: Option<&Transform>, number: i128) -> Step<i128> {
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
}

pub fn operand(by: &Transform) -> Missing {
    by.by.paths().first().map_or_else(|| Missing::Name("".into()), |(path, _)| Missing::Path((*path).clone()))
}
