//! What a user gives a role beside the table: parameters, and values for a run such as the image.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::frame::{Blob, Name, Value};

/// Values by name. They lie over the table's `[parameters]` and `[device.knows]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Env(BTreeMap<Name, Value>);

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

    pub fn iter(&self) -> impl Iterator<Item = (&Name, &Value)> {
        self.0.iter()
    }
}
