//! What a device does inside, and what an observer concludes that it did; and the settings that a phase asks for.

use crate::frame::{EvalError, Expr, Value};
use crate::line::{Baud, Settings};

use super::facts::Facts;
use super::memory::{Memory, MemoryError};
use super::program::{Effect, Instruction, Program};
use super::scope::Place;
use super::thread::{Pending, Thread};
use super::view::{Ground, Role, View};

/// Settings that hold from a phase on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PhaseChange {
    /// Place in the table's phases; `None` is `@line`.
    pub phase: Option<usize>,
    pub settings: Settings,
}

/// Why an effect cannot happen: which refusal says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    Outside,
    Damaged,
}

/// What a frame that could not be read may have written at the most.
const LONGEST: u64 = 1 << 16;

/// Carries out effects.
pub(super) struct Effects<'a> {
    pub program: &'a Program,
    pub facts: &'a Facts,
    pub role: Role,
    /// The line's first settings, which `@line` returns to.
    pub line: Settings,
}

impl Effects<'_> {
    /// Does what the thread has pending, in order; what comes behind a failure is not done.
    pub fn commit(&self, thread: &mut Thread, memory: &mut Memory) -> Result<Vec<PhaseChange>, Failure> {
        if thread.pending.is_empty() {
            return Ok(Vec::new());
        }
        let pending = std::mem::take(&mut thread.pending);
        let mut changes = Vec::new();
        for Pending { pc, place, doubtful } in pending.iter() {
            match &self.program.code[*pc] {
                Instruction::Phase(phase) => {
                    let settings = self.settings(*phase, place, memory);
                    changes.push(PhaseChange { phase: *phase, settings });
                }
                Instruction::Effect(effect) if *doubtful => self.doubt(effect, place, memory),
                Instruction::Effect(effect) => match self.carry_out(effect, place, memory) {
                    Ok(()) => {}
                    // An observer did not see everything; what it cannot tell stays as it was.
                    Err(_) if self.role == Role::Observer => {}
                    Err(failure) => return Err(failure),
                },
                _ => {}
            }
        }
        Ok(changes)
    }

    /// Only the phases: what a role that waits has to do before it hears.
    pub fn phases(&self, thread: &mut Thread, memory: &Memory) -> Vec<PhaseChange> {
        let is_phase = |pending: &Pending| matches!(self.program.code[pending.pc], Instruction::Phase(_));
        if !thread.pending.iter().any(is_phase) {
            return Vec::new();
        }
        let (phases, rest): (Vec<_>, Vec<_>) = thread.pending.iter().cloned().partition(is_phase);
        thread.pending = rest;
        let change = |pending: &Pending| match self.program.code[pending.pc] {
            Instruction::Phase(phase) => {
                Some(PhaseChange { phase, settings: self.settings(phase, &pending.place, memory) })
            }
            _ => None,
        };
        phases.iter().filter_map(change).collect()
    }

    fn carry_out(&self, effect: &Effect, place: &Place, memory: &mut Memory) -> Result<(), Failure> {
        match effect {
            Effect::Let { .. } => Ok(()),
            Effect::Write { address, data } => {
                let address = self.number(address, place, memory)?;
                let bytes = match self.value(data, place, memory)? {
                    Value::Bytes(blob) => blob.bytes,
                    Value::Int(byte) => vec![byte as u8].into(),
                    Value::List(_) => return Err(Failure::Damaged),
                };
                memory.write(address, &bytes).map_err(outside)
            }
            Effect::Erase { address, n } => {
                let address = self.number(address, place, memory)?;
                let n = self.number(n, place, memory)?;
                memory.erase(address, n).map_err(outside)
            }
            Effect::EraseAll { region } => {
                memory.erase_all(region.as_ref());
                Ok(())
            }
            Effect::ErasePages { pages, region } => {
                let numbers: Vec<u64> = match self.value(pages, place, memory)? {
                    Value::Int(page) => vec![u64::try_from(page).map_err(|_| Failure::Outside)?],
                    Value::Bytes(blob) => blob.bytes.iter().map(|page| u64::from(*page)).collect(),
                    Value::List(pages) => {
                        let number = |page: &Value| page.as_int().and_then(|page| u64::try_from(page).ok());
                        pages.iter().map(number).collect::<Option<_>>().ok_or(Failure::Outside)?
                    }
                };
                let regions = &self.program.table.device.memory;
                let region = regions.iter().find(|known| known.name == *region).ok_or(Failure::Outside)?;
                numbers.into_iter().try_for_each(|page| {
                    let (address, size) = region.unit(page).ok_or(Failure::Outside)?;
                    memory.erase(address, size).map_err(outside)
                })
            }
        }
    }

    /// Something happened here, and nobody knows what: an observer knows less than before.
    fn doubt(&self, effect: &Effect, place: &Place, memory: &mut Memory) {
        let range = match effect {
            Effect::Write { address, data } => {
                let len = match self.value(data, place, memory) {
                    Ok(Value::Bytes(blob)) => blob.bytes.len() as u64,
                    _ => LONGEST,
                };
                self.number(address, place, memory).map(|address| (address, len))
            }
            Effect::Erase { address, n } => self
                .number(address, place, memory)
                .and_then(|address| Ok((address, self.number(n, place, memory)?))),
            _ => Err(Failure::Damaged),
        };
        match range {
            Ok((address, len)) => memory.forget(address, len),
            Err(_) if matches!(effect, Effect::Let { .. }) => {}
            Err(_) => memory.forget_all(),
        }
    }

    fn value(&self, expr: &Expr, place: &Place, memory: &Memory) -> Result<Value, Failure> {
        let ground =
            Ground { program: self.program, facts: self.facts, memory: Some(memory), role: self.role };
        expr.eval(&View::new(ground, place)).map_err(|error| match error {
            EvalError::Outside { .. } => Failure::Outside,
            _ => Failure::Damaged,
        })
    }

    fn number(&self, expr: &Expr, place: &Place, memory: &Memory) -> Result<u64, Failure> {
        let number = self.value(expr, place, memory)?.as_int().ok_or(Failure::Damaged)?;
        u64::try_from(number).map_err(|_| Failure::Outside)
    }

    /// The settings of a phase: what it does not say is as at the beginning.
    fn settings(&self, phase: Option<usize>, place: &Place, memory: &Memory) -> Settings {
        let Some(phase) = phase.map(|phase| &self.program.table.phases[phase]) else { return self.line };
        let baud = phase.baud.as_ref().and_then(|baud| self.number(baud, place, memory).ok());
        let baud = baud.and_then(|hz| Baud::new(u32::try_from(hz).ok()?).ok());
        Settings {
            baud: baud.unwrap_or(self.line.baud),
            format: phase.format.unwrap_or(self.line.format),
            ..self.line
        }
    }
}

fn outside(error: MemoryError) -> Failure {
    match error {
        MemoryError::Outside { .. } => Failure::Outside,
        MemoryError::Unknown { .. } => Failure::Damaged,
    }
}
