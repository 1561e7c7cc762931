//! The tables of this run, and the devices and recognisers that are made from them. Nothing is read before it is asked for.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::sync::Arc;

use crate::flash::reset_sequences;
use crate::machine::{Env, Program};
use crate::protocol::{Registry, RegistryError, Severity, Table};
use crate::simulate;
use crate::sweep::{ProtocolScorers, Protocols};
use crate::transport::{SimDevice, SimOptions, Traffic};

use super::failure::Failure;
use super::files;

/// Tables by name: the user's over the shipped ones.
pub struct Tables {
    given: Vec<PathBuf>,
    registry: OnceCell<Registry>,
}

impl Tables {
    /// `given` are the folders of `--protocols`, the last one on top.
    pub fn new(given: &[PathBuf]) -> Tables {
        Tables { given: given.to_vec(), registry: OnceCell::new() }
    }

    /// All tables, none of them read yet.
    pub fn registry(&self) -> Result<&Registry, Failure> {
        if let Some(registry) = self.registry.get() {
            return Ok(registry);
        }
        let own = files::tables(&self.given)?;
        Ok(self.registry.get_or_init(|| Registry::shipped().with(own)))
    }

    /// One table by its name or alias.
    pub fn table(&self, name: &str) -> Result<Arc<Table>, Failure> {
        Ok(self.registry()?.get(name)?)
    }

    /// Every protocol that can be spoken; what is wrong with others is told once. Dictionaries explain and say nothing.
    pub fn all(&self) -> Result<Vec<Arc<Table>>, Failure> {
        let (mut tables, broken) = self.registry()?.all();
        tables.retain(|table| !table.exchanges.is_empty());
        for mistakes in broken {
            let errors = || mistakes.iter().filter(|mistake| mistake.severity == Severity::Error);
            if let Some(first) = errors().next() {
                tracing::warn!("a table with {} mistakes is left out; the first: {first}", errors().count());
            }
        }
        Ok(tables)
    }

    /// The machine of a table.
    pub fn program(&self, name: &str) -> Result<Arc<Program>, Failure> {
        Ok(Arc::new(Program::compile(self.table(name)?)))
    }

    /// The machines of all tables.
    pub fn programs(&self) -> Result<Vec<Arc<Program>>, Failure> {
        Ok(self.all()?.into_iter().map(|table| Arc::new(Program::compile(table))).collect())
    }

    /// The device behind `sim://NAME`; the error says why there is none.
    pub fn simulated(&self, name: &str, options: &SimOptions) -> Result<SimDevice, String> {
        let table = self.table(name).map_err(|failure| failure.to_string())?;
        let sequences = reset_sequences(&table);
        let wired = options.wired.as_ref().map(|name| {
            let known = sequences.iter().find(|known| known.name == *name);
            known.map(|known| known.script.clone()).ok_or_else(|| {
                let names: Vec<&str> = sequences.iter().map(|known| &*known.name).collect();
                format!("there is no reset sequence `{name}`; there are {}", names.join(", "))
            })
        });
        let wired = wired.transpose()?;
        let wanted = simulate::Options {
            fault: options.fault.clone(),
            seed: options.seed,
            app: options.app,
            bus: options.traffic == Traffic::Bus,
            wired,
            env: Env::new(),
        };
        let device = simulate::device(&table, &wanted).map_err(|error| error.to_string())?;
        Ok(SimDevice { task: device.task, settings: device.settings })
    }

    /// Recognisers of every protocol, or of the only one that is looked for.
    pub fn scorers(&self, only: Option<&str>) -> Result<Box<dyn ProtocolScorers>, Failure> {
        let programs = match only {
            Some(name) => vec![self.program(name)?],
            None => self.programs()?,
        };
        Ok(Box::new(Protocols::new(programs)))
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Failure {
        match error {
            RegistryError::Mistakes(mistakes) => Failure::Table(mistakes),
            unknown @ RegistryError::Unknown { .. } => Failure::Input {
                sentence: unknown.to_string(),
                next: "`hsdiag protocols list` names them; --protocols DIR adds tables of your own".into(),
            },
        }
    }
}
