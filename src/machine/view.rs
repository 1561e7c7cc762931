//! Where a thread's names come from, in the order of the language: the message's binds, the exchange, what was kept, facts, constants.

use std::cell::Cell;

use bytes::Bytes;

use crate::frame::{Blob, EvalError, Expr, Missing, Name, Path, Scope as Lookup, Value};
use crate::line::Direction;

use super::facts::{Fact, Facts, Origin};
use super::memory::{Memory, MemoryError};
use super::names::{Attribute, Key, Meant};
use super::program::{Bound, Effect, Instruction, Program};
use super::scope::{Known, Place};

/// Which of the three reads the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Observer,
    Host,
    Device,
}

impl Role {
    /// The direction in which this role speaks.
    pub fn speaks(self) -> Option<Direction> {
        match self {
            Role::Observer => None,
            Role::Host => Some(Direction::Tx),
            Role::Device => Some(Direction::Rx),
        }
    }
}

/// What is the same for all threads of a role.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub program: &'a Program,
    pub facts: &'a Facts,
    pub memory: Option<&'a Memory>,
    pub role: Role,
}

/// Where a value was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Scope,
    Kept,
    Fact,
    /// A parameter that only the table gives a value.
    Default,
    Constant,
}

/// Names as one thread sees them.
pub(super) struct View<'a> {
    ground: Ground<'a>,
    place: &'a Place,
    /// Which field the expression is bound to.
    field: Option<&'a Name>,
    /// Whose frame it is.
    direction: Option<Direction>,
    binds: &'a [Bound],
    depth: Cell<u32>,
}

/// Values that are bound to values that are bound …: deeper than any table goes.
const DEEPEST: u32 = 40;

impl<'a> View<'a> {
    pub fn new(ground: Ground<'a>, place: &'a Place) -> View<'a> {
        View { ground, place, field: None, direction: None, binds: &[], depth: Cell::new(0) }
    }

    pub fn for_field(self, field: &'a Name) -> View<'a> {
        View { field: Some(field), ..self }
    }

    pub fn of(self, direction: Direction) -> View<'a> {
        View { direction: Some(direction), ..self }
    }

    pub fn with_binds(self, binds: &'a [Bound]) -> View<'a> {
        View { binds, ..self }
    }

    fn within<'b>(&'b self, place: &'b Place) -> View<'b>
    where
        'a: 'b,
    {
        View {
            ground: self.ground,
            place,
            field: None,
            direction: self.direction,
            binds: &[],
            depth: Cell::new(self.depth.get() + 1),
        }
    }

    /// The value of a name without a dot, and where it was found.
    pub fn find(&self, key: Key) -> Result<Option<(Value, Source)>, EvalError> {
        if self.depth.get() > DEEPEST {
            return Ok(None);
        }
        let scope = &self.place.scope;
        if let Some(known) = scope.get(key) {
            return Ok(self.value_of(known)?.map(|value| (value, Source::Scope)));
        }
        let own = scope.exchange.is_some_and(|id| {
            let exchange = self.ground.program.exchange(id);
            let name = self.ground.program.names.name(key);
            exchange.with.contains(name) || exchange.keep.contains(name)
        });
        let kept = || self.place.kept.iter().find(|(known, _)| *known == key);
        if let Some((_, value)) = if own { None } else { kept() } {
            return Ok(Some((value.clone(), Source::Kept)));
        }
        // Who listens takes an argument as it comes, whatever a host would send by default and whatever was there before.
        let hidden = |fact: &&Fact| fact.origin != Origin::Set && own && self.listens();
        if let Some(fact) = self.ground.facts.get(key).filter(|fact| !hidden(fact)) {
            let source = if fact.origin == Origin::Default { Source::Default } else { Source::Fact };
            return Ok(Some((fact.value.clone(), source)));
        }
        let constant = self.ground.program.names.constant(key, self.field);
        Ok(constant.map(|number| (Value::Int(number), Source::Constant)))
    }

    fn listens(&self) -> bool {
        self.direction.is_some() && self.direction != self.ground.role.speaks()
    }

    fn value_of(&self, known: &Known) -> Result<Option<Value>, EvalError> {
        match known {
            Known::Value(value) => Ok(Some(value.clone())),
            Known::Unknown => Ok(None),
            Known::Piece { data, offset, each } => Ok(self.piece(data, *offset, *each)),
            Known::Later { effect, place } => {
                let Instruction::Effect(Effect::Let { value, .. }) = &self.ground.program.code[*effect]
                else {
                    return Ok(None);
                };
                match value.eval(&self.within(place)) {
                    Ok(value) => Ok(Some(value)),
                    Err(error @ EvalError::Outside { .. }) if self.ground.role == Role::Device => Err(error),
                    Err(_) => Ok(None),
                }
            }
        }
    }

    /// The piece of known data that begins at `offset`, filled as its `each` says.
    fn piece(&self, data: &Blob, offset: usize, each: usize) -> Option<Value> {
        let Instruction::Each(each) = &self.ground.program.code[each] else { return None };
        let by = each.by.eval(&self.within(self.place)).ok()?.as_int()?;
        let by = usize::try_from(by).ok()?;
        let from = offset.min(data.bytes.len());
        let to = from.saturating_add(by).min(data.bytes.len());
        let mut bytes = data.bytes.slice(from..to);
        let pad = each.pad.unwrap_or(0xFF);
        let full = match (each.align, each.pad) {
            (Some(align), _) if align > 0 => bytes.len().next_multiple_of(align as usize),
            (_, Some(_)) => by,
            _ => bytes.len(),
        };
        if full > bytes.len() && full <= 1 << 16 {
            let mut filled = bytes.to_vec();
            filled.resize(full, pad);
            bytes = filled.into();
        }
        Some(Value::Bytes(Blob { bytes, at: data.at.wrapping_add(from as u64) }))
    }

    fn look_at(&self, key: Key) -> Result<Option<Value>, EvalError> {
        match self.ground.program.names.meant(key) {
            Meant::Plain => Ok(self.find(key)?.map(|(value, _)| value)),
            Meant::Asked(field) => {
                let asked = self.direction.map_or(Direction::Tx, Direction::other);
                Ok(self.place.latest(asked, field).cloned())
            }
            Meant::Last(field) => {
                let own = self.direction.unwrap_or(Direction::Rx);
                // Whoever speaks for the first time has a last frame of zeros.
                let begins = self.ground.role.speaks() == Some(own);
                Ok(self.place.latest(own, field).cloned().or(begins.then_some(Value::Int(0))))
            }
            Meant::Dotted { first, frame, field, of } => {
                let scope = &self.place.scope;
                if let Some(known) = scope.get(key) {
                    return self.value_of(known);
                }
                if let Some(value) = frame.and_then(|frame| scope.field(frame, field)) {
                    return Ok(Some(value.clone()));
                }
                let Some(of) = of else { return Ok(None) };
                let Some((Value::Bytes(blob), _)) = self.find(*first)? else { return Ok(None) };
                Ok(Some(Value::Int(match of {
                    Attribute::Size => blob.bytes.len() as i128,
                    Attribute::At => blob.at.into(),
                })))
            }
        }
    }

    /// An expression's value; `None` when something in it is not known.
    pub fn value(&self, expr: &Expr) -> Result<Option<Value>, EvalError> {
        match expr.eval(self) {
            Ok(value) => Ok(Some(value)),
            Err(EvalError::Unknown(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Lookup for View<'_> {
    fn look(&self, path: &Path) -> Option<Value> {
        if path.rest.is_none()
            && let Some(bind) = self.binds.iter().find(|bind| bind.field == path.first)
            && !bind.same
        {
            let view = View { field: Some(&bind.field), ..self.within(self.place) };
            return bind.value.eval(&view).ok();
        }
        let key = self.ground.program.names.key(path)?;
        self.look_at(key).ok().flatten()
    }

    fn memory(&self, address: u64, n: usize) -> Result<Bytes, EvalError> {
        let unknown = || EvalError::Unknown(Missing::Memory);
        let memory = self.ground.memory.ok_or_else(unknown)?;
        memory.read(address, n).map_err(|error| match error {
            MemoryError::Outside { address, n } if self.ground.role == Role::Device => {
                EvalError::Outside { address, n }
            }
            MemoryError::Outside { .. } | MemoryError::Unknown { .. } => unknown(),
        })
    }

    fn lookup(&self, table: &Name, x: i128) -> Option<i128> {
        self.ground.program.table.lookups.get(table)?.get(&x).copied()
    }
}
