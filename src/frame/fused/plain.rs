//! Fields that stand at known places, read from there: what a frame that was compared already needs no parser for.

use std::sync::Arc;

use bytes::Bytes;

use super::super::expr::{EvalError, Expr, Path, Scope};
use super::super::reading::{Reading, Values};
use super::super::relations::{is_complement, same};
use super::super::text::Name;
use super::super::value::Value;
use super::{Edge, Number, Place};

/// The named fields of a frame, in the order in which a reading has them.
#[derive(Clone, Debug)]
pub(in crate::frame) struct Plain {
    pub names: Arc<[Name]>,
    /// How each is read.
    pub fields: Vec<Taken>,
    /// What follows from what is known outside the frame, and is not compared yet.
    pub relations: Vec<Relation>,
}

/// How a value is taken from the bytes; `shift` was added to each of them.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::frame) enum Taken {
    /// wire × times + plus
    Number {
        number: Number,
        signed: bool,
        shift: u8,
        times: i64,
        plus: i64,
    },
    Bytes {
        place: Place,
        shift: u8,
    },
}

/// A field that equals an expression over values.
#[derive(Clone, Debug)]
pub(in crate::frame) struct Relation {
    pub field: usize,
    /// Where the field begins.
    pub at: Edge,
    pub expr: Expr,
    /// How wide it is on the wire.
    pub bits: u32,
}

impl Plain {
    /// How a field is read; of two with the same name the last one counts.
    pub fn taken(&self, field: &str) -> Option<&Taken> {
        let place = self.names.iter().rposition(|name| &**name == field)?;
        self.fields.get(place)
    }

    /// The reading of a frame that is right but for relations, or where the field begins that is not what it follows from;
    /// `None` where the parser has to say.
    pub fn read(&self, frame: &[u8], scope: &dyn Scope) -> Option<Result<Reading, usize>> {
        let mut values = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            values.push(field.from(frame)?);
        }
        let known = Known { names: &self.names, values: &values, scope };
        for Relation { field, at, bits, expr } in &self.relations {
            let found = values.get(*field)?;
            match expr.eval(&known) {
                Ok(expected) if same(found, &expected) || is_complement(found, &expected, *bits) => {}
                Ok(_) => return Some(Err(at.of(frame.len()))),
                // A relation on what nobody knows is not checked.
                Err(EvalError::Unknown(_)) => {}
                Err(_) => return None,
            }
        }
        let values = Values::of(Arc::clone(&self.names), values);
        Some(Ok(Reading { len: frame.len(), values, wrong: Vec::new(), absent: Vec::new() }))
    }
}

impl Taken {
    fn from(&self, frame: &[u8]) -> Option<Value> {
        match self {
            Taken::Number { number, signed, shift, times, plus } => {
                let wire = number.read_shifted(frame, *shift)?;
                let unused = 64 - number.mask.count_ones();
                let wire = if *signed { i128::from((wire << unused) as i64 >> unused) } else { wire.into() };
                // Most numbers are what stands there, and 128 bits are not multiplied for nothing.
                let is_other = (*times, *plus) != (1, 0);
                Some(Value::Int(if is_other { wire * i128::from(*times) + i128::from(*plus) } else { wire }))
            }
            Taken::Bytes { place, shift: 0 } => Some(Value::bytes(Bytes::copy_from_slice(place.of(frame)))),
            Taken::Bytes { place, shift } => {
                let bytes = place.of(frame).iter().map(|byte| byte.wrapping_sub(*shift));
                Some(Value::bytes(bytes.collect::<Bytes>()))
            }
        }
    }
}

/// The values of the frame, and what is known outside it.
struct Known<'a> {
    names: &'a [Name],
    values: &'a [Value],
    scope: &'a dyn Scope,
}

impl Scope for Known<'_> {
    fn look(&self, path: &Path) -> Option<Value> {
        if path.rest.is_none()
            && let Some(place) = self.names.iter().position(|name| *name == path.first)
        {
            return self.values.get(place).cloned();
        }
        self.scope.look(path)
    }

    fn memory(&self, address: u64, n: usize) -> Result<Bytes, EvalError> {
        self.scope.memory(address, n)
    }

    fn lookup(&self, table: &Name, x: i128) -> Option<i128> {
        self.scope.lookup(table, x)
    }
}
