//! From what is asked for to a task: a table's device, alone or on a bus.

use std::sync::Arc;

use crate::line::{Settings, Task};
use crate::machine::{Env, Program};
use crate::protocol::{ScriptStep, Table};

use super::bus::{Bus, Poller};
use super::device::{DeviceTask, settings};
use super::fault::{FAULTS, Fault};

/// How a simulated device is to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The name of one of [`FAULTS`].
    pub fault: Option<String>,
    pub seed: u64,
    /// The application runs, not the bootloader.
    pub app: bool,
    /// A simulated host polls it; the line carries both.
    pub bus: bool,
    /// How the board is wired that it sits on: the script that brings it into its bootloader, if it is none of the table's.
    pub wired: Option<Vec<ScriptStep>>,
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
    #[error("table `{table}` describes no device: it has no exchanges")]
    NoDevice { table: String },
    #[error("table `{table}` has no [poll], so no host can be simulated")]
    NoPoll { table: String },
}

/// Makes the device of a table.
pub fn device(table: &Arc<Table>, options: &Options) -> Result<Simulated, SimulateError> {
    let name = table.name.to_string();
    if table.exchanges.is_empty() && table.device.application.is_empty() {
        return Err(SimulateError::NoDevice { table: name });
    }
    let fault = options.fault.as_deref().map(fault).transpose()?;
    let program = Arc::new(Program::compile(Arc::clone(table)));
    let settings = settings(table);
    let device = DeviceTask::new(&program, &options.env, fault, options.seed, options.app);
    let device = match &options.wired {
        Some(script) => device.wired(script),
        None => device,
    };
    let task: Box<dyn Task> = if options.bus {
        let poller = Poller::new(&program, &options.env, settings);
        Box::new(Bus::new(poller.ok_or(SimulateError::NoPoll { table: name })?, device, settings))
    } else {
        Box::new(device)
    };
    Ok(Simulated { task, settings })
}

fn fault(name: &str) -> Result<Fault, SimulateError> {
    let known = || FAULTS.map(|(name, ..)| name).join(", ");
    Fault::named(name).ok_or_else(|| SimulateError::NoSuchFault { name: name.into(), known: known() })
}
