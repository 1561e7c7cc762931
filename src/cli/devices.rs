//! The tables of this run, and the devices and recognisers that are made from them. Nothing is read before it is asked for.

use std::path::PathBuf;

use crate::sweep::{NoProtocols, ProtocolScorers};
use crate::transport::{SimDevice, SimOptions};

/// Tables by name: the user's over the shipped ones.
pub struct Devices {
    folders: Vec<PathBuf>,
}

impl Devices {
    pub fn new(folders: &[PathBuf]) -> Devices {
        Devices { folders: folders.to_vec() }
    }

    /// The device behind `sim://NAME`; the error says why there is none.
    pub fn simulated(&self, name: &str, _: &SimOptions) -> Result<SimDevice, String> {
        Err(format!("there is no table `{name}` in {:?}", self.folders))
    }

    /// Recognisers of every protocol.
    pub fn scorers(&self) -> Box<dyn ProtocolScorers> {
        Box::new(NoProtocols)
    }
}
