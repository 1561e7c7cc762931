//! A capture file that grows while a port is used.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use crate::capture::{Header, Record, Writer};
use crate::line::LineErrors;
use crate::transport::Port;

use super::failure::Failure;
use super::files;
use super::stop;

/// What passes a port goes to a file. The first failure of the disk stops the run; what was written is kept.
pub struct Recording {
    path: PathBuf,
    header: Header,
    file: RefCell<Writer<BufWriter<File>>>,
    held: RefCell<Held>,
}

/// What became of the records.
#[derive(Default)]
pub struct Held {
    pub events: u64,
    faults: u64,
    failure: Option<Failure>,
}

impl Recording {
    /// Begins a file for what `port` sees from now on.
    pub fn begin(path: &Path, force: bool, port: &dyn Port) -> Result<Recording, Failure> {
        let abilities = port.abilities();
        let header = Header {
            settings: port.settings(),
            line_errors: abilities.line_errors,
            uncertainty: abilities.uncertainty,
        };
        let file = Writer::new(files::create(path, force)?, &header);
        Ok(Recording {
            path: path.into(),
            header,
            file: RefCell::new(file.map_err(|error| Failure::file(path, "write", error))?),
            held: RefCell::default(),
        })
    }

    /// Takes one record.
    pub fn take(&self, record: &Record) {
        let mut held = self.held.borrow_mut();
        if held.failure.is_some() {
            return;
        }
        if let Some(event) = record.event() {
            held.events += 1;
            held.faults += u64::from(event.fault.is_some());
        }
        drop(held);
        self.hold(self.file.borrow_mut().write(record));
    }

    /// Brings everything to the disk.
    pub fn flush(&self) {
        self.hold(self.file.borrow_mut().flush());
    }

    pub fn events(&self) -> u64 {
        self.held.borrow().events
    }

    /// Events with a fault, where the port can report them.
    pub fn faults(&self) -> Option<u64> {
        (self.header.line_errors != LineErrors::Never).then(|| self.held.borrow().faults)
    }

    /// Ends the file; what went wrong with it, if anything did.
    pub fn end(self) -> Option<Failure> {
        self.flush();
        self.held.into_inner().failure
    }

    fn hold(&self, written: io::Result<()>) {
        let Err(error) = written else { return };
        let mut held = self.held.borrow_mut();
        if held.failure.is_none() {
            held.failure = Some(Failure::file(&self.path, "write", error));
            stop::end();
        }
    }
}
