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
    pub origin: Origin,
}

/// Who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The user, or a hypothesis.
    Set,
    /// Only the table's parameters; an observer hears another value and believes what it hears.
    Default,
    /// What the device begins with.
    Knows,
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
            let origin = if parameter.one_of.is_empty() { Origin::Default } else { Origin::Set };
            facts.set(names, &parameter.name, parameter.value.clone(), origin);
        }
        facts.give(names, env);
        facts
    }

    /// What an observer supposes: that the device began with what the table says, until it hears otherwise.
    pub fn of_observer(table: &Table, names: &Names, env: &Env) -> Facts {
        let mut facts = Facts::of(table, names, env);
        let kept = |name: &Name| table.exchanges.iter().any(|exchange| exchange.keep.contains(name));
        for (name, value) in table.device.knows.iter().filter(|(name, _)| kept(name)) {
            if !facts.has(names, name) {
                facts.set(names, name, value.clone(), Origin::Default);
            }
        }
        facts
    }

    /// What a device knows beside that.
    pub fn of_device(table: &Table, names: &Names, env: &Env) -> Facts {
        let mut facts = Facts::of(table, names, env);
        for (name, value) in &table.device.knows {
            facts.set(names, name, value.clone(), Origin::Knows);
        }
        for (name, values) in &table.device.cycles {
            let (Some(key), Some(first)) = (names.key_of(name), values.first()) else { continue };
            facts.set(names, name, first.clone(), Origin::Knows);
            facts.cycles.push(Cycle { key, values: values.clone(), next: 1 });
        }
        facts.give(names, env);
        facts
    }

    /// What the user sets of that; another name belongs to a run, not to the table.
    fn give(&mut self, names: &Names, env: &Env) {
        for (name, value) in env.iter() {
            if self.has(names, name) {
                self.set(names, name, value.clone(), Origin::Set);
            }
        }
    }

    pub fn has(&self, names: &Names, name: &Name) -> bool {
        names.key_of(name).is_some_and(|key| self.get(key).is_some())
    }

    pub fn set(&mut self, names: &Names, name: &Name, value: Value, origin: Origin) {
        if let Some(slot) = names.key_of(name).and_then(|key| self.values.get_mut(key.0 as usize)) {
            *slot = Some(Fact { value, origin });
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
                self.values[key.0 as usize] = Some(Fact { value, origin: Origin::Knows });
            }
        }
    }
}
