//! What a user gives a role beside the table: parameters, and values for a run such as the image.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::frame::{Blob, Name, Value};
use crate::protocol::{Region, Table};

/// Values by name. They lie over the table's `[parameters]` and `[device.knows]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Env(BTreeMap<Name, Value>);

/// No list of pages or sectors on a wire is longer.
const MOST_UNITS: usize = 0x1_0000;

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

    /// What the runs of `[flash]` are given: the image, where it lies, and the units of erasing of these regions that it touches.
    pub fn with_image(self, regions: &[Region], at: u64, bytes: impl Into<Bytes>) -> Env {
        let bytes = bytes.into();
        let mut env = self.with_place(regions, at, bytes.len() as u64);
        env.0.insert("image".into(), Value::Bytes(Blob { bytes, at }));
        env
    }

    /// The same for an image that is to be read.
    pub fn with_place(mut self, regions: &[Region], at: u64, size: u64) -> Env {
        self.set("at", i128::from(at));
        self.set("size", i128::from(size));
        if let Some((first, last)) = regions.iter().find_map(|region| region.units(at, size)) {
            self.set("first", i128::from(first));
            self.set("last", i128::from(last));
            let units = (first..=last).take(MOST_UNITS).map(|unit| Value::Int(unit.into()));
            self.set("units", Value::List(units.collect()));
        }
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
