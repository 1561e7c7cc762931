//! What a user gives a role beside the table: parameters, and values for a run such as the image.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::frame::{Blob, Name, Value};
use crate::protocol::Table;

/// Values by name. They lie over the table's `[parameters]` and `[device.knows]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Env(BTreeMap<Name, Value>);

/// More hypotheses than this are not tried.
const MOST_HYPOTHESES: usize = 16;

impl Env {
    pub fn new() -> Env {
        Env::default()
    }

    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Env {
        self.set(name, value);
        self
    }

    /// Bytes that belong at an address: the image of a flash run.
    pub fn with_image(mut self, name: &str, at: u64, bytes: impl Into<Bytes>) -> Env {
        self.0.insert(name.into(), Value::Bytes(Blob { bytes: bytes.into(), at }));
        self
    }

    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Environments in which every parameter of which the table gives several values has one of them; the likeliest first.
    pub fn hypotheses(&self, table: &Table) -> Vec<Env> {
        let mut all = vec![self.clone()];
        for parameter in &table.parameters {
            if parameter.one_of.is_empty() || self.get(&parameter.name).is_some() {
                continue;
            }
            let mut values = vec![parameter.value.clone()];
            values.extend(parameter.one_of.iter().filter(|value| **value != parameter.value).cloned());
            if all.len() * values.len() > MOST_HYPOTHESES {
                continue;
            }
            let with = |value: &Value| {
                let value = value.clone();
                all.iter().map(move |env| env.clone().with(&parameter.name, value.clone()))
            };
            all = values.iter().flat_map(with).collect();
        }
        all
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Name, &Value)> {
        self.0.iter()
    }
}
