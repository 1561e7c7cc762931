//! What was read compared with what it may be: fixed values and sets at once, relations when all of it has been read.

use super::expr::{EvalError, Expr, ExprKind, Function, Path};
use super::parse::{Found, Later, Reader, Step, Stop};
use super::program::{Check, Program, SlotId, is_one_of};
use super::reading::Mismatch;
use super::shown::{shown, shown_set};
use super::text::Name;
use super::value::Value;

impl<'p> Reader<'p, '_> {
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
        let fits = match check {
            Check::Any => true,
            Check::Fixed(fixed) => same(&value, fixed),
            Check::OneOf(ranges) | Check::Sends { others: ranges, .. } => {
                value.as_int().is_some_and(|number| is_one_of(ranges, number))
            }
            Check::Computed { .. } => {
                self.later.push(Later { check, slot, at: from, bits });
                true
            }
        };
        if !fits {
            self.fault(from, |program| {
                let expected = match check {
                    Check::Fixed(fixed) => shown(fixed),
                    Check::OneOf(ranges) | Check::Sends { others: ranges, .. } => shown_set(ranges),
                    Check::Any | Check::Computed { .. } => String::new(),
                };
                format!("{} {expected}, is {}", program.label(slot), shown(&value))
            })?;
        }
        self.values[slot] = Found::Value(value);
        if let Check::Computed { at_once: true, .. } = check {
            let last = self.later.len() - 1;
            self.compare_from(last)?;
        }
        Ok(())
    }

    /// Compares the computed values that were noted from the `first` on.
    pub fn compare_from(&mut self, first: usize) -> Step<()> {
        for Later { check, slot, at, bits } in self.later.split_off(first.min(self.later.len())) {
            let Check::Computed { expr, .. } = check else { continue };
            let Found::Value(found) = &self.values[slot] else { continue };
            self.here = at;
            let expected = match expr.eval(self) {
                Ok(value) => value,
                // A relation on what nobody knows is not checked.
                Err(EvalError::Unknown(_)) => continue,
                Err(error) => {
                    self.fault(at, |program| {
                        format!("{} that can be computed: {error}", program.label(slot))
                    })?;
                    continue;
                }
            };
            if same(found, &expected) || is_complement(found, &expected, bits) {
                continue;
            }
            let found = found.clone();
            if self.wrong.iter().any(|fault| self.covers(expr, fault.at)) {
                // The same fault once more, seen by its checksum.
                continue;
            }
            let of_sum = self.leniency.words && expr.sums_up();
            self.fault_of(at, of_sum, |program| {
                format!("{} {}, is {}", program.label(slot), shown(&expected), shown(&found))
            })?;
        }
        Ok(())
    }

    /// Whether a byte lies among those that an expression sums up.
    pub fn covers(&self, expr: &Expr, byte: usize) -> bool {
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

    pub fn place(&self, from: Option<&Name>, to: Option<&Name>) -> Option<(usize, usize)> {
        let span = |name: &Name| {
            let mut named = self.program.slots.iter().zip(&self.spans);
            named.find_map(|(slot, span)| span.filter(|_| slot.name.as_ref() == Some(name)))
        };
        let from = from.map_or(Some(0), |name| Some(span(name)?.0))?;
        let to = to.map_or(Some(self.here), |name| Some(span(name)?.1))?;
        (from <= to).then_some((from, to))
    }

    /// Something is wrong: told and let through while faults are allowed, else the end.
    pub fn fault(&mut self, at: usize, expected: impl FnOnce(&Program) -> String) -> Step<()> {
        self.fault_of(at, false, expected)
    }

    fn fault_of(&mut self, at: usize, of_sum: bool, expected: impl FnOnce(&Program) -> String) -> Step<()> {
        let expected = if self.leniency.words { expected(self.program) } else { String::new() };
        let mismatch = Mismatch { at, expected, of_sum };
        if self.wrong.len() >= self.leniency.faults {
            return Err(Stop::Wrong(mismatch));
        }
        self.wrong.push(mismatch);
        Ok(())
    }
}

/// Equal; a single byte of text is also the number of that byte.
pub fn same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Bytes(found), Value::Int(number)) => {
            u8::try_from(*number).is_ok_and(|byte| found.bytes[..] == [byte])
        }
        _ => found == expected,
    }
}

/// A negative number stands for its two's complement in the width of its field: `~x`, `-sum8(…)`.
pub fn is_complement(found: &Value, expected: &Value, bits: u32) -> bool {
    let (Value::Int(found), Value::Int(expected)) = (found, expected) else { return false };
    let modulus = 1i128 << bits.min(64);
    *expected < 0 && *expected >= -modulus && expected + modulus == *found
}
