//! What every command needs: where to show, which tables, how to open a port, and when to stop.

use crate::line::{Instant, Task};
use crate::transport::{self, Address, Port, PortError, Ran};

use super::args::Global;
use super::devices::Devices;
use super::failure::Failure;
use super::output::Output;
use super::stop;

/// One run of the program.
pub struct Session {
    pub output: Output,
    pub devices: Devices,
}

impl Session {
    pub fn new(global: &Global, output: Output) -> Session {
        Session { output, devices: Devices::new(&global.protocols) }
    }

    /// Opens a port by its address.
    pub fn open(&self, address: &Address) -> Result<Box<dyn Port>, Failure> {
        let port = transport::open(address, &|name, options| self.devices.simulated(name, options))?;
        let abilities = port.abilities();
        tracing::debug!(
            "opened {address:?}: line errors {} by {}, DTR and RTS {:?}",
            abilities.line_errors.word(),
            abilities.means,
            abilities.on_open
        );
        Ok(port)
    }

    /// Runs a task on a port until it is done or Ctrl-C is pressed; `tick` sees the time and the task between rounds.
    pub fn watch<T: Task>(
        &self,
        port: &mut dyn Port,
        task: &mut T,
        tick: &mut dyn FnMut(Instant, &T),
    ) -> Result<Ran, PortError> {
        transport::watch(port, task, stop::flag(), tick)
    }
}
