//! What is the same for all threads of a role: parameters, what the device knows, what the user gave.

use crate::frame::{Name, Value};
use crate::protocol::Table;

use super::env::Env;
use super::names::{Key, Names};

/// Values by key.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    values: Vec<Option<Fact>>,
    cycles: Vec<Cycle>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fact {
    pub value: Value,
    /// Only the table says so; an observer hears another value and believes what it hears.
    pub default: bool,
}

/// Values that a device sends in turn.
#[derive(Clone, Debug)]
struct Cycle {
    key: Key,
    values: Vec<Value>,
    next: usize,
}

impl Facts {
    /// What every role knows.
    pub fn of(table: &Table, names: &Names, env: &Env) -> Facts {
        let mut facts = Facts { values: vec![None; names.len()], cycles: Vec::new() };
        for parameter in &table.parameters {
            facts.set(names, &parameter.name, parameter.value.clone(), parameter.one_of.is_empty());
        }
        facts.give(names, env);
        facts
    }

    /// What a device knows beside that.
    pub fn of_device(table: &Table, names: &Names, env: &Env) -> Facts {
        let mut facts = Facts::of(table, names, env);
        for (name, value) in &table.device.knows {
            facts.set(names, name, value.clone(), false);
        }
        for (name, values) in &table.device.cycles {
            let (Some(key), Some(first)) = (names.key_of(name), values.first()) else { continue };
            facts.set(names, name, first.clone(), false);
            facts.cycles.push(Cycle { key, values: values.clone(), next: 1 });
        }
        facts.give(names, env);
        facts
    }

    fn give(&mut self, names: &Names, env: &Env) {
        for (name, value) in env.iter() {
            self.set(names, name, value.clone(), false);
        }
    }

    pub fn set(&mut self, names: &Names, name: &Name, value: Value, default: bool) {
        if let Some(slot) = names.key_of(name).and_then(|key| self.values.get_mut(key.0 as usize)) {
            *slot = Some(Fact { value, default });
        }
    }

    pub fn get(&self, key: Key) -> Option<&Fact> {
        self.values.get(key.0 as usize)?.as_ref()
    }

    /// The device has sent a frame with these fields: their next values are due.
    pub fn turn<'a>(&mut self, names: &Names, sent: impl Iterator<Item = &'a Name>) {
        if self.cycles.is_empty() {
            return;
        }
        for name in sent {
            let Some(key) = names.key_of(name) else { continue };
            for cycle in self.cycles.iter_mut().filter(|cycle| cycle.key == key) {
                let value = cycle.values[cycle.next % cycle.values.len()].clone();
                cycle.next += 1;
                self.values[key.0 as usize] = Some(Fact { value, default: false });
            }
        }
    }
}
