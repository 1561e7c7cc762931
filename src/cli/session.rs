//! What every command needs: where to show, which tables, how to open a port, and when to stop.

use crate::line::{Instant, Settings, Span, Task};
use crate::transport::{self, Address, Port, PortError, Ran};

use super::args::Global;
use super::failure::Failure;
use super::output::Output;
use super::stop;
use super::tables::Tables;

/// One run of the program.
pub struct Session {
    pub output: Output,
    pub tables: Tables,
    /// More is wanted than the result.
    pub verbose: bool,
}

impl Session {
    pub fn new(global: &Global, output: Output) -> Session {
        Session { output, tables: Tables::new(&global.protocols), verbose: global.verbose > 0 }
    }

    /// Opens a port by its address.
    pub fn open(&self, address: &Address) -> Result<Box<dyn Port>, Failure> {
        stop::flag(); // from here on Ctrl-C ends properly, and the port's settings are put back
        let port = transport::open(address, &|name, options| self.tables.simulated(name, options))?;
        let abilities = port.abilities();
        tracing::debug!(
            "opened {address:?}: line errors {} by {}, DTR and RTS {:?}",
            abilities.line_errors.word(),
            abilities.means,
            abilities.on_open
        );
        Ok(port)
    }

    /// Changes a port's settings; says so when its driver sets another rate. A bare byte stream has none: there they are the far end's.
    pub fn set(&self, port: &mut dyn Port, wanted: Settings) -> Result<Settings, PortError> {
        let set = match port.set(wanted) {
            Err(PortError::Unsupported { .. }) if port.assume(wanted) => wanted,
            set => set?,
        };
        if let Some(said) = transport::other_rate(port, wanted, set) {
            self.output.note(&said);
        }
        Ok(set)
    }

    /// A port in virtual time never ends by itself, unless it is a recording: it has to be said when.
    pub fn needs_end(
        &self,
        name: &str,
        address: &Address,
        port: &dyn Port,
        time: Option<Span>,
    ) -> Result<(), Failure> {
        if !port.abilities().virtual_time || time.is_some() || matches!(address, Address::Replay(_)) {
            return Ok(());
        }
        Err(Failure::Usage {
            sentence: format!("{name} answers at once and would never end"),
            next: "say for how long, such as --time 10s".into(),
        })
    }

    /// Runs a task on a port until it is done or Ctrl-C is pressed; `tick` sees the time and the task between rounds.
    pub fn watch<T: Task>(
        &self,
        port: &mut dyn Port,
        task: &mut T,
        tick: &mut dyn FnMut(Instant, &mut T),
    ) -> Result<Ran, PortError> {
        transport::watch(port, task, stop::flag(), tick)
    }
}
