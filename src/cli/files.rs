//! Reads and writes files for the floors below, which see no disk.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter};
use std::path::Path;

use crate::capture::{Header, Reader, Record};

use super::failure::Failure;

/// A capture as far as it can be read; what is wrong with the rest comes beside it.
pub struct Captured {
    pub header: Header,
    pub records: Vec<Record>,
    pub mistake: Option<Failure>,
}

/// Reads event lines.
pub fn capture(path: &Path) -> Result<Captured, Failure> {
    let file = File::open(path).map_err(|error| Failure::file(path, "read", error))?;
    if file.metadata().is_ok_and(|there| there.is_dir()) {
        return Err(Failure::file(path, "read", std::io::ErrorKind::IsADirectory.into()));
    }
    let wrong = |mistake| Failure::Capture { path: path.into(), mistake };
    let reader = Reader::new(BufReader::new(file)).map_err(wrong)?;
    let header = *reader.header();
    let (mut records, mut mistake) = (Vec::new(), None);
    for record in reader {
        match record {
            Ok(record) => records.push(record),
            Err(error) => mistake = Some(wrong(error)),
        }
    }
    Ok(Captured { header, records, mistake })
}

/// A new file for writing; a file that is there already is left alone unless `force` says otherwise.
pub fn create(path: &Path, force: bool) -> Result<BufWriter<File>, Failure> {
    let mut options = OpenOptions::new();
    options.write(true);
    // What is no file (/dev/null, a pipe) is written to, not created.
    let file = match std::fs::metadata(path) {
        Ok(there) if there.is_file() && !force => return Err(Failure::Exists(path.into())),
        Ok(there) if there.is_file() => options.truncate(true).open(path),
        Ok(_) => options.open(path),
        Err(_) => options.create_new(true).open(path),
    };
    file.map(BufWriter::new).map_err(|error| Failure::file(path, "write", error))
}
