//! The device: answers as the table lets a healthy device answer.

use std::sync::Arc;

use super::env::Env;
use super::memory::Memory;
use super::program::Program;

/// What a device is made to do wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// It refuses what it is asked, where the table knows a refusal.
    pub refuse: bool,
}

/// A device's mind, without a line: bytes in, bytes out.
pub struct Device {
    memory: Memory,
}

impl Device {
    pub fn new(program: Arc<Program>, env: &Env, faults: Faults) -> Device {
        let _ = (env, faults);
        Device { memory: Memory::of(&program.table().device.memory) }
    }

    pub fn memory(&self) -> &Memory {
        &self.memory
    }
}
