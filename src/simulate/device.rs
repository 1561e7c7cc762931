//! A table's device as a task for a simulated line.

use std::sync::Arc;

use crate::line::{Settings, Task};
use crate::machine::Env;
use crate::protocol::Table;

/// How a simulated device is to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The name of a fault of [`device`]'s list.
    pub fault: Option<String>,
    pub seed: u64,
    /// The application runs, not the bootloader.
    pub app: bool,
    /// A simulated host polls it; the line carries both.
    pub bus: bool,
    pub env: Env,
}

/// A device, and the settings it speaks at.
pub struct Simulated {
    pub task: Box<dyn Task>,
    pub settings: Settings,
}

/// Why there is no such device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimulateError {
    #[error("no fault is called `{name}`; there are {known}")]
    NoSuchFault { name: String, known: String },
    #[error("table `{table}` describes no device")]
    NoDevice { table: String },
    #[error("table `{table}` has no [poll], so no host can be simulated")]
    NoPoll { table: String },
}

/// Makes the device of a table.
pub fn device(table: &Arc<Table>, options: &Options) -> Result<Simulated, SimulateError> {
    let _ = (table, options);
    todo!()
}
